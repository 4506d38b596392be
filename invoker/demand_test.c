/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/demand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define S(n) ((uint64_t)(n)*1000000u)

static void test_it_follows_the_busiest_window_and_forgets_after_a_minute(void **state)
{
    static const struct {
        uint64_t at;
        int takes;
        uint32_t wanted; /* afterwards */
    } rows[] = {
        {S(1000), 0, 2},  {S(1000), 1, 2},  {S(1001), 6, 7},  {S(1012), 3, 7}, {S(1055), 1, 7},
        {S(1060), 0, 3}, /* the first window is out */
        {S(1071), 0, 2},  {S(1072), 40, 16}, {S(1129), 0, 16}, {S(1131), 0, 2}, {S(9000), 1, 2},
    };
    struct demand d = {{0}, 0};
    size_t i;
    int n;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (n = 0; n < rows[i].takes; n++)
            demand_take(&d, rows[i].at);
        assert_int_equal(demand_wanted(&d, rows[i].at, 2, 16), rows[i].wanted);
    }
}

static void test_the_ceiling_is_above_the_floor(void **state)
{
    struct demand d = {{0}, 0};

    (void)state;
    assert_int_equal(demand_wanted(&d, S(1), 2, 0), 0);
    assert_int_equal(demand_wanted(&d, S(1), 2, 1), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_follows_the_busiest_window_and_forgets_after_a_minute),
        cmocka_unit_test(test_the_ceiling_is_above_the_floor),
    };

    return cmocka_run_group_tests_name("demand", tests, NULL, NULL);
}
