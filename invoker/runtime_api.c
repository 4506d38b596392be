/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/runtime_api.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"

#define PREFIX "/2018-06-01/"
#define INVOCATION PREFIX "runtime/invocation/"

#define BIT(n) (1u << (n))

static const unsigned may_go_to[RUNTIME_STATE_MAX] = { /* absent = forbidden */
    [RUNTIME_STARTED] = BIT(RUNTIME_READY) | BIT(RUNTIME_INIT_ERROR),
    [RUNTIME_READY] = BIT(RUNTIME_READY) | BIT(RUNTIME_RUNNING),
    [RUNTIME_RUNNING] = BIT(RUNTIME_RESPONSE) | BIT(RUNTIME_SENT),
    [RUNTIME_RESPONSE] = BIT(RUNTIME_SENT),
    [RUNTIME_SENT] = BIT(RUNTIME_READY),
};

/* As they appear in AWS's messages. */
static const char *const state_names[RUNTIME_STATE_MAX] = {
    [RUNTIME_STARTED] = "Started",
    [RUNTIME_INIT_ERROR] = "InitError",
    [RUNTIME_READY] = "Ready",
    [RUNTIME_RUNNING] = "Running",
    [RUNTIME_RESPONSE] = "InvocationResponse",
    [RUNTIME_SENT] = "RuntimeResponseSentState",
};

enum route {
    ROUTE_PING,
    ROUTE_NEXT,
    ROUTE_RESPONSE,
    ROUTE_ERROR,
    ROUTE_INIT_ERROR,
    ROUTE_NONE,
};

static const char *const route_methods[] = {
    [ROUTE_PING] = "GET",   [ROUTE_NEXT] = "GET",        [ROUTE_RESPONSE] = "POST",
    [ROUTE_ERROR] = "POST", [ROUTE_INIT_ERROR] = "POST",
};

void runtime_api_init(struct runtime_api *api)
{
    memset(api, 0, sizeof(*api));
}

static void answer(struct runtime_answer *ret, int status, const char *content_type,
                   const char *body)
{
    ret->status = status;
    ret->content_type = content_type;
    ret->allow = NULL;
    ret->no_sniff = false;
    ret->body_len = (size_t)snprintf(ret->body, sizeof(ret->body), "%s", body);
}

static void answer_error(struct runtime_answer *ret, int status, const char *type,
                         const char *message)
{
    answer(ret, status, "application/json", "");
    ret->body_len = (size_t)snprintf(ret->body, sizeof(ret->body),
                                     "{\"errorMessage\":\"%s\",\"errorType\":\"%s\"}\n", message,
                                     type);
}

static enum runtime_event deny_move(const struct runtime_api *api, const char *to,
                                    struct runtime_answer *ret)
{
    char message[160];

    snprintf(
        message, sizeof(message),
        "State transition from %s to %s failed for runtime. Error: State transition is not allowed",
        state_names[api->state], to);
    answer_error(ret, 403, "InvalidStateTransition", message);
    return RUNTIME_DENIED;
}

static bool may_go(const struct runtime_api *api, enum runtime_state to)
{
    return may_go_to[api->state] & BIT(to);
}

static enum route route_find(struct str path, struct str *ret_id)
{
    size_t slash;

    if (!str_starts(path, STR(PREFIX)))
        return ROUTE_NONE;
    if (str_starts(path, STR(INVOCATION))) {
        path = str_sub(path, sizeof(INVOCATION) - 1, path.len);
        if (str_is(path, "next"))
            return ROUTE_NEXT;
        slash = str_find(path, '/', 0);
        *ret_id = str_sub(path, 0, slash);
        path = str_sub(path, slash, path.len);
        if (ret_id->len && str_is(path, "/response"))
            return ROUTE_RESPONSE;
        if (ret_id->len && str_is(path, "/error"))
            return ROUTE_ERROR;
        return ROUTE_NONE;
    }
    if (str_is(path, PREFIX "runtime/init/error"))
        return ROUTE_INIT_ERROR;
    return str_is(path, PREFIX "ping") ? ROUTE_PING : ROUTE_NONE;
}

static enum runtime_event on_next(struct runtime_api *api, struct runtime_answer *ret)
{
    if (api->state == RUNTIME_RUNNING) /* not an error: the same event again */
        return RUNTIME_REPEAT;
    if (!may_go(api, RUNTIME_READY))
        return deny_move(api, "Ready", ret);
    api->state = RUNTIME_READY;
    return RUNTIME_NEXT;
}

/* Whether @id is that of the invocation given last, which the runtime has not asked to follow. */
static bool is_current(const struct runtime_api *api, struct str id)
{
    return api->request_id[0] != '\0' && api->state != RUNTIME_READY &&
           str_is(id, api->request_id);
}

static bool is_streaming(const struct runtime_request *req)
{
    return str_eq_nocase(req->response_mode, STR("streaming"));
}

/* The answer to an answer; @how as for runtime_api_end_stream(). */
static enum runtime_event sent(struct runtime_api *api, enum runtime_event how,
                               struct runtime_answer *ret)
{
    api->state = RUNTIME_SENT;
    if (how == RUNTIME_ANSWER_TOO_LARGE)
        answer_error(ret, 413, "RequestEntityTooLarge",
                     "Exceeded maximum allowed payload size (6291556 bytes).");
    else if (how == RUNTIME_ANSWER_TRUNCATED)
        answer_error(ret, 400, "TruncatedHTTPRequest", "HTTP request detected as truncated");
    else
        answer(ret, 202, "application/json", "{\"status\":\"OK\"}\n");
    return how;
}

static enum runtime_event on_answer(struct runtime_api *api, enum route route,
                                    const struct runtime_request *req, struct str id,
                                    struct runtime_answer *ret)
{
    if (!is_current(api, id)) {
        answer_error(ret, 400, "InvalidRequestID", "Invalid request ID");
        return RUNTIME_DENIED;
    }
    if (api->state != RUNTIME_RUNNING)
        return deny_move(
            api, route == ROUTE_RESPONSE ? "InvocationResponse" : "InvocationErrorResponse", ret);
    if (route == ROUTE_RESPONSE && req->response_mode.len > 0 && !is_streaming(req)) {
        api->state = RUNTIME_RESPONSE;
        answer_error(ret, 400, "InvalidFunctionResponseMode", "Invalid function response mode");
        return RUNTIME_ANSWER_UNKNOWN_MODE;
    }
    if (req->is_truncated)
        return sent(api, RUNTIME_ANSWER_TRUNCATED, ret);
    if (req->is_too_large)
        return sent(api, RUNTIME_ANSWER_TOO_LARGE, ret);
    return sent(api, route == ROUTE_RESPONSE ? RUNTIME_ANSWERED : RUNTIME_FAILED, ret);
}

bool runtime_api_begin_stream(struct runtime_api *api, const struct runtime_request *req)
{
    struct str id = STR_NULL;

    bool open_ended = req->is_open_ended && req->response_mode.len == 0;

    if ((!is_streaming(req) && !open_ended) || route_find(req->path, &id) != ROUTE_RESPONSE ||
        !str_is(req->method, "POST") || api->state != RUNTIME_RUNNING || !is_current(api, id))
        return false;
    api->state = RUNTIME_RESPONSE;
    return true;
}

void runtime_api_end_stream(struct runtime_api *api, enum runtime_event how,
                            struct runtime_answer *ret)
{
    assert(may_go(api, RUNTIME_SENT));
    (void)sent(api, how, ret);
}

static enum runtime_event on_init_error(struct runtime_api *api, const struct runtime_request *req,
                                        struct runtime_answer *ret)
{
    if (!may_go(api, RUNTIME_INIT_ERROR))
        return deny_move(api, "InitError", ret);
    if (req->is_truncated) {
        answer_error(ret, 400, "TruncatedHTTPRequest", "HTTP request detected as truncated");
        return RUNTIME_DENIED;
    }
    if (req->is_too_large) {
        answer_error(ret, 413, "RequestEntityTooLarge",
                     "Exceeded maximum allowed payload size (6291556 bytes).");
        return RUNTIME_DENIED;
    }
    api->state = RUNTIME_INIT_ERROR;
    answer(ret, 202, "application/json", "{\"status\":\"OK\"}\n");
    return RUNTIME_INIT_FAILED;
}

enum runtime_event runtime_api_request(struct runtime_api *api, const struct runtime_request *req,
                                       struct runtime_answer *ret)
{
    struct str id = STR_NULL;
    enum route route = route_find(req->path, &id);

    if (route != ROUTE_NONE && !str_is(req->method, route_methods[route])) {
        answer(ret, 405, NULL, "");
        ret->allow = route_methods[route];
        return RUNTIME_DENIED;
    }
    switch (route) {
    case ROUTE_NEXT:
        return on_next(api, ret);
    case ROUTE_RESPONSE:
    case ROUTE_ERROR:
        return on_answer(api, route, req, id, ret);
    case ROUTE_INIT_ERROR:
        return on_init_error(api, req, ret);
    case ROUTE_PING:
        answer(ret, 200, "text/plain; charset=utf-8", "pong");
        return RUNTIME_DENIED;
    case ROUTE_NONE: /* restore/next and restore/error too: there are no snapshots */
        answer(ret, 404, "text/plain; charset=utf-8", "404 page not found\n");
        ret->no_sniff = true;
        return RUNTIME_DENIED;
    }
    return RUNTIME_DENIED;
}

void runtime_api_give(struct runtime_api *api, struct str request_id)
{
    assert(may_go(api, RUNTIME_RUNNING) && request_id.len <= RUNTIME_ID_MAX);
    api->state = RUNTIME_RUNNING;
    memcpy(api->request_id, request_id.ptr, request_id.len);
    api->request_id[request_id.len] = '\0';
}

void runtime_api_next_lost(struct runtime_api *api)
{
    if (api->state == RUNTIME_READY) /* asks again as after an answer, or as at its start */
        api->state = api->request_id[0] ? RUNTIME_SENT : RUNTIME_STARTED;
}
