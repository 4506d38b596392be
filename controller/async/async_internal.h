/* SPDX-License-Identifier: Apache-2.0 */
/*
 * async_internal.h - inside async.h: async.c takes items and keeps their leases, async_work.c sees one
 * item to its end.
 *
 * Owns:    see async.h.
 * Threads: loop thread only.
 */
#ifndef HEARTH_CONTROLLER_ASYNC_ASYNC_INTERNAL_H
#define HEARTH_CONTROLLER_ASYNC_ASYNC_INTERNAL_H

#include "common/base/id.h"
#include "controller/async/async.h"
#include "controller/async/async_queue.h"
#include "controller/async/async_record.h"

/* An account that has, or may have, something in its queue. */
struct async_account {
    struct list_node node; /* in async->accounts */
    char *name;
    uint64_t due_us; /* when to take, loop time; UINT64_MAX: when something is put */
    bool taking;
};

struct async {
    struct async_options options;
    struct loop *loop;
    struct async_queue *queue;
    struct list_node accounts;
    struct list_node works; /* struct work */
    size_t works_len, payload_bytes; /* of all of them */
    size_t asked; /* items that Redis may be about to give */
    struct timer pump, renew, sweep;
    uint64_t last_gateway; /* number of the one that ran the last event */
    bool stopped;
};

/*
 * An item that we have.
 *
 *   event:    run ──► look up ──► finish                message:  send ──► finish
 *              │         └──────► retry                             └────► retry
 *              └────────────────► retry                  (each step is repeated until Redis takes it)
 */
struct work {
    struct list_node node;
    struct async *async;
    struct async_account *account;
    enum async_kind kind;
    char *id, *function, *qualifier;
    cJSON *doc, *config;
    struct buf payload;
    uint64_t taken_us, age_ms; /* when it was taken, how old it was then */
    uint64_t tries, waits;
    int64_t reserved;
    /* the last time that the function answered */
    struct buf context, answer;
    bool answer_known; /* false: it was too large to come here */
    bool failed; /* with an error, this time */
    char executed_version[FN_QUALIFIER_MAX + 1];
    /* the step that is repeated until Redis takes it */
    void (*step)(struct work *work);
    struct timer again;
    struct async_retry retry;
    /* how it ends */
    enum async_condition condition;
    const char *count;
    struct async_item followers[ASYNC_FOLLOWERS_MAX];
    size_t followers_len;
    char follower_ids[ASYNC_FOLLOWERS_MAX][UUID_MAX];
    char *follower_docs[ASYNC_FOLLOWERS_MAX];
    struct buf record;
    char *destination, *dead_letter; /* ARNs; NULL: none */
};

/** A work of what was taken; it begins at once. */
void async_work_start(struct async *async, struct async_account *account,
                      const struct async_taken *item);
/** Forgets it: it is finished, or another's. */
void async_work_free(struct work *work);
/** Something of @account is due in @delay_ms. */
void async_wake(struct async *async, struct async_account *account, uint64_t delay_ms);

#endif
