/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/extension_face.h"

#include <inttypes.h>

#define EVENT_MAX (64u * 1024u)
#define HEADERS_MAX 3

struct extension_face {
    struct extension_api api;
    const struct extension_face_ops *ops;
    void *arg;
    struct http_req *waiting[EXTENSIONS_MAX]; /* in event/next, by place in the table */
    const char *shutdown_reason; /* NULL: not shutting down */
    uint64_t shutdown_deadline_ms;
};

struct extension_face *extension_face_new(const struct sandbox_spec *spec,
                                          const struct extension_face_ops *ops, void *arg)
{
    struct extension_face *face = calloc(1, sizeof(*face));

    if (!face)
        abort();
    extension_api_init(&face->api, spec);
    face->ops = ops;
    face->arg = arg;
    return face;
}

void extension_face_free(struct extension_face *face)
{
    free(face);
}

struct extension_api *extension_face_api(struct extension_face *face)
{
    return &face->api;
}

/* ---- events */

/* Answers the waiting request of extension @at. */
static void give(struct extension_face *face, size_t at, struct str event)
{
    char id[UUID_MAX];
    const struct http_header headers[] = {
        {STR("Content-Type"), STR("application/json")},
        {STR("Lambda-Extension-Event-Identifier"), {id, UUID_LEN}},
    };
    struct http_req *req = TAKE(face->waiting[at]);

    uuid_make(id);
    extension_api_given(&face->api.list[at]);
    http_reply(req, 200, headers, ARRAY_LEN(headers), event);
}

static void append_string(struct buf *b, const char *before, struct str value)
{
    (void)buf_append_str(b, str_of(before));
    (void)buf_append_json(b, value);
    (void)buf_append_char(b, '"');
}

void extension_face_invoke(struct extension_face *face, const struct extension_invoke *ev)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(EVENT_MAX);
    size_t i;

    if (face->api.len == 0)
        return;
    (void)buf_printf(&b, "{\"eventType\":\"INVOKE\",\"deadlineMs\":%" PRIu64, ev->deadline_ms);
    append_string(&b, ",\"requestId\":\"", ev->request_id);
    append_string(&b, ",\"invokedFunctionArn\":\"", ev->invoked_arn);
    append_string(&b, ",\"tracing\":{\"type\":\"X-Amzn-Trace-Id\",\"value\":\"", ev->trace_id);
    (void)buf_append_str(&b, STR("}}"));
    for (i = 0; i < face->api.len; i++)
        if (face->waiting[i] && (face->api.list[i].events & EXTENSION_INVOKE))
            give(face, i, buf_str(&b));
}

static void give_shutdown(struct extension_face *face, size_t at)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(EVENT_MAX);

    if (!face->waiting[at] || !(face->api.list[at].events & EXTENSION_SHUTDOWN) ||
        face->api.list[at].was_shut_down)
        return;
    face->api.list[at].was_shut_down = true;
    (void)buf_printf(
        &b, "{\"eventType\":\"SHUTDOWN\",\"shutdownReason\":\"%s\",\"deadlineMs\":%" PRIu64 "}",
        face->shutdown_reason, face->shutdown_deadline_ms);
    give(face, at, buf_str(&b));
}

void extension_face_shut_down(struct extension_face *face, const char *reason, uint64_t deadline_ms)
{
    size_t i;

    face->shutdown_reason = reason;
    face->shutdown_deadline_ms = deadline_ms;
    for (i = 0; i < face->api.len; i++)
        give_shutdown(face, i);
}

/* ---- requests */

static void reply(struct http_req *req, const struct extension_answer *answer)
{
    struct http_header headers[HEADERS_MAX];
    size_t len = 0;

    if (answer->content_type)
        headers[len++] = (struct http_header){STR("Content-Type"), str_of(answer->content_type)};
    if (answer->allow)
        headers[len++] = (struct http_header){STR("Allow"), str_of(answer->allow)};
    if (answer->identifier)
        headers[len++] =
            (struct http_header){STR("Lambda-Extension-Identifier"), str_of(answer->identifier)};
    http_reply(req, answer->status, headers, len, buf_str(&answer->body));
}

/* An extension that asks twice at once has given its first request up. */
static void park(struct extension_face *face, size_t at, struct http_req *req)
{
    struct http_req *before = face->waiting[at];

    face->waiting[at] = req;
    if (before)
        http_drop(before);
    if (face->shutdown_reason)
        give_shutdown(face, at);
    else if (!before)
        face->ops->on_waiting(&face->api.list[at], face->arg);
}

bool extension_face_request(struct extension_face *face, struct http_req *req)
{
    const struct extension_request question = {
        .method = http_method(req),
        .path = http_path(req),
        .body = http_body(req),
        .name = http_header(req, "lambda-extension-name"),
        .identifier = http_header(req, "lambda-extension-identifier"),
        .accept_feature = http_header(req, "lambda-extension-accept-feature"),
        .error_type = http_header(req, "lambda-extension-function-error-type"),
    };
    struct extension_answer answer = {.body = BUF_INIT(EXTENSION_ANSWER_MAX)};
    const struct extension *ext;
    enum extension_event event;

    if (!extension_api_has_path(question.path))
        return false;
    event = extension_api_request(&face->api, &question, &answer);
    ext = &face->api.list[answer.at];
    if (event == EXTENSION_EVENT_NEXT)
        park(face, answer.at, req);
    else
        reply(req, &answer);
    buf_done(&answer.body);
    switch (event) {
    case EXTENSION_EVENT_REGISTERED:
        face->ops->on_registered(ext, face->arg);
        break;
    case EXTENSION_EVENT_INIT_FAILED:
    case EXTENSION_EVENT_EXIT_FAILED:
        face->ops->on_failed(ext, face->arg);
        break;
    case EXTENSION_EVENT_SUBSCRIBED:
        face->ops->on_subscribed(ext, &answer.subscription, face->arg);
        break;
    case EXTENSION_EVENT_NEXT:
    case EXTENSION_EVENT_NONE:
        break;
    }
    return true;
}

bool extension_face_abort(struct extension_face *face, struct http_req *req)
{
    size_t i;

    for (i = 0; i < face->api.len; i++) {
        if (face->waiting[i] != req)
            continue;
        face->waiting[i] = NULL;
        extension_api_given(&face->api.list[i]); /* it has to ask again */
        if (!face->shutdown_reason)
            face->ops->on_left(&face->api.list[i], face->arg);
        return true;
    }
    return false;
}
