/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/code/code_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/base64.h"
#include "common/base/file.h"

/* An archive with the stored file "a", whose content is "1". */
#define ZIP_1                                                                                      \
    "UEsDBBQAAAAAAAAAIQC379yDAQAAAAEAAAABAAAAYTFQSwECFAMUAAAAAAAAACEAt+/c"                         \
    "gwEAAAABAAAAAQAAAAAAAAAAAAAAgAEAAAAAYVBLBQYAAAAAAQABAC8AAAAgAAAAAAA="

static char dir[64];
static struct loop *loop;
static struct code_store *store;

static struct {
    unsigned count;
    enum error_code code;
    struct code_pin pin;
    struct buf bytes;
    unsigned trashed;
} got;

static void arrived(const struct error *err)
{
    got.count++;
    got.code = err ? err->code : ERR_OK;
    loop_stop(loop);
}

static void wait_answer(unsigned before)
{
    while (got.count == before)
        loop_run(loop);
}

static void on_added(const struct code_pin *pin, const struct error *err, void *arg)
{
    (void)arg;
    if (pin)
        got.pin = *pin;
    arrived(err);
}

static void on_done(const struct error *err, void *arg)
{
    (void)arg;
    arrived(err);
}

static void on_bytes(const struct buf *bytes, const struct error *err, void *arg)
{
    (void)arg;
    buf_clear(&got.bytes);
    if (bytes)
        buf_append_str(&got.bytes, buf_str(bytes));
    arrived(err);
}

static void on_trashed(const char *sha256, void *arg)
{
    (void)sha256;
    (void)arg;
    got.trashed++;
}

static enum error_code add(const char *base64)
{
    unsigned before = got.count;

    code_store_add(store, str_dup(str_of(base64)), on_added, NULL);
    assert_int_equal(got.count, before);
    wait_answer(before);
    return got.code;
}

static enum error_code settle(const struct code_pin *pin, bool referred)
{
    unsigned before = got.count;

    code_store_settle(store, pin, referred, on_done, NULL);
    wait_answer(before);
    return got.code;
}

typedef void on_one_fn(struct code_store *s, const char *sha256, code_done_fn *done, void *arg);

static enum error_code run_on(on_one_fn *fn, const char *sha256)
{
    unsigned before = got.count;

    fn(store, sha256, on_done, NULL);
    wait_answer(before);
    return got.code;
}

static enum error_code read_one(const char *sha256)
{
    unsigned before = got.count;

    code_store_read(store, sha256, on_bytes, NULL);
    wait_answer(before);
    return got.code;
}

/* Files in @name below the store. */
static int files_in(const char *name)
{
    CLEANUP(freep) char *line = str_printf("find %s/code/%s -type f | wc -l", dir, name);
    FILE *p = popen(line, "r");
    int n = -1;

    assert_int_equal(fscanf(p, "%d", &n), 1);
    pclose(p);
    return n;
}

/* How many archives a sweep would look at. */
static size_t list(void)
{
    unsigned before = got.count;

    code_store_list(store, on_bytes, NULL);
    wait_answer(before);
    return got.bytes.len / 64;
}

static void open_store(void)
{
    CLEANUP(freep) char *path = str_printf("%s/code", dir);

    assert_int_equal(code_store_new(loop, path, on_trashed, NULL, &store, NULL), 0);
}

static int setup(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/hearth-store-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    memset(&got, 0, sizeof(got));
    got.bytes = BUF_INIT(1u << 20);
    loop = loop_new();
    open_store();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    code_store_free(store);
    loop_free(loop);
    buf_done(&got.bytes);
    return dir_remove(dir, NULL);
}

static void an_archive_is_kept_by_its_content(void **state)
{
    struct buf expected = BUF_INIT(1000);

    (void)state;
    base64_decode(&expected, STR(ZIP_1));
    assert_int_equal(add(ZIP_1), ERR_OK);
    assert_int_equal(got.pin.bytes, expected.len);
    assert_int_equal(settle(&got.pin, true), ERR_OK);
    assert_int_equal(files_in("pins"), 0);
    assert_int_equal(read_one(got.pin.sha256), ERR_OK);
    assert_true(str_eq(buf_str(&got.bytes), buf_str(&expected)));
    buf_done(&expected);
}

static void the_same_archive_is_one_file(void **state)
{
    char sha256[SHA256_HEX_MAX];

    (void)state;
    assert_int_equal(add(ZIP_1), ERR_OK);
    memcpy(sha256, got.pin.sha256, sizeof(sha256));
    settle(&got.pin, true);
    assert_int_equal(add(ZIP_1), ERR_OK);
    assert_string_equal(got.pin.sha256, sha256);
    assert_int_equal(files_in("pins"), 1);
    settle(&got.pin, true);
    assert_int_equal(files_in("pins"), 0);
}

static void what_is_no_archive_is_not_kept(void **state)
{
    (void)state;
    assert_int_equal(add("bm8="), ERR_BAD_REQUEST);
    assert_int_equal(add("%%%%"), ERR_BAD_REQUEST);
    assert_int_equal(add(""), ERR_BAD_REQUEST);
    assert_int_equal(files_in("pins"), 0);
}

static void a_hash_that_is_none_finds_nothing(void **state)
{
    (void)state;
    assert_int_equal(read_one("../../../etc/passwd"), ERR_NOT_FOUND);
    assert_int_equal(read_one(""), ERR_NOT_FOUND);
    assert_int_equal(run_on(code_store_trash, "x"), ERR_NOT_FOUND);
}

static void an_archive_that_is_removed_while_it_is_added_again_stays(void **state)
{
    struct code_pin pin;

    (void)state;
    add(ZIP_1);
    settle(&got.pin, true);
    add(ZIP_1); /* somebody adds it again … */
    pin = got.pin;
    assert_int_equal(run_on(code_store_trash, pin.sha256), ERR_OK);
    assert_int_equal(run_on(code_store_purge, pin.sha256), ERR_OK); /* … before it is in use */
    assert_int_equal(read_one(pin.sha256), ERR_NOT_FOUND);
    assert_int_equal(settle(&pin, true), ERR_OK);
    assert_int_equal(read_one(pin.sha256), ERR_OK);

    assert_int_equal(run_on(code_store_trash, pin.sha256), ERR_OK);
    assert_int_equal(run_on(code_store_restore, pin.sha256),
                     ERR_OK); /* it turned out to be in use */
    assert_int_equal(read_one(pin.sha256), ERR_OK);
    assert_int_equal(files_in("trash"), 0);
}

static void what_a_crash_left_in_the_trash_is_told(void **state)
{
    (void)state;
    add(ZIP_1);
    settle(&got.pin, true);
    run_on(code_store_trash, got.pin.sha256);
    code_store_free(store);
    open_store();
    assert_int_equal(got.trashed, 1);
}

static void pins_of_the_living_stay_those_of_the_dead_go(void **state)
{
    struct code_store *first = store;
    struct code_pin pin;

    (void)state;
    add(ZIP_1);
    pin = got.pin;
    open_store(); /* another controller on the same folder */
    assert_int_equal(list(), 0); /* pinned: in nobody's way */
    code_store_free(store);
    store = first;
    assert_int_equal(settle(&pin, true), ERR_OK);
    assert_int_equal(read_one(pin.sha256), ERR_OK);
    add(ZIP_1);
    code_store_free(store); /* with a pin: as if it had died */
    open_store();
    assert_int_equal(list(), 1);
    assert_int_equal(files_in("pins"), 0);
}

static void what_is_in_the_trash_can_be_read_until_it_is_purged(void **state)
{
    (void)state;
    add(ZIP_1);
    settle(&got.pin, true);
    assert_int_equal(run_on(code_store_trash, got.pin.sha256), ERR_OK);
    assert_int_equal(read_one(got.pin.sha256), ERR_OK);
    assert_int_equal(run_on(code_store_purge, got.pin.sha256), ERR_OK);
    assert_int_equal(read_one(got.pin.sha256), ERR_NOT_FOUND);
}

static void work_outlives_the_store(void **state)
{
    (void)state;
    add(ZIP_1);
    assert_int_equal(settle(&got.pin, true), ERR_OK);
    code_store_read(store, got.pin.sha256, on_bytes, NULL); /* its answer never comes */
    got.count = 0;
    code_store_free(store);
    open_store();
    assert_int_equal(read_one(got.pin.sha256), ERR_OK);
    assert_int_equal(got.count, 1);
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(an_archive_is_kept_by_its_content),
        LIVE(the_same_archive_is_one_file),
        LIVE(what_is_no_archive_is_not_kept),
        LIVE(a_hash_that_is_none_finds_nothing),
        LIVE(an_archive_that_is_removed_while_it_is_added_again_stays),
        LIVE(what_a_crash_left_in_the_trash_is_told),
        LIVE(pins_of_the_living_stay_those_of_the_dead_go),
        LIVE(what_is_in_the_trash_can_be_read_until_it_is_purged),
        LIVE(work_outlives_the_store),
    };

    return cmocka_run_group_tests_name("code_store", tests, NULL, NULL);
}
