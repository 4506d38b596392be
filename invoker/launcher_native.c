/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One launch needs two things, got beside each other: a blank sandbox and its mounts. With both it
 * is assigned; then it is as any other launch.
 */
#include "invoker/launcher_native.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/map.h"
#include "invoker/blank_pool.h"
#include "invoker/sandbox_env.h"
#include "invoker/sandbox_limits.h"

#define ID_MAX 32
#define CONNECT_US_DEFAULT SECONDS(10)
#define MIB 1048576u
/* No launch for so long: the CPUs are free for what the next ones need. */
#define REFILL_QUIET_US MSEC(20)

enum phase {
    WAITING, /* for a blank, for its mounts */
    READY, /* assigned and handed over */
    RUNNING, /* launch_run() was called */
    ENDING, /* its sandbox is going */
    GONE, /* on_gone is due */
};

struct refill;

struct native_launcher {
    struct launcher base;
    struct loop *loop;
    struct native_host *host;
    struct blank_pool *pool;
    struct map launches; /* by sandbox id */
    void (*stopped)(void *arg);
    void *stopped_arg;
    bool stopping;
    struct timer stop_timer;
    struct timer refill_timer; /* until the mounts that were used up are made anew */
    struct refill *refill; /* the one that runs */
};

/* The mounts of one launch being made on a worker thread; @launch is NULL once it has ended. */
struct mounting {
    struct native_launch *launch;
    struct native_host *host;
    bool begun;
    struct rootfs_request request;
    char **layers, *code_dir, *layers_dir; /* @request's */
    struct rootfs rootfs;
    int r;
    struct error err;
};

struct native_launch {
    struct launch base;
    struct native_launcher *launcher;
    const struct launch_handler *handler;
    void *arg;
    char id[ID_MAX + 1];
    enum phase phase;
    struct sandbox_env *env; /* until it runs */
    struct cgroup_limits limits;
    struct blank_wait wait;
    struct blank *blank; /* ours until blank_end() */
    struct init_link *link; /* the blank's */
    struct mounting *mounting; /* until they are made */
    struct rootfs rootfs; /* until they are handed over */
    bool has_rootfs;
    bool failed, exited; /* was reported */
    struct launch_times times;
    uint64_t began_us;
    struct first_step *first; /* that is due */
    struct timer timer; /* on_gone, when there is nothing to end */
};

/* What launch_start() leaves for the end of the loop's turn: a timer would cost a millisecond. */
struct first_step {
    struct native_launch *launch; /* NULL: freed */
};

static struct native_launcher *launcher_of(struct launcher *base)
{
    return CONTAINER_OF(base, struct native_launcher, base);
}

static struct native_launch *launch_of(struct launch *base)
{
    return CONTAINER_OF(base, struct native_launch, base);
}

/* ---- the end */

static void mounting_free(struct mounting *m)
{
    struct native_host *host = m->host;
    char **layer;

    if (m->launch)
        m->launch->mounting = NULL;
    rootfs_close(&m->rootfs);
    for (layer = m->layers; layer && *layer; layer++)
        free(*layer);
    free(m->layers);
    free(m->code_dir);
    free(m->layers_dir);
    free(m);
    native_host_unref(host);
}

static void launch_free(struct native_launch *l)
{
    map_remove(&l->launcher->launches, str_of(l->id));
    list_remove(&l->wait.node);
    timer_stop(&l->timer);
    if (l->first)
        l->first->launch = NULL;
    if (l->mounting && l->mounting->begun)
        l->mounting->launch = NULL;
    else if (l->mounting)
        mounting_free(l->mounting);
    rootfs_close(&l->rootfs);
    sandbox_env_free(l->env);
    free(l);
}

static void tell_stopped(void *arg)
{
    struct native_launcher *launcher = arg;
    void (*stopped)(void *) = TAKE(launcher->stopped);

    if (stopped)
        stopped(launcher->stopped_arg);
}

static void look_whether_stopped(void *arg)
{
    struct native_launcher *launcher = arg;

    if (launcher->stopping && launcher->launches.len == 0 && blank_pool_is_empty(launcher->pool))
        timer_start(&launcher->stop_timer, 0);
}

static void launch_gone(void *arg)
{
    struct native_launch *l = arg;
    struct native_launcher *launcher = l->launcher;

    log_debug("launcher", "gone", KV_STR("sandbox", l->id));
    l->phase = GONE;
    l->blank = NULL;
    l->handler->on_gone(&l->base, l->arg);
    launch_free(l);
    look_whether_stopped(launcher);
}

static void launch_ending(struct native_launch *l)
{
    l->phase = ENDING;
    list_remove(&l->wait.node);
    l->link = NULL;
    if (l->blank) /* it frees itself */
        blank_end(l->blank, launch_gone, l);
    else
        timer_start(&l->timer, 0);
}

static void launch_fail(struct native_launch *l, enum launch_failure failure,
                        const struct error *err)
{
    if (l->phase >= ENDING)
        return;
    if (!l->failed && !l->exited) {
        l->failed = true;
        log_warn("launcher", "failed", KV_STR("sandbox", l->id), KV_ERR(err));
        l->handler->on_failed(&l->base, failure, err, l->arg);
    }
    if (l->phase < ENDING) /* on_failed may have ended it */
        launch_ending(l);
}

/* ---- PID 1 */

static void on_hello(const struct launch_fds *fds, void *arg)
{
    (void)fds; /* the blank's: it was before we came */
    (void)arg;
}

static void on_started(const struct init_started *m, void *arg)
{
    struct native_launch *l = arg;

    log_debug("launcher", "main process started", KV_STR("sandbox", l->id), KV_I64("pid", m->pid));
}

static void on_exited(const struct init_exited *m, void *arg)
{
    struct native_launch *l = arg;
    const struct launch_exit how = {m->status, m->oom_kills};

    if (l->exited)
        return;
    l->exited = true;
    l->handler->on_exited(&l->base, &how, l->arg);
}

static void on_failure(const struct init_failure *m, void *arg)
{
    struct native_launch *l = arg;
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
    launch_fail(l, failure, &err);
}

static void on_extensions(const struct init_extensions *m, int log_fd, void *arg)
{
    struct native_launch *l = arg;

    l->handler->on_extensions(&l->base, m, log_fd, l->arg);
}

static void on_extension(const struct init_extension *m, void *arg)
{
    struct native_launch *l = arg;

    l->handler->on_extension(&l->base, m, l->arg);
}

static void on_socket(const struct init_socket *m, int fd, void *arg)
{
    struct native_launch *l = arg;

    l->handler->on_socket(&l->base, m->token, fd, m->sys_errno, l->arg);
}

static void on_closed(const struct error *err, void *arg)
{
    launch_fail(arg, LAUNCH_FAILED_DIED, err);
}

static const struct init_link_handler link_handler = {
    .on_hello = on_hello,
    .on_started = on_started,
    .on_exited = on_exited,
    .on_failure = on_failure,
    .on_closed = on_closed,
    .on_extensions = on_extensions,
    .on_extension = on_extension,
    .on_socket = on_socket,
};

/* ---- a blank and its mounts */

/* A refill on a worker thread; the launcher may have gone meanwhile. */
struct refill {
    struct native_launcher *launcher;
    struct native_host *host;
    bool more;
};

static void refill_work(void *arg)
{
    struct refill *refill = arg;

    refill->more = rootfs_refill(refill->host->mounts);
}

static void refill_done(void *arg)
{
    struct refill *refill = arg;

    if (refill->launcher) {
        refill->launcher->refill = NULL;
        if (refill->more)
            timer_start(&refill->launcher->refill_timer, 0);
    }
    native_host_unref(refill->host);
    free(refill);
}

static void on_refill_timer(void *arg)
{
    struct native_launcher *launcher = arg;
    struct refill *refill;

    if (launcher->refill || launcher->stopping)
        return;
    refill = calloc(1, sizeof(*refill));
    if (!refill)
        abort();
    refill->launcher = launcher;
    refill->host = native_host_ref(launcher->host);
    launcher->refill = refill;
    loop_work(launcher->loop, refill_work, refill_done, refill);
}

static int assign(struct native_launch *l, struct error *err)
{
    const struct init_assign m = {l->rootfs.mounts, SANDBOX_UID, SANDBOX_GID};
    int r = cgroup_limit(l->launcher->host->cgroups, blank_id(l->blank), &l->limits, err);

    if (r == 0)
        r = init_link_assign(l->link, &m, l->rootfs.fds, err);
    rootfs_close(&l->rootfs);
    return r;
}

static void assign_if_complete(struct native_launch *l)
{
    struct launch_fds fds;
    struct error err;
    uint64_t began = now_us();

    if (l->phase != WAITING || !l->blank || !l->has_rootfs)
        return;
    if (assign(l, &err) < 0) {
        launch_fail(l, LAUNCH_FAILED_ENGINE, &err);
        return;
    }
    l->phase = READY;
    l->times.start_us = now_us() - began;
    l->times.total_us = now_us() - l->began_us;
    log_info("launcher", "sandbox ready", KV_STR("sandbox", l->id),
             KV_STR("blank", blank_id(l->blank)), KV_U64("queued_us", l->times.queued_us),
             KV_U64("create_us", l->times.create_us), KV_U64("start_us", l->times.start_us),
             KV_U64("total_us", l->times.total_us));
    timer_start(&l->launcher->refill_timer, REFILL_QUIET_US);
    fds = blank_take_fds(l->blank);
    l->handler->on_ready(&l->base, &fds, &l->times, l->arg);
}

static void got_blank(struct native_launch *l, struct blank *blank)
{
    l->times.queued_us = now_us() - l->began_us;
    l->blank = blank;
    l->link = blank_adopt(blank, &link_handler, l);
}

static void on_blank(struct blank *blank, const struct error *err, void *arg)
{
    struct native_launch *l = arg;

    if (!blank) {
        launch_fail(l, err->code == ERR_TIMEOUT ? LAUNCH_FAILED_TIMEOUT : LAUNCH_FAILED_ENGINE,
                    err);
        return;
    }
    got_blank(l, blank);
    assign_if_complete(l);
}

static void mounting_work(void *arg)
{
    struct mounting *m = arg;

    m->r = rootfs_make(m->host->mounts, &m->request, &m->rootfs, &m->err);
}

static void mounting_done(void *arg)
{
    struct mounting *m = arg;
    struct native_launch *l = m->launch;
    struct error err = m->err;
    int r = m->r;

    if (l && r == 0) {
        l->rootfs = m->rootfs;
        l->has_rootfs = true;
        m->rootfs.fds_len = 0;
        l->times.create_us = now_us() - l->began_us;
    }
    mounting_free(m);
    if (!l)
        return;
    if (r < 0)
        launch_fail(l, r == -ERR_NOT_FOUND ? LAUNCH_FAILED_NO_IMAGE : LAUNCH_FAILED_ENGINE, &err);
    else
        assign_if_complete(l);
}

static char *dup_or_null(const char *s)
{
    return s ? str_dup(str_of(s)) : NULL;
}

static struct mounting *mounting_new(struct native_launch *l, const struct launch_options *o)
{
    struct mounting *m = calloc(1, sizeof(*m));
    size_t n = 0, i;

    while (o->image->layers && o->image->layers[n])
        n++;
    if (m)
        m->layers = calloc(n + 1, sizeof(*m->layers));
    if (!m || !m->layers)
        abort();
    for (i = 0; i < n; i++)
        m->layers[i] = str_dup(str_of(o->image->layers[i]));
    m->launch = l;
    m->host = native_host_ref(l->launcher->host);
    m->code_dir = dup_or_null(o->code_dir);
    m->layers_dir = dup_or_null(o->layers_dir);
    m->request =
        (struct rootfs_request){m->layers, m->code_dir, m->layers_dir, o->spec->ephemeral_mib};
    l->mounting = m;
    return m;
}

/* On this thread when it is a matter of microseconds: the worker's answer would take longer. */
static void mounting_begin(struct native_launch *l)
{
    struct mounting *m = l->mounting;

    m->begun = true;
    if (rootfs_is_quick(m->host->mounts, &m->request)) {
        mounting_work(m);
        mounting_done(m);
    } else {
        loop_work(l->launcher->loop, mounting_work, mounting_done, m);
    }
}

static void on_first_step(void *arg)
{
    struct first_step *first = arg;
    struct native_launch *l = first->launch;
    struct blank *blank;

    free(first);
    if (!l)
        return;
    l->first = NULL;
    if (l->phase != WAITING) /* it was ended at once */
        return;
    blank = blank_pool_take(l->launcher->pool);
    if (blank)
        got_blank(l, blank);
    else
        blank_pool_wait(l->launcher->pool, &l->wait);
    mounting_begin(l);
}

/* ---- launcher.h */

static bool id_is_valid(const char *id)
{
    size_t len = strlen(id);

    return len >= 1 && len <= ID_MAX &&
           strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == len && id[0] != '-';
}

static int native_start(struct launcher *base, const struct launch_options *o, struct launch **ret,
                        struct error *err)
{
    struct native_launcher *launcher = launcher_of(base);
    struct native_launch *l;
    struct sandbox_env *env;
    int r;

    if (!id_is_valid(o->sandbox_id) || map_get(&launcher->launches, str_of(o->sandbox_id)))
        return error_set(err, ERR_BAD_REQUEST, "%s is no id for a new sandbox", o->sandbox_id);
    r = sandbox_env_new(o->spec, o->image, o->log_stream, &env, err);
    if (r < 0)
        return r;
    l = calloc(1, sizeof(*l));
    if (!l)
        abort();
    l->base.launcher = base;
    l->launcher = launcher;
    l->handler = o->handler;
    l->arg = o->arg;
    l->env = env;
    l->limits = (struct cgroup_limits){(uint64_t)o->spec->memory_mib * MIB,
                                       sandbox_cpu_shares(o->spec->memory_mib)};
    snprintf(l->id, sizeof(l->id), "%s", o->sandbox_id);
    l->began_us = now_us();
    l->wait.got = on_blank;
    l->wait.arg = l;
    list_init(&l->wait.node);
    l->first = calloc(1, sizeof(*l->first));
    if (!l->first)
        abort();
    l->first->launch = l;
    timer_init(&l->timer, launcher->loop, launch_gone, l);
    map_put(&launcher->launches, str_of(l->id), l);
    mounting_new(l, o);
    loop_defer(launcher->loop, on_first_step, l->first);
    *ret = &l->base;
    return 0;
}

static void native_run(struct launch *base)
{
    struct native_launch *l = launch_of(base);

    if (l->phase != READY)
        return;
    l->phase = RUNNING;
    init_link_start(l->link, &(struct init_start){l->env->cwd, (const char *const *)l->env->argv,
                                                  (const char *const *)l->env->env});
}

static void native_signal(struct launch *base, int signo)
{
    struct native_launch *l = launch_of(base);

    if (l->phase == RUNNING)
        init_link_signal(l->link, signo);
}

static void native_kill(struct launch *base)
{
    struct native_launch *l = launch_of(base);

    if (l->phase == RUNNING)
        init_link_kill(l->link);
}

static bool native_freeze(struct launch *base, bool frozen)
{
    struct native_launch *l = launch_of(base);
    struct error err;

    if (l->phase != RUNNING)
        return false;
    if (cgroup_freeze(l->launcher->host->cgroups, blank_id(l->blank), frozen, &err) == 0)
        return true;
    log_warn("launcher", frozen ? "not frozen" : "not thawed", KV_STR("sandbox", l->id),
             KV_ERR(&err));
    return false;
}

static void native_go(struct launch *base)
{
    struct native_launch *l = launch_of(base);

    if (l->phase == RUNNING)
        init_link_go(l->link);
}

static void native_connect(struct launch *base, uint32_t token, uint16_t port)
{
    struct native_launch *l = launch_of(base);

    if (l->phase == RUNNING)
        init_link_connect(l->link, token, port);
}

static void native_end(struct launch *base)
{
    struct native_launch *l = launch_of(base);

    if (l->phase < ENDING)
        launch_ending(l);
}

static void native_stop(struct launcher *base, void (*done)(void *arg), void *arg)
{
    struct native_launcher *launcher = launcher_of(base);
    struct str key;
    size_t at = 0;
    void *l;

    launcher->stopping = true;
    launcher->stopped = done;
    launcher->stopped_arg = arg;
    while (map_next(&launcher->launches, &at, &key, &l))
        native_end(&((struct native_launch *)l)->base);
    blank_pool_stop(launcher->pool, look_whether_stopped, launcher);
    look_whether_stopped(launcher);
}

static void native_free(struct launcher *base)
{
    struct native_launcher *launcher = launcher_of(base);
    struct native_launch *l;
    struct str key;
    size_t at;
    void *value;

    while (at = 0, map_next(&launcher->launches, &at, &key, &value)) {
        l = value;
        blank_free(l->blank);
        launch_free(l);
    }
    map_done(&launcher->launches);
    blank_pool_free(launcher->pool);
    timer_stop(&launcher->stop_timer);
    timer_stop(&launcher->refill_timer);
    if (launcher->refill)
        launcher->refill->launcher = NULL;
    native_host_unref(launcher->host);
    free(launcher);
}

static const struct launcher_ops native_ops = {
    .name = "native",
    .start = native_start,
    .run = native_run,
    .signal = native_signal,
    .kill = native_kill,
    .end = native_end,
    .freeze = native_freeze,
    .go = native_go,
    .connect = native_connect,
    .stop = native_stop,
    .free = native_free,
};

int launcher_native_new(const struct launcher_native_options *o, struct launcher **ret,
                        struct error *err)
{
    const struct native_host_options options = {.loop = o->loop,
                                                .node = o->node,
                                                .dir = o->dir,
                                                .scratch_dir = o->scratch_dir,
                                                .init_path = o->init_path,
                                                .program = o->program};
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    struct native_launcher *launcher;
    struct native_host *host;
    int r = native_host_new(&options, &host, err);

    if (r < 0)
        return r;
    launcher = calloc(1, sizeof(*launcher));
    if (!launcher)
        abort();
    launcher->base.ops = &native_ops;
    launcher->loop = o->loop;
    launcher->host = host;
    launcher->pool = blank_pool_new(&(struct blank_pool_options){
        .host = host,
        .most = o->blanks_max,
        .parallel = o->starts_max ? o->starts_max : 2 * (uint32_t)(cpus > 0 ? cpus : 1),
        .limit_us = o->connect_us ? o->connect_us : CONNECT_US_DEFAULT});
    map_init(&launcher->launches, NULL);
    timer_init(&launcher->stop_timer, o->loop, tell_stopped, launcher);
    timer_init(&launcher->refill_timer, o->loop, on_refill_timer, launcher);
    timer_start(&launcher->refill_timer, REFILL_QUIET_US);
    log_info("launcher", "native sandboxes",
             KV_STR("runtime", oci_runtime_program(host->runtime)),
             KV_STR("cgroup", cgroups_parent(host->cgroups)));
    *ret = &launcher->base;
    return 0;
}
