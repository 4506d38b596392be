/* SPDX-License-Identifier: Apache-2.0 */
/*
 * code_s3.h - archives from an S3-compatible store: GET of an object, signed, into memory.
 *
 * At most CODE_S3_AT_ONCE objects are on their way at a time, so that their number and size bound
 * what it takes; others wait their turn. Buckets stand in the path. Redirects are not followed: a
 * signed question goes to the store that was configured, to no other.
 *
 * Owns:    its HTTP client, its settings; the fetches under way.
 * Threads: loop thread only; callbacks never run inside code_s3_get() and come exactly once.
 * Errors:  by the callback, in AWS's words where AWS has some: ERR_BAD_REQUEST for what the store
 *          refuses, sends too much of or does not send at all; ERR_ACCESS_DENIED; ERR_CLOSED.
 * Source:  Amazon S3 API reference, GetObject, "Error responses"; what AWS Lambda says of them.
 */
#ifndef HEARTH_CONTROLLER_CODE_CODE_S3_H
#define HEARTH_CONTROLLER_CODE_CODE_S3_H

#include "common/base/buf.h"
#include "common/base/error.h"
#include "common/io/loop.h"

#define CODE_S3_AT_ONCE 8u

struct code_s3;

/* All is copied. */
struct code_s3_options {
    struct loop *loop;
    const char *endpoint; /* that code_s3_check_endpoint() finds good */
    const char *region; /* requests are signed for */
    const char *access_key; /* "": not signed */
    struct str secret;
    uint64_t timeout_us; /* of one fetch, without its wait for a turn */
    size_t bytes_max; /* of an object */
    const char *unix_socket; /* the store's, for tests; else NULL */
};

struct code_s3_object {
    struct str bucket, key;
    struct str version; /* ptr NULL: the latest */
};

/** Exactly once. @err NULL: the receiver may take the contents of @bytes. */
typedef void code_s3_done_fn(struct buf *bytes, const struct error *err, void *arg);

struct code_s3 *code_s3_new(const struct code_s3_options *options);
/** Fetches under way end with ERR_CLOSED. */
void code_s3_free(struct code_s3 *s3);
void code_s3_get(struct code_s3 *s3, const struct code_s3_object *object, code_s3_done_fn *done,
                 void *arg);

/** Check of a setting: http(s)://host[:port], or empty. A static message, or NULL. */
const char *code_s3_check_endpoint(struct str text);

#endif
