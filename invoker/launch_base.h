/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launch_base.h - what all launchers have in common: launches by their ids, what PID 1 says and is
 * told, and that each launch fails once, ends once and is gone last.
 *
 *   MAKING ── launch_base_ready() ── READY ── launch_run() ── RUNNING
 *     └───────── launch_base_fail(), launch_end() ── ENDING ── launch_base_gone() ── GONE
 *
 * A launcher's own structs begin with these two, and its table of launcher.h has LAUNCH_BASE_TABLE in
 * it. What differs is in struct launch_base_ops.
 *
 * Owns:    the environment, until the main process runs. Borrows: the link to PID 1, the cgroup.
 * Threads: loop thread only; callbacks as launcher.h has it.
 * Errors:  launch_base_init() checks the options; later ones go to the handler's on_failed.
 */
#ifndef HEARTH_INVOKER_LAUNCH_BASE_H
#define HEARTH_INVOKER_LAUNCH_BASE_H

#include "common/base/log.h"
#include "common/base/map.h"
#include "invoker/cgroup.h"
#include "invoker/init_link.h"
#include "invoker/thaw_janitor.h"
#include "invoker/launcher.h"
#include "invoker/lease_guard.h"
#include "invoker/net/network.h"
#include "invoker/sandbox_env.h"

#define LAUNCH_ID_MAX 32
/* For PID 1 to say HELLO, where nothing else is asked for. */
#define LAUNCH_CONNECT_US_DEFAULT SECONDS(10)

struct launch_base;
struct launcher_base;

struct launch_base_ops {
    /** PID 1 stands: launch_base_ready() is due. NULL where it was known before the launch. */
    void (*hello)(struct launch_base *l, const struct launch_fds *fds);
    /** Ends the sandbox; launch_base_gone() when nothing is left. Once, @l is ENDING already. */
    void (*end)(struct launch_base *l);
    /** Takes apart and frees what contains @l, in any stage, without waiting. */
    void (*free)(struct launch_base *l);
    /** CPU time where the cgroup cannot be used; NULL: then there is no limit. */
    void (*limit_cpu)(struct launch_base *l, uint32_t quota_us);
    /** As launch_freeze() and launch_thaw(), where the cgroup cannot be used; NULL: neither can be. */
    bool (*pause)(struct launch_base *l);
    int (*unpause)(struct launch_base *l);
    /** Whether nothing but launches would have to be waited for; NULL: there is nothing else. */
    bool (*is_empty)(const struct launcher_base *launcher);
};

struct launcher_base {
    struct launcher base;
    const struct launch_base_ops *ops;
    struct loop *loop;
    uint32_t cpus; /* of this node */
    struct network *network; /* borrowed; NULL: sandboxes have none */
    struct lease_guard *guard; /* borrowed; NULL: none */
    struct map launches; /* struct launch_base by sandbox id */
    struct thaw_janitor *janitor; /* the launcher's; told of cgroups that are frozen; NULL: no need */
    bool freeze_failure_told;
    void (*stopped)(void *arg); /* due when nothing is left */
    void *stopped_arg;
    bool stopping;
    struct timer stop_timer;
};

enum launch_stage { LAUNCH_MAKING, LAUNCH_READY, LAUNCH_RUNNING, LAUNCH_ENDING, LAUNCH_GONE };

struct launch_base {
    struct launch base;
    struct launcher_base *launcher;
    const struct launch_handler *handler;
    void *arg;
    char id[LAUNCH_ID_MAX + 1];
    enum launch_stage stage;
    struct sandbox_env *env; /* until the main process runs */
    struct init_link *link; /* the launcher's; NULL before it is there, and from the end on */
    const struct cgroup *cgroup; /* the launcher's; NULL: an engine has to be asked */
    uint32_t cpu_quota_us; /* in each period; 0: more than the node has, or limited already */
    bool frozen; /* by the cgroup */
    bool is_janitors; /* who knows of the cgroup */
    bool failed, exited, dead; /* was reported */
    struct launch_times times;
    uint64_t began_us;
};

static inline struct launch_base *launch_base_of(struct launch *launch)
{
    return CONTAINER_OF(launch, struct launch_base, base);
}

/** @ops are borrowed, static. */
void launcher_base_init(struct launcher_base *launcher, struct loop *loop, struct network *network,
                        const struct launcher_ops *table, const struct launch_base_ops *ops);
/** How many starts at once are good for this node's CPUs. */
uint32_t launcher_base_parallel(const struct launcher_base *launcher);
/** Frees every launch as its ops do. */
void launcher_base_done(struct launcher_base *launcher);
/** Ends every launch; @done comes when all are gone and ops->is_empty() agrees. */
void launcher_base_stop(struct launcher *launcher, void (*done)(void *arg), void *arg);
/** ops->is_empty() may have changed. */
void launcher_base_look(struct launcher_base *launcher);

/** Whether @id may name a sandbox: 1..LAUNCH_ID_MAX of [a-z0-9-], the first no '-'. */
bool launch_id_is_valid(const char *id);
/**
 * The MAKING launch of @options, now among its launcher's. On failure nothing is to be undone.
 * -ERR_UNSUPPORTED: the function has a VpcConfig, and there is no network.
 */
int launch_base_init(struct launch_base *l, struct launcher_base *launcher,
                     const struct launch_options *options, struct error *err);
/** Takes @l from its launcher's; for ops->free(). */
void launch_base_done(struct launch_base *l);

/** What PID 1 says, for the launch that is the link's argument. */
extern const struct init_link_handler launch_base_link_handler;

/** PID 1 stands in @container, as its maker calls it: to READY, with times and a line in the log. */
void launch_base_ready(struct launch_base *l, const char *container, const struct launch_fds *fds);
/** Reports the failure, if it is one still, logs it at @level and ends the launch. */
void launch_base_fail(struct launch_base *l, enum log_level level, enum launch_failure failure,
                      const struct error *err);
/** Sandboxes cannot be frozen; said once. */
void launcher_base_freeze_failed(struct launcher_base *launcher, const struct error *err);
/** An ending sandbox has no process any more: on_dead, if it was not said yet. */
void launch_base_dead(struct launch_base *l);
/** Nothing is left of the sandbox: on_gone, then ops->free(). */
void launch_base_gone(struct launch_base *l);

/* For the table of launcher.h: what is the same for all of them. */
void launch_base_run(struct launch *launch);
void launch_base_settled(struct launch *launch);
void launch_base_signal(struct launch *launch, int signo);
void launch_base_kill(struct launch *launch);
void launch_base_end(struct launch *launch);
bool launch_base_freeze(struct launch *launch);
int launch_base_thaw(struct launch *launch);
void launch_base_go(struct launch *launch);
void launch_base_restart(struct launch *launch);
void launch_base_connect(struct launch *launch, uint32_t token, uint16_t port);
#define LAUNCH_BASE_TABLE                                                                          \
    .run = launch_base_run, .settled = launch_base_settled, .signal = launch_base_signal,          \
    .kill = launch_base_kill, .end = launch_base_end, .freeze = launch_base_freeze,                \
    .thaw = launch_base_thaw, .go = launch_base_go, .restart = launch_base_restart,                \
    .connect = launch_base_connect

#endif
