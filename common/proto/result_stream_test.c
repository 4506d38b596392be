/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/result_stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* All pieces of the answer in @bytes, which come in pieces of @step. */
static int read_in_steps(struct result_stream *s, struct str bytes, size_t step, struct buf *ret)
{
    struct str part, piece;
    size_t at;
    int r = 0;

    for (at = 0; at < bytes.len && r == 0; at += step) {
        part = str_sub(bytes, at, at + step);
        while ((r = result_stream_read(s, &part, &piece)) > 0)
            assert_int_equal(buf_append_str(ret, piece), 0);
    }
    return r;
}

static void an_answer_and_its_end_read_back_in_any_pieces(void **state)
{
    const struct result_end end = {.outcome = INVOKE_FUNCTION_ERROR,
                                   .log_tail = STR("END\n"),
                                   .error_type = STR("Sandbox.Timedout"),
                                   .error = STR("{}")};
    CLEANUP(buf_done) struct buf b = BUF_INIT(4096);
    struct result_end got;
    struct result_stream s;
    size_t step;

    (void)state;
    assert_int_equal(result_stream_write(&b, STR("first, ")), 0);
    assert_int_equal(result_stream_write(&b, STR("second")), 0);
    assert_int_equal(result_stream_write_end(&b, &end), 0);
    result_stream_init(&s);
    for (step = 1; step <= b.len; step++) {
        CLEANUP(buf_done) struct buf body = BUF_INIT(100);

        assert_int_equal(read_in_steps(&s, buf_str(&b), step, &body), 0);
        assert_true(str_is(buf_str(&body), "first, second"));
        assert_int_equal(result_stream_read_end(&s, &got), 0);
        assert_int_equal(got.outcome, INVOKE_FUNCTION_ERROR);
        assert_true(str_is(got.log_tail, "END\n"));
        assert_true(str_is(got.error_type, "Sandbox.Timedout"));
        assert_true(str_is(got.error, "{}"));
        result_stream_clear(&s);
    }
    result_stream_done(&s);
}

static void a_stream_that_breaks_off_has_no_end(void **state)
{
    const struct result_end end = {.outcome = INVOKE_REFUSED,
                                   .refused = ERR_INTERNAL,
                                   .message = STR("the node stops")};
    CLEANUP(buf_done) struct buf b = BUF_INIT(4096);
    CLEANUP(buf_done) struct buf body = BUF_INIT(100);
    struct result_end got;
    struct result_stream s;
    size_t len;

    (void)state;
    assert_int_equal(result_stream_write(&b, STR("x")), 0);
    assert_int_equal(result_stream_write_end(&b, &end), 0);
    result_stream_init(&s);
    for (len = 0; len < b.len; len++) {
        assert_int_equal(read_in_steps(&s, str_from(b.ptr, len), 3, &body), 0);
        assert_int_equal(result_stream_read_end(&s, &got), -ERR_PROTOCOL);
        result_stream_clear(&s);
    }
    assert_int_equal(read_in_steps(&s, buf_str(&b), 3, &body), 0);
    assert_int_equal(result_stream_read_end(&s, &got), 0);
    assert_int_equal(got.refused, ERR_INTERNAL);
    assert_true(str_is(got.message, "the node stops"));
    result_stream_done(&s);
}

static void an_end_is_bounded(void **state)
{
    static char big[100000];
    const struct result_end end = {.outcome = INVOKE_FUNCTION_ERROR,
                                   .error = str_from(big, sizeof(big))};
    CLEANUP(buf_done) struct buf b = BUF_INIT(1 << 20);
    struct result_end got;
    struct result_stream s;
    struct str bytes, piece;
    int i, r = 0;

    (void)state;
    memset(big, 'e', sizeof(big));
    assert_int_equal(result_stream_write_end(&b, &end), 0);
    result_stream_init(&s);
    bytes = buf_str(&b);
    assert_int_equal(result_stream_read(&s, &bytes, &piece), 0);
    assert_int_equal(result_stream_read_end(&s, &got), 0);
    assert_int_equal(got.error.len, UINT16_MAX); /* cut */
    for (i = 0; i < 6 && r == 0; i++) {
        bytes = str_from(big, sizeof(big));
        r = result_stream_read(&s, &bytes, &piece);
    }
    assert_int_equal(r, -ERR_TOO_LARGE);
    result_stream_done(&s);
}

static void an_end_that_makes_no_sense_is_refused(void **state)
{
    static const struct str ends[] = {
        {"", 0},
        {"\3\0\0\0\0\0\0\0\0\0\0", 11}, /* to go on streaming is no end */
        {"\2\0\0\0\0\0\0\0\0\0\0", 11}, /* refused, no reason */
        {"\0\0\5STALE\0\0\0\0\0\0\0\0", 16}, /* a reason, not refused */
        {"\0\0\0\0\0\0\0\0\0\0\1", 11}, /* cut */
    };
    struct result_end got;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(ends); i++)
        if (result_end_read(ends[i], &got) != -ERR_PROTOCOL)
            fail_msg("case %zu", i);
    assert_int_equal(result_end_read((struct str){"\0\0\0\0\0\0\0\0\0\0\0new", 14}, &got), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_and_its_end_read_back_in_any_pieces),
        cmocka_unit_test(a_stream_that_breaks_off_has_no_end),
        cmocka_unit_test(an_end_is_bounded),
        cmocka_unit_test(an_end_that_makes_no_sense_is_refused),
    };

    return cmocka_run_group_tests_name("result_stream", tests, NULL, NULL);
}
