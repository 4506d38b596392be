/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CreateFunction: its layers found, checked, its name free, its archive kept or its image resolved,
 * registered, answered, led to Active.
 */
#include <stdlib.h>

#include "common/model/fn_layers.h"
#include "common/model/lambda_input.h"
#include "controller/api.h"
#include "controller/ops/code_signing.h"
#include "controller/code/code_source.h"
#include "controller/code/code_verify.h"

static void fail_exists(struct api_request *req)
{
    api_fail_with(req, ERR_CONFLICT, "Function already exist: %s", req->ver->name);
}

static struct str signing_of(const struct api_request *req)
{
    return cjson_str(req->input, "CodeSigningConfigArn");
}

/* Deleted since it was looked at. */
static void fail_unsigned(struct api_request *req)
{
    struct error err;

    code_signing_missing(signing_of(req), &err);
    api_fail(req, &err);
}

static void on_created(const struct registry_change *change, const struct error *err, void *arg)
{
    struct api_request *req = arg;

    if (err) {
        /* without an answer from Redis it may have been done: then the archive is referred to */
        api_drop_archive(req);
        if (err->code == ERR_CONFLICT)
            fail_exists(req);
        else if (err->code == ERR_STALE)
            api_fail_layers(req);
        else if (err->code == ERR_NO_CODE_SIGNING)
            fail_unsigned(req);
        else
            api_fail(req, err);
        return;
    }
    api_accept(req, change->generation);
}

/* Tags and the like are kept beside the document: they change without it. */
static void on_entered(const struct error *err, void *arg)
{
    struct api_request *req = arg;
    CLEANUP(freep) char *tags = req->ver->tags ? cJSON_PrintUnformatted(req->ver->tags) : NULL;
    CLEANUP(freep) char *signing = NULL;
    struct registry_beside beside[REGISTRY_BESIDE_MAX];
    struct registry_write w = {.ver = req->ver, .change = req->change, .beside = beside,
                               .code_bytes_max = req->c->config->code_storage_max};

    if (err) {
        api_drop_archive(req);
        api_fail(req, err);
        return;
    }
    cJSON_Delete(TAKE(req->ver->tags));
    uuid_make(req->change);
    if (tags)
        beside[w.beside_len++] = (struct registry_beside){FN_SETTINGS, "tags", tags};
    if (signing_of(req).len) {
        signing = str_printf("\"%.*s\"", STR_ARG(signing_of(req)));
        beside[w.beside_len++] =
            (struct registry_beside){FN_SETTINGS, CODE_SIGNING_SETTING, signing};
    }
    if (api_is_true(req, "Publish")) {
        req->publish = api_publish(req, 1);
        w.publish = req->publish;
        beside[w.beside_len++] = (struct registry_beside){FN_SETTINGS, "next_version", "2"};
    }
    registry_create(req->c->registry, &w, on_created, req);
}

static void create(struct api_request *req)
{
    registry_enter(req->c->registry, req->account, on_entered, req);
}

static void on_verified(const struct error *err, void *arg)
{
    struct api_request *req = arg;

    if (err) {
        api_drop_archive(req);
        api_fail(req, err);
        return;
    }
    create(req);
}

static void on_archive(const struct code_pin *pin, const struct error *err, void *arg)
{
    struct api_request *req = arg;
    struct error own;

    if (err) {
        api_fail(req, err);
        return;
    }
    api_take_pin(req, pin);
    if (fn_check_unzipped(req->ver, &own) < 0) {
        api_drop_archive(req);
        api_fail(req, &own);
        return;
    }
    if (signing_of(req).len)
        code_verify(req->c, req->home.account, signing_of(req), &req->pin,
                    str_of(req->ver->name), on_verified, req);
    else
        create(req);
}

/* Images are not signed this way, but what they name must be there. */
static void on_signing(const cJSON *config, struct str text, const struct error *err, void *arg)
{
    struct api_request *req = arg;

    (void)config;
    (void)text;
    if (err)
        api_fail(req, err);
    else
        api_resolve_image(req, create);
}

/* A name that is taken is refused before its archive is unpacked; the script decides for good. */
static void on_found(struct fn_record *rec, const struct error *err, void *arg)
{
    struct api_request *req = arg;

    fn_record_free(rec);
    if (!err)
        fail_exists(req);
    else if (err->code != ERR_NOT_FOUND)
        api_fail(req, err);
    else if (req->ver->package == FN_ZIP)
        code_source_fetch(req->c, cJSON_GetObjectItemCaseSensitive(req->input, "Code"), on_archive,
                          req);
    else if (signing_of(req).len)
        code_signing_get(req->c->redis, req->home.account, signing_of(req), on_signing, req);
    else
        api_resolve_image(req, create);
}

static void apply(struct api_request *req)
{
    char revision[UUID_MAX];
    struct fn_defaults defaults = api_defaults(req, revision);
    struct error err;

    if (fn_apply_create(req->input, &defaults, &req->ver, &err) < 0) {
        api_fail(req, &err);
        return;
    }
    registry_get(req->c->registry, req->home.account, str_of(req->ver->name), on_found, req);
}

void api_create_function(struct api_request *req)
{
    api_find_layers(req, apply);
}
