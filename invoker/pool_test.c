/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/pool_fixture.h"

static void concurrent_first_requests_start_as_many_sandboxes(void **state)
{
    struct pool_version *pv;
    int i;
    (void)state;

    node_new(10240, 16);
    pv = pool_version_new(node.pool, 128, NULL, NULL);
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
    pv = pool_version_new(node.pool, 128, NULL, NULL);
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
    pv = pool_version_new(node.pool, 128, NULL, NULL);
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
    a = pool_version_new(node.pool, 128, NULL, &user_a);
    b = pool_version_new(node.pool, 128, NULL, &user_b);
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
    a = pool_version_new(node.pool, 128, NULL, NULL);
    b = pool_version_new(node.pool, 128, NULL, NULL);
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
    a = pool_version_new(node.pool, 128, NULL, NULL);
    b = pool_version_new(node.pool, 256, NULL, NULL);
    c = pool_version_new(node.pool, 128, NULL, NULL);
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
    a = pool_version_new(node.pool, 128, NULL, NULL);
    b = pool_version_new(node.pool, 256, NULL, NULL);
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
    pv = pool_version_new(node.pool, 512, NULL, NULL);
    assert_int_equal(submit(pv, 0), -ERR_THROTTLED);
    version_end(pv);
    pool_free(node.pool);
}

static void failed_start_is_charged_to_the_longest_waiting_one(void **state)
{
    struct pool_version *pv;
    (void)state;

    node_new(10240, 8);
    pv = pool_version_new(node.pool, 128, NULL, NULL);
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
    pv = pool_version_new(node.pool, 128, NULL, NULL);
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
    pv = pool_version_new(node.pool, 128, NULL, NULL);
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
    pv = pool_version_new(node.pool, 128, NULL, NULL);
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
    pv = pool_version_new(node.pool, 128, NULL, NULL);
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
    pv = pool_version_new(node.pool, 128, NULL, NULL);
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
    pv = pool_version_new(node.pool, 128, NULL, NULL);
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
    pv = pool_version_new(node.pool, 128, NULL, NULL);
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
static void check_invariants(struct pool_version **versions)
{
    uint32_t boxes = 0, running = 0, kept = 0;
    struct pool_counts c = counts();
    struct pool_kept k;
    int i;

    for (i = 0; i < node.made; i++) {
        boxes += node.boxes[i].exists;
        running += node.boxes[i].exists && node.boxes[i].request;
        kept += node.boxes[i].exists && node.boxes[i].ps.kept;
    }
    assert_int_equal(boxes, c.creating + c.starting + c.idle + c.busy + c.returning + c.ending);
    assert_true(running <= c.busy);
    assert_true(c.memory_mib <= 1024);
    assert_true(c.creating <= 3);
    for (i = 0; i < VERSIONS; i++) {
        pool_version_kept(versions[i], &k);
        assert_true(k.ready <= k.begun && k.begun <= 2);
        kept -= k.begun;
    }
    assert_int_equal(kept, 0);
}

static void random_events_keep_the_invariants(void **state)
{
    struct keep_alive *habits[VERSIONS];
    struct pool_version *versions[VERSIONS];
    struct pool_counts c;
    int i, v, next = 0, round;
    (void)state;

    for (round = 1; round <= 20; round++) {
        seed = (unsigned)round;
        next = 0;
        node_new(1024, 3);
        for (v = 0; v < VERSIONS; v++) {
            habits[v] = v % 2 ? keep_alive_new() : NULL;
            versions[v] = pool_version_new(node.pool, 128u * (unsigned)(1 + v % 3), habits[v], NULL);
        }
        for (i = 0; i < 20000 && next < REQUESTS_MAX && node.made < BOXES_MAX - 8; i++) {
            node.now_us += dice(50) ? dice(1000) * 1000u : MINUTES(dice(10));
            switch (dice(8)) {
            case 0:
            case 1:
                submit(versions[dice(VERSIONS)], next++);
                break;
            case 2:
                pool_expire(node.pool);
                if (dice(4) == 0)
                    pool_version_keep(versions[dice(VERSIONS)], dice(3));
                break;
            default:
                random_box_event();
                break;
            }
            check_invariants(versions);
        }
        for (v = 0; v < VERSIONS; v++)
            pool_version_keep(versions[v], 0);
        /* left alone, everything that waits gets its sandbox: nothing is forgotten */
        for (i = 0; i < 2000000 && counts().waiting; i++)
            random_box_event();
        assert_int_equal(counts().waiting, 0);
        for (v = 0; v < VERSIONS; v++)
            version_end(versions[v]);
        for (v = 0; v < VERSIONS; v++)
            keep_alive_unref(habits[v]);
        c = counts();
        assert_int_equal(
            c.creating + c.starting + c.idle + c.busy + c.returning + c.ending + c.waiting, 0);
        assert_int_equal(c.memory_mib, 0);
        pool_free(node.pool);
    }
}

static void a_busy_one_gives_way_when_its_invocation_is_over(void **state)
{
    struct pool_version *pv;
    (void)state;

    node_new(10240, 16);
    pv = pool_version_new(node.pool, 128, NULL, NULL);
    submit(pv, 0);
    box_up(0);
    pool_replace(&node.boxes[0].ps);
    pool_replace(&node.boxes[0].ps);
    assert_false(node.boxes[0].told_to_end);
    pool_returning(&node.boxes[0].ps);
    submit(pv, 1); /* would wait for box 0, which counts as on its way */
    assert_int_equal(node.made, 1);
    box_done(0);
    assert_true(node.boxes[0].told_to_end);
    assert_int_equal(node.boxes[0].why, POOL_END_OUTDATED);
    assert_int_equal(node.made, 2);
    box_up(1);
    assert_int_equal(node.requests[1].box, 1);
    version_end(pv);
    pool_free(node.pool);
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
        cmocka_unit_test(a_busy_one_gives_way_when_its_invocation_is_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
