/* SPDX-License-Identifier: Apache-2.0 */
/* A link against a peer made by hand: the bytes themselves, legal and illegal. */
#include "common/io/link_test_ends.h"

#include <errno.h>
#include <fcntl.h>

#include "common/base/log.h"

#define HELLO_JSON "{\"protocol\":1,\"min\":1,\"role\":\"test\",\"id\":\"raw\"}"

/* ---- the peer */

struct raw {
    int fd;
    struct link_parser parser;
    struct buf got; /* bytes read and not yet looked at */
};

static void raw_init(struct raw *raw, int fd)
{
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    raw->fd = fd;
    raw->got = BUF_INIT(8u << 20);
}

static void raw_done(struct raw *raw)
{
    close(raw->fd);
    buf_done(&raw->got);
}

static void raw_connect(struct raw *raw)
{
    struct sockaddr_un un = unix_of(t.address);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    assert_int_equal(connect(fd, (struct sockaddr *)&un, sizeof(un)), 0);
    raw_init(raw, fd);
}

static void raw_send(struct raw *raw, const void *bytes, size_t len)
{
    assert_int_equal(write(raw->fd, bytes, len), len);
}

static void append_frame(struct buf *b, enum link_frame_type type, uint8_t flags, uint8_t kind,
                         uint32_t stream, struct str head, struct str data)
{
    const struct link_frame frame = {
        type, flags, kind, stream, (uint32_t)head.len, (uint32_t)data.len};
    char header[LINK_FRAME_HEADER];

    link_frame_write(&frame, header);
    assert_int_equal(buf_append(b, header, sizeof(header)), 0);
    assert_int_equal(buf_append_str(b, head), 0);
    assert_int_equal(buf_append_str(b, data), 0);
}

static void raw_frame(struct raw *raw, enum link_frame_type type, uint8_t flags, uint8_t kind,
                      uint32_t stream, struct str head, struct str data)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(8u << 20);

    append_frame(&b, type, flags, kind, stream, head, data);
    raw_send(raw, b.ptr, b.len);
}

/* Reads what is there: bytes, 0 at the end of the connection, -1 when nothing is there. */
static ssize_t raw_read(struct raw *raw)
{
    char bytes[65536];
    ssize_t n = read(raw->fd, bytes, sizeof(bytes));

    if (n > 0)
        assert_int_equal(buf_append(&raw->got, bytes, (size_t)n), 0);
    return n < 0 && errno == ECONNRESET ? 0 : n;
}

/* The frames that came, one word each: type, stream, head length, data length, '!' for END. */
static const char *raw_frames(struct raw *raw)
{
    static char text[1024];
    struct str bytes;
    struct link_frame frame;
    size_t len = 0;

    while (raw_read(raw) > 0)
        ;
    text[0] = '\0';
    bytes = buf_str(&raw->got);
    while (bytes.len >= LINK_FRAME_HEADER) {
        assert_int_equal(link_frame_read(bytes.ptr, &frame, NULL), 0);
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%d:%u:%u:%u%s", len ? " " : "",
                                frame.type, frame.stream, frame.head_len, frame.data_len,
                                (frame.flags & LINK_FRAME_END) ? "!" : "");
        assert_true(len < sizeof(text));
        assert_true(bytes.len >= LINK_FRAME_HEADER + frame.head_len + frame.data_len);
        bytes = str_sub(bytes, LINK_FRAME_HEADER + frame.head_len + frame.data_len, bytes.len);
    }
    assert_int_equal(bytes.len, 0);
    buf_clear(&raw->got);
    return text;
}

static bool raw_is_closed(struct raw *raw)
{
    ssize_t n;

    while ((n = raw_read(raw)) > 0)
        ;
    return n == 0;
}

static void raw_greet(struct raw *raw)
{
    int before = t.server_ups;

    raw_connect(raw);
    raw_frame(raw, LINK_FRAME_HELLO, 0, 0, 0, STR(HELLO_JSON), STR_NULL);
    WAIT_FOR(t.server_ups == before + 1);
    raw_frames(raw);
}

static int set_up_server(void **state)
{
    set_up_unlinked(state);
    listen_again();
    return 0;
}

/* ---- tests */

static void an_echo_of_a_small_message_is_one_frame_each_way(void **state)
{
    struct raw raw;

    (void)state;
    raw_greet(&raw);
    raw_frame(&raw, LINK_FRAME_OPEN, LINK_FRAME_END, LINK_INVOKE, 1, STR("head"), STR("question"));
    WAIT_FOR(t.taken.ended);
    link_stream_answer(t.taken.s, STR("re"), STR("answer"), true);
    assert_string_equal(raw_frames(&raw), "3:1:2:6!"); /* at once, not at the end of the turn */
    raw_done(&raw);
}

static void questions_of_one_turn_go_in_two_writes(void **state)
{
    struct link *link;
    struct sockaddr_un un = unix_of(t.address);
    struct raw raw;
    struct talk talk;
    char bytes[4096];
    int listener, i;

    (void)state;
    /* SEQPACKET would show the writes; a stream shows them by what is there before the turn ends */
    listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&un, sizeof(un)), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(link_connect(t.loop, t.address, &client_hello, &client_ops, NULL, &link, NULL),
                     0);
    raw_init(&raw, accept(listener, NULL, NULL));
    raw_frame(&raw, LINK_FRAME_HELLO, 0, 0, 0, STR(HELLO_JSON), STR_NULL);
    WAIT_FOR(t.ups == 1);
    settle();
    raw_frames(&raw);
    talk_init(&talk);
    for (i = 0; i < 5; i++)
        assert_non_null(link_open(link, LINK_INVOKE, STR("h"), STR("q"), true, &talk_ops, &talk));
    assert_int_equal(read(raw.fd, bytes, sizeof(bytes)), LINK_FRAME_HEADER + 2);
    settle();
    assert_string_equal(raw_frames(&raw), "2:3:1:1! 2:5:1:1! 2:7:1:1! 2:9:1:1!");
    link_free(link);
    close(listener);
    raw_done(&raw);
    talk_done(&talk);
}

static void bytes_that_dribble_in_make_the_same_message(void **state)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(4096);
    struct raw raw;
    size_t i;

    (void)state;
    append_frame(&b, LINK_FRAME_HELLO, 0, 0, 0, STR(HELLO_JSON), STR_NULL);
    append_frame(&b, LINK_FRAME_OPEN, 0, LINK_INVOKE, 1, STR("head"), STR("ques"));
    append_frame(&b, LINK_FRAME_DATA, LINK_FRAME_END, 0, 1, STR_NULL, STR("tion"));
    raw_connect(&raw);
    for (i = 0; i < b.len; i++) {
        raw_send(&raw, b.ptr + i, 1);
        uv_run(loop_uv(t.loop), UV_RUN_NOWAIT);
    }
    WAIT_FOR(t.taken.ended);
    assert_true(str_is(buf_str(&t.taken.head), "head"));
    assert_true(str_is(buf_str(&t.taken.data), "question"));
    raw_done(&raw);
}

static void a_ping_is_answered(void **state)
{
    struct raw raw;

    (void)state;
    raw_greet(&raw);
    raw_frame(&raw, LINK_FRAME_PING, 0, 0, 0, STR_NULL, STR_NULL);
    settle();
    assert_string_equal(raw_frames(&raw), "8:0:0:0");
    raw_done(&raw);
}

static void frames_of_streams_that_are_over_are_ignored(void **state)
{
    struct raw raw;

    (void)state;
    raw_greet(&raw);
    raw_frame(&raw, LINK_FRAME_OPEN, 0, LINK_INVOKE, 1, STR("h"), STR("x"));
    WAIT_FOR(t.taken.data.len == 1);
    link_stream_reset(t.taken.s, ERR_STALE);
    raw_frame(&raw, LINK_FRAME_DATA, LINK_FRAME_END, 0, 1, STR_NULL, STR("late"));
    raw_frame(&raw, LINK_FRAME_WINDOW, 0, 0, 1, STR("\0\0\0\1"), STR_NULL);
    raw_frame(&raw, LINK_FRAME_RESET, 0, 0, 1, STR("CLOSED"), STR_NULL);
    settle();
    assert_string_equal(raw_frames(&raw), "6:1:5:0");
    assert_int_equal(t.taken.resets, 0);
    assert_int_equal(t.server_downs, 0);
    raw_done(&raw);
}

static void a_kind_of_a_later_version_is_refused_alone(void **state)
{
    struct raw raw;

    (void)state;
    raw_greet(&raw);
    raw_frame(&raw, LINK_FRAME_OPEN, 0, 99, 1, STR("h"), STR("x"));
    settle();
    assert_string_equal(raw_frames(&raw), "6:1:11:0");
    assert_int_equal(t.server_downs, 0);
    raw_done(&raw);
}

static void greetings_decide_whether_a_link_comes_up(void **state)
{
    static const struct {
        struct str json;
        bool up;
    } cases[] = {
#define GREETING(text, up) {{"" text, sizeof(text) - 1}, up}
        GREETING("{\"protocol\":1,\"min\":1,\"role\":\"r\",\"id\":\"\"}", true),
        GREETING("{\"protocol\":2,\"min\":1,\"role\":\"r\",\"id\":\"i\",\"new\":[1]}", true),
        GREETING("{\"protocol\":3,\"min\":2,\"role\":\"r\",\"id\":\"i\"}", false), /* too new */
        GREETING("{\"protocol\":1,\"min\":2,\"role\":\"r\",\"id\":\"i\"}", false),
        GREETING("{\"protocol\":0,\"min\":0,\"role\":\"r\",\"id\":\"i\"}", false),
        GREETING("{\"protocol\":1.5,\"min\":1,\"role\":\"r\",\"id\":\"i\"}", false),
        GREETING("{\"protocol\":1e300,\"min\":1,\"role\":\"r\",\"id\":\"i\"}", false),
        GREETING("{\"protocol\":\"1\",\"min\":1,\"role\":\"r\",\"id\":\"i\"}", false),
        GREETING("{\"protocol\":1,\"role\":\"r\",\"id\":\"i\"}", false),
        GREETING("{\"protocol\":1,\"min\":1,\"role\":\"sixteen-and-more\",\"id\":\"i\"}", false),
        GREETING("{\"protocol\":1,\"min\":1,\"role\":7,\"id\":\"i\"}", false),
        GREETING("[1]", false),
        GREETING("{", false),
        GREETING("\0\0\0", false),
#undef GREETING
    };
    struct raw raw;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        t.server_ups = 0;
        raw_connect(&raw);
        raw_frame(&raw, LINK_FRAME_HELLO, 0, 0, 0, cases[i].json, STR_NULL);
        settle();
        if (t.server_ups != (cases[i].up ? 1 : 0) || raw_is_closed(&raw) == cases[i].up)
            fail_msg("case %zu", i);
        raw_done(&raw);
        settle();
    }
}

static void a_client_refuses_a_peer_of_another_age_and_tries_again(void **state)
{
    struct sockaddr_un un = unix_of(t.address);
    struct link *link;
    struct raw raw;
    int listener;

    (void)state;
    listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&un, sizeof(un)), 0);
    assert_int_equal(listen(listener, 4), 0);
    assert_int_equal(link_connect(t.loop, t.address, &client_hello, &client_ops, NULL, &link, NULL),
                     0);
    raw_init(&raw, accept(listener, NULL, NULL));
    raw_frame(&raw, LINK_FRAME_HELLO, 0, 0, 0,
              STR("{\"protocol\":9,\"min\":8,\"role\":\"r\",\"id\":\"\"}"), STR_NULL);
    WAIT_FOR(raw_is_closed(&raw));
    raw_done(&raw);
    assert_int_equal(fcntl(listener, F_SETFL, O_NONBLOCK), 0);
    raw.fd = -1;
    WAIT_FOR((raw.fd = accept(listener, NULL, NULL)) >= 0); /* after its back-off */
    raw_init(&raw, raw.fd);
    raw_frame(&raw, LINK_FRAME_HELLO, 0, 0, 0, STR(HELLO_JSON), STR_NULL);
    WAIT_FOR(t.ups == 1);
    assert_int_equal(t.downs, 0); /* it had never been up */
    link_free(link);
    close(listener);
    raw_done(&raw);
}

/* ---- what a peer must not do */

static void feed(struct buf *b, int what)
{
    static char big[LINK_FRAME_DATA_MAX];
    struct str x = STR("x");
    int i;

    append_frame(b, LINK_FRAME_OPEN, 0, LINK_INVOKE, 1, STR("h"), x);
    switch (what) {
    case 0: /* no frame at all */
        buf_printf(b, "GET / HTTP/1.1\r\n\r\n....................");
        return;
    case 1: /* greeting twice */
        append_frame(b, LINK_FRAME_HELLO, 0, 0, 0, STR(HELLO_JSON), STR_NULL);
        return;
    case 2: /* an id of ours */
        append_frame(b, LINK_FRAME_OPEN, 0, LINK_INVOKE, 2, STR("h"), x);
        return;
    case 3: /* an id in use */
        append_frame(b, LINK_FRAME_OPEN, 0, LINK_INVOKE, 1, STR("h"), x);
        return;
    case 4: /* an answer to its own question */
        append_frame(b, LINK_FRAME_ANSWER, 0, 0, 1, STR("h"), x);
        return;
    case 5: /* data after the end */
        append_frame(b, LINK_FRAME_DATA, LINK_FRAME_END, 0, 1, STR_NULL, x);
        append_frame(b, LINK_FRAME_DATA, 0, 0, 1, STR_NULL, x);
        return;
    case 6: /* more data than it has credit for */
        for (i = 0; i < 4; i++)
            append_frame(b, LINK_FRAME_DATA, 0, 0, 1, STR_NULL, str_from(big, sizeof(big)));
        return;
    case 7: /* credit that nobody has used */
        append_frame(b, LINK_FRAME_WINDOW, 0, 0, 1, STR("\0\0\0\1"), STR_NULL);
        return;
    case 8: /* no credit */
        append_frame(b, LINK_FRAME_WINDOW, 0, 0, 1, STR("\0\0\0\0"), STR_NULL);
        return;
    case 9: /* credit beyond any window */
        append_frame(b, LINK_FRAME_WINDOW, 0, 0, 1, STR("\377\377\377\377"), STR_NULL);
        return;
    default:
        fail();
    }
}

static void a_peer_that_breaks_the_rules_loses_its_link_and_only_that(void **state)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(8u << 20);
    struct raw raw, good;
    size_t sent;
    ssize_t n;
    int what;

    (void)state;
    raw_greet(&good);
    t.taken.hold = true;
    for (what = 0; what < 10; what++) {
        buf_clear(&b);
        feed(&b, what);
        t.taken.resets = 0;
        t.taken.ended = false;
        t.server_downs = 0;
        raw_greet(&raw);
        for (sent = 0; sent < b.len; sent += n > 0 ? (size_t)n : 0) {
            n = send(raw.fd, b.ptr + sent, b.len - sent, MSG_NOSIGNAL);
            uv_run(loop_uv(t.loop), UV_RUN_NOWAIT);
            if (n < 0 && errno != EAGAIN)
                break; /* it has closed already */
        }
        settle();
        if (!raw_is_closed(&raw) || t.taken.resets != 1 || t.server_downs != 1)
            fail_msg("case %d", what);
        assert_int_equal(t.taken.why.code, ERR_PROTOCOL);
        raw_done(&raw);
        t.accepted = NULL;
    }
    raw_frame(&good, LINK_FRAME_PING, 0, 0, 0, STR_NULL, STR_NULL);
    settle();
    assert_string_equal(raw_frames(&good), "8:0:0:0");
    raw_done(&good);
}

static void a_frame_before_the_greeting_closes_the_link(void **state)
{
    struct raw raw;

    (void)state;
    raw_connect(&raw);
    raw_frame(&raw, LINK_FRAME_OPEN, 0, LINK_INVOKE, 1, STR("h"), STR("x"));
    settle();
    assert_true(raw_is_closed(&raw));
    assert_null(t.taken.s);
    assert_int_equal(t.server_ups + t.server_downs, 0);
    raw_done(&raw);
}

static void a_peer_that_never_reads_loses_its_link(void **state)
{
    CLEANUP(freep) char *head = make_bytes(LINK_HEAD_MAX, 1);
    static struct talk talk;
    struct raw raw;
    int i;

    (void)state;
    raw_greet(&raw);
    talk_init(&talk);
    for (i = 0; i < 100 && t.accepted && link_is_up(t.accepted); i++)
        (void)link_open(t.accepted, LINK_CALL, str_from(head, LINK_HEAD_MAX), STR_NULL, true,
                        &talk_ops, &talk);
    assert_in_range(i, LINK_OUT_MAX / LINK_HEAD_MAX - 1, LINK_OUT_MAX / LINK_HEAD_MAX + 2);
    talk.s = NULL;
    while (t.accepted && !list_is_empty(&t.accepted->streams))
        link_stream_drop(LIST_FIRST(&t.accepted->streams, struct link_stream, node));
    WAIT_FOR(t.server_downs == 1);
    talk_done(&talk);
    raw_done(&raw);
}

static void streams_beyond_the_most_a_peer_may_have_are_refused(void **state)
{
    struct raw raw;

    (void)state;
    raw_greet(&raw);
    t.accepted->peer_stream_count = LINK_PEER_STREAMS_MAX; /* as if it had them */
    raw_frame(&raw, LINK_FRAME_OPEN, LINK_FRAME_END, LINK_INVOKE, 1, STR("h"), STR("x"));
    settle();
    assert_string_equal(raw_frames(&raw), "6:1:9:0"); /* THROTTLED */
    t.accepted->peer_stream_count = 0;
    raw_done(&raw);
}

static void a_cut_question_is_reset_when_its_peer_goes(void **state)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(4096);
    struct raw raw;

    (void)state;
    append_frame(&b, LINK_FRAME_OPEN, LINK_FRAME_END, LINK_INVOKE, 1, STR("h"), STR("question"));
    raw_greet(&raw);
    raw_send(&raw, b.ptr, b.len - 3);
    WAIT_FOR(t.taken.data.len == 5);
    raw_done(&raw);
    WAIT_FOR(t.taken.resets == 1);
    assert_false(t.taken.ended);
    assert_int_equal(t.taken.why.code, ERR_CLOSED);
}

#define TEST_SERVER(fn) cmocka_unit_test_setup_teardown(fn, set_up_server, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_SERVER(an_echo_of_a_small_message_is_one_frame_each_way),
        TEST_UNLINKED(questions_of_one_turn_go_in_two_writes),
        TEST_SERVER(bytes_that_dribble_in_make_the_same_message),
        TEST_SERVER(a_ping_is_answered),
        TEST_SERVER(frames_of_streams_that_are_over_are_ignored),
        TEST_SERVER(a_kind_of_a_later_version_is_refused_alone),
        TEST_SERVER(greetings_decide_whether_a_link_comes_up),
        TEST_UNLINKED(a_client_refuses_a_peer_of_another_age_and_tries_again),
        TEST_SERVER(a_peer_that_breaks_the_rules_loses_its_link_and_only_that),
        TEST_SERVER(a_frame_before_the_greeting_closes_the_link),
        TEST_SERVER(a_peer_that_never_reads_loses_its_link),
        TEST_SERVER(streams_beyond_the_most_a_peer_may_have_are_refused),
        TEST_SERVER(a_cut_question_is_reset_when_its_peer_goes),
    };

    log_init("link_wire_test", LOG_ERROR); /* refused greetings are meant here */
    return cmocka_run_group_tests_name("link_wire", tests, NULL, NULL);
}
