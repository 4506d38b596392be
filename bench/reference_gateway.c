/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reference_gateway.c - the least that can be called an invoke path: one epoll loop that takes
 * POSTs from clients and hands them to a parked runtime. No routes, no limits, no logs, no checks
 * beyond Content-Length. What `make bench` holds Hearth against.
 *
 * Usage: reference_gateway CLIENT_PORT RUNTIME_PORT
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define MOST_FDS 1024
#define MOST_BYTES 65536

struct conn {
    char in[MOST_BYTES];
    size_t len;
    int runtime; /* 1: of the runtime's side */
    int peer; /* runtime: client it works for; client: -1 */
    int waits; /* runtime: parked in next; client: its request is complete */
    size_t body, body_len;
};

static struct conn *conns[MOST_FDS];
static int queue[MOST_FDS], queue_len;

static int listen_on(int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 512) < 0) {
        perror("listen");
        exit(1);
    }
    return fd;
}

static void reply(int fd, const char *head, const char *body, size_t len)
{
    char text[256];
    int n = snprintf(text, sizeof(text), "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n", head, len);
    struct iovec iov[2] = {{text, (size_t)n}, {(void *)body, len}};

    if (writev(fd, iov, 2) < 0)
        perror("writev");
}

/* Matches parked runtimes with waiting clients. */
static void match(int runtime)
{
    struct conn *r = conns[runtime], *c;
    int client;

    if (!r->waits || queue_len == 0)
        return;
    client = queue[0];
    memmove(queue, queue + 1, sizeof(int) * (size_t)--queue_len);
    c = conns[client];
    r->waits = 0;
    r->peer = client;
    reply(runtime, "200 OK\r\nContent-Type: application/json\r\nLambda-Runtime-Aws-Request-Id: 00000000-0000-4000-8000-000000000000\r\n"
          "Lambda-Runtime-Deadline-Ms: 9999999999999", c->in + c->body, c->body_len);
    c->len = 0;
}

/* One request of @fd is complete in its buffer. */
static void on_request(int fd)
{
    struct conn *c = conns[fd];
    int i;

    if (!c->runtime) {
        queue[queue_len++] = fd;
        for (i = 0; i < MOST_FDS && queue_len; i++)
            if (conns[i] && conns[i]->runtime && conns[i]->waits)
                match(i);
        return;
    }
    if (memcmp(c->in, "POST", 4) == 0) {
        if (c->peer >= 0 && conns[c->peer])
            reply(c->peer, "200 OK\r\nContent-Type: application/json", c->in + c->body, c->body_len);
        c->peer = -1;
        reply(fd, "202 Accepted\r\nContent-Type: application/json", "{\"status\":\"OK\"}\n", 16);
    } else {
        c->waits = 1;
    }
    c->len = 0;
    match(fd);
}

static int on_bytes(int fd)
{
    struct conn *c = conns[fd];
    ssize_t n = read(fd, c->in + c->len, sizeof(c->in) - c->len - 1);
    char *end, *p;

    if (n <= 0)
        return n < 0 && errno == EAGAIN ? 0 : -1;
    c->len += (size_t)n;
    c->in[c->len] = '\0';
    end = strstr(c->in, "\r\n\r\n");
    if (!end)
        return 0;
    p = strcasestr(c->in, "content-length:");
    c->body = (size_t)(end - c->in) + 4;
    c->body_len = p && p < end ? strtoul(p + 15, NULL, 10) : 0;
    if (c->len >= c->body + c->body_len)
        on_request(fd);
    return 0;
}

/* A client may leave with its request queued or under way: nobody waits for that answer any more. */
static void forget(int fd)
{
    int i, kept = 0;

    for (i = 0; i < queue_len; i++)
        if (queue[i] != fd)
            queue[kept++] = queue[i];
    queue_len = kept;
    for (i = 0; i < MOST_FDS; i++)
        if (conns[i] && conns[i]->peer == fd)
            conns[i]->peer = -1;
    free(conns[fd]);
    conns[fd] = NULL;
    close(fd);
}

int main(int argc, char **argv)
{
    struct epoll_event ev = {.events = EPOLLIN}, events[64];
    int ep = epoll_create1(EPOLL_CLOEXEC), listeners[2], one = 1, n, i, fd;

    if (argc != 3)
        return 2;
    for (i = 0; i < 2; i++) {
        listeners[i] = listen_on((int)strtol(argv[1 + i], NULL, 10));
        ev.data.fd = listeners[i];
        epoll_ctl(ep, EPOLL_CTL_ADD, listeners[i], &ev);
    }
    for (;;) {
        n = epoll_wait(ep, events, 64, -1);
        for (i = 0; i < n; i++) {
            fd = events[i].data.fd;
            if (fd == listeners[0] || fd == listeners[1]) {
                int new_fd = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

                if (new_fd < 0 || new_fd >= MOST_FDS)
                    continue;
                setsockopt(new_fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
                conns[new_fd] = calloc(1, sizeof(struct conn));
                conns[new_fd]->runtime = fd == listeners[1];
                conns[new_fd]->peer = -1;
                ev.data.fd = new_fd;
                epoll_ctl(ep, EPOLL_CTL_ADD, new_fd, &ev);
            } else if (on_bytes(fd) < 0) {
                forget(fd);
            }
        }
    }
}
