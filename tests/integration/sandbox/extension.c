/* SPDX-License-Identifier: Apache-2.0 */
/*
 * extension.c - an external extension without any library but libc, for tests: registers for INVOKE
 * and SHUTDOWN and prints the kind of each event.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char answer[65536];

/* One request on a connection of its own; the whole answer is in @answer then. */
static void call(const char *request)
{
    const char *api = getenv("AWS_LAMBDA_RUNTIME_API"), *port = api ? strchr(api, ':') : NULL;
    struct sockaddr_in to = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    size_t len = 0;
    ssize_t n;

    if (!port)
        exit(2);
    to.sin_port = htons((unsigned short)strtoul(port + 1, NULL, 10));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ||
        write(fd, request, strlen(request)) != (ssize_t)strlen(request))
        exit(3);
    while ((n = read(fd, answer + len, sizeof(answer) - 1 - len)) > 0)
        len += (size_t)n;
    answer[len] = '\0';
    close(fd);
}

int main(void)
{
    static const char body[] = "{\"events\":[\"INVOKE\",\"SHUTDOWN\"]}";
    char request[1024], id[64], *at;

    snprintf(request, sizeof(request),
             "POST /2020-01-01/extension/register HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
             "Lambda-Extension-Name: static\r\nContent-Length: %zu\r\n\r\n%s",
             sizeof(body) - 1, body);
    call(request);
    at = strstr(answer, "Lambda-Extension-Identifier: ");
    if (!at || sscanf(at, "Lambda-Extension-Identifier: %63s", id) != 1)
        return 4;
    snprintf(request, sizeof(request),
             "GET /2020-01-01/extension/event/next HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
             "Lambda-Extension-Identifier: %s\r\n\r\n",
             id);
    for (;;) {
        call(request);
        if (strstr(answer, "\"eventType\":\"SHUTDOWN\"")) {
            puts("static extension: SHUTDOWN");
            return 0;
        }
        puts(strstr(answer, "\"eventType\":\"INVOKE\"") ? "static extension: INVOKE"
                                                        : "static extension: ?");
        fflush(stdout);
    }
}
