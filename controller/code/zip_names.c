/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/code/zip_names.h"

#include <string.h>

#include "common/base/buf.h"

#define PATH_BYTES_MAX 4000u /* below PATH_MAX, with room for the folder it is unpacked into */
#define NAME_BYTES_MAX 255u

static char tags[3]; /* addresses stand for enum zip_kind */

void zip_names_init(struct zip_names *names)
{
    map_init(&names->paths, NULL);
}

void zip_names_done(struct zip_names *names)
{
    map_done(&names->paths);
}

static bool is_separator(char c)
{
    return c == '/' || c == '\\'; /* the second in archives that were made on Windows */
}

/* The next part of *@rest that is neither empty nor "."; false at the end. */
static bool next_part(struct str *rest, struct str *ret)
{
    size_t n;

    for (;;) {
        while (rest->len && is_separator(rest->ptr[0]))
            *rest = str_sub(*rest, 1, rest->len);
        if (rest->len == 0)
            return false;
        for (n = 0; n < rest->len && !is_separator(rest->ptr[n]); n++)
            ;
        *ret = str_sub(*rest, 0, n);
        *rest = str_sub(*rest, n, rest->len);
        if (!str_is(*ret, "."))
            return true;
    }
}

int zip_name_check(struct str path, struct error *err)
{
    struct str rest = path, part;

    if (path.len == 0 || path.len > PATH_BYTES_MAX)
        return error_set(err, ERR_BAD_REQUEST, "a path of %zu bytes", path.len);
    if (memchr(path.ptr, '\0', path.len))
        return error_set(err, ERR_BAD_REQUEST, "a path with a NUL byte");
    if (is_separator(path.ptr[0]) || (path.len > 1 && path.ptr[1] == ':'))
        return error_set(err, ERR_BAD_REQUEST, "absolute path \"%.*s\"", STR_ARG(path));
    while (next_part(&rest, &part)) {
        if (str_is(part, ".."))
            return error_set(err, ERR_BAD_REQUEST, "path \"%.*s\" leads out", STR_ARG(path));
        if (part.len > NAME_BYTES_MAX)
            return error_set(err, ERR_BAD_REQUEST, "a name of %zu bytes", part.len);
    }
    return 0;
}

/* "a//./b/" and "a\b" become "a/b"; the root becomes "". */
static void clean(struct str path, struct buf *ret)
{
    struct str part;

    buf_clear(ret);
    while (next_part(&path, &part)) {
        if (ret->len)
            buf_append_char(ret, '/');
        buf_append_str(ret, part);
    }
}

int zip_names_add(struct zip_names *names, struct str path, enum zip_kind kind, struct error *err)
{
    CLEANUP(buf_done) struct buf cleaned = BUF_INIT(PATH_BYTES_MAX + 1);
    void *before;
    int r;

    r = zip_name_check(path, err);
    if (r < 0)
        return r;
    clean(path, &cleaned);
    if (cleaned.len == 0 && kind != ZIP_FOLDER)
        return error_set(err, ERR_BAD_REQUEST, "path \"%.*s\" is the root", STR_ARG(path));
    before = map_get(&names->paths, buf_str(&cleaned));
    if (before && (before != &tags[ZIP_FOLDER] || kind != ZIP_FOLDER))
        return error_set(err, ERR_BAD_REQUEST, "path \"%.*s\" twice", STR_ARG(path));
    map_put(&names->paths, buf_str(&cleaned), &tags[kind]);
    return 0;
}

int zip_link_check(struct str path, struct str target, struct error *err)
{
    struct str rest = path, part;
    int depth = -1; /* of the folder that holds the link */

    if (target.len == 0 || target.len > PATH_BYTES_MAX || memchr(target.ptr, '\0', target.len) ||
        is_separator(target.ptr[0]))
        return error_set(err, ERR_BAD_REQUEST, "link \"%.*s\" leads out", STR_ARG(path));
    while (next_part(&rest, &part))
        depth++;
    rest = target;
    while (next_part(&rest, &part)) {
        depth += str_is(part, "..") ? -1 : 1;
        if (depth < 0)
            return error_set(err, ERR_BAD_REQUEST, "link \"%.*s\" leads out", STR_ARG(path));
    }
    return 0;
}

int zip_names_finish(const struct zip_names *names, struct error *err)
{
    struct str path;
    size_t at = 0, n;
    void *kind, *above;

    while (map_next(&names->paths, &at, &path, &kind)) {
        for (n = 0; n < path.len; n++) {
            if (path.ptr[n] != '/')
                continue;
            above = map_get(&names->paths, str_sub(path, 0, n));
            if (above && above != &tags[ZIP_FOLDER])
                return error_set(err, ERR_BAD_REQUEST, "path \"%.*s\" below what is no folder",
                                 STR_ARG(path));
        }
    }
    return 0;
}
