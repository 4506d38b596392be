/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/scaling/actions.h"

#include <math.h>

#include "common/model/lambda_input.h"
#include "common/proto/schedule.h"
#include "controller/scaling/scaling_store.h"

struct plan {
    struct schedule schedule;
    struct schedule_span span;
    const struct tz *tz;
};

/* False: a zone that is not on this machine, or a document that a later version has written. */
static bool read_plan(struct zones *zones, const cJSON *action, struct plan *ret)
{
    *ret = (struct plan){
        .span = {.created = (int64_t)scaling_number(action, "modified", 0),
                 .has_start = cJSON_HasObjectItem(action, "start"),
                 .has_end = cJSON_HasObjectItem(action, "end"),
                 .start = (int64_t)ceil(scaling_number(action, "start", 0)),
                 .end = (int64_t)floor(scaling_number(action, "end", 0))}};
    return schedule_parse(cjson_str(action, "schedule"), &ret->schedule, NULL) == 0 &&
           zones_get(zones, cjson_str(action, "timezone"), &ret->tz, NULL) == 0;
}

/* What it was due at, or when it was written. */
static int64_t last_of(const cJSON *action)
{
    return (int64_t)scaling_number(action, "last", scaling_number(action, "modified", 0));
}

bool action_next(struct zones *zones, const cJSON *action, int64_t after, int64_t *ret)
{
    struct plan plan;

    return read_plan(zones, action, &plan) &&
           schedule_next(&plan.schedule, plan.tz, &plan.span, after, ret);
}

bool action_is_due(struct zones *zones, const cJSON *action, int64_t now, int64_t *ret)
{
    struct plan plan;

    return read_plan(zones, action, &plan) &&
           schedule_latest(&plan.schedule, plan.tz, &plan.span, last_of(action), now, ret);
}

const cJSON *actions_due(struct zones *zones, const cJSON *actions, int64_t now, int64_t *ret)
{
    const cJSON *action, *found = NULL;
    int64_t at;

    cJSON_ArrayForEach(action, actions)
    {
        if (!action_is_due(zones, action, now, &at) || (found && at >= *ret))
            continue;
        found = action;
        *ret = at;
    }
    return found;
}

bool actions_next(struct zones *zones, const cJSON *actions, int64_t now, int64_t *ret)
{
    const cJSON *action;
    bool found = false;
    int64_t at;

    cJSON_ArrayForEach(action, actions)
    {
        if (action_is_due(zones, action, now, &at))
            at = now;
        else if (!action_next(zones, action, now, &at))
            continue;
        if (!found || at < *ret)
            *ret = at;
        found = true;
    }
    return found;
}
