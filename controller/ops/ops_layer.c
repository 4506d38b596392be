/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PublishLayerVersion, GetLayerVersion, GetLayerVersionByArn, DeleteLayerVersion. Lists and policies
 * are in ops_layer_list.c and ops_layer_policy.c.
 *
 * Source: Lambda API reference; developer guide, "Managing Lambda dependencies with layers";
 *         recorded answers.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/base64.h"
#include "common/base/clock.h"
#include "common/model/lambda_input.h"
#include "controller/api.h"
#include "controller/code/code_source.h"
#include "controller/code/code_url.h"
#include "controller/ops/ops_layer.h"

#define TRIES_MAX 50u

/* ---- what the operations share ---- */

bool api_layer(struct api_request *req, struct layer_name *ret)
{
    const cJSON *version = api_member(req, "VersionNumber");
    struct error err;

    if (version && version->valuedouble < 1) {
        api_fail_with(req, ERR_BAD_REQUEST, "Layer Version Cannot be less than 1");
        return false;
    }
    if (layer_name_parse(cjson_str(req->input, "LayerName"), &req->home, ret, &err) < 0) {
        api_fail(req, &err);
        return false;
    }
    if (version)
        ret->version = (uint64_t)version->valuedouble;
    return true;
}

void api_layer_fail_missing(struct api_request *req)
{
    api_fail_with(req, ERR_NOT_FOUND, "The resource you requested does not exist.");
}

/* The base64 of a digest in hex; the caller frees it. */
static char *digest_text(const char *hex)
{
    struct fn_version ver = {.package = FN_ZIP, .code_sha256 = (char *)(uintptr_t)hex};

    return fn_version_code_sha256_text(&ver);
}

/* What Get and Publish answer of the version @doc. */
static cJSON *layer_answer(const struct api_request *req, const cJSON *doc, struct str name)
{
    CLEANUP(freep) char *arn = layer_arn(&req->home, name, 0);
    const char *sha256 = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(doc, "sha256"));
    CLEANUP(freep) char *digest = digest_text(sha256);
    CLEANUP(freep) char *url = NULL;
    cJSON *json = layer_doc_listed(doc), *content = cJSON_AddObjectToObject(json, "Content");

    cJSON_AddStringToObject(json, "LayerArn", arn);
    cJSON_AddStringToObject(content, "CodeSha256", digest);
    cJSON_AddNumberToObject(content, "CodeSize", cJSON_GetNumberValue(
                                cJSON_GetObjectItemCaseSensitive(doc, "bytes")));
    if (req->endpoint[0]) {
        url = code_url_new(&req->c->key, req->endpoint, sha256, wall_ms() / 1000);
        cJSON_AddStringToObject(content, "Location", url);
    }
    return json;
}

/* ---- PublishLayerVersion: archive kept, numbered, registered, answered ---- */

struct publishing {
    struct api_request *req;
    struct layer_name layer;
    cJSON *doc;
    char *before; /* the layer's entry that the number was taken from; NULL: there was none */
    unsigned tries;
};

static void publishing_end(struct publishing *p, const struct error *err)
{
    struct api_request *req = p->req;

    if (err) {
        api_drop_archive(req);
        api_fail(req, err);
    } else {
        code_store_settle(req->c->store, &req->pin, true, NULL, NULL);
        api_reply(req, layer_answer(req, p->doc, p->layer.name));
    }
    cJSON_Delete(p->doc);
    free(p->before);
    free(p);
}

static void add_list(const struct publishing *p, const char *name)
{
    const cJSON *list = api_member(p->req, name);

    cJSON_AddItemToObject(p->doc, name, list ? cJSON_Duplicate(list, 1) : cJSON_CreateArray());
}

static void make_doc(struct publishing *p)
{
    struct api_request *req = p->req;
    CLEANUP(freep) char *arn = layer_arn(&req->home, p->layer.name, p->layer.version);
    const cJSON *description = api_member(req, "Description"),
                *license = api_member(req, "LicenseInfo");
    char created[CLOCK_ISO_MAX];

    cJSON_Delete(p->doc);
    p->doc = cJSON_CreateObject();
    clock_format_lambda(wall_ms(), created);
    cJSON_AddStringToObject(p->doc, "LayerVersionArn", arn);
    cJSON_AddNumberToObject(p->doc, "Version", (double)p->layer.version);
    cJSON_AddStringToObject(p->doc, "Description",
                            description ? description->valuestring : "");
    cJSON_AddStringToObject(p->doc, "CreatedDate", created);
    add_list(p, "CompatibleArchitectures");
    add_list(p, "CompatibleRuntimes");
    if (license)
        cJSON_AddStringToObject(p->doc, "LicenseInfo", license->valuestring);
    cJSON_AddStringToObject(p->doc, "sha256", req->pin.sha256);
    cJSON_AddNumberToObject(p->doc, "bytes", (double)req->pin.bytes);
    cJSON_AddNumberToObject(p->doc, "unzipped", (double)req->pin.unzipped_bytes);
}

static void look_up_number(struct publishing *p);

static void on_published(const struct error *err, void *arg)
{
    struct publishing *p = arg;

    if (err && err->code == ERR_STALE && ++p->tries < TRIES_MAX)
        look_up_number(p);
    else
        publishing_end(p, err);
}

static void on_entered(const struct error *err, void *arg)
{
    struct publishing *p = arg;
    struct api_request *req = p->req;
    CLEANUP(freep) char *key = layer_key(p->layer.name);
    CLEANUP(freep) char *code = str_printf("code:%s", req->pin.sha256);
    CLEANUP(freep)
    char *who = str_printf("layer:%.*s:%" PRIu64, STR_ARG(p->layer.name), p->layer.version);
    CLEANUP(freep) char *next = str_printf("{\"next\":%" PRIu64 "}", p->layer.version + 1);
    struct docs_commit *commit;
    char number[24];

    if (err) {
        publishing_end(p, err);
        return;
    }
    make_doc(p);
    commit = docs_commit_new(req->c->redis, req->home.account);
    snprintf(number, sizeof(number), "%" PRIu64, p->layer.version);
    docs_expect(commit, LAYERS_KEY, p->layer.name, str_of(p->before));
    docs_set(commit, LAYERS_KEY, p->layer.name, str_of(next));
    docs_add_name(commit, LAYERS_NAMES, p->layer.name);
    docs_set_json(commit, key, str_of(number), p->doc);
    docs_add_member(commit, code, str_of(who));
    docs_count(commit, FN_CODE_BYTES_KEY, (int64_t)req->pin.bytes);
    docs_commit_run(commit, on_published, p);
}

static void on_number(const struct redis_value *values, size_t len, const struct error *err,
                      void *arg)
{
    struct publishing *p = arg;
    const struct api_request *req = p->req;
    uint64_t next = 1, bytes = 0;
    struct error full;
    cJSON *entry;

    (void)len;
    if (err) {
        publishing_end(p, err);
        return;
    }
    free(TAKE(p->before));
    entry = docs_json(&values[0]);
    if (entry) {
        p->before = str_dup(values[0].str);
        next = (uint64_t)cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(entry, "next"));
    }
    cJSON_Delete(entry);
    str_parse_u64(values[1].str, &bytes);
    if (bytes + p->req->pin.bytes > p->req->c->config->code_storage_max) {
        error_set(&full, ERR_CODE_STORAGE, "Code storage limit exceeded.");
        publishing_end(p, &full);
        return;
    }
    p->layer.version = next;
    registry_enter(req->c->registry, req->account, on_entered, p);
}

static void look_up_number(struct publishing *p)
{
    struct docs_read *read = docs_read_new(p->req->c->redis, p->req->home.account);

    docs_read_field(read, LAYERS_KEY, p->layer.name);
    docs_read_counter(read, FN_CODE_BYTES_KEY);
    docs_read_run(read, on_number, p);
}

static void on_archive(const struct code_pin *pin, const struct error *err, void *arg)
{
    struct publishing *p = arg;

    if (err) {
        api_fail(p->req, err);
        free(p);
        return;
    }
    p->req->pin = *pin;
    p->req->pinned = true;
    look_up_number(p);
}

void api_publish_layer_version(struct api_request *req)
{
    struct publishing *p;
    struct layer_name layer;

    if (!api_layer(req, &layer))
        return;
    p = calloc(1, sizeof(*p));
    if (!p)
        abort();
    p->req = req;
    p->layer = layer;
    code_source_fetch(req->c, cJSON_GetObjectItemCaseSensitive(req->input, "Content"), on_archive, p);
}

/* ---- GetLayerVersion, GetLayerVersionByArn ---- */

static void on_layer(const struct redis_value *values, size_t len, const struct error *err,
                     void *arg)
{
    struct api_request *req = arg;
    cJSON *doc = err ? NULL : docs_json(&values[0]);

    (void)len;
    if (err)
        api_fail(req, err);
    else if (!doc)
        api_layer_fail_missing(req);
    else
        api_reply(req, layer_answer(req, doc, req->layer.name));
    cJSON_Delete(doc);
}

void api_layer_read(struct api_request *req, docs_read_fn *done, void *arg)
{
    struct docs_read *read = docs_read_new(req->c->redis, req->home.account);
    CLEANUP(freep) char *key = layer_key(req->layer.name);
    char number[24];

    snprintf(number, sizeof(number), "%" PRIu64, req->layer.version);
    docs_read_field(read, key, str_of(number));
    docs_read_run(read, done, arg);
}

void api_get_layer_version(struct api_request *req)
{
    if (api_layer(req, &req->layer))
        api_layer_read(req, on_layer, req);
}

void api_get_layer_version_by_arn(struct api_request *req)
{
    struct error err;

    if (layer_name_parse(cjson_str(req->input, "Arn"), &req->home, &req->layer, &err) < 0)
        api_fail(req, &err);
    else
        api_layer_read(req, on_layer, req);
}

/* ---- DeleteLayerVersion: what is not there is deleted already ---- */

static void on_deleted(const struct error *err, void *arg)
{
    struct api_request *req = arg;

    if (err && err->code == ERR_STALE) {
        api_delete_layer_version(req); /* its policy changed meanwhile, or it is gone */
        return;
    }
    if (err) {
        api_fail(req, err);
        return;
    }
    code_gc_consider(req->c->gc, req->pin.sha256, false);
    api_reply(req, NULL);
}

static void on_doomed(const struct redis_value *values, size_t len, const struct error *err,
                      void *arg)
{
    struct api_request *req = arg;
    cJSON *doc = err ? NULL : docs_json(&values[0]);
    CLEANUP(freep) char *key = layer_key(req->layer.name);
    CLEANUP(freep) char *code = NULL;
    CLEANUP(freep) char *who = NULL;
    struct docs_commit *commit;
    char number[24];

    (void)len;
    if (err || !doc) {
        if (err)
            api_fail(req, err);
        else
            api_reply(req, NULL);
        return;
    }
    snprintf(number, sizeof(number), "%" PRIu64, req->layer.version);
    snprintf(req->pin.sha256, sizeof(req->pin.sha256), "%.*s", STR_ARG(cjson_str(doc, "sha256")));
    code = str_printf("code:%s", req->pin.sha256);
    who = str_printf("layer:%.*s:%s", STR_ARG(req->layer.name), number);
    commit = docs_commit_new(req->c->redis, req->home.account);
    docs_expect(commit, key, str_of(number), values[0].str);
    docs_unset(commit, key, str_of(number));
    docs_remove_member(commit, code, str_of(who));
    docs_count(commit, FN_CODE_BYTES_KEY,
               -(int64_t)cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(doc, "bytes")));
    docs_commit_run(commit, on_deleted, req);
    cJSON_Delete(doc);
}

void api_delete_layer_version(struct api_request *req)
{
    if (api_layer(req, &req->layer))
        api_layer_read(req, on_doomed, req);
}
