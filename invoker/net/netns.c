/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/net/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/log.h"

int netns_own(int *ret, struct error *err)
{
    int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return error_set_errno(err, ERR_SYSTEM, errno, "opening the thread's network namespace");
    *ret = fd;
    return 0;
}

struct making {
    int fd, sys_errno;
};

/* On a thread of its own: what unshare() changes ends with it. */
static void *make(void *arg)
{
    struct making *m = arg;

    if (unshare(CLONE_NEWNET) == 0)
        m->fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    m->sys_errno = errno;
    return NULL;
}

int netns_new(int *ret, struct error *err)
{
    struct making m = {-1, 0};
    pthread_t thread;
    int r = pthread_create(&thread, NULL, make, &m);

    if (r == 0)
        pthread_join(thread, NULL);
    else
        m.sys_errno = r;
    if (m.fd < 0)
        return error_set_errno(err, ERR_SYSTEM, m.sys_errno, "making a network namespace");
    *ret = m.fd;
    return 0;
}

int netns_enter(int ns, int *ret_back, struct error *err)
{
    CLEANUP(closep) int back = -1;
    int r = netns_own(&back, err);

    if (r < 0)
        return r;
    if (setns(ns, CLONE_NEWNET) < 0)
        return error_set_errno(err, ERR_SYSTEM, errno, "entering a network namespace");
    *ret_back = TAKE_FD(back);
    return 0;
}

void netns_leave(int back)
{
    if (setns(back, CLONE_NEWNET) < 0) {
        log_error("network", "a thread cannot leave a network namespace");
        abort();
    }
    close(back);
}

static int open_setting(const char *name, int flags)
{
    CLEANUP(freep) char *path = str_printf("/proc/sys/net/%s", name);

    return open(path, flags | O_CLOEXEC);
}

int netns_set(const char *name, const char *value, struct error *err)
{
    CLEANUP(closep) int fd = open_setting(name, O_WRONLY);

    if (fd < 0 || write(fd, value, strlen(value)) != (ssize_t)strlen(value))
        return error_set_errno(err, ERR_SYSTEM, errno, "setting net/%s to %s", name, value);
    return 0;
}

int netns_get(const char *name)
{
    CLEANUP(closep) int fd = open_setting(name, O_RDONLY);
    char text[16];
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));
    uint64_t value;

    if (n < 0 || str_parse_u64(str_trim((struct str){text, (size_t)n}), &value) < 0 || value > 65535)
        return -1;
    return (int)value;
}
