/* SPDX-License-Identifier: Apache-2.0 */
/* PutFunctionConcurrency, GetFunctionConcurrency, DeleteFunctionConcurrency. */
#include "controller/ops/concurrency.h"

#include "common/model/lambda_input.h"

/* ---- the account's concurrency (concurrency.h) ---- */

int64_t concurrency_reserved(const struct fn_view *view)
{
    return (int64_t)fn_view_number(view, "reserved", -1);
}

int64_t concurrency_provisioned(const struct fn_view *view)
{
    const cJSON *doc;
    double sum = 0;

    cJSON_ArrayForEach(doc, view->kinds[FN_PROVISIONED])
        sum += cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(doc, "requested"));
    return (int64_t)sum;
}

int64_t concurrency_least_unreserved(const struct api_request *req)
{
    uint64_t limit = req->c->config->account_concurrency;

    return limit < CONCURRENCY_UNRESERVED_MIN ? (int64_t)limit : CONCURRENCY_UNRESERVED_MIN;
}

int64_t concurrency_unreserved(const struct api_request *req, int64_t reserved)
{
    int64_t left = (int64_t)req->c->config->account_concurrency - reserved;

    return left > 0 ? left : 0;
}

int64_t concurrency_left_by_others(const struct api_request *req, const struct fn_view *view)
{
    int64_t own = concurrency_reserved(view), left;

    left = (int64_t)req->c->config->account_concurrency - view->reserved - view->provisioned;
    return left + (own >= 0 ? own : concurrency_provisioned(view));
}

void concurrency_expect(struct fn_write *w, const struct fn_view *view)
{
    docs_expect_counter(fn_write_commit(w), FN_RESERVED_KEY, view->reserved);
    docs_expect_counter(fn_write_commit(w), FN_PROVISIONED_KEY, view->provisioned);
}

static void count(struct fn_write *w, const char *key, int64_t by)
{
    if (by)
        docs_count(fn_write_commit(w), key, by);
}

void concurrency_count_provisioned(struct fn_write *w, const struct fn_view *view, int64_t by)
{
    if (concurrency_reserved(view) < 0)
        count(w, FN_PROVISIONED_KEY, by);
}

int concurrency_below_least(const struct api_request *req, struct error *err)
{
    return error_set(err, ERR_CONCURRENCY_LIMIT,
                     "Specified ConcurrentExecutions for function decreases account's "
                     "UnreservedConcurrentExecution below its minimum value of [%lld].",
                     (long long)concurrency_least_unreserved(req));
}

/* ---- operations ---- */

static int check_unqualified(const struct api_request *req, struct error *err)
{
    if (req->fn.qualifier.len == 0)
        return 0;
    return error_set(err, ERR_BAD_REQUEST,
                     "This operation is permitted on Lambda functions only. Aliases and versions "
                     "do not support this operation. Please specify either a function name or an "
                     "unqualified function ARN.");
}

static cJSON *reserved_json(int64_t reserved)
{
    cJSON *json = cJSON_CreateObject();

    if (reserved >= 0)
        cJSON_AddNumberToObject(json, "ReservedConcurrentExecutions", (double)reserved);
    return json;
}

static int check_reservation(const struct api_request *req, const struct fn_view *view,
                             int64_t reserved, struct error *err)
{
    int64_t provisioned = concurrency_provisioned(view);

    if (concurrency_left_by_others(req, view) - reserved < concurrency_least_unreserved(req))
        return error_set(err, ERR_CONCURRENCY_LIMIT,
                         "Specified ReservedConcurrentExecutions for function decreases account's "
                         "UnreservedConcurrentExecution below its minimum value of [%lld].",
                         (long long)concurrency_least_unreserved(req));
    if (reserved < provisioned)
        return error_set(err, ERR_CONCURRENCY_LIMIT,
                         " ReservedConcurrentExecutions  %lld should not be lower than function's "
                         "total provisioned concurrency [%lld].",
                         (long long)reserved, (long long)provisioned);
    return 0;
}

/* The counters follow; gateways hear the new limits before the client does. */
static void move(const struct api_request *req, const struct fn_view *view, struct fn_write *w,
                 int64_t reserved)
{
    int64_t old = concurrency_reserved(view), provisioned = concurrency_provisioned(view);
    int64_t by = (reserved >= 0 ? reserved : 0) - (old >= 0 ? old : 0);

    count(w, FN_RESERVED_KEY, by);
    if (old < 0 && reserved >= 0)
        count(w, FN_PROVISIONED_KEY, -provisioned);
    else if (old >= 0 && reserved < 0)
        count(w, FN_PROVISIONED_KEY, provisioned);
    concurrency_expect(w, view);
    fn_write_tells_unreserved(w, (uint64_t)concurrency_unreserved(req, view->reserved + by));
}

int op_put_concurrency(struct api_request *req, const struct fn_view *view, struct fn_write *w,
                       cJSON **ret, struct error *err)
{
    int64_t reserved = (int64_t)cJSON_GetNumberValue(
        api_member(req, "ReservedConcurrentExecutions"));
    int r = check_unqualified(req, err);

    if (r == 0)
        r = check_reservation(req, view, reserved, err);
    if (r < 0)
        return r;
    *ret = reserved_json(reserved);
    fn_write_drops_routes(w); /* also when it is so already: gateways may not have heard of it */
    fn_write_moves_limits(w, true);
    if (reserved == concurrency_reserved(view))
        return 0;
    fn_write_number(w, "reserved", (double)reserved);
    move(req, view, w, reserved);
    return 0;
}

int op_get_concurrency(struct api_request *req, const struct fn_view *view, struct fn_write *w,
                       cJSON **ret, struct error *err)
{
    int r = check_unqualified(req, err);

    (void)w;
    if (r == 0)
        *ret = reserved_json(concurrency_reserved(view));
    return r;
}

int op_delete_concurrency(struct api_request *req, const struct fn_view *view, struct fn_write *w,
                          cJSON **ret, struct error *err)
{
    int r = check_unqualified(req, err);

    *ret = NULL;
    if (r < 0)
        return r;
    fn_write_drops_routes(w);
    fn_write_moves_limits(w, false);
    if (concurrency_reserved(view) < 0)
        return 0;
    fn_write_no_setting(w, "reserved");
    move(req, view, w, -1);
    return 0;
}
