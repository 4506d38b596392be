/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/keep_alive.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define WORTH 80

static void learn(struct keep_alive *ka, uint64_t minutes, unsigned times)
{
    while (times--)
        keep_alive_learn(ka, minutes);
}

static void an_unknown_function_is_kept_for_a_while(void **state)
{
    struct keep_alive *ka = keep_alive_new();

    (void)state;
    assert_true(keep_alive_is_warm(ka, 0, WORTH));
    assert_true(keep_alive_is_warm(ka, 10, WORTH));
    assert_false(keep_alive_is_warm(ka, KEEP_ALIVE_MINUTES - 1, WORTH));
    assert_false(keep_alive_is_warm(ka, 100000, WORTH));
    keep_alive_unref(ka);
}

static void a_regular_function_is_there_when_it_is_called(void **state)
{
    struct keep_alive *ka = keep_alive_new();
    unsigned minute;

    (void)state;
    learn(ka, 30, 30);
    for (minute = 5; minute < 29; minute++)
        assert_false(keep_alive_is_warm(ka, minute, WORTH));
    assert_true(keep_alive_is_warm(ka, 29, WORTH)); /* a little early or late is expected */
    assert_true(keep_alive_is_warm(ka, 30, WORTH));
    assert_true(keep_alive_is_warm(ka, 31, WORTH));
    assert_int_equal(keep_alive_next_change(ka, 10, WORTH), 29);
    keep_alive_unref(ka);
}

static void habits_change(void **state)
{
    struct keep_alive *ka = keep_alive_new();

    (void)state;
    learn(ka, 120, 8000);
    learn(ka, 20, 20000); /* the counters have been halved on the way */
    assert_true(keep_alive_is_warm(ka, 20, WORTH));
    assert_false(keep_alive_is_warm(ka, 10, WORTH));
    keep_alive_unref(ka);
}

static void a_cold_start_that_is_worth_more_keeps_it_longer(void **state)
{
    struct keep_alive *ka = keep_alive_new();
    unsigned minute, cheap = 0, dear = 0;

    (void)state;
    for (minute = 1; minute < 100; minute += 7)
        learn(ka, minute, 1);
    for (minute = 0; minute < KEEP_ALIVE_MINUTES; minute++)
        cheap += keep_alive_is_warm(ka, minute, 5);
    learn(ka, 1, 1); /* another worth is another plan */
    for (minute = 0; minute < KEEP_ALIVE_MINUTES; minute++)
        dear += keep_alive_is_warm(ka, minute, 500);
    assert_true(cheap < dear);
    keep_alive_unref(ka);
}

static void pauses_longer_than_it_looks_end_it(void **state)
{
    struct keep_alive *ka = keep_alive_new();

    (void)state;
    learn(ka, 1000000, 50);
    assert_false(keep_alive_is_warm(ka, 5, WORTH));
    assert_false(keep_alive_is_warm(ka, KEEP_ALIVE_MINUTES, WORTH));
    assert_true(keep_alive_next_change(ka, 5, WORTH) == UINT64_MAX);
    keep_alive_unref(ka);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_function_is_kept_for_a_while),
        cmocka_unit_test(a_regular_function_is_there_when_it_is_called),
        cmocka_unit_test(habits_change),
        cmocka_unit_test(a_cold_start_that_is_worth_more_keeps_it_longer),
        cmocka_unit_test(pauses_longer_than_it_looks_end_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
