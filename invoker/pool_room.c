/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool_room.c - what the pool tells of itself: the room that it has, what is idle in it. See pool.h.
 */
#include "invoker/pool_impl.h"

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* Sandboxes that @pv wants and that are not being made yet. */
static uint32_t lack_of(const struct pool_version *pv)
{
    uint32_t expected = pv->starting_count + pv->returning_count, lack = 0;

    if (pv->waiting_count > expected)
        lack = pv->waiting_count - expected;
    if (pv->hurried_count > pv->starting_count)
        lack = larger(lack, pv->hurried_count - pv->starting_count);
    if (pv->keep > pv->kept_count && !pv->keep_paused && !pv->retired)
        lack = larger(lack, pv->keep - pv->kept_count);
    return lack;
}

static uint64_t wanted_mib(const struct pool *pool)
{
    const struct pool_version *pv;
    const struct list_node *node;
    uint64_t sum = 0;

    LIST_FOREACH(&pool->wanting, node)
    {
        pv = CONTAINER_OF(node, struct pool_version, want);
        sum += (uint64_t)lack_of(pv) * pv->memory_mib;
    }
    return sum;
}

static uint64_t sum_mib(const struct list_node *sandboxes)
{
    const struct list_node *node;
    uint64_t sum = 0;

    LIST_FOREACH(sandboxes, node)
        sum += CONTAINER_OF(node, struct pool_sandbox, age)->pv->memory_mib;
    return sum;
}

void pool_room_get(const struct pool *pool, struct pool_room *ret)
{
    ret->memory_mib = pool->options.memory_mib;
    ret->free_mib =
        (int64_t)pool->options.memory_mib - (int64_t)pool->used_mib - (int64_t)wanted_mib(pool);
    ret->idle_mib = sum_mib(&pool->idle);
}

bool pool_has_room(const struct pool_version *pv)
{
    const struct pool *pool = pv->pool;
    uint64_t wanted;

    if (lack_of(pv) == 0)
        return true;
    wanted = wanted_mib(pool) + pool->used_mib;
    return wanted <= pool->options.memory_mib + sum_mib(&pool->idle) + sum_mib(&pool->ending);
}

/* ---- what is idle, and who has been told */

void pool_touch(struct pool_version *pv)
{
    struct pool *pool = pv->pool;

    if (!list_is_linked(&pv->changed))
        list_append(&pool->changed, &pv->changed);
    if (pool->touched)
        return;
    pool->touched = true;
    if (pool->options.ops) /* else nobody wants to know anything */
        pool->options.ops->changed(pool->options.arg);
}

void pool_version_warm(const struct pool_version *pv, struct pool_warm *ret)
{
    const struct pool_sandbox *ps;
    const struct list_node *node;

    *ret = (struct pool_warm){.user = pv->user};
    if (pv->retired)
        return;
    LIST_FOREACH(&pv->sandboxes, node)
    {
        ps = CONTAINER_OF(node, struct pool_sandbox, of_version);
        if (ps->outdated || (ps->place != POOL_IDLE && ps->place != POOL_RETURNING))
            continue;
        ret->idle++;
        ret->kept += ps->kept;
    }
}

/* None or some, twice as many or half, provisioned ones more than were: that changes where invocations go. */
static bool matters(const struct pool_warm *was, const struct pool_warm *is)
{
    return (was->idle == 0) != (is->idle == 0) || is->idle > 2 * was->idle ||
           2 * is->idle < was->idle || is->kept > was->kept || (was->kept > 0 && is->kept == 0);
}

bool pool_each_changed(struct pool *pool, bool all, pool_warm_fn *fn, void *arg)
{
    struct list_node *node, *after;
    struct pool_version *pv;
    struct pool_warm is;

    pool->touched = false;
    LIST_FOREACH_SAFE(&pool->changed, node, after)
    {
        pv = CONTAINER_OF(node, struct pool_version, changed);
        pool_version_warm(pv, &is);
        if (pv->is_told && is.idle == pv->told.idle && is.kept == pv->told.kept) {
            list_remove(node);
        } else if (all || !pv->is_told || matters(&pv->told, &is)) {
            if (!fn(&is, arg))
                break;
            list_remove(node);
            pv->told = is;
            pv->is_told = true;
        }
    }
    return !list_is_empty(&pool->changed);
}
