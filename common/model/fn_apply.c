/* SPDX-License-Identifier: Apache-2.0 */
#include "common/model/fn_apply.h"

#include <inttypes.h>
#include <string.h>

#include "common/model/fn_name.h"
#include "common/model/fn_unoffered.h"
#include "common/model/lambda_input.h"
#include "common/model/record.h"

/* Defaults and limits: Lambda API reference, CreateFunction; developer guide, "Lambda quotas". */
#define MEMORY_MIB_DEFAULT 128
#define MEMORY_MIB_MAX 10240
#define TIMEOUT_S_DEFAULT 3
#define TIMEOUT_S_MAX 900
#define EPHEMERAL_MIB_DEFAULT 512
#define EPHEMERAL_MIB_MAX 10240
#define ENV_BYTES_MAX 4096
#define TAGS_MAX 50

/* Names that Lambda sets itself (developer guide, "Reserved environment variables"). */
static const char *const reserved_env[] = {
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
};

static const cJSON *member(const cJSON *json, const char *name)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(json, name);

    return value && !cJSON_IsNull(value) ? value : NULL;
}

/* ---- environment */

static bool is_reserved(const char *name)
{
    size_t i;

    for (i = 0; i < ARRAY_LEN(reserved_env); i++)
        if (strcmp(reserved_env[i], name) == 0)
            return true;
    return false;
}

static int check_env_names(const cJSON *vars, struct error *err)
{
    CLEANUP(buf_done) struct buf names = BUF_INIT(ERROR_MSG_MAX / 2);
    const cJSON *var;

    cJSON_ArrayForEach(var, vars)
    {
        if (is_reserved(var->string))
            buf_printf(&names, "%s%s", names.len > 0 ? ", " : "", var->string);
    }
    if (names.len == 0)
        return 0;
    return error_set(err, ERR_BAD_REQUEST,
                     "Lambda was unable to configure your environment variables because the "
                     "environment variables you have provided contains reserved keys that are "
                     "currently not supported for modification. Reserved keys used in this "
                     "request: %.*s",
                     STR_ARG(buf_str(&names)));
}

static int check_env_size(const cJSON *vars, struct error *err)
{
    char *text = cJSON_PrintUnformatted(vars);
    size_t len;

    if (!text)
        abort();
    len = strlen(text);
    explicit_bzero(text, len);
    cJSON_free(text);
    if (len <= ENV_BYTES_MAX)
        return 0;
    /* AWS ends with the variables themselves; secrets do not belong into messages */
    return error_set(err, ERR_BAD_REQUEST,
                     "Lambda was unable to configure your environment variables because the "
                     "environment variables you have provided exceeded the 4KB limit. String "
                     "measured: %zu bytes",
                     len);
}

static int apply_environment(const cJSON *input, struct fn_version *ver, struct error *err)
{
    const cJSON *environment = member(input, "Environment");
    const cJSON *vars = member(environment, "Variables");
    struct env_var *env = NULL;
    size_t len = 0;
    int r = 0;

    if (!environment)
        return 0;
    if (vars)
        r = check_env_names(vars, err);
    if (r == 0 && vars)
        r = check_env_size(vars, err);
    if (r == 0 && vars)
        r = env_from_json(vars, &env, &len, err);
    if (r < 0)
        return r;
    env_free(ver->env, ver->env_len);
    ver->env = env;
    ver->env_len = len;
    ver->has_env = true;
    return 0;
}

/* ---- numbers */

/*
 * Applies the whole number @value of the member called @name. The model's maximum is that of
 * managed instances; ours is what AWS allows every other function, in the words it has for that.
 */
static int apply_number(const cJSON *value, const char *name, uint32_t max, uint32_t *to,
                        struct error *err)
{
    if (!value)
        return 0;
    if (value->valuedouble > max)
        return error_set(err, ERR_BAD_REQUEST,
                         "'%s' value failed to satisfy constraint: Member must have value less "
                         "than or equal to %" PRIu32,
                         name, max);
    *to = (uint32_t)value->valuedouble;
    return 0;
}

static int apply_numbers(const cJSON *input, struct fn_version *ver, struct error *err)
{
    const cJSON *size = member(member(input, "EphemeralStorage"), "Size");
    int r;

    r = apply_number(member(input, "MemorySize"), "MemorySize", MEMORY_MIB_MAX, &ver->memory_mib,
                     err);
    if (r == 0)
        r = apply_number(member(input, "Timeout"), "Timeout", TIMEOUT_S_MAX, &ver->timeout_s, err);
    if (r == 0)
        r = apply_number(size, "EphemeralStorage.Size", EPHEMERAL_MIB_MAX, &ver->ephemeral_mib,
                         err);
    return r;
}

/* ---- runtime, handler, image configuration */

/* 64 hex digits that differ when the runtime's image does; not a secret, so no cryptography. */
static char *runtime_version_new(const struct runtime *rt)
{
    uint64_t h[4];
    const char *c;
    size_t i;

    for (i = 0; i < ARRAY_LEN(h); i++) {
        h[i] = 0xcbf29ce484222325u + i; /* FNV-1a */
        for (c = rt->name; *c; c++)
            h[i] = (h[i] ^ (unsigned char)*c) * 0x100000001b3u;
        for (c = rt->image; *c; c++)
            h[i] = (h[i] ^ (unsigned char)*c) * 0x100000001b3u;
    }
    return str_printf("%016" PRIx64 "%016" PRIx64 "%016" PRIx64 "%016" PRIx64, h[0], h[1], h[2],
                      h[3]);
}

/* Runtime, Handler and ImageConfig as the package type allows them. */
static int apply_code_settings(const cJSON *input, const struct fn_defaults *defaults,
                               struct fn_version *ver, struct error *err)
{
    struct str runtime = cjson_str(input, "Runtime"), handler = cjson_str(input, "Handler");
    const cJSON *config = member(input, "ImageConfig");
    int r;

    if (ver->package == FN_IMAGE && (runtime.ptr || handler.ptr))
        return error_set(err, ERR_BAD_REQUEST,
                         "The Runtime and Handler parameters are not supported for functions "
                         "created with container images.");
    if (ver->package == FN_ZIP && fn_is_set(config))
        return error_set(err, ERR_BAD_REQUEST,
                         "The ImageConfig parameter is not supported for functions created with "
                         "deployment packages.");
    if (runtime.ptr) {
        r = runtimes_check(defaults->runtimes, runtime, err);
        if (r < 0)
            return r;
        fn_set_str(&ver->runtime, runtime);
        free(ver->runtime_version);
        ver->runtime_version = runtime_version_new(runtimes_find(defaults->runtimes, runtime));
    }
    if (handler.ptr)
        fn_set_str(&ver->handler, handler);
    if (ver->package == FN_ZIP && (!ver->runtime || !ver->handler || !ver->handler[0]))
        return error_set(err, ERR_BAD_REQUEST,
                         "Runtime and Handler are mandatory parameters for functions created with "
                         "deployment packages.");
    return 0;
}

/* A list of the image's configuration; an empty one stands for none. */
static char **image_list_new(const cJSON *list)
{
    return cJSON_GetArraySize(list) > 0 ? strv_from_json(list) : NULL;
}

/* ImageConfig is replaced as a whole: what it does not name goes back to the image's own. */
static void apply_image_config(const cJSON *input, struct fn_version *ver)
{
    const cJSON *config = member(input, "ImageConfig");
    struct str directory = cjson_str(config, "WorkingDirectory");

    if (!config)
        return;
    strv_free(ver->entry_point);
    strv_free(ver->command);
    ver->entry_point = image_list_new(member(config, "EntryPoint"));
    ver->command = image_list_new(member(config, "Command"));
    fn_set_str(&ver->working_directory, directory.len > 0 ? directory : STR_NULL);
}

static int apply_architecture(const cJSON *input, const struct fn_defaults *defaults,
                              struct fn_version *ver, struct error *err)
{
    const cJSON *list = member(input, "Architectures");
    const struct runtime *rt;
    bool fits;

    if (list)
        fn_set_str(&ver->architecture, str_of(cJSON_GetStringValue(cJSON_GetArrayItem(list, 0))));
    else if (!ver->architecture)
        fn_set_str(&ver->architecture, defaults->architecture);
    rt = ver->runtime ? runtimes_find(defaults->runtimes, str_of(ver->runtime)) : NULL;
    fits = !rt || (strcmp(ver->architecture, "arm64") == 0 ? rt->arm64 : rt->x86_64);
    if (fits)
        return 0;
    return error_set(err, ERR_BAD_REQUEST,
                     "The runtime parameter of %s is not available for the architecture %s here.",
                     rt->name, ver->architecture);
}

/* ---- the rest of the configuration */

static void apply_strings(const cJSON *input, struct fn_version *ver)
{
    struct str role = cjson_str(input, "Role"), description = cjson_str(input, "Description");
    struct str group = cjson_str(member(input, "LoggingConfig"), "LogGroup");

    if (role.ptr)
        fn_set_str(&ver->role, role);
    if (description.ptr)
        fn_set_str(&ver->description, description);
    if (group.ptr)
        fn_set_str(&ver->log_group, group);
}

/* What CreateFunction and UpdateFunctionConfiguration have in common. */
static int apply_configuration(const cJSON *input, const struct fn_defaults *defaults,
                               struct fn_version *ver, struct error *err)
{
    int r;

    r = fn_check_offered(input, err);
    if (r == 0)
        r = apply_code_settings(input, defaults, ver, err);
    if (r == 0)
        r = apply_numbers(input, ver, err);
    if (r == 0)
        r = apply_environment(input, ver, err);
    if (r < 0)
        return r;
    apply_image_config(input, ver);
    apply_strings(input, ver);
    return 0;
}

static int apply_tags(const cJSON *input, struct fn_version *ver, struct error *err)
{
    const cJSON *tags = member(input, "Tags");

    if (cJSON_GetArraySize(tags) > TAGS_MAX)
        return error_set(err, ERR_BAD_REQUEST, "Number of tags exceeds resource tag limit.");
    if (tags)
        ver->tags = cJSON_Duplicate(tags, 1);
    return 0;
}

/*
 * The source of the code, which must be of the package's kind: @code is Code of CreateFunction
 * or the whole of UpdateFunctionCode; @doing is "creating" or "updating".
 */
static int apply_source(const cJSON *code, const char *doing, struct fn_version *ver,
                        struct error *err)
{
    struct str uri = cjson_str(code, "ImageUri");
    int r;

    r = fn_check_source_offered(code, err);
    if (r < 0)
        return r;
    if (ver->package == FN_ZIP && uri.len > 0)
        return error_set(err, ERR_BAD_REQUEST,
                         "Please don't provide ImageUri when %s a function with packageType Zip.",
                         doing);
    if (ver->package == FN_ZIP && cjson_str(code, "ZipFile").len == 0)
        return error_set(err, ERR_BAD_REQUEST, "Please provide a source for function code.");
    if (ver->package == FN_ZIP)
        return 0;
    if (uri.len == 0 || member(code, "ZipFile"))
        return error_set(err, ERR_BAD_REQUEST,
                         "Please provide ImageUri when %s a function with packageType Image.",
                         doing);
    fn_set_str(&ver->image_uri, uri);
    fn_set_str(&ver->resolved_image_uri, STR_NULL);
    fn_set_str(&ver->code_sha256, STR_NULL);
    ver->code_bytes = 0;
    return 0;
}

/* Name, account and region, and what a new function is when the request does not say. */
static int apply_identity(const cJSON *input, const struct fn_defaults *defaults,
                          struct fn_version *ver, struct error *err)
{
    const struct fn_home home = {defaults->account, defaults->region};
    struct fn_name name;
    int r;

    r = fn_name_resolve(cjson_str(input, "FunctionName"), FN_NAME_PLAIN, STR_NULL, &home, &name,
                        err);
    if (r < 0)
        return r;
    if (name.qualifier.ptr && !str_is(name.qualifier, FN_LATEST))
        return error_set(err, ERR_BAD_REQUEST,
                         "The derived qualifier from the function name does not match the "
                         "specified qualifier.");
    fn_set_str(&ver->account, name.account);
    fn_set_str(&ver->region, name.region);
    fn_set_str(&ver->name, name.name);
    ver->log_group = str_printf("/aws/lambda/%s", ver->name);
    ver->package = str_is(cjson_str(input, "PackageType"), "Image") ? FN_IMAGE : FN_ZIP;
    ver->memory_mib = MEMORY_MIB_DEFAULT;
    ver->timeout_s = TIMEOUT_S_DEFAULT;
    ver->ephemeral_mib = EPHEMERAL_MIB_DEFAULT;
    return 0;
}

int fn_apply_create(const cJSON *input, const struct fn_defaults *defaults, struct fn_version **ret,
                    struct error *err)
{
    CLEANUP(fn_version_freep) struct fn_version *ver = fn_version_new();
    int r;

    r = apply_identity(input, defaults, ver, err);
    if (r == 0)
        r = apply_configuration(input, defaults, ver, err);
    if (r == 0)
        r = apply_architecture(input, defaults, ver, err);
    if (r == 0)
        r = apply_source(member(input, "Code"), "creating", ver, err);
    if (r == 0)
        r = apply_tags(input, ver, err);
    if (r < 0)
        return r;
    fn_version_set_state(ver, FN_PENDING, FN_REASON_CREATING, FN_REASON_CREATING_TEXT);
    fn_set_str(&ver->revision_id, str_of(defaults->revision_id));
    ver->generation = 1;
    ver->created_ms = ver->modified_ms = defaults->now_ms;
    *ret = TAKE(ver);
    return 0;
}

static int check_revision(const cJSON *input, const struct fn_version *cur, struct error *err)
{
    struct str revision = cjson_str(input, "RevisionId");

    if (!revision.ptr || str_is(revision, cur->revision_id))
        return 0;
    return error_set(err, ERR_PRECONDITION,
                     "The Revision Id provided does not match the latest Revision Id. Call the "
                     "GetFunction/GetAlias API to retrieve the latest Revision Id");
}

/* Makes the changed copy @ver the next generation, with its update under way. */
static void begin_update(struct fn_version *ver, const struct fn_defaults *defaults)
{
    fn_version_set_update(ver, FN_UPDATE_IN_PROGRESS, FN_REASON_CREATING, FN_REASON_CREATING_TEXT);
    fn_set_str(&ver->revision_id, str_of(defaults->revision_id));
    ver->generation++;
    ver->modified_ms = defaults->now_ms;
}

int fn_apply_update_configuration(const cJSON *input, const struct fn_defaults *defaults,
                                  const struct fn_version *cur, struct fn_version **ret,
                                  struct error *err)
{
    CLEANUP(fn_version_freep) struct fn_version *ver = fn_version_copy(cur);
    int r;

    r = check_revision(input, cur, err);
    if (r == 0)
        r = apply_configuration(input, defaults, ver, err);
    if (r == 0)
        r = apply_architecture(input, defaults, ver, err);
    if (r < 0)
        return r;
    begin_update(ver, defaults);
    *ret = TAKE(ver);
    return 0;
}

int fn_apply_update_code(const cJSON *input, const struct fn_defaults *defaults,
                         const struct fn_version *cur, struct fn_version **ret, struct error *err)
{
    CLEANUP(fn_version_freep) struct fn_version *ver = fn_version_copy(cur);
    int r;

    r = check_revision(input, cur, err);
    if (r == 0)
        r = fn_check_offered(input, err);
    if (r == 0)
        r = apply_source(input, "updating", ver, err);
    if (r == 0)
        r = apply_architecture(input, defaults, ver, err);
    if (r < 0)
        return r;
    begin_update(ver, defaults);
    *ret = TAKE(ver);
    return 0;
}
