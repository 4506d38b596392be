/* SPDX-License-Identifier: Apache-2.0 */
/* Roles, policies and versions as IAM's answers have them. */
#include "common/proto/uri_escape.h"
#include "controller/iam/iam.h"

#include "common/model/lambda_input.h"

#define ESCAPED_MAX (4u * 1024u * 1024u) /* the longest document, every byte escaped */

static const cJSON *get(const cJSON *json, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(json, name);
}

/* The member @name of @json as it is, unless it has none. */
static void copy_text(struct buf *b, const cJSON *json, const char *name)
{
    const char *text = cJSON_GetStringValue(get(json, name));

    if (text)
        xml_text(b, name, str_of(text));
}

char *iam_role_arn(const char *account, const cJSON *role)
{
    return str_printf("arn:aws:iam::%s:role%.*s%.*s", account, STR_ARG(cjson_str(role, "Path")),
                      STR_ARG(cjson_str(role, "RoleName")));
}

char *iam_policy_arn(const char *account, const cJSON *policy)
{
    return str_printf("arn:aws:iam::%s:policy%.*s%.*s", account,
                      STR_ARG(cjson_str(policy, "Path")),
                      STR_ARG(cjson_str(policy, "PolicyName")));
}

void iam_xml_document(struct buf *b, const char *name, struct str text)
{
    CLEANUP(buf_done) struct buf escaped = BUF_INIT(ESCAPED_MAX);

    uri_escape(&escaped, text, false);
    xml_text(b, name, buf_str(&escaped));
}

void iam_xml_tags(struct buf *b, const cJSON *tags, size_t from, size_t to)
{
    const cJSON *tag;
    size_t i = 0;

    cJSON_ArrayForEach(tag, tags)
    {
        if (i >= from && i < to) {
            xml_open(b, "member");
            copy_text(b, tag, "Key");
            copy_text(b, tag, "Value");
            xml_close(b, "member");
        }
        i++;
    }
}

static void write_tags(struct buf *b, const cJSON *tags, bool even_when_empty)
{
    if (!even_when_empty && !cJSON_GetArraySize(tags))
        return;
    xml_open(b, "Tags");
    iam_xml_tags(b, tags, 0, SIZE_MAX);
    xml_close(b, "Tags");
}

static void write_boundary(struct buf *b, const cJSON *role)
{
    struct str arn = cjson_str(role, "PermissionsBoundary");

    if (!arn.len)
        return;
    xml_open(b, "PermissionsBoundary");
    xml_text(b, "PermissionsBoundaryType", STR("Policy"));
    xml_text(b, "PermissionsBoundaryArn", arn);
    xml_close(b, "PermissionsBoundary");
}

/*
 * CreateRole does not show what GetRole adds; lists leave out boundary, tags and last use ("a
 * subset of the available attributes").
 */
void iam_xml_role(struct buf *b, const char *account, const cJSON *role, enum iam_detail detail)
{
    CLEANUP(freep) char *arn = iam_role_arn(account, role);

    copy_text(b, role, "Path");
    copy_text(b, role, "RoleName");
    copy_text(b, role, "RoleId");
    xml_text(b, "Arn", str_of(arn));
    copy_text(b, role, "CreateDate");
    iam_xml_document(b, "AssumeRolePolicyDocument", cjson_str(role, "AssumeRolePolicyDocument"));
    if (detail != IAM_CREATED) {
        copy_text(b, role, "Description");
        xml_u64(b, "MaxSessionDuration",
                (uint64_t)cJSON_GetNumberValue(get(role, "MaxSessionDuration")));
    }
    if (detail == IAM_LISTED)
        return;
    write_boundary(b, role);
    write_tags(b, get(role, "Tags"), false);
    if (detail == IAM_WHOLE)
        buf_printf(b, "<RoleLastUsed/>");
}

static void write_use(struct buf *b, uint64_t attached, uint64_t bounded)
{
    xml_u64(b, "AttachmentCount", attached);
    xml_u64(b, "PermissionsBoundaryUsageCount", bounded);
    xml_bool(b, "IsAttachable", true);
}

static void write_managed(struct buf *b, const struct iam_managed *managed, uint64_t attached,
                          uint64_t bounded, enum iam_detail detail)
{
    xml_text(b, "PolicyName", str_of(managed->name));
    xml_text(b, "PolicyId", str_of(managed->id));
    buf_printf(b, "<Arn>arn:aws:iam::aws:policy%s%s</Arn>", managed->path, managed->name);
    xml_text(b, "Path", str_of(managed->path));
    xml_text(b, "DefaultVersionId", str_of(managed->version));
    write_use(b, attached, bounded);
    xml_text(b, "CreateDate", str_of(managed->created));
    xml_text(b, "UpdateDate", str_of(managed->updated));
    if (detail == IAM_WHOLE)
        write_tags(b, NULL, true);
}

/* A policy's description is in GetPolicy's answer alone. */
void iam_xml_policy(struct buf *b, const char *account, const cJSON *json,
                    const struct iam_managed *managed, uint64_t attached, uint64_t bounded,
                    enum iam_detail detail)
{
    CLEANUP(freep) char *arn = NULL;

    if (!json) {
        write_managed(b, managed, attached, bounded, detail);
        return;
    }
    arn = iam_policy_arn(account, json);
    copy_text(b, json, "PolicyName");
    copy_text(b, json, "PolicyId");
    xml_text(b, "Arn", str_of(arn));
    copy_text(b, json, "Path");
    copy_text(b, json, "DefaultVersionId");
    write_use(b, attached, bounded);
    copy_text(b, json, "CreateDate");
    copy_text(b, json, "UpdateDate");
    if (detail == IAM_WHOLE)
        copy_text(b, json, "Description");
    if (detail != IAM_LISTED)
        write_tags(b, get(json, "Tags"), detail == IAM_WHOLE);
}

void iam_xml_version(struct buf *b, const cJSON *policy, const cJSON *version, bool with_document)
{
    struct str id = cjson_str(version, "VersionId");

    if (with_document)
        iam_xml_document(b, "Document", cjson_str(version, "Document"));
    xml_text(b, "VersionId", id);
    xml_bool(b, "IsDefaultVersion", str_eq(id, cjson_str(policy, "DefaultVersionId")));
    copy_text(b, version, "CreateDate");
}

void iam_xml_managed_version(struct buf *b, const struct iam_managed *managed, bool with_document)
{
    if (with_document)
        iam_xml_document(b, "Document", str_of(managed->document));
    xml_text(b, "VersionId", str_of(managed->version));
    xml_bool(b, "IsDefaultVersion", true);
    xml_text(b, "CreateDate", str_of(managed->updated));
}
