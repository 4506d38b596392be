/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox_retry.c - the second try of an init phase, in the same sandbox. See sandbox.h.
 *
 *   init failed ── INIT_REPORT, launch_restart() ──► all processes are gone ── new pipes, new APIs,
 *   launch_go() ──► init again, within the function's timeout
 *
 * As Lambda does it ("suppressed init"): /tmp, the log stream and the identity stay. No invocation
 * has run here, so the rule that a sandbox is not used again after a failure is not touched; the
 * second failure ends it. A provisioned sandbox has no invocation to try again in: it is begun anew.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "invoker/sandbox_impl.h"

bool sandbox_retry(struct sandbox *sb, const struct sandbox_failure *failure)
{
    if (sb->state != SANDBOX_INIT || sb->slow || sb->is_provisioned || !sb->launch || sb->launch_failed ||
        sb->listener < 0 ||
        (failure->kind != SANDBOX_FAILED_FUNCTION && failure->kind != SANDBOX_FAILED_INIT_TIMEOUT))
        return false;
    log_info("sandbox", "init failed, tried again", KV_STR("sandbox", sb->id),
             KV_STR("function", ready_version_spec(sb->ver)->name),
             KV_STR("error", failure->text ? failure->text : failure->error_type));
    timer_stop(&sb->settle);
    timer_stop(&sb->extension_settle);
    sb->failed = NULL;
    sb->main_is_due = false;
    sb->slow = sb->restarting = true;
    sb->init_began_us = now_us();
    timer_start(&sb->deadline, sandbox_time_of(sb, SANDBOX_INIT));
    runtime_face_close(sb->face); /* who still speaks is about to be killed; freed when that is done */
    launch_restart(sb->launch);
    return true;
}

/* Connections that dead processes left: what they had sent is not the new runtime's word. */
static void drop_pending(int listener)
{
    int fd;

    while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0 ||
           errno == ECONNABORTED || errno == EINTR)
        closep(&fd);
}

void sandbox_on_restarted(struct launch *launch, int stdout_fd, int stderr_fd, void *arg)
{
    struct sandbox *sb = arg;
    struct error err;

    if (sandbox_has_ended(sb) || !sb->restarting) {
        closep(&stdout_fd);
        closep(&stderr_fd);
        return;
    }
    runtime_face_free(TAKE(sb->face));
    sandbox_extensions_free(sb);
    sandbox_extensions_new(sb);
    sandbox_log_reopen(&sb->log, stdout_fd, stderr_fd, sb->telemetry);
    drop_pending(sb->listener);
    if (runtime_face_new(sb->host->loop, TAKE_FD(sb->listener), &sandbox_face_ops, sb, &sb->face,
                         &err) < 0) {
        sandbox_start_failed_in_node(sb, SANDBOX_FAILED_NODE, &err);
        return;
    }
    sb->restarting = false;
    sb->runtime_runs = true;
    launch_go(launch);
}
