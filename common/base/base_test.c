/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/base64.h"
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/id.h"
#include "common/base/list.h"
#include "common/base/log_limit.h"
#include "common/base/map.h"

static void a_log_limit_starts_over_with_each_second(void **state)
{
    struct log_limit limit = {0};
    int i;

    (void)state;
    for (i = 0; i < 3; i++)
        assert_true(log_limit_take(&limit, 3, SECONDS(5) + 1));
    assert_false(log_limit_take(&limit, 3, SECONDS(5) + 1));
    assert_false(log_limit_take(&limit, 3, SECONDS(6)));
    assert_true(log_limit_take(&limit, 3, SECONDS(6) + 1));
}

static void buf_refuses_what_is_over_its_ceiling_and_keeps_its_contents(void **state)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(10);

    (void)state;
    assert_int_equal(buf_append_str(&b, STR("12345678")), 0);
    assert_int_equal(buf_append_str(&b, STR("901")), -ERR_TOO_LARGE);
    assert_true(str_is(buf_str(&b), "12345678"));
    assert_int_equal(buf_append_str(&b, STR("90")), 0);
    assert_int_equal(buf_append_char(&b, 'x'), -ERR_TOO_LARGE);
}

static void buf_take_gives_a_terminated_copy_and_empties_the_buf(void **state)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(4);
    char *s;

    (void)state;
    buf_append_str(&b, STR("abcd"));
    s = buf_take(&b);
    assert_string_equal(s, "abcd");
    assert_int_equal(b.len, 0);
    free(s);
    s = buf_take(&b);
    assert_string_equal(s, "");
    free(s);
}

static void json_escaping_keeps_utf8_and_replaces_what_is_not(void **state)
{
    static const struct {
        struct str in;
        const char *out;
    } cases[] = {
        {STR("plain"), "plain"},
        {STR("a\"b\\c\n\t\x01"), "a\\\"b\\\\c\\n\\t\\u0001"},
        {STR("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80"), "gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80"},
        {STR("\xff"), "\xef\xbf\xbd"},
        {STR("a\xc3"), "a\xef\xbf\xbd"},
        {STR("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* a surrogate */
        {STR("\x7f"), "\\u007f"},
        {STR("a\0b"), "a\\u0000b"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(buf_done) struct buf b = BUF_INIT(100);

        assert_int_equal(buf_append_json(&b, cases[i].in), 0);
        assert_true(str_is(buf_str(&b), cases[i].out));
    }
}

static void base64_decodes_what_it_encoded_and_refuses_the_rest(void **state)
{
    static const char *const bad[] = {"a", "ab==c", "a===", "ab=c", "a b=", "ab==ab==", "====", "YQ=\n"};
    CLEANUP(buf_done) struct buf text = BUF_INIT(1000), back = BUF_INIT(1000);
    char bytes[64];
    size_t len, i;

    (void)state;
    for (i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(i * 37 + 200);
    for (len = 0; len <= sizeof(bytes); len++) {
        buf_clear(&text);
        buf_clear(&back);
        assert_int_equal(base64_encode(&text, str_from(bytes, len)), 0);
        assert_int_equal(base64_decode(&back, buf_str(&text)), 0);
        assert_true(str_eq(buf_str(&back), str_from(bytes, len)));
    }
    buf_clear(&text);
    base64_encode(&text, STR("any carnal pleas"));
    assert_true(str_is(buf_str(&text), "YW55IGNhcm5hbCBwbGVhcw=="));
    for (i = 0; i < ARRAY_LEN(bad); i++) {
        buf_clear(&back);
        assert_int_equal(base64_decode(&back, str_of(bad[i])), -ERR_BAD_REQUEST);
        assert_int_equal(back.len, 0);
    }
}

static void str_split_yields_each_part_and_empty_ones(void **state)
{
    struct str rest = STR("a,,b,"), part;

    (void)state;
    assert_true(str_split(&rest, ',', &part) && str_is(part, "a"));
    assert_true(str_split(&rest, ',', &part) && str_is(part, ""));
    assert_true(str_split(&rest, ',', &part) && str_is(part, "b"));
    assert_true(str_split(&rest, ',', &part) && str_is(part, ""));
    assert_false(str_split(&rest, ',', &part));
}

static void numbers_are_digits_only_and_never_overflow(void **state)
{
    static const char *const bad[] = {"", " 1", "1 ", "-1", "+1", "0x1", "1e3", "18446744073709551616"};
    uint64_t v = 7;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(str_parse_u64(str_of(bad[i]), &v), -ERR_BAD_REQUEST);
    assert_int_equal(v, 7);
    assert_int_equal(str_parse_u64(STR("18446744073709551615"), &v), 0);
    assert_true(v == UINT64_MAX);
}

static void map_holds_many_keys_through_growth_and_removal(void **state)
{
    static int values[5000];
    struct map m;
    char key[32];
    size_t at = 0, seen = 0;
    void *value;
    int i;

    (void)state;
    map_init(&m, NULL);
    for (i = 0; i < 5000; i++) {
        snprintf(key, sizeof(key), "key-%d", i);
        map_put(&m, str_of(key), &values[i]);
    }
    for (i = 0; i < 5000; i += 2) {
        snprintf(key, sizeof(key), "key-%d", i);
        assert_ptr_equal(map_remove(&m, str_of(key)), &values[i]);
        assert_null(map_remove(&m, str_of(key)));
    }
    for (i = 0; i < 5000; i++) {
        snprintf(key, sizeof(key), "key-%d", i);
        assert_ptr_equal(map_get(&m, str_of(key)), i % 2 ? &values[i] : NULL);
    }
    while (map_next(&m, &at, NULL, &value))
        seen++;
    assert_int_equal(seen, 2500);
    assert_int_equal(m.len, 2500);
    for (i = 0; i < 200000; i++) { /* tombstones must not fill the table */
        snprintf(key, sizeof(key), "churn-%d", i);
        map_put(&m, str_of(key), &values[0]);
        map_remove(&m, str_of(key));
    }
    assert_true(m.cap <= 32768);
    map_done(&m);
}

static void map_frees_values_it_owns_when_they_are_replaced(void **state)
{
    struct map m;

    (void)state;
    map_init(&m, free);
    map_put(&m, STR("a"), strdup("1"));
    map_put(&m, STR("a"), strdup("2"));
    assert_string_equal(map_get(&m, STR("a")), "2");
    map_done(&m); /* leaks would be shown by the sanitizer */
}

static void uuids_are_version_four_and_differ(void **state)
{
    char a[UUID_MAX], b[UUID_MAX];
    int i;

    (void)state;
    uuid_make(a);
    for (i = 0; i < 1000; i++) {
        uuid_make(b);
        assert_true(uuid_is_valid(str_of(b)));
        assert_true(b[14] == '4' && strchr("89ab", b[19]));
        assert_string_not_equal(a, b);
    }
    assert_false(uuid_is_valid(STR("00000000-0000-0000-0000-00000000000g")));
    assert_false(uuid_is_valid(STR("00000000-0000-0000-0000-0000000000000")));
}

static void times_are_written_as_aws_writes_them(void **state)
{
    char s[CLOCK_ISO_MAX];

    (void)state;
    clock_format_iso(1700000000123u, s);
    assert_string_equal(s, "2023-11-14T22:13:20.123Z");
    clock_format_lambda(1700000000123u, s);
    assert_string_equal(s, "2023-11-14T22:13:20.123+0000");
    clock_format_date(1700000000123u, s);
    assert_string_equal(s, "2023/11/14");
}

static void errors_carry_context_on_the_way_up(void **state)
{
    struct error err;

    (void)state;
    assert_int_equal(error_set(&err, ERR_NOT_FOUND, "function %s", "f"), -ERR_NOT_FOUND);
    assert_int_equal(error_wrap(&err, -ERR_NOT_FOUND, "resolving alias %s", "prod"), -ERR_NOT_FOUND);
    assert_string_equal(err.msg, "resolving alias prod: function f");
    assert_string_equal(error_exception(err.code), "ResourceNotFoundException");
    assert_int_equal(error_http_status(err.code), 404);
    assert_int_equal(error_set_errno(&err, ERR_SYSTEM, ENOENT, "opening x"), -ERR_SYSTEM);
    assert_string_equal(err.msg, "opening x: No such file or directory");
    assert_int_equal(error_set(NULL, ERR_SYSTEM, "nobody listens"), -ERR_SYSTEM);
    error_set(&err, ERR_NO_OPERATION, "unknown service");
    error_set(&err, ERR_INTERNAL, "the server lacks a service (%.200s); why?", err.msg);
    assert_string_equal(err.msg, "the server lacks a service (unknown service); why?");
    error_set(&err, ERR_SYSTEM, "one");
    error_set_errno(&err, ERR_SYSTEM, ENOENT, "two after %s", err.msg);
    assert_string_equal(err.msg, "two after one: No such file or directory");
    assert_int_equal(error_code_from_exception("ResourceConflictException", 0), ERR_CONFLICT);
}

struct item {
    int n;
    struct list_node node;
};

static void list_keeps_order_and_survives_removal_while_walking(void **state)
{
    struct item items[4] = {{.n = 0}, {.n = 1}, {.n = 2}, {.n = 3}};
    struct list_node head, *node, *after;
    int i, expect = 0;

    (void)state;
    list_init(&head);
    for (i = 0; i < 4; i++)
        list_append(&head, &items[i].node);
    LIST_FOREACH_SAFE(&head, node, after)
    {
        assert_int_equal(CONTAINER_OF(node, struct item, node)->n, expect++);
        if (expect % 2)
            list_remove(node);
    }
    list_remove(&items[0].node); /* a second time: harmless */
    assert_ptr_equal(LIST_FIRST(&head, struct item, node), &items[1]);
    list_remove(&items[1].node);
    list_remove(&items[3].node);
    assert_true(list_is_empty(&head));
}

static void folders_are_made_and_removed_and_files_replaced_whole(void **state)
{
    char root[] = "/tmp/hearth-base-XXXXXX";
    CLEANUP(buf_done) struct buf b = BUF_INIT(100);
    struct error err;

    (void)state;
    assert_non_null(mkdtemp(root));
    CLEANUP(freep) char *deep = str_printf("%s/a/b/c", root);
    CLEANUP(freep) char *file = str_printf("%s/f", deep);

    assert_int_equal(dir_make(deep, 0700, &err), 0);
    assert_int_equal(dir_make(deep, 0700, &err), 0);
    assert_int_equal(file_write_atomic(file, STR("one"), 0600, &err), 0);
    assert_int_equal(file_write_atomic(file, STR("two"), 0600, &err), 0);
    assert_int_equal(file_read(file, &b, &err), 0);
    assert_true(str_is(buf_str(&b), "two"));
    b.max = 4; /* too little room for another "two" */
    assert_int_equal(file_read(file, &b, &err), -ERR_TOO_LARGE);
    assert_true(str_is(buf_str(&b), "two"));
    assert_int_equal(dir_remove(root, &err), 0);
    assert_int_equal(dir_remove(root, &err), 0);
    assert_int_equal(file_read(file, &b, &err), -ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_log_limit_starts_over_with_each_second),
        cmocka_unit_test(buf_refuses_what_is_over_its_ceiling_and_keeps_its_contents),
        cmocka_unit_test(buf_take_gives_a_terminated_copy_and_empties_the_buf),
        cmocka_unit_test(json_escaping_keeps_utf8_and_replaces_what_is_not),
        cmocka_unit_test(base64_decodes_what_it_encoded_and_refuses_the_rest),
        cmocka_unit_test(str_split_yields_each_part_and_empty_ones),
        cmocka_unit_test(numbers_are_digits_only_and_never_overflow),
        cmocka_unit_test(map_holds_many_keys_through_growth_and_removal),
        cmocka_unit_test(map_frees_values_it_owns_when_they_are_replaced),
        cmocka_unit_test(uuids_are_version_four_and_differ),
        cmocka_unit_test(times_are_written_as_aws_writes_them),
        cmocka_unit_test(errors_carry_context_on_the_way_up),
        cmocka_unit_test(list_keeps_order_and_survives_removal_while_walking),
        cmocka_unit_test(folders_are_made_and_removed_and_files_replaced_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
