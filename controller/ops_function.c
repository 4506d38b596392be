/* SPDX-License-Identifier: Apache-2.0 */
/* CreateFunction, GetFunction, GetFunctionConfiguration, ListFunctions, DeleteFunction. */
#include <stdlib.h>

#include "common/base/base64.h"
#include "common/base/clock.h"
#include "common/model/lambda_input.h"
#include "controller/api.h"
#include "controller/code_url.h"
#include "controller/fn_op.h"

#define LIST_MAX 50u /* AWS: never more in one answer, whatever MaxItems says */

/* ---- CreateFunction: name is free, archive kept, registered, answered, led to Active ---- */

static void fail_exists(struct api_request *req)
{
    api_fail_with(req, ERR_CONFLICT, "Function already exist: %s", req->ver->name);
}

static void on_created(const struct registry_change *change, const struct error *err, void *arg)
{
    struct api_request *req = arg;

    if (err) {
        /* without an answer from Redis it may have been done: then the archive is referred to */
        api_drop_archive(req);
        if (err->code == ERR_CONFLICT)
            fail_exists(req);
        else
            api_fail(req, err);
        return;
    }
    api_accept(req, change->generation);
}

/* Tags and the like are kept beside the document: they change without it. */
static void create(struct api_request *req)
{
    CLEANUP(freep) char *tags = req->ver->tags ? cJSON_PrintUnformatted(req->ver->tags) : NULL;
    struct registry_beside beside[REGISTRY_BESIDE_MAX];
    struct registry_write w = {.ver = req->ver, .change = req->change, .beside = beside};

    uuid_make(req->change);
    if (tags)
        beside[w.beside_len++] = (struct registry_beside){FN_SETTINGS, "tags", tags};
    if (api_is_true(req, "Publish")) {
        req->publish = api_publish(req, 1);
        w.publish = req->publish;
        beside[w.beside_len++] = (struct registry_beside){FN_SETTINGS, "next_version", "2"};
    }
    registry_create(req->c->registry, &w, on_created, req);
}

static void on_create_archive(const struct code_pin *pin, const struct error *err, void *arg)
{
    struct api_request *req = arg;

    if (err) {
        api_fail(req, err);
        return;
    }
    req->pin = *pin;
    req->pinned = true;
    fn_set_str(&req->ver->code_sha256, str_of(pin->sha256));
    req->ver->code_bytes = pin->bytes;
    create(req);
}

/* A name that is taken is refused before its archive is unpacked; the script decides for good. */
static void on_create_found(struct fn_record *rec, const struct error *err, void *arg)
{
    struct api_request *req = arg;
    char *zip;

    fn_record_free(rec);
    if (!err) {
        fail_exists(req);
        return;
    }
    if (err->code != ERR_NOT_FOUND) {
        api_fail(req, err);
        return;
    }
    zip = api_take_zip(cJSON_GetObjectItemCaseSensitive(req->input, "Code"));
    if (req->ver->package == FN_ZIP && zip) {
        code_store_add(req->c->store, zip, on_create_archive, req);
    } else {
        free(zip);
        create(req);
    }
}

void api_create_function(struct api_request *req)
{
    char revision[UUID_MAX];
    struct fn_defaults defaults = api_defaults(req, revision);
    struct error err;

    if (fn_apply_create(req->input, &defaults, &req->ver, &err) < 0) {
        api_fail(req, &err);
        return;
    }
    registry_get(req->c->registry, req->home.account, str_of(req->ver->name), on_create_found, req);
}

/* ---- GetFunction, GetFunctionConfiguration ---- */

/* The version that the request names, or NULL: there is none. */
static const struct fn_version *named_version(const struct api_request *req,
                                              const struct fn_view *view)
{
    struct str qualifier = req->fn.qualifier;

    if (qualifier.len == 0 || str_is(qualifier, FN_LATEST))
        return view->rec->ver;
    if (view->version)
        return view->version;
    return view->alias && str_is(cjson_str(view->alias, "FunctionVersion"), FN_LATEST)
               ? view->rec->ver
               : NULL;
}

static cJSON *get_function_json(const struct api_request *req, const struct fn_view *view,
                                const struct fn_version *ver)
{
    struct fn_get_extra extra = {.reserved_concurrency = -1, .qualifier = api_qualifier(req)};
    CLEANUP(freep) char *url = NULL;

    if (ver->package == FN_ZIP && ver->code_sha256 && req->endpoint[0])
        url = code_url_new(&req->c->key, req->endpoint, ver->code_sha256, wall_ms() / 1000);
    extra.code_location = url;
    extra.reserved_concurrency = (int64_t)fn_view_number(view, "reserved", -1);
    extra.tags = cJSON_GetObjectItemCaseSensitive(view->settings, "tags");
    return fn_version_to_get_function(ver, &extra);
}

static void on_get(struct fn_view *view, const struct error *err, void *arg)
{
    struct api_request *req = arg;
    const struct fn_version *ver = view ? named_version(req, view) : NULL;

    if (err && err->code != ERR_NOT_FOUND)
        api_fail(req, err);
    else if (!ver)
        api_fail_not_found(req);
    else if (req->op->id == LAMBDA_OP_GetFunction)
        api_reply(req, get_function_json(req, view, ver));
    else
        api_reply(req, fn_version_to_aws(ver, api_qualifier(req)));
    fn_view_free(view);
}

void api_get_function(struct api_request *req)
{
    if (api_name(req, FN_NAME_NAMESPACED))
        fn_view_get(req->c->redis, &req->c->key, req->home.account, req->fn.name,
                    req->fn.qualifier, 0, on_get, req);
}

void api_get_function_configuration(struct api_request *req)
{
    api_get_function(req);
}

/* ---- ListFunctions ---- */

static void on_page(struct fn_version *const *vers, size_t len, bool more, const struct error *err,
                    void *arg)
{
    struct api_request *req = arg;
    /* with ALL, every version is listed with its number; there is only $LATEST */
    struct str qualifier = str_is(cjson_str(req->input, "FunctionVersion"), "ALL") ? STR(FN_LATEST)
                                                                                   : STR_NULL;
    CLEANUP(buf_done) struct buf marker = BUF_INIT(4 * FN_NAME_MAX);
    CLEANUP(freep) char *text = NULL;
    cJSON *json, *list;
    size_t i;

    if (err) {
        api_fail(req, err);
        return;
    }
    json = cJSON_CreateObject();
    list = cJSON_AddArrayToObject(json, "Functions");
    for (i = 0; i < len; i++)
        cJSON_AddItemToArray(list, fn_version_to_aws_listed(vers[i], qualifier));
    if (more && len > 0) {
        base64_encode(&marker, str_of(vers[len - 1]->name));
        text = buf_take(&marker);
        cJSON_AddStringToObject(json, "NextMarker", text);
    }
    api_reply(req, json);
}

void api_list_functions(struct api_request *req)
{
    CLEANUP(buf_done) struct buf after = BUF_INIT(FN_NAME_MAX);
    const cJSON *max = api_member(req, "MaxItems");
    struct str marker = cjson_str(req->input, "Marker"),
               region = cjson_str(req->input, "MasterRegion");
    uint32_t limit = LIST_MAX;

    if (max && max->valuedouble >= 1 && max->valuedouble < LIST_MAX)
        limit = (uint32_t)max->valuedouble;
    if (marker.len && (base64_decode(&after, marker) < 0 || after.len == 0)) {
        api_fail_with(req, ERR_BAD_REQUEST, "The Marker is not one of an earlier answer.");
        return;
    }
    if (region.len && !str_is(region, "ALL") && !str_eq(region, req->home.region)) {
        on_page(NULL, 0, false, NULL, req); /* replicas of other regions: there are none */
        return;
    }
    registry_list(req->c->registry, req->home.account, buf_str(&after), limit, on_page, req);
}

/* ---- DeleteFunction: gone from the registry, peers have let go, answered ---- */

static void on_deleted_told(void *arg)
{
    struct api_request *req = arg;

    if (--req->waiting == 0)
        api_reply(req, NULL);
}

static void on_nothing(void *arg)
{
    (void)arg;
}

/* Gone or not, nobody knows: gateways look it up again, and then find what is true. */
static void drop_route(struct api_request *req, const cJSON *args)
{
    peers_ask_all(req->c->peers, PEER_GATEWAY, "route.drop", args, req->c->config->peer_timeout_us,
                  on_nothing, NULL);
}

static void tell_deleted(struct api_request *req, cJSON *args)
{
    struct controller *c = req->c;
    uint64_t timeout_us = c->config->peer_timeout_us;

    fn_changes_stop(c->changes, req->home.account, req->fn.name);
    req->waiting = 2;
    peers_ask_all(c->peers, PEER_GATEWAY, "route.drop", args, timeout_us, on_deleted_told, req);
    cJSON_AddNumberToObject(args, "generation", 0);
    peers_ask_all(c->peers, PEER_INVOKER, "version.retire", args, timeout_us, on_deleted_told, req);
}

static void on_deleted(const struct registry_change *change, const struct error *err, void *arg)
{
    struct api_request *req = arg;
    cJSON *args = api_function_json(req);
    size_t i;

    for (i = 0; change && i < change->unused_code_len; i++) {
        CLEANUP(freep) char *sha256 = str_dup(change->unused_code[i]);

        code_gc_consider(req->c->gc, sha256, false);
    }
    if (!err) {
        tell_deleted(req, args);
    } else if (err->code == ERR_NOT_FOUND) {
        api_fail_not_found(req);
    } else {
        if (err->code != ERR_CLOSED)
            drop_route(req, args);
        api_fail(req, err);
    }
    cJSON_Delete(args);
}

void api_delete_function(struct api_request *req)
{
    if (!api_name(req, FN_NAME_PLAIN))
        return;
    if (req->fn.qualifier.len) { /* one version of it */
        fn_op_run(req, fn_op_find(LAMBDA_OP_DeleteFunction));
        return;
    }
    registry_delete(req->c->registry, req->home.account, req->fn.name, on_deleted, req);
}
