/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UpdateFunctionCode and UpdateFunctionConfiguration: read, a changed copy made, its archive kept
 * or its image resolved, begun in the registry, answered, led to Successful.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/model/fn_layers.h"
#include "common/model/lambda_input.h"
#include "controller/api.h"
#include "controller/ops/code_signing.h"
#include "controller/code/code_source.h"
#include "controller/code/code_verify.h"

#define TRIES_MAX 4u /* when others change the function between our reading and writing */

static void begin(struct api_request *req);

static void fail(struct api_request *req, const struct error *err)
{
    api_drop_archive(req);
    api_fail(req, err);
}

static void on_begun(const struct registry_change *change, const struct error *err, void *arg)
{
    struct api_request *req = arg;

    if (err && err->code == ERR_PRECONDITION && ++req->tries < TRIES_MAX) {
        begin(req); /* somebody was faster: on top of what is there now */
        return;
    }
    if (err) {
        api_drop_archive(req);
        if (err->code == ERR_NOT_FOUND)
            api_fail_not_found(req);
        else if (err->code == ERR_CONFLICT || err->code == ERR_PRECONDITION)
            api_fail_busy(req);
        else if (err->code == ERR_STALE)
            api_fail_layers(req);
        else
            api_fail(req, err);
        return;
    }
    api_accept(req, change->generation);
}

/* DryRun: the answer is what the function would be; nothing has changed. */
static void answer_dry_run(struct api_request *req)
{
    const struct fn_version *cur = req->cur;
    int64_t more = (int64_t)req->ver->code_bytes - (int64_t)cur->code_bytes;

    api_drop_archive(req);
    if (more > 0 && req->account_code_bytes + more > (int64_t)req->c->config->code_storage_max) {
        api_fail_with(req, ERR_CODE_STORAGE, "Code storage limit exceeded.");
        return;
    }
    fn_version_set_update(req->ver, cur->update_status, cur->update_reason.code,
                          cur->update_reason.text);
    fn_set_str(&req->ver->revision_id, str_of(cur->revision_id));
    req->ver->modified_ms = cur->modified_ms;
    api_reply(req, fn_version_to_aws(req->ver, STR_NULL));
}

/* Writes it, with the version that is to be published if the client wants one. */
static void publish(struct api_request *req)
{
    struct registry_beside next = {FN_SETTINGS, "next_version", NULL};
    struct registry_write w = {.ver = req->ver,
                               .change = req->change,
                               .seq = req->seq,
                               .generation = req->cur->generation,
                               .code_bytes_max = req->c->config->code_storage_max};
    char number[24];

    uuid_make(req->change);
    if (api_is_true(req, "Publish")) {
        req->publish = api_publish(req, req->next_version);
        snprintf(number, sizeof(number), "%" PRIu64, req->next_version + 1);
        next.text = number;
        w.publish = req->publish;
        w.beside = &next;
        w.beside_len = 1;
    }
    registry_begin(req->c->registry, &w, on_begun, req);
}

static void apply(struct api_request *req)
{
    struct error err;

    if (req->pinned)
        api_take_pin(req, &req->pin);
    if (fn_check_unzipped(req->ver, &err) < 0)
        fail(req, &err);
    else if (api_is_true(req, "DryRun"))
        answer_dry_run(req);
    else
        publish(req);
}

static void on_verified(const struct error *err, void *arg)
{
    if (err)
        fail(arg, err);
    else
        apply(arg);
}

/* The archive is there: may it be deployed? */
static void verify(struct api_request *req)
{
    if (req->pinned && req->code_signing)
        code_verify(req->c, req->home.account, str_of(req->code_signing), &req->pin,
                    req->fn.name, on_verified, req);
    else
        apply(req);
}

static void on_archive(const struct code_pin *pin, const struct error *err, void *arg)
{
    struct api_request *req = arg;

    if (err) {
        api_fail(req, err);
        return;
    }
    api_take_pin(req, pin);
    verify(req);
}

static bool is_busy(const struct fn_record *rec)
{
    return rec->stage != FN_STAGE_NONE || rec->ver->state == FN_PENDING ||
           rec->ver->update_status == FN_UPDATE_IN_PROGRESS;
}

static void on_read(struct fn_view *view, const struct error *err, void *arg)
{
    struct api_request *req = arg;
    struct fn_record *rec = view ? view->rec : NULL;
    char revision[UUID_MAX];
    struct fn_defaults defaults = api_defaults(req, revision);
    struct error own;
    int r;

    if (err && err->code == ERR_NOT_FOUND) {
        api_drop_archive(req);
        api_fail_not_found(req);
        return;
    }
    if (err) {
        fail(req, err);
        return;
    }
    if (is_busy(rec)) {
        fn_view_free(view);
        api_drop_archive(req);
        api_fail_busy(req);
        return;
    }
    fn_version_free(req->cur);
    fn_version_free(req->ver);
    fn_version_free(TAKE(req->publish));
    req->ver = NULL;
    req->cur = TAKE(rec->ver);
    req->next_version = (uint64_t)fn_view_number(view, "next_version", 1);
    req->account_code_bytes = view->code_bytes;
    fn_set_str(&req->code_signing, cjson_str(view->settings, CODE_SIGNING_SETTING));
    memcpy(req->seq, rec->seq, sizeof(req->seq));
    fn_view_free(view);
    r = req->op->id == LAMBDA_OP_UpdateFunctionCode
            ? fn_apply_update_code(req->input, &defaults, req->cur, &req->ver, &own)
            : fn_apply_update_configuration(req->input, &defaults, req->cur, &req->ver, &own);
    if (r < 0) {
        fail(req, &own);
        return;
    }
    if (req->op->id != LAMBDA_OP_UpdateFunctionCode)
        apply(req);
    else if (req->ver->package == FN_IMAGE)
        api_resolve_image(req, apply);
    else if (!req->pinned)
        code_source_fetch(req->c, req->input, on_archive, req);
    else
        verify(req);
}

static void begin(struct api_request *req)
{
    fn_view_get(req->c->redis, &req->c->key, req->home.account, req->fn.name, STR_NULL,
                FN_WANT_ACCOUNT, on_read, req);
}

void api_update_function_code(struct api_request *req)
{
    if (api_latest_name(req))
        api_find_layers(req, begin);
}

void api_update_function_configuration(struct api_request *req)
{
    api_update_function_code(req);
}
