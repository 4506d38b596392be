/* SPDX-License-Identifier: Apache-2.0 */
/* The policies of a role: inline ones, which lie in it, and managed ones, which are attached. */
#include <stdlib.h>
#include <string.h>

#include "common/model/lambda_input.h"
#include "controller/iam/iam.h"

/* AWS's quotas. */
#define INLINE_MAX 10240u /* characters of all inline policies of a role */
#define ATTACHED_MAX 10
#define INLINE_BYTES_MAX 262144u /* of the same, with their white space: a bound of ours */

static cJSON *inline_policies(const struct iam_request *req)
{
    return cJSON_GetObjectItemCaseSensitive(req->role.json, "Policies");
}

static cJSON *attached_policies(const struct iam_request *req)
{
    return cJSON_GetObjectItemCaseSensitive(req->role.json, "AttachedPolicies");
}

static void save(struct iam_request *req)
{
    struct docs_commit *commit = iam_commit_new(req);

    iam_save_role(req, commit);
    iam_commit(req, commit);
}

/* ---- inline ---- */

static bool fits(struct iam_request *req)
{
    size_t size = 0, bytes = 0;
    const cJSON *policy;

    cJSON_ArrayForEach(policy, inline_policies(req))
    {
        size += iam_document_size(str_of(policy->valuestring));
        bytes += strlen(policy->valuestring);
    }
    if (size <= INLINE_MAX && bytes <= INLINE_BYTES_MAX)
        return true;
    iam_fail(req, IAM_LimitExceeded, "Maximum policy size of %u bytes exceeded for role %.*s",
             INLINE_MAX, STR_ARG(cjson_str(req->role.json, "RoleName")));
    return false;
}

/* They lie in the order of their names. */
static void insert_by_name(cJSON *policies, const char *name, const char *text)
{
    cJSON *item = cJSON_CreateString(text), *other;
    int at = 0;

    cJSON_DeleteItemFromObjectCaseSensitive(policies, name);
    cJSON_ArrayForEach(other, policies)
    {
        if (strcmp(other->string, name) > 0)
            break;
        at++;
    }
    if (!item)
        abort();
    item->string = str_dup(str_of(name));
    iam_insert(policies, at, item);
}

void iam_put_role_policy(struct iam_request *req)
{
    if (!iam_check_document(req, "PolicyDocument", IAM_IDENTITY_POLICY))
        return;
    insert_by_name(inline_policies(req), iam_text(req, "PolicyName").ptr,
                   iam_text(req, "PolicyDocument").ptr);
    if (fits(req))
        save(req);
}

/* The inline policy that the input names, or NULL: answered. */
static const cJSON *find_inline(struct iam_request *req)
{
    struct str name = iam_text(req, "PolicyName");
    const cJSON *policy = cJSON_GetObjectItemCaseSensitive(inline_policies(req), name.ptr);

    if (!policy)
        iam_fail(req, IAM_NoSuchEntity, "The role policy with name %.*s cannot be found.",
                 STR_ARG(name));
    return policy;
}

void iam_get_role_policy(struct iam_request *req)
{
    const cJSON *policy = find_inline(req);

    if (!policy)
        return;
    xml_text(&req->answer, "RoleName", cjson_str(req->role.json, "RoleName"));
    xml_text(&req->answer, "PolicyName", str_of(policy->string));
    iam_xml_document(&req->answer, "PolicyDocument", str_of(policy->valuestring));
    iam_reply(req);
}

void iam_delete_role_policy(struct iam_request *req)
{
    const cJSON *policy = find_inline(req);

    if (!policy)
        return;
    cJSON_DeleteItemFromObjectCaseSensitive(inline_policies(req), policy->string);
    save(req);
}

void iam_list_role_policies(struct iam_request *req)
{
    struct buf *b = &req->answer;
    const cJSON *policy;
    struct iam_page page;
    size_t i = 0;

    if (!iam_page_begin(req, (size_t)cJSON_GetArraySize(inline_policies(req)), &page))
        return;
    xml_open(b, "PolicyNames");
    cJSON_ArrayForEach(policy, inline_policies(req))
    {
        if (i >= page.from && i < page.to)
            xml_text(b, "member", str_of(policy->string));
        i++;
    }
    xml_close(b, "PolicyNames");
    iam_page_end(req, &page);
    iam_reply(req);
}

/* ---- managed ---- */

/* Where the policy @arn stands among those attached, or -1. */
static int find_attached(const struct iam_request *req, struct str arn)
{
    const cJSON *item;
    int at = 0;

    cJSON_ArrayForEach(item, attached_policies(req))
    {
        if (str_is(arn, item->valuestring))
            return at;
        at++;
    }
    return -1;
}

/* The policy's set of roles gets or loses this one; the role is saved. */
static void save_attachment(struct iam_request *req, bool add)
{
    struct docs_commit *commit = iam_commit_new(req);
    CLEANUP(freep)
    char *key = str_printf(IAM_ATTACHED "%.*s", STR_ARG(iam_text(req, "PolicyArn")));

    (add ? docs_add_name : docs_remove_name)(commit, key, str_of(req->role.key));
    iam_save_role(req, commit);
    iam_commit(req, commit);
}

void iam_attach_role_policy(struct iam_request *req)
{
    struct str arn = iam_text(req, "PolicyArn");

    if (find_attached(req, arn) >= 0) {
        iam_reply(req);
        return;
    }
    if (cJSON_GetArraySize(attached_policies(req)) >= ATTACHED_MAX) {
        iam_fail(req, IAM_LimitExceeded, "Cannot exceed quota for PoliciesPerRole: %d",
                 ATTACHED_MAX);
        return;
    }
    cJSON_AddItemToArray(attached_policies(req), cJSON_CreateString(arn.ptr));
    save_attachment(req, true);
}

void iam_detach_role_policy(struct iam_request *req)
{
    struct str arn = iam_text(req, "PolicyArn");
    int at = find_attached(req, arn);

    if (at < 0) {
        iam_fail(req, IAM_NoSuchEntity, "Policy %.*s was not found.", STR_ARG(arn));
        return;
    }
    cJSON_DeleteItemFromArray(attached_policies(req), at);
    save_attachment(req, false);
}

/* "arn:aws:iam::aws:policy/service-role/Name" → "/service-role/", "Name" */
static void split_arn(struct str arn, struct str *ret_path, struct str *ret_name)
{
    size_t from = str_find(arn, '/', 0), to = arn.len;

    while (to > from && arn.ptr[to - 1] != '/')
        to--;
    *ret_path = str_sub(arn, from, to);
    *ret_name = str_sub(arn, to, arn.len);
}

static bool is_in_path(struct iam_request *req, const cJSON *arn)
{
    struct str path, name;

    split_arn(str_of(arn->valuestring), &path, &name);
    return !iam_text(req, "PathPrefix").ptr || str_starts(path, iam_text(req, "PathPrefix"));
}

void iam_list_attached_role_policies(struct iam_request *req)
{
    struct buf *b = &req->answer;
    struct str path, name;
    struct iam_page page;
    const cJSON *arn;
    size_t i = 0;

    cJSON_ArrayForEach(arn, attached_policies(req))
    {
        i += is_in_path(req, arn);
    }
    if (!iam_page_begin(req, i, &page))
        return;
    i = 0;
    xml_open(b, "AttachedPolicies");
    cJSON_ArrayForEach(arn, attached_policies(req))
    {
        if (!is_in_path(req, arn))
            continue;
        if (i >= page.from && i < page.to) {
            split_arn(str_of(arn->valuestring), &path, &name);
            xml_open(b, "member");
            xml_text(b, "PolicyName", name);
            xml_text(b, "PolicyArn", str_of(arn->valuestring));
            xml_close(b, "member");
        }
        i++;
    }
    xml_close(b, "AttachedPolicies");
    iam_page_end(req, &page);
    iam_reply(req);
}
