/* SPDX-License-Identifier: Apache-2.0 */
/* Scaling policies: target tracking of what is in use of a version's provisioned concurrency. */
#include <stdlib.h>

#include "common/base/id.h"
#include "common/model/lambda_input.h"
#include "controller/scaling/scaling.h"

/* What of the input is not offered, or contradicts itself. */
static int check_kind(struct scaling_request *req, const cJSON *policy)
{
    struct str type = cjson_str(req->input, "PolicyType");
    const cJSON *tracking = scaling_member(req, "TargetTrackingScalingPolicyConfiguration");

    if ((type.ptr && !str_is(type, "TargetTrackingScaling")) || (!type.ptr && !policy) ||
        scaling_member(req, "StepScalingPolicyConfiguration") ||
        scaling_member(req, "PredictiveScalingPolicyConfiguration"))
        return scaling_refuse(req, SCALING_ValidationException,
                              "Hearth scales by policies of PolicyType TargetTrackingScaling only: StepScaling "
                              "needs CloudWatch alarms, PredictiveScaling forecasts, and it has neither.");
    if (!tracking)
        return scaling_refuse(req, SCALING_ValidationException,
                              "TargetTrackingScalingPolicyConfiguration must be specified");
    return 0;
}

static int check_metric(struct scaling_request *req, const cJSON *tracking)
{
    const cJSON *metric = cJSON_GetObjectItemCaseSensitive(tracking, "PredefinedMetricSpecification");

    if (cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(tracking, "CustomizedMetricSpecification")))
        return scaling_refuse(req, SCALING_ValidationException,
                              "CustomizedMetricSpecification is not offered: Hearth has no CloudWatch whose metrics "
                              "it could follow. Use PredefinedMetricType " SCALING_METRIC ".");
    if (!str_is(cjson_str(metric, "PredefinedMetricType"), SCALING_METRIC))
        return scaling_refuse(req, SCALING_ValidationException,
                              "The PredefinedMetricType of " SCALING_DIMENSION " must be " SCALING_METRIC);
    if (cJSON_IsString(cJSON_GetObjectItemCaseSensitive(metric, "ResourceLabel")))
        return scaling_refuse(req, SCALING_ValidationException,
                              "ResourceLabel must not be specified for " SCALING_METRIC);
    return 0;
}

static int check_values(struct scaling_request *req, const cJSON *tracking)
{
    static const char *const cooldowns[] = {"ScaleOutCooldown", "ScaleInCooldown"};
    double target = scaling_number(tracking, "TargetValue", 0);
    size_t i;

    if (!(target > 0 && target <= 1))
        return scaling_refuse(req, SCALING_ValidationException,
                              "TargetValue must be greater than 0 and not greater than 1 for " SCALING_METRIC);
    for (i = 0; i < ARRAY_LEN(cooldowns); i++)
        if (scaling_number(tracking, cooldowns[i], 0) < 0)
            return scaling_refuse(req, SCALING_ValidationException, "%s cannot be less than 0", cooldowns[i]);
    return 0;
}

/* A second policy would follow the same metric. */
static int check_alone(struct scaling_request *req, const cJSON *policies, const char *name)
{
    const cJSON *other;

    cJSON_ArrayForEach(other, policies)
        if (!str_is(str_of(name), other->string))
            return scaling_refuse(req, SCALING_ValidationException,
                                  "Only one TargetTrackingScaling policy for a given metric specification is allowed.");
    return 0;
}

/* Takes the member @name of the input's @from over as @kept, as it is. */
static void take(cJSON *to, const char *kept, const cJSON *from, const char *name)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(from, name);

    if (value && !cJSON_IsNull(value))
        cJSON_AddItemToObject(to, kept, cJSON_Duplicate(value, 1));
}

/* @old: the policy of that name, NULL: there was none. */
static cJSON *policy_new(const char *name, const cJSON *old, const cJSON *tracking)
{
    cJSON *policy = cJSON_CreateObject();
    char guid[UUID_MAX];

    uuid_make(guid);
    cJSON_AddStringToObject(policy, "name", name);
    if (old) {
        take(policy, "guid", old, "guid");
        take(policy, "created", old, "created");
    } else {
        cJSON_AddStringToObject(policy, "guid", guid);
        cJSON_AddNumberToObject(policy, "created", scaling_now());
    }
    take(policy, "target", tracking, "TargetValue");
    take(policy, "out_cooldown", tracking, "ScaleOutCooldown");
    take(policy, "in_cooldown", tracking, "ScaleInCooldown");
    take(policy, "no_in", tracking, "DisableScaleIn");
    return policy;
}

int scaling_put_policy(struct scaling_request *req, cJSON **doc)
{
    const cJSON *tracking = scaling_member(req, "TargetTrackingScalingPolicyConfiguration");
    const char *name = cJSON_GetStringValue(scaling_member(req, "PolicyName"));
    cJSON *policies, *policy;
    const cJSON *old;
    int r;

    if (!*doc)
        return scaling_not_registered(req);
    policies = scaling_object(*doc, "policies");
    old = cJSON_GetObjectItemCaseSensitive(policies, name);
    r = check_kind(req, old);
    if (r == 0)
        r = check_metric(req, tracking);
    if (r == 0)
        r = check_values(req, tracking);
    if (r == 0)
        r = check_alone(req, policies, name);
    if (r < 0)
        return r;
    policy = policy_new(name, old, tracking);
    {
        CLEANUP(freep)
        char *arn = scaling_policy_arn(req->c->config->region, req->account, req->resource, policy);

        req->answer = cJSON_CreateObject();
        cJSON_AddStringToObject(req->answer, "PolicyARN", arn);
        cJSON_AddArrayToObject(req->answer, "Alarms");
    }
    scaling_put_sorted(policies, name, policy);
    return 1;
}

int scaling_delete_policy(struct scaling_request *req, cJSON **doc)
{
    const char *name = cJSON_GetStringValue(scaling_member(req, "PolicyName"));
    cJSON *policies = *doc ? scaling_object(*doc, "policies") : NULL;

    if (!cJSON_GetObjectItemCaseSensitive(policies, name))
        return scaling_refuse(req, SCALING_ObjectNotFoundException,
                              "No scaling policy found for service namespace: " SCALING_NAMESPACE
                              ", resource ID: %s, scalable dimension: " SCALING_DIMENSION ", policy name: %s",
                              req->resource, name);
    cJSON_DeleteItemFromObjectCaseSensitive(policies, name);
    return 1;
}
