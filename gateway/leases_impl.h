/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leases_impl.h - inside leases.h: lease_pool.c has the pools and their permits, leases.c what is said
 * of them and heard.
 *
 * Owns:    the leases own their pools.
 * Threads: loop thread only.
 * Errors:  none.
 */
#ifndef HEARTH_GATEWAY_LEASES_IMPL_H
#define HEARTH_GATEWAY_LEASES_IMPL_H

#include "common/base/map.h"
#include "gateway/leases.h"

struct lease_pool {
    struct leases *leases;
    struct list_node all; /* in leases->all */
    struct list_node due; /* in leases->due: something is to be said; in ->asked: it is */
    char *key; /* "account/name" */
    struct str account, name; /* parts of it */
    uint64_t refs;
    uint64_t held, used; /* used <= held */
    uint64_t peak; /* the most that were in use since leases_peak() was asked */
    uint64_t idle_low; /* the fewest idle ones since the last sweep */
    struct list_node permits; /* those in use */
    struct list_node waiting;
    uint64_t waiting_len;
    bool draining; /* what ends is given up, until more is granted */
    bool moved; /* some were another pool's, and the ledger has not confirmed it */
    uint64_t told; /* the most that the ledger may believe is held */
    uint64_t seq; /* of the newest question or statement */
    uint64_t number; /* of the question under way; 0: none */
    uint64_t asked_held, asked_want; /* in that question */
    uint64_t asked_us;
    uint64_t dry_until_us, contended_until_us;
    bool recalled; /* its statement is due in this very call */
};

enum join_state { JOIN_NOT, JOIN_ASKED, JOIN_DONE };

struct leases {
    struct leases_ops ops;
    void *arg;
    char id[64], incarnation[LEASE_INCARNATION_MAX];
    uint64_t epoch; /* 0: nothing can be held */
    bool is_up, woken, stopping;
    enum join_state join;
    uint64_t join_at_us, rejoined_us; /* the last time that it began anew */
    uint64_t seq; /* of all pools, so that one that was forgotten goes on where it was */
    uint64_t number, void_number; /* of questions and joins; up to which they mean nothing */
    uint64_t join_number;
    uint64_t retry_at_us, backoff_us, sweep_at_us;
    struct map pools;
    struct list_node all, due, asked;
    struct list_node ready; /* waits that are to be told */
    struct error why; /* what went wrong last, when something did */
    struct lease_question questions[LEASE_BATCH_MAX];
};

/** leases_turn() at the end of this turn. */
void leases_wake(struct leases *l);
/** The pool, without a reference; made when it is not there and @make, else NULL. */
struct lease_pool *pool_find(struct leases *l, struct str account, struct str name, bool make);
/** Forgets it, whoever has a reference. */
void pool_free(struct lease_pool *pool);
/** Whether nobody knows of it any more. */
bool pool_is_forgettable(const struct lease_pool *pool);
/** Has it asked about, when there is something to ask or to say. */
void pool_say(struct lease_pool *pool);
/** What is idle is given up. */
void pool_give_up_idle(struct lease_pool *pool);
/**
 * What is idle is given up, and what ends will be. What was handed out and not sent yet is as good as
 * idle: after a lower limit has been acknowledged nothing begins on what was granted before.
 */
void pool_drain(struct lease_pool *pool);
/** Idle ones go to those who wait, the first one first. */
void pool_grant(struct lease_pool *pool);
/**
 * There were no more when it was asked: who waited then is told. While that is not long ago who came later is told,
 * too, and who comes next; else they have it asked again.
 */
void pool_refuse(struct lease_pool *pool, uint64_t now_us);
/** Nothing of it is held any more; who has a permit has none. */
void pool_void(struct lease_pool *pool);

#endif
