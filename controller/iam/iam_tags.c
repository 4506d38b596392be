/* SPDX-License-Identifier: Apache-2.0 */
/* Tags of roles and policies, kept in the order of their keys, which differ by more than case. */
#include <stdlib.h>
#include <string.h>

#include "common/model/lambda_input.h"
#include "controller/iam/iam.h"

#define TAGS_MAX 50 /* AWS's quota */

/* The tag with the key @key, whatever its case, or NULL. */
static cJSON *find_tag(const cJSON *tags, struct str key)
{
    cJSON *tag;

    cJSON_ArrayForEach(tag, tags)
    {
        if (str_eq_nocase(cjson_str(tag, "Key"), key))
            return tag;
    }
    return NULL;
}

static void put_tag(cJSON *tags, const cJSON *from)
{
    struct str key = cjson_str(from, "Key");
    cJSON *old = find_tag(tags, key), *tag = cJSON_CreateObject(), *other;
    int at = 0;

    if (old)
        cJSON_Delete(cJSON_DetachItemViaPointer(tags, old));
    iam_set_text(tag, "Key", key);
    iam_set_text(tag, "Value", cjson_str(from, "Value"));
    cJSON_ArrayForEach(other, tags)
    {
        if (strcmp(cjson_str(other, "Key").ptr, key.ptr) > 0)
            break;
        at++;
    }
    iam_insert(tags, at, tag);
}

static bool check_tags(struct iam_request *req, const cJSON *tags)
{
    const cJSON *tag;

    cJSON_ArrayForEach(tag, tags)
    {
        struct str key = cjson_str(tag, "Key");

        if (find_tag(tags, key) != tag) {
            iam_fail(req, IAM_InvalidInput,
                     "Duplicate tag keys found. Please note that Tag keys are case insensitive.");
            return false;
        }
        if (key.len >= 4 && str_eq_nocase(str_sub(key, 0, 4), STR("aws:"))) {
            iam_fail(req, IAM_InvalidInput,
                     "Tag keys that begin with aws: are reserved for AWS's own use.");
            return false;
        }
    }
    return true;
}

bool iam_tags_put(struct iam_request *req, cJSON *json)
{
    cJSON *tags = cJSON_GetObjectItemCaseSensitive(json, "Tags");
    const cJSON *added = iam_member(req, "Tags"), *tag;

    if (!check_tags(req, added))
        return false;
    cJSON_ArrayForEach(tag, added)
    {
        put_tag(tags, tag);
    }
    if (cJSON_GetArraySize(tags) <= TAGS_MAX)
        return true;
    iam_fail(req, IAM_LimitExceeded, "Cannot exceed quota for %s: %d",
             json == req->policy.json ? "TagsPerPolicy" : "TagsPerRole", TAGS_MAX);
    return false;
}

static void remove_tags(struct iam_request *req, cJSON *json)
{
    cJSON *tags = cJSON_GetObjectItemCaseSensitive(json, "Tags"), *tag;
    const cJSON *key;

    cJSON_ArrayForEach(key, iam_member(req, "TagKeys"))
    {
        tag = find_tag(tags, str_of(key->valuestring));
        if (tag)
            cJSON_Delete(cJSON_DetachItemViaPointer(tags, tag));
    }
}

static void list_tags(struct iam_request *req, const cJSON *json)
{
    const cJSON *tags = cJSON_GetObjectItemCaseSensitive(json, "Tags");
    struct iam_page page;

    if (!iam_page_begin(req, (size_t)cJSON_GetArraySize(tags), &page))
        return;
    xml_open(&req->answer, "Tags");
    iam_xml_tags(&req->answer, tags, page.from, page.to);
    xml_close(&req->answer, "Tags");
    iam_page_end(req, &page);
    iam_reply(req);
}

static void save(struct iam_request *req)
{
    struct docs_commit *commit = iam_commit_new(req);

    if (req->role.json)
        iam_save_role(req, commit);
    else
        iam_save_policy(req, commit);
    iam_commit(req, commit);
}

void iam_tag_role(struct iam_request *req)
{
    if (iam_tags_put(req, req->role.json))
        save(req);
}

void iam_untag_role(struct iam_request *req)
{
    remove_tags(req, req->role.json);
    save(req);
}

void iam_list_role_tags(struct iam_request *req)
{
    list_tags(req, req->role.json);
}

void iam_tag_policy(struct iam_request *req)
{
    if (iam_is_ours(req) && iam_tags_put(req, req->policy.json))
        save(req);
}

void iam_untag_policy(struct iam_request *req)
{
    if (!iam_is_ours(req))
        return;
    remove_tags(req, req->policy.json);
    save(req);
}

void iam_list_policy_tags(struct iam_request *req)
{
    list_tags(req, req->policy.json);
}
