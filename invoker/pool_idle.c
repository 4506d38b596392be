/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool_idle.c - how long sandboxes are kept that nothing runs on, and which are begun ahead. See pool.h.
 */
#include "invoker/pool_impl.h"

#define MINUTE_US MINUTES(1)

void pool_idle_list(struct pool_sandbox *ps)
{
    struct pool_version *pv = ps->pv;

    list_prepend(ps->kept ? &pv->idle_kept : &pv->idle, &ps->idle);
    if (!ps->kept)
        list_append(&pv->pool->idle, &ps->age);
}

/* ---- pauses ---- */

void pool_idle_called(struct pool_version *pv)
{
    uint64_t since = pv->quiet_since_us;

    pv->quiet_since_us = 0;
    pv->prewarm = false;
    list_remove(&pv->quiet);
    if (since && pv->habits)
        keep_alive_learn(pv->habits, (clock_now_us(pv->pool->options.clock) - since) / MINUTE_US);
}

void pool_idle_look(struct pool_version *pv)
{
    if (!pv->habits || pv->quiet_since_us || pv->busy_count || pv->waiting_count || pv->retired)
        return;
    pv->quiet_since_us = pv->look_us = clock_now_us(pv->pool->options.clock);
    list_append(&pv->pool->quiet, &pv->quiet);
}

/* Sandboxes that an invocation could have, soon at the latest. */
static uint32_t alive(const struct pool_version *pv)
{
    const struct list_node *node;
    uint32_t count = 0;

    LIST_FOREACH(&pv->sandboxes, node)
        count += CONTAINER_OF(node, struct pool_sandbox, of_version)->place != POOL_ENDING;
    return count;
}

static bool has_room(const struct pool_version *pv)
{
    const struct pool *pool = pv->pool;

    return pool->used_mib + pool->claimed_mib + pv->memory_mib <= pool->options.memory_mib;
}

bool pool_idle_wants(const struct pool_version *pv)
{
    return pv->prewarm && has_room(pv) && alive(pv) == 0;
}

/* A minute begins in which the policy says something else than before. */
static void follow_policy(struct pool_version *pv, uint64_t now)
{
    struct pool *pool = pv->pool;
    uint32_t worth = pool->options.cold_start_worth;
    uint64_t minute = (now - pv->quiet_since_us) / MINUTE_US, next;
    struct list_node *node, *after;

    pv->prewarm = keep_alive_is_warm(pv->habits, minute, worth);
    if (!pv->prewarm)
        LIST_FOREACH_SAFE(&pv->idle, node, after)
            pool_end(CONTAINER_OF(node, struct pool_sandbox, idle), POOL_END_EXPIRED);
    next = keep_alive_next_change(pv->habits, minute, worth);
    pv->look_us = next == UINT64_MAX ? UINT64_MAX : pv->quiet_since_us + next * MINUTE_US;
    if (next == UINT64_MAX)
        list_remove(&pv->quiet);
    pool_want(pv);
    pool_start_wanted(pool);
}

/* ---- age ---- */

/* Whether the policy, not its age, ends @ps. */
static bool is_the_policys(const struct pool_sandbox *ps)
{
    const struct list_node *idle = &ps->pv->idle;

    return ps->pv->habits && ps->pv->quiet_since_us && idle->next == idle->prev;
}

static uint64_t expire_old(struct pool *pool, uint64_t now)
{
    struct list_node *node, *after;
    struct pool_sandbox *ps;
    uint64_t due;

    LIST_FOREACH_SAFE(&pool->idle, node, after)
    {
        ps = CONTAINER_OF(node, struct pool_sandbox, age);
        if (is_the_policys(ps))
            continue;
        due = ps->idle_since_us + pool->options.idle_ttl_us;
        if (due > now)
            return due;
        pool_end(ps, POOL_END_EXPIRED);
    }
    return 0;
}

uint64_t pool_expire(struct pool *pool)
{
    uint64_t now = clock_now_us(pool->options.clock), due;
    struct list_node *node, *after;
    struct pool_version *pv;

    LIST_FOREACH_SAFE(&pool->quiet, node, after)
    {
        pv = CONTAINER_OF(node, struct pool_version, quiet);
        if (pv->look_us <= now)
            follow_policy(pv, now);
    }
    due = expire_old(pool, now);
    LIST_FOREACH(&pool->quiet, node)
    {
        pv = CONTAINER_OF(node, struct pool_version, quiet);
        if (!due || pv->look_us < due)
            due = pv->look_us;
    }
    return due;
}
