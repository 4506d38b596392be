/* SPDX-License-Identifier: Apache-2.0 */
/* What invokers fetch: the specification of a version, and archives. */
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/model/fn_name.h"
#include "common/model/lambda_input.h"
#include "common/model/networks.h"
#include "controller/code/code_url.h"
#include "controller/role_sessions.h"
#include "controller/store/fn_view.h"
#include "controller/serve.h"

/* ---- version.get ---- */

struct spec_request {
    struct controller *c;
    struct rpc_request *rpc;
    uint64_t generation; /* asked for */
    bool is_published; /* a version's number was asked for, not $LATEST */
};

/* A number that JSON carries exactly; 0 when it is absent or none. */
static uint64_t cjson_u64(const cJSON *json, const char *name)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(json, name);

    return cJSON_IsNumber(value) && value->valuedouble >= 0 &&
                   value->valuedouble < 9007199254740992.0
               ? (uint64_t)value->valuedouble
               : 0;
}

/* The version that was asked for, when it can run; NULL otherwise. */
static const struct fn_version *running_version(const struct fn_view *view)
{
    const struct fn_version *ver = view->version;

    if (!ver)
        return fn_record_running(view->rec);
    return ver->state == FN_ACTIVE ? ver : NULL;
}

static int spec_of(const struct controller *c, const struct fn_view *view, uint64_t generation,
                   struct sandbox_spec **ret, struct error *err)
{
    const struct fn_version *ver = running_version(view);
    int r;

    /* STALE sends the gateway back to route.resolve, which tells the client the function's state */
    if (!ver)
        return error_set(err, ERR_STALE, "the function cannot be run now");
    if (ver->generation != generation)
        return error_set(err, ERR_STALE, "generation %llu is not current, %llu is",
                         (unsigned long long)generation, (unsigned long long)ver->generation);
    r = fn_version_to_spec(ver, c->runtimes, ret, err);
    if (r == 0 && ver->subnet_ids) {
        r = networks_policy(c->networks, ver->subnet_ids, ver->security_group_ids, &(*ret)->network, err);
        if (r < 0) {
            sandbox_spec_free(TAKE(*ret));
            return error_wrap(err, r, "VpcConfig (the file of networks has changed)");
        }
    }
    if (r == 0)
        (*ret)->credentials = role_session_new(&c->key, str_of(ver->role), str_of(ver->name),
                                               wall_ms() / 1000);
    if (r == 0 && ver->package == FN_ZIP && ver->resolved_image_uri)
        fn_set_str(&(*ret)->image, str_of(ver->resolved_image_uri)); /* the runtime's fallback */
    return r;
}

static void on_view(struct fn_view *view, const struct error *err, void *arg)
{
    struct spec_request *req = arg;
    struct sandbox_spec *spec = NULL;
    struct error own;
    cJSON *ok;

    if (!err && req->is_published && !view->version) {
        error_set(&own, ERR_NOT_FOUND, "no such version");
        err = &own;
    }
    if (!err && spec_of(req->c, view, req->generation, &spec, &own) < 0)
        err = &own;
    if (err) {
        rpc_fail(req->rpc, err);
    } else {
        ok = sandbox_spec_to_json(spec);
        rpc_reply(req->rpc, ok, STR_NULL);
        cjson_wipe_strings(ok);
        cJSON_Delete(ok);
    }
    sandbox_spec_free(spec);
    fn_view_free(view);
    free(req);
}

static void refuse(struct rpc_request *rpc, enum error_code code, const char *text)
{
    struct error err;

    error_set(&err, code, "%s", text);
    rpc_fail(rpc, &err);
}

void serve_version_get(struct rpc_request *rpc, const cJSON *args, struct str body, void *arg)
{
    struct str account = cjson_str(args, "account"), name = cjson_str(args, "name");
    struct str version = cjson_str(args, "version");
    bool is_latest = str_is(version, FN_LATEST);
    struct spec_request *req;

    (void)body;
    if (account.len == 0 || name.len == 0) {
        refuse(rpc, ERR_BAD_REQUEST, "account and name are needed");
        return;
    }
    if (!is_latest && !fn_version_number_is_valid(version)) {
        refuse(rpc, ERR_NOT_FOUND, "no such version");
        return;
    }
    req = calloc(1, sizeof(*req));
    if (!req)
        abort();
    *req = (struct spec_request){arg, rpc, cjson_u64(args, "generation"), !is_latest};
    fn_view_get(req->c->redis, &req->c->key, account, name, is_latest ? STR_NULL : version, 0,
                on_view, req);
}

/* ---- archives ---- */

static void on_archive(const struct buf *bytes, const struct error *err, void *arg)
{
    struct rpc_request *rpc = arg;

    if (err)
        rpc_fail(rpc, err);
    else
        rpc_reply(rpc, NULL, buf_str(bytes));
}

static void send_archive(struct controller *c, struct rpc_request *rpc, struct str sha256)
{
    CLEANUP(freep) char *hex = str_dup(sha256);

    code_store_read(c->store, hex, on_archive, rpc);
}

void serve_code_get(struct rpc_request *rpc, const cJSON *args, struct str body, void *arg)
{
    (void)body;
    send_archive(arg, rpc, cjson_str(args, "sha256"));
}

void serve_code_download(struct rpc_request *rpc, const cJSON *args, struct str body, void *arg)
{
    struct str sha256 = cjson_str(args, "sha256");
    struct controller *c = arg;
    struct error err;

    (void)body;
    if (code_url_check(&c->key, sha256, cjson_u64(args, "expires"), cjson_str(args, "signature"),
                       wall_ms() / 1000, &err) < 0)
        rpc_fail(rpc, &err);
    else
        send_archive(c, rpc, sha256);
}
