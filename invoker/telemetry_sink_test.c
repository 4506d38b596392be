/* SPDX-License-Identifier: Apache-2.0 */
/* The test is the subscriber, on a port of loopback. */
#include "invoker/telemetry_sink.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/clock.h"

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"
#define PATIENCE_US SECONDS(10)

static struct {
    struct loop *loop;
    struct telemetry_subscription sub;
    struct telemetry_sink *sink;
    int listener, peer; /* -1: nobody is connected */
    bool refuse; /* the next connection */
    int asked, settled;
    struct buf got; /* from the peer, since the last step */
    struct timer patience;
} w;

static void on_asked(void *arg)
{
    struct sockaddr_in to;
    socklen_t len = sizeof(to);
    int fd;
    (void)arg;

    w.asked++;
    if (w.refuse) {
        w.refuse = false;
        telemetry_sink_socket(w.sink, -1);
    } else {
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_int_equal(getsockname(w.listener, (struct sockaddr *)&to, &len), 0);
        connect(fd, (struct sockaddr *)&to, sizeof(to));
        telemetry_sink_socket(w.sink, fd);
    }
    loop_stop(w.loop);
}

static void on_connect(uint16_t port, void *arg)
{
    assert_int_equal(port, w.sub.port);
    loop_defer(w.loop, on_asked, arg);
}

static void on_settled(void *arg)
{
    (void)arg;
    w.settled++;
}

static const struct telemetry_sink_ops ops = {on_connect, on_settled};

static void on_patience_over(void *arg)
{
    (void)arg;
    fail_msg("nothing happens any more");
}

static void begin(bool is_tcp)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    memset(&w, 0, sizeof(w));
    w.loop = loop_new();
    w.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    w.peer = -1;
    assert_int_equal(bind(w.listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
    assert_int_equal(listen(w.listener, 4), 0);
    w.sub = (struct telemetry_subscription){.schema = TELEMETRY_2022_07_01,
                                            .types = TELEMETRY_FUNCTION,
                                            .is_tcp = is_tcp,
                                            .port = 80,
                                            .path = "/x",
                                            .max_items = 3,
                                            .max_bytes = 1000,
                                            .timeout_ms = 60000};
    w.sink = telemetry_sink_new(w.loop, &w.sub, &ops, NULL);
    buf_init(&w.got, 1u << 20);
    timer_init(&w.patience, w.loop, on_patience_over, NULL);
    timer_start(&w.patience, PATIENCE_US);
}

static void end(void)
{
    telemetry_sink_free(w.sink);
    timer_stop(&w.patience);
    closep(&w.listener);
    closep(&w.peer);
    buf_done(&w.got);
    loop_free(w.loop);
}

static void on_turn(void *arg)
{
    (void)arg;
    loop_stop(w.loop);
}

static void turn(void)
{
    loop_defer(w.loop, on_turn, NULL);
    loop_run(w.loop);
}

/* Until the subscriber has read @part. */
static void hear(const char *part)
{
    char bytes[4096];
    ssize_t n;

    for (;;) {
        assert_int_equal(buf_append_char(&w.got, '\0'), 0);
        w.got.len--;
        if (strstr(w.got.ptr, part))
            return;
        turn();
        if (w.peer < 0)
            w.peer = accept4(w.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        n = w.peer >= 0 ? recv(w.peer, bytes, sizeof(bytes), MSG_DONTWAIT) : -1;
        if (n > 0)
            assert_int_equal(buf_append(&w.got, bytes, (size_t)n), 0);
    }
}

static void answer(const char *text)
{
    assert_int_equal(send(w.peer, text, strlen(text), MSG_NOSIGNAL), strlen(text));
    closep(&w.peer);
    buf_clear(&w.got);
}

static void until_empty(void)
{
    while (!telemetry_sink_is_empty(w.sink))
        turn();
}

static void full_batches_go_out_as_one_request(void **state)
{
    (void)state;
    begin(false);
    telemetry_sink_add(w.sink, STR("1"));
    telemetry_sink_add(w.sink, STR("2"));
    assert_int_equal(w.asked, 0);
    telemetry_sink_add(w.sink, STR("3"));
    hear("\r\n\r\n[1,2,3]");
    assert_non_null(strstr(w.got.ptr, "POST /x HTTP/1.1\r\nHost: sandbox.localdomain:80\r\n"
                                      "Content-Type: application/json\r\nContent-Length: 7\r\n"));
    telemetry_sink_add(w.sink, STR("4")); /* meanwhile */
    answer(OK_ANSWER);
    telemetry_sink_flush(w.sink);
    while (w.asked < 2)
        turn();
    hear("[4]");
    answer("HTTP/1.0 204 No Content\r\n\r\n");
    until_empty();
    end();
}

static void bytes_and_time_are_bounds_too(void **state)
{
    static char long_line[1001];
    (void)state;

    begin(false);
    memset(long_line, '7', sizeof(long_line) - 1);
    telemetry_sink_add(w.sink, str_of(long_line));
    hear("7]");
    answer(OK_ANSWER);
    until_empty();
    telemetry_sink_free(w.sink);
    w.sub.timeout_ms = 25;
    w.sink = telemetry_sink_new(w.loop, &w.sub, &ops, NULL);
    telemetry_sink_add(w.sink, STR("8"));
    hear("[8]");
    answer(OK_ANSWER);
    until_empty();
    end();
}

static void what_was_not_taken_is_sent_again(void **state)
{
    (void)state;
    begin(false);
    w.refuse = true;
    telemetry_sink_add(w.sink, STR("1"));
    telemetry_sink_flush(w.sink);
    hear("[1]"); /* the second attempt */
    assert_int_equal(w.asked, 2);
    answer("HTTP/1.1 500 No\r\n\r\n");
    hear("[1]");
    answer("nonsense\n");
    hear("[1]");
    answer(""); /* closed without a word */
    hear("[1]");
    answer(OK_ANSWER);
    until_empty();
    assert_int_equal(w.asked, 5);
    end();
}

static void what_does_not_fit_is_counted(void **state)
{
    int i;
    (void)state;

    begin(false);
    for (i = 0; i < 3; i++)
        telemetry_sink_add(w.sink, STR("1"));
    hear("[1,1,1]"); /* under way */
    for (i = 0; i < 3; i++)
        telemetry_sink_add(w.sink, STR("2"));
    telemetry_sink_add(w.sink, STR("lost"));
    telemetry_sink_add(w.sink, STR("lost"));
    answer(OK_ANSWER);
    hear("[2,2,2]");
    answer(OK_ANSWER);
    telemetry_sink_flush(w.sink);
    hear("\"droppedRecords\":2,\"droppedBytes\":8}}]");
    answer(OK_ANSWER);
    until_empty();
    end();
}

static void lines_go_over_one_tcp_connection(void **state)
{
    (void)state;
    begin(true);
    telemetry_sink_add(w.sink, STR("1"));
    telemetry_sink_flush(w.sink);
    hear("1\n");
    telemetry_sink_add(w.sink, STR("2"));
    telemetry_sink_add(w.sink, STR("3"));
    telemetry_sink_flush(w.sink);
    hear("1\n2\n3\n");
    assert_int_equal(w.asked, 1);
    closep(&w.peer); /* the subscriber starts again */
    turn();
    telemetry_sink_add(w.sink, STR("4"));
    telemetry_sink_flush(w.sink);
    hear("4\n");
    until_empty();
    end();
}

static void what_is_gathered_while_it_is_held_goes_out_later(void **state)
{
    int i;
    (void)state;

    begin(false);
    w.sub.timeout_ms = 25;
    telemetry_sink_free(w.sink);
    w.sink = telemetry_sink_new(w.loop, &w.sub, &ops, NULL);
    telemetry_sink_hold(w.sink, true);
    telemetry_sink_add(w.sink, STR("1"));
    telemetry_sink_add(w.sink, STR("2"));
    telemetry_sink_flush(w.sink);
    telemetry_sink_add(w.sink, STR("3")); /* full */
    assert_false(telemetry_sink_is_delivering(w.sink));
    assert_int_equal(w.asked, 0);
    telemetry_sink_hold(w.sink, false);
    assert_true(telemetry_sink_is_delivering(w.sink));
    hear("[1,2,3]");
    answer(OK_ANSWER);
    until_empty();
    assert_int_equal(w.settled, 1);

    w.refuse = true; /* and what was refused before is tried again, but not meanwhile */
    telemetry_sink_add(w.sink, STR("4"));
    telemetry_sink_flush(w.sink);
    while (w.settled < 2)
        turn();
    assert_false(telemetry_sink_is_delivering(w.sink));
    telemetry_sink_hold(w.sink, true);
    for (i = 0; i < 10; i++) { /* longer than the pause before a second attempt */
        usleep(10000);
        turn();
    }
    assert_int_equal(w.asked, 2);
    telemetry_sink_hold(w.sink, false);
    hear("[4]");
    answer(OK_ANSWER);
    until_empty();
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_batches_go_out_as_one_request),
        cmocka_unit_test(bytes_and_time_are_bounds_too),
        cmocka_unit_test(what_was_not_taken_is_sent_again),
        cmocka_unit_test(what_does_not_fit_is_counted),
        cmocka_unit_test(lines_go_over_one_tcp_connection),
        cmocka_unit_test(what_is_gathered_while_it_is_held_goes_out_later),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
