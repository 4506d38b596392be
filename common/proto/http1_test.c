/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/http1.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define REQ "GET /a?b=c HTTP/1.1\r\nHost: h\r\n"

/* Reads @text whole, or byte by byte when @step is 1; the buffer moves between calls then. */
static int read_head(struct http1_head *h, const char *text, size_t len, char *copy,
                     bool byte_by_byte)
{
    size_t n;
    int r = 0;

    http1_head_init(h);
    for (n = byte_by_byte ? 0 : len; n <= len && r == 0; n++) {
        memcpy(copy, text, n);
        r = http1_head_read(h, copy, n);
    }
    return r;
}

static void good_heads_are_read_whole_and_byte_by_byte(void **state)
{
    static const struct {
        const char *text, *method, *path, *query;
        bool keep_alive, chunked;
        uint64_t length;
    } cases[] = {
        {REQ "\r\n", "GET", "/a", "b=c", true, false, 0},
        {"\r\n\r\nGET / HTTP/1.1\r\nHost:\r\n\r\n", "GET", "/", "", true, false, 0},
        {"GET / HTTP/1.0\r\n\r\n", "GET", "/", "", false, false, 0},
        {"GET / HTTP/1.0\r\nConnection: foo, Keep-Alive\r\n\r\n", "GET", "/", "", true, false, 0},
        {REQ "Connection: close\r\n\r\n", "GET", "/a", "b=c", false, false, 0},
        {"POST /x? HTTP/1.1\r\nHost: h:80\r\nContent-Length: 12\r\n\r\n", "POST", "/x", "", true,
         false, 12},
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\ncontent-length: 3\r\n\r\n", "POST",
         "/", "", true, false, 3},
        {"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n", "PUT", "/", "", true,
         true, 0},
        {"GET http://u.v:1/p/q?x?y HTTP/1.1\r\nHost: h\r\n\r\n", "GET", "/p/q", "x?y", true, false,
         0},
        {"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "OPTIONS", "*", "", true, false, 0},
        {"GET /%7e:@!$&'()*+,;= HTTP/1.1\r\nHost: [::1]:9\r\nX:\t\xc3\xa9 \t\r\n\r\n", "GET",
         "/%7e:@!$&'()*+,;=", "", true, false, 0},
    };
    struct http1_head h;
    char copy[512];
    size_t i;
    int step;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        for (step = 0; step < 2; step++) {
            print_message("case %zu\n", i);
            assert_int_equal(read_head(&h, cases[i].text, strlen(cases[i].text), copy, step),
                             strlen(cases[i].text));
            assert_true(str_is(http1_str(copy, h.method), cases[i].method));
            assert_true(str_is(http1_str(copy, h.path), cases[i].path));
            assert_true(str_is(http1_str(copy, h.query), cases[i].query));
            assert_int_equal(h.keep_alive, cases[i].keep_alive);
            assert_int_equal(h.chunked, cases[i].chunked);
            assert_int_equal(h.content_length, cases[i].length);
        }
    }
}

static void bad_heads_are_refused_with_a_status(void **state)
{
    static const struct {
        struct str text;
        int status;
    } cases[] = {
        {STR("GET / HTTP/1.1\nHost: h\n\n"), 400},
        {STR("GET / HTTP/1.1\r\nHost: h\n\r\n"), 400},
        {STR("\nGET / HTTP/1.1\r\n"), 400},
        {STR("GET / HTTP/1.1\r\n\r\n"), 400}, /* no Host */
        {STR(REQ "Host: h\r\n\r\n"), 400}, /* two */
        {STR("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), 400},
        {STR("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), 400},
        {STR(REQ " folded: x\r\n\r\n"), 400},
        {STR(REQ "A: x\r\n\ty\r\n\r\n"), 400},
        {STR(REQ "A : x\r\n\r\n"), 400},
        {STR(REQ ": x\r\n\r\n"), 400},
        {STR(REQ "nocolon\r\n\r\n"), 400},
        {STR(REQ "A: x\0y\r\n\r\n"), 400},
        {STR(REQ "A: x\ry\r\n\r\n"), 400},
        {STR(REQ "A: x\x7f\r\n\r\n"), 400},
        {STR(REQ "A\xc3: x\r\n\r\n"), 400},
        {STR(REQ "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"), 400},
        {STR(REQ "Content-Length: 5\r\nContent-Length: 6\r\n\r\n"), 400},
        {STR(REQ "Content-Length: 5, 5\r\n\r\n"), 400},
        {STR(REQ "Content-Length: +5\r\n\r\n"), 400},
        {STR(REQ "Content-Length: -5\r\n\r\n"), 400},
        {STR(REQ "Content-Length: 0x5\r\n\r\n"), 400},
        {STR(REQ "Content-Length:\r\n\r\n"), 400},
        {STR(REQ "Content-Length: 18446744073709551616\r\n\r\n"), 400},
        {STR(REQ "Transfer-Encoding: gzip\r\n\r\n"), 501},
        {STR(REQ "Transfer-Encoding: gzip, chunked\r\n\r\n"), 501},
        {STR(REQ "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"), 400},
        {STR("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400},
        {STR(REQ "Expect: tea\r\n\r\n"), 417},
        {STR("GET / HTTP/2.0\r\n\r\n"), 505},
        {STR("GET / HTTP/1.2\r\n\r\n"), 505},
        {STR("GET / HTTP/1.1 \r\n\r\n"), 400},
        {STR("GET  / HTTP/1.1\r\n\r\n"), 400},
        {STR("GET / http/1.1\r\n\r\n"), 400},
        {STR("GET /\r\n\r\n"), 400},
        {STR("GET /a b HTTP/1.1\r\n\r\n"), 400},
        {STR("GET /a\tb HTTP/1.1\r\n\r\n"), 400},
        {STR("GET /\xc3\xa9 HTTP/1.1\r\n\r\n"), 400},
        {STR("GET /#f HTTP/1.1\r\n\r\n"), 400},
        {STR("GET a HTTP/1.1\r\n\r\n"), 400},
        {STR("GET * HTTP/1.1\r\n\r\n"), 400},
        {STR("GET http://h HTTP/1.1\r\n\r\n"), 400},
        {STR("GET http://h?/ HTTP/1.1\r\n\r\n"), 400},
        {STR("G(T / HTTP/1.1\r\n\r\n"), 400},
        {STR(" / HTTP/1.1\r\n\r\n"), 400},
        {STR("\x16\x03\x01\x02\r\n"), 400}, /* TLS on a plain port */
    };
    struct http1_head h;
    char copy[512];
    size_t i;
    int step;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        for (step = 0; step < 2; step++) {
            print_message("case %zu\n", i);
            assert_int_equal(read_head(&h, cases[i].text.ptr, cases[i].text.len, copy, step),
                             -ERR_PROTOCOL);
            assert_int_equal(h.status, cases[i].status);
            assert_non_null(h.why);
        }
    }
}

static void fields_are_found_by_lower_case_name_first_one_wins(void **state)
{
    char text[] = REQ "X-Amz-Log-Type: Tail \r\nx-amz-log-type: None\r\nEmpty:\r\n\r\n";
    struct http1_head h;

    (void)state;
    http1_head_init(&h);
    assert_int_equal(http1_head_read(&h, text, sizeof(text) - 1), sizeof(text) - 1);
    assert_true(str_is(http1_head_get(&h, text, STR("x-amz-log-type")), "Tail"));
    assert_non_null(http1_head_get(&h, text, STR("empty")).ptr);
    assert_int_equal(http1_head_get(&h, text, STR("empty")).len, 0);
    assert_null(http1_head_get(&h, text, STR("absent")).ptr);
}

static void a_head_beyond_the_limits_is_431(void **state)
{
    static char text[HTTP1_HEAD_MAX + 100];
    struct buf b = BUF_INIT(64 * 1024);
    struct http1_head h;
    int i;

    (void)state;
    memset(text, 'a', sizeof(text));
    memcpy(text, REQ "A: ", sizeof(REQ "A: ") - 1);
    http1_head_init(&h);
    assert_int_equal(http1_head_read(&h, text, HTTP1_HEAD_MAX - 1), 0);
    assert_int_equal(http1_head_read(&h, text, HTTP1_HEAD_MAX), -ERR_PROTOCOL);
    assert_int_equal(h.status, 431);

    memset(text, 'a', 100);
    http1_head_init(&h);
    assert_int_equal(http1_head_read(&h, text, sizeof(text)), -ERR_PROTOCOL);
    assert_int_equal(h.status, 414);

    buf_append(&b, REQ, sizeof(REQ) - 1); /* Host is the first field */
    for (i = 0; i < (int)HTTP1_FIELDS_MAX - 1; i++)
        buf_append(&b, "a: b\r\n", 6);
    http1_head_init(&h);
    assert_int_equal(http1_head_read(&h, b.ptr, b.len), 0);
    buf_append(&b, "a: b\r\n", 6);
    assert_int_equal(http1_head_read(&h, b.ptr, b.len), -ERR_PROTOCOL);
    assert_int_equal(h.status, 431);
    buf_done(&b);
}

static void a_head_ends_where_its_body_begins(void **state)
{
    char text[] =
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-Continue\r\n\r\nbody";
    struct http1_head h;

    (void)state;
    http1_head_init(&h);
    assert_int_equal(http1_head_read(&h, text, sizeof(text) - 1), sizeof(text) - 5);
    assert_true(h.expects_continue);
    assert_true(h.has_length);
}

/* Feeds @text in pieces of @step bytes; the payload gathers in @out. */
static int decode(const char *text, size_t len, size_t step, struct buf *out, struct buf *trailers,
                  size_t *rest)
{
    struct http1_chunked c = {0};
    char piece[512];
    size_t at = 0, n, used;
    int r = 0;

    while (at < len && r == 0) {
        n = len - at < step ? len - at : step;
        memcpy(piece, text + at, n);
        r = http1_chunked_read(&c, piece, &n, &used, trailers);
        if (r >= 0) {
            buf_append(out, piece, n);
            at += used;
        }
    }
    *rest = len - at;
    return r;
}

static void chunked_bodies_are_decoded_in_pieces_of_any_size(void **state)
{
    static const struct {
        const char *text, *body, *trailers;
        size_t rest;
    } cases[] = {
        {"0\r\n\r\n", "", "", 0},
        {"5\r\nhello\r\n0\r\n\r\n", "hello", "", 0},
        {"5;a=\"b c\"\r\nhello\r\n00a\r\n0123456789\r\n0;z\r\n\r\nGET /", "hello0123456789", "", 5},
        {"1\r\n\r\r\n1\r\n\n\r\n0\r\nError-Type: X\r\nb:\r\n\r\n", "\r\n",
         "error-type: X\r\nb:\r\n", 0},
    };
    size_t i, step, rest;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        for (step = 1; step < 100; step++) {
            struct buf out = BUF_INIT(1024), trailers = BUF_INIT(1024);

            assert_int_equal(
                decode(cases[i].text, strlen(cases[i].text), step, &out, &trailers, &rest), 1);
            assert_true(str_is(buf_str(&out), cases[i].body));
            assert_true(str_is(buf_str(&trailers), cases[i].trailers));
            assert_int_equal(rest, cases[i].rest);
            buf_done(&out);
            buf_done(&trailers);
        }
    }
}

static void broken_chunks_are_refused(void **state)
{
    static const char *const cases[] = {
        "\r\n",
        "x\r\n",
        "5 \r\nhello",
        "-5\r\n",
        "0x5\r\n",
        ";a\r\n",
        "5\nhello",
        "5\rhello",
        "5\r\nhelloo\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "5\r\nhello\rx",
        "5;\x01\r\n",
        "1000000000000000\r\n",
        "0\r\n\n",
        "0\r\nbad name: x\r\n\r\n",
        "0\r\n: x\r\n",
        "0\r\na: x\n",
        "0\r\na: \x02\r\n",
        "0\r\n\rx",
        "0\r\n folded\r\n",
    };
    size_t i, step, rest;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        for (step = 1; step < 20; step++) {
            struct buf out = BUF_INIT(1024);

            print_message("case %zu\n", i);
            assert_int_equal(decode(cases[i], strlen(cases[i]), step, &out, NULL, &rest),
                             -ERR_PROTOCOL);
            buf_done(&out);
        }
    }
}

static void long_extensions_and_trailers_are_refused(void **state)
{
    struct buf text = BUF_INIT(128 * 1024), out = BUF_INIT(64);
    size_t rest;
    int i;

    (void)state;
    buf_append(&text, "5;", 2);
    for (i = 0; i < 300; i++)
        buf_append_char(&text, 'e');
    assert_int_equal(decode(text.ptr, text.len, 100, &out, NULL, &rest), -ERR_PROTOCOL);
    buf_clear(&text);
    buf_append(&text, "0\r\n", 3);
    for (i = 0; i < (int)HTTP1_TRAILERS_MAX / 6 + 1; i++)
        buf_append(&text, "a: b\r\n", 6);
    assert_int_equal(decode(text.ptr, text.len, 100, &out, NULL, &rest), -ERR_PROTOCOL);
    buf_done(&text);
    buf_done(&out);
}

static void response_heads_cannot_be_split_by_a_value(void **state)
{
    struct buf b = BUF_INIT(256);

    (void)state;
    assert_int_equal(http1_write_status(&b, 200), 0);
    assert_int_equal(http1_write_status(&b, 404), 0);
    assert_int_equal(http1_write_status(&b, 299), 0);
    assert_int_equal(http1_write_status(&b, 99), -ERR_PROTOCOL);
    assert_int_equal(http1_write_field(&b, STR("X-A"), STR("1")), 0);
    assert_int_equal(http1_write_field(&b, STR("X-A"), STR("1\r\nX: 2")), -ERR_PROTOCOL);
    assert_int_equal(http1_write_field(&b, STR("X A"), STR("1")), -ERR_PROTOCOL);
    assert_int_equal(http1_write_field(&b, STR(""), STR("1")), -ERR_PROTOCOL);
    assert_int_equal(http1_write_length(&b, 0), 0);
    assert_int_equal(http1_write_length(&b, 18446744073709551615u), 0);
    assert_true(str_is(buf_str(&b), "HTTP/1.1 200 OK\r\nHTTP/1.1 404 Not Found\r\nHTTP/1.1 299 \r\n"
                                    "X-A: 1\r\nContent-Length: 0\r\n"
                                    "Content-Length: 18446744073709551615\r\n"));
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_heads_are_read_whole_and_byte_by_byte),
        cmocka_unit_test(bad_heads_are_refused_with_a_status),
        cmocka_unit_test(fields_are_found_by_lower_case_name_first_one_wins),
        cmocka_unit_test(a_head_beyond_the_limits_is_431),
        cmocka_unit_test(a_head_ends_where_its_body_begins),
        cmocka_unit_test(chunked_bodies_are_decoded_in_pieces_of_any_size),
        cmocka_unit_test(broken_chunks_are_refused),
        cmocka_unit_test(long_extensions_and_trailers_are_refused),
        cmocka_unit_test(response_heads_cannot_be_split_by_a_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
