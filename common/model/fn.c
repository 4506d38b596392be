/* SPDX-License-Identifier: Apache-2.0 */
#include "common/model/fn.h"

#include <stdlib.h>
#include <string.h>

#include "common/model/fn_name.h"
#include "common/model/lambda_input.h"
#include "common/model/record.h"

#define ENV_TEXT_MAX 65536 /* bytes of the environment as JSON; clients may set 4 KB */

static const char *const state_names[FN_STATE_MAX] = {
    [FN_PENDING] = "Pending",
    [FN_ACTIVE] = "Active",
    [FN_INACTIVE] = "Inactive",
    [FN_FAILED] = "Failed",
};

static const char *const update_status_names[FN_UPDATE_STATUS_MAX] = {
    [FN_UPDATE_SUCCESSFUL] = "Successful",
    [FN_UPDATE_IN_PROGRESS] = "InProgress",
    [FN_UPDATE_FAILED] = "Failed",
};

const char *fn_state_name(enum fn_state state)
{
    return state_names[state];
}

const char *fn_update_status_name(enum fn_update_status status)
{
    return update_status_names[status];
}

void fn_set_str(char **field, struct str value)
{
    char *copy = value.ptr ? str_dup(value) : NULL; /* first: @value may be the field's own text */

    free(*field);
    *field = copy;
}

struct fn_version *fn_version_new(void)
{
    struct fn_version *ver = calloc(1, sizeof(*ver));

    if (!ver)
        abort();
    fn_set_str(&ver->version, STR(FN_LATEST));
    fn_set_str(&ver->description, STR(""));
    return ver;
}

/* The plain strings of a version, which copying and freeing treat alike. */
static const size_t string_fields[] = {
    offsetof(struct fn_version, account),
    offsetof(struct fn_version, region),
    offsetof(struct fn_version, name),
    offsetof(struct fn_version, version),
    offsetof(struct fn_version, runtime),
    offsetof(struct fn_version, runtime_version),
    offsetof(struct fn_version, handler),
    offsetof(struct fn_version, role),
    offsetof(struct fn_version, description),
    offsetof(struct fn_version, architecture),
    offsetof(struct fn_version, working_directory),
    offsetof(struct fn_version, log_group),
    offsetof(struct fn_version, application_log_level),
    offsetof(struct fn_version, system_log_level),
    offsetof(struct fn_version, vpc_id),
    offsetof(struct fn_version, dead_letter_arn),
    offsetof(struct fn_version, kms_key_arn),
    offsetof(struct fn_version, image_uri),
    offsetof(struct fn_version, resolved_image_uri),
    offsetof(struct fn_version, code_sha256),
    offsetof(struct fn_version, source_kms_key_arn),
    offsetof(struct fn_version, state_reason.text),
    offsetof(struct fn_version, state_reason.code),
    offsetof(struct fn_version, update_reason.text),
    offsetof(struct fn_version, update_reason.code),
    offsetof(struct fn_version, revision_id),
    offsetof(struct fn_version, source_description),
};

/* Lists of strings, alike. */
static const size_t list_fields[] = {
    offsetof(struct fn_version, entry_point),
    offsetof(struct fn_version, command),
    offsetof(struct fn_version, subnet_ids),
    offsetof(struct fn_version, security_group_ids),
};

static char **field_at(struct fn_version *ver, size_t offset)
{
    return (char **)(void *)((char *)ver + offset);
}

static char ***list_at(struct fn_version *ver, size_t offset)
{
    return (char ***)(void *)((char *)ver + offset);
}

static char *dup_or_null(const char *s)
{
    return s ? str_dup(str_of(s)) : NULL;
}

/* calloc() that aborts: what comes here is bounded by the size of a request; NULL for nothing. */
static void *array_new(size_t len, size_t size)
{
    void *p = len ? calloc(len, size) : NULL;

    if (len && !p)
        abort();
    return p;
}

struct fn_layer *fn_layers_copy(const struct fn_layer *layers, size_t len)
{
    struct fn_layer *copy = array_new(len, sizeof(*copy));
    size_t i;

    for (i = 0; i < len; i++) {
        copy[i] = layers[i];
        copy[i].arn = dup_or_null(layers[i].arn);
        copy[i].sha256 = dup_or_null(layers[i].sha256);
    }
    return copy;
}

void fn_layers_free(struct fn_layer *layers, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++) {
        free(layers[i].arn);
        free(layers[i].sha256);
    }
    free(layers);
}

void fn_set_layers(struct fn_version *ver, const struct fn_layer *layers, size_t len)
{
    struct fn_layer *copy = fn_layers_copy(layers, len);

    fn_layers_free(ver->layers, ver->layers_len);
    ver->layers = copy;
    ver->layers_len = len;
}

struct fn_file_system *fn_file_systems_copy(const struct fn_file_system *systems, size_t len)
{
    struct fn_file_system *copy = array_new(len, sizeof(*copy));
    size_t i;

    for (i = 0; i < len; i++) {
        copy[i].arn = dup_or_null(systems[i].arn);
        copy[i].mount_path = dup_or_null(systems[i].mount_path);
        copy[i].direct_s3_read = dup_or_null(systems[i].direct_s3_read);
    }
    return copy;
}

void fn_file_systems_free(struct fn_file_system *systems, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++) {
        free(systems[i].arn);
        free(systems[i].mount_path);
        free(systems[i].direct_s3_read);
    }
    free(systems);
}

struct fn_version *fn_version_copy(const struct fn_version *ver)
{
    struct fn_version *copy = calloc(1, sizeof(*copy));
    char **field, ***list;
    size_t i;

    if (!copy)
        abort();
    *copy = *ver;
    for (i = 0; i < ARRAY_LEN(string_fields); i++) {
        field = field_at(copy, string_fields[i]);
        *field = *field ? str_dup(str_of(*field)) : NULL;
    }
    for (i = 0; i < ARRAY_LEN(list_fields); i++) {
        list = list_at(copy, list_fields[i]);
        *list = strv_copy(*list);
    }
    copy->env = env_copy(ver->env, ver->env_len);
    copy->layers = fn_layers_copy(ver->layers, ver->layers_len);
    copy->file_systems = fn_file_systems_copy(ver->file_systems, ver->file_systems_len);
    copy->tags = ver->tags ? cJSON_Duplicate(ver->tags, 1) : NULL;
    return copy;
}

void fn_version_free(struct fn_version *ver)
{
    size_t i;

    if (!ver)
        return;
    for (i = 0; i < ARRAY_LEN(string_fields); i++)
        free(*field_at(ver, string_fields[i]));
    for (i = 0; i < ARRAY_LEN(list_fields); i++)
        strv_free(*list_at(ver, list_fields[i]));
    env_free(ver->env, ver->env_len);
    fn_layers_free(ver->layers, ver->layers_len);
    fn_file_systems_free(ver->file_systems, ver->file_systems_len);
    cJSON_Delete(ver->tags);
    free(ver);
}

void fn_version_freep(struct fn_version **ver)
{
    fn_version_free(*ver);
    *ver = NULL;
}

static void set_reason(struct fn_reason *reason, const char *code, const char *text)
{
    fn_set_str(&reason->code, str_of(code));
    fn_set_str(&reason->text, str_of(text));
}

void fn_version_set_state(struct fn_version *ver, enum fn_state state, const char *code,
                          const char *text)
{
    ver->state = state;
    set_reason(&ver->state_reason, code, text);
}

void fn_version_set_image(struct fn_version *ver, struct str reference, struct str digest)
{
    if (str_starts(digest, STR("sha256:")))
        digest = str_sub(digest, 7, digest.len);
    fn_set_str(&ver->resolved_image_uri, reference);
    fn_set_str(&ver->code_sha256, digest);
}

void fn_version_set_update(struct fn_version *ver, enum fn_update_status status, const char *code,
                           const char *text)
{
    ver->update_status = status;
    set_reason(&ver->update_reason, code, text);
}

int fn_env_to_text(const struct fn_version *ver, struct buf *ret)
{
    cJSON *json = env_to_json(ver->env, ver->env_len);
    char *text = cJSON_PrintUnformatted(json);
    int r;

    cjson_wipe_strings(json);
    cJSON_Delete(json);
    if (!text)
        abort();
    r = buf_append_str(ret, str_of(text));
    explicit_bzero(text, strlen(text));
    cJSON_free(text);
    return r;
}

int fn_env_from_text(struct fn_version *ver, struct str text, struct error *err)
{
    struct env_var *env;
    const char *end;
    size_t len;
    cJSON *json;
    int r;

    if (text.len > ENV_TEXT_MAX)
        return error_set(err, ERR_PROTOCOL, "environment: longer than %d bytes", ENV_TEXT_MAX);
    json = cJSON_ParseWithLengthOpts(text.ptr, text.len, &end, 0);
    if (!json)
        return error_set(err, ERR_PROTOCOL, "environment: not JSON");
    r = env_from_json(json, &env, &len, err);
    cjson_wipe_strings(json);
    cJSON_Delete(json);
    if (r < 0)
        return r;
    env_free(ver->env, ver->env_len);
    ver->env = env;
    ver->env_len = len;
    ver->has_env = true;
    return 0;
}

/* The registry has checked levels of AWS alone. */
static void spec_log(const struct fn_version *ver, struct sandbox_spec *spec)
{
    int application = fn_log_level_find(str_of(ver->application_log_level));
    int system = fn_log_level_find(str_of(ver->system_log_level));

    spec->log_group = dup_or_null(ver->log_group);
    spec->log_json = ver->log_json;
    if (!ver->log_json)
        return;
    spec->application_log_level = application >= 0 ? (enum fn_log_level)application : FN_LOG_INFO;
    spec->system_log_level = system >= 0 ? (enum fn_log_level)system : FN_LOG_INFO;
}

static void spec_layers(const struct fn_version *ver, struct sandbox_spec *spec)
{
    size_t i;

    if (ver->package != FN_ZIP || ver->layers_len == 0)
        return; /* an image has its own /opt */
    spec->layers = calloc(ver->layers_len, sizeof(*spec->layers));
    if (!spec->layers)
        abort();
    for (i = 0; i < ver->layers_len; i++)
        spec->layers[i] = (struct sandbox_layer){str_dup(str_of(ver->layers[i].arn)),
                                                 str_dup(str_of(ver->layers[i].sha256)),
                                                 ver->layers[i].bytes};
    spec->layers_len = ver->layers_len;
}

int fn_version_to_spec(const struct fn_version *ver, const struct runtimes *rts,
                       struct sandbox_spec **ret, struct error *err)
{
    const struct runtime *rt = ver->runtime ? runtimes_find(rts, str_of(ver->runtime)) : NULL;
    const char *image = rt ? rt->image : ver->resolved_image_uri;
    struct sandbox_spec *spec;

    if (ver->package == FN_ZIP && (!rt || !rt->image[0]))
        return error_set(err, ERR_INTERNAL, "runtime %s has no image",
                         ver->runtime ? ver->runtime : "(none)");
    if (!image)
        return error_set(err, ERR_INTERNAL, "the image is not resolved yet");
    spec = calloc(1, sizeof(*spec));
    if (!spec)
        abort();
    *spec = (struct sandbox_spec){
        .account = dup_or_null(ver->account),
        .region = dup_or_null(ver->region),
        .name = dup_or_null(ver->name),
        .version = dup_or_null(ver->version),
        .arn = fn_arn_new(str_of(ver->region), str_of(ver->account), str_of(ver->name), STR_NULL),
        .generation = ver->generation,
        .image = str_dup(str_of(image)),
        .code_sha256 = ver->package == FN_ZIP ? dup_or_null(ver->code_sha256) : NULL,
        .code_bytes = ver->package == FN_ZIP ? ver->code_bytes : 0,
        .runtime = dup_or_null(ver->runtime),
        .handler = dup_or_null(ver->handler),
        .memory_mib = ver->memory_mib,
        .timeout_s = ver->timeout_s,
        .ephemeral_mib = ver->ephemeral_mib,
        .env = env_copy(ver->env, ver->env_len),
        .env_len = ver->env_len,
        .entry_point = strv_copy(ver->entry_point),
        .command = strv_copy(ver->command),
        .working_directory = dup_or_null(ver->working_directory),
    };
    spec_log(ver, spec);
    spec_layers(ver, spec);
    *ret = spec;
    return 0;
}
