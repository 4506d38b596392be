/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/invoke_stream.h"

#include "common/base/base64.h"
#include "common/base/log.h"
#include "gateway/invoke_reply.h"

#define EVENTS_KEEP_MAX (256u * 1024u)

void invoke_stream_begin(struct invocation *inv)
{
    const struct invoke_answer answer = {
        .request_id = inv->request_id,
        .executed_version = inv->executed_version,
        .trace_id = buf_str(&inv->ask.trace_id),
    };

    inv->streaming = true;
    invoke_reply_stream_begin(inv->req, &answer);
}

/* What came is consumed once the system has taken all of it. */
static void consume(struct invocation *inv)
{
    size_t n = inv->unconsumed;

    inv->unconsumed = 0;
    if (inv->stream && n > 0)
        link_stream_consumed(inv->stream, n);
}

int invoke_stream_take(struct invocation *inv, struct str bytes)
{
    struct buf *events = &inv->invokes->events;
    size_t len = bytes.len;
    struct str piece;
    int r;

    buf_clear(events);
    while ((r = result_stream_read(&inv->result_stream, &bytes, &piece)) > 0)
        if (invoke_reply_stream_chunk(events, piece) < 0)
            return -ERR_PROTOCOL;
    if (r < 0)
        return -ERR_PROTOCOL;
    http_reply_write(inv->req, buf_str(events));
    if (events->cap > EVENTS_KEEP_MAX)
        buf_done(events);
    inv->unconsumed += len;
    if (!invoke_stream_waits(inv))
        consume(inv);
    return 0;
}

void invoke_stream_on_writable(struct pending *p)
{
    consume(CONTAINER_OF(p, struct invocation, pending));
}

bool invoke_stream_waits(const struct invocation *inv)
{
    return http_reply_queued(inv->req) > 0;
}

static void end_with(struct invocation *inv, const struct invoke_complete *complete)
{
    invoke_reply_stream_end(inv->req, complete, &inv->invokes->events);
}

void invoke_stream_end(struct invocation *inv)
{
    struct invoke_complete complete = {0};
    struct result_end end;
    struct error err;

    if (result_stream_read_end(&inv->result_stream, &end) < 0) {
        log_error("invoke", "the node's answer is malformed",
                  KV_STR("request_id", inv->request_id));
        error_set(&err, ERR_INTERNAL, "The node's answer is malformed.");
        invoke_stream_fail(inv, &err);
        return;
    }
    if (inv->ask.wants_log_tail && base64_encode(&inv->log, end.log_tail) == 0)
        complete.log = buf_str(&inv->log);
    if (end.outcome == INVOKE_FUNCTION_ERROR) {
        complete.error_code = end.error_type.len > 0 ? end.error_type : STR(INVOKE_UNHANDLED);
        complete.error_details = end.error;
    } else if (end.outcome == INVOKE_REFUSED) {
        complete.error_code = str_of(error_exception(end.refused));
        complete.error_details = end.message;
    }
    end_with(inv, &complete);
}

void invoke_stream_fail(struct invocation *inv, const struct error *err)
{
    const struct invoke_complete complete = {.error_code = str_of(error_exception(err->code)),
                                             .error_details = str_of(err->msg)};

    end_with(inv, &complete);
}
