/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load.c - the clients of the history checker: each sends one invocation after another and writes down what came of it.
 *
 * Usage: load FILE SEED HOST:PORT...     the gateways, by number from 0
 *
 * Commands, one a line on stdin; its end stops all clients:
 *   + <group> <function> <gateway> <ms_min> <ms_max> <pause_min_ms> <pause_max_ms> <throttled_ms>
 *       a client more: of that gateway (-1: another one each time), invocations of a length drawn between the two; the last is
 *       how long it waits after a 429
 *   - <group>
 *       its clients stop, each when its request is answered
 * Lines of FILE, one for each request that has ended, times in nanoseconds:
 *   A <tag> <function> <gateway> <status> <what> <sent> <answered>
 *       status 0: the connection broke or could not be made, 1: no answer within ANSWER_MS, 2: still open when we ended
 *       what: F a function error, C throttled for concurrency, T throttled for another reason, - else
 *
 * Owns:     clients and their connections.
 * Threads:  one.
 * Errors:   of ours end it with status 1; those of gateways are written down.
 */
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST_GATEWAYS 8
#define ANSWER_MS 300000
#define BROKEN_PAUSE_MS 100
#define LAST_WAIT_MS 100000 /* for requests that are open when all clients stop */
#define MS 1000000ull

struct conn {
    int fd; /* -1: none */
    struct client *client;
};

struct client {
    char group[32], function[64];
    int gateway; /* -1: another one each time */
    unsigned ms_min, ms_max, pause_min, pause_max, throttled_ms;
    struct conn conns[MOST_GATEWAYS];
    int at; /* gateway of the request under way */
    bool busy, stopping;
    uint64_t tag, sent_ns, due_ns; /* due: the next request, or the end of patience */
    char in[8192];
    size_t len;
    struct client *next;
};

static struct sockaddr_in gateways[MOST_GATEWAYS];
static char hosts[MOST_GATEWAYS][64];
static int gateway_count;
static struct client *clients;
static FILE *out;
static int epoll_fd;
static uint64_t random_state, last_tag;
static char commands[65536];
static size_t commands_len;
static bool ending;

static unsigned draw(unsigned from, unsigned to)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return from + (unsigned)(random_state >> 11) % (to - from + 1);
}

static void conn_close(struct conn *conn)
{
    if (conn->fd >= 0)
        close(conn->fd);
    conn->fd = -1;
}

static void request_done(struct client *c, int status, char what)
{
    uint64_t now = monotonic_ns();
    unsigned pause;

    fprintf(out, "A %llu %s %d %d %c %llu %llu\n", (unsigned long long)c->tag, c->function, c->at, status, what,
            (unsigned long long)c->sent_ns, (unsigned long long)now);
    if (status < 100)
        conn_close(&c->conns[c->at]);
    pause = status == 429 ? c->throttled_ms : status == 200 ? draw(c->pause_min, c->pause_max) : BROKEN_PAUSE_MS;
    c->busy = false;
    c->due_ns = now + pause * MS;
}

static bool dial(struct conn *conn, int gateway)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = conn};
    int on = 1;

    conn->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (conn->fd < 0) {
        perror("load: socket");
        exit(1);
    }
    setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(conn->fd, (struct sockaddr *)&gateways[gateway], sizeof(gateways[0])) < 0 && errno != EINPROGRESS) {
        conn_close(conn);
        return false;
    }
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, conn->fd, &ev);
    return true;
}

static bool send_request(struct client *c)
{
    struct conn *conn = &c->conns[c->at];
    char body[96], request[512];
    int body_len = snprintf(body, sizeof(body), "{\"tag\":%llu,\"ms\":%u}", (unsigned long long)c->tag, draw(c->ms_min, c->ms_max));
    int len = snprintf(request, sizeof(request),
                       "POST /2015-03-31/functions/%s/invocations HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n"
                       "Content-Length: %d\r\n\r\n%s",
                       c->function, hosts[c->at], body_len, body);

    return send(conn->fd, request, (size_t)len, MSG_NOSIGNAL) == len;
}

/* A connection that is being made takes the request when it is (EPOLLOUT). */
static void request_begin(struct client *c)
{
    struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT};
    struct conn *conn;

    c->at = c->gateway >= 0 ? c->gateway : (int)draw(0, (unsigned)gateway_count - 1);
    conn = &c->conns[c->at];
    c->tag = ++last_tag;
    c->busy = true;
    c->len = 0;
    c->sent_ns = monotonic_ns();
    c->due_ns = c->sent_ns + ANSWER_MS * MS;
    if (conn->fd >= 0) {
        if (!send_request(c))
            request_done(c, 0, '-');
        return;
    }
    if (!dial(conn, c->at)) {
        request_done(c, 0, '-');
        return;
    }
    ev.data.ptr = conn;
    epoll_ctl(epoll_fd, EPOLL_CTL_MOD, conn->fd, &ev);
}

static bool answer_is_whole(struct client *c)
{
    char *end = strstr(c->in, "\r\n\r\n"), *field = strcasestr(c->in, "content-length:");

    return end && c->len >= (size_t)(end + 4 - c->in) + (field && field < end ? strtoul(field + 15, NULL, 10) : 0);
}

static char what_of(const struct client *c, int status)
{
    if (status == 429)
        return strstr(c->in, "ConcurrentInvocationLimitExceeded") ? 'C' : 'T';
    return strcasestr(c->in, "\r\nX-Amz-Function-Error:") ? 'F' : '-';
}

static void on_connected(struct conn *conn)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = conn};
    struct client *c = conn->client;

    epoll_ctl(epoll_fd, EPOLL_CTL_MOD, conn->fd, &ev);
    if (c->busy && conn == &c->conns[c->at] && !send_request(c))
        request_done(c, 0, '-');
}

static void on_readable(struct conn *conn)
{
    struct client *c = conn->client;
    bool ours = c->busy && conn == &c->conns[c->at];
    char *in = c->in + (ours ? c->len : 0);
    ssize_t n = recv(conn->fd, in, sizeof(c->in) - 1 - (ours ? c->len : 0), 0);
    int status;

    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0 || !ours) {
        if (ours)
            request_done(c, 0, '-');
        conn_close(conn);
        return;
    }
    c->len += (size_t)n;
    c->in[c->len] = '\0';
    if (!answer_is_whole(c))
        return;
    status = (int)strtol(c->in + strlen("HTTP/1.1 "), NULL, 10);
    if (status >= 500 || (status != 200 && status != 429))
        fprintf(stderr, "load: %s by gateway %d: %.600s\n", c->function, c->at, c->in);
    request_done(c, status, what_of(c, status));
}

static void client_add(const char *line)
{
    struct client *c = calloc(1, sizeof(*c));
    int i;

    if (!c || sscanf(line, "+ %31s %63s %d %u %u %u %u %u", c->group, c->function, &c->gateway, &c->ms_min, &c->ms_max, &c->pause_min,
                     &c->pause_max, &c->throttled_ms) != 8 || c->gateway >= gateway_count) {
        fprintf(stderr, "load: what is %s?\n", line);
        exit(1);
    }
    for (i = 0; i < MOST_GATEWAYS; i++)
        c->conns[i] = (struct conn){.fd = -1, .client = c};
    c->due_ns = monotonic_ns() + draw(0, 20) * MS;
    c->next = clients;
    clients = c;
}

static void on_command(const char *line)
{
    struct client *c;

    if (line[0] == '+')
        client_add(line);
    for (c = clients; line[0] == '-' && c; c = c->next)
        if (strcmp(c->group, line + 2) == 0)
            c->stopping = true;
}

static void on_commands(void)
{
    ssize_t n = read(0, commands + commands_len, sizeof(commands) - 1 - commands_len);
    char *line = commands, *end;
    struct client *c;

    if (n <= 0) {
        ending = true;
        epoll_ctl(epoll_fd, EPOLL_CTL_DEL, 0, NULL);
        for (c = clients; c; c = c->next)
            c->stopping = true;
        return;
    }
    commands_len += (size_t)n;
    commands[commands_len] = '\0';
    while ((end = strchr(line, '\n')) != NULL) {
        *end = '\0';
        on_command(line);
        line = end + 1;
    }
    commands_len = strlen(line);
    memmove(commands, line, commands_len);
}

static void client_free(struct client *c)
{
    int i;

    for (i = 0; i < MOST_GATEWAYS; i++)
        conn_close(&c->conns[i]);
    free(c);
}

/* What is due now; returns the milliseconds until something is, at most 100. */
static int look_at_clients(void)
{
    uint64_t now = monotonic_ns(), next = now + 100 * MS;
    struct client **at = &clients, *c;

    while ((c = *at) != NULL) {
        if (!c->busy && c->stopping) {
            *at = c->next;
            client_free(c);
            continue;
        }
        if (c->due_ns <= now) {
            if (c->busy)
                request_done(c, 1, '-');
            else
                request_begin(c);
        }
        if (c->due_ns < next)
            next = c->due_ns;
        at = &c->next;
    }
    return next <= now ? 0 : (int)((next - now + MS - 1) / MS);
}

static void gateway_add(const char *text)
{
    const char *colon = strrchr(text, ':');
    char host[64];

    if (gateway_count == MOST_GATEWAYS || !colon) {
        fprintf(stderr, "load: what is %s?\n", text);
        exit(2);
    }
    snprintf(hosts[gateway_count], sizeof(hosts[0]), "%s", text);
    snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
    gateways[gateway_count] = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10))};
    if (inet_pton(AF_INET, host, &gateways[gateway_count++].sin_addr) != 1) {
        fprintf(stderr, "load: what is %s?\n", text);
        exit(2);
    }
}

int main(int argc, char **argv)
{
    struct epoll_event ev = {.events = EPOLLIN}, events[256];
    uint64_t ended_ns = 0;
    struct client *c;
    int i, n;

    if (argc < 4 || !(out = fopen(argv[1], "ae"))) {
        fprintf(stderr, "usage: load FILE SEED HOST:PORT...\n");
        return 2;
    }
    random_state = strtoull(argv[2], NULL, 10) * 2654435761u + 88172645463325252ull;
    for (i = 3; i < argc; i++)
        gateway_add(argv[i]);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, 0, &ev);
    while (!ending || clients) {
        n = epoll_wait(epoll_fd, events, 256, look_at_clients());
        for (i = 0; i < n; i++) {
            struct conn *conn = events[i].data.ptr;

            if (!conn)
                on_commands();
            else if (conn->fd >= 0 && (events[i].events & EPOLLOUT) && !(events[i].events & (EPOLLERR | EPOLLHUP)))
                on_connected(conn);
            else if (conn->fd >= 0)
                on_readable(conn);
        }
        fflush(out);
        if (ending && ended_ns == 0)
            ended_ns = monotonic_ns();
        if (ending && monotonic_ns() - ended_ns > LAST_WAIT_MS * MS)
            break;
    }
    for (c = clients; c; c = c->next)
        if (c->busy)
            request_done(c, 2, '-');
    return fclose(out) != 0;
}
