/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/pool_impl.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct pool *pool_new(const struct pool_options *options)
{
    struct pool *pool = calloc(1, sizeof(*pool));

    if (!pool)
        abort();
    pool->options = *options;
    list_init(&pool->wanting);
    list_init(&pool->idle);
    list_init(&pool->ending);
    list_init(&pool->quiet);
    list_init(&pool->changed);
    return pool;
}

void pool_free(struct pool *pool)
{
    if (!pool)
        return;
    assert(pool->versions == 0);
    free(pool);
}

void pool_counts_get(const struct pool *pool, struct pool_counts *ret)
{
    *ret = pool->counts;
    ret->memory_mib = pool->used_mib;
}

struct pool_version *pool_version_new(struct pool *pool, uint32_t memory_mib,
                                      struct keep_alive *habits, void *user)
{
    struct pool_version *pv = calloc(1, sizeof(*pv));

    if (!pv)
        abort();
    pv->pool = pool;
    pv->user = user;
    pv->memory_mib = memory_mib;
    list_init(&pv->sandboxes);
    list_init(&pv->idle);
    list_init(&pv->idle_kept);
    list_init(&pv->waiting);
    list_init(&pv->want);
    list_init(&pv->quiet);
    list_init(&pv->changed);
    pv->habits = habits && pool->options.cold_start_worth ? keep_alive_ref(habits) : NULL;
    pool->versions++;
    pool_touch(pv); /* it is here now, which is of use by itself */
    return pv;
}

/* @pv stands in the ring no longer: what was kept for it is anyone's. */
static void want_end(struct pool_version *pv)
{
    list_remove(&pv->want);
    pv->pool->claimed_mib -= pv->claim_mib;
    pv->claim_mib = 0;
}

void pool_version_free(struct pool_version *pv)
{
    struct pool_sandbox *ps;
    struct list_node *node;

    if (!pv)
        return;
    assert(list_is_empty(&pv->sandboxes) && list_is_empty(&pv->waiting));
    want_end(pv);
    LIST_FOREACH(&pv->pool->ending, node)
    {
        ps = CONTAINER_OF(node, struct pool_sandbox, age);
        if (ps->evicted_for == pv)
            ps->evicted_for = NULL;
    }
    list_remove(&pv->quiet);
    list_remove(&pv->changed);
    keep_alive_unref(pv->habits);
    scaling_rate_unref(pv->rate);
    pv->pool->versions--;
    free(pv);
}

bool pool_version_is_retired(const struct pool_version *pv)
{
    return pv->retired;
}

/* ---- places ---- */

static uint32_t *count_of(struct pool *pool, enum pool_place place)
{
    switch (place) {
    case POOL_CREATING:
        return &pool->counts.creating;
    case POOL_STARTING:
        return &pool->counts.starting;
    case POOL_IDLE:
        return &pool->counts.idle;
    case POOL_BUSY:
        return &pool->counts.busy;
    case POOL_RETURNING:
        return &pool->counts.returning;
    case POOL_ENDING:
        break;
    }
    return &pool->counts.ending;
}

static bool is_starting(enum pool_place place)
{
    return place == POOL_CREATING || place == POOL_STARTING;
}

static bool is_initialised(enum pool_place place)
{
    return place == POOL_IDLE || place == POOL_BUSY || place == POOL_RETURNING;
}

static void kept_changed(struct pool_version *pv)
{
    pv->pool->options.ops->kept_changed(pv->user, pv->pool->options.arg);
}

static void keep_no_longer(struct pool_sandbox *ps)
{
    struct pool_version *pv = ps->pv;

    ps->kept = false;
    pv->kept_count--;
    pv->kept_ready_count -= is_initialised(ps->place);
    kept_changed(pv);
}

void pool_place_set(struct pool_sandbox *ps, enum pool_place place)
{
    struct pool_version *pv = ps->pv;
    struct pool *pool = pv->pool;

    --*count_of(pool, ps->place);
    ++*count_of(pool, place);
    pv->starting_count -= is_starting(ps->place);
    pv->starting_count += is_starting(place);
    pv->returning_count -= ps->place == POOL_RETURNING;
    pv->returning_count += place == POOL_RETURNING;
    pv->busy_count -= ps->place == POOL_BUSY;
    pv->busy_count += place == POOL_BUSY;
    if (ps->kept && place == POOL_ENDING)
        keep_no_longer(ps);
    if (ps->kept && !is_initialised(ps->place) && is_initialised(place)) {
        pv->kept_ready_count++;
        kept_changed(pv);
    }
    ps->place = place;
    list_remove(&ps->idle);
    list_remove(&ps->age);
    if (place == POOL_IDLE) {
        ps->idle_since_us = clock_now_us(pool->options.clock);
        pool_idle_list(ps);
    } else if (place == POOL_ENDING) {
        list_append(&pool->ending, &ps->age);
    }
    pool_idle_look(pv);
    pool_touch(pv);
}

void pool_end(struct pool_sandbox *ps, enum pool_end why)
{
    struct pool *pool = ps->pv->pool;

    pool_place_set(ps, POOL_ENDING);
    pool->options.ops->end(ps, why, pool->options.arg);
}

/* ---- starting ---- */

/*
 * Whether a sandbox of @pv fits now. If not, but the idle ones of others could make it fit, they
 * are told to end; their memory comes with pool_gone(). Ending fewer than would be enough helps
 * nobody.
 */
static bool make_room(struct pool *pool, struct pool_version *pv)
{
    uint64_t taken = pool->used_mib + pool->claimed_mib - pv->claim_mib;
    uint64_t have = taken < pool->options.memory_mib ? pool->options.memory_mib - taken : 0;
    uint64_t idle_mib = 0;
    struct pool_sandbox *ps;
    struct list_node *node, *after;

    if (have >= pv->memory_mib)
        return true;
    have += pv->evicting_mib;
    LIST_FOREACH(&pool->idle, node)
    {
        if (have + idle_mib >= pv->memory_mib)
            break;
        idle_mib += CONTAINER_OF(node, struct pool_sandbox, age)->pv->memory_mib;
    }
    if (have + idle_mib < pv->memory_mib)
        return false;
    LIST_FOREACH_SAFE(&pool->idle, node, after)
    {
        if (have >= pv->memory_mib)
            break;
        ps = CONTAINER_OF(node, struct pool_sandbox, age);
        have += ps->pv->memory_mib;
        pv->evicting_mib += ps->pv->memory_mib;
        ps->evicted_for = pv;
        pool_end(ps, POOL_END_EVICTED);
    }
    return false;
}

/* Whether invocations wait for more sandboxes than are on their way. */
static bool is_short(const struct pool_version *pv)
{
    uint32_t expected = pv->starting_count + pv->returning_count;

    return pv->waiting_count > expected || pv->hurried_count > pv->starting_count;
}

static bool wants_kept(const struct pool_version *pv)
{
    return pv->kept_count < pv->keep && !pv->keep_paused && !pv->retired;
}

static bool wants_start(const struct pool_version *pv)
{
    return is_short(pv) || wants_kept(pv) || pool_idle_wants(pv);
}

static void start_one(struct pool *pool, struct pool_version *pv)
{
    bool kept = pv->kept_count < pv->keep;
    struct pool_sandbox *ps;

    if (!kept)
        scaling_rate_take(pv->rate);
    pv->prewarm = false;
    pool->claimed_mib -= pv->claim_mib;
    pv->claim_mib = 0;
    pool->used_mib += pv->memory_mib;
    ps = pool->options.ops->start(pv->user, kept, pool->options.arg);
    ps->pv = pv;
    ps->place = POOL_CREATING;
    ps->evicted_for = NULL;
    ps->outdated = false;
    ps->kept = kept;
    pv->kept_count += kept;
    list_append(&pv->sandboxes, &ps->of_version);
    list_init(&ps->idle);
    list_init(&ps->age);
    pool->counts.creating++;
    pv->starting_count++;
    pool_touch(pv);
    list_remove(&pv->want); /* to the end of the ring: others have their turn */
    list_append(&pool->wanting, &pv->want);
    pool_touch(pv);
}

/* The next version in turn for which a sandbox fits; those that want none leave the ring. */
static struct pool_version *next_startable(struct pool *pool, uint64_t *due_us)
{
    struct list_node *node, *after;
    struct pool_version *pv;

    LIST_FOREACH_SAFE(&pool->wanting, node, after)
    {
        pv = CONTAINER_OF(node, struct pool_version, want);
        if (!wants_start(pv))
            want_end(pv);
        else if (pool_rate_allows(pv, due_us) && make_room(pool, pv))
            return pv;
    }
    return NULL;
}

void pool_start_wanted(struct pool *pool)
{
    struct pool_version *pv;
    uint64_t due_us;

    if (pool->starting) { /* called back from an op: the loop below goes round once more */
        pool->start_again = true;
        return;
    }
    pool->starting = true;
    do {
        pool->start_again = false;
        due_us = UINT64_MAX;
        while (pool->counts.creating < pool->options.parallel && (pv = next_startable(pool, &due_us)))
            start_one(pool, pv);
    } while (pool->start_again);
    pool->starting = false;
    pool_rate_wait(pool, due_us);
}

void pool_want(struct pool_version *pv)
{
    if (!list_is_linked(&pv->want) && wants_start(pv))
        list_append(&pv->pool->wanting, &pv->want);
}

/* ---- invocations ---- */

static void wait_remove(struct pool_version *pv, struct pool_wait *w)
{
    list_remove(&w->node);
    pv->waiting_count--;
    pv->hurried_count -= w->hurried;
    pv->pool->counts.waiting--;
    pool_touch(pv);
}

int pool_submit(struct pool_version *pv, struct pool_wait *w)
{
    struct pool *pool = pv->pool;
    struct pool_sandbox *ps;

    list_init(&w->node);
    w->hurried = false;
    if (pv->retired)
        return -ERR_STALE;
    pool_idle_called(pv);
    ps = LIST_FIRST(list_is_empty(&pv->idle_kept) ? &pv->idle : &pv->idle_kept,
                    struct pool_sandbox, idle);
    if (ps) {
        pool_place_set(ps, POOL_BUSY);
        pool->options.ops->run(ps, w, pool->options.arg);
        return 1;
    }
    if (pv->memory_mib > pool->options.memory_mib) {
        pool_idle_look(pv);
        return -ERR_THROTTLED;
    }
    list_append(&pv->waiting, &w->node);
    pv->waiting_count++;
    pool->counts.waiting++;
    pool_touch(pv);
    pool_want(pv);
    pool_start_wanted(pool);
    return 0;
}

void pool_hurry(struct pool_version *pv, struct pool_wait *w)
{
    if (w->hurried)
        return;
    w->hurried = true;
    pv->hurried_count++;
    pool_want(pv);
    pool_start_wanted(pv->pool);
}

void pool_cancel(struct pool_version *pv, struct pool_wait *w)
{
    assert(list_is_linked(&w->node));
    wait_remove(pv, w);
    pool_idle_look(pv);
}

bool pool_is_served(const struct pool_version *pv, const struct pool_wait *w)
{
    const struct list_node *node;
    uint32_t before = 0;

    LIST_FOREACH(&pv->waiting, node)
    {
        if (before == pv->starting_count)
            return false;
        if (node == &w->node)
            return true;
        before++;
    }
    return false;
}

/* ---- sandboxes ---- */

void pool_created(struct pool_sandbox *ps)
{
    if (ps->place != POOL_CREATING)
        return;
    pool_place_set(ps, POOL_STARTING);
    pool_start_wanted(ps->pv->pool);
}

void pool_ready(struct pool_sandbox *ps)
{
    struct pool_version *pv = ps->pv;
    struct pool *pool = pv->pool;
    struct pool_wait *w = LIST_FIRST(&pv->waiting, struct pool_wait, node);
    bool was_creating = ps->place == POOL_CREATING;

    if (ps->place == POOL_ENDING)
        return;
    if (pv->retired) {
        pool_end(ps, POOL_END_RETIRED);
    } else if (ps->outdated) {
        pool_end(ps, POOL_END_OUTDATED);
        pool_want(pv); /* whoever waits for it needs another one */
    } else if (w) {
        wait_remove(pv, w);
        pool_place_set(ps, POOL_BUSY);
        pool->options.ops->run(ps, w, pool->options.arg);
    } else {
        pool_place_set(ps, POOL_IDLE);
    }
    if (was_creating || !list_is_empty(&pool->wanting)) /* one more place, or one more to evict */
        pool_start_wanted(pool);
}

void pool_returning(struct pool_sandbox *ps)
{
    if (ps->place == POOL_IDLE || ps->place == POOL_BUSY)
        pool_place_set(ps, POOL_RETURNING);
}

struct pool_wait *pool_start_failed(struct pool_sandbox *ps)
{
    struct pool_version *pv = ps->pv;
    struct pool_wait *w = NULL;

    if (is_starting(ps->place)) {
        pv->keep_paused = pv->keep_paused || ps->kept;
        pv->keep_failed = pv->keep_failed || ps->kept;
        pool_place_set(ps, POOL_ENDING);
        if (is_short(pv)) {
            w = LIST_FIRST(&pv->waiting, struct pool_wait, node);
            wait_remove(pv, w);
        }
    }
    pool_want(pv);
    pool_start_wanted(pv->pool);
    return w;
}

void pool_ending(struct pool_sandbox *ps)
{
    if (ps->place == POOL_ENDING)
        return;
    ps->pv->keep_paused = ps->pv->keep_paused || ps->kept;
    pool_place_set(ps, POOL_ENDING);
    pool_want(ps->pv); /* whoever waits needs another one now */
    pool_start_wanted(ps->pv->pool);
}

void pool_replace(struct pool_sandbox *ps)
{
    if (ps->place == POOL_IDLE) {
        pool_end(ps, POOL_END_OUTDATED);
        pool_want(ps->pv);
        pool_start_wanted(ps->pv->pool);
    } else {
        ps->outdated = true;
    }
}

void pool_gone(struct pool_sandbox *ps)
{
    struct pool_version *pv = ps->pv, *heir = ps->evicted_for;
    struct pool *pool = pv->pool;

    pool_ending(ps);
    list_remove(&ps->age);
    list_remove(&ps->of_version);
    pool->counts.ending--;
    pool->used_mib -= pv->memory_mib;
    pool_touch(pv);
    if (heir) {
        heir->evicting_mib -= pv->memory_mib;
        if (list_is_linked(&heir->want)) {
            heir->claim_mib += pv->memory_mib;
            pool->claimed_mib += pv->memory_mib;
        }
    }
    pool_want(pv);
    pool_start_wanted(pool);
}

void pool_version_keep(struct pool_version *pv, uint32_t count)
{
    struct list_node *node, *after;
    struct pool_sandbox *ps;

    pv->keep = count;
    pv->keep_paused = pv->keep_failed = false;
    pool_touch(pv);
    LIST_FOREACH_SAFE(&pv->sandboxes, node, after)
    {
        if (pv->kept_count <= count)
            break;
        ps = CONTAINER_OF(node, struct pool_sandbox, of_version);
        if (!ps->kept)
            continue;
        keep_no_longer(ps);
        if (ps->place == POOL_IDLE) {
            ps->idle_since_us = clock_now_us(pv->pool->options.clock);
            list_remove(&ps->idle);
            pool_idle_list(ps);
        }
    }
    pool_want(pv);
    pool_start_wanted(pv->pool);
}

void pool_version_kept(const struct pool_version *pv, struct pool_kept *ret)
{
    *ret = (struct pool_kept){
        .begun = pv->kept_count, .ready = pv->kept_ready_count, .paused = pv->keep_paused, .failed = pv->keep_failed};
}

void pool_version_retire(struct pool_version *pv)
{
    struct pool *pool = pv->pool;
    struct list_node *node, *after;
    struct pool_sandbox *ps;
    struct pool_wait *w;

    pv->retired = true;
    pv->keep = 0;
    list_remove(&pv->quiet);
    while ((w = LIST_FIRST(&pv->waiting, struct pool_wait, node))) {
        wait_remove(pv, w);
        pool->options.ops->refuse(w, ERR_STALE, pool->options.arg);
    }
    want_end(pv);
    LIST_FOREACH_SAFE(&pv->sandboxes, node, after)
    {
        ps = CONTAINER_OF(node, struct pool_sandbox, of_version);
        if (ps->place == POOL_IDLE || is_starting(ps->place))
            pool_end(ps, POOL_END_RETIRED);
    }
    pool_start_wanted(pool);
}
