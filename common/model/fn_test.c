/* SPDX-License-Identifier: Apache-2.0 */
#include "common/model/fn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/model/lambda_input.h"
#include "common/model/record.h"

#define DIGEST "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
#define FN_ARN "arn:aws:lambda:us-east-1:111111111111:function:hello"

/* Recorded for an image function, the placeholders filled in. */
#define IMAGE_HEAD                                                                                 \
    "{\"Architectures\":[\"x86_64\"],\"CodeSha256\":\"" DIGEST "\",\"CodeSize\":0,"                \
    "\"Description\":\"\",\"Environment\":{\"Variables\":{\"CUSTOM_ENV\":\"test\"}},"              \
    "\"EphemeralStorage\":{\"Size\":512},\"FunctionArn\":\"" FN_ARN "\","                          \
    "\"FunctionName\":\"hello\","
#define LOGGING "\"LoggingConfig\":{\"LogFormat\":\"Text\",\"LogGroup\":\"/aws/lambda/hello\"},"
#define MODIFIED "\"LastModified\":\"2026-01-31T12:00:00.123+0000\","
#define SNAP_START "\"SnapStart\":{\"ApplyOn\":\"None\",\"OptimizationStatus\":\"Off\"},"
#define REVISION "\"RevisionId\":\"00000000-0000-4000-8000-000000000001\","
#define ROLE "\"Role\":\"arn:aws:iam::111111111111:role/r\","
#define TAIL "\"Timeout\":3,\"TracingConfig\":{\"Mode\":\"PassThrough\"},\"Version\":\"$LATEST\"}"
#define IMAGE_CONFIG                                                                               \
    "\"ImageConfigResponse\":{\"ImageConfig\":{\"Command\":[\"-c\",\"echo test\"],"                \
    "\"EntryPoint\":[\"sh\"],\"WorkingDirectory\":\"/app1\"}},"

static struct fn_version *image_new(void)
{
    struct fn_version *ver = fn_version_new();

    fn_set_str(&ver->account, STR("111111111111"));
    fn_set_str(&ver->region, STR("us-east-1"));
    fn_set_str(&ver->name, STR("hello"));
    fn_set_str(&ver->role, STR("arn:aws:iam::111111111111:role/r"));
    fn_set_str(&ver->architecture, STR("x86_64"));
    fn_set_str(&ver->log_group, STR("/aws/lambda/hello"));
    fn_set_str(&ver->revision_id, STR("00000000-0000-4000-8000-000000000001"));
    fn_set_str(&ver->image_uri, STR("reg/hello:1"));
    fn_set_str(&ver->resolved_image_uri, STR("reg/hello@sha256:" DIGEST));
    fn_set_str(&ver->code_sha256, STR(DIGEST));
    ver->package = FN_IMAGE;
    ver->memory_mib = 128;
    ver->timeout_s = 3;
    ver->ephemeral_mib = 512;
    ver->generation = 7;
    ver->code_bytes = 1234;
    ver->created_ms = ver->modified_ms = 1769860800123;
    assert_int_equal(fn_env_from_text(ver, STR("{\"CUSTOM_ENV\":\"test\"}"), NULL), 0);
    fn_version_set_state(ver, FN_PENDING, FN_REASON_CREATING, FN_REASON_CREATING_TEXT);
    return ver;
}

static struct fn_version *zip_new(void)
{
    struct fn_version *ver = image_new();

    ver->package = FN_ZIP;
    fn_set_str(&ver->image_uri, STR_NULL);
    fn_set_str(&ver->resolved_image_uri, STR_NULL);
    fn_set_str(&ver->runtime, STR("python3.13"));
    fn_set_str(&ver->handler, STR("app.handler"));
    fn_set_str(&ver->runtime_version, STR("00ff"));
    return ver;
}

static void assert_json(cJSON *json, const char *expected)
{
    char *text = cJSON_PrintUnformatted(json);

    assert_string_equal(text, expected);
    free(text);
    cJSON_Delete(json);
}

static void a_created_image_function_has_the_recorded_fields(void **state)
{
    CLEANUP(fn_version_freep) struct fn_version *ver = image_new();

    (void)state;
    assert_json(fn_version_to_aws(ver, STR_NULL),
                IMAGE_HEAD MODIFIED LOGGING "\"MemorySize\":128,\"PackageType\":\"Image\"," REVISION
                    ROLE SNAP_START "\"State\":\"Pending\",\"StateReason\":\"The function is being "
                                    "created.\",\"StateReasonCode\":\"Creating\"," TAIL);
}

static void an_updated_image_function_shows_its_update_and_image_config(void **state)
{
    CLEANUP(fn_version_freep) struct fn_version *ver = image_new();
    char *entry_point[] = {"sh", NULL}, *command[] = {"-c", "echo test", NULL};

    (void)state;
    fn_version_set_state(ver, FN_ACTIVE, NULL, NULL);
    fn_version_set_update(ver, FN_UPDATE_IN_PROGRESS, FN_REASON_CREATING, FN_REASON_CREATING_TEXT);
    ver->entry_point = strv_copy(entry_point);
    ver->command = strv_copy(command);
    fn_set_str(&ver->working_directory, STR("/app1"));
    assert_json(fn_version_to_aws(ver, STR_NULL),
                IMAGE_HEAD IMAGE_CONFIG MODIFIED
                "\"LastUpdateStatus\":\"InProgress\",\"LastUpdateStatusReason\":\"The function is "
                "being created.\",\"LastUpdateStatusReasonCode\":\"Creating\"," LOGGING
                "\"MemorySize\":128,\"PackageType\":\"Image\"," REVISION ROLE SNAP_START
                "\"State\":\"Active\"," TAIL);
}

static void get_function_of_an_image_tells_both_uris(void **state)
{
    const struct fn_get_extra extra = {.reserved_concurrency = -1};
    CLEANUP(fn_version_freep) struct fn_version *ver = image_new();

    (void)state;
    fn_version_set_state(ver, FN_ACTIVE, NULL, NULL);
    fn_version_set_update(ver, FN_UPDATE_SUCCESSFUL, NULL, NULL);
    assert_json(fn_version_to_get_function(ver, &extra),
                "{\"Code\":{\"ImageUri\":\"reg/hello:1\",\"RepositoryType\":\"ECR\","
                "\"ResolvedImageUri\":\"reg/hello@sha256:" DIGEST "\"},"
                "\"Configuration\":" IMAGE_HEAD MODIFIED
                "\"LastUpdateStatus\":\"Successful\"," LOGGING
                "\"MemorySize\":128,\"PackageType\":\"Image\"," REVISION ROLE SNAP_START
                "\"State\":\"Active\"," TAIL "}");
}

static void get_function_of_a_zip_tells_location_tags_and_concurrency(void **state)
{
    cJSON *tags = cJSON_Parse("{\"team\":\"a\"}");
    const struct fn_get_extra extra = {
        .code_location = "http://x/code",
        .reserved_concurrency = 5,
        .tags = tags,
        .qualifier = STR("$LATEST"),
    };
    CLEANUP(fn_version_freep) struct fn_version *ver = zip_new();
    cJSON *json, *config, *reserved;

    (void)state;
    json = fn_version_to_get_function(ver, &extra);
    cJSON_Delete(tags);
    config = cJSON_GetObjectItem(json, "Configuration");
    assert_true(str_is(cjson_str(cJSON_GetObjectItem(json, "Code"), "Location"), "http://x/code"));
    assert_true(str_is(cjson_str(cJSON_GetObjectItem(json, "Code"), "RepositoryType"), "S3"));
    assert_true(str_is(cjson_str(cJSON_GetObjectItem(json, "Tags"), "team"), "a"));
    reserved = cJSON_GetObjectItem(cJSON_GetObjectItem(json, "Concurrency"),
                                   "ReservedConcurrentExecutions");
    assert_int_equal(reserved->valueint, 5);
    assert_true(str_is(cjson_str(config, "FunctionArn"), FN_ARN ":$LATEST"));
    assert_true(str_is(cjson_str(config, "Runtime"), "python3.13"));
    assert_true(str_is(cjson_str(config, "Handler"), "app.handler"));
    assert_true(str_is(cjson_str(config, "CodeSha256"),
                       "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg="));
    assert_int_equal(cJSON_GetObjectItem(config, "CodeSize")->valueint, 1234);
    assert_true(str_is(cjson_str(cJSON_GetObjectItem(config, "RuntimeVersionConfig"),
                                 "RuntimeVersionArn"),
                       "arn:aws:lambda:us-east-1::runtime:00ff"));
    cJSON_Delete(json);
}

static void a_list_has_neither_states_nor_runtime_version(void **state)
{
    static const char *const absent[] = {
        "State", "StateReason", "StateReasonCode", "LastUpdateStatus", "RuntimeVersionConfig",
    };
    CLEANUP(fn_version_freep) struct fn_version *ver = zip_new();
    cJSON *json = fn_version_to_aws_listed(ver, STR_NULL);
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(absent); i++)
        assert_null(cJSON_GetObjectItem(json, absent[i]));
    assert_true(str_is(cjson_str(json, "FunctionArn"), FN_ARN));
    cJSON_Delete(json);

    fn_set_str(&ver->version, STR("3"));
    json = fn_version_to_aws_listed(ver, STR_NULL);
    assert_true(str_is(cjson_str(json, "FunctionArn"), FN_ARN ":3"));
    cJSON_Delete(json);
}

static void environment_shows_only_when_it_was_given(void **state)
{
    CLEANUP(fn_version_freep) struct fn_version *ver = image_new();
    cJSON *json;

    (void)state;
    assert_int_equal(fn_env_from_text(ver, STR("{}"), NULL), 0);
    json = fn_version_to_aws(ver, STR_NULL);
    assert_non_null(cJSON_GetObjectItem(cJSON_GetObjectItem(json, "Environment"), "Variables"));
    cJSON_Delete(json);
    ver->has_env = false;
    json = fn_version_to_aws(ver, STR_NULL);
    assert_null(cJSON_GetObjectItem(json, "Environment"));
    cJSON_Delete(json);
}

/* Gives @ver a value in every optional setting. */
static void set_everything(struct fn_version *ver)
{
    char *subnets[] = {"subnet-1", "subnet-2", NULL}, *groups[] = {"sg-1", NULL};
    struct fn_layer layers[] = {
        {"arn:aws:lambda:us-east-1:000000000000:layer:b:2", "00aa", 10, 20},
        {"arn:aws:lambda:us-east-1:000000000000:layer:a:1", "00bb", 30, 40},
    };
    struct fn_file_system system = {
        "arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-1", "/mnt/data", "AUTO",
    };

    fn_set_str(&ver->application_log_level, STR("DEBUG"));
    fn_set_str(&ver->system_log_level, STR("WARN"));
    fn_set_str(&ver->vpc_id, STR("vpc-0123456789abcdef0"));
    fn_set_str(&ver->dead_letter_arn, STR("arn:aws:sqs:us-east-1:000000000000:q"));
    fn_set_str(&ver->kms_key_arn, STR("arn:aws:kms:us-east-1:000000000000:key/k"));
    fn_set_str(&ver->source_kms_key_arn, STR("arn:aws:kms:us-east-1:000000000000:key/s"));
    fn_set_str(&ver->source_description, STR("d"));
    ver->log_json = ver->has_vpc = ver->vpc_ipv6 = ver->tracing_active = ver->snap_start = true;
    ver->subnet_ids = strv_copy(subnets);
    ver->security_group_ids = strv_copy(groups);
    fn_set_layers(ver, layers, ARRAY_LEN(layers));
    ver->file_systems = fn_file_systems_copy(&system, 1);
    ver->file_systems_len = 1;
    ver->unzipped_bytes = 5000;
}

/* Recorded answers have their members in alphabetical order, at every depth. */
static void assert_sorted(const cJSON *json)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, json)
    {
        if (item->string && item->next)
            assert_true(strcmp(item->string, item->next->string) < 0);
        assert_sorted(item);
    }
}

static void members_are_shown_in_alphabetical_order(void **state)
{
    CLEANUP(fn_version_freep) struct fn_version *zip = zip_new(), *image = image_new();
    struct fn_get_extra extra = {.code_location = "l", .reserved_concurrency = 1};
    cJSON *json;

    (void)state;
    set_everything(zip);
    fn_version_set_update(zip, FN_UPDATE_FAILED, "InvalidImage", "why");
    fn_version_set_state(zip, FN_FAILED, "InvalidImage", "why");
    json = fn_version_to_get_function(zip, &extra);
    assert_sorted(json);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "Configuration")), 32);
    cJSON_Delete(json);
    json = fn_version_to_get_function(image, &extra);
    assert_sorted(json);
    cJSON_Delete(json);
}

static void a_registry_record_gives_the_same_version_again(void **state)
{
    CLEANUP(fn_version_freep) struct fn_version *ver = zip_new(), *back = NULL;
    CLEANUP(buf_done) struct buf env = BUF_INIT(1000);
    char *command[] = {"a", NULL};
    cJSON *json, *again;
    char *text;
    struct str sealed;

    (void)state;
    ver->tags = cJSON_Parse("{\"k\":\"v\"}");
    ver->command = strv_copy(command);
    set_everything(ver);
    fn_version_set_update(ver, FN_UPDATE_FAILED, "InvalidImage", "why");
    assert_int_equal(fn_env_to_text(ver, &env), 0);
    assert_true(str_is(buf_str(&env), "{\"CUSTOM_ENV\":\"test\"}"));

    json = fn_version_to_registry(ver, STR("v1.sealed"));
    text = cJSON_PrintUnformatted(json);
    assert_null(strstr(text, "CUSTOM_ENV"));
    assert_int_equal(fn_version_from_registry(json, &back, &sealed, NULL), 0);
    assert_true(str_is(sealed, "v1.sealed"));
    assert_true(back->has_env);
    assert_int_equal(fn_env_from_text(back, buf_str(&env), NULL), 0);
    again = fn_version_to_registry(back, STR("v1.sealed"));
    assert_json(again, text);
    free(text);
    cJSON_Delete(json);
    again = fn_version_to_aws(back, STR_NULL);
    json = fn_version_to_aws(ver, STR_NULL);
    assert_true(cJSON_Compare(json, again, 1));
    cJSON_Delete(json);
    cJSON_Delete(again);
}

static void a_wrong_registry_record_is_named_and_refused(void **state)
{
    static const struct {
        const char *member, *value; /* value NULL: member removed */
        const char *message;
    } cases[] = {
        {"name", NULL, "name: missing"},
        {"role", "7", "role: not a string"},
        {"package", "\"Tar\"", "package: not one of its values"},
        {"state", NULL, "state: not one of its values"},
        {"update_status", "\"Maybe\"", "update_status: not one of its values"},
        {"memory_mib", "-1", "memory_mib: not a whole number in its range"},
        {"timeout_s", "1.5", "timeout_s: not a whole number in its range"},
        {"generation", "\"1\"", "generation: not a whole number in its range"},
        {"command", "[1]", "command: not a list of strings"},
        {"subnet_ids", "{}", "subnet_ids: not a list of strings"},
        {"has_vpc", "1", "has_vpc: not a boolean"},
        {"layers", "{}", "layers: not a list"},
        {"layers", "[{}]", "layers: arn: missing"},
        {"layers", "[{\"arn\":\"a\",\"sha256\":\"b\",\"bytes\":1}]",
         "layers: unzipped_bytes: not a whole number in its range"},
        {"file_systems", "7", "file_systems: not a list"},
        {"file_systems", "[{\"arn\":\"a\"}]", "file_systems: mount_path: missing"},
        {"unzipped_bytes", "-1", "unzipped_bytes: not a whole number in its range"},
        {"tags", "[]", "tags: not an object"},
        {"tags", "{\"a\":1}", "tags: a value is not a string"},
        {"environment", "{}", "environment: not a string"},
    };
    CLEANUP(fn_version_freep) struct fn_version *ver = zip_new();
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        cJSON *json = fn_version_to_registry(ver, STR_NULL);
        struct fn_version *back = NULL;
        struct error err;
        struct str sealed;

        cJSON_DeleteItemFromObjectCaseSensitive(json, cases[i].member);
        if (cases[i].value)
            cJSON_AddItemToObject(json, cases[i].member, cJSON_Parse(cases[i].value));
        assert_int_equal(fn_version_from_registry(json, &back, &sealed, &err), -ERR_PROTOCOL);
        assert_string_equal(err.msg, cases[i].message);
        assert_null(back);
        cJSON_Delete(json);
    }
}

static void a_copy_owns_all_it_holds(void **state)
{
    CLEANUP(fn_version_freep) struct fn_version *ver = zip_new(), *copy = NULL;
    cJSON *a, *b;

    (void)state;
    ver->tags = cJSON_Parse("{\"k\":\"v\"}");
    set_everything(ver);
    copy = fn_version_copy(ver);
    a = fn_version_to_registry(ver, STR_NULL);
    fn_version_freep(&ver);
    b = fn_version_to_registry(copy, STR_NULL);
    assert_true(cJSON_Compare(a, b, 1));
    cJSON_Delete(a);
    cJSON_Delete(b);
}

static void a_spec_has_what_an_invoker_needs(void **state)
{
    CLEANUP(fn_version_freep) struct fn_version *zip = zip_new(), *image = image_new();
    struct sandbox_spec *spec = NULL;
    struct runtimes *rts = NULL;

    (void)state;
    assert_int_equal(
        runtimes_parse(STR("{\"runtimes\":{\"python3.13\":{\"image\":\"hearth/python:3.13\"}}}"),
                       &rts, NULL),
        0);
    assert_int_equal(fn_version_to_spec(zip, rts, &spec, NULL), 0);
    assert_string_equal(spec->image, "hearth/python:3.13");
    assert_string_equal(spec->code_sha256, DIGEST);
    assert_string_equal(spec->arn, FN_ARN);
    assert_int_equal(spec->generation, 7);
    assert_string_equal(spec->env[0].value, "test");
    sandbox_spec_free(spec);

    assert_int_equal(fn_version_to_spec(image, rts, &spec, NULL), 0);
    assert_string_equal(spec->image, "reg/hello@sha256:" DIGEST);
    assert_null(spec->code_sha256);
    assert_null(spec->handler);
    sandbox_spec_free(spec);

    fn_set_str(&image->resolved_image_uri, STR_NULL);
    assert_int_equal(fn_version_to_spec(image, rts, &spec, NULL), -ERR_INTERNAL);
    fn_set_str(&zip->runtime, STR("cobol"));
    assert_int_equal(fn_version_to_spec(zip, rts, &spec, NULL), -ERR_INTERNAL);
    runtimes_free(rts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_created_image_function_has_the_recorded_fields),
        cmocka_unit_test(an_updated_image_function_shows_its_update_and_image_config),
        cmocka_unit_test(get_function_of_an_image_tells_both_uris),
        cmocka_unit_test(get_function_of_a_zip_tells_location_tags_and_concurrency),
        cmocka_unit_test(a_list_has_neither_states_nor_runtime_version),
        cmocka_unit_test(environment_shows_only_when_it_was_given),
        cmocka_unit_test(members_are_shown_in_alphabetical_order),
        cmocka_unit_test(a_registry_record_gives_the_same_version_again),
        cmocka_unit_test(a_wrong_registry_record_is_named_and_refused),
        cmocka_unit_test(a_copy_owns_all_it_holds),
        cmocka_unit_test(a_spec_has_what_an_invoker_needs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
