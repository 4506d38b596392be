/* SPDX-License-Identifier: Apache-2.0 */
#include "common/model/lambda_input.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static int gather(const char *method, const char *path, const char *query, struct str body,
                  lambda_header_fn *header, cJSON **ret, struct error *err)
{
    struct lambda_match m;

    assert_int_equal(lambda_op_match(str_of(method), str_of(path), str_of(query), &m), 0);
    return lambda_input_new(&m, str_of(query), body, header, NULL, ret, err);
}

static void labels_query_and_body_become_one_object(void **state)
{
    cJSON *input = NULL;

    (void)state;
    assert_int_equal(gather("PUT", "/2015-03-31/functions/f/aliases/prod", "x=1&&y",
                            STR(" {\"FunctionVersion\":\"3\",\"No\":1,\"FunctionName\":\"x\"} "),
                            NULL, &input, NULL),
                     0);
    assert_true(str_is(cjson_str(input, "FunctionName"), "f"));
    assert_true(str_is(cjson_str(input, "Name"), "prod"));
    assert_true(str_is(cjson_str(input, "FunctionVersion"), "3"));
    assert_int_equal(cJSON_GetArraySize(input), 3);
    cJSON_Delete(input);
}

static void query_values_are_decoded_and_typed(void **state)
{
    cJSON *input = NULL, *keys;

    (void)state;
    assert_int_equal(gather("GET", "/2015-03-31/functions", "Marker=a%2Fb+c&MaxItems=50", STR(""),
                            NULL, &input, NULL),
                     0);
    assert_true(str_is(cjson_str(input, "Marker"), "a/b c"));
    assert_int_equal(cJSON_GetObjectItem(input, "MaxItems")->valueint, 50);
    cJSON_Delete(input);

    assert_int_equal(gather("DELETE", "/2017-03-31/tags/arn:x", "tagKeys=a&tagKeys=b%26", STR(""),
                            NULL, &input, NULL),
                     0);
    keys = cJSON_GetObjectItem(input, "TagKeys");
    assert_int_equal(cJSON_GetArraySize(keys), 2);
    assert_string_equal(cJSON_GetArrayItem(keys, 1)->valuestring, "b&");
    cJSON_Delete(input);
}

static struct str two_headers(void *arg, const char *name)
{
    (void)arg;
    if (strcmp(name, "X-Amz-Invocation-Type") == 0)
        return STR("Event");
    return strcmp(name, "X-Amz-Log-Type") == 0 ? STR("Tail") : STR_NULL;
}

static void headers_are_members_and_a_payload_is_left_alone(void **state)
{
    cJSON *input = NULL;

    (void)state;
    assert_int_equal(gather("POST", "/2015-03-31/functions/f/invocations", "Qualifier=v",
                            STR("not json"), two_headers, &input, NULL),
                     0);
    assert_true(str_is(cjson_str(input, "InvocationType"), "Event"));
    assert_true(str_is(cjson_str(input, "LogType"), "Tail"));
    assert_true(str_is(cjson_str(input, "Qualifier"), "v"));
    assert_null(cJSON_GetObjectItem(input, "ClientContext"));
    cJSON_Delete(input);
}

static void bad_requests_are_serialization_errors(void **state)
{
    static const struct {
        const char *query;
        struct str body;
    } cases[] = {
        {"", {"{", 1}},
        {"", {"[]", 2}},
        {"", {"{} x", 4}},
        {"", {"\"\"", 2}},
        {"", {"{\"a\":\"\xff\"}", 9}},
        {"", {"{\"FunctionName\":\"f\\u0000g\"}", 27}},
        {"MaxItems=ten", {"", 0}},
        {"MaxItems=", {"", 0}},
        {"Marker=%", {"", 0}},
        {"Marker=%zz", {"", 0}},
        {"Marker=%00", {"", 0}},
        {"Marker=%ff", {"", 0}},
    };
    struct error err;
    cJSON *input;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(gather(cases[i].body.len > 0 ? "POST" : "GET", "/2015-03-31/functions",
                                cases[i].query, cases[i].body, NULL, &input, &err),
                         -ERR_SERIALIZATION);
}

static void an_escaped_backslash_before_u0000_is_text(void **state)
{
    cJSON *input;

    (void)state;
    assert_int_equal(gather("POST", "/2015-03-31/functions", "",
                            STR("{\"Description\":\"\\\\u0000\"}"), NULL, &input, NULL),
                     0);
    assert_true(str_is(cjson_str(input, "Description"), "\\u0000"));
    cJSON_Delete(input);
}

static void wiping_zeroes_every_string_value(void **state)
{
    cJSON *json = cJSON_Parse("{\"a\":\"secret\",\"b\":[{\"c\":\"s\"}],\"d\":1}");
    char *a = cJSON_GetObjectItem(json, "a")->valuestring;

    (void)state;
    cjson_wipe_strings(json);
    assert_memory_equal(a, "\0\0\0\0\0\0", 6);
    assert_true(cjson_str(json, "a").len == 0);
    cJSON_Delete(json);
}

static void only_whole_numbers_that_are_exact_are_read(void **state)
{
    cJSON *json = cJSON_Parse("{\"a\":0,\"b\":9007199254740991,\"c\":9007199254740992,\"d\":-1,"
                              "\"e\":1.5,\"f\":\"1\",\"g\":1e300}");
    static const char *const wrong[] = {"c", "d", "e", "f", "g", "absent"};
    uint64_t n = 7;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(wrong); i++)
        assert_false(cjson_get_u64(json, wrong[i], &n));
    assert_int_equal(n, 7);
    assert_true(cjson_get_u64(json, "a", &n));
    assert_int_equal(n, 0);
    assert_true(cjson_get_u64(json, "b", &n));
    assert_true(n == 9007199254740991u);
    cJSON_Delete(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_query_and_body_become_one_object),
        cmocka_unit_test(query_values_are_decoded_and_typed),
        cmocka_unit_test(headers_are_members_and_a_payload_is_left_alone),
        cmocka_unit_test(bad_requests_are_serialization_errors),
        cmocka_unit_test(an_escaped_backslash_before_u0000_is_text),
        cmocka_unit_test(wiping_zeroes_every_string_value),
        cmocka_unit_test(only_whole_numbers_that_are_exact_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
