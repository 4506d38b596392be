/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the process is told: a packet with a descriptor is a sandbox; one without says that there is a lease where none was.
 * A lease that is put off is not told: the process finds it when the old one is over.
 */
#include "invoker/lease_guard.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/alloc.h"
#include "common/base/clock.h"
#include "common/base/log.h"

#define EVENTS 64

struct shared {
    _Atomic uint64_t end_us; /* 0: no lease */
};

struct lease_guard {
    struct shared *shared;
    int socket;
};

/* ---- in the process */

struct watcher {
    struct shared *shared;
    int socket, epoll, timer;
    int *sandboxes; /* pidfds */
    size_t len, cap;
};

static void watch(const struct watcher *w, int fd)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};

    (void)epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &ev);
}

static bool is_over(uint64_t end_us)
{
    return end_us && clock_now_us(&clock_boot) >= end_us;
}

/* Ends all when it is time; else sleeps until it may be. */
static void look(const struct watcher *w)
{
    uint64_t end_us = atomic_load(&w->shared->end_us);
    struct itimerspec at = {0};
    size_t i;

    if (is_over(end_us)) {
        for (i = 0; i < w->len; i++)
            (void)pidfd_send_signal(w->sandboxes[i], SIGKILL, NULL, 0);
        end_us = 0; /* until there is another lease, or a sandbox more */
    }
    at.it_value.tv_sec = (time_t)(end_us / SECONDS(1));
    at.it_value.tv_nsec = (long)(end_us % SECONDS(1)) * 1000;
    (void)timerfd_settime(w->timer, TFD_TIMER_ABSTIME, &at, NULL);
}

static void sandbox_add(struct watcher *w, int pidfd)
{
    if (w->len == w->cap) {
        w->cap = w->cap ? 2 * w->cap : 256;
        w->sandboxes = reallocarray(w->sandboxes, w->cap, sizeof(*w->sandboxes));
        if (!w->sandboxes)
            abort();
    }
    w->sandboxes[w->len++] = pidfd;
    watch(w, pidfd);
}

static void sandbox_remove(struct watcher *w, int pidfd)
{
    size_t i;

    for (i = 0; i < w->len; i++)
        if (w->sandboxes[i] == pidfd)
            w->sandboxes[i] = w->sandboxes[--w->len];
    close(pidfd);
}

/* False: the invoker is gone. */
static bool hear(struct watcher *w)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    char byte;
    struct iovec iov = {&byte, 1};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
    ssize_t n = recvmsg(w->socket, &msg, MSG_CMSG_CLOEXEC);
    struct cmsghdr *c;
    int fd;

    if (n <= 0)
        return n < 0 && errno == EINTR;
    c = CMSG_FIRSTHDR(&msg);
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
        memcpy(&fd, CMSG_DATA(c), sizeof(fd));
        sandbox_add(w, fd);
    }
    look(w);
    return true;
}

static void guard(struct shared *shared, int socket)
{
    struct watcher w = {.shared = shared, .socket = socket};
    struct epoll_event events[EVENTS];
    uint64_t times;
    sigset_t all;
    int n, i;

    setsid();
    sigfillset(&all); /* whoever ends us by a signal to all means the others too */
    sigprocmask(SIG_SETMASK, &all, NULL);
    prctl(PR_SET_NAME, "hearth-guard");
    if (socket > 0)
        close_range(0, (unsigned)socket - 1, 0);
    close_range((unsigned)socket + 1, ~0u, 0);
    w.epoll = epoll_create1(EPOLL_CLOEXEC);
    w.timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (w.epoll < 0 || w.timer < 0)
        _exit(1);
    watch(&w, socket);
    watch(&w, w.timer);
    for (;;) {
        n = epoll_wait(w.epoll, events, EVENTS, -1);
        for (i = 0; i < n; i++) {
            if (events[i].data.fd == w.timer) {
                (void)!read(w.timer, &times, sizeof(times));
                look(&w);
            } else if (events[i].data.fd != socket) {
                sandbox_remove(&w, events[i].data.fd);
            } else if (!hear(&w)) {
                _exit(0);
            }
        }
    }
}

/* ---- the invoker's side */

/* Two forks: it is nobody's child whom we would have to wait for. */
static int start(struct lease_guard *g, struct error *err)
{
    int pair[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return error_set_errno(err, ERR_SYSTEM, errno, "starting the guard of the lease");
    pid = fork();
    if (pid == 0) {
        if (fork() == 0)
            guard(g->shared, pair[0]);
        _exit(0);
    }
    close(pair[0]);
    g->socket = pair[1];
    if (pid < 0)
        return error_set_errno(err, ERR_SYSTEM, errno, "starting the guard of the lease");
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return 0;
}

int lease_guard_new(struct lease_guard **ret, struct error *err)
{
    struct lease_guard *g = xcalloc(sizeof(*g));
    void *memory = mmap(NULL, sizeof(*g->shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int r;

    g->socket = -1;
    if (memory == MAP_FAILED) {
        r = error_set_errno(err, ERR_SYSTEM, errno, "memory for the guard of the lease");
    } else {
        g->shared = memory;
        r = start(g, err);
    }
    if (r < 0) {
        lease_guard_free(g);
        return r;
    }
    *ret = g;
    return 0;
}

void lease_guard_free(struct lease_guard *g)
{
    if (!g)
        return;
    if (g->shared)
        munmap(g->shared, sizeof(*g->shared));
    if (g->socket >= 0)
        close(g->socket);
    free(g);
}

static void tell(const struct lease_guard *g, int pidfd)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    char byte = 0;
    struct iovec iov = {&byte, 1};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

    if (pidfd >= 0) {
        msg.msg_control = &control;
        msg.msg_controllen = sizeof(control);
        control.align = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(&control.align), &pidfd, sizeof(pidfd));
    }
    if (sendmsg(g->socket, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        log_error("permits", "the guard of the lease does not listen: what runs here would outlive it if the invoker stood still",
                  KV_I64("errno", errno));
}

void lease_guard_add(struct lease_guard *g, int pidfd)
{
    if (g && pidfd >= 0)
        tell(g, pidfd);
}

void lease_guard_set(struct lease_guard *g, uint64_t end_us)
{
    uint64_t before;

    if (!g)
        return;
    before = atomic_exchange(&g->shared->end_us, end_us);
    if (end_us && (before == 0 || is_over(before) || end_us < before))
        tell(g, -1);
}
