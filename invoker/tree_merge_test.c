/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/tree_merge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/file.h"

struct fixture {
    char dir[64], from[80], to[80], outside[80];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    snprintf(f->dir, sizeof(f->dir), "/tmp/hearth-merge-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->from, sizeof(f->from), "%s/from", f->dir);
    snprintf(f->to, sizeof(f->to), "%s/to", f->dir);
    snprintf(f->outside, sizeof(f->outside), "%s/outside", f->dir);
    assert_int_equal(mkdir(f->from, 0755) + mkdir(f->to, 0755) + mkdir(f->outside, 0755), 0);
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

/* Makes "a/b/" (a folder), "a/b=text" (a file) or "a/b>target" (a link) below @root. */
static void make(const char *root, const char *what)
{
    CLEANUP(freep) char *path = str_printf("%s/%s", root, what);
    char *mark = strpbrk(path + strlen(root), "=>");
    char kind = mark ? *mark : '/';

    if (mark)
        *mark++ = '\0';
    else
        path[strlen(path) - 1] = '\0';
    if (kind == '/')
        assert_int_equal(mkdir(path, 0755), 0);
    else if (kind == '>')
        assert_int_equal(symlink(mark, path), 0);
    else
        assert_int_equal(file_write_atomic(path, str_of(mark), 0644, NULL), 0);
}

static void make_all(const char *root, const char *const *list)
{
    for (; *list; list++)
        make(root, *list);
}

/* Whether @what, in make()'s form, is below @root as it says. */
static bool has(const char *root, const char *what)
{
    CLEANUP(freep) char *path = str_printf("%s/%s", root, what);
    CLEANUP(buf_done) struct buf text = BUF_INIT(256);
    char *mark = strpbrk(path + strlen(root), "=>");
    char target[256] = "", kind = mark ? *mark : '/';
    struct stat st;

    if (mark)
        *mark++ = '\0';
    else
        path[strlen(path) - 1] = '\0';
    if (lstat(path, &st) < 0)
        return false;
    if (kind == '/')
        return S_ISDIR(st.st_mode);
    if (kind == '>')
        return readlink(path, target, sizeof(target) - 1) > 0 && strcmp(target, mark) == 0;
    return S_ISREG(st.st_mode) && file_read(path, &text, NULL) == 0 &&
           str_is(buf_str(&text), mark);
}

static void assert_merged(struct fixture *f, const char *const *wanted)
{
    struct error err;

    if (tree_merge(f->from, f->to, &err) < 0)
        fail_msg("%s", err.msg);
    for (; *wanted; wanted++)
        if (!has(f->to, *wanted))
            fail_msg("lacks %s", *wanted);
}

static void folders_merge_and_the_later_file_wins(void **state)
{
    struct fixture *f = *state;

    make_all(f->to, (const char *const[]){"lib/", "lib/deep/", "lib/deep/a=1", "lib/b=1", "c=1",
                                          NULL});
    make_all(f->from, (const char *const[]){"lib/", "lib/deep/", "lib/deep/a=2", "lib/deep/n=2",
                                            "lib/new/", "lib/new/x=2", "d=2", NULL});
    assert_merged(f, (const char *const[]){"lib/deep/a=2", "lib/deep/n=2", "lib/b=1", "lib/new/x=2",
                                           "c=1", "d=2", NULL});
}

static void the_later_kind_wins(void **state)
{
    struct fixture *f = *state;

    make_all(f->to, (const char *const[]){"file=1", "folder/", "folder/sub/", "folder/sub/x=1",
                                          "link>file", "other/", "plain=1", NULL});
    make_all(f->from, (const char *const[]){"file/", "file/y=2", "folder=2", "link/", "link/z=2",
                                            "other>file", "plain>file", NULL});
    assert_merged(f, (const char *const[]){"file/y=2", "folder=2", "link/z=2", "other>file",
                                           "plain>file", NULL});
}

static void links_are_replaced_and_never_followed(void **state)
{
    struct fixture *f = *state;
    CLEANUP(freep) char *out = str_printf("out>%s", f->outside);
    CLEANUP(freep) char *in = str_printf("in>%s", f->outside);

    make(f->outside, "kept=1");
    make(f->to, out);
    make(f->to, "in/");
    make(f->to, "in/gone=1");
    make_all(f->from, (const char *const[]){"out/", "out/kept=2", NULL});
    make(f->from, in);
    assert_merged(f, (const char *const[]){"out/kept=2", in, NULL});
    assert_true(has(f->outside, "kept=1"));
    assert_false(has(f->outside, "gone=1"));
}

static void trees_deeper_than_any_path_merge(void **state)
{
    enum { DEPTH = 100 };
    struct fixture *f = *state;
    const char *const roots[] = {f->from, f->to};
    char name[64], here[4096];
    size_t i, d;

    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_non_null(getcwd(here, sizeof(here)));
    for (i = 0; i < ARRAY_LEN(roots); i++) {
        assert_int_equal(chdir(roots[i]), 0);
        for (d = 0; d < DEPTH; d++) {
            assert_int_equal(mkdir(name, 0755), 0);
            assert_int_equal(chdir(name), 0);
        }
        assert_int_equal(file_write_atomic(i ? "to" : "from", STR("x"), 0644, NULL), 0);
    }
    assert_int_equal(chdir(here), 0);
    assert_int_equal(tree_merge(f->from, f->to, NULL), 0);
    assert_int_equal(chdir(f->to), 0);
    for (d = 0; d < DEPTH; d++)
        assert_int_equal(chdir(name), 0);
    assert_int_equal(access("to", R_OK) + access("from", R_OK), 0);
    assert_int_equal(chdir(here), 0);
}

static void a_folder_that_is_not_there_is_an_error(void **state)
{
    struct fixture *f = *state;
    struct error err;

    assert_int_equal(rmdir(f->to), 0);
    assert_int_equal(tree_merge(f->from, f->to, &err), -ERR_SYSTEM);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(folders_merge_and_the_later_file_wins),
        TEST(the_later_kind_wins),
        TEST(links_are_replaced_and_never_followed),
        TEST(trees_deeper_than_any_path_merge),
        TEST(a_folder_that_is_not_there_is_an_error),
    };

    return cmocka_run_group_tests_name("tree_merge", tests, NULL, NULL);
}
