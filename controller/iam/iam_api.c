/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/iam/iam.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/model/lambda_input.h"
#include "common/model/validate.h"
#include "common/proto/principal_id.h"
#include "controller/serve.h"

#define TRIES_MAX 20u /* of a change that others overtake */
#define ANSWER_BYTES_MAX (64u * 1024u * 1024u)
#define TRUST_MAX 2048u /* characters; AWS's quotas */
#define MANAGED_MAX 6144u
#define BYTES_MAX 65536u /* of any document, with its white space: a bound of ours */

/* What is read before an operation's handler is called. */
enum {
    ROLE = 1, /* the role RoleName, which must be there */
    ROLE_MAYBE = 2, /* the same, which need not */
    POLICY = 4, /* the policy PolicyArn, which must be there */
    BOUNDARY = 8, /* the policy PermissionsBoundary, if the input has that member */
    POLICY_NAME = 16, /* the policy PolicyName, which need not be there */
};

static void get_user(struct iam_request *req);
static void list_nothing(struct iam_request *req);

static const struct {
    unsigned reads;
    iam_handler_fn *handle;
} handlers[IAM_OP_MAX] = {
    [IAM_OP_CreateRole] = {ROLE_MAYBE | BOUNDARY, iam_create_role},
    [IAM_OP_GetRole] = {ROLE, iam_get_role},
    [IAM_OP_UpdateRole] = {ROLE, iam_update_role},
    [IAM_OP_UpdateRoleDescription] = {ROLE, iam_update_role_description},
    [IAM_OP_UpdateAssumeRolePolicy] = {ROLE, iam_update_assume_role_policy},
    [IAM_OP_DeleteRole] = {ROLE, iam_delete_role},
    [IAM_OP_ListRoles] = {0, iam_list_roles},
    [IAM_OP_PutRolePermissionsBoundary] = {ROLE | BOUNDARY, iam_put_role_boundary},
    [IAM_OP_DeleteRolePermissionsBoundary] = {ROLE, iam_delete_role_boundary},
    [IAM_OP_ListInstanceProfilesForRole] = {ROLE, list_nothing},
    [IAM_OP_PutRolePolicy] = {ROLE, iam_put_role_policy},
    [IAM_OP_GetRolePolicy] = {ROLE, iam_get_role_policy},
    [IAM_OP_DeleteRolePolicy] = {ROLE, iam_delete_role_policy},
    [IAM_OP_ListRolePolicies] = {ROLE, iam_list_role_policies},
    [IAM_OP_AttachRolePolicy] = {ROLE | POLICY, iam_attach_role_policy},
    [IAM_OP_DetachRolePolicy] = {ROLE, iam_detach_role_policy},
    [IAM_OP_ListAttachedRolePolicies] = {ROLE, iam_list_attached_role_policies},
    [IAM_OP_CreatePolicy] = {POLICY_NAME, iam_create_policy},
    [IAM_OP_GetPolicy] = {POLICY, iam_get_policy},
    [IAM_OP_DeletePolicy] = {POLICY, iam_delete_policy},
    [IAM_OP_ListPolicies] = {0, iam_list_policies},
    [IAM_OP_ListEntitiesForPolicy] = {POLICY, iam_list_entities_for_policy},
    [IAM_OP_CreatePolicyVersion] = {POLICY, iam_create_policy_version},
    [IAM_OP_GetPolicyVersion] = {POLICY, iam_get_policy_version},
    [IAM_OP_ListPolicyVersions] = {POLICY, iam_list_policy_versions},
    [IAM_OP_DeletePolicyVersion] = {POLICY, iam_delete_policy_version},
    [IAM_OP_SetDefaultPolicyVersion] = {POLICY, iam_set_default_policy_version},
    [IAM_OP_TagRole] = {ROLE, iam_tag_role},
    [IAM_OP_UntagRole] = {ROLE, iam_untag_role},
    [IAM_OP_ListRoleTags] = {ROLE, iam_list_role_tags},
    [IAM_OP_TagPolicy] = {POLICY, iam_tag_policy},
    [IAM_OP_UntagPolicy] = {POLICY, iam_untag_policy},
    [IAM_OP_ListPolicyTags] = {POLICY, iam_list_policy_tags},
    [IAM_OP_GetUser] = {0, get_user},
    [IAM_OP_ListAccountAliases] = {0, list_nothing},
};

static const struct {
    const char *code;
    int http;
} errors[] = {
#define IAM_ERROR_ROW_(code, http) [IAM_##code] = {#code, http},
    IAM_ERROR_MAP(IAM_ERROR_ROW_)
#undef IAM_ERROR_ROW_
};

/* ---- answering ---- */

static void entity_done(struct iam_entity *e)
{
    free(e->key);
    free(e->text);
    cJSON_Delete(e->json);
    *e = (struct iam_entity){0};
}

static void forget_what_was_read(struct iam_request *req)
{
    entity_done(&req->role);
    entity_done(&req->policy);
    freep(&req->policy_arn);
    req->managed = NULL;
    req->attached = req->bounded = 0;
    buf_clear(&req->answer);
}

static void answer(struct iam_request *req, int status, struct str body)
{
    cJSON *ok = cJSON_CreateObject();

    cJSON_AddNumberToObject(ok, "status", status);
    cJSON_AddStringToObject(cJSON_AddObjectToObject(ok, "headers"), "Content-Type", "text/xml");
    rpc_reply(req->rpc, ok, body);
    cJSON_Delete(ok);
    forget_what_was_read(req);
    buf_done(&req->answer);
    cJSON_Delete(req->input);
    free(req->account);
    free(req->request_id);
    free(req->caller_arn);
    free(req);
}

void iam_fail_text(struct iam_request *req, enum iam_error code, struct str message)
{
    CLEANUP(buf_done) struct buf body = BUF_INIT(ANSWER_BYTES_MAX);

    aws_query_error(&body, IAM_XMLNS, errors[code].code, message, errors[code].http,
                    req->request_id);
    answer(req, errors[code].http, buf_str(&body));
}

void iam_fail(struct iam_request *req, enum iam_error code, const char *fmt, ...)
{
    CLEANUP(freep) char *message = NULL;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vasprintf(&message, fmt, ap);
    va_end(ap);
    if (n < 0)
        abort();
    iam_fail_text(req, code, str_of(message));
}

void iam_fail_ours(struct iam_request *req, const struct error *err)
{
    if (err->code == ERR_UNAVAILABLE || err->code == ERR_TIMEOUT || err->code == ERR_CLOSED) {
        log_debug("iam", "the registry cannot be reached", KV_STR("request", req->request_id),
                  KV_ERR(err));
        iam_fail(req, IAM_ServiceUnavailable,
                 "The registry cannot be reached at the moment. Please try again.");
        return;
    }
    log_error("iam", "a request failed", KV_STR("request", req->request_id),
              KV_STR("operation", req->op->name), KV_ERR(err));
    iam_fail(req, IAM_ServiceFailure,
             "The request could not be carried out. The controller's log says why.");
}

void iam_fail_no_policy(struct iam_request *req)
{
    if (req->op->id == IAM_OP_AttachRolePolicy || req->op->id == IAM_OP_CreateRole ||
        req->op->id == IAM_OP_PutRolePermissionsBoundary)
        iam_fail(req, IAM_NoSuchEntity, "Policy %s does not exist or is not attachable.",
                 req->policy_arn);
    else
        iam_fail(req, IAM_NoSuchEntity, "Policy %s was not found.", req->policy_arn);
}

bool iam_is_ours(struct iam_request *req)
{
    if (!req->managed)
        return true;
    iam_fail(req, IAM_AccessDenied,
             "User: %s is not authorized to perform: iam:%s on resource: policy %s",
             req->caller_arn, req->op->name, req->policy_arn);
    return false;
}

void iam_reply(struct iam_request *req)
{
    CLEANUP(buf_done) struct buf body = BUF_INIT(ANSWER_BYTES_MAX);
    struct error err;
    int r;

    if (req->op->has_result) {
        aws_query_answer_begin(&body, IAM_XMLNS, req->op->name);
        buf_append_str(&body, buf_str(&req->answer));
        r = aws_query_answer_end(&body, req->op->name, req->request_id);
    } else {
        r = aws_query_answer_empty(&body, IAM_XMLNS, req->op->name, req->request_id);
    }
    if (r < 0) {
        error_set(&err, ERR_INTERNAL, "the answer is too long");
        iam_fail_ours(req, &err);
        return;
    }
    answer(req, 200, buf_str(&body));
}

/* ---- the input ---- */

const cJSON *iam_member(const struct iam_request *req, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(req->input, name);
}

struct str iam_text(const struct iam_request *req, const char *name)
{
    return str_of(cJSON_GetStringValue(iam_member(req, name)));
}

char *iam_key(struct str name)
{
    char *key = str_dup(name), *p;

    for (p = key; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    return key;
}

bool iam_check_document(struct iam_request *req, const char *name, enum iam_document_kind kind)
{
    struct str text = iam_text(req, name);
    bool is_inline = req->op->id == IAM_OP_PutRolePolicy; /* its quota is the role's: elsewhere */
    struct error err;

    if (iam_document_check(text, kind, &err) < 0)
        iam_fail_text(req, IAM_MalformedPolicyDocument, str_of(err.msg));
    else if (text.len > BYTES_MAX)
        iam_fail(req, IAM_LimitExceeded,
                 "A policy document cannot be longer than %u bytes, white space included.",
                 BYTES_MAX);
    else if (kind == IAM_TRUST_POLICY && iam_document_size(text) > TRUST_MAX)
        iam_fail(req, IAM_LimitExceeded, "Cannot exceed quota for ACLSizePerRole: %u", TRUST_MAX);
    else if (kind == IAM_IDENTITY_POLICY && !is_inline && iam_document_size(text) > MANAGED_MAX)
        iam_fail(req, IAM_LimitExceeded, "Cannot exceed quota for PolicySize: %u", MANAGED_MAX);
    else
        return true;
    return false;
}

void iam_set_text(cJSON *json, const char *name, struct str text)
{
    CLEANUP(freep) char *copy = NULL;

    cJSON_DeleteItemFromObjectCaseSensitive(json, name);
    if (!text.ptr)
        return;
    copy = str_dup(text);
    cJSON_AddStringToObject(json, name, copy);
}

/* Not cJSON_InsertItemInArray(): some distributions' cJSON 1.7.15 refuses it but for the front. */
void iam_insert(cJSON *list, int at, cJSON *item)
{
    int behind = cJSON_GetArraySize(list) - at;

    cJSON_AddItemToArray(list, item);
    for (; behind > 0; behind--)
        cJSON_AddItemToArray(list, cJSON_DetachItemFromArray(list, at));
}

void iam_now(char *ret)
{
    char text[CLOCK_ISO_MAX];

    clock_format_iso(wall_ms(), text);
    snprintf(ret, IAM_DATE_MAX, "%.19sZ", text);
}

/* ---- what an operation is about ---- */

static void handle(struct iam_request *req)
{
    unsigned reads = handlers[req->op->id].reads;
    bool has_policy = req->policy.text || req->managed;

    if ((reads & ROLE) && !req->role.text)
        iam_fail(req, IAM_NoSuchEntity, "The role with name %.*s cannot be found.",
                 STR_ARG(iam_text(req, "RoleName")));
    else if (req->policy_arn && !has_policy)
        iam_fail_no_policy(req);
    else
        handlers[req->op->id].handle(req);
}

static void entity_read(struct iam_entity *e, const struct redis_value *value)
{
    if (value->type != REDIS_STRING)
        return;
    e->text = str_dup(value->str);
    e->json = docs_json(value);
}

/* A policy whose ARN has another path is another one. */
static void check_arn(struct iam_request *req)
{
    CLEANUP(freep) char *arn = NULL;

    if (!req->policy_arn || !req->policy.json)
        return;
    arn = iam_policy_arn(req->account, req->policy.json);
    if (strcmp(arn, req->policy_arn) != 0)
        freep(&req->policy.text);
}

static void on_read(const struct redis_value *values, size_t len, const struct error *err,
                    void *arg)
{
    struct iam_request *req = arg;
    size_t i = 0;

    if (err) {
        iam_fail_ours(req, err);
        return;
    }
    (void)len;
    if (req->role.key)
        entity_read(&req->role, &values[i++]);
    if (req->policy.key)
        entity_read(&req->policy, &values[i++]);
    if (req->policy_arn) {
        req->attached = (uint64_t)values[i].integer;
        req->bounded = (uint64_t)values[i + 1].integer;
    }
    if ((req->role.text && !cJSON_IsObject(req->role.json)) ||
        (req->policy.text && !cJSON_IsObject(req->policy.json))) {
        struct error own;

        error_set(&own, ERR_INTERNAL, "what Redis has of a role or policy is no JSON");
        iam_fail_ours(req, &own);
        return;
    }
    check_arn(req);
    handle(req);
}

/* Which policy the ARN names; false: answered. */
static bool find_policy(struct iam_request *req, struct str arn)
{
    CLEANUP(freep) char *prefix = str_printf("arn:aws:iam::%s:policy/", req->account);
    struct str name = arn;
    size_t slash;

    req->policy_arn = str_dup(arn);
    req->managed = iam_managed_find(arn);
    if (req->managed)
        return true;
    if (!str_starts(arn, STR("arn:aws")) || str_find(arn, '/', 0) == arn.len) {
        iam_fail(req, IAM_InvalidInput, "ARN %s is not valid.", req->policy_arn);
        return false;
    }
    if (!str_starts(arn, str_of(prefix))) { /* of another account, or one of AWS's that is not here */
        iam_fail_no_policy(req);
        return false;
    }
    while ((slash = str_find(name, '/', 0)) < name.len)
        name = str_sub(name, slash + 1, name.len);
    req->policy.key = iam_key(name);
    return true;
}

/* Reads what the operation's row says, then calls its handler. */
static void run(struct iam_request *req)
{
    unsigned reads = handlers[req->op->id].reads;
    struct str arn = iam_text(req, reads & BOUNDARY ? "PermissionsBoundary" : "PolicyArn");
    struct docs_read *read;

    if (!reads) {
        handlers[req->op->id].handle(req);
        return;
    }
    if ((reads & (POLICY | BOUNDARY)) && arn.ptr && !find_policy(req, arn))
        return;
    read = docs_read_new(req->c->redis, str_of(req->account));
    if (reads & (ROLE | ROLE_MAYBE)) {
        req->role.key = iam_key(iam_text(req, "RoleName"));
        docs_read_field(read, IAM_ROLE, str_of(req->role.key));
    }
    if (reads & POLICY_NAME)
        req->policy.key = iam_key(iam_text(req, "PolicyName"));
    if (req->policy.key)
        docs_read_field(read, IAM_POLICY, str_of(req->policy.key));
    if (req->policy_arn) {
        CLEANUP(freep) char *attached = str_printf(IAM_ATTACHED "%s", req->policy_arn);
        CLEANUP(freep) char *bounded = str_printf(IAM_BOUNDED "%s", req->policy_arn);

        docs_read_size(read, attached);
        docs_read_size(read, bounded);
    }
    docs_read_run(read, on_read, req);
}

/* ---- changes ---- */

struct docs_commit *iam_commit_new(struct iam_request *req)
{
    struct docs_commit *commit = docs_commit_new(req->c->redis, str_of(req->account));

    if (req->role.key)
        docs_expect(commit, IAM_ROLE, str_of(req->role.key), str_of(req->role.text));
    if (req->policy.key)
        docs_expect(commit, IAM_POLICY, str_of(req->policy.key), str_of(req->policy.text));
    return commit;
}

void iam_save_role(struct iam_request *req, struct docs_commit *commit)
{
    docs_set_json(commit, IAM_ROLE, str_of(req->role.key), req->role.json);
}

void iam_save_policy(struct iam_request *req, struct docs_commit *commit)
{
    docs_set_json(commit, IAM_POLICY, str_of(req->policy.key), req->policy.json);
}

static void on_committed(const struct error *err, void *arg)
{
    struct iam_request *req = arg;

    if (!err) {
        iam_reply(req);
    } else if (err->code != ERR_STALE) {
        iam_fail_ours(req, err);
    } else if (++req->tries < TRIES_MAX) {
        forget_what_was_read(req);
        run(req);
    } else {
        iam_fail(req, IAM_ConcurrentModification,
                 "The request was rejected because multiple requests to change this object were "
                 "submitted simultaneously. Wait a few minutes and submit your request again.");
    }
}

void iam_commit(struct iam_request *req, struct docs_commit *commit)
{
    docs_commit_run(commit, on_committed, req);
}

/* ---- operations that need nothing of Redis ---- */

/* "arn:aws:iam::000000000000:user/path/name" → "/path/", "name"; false: of something else */
static bool split_user_arn(const struct iam_request *req, struct str *ret_path,
                           struct str *ret_name)
{
    CLEANUP(freep) char *prefix = str_printf("arn:aws:iam::%s:user/", req->account);
    struct str arn = str_of(req->caller_arn), path;
    size_t end;

    if (!str_starts(arn, str_of(prefix)))
        return false;
    path = str_sub(arn, strlen(prefix) - 1, arn.len); /* from its slash on */
    for (end = path.len; path.ptr[end - 1] != '/';)
        end--;
    *ret_path = str_sub(path, 0, end);
    *ret_name = str_sub(path, end, path.len);
    return true;
}

/* Users are not kept: there is who asks, as a user or as the account itself. */
static void get_user(struct iam_request *req)
{
    struct str asked = iam_text(req, "UserName"), path = STR("/"), name = STR("root");
    bool is_user = split_user_arn(req, &path, &name);
    bool is_root = !is_user && str_ends(str_of(req->caller_arn), STR(":root"));
    struct buf *b = &req->answer;
    char id[PRINCIPAL_ID_MAX];

    if (asked.ptr && !(is_user && str_eq(asked, name))) {
        iam_fail(req, IAM_NoSuchEntity, "The user with name %.*s cannot be found.",
                 STR_ARG(asked));
        return;
    }
    if (!is_user && !is_root) {
        iam_fail(req, IAM_ValidationError,
                 "Must specify userName when calling with non-User credentials");
        return;
    }
    principal_id_of("AIDA", str_of(req->caller_arn), id);
    xml_open(b, "User");
    xml_text(b, "Path", path);
    xml_text(b, "UserName", name);
    xml_text(b, "UserId", is_user ? str_of(id) : str_of(req->account));
    xml_text(b, "Arn", str_of(req->caller_arn));
    xml_text(b, "CreateDate", STR("1970-01-01T00:00:00Z"));
    xml_close(b, "User");
    iam_reply(req);
}

static void list_nothing(struct iam_request *req)
{
    buf_printf(&req->answer, "<%s/>",
               req->op->id == IAM_OP_ListAccountAliases ? "AccountAliases" : "InstanceProfiles");
    iam_marker_write(req, '\0', STR_NULL);
    iam_reply(req);
}

/* ---- from question to handler ---- */

static struct iam_request *request_new(struct controller *c, struct rpc_request *rpc,
                                       const cJSON *args)
{
    struct iam_request *req = calloc(1, sizeof(*req));
    struct str account = cjson_str(args, "account"), caller = cjson_str(args, "caller_arn");

    if (!req)
        abort();
    req->c = c;
    req->rpc = rpc;
    req->account = str_dup(account.len ? account : str_of(c->config->account_id));
    req->request_id = str_dup(cjson_str(args, "request_id"));
    req->caller_arn = caller.len ? str_dup(caller)
                                 : str_printf("arn:aws:iam::%s:root", req->account);
    req->answer = BUF_INIT(ANSWER_BYTES_MAX);
    return req;
}

/* The operation that the form names, or NULL: answered. */
static const struct iam_op *find_op(struct iam_request *req, const struct aws_query *query)
{
    struct str action = aws_query_get(query, "Action"), version = aws_query_get(query, "Version");
    const struct iam_op *op = iam_op_by_name(action);

    if (!action.len) {
        iam_fail(req, IAM_MissingAction,
                 "The request is missing an action or a required parameter.");
        return NULL;
    }
    if (!op || !str_is(version, IAM_VERSION)) {
        if (!version.len)
            version = STR("NO_VERSION_SPECIFIED");
        iam_fail(req, IAM_InvalidAction, "Could not find operation %.*s for version %.*s",
                 STR_ARG(str_sub(action, 0, 128)), STR_ARG(str_sub(version, 0, 64)));
        return NULL;
    }
    if (!op->offered || !handlers[op->id].handle) {
        iam_fail(req, IAM_InvalidAction,
                 "Hearth does not offer the operation %s of IAM. It has roles, their policies and "
                 "managed policies.",
                 op->name);
        return NULL;
    }
    return op;
}

void serve_iam(struct rpc_request *rpc, const cJSON *args, struct str body, void *arg)
{
    CLEANUP(buf_done) struct buf message = BUF_INIT(VALIDATE_MESSAGE_MAX);
    struct iam_request *req = request_new(arg, rpc, args);
    bool is_get = str_is(cjson_str(args, "method"), "GET");
    const struct iam_op *op;
    struct aws_query query;
    struct error err;
    int r;

    if (aws_query_parse(is_get ? cjson_str(args, "query") : body, &query, &err) < 0) {
        iam_fail_text(req, IAM_MalformedQueryString, str_of(err.msg));
        return;
    }
    op = find_op(req, &query);
    if (op) {
        req->op = op;
        r = iam_input_new(op->id, &query, &req->input, &message);
        if (r < 0)
            iam_fail_text(req, r == -ERR_VALIDATION ? IAM_ValidationError : IAM_MalformedInput,
                          buf_str(&message));
        else
            run(req);
    }
    aws_query_done(&query);
}
