/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AddLayerVersionPermission, GetLayerVersionPolicy, RemoveLayerVersionPermission. The policy is kept
 * in the version's document: "policy" {"revision", "statements"}.
 *
 * Source: Lambda API reference.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/id.h"
#include "common/model/lambda_input.h"
#include "controller/ops/ops_layer.h"

/* A request while its layer's document is read and written. */
struct policy_change {
    struct api_request *req;
    cJSON *answer;
};

static const cJSON *policy_of(const cJSON *doc)
{
    return cJSON_GetObjectItemCaseSensitive(doc, "policy");
}

static const cJSON *statements_of(const cJSON *doc)
{
    return cJSON_GetObjectItemCaseSensitive(policy_of(doc), "statements");
}

/* The statement @sid and its place, or NULL. */
static const cJSON *statement_find(const cJSON *doc, struct str sid, int *ret_index)
{
    const cJSON *item;
    int i = 0;

    cJSON_ArrayForEach(item, statements_of(doc))
    {
        if (str_eq(cjson_str(item, "Sid"), sid)) {
            *ret_index = i;
            return item;
        }
        i++;
    }
    return NULL;
}

static int check_revision(const struct api_request *req, const cJSON *doc, struct error *err)
{
    struct str given = cjson_str(req->input, "RevisionId");

    if (!given.ptr || str_eq(given, cjson_str(policy_of(doc), "revision")))
        return 0;
    return error_set(err, ERR_PRECONDITION,
                     "The Revision Id provided does not match the latest Revision Id. Call the "
                     "GetLayerPolicy API to retrieve the latest Revision Id");
}

/* "*" stands for everybody, 12 digits for an account's root. */
static cJSON *principal_new(struct str principal)
{
    CLEANUP(freep) char *text = str_dup(principal);
    CLEANUP(freep) char *root = NULL;
    cJSON *json;

    if (str_is(principal, "*"))
        return cJSON_CreateString("*");
    if (principal.len == 12 && !strpbrk(text, ":"))
        root = str_printf("arn:aws:iam::%s:root", text);
    json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "AWS", root ? root : text);
    return json;
}

static cJSON *statement_new(const struct api_request *req)
{
    CLEANUP(freep) char *arn = layer_arn(&req->home, req->layer.name, req->layer.version);
    const cJSON *organization = api_member(req, "OrganizationId");
    cJSON *json = cJSON_CreateObject(), *equals;

    cJSON_AddStringToObject(json, "Sid", api_member(req, "StatementId")->valuestring);
    cJSON_AddStringToObject(json, "Effect", "Allow");
    cJSON_AddItemToObject(json, "Principal", principal_new(cjson_str(req->input, "Principal")));
    cJSON_AddStringToObject(json, "Action", api_member(req, "Action")->valuestring);
    cJSON_AddStringToObject(json, "Resource", arn);
    if (organization) {
        equals = cJSON_AddObjectToObject(cJSON_AddObjectToObject(json, "Condition"),
                                         "StringEquals");
        cJSON_AddStringToObject(equals, "aws:PrincipalOrgID", organization->valuestring);
    }
    return json;
}

static int add_statement(const struct api_request *req, cJSON *doc, cJSON **ret, struct error *err)
{
    struct str sid = cjson_str(req->input, "StatementId");
    cJSON *statement, *policy;
    char *text;
    int at;

    if (statement_find(doc, sid, &at))
        return error_set(err, ERR_CONFLICT,
                         "The statement id (%.*s) provided already exists. Please provide a new "
                         "statement id, or remove the existing statement.",
                         STR_ARG(sid));
    if (cjson_str(req->input, "OrganizationId").len && !str_is(cjson_str(req->input, "Principal"), "*"))
        return error_set(err, ERR_BAD_REQUEST,
                         "OrganizationId can only be specified when Principal is set to *.");
    statement = statement_new(req);
    text = cJSON_PrintUnformatted(statement);
    if (!policy_of(doc)) {
        policy = cJSON_AddObjectToObject(doc, "policy");
        cJSON_AddStringToObject(policy, "revision", "");
        cJSON_AddArrayToObject(policy, "statements");
    }
    cJSON_AddItemToArray((cJSON *)(uintptr_t)statements_of(doc), statement);
    *ret = cJSON_CreateObject();
    cJSON_AddStringToObject(*ret, "Statement", text);
    cJSON_free(text);
    return 0;
}

static int remove_statement(const struct api_request *req, cJSON *doc, struct error *err)
{
    struct str sid = cjson_str(req->input, "StatementId");
    cJSON *statements = (cJSON *)(uintptr_t)statements_of(doc);
    int at;

    if (!statements)
        return error_set(err, ERR_NOT_FOUND, "No policy is associated with the given resource.");
    if (!statement_find(doc, sid, &at))
        return error_set(err, ERR_NOT_FOUND, "Statement %.*s is not found in resource policy.",
                         STR_ARG(sid));
    cJSON_DeleteItemFromArray(statements, at);
    if (!statements->child)
        cJSON_DeleteItemFromObjectCaseSensitive(doc, "policy");
    return 0;
}

/* ---- read, changed, written ---- */

static void change_end(struct policy_change *p, const struct error *err)
{
    if (err) {
        cJSON_Delete(p->answer);
        api_fail(p->req, err);
    } else {
        api_reply(p->req, p->answer);
    }
    free(p);
}

static void on_doc(const struct redis_value *values, size_t len, const struct error *err,
                   void *arg);

static void on_written(const struct error *err, void *arg)
{
    struct policy_change *p = arg;

    if (err && err->code == ERR_STALE) {
        cJSON_Delete(TAKE(p->answer));
        api_layer_read(p->req, on_doc, p);
    } else {
        change_end(p, err);
    }
}

static int missing(const struct api_request *req, struct error *err)
{
    CLEANUP(freep) char *arn = layer_arn(&req->home, req->layer.name, req->layer.version);

    return error_set(err, ERR_NOT_FOUND, "Layer version %s does not exist.", arn);
}

static int change(struct policy_change *p, cJSON *doc, struct error *err)
{
    const struct api_request *req = p->req;
    char revision[UUID_MAX];
    int r = check_revision(req, doc, err);

    if (r == 0)
        r = req->op->id == LAMBDA_OP_AddLayerVersionPermission
                ? add_statement(req, doc, &p->answer, err)
                : remove_statement(req, doc, err);
    if (r < 0)
        return r;
    uuid_make(revision);
    if (policy_of(doc))
        cJSON_ReplaceItemInObjectCaseSensitive((cJSON *)(uintptr_t)policy_of(doc), "revision",
                                               cJSON_CreateString(revision));
    if (p->answer)
        cJSON_AddStringToObject(p->answer, "RevisionId", revision);
    return 0;
}

static void on_doc(const struct redis_value *values, size_t len, const struct error *err, void *arg)
{
    struct policy_change *p = arg;
    struct api_request *req = p->req;
    cJSON *doc = err ? NULL : docs_json(&values[0]);
    CLEANUP(freep) char *key = layer_key(req->layer.name);
    struct docs_commit *commit;
    struct error own;
    char number[24];
    int r = 0;

    (void)len;
    if (!err && !doc)
        r = missing(req, &own);
    else if (!err)
        r = change(p, doc, &own);
    if (err || r < 0) {
        cJSON_Delete(doc);
        change_end(p, err ? err : &own);
        return;
    }
    snprintf(number, sizeof(number), "%" PRIu64, req->layer.version);
    commit = docs_commit_new(req->c->redis, req->home.account);
    docs_expect(commit, key, str_of(number), values[0].str);
    docs_set_json(commit, key, str_of(number), doc);
    docs_commit_run(commit, on_written, p);
    cJSON_Delete(doc);
}

void api_change_layer_policy(struct api_request *req)
{
    struct policy_change *p;

    if (!api_layer(req, &req->layer))
        return;
    p = calloc(1, sizeof(*p));
    if (!p)
        abort();
    p->req = req;
    api_layer_read(req, on_doc, p);
}

/* ---- GetLayerVersionPolicy ---- */

static cJSON *policy_answer(const cJSON *doc)
{
    cJSON *policy = cJSON_CreateObject(), *json = cJSON_CreateObject();
    char *text;

    cJSON_AddStringToObject(policy, "Version", "2012-10-17");
    cJSON_AddStringToObject(policy, "Id", "default");
    cJSON_AddItemToObject(policy, "Statement", cJSON_Duplicate(statements_of(doc), 1));
    text = cJSON_PrintUnformatted(policy);
    cJSON_AddStringToObject(json, "Policy", text);
    cJSON_AddItemToObject(json, "RevisionId", cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(
                                                  policy_of(doc), "revision"), 1));
    cJSON_free(text);
    cJSON_Delete(policy);
    return json;
}

static void on_policy(const struct redis_value *values, size_t len, const struct error *err,
                      void *arg)
{
    struct api_request *req = arg;
    cJSON *doc = err ? NULL : docs_json(&values[0]);
    struct error own;

    (void)len;
    if (!err && !doc) {
        missing(req, &own);
        err = &own;
    }
    if (err)
        api_fail(req, err);
    else if (!policy_of(doc))
        api_fail_with(req, ERR_NOT_FOUND, "No policy is associated with the given resource.");
    else
        api_reply(req, policy_answer(doc));
    cJSON_Delete(doc);
}

void api_get_layer_version_policy(struct api_request *req)
{
    if (api_layer(req, &req->layer))
        api_layer_read(req, on_policy, req);
}
