/* SPDX-License-Identifier: Apache-2.0 */
/* Folders are opened one by one, relative to their parents: paths may be longer than PATH_MAX. */
#include "invoker/tree_merge.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/file.h"

static int open_folder(int parent, const char *name)
{
    return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static bool is_folder(int parent, const char *name)
{
    struct stat st;

    return fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static int merge_folders(int from, int to, struct error *err);

static int merge_entry(int from, int to, const char *name, struct error *err)
{
    CLEANUP(closep) int inner_to = -1;
    int r;

    if (is_folder(from, name) && is_folder(to, name)) {
        inner_to = open_folder(to, name);
        return merge_folders(open_folder(from, name), inner_to, err);
    }
    r = dir_remove_at(to, name, err);
    if (r == 0 && renameat(from, name, to, name) < 0)
        return error_set_errno(err, ERR_SYSTEM, errno, "moving %s", name);
    return r;
}

/* Closes @from. Either may be the -1 of an open that failed, with its errno. */
static int merge_folders(int from, int to, struct error *err)
{
    DIR *dir = from < 0 || to < 0 ? NULL : fdopendir(from);
    struct dirent *e;
    int r = 0;

    if (!dir) {
        r = error_set_errno(err, ERR_SYSTEM, errno, "opening a folder");
        closep(&from);
        return r;
    }
    while (r == 0 && (errno = 0, e = readdir(dir)))
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            r = merge_entry(from, to, e->d_name, err);
    if (r == 0 && errno)
        r = error_set_errno(err, ERR_SYSTEM, errno, "reading a folder");
    closedir(dir);
    return r;
}

int tree_merge(const char *from, const char *to, struct error *err)
{
    CLEANUP(closep) int to_fd = open_folder(AT_FDCWD, to);
    int r = merge_folders(open_folder(AT_FDCWD, from), to_fd, err);

    return r < 0 ? error_wrap(err, r, "laying %s over %s", from, to) : 0;
}
