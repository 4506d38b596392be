/* SPDX-License-Identifier: Apache-2.0 */
/* Managed policies of the account: created, shown, deleted. Those of AWS's are shown only. */
#include "common/model/lambda_input.h"
#include "common/proto/principal_id.h"
#include "controller/iam/iam.h"

static cJSON *policy_new(struct iam_request *req)
{
    struct str path = iam_text(req, "Path");
    cJSON *policy = cJSON_CreateObject(), *versions, *version;
    char date[IAM_DATE_MAX], id[PRINCIPAL_ID_MAX];
    CLEANUP(freep) char *arn = NULL;

    iam_now(date);
    iam_set_text(policy, "PolicyName", iam_text(req, "PolicyName"));
    iam_set_text(policy, "Path", path.ptr ? path : STR("/"));
    arn = iam_policy_arn(req->account, policy);
    principal_id_of("ANPA", str_of(arn), id);
    iam_set_text(policy, "PolicyId", str_of(id));
    iam_set_text(policy, "DefaultVersionId", STR("v1"));
    iam_set_text(policy, "Description", iam_text(req, "Description"));
    iam_set_text(policy, "CreateDate", str_of(date));
    iam_set_text(policy, "UpdateDate", str_of(date));
    cJSON_AddArrayToObject(policy, "Tags");
    cJSON_AddNumberToObject(policy, "LastVersion", 1);
    versions = cJSON_AddArrayToObject(policy, "Versions"); /* the newest first */
    version = cJSON_CreateObject();
    cJSON_AddItemToArray(versions, version);
    iam_set_text(version, "VersionId", STR("v1"));
    iam_set_text(version, "CreateDate", str_of(date));
    iam_set_text(version, "Document", iam_text(req, "PolicyDocument"));
    return policy;
}

static void write_policy(struct iam_request *req, enum iam_detail detail)
{
    xml_open(&req->answer, "Policy");
    iam_xml_policy(&req->answer, req->account, req->policy.json, req->managed, req->attached,
                   req->bounded, detail);
    xml_close(&req->answer, "Policy");
}

void iam_create_policy(struct iam_request *req)
{
    struct docs_commit *commit;

    if (req->policy.text) {
        iam_fail(req, IAM_EntityAlreadyExists,
                 "A policy called %.*s already exists. Duplicate names are not allowed.",
                 STR_ARG(iam_text(req, "PolicyName")));
        return;
    }
    if (!iam_check_document(req, "PolicyDocument", IAM_IDENTITY_POLICY))
        return;
    req->policy.json = policy_new(req);
    if (!iam_tags_put(req, req->policy.json))
        return;
    write_policy(req, IAM_CREATED);
    commit = iam_commit_new(req);
    iam_save_policy(req, commit);
    docs_add_name(commit, IAM_POLICIES, str_of(req->policy.key));
    iam_commit(req, commit);
}

void iam_get_policy(struct iam_request *req)
{
    write_policy(req, IAM_WHOLE);
    iam_reply(req);
}

void iam_delete_policy(struct iam_request *req)
{
    CLEANUP(freep) char *attached = str_printf(IAM_ATTACHED "%s", req->policy_arn);
    CLEANUP(freep) char *bounded = str_printf(IAM_BOUNDED "%s", req->policy_arn);
    const cJSON *versions = cJSON_GetObjectItemCaseSensitive(req->policy.json, "Versions");
    struct docs_commit *commit;

    if (!iam_is_ours(req))
        return;
    if (req->attached || req->bounded) {
        iam_fail(req, IAM_DeleteConflict, "Cannot delete a policy attached to entities.");
        return;
    }
    if (cJSON_GetArraySize(versions) > 1) {
        iam_fail(req, IAM_DeleteConflict,
                 "This policy has more than one version. Before you delete a policy, you must "
                 "delete the policy's versions. The default version is deleted with the policy.");
        return;
    }
    commit = iam_commit_new(req);
    docs_expect_key(commit, attached, false);
    docs_expect_key(commit, bounded, false);
    docs_unset(commit, IAM_POLICY, str_of(req->policy.key));
    docs_remove_name(commit, IAM_POLICIES, str_of(req->policy.key));
    iam_commit(req, commit);
}
