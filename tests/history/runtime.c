/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runtime.c - the function of the history checker, a runtime for provided.al2023: its event says for how long it runs, and
 * the recorder hears of each run's start and end, stamped here. {"tag":<number>,"ms":<number>} is answered with itself.
 *
 * Without a recorder there is no run: the connection is made in the init phase, and a broken one ends the process.
 *
 * Owns:     two connections and a buffer, for the life of the process.
 * Errors:   a broken or surprising answer ends the process with status 1.
 * Source:   Lambda developer guide, "Lambda runtime API"; wire.h.
 */
#include "wire.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define API "/2018-06-01/runtime/invocation/"
#define ID_FIELD "Lambda-Runtime-Aws-Request-Id: "
#define RECORDER_TRIES 4000 /* 2 ms apart: within the init phase's ten seconds */

static char in[16384];

static int recorder_dial(void)
{
    const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/var/task/" RECORDER_NAME};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), i;

    for (i = 0; fd >= 0 && i < RECORDER_TRIES; i++) {
        if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
            return fd;
        usleep(2000);
    }
    perror("runtime: the recorder");
    exit(1);
}

static void tell(int fd, enum record_kind kind, uint64_t tag, const char *name)
{
    struct record r = {.kind = kind, .pid = (uint32_t)getpid(), .tag = tag};

    snprintf(r.name, sizeof(r.name), "%s", name);
    r.at_ns = monotonic_ns();
    if (send(fd, &r, sizeof(r), MSG_NOSIGNAL) != (ssize_t)sizeof(r)) {
        perror("runtime: telling the recorder");
        exit(1);
    }
}

/* One request and its answer, which comes with a Content-Length and is short; returns its body. */
static const char *ask(int fd, const char *request)
{
    size_t len = 0, body;
    char *end, *field;
    ssize_t n;

    if (send(fd, request, strlen(request), MSG_NOSIGNAL) != (ssize_t)strlen(request))
        exit(1);
    for (;;) {
        n = read(fd, in + len, sizeof(in) - 1 - len);
        if (n <= 0)
            exit(n < 0); /* 0: the sandbox ends */
        len += (size_t)n;
        in[len] = '\0';
        end = strstr(in, "\r\n\r\n");
        if (!end)
            continue;
        field = strcasestr(in, "content-length:");
        body = field && field < end ? strtoul(field + 15, NULL, 10) : 0;
        if (len >= (size_t)(end + 4 - in) + body)
            return end + 4;
    }
}

static uint64_t member(const char *event, const char *name)
{
    const char *at = strstr(event, name);

    if (!at) {
        fprintf(stderr, "runtime: no %s in the event\n", name);
        exit(1);
    }
    return strtoull(at + strlen(name), NULL, 10);
}

/* An invocation, from its event to the answer. */
static void run_one(int api, int recorder)
{
    const char *event = ask(api, "GET " API "next HTTP/1.1\r\nHost: api\r\n\r\n");
    const char *id_field = strcasestr(in, ID_FIELD);
    char request[1024], id[64];
    struct timespec hold;
    uint64_t tag, ms;

    if (!id_field || sscanf(id_field + strlen(ID_FIELD), "%63[0-9a-f-]", id) != 1)
        exit(1);
    tag = member(event, "\"tag\":");
    tell(recorder, RECORD_START, tag, "");
    ms = member(event, "\"ms\":");
    hold = (struct timespec){.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &hold, &hold) != 0)
        ;
    snprintf(request, sizeof(request), "POST " API "%s/response HTTP/1.1\r\nHost: api\r\nContent-Length: %zu\r\n\r\n%s",
             id, strlen(event), event);
    tell(recorder, RECORD_END, tag, "");
    ask(api, request);
}

int main(void)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(9001), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const char *name = getenv("AWS_LAMBDA_FUNCTION_NAME");
    int api = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    int recorder = recorder_dial();

    tell(recorder, RECORD_HELLO, 0, name ? name : "?");
    if (connect(api, (const struct sockaddr *)&address, sizeof(address)) < 0)
        return 1;
    setsockopt(api, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    for (;;)
        run_one(api, recorder);
}
