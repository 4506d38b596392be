/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/admission.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void an_account_is_throttled_at_its_limit_and_let_in_again(void **state)
{
    struct admission *a = admission_new(2);
    struct lease *one = NULL, *two = NULL, *three = NULL;
    struct error err;

    (void)state;
    assert_int_equal(lease_take(a, STR("000000000000"), &one, &err), 0);
    assert_int_equal(lease_take(a, STR("000000000000"), &two, &err), 0);
    assert_int_equal(lease_take(a, STR("000000000000"), &three, &err), -ERR_THROTTLED);
    assert_string_equal(err.msg, "Rate Exceeded.");
    assert_null(three);
    lease_return(one);
    assert_int_equal(lease_take(a, STR("000000000000"), &three, &err), 0);
    lease_return(two);
    lease_return(three);
    lease_return(NULL);
    admission_free(a);
}

static void accounts_do_not_share_a_limit(void **state)
{
    struct admission *a = admission_new(1);
    struct lease *one, *two;

    (void)state;
    assert_int_equal(lease_take(a, STR("000000000000"), &one, NULL), 0);
    assert_int_equal(lease_take(a, STR("111111111111"), &two, NULL), 0);
    assert_int_equal(lease_take(a, STR("111111111111"), &two, NULL), -ERR_THROTTLED);
    admission_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_account_is_throttled_at_its_limit_and_let_in_again),
        cmocka_unit_test(accounts_do_not_share_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
