/* SPDX-License-Identifier: Apache-2.0 */
/* Scheduled actions. */
#include <stdlib.h>

#include "common/base/id.h"
#include "common/model/lambda_input.h"
#include "common/proto/schedule.h"
#include "controller/scaling/actions.h"
#include "controller/scaling/scaler.h"
#include "controller/scaling/scaling.h"

/* Puts the member @name of @from under @kept, in place of what is there. */
static void take(cJSON *to, const char *kept, const cJSON *from, const char *name)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(from, name);

    if (!value || cJSON_IsNull(value))
        return;
    cJSON_DeleteItemFromObjectCaseSensitive(to, kept);
    cJSON_AddItemToObject(to, kept, cJSON_Duplicate(value, 1));
}

/* Puts the input into @action: what it does not say stays, but for the times and both bounds. */
static void take_input(const struct scaling_request *req, cJSON *action)
{
    const cJSON *bounds = scaling_member(req, "ScalableTargetAction");

    take(action, "schedule", req->input, "Schedule");
    take(action, "timezone", req->input, "Timezone");
    cJSON_DeleteItemFromObjectCaseSensitive(action, "start");
    cJSON_DeleteItemFromObjectCaseSensitive(action, "end");
    take(action, "start", req->input, "StartTime");
    take(action, "end", req->input, "EndTime");
    if (bounds) {
        cJSON_DeleteItemFromObjectCaseSensitive(action, "min");
        cJSON_DeleteItemFromObjectCaseSensitive(action, "max");
        take(action, "min", bounds, "MinCapacity");
        take(action, "max", bounds, "MaxCapacity");
    }
    cJSON_DeleteItemFromObjectCaseSensitive(action, "last");
    cJSON_DeleteItemFromObjectCaseSensitive(action, "modified");
    cJSON_AddNumberToObject(action, "modified", scaling_now());
}

static int check_bounds(struct scaling_request *req, const cJSON *action)
{
    double min = scaling_number(action, "min", 0);
    double max = scaling_number(action, "max", min);

    if (!cJSON_HasObjectItem(action, "min") && !cJSON_HasObjectItem(action, "max"))
        return scaling_refuse(req, SCALING_ValidationException,
                              "ScalableTargetAction must have a MinCapacity, a MaxCapacity or both");
    if (min < 0 || max < 0)
        return scaling_refuse(req, SCALING_ValidationException, "%s cannot be less than 0",
                              min < 0 ? "MinCapacity" : "MaxCapacity");
    if (cJSON_HasObjectItem(action, "max") && min > max)
        return scaling_refuse(req, SCALING_ValidationException,
                              "Maximum capacity cannot be less than minimum capacity");
    return 0;
}

static int check_times(struct scaling_request *req, const cJSON *action)
{
    struct zones *zones = scaler_zones(req->c->scaler);
    struct schedule schedule;
    const struct tz *tz;
    struct error err;
    int64_t at;

    if (!cJSON_HasObjectItem(action, "schedule"))
        return scaling_refuse(req, SCALING_ValidationException,
                              "Schedule must be specified for a new scheduled action");
    if (schedule_parse(cjson_str(action, "schedule"), &schedule, &err) < 0)
        return scaling_refuse(req, SCALING_ValidationException, "Invalid schedule expression: %s", err.msg);
    if (zones_get(zones, cjson_str(action, "timezone"), &tz, &err) < 0)
        return scaling_refuse(req, SCALING_ValidationException, "Invalid timezone: %s", err.msg);
    if (cJSON_HasObjectItem(action, "start") && cJSON_HasObjectItem(action, "end") &&
        scaling_number(action, "start", 0) >= scaling_number(action, "end", 0))
        return scaling_refuse(req, SCALING_ValidationException, "StartTime must be before EndTime");
    if (!action_next(zones, action, (int64_t)scaling_now(), &at))
        return scaling_refuse(req, SCALING_ValidationException,
                              "The schedule is never due: its time, or EndTime, is in the past, or there is no such date");
    return 0;
}

static cJSON *action_new(const char *name)
{
    cJSON *action = cJSON_CreateObject();
    char guid[UUID_MAX];

    uuid_make(guid);
    cJSON_AddStringToObject(action, "name", name);
    cJSON_AddStringToObject(action, "guid", guid);
    cJSON_AddNumberToObject(action, "created", scaling_now());
    return action;
}

int scaling_put_action(struct scaling_request *req, cJSON **doc)
{
    const char *name = cJSON_GetStringValue(scaling_member(req, "ScheduledActionName"));
    cJSON *actions, *action;
    const cJSON *old;
    int r;

    if (!*doc)
        return scaling_not_registered(req);
    actions = scaling_object(*doc, "actions");
    old = cJSON_GetObjectItemCaseSensitive(actions, name);
    if (!old && cJSON_GetArraySize(actions) >= SCALING_ACTIONS_MAX)
        return scaling_refuse(req, SCALING_LimitExceededException,
                              "A scalable target cannot have more than %d scheduled actions.", SCALING_ACTIONS_MAX);
    action = old ? cJSON_Duplicate(old, 1) : action_new(name);
    take_input(req, action);
    r = check_times(req, action);
    if (r == 0)
        r = check_bounds(req, action);
    if (r < 0) {
        cJSON_Delete(action);
        return r;
    }
    scaling_put_sorted(actions, name, action);
    return 1;
}

int scaling_delete_action(struct scaling_request *req, cJSON **doc)
{
    const char *name = cJSON_GetStringValue(scaling_member(req, "ScheduledActionName"));
    cJSON *actions = *doc ? scaling_object(*doc, "actions") : NULL;

    if (!cJSON_GetObjectItemCaseSensitive(actions, name))
        return scaling_refuse(req, SCALING_ObjectNotFoundException,
                              "No scheduled action found for service namespace: " SCALING_NAMESPACE
                              ", resource ID: %s, scalable dimension: " SCALING_DIMENSION
                              ", scheduled action name: %s",
                              req->resource, name);
    cJSON_DeleteItemFromObjectCaseSensitive(actions, name);
    return 1;
}
