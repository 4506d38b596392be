/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/scratch_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <linux/mount.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

#include "common/base/alloc.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/list.h"
#include "common/base/log.h"
#include "common/base/str.h"
#include "invoker/demand.h"
#include "invoker/run_program.h"

#define SIZES_MAX 8 /* kept ready; of the others each is made when it is wanted */
#define READY_LEAST 2
#define READY_MAX 32
#define IN_USE_US MINUTES(5) /* a size that was asked for so lately */
#define MKFS_LIMIT_MS 30000
#define PROBE_MIB 512 /* Lambda's default */
#define LOOP_TRIES 16 /* others may take the free device that we were told of */
#define BLOCK 4096u

/* Of what is on the disk the rest stays free: for logs, code and others. */
#define KEPT_FREE (1024ull * 1024u * 1024u)
#define KEPT_FREE_PART 20u /* or that part of all, where it is less */

struct scratch_disk {
    struct list_node node; /* in scratch_disks->promised */
    uint64_t bytes; /* which it may come to have */
    int file; /* tells how many it has; -1 while it is being made */
    int mount; /* -1: taken */
};

struct size {
    uint32_t mib; /* 0: free place */
    uint64_t asked_us;
    struct demand demand;
    struct scratch_disk *ready[READY_MAX];
    int len;
};

struct scratch_disks {
    char *dir;
    const char *mkfs;
    pthread_mutex_t lock; /* of what follows */
    struct size sizes[SIZES_MAX];
    struct list_node promised; /* all that were made and are not gone */
    pthread_mutex_t template_lock; /* one makes a template at a time */
};

/* ---- a file system in a file */

/* Room for @mib of files: ext4 takes 1.6 % for inodes and some for its tables. */
static uint64_t image_bytes(uint32_t mib)
{
    uint64_t bytes = (uint64_t)mib * 1048576u;

    return (bytes + bytes / 32 + 4u * 1048576u) / BLOCK * BLOCK;
}

static int open_unlinked(const char *dir, struct error *err)
{
    CLEANUP(freep) char *path = str_printf("%s/disk.XXXXXX", dir);
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
        fd = mkostemp(path, O_CLOEXEC);
        if (fd >= 0)
            unlink(path);
    }
    return fd < 0 ? error_set_errno(err, ERR_SYSTEM, errno, "making a file in %s", dir) : fd;
}

/* What is not a hole: a few hundred KiB, whatever the size. */
static int copy_data(int from, int to)
{
    static const size_t step = 1u << 20;
    off_t at = 0, end;
    struct stat st;
    ssize_t n;

    if (fstat(from, &st) < 0 || ftruncate(to, st.st_size) < 0)
        return -1;
    while ((at = lseek(from, at, SEEK_DATA)) >= 0) {
        end = lseek(from, at, SEEK_HOLE);
        while (at < end) {
            off_t in = at, out = at;

            n = copy_file_range(from, &in, to, &out, (size_t)(end - at) < step ? (size_t)(end - at)
                                                                               : step, 0);
            if (n <= 0)
                return -1;
            at += n;
        }
    }
    return errno == ENXIO ? 0 : -1;
}

/* The device goes by itself when its last user does: the mount. */
static int loop_open(int file, char *ret_path, size_t cap, struct error *err)
{
    const struct loop_config config = {
        .fd = (uint32_t)file, .block_size = BLOCK, .info.lo_flags = LO_FLAGS_AUTOCLEAR};
    CLEANUP(closep) int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    int i, n, fd;

    if (control < 0)
        return error_set_errno(err, ERR_UNSUPPORTED, errno, "opening /dev/loop-control");
    for (i = 0; i < LOOP_TRIES; i++) {
        n = ioctl(control, LOOP_CTL_GET_FREE);
        if (n < 0)
            break;
        snprintf(ret_path, cap, "/dev/loop%d", n);
        fd = open(ret_path, O_RDWR | O_CLOEXEC);
        if (fd < 0)
            break;
        if (ioctl(fd, LOOP_CONFIGURE, &config) == 0)
            return fd;
        close(fd);
        if (errno != EBUSY)
            break;
    }
    return error_set_errno(err, ERR_UNSUPPORTED, errno, "no loop device is to be had");
}

static int mount_file(int file, struct error *err)
{
    char device[32] = "";
    CLEANUP(closep) int loop = loop_open(file, device, sizeof(device), err);
    CLEANUP(closep) int fs = -1;
    int fd = -1;

    if (loop < 0)
        return loop;
    fs = (int)syscall(SYS_fsopen, "ext4", FSOPEN_CLOEXEC);
    if (fs >= 0 && syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "source", device, 0) == 0 &&
        syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
        fd = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC,
                          MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOATIME);
    return fd < 0 ? error_set_errno(err, ERR_SYSTEM, errno, "mounting %s", device) : fd;
}

/* Without a journal: nobody reads it after a crash. The file system of each size is made once. */
static int make_template(struct scratch_disks *s, uint32_t mib, const char *path,
                         struct error *err)
{
    CLEANUP(freep) char *part = str_printf("%s.part", path);
    const char *const argv[] = {s->mkfs, "-q", "-F", "-O", "^has_journal,^resize_inode", "-m", "0",
                                "-b", "4096", "-i", "16384", "-E",
                                "lazy_itable_init=1,nodiscard", part, NULL};
    CLEANUP(closep) int file = open(part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CLEANUP(closep) int mount = -1;
    CLEANUP(closep) int root = -1;
    int r;

    if (file < 0 || ftruncate(file, (off_t)image_bytes(mib)) < 0)
        return error_set_errno(err, ERR_SYSTEM, errno, "making %s", part);
    r = run_program(&(struct run_program){argv, -1, NULL, MKFS_LIMIT_MS}, err);
    if (r < 0)
        return r;
    mount = mount_file(file, err);
    if (mount < 0)
        return mount;
    root = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0 || unlinkat(root, "lost+found", AT_REMOVEDIR) < 0 || fchmod(root, 01777) < 0 ||
        syncfs(root) < 0 || rename(part, path) < 0)
        return error_set_errno(err, ERR_SYSTEM, errno, "making %s", path);
    return 0;
}

static int open_template(struct scratch_disks *s, uint32_t mib, struct error *err)
{
    CLEANUP(freep) char *path = str_printf("%s/%u", s->dir, mib);
    int fd, r = 0;

    pthread_mutex_lock(&s->template_lock);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        r = make_template(s, mib, path, err);
    if (fd < 0 && r == 0)
        fd = open(path, O_RDONLY | O_CLOEXEC);
    pthread_mutex_unlock(&s->template_lock);
    return fd >= 0 ? fd : r < 0 ? r : error_set_errno(err, ERR_SYSTEM, errno, "opening %s", path);
}

/* ---- room for all of them, should they be filled */

static void disk_free(struct scratch_disks *s, struct scratch_disk *disk)
{
    pthread_mutex_lock(&s->lock);
    list_remove(&disk->node);
    pthread_mutex_unlock(&s->lock);
    closep(&disk->mount);
    closep(&disk->file);
    free(disk);
}

/* Bytes that those promised have not taken yet; the caller holds the lock. */
static uint64_t owed(const struct scratch_disks *s)
{
    const struct scratch_disk *disk;
    const struct list_node *node;
    uint64_t sum = 0, has;
    struct stat st;

    LIST_FOREACH(&s->promised, node)
    {
        disk = CONTAINER_OF(node, struct scratch_disk, node);
        has = disk->file >= 0 && fstat(disk->file, &st) == 0 ? (uint64_t)st.st_blocks * 512u : 0;
        sum += disk->bytes > has ? disk->bytes - has : 0;
    }
    return sum;
}

/* A disk that is promised its room, and not made yet. */
static int disk_promise(struct scratch_disks *s, uint32_t mib, struct scratch_disk **ret,
                        struct error *err)
{
    struct scratch_disk *disk = xcalloc(sizeof(*disk));
    uint64_t there, keep, wanted;
    struct statvfs fs;

    *disk = (struct scratch_disk){.bytes = image_bytes(mib), .file = -1, .mount = -1};
    if (statvfs(s->dir, &fs) < 0) {
        free(disk);
        return error_set_errno(err, ERR_SYSTEM, errno, "looking for room in %s", s->dir);
    }
    there = (uint64_t)fs.f_bavail * fs.f_frsize;
    keep = (uint64_t)fs.f_blocks * fs.f_frsize / KEPT_FREE_PART;
    pthread_mutex_lock(&s->lock);
    list_append(&s->promised, &disk->node);
    wanted = owed(s) + (keep < KEPT_FREE ? keep : KEPT_FREE);
    pthread_mutex_unlock(&s->lock);
    if (wanted > there) {
        disk_free(s, disk);
        return error_set(err, ERR_UNAVAILABLE,
                         "%s has %llu MiB free, and the disks there would need %llu with another "
                         "one of %u",
                         s->dir, (unsigned long long)(there >> 20),
                         (unsigned long long)(wanted >> 20), mib);
    }
    *ret = disk;
    return 0;
}

static int disk_fill(struct scratch_disks *s, uint32_t mib, struct scratch_disk *disk,
                     struct error *err)
{
    CLEANUP(closep) int from = open_template(s, mib, err);
    int file;

    if (from < 0)
        return from;
    file = open_unlinked(s->dir, err);
    if (file < 0)
        return file;
    pthread_mutex_lock(&s->lock);
    disk->file = file;
    pthread_mutex_unlock(&s->lock);
    if (copy_data(from, file) < 0)
        return error_set_errno(err, ERR_SYSTEM, errno, "making a disk of %u MiB", mib);
    disk->mount = mount_file(file, err);
    return disk->mount < 0 ? disk->mount : 0;
}

static int disk_make(struct scratch_disks *s, uint32_t mib, struct scratch_disk **ret,
                     struct error *err)
{
    struct scratch_disk *disk;
    int r = disk_promise(s, mib, &disk, err);

    if (r < 0)
        return r;
    r = disk_fill(s, mib, disk, err);
    if (r < 0)
        disk_free(s, disk);
    else
        *ret = disk;
    return r;
}

/* ---- those that are ready; the caller holds the lock */

static struct size *size_find(struct scratch_disks *s, uint32_t mib)
{
    size_t i;

    for (i = 0; i < SIZES_MAX; i++)
        if (s->sizes[i].mib == mib)
            return &s->sizes[i];
    return NULL;
}

/* @size is free afterwards; those that it had are @ret's, to be freed without the lock. */
static void size_drop(struct size *size, struct size *ret)
{
    *ret = *size;
    *size = (struct size){0};
}

static void size_free(struct scratch_disks *s, struct size *dropped)
{
    while (dropped->len)
        disk_free(s, dropped->ready[--dropped->len]);
}

/* The place of @mib, which takes that of the one that was not asked for longest: @ret_dropped. */
static struct size *size_use(struct scratch_disks *s, uint32_t mib, struct size *ret_dropped)
{
    struct size *size = size_find(s, mib);
    size_t i;

    if (!size) {
        size = s->sizes;
        for (i = 1; i < SIZES_MAX; i++)
            if (s->sizes[i].asked_us < size->asked_us)
                size = &s->sizes[i];
        size_drop(size, ret_dropped);
        size->mib = mib;
    }
    size->asked_us = now_us();
    demand_take(&size->demand, size->asked_us);
    return size;
}

/* ---- scratch_disk.h */

bool scratch_disk_is_ready(struct scratch_disks *s, uint32_t mib)
{
    struct size *size;
    bool ready;

    pthread_mutex_lock(&s->lock);
    size = size_find(s, mib);
    ready = size && size->len > 0;
    pthread_mutex_unlock(&s->lock);
    return ready;
}

int scratch_disk_open(struct scratch_disks *s, uint32_t mib, struct scratch_disk **ret,
                      struct error *err)
{
    struct scratch_disk *disk = NULL;
    struct size dropped = {0};
    struct size *size;

    pthread_mutex_lock(&s->lock);
    size = size_use(s, mib, &dropped);
    if (size->len)
        disk = size->ready[--size->len];
    pthread_mutex_unlock(&s->lock);
    size_free(s, &dropped);
    if (!disk)
        return disk_make(s, mib, ret, err);
    *ret = disk;
    return 0;
}

int scratch_disk_take_mount(struct scratch_disk *disk)
{
    return TAKE_FD(disk->mount);
}

void scratch_disk_gone(struct scratch_disks *s, struct scratch_disk *disk)
{
    if (disk)
        disk_free(s, disk);
}

/* The size that lacks most of what it is asked for; sizes out of use give theirs back. */
static uint32_t neediest(struct scratch_disks *s)
{
    struct size dropped[SIZES_MAX] = {{0}};
    uint64_t now = now_us();
    uint32_t mib = 0, most = 0;
    size_t i;

    pthread_mutex_lock(&s->lock);
    for (i = 0; i < SIZES_MAX; i++) {
        struct size *size = &s->sizes[i];
        uint32_t wanted = demand_wanted(&size->demand, now, READY_LEAST, READY_MAX);

        if (size->mib && now - size->asked_us > IN_USE_US)
            size_drop(size, &dropped[i]);
        else if (size->mib && wanted > (uint32_t)size->len + most) {
            most = wanted - (uint32_t)size->len;
            mib = size->mib;
        }
    }
    pthread_mutex_unlock(&s->lock);
    for (i = 0; i < SIZES_MAX; i++)
        size_free(s, &dropped[i]);
    return mib;
}

bool scratch_disks_refill(struct scratch_disks *s)
{
    uint32_t mib = neediest(s);
    struct scratch_disk *disk;
    struct size *size;
    struct error err;
    int r;

    if (!mib)
        return false;
    r = disk_make(s, mib, &disk, &err);
    if (r < 0) {
        if (r != -ERR_UNAVAILABLE) /* who wants one then tells of it */
            log_warn("launcher", "no disk for /tmp", KV_ERR(&err));
        return false;
    }
    pthread_mutex_lock(&s->lock);
    size = size_find(s, mib);
    if (size && size->len < READY_MAX)
        size->ready[size->len++] = TAKE(disk);
    pthread_mutex_unlock(&s->lock);
    scratch_disk_gone(s, disk);
    return true;
}

static const char *find_mkfs(void)
{
    static const char *const paths[] = {"/usr/sbin/mkfs.ext4", "/sbin/mkfs.ext4",
                                        "/usr/bin/mkfs.ext4"};
    size_t i;

    for (i = 0; i < ARRAY_LEN(paths); i++)
        if (access(paths[i], X_OK) == 0)
            return paths[i];
    return NULL;
}

/* As a function may ask for it. */
static int probe(struct scratch_disks *s, struct error *err)
{
    struct scratch_disk *disk;
    int r;

    if (!s->mkfs)
        return error_set(err, ERR_UNSUPPORTED, "mkfs.ext4 is not installed");
    r = scratch_disk_open(s, PROBE_MIB, &disk, err);
    if (r < 0)
        return r;
    s->sizes[0].ready[s->sizes[0].len++] = disk; /* the only one there is */
    return 0;
}

int scratch_disks_new(const char *dir, struct scratch_disks **ret, struct error *err)
{
    struct scratch_disks *s = calloc(1, sizeof(*s));
    int r;

    if (!s)
        abort();
    pthread_mutex_init(&s->lock, NULL);
    pthread_mutex_init(&s->template_lock, NULL);
    list_init(&s->promised);
    s->dir = str_dup(str_of(dir));
    s->mkfs = find_mkfs();
    r = dir_remove(dir, err);
    if (r == 0)
        r = dir_make(dir, 0700, err);
    if (r == 0)
        r = probe(s, err);
    if (r < 0) {
        scratch_disks_free(s);
        return r;
    }
    *ret = s;
    return 0;
}

void scratch_disks_free(struct scratch_disks *s)
{
    size_t i;

    if (!s)
        return;
    for (i = 0; i < SIZES_MAX; i++)
        size_free(s, &s->sizes[i]);
    pthread_mutex_destroy(&s->lock);
    pthread_mutex_destroy(&s->template_lock);
    free(s->dir);
    free(s);
}
