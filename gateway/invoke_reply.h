/* SPDX-License-Identifier: Apache-2.0 */
/*
 * invoke_reply.h - what a client gets for an invocation that ran: one JSON answer (Invoke), or
 * events (InvokeWithResponseStream).
 *
 * Events: PayloadChunk with the answer's bytes, at most 64 KiB each, then one InvokeComplete. A
 * function error is told in InvokeComplete, since the status has been sent by then: ErrorCode
 * "Unhandled", ErrorDetails the error's JSON, which the chunks carry as well, as Invoke's payload
 * does.
 *
 * A streamed answer has the same events, sent one by one; when it fails on its way InvokeComplete
 * has the error alone.
 *
 * Owns:    nothing. Each call ends its request, but for invoke_reply_stream_begin() and _chunk().
 * Threads: loop thread only.
 * Source:  Lambda API reference, Invoke, InvokeWithResponseStream; Lambda API model.
 */
#ifndef HEARTH_GATEWAY_INVOKE_REPLY_H
#define HEARTH_GATEWAY_INVOKE_REPLY_H

#include "common/base/buf.h"
#include "common/io/http_server.h"

/* Bytes of events for the greatest payload: ErrorDetails is JSON again, each byte six at worst. */
#define INVOKE_EVENTS_MAX (64u * 1024u * 1024u)

#define INVOKE_UNHANDLED "Unhandled" /* X-Amz-Function-Error: AWS sends nothing else today */

struct invoke_answer {
    const char *request_id;
    const char *executed_version;
    struct str trace_id;
    bool function_error;
    struct str log; /* base64; ptr NULL when it was not asked for */
    struct str payload;
};

/** What InvokeComplete says; members that are empty are left out. */
struct invoke_complete {
    struct str error_code;
    struct str error_details;
    struct str log; /* base64; ptr NULL when it was not asked for */
};

/** 200 with the payload. */
void invoke_reply(struct http_req *req, const struct invoke_answer *answer);
/** 204: a dry run, of either operation. */
void invoke_reply_dry(struct http_req *req, const struct invoke_answer *answer);
/** 200 with the payload as events, written into @events (empty; at most INVOKE_EVENTS_MAX). */
void invoke_reply_events(struct http_req *req, const struct invoke_answer *answer,
                         struct buf *events);

/** 200: the events follow. The payload of @answer does not count. */
void invoke_reply_stream_begin(struct http_req *req, const struct invoke_answer *answer);
/** Appends the events for @bytes of the answer. */
int invoke_reply_stream_chunk(struct buf *events, struct str bytes);
/** Sends the last event, written into @events. */
void invoke_reply_stream_end(struct http_req *req, const struct invoke_complete *complete,
                             struct buf *events);

#endif
