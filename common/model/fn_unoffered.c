/* SPDX-License-Identifier: Apache-2.0 */
#include "common/model/fn_unoffered.h"

#include "common/base/cleanup.h"

static const char *const unoffered[] = {
    "PublishTo",     "TenancyConfig", "CapacityProviderConfig",
    "DurableConfig", "RuntimeConfig", "AcceleratorConfig",
};

bool fn_is_set(const cJSON *value)
{
    const cJSON *item;

    if (cJSON_IsString(value))
        return value->valuestring[0] != '\0';
    if (cJSON_IsArray(value))
        return value->child != NULL;
    cJSON_ArrayForEach(item, value)
    {
        if (fn_is_set(item))
            return true;
    }
    return cJSON_IsTrue(value) || cJSON_IsNumber(value);
}

int fn_check_offered(const cJSON *input, struct error *err)
{
    size_t i;

    for (i = 0; i < ARRAY_LEN(unoffered); i++)
        if (fn_is_set(cJSON_GetObjectItemCaseSensitive(input, unoffered[i])))
            return error_set(err, ERR_UNSUPPORTED,
                             "%s: Hearth does not offer this yet; leave it out.", unoffered[i]);
    return 0;
}
