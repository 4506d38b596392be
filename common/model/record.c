/* SPDX-License-Identifier: Apache-2.0 */
#include "common/model/record.h"

#include <stdlib.h>
#include <string.h>

int record_opt_str(const cJSON *json, const char *name, char **ret, struct error *err)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(json, name);

    if (!value || cJSON_IsNull(value)) {
        *ret = NULL;
        return 0;
    }
    if (!cJSON_IsString(value))
        return error_set(err, ERR_PROTOCOL, "%s: not a string", name);
    *ret = str_dup(str_of(value->valuestring));
    return 0;
}

int record_str(const cJSON *json, const char *name, char **ret, struct error *err)
{
    char *value;
    int r;

    r = record_opt_str(json, name, &value, err);
    if (r < 0)
        return r;
    if (!value)
        return error_set(err, ERR_PROTOCOL, "%s: missing", name);
    *ret = value;
    return 0;
}

int record_u64(const cJSON *json, const char *name, uint64_t max, uint64_t *ret, struct error *err)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(json, name);

    if (!cJSON_IsNumber(value) || !(value->valuedouble >= 0) || value->valuedouble > (double)max ||
        value->valuedouble != (double)(uint64_t)value->valuedouble)
        return error_set(err, ERR_PROTOCOL, "%s: not a whole number in its range", name);
    *ret = (uint64_t)value->valuedouble;
    return 0;
}

int record_u32(const cJSON *json, const char *name, uint32_t *ret, struct error *err)
{
    uint64_t value;
    int r;

    r = record_u64(json, name, UINT32_MAX, &value, err);
    if (r == 0)
        *ret = (uint32_t)value;
    return r;
}

int record_enum(const cJSON *json, const char *name, const char *const *names, size_t len, int *ret,
                struct error *err)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(json, name);
    size_t i;

    for (i = 0; i < len && cJSON_IsString(value); i++) {
        if (names[i] && strcmp(names[i], value->valuestring) == 0) {
            *ret = (int)i;
            return 0;
        }
    }
    return error_set(err, ERR_PROTOCOL, "%s: not one of its values", name);
}

int record_strv(const cJSON *json, const char *name, char ***ret, struct error *err)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(json, name);
    char **strv = NULL;

    if (value && !cJSON_IsNull(value)) {
        strv = strv_from_json(value);
        if (!strv)
            return error_set(err, ERR_PROTOCOL, "%s: not a list of strings", name);
    }
    *ret = strv;
    return 0;
}

void record_add_str(cJSON *json, const char *name, const char *value)
{
    if (value)
        cJSON_AddStringToObject(json, name, value);
}

void record_add_strv(cJSON *json, const char *name, char *const *strv)
{
    cJSON *list;

    if (!strv)
        return;
    list = cJSON_AddArrayToObject(json, name);
    for (; *strv; strv++)
        cJSON_AddItemToArray(list, cJSON_CreateString(*strv));
}

/* calloc() that aborts: what comes here is bounded by the size of a request. */
static void *array_new(size_t len, size_t size)
{
    void *p = calloc(len ? len : 1, size);

    if (!p)
        abort();
    return p;
}

void strv_free(char **strv)
{
    char **at;

    for (at = strv; at && *at; at++)
        free(*at);
    free(strv);
}

char **strv_copy(char *const *strv)
{
    size_t i, len = 0;
    char **copy;

    if (!strv)
        return NULL;
    while (strv[len])
        len++;
    copy = array_new(len + 1, sizeof(*copy));
    for (i = 0; i < len; i++)
        copy[i] = str_dup(str_of(strv[i]));
    return copy;
}

char **strv_from_json(const cJSON *json)
{
    const cJSON *item;
    size_t i = 0;
    char **strv;

    if (!cJSON_IsArray(json))
        return NULL;
    strv = array_new((size_t)cJSON_GetArraySize(json) + 1, sizeof(*strv));
    cJSON_ArrayForEach(item, json)
    {
        if (!cJSON_IsString(item)) {
            strv_free(strv);
            return NULL;
        }
        strv[i++] = str_dup(str_of(item->valuestring));
    }
    return strv;
}

static void wipe_free(char *s)
{
    if (s)
        explicit_bzero(s, strlen(s));
    free(s);
}

void env_free(struct env_var *env, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++) {
        free(env[i].name);
        wipe_free(env[i].value);
    }
    free(env);
}

struct env_var *env_copy(const struct env_var *env, size_t len)
{
    struct env_var *copy;
    size_t i;

    if (!env)
        return NULL;
    copy = array_new(len, sizeof(*copy));
    for (i = 0; i < len; i++) {
        copy[i].name = str_dup(str_of(env[i].name));
        copy[i].value = str_dup(str_of(env[i].value));
    }
    return copy;
}

cJSON *env_to_json(const struct env_var *env, size_t len)
{
    cJSON *json = cJSON_CreateObject();
    size_t i;

    for (i = 0; i < len; i++)
        cJSON_AddStringToObject(json, env[i].name, env[i].value);
    return json;
}

static struct env_var *env_find(struct env_var *env, size_t len, const char *name)
{
    size_t i;

    for (i = 0; i < len; i++)
        if (strcmp(env[i].name, name) == 0)
            return &env[i];
    return NULL;
}

int env_from_json(const cJSON *json, struct env_var **ret, size_t *ret_len, struct error *err)
{
    struct env_var *env, *at;
    const cJSON *item;
    size_t len = 0;

    if (!cJSON_IsObject(json))
        return error_set(err, ERR_PROTOCOL, "environment: not an object");
    env = array_new((size_t)cJSON_GetArraySize(json), sizeof(*env));
    cJSON_ArrayForEach(item, json)
    {
        if (!cJSON_IsString(item)) {
            env_free(env, len);
            return error_set(err, ERR_PROTOCOL, "environment: a value is not a string");
        }
        at = env_find(env, len, item->string);
        if (at)
            wipe_free(at->value);
        else
            (at = &env[len++])->name = str_dup(str_of(item->string));
        at->value = str_dup(str_of(item->valuestring));
    }
    *ret = env;
    *ret_len = len;
    return 0;
}
