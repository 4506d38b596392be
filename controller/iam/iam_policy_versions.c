/* SPDX-License-Identifier: Apache-2.0 */
/* Versions of managed policies. Their numbers are never given twice; the newest stands first. */
#include <stdio.h>

#include "common/model/lambda_input.h"
#include "controller/iam/iam.h"

#define VERSIONS_MAX 5 /* AWS's quota */

static cJSON *versions_of(const struct iam_request *req)
{
    return cJSON_GetObjectItemCaseSensitive(req->policy.json, "Versions");
}

static void save(struct iam_request *req)
{
    struct docs_commit *commit = iam_commit_new(req);

    iam_save_policy(req, commit);
    iam_commit(req, commit);
}

static void touch(struct iam_request *req)
{
    char date[IAM_DATE_MAX];

    iam_now(date);
    iam_set_text(req->policy.json, "UpdateDate", str_of(date));
}

void iam_create_policy_version(struct iam_request *req)
{
    cJSON *last = cJSON_GetObjectItemCaseSensitive(req->policy.json, "LastVersion"), *version;
    char date[IAM_DATE_MAX], id[24];

    if (!iam_is_ours(req) || !iam_check_document(req, "PolicyDocument", IAM_IDENTITY_POLICY))
        return;
    if (cJSON_GetArraySize(versions_of(req)) >= VERSIONS_MAX) {
        iam_fail(req, IAM_LimitExceeded,
                 "A managed policy can have up to %d versions. Before you create a new version, "
                 "you must delete an existing version.",
                 VERSIONS_MAX);
        return;
    }
    cJSON_SetNumberValue(last, last->valuedouble + 1);
    snprintf(id, sizeof(id), "v%.0f", last->valuedouble);
    iam_now(date);
    version = cJSON_CreateObject();
    iam_set_text(version, "VersionId", str_of(id));
    iam_set_text(version, "CreateDate", str_of(date));
    iam_set_text(version, "Document", iam_text(req, "PolicyDocument"));
    iam_insert(versions_of(req), 0, version);
    if (cJSON_IsTrue(iam_member(req, "SetAsDefault")))
        iam_set_text(req->policy.json, "DefaultVersionId", str_of(id));
    touch(req);
    xml_open(&req->answer, "PolicyVersion");
    iam_xml_version(&req->answer, req->policy.json, version, false);
    xml_close(&req->answer, "PolicyVersion");
    save(req);
}

/* Where the version VersionId stands, or -1: answered. */
static int find_version(struct iam_request *req)
{
    struct str id = iam_text(req, "VersionId");
    const cJSON *version;
    int at = 0;

    cJSON_ArrayForEach(version, versions_of(req))
    {
        if (str_eq(id, cjson_str(version, "VersionId")))
            return at;
        at++;
    }
    iam_fail(req, IAM_NoSuchEntity, "Policy %s version %.*s does not exist or is not attachable.",
             req->policy_arn, STR_ARG(id));
    return -1;
}

void iam_get_policy_version(struct iam_request *req)
{
    bool is_managed = req->managed && str_is(iam_text(req, "VersionId"), req->managed->version);
    int at = is_managed ? 0 : find_version(req);

    if (at < 0)
        return;
    xml_open(&req->answer, "PolicyVersion");
    if (is_managed)
        iam_xml_managed_version(&req->answer, req->managed, true);
    else
        iam_xml_version(&req->answer, req->policy.json, cJSON_GetArrayItem(versions_of(req), at),
                        true);
    xml_close(&req->answer, "PolicyVersion");
    iam_reply(req);
}

void iam_list_policy_versions(struct iam_request *req)
{
    size_t total = req->managed ? 1 : (size_t)cJSON_GetArraySize(versions_of(req)), i;
    struct buf *b = &req->answer;
    struct iam_page page;

    if (!iam_page_begin(req, total, &page))
        return;
    xml_open(b, "Versions");
    for (i = page.from; i < page.to; i++) {
        xml_open(b, "member");
        if (req->managed)
            iam_xml_managed_version(b, req->managed, false);
        else
            iam_xml_version(b, req->policy.json, cJSON_GetArrayItem(versions_of(req), (int)i),
                            false);
        xml_close(b, "member");
    }
    xml_close(b, "Versions");
    iam_page_end(req, &page);
    iam_reply(req);
}

void iam_delete_policy_version(struct iam_request *req)
{
    int at;

    if (!iam_is_ours(req))
        return;
    at = find_version(req);
    if (at < 0)
        return;
    if (str_eq(iam_text(req, "VersionId"), cjson_str(req->policy.json, "DefaultVersionId"))) {
        iam_fail(req, IAM_DeleteConflict, "Cannot delete the default version of a policy.");
        return;
    }
    cJSON_DeleteItemFromArray(versions_of(req), at);
    touch(req);
    save(req);
}

void iam_set_default_policy_version(struct iam_request *req)
{
    if (!iam_is_ours(req) || find_version(req) < 0)
        return;
    iam_set_text(req->policy.json, "DefaultVersionId", iam_text(req, "VersionId"));
    touch(req);
    save(req);
}
