/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/image_config.h"

#include <stdlib.h>

const char *image_config_string(const cJSON *json, const char *key)
{
    const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, key));

    return s ? s : "";
}

static char **strings_new(const cJSON *items)
{
    char **strings = calloc((size_t)cJSON_GetArraySize(items) + 1, sizeof(*strings));

    if (!strings)
        abort();
    return strings;
}

/* The strings of an array, borrowed; NULL or no array gives none. */
static char **strings_in(const cJSON *json, const char *key)
{
    const cJSON *array = cJSON_GetObjectItemCaseSensitive(json, key), *item;
    char **strings = strings_new(array);
    size_t n = 0;

    cJSON_ArrayForEach(item, array)
    {
        if (cJSON_IsString(item))
            strings[n++] = item->valuestring;
    }
    return strings;
}

/* The names of an object's members, borrowed. */
static char **names_in(const cJSON *json, const char *key)
{
    const cJSON *object = cJSON_GetObjectItemCaseSensitive(json, key), *item;
    char **names = strings_new(object);
    size_t n = 0;

    cJSON_ArrayForEach(item, object)
    {
        if (item->string)
            names[n++] = item->string;
    }
    return names;
}

void image_config_borrow(const cJSON *config, struct image_info *info)
{
    info->entry_point = strings_in(config, "Entrypoint");
    info->command = strings_in(config, "Cmd");
    info->env = strings_in(config, "Env");
    info->volumes = names_in(config, "Volumes");
    info->working_directory = (char *)image_config_string(config, "WorkingDir");
}

void image_config_done(struct image_info *info)
{
    free(info->entry_point);
    free(info->command);
    free(info->env);
    free(info->volumes);
}
