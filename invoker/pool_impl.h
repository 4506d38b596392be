/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool_impl.h - inside the pool: pool.c decides who runs where and what is begun, pool_idle.c what becomes
 * of sandboxes that nothing runs on, pool_room.c tells of both.
 */
#ifndef HEARTH_INVOKER_POOL_IMPL_H
#define HEARTH_INVOKER_POOL_IMPL_H

#include "invoker/keep_alive.h"
#include "invoker/pool.h"
#include "invoker/scaling_rate.h"

struct pool {
    struct pool_options options;
    struct list_node wanting; /* versions that wait for a start, in turn */
    struct list_node idle; /* sandboxes, longest idle first */
    struct list_node ending; /* sandboxes */
    uint64_t used_mib;
    uint64_t claimed_mib; /* free memory kept for those that had it freed */
    uint32_t versions;
    struct pool_counts counts;
    struct list_node quiet; /* versions in a pause that the policy looks at */
    struct list_node changed; /* versions of which something else may be idle than was told */
    bool touched; /* ops->changed was called */
    bool starting; /* start_wanted() is running: no second one inside it */
    bool start_again;
};

struct pool_version {
    struct pool *pool;
    void *user;
    uint32_t memory_mib;
    bool retired;
    struct list_node sandboxes; /* all */
    struct list_node idle; /* newest first */
    struct list_node idle_kept; /* the same, of those that are kept */
    struct list_node waiting; /* oldest first */
    uint32_t waiting_count;
    uint32_t hurried_count; /* of the waiting */
    uint32_t starting_count; /* creating and starting */
    uint32_t returning_count;
    uint32_t keep; /* how many are to be kept */
    uint32_t kept_count, kept_ready_count;
    bool keep_paused;
    bool keep_failed; /* by one that did not become ready */
    uint64_t evicting_mib; /* of sandboxes that are ending on its behalf */
    uint64_t claim_mib; /* freed on its behalf, not used yet */
    struct scaling_rate *rate; /* of its function; NULL: unlimited */
    struct list_node want; /* in pool.wanting */

    /* pool_room.c */
    struct list_node changed; /* in pool.changed */
    struct pool_warm told;
    bool is_told;

    /* pool_idle.c */
    struct keep_alive *habits; /* NULL: the fixed policy */
    uint32_t busy_count;
    uint64_t quiet_since_us; /* nothing runs or waits since; 0: something does */
    uint64_t look_us; /* when the policy has something else to say */
    struct list_node quiet; /* in pool.quiet */
    bool prewarm; /* a sandbox is wanted ahead of the next invocation, if there is room */
};

/* ---- pool.c */

/* The only writer of ps->place: keeps counts and lists in step. */
void pool_place_set(struct pool_sandbox *ps, enum pool_place place);
/* @ps, idle or not ready yet, has to end. */
void pool_end(struct pool_sandbox *ps, enum pool_end why);
/* @pv may want a sandbox now. */
void pool_want(struct pool_version *pv);
void pool_start_wanted(struct pool *pool);

/* ---- pool_room.c */

/* Something of @pv is other than it was. */
void pool_touch(struct pool_version *pv);

/* ---- pool_rate.c */

/* Whether a sandbox of @pv may be begun now. If not, *@due_us is no later than when it may be. */
bool pool_rate_allows(const struct pool_version *pv, uint64_t *due_us);
/* Starts are to be looked at again at @due_us; UINT64_MAX: nothing waits for that. */
void pool_rate_wait(struct pool *pool, uint64_t due_us);

/* ---- pool_idle.c */

/* @ps has become idle: where it is found, by its version, and by its age when that may end it. */
void pool_idle_list(struct pool_sandbox *ps);
/* An invocation has come for @pv. */
void pool_idle_called(struct pool_version *pv);
/* Perhaps nothing runs on @pv, or waits, any more. */
void pool_idle_look(struct pool_version *pv);
/* Whether a sandbox of @pv should be begun ahead of its next invocation. */
bool pool_idle_wants(const struct pool_version *pv);

#endif
