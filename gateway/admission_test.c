/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/admission.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/base/error.h"

#define ME STR("000000000000")

static const struct fn_limits no_limits = {0};

static struct fn_lease *reserved_fn(struct admission *a, const char *name, uint64_t reserved)
{
    struct fn_lease *fn = admission_fn(a, ME, str_of(name));

    fn_lease_set_limits(fn, &(struct fn_limits){.has_reserved = true, .reserved = reserved});
    return fn;
}

static void expect_throttled(struct fn_lease *fn, const char *reason)
{
    const char *told = NULL;

    assert_int_equal(fn_lease_take(fn, false, &told), -ERR_THROTTLED);
    assert_string_equal(told, reason);
}

static void take(struct fn_lease *fn)
{
    const char *reason = NULL;

    assert_int_equal(fn_lease_take(fn, false, &reason), 0);
    assert_null(reason);
}

static void what_is_provisioned_is_not_there_for_other_versions(void **state)
{
    struct admission *a = admission_new(10, 10);
    struct fn_lease *fn = admission_fn(a, ME, STR("f"));
    const char *reason = NULL;

    (void)state;
    fn_lease_set_limits(
        fn, &(struct fn_limits){.has_reserved = true, .reserved = 3, .set_aside = 2});
    take(fn);
    expect_throttled(fn, ADMISSION_FUNCTION);
    assert_int_equal(fn_lease_take(fn, true, &reason), 0);
    assert_int_equal(fn_lease_take(fn, true, &reason), 0);
    assert_int_equal(fn_lease_take(fn, true, &reason), -ERR_THROTTLED);
    fn_lease_return(fn, true);
    expect_throttled(fn, ADMISSION_FUNCTION);
    fn_lease_return(fn, false);
    take(fn);
    /* spare concurrency of the function is there for them, too */
    fn_lease_return(fn, false);
    assert_int_equal(fn_lease_take(fn, true, &reason), 0);
    assert_int_equal(fn_lease_take(fn, true, &reason), 0);
    expect_throttled(fn, ADMISSION_FUNCTION);
    fn_lease_return(fn, true);
    fn_lease_return(fn, true);
    fn_lease_return(fn, true);
    fn_lease_unref(fn);
    admission_free(a);
}

static void functions_without_a_reservation_share_what_the_account_has(void **state)
{
    struct admission *a = admission_new(2, 10);
    struct fn_lease *x = admission_fn(a, ME, STR("x")), *y = admission_fn(a, ME, STR("y"));
    struct fn_lease *other = admission_fn(a, STR("111111111111"), STR("x"));

    (void)state;
    take(x);
    take(y);
    expect_throttled(x, ADMISSION_ACCOUNT);
    take(other); /* another account */
    fn_lease_return(y, false);
    take(x);
    expect_throttled(y, ADMISSION_ACCOUNT);
    admission_set_unreserved(a, ME, 3);
    take(y);
    fn_lease_return(x, false);
    fn_lease_return(x, false);
    fn_lease_return(y, false);
    fn_lease_return(other, false);
    fn_lease_return(NULL, false);
    fn_lease_unref(x);
    fn_lease_unref(y);
    fn_lease_unref(other);
    fn_lease_unref(NULL);
    admission_free(a);
}

static void a_reservation_is_the_functions_alone(void **state)
{
    struct admission *a = admission_new(1, 10);
    struct fn_lease *mine = reserved_fn(a, "mine", 2), *rest = admission_fn(a, ME, STR("rest"));

    (void)state;
    take(mine);
    take(mine);
    expect_throttled(mine, ADMISSION_FUNCTION);
    take(rest);
    expect_throttled(rest, ADMISSION_ACCOUNT);
    fn_lease_return(mine, false);
    take(mine);
    fn_lease_return(mine, false);
    fn_lease_return(mine, false);
    fn_lease_return(rest, false);
    fn_lease_unref(mine);
    fn_lease_unref(rest);
    admission_free(a);
}

static void a_reservation_of_nothing_stops_the_function(void **state)
{
    struct admission *a = admission_new(10, 10);
    struct fn_lease *fn = reserved_fn(a, "stopped", 0);

    (void)state;
    expect_throttled(fn, ADMISSION_FUNCTION);
    fn_lease_unref(fn);
    admission_free(a);
}

static void who_runs_is_counted_under_changed_limits(void **state)
{
    const struct fn_limits two = {
        .has_reserved = true, .reserved = 2, .has_unreserved = true, .unreserved = 1};
    struct admission *a = admission_new(3, 10);
    struct fn_lease *fn = admission_fn(a, ME, STR("fn")), *rest = admission_fn(a, ME, STR("rest"));

    (void)state;
    take(fn);
    take(fn);
    fn_lease_set_limits(fn, &two);
    expect_throttled(fn, ADMISSION_FUNCTION); /* both count */
    take(rest); /* and neither of them here */
    expect_throttled(rest, ADMISSION_ACCOUNT);
    fn_lease_return(fn, false);
    take(fn);
    fn_lease_set_limits(fn, &no_limits);
    admission_set_unreserved(a, ME, 3);
    expect_throttled(fn, ADMISSION_ACCOUNT); /* three run */
    fn_lease_return(rest, false);
    take(rest);
    fn_lease_return(fn, false);
    fn_lease_return(fn, false);
    fn_lease_return(rest, false);
    fn_lease_unref(fn);
    fn_lease_unref(rest);
    admission_free(a);
}

static void a_counter_outlives_its_references_while_something_runs(void **state)
{
    struct admission *a = admission_new(10, 10);
    struct fn_lease *fn = reserved_fn(a, "fn", 1), *again;

    (void)state;
    take(fn);
    fn_lease_unref(fn); /* its route is gone */
    again = reserved_fn(a, "fn", 1);
    assert_ptr_equal(again, fn);
    expect_throttled(again, ADMISSION_FUNCTION);
    fn_lease_return(fn, false);
    take(again);
    fn_lease_unref(again);
    fn_lease_return(again, false); /* the last one */
    admission_free(a);
}

static void those_who_wait_are_no_more_than_the_account_may_run(void **state)
{
    struct admission *a = admission_new(1, 10);
    struct account *one = NULL, *two = NULL, *other = NULL;

    (void)state;
    assert_int_equal(admission_wait(a, ME, &one), 0);
    assert_int_equal(admission_wait(a, ME, &two), -ERR_THROTTLED);
    assert_null(two);
    assert_int_equal(admission_wait(a, STR("111111111111"), &other), 0);
    admission_waited(one);
    assert_int_equal(admission_wait(a, ME, &two), 0);
    admission_waited(NULL);
    admission_free(a);
}

static void pace(struct fn_lease *fn, uint64_t now_us, unsigned times)
{
    const char *reason = NULL;

    while (times--)
        assert_int_equal(fn_lease_pace(fn, now_us, &reason), 0);
}

static void expect_too_fast(struct fn_lease *fn, uint64_t now_us, const char *reason)
{
    const char *told = NULL;

    assert_int_equal(fn_lease_pace(fn, now_us, &told), -ERR_THROTTLED);
    assert_string_equal(told, reason);
}

static void invocations_begin_at_ten_times_the_limit_a_second(void **state)
{
    struct admission *a = admission_new(5, 10);
    struct fn_lease *one = reserved_fn(a, "one", 2), *zero = reserved_fn(a, "zero", 0);
    struct fn_lease *plain = admission_fn(a, ME, STR("plain"));
    struct fn_lease *other = admission_fn(a, ME, STR("other"));

    (void)state;
    pace(one, SECONDS(100), 20);
    expect_too_fast(one, SECONDS(100), ADMISSION_FUNCTION_RATE);
    expect_too_fast(one, SECONDS(100) + 49999, ADMISSION_FUNCTION_RATE);
    pace(one, SECONDS(100) + 50000, 1);
    expect_too_fast(one, SECONDS(100) + 50000, ADMISSION_FUNCTION_RATE);
    pace(one, SECONDS(102), 20); /* a second's worth is all that is saved up */
    expect_too_fast(one, SECONDS(102), ADMISSION_FUNCTION_RATE);
    /* functions without a reservation share the account's */
    pace(plain, SECONDS(100), 30);
    pace(other, SECONDS(100), 20);
    expect_too_fast(plain, SECONDS(100), ADMISSION_ACCOUNT_RATE);
    expect_too_fast(other, SECONDS(100), ADMISSION_ACCOUNT_RATE);
    pace(zero, SECONDS(100), 100); /* it may not run at all: the other reason is told */
    expect_throttled(zero, ADMISSION_FUNCTION);
    fn_lease_unref(one);
    fn_lease_unref(zero);
    fn_lease_unref(plain);
    fn_lease_unref(other);
    admission_free(a);
}

static void a_factor_of_nothing_is_no_limit(void **state)
{
    struct admission *a = admission_new(1, 0);
    struct fn_lease *fn = reserved_fn(a, "f", 1);

    (void)state;
    pace(fn, SECONDS(100), 1000);
    fn_lease_unref(fn);
    admission_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_provisioned_is_not_there_for_other_versions),
        cmocka_unit_test(functions_without_a_reservation_share_what_the_account_has),
        cmocka_unit_test(a_reservation_is_the_functions_alone),
        cmocka_unit_test(a_reservation_of_nothing_stops_the_function),
        cmocka_unit_test(who_runs_is_counted_under_changed_limits),
        cmocka_unit_test(a_counter_outlives_its_references_while_something_runs),
        cmocka_unit_test(those_who_wait_are_no_more_than_the_account_may_run),
        cmocka_unit_test(invocations_begin_at_ten_times_the_limit_a_second),
        cmocka_unit_test(a_factor_of_nothing_is_no_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
