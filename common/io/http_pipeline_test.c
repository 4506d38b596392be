/* SPDX-License-Identifier: Apache-2.0 */
/* Requests behind one another on a connection, in both engines, by a raw client in the same loop. */
#include "common/io/http_server.h"

#include "common/io/http_conn.h"
#include "common/io/http_test_ends.h"

static void pipelined_requests_are_answered_in_order(void **state)
{
    struct fixture f;
    int i;

    (void)state;
    FOR_EACH_ENGINE (&f) {
        for (i = 0; i < 1000; i++)
            say(&f, STR("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"));
        say(&f, STR("GET /query?end HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
        hear(&f, "\r\n\r\nend");
        hear_close(&f);
        assert_int_equal(f.requests, 1001);
    }
}

/* The large answer is never read, and so much follows the parked request that reading has stopped:
 * only a write can find out that the client has gone. */
static void a_reset_found_by_a_write_aborts_the_request_parked_behind(void **state)
{
    static const char asks[] =
        "GET /huge HTTP/1.1\r\nHost: h\r\n\r\nGET /park HTTP/1.1\r\nHost: h\r\n\r\n";
    static char junk[64 << 10];
    struct fixture f;

    (void)state;
    FOR_EACH_ENGINE (&f) {
        watch_set(f.watch, 0);
        memset(junk, 'j', sizeof(junk));
        turn_loop(&f);
        assert_int_equal(send(f.fd, asks, sizeof(asks) - 1, MSG_NOSIGNAL), sizeof(asks) - 1);
        assert_true(send(f.fd, junk, sizeof(junk), MSG_NOSIGNAL) > 0);
        turn_loop(&f);
        assert_non_null(f.parked);
        client_reset(&f);
        turn_loop(&f);
        assert_int_equal(f.aborts, 1);
        assert_null(f.parked);
        client_connect(&f);
    }
}

/* The descriptor of the engine's end of our connection (TCP). */
static int server_end_of(const struct fixture *f)
{
    struct sockaddr_in ours, peer;
    socklen_t len = sizeof(ours);
    int fd;

    assert_int_equal(getsockname(f->fd, (struct sockaddr *)&ours, &len), 0);
    for (fd = 0; fd < 1024; fd++) {
        len = sizeof(peer);
        if (getpeername(fd, (struct sockaddr *)&peer, &len) == 0 && peer.sin_family == AF_INET &&
            peer.sin_port == ours.sin_port)
            return fd;
    }
    fail_msg("the server has no such connection");
    return -1;
}

/* No event tells of it beforehand: the write itself is what fails. */
static void a_write_that_fails_aborts_the_request_parked_behind(void **state)
{
    struct fixture f;

    (void)state;
    FOR_EACH_ENGINE (&f) {
        if (f.engine == SMALL_UNIX)
            continue;
        f.stop_at_requests = 2;
        say(&f, STR("GET /huge HTTP/1.1\r\nHost: h\r\n\r\nGET /park HTTP/1.1\r\nHost: h\r\n\r\n"));
        run_loop(&f);
        assert_non_null(f.parked);
        assert_int_equal(shutdown(server_end_of(&f), SHUT_WR), 0);
        turn_loop(&f);
        assert_int_equal(f.aborts, 1);
        assert_null(f.parked);
    }
}

/* From outside a client that has only ended its side looks like one that has left. */
static void a_client_that_ends_its_side_gets_the_answers_under_way_and_no_later_ones(void **state)
{
    struct fixture f;

    (void)state;
    FOR_EACH_ENGINE (&f) {
        say(&f, STR("GET /huge HTTP/1.1\r\nHost: h\r\n\r\n"));
        hear(&f, "Content-Length: 12582912\r\n\r\n");
        assert_int_equal(shutdown(f.fd, SHUT_WR), 0);
        while (!f.closed)
            run_loop(&f);
        assert_int_equal(f.in.len, 12u << 20);
        client_leave(&f);
        client_connect(&f);
        f.stop_at_requests = f.requests + 1;
        say(&f, STR("GET /park HTTP/1.1\r\nHost: h\r\n\r\n"));
        run_loop(&f);
        assert_int_equal(shutdown(f.fd, SHUT_WR), 0);
        hear_close(&f);
        assert_int_equal(f.aborts, 1);
        assert_int_equal(f.in.len, 0);
    }
}

static void a_client_that_ends_its_side_behind_a_large_answer_aborts_the_request_parked_there(
    void **state)
{
    struct fixture f;

    (void)state;
    FOR_EACH_ENGINE (&f) {
        f.stop_at_requests = 2;
        say(&f, STR("GET /huge HTTP/1.1\r\nHost: h\r\n\r\nGET /park HTTP/1.1\r\nHost: h\r\n\r\n"));
        run_loop(&f);
        assert_non_null(f.parked);
        assert_int_equal(shutdown(f.fd, SHUT_WR), 0);
        hear(&f, "Content-Length: 12582912\r\n\r\n");
        while (!f.closed)
            run_loop(&f);
        assert_int_equal(f.in.len, 12u << 20);
        assert_int_equal(f.aborts, 1);
        assert_null(f.parked);
    }
}

static void much_may_be_pipelined_behind_a_parked_request(void **state)
{
    enum { MANY = 8000 };
    struct fixture f;
    char line[100], *at;
    int i;

    (void)state;
    FOR_EACH_ENGINE (&f) {
        f.stop_at_requests = 1;
        say(&f, STR("GET /park HTTP/1.1\r\nHost: h\r\n\r\n"));
        run_loop(&f);
        for (i = 0; i < MANY; i++) {
            snprintf(line, sizeof(line), "GET /query?%06d HTTP/1.1\r\nHost: h\r\n\r\n", i);
            say(&f, str_of(line));
        }
        turn_loop(&f);
        assert_int_equal(f.requests, 1);
        send_text(f.parked, 200, STR("later"));
        hear(&f, "\r\n\r\nlater");
        snprintf(line, sizeof(line), "\r\n\r\n%06d", MANY - 1);
        f.wait_for = line;
        run_loop(&f);
        f.wait_for = NULL;
        assert_false(f.closed);
        for (i = 0, at = f.in.ptr; i < MANY; i++) {
            at = memmem(at, (size_t)(f.in.ptr + f.in.len - at), "\r\n\r\n", 4);
            assert_non_null(at);
            snprintf(line, sizeof(line), "\r\n\r\n%06d", i);
            assert_memory_equal(at, line, 10);
            at += 10;
        }
        assert_int_equal(f.requests, MANY + 1);
    }
}

/* What it does not read is kept for it, but not without end. */
static void a_client_that_reads_no_answers_is_asked_for_no_more_requests(void **state)
{
    enum { MANY = 8 };
    struct fixture f;
    int i;

    (void)state;
    FOR_EACH_ENGINE (&f) {
        watch_set(f.watch, 0);
        for (i = 0; i < MANY; i++)
            assert_int_equal(send(f.fd, "GET /huge HTTP/1.1\r\nHost: h\r\n\r\n", 31, MSG_NOSIGNAL), 31);
        for (i = 0; i < 20; i++)
            turn_loop(&f);
        assert_in_range(f.requests, 2, 4); /* of 12 MiB each; some is the system's */
        watch_set(f.watch, WATCH_READ);
        f.stop_at_requests = MANY;
        run_loop(&f);
        assert_false(f.closed);
    }
}

static void on_answer_now(int fd, int events, void *arg)
{
    struct fixture *f = arg;
    char c;

    (void)events;
    assert_int_equal(read(fd, &c, 1), 1);
    send_text(f->parked, 200, STR("later"));
}

/* The next request has begun when the answer goes out, and more of it than there is room for comes
 * in the same turn of the loop, before the connection goes on. */
static void the_next_request_may_come_in_the_turn_of_the_answer(void **state)
{
    struct watch *watch;
    struct fixture f;
    ssize_t sent;
    int ends[2], i;

    (void)state;
    FOR_EACH_ENGINE (&f) {
        assert_int_equal(pipe(ends), 0);
        watch = watch_new(f.loop, ends[0], on_answer_now, &f);
        watch_set(watch, WATCH_READ);
        f.stop_at_requests = 1;
        say(&f, STR("GET /park HTTP/1.1\r\nHost: h\r\n\r\nPOST /echo HTTP/1.1\r\nHo"));
        run_loop(&f);
        turn_loop(&f);
        assert_int_equal(write(ends[1], "x", 1), 1);
        say(&f, STR("st: h\r\nContent-Length: 200000\r\n\r\n"));
        for (i = 0; i < 20000; i++)
            say(&f, STR("0123456789"));
        sent = send(f.fd, f.out.ptr, f.out.len, MSG_NOSIGNAL);
        assert_true(sent >= 50000);
        buf_consume(&f.out, (size_t)sent);
        hear(&f, "\r\n\r\nlater");
        hear(&f, "Content-Length: 200000\r\n\r\n0123456789");
        watch_free(watch);
        close(ends[0]);
        close(ends[1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pipelined_requests_are_answered_in_order),
        cmocka_unit_test(a_reset_found_by_a_write_aborts_the_request_parked_behind),
        cmocka_unit_test(a_write_that_fails_aborts_the_request_parked_behind),
        cmocka_unit_test(a_client_that_ends_its_side_gets_the_answers_under_way_and_no_later_ones),
        cmocka_unit_test(
            a_client_that_ends_its_side_behind_a_large_answer_aborts_the_request_parked_there),
        cmocka_unit_test(much_may_be_pipelined_behind_a_parked_request),
        cmocka_unit_test(a_client_that_reads_no_answers_is_asked_for_no_more_requests),
        cmocka_unit_test(the_next_request_may_come_in_the_turn_of_the_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
