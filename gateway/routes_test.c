/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/routes.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void requests_find_their_part(void **state)
{
    static const struct {
        const char *method, *path, *op;
        enum service service;
    } cases[] = {
        {"POST", "/2015-03-31/functions/hello/invocations", "Invoke", SERVICE_INVOKE},
        {"POST",
         "/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:a:b/invocations",
         "Invoke", SERVICE_INVOKE},
        {"POST", "/2021-11-15/functions/hello/response-streaming-invocations",
         "InvokeWithResponseStream", SERVICE_INVOKE},
        {"POST", "/2014-11-13/functions/hello/invoke-async/", "InvokeAsync", SERVICE_INVOKE},
        {"POST", "/2015-03-31/functions", "CreateFunction", SERVICE_MANAGE},
        {"GET", "/2015-03-31/functions/", "ListFunctions", SERVICE_MANAGE},
        {"GET", "/2016-08-19/account-settings", "GetAccountSettings", SERVICE_MANAGE},
        {"GET", "/_hearth/health", NULL, SERVICE_HEALTH},
        {"GET", "/_hearth/v1/logs/a", NULL, SERVICE_LOGS},
        {"GET", "/_hearth/v1/code/a.zip", NULL, SERVICE_CODE},
        {"POST", "/", NULL, SERVICE_ROOT},
    };
    struct routes_match m;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(
            routes_find(str_of(cases[i].method), str_of(cases[i].path), STR_NULL, &m, NULL), 0);
        assert_int_equal(m.service, cases[i].service);
        assert_int_equal(routes_is_open(&m),
                         m.service == SERVICE_HEALTH || m.service == SERVICE_CODE);
        if (cases[i].op)
            assert_string_equal(m.lambda.op->name, cases[i].op);
    }
}

static void an_unknown_path_is_told_what_is_offered(void **state)
{
    struct routes_match m;
    struct error err;

    (void)state;
    assert_int_equal(routes_find(STR("GET"), STR("/nothing"), STR_NULL, &m, &err),
                     -ERR_NO_OPERATION);
    assert_non_null(strstr(err.msg, "GET /nothing is no operation of Hearth"));
    assert_non_null(strstr(err.msg, "/_hearth/health"));
    assert_int_equal(routes_find(STR("POST"), STR("/_hearth/health"), STR_NULL, &m, &err),
                     -ERR_NO_OPERATION);
    assert_int_equal(
        routes_find(STR("GET"), STR("/2015-03-31/functions/a/invocations"), STR_NULL, &m, &err),
        -ERR_NO_OPERATION);
}

static void too_large_names_limit_and_operation(void **state)
{
    static const struct {
        const char *path, *type;
        size_t max;
        const char *message;
    } cases[] = {
        {"/2015-03-31/functions/a/invocations", NULL, 6291456,
         "Request must be smaller than 6291456 bytes for the InvokeFunction operation"},
        {"/2015-03-31/functions/a/invocations/", "RequestResponse", 6291456,
         "Request must be smaller than 6291456 bytes for the InvokeFunction operation"},
        {"/2015-03-31/functions/a/invocations", "Event", 1048576,
         "Request must be smaller than 1048576 bytes for the InvokeFunction operation"},
        {"/2021-11-15/functions/a/response-streaming-invocations", NULL, 6291456,
         "Request must be smaller than 6291456 bytes for the InvokeWithResponseStream operation"},
        {"/2014-11-13/functions/a/invoke-async/", NULL, 262144,
         "Request must be smaller than 262144 bytes for the InvokeAsync operation"},
        {"/2015-03-31/functions", NULL, 70167211,
         "Request must be smaller than 70167211 bytes for the CreateFunction operation"},
    };
    struct error err;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        struct str path = str_of(cases[i].path), type = str_of(cases[i].type);

        assert_int_equal(routes_body_max(path, type), cases[i].max);
        routes_too_large(STR("POST"), path, STR_NULL, type, &err);
        assert_int_equal(err.code, strstr(cases[i].message, "Invoke") ? ERR_TOO_LARGE
                                                                      : ERR_ENTITY_TOO_LARGE);
        assert_string_equal(err.msg, cases[i].message);
    }
}

static void escapes_are_decoded_strictly(void **state)
{
    static const struct {
        const char *text, *plain; /* NULL: refused */
        bool is_query;
    } cases[] = {
        {"/a%3Ab%2fc", "/a:b/c", false},
        {"a+b", "a+b", false},
        {"a+b", "a b", true},
        {"%24LATEST", "$LATEST", true},
        {"", "", false},
        {"%c3%a9", "\xc3\xa9", false},
        {"%", NULL, false},
        {"a%4", NULL, false},
        {"%zz", NULL, false},
        {"%00", NULL, false},
        {"%ff", NULL, false},
        {"%4g", NULL, true},
    };
    struct buf b = BUF_INIT(100);
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        buf_clear(&b);
        assert_int_equal(routes_decode(&b, str_of(cases[i].text), cases[i].is_query),
                         cases[i].plain ? 0 : -ERR_BAD_REQUEST);
        assert_true(str_is(buf_str(&b), cases[i].plain ? cases[i].plain : ""));
    }
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_find_their_part),
        cmocka_unit_test(an_unknown_path_is_told_what_is_offered),
        cmocka_unit_test(too_large_names_limit_and_operation),
        cmocka_unit_test(escapes_are_decoded_strictly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
