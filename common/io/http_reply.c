/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of an HTTP connection: whole ones and streamed ones. */
#include <time.h>

#include "common/base/log.h"
#include "common/io/http_conn.h"

#define PIECE_MAX (64u * 1024u) /* of a streamed answer: copied, to go out as one chunk */

static struct http_conn *conn_of(const struct http_req *req)
{
    return CONTAINER_OF(req, struct http_conn, req);
}

/* ---- heads ---- */

static struct str date_line(struct http_server *server)
{
    struct timespec now;
    struct tm tm;

    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (now.tv_sec != server->date_s) {
        server->date_s = now.tv_sec;
        gmtime_r(&now.tv_sec, &tm);
        strftime(server->date, sizeof(server->date), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &tm);
    }
    return str_of(server->date);
}

/* Whether a response with @status has a body, hence a Content-Length (RFC 9110 6.4.1, 8.6). */
static bool has_body(int status)
{
    return status >= 200 && status != 204 && status != 304;
}

/* The head in server->head, but for how the body is framed and the empty line. */
static void begin_head(struct http_conn *c, int status, const struct http_header *headers,
                       size_t header_count)
{
    struct buf *b = &c->server->head;
    size_t i;

    buf_clear(b);
    if (http1_write_status(b, status) < 0)
        http1_write_status(b, 500);
    buf_append_str(b, date_line(c->server));
    for (i = 0; i < header_count; i++)
        if (http1_write_field(b, headers[i].name, headers[i].value) < 0)
            log_debug("http", "header not sent", KV_S("name", headers[i].name));
}

static void end_head(struct http_conn *c)
{
    struct buf *b = &c->server->head;

    if (c->last)
        http1_write_field(b, STR("Connection"), STR("close"));
    else if (c->head.minor == 0)
        http1_write_field(b, STR("Connection"), STR("keep-alive"));
    buf_append(b, "\r\n", 2);
}

void http_conn_answer(struct http_conn *c, int status, const struct http_header *headers,
                      size_t header_count, struct str body)
{
    struct buf *b = &c->server->head;

    begin_head(c, status, headers, header_count);
    if (has_body(status))
        http1_write_length(b, body.len);
    end_head(c);
    if (!has_body(status) || str_is(c->req.method, "HEAD"))
        body.len = 0;
    c->server->transport->send(c, buf_str(b), body);
}

/* ---- whole ones ---- */

/* Whether @c has a request that may be answered; else the client left in this very moment. */
static bool may_answer(struct http_conn *c)
{
    if (c->state == HTTP_BODY && c->streamed) {
        c->last = true; /* the rest of the body is not waited for */
        return true;
    }
    return c->state == HTTP_PARKED;
}

void http_reply(struct http_req *req, int status, const struct http_header *headers,
                size_t header_count, struct str body)
{
    struct http_conn *c = conn_of(req);

    if (!may_answer(c))
        return;
    if (!http_conn_may_take(c, body.len)) {
        log_debug("http", "no room for an answer, its connection is closed", KV_U64("bytes", body.len));
        http_drop(req);
        return;
    }
    if (!c->head.keep_alive || c->too_large || c->server->draining)
        c->last = true;
    http_conn_answer(c, status, headers, header_count, body);
    if (c->state == HTTP_CLOSED)
        return;
    http_conn_end_request(c);
    http_conn_go_on(c);
}

void http_drop(struct http_req *req)
{
    struct http_conn *c = conn_of(req);

    c->owes_abort = false;
    if (!may_answer(c) && c->state != HTTP_REPLYING)
        return;
    c->state = HTTP_CLOSED;
    c->server->transport->close(c);
}

/* ---- streamed ones ---- */

void http_reply_begin(struct http_req *req, int status, const struct http_header *headers,
                      size_t header_count)
{
    struct http_conn *c = conn_of(req);

    if (!may_answer(c))
        return;
    c->reply_chunked = c->head.minor == 1;
    c->reply_silent = !has_body(status) || str_is(c->req.method, "HEAD");
    if (!c->reply_chunked || !c->head.keep_alive || c->server->draining)
        c->last = true;
    begin_head(c, status, headers, header_count);
    if (c->reply_chunked && has_body(status))
        http1_write_field(&c->server->head, STR("Transfer-Encoding"), STR("chunked"));
    end_head(c);
    c->state = HTTP_REPLYING;
    c->server->transport->send(c, buf_str(&c->server->head), STR_NULL);
    http_conn_go_on(c);
}

/* At most PIECE_MAX bytes. */
static void write_piece(struct http_conn *c, struct str piece)
{
    struct buf *b = &c->server->head;

    buf_clear(b);
    if (c->reply_chunked)
        (void)buf_printf(b, "%zx\r\n", piece.len); /* it has room for a piece and more */
    (void)buf_append_str(b, piece);
    if (c->reply_chunked)
        (void)buf_append(b, "\r\n", 2);
    c->server->transport->send(c, buf_str(b), STR_NULL);
}

void http_reply_write(struct http_req *req, struct str bytes)
{
    struct http_conn *c = conn_of(req);
    size_t at, end;

    if (c->reply_silent)
        return;
    for (at = 0; at < bytes.len && c->state == HTTP_REPLYING; at = end) {
        end = bytes.len - at < PIECE_MAX ? bytes.len : at + PIECE_MAX;
        write_piece(c, str_sub(bytes, at, end));
    }
    http_conn_go_on(c);
}

size_t http_reply_queued(const struct http_req *req)
{
    const struct http_conn *c = conn_of(req);

    return c->state == HTTP_REPLYING ? c->server->transport->queued(c) : 0;
}

void http_reply_end(struct http_req *req)
{
    struct http_conn *c = conn_of(req);

    c->owes_abort = false;
    if (c->state != HTTP_REPLYING)
        return;
    c->state = HTTP_PARKED; /* nobody is to be told of what happens from here on */
    if (c->reply_chunked && !c->reply_silent)
        c->server->transport->send(c, STR("0\r\n\r\n"), STR_NULL);
    if (c->state == HTTP_CLOSED)
        return;
    if (c->server->draining)
        c->last = true;
    http_conn_end_request(c);
    http_conn_go_on(c);
}
