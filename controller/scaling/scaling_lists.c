/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The four Describe operations. Items come in order of their resource ids, then of their names
 * (activities: the newest first). A token names the item that was shown last, so lists are stable
 * while others write. One answer looks at DOCS_MAX targets; filters may leave fewer items than were asked
 * for and a token all the same, as AWS says of its own lists.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/base64.h"
#include "common/model/lambda_input.h"
#include "controller/scaling/scaling.h"

#define DOCS_MAX 50u
#define TOKEN_MAX 8192u
#define BEHIND_ALL "\xf4\x8f\xbf\xbf" /* the last of all characters: behind every name */

struct kind {
    const char *member; /* of the answer */
    const char *names; /* of the input: the items to show; NULL: none */
    const char *key; /* which documents */
    const char *below; /* member of a document with the items; NULL: its items, or itself */
    unsigned page_max;
};

static const struct kind targets = {"ScalableTargets", NULL, SCALING_TARGETS, NULL, 50};
static const struct kind policies = {"ScalingPolicies", "PolicyNames", SCALING_TARGETS, "policies", 10};
static const struct kind actions = {"ScheduledActions", "ScheduledActionNames", SCALING_TARGETS, "actions", 50};
static const struct kind activities = {"ScalingActivities", NULL, SCALING_ACTIVITIES, NULL, 50};

struct list {
    const struct kind *kind;
    struct buf token; /* decoded: resource id, newline, name */
    struct str after_resource, after_name; /* of it */
    size_t max;
    cJSON *items;
    char *last_resource, *last_name; /* of what was shown last */
    bool is_full; /* and there is more */
};

static void list_free(struct list *list)
{
    free(list->last_resource);
    free(list->last_name);
    buf_done(&list->token);
    free(list);
}

/* ---- tokens ---- */

static bool read_token(struct scaling_request *req, struct list *list)
{
    struct str token = cjson_str(req->input, "NextToken"), rest;

    if (!token.ptr)
        return true;
    if (base64_decode(&list->token, token) < 0)
        return false;
    rest = buf_str(&list->token);
    list->after_name = rest;
    return str_split(&list->after_name, '\n', &list->after_resource) && list->after_resource.len > 0 &&
           list->after_name.ptr && str_is_utf8(rest);
}

static void write_token(struct scaling_request *req, const char *resource, const char *name)
{
    CLEANUP(buf_done) struct buf token = BUF_INIT(2 * TOKEN_MAX);
    CLEANUP(freep) char *plain = str_printf("%s\n%s", resource, name);

    (void)base64_encode(&token, str_of(plain)); /* both have their bounds */
    (void)buf_append_char(&token, '\0');
    cJSON_DeleteItemFromObjectCaseSensitive(req->answer, "NextToken");
    cJSON_AddStringToObject(req->answer, "NextToken", token.ptr);
}

/* ---- items ---- */

/* False: the page is full; its token says where it goes on. */
static bool add(struct scaling_request *req, const char *resource, const char *name, cJSON *item)
{
    struct list *list = req->list;

    if ((size_t)cJSON_GetArraySize(list->items) >= list->max) {
        cJSON_Delete(item);
        list->is_full = true;
        write_token(req, list->last_resource, list->last_name);
        return false;
    }
    cJSON_AddItemToArray(list->items, item);
    free(list->last_resource);
    free(list->last_name);
    list->last_resource = str_dup(str_of(resource));
    list->last_name = str_dup(str_of(name));
    return true;
}

/* Whether the input wants @name, of those that it lists. */
static bool is_wanted(struct scaling_request *req, const char *name)
{
    const struct list *list = req->list;
    const cJSON *names = list->kind->names ? scaling_member(req, list->kind->names) : NULL, *one;

    if (cJSON_GetArraySize(names) == 0)
        return true;
    cJSON_ArrayForEach(one, names)
        if (str_is(str_of(one->valuestring), name))
            return true;
    return false;
}

static cJSON *show(struct scaling_request *req, const char *resource, const cJSON *item)
{
    const struct kind *kind = ((struct list *)req->list)->kind;
    const char *region = req->c->config->region;

    if (kind == &targets)
        return scaling_show_target(region, req->account, resource, item);
    if (kind == &policies)
        return scaling_show_policy(region, req->account, resource, item);
    if (kind == &actions)
        return scaling_show_action(region, req->account, resource, item);
    return scaling_show_activity(resource, item);
}

/* The name of an item within its document. */
static const char *name_of(const struct kind *kind, const cJSON *item)
{
    const char *name = kind == &activities ? cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "id"))
                                           : item->string;

    return name ? name : "";
}

/* Shows what @doc has, behind the item @after (ptr NULL: all). False: the page is full. */
static bool add_doc(struct scaling_request *req, const char *resource, const cJSON *doc, struct str after)
{
    const struct kind *kind = ((struct list *)req->list)->kind;
    const cJSON *all = kind->below ? cJSON_GetObjectItemCaseSensitive(doc, kind->below) : doc, *item;
    bool is_behind = !after.ptr;
    const char *name;

    if (kind == &targets)
        return !is_behind || add(req, resource, "", show(req, resource, doc));
    cJSON_ArrayForEach(item, all)
    {
        CLEANUP(freep) char *last = str_dup(after);

        name = name_of(kind, item);
        if (is_behind || (kind->below && strcmp(name, last) > 0)) {
            if (is_wanted(req, name) && !add(req, resource, name, show(req, resource, item)))
                return false;
        } else if (!kind->below && strcmp(name, last) == 0) {
            is_behind = true; /* activities are in no order of their ids */
        }
    }
    return true;
}

/* ---- reading ---- */

static void finish(struct scaling_request *req)
{
    list_free(TAKE(req->list));
    scaling_reply(req);
}

static void add_value(struct scaling_request *req, struct str resource, const struct redis_value *value,
                      struct str after)
{
    CLEANUP(freep) char *name = str_dup(resource);
    cJSON *doc = docs_json(value);

    if (doc)
        (void)add_doc(req, name, doc, after);
    cJSON_Delete(doc);
}

static void fail(struct scaling_request *req, const struct error *err)
{
    list_free(TAKE(req->list));
    scaling_fail_ours(req, err);
}

/* The document that the token ended in, then a page of those behind it. */
static void on_page(const struct redis_value *values, size_t len, const struct error *err, void *arg)
{
    struct scaling_request *req = arg;
    struct list *list = req->list;
    const struct redis_value *page;
    size_t i;

    if (err) {
        fail(req, err);
        return;
    }
    if (len > 1)
        add_value(req, list->after_resource, &values[0], list->after_name);
    page = &values[len - 1];
    for (i = 0; i + 1 < page->len && !list->is_full; i += 2)
        add_value(req, page->items[i].str, &page->items[i + 1], STR_NULL);
    if (!list->is_full && page->len >= 2 * DOCS_MAX) {
        CLEANUP(freep) char *last = str_dup(page->items[page->len - 2].str);

        write_token(req, last, BEHIND_ALL);
    }
    finish(req);
}

/* The documents of the resources that the input names. */
static void on_named(const struct redis_value *values, size_t len, const struct error *err, void *arg)
{
    const cJSON *resource, *names;
    struct scaling_request *req = arg;
    struct list *list = req->list;
    size_t i = 0;

    if (err) {
        fail(req, err);
        return;
    }
    names = list->kind == &targets ? scaling_member(req, "ResourceIds") : NULL;
    if (!names) {
        add_value(req, cjson_str(req->input, "ResourceId"), &values[0], list->after_name);
        finish(req);
        return;
    }
    cJSON_ArrayForEach(resource, names)
        if (i < len)
            add_value(req, str_of(resource->valuestring), &values[i++], STR_NULL);
    finish(req);
}

static void read_docs(struct scaling_request *req)
{
    struct docs_read *read = docs_read_new(req->c->redis, str_of(req->account));
    struct list *list = req->list;
    struct str one = cjson_str(req->input, "ResourceId");
    const cJSON *names = scaling_member(req, "ResourceIds"), *resource;

    if (list->kind == &targets && cJSON_GetArraySize(names) > 0) {
        list->max = SIZE_MAX;
        cJSON_ArrayForEach(resource, names)
            docs_read_field(read, list->kind->key, str_of(resource->valuestring));
        docs_read_run(read, on_named, req);
    } else if (one.ptr) {
        docs_read_field(read, list->kind->key, one);
        docs_read_run(read, on_named, req);
    } else {
        if (list->after_resource.ptr)
            docs_read_field(read, list->kind->key, list->after_resource);
        docs_read_page(read, SCALING_NAMES, list->kind->key, list->after_resource, DOCS_MAX);
        docs_read_run(read, on_page, req);
    }
}

static const struct kind *kind_of(const struct scaling_request *req)
{
    if (req->op->id == SCALING_OP_DescribeScalableTargets)
        return &targets;
    if (req->op->id == SCALING_OP_DescribeScalingPolicies)
        return &policies;
    return req->op->id == SCALING_OP_DescribeScheduledActions ? &actions : &activities;
}

static int check(struct scaling_request *req, struct list *list)
{
    double max = scaling_number(req->input, "MaxResults", list->kind->page_max);
    bool names_resource = scaling_member(req, "ResourceId") || scaling_member(req, "ResourceIds");

    if (max < 1 || max > list->kind->page_max)
        return scaling_refuse(req, SCALING_ValidationException, "MaxResults must be between 1 and %u",
                              list->kind->page_max);
    if (scaling_member(req, "ScalableDimension") && !names_resource)
        return scaling_refuse(req, SCALING_ValidationException,
                              "A resource ID must be specified with a scalable dimension");
    if (!read_token(req, list))
        return scaling_refuse(req, SCALING_InvalidNextTokenException, "The next token supplied is invalid");
    list->max = (size_t)max;
    return 0;
}

void scaling_list(struct scaling_request *req)
{
    struct list *list = calloc(1, sizeof(*list));
    struct str dimension = cjson_str(req->input, "ScalableDimension");

    if (!list)
        abort();
    list->kind = kind_of(req);
    list->token = BUF_INIT(TOKEN_MAX);
    req->list = list;
    if (check(req, list) < 0) {
        list_free(TAKE(req->list));
        scaling_fail(req, req->error, req->message);
        return;
    }
    req->answer = cJSON_CreateObject();
    list->items = cJSON_AddArrayToObject(req->answer, list->kind->member);
    /* of other services nothing is registered */
    if (!str_is(cjson_str(req->input, "ServiceNamespace"), SCALING_NAMESPACE) ||
        (dimension.ptr && !str_is(dimension, SCALING_DIMENSION)))
        finish(req);
    else
        read_docs(req);
}
