/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recursion and runtime management configurations of a function, and GetAccountSettings.
 *
 * A function keeps the version of its runtime until its code or configuration is updated, so all
 * three modes of runtime management let it run what it runs: the mode is kept and shown. Manual
 * names a runtime version; there is only the one that the function has.
 *
 * Source: Lambda API reference; developer guide, "Runtime version updates", "Recursive loop
 * detection", "Lambda quotas".
 */
#include <stdlib.h>

#include "common/model/lambda_input.h"
#include "controller/ops/fn_op.h"

/* ---- recursion ---- */

static cJSON *recursion_json(const char *mode)
{
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "RecursiveLoop", mode);
    return json;
}

int op_get_recursion(struct api_request *req, const struct fn_view *view, struct fn_write *w,
                     cJSON **ret, struct error *err)
{
    const char *mode = cJSON_GetStringValue(
        cJSON_GetObjectItemCaseSensitive(view->settings, "recursion"));

    (void)req;
    (void)w;
    (void)err;
    *ret = recursion_json(mode ? mode : "Terminate");
    return 0;
}

int op_put_recursion(struct api_request *req, const struct fn_view *view, struct fn_write *w,
                     cJSON **ret, struct error *err)
{
    CLEANUP(freep) char *mode = str_dup(cjson_str(req->input, "RecursiveLoop"));

    (void)view;
    (void)err;
    fn_write_string(w, "recursion", str_of(mode));
    *ret = recursion_json(mode);
    return 0;
}

/* ---- runtime management ---- */

/* The version that the request is about; NULL: the qualifier is an alias. */
static const struct fn_version *runtime_of(const struct api_request *req,
                                           const struct fn_view *view)
{
    if (req->fn.qualifier.len == 0 || str_is(req->fn.qualifier, FN_LATEST))
        return view->rec->ver;
    return view->alias ? NULL : view->version;
}

static int check_runtime_qualifier(const struct api_request *req, const struct fn_view *view,
                                   struct error *err)
{
    if (runtime_of(req, view))
        return 0;
    return error_set(err, ERR_BAD_REQUEST,
                     "Runtime management configurations belong to versions. Please specify "
                     "$LATEST or the number of a published version.");
}

static int check_runtime_version(const struct api_request *req, const struct fn_version *ver,
                                 struct error *err)
{
    struct str named = cjson_str(req->input, "RuntimeVersionArn");
    bool is_manual = str_is(cjson_str(req->input, "UpdateRuntimeOn"), "Manual");
    CLEANUP(freep) char *arn = fn_version_runtime_arn(ver);

    if (ver->package == FN_IMAGE)
        return error_set(err, ERR_BAD_REQUEST,
                         "Runtime management configurations are not supported for functions "
                         "defined with container images.");
    if (is_manual && !named.len)
        return error_set(err, ERR_BAD_REQUEST,
                         "RuntimeVersionArn must be specified when UpdateRuntimeOn is Manual.");
    if (!is_manual && named.len)
        return error_set(err, ERR_BAD_REQUEST,
                         "RuntimeVersionArn can be specified only when UpdateRuntimeOn is Manual.");
    if (is_manual && (!arn || !str_is(named, arn)))
        return error_set(err, ERR_BAD_REQUEST,
                         "The runtime version %.*s is not available for this function.",
                         STR_ARG(named));
    return 0;
}

static cJSON *runtime_management_json(const struct api_request *req, struct str mode,
                                      struct str runtime_version)
{
    CLEANUP(freep) char *arn = fn_op_arn(req, req->fn.qualifier);
    CLEANUP(freep) char *mode_text = str_dup(mode);
    CLEANUP(freep) char *version_text = str_dup(runtime_version);
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "FunctionArn", arn);
    if (runtime_version.len)
        cJSON_AddStringToObject(json, "RuntimeVersionArn", version_text);
    cJSON_AddStringToObject(json, "UpdateRuntimeOn", mode_text);
    return json;
}

int op_put_runtime_management(struct api_request *req, const struct fn_view *view,
                              struct fn_write *w, cJSON **ret, struct error *err)
{
    int r = check_runtime_qualifier(req, view, err);

    if (r == 0)
        r = check_runtime_version(req, runtime_of(req, view), err);
    if (r < 0)
        return r;
    *ret = runtime_management_json(req, cjson_str(req->input, "UpdateRuntimeOn"),
                                   cjson_str(req->input, "RuntimeVersionArn"));
    fn_write_doc(w, FN_RUNTIME_CONFIGS, fn_op_field(req), *ret);
    return 0;
}

int op_get_runtime_management(struct api_request *req, const struct fn_view *view,
                              struct fn_write *w, cJSON **ret, struct error *err)
{
    const cJSON *config = fn_view_doc(view, FN_RUNTIME_CONFIGS, fn_op_field(req));
    int r = check_runtime_qualifier(req, view, err);

    (void)w;
    if (r < 0)
        return r;
    *ret = config ? runtime_management_json(req, cjson_str(config, "UpdateRuntimeOn"),
                                            cjson_str(config, "RuntimeVersionArn"))
                  : runtime_management_json(req, STR("Auto"), STR_NULL);
    return 0;
}

/* ---- GetAccountSettings ---- */

static double counter(const struct redis_value *value)
{
    uint64_t n = 0;

    if (value->type == REDIS_INTEGER)
        return (double)value->integer;
    str_parse_u64(value->str, &n);
    return (double)n;
}

enum { CODE_BYTES, FUNCTIONS, RESERVED };

static void on_account(const struct redis_value *values, size_t len, const struct error *err,
                       void *arg)
{
    struct api_request *req = arg;
    const struct controller_config *config = req->c->config;
    cJSON *json, *limit, *usage;

    (void)len;
    if (err) {
        api_fail(req, err);
        return;
    }
    json = cJSON_CreateObject();
    limit = cJSON_AddObjectToObject(json, "AccountLimit");
    cJSON_AddNumberToObject(limit, "CodeSizeUnzipped", 262144000);
    cJSON_AddNumberToObject(limit, "CodeSizeZipped", 52428800);
    cJSON_AddNumberToObject(limit, "ConcurrentExecutions", (double)config->account_concurrency);
    cJSON_AddNumberToObject(limit, "TotalCodeSize", (double)config->code_storage_max);
    cJSON_AddNumberToObject(limit, "UnreservedConcurrentExecutions",
                            (double)config->account_concurrency - counter(&values[RESERVED]));
    usage = cJSON_AddObjectToObject(json, "AccountUsage");
    cJSON_AddNumberToObject(usage, "FunctionCount", counter(&values[FUNCTIONS]));
    cJSON_AddNumberToObject(usage, "TotalCodeSize", counter(&values[CODE_BYTES]));
    api_reply(req, json);
}

void api_get_account_settings(struct api_request *req)
{
    struct docs_read *read = docs_read_new(req->c->redis, req->home.account);

    docs_read_counter(read, FN_CODE_BYTES_KEY);
    docs_read_size(read, "fns");
    docs_read_counter(read, FN_RESERVED_KEY);
    docs_read_run(read, on_account, req);
}
