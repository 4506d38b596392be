/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The four operations on provisioned concurrency, of a version or an alias.
 *
 * Kept for each qualifier: {"requested": n, "modified": LastModified}. The status is worked out when
 * it is asked for, from what the nodes say that they have initialised (provisioner.h).
 *
 * Source: Lambda API reference; developer guide, "Provisioned concurrency"; recorded answers.
 */
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/model/lambda_input.h"
#include "controller/ops/concurrency.h"
#include "controller/ops/page.h"

int64_t concurrency_requested(const cJSON *doc)
{
    return doc ? (int64_t)cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(doc, "requested"))
               : 0;
}

void concurrency_drop_provisioned(struct fn_write *w, const struct fn_view *view,
                                  struct str qualifier)
{
    const cJSON *doc = fn_view_doc(view, FN_PROVISIONED, qualifier);

    if (!doc)
        return;
    fn_write_no_doc(w, FN_PROVISIONED, qualifier);
    fn_write_drops_routes(w);
    fn_write_moves_limits(w, concurrency_reserved(view) >= 0);
    concurrency_count_provisioned(w, view, -concurrency_requested(doc));
}

/* ---- how it is shown ---- */

enum status { IN_PROGRESS, READY, FAILED };

/* What there is of version @number, which @qualifier names. */
static struct provisioner_counts counts_of(const struct api_request *req,
                                           const struct fn_view *view, struct str qualifier,
                                           struct str number)
{
    struct provisioner_counts has;

    provisioner_counts_get(req->c->provisioner, req->home.account, req->fn.name, qualifier, number,
                           &has);
    if (view->version && view->version->state == FN_FAILED &&
        str_is(number, view->version->version))
        has.has_failed = true;
    return has;
}

static cJSON *provisioned_json(const cJSON *doc, const struct provisioner_counts *has)
{
    static const char *const names[] = {
        [IN_PROGRESS] = "IN_PROGRESS", [READY] = "READY", [FAILED] = "FAILED"};
    uint64_t wanted = (uint64_t)concurrency_requested(doc);
    uint64_t all = has->ready + has->leaving, there = all < wanted ? all : wanted;
    bool fails = has->has_failed || has->lacks_room;
    bool is_ready = has->ready >= wanted;
    enum status status = is_ready && has->has_class ? READY
                         : !is_ready && fails       ? FAILED
                                                    : IN_PROGRESS;
    cJSON *json = cJSON_CreateObject();

    cJSON_AddNumberToObject(json, "AllocatedProvisionedConcurrentExecutions", (double)there);
    cJSON_AddNumberToObject(json, "AvailableProvisionedConcurrentExecutions", (double)there);
    cJSON_AddItemToObject(
        json, "LastModified",
        cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(doc, "modified"), 1));
    cJSON_AddNumberToObject(json, "RequestedProvisionedConcurrentExecutions", (double)wanted);
    cJSON_AddStringToObject(json, "Status", names[status]);
    if (status == FAILED)
        cJSON_AddStringToObject(json, "StatusReason",
                                has->has_failed ? "FUNCTION_ERROR_INIT_FAILURE"
                                                : "The nodes do not have the memory for it.");
    return json;
}

/* ---- what may be provisioned ---- */

static int check_qualifier(const struct api_request *req, const struct fn_view *view,
                           struct error *err)
{
    if (req->fn.qualifier.len == 0 || str_is(req->fn.qualifier, FN_LATEST))
        return error_set(err, ERR_BAD_REQUEST,
                         "The function resource provided must be an alias or a published version.");
    return fn_op_qualifier_exists(req, view) ? 0 : fn_op_no_qualifier(req, err);
}

static int unpublished(struct error *err)
{
    return error_set(err, ERR_BAD_REQUEST,
                     "Provisioned Concurrency Configs cannot be applied to unpublished function "
                     "versions.");
}

static int has_weights(struct error *err)
{
    return error_set(err, ERR_BAD_REQUEST,
                     "Alias with weights can not be used with Provisioned Concurrency");
}

static int check_published(const struct api_request *req, const struct fn_view *view,
                           struct error *err)
{
    bool is_latest = req->fn.qualifier.len == 0 || str_is(req->fn.qualifier, FN_LATEST);

    if (!is_latest && !fn_op_qualifier_exists(req, view))
        return fn_op_no_qualifier(req, err);
    if (is_latest || !view->version)
        return unpublished(err);
    if (view->alias && cJSON_GetObjectItemCaseSensitive(view->alias, "RoutingConfig"))
        return has_weights(err);
    return 0;
}

/* Whether another qualifier than @own provides for version @number. */
static bool is_provided_for(const struct fn_view *view, struct str own, struct str number)
{
    const cJSON *doc;

    cJSON_ArrayForEach(doc, view->kinds[FN_PROVISIONED])
    {
        const cJSON *alias = cJSON_GetObjectItemCaseSensitive(view->kinds[FN_ALIASES],
                                                              doc->string);
        struct str leads_to = alias ? cjson_str(alias, "FunctionVersion") : str_of(doc->string);

        if (!str_is(own, doc->string) && str_eq(leads_to, number))
            return true;
    }
    return false;
}

static int alias_comes_second(struct error *err)
{
    return error_set(err, ERR_CONFLICT,
                     "Alias can't be used for Provisioned Concurrency configuration on an already "
                     "Provisioned version");
}

static int check_once(const struct api_request *req, const struct fn_view *view,
                      struct error *err)
{
    if (!is_provided_for(view, req->fn.qualifier, str_of(view->version->version)))
        return 0;
    return view->alias ? alias_comes_second(err)
                       : error_set(err, ERR_CONFLICT,
                                   "Version is pointed by a Provisioned Concurrency alias");
}

int concurrency_check_alias(const struct fn_view *view, const cJSON *alias, struct error *err)
{
    struct str number = cjson_str(alias, "FunctionVersion");

    if (str_is(number, FN_LATEST))
        return unpublished(err);
    if (cJSON_GetObjectItemCaseSensitive(alias, "RoutingConfig"))
        return has_weights(err);
    return is_provided_for(view, cjson_str(alias, "Name"), number) ? alias_comes_second(err) : 0;
}

static int check_amount(const struct api_request *req, const struct fn_view *view, int64_t total,
                        struct error *err)
{
    int64_t reserved = concurrency_reserved(view), left;

    if (reserved >= 0 && total > reserved)
        return error_set(err, ERR_BAD_REQUEST,
                         "Requested Provisioned Concurrency should not be greater than the "
                         "reservedConcurrentExecution for function");
    if (reserved >= 0)
        return 0;
    left = concurrency_left_by_others(req, view);
    if (total > left)
        return error_set(err, ERR_CONCURRENCY_LIMIT,
                         "Specified ConcurrentExecutions for function is greater than account's "
                         "unreserved concurrency [%lld].",
                         (long long)left);
    return left - total < concurrency_least_unreserved(req) ? concurrency_below_least(req, err)
                                                            : 0;
}

/* ---- operations ---- */

static cJSON *doc_new(int64_t amount)
{
    char modified[CLOCK_ISO_MAX];
    cJSON *doc = cJSON_CreateObject();

    clock_format_lambda(wall_ms(), modified);
    /* whole seconds: "2026-01-31T12:00:00+0000" */
    memmove(strchr(modified, '.'), strchr(modified, '+'), sizeof("+0000"));
    cJSON_AddNumberToObject(doc, "requested", (double)amount);
    cJSON_AddStringToObject(doc, "modified", modified);
    return doc;
}

int op_put_provisioned(struct api_request *req, const struct fn_view *view, struct fn_write *w,
                       cJSON **ret, struct error *err)
{
    int64_t amount = (int64_t)cJSON_GetNumberValue(
        api_member(req, "ProvisionedConcurrentExecutions"));
    int64_t old = concurrency_requested(fn_view_doc(view, FN_PROVISIONED, req->fn.qualifier));
    int r = check_published(req, view, err);
    cJSON *doc;

    if (r == 0)
        r = check_once(req, view, err);
    if (r == 0)
        r = check_amount(req, view, concurrency_provisioned(view) - old + amount, err);
    if (r < 0)
        return r;
    doc = doc_new(amount);
    fn_write_doc(w, FN_PROVISIONED, req->fn.qualifier, doc);
    concurrency_count_provisioned(w, view, amount - old);
    if (concurrency_reserved(view) < 0)
        concurrency_expect(w, view);
    fn_write_drops_routes(w);
    fn_write_moves_limits(w, concurrency_reserved(view) >= 0);
    *ret = provisioned_json(doc, &(struct provisioner_counts){0});
    cJSON_Delete(doc);
    return 0;
}

int op_get_provisioned(struct api_request *req, const struct fn_view *view, struct fn_write *w,
                       cJSON **ret, struct error *err)
{
    const cJSON *doc = fn_view_doc(view, FN_PROVISIONED, req->fn.qualifier);
    struct provisioner_counts has = {0};
    int r = check_qualifier(req, view, err);

    (void)w;
    if (r < 0)
        return r;
    if (!doc)
        return error_set(err, ERR_NOT_PROVISIONED,
                         "No Provisioned Concurrency Config found for this function");
    if (view->version)
        has = counts_of(req, view, req->fn.qualifier, str_of(view->version->version));
    *ret = provisioned_json(doc, &has);
    return 0;
}

int op_delete_provisioned(struct api_request *req, const struct fn_view *view, struct fn_write *w,
                          cJSON **ret, struct error *err)
{
    int r = check_qualifier(req, view, err);

    *ret = NULL;
    if (r == 0)
        concurrency_drop_provisioned(w, view, req->fn.qualifier);
    return r;
}

/* All that is provisioned, as the list shows it: {qualifier: item}. */
static cJSON *list_all(const struct api_request *req, const struct fn_view *view)
{
    cJSON *all = cJSON_CreateObject(), *item;
    struct provisioner_counts has;
    const cJSON *doc;

    cJSON_ArrayForEach(doc, view->kinds[FN_PROVISIONED])
    {
        const cJSON *alias = cJSON_GetObjectItemCaseSensitive(view->kinds[FN_ALIASES],
                                                              doc->string);
        struct str number = alias ? cjson_str(alias, "FunctionVersion") : str_of(doc->string);
        CLEANUP(freep) char *arn = fn_op_arn(req, str_of(doc->string));

        has = counts_of(req, view, str_of(doc->string), number);
        item = provisioned_json(doc, &has);
        cJSON_AddStringToObject(item, "FunctionArn", arn);
        cJSON_AddItemToObject(all, doc->string, item);
    }
    return all;
}

int op_list_provisioned(struct api_request *req, const struct fn_view *view, struct fn_write *w,
                        cJSON **ret, struct error *err)
{
    cJSON *json = cJSON_CreateObject(), *all = list_all(req, view);
    int r = page_add_items(json, "ProvisionedConcurrencyConfigs", all, req->input, NULL, NULL, err);

    (void)w;
    cJSON_Delete(all);
    if (r < 0)
        cJSON_Delete(json);
    else
        *ret = json;
    return r;
}
