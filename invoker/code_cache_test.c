/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/code_cache.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/proto/digest.h"

#define ARCHIVES 3
#define CONTENT_BYTES 100 /* of main.py in each; lib/only-<number> is empty */

struct fixture {
    struct loop *loop;
    struct code_cache *cache;
    char dir[64];
    char cache_dir[80];
    struct buf zip[ARCHIVES];
    char sha[ARCHIVES][SHA256_HEX_MAX];
    int fetches;
    struct code_fetch *held;
    bool hold;
    bool corrupt;
    enum error_code fail;
    struct code *got[8];
    struct error err;
    int done, expect;
};

static void add_file(struct archive *a, const char *name, const char *content, size_t len)
{
    struct archive_entry *e = archive_entry_new();

    archive_entry_set_pathname(e, name);
    archive_entry_set_mode(e, S_IFREG | 0644);
    archive_entry_set_size(e, (la_int64_t)len);
    archive_write_header(a, e);
    archive_write_data(a, content, len);
    archive_entry_free(e);
}

static void make_zip(struct fixture *f, int i)
{
    struct archive *a = archive_write_new();
    CLEANUP(freep) char *path = str_printf("%s/%d.zip", f->dir, i);
    CLEANUP(freep) char *only = str_printf("lib/only-%d", i);
    char content[CONTENT_BYTES];

    memset(content, 'a' + i, sizeof(content));
    archive_write_set_format_zip(a);
    assert_int_equal(archive_write_open_filename(a, path), ARCHIVE_OK);
    add_file(a, "main.py", content, sizeof(content));
    add_file(a, only, "", 0);
    archive_write_free(a);
    f->zip[i] = BUF_INIT(1 << 16);
    assert_int_equal(file_read(path, &f->zip[i], NULL), 0);
    sha256_hex(buf_str(&f->zip[i]), f->sha[i]);
}

static void on_fetch(struct code_fetch *fetch, const char *sha256, const char *path, void *arg)
{
    struct fixture *f = arg;
    struct error err;
    int i = 0;

    f->fetches++;
    if (f->hold) {
        f->held = fetch;
        loop_stop(f->loop);
        return;
    }
    if (f->fail) {
        error_set(&err, f->fail, "the controller is away");
        code_fetched(fetch, &err);
        return;
    }
    while (strcmp(f->sha[i], sha256) != 0)
        assert_true(++i < ARCHIVES);
    assert_int_equal(file_write_atomic(path, buf_str(&f->zip[f->corrupt ? !i : i]), 0600, NULL), 0);
    code_fetched(fetch, NULL);
}

static void cache_open(struct fixture *f, uint64_t size_max)
{
    const struct code_cache_options o = {f->cache_dir, size_max, on_fetch, f};

    assert_int_equal(code_cache_new(f->loop, &o, &f->cache, NULL), 0);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    int i;

    log_least = LOG_ERROR;
    f->loop = loop_new();
    snprintf(f->dir, sizeof(f->dir), "/tmp/hearth-code-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->cache_dir, sizeof(f->cache_dir), "%s/cache", f->dir);
    for (i = 0; i < ARCHIVES; i++)
        make_zip(f, i);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    int i;

    code_cache_free(f->cache);
    loop_free(f->loop);
    for (i = 0; i < ARCHIVES; i++)
        buf_done(&f->zip[i]);
    dir_remove(f->dir, NULL);
    free(f);
    return 0;
}

static void on_code(struct code *code, const struct error *err, void *arg)
{
    struct fixture *f = arg;

    f->got[f->done++] = code;
    if (err)
        f->err = *err;
    if (f->done == f->expect)
        loop_stop(f->loop);
}

static int dir_entries(const char *path)
{
    DIR *dir = opendir(path);
    int n = 0;

    assert_non_null(dir);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n - 2; /* "." and ".." */
}

/* The code of archive @i, held by the test. */
static struct code *get(struct fixture *f, int i)
{
    f->done = 0;
    f->expect = 1;
    code_get(f->cache, f->sha[i], on_code, f);
    assert_int_equal(f->done, 0);
    loop_run(f->loop);
    return f->got[0];
}

/* The tree of two layers, held by the test. */
static struct code *get_layers(struct fixture *f, int first, int second)
{
    const char *const list[] = {f->sha[first], f->sha[second]};

    f->done = 0;
    f->expect = 1;
    code_get_layers(f->cache, list, 2, on_code, f);
    assert_int_equal(f->done, 0);
    loop_run(f->loop);
    return f->got[0];
}

/* Whether @code has the main.py of archive @main and all files of archives @main and @other. */
static bool is_merged(const struct code *code, int other, int main)
{
    const int both[] = {other, main};
    CLEANUP(buf_done) struct buf text = BUF_INIT(2 * CONTENT_BYTES);
    CLEANUP(freep) char *path = str_printf("%s/main.py", code_dir(code));
    size_t i;

    assert_int_equal(file_read(path, &text, NULL), 0);
    for (i = 0; i < ARRAY_LEN(both); i++) {
        CLEANUP(freep) char *only = str_printf("%s/lib/only-%d", code_dir(code), both[i]);

        if (access(only, R_OK) != 0)
            return false;
    }
    return text.len == CONTENT_BYTES && text.ptr[0] == 'a' + main;
}

static bool is_there(struct fixture *f, int i)
{
    CLEANUP(freep) char *path = str_printf("%s/%s/main.py", f->cache_dir, f->sha[i]);

    return access(path, R_OK) == 0;
}

static void test_callers_of_one_hash_share_one_fetch(void **state)
{
    struct fixture *f = *state;
    CLEANUP(freep) char *path = NULL;
    int i;

    cache_open(f, 1 << 20);
    f->expect = 5;
    for (i = 0; i < 4; i++)
        code_get(f->cache, f->sha[0], on_code, f);
    code_get(f->cache, f->sha[1], on_code, f);
    loop_run(f->loop);
    assert_int_equal(f->fetches, 2);
    for (i = 0; i < 5; i++)
        assert_non_null(f->got[i]);
    assert_int_equal(code_size(f->got[0]), CONTENT_BYTES);
    path = str_printf("%s/main.py", code_dir(f->got[0]));
    assert_int_equal(access(path, R_OK), 0);
    for (i = 0; i < 5; i++)
        code_unref(f->got[i]);
    code_unref(get(f, 0));
    assert_int_equal(f->fetches, 2);
}

static void test_the_least_recently_used_goes_first_and_what_is_in_use_stays(void **state)
{
    struct fixture *f = *state;
    struct code *a, *b, *c;

    cache_open(f, 2 * CONTENT_BYTES);
    a = get(f, 0);
    b = get(f, 1);
    c = get(f, 2);
    assert_true(is_there(f, 0) && is_there(f, 1) && is_there(f, 2));
    code_unref(b); /* one too much: it goes at once */
    assert_false(is_there(f, 1));
    code_unref(c);
    code_unref(a);
    b = get(f, 1);
    assert_true(is_there(f, 0) && is_there(f, 1));
    assert_false(is_there(f, 2));
    code_unref(b);
    assert_int_equal(f->fetches, 4);
}

static void test_a_new_life_keeps_what_was_finished_and_cleans_the_rest(void **state)
{
    struct fixture *f = *state;
    CLEANUP(freep) char *unfinished = str_printf("%s/%s", f->cache_dir, f->sha[1]);
    CLEANUP(freep) char *half = str_printf("%s/new-0123/x", f->cache_dir);
    CLEANUP(freep) char *archive = str_printf("%s/get-0123", f->cache_dir);
    CLEANUP(freep) char *boot = str_printf("%s/boot_id", f->cache_dir);

    cache_open(f, 1 << 20);
    code_unref(get(f, 0));
    code_cache_free(f->cache);
    assert_int_equal(dir_make(unfinished, 0755, NULL), 0);
    assert_int_equal(dir_make(half, 0755, NULL), 0);
    assert_int_equal(file_write_atomic(archive, STR("x"), 0600, NULL), 0);
    cache_open(f, 1 << 20);
    assert_int_not_equal(access(unfinished, F_OK), 0);
    assert_int_not_equal(access(half, F_OK), 0);
    assert_int_not_equal(access(archive, F_OK), 0);
    code_unref(get(f, 0));
    assert_int_equal(f->fetches, 1);
    code_cache_free(f->cache);
    /* after a boot the disk is not trusted */
    assert_int_equal(file_write_atomic(boot, STR("another"), 0644, NULL), 0);
    cache_open(f, 1 << 20);
    assert_false(is_there(f, 0));
}

static void test_failures_reach_all_who_wait_and_are_not_kept(void **state)
{
    struct fixture *f = *state;

    cache_open(f, 1 << 20);
    f->fail = ERR_UNAVAILABLE;
    assert_null(get(f, 0));
    assert_int_equal(f->err.code, ERR_UNAVAILABLE);
    f->fail = ERR_OK;
    f->corrupt = true; /* another archive than the one asked for */
    assert_null(get(f, 0));
    assert_int_equal(f->err.code, ERR_SYSTEM);
    f->corrupt = false;
    f->zip[2].len = 20;
    sha256_hex(buf_str(&f->zip[2]), f->sha[2]);
    assert_null(get(f, 2));
    assert_int_equal(f->err.code, ERR_BAD_REQUEST);
    assert_non_null(strstr(f->err.msg, "InvalidZipFileException: Could not unzip uploaded file."));
    snprintf(f->sha[2], sizeof(f->sha[2]), "../../etc");
    assert_null(get(f, 2));
    assert_int_equal(f->err.code, ERR_BAD_REQUEST);
    code_unref(get(f, 0));
    assert_true(is_there(f, 0));
}

static void test_freeing_the_cache_leaves_users_and_fetches_in_peace(void **state)
{
    struct fixture *f = *state;
    const char *const list[] = {f->sha[1], f->sha[2]};
    struct code *code;

    cache_open(f, 1 << 20);
    code = get(f, 0);
    f->hold = true;
    f->done = 0;
    code_get_layers(f->cache, list, 2, on_code, f);
    loop_run(f->loop);
    code_get(f->cache, f->sha[0], on_code, f); /* a hit on its way */
    code_cache_free(TAKE(f->cache));
    assert_true(is_there(f, 0));
    code_unref(code);
    code_fetched(f->held, NULL);
    assert_int_equal(f->done, 0);
}

static void test_layers_are_merged_in_their_order_once_for_each_list(void **state)
{
    struct fixture *f = *state;
    struct code *ab, *ba, *again;

    cache_open(f, 1 << 20);
    ab = get_layers(f, 0, 1);
    assert_true(is_merged(ab, 0, 1));
    assert_int_equal(code_size(ab), 2 * CONTENT_BYTES);
    ba = get_layers(f, 1, 0);
    assert_true(is_merged(ba, 1, 0));
    again = get_layers(f, 0, 1);
    assert_ptr_equal(again, ab);
    assert_int_equal(f->fetches, 4);
    code_unref(again);
    code_unref(ab);
    code_unref(ba);
    assert_int_equal(dir_entries(f->cache_dir), 2 * 2 + 1); /* each and its size; boot_id */
    code_cache_free(f->cache);
    cache_open(f, 1 << 20);
    ab = get_layers(f, 0, 1);
    assert_true(is_merged(ab, 0, 1));
    assert_int_equal(f->fetches, 4);
    code_unref(ab);
}

static void test_callers_of_one_list_share_one_fetch_of_each_archive(void **state)
{
    struct fixture *f = *state;
    const char *const list[] = {f->sha[0], f->sha[1], f->sha[2]};
    int i;

    cache_open(f, 1 << 20);
    f->expect = 4;
    for (i = 0; i < 3; i++)
        code_get_layers(f->cache, list, 3, on_code, f);
    code_get_layers(f->cache, list, 2, on_code, f); /* another list */
    loop_run(f->loop);
    assert_int_equal(f->fetches, 5);
    for (i = 0; i < 4; i++)
        code_unref(f->got[i]);
}

static void test_a_list_of_one_is_the_archive_itself(void **state)
{
    struct fixture *f = *state;
    const char *const list[] = {f->sha[0]};
    struct code *code;

    cache_open(f, 1 << 20);
    code = get(f, 0);
    f->done = 0;
    code_get_layers(f->cache, list, 1, on_code, f);
    loop_run(f->loop);
    assert_ptr_equal(f->got[0], code);
    assert_int_equal(f->fetches, 1);
    code_unref(code);
    code_unref(code);
}

static void test_layers_count_and_go_as_code_does(void **state)
{
    struct fixture *f = *state;
    struct code *layers;

    cache_open(f, 2 * CONTENT_BYTES);
    layers = get_layers(f, 0, 1);
    code_unref(get(f, 2)); /* one too much */
    assert_false(is_there(f, 2));
    code_unref(layers);
    code_unref(get(f, 2));
    assert_true(is_there(f, 2));
    code_unref(get_layers(f, 0, 1)); /* had gone, and is too much for both */
    assert_int_equal(f->fetches, 2 + 1 + 1 + 2);
    assert_false(is_there(f, 2));
}

static void test_a_layer_that_fails_fails_the_list_and_leaves_nothing(void **state)
{
    struct fixture *f = *state;

    cache_open(f, 1 << 20);
    f->zip[1].len = 20;
    sha256_hex(buf_str(&f->zip[1]), f->sha[1]);
    assert_null(get_layers(f, 0, 1));
    assert_int_equal(f->err.code, ERR_BAD_REQUEST);
    assert_int_equal(dir_entries(f->cache_dir), 1); /* boot_id */
    f->fail = ERR_NOT_FOUND;
    assert_null(get_layers(f, 0, 2));
    assert_int_equal(f->err.code, ERR_NOT_FOUND);
    f->fail = ERR_OK;
    code_unref(get_layers(f, 0, 2));
    snprintf(f->sha[2], sizeof(f->sha[2]), "../../etc");
    assert_null(get_layers(f, 0, 2));
    assert_int_equal(f->err.code, ERR_BAD_REQUEST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_callers_of_one_hash_share_one_fetch, setup, teardown),
        cmocka_unit_test_setup_teardown(
            test_the_least_recently_used_goes_first_and_what_is_in_use_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_new_life_keeps_what_was_finished_and_cleans_the_rest,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_failures_reach_all_who_wait_and_are_not_kept, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            test_layers_are_merged_in_their_order_once_for_each_list, setup, teardown),
        cmocka_unit_test_setup_teardown(
            test_callers_of_one_list_share_one_fetch_of_each_archive, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_list_of_one_is_the_archive_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(test_layers_count_and_go_as_code_does, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_layer_that_fails_fails_the_list_and_leaves_nothing,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_freeing_the_cache_leaves_users_and_fetches_in_peace,
                                        setup, teardown),
    };

    return cmocka_run_group_tests_name("code_cache", tests, NULL, NULL);
}
