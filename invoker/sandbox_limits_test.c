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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cpu_time_follows_memory),
    };

    return cmocka_run_group_tests_name("sandbox_limits", tests, NULL, NULL);
}
