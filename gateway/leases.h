/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leases.h - the permits that this gateway holds, of all pools: a state machine without I/O.
 *
 * A pool ("*", "<function>", "<function>:<version>" of an account) has so many permits held, so many
 * of them in use. Who finds none waits; at the end of the turn all pools that lack some are asked about
 * in one question. More is counted when the answer to a pool's newest question is here, less before it
 * is said. So the ledger never believes that fewer are held than are.
 *
 *   not joined --join--> joined: asks, takes, gives back --link lost--> uses what it has, asks nothing
 *       ^                  |
 *       +---- void <-------+  the epoch is over, or the ledger has given this gateway up: nothing is
 *                             held any more, invokers count what runs; a new incarnation joins
 *
 * Owns:    pools. A struct permit and a struct permit_wait are the caller's storage; they must not move
 *          and are given back or cancelled before they go.
 * Threads: loop thread only. Time is given with each call, monotonic microseconds.
 * Errors:  none of its own: those of others decide what happens next.
 * Source:  docs/internals/permits.md, tests/model/permits.pml.
 */
#ifndef HEARTH_GATEWAY_LEASES_H
#define HEARTH_GATEWAY_LEASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/list.h"
#include "common/base/str.h"

#define LEASE_DRY_US MSEC(20) /* for so long after a question it counts that there were none */
#define LEASE_IDLE_US SECONDS(10) /* permits that nobody used for so long go back */
#define LEASE_RETRY_MIN_US MSEC(50) /* after a question that failed; doubled each time */
#define LEASE_RETRY_MAX_US SECONDS(1)
#define LEASE_JOIN_RETRY_US MSEC(100)
#define LEASE_CONTENDED_US SECONDS(1) /* no spare permits are asked for after a recall */
#define LEASE_SPARE_MAX 64u /* permits asked for beyond those that are needed */
#define LEASE_BATCH_MAX 200u /* pools of one question */
#define LEASE_INCARNATION_MAX 96

struct leases;
struct lease_pool;

/** The right to run one invocation now. All zero: none. */
struct permit {
    struct list_node node; /* in its pool */
    struct lease_pool *pool; /* NULL: none, or not any more */
    struct str function; /* whose invocation it is; borrowed as long as the permit is held */
    bool is_sent; /* set by who has it: a node may be running on it. Else a lower limit takes it back */
};

/** One that waits for a permit. */
struct permit_wait {
    struct list_node node; /* in its pool, or among those that are told; list_init() it first */
    struct lease_pool *pool; /* while it waits */
    uint64_t since; /* its pool's newest number when it came */
    const struct lease_pool *dry[2]; /* pools that had none for it, since it had a permit; to compare with */
    unsigned dry_len;
    struct permit *permit; /* to be filled */
    struct str function;
    /* Once, from leases_turn(): @permit is held; or not, when there is none or it is over already. */
    void (*fn)(struct permit_wait *w);
};

/* What is asked or said of a pool; strings borrowed from the leases for the call. */
struct lease_question {
    struct str account, pool;
    uint64_t seq, held;
    uint64_t want; /* >= held */
    uint64_t need; /* those in use and those who wait */
    bool moved; /* some of them were another pool's before */
};

struct lease_answer {
    struct str account, pool;
    uint64_t seq;
    uint64_t more; /* than were held when it was asked */
    bool drain; /* what ends is given up */
    bool dry; /* fewer than are needed, and there are no more */
};

struct lease_recall {
    struct str account, pool;
    bool drain;
};

/* What runs of @function on the account's "*" is counted in the pool of its own from now on. */
struct lease_move {
    struct str account, function;
};

/* What the leases have done; none of these calls back before it has returned. */
struct leases_ops {
    void (*wake)(void *arg); /* leases_turn() at the end of this turn */
    void (*join)(const char *incarnation, uint64_t number, void *arg); /* -> leases_joined() */
    void (*ask)(const char *incarnation, uint64_t epoch, uint64_t number,
                const struct lease_question *questions, size_t len,
                void *arg); /* -> leases_answered() or leases_failed() */
};

/** @id: the gateway's in HELLO, which incarnations begin with. */
struct leases *leases_new(const char *id, const struct leases_ops *ops, void *arg);
/** Permits still out are void; waits must be cancelled, references given back. */
void leases_free(struct leases *l);

/* ---- taking and giving back: the warm path ---- */

/** The pool, a reference of the caller's; it is not forgotten while somebody holds one. */
struct lease_pool *leases_pool(struct leases *l, struct str account, struct str name);
struct lease_pool *lease_pool_ref(struct lease_pool *pool);
/** NULL does nothing. */
void lease_pool_unref(struct lease_pool *pool);
/** Its name; borrowed from it. */
struct str lease_pool_name(const struct lease_pool *pool);
/** How many of its permits are here, in use or idle. */
uint64_t lease_pool_held(const struct lease_pool *pool);

/** 0: *@ret is held. -ERR_NOT_READY: lease_wait() for one. -ERR_THROTTLED: there is none now. */
int lease_take(struct lease_pool *pool, struct str function, uint64_t now_us, struct permit *ret);
/** Waits for a permit, with @w->fn, ->permit and ->function set. */
void lease_wait(struct lease_pool *pool, struct permit_wait *w);
/** Whether the pool has told it that there is none. */
bool permit_wait_was_refused(const struct permit_wait *w, const struct lease_pool *pool);
/** It waits no more, and is not told; a permit that it has got stays. Harmless when it does not wait. */
void permit_wait_cancel(struct permit_wait *w);
/** Whether it is one: a permit may become void while somebody has it. */
static inline bool permit_is_held(const struct permit *permit)
{
    return permit->pool != NULL;
}
/** The run is over, or was none. Harmless for one that is not held. */
void permit_return(struct permit *permit);
/** The node did not take it: it stays for the next one, unless a lower limit wants it back. */
void permit_refused(struct permit *permit);
/** *@to, which is none, becomes what *@from is; @function is borrowed as in struct permit. */
void permit_pass(struct permit *from, struct permit *to, struct str function);

/* ---- what happens ---- */

/**
 * Tells who got a permit or does not get one, asks what is to be asked; returns when it wants to be
 * called again, UINT64_MAX: not by itself.
 */
uint64_t leases_turn(struct leases *l, uint64_t now_us);
/** The link to the controller is up: joins (again). Down: asks nothing more until then. */
void leases_link(struct leases *l, bool is_up);
/** What became of the join @number: @err NULL, or ERR_STALE: this incarnation was given up. */
void leases_joined(struct leases *l, uint64_t number, uint64_t epoch, const struct error *err,
                   uint64_t now_us);
/** The answers to the question @number; a pool that is not in it is asked about again. */
void leases_answered(struct leases *l, uint64_t number, const struct lease_answer *answers, size_t len,
                     uint64_t now_us);
/** It may have arrived or not; ERR_STALE: the epoch is over, or this incarnation was given up. */
void leases_failed(struct leases *l, uint64_t number, const struct error *err, uint64_t now_us);
/**
 * Gives up idle permits as the leader wants it. @ret, with room for @len + 2 * @moves_len, is what to
 * answer; returns how many. -ERR_STALE: it is not about this incarnation and epoch.
 */
ssize_t leases_recall(struct leases *l, struct str incarnation, uint64_t epoch,
                      const struct lease_recall *recalls, size_t len, const struct lease_move *moves,
                      size_t moves_len, uint64_t now_us, struct lease_question *ret,
                      struct error *err);
/** An invoker says that @epoch, which a permit was of, is over. */
void leases_fenced(struct leases *l, uint64_t epoch, uint64_t now_us);
/** The gateway ends: idle permits go back at once, others when they are free. */
void leases_stop(struct leases *l);

/* ---- what is so ---- */

/** 0: nothing is held. */
uint64_t leases_epoch(const struct leases *l);
const char *leases_incarnation(const struct leases *l);
/** Why those who wait have no permit yet, a part of a sentence; good until the next call. */
const char *leases_why(const struct leases *l);
/** The most permits of the pool that were in use at once since this was asked last. */
uint64_t leases_peak(struct leases *l, struct str account, struct str name);
/** Pools with something held, and those who wait, for the health page: a JSON array. */
void leases_describe(const struct leases *l, struct buf *b);

#endif
