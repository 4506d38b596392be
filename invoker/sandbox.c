/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/sandbox.h"

#include <assert.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/base/log.h"
#include "common/proto/http1.h"
#include "invoker/sandbox_log.h"
#include "invoker/sandbox_stream.h"

#define STOP_LIMIT_US SECONDS(30) /* until we complain that the engine does not remove it */
#define RETURN_LIMIT_US SECONDS(2) /* least time for a runtime to ask again after its answer */
#define SETTLE_US MSEC(2) /* for an answer that came in one breath with the exit */
#define ERROR_JSON_MAX 32768u

/*
 *   CREATING ──► INIT ──► IDLE ◄──► BUSY
 *      │  │        │        │        │
 *      │  └────────┴───► STOPPING ◄──┘
 *      │                    ▼
 *      └────────────────► DEAD
 *
 * Deadlines: CREATING create_limit_us; INIT init_limit_us (or the function's timeout, see slow);
 * IDLE the pool's time to live; BUSY the function's timeout, then RETURN_LIMIT_US at least;
 * STOPPING STOP_LIMIT_US, again and again. BUSY without an event: the runtime has not asked again
 * yet.
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

struct sandbox {
    struct sandbox_host *host;
    struct ready_version *ver;
    struct list_node node; /* in host->sandboxes */
    struct pool_sandbox ps;
    char id[33];
    char log_stream[LOGS_STREAM_NAME_MAX];
    enum sandbox_state state;
    struct timer deadline; /* of the state */
    struct timer settle; /* the runtime has ended: what it sent before is read first */

    struct launch *launch; /* NULL: not begun, or gone */
    struct runtime_face *face; /* from on_created on */
    struct sandbox_log log; /* open from then on */

    const struct sandbox_event *event; /* runs */
    struct sandbox_stream stream; /* its answer, when that is streamed */
    uint64_t given_us; /* when the event was given */
    uint64_t budget_us; /* its time */
    bool slow; /* see sandbox_start() */
    uint64_t init_began_us;
    uint64_t init_us; /* for the first REPORT, then 0 */

    int exit_status; /* as wait(2) gives it, while settle is armed */
    bool exit_oom;
    struct error start_error; /* of launch_start() itself */
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
    return sb->event != NULL;
}

struct ready_version *sandbox_version(const struct sandbox *sb)
{
    return sb->ver;
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

static uint64_t time_of(const struct sandbox *sb, enum sandbox_state state)
{
    uint64_t timeout_us = SECONDS(ready_version_spec(sb->ver)->timeout_s), now, due;

    switch (state) {
    case SANDBOX_CREATING:
        return sb->host->create_limit_us;
    case SANDBOX_INIT:
        return sb->slow ? timeout_us : sb->host->init_limit_us;
    case SANDBOX_BUSY:
        if (sb->event)
            return sb->budget_us;
        now = now_us(); /* what is left of its time, for code behind the answer */
        due = sb->given_us + sb->budget_us;
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

/* The only writer of sb->state. */
static void set_state(struct sandbox *sb, enum sandbox_state state, const char *cause)
{
    uint64_t time_us;

    assert(sandbox_may_go(sb->state, state));
    log_debug("sandbox", "state", KV_STR("sandbox", sb->id), KV_STR("from", state_names[sb->state]),
              KV_STR("to", state_names[state]), KV_STR("cause", cause));
    sb->state = state;
    time_us = time_of(sb, state);
    if (time_us)
        timer_start(&sb->deadline, time_us);
    else
        timer_stop(&sb->deadline);
}

static bool has_ended(const struct sandbox *sb)
{
    return sb->state == SANDBOX_STOPPING || sb->state == SANDBOX_DEAD;
}

/* ---- the single answer of an event */

/*
 * The caller's answer goes out before the last lines are framed, unless it carries their tail. Both
 * happen in one call, so whoever has the answer and then reads the log finds them (invariant 9).
 */
static void answer(struct sandbox *sb, const struct sandbox_event *ev,
                   struct sandbox_result *result, struct sandbox_log_ending *end)
{
    char id[RUNTIME_ID_MAX];
    struct str request_id = {id, ev->data.request_id.len};

    memcpy(id, ev->data.request_id.ptr, request_id.len); /* @ev goes with on_answer */
    end->init_us = sb->init_us;
    sb->init_us = 0;
    if (ev->want_tail) {
        result->log_tail = sandbox_log_end(&sb->log, request_id, end);
        sb->host->ops->on_answer(sb, ev, result, sb->host->arg);
    } else {
        sb->host->ops->on_answer(sb, ev, result, sb->host->arg);
        (void)sandbox_log_end(&sb->log, request_id, end);
    }
    sandbox_log_over(&sb->log);
}

/* The runtime answered, or the platform in its place: the event is over, the sandbox lives on. */
static void finish(struct sandbox *sb, struct sandbox_result *result,
                   struct sandbox_log_ending *end)
{
    const struct sandbox_event *ev = TAKE(sb->event);

    if (end->status != REPORT_TIMEOUT)
        end->duration_us = now_us() - sb->given_us;
    answer(sb, ev, result, end);
    sandbox_stream_over(&sb->stream);
    timer_start(&sb->deadline, time_of(sb, SANDBOX_BUSY));
    sb->host->ops->on_returning(sb, sb->host->arg);
}

/* As finish() for an error that we found: makes the JSON that the caller gets. */
static void finish_with_error(struct sandbox *sb, const char *error_type, const char *text,
                              struct sandbox_log_ending *end)
{
    CLEANUP(buf_done) struct buf json = BUF_INIT(ERROR_JSON_MAX);
    struct sandbox_result result = {.outcome = INVOKE_FUNCTION_ERROR,
                                    .error_type = str_of(error_type)};

    /* short: it fits */
    (void)report_error_json(&json, error_type, sb->event->data.request_id, text);
    result.body = buf_str(&json);
    finish(sb, &result, end);
}

static void timed_out_text(const struct sandbox *sb, char *ret, size_t size)
{
    snprintf(ret, size, "Task timed out after %" PRIu32 ".00 seconds",
             ready_version_spec(sb->ver)->timeout_s);
}

/* ---- failed starts */

static void start_failed(struct sandbox *sb, const struct sandbox_failure *failure)
{
    log_info("sandbox", "start failed", KV_STR("sandbox", sb->id),
             KV_STR("function", ready_version_spec(sb->ver)->name),
             KV_STR("error", failure->text ? failure->text : failure->err.msg));
    if (sandbox_log_is_open(&sb->log))
        sandbox_log_init_report(
            &sb->log, failure->init_us, sb->slow ? "invoke" : "init",
            failure->kind == SANDBOX_FAILED_INIT_TIMEOUT ? REPORT_TIMEOUT : REPORT_ERROR,
            failure->report_type ? failure->report_type : "Sandbox.Failure");
    sb->host->ops->on_start_failed(sb, failure, sb->host->arg);
    sandbox_stop(sb, "start failed");
}

static void start_failed_in_function(struct sandbox *sb, const char *error_type,
                                     const char *report_type, struct str body, const char *text)
{
    struct sandbox_failure failure = {.kind = SANDBOX_FAILED_FUNCTION,
                                      .body = body,
                                      .text = text,
                                      .error_type = error_type,
                                      .report_type = report_type,
                                      .init_us = now_us() - sb->init_began_us};

    start_failed(sb, &failure);
}

static void start_failed_in_node(struct sandbox *sb, enum sandbox_failure_kind kind,
                                 const struct error *err)
{
    struct sandbox_failure failure = {.kind = kind, .err = *err};

    start_failed(sb, &failure);
}

static void charge_refused(struct sandbox *sb, const struct sandbox_event *ev, enum error_code code,
                           const char *message)
{
    struct sandbox_result result = {
        .outcome = INVOKE_REFUSED, .refused = code, .message = str_of(message)};

    sb->host->ops->on_answer(sb, ev, &result, sb->host->arg);
}

void sandbox_charge(struct sandbox *sb, const struct sandbox_event *ev,
                    const struct sandbox_failure *failure)
{
    CLEANUP(buf_done) struct buf json = BUF_INIT(ERROR_JSON_MAX);
    struct sandbox_result result = {.outcome = INVOKE_FUNCTION_ERROR};
    struct sandbox_log_ending end = {.status = REPORT_ERROR,
                         .error_type = failure->report_type,
                         .platform_type = failure->error_type,
                         .platform_text = failure->text,
                         .duration_us = failure->init_us};
    char text[64];

    if (failure->kind == SANDBOX_FAILED_NODE || failure->kind == SANDBOX_FAILED_NO_IMAGE ||
        !sandbox_log_is_open(&sb->log)) {
        charge_refused(sb, ev, failure->err.code, failure->err.msg);
        return;
    }
    if (sandbox_log_begin(&sb->log, ev->data.request_id, ev->want_tail) < 0) {
        charge_refused(sb, ev, ERR_UNAVAILABLE, "the node cannot keep the function's output now");
        return;
    }
    sandbox_log_tail_add_init(&sb->log);
    if (failure->kind == SANDBOX_FAILED_INIT_TIMEOUT) {
        timed_out_text(sb, text, sizeof(text));
        end.status = REPORT_TIMEOUT;
        end.duration_us = SECONDS(ready_version_spec(sb->ver)->timeout_s);
        (void)report_error_json(&json, "Sandbox.Timedout", ev->data.request_id, text);
    } else if (!failure->body.ptr) {
        (void)report_error_json(&json, failure->error_type, ev->data.request_id, failure->text);
    }
    result.body = failure->body.ptr ? failure->body : buf_str(&json);
    answer(sb, ev, &result, &end);
}

/* ---- the runtime speaks */

static void on_waiting(void *arg)
{
    struct sandbox *sb = arg;

    if (has_ended(sb) || timer_is_armed(&sb->settle))
        return;
    if (sb->state == SANDBOX_INIT) {
        sb->init_us = now_us() - sb->init_began_us;
        log_info("sandbox", "ready", KV_STR("sandbox", sb->id),
                 KV_STR("function", ready_version_spec(sb->ver)->name),
                 KV_U64("init_us", sb->init_us));
        if (sb->launch)
            launch_settled(sb->launch);
    }
    set_state(sb, SANDBOX_IDLE, "next");
    sb->host->ops->on_ready(sb, sb->host->arg);
}

static void on_left(void *arg)
{
    struct sandbox *sb = arg;

    if (sb->state != SANDBOX_IDLE)
        return;
    sb->given_us = sb->budget_us = 0;
    set_state(sb, SANDBOX_BUSY, "the runtime's connection is gone");
    sb->host->ops->on_returning(sb, sb->host->arg);
}

/* An answer of the runtime that is not the function's: too large, or of an unknown kind. */
static void on_unusable_answer(struct sandbox *sb, const char *error_type, const char *text)
{
    CLEANUP(buf_done) struct buf json = BUF_INIT(ERROR_JSON_MAX);
    struct sandbox_result result = {.outcome = INVOKE_FUNCTION_ERROR,
                                    .error_type = str_of(error_type)};
    struct sandbox_log_ending end = {.status = REPORT_ERROR, .error_type = error_type};

    (void)report_plain_error_json(&json, error_type, text);
    result.body = buf_str(&json);
    finish(sb, &result, &end);
}

static void on_too_large(struct sandbox *sb, uint64_t limit)
{
    char text[128];

    snprintf(text, sizeof(text),
             "Response payload size exceeded maximum allowed payload size (%" PRIu64 " bytes).",
             limit);
    on_unusable_answer(sb, "Function.ResponseSizeTooLarge", text);
}

static void on_truncated(struct sandbox *sb)
{
    struct sandbox_log_ending end = {.status = REPORT_ERROR,
                                     .error_type = "Runtime.TruncatedResponse"};

    finish_with_error(sb, "Runtime.TruncatedResponse", "The runtime's response broke off", &end);
}

static void on_answer(enum runtime_event event, struct str body, struct str error_type, void *arg)
{
    struct sandbox *sb = arg;
    struct sandbox_result result = {.outcome = INVOKE_OK, .body = body};
    struct sandbox_log_ending end = {.status = REPORT_OK};
    char type[64];

    if (has_ended(sb) || (event != RUNTIME_INIT_FAILED && !sb->event))
        return;
    switch (event) {
    case RUNTIME_ANSWERED:
        finish(sb, &result, &end);
        break;
    case RUNTIME_FAILED:
        report_error_type(error_type, type, sizeof(type));
        result.outcome = INVOKE_FUNCTION_ERROR;
        end.status = REPORT_ERROR;
        end.error_type = type;
        finish(sb, &result, &end);
        break;
    case RUNTIME_INIT_FAILED:
        report_error_type(error_type, type, sizeof(type));
        if (!body.ptr)
            body = STR("");
        start_failed_in_function(sb, type, type, body, NULL);
        break;
    case RUNTIME_ANSWER_TOO_LARGE:
        on_too_large(sb, RUNTIME_BODY_MAX);
        break;
    case RUNTIME_ANSWER_TRUNCATED:
        on_truncated(sb);
        break;
    case RUNTIME_ANSWER_UNKNOWN_MODE:
        on_unusable_answer(sb, "Runtime.InvalidResponseModeHeader",
                           "Invalid function response mode header");
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

    if (has_ended(sb) || !ev)
        return;
    if (bytes.len == 0)
        sandbox_stream_begin(&sb->stream,
                             ev->want_stream ? sb->host->stream_limit : RUNTIME_BODY_MAX,
                             !ev->want_stream);
    if (sandbox_stream_take(&sb->stream, bytes) < 0) {
        runtime_face_refuse_stream(sb->face);
        on_too_large(sb, sb->stream.limit);
    } else if (ev->want_stream) {
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

    if (has_ended(sb) || !sb->event)
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
    finish(sb, &result, &end);
}

static const struct runtime_face_ops face_ops = {.on_waiting = on_waiting,
                                                 .on_left = on_left,
                                                 .on_answer = on_answer,
                                                 .on_stream = on_stream,
                                                 .on_stream_end = on_stream_end};

/* ---- the runtime ends */

/* What the sandbox's sockets held when it ended has been read by now. */
static void on_settled(void *arg)
{
    struct sandbox *sb = arg;
    CLEANUP(buf_done) struct buf text = BUF_INIT(128);
    const char *report_type = sb->exit_oom ? "Runtime.OutOfMemory" : "Runtime.ExitError";
    struct sandbox_log_ending end = {.status = REPORT_ERROR,
                         .error_type = report_type,
                         .platform_type = "Runtime.ExitError"};

    if (has_ended(sb))
        return;
    (void)report_exit_text(&text, sb->exit_status);
    (void)buf_append_char(&text, '\0');
    if (sb->state == SANDBOX_INIT) {
        start_failed_in_function(sb, "Runtime.ExitError", report_type, STR_NULL, text.ptr);
        return;
    }
    if (sb->event) {
        end.platform_text = text.ptr;
        finish_with_error(sb, "Runtime.ExitError", text.ptr, &end);
    }
    sandbox_stop(sb, "the runtime has ended");
}

static void runtime_ended(struct sandbox *sb, int status, bool oom)
{
    if (has_ended(sb) || timer_is_armed(&sb->settle))
        return;
    sb->exit_status = status;
    sb->exit_oom = oom && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    if (sb->state == SANDBOX_IDLE) { /* nothing to wait for; and nobody may get it now */
        sandbox_stop(sb, "the runtime has ended");
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
        start_failed_in_node(sb, SANDBOX_FAILED_NODE, &err);
        break;
    case SANDBOX_INIT:
        failure.text = "the init phase took too long";
        failure.init_us = now_us() - sb->init_began_us;
        start_failed(sb, &failure);
        break;
    case SANDBOX_BUSY:
        if (sb->event) {
            timed_out_text(sb, text, sizeof(text));
            finish_with_error(sb, "Sandbox.Timedout", text, &end);
            sandbox_stop(sb, "the function timed out");
        } else {
            sandbox_stop(sb, "the runtime does not ask for more");
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

/* ---- the launcher speaks */

static void close_fds(const struct launch_fds *fds)
{
    const int all[] = {fds->listener, fds->stdout_fd, fds->stderr_fd, fds->memory_usage,
                       fds->memory_events};
    size_t i;

    for (i = 0; i < ARRAY_LEN(all); i++)
        if (all[i] >= 0)
            close(all[i]);
}

static void on_launch_ready(struct launch *launch, const struct launch_fds *fds,
                            const struct launch_times *times, void *arg)
{
    struct sandbox *sb = arg;
    struct error err;

    if (sb->state != SANDBOX_CREATING) {
        close_fds(fds);
        return;
    }
    log_debug("sandbox", "created", KV_STR("sandbox", sb->id), KV_U64("total_us", times->total_us),
              KV_U64("create_us", times->create_us), KV_U64("start_us", times->start_us));
    sandbox_log_open(&sb->log, sb->host->logs, ready_version_spec(sb->ver), sb->id, sb->log_stream,
                     fds);
    if (runtime_face_new(sb->host->loop, fds->listener, &face_ops, sb, &sb->face, &err) < 0) {
        start_failed_in_node(sb, SANDBOX_FAILED_NODE, &err);
        return;
    }
    sb->init_began_us = now_us();
    set_state(sb, SANDBOX_INIT, "created");
    launch_run(launch);
    sb->host->ops->on_created(sb, sb->host->arg);
}

static void on_launch_exited(struct launch *launch, const struct launch_exit *how, void *arg)
{
    (void)launch;
    runtime_ended(arg, how->status, how->oom_kills > 0);
}

static void start_failed_to_run(struct sandbox *sb, const char *error_type, struct buf *text)
{
    (void)buf_append_char(text, '\0');
    start_failed_in_function(sb, error_type, error_type, STR_NULL, text->ptr);
}

static void on_launch_failed(struct launch *launch, enum launch_failure why,
                             const struct error *err, void *arg)
{
    struct sandbox *sb = arg;
    CLEANUP(buf_done) struct buf text = BUF_INIT(ERROR_JSON_MAX);
    (void)launch;

    if (has_ended(sb))
        return;
    switch (why) {
    case LAUNCH_FAILED_ENTRYPOINT:
        (void)report_exec_text(&text, ready_version_program(sb->ver), err->sys_errno);
        start_failed_to_run(sb, "Runtime.InvalidEntrypoint", &text);
        return;
    case LAUNCH_FAILED_WORKDIR:
        (void)report_chdir_text(&text, ready_version_folder(sb->ver), err->sys_errno);
        start_failed_to_run(sb, "Runtime.InvalidWorkingDir", &text);
        return;
    case LAUNCH_FAILED_DIED:
        if (sb->state == SANDBOX_CREATING)
            break;
        runtime_ended(sb, SIGKILL, sandbox_log_has_oom_kills(&sb->log));
        return;
    case LAUNCH_FAILED_NO_IMAGE:
        start_failed_in_node(sb, SANDBOX_FAILED_NO_IMAGE, err);
        return;
    case LAUNCH_FAILED_ENGINE:
    case LAUNCH_FAILED_TIMEOUT:
        break;
    }
    if (sb->state == SANDBOX_CREATING || sb->state == SANDBOX_INIT)
        start_failed_in_node(sb, SANDBOX_FAILED_NODE, err);
    else
        runtime_ended(sb, SIGKILL, false);
}

static void sandbox_free(struct sandbox *sb)
{
    list_remove(&sb->node);
    timer_stop(&sb->deadline);
    timer_stop(&sb->settle);
    runtime_face_free(sb->face);
    sandbox_log_close(&sb->log);
    sandbox_stream_over(&sb->stream);
    ready_version_unref(sb->ver);
    free(sb);
}

static void gone(struct sandbox *sb)
{
    if (!has_ended(sb))
        sandbox_stop(sb, "gone");
    set_state(sb, SANDBOX_DEAD, "gone");
    sb->host->ops->on_gone(sb, sb->host->arg);
    sandbox_free(sb);
}

static void on_launch_gone(struct launch *launch, void *arg)
{
    struct sandbox *sb = arg;
    (void)launch;

    sb->launch = NULL;
    if (!timer_is_armed(&sb->settle))
        sb->exit_status = SIGKILL;
    timer_stop(&sb->settle);
    if (!has_ended(sb)) { /* without on_failed or on_exited, or before their settling */
        if (sb->state == SANDBOX_CREATING)
            start_failed_in_node(
                sb, SANDBOX_FAILED_NODE,
                &(struct error){.code = ERR_INTERNAL, .msg = "the sandbox vanished"});
        else
            on_settled(sb);
    }
    gone(sb);
}

static const struct launch_handler launch_handler = {.on_ready = on_launch_ready,
                                                     .on_exited = on_launch_exited,
                                                     .on_failed = on_launch_failed,
                                                     .on_gone = on_launch_gone};

/* ---- public */

void sandbox_host_init(struct sandbox_host *host)
{
    list_init(&host->sandboxes);
    host->next_number = 0;
}

void sandbox_host_done(struct sandbox_host *host)
{
    struct list_node *node, *after;
    struct sandbox *sb;

    LIST_FOREACH_SAFE(&host->sandboxes, node, after)
    {
        sb = CONTAINER_OF(node, struct sandbox, node);
        sb->launch = NULL;
        gone(sb);
    }
}

void sandbox_host_stop(struct sandbox_host *host, const char *cause)
{
    struct list_node *node, *after;

    LIST_FOREACH_SAFE(&host->sandboxes, node, after)
        sandbox_stop(CONTAINER_OF(node, struct sandbox, node), cause);
}

/* launch_start() refused; said at the end of the turn as every failure is. */
static void on_not_begun(void *arg)
{
    struct sandbox *sb = arg;

    if (!has_ended(sb))
        start_failed_in_node(sb, SANDBOX_FAILED_NODE, &sb->start_error);
    gone(sb);
}

struct sandbox *sandbox_start(struct sandbox_host *host, struct ready_version *ver)
{
    static char process[9];
    struct sandbox *sb = calloc(1, sizeof(*sb));
    struct launch_options options = {.handler = &launch_handler, .arg = sb};

    if (!sb)
        abort();
    if (!process[0]) /* ids stay unique through restarts */
        token_make(4, process);
    sb->host = host;
    list_append(&host->sandboxes, &sb->node);
    sb->ver = ready_version_ref(ver);
    sb->slow = ready_version_take_slow(ver);
    sandbox_log_init(&sb->log);
    sandbox_stream_init(&sb->stream);
    snprintf(sb->id, sizeof(sb->id), "%s-%" PRIu64, process, ++host->next_number);
    logs_stream_name(ready_version_spec(ver)->version, sb->log_stream);
    timer_init(&sb->deadline, host->loop, on_deadline, sb);
    timer_init(&sb->settle, host->loop, on_settled, sb);
    timer_start(&sb->deadline, time_of(sb, SANDBOX_CREATING));
    options.sandbox_id = sb->id;
    options.spec = ready_version_spec(ver);
    options.image = ready_version_image(ver);
    options.code_dir = ready_version_code_dir(ver);
    options.layers_dir = ready_version_layers_dir(ver);
    options.log_stream = sb->log_stream;
    if (launch_start(host->launcher, &options, &sb->launch, &sb->start_error) < 0)
        loop_defer(host->loop, on_not_begun, sb);
    return sb;
}

int sandbox_run(struct sandbox *sb, const struct sandbox_event *ev)
{
    uint64_t timeout_us = SECONDS(ready_version_spec(sb->ver)->timeout_s);
    uint64_t spent_us = sb->slow ? sb->init_us : 0; /* init_us: of the first event only */

    assert(sb->state == SANDBOX_IDLE && runtime_face_is_waiting(sb->face));
    if (sandbox_log_begin(&sb->log, ev->data.request_id, ev->want_tail) < 0)
        return -ERR_UNAVAILABLE;
    sb->event = ev;
    sb->given_us = now_us();
    sb->budget_us = timeout_us > spent_us + MSEC(1) ? timeout_us - spent_us : MSEC(1);
    set_state(sb, SANDBOX_BUSY, "event");
    runtime_face_give(sb->face, &ev->data, wall_ms() + sb->budget_us / 1000);
    return 0;
}

void sandbox_hold(struct sandbox *sb, bool on)
{
    runtime_face_hold(sb->face, on);
}

void sandbox_stop(struct sandbox *sb, const char *cause)
{
    struct sandbox_result refused = {.outcome = INVOKE_REFUSED,
                                     .refused = ERR_INTERNAL,
                                     .message = STR("the sandbox was ended")};
    struct sandbox_log_ending end = {.status = REPORT_ERROR, .error_type = "Sandbox.Failure"};

    if (has_ended(sb))
        return;
    if (sb->event)
        finish(sb, &refused, &end);
    timer_stop(&sb->settle);
    if (sb->face)
        runtime_face_close(sb->face);
    log_info("sandbox", "ends", KV_STR("sandbox", sb->id),
             KV_STR("function", ready_version_spec(sb->ver)->name), KV_STR("cause", cause));
    set_state(sb, SANDBOX_STOPPING, cause);
    sb->host->ops->on_ending(sb, sb->host->arg);
    if (sb->launch)
        launch_end(sb->launch);
}
