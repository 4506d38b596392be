/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CreateAlias, GetAlias, ListAliases, UpdateAlias, DeleteAlias. An alias is kept as the API shows it.
 *
 * Source: Lambda API reference; developer guide, "Aliases", "Weighted aliases"; recorded answers.
 */
#include <string.h>

#include "common/base/id.h"
#include "common/model/lambda_input.h"
#include "controller/ops/concurrency.h"
#include "controller/ops/page.h"

static struct str alias_name(const struct api_request *req)
{
    return cjson_str(req->input, "Name");
}

static const cJSON *alias_find(const struct api_request *req, const struct fn_view *view)
{
    return fn_view_doc(view, FN_ALIASES, alias_name(req));
}

/* "<what>: <ARN of the alias>" */
static int alias_error(const struct api_request *req, enum error_code code, const char *what,
                       struct error *err)
{
    CLEANUP(freep) char *arn = fn_op_arn(req, alias_name(req));

    return error_set(err, code, "%s: %s", what, arn);
}

/* ---- what an alias may lead to ---- */

static int check_version(const struct api_request *req, const struct fn_view *view,
                         struct str version, struct error *err)
{
    CLEANUP(freep) char *arn = NULL;

    if (str_is(version, FN_LATEST) || fn_view_doc(view, FN_VERSION_BYTES, version))
        return 0;
    arn = fn_op_arn(req, version);
    return error_set(err, ERR_NOT_FOUND, "Function not found: %s", arn);
}

static int check_routing(const struct api_request *req, const struct fn_view *view,
                         struct str version, const cJSON *weights, struct error *err)
{
    if (!weights || !weights->child)
        return 0;
    if (weights->child->next)
        return error_set(err, ERR_BAD_REQUEST,
                         "Number of items in AdditionalVersionWeights cannot be greater than 1");
    if (str_is(version, FN_LATEST))
        return error_set(err, ERR_BAD_REQUEST,
                         "$LATEST is not supported for an alias pointing to more than 1 version");
    if (str_is(version, weights->child->string))
        return error_set(err, ERR_BAD_REQUEST,
                         "Invalid function version %s. Function version %s is already included in "
                         "routing configuration.",
                         weights->child->string, weights->child->string);
    return check_version(req, view, str_of(weights->child->string), err);
}

/* Takes over what the input says; @alias has all other members already. */
static int apply(const struct api_request *req, const struct fn_view *view, cJSON *alias,
                 struct error *err)
{
    static const char *const strings[] = {"Description", "FunctionVersion"};
    const cJSON *routing = api_member(req, "RoutingConfig"), *weights;
    char revision[UUID_MAX];
    size_t i;
    int r;

    for (i = 0; i < ARRAY_LEN(strings); i++)
        if (api_member(req, strings[i]))
            cJSON_ReplaceItemInObjectCaseSensitive(alias, strings[i],
                                                   cJSON_Duplicate(api_member(req, strings[i]), 1));
    if (routing) {
        cJSON_DeleteItemFromObjectCaseSensitive(alias, "RoutingConfig");
        weights = cJSON_GetObjectItemCaseSensitive(routing, "AdditionalVersionWeights");
        if (cJSON_GetArraySize(weights) > 0)
            cJSON_AddItemToObject(alias, "RoutingConfig", cJSON_Duplicate(routing, 1));
    }
    r = check_version(req, view, cjson_str(alias, "FunctionVersion"), err);
    if (r == 0)
        r = check_routing(req, view, cjson_str(alias, "FunctionVersion"),
                          cJSON_GetObjectItemCaseSensitive(
                              cJSON_GetObjectItemCaseSensitive(alias, "RoutingConfig"),
                              "AdditionalVersionWeights"),
                          err);
    if (r < 0)
        return r;
    uuid_make(revision);
    cJSON_ReplaceItemInObjectCaseSensitive(alias, "RevisionId", cJSON_CreateString(revision));
    return 0;
}

/* Applies the input to @alias (given away), writes it, makes it the answer. */
static int store(struct api_request *req, const struct fn_view *view, struct fn_write *w,
                 cJSON *alias, cJSON **ret, struct error *err)
{
    bool is_provisioned = fn_view_doc(view, FN_PROVISIONED, alias_name(req)) != NULL;
    int r = apply(req, view, alias, err);

    if (r == 0 && is_provisioned)
        r = concurrency_check_alias(view, alias, err);
    if (r < 0) {
        cJSON_Delete(alias);
        return r;
    }
    fn_write_doc(w, FN_ALIASES, alias_name(req), alias);
    fn_write_drops_routes(w);
    if (is_provisioned) /* another version has the class */
        fn_write_moves_limits(w, concurrency_reserved(view) >= 0);
    *ret = alias;
    return 0;
}

/* ---- operations ---- */

int op_create_alias(struct api_request *req, const struct fn_view *view, struct fn_write *w,
                    cJSON **ret, struct error *err)
{
    CLEANUP(freep) char *arn = fn_op_arn(req, alias_name(req));
    CLEANUP(freep) char *name = str_dup(alias_name(req));
    cJSON *alias;

    if (alias_find(req, view))
        return alias_error(req, ERR_CONFLICT, "Alias already exists", err);
    alias = cJSON_CreateObject();
    cJSON_AddStringToObject(alias, "AliasArn", arn);
    cJSON_AddStringToObject(alias, "Description", "");
    cJSON_AddStringToObject(alias, "FunctionVersion", "");
    cJSON_AddStringToObject(alias, "Name", name);
    cJSON_AddStringToObject(alias, "RevisionId", "");
    return store(req, view, w, alias, ret, err);
}

int op_get_alias(struct api_request *req, const struct fn_view *view, struct fn_write *w,
                 cJSON **ret, struct error *err)
{
    const cJSON *alias = alias_find(req, view);

    (void)w;
    if (!alias)
        return alias_error(req, ERR_NOT_FOUND, "Cannot find alias arn", err);
    *ret = cJSON_Duplicate(alias, 1);
    return 0;
}

int op_update_alias(struct api_request *req, const struct fn_view *view, struct fn_write *w,
                    cJSON **ret, struct error *err)
{
    const cJSON *alias = alias_find(req, view);
    int r;

    if (!alias)
        return alias_error(req, ERR_NOT_FOUND, "Alias not found", err);
    r = fn_op_check_revision(req, cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(
                                      alias, "RevisionId")),
                             err);
    return r < 0 ? r : store(req, view, w, cJSON_Duplicate(alias, 1), ret, err);
}

int op_delete_alias(struct api_request *req, const struct fn_view *view, struct fn_write *w,
                    cJSON **ret, struct error *err)
{
    struct str name = alias_name(req);

    (void)err;
    *ret = NULL;
    if (!alias_find(req, view))
        return 0; /* gone already: that is what was asked for */
    fn_write_no_doc(w, FN_ALIASES, name);
    fn_write_no_doc(w, FN_POLICIES, name);
    op_url_forget(view, w, name);
    fn_write_no_doc(w, FN_EVENT_CONFIGS, name);
    concurrency_drop_provisioned(w, view, name);
    fn_write_drops_routes(w);
    return 0;
}

/* An additional version that some invocations get does not count. */
static bool leads_to(const cJSON *alias, const void *version)
{
    const struct str *wanted = version;

    return wanted->len == 0 || str_eq(cjson_str(alias, "FunctionVersion"), *wanted);
}

int op_list_aliases(struct api_request *req, const struct fn_view *view, struct fn_write *w,
                    cJSON **ret, struct error *err)
{
    struct str version = cjson_str(req->input, "FunctionVersion");
    cJSON *json = cJSON_CreateObject();
    int r;

    (void)w;
    r = page_add_items(json, "Aliases", view->kinds[FN_ALIASES], req->input, leads_to, &version,
                       err);
    if (r < 0)
        cJSON_Delete(json);
    else
        *ret = json;
    return r;
}
