/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>

#include "common/base/alloc.h"
#include "gateway/leases_impl.h"

/* ---- pools ---- */

struct lease_pool *pool_find(struct leases *l, struct str account, struct str name, bool make)
{
    CLEANUP(freep) char *key = str_printf("%.*s/%.*s", STR_ARG(account), STR_ARG(name));
    struct lease_pool *pool = map_get(&l->pools, str_of(key));

    if (pool || !make)
        return pool;
    pool = xcalloc(sizeof(*pool));
    pool->leases = l;
    pool->account = str_from(key, account.len);
    pool->name = str_from(key + account.len + 1, name.len);
    list_init(&pool->due);
    list_init(&pool->permits);
    list_init(&pool->waiting);
    list_append(&l->all, &pool->all);
    map_put(&l->pools, str_of(key), pool);
    pool->key = TAKE(key);
    pool->draining = l->stopping;
    leases_wake(l); /* for the sweep that forgets it one day */
    return pool;
}

void pool_free(struct lease_pool *pool)
{
    list_remove(&pool->all);
    list_remove(&pool->due);
    map_remove(&pool->leases->pools, str_of(pool->key));
    free(pool->key);
    free(pool);
}

bool pool_is_forgettable(const struct lease_pool *pool)
{
    return pool->refs == 0 && pool->held == 0 && pool->told == 0 && pool->waiting_len == 0 &&
           pool->number == 0;
}

void pool_say(struct lease_pool *pool)
{
    struct leases *l = pool->leases;

    if (pool->number != 0 || (pool->waiting_len == 0 && pool->told <= pool->held))
        return;
    if (!list_is_linked(&pool->due))
        list_append(&l->due, &pool->due);
    leases_wake(l);
}

struct lease_pool *leases_pool(struct leases *l, struct str account, struct str name)
{
    return lease_pool_ref(pool_find(l, account, name, true));
}

struct lease_pool *lease_pool_ref(struct lease_pool *pool)
{
    if (pool)
        pool->refs++;
    return pool;
}

void lease_pool_unref(struct lease_pool *pool)
{
    if (!pool)
        return;
    assert(pool->refs > 0);
    pool->refs--; /* the next sweep forgets it */
}

struct str lease_pool_name(const struct lease_pool *pool)
{
    return pool->name;
}

uint64_t lease_pool_held(const struct lease_pool *pool)
{
    return pool->held;
}

uint64_t leases_peak(struct leases *l, struct str account, struct str name)
{
    struct lease_pool *pool = pool_find(l, account, name, false);
    uint64_t peak = pool ? pool->peak : 0;

    if (pool)
        pool->peak = pool->used;
    return peak;
}

/* ---- permits ---- */

static void note_idle(struct lease_pool *pool)
{
    uint64_t idle = pool->held - pool->used;

    if (idle < pool->idle_low)
        pool->idle_low = idle;
}

static void hand_out(struct lease_pool *pool, struct str function, struct permit *ret)
{
    ret->pool = pool;
    ret->function = function;
    ret->is_sent = false;
    list_append(&pool->permits, &ret->node);
    pool->used++;
    if (pool->used > pool->peak)
        pool->peak = pool->used;
    note_idle(pool);
}

void pool_give_up_idle(struct lease_pool *pool)
{
    pool->held = pool->used;
    pool->idle_low = 0;
}

void pool_drain(struct lease_pool *pool)
{
    struct list_node *n, *after;
    struct permit *permit;

    pool->draining = true;
    LIST_FOREACH_SAFE (&pool->permits, n, after) {
        permit = CONTAINER_OF(n, struct permit, node);
        if (permit->is_sent)
            continue;
        list_remove(&permit->node);
        permit->pool = NULL;
        pool->used--;
    }
    pool_give_up_idle(pool);
}

static void tell(struct lease_pool *pool, struct permit_wait *w)
{
    list_remove(&w->node);
    w->pool = NULL;
    pool->waiting_len--;
    list_append(&pool->leases->ready, &w->node);
    leases_wake(pool->leases);
}

void pool_grant(struct lease_pool *pool)
{
    struct permit_wait *w;

    while (pool->held > pool->used && (w = LIST_FIRST(&pool->waiting, struct permit_wait, node))) {
        hand_out(pool, w->function, w->permit);
        w->dry_len = 0;
        tell(pool, w);
    }
}

int lease_take(struct lease_pool *pool, struct str function, uint64_t now_us, struct permit *ret)
{
    if (pool->held > pool->used) {
        hand_out(pool, function, ret);
        return 0;
    }
    return now_us < pool->dry_until_us ? -ERR_THROTTLED : -ERR_NOT_READY;
}

void lease_wait(struct lease_pool *pool, struct permit_wait *w)
{
    w->pool = pool;
    w->since = pool->seq;
    list_append(&pool->waiting, &w->node);
    pool->waiting_len++;
    pool_say(pool);
}

bool permit_wait_was_refused(const struct permit_wait *w, const struct lease_pool *pool)
{
    unsigned i;

    for (i = 0; i < w->dry_len && i < ARRAY_LEN(w->dry); i++)
        if (w->dry[i] == pool)
            return true;
    return false;
}

void permit_wait_cancel(struct permit_wait *w)
{
    w->dry_len = 0;
    if (w->pool)
        w->pool->waiting_len--;
    w->pool = NULL;
    list_remove(&w->node);
}

void permit_return(struct permit *permit)
{
    struct lease_pool *pool = permit->pool;

    if (!pool)
        return;
    permit->pool = NULL;
    list_remove(&permit->node);
    pool->used--;
    if (pool->draining) {
        pool->held--;
        pool_say(pool);
    } else if (pool->waiting_len > 0) {
        pool_grant(pool);
    }
}

void permit_refused(struct permit *permit)
{
    permit->is_sent = false;
    if (permit->pool && permit->pool->draining)
        permit_return(permit);
}

void permit_pass(struct permit *from, struct permit *to, struct str function)
{
    to->pool = from->pool;
    if (!from->pool)
        return;
    to->function = function;
    to->is_sent = from->is_sent;
    list_append(&from->pool->permits, &to->node);
    list_remove(&from->node);
    from->pool = NULL;
}

void pool_refuse(struct lease_pool *pool, uint64_t now_us)
{
    struct permit_wait *w;

    pool->dry_until_us = pool->asked_us + LEASE_DRY_US;
    while ((w = LIST_FIRST(&pool->waiting, struct permit_wait, node)) &&
           (w->since < pool->seq || now_us < pool->dry_until_us)) {
        w->dry[w->dry_len++ % ARRAY_LEN(w->dry)] = pool;
        tell(pool, w);
    }
}

void pool_void(struct lease_pool *pool)
{
    struct permit *permit;

    while ((permit = LIST_FIRST(&pool->permits, struct permit, node))) {
        list_remove(&permit->node);
        permit->pool = NULL;
    }
    pool->held = pool->used = pool->idle_low = pool->told = pool->number = 0;
    pool->draining = pool->leases->stopping;
    pool->moved = false;
    pool->dry_until_us = pool->contended_until_us = 0;
    list_remove(&pool->due);
    pool_say(pool);
}

