/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox_start.c - a sandbox from nothing to its init phase, and starts that fail. See sandbox.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/base/log.h"
#include "invoker/sandbox_impl.h"

#define CREDENTIALS_LEFT_S 3600u /* at least, when a sandbox gives way to a new one */
#define SPREAD_S 601u /* between one and the next of those that began together */

/* ---- failed starts */

void sandbox_start_failed(struct sandbox *sb, const struct sandbox_failure *failure)
{
    log_info("sandbox", "start failed", KV_STR("sandbox", sb->id),
             KV_STR("function", ready_version_spec(sb->ver)->name),
             KV_STR("error", failure->text ? failure->text : failure->err.msg));
    if (sandbox_log_is_open(&sb->log))
        sandbox_log_init_report(
            &sb->log, failure->init_us,
            failure->kind == SANDBOX_FAILED_INIT_TIMEOUT ? REPORT_TIMEOUT : REPORT_ERROR,
            failure->report_type ? failure->report_type : "Sandbox.Failure");
    if (sandbox_retry(sb, failure))
        return;
    sb->host->ops->on_start_failed(sb, failure, sb->host->arg);
    sandbox_end(sb,
                failure->kind == SANDBOX_FAILED_INIT_TIMEOUT ? SANDBOX_TIMEOUT : SANDBOX_FAILURE,
                "start failed");
}

void sandbox_start_failed_in_function(struct sandbox *sb, const char *error_type,
                                     const char *report_type, struct str body, const char *text)
{
    struct sandbox_failure failure = {.kind = SANDBOX_FAILED_FUNCTION,
                                      .body = body,
                                      .text = text,
                                      .error_type = error_type,
                                      .report_type = report_type,
                                      .init_us = now_us() - sb->init_began_us};

    sandbox_start_failed(sb, &failure);
}

void sandbox_start_failed_in_node(struct sandbox *sb, enum sandbox_failure_kind kind,
                                 const struct error *err)
{
    struct sandbox_failure failure = {.kind = kind, .err = *err};

    sandbox_start_failed(sb, &failure);
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
    if (sandbox_log_begin(&sb->log, ev->data.request_id, ev->data.trace_id, ev->want_tail) < 0) {
        charge_refused(sb, ev, ERR_UNAVAILABLE, "the node cannot keep the function's output now");
        return;
    }
    sandbox_log_tail_add_init(&sb->log);
    if (failure->kind == SANDBOX_FAILED_INIT_TIMEOUT) {
        sandbox_timed_out_text(sb, text, sizeof(text));
        end.status = REPORT_TIMEOUT;
        end.duration_us = SECONDS(ready_version_spec(sb->ver)->timeout_s);
        (void)report_error_json(&json, "Sandbox.Timedout", ev->data.request_id, text);
    } else if (!failure->body.ptr) {
        (void)report_error_json(&json, failure->error_type, ev->data.request_id, failure->text);
    }
    end.produced_bytes = failure->body.len;
    result.body = failure->body.ptr ? failure->body : buf_str(&json);
    sandbox_answer_when_still(sb, ev, &result, &end);
}

/* ---- the launcher speaks */

static void on_launch_ready(struct launch *launch, const struct launch_fds *fds,
                            const struct launch_times *times, void *arg)
{
    struct sandbox *sb = arg;
    struct launch_fds unwanted;
    struct error err;

    if (sb->state != SANDBOX_CREATING) {
        unwanted = *fds;
        launch_fds_close(&unwanted);
        return;
    }
    log_debug("sandbox", "created", KV_STR("sandbox", sb->id), KV_U64("total_us", times->total_us),
              KV_U64("create_us", times->create_us), KV_U64("start_us", times->start_us));
    sandbox_log_open(&sb->log, sb->host->logs, ready_version_spec(sb->ver), sb->id, sb->log_stream,
                     fds, sb->telemetry);
    sb->listener = fcntl(fds->listener, F_DUPFD_CLOEXEC, 0);
    if (runtime_face_new(sb->host->loop, fds->listener, &sandbox_face_ops, sb, &sb->face, &err) < 0) {
        sandbox_start_failed_in_node(sb, SANDBOX_FAILED_NODE, &err);
        return;
    }
    sb->init_began_us = now_us();
    sandbox_set_state(sb, SANDBOX_INIT, "created");
    sb->runtime_runs = true; /* unless there are extensions, which come first */
    launch_run(launch);
    sb->host->ops->on_created(sb, sb->host->arg);
}

static void on_launch_exited(struct launch *launch, const struct launch_exit *how, void *arg)
{
    struct sandbox *sb = arg;
    (void)launch;

    if (sb->restarting)
        sb->runtime_runs = false;
    else
        sandbox_runtime_ended(sb, how->status, how->oom_kills > 0);
}

static void start_failed_to_run(struct sandbox *sb, const char *error_type, struct buf *text)
{
    (void)buf_append_char(text, '\0');
    sandbox_start_failed_in_function(sb, error_type, error_type, STR_NULL, text->ptr);
}

/* Why what the main process should have been could not be run. */
static void entry_point_text(const struct sandbox *sb, int sys_errno, struct buf *text)
{
    bool found = true;
    const char *bootstrap = ready_version_bootstrap(sb->ver, &found);

    if (!found && sys_errno == ENOENT)
        (void)report_no_bootstrap_text(text);
    else
        (void)report_exec_text(text, bootstrap ? bootstrap : ready_version_program(sb->ver),
                               sys_errno);
}

static void on_launch_failed(struct launch *launch, enum launch_failure why,
                             const struct error *err, void *arg)
{
    struct sandbox *sb = arg;
    CLEANUP(buf_done) struct buf text = BUF_INIT(ERROR_JSON_MAX);
    (void)launch;

    if (sandbox_has_ended(sb))
        return;
    sb->launch_failed = true;
    switch (why) {
    case LAUNCH_FAILED_ENTRYPOINT:
        entry_point_text(sb, err->sys_errno, &text);
        start_failed_to_run(sb, "Runtime.InvalidEntrypoint", &text);
        return;
    case LAUNCH_FAILED_WORKDIR:
        (void)report_chdir_text(&text, ready_version_folder(sb->ver), err->sys_errno);
        start_failed_to_run(sb, "Runtime.InvalidWorkingDir", &text);
        return;
    case LAUNCH_FAILED_DIED:
        if (sb->state == SANDBOX_CREATING)
            break;
        sandbox_runtime_ended(sb, SIGKILL, sandbox_log_has_oom_kills(&sb->log));
        return;
    case LAUNCH_FAILED_NO_IMAGE:
        sandbox_start_failed_in_node(sb, SANDBOX_FAILED_NO_IMAGE, err);
        return;
    case LAUNCH_FAILED_ENGINE:
    case LAUNCH_FAILED_TIMEOUT:
        break;
    }
    if (sb->state == SANDBOX_CREATING || sb->state == SANDBOX_INIT)
        sandbox_start_failed_in_node(sb, SANDBOX_FAILED_NODE, err);
    else
        sandbox_runtime_ended(sb, SIGKILL, false);
}

static void on_launch_gone(struct launch *launch, void *arg)
{
    struct sandbox *sb = arg;
    (void)launch;

    sb->launch = NULL;
    if (!timer_is_armed(&sb->settle))
        sb->exit_status = SIGKILL;
    timer_stop(&sb->settle);
    if (!sandbox_has_ended(sb)) { /* without on_failed or on_exited, or before their settling */
        if (sb->state == SANDBOX_CREATING)
            sandbox_start_failed_in_node(
                sb, SANDBOX_FAILED_NODE,
                &(struct error){.code = ERR_INTERNAL, .msg = "the sandbox vanished"});
        else
            sandbox_runtime_settled(sb);
    }
    sandbox_gone(sb);
}

static const struct launch_handler launch_handler = {.on_ready = on_launch_ready,
                                                     .on_exited = on_launch_exited,
                                                     .on_failed = on_launch_failed,
                                                     .on_gone = on_launch_gone,
                                                     .on_extensions = sandbox_on_extensions,
                                                     .on_extension = sandbox_on_extension,
                                                     .on_socket = sandbox_on_socket,
                                                     .on_restarted = sandbox_on_restarted,
                                                     .on_thawed = sandbox_on_thawed,
                                                     .on_dead = sandbox_on_dead};

/* ---- public */

/* launch_start() refused; said at the end of the turn as every failure is. */
static void on_not_begun(void *arg)
{
    struct sandbox *sb = arg;

    if (!sandbox_has_ended(sb))
        sandbox_start_failed_in_node(sb, SANDBOX_FAILED_NODE, &sb->start_error);
    sandbox_gone(sb);
}

/* A log group that several functions may share tells them apart by their streams' names. */
static void name_log_stream(struct sandbox *sb)
{
    const struct sandbox_spec *spec = ready_version_spec(sb->ver);
    const struct str prefix = STR("/aws/lambda/");
    struct str group = str_of(spec->log_group);
    bool own = str_starts(group, prefix) &&
               str_is(str_sub(group, prefix.len, group.len), spec->name);

    logs_stream_name(own ? NULL : spec->name, spec->version, sb->log_stream);
}

/* After its number is given. */
static void note_credentials(struct sandbox *sb)
{
    const struct role_credentials *credentials = ready_version_spec(sb->ver)->credentials;
    uint64_t lead_s = CREDENTIALS_LEFT_S + sb->host->next_number * SPREAD_S % CREDENTIALS_LEFT_S;

    if (!credentials)
        return;
    sb->credentials_end_s = credentials->expires_s;
    sb->outdated_s = credentials->expires_s > lead_s ? credentials->expires_s - lead_s : 0;
}

struct sandbox *sandbox_start(struct sandbox_host *host, struct ready_version *ver,
                              bool is_provisioned)
{
    const char *init_type = is_provisioned ? INIT_PROVISIONED : INIT_ON_DEMAND;
    static char process[9];
    bool found;
    struct sandbox *sb = calloc(1, sizeof(*sb));
    struct launch_options options = {.handler = &launch_handler, .arg = sb};

    if (!sb)
        abort();
    if (!process[0]) /* ids stay unique through restarts */
        token_make(4, process);
    sb->host = host;
    list_append(&host->sandboxes, &sb->node);
    sb->ver = ready_version_ref(ver);
    sb->listener = -1;
    sb->is_provisioned = is_provisioned;
    sandbox_log_init(&sb->log, init_type);
    sandbox_stream_init(&sb->stream);
    sandbox_kept_init(&sb->kept);
    snprintf(sb->id, sizeof(sb->id), "%s-%" PRIu64, process, ++host->next_number);
    name_log_stream(sb);
    note_credentials(sb);
    sandbox_init_timers(sb);
    sandbox_shutdown_init(sb);
    sandbox_extensions_new(sb);
    options.sandbox_id = sb->id;
    options.spec = ready_version_spec(ver);
    options.image = ready_version_image(ver);
    options.code_dir = ready_version_code_dir(ver);
    options.layers_dir = ready_version_layers_dir(ver);
    options.bootstrap = ready_version_bootstrap(ver, &found);
    options.log_stream = sb->log_stream;
    options.init_type = init_type;
    if (launch_start(host->launcher, &options, &sb->launch, &sb->start_error) < 0)
        loop_defer(host->loop, on_not_begun, sb);
    return sb;
}
