/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/base/error.h"
#include "common/proto/log_record.h"

static const struct log_origin origin = {
    .node = {"n1", 2},
    .epoch = 3,
    .account = {"000000000000", 12},
    .region = {"us-east-1", 9},
    .function = {"hello", 5},
    .version = {"$LATEST", 7},
    .log_group = {"/aws/lambda/hello", 17},
    .log_stream = {"2026/11/23/[$LATEST]ab", 22},
    .sandbox = {"sb-1", 4},
};

static void write_record(struct buf *b, const struct log_line *line)
{
    CLEANUP(buf_done) struct buf head = BUF_INIT(4096);

    assert_int_equal(log_origin_write(&head, &origin), 0);
    assert_int_equal(log_record_write(b, buf_str(&head), line), 0);
}

static void assert_str(struct str got, const char *want)
{
    assert_int_equal(got.len, str_of(want).len);
    assert_memory_equal(got.ptr, want, got.len);
}

static void a_record_is_one_line_of_json(void **state)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(4096);
    struct log_line line = {.time_ms = 1795392000123,
                            .seq = 18446744073709551615u,
                            .request_id = STR("r-1"),
                            .stream = LOG_RECORD_STDERR,
                            .message = STR("a \"b\"\tc")};

    (void)state;
    write_record(&b, &line);
    assert_str(buf_str(&b),
               "{\"time\":1795392000123,\"seq\":18446744073709551615,\"node\":\"n1\",\"epoch\":3,"
               "\"account\":\"000000000000\",\"region\":\"us-east-1\",\"function\":\"hello\","
               "\"version\":\"$LATEST\",\"log_group\":\"/aws/lambda/hello\","
               "\"log_stream\":\"2026/11/23/[$LATEST]ab\",\"sandbox\":\"sb-1\","
               "\"request_id\":\"r-1\","
               "\"stream\":\"stderr\",\"message\":\"a \\\"b\\\"\\tc\"}\n");
}

static void what_is_written_is_read_back(void **state)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(4096);
    CLEANUP(buf_done) struct buf text = BUF_INIT(4096);
    struct log_line line = {.time_ms = 5, .stream = LOG_RECORD_PLATFORM, .continues = true};
    const char message[] = "nul\0 bad\xff\xc3 good \xf0\x9f\x98\x80 \x7f\x1b[0m";
    struct log_record rec;

    (void)state;
    line.message = str_from(message, sizeof(message) - 1);
    write_record(&b, &line);
    assert_int_equal(log_record_read(str_sub(buf_str(&b), 0, b.len - 1), &rec), 0);
    assert_int_equal(rec.line.time_ms, 5);
    assert_int_equal(rec.line.seq, 0);
    assert_int_equal(rec.line.stream, LOG_RECORD_PLATFORM);
    assert_true(rec.line.continues);
    assert_int_equal(rec.line.request_id.len, 0);
    assert_int_equal(rec.origin.epoch, 3);
    assert_str(rec.origin.function, "hello");
    assert_str(rec.origin.log_stream, "2026/11/23/[$LATEST]ab");
    assert_int_equal(log_record_unescape(&text, rec.line.message), 0);
    const char want[] = "nul\0 bad\xef\xbf\xbd\xef\xbf\xbd good \xf0\x9f\x98\x80 \x7f\x1b[0m";
    assert_int_equal(text.len, sizeof(want) - 1);
    assert_memory_equal(text.ptr, want, text.len);
}

#define TAIL                                                                                       \
    "\"node\":\"n\",\"epoch\":1,\"account\":\"1\",\"region\":\"r\",\"function\":\"f\","            \
    "\"version\":\"1\",\"log_group\":\"g\",\"log_stream\":\"s\",\"sandbox\":\"b\","                \
    "\"request_id\":\"\",\"stream\":\"stdout\""

static void members_of_a_later_version_and_any_order_are_fine(void **state)
{
    struct log_record rec;

    (void)state;
    assert_int_equal(log_record_read(STR("{\"message\":\"m\",\"new\":\"x\",\"n\":7,\"b\":false,"
                                         "\"z\":null," TAIL ",\"seq\":9,\"time\":8}"),
                                     &rec),
                     0);
    assert_int_equal(rec.line.seq, 9);
    assert_int_equal(rec.line.time_ms, 8);
    assert_false(rec.line.continues);
    assert_str(rec.line.message, "m");
}

static void a_line_that_is_no_record_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "{",
        "{}",
        "null",
        "{\"time\":1,\"seq\":1," TAIL "}",
        "{\"time\":1,\"seq\":1," TAIL ",\"message\":\"m\"",
        "{\"time\":1,\"seq\":1," TAIL ",\"message\":\"m\"}x",
        "{\"time\":1,\"seq\":1," TAIL ",\"message\":\"m\",}",
        "{\"time\":1,\"time\":1,\"seq\":1," TAIL ",\"message\":\"m\"}",
        "{\"time\":-1,\"seq\":1," TAIL ",\"message\":\"m\"}",
        "{\"time\":01,\"seq\":1," TAIL ",\"message\":\"m\"}",
        "{\"time\":1,\"seq\":18446744073709551616," TAIL ",\"message\":\"m\"}",
        "{\"time\":1,\"seq\":\"1\"," TAIL ",\"message\":\"m\"}",
        "{\"time\":1,\"seq\":1," TAIL ",\"message\":\"m\\\"}",
        "{\"time\":1,\"seq\":1," TAIL ",\"message\":\"\\x\"}",
        "{\"time\":1,\"seq\":1," TAIL ",\"message\":\"\\u12g4\"}",
        "{\"time\":1,\"seq\":1," TAIL ",\"message\":\"a\nb\"}",
        "{\"time\":1,\"seq\":1," TAIL ",\"message\":[]}",
        "{\"time\":1,\"seq\":1," TAIL ",\"message\":\"m\",\"deep\":{}}",
    };
    struct log_record rec;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(bad); i++)
        if (log_record_read(str_of(bad[i]), &rec) != -ERR_PROTOCOL)
            fail_msg("accepted: %s", bad[i]);
}

static void escapes_become_the_bytes_they_stand_for(void **state)
{
    static const struct {
        const char *from, *to;
        int r;
    } cases[] = {
        {"plain", "plain", 0},
        {"\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t", 0},
        {"\\u0041\\u00e9\\u20AC", "A\xc3\xa9\xe2\x82\xac", 0},
        {"\\ud83d\\ude00", "\xf0\x9f\x98\x80", 0},
        {"\\ud83dx\\ude00", "\xef\xbf\xbdx\xef\xbf\xbd", 0},
        {"\\ud83d\\ud83d", "\xef\xbf\xbd\xef\xbf\xbd", 0},
        {"\\", "", -ERR_PROTOCOL},
        {"\\u12", "", -ERR_PROTOCOL},
        {"\\q", "", -ERR_PROTOCOL},
    };
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(buf_done) struct buf b = BUF_INIT(64);

        assert_int_equal(log_record_unescape(&b, str_of(cases[i].from)), cases[i].r);
        assert_str(buf_str(&b), cases[i].to);
    }
}

static void a_buf_at_its_ceiling_stays_as_it_was(void **state)
{
    CLEANUP(buf_done) struct buf head = BUF_INIT(4096);
    struct log_line line = {.message = STR("message")};
    size_t max;

    (void)state;
    assert_int_equal(log_origin_write(&head, &origin), 0);
    for (max = 1; max < 300; max++) {
        CLEANUP(buf_done) struct buf b = BUF_INIT(max);
        int r;

        assert_int_equal(buf_append_char(&b, 'x'), 0);
        r = log_record_write(&b, buf_str(&head), &line);
        if (r == 0)
            break;
        assert_int_equal(r, -ERR_TOO_LARGE);
        assert_int_equal(b.len, 1);
    }
    assert_true(max > 250 && max < 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_one_line_of_json),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(members_of_a_later_version_and_any_order_are_fine),
        cmocka_unit_test(a_line_that_is_no_record_is_refused),
        cmocka_unit_test(escapes_become_the_bytes_they_stand_for),
        cmocka_unit_test(a_buf_at_its_ceiling_stays_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
