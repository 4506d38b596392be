/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes the small HTTP engine alive: the input is a play of what some clients do (requests, whole
 * and torn, any bytes, half reads, ends and resets) and of what the handler does with its requests
 * (answers small and large, whole and streamed, at once or later, bodies streamed and held, drops,
 * frees the server), between the turns of the loop and inside the callbacks. Each parked request is
 * looked at again and again until it is answered or aborted (the sanitizer looks too), and in the
 * end every connection must go.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include "common/base/log.h"
#include "common/io/http_server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CLIENTS = 3, SLOTS = 8, BODY_LIMIT = 20000, SOCKET_BUFFER = 4096 };

static struct {
    struct loop *loop;
    struct http_server *server; /* NULL: freed in the play */
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_un un;
    } address;
    socklen_t address_len;
    int clients[CLIENTS]; /* -1: none */
    struct http_req *parked[SLOTS];
    bool replying[SLOTS]; /* an answer is streamed to it */
    struct http_req *held; /* whose body is not read on, one at a time */
    const uint8_t *at, *end; /* the play */
    unsigned depth; /* of actions inside callbacks */
    bool ending; /* requests are answered at once from now on */
    bool drained;
} f;

static char bytes[64 * 1024];
static unsigned char looked_at;

static uint8_t next(void)
{
    return f.at < f.end ? *f.at++ : 0;
}

static void act(uint8_t what);

static void act_inside(void)
{
    if (f.depth < 3) {
        f.depth++;
        act(next());
        f.depth--;
    }
}

/* ---- the handler */

static void look(struct str s)
{
    size_t i;

    for (i = 0; i < s.len; i++)
        looked_at ^= (unsigned char)s.ptr[i];
}

static void look_at_parked(void)
{
    size_t i;

    for (i = 0; i < SLOTS; i++) {
        if (!f.parked[i])
            continue;
        assert(http_user(f.parked[i]) == &f.parked[i]);
        look(http_method(f.parked[i]));
        look(http_path(f.parked[i]));
        look(http_header(f.parked[i], "host"));
        look(http_body(f.parked[i]));
    }
}

static void answer(struct http_req *req, uint8_t how)
{
    const struct http_header type = {STR("Content-Type"), STR("text/plain")};
    size_t len = how & 1 ? sizeof(bytes) : how;

    if ((how & 15) == 15)
        http_drop(req);
    else if ((how & 15) == 14)
        http_reply(req, 200, &type, 1, http_body(req));
    else
        http_reply(req, how & 2 ? 200 : 204, &type, 1, str_from(bytes, len));
}

static size_t on_head(struct http_req *req, void *arg)
{
    (void)arg;
    if (!f.ending && (next() & 1))
        http_stream_body(req);
    look(http_path(req));
    return BODY_LIMIT;
}

static void forget_body(const struct http_req *req)
{
    if (f.held == req)
        f.held = NULL;
}

static void release_body(void)
{
    struct http_req *req = f.held;

    f.held = NULL;
    if (req)
        http_body_hold(req, false);
}

static void on_body(struct http_req *req, struct str piece, void *arg)
{
    uint8_t what = f.ending ? 0 : next();

    (void)arg;
    assert(f.server && piece.len > 0 && piece.len <= 65536);
    look(piece);
    look(http_path(req));
    if ((what & 3) == 1) {
        release_body();
        http_body_hold(req, true);
        f.held = req;
    } else if ((what & 15) == 6) {
        forget_body(req);
        answer(req, next());
    } else if ((what & 3) == 3) {
        act_inside();
    }
}

static void on_truncated(struct http_req *req, void *arg)
{
    (void)arg;
    assert(f.server);
    forget_body(req);
    look(http_path(req));
    if (!f.ending)
        act_inside();
}

static void on_writable(struct http_req *req, void *arg)
{
    struct http_req **slot = http_user(req);

    (void)arg;
    assert(f.server && slot && *slot == req && f.replying[slot - f.parked]);
    if (!f.ending)
        act_inside();
}

static void on_request(struct http_req *req, void *arg)
{
    size_t i;

    (void)arg;
    assert(f.server);
    forget_body(req);
    look(http_body(req));
    look(http_trailer(req, "a"));
    for (i = 0; i < SLOTS && f.parked[i]; i++)
        ;
    if (f.ending || i == SLOTS || (next() & 3) == 0) {
        answer(req, f.ending ? 2 : next());
        return;
    }
    f.parked[i] = req;
    http_set_user(req, &f.parked[i]);
    act_inside();
}

static void on_abort(struct http_req *req, void *arg)
{
    struct http_req **slot = http_user(req);

    (void)arg;
    assert(f.server && slot && *slot == req);
    look_at_parked();
    *slot = NULL;
    f.replying[slot - f.parked] = false;
    if (!f.ending)
        act_inside();
}

static const struct http_handler handler = {.on_head = on_head,
                                            .on_request = on_request,
                                            .on_abort = on_abort,
                                            .on_too_large = on_request,
                                            .on_body = on_body,
                                            .on_truncated = on_truncated,
                                            .on_writable = on_writable};

/* ---- the clients */

static void client_connect(int *fd)
{
    const int size = SOCKET_BUFFER;

    *fd = socket(f.address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(*fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    (void)!connect(*fd, &f.address.any, f.address_len); /* may be refused */
}

static void client_say(int fd, const void *from, size_t len)
{
    (void)!send(fd, from, len, MSG_NOSIGNAL);
}

static void client_ask(int fd, uint8_t which)
{
    static const char *const asks[] = {
        "GET /next HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n0123456789",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9000\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 30000\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5000\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2000\r\n",
        "\r\n0\r\n\r\n",
    };
    const char *text = asks[which % (sizeof(asks) / sizeof(asks[0]))];
    size_t len = strlen(text);

    client_say(fd, text, which & 128 ? len / 2 : len);
}

static void client_leave(int *fd, bool by_reset)
{
    const struct linger now = {.l_onoff = 1};

    if (by_reset)
        setsockopt(*fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(*fd);
    *fd = -1;
}

static void act_on_client(uint8_t what, int *fd)
{
    char sink[16384];
    size_t left;

    switch (what) {
    case 0:
    case 1:
    case 2:
        client_ask(*fd, next());
        return;
    case 3:
        client_say(*fd, bytes, (size_t)next() * 128);
        return;
    case 4:
        left = (size_t)(f.end - f.at);
        client_say(*fd, f.at, left < 8 ? left : 8);
        return;
    case 5:
        (void)!recv(*fd, sink, (size_t)(1 + next()) * 64, 0);
        return;
    case 6:
        shutdown(*fd, SHUT_WR);
        return;
    case 7:
        client_leave(fd, false);
        return;
    default:
        client_leave(fd, true);
    }
}

/* ---- the play */

static void end_server(void)
{
    http_server_free(f.server);
    f.server = NULL;
    memset(f.parked, 0, sizeof(f.parked));
    memset(f.replying, 0, sizeof(f.replying));
    f.held = NULL;
}

static void on_drained(void *arg)
{
    (void)arg;
    f.drained = true;
}

static void end_reply(struct http_req *req, uint8_t how)
{
    if (how & 1)
        http_drop(req);
    else
        http_reply_end(req);
}

static void answer_parked(struct http_req **slot, uint8_t how)
{
    struct http_req *req = *slot;
    bool *replying = &f.replying[slot - f.parked], streams = *replying;

    *slot = NULL;
    *replying = false;
    if (req && streams)
        end_reply(req, f.ending ? 0 : how);
    else if (req)
        answer(req, how);
}

/* Begins a streamed answer, or says more of one. */
static void stream_to_parked(size_t at, uint8_t how)
{
    const struct http_header type = {STR("Content-Type"), STR("text/plain")};

    if (!f.parked[at])
        return;
    if (!f.replying[at])
        http_reply_begin(f.parked[at], how & 64 ? 204 : 200, &type, 1);
    f.replying[at] = true;
    http_reply_write(f.parked[at], str_from(bytes, how & 1 ? sizeof(bytes) : how));
    (void)http_reply_queued(f.parked[at]);
}

/* 16 kinds of action, 8 things to do them to, and whether the loop turns behind it. */
static void act(uint8_t what)
{
    int *client = &f.clients[(what >> 4) % 8 % CLIENTS];

    look_at_parked();
    switch (what & 15) {
    case 10:
    case 11:
        answer_parked(&f.parked[(what >> 4) % SLOTS], next());
        break;
    case 12:
        if (f.server && (what >> 4) % 8 == 7)
            end_server();
        else if (f.server && (what >> 4) % 8 == 6)
            http_server_drain(f.server, on_drained, NULL);
        break;
    case 13:
        stream_to_parked((what >> 4) % SLOTS, next());
        break;
    case 14:
        release_body();
        break;
    case 15:
        break; /* only a turn */
    default:
        if (*client < 0)
            client_connect(client);
        else
            act_on_client(what & 15, client);
    }
    if (f.depth == 0 && ((what & 128) || (what & 15) == 15))
        uv_run(loop_uv(f.loop), UV_RUN_NOWAIT);
}

static void listen_somewhere(bool is_unix)
{
    const int size = SOCKET_BUFFER;
    struct error err;
    int fd;

    memset(&f.address, 0, sizeof(f.address));
    if (is_unix) {
        f.address.un.sun_family = AF_UNIX;
        snprintf(f.address.un.sun_path, sizeof(f.address.un.sun_path), "/tmp/fuzz-http-%d",
                 (int)getpid());
        unlink(f.address.un.sun_path);
        f.address_len = sizeof(f.address.un);
    } else {
        f.address.in.sin_family = AF_INET;
        f.address.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        f.address_len = sizeof(f.address.in);
    }
    fd = socket(f.address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)); /* accepted ones inherit it */
    if (bind(fd, &f.address.any, f.address_len) < 0 ||
        http_small_new(f.loop, fd, &handler, NULL, &f.server, &err) < 0)
        abort();
    if (!is_unix)
        getsockname(fd, &f.address.any, &f.address_len);
}

/* All clients leave; whatever happened before, the server gets rid of every connection. */
static void end_play(void)
{
    int i;

    f.ending = true;
    release_body();
    for (i = 0; i < CLIENTS; i++)
        if (f.clients[i] >= 0)
            client_leave(&f.clients[i], true);
    for (i = 0; i < 4; i++)
        uv_run(loop_uv(f.loop), UV_RUN_NOWAIT);
    look_at_parked();
    for (i = 0; i < SLOTS; i++) /* those whose loss could not be noticed */
        answer_parked(&f.parked[i], 2);
    if (!f.server)
        return;
    f.drained = false;
    http_server_drain(f.server, on_drained, NULL);
    for (i = 0; i < 100 && !f.drained; i++)
        uv_run(loop_uv(f.loop), UV_RUN_NOWAIT);
    assert(f.drained);
    end_server();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool begun;
    int i;

    if (!begun) {
        begun = true;
        log_init("fuzz", LOG_ERROR);
        memset(bytes, 'j', sizeof(bytes));
    }
    memset(&f, 0, sizeof(f));
    f.at = data;
    f.end = data + size;
    f.loop = loop_new();
    listen_somewhere(next() & 1);
    for (i = 0; i < CLIENTS; i++)
        f.clients[i] = -1;
    while (f.at < f.end)
        act(next());
    end_play();
    loop_free(f.loop);
    return 0;
}
