/* SPDX-License-Identifier: Apache-2.0 */
/* The `small` engine: libuv streams (TCP or Unix) under http_conn.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <unistd.h>
#include <uv.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/io/http_conn.h"

#define BACKLOG 511
#define HEAD_LIMIT_US SECONDS(30)
#define FINISH_LIMIT_US SECONDS(2)

union stream {
    uv_stream_t any;
    uv_handle_t handle;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
};

struct small_server {
    struct http_server http; /* first: http_server_unref() frees the whole */
    union stream listener;
    bool is_unix;
    unsigned conns; /* not closed yet */
    bool is_full; /* libuv keeps the next connection, and takes no other, until we accept it */
    bool is_deferred; /* that is tried again in the next turn */
};

struct small_conn {
    struct http_conn http;
    union stream stream;
    bool writing; /* @write is under way with @out */
    bool finishing;
    bool finished; /* the half-close was asked for */
    bool ended; /* the peer sends nothing more */
    uv_write_t write;
    uv_shutdown_t shutdown;
    struct buf out; /* what the socket did not take: goes with @write */
    struct buf more; /* what came while @out was under way */
};

static struct small_conn *small_of(struct http_conn *c)
{
    return CONTAINER_OF(c, struct small_conn, http);
}

/* ---- closing ---- */

static void take_next(struct small_server *server);

static void on_conn_closed(uv_handle_t *handle)
{
    struct small_conn *s = handle->data;
    struct small_server *server = CONTAINER_OF(s->http.server, struct small_server, http);

    server->conns--;
    if (server->is_full)
        take_next(server);
    http_conn_done(&s->http);
    buf_done(&s->out);
    buf_done(&s->more);
    free(s);
}

static void small_close(struct http_conn *c)
{
    struct small_conn *s = small_of(c);

    if (!uv_is_closing(&s->stream.handle))
        uv_close(&s->stream.handle, on_conn_closed);
}

static void on_shutdown(uv_shutdown_t *req, int status)
{
    struct small_conn *s = CONTAINER_OF(req, struct small_conn, shutdown);

    if (status != UV_ECANCELED && (status < 0 || s->ended))
        http_conn_lost(&s->http);
}

static void finish_now(struct small_conn *s)
{
    if (s->finished || uv_is_closing(&s->stream.handle))
        return;
    s->finished = true;
    if (uv_shutdown(&s->shutdown, &s->stream.any, on_shutdown) < 0)
        http_conn_failed(&s->http);
}

static void small_finish(struct http_conn *c)
{
    struct small_conn *s = small_of(c);

    s->finishing = true;
    if (!s->writing)
        finish_now(s);
}

/* ---- writing ---- */

static bool write_out(struct small_conn *s);

static void on_written(uv_write_t *req, int status)
{
    struct small_conn *s = CONTAINER_OF(req, struct small_conn, write);
    struct buf sent = s->out;

    s->writing = false;
    if (status < 0) {
        if (status != UV_ECANCELED)
            http_conn_lost(&s->http); /* the next request may be parked by now */
        return;
    }
    buf_clear(&sent);
    s->out = s->more;
    s->more = sent;
    if (s->more.cap > 65536)
        buf_done(&s->more);
    if (s->out.len > 0) {
        if (!write_out(s))
            http_conn_lost(&s->http);
    } else if (s->finishing) {
        finish_now(s);
    } else {
        http_conn_drained(&s->http);
    }
}

static bool write_out(struct small_conn *s)
{
    uv_buf_t b = uv_buf_init(s->out.ptr, (unsigned)s->out.len);

    s->writing = uv_write(&s->write, &s->stream.any, &b, 1, on_written) == 0;
    return s->writing;
}

static void small_send(struct http_conn *c, struct str head, struct str body)
{
    struct small_conn *s = small_of(c);
    uv_buf_t parts[2] = {{(char *)head.ptr, head.len}, {(char *)body.ptr, body.len}};
    struct buf *rest = s->writing ? &s->more : &s->out;
    size_t sent = 0;
    int n;

    if (!s->writing) {
        n = uv_try_write(&s->stream.any, parts, body.len ? 2 : 1);
        if (n < 0 && n != UV_EAGAIN) {
            http_conn_failed(&s->http);
            return;
        }
        sent = n > 0 ? (size_t)n : 0;
        if (sent == head.len + body.len)
            return;
    }
    if (sent < head.len)
        buf_append_str(rest, str_sub(head, sent, head.len));
    buf_append_str(rest, str_sub(body, sent > head.len ? sent - head.len : 0, body.len));
    if (!s->writing && !write_out(s))
        http_conn_failed(&s->http);
}

static size_t small_queued(const struct http_conn *c)
{
    const struct small_conn *s = CONTAINER_OF(c, struct small_conn, http);

    return uv_stream_get_write_queue_size(&s->stream.any) + s->more.len;
}

static size_t small_unacknowledged(const struct http_conn *c)
{
    (void)c; /* readers have no time limit here */
    return 0;
}

/* ---- reading ---- */

static void on_space(uv_handle_t *handle, size_t hint, uv_buf_t *ret)
{
    struct small_conn *s = handle->data;
    char *at = NULL;
    size_t len = http_conn_space(&s->http, &at);

    (void)hint;
    *ret = uv_buf_init(at, (unsigned)len);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *b)
{
    struct small_conn *s = stream->data;

    (void)b;
    if (n > 0) {
        http_conn_received(&s->http, (size_t)n);
    } else if (n == UV_EOF) {
        s->ended = true;
        http_conn_ended(&s->http);
    } else if (n < 0) {
        http_conn_lost(&s->http);
    }
}

static void small_pause(struct http_conn *c, bool on)
{
    struct small_conn *s = small_of(c);

    if (on)
        uv_read_stop(&s->stream.any);
    else
        uv_read_start(&s->stream.any, on_space, on_read);
}

/* ---- the listener ---- */

static int stream_init(struct small_server *server, union stream *stream)
{
    uv_loop_t *uv = loop_uv(server->http.loop);

    return server->is_unix ? uv_pipe_init(uv, &stream->pipe, 0) : uv_tcp_init(uv, &stream->tcp);
}

static void take_connection(struct small_server *server)
{
    struct small_conn *s = calloc(1, sizeof(*s));

    if (!s)
        abort();
    server->conns++;
    server->http.turn_done++;
    buf_init(&s->out, SIZE_MAX / 2);
    buf_init(&s->more, SIZE_MAX / 2);
    http_conn_init(&s->http, &server->http);
    stream_init(server, &s->stream);
    s->stream.handle.data = s;
    if (uv_accept(&server->listener.any, &s->stream.any) < 0) {
        http_conn_failed(&s->http);
        return;
    }
    if (!server->is_unix)
        uv_tcp_nodelay(&s->stream.tcp, 1);
    uv_read_start(&s->stream.any, on_space, on_read);
}

static void on_next_turn(void *arg)
{
    struct small_server *server = arg;

    server->is_deferred = false;
    if (server->is_full)
        take_next(server);
    http_server_unref(&server->http);
}

/* The connection that libuv has, or keeps, when its place and its turn have come. */
static void take_next(struct small_server *server)
{
    server->is_full = true;
    if (uv_is_closing(&server->listener.handle) ||
        (server->http.conns_max && server->conns >= server->http.conns_max))
        return;
    if (http_server_has_turn(&server->http)) {
        server->is_full = false;
        take_connection(server);
    } else if (!server->is_deferred) {
        server->is_deferred = true;
        http_server_ref(&server->http);
        loop_defer(server->http.loop, on_next_turn, server);
    }
}

static void on_connection(uv_stream_t *listener, int status)
{
    if (status < 0)
        log_warn("http", "cannot take a connection", KV_STR("error", uv_strerror(status)));
    else
        take_next(listener->data);
}

static void on_listener_closed(uv_handle_t *handle)
{
    http_server_unref(handle->data);
}

static void small_stop_listening(struct http_server *http)
{
    struct small_server *server = CONTAINER_OF(http, struct small_server, http);

    uv_close(&server->listener.handle, on_listener_closed);
}

static void small_free_server(struct http_server *http)
{
    (void)http; /* the listener's close callback is what the memory waits for */
}

static const struct http_transport small_transport = {
    .send = small_send,
    .queued = small_queued,
    .unacknowledged = small_unacknowledged,
    .pause = small_pause,
    .finish = small_finish,
    .close = small_close,
    .stop_listening = small_stop_listening,
    .free_server = small_free_server,
};

static int local_port(const struct sockaddr_storage *addr)
{
    if (addr->ss_family == AF_INET)
        return ntohs(((const struct sockaddr_in *)(const void *)addr)->sin_port);
    if (addr->ss_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)(const void *)addr)->sin6_port);
    return 0;
}

int http_small_new(struct loop *loop, int listen_fd, const struct http_handler *handler, void *arg,
                   struct http_server **ret, struct error *err)
{
    struct sockaddr_storage addr = {0};
    socklen_t len = sizeof(addr);
    struct small_server *server;
    int r;

    if (getsockname(listen_fd, (struct sockaddr *)&addr, &len) < 0) {
        r = error_set_errno(err, ERR_SYSTEM, errno, "the listening socket");
        close(listen_fd);
        return r;
    }
    server = calloc(1, sizeof(*server));
    if (!server)
        abort();
    http_server_init(&server->http, loop, handler, arg, &small_transport);
    server->http.limits_us[HTTP_WAIT_HEAD] = HEAD_LIMIT_US;
    server->http.limits_us[HTTP_WAIT_FINISH] = FINISH_LIMIT_US;
    server->http.head_max = HTTP1_LARGE_HEAD_MAX; /* runtimes put a whole stack trace into a field */
    server->http.port = local_port(&addr);
    server->is_unix = addr.ss_family == AF_UNIX;
    stream_init(server, &server->listener);
    server->listener.handle.data = server;
    http_server_ref(&server->http); /* the listener's */
    r = server->is_unix ? uv_pipe_open(&server->listener.pipe, listen_fd)
                        : uv_tcp_open(&server->listener.tcp, listen_fd);
    if (r < 0)
        close(listen_fd);
    else
        r = uv_listen(&server->listener.any, BACKLOG, on_connection);
    if (r < 0) {
        http_server_free(&server->http);
        return error_set(err, ERR_SYSTEM, "cannot listen: %s", uv_strerror(r));
    }
    *ret = &server->http;
    return 0;
}

void http_small_limit(struct http_server *server, unsigned conns, size_t bytes, unsigned a_turn)
{
    server->conns_max = conns;
    server->bytes_max = bytes;
    server->turn_max = a_turn;
}
