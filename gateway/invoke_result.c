/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/invoke_result.h"

#include "common/base/base64.h"
#include "common/base/log.h"
#include "gateway/invoke_stream.h"

static void on_result_head(struct link_stream *s, struct str bytes, void *arg)
{
    struct invocation *inv = arg;
    struct result_head head;

    (void)s;
    if (result_head_read(bytes, &head) < 0 ||
        (head.outcome == INVOKE_STREAMING && inv->ask.kind != INVOKE_STREAM))
        return; /* has_head stays false: on_end says what that means */
    inv->has_head = true;
    inv->outcome = head.outcome;
    if (inv->is_abandoned && head.outcome != INVOKE_REFUSED)
        return;
    (void)buf_reserve(&inv->result, head.body_bytes); /* once; more than it may have fails later */
    if (head.executed_version.len > 0)
        invocation_set_version(inv->executed_version, head.executed_version);
    if (head.outcome == INVOKE_REFUSED)
        error_set(&inv->refused, head.refused, "%.*s", STR_ARG(head.message));
    else if (head.outcome == INVOKE_STREAMING)
        invoke_stream_begin(inv);
    else if (inv->ask.wants_log_tail)
        base64_encode(&inv->log, head.log_tail);
}

static void on_result_data(struct link_stream *s, struct str bytes, void *arg)
{
    struct invocation *inv = arg;

    if (inv->is_abandoned) {
        link_stream_consumed(s, bytes.len);
        return;
    }
    if (inv->streaming) {
        if (invoke_stream_take(inv, bytes) == 0)
            return;
        link_stream_reset(s, ERR_PROTOCOL);
        invocation_lose(inv);
        invocation_fail_with(inv, ERR_INTERNAL, "The node's answer is malformed.");
        return;
    }
    if (buf_append_str(&inv->result, bytes) == 0) {
        link_stream_consumed(s, bytes.len);
        return;
    }
    link_stream_reset(s, ERR_TOO_LARGE);
    invocation_lose(inv);
    invocation_fail_with(inv, ERR_INTERNAL, "The node sent more than an answer may hold.");
}

static void on_result_end(struct link_stream *s, void *arg)
{
    struct invocation *inv = arg;

    (void)s;
    if (!inv->has_head)
        log_error("invoke", "the node's answer is malformed", KV_STR("node", node_id(inv->at)),
                  KV_STR("request_id", inv->request_id));
    if (inv->has_head && inv->outcome == INVOKE_REFUSED) {
        invoke_refused(inv);
        return;
    }
    if (!inv->has_head) {
        invocation_lose(inv);
        invocation_fail_with(inv, ERR_INTERNAL,
                             "The node's answer is malformed; the function may have run.");
        return;
    }
    invocation_leave_node(inv, PLACE_RAN);
    if (inv->is_abandoned)
        invocation_release(inv);
    else
        invocation_succeed(inv);
}

static void on_result_reset(struct link_stream *s, const struct error *why, void *arg)
{
    struct invocation *inv = arg;

    (void)s;
    log_debug("invoke", "lost", KV_STR("request_id", inv->request_id), KV_ERR(why));
    if (why->code == ERR_THROTTLED &&
        !inv->has_head) { /* the link has too many streams: not taken */
        inv->refused = *why;
        invoke_refused(inv);
        return;
    }
    invocation_lose(inv);
    invocation_fail_with(inv, ERR_INTERNAL,
              "The node that ran the function was lost before it answered (%s). The function may "
              "have run; "
              "it is not run again by itself.",
              why->msg);
}

const struct link_stream_ops invoke_result_ops = {
    .on_head = on_result_head,
    .on_data = on_result_data,
    .on_end = on_result_end,
    .on_reset = on_result_reset,
};
