/* SPDX-License-Identifier: Apache-2.0 */
/* The registry's form of a version: fn_version_to_registry() and back. */
#include <stdlib.h>
#include <string.h>

#include "common/model/fn.h"
#include "common/model/record.h"

#define U53_MAX 9007199254740992u /* what a JSON number holds exactly */

static const char *const package_names[] = {[FN_ZIP] = "Zip", [FN_IMAGE] = "Image"};

/* One string member of the record, by where it lives in the struct. */
struct string_member {
    const char *name;
    size_t offset;
    bool required;
};

#define MEMBER(name, field, required) {name, offsetof(struct fn_version, field), required}

static const struct string_member string_members[] = {
    MEMBER("account", account, true),
    MEMBER("region", region, true),
    MEMBER("name", name, true),
    MEMBER("version", version, true),
    MEMBER("runtime", runtime, false),
    MEMBER("runtime_version", runtime_version, false),
    MEMBER("handler", handler, false),
    MEMBER("role", role, true),
    MEMBER("description", description, true),
    MEMBER("architecture", architecture, true),
    MEMBER("working_directory", working_directory, false),
    MEMBER("log_group", log_group, true),
    MEMBER("application_log_level", application_log_level, false),
    MEMBER("system_log_level", system_log_level, false),
    MEMBER("vpc_id", vpc_id, false),
    MEMBER("dead_letter_arn", dead_letter_arn, false),
    MEMBER("kms_key_arn", kms_key_arn, false),
    MEMBER("image_uri", image_uri, false),
    MEMBER("resolved_image_uri", resolved_image_uri, false),
    MEMBER("code_sha256", code_sha256, false),
    MEMBER("source_kms_key_arn", source_kms_key_arn, false),
    MEMBER("state_reason", state_reason.text, false),
    MEMBER("state_reason_code", state_reason.code, false),
    MEMBER("update_reason", update_reason.text, false),
    MEMBER("update_reason_code", update_reason.code, false),
    MEMBER("revision_id", revision_id, true),
    MEMBER("source_description", source_description, false),
};

/* One member that is a list of strings, or true: where it lives; absent when there is none. */
struct plain_member {
    const char *name;
    size_t offset;
};

static const struct plain_member list_members[] = {
    {"entry_point", offsetof(struct fn_version, entry_point)},
    {"command", offsetof(struct fn_version, command)},
    {"subnet_ids", offsetof(struct fn_version, subnet_ids)},
    {"security_group_ids", offsetof(struct fn_version, security_group_ids)},
};

static const struct plain_member flag_members[] = {
    {"log_json", offsetof(struct fn_version, log_json)},
    {"has_vpc", offsetof(struct fn_version, has_vpc)},
    {"vpc_ipv6", offsetof(struct fn_version, vpc_ipv6)},
    {"tracing_active", offsetof(struct fn_version, tracing_active)},
    {"snap_start", offsetof(struct fn_version, snap_start)},
};

static void add_layers(cJSON *json, const struct fn_version *ver)
{
    cJSON *list, *layer;
    size_t i;

    if (ver->layers_len == 0)
        return;
    list = cJSON_AddArrayToObject(json, "layers");
    for (i = 0; i < ver->layers_len; i++) {
        layer = cJSON_CreateObject();
        record_add_str(layer, "arn", ver->layers[i].arn);
        record_add_str(layer, "sha256", ver->layers[i].sha256);
        cJSON_AddNumberToObject(layer, "bytes", (double)ver->layers[i].bytes);
        cJSON_AddNumberToObject(layer, "unzipped_bytes", (double)ver->layers[i].unzipped_bytes);
        cJSON_AddItemToArray(list, layer);
    }
}

static void add_file_systems(cJSON *json, const struct fn_version *ver)
{
    cJSON *list, *system;
    size_t i;

    if (ver->file_systems_len == 0)
        return;
    list = cJSON_AddArrayToObject(json, "file_systems");
    for (i = 0; i < ver->file_systems_len; i++) {
        system = cJSON_CreateObject();
        record_add_str(system, "arn", ver->file_systems[i].arn);
        record_add_str(system, "mount_path", ver->file_systems[i].mount_path);
        record_add_str(system, "direct_s3_read", ver->file_systems[i].direct_s3_read);
        cJSON_AddItemToArray(list, system);
    }
}

static void add_lists(cJSON *json, const struct fn_version *ver)
{
    size_t i;

    for (i = 0; i < ARRAY_LEN(list_members); i++)
        record_add_strv(json, list_members[i].name,
                        *(char **const *)(const void *)((const char *)ver +
                                                        list_members[i].offset));
    for (i = 0; i < ARRAY_LEN(flag_members); i++)
        if (*(const bool *)(const void *)((const char *)ver + flag_members[i].offset))
            cJSON_AddTrueToObject(json, flag_members[i].name);
    add_layers(json, ver);
    add_file_systems(json, ver);
    if (ver->tags)
        cJSON_AddItemToObject(json, "tags", cJSON_Duplicate(ver->tags, 1));
}

cJSON *fn_version_to_registry(const struct fn_version *ver, struct str sealed_env)
{
    cJSON *json = cJSON_CreateObject();
    char *text;
    size_t i;

    for (i = 0; i < ARRAY_LEN(string_members); i++)
        record_add_str(json, string_members[i].name,
                       *(char *const *)(const void *)((const char *)ver +
                                                      string_members[i].offset));
    cJSON_AddStringToObject(json, "package", package_names[ver->package]);
    cJSON_AddNumberToObject(json, "memory_mib", ver->memory_mib);
    cJSON_AddNumberToObject(json, "timeout_s", ver->timeout_s);
    cJSON_AddNumberToObject(json, "ephemeral_mib", ver->ephemeral_mib);
    add_lists(json, ver);
    cJSON_AddNumberToObject(json, "code_bytes", (double)ver->code_bytes);
    if (ver->unzipped_bytes)
        cJSON_AddNumberToObject(json, "unzipped_bytes", (double)ver->unzipped_bytes);
    cJSON_AddStringToObject(json, "state", fn_state_name(ver->state));
    record_add_str(json, "update_status", fn_update_status_name(ver->update_status));
    cJSON_AddNumberToObject(json, "generation", (double)ver->generation);
    cJSON_AddNumberToObject(json, "created_ms", (double)ver->created_ms);
    cJSON_AddNumberToObject(json, "modified_ms", (double)ver->modified_ms);
    if (sealed_env.ptr) {
        text = str_dup(sealed_env);
        cJSON_AddStringToObject(json, "environment", text);
        free(text);
    }
    return json;
}

static int read_strings(const cJSON *json, struct fn_version *ver, struct error *err)
{
    size_t i;
    int r;

    for (i = 0; i < ARRAY_LEN(string_members); i++) {
        const struct string_member *m = &string_members[i];
        char **field = (char **)(void *)((char *)ver + m->offset), *value;

        r = m->required ? record_str(json, m->name, &value, err)
                        : record_opt_str(json, m->name, &value, err);
        if (r < 0)
            return r;
        free(*field);
        *field = value;
    }
    return 0;
}

static int read_enums(const cJSON *json, struct fn_version *ver, struct error *err)
{
    const char *states[FN_STATE_MAX], *statuses[FN_UPDATE_STATUS_MAX];
    int i, r, value;

    for (i = 0; i < FN_STATE_MAX; i++)
        states[i] = fn_state_name((enum fn_state)i);
    for (i = 0; i < FN_UPDATE_STATUS_MAX; i++)
        statuses[i] = fn_update_status_name((enum fn_update_status)i);
    r = record_enum(json, "package", package_names, ARRAY_LEN(package_names), &value, err);
    if (r < 0)
        return r;
    ver->package = (enum fn_package)value;
    r = record_enum(json, "state", states, FN_STATE_MAX, &value, err);
    if (r < 0)
        return r;
    ver->state = (enum fn_state)value;
    if (!cJSON_GetObjectItemCaseSensitive(json, "update_status"))
        return 0;
    r = record_enum(json, "update_status", statuses, FN_UPDATE_STATUS_MAX, &value, err);
    if (r == 0)
        ver->update_status = (enum fn_update_status)value;
    return r;
}

static int read_numbers(const cJSON *json, struct fn_version *ver, struct error *err)
{
    int r;

    r = record_u32(json, "memory_mib", &ver->memory_mib, err);
    if (r == 0)
        r = record_u32(json, "timeout_s", &ver->timeout_s, err);
    if (r == 0)
        r = record_u32(json, "ephemeral_mib", &ver->ephemeral_mib, err);
    if (r == 0)
        r = record_u64(json, "code_bytes", U53_MAX, &ver->code_bytes, err);
    if (r == 0 && cJSON_GetObjectItemCaseSensitive(json, "unzipped_bytes"))
        r = record_u64(json, "unzipped_bytes", U53_MAX, &ver->unzipped_bytes, err);
    if (r == 0)
        r = record_u64(json, "generation", U53_MAX, &ver->generation, err);
    if (r == 0)
        r = record_u64(json, "created_ms", U53_MAX, &ver->created_ms, err);
    if (r == 0)
        r = record_u64(json, "modified_ms", U53_MAX, &ver->modified_ms, err);
    return r;
}

static int read_flags(const cJSON *json, struct fn_version *ver, struct error *err)
{
    size_t i;

    for (i = 0; i < ARRAY_LEN(flag_members); i++) {
        const cJSON *flag = cJSON_GetObjectItemCaseSensitive(json, flag_members[i].name);

        if (flag && !cJSON_IsBool(flag))
            return error_set(err, ERR_PROTOCOL, "%s: not a boolean", flag_members[i].name);
        *(bool *)(void *)((char *)ver + flag_members[i].offset) = cJSON_IsTrue(flag);
    }
    return 0;
}

/* The list @name, or NULL; -ERR_PROTOCOL when it is something else. */
static int list_of(const cJSON *json, const char *name, const cJSON **ret, struct error *err)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, name);

    if (list && !cJSON_IsArray(list))
        return error_set(err, ERR_PROTOCOL, "%s: not a list", name);
    *ret = list;
    return 0;
}

/* Room for what @list holds; NULL for an absent one. */
static void *entries_new(const cJSON *list, size_t size)
{
    void *entries = list ? calloc((size_t)cJSON_GetArraySize(list) + 1, size) : NULL;

    if (list && !entries)
        abort();
    return entries;
}

static int read_layers(const cJSON *json, struct fn_version *ver, struct error *err)
{
    const cJSON *list = NULL, *item;
    int r;

    r = list_of(json, "layers", &list, err);
    if (r < 0)
        return r;
    ver->layers = entries_new(list, sizeof(*ver->layers));
    cJSON_ArrayForEach(item, list)
    {
        struct fn_layer *layer = &ver->layers[ver->layers_len];

        ver->layers_len++;
        r = record_str(item, "arn", &layer->arn, err);
        if (r == 0)
            r = record_str(item, "sha256", &layer->sha256, err);
        if (r == 0)
            r = record_u64(item, "bytes", U53_MAX, &layer->bytes, err);
        if (r == 0)
            r = record_u64(item, "unzipped_bytes", U53_MAX, &layer->unzipped_bytes, err);
        if (r < 0)
            return error_wrap(err, r, "layers");
    }
    return r;
}

static int read_file_systems(const cJSON *json, struct fn_version *ver, struct error *err)
{
    const cJSON *list = NULL, *item;
    int r;

    r = list_of(json, "file_systems", &list, err);
    if (r < 0)
        return r;
    ver->file_systems = entries_new(list, sizeof(*ver->file_systems));
    cJSON_ArrayForEach(item, list)
    {
        struct fn_file_system *system = &ver->file_systems[ver->file_systems_len];

        ver->file_systems_len++;
        r = record_str(item, "arn", &system->arn, err);
        if (r == 0)
            r = record_str(item, "mount_path", &system->mount_path, err);
        if (r == 0)
            r = record_opt_str(item, "direct_s3_read", &system->direct_s3_read, err);
        if (r < 0)
            return error_wrap(err, r, "file_systems");
    }
    return r;
}

static int read_tags(const cJSON *json, struct fn_version *ver, struct error *err)
{
    const cJSON *tags = cJSON_GetObjectItemCaseSensitive(json, "tags"), *tag;

    if (!tags)
        return 0;
    if (!cJSON_IsObject(tags))
        return error_set(err, ERR_PROTOCOL, "tags: not an object");
    cJSON_ArrayForEach(tag, tags)
    {
        if (!cJSON_IsString(tag))
            return error_set(err, ERR_PROTOCOL, "tags: a value is not a string");
    }
    ver->tags = cJSON_Duplicate(tags, 1);
    return 0;
}

static int read_lists(const cJSON *json, struct fn_version *ver, struct error *err)
{
    size_t i;
    int r = 0;

    for (i = 0; i < ARRAY_LEN(list_members) && r == 0; i++)
        r = record_strv(json, list_members[i].name,
                        (char ***)(void *)((char *)ver + list_members[i].offset), err);
    if (r == 0)
        r = read_flags(json, ver, err);
    if (r == 0)
        r = read_layers(json, ver, err);
    if (r == 0)
        r = read_file_systems(json, ver, err);
    if (r == 0)
        r = read_tags(json, ver, err);
    return r;
}

int fn_version_from_registry(const cJSON *json, struct fn_version **ret, struct str *ret_sealed_env,
                             struct error *err)
{
    CLEANUP(fn_version_freep) struct fn_version *ver = fn_version_new();
    const cJSON *env = cJSON_GetObjectItemCaseSensitive(json, "environment");
    int r;

    if (env && !cJSON_IsString(env))
        return error_set(err, ERR_PROTOCOL, "environment: not a string");
    r = read_strings(json, ver, err);
    if (r == 0)
        r = read_enums(json, ver, err);
    if (r == 0)
        r = read_numbers(json, ver, err);
    if (r == 0)
        r = read_lists(json, ver, err);
    if (r < 0)
        return r;
    ver->has_env = env != NULL;
    *ret_sealed_env = env ? str_of(env->valuestring) : STR_NULL;
    *ret = TAKE(ver);
    return 0;
}
