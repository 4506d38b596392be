/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redis_fixture.h - a private redis-server for tests: a Unix socket in a temporary folder, no TCP.
 *
 * Owns:    the process and the folder.
 * Threads: one. Included by tests only.
 */
#ifndef HEARTH_CONTROLLER_REDIS_FIXTURE_H
#define HEARTH_CONTROLLER_REDIS_FIXTURE_H

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/base/file.h"

#define FIXTURE_SERVER "/usr/bin/redis-server"

struct redis_fixture {
    char dir[64];
    char url[128];
    pid_t pid;
};

static inline bool fixture_is_possible(void)
{
    return access(FIXTURE_SERVER, X_OK) == 0;
}

static inline bool fixture_answers(const struct redis_fixture *f)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), bad;

    snprintf(to.sun_path, sizeof(to.sun_path), "%s/redis", f->dir);
    bad = connect(fd, (struct sockaddr *)&to, sizeof(to));
    close(fd);
    return bad == 0;
}

static inline bool fixture_start_as(struct redis_fixture *f, bool is_kept)
{
    const struct timespec pause = {.tv_nsec = 2000000};
    uint64_t end = now_us() + SECONDS(20);
    char sock[96];
    int fd;

    snprintf(sock, sizeof(sock), "%s/redis", f->dir);
    snprintf(f->url, sizeof(f->url), "unix:%s", sock);
    f->pid = fork();
    if (f->pid == 0) {
        fd = open("/dev/null", O_WRONLY);
        dup2(fd, 1);
        dup2(fd, 2);
        execl(FIXTURE_SERVER, FIXTURE_SERVER, "--port", "0", "--unixsocket", sock, "--dir", f->dir,
              "--save", "", "--appendonly", is_kept ? "yes" : "no", "--appendfsync", "always",
              (char *)NULL);
        _exit(127);
    }
    while (f->pid > 0 && !fixture_answers(f) && now_us() < end)
        nanosleep(&pause, NULL);
    return f->pid > 0 && fixture_answers(f);
}

/* Starts the server; its data survive fixture_stop() (append-only file). */
static inline bool fixture_start(struct redis_fixture *f)
{
    return fixture_start_as(f, true);
}

/* They do not, and nothing waits for a disk. */
static inline bool fixture_start_in_memory(struct redis_fixture *f)
{
    return fixture_start_as(f, false);
}

static inline void fixture_stop(struct redis_fixture *f)
{
    if (f->pid <= 0)
        return;
    kill(f->pid, SIGKILL);
    waitpid(f->pid, NULL, 0);
    f->pid = 0;
}

static inline bool fixture_new(struct redis_fixture *f)
{
    memset(f, 0, sizeof(*f));
    snprintf(f->dir, sizeof(f->dir), "/tmp/hearth-controller-XXXXXX");
    return mkdtemp(f->dir) != NULL;
}

static inline void fixture_done(struct redis_fixture *f)
{
    fixture_stop(f);
    dir_remove(f->dir, NULL);
}

/* Skips the test where there is no server. */
static inline void need_server(void)
{
    if (fixture_is_possible())
        return;
    print_message("skipped: there is no " FIXTURE_SERVER "\n");
    skip();
}

#endif
