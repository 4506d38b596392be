/* SPDX-License-Identifier: Apache-2.0 */
/*
 * invoker_config.h - the settings of hearth-invoker; the table in invoker_config.c is their list.
 *
 * Owns:    its strings; config_done(&invoker_program, …) frees them.
 * Threads: const after start-up.
 */
#ifndef HEARTH_INVOKER_INVOKER_CONFIG_H
#define HEARTH_INVOKER_INVOKER_CONFIG_H

#include "common/base/config.h"

struct invoker_config {
    char *controller; /* "unix:/path" */
    char *listen; /* likewise */
    char *advertise; /* "": where it listens */
    char *join_token; /* "": none */
    char *join_token_file;
    char *node_id; /* "": one of its own, kept in the data folder */
    char *data_dir;
    char *run_dir;
    char *image_store; /* "docker" or "containerd" */
    char *docker_socket;
    char *docker_config; /* "": anonymous pulls */
    char *containerd_socket;
    char *containerd_snapshotter;
    char *init_path;
    char *egress; /* "auto", "on" or "off" */
    char *egress_range; /* "auto" or "10.0.0.0/20" */
    char *egress_allow, *egress_deny; /* lists; "": none */
    char *egress_dns; /* list; "": the node's own */
    char *launcher; /* "auto", "docker" or "native" */
    char *oci_runtime; /* "": one is looked for */
    uint64_t blank_sandboxes;
    char *tmp; /* "auto" or "memory" */
    uint64_t node_memory; /* bytes; 0: 80 % of the machine's */
    uint64_t start_parallel; /* 0: twice the CPUs */
    uint64_t scaling_rate; /* sandboxes in 10 s, of each function; 0: unlimited */
    const char *keep_alive; /* "fixed" or "histogram" */
    uint64_t cold_start_worth; /* of the latter, in minutes of an idle sandbox */
    uint64_t idle_ttl_us;
    uint64_t create_limit_us;
    uint64_t init_limit_us;
    uint64_t freeze_after_us; /* 0: never */
    uint64_t drain_limit_us;
    uint64_t stream_limit; /* bytes */
    uint64_t code_cache_bytes;
    char *kafka_brokers; /* "": logs stay in segment files */
    char *kafka_topic;
    char *kafka_properties; /* path of a file; "": none */
    uint64_t log_retention_us;
    uint64_t log_retention_bytes;
    uint64_t log_spool_bytes;
    uint64_t log_rate_bytes;
    char *log_sync;
    char *log_level;
};

extern const struct config_program invoker_program;

#endif
