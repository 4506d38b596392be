/* SPDX-License-Identifier: Apache-2.0 */
#include "common/model/fn_unoffered.h"

#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/str.h"

/* One setting: a path in the request and the value that means "not used", if it has one. */
struct setting {
    const char *path; /* "TracingConfig.Mode" */
    const char *neutral; /* or NULL: only nothing at all is neutral */
};

static const struct setting settings[] = {
    {"Publish", NULL},
    {"PublishTo", NULL},
    {"VpcConfig", NULL},
    {"DeadLetterConfig", NULL},
    {"KMSKeyArn", NULL},
    {"TracingConfig.Mode", "PassThrough"},
    {"Layers", NULL},
    {"FileSystemConfigs", NULL},
    {"CodeSigningConfigArn", NULL},
    {"SnapStart.ApplyOn", "None"},
    {"LoggingConfig.LogFormat", "Text"},
    {"LoggingConfig.ApplicationLogLevel", NULL},
    {"LoggingConfig.SystemLogLevel", NULL},
    {"TenancyConfig", NULL},
    {"CapacityProviderConfig", NULL},
    {"DurableConfig", NULL},
    {"RuntimeConfig", NULL},
    {"AcceleratorConfig", NULL},
};

static const struct setting source_settings[] = {
    {"S3Bucket", NULL},
    {"S3Key", NULL},
    {"S3ObjectVersion", NULL},
    {"S3ObjectStorageMode", "COPY"},
    {"SourceKMSKeyArn", NULL},
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

static const cJSON *value_at(const cJSON *json, const char *path)
{
    struct str rest = str_of(path), part;
    char name[64];

    while (json && str_split(&rest, '.', &part)) {
        if (part.len >= sizeof(name))
            return NULL;
        memcpy(name, part.ptr, part.len);
        name[part.len] = '\0';
        json = cJSON_GetObjectItemCaseSensitive(json, name);
    }
    return json;
}

static int check(const cJSON *json, const struct setting *table, size_t len, struct error *err)
{
    size_t i;

    for (i = 0; i < len; i++) {
        const cJSON *value = value_at(json, table[i].path);

        if (!fn_is_set(value) || (table[i].neutral && cJSON_IsString(value) &&
                                  strcmp(value->valuestring, table[i].neutral) == 0))
            continue;
        return error_set(err, ERR_UNSUPPORTED,
                         "%s: Hearth does not offer this yet; leave it out or give its neutral "
                         "value%s%s.",
                         table[i].path, table[i].neutral ? " " : "",
                         table[i].neutral ? table[i].neutral : "");
    }
    return 0;
}

int fn_check_offered(const cJSON *input, struct error *err)
{
    return check(input, settings, ARRAY_LEN(settings), err);
}

int fn_check_source_offered(const cJSON *code, struct error *err)
{
    return check(code, source_settings, ARRAY_LEN(source_settings), err);
}
