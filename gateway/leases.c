/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/leases.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/alloc.h"
#include "common/base/id.h"
#include "gateway/leases_impl.h"

#define TOKEN_BYTES 8 /* of an incarnation */
#define DESCRIBE_MAX 100 /* pools on the health page */

void leases_wake(struct leases *l)
{
    if (l->woken)
        return;
    l->woken = true;
    l->ops.wake(l->arg);
}

/* ---- the end of an epoch, or of an incarnation ---- */

static void make_incarnation(struct leases *l)
{
    char token[2 * TOKEN_BYTES + 1];

    token_make(TOKEN_BYTES, token);
    snprintf(l->incarnation, sizeof(l->incarnation), "%s.%s", l->id, token);
}

/* Nothing is held any more, and what was asked means nothing. */
static void void_all(struct leases *l)
{
    struct list_node *n;

    l->epoch = 0;
    l->void_number = l->number;
    LIST_FOREACH (&l->all, n)
        pool_void(CONTAINER_OF(n, struct lease_pool, all));
}

/* Begins anew: at once, but no more often than every now and then. */
static void begin_anew(struct leases *l, uint64_t now_us)
{
    uint64_t earliest_us = l->rejoined_us + LEASE_JOIN_RETRY_US;

    void_all(l);
    make_incarnation(l);
    l->join = JOIN_NOT;
    l->join_at_us = l->rejoined_us == 0 || earliest_us < now_us ? now_us : earliest_us;
    l->rejoined_us = l->join_at_us;
    leases_wake(l);
}

void leases_fenced(struct leases *l, uint64_t epoch, uint64_t now_us)
{
    if (epoch == l->epoch && epoch != 0)
        begin_anew(l, now_us);
}

/* ---- joining ---- */

void leases_link(struct leases *l, bool is_up)
{
    l->is_up = is_up;
    l->join = JOIN_NOT;
    l->join_at_us = 0;
    leases_wake(l);
}

static void join_if_due(struct leases *l, uint64_t now_us)
{
    if (!l->is_up || l->join != JOIN_NOT || now_us < l->join_at_us)
        return;
    l->join = JOIN_ASKED;
    l->join_number = ++l->number;
    l->ops.join(l->incarnation, l->join_number, l->arg);
}

/* What was said last may have been lost with the link. */
static void tell_anew(struct lease_pool *pool)
{
    if (pool->seq > 0 && pool->told <= pool->held)
        pool->told = pool->held + 1;
    pool_say(pool);
}

void leases_joined(struct leases *l, uint64_t number, uint64_t epoch, const struct error *err,
                   uint64_t now_us)
{
    struct list_node *n;

    if (l->join != JOIN_ASKED || number != l->join_number)
        return;
    if (err) {
        l->why = *err;
        l->join = JOIN_NOT;
        l->join_at_us = now_us + LEASE_JOIN_RETRY_US;
        if (err->code == ERR_STALE)
            begin_anew(l, now_us);
        leases_wake(l);
        return;
    }
    if (epoch < l->epoch) { /* two lead: its ledger may have leases of this incarnation, on which something runs */
        begin_anew(l, now_us);
        return;
    }
    if (l->epoch != 0 && l->epoch != epoch)
        void_all(l); /* the incarnation is known in the new one already */
    LIST_FOREACH (&l->all, n)
        tell_anew(CONTAINER_OF(n, struct lease_pool, all));
    l->epoch = epoch;
    l->join = JOIN_DONE;
    l->why.code = ERR_OK;
    l->retry_at_us = l->backoff_us = 0;
    leases_wake(l);
}

/* ---- asking ---- */

static uint64_t spare_of(const struct lease_pool *pool, uint64_t now_us)
{
    uint64_t half = pool->used / 2;

    if (pool->draining || now_us < pool->contended_until_us)
        return 0;
    return half < 1 ? 1 : half > LEASE_SPARE_MAX ? LEASE_SPARE_MAX : half;
}

/* What is said of a pool now; nothing is wanted. */
static struct lease_question statement_of(struct lease_pool *pool)
{
    pool->seq = ++pool->leases->seq;
    return (struct lease_question){.account = pool->account,
                                   .pool = pool->name,
                                   .seq = pool->seq,
                                   .held = pool->held,
                                   .want = pool->held,
                                   .need = pool->used,
                                   .moved = pool->moved};
}

static struct lease_question question_of(struct lease_pool *pool, uint64_t now_us)
{
    struct lease_question q = statement_of(pool);

    if (pool->waiting_len > 0) {
        q.need = pool->used + pool->waiting_len;
        q.want = q.need + spare_of(pool, now_us);
        if (q.want < q.held)
            q.want = q.held;
    }
    return q;
}

static void ask_if_due(struct leases *l, uint64_t now_us)
{
    struct lease_pool *pool;
    size_t len = 0;

    if (l->join != JOIN_DONE || now_us < l->retry_at_us)
        return;
    while (len < LEASE_BATCH_MAX && (pool = LIST_FIRST(&l->due, struct lease_pool, due))) {
        list_remove(&pool->due);
        if (pool->waiting_len == 0 && pool->told <= pool->held)
            continue; /* who waited has left, or has got one */
        if (len == 0)
            l->number++;
        l->questions[len] = question_of(pool, now_us);
        pool->number = l->number;
        pool->asked_held = l->questions[len].held;
        pool->asked_want = l->questions[len].want;
        pool->asked_us = now_us;
        if (pool->told < pool->asked_want)
            pool->told = pool->asked_want;
        list_append(&l->asked, &pool->due);
        len++;
    }
    if (len > 0)
        l->ops.ask(l->incarnation, l->epoch, l->number, l->questions, len, l->arg);
    if (!list_is_empty(&l->due))
        leases_wake(l);
}

static void retry_later(struct leases *l, uint64_t now_us)
{
    l->backoff_us = l->backoff_us == 0                      ? LEASE_RETRY_MIN_US
                    : l->backoff_us < LEASE_RETRY_MAX_US / 2 ? l->backoff_us * 2
                                                             : LEASE_RETRY_MAX_US;
    l->retry_at_us = now_us + l->backoff_us;
    leases_wake(l);
}

/* Those of the question @number that have no answer are asked about again; whether there are any. */
static bool ask_again(struct leases *l, uint64_t number)
{
    struct list_node *n, *after;
    struct lease_pool *pool;
    bool any = false;

    LIST_FOREACH_SAFE (&l->asked, n, after) {
        pool = CONTAINER_OF(n, struct lease_pool, due);
        if (pool->number != number)
            continue;
        pool->number = 0;
        list_remove(&pool->due);
        pool_say(pool);
        any = true;
    }
    return any;
}

static void take_answer(struct lease_pool *pool, const struct lease_answer *answer, uint64_t now_us)
{
    uint64_t most = pool->asked_want - pool->asked_held;
    uint64_t more = answer->more < most ? answer->more : most;

    pool->number = 0;
    list_remove(&pool->due);
    pool->told = pool->asked_held + more;
    pool->moved = false;
    pool->held += more; /* some of those that were held may be given up by now: pool_say() says so */
    if (more > 0)
        pool->draining = pool->leases->stopping;
    pool_grant(pool);
    if (answer->drain)
        pool_drain(pool);
    else if (pool->draining)
        pool_give_up_idle(pool);
    if (answer->dry)
        pool_refuse(pool, now_us);
    pool_say(pool);
}

void leases_answered(struct leases *l, uint64_t number, const struct lease_answer *answers, size_t len,
                     uint64_t now_us)
{
    struct lease_pool *pool;
    size_t i;

    for (i = 0; i < len; i++) {
        pool = pool_find(l, answers[i].account, answers[i].pool, false);
        if (pool && pool->number == number && pool->seq == answers[i].seq)
            take_answer(pool, &answers[i], now_us);
    }
    if (ask_again(l, number)) {
        error_set(&l->why, ERR_PROTOCOL, "the controller's answer leaves out what was asked");
        retry_later(l, now_us);
        return;
    }
    l->why.code = ERR_OK;
    l->backoff_us = l->retry_at_us = 0;
}

void leases_failed(struct leases *l, uint64_t number, const struct error *err, uint64_t now_us)
{
    if (number <= l->void_number)
        return;
    l->why = *err;
    if (err->code == ERR_STALE) {
        begin_anew(l, now_us);
        return;
    }
    ask_again(l, number);
    retry_later(l, now_us);
}

/* ---- recalls ---- */

static void recall(struct lease_pool *pool, bool drains, uint64_t now_us)
{
    pool->recalled = true;
    pool->contended_until_us = now_us + LEASE_CONTENDED_US;
    if (drains)
        pool_drain(pool);
    else
        pool_give_up_idle(pool);
}

static void move(struct leases *l, const struct lease_move *move, uint64_t now_us)
{
    struct lease_pool *from = pool_find(l, move->account, STR("*"), true);
    struct lease_pool *to = pool_find(l, move->account, move->function, true);
    struct list_node *n, *after;
    struct permit *permit;

    LIST_FOREACH_SAFE (&from->permits, n, after) {
        permit = CONTAINER_OF(n, struct permit, node);
        if (!str_eq(permit->function, move->function))
            continue;
        list_remove(&permit->node);
        from->used--;
        from->held--;
        to->held++;
        to->used++;
        permit->pool = to;
        list_append(&to->permits, &permit->node);
        to->moved = true;
    }
    from->recalled = true;
    recall(to, true, now_us);
}

/* What there is to say of @pool, once. */
static size_t put_statement(struct lease_pool *pool, struct lease_question *ret)
{
    if (!pool->recalled)
        return 0;
    pool->recalled = false;
    pool->number = 0; /* what was asked before is void */
    list_remove(&pool->due);
    *ret = statement_of(pool);
    pool->told = pool->held;
    pool_say(pool);
    return 1;
}

ssize_t leases_recall(struct leases *l, struct str incarnation, uint64_t epoch,
                      const struct lease_recall *recalls, size_t len, const struct lease_move *moves,
                      size_t moves_len, uint64_t now_us, struct lease_question *ret,
                      struct error *err)
{
    size_t i, told = 0;

    if (epoch == 0 || epoch != l->epoch || !str_is(incarnation, l->incarnation))
        return error_set(err, ERR_STALE, "this gateway is %s of epoch %llu", l->incarnation,
                         (unsigned long long)l->epoch);
    for (i = 0; i < moves_len; i++)
        move(l, &moves[i], now_us);
    for (i = 0; i < len; i++)
        recall(pool_find(l, recalls[i].account, recalls[i].pool, true), recalls[i].drain, now_us);
    for (i = 0; i < moves_len; i++) {
        told += put_statement(pool_find(l, moves[i].account, STR("*"), false), &ret[told]);
        told += put_statement(pool_find(l, moves[i].account, moves[i].function, false), &ret[told]);
    }
    for (i = 0; i < len; i++)
        told += put_statement(pool_find(l, recalls[i].account, recalls[i].pool, false), &ret[told]);
    return (ssize_t)told;
}

/* ---- turns ---- */

/* Those who come while others are told have the next turn. */
static void tell_ready(struct leases *l)
{
    struct list_node now;
    struct permit_wait *w;

    list_init(&now);
    while ((w = LIST_FIRST(&l->ready, struct permit_wait, node))) {
        list_remove(&w->node);
        list_append(&now, &w->node);
    }
    while ((w = LIST_FIRST(&now, struct permit_wait, node))) {
        list_remove(&w->node);
        w->fn(w);
    }
}

/* Whether what is given back can be told, and so be granted to others. */
static bool is_heard(const struct leases *l)
{
    return l->join == JOIN_DONE && l->backoff_us == 0;
}

/*
 * Gives back what was idle since the last time, forgets what nobody knows any more. While the controller, or Redis, is
 * away it is kept: nobody else could have it, and here it could not be had again.
 */
static void sweep_if_due(struct leases *l, uint64_t now_us)
{
    struct list_node *n, *after;
    struct lease_pool *pool;

    if (l->sweep_at_us == 0)
        l->sweep_at_us = now_us + LEASE_IDLE_US;
    if (now_us < l->sweep_at_us)
        return;
    l->sweep_at_us = now_us + LEASE_IDLE_US;
    LIST_FOREACH_SAFE (&l->all, n, after) {
        pool = CONTAINER_OF(n, struct lease_pool, all);
        if (is_heard(l))
            pool->held -= pool->idle_low;
        pool->idle_low = pool->held - pool->used;
        pool_say(pool);
        if (pool_is_forgettable(pool))
            pool_free(pool);
    }
}

uint64_t leases_turn(struct leases *l, uint64_t now_us)
{
    uint64_t next_us = UINT64_MAX;

    l->woken = false;
    tell_ready(l);
    if (!list_is_empty(&l->all))
        sweep_if_due(l, now_us);
    join_if_due(l, now_us);
    ask_if_due(l, now_us);
    if (list_is_empty(&l->all))
        l->sweep_at_us = 0;
    else
        next_us = l->sweep_at_us;
    if (l->is_up && l->join == JOIN_NOT && l->join_at_us < next_us)
        next_us = l->join_at_us;
    if (l->join == JOIN_DONE && !list_is_empty(&l->due) && l->retry_at_us < next_us)
        next_us = l->retry_at_us;
    return next_us;
}

void leases_stop(struct leases *l)
{
    struct list_node *n;
    struct lease_pool *pool;

    l->stopping = true;
    LIST_FOREACH (&l->all, n) {
        pool = CONTAINER_OF(n, struct lease_pool, all);
        pool->draining = true;
        pool_give_up_idle(pool);
        pool_say(pool);
    }
}

/* ---- what is so ---- */

uint64_t leases_epoch(const struct leases *l)
{
    return l->epoch;
}

const char *leases_incarnation(const struct leases *l)
{
    return l->incarnation;
}

const char *leases_why(const struct leases *l)
{
    if (!l->is_up)
        return "the controller cannot be reached; is hearth-controller running?";
    return l->why.code != ERR_OK ? l->why.msg : "the controller has not answered yet";
}

void leases_describe(const struct leases *l, struct buf *b)
{
    const struct lease_pool *pool;
    const struct list_node *n;
    unsigned told = 0;

    buf_append_char(b, '[');
    LIST_FOREACH (&l->all, n) {
        pool = CONTAINER_OF(n, struct lease_pool, all);
        if ((pool->held == 0 && pool->waiting_len == 0) || told == DESCRIBE_MAX)
            continue;
        buf_append_str(b, told++ ? STR(",{\"account\":\"") : STR("{\"account\":\""));
        buf_append_json(b, pool->account);
        buf_append_str(b, STR("\",\"pool\":\""));
        buf_append_json(b, pool->name);
        buf_printf(b, "\",\"held\":%llu,\"used\":%llu,\"waiting\":%llu}",
                   (unsigned long long)pool->held, (unsigned long long)pool->used,
                   (unsigned long long)pool->waiting_len);
    }
    buf_append_char(b, ']');
}

struct leases *leases_new(const char *id, const struct leases_ops *ops, void *arg)
{
    struct leases *l = xcalloc(sizeof(*l));

    l->ops = *ops;
    l->arg = arg;
    snprintf(l->id, sizeof(l->id), "%s", id);
    make_incarnation(l);
    map_init(&l->pools, NULL);
    list_init(&l->all);
    list_init(&l->due);
    list_init(&l->asked);
    list_init(&l->ready);
    return l;
}

void leases_free(struct leases *l)
{
    struct lease_pool *pool;

    if (!l)
        return;
    l->woken = true; /* nobody wants another turn */
    void_all(l);
    while ((pool = LIST_FIRST(&l->all, struct lease_pool, all)))
        pool_free(pool);
    map_done(&l->pools);
    free(l);
}
