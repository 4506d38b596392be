/* SPDX-License-Identifier: Apache-2.0 */
/* File systems and devices: mounts, what may be written, device nodes. */
#include "tests/integration/escape/escape.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <linux/fs.h>

/* ---- mounts and files */

static int mount_tmpfs(void)
{
    return called(mount("none", "/tmp", "tmpfs", 0, NULL));
}

static int mount_proc(void)
{
    return called(mount("proc", "/tmp", "proc", 0, NULL));
}

static int mount_cgroup(void)
{
    int v1 = called(mount("cgroup", "/tmp", "cgroup", 0, "memory"));

    return v1 == OPEN ? OPEN : called(mount("cgroup2", "/tmp", "cgroup2", 0, NULL));
}

static int mount_bind(void)
{
    return called(mount("/", "/tmp", NULL, MS_BIND | MS_REC, NULL));
}

static int remount_root_writable(void)
{
    return called(mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL));
}

static int umount_proc(void)
{
    return called(umount2("/proc", MNT_DETACH));
}

static int mount_by_fsopen(void)
{
    return called(syscall(SYS_fsopen, "tmpfs", 0));
}

static int mount_by_open_tree(void)
{
    return called(syscall(SYS_open_tree, AT_FDCWD, "/", 1 /* OPEN_TREE_CLONE */));
}

static int pivot(void)
{
    return called(syscall(SYS_pivot_root, "/tmp", "/tmp"));
}

static int change_root(void)
{
    return called(chroot("/tmp"));
}

static int open_by_handle(void)
{
    union {
        struct file_handle h;
        char bytes[sizeof(struct file_handle) + MAX_HANDLE_SZ];
    } handle = {.h.handle_bytes = 8, .h.handle_type = 1};
    int root = open("/", O_RDONLY | O_CLOEXEC);

    handle.h.f_handle[0] = 2; /* the root of an ext file system */
    return called(open_by_handle_at(root, &handle.h, O_RDONLY));
}

static int write_root(void) { return writes(""); }
static int write_var_task(void) { return writes("/var/task"); }
static int write_opt(void) { return writes("/opt"); }
static int write_etc(void) { return writes("/etc"); }
static int write_usr(void) { return writes("/usr"); }
static int write_hearth(void) { return writes("/.hearth/run"); }
static int write_passwd(void) { return opens("/etc/passwd", O_WRONLY); }
static int write_hosts(void) { return opens("/etc/hosts", O_WRONLY); }
static int write_init(void) { return opens("/.hearth/init", O_WRONLY); }
static int write_init_exe(void) { return opens("/proc/1/exe", O_WRONLY); }


/* Files of others must not be got at by a second name. */
static int hard_link(void) { return called(link("/etc/passwd", "/tmp/linked")); }

/* A file system that is ours to write is not ours to stop: where /tmp is a disk, a frozen one would
 * keep whoever unmounts it. */
static int freeze_tmp(void)
{
    return called(ioctl(open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC), FIFREEZE, 0));
}

static int shut_down_tmp(void)
{
    uint32_t how = 1; /* EXT4_GOING_FLAGS_LOGFLUSH */
    int fd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return called(ioctl(fd, _IOR('X', 125, uint32_t) /* EXT4_IOC_SHUTDOWN */, &how));
}

static int immutable_file(void)
{
    int flags = FS_IMMUTABLE_FL, fd = open("/tmp/kept", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    return called(ioctl(fd, FS_IOC_SETFLAGS, &flags));
}

/* ---- devices */

static int makes_device(mode_t type, unsigned major, unsigned minor)
{
    return called(mknod("/tmp/device", type | 0600, makedev(major, minor)));
}

static int mknod_mem(void) { return makes_device(S_IFCHR, 1, 1); }
static int mknod_disk(void) { return makes_device(S_IFBLK, 8, 0); }
static int dev_mem(void) { return opens("/dev/mem", O_RDWR); }
static int dev_kmsg(void) { return opens("/dev/kmsg", O_RDONLY); }
static int dev_port(void) { return opens("/dev/port", O_RDWR); }
static int dev_fuse(void) { return opens("/dev/fuse", O_RDWR); }
static int dev_kvm(void) { return opens("/dev/kvm", O_RDWR); }
static int dev_tun(void) { return opens("/dev/net/tun", O_RDWR); }
static int dev_vsock(void) { return opens("/dev/vsock", O_RDWR); }
static int dev_loop(void) { return opens("/dev/loop-control", O_RDWR); }

static bool is_harmless(const char *name)
{
    static const char *const all[] = {"null", "zero", "full", "random", "urandom", "tty", "ptmx"};
    size_t i;

    for (i = 0; i < sizeof(all) / sizeof(*all); i++)
        if (strcmp(name, all[i]) == 0)
            return true;
    return false;
}

static int other_devices(void)
{
    DIR *dev = opendir("/dev");
    struct dirent *e;
    struct stat st;
    char path[300];

    while (dev && (e = readdir(dev))) {
        snprintf(path, sizeof(path), "/dev/%s", e->d_name);
        if (lstat(path, &st) == 0 && (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) &&
            !is_harmless(e->d_name) && opens(path, O_RDONLY | O_NONBLOCK) == OPEN)
            return OPEN;
    }
    return SILENT;
}

const struct probe file_probes[] = {
    {"mount tmpfs", mount_tmpfs},
    {"mount proc", mount_proc},
    {"mount a cgroup file system", mount_cgroup},
    {"bind mount", mount_bind},
    {"make / writable", remount_root_writable},
    {"umount /proc", umount_proc},
    {"fsopen", mount_by_fsopen},
    {"open_tree", mount_by_open_tree},
    {"pivot_root", pivot},
    {"chroot", change_root},
    {"open_by_handle_at", open_by_handle},
    {"write to /", write_root},
    {"write to /var/task", write_var_task},
    {"write to /opt", write_opt},
    {"write to /etc", write_etc},
    {"write to /usr", write_usr},
    {"write to /.hearth/run", write_hearth},
    {"write /etc/passwd", write_passwd},
    {"write /etc/hosts", write_hosts},
    {"write hearth-init", write_init},
    {"write /proc/1/exe", write_init_exe},
    {"hard link to a foreign file", hard_link},
    {"freeze /tmp", freeze_tmp},
    {"shut down /tmp", shut_down_tmp},
    {"immutable file", immutable_file},
    {"mknod of memory", mknod_mem},
    {"mknod of a disk", mknod_disk},
    {"/dev/mem", dev_mem},
    {"/dev/kmsg", dev_kmsg},
    {"/dev/port", dev_port},
    {"/dev/fuse", dev_fuse},
    {"/dev/kvm", dev_kvm},
    {"/dev/net/tun", dev_tun},
    {"/dev/vsock", dev_vsock},
    {"/dev/loop-control", dev_loop},
    {"other devices", other_devices},
    {NULL, NULL},
};
