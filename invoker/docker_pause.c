/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/docker_pause.h"

static void on_answer(const struct error *err, void *arg);

/* Asks for what is wanted, unless it is so or being done. */
static void go_on(struct docker_pause *p)
{
    if (!p->call && p->wanted != p->stands)
        p->call = docker_container_pause(p->o.docker, p->o.container, p->wanted, on_answer, p);
}

static void tell(struct docker_pause *p, const struct error *err)
{
    struct launch_base *l = p->o.launch;

    if (err)
        log_warn("launcher", "not unpaused", KV_STR("sandbox", l->id), KV_ERR(err));
    if (l->stage == LAUNCH_RUNNING)
        l->handler->on_thawed(&l->base, err, l->arg);
}

static void on_answer(const struct error *err, void *arg)
{
    struct docker_pause *p = arg;
    bool was_pause = !p->stands, failed = err && was_pause && p->wanted, over;

    p->call = NULL;
    if (!err)
        p->stands = was_pause;
    over = p->awaited && (err || !p->stands);
    p->awaited = p->awaited && !over;
    if (failed)
        p->wanted = false;
    if (!err)
        go_on(p);
    if (failed)
        launcher_base_freeze_failed(p->o.launch->launcher, err);
    else if (over)
        tell(p, was_pause ? NULL : err);
}

static void on_timer(void *arg)
{
    go_on(arg);
}

void docker_pause_init(struct docker_pause *p, const struct docker_pause_options *options)
{
    *p = (struct docker_pause){.o = *options};
    timer_init(&p->timer, options->launch->launcher->loop, on_timer, p);
}

bool docker_pause_begin(struct docker_pause *p)
{
    struct thaw_janitor *janitor = p->o.launch->launcher->janitor;
    struct error err;

    if (janitor && !p->is_janitors &&
        thaw_janitor_add_container(janitor, p->o.container) < 0) {
        error_set(&err, ERR_SYSTEM, "the janitor process does not listen");
        launcher_base_freeze_failed(p->o.launch->launcher, &err);
        return false;
    }
    p->is_janitors = janitor != NULL;
    p->wanted = true;
    timer_start(&p->timer, DOCKER_PAUSE_AFTER_US);
    return true;
}

int docker_pause_end(struct docker_pause *p)
{
    p->wanted = false;
    timer_stop(&p->timer);
    if (!docker_pause_is_on(p))
        return 0;
    p->awaited = true;
    go_on(p);
    return 1;
}

bool docker_pause_is_on(const struct docker_pause *p)
{
    return p->call || p->stands;
}

void docker_pause_done(struct docker_pause *p)
{
    timer_stop(&p->timer);
    if (p->is_janitors)
        thaw_janitor_remove_container(p->o.launch->launcher->janitor, p->o.container);
    p->is_janitors = false;
    if (p->call)
        docker_call_cancel(p->call);
    p->call = NULL;
}
