/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holding_runtime - a C runtime that answers after as many milliseconds as its event says: so that
 * each of many invocations at once has a sandbox of its own. Static, for provided.al2023.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define API "/2018-06-01/runtime/invocation/"
#define ID_FIELD "Lambda-Runtime-Aws-Request-Id: "

static char in[65536];

/* One request and its answer, which comes with a Content-Length and is short. */
static void ask(int fd, const char *request)
{
    size_t len = 0, body;
    char *end, *field;
    ssize_t n;

    if (write(fd, request, strlen(request)) < 0)
        exit(1);
    for (;;) {
        n = read(fd, in + len, sizeof(in) - 1 - len);
        if (n <= 0)
            exit(0); /* the sandbox ends */
        len += (size_t)n;
        in[len] = '\0';
        end = strstr(in, "\r\n\r\n");
        field = strcasestr(in, "content-length:");
        body = field ? strtoul(field + 15, NULL, 10) : 0;
        if (end && len >= (size_t)(end + 4 - in) + body)
            return;
    }
}

int main(void)
{
    const struct sockaddr_in api = {.sin_family = AF_INET,
                                    .sin_port = htons(9001),
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char request[512], id[64], *field;

    if (connect(fd, (const struct sockaddr *)&api, sizeof(api)) < 0)
        return 1;
    for (;;) {
        ask(fd, "GET " API "next HTTP/1.1\r\nHost: api\r\n\r\n");
        field = strcasestr(in, ID_FIELD);
        if (!field || sscanf(field + strlen(ID_FIELD), "%63[0-9a-f-]", id) != 1)
            return 1;
        usleep((useconds_t)strtoul(strstr(in, "\r\n\r\n") + 4, NULL, 10) * 1000);
        snprintf(request, sizeof(request),
                 "POST " API "%s/response HTTP/1.1\r\nHost: api\r\nContent-Length: 2\r\n\r\n{}", id);
        ask(fd, request);
    }
}
