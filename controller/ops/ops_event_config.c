/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The five operations on event invoke configurations: what happens to asynchronous invocations that
 * fail or succeed. A configuration is kept for each qualifier, as the API shows it.
 *
 * Source: Lambda API reference; developer guide, "Asynchronous invocation"; recorded answers.
 */
#include "common/base/clock.h"
#include "common/model/lambda_input.h"
#include "common/model/pattern.h"
#include "controller/ops/fn_op.h"
#include "controller/ops/page.h"

static const char *const sides[] = {"OnSuccess", "OnFailure"};
static const char *const numbers[] = {"MaximumRetryAttempts", "MaximumEventAgeInSeconds"};

/* ---- destinations ---- */

/* The ARN that the input has for @side; empty: none. */
static struct str destination(const struct api_request *req, const char *side)
{
    const cJSON *config = api_member(req, "DestinationConfig");

    return cjson_str(cJSON_GetObjectItemCaseSensitive(config, side), "Destination");
}

static bool is_function_arn(struct str arn)
{
    return pattern_match("arn:aws[a-zA-Z-]*:lambda:[^:]+:\\d{12}:function:.+", arn) == 1;
}

/* Which function of ours @arn names. False: none, because of its form, its region, its account. */
static bool name_function(const struct api_request *req, struct str arn, struct fn_name *ret)
{
    return is_function_arn(arn) &&
           fn_name_resolve(arn, FN_NAME_NAMESPACED, STR_NULL, &req->home, ret, NULL) == 0;
}

size_t op_event_config_others(const struct api_request *req, struct fn_other *ret)
{
    struct fn_name fn;
    size_t i;

    for (i = 0; i < ARRAY_LEN(sides); i++) {
        ret[i] = (struct fn_other){STR_NULL, STR_NULL};
        if (name_function(req, destination(req, sides[i]), &fn))
            ret[i] = (struct fn_other){fn.name, fn.qualifier};
    }
    return ARRAY_LEN(sides);
}

/* What can be a destination: for failures also a bucket. */
static bool is_destination(struct str arn, bool of_failures)
{
    return is_function_arn(arn) ||
           pattern_match("arn:aws[a-zA-Z-]*:sqs:[^:]+:\\d{12}:[^:]+", arn) == 1 ||
           pattern_match("arn:aws[a-zA-Z-]*:sns:[^:]+:\\d{12}:[^:]+", arn) == 1 ||
           pattern_match("arn:aws[a-zA-Z-]*:events:[^:]+:\\d{12}:event-bus/.+", arn) == 1 ||
           (of_failures && pattern_match("arn:aws[a-zA-Z-]*:s3:::.+", arn) == 1);
}

/* As AWS's words have it: "OnSuccess(destination=<ARN>)" or "null". */
static char *side_text(const struct api_request *req, const char *side)
{
    const cJSON *config = api_member(req, "DestinationConfig");
    struct str arn = destination(req, side);

    if (!cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(config, side)))
        return str_printf("null");
    if (!arn.ptr)
        return str_printf("%s(destination=null)", side);
    return str_printf("%s(destination=%.*s)", side, STR_ARG(arn));
}

static int bad_destinations(const struct api_request *req, struct error *err)
{
    CLEANUP(freep) char *success = side_text(req, "OnSuccess");
    CLEANUP(freep) char *failure = side_text(req, "OnFailure");

    return error_set(err, ERR_BAD_REQUEST,
                     "The provided destination config DestinationConfig(onSuccess=%s, "
                     "onFailure=%s) is invalid.",
                     success, failure);
}

static int check_destination(const struct api_request *req, const struct fn_view *view, size_t i,
                             struct error *err)
{
    struct str arn = destination(req, sides[i]);
    struct fn_name fn;

    if (arn.len == 0)
        return 0;
    if (!is_destination(arn, str_is(str_of(sides[i]), "OnFailure")))
        return bad_destinations(req, err);
    if (!is_function_arn(arn))
        return 0;
    if (name_function(req, arn, &fn) && str_eq(fn.name, req->fn.name))
        return error_set(err, ERR_BAD_REQUEST,
                         "You can't specify the function as a destination for itself.");
    if (!view->others[i])
        return error_set(err, ERR_BAD_REQUEST, "The destination ARN %.*s is invalid.",
                         STR_ARG(arn));
    return 0;
}

/* ---- what is common ---- */

int op_event_config_no_function(const struct api_request *req, struct error *err)
{
    (void)req;
    return error_set(err, ERR_NOT_FOUND, "The function doesn't exist.");
}

int op_event_config_missing(const struct api_request *req, struct error *err)
{
    CLEANUP(freep) char *arn = fn_op_arn(req, fn_op_field(req));

    return error_set(err, ERR_NOT_FOUND, "The function %s doesn't have an EventInvokeConfig", arn);
}

static const cJSON *config_find(const struct api_request *req, const struct fn_view *view)
{
    return fn_view_doc(view, FN_EVENT_CONFIGS, fn_op_field(req));
}

static int check_input(const struct api_request *req, const struct fn_view *view,
                       struct error *err)
{
    size_t i;
    int r = 0;

    if (!fn_op_qualifier_exists(req, view))
        return op_event_config_no_function(req, err);
    if (!api_member(req, numbers[0]) && !api_member(req, numbers[1]) &&
        !api_member(req, "DestinationConfig"))
        return error_set(err, ERR_BAD_REQUEST,
                         "You must specify at least one of error handling or destination setting.");
    for (i = 0; r == 0 && i < ARRAY_LEN(sides); i++)
        r = check_destination(req, view, i, err);
    return r;
}

static cJSON *destinations_new(const struct api_request *req)
{
    cJSON *json = cJSON_CreateObject();
    size_t i;

    for (i = ARRAY_LEN(sides); i-- > 0;) { /* OnFailure comes first */
        CLEANUP(freep) char *arn = str_dup(destination(req, sides[i]));
        cJSON *side = cJSON_AddObjectToObject(json, sides[i]);

        if (arn[0])
            cJSON_AddStringToObject(side, "Destination", arn);
    }
    return json;
}

/* What the input says, and for what it does not say what @old (may be NULL) has. */
static cJSON *config_new(const struct api_request *req, const cJSON *old)
{
    CLEANUP(freep) char *arn = fn_op_arn(req, fn_op_field(req));
    const cJSON *destinations = cJSON_GetObjectItemCaseSensitive(old, "DestinationConfig");
    cJSON *json = cJSON_CreateObject();
    size_t i;

    cJSON_AddItemToObject(json, "DestinationConfig",
                          destinations && !api_member(req, "DestinationConfig")
                              ? cJSON_Duplicate(destinations, 1)
                              : destinations_new(req));
    cJSON_AddStringToObject(json, "FunctionArn", arn);
    cJSON_AddNumberToObject(json, "LastModified", (double)wall_ms() / 1000);
    for (i = 0; i < ARRAY_LEN(numbers); i++) {
        const cJSON *value = api_member(req, numbers[i]);

        if (!value)
            value = cJSON_GetObjectItemCaseSensitive(old, numbers[i]);
        if (value)
            cJSON_AddItemToObject(json, numbers[i], cJSON_Duplicate(value, 1));
    }
    return json;
}

/* ---- operations ---- */

int op_put_event_config(struct api_request *req, const struct fn_view *view, struct fn_write *w,
                        cJSON **ret, struct error *err)
{
    int r = check_input(req, view, err);

    if (r < 0)
        return r;
    *ret = config_new(req, NULL);
    fn_write_doc(w, FN_EVENT_CONFIGS, fn_op_field(req), *ret);
    return 0;
}

int op_update_event_config(struct api_request *req, const struct fn_view *view, struct fn_write *w,
                           cJSON **ret, struct error *err)
{
    const cJSON *old = config_find(req, view);
    int r = check_input(req, view, err);

    if (r < 0)
        return r;
    if (!old)
        return op_event_config_missing(req, err);
    *ret = config_new(req, old);
    fn_write_doc(w, FN_EVENT_CONFIGS, fn_op_field(req), *ret);
    return 0;
}

int op_get_event_config(struct api_request *req, const struct fn_view *view, struct fn_write *w,
                        cJSON **ret, struct error *err)
{
    const cJSON *config = config_find(req, view);

    (void)w;
    if (!config)
        return op_event_config_missing(req, err);
    *ret = cJSON_Duplicate(config, 1);
    return 0;
}

int op_delete_event_config(struct api_request *req, const struct fn_view *view, struct fn_write *w,
                           cJSON **ret, struct error *err)
{
    *ret = NULL;
    if (!config_find(req, view))
        return op_event_config_missing(req, err);
    fn_write_no_doc(w, FN_EVENT_CONFIGS, fn_op_field(req));
    return 0;
}

int op_list_event_configs(struct api_request *req, const struct fn_view *view, struct fn_write *w,
                          cJSON **ret, struct error *err)
{
    cJSON *json = cJSON_CreateObject();
    int r;

    (void)w;
    r = page_add_items(json, "FunctionEventInvokeConfigs", view->kinds[FN_EVENT_CONFIGS],
                       req->input, NULL, NULL, err);
    if (r < 0)
        cJSON_Delete(json);
    else
        *ret = json;
    return r;
}
