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
    if (qualifier.len == 0 && !fn_version_is_latest(ver))
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
    cJSON *logging = cJSON_AddObjectToObject(json, "LoggingConfig");

    record_add_str(logging, "ApplicationLogLevel", ver->application_log_level);
    cJSON_AddStringToObject(logging, "LogFormat", ver->log_json ? "JSON" : "Text");
    cJSON_AddStringToObject(logging, "LogGroup", ver->log_group);
    record_add_str(logging, "SystemLogLevel", ver->system_log_level);
}

static void add_layers(cJSON *json, const struct fn_version *ver)
{
    cJSON *list, *layer;
    size_t i;

    if (ver->layers_len == 0)
        return;
    list = cJSON_AddArrayToObject(json, "Layers");
    for (i = 0; i < ver->layers_len; i++) {
        layer = object_of("Arn", ver->layers[i].arn);
        cJSON_AddNumberToObject(layer, "CodeSize", (double)ver->layers[i].bytes);
        cJSON_AddItemToArray(list, layer);
    }
}

static void add_file_systems(cJSON *json, const struct fn_version *ver)
{
    const struct fn_file_system *system;
    cJSON *list, *item;
    size_t i;

    if (ver->file_systems_len == 0)
        return;
    list = cJSON_AddArrayToObject(json, "FileSystemConfigs");
    for (i = 0; i < ver->file_systems_len; i++) {
        system = &ver->file_systems[i];
        item = object_of("Arn", system->arn);
        cJSON_AddStringToObject(item, "LocalMountPath", system->mount_path);
        if (system->direct_s3_read)
            cJSON_AddItemToObject(item, "S3FilesConfig",
                                  object_of("DirectS3Read", system->direct_s3_read));
        cJSON_AddItemToArray(list, item);
    }
}

/* A list that shows even when it is empty. */
static void add_ids(cJSON *json, const char *name, char *const *ids)
{
    if (ids)
        record_add_strv(json, name, ids);
    else
        cJSON_AddArrayToObject(json, name);
}

static void add_vpc(cJSON *json, const struct fn_version *ver)
{
    cJSON *config;

    if (!ver->has_vpc)
        return;
    config = cJSON_AddObjectToObject(json, "VpcConfig");
    cJSON_AddBoolToObject(config, "Ipv6AllowedForDualStack", ver->vpc_ipv6);
    add_ids(config, "SecurityGroupIds", ver->security_group_ids);
    add_ids(config, "SubnetIds", ver->subnet_ids);
    cJSON_AddStringToObject(config, "VpcId", ver->vpc_id ? ver->vpc_id : "");
}

/* A snapshot is there once a version that asked for one is active; $LATEST never has one. */
static void add_snap_start(cJSON *json, const struct fn_version *ver)
{
    bool optimized = ver->snap_start && ver->state == FN_ACTIVE && !fn_version_is_latest(ver);
    cJSON *config;

    config = object_of("ApplyOn", ver->snap_start ? "PublishedVersions" : "None");
    cJSON_AddStringToObject(config, "OptimizationStatus", optimized ? "On" : "Off");
    cJSON_AddItemToObject(json, "SnapStart", config);
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
    cJSON *json = cJSON_CreateObject();
    char modified[CLOCK_ISO_MAX];

    cJSON_AddItemToArray(cJSON_AddArrayToObject(json, "Architectures"),
                         cJSON_CreateString(ver->architecture));
    add_code_sha256(json, ver);
    /* AWS shows 0 for images */
    cJSON_AddNumberToObject(json, "CodeSize", ver->package == FN_ZIP ? (double)ver->code_bytes : 0);
    if (ver->dead_letter_arn)
        cJSON_AddItemToObject(json, "DeadLetterConfig",
                              object_of("TargetArn", ver->dead_letter_arn));
    cJSON_AddStringToObject(json, "Description", ver->description);
    add_environment(json, ver);
    cJSON_AddNumberToObject(cJSON_AddObjectToObject(json, "EphemeralStorage"), "Size",
                            ver->ephemeral_mib);
    add_file_systems(json, ver);
    add_arn(json, ver, qualifier);
    cJSON_AddStringToObject(json, "FunctionName", ver->name);
    record_add_str(json, "Handler", ver->handler);
    add_image_config(json, ver);
    record_add_str(json, "KMSKeyArn", ver->kms_key_arn);
    clock_format_lambda(ver->modified_ms, modified);
    cJSON_AddStringToObject(json, "LastModified", modified);
    if (with_state)
        add_update_status(json, ver);
    add_layers(json, ver);
    add_logging(json, ver);
    cJSON_AddNumberToObject(json, "MemorySize", ver->memory_mib);
    cJSON_AddStringToObject(json, "PackageType", ver->package == FN_IMAGE ? "Image" : "Zip");
    cJSON_AddStringToObject(json, "RevisionId", ver->revision_id);
    cJSON_AddStringToObject(json, "Role", ver->role);
    record_add_str(json, "Runtime", ver->runtime);
    if (with_state)
        add_runtime_version(json, ver);
    add_snap_start(json, ver);
    if (with_state) {
        cJSON_AddStringToObject(json, "State", fn_state_name(ver->state));
        record_add_str(json, "StateReason", ver->state_reason.text);
        record_add_str(json, "StateReasonCode", ver->state_reason.code);
    }
    cJSON_AddNumberToObject(json, "Timeout", ver->timeout_s);
    cJSON_AddItemToObject(json, "TracingConfig",
                          object_of("Mode", ver->tracing_active ? "Active" : "PassThrough"));
    cJSON_AddStringToObject(json, "Version", ver->version);
    add_vpc(json, ver);
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

cJSON *fn_version_to_aws_created(const struct fn_version *ver)
{
    CLEANUP(freep) char *arn = fn_arn_new(str_of(ver->region), str_of(ver->account),
                                          str_of(ver->name), STR_NULL);
    cJSON *json = configuration(ver, STR_NULL, true);

    cJSON_ReplaceItemInObjectCaseSensitive(json, "FunctionArn", cJSON_CreateString(arn));
    return json;
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
        record_add_str(code, "SourceKMSKeyArn", ver->source_kms_key_arn);
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
