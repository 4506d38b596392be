/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/rootfs_mount.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "invoker/sandbox_limits.h"
#include "invoker/scratch_disk.h"

#define ROOTS_MAX 64
#define LAYERS_MAX 128 /* Docker allows 127 */
/* Our layers in an overlay: for /opt, for /var/task, and the common one. */
#define OWN_LAYERS_MAX 3

/* A kept overlay. */
struct root {
    char *key; /* its layers */
    int fd; /* detached mount */
    uint64_t used; /* when, in the mounter's own count */
};

struct rootfs_mounts {
    char *base, *task, *opt; /* folders of our layers */
    struct scratch_disks *disks; /* NULL: /tmp is memory */
    bool clones; /* the kernel makes clones of detached mounts */
    pthread_mutex_t lock; /* of what follows */
    struct root roots[ROOTS_MAX];
    size_t len;
    uint64_t count;
};

/* ---- the kernel's calls */

static int fs_open(const char *type)
{
    return (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
}

static int fs_set(int fs, const char *key, const char *value)
{
    return (int)syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, key, value, 0);
}

static int fs_create(int fs)
{
    return (int)syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
}

static int fs_mount(int fs, unsigned attributes)
{
    return (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attributes);
}

static int tree_clone(int dir, const char *path, unsigned flags)
{
    return (int)syscall(SYS_open_tree, dir, path, flags | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
}

static int tree_protect(int fd)
{
    struct mount_attr attr = {.attr_set =
                                  MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV};

    return (int)syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &attr, sizeof(attr));
}

/* ---- the overlay */

/* What an overlay is made of, the uppermost first. */
struct stack {
    const char *dirs[OWN_LAYERS_MAX + LAYERS_MAX];
    size_t len;
};

static int stack_make(const struct rootfs_mounts *m, const struct rootfs_request *request,
                      struct stack *ret, struct error *err)
{
    char *const *layer;

    ret->len = 0;
    if (request->layers_dir)
        ret->dirs[ret->len++] = m->opt;
    if (request->code_dir)
        ret->dirs[ret->len++] = m->task;
    ret->dirs[ret->len++] = m->base;
    for (layer = request->layers; layer && *layer; layer++) {
        if (ret->len == ARRAY_LEN(ret->dirs))
            return error_set(err, ERR_UNSUPPORTED, "the image has more than %d layers", LAYERS_MAX);
        ret->dirs[ret->len++] = *layer;
    }
    if (ret->dirs[ret->len - 1] == m->base)
        return error_set(err, ERR_UNSUPPORTED,
                         "the image store does not tell the folders of the image's layers");
    return 0;
}

static char *stack_key(const struct stack *s)
{
    struct buf b = BUF_INIT(1u << 20);
    size_t i;

    for (i = 0; i < s->len; i++)
        (void)buf_printf(&b, "%s\n", s->dirs[i]);
    return buf_take(&b);
}

static int overlay_error(const struct stack *s, struct error *err)
{
    int saved = errno;
    size_t i;

    for (i = 0; i < s->len; i++)
        if (access(s->dirs[i], F_OK) < 0)
            return error_set_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM, errno,
                                   "the layer %s", s->dirs[i]);
    return error_set_errno(err, saved == EINVAL || saved == ENOSYS ? ERR_UNSUPPORTED : ERR_SYSTEM,
                           saved, "mounting the image's layers (Linux 6.7 or later is needed)");
}

static int overlay_mount(const struct stack *s, struct error *err)
{
    CLEANUP(closep) int fs = fs_open("overlay");
    size_t i;
    int fd;

    if (fs < 0)
        return overlay_error(s, err);
    for (i = 0; i < s->len; i++)
        if (fs_set(fs, "lowerdir+", s->dirs[i]) < 0)
            return overlay_error(s, err);
    if (syscall(SYS_fsconfig, fs, FSCONFIG_SET_FLAG, "ro", NULL, 0) < 0 || fs_create(fs) < 0)
        return overlay_error(s, err);
    fd = fs_mount(fs, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    return fd < 0 ? overlay_error(s, err) : fd;
}

/* ---- those that are kept; the caller holds the lock */

static struct root *root_find(struct rootfs_mounts *m, const char *key)
{
    size_t i;

    for (i = 0; i < m->len; i++)
        if (strcmp(m->roots[i].key, key) == 0)
            return &m->roots[i];
    return NULL;
}

static void root_drop(struct rootfs_mounts *m, struct root *root)
{
    free(root->key);
    close(root->fd);
    *root = m->roots[--m->len];
}

/* Another thread may have been faster: then ours is one too many. */
static void root_keep(struct rootfs_mounts *m, const char *key, int fd)
{
    struct root *oldest = m->roots;
    size_t i;

    if (root_find(m, key)) {
        close(fd);
        return;
    }
    for (i = 1; i < m->len; i++)
        if (m->roots[i].used < oldest->used)
            oldest = &m->roots[i];
    if (m->len == ROOTS_MAX)
        root_drop(m, oldest);
    m->roots[m->len++] = (struct root){str_dup(str_of(key)), fd, ++m->count};
}

/* A clone of the one that is kept, or -1. One whose layers were removed is of no use. */
static int root_clone(struct rootfs_mounts *m, const char *key, const struct stack *s)
{
    struct root *root;
    int fd = -1;

    pthread_mutex_lock(&m->lock);
    root = root_find(m, key);
    if (root && access(s->dirs[s->len - 1], F_OK) < 0) {
        root_drop(m, root);
    } else if (root) {
        root->used = ++m->count;
        fd = tree_clone(root->fd, "", AT_EMPTY_PATH);
    }
    pthread_mutex_unlock(&m->lock);
    return fd;
}

/* A mount of its own for each sandbox where the kernel makes no clones. */
static int root_open(struct rootfs_mounts *m, const struct rootfs_request *request,
                     struct error *err)
{
    CLEANUP(freep) char *key = NULL;
    struct stack s;
    int fd, clone, r = stack_make(m, request, &s, err);

    if (r < 0)
        return r;
    key = stack_key(&s);
    fd = root_clone(m, key, &s);
    if (fd >= 0)
        return fd;
    fd = overlay_mount(&s, err);
    clone = fd >= 0 && m->clones ? tree_clone(fd, "", AT_EMPTY_PATH) : -1;
    if (clone < 0)
        return fd;
    pthread_mutex_lock(&m->lock);
    root_keep(m, key, fd);
    pthread_mutex_unlock(&m->lock);
    return clone;
}

/* ---- the others */

/* Its pages count towards the memory of the cgroup that writes them. */
static int memory_open(uint32_t mib, struct error *err)
{
    CLEANUP(closep) int fs = fs_open("tmpfs");
    char size[24];
    int fd = -1;

    snprintf(size, sizeof(size), "%um", mib);
    if (fs >= 0 && fs_set(fs, "size", size) == 0 && fs_set(fs, "mode", "1777") == 0 &&
        fs_create(fs) == 0)
        fd = fs_mount(fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    return fd < 0 ? error_set_errno(err, ERR_SYSTEM, errno, "making /tmp") : fd;
}

static int tmp_open(struct rootfs_mounts *m, uint32_t mib, struct scratch_disk **ret_disk,
                    struct error *err)
{
    struct error own;

    if (m->disks && scratch_disk_open(m->disks, mib, ret_disk, &own) == 0)
        return scratch_disk_take_mount(*ret_disk);
    if (m->disks) /* loop devices, or the disk, may be used up: better a /tmp that counts than none */
        log_warn("launcher", "no disk for /tmp: it is memory", KV_ERR(&own));
    return memory_open(mib, err);
}

static int folder_open(const char *path, struct error *err)
{
    CLEANUP(closep) int fd = tree_clone(AT_FDCWD, path, 0);

    if (fd < 0 || tree_protect(fd) < 0)
        return error_set_errno(err, ERR_SYSTEM, errno, "mounting %s", path);
    return TAKE_FD(fd);
}

/* ---- rootfs_mount.h */

bool rootfs_is_quick(struct rootfs_mounts *m, const struct rootfs_request *request)
{
    CLEANUP(freep) char *key = NULL;
    struct stack s;
    bool found;

    if (stack_make(m, request, &s, NULL) < 0)
        return true; /* it fails at once */
    key = stack_key(&s);
    pthread_mutex_lock(&m->lock);
    found = root_find(m, key) != NULL;
    pthread_mutex_unlock(&m->lock);
    return found && (!m->disks || scratch_disk_is_ready(m->disks, request->tmp_mib));
}

bool rootfs_refill(struct rootfs_mounts *m)
{
    return m->disks && scratch_disks_refill(m->disks);
}

static int add(struct rootfs *r, uint8_t flag, int fd)
{
    if (fd < 0)
        return fd;
    r->fds[r->fds_len++] = fd;
    r->mounts |= flag;
    return 0;
}

int rootfs_make(struct rootfs_mounts *m, const struct rootfs_request *request, struct rootfs *ret,
                struct error *err)
{
    struct rootfs made = {0};
    int r = add(&made, 0, root_open(m, request, err));

    if (r == 0)
        r = add(&made, INIT_MOUNT_TMP, tmp_open(m, request->tmp_mib, &made.disk, err));
    if (r == 0 && request->code_dir)
        r = add(&made, INIT_MOUNT_TASK, folder_open(request->code_dir, err));
    if (r == 0 && request->layers_dir)
        r = add(&made, INIT_MOUNT_OPT, folder_open(request->layers_dir, err));
    if (r < 0) {
        rootfs_close(&made);
        rootfs_gone(m, &made);
    } else {
        *ret = made;
    }
    return r;
}

void rootfs_close(struct rootfs *r)
{
    while (r->fds_len)
        close(r->fds[--r->fds_len]);
}

void rootfs_gone(struct rootfs_mounts *m, struct rootfs *r)
{
    if (r->disk)
        scratch_disk_gone(m->disks, TAKE(r->disk));
}

/* ---- making it */

/* Seen in the sandbox as it is, whatever our own umask. */
static int make_folder(const char *dir, const char *name, struct error *err)
{
    CLEANUP(freep) char *path = str_printf("%s%s", dir, name);
    int r = dir_make(path, 0755, err);

    if (r == 0 && chmod(path, 0755) < 0)
        r = error_set_errno(err, ERR_SYSTEM, errno, "making %s", path);
    return r;
}

static int make_file(const char *dir, const char *name, const char *text, struct error *err)
{
    CLEANUP(freep) char *path = str_printf("%s/etc/%s", dir, name);
    CLEANUP(closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) || fchmod(fd, 0644) < 0)
        return error_set_errno(err, ERR_SYSTEM, errno, "writing %s", path);
    return 0;
}

static int make_layers(const struct rootfs_mounts *m, char *const *name_servers, struct error *err)
{
    CLEANUP(buf_done) struct buf resolv = BUF_INIT(4096);
    char *const *server;
    const struct {
        const char *dir, *name;
    } folders[] = {
        {m->base, ""},     {m->base, "/proc"},    {m->base, "/sys"}, {m->base, "/dev"},
        {m->base, "/tmp"}, {m->base, "/etc"},     {m->task, ""},     {m->task, "/var"},
        {m->opt, ""},      {m->task, "/var/task"}, {m->opt, "/opt"},
    };
    int r = 0;
    size_t i;

    for (i = 0; r == 0 && i < ARRAY_LEN(folders); i++)
        r = make_folder(folders[i].dir, folders[i].name, err);
    if (r == 0)
        r = make_file(m->base, "hostname", SANDBOX_HOSTNAME "\n", err);
    if (r == 0)
        r = make_file(m->base, "hosts",
                      "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
                      "127.0.0.1\tsandbox.localdomain sandbox\n", err);
    for (server = name_servers; *server; server++)
        (void)buf_printf(&resolv, "nameserver %s\n", *server);
    (void)buf_append_char(&resolv, '\0');
    return r == 0 ? make_file(m->base, "resolv.conf", resolv.ptr, err) : r;
}

/* Two of our own layers play an image. */
static int check_kernel(struct rootfs_mounts *m, struct error *err)
{
    const struct stack s = {{m->base, m->opt}, 2};
    CLEANUP(closep) int fd = overlay_mount(&s, err);
    CLEANUP(closep) int clone = fd < 0 ? -1 : tree_clone(fd, "", AT_EMPTY_PATH);

    m->clones = clone >= 0;
    return fd < 0 ? fd : 0;
}

int rootfs_mounts_new(const char *dir, const char *scratch_dir, char *const *name_servers,
                      struct rootfs_mounts **ret, struct error *err)
{
    struct rootfs_mounts *m = calloc(1, sizeof(*m));
    struct error why;
    int r;

    if (!m)
        abort();
    pthread_mutex_init(&m->lock, NULL);
    m->base = str_printf("%s/base", dir);
    m->task = str_printf("%s/task", dir);
    m->opt = str_printf("%s/opt", dir);
    r = make_layers(m, name_servers, err);
    if (r == 0)
        r = check_kernel(m, err);
    if (r < 0) {
        rootfs_mounts_free(m);
        return r;
    }
    if (scratch_dir && scratch_disks_new(scratch_dir, &m->disks, &why) < 0)
        log_warn("launcher", "/tmp counts towards functions' memory: there are no disks for it",
                 KV_ERR(&why));
    *ret = m;
    return 0;
}

void rootfs_mounts_free(struct rootfs_mounts *m)
{
    if (!m)
        return;
    while (m->len)
        root_drop(m, m->roots);
    scratch_disks_free(m->disks);
    pthread_mutex_destroy(&m->lock);
    free(m->base);
    free(m->task);
    free(m->opt);
    free(m);
}
