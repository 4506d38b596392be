/* SPDX-License-Identifier: Apache-2.0 */
/* The body of a request: kept, in place or in a buffer of its own, handed on as it comes, or dropped. */
#include <assert.h>
#include <string.h>

#include "common/io/http_conn.h"

#define DISCARD_MAX (256u * 1024u * 1024u) /* of a body that is too large; then we stop listening */

void http_body_begin(struct http_conn *c)
{
    uint64_t length = c->head.content_length;
    size_t there = c->in.len - c->head_len;

    c->in_place = false;
    if (c->streamed) {
        c->chunked = (struct http1_chunked){0};
    } else if (c->head.chunked) {
        c->chunked = (struct http1_chunked){0};
        c->body.max = c->limit;
    } else if (length > c->limit) {
        c->too_large = true;
    } else if (length <= c->in.cap - c->head_len) {
        c->in_place = true;
    } else if (!http_conn_may_take(c, (size_t)length)) {
        http_conn_refuse(c, 503, HTTP_NO_ROOM);
        return;
    } else {
        c->body.max = c->limit;
        buf_reserve(&c->body, (size_t)length); /* within the limit: cannot fail */
        buf_append(&c->body, c->in.ptr + c->head_len, there);
        c->body_seen = there;
        c->in.len = c->head_len;
    }
    if (c->head.expects_continue && !c->too_large && (c->head.chunked || there < length))
        c->server->transport->send(c, STR("HTTP/1.1 100 Continue\r\n\r\n"), STR_NULL);
}

void http_stream_body(struct http_req *req)
{
    struct http_conn *c = CONTAINER_OF(req, struct http_conn, req);

    assert(c->state == HTTP_BODY && c->server->handler.on_body);
    c->streamed = true;
    buf_reserve(&c->in, HTTP_STREAMED_MAX);
    http_conn_point_at_head(c);
}

void http_body_hold(struct http_req *req, bool on)
{
    struct http_conn *c = CONTAINER_OF(req, struct http_conn, req);

    if (c->state != HTTP_BODY || !c->streamed || c->held == on)
        return;
    c->held = on;
    http_conn_go_on(c);
}

/* Hands the whole request over. */
static void complete(struct http_conn *c, struct str body)
{
    const struct http_handler *handler = &c->server->handler;

    c->req.body = body;
    c->state = HTTP_PARKED;
    if (!c->too_large)
        handler->on_request(&c->req, c->server->arg);
    else if (handler->on_too_large)
        handler->on_too_large(&c->req, c->server->arg);
    else
        http_conn_refuse(c, 413, "the request body is too large");
}

void http_body_truncated(struct http_conn *c)
{
    if (c->server->handler.on_truncated)
        c->server->handler.on_truncated(&c->req, c->server->arg);
}

void http_body_refuse(struct http_conn *c, int status, const char *why)
{
    http_body_truncated(c);
    if (c->state == HTTP_BODY)
        http_conn_refuse(c, status, why);
}

/* Hands on what has come. */
static bool step_streamed(struct http_conn *c)
{
    char *raw = c->in.ptr + c->head_len;
    size_t there = c->in.len - c->head_len, payload = there, used = there;
    uint64_t left = c->head.content_length - c->body_seen;
    int r;

    if (c->head.chunked) {
        r = http1_chunked_read(&c->chunked, raw, &payload, &used, &c->trailers);
    } else {
        if (left < there)
            payload = used = (size_t)left;
        r = used == left;
    }
    c->body_seen += payload;
    if (payload > 0) {
        c->server->handler.on_body(&c->req, str_from(raw, payload), c->server->arg);
        if (c->state != HTTP_BODY)
            return true;
    }
    if (r < 0) {
        http_body_refuse(c, 400, c->chunked.why);
        return true;
    }
    memmove(raw, raw + used, there - used);
    c->in.len = c->head_len + there - used;
    if (r == 0)
        return false;
    complete(c, STR(""));
    return true;
}

static bool step_chunked(struct http_conn *c)
{
    char *raw = c->in.ptr + c->head_len;
    size_t there = c->in.len - c->head_len, payload = there, used;
    int r = http1_chunked_read(&c->chunked, raw, &payload, &used, NULL);

    if (r < 0) {
        http_body_refuse(c, 400, c->chunked.why);
        return true;
    }
    c->body_seen += payload;
    if (!c->too_large && payload > c->body.cap - c->body.len &&
        !http_conn_may_take(c, c->body.cap + payload)) { /* it doubles */
        http_body_refuse(c, 503, HTTP_NO_ROOM);
        return true;
    }
    if (!c->too_large && buf_append(&c->body, raw, payload) < 0) {
        c->too_large = true;
        buf_done(&c->body);
    }
    memmove(raw, raw + used, there - used);
    c->in.len = c->head_len + there - used;
    if (r == 0 && !(c->too_large && c->body_seen > DISCARD_MAX))
        return false;
    complete(c, buf_str(&c->body));
    return true;
}

/* A body that nobody wants, of known length: read on, so that the client comes to read our answer.
 */
static bool step_discard(struct http_conn *c)
{
    size_t there = c->in.len - c->head_len;
    uint64_t left = c->head.content_length - c->body_seen;
    size_t drop = there < left ? there : (size_t)left;

    memmove(c->in.ptr + c->head_len, c->in.ptr + c->head_len + drop, there - drop);
    c->in.len -= drop;
    c->body_seen += drop;
    if (drop < left && !c->head.expects_continue && c->head.content_length <= DISCARD_MAX)
        return false;
    complete(c, STR_NULL);
    return true;
}

bool http_body_step(struct http_conn *c)
{
    size_t length = (size_t)c->head.content_length;

    if (c->streamed)
        return step_streamed(c);
    if (c->head.chunked)
        return step_chunked(c);
    if (c->too_large)
        return step_discard(c);
    if (c->in_place) {
        c->body_seen = c->in.len - c->head_len;
        if (c->body_seen < length)
            return false;
        complete(c, str_from(c->in.ptr + c->head_len, length));
        return true;
    }
    if (c->body.len < length)
        return false;
    complete(c, buf_str(&c->body));
    return true;
}

bool http_body_fills(const struct http_conn *c)
{
    return !c->head.chunked && !c->in_place && !c->too_large && !c->streamed;
}
