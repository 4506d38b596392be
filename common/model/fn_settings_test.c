/* SPDX-License-Identifier: Apache-2.0 */
/* Each setting of a function: what is asked for, and what AWS then shows or says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/model/networks.h"
#include "common/model/fn_apply.h"
#include "common/model/fn_layers.h"
#include "common/model/lambda_ops.h"
#include "common/model/pattern.h"
#include "common/model/record.h"
#include "common/model/validate.h"

#define BASE "\"FunctionName\":\"f\",\"Role\":\"arn:aws:iam::000000000000:role/r\""
#define CODE "\"Code\":{\"ZipFile\":\"UEs=\"}"
#define ZIP "{" BASE ",\"Runtime\":\"java21\",\"Handler\":\"a.b\"," CODE
#define LAYER "arn:aws:lambda:us-east-1:000000000000:layer:"
#define EFS "arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-0123456789abcdef0"
#define VPC "\"VpcConfig\":{\"SubnetIds\":[\"subnet-1\"],\"SecurityGroupIds\":[\"sg-1\"]}"
#define VPC_ID "vpc-00aa4b02d937a3c77"
#define NETWORKS                                                                                   \
    "{\"networks\":{\"a\":{\"vpc\":\"" VPC_ID "\",\"internet\":true}},"                            \
    "\"subnets\":{\"subnet-1\":\"a\",\"subnet-2\":\"a\"},"                                           \
    "\"security_groups\":{\"sg-1\":{\"egress\":[]},\"sg-2\":{\"egress\":[]}}}"
#define NO_VPC "{\"Ipv6AllowedForDualStack\":false,\"SecurityGroupIds\":[],\"SubnetIds\":[]," \
               "\"VpcId\":\"\"}"
#define LEVELS "LogLevel is not supported when LogFormat is set to \"Text\". Remove LogLevel " \
               "from your request or change the LogFormat to \"Json\" and try again."
#define COEXIST "SubnetIds and SecurityIds must coexist or be both empty list."

static struct runtimes *rts;
static struct networks *networks;

static int setup(void **state)
{
    (void)state;
    if (networks_parse(STR(NETWORKS), &networks, NULL) < 0)
        return -1;
    return runtimes_parse(STR("{\"runtimes\":{\"java21\":{\"image\":\"j\",\"snap_start\":true},"
                              "\"nodejs22.x\":{\"image\":\"n\"}}}"),
                          &rts, NULL);
}

static int teardown(void **state)
{
    (void)state;
    runtimes_free(rts);
    networks_free(networks);
    pattern_done();
    return 0;
}

struct setting_case {
    const char *create; /* what follows the request's other members; "" for nothing */
    const char *update; /* UpdateFunctionConfiguration; NULL: none */
    const char *member; /* of the answer */
    const char *shown; /* its value; NULL: absent. Of a refusal: the message */
    bool refused; /* the last of the requests */
};

static const struct setting_case cases[] = {
    /* VPC */
    {"", NULL, "VpcConfig", NULL, false},
    {"," VPC, NULL, "VpcConfig",
     "{\"Ipv6AllowedForDualStack\":false,\"SecurityGroupIds\":[\"sg-1\"],\"SubnetIds\":"
     "[\"subnet-1\"],\"VpcId\":\"" VPC_ID "\"}",
     false},
    {"," VPC, "{\"Timeout\":4}", "VpcConfig",
     "{\"Ipv6AllowedForDualStack\":false,\"SecurityGroupIds\":[\"sg-1\"],\"SubnetIds\":"
     "[\"subnet-1\"],\"VpcId\":\"" VPC_ID "\"}",
     false},
    {"," VPC,
     "{\"VpcConfig\":{\"SubnetIds\":[\"subnet-2\",\"subnet-1\"],\"SecurityGroupIds\":[\"sg-2\"],"
     "\"Ipv6AllowedForDualStack\":false}}",
     "VpcConfig",
     "{\"Ipv6AllowedForDualStack\":false,\"SecurityGroupIds\":[\"sg-2\"],\"SubnetIds\":"
     "[\"subnet-2\",\"subnet-1\"],\"VpcId\":\"" VPC_ID "\"}",
     false},
    {"," VPC, "{\"VpcConfig\":{\"SubnetIds\":[],\"SecurityGroupIds\":[]}}", "VpcConfig", NO_VPC,
     false},
    {"," VPC, "{\"VpcConfig\":{}}", "VpcConfig", NO_VPC, false},
    {",\"VpcConfig\":{\"SubnetIds\":[\"subnet-1\"]}", NULL, NULL, COEXIST, true},
    {",\"VpcConfig\":{\"SubnetIds\":[],\"SecurityGroupIds\":[\"sg-1\"]}", NULL, NULL, COEXIST,
     true},
    {",\"VpcConfig\":{\"SubnetIds\":[\"subnet-1\",\"subnet-9\"],\"SecurityGroupIds\":[\"sg-1\"]}", NULL,
     NULL,
     "Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound. EC2 Error "
     "Message: The subnet ID 'subnet-9' does not exist",
     true},
    {"," VPC, "{\"VpcConfig\":{\"SubnetIds\":[\"subnet-1\"],\"SecurityGroupIds\":[\"sg-9\"]}}", NULL,
     "Error occurred while DescribeSecurityGroups. EC2 Error Code: InvalidGroup.NotFound. EC2 Error "
     "Message: The security group 'sg-9' does not exist",
     true},
    {"," VPC,
     "{\"VpcConfig\":{\"SubnetIds\":[\"subnet-1\"],\"SecurityGroupIds\":[\"sg-1\"],"
     "\"Ipv6AllowedForDualStack\":true}}",
     NULL, "VpcConfig: Ipv6AllowedForDualStack: functions have no IPv6 here.", true},
    /* file systems */
    {"," VPC ",\"FileSystemConfigs\":[{\"Arn\":\"" EFS "\",\"LocalMountPath\":\"/mnt/a\"}]", NULL,
     "FileSystemConfigs", "[{\"Arn\":\"" EFS "\",\"LocalMountPath\":\"/mnt/a\"}]", false},
    {"," VPC ",\"FileSystemConfigs\":[{\"Arn\":\"" EFS "\",\"LocalMountPath\":\"/mnt/a\"}]",
     "{\"FileSystemConfigs\":[]}", "FileSystemConfigs", NULL, false},
    {",\"FileSystemConfigs\":[{\"Arn\":\"" EFS "\",\"LocalMountPath\":\"/mnt/a\"}]", NULL, NULL,
     "Function must be configured to execute in a VPC to reference access point " EFS ".", true},
    {"," VPC ",\"FileSystemConfigs\":[{\"Arn\":\"" EFS "\",\"LocalMountPath\":\"/mnt/a\"}]",
     "{\"VpcConfig\":{\"SubnetIds\":[],\"SecurityGroupIds\":[]}}", NULL,
     "Function must be configured to execute in a VPC to reference access point " EFS ".", true},
    /* dead letters */
    {"", NULL, "DeadLetterConfig", NULL, false},
    {",\"DeadLetterConfig\":{\"TargetArn\":\"arn:aws:sqs:us-east-1:000000000000:q\"}", NULL,
     "DeadLetterConfig", "{\"TargetArn\":\"arn:aws:sqs:us-east-1:000000000000:q\"}", false},
    {",\"DeadLetterConfig\":{\"TargetArn\":\"arn:aws:sqs:us-east-1:000000000000:q\"}",
     "{\"DeadLetterConfig\":{\"TargetArn\":\"arn:aws:sns:us-east-1:000000000000:t\"}}",
     "DeadLetterConfig", "{\"TargetArn\":\"arn:aws:sns:us-east-1:000000000000:t\"}", false},
    {",\"DeadLetterConfig\":{\"TargetArn\":\"arn:aws:sqs:us-east-1:000000000000:q\"}",
     "{\"DeadLetterConfig\":{\"TargetArn\":\"\"}}", "DeadLetterConfig", NULL, false},
    {",\"DeadLetterConfig\":{\"TargetArn\":\"arn:aws:s3:::bucket\"}", NULL, NULL,
     "Invalid dead letter queue ARN: arn:aws:s3:::bucket is neither an Amazon SQS queue nor an "
     "Amazon SNS topic.",
     true},
    /* tracing, key */
    {"", NULL, "TracingConfig", "{\"Mode\":\"PassThrough\"}", false},
    {",\"TracingConfig\":{\"Mode\":\"Active\"}", "{\"TracingConfig\":{}}", "TracingConfig",
     "{\"Mode\":\"Active\"}", false},
    {",\"TracingConfig\":{\"Mode\":\"Active\"}", "{\"TracingConfig\":{\"Mode\":\"PassThrough\"}}",
     "TracingConfig", "{\"Mode\":\"PassThrough\"}", false},
    {",\"KMSKeyArn\":\"arn:aws:kms:us-east-1:000000000000:key/k\"", NULL, "KMSKeyArn",
     "\"arn:aws:kms:us-east-1:000000000000:key/k\"", false},
    {",\"KMSKeyArn\":\"arn:aws:kms:us-east-1:000000000000:key/k\"", "{\"KMSKeyArn\":\"\"}",
     "KMSKeyArn", NULL, false},
    /* SnapStart */
    {"", NULL, "SnapStart", "{\"ApplyOn\":\"None\",\"OptimizationStatus\":\"Off\"}", false},
    {"", "{\"SnapStart\":{\"ApplyOn\":\"PublishedVersions\"}}", "SnapStart",
     "{\"ApplyOn\":\"PublishedVersions\",\"OptimizationStatus\":\"Off\"}", false},
    {"", "{\"Runtime\":\"nodejs22.x\",\"SnapStart\":{\"ApplyOn\":\"PublishedVersions\"}}", NULL,
     "nodejs22.x is not supported for SnapStart enabled functions.", true},
    {",\"SnapStart\":{\"ApplyOn\":\"PublishedVersions\"}", "{\"Runtime\":\"nodejs22.x\"}", NULL,
     "nodejs22.x is not supported for SnapStart enabled functions.", true},
    /* logging */
    {"", NULL, "LoggingConfig", "{\"LogFormat\":\"Text\",\"LogGroup\":\"/aws/lambda/f\"}", false},
    {"", "{\"LoggingConfig\":{\"LogFormat\":\"JSON\"}}", "LoggingConfig",
     "{\"ApplicationLogLevel\":\"INFO\",\"LogFormat\":\"JSON\",\"LogGroup\":\"/aws/lambda/f\","
     "\"SystemLogLevel\":\"INFO\"}",
     false},
    {",\"LoggingConfig\":{\"LogFormat\":\"JSON\",\"SystemLogLevel\":\"DEBUG\"}",
     "{\"LoggingConfig\":{\"ApplicationLogLevel\":\"TRACE\",\"LogGroup\":\"mine\"}}",
     "LoggingConfig",
     "{\"ApplicationLogLevel\":\"TRACE\",\"LogFormat\":\"JSON\",\"LogGroup\":\"mine\","
     "\"SystemLogLevel\":\"DEBUG\"}",
     false},
    {",\"LoggingConfig\":{\"LogFormat\":\"JSON\"}", "{\"LoggingConfig\":{\"LogFormat\":\"Text\"}}",
     "LoggingConfig", "{\"LogFormat\":\"Text\",\"LogGroup\":\"/aws/lambda/f\"}", false},
    {",\"LoggingConfig\":{\"SystemLogLevel\":\"WARN\"}", NULL, NULL, LEVELS, true},
    {",\"LoggingConfig\":{\"LogFormat\":\"JSON\"}",
     "{\"LoggingConfig\":{\"LogFormat\":\"Text\",\"ApplicationLogLevel\":\"WARN\"}}", NULL, LEVELS,
     true},
    /* layers: each of 100 bytes */
    {"", NULL, "Layers", NULL, false},
    {",\"Layers\":[\"" LAYER "b:2\",\"" LAYER "a:1\"]", "{\"Timeout\":4}", "Layers",
     "[{\"Arn\":\"" LAYER "b:2\",\"CodeSize\":100},{\"Arn\":\"" LAYER "a:1\",\"CodeSize\":100}]",
     false},
    {",\"Layers\":[\"" LAYER "b:2\"]", "{\"Layers\":[\"" LAYER "a:1\"]}", "Layers",
     "[{\"Arn\":\"" LAYER "a:1\",\"CodeSize\":100}]", false},
    {",\"Layers\":[\"" LAYER "b:2\"]", "{\"Layers\":[]}", "Layers", NULL, false},
    {",\"Layers\":[\"" LAYER "big:1\"]", NULL, NULL,
     "Function code combined with layers exceeds the maximum allowed size of 262144000 bytes. The "
     "actual size is 262144001 bytes.",
     true},
    /* environment, storage */
    {"", NULL, "Environment", NULL, false},
    {",\"Environment\":{}", NULL, "Environment", "{\"Variables\":{}}", false},
    {",\"EphemeralStorage\":{\"Size\":1024}", "{\"EphemeralStorage\":{\"Size\":2048}}",
     "EphemeralStorage", "{\"Size\":2048}", false},
};

static size_t find_layers(char *const *arns, struct fn_layer *layers)
{
    static char sha256[] = "00";
    size_t i;

    for (i = 0; arns && arns[i]; i++)
        layers[i] = (struct fn_layer){arns[i], sha256, 100,
                                      strstr(arns[i], ":big:") ? 262144001 : 200};
    return i;
}

/* Does what the controller does with a request. */
static int request(enum lambda_op_id id, const char *text, const struct fn_version *cur,
                   struct fn_version **ret, struct error *err)
{
    CLEANUP(buf_done) struct buf message = BUF_INIT(VALIDATE_MESSAGE_MAX);
    struct fn_layer layers[FN_LAYERS_MAX];
    struct fn_defaults defaults = {
        .account = STR("000000000000"),
        .region = STR("us-east-1"),
        .architecture = STR("x86_64"),
        .runtimes = rts,
        .networks = networks,
        .now_ms = 1769860800123,
        .revision_id = "00000000-0000-4000-8000-000000000001",
        .layers = layers,
    };
    cJSON *input = cJSON_Parse(text);
    char **arns;
    int r;

    assert_non_null(input);
    cJSON_DeleteItemFromObject(input, "FunctionName");
    cJSON_AddStringToObject(input, "FunctionName", "f");
    if (validate_input(&lambda_op_table[id], input, &message) < 0)
        fail_msg("%.*s", STR_ARG(buf_str(&message)));
    r = fn_layer_arns(input, defaults.region, &arns, err);
    assert_int_equal(r, 0);
    defaults.layers_len = find_layers(arns, layers);
    r = cur ? fn_apply_update_configuration(input, &defaults, cur, ret, err)
            : fn_apply_create(input, &defaults, ret, err);
    strv_free(arns);
    cJSON_Delete(input);
    return r;
}

static void assert_shown(const struct fn_version *ver, const struct setting_case *c)
{
    cJSON *json = fn_version_to_aws(ver, STR_NULL);
    cJSON *value = cJSON_GetObjectItemCaseSensitive(json, c->member);
    char *text = value ? cJSON_PrintUnformatted(value) : NULL;

    if (c->shown)
        assert_string_equal(text ? text : "(absent)", c->shown);
    else
        assert_null(text);
    free(text);
    cJSON_Delete(json);
}

static void a_setting_is_kept_and_shown_as_aws_does(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(fn_version_freep) struct fn_version *ver = NULL, *next = NULL;
        CLEANUP(freep) char *text = str_printf("%s%s}", ZIP, cases[i].create);
        struct error err;
        int r;

        r = request(LAMBDA_OP_CreateFunction, text, NULL, &ver, &err);
        if (cases[i].update && r == 0)
            r = request(LAMBDA_OP_UpdateFunctionConfiguration, cases[i].update, ver, &next, &err);
        assert_int_equal(r, cases[i].refused ? -ERR_BAD_REQUEST : 0);
        if (cases[i].refused)
            assert_string_equal(err.msg, cases[i].shown);
        else
            assert_shown(next ? next : ver, &cases[i]);
    }
}

static void layers_that_nobody_looked_up_are_a_mistake(void **state)
{
    CLEANUP(fn_version_freep) struct fn_version *ver = NULL;
    struct fn_defaults defaults = {
        .account = STR("000000000000"),
        .region = STR("us-east-1"),
        .architecture = STR("x86_64"),
        .runtimes = rts,
        .revision_id = "r",
    };
    cJSON *input = cJSON_Parse(ZIP ",\"Layers\":[\"" LAYER "a:1\"]}");

    (void)state;
    assert_int_equal(fn_apply_create(input, &defaults, &ver, NULL), -ERR_INTERNAL);
    cJSON_Delete(input);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_setting_is_kept_and_shown_as_aws_does),
        cmocka_unit_test(layers_that_nobody_looked_up_are_a_mistake),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
