/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/sandbox_limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_cpu_time_follows_memory(void **state)
{
    (void)state;
    assert_int_equal(sandbox_cpu_quota_us(1769), 20000);
    assert_int_equal(sandbox_cpu_quota_us(3538), 40000);
    assert_int_equal(sandbox_cpu_quota_us(128), 1447);
    assert_int_equal(sandbox_cpu_quota_us(10240), 115771);
    assert_int_equal(sandbox_cpu_quota_us(1), 1000);
    assert_int_equal(sandbox_cpu_shares(1769), 1024);
    assert_int_equal(sandbox_cpu_shares(128), 74);
    assert_int_equal(sandbox_cpu_shares(1), 2);
}

/* A function of 128 MB that had its code read anew took 180 ms to ask for more, found by a test: the
 * next invocation, made at once, had another sandbox begun for it. */
static void test_patience_with_a_returning_runtime_follows_memory(void **state)
{
    (void)state;
    assert_int_equal(sandbox_return_us(128), 276434);
    assert_int_equal(sandbox_return_us(707), 50043);
    assert_int_equal(sandbox_return_us(1769), 50000);
    assert_int_equal(sandbox_return_us(10240), 50000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_patience_with_a_returning_runtime_follows_memory),
        cmocka_unit_test(test_cpu_time_follows_memory),
    };

    return cmocka_run_group_tests_name("sandbox_limits", tests, NULL, NULL);
}
