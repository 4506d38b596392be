/* SPDX-License-Identifier: Apache-2.0 */
/* `route.resolve`: which versions an invocation of a name may get, and whether they can run now. */
#include <stdlib.h>

#include "common/model/fn_name.h"
#include "common/model/lambda_input.h"
#include "controller/fn_view.h"
#include "controller/serve.h"

struct resolve {
    struct controller *c;
    struct rpc_request *rpc;
    char *qualifier;
};

static void add_target(cJSON *targets, const struct fn_version *ver, bool runs, double weight)
{
    cJSON *target = cJSON_CreateObject();

    cJSON_AddItemToArray(targets, target);
    cJSON_AddStringToObject(target, "version", ver->version);
    cJSON_AddNumberToObject(target, "generation", (double)ver->generation);
    cJSON_AddStringToObject(target, "state", fn_state_name(runs ? FN_ACTIVE : ver->state));
    cJSON_AddNumberToObject(target, "timeout_s", ver->timeout_s);
    cJSON_AddNumberToObject(target, "weight", weight);
}

/* A version that is current but not told to all yet runs already: gateways may keep this. */
static void add_latest(cJSON *targets, const struct fn_record *rec)
{
    const struct fn_version *running = fn_record_running(rec);

    add_target(targets, running ? running : rec->ver, running != NULL, 1);
}

/* The weight of the alias's additional version; 0 when there is none. */
static double second_weight(const cJSON *alias)
{
    const cJSON *weights = cJSON_GetObjectItemCaseSensitive(
        cJSON_GetObjectItemCaseSensitive(alias, "RoutingConfig"), "AdditionalVersionWeights");

    return weights && cJSON_IsNumber(weights->child) ? weights->child->valuedouble : 0;
}

static bool is_latest(const struct resolve *resolve, const struct fn_view *view)
{
    struct str qualifier = str_of(resolve->qualifier);

    return qualifier.len == 0 || str_is(qualifier, FN_LATEST) ||
           (view->alias && str_is(cjson_str(view->alias, "FunctionVersion"), FN_LATEST));
}

static int route_json(const struct resolve *resolve, const struct fn_view *view, cJSON **ret,
                      struct error *err)
{
    const struct fn_version *ver = view->rec->ver, *first = view->version;
    double share = view->second ? second_weight(view->alias) : 0;
    CLEANUP(freep) char *arn = NULL;
    cJSON *ok, *targets;

    if (!is_latest(resolve, view) && !first)
        return error_set(err, ERR_NOT_FOUND, "no version or alias %s", resolve->qualifier);
    arn = fn_arn_new(str_of(ver->region), str_of(ver->account), str_of(ver->name), STR_NULL);
    ok = cJSON_CreateObject();
    cJSON_AddStringToObject(ok, "arn", arn);
    targets = cJSON_AddArrayToObject(ok, "targets");
    if (is_latest(resolve, view))
        add_latest(targets, view->rec);
    else
        add_target(targets, first, first->state == FN_ACTIVE, 1 - share);
    if (view->second && share > 0)
        add_target(targets, view->second, view->second->state == FN_ACTIVE, share);
    if (fn_view_number(view, "reserved", -1) >= 0)
        cJSON_AddNumberToObject(ok, "reserved", fn_view_number(view, "reserved", 0));
    *ret = ok;
    return 0;
}

static void on_view(struct fn_view *view, const struct error *err, void *arg)
{
    struct resolve *resolve = arg;
    struct error own;
    cJSON *ok = NULL;

    if (!err && route_json(resolve, view, &ok, &own) < 0)
        err = &own;
    if (err)
        rpc_fail(resolve->rpc, err);
    else
        rpc_reply(resolve->rpc, ok, STR_NULL);
    cJSON_Delete(ok);
    fn_view_free(view);
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
    resolve->c = c;
    resolve->rpc = rpc;
    resolve->qualifier = str_dup(cjson_str(args, "qualifier"));
    fn_view_get(c->redis, &c->key, account, name, str_of(resolve->qualifier), 0, on_view, resolve);
}
