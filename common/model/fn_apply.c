/* SPDX-License-Identifier: Apache-2.0 */
#include "common/model/fn_apply.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/model/fn_apply_parts.h"
#include "common/model/fn_layers.h"
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
#define TAGS_MAX 50

const cJSON *fn_member(const cJSON *json, const char *name)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(json, name);

    return value && !cJSON_IsNull(value) ? value : NULL;
}

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
    const cJSON *size = fn_member(fn_member(input, "EphemeralStorage"), "Size");
    int r;

    r = apply_number(fn_member(input, "MemorySize"), "MemorySize", MEMORY_MIB_MAX,
                     &ver->memory_mib, err);
    if (r == 0)
        r = apply_number(fn_member(input, "Timeout"), "Timeout", TIMEOUT_S_MAX, &ver->timeout_s,
                         err);
    if (r == 0)
        r = apply_number(size, "EphemeralStorage.Size", EPHEMERAL_MIB_MAX, &ver->ephemeral_mib,
                         err);
    return r;
}

/*
 * Layers are replaced as a whole by those that were found for the request. A request whose layers
 * nobody looked up is a mistake of ours.
 */
static int apply_layers(const cJSON *input, const struct fn_defaults *defaults,
                        struct fn_version *ver, struct error *err)
{
    char **arns;
    size_t i;
    int r;

    r = fn_layer_arns(input, defaults->region, &arns, err);
    if (r < 0 || !arns)
        return r;
    for (i = 0; arns[i] && i < defaults->layers_len; i++)
        if (strcmp(arns[i], defaults->layers[i].arn) != 0)
            break;
    if (arns[i] || i != defaults->layers_len)
        r = error_set(err, ERR_INTERNAL, "the layers of the request were not looked up");
    strv_free(arns);
    if (r < 0)
        return r;
    fn_set_layers(ver, defaults->layers, defaults->layers_len);
    return fn_check_unzipped(ver, err);
}

static void apply_strings(const cJSON *input, struct fn_version *ver)
{
    struct str role = cjson_str(input, "Role"), description = cjson_str(input, "Description");

    if (role.ptr)
        fn_set_str(&ver->role, role);
    if (description.ptr)
        fn_set_str(&ver->description, description);
}

/* What CreateFunction and UpdateFunctionConfiguration have in common. */
static int apply_configuration(const cJSON *input, const struct fn_defaults *defaults,
                               struct fn_version *ver, struct error *err)
{
    int r;

    r = fn_check_offered(input, err);
    if (r == 0)
        r = fn_apply_code_settings(input, defaults, ver, err);
    if (r == 0)
        r = fn_apply_architecture(input, defaults, ver, err);
    if (r == 0)
        r = apply_numbers(input, ver, err);
    if (r == 0)
        r = fn_apply_environment(input, defaults->long_message, ver, err);
    if (r == 0)
        r = apply_layers(input, defaults, ver, err);
    if (r == 0)
        r = fn_apply_settings(input, defaults, ver, err);
    if (r == 0)
        r = fn_apply_network(input, defaults, ver, err);
    if (r == 0)
        apply_strings(input, ver);
    return r;
}

static int apply_tags(const cJSON *input, struct fn_version *ver, struct error *err)
{
    const cJSON *tags = fn_member(input, "Tags");

    if (cJSON_GetArraySize(tags) > TAGS_MAX)
        return error_set(err, ERR_BAD_REQUEST, "Number of tags exceeds resource tag limit.");
    if (tags)
        ver->tags = cJSON_Duplicate(tags, 1);
    return 0;
}

/*
 * Variables that an update empties are not shown any more: Terraform removes an environment in
 * this way and expects to read none. Variables that were created empty are shown so.
 */
static void forget_empty_environment(const cJSON *input, struct fn_version *ver)
{
    if (fn_member(input, "Environment") && ver->env_len == 0)
        ver->has_env = false;
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
    r = fn_name_check_new(&name, err);
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
        r = fn_apply_source(fn_member(input, "Code"), true, ver, err);
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
    if (r < 0)
        return r;
    forget_empty_environment(input, ver);
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
        r = fn_apply_source(input, false, ver, err);
    if (r == 0)
        r = fn_apply_architecture(input, defaults, ver, err);
    if (r < 0)
        return r;
    begin_update(ver, defaults);
    *ret = TAKE(ver);
    return 0;
}
