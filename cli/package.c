/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/package.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fts.h>
#include <string.h>
#include <sys/stat.h>
#include <libgen.h>

#include "common/base/file.h"

#define FILE_MOST (256u * 1024u * 1024u)

static la_ssize_t on_bytes(struct archive *a, void *arg, const void *bytes, size_t len)
{
    if (buf_append(arg, bytes, len) == 0)
        return (la_ssize_t)len;
    archive_set_error(a, ENOSPC, "the archive is larger than 50 MB, Lambda's limit");
    return -1;
}

static int add_entry(struct archive *a, const char *name, const struct stat *st, struct str bytes,
                     struct error *err)
{
    struct archive_entry *e = archive_entry_new();
    int r;

    archive_entry_set_pathname(e, name);
    archive_entry_set_filetype(e, AE_IFREG);
    archive_entry_set_perm(e, st->st_mode & 0111 ? 0755 : 0644);
    archive_entry_set_size(e, (la_int64_t)bytes.len);
    archive_entry_set_mtime(e, 315532800, 0); /* 1980-01-01, the first day zip knows */
    r = archive_write_header(a, e);
    if (r == ARCHIVE_OK && bytes.len && archive_write_data(a, bytes.ptr, bytes.len) < 0)
        r = ARCHIVE_FATAL;
    archive_entry_free(e);
    if (r != ARCHIVE_OK)
        return error_set(err, ERR_TOO_LARGE, "packing %s: %s", name, archive_error_string(a));
    return 0;
}

static int add_file(struct archive *a, const char *path, const char *name, const struct stat *st,
                    struct error *err)
{
    CLEANUP(buf_done) struct buf bytes = BUF_INIT(FILE_MOST);
    int r = file_read(path, &bytes, err);

    return r < 0 ? r : add_entry(a, name, st, buf_str(&bytes), err);
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int add_folder(struct archive *a, const char *root, struct error *err)
{
    char *roots[] = {(char *)root, NULL};
    FTS *fts = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, by_name);
    size_t skip = strlen(root);
    const char *name;
    FTSENT *e;
    int r = 0;

    if (!fts)
        return error_set_errno(err, ERR_SYSTEM, errno, "reading %s", root);
    while (r == 0 && (e = fts_read(fts)) != NULL) {
        if (e->fts_info == FTS_ERR || e->fts_info == FTS_DNR || e->fts_info == FTS_NS)
            r = error_set_errno(err, ERR_SYSTEM, e->fts_errno, "reading %s", e->fts_path);
        if (e->fts_info != FTS_F)
            continue;
        name = e->fts_path + skip;
        while (*name == '/')
            name++;
        r = add_file(a, e->fts_accpath, name, e->fts_statp, err);
    }
    fts_close(fts);
    return r;
}

int package_make(const char *path, struct buf *zip, struct error *err)
{
    CLEANUP(freep) char *copy = str_dup(str_of(path));
    struct archive *a;
    struct stat st;
    int r;

    if (stat(path, &st) < 0)
        return error_set_errno(err, ERR_NOT_FOUND, errno, "reading %s", path);
    if (S_ISREG(st.st_mode) && str_ends(str_of(path), STR(".zip")))
        return file_read(path, zip, err);
    a = archive_write_new();
    archive_write_set_format_zip(a);
    archive_write_set_bytes_in_last_block(a, 1);
    archive_write_open(a, zip, NULL, on_bytes, NULL);
    r = S_ISDIR(st.st_mode) ? add_folder(a, path, err) : add_file(a, path, basename(copy), &st, err);
    if (r == 0 && archive_write_close(a) != ARCHIVE_OK)
        r = error_set(err, ERR_TOO_LARGE, "packing %s: %s", path, archive_error_string(a));
    archive_write_free(a);
    return r;
}
