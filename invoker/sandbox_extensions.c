/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox_extensions.c - a sandbox's extensions and telemetry: what their API and the launcher tell
 * of them, and what becomes of the sandbox by it. See sandbox.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "invoker/sandbox_impl.h"

#define EXIT_WAIT_US MSEC(500) /* for the exit of an extension that has reported an error */
#define TEXT_MAX_BYTES 1024u

/* ---- failures */

static const char *failure_type(const struct extension *ext)
{
    switch (ext->state) {
    case EXTENSION_INIT_ERROR:
        return "Extension.InitError";
    case EXTENSION_EXIT_ERROR:
        return "Extension.ExitError";
    case EXTENSION_LAUNCH_ERROR:
        return "Extension.LaunchError";
    case EXTENSION_STARTED:
    case EXTENSION_REGISTERED:
    case EXTENSION_READY:
    case EXTENSION_RUNNING:
    case EXTENSION_EXITED:
    case EXTENSION_STATE_MAX:
        break;
    }
    return "Extension.Crash";
}

/* An extension has failed: the init phase or the invocation fails with it, the sandbox ends. */
static void fail(struct sandbox *sb, const struct extension *ext, const char *type,
                 const char *text)
{
    struct sandbox_log_ending end = {.status = REPORT_ERROR,
                                     .error_type = type,
                                     .platform_type = type,
                                     .platform_text = text};

    if (sandbox_has_ended(sb))
        return;
    if (ext)
        sandbox_log_extension(&sb->log, ext, ext->error_type[0] ? ext->error_type : type);
    if (sb->state == SANDBOX_INIT) {
        sandbox_start_failed_in_function(sb, type, type, STR_NULL, text);
        return;
    }
    if (sb->event)
        sandbox_finish_with_error(sb, type, text, &end);
    sandbox_end(sb, SANDBOX_FAILURE, "an extension has failed");
}

static void fail_with_exit(struct sandbox *sb, const struct extension *ext, const char *type,
                           int status)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(TEXT_MAX_BYTES);

    (void)report_extension_exit_text(&text, status);
    (void)buf_append_char(&text, '\0');
    fail(sb, ext, type, text.ptr);
}

/* It reported an error and lives on: its exit would have had a code. */
static void on_settled(void *arg)
{
    struct sandbox *sb = arg;

    fail_with_exit(sb, sb->failed, failure_type(sb->failed), 0);
}

/* ---- what the extensions say */

static void on_registered(const struct extension *ext, void *arg)
{
    struct sandbox *sb = arg;

    log_debug("sandbox", "extension registered", KV_STR("sandbox", sb->id),
              KV_STR("extension", ext->name));
    if (sb->main_is_due && extension_api_is_registered(extension_face_api(sb->extensions)) &&
        !sandbox_has_ended(sb)) {
        sb->main_is_due = false;
        sb->runtime_runs = true;
        launch_go(sb->launch);
    }
}

static void on_waiting(const struct extension *ext, void *arg)
{
    (void)ext;
    sandbox_try_ready(arg);
}

static void on_left(const struct extension *ext, void *arg)
{
    (void)ext;
    sandbox_not_ready(arg, "an extension's connection is gone");
}

static void on_failed(const struct extension *ext, void *arg)
{
    struct sandbox *sb = arg;

    if (sandbox_has_ended(sb) || sb->failed)
        return;
    sb->failed = ext;
    timer_start(&sb->extension_settle, EXIT_WAIT_US);
}

static void on_subscribed(const struct extension *ext, const struct telemetry_subscription *sub,
                          void *arg)
{
    struct sandbox *sb = arg;

    if (!sandbox_has_ended(sb) && telemetry_subscribe(sb->telemetry, ext->name, sub))
        sandbox_log_subscription(&sb->log, ext->name, sub);
}

static const struct extension_face_ops face_ops = {.on_registered = on_registered,
                                                   .on_waiting = on_waiting,
                                                   .on_left = on_left,
                                                   .on_failed = on_failed,
                                                   .on_subscribed = on_subscribed};

/* ---- what the launcher says */

void sandbox_on_extensions(struct launch *launch, const struct init_extensions *found, int log_fd,
                           void *arg)
{
    struct sandbox *sb = arg;
    struct extension_api *api = extension_face_api(sb->extensions);
    uint32_t i;

    if (sandbox_has_ended(sb) || sb->restarting) {
        closep(&log_fd);
        return;
    }
    sandbox_log_add_extensions(&sb->log, log_fd);
    if (found->found > EXTENSIONS_MAX) {
        fail(sb, NULL, "Extension.TooManyExtensions", "Extension limit (10) reached");
        return;
    }
    for (i = 0; i < found->len; i++)
        (void)extension_api_add(api, found->names[i]); /* there is room: none came before */
    sb->main_is_due = true;
    sb->runtime_runs = false;
    launch_go(launch);
}

static void on_launch_error(struct sandbox *sb, struct extension *ext, int sys_errno)
{
    CLEANUP(freep) char *path = str_printf("/opt/extensions/%s", ext->name);
    CLEANUP(buf_done) struct buf text = BUF_INIT(TEXT_MAX_BYTES);

    ext->state = EXTENSION_LAUNCH_ERROR;
    snprintf(ext->error_type, sizeof(ext->error_type), "%s",
             sys_errno == EACCES ? "PermissionDenied" : "UnknownError");
    (void)report_exec_text(&text, path, sys_errno);
    (void)buf_append_char(&text, '\0');
    fail(sb, ext, "Extension.LaunchError", text.ptr);
}

static void on_exited(struct sandbox *sb, struct extension *ext, int status)
{
    const char *type = failure_type(ext); /* Crash, unless it has said otherwise */

    log_debug("sandbox", "extension ended", KV_STR("sandbox", sb->id),
              KV_STR("extension", ext->name), KV_I64("status", status));
    if (ext->state != EXTENSION_INIT_ERROR && ext->state != EXTENSION_EXIT_ERROR)
        ext->state = EXTENSION_EXITED;
    if (sandbox_has_ended(sb)) {
        ext->state = EXTENSION_EXITED;
        sandbox_shutdown_exited(sb);
        return;
    }
    fail_with_exit(sb, ext, type, status);
}

void sandbox_on_extension(struct launch *launch, const struct init_extension *news, void *arg)
{
    struct sandbox *sb = arg;
    struct extension *ext = extension_api_find(extension_face_api(sb->extensions), news->name);
    (void)launch;

    if (!ext || sb->restarting)
        return;
    switch ((enum init_extension_news)news->news) {
    case INIT_EXTENSION_STARTED:
        break;
    case INIT_EXTENSION_FAILED:
        on_launch_error(sb, ext, news->value);
        break;
    case INIT_EXTENSION_EXITED:
        on_exited(sb, ext, news->value);
        break;
    }
}

void sandbox_on_socket(struct launch *launch, uint32_t token, int fd, int sys_errno, void *arg)
{
    struct sandbox *sb = arg;
    (void)launch;

    if (fd < 0)
        log_debug("sandbox", "no connection for telemetry", KV_STR("sandbox", sb->id),
                  KV_I64("errno", sys_errno));
    telemetry_socket(sb->telemetry, token, fd);
}

/* ---- life */

static void on_dial(uint32_t token, uint16_t port, void *arg)
{
    struct sandbox *sb = arg;

    if (sb->launch)
        launch_connect(sb->launch, token, port);
}

static void on_telemetry_settled(void *arg)
{
    sandbox_telemetry_settled(arg);
}

static const struct telemetry_ops telemetry_ops = {on_dial, on_telemetry_settled};

void sandbox_extensions_new(struct sandbox *sb)
{
    sb->extensions = extension_face_new(ready_version_spec(sb->ver), &face_ops, sb);
    sb->telemetry = telemetry_new(sb->host->loop, &telemetry_ops, sb);
    timer_init(&sb->extension_settle, sb->host->loop, on_settled, sb);
}

void sandbox_extensions_free(struct sandbox *sb)
{
    extension_face_free(sb->extensions);
    telemetry_free(sb->telemetry);
}

void sandbox_extensions_init_done(struct sandbox *sb)
{
    struct extension_api *api = extension_face_api(sb->extensions);
    size_t i;

    for (i = 0; i < api->len; i++)
        sandbox_log_extension(&sb->log, &api->list[i], NULL);
    api->subscription_closed = true;
    sandbox_log_init_done(&sb->log, sb->init_us);
    telemetry_close(sb->telemetry);
}
