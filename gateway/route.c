/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/route.h"

#include <stdlib.h>
#include <string.h>

#include "common/model/lambda_input.h"

#define MEMORY_MIB_LEAST 128
void route_done(struct route *route)
{
    size_t i;

    for (i = 0; i < route->targets_len; i++) {
        free(route->targets[i].version);
        free(route->targets[i].state);
        lease_pool_unref(route->targets[i].pool);
    }
    free(route->arn);
    fn_admission_unref(route->admission);
    memset(route, 0, sizeof(*route));
}

void route_copy(const struct route *route, struct route *ret)
{
    size_t i;

    *ret = *route;
    ret->arn = str_dup(str_of(route->arn));
    ret->admission = fn_admission_ref(route->admission);
    for (i = 0; i < route->targets_len; i++) {
        ret->targets[i].version = str_dup(str_of(route->targets[i].version));
        ret->targets[i].state = str_dup(str_of(route->targets[i].state));
        lease_pool_ref(route->targets[i].pool);
    }
}

/* ---- reading ---- */

static bool read_target(const cJSON *json, struct route_target *ret)
{
    struct str version = cjson_str(json, "version"), state = cjson_str(json, "state");
    const cJSON *weight = cJSON_GetObjectItemCaseSensitive(json, "weight");
    uint64_t memory_mib = MEMORY_MIB_LEAST; /* from a controller that does not say */

    if (version.len == 0 || state.len == 0 || !cjson_get_u64(json, "generation", &ret->generation) ||
        !cjson_get_u64(json, "timeout_s", &ret->timeout_s) || !cJSON_IsNumber(weight) ||
        !(weight->valuedouble >= 0 && weight->valuedouble <= 1))
        return false;
    if (cjson_get_u64(json, "memory_mib", &memory_mib) && memory_mib > UINT32_MAX)
        return false;
    ret->memory_mib = (uint32_t)memory_mib;
    ret->weight = weight->valuedouble;
    ret->is_provisioned = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "provisioned"));
    ret->version = str_dup(version);
    ret->state = str_dup(state);
    return true;
}

int route_read(const cJSON *ok, struct route *ret, struct error *err)
{
    const cJSON *targets = cJSON_GetObjectItemCaseSensitive(ok, "targets"), *item;
    struct str arn = cjson_str(ok, "arn");
    struct route route = {0};
    bool good = arn.len > 0 && cJSON_IsArray(targets);

    cJSON_ArrayForEach (item, targets) {
        good = good && route.targets_len < ROUTE_TARGETS_MAX &&
               read_target(item, &route.targets[route.targets_len]);
        route.targets_len += good;
    }
    if (!good || route.targets_len == 0) {
        route_done(&route);
        return error_set(err, ERR_INTERNAL, "The controller's answer is malformed.");
    }
    route.arn = str_dup(arn);
    route.limits.has_reserved = cjson_get_u64(ok, "reserved", &route.limits.reserved);
    route.limits.has_unreserved = cjson_get_u64(ok, "unreserved", &route.limits.unreserved);
    *ret = route;
    return 0;
}

/* ---- targets ---- */

bool route_target_is_active(const struct route_target *target)
{
    return strcmp(target->state, "Active") == 0;
}

bool route_is_active(const struct route *route)
{
    size_t i;

    for (i = 0; i < route->targets_len; i++)
        if (!route_target_is_active(&route->targets[i]))
            return false;
    return true;
}

struct route_target *route_find_target(struct route *route, const char *version)
{
    size_t i;

    for (i = 0; i < route->targets_len; i++)
        if (strcmp(route->targets[i].version, version) == 0)
            return &route->targets[i];
    return NULL;
}

struct route_target *route_choose(struct route *route, double unit)
{
    size_t i;

    for (i = 1; i < route->targets_len; i++) {
        if (unit < route->targets[i].weight)
            return &route->targets[i];
        unit -= route->targets[i].weight;
    }
    return &route->targets[0];
}
