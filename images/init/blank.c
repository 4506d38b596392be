/* SPDX-License-Identifier: Apache-2.0 */
#include "images/init/blank.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "images/init/drop.h"
#include "images/init/rootfs.h"

#define SOCKET_FD 3

/* The descriptors that the OCI runtime left us are the host's: 0, 1 and 2 become our own null. */
int blank_begin(struct blank *blank)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC), i;

    if (null < 0 || fcntl(SOCKET_FD, F_SETFD, FD_CLOEXEC) < 0)
        return -1;
    for (i = 0; i < 3; i++)
        if (dup2(null, i) < 0)
            return -1;
    close(null);
    blank->waits = true;
    return SOCKET_FD;
}

static void keep(struct blank *blank, const struct cmsghdr *c)
{
    size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int), i;
    int fd;

    for (i = 0; i < n; i++) {
        memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
        if (blank->waits && blank->fds_len < INIT_MOUNTS_MAX)
            blank->fds[blank->fds_len++] = fd;
        else
            close(fd);
    }
}

ssize_t blank_recv(struct blank *blank, int sock, void *buf, size_t len)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * INIT_MOUNTS_MAX)];
    } control;
    struct iovec iov = {buf, len};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.bytes,
                         .msg_controllen = sizeof(control.bytes)};
    ssize_t n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
    struct cmsghdr *c;

    for (c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL; c; c = CMSG_NXTHDR(&msg, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
            keep(blank, c);
    return n;
}

static void close_mounts(struct blank *blank)
{
    while (blank->fds_len)
        close(blank->fds[--blank->fds_len]);
}

int blank_assign(struct blank *blank, const struct init_frame *f, enum init_stage *ret_stage,
                 const char **ret_what)
{
    struct init_assign m;

    *ret_stage = INIT_STAGE_PROTOCOL;
    *ret_what = "ASSIGN";
    errno = 0;
    if (!blank->waits || init_assign_read(f, &m) < 0 ||
        blank->fds_len != init_assign_fds(m.mounts))
        return -1;
    blank->waits = false;
    *ret_stage = INIT_STAGE_ROOT;
    if (rootfs_enter(&m, blank->fds, ret_what) < 0)
        return -1;
    close_mounts(blank);
    *ret_stage = INIT_STAGE_DROP;
    return drop_privileges(m.uid, m.gid, ret_what);
}
