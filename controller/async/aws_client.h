/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws_client.h - signed calls of AWS-compatible services at one endpoint: SQS, SNS, EventBridge, S3.
 *
 * At most AWS_CALLS_AT_ONCE are on their way at a time; others wait their turn. Redirects are not
 * followed, nothing is tried again.
 *
 * Owns:    its HTTP client, its settings.
 * Threads: loop thread only; callbacks never run inside aws_client_call().
 * Errors:  by the callback: those of http_client.h; ERR_BAD_REQUEST with the service's own code for an
 *          answer that is none of success.
 * Source:  sigv4_sign.h; AWS JSON and query protocols.
 */
#ifndef HEARTH_CONTROLLER_ASYNC_AWS_CLIENT_H
#define HEARTH_CONTROLLER_ASYNC_AWS_CLIENT_H

#include "common/base/error.h"
#include "common/base/str.h"
#include "common/io/loop.h"

#define AWS_CALLS_AT_ONCE 16u

struct aws_client;

/* All is copied. */
struct aws_client_options {
    struct loop *loop;
    const char *endpoint; /* that aws_client_check_endpoint() finds good */
    const char *access_key; /* "": not signed */
    struct str secret;
    uint64_t timeout_us; /* of one call, without its wait for a turn */
    const char *unix_socket; /* the service's, for tests; else NULL */
};

struct aws_call_options {
    const char *service; /* "sqs": what is signed for, and {service} in the endpoint */
    struct str region;
    const char *method;
    struct str path; /* escaped, "/…" */
    const char *content_type;
    const char *target; /* X-Amz-Target; NULL: none */
    struct str body; /* copied */
};

/** Exactly once. @body is borrowed. */
typedef void aws_done_fn(struct str body, const struct error *err, void *arg);

struct aws_client *aws_client_new(const struct aws_client_options *options);
/** Calls under way end with ERR_CLOSED, inside this call. */
void aws_client_free(struct aws_client *aws);
void aws_client_call(struct aws_client *aws, const struct aws_call_options *options,
                     aws_done_fn *done, void *arg);
/** The endpoint of a service, as calls go to; the caller frees it. */
char *aws_client_endpoint(const struct aws_client *aws, const char *service, struct str region);

/**
 * Check of a setting: http(s)://host[:port], in which {service} and {region} may stand, or empty. A
 * static message, or NULL.
 */
const char *aws_client_check_endpoint(struct str text);

#endif
