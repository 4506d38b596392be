/* SPDX-License-Identifier: Apache-2.0 */
/* Sandboxes that a version is provisioned with. */
#include "invoker/pool_fixture.h"

static struct pool_kept kept_of(const struct pool_version *pv)
{
    struct pool_kept kept;

    pool_version_kept(pv, &kept);
    return kept;
}

static void they_are_begun_without_being_asked_for(void **state)
{
    struct pool_version *pv;
    int i;
    (void)state;

    node_new(10240, 16);
    pv = pool_version_new(node.pool, 128, NULL, NULL);
    pool_version_keep(pv, 3);
    assert_int_equal(node.made, 3);
    assert_int_equal(kept_of(pv).begun, 3);
    assert_int_equal(kept_of(pv).ready, 0);
    for (i = 0; i < 3; i++) {
        assert_true(node.boxes[i].begun_kept);
        box_up(i);
        assert_int_equal(kept_of(pv).ready, (unsigned)i + 1);
    }
    assert_int_equal(node.kept_changes, 3);
    node.now_us += SECONDS(3600);
    assert_int_equal(pool_expire(node.pool), 0); /* age does not end them */
    assert_int_equal(counts().idle, 3);
    version_end(pv);
    pool_free(node.pool);
}

static void they_run_before_others_and_what_is_beyond_them_is_not_kept(void **state)
{
    struct pool_version *pv;
    (void)state;

    node_new(10240, 16);
    pv = pool_version_new(node.pool, 128, NULL, NULL);
    pool_version_keep(pv, 1);
    box_up(0);
    submit(pv, 0);
    submit(pv, 1); /* box 1: on demand */
    assert_int_equal(node.made, 2);
    assert_false(node.boxes[1].begun_kept);
    box_up(1);
    box_done(0);
    box_done(1); /* idle later than box 0 */
    submit(pv, 2);
    assert_int_equal(node.requests[2].box, 0);
    node.now_us += SECONDS(61);
    pool_expire(node.pool);
    assert_true(node.boxes[1].told_to_end);
    assert_false(node.boxes[0].told_to_end);
    version_end(pv);
    pool_free(node.pool);
}

static void a_start_for_an_invocation_counts_when_too_few_are_kept(void **state)
{
    struct pool_version *pv;
    (void)state;

    node_new(10240, 1); /* one start at a time */
    pv = pool_version_new(node.pool, 128, NULL, NULL);
    pool_version_keep(pv, 2);
    submit(pv, 0);
    assert_int_equal(node.made, 1);
    box_up(0);
    assert_int_equal(node.requests[0].box, 0);
    assert_int_equal(node.made, 2);
    assert_true(node.boxes[1].begun_kept);
    box_up(1);
    assert_int_equal(node.made, 2);
    version_end(pv);
    pool_free(node.pool);
}

static void one_that_ends_is_begun_again_when_told_to(void **state)
{
    struct pool_version *pv;
    (void)state;

    node_new(10240, 16);
    pv = pool_version_new(node.pool, 128, NULL, NULL);
    pool_version_keep(pv, 2);
    box_up(0);
    box_up(1);
    box_gone(0);
    assert_int_equal(node.made, 2);
    assert_true(kept_of(pv).paused);
    assert_false(kept_of(pv).failed); /* it had begun well */
    assert_int_equal(kept_of(pv).begun, 1);
    submit(pv, 0);
    assert_int_equal(node.requests[0].box, 1);
    submit(pv, 1); /* takes the place of the one that is missing */
    assert_int_equal(node.made, 3);
    assert_true(node.boxes[2].begun_kept);
    box_up(2);
    box_gone(1);
    pool_version_keep(pv, 2);
    assert_int_equal(node.made, 4);
    assert_false(kept_of(pv).paused);
    version_end(pv);
    pool_free(node.pool);
}

static void a_start_that_fails_is_nobodys_when_nobody_waits(void **state)
{
    struct pool_version *pv;
    (void)state;

    node_new(10240, 16);
    pv = pool_version_new(node.pool, 128, NULL, NULL);
    pool_version_keep(pv, 1);
    pool_created(&node.boxes[0].ps);
    assert_null(pool_start_failed(&node.boxes[0].ps));
    box_gone(0);
    assert_int_equal(node.made, 1); /* not again and again */
    assert_true(kept_of(pv).paused && kept_of(pv).failed);
    version_end(pv);
    pool_free(node.pool);
}

static void fewer_are_ordinary_ones_again(void **state)
{
    struct pool_version *pv;
    (void)state;

    node_new(10240, 16);
    pv = pool_version_new(node.pool, 128, NULL, NULL);
    pool_version_keep(pv, 2);
    box_up(0);
    box_up(1);
    submit(pv, 0);
    pool_version_keep(pv, 0);
    assert_int_equal(kept_of(pv).begun, 0);
    assert_int_equal(kept_of(pv).ready, 0);
    box_done(node.requests[0].box);
    node.now_us += SECONDS(61);
    pool_expire(node.pool);
    assert_true(node.boxes[0].told_to_end && node.boxes[1].told_to_end);
    version_end(pv);
    pool_free(node.pool);
}

static void memory_that_others_want_is_not_taken_from_them(void **state)
{
    struct pool_version *kept, *other;
    (void)state;

    node_new(256, 16);
    kept = pool_version_new(node.pool, 128, NULL, NULL);
    other = pool_version_new(node.pool, 128, NULL, NULL);
    pool_version_keep(kept, 1);
    box_up(0);
    submit(other, 0);
    submit(other, 1); /* no room: the kept one stays */
    assert_int_equal(node.made, 2);
    assert_false(node.boxes[0].told_to_end);
    version_end(other);
    version_end(kept);
    pool_free(node.pool);
}

static void one_that_gives_way_is_begun_anew_without_being_told_to(void **state)
{
    struct pool_version *pv;
    (void)state;

    node_new(10240, 16);
    pv = pool_version_new(node.pool, 128, NULL, NULL);
    pool_version_keep(pv, 1);
    box_up(0);
    pool_replace(&node.boxes[0].ps);
    assert_true(node.boxes[0].told_to_end);
    assert_int_equal(node.boxes[0].why, POOL_END_OUTDATED);
    assert_int_equal(node.made, 2);
    assert_true(node.boxes[1].begun_kept);
    assert_false(kept_of(pv).paused);
    box_up(1);
    assert_int_equal(kept_of(pv).ready, 1);
    version_end(pv);
    pool_free(node.pool);
}

static void a_version_that_is_replaced_keeps_nothing(void **state)
{
    struct pool_version *pv;
    (void)state;

    node_new(10240, 16);
    pv = pool_version_new(node.pool, 128, NULL, NULL);
    pool_version_keep(pv, 2);
    box_up(0);
    pool_version_retire(pv);
    assert_true(node.boxes[0].told_to_end && node.boxes[1].told_to_end);
    pool_version_keep(pv, 2); /* a word that came too late */
    assert_int_equal(node.made, 2);
    version_end(pv);
    pool_free(node.pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_are_begun_without_being_asked_for),
        cmocka_unit_test(they_run_before_others_and_what_is_beyond_them_is_not_kept),
        cmocka_unit_test(a_start_for_an_invocation_counts_when_too_few_are_kept),
        cmocka_unit_test(one_that_ends_is_begun_again_when_told_to),
        cmocka_unit_test(a_start_that_fails_is_nobodys_when_nobody_waits),
        cmocka_unit_test(fewer_are_ordinary_ones_again),
        cmocka_unit_test(memory_that_others_want_is_not_taken_from_them),
        cmocka_unit_test(one_that_gives_way_is_begun_anew_without_being_told_to),
        cmocka_unit_test(a_version_that_is_replaced_keeps_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
