/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "common/proto/big_endian.h"
#include "common/proto/link_frame.h"

static void write_header(char *to, uint32_t length, uint32_t stream, uint32_t head_len,
                         uint8_t type, uint8_t flags, uint8_t kind, uint8_t zero)
{
    be32_put(to, length);
    be32_put(to + 4, stream);
    be32_put(to + 8, head_len);
    to[12] = (char)type;
    to[13] = (char)flags;
    to[14] = (char)kind;
    to[15] = (char)zero;
}

static void a_header_reads_back_as_it_was_written(void **state)
{
    const struct link_frame in = {LINK_FRAME_OPEN, LINK_FRAME_END, 2, 0x01020304, 300, 0x10000};
    struct link_frame out;
    char bytes[LINK_FRAME_HEADER], want[LINK_FRAME_HEADER];

    (void)state;
    link_frame_write(&in, bytes);
    write_header(want, 300 + 0x10000, 0x01020304, 300, 2, 1, 2, 0);
    assert_memory_equal(bytes, want, sizeof(want));
    assert_int_equal(link_frame_read(bytes, &out, NULL), 0);
    assert_int_equal(out.type, in.type);
    assert_int_equal(out.flags, in.flags);
    assert_int_equal(out.kind, in.kind);
    assert_int_equal(out.stream, in.stream);
    assert_int_equal(out.head_len, in.head_len);
    assert_int_equal(out.data_len, in.data_len);
}

static void headers_are_held_to_the_rules_of_their_type(void **state)
{
    static const struct {
        uint32_t length, stream, head_len;
        uint8_t type, flags, kind, zero;
        bool legal;
    } cases[] = {
        {10, 0, 10, LINK_FRAME_HELLO, 0, 0, 0, true},
        {0, 0, 0, LINK_FRAME_HELLO, 0, 0, 0, false}, /* says nothing */
        {4097, 0, 4097, LINK_FRAME_HELLO, 0, 0, 0, false}, /* too long */
        {10, 1, 10, LINK_FRAME_HELLO, 0, 0, 0, false}, /* on a stream */
        {10, 0, 9, LINK_FRAME_HELLO, 0, 0, 0, false}, /* with data */
        {0, 1, 0, LINK_FRAME_OPEN, 0, 1, 0, true},
        {0, 1, 0, LINK_FRAME_OPEN, 0, 0, 0, false}, /* no kind */
        {0, 0, 0, LINK_FRAME_OPEN, 0, 1, 0, false}, /* no stream */
        {0, 1, 0, LINK_FRAME_OPEN, 2, 1, 0, false}, /* unknown flag */
        {0, 1, 0, LINK_FRAME_OPEN, 0, 1, 1, false}, /* not zero */
        {5, 1, 6, LINK_FRAME_OPEN, 0, 1, 0, false}, /* head longer than the frame */
        {LINK_FRAME_HEAD_MAX, 1, LINK_FRAME_HEAD_MAX, LINK_FRAME_OPEN, 0, 1, 0, true},
        {LINK_FRAME_HEAD_MAX + 1, 1, LINK_FRAME_HEAD_MAX + 1, LINK_FRAME_OPEN, 0, 1, 0, false},
        {LINK_FRAME_DATA_MAX, 1, 0, LINK_FRAME_ANSWER, 1, 0, 0, true},
        {LINK_FRAME_DATA_MAX + 1, 1, 0, LINK_FRAME_ANSWER, 1, 0, 0, false},
        {UINT32_MAX, 1, 0, LINK_FRAME_DATA, 1, 0, 0, false},
        {UINT32_MAX, 1, UINT32_MAX, LINK_FRAME_OPEN, 1, 1, 0, false},
        {1, 7, 0, LINK_FRAME_DATA, 0, 0, 0, true},
        {0, 7, 0, LINK_FRAME_DATA, 1, 0, 0, true},
        {0, 7, 0, LINK_FRAME_DATA, 0, 0, 0, false}, /* says nothing */
        {1, 7, 1, LINK_FRAME_DATA, 0, 0, 0, false}, /* with a head */
        {1, 7, 0, LINK_FRAME_DATA, 0, 1, 0, false}, /* with a kind */
        {4, 7, 4, LINK_FRAME_WINDOW, 0, 0, 0, true},
        {3, 7, 3, LINK_FRAME_WINDOW, 0, 0, 0, false},
        {4, 7, 4, LINK_FRAME_WINDOW, 1, 0, 0, false}, /* does not end anything */
        {9, 7, 9, LINK_FRAME_RESET, 0, 0, 0, true},
        {0, 7, 0, LINK_FRAME_RESET, 0, 0, 0, false},
        {65, 7, 65, LINK_FRAME_RESET, 0, 0, 0, false},
        {0, 0, 0, LINK_FRAME_PING, 0, 0, 0, true},
        {0, 0, 0, LINK_FRAME_PONG, 0, 0, 0, true},
        {1, 0, 0, LINK_FRAME_PONG, 0, 0, 0, false},
        {0, 0, 0, 0, 0, 0, 0, false},
        {0, 0, 0, 9, 0, 0, 0, false},
        {0, 0, 0, 255, 0, 0, 0, false},
    };
    char bytes[LINK_FRAME_HEADER];
    struct link_frame frame;
    struct error err;
    size_t i;
    int r;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        write_header(bytes, cases[i].length, cases[i].stream, cases[i].head_len, cases[i].type,
                     cases[i].flags, cases[i].kind, cases[i].zero);
        r = link_frame_read(bytes, &frame, &err);
        if (r != (cases[i].legal ? 0 : -ERR_PROTOCOL))
            fail_msg("case %zu: %d", i, r);
    }
}

/* Three frames: a head with data, data that ends, a bare ping. */
static size_t write_sample(char *to)
{
    char *p = to;

    write_header(p, 4 + 6, 1, 4, LINK_FRAME_OPEN, 0, 1, 0);
    memcpy(p + 16, "HEADabcdef", 10);
    p += 26;
    write_header(p, 3, 1, 0, LINK_FRAME_DATA, 1, 0, 0);
    memcpy(p + 16, "ghi", 3);
    p += 19;
    write_header(p, 0, 0, 0, LINK_FRAME_PING, 0, 0, 0);
    return (size_t)(p + 16 - to);
}

/* Feeds @bytes in pieces of @step; writes what came out: heads in [], data, frames' ends as '.'. */
static void parse_in_steps(struct str bytes, size_t step, struct buf *out)
{
    struct link_parser p;
    struct link_part part;
    struct str piece;
    size_t at;
    int r;

    link_parser_init(&p);
    for (at = 0; at < bytes.len; at += step) {
        /* a copy of its own, so that a read beyond it is seen */
        char *copy = str_dup(str_sub(bytes, at, at + step));

        piece = str_from(copy, str_sub(bytes, at, at + step).len);
        while ((r = link_parser_next(&p, &piece, &part, NULL)) > 0) {
            if (part.first)
                buf_printf(out, "%d[%.*s]", part.frame->type, STR_ARG(part.head));
            buf_append_str(out, part.data);
            if (part.last)
                buf_append_char(out, (part.frame->flags & LINK_FRAME_END) ? '!' : '.');
        }
        assert_int_equal(r, 0);
        assert_int_equal(piece.len, 0);
        free(copy);
    }
    link_parser_done(&p);
}

static void frames_come_out_the_same_however_the_bytes_are_cut(void **state)
{
    CLEANUP(buf_done) struct buf out = BUF_INIT(4096);
    char bytes[128];
    size_t len = write_sample(bytes), step;

    (void)state;
    for (step = 1; step <= len; step++) {
        buf_clear(&out);
        parse_in_steps(str_from(bytes, len), step, &out);
        assert_int_equal(buf_append_char(&out, '\0'), 0);
        assert_string_equal(out.ptr, "2[HEAD]abcdef.4[]ghi!7[].");
    }
}

static void data_is_handed_on_before_the_frame_is_complete(void **state)
{
    struct link_parser p;
    struct link_part part;
    char bytes[LINK_FRAME_HEADER + 4];
    struct str piece = {bytes, sizeof(bytes)};

    (void)state;
    link_parser_init(&p);
    write_header(bytes, 60000, 1, 0, LINK_FRAME_DATA, 0, 0, 0);
    memset(bytes + LINK_FRAME_HEADER, 'x', 4);
    assert_int_equal(link_parser_next(&p, &piece, &part, NULL), 1);
    assert_true(part.first);
    assert_false(part.last);
    assert_int_equal(part.data.len, 4);
    assert_int_equal(link_parser_next(&p, &piece, &part, NULL), 0);
    link_parser_done(&p);
}

static void a_big_length_costs_no_memory_before_its_bytes_come(void **state)
{
    struct link_parser p;
    struct link_part part;
    char bytes[LINK_FRAME_HEADER + 1];
    struct str piece = {bytes, sizeof(bytes)};

    (void)state;
    link_parser_init(&p);
    write_header(bytes, LINK_FRAME_HEAD_MAX, 1, LINK_FRAME_HEAD_MAX, LINK_FRAME_OPEN, 0, 1, 0);
    bytes[LINK_FRAME_HEADER] = 'x';
    assert_int_equal(link_parser_next(&p, &piece, &part, NULL), 0);
    assert_true(p.head.cap < 1024);
    link_parser_done(&p);
}

static void nonsense_is_an_error(void **state)
{
    struct link_parser p;
    struct link_part part;
    struct str piece = STR("GET / HTTP/1.1\r\nHost: nobody\r\n\r\n");
    struct error err;

    (void)state;
    link_parser_init(&p);
    assert_int_equal(link_parser_next(&p, &piece, &part, &err), -ERR_PROTOCOL);
    assert_int_equal(err.code, ERR_PROTOCOL);
    link_parser_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_reads_back_as_it_was_written),
        cmocka_unit_test(headers_are_held_to_the_rules_of_their_type),
        cmocka_unit_test(frames_come_out_the_same_however_the_bytes_are_cut),
        cmocka_unit_test(data_is_handed_on_before_the_frame_is_complete),
        cmocka_unit_test(a_big_length_costs_no_memory_before_its_bytes_come),
        cmocka_unit_test(nonsense_is_an_error),
    };

    return cmocka_run_group_tests_name("link_frame", tests, NULL, NULL);
}
