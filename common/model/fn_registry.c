/* SPDX-License-Identifier: Apache-2.0 */
/* The registry's form of a version: fn_version_to_registry() and back. */
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
    MEMBER("image_uri", image_uri, false),
    MEMBER("resolved_image_uri", resolved_image_uri, false),
    MEMBER("code_sha256", code_sha256, false),
    MEMBER("state_reason", state_reason.text, false),
    MEMBER("state_reason_code", state_reason.code, false),
    MEMBER("update_reason", update_reason.text, false),
    MEMBER("update_reason_code", update_reason.code, false),
    MEMBER("revision_id", revision_id, true),
};

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
    record_add_strv(json, "entry_point", ver->entry_point);
    record_add_strv(json, "command", ver->command);
    if (ver->tags)
        cJSON_AddItemToObject(json, "tags", cJSON_Duplicate(ver->tags, 1));
    cJSON_AddNumberToObject(json, "code_bytes", (double)ver->code_bytes);
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
    if (r == 0)
        r = record_u64(json, "generation", U53_MAX, &ver->generation, err);
    if (r == 0)
        r = record_u64(json, "created_ms", U53_MAX, &ver->created_ms, err);
    if (r == 0)
        r = record_u64(json, "modified_ms", U53_MAX, &ver->modified_ms, err);
    return r;
}

static int read_lists(const cJSON *json, struct fn_version *ver, struct error *err)
{
    const cJSON *tags = cJSON_GetObjectItemCaseSensitive(json, "tags"), *tag;
    int r;

    r = record_strv(json, "entry_point", &ver->entry_point, err);
    if (r == 0)
        r = record_strv(json, "command", &ver->command, err);
    if (r < 0 || !tags)
        return r;
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
