/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each entry's folders are opened one by one without following links, beginning at the target
 * folder, so that whatever lies on the way can only be a folder of our own making.
 */
#include "invoker/code_unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/str.h"

#define PATH_BYTES_MAX 4095
#define NAME_BYTES_MAX 255
#define DEPTH_MAX 128
#define CHUNK 65536

struct unpack {
    struct archive *archive;
    int root; /* the target folder */
    uint64_t bytes, bytes_max;
    struct error *err;
};

__attribute__((format(printf, 2, 3))) static int refuse(struct unpack *u, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return error_set(u->err, ERR_INVALID_ZIP, "%s", text);
}

static int refuse_archive(struct unpack *u)
{
    const char *why = archive_error_string(u->archive);

    return refuse(u,
                  "Could not unzip uploaded file. Please check your file, then try to upload "
                  "again. (%s)",
                  why ? why : "damaged");
}

/* Cuts the next component off *rest, leaving out empty ones and "."; false at the end. */
static bool next_component(struct str *rest, struct str *ret)
{
    while (rest->ptr && str_split(rest, '/', ret))
        if (ret->len > 0 && !str_is(*ret, "."))
            return true;
    return false;
}

static int check_path(struct unpack *u, const char *path)
{
    struct str rest = str_of(path), name;
    unsigned depth = 0;

    if (path[0] == '/' || rest.len > PATH_BYTES_MAX)
        return refuse(u, "The archive has a path that is absolute or too long: %.200s", path);
    while (next_component(&rest, &name)) {
        if (str_is(name, "..") || name.len > NAME_BYTES_MAX || ++depth > DEPTH_MAX)
            return refuse(u, "The archive has a path that is not allowed: %.200s", path);
    }
    return 0;
}

/*
 * A link at @path to @target must not lead above the target folder, as its words say. Through
 * other links it still might; but nothing on the host follows it, and a sandbox sees only its own.
 */
static int check_link(struct unpack *u, const char *path, const char *target)
{
    struct str rest = str_of(path), name;
    int depth = -1; /* of the folder that holds the link */

    while (next_component(&rest, &name))
        depth++;
    rest = str_of(target);
    if (rest.len == 0 || rest.len > PATH_BYTES_MAX || target[0] == '/')
        return refuse(u, "The archive has a link that leads out of it: %.200s", path);
    while (next_component(&rest, &name)) {
        depth += str_is(name, "..") ? -1 : 1;
        if (depth < 0)
            return refuse(u, "The archive has a link that leads out of it: %.200s", path);
    }
    return 0;
}

/* Opens the folder @name in @parent, made when it is not there. */
static int open_folder(struct unpack *u, int parent, struct str name, const char *path)
{
    char text[NAME_BYTES_MAX + 1];
    int fd;

    snprintf(text, sizeof(text), "%.*s", STR_ARG(name));
    if (mkdirat(parent, text, 0755) < 0 && errno != EEXIST)
        return error_set_errno(u->err, ERR_SYSTEM, errno, "making the folder of %.200s", path);
    fd = openat(parent, text, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
        return refuse(u, "The archive has a file and a folder of one name: %.200s", path);
    /* the mode must not depend on our umask */
    if (fd < 0 || fchmod(fd, 0755) < 0) {
        int saved = errno;

        closep(&fd);
        return error_set_errno(u->err, ERR_SYSTEM, saved, "making the folder of %.200s", path);
    }
    return fd;
}

/*
 * Walks to the folder that holds the last component of @path, which goes to @ret_name (empty
 * when there is none: the target folder itself). Returns the folder's descriptor or an error.
 */
static int walk(struct unpack *u, const char *path, struct str *ret_name)
{
    CLEANUP(closep) int fd = fcntl(u->root, F_DUPFD_CLOEXEC, 0);
    struct str rest = str_of(path), name, next;
    int child;

    *ret_name = STR("");
    if (fd < 0)
        return error_set_errno(u->err, ERR_SYSTEM, errno, "unpacking %.200s", path);
    if (!next_component(&rest, &name))
        return TAKE_FD(fd);
    while (next_component(&rest, &next)) {
        child = open_folder(u, fd, name, path);
        if (child < 0)
            return child;
        close(fd);
        fd = child;
        name = next;
    }
    *ret_name = name;
    return TAKE_FD(fd);
}

static int write_all(int fd, const char *ptr, size_t len)
{
    ssize_t n;

    while (len) {
        n = write(fd, ptr, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        ptr += n;
        len -= (size_t)n;
    }
    return 0;
}

static int copy_data(struct unpack *u, int fd, const char *path)
{
    char chunk[CHUNK];
    la_ssize_t n;

    while ((n = archive_read_data(u->archive, chunk, sizeof(chunk))) > 0) {
        u->bytes += (uint64_t)n;
        if (u->bytes > u->bytes_max)
            return refuse(u, "Unzipped size must be smaller than %llu bytes",
                          (unsigned long long)u->bytes_max);
        if (write_all(fd, chunk, (size_t)n) < 0)
            return error_set_errno(u->err, ERR_SYSTEM, errno, "writing %.200s", path);
    }
    return n < 0 ? refuse_archive(u) : 0;
}

static int unpack_file(struct unpack *u, struct archive_entry *entry, int folder, const char *name,
                       const char *path)
{
    const struct timespec times[2] = {{0, UTIME_OMIT}, {archive_entry_mtime(entry), 0}};
    CLEANUP(closep)
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    int r;

    if (fd < 0 && errno == EEXIST)
        return refuse(u, "The archive has a path twice: %.200s", path);
    if (fd < 0)
        return error_set_errno(u->err, ERR_SYSTEM, errno, "making %.200s", path);
    if (archive_entry_is_encrypted(entry))
        return refuse(u, "The archive is encrypted");
    r = copy_data(u, fd, path);
    if (r < 0)
        return r;
    if (fchmod(fd, 0644 | (archive_entry_perm(entry) & 0111)) < 0)
        return error_set_errno(u->err, ERR_SYSTEM, errno, "making %.200s", path);
    /* compiled Python compares dates */
    if (archive_entry_mtime_is_set(entry))
        futimens(fd, times);
    return 0;
}

static int unpack_link(struct unpack *u, struct archive_entry *entry, int folder, const char *name,
                       const char *path)
{
    const char *target = archive_entry_symlink_utf8(entry);
    int r;

    if (!target)
        target = archive_entry_symlink(entry);
    r = check_link(u, path, target ? target : "");
    if (r < 0)
        return r;
    if (symlinkat(target, folder, name) == 0)
        return 0;
    if (errno == EEXIST)
        return refuse(u, "The archive has a path twice: %.200s", path);
    return error_set_errno(u->err, ERR_SYSTEM, errno, "making %.200s", path);
}

static int unpack_entry(struct unpack *u, struct archive_entry *entry)
{
    const char *path = archive_entry_pathname_utf8(entry);
    CLEANUP(closep) int folder = -1;
    char name[NAME_BYTES_MAX + 1];
    struct str last;
    int r;

    if (!path) /* bytes of some other encoding: kept as they are */
        path = archive_entry_pathname(entry);
    r = path ? check_path(u, path) : refuse_archive(u);
    if (r < 0)
        return r;
    folder = walk(u, path, &last);
    if (folder < 0)
        return folder;
    snprintf(name, sizeof(name), "%.*s", STR_ARG(last));
    switch (archive_entry_filetype(entry)) {
    case AE_IFDIR:
        r = last.len ? open_folder(u, folder, last, path) : 0;
        if (r > 0)
            close(r);
        return r < 0 ? r : 0;
    case AE_IFREG:
        if (last.len)
            return unpack_file(u, entry, folder, name, path);
        break;
    case AE_IFLNK:
        if (last.len)
            return unpack_link(u, entry, folder, name, path);
        break;
    default:
        break;
    }
    return refuse(u, "The archive has something that is no file, folder or link: %.200s", path);
}

static int unpack_all(struct unpack *u, const char *archive)
{
    struct archive_entry *entry;
    unsigned entries = 0;
    int r;

    archive_read_support_format_zip_seekable(u->archive);
    if (archive_read_open_filename(u->archive, archive, CHUNK) != ARCHIVE_OK)
        return refuse_archive(u);
    while ((r = archive_read_next_header(u->archive, &entry)) != ARCHIVE_EOF) {
        /* a warning tells of a name in an unknown encoding, which we take as it is */
        if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
            return refuse_archive(u);
        if (++entries > CODE_ENTRIES_MAX)
            return refuse(u, "The archive has more than %u entries", CODE_ENTRIES_MAX);
        r = unpack_entry(u, entry);
        if (r < 0)
            return r;
    }
    return 0;
}

int code_unpack(const char *archive, const char *dir, uint64_t size_max, uint64_t *ret_bytes,
                struct error *err)
{
    struct unpack u = {.bytes_max = size_max, .err = err};
    CLEANUP(closep) int root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r;

    if (root < 0 || fchmod(root, 0755) < 0)
        return error_set_errno(err, ERR_SYSTEM, errno, "opening %s", dir);
    u.root = root;
    u.archive = archive_read_new();
    if (!u.archive)
        abort();
    r = unpack_all(&u, archive);
    archive_read_free(u.archive);
    if (r == 0)
        *ret_bytes = u.bytes;
    return r;
}
