/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "invoker/log_lines.h"

/* Lines as "text|", pieces as "text+". */
struct seen {
    struct buf b;
    size_t pieces, longest;
};

static void on_line(struct str text, bool continues, void *arg)
{
    struct seen *seen = arg;

    buf_append_str(&seen->b, text);
    buf_append_char(&seen->b, continues ? '+' : '|');
    seen->pieces++;
    if (text.len > seen->longest)
        seen->longest = text.len;
}

static void assert_seen(struct seen *seen, const char *want)
{
    assert_int_equal(seen->b.len, str_of(want).len);
    assert_memory_equal(buf_str(&seen->b).ptr, want, seen->b.len);
}

#define SETUP                                                                                      \
    struct seen seen = {.b = BUF_INIT(4u << 20)};                                                  \
    struct log_lines l;                                                                            \
    (void)state;                                                                                   \
    log_lines_init(&l, on_line, &seen)

#define TEARDOWN                                                                                   \
    log_lines_done(&l);                                                                            \
    buf_done(&seen.b)

static void each_newline_ends_a_line(void **state)
{
    SETUP;
    log_lines_feed(&l, STR("one\n\ntwo\r\nthr"));
    assert_seen(&seen, "one||two\r|");
    log_lines_feed(&l, STR("ee"));
    log_lines_feed(&l, STR("\n"));
    assert_seen(&seen, "one||two\r|three|");
    TEARDOWN;
}

static void an_unfinished_line_waits_for_a_flush(void **state)
{
    SETUP;
    log_lines_feed(&l, STR("half"));
    assert_seen(&seen, "");
    log_lines_flush(&l);
    log_lines_flush(&l);
    assert_seen(&seen, "half|");
    log_lines_feed(&l, STR("other\n"));
    assert_seen(&seen, "half|other|");
    TEARDOWN;
}

static void a_line_of_exactly_the_maximum_is_one_piece(void **state)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(2u << 20);

    SETUP;
    while (text.len < LOG_LINES_MAX)
        buf_append_char(&text, 'x');
    log_lines_feed(&l, buf_str(&text));
    assert_int_equal(seen.pieces, 0);
    log_lines_feed(&l, STR("\n"));
    assert_int_equal(seen.pieces, 1);
    assert_int_equal(seen.longest, LOG_LINES_MAX);
    assert_int_equal(seen.b.ptr[seen.b.len - 1], '|');
    TEARDOWN;
}

/* The same text in reads of every kind of size gives the same pieces, and nothing is missing. */
static void a_long_line_comes_in_continued_pieces(void **state)
{
    static const size_t reads[] = {1, 7, 4096, 65536, LOG_LINES_MAX, 3 * LOG_LINES_MAX};
    CLEANUP(buf_done) struct buf text = BUF_INIT(4u << 20);
    size_t i, at;

    while (text.len < 2 * LOG_LINES_MAX + 100) /* three bytes each: the cut falls inside one */
        buf_append_str(&text, STR("\xe2\x82\xac"));
    buf_append_char(&text, '\n');
    for (i = 0; i < ARRAY_LEN(reads); i++) {
        SETUP;
        for (at = 0; at < text.len; at += reads[i])
            log_lines_feed(&l, str_sub(buf_str(&text), at, at + reads[i]));
        assert_int_equal(seen.pieces, 3);
        assert_int_equal(seen.longest, LOG_LINES_MAX - LOG_LINES_MAX % 3);
        assert_int_equal(seen.b.len, text.len - 1 + 3);
        assert_int_equal(seen.b.ptr[seen.longest], '+');
        assert_int_equal(seen.b.ptr[2 * seen.longest + 1], '+');
        assert_int_equal(seen.b.ptr[seen.b.len - 1], '|');
        TEARDOWN;
    }
}

static void a_long_line_that_is_not_utf8_is_cut_too(void **state)
{
    static const size_t reads[] = {4096, 3 * LOG_LINES_MAX};
    CLEANUP(buf_done) struct buf text = BUF_INIT(4u << 20);
    size_t i, at;

    while (text.len < 2 * LOG_LINES_MAX + 100)
        buf_append_char(&text, '\x80');
    for (i = 0; i < ARRAY_LEN(reads); i++) {
        SETUP;
        for (at = 0; at < text.len; at += reads[i])
            log_lines_feed(&l, str_sub(buf_str(&text), at, at + reads[i]));
        log_lines_flush(&l);
        assert_int_equal(seen.pieces, 3);
        assert_int_equal(seen.b.len, text.len + 3);
        TEARDOWN;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_newline_ends_a_line),
        cmocka_unit_test(an_unfinished_line_waits_for_a_flush),
        cmocka_unit_test(a_line_of_exactly_the_maximum_is_one_piece),
        cmocka_unit_test(a_long_line_comes_in_continued_pieces),
        cmocka_unit_test(a_long_line_that_is_not_utf8_is_cut_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
