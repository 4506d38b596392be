/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/runtime_face.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/io/http_server.h"

struct runtime_face {
    struct http_server *server;
    const struct runtime_face_ops *ops;
    void *arg;
    struct runtime_api api;
    struct http_req *waiting; /* in next; NULL: nobody */
    struct http_req *streaming; /* a response of which more is to come; NULL: none */
    const struct runtime_event_data *event; /* given and not answered */
    uint64_t deadline_ms;
    bool closed;
};

#define EVENT_HEADERS_MAX 7
/* Of the invoker's own descriptors and memory: what a runtime and ten extensions may use, and no
 * guest more. An event and its answer, both as large as they may be, and a head of a mebibyte fit. */
#define CONNECTIONS_MAX 256
#define BYTES_MAX (20u * 1024u * 1024u)
#define TURN_MAX 8 /* and of its time: so many requests, then others' events */

static void reply_event(struct runtime_face *face, struct http_req *req)
{
    const struct runtime_event_data *ev = face->event;
    char deadline[24];
    const struct http_header all[EVENT_HEADERS_MAX] = {
        {STR("Content-Type"), STR("application/json")},
        {STR("Lambda-Runtime-Aws-Request-Id"), ev->request_id},
        {STR("Lambda-Runtime-Deadline-Ms"),
         {deadline, (size_t)snprintf(deadline, sizeof(deadline), "%" PRIu64, face->deadline_ms)}},
        {STR("Lambda-Runtime-Invoked-Function-Arn"), ev->invoked_arn},
        {STR("Lambda-Runtime-Trace-Id"), ev->trace_id},
        {STR("Lambda-Runtime-Client-Context"), ev->client_context},
        {STR("Lambda-Runtime-Cognito-Identity"), ev->cognito_identity},
    };
    struct http_header headers[EVENT_HEADERS_MAX];
    size_t i, len = 0;

    for (i = 0; i < EVENT_HEADERS_MAX; i++)
        if (all[i].value.len)
            headers[len++] = all[i];
    http_reply(req, 200, headers, len, ev->payload);
}

static void reply_answer(struct http_req *req, const struct runtime_answer *answer)
{
    struct http_header headers[3];
    size_t len = 0;

    if (answer->content_type)
        headers[len++] = (struct http_header){STR("Content-Type"), str_of(answer->content_type)};
    if (answer->allow)
        headers[len++] = (struct http_header){STR("Allow"), str_of(answer->allow)};
    if (answer->no_sniff)
        headers[len++] = (struct http_header){STR("X-Content-Type-Options"), STR("nosniff")};
    http_reply(req, answer->status, headers, len, str_from(answer->body, answer->body_len));
}

/* A runtime that asks twice at once has given its first request up. */
static void park(struct runtime_face *face, struct http_req *req)
{
    struct http_req *before = face->waiting;

    face->waiting = req;
    if (before)
        http_drop(before);
    else
        face->ops->on_waiting(face->arg);
}

static struct runtime_request question_of(struct http_req *req)
{
    return (struct runtime_request){
        .method = http_method(req),
        .path = http_path(req),
        .response_mode = http_header(req, "lambda-runtime-function-response-mode"),
    };
}

static void handle(struct runtime_face *face, struct http_req *req, bool is_too_large)
{
    struct runtime_request question = question_of(req);
    struct runtime_answer answer;
    enum runtime_event event;

    if (!is_too_large && face->ops->on_other(req, face->arg))
        return;
    if (face->closed) {
        http_drop(req);
        return;
    }
    question.is_too_large = is_too_large;
    event = runtime_api_request(&face->api, &question, &answer);
    switch (event) {
    case RUNTIME_NEXT:
        park(face, req);
        return;
    case RUNTIME_REPEAT:
        reply_event(face, req);
        return;
    case RUNTIME_ANSWERED:
    case RUNTIME_FAILED:
    case RUNTIME_INIT_FAILED:
    case RUNTIME_ANSWER_TOO_LARGE:
    case RUNTIME_ANSWER_UNKNOWN_MODE:
    case RUNTIME_ANSWER_TRUNCATED: /* not here */
        face->event = NULL;
        face->ops->on_answer(event, is_too_large ? STR("") : http_body(req),
                             http_header(req, "lambda-runtime-function-error-type"), face->arg);
        break;
    case RUNTIME_DENIED:
        break;
    }
    reply_answer(req, &answer);
}

/* ---- streamed responses */

/*
 * AWS's client for Go names no mode, ever: its answers are chunked, and what breaks one on its way is
 * in its trailers. So it is as on Lambda, where such an answer is a stream when the caller takes one.
 */
static bool is_open_ended(const struct runtime_face *face, const struct http_req *req)
{
    return face->event && str_eq_nocase(http_header(req, "transfer-encoding"), STR("chunked")) &&
           (face->event->wants_stream || http_header(req, "trailer").len > 0);
}

static size_t on_head(struct http_req *req, void *arg)
{
    struct runtime_face *face = arg;
    struct runtime_request question = question_of(req);

    question.is_open_ended = is_open_ended(face, req);
    if (!face->closed && runtime_api_begin_stream(&face->api, &question)) {
        http_stream_body(req);
        face->streaming = req;
        face->ops->on_stream(STR(""), face->arg);
    }
    return RUNTIME_BODY_MAX;
}

static void on_body(struct http_req *req, struct str bytes, void *arg)
{
    struct runtime_face *face = arg;

    if (face->closed || req != face->streaming)
        http_drop(req);
    else
        face->ops->on_stream(bytes, face->arg);
}

static void end_stream(struct runtime_face *face, enum runtime_event how,
                       struct runtime_answer *ret)
{
    face->streaming = NULL;
    face->event = NULL;
    runtime_api_end_stream(&face->api, how, ret);
}

void runtime_face_refuse_stream(struct runtime_face *face)
{
    struct http_req *req = face->streaming;
    struct runtime_answer answer;

    end_stream(face, RUNTIME_ANSWER_TOO_LARGE, &answer);
    reply_answer(req, &answer);
}

static void on_truncated(struct http_req *req, void *arg)
{
    struct runtime_face *face = arg;
    struct runtime_request question = question_of(req);
    struct runtime_answer answer; /* which nobody gets */

    if (face->closed)
        return;
    question.is_truncated = true;
    if (req == face->streaming)
        end_stream(face, RUNTIME_ANSWER_TRUNCATED, &answer);
    else if (runtime_api_request(&face->api, &question, &answer) == RUNTIME_ANSWER_TRUNCATED)
        face->event = NULL;
    else
        return;
    face->ops->on_answer(RUNTIME_ANSWER_TRUNCATED, STR(""), STR(""), face->arg);
}

void runtime_face_hold(struct runtime_face *face, bool on)
{
    if (face->streaming)
        http_body_hold(face->streaming, on);
}

/* ---- */

static void on_request(struct http_req *req, void *arg)
{
    struct runtime_face *face = arg;
    struct runtime_answer answer;

    if (face->closed || req != face->streaming) {
        handle(face, req, false);
        return;
    }
    end_stream(face, RUNTIME_ANSWERED, &answer);
    face->ops->on_stream_end(http_trailer(req, "lambda-runtime-function-error-type"),
                             http_trailer(req, "lambda-runtime-function-error-body"), face->arg);
    reply_answer(req, &answer);
}

static void on_too_large(struct http_req *req, void *arg)
{
    handle(arg, req, true);
}

static void on_abort(struct http_req *req, void *arg)
{
    struct runtime_face *face = arg;

    if (face->ops->on_other_left(req, face->arg) || req != face->waiting)
        return;
    face->waiting = NULL;
    runtime_api_next_lost(&face->api);
    if (!face->closed)
        face->ops->on_left(face->arg);
}

static const struct http_handler handler = {.on_head = on_head,
                                            .on_request = on_request,
                                            .on_abort = on_abort,
                                            .on_too_large = on_too_large,
                                            .on_body = on_body,
                                            .on_truncated = on_truncated};

int runtime_face_new(struct loop *loop, int listen_fd, const struct runtime_face_ops *ops,
                     void *arg, struct runtime_face **ret, struct error *err)
{
    struct runtime_face *face = calloc(1, sizeof(*face));
    int r;

    if (!face)
        abort();
    face->ops = ops;
    face->arg = arg;
    runtime_api_init(&face->api);
    r = http_small_new(loop, listen_fd, &handler, face, &face->server, err);
    if (r < 0) {
        free(face);
        return r;
    }
    http_small_limit(face->server, CONNECTIONS_MAX, BYTES_MAX, TURN_MAX);
    *ret = face;
    return 0;
}

void runtime_face_free(struct runtime_face *face)
{
    if (!face)
        return;
    http_server_free(face->server);
    free(face);
}

void runtime_face_close(struct runtime_face *face)
{
    face->closed = true;
    face->event = NULL;
    face->streaming = NULL;
}

void runtime_face_pause(struct runtime_face *face, bool on)
{
    http_server_pause(face->server, on);
}

bool runtime_face_is_waiting(const struct runtime_face *face)
{
    return face->waiting != NULL;
}

void runtime_face_give(struct runtime_face *face, const struct runtime_event_data *event,
                       uint64_t deadline_ms)
{
    struct http_req *req = TAKE(face->waiting);

    assert(req && !face->event);
    runtime_api_give(&face->api, event->request_id);
    face->event = event;
    face->deadline_ms = deadline_ms;
    reply_event(face, req);
}
