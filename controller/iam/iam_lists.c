/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists over the account: roles, policies, roles that use a policy. They go by names, so what is
 * added or removed between two pages does no harm to the rest. A filter may leave a page with fewer
 * items than MaxItems, or none, and more to come, as IAM says of its own.
 */
#include <stdlib.h>
#include <string.h>

#include "common/model/lambda_input.h"
#include "controller/iam/iam.h"

#define NAME_BYTES_MAX 512u
#define POLICIES_MAX 100u /* looked at for one answer: each needs two more reads */

/* What a marker says about where to go on: behind a role's or policy's name. */
#define BY_NAME 'n'
#define BY_MANAGED_NAME 'm'

static bool is_in_path(const struct iam_request *req, struct str path)
{
    struct str prefix = iam_text(req, "PathPrefix");

    return !prefix.ptr || str_starts(path, prefix);
}

static bool marker_is(struct iam_request *req, char kind, const char *kinds)
{
    if (!kind || strchr(kinds, kind))
        return true;
    iam_fail(req, IAM_ValidationError, "Invalid Marker.");
    return false;
}

/* ---- roles ---- */

static void write_role(struct iam_request *req, const cJSON *role)
{
    bool whole = req->op->id == IAM_OP_ListRoles;

    xml_open(&req->answer, "member");
    if (whole)
        iam_xml_role(&req->answer, req->account, role, IAM_LISTED);
    else
        xml_text(&req->answer, "RoleName", cjson_str(role, "RoleName"));
    if (!whole)
        xml_text(&req->answer, "RoleId", cjson_str(role, "RoleId"));
    xml_close(&req->answer, "member");
}

static void on_roles(const struct redis_value *values, size_t len, const struct error *err,
                     void *arg)
{
    const char *name = NULL;
    struct iam_request *req = arg;
    struct str last = STR_NULL;
    size_t i, max = iam_max_items(req);

    (void)len;
    if (err) {
        iam_fail_ours(req, err);
        return;
    }
    name = req->op->id == IAM_OP_ListRoles ? "Roles" : "PolicyRoles";
    xml_open(&req->answer, name);
    for (i = 0; i + 1 < values[0].len && i / 2 < max; i += 2) {
        cJSON *role = docs_json(&values[0].items[i + 1]);

        last = values[0].items[i].str;
        if (role && is_in_path(req, cjson_str(role, "Path")))
            write_role(req, role);
        cJSON_Delete(role);
    }
    xml_close(&req->answer, name);
    iam_marker_write(req, values[0].len / 2 > max ? BY_NAME : '\0', last);
    iam_reply(req);
}

/* Roles whose names are in the sorted set @names. */
static void read_roles(struct iam_request *req, const char *names)
{
    CLEANUP(buf_done) struct buf after = BUF_INIT(NAME_BYTES_MAX);
    struct docs_read *read;
    char kind;

    if (!iam_marker_read(req, &kind, &after) || !marker_is(req, kind, (char[]){BY_NAME, '\0'}))
        return;
    read = docs_read_new(req->c->redis, str_of(req->account));
    docs_read_page(read, names, IAM_ROLE, buf_str(&after), iam_max_items(req) + 1);
    docs_read_run(read, on_roles, req);
}

void iam_list_roles(struct iam_request *req)
{
    read_roles(req, IAM_ROLES);
}

/* There are no users and groups: only roles use a policy. */
void iam_list_entities_for_policy(struct iam_request *req)
{
    struct str filter = iam_text(req, "EntityFilter");
    bool bounded = str_is(iam_text(req, "PolicyUsageFilter"), "PermissionsBoundary");
    CLEANUP(freep)
    char *names = str_printf("%s%s", bounded ? IAM_BOUNDED : IAM_ATTACHED, req->policy_arn);

    buf_printf(&req->answer, "<PolicyGroups/><PolicyUsers/>");
    if (!filter.ptr || str_is(filter, "Role")) {
        read_roles(req, names);
        return;
    }
    buf_printf(&req->answer, "<PolicyRoles/>");
    iam_marker_write(req, '\0', STR_NULL);
    iam_reply(req);
}

/* ---- policies: the account's, then AWS's ---- */

struct candidate {
    cJSON *json; /* NULL: of @managed */
    const struct iam_managed *managed;
};

struct policies {
    struct candidate list[POLICIES_MAX];
    size_t len, max;
    bool more;
};

static bool has_scope(const struct iam_request *req, const char *scope)
{
    struct str asked = iam_text(req, "Scope");

    return !asked.ptr || str_is(asked, "All") || str_is(asked, scope);
}

static void policies_free(struct iam_request *req)
{
    struct policies *p = req->list;
    size_t i;

    for (i = 0; i < p->len; i++)
        cJSON_Delete(p->list[i].json);
    free(p);
    req->list = NULL;
}

static bool is_wanted(const struct iam_request *req, const struct candidate *c, uint64_t attached,
                      uint64_t bounded)
{
    struct str usage = iam_text(req, "PolicyUsageFilter");
    bool only_used = cJSON_IsTrue(iam_member(req, "OnlyAttached"));

    if (!is_in_path(req, c->json ? cjson_str(c->json, "Path") : str_of(c->managed->path)))
        return false;
    if (str_is(usage, "PermissionsBoundary"))
        return bounded > 0;
    return !only_used || attached > 0 || (!usage.ptr && bounded > 0);
}

static void write_next_policies(struct iam_request *req, const struct policies *p)
{
    const struct candidate *last = p->len ? &p->list[p->len - 1] : NULL;
    CLEANUP(freep) char *name = NULL;

    if (!p->more || !last) {
        iam_marker_write(req, '\0', STR_NULL);
        return;
    }
    name = last->json ? iam_key(cjson_str(last->json, "PolicyName"))
                      : str_dup(str_of(last->managed->name));
    iam_marker_write(req, last->json ? BY_NAME : BY_MANAGED_NAME, str_of(name));
}

static void on_uses(const struct redis_value *values, size_t len, const struct error *err,
                    void *arg)
{
    struct iam_request *req = arg;
    struct policies *p = req->list;
    size_t i;

    (void)len;
    if (err) {
        policies_free(req);
        iam_fail_ours(req, err);
        return;
    }
    xml_open(&req->answer, "Policies");
    for (i = 0; i < p->len; i++) {
        uint64_t attached = (uint64_t)values[2 * i].integer;
        uint64_t bounded = (uint64_t)values[2 * i + 1].integer;

        if (!is_wanted(req, &p->list[i], attached, bounded))
            continue;
        xml_open(&req->answer, "member");
        iam_xml_policy(&req->answer, req->account, p->list[i].json, p->list[i].managed, attached,
                       bounded, IAM_LISTED);
        xml_close(&req->answer, "member");
    }
    xml_close(&req->answer, "Policies");
    write_next_policies(req, p);
    policies_free(req);
    iam_reply(req);
}

/* How often each of the page is in use, then the answer. */
static void read_uses(struct iam_request *req)
{
    struct policies *p = req->list;
    struct docs_read *read;
    size_t i;

    if (p->len == 0) {
        on_uses(NULL, 0, NULL, req);
        return;
    }
    read = docs_read_new(req->c->redis, str_of(req->account));
    for (i = 0; i < p->len; i++) {
        const struct iam_managed *m = p->list[i].managed;
        CLEANUP(freep)
        char *arn = m ? str_printf("arn:aws:iam::aws:policy%s%s", m->path, m->name)
                      : iam_policy_arn(req->account, p->list[i].json);
        CLEANUP(freep) char *attached = str_printf(IAM_ATTACHED "%s", arn);
        CLEANUP(freep) char *bounded = str_printf(IAM_BOUNDED "%s", arn);

        docs_read_size(read, attached);
        docs_read_size(read, bounded);
    }
    docs_read_run(read, on_uses, req);
}

/* Fills the page with AWS's policies behind @after (empty: from the first). */
static void add_managed(struct iam_request *req, struct str after)
{
    struct policies *p = req->list;
    size_t i;

    if (!has_scope(req, "AWS"))
        return;
    for (i = 0; i < iam_managed_len; i++) {
        if (after.len && strncmp(iam_managed_table[i].name, after.ptr, after.len + 1) <= 0)
            continue;
        if (p->len == p->max) {
            p->more = true;
            return;
        }
        p->list[p->len++] = (struct candidate){NULL, &iam_managed_table[i]};
    }
}

static void on_policies(const struct redis_value *values, size_t len, const struct error *err,
                        void *arg)
{
    struct iam_request *req = arg;
    struct policies *p = req->list;
    size_t i;

    (void)len;
    if (err) {
        policies_free(req);
        iam_fail_ours(req, err);
        return;
    }
    for (i = 0; i + 1 < values[0].len && p->len < p->max; i += 2) {
        cJSON *json = docs_json(&values[0].items[i + 1]);

        if (json)
            p->list[p->len++] = (struct candidate){json, NULL};
    }
    p->more = i + 1 < values[0].len;
    if (!p->more)
        add_managed(req, STR_NULL);
    read_uses(req);
}

void iam_list_policies(struct iam_request *req)
{
    CLEANUP(buf_done) struct buf after = BUF_INIT(NAME_BYTES_MAX);
    struct docs_read *read;
    struct policies *p;
    char kind;

    if (!iam_marker_read(req, &kind, &after) ||
        !marker_is(req, kind, (char[]){BY_NAME, BY_MANAGED_NAME, '\0'}))
        return;
    p = calloc(1, sizeof(*p));
    if (!p)
        abort();
    p->max = iam_max_items(req) < POLICIES_MAX ? iam_max_items(req) : POLICIES_MAX;
    req->list = p;
    if (kind == BY_MANAGED_NAME || !has_scope(req, "Local")) {
        buf_append_char(&after, '\0'); /* add_managed() compares up to it */
        after.len--;
        add_managed(req, buf_str(&after));
        read_uses(req);
        return;
    }
    read = docs_read_new(req->c->redis, str_of(req->account));
    docs_read_page(read, IAM_POLICIES, IAM_POLICY, buf_str(&after), (uint32_t)p->max + 1);
    docs_read_run(read, on_policies, req);
}
