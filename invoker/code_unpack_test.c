/* SPDX-License-Identifier: Apache-2.0 */
/* Archives are written by libarchive, which stores any name and mode it is given. */
#include "invoker/code_unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "common/base/file.h"

struct member {
    const char *path;
    unsigned mode; /* with the type */
    const char *content; /* of a link: its target */
};

struct fixture {
    char dir[64];
    char archive[96];
    char out[96];
    char path[160];
    uint64_t bytes;
    struct error err;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    snprintf(f->dir, sizeof(f->dir), "/tmp/hearth-unpack-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->archive, sizeof(f->archive), "%s/a.zip", f->dir);
    snprintf(f->out, sizeof(f->out), "%s/out", f->dir);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(dir_remove(f->dir, NULL), 0);
    free(f);
    return 0;
}

static void write_archive(const char *to, const struct member *members)
{
    struct archive *a = archive_write_new();
    struct archive_entry *e;

    archive_write_set_format_zip(a);
    assert_int_equal(archive_write_open_filename(a, to), ARCHIVE_OK);
    for (; members->path; members++) {
        e = archive_entry_new();
        archive_entry_set_pathname(e, members->path);
        archive_entry_set_mode(e, (__LA_MODE_T)members->mode);
        archive_entry_set_mtime(e, 1000000000, 0);
        if (S_ISLNK(members->mode))
            archive_entry_set_symlink(e, members->content);
        else if (members->content)
            archive_entry_set_size(e, (la_int64_t)strlen(members->content));
        assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
        if (S_ISREG(members->mode) && members->content)
            archive_write_data(a, members->content, strlen(members->content));
        archive_entry_free(e);
    }
    assert_int_equal(archive_write_free(a), ARCHIVE_OK);
}

static int unpack(struct fixture *f, const struct member *members, uint64_t max)
{
    write_archive(f->archive, members);
    assert_int_equal(dir_remove(f->out, NULL), 0);
    assert_int_equal(mkdir(f->out, 0700), 0);
    return code_unpack(f->archive, f->out, max, &f->bytes, &f->err);
}

static mode_t mode_of(struct fixture *f, const char *name)
{
    struct stat st;

    snprintf(f->path, sizeof(f->path), "%s/%s", f->out, name);
    assert_int_equal(lstat(f->path, &st), 0);
    return st.st_mode;
}

static void test_files_folders_and_links_come_out_with_plain_modes(void **state)
{
    static const struct member members[] = {
        {"bootstrap", S_IFREG | 06750, "#!/bin/sh\n"},
        {"lib/", S_IFDIR | 0700, NULL},
        {"lib/./deep//m.py", S_IFREG | 0600, "print(1)\n"},
        {"lib/", S_IFDIR | 0755, NULL},
        {"empty", S_IFREG | 0, ""},
        {"lib/deep/up", S_IFLNK | 0777, "../../bootstrap"},
        {"gr\303\274n.txt", S_IFREG | 0644, "x"},
        {NULL, 0, NULL},
    };
    struct fixture *f = *state;
    CLEANUP(buf_done) struct buf text = BUF_INIT(100);
    struct stat st;
    mode_t mask = umask(077);

    assert_int_equal(unpack(f, members, 1000), 0);
    umask(mask);
    assert_int_equal(f->bytes, 10 + 9 + 1);
    assert_int_equal(mode_of(f, ""), S_IFDIR | 0755);
    assert_int_equal(mode_of(f, "bootstrap"), S_IFREG | 0754);
    assert_int_equal(mode_of(f, "lib"), S_IFDIR | 0755);
    assert_int_equal(mode_of(f, "lib/deep"), S_IFDIR | 0755);
    assert_int_equal(mode_of(f, "empty"), S_IFREG | 0644);
    assert_int_equal(mode_of(f, "gr\303\274n.txt"), S_IFREG | 0644);
    assert_true(S_ISLNK(mode_of(f, "lib/deep/up")));
    assert_int_equal(mode_of(f, "lib/deep/m.py"), S_IFREG | 0644);
    assert_int_equal(file_read(f->path, &text, NULL), 0);
    assert_true(str_is(buf_str(&text), "print(1)\n"));
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mtime, 1000000000);
}

static void test_hostile_names_and_kinds_are_refused(void **state)
{
    static const struct {
        struct member first, second;
        const char *words;
    } rows[] = {
        {{"/etc/x", S_IFREG | 0644, "x"}, {NULL, 0, NULL}, "absolute"},
        {{"../x", S_IFREG | 0644, "x"}, {NULL, 0, NULL}, "not allowed"},
        {{"a/../../x", S_IFREG | 0644, "x"}, {NULL, 0, NULL}, "not allowed"},
        {{"a/..", S_IFDIR | 0755, NULL}, {NULL, 0, NULL}, "not allowed"},
        {{"l", S_IFLNK | 0777, "/etc/passwd"}, {NULL, 0, NULL}, "leads out"},
        {{"a/l", S_IFLNK | 0777, "../../x"}, {NULL, 0, NULL}, "leads out"},
        {{"a", S_IFREG | 0644, "x"}, {"./a", S_IFREG | 0644, "y"}, "twice"},
        {{"l", S_IFLNK | 0777, "a"}, {"l", S_IFLNK | 0777, "b"}, "twice"},
        /* writing through a link */
        {{"l", S_IFLNK | 0777, "a"}, {"l", S_IFREG | 0644, "x"}, "twice"},
        {{"l", S_IFLNK | 0777, "."}, {"l/x", S_IFREG | 0644, "x"}, "one name"},
        {{"a", S_IFREG | 0644, "x"}, {"a/b", S_IFREG | 0644, "x"}, "one name"},
        {{"a", S_IFREG | 0644, "x"}, {"a/", S_IFDIR | 0755, NULL}, "one name"},
    };
    struct fixture *f = *state;
    size_t i;

    for (i = 0; i < ARRAY_LEN(rows); i++) {
        const struct member members[] = {rows[i].first, rows[i].second, {NULL, 0, NULL}};

        if (unpack(f, members, 1000) != -ERR_INVALID_ZIP || !strstr(f->err.msg, rows[i].words))
            fail_msg("row %zu: %s", i, f->err.msg);
    }
}

/* Writers refuse to make such archives: so a file's mode is changed in the directory at the end. */
static void test_device_files_are_refused(void **state)
{
    static const struct member members[] = {{"dev", S_IFREG | 0666, ""}, {NULL, 0, NULL}};
    static const char file_mode[] = {0, 0, (char)0xb6, (char)0x81};
    struct fixture *f = *state;
    CLEANUP(buf_done) struct buf whole = BUF_INIT(4096);
    unsigned changed = 0;
    size_t i;

    assert_int_equal(unpack(f, members, 1000), 0);
    assert_int_equal(file_read(f->archive, &whole, NULL), 0);
    for (i = 0; i + sizeof(file_mode) <= whole.len; i++) {
        if (memcmp(whole.ptr + i, file_mode, sizeof(file_mode)) == 0) {
            whole.ptr[i + 3] = 0x21; /* S_IFCHR */
            changed++;
        }
    }
    assert_int_equal(changed, 1);
    assert_int_equal(file_write_atomic(f->archive, buf_str(&whole), 0600, NULL), 0);
    assert_int_equal(dir_remove(f->out, NULL), 0);
    assert_int_equal(mkdir(f->out, 0700), 0);
    assert_int_equal(code_unpack(f->archive, f->out, 1000, &f->bytes, &f->err), -ERR_INVALID_ZIP);
    assert_non_null(strstr(f->err.msg, "no file"));
}

static void test_sizes_are_counted_while_inflating(void **state)
{
    static const struct member members[] = {
        {"a", S_IFREG | 0644, "12345"}, {"b", S_IFREG | 0644, "12345"}, {NULL, 0, NULL}};
    struct fixture *f = *state;

    assert_int_equal(unpack(f, members, 10), 0);
    assert_int_equal(unpack(f, members, 9), -ERR_INVALID_ZIP);
    assert_string_equal(f->err.msg, "Unzipped size must be smaller than 9 bytes");
}

/* Every cut and every flipped bit must be refused or give a tree; never more. */
static void test_damaged_archives_do_no_harm(void **state)
{
    static const struct member members[] = {{"a/b", S_IFREG | 0755, "12345678901234567890"},
                                            {"c", S_IFLNK | 0777, "a/b"},
                                            {NULL, 0, NULL}};
    struct fixture *f = *state;
    CLEANUP(buf_done) struct buf whole = BUF_INIT(4096);
    size_t i;
    int r;

    assert_int_equal(unpack(f, members, 1000), 0);
    assert_int_equal(file_read(f->archive, &whole, NULL), 0);
    for (i = 0; i < 2 * whole.len; i++) {
        if (i < whole.len) {
            file_write_atomic(f->archive, str_sub(buf_str(&whole), 0, i), 0600, NULL);
        } else {
            whole.ptr[i - whole.len] ^= 0x41;
            file_write_atomic(f->archive, buf_str(&whole), 0600, NULL);
            whole.ptr[i - whole.len] ^= 0x41;
        }
        assert_int_equal(dir_remove(f->out, NULL), 0);
        assert_int_equal(mkdir(f->out, 0700), 0);
        r = code_unpack(f->archive, f->out, 1000, &f->bytes, &f->err);
        if (i < whole.len)
            assert_int_equal(r, -ERR_INVALID_ZIP);
        else
            assert_true(r == 0 || r == -ERR_INVALID_ZIP);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_files_folders_and_links_come_out_with_plain_modes,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_hostile_names_and_kinds_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_device_files_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sizes_are_counted_while_inflating, setup, teardown),
        cmocka_unit_test_setup_teardown(test_damaged_archives_do_no_harm, setup, teardown),
    };

    return cmocka_run_group_tests_name("code_unpack", tests, NULL, NULL);
}
