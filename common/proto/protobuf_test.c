/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/protobuf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void fields_of_every_kind_are_read(void **state)
{
    /* the examples of protobuf.dev, "Encoding", behind one another */
    struct str rest = STR("\x08\x96\x01"
                          "\x12\x07testing"
                          "\x19\x01\x02\x03\x04\x05\x06\x07\x08"
                          "\x25\x01\x02\x03\x04"
                          "\xf8\xff\xff\xff\x0f\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
    struct protobuf_field f;

    (void)state;
    assert_int_equal(protobuf_next(&rest, &f), 1);
    assert_true(f.number == 1 && !f.is_bytes && f.value == 150);
    assert_int_equal(protobuf_next(&rest, &f), 1);
    assert_true(f.number == 2 && f.is_bytes && str_is(f.bytes, "testing"));
    assert_int_equal(protobuf_next(&rest, &f), 1);
    assert_true(f.number == 3 && f.value == 0x0807060504030201u);
    assert_int_equal(protobuf_next(&rest, &f), 1);
    assert_true(f.number == 4 && f.value == 0x04030201u);
    assert_int_equal(protobuf_next(&rest, &f), 1);
    assert_true(f.number == (1u << 29) - 1 && f.value == UINT64_MAX);
    assert_int_equal(protobuf_next(&rest, &f), 0);
}

static void what_is_no_message_is_refused(void **state)
{
    static const struct str rows[] = {
        {"\x08", 1}, /* no value */
        {"\x08\x80", 2}, /* half a number */
        {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11}, /* more than 64 bits */
        {"\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 12}, /* eleven bytes */
        {"\x12\x03xy", 4}, /* shorter than it says */
        {"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01xy", 13},
        {"\x19\x01\x02\x03", 4},
        {"\x25\x01", 2},
        {"\x00\x01", 2}, /* field 0 */
        {"\x80\x80\x80\x80\x10\x01", 6}, /* field 2^29 */
        {"\x0b\x0c", 2}, /* a group */
        {"\x0e", 1},
    };
    struct protobuf_field f;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(rows); i++) {
        struct str rest = rows[i];

        assert_int_equal(protobuf_next(&rest, &f), -ERR_PROTOCOL);
        assert_null(protobuf_find(rows[i], 1).ptr);
    }
}

static void the_last_of_a_field_counts(void **state)
{
    const struct str message = STR("\x0a\x01"
                                   "a\x0a\x01"
                                   "b\x10\x01");

    (void)state;
    assert_true(str_is(protobuf_find(message, 1), "b"));
    assert_int_equal(protobuf_find(message, 2).len, 0); /* a number */
    assert_int_equal(protobuf_find(message, 3).len, 0);
}

static void what_is_written_is_as_the_format_wants_it(void **state)
{
    struct buf b = BUF_INIT(400);
    char big[300];

    (void)state;
    assert_int_equal(protobuf_put(&b, 2, STR("testing")), 0);
    assert_int_equal(protobuf_put(&b, 3, STR("")), 0);
    assert_int_equal(protobuf_put_entry(&b, 4, STR("k"), STR("v")), 0);
    assert_true(str_eq(buf_str(&b), STR("\x12\x07testing\x22\x06\x0a\x01k\x12\x01v")));
    buf_clear(&b);
    memset(big, 'x', sizeof(big));
    assert_int_equal(protobuf_put(&b, 1, str_from(big, sizeof(big))), 0);
    assert_true(str_starts(buf_str(&b), STR("\x0a\xac\x02xx")));
    assert_int_equal(b.len, 303);
    assert_int_equal(protobuf_put(&b, 1, str_from(big, sizeof(big))), -ERR_TOO_LARGE);
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_of_every_kind_are_read),
        cmocka_unit_test(what_is_no_message_is_refused),
        cmocka_unit_test(the_last_of_a_field_counts),
        cmocka_unit_test(what_is_written_is_as_the_format_wants_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
