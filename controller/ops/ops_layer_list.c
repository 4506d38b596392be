/* SPDX-License-Identifier: Apache-2.0 */
/* ListLayers, ListLayerVersions. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/model/lambda_input.h"
#include "controller/ops/ops_layer.h"
#include "controller/ops/page.h"

/* ---- which versions are wanted ---- */

/* @list of @doc holds @wanted; an empty list says nothing, so it fits no filter. */
static bool holds(const cJSON *doc, const char *list, struct str wanted)
{
    const cJSON *item;

    if (wanted.len == 0)
        return true;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(doc, list))
    {
        if (str_is(wanted, item->valuestring))
            return true;
    }
    return false;
}

static bool is_wanted(const struct api_request *req, const cJSON *doc)
{
    return holds(doc, "CompatibleRuntimes", cjson_str(req->input, "CompatibleRuntime")) &&
           holds(doc, "CompatibleArchitectures", cjson_str(req->input, "CompatibleArchitecture"));
}

static double number_of(const cJSON *doc)
{
    return cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(doc, "Version"));
}

/* ---- ListLayerVersions: newest first ---- */

static int by_number(const void *a, const void *b)
{
    double x = number_of(*(const cJSON *const *)a), y = number_of(*(const cJSON *const *)b);

    return (x < y) - (x > y);
}

/* The wanted versions in @all below number @below, newest first. */
static size_t wanted_versions(const struct api_request *req, const cJSON *all, double below,
                              const cJSON **ret)
{
    const cJSON *doc;
    size_t n = 0;

    cJSON_ArrayForEach(doc, all)
    {
        if (number_of(doc) < below && is_wanted(req, doc))
            ret[n++] = doc;
    }
    qsort(ret, n, sizeof(*ret), by_number);
    return n;
}

static cJSON *versions_page(const struct api_request *req, const cJSON *all, double below)
{
    CLEANUP(freep) const cJSON **docs = calloc((size_t)cJSON_GetArraySize(all) + 1, sizeof(*docs));
    uint32_t limit = page_limit(req->input, PAGE_MAX);
    cJSON *json = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(json, "LayerVersions");
    char last[24];
    size_t n, i;

    if (!docs)
        abort();
    n = wanted_versions(req, all, below, docs);
    for (i = 0; i < n && i < limit; i++)
        cJSON_AddItemToArray(list, layer_doc_listed(docs[i]));
    if (i < n) {
        snprintf(last, sizeof(last), "%.0f", number_of(docs[i - 1]));
        page_add_marker(json, str_of(last));
    }
    return json;
}

static void on_versions(const struct redis_value *values, size_t len, const struct error *err,
                        void *arg)
{
    CLEANUP(buf_done) struct buf marker = BUF_INIT(PAGE_MARKER_MAX);
    struct api_request *req = arg;
    uint64_t below = UINT64_MAX;
    struct error own;
    cJSON *all;

    (void)len;
    if (!err && page_marker(req->input, &marker, &own) < 0)
        err = &own;
    if (err) {
        api_fail(req, err);
        return;
    }
    if (marker.len)
        str_parse_u64(buf_str(&marker), &below);
    all = docs_hash_json(&values[0]);
    api_reply(req, versions_page(req, all, (double)below));
    cJSON_Delete(all);
}

void api_list_layer_versions(struct api_request *req)
{
    CLEANUP(freep) char *key = NULL;
    struct docs_read *read;

    if (!api_layer(req, &req->layer))
        return;
    key = layer_key(req->layer.name);
    read = docs_read_new(req->c->redis, req->home.account);
    docs_read_hash(read, key);
    docs_read_run(read, on_versions, req);
}

/* ---- ListLayers: names first, then the versions of each ---- */

struct listing {
    struct api_request *req;
    char **names;
    size_t len;
    bool more;
};

static void listing_free(struct listing *l)
{
    size_t i;

    for (i = 0; i < l->len; i++)
        free(l->names[i]);
    free(l->names);
    free(l);
}

/* Adds the layer @name with its newest wanted version; nothing when it has none. */
static void add_layer(const struct api_request *req, cJSON *list, const char *name,
                      const struct redis_value *versions)
{
    cJSON *all = docs_hash_json(versions), *json;
    CLEANUP(freep) const cJSON **docs = calloc((size_t)cJSON_GetArraySize(all) + 1, sizeof(*docs));
    CLEANUP(freep) char *arn = layer_arn(&req->home, str_of(name), 0);

    if (!docs)
        abort();
    if (wanted_versions(req, all, (double)UINT64_MAX, docs) > 0) {
        json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "LayerName", name);
        cJSON_AddStringToObject(json, "LayerArn", arn);
        cJSON_AddItemToObject(json, "LatestMatchingVersion", layer_doc_listed(docs[0]));
        cJSON_AddItemToArray(list, json);
    }
    cJSON_Delete(all);
}

static void on_all_versions(const struct redis_value *values, size_t len, const struct error *err,
                            void *arg)
{
    struct listing *l = arg;
    cJSON *json, *list;
    size_t i;

    if (err) {
        api_fail(l->req, err);
    } else {
        json = cJSON_CreateObject();
        list = cJSON_AddArrayToObject(json, "Layers");
        for (i = 0; i < len && i < l->len; i++)
            add_layer(l->req, list, l->names[i], &values[i]);
        if (l->more)
            page_add_marker(json, str_of(l->names[l->len - 1]));
        api_reply(l->req, json);
    }
    listing_free(l);
}

static void on_names(const struct redis_value *values, size_t len, const struct error *err,
                     void *arg)
{
    struct api_request *req = arg;
    uint32_t limit = page_limit(req->input, PAGE_MAX);
    struct docs_read *read;
    struct listing *l;
    size_t i, found = err ? 0 : values[0].len / 2;

    (void)len;
    if (err) {
        api_fail(req, err);
        return;
    }
    l = calloc(1, sizeof(*l));
    if (!l)
        abort();
    l->req = req;
    l->more = found > limit;
    l->len = found < limit ? found : limit;
    l->names = calloc(l->len + 1, sizeof(*l->names));
    if (!l->names)
        abort();
    read = docs_read_new(req->c->redis, req->home.account);
    for (i = 0; i < l->len; i++) {
        CLEANUP(freep) char *key = NULL;

        l->names[i] = str_dup(values[0].items[2 * i].str);
        key = layer_key(str_of(l->names[i]));
        docs_read_hash(read, key);
    }
    docs_read_run(read, on_all_versions, l);
}

void api_list_layers(struct api_request *req)
{
    CLEANUP(buf_done) struct buf after = BUF_INIT(PAGE_MARKER_MAX);
    struct docs_read *read;
    struct error err;

    if (page_marker(req->input, &after, &err) < 0) {
        api_fail(req, &err);
        return;
    }
    read = docs_read_new(req->c->redis, req->home.account);
    docs_read_page(read, LAYERS_NAMES, LAYERS_KEY, buf_str(&after),
                   page_limit(req->input, PAGE_MAX) + 1);
    docs_read_run(read, on_names, req);
}
