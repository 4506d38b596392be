/* SPDX-License-Identifier: Apache-2.0 */
/* AWS's forms of a version: FunctionConfiguration and the answer of GetFunction. */
#include <string.h>

#include "common/base/base64.h"
#include "common/base/clock.h"
#include "common/model/fn.h"
#include "common/model/fn_name.h"
#include "common/model/record.h"

#define SHA256_BYTES_MAX 32

/* An object with one string member. */
static cJSON *object_of(const char *name, const char *value)
{
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, name, value);
    return json;
}

static int hex_value(char c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* AWS shows the digest of an archive in base64, that of an image in hex. */
char *fn_version_code_sha256_text(const struct fn_version *ver)
{
    struct buf b = BUF_INIT(SHA256_BYTES_MAX * 2);
    char digest[SHA256_BYTES_MAX];
    size_t i, len = ver->code_sha256 ? strlen(ver->code_sha256) / 2 : 0;

    if (!ver->code_sha256)
        return NULL;
    if (ver->package == FN_IMAGE || len != SHA256_BYTES_MAX)
        return str_dup(str_of(ver->code_sha256));
    for (i = 0; i < len; i++)
        digest[i] = (char)(hex_value(ver->code_sha256[2 * i]) * 16 +
                           hex_value(ver->code_sha256[2 * i + 1]));
    base64_encode(&b, str_from(digest, len));
    return buf_take(&b);
}

static void add_code_sha256(cJSON *json, const struct fn_version *ver)
{
    CLEANUP(freep) char *text = fn_version_code_sha256_text(ver);

    record_add_str(json, "CodeSha256", text);
}

static void add_arn(cJSON *json, const struct fn_version *ver, struct str qualifier)
{
    CLEANUP(freep) char *arn = NULL;

    /* a published version is never without its number */
    if (qualifier.len == 0 && strcmp(ver->version, FN_LATEST) != 0)
        qualifier = str_of(ver->version);
    arn = fn_arn_new(str_of(ver->region), str_of(ver->account), str_of(ver->name), qualifier);
    cJSON_AddStringToObject(json, "FunctionArn", arn);
}

static void add_image_config(cJSON *json, const struct fn_version *ver)
{
    cJSON *config;

    if (!ver->entry_point && !ver->command && !ver->working_directory)
        return;
    config = cJSON_CreateObject();
    record_add_strv(config, "Command", ver->command);
    record_add_strv(config, "EntryPoint", ver->entry_point);
    record_add_str(config, "WorkingDirectory", ver->working_directory);
    cJSON_AddItemToObject(cJSON_AddObjectToObject(json, "ImageConfigResponse"), "ImageConfig",
                          config);
}

static void add_environment(cJSON *json, const struct fn_version *ver)
{
    if (ver->has_env)
        cJSON_AddItemToObject(cJSON_AddObjectToObject(json, "Environment"), "Variables",
                              env_to_json(ver->env, ver->env_len));
}

char *fn_version_runtime_arn(const struct fn_version *ver)
{
    if (!ver->runtime_version)
        return NULL;
    return str_printf("arn:%s:lambda:%s::runtime:%s", fn_arn_partition(str_of(ver->region)),
                      ver->region, ver->runtime_version);
}

static void add_runtime_version(cJSON *json, const struct fn_version *ver)
{
    CLEANUP(freep) char *arn = fn_version_runtime_arn(ver);

    if (arn)
        cJSON_AddItemToObject(json, "RuntimeVersionConfig", object_of("RuntimeVersionArn", arn));
}

static void add_logging(cJSON *json, const struct fn_version *ver)
{
    cJSON *logging = object_of("LogFormat", "Text");

    cJSON_AddStringToObject(logging, "LogGroup", ver->log_group);
    cJSON_AddItemToObject(json, "LoggingConfig", logging);
}

static void add_update_status(cJSON *json, const struct fn_version *ver)
{
    if (ver->update_status == FN_UPDATE_NONE)
        return;
    cJSON_AddStringToObject(json, "LastUpdateStatus", fn_update_status_name(ver->update_status));
    record_add_str(json, "LastUpdateStatusReason", ver->update_reason.text);
    record_add_str(json, "LastUpdateStatusReasonCode", ver->update_reason.code);
}

/* The members in AWS's alphabetical order; @with_state: not in lists. */
static cJSON *configuration(const struct fn_version *ver, struct str qualifier, bool with_state)
{
    cJSON *json = cJSON_CreateObject(), *snap_start;
    char modified[CLOCK_ISO_MAX];

    cJSON_AddItemToArray(cJSON_AddArrayToObject(json, "Architectures"),
                         cJSON_CreateString(ver->architecture));
    add_code_sha256(json, ver);
    /* AWS shows 0 for images */
    cJSON_AddNumberToObject(json, "CodeSize", ver->package == FN_ZIP ? (double)ver->code_bytes : 0);
    cJSON_AddStringToObject(json, "Description", ver->description);
    add_environment(json, ver);
    cJSON_AddNumberToObject(cJSON_AddObjectToObject(json, "EphemeralStorage"), "Size",
                            ver->ephemeral_mib);
    add_arn(json, ver, qualifier);
    cJSON_AddStringToObject(json, "FunctionName", ver->name);
    record_add_str(json, "Handler", ver->handler);
    add_image_config(json, ver);
    clock_format_lambda(ver->modified_ms, modified);
    cJSON_AddStringToObject(json, "LastModified", modified);
    if (with_state)
        add_update_status(json, ver);
    add_logging(json, ver);
    cJSON_AddNumberToObject(json, "MemorySize", ver->memory_mib);
    cJSON_AddStringToObject(json, "PackageType", ver->package == FN_IMAGE ? "Image" : "Zip");
    cJSON_AddStringToObject(json, "RevisionId", ver->revision_id);
    cJSON_AddStringToObject(json, "Role", ver->role);
    record_add_str(json, "Runtime", ver->runtime);
    if (with_state)
        add_runtime_version(json, ver);
    snap_start = object_of("ApplyOn", "None");
    cJSON_AddStringToObject(snap_start, "OptimizationStatus", "Off");
    cJSON_AddItemToObject(json, "SnapStart", snap_start);
    if (with_state) {
        cJSON_AddStringToObject(json, "State", fn_state_name(ver->state));
        record_add_str(json, "StateReason", ver->state_reason.text);
        record_add_str(json, "StateReasonCode", ver->state_reason.code);
    }
    cJSON_AddNumberToObject(json, "Timeout", ver->timeout_s);
    cJSON_AddItemToObject(json, "TracingConfig", object_of("Mode", "PassThrough"));
    cJSON_AddStringToObject(json, "Version", ver->version);
    return json;
}

cJSON *fn_version_to_aws(const struct fn_version *ver, struct str qualifier)
{
    return configuration(ver, qualifier, true);
}

cJSON *fn_version_to_aws_listed(const struct fn_version *ver, struct str qualifier)
{
    return configuration(ver, qualifier, false);
}

cJSON *fn_version_to_get_function(const struct fn_version *ver, const struct fn_get_extra *extra)
{
    cJSON *json = cJSON_CreateObject(), *code = cJSON_AddObjectToObject(json, "Code");

    if (ver->package == FN_IMAGE) {
        record_add_str(code, "ImageUri", ver->image_uri);
        cJSON_AddStringToObject(code, "RepositoryType", "ECR");
        record_add_str(code, "ResolvedImageUri", ver->resolved_image_uri);
    } else {
        record_add_str(code, "Location", extra->code_location);
        cJSON_AddStringToObject(code, "RepositoryType", "S3");
    }
    if (extra->reserved_concurrency >= 0)
        cJSON_AddNumberToObject(cJSON_AddObjectToObject(json, "Concurrency"),
                                "ReservedConcurrentExecutions",
                                (double)extra->reserved_concurrency);
    cJSON_AddItemToObject(json, "Configuration", configuration(ver, extra->qualifier, true));
    if (cJSON_GetArraySize(extra->tags) > 0)
        cJSON_AddItemToObject(json, "Tags", cJSON_Duplicate(extra->tags, 1));
    return json;
}
