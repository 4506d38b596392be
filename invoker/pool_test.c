/* SPDX-License-Identifier: Apache-2.0 */
/* A node without an engine: sandboxes are rows of an array, and the test says what they do. */
#include "invoker/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

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
    bool exists;
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
    void *last_user; /* whose sandbox was begun last */
};

static struct fake_node node;

static uint64_t fake_now(const struct clock *clock)
{
    return ((const struct fake_node *)(const void *)clock)->now_us;
}

static int box_index(const struct pool_sandbox *ps)
{
    return (int)(CONTAINER_OF(ps, struct fake_box, ps) - node.boxes);
}

static struct pool_sandbox *on_start(void *user, void *arg)
{
    struct fake_box *box = &node.boxes[node.made++];
    (void)arg;

    assert_true(node.made < BOXES_MAX);
    box->exists = true;
    node.last_user = user;
    return &box->ps;
}

static void on_run(struct pool_sandbox *ps, struct pool_wait *w, void *arg)
{
    struct fake_box *box = CONTAINER_OF(ps, struct fake_box, ps);
    (void)arg;

    assert_true(box->exists && !box->told_to_end);
    assert_null(box->request); /* never two at once */
    box->request = CONTAINER_OF(w, struct fake_request, wait);
    box->request->box = box_index(ps);
    box->request->queued = false;
}

static void on_end(struct pool_sandbox *ps, enum pool_end why, void *arg)
{
    struct fake_box *box = CONTAINER_OF(ps, struct fake_box, ps);
    (void)arg;

    assert_false(box->told_to_end);
    box->told_to_end = true;
    box->why = why;
    pool_ending(ps); /* as a sandbox does when it stops: harmless */
}

static void on_refuse(struct pool_wait *w, enum error_code code, void *arg)
{
    struct fake_request *request = CONTAINER_OF(w, struct fake_request, wait);
    (void)arg;

    request->queued = false;
    request->refused = code;
}

static const struct pool_ops fake_ops = {
    .start = on_start, .run = on_run, .end = on_end, .refuse = on_refuse};

static void node_new(uint64_t memory_mib, uint32_t parallel)
{
    struct pool_options options = {.memory_mib = memory_mib,
                                   .idle_ttl_us = SECONDS(60),
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

static int submit(struct pool_version *pv, int i)
{
    int r;

    node.requests[i].queued = true;
    r = pool_submit(pv, &node.requests[i].wait);
    if (r < 0)
        node.requests[i].queued = false;
    return r;
}

/* Box @i comes to its first next. */
static void box_up(int i)
{
    pool_created(&node.boxes[i].ps);
    pool_ready(&node.boxes[i].ps);
}

/* The request on box @i is answered and its runtime asks for more. */
static void box_done(int i)
{
    assert_non_null(node.boxes[i].request);
    node.boxes[i].request = NULL;
    pool_ready(&node.boxes[i].ps);
}

static void box_gone(int i)
{
    node.boxes[i].exists = false;
    pool_ending(&node.boxes[i].ps);
    pool_gone(&node.boxes[i].ps);
}

static struct pool_counts counts(void)
{
    struct pool_counts c;

    pool_counts_get(node.pool, &c);
    return c;
}

/* Ends what is left of @pv and frees it. */
static void version_end(struct pool_version *pv)
{
    int i;

    pool_version_retire(pv);
    for (i = 0; i < node.made; i++)
        if (node.boxes[i].exists && node.boxes[i].ps.pv == pv)
            box_gone(i);
    pool_version_free(pv);
}

static void concurrent_first_requests_start_as_many_sandboxes(void **state)
{
    struct pool_version *pv;
    int i;
    (void)state;

    node_new(10240, 16);
    pv = pool_version_new(node.pool, 128, NULL);
    for (i = 0; i < 5; i++)
        assert_int_equal(submit(pv, i), 0);
    assert_int_equal(node.made, 5);
    for (i = 0; i < 5; i++)
        box_up(i);
    for (i = 0; i < 5; i++)
        assert_int_equal(node.requests[i].box, i);
    assert_int_equal(counts().busy, 5);
    version_end(pv);
    pool_free(node.pool);
}

static void freed_sandbox_serves_the_waiting_and_the_unwanted_start_is_not_begun(void **state)
{
    struct pool_version *pv;
    (void)state;

    node_new(10240, 1);
    pv = pool_version_new(node.pool, 128, NULL);
    submit(pv, 0);
    box_up(0);
    submit(pv, 1); /* box 1 begins */
    submit(pv, 2); /* waits for its turn to be begun */
    assert_int_equal(node.made, 2);
    box_done(0); /* takes request 1 */
    assert_int_equal(node.requests[1].box, 0);
    box_up(1); /* takes request 2: a third sandbox is not wanted */
    assert_int_equal(node.requests[2].box, 1);
    assert_int_equal(node.made, 2);
    version_end(pv);
    pool_free(node.pool);
}

static void newest_idle_sandbox_is_taken_first(void **state)
{
    struct pool_version *pv;
    (void)state;

    node_new(10240, 8);
    pv = pool_version_new(node.pool, 128, NULL);
    submit(pv, 0);
    submit(pv, 1);
    box_up(0);
    box_up(1);
    box_done(0);
    box_done(1);
    assert_int_equal(submit(pv, 2), 1);
    assert_int_equal(node.requests[2].box, 1);
    version_end(pv);
    pool_free(node.pool);
}

static void starts_go_round_the_functions(void **state)
{
    struct pool_version *a, *b;
    char user_a, user_b;
    int i;
    (void)state;

    node_new(10240, 1);
    a = pool_version_new(node.pool, 128, &user_a);
    b = pool_version_new(node.pool, 128, &user_b);
    for (i = 0; i < 4; i++)
        submit(a, i);
    submit(b, 4);
    submit(b, 5);
    for (i = 0; i < 6; i++) {
        assert_int_equal(node.made, i + 1); /* never more than one at once */
        assert_ptr_equal(node.last_user, i == 2 || i == 4 ? &user_b : &user_a);
        box_up(i);
    }
    version_end(a);
    version_end(b);
    pool_free(node.pool);
}

static void slow_init_does_not_hold_a_start(void **state)
{
    struct pool_version *a, *b;
    (void)state;

    node_new(10240, 1);
    a = pool_version_new(node.pool, 128, NULL);
    b = pool_version_new(node.pool, 128, NULL);
    submit(a, 0);
    submit(b, 1);
    assert_int_equal(node.made, 1);
    pool_created(&node.boxes[0].ps); /* in its init phase, for long */
    assert_int_equal(node.made, 2);
    version_end(a);
    version_end(b);
    pool_free(node.pool);
}

static void full_node_ends_the_longest_idle_and_keeps_its_memory_for_the_asker(void **state)
{
    struct pool_version *a, *b, *c;
    (void)state;

    node_new(384, 8);
    a = pool_version_new(node.pool, 128, NULL);
    b = pool_version_new(node.pool, 256, NULL);
    c = pool_version_new(node.pool, 128, NULL);
    submit(a, 0);
    submit(a, 1);
    submit(a, 2);
    box_up(0);
    box_up(1);
    box_up(2);
    node.now_us = 10;
    box_done(1);
    node.now_us = 20;
    box_done(0); /* idle: 1, then 0; busy: 2 */
    assert_int_equal(submit(b, 3), 0);
    assert_true(node.boxes[1].told_to_end && node.boxes[0].told_to_end);
    assert_int_equal(node.boxes[1].why, POOL_END_EVICTED);
    box_gone(1);
    assert_int_equal(submit(c, 4), 0); /* 128 are free, but kept for b */
    assert_int_equal(node.made, 3);
    box_gone(0);
    assert_int_equal(node.made, 4); /* b's */
    box_up(3);
    assert_int_equal(node.requests[3].box, 3);
    assert_int_equal(counts().memory_mib, 384);
    version_end(a);
    assert_int_equal(node.made, 5); /* and now c's */
    version_end(b);
    version_end(c);
    pool_free(node.pool);
}

static void nothing_is_evicted_when_it_would_not_suffice(void **state)
{
    struct pool_version *a, *b;
    (void)state;

    node_new(256, 8);
    a = pool_version_new(node.pool, 128, NULL);
    b = pool_version_new(node.pool, 256, NULL);
    submit(a, 0);
    submit(a, 1);
    box_up(0);
    box_up(1);
    box_done(0);
    submit(b, 2);
    assert_false(node.boxes[0].told_to_end);
    box_done(1); /* now both are idle */
    assert_true(node.boxes[0].told_to_end && node.boxes[1].told_to_end);
    box_gone(0);
    box_gone(1);
    assert_int_equal(node.made, 3);
    version_end(a);
    version_end(b);
    pool_free(node.pool);
}

static void sandbox_larger_than_the_node_is_refused_at_once(void **state)
{
    struct pool_version *pv;
    (void)state;

    node_new(256, 8);
    pv = pool_version_new(node.pool, 512, NULL);
    assert_int_equal(submit(pv, 0), -ERR_THROTTLED);
    version_end(pv);
    pool_free(node.pool);
}

static void failed_start_is_charged_to_the_longest_waiting_one(void **state)
{
    struct pool_version *pv;
    (void)state;

    node_new(10240, 8);
    pv = pool_version_new(node.pool, 128, NULL);
    submit(pv, 0);
    submit(pv, 1);
    pool_created(&node.boxes[1].ps);
    assert_ptr_equal(pool_start_failed(&node.boxes[1].ps), &node.requests[0].wait);
    box_gone(1);
    assert_int_equal(node.made, 2); /* request 1 has box 0 on its way */
    box_up(0);
    assert_int_equal(node.requests[1].box, 0);
    submit(pv, 2);
    box_done(0); /* takes request 2 */
    assert_null(pool_start_failed(&node.boxes[2].ps)); /* nobody needs it */
    box_gone(2);
    version_end(pv);
    pool_free(node.pool);
}

static void charged_one_may_try_again_behind_the_others(void **state)
{
    struct pool_version *pv;
    struct pool_wait *w;
    (void)state;

    node_new(10240, 8);
    pv = pool_version_new(node.pool, 128, NULL);
    submit(pv, 0);
    submit(pv, 1);
    w = pool_start_failed(&node.boxes[0].ps);
    assert_ptr_equal(w, &node.requests[0].wait);
    assert_int_equal(pool_submit(pv, w), 0);
    assert_int_equal(node.made, 3);
    assert_ptr_equal(pool_start_failed(&node.boxes[1].ps), &node.requests[1].wait);
    box_up(2);
    assert_int_equal(node.requests[0].box, 2);
    version_end(pv);
    pool_free(node.pool);
}

static void retired_version_takes_nothing_any_more(void **state)
{
    struct pool_version *pv;
    (void)state;

    node_new(512, 8);
    pv = pool_version_new(node.pool, 128, NULL);
    submit(pv, 0);
    submit(pv, 1);
    box_up(0);
    box_up(1);
    box_done(1);
    submit(pv, 2); /* on box 1 */
    submit(pv, 3); /* box 2 on its way */
    box_done(1);   /* takes 3 */
    submit(pv, 4); /* box 2 on its way for it */
    pool_created(&node.boxes[2].ps);
    pool_version_retire(pv);
    assert_int_equal(node.requests[4].refused, ERR_STALE);
    assert_true(node.boxes[2].told_to_end); /* still starting */
    assert_false(node.boxes[0].told_to_end); /* busy: finishes */
    assert_int_equal(submit(pv, 5), -ERR_STALE);
    box_done(0);
    assert_true(node.boxes[0].told_to_end);
    assert_int_equal(node.boxes[0].why, POOL_END_RETIRED);
    version_end(pv);
    pool_free(node.pool);
}

static void idle_sandboxes_end_after_their_time(void **state)
{
    struct pool_version *pv;
    (void)state;

    node_new(512, 8);
    pv = pool_version_new(node.pool, 128, NULL);
    submit(pv, 0);
    submit(pv, 1);
    box_up(0);
    box_up(1);
    assert_int_equal(pool_expire(node.pool), 0);
    box_done(0);
    node.now_us += SECONDS(30);
    box_done(1);
    node.now_us = 1 + SECONDS(60) - 1;
    assert_int_equal(pool_expire(node.pool), 1 + SECONDS(60));
    assert_false(node.boxes[0].told_to_end);
    node.now_us++;
    assert_int_equal(pool_expire(node.pool), 1 + SECONDS(90));
    assert_true(node.boxes[0].told_to_end);
    assert_false(node.boxes[1].told_to_end);
    version_end(pv);
    pool_free(node.pool);
}

static void sandbox_that_lost_its_runtime_is_not_taken_until_it_comes_back(void **state)
{
    struct pool_version *pv;
    (void)state;

    node_new(512, 8);
    pv = pool_version_new(node.pool, 128, NULL);
    submit(pv, 0);
    box_up(0);
    box_done(0);
    pool_returning(&node.boxes[0].ps);
    assert_int_equal(submit(pv, 1), 0);
    pool_ready(&node.boxes[0].ps);
    assert_int_equal(node.requests[1].box, 0);
    version_end(pv);
    pool_free(node.pool);
}

static void returning_sandbox_is_waited_for_with_some_patience(void **state)
{
    struct pool_version *pv;
    (void)state;

    node_new(1024, 8);
    pv = pool_version_new(node.pool, 128, NULL);
    submit(pv, 0);
    box_up(0);
    pool_returning(&node.boxes[0].ps); /* answered */
    node.boxes[0].request = NULL;
    assert_int_equal(submit(pv, 1), 0);
    assert_int_equal(node.made, 1);
    assert_int_equal(submit(pv, 2), 0); /* one returns for two */
    assert_int_equal(node.made, 2);
    pool_ready(&node.boxes[0].ps);
    assert_int_equal(node.requests[1].box, 0);
    box_up(1);
    pool_returning(&node.boxes[1].ps);
    node.boxes[1].request = NULL;
    assert_int_equal(submit(pv, 3), 0);
    assert_int_equal(node.made, 2);
    pool_hurry(pv, &node.requests[3].wait);
    pool_hurry(pv, &node.requests[3].wait);
    assert_int_equal(node.made, 3);
    pool_ready(&node.boxes[1].ps); /* late, but still first */
    assert_int_equal(node.requests[3].box, 1);
    version_end(pv);
    pool_free(node.pool);
}

static void death_of_a_returning_sandbox_begins_another(void **state)
{
    struct pool_version *pv;
    (void)state;

    node_new(1024, 8);
    pv = pool_version_new(node.pool, 128, NULL);
    submit(pv, 0);
    box_up(0);
    pool_returning(&node.boxes[0].ps);
    node.boxes[0].request = NULL;
    submit(pv, 1);
    pool_ending(&node.boxes[0].ps);
    assert_int_equal(node.made, 2);
    version_end(pv);
    pool_free(node.pool);
}

static void served_are_those_with_a_start_on_its_way(void **state)
{
    struct pool_version *pv;
    (void)state;

    node_new(128, 8);
    pv = pool_version_new(node.pool, 128, NULL);
    submit(pv, 0);
    submit(pv, 1); /* the node is full */
    assert_true(pool_is_served(pv, &node.requests[0].wait));
    assert_false(pool_is_served(pv, &node.requests[1].wait));
    pool_cancel(pv, &node.requests[1].wait);
    assert_int_equal(counts().waiting, 1);
    version_end(pv);
    pool_free(node.pool);
}

/* ---- whatever happens in whatever order ---- */

#define VERSIONS 5

static unsigned seed;

static unsigned dice(unsigned sides)
{
    seed = seed * 1103515245u + 12345u;
    return (seed >> 16) % sides;
}

static void random_box_event(void)
{
    int i = node.made ? (int)dice((unsigned)node.made) : -1;
    struct pool_wait *w;
    struct fake_box *box;

    if (i < 0 || !node.boxes[i].exists)
        return;
    box = &node.boxes[i];
    if (box->told_to_end) {
        box_gone(i);
    } else if (box->ps.place == POOL_CREATING) {
        pool_created(&box->ps);
    } else if (box->ps.place == POOL_STARTING) {
        if (dice(4)) {
            pool_ready(&box->ps);
            return;
        }
        w = pool_start_failed(&box->ps);
        if (w)
            CONTAINER_OF(w, struct fake_request, wait)->queued = false;
        box->told_to_end = true;
    } else if (box->request) {
        if (dice(4)) {
            box_done(i);
            return;
        }
        if (dice(2)) {
            box->request = NULL;
            pool_returning(&box->ps);
            return;
        }
        box->request = NULL; /* crashed */
        box->told_to_end = true;
        pool_ending(&box->ps);
    } else if (box->ps.place == POOL_RETURNING) {
        pool_ready(&box->ps);
    } else if (dice(8) == 0) {
        box->told_to_end = true; /* killed while idle */
        pool_ending(&box->ps);
    }
}

/* What the pool says agrees with what exists, and no bound is broken. */
static void check_invariants(void)
{
    struct pool_counts c = counts();
    uint32_t boxes = 0, running = 0;
    int i;

    for (i = 0; i < node.made; i++) {
        boxes += node.boxes[i].exists;
        running += node.boxes[i].exists && node.boxes[i].request;
    }
    assert_int_equal(boxes, c.creating + c.starting + c.idle + c.busy + c.returning + c.ending);
    assert_true(running <= c.busy);
    assert_true(c.memory_mib <= 1024);
    assert_true(c.creating <= 3);
}

static void random_events_keep_the_invariants(void **state)
{
    struct pool_version *versions[VERSIONS];
    struct pool_counts c;
    int i, v, next = 0, round;
    (void)state;

    for (round = 1; round <= 20; round++) {
        seed = (unsigned)round;
        next = 0;
        node_new(1024, 3);
        for (v = 0; v < VERSIONS; v++)
            versions[v] = pool_version_new(node.pool, 128u * (unsigned)(1 + v % 3), NULL);
        for (i = 0; i < 20000 && next < REQUESTS_MAX && node.made < BOXES_MAX - 8; i++) {
            node.now_us += dice(1000) * 1000u;
            switch (dice(8)) {
            case 0:
            case 1:
                submit(versions[dice(VERSIONS)], next++);
                break;
            case 2:
                pool_expire(node.pool);
                break;
            default:
                random_box_event();
                break;
            }
            check_invariants();
        }
        /* left alone, everything that waits gets its sandbox: nothing is forgotten */
        for (i = 0; i < 2000000 && counts().waiting; i++)
            random_box_event();
        assert_int_equal(counts().waiting, 0);
        for (v = 0; v < VERSIONS; v++)
            version_end(versions[v]);
        c = counts();
        assert_int_equal(
            c.creating + c.starting + c.idle + c.busy + c.returning + c.ending + c.waiting, 0);
        assert_int_equal(c.memory_mib, 0);
        pool_free(node.pool);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(concurrent_first_requests_start_as_many_sandboxes),
        cmocka_unit_test(freed_sandbox_serves_the_waiting_and_the_unwanted_start_is_not_begun),
        cmocka_unit_test(newest_idle_sandbox_is_taken_first),
        cmocka_unit_test(starts_go_round_the_functions),
        cmocka_unit_test(slow_init_does_not_hold_a_start),
        cmocka_unit_test(full_node_ends_the_longest_idle_and_keeps_its_memory_for_the_asker),
        cmocka_unit_test(nothing_is_evicted_when_it_would_not_suffice),
        cmocka_unit_test(sandbox_larger_than_the_node_is_refused_at_once),
        cmocka_unit_test(failed_start_is_charged_to_the_longest_waiting_one),
        cmocka_unit_test(charged_one_may_try_again_behind_the_others),
        cmocka_unit_test(retired_version_takes_nothing_any_more),
        cmocka_unit_test(idle_sandboxes_end_after_their_time),
        cmocka_unit_test(sandbox_that_lost_its_runtime_is_not_taken_until_it_comes_back),
        cmocka_unit_test(returning_sandbox_is_waited_for_with_some_patience),
        cmocka_unit_test(death_of_a_returning_sandbox_begins_another),
        cmocka_unit_test(served_are_those_with_a_start_on_its_way),
        cmocka_unit_test(random_events_keep_the_invariants),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
