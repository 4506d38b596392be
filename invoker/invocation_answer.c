/* SPDX-License-Identifier: Apache-2.0 */
/* How an invocation is answered: at once, or as the function makes its answer. */
#include "invoker/invocation_impl.h"

#include "common/base/log.h"
#include "common/proto/result_stream.h"

static void answer(struct invocation *inv, const struct result_head *head, struct str body)
{
    struct link_stream *stream = TAKE(inv->stream);
    struct buf *bytes = &inv->all->head;

    if (stream) {
        buf_clear(bytes);
        if (result_head_write(bytes, head) == 0)
            link_stream_answer(stream, buf_str(bytes), body, true);
        else
            link_stream_reset(stream, ERR_INTERNAL);
    }
    invocation_over(inv);
}

void invocation_refuse(struct invocation *inv, enum error_code code, const char *message)
{
    const struct result_head head = {
        .outcome = INVOKE_REFUSED, .refused = code, .message = str_of(message)};

    log_debug("invoke", "refused", KV_S("request_id", inv->head.request_id),
              KV_STR("code", error_code_name(code)), KV_STR("why", message));
    answer(inv, &head, STR(""));
}

struct invocation *invocation_of_event(const struct sandbox_event *ev)
{
    return CONTAINER_OF(ev, struct invocation, event);
}

void invocation_release(struct invocation *inv)
{
    if (inv->held)
        sandbox_hold(inv->streams, false);
    inv->held = false;
}

/* The answer begins: from now on its outcome is in its end. */
static void begin_stream(struct invocation *inv, struct sandbox *sb)
{
    const struct result_head head = {
        .outcome = INVOKE_STREAMING,
        .executed_version = str_of(ready_version_spec(inv->ver)->version),
    };
    struct buf *bytes = &inv->all->head;

    buf_clear(bytes);
    (void)result_head_write(bytes, &head); /* short: it fits */
    link_stream_answer(inv->stream, buf_str(bytes), STR_NULL, false);
    inv->streams = sb;
}

void invocation_stream(struct sandbox *sb, const struct sandbox_event *ev, struct str bytes)
{
    struct invocation *inv = invocation_of_event(ev);
    struct buf *record = &inv->all->record;

    if (!inv->stream)
        return; /* nobody wants it: the function goes on all the same */
    if (!inv->streams)
        begin_stream(inv, sb);
    if (bytes.len == 0)
        return;
    buf_clear(record);
    (void)result_stream_write(record, bytes); /* pieces are small: it fits */
    link_stream_send(inv->stream, buf_str(record), false);
    if (!inv->held && link_stream_queued(inv->stream) > 0) {
        inv->held = true;
        sandbox_hold(sb, true);
    }
}

static void end_stream(struct invocation *inv, const struct sandbox_result *result)
{
    const struct result_end end = {
        .outcome = result->outcome,
        .refused = result->refused,
        .message = result->message,
        .log_tail = result->log_tail,
        .error_type = result->error_type,
        .error = result->body,
    };
    struct buf *record = &inv->all->record;

    buf_clear(record);
    if (result_stream_write_end(record, &end) == 0)
        link_stream_send(inv->stream, buf_str(record), true);
    else
        link_stream_reset(inv->stream, ERR_INTERNAL);
    inv->stream = NULL;
    invocation_over(inv);
}

void invocation_answer(const struct sandbox_event *ev, const struct sandbox_result *result)
{
    struct invocation *inv = invocation_of_event(ev);
    const struct result_head head = {
        .outcome = result->outcome,
        .refused = result->refused,
        .message = result->message,
        .executed_version = str_of(ready_version_spec(inv->ver)->version),
        .log_tail = result->log_tail,
        .body_bytes = (uint32_t)result->body.len,
    };

    if (inv->streams)
        end_stream(inv, result);
    else
        answer(inv, &head, result->body);
}
