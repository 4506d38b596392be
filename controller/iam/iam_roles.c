/* SPDX-License-Identifier: Apache-2.0 */
/* Roles: created, shown, changed, deleted; their permissions boundary. */
#include "common/model/lambda_input.h"
#include "common/proto/principal_id.h"
#include "controller/iam/iam.h"

#define SESSION_DEFAULT_S 3600

static void write_role(struct iam_request *req, enum iam_detail detail)
{
    xml_open(&req->answer, "Role");
    iam_xml_role(&req->answer, req->account, req->role.json, detail);
    xml_close(&req->answer, "Role");
}

/* The set of roles that have the policy @arn as their boundary gets or loses this one. */
static void count_boundary(struct iam_request *req, struct docs_commit *commit, struct str arn,
                           bool add)
{
    CLEANUP(freep) char *key = NULL;

    if (!arn.len)
        return;
    key = str_printf(IAM_BOUNDED "%.*s", STR_ARG(arn));
    (add ? docs_add_name : docs_remove_name)(commit, key, str_of(req->role.key));
}

static cJSON *role_new(struct iam_request *req)
{
    const cJSON *session = iam_member(req, "MaxSessionDuration");
    char date[IAM_DATE_MAX], id[PRINCIPAL_ID_MAX];
    cJSON *role = cJSON_CreateObject();
    CLEANUP(freep) char *arn = NULL;

    iam_now(date);
    iam_set_text(role, "RoleName", iam_text(req, "RoleName"));
    iam_set_text(role, "Path", iam_text(req, "Path").ptr ? iam_text(req, "Path") : STR("/"));
    arn = iam_role_arn(req->account, role);
    principal_id_of("AROA", str_of(arn), id); /* as STS has it in AssumedRoleId */
    iam_set_text(role, "RoleId", str_of(id));
    iam_set_text(role, "CreateDate", str_of(date));
    iam_set_text(role, "AssumeRolePolicyDocument", iam_text(req, "AssumeRolePolicyDocument"));
    iam_set_text(role, "Description", iam_text(req, "Description"));
    cJSON_AddNumberToObject(role, "MaxSessionDuration",
                            session ? session->valuedouble : SESSION_DEFAULT_S);
    iam_set_text(role, "PermissionsBoundary", iam_text(req, "PermissionsBoundary"));
    cJSON_AddArrayToObject(role, "Tags");
    cJSON_AddObjectToObject(role, "Policies");
    cJSON_AddArrayToObject(role, "AttachedPolicies");
    return role;
}

void iam_create_role(struct iam_request *req)
{
    struct docs_commit *commit;

    if (req->role.text) {
        iam_fail(req, IAM_EntityAlreadyExists, "Role with name %.*s already exists.",
                 STR_ARG(iam_text(req, "RoleName")));
        return;
    }
    if (!iam_check_document(req, "AssumeRolePolicyDocument", IAM_TRUST_POLICY))
        return;
    req->role.json = role_new(req);
    if (!iam_tags_put(req, req->role.json))
        return;
    write_role(req, IAM_CREATED);
    commit = iam_commit_new(req);
    iam_save_role(req, commit);
    docs_add_name(commit, IAM_ROLES, str_of(req->role.key));
    count_boundary(req, commit, iam_text(req, "PermissionsBoundary"), true);
    iam_commit(req, commit);
}

void iam_get_role(struct iam_request *req)
{
    write_role(req, IAM_WHOLE);
    iam_reply(req);
}

static void save(struct iam_request *req)
{
    struct docs_commit *commit = iam_commit_new(req);

    iam_save_role(req, commit);
    iam_commit(req, commit);
}

/* What the input does not have stays as it is. */
void iam_update_role(struct iam_request *req)
{
    const cJSON *session = iam_member(req, "MaxSessionDuration");

    if (iam_text(req, "Description").ptr)
        iam_set_text(req->role.json, "Description", iam_text(req, "Description"));
    if (session)
        cJSON_SetNumberValue(
            cJSON_GetObjectItemCaseSensitive(req->role.json, "MaxSessionDuration"),
            session->valuedouble);
    save(req);
}

void iam_update_role_description(struct iam_request *req)
{
    iam_set_text(req->role.json, "Description", iam_text(req, "Description"));
    write_role(req, IAM_WHOLE);
    save(req);
}

void iam_update_assume_role_policy(struct iam_request *req)
{
    if (!iam_check_document(req, "PolicyDocument", IAM_TRUST_POLICY))
        return;
    iam_set_text(req->role.json, "AssumeRolePolicyDocument", iam_text(req, "PolicyDocument"));
    save(req);
}

void iam_delete_role(struct iam_request *req)
{
    const cJSON *role = req->role.json;
    struct docs_commit *commit;

    if (cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(role, "AttachedPolicies"))) {
        iam_fail(req, IAM_DeleteConflict, "Cannot delete entity, must detach all policies first.");
        return;
    }
    if (cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(role, "Policies"))) {
        iam_fail(req, IAM_DeleteConflict, "Cannot delete entity, must delete policies first.");
        return;
    }
    commit = iam_commit_new(req);
    docs_unset(commit, IAM_ROLE, str_of(req->role.key));
    docs_remove_name(commit, IAM_ROLES, str_of(req->role.key));
    count_boundary(req, commit, cjson_str(role, "PermissionsBoundary"), false);
    iam_commit(req, commit);
}

/* ---- the permissions boundary ---- */

static void set_boundary(struct iam_request *req, struct str arn)
{
    struct docs_commit *commit = iam_commit_new(req);

    count_boundary(req, commit, cjson_str(req->role.json, "PermissionsBoundary"), false);
    count_boundary(req, commit, arn, true);
    iam_set_text(req->role.json, "PermissionsBoundary", arn);
    iam_save_role(req, commit);
    iam_commit(req, commit);
}

void iam_put_role_boundary(struct iam_request *req)
{
    set_boundary(req, iam_text(req, "PermissionsBoundary"));
}

void iam_delete_role_boundary(struct iam_request *req)
{
    if (cjson_str(req->role.json, "PermissionsBoundary").len)
        set_boundary(req, STR_NULL);
    else
        iam_fail(req, IAM_NoSuchEntity, "Role %.*s does not have a permissions boundary.",
                 STR_ARG(iam_text(req, "RoleName")));
}
