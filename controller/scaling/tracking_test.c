/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/scaling/tracking.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/base/clock.h"

static const struct tracking_policy seventy = {.target = 0.7};

static void push(struct tracking *t, unsigned n, uint64_t used, uint64_t allocated)
{
    while (n-- > 0)
        tracking_push(t, used, allocated);
}

static struct tracking_state at(uint64_t capacity)
{
    return (struct tracking_state){.capacity = capacity, .is_ready = true, .min = 1, .max = 100};
}

static void three_datapoints_above_the_target_scale_out(void **state)
{
    struct tracking t = {0};
    struct tracking_state now = at(10);

    (void)state;
    push(&t, 2, 9, 10);
    assert_int_equal(tracking_desired(&t, &seventy, &now, 0), 10);
    push(&t, 1, 7, 10); /* the target itself is not above it */
    push(&t, 2, 9, 10);
    assert_int_equal(tracking_desired(&t, &seventy, &now, 0), 10);
    push(&t, 1, 8, 10);
    assert_int_equal(tracking_desired(&t, &seventy, &now, 0), 12); /* 10 * 0.8 / 0.7 */
    now.max = 11;
    assert_int_equal(tracking_desired(&t, &seventy, &now, 0), 11);
    now.max = 10;
    assert_int_equal(tracking_desired(&t, &seventy, &now, 0), 10);
    now.max = 100;
    now.out_suspended = true;
    assert_int_equal(tracking_desired(&t, &seventy, &now, 0), 10);
    now.out_suspended = false;
    now.is_ready = false; /* what was asked for before is still being made */
    assert_int_equal(tracking_desired(&t, &seventy, &now, 0), 10);
}

static void fifteen_datapoints_below_nine_tenths_of_it_scale_in(void **state)
{
    struct tracking t = {0};
    struct tracking_state now = at(10);
    struct tracking_policy never = seventy;

    (void)state;
    push(&t, 14, 2, 10);
    assert_int_equal(tracking_desired(&t, &seventy, &now, 0), 10);
    push(&t, 1, 3, 10);
    assert_int_equal(tracking_desired(&t, &seventy, &now, 0), 5); /* 3 / 0.7 */
    push(&t, 1, 7, 10);
    push(&t, 14, 0, 10);
    assert_int_equal(tracking_desired(&t, &seventy, &now, 0), 10);
    push(&t, 1, 0, 10);
    assert_int_equal(tracking_desired(&t, &seventy, &now, 0), 1);
    now.min = 4;
    assert_int_equal(tracking_desired(&t, &seventy, &now, 0), 4);
    never.no_in = true;
    assert_int_equal(tracking_desired(&t, &never, &now, 0), 10);
    now.in_suspended = true;
    assert_int_equal(tracking_desired(&t, &seventy, &now, 0), 10);
    now.in_suspended = false;
    now.is_ready = false; /* what is not there yet need not come */
    assert_int_equal(tracking_desired(&t, &seventy, &now, 0), 4);
}

static void between_the_two_nothing_happens(void **state)
{
    struct tracking t = {0};
    struct tracking_state now = at(100);

    (void)state;
    push(&t, 20, 65, 100); /* 0.63 to 0.7 */
    assert_int_equal(tracking_desired(&t, &seventy, &now, 0), 100);
}

static void a_gap_begins_both_alarms_anew(void **state)
{
    struct tracking t = {0};
    struct tracking_state now = at(10);

    (void)state;
    push(&t, 2, 10, 10);
    tracking_gap(&t);
    push(&t, 2, 10, 10);
    assert_int_equal(tracking_desired(&t, &seventy, &now, 0), 10);
    push(&t, 1, 10, 10);
    assert_int_equal(tracking_desired(&t, &seventy, &now, 0), 15);
    push(&t, 8, 0, 10);
    tracking_gap(&t);
    push(&t, 14, 0, 10);
    assert_int_equal(tracking_desired(&t, &seventy, &now, 0), 10);
}

static void quotients_that_are_whole_are_not_rounded_up(void **state)
{
    struct tracking_policy third = {.target = 0.3};
    struct tracking t = {0};
    struct tracking_state now = at(50);

    (void)state;
    push(&t, 15, 3, 50);
    assert_int_equal(tracking_desired(&t, &third, &now, 0), 10);
}

static void while_a_scale_out_cools_down_only_a_larger_one_counts(void **state)
{
    struct tracking_policy slow = {.target = 0.5, .out_cooldown_us = SECONDS(100)};
    struct tracking t = {0};
    struct tracking_state now = at(10);

    (void)state;
    push(&t, 3, 8, 10);
    assert_int_equal(tracking_desired(&t, &slow, &now, SECONDS(1)), 16);
    tracking_scaled(&t, &slow, 10, 16, SECONDS(1));
    now.capacity = 16;
    push(&t, 3, 12, 16); /* 10 * 0.75 / 0.5 = 15 are there already */
    assert_int_equal(tracking_desired(&t, &slow, &now, SECONDS(60)), 16);
    push(&t, 1, 16, 16); /* 20 */
    assert_int_equal(tracking_desired(&t, &slow, &now, SECONDS(60)), 20);
    assert_int_equal(tracking_desired(&t, &slow, &now, SECONDS(101)), 32);
}

static void a_scale_in_cools_down_until_a_scale_out(void **state)
{
    struct tracking_policy slow = {.target = 0.5, .in_cooldown_us = SECONDS(100)};
    struct tracking t = {0};
    struct tracking_state now = at(20);

    (void)state;
    push(&t, 15, 5, 20);
    assert_int_equal(tracking_desired(&t, &slow, &now, SECONDS(1)), 10);
    tracking_scaled(&t, &slow, 20, 10, SECONDS(1));
    now.capacity = 10;
    push(&t, 15, 1, 10);
    assert_int_equal(tracking_desired(&t, &slow, &now, SECONDS(100)), 10);
    assert_int_equal(tracking_desired(&t, &slow, &now, SECONDS(101)), 2);
    push(&t, 3, 10, 10); /* out at once */
    assert_int_equal(tracking_desired(&t, &slow, &now, SECONDS(50)), 20);
    tracking_scaled(&t, &slow, 10, 20, SECONDS(50));
    now.capacity = 20;
    push(&t, 15, 1, 20);
    assert_int_equal(tracking_desired(&t, &slow, &now, SECONDS(51)), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_datapoints_above_the_target_scale_out),
        cmocka_unit_test(fifteen_datapoints_below_nine_tenths_of_it_scale_in),
        cmocka_unit_test(between_the_two_nothing_happens),
        cmocka_unit_test(a_gap_begins_both_alarms_anew),
        cmocka_unit_test(quotients_that_are_whole_are_not_rounded_up),
        cmocka_unit_test(while_a_scale_out_cools_down_only_a_larger_one_counts),
        cmocka_unit_test(a_scale_in_cools_down_until_a_scale_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
