/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/api.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/model/fn_layers.h"
#include "common/model/lambda_input.h"
#include "common/model/record.h"
#include "common/model/validate.h"
#include "common/proto/aws_error.h"
#include "controller/ops/fn_op.h"
#include "controller/resolve.h"
#include "controller/serve.h"

#define REQUEST_BYTES_MAX 70167211u /* Lambda quotas; recorded */
#define WORKER_BYTES (128u * 1024u) /* from here on JSON is read on a worker */
#define ANSWER_BYTES_MAX (64u * 1024u * 1024u)

static api_handler_fn *const handlers[LAMBDA_OP_MAX] = {
    [LAMBDA_OP_CreateFunction] = api_create_function,
    [LAMBDA_OP_GetFunction] = api_get_function,
    [LAMBDA_OP_GetFunctionConfiguration] = api_get_function_configuration,
    [LAMBDA_OP_ListFunctions] = api_list_functions,
    [LAMBDA_OP_DeleteFunction] = api_delete_function,
    [LAMBDA_OP_ListVersionsByFunction] = api_list_versions,
    [LAMBDA_OP_PublishLayerVersion] = api_publish_layer_version,
    [LAMBDA_OP_GetLayerVersion] = api_get_layer_version,
    [LAMBDA_OP_GetLayerVersionByArn] = api_get_layer_version_by_arn,
    [LAMBDA_OP_DeleteLayerVersion] = api_delete_layer_version,
    [LAMBDA_OP_ListLayers] = api_list_layers,
    [LAMBDA_OP_ListLayerVersions] = api_list_layer_versions,
    [LAMBDA_OP_AddLayerVersionPermission] = api_change_layer_policy,
    [LAMBDA_OP_RemoveLayerVersionPermission] = api_change_layer_policy,
    [LAMBDA_OP_GetLayerVersionPolicy] = api_get_layer_version_policy,
    [LAMBDA_OP_TagResource] = api_tags,
    [LAMBDA_OP_UntagResource] = api_tags,
    [LAMBDA_OP_ListTags] = api_tags,
    [LAMBDA_OP_GetAccountSettings] = api_get_account_settings,
    [LAMBDA_OP_UpdateFunctionCode] = api_update_function_code,
    [LAMBDA_OP_UpdateFunctionConfiguration] = api_update_function_configuration,
    [LAMBDA_OP_CreateEventSourceMapping] = api_create_esm,
    [LAMBDA_OP_GetEventSourceMapping] = api_get_esm,
    [LAMBDA_OP_UpdateEventSourceMapping] = api_update_esm,
    [LAMBDA_OP_DeleteEventSourceMapping] = api_delete_esm,
    [LAMBDA_OP_ListEventSourceMappings] = api_list_esms,
    [LAMBDA_OP_CreateCodeSigningConfig] = api_create_code_signing,
    [LAMBDA_OP_GetCodeSigningConfig] = api_code_signing,
    [LAMBDA_OP_UpdateCodeSigningConfig] = api_code_signing,
    [LAMBDA_OP_DeleteCodeSigningConfig] = api_code_signing,
    [LAMBDA_OP_ListFunctionsByCodeSigningConfig] = api_code_signing,
    [LAMBDA_OP_ListCodeSigningConfigs] = api_list_code_signings,
};

/* ---- answering ---- */

static void request_free(struct api_request *req)
{
    if (req->input)
        cjson_wipe_strings(req->input);
    cJSON_Delete(req->input);
    fn_version_free(req->ver);
    fn_version_free(req->cur);
    fn_version_free(req->publish);
    fn_layers_free(req->layers, req->layers_len);
    buf_done(&req->long_message);
    fn_write_free(req->write);
    cJSON_Delete(req->answer);
    free(req->before);
    free(req->code_signing);
    free(req->image_reference);
    free(req->image_digest);
    free(req->account);
    free(req->request_id);
    free(req->endpoint);
    free(req->path);
    free(req->query);
    free(req);
}

static void answer(struct api_request *req, int status, const char *error_type, struct str body)
{
    cJSON *ok, *headers;

    if (req->done) {
        req->done(status, body, req->done_arg);
        request_free(req);
        return;
    }
    ok = cJSON_CreateObject();
    cJSON_AddNumberToObject(ok, "status", status);
    headers = cJSON_AddObjectToObject(ok, "headers");
    if (body.len)
        cJSON_AddStringToObject(headers, "Content-Type", "application/json");
    if (error_type)
        cJSON_AddStringToObject(headers, AWS_ERROR_TYPE_HEADER, error_type);
    rpc_reply(req->rpc, ok, body);
    cJSON_Delete(ok);
    request_free(req);
}

void api_reply(struct api_request *req, cJSON *json)
{
    char *text = json ? cJSON_PrintUnformatted(json) : NULL;

    if (json && !text)
        abort();
    answer(req, req->op->success, NULL, str_of(text));
    if (json)
        cjson_wipe_strings(json);
    cJSON_Delete(json);
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

static void fail_text(struct api_request *req, enum error_code code, struct str message)
{
    CLEANUP(buf_done) struct buf body = BUF_INIT(VALIDATE_MESSAGE_MAX * 2);

    if (aws_error_body(&body, code, message, NULL) < 0)
        buf_clear(&body);
    answer(req, error_http_status(code), error_exception(code), buf_str(&body));
}

/* Redis that is away has been logged when it went; anything else of ours a person should see. */
static void fail_ours(struct api_request *req, const struct error *err)
{
    if (err->code == ERR_UNAVAILABLE || err->code == ERR_TIMEOUT || err->code == ERR_CLOSED) {
        log_debug("api", "the registry cannot be reached", KV_STR("request", req->request_id),
                  KV_ERR(err));
        fail_text(req, ERR_UNAVAILABLE,
                  STR("The function registry cannot be reached at the moment. Please try again."));
        return;
    }
    log_error("api", "a request failed", KV_STR("request", req->request_id),
              KV_STR("operation", req->op ? req->op->name : ""), KV_ERR(err));
    fail_text(req, ERR_INTERNAL,
              STR("The request could not be carried out. The controller's log says why."));
}

void api_fail(struct api_request *req, const struct error *err)
{
    if (req->long_message.len)
        fail_text(req, err->code, buf_str(&req->long_message));
    else if (error_http_status(err->code) >= 500)
        fail_ours(req, err);
    else
        fail_text(req, err->code, str_of(err->msg));
}

void api_fail_with(struct api_request *req, enum error_code code, const char *fmt, ...)
{
    struct error err = {.code = code};
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(err.msg, sizeof(err.msg), fmt, ap);
    va_end(ap);
    api_fail(req, &err);
}

void api_fail_not_found(struct api_request *req)
{
    CLEANUP(freep)
    char *arn = fn_arn_new(req->home.region, req->home.account, req->fn.name, api_qualifier(req));

    api_fail_with(req, ERR_NOT_FOUND, "Function not found: %s", arn);
}

void api_fail_busy(struct api_request *req)
{
    CLEANUP(freep)
    char *arn = fn_arn_new(req->home.region, req->home.account, req->fn.name, STR_NULL);

    api_fail_with(req, ERR_CONFLICT,
                  "The operation cannot be performed at this time. An update is in progress for "
                  "resource: %s",
                  arn);
}

/* ---- layers, archives, images ---- */

static void on_layers(const struct fn_layer *layers, size_t len, const struct error *err, void *arg)
{
    struct api_request *req = arg;

    if (err) {
        api_fail(req, err);
        return;
    }
    fn_layers_free(req->layers, req->layers_len);
    req->layers = fn_layers_copy(layers, len);
    req->layers_len = len;
    req->then(req);
}

void api_find_layers(struct api_request *req, void (*then)(struct api_request *req))
{
    char **arns = NULL;
    struct error err;

    if (fn_layer_arns(req->input, req->home.region, &arns, &err) < 0) {
        api_fail(req, &err);
        return;
    }
    req->then = then;
    if (arns && arns[0])
        layers_find(req->c->redis, &req->home, arns, on_layers, req);
    else
        then(req);
    strv_free(arns);
}

/* Which one it was, the second look says; numbers are not given again, so it stays missing. */
void api_fail_layers(struct api_request *req)
{
    api_find_layers(req, api_fail_busy);
}

void api_take_pin(struct api_request *req, const struct code_pin *pin)
{
    req->pin = *pin;
    req->pinned = true;
    fn_set_str(&req->ver->code_sha256, str_of(pin->sha256));
    req->ver->code_bytes = pin->bytes;
    req->ver->unzipped_bytes = pin->unzipped_bytes;
}

static void take_image(struct api_request *req)
{
    if (req->image_reference)
        fn_version_set_image(req->ver, str_of(req->image_reference), str_of(req->image_digest));
    req->then(req);
}

static void on_image(struct str reference, struct str digest, const struct error *err, void *arg)
{
    struct api_request *req = arg;

    if (err && (err->code != ERR_UNAVAILABLE || req->c->closing)) {
        api_fail(req, err);
        return;
    }
    req->image_asked = true;
    req->image_reference = err ? NULL : str_dup(reference);
    req->image_digest = err ? NULL : str_dup(digest);
    take_image(req); /* without an answer the change finds out: the function waits, Pending */
}

void api_resolve_image(struct api_request *req, void (*then)(struct api_request *req))
{
    struct controller *c = req->c;

    req->then = then;
    if (req->image_asked)
        take_image(req);
    else
        resolve_image(c->peers, req->ver->image_uri, c->config->resolve_timeout_us, on_image, req);
}

/* ---- changes ---- */

void api_drop_archive(struct api_request *req)
{
    if (!req->pinned)
        return;
    code_gc_unpin(req->c->gc, &req->pin);
    req->pinned = false;
}

struct fn_version *api_publish(const struct api_request *req, uint64_t number)
{
    char revision[UUID_MAX];
    struct fn_version *ver;

    uuid_make(revision);
    ver = fn_version_publish(req->ver, number, STR_NULL, req->ver->modified_ms, revision);
    fn_version_set_state(ver, FN_PENDING, FN_REASON_CREATING, FN_REASON_CREATING_TEXT);
    fn_version_set_update(ver, FN_UPDATE_NONE, NULL, NULL);
    return ver;
}

void api_accept(struct api_request *req, uint64_t generation)
{
    struct fn_record *rec = calloc(1, sizeof(*rec));
    struct controller *c = req->c;
    cJSON *answer;

    if (!rec)
        abort();
    if (req->pinned)
        code_store_settle(c->store, &req->pin, true, NULL, NULL);
    rec->ver = TAKE(req->ver);
    rec->serving = TAKE(req->cur);
    rec->publish = TAKE(req->publish);
    rec->ver->generation = generation;
    rec->stage = FN_STAGE_PREPARE;
    memcpy(rec->change, req->change, sizeof(rec->change));
    answer = rec->publish ? fn_version_to_aws(rec->publish, str_of(rec->publish->version))
                          : fn_version_to_aws(rec->ver, STR_NULL);
    if (rec->publish && req->op->id == LAMBDA_OP_CreateFunction) {
        cJSON_Delete(answer);
        answer = fn_version_to_aws_created(rec->publish);
    }
    api_reply(req, answer);
    fn_changes_lead(c->changes, rec);
}

/* ---- reading the input ---- */

const cJSON *api_member(const struct api_request *req, const char *name)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(req->input, name);

    return value && !cJSON_IsNull(value) ? value : NULL;
}

bool api_is_true(const struct api_request *req, const char *name)
{
    return cJSON_IsTrue(api_member(req, name));
}

struct str api_qualifier(const struct api_request *req)
{
    return req->fn.qualifier.ptr ? req->fn.qualifier : STR_NULL;
}

bool api_name(struct api_request *req, enum fn_name_kind kind)
{
    struct error err;

    if (fn_name_resolve(cjson_str(req->input, "FunctionName"), kind,
                        cjson_str(req->input, "Qualifier"), &req->home, &req->fn, &err) < 0) {
        api_fail(req, &err);
        return false;
    }
    return true;
}

bool api_latest_name(struct api_request *req)
{
    if (!api_name(req, FN_NAME_PLAIN))
        return false;
    if (req->fn.qualifier.len == 0 || str_is(req->fn.qualifier, FN_LATEST))
        return true;
    api_fail_with(req, ERR_BAD_REQUEST,
                  "Current operation does not support versions other than $LATEST.");
    return false;
}

cJSON *api_function_json(const struct api_request *req)
{
    CLEANUP(freep) char *name = str_dup(req->fn.name);
    cJSON *args = cJSON_CreateObject();

    cJSON_AddStringToObject(args, "account", req->account);
    cJSON_AddStringToObject(args, "name", name);
    return args;
}

struct fn_defaults api_defaults(struct api_request *req, char *revision_id)
{
    uuid_make(revision_id);
    return (struct fn_defaults){
        .account = req->home.account,
        .region = req->home.region,
        .architecture = str_of(req->c->config->architecture),
        .runtimes = req->c->runtimes,
        .networks = req->c->networks,
        .now_ms = wall_ms(),
        .revision_id = revision_id,
        .layers = req->layers,
        .layers_len = req->layers_len,
        .long_message = &req->long_message,
    };
}

/* ---- from question to handler ---- */

bool api_is_offered(enum lambda_op_id id)
{
    return handlers[id] || fn_op_find(id)->step;
}

static void dispatch(struct api_request *req)
{
    CLEANUP(buf_done) struct buf message = BUF_INIT(VALIDATE_MESSAGE_MAX);
    int r = validate_input(req->op, req->input, &message);

    const struct fn_op *fn_op = fn_op_find(req->op->id);

    if (r < 0)
        fail_text(req, (enum error_code) - r, buf_str(&message));
    else if (handlers[req->op->id])
        handlers[req->op->id](req);
    else if (fn_op->step)
        fn_op_run(req, fn_op);
    else
        api_fail_with(req, ERR_UNSUPPORTED, "Hearth does not offer the operation %s yet.",
                      req->op->name);
}

/* JSON of many megabytes is read on a worker; the loop goes on meanwhile. */
struct reading {
    struct api_request *req;
    struct buf body;
    int r;
    struct error err;
};

static void read_work(void *arg)
{
    struct reading *reading = arg;
    struct api_request *req = reading->req;

    reading->r = lambda_input_new(&req->match, str_of(req->query), buf_str(&reading->body), NULL,
                                  NULL, &req->input, &reading->err);
    if (reading->body.ptr)
        explicit_bzero(reading->body.ptr, reading->body.len); /* environments are in it */
    buf_done(&reading->body);
}

static void on_read(void *arg)
{
    struct reading *reading = arg;
    struct api_request *req = reading->req;
    struct controller *c = req->c;

    if (c->closing)
        api_fail_with(req, ERR_CLOSED, "the controller ends");
    else if (reading->r < 0)
        api_fail(req, &reading->err);
    else
        dispatch(req);
    free(reading);
    controller_unref(c);
}

static void read_input(struct api_request *req)
{
    struct reading *reading = calloc(1, sizeof(*reading));

    if (!reading)
        abort();
    reading->req = req;
    req->c->refs++;
    rpc_take_body(req->rpc, &reading->body);
    if (reading->body.len >= WORKER_BYTES) {
        loop_work(req->c->loop, read_work, on_read, reading);
        return;
    }
    read_work(reading);
    on_read(reading);
}

/* @rpc, @args: NULL for a call of the controller's own. */
static struct api_request *request_new(struct controller *c, struct rpc_request *rpc,
                                       const cJSON *args)
{
    struct api_request *req = calloc(1, sizeof(*req));
    struct str account = cjson_str(args, "account");

    if (!req)
        abort();
    req->c = c;
    req->rpc = rpc;
    buf_init(&req->long_message, VALIDATE_MESSAGE_MAX);
    req->account = str_dup(account.len ? account : str_of(c->config->account_id));
    req->request_id = str_dup(cjson_str(args, "request_id"));
    req->endpoint = str_dup(cjson_str(args, "endpoint"));
    req->path = str_dup(cjson_str(args, "path"));
    req->query = str_dup(cjson_str(args, "query"));
    req->home = (struct fn_home){str_of(req->account), str_of(c->config->region)};
    return req;
}

static void on_own_call(void *arg)
{
    struct api_request *req = arg;
    struct controller *c = req->c;

    if (c->closing)
        api_fail_with(req, ERR_CLOSED, "the controller ends");
    else
        dispatch(req);
    controller_unref(c);
}

void api_call(struct controller *c, struct str account, enum lambda_op_id id, cJSON *input,
              api_done_fn *done, void *arg)
{
    struct api_request *req = request_new(c, NULL, NULL);

    free(req->account);
    req->account = str_dup(account);
    req->home.account = str_of(req->account);
    req->op = &lambda_op_table[id];
    req->input = input;
    req->done = done;
    req->done_arg = arg;
    c->refs++;
    loop_defer(c->loop, on_own_call, req);
}

void serve_lambda(struct rpc_request *rpc, const cJSON *args, struct str body, void *arg)
{
    struct str method = cjson_str(args, "method");
    struct api_request *req;

    if (str_is(cjson_str(args, "service"), "iam")) {
        serve_iam(rpc, args, body, arg);
        return;
    }
    if (str_is(cjson_str(args, "service"), "autoscaling")) {
        serve_scaling(rpc, args, body, arg);
        return;
    }
    req = request_new(arg, rpc, args);
    if (lambda_op_match(method, str_of(req->path), str_of(req->query), &req->match) < 0) {
        api_fail_with(req, ERR_NO_OPERATION, "The Lambda API has no operation %.*s %.200s.",
                      STR_ARG(str_sub(method, 0, 16)), req->path);
        return;
    }
    req->op = req->match.op;
    if (body.len > REQUEST_BYTES_MAX) {
        api_fail_with(req, ERR_ENTITY_TOO_LARGE,
                      "Request must be smaller than %u bytes for the %s operation",
                      REQUEST_BYTES_MAX, req->op->name);
        return;
    }
    read_input(req);
}
