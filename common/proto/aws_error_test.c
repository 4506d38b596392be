/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/aws_error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    enum error_code code;
    const char *message, *reason, *body;
} cases[] = {
    {ERR_BAD_REQUEST, "no", NULL, "{\"Type\":\"User\",\"message\":\"no\"}"},
    {ERR_CONCURRENCY_LIMIT, "no", NULL, "{\"message\":\"no\"}"},
    {ERR_NOT_PROVISIONED, "no", NULL, "{\"Type\":\"User\",\"message\":\"no\"}"},
    {ERR_NOT_FOUND, "no", NULL, "{\"Message\":\"no\",\"Type\":\"User\"}"},
    {ERR_CONFLICT, "no", NULL, "{\"Type\":\"User\",\"message\":\"no\"}"},
    {ERR_PRECONDITION, "no", NULL, "{\"Type\":\"User\",\"message\":\"no\"}"},
    {ERR_BAD_CONTENT, "a\n\"b\"", NULL, "{\"Type\":\"User\",\"message\":\"a\\n\\\"b\\\"\"}"},
    {ERR_VALIDATION, "no", NULL, "{\"message\":\"no\"}"},
    {ERR_ACCESS_DENIED, "", NULL, "{\"Message\":null}"},
    {ERR_THROTTLED, "Rate Exceeded.", "ReservedFunctionConcurrentInvocationLimitExceeded",
     "{\"Reason\":\"ReservedFunctionConcurrentInvocationLimitExceeded\",\"Type\":\"User\","
     "\"message\":\"Rate Exceeded.\"}"},
    {ERR_UNSUPPORTED, "no", NULL, "{\"Type\":\"User\",\"message\":\"no\"}"},
    {ERR_INTERNAL, "oh", NULL, "{\"Message\":\"oh\",\"Type\":\"Service\"}"},
    {ERR_INVALID_ZIP, "no", NULL, "{\"Message\":\"no\",\"Type\":\"User\"}"},
};

static void bodies_are_as_recorded(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(buf_done) struct buf b = BUF_INIT(1000);
        CLEANUP(freep) char *text = NULL;

        assert_int_equal(
            aws_error_body(&b, cases[i].code, str_of(cases[i].message), cases[i].reason), 0);
        text = buf_take(&b);
        assert_string_equal(text, cases[i].body);
    }
}

static void a_struct_error_gives_its_message(void **state)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(1000);
    struct error err;

    (void)state;
    error_set(&err, ERR_VALIDATION, "x");
    assert_int_equal(aws_error_body_of(&b, &err, NULL), 0);
    assert_true(str_is(buf_str(&b), "{\"message\":\"x\"}"));
}

static void what_does_not_fit_leaves_the_buf_as_it_was(void **state)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(20);

    (void)state;
    buf_append_char(&b, 'x');
    assert_int_equal(aws_error_body(&b, ERR_NOT_FOUND, STR("too long a text"), NULL),
                     -ERR_TOO_LARGE);
    assert_true(str_is(buf_str(&b), "x"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_are_as_recorded),
        cmocka_unit_test(a_struct_error_gives_its_message),
        cmocka_unit_test(what_does_not_fit_leaves_the_buf_as_it_was),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
