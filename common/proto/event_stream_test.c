/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/event_stream.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* These three are what botocore's EventStreamBuffer takes them for. */
static const char chunk[] =
    "\x00\x00\x00\x71\x00\x00\x00\x5a\x2a\x2e\xae\xfc\x0b\x3a\x65\x76\x65\x6e\x74\x2d"
    "\x74\x79\x70\x65\x07\x00\x0c\x50\x61\x79\x6c\x6f\x61\x64\x43\x68\x75\x6e\x6b\x0d"
    "\x3a\x63\x6f\x6e\x74\x65\x6e\x74\x2d\x74\x79\x70\x65\x07\x00\x18\x61\x70\x70\x6c"
    "\x69\x63\x61\x74\x69\x6f\x6e\x2f\x6f\x63\x74\x65\x74\x2d\x73\x74\x72\x65\x61\x6d"
    "\x0d\x3a\x6d\x65\x73\x73\x61\x67\x65\x2d\x74\x79\x70\x65\x07\x00\x05\x65\x76\x65"
    "\x6e\x74\x22\x68\x65\x6c\x6c\x6f\x22\xa6\x7f\x5e\x3c";
static const char empty[] = "\x00\x00\x00\x10\x00\x00\x00\x00\x05\xc2\x48\xeb\x7d\x98\xc8\xff";
/* a header of each type: t f b s i l y x T u; x is the string "text"; the payload is {} */
static const char types[] =
    "\x00\x00\x00\x61\x00\x00\x00\x4f\x27\x13\xdd\x95\x01\x74\x00\x01\x66\x01\x01\x62"
    "\x02\x01\x01\x73\x03\x00\x01\x01\x69\x04\x00\x00\x00\x01\x01\x6c\x05\x00\x00\x00"
    "\x00\x00\x00\x00\x01\x01\x79\x06\x00\x02\x61\x62\x01\x78\x07\x00\x04\x74\x65\x78"
    "\x74\x01\x54\x08\x00\x00\x00\x00\x00\x00\x00\x00\x01\x75\x09\x00\x01\x02\x03\x04"
    "\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x7b\x7d\x48\xa5\x78\xc6";

#define BYTES(literal) str_from(literal, sizeof(literal) - 1)

static void a_message_is_written_as_aws_has_it(void **state)
{
    struct buf b = BUF_INIT(1024);

    (void)state;
    assert_int_equal(event_stream_append(&b, STR("PayloadChunk"), STR("application/octet-stream"),
                                         STR("\"hello\"")),
                     0);
    assert_true(str_eq(buf_str(&b), BYTES(chunk)));
    buf_done(&b);
}

static void what_cannot_be_written_leaves_the_buffer_alone(void **state)
{
    static char long_name[256];
    struct buf b = BUF_INIT(120);

    (void)state;
    memset(long_name, 'x', sizeof(long_name));
    assert_int_equal(event_stream_append(&b, STR("Event"), STR("text/plain"), STR("12345")), 0);
    assert_int_equal(event_stream_append(&b, STR("Event"), STR("text/plain"), STR("12345")),
                     -ERR_TOO_LARGE);
    assert_int_equal(b.len, 90);
    b.max = 1024;
    assert_int_equal(event_stream_append(&b, STR_NULL, STR("text/plain"), STR("")), -ERR_TOO_LARGE);
    assert_int_equal(
        event_stream_append(&b, str_from(long_name, 256), STR("text/plain"), STR("")),
        -ERR_TOO_LARGE);
    assert_int_equal(b.len, 90);
    buf_done(&b);
}

static void messages_are_read_one_after_the_other(void **state)
{
    struct buf b = BUF_INIT(1024);
    struct event_message m;
    struct str rest;

    (void)state;
    buf_append_str(&b, BYTES(chunk));
    buf_append_str(&b, BYTES(empty));
    buf_append_str(&b, BYTES(types));
    rest = buf_str(&b);
    assert_int_equal(event_stream_read(rest, &m, NULL), 1);
    assert_true(str_is(event_message_header(&m, ":event-type"), "PayloadChunk"));
    assert_true(str_is(event_message_header(&m, ":message-type"), "event"));
    assert_null(event_message_header(&m, ":exception-type").ptr);
    assert_true(str_is(m.payload, "\"hello\""));
    assert_int_equal(m.size, 113);
    rest = str_sub(rest, m.size, rest.len);
    assert_int_equal(event_stream_read(rest, &m, NULL), 1);
    assert_int_equal(m.headers.len + m.payload.len, 0);
    assert_int_equal(m.size, 16);
    rest = str_sub(rest, m.size, rest.len);
    assert_int_equal(event_stream_read(rest, &m, NULL), 1);
    assert_true(str_is(event_message_header(&m, "x"), "text"));
    assert_null(event_message_header(&m, "y").ptr); /* bytes are no text */
    assert_null(event_message_header(&m, "u").ptr);
    assert_true(str_is(m.payload, "{}"));
    rest = str_sub(rest, m.size, rest.len);
    assert_int_equal(event_stream_read(rest, &m, NULL), 0);
    buf_done(&b);
}

static void a_part_asks_for_more_and_a_changed_byte_is_refused(void **state)
{
    char bytes[sizeof(types) - 1];
    struct event_message m;
    struct error err;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bytes); i++)
        assert_int_equal(event_stream_read(str_from(types, i), &m, NULL), 0);
    for (i = 0; i < sizeof(bytes); i++) {
        memcpy(bytes, types, sizeof(bytes));
        bytes[i] ^= 0x10;
        assert_int_equal(event_stream_read(str_from(bytes, sizeof(bytes)), &m, &err),
                         -ERR_PROTOCOL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_written_as_aws_has_it),
        cmocka_unit_test(what_cannot_be_written_leaves_the_buffer_alone),
        cmocka_unit_test(messages_are_read_one_after_the_other),
        cmocka_unit_test(a_part_asks_for_more_and_a_changed_byte_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
