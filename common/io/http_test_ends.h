/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_test_ends.h - for the tests of serving HTTP: one engine with a handler that answers by path,
 * and one raw client, in one loop.
 *
 * Owns: everything in struct fixture; begin() and end() make and free it, FOR_EACH_ENGINE() does so
 * around its body.
 */
#ifndef HEARTH_IO_HTTP_TEST_ENDS_H
#define HEARTH_IO_HTTP_TEST_ENDS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/io/http_server.h"

#pragma GCC diagnostic ignored "-Wunused-function" /* each test uses some of it */

#define PATIENCE_US SECONDS(20)
#define BODY_LIMIT 1000000u

enum engine { SMALL_TCP, SMALL_UNIX, EDGE };

struct fixture {
    enum engine engine;
    struct loop *loop;
    struct http_server *server;
    struct timer patience;
    /* the client */
    int fd;
    struct watch *watch;
    struct buf in, out;
    bool closed;
    const char *wait_for; /* the loop ends when this has come, or at the close */
    /* the handler */
    struct http_req *parked;
    int requests, aborts, too_large, drained, truncated, writable;
    struct http_req *taking; /* its body is streamed */
    struct buf body; /* what came of it */
    size_t body_bytes, piece_max;
    bool hold; /* each piece holds the body */
    int stop_at_requests, stop_at_aborts, stop_at_truncated;
    char sock_path[64];
};

static void send_text(struct http_req *req, int status, struct str body)
{
    struct http_header headers[] = {{STR("Content-Type"), STR("text/plain")},
                                    {STR("X-Bad"), STR("a\r\nX-Split: b")}};

    http_reply(req, status, headers, ARRAY_LEN(headers), body);
}

static size_t on_head(struct http_req *req, void *arg)
{
    struct fixture *f = arg;

    if (str_starts(http_path(req), STR("/streamed"))) {
        http_stream_body(req);
        f->taking = req;
        buf_clear(&f->body);
        f->body_bytes = 0;
    }
    return str_is(http_path(req), "/big") ? 64u << 20 : BODY_LIMIT;
}

static void on_body(struct http_req *req, struct str bytes, void *arg)
{
    struct fixture *f = arg;

    assert_ptr_equal(req, f->taking);
    f->body_bytes += bytes.len;
    f->piece_max = bytes.len > f->piece_max ? bytes.len : f->piece_max;
    if (f->body.len < 1000)
        buf_append_str(&f->body, bytes);
    if (f->hold)
        http_body_hold(req, true);
    if (str_is(http_path(req), "/streamed/refused"))
        send_text(req, 413, STR("no more of this"));
    else if (str_is(http_path(req), "/streamed/dropped"))
        http_drop(req);
    if (f->hold)
        loop_stop(f->loop);
}

static void on_truncated(struct http_req *req, void *arg)
{
    struct fixture *f = arg;

    assert_ptr_equal(http_user(req), NULL);
    f->taking = NULL;
    if (++f->truncated == f->stop_at_truncated)
        loop_stop(f->loop);
}

static void on_writable(struct http_req *req, void *arg)
{
    struct fixture *f = arg;

    assert_ptr_equal(req, f->parked);
    f->writable++;
    loop_stop(f->loop);
}

static void on_request(struct http_req *req, void *arg)
{
    struct fixture *f = arg;
    static char big[12 << 20];
    struct str path = http_path(req);

    f->requests++;
    if (f->requests == f->stop_at_requests)
        loop_stop(f->loop);
    if (str_is(path, "/park"))
        f->parked = req;
    else if (str_is(path, "/begin")) {
        const struct http_header type = {STR("Content-Type"), STR("text/plain")};

        f->parked = req;
        http_reply_begin(req, 200, &type, 1);
    } else if (str_starts(path, STR("/streamed"))) {
        struct str trailer = http_trailer(req, "x-end");

        f->taking = NULL;
        assert_int_equal(http_body(req).len, 0);
        send_text(req, 200, trailer.ptr ? trailer : buf_str(&f->body));
    }
    else if (str_is(path, "/drop"))
        http_drop(req);
    else if (str_is(path, "/free")) {
        http_server_free(TAKE(f->server));
        send_text(req, 200, STR("to nobody"));
    } else if (str_is(path, "/none"))
        send_text(req, 204, STR_NULL);
    else if (str_is(path, "/header"))
        send_text(req, 200, http_header(req, "x-amz-thing"));
    else if (str_is(path, "/query"))
        send_text(req, 200, http_query(req));
    else if (str_is(path, "/large") || str_is(path, "/huge")) {
        memset(big, 'L', sizeof(big));
        send_text(req, 200, str_from(big, str_is(path, "/huge") ? sizeof(big) : 3u << 20));
    } else if (str_is(path, "/big"))
        send_text(req, http_body(req).len == (5u << 20) ? 200 : 500, STR("got it"));
    else
        send_text(req, 200, http_body(req).len ? http_body(req) : STR("hello"));
}

static void on_abort(struct http_req *req, void *arg)
{
    struct fixture *f = arg;

    assert_ptr_equal(req, f->parked);
    f->parked = NULL;
    if (++f->aborts == f->stop_at_aborts)
        loop_stop(f->loop);
}

static void on_too_large(struct http_req *req, void *arg)
{
    struct fixture *f = arg;

    f->too_large++;
    send_text(req, 413, STR("too large for us"));
}

static struct http_header on_refusal(void *arg)
{
    (void)arg;
    return (struct http_header){STR("x-refusal"), STR("7")};
}

static void on_patience(void *arg)
{
    (void)arg;
    fail_msg("nothing happened for too long");
}

static bool has_come(const struct fixture *f)
{
    return f->wait_for && f->in.len >= strlen(f->wait_for) &&
           memmem(f->in.ptr, f->in.len, f->wait_for, strlen(f->wait_for));
}

static void on_client(int fd, int events, void *arg)
{
    struct fixture *f = arg;
    char part[65536];
    ssize_t n;

    if ((events & WATCH_WRITE) && f->out.len > 0) {
        n = send(fd, f->out.ptr, f->out.len, MSG_NOSIGNAL);
        buf_consume(&f->out, n > 0 ? (size_t)n : n < 0 && errno == EAGAIN ? 0 : f->out.len);
    }
    if (events & WATCH_READ) {
        n = recv(fd, part, sizeof(part), 0);
        if (n > 0)
            buf_append(&f->in, part, (size_t)n);
        else if (n == 0 || errno != EAGAIN)
            f->closed = true;
    }
    watch_set(f->watch, (f->closed ? 0 : WATCH_READ) | (f->out.len ? WATCH_WRITE : 0));
    if (f->closed || has_come(f))
        loop_stop(f->loop);
}

static int listen_unix(struct fixture *f)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(f->sock_path, sizeof(f->sock_path), "/tmp/hearth-http-%d.sock", getpid());
    unlink(f->sock_path);
    snprintf(un.sun_path, sizeof(un.sun_path), "%s", f->sock_path);
    assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
    assert_int_equal(listen(fd, 8), 0);
    return fd;
}

static int listen_tcp(void)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
    return fd; /* the engine listens */
}

static void client_connect(struct fixture *f)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    f->closed = false;
    buf_clear(&f->in);
    buf_clear(&f->out);
    if (f->engine == SMALL_UNIX) {
        f->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        snprintf(un.sun_path, sizeof(un.sun_path), "%s", f->sock_path);
        assert_int_equal(connect(f->fd, (struct sockaddr *)&un, sizeof(un)), 0);
    } else {
        f->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        in.sin_port = htons((uint16_t)http_server_port(f->server));
        if (connect(f->fd, (struct sockaddr *)&in, sizeof(in)) < 0)
            assert_int_equal(errno, EINPROGRESS);
    }
    f->watch = watch_new(f->loop, f->fd, on_client, f);
    watch_set(f->watch, WATCH_READ);
}

/* Leaves by a reset: nothing is said about bytes that are still under way. */
static void client_reset(struct fixture *f)
{
    const struct linger now = {.l_onoff = 1};

    setsockopt(f->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    watch_free(f->watch);
    close(f->fd);
    f->watch = NULL;
}

static void client_leave(struct fixture *f)
{
    watch_free(f->watch);
    close(f->fd);
    f->watch = NULL;
}

static void say(struct fixture *f, struct str text)
{
    buf_append_str(&f->out, text);
    watch_set(f->watch, (f->closed ? 0 : WATCH_READ) | WATCH_WRITE);
}

/* Looks at the loop often enough for all to happen that needs no more than its turns. */
static void turn_loop(struct fixture *f)
{
    int i;

    for (i = 0; i < 300; i++) {
        loop_defer(f->loop, (loop_fn *)loop_stop, f->loop);
        loop_run(f->loop);
    }
}

static void run_loop(struct fixture *f)
{
    timer_start(&f->patience, PATIENCE_US);
    loop_run(f->loop);
    timer_stop(&f->patience);
}

/* Waits until @needle has come, and forgets all up to its end. */
static void hear(struct fixture *f, const char *needle)
{
    char *at;

    f->wait_for = needle;
    if (!has_come(f) && !f->closed)
        run_loop(f);
    f->wait_for = NULL;
    at = memmem(f->in.ptr ? f->in.ptr : "", f->in.len, needle, strlen(needle));
    if (!at)
        fail_msg("\"%s\" did not come, but \"%.*s\"", needle, (int)f->in.len, f->in.ptr);
    buf_consume(&f->in, (size_t)(at - f->in.ptr) + strlen(needle));
}

static void hear_close(struct fixture *f)
{
    if (!f->closed)
        run_loop(f);
    assert_true(f->closed);
}

static void begin(struct fixture *f, enum engine engine)
{
    const struct http_handler handler = {.on_head = on_head,
                                         .on_request = on_request,
                                         .on_abort = on_abort,
                                         .on_too_large = on_too_large,
                                         .on_refusal = on_refusal,
                                         .on_body = on_body,
                                         .on_truncated = on_truncated,
                                         .on_writable = on_writable};
    struct error err;
    int r;

    *f = (struct fixture){.engine = engine, .loop = loop_new()};
    buf_init(&f->in, 64u << 20);
    buf_init(&f->out, 64u << 20);
    buf_init(&f->body, 64u << 10);
    timer_init(&f->patience, f->loop, on_patience, f);
    if (engine == EDGE)
        r = http_edge_new(f->loop, "127.0.0.1:0", &handler, f, &f->server, &err);
    else
        r = http_small_new(f->loop, engine == SMALL_UNIX ? listen_unix(f) : listen_tcp(), &handler,
                           f, &f->server, &err);
    if (r < 0)
        fail_msg("%s", err.msg);
    client_connect(f);
}

static void end(struct fixture *f)
{
    client_leave(f);
    http_server_free(f->server);
    loop_free(f->loop);
    buf_done(&f->in);
    buf_done(&f->out);
    buf_done(&f->body);
    if (f->engine == SMALL_UNIX)
        unlink(f->sock_path);
}

#define FOR_EACH_ENGINE(f) for (int engine_ = SMALL_TCP; begin_if((f), engine_); engine_++, end(f))

static bool begin_if(struct fixture *f, int engine)
{
    if (engine > EDGE)
        return false;
    begin(f, (enum engine)engine);
    return true;
}

#endif
