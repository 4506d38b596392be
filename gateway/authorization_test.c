/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/authorization.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define ARN "arn:aws:sts::000000000000:assumed-role/r/f"

static const struct caller function = {.arn = ARN, .is_session = true, .is_function = true};
static const struct caller session = {.arn = "arn:aws:sts::000000000000:assumed-role/r/ci",
                                      .is_session = true};

static int ask(const struct caller *caller, const char *method, const char *path, struct error *err)
{
    struct routes_match match;

    assert_int_equal(routes_find(str_of(method), str_of(path), STR_NULL, &match, err), 0);
    return authorization_route(caller, &match, "000000000000", "eu-west-1", err);
}

static void a_function_may_invoke_and_nothing_else_of_lambda(void **state)
{
    static const struct {
        const char *method, *path, *refused; /* action and resource, NULL: it may */
    } cases[] = {
        {"POST", "/2015-03-31/functions/g/invocations", NULL},
        {"POST", "/2021-11-15/functions/g/response-streaming-invocations", NULL},
        {"POST", "/2014-11-13/functions/g/invoke-async", NULL},
        {"POST", "/2015-03-31/functions",
         "lambda:CreateFunction on resource: * because no identity-based policy allows the "
         "lambda:CreateFunction action"},
        {"DELETE", "/2015-03-31/functions/g",
         "lambda:DeleteFunction on resource: arn:aws:lambda:eu-west-1:000000000000:function:g because "
         "no identity-based policy allows the lambda:DeleteFunction action"},
        {"GET", "/2015-03-31/functions/arn:aws:lambda:eu-west-1:000000000000:function:g",
         "lambda:GetFunction on resource: arn:aws:lambda:eu-west-1:000000000000:function:g because no "
         "identity-based policy allows the lambda:GetFunction action"},
        {"GET", "/_hearth/v1/logs/g",
         "hearth:GetLogs on resource: g because no identity-based policy allows the hearth:GetLogs "
         "action"},
    };
    CLEANUP(freep) char *said = NULL;
    struct error err;
    size_t i;
    (void)state;

    for (i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(ask(&session, cases[i].method, cases[i].path, &err), 0);
        if (!cases[i].refused) {
            assert_int_equal(ask(&function, cases[i].method, cases[i].path, &err), 0);
            continue;
        }
        assert_int_equal(ask(&function, cases[i].method, cases[i].path, &err), -ERR_ACCESS_DENIED);
        freep(&said);
        said = str_printf("User: " ARN " is not authorized to perform: %s", cases[i].refused);
        assert_string_equal(err.msg, said);
    }
}

static void a_function_may_ask_who_it_is(void **state)
{
    static const char *const refused[] = {"sts:AssumeRole", "sts:GetSessionToken", "iam:GetUser",
                                          "application-autoscaling:PutScalingPolicy", "sts:", "", "lambda:InvokeX", "lambda:Invok"};
    struct error err;
    size_t i;
    (void)state;

    assert_int_equal(authorization_action(&function, STR("sts:GetCallerIdentity"), STR("*"), &err),
                     0);
    for (i = 0; i < ARRAY_LEN(refused); i++) {
        assert_int_equal(authorization_action(&function, str_of(refused[i]), STR("*"), &err),
                         -ERR_ACCESS_DENIED);
        assert_int_equal(authorization_action(&session, str_of(refused[i]), STR("*"), &err), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_function_may_invoke_and_nothing_else_of_lambda),
        cmocka_unit_test(a_function_may_ask_who_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
