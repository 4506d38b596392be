/* SPDX-License-Identifier: Apache-2.0 */
/*
 * controller_config.h - the settings of hearth-controller.
 *
 * Owns:    its strings; config_done(&controller_program, ...) frees them.
 * Threads: start-up only; const afterwards.
 */
#ifndef HEARTH_CONTROLLER_CONTROLLER_CONFIG_H
#define HEARTH_CONTROLLER_CONTROLLER_CONFIG_H

#include "common/base/config.h"

struct controller_config {
    char *listen; /* "unix:/path,tcp://0.0.0.0:7400" */
    char *redis_url;
    char *data_dir; /* code/ and key live here */
    char *key_file; /* "": <data_dir>/key */
    char *tls_ca_cert, *tls_ca_key; /* "": in the data folder */
    uint64_t tls_cert_lifetime_us; /* of certificates that are issued */
    char *runtimes; /* path of runtimes.json */
    char *networks; /* path of the file of networks; "": none */
    char *account_id;
    char *region;
    char *architecture; /* what Architectures is when a request does not say */
    char *url_domain; /* "[scheme://]domain[:port]" behind the region in function URLs */
    char *signing_profiles; /* folder of code_signature.h */
    char *log_level;
    uint64_t account_concurrency; /* invocations of an account at once */
    char *s3_endpoint; /* "http://host:port"; "": code does not come from S3 */
    char *s3_region; /* "": region */
    char *s3_access_key_id; /* "": requests are not signed */
    char *s3_secret_access_key;
    char *s3_secret_file; /* the same secret in a file */
    uint64_t s3_timeout_us;
    uint64_t code_storage_max; /* bytes of an account's archives and layers */
    uint64_t async_in_flight; /* events and messages that are taken at once */
    uint64_t async_function_max; /* the same of one function */
    uint64_t async_queue_max; /* bytes of an account's waiting events */
    uint64_t async_lease_us;
    uint64_t async_retry_wait_us; /* before the first retry; twice that before the second */
    uint64_t async_backoff_us, async_backoff_max_us; /* of throttles and errors that are not the function's */
    uint64_t async_delivery_age_us; /* how long a destination is tried */
    char *aws_endpoint; /* of SQS, SNS and EventBridge; "": none */
    char *aws_access_key_id; /* "": requests are not signed */
    char *aws_secret_access_key;
    char *aws_secret_file; /* the same secret in a file */
    uint64_t aws_timeout_us;
    uint64_t redis_timeout_us;
    uint64_t prepare_timeout_us;
    uint64_t resolve_timeout_us;
    uint64_t peer_timeout_us;
    uint64_t node_grace_us;
    uint64_t node_fence_us;
    uint64_t gateway_grace_us;
    uint64_t scaling_period_us; /* between two datapoints of target tracking */
    uint64_t lease_us; /* no setting: of the leader's key; 0: leadership.h's, as are what goes with it */
    uint64_t retry_us; /* no setting: how soon what Redis did not take is tried again; 0: in good time */
};

/** The table behind --help and docs/configuration.md. */
extern const struct config_program controller_program;

#endif
