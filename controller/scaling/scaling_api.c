/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/model/lambda_input.h"
#include "common/model/validate.h"
#include "controller/scaling/scaling.h"
#include "controller/serve.h"
#include "controller/store/fn_view.h"

#define BODY_MAX 1048576u
#define DAMAGED "Could not parse request body into json"

static const struct {
    const char *type;
    int http;
} errors[] = {
#define SCALING_ERROR_ROW_(code, http) [SCALING_##code] = {#code, http},
    SCALING_ERROR_MAP(SCALING_ERROR_ROW_)
#undef SCALING_ERROR_ROW_
};

static scaling_step *const steps[SCALING_OP_MAX] = {
    [SCALING_OP_RegisterScalableTarget] = scaling_register,
    [SCALING_OP_DeregisterScalableTarget] = scaling_deregister,
    [SCALING_OP_PutScalingPolicy] = scaling_put_policy,
    [SCALING_OP_DeleteScalingPolicy] = scaling_delete_policy,
    [SCALING_OP_PutScheduledAction] = scaling_put_action,
    [SCALING_OP_DeleteScheduledAction] = scaling_delete_action,
    [SCALING_OP_TagResource] = scaling_tag,
    [SCALING_OP_UntagResource] = scaling_untag,
    [SCALING_OP_ListTagsForResource] = scaling_list_tags,
};

/* ---- answering ---- */

static void answer(struct scaling_request *req, int status, const char *error_type, struct str body)
{
    cJSON *ok = cJSON_CreateObject(), *headers;

    cJSON_AddNumberToObject(ok, "status", status);
    headers = cJSON_AddObjectToObject(ok, "headers");
    cJSON_AddStringToObject(headers, "Content-Type", "application/x-amz-json-1.1");
    if (error_type)
        cJSON_AddStringToObject(headers, "x-amzn-ErrorType", error_type);
    rpc_reply(req->rpc, ok, body);
    cJSON_Delete(ok);
    cJSON_Delete(req->input);
    cJSON_Delete(req->answer);
    free(req->account);
    free(req->request_id);
    free(req->resource);
    free(req);
}

void scaling_reply(struct scaling_request *req)
{
    CLEANUP(freep) char *text = req->answer ? cJSON_PrintUnformatted(req->answer) : str_dup(STR("{}"));

    if (!text)
        abort();
    answer(req, 200, NULL, str_of(text));
}

void scaling_fail(struct scaling_request *req, enum scaling_error code, const char *message)
{
    CLEANUP(buf_done) struct buf body = BUF_INIT(VALIDATE_MESSAGE_MAX * 7);

    buf_printf(&body, "{\"__type\":\"%s\",\"Message\":\"", errors[code].type);
    (void)buf_append_json(&body, str_of(message)); /* no message is so long */
    buf_printf(&body, "\"}");
    answer(req, errors[code].http, errors[code].type, buf_str(&body));
}

void scaling_fail_ours(struct scaling_request *req, const struct error *err)
{
    if (err->code == ERR_UNAVAILABLE || err->code == ERR_TIMEOUT || err->code == ERR_CLOSED) {
        log_debug("scaling", "the registry cannot be reached", KV_STR("request", req->request_id), KV_ERR(err));
        scaling_fail(req, SCALING_ServiceUnavailable,
                     "The registry cannot be reached at the moment. Please try again.");
        return;
    }
    log_error("scaling", "a request failed", KV_STR("request", req->request_id),
              KV_STR("operation", req->op->name), KV_ERR(err));
    scaling_fail(req, SCALING_InternalServiceException,
                 "The request could not be carried out. The controller's log says why.");
}

int scaling_refuse(struct scaling_request *req, enum scaling_error code, const char *fmt, ...)
{
    va_list ap;

    req->error = code;
    va_start(ap, fmt);
    vsnprintf(req->message, sizeof(req->message), fmt, ap);
    va_end(ap);
    return -1;
}

int scaling_not_registered(struct scaling_request *req)
{
    return scaling_refuse(req, SCALING_ObjectNotFoundException,
                          "No scalable target registered for service namespace: " SCALING_NAMESPACE
                          ", resource ID: %s, scalable dimension: " SCALING_DIMENSION,
                          req->resource);
}

const cJSON *scaling_member(const struct scaling_request *req, const char *name)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(req->input, name);

    return value && !cJSON_IsNull(value) ? value : NULL;
}

/* ---- operations on one target ---- */

static int decide(cJSON **doc, void *arg)
{
    struct scaling_request *req = arg;

    cJSON_Delete(TAKE(req->answer)); /* of a try that somebody overtook */
    return steps[req->op->id](req, doc);
}

static void on_changed(int result, const struct error *err, void *arg)
{
    struct scaling_request *req = arg;

    if (err && err->code == ERR_STALE)
        scaling_fail(req, SCALING_ConcurrentUpdateException,
                     "Another change to this scalable target is being made. Please try again.");
    else if (err)
        scaling_fail_ours(req, err);
    else if (result < 0)
        scaling_fail(req, req->error, req->message);
    else
        scaling_reply(req);
}

static void run(struct scaling_request *req)
{
    scaling_change(req->c, str_of(req->account), str_of(req->resource), decide, on_changed, req);
}

/* RegisterScalableTarget asks first whether there is something to scale. */
static void on_view(struct fn_view *view, const struct error *err, void *arg)
{
    struct scaling_request *req = arg;

    if (err && err->code != ERR_NOT_FOUND) {
        scaling_fail_ours(req, err);
    } else {
        req->exists = view && (view->version || view->alias);
        run(req);
    }
    fn_view_free(view);
}

/* "function:NAME:QUALIFIER" into the request; false: it is something else. */
static bool read_resource(struct scaling_request *req)
{
    struct fn_home home = {str_of(req->account), str_of(req->c->config->region)};
    struct str rest, kind, name, qualifier;
    struct fn_name fn;

    req->resource = str_dup(cjson_str(req->input, "ResourceId"));
    rest = str_of(req->resource);
    if (!str_split(&rest, ':', &kind) || !str_split(&rest, ':', &name) ||
        !str_split(&rest, ':', &qualifier) || rest.ptr || !str_is(kind, "function") ||
        !fn_qualifier_is_valid(qualifier) ||
        fn_name_resolve(name, FN_NAME_PLAIN, STR_NULL, &home, &fn, NULL) < 0 || !str_eq(fn.name, name))
        return false;
    req->function = name;
    req->qualifier = qualifier;
    return true;
}

static void run_on_resource(struct scaling_request *req)
{
    if (!str_is(cjson_str(req->input, "ServiceNamespace"), SCALING_NAMESPACE) ||
        !str_is(cjson_str(req->input, "ScalableDimension"), SCALING_DIMENSION)) {
        scaling_fail(req, SCALING_ValidationException,
                     "Unsupported service namespace, resource type or scalable dimension: Hearth "
                     "scales " SCALING_DIMENSION " of function:NAME:QUALIFIER.");
    } else if (!read_resource(req)) {
        scaling_fail(req, SCALING_ValidationException,
                     "Unsupported service namespace, resource type or scalable dimension: the "
                     "resource ID must be function:NAME:QUALIFIER, with a version or an alias.");
    } else if (req->op->id == SCALING_OP_RegisterScalableTarget) {
        fn_view_get(req->c->redis, &req->c->key, str_of(req->account), req->function, req->qualifier, 0,
                    on_view, req);
    } else {
        run(req);
    }
}

/* ---- operations that name a target by its ARN ---- */

static void no_resource(struct scaling_request *req)
{
    CLEANUP(freep)
    char *message = str_printf("The specified resource doesn't exist: %.*s",
                               STR_ARG(cjson_str(req->input, "ResourceARN")));

    scaling_fail(req, SCALING_ResourceNotFoundException, message);
}

static void on_id(const struct redis_value *values, size_t len, const struct error *err, void *arg)
{
    struct scaling_request *req = arg;
    cJSON *name;

    (void)len;
    if (err) {
        scaling_fail_ours(req, err);
        return;
    }
    name = docs_json(&values[0]);
    if (cJSON_IsString(name)) {
        req->resource = str_dup(str_of(name->valuestring));
        run(req);
    } else {
        no_resource(req);
    }
    cJSON_Delete(name);
}

static void run_on_arn(struct scaling_request *req)
{
    struct str arn = cjson_str(req->input, "ResourceARN");
    CLEANUP(freep)
    char *prefix = str_printf("arn:aws:application-autoscaling:%s:%s:scalable-target/",
                              req->c->config->region, req->account);
    struct docs_read *read;

    if (!str_starts(arn, str_of(prefix))) {
        no_resource(req);
        return;
    }
    read = docs_read_new(req->c->redis, str_of(req->account));
    docs_read_field(read, SCALING_IDS, str_sub(arn, strlen(prefix), arn.len));
    docs_read_run(read, on_id, req);
}

/* ---- from question to handler ---- */

static void dispatch(struct scaling_request *req)
{
    CLEANUP(buf_done) struct buf message = BUF_INIT(VALIDATE_MESSAGE_MAX);
    int r = validate_shape(scaling_input_shape(req->op->id), req->input, &message);

    if (r < 0) {
        CLEANUP(freep) char *text = str_dup(buf_str(&message));

        scaling_fail(req, r == -ERR_SERIALIZATION ? SCALING_SerializationException : SCALING_ValidationException,
                     text);
    } else if (scaling_member(req, "ResourceARN")) {
        run_on_arn(req);
    } else if (steps[req->op->id]) {
        run_on_resource(req);
    } else {
        scaling_list(req);
    }
}

static struct scaling_request *request_new(struct controller *c, struct rpc_request *rpc,
                                           const cJSON *args)
{
    struct scaling_request *req = calloc(1, sizeof(*req));
    struct str account = cjson_str(args, "account");

    if (!req)
        abort();
    req->c = c;
    req->rpc = rpc;
    req->account = str_dup(account.len ? account : str_of(c->config->account_id));
    req->request_id = str_dup(cjson_str(args, "request_id"));
    return req;
}

void serve_scaling(struct rpc_request *rpc, const cJSON *args, struct str body, void *arg)
{
    struct scaling_request *req = request_new(arg, rpc, args);
    struct str name = cjson_str(args, "operation");
    CLEANUP(freep) char *shown = str_dup(str_sub(name, 0, 128));
    CLEANUP(freep) char *message = NULL;

    req->op = scaling_op_by_name(name);
    if (!req->op || !req->op->offered) {
        message = str_printf(req->op ? "Hearth does not offer the operation %s of Application Auto "
                                       "Scaling. It has scalable targets, target tracking policies "
                                       "and scheduled actions."
                                     : "Application Auto Scaling has no operation %s.",
                             shown);
        scaling_fail(req, SCALING_UnknownOperationException, message);
        return;
    }
    if (body.len > BODY_MAX || lambda_body_parse(body, &req->input, NULL) < 0)
        scaling_fail(req, SCALING_SerializationException, DAMAGED);
    else
        dispatch(req);
}
