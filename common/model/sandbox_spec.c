/* SPDX-License-Identifier: Apache-2.0 */
#include "common/model/sandbox_spec.h"

#include <stdlib.h>

#include "common/model/record.h"

#define U53_MAX 9007199254740992u /* what a JSON number holds exactly */

void sandbox_layers_free(struct sandbox_layer *layers, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++) {
        free(layers[i].arn);
        free(layers[i].sha256);
    }
    free(layers);
}

static int read_layer(const cJSON *json, struct sandbox_layer *layer, struct error *err)
{
    int r = record_str(json, "arn", &layer->arn, err);

    if (r == 0)
        r = record_str(json, "sha256", &layer->sha256, err);
    if (r == 0)
        r = record_u64(json, "bytes", U53_MAX, &layer->bytes, err);
    return r;
}

int sandbox_layers_from_json(const cJSON *json, struct sandbox_layer **ret, size_t *ret_len,
                             struct error *err)
{
    struct sandbox_layer *layers = NULL;
    const cJSON *item;
    size_t len = 0;
    int r = 0;

    if (json && !cJSON_IsNull(json) &&
        (!cJSON_IsArray(json) || cJSON_GetArraySize(json) > (int)SANDBOX_LAYERS_MAX))
        return error_set(err, ERR_PROTOCOL, "layers: not a list of at most %u", SANDBOX_LAYERS_MAX);
    if (json && json->child) {
        layers = calloc(SANDBOX_LAYERS_MAX, sizeof(*layers));
        if (!layers)
            abort();
        cJSON_ArrayForEach(item, json)
            if (r == 0)
                r = read_layer(item, &layers[len++], err);
    }
    if (r < 0) {
        sandbox_layers_free(layers, len);
        return error_wrap(err, r, "layers");
    }
    *ret = layers;
    *ret_len = len;
    return 0;
}

cJSON *sandbox_layers_to_json(const struct sandbox_layer *layers, size_t len)
{
    cJSON *json = cJSON_CreateArray(), *item;
    size_t i;

    for (i = 0; i < len; i++) {
        item = cJSON_CreateObject();
        record_add_str(item, "arn", layers[i].arn);
        record_add_str(item, "sha256", layers[i].sha256);
        cJSON_AddNumberToObject(item, "bytes", (double)layers[i].bytes);
        cJSON_AddItemToArray(json, item);
    }
    return json;
}

static int read_strings(const cJSON *json, struct sandbox_spec *spec, struct error *err)
{
    const struct {
        const char *name;
        char **to;
        bool optional;
    } strings[] = {
        {"account", &spec->account, false},
        {"region", &spec->region, false},
        {"name", &spec->name, false},
        {"version", &spec->version, false},
        {"arn", &spec->arn, false},
        {"image", &spec->image, false},
        {"log_group", &spec->log_group, false},
        {"code_sha256", &spec->code_sha256, true},
        {"runtime", &spec->runtime, true},
        {"handler", &spec->handler, true},
        {"working_directory", &spec->working_directory, true},
    };
    size_t i;
    int r = 0;

    for (i = 0; i < ARRAY_LEN(strings) && r == 0; i++)
        r = strings[i].optional ? record_opt_str(json, strings[i].name, strings[i].to, err)
                                : record_str(json, strings[i].name, strings[i].to, err);
    return r;
}

static int read_level(const cJSON *json, const char *name, enum fn_log_level *ret,
                      struct error *err)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);
    int level = fn_log_level_find(str_of(cJSON_GetStringValue(item)));

    if (level < 0)
        return error_set(err, ERR_PROTOCOL, "log: %s: no level", name);
    *ret = (enum fn_log_level)level;
    return 0;
}

/* Absent with LogFormat Text. */
static int read_log(const cJSON *json, struct sandbox_spec *spec, struct error *err)
{
    int r;

    if (!json)
        return 0;
    spec->log_json = true;
    r = read_level(json, "application_level", &spec->application_log_level, err);
    return r == 0 ? read_level(json, "system_level", &spec->system_log_level, err) : r;
}

static void add_log(cJSON *json, const struct sandbox_spec *spec)
{
    cJSON *log;

    if (!spec->log_json)
        return;
    log = cJSON_AddObjectToObject(json, "log");
    cJSON_AddStringToObject(log, "application_level",
                            fn_log_level_name(spec->application_log_level));
    cJSON_AddStringToObject(log, "system_level", fn_log_level_name(spec->system_log_level));
}

static int read_members(const cJSON *json, struct sandbox_spec *spec, struct error *err)
{
    const cJSON *env = cJSON_GetObjectItemCaseSensitive(json, "env");
    const cJSON *credentials = cJSON_GetObjectItemCaseSensitive(json, "credentials");
    const cJSON *network = cJSON_GetObjectItemCaseSensitive(json, "network");
    struct error own;
    int r;

    r = read_strings(json, spec, err);
    if (r == 0)
        r = record_u64(json, "generation", U53_MAX, &spec->generation, err);
    if (r == 0)
        r = record_u64(json, "code_bytes", U53_MAX, &spec->code_bytes, err);
    if (r == 0)
        r = record_u32(json, "memory_mib", &spec->memory_mib, err);
    if (r == 0)
        r = record_u32(json, "timeout_s", &spec->timeout_s, err);
    if (r == 0)
        r = record_u32(json, "ephemeral_mib", &spec->ephemeral_mib, err);
    if (r == 0)
        r = record_strv(json, "entry_point", &spec->entry_point, err);
    if (r == 0)
        r = record_strv(json, "command", &spec->command, err);
    if (r == 0)
        r = sandbox_layers_from_json(cJSON_GetObjectItemCaseSensitive(json, "layers"),
                                     &spec->layers, &spec->layers_len, err);
    if (r == 0)
        r = read_log(cJSON_GetObjectItemCaseSensitive(json, "log"), spec, err);
    if (r == 0 && credentials)
        r = role_credentials_from_json(credentials, &spec->credentials, err);
    if (r == 0 && network && net_policy_from_json(network, &spec->network, &own) < 0)
        r = error_set(err, ERR_PROTOCOL, "network: %s", own.msg);
    if (r == 0 && env)
        r = env_from_json(env, &spec->env, &spec->env_len, err);
    return r;
}

int sandbox_spec_from_json(const cJSON *json, struct sandbox_spec **ret, struct error *err)
{
    struct sandbox_spec *spec;
    int r;

    if (!cJSON_IsObject(json))
        return error_set(err, ERR_PROTOCOL, "sandbox spec: not an object");
    spec = calloc(1, sizeof(*spec));
    if (!spec)
        abort();
    r = read_members(json, spec, err);
    if (r < 0) {
        sandbox_spec_free(spec);
        return r;
    }
    *ret = spec;
    return 0;
}

cJSON *sandbox_spec_to_json(const struct sandbox_spec *spec)
{
    cJSON *json = cJSON_CreateObject();

    record_add_str(json, "account", spec->account);
    record_add_str(json, "region", spec->region);
    record_add_str(json, "name", spec->name);
    record_add_str(json, "version", spec->version);
    record_add_str(json, "arn", spec->arn);
    cJSON_AddNumberToObject(json, "generation", (double)spec->generation);
    record_add_str(json, "image", spec->image);
    record_add_str(json, "code_sha256", spec->code_sha256);
    cJSON_AddNumberToObject(json, "code_bytes", (double)spec->code_bytes);
    if (spec->layers_len)
        cJSON_AddItemToObject(json, "layers",
                              sandbox_layers_to_json(spec->layers, spec->layers_len));
    record_add_str(json, "runtime", spec->runtime);
    record_add_str(json, "handler", spec->handler);
    cJSON_AddNumberToObject(json, "memory_mib", spec->memory_mib);
    cJSON_AddNumberToObject(json, "timeout_s", spec->timeout_s);
    cJSON_AddNumberToObject(json, "ephemeral_mib", spec->ephemeral_mib);
    if (spec->env)
        cJSON_AddItemToObject(json, "env", env_to_json(spec->env, spec->env_len));
    record_add_strv(json, "entry_point", spec->entry_point);
    record_add_strv(json, "command", spec->command);
    record_add_str(json, "working_directory", spec->working_directory);
    record_add_str(json, "log_group", spec->log_group);
    add_log(json, spec);
    if (spec->credentials)
        cJSON_AddItemToObject(json, "credentials", role_credentials_to_json(spec->credentials));
    if (spec->network)
        cJSON_AddItemToObject(json, "network", net_policy_to_json(spec->network));
    return json;
}

void sandbox_spec_free(struct sandbox_spec *spec)
{
    if (!spec)
        return;
    free(spec->account);
    free(spec->region);
    free(spec->name);
    free(spec->version);
    free(spec->arn);
    free(spec->image);
    free(spec->code_sha256);
    sandbox_layers_free(spec->layers, spec->layers_len);
    free(spec->runtime);
    free(spec->handler);
    env_free(spec->env, spec->env_len);
    strv_free(spec->entry_point);
    strv_free(spec->command);
    free(spec->working_directory);
    free(spec->log_group);
    role_credentials_free(spec->credentials);
    net_policy_free(spec->network);
    free(spec);
}
