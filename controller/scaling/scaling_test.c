/* SPDX-License-Identifier: Apache-2.0 */
/* Application Auto Scaling: its API, scheduled actions and target tracking, in a whole controller. */
#include <math.h>

#include "common/base/clock.h"
#include "controller/world_fixture.h"

#define PROVISIONED "/2019-09-30/functions"
#define RESOURCE "function:one:live"
#define ID                                                                                         \
    "\"ServiceNamespace\":\"lambda\",\"ResourceId\":\"" RESOURCE                                   \
    "\",\"ScalableDimension\":\"lambda:function:ProvisionedConcurrency\""
#define OF_LAMBDA "\"ServiceNamespace\":\"lambda\""
#define TRACKING(more)                                                                             \
    "\"PolicyType\":\"TargetTrackingScaling\",\"TargetTrackingScalingPolicyConfiguration\":{"      \
    "\"TargetValue\":0.7,\"PredefinedMetricSpecification\":{\"PredefinedMetricType\":"             \
    "\"LambdaProvisionedConcurrencyUtilization\"}" more "}"

/* Asks; the status. */
static int scaling(const char *operation, const char *inside)
{
    CLEANUP(freep) char *text = str_printf("{%s}", inside);
    cJSON *args = cJSON_CreateObject();

    cJSON_AddStringToObject(args, "service", "autoscaling");
    cJSON_AddStringToObject(args, "operation", operation);
    cJSON_AddStringToObject(args, "account", "000000000000");
    cJSON_AddStringToObject(args, "request_id", "request-1");
    ask(gateway, "lambda", args, str_of(text));
    assert_int_equal(got.code, ERR_OK);
    return got.status;
}

static void fine(const char *operation, const char *inside)
{
    if (scaling(operation, inside) != 200)
        fail_msg("%s: %d %s %s", operation, got.status, got.error_type, member("Message"));
}

static void refused(const char *operation, const char *inside, const char *type, const char *text)
{
    int status = scaling(operation, inside);

    if (status != (strcmp(type, "ConcurrentUpdateException") == 0 ? 500 : 400) || strcmp(got.error_type, type) != 0 ||
        !strstr(member("Message"), text))
        fail_msg("%s {%s}: %d %s %s", operation, inside, got.status, got.error_type, member("Message"));
    assert_string_equal(member("__type"), type);
}

/* The @at-th of the list @name of the answer. */
static const cJSON *item(const char *name, int at)
{
    return cJSON_GetArrayItem(cJSON_GetObjectItem(got.json, name), at);
}

static int items(const char *name)
{
    return cJSON_GetArraySize(cJSON_GetObjectItem(got.json, name));
}

static const char *text_of(const cJSON *json, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(json, name));

    return text ? text : "";
}

static double number_of(const cJSON *json, const char *name)
{
    return cJSON_GetNumberValue(cJSON_GetObjectItem(json, name));
}

/* Function "one" with version 1 and alias live. */
static void function_one(void)
{
    invoker_connect();
    active("one");
    assert_int_equal(lambda("POST", FN "/one/versions", "", "{}"), 201);
    assert_int_equal(lambda("POST", FN "/one/aliases", "", "{\"Name\":\"live\",\"FunctionVersion\":\"1\"}"), 201);
}

/* The controller ends, and another one takes up what it finds. */
static void controller_again(void)
{
    controller_free(c);
    peer.registered = false;
    controller_start();
    while (!link_is_up(gateway) || !peer.registered)
        loop_run(loop);
}

static int requested(void)
{
    int status = lambda("GET", PROVISIONED "/one/provisioned-concurrency", "Qualifier=live", "");

    if (status != 200)
        return status == 404 ? 0 : -1;
    return (int)number_of(got.json, "RequestedProvisionedConcurrentExecutions");
}

static void wait_requested(int wanted)
{
    uint64_t end = now_us() + WAIT_US;

    while (requested() != wanted)
        if (now_us() > end)
            fail_msg("%d are requested, not %d", requested(), wanted);
}

/* Waits until the newest activity is @status and has @cause in its cause; it stays in got.json. */
static const cJSON *wait_activity(const char *status, const char *cause)
{
    uint64_t end = now_us() + WAIT_US;
    const cJSON *newest;

    for (;;) {
        fine("DescribeScalingActivities", ID);
        newest = item("ScalingActivities", 0);
        if (strcmp(text_of(newest, "StatusCode"), status) == 0 && strstr(text_of(newest, "Cause"), cause))
            return newest;
        if (now_us() > end)
            fail_msg("the newest activity is %s, because %s", text_of(newest, "StatusCode"), text_of(newest, "Cause"));
    }
}

/* ---- targets ---- */

static void a_target_is_registered_shown_changed_and_gone(void **state)
{
    CLEANUP(freep) char *arn = NULL;
    const cJSON *target;

    (void)state;
    need_server();
    function_one();
    fine("DescribeScalableTargets", OF_LAMBDA);
    assert_int_equal(items("ScalableTargets"), 0);
    fine("RegisterScalableTarget", ID ",\"MinCapacity\":0,\"MaxCapacity\":10,\"Tags\":{\"b\":\"2\",\"a\":\"1\"}");
    arn = str_dup(str_of(member("ScalableTargetARN")));
    assert_true(str_starts(str_of(arn), STR("arn:aws:application-autoscaling:us-east-1:000000000000:scalable-target/")));
    fine("DescribeScalableTargets", OF_LAMBDA ",\"ResourceIds\":[\"" RESOURCE "\",\"function:two:1\"]");
    assert_int_equal(items("ScalableTargets"), 1);
    target = item("ScalableTargets", 0);
    assert_string_equal(text_of(target, "ResourceId"), RESOURCE);
    assert_string_equal(text_of(target, "ScalableTargetARN"), arn);
    assert_string_equal(text_of(target, "RoleARN"),
                        "arn:aws:iam::000000000000:role/aws-service-role/lambda.application-autoscaling.amazonaws.com/"
                        "AWSServiceRoleForApplicationAutoScaling_LambdaConcurrency");
    assert_int_equal((int)number_of(target, "MinCapacity"), 0);
    assert_int_equal((int)number_of(target, "MaxCapacity"), 10);
    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(cJSON_GetObjectItem(target, "SuspendedState"), "ScheduledScalingSuspended")));
    /* what is not said stays */
    fine("RegisterScalableTarget", ID ",\"MaxCapacity\":20,\"SuspendedState\":{\"ScheduledScalingSuspended\":true}");
    assert_string_equal(member("ScalableTargetARN"), arn);
    fine("DescribeScalableTargets", OF_LAMBDA);
    target = item("ScalableTargets", 0);
    assert_int_equal((int)number_of(target, "MaxCapacity"), 20);
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(cJSON_GetObjectItem(target, "SuspendedState"), "ScheduledScalingSuspended")));
    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(cJSON_GetObjectItem(target, "SuspendedState"), "DynamicScalingInSuspended")));
    fine("DeregisterScalableTarget", ID);
    refused("DeregisterScalableTarget", ID, "ObjectNotFoundException", "No scalable target registered for service namespace: lambda");
    fine("DescribeScalableTargets", OF_LAMBDA);
    assert_int_equal(items("ScalableTargets"), 0);
    assert_string_equal(WORLD("KEYS", PREFIX "scaling:*"), "");
}

static void tags_belong_to_a_target(void **state)
{
    CLEANUP(freep) char *arn = NULL, *input = NULL;

    (void)state;
    need_server();
    function_one();
    fine("RegisterScalableTarget", ID ",\"MinCapacity\":0,\"MaxCapacity\":10,\"Tags\":{\"b\":\"2\"}");
    arn = str_dup(str_of(member("ScalableTargetARN")));
    input = str_printf("\"ResourceARN\":\"%s\",\"Tags\":{\"a\":\"1\"},\"TagKeys\":[\"b\",\"none\"]", arn);
    fine("TagResource", input);
    fine("ListTagsForResource", input);
    assert_string_equal(text_of(cJSON_GetObjectItem(got.json, "Tags"), "a"), "1");
    assert_string_equal(text_of(cJSON_GetObjectItem(got.json, "Tags"), "b"), "2");
    fine("UntagResource", input);
    fine("ListTagsForResource", input);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(got.json, "Tags")), 1);
    refused("RegisterScalableTarget", ID ",\"Tags\":{\"c\":\"3\"}", "ValidationException", "TagResource");
    fine("DeregisterScalableTarget", ID);
    refused("ListTagsForResource", input, "ResourceNotFoundException", arn);
    refused("TagResource", "\"ResourceARN\":\"arn:aws:application-autoscaling:eu-west-1:1:scalable-target/x\",\"Tags\":{}",
            "ResourceNotFoundException", "doesn't exist");
}

static void what_cannot_be_scaled_is_refused(void **state)
{
    static const char *const resources[] = {"function:one", "function:one:live:x", "table/one", "function:o ne:1",
                                            "function:arn:1", "function::live", "function:one:", "one:live"};
    size_t i;

    (void)state;
    need_server();
    function_one();
    for (i = 0; i < ARRAY_LEN(resources); i++) {
        CLEANUP(freep)
        char *input = str_printf("\"ServiceNamespace\":\"lambda\",\"ResourceId\":\"%s\",\"ScalableDimension\":"
                                 "\"lambda:function:ProvisionedConcurrency\",\"MinCapacity\":1,\"MaxCapacity\":2",
                                 resources[i]);

        refused("RegisterScalableTarget", input, "ValidationException", strcmp(resources[i], "function:arn:1") ? "Unsupported" : "");
    }
    refused("RegisterScalableTarget", "\"ServiceNamespace\":\"ecs\",\"ResourceId\":\"x\",\"ScalableDimension\":\"ecs:service:DesiredCount\"",
            "ValidationException", "Unsupported service namespace");
    refused("RegisterScalableTarget", "\"ServiceNamespace\":\"x\"", "ValidationException", "3 validation errors detected: Value 'x' at 'serviceNamespace'");
    refused("RegisterScalableTarget", "\"MinCapacity\":\"1\"", "SerializationException", "STRING_VALUE cannot be converted to Integer");
    refused("RegisterScalableTarget", "]", "SerializationException", "Could not parse");
    refused("RegisterScalableTarget", ID ",\"MaxCapacity\":1", "ValidationException", "MinCapacity must be specified");
    refused("RegisterScalableTarget", ID ",\"MinCapacity\":-1,\"MaxCapacity\":1", "ValidationException", "MinCapacity cannot be less than 0");
    refused("RegisterScalableTarget", ID ",\"MinCapacity\":2,\"MaxCapacity\":1", "ValidationException", "Maximum capacity cannot be less");
    refused("RegisterScalableTarget", "\"ServiceNamespace\":\"lambda\",\"ResourceId\":\"function:one:dead\",\"ScalableDimension\":"
            "\"lambda:function:ProvisionedConcurrency\",\"MinCapacity\":1,\"MaxCapacity\":2", "ValidationException",
            "Function not found: arn:aws:lambda:us-east-1:000000000000:function:one:dead");
    refused("RegisterScalableTarget", "\"ServiceNamespace\":\"lambda\",\"ResourceId\":\"function:none:1\",\"ScalableDimension\":"
            "\"lambda:function:ProvisionedConcurrency\",\"MinCapacity\":1,\"MaxCapacity\":2", "ValidationException", "Function not found");
    refused("GetPredictiveScalingForecast", "", "UnknownOperationException", "does not offer the operation GetPredictiveScalingForecast");
    refused("Nothing", "", "UnknownOperationException", "has no operation Nothing");
    fine("DescribeScalableTargets", "\"ServiceNamespace\":\"ecs\"");
    assert_int_equal(items("ScalableTargets"), 0);
}

/* ---- policies ---- */

static void a_policy_follows_its_target(void **state)
{
    CLEANUP(freep) char *arn = NULL;
    const cJSON *policy, *tracking;

    (void)state;
    need_server();
    function_one();
    refused("PutScalingPolicy", ID ",\"PolicyName\":\"p\"," TRACKING(""), "ObjectNotFoundException", "No scalable target registered");
    fine("RegisterScalableTarget", ID ",\"MinCapacity\":0,\"MaxCapacity\":10");
    fine("PutScalingPolicy", ID ",\"PolicyName\":\"p\"," TRACKING(",\"ScaleInCooldown\":30,\"DisableScaleIn\":true"));
    arn = str_dup(str_of(member("PolicyARN")));
    assert_true(str_ends(str_of(arn), STR(":resource/lambda/" RESOURCE ":policyName/p")));
    assert_int_equal(items("Alarms"), 0);
    fine("DescribeScalingPolicies", ID);
    policy = item("ScalingPolicies", 0);
    assert_string_equal(text_of(policy, "PolicyARN"), arn);
    assert_string_equal(text_of(policy, "PolicyType"), "TargetTrackingScaling");
    tracking = cJSON_GetObjectItem(policy, "TargetTrackingScalingPolicyConfiguration");
    assert_true(fabs(number_of(tracking, "TargetValue") - 0.7) < 1e-12);
    assert_int_equal((int)number_of(tracking, "ScaleInCooldown"), 30);
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(tracking, "DisableScaleIn")));
    assert_null(cJSON_GetObjectItem(tracking, "ScaleOutCooldown"));
    fine("PutScalingPolicy", ID ",\"PolicyName\":\"p\"," TRACKING(",\"ScaleOutCooldown\":5"));
    assert_string_equal(member("PolicyARN"), arn);
    refused("PutScalingPolicy", ID ",\"PolicyName\":\"q\"," TRACKING(""), "ValidationException", "Only one TargetTrackingScaling policy");
    fine("DescribeScalingPolicies", OF_LAMBDA ",\"PolicyNames\":[\"q\"]");
    assert_int_equal(items("ScalingPolicies"), 0);
    fine("DescribeScalingPolicies", OF_LAMBDA ",\"PolicyNames\":[\"q\",\"p\"]");
    assert_int_equal(items("ScalingPolicies"), 1);
    fine("DeleteScalingPolicy", ID ",\"PolicyName\":\"p\"");
    refused("DeleteScalingPolicy", ID ",\"PolicyName\":\"p\"", "ObjectNotFoundException", "No scaling policy found");
}

static void policies_that_nothing_here_could_follow_are_refused(void **state)
{
#define PUT ID ",\"PolicyName\":\"p\","
#define CONFIGURATION "\"PolicyType\":\"TargetTrackingScaling\",\"TargetTrackingScalingPolicyConfiguration\":"
#define METRIC "\"PredefinedMetricSpecification\":{\"PredefinedMetricType\":\"LambdaProvisionedConcurrencyUtilization\""
    (void)state;
    need_server();
    function_one();
    fine("RegisterScalableTarget", ID ",\"MinCapacity\":0,\"MaxCapacity\":10");
    refused("PutScalingPolicy", PUT "\"PolicyType\":\"StepScaling\",\"StepScalingPolicyConfiguration\":{}", "ValidationException", "TargetTrackingScaling only");
    refused("PutScalingPolicy", PUT "\"PolicyType\":\"PredictiveScaling\"", "ValidationException", "TargetTrackingScaling only");
    refused("PutScalingPolicy", ID ",\"PolicyName\":\"p\"", "ValidationException", "TargetTrackingScaling only");
    refused("PutScalingPolicy", PUT "\"PolicyType\":\"TargetTrackingScaling\"", "ValidationException", "must be specified");
    refused("PutScalingPolicy", PUT CONFIGURATION "{\"TargetValue\":0.7,\"CustomizedMetricSpecification\":{\"MetricName\":\"m\"}}", "ValidationException", "no CloudWatch");
    refused("PutScalingPolicy", PUT CONFIGURATION "{\"TargetValue\":0.7,\"PredefinedMetricSpecification\":{\"PredefinedMetricType\":\"ECSServiceAverageCPUUtilization\"}}",
            "ValidationException", "must be LambdaProvisionedConcurrencyUtilization");
    refused("PutScalingPolicy", PUT CONFIGURATION "{\"TargetValue\":0.7," METRIC ",\"ResourceLabel\":\"x\"}}", "ValidationException", "ResourceLabel");
    refused("PutScalingPolicy", PUT CONFIGURATION "{\"TargetValue\":0," METRIC "}}", "ValidationException", "TargetValue");
    refused("PutScalingPolicy", PUT CONFIGURATION "{\"TargetValue\":70," METRIC "}}", "ValidationException", "TargetValue");
    refused("PutScalingPolicy", PUT CONFIGURATION "{\"TargetValue\":0.7,\"ScaleInCooldown\":-1," METRIC "}}", "ValidationException", "ScaleInCooldown cannot be less");
    refused("PutScalingPolicy", PUT CONFIGURATION "{" METRIC "}}", "ValidationException", "targetTrackingScalingPolicyConfiguration.targetValue");
    refused("PutScalingPolicy", ID ",\"PolicyName\":\"\\u0001\"," TRACKING(""), "ValidationException", "at 'policyName'");
#undef PUT
#undef CONFIGURATION
#undef METRIC
}

/* ---- scheduled actions ---- */

static void actions_are_kept_as_they_were_put(void **state)
{
    const cJSON *action;

    (void)state;
    need_server();
    function_one();
    refused("PutScheduledAction", ID ",\"ScheduledActionName\":\"a\"", "ObjectNotFoundException", "No scalable target registered");
    fine("RegisterScalableTarget", ID ",\"MinCapacity\":0,\"MaxCapacity\":10");
    fine("PutScheduledAction", ID ",\"ScheduledActionName\":\"a\",\"Schedule\":\"cron(0 9 ? * MON-FRI *)\",\"Timezone\":\"UTC\","
         "\"StartTime\":1.9e9,\"EndTime\":2.0e9,\"ScalableTargetAction\":{\"MinCapacity\":3}");
    fine("DescribeScheduledActions", ID);
    action = item("ScheduledActions", 0);
    assert_string_equal(text_of(action, "Schedule"), "cron(0 9 ? * MON-FRI *)");
    assert_string_equal(text_of(action, "Timezone"), "UTC");
    assert_true(fabs(number_of(action, "EndTime") - 2.0e9) < 1e-3);
    assert_true(strstr(text_of(action, "ScheduledActionARN"), ":scheduledAction:") != NULL);
    assert_int_equal((int)number_of(cJSON_GetObjectItem(action, "ScalableTargetAction"), "MinCapacity"), 3);
    /* what is not said stays, but for the times */
    fine("PutScheduledAction", ID ",\"ScheduledActionName\":\"a\",\"ScalableTargetAction\":{\"MaxCapacity\":5}");
    fine("DescribeScheduledActions", OF_LAMBDA);
    action = item("ScheduledActions", 0);
    assert_string_equal(text_of(action, "Schedule"), "cron(0 9 ? * MON-FRI *)");
    assert_null(cJSON_GetObjectItem(action, "EndTime"));
    assert_null(cJSON_GetObjectItem(cJSON_GetObjectItem(action, "ScalableTargetAction"), "MinCapacity"));
    fine("DeleteScheduledAction", ID ",\"ScheduledActionName\":\"a\"");
    refused("DeleteScheduledAction", ID ",\"ScheduledActionName\":\"a\"", "ObjectNotFoundException", "No scheduled action found");
}

static void actions_that_cannot_be_are_refused(void **state)
{
#define PUT(more) ID ",\"ScheduledActionName\":\"a\",\"ScalableTargetAction\":{\"MinCapacity\":3}," more
    (void)state;
    need_server();
    function_one();
    fine("RegisterScalableTarget", ID ",\"MinCapacity\":0,\"MaxCapacity\":10");
    refused("PutScheduledAction", ID ",\"ScheduledActionName\":\"a\"", "ValidationException", "Schedule must be specified");
    refused("PutScheduledAction", PUT("\"Schedule\":\"every day\""), "ValidationException", "Invalid schedule expression");
    refused("PutScheduledAction", PUT("\"Schedule\":\"cron(0 9 * * * *)\""), "ValidationException", "must be ?");
    refused("PutScheduledAction", PUT("\"Schedule\":\"at(2020-01-01T00:00:00)\""), "ValidationException", "never due");
    refused("PutScheduledAction", PUT("\"Schedule\":\"rate(1 day)\",\"EndTime\":1000"), "ValidationException", "never due");
    refused("PutScheduledAction", PUT("\"Schedule\":\"rate(1 day)\",\"StartTime\":2e9,\"EndTime\":2e9"), "ValidationException", "before EndTime");
    refused("PutScheduledAction", PUT("\"Schedule\":\"rate(1 day)\",\"Timezone\":\"Mars/North\""), "ValidationException", "no time zone Mars/North");
    refused("PutScheduledAction", PUT("\"Schedule\":\"rate(1 day)\",\"Timezone\":\"../../etc/passwd\""), "ValidationException", "no time zone");
    refused("PutScheduledAction", ID ",\"ScheduledActionName\":\"a:b\",\"Schedule\":\"rate(1 day)\"", "ValidationException", "at 'scheduledActionName'");
    refused("PutScheduledAction", ID ",\"ScheduledActionName\":\"a\",\"Schedule\":\"rate(1 day)\"", "ValidationException", "ScalableTargetAction");
    refused("PutScheduledAction", ID ",\"ScheduledActionName\":\"a\",\"Schedule\":\"rate(1 day)\",\"ScalableTargetAction\":{\"MinCapacity\":5,\"MaxCapacity\":2}",
            "ValidationException", "Maximum capacity");
#undef PUT
}

static void lists_come_in_pages(void **state)
{
    CLEANUP(freep) char *token = NULL;
    int i, seen = 0, pages = 0;

    (void)state;
    need_server();
    function_one();
    fine("RegisterScalableTarget", ID ",\"MinCapacity\":0,\"MaxCapacity\":10");
    fine("RegisterScalableTarget", "\"ServiceNamespace\":\"lambda\",\"ResourceId\":\"function:one:1\",\"ScalableDimension\":"
         "\"lambda:function:ProvisionedConcurrency\",\"MinCapacity\":0,\"MaxCapacity\":10");
    for (i = 0; i < 7; i++) {
        CLEANUP(freep)
        char *input = str_printf("\"ServiceNamespace\":\"lambda\",\"ResourceId\":\"function:one:%s\",\"ScalableDimension\":"
                                 "\"lambda:function:ProvisionedConcurrency\",\"ScheduledActionName\":\"action %d\","
                                 "\"Schedule\":\"rate(%d days)\",\"ScalableTargetAction\":{\"MinCapacity\":3}",
                                 i % 2 ? "live" : "1", 9 - i, i + 1);

        fine("PutScheduledAction", input);
    }
    do {
        CLEANUP(freep)
        char *input = token ? str_printf(OF_LAMBDA ",\"MaxResults\":2,\"NextToken\":\"%s\"", token)
                            : str_dup(STR(OF_LAMBDA ",\"MaxResults\":2"));

        fine("DescribeScheduledActions", input);
        assert_true(items("ScheduledActions") <= 2);
        seen += items("ScheduledActions");
        pages++;
        free(token);
        token = *member("NextToken") ? str_dup(str_of(member("NextToken"))) : NULL;
    } while (token && pages < 10);
    assert_int_equal(seen, 7);
    assert_int_equal(pages, 4);
    fine("DescribeScalableTargets", OF_LAMBDA ",\"MaxResults\":1");
    assert_string_equal(text_of(item("ScalableTargets", 0), "ResourceId"), "function:one:1");
    {
        CLEANUP(freep) char *input = str_printf(OF_LAMBDA ",\"NextToken\":\"%s\"", member("NextToken"));

        fine("DescribeScalableTargets", input);
        assert_int_equal(items("ScalableTargets"), 1);
        assert_string_equal(text_of(item("ScalableTargets", 0), "ResourceId"), RESOURCE);
    }
    refused("DescribeScalableTargets", OF_LAMBDA ",\"NextToken\":\"!\"", "InvalidNextTokenException", "invalid");
    refused("DescribeScalableTargets", OF_LAMBDA ",\"NextToken\":\"eHh4\"", "InvalidNextTokenException", "invalid");
    refused("DescribeScalableTargets", OF_LAMBDA ",\"MaxResults\":51", "ValidationException", "MaxResults");
    refused("DescribeScalingPolicies", OF_LAMBDA ",\"ScalableDimension\":\"lambda:function:ProvisionedConcurrency\"", "ValidationException", "resource ID must");
}

/* ---- what the leader does ---- */

static void a_capacity_outside_the_bounds_is_brought_between_them(void **state)
{
    const cJSON *activity;

    (void)state;
    need_server();
    function_one();
    fine("RegisterScalableTarget", ID ",\"MinCapacity\":2,\"MaxCapacity\":5");
    wait_requested(2);
    activity = wait_activity("Successful", "minimum capacity was set to 2");
    assert_string_equal(text_of(activity, "Description"), "Setting provisioned concurrency to 2.");
    assert_true(number_of(activity, "EndTime") >= number_of(activity, "StartTime"));
    fine("RegisterScalableTarget", ID ",\"MinCapacity\":0,\"MaxCapacity\":1");
    wait_requested(1);
    fine("RegisterScalableTarget", ID ",\"MaxCapacity\":0");
    wait_requested(0);
    wait_activity("Successful", "maximum capacity was set to 0");
    world_check("after scaling");
}

static void what_lambda_refuses_is_a_failed_activity(void **state)
{
    const cJSON *activity;

    (void)state;
    need_server();
    function_one();
    fine("RegisterScalableTarget", ID ",\"MinCapacity\":2000,\"MaxCapacity\":3000");
    activity = wait_activity("Failed", "minimum capacity was set to 2000");
    assert_string_equal(text_of(activity, "StatusMessage"),
                        "Failed to set provisioned concurrency to 2000. Reason: Specified ConcurrentExecutions for "
                        "function is greater than account's unreserved concurrency [1000].");
    assert_int_equal(requested(), 0);
}

static void a_capacity_that_does_not_come_is_told(void **state)
{
    (void)state;
    need_server();
    peer.fails_to_provision = true;
    function_one();
    fine("RegisterScalableTarget", ID ",\"MinCapacity\":2,\"MaxCapacity\":5");
    assert_non_null(strstr(text_of(wait_activity("Unfulfilled", "minimum capacity"), "StatusMessage"), "FUNCTION_ERROR_INIT_FAILURE"));
}

static void a_scheduled_action_runs_once_when_it_is_due(void **state)
{
    time_t at = (time_t)(wall_ms() / 1000) + 1;
    char when[32];
    struct tm tm;

    (void)state;
    need_server();
    function_one();
    gmtime_r(&at, &tm);
    strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
    fine("RegisterScalableTarget", ID ",\"MinCapacity\":1,\"MaxCapacity\":5");
    {
        CLEANUP(freep)
        char *input = str_printf(ID ",\"ScheduledActionName\":\"up\",\"Schedule\":\"at(%s)\",\"ScalableTargetAction\":"
                                    "{\"MinCapacity\":7,\"MaxCapacity\":9}", when);

        fine("PutScheduledAction", input);
    }
    wait_requested(1);
    wait_requested(7);
    assert_true(wall_ms() / 1000 >= (uint64_t)at);
    wait_activity("Successful", "minimum capacity was set to 7");
    assert_string_equal(text_of(item("ScalingActivities", 1), "Cause"), "scheduled action name up was triggered");
    assert_string_equal(text_of(item("ScalingActivities", 1), "StatusMessage"),
                        "Successfully set min capacity to 7 and max capacity to 9");
    fine("DescribeScalableTargets", OF_LAMBDA);
    assert_int_equal((int)number_of(item("ScalableTargets", 0), "MinCapacity"), 7);
    fine("DescribeScalingActivities", ID);
    assert_int_equal(items("ScalingActivities"), 3);
}

/* The controller is away when it is due: the next one makes up for it, once. */
static void what_was_due_while_nobody_led_is_made_up_for(void **state)
{
    (void)state;
    need_server();
    function_one();
    fine("RegisterScalableTarget", ID ",\"MinCapacity\":0,\"MaxCapacity\":9");
    fine("PutScheduledAction", ID ",\"ScheduledActionName\":\"up\",\"Schedule\":\"rate(1 minute)\",\"ScalableTargetAction\":{\"MinCapacity\":4}");
    /* as if it had been written an hour ago: by a document that says so */
    assert_string_equal(WORLD("EVAL",
                              "local d = cjson.decode(redis.call('HGET', KEYS[1], ARGV[1]))\n"
                              "d.actions.up.modified = d.actions.up.modified - 3600\n"
                              "redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(d))\n"
                              "return 'done'",
                              "1", PREFIX "scaling:targets", RESOURCE), "done");
    controller_again();
    wait_requested(4);
    do /* it is written down when it has been done */
        fine("DescribeScalingActivities", ID);
    while (items("ScalingActivities") < 2);
    assert_int_equal(items("ScalingActivities"), 2); /* one of sixty times, and the change */
}

static void suspended_actions_do_nothing(void **state)
{
    (void)state;
    need_server();
    function_one();
    fine("RegisterScalableTarget", ID ",\"MinCapacity\":0,\"MaxCapacity\":9,\"SuspendedState\":{\"ScheduledScalingSuspended\":true}");
    fine("PutScheduledAction", ID ",\"ScheduledActionName\":\"up\",\"Schedule\":\"rate(1 minute)\",\"ScalableTargetAction\":{\"MinCapacity\":4}");
    assert_string_equal(WORLD("EVAL",
                              "local d = cjson.decode(redis.call('HGET', KEYS[1], ARGV[1]))\n"
                              "d.actions.up.modified = d.actions.up.modified - 3600\n"
                              "redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(d))\n"
                              "return 'done'",
                              "1", PREFIX "scaling:targets", RESOURCE), "done");
    controller_again();
    while (!strstr(WORLD("HGET", PREFIX "scaling:targets", RESOURCE), "\"last\""))
        fine("DescribeScalableTargets", OF_LAMBDA);
    fine("DescribeScalingActivities", ID);
    assert_int_equal(items("ScalingActivities"), 0);
    assert_int_equal(requested(), 0);
}

static void a_target_that_is_exceeded_scales_out_and_in(void **state)
{
    (void)state;
    need_server();
    function_one();
    fine("RegisterScalableTarget", ID ",\"MinCapacity\":2,\"MaxCapacity\":10");
    wait_activity("Successful", "minimum capacity");
    peer.used = 2;
    fine("PutScalingPolicy", ID ",\"PolicyName\":\"p\"," TRACKING(""));
    wait_requested(3); /* 2 * 1.0 / 0.7 */
    wait_activity("Successful", "is above the target 0.7 of policy p");
    assert_true(peer.usages >= 3);
    peer.used = 5;
    wait_requested(8); /* 5 of 3: for a moment; then 5 / 0.7 */
    peer.used = 0;
    wait_requested(2);
    wait_activity("Successful", "is below the target 0.7 of policy p");
    world_check("after tracking");
}

static void what_is_not_known_scales_nothing(void **state)
{
    unsigned asked;

    (void)state;
    need_server();
    function_one();
    fine("RegisterScalableTarget", ID ",\"MinCapacity\":1,\"MaxCapacity\":10");
    wait_requested(1);
    assert_int_equal(lambda("PUT", PROVISIONED "/one/provisioned-concurrency", "Qualifier=live",
                            "{\"ProvisionedConcurrentExecutions\":5}"), 202);
    peer.used = -1; /* the gateway does not say */
    fine("PutScalingPolicy", ID ",\"PolicyName\":\"p\"," TRACKING(""));
    asked = peer.usages;
    wait_until(&peer.usages, asked + 18);
    assert_int_equal(requested(), 5);
    peer.used = 0;
    fine("RegisterScalableTarget", ID ",\"SuspendedState\":{\"DynamicScalingInSuspended\":true}");
    asked = peer.usages;
    wait_until(&peer.usages, asked + 18);
    assert_int_equal(requested(), 5);
    fine("RegisterScalableTarget", ID ",\"SuspendedState\":{\"DynamicScalingInSuspended\":false}");
    wait_requested(1);
}

static void a_target_outlives_its_function_and_does_no_harm(void **state)
{
    (void)state;
    need_server();
    function_one();
    fine("RegisterScalableTarget", ID ",\"MinCapacity\":0,\"MaxCapacity\":9");
    fine("PutScalingPolicy", ID ",\"PolicyName\":\"p\"," TRACKING(""));
    assert_int_equal(lambda("DELETE", FN "/one", "", ""), 204);
    fine("DescribeScalableTargets", OF_LAMBDA);
    assert_int_equal(items("ScalableTargets"), 1);
    refused("RegisterScalableTarget", ID ",\"MinCapacity\":3", "ValidationException", "Function not found");
    fine("DeregisterScalableTarget", ID);
    assert_string_equal(WORLD("KEYS", PREFIX "scaling:*"), "");
}

#ifdef HEARTH_FAULT_POINTS
/* Until Redis is there again; what was done although its answer was lost is not there to be done again. */
static void insist(const char *operation, const char *inside)
{
    uint64_t end = now_us() + WAIT_US;

    while (scaling(operation, inside) == 503)
        if (now_us() > end)
            fail_msg("%s: %s", operation, member("Message"));
    if (got.status != 200 && strcmp(got.error_type, "ObjectNotFoundException") != 0)
        fail_msg("%s: %d %s %s", operation, got.status, got.error_type, member("Message"));
}

/* One command of Redis after the other fails, a client's or the scaler's: all is done in the end. */
static void commands_that_fail_cost_time_only(void **state)
{
    static const enum redis_fault kinds[] = {REDIS_FAULT_REFUSE, REDIS_FAULT_LOSE};
    unsigned kind, n;

    (void)state;
    need_server();
    function_one();
    for (kind = 0; kind < ARRAY_LEN(kinds); kind++) {
        for (n = 1; n <= 20; n++) {
            redis_fault_arm(kinds[kind], n);
            insist("RegisterScalableTarget", ID ",\"MinCapacity\":2,\"MaxCapacity\":5");
            insist("PutScalingPolicy", ID ",\"PolicyName\":\"p\"," TRACKING(",\"DisableScaleIn\":true"));
            insist("PutScheduledAction", ID ",\"ScheduledActionName\":\"a\",\"Schedule\":\"rate(1 day)\","
                   "\"ScalableTargetAction\":{\"MinCapacity\":3}");
            insist("DescribeScheduledActions", OF_LAMBDA);
            wait_requested(2);
            insist("RegisterScalableTarget", ID ",\"MinCapacity\":0,\"MaxCapacity\":0");
            wait_requested(0);
            insist("DeregisterScalableTarget", ID);
            redis_fault_arm(kinds[kind], 0);
            world_check("after a command that failed");
            assert_string_equal(WORLD("KEYS", PREFIX "scaling:*"), "");
        }
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_target_is_registered_shown_changed_and_gone),
        WORLD_TEST(tags_belong_to_a_target),
        WORLD_TEST(what_cannot_be_scaled_is_refused),
        WORLD_TEST(a_policy_follows_its_target),
        WORLD_TEST(policies_that_nothing_here_could_follow_are_refused),
        WORLD_TEST(actions_are_kept_as_they_were_put),
        WORLD_TEST(actions_that_cannot_be_are_refused),
        WORLD_TEST(lists_come_in_pages),
        WORLD_TEST(a_capacity_outside_the_bounds_is_brought_between_them),
        WORLD_TEST(what_lambda_refuses_is_a_failed_activity),
        WORLD_TEST(a_capacity_that_does_not_come_is_told),
        WORLD_TEST(a_scheduled_action_runs_once_when_it_is_due),
        WORLD_TEST(what_was_due_while_nobody_led_is_made_up_for),
        WORLD_TEST(suspended_actions_do_nothing),
        WORLD_TEST(a_target_that_is_exceeded_scales_out_and_in),
        WORLD_TEST(what_is_not_known_scales_nothing),
        WORLD_TEST(a_target_outlives_its_function_and_does_no_harm),
#ifdef HEARTH_FAULT_POINTS
        WORLD_TEST(commands_that_fail_cost_time_only),
#endif
    };

    log_begin("scaling_test");
    cjson_abort_without_memory();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
