/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routes.h - which part of the gateway serves a request: a table of method, path, part, body limit.
 *
 * Owns:    nothing.
 * Threads: any.
 * Errors:  -ERR_NO_OPERATION with a message that names what is offered.
 */
#ifndef HEARTH_GATEWAY_ROUTES_H
#define HEARTH_GATEWAY_ROUTES_H

#include "common/base/buf.h"
#include "common/base/error.h"
#include "common/model/lambda_ops.h"

enum service {
    SERVICE_INVOKE, /* Invoke, InvokeWithResponseStream, InvokeAsync: served here */
    SERVICE_MANAGE, /* the rest of the Lambda API: the controller's */
    SERVICE_HEALTH, /* GET /_hearth/health */
    SERVICE_LOGS, /* GET /_hearth/v1/logs/NAME */
    SERVICE_CODE, /* GET /_hearth/v1/code/SHA256.zip */
    SERVICE_ROOT, /* "/": services that have no paths, see query_api.h */
};

struct routes_match {
    enum service service;
    struct lambda_match lambda; /* for the first two; borrows from the path */
    struct str name; /* SERVICE_LOGS: the function's; SERVICE_CODE: the file's */
};

/* AWS's limits: of synchronous invocations, of InvocationType Event, of InvokeAsync */
#define INVOKE_PAYLOAD_MAX 6291456u
#define INVOKE_EVENT_MAX 1048576u
#define INVOKE_ASYNC_MAX 262144u
#define ROOT_BODY_MAX 1048576u /* far above IAM's largest policy */
#define MANAGE_BODY_MAX 70167211u /* AWS's for CreateFunction: a 50 MB archive in base64 */

/** @path decoded, @query raw. */
int routes_find(struct str method, struct str path, struct str query, struct routes_match *ret,
                struct error *err);
/** -ERR_NO_OPERATION, with what is offered instead. */
int routes_unknown(struct str method, struct str path, struct error *err);
/** Whether anybody may ask: no signature is needed, or the link carries its own. */
bool routes_is_open(const struct routes_match *match);
/**
 * The greatest body, bytes, for a request to @path (raw; looked at again when it is whole).
 *
 * @type  X-Amz-Invocation-Type; ptr NULL when there is none
 */
size_t routes_body_max(struct str path, struct str type);
/** What AWS says when the body is larger. */
void routes_too_large(struct str method, struct str path, struct str query, struct str type,
                      struct error *err);
/**
 * Appends @text with %XX decoded; in a query '+' is a blank. -ERR_BAD_REQUEST for broken escapes,
 * NUL and what is not UTF-8 then.
 */
int routes_decode(struct buf *b, struct str text, bool is_query);
/** The decoded value of @name in @query into @ret; -ERR_NOT_FOUND when absent, empty or malformed. */
int routes_query_value(struct str query, const char *name, struct buf *ret);

#endif
