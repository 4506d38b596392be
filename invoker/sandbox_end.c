/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox_end.c - the end of a sandbox. See sandbox.h.
 *
 * Without extensions it ends at once. With extensions it first takes no invocation any more, and
 * then, within Lambda's time for it:
 *
 *   SIGTERM to the main process ── its exit, or its share of the time ──► SIGKILL to it, SHUTDOWN to
 *   the extensions ── the exit of all that were told, or the end of the time ──► the container goes
 */
#include <assert.h>
#include <signal.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "invoker/sandbox_impl.h"

#define INTERNAL_LIMIT_US MSEC(500) /* internal extensions only: the runtime's, as they are in it */
#define EXTERNAL_LIMIT_US MSEC(2000)
#define RUNTIME_SHARE_US MSEC(300) /* of the latter */

static const char *const reason_names[] = {
    [SANDBOX_SPINDOWN] = "SPINDOWN",
    [SANDBOX_TIMEOUT] = "TIMEOUT",
    [SANDBOX_FAILURE] = "FAILURE",
};

/* ---- shutting down */

static void check_host_stopped(struct sandbox_host *host)
{
    if (host->on_stopped && host->shutting_down == 0)
        loop_defer(host->loop, TAKE(host->on_stopped), host->stopped_arg);
}

static void shutdown_over(struct sandbox *sb)
{
    timer_stop(&sb->shutdown_timer);
    if (sb->shutdown == SHUTDOWN_OVER)
        return;
    if (sb->shutdown != SHUTDOWN_NONE)
        sb->host->shutting_down--;
    sb->shutdown = SHUTDOWN_OVER;
    if (sb->launch)
        launch_end(sb->launch);
    check_host_stopped(sb->host);
}

/* Whether one that wants SHUTDOWN has not ended yet. */
static bool is_awaited(const struct extension *ext)
{
    return ext->is_external && (ext->events & EXTENSION_SHUTDOWN) &&
           ext->state != EXTENSION_EXITED && ext->state != EXTENSION_LAUNCH_ERROR;
}

static bool has_awaited(const struct sandbox *sb)
{
    const struct extension_api *api = extension_face_api(sb->extensions);
    size_t i;

    for (i = 0; i < api->len; i++)
        if (is_awaited(&api->list[i]))
            return true;
    return false;
}

static uint64_t time_left_us(const struct sandbox *sb)
{
    uint64_t now = now_us();

    return sb->shutdown_due_us > now ? sb->shutdown_due_us - now : 0;
}

static void shut_down_extensions(struct sandbox *sb)
{
    uint64_t left_us = time_left_us(sb);

    sb->shutdown = SHUTDOWN_EXTENSIONS;
    if (sb->runtime_runs)
        launch_signal(sb->launch, SIGKILL);
    telemetry_flush(sb->telemetry);
    extension_face_shut_down(sb->extensions, reason_names[sb->end_reason],
                             wall_ms() + left_us / 1000);
    if (has_awaited(sb) && left_us)
        timer_start(&sb->shutdown_timer, left_us);
    else
        shutdown_over(sb);
}

static void on_shutdown_timer(void *arg)
{
    struct sandbox *sb = arg;

    if (sb->shutdown == SHUTDOWN_RUNTIME)
        shut_down_extensions(sb);
    else
        shutdown_over(sb);
}

static void shut_down(struct sandbox *sb)
{
    bool external = extension_api_has_external(extension_face_api(sb->extensions));
    uint64_t limit_us = external ? EXTERNAL_LIMIT_US : INTERNAL_LIMIT_US;

    sb->host->shutting_down++;
    sb->shutdown = SHUTDOWN_RUNTIME;
    sb->shutdown_due_us = now_us() + limit_us;
    if (!sb->runtime_runs) {
        shut_down_extensions(sb);
        return;
    }
    launch_signal(sb->launch, SIGTERM);
    timer_start(&sb->shutdown_timer, external ? RUNTIME_SHARE_US : limit_us);
}

void sandbox_shutdown_exited(struct sandbox *sb)
{
    if (sb->shutdown == SHUTDOWN_RUNTIME && !sb->runtime_runs)
        shut_down_extensions(sb);
    else if (sb->shutdown == SHUTDOWN_EXTENSIONS && !has_awaited(sb))
        shutdown_over(sb);
}

void sandbox_shutdown_init(struct sandbox *sb)
{
    timer_init(&sb->shutdown_timer, sb->host->loop, on_shutdown_timer, sb);
}

/* ---- the end */

void sandbox_end(struct sandbox *sb, enum sandbox_end_reason reason, const char *cause)
{
    struct sandbox_result refused = {.outcome = INVOKE_REFUSED,
                                     .refused = ERR_INTERNAL,
                                     .message = STR("the sandbox was ended")};
    struct sandbox_log_ending end = {.status = REPORT_ERROR, .error_type = "Sandbox.Failure"};

    if (sandbox_has_ended(sb))
        return;
    if (sb->event)
        sandbox_finish_when_still(sb, &refused, &end);
    if (sb->due)
        sb->host->ops->on_not_run(sb, TAKE(sb->due), sb->host->arg);
    timer_stop(&sb->settle);
    timer_stop(&sb->extension_settle);
    if (sb->face)
        runtime_face_close(sb->face);
    log_info("sandbox", "ends", KV_STR("sandbox", sb->id),
             KV_STR("function", ready_version_spec(sb->ver)->name), KV_STR("cause", cause));
    sandbox_set_state(sb, SANDBOX_STOPPING, cause);
    sb->end_reason = reason;
    sb->host->ops->on_ending(sb, sb->host->arg);
    if (sb->launch && sb->face && extension_face_api(sb->extensions)->len)
        shut_down(sb);
    else
        shutdown_over(sb);
}

void sandbox_stop(struct sandbox *sb, const char *cause)
{
    sandbox_end(sb, SANDBOX_SPINDOWN, cause);
}

/* sandbox_stop() without time for extensions, also when that was begun already. */
static void sandbox_kill(struct sandbox *sb, const char *cause)
{
    sandbox_stop(sb, cause);
    shutdown_over(sb);
}

static void sandbox_free(struct sandbox *sb)
{
    list_remove(&sb->node);
    timer_stop(&sb->deadline);
    timer_stop(&sb->freeze);
    timer_stop(&sb->settle);
    timer_stop(&sb->extension_settle);
    timer_stop(&sb->shutdown_timer);
    runtime_face_free(sb->face);
    closep(&sb->listener);
    sandbox_log_close(&sb->log);
    sandbox_stream_over(&sb->stream);
    sandbox_kept_done(&sb->kept);
    sandbox_extensions_free(sb);
    ready_version_unref(sb->ver);
    free(sb);
}

void sandbox_gone(struct sandbox *sb)
{
    if (!sandbox_has_ended(sb))
        sandbox_stop(sb, "gone");
    sb->launch = NULL;
    shutdown_over(sb);
    sandbox_answer_kept(sb);
    sandbox_set_state(sb, SANDBOX_DEAD, "gone");
    sb->host->ops->on_gone(sb, sb->host->arg);
    sandbox_free(sb);
}

/* ---- all of them */

void sandbox_host_init(struct sandbox_host *host)
{
    list_init(&host->sandboxes);
    host->next_number = 0;
    host->shutting_down = 0;
    host->on_stopped = NULL;
}

void sandbox_host_done(struct sandbox_host *host)
{
    struct list_node *node, *after;
    struct sandbox *sb;

    LIST_FOREACH_SAFE(&host->sandboxes, node, after)
    {
        sb = CONTAINER_OF(node, struct sandbox, node);
        sb->launch = NULL;
        sb->kept.event = NULL; /* it may run still: nobody is told that it does not */
        sandbox_gone(sb);
    }
}

void sandbox_host_kill_runs(struct sandbox_host *host, const char *cause)
{
    struct list_node *node, *after;
    struct sandbox *sb;

    LIST_FOREACH_SAFE(&host->sandboxes, node, after)
    {
        sb = CONTAINER_OF(node, struct sandbox, node);
        if (sb->event || sb->due || sb->kept.event)
            sandbox_kill(sb, cause);
    }
}

void sandbox_host_stop(struct sandbox_host *host, const char *cause, loop_fn *done, void *arg)
{
    struct list_node *node, *after;

    LIST_FOREACH_SAFE(&host->sandboxes, node, after)
        sandbox_stop(CONTAINER_OF(node, struct sandbox, node), cause);
    host->on_stopped = done;
    host->stopped_arg = arg;
    check_host_stopped(host);
}
