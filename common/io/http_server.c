/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "common/io/http_conn.h"

static struct http_conn *conn_of(const struct http_req *req)
{
    return CONTAINER_OF(req, struct http_conn, req);
}

struct str http_method(const struct http_req *req)
{
    return req->method;
}

struct str http_path(const struct http_req *req)
{
    return req->path;
}

struct str http_query(const struct http_req *req)
{
    return req->query;
}

struct str http_header(const struct http_req *req, const char *name)
{
    const struct http_conn *c = conn_of(req);

    return http1_head_get(&c->head, c->in.ptr, str_of(name));
}

bool http_header_at(const struct http_req *req, size_t at, struct http_header *ret)
{
    const struct http_conn *c = conn_of(req);

    if (at >= c->head.field_count)
        return false;
    ret->name = http1_str(c->in.ptr, c->head.fields[at].name);
    ret->value = http1_str(c->in.ptr, c->head.fields[at].value);
    return true;
}

struct str http_body(const struct http_req *req)
{
    return req->body;
}

char *http_body_edit(struct http_req *req)
{
    return (char *)(uintptr_t)req->body.ptr; /* it stands in one of the connection's bufs */
}

void http_body_cut(struct http_req *req, size_t len)
{
    req->body = str_sub(req->body, 0, len);
}

struct str http_trailer(const struct http_req *req, const char *name)
{
    struct str rest = buf_str(&conn_of(req)->trailers), line;
    size_t colon;

    while (str_split(&rest, '\n', &line)) {
        colon = str_find(line, ':', 0);
        if (str_is(str_sub(line, 0, colon), name))
            return str_trim(str_sub(line, colon + 1, line.len));
    }
    return STR_NULL;
}

void http_set_user(struct http_req *req, void *user)
{
    req->user = user;
}

void *http_user(const struct http_req *req)
{
    return req->user;
}

void *http_conn_user(const struct http_req *req)
{
    return conn_of(req)->user;
}

void http_conn_set_user(struct http_req *req, void *user)
{
    conn_of(req)->user = user;
}

int http_server_port(const struct http_server *server)
{
    return server->port;
}

void http_server_ref(struct http_server *server)
{
    server->users++;
}

void http_server_unref(struct http_server *server)
{
    if (--server->users)
        return;
    buf_done(&server->head);
    free(server);
}

static void on_drained(void *arg)
{
    struct http_server *server = arg;
    loop_fn *fn = server->on_drained;

    server->on_drained = NULL;
    if (fn && !server->gone)
        fn(server->drained_arg);
    http_server_unref(server);
}

void http_server_conn_gone(struct http_server *server)
{
    if (!server->on_drained || server->gone || !list_is_empty(&server->conns))
        return;
    http_server_ref(server);
    loop_defer(server->loop, on_drained, server);
}

static void stop_listening(struct http_server *server)
{
    if (!server->draining)
        server->transport->stop_listening(server);
    server->draining = true;
}

void http_server_drain(struct http_server *server, loop_fn *fn, void *arg)
{
    struct list_node *n, *after;
    struct http_conn *c;

    stop_listening(server);
    server->on_drained = fn;
    server->drained_arg = arg;
    LIST_FOREACH_SAFE (&server->conns, n, after) {
        c = CONTAINER_OF(n, struct http_conn, node);
        if (c->state != HTTP_HEAD || c->in.len > 0)
            continue;
        if (server->transport->queued(c) > 0) {
            http_conn_finish(c);
            continue;
        }
        c->state = HTTP_CLOSED;
        server->transport->close(c);
    }
    http_server_conn_gone(server);
}

void http_server_free(struct http_server *server)
{
    struct list_node *n, *after;
    struct http_conn *c;

    if (!server)
        return;
    server->gone = true;
    timer_stop(&server->sweep);
    LIST_FOREACH_SAFE (&server->conns, n, after) {
        c = CONTAINER_OF(n, struct http_conn, node);
        if (c->state == HTTP_CLOSED)
            continue;
        c->state = HTTP_CLOSED;
        server->transport->close(c);
    }
    stop_listening(server);
    server->transport->free_server(server);
    http_server_unref(server);
}
