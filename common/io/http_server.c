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

struct str http_body(const struct http_req *req)
{
    return req->body;
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

void http_server_free(struct http_server *server)
{
    struct list_node *n, *after;
    struct http_conn *c;

    if (!server)
        return;
    server->gone = true;
    timer_stop(&server->sweep);
    LIST_FOREACH_SAFE(&server->conns, n, after)
    {
        c = CONTAINER_OF(n, struct http_conn, node);
        if (c->state == HTTP_CLOSED)
            continue;
        c->state = HTTP_CLOSED;
        server->transport->close(c);
    }
    server->transport->free_server(server);
    http_server_unref(server);
}
