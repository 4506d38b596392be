/* SPDX-License-Identifier: Apache-2.0 */
#include "common/io/rpc.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/alloc.h"
#include "common/io/link_internal.h"

#define METHOD_MAX 48u /* of a method's name in messages */

/* Appends @json, or {} when it is NULL. -ERR_TOO_LARGE. */
static int append_json(struct buf *b, const cJSON *json)
{
    CLEANUP(freep) char *text = NULL;

    if (!json)
        return buf_append_str(b, STR("{}"));
    text = cJSON_PrintUnformatted(json);
    if (!text)
        abort();
    return buf_append_str(b, str_of(text));
}

/* ---- asking */

struct ask {
    struct link *link;
    struct link_dependent dependent;
    struct link_stream *s; /* NULL: it could not be asked, and on_unasked() is pending */
    struct timer timer;
    uint64_t timeout_us;
    char method[METHOD_MAX];
    cJSON *answer; /* the whole head */
    struct buf body;
    struct error err; /* of on_unasked() */
    bool dropped; /* while on_unasked() is pending */
    rpc_done_fn *done;
    void *arg;
};

static void ask_free(struct ask *ask)
{
    timer_stop(&ask->timer);
    list_remove(&ask->dependent.node);
    cJSON_Delete(ask->answer);
    buf_done(&ask->body);
    free(ask);
}

static void ask_fail(struct ask *ask, const struct error *err)
{
    timer_stop(&ask->timer);
    list_remove(&ask->dependent.node);
    ask->done(NULL, STR_NULL, err, ask->arg);
    ask_free(ask);
}

/* The transport failed or the peer is out of its mind: says what was asked. */
static void ask_break(struct ask *ask, const struct error *why)
{
    struct error err = *why;

    error_wrap(&err, 0, "%s", ask->method);
    ask_fail(ask, &err);
}

static void ask_refuse(struct ask *ask, enum error_code code, const char *text)
{
    struct error why;

    link_stream_reset(ask->s, code);
    error_set(&why, code, "%s", text);
    ask_break(ask, &why);
}

static void on_answer_head(struct link_stream *s, struct str head, void *arg)
{
    struct ask *ask = arg;

    (void)s;
    ask->answer = link_json_parse(head);
    if (!ask->answer)
        ask_refuse(ask, ERR_PROTOCOL, "the answer is no JSON");
}

static void on_answer_data(struct link_stream *s, struct str bytes, void *arg)
{
    struct ask *ask = arg;

    if (buf_append_str(&ask->body, bytes) < 0) {
        ask_refuse(ask, ERR_TOO_LARGE, "the answer is too large");
        return;
    }
    link_stream_consumed(s, bytes.len);
}

/* The error that the peer answered with, in its own words. */
static bool answered_error(const cJSON *answer, struct error *ret)
{
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(answer, "error");
    const char *code = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(error, "code"));
    const char *message = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(error, "message"));

    if (!code || !message)
        return false;
    error_set(ret, error_code_from_name(code, strlen(code)), "%s", message);
    if (ret->code == ERR_OK)
        ret->code = ERR_INTERNAL;
    return true;
}

static void on_answer_end(struct link_stream *s, void *arg)
{
    struct ask *ask = arg;
    const cJSON *ok = cJSON_GetObjectItemCaseSensitive(ask->answer, "ok");
    struct error err;

    (void)s;
    if (cJSON_IsObject(ok)) {
        timer_stop(&ask->timer);
        list_remove(&ask->dependent.node);
        ask->done(ok, buf_str(&ask->body), NULL, ask->arg);
        ask_free(ask);
    } else if (answered_error(ask->answer, &err)) {
        ask_fail(ask, &err);
    } else {
        error_set(&err, ERR_PROTOCOL, "the answer is neither ok nor an error");
        ask_break(ask, &err);
    }
}

static void on_answer_reset(struct link_stream *s, const struct error *why, void *arg)
{
    (void)s;
    ask_break(arg, why);
}

static const struct link_stream_ops ask_ops = {
    .on_head = on_answer_head,
    .on_data = on_answer_data,
    .on_end = on_answer_end,
    .on_reset = on_answer_reset,
};

static void on_ask_timeout(void *arg)
{
    struct ask *ask = arg;
    struct error why;

    link_stream_reset(ask->s, ERR_TIMEOUT);
    error_set(&why, ERR_TIMEOUT, "no answer within %llu ms",
              (unsigned long long)(ask->timeout_us / 1000));
    ask_break(ask, &why);
}

static void on_ask_dropped(struct link_dependent *dependent)
{
    struct ask *ask = CONTAINER_OF(dependent, struct ask, dependent);

    if (ask->s)
        ask_free(ask);
    else
        ask->dropped = true;
}

static void on_unasked(void *arg)
{
    struct ask *ask = arg;

    if (ask->dropped)
        ask_free(ask);
    else
        ask_break(ask, &ask->err);
}

static int append_question(struct buf *head, const char *method, const cJSON *args)
{
    int r;

    r = buf_append_str(head, STR("{\"method\":\""));
    if (r == 0)
        r = buf_append_json(head, str_of(method));
    if (r == 0)
        r = buf_append_str(head, STR("\",\"args\":"));
    if (r == 0)
        r = append_json(head, args);
    if (r == 0)
        r = buf_append_char(head, '}');
    return r;
}

void rpc_call(struct link *link, const char *method, const cJSON *args, struct str body,
              uint64_t timeout_us, rpc_done_fn *done, void *arg)
{
    CLEANUP(buf_done) struct buf head = BUF_INIT(LINK_HEAD_MAX);
    struct ask *ask = xcalloc(sizeof(*ask));

    ask->link = link;
    ask->timeout_us = timeout_us;
    ask->done = done;
    ask->arg = arg;
    ask->body = BUF_INIT(RPC_BODY_MAX);
    snprintf(ask->method, sizeof(ask->method), "%s", method);
    timer_init(&ask->timer, link->loop, on_ask_timeout, ask);
    link_add_dependent(link, &ask->dependent, on_ask_dropped);
    if (append_question(&head, method, args) < 0 || body.len > RPC_BODY_MAX)
        error_set(&ask->err, ERR_TOO_LARGE, "the question is too large");
    else if (!(ask->s = link_open(link, LINK_CALL, buf_str(&head), body, true, &ask_ops, ask)))
        error_set(&ask->err, ERR_UNAVAILABLE, "the link is down");
    if (ask->s)
        timer_start(&ask->timer, timeout_us);
    else
        loop_defer(link->loop, on_unasked, ask);
}

/* ---- answering */

struct rpc_request {
    struct link *link; /* NULL: it has gone */
    struct link_stream *s; /* NULL: the asker has gone */
    struct link_dependent dependent;
    const struct rpc_method *method;
    void *arg;
    cJSON *question; /* the whole head */
    struct buf body;
    bool handled; /* the handler has it, and will reply */
};

static void request_free(struct rpc_request *req)
{
    list_remove(&req->dependent.node);
    cJSON_Delete(req->question);
    buf_done(&req->body);
    free(req);
}

/* The asker or the whole link has gone. Before the handler has the request that is its end. */
static void request_orphan(struct rpc_request *req, bool link_has_gone)
{
    req->s = NULL;
    if (link_has_gone) {
        req->link = NULL;
        list_remove(&req->dependent.node);
    }
    if (!req->handled)
        request_free(req);
}

static void on_request_dropped(struct link_dependent *dependent)
{
    request_orphan(CONTAINER_OF(dependent, struct rpc_request, dependent), true);
}

static void on_question_reset(struct link_stream *s, const struct error *why, void *arg)
{
    struct rpc_request *req = arg;

    (void)s;
    (void)why;
    request_orphan(req, !link_is_up(req->link));
}

static void on_question_data(struct link_stream *s, struct str bytes, void *arg)
{
    struct rpc_request *req = arg;

    if (buf_append_str(&req->body, bytes) < 0) {
        link_stream_reset(s, ERR_TOO_LARGE);
        request_free(req);
        return;
    }
    link_stream_consumed(s, bytes.len);
}

static void on_question_end(struct link_stream *s, void *arg)
{
    struct rpc_request *req = arg;

    (void)s;
    req->handled = true;
    req->method->handle(req, cJSON_GetObjectItemCaseSensitive(req->question, "args"),
                        buf_str(&req->body), req->arg);
}

static const struct link_stream_ops request_ops = {
    .on_data = on_question_data, .on_end = on_question_end, .on_reset = on_question_reset};

static void answer_error(struct link_stream *s, const struct error *err)
{
    CLEANUP(buf_done) struct buf head = BUF_INIT(LINK_HEAD_MAX);

    /* it fits: a message has at most ERROR_MSG_MAX bytes */
    (void)buf_printf(&head, "{\"error\":{\"code\":\"%s\",\"message\":\"", error_code_name(err->code));
    (void)buf_append_json(&head, str_of(err->msg));
    (void)buf_append_str(&head, STR("\"}}"));
    link_stream_answer(s, buf_str(&head), STR_NULL, true);
}

/* Answers before the body has come; the reset tells the asker to keep it. */
void rpc_refuse(struct link_stream *s, const struct error *err)
{
    link_stream_accept(s, &request_ops, NULL);
    answer_error(s, err);
    link_stream_reset(s, err->code);
}

static const struct rpc_method *find_method(const struct rpc_method *methods, const char *name)
{
    for (; methods->name; methods++)
        if (strcmp(methods->name, name) == 0)
            return methods;
    return NULL;
}

bool rpc_asks(struct str head, const char *method)
{
    cJSON *question = link_json_parse(head);
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(question, "method"));
    bool asks = name && strcmp(name, method) == 0;

    cJSON_Delete(question);
    return asks;
}

void rpc_serve(struct loop *loop, struct link_stream *s, struct str head,
               const struct rpc_method *methods, void *arg)
{
    cJSON *question = link_json_parse(head);
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(question, "method"));
    const struct rpc_method *method;
    struct rpc_request *req;
    struct error err;

    (void)loop;
    if (!name || !cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(question, "args"))) {
        error_set(&err, ERR_PROTOCOL, "the question makes no sense");
        rpc_refuse(s, &err);
        cJSON_Delete(question);
        return;
    }
    method = find_method(methods, name);
    if (!method) {
        error_set(&err, ERR_NO_OPERATION, "unknown method %.*s", (int)METHOD_MAX, name);
        rpc_refuse(s, &err);
        cJSON_Delete(question);
        return;
    }
    req = xcalloc(sizeof(*req));
    req->link = link_stream_link(s);
    req->s = s;
    req->method = method;
    req->arg = arg;
    req->question = question;
    req->body = BUF_INIT(RPC_BODY_MAX);
    link_add_dependent(req->link, &req->dependent, on_request_dropped);
    link_stream_accept(s, &request_ops, req);
}

void rpc_take_body(struct rpc_request *req, struct buf *ret)
{
    *ret = req->body;
    req->body = BUF_INIT(RPC_BODY_MAX);
}

void rpc_reply(struct rpc_request *req, const cJSON *ok, struct str body)
{
    CLEANUP(buf_done) struct buf head = BUF_INIT(LINK_HEAD_MAX);
    struct error err;

    if (req->s && (body.len > RPC_BODY_MAX || buf_append_str(&head, STR("{\"ok\":")) < 0 ||
                   append_json(&head, ok) < 0 || buf_append_char(&head, '}') < 0)) {
        error_set(&err, ERR_TOO_LARGE, "the answer to %s is too large", req->method->name);
        answer_error(req->s, &err);
    } else if (req->s) {
        link_stream_answer(req->s, buf_str(&head), body, true);
    }
    request_free(req);
}

void rpc_fail(struct rpc_request *req, const struct error *err)
{
    if (req->s)
        answer_error(req->s, err);
    request_free(req);
}

struct link *rpc_request_link(const struct rpc_request *req)
{
    return req->link;
}
