/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/base/cleanup.h"

static void the_numbers_are_those_of_the_algorithm(void **state)
{
    static const uint64_t expected[] = {41943041, 58720359, 3588806011781223, 3591011842654386,
                                        9228616714210784205u};
    struct random r = {{1, 2, 3, 4}};
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(expected); i++)
        assert_true(random_next(&r) == expected[i]);
}

static void units_fill_their_range_evenly(void **state)
{
    enum { DRAWS = 100000, BINS = 10 };
    int bins[BINS] = {0}, i;
    struct random r = {{1, 2, 3, 4}};
    double u;

    (void)state;
    for (i = 0; i < 10; i++) /* the first ones show how plain this seed is */
        random_next(&r);
    for (i = 0; i < DRAWS; i++) {
        u = random_unit(&r);
        assert_true(u >= 0 && u < 1);
        bins[(int)(u * BINS)]++;
    }
    for (i = 0; i < BINS; i++)
        assert_in_range(bins[i], DRAWS / BINS - 500, DRAWS / BINS + 500);
}

static void beginnings_differ(void **state)
{
    struct random a, b;

    (void)state;
    random_init(&a);
    random_init(&b);
    assert_true(random_next(&a) != random_next(&b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_numbers_are_those_of_the_algorithm),
        cmocka_unit_test(units_fill_their_range_evenly),
        cmocka_unit_test(beginnings_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
