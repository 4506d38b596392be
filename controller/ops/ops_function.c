/* SPDX-License-Identifier: Apache-2.0 */
/* GetFunction, GetFunctionConfiguration, ListFunctions, DeleteFunction. */
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/model/lambda_input.h"
#include "controller/api.h"
#include "controller/code/code_url.h"
#include "controller/ops/concurrency.h"
#include "controller/ops/page.h"

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
    if (extra.qualifier.len == 0) /* it belongs to the function, not to its versions */
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

/* FunctionVersion ALL: every version, not only $LATEST; then each ARN is qualified. */
static bool lists_versions(const struct api_request *req)
{
    return str_is(cjson_str(req->input, "FunctionVersion"), "ALL");
}

/* Where the next page begins: "name", or "name:version". */
static void add_marker(const struct api_request *req, cJSON *json, const struct fn_version *last)
{
    CLEANUP(freep) char *both = str_printf("%s:%s", last->name, last->version);

    page_add_marker(json, lists_versions(req) ? str_of(both) : str_of(last->name));
}

static void on_page(struct fn_version *const *vers, size_t len, bool more, const struct error *err,
                    void *arg)
{
    struct api_request *req = arg;
    cJSON *json, *list;
    size_t i;

    if (err) {
        api_fail(req, err);
        return;
    }
    json = cJSON_CreateObject();
    list = cJSON_AddArrayToObject(json, "Functions");
    for (i = 0; i < len; i++)
        cJSON_AddItemToArray(
            list, fn_version_to_aws_listed(
                      vers[i], lists_versions(req) ? str_of(vers[i]->version) : STR_NULL));
    if (more && len > 0)
        add_marker(req, json, vers[len - 1]);
    api_reply(req, json);
}

void api_list_functions(struct api_request *req)
{
    CLEANUP(buf_done) struct buf after = BUF_INIT(PAGE_MARKER_MAX);
    struct str region = cjson_str(req->input, "MasterRegion"), rest, name, version = STR_NULL;
    uint32_t limit = page_limit(req->input, PAGE_MAX);
    struct error err;

    if (page_marker(req->input, &after, &err) < 0) {
        api_fail(req, &err);
        return;
    }
    rest = buf_str(&after);
    name = STR_NULL;
    str_split(&rest, ':', &name);
    version = rest;
    if (region.len && !str_is(region, "ALL") && !str_eq(region, req->home.region))
        on_page(NULL, 0, false, NULL, req); /* replicas of other regions: there are none */
    else if (lists_versions(req))
        registry_list_all(req->c->registry, req->home.account, name, version, limit, on_page, req);
    else
        registry_list(req->c->registry, req->home.account, name, limit, on_page, req);
}

/* ---- DeleteFunction: gone from the registry, peers have let go, answered ---- */

static void on_deleted_told(void *arg)
{
    struct api_request *req = arg;

    if (--req->waiting == 0)
        api_reply(req, NULL);
}

/* It is gone, whether or not gateways hold permits of its own: nobody runs it on them. */
static void on_deleted_limits(bool is_so, void *arg)
{
    (void)is_so;
    on_deleted_told(arg);
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

/* What it had reserved is there for others again. */
static void on_left(const struct redis_value *values, size_t len, const struct error *err,
                    void *arg)
{
    struct api_request *req = arg;
    struct controller *c = req->c;
    uint64_t timeout_us = c->config->peer_timeout_us, reserved = 0;
    cJSON *args;

    (void)len;
    if (err && err->code == ERR_CLOSED) {
        permits_change_drop(TAKE(req->limits));
        api_fail(req, err);
        return;
    }
    args = api_function_json(req);
    if (!err) {
        str_parse_u64(values[0].str, &reserved);
        cJSON_AddNumberToObject(args, "unreserved",
                                (double)concurrency_unreserved(req, (int64_t)reserved));
    }
    req->waiting = 3;
    provisioner_look(c->provisioner, req->home.account, req->fn.name);
    peers_ask_all(c->peers, PEER_GATEWAY, "route.drop", args, timeout_us, on_deleted_told, req);
    permits_change_tell(TAKE(req->limits), false, on_deleted_limits, req); /* behind it */
    cJSON_AddNumberToObject(args, "generation", 0);
    peers_ask_all(c->peers, PEER_INVOKER, "version.retire", args, timeout_us, on_deleted_told, req);
    cJSON_Delete(args);
}

static void tell_deleted(struct api_request *req)
{
    struct docs_read *read = docs_read_new(req->c->redis, req->home.account);

    fn_changes_stop(req->c->changes, req->home.account, req->fn.name);
    docs_read_counter(read, FN_RESERVED_KEY);
    docs_read_run(read, on_left, req);
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
    if (err)
        permits_change_drop(TAKE(req->limits));
    if (!err) {
        tell_deleted(req);
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
    req->limits = permits_change_begin(req->c->permits, req->home.account, req->fn.name);
    registry_delete(req->c->registry, req->home.account, req->fn.name, on_deleted, req);
}
