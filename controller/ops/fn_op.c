/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/ops/fn_op.h"

#include <stdlib.h>

#include "common/model/lambda_input.h"

#define TRIES_MAX 50u /* when others write between our reading and writing */

/* ---- what steps share ---- */

struct str fn_op_field(const struct api_request *req)
{
    return req->fn.qualifier.len ? req->fn.qualifier : STR(FN_LATEST);
}

char *fn_op_arn(const struct api_request *req, struct str qualifier)
{
    return fn_arn_new(req->home.region, req->home.account, req->fn.name, qualifier);
}

int fn_op_not_found(const struct api_request *req, struct error *err)
{
    CLEANUP(freep) char *arn = fn_op_arn(req, req->fn.qualifier);

    return error_set(err, ERR_NOT_FOUND, "Function not found: %s", arn);
}

int fn_op_no_qualifier(const struct api_request *req, struct error *err)
{
    struct str qualifier = req->fn.qualifier;
    CLEANUP(freep) char *arn = fn_op_arn(req, qualifier);

    if (qualifier.len == 0 || fn_version_number_is_valid(qualifier) ||
        str_find(qualifier, '$', 0) < qualifier.len)
        return fn_op_not_found(req, err);
    return error_set(err, ERR_NOT_FOUND, "Cannot find alias arn: %s", arn);
}

bool fn_op_qualifier_exists(const struct api_request *req, const struct fn_view *view)
{
    return req->fn.qualifier.len == 0 || str_is(req->fn.qualifier, FN_LATEST) || view->version ||
           view->alias;
}

int fn_op_check_revision(const struct api_request *req, const char *revision_id,
                         struct error *err)
{
    struct str expected = cjson_str(req->input, "RevisionId");

    if (!expected.ptr || str_is(expected, revision_id))
        return 0;
    return error_set(err, ERR_PRECONDITION,
                     "The Revision Id provided does not match the latest Revision Id. Call the "
                     "GetFunction/GetAlias API to retrieve the latest Revision Id");
}

int fn_op_check_idle(const struct api_request *req, const struct fn_view *view, struct error *err)
{
    CLEANUP(freep) char *arn = fn_op_arn(req, STR_NULL);

    if (view->rec->stage == FN_STAGE_NONE)
        return 0;
    return error_set(err, ERR_CONFLICT,
                     "The operation cannot be performed at this time. An update is in progress "
                     "for resource: %s",
                     arn);
}

/* ---- after the commit: nobody gets an answer before it is true ---- */

static void end(struct api_request *req)
{
    cJSON *answer = TAKE(req->answer);
    struct error err;

    fn_write_free(TAKE(req->write));
    if (!req->limits_untold) {
        api_reply(req, answer);
        return;
    }
    cJSON_Delete(answer);
    error_set(&err, ERR_UNAVAILABLE, "this controller led no more before all gateways had the limit");
    api_fail(req, &err);
}

static void on_told(void *arg)
{
    struct api_request *req = arg;

    if (--req->waiting == 0)
        end(req);
}

static void on_limits_told(bool is_so, void *arg)
{
    struct api_request *req = arg;

    req->limits_untold = !is_so;
    on_told(req);
}

static void consider_code(struct api_request *req)
{
    struct str rest = str_of(fn_write_left_code(req->write)), sha256;

    while (str_split(&rest, ' ', &sha256)) {
        CLEANUP(freep) char *name = str_dup(sha256);

        if (sha256.len)
            code_gc_consider(req->c->gc, name, false);
    }
}

static void tell(struct api_request *req)
{
    struct controller *c = req->c;
    uint64_t timeout_us = c->config->peer_timeout_us;
    const char *retired = fn_write_retired(req->write);
    cJSON *args = api_function_json(req);
    uint64_t unreserved;
    bool is_reserved;

    req->waiting = 1;
    if (fn_write_unreserved(req->write, &unreserved))
        cJSON_AddNumberToObject(args, "unreserved", (double)unreserved);
    if (fn_write_is_dropping_routes(req->write)) {
        req->waiting++;
        peers_ask_all(c->peers, PEER_GATEWAY, "route.drop", args, timeout_us, on_told, req);
        provisioner_look(c->provisioner, req->home.account, req->fn.name);
    }
    if (fn_write_is_moving_limits(req->write, &is_reserved)) { /* behind route.drop */
        req->waiting++;
        permits_change_tell(TAKE(req->limits), is_reserved, on_limits_told, req);
    }
    if (retired) {
        req->waiting++;
        cJSON_AddStringToObject(args, "version", retired);
        cJSON_AddNumberToObject(args, "generation", 0);
        peers_ask_all(c->peers, PEER_INVOKER, "version.retire", args, timeout_us, on_told, req);
    }
    cJSON_Delete(args);
    on_told(req);
}

static void on_nothing(void *arg)
{
    (void)arg;
}

static void on_limits_nothing(bool is_so, void *arg)
{
    (void)is_so;
    (void)arg;
}

/*
 * It may have been written: nobody knows, and the client is told to try again. Gateways look anew, and limits are
 * told as if it had been; so they keep to what is there when Redis is back, whether or not somebody tries again.
 */
static void tell_in_doubt(struct api_request *req)
{
    struct controller *c = req->c;
    cJSON *args = api_function_json(req);
    bool is_reserved;

    if (fn_write_is_dropping_routes(req->write)) {
        peers_ask_all(c->peers, PEER_GATEWAY, "route.drop", args, c->config->peer_timeout_us, on_nothing, NULL);
        provisioner_look(c->provisioner, req->home.account, req->fn.name);
    }
    if (fn_write_is_moving_limits(req->write, &is_reserved)) /* behind route.drop */
        permits_change_tell(TAKE(req->limits), is_reserved, on_limits_nothing, NULL);
    cJSON_Delete(args);
}

/* ---- the step ---- */

static void on_view(struct fn_view *view, const struct error *err, void *arg);

void fn_op_look(struct api_request *req)
{
    const struct fn_op *op = req->fn_op;
    struct fn_other list[FN_OTHERS_MAX];

    fn_view_get_with(req->c->redis, &req->c->key, req->home.account, req->fn.name,
                     req->fn.qualifier, op->wants, list, op->others ? op->others(req, list) : 0,
                     on_view, req);
}

static void look(struct api_request *req)
{
    if (req->fn_op->before)
        req->fn_op->before(req);
    else
        fn_op_look(req);
}

static void on_committed(const struct error *err, void *arg)
{
    struct api_request *req = arg;

    if (!err) {
        consider_code(req);
        tell(req);
        return;
    }
    if (err->code != ERR_STALE && err->code != ERR_CLOSED)
        tell_in_doubt(req);
    permits_change_drop(TAKE(req->limits));
    fn_write_free(TAKE(req->write));
    cJSON_Delete(TAKE(req->answer));
    if (err->code == ERR_STALE && ++req->tries < TRIES_MAX)
        look(req);
    else if (err->code == ERR_STALE)
        api_fail_busy(req);
    else
        api_fail(req, err);
}

static void step(struct api_request *req, const struct fn_view *view)
{
    const struct fn_op *op = req->fn_op;
    bool moves_limits, is_reserved;
    struct error err;
    int r = 0;

    if (op->qualifier == FN_QUALIFIER_EXISTS && !fn_op_qualifier_exists(req, view))
        r = fn_op_not_found(req, &err);
    req->write = fn_write_new(req->c->redis, &req->c->key, req->home.account, req->fn.name, view);
    if (r == 0)
        r = op->step(req, view, req->write, &req->answer, &err);
    moves_limits = r == 0 && fn_write_is_moving_limits(req->write, &is_reserved);
    if (moves_limits)
        req->limits = permits_change_begin(req->c->permits, req->home.account, req->fn.name);
    if (r < 0)
        api_fail(req, &err);
    else if (!fn_write_is_empty(req->write))
        fn_write_run(req->write, on_committed, req);
    else if (moves_limits)
        tell(req);
    else
        end(req);
}

static void on_view(struct fn_view *view, const struct error *err, void *arg)
{
    struct api_request *req = arg;
    struct error own;

    if (err && err->code == ERR_NOT_FOUND && req->fn_op->missing) {
        req->fn_op->missing(req, &own);
        api_fail(req, &own);
    } else if (err && err->code == ERR_NOT_FOUND) {
        api_fail_not_found(req);
    } else if (err) {
        api_fail(req, err);
    } else {
        step(req, view);
    }
    fn_view_free(view);
}

void fn_op_run_named(struct api_request *req, const struct fn_op *op)
{
    req->fn_op = op;
    look(req);
}

void fn_op_run(struct api_request *req, const struct fn_op *op)
{
    if (api_name(req, op->kind))
        fn_op_run_named(req, op);
}
