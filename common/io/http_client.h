/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_client.h - outgoing HTTP on the loop: libcurl's multi interface.
 *
 * Owns:    requests run to their end by themselves; http_call_cancel() ends one early.
 * Threads: loop thread only; callbacks never run inside http_call().
 * Errors:  ERR_UNAVAILABLE (no connection; sys_errno ECONNREFUSED: none came about, nothing was
 *          sent), ERR_TIMEOUT, ERR_TOO_LARGE, ERR_PROTOCOL; a status >= 400
 *          is an answer.
 *
 * A URL's path is sent as it is given. Redirects are not followed: they are answers too. https
 * wants a certificate that the system's store trusts, for the name in the URL.
 */
#ifndef HEARTH_IO_HTTP_CLIENT_H
#define HEARTH_IO_HTTP_CLIENT_H

#include "common/base/str.h"
#include "common/io/loop.h"

struct http_client; /* one for a program */
struct http_call;

struct http_call_options {
    const char *method; /* "GET" */
    const char *url;
    const char *unix_socket; /* path, or NULL for TCP */
    const char *const *headers; /* "Name: value", NULL-terminated; may be NULL */
    struct str body;
    uint64_t timeout_us; /* of the whole exchange; 0: none (event streams) */
    size_t body_max; /* of the answer, bytes; with on_chunk: of nothing */
    bool keep_head; /* for http_call_header() */
    bool http2; /* known beforehand, without TLS: gRPC on a Unix socket; a connection of its own */
    /* Streaming: each piece as it comes; the final callback then has an empty body. May be NULL,
     * may cancel the call. */
    void (*on_chunk)(struct str chunk, void *arg);
};

/** Exactly once. @err NULL: @status and @body (borrowed) are good. */
typedef void http_done_fn(int status, struct str body, const struct error *err, void *arg);

struct http_client *http_client_new(struct loop *loop);
/** Cancels what runs (no callbacks). */
void http_client_free(struct http_client *client);
/** Begins a call; everything in @options is copied. */
struct http_call *http_call(struct http_client *client, const struct http_call_options *options,
                            http_done_fn *done, void *arg);
/**
 * A field of the answer's head or trailers (the last one of @name), inside the callback of a call
 * with keep_head; borrowed for that. A null str: there is none.
 */
struct str http_call_header(const struct http_call *call, const char *name);
/** Ends it without its callback. Not inside its own callback. */
void http_call_cancel(struct http_call *call);

#endif
