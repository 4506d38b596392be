/* SPDX-License-Identifier: Apache-2.0 */
/*
 * invoke_wire.h - the binary heads of a LINK_INVOKE stream: the question (gateway to invoker) and
 * the result (invoker to gateway). The payload is the stream's data and is never parsed here.
 *
 * Owns:    nothing: a read head borrows from the frame.
 * Threads: any.
 * Errors:  -ERR_PROTOCOL for bytes that are no head, -ERR_TOO_LARGE when it does not fit.
 * Wire:    big-endian; docs/internals/links.md. Unknown trailing fields are ignored (version N+1).
 */
#ifndef HEARTH_PROTO_INVOKE_WIRE_H
#define HEARTH_PROTO_INVOKE_WIRE_H

#include "common/base/buf.h"
#include "common/base/error.h"

/* Flags of a question; unknown ones mean nothing. */
enum {
    INVOKE_LOG_TAIL = 1,
    INVOKE_ACCEPT_STREAM = 2, /* INVOKE_STREAMING may be the answer */
    INVOKE_ROOM_ONLY = 4, /* refused at once (THROTTLED) where there is no room for its sandbox */
};

#define RESULT_END_MAX (384u * 1024u) /* bytes */

struct invoke_head {
    uint32_t flags;
    uint64_t generation; /* of the route that the gateway used; older than known is refused: STALE */
    uint64_t epoch; /* of the permit */
    uint32_t wait_ms; /* how long it may wait for a sandbox before it is refused */
    struct str request_id, account, name, version;
    struct str invoked_arn; /* as Lambda-Runtime-Invoked-Function-Arn */
    struct str trace_id; /* X-Amzn-Trace-Id value, may be empty */
    struct str client_context; /* decoded JSON, may be empty */
    struct str cognito_identity; /* JSON, may be empty */
    uint32_t payload_bytes; /* how many follow, so that room is made once; 0: not said */
    struct str gateway; /* the incarnation that the permit was granted to; empty: not said */
    struct str pool; /* the permit's; empty: not said */
};

enum invoke_outcome {
    INVOKE_OK = 0, /* data = the function's answer */
    INVOKE_FUNCTION_ERROR = 1, /* data = the error JSON */
    INVOKE_REFUSED = 2, /* not run; code and message tell why */
    INVOKE_STREAMING = 3, /* data = result_stream.h: the answer as it is made, then its result_end */
};

struct result_head {
    enum invoke_outcome outcome;
    enum error_code refused; /* INVOKE_REFUSED only */
    struct str message; /* INVOKE_REFUSED only */
    struct str executed_version;
    struct str log_tail; /* raw, at most 4096 bytes; empty unless asked for */
    uint32_t body_bytes; /* as payload_bytes */
};

/** How a streamed answer ended. */
struct result_end {
    enum invoke_outcome outcome; /* INVOKE_REFUSED: it ran, but was ended under its answer */
    enum error_code refused; /* INVOKE_REFUSED only */
    struct str message; /* INVOKE_REFUSED only */
    struct str log_tail; /* as in a result_head */
    struct str error_type; /* INVOKE_FUNCTION_ERROR only: "Sandbox.Timedout"; may be empty */
    struct str error; /* INVOKE_FUNCTION_ERROR only: JSON, cut at 65,535 bytes */
};

int invoke_head_write(struct buf *b, const struct invoke_head *head);
int invoke_head_read(struct str bytes, struct invoke_head *ret);
int result_head_write(struct buf *b, const struct result_head *head);
int result_head_read(struct str bytes, struct result_head *ret);
int result_end_write(struct buf *b, const struct result_end *end);
int result_end_read(struct str bytes, struct result_end *ret);

#endif
