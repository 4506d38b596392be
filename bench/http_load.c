/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_load.c - a closed loop of POSTs over keep-alive connections; every answer is checked for 200.
 *
 * Usage: http_load PORT PATH BODY CONNECTIONS SECONDS [HEADERS]
 * HEADERS: more of them, each with CR LF behind it.
 * Prints: requests=N errors=N rate=R p50_us=… p90_us=… p99_us=… max_us=…
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MOST_SAMPLES 4000000

struct conn {
    int fd;
    char in[65536];
    size_t len;
    uint64_t sent_ns;
};

static char request[131072];
static size_t request_len;
static uint32_t *samples; /* 0.1 us */
static size_t sample_count, errors;

static uint64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void fire(struct conn *c)
{
    c->len = 0;
    c->sent_ns = now_ns();
    if (write(c->fd, request, request_len) != (ssize_t)request_len) {
        perror("write");
        exit(1);
    }
}

static int dial(int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

    if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
        perror("connect");
        exit(1);
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return fd;
}

/* True when the whole answer is there. */
static int complete(struct conn *c)
{
    char *end, *p;

    c->in[c->len] = '\0';
    end = strstr(c->in, "\r\n\r\n");
    if (!end)
        return 0;
    p = strcasestr(c->in, "content-length:");
    return c->len >= (size_t)(end - c->in) + 4 + (p && p < end ? strtoul(p + 15, NULL, 10) : 0);
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static double at(double share)
{
    return sample_count ? samples[(size_t)((double)(sample_count - 1) * share)] / 10.0 : 0;
}

static void on_readable(struct conn *c)
{
    ssize_t n = read(c->fd, c->in + c->len, sizeof(c->in) - c->len - 1);

    if (n <= 0) {
        fprintf(stderr, "http_load: the server closed a connection\n");
        exit(1);
    }
    c->len += (size_t)n;
    if (!complete(c))
        return;
    if (strncmp(c->in, "HTTP/1.1 200", 12) != 0 && errors++ == 0)
        fprintf(stderr, "http_load: %.300s\n", c->in);
    if (sample_count < MOST_SAMPLES)
        samples[sample_count++] = (uint32_t)((now_ns() - c->sent_ns) / 100);
    fire(c);
}

int main(int argc, char **argv)
{
    struct epoll_event ev = {.events = EPOLLIN}, events[64];
    int ep = epoll_create1(EPOLL_CLOEXEC), connections, i, n;
    uint64_t start, end;
    double seconds;

    if (argc != 6 && argc != 7)
        return 2;
    connections = (int)strtol(argv[4], NULL, 10);
    seconds = strtod(argv[5], NULL);
    samples = malloc(MOST_SAMPLES * sizeof(*samples));
    request_len = (size_t)snprintf(request, sizeof(request),
                                   "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n%s\r\n%s",
                                   argv[2], strlen(argv[3]), argc > 6 ? argv[6] : "", argv[3]);
    for (i = 0; i < connections; i++) {
        struct conn *c = calloc(1, sizeof(*c));

        c->fd = dial((int)strtol(argv[1], NULL, 10));
        ev.data.ptr = c;
        epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &ev);
        fire(c);
    }
    start = now_ns();
    end = start + (uint64_t)(seconds * 1e9);
    while (now_ns() < end) {
        n = epoll_wait(ep, events, 64, 1000);
        for (i = 0; i < n; i++)
            on_readable(events[i].data.ptr);
    }
    seconds = (double)(now_ns() - start) / 1e9;
    qsort(samples, sample_count, sizeof(*samples), by_value);
    printf("requests=%zu errors=%zu rate=%.0f p50_us=%.1f p90_us=%.1f p99_us=%.1f max_us=%.1f\n", sample_count, errors,
           (double)sample_count / seconds, at(0.5), at(0.9), at(0.99), at(1));
    return errors > 0;
}
