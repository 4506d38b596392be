/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/manage.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/io/rpc.h"
#include "common/proto/aws_query.h"
#include "gateway/parked.h"
#include "gateway/reply.h"

#define CALL_TIMEOUT_US SECONDS(60)
#define HEADERS_MAX 16

struct manage {
    struct leader_link *controller;
    const char *account;
    struct list_node calls;
    size_t in_flight;
};

/* The controller finishes what it was told when the client has gone all the same. */
struct call {
    struct parked parked;
    struct manage *manage;
    void (*fail)(struct call *call, const struct error *err); /* in the form of its service */
};

static void call_free(struct call *call)
{
    parked_end(&call->parked);
    call->manage->in_flight--;
    free(call);
}

static size_t read_headers(const cJSON *from, struct http_header *ret)
{
    const cJSON *item;
    size_t count = 0;

    cJSON_ArrayForEach (item, from) {
        if (count < HEADERS_MAX && cJSON_IsString(item) && item->string)
            ret[count++] = (struct http_header){str_of(item->string), str_of(item->valuestring)};
    }
    return count;
}

static void fail_lambda(struct call *call, const struct error *err)
{
    reply_error_of(call->parked.req, call->parked.request_id, err);
}

static void fail_iam(struct call *call, const struct error *err)
{
    reply_query_error_of(call->parked.req, call->parked.request_id, IAM_XMLNS, err);
}

static void fail_scaling(struct call *call, const struct error *err)
{
    reply_target_error_of(call->parked.req, call->parked.request_id, err);
}

static void on_answer(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    struct call *call = arg;
    struct http_header headers[HEADERS_MAX + 1];
    struct error own;
    const cJSON *status;
    size_t count;

    if (!call->parked.req) {
        call_free(call);
        return;
    }
    status = cJSON_GetObjectItemCaseSensitive(ok, "status");
    if (err && (err->code == ERR_UNAVAILABLE || err->code == ERR_CLOSED)) {
        log_warn("manage", "the controller cannot be reached",
                 KV_STR("request_id", call->parked.request_id), KV_ERR(err));
        error_set(&own, ERR_UNAVAILABLE,
                  "The controller cannot be reached, or none leads yet; are hearth-controller and "
                  "its Redis running?");
        call->fail(call, &own);
    } else if (err) {
        call->fail(call, err);
    } else if (!cJSON_IsNumber(status) || status->valuedouble < 200 || status->valuedouble > 599) {
        log_error("manage", "the controller's answer has no status",
                  KV_STR("request_id", call->parked.request_id));
        error_set(&own, ERR_INTERNAL, "The controller's answer is malformed.");
        call->fail(call, &own);
    } else {
        count = read_headers(cJSON_GetObjectItemCaseSensitive(ok, "headers"), headers);
        headers[count++] = (struct http_header){STR("x-amzn-RequestId"), str_of(call->parked.request_id)};
        http_reply(call->parked.req, (int)status->valuedouble, headers, count, body);
    }
    call_free(call);
}

static void add_str(cJSON *to, const char *name, struct str s)
{
    CLEANUP(freep) char *text = str_dup(s);

    cJSON_AddStringToObject(to, name, text);
}

/* Where the client reaches us, for links in answers: only when Host is a plain name with a port. */
static void add_endpoint(cJSON *args, struct http_req *req)
{
    static const char legal[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-:[]";
    CLEANUP(freep) char *host = str_dup(http_header(req, "host"));
    CLEANUP(freep) char *endpoint = str_printf("http://%s", host);

    if (host[0] && strlen(host) < 256 && host[strspn(host, legal)] == '\0')
        cJSON_AddStringToObject(args, "endpoint", endpoint);
}

static struct call *call_new(struct manage *manage, struct http_req *req, const char *request_id)
{
    struct call *call = calloc(1, sizeof(*call));

    if (!call)
        abort();
    call->manage = manage;
    call->fail = fail_lambda;
    parked_begin(&call->parked, &manage->calls, req, request_id);
    manage->in_flight++;
    return call;
}

/* Asks the controller; @args is given away. */
static void ask(struct call *call, cJSON *args, const char *service, struct str path)
{
    struct manage *manage = call->manage;
    struct http_req *req = call->parked.req;

    cJSON_AddStringToObject(args, "service", service);
    add_str(args, "method", http_method(req));
    add_str(args, "path", path);
    add_str(args, "query", http_query(req));
    cJSON_AddStringToObject(args, "account", manage->account);
    cJSON_AddStringToObject(args, "request_id", call->parked.request_id);
    rpc_call(leader_link_get(manage->controller), "lambda", args, http_body(req), CALL_TIMEOUT_US, on_answer, call);
    cJSON_Delete(args);
}

void manage_serve(struct manage *manage, struct http_req *req, struct str path,
                  const char *request_id)
{
    cJSON *args = cJSON_CreateObject();

    add_endpoint(args, req);
    ask(call_new(manage, req, request_id), args, "lambda", path);
}

void manage_serve_iam(struct manage *manage, struct http_req *req, const char *caller_arn,
                      const char *request_id)
{
    struct call *call = call_new(manage, req, request_id);
    cJSON *args = cJSON_CreateObject();

    call->fail = fail_iam;
    add_str(args, "content_type", http_header(req, "content-type"));
    cJSON_AddStringToObject(args, "caller_arn", caller_arn);
    ask(call, args, "iam", http_path(req));
}

void manage_serve_scaling(struct manage *manage, struct http_req *req, struct str operation,
                          const char *request_id)
{
    struct call *call = call_new(manage, req, request_id);
    cJSON *args = cJSON_CreateObject();

    call->fail = fail_scaling;
    add_str(args, "operation", operation);
    ask(call, args, "autoscaling", http_path(req));
}

size_t manage_in_flight(const struct manage *manage)
{
    return manage->in_flight;
}

struct manage *manage_new(struct leader_link *controller, const char *account)
{
    struct manage *manage = calloc(1, sizeof(*manage));

    if (!manage)
        abort();
    manage->controller = controller;
    manage->account = account;
    list_init(&manage->calls);
    return manage;
}

void manage_free(struct manage *manage)
{
    struct call *call;

    if (!manage)
        return;
    while ((call = LIST_FIRST(&manage->calls, struct call, parked.node)))
        call_free(call);
    free(manage);
}
