/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/sandbox.h"

#include <assert.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/proto/http1.h"
#include "invoker/sandbox_impl.h"

#define STOP_LIMIT_US SECONDS(30) /* until we complain that the engine does not remove it */
#define PROVISIONED_INIT_US SECONDS(130) /* Lambda's, unless the function's timeout is longer */
#define RETURN_LIMIT_US SECONDS(2) /* least time for a runtime to ask again after its answer */
#define SETTLE_US MSEC(2) /* for an answer that came in one breath with the exit */
#define THAW_LIMIT_US SECONDS(10) /* for an engine to let it go on */

/*
 *   CREATING ──► INIT ──► IDLE ◄──► BUSY
 *      │  │        │        │        │
 *      │  └────────┴───► STOPPING ◄──┘
 *      │                    ▼
 *      └────────────────► DEAD
 *
 * Deadlines: CREATING create_limit_us; INIT init_limit_us, its second try the function's timeout;
 * IDLE the pool's time to live; BUSY the function's timeout, then RETURN_LIMIT_US at least;
 * STOPPING STOP_LIMIT_US, again and again. BUSY without an event: the runtime or an extension has
 * not asked again yet, or the event is due once its processes go on (THAW_LIMIT_US).
 */
#define BIT(n) (1u << (n))

static const unsigned may_go_to[SANDBOX_STATE_MAX] = { /* absent = forbidden */
    [SANDBOX_CREATING] = BIT(SANDBOX_INIT) | BIT(SANDBOX_STOPPING) | BIT(SANDBOX_DEAD),
    [SANDBOX_INIT] = BIT(SANDBOX_IDLE) | BIT(SANDBOX_STOPPING),
    [SANDBOX_IDLE] = BIT(SANDBOX_BUSY) | BIT(SANDBOX_STOPPING),
    [SANDBOX_BUSY] = BIT(SANDBOX_IDLE) | BIT(SANDBOX_STOPPING),
    [SANDBOX_STOPPING] = BIT(SANDBOX_DEAD),
};

static const char *const state_names[SANDBOX_STATE_MAX] = {
    [SANDBOX_CREATING] = "creating", [SANDBOX_INIT] = "init",         [SANDBOX_IDLE] = "idle",
    [SANDBOX_BUSY] = "busy",         [SANDBOX_STOPPING] = "stopping", [SANDBOX_DEAD] = "dead",
};

bool sandbox_may_go(enum sandbox_state from, enum sandbox_state to)
{
    return may_go_to[from] & BIT(to);
}

enum sandbox_state sandbox_state(const struct sandbox *sb)
{
    return sb->state;
}

bool sandbox_has_event(const struct sandbox *sb)
{
    return sb->event || sb->kept.event;
}

struct ready_version *sandbox_version(const struct sandbox *sb)
{
    return sb->ver;
}

struct sandbox *sandbox_next(const struct sandbox_host *host, const struct sandbox *sb)
{
    const struct list_node *node = sb ? sb->node.next : host->sandboxes.next;

    return node == &host->sandboxes ? NULL : CONTAINER_OF(node, struct sandbox, node);
}

bool sandbox_is_outdated(const struct sandbox *sb, uint64_t now_s, uint64_t newest_s)
{
    return sb->credentials_end_s && now_s >= sb->outdated_s && newest_s > sb->credentials_end_s;
}

const char *sandbox_id(const struct sandbox *sb)
{
    return sb->id;
}

struct pool_sandbox *sandbox_pool(struct sandbox *sb)
{
    return &sb->ps;
}

struct sandbox *sandbox_of_pool(struct pool_sandbox *ps)
{
    return CONTAINER_OF(ps, struct sandbox, ps);
}

/* ---- states */

uint64_t sandbox_time_of(const struct sandbox *sb, enum sandbox_state state)
{
    uint64_t timeout_us = SECONDS(ready_version_spec(sb->ver)->timeout_s), now, due;

    switch (state) {
    case SANDBOX_CREATING:
        return sb->host->create_limit_us;
    case SANDBOX_INIT:
        if (sb->is_provisioned)
            return timeout_us > PROVISIONED_INIT_US ? timeout_us : PROVISIONED_INIT_US;
        return sb->slow ? timeout_us : sb->host->init_limit_us;
    case SANDBOX_BUSY:
        if (sb->due)
            return THAW_LIMIT_US;
        now = now_us();
        due = sb->given_us + sb->budget_us;
        if (sb->event)
            return due > now + MSEC(1) ? due - now : MSEC(1);
        /* what is left of its time, for code behind the answer */
        return due > now + RETURN_LIMIT_US ? due - now : RETURN_LIMIT_US;
    case SANDBOX_STOPPING:
        return STOP_LIMIT_US;
    case SANDBOX_IDLE:
    case SANDBOX_DEAD:
    case SANDBOX_STATE_MAX:
        break;
    }
    return 0;
}

void sandbox_set_state(struct sandbox *sb, enum sandbox_state state, const char *cause)
{
    uint64_t time_us;

    assert(sandbox_may_go(sb->state, state));
    log_debug("sandbox", "state", KV_STR("sandbox", sb->id), KV_STR("from", state_names[sb->state]),
              KV_STR("to", state_names[state]), KV_STR("cause", cause));
    (void)sandbox_thaw(sb);
    sb->state = state;
    if (state == SANDBOX_IDLE)
        sandbox_freeze_later(sb);
    time_us = sandbox_time_of(sb, state);
    if (time_us)
        timer_start(&sb->deadline, time_us);
    else
        timer_stop(&sb->deadline);
}

bool sandbox_has_ended(const struct sandbox *sb)
{
    return sb->state == SANDBOX_STOPPING || sb->state == SANDBOX_DEAD;
}

void sandbox_timed_out_text(const struct sandbox *sb, char *ret, size_t size)
{
    snprintf(ret, size, "Task timed out after %" PRIu32 ".00 seconds",
             ready_version_spec(sb->ver)->timeout_s);
}

/* ---- the runtime speaks */

static void init_done(struct sandbox *sb)
{
    sb->init_us = now_us() - sb->init_began_us;
    log_info("sandbox", "ready", KV_STR("sandbox", sb->id),
             KV_STR("function", ready_version_spec(sb->ver)->name),
             KV_U64("init_us", sb->init_us));
    closep(&sb->listener);
    sandbox_extensions_init_done(sb);
}

void sandbox_try_ready(struct sandbox *sb)
{
    if ((sb->state != SANDBOX_INIT && sb->state != SANDBOX_BUSY) || sb->event || sb->due || sb->failed ||
        timer_is_armed(&sb->settle) || !runtime_face_is_waiting(sb->face) ||
        !extension_api_is_ready(extension_face_api(sb->extensions)))
        return;
    if (sb->state == SANDBOX_INIT) {
        init_done(sb);
        if (sb->launch)
            launch_settled(sb->launch);
    }
    sandbox_set_state(sb, SANDBOX_IDLE, "next");
    sandbox_answer_kept(sb);
    sb->host->ops->on_ready(sb, sb->host->arg);
}

static void on_waiting(void *arg)
{
    struct sandbox *sb = arg;

    extension_face_api(sb->extensions)->registration_closed = true;
    sandbox_try_ready(sb);
}

void sandbox_not_ready(struct sandbox *sb, const char *cause)
{
    if (sb->state != SANDBOX_IDLE)
        return;
    sb->given_us = sb->budget_us = 0;
    sandbox_set_state(sb, SANDBOX_BUSY, cause);
    sb->host->ops->on_returning(sb, sb->host->arg);
}

static void on_left(void *arg)
{
    sandbox_not_ready(arg, "the runtime's connection is gone");
}

static bool on_other(struct http_req *req, void *arg)
{
    struct sandbox *sb = arg;

    return !sb->restarting && extension_face_request(sb->extensions, req);
}

static bool on_other_left(struct http_req *req, void *arg)
{
    struct sandbox *sb = arg;

    return extension_face_abort(sb->extensions, req);
}

/*
 * An answer of the runtime that is not the function's: too large, or of an unknown kind. @is_over: its
 * function has returned; one that streams may go on.
 */
static void on_unusable_answer(struct sandbox *sb, const char *error_type, const char *text, bool is_over)
{
    CLEANUP(buf_done) struct buf json = BUF_INIT(ERROR_JSON_MAX);
    struct sandbox_result result = {.outcome = INVOKE_FUNCTION_ERROR,
                                    .error_type = str_of(error_type)};
    struct sandbox_log_ending end = {.status = REPORT_ERROR, .error_type = error_type};

    (void)report_plain_error_json(&json, error_type, text);
    result.body = buf_str(&json);
    if (is_over)
        sandbox_finish(sb, &result, &end);
    else
        sandbox_finish_when_still(sb, &result, &end);
}

static void on_too_large(struct sandbox *sb, uint64_t limit, bool is_over)
{
    char text[128];

    snprintf(text, sizeof(text),
             "Response payload size exceeded maximum allowed payload size (%" PRIu64 " bytes).",
             limit);
    on_unusable_answer(sb, "Function.ResponseSizeTooLarge", text, is_over);
}

static void on_truncated(struct sandbox *sb)
{
    struct sandbox_log_ending end = {.status = REPORT_ERROR,
                                     .error_type = "Runtime.TruncatedResponse"};

    sandbox_finish_with_error(sb, "Runtime.TruncatedResponse", "The runtime's response broke off", &end);
}

static void on_answer(enum runtime_event event, struct str body, struct str error_type, void *arg)
{
    struct sandbox *sb = arg;
    struct sandbox_result result = {.outcome = INVOKE_OK, .body = body};
    struct sandbox_log_ending end = {.status = REPORT_OK};
    char type[64];

    if (sandbox_has_ended(sb) || (event != RUNTIME_INIT_FAILED && !sb->event))
        return;
    switch (event) {
    case RUNTIME_ANSWERED:
        end.produced_bytes = body.len;
        sandbox_finish(sb, &result, &end);
        break;
    case RUNTIME_FAILED:
        report_error_type(error_type, type, sizeof(type));
        result.outcome = INVOKE_FUNCTION_ERROR;
        end.status = REPORT_ERROR;
        end.error_type = type;
        end.produced_bytes = body.len;
        sandbox_finish(sb, &result, &end);
        break;
    case RUNTIME_INIT_FAILED:
        report_error_type(error_type, type, sizeof(type));
        if (!body.ptr)
            body = STR("");
        sandbox_start_failed_in_function(sb, type, type, body, NULL);
        break;
    case RUNTIME_ANSWER_TOO_LARGE:
        on_too_large(sb, RUNTIME_BODY_MAX, true);
        break;
    case RUNTIME_ANSWER_TRUNCATED:
        on_truncated(sb);
        break;
    case RUNTIME_ANSWER_UNKNOWN_MODE:
        on_unusable_answer(sb, "Runtime.InvalidResponseModeHeader",
                           "Invalid function response mode header", true);
        break;
    case RUNTIME_DENIED:
    case RUNTIME_NEXT:
    case RUNTIME_REPEAT:
        break;
    }
}

static void on_stream(struct str bytes, void *arg)
{
    struct sandbox *sb = arg;
    const struct sandbox_event *ev = sb->event;

    if (sandbox_has_ended(sb) || !ev)
        return;
    if (bytes.len == 0)
        sandbox_stream_begin(&sb->stream,
                             ev->data.wants_stream ? sb->host->stream_limit : RUNTIME_BODY_MAX,
                             !ev->data.wants_stream);
    if (sandbox_stream_take(&sb->stream, bytes) < 0) {
        runtime_face_refuse_stream(sb->face);
        on_too_large(sb, sb->stream.limit, false);
    } else if (ev->data.wants_stream) {
        sb->host->ops->on_stream(sb, ev, bytes, sb->host->arg);
    }
}

static void on_stream_end(struct str error_type, struct str error, void *arg)
{
    struct sandbox *sb = arg;
    CLEANUP(buf_done) struct buf json = BUF_INIT(HTTP1_TRAILERS_MAX);
    struct sandbox_result result = {.outcome = INVOKE_OK, .body = buf_str(&sb->stream.gathered)};
    struct sandbox_log_ending end = {.status = REPORT_OK};
    char type[64];

    if (sandbox_has_ended(sb) || !sb->event)
        return;
    if (error_type.len > 0 || error.len > 0) {
        report_error_type(error_type, type, sizeof(type));
        sandbox_stream_error(&json, type, error);
        result.outcome = INVOKE_FUNCTION_ERROR;
        result.error_type = error_type;
        result.body = buf_str(&json);
        end.status = REPORT_ERROR;
        end.error_type = type;
    }
    end.produced_bytes = sb->stream.bytes;
    sandbox_finish(sb, &result, &end);
}

const struct runtime_face_ops sandbox_face_ops = {.on_waiting = on_waiting,
                                                  .on_left = on_left,
                                                  .on_answer = on_answer,
                                                  .on_stream = on_stream,
                                                  .on_stream_end = on_stream_end,
                                                  .on_other = on_other,
                                                  .on_other_left = on_other_left};

/* ---- the runtime ends */

void sandbox_runtime_settled(struct sandbox *sb)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(128);
    const char *report_type = sb->exit_oom ? "Runtime.OutOfMemory" : "Runtime.ExitError";
    struct sandbox_log_ending end = {.status = REPORT_ERROR,
                                     .error_type = report_type,
                                     .platform_type = "Runtime.ExitError"};

    if (sandbox_has_ended(sb))
        return;
    (void)report_exit_text(&text, sb->exit_status);
    (void)buf_append_char(&text, '\0');
    if (sb->state == SANDBOX_INIT) {
        sandbox_start_failed_in_function(sb, "Runtime.ExitError", report_type, STR_NULL, text.ptr);
        return;
    }
    if (sb->event) {
        end.platform_text = text.ptr;
        sandbox_finish_with_error(sb, "Runtime.ExitError", text.ptr, &end);
    }
    sandbox_end(sb, SANDBOX_FAILURE, "the runtime has ended");
}

/* What the sandbox's sockets held when it ended has been read by now. */
static void on_settled(void *arg)
{
    sandbox_runtime_settled(arg);
}

void sandbox_runtime_ended(struct sandbox *sb, int status, bool oom)
{
    sb->runtime_runs = false;
    if (sandbox_has_ended(sb))
        sandbox_shutdown_exited(sb);
    if (sandbox_has_ended(sb) || timer_is_armed(&sb->settle))
        return;
    sb->exit_status = status;
    sb->exit_oom = oom && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    if (sb->state == SANDBOX_IDLE) { /* nothing to wait for; and nobody may get it now */
        sandbox_end(sb, SANDBOX_FAILURE, "the runtime has ended");
        return;
    }
    timer_start(&sb->settle, SETTLE_US);
}

/* ---- deadlines */

static void on_deadline(void *arg)
{
    struct sandbox *sb = arg;
    struct sandbox_failure failure = {.kind = SANDBOX_FAILED_INIT_TIMEOUT};
    struct sandbox_log_ending end = {.status = REPORT_TIMEOUT,
                                     .duration_us = SECONDS(ready_version_spec(sb->ver)->timeout_s)};
    struct error err;
    char text[64];

    switch (sb->state) {
    case SANDBOX_CREATING:
        error_set(&err, ERR_TIMEOUT, "the engine did not create the sandbox in time");
        sandbox_start_failed_in_node(sb, SANDBOX_FAILED_NODE, &err);
        break;
    case SANDBOX_INIT:
        failure.text = "the init phase took too long";
        failure.init_us = now_us() - sb->init_began_us;
        sandbox_start_failed(sb, &failure);
        break;
    case SANDBOX_BUSY:
        if (sb->due) {
            sandbox_end(sb, SANDBOX_FAILURE, "its processes did not go on in time");
        } else if (sb->event) {
            sandbox_timed_out_text(sb, text, sizeof(text));
            sandbox_finish_with_error(sb, "Sandbox.Timedout", text, &end);
            sandbox_end(sb, SANDBOX_TIMEOUT, "the function timed out");
        } else {
            sandbox_end(sb, SANDBOX_TIMEOUT, "the runtime or an extension does not ask for more");
        }
        break;
    case SANDBOX_STOPPING:
        log_error("sandbox", "still not removed by the engine", KV_STR("sandbox", sb->id));
        if (sb->launch)
            launch_end(sb->launch);
        timer_start(&sb->deadline, STOP_LIMIT_US);
        break;
    case SANDBOX_IDLE:
    case SANDBOX_DEAD:
    case SANDBOX_STATE_MAX:
        break;
    }
}

void sandbox_init_timers(struct sandbox *sb)
{
    timer_init(&sb->deadline, sb->host->loop, on_deadline, sb);
    timer_init(&sb->settle, sb->host->loop, on_settled, sb);
    sandbox_freeze_init(sb);
    timer_start(&sb->deadline, sandbox_time_of(sb, SANDBOX_CREATING));
}

/* ---- public */

static void give(struct sandbox *sb, const struct sandbox_event *ev)
{
    struct extension_invoke invoke = {ev->data.request_id, ev->data.invoked_arn, ev->data.trace_id,
                                      0};

    sb->event = ev;
    sb->given_us = now_us();
    sb->budget_us = SECONDS(ready_version_spec(sb->ver)->timeout_s);
    if (sb->slow) { /* of the first event only: afterwards there is no init_us */
        sb->given_us -= sb->init_us;
        sb->init_us = 0;
    }
    timer_start(&sb->deadline, sandbox_time_of(sb, SANDBOX_BUSY));
    invoke.deadline_ms = wall_ms() + sandbox_time_of(sb, SANDBOX_BUSY) / 1000;
    extension_face_invoke(sb->extensions, &invoke);
    runtime_face_give(sb->face, &ev->data, invoke.deadline_ms);
}

static int begin_log(struct sandbox *sb, const struct sandbox_event *ev)
{
    return sandbox_log_begin(&sb->log, ev->data.request_id, ev->data.trace_id, ev->want_tail);
}

void sandbox_give_due(struct sandbox *sb)
{
    const struct sandbox_event *ev = sb->due;

    if (!runtime_face_is_waiting(sb->face) ||
        !extension_api_is_ready(extension_face_api(sb->extensions))) {
        sandbox_end(sb, SANDBOX_FAILURE, "it does not wait for an event any more");
        return;
    }
    sb->due = NULL;
    if (begin_log(sb, ev) == 0) {
        give(sb, ev);
    } else {
        sb->host->ops->on_not_run(sb, ev, sb->host->arg);
        sandbox_try_ready(sb);
    }
}

int sandbox_run(struct sandbox *sb, const struct sandbox_event *ev)
{
    int r = sandbox_thaw(sb);

    assert(sb->state == SANDBOX_IDLE && !sb->due && runtime_face_is_waiting(sb->face));
    if (r == 0 && begin_log(sb, ev) < 0) {
        sandbox_freeze_later(sb);
        return -ERR_UNAVAILABLE;
    }
    if (r != 0)
        sb->due = ev;
    sandbox_set_state(sb, SANDBOX_BUSY, "event");
    if (r == 0)
        give(sb, ev);
    else if (r < 0)
        sandbox_end(sb, SANDBOX_FAILURE, "it was ended while it was frozen");
    return 0;
}

void sandbox_hold(struct sandbox *sb, bool on)
{
    runtime_face_hold(sb->face, on);
}
