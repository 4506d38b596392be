/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TagResource, UntagResource, ListTags. A function's tags are one of its settings and change as one
 * step on it. Those of other resources lie in a hash for each kind, under the ARN, and change while
 * the resource's own document is there.
 *
 * Source: Lambda API reference; recorded answers.
 */
#include <stdlib.h>
#include <string.h>

#include "common/model/lambda_input.h"
#include "controller/store/docs.h"
#include "controller/ops/fn_op.h"

#define TAGS_MAX 50 /* of one resource */
#define TRIES_MAX 50u

/* Kinds of resources other than functions: "arn:…:<account>:<type>:<id>". */
static const struct tagged {
    const char *type;
    const char *docs; /* hash of documents: id → JSON */
    const char *tags; /* hash of tags: ARN → {key: value} */
    const char *missing, *end; /* around the ARN: there is no such resource */
} kinds[] = {
    {"event-source-mapping", "esm", "tags:esm", "Event source mapping not found", ""},
    {"code-signing-config", "csc", "tags:csc",
     "The code signing configuration cannot be found. Check that the provided configuration is "
     "not deleted",
     "."},
};

/* ---- what the three do, whatever has the tags ---- */

/* Applies the input to @tags. */
static int apply(const struct api_request *req, cJSON *tags, struct error *err)
{
    const cJSON *item;

    if (req->op->id == LAMBDA_OP_UntagResource) {
        cJSON_ArrayForEach(item, api_member(req, "TagKeys"))
            cJSON_DeleteItemFromObjectCaseSensitive(tags, item->valuestring);
        return 0;
    }
    cJSON_ArrayForEach(item, api_member(req, "Tags"))
    {
        cJSON_DeleteItemFromObjectCaseSensitive(tags, item->string);
        cJSON_AddItemToObject(tags, item->string, cJSON_Duplicate(item, 1));
        if (cJSON_GetArraySize(tags) > TAGS_MAX) /* at once: a request may hold a million */
            return error_set(err, ERR_BAD_REQUEST, "Number of tags exceeds resource tag limit.");
    }
    return 0;
}

/* The answer to ListTags with @tags (may be NULL). */
static cJSON *tags_json(const cJSON *tags)
{
    cJSON *json = cJSON_CreateObject();

    cJSON_AddItemToObject(json, "Tags", tags ? cJSON_Duplicate(tags, 1) : cJSON_CreateObject());
    return json;
}

/* A copy of @tags (may be NULL) that can be changed. */
static cJSON *tags_copy(const cJSON *tags)
{
    return tags ? cJSON_Duplicate(tags, 1) : cJSON_CreateObject();
}

/* ---- functions ---- */

static const cJSON *function_tags(const struct fn_view *view)
{
    return cJSON_GetObjectItemCaseSensitive(view->settings, "tags");
}

int op_tag_function(struct api_request *req, const struct fn_view *view, struct fn_write *w,
                    cJSON **ret, struct error *err)
{
    const cJSON *old = function_tags(view);
    cJSON *tags = tags_copy(old);
    int r = apply(req, tags, err);

    *ret = NULL;
    if (r == 0 && (old ? !cJSON_Compare(old, tags, true) : tags->child != NULL))
        fn_write_setting(w, "tags", tags);
    cJSON_Delete(tags);
    return r;
}

int op_untag_function(struct api_request *req, const struct fn_view *view, struct fn_write *w,
                      cJSON **ret, struct error *err)
{
    return op_tag_function(req, view, w, ret, err);
}

int op_list_function_tags(struct api_request *req, const struct fn_view *view, struct fn_write *w,
                          cJSON **ret, struct error *err)
{
    (void)req;
    (void)w;
    (void)err;
    *ret = tags_json(function_tags(view));
    return 0;
}

/* ---- other resources ---- */

struct tagging {
    struct api_request *req;
    const struct tagged *kind;
    struct str arn, id; /* of the input */
    unsigned tries;
};

static void look(struct tagging *t);

static void on_committed(const struct error *err, void *arg)
{
    struct tagging *t = arg;

    if (err && err->code == ERR_STALE && ++t->tries < TRIES_MAX) {
        look(t);
        return;
    }
    if (err)
        api_fail(t->req, err);
    else
        api_reply(t->req, NULL);
    free(t);
}

/* The resource is there, with @old as the text of its tags (ptr NULL: none). */
static void change(struct tagging *t, struct str doc, struct str old, cJSON *tags)
{
    struct api_request *req = t->req;
    struct docs_commit *commit = docs_commit_new(req->c->redis, req->home.account);

    docs_expect(commit, t->kind->docs, t->id, doc);
    docs_expect(commit, t->kind->tags, t->arn, old);
    if (tags->child)
        docs_set_json(commit, t->kind->tags, t->arn, tags);
    else
        docs_unset(commit, t->kind->tags, t->arn);
    docs_commit_run(commit, on_committed, t);
}

static void act(struct tagging *t, const struct redis_value *doc, const struct redis_value *old)
{
    cJSON *was = docs_json(old), *tags;
    struct error err;

    if (t->req->op->id == LAMBDA_OP_ListTags) {
        api_reply(t->req, tags_json(was));
        free(t);
    } else {
        tags = tags_copy(was);
        if (apply(t->req, tags, &err) < 0) {
            api_fail(t->req, &err);
            free(t);
        } else {
            change(t, doc->str, old->type == REDIS_STRING ? old->str : STR_NULL, tags);
        }
        cJSON_Delete(tags);
    }
    cJSON_Delete(was);
}

static void on_looked(const struct redis_value *values, size_t len, const struct error *err,
                      void *arg)
{
    struct tagging *t = arg;

    (void)len;
    if (!err && values[0].type == REDIS_STRING) {
        act(t, &values[0], &values[1]);
        return;
    }
    if (err)
        api_fail(t->req, err);
    else
        api_fail_with(t->req, ERR_NOT_FOUND, "%s: %.*s%s", t->kind->missing, STR_ARG(t->arn),
                      t->kind->end);
    free(t);
}

static void look(struct tagging *t)
{
    struct docs_read *read = docs_read_new(t->req->c->redis, t->req->home.account);

    docs_read_field(read, t->kind->docs, t->id);
    docs_read_field(read, t->kind->tags, t->arn);
    docs_read_run(read, on_looked, t);
}

static void tag_other(struct api_request *req, const struct tagged *kind, struct str id)
{
    struct tagging *t = calloc(1, sizeof(*t));

    if (!t)
        abort();
    *t = (struct tagging){.req = req, .kind = kind, .arn = cjson_str(req->input, "Resource")};
    t->id = id;
    look(t);
}

/* ---- which of them ---- */

static void tag_function(struct api_request *req)
{
    struct error err;

    if (fn_name_resolve(cjson_str(req->input, "Resource"), FN_NAME_NAMESPACED, STR_NULL,
                        &req->home, &req->fn, &err) < 0)
        api_fail(req, &err);
    else if (req->fn.qualifier.len)
        api_fail_with(req, ERR_BAD_REQUEST,
                      "Tags on function aliases and versions are not supported. Please specify a "
                      "function ARN.");
    else
        fn_op_run_named(req, fn_op_find(req->op->id));
}

/* The parts of the ARN, whose form has been checked: arn:aws:lambda:REGION:ACCOUNT:TYPE:ID */
static void split(struct str arn, struct str parts[7])
{
    struct str rest = arn;
    size_t i;

    memset(parts, 0, 7 * sizeof(*parts));
    for (i = 0; i < 6; i++)
        str_split(&rest, ':', &parts[i]);
    parts[6] = rest;
}

void api_tags(struct api_request *req)
{
    struct str parts[7];
    size_t i;

    if (req->op->id == LAMBDA_OP_TagResource && cJSON_GetArraySize(api_member(req, "Tags")) == 0) {
        api_fail_with(req, ERR_BAD_REQUEST,
                      "An error occurred and the request cannot be processed.");
        return;
    }
    split(cjson_str(req->input, "Resource"), parts);
    if (str_is(parts[5], "function")) {
        tag_function(req);
        return;
    }
    if (!str_eq(parts[4], req->home.account)) {
        api_fail_with(req, ERR_ACCESS_DENIED, "%s", "");
        return;
    }
    for (i = 0; i < ARRAY_LEN(kinds); i++) {
        if (str_is(parts[5], kinds[i].type)) {
            tag_other(req, &kinds[i], parts[6]);
            return;
        }
    }
    api_fail_with(req, ERR_UNSUPPORTED, "Hearth does not offer tags on a resource of type %.*s.",
                  STR_ARG(parts[5]));
}
