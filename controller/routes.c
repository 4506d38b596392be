/* SPDX-License-Identifier: Apache-2.0 */
/* `route.resolve`: which version an invocation of a name gets, and whether it can be run now. */
#include <stdlib.h>

#include "common/model/fn_name.h"
#include "common/model/lambda_input.h"
#include "controller/serve.h"

struct resolve {
    struct rpc_request *rpc;
    char *qualifier;
};

static cJSON *route_json(const struct fn_record *rec)
{
    const struct fn_version *running = fn_record_running(rec);
    const struct fn_version *ver = running ? running : rec->ver;
    CLEANUP(freep)
    char *arn = fn_arn_new(str_of(ver->region), str_of(ver->account), str_of(ver->name), STR_NULL);
    cJSON *ok = cJSON_CreateObject(), *target = cJSON_CreateObject();

    cJSON_AddStringToObject(ok, "arn", arn);
    cJSON_AddItemToArray(cJSON_AddArrayToObject(ok, "targets"), target);
    cJSON_AddStringToObject(target, "version", ver->version);
    cJSON_AddNumberToObject(target, "generation", (double)ver->generation);
    /* A version that is current but not told to all yet runs already: gateways may keep this. */
    cJSON_AddStringToObject(target, "state", fn_state_name(running ? FN_ACTIVE : ver->state));
    cJSON_AddNumberToObject(target, "timeout_s", ver->timeout_s);
    cJSON_AddNumberToObject(target, "weight", 1);
    return ok;
}

static void on_record(struct fn_record *rec, const struct error *err, void *arg)
{
    struct resolve *resolve = arg;
    struct error own;
    cJSON *ok;

    if (!err && resolve->qualifier[0] && !str_is(str_of(resolve->qualifier), FN_LATEST)) {
        error_set(&own, ERR_NOT_FOUND, "no version or alias %s", resolve->qualifier);
        err = &own;
    }
    if (err) {
        rpc_fail(resolve->rpc, err);
    } else {
        ok = route_json(rec);
        rpc_reply(resolve->rpc, ok, STR_NULL);
        cJSON_Delete(ok);
    }
    fn_record_free(rec);
    free(resolve->qualifier);
    free(resolve);
}

void serve_route_resolve(struct rpc_request *rpc, const cJSON *args, struct str body, void *arg)
{
    struct str account = cjson_str(args, "account"), name = cjson_str(args, "name");
    struct controller *c = arg;
    struct resolve *resolve;
    struct error err;

    (void)body;
    if (account.len == 0 || name.len == 0) {
        error_set(&err, ERR_BAD_REQUEST, "account and name are needed");
        rpc_fail(rpc, &err);
        return;
    }
    resolve = calloc(1, sizeof(*resolve));
    if (!resolve)
        abort();
    resolve->rpc = rpc;
    resolve->qualifier = str_dup(cjson_str(args, "qualifier"));
    registry_get(c->registry, account, name, on_record, resolve);
}
