/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool_fixture.h - a node without an engine, for the tests of the pool: sandboxes are rows of an
 * array, and the test says what they do.
 *
 * Owns:    one node, static. Threads: one.
 */
#ifndef HEARTH_INVOKER_POOL_FIXTURE_H
#define HEARTH_INVOKER_POOL_FIXTURE_H

#include "invoker/keep_alive.h"
#include "invoker/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BOXES_MAX 4096
#define REQUESTS_MAX 4096

struct fake_request {
    struct pool_wait wait;
    bool queued;
    int box; /* on which it runs, or -1 */
    enum error_code refused; /* ERR_OK: not */
};

struct fake_box {
    struct pool_sandbox ps;
    bool exists, begun_kept;
    bool told_to_end;
    enum pool_end why;
    struct fake_request *request;
};

struct fake_node {
    struct clock clock; /* first: the clock function finds the node by it */
    uint64_t now_us;
    struct pool *pool;
    struct fake_box boxes[BOXES_MAX];
    int made; /* boxes begun so far */
    struct fake_request requests[REQUESTS_MAX];
    int kept_changes; /* told so far */
    uint64_t start_later_us; /* told last */
    int changes; /* the same: ops->changed */
    void *last_user; /* whose sandbox was begun last */
};

static struct fake_node node;

static inline uint64_t fake_now(const struct clock *clock)
{
    return ((const struct fake_node *)(const void *)clock)->now_us;
}

static inline int box_index(const struct pool_sandbox *ps)
{
    return (int)(CONTAINER_OF(ps, struct fake_box, ps) - node.boxes);
}

static inline struct pool_sandbox *on_start(void *user, bool kept, void *arg)
{
    struct fake_box *box = &node.boxes[node.made++];
    (void)arg;

    assert_true(node.made < BOXES_MAX);
    box->exists = true;
    box->begun_kept = kept;
    node.last_user = user;
    return &box->ps;
}

static inline void on_run(struct pool_sandbox *ps, struct pool_wait *w, void *arg)
{
    struct fake_box *box = CONTAINER_OF(ps, struct fake_box, ps);
    (void)arg;

    assert_true(box->exists && !box->told_to_end);
    assert_null(box->request); /* never two at once */
    box->request = CONTAINER_OF(w, struct fake_request, wait);
    box->request->box = box_index(ps);
    box->request->queued = false;
}

static inline void on_end(struct pool_sandbox *ps, enum pool_end why, void *arg)
{
    struct fake_box *box = CONTAINER_OF(ps, struct fake_box, ps);
    (void)arg;

    assert_false(box->told_to_end);
    box->told_to_end = true;
    box->why = why;
    pool_ending(ps); /* as a sandbox does when it stops: harmless */
}

static inline void on_refuse(struct pool_wait *w, enum error_code code, void *arg)
{
    struct fake_request *request = CONTAINER_OF(w, struct fake_request, wait);
    (void)arg;

    request->queued = false;
    request->refused = code;
}

static inline void on_changed(void *arg)
{
    (void)arg;
    node.changes++;
}

static inline void on_start_later(uint64_t at_us, void *arg)
{
    (void)arg;
    node.start_later_us = at_us;
}

static inline void on_kept_changed(void *user, void *arg)
{
    (void)user;
    (void)arg;
    node.kept_changes++;
}

static const struct pool_ops fake_ops = {.start = on_start,
                                         .run = on_run,
                                         .end = on_end,
                                         .refuse = on_refuse,
                                         .kept_changed = on_kept_changed,
                                         .changed = on_changed,
                                         .start_later = on_start_later};

static inline void node_new(uint64_t memory_mib, uint32_t parallel)
{
    struct pool_options options = {.memory_mib = memory_mib,
                                   .idle_ttl_us = SECONDS(60),
                                   .cold_start_worth = 80,
                                   .parallel = parallel,
                                   .ops = &fake_ops};
    int i;

    memset(&node, 0, sizeof(node));
    node.clock.now_us = fake_now;
    node.now_us = 1;
    options.clock = &node.clock;
    for (i = 0; i < REQUESTS_MAX; i++)
        node.requests[i].box = -1;
    node.pool = pool_new(&options);
}

static inline int submit(struct pool_version *pv, int i)
{
    int r;

    node.requests[i].queued = true;
    r = pool_submit(pv, &node.requests[i].wait);
    if (r < 0)
        node.requests[i].queued = false;
    return r;
}

/* Box @i comes to its first next. */
static inline void box_up(int i)
{
    pool_created(&node.boxes[i].ps);
    pool_ready(&node.boxes[i].ps);
}

/* The request on box @i is answered and its runtime asks for more. */
static inline void box_done(int i)
{
    assert_non_null(node.boxes[i].request);
    node.boxes[i].request = NULL;
    pool_ready(&node.boxes[i].ps);
}

static inline void box_gone(int i)
{
    node.boxes[i].exists = false;
    pool_ending(&node.boxes[i].ps);
    pool_gone(&node.boxes[i].ps);
}

static inline struct pool_counts counts(void)
{
    struct pool_counts c;

    pool_counts_get(node.pool, &c);
    return c;
}

/* Ends what is left of @pv and frees it. */
static inline void version_end(struct pool_version *pv)
{
    int i;

    pool_version_retire(pv);
    for (i = 0; i < node.made; i++)
        if (node.boxes[i].exists && node.boxes[i].ps.pv == pv)
            box_gone(i);
    pool_version_free(pv);
}

#endif
