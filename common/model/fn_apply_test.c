/* SPDX-License-Identifier: Apache-2.0 */
#include "common/model/fn_apply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/model/lambda_ops.h"
#include "common/model/pattern.h"
#include "common/model/validate.h"

#define BASE "\"FunctionName\":\"f\",\"Role\":\"arn:aws:iam::000000000000:role/r\""
#define ZIP BASE ",\"Runtime\":\"python3.13\",\"Handler\":\"a.b\",\"Code\":{\"ZipFile\":\"UEs=\"}"
#define IMAGE BASE ",\"PackageType\":\"Image\",\"Code\":{\"ImageUri\":\"reg/f:1\"}"
#define UNOFFERED ": Hearth does not offer this yet; leave it out."

static struct runtimes *rts;
static struct fn_defaults defaults;

static int setup(void **state)
{
    (void)state;
    assert_int_equal(
        runtimes_parse(STR("{\"runtimes\":{\"python3.13\":{\"image\":\"hearth/python:3.13\"},"
                           "\"only86\":{\"image\":\"x\",\"architectures\":[\"x86_64\"]},"
                           "\"java8\":{\"deprecated\":true}}}"),
                       &rts, NULL),
        0);
    defaults = (struct fn_defaults){
        .account = STR("000000000000"),
        .region = STR("us-east-1"),
        .architecture = STR("x86_64"),
        .runtimes = rts,
        .now_ms = 1769860800123,
        .revision_id = "00000000-0000-4000-8000-000000000001",
    };
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    runtimes_free(rts);
    pattern_done();
    return 0;
}

/* Validates as the controller does, then applies. */
static int create(const char *text, struct fn_version **ret, struct error *err)
{
    CLEANUP(buf_done) struct buf message = BUF_INIT(VALIDATE_MESSAGE_MAX);
    cJSON *input = cJSON_Parse(text);
    int r;

    assert_non_null(input);
    r = validate_input(&lambda_op_table[LAMBDA_OP_CreateFunction], input, &message);
    if (r < 0)
        fail_msg("%.*s", STR_ARG(buf_str(&message)));
    r = fn_apply_create(input, &defaults, ret, err);
    cJSON_Delete(input);
    return r;
}

struct refusal {
    const char *input;
    int code;
    const char *message; /* its front */
};

static const struct refusal create_refusals[] = {
    {"{" BASE ",\"Runtime\":\"python3.13\",\"Code\":{\"ZipFile\":\"UEs=\"}}", ERR_BAD_REQUEST,
     "Runtime and Handler are mandatory parameters for functions created with deployment "
     "packages."},
    {"{" BASE ",\"Code\":{\"ImageUri\":\"x\"}}", ERR_BAD_REQUEST,
     "Runtime and Handler are mandatory parameters for functions created with deployment "
     "packages."},
    {"{" IMAGE ",\"Runtime\":\"python3.13\"}", ERR_BAD_REQUEST,
     "Please don't provide Handler or Runtime or Layer when the intended function PackageType is "
     "Image."},
    {"{" IMAGE ",\"Layers\":[\"arn:aws:lambda:us-east-1:000000000000:layer:a:1\"]}",
     ERR_BAD_REQUEST,
     "Please don't provide Handler or Runtime or Layer when the intended function PackageType is "
     "Image."},
    {"{" ZIP ",\"ImageConfig\":{\"Command\":[\"x\"]}}", ERR_BAD_REQUEST,
     "Please don't provide ImageConfig when the intended function PackageType is Zip."},
    {"{" BASE ",\"Runtime\":\"java8\",\"Handler\":\"x\",\"Code\":{\"ZipFile\":\"UEs=\"}}",
     ERR_BAD_REQUEST,
     "The runtime parameter of java8 is no longer supported for creating or updating AWS Lambda "
     "functions. We recommend you use a supported runtime while creating or updating functions."},
    {"{" BASE ",\"Runtime\":\"cobol\",\"Handler\":\"x\",\"Code\":{\"ZipFile\":\"UEs=\"}}",
     ERR_BAD_REQUEST,
     "Value cobol at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: "
     "[nodejs20.x, python3.14, provided.al2023, python3.12, python3.13, nodejs24.x, nodejs22.x, "
     "java25, python3.10, python3.11, java21, ruby3.3, ruby3.4, ruby3.2, python3.8, python3.9, "
     "java17, nodejs16.x, dotnet10, dotnet8, java11, dotnet6, nodejs18.x, provided.al2, java8.al2] "
     "or be a valid ARN"},
    {"{" BASE ",\"Runtime\":\"only86\",\"Handler\":\"x\",\"Architectures\":[\"arm64\"],"
     "\"Code\":{\"ZipFile\":\"UEs=\"}}",
     ERR_BAD_REQUEST,
     "The runtime parameter of only86 is not available for the architecture arm64"},
    {"{" BASE ",\"Runtime\":\"python3.13\",\"Handler\":\"a.b\",\"Code\":{}}", ERR_BAD_REQUEST,
     "Please provide a source for function code."},
    {"{" BASE ",\"PackageType\":\"Image\",\"Code\":{\"ZipFile\":\"UEs=\"}}", ERR_BAD_REQUEST,
     "Please provide ImageUri when creating a function with packageType Image."},
    {"{" IMAGE ",\"MemorySize\":10241}", ERR_BAD_REQUEST,
     "'MemorySize' value failed to satisfy constraint: Member must have value less than or equal "
     "to 10240"},
    {"{" IMAGE ",\"Timeout\":901}", ERR_BAD_REQUEST,
     "'Timeout' value failed to satisfy constraint: Member must have value less than or equal to "
     "900"},
    {"{" IMAGE ",\"Environment\":{\"Variables\":{\"AWS_REGION\":\"x\",\"OK\":\"y\","
     "\"AWS_SESSION_TOKEN\":\"z\"}}}",
     ERR_BAD_REQUEST,
     "Lambda was unable to configure your environment variables because the environment variables "
     "you have provided contains reserved keys that are currently not supported for modification. "
     "Reserved keys used in this request: AWS_REGION, AWS_SESSION_TOKEN"},
    {"{\"FunctionName\":\"arn:aws:lambda:eu-west-1:000000000000:function:f\",\"Role\":"
     "\"arn:aws:iam::000000000000:role/r\",\"Code\":{}}",
     ERR_NOT_FOUND, "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')"},
    {"{" IMAGE ",\"DurableConfig\":{\"ExecutionTimeout\":60}}", ERR_UNSUPPORTED,
     "DurableConfig" UNOFFERED},
    {"{" IMAGE ",\"PublishTo\":\"LATEST_PUBLISHED\"}", ERR_UNSUPPORTED, "PublishTo" UNOFFERED},
    {"{" IMAGE ",\"TenancyConfig\":{\"TenantIsolationMode\":\"PER_TENANT\"}}", ERR_UNSUPPORTED,
     "TenancyConfig" UNOFFERED},
};

static void what_aws_refuses_is_refused_in_its_words(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(create_refusals); i++) {
        const struct refusal *c = &create_refusals[i];
        struct fn_version *ver = NULL;
        struct error err = {0};

        assert_int_equal(create(c->input, &ver, &err), -c->code);
        if (strncmp(err.msg, c->message, strlen(c->message)) != 0)
            assert_string_equal(err.msg, c->message);
        assert_null(ver);
    }
}

static void what_says_nothing_passes(void **state)
{
    CLEANUP(fn_version_freep) struct fn_version *ver = NULL;

    (void)state;
    assert_int_equal(
        create("{" IMAGE ",\"Publish\":false,"
               "\"VpcConfig\":{\"SubnetIds\":[],\"SecurityGroupIds\":[],"
               "\"Ipv6AllowedForDualStack\":false},\"DeadLetterConfig\":{\"TargetArn\":\"\"},"
               "\"TracingConfig\":{\"Mode\":\"PassThrough\"},\"KMSKeyArn\":\"\",\"Layers\":[],"
               "\"FileSystemConfigs\":[],\"SnapStart\":{\"ApplyOn\":\"None\"},"
               "\"LoggingConfig\":{\"LogFormat\":\"Text\",\"LogGroup\":\"mine\"},\"Runtime\":null,"
               "\"DurableConfig\":{}}",
               &ver, NULL),
        0);
    assert_string_equal(ver->log_group, "mine");
}

static void a_new_function_has_awss_defaults(void **state)
{
    CLEANUP(fn_version_freep) struct fn_version *ver = NULL;

    (void)state;
    assert_int_equal(create("{" ZIP "}", &ver, NULL), 0);
    assert_int_equal(ver->package, FN_ZIP);
    assert_string_equal(ver->name, "f");
    assert_string_equal(ver->account, "000000000000");
    assert_string_equal(ver->version, "$LATEST");
    assert_string_equal(ver->description, "");
    assert_string_equal(ver->architecture, "x86_64");
    assert_string_equal(ver->log_group, "/aws/lambda/f");
    assert_int_equal(strlen(ver->runtime_version), 64);
    assert_int_equal(ver->memory_mib, 128);
    assert_int_equal(ver->timeout_s, 3);
    assert_int_equal(ver->ephemeral_mib, 512);
    assert_int_equal(ver->generation, 1);
    assert_int_equal(ver->state, FN_PENDING);
    assert_string_equal(ver->state_reason.code, "Creating");
    assert_int_equal(ver->update_status, FN_UPDATE_NONE);
    assert_false(ver->has_env);
    assert_null(ver->tags);
}

static void what_is_asked_for_is_taken(void **state)
{
    CLEANUP(fn_version_freep) struct fn_version *ver = NULL;

    (void)state;
    assert_int_equal(
        create("{" IMAGE ",\"MemorySize\":10240,\"Timeout\":900,"
               "\"EphemeralStorage\":{\"Size\":1024},"
               "\"Description\":\"d\",\"Architectures\":[\"arm64\"],\"Tags\":{\"k\":\"v\"},"
               "\"Environment\":{\"Variables\":{\"AB\":\"1\",\"CD\":\"\"}},"
               "\"ImageConfig\":{\"EntryPoint\":[\"sh\"],\"Command\":[],"
               "\"WorkingDirectory\":\"\"}}",
               &ver, NULL),
        0);
    assert_int_equal(ver->memory_mib, 10240);
    assert_int_equal(ver->timeout_s, 900);
    assert_int_equal(ver->ephemeral_mib, 1024);
    assert_string_equal(ver->architecture, "arm64");
    assert_int_equal(ver->env_len, 2);
    assert_string_equal(ver->env[1].name, "CD");
    assert_string_equal(ver->entry_point[0], "sh");
    assert_null(ver->command);
    assert_null(ver->working_directory);
    assert_string_equal(ver->image_uri, "reg/f:1");
    assert_int_equal(cJSON_GetArraySize(ver->tags), 1);
    assert_null(ver->runtime_version);
}

/* An environment whose JSON text has @bytes. */
static int create_with_env_of(size_t bytes, struct error *err)
{
    CLEANUP(fn_version_freep) struct fn_version *ver = NULL;
    CLEANUP(buf_done) struct buf b = BUF_INIT(20000);
    CLEANUP(freep) char *text = NULL;
    size_t i;

    buf_printf(&b, "{" IMAGE ",\"Environment\":{\"Variables\":{\"LARGE_VAR\":\"");
    for (i = strlen("{\"LARGE_VAR\":\"\"}"); i < bytes; i++)
        buf_append_char(&b, 'x');
    buf_printf(&b, "\"}}}");
    text = buf_take(&b);
    return create(text, &ver, err);
}

static void an_environment_may_have_4096_bytes(void **state)
{
    CLEANUP(buf_done) struct buf message = BUF_INIT(20000);
    struct error err;

    (void)state;
    defaults.long_message = &message;
    assert_int_equal(create_with_env_of(4096, &err), 0);
    assert_int_equal(create_with_env_of(4097, &err), -ERR_BAD_REQUEST);
    assert_non_null(strstr(err.msg, "exceeded the 4KB limit. String measured: 4097 bytes"));
    assert_null(strstr(err.msg, "xxx"));
    assert_true(str_starts(buf_str(&message),
                           STR("Lambda was unable to configure your environment variables because "
                               "the environment variables you have provided exceeded the 4KB "
                               "limit. String measured: {\"LARGE_VAR\":\"xxx")));
    assert_true(str_ends(buf_str(&message), STR("xxx\"}")));
    defaults.long_message = NULL;
    assert_int_equal(create_with_env_of(4097, NULL), -ERR_BAD_REQUEST);
}

static void more_than_fifty_tags_are_refused(void **state)
{
    CLEANUP(fn_version_freep) struct fn_version *ver = NULL;
    CLEANUP(buf_done) struct buf b = BUF_INIT(20000);
    CLEANUP(freep) char *text = NULL;
    struct error err;
    int i;

    (void)state;
    buf_printf(&b, "{" IMAGE ",\"Tags\":{");
    for (i = 0; i < 51; i++)
        buf_printf(&b, "%s\"k%d\":\"v\"", i > 0 ? "," : "", i);
    buf_printf(&b, "}}");
    text = buf_take(&b);
    assert_int_equal(create(text, &ver, &err), -ERR_BAD_REQUEST);
    assert_string_equal(err.msg, "Number of tags exceeds resource tag limit.");
}

static int update(const char *text, bool code, const struct fn_version *cur,
                  struct fn_version **ret, struct error *err)
{
    cJSON *input = cJSON_Parse(text);
    int r;

    assert_non_null(input);
    r = code ? fn_apply_update_code(input, &defaults, cur, ret, err)
             : fn_apply_update_configuration(input, &defaults, cur, ret, err);
    cJSON_Delete(input);
    return r;
}

static void a_configuration_update_changes_what_it_names(void **state)
{
    CLEANUP(fn_version_freep) struct fn_version *cur = NULL, *ver = NULL;

    (void)state;
    assert_int_equal(create("{" IMAGE ",\"Description\":\"old\",\"Environment\":{\"Variables\":"
                            "{\"AB\":\"1\"}},\"ImageConfig\":{\"EntryPoint\":[\"sh\"]}}",
                            &cur, NULL),
                     0);
    fn_version_set_state(cur, FN_ACTIVE, NULL, NULL);
    defaults.revision_id = "00000000-0000-4000-8000-000000000002";
    assert_int_equal(update("{\"FunctionName\":\"f\",\"MemorySize\":256,\"ImageConfig\":"
                            "{\"Command\":[\"x\"]},\"RevisionId\":"
                            "\"00000000-0000-4000-8000-000000000001\"}",
                            false, cur, &ver, NULL),
                     0);
    assert_int_equal(ver->memory_mib, 256);
    assert_string_equal(ver->description, "old");
    assert_string_equal(ver->env[0].value, "1");
    assert_null(ver->entry_point);
    assert_string_equal(ver->command[0], "x");
    assert_int_equal(ver->generation, 2);
    assert_int_equal(ver->state, FN_ACTIVE);
    assert_int_equal(ver->update_status, FN_UPDATE_IN_PROGRESS);
    assert_string_equal(ver->update_reason.text, "The function is being created.");
    assert_string_equal(ver->revision_id, "00000000-0000-4000-8000-000000000002");
    assert_int_equal(cur->memory_mib, 128);
}

static void an_empty_environment_removes_the_old_one(void **state)
{
    CLEANUP(fn_version_freep) struct fn_version *cur = NULL, *ver = NULL;

    (void)state;
    assert_int_equal(
        create("{" IMAGE ",\"Environment\":{\"Variables\":{\"AB\":\"1\"}}}", &cur, NULL), 0);
    assert_int_equal(update("{\"Environment\":{}}", false, cur, &ver, NULL), 0);
    assert_int_equal(ver->env_len, 0);
    assert_false(ver->has_env);
}

static void an_environment_created_empty_stays(void **state)
{
    CLEANUP(fn_version_freep) struct fn_version *cur = NULL, *ver = NULL;

    (void)state;
    assert_int_equal(create("{" IMAGE ",\"Environment\":{\"Variables\":{}}}", &cur, NULL), 0);
    assert_true(cur->has_env);
    assert_int_equal(update("{\"Description\":\"d\"}", false, cur, &ver, NULL), 0);
    assert_true(ver->has_env);
}

static void updates_of_the_wrong_kind_or_revision_are_refused(void **state)
{
    CLEANUP(fn_version_freep) struct fn_version *zip = NULL, *image = NULL, *ver = NULL;
    struct error err;

    (void)state;
    assert_int_equal(create("{" ZIP "}", &zip, NULL), 0);
    assert_int_equal(create("{" IMAGE "}", &image, NULL), 0);

    assert_int_equal(update("{\"ZipFile\":\"UEs=\"}", true, image, &ver, &err), -ERR_BAD_REQUEST);
    assert_string_equal(err.msg,
                        "Please provide ImageUri when updating a function with packageType Image.");
    assert_int_equal(update("{\"ImageUri\":\"x\"}", true, zip, &ver, &err), -ERR_BAD_REQUEST);
    assert_string_equal(
        err.msg, "Please don't provide ImageUri when updating a function with packageType Zip.");
    assert_int_equal(update("{}", true, zip, &ver, &err), -ERR_BAD_REQUEST);
    assert_string_equal(err.msg, "Please provide a source for function code.");
    assert_int_equal(update("{\"Handler\":\"x\"}", false, image, &ver, &err), -ERR_BAD_REQUEST);
    assert_int_equal(
        update("{\"RevisionId\":\"other\",\"ImageUri\":\"x\"}", true, image, &ver, &err),
        -ERR_PRECONDITION);
    assert_string_equal(err.msg, "The Revision Id provided does not match the latest Revision Id. "
                                 "Call the GetFunction/GetAlias API to retrieve the latest "
                                 "Revision Id");
    assert_null(ver);
}

static void new_code_forgets_what_was_known_of_the_old_image(void **state)
{
    CLEANUP(fn_version_freep) struct fn_version *cur = NULL, *ver = NULL;

    (void)state;
    assert_int_equal(create("{" IMAGE "}", &cur, NULL), 0);
    fn_set_str(&cur->resolved_image_uri, STR("reg/f@sha256:00"));
    fn_set_str(&cur->code_sha256, STR("00"));
    assert_int_equal(update("{\"ImageUri\":\"reg/f:2\"}", true, cur, &ver, NULL), 0);
    assert_string_equal(ver->image_uri, "reg/f:2");
    assert_null(ver->resolved_image_uri);
    assert_null(ver->code_sha256);
    assert_int_equal(ver->generation, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_aws_refuses_is_refused_in_its_words),
        cmocka_unit_test(what_says_nothing_passes),
        cmocka_unit_test(a_new_function_has_awss_defaults),
        cmocka_unit_test(what_is_asked_for_is_taken),
        cmocka_unit_test(an_environment_may_have_4096_bytes),
        cmocka_unit_test(more_than_fifty_tags_are_refused),
        cmocka_unit_test(a_configuration_update_changes_what_it_names),
        cmocka_unit_test(an_empty_environment_removes_the_old_one),
        cmocka_unit_test(an_environment_created_empty_stays),
        cmocka_unit_test(updates_of_the_wrong_kind_or_revision_are_refused),
        cmocka_unit_test(new_code_forgets_what_was_known_of_the_old_image),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
