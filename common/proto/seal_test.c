/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/seal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "common/base/file.h"

#define ACCOUNT STR("000000000000")
#define SECRET "{\"PASSWORD\":\"hunter2\"}"

static struct seal_key key;

static int setup(void **state)
{
    unsigned char bytes[SEAL_KEY_BYTES] = {1, 2, 3};

    (void)state;
    seal_key_init(&key, bytes);
    return 0;
}

static char *sealed_of(struct str plain)
{
    struct buf b = BUF_INIT(10000);

    assert_int_equal(seal_text(&key, ACCOUNT, STR("f"), plain, &b, NULL), 0);
    return buf_take(&b);
}

static void what_is_sealed_comes_back(void **state)
{
    static const struct str texts[] = {STR(SECRET), STR(""), STR("\0\xff")};
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(texts); i++) {
        CLEANUP(freep) char *sealed = sealed_of(texts[i]);
        CLEANUP(seal_wipe_buf) struct buf plain = BUF_INIT(1000);

        assert_int_equal(strncmp(sealed, "v1.", 3), 0);
        assert_memory_equal(sealed + 3, key.id, 16);
        assert_null(strstr(sealed, "hunter2"));
        assert_int_equal(unseal_text(&key, ACCOUNT, STR("f"), str_of(sealed), &plain, NULL), 0);
        assert_true(str_eq(buf_str(&plain), texts[i]));
    }
}

static void two_seals_of_one_text_differ(void **state)
{
    CLEANUP(freep) char *a = sealed_of(STR(SECRET)), *b = sealed_of(STR(SECRET));

    (void)state;
    assert_string_not_equal(a, b);
}

static void a_changed_text_is_refused(void **state)
{
    CLEANUP(freep) char *sealed = sealed_of(STR(SECRET));
    size_t i;

    (void)state;
    for (i = 0; sealed[i]; i++) {
        CLEANUP(seal_wipe_buf) struct buf plain = BUF_INIT(1000);
        char was = sealed[i];

        sealed[i] = was == 'A' ? 'B' : 'A';
        assert_true(unseal_text(&key, ACCOUNT, STR("f"), str_of(sealed), &plain, NULL) < 0);
        assert_int_equal(plain.len, 0);
        sealed[i] = was;
    }
}

static void a_text_is_bound_to_account_and_function(void **state)
{
    CLEANUP(freep) char *sealed = sealed_of(STR(SECRET));
    CLEANUP(seal_wipe_buf) struct buf plain = BUF_INIT(1000);

    (void)state;
    assert_int_equal(unseal_text(&key, ACCOUNT, STR("g"), str_of(sealed), &plain, NULL),
                     -ERR_ACCESS_DENIED);
    assert_int_equal(unseal_text(&key, STR("0"), STR("f"), str_of(sealed), &plain, NULL),
                     -ERR_ACCESS_DENIED);
}

static void another_key_is_named_and_rubbish_is_refused(void **state)
{
    static const char *const rubbish[] = {"", "v1", "v1.x", "v2.a.b", "v1..", "sealed"};
    CLEANUP(freep) char *sealed = sealed_of(STR(SECRET)), *text = NULL;
    CLEANUP(seal_wipe_buf) struct buf plain = BUF_INIT(1000);
    unsigned char bytes[SEAL_KEY_BYTES] = {9};
    struct seal_key other;
    struct error err;
    size_t i;

    (void)state;
    seal_key_init(&other, bytes);
    assert_int_equal(unseal_text(&other, ACCOUNT, STR("f"), str_of(sealed), &plain, &err),
                     -ERR_CONFIG);
    assert_non_null(strstr(err.msg, key.id));
    for (i = 0; i < ARRAY_LEN(rubbish); i++)
        assert_true(unseal_text(&key, ACCOUNT, STR("f"), str_of(rubbish[i]), &plain, NULL) < 0);
    text = str_printf("v1.%s.AAAA", key.id);
    assert_int_equal(unseal_text(&key, ACCOUNT, STR("f"), str_of(text), &plain, NULL),
                     -ERR_PROTOCOL);
    assert_int_equal(plain.len, 0);
}

static void a_small_buf_is_too_small(void **state)
{
    CLEANUP(freep) char *sealed = sealed_of(STR(SECRET));
    CLEANUP(buf_done) struct buf small = BUF_INIT(10);

    (void)state;
    assert_int_equal(seal_text(&key, ACCOUNT, STR("f"), STR(SECRET), &small, NULL), -ERR_TOO_LARGE);
    assert_int_equal(small.len, 0);
    assert_int_equal(unseal_text(&key, ACCOUNT, STR("f"), str_of(sealed), &small, NULL),
                     -ERR_TOO_LARGE);
}

static void a_key_file_is_made_once_and_kept_private(void **state)
{
    char folder[] = "/tmp/hearth-seal-XXXXXX";
    CLEANUP(freep) char *path = NULL;
    struct seal_key first, second;
    struct error err;
    struct stat st;

    (void)state;
    assert_non_null(mkdtemp(folder));
    path = str_printf("%s/key", folder);
    assert_int_equal(seal_key_load(path, &first, &err), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(st.st_size, 32);
    assert_int_equal(seal_key_load(path, &second, &err), 0);
    assert_memory_equal(first.bytes, second.bytes, SEAL_KEY_BYTES);
    assert_string_equal(first.id, second.id);
    seal_key_wipe(&first);
    assert_int_equal(first.bytes[0] | first.bytes[31], 0);

    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(seal_key_load(path, &second, &err), -ERR_CONFIG);
    assert_int_equal(file_write_atomic(path, STR("short"), 0600, NULL), 0);
    assert_int_equal(seal_key_load(path, &second, &err), -ERR_CONFIG);
    assert_int_equal(dir_remove(folder, NULL), 0);
    assert_int_equal(seal_key_load(path, &second, &err), -ERR_SYSTEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sealed_comes_back),
        cmocka_unit_test(two_seals_of_one_text_differ),
        cmocka_unit_test(a_changed_text_is_refused),
        cmocka_unit_test(a_text_is_bound_to_account_and_function),
        cmocka_unit_test(another_key_is_named_and_rubbish_is_refused),
        cmocka_unit_test(a_small_buf_is_too_small),
        cmocka_unit_test(a_key_file_is_made_once_and_kept_private),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
