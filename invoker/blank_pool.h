/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blank_pool.h - blank sandboxes ahead of need. Whoever needs one takes it, or waits in line; the
 * line is served by whatever becomes ready first, so nobody waits for another's function.
 *
 * The pool is filled when nobody waits and nothing was taken for a moment: making one costs as much
 * CPU as starting a function does.
 *
 * Owns:    its blanks; those that were taken are the taker's. Borrows: the host.
 * Threads: loop thread only; callbacks never run inside the call that asked for them.
 * Errors:  a blank that cannot be made fails the one who waits longest, if anyone; then there is a
 *          pause (0.1 s, doubling to 10 s) before the pool tries to fill itself again.
 */
#ifndef HEARTH_INVOKER_BLANK_POOL_H
#define HEARTH_INVOKER_BLANK_POOL_H

#include "common/base/list.h"
#include "invoker/blank.h"

struct blank_pool;

struct blank_pool_options {
    struct native_host *host;
    uint32_t most; /* kept ready; 0: each is made on demand */
    uint32_t parallel; /* made at once, at least 1 */
    uint64_t limit_us; /* for one to be made */
};

/** Someone who waits; zero it, list_init() the node. */
struct blank_wait {
    /** @blank is the waiter's (NULL: it failed, @err says why). Once. */
    void (*got)(struct blank *blank, const struct error *err, void *arg);
    void *arg;
    struct list_node node;
};

struct blank_pool *blank_pool_new(const struct blank_pool_options *options);
/** One that is ready, now the caller's; or NULL. */
struct blank *blank_pool_take(struct blank_pool *pool);
/** Calls @w->got later; list_remove(&@w->node) waits no more. */
void blank_pool_wait(struct blank_pool *pool, struct blank_wait *w);
/** Whether anything is left that is being made, kept or removed. */
bool blank_pool_is_empty(const struct blank_pool *pool);
/** Ends all it has; @done whenever one is gone. Nothing can be taken any more. */
void blank_pool_stop(struct blank_pool *pool, void (*done)(void *arg), void *arg);
/** Lets go of all without waiting. NULL is fine. */
void blank_pool_free(struct blank_pool *pool);

#endif
