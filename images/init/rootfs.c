/* SPDX-License-Identifier: Apache-2.0 */
#include "images/init/rootfs.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MNT_DETACH 2 /* sys/mount.h and linux/mount.h do not go together in every libc */

/* Where the root is put before it is one; the blank's file system has this folder. */
#define NEW_ROOT "/root"

static int attach(int fd, const char *path)
{
    return (int)syscall(SYS_move_mount, fd, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH);
}

static int move(const char *from, const char *to)
{
    return (int)syscall(SYS_move_mount, AT_FDCWD, from, AT_FDCWD, to, 0);
}

/* The image cannot lead these paths elsewhere: each of their folders is a real one, because the
 * invoker's own layer lies above all of the image's. */
static int attach_all(const struct init_assign *assign, const int *fds, const char **ret_what)
{
    static const struct {
        uint8_t flag;
        const char *path;
    } below[] = {
        {INIT_MOUNT_TMP, NEW_ROOT "/tmp"},
        {INIT_MOUNT_TASK, NEW_ROOT "/var/task"},
        {INIT_MOUNT_OPT, NEW_ROOT "/opt"},
    };
    size_t i;

    *ret_what = "/";
    if (attach(*fds++, NEW_ROOT) < 0)
        return -1;
    for (i = 0; i < sizeof(below) / sizeof(below[0]); i++) {
        if (!(assign->mounts & below[i].flag))
            continue;
        *ret_what = below[i].path + sizeof(NEW_ROOT) - 1;
        if (attach(*fds++, below[i].path) < 0)
            return -1;
    }
    return 0;
}

/* With all that is mounted below it: crun's folder of cgroup hierarchies is a tmpfs that anybody may
 * write to. */
static int make_read_only(const char *path)
{
    const struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};

    return (int)syscall(SYS_mount_setattr, AT_FDCWD, path, AT_RECURSIVE, &attr, sizeof(attr));
}

int rootfs_enter(const struct init_assign *assign, const int *fds, const char **ret_what)
{
    static const char *const own[] = {"/proc", "/sys", "/dev"};
    static const char *const there[] = {NEW_ROOT "/proc", NEW_ROOT "/sys", NEW_ROOT "/dev"};
    size_t i;

    if (attach_all(assign, fds, ret_what) < 0)
        return -1;
    for (i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        *ret_what = own[i];
        if (move(own[i], there[i]) < 0)
            return -1;
    }
    *ret_what = "/sys";
    if (make_read_only(NEW_ROOT "/sys") < 0)
        return -1;
    *ret_what = "pivot_root";
    if (chdir(NEW_ROOT) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
        return -1;
    *ret_what = "the blank's file system"; /* stacked over the new one at ".": the first to go */
    if (syscall(SYS_umount2, ".", MNT_DETACH) < 0 || chdir("/") < 0)
        return -1;
    return 0;
}
