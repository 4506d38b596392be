/* SPDX-License-Identifier: Apache-2.0 */
/* `route.resolve`: which versions an invocation of a name may get, and whether they can run now. */
#include <stdlib.h>
#include <string.h>

#include "common/model/fn_name.h"
#include "common/model/lambda_input.h"
#include "controller/ops/concurrency.h"
#include "controller/serve.h"

struct resolve {
    struct controller *c;
    struct rpc_request *rpc;
    char *qualifier;
};

/* Whether something is provisioned for the qualifier, or for version @number by itself; never for $LATEST. */
static bool is_provisioned(const struct resolve *resolve, const struct fn_view *view,
                           const char *number)
{
    return strcmp(number, FN_LATEST) != 0 && (fn_view_doc(view, FN_PROVISIONED, str_of(resolve->qualifier)) ||
                                              fn_view_doc(view, FN_PROVISIONED, str_of(number)));
}

static void add_target(cJSON *targets, const struct resolve *resolve, const struct fn_view *view,
                       const struct fn_version *ver, bool runs, double weight)
{
    cJSON *target = cJSON_CreateObject();

    cJSON_AddItemToArray(targets, target);
    cJSON_AddStringToObject(target, "version", ver->version);
    cJSON_AddNumberToObject(target, "generation", (double)ver->generation);
    cJSON_AddStringToObject(target, "state", fn_state_name(runs ? FN_ACTIVE : ver->state));
    cJSON_AddNumberToObject(target, "timeout_s", ver->timeout_s);
    cJSON_AddNumberToObject(target, "memory_mib", ver->memory_mib);
    cJSON_AddNumberToObject(target, "weight", weight);
    if (is_provisioned(resolve, view, ver->version))
        cJSON_AddTrueToObject(target, "provisioned");
}

/* A version that is current but not told to all yet runs already: gateways may keep this. */
static void add_latest(cJSON *targets, const struct resolve *resolve, const struct fn_view *view)
{
    const struct fn_record *rec = view->rec;
    const struct fn_version *running = fn_record_running(rec);

    add_target(targets, resolve, view, running ? running : rec->ver, running != NULL, 1);
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

static void add_limits(cJSON *ok, const struct resolve *resolve, const struct fn_view *view)
{
    int64_t limit = (int64_t)resolve->c->config->account_concurrency;
    int64_t reserved = concurrency_reserved(view), set_aside = concurrency_provisioned(view);

    if (reserved >= 0)
        cJSON_AddNumberToObject(ok, "reserved", (double)reserved);
    if (reserved >= 0 && set_aside > 0)
        cJSON_AddNumberToObject(ok, "set_aside", (double)set_aside);
    cJSON_AddNumberToObject(ok, "unreserved",
                            limit > view->reserved ? (double)(limit - view->reserved) : 0);
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
        add_latest(targets, resolve, view);
    else
        add_target(targets, resolve, view, first, first->state == FN_ACTIVE, 1 - share);
    if (view->second && share > 0)
        add_target(targets, resolve, view, view->second, view->second->state == FN_ACTIVE,
                   share);
    add_limits(ok, resolve, view);
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
    fn_view_get(c->redis, &c->key, account, name, str_of(resolve->qualifier),
                FN_WANT_ACCOUNT | FN_WANT(FN_PROVISIONED), on_view, resolve);
}
