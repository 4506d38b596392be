/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/launch_base.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "invoker/sandbox_limits.h"

/* ---- launchers */

uint32_t launcher_base_parallel(const struct launcher_base *launcher)
{
    return 2 * launcher->cpus;
}

static void tell_stopped(void *arg)
{
    struct launcher_base *launcher = arg;
    void (*stopped)(void *) = TAKE(launcher->stopped);

    if (stopped)
        stopped(launcher->stopped_arg);
}

void launcher_base_init(struct launcher_base *launcher, struct loop *loop, struct network *network,
                        const struct launcher_ops *table, const struct launch_base_ops *ops)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);

    launcher->cpus = cpus > 0 ? (uint32_t)cpus : 1;
    launcher->base.ops = table;
    launcher->ops = ops;
    launcher->loop = loop;
    launcher->network = network;
    map_init(&launcher->launches, NULL);
    timer_init(&launcher->stop_timer, loop, tell_stopped, launcher);
}

void launcher_base_done(struct launcher_base *launcher)
{
    struct str key;
    size_t at;
    void *l;

    while (at = 0, map_next(&launcher->launches, &at, &key, &l))
        launcher->ops->free(l);
    map_done(&launcher->launches);
    timer_stop(&launcher->stop_timer);
}

void launcher_base_look(struct launcher_base *launcher)
{
    if (launcher->stopping && launcher->launches.len == 0 &&
        (!launcher->ops->is_empty || launcher->ops->is_empty(launcher)))
        timer_start(&launcher->stop_timer, 0);
}

void launcher_base_stop(struct launcher *base, void (*done)(void *arg), void *arg)
{
    struct launcher_base *launcher = CONTAINER_OF(base, struct launcher_base, base);
    struct str key;
    size_t at = 0;
    void *l;

    launcher->stopping = true;
    launcher->stopped = done;
    launcher->stopped_arg = arg;
    while (map_next(&launcher->launches, &at, &key, &l))
        launch_base_end(&((struct launch_base *)l)->base);
    launcher_base_look(launcher);
}

/* ---- a launch */

bool launch_id_is_valid(const char *id)
{
    size_t len = strlen(id);

    return len >= 1 && len <= LAUNCH_ID_MAX &&
           strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == len && id[0] != '-';
}

int launch_base_init(struct launch_base *l, struct launcher_base *launcher,
                     const struct launch_options *o, struct error *err)
{
    int r;

    if (!launch_id_is_valid(o->sandbox_id) ||
        map_get(&launcher->launches, str_of(o->sandbox_id)))
        return error_set(err, ERR_BAD_REQUEST, "%s is no id for a new sandbox", o->sandbox_id);
    if (o->spec->network && !launcher->network)
        return error_set(err, ERR_UNSUPPORTED,
                         "the function has a VpcConfig, and this node gives sandboxes no network: "
                         "HEARTH_EGRESS is off there, or its invoker told why when it started");
    r = sandbox_env_new(o->spec, o->image, o->bootstrap, o->log_stream, o->init_type, &l->env, err);
    if (r < 0)
        return r;
    l->base.launcher = &launcher->base;
    l->launcher = launcher;
    l->handler = o->handler;
    l->arg = o->arg;
    snprintf(l->id, sizeof(l->id), "%s", o->sandbox_id);
    l->began_us = now_us();
    l->cpu_quota_us = sandbox_cpu_quota_us(o->spec->memory_mib);
    if (l->cpu_quota_us >= launcher->cpus * SANDBOX_CPU_PERIOD_US)
        l->cpu_quota_us = 0;
    map_put(&launcher->launches, str_of(l->id), l);
    return 0;
}

void launch_base_done(struct launch_base *l)
{
    map_remove(&l->launcher->launches, str_of(l->id));
    if (l->is_janitors)
        thaw_janitor_remove_cgroup(l->launcher->janitor, l->cgroup);
    sandbox_env_free(TAKE(l->env));
}

void launch_base_ready(struct launch_base *l, const char *container, const struct launch_fds *fds)
{
    l->stage = LAUNCH_READY;
    l->times.total_us = now_us() - l->began_us;
    log_info("launcher", "sandbox ready", KV_STR("sandbox", l->id), KV_STR("container", container),
             KV_U64("queued_us", l->times.queued_us), KV_U64("create_us", l->times.create_us),
             KV_U64("start_us", l->times.start_us), KV_U64("connect_us", l->times.connect_us),
             KV_U64("total_us", l->times.total_us));
    l->handler->on_ready(&l->base, fds, &l->times, l->arg);
}

void launch_base_fail(struct launch_base *l, enum log_level level, enum launch_failure failure,
                      const struct error *err)
{
    if (l->stage >= LAUNCH_ENDING)
        return;
    if (!l->failed && !l->exited) {
        l->failed = true;
        LOG_AT_(level, "launcher", "failed", KV_STR("sandbox", l->id), KV_ERR(err));
        l->handler->on_failed(&l->base, failure, err, l->arg);
    }
    launch_base_end(&l->base); /* on_failed may have done it */
}

void launch_base_dead(struct launch_base *l)
{
    if (l->dead)
        return;
    l->dead = true;
    if (l->handler->on_dead)
        l->handler->on_dead(&l->base, l->arg);
}

void launch_base_gone(struct launch_base *l)
{
    struct launcher_base *launcher = l->launcher;

    log_debug("launcher", "gone", KV_STR("sandbox", l->id));
    l->stage = LAUNCH_GONE;
    launch_base_dead(l);
    l->handler->on_gone(&l->base, l->arg);
    launcher->ops->free(l);
    launcher_base_look(launcher);
}

/* ---- PID 1 */

static void on_hello(const struct launch_fds *fds, void *arg)
{
    struct launch_base *l = arg;

    if (l->launcher->ops->hello)
        l->launcher->ops->hello(l, fds);
}

static void on_started(const struct init_started *m, void *arg)
{
    struct launch_base *l = arg;

    sandbox_env_free(TAKE(l->env)); /* values of the function: no longer than needed */
    log_debug("launcher", "main process started", KV_STR("sandbox", l->id), KV_I64("pid", m->pid));
}

static void on_exited(const struct init_exited *m, void *arg)
{
    struct launch_base *l = arg;
    const struct launch_exit how = {m->status, m->oom_kills};

    if (l->exited)
        return;
    l->exited = true;
    l->handler->on_exited(&l->base, &how, l->arg);
}

static void on_failure(const struct init_failure *m, void *arg)
{
    struct launch_base *l = arg;
    enum launch_failure failure = LAUNCH_FAILED_ENGINE;
    struct error err;

    if (m->stage == INIT_STAGE_EXEC && l->env) {
        failure = LAUNCH_FAILED_ENTRYPOINT;
        error_set_errno(&err, ERR_BAD_REQUEST, m->sys_errno, "fork/exec %s", l->env->argv[0]);
    } else if (m->stage == INIT_STAGE_CHDIR && l->env) {
        failure = LAUNCH_FAILED_WORKDIR;
        error_set_errno(&err, ERR_BAD_REQUEST, m->sys_errno, "chdir %s", l->env->cwd);
    } else {
        error_set_errno(&err, ERR_SYSTEM, m->sys_errno, "hearth-init, step %u: %s", m->stage,
                        m->text);
    }
    launch_base_fail(l, LOG_WARN, failure, &err);
}

static void on_extensions(const struct init_extensions *m, int log_fd, void *arg)
{
    struct launch_base *l = arg;

    l->handler->on_extensions(&l->base, m, log_fd, l->arg);
}

static void on_extension(const struct init_extension *m, void *arg)
{
    struct launch_base *l = arg;

    l->handler->on_extension(&l->base, m, l->arg);
}

static void on_socket(const struct init_socket *m, int fd, void *arg)
{
    struct launch_base *l = arg;

    l->handler->on_socket(&l->base, m->token, fd, m->sys_errno, l->arg);
}

static void on_restarted(int stdout_fd, int stderr_fd, void *arg)
{
    struct launch_base *l = arg;

    l->exited = false;
    l->handler->on_restarted(&l->base, stdout_fd, stderr_fd, l->arg);
}

static void on_closed(const struct error *err, void *arg)
{
    launch_base_fail(arg, LOG_WARN, LAUNCH_FAILED_DIED, err);
}

const struct init_link_handler launch_base_link_handler = {
    .on_hello = on_hello,
    .on_started = on_started,
    .on_exited = on_exited,
    .on_failure = on_failure,
    .on_closed = on_closed,
    .on_extensions = on_extensions,
    .on_extension = on_extension,
    .on_socket = on_socket,
    .on_restarted = on_restarted,
};

/* ---- the table of launcher.h */

void launch_base_run(struct launch *launch)
{
    struct launch_base *l = launch_base_of(launch);

    if (l->stage != LAUNCH_READY)
        return;
    l->stage = LAUNCH_RUNNING;
    init_link_start(l->link, &(struct init_start){l->env->cwd, (const char *const *)l->env->argv,
                                                  (const char *const *)l->env->env});
}

void launch_base_settled(struct launch *launch)
{
    struct launch_base *l = launch_base_of(launch);
    const struct launch_base_ops *ops = l->launcher->ops;
    uint32_t quota_us = l->cpu_quota_us;

    l->cpu_quota_us = 0;
    if (l->stage != LAUNCH_RUNNING || quota_us == 0)
        return;
    if ((!l->cgroup || cgroup_limit_cpu(l->cgroup, quota_us) < 0) && ops->limit_cpu)
        ops->limit_cpu(l, quota_us);
}

void launch_base_signal(struct launch *launch, int signo)
{
    struct launch_base *l = launch_base_of(launch);

    if (l->stage == LAUNCH_RUNNING)
        init_link_signal(l->link, signo);
}

void launch_base_kill(struct launch *launch)
{
    struct launch_base *l = launch_base_of(launch);

    if (l->stage == LAUNCH_RUNNING)
        init_link_kill(l->link);
}

void launch_base_end(struct launch *launch)
{
    struct launch_base *l = launch_base_of(launch);

    if (l->stage >= LAUNCH_ENDING)
        return;
    l->stage = LAUNCH_ENDING;
    l->launcher->ops->end(l);
}

void launcher_base_freeze_failed(struct launcher_base *launcher, const struct error *err)
{
    if (!launcher->freeze_failure_told)
        log_warn("launcher", "idle sandboxes are not frozen, they go on", KV_ERR(err));
    launcher->freeze_failure_told = true;
}

/* Nobody could let it go on after us, if the janitor did not know. */
static int tell_janitor(struct launch_base *l, struct error *err)
{
    if (!l->launcher->janitor || l->is_janitors)
        return 0;
    l->is_janitors = thaw_janitor_add_cgroup(l->launcher->janitor, l->cgroup) == 0;
    return l->is_janitors ? 0 : error_set(err, ERR_SYSTEM, "the janitor process does not listen");
}

bool launch_base_freeze(struct launch *launch)
{
    struct launch_base *l = launch_base_of(launch);
    struct error err = {.code = ERR_UNSUPPORTED, .msg = "their cgroups cannot be used from here"};

    if (l->stage != LAUNCH_RUNNING)
        return false;
    if (l->cgroup && tell_janitor(l, &err) == 0 && cgroup_freeze(l->cgroup, true, &err) == 0)
        return l->frozen = true;
    if (l->launcher->ops->pause)
        return l->launcher->ops->pause(l);
    launcher_base_freeze_failed(l->launcher, &err);
    return false;
}

int launch_base_thaw(struct launch *launch)
{
    struct launch_base *l = launch_base_of(launch);
    struct error err;
    bool is_dying;

    if (!l->frozen)
        return l->launcher->ops->unpause ? l->launcher->ops->unpause(l) : 0;
    l->frozen = false;
    if (l->stage != LAUNCH_RUNNING)
        return 0; /* the end has seen to it */
    is_dying = cgroup_is_dying(l->cgroup); /* before: then it cannot be told any more */
    if (cgroup_freeze(l->cgroup, false, &err) < 0) {
        log_warn("launcher", "not thawed", KV_STR("sandbox", l->id), KV_ERR(&err));
        return -ERR_CLOSED;
    }
    return is_dying ? -ERR_CLOSED : 0;
}

void launch_base_go(struct launch *launch)
{
    struct launch_base *l = launch_base_of(launch);

    if (l->stage == LAUNCH_RUNNING)
        init_link_go(l->link);
}

void launch_base_restart(struct launch *launch)
{
    struct launch_base *l = launch_base_of(launch);

    if (l->stage == LAUNCH_RUNNING)
        init_link_restart(l->link);
}

void launch_base_connect(struct launch *launch, uint32_t token, uint16_t port)
{
    struct launch_base *l = launch_base_of(launch);

    if (l->stage == LAUNCH_RUNNING)
        init_link_connect(l->link, token, port);
}
