/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool.h - which invocation gets which sandbox, and when a sandbox is begun or ended: the decisions
 * of a node, without any I/O.
 *
 * Each version (one generation of it) has its idle sandboxes, newest first, and its waiting
 * invocations, oldest first. Versions that wait for more sandboxes than are being made stand in one
 * ring; starts go round it, so that functions never queue behind each other. A waiting invocation
 * takes whichever comes first, a freed sandbox or a new one; a start that is no longer wanted is
 * not begun.
 *
 * A client that calls again at once is often faster than the runtime, which has answered and is
 * about to ask for more. Such a returning sandbox counts as on its way, until the invocation that
 * waits for it has no patience left (pool_hurry): then one is begun for it.
 *
 * Kept: a version may be provisioned with so many sandboxes. They are begun without being asked for, each
 * start of the version counts as one of them as long as there are too few, they run invocations
 * before others do, and neither age nor other versions' wants end them. When one fails or ends, none is
 * begun for it until pool_version_keep() is called again.
 *
 * Rate: a function begins no more sandboxes than its scaling rate allows (scaling_rate.h); what is wanted beyond that waits for
 * its time as it would for room. Kept ones are not counted: they are begun ahead, at the pace of the controller.
 *
 * Memory: sandboxes count with their full memory from the start until they are gone. When the node
 * is full, idle sandboxes of others are ended, least recently used first, and what they free is
 * kept for the version they were ended for.
 *
 * Idle: a sandbox is kept for idle_ttl_us, or as keep_alive.h finds it worth for its version: then, while
 * nothing of the version runs or waits, one sandbox of it is there in the minutes that are worth it and
 * none in the others, begun ahead of an invocation where there is room. Those beyond one are kept for
 * idle_ttl_us.
 *
 * Owns:    struct pool_version. Sandboxes and waits are embedded in their owners' structs.
 * Threads: loop thread only. The ops are called from inside the calls below; they may call back.
 * Errors:  pool_submit() refuses what can never run.
 * Source:  design.md sections 4 and 9 (invariants 2, 4, 6).
 */
#ifndef HEARTH_INVOKER_POOL_H
#define HEARTH_INVOKER_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/list.h"

struct keep_alive;
struct scaling_rate;
struct pool;
struct pool_version;

/** Where a sandbox stands, as far as the pool cares. */
enum pool_place {
    POOL_CREATING, /* takes one of the parallel starts */
    POOL_STARTING, /* in its init phase */
    POOL_IDLE,
    POOL_BUSY, /* has an invocation */
    POOL_RETURNING, /* has answered, and not asked for more yet */
    POOL_ENDING,
};

/** Embedded in a sandbox; all members are the pool's. */
struct pool_sandbox {
    struct pool_version *pv;
    enum pool_place place;
    uint64_t idle_since_us;
    struct pool_version *evicted_for; /* while ending: who gets its memory */
    bool outdated; /* ends when its invocation is over */
    bool kept; /* one of those that its version is provisioned with */
    struct list_node of_version;
    struct list_node idle; /* in its version's list, newest first */
    struct list_node age; /* in the node's list: idle, oldest first; or ending */
};

/** Embedded in an invocation. */
struct pool_wait {
    struct list_node node;
    bool hurried;
};

enum pool_end { POOL_END_EVICTED, POOL_END_EXPIRED, POOL_END_RETIRED, POOL_END_OUTDATED };

struct pool_ops {
    /* Begins a sandbox for @user (of pool_version_new), @kept: a provisioned one. Never NULL. */
    struct pool_sandbox *(*start)(void *user, bool kept, void *arg);
    /* @w runs on @ps from now on. */
    void (*run)(struct pool_sandbox *ps, struct pool_wait *w, void *arg);
    /* @ps (idle or not ready yet) has to end; pool_gone() follows. */
    void (*end)(struct pool_sandbox *ps, enum pool_end why, void *arg);
    /* @w will not run: its version was retired while it waited. */
    void (*refuse)(struct pool_wait *w, enum error_code code, void *arg);
    /* Of @user's kept sandboxes one is initialised, or is none any more. Nothing of the pool inside. */
    void (*kept_changed)(void *user, void *arg);
    /* For the first time since pool_each_changed() something is other than it was. Nothing of the pool
     * inside. */
    void (*changed)(void *arg);
    /* pool_start_due() is to be called at @at_us (monotonic): a version has reached its rate. */
    void (*start_later)(uint64_t at_us, void *arg);
};

struct pool_options {
    const struct clock *clock;
    uint64_t memory_mib; /* of all sandboxes together */
    uint64_t idle_ttl_us;
    uint32_t cold_start_worth; /* of keep_alive.h; 0: all sandboxes are kept for idle_ttl_us */
    uint32_t parallel; /* sandboxes being created at once */
    const struct pool_ops *ops; /* borrowed */
    void *arg;
};

struct pool_counts {
    uint32_t creating, starting, idle, busy, returning, ending, waiting;
    uint64_t memory_mib; /* taken by all of them */
};

struct pool *pool_new(const struct pool_options *options);
/** All versions must be freed before. NULL is fine. */
void pool_free(struct pool *pool);
void pool_counts_get(const struct pool *pool, struct pool_counts *ret);

/**
 * One version of one function at one generation, @memory_mib per sandbox. @habits, shared with its other
 * generations, may be NULL: then its sandboxes are kept for idle_ttl_us.
 */
struct pool_version *pool_version_new(struct pool *pool, uint32_t memory_mib,
                                      struct keep_alive *habits, void *user);
/** Its sandboxes, but those that are kept, are begun as @rate allows (scaling_rate.h), which gets a reference; NULL: any. */
void pool_version_limit(struct pool_version *pv, struct scaling_rate *rate);
/** Whether another sandbox of it, if it is wanted, has to wait for its rate. */
bool pool_version_is_at_rate(const struct pool_version *pv);
/** Begins what has waited for its rate, as far as that allows now. */
void pool_start_due(struct pool *pool);
/** It must have no sandbox and no waiting invocation any more. NULL is fine. */
void pool_version_free(struct pool_version *pv);
/**
 * Replaced or deleted: idle and starting sandboxes end now, busy ones when they are done, waiting
 * invocations are refused STALE. When this returns, none of its sandboxes can take another one.
 */
void pool_version_retire(struct pool_version *pv);
bool pool_version_is_retired(const struct pool_version *pv);
/**
 * From now on @count sandboxes are kept; also: try again after a start that failed. Those beyond
 * @count are kept no longer, and end when they are idle for their time.
 */
void pool_version_keep(struct pool_version *pv, uint32_t count);

struct pool_kept {
    uint32_t begun; /* that exist or are being made */
    uint32_t ready; /* of these: initialised */
    bool paused; /* one has failed or ended, and none is begun for it */
    bool failed; /* one of those did not become ready */
};
void pool_version_kept(const struct pool_version *pv, struct pool_kept *ret);

/**
 * Runs @w on an idle sandbox (ops->run is called before this returns) or queues it.
 *
 * Returns 1 when it runs, 0 when it waits, -ERR_STALE when @pv is retired, -ERR_THROTTLED when a
 * sandbox of @pv is larger than the node.
 */
int pool_submit(struct pool_version *pv, struct pool_wait *w);
/** @w, queued, has waited long enough for a sandbox that returns. Harmless twice. */
void pool_hurry(struct pool_version *pv, struct pool_wait *w);
/** @w gives up waiting. It must be queued. */
void pool_cancel(struct pool_version *pv, struct pool_wait *w);
/** Whether a new sandbox is on its way for @w and each that waits before it. */
bool pool_is_served(const struct pool_version *pv, const struct pool_wait *w);

/* What others may know of the node. */
struct pool_room {
    uint64_t memory_mib;
    int64_t free_mib; /* below zero: those who wait want more than there is */
    uint64_t idle_mib; /* of sandboxes that are ended when others need room */
};
void pool_room_get(const struct pool *pool, struct pool_room *ret);
/** Whether all that waits here, for @pv and for others, gets room: as it is, or from idle sandboxes. */
bool pool_has_room(const struct pool_version *pv);

struct pool_warm {
    void *user; /* of the version */
    uint32_t idle; /* sandboxes that take an invocation now, or in a moment */
    uint32_t kept; /* of these: provisioned ones */
};
void pool_version_warm(const struct pool_version *pv, struct pool_warm *ret);
/** False: there is no more room for it now. */
typedef bool pool_warm_fn(const struct pool_warm *warm, void *arg);
/**
 * Calls @fn for each version of which another number is idle than it was last told; without @all only
 * where that matters for who comes here. Returns whether some are left. Nothing of the pool inside.
 */
bool pool_each_changed(struct pool *pool, bool all, pool_warm_fn *fn, void *arg);

/** @ps is created; its init phase begins. */
void pool_created(struct pool_sandbox *ps);
/** The runtime of @ps waits for an event (after init, or after an invocation). */
void pool_ready(struct pool_sandbox *ps);
/** @ps has answered (or, idle, lost its runtime's request): pool_ready(), pool_ending() follow. */
void pool_returning(struct pool_sandbox *ps);
/**
 * @ps failed before it was ready. Returns the invocation that the failure belongs to (the longest
 * waiting one, out of the queue now), or NULL when enough other sandboxes are on their way. It may
 * be submitted again: to the end of the queue, so that each failure meets another one.
 */
struct pool_wait *pool_start_failed(struct pool_sandbox *ps);
/** @ps takes no invocation any more. Harmless twice. */
void pool_ending(struct pool_sandbox *ps);
/**
 * @ps is to give way to a new one: it ends now when it is idle, else once it is ready the next time. For one
 * that is kept another one is begun. Harmless twice.
 */
void pool_replace(struct pool_sandbox *ps);
/** @ps does not exist any more; its memory is free. */
void pool_gone(struct pool_sandbox *ps);

/**
 * Ends what has been idle for its time, begins what is worth having ahead of an invocation. Returns
 * when there is something to do next (monotonic), or 0.
 */
uint64_t pool_expire(struct pool *pool);

#endif
