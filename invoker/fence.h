/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fence.h - for which gateways this node runs, and what runs here for whom: the invoker's part of the
 * permits, without any I/O.
 *
 * A run is counted from the arrival of its head until nothing of it runs any more, for the gateway on
 * whose permit it began, by account and pool. The leading controller names the epoch and the gateways that
 * are allowed. What runs of a gateway that is not (any more), or of an older epoch, are orphans: runs on
 * nobody's lease, counted by account and pool, told with a number that grows.
 *
 *   UNHEARD ── permits.fence ──► IN_FORCE ── the lease is over ──► LAPSED ── permits.fence ──► IN_FORCE
 *      └── a controller that is a version older ──► ABSENT: whoever asks is served, nothing is checked
 *
 * The lease is the time until which the leader must have heard of this node. Once it is over the node may
 * count as dead: nothing may run. After that it takes both, to be heard by a controller again and to hear it.
 * With a new epoch what runs goes on until the lease is over that the leader before gave, but nothing is let in
 * until the leader of that epoch has given one itself: else it may have been replaced without knowing, by one
 * whose nodes it does not count. An epoch is of one Redis; its leaders follow one another.
 *
 * A head that names no gateway is one of a gateway a version older: it limits by itself, and is let in as before
 * unless the lease is over. It is on nobody's lease, hence an orphan, of the account's common pool: the
 * account's limit holds with it, whatever else is granted beside it.
 *
 * Owns:    the counts. Borrows: the clock; runs are embedded in their owners' structs.
 * Threads: loop thread only. orphans_changed is called from inside; it must not call back.
 * Errors:  in the words that the gateway, or the leader, gets.
 * Source:  docs/internals/permits.md; tests/model/permits.pml.
 */
#ifndef HEARTH_INVOKER_FENCE_H
#define HEARTH_INVOKER_FENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/list.h"
#include "common/base/str.h"

/* Bytes of what a head may name. */
#define FENCE_GATEWAY_MAX 128u
#define FENCE_ACCOUNT_MAX 32u
#define FENCE_POOL_MAX 200u
/* What an account has for all functions without a reservation. */
#define FENCE_COMMON_POOL "*"

struct fence;
struct fence_count;

enum fence_state { FENCE_UNHEARD, FENCE_ABSENT, FENCE_IN_FORCE, FENCE_LAPSED };

/** Embedded in an invocation; zeroed: not counted. */
struct fence_run {
    struct fence_count *of; /* NULL: not counted */
    struct list_node node; /* in of->runs */
};

/** By what right a head wants to run. */
struct fence_claim {
    struct str gateway; /* its incarnation; empty: a version older */
    uint64_t epoch;
    struct str account, pool;
};

/** permits.fence */
struct fence_news {
    uint64_t term, epoch, number;
    const struct str *gateways; /* the incarnations that are allowed */
    size_t len;
};

struct fence_options {
    const struct clock *clock; /* goes on while the machine sleeps */
    uint64_t term, epoch; /* newest that earlier processes of this node have heard of; 0: none */
    void (*orphans_changed)(void *arg);
    void *arg;
};

struct fence *fence_new(const struct fence_options *options);
/** No run may be counted any more. NULL is fine. */
void fence_free(struct fence *f);

/**
 * Counts @run, or refuses: -ERR_FENCED, its permit is of an epoch that is over; -ERR_UNAVAILABLE, this node has not
 * heard of its gateway or epoch, of no controller, or of none for too long.
 */
int fence_admit(struct fence *f, struct fence_run *run, const struct fence_claim *claim,
                struct error *err);
/** Nothing of @run runs any more. Harmless on one that is not counted. */
void fence_over(struct fence *f, struct fence_run *run);

/**
 * From now on @news holds. -ERR_STALE: of an older term, an older number of the same term or an older epoch; the
 * message is "term <newest>", "epoch <newest>", or tells the numbers.
 */
int fence_hear(struct fence *f, const struct fence_news *news, struct error *err);
/** There is another link to a controller, over which nothing old can come: its numbers begin anew. */
void fence_relinked(struct fence *f);
/** The controller knows nothing of permits. */
void fence_set_absent(struct fence *f);
/** The leader has answered what was sent at @sent_us: it holds this node for alive @fence_us from then. */
void fence_renew(struct fence *f, uint64_t sent_us, uint64_t fence_us);
/** Whether the lease is over since the last look: all that runs is to be ended. Nothing is let in any more. */
bool fence_look(struct fence *f);
/** Whether nothing may run. Unlike fence_look() it may be asked at any time. */
bool fence_is_shut(const struct fence *f);
/** When the lease ends; 0: there is none. */
uint64_t fence_lease_end_us(const struct fence *f);

enum fence_state fence_state(const struct fence *f);
uint64_t fence_term(const struct fence *f);
uint64_t fence_epoch(const struct fence *f);

struct fence_orphans {
    struct str account, pool;
    uint32_t count; /* > 0 */
};
/** Grows with each change of the orphans. */
uint64_t fence_orphans_seq(const struct fence *f);
/** Iterates: start with *@at = 0; false at the end. Nothing may change meanwhile. */
bool fence_orphans_next(const struct fence *f, size_t *at, struct fence_orphans *ret);
/** How many runs are counted for @gateway ("": orphans). */
uint32_t fence_runs(const struct fence *f, struct str gateway);

#endif
