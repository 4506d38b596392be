/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/blank_pool.h"

#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "invoker/demand.h"

#define LEAST 2 /* kept when nothing happens */
#define QUIET_US MSEC(20) /* nothing taken for so long: the pool may be filled */
#define PAUSE_MIN_US MSEC(100)
#define PAUSE_MAX_US SECONDS(10)

struct entry {
    struct blank_pool *pool;
    struct blank *blank;
    enum { MAKING, READY, ENDING } state;
    struct list_node node; /* in making, ready or ending */
};

struct blank_pool {
    struct native_host *host;
    uint32_t most, parallel;
    uint64_t limit_us;
    uint64_t last_id;
    struct demand demand;
    struct list_node making, ready, ending; /* of struct entry */
    struct list_node waiting; /* of struct blank_wait */
    uint32_t making_len, ready_len;
    uint64_t taken_us; /* the last one */
    uint64_t pause_us, paused_until_us; /* after a failure */
    struct timer timer; /* fills, and shrinks */
    bool stopping;
    void (*gone)(void *arg);
    void *gone_arg;
};

static void pool_fill(struct blank_pool *pool);

static bool someone_waits(const struct blank_pool *pool)
{
    return !list_is_empty(&pool->waiting);
}

static uint32_t waiting_len(const struct blank_pool *pool)
{
    struct list_node *n;
    uint32_t len = 0;

    LIST_FOREACH(&pool->waiting, n)
        len++;
    return len;
}

static void leave_state(struct entry *e)
{
    list_remove(&e->node);
    if (e->state == MAKING)
        e->pool->making_len--;
    else if (e->state == READY)
        e->pool->ready_len--;
}

static void on_entry_gone(void *arg)
{
    struct entry *e = arg;
    struct blank_pool *pool = e->pool;

    list_remove(&e->node);
    free(e);
    if (pool->gone)
        pool->gone(pool->gone_arg);
}

static void entry_end(struct entry *e)
{
    leave_state(e);
    e->state = ENDING;
    list_append(&e->pool->ending, &e->node);
    blank_end(e->blank, NULL, on_entry_gone, e);
}

/* Its blank is somebody's now. */
static struct blank *entry_give(struct entry *e)
{
    struct blank *blank = e->blank;

    leave_state(e);
    e->pool->taken_us = now_us();
    demand_take(&e->pool->demand, e->pool->taken_us);
    free(e);
    return blank;
}

static struct blank_wait *wait_pop(struct blank_pool *pool)
{
    struct blank_wait *w = LIST_FIRST(&pool->waiting, struct blank_wait, node);

    if (w)
        list_remove(&w->node);
    return w;
}

static void on_ready(struct blank *blank, void *arg)
{
    struct entry *e = arg;
    struct blank_pool *pool = e->pool;
    struct blank_wait *w = wait_pop(pool);

    (void)blank;
    pool->pause_us = 0;
    if (w) {
        w->got(entry_give(e), NULL, w->arg);
    } else {
        leave_state(e);
        e->state = READY;
        list_append(&pool->ready, &e->node);
        pool->ready_len++;
    }
    pool_fill(pool);
}

static void on_lost(struct blank *blank, const struct error *err, void *arg)
{
    struct entry *e = arg;
    struct blank_pool *pool = e->pool;
    bool was_made = e->state == READY;
    struct blank_wait *w;

    log_warn("launcher", "blank sandbox lost", KV_STR("blank", blank_id(blank)), KV_ERR(err));
    entry_end(e);
    if (!was_made) {
        pool->pause_us = !pool->pause_us                      ? PAUSE_MIN_US
                         : pool->pause_us * 2 < PAUSE_MAX_US ? pool->pause_us * 2
                                                              : PAUSE_MAX_US;
        pool->paused_until_us = now_us() + pool->pause_us;
        w = wait_pop(pool);
        if (w)
            w->got(NULL, err, w->arg);
    }
    pool_fill(pool);
}

static const struct blank_handler handler = {on_ready, on_lost};

static void make_one(struct blank_pool *pool)
{
    struct entry *e = calloc(1, sizeof(*e));
    char id[24];

    if (!e)
        abort();
    e->pool = pool;
    e->state = MAKING;
    list_append(&pool->making, &e->node);
    pool->making_len++;
    snprintf(id, sizeof(id), "b%llu", (unsigned long long)++pool->last_id);
    e->blank = blank_new(pool->host, id, pool->limit_us, &handler, e);
}

/* Those who wait are served at any time; the pool itself waits for quiet, and for a pause's end. */
static void pool_fill(struct blank_pool *pool)
{
    uint64_t now = now_us(), at;
    uint32_t wanted, waiting = waiting_len(pool);

    if (pool->stopping)
        return;
    while (pool->making_len < waiting && pool->making_len < pool->parallel)
        make_one(pool);
    wanted = demand_wanted(&pool->demand, now, LEAST, pool->most);
    while (pool->ready_len > wanted)
        entry_end(LIST_FIRST(&pool->ready, struct entry, node));
    at = pool->taken_us + QUIET_US;
    at = at > pool->paused_until_us ? at : pool->paused_until_us;
    if (!someone_waits(pool) && now >= at) {
        /* one after the other: the CPUs are for the functions */
        if (pool->making_len == 0 && pool->ready_len < wanted)
            make_one(pool);
        at = now + DEMAND_WINDOW_US; /* demand may have fallen */
    }
    timer_start(&pool->timer, at > now ? at - now : MSEC(1));
}

static void on_timer(void *arg)
{
    pool_fill(arg);
}

/* ---- blank_pool.h */

struct blank_pool *blank_pool_new(const struct blank_pool_options *o)
{
    struct blank_pool *pool = calloc(1, sizeof(*pool));

    if (!pool)
        abort();
    pool->host = o->host;
    pool->most = o->most;
    pool->parallel = o->parallel ? o->parallel : 1;
    pool->limit_us = o->limit_us;
    list_init(&pool->making);
    list_init(&pool->ready);
    list_init(&pool->ending);
    list_init(&pool->waiting);
    timer_init(&pool->timer, o->host->loop, on_timer, pool);
    timer_start(&pool->timer, 0);
    return pool;
}

struct blank *blank_pool_take(struct blank_pool *pool)
{
    struct entry *e = LIST_FIRST(&pool->ready, struct entry, node);
    struct blank *blank;

    if (!e || pool->stopping)
        return NULL;
    blank = entry_give(e);
    timer_start(&pool->timer, QUIET_US);
    return blank;
}

void blank_pool_wait(struct blank_pool *pool, struct blank_wait *w)
{
    list_append(&pool->waiting, &w->node);
    pool_fill(pool);
}

bool blank_pool_is_empty(const struct blank_pool *pool)
{
    return list_is_empty(&pool->making) && list_is_empty(&pool->ready) &&
           list_is_empty(&pool->ending);
}

void blank_pool_stop(struct blank_pool *pool, void (*gone)(void *arg), void *arg)
{
    struct entry *e;

    pool->stopping = true;
    pool->gone = gone;
    pool->gone_arg = arg;
    timer_stop(&pool->timer);
    while ((e = LIST_FIRST(&pool->making, struct entry, node)) ||
           (e = LIST_FIRST(&pool->ready, struct entry, node)))
        entry_end(e);
}

static void free_all(struct list_node *list)
{
    struct entry *e;

    while ((e = LIST_FIRST(list, struct entry, node))) {
        list_remove(&e->node);
        blank_free(e->blank);
        free(e);
    }
}

void blank_pool_free(struct blank_pool *pool)
{
    if (!pool)
        return;
    timer_stop(&pool->timer);
    free_all(&pool->making);
    free_all(&pool->ready);
    free_all(&pool->ending);
    free(pool);
}
