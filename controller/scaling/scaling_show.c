/* SPDX-License-Identifier: Apache-2.0 */
/* How documents of scaling_store.h are shown by the API. */
#include <stdlib.h>

#include "common/model/lambda_input.h"
#include "controller/scaling/scaling.h"

/* The role that AWS makes for the service; there is nothing behind it here. */
#define ROLE                                                                                       \
    "arn:aws:iam::%s:role/aws-service-role/lambda.application-autoscaling.amazonaws.com/"          \
    "AWSServiceRoleForApplicationAutoScaling_LambdaConcurrency"

static const char *text(const cJSON *doc, const char *name)
{
    const char *value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(doc, name));

    return value ? value : "";
}

/* Adds the member @name of @doc as @shown, if it is there. */
static void copy(cJSON *to, const char *shown, const cJSON *doc, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(doc, name);

    if (item)
        cJSON_AddItemToObject(to, shown, cJSON_Duplicate(item, 1));
}

static cJSON *begin(const char *resource)
{
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "ServiceNamespace", SCALING_NAMESPACE);
    cJSON_AddStringToObject(json, "ResourceId", resource);
    cJSON_AddStringToObject(json, "ScalableDimension", SCALING_DIMENSION);
    return json;
}

char *scaling_target_arn(const char *region, const char *account, const cJSON *doc)
{
    return str_printf("arn:aws:application-autoscaling:%s:%s:scalable-target/%s", region, account,
                      text(doc, "id"));
}

char *scaling_policy_arn(const char *region, const char *account, const char *resource,
                         const cJSON *policy)
{
    return str_printf("arn:aws:autoscaling:%s:%s:scalingPolicy:%s:resource/" SCALING_NAMESPACE
                      "/%s:policyName/%s",
                      region, account, text(policy, "guid"), resource, text(policy, "name"));
}

cJSON *scaling_show_target(const char *region, const char *account, const char *resource,
                           const cJSON *doc)
{
    static const char *const names[][2] = {{"DynamicScalingInSuspended", "in"},
                                           {"DynamicScalingOutSuspended", "out"},
                                           {"ScheduledScalingSuspended", "scheduled"}};
    const cJSON *state = cJSON_GetObjectItemCaseSensitive(doc, "suspended");
    CLEANUP(freep) char *arn = scaling_target_arn(region, account, doc);
    CLEANUP(freep) char *role = str_printf(ROLE, account);
    cJSON *json = begin(resource), *suspended;
    size_t i;

    copy(json, "MinCapacity", doc, "min");
    copy(json, "MaxCapacity", doc, "max");
    cJSON_AddStringToObject(json, "RoleARN", role);
    copy(json, "CreationTime", doc, "created");
    suspended = cJSON_AddObjectToObject(json, "SuspendedState");
    for (i = 0; i < ARRAY_LEN(names); i++)
        cJSON_AddBoolToObject(suspended, names[i][0],
                              cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(state, names[i][1])));
    cJSON_AddStringToObject(json, "ScalableTargetARN", arn);
    return json;
}

cJSON *scaling_show_policy(const char *region, const char *account, const char *resource,
                           const cJSON *policy)
{
    CLEANUP(freep) char *arn = scaling_policy_arn(region, account, resource, policy);
    cJSON *json = begin(resource), *tracking, *metric;

    cJSON_AddStringToObject(json, "PolicyARN", arn);
    copy(json, "PolicyName", policy, "name");
    cJSON_AddStringToObject(json, "PolicyType", "TargetTrackingScaling");
    tracking = cJSON_AddObjectToObject(json, "TargetTrackingScalingPolicyConfiguration");
    copy(tracking, "TargetValue", policy, "target");
    metric = cJSON_AddObjectToObject(tracking, "PredefinedMetricSpecification");
    cJSON_AddStringToObject(metric, "PredefinedMetricType", SCALING_METRIC);
    copy(tracking, "ScaleOutCooldown", policy, "out_cooldown");
    copy(tracking, "ScaleInCooldown", policy, "in_cooldown");
    copy(tracking, "DisableScaleIn", policy, "no_in");
    cJSON_AddArrayToObject(json, "Alarms"); /* there is no CloudWatch that could show them */
    copy(json, "CreationTime", policy, "created");
    return json;
}

cJSON *scaling_show_action(const char *region, const char *account, const char *resource,
                           const cJSON *action)
{
    CLEANUP(freep)
    char *arn = str_printf("arn:aws:autoscaling:%s:%s:scheduledAction:%s:resource/" SCALING_NAMESPACE
                           "/%s:scheduledActionName/%s",
                           region, account, text(action, "guid"), resource, text(action, "name"));
    cJSON *json = begin(resource), *bounds;

    copy(json, "ScheduledActionName", action, "name");
    cJSON_AddStringToObject(json, "ScheduledActionARN", arn);
    copy(json, "Schedule", action, "schedule");
    copy(json, "Timezone", action, "timezone");
    copy(json, "StartTime", action, "start");
    copy(json, "EndTime", action, "end");
    bounds = cJSON_AddObjectToObject(json, "ScalableTargetAction");
    copy(bounds, "MinCapacity", action, "min");
    copy(bounds, "MaxCapacity", action, "max");
    copy(json, "CreationTime", action, "created");
    return json;
}

cJSON *scaling_show_activity(const char *resource, const cJSON *activity)
{
    cJSON *json = begin(resource);

    copy(json, "ActivityId", activity, "id");
    copy(json, "Description", activity, "description");
    copy(json, "Cause", activity, "cause");
    copy(json, "StartTime", activity, "started");
    copy(json, "EndTime", activity, "ended");
    copy(json, "StatusCode", activity, "status");
    copy(json, "StatusMessage", activity, "message");
    return json;
}
