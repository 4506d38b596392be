/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/grpc_frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void messages_come_out_as_they_went_in(void **state)
{
    struct buf b = BUF_INIT(64);
    struct str rest, message;

    (void)state;
    assert_int_equal(grpc_frame_put(&b, STR("one")), 0);
    assert_int_equal(grpc_frame_put(&b, STR("")), 0);
    assert_true(str_eq(buf_str(&b), STR("\0\0\0\0\x03one\0\0\0\0\0")));
    rest = buf_str(&b);
    assert_int_equal(grpc_frame_next(&rest, &message), 1);
    assert_true(str_is(message, "one"));
    assert_int_equal(grpc_frame_next(&rest, &message), 1);
    assert_int_equal(message.len, 0);
    assert_int_equal(grpc_frame_next(&rest, &message), 0);
    buf_done(&b);
}

static void what_is_cut_off_or_compressed_is_refused(void **state)
{
    static const struct str rows[] = {
        {"\0\0\0\0", 4},
        {"\0\0\0\0\x04one", 8},
        {"\0\xff\xff\xff\xffone", 8},
        {"\1\0\0\0\x03one", 8},
    };
    struct str message;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(rows); i++) {
        struct str rest = rows[i];

        assert_int_equal(grpc_frame_next(&rest, &message), -ERR_PROTOCOL);
    }
}

static void a_status_has_its_code_and_its_words(void **state)
{
    static const struct {
        const char *status, *message;
        int r;
        const char *text;
    } rows[] = {
        {"5", "image%20%22x%22: not found", -ERR_NOT_FOUND, "image \"x\": not found"},
        {"16", "who?", -ERR_ACCESS_DENIED, "who?"},
        {"14", NULL, -ERR_UNAVAILABLE, "gRPC status 14"},
        {"2", "line%0Aline%00", -ERR_INTERNAL, "line line "},
        {"2", "100%", -ERR_INTERNAL, "100%"}, /* not as it should be, but told */
        {"99", "new", -ERR_INTERNAL, "new"},
        {"", NULL, -ERR_PROTOCOL, "the answer has no gRPC status"},
        {"-1", NULL, -ERR_PROTOCOL, "the answer has no gRPC status"},
    };
    struct error err;
    size_t i;

    (void)state;
    assert_int_equal(grpc_status_check(STR("0"), STR_NULL, &err), 0);
    for (i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(grpc_status_check(str_of(rows[i].status), str_of(rows[i].message), &err),
                         rows[i].r);
        assert_string_equal(err.msg, rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_out_as_they_went_in),
        cmocka_unit_test(what_is_cut_off_or_compressed_is_refused),
        cmocka_unit_test(a_status_has_its_code_and_its_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
