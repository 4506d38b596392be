/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox_answer.c - the single answer of an event: at once, when its runtime has given it, or when nothing of
 * the event runs any more. See sandbox.h.
 *
 * Who has the answer takes the run for over, and may begin another in its place: a concurrency limit counts
 * runs, not answers. So an answer that is ours - a time-out, a crash with processes left, an end by
 * force - is kept until the sandbox has no process any more, or waits for an event again. Its last lines and
 * telemetry are written before: extensions that are about to end get to know them.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "invoker/sandbox_impl.h"

#define TRACE_ID_MAX 512u

/* What is left of @ev for the last lines, as it goes with on_answer. */
struct last_words {
    char id[RUNTIME_ID_MAX], trace[TRACE_ID_MAX];
    struct str request_id;
};

static void last_words(struct sandbox *sb, const struct sandbox_event *ev,
                       struct sandbox_log_ending *end, struct last_words *ret)
{
    ret->request_id = str_from(ret->id, ev->data.request_id.len);
    memcpy(ret->id, ev->data.request_id.ptr, ret->request_id.len);
    end->trace_id = str_sub(ev->data.trace_id, 0, sizeof(ret->trace));
    if (end->trace_id.len)
        memcpy(ret->trace, end->trace_id.ptr, end->trace_id.len);
    end->trace_id.ptr = ret->trace;
    end->init_us = sb->is_provisioned ? 0 : sb->init_us;
    sb->init_us = 0;
}

/*
 * The caller's answer goes out before the last lines are framed, unless it carries their tail. Both
 * happen in one call, so whoever has the answer and then reads the log finds them (invariant 9).
 */
static void answer(struct sandbox *sb, const struct sandbox_event *ev, struct sandbox_result *result,
                   struct sandbox_log_ending *end)
{
    struct last_words words;

    last_words(sb, ev, end, &words);
    if (ev->want_tail) {
        result->log_tail = sandbox_log_end(&sb->log, words.request_id, end);
        sb->host->ops->on_answer(sb, ev, result, sb->host->arg);
    } else {
        sb->host->ops->on_answer(sb, ev, result, sb->host->arg);
        (void)sandbox_log_end(&sb->log, words.request_id, end);
    }
    sandbox_log_over(&sb->log);
}

/* ---- kept */

void sandbox_kept_init(struct sandbox_kept *kept)
{
    *kept = (struct sandbox_kept){.event = NULL};
    buf_init(&kept->body, RUNTIME_BODY_MAX);
    buf_init(&kept->tail, KEPT_TAIL_MAX);
}

void sandbox_kept_done(struct sandbox_kept *kept)
{
    kept->event = NULL;
    buf_done(&kept->body);
    buf_done(&kept->tail);
}

void sandbox_answer_kept(struct sandbox *sb)
{
    struct sandbox_kept *kept = &sb->kept;
    const struct sandbox_event *ev = TAKE(kept->event);
    const struct sandbox_result result = {.outcome = kept->outcome,
                                          .refused = kept->refused,
                                          .message = str_of(kept->message),
                                          .body = buf_str(&kept->body),
                                          .error_type = str_of(kept->error_type),
                                          .log_tail = buf_str(&kept->tail)};

    if (!ev)
        return;
    sb->host->ops->on_answer(sb, ev, &result, sb->host->arg);
    sandbox_stream_over(&sb->stream);
    sandbox_kept_done(kept);
    sandbox_kept_init(kept);
}

void sandbox_answer_when_still(struct sandbox *sb, const struct sandbox_event *ev,
                               const struct sandbox_result *result, struct sandbox_log_ending *end)
{
    struct sandbox_kept *kept = &sb->kept;
    struct last_words words;
    struct str tail;

    last_words(sb, ev, end, &words);
    tail = sandbox_log_end(&sb->log, words.request_id, end);
    kept->event = ev;
    kept->outcome = result->outcome;
    kept->refused = result->refused;
    snprintf(kept->message, sizeof(kept->message), "%.*s", STR_ARG(result->message));
    snprintf(kept->error_type, sizeof(kept->error_type), "%.*s", STR_ARG(result->error_type));
    (void)buf_append_str(&kept->body, result->body); /* it came through the same limit */
    if (ev->want_tail)
        (void)buf_append_str(&kept->tail, tail);
    sandbox_log_over(&sb->log);
    if (sb->dead || !sb->launch)
        sandbox_answer_kept(sb);
}

void sandbox_on_dead(struct launch *launch, void *arg)
{
    struct sandbox *sb = arg;
    (void)launch;

    sb->dead = true;
    sandbox_answer_kept(sb);
}

/* ---- the running event is over */

static const struct sandbox_event *take_event(struct sandbox *sb, struct sandbox_log_ending *end)
{
    if (end->status != REPORT_TIMEOUT)
        end->duration_us = now_us() - sb->given_us;
    return TAKE(sb->event);
}

static void finished(struct sandbox *sb)
{
    timer_start(&sb->deadline, sandbox_time_of(sb, SANDBOX_BUSY));
    sb->host->ops->on_returning(sb, sb->host->arg);
}

void sandbox_finish(struct sandbox *sb, struct sandbox_result *result,
                    struct sandbox_log_ending *end)
{
    answer(sb, take_event(sb, end), result, end);
    sandbox_stream_over(&sb->stream);
    finished(sb);
}

void sandbox_finish_when_still(struct sandbox *sb, const struct sandbox_result *result,
                               struct sandbox_log_ending *end)
{
    sandbox_answer_when_still(sb, take_event(sb, end), result, end);
    finished(sb);
}

void sandbox_finish_with_error(struct sandbox *sb, const char *error_type, const char *text,
                               struct sandbox_log_ending *end)
{
    CLEANUP(buf_done) struct buf json = BUF_INIT(ERROR_JSON_MAX);
    struct sandbox_result result = {.outcome = INVOKE_FUNCTION_ERROR,
                                    .error_type = str_of(error_type)};

    /* short: it fits */
    (void)report_error_json(&json, error_type, sb->event->data.request_id, text);
    result.body = buf_str(&json);
    sandbox_finish_when_still(sb, &result, end);
}
