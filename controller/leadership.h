/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leadership.h - which of several controllers leads: one at a time by one Redis, each with a greater term
 * than all before it.
 *
 *   STANDBY ──► LEADING ──► OVER       STANDBY may go to OVER, too: its key is another one
 *
 * The leader holds the key hearth:leader for a lease and renews it well before; who stands by looks for
 * it more often than it ends. Who takes it counts hearth:term up, in the same script. A Redis that is
 * away deposes nobody: nobody else is elected there. When it is back the leader compares; if there
 * was another one meanwhile, it is over. Only the lease of a process that sat where we sit now is not
 * waited for: it is dead.
 *
 * Safety rests on hearth:term, not on clocks: it holds the newest term and whose it is, and scripts of
 * the registry run only where it is ours (redis_guard_set()). A Redis that has lost writes may give a
 * term twice; peers know the greatest and say so, upon which the one whose the key is takes a greater
 * one, and any other is over.
 *
 * Owns:    nothing of Redis' but the keys hearth:leader, hearth:term, hearth:key.
 * Borrows: loop, redis; they outlive it.
 * Threads: loop thread only; callbacks never run inside a call.
 * Errors:  by on_over; Redis away: waited for.
 * Details: docs/internals/controller.md, "Several controllers".
 */
#ifndef HEARTH_CONTROLLER_LEADERSHIP_H
#define HEARTH_CONTROLLER_LEADERSHIP_H

#include "common/io/redis.h"

#define LEADERSHIP_LEASE_US SECONDS(3)
#define LEADERSHIP_RENEW_US SECONDS(1)
#define LEADERSHIP_LOOK_US MSEC(500)

struct leadership;

struct leadership_options {
    struct loop *loop;
    struct redis *redis;
    const char *id; /* of this controller, begins with its seat, never used by another one; borrowed */
    const char *seat; /* where no other process can be while we are there; borrowed */
    const char *key_id; /* of the sealing key, which all controllers of a Redis share; borrowed */
    uint64_t lease_us, renew_us, look_us;
    /* We lead, with @term; again each time Redis is back and it is so still, and with each new term. */
    void (*on_lead)(uint64_t term, void *arg);
    /* We must end: another one leads (ERR_STALE), or has another sealing key (ERR_CONFIG). Once. */
    void (*on_over)(const struct error *why, void *arg);
    void *arg;
};

/** Stands by. */
struct leadership *leadership_new(const struct leadership_options *options);
/** After redis_free(). NULL is fine. */
void leadership_free(struct leadership *l);
/** Redis is there (again): looks at once. */
void leadership_redis_here(struct leadership *l);
/** A peer knows of @term. When it is not smaller than ours, scripts stop until it is clear who leads. */
void leadership_heard(struct leadership *l, uint64_t term);
/** Ours while we lead, else 0. */
uint64_t leadership_term(const struct leadership *l);
/**
 * How long ago, us, Redis was asked when it said last that we lead: nobody else was elected before that. On a clock
 * that goes on while the machine sleeps. UINT64_MAX: it has not said so.
 */
uint64_t leadership_age_us(const struct leadership *l);
/**
 * Leads no more and gives the key back, so that another one may have it at once; @done comes when
 * that is done or cannot be done soon. Nothing else is told from here on.
 */
void leadership_resign(struct leadership *l, void (*done)(void *arg), void *arg);

/* ---- what Redis says, without Redis: for tests, too */

enum leadership_verdict { LEADERSHIP_LEADS, LEADERSHIP_WAITS, LEADERSHIP_OVER, LEADERSHIP_OTHER_KEY };

/* An answer of the script. */
struct leadership_answer {
    enum leadership_verdict verdict;
    uint64_t term; /* ours when we lead, else the other one's */
    char id[64]; /* of who leads */
};

/** -ERR_PROTOCOL: Redis answers nonsense. */
int leadership_read(const struct redis_value *value, struct leadership_answer *ret,
                    struct error *err);

#endif
