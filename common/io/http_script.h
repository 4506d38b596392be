/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_script.h - for unit tests: a thread that serves scripted HTTP answers on a Unix socket, one
 * for each request, in order.
 *
 * An answer of "" closes the connection unanswered; one with "Connection: close" closes it behind
 * the answer; one with "X-Hang: 1" keeps it open, and silent, until the client leaves.
 *
 * Owns:    its folder below /tmp, its sockets, its thread. Threads: start and stop from one.
 * Errors:  aborts: a test cannot go on.
 */
#ifndef HEARTH_IO_HTTP_SCRIPT_H
#define HEARTH_IO_HTTP_SCRIPT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define HTTP_SCRIPT_MAX 8

struct http_script {
    char dir[64];
    char path[96];
    char silent_path[96]; /* a socket that never accepts */
    int fd, silent_fd;
    pthread_t thread;
    const char *const *answers; /* NULL-terminated */
    char seen[HTTP_SCRIPT_MAX][4096]; /* requests as they came */
    int n;
};

static inline void http_script_must(bool ok)
{
    if (!ok)
        abort();
}

static inline bool http_script_read(int fd, char *buf, size_t cap)
{
    size_t len = 0, need = 0;
    char *end, *cl;
    ssize_t n;

    while (!need || len < need) {
        n = read(fd, buf + len, cap - 1 - len);
        if (n <= 0)
            return false;
        len += (size_t)n;
        buf[len] = '\0';
        end = strstr(buf, "\r\n\r\n");
        if (!end || need)
            continue;
        cl = strstr(buf, "Content-Length: ");
        need = (size_t)(end + 4 - buf) + (cl ? strtoul(cl + 16, NULL, 10) : 0);
    }
    return true;
}

static inline void *http_script_serve(void *arg)
{
    struct http_script *s = arg;
    char c;
    int fd;

    while (s->answers[s->n] && (fd = accept(s->fd, NULL, NULL)) >= 0) {
        while (s->answers[s->n] && http_script_read(fd, s->seen[s->n], sizeof(s->seen[0]))) {
            const char *a = s->answers[s->n++];

            if (a[0] == '\0' || write(fd, a, strlen(a)) < 0 || strstr(a, "Connection: close"))
                break;
            while (strstr(a, "X-Hang: 1") && read(fd, &c, 1) > 0)
                ;
        }
        close(fd);
    }
    return NULL;
}

static inline int http_script_listen(const char *path)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
    http_script_must(bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0 && listen(fd, 8) == 0);
    return fd;
}

static inline void http_script_start(struct http_script *s, const char *const *answers)
{
    size_t n = 0;

    while (answers[n])
        n++;
    http_script_must(n <= HTTP_SCRIPT_MAX);
    memset(s, 0, sizeof(*s));
    snprintf(s->dir, sizeof(s->dir), "/tmp/hearth-http-XXXXXX");
    http_script_must(mkdtemp(s->dir) != NULL);
    snprintf(s->path, sizeof(s->path), "%s/s", s->dir);
    snprintf(s->silent_path, sizeof(s->silent_path), "%s/silent", s->dir);
    s->answers = answers;
    s->fd = http_script_listen(s->path);
    s->silent_fd = http_script_listen(s->silent_path);
    http_script_must(pthread_create(&s->thread, NULL, http_script_serve, s) == 0);
}

/** The client must have closed its connections before. */
static inline void http_script_stop(struct http_script *s)
{
    shutdown(s->fd, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->fd);
    close(s->silent_fd);
    unlink(s->path);
    unlink(s->silent_path);
    rmdir(s->dir);
}

#endif
