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
#include "invoker/blank_pool.h"
#include "invoker/engine_layers.h"
#include "invoker/launch_base.h"
#include "invoker/launch_network.h"
#include "invoker/sandbox_limits.h"

#define MIB 1048576u
/* No launch for so long: the CPUs are free for what the next ones need. */
#define REFILL_QUIET_US MSEC(20)
#define SWEEP_AGAIN_US SECONDS(1)

struct refill;

struct native_launcher {
    struct launcher_base base;
    struct native_host *host;
    struct blank_pool *pool;
    struct timer refill_timer; /* until the mounts that were used up are made anew */
    struct refill *refill; /* the one that runs */
    struct timer sweep_timer; /* the next look at what an earlier life left, or that it is gone */
    void (*swept)(void *arg);
    void *swept_arg;
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
    struct launch_base base;
    struct native_launcher *launcher;
    struct cgroup_limits limits;
    struct blank_wait wait;
    struct blank *blank; /* ours until blank_end(); its link is the launch's */
    struct mounting *mounting; /* until they are made */
    struct rootfs rootfs; /* its descriptors until they are handed over, the disk to the end */
    bool has_rootfs;
    struct net_policy *policy; /* until it holds; NULL: none */
    struct launch_network *networking; /* the work on that */
    struct first_step *first; /* that is due */
    struct timer timer; /* on_gone, when there is nothing to end */
};

/* What launch_start() leaves for the end of the loop's turn: a timer would cost a millisecond. */
struct first_step {
    struct native_launch *launch; /* NULL: freed */
};

static struct native_launch *launch_of(struct launch_base *base)
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
    rootfs_gone(host->mounts, &m->rootfs);
    for (layer = m->layers; layer && *layer; layer++)
        free(*layer);
    free(m->layers);
    free(m->code_dir);
    free(m->layers_dir);
    free(m);
    native_host_unref(host);
}

/* A disk of /tmp given back on a worker thread: what was on it is thrown away, which may be much. */
struct giving_back {
    struct native_host *host;
    struct rootfs rootfs;
};

static void give_back_work(void *arg)
{
    struct giving_back *g = arg;

    rootfs_gone(g->host->mounts, &g->rootfs);
}

static void give_back_done(void *arg)
{
    struct giving_back *g = arg;

    native_host_unref(g->host);
    free(g);
}

static void give_back(struct native_launch *l)
{
    struct giving_back *g;

    rootfs_close(&l->rootfs);
    if (!l->rootfs.disk)
        return;
    g = calloc(1, sizeof(*g));
    if (!g)
        abort();
    g->host = native_host_ref(l->launcher->host);
    g->rootfs.disk = TAKE(l->rootfs.disk);
    loop_work(l->base.launcher->loop, give_back_work, give_back_done, g);
}

static void native_free(struct launch_base *base)
{
    struct native_launch *l = launch_of(base);

    launch_base_done(base);
    list_remove(&l->wait.node);
    timer_stop(&l->timer);
    if (l->first)
        l->first->launch = NULL;
    if (l->mounting && l->mounting->begun)
        l->mounting->launch = NULL;
    else if (l->mounting)
        mounting_free(l->mounting);
    give_back(l);
    launch_network_cancel(l->networking);
    net_policy_free(l->policy);
    blank_free(l->blank);
    free(l);
}

static void on_dead(void *arg)
{
    launch_base_dead(&((struct native_launch *)arg)->base);
}

static void on_gone(void *arg)
{
    struct native_launch *l = arg;

    l->blank = NULL; /* it has freed itself */
    launch_base_gone(&l->base);
}

static void native_end(struct launch_base *base)
{
    struct native_launch *l = launch_of(base);

    list_remove(&l->wait.node);
    launch_network_cancel(TAKE(l->networking));
    base->link = NULL;
    base->cgroup = NULL;
    if (l->blank)
        blank_end(l->blank, on_dead, on_gone, l);
    else
        timer_start(&l->timer, 0);
}

static void launch_fail(struct native_launch *l, enum launch_failure failure,
                        const struct error *err)
{
    launch_base_fail(&l->base, LOG_WARN, failure, err);
}

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

    if (launcher->refill || launcher->base.stopping)
        return;
    refill = calloc(1, sizeof(*refill));
    if (!refill)
        abort();
    refill->launcher = launcher;
    refill->host = native_host_ref(launcher->host);
    launcher->refill = refill;
    loop_work(launcher->base.loop, refill_work, refill_done, refill);
}

static int assign(struct native_launch *l, struct error *err)
{
    const struct init_assign m = {l->rootfs.mounts, SANDBOX_UID, SANDBOX_GID};
    int r = cgroup_limit(l->base.cgroup, &l->limits, err);

    if (r == 0)
        r = init_link_assign(l->base.link, &m, l->rootfs.fds, err);
    rootfs_close(&l->rootfs);
    return r;
}

static void assign_if_complete(struct native_launch *l);

static void on_restricted(struct network_port *port, const struct error *err, void *arg)
{
    struct native_launch *l = arg;

    l->networking = NULL;
    network_detach(port); /* the blank has its own reference */
    if (err) {
        launch_fail(l, LAUNCH_FAILED_ENGINE, err);
        return;
    }
    net_policy_free(TAKE(l->policy));
    assign_if_complete(l);
}

static void assign_if_complete(struct native_launch *l)
{
    struct launch_fds fds;
    struct error err;
    uint64_t began = now_us();

    if (l->base.stage != LAUNCH_MAKING || !l->blank || !l->has_rootfs || l->networking)
        return;
    if (l->policy) {
        l->networking = launch_network_begin(l->base.launcher->loop, l->base.launcher->network, 0,
                                             network_port_ref(blank_port(l->blank)), l->policy,
                                             on_restricted, l);
        return;
    }
    if (assign(l, &err) < 0) {
        launch_fail(l, LAUNCH_FAILED_ENGINE, &err);
        return;
    }
    l->base.times.start_us = now_us() - began;
    timer_start(&l->launcher->refill_timer, REFILL_QUIET_US);
    fds = blank_take_fds(l->blank);
    lease_guard_add(l->base.launcher->guard, blank_pidfd(l->blank));
    launch_base_ready(&l->base, blank_id(l->blank), &fds);
}

static void got_blank(struct native_launch *l, struct blank *blank)
{
    l->base.times.queued_us = now_us() - l->base.began_us;
    l->blank = blank;
    l->base.cgroup = blank_cgroup(blank);
    l->base.link = blank_adopt(blank, &launch_base_link_handler, &l->base);
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
        m->rootfs = (struct rootfs){0};
        l->base.times.create_us = now_us() - l->base.began_us;
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
        loop_work(l->base.launcher->loop, mounting_work, mounting_done, m);
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
    if (l->base.stage != LAUNCH_MAKING) /* it was ended at once */
        return;
    blank = blank_pool_take(l->launcher->pool);
    if (blank)
        got_blank(l, blank);
    else
        blank_pool_wait(l->launcher->pool, &l->wait);
    mounting_begin(l);
}

/* ---- launcher.h */

static int native_start(struct launcher *base, const struct launch_options *o, struct launch **ret,
                        struct error *err)
{
    struct native_launcher *launcher = CONTAINER_OF(base, struct native_launcher, base.base);
    struct native_launch *l = calloc(1, sizeof(*l));
    int r;

    if (!l)
        abort();
    r = launch_base_init(&l->base, &launcher->base, o, err);
    if (r < 0) {
        free(l);
        return r;
    }
    l->launcher = launcher;
    l->policy = net_policy_copy(o->spec->network);
    l->limits = (struct cgroup_limits){(uint64_t)o->spec->memory_mib * MIB,
                                       sandbox_cpu_shares(o->spec->memory_mib)};
    l->wait.got = on_blank;
    l->wait.arg = l;
    list_init(&l->wait.node);
    l->first = calloc(1, sizeof(*l->first));
    if (!l->first)
        abort();
    l->first->launch = l;
    timer_init(&l->timer, launcher->base.loop, on_gone, l);
    mounting_new(l, o);
    loop_defer(launcher->base.loop, on_first_step, l->first);
    *ret = &l->base.base;
    return 0;
}

static void on_sweep_timer(void *arg)
{
    struct native_launcher *launcher = arg;
    void (*swept)(void *) = launcher->swept;

    if (native_host_sweep(launcher->host))
        swept(launcher->swept_arg);
    else
        timer_start(&launcher->sweep_timer, SWEEP_AGAIN_US);
}

static void native_swept(struct launcher *base, void (*done)(void *arg), void *arg)
{
    struct native_launcher *launcher = CONTAINER_OF(base, struct native_launcher, base.base);

    launcher->swept = done;
    launcher->swept_arg = arg;
    timer_start(&launcher->sweep_timer, 0);
}

static bool native_is_empty(const struct launcher_base *base)
{
    return blank_pool_is_empty(CONTAINER_OF(base, const struct native_launcher, base)->pool);
}

static void on_blank_gone(void *arg)
{
    launcher_base_look(arg);
}

static void native_stop(struct launcher *base, void (*done)(void *arg), void *arg)
{
    struct native_launcher *launcher = CONTAINER_OF(base, struct native_launcher, base.base);

    blank_pool_stop(launcher->pool, on_blank_gone, &launcher->base);
    launcher_base_stop(base, done, arg);
}

static void native_launcher_free(struct launcher *base)
{
    struct native_launcher *launcher = CONTAINER_OF(base, struct native_launcher, base.base);

    launcher_base_done(&launcher->base);
    blank_pool_free(launcher->pool);
    timer_stop(&launcher->refill_timer);
    timer_stop(&launcher->sweep_timer);
    if (launcher->refill)
        launcher->refill->launcher = NULL;
    native_host_unref(launcher->host);
    free(launcher);
}

static const struct launcher_ops native_ops = {
    .name = "native",
    .start = native_start,
    LAUNCH_BASE_TABLE,
    .swept = native_swept,
    .stop = native_stop,
    .free = native_launcher_free,
};

static const struct launch_base_ops base_ops = {
    .end = native_end,
    .free = native_free,
    .is_empty = native_is_empty,
};

int launcher_native_new(const struct launcher_native_options *o, struct launcher **ret,
                        struct error *err)
{
    const struct native_host_options options = {.loop = o->loop,
                                                .network = o->network,
                                                .node = o->node,
                                                .dir = o->dir,
                                                .scratch_dir = o->scratch_dir,
                                                .init_path = o->init_path,
                                                .program = o->program};
    struct native_launcher *launcher;
    struct native_host *host;
    int r = o->docker_socket ? engine_layers_check(o->docker_socket, err) : 0;

    if (r == 0)
        r = native_host_new(&options, &host, err);
    if (r < 0)
        return r;
    launcher = calloc(1, sizeof(*launcher));
    if (!launcher)
        abort();
    launcher_base_init(&launcher->base, o->loop, o->network, &native_ops, &base_ops);
    launcher->base.guard = o->guard;
    launcher->host = host;
    launcher->pool = blank_pool_new(&(struct blank_pool_options){
        .host = host,
        .most = o->blanks_max,
        .parallel = o->starts_max ? o->starts_max : launcher_base_parallel(&launcher->base),
        .limit_us = o->connect_us ? o->connect_us : LAUNCH_CONNECT_US_DEFAULT});
    timer_init(&launcher->sweep_timer, o->loop, on_sweep_timer, launcher);
    timer_init(&launcher->refill_timer, o->loop, on_refill_timer, launcher);
    timer_start(&launcher->refill_timer, REFILL_QUIET_US);
    log_info("launcher", "native sandboxes",
             KV_STR("runtime", oci_runtime_program(host->runtime)),
             KV_STR("cgroup", cgroup_life_parent(host->cgroups)));
    *ret = &launcher->base.base;
    return 0;
}
