/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bootstrap.c - the smallest runtime: answers each event with the event itself.
 *
 * One keep-alive connection to the Runtime API, one static program, for provided.al2023. It is what
 * benches compare with and what tests use when they need a runtime without an interpreter.
 *
 * Owns:     the connection and two buffers, for the life of the process.
 * Errors:   a broken or surprising answer ends the process with status 1 and a line on stderr.
 * Source:   Lambda developer guide, "Lambda runtime API".
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define HEAD_MAX 32768
#define BODY_MAX (6 * 1024 * 1024 + 1024)
#define API "/2018-06-01/runtime/invocation/"

struct answer {
    int status;
    size_t body_len;
    const char *body;
    char request_id[64];
};

static char in[HEAD_MAX + BODY_MAX];
static size_t in_len;
static char host[128];

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int dial(const char *address)
{
    struct sockaddr_in peer = { .sin_family = AF_INET, .sin_port = htons(9001) };
    const char *colon = strchr(address, ':');
    char ip[64];
    int on = 1;
    int fd;

    snprintf(ip, sizeof(ip), "%.*s", colon ? (int)(colon - address) : (int)strlen(address), address);
    if (colon)
        peer.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
    if (inet_pton(AF_INET, ip, &peer.sin_addr) != 1) {
        fprintf(stderr, "bootstrap: AWS_LAMBDA_RUNTIME_API must be an IPv4 address and port\n");
        exit(1);
    }
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&peer, sizeof(peer)) < 0)
        die("bootstrap: connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

static void send_all(int fd, struct iovec *iov, int count)
{
    while (count > 0) {
        struct msghdr msg = { .msg_iov = iov, .msg_iovlen = (size_t)count };
        ssize_t n = sendmsg(fd, &msg, MSG_NOSIGNAL);

        if (n < 0)
            die("bootstrap: send");
        while (count > 0 && (size_t)n >= iov->iov_len) {
            n -= (ssize_t)iov->iov_len;
            iov++;
            count--;
        }
        if (count > 0) {
            iov->iov_base = (char *)iov->iov_base + n;
            iov->iov_len -= (size_t)n;
        }
    }
}

/* Reads on until one whole answer is in `in`; the API answers with Content-Length. */
static void receive(int fd, struct answer *ret)
{
    size_t need = 0;

    memset(ret, 0, sizeof(*ret));
    in_len = 0;
    for (;;) {
        ssize_t n = recv(fd, in + in_len, sizeof(in) - 1 - in_len, 0);
        char *end, *line;

        if (n <= 0) {
            if (n == 0)
                exit(0); /* the sandbox ends */
            die("bootstrap: receive");
        }
        in_len += (size_t)n;
        in[in_len] = '\0';
        if (need == 0) {
            end = strstr(in, "\r\n\r\n");
            if (!end)
                continue;
            ret->body = end + 4;
            ret->status = (int)strtol(in + strlen("HTTP/1.1 "), NULL, 10);
            for (line = strstr(in, "\r\n"); line && line < end; line = strstr(line + 2, "\r\n")) {
                if (strncasecmp(line + 2, "Content-Length:", 15) == 0)
                    ret->body_len = strtoul(line + 17, NULL, 10);
                else if (strncasecmp(line + 2, "Lambda-Runtime-Aws-Request-Id:", 30) == 0)
                    sscanf(line + 32, " %63[0-9a-zA-Z-]", ret->request_id);
            }
            if (ret->body_len > BODY_MAX) {
                fprintf(stderr, "bootstrap: an event of %zu bytes is too long\n", ret->body_len);
                exit(1);
            }
            need = (size_t)(ret->body - in) + ret->body_len;
        }
        if (in_len >= need)
            return;
    }
}

static void next(int fd, struct answer *ret)
{
    char head[256];
    int len = snprintf(head, sizeof(head), "GET " API "next HTTP/1.1\r\nHost: %s\r\n\r\n", host);
    struct iovec iov = { head, (size_t)len };

    send_all(fd, &iov, 1);
    receive(fd, ret);
    if (ret->status != 200 || !ret->request_id[0]) {
        fprintf(stderr, "bootstrap: next answered %d\n", ret->status);
        exit(1);
    }
}

static void respond(int fd, const struct answer *event)
{
    struct answer ack;
    char head[512];
    int len = snprintf(head, sizeof(head),
                       "POST " API "%s/response HTTP/1.1\r\nHost: %s\r\n"
                       "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                       event->request_id, host, event->body_len);
    struct iovec iov[2] = { { head, (size_t)len }, { (char *)event->body, event->body_len } };

    send_all(fd, iov, 2);
    receive(fd, &ack);
    if (ack.status != 202)
        fprintf(stderr, "bootstrap: response answered %d\n", ack.status);
}

int main(void)
{
    const char *address = getenv("AWS_LAMBDA_RUNTIME_API");
    struct answer event;
    int fd;

    if (!address) {
        fprintf(stderr, "bootstrap: AWS_LAMBDA_RUNTIME_API is not set\n");
        return 1;
    }
    snprintf(host, sizeof(host), "%s", address);
    fd = dial(address);
    for (;;) {
        next(fd, &event);
        respond(fd, &event);
    }
}
