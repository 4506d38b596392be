/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `edge` engine: libwebsockets moves the bytes (plain now; TLS is its part later), http_conn.h
 * gives them meaning.
 *
 * Why lws' own HTTP role is not used: in 4.1 it hands chunked request bodies on undecoded, reads a
 * POST without length as 100 MiB, does not notice that a client with a parked GET has left (and
 * spins), and each answer costs it two more turns of the loop. docs/internals/gateway.md has the
 * figures.
 *
 * We accept ourselves and have lws adopt the socket: so a port in use is our error in our words.
 */
#include <errno.h>
#include <libwebsockets.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/io/http_conn.h"

#define BACKLOG 1024
#define ACCEPTS_A_TURN 64
#define ACCEPT_PAUSE_US MSEC(100) /* when there are no descriptors left */
#define READ_SIZE (128u * 1024u)
#define WRITE_SIZE (64u * 1024u) /* at most this much is copied to go out in one piece */
/* lws makes and clears tables of RLIMIT_NOFILE entries, which may be a billion */
#define FDS_MAX 65536u
#define IDLE_LIMIT_US SECONDS(65) /* longer than the 60 s of common load balancers */
#define HEAD_LIMIT_US SECONDS(30)
#define BODY_LIMIT_US SECONDS(30)
#define READER_LIMIT_US SECONDS(65) /* without a byte taken of a streamed answer */
#define FINISH_LIMIT_US SECONDS(5)

struct edge_server {
    struct http_server http; /* first: http_server_unref() frees the whole */
    struct lws_context *lws; /* set to NULL by lws when it has let go */
    struct lws_vhost *vhost;
    struct watch *listen_watch;
    struct timer accept_again;
    int listen_fd;
};

struct edge_conn {
    struct http_conn http;
    struct lws *wsi; /* NULL: gone */
    bool reading; /* lws reads */
    bool finishing;
    struct buf out; /* waits for the socket; lws holds at most one piece of its own */
    size_t out_at;
    /* read by lws in one go, but the connection had no room; on_writable() comes back to it */
    struct buf spill;
};

static struct edge_conn *edge_of(struct http_conn *c)
{
    return CONTAINER_OF(c, struct edge_conn, http);
}

/* ---- writing ---- */

static bool is_sending(const struct edge_conn *e)
{
    return e->out_at < e->out.len || lws_partial_buffered(e->wsi);
}

/* Reading stops when nobody wants bytes, and while we send: lws does not read then, yet would be
 * woken. */
static void update_reading(struct edge_conn *e)
{
    bool want = !e->http.paused && !is_sending(e);

    if (want == e->reading)
        return;
    e->reading = want;
    lws_rx_flow_control(e->wsi, want);
}

/* Wakes lws up to close: it sees the end of the stream. Closing it ourselves is not allowed from
 * outside. */
static void edge_close(struct http_conn *c)
{
    struct edge_conn *e = edge_of(c);

    if (!e->wsi)
        return;
    shutdown(lws_get_socket_fd(e->wsi), SHUT_RDWR);
    if (!e->reading) {
        e->reading = true;
        lws_rx_flow_control(e->wsi, 1);
    }
}

static bool write_piece(struct edge_conn *e, const char *ptr, size_t len)
{
    return lws_write(e->wsi, (unsigned char *)(uintptr_t)ptr, len, LWS_WRITE_RAW) >= 0;
}

static void edge_send(struct http_conn *c, struct str head, struct str body)
{
    struct edge_conn *e = edge_of(c);
    struct buf *b = &c->server->head;
    size_t first = 0;

    if (!e->wsi)
        return;
    if (!is_sending(e)) {
        if (head.ptr == b->ptr && head.len < WRITE_SIZE) { /* one piece, as far as that is cheap */
            first = WRITE_SIZE - head.len < body.len ? WRITE_SIZE - head.len : body.len;
            buf_append(b, body.ptr, first);
            head = buf_str(b);
        }
        if (!write_piece(e, head.ptr, head.len)) {
            http_conn_failed(c);
            return;
        }
        head.len = 0;
    }
    if (head.len + body.len - first > 0) {
        buf_append_str(&e->out, head);
        buf_append(&e->out, body.ptr + first, body.len - first);
    }
    if (is_sending(e)) {
        lws_callback_on_writable(e->wsi);
        update_reading(e);
    }
}

static void half_close(struct edge_conn *e)
{
    e->finishing = false;
    shutdown(lws_get_socket_fd(e->wsi), SHUT_WR);
}

static void edge_finish(struct http_conn *c)
{
    struct edge_conn *e = edge_of(c);

    if (!e->wsi)
        return;
    if (is_sending(e))
        e->finishing = true;
    else
        half_close(e);
}

static size_t edge_queued(const struct http_conn *c)
{
    const struct edge_conn *e = CONTAINER_OF(c, struct edge_conn, http);

    if (!e->wsi)
        return 0;
    return e->out.len - e->out_at + (lws_partial_buffered(e->wsi) ? 1 : 0);
}

static size_t edge_unacknowledged(const struct http_conn *c)
{
    const struct edge_conn *e = CONTAINER_OF(c, struct edge_conn, http);
    int bytes = 0;

    if (!e->wsi || ioctl(lws_get_socket_fd(e->wsi), SIOCOUTQ, &bytes) < 0)
        return 0;
    return (size_t)bytes;
}

static void edge_pause(struct http_conn *c, bool on)
{
    struct edge_conn *e = edge_of(c);

    (void)on; /* http_conn has noted it */
    if (!e->wsi)
        return;
    update_reading(e);
    if (e->reading && e->spill.len > 0)
        lws_callback_on_writable(e->wsi); /* comes back to feed() outside of this call */
}

/* ---- what lws calls ---- */

static void feed(struct edge_conn *e, struct str bytes)
{
    size_t n;
    char *at;

    while (bytes.len > 0 && e->http.state != HTTP_CLOSED) {
        n = http_conn_space(&e->http, &at);
        if (n == 0) {
            buf_append_str(&e->spill, bytes);
            return;
        }
        if (n > bytes.len)
            n = bytes.len;
        memcpy(at, bytes.ptr, n);
        bytes = str_sub(bytes, n, bytes.len);
        http_conn_received(&e->http, n);
    }
}

static void on_writable(struct edge_conn *e)
{
    size_t n = e->out.len - e->out_at;
    struct buf spill;

    if (n > 0) {
        if (n > WRITE_SIZE)
            n = WRITE_SIZE;
        e->out_at += n;
        if (!write_piece(e, e->out.ptr + e->out_at - n, n)) {
            http_conn_lost(&e->http); /* the next request may be parked by now */
            return;
        }
        if (e->out_at == e->out.len) {
            buf_done(&e->out);
            e->out_at = 0;
        }
        lws_callback_on_writable(e->wsi);
        return;
    }
    if (lws_partial_buffered(e->wsi)) /* called early: it will be again */
        return;
    if (e->finishing)
        half_close(e);
    update_reading(e);
    http_conn_drained(&e->http);
    if (e->spill.len > 0 && !e->http.paused) {
        spill = e->spill;
        buf_init(&e->spill, SIZE_MAX / 2);
        feed(e, buf_str(&spill));
        buf_done(&spill);
    }
}

static int on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                  size_t len)
{
    struct edge_conn *e = lws_get_opaque_user_data(wsi);

    (void)user;
    if (!e)
        return 0;
    if (reason == LWS_CALLBACK_RAW_RX) {
        if (e->spill.len > 0) /* what came before goes first */
            buf_append(&e->spill, in, len);
        else
            feed(e, str_from(in, len));
    } else if (reason == LWS_CALLBACK_RAW_WRITEABLE) {
        on_writable(e);
    } else if (reason == LWS_CALLBACK_RAW_CLOSE) {
        lws_set_opaque_user_data(wsi, NULL);
        e->wsi = NULL;
        http_conn_lost(&e->http);
        http_conn_done(&e->http);
        buf_done(&e->out);
        buf_done(&e->spill);
        free(e);
        return 0;
    }
    return e->http.state == HTTP_CLOSED ? -1 : 0;
}

static const struct lws_protocols protocols[] = {
    {.name = "http-bytes", .callback = on_lws},
    {.name = NULL},
};

/* lws' own words, for those who debug it. */
static void on_lws_log(int level, const char *line)
{
    (void)level;
    log_debug("lws", "said", KV_S("line", str_trim(str_of(line))));
}

static bool lws_begin(struct edge_server *server)
{
    struct lws_context_creation_info info = {0};
    void *loops[1] = {loop_uv(server->http.loop)};
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur != FDS_MAX) {
        files.rlim_cur = files.rlim_max < FDS_MAX ? files.rlim_max : FDS_MAX;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    lws_set_log_level(log_least == LOG_DEBUG ? LLL_ERR | LLL_WARN | LLL_NOTICE : LLL_ERR | LLL_WARN,
                      on_lws_log);
    info.port = CONTEXT_PORT_NO_LISTEN;
    info.protocols = protocols;
    info.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME |
                   LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
    info.foreign_loops = loops;
    info.pt_serv_buf_size = READ_SIZE;
    info.pcontext = &server->lws;
    info.vhost_name = "edge";
    server->lws = lws_create_context(&info);
    if (server->lws)
        server->vhost = lws_create_vhost(server->lws, &info);
    return server->vhost != NULL;
}

/* ---- the listener ---- */

static void adopt(struct edge_server *server, int fd)
{
    struct edge_conn *e = calloc(1, sizeof(*e));
    lws_sock_file_fd_type lws_fd;
    int one = 1;

    if (!e)
        abort();
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    lws_fd.sockfd = fd;
    /* without LWS_ADOPT_HTTP: lws' raw-skt role */
    e->wsi = lws_adopt_descriptor_vhost(server->vhost, LWS_ADOPT_SOCKET, lws_fd, protocols[0].name,
                                        NULL);
    if (!e->wsi) { /* lws has closed fd */
        log_warn("http", "cannot take a connection", KV_STR("error", "libwebsockets refuses it"));
        free(e);
        return;
    }
    lws_set_opaque_user_data(e->wsi, e);
    lws_set_timeout(e->wsi, NO_PENDING_TIMEOUT, 0); /* time limits are http_conn's */
    e->reading = true;
    buf_init(&e->out, SIZE_MAX / 2);
    buf_init(&e->spill, SIZE_MAX / 2);
    http_conn_init(&e->http, &server->http);
}

static void on_accept_again(void *arg)
{
    struct edge_server *server = arg;

    watch_set(server->listen_watch, WATCH_READ);
}

static void on_incoming(int listen_fd, int events, void *arg)
{
    struct edge_server *server = arg;
    int i, fd;

    (void)events;
    for (i = 0; i < ACCEPTS_A_TURN; i++) {
        fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            adopt(server, fd);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            log_warn("http", "cannot take connections, trying again in 100 ms",
                     KV_STR("error", strerror(errno)));
            watch_set(server->listen_watch, 0);
            timer_start(&server->accept_again, ACCEPT_PAUSE_US);
            return;
        }
        if (errno == EAGAIN)
            return;
        /* the connection broke before we took it: the next one */
    }
}

static int listen_error(const char *address, int number, struct error *err)
{
    if (number == EADDRINUSE)
        return error_set(err, ERR_CONFIG,
                         "address %s is already in use; stop the other program or choose another "
                         "address with --listen (HEARTH_LISTEN)",
                         address);
    if (number == EADDRNOTAVAIL)
        return error_set(err, ERR_CONFIG,
                         "address %s is not one of this machine's; choose another with --listen "
                         "(HEARTH_LISTEN)",
                         address);
    if (number == EACCES)
        return error_set(err, ERR_CONFIG,
                         "no right to listen on %s; choose a port above 1023 with --listen "
                         "(HEARTH_LISTEN) or run as root",
                         address);
    return error_set_errno(err, ERR_CONFIG, number, "cannot listen on %s", address);
}

/* "127.0.0.1:9000" or "[::1]:9000" to a socket address. */
static int address_parse(const char *address, struct sockaddr_storage *ret, socklen_t *ret_len,
                         struct error *err)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                             .ai_socktype = SOCK_STREAM};
    struct str text = str_of(address), host;
    struct addrinfo *found;
    size_t colon = text.len;

    while (colon > 0 && text.ptr[colon - 1] != ':')
        colon--;
    host = str_sub(text, 0, colon ? colon - 1 : 0);
    if (host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
        host = str_sub(host, 1, host.len - 1);
    if (host.len > 0 && colon < text.len) {
        CLEANUP(freep) char *host_z = str_dup(host);

        if (getaddrinfo(host_z, address + colon, &hints, &found) == 0) {
            memcpy(ret, found->ai_addr, found->ai_addrlen);
            *ret_len = found->ai_addrlen;
            freeaddrinfo(found);
            return 0;
        }
    }
    return error_set(
        err, ERR_CONFIG,
        "address %s is not of the form 127.0.0.1:9000 or [::1]:9000 (--listen, HEARTH_LISTEN)",
        address);
}

static int listen_on(const char *address, int *ret_fd, int *ret_port, struct error *err)
{
    CLEANUP(closep) int fd = -1;
    struct sockaddr_storage addr = {0};
    socklen_t len = sizeof(addr);
    int one = 1, r;

    r = address_parse(address, &addr, &len, err);
    if (r < 0)
        return r;
    fd = socket(addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return listen_error(address, errno, err);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, (struct sockaddr *)&addr, len) < 0 || listen(fd, BACKLOG) < 0)
        return listen_error(address, errno, err);
    len = sizeof(addr);
    getsockname(fd, (struct sockaddr *)&addr, &len);
    *ret_port = addr.ss_family == AF_INET6
                    ? ntohs(((struct sockaddr_in6 *)(void *)&addr)->sin6_port)
                    : ntohs(((struct sockaddr_in *)(void *)&addr)->sin_port);
    *ret_fd = TAKE_FD(fd);
    return 0;
}

/* lws needs turns of the loop to close, then to be told again to free itself (4.1 with a foreign
 * loop). */
static void lws_finish(struct edge_server *server)
{
    uv_loop_t *uv = loop_uv(server->http.loop);
    int turns;

    if (!server->lws)
        return;
    lws_context_destroy(server->lws);
    for (turns = 0; turns < 8 && server->lws; turns++)
        uv_run(uv, UV_RUN_NOWAIT);
    if (server->lws)
        lws_context_destroy(server->lws);
    for (turns = 0; turns < 8 && server->lws; turns++)
        uv_run(uv, UV_RUN_NOWAIT);
}

static void edge_stop_listening(struct http_server *http)
{
    struct edge_server *server = CONTAINER_OF(http, struct edge_server, http);

    timer_stop(&server->accept_again);
    watch_free(server->listen_watch);
    close(server->listen_fd);
}

static void edge_free_server(struct http_server *http)
{
    lws_finish(CONTAINER_OF(http, struct edge_server, http));
}

static const struct http_transport edge_transport = {
    .send = edge_send,
    .queued = edge_queued,
    .unacknowledged = edge_unacknowledged,
    .pause = edge_pause,
    .finish = edge_finish,
    .close = edge_close,
    .stop_listening = edge_stop_listening,
    .free_server = edge_free_server,
};

int http_edge_new(struct loop *loop, const char *address, const struct http_handler *handler,
                  void *arg, struct http_server **ret, struct error *err)
{
    struct edge_server *server;
    int fd = -1, port = 0, r;

    r = listen_on(address, &fd, &port, err);
    if (r < 0)
        return r;
    server = calloc(1, sizeof(*server));
    if (!server)
        abort();
    http_server_init(&server->http, loop, handler, arg, &edge_transport);
    server->http.limits_us[HTTP_WAIT_IDLE] = IDLE_LIMIT_US;
    server->http.limits_us[HTTP_WAIT_HEAD] = HEAD_LIMIT_US;
    server->http.limits_us[HTTP_WAIT_BODY] = BODY_LIMIT_US;
    server->http.limits_us[HTTP_WAIT_READER] = READER_LIMIT_US;
    server->http.limits_us[HTTP_WAIT_FINISH] = FINISH_LIMIT_US;
    server->http.port = port;
    server->listen_fd = fd;
    timer_init(&server->accept_again, loop, on_accept_again, server);
    if (!lws_begin(server)) {
        http_server_free(&server->http);
        return error_set(err, ERR_CONFIG,
                         "libwebsockets cannot start; is its libuv part installed (Debian: "
                         "libwebsockets-evlib-uv)?");
    }
    server->listen_watch = watch_new(loop, fd, on_incoming, server);
    watch_set(server->listen_watch, WATCH_READ);
    *ret = &server->http;
    return 0;
}
