/* SPDX-License-Identifier: Apache-2.0 */
#include "common/model/fn_log_level.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_name_gives_its_level_again(void **state)
{
    int level;
    (void)state;

    for (level = FN_LOG_TRACE; level <= FN_LOG_FATAL; level++)
        assert_int_equal(fn_log_level_find(str_of(fn_log_level_name((enum fn_log_level)level))),
                         level);
}

static void loggers_write_names_in_their_own_way(void **state)
{
    (void)state;
    assert_int_equal(fn_log_level_find(STR("debug")), FN_LOG_DEBUG);
    assert_int_equal(fn_log_level_find(STR("Warning")), FN_LOG_WARN);
    assert_int_equal(fn_log_level_find(STR("CRITICAL")), FN_LOG_FATAL);
    assert_int_equal(fn_log_level_find(STR("NOTICE")), -1);
    assert_int_equal(fn_log_level_find(STR("INF")), -1);
    assert_int_equal(fn_log_level_find(STR("")), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_gives_its_level_again),
        cmocka_unit_test(loggers_write_names_in_their_own_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
