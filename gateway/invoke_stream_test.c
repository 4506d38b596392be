/* SPDX-License-Identifier: Apache-2.0 */
/* Streamed answers: what a node sends in pieces, and what the client gets of it. */
#include "gateway/gateway_fixture.h"

#include "gateway/admission.h"

#include "common/proto/event_stream.h"
#include "common/proto/result_stream.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#define STREAM "/2021-11-15/functions/hello/response-streaming-invocations"

static void node_begins(struct fixture *f)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(256);
    const struct result_head head = {.outcome = INVOKE_STREAMING, .executed_version = STR("7")};

    assert_int_equal(result_head_write(&b, &head), 0);
    link_stream_answer(f->nodes[0].kept, buf_str(&b), STR_NULL, false);
}

static void node_sends(struct fixture *f, struct str bytes)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(1u << 20);

    assert_int_equal(result_stream_write(&b, bytes), 0);
    link_stream_send(f->nodes[0].kept, buf_str(&b), false);
}

static void node_ends(struct fixture *f, const struct result_end *end)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(1u << 20);

    assert_int_equal(result_stream_write_end(&b, end), 0);
    link_stream_send(TAKE(f->nodes[0].kept), buf_str(&b), true);
    forget_kept(&f->nodes[0]);
}

/* Asks for a stream that the node keeps. */
static void ask_kept(struct fixture *f, struct answer *a, const char *const *headers)
{
    begin(f, 1);
    f->nodes[0].behaviour = KEEP;
    ask(f, a, "POST", STREAM, headers, STR("{}"));
    run_until(f, has_kept);
    assert_true(f->nodes[0].flags & INVOKE_ACCEPT_STREAM);
}

/* All payload of the events in @bytes, then InvokeComplete, which is @complete. */
static void expect_events(struct str bytes, const char *payload, const char *complete)
{
    CLEANUP(buf_done) struct buf whole = BUF_INIT(1u << 20);
    struct event_message m = {0};

    for (;;) {
        if (event_stream_read(bytes, &m, NULL) != 1)
            fail_msg("no event but \"%.*s\"", STR_ARG(bytes));
        bytes = str_sub(bytes, m.size, bytes.len);
        if (str_is(event_message_header(&m, ":event-type"), "InvokeComplete"))
            break;
        buf_append_str(&whole, m.payload);
    }
    if (!str_is(buf_str(&whole), payload) || !str_is(m.payload, complete) || bytes.len > 0)
        fail_msg("\"%.*s\", then %.*s", STR_ARG(buf_str(&whole)), STR_ARG(m.payload));
}

static void a_streamed_answer_ends_in_each_way(void **state)
{
    static const char *const tail[] = {"X-Amz-Log-Type: Tail", NULL};
    static const struct {
        struct result_end end;
        const char *complete;
    } cases[] = {
        {{.outcome = INVOKE_OK}, "{\"LogResult\":\"\"}"},
        {{.outcome = INVOKE_OK, .log_tail = STR("START\nEND\n")},
         "{\"LogResult\":\"U1RBUlQKRU5ECg==\"}"},
        {{.outcome = INVOKE_FUNCTION_ERROR,
          .error_type = STR("Sandbox.Timedout"),
          .error = STR("{\"errorType\":1}")},
         "{\"ErrorCode\":\"Sandbox.Timedout\",\"ErrorDetails\":\"{\\\"errorType\\\":1}\","
         "\"LogResult\":\"\"}"},
        {{.outcome = INVOKE_FUNCTION_ERROR, .error = STR("{}")},
         "{\"ErrorCode\":\"Unhandled\",\"ErrorDetails\":\"{}\",\"LogResult\":\"\"}"},
        {{.outcome = INVOKE_REFUSED, .refused = ERR_INTERNAL, .message = STR("it stops")},
         "{\"ErrorCode\":\"ServiceException\",\"ErrorDetails\":\"it stops\",\"LogResult\":\"\"}"},
    };
    struct answer a;
    struct fixture f;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        ask_kept(&f, &a, tail);
        node_begins(&f);
        node_sends(&f, STR("first, "));
        node_sends(&f, STR("second"));
        node_ends(&f, &cases[i].end);
        hear(&f, &a);
        assert_int_equal(a.status, 200);
        expect_events(buf_str(&a.body), "first, second", cases[i].complete);
        buf_done(&a.body);
        end(&f);
    }
}

static void a_streamed_answer_without_a_byte_is_one(void **state)
{
    const struct result_end ok = {.outcome = INVOKE_OK};
    struct answer a;
    struct fixture f;

    (void)state;
    ask_kept(&f, &a, NULL);
    node_begins(&f);
    node_ends(&f, &ok);
    hear(&f, &a);
    expect_events(buf_str(&a.body), "", "{}");
    buf_done(&a.body);
    end(&f);
}

static void a_stream_that_the_node_breaks_off_ends_with_an_error(void **state)
{
    struct answer a;
    struct fixture f;
    int round;

    (void)state;
    for (round = 0; round < 3; round++) {
        ask_kept(&f, &a, NULL);
        node_begins(&f);
        node_sends(&f, STR("half"));
        if (round == 0) {
            link_stream_reset(TAKE(f.nodes[0].kept), ERR_INTERNAL);
        } else if (round == 1) { /* it ends where more should come */
            link_stream_send(TAKE(f.nodes[0].kept), STR("\0\0\0\1"), true);
        } else { /* what should be its end is none */
            link_stream_send(TAKE(f.nodes[0].kept), STR("\0\0\0\0\11"), true);
        }
        forget_kept(&f.nodes[0]);
        hear(&f, &a);
        assert_int_equal(a.status, 200);
        expect_events(buf_str(&a.body), "half",
                      round == 0 ? "{\"ErrorCode\":\"ServiceException\",\"ErrorDetails\":\"The "
                                   "node that ran the function was lost before it answered (reset "
                                   "by the peer (INTERNAL)). The function may have run; it is not run again "
                                   "by itself.\"}"
                                 : "{\"ErrorCode\":\"ServiceException\",\"ErrorDetails\":\"The "
                                   "node's answer is malformed.\"}");
        buf_done(&a.body);
        end(&f);
    }
}

static void an_invoke_is_never_answered_by_a_stream(void **state)
{
    const struct result_end ok = {.outcome = INVOKE_OK};
    struct answer a;
    struct fixture f;

    (void)state;
    begin(&f, 1);
    f.nodes[0].behaviour = KEEP;
    ask(&f, &a, "POST", PATH "hello/invocations", NULL, STR("{}"));
    run_until(&f, has_kept);
    assert_int_equal(f.nodes[0].flags, 0);
    node_begins(&f); /* a node that does not keep to the rules */
    node_ends(&f, &ok);
    hear(&f, &a);
    expect_part(&a, 500, "answer is malformed");
    end(&f);
}

/* ---- a client that does not read */

static int raw_client(struct fixture *f)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int size = 16384;
    static const char text[] =
        "POST " STREAM " HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}";
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    in.sin_port = htons((uint16_t)gateway_port(f->gw));
    assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof(in)), 0);
    assert_int_equal(send(fd, text, sizeof(text) - 1, MSG_NOSIGNAL), sizeof(text) - 1);
    return fd;
}

static void turn(struct fixture *f)
{
    int i;

    for (i = 0; i < 200; i++) {
        loop_defer(f->loop, (loop_fn *)loop_stop, f->loop);
        loop_run(f->loop);
    }
}

static void a_client_that_does_not_read_stops_the_node(void **state)
{
    static char piece[32768];
    const struct result_end ok = {.outcome = INVOKE_OK};
    char sink[65536];
    size_t sent = 0, got = 0;
    struct fixture f;
    ssize_t n;
    int fd;

    (void)state;
    begin(&f, 1);
    f.nodes[0].behaviour = KEEP;
    fd = raw_client(&f);
    run_until(&f, has_kept);
    node_begins(&f);
    do {
        node_sends(&f, str_from(piece, sizeof(piece)));
        sent += sizeof(piece);
        turn(&f);
        assert_true(sent < 64u << 20);
    } while (link_stream_queued(f.nodes[0].kept) == 0); /* it has no more credit */
    turn(&f);
    assert_true(link_stream_queued(f.nodes[0].kept) > 0);
    while (link_stream_queued(f.nodes[0].kept) > 0) { /* until the client reads */
        n = recv(fd, sink, sizeof(sink), MSG_DONTWAIT);
        got += n > 0 ? (size_t)n : 0;
        turn(&f);
    }
    assert_true(got > 0);
    node_ends(&f, &ok);
    while ((n = recv(fd, sink, sizeof(sink), MSG_DONTWAIT)) < 0 ||
           memmem(sink, (size_t)n, "0\r\n\r\n", 5) == NULL)
        turn(&f);
    close(fd);
    end(&f);
}

static bool has_sent_all(struct fixture *f)
{
    return link_stream_queued(f->nodes[0].kept) == 0;
}

static void a_client_that_leaves_does_not_end_the_run(void **state)
{
    static char piece[32768];
    const struct result_end ok = {.outcome = INVOKE_OK};
    struct fixture f;
    struct answer a;
    int fd, round, i;

    (void)state;
    for (round = 0; round < 2; round++) { /* all sent; bytes that wait */
        begin_with(&f, 1, "60s", 1);
        f.nodes[0].behaviour = KEEP;
        fd = raw_client(&f);
        run_until(&f, has_kept);
        node_begins(&f);
        do {
            node_sends(&f, str_from(piece, sizeof(piece)));
            turn(&f);
        } while (round == 1 && link_stream_queued(f.nodes[0].kept) == 0);
        close(fd);
        for (i = 0; i < 40; i++) /* more than the window: it is given back */
            node_sends(&f, str_from(piece, sizeof(piece)));
        while (!has_sent_all(&f))
            turn(&f);
        assert_int_equal(f.nodes[0].resets, 0);
        invoke(&f, &a, STR("{}"));
        expect_part(&a, 429, ADMISSION_ACCOUNT); /* it still runs */
        node_ends(&f, &ok);
        f.nodes[0].behaviour = ECHO;
        do
            invoke(&f, &a, STR("{}"));
        while (a.status == 429 && (buf_done(&a.body), true));
        expect(&a, 200, "{}");
        end(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_streamed_answer_ends_in_each_way),
        cmocka_unit_test(a_streamed_answer_without_a_byte_is_one),
        cmocka_unit_test(a_stream_that_the_node_breaks_off_ends_with_an_error),
        cmocka_unit_test(an_invoke_is_never_answered_by_a_stream),
        cmocka_unit_test(a_client_that_does_not_read_stops_the_node),
        cmocka_unit_test(a_client_that_leaves_does_not_end_the_run),
    };

    log_init("invoke_stream_test", LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
