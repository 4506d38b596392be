/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool_rate.c - starts that wait for their function's scaling rate. See pool.h.
 */
#include "invoker/pool_impl.h"

void pool_version_limit(struct pool_version *pv, struct scaling_rate *rate)
{
    struct scaling_rate *before = pv->rate;

    pv->rate = scaling_rate_ref(rate);
    scaling_rate_unref(before);
}

bool pool_rate_allows(const struct pool_version *pv, uint64_t *due_us)
{
    uint64_t due;

    if (!pv->rate || pv->kept_count < pv->keep) /* the next one is a kept one */
        return true;
    due = scaling_rate_due_us(pv->rate);
    if (due <= clock_now_us(pv->pool->options.clock))
        return true;
    if (due < *due_us)
        *due_us = due;
    return false;
}

bool pool_version_is_at_rate(const struct pool_version *pv)
{
    uint64_t due = UINT64_MAX;

    return !pool_rate_allows(pv, &due);
}

void pool_rate_wait(struct pool *pool, uint64_t due_us)
{
    if (due_us != UINT64_MAX)
        pool->options.ops->start_later(due_us, pool->options.arg);
}

void pool_start_due(struct pool *pool)
{
    pool_start_wanted(pool);
}
