/* SPDX-License-Identifier: Apache-2.0 */
/* When a node is surely dead, and what a process that comes back means; epochs; which Redis it is. */
#include "controller/permits/node_lives.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "controller/permits/permits_internal.h"

#define FENCE SECONDS(30)
#define DEAD (FENCE + FENCE / 10)

static struct node_lives lives;

static int setup(void **state)
{
    (void)state;
    node_lives_init(&lives, FENCE);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    node_lives_done(&lives);
    return 0;
}

static void a_node_is_dead_a_tenth_after_its_fence_and_not_before(void **state)
{
    struct node_life *node;

    (void)state;
    node = node_lives_here(&lives, STR("n"), STR("one"), 1, 1000);
    assert_false(node_life_is_dead(&lives, node, 1000 + 2 * DEAD)); /* its link is there */
    assert_true(node_lives_next_us(&lives, 1000) == UINT64_MAX);
    node_lives_heard(&lives, 1, 5000);
    node_lives_lost(&lives, 1);
    assert_false(node_life_is_dead(&lives, node, 5000 + DEAD - 1));
    assert_true(node_life_is_dead(&lives, node, 5000 + DEAD));
    assert_true(node_lives_next_us(&lives, 6000) == DEAD - 1000);
    assert_int_equal(node_lives_count(&lives), 0);
}

static void the_loss_of_a_link_is_no_sign_of_life(void **state)
{
    struct node_life *node;

    (void)state;
    node = node_lives_here(&lives, STR("n"), STR("one"), 1, 1000);
    node_lives_lost(&lives, 1);
    assert_true(node_life_is_dead(&lives, node, 1000 + DEAD));
}

static void a_node_of_an_earlier_leader_has_the_whole_time(void **state)
{
    struct node_life *node;

    (void)state;
    node = node_lives_listed(&lives, STR("n"), 7000);
    assert_ptr_equal(node_lives_listed(&lives, STR("n"), 9000), node);
    assert_false(node_life_is_dead(&lives, node, 7000 + DEAD - 1));
    assert_true(node_life_is_dead(&lives, node, 7000 + DEAD));
}

static void another_process_of_a_node_begins_with_nothing(void **state)
{
    struct node_life *node;

    (void)state;
    node = node_lives_here(&lives, STR("n"), STR("one"), 1, 0);
    permit_orphans_add(&node->orphans, STR("1"), STR("f"), 3);
    node->orphans.seq = node->told_seq = 70;
    node->told = 5;
    node = node_lives_here(&lives, STR("n"), STR("one"), 2, 0); /* the same, over a new link */
    assert_int_equal(node->orphans.len, 1);
    assert_int_equal(node->told, 0);
    node = node_lives_here(&lives, STR("n"), STR("two"), 3, 0);
    assert_int_equal(node->orphans.len, 0);
    assert_int_equal(node->orphans.seq, 0);
    assert_int_equal(node->told_seq, 0);
    assert_null(node_lives_heard(&lives, 2, 0));
}

static void an_epoch_is_greater_than_any_heard_of(void **state)
{
    const uint64_t now = 1795737600, heard = (now + 10) << 20;

    (void)state;
    assert_true(recovery_epoch(now, UINT64_MAX, 0) == ((now << 20) | 0xfffff));
    assert_true(recovery_epoch(now, 0, 0) == now << 20);
    assert_true(recovery_epoch(now, 0, heard) == heard + 1); /* its clock was ahead of ours */
    assert_true(recovery_epoch(now, 77, heard) == heard + 78);
    assert_true(recovery_epoch(now, UINT64_MAX, heard) < PERMIT_NUMBER_MAX);
}

static void the_redis_behind_a_connection_has_a_name(void **state)
{
    char run[32];
    struct error err;

    (void)state;
    assert_int_equal(recovery_run(STR("# Server\r\nrun_id:abc\r\nx_run_id:no\r\n# Replication\r\n"
                                      "role:master\r\nmaster_replid:def\r\nmaster_replid2:0\r\n"),
                                  run, sizeof(run), &err),
                     0);
    assert_string_equal(run, "abc/def");
    assert_int_equal(recovery_run(STR("run_id:abc\r\nrole:slave\r\nmaster_replid:def\r\n"), run,
                                  sizeof(run), &err),
                     -ERR_UNAVAILABLE);
    assert_int_equal(recovery_run(STR("role:master\r\n"), run, sizeof(run), &err),
                     -ERR_UNAVAILABLE);
    assert_int_equal(recovery_run(STR("role:master\r\nrun_id:0123456789012345678901234567890\r\n"),
                                  run, sizeof(run), &err),
                     -ERR_UNAVAILABLE);
}

#define UNIT(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static void a_redis_that_does_without_its_replicas_is_known(void **state)
{
    (void)state;
    assert_false(recovery_may_split(STR("role:master\r\nconnected_slaves:0\r\n")));
    assert_true(recovery_may_split(STR("role:master\r\nconnected_slaves:1\r\nslave0:ip=10.0.0.2\r\n")));
    assert_false(recovery_may_split(
        STR("role:master\r\nconnected_slaves:2\r\nmin_slaves_good_slaves:2\r\nslave0:ip=10.0.0.2\r\n")));
    assert_false(recovery_may_split(STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_redis_that_does_without_its_replicas_is_known),
        UNIT(a_node_is_dead_a_tenth_after_its_fence_and_not_before),
        UNIT(the_loss_of_a_link_is_no_sign_of_life),
        UNIT(a_node_of_an_earlier_leader_has_the_whole_time),
        UNIT(another_process_of_a_node_begins_with_nothing),
        UNIT(an_epoch_is_greater_than_any_heard_of),
        UNIT(the_redis_behind_a_connection_has_a_name),
    };

    return cmocka_run_group_tests_name("node_lives", tests, NULL, NULL);
}
