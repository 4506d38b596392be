/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

int file_read(const char *path, struct buf *b, struct error *err)
{
    CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t start = b->len;
    ssize_t n;
    int r;

    if (fd < 0)
        return error_set_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM, errno,
                               "opening %s", path);
    for (;;) {
        r = buf_reserve(b, 4096);
        if (r < 0 && b->len < b->max)
            r = buf_reserve(b, b->max - b->len);
        if (r < 0)
            break;
        n = read(fd, b->ptr + b->len, b->cap - b->len - 1 < b->max - b->len ? b->cap - b->len - 1
                                                                          : b->max - b->len);
        if (n == 0)
            return 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            r = error_set_errno(err, ERR_SYSTEM, errno, "reading %s", path);
            b->len = start;
            return r;
        }
        b->len += (size_t)n;
    }
    b->len = start;
    return error_set(err, ERR_TOO_LARGE, "%s is larger than %zu bytes", path, b->max);
}

static int write_all(int fd, struct str s)
{
    ssize_t n;

    while (s.len) {
        n = write(fd, s.ptr, s.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        s = str_sub(s, (size_t)n, s.len);
    }
    return 0;
}

static int sync_parent(const char *path)
{
    CLEANUP(freep) char *copy = str_dup(str_of(path));
    CLEANUP(closep) int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || fsync(fd) < 0)
        return -errno;
    return 0;
}

int file_write_atomic(const char *path, struct str s, mode_t mode, struct error *err)
{
    CLEANUP(freep) char *tmp = str_printf("%s.XXXXXX", path);
    CLEANUP(closep) int fd = mkostemp(tmp, O_CLOEXEC);
    int r;

    if (fd < 0)
        return error_set_errno(err, ERR_SYSTEM, errno, "creating a file beside %s", path);
    r = write_all(fd, s);
    if (r == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0 || rename(tmp, path) < 0))
        r = -errno;
    if (r < 0) {
        unlink(tmp);
        return error_set_errno(err, ERR_SYSTEM, -r, "writing %s", path);
    }
    r = sync_parent(path);
    if (r < 0)
        return error_set_errno(err, ERR_SYSTEM, -r, "writing the folder of %s", path);
    return 0;
}

int dir_make(const char *path, mode_t mode, struct error *err)
{
    CLEANUP(freep) char *p = str_dup(str_of(path));
    struct stat st;
    char *slash;

    for (slash = strchr(p + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(p, 0755) < 0 && errno != EEXIST)
            return error_set_errno(err, ERR_SYSTEM, errno, "creating folder %s", p);
        *slash = '/';
    }
    if (mkdir(p, mode) < 0 && errno != EEXIST)
        return error_set_errno(err, ERR_SYSTEM, errno, "creating folder %s", p);
    if (stat(p, &st) < 0 || !S_ISDIR(st.st_mode))
        return error_set_errno(err, ERR_SYSTEM, ENOTDIR, "creating folder %s", p);
    return 0;
}

/* Returns 0 or -1 with errno. Each folder is opened from its parent: paths may be of any length. */
static int remove_at(int parent, const char *name)
{
    struct dirent *e;
    struct stat st;
    DIR *dir;
    int fd, r = 0, saved;

    if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : -1;
    if (!S_ISDIR(st.st_mode))
        return unlinkat(parent, name, 0) < 0 && errno != ENOENT ? -1 : 0;
    fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        closep(&fd);
        return -1;
    }
    while (r == 0 && (errno = 0, e = readdir(dir)))
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            r = remove_at(fd, e->d_name);
    if (r == 0 && errno)
        r = -1;
    saved = errno;
    closedir(dir); /* and fd */
    errno = saved;
    return r == 0 && unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -1 : r;
}

int dir_remove_at(int parent, const char *name, struct error *err)
{
    if (remove_at(parent, name) < 0)
        return error_set_errno(err, ERR_SYSTEM, errno, "removing %s", name);
    return 0;
}

int dir_remove(const char *path, struct error *err)
{
    return dir_remove_at(AT_FDCWD, path, err);
}
