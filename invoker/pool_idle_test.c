/* SPDX-License-Identifier: Apache-2.0 */
/* The pool under the histogram policy. */
#include "invoker/pool_fixture.h"

/* A version whose pauses were @minutes long. */
static struct pool_version *regular(struct keep_alive **ret_habits, uint64_t minutes)
{
    unsigned i;

    *ret_habits = keep_alive_new();
    for (i = 0; i < 50; i++)
        keep_alive_learn(*ret_habits, minutes);
    return pool_version_new(node.pool, 128, *ret_habits, NULL);
}

/* The timer of the invoker: it looks when the pool says, and each minute. */
static void pass(unsigned minutes)
{
    uint64_t end = node.now_us + MINUTES(minutes), due;

    while (node.now_us < end) {
        due = pool_expire(node.pool);
        if (!due || due > node.now_us + MINUTES(1))
            due = node.now_us + MINUTES(1);
        node.now_us = due < end ? due : end;
    }
    pool_expire(node.pool);
}

static void it_is_ended_and_begun_again_ahead_of_the_call(void **state)
{
    struct keep_alive *habits;
    struct pool_version *pv;
    (void)state;

    node_new(10240, 16);
    pv = regular(&habits, 30);
    submit(pv, 0);
    box_up(0);
    box_done(0);
    pass(5);
    assert_true(node.boxes[0].told_to_end);
    box_gone(0);
    pass(23);
    assert_int_equal(node.made, 1);
    pass(2); /* the 29th minute has begun */
    assert_int_equal(node.made, 2);
    box_up(1);
    submit(pv, 1);
    assert_int_equal(node.requests[1].box, 1);
    version_end(pv);
    keep_alive_unref(habits);
    pool_free(node.pool);
}

static void what_was_begun_in_vain_is_ended(void **state)
{
    struct keep_alive *habits;
    struct pool_version *pv;
    (void)state;

    node_new(10240, 16);
    pv = regular(&habits, 30);
    submit(pv, 0);
    box_up(0);
    box_done(0);
    pass(5);
    box_gone(0);
    pass(26);
    box_up(1);
    pass(60);
    assert_true(node.boxes[1].told_to_end);
    box_gone(1);
    pass(240);
    assert_int_equal(node.made, 2);
    version_end(pv);
    keep_alive_unref(habits);
    pool_free(node.pool);
}

static void nothing_is_ended_for_what_may_be_called(void **state)
{
    struct pool_version *pv, *other;
    struct keep_alive *habits;
    (void)state;

    node_new(128, 16); /* room for one */
    pv = regular(&habits, 30);
    other = pool_version_new(node.pool, 128, NULL, NULL);
    submit(pv, 0);
    box_up(0);
    box_done(0);
    pass(5);
    box_gone(0);
    pass(23);
    node.now_us += SECONDS(30);
    submit(other, 1);
    box_up(1);
    box_done(1);
    node.now_us += SECONDS(40); /* the 29th minute has begun */
    pool_expire(node.pool);
    assert_int_equal(node.made, 2);
    assert_false(node.boxes[1].told_to_end);
    version_end(other);
    version_end(pv);
    keep_alive_unref(habits);
    pool_free(node.pool);
}

static void pauses_are_learnt_and_long_runs_are_none(void **state)
{
    struct keep_alive *habits;
    struct pool_version *pv;
    unsigned i;
    (void)state;

    node_new(10240, 16);
    habits = keep_alive_new();
    pv = pool_version_new(node.pool, 128, habits, NULL);
    for (i = 0; i < 40; i++) {
        submit(pv, (int)i);
        if (node.requests[i].box < 0)
            box_up(node.made - 1);
        node.now_us += MINUTES(15); /* it runs */
        box_done(node.requests[i].box);
        pass(20);
        if (node.boxes[node.requests[i].box].told_to_end)
            box_gone(node.requests[i].box);
    }
    assert_false(keep_alive_is_warm(habits, 10, 80));
    assert_true(keep_alive_is_warm(habits, 20, 80));
    version_end(pv);
    keep_alive_unref(habits);
    pool_free(node.pool);
}

static void those_beyond_one_end_after_the_fixed_time(void **state)
{
    struct keep_alive *habits;
    struct pool_version *pv;
    (void)state;

    node_new(10240, 16);
    habits = keep_alive_new(); /* unknown: kept for longer than the fixture's minute */
    pv = pool_version_new(node.pool, 128, habits, NULL);
    submit(pv, 0);
    submit(pv, 1);
    box_up(0);
    box_up(1);
    box_done(0);
    box_done(1);
    pass(3);
    assert_int_equal(node.boxes[0].told_to_end + node.boxes[1].told_to_end, 1);
    version_end(pv);
    keep_alive_unref(habits);
    pool_free(node.pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_ended_and_begun_again_ahead_of_the_call),
        cmocka_unit_test(what_was_begun_in_vain_is_ended),
        cmocka_unit_test(nothing_is_ended_for_what_may_be_called),
        cmocka_unit_test(pauses_are_learnt_and_long_runs_are_none),
        cmocka_unit_test(those_beyond_one_end_after_the_fixed_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
