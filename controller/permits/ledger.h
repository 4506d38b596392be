/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger.h - who may run how many invocations of what: the leases of the gateways and what runs at
 * invokers on nobody's lease (orphans), kept in Redis and counted against limits that the scripts
 * read from the registry themselves.
 *
 * A pool ("*", "<function>", "<function>:<version>") has a limit; a grant needs room under it, under
 * the account's, and for a reserved function under what it has reserved. Limits may change at any
 * moment: what was granted stays, nothing is added beyond them. Each call is one script, so that
 * calls never mix; numbers are absolute, so that one that is sent twice, late or never does no harm.
 *
 * Owns:    nothing of the caller's; all is copied. What callbacks are told is borrowed for the call.
 * Borrows: struct redis; it outlives the ledger.
 * Threads: loop thread only; callbacks never run inside a call and come exactly once.
 * Errors:  of every call: ERR_CONFLICT: a newer term has been here (deposed); ERR_STALE: there is no
 *          ledger, or it is of another epoch (closed); those of redis.h (after ERR_TIMEOUT and
 *          ERR_UNAVAILABLE the effect is unknown). More as each function says.
 * Keys:    docs/internals/redis.md. Protocol: docs/internals/permits.md.
 */
#ifndef HEARTH_CONTROLLER_PERMITS_LEDGER_H
#define HEARTH_CONTROLLER_PERMITS_LEDGER_H

#include "common/io/redis.h"

struct ledger;

/* What every call carries. */
struct ledger_at {
    struct str account;
    uint64_t account_limit; /* what all pools of the account may have together */
    uint64_t term; /* of the leading controller, > 0; the ledger takes over a newer one */
    uint64_t epoch; /* < 2^53 */
};

/** Whether @pool is a name of one. */
bool ledger_is_pool(struct str pool);

#define LEDGER_POOLS_MAX 200u /* of one ledger_state() */
#define LEDGER_COUNT_MAX 1000000000u /* of permits, anywhere; more is ERR_BAD_REQUEST */

struct ledger *ledger_new(struct loop *loop, struct redis *redis);
/** Calls under way must have ended (redis_free() ends them). NULL is fine. */
void ledger_free(struct ledger *ledger);

/* ---- what gateways hold ---- */

/* "I hold @held permits of @pool and want to hold @want"; a statement if both are the same. */
struct ledger_question {
    struct str pool;
    uint64_t seq; /* grows with every question of this gateway about this pool; > 0 */
    uint64_t held;
    uint64_t want; /* >= @held */
    bool moved; /* those held were moved here from another pool of the same call: they count, even
                   beyond limits */
    bool again; /* the newest question (@seq as it was) once more, when there may be more by now:
                   its lease can only grow */
};

/* What kept a lease below what was wanted. */
enum ledger_bound { LEDGER_ENOUGH, LEDGER_POOL, LEDGER_FUNCTION, LEDGER_ACCOUNT };

struct ledger_answer {
    bool old; /* a newer question was here before: nothing was done, the rest is 0 */
    bool drain; /* the pool, its function or the account has more than its limit */
    enum ledger_bound bound;
    uint64_t more; /* than the question's @held */
    uint64_t lease;
};

/** @err NULL: @answers, @len of them, in the order of the questions. */
typedef void ledger_state_fn(const struct ledger_answer *answers, size_t len,
                             const struct error *err, void *arg);
/**
 * Takes @len (1..LEDGER_POOLS_MAX) questions of one gateway, no pool twice: first what it holds less, of
 * all of them, then what it wants more, as much of it as fits, in their order.
 * ERR_NOT_FOUND: the gateway has not joined this account; ERR_PRECONDITION: it was given up;
 * ERR_BAD_REQUEST: a question is none (want < held, beyond LEDGER_COUNT_MAX, no name of a pool).
 */
void ledger_state(struct ledger *ledger, const struct ledger_at *at, struct str gateway,
                  const struct ledger_question *questions, size_t len, ledger_state_fn *done,
                  void *arg);

typedef void ledger_done_fn(const struct error *err, void *arg);
/** From now on this incarnation may ask. Again is fine. ERR_PRECONDITION: it was given up. */
void ledger_join(struct ledger *ledger, const struct ledger_at *at, struct str gateway,
                 ledger_done_fn *done, void *arg);
/**
 * Its leases are over, and it never joins again in this epoch. What ran on them must have been written as
 * orphans before, and that been answered. One that never joined is fine.
 */
void ledger_give_up(struct ledger *ledger, const struct ledger_at *at, struct str gateway,
                    ledger_done_fn *done, void *arg);

/* ---- what runs on nobody's lease ---- */

struct ledger_count {
    struct str pool;
    uint64_t count;
};

/* All that runs of one account at one node on nobody's lease. */
struct ledger_orphans {
    struct str node, incarnation;
    uint64_t seq; /* grows with every message of this incarnation */
    const struct ledger_count *counts; /* pools that are not here have none */
    size_t len;
};
/**
 * An older message of the same incarnation, one sent twice, and any of an incarnation that another has
 * replaced are ignored: no error. An account that the node has no orphans of any more is told so with len 0.
 */
void ledger_set_orphans(struct ledger *ledger, const struct ledger_at *at,
                        const struct ledger_orphans *orphans, ledger_done_fn *done, void *arg);

/* ---- the ledger as a whole ---- */

/**
 * Begins anew with @at->epoch: nobody holds anything, all that runs is in @nodes. @run: the Redis that it was
 * opened on (any text). Sent twice it has its effect once. ERR_STALE: the ledger has a newer epoch.
 */
void ledger_open(struct ledger *ledger, const struct ledger_at *at, struct str run,
                 const struct ledger_orphans *nodes, size_t len, ledger_done_fn *done, void *arg);

struct ledger_lease {
    struct str gateway, pool;
    uint64_t seq, count;
};

/* All of it; a ledger that was never opened has epoch 0 and nothing else but a term. */
struct ledger_view {
    uint64_t term, epoch, total;
    struct str run;
    const struct str *gateways; /* that have joined */
    size_t gateways_len;
    const struct ledger_lease *leases; /* those of 0 that have a number are among them */
    size_t leases_len;
    const struct ledger_orphans *nodes; /* that have told of themselves */
    size_t nodes_len;
    const struct ledger_count *pools; /* their totals; those that have none are left out */
    size_t pools_len;
};
/** @err NULL: @view. */
typedef void ledger_read_fn(const struct ledger_view *view, const struct error *err, void *arg);
/**
 * Reads the ledger of @at->account, whatever its epoch; its term is @at->term from now on if that is newer, so
 * that an older leader changes nothing any more. Term 0 only looks.
 */
void ledger_read(struct ledger *ledger, const struct ledger_at *at, ledger_read_fn *done, void *arg);

/** @err NULL: whether it is so. */
typedef void ledger_ready_fn(bool ready, const struct error *err, void *arg);
/**
 * Whether the class of @version of @function could take all of its limit now: the pools that had to shrink for it
 * have drained.
 */
void ledger_class_ready(struct ledger *ledger, const struct ledger_at *at, struct str function,
                        struct str version, ledger_ready_fn *done, void *arg);

#endif
