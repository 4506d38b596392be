/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/model/fn.h"
#include "common/model/lambda_input.h"
#include "common/model/record.h"

static struct fn_version *latest_new(void)
{
    struct fn_version *ver = fn_version_new();

    fn_set_str(&ver->account, STR("000000000000"));
    fn_set_str(&ver->region, STR("us-east-1"));
    fn_set_str(&ver->name, STR("f"));
    fn_set_str(&ver->role, STR("arn:aws:iam::000000000000:role/r"));
    fn_set_str(&ver->architecture, STR("x86_64"));
    fn_set_str(&ver->log_group, STR("/aws/lambda/f"));
    fn_set_str(&ver->description, STR("First version :)"));
    fn_set_str(&ver->code_sha256, STR("00"));
    fn_set_str(&ver->revision_id, STR("r1"));
    fn_version_set_state(ver, FN_ACTIVE, NULL, NULL);
    fn_version_set_update(ver, FN_UPDATE_SUCCESSFUL, NULL, NULL);
    ver->tags = cJSON_Parse("{\"k\":\"v\"}");
    return ver;
}

static void a_ready_function_publishes_an_active_version(void **state)
{
    CLEANUP(fn_version_freep) struct fn_version *latest = latest_new(), *ver = NULL;

    (void)state;
    ver = fn_version_publish(latest, 7, STR("own words"), 5000, "r2");
    assert_string_equal(ver->version, "7");
    assert_string_equal(ver->description, "own words");
    assert_string_equal(ver->revision_id, "r2");
    assert_int_equal(ver->state, FN_ACTIVE);
    assert_int_equal(ver->update_status, FN_UPDATE_SUCCESSFUL);
    assert_int_equal(ver->modified_ms, 5000);
    assert_null(ver->tags);
    assert_true(fn_version_is_latest(latest));
    assert_false(fn_version_is_latest(ver));
    fn_version_freep(&ver);
    ver = fn_version_publish(latest, 8, STR_NULL, 5000, "r2");
    assert_string_equal(ver->description, "First version :)");
}

static void a_version_of_what_is_not_ready_is_pending(void **state)
{
    CLEANUP(fn_version_freep) struct fn_version *latest = latest_new(), *ver = NULL;
    cJSON *json;

    (void)state;
    fn_version_set_update(latest, FN_UPDATE_IN_PROGRESS, "Creating", "...");
    ver = fn_version_publish(latest, 1, STR_NULL, 5000, "r2");
    assert_int_equal(ver->state, FN_PENDING);
    assert_string_equal(ver->state_reason.code, "Creating");
    json = fn_version_to_aws(ver, STR_NULL);
    assert_null(cJSON_GetObjectItem(json, "LastUpdateStatus"));
    assert_null(cJSON_GetObjectItem(json, "LastUpdateStatusReason"));
    assert_true(str_ends(cjson_str(json, "FunctionArn"), STR(":function:f:1")));
    assert_true(str_is(cjson_str(json, "Version"), "1"));
    cJSON_Delete(json);
    json = fn_version_to_aws_created(ver);
    assert_true(str_ends(cjson_str(json, "FunctionArn"), STR(":function:f")));
    assert_true(str_is(cjson_str(json, "Version"), "1"));
    cJSON_Delete(json);
}

static void a_snapshot_is_on_once_its_version_is_active(void **state)
{
    CLEANUP(fn_version_freep) struct fn_version *latest = latest_new(), *ver = NULL;
    const char *expected[] = {"Off", "Off", "On"};
    const struct fn_version *shown;
    cJSON *json;
    int i;

    (void)state;
    latest->snap_start = true;
    ver = fn_version_publish(latest, 1, STR_NULL, 5000, "r2");
    for (i = 0; i < 3; i++) {
        if (i == 2)
            fn_version_set_state(ver, FN_ACTIVE, NULL, NULL);
        shown = i == 0 ? latest : ver;
        json = fn_version_to_aws(shown, STR_NULL);
        assert_true(str_is(cjson_str(cJSON_GetObjectItem(json, "SnapStart"), "ApplyOn"),
                           "PublishedVersions"));
        assert_true(str_is(cjson_str(cJSON_GetObjectItem(json, "SnapStart"), "OptimizationStatus"),
                           expected[i]));
        cJSON_Delete(json);
    }
}

static void set_env(struct fn_version *ver, const char *text)
{
    assert_int_equal(fn_env_from_text(ver, str_of(text), NULL), 0);
}

static void publishing_again_needs_a_change(void **state)
{
    CLEANUP(fn_version_freep) struct fn_version *latest = latest_new(), *ver = NULL;

    (void)state;
    set_env(latest, "{\"A\":\"1\",\"B\":\"2\"}");
    ver = fn_version_publish(latest, 1, STR("own words"), 5000, "r2");
    assert_true(fn_version_same_code_and_configuration(latest, ver));

    /* what is not configuration makes no difference */
    fn_set_str(&latest->revision_id, STR("r3"));
    latest->modified_ms = 9000;
    latest->generation = 9;
    fn_version_set_update(latest, FN_UPDATE_FAILED, "InvalidImage", "why");
    set_env(latest, "{\"B\":\"2\",\"A\":\"1\"}");
    assert_true(fn_version_same_code_and_configuration(latest, ver));

    fn_set_str(&latest->description, STR("own words"));
    assert_false(fn_version_same_code_and_configuration(latest, ver));
    fn_set_str(&latest->description, STR("First version :)"));
    set_env(latest, "{\"A\":\"1\",\"B\":\"3\"}");
    assert_false(fn_version_same_code_and_configuration(latest, ver));
    set_env(latest, "{\"A\":\"1\",\"B\":\"2\"}");
    latest->memory_mib++;
    assert_false(fn_version_same_code_and_configuration(latest, ver));
    latest->memory_mib--;
    fn_set_str(&latest->code_sha256, STR("01"));
    assert_false(fn_version_same_code_and_configuration(latest, ver));
    fn_set_str(&latest->code_sha256, STR("00"));
    assert_true(fn_version_same_code_and_configuration(latest, ver));
    latest->tracing_active = true;
    assert_false(fn_version_same_code_and_configuration(latest, ver));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ready_function_publishes_an_active_version),
        cmocka_unit_test(a_version_of_what_is_not_ready_is_pending),
        cmocka_unit_test(a_snapshot_is_on_once_its_version_is_active),
        cmocka_unit_test(publishing_again_needs_a_change),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
