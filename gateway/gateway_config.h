/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gateway_config.h - the gateway's settings: one table.
 *
 * Owns:    the strings in struct gateway_config; config_done() frees them.
 * Threads: filled at start, const afterwards.
 */
#ifndef HEARTH_GATEWAY_CONFIG_H
#define HEARTH_GATEWAY_CONFIG_H

#include "common/base/config.h"

struct gateway_config {
    char *listen; /* "127.0.0.1:9000" */
    char *controller; /* "unix:/run/hearth/controller.sock", or several with commas between */
    char *data_dir; /* its gateway/ keeps the certificate */
    char *join_token; /* "" = none */
    char *join_token_file;
    char *account_id; /* twelve digits */
    char *region;
    char *credentials_file; /* "" = signatures are not checked */
    char *log_level;
    char *id; /* of this gateway, in logs and towards its peers */
    uint64_t request_rate_factor; /* times the concurrency: invocations a second; 0: any */
    uint64_t invoke_wait_us; /* how long an invocation may wait before it runs */
    uint64_t drain_us; /* how long what is in flight may take to finish at the end */
    uint64_t route_cache_max; /* routes kept */
};

extern const struct config_program gateway_config_program;

#endif
