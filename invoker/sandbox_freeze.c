/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox_freeze.c - an idle function does not run, as in Lambda: after a short grace its processes
 * are stopped, and they go on before the next event is given, or whatever else is done to it. See
 * sandbox.h.
 *
 * IDLE means that the runtime and all extensions have asked for an event. What telemetry has gathered
 * is delivered before; what a subscriber does not take is kept, and offered again when it goes on.
 */
#include "common/base/clock.h"
#include "common/base/log.h"
#include "invoker/sandbox_impl.h"

static void freeze_now(struct sandbox *sb)
{
    sb->freeze_is_due = false;
    sb->frozen = launch_freeze(sb->launch);
    if (!sb->frozen)
        return;
    telemetry_hold(sb->telemetry, true);
    runtime_face_pause(sb->face, true);
    log_debug("sandbox", "frozen", KV_STR("sandbox", sb->id));
}

static void on_freeze(void *arg)
{
    struct sandbox *sb = arg;

    if (sb->state != SANDBOX_IDLE || !sb->launch)
        return;
    telemetry_flush(sb->telemetry);
    sb->freeze_is_due = true;
    sandbox_telemetry_settled(sb);
}

void sandbox_telemetry_settled(struct sandbox *sb)
{
    if (!sb->freeze_is_due || telemetry_is_delivering(sb->telemetry))
        return;
    telemetry_flush(sb->telemetry); /* what came meanwhile */
    if (!telemetry_is_delivering(sb->telemetry))
        freeze_now(sb);
}

void sandbox_freeze_init(struct sandbox *sb)
{
    timer_init(&sb->freeze, sb->host->loop, on_freeze, sb);
}

void sandbox_freeze_later(struct sandbox *sb)
{
    if (sb->host->freeze_after_us)
        timer_start(&sb->freeze, sb->host->freeze_after_us);
}

int sandbox_thaw(struct sandbox *sb)
{
    int r = 0;

    timer_stop(&sb->freeze);
    sb->freeze_is_due = false;
    if (!sb->frozen)
        return 0;
    sb->frozen = false;
    if (sb->launch)
        r = launch_thaw(sb->launch);
    telemetry_hold(sb->telemetry, false);
    runtime_face_pause(sb->face, false);
    log_debug("sandbox", "thawed", KV_STR("sandbox", sb->id), KV_I64("how", r));
    return r;
}

void sandbox_on_thawed(struct launch *launch, const struct error *err, void *arg)
{
    struct sandbox *sb = arg;
    (void)launch;

    if (err)
        sandbox_end(sb, SANDBOX_FAILURE, "its processes do not go on");
    else if (sb->due)
        sandbox_give_due(sb);
}
