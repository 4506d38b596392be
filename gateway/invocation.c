/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/invocation.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/async.h"
#include "gateway/invoke_reply.h"
#include "gateway/invoke_stream.h"
#include "gateway/reply.h"

#define RESULT_MAX (6u * 1024u * 1024u + 65536u) /* the invoker's limit is 6 MiB + 100 bytes */
#define KEEP_MAX (64u * 1024u) /* larger buffers are given back after use */
#define LOG_MAX 8192u /* a log tail of 4 KiB in base64 */
#define SPARE_MAX 256 /* invocations kept for the next ones */

/* ---- life ---- */

struct invocation *invocation_take(struct invokes *invokes)
{
    struct invocation *inv = LIST_FIRST(&invokes->spare, struct invocation, node);

    if (inv) {
        list_remove(&inv->node);
        invokes->spare_len--;
    } else {
        inv = calloc(1, sizeof(*inv));
        if (!inv)
            abort();
        inv->invokes = invokes;
        list_init(&inv->wait.node);
        list_init(&inv->node);
        list_init(&inv->permit_wait.node);
        invoke_request_init(&inv->ask);
        buf_init(&inv->arn, 1024);
        buf_init(&inv->log, LOG_MAX);
        buf_init(&inv->result, RESULT_MAX);
        result_stream_init(&inv->result_stream);
    }
    list_append(&invokes->active, &inv->node);
    invokes->in_flight++;
    return inv;
}

void invocation_free(struct invocation *inv)
{
    invoke_request_done(&inv->ask);
    buf_done(&inv->arn);
    buf_done(&inv->log);
    buf_done(&inv->result);
    result_stream_done(&inv->result_stream);
    free(inv);
}

void invocation_leave_node(struct invocation *inv, enum place_end how)
{
    struct node *at = inv->at;

    inv->at = NULL;
    inv->stream = NULL;
    if (at)
        node_run_end(at, &inv->run, how);
}

void invocation_set_version(char *ret, struct str version)
{
    size_t n = version.len < FN_QUALIFIER_MAX ? version.len : FN_QUALIFIER_MAX;

    memcpy(ret, version.ptr, n);
    ret[n] = '\0';
}

void invocation_lose(struct invocation *inv)
{
    lost_runs_add(inv->invokes->parts.lost, inv->at, inv->request_id, &inv->permit);
    invocation_leave_node(inv, PLACE_LOST);
}

void invocation_abandon(struct invocation *inv)
{
    struct invokes *invokes = inv->invokes;

    inv->req = NULL;
    inv->is_abandoned = true;
    inv->streaming = false;
    if (inv->unconsumed > 0)
        link_stream_consumed(inv->stream, inv->unconsumed);
    inv->unconsumed = 0;
    buf_done(&inv->result);
    list_remove(&inv->node);
    list_append(&invokes->abandoned, &inv->node);
    invokes->in_flight--;
}

void invocation_stop_waiting(struct invocation *inv)
{
    admission_waited(inv->waits_at);
    inv->waits_at = NULL;
}

void invocation_release(struct invocation *inv)
{
    struct invokes *invokes = inv->invokes;

    timer_stop(&inv->timer);
    async_leave(inv);
    route_wait_cancel(&inv->wait);
    invocation_leave_node(inv, PLACE_LOST);
    invocation_stop_waiting(inv);
    permit_wait_cancel(&inv->permit_wait);
    permit_return(&inv->permit);
    list_remove(&inv->node);
    if (!inv->is_abandoned)
        invokes->in_flight--;
    if (invokes->spare_len == SPARE_MAX) {
        invocation_free(inv);
        return;
    }
    inv->state = INVOKE_IDLE;
    inv->req = NULL;
    inv->is_paced = inv->is_abandoned = false;
    inv->version[0] = '\0';
    inv->tried_len = 0;
    inv->stale_pause_us = 0;
    inv->has_head = inv->streaming = false;
    inv->unconsumed = 0;
    inv->refused.code = ERR_OK;
    result_stream_clear(&inv->result_stream);
    invoke_request_clear(&inv->ask);
    buf_clear(&inv->arn);
    buf_clear(&inv->log);
    if (inv->result.cap > KEEP_MAX)
        buf_done(&inv->result);
    buf_clear(&inv->result);
    invokes->spare_len++;
    list_prepend(&invokes->spare, &inv->node);
}

/* ---- answers ---- */

static void tell_failure(struct invocation *inv, const struct error *err)
{
    if (inv->rpc)
        async_fail(inv, err);
    else if (inv->streaming)
        invoke_stream_fail(inv, err);
    else if (inv->req)
        reply_error_of(inv->req, inv->request_id, err);
}

void invocation_fail(struct invocation *inv, const struct error *err)
{
    tell_failure(inv, err);
    invocation_release(inv);
}

void invocation_fail_and_abandon(struct invocation *inv, const struct error *err)
{
    tell_failure(inv, err);
    invocation_abandon(inv);
}

void invocation_fail_with(struct invocation *inv, enum error_code code, const char *fmt, ...)
{
    struct error err;
    va_list ap;

    err.code = code;
    err.sys_errno = 0;
    va_start(ap, fmt);
    vsnprintf(err.msg, sizeof(err.msg), fmt, ap);
    va_end(ap);
    invocation_fail(inv, &err);
}

void invocation_fail_not_found(struct invocation *inv)
{
    const struct fn_name *fn = &inv->ask.fn;
    struct str qualifier = fn->qualifier.len ? fn->qualifier : STR(FN_LATEST);

    buf_clear(&inv->arn);
    fn_arn_append(&inv->arn, fn->region, fn->account, fn->name, qualifier);
    invocation_fail_with(inv, ERR_NOT_FOUND, "Function not found: %.*s", STR_ARG(buf_str(&inv->arn)));
}

void invocation_fail_throttled(struct invocation *inv, const char *reason)
{
    if (inv->rpc) {
        invocation_fail_with(inv, ERR_THROTTLED, "%s (%s)", ADMISSION_MESSAGE, reason);
        return;
    }
    reply_error(inv->req, inv->request_id, ERR_THROTTLED, STR(ADMISSION_MESSAGE), reason);
    invocation_release(inv);
}

void invocation_succeed(struct invocation *inv)
{
    struct invoke_answer answer = {
        .request_id = inv->request_id,
        .executed_version = inv->executed_version,
        .trace_id = buf_str(&inv->ask.trace_id),
        .function_error = inv->has_head && inv->outcome == INVOKE_FUNCTION_ERROR,
        .log = inv->has_head && inv->ask.wants_log_tail ? buf_str(&inv->log) : STR_NULL,
        .payload = buf_str(&inv->result),
    };
    struct buf events;

    if (inv->rpc) {
        async_succeed(inv);
        invocation_release(inv);
        return;
    }
    switch (inv->ask.kind) {
    case INVOKE_STREAM:
        if (inv->streaming) {
            invoke_stream_end(inv);
            break;
        }
        buf_init(&events, INVOKE_EVENTS_MAX);
        invoke_reply_events(inv->req, &answer, &events);
        buf_done(&events);
        break;
    case INVOKE_DRY_RUN:
        invoke_reply_dry(inv->req, &answer);
        break;
    case INVOKE_SYNC:
    case INVOKE_EVENT: /* never runs */
        invoke_reply(inv->req, &answer);
        break;
    }
    invocation_release(inv);
}
