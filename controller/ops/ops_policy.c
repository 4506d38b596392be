/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AddPermission, GetPolicy, RemovePermission: who may call a function, a version or an alias.
 *
 * Kept for each qualifier: {"revision": UUID, "statements": [as the API shows each]}. A policy has a
 * revision of its own; a change of it also gives a new RevisionId to what it belongs to. Whoever
 * names a RevisionId may name either.
 *
 * Source: Lambda API reference; developer guide, "Resource-based policies"; recorded answers.
 */
#include <stdlib.h>

#include "common/base/id.h"
#include "common/model/lambda_input.h"
#include "common/model/pattern.h"
#include "controller/ops/fn_op.h"

#define POLICY_BYTES_MAX 20480u /* Lambda quotas */

/* ---- principals ---- */

static const char *const services[] = {
    "amazonaws.com", "amazonaws.com.cn", "amazon.com", "aws.internal",
};

static bool is_service(struct str principal)
{
    size_t i;

    if (pattern_match("[a-zA-Z0-9-]+(\\.[a-zA-Z0-9-]+)+", principal) != 1)
        return false;
    for (i = 0; i < ARRAY_LEN(services); i++) {
        CLEANUP(freep) char *end = str_printf(".%s", services[i]);

        if (str_ends(principal, str_of(end)))
            return true;
    }
    return false;
}

/* An identity by its ARN or its unique id. Whether it exists is not looked up. */
static bool is_identity(struct str principal)
{
    return pattern_match("arn:aws[a-z-]*:iam::(\\d{12}|cloudfront):(root|(user|role)/.+)",
                         principal) == 1 ||
           pattern_match("arn:aws[a-z-]*:sts::\\d{12}:(assumed-role|federated-user)/.+",
                         principal) == 1 ||
           pattern_match("A(ID|RO)A[A-Z0-9]{12,124}", principal) == 1;
}

/* Statement.Principal; NULL: it is none. */
static cJSON *principal_new(const struct api_request *req)
{
    struct str principal = cjson_str(req->input, "Principal");
    CLEANUP(freep) char *text = str_dup(principal);
    const char *kind = "AWS";
    cJSON *json;

    if (str_is(principal, "*"))
        return cJSON_CreateString("*");
    if (pattern_match("\\d{12}", principal) == 1) {
        CLEANUP(freep)
        char *arn = str_printf("arn:%s:iam::%s:root", fn_arn_partition(req->home.region), text);

        json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, kind, arn);
        return json;
    }
    if (is_service(principal))
        kind = "Service";
    else if (!is_identity(principal))
        return NULL;
    json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, kind, text);
    return json;
}

/* ---- statements ---- */

/* Condition: each member of the input that is there, under its operator and key. */
static const struct condition {
    const char *member, *op, *key;
} conditions[] = {
    {"EventSourceToken", "StringEquals", "lambda:EventSourceToken"},
    {"SourceAccount", "StringEquals", "AWS:SourceAccount"},
    {"PrincipalOrgID", "StringEquals", "aws:PrincipalOrgID"},
    {"FunctionUrlAuthType", "StringEquals", "lambda:FunctionUrlAuthType"},
    {"InvokedViaFunctionUrl", "Bool", "lambda:InvokedViaFunctionUrl"},
    {"SourceArn", "ArnLike", "AWS:SourceArn"},
};

static void add_condition(const struct api_request *req, cJSON *statement)
{
    cJSON *condition = NULL, *op;
    size_t i;

    for (i = 0; i < ARRAY_LEN(conditions); i++) {
        const cJSON *value = api_member(req, conditions[i].member);

        if (!value)
            continue;
        if (!condition)
            condition = cJSON_AddObjectToObject(statement, "Condition");
        op = cJSON_GetObjectItemCaseSensitive(condition, conditions[i].op);
        if (!op)
            op = cJSON_AddObjectToObject(condition, conditions[i].op);
        if (cJSON_IsBool(value))
            cJSON_AddStringToObject(op, conditions[i].key, cJSON_IsTrue(value) ? "true" : "false");
        else
            cJSON_AddStringToObject(op, conditions[i].key, value->valuestring);
    }
}

static int statement_new(const struct api_request *req, cJSON **ret, struct error *err)
{
    CLEANUP(freep) char *arn = fn_op_arn(req, req->fn.qualifier);
    CLEANUP(freep) char *sid = str_dup(cjson_str(req->input, "StatementId"));
    CLEANUP(freep) char *action = str_dup(cjson_str(req->input, "Action"));
    cJSON *statement, *principal = principal_new(req);

    if (!principal)
        return error_set(err, ERR_BAD_REQUEST,
                         "The provided principal was invalid. Please check the principal and try "
                         "again.");
    statement = cJSON_CreateObject();
    cJSON_AddStringToObject(statement, "Sid", sid);
    cJSON_AddStringToObject(statement, "Effect", "Allow");
    cJSON_AddItemToObject(statement, "Principal", principal);
    cJSON_AddStringToObject(statement, "Action", action);
    cJSON_AddStringToObject(statement, "Resource", arn);
    add_condition(req, statement);
    *ret = statement;
    return 0;
}

/* ---- policies ---- */

/* The policy of the request's qualifier, or NULL. $LATEST by its name has none, ever. */
static const cJSON *policy_find(const struct api_request *req, const struct fn_view *view)
{
    return str_is(req->fn.qualifier, FN_LATEST)
               ? NULL
               : fn_view_doc(view, FN_POLICIES, fn_op_field(req));
}

/* As GetPolicy shows it; the caller frees it. */
static char *policy_text(const cJSON *policy)
{
    cJSON *json = cJSON_CreateObject();
    char *text;

    cJSON_AddStringToObject(json, "Version", "2012-10-17");
    cJSON_AddStringToObject(json, "Id", "default");
    cJSON_AddItemToObject(
        json, "Statement",
        cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(policy, "statements"), 1));
    text = cJSON_PrintUnformatted(json);
    if (!text)
        abort();
    cJSON_Delete(json);
    return text;
}

/* Its place among the statements; -1: there is none with this Sid. */
static int statement_at(const cJSON *policy, struct str sid)
{
    const cJSON *statement;
    int at = 0;

    cJSON_ArrayForEach(statement, cJSON_GetObjectItemCaseSensitive(policy, "statements"))
    {
        if (str_eq(cjson_str(statement, "Sid"), sid))
            return at;
        at++;
    }
    return -1;
}

/* The RevisionId of what the policy belongs to. */
static struct str owner_revision(const struct api_request *req, const struct fn_view *view)
{
    if (req->fn.qualifier.len == 0)
        return str_of(view->rec->ver->revision_id);
    return view->alias ? cjson_str(view->alias, "RevisionId")
                       : str_of(view->version->revision_id);
}

static int check_revision(const struct api_request *req, const struct fn_view *view,
                          const cJSON *policy, struct error *err)
{
    struct str named = cjson_str(req->input, "RevisionId");

    if (!named.ptr || str_eq(named, owner_revision(req, view)) ||
        (policy && str_eq(named, cjson_str(policy, "revision"))))
        return 0;
    return error_set(err, ERR_PRECONDITION,
                     "The Revision Id provided does not match the latest Revision Id. Call the "
                     "GetPolicy API to retrieve the latest Revision Id");
}

/* ---- writing ---- */

static int renew_owner(const struct api_request *req, const struct fn_view *view,
                       struct fn_write *w, struct error *err)
{
    CLEANUP(fn_version_freep) struct fn_version *ver = NULL;
    char revision[UUID_MAX];
    cJSON *alias;

    uuid_make(revision);
    if (req->fn.qualifier.len == 0) {
        fn_write_revision(w, revision);
        return 0;
    }
    if (view->alias) {
        alias = cJSON_Duplicate(view->alias, 1);
        cJSON_ReplaceItemInObjectCaseSensitive(alias, "RevisionId", cJSON_CreateString(revision));
        fn_write_doc(w, FN_ALIASES, req->fn.qualifier, alias);
        cJSON_Delete(alias);
        return 0;
    }
    ver = fn_version_copy(view->version);
    fn_set_str(&ver->revision_id, str_of(revision));
    return fn_write_version(w, ver, false, err);
}

/* Writes @policy (given away); without statements it is no more. */
static int store(const struct api_request *req, const struct fn_view *view, struct fn_write *w,
                 cJSON *policy, struct error *err)
{
    char revision[UUID_MAX];

    uuid_make(revision);
    cJSON_ReplaceItemInObjectCaseSensitive(policy, "revision", cJSON_CreateString(revision));
    if (cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(policy, "statements")) > 0)
        fn_write_doc(w, FN_POLICIES, fn_op_field(req), policy);
    else
        fn_write_no_doc(w, FN_POLICIES, fn_op_field(req));
    cJSON_Delete(policy);
    return renew_owner(req, view, w, err);
}

static int check_length(const cJSON *policy, struct error *err)
{
    CLEANUP(freep) char *text = policy_text(policy);
    size_t len = str_of(text).len;

    if (len <= POLICY_BYTES_MAX)
        return 0;
    return error_set(err, ERR_POLICY_LENGTH,
                     "The final policy size (%zu) is bigger than the limit (%u).", len,
                     POLICY_BYTES_MAX);
}

/* ---- operations ---- */

static int check_add(const struct api_request *req, const struct fn_view *view,
                     const cJSON *policy, struct error *err)
{
    struct str sid = cjson_str(req->input, "StatementId");

    if (!fn_op_qualifier_exists(req, view))
        return fn_op_no_qualifier(req, err);
    if (statement_at(policy, sid) >= 0)
        return error_set(err, ERR_CONFLICT,
                         "The statement id (%.*s) provided already exists. Please provide a new "
                         "statement id, or remove the existing statement.",
                         STR_ARG(sid));
    return check_revision(req, view, policy, err);
}

/* What is wrong with the request whatever the function is like. */
static int check_input(const struct api_request *req, struct error *err)
{
    if (str_is(req->fn.qualifier, FN_LATEST))
        return error_set(err, ERR_BAD_REQUEST,
                         "We currently do not support adding policies for $LATEST.");
    if (api_member(req, "FunctionUrlAuthType") &&
        !str_is(cjson_str(req->input, "Action"), "lambda:InvokeFunctionUrl"))
        return error_set(err, ERR_BAD_REQUEST,
                         "FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl "
                         "action");
    return 0;
}

int op_add_permission(struct api_request *req, const struct fn_view *view, struct fn_write *w,
                      cJSON **ret, struct error *err)
{
    const cJSON *old = policy_find(req, view);
    CLEANUP(freep) char *text = NULL;
    cJSON *policy, *statement = NULL;
    int r = check_input(req, err);

    if (r == 0)
        r = statement_new(req, &statement, err);
    if (r < 0)
        return r;
    text = cJSON_PrintUnformatted(statement);
    policy = old ? cJSON_Duplicate(old, 1) : cJSON_CreateObject();
    if (!old) {
        cJSON_AddStringToObject(policy, "revision", "");
        cJSON_AddArrayToObject(policy, "statements");
    }
    cJSON_AddItemToArray(cJSON_GetObjectItemCaseSensitive(policy, "statements"), statement);
    r = check_add(req, view, old, err);
    if (r == 0)
        r = check_length(policy, err);
    if (r < 0) {
        cJSON_Delete(policy);
        return r;
    }
    r = store(req, view, w, policy, err);
    if (r < 0)
        return r;
    *ret = cJSON_CreateObject();
    cJSON_AddStringToObject(*ret, "Statement", text);
    return 0;
}

int op_get_policy_missing(const struct api_request *req, struct error *err)
{
    (void)req;
    return error_set(err, ERR_NOT_FOUND, "The resource you requested does not exist.");
}

int op_get_policy(struct api_request *req, const struct fn_view *view, struct fn_write *w,
                  cJSON **ret, struct error *err)
{
    const cJSON *policy = policy_find(req, view);
    CLEANUP(freep) char *text = NULL;

    (void)w;
    if (!policy)
        return op_get_policy_missing(req, err);
    text = policy_text(policy);
    *ret = cJSON_CreateObject();
    cJSON_AddStringToObject(*ret, "Policy", text);
    cJSON_AddItemToObject(
        *ret, "RevisionId",
        cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(policy, "revision"), 1));
    return 0;
}

int op_remove_permission_missing(const struct api_request *req, struct error *err)
{
    CLEANUP(freep) char *arn = fn_op_arn(req, STR_NULL);

    return error_set(err, ERR_NOT_FOUND, "No policy found for: %s", arn);
}

int op_remove_permission(struct api_request *req, const struct fn_view *view, struct fn_write *w,
                         cJSON **ret, struct error *err)
{
    struct str sid = cjson_str(req->input, "StatementId");
    const cJSON *old = policy_find(req, view);
    int at = statement_at(old, sid), r;
    cJSON *policy;

    *ret = NULL;
    if (!fn_op_qualifier_exists(req, view))
        return fn_op_no_qualifier(req, err);
    if (!old)
        return error_set(err, ERR_NOT_FOUND, "No policy is associated with the given resource.");
    if (at < 0)
        return error_set(err, ERR_NOT_FOUND, "Statement %.*s is not found in resource policy.",
                         STR_ARG(sid));
    r = check_revision(req, view, old, err);
    if (r < 0)
        return r;
    policy = cJSON_Duplicate(old, 1);
    cJSON_DeleteItemFromArray(cJSON_GetObjectItemCaseSensitive(policy, "statements"), at);
    return store(req, view, w, policy, err);
}
