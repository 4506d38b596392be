/* SPDX-License-Identifier: Apache-2.0 */
#include "common/model/sandbox_spec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define SPEC                                                                                       \
    "{\"account\":\"000000000000\",\"region\":\"us-east-1\",\"name\":\"f\",\"version\":\"1\","     \
    "\"arn\":\"arn:f\",\"generation\":7,\"image\":\"i@sha256:0\",\"code_sha256\":\"00\","          \
    "\"code_bytes\":5000000000,"                                                                   \
    "\"layers\":[{\"arn\":\"arn:l:b:2\",\"sha256\":\"0b\",\"bytes\":20},"                          \
    "{\"arn\":\"arn:l:a:1\",\"sha256\":\"0a\",\"bytes\":10}],"                                      \
    "\"runtime\":\"r\",\"handler\":\"h\",\"memory_mib\":128,"                                       \
    "\"timeout_s\":3,\"ephemeral_mib\":512,\"env\":{\"B\":\"2\",\"A\":\"1\"},"                     \
    "\"entry_point\":[\"sh\"],\"command\":[],\"working_directory\":\"/w\",\"log_group\":\"g\","  \
    "\"log\":{\"application_level\":\"ERROR\",\"system_level\":\"DEBUG\"},"                       \
    "\"credentials\":{\"access_key\":\"ASIAX\",\"secret\":\"s\",\"token\":\"~.t\",\"expires\":1800000000}}"

static void a_spec_survives_its_json_form(void **state)
{
    cJSON *json = cJSON_Parse(SPEC), *again;
    struct sandbox_spec *spec = NULL;
    char *text;

    (void)state;
    assert_int_equal(sandbox_spec_from_json(json, &spec, NULL), 0);
    cJSON_Delete(json);
    assert_int_equal(spec->code_bytes, 5000000000);
    assert_int_equal(spec->layers_len, 2);
    assert_string_equal(spec->layers[1].sha256, "0a");
    assert_int_equal(spec->env_len, 2);
    assert_string_equal(spec->env[0].name, "B");
    assert_string_equal(spec->entry_point[0], "sh");
    assert_null(spec->entry_point[1]);
    assert_null(spec->command[0]);
    assert_true(spec->log_json);
    assert_int_equal(spec->application_log_level, FN_LOG_ERROR);
    assert_int_equal(spec->system_log_level, FN_LOG_DEBUG);
    assert_string_equal(spec->credentials->token, "~.t");
    assert_int_equal(spec->credentials->expires_s, 1800000000);
    again = sandbox_spec_to_json(spec);
    text = cJSON_PrintUnformatted(again);
    assert_string_equal(text, SPEC);
    free(text);
    cJSON_Delete(again);
    sandbox_spec_free(spec);
}

static void a_wrong_member_is_named(void **state)
{
    static const struct {
        const char *member, *value, *message;
    } cases[] = {
        {"image", NULL, "image: missing"},
        {"name", "1", "name: not a string"},
        {"handler", "{}", "handler: not a string"},
        {"generation", "-1", "generation: not a whole number in its range"},
        {"memory_mib", "4294967296", "memory_mib: not a whole number in its range"},
        {"code_bytes", "1e300", "code_bytes: not a whole number in its range"},
        {"env", "[]", "environment: not an object"},
        {"env", "{\"A\":1}", "environment: a value is not a string"},
        {"command", "\"x\"", "command: not a list of strings"},
        {"layers", "{}", "layers: not a list of at most 5"},
        {"layers", "[{},{},{},{},{},{}]", "layers: not a list of at most 5"},
        {"layers", "[1]", "layers: arn: missing"},
        {"layers", "[{\"arn\":\"a\",\"sha256\":\"00\",\"bytes\":1},{\"arn\":\"b\"}]",
         "layers: sha256: missing"},
        {"layers", "[{\"arn\":\"a\",\"sha256\":\"00\",\"bytes\":-1}]",
         "layers: bytes: not a whole number in its range"},
        {"log", "{}", "log: application_level: no level"},
        {"log", "{\"application_level\":\"INFO\",\"system_level\":\"LOUD\"}",
         "log: system_level: no level"},
        {"credentials", "{\"access_key\":\"a\",\"secret\":\"s\"}", "credentials: token: missing"},
        {"credentials", "{\"access_key\":\"a\",\"secret\":\"s\",\"token\":\"t\",\"expires\":-1}",
         "credentials: expires: not a whole number in its range"},
    };
    struct sandbox_spec *spec = NULL;
    struct error err;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        cJSON *json = cJSON_Parse(SPEC);

        cJSON_DeleteItemFromObjectCaseSensitive(json, cases[i].member);
        if (cases[i].value)
            cJSON_AddItemToObject(json, cases[i].member, cJSON_Parse(cases[i].value));
        assert_int_equal(sandbox_spec_from_json(json, &spec, &err), -ERR_PROTOCOL);
        assert_string_equal(err.msg, cases[i].message);
        cJSON_Delete(json);
    }
    assert_int_equal(sandbox_spec_from_json(NULL, &spec, &err), -ERR_PROTOCOL);
    assert_null(spec);
    sandbox_spec_free(NULL);
}

static void a_name_given_twice_counts_once(void **state)
{
    cJSON *json = cJSON_Parse(SPEC);
    struct sandbox_spec *spec = NULL;

    (void)state;
    cJSON_DeleteItemFromObjectCaseSensitive(json, "env");
    cJSON_AddItemToObject(json, "env", cJSON_Parse("{\"A\":\"1\",\"B\":\"2\",\"A\":\"3\"}"));
    assert_int_equal(sandbox_spec_from_json(json, &spec, NULL), 0);
    assert_int_equal(spec->env_len, 2);
    assert_string_equal(spec->env[0].value, "3");
    sandbox_spec_free(spec);
    cJSON_Delete(json);
}

static void the_log_is_text_unless_it_is_said(void **state)
{
    cJSON *json = cJSON_Parse(SPEC);
    struct sandbox_spec *spec = NULL;

    (void)state;
    cJSON_DeleteItemFromObjectCaseSensitive(json, "log");
    assert_int_equal(sandbox_spec_from_json(json, &spec, NULL), 0);
    assert_false(spec->log_json);
    sandbox_spec_free(spec);
    cJSON_Delete(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_spec_survives_its_json_form),
        cmocka_unit_test(a_wrong_member_is_named),
        cmocka_unit_test(a_name_given_twice_counts_once),
        cmocka_unit_test(the_log_is_text_unless_it_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
