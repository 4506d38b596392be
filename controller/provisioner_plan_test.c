/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/provisioner_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct plan_node *node_add(struct plan *plan, const char *id, uint64_t memory_mib)
{
    struct plan_node *node = plan_node_add(plan, str_of(id));

    node->memory_mib = memory_mib;
    node->is_here = true;
    return node;
}

static struct plan_version *version_add(struct plan *plan, const char *name, uint32_t memory_mib,
                                        uint32_t count)
{
    struct plan_version *v = plan_version_add(plan, STR("1"), str_of(name), STR("1"), 7);

    v->memory_mib = memory_mib;
    v->count = count;
    return v;
}

static uint32_t share_of(const struct plan_version *v, const struct plan_node *node)
{
    const struct list_node *n;

    LIST_FOREACH(&v->shares, n) {
        const struct plan_share *share = CONTAINER_OF(n, struct plan_share, node);

        if (share->on == node)
            return share->count;
    }
    return 0;
}

static void a_greater_node_gets_more(void **state)
{
    struct plan_node *small, *great;
    struct plan_version *v;
    struct plan plan;
    (void)state;

    plan_init(&plan);
    small = node_add(&plan, "small", 1024);
    great = node_add(&plan, "great", 3072);
    v = version_add(&plan, "f", 256, 12);
    plan_spread(&plan);
    assert_int_equal(share_of(v, small), 2);
    assert_int_equal(share_of(v, great), 10);
    assert_int_equal(great->planned_mib, 2560);
    assert_false(v->lacks_room);
    v->count = 17;
    plan_spread(&plan);
    assert_true(v->lacks_room);
    plan_done(&plan);
}

static void shares_stay_where_they_are(void **state)
{
    struct plan_node *a, *b, *c;
    struct plan_version *v;
    struct plan plan;
    (void)state;

    plan_init(&plan);
    a = node_add(&plan, "a", 1000);
    b = node_add(&plan, "b", 1000);
    v = version_add(&plan, "f", 100, 6);
    plan_spread(&plan);
    assert_int_equal(share_of(v, a), 3);
    assert_int_equal(share_of(v, b), 3);
    c = node_add(&plan, "c", 9000); /* much room, and nothing to move for */
    plan_spread(&plan);
    assert_int_equal(share_of(v, c), 0);
    v->count = 7;
    plan_spread(&plan);
    assert_int_equal(share_of(v, c), 1);
    v->count = 4;
    plan_spread(&plan);
    assert_int_equal(share_of(v, a) + share_of(v, b) + share_of(v, c), 4);
    assert_int_equal(share_of(v, c), 1); /* the least room gives first */
    plan_node_remove(&plan, a);
    plan_spread(&plan);
    assert_int_equal(share_of(v, b) + share_of(v, c), 4);
    plan_done(&plan);
}

static void a_node_that_is_away_keeps_its_share_and_gets_nothing_new(void **state)
{
    struct plan_node *a, *b;
    struct plan_version *v;
    struct plan plan;
    (void)state;

    plan_init(&plan);
    a = node_add(&plan, "a", 9000);
    b = node_add(&plan, "b", 1000);
    v = version_add(&plan, "f", 100, 2);
    plan_spread(&plan);
    assert_int_equal(share_of(v, a), 2);
    a->is_here = false;
    v->count = 3;
    plan_spread(&plan);
    assert_int_equal(share_of(v, a), 2);
    assert_int_equal(share_of(v, b), 1);
    plan_done(&plan);
}

static void what_a_node_has_already_is_given_to_it(void **state)
{
    struct plan_node *a, *b;
    struct plan_version *v;
    struct plan plan;
    (void)state;

    plan_init(&plan);
    a = node_add(&plan, "a", 1000);
    b = node_add(&plan, "b", 9000);
    v = version_add(&plan, "f", 100, 3);
    plan_node_set(a, v->key, &(struct node_has){.begun = 2, .ready = 2});
    plan_spread(&plan);
    assert_int_equal(share_of(v, a), 2);
    assert_int_equal(share_of(v, b), 1);
    plan_done(&plan);
}

static void without_a_node_nothing_is_planned(void **state)
{
    struct plan_version *v;
    struct plan plan;
    (void)state;

    plan_init(&plan);
    v = version_add(&plan, "f", 100, 3);
    plan_spread(&plan);
    assert_true(list_is_empty(&v->shares));
    assert_ptr_equal(plan_version_find(&plan, v->key), v);
    plan_done(&plan);
}

/* An alias has moved from the first to the second. */
static void moved(struct plan_version *from, struct plan_version *to)
{
    from->qualifier = str_dup(STR("live"));
    to->qualifier = str_dup(STR("live"));
    from->is_leaving = true;
}

static void what_an_alias_has_left_stays_where_there_is_memory_for_both(void **state)
{
    struct plan_version *from, *to;
    struct plan_node *a, *b;
    struct plan plan;
    (void)state;

    plan_init(&plan);
    a = node_add(&plan, "a", 1000);
    from = version_add(&plan, "f", 100, 6);
    plan_spread(&plan);
    b = node_add(&plan, "b", 600);
    to = plan_version_add(&plan, STR("1"), STR("f"), STR("2"), 8);
    to->memory_mib = 100;
    to->count = 6;
    moved(from, to);
    plan_spread(&plan);
    assert_int_equal(share_of(from, a), 6);
    assert_int_equal(share_of(to, a) + share_of(to, b), 6);
    assert_false(to->lacks_room);
    plan_done(&plan);
}

static void what_an_alias_has_left_makes_room_for_what_it_leads_to(void **state)
{
    struct plan_version *from, *to, *other;
    struct plan_node *a;
    struct plan plan;
    (void)state;

    plan_init(&plan);
    a = node_add(&plan, "a", 1000);
    from = version_add(&plan, "f", 100, 6);
    other = version_add(&plan, "g", 100, 1);
    plan_spread(&plan);
    to = plan_version_add(&plan, STR("1"), STR("f"), STR("2"), 8);
    to->memory_mib = 100;
    to->count = 6;
    moved(from, to);
    plan_spread(&plan);
    assert_int_equal(share_of(to, a), 6);
    assert_int_equal(share_of(from, a), 3); /* as many as there is memory for, no fewer */
    assert_int_equal(share_of(other, a), 1);
    assert_false(to->lacks_room);
    to->count = 12; /* there is not enough for it alone */
    plan_spread(&plan);
    assert_int_equal(share_of(from, a), 0);
    assert_true(to->lacks_room);
    plan_done(&plan);
}

static void what_leads_on_is_spread_by_the_room_that_it_will_have(void **state)
{
    struct plan_version *from, *to;
    struct plan_node *a, *b;
    struct plan plan;
    (void)state;

    plan_init(&plan);
    a = node_add(&plan, "a", 1024);
    b = node_add(&plan, "b", 512);
    from = version_add(&plan, "f", 256, 5);
    plan_spread(&plan);
    assert_int_equal(share_of(from, a), 4);
    to = plan_version_add(&plan, STR("1"), STR("f"), STR("2"), 8);
    to->memory_mib = 256;
    to->count = 5;
    moved(from, to);
    plan_spread(&plan);
    assert_in_range(share_of(to, b), 1, 2); /* a third one would never fit */
    assert_int_equal(share_of(to, a) + share_of(to, b), 5);
    assert_int_equal(share_of(from, a) + share_of(from, b), 1);
    assert_false(to->lacks_room);
    b->is_here = false;
    plan_node_remove(&plan, a);
    plan_spread(&plan);
    a = node_add(&plan, "c", 9000);
    plan_spread(&plan);
    assert_int_equal(share_of(from, a), 0); /* it is not begun again */
    plan_done(&plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_an_alias_has_left_stays_where_there_is_memory_for_both),
        cmocka_unit_test(what_an_alias_has_left_makes_room_for_what_it_leads_to),
        cmocka_unit_test(what_leads_on_is_spread_by_the_room_that_it_will_have),
        cmocka_unit_test(a_greater_node_gets_more),
        cmocka_unit_test(shares_stay_where_they_are),
        cmocka_unit_test(a_node_that_is_away_keeps_its_share_and_gets_nothing_new),
        cmocka_unit_test(what_a_node_has_already_is_given_to_it),
        cmocka_unit_test(without_a_node_nothing_is_planned),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
