/* SPDX-License-Identifier: Apache-2.0 */
/* The same table of behaviour for both engines, by a raw client in the same loop. */
#include "common/io/http_server.h"

#include "common/io/http_conn.h"
#include "common/io/http_test_ends.h"

static void one_connection_serves_many_requests(void **state)
{
    struct fixture f;

    (void)state;
    FOR_EACH_ENGINE (&f) {
        say(&f, STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
        hear(&f, "HTTP/1.1 200 OK\r\nDate: ");
        hear(&f, "Content-Length: 5\r\n\r\nhello");
        assert_null(memmem(f.in.ptr, f.in.cap, "X-Split", 7));
        say(&f, STR("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 7\r\n\r\npayload"));
        hear(&f, "Content-Length: 7\r\n\r\npayload");
        say(&f, STR("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"));
        hear(&f, "\r\n\r\nhello");
        say(&f, STR("POST /echo HTTP/1.1\r\nHost: h\r\n\r\n")); /* no length: no body */
        hear(&f, "\r\n\r\nhello");
        say(&f, STR("GET /header HTTP/1.1\r\nHost: h\r\nX-AMZ-Thing:  a b \r\n\r\n"));
        hear(&f, "Content-Length: 3\r\n\r\na b");
        say(&f, STR("GET /query?q=%20&x HTTP/1.1\r\nHost: h\r\n\r\n"));
        hear(&f, "\r\n\r\nq=%20&x");
        say(&f, STR("GET /none HTTP/1.1\r\nHost: h\r\n\r\nHEAD / HTTP/1.1\r\nHost: h\r\n\r\n"));
        hear(&f, "HTTP/1.1 204 No Content\r\n");
        hear(&f, "HTTP/1.1 200 OK\r\n");
        hear(&f, "Content-Length: 5\r\n\r\n");
        assert_int_equal(f.in.len, 0);
        assert_int_equal(f.requests, 8);
        assert_false(f.closed);
    }
}

static void connection_close_and_http_1_0_end_the_connection(void **state)
{
    struct fixture f;

    (void)state;
    FOR_EACH_ENGINE (&f) {
        say(&f, STR("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
        hear(&f, "Connection: close\r\n\r\nhello");
        hear_close(&f);
        client_leave(&f);
        client_connect(&f);
        say(&f, STR("GET / HTTP/1.0\r\n\r\n"));
        hear(&f, "Connection: close\r\n\r\nhello");
        hear_close(&f);
        client_leave(&f);
        client_connect(&f);
        say(&f, STR("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
        hear(&f, "Connection: keep-alive\r\n\r\nhello");
        say(&f, STR("GET / HTTP/1.0\r\n\r\n"));
        hear(&f, "hello");
        hear_close(&f);
    }
}

static void head_and_body_may_come_in_any_pieces(void **state)
{
    static const char text[] =
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nin pieces";
    struct fixture f;
    size_t i;

    (void)state;
    FOR_EACH_ENGINE (&f) {
        for (i = 0; i + 1 < sizeof(text); i++) {
            f.stop_at_requests = -1;
            assert_int_equal(send(f.fd, text + i, 1, MSG_NOSIGNAL), 1);
            loop_defer(f.loop, (loop_fn *)loop_stop, f.loop);
            loop_run(f.loop);
        }
        hear(&f, "Content-Length: 9\r\n\r\nin pieces");
        assert_int_equal(f.requests, 1);
    }
}

static void sandboxes_may_send_a_field_of_a_mebibyte(void **state)
{
    struct fixture f;
    size_t i;

    (void)state;
    FOR_EACH_ENGINE (&f) {
        say(&f, STR("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nX-Cause: "));
        for (i = 0; i < 1u << 20; i++)
            buf_append_char(&f.out, 'c');
        buf_append_str(&f.out, STR("\r\n\r\nbody"));
        if (f.engine == EDGE) {
            hear(&f, "HTTP/1.1 431 ");
            continue;
        }
        hear(&f, "HTTP/1.1 200 OK");
        hear(&f, "body");
        say(&f, STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n")); /* the connection goes on */
        hear(&f, "hello");
    }
}

static void large_bodies_go_both_ways(void **state)
{
    struct fixture f;
    size_t i;

    (void)state;
    FOR_EACH_ENGINE (&f) {
        say(&f, STR("POST /big HTTP/1.1\r\nHost: h\r\nContent-Length: 5242880\r\n\r\n"));
        for (i = 0; i < 5u << 20; i++)
            buf_append_char(&f.out, 'b');
        hear(&f, "HTTP/1.1 200 OK");
        hear(&f, "got it");
        say(&f, STR("GET /large HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"));
        hear(&f, "Content-Length: 3145728\r\n\r\n");
        hear(&f, "HTTP/1.1 200 OK\r\n");
        hear(&f, "hello");
    }
}

static void a_large_answer_is_whole_before_the_connection_closes(void **state)
{
    struct fixture f;

    (void)state;
    FOR_EACH_ENGINE (&f) {
        say(&f, STR("GET /large HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
        hear(&f, "\r\n\r\n");
        while (!f.closed)
            run_loop(&f);
        assert_int_equal(f.in.len, 3u << 20);
    }
}

static void chunked_bodies_are_decoded(void **state)
{
    struct fixture f;

    (void)state;
    FOR_EACH_ENGINE (&f) {
        say(&f,
            STR("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                "4;x=y\r\nchun\r\n3\r\nked\r\n0\r\nT: v\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"));
        hear(&f, "Content-Length: 7\r\n\r\nchunked");
        hear(&f, "\r\n\r\nhello");
        say(&f, STR("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
                    "chunked\r\n\r\nnonsense\r\n"));
        hear(&f, "HTTP/1.1 400 ");
        hear_close(&f);
    }
}

static void a_body_beyond_the_limit_is_413_and_the_client_can_read_it(void **state)
{
    struct fixture f;
    size_t i;
    int round;

    (void)state;
    FOR_EACH_ENGINE (&f) {
        for (round = 0; round < 2; round++) {
            if (round == 0)
                say(&f, STR("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000001\r\n\r\n"));
            else
                say(&f, STR("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
                            "chunked\r\n\r\nf4241\r\n"));
            for (i = 0; i < 1000001; i++)
                buf_append_char(&f.out, 'x');
            if (round == 1)
                say(&f, STR("\r\n0\r\n\r\n"));
            hear(&f, "HTTP/1.1 413 ");
            hear(&f, "Connection: close\r\n\r\ntoo large for us");
            hear_close(&f);
            assert_int_equal(f.too_large, round + 1);
            client_leave(&f);
            client_connect(&f);
        }
        assert_int_equal(f.requests, 0);
    }
}

static void expect_100_is_answered_at_once(void **state)
{
    struct fixture f;

    (void)state;
    FOR_EACH_ENGINE (&f) {
        say(&f, STR("POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: "
                    "4\r\n\r\n"));
        hear(&f, "HTTP/1.1 100 Continue\r\n\r\n");
        say(&f, STR("body"));
        hear(&f, "\r\n\r\nbody");
        /* refused before it is sent */
        say(&f, STR("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: "
                    "2000000\r\n\r\n"));
        hear(&f, "HTTP/1.1 413 ");
        hear_close(&f);
    }
}

static void a_parked_request_is_answered_later(void **state)
{
    struct fixture f;

    (void)state;
    FOR_EACH_ENGINE (&f) {
        f.stop_at_requests = 1;
        say(&f, STR("GET /park HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"));
        run_loop(&f);
        assert_non_null(f.parked);
        send_text(f.parked, 200, STR("later"));
        hear(&f, "\r\n\r\nlater");
        hear(&f, "\r\n\r\nhello"); /* the one behind it, in order */
        assert_int_equal(f.requests, 2);
    }
}

static void a_client_that_leaves_aborts_its_parked_request_once(void **state)
{
    static const struct str asks[] = {
        STR("GET /park HTTP/1.1\r\nHost: h\r\n\r\n"),
        STR("POST /park HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}"),
        STR("POST /park HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
            "chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"),
    };
    struct fixture f;
    size_t i;

    (void)state;
    FOR_EACH_ENGINE (&f) {
        for (i = 0; i < ARRAY_LEN(asks); i++) {
            f.stop_at_requests = f.requests + 1;
            say(&f, asks[i]);
            run_loop(&f);
            f.stop_at_aborts = f.aborts + 1;
            client_leave(&f);
            run_loop(&f);
            assert_int_equal(f.aborts, (int)i + 1);
            client_connect(&f);
        }
        say(&f, STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
        hear(&f, "hello"); /* others are served as before */
        assert_int_equal(f.aborts, (int)ARRAY_LEN(asks));
    }
}

static void half_a_request_and_a_close_reach_no_handler_but_as_truncated(void **state)
{
    static const struct str halves[] = {
        STR("POST / HTTP/1.1\r\nHo"),
        STR("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf"),
        STR("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal"),
        STR("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 900000\r\n\r\nhalf"),
    };
    struct fixture f;
    size_t i;

    (void)state;
    FOR_EACH_ENGINE (&f) {
        for (i = 0; i < ARRAY_LEN(halves); i++) {
            say(&f, halves[i]);
            assert_int_equal(send(f.fd, f.out.ptr, f.out.len, MSG_NOSIGNAL), (ssize_t)f.out.len);
            client_leave(&f);
            client_connect(&f);
        }
        say(&f, STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
        hear(&f, "hello");
        assert_int_equal(f.requests, 1);
        assert_int_equal(f.aborts, 0);
        assert_int_equal(f.truncated, 3); /* those whose head was whole */
    }
}

static void malformed_requests_are_refused_by_the_engine(void **state)
{
    static const struct {
        struct str text;
        const char *status;
    } cases[] = {
        {STR("GET / HTTP/1.1\r\n\r\n"), "HTTP/1.1 400 "},
        {STR("GET / HTTP/1.1\nHost: h\n\n"), "HTTP/1.1 400 "},
        {STR("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: "
             "chunked\r\n\r\n0\r\n\r\n"),
         "HTTP/1.1 400 "},
        {STR("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n"), "HTTP/1.1 501 "},
        {STR("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "HTTP/1.1 505 "},
    };
    struct fixture f;
    size_t i;

    (void)state;
    FOR_EACH_ENGINE (&f) {
        for (i = 0; i < ARRAY_LEN(cases); i++) {
            say(&f, cases[i].text);
            hear(&f, cases[i].status);
            hear(&f, "x-refusal: 7\r\n");
            hear(&f, "Connection: close\r\n");
            hear_close(&f);
            client_leave(&f);
            client_connect(&f);
        }
        assert_int_equal(f.requests, 0);
    }
}

static void a_dropped_request_closes_without_an_answer(void **state)
{
    struct fixture f;

    (void)state;
    FOR_EACH_ENGINE (&f) {
        say(&f, STR("GET /drop HTTP/1.1\r\nHost: h\r\n\r\n"));
        hear_close(&f);
        assert_int_equal(f.in.len, 0);
        assert_int_equal(f.aborts, 0);
    }
}

static void a_server_goes_with_requests_parked_and_answers_under_way(void **state)
{
    struct fixture f;

    (void)state;
    FOR_EACH_ENGINE (&f) {
        say(&f, STR("GET /large HTTP/1.1\r\nHost: h\r\n\r\nGET /park HTTP/1.1\r\nHost: h\r\n\r\n"));
        hear(&f, "\r\n\r\n");
        f.stop_at_aborts = 1; /* end() must not get there */
        assert_int_equal(f.aborts, 0);
    }
}

static void on_drained(void *arg)
{
    struct fixture *f = arg;

    f->drained++;
    loop_stop(f->loop);
}

static void a_drain_finishes_what_is_there_and_takes_no_more(void **state)
{
    struct fixture f;

    (void)state;
    FOR_EACH_ENGINE (&f) {
        f.stop_at_requests = 1;
        say(&f, STR("GET /park HTTP/1.1\r\nHost: h\r\n\r\n"));
        run_loop(&f);
        http_server_drain(f.server, on_drained, &f);
        send_text(f.parked, 200, STR("still answered"));
        hear(&f, "Connection: close\r\n\r\nstill answered");
        hear_close(&f);
        assert_int_equal(f.drained, 0); /* we have not closed yet */
        client_leave(&f);
        run_loop(&f);
        assert_int_equal(f.drained, 1);
        f.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); /* for end() */
        f.watch = watch_new(f.loop, f.fd, on_client, &f);
    }
    FOR_EACH_ENGINE (&f) { /* an idle connection is closed at once */
        say(&f, STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
        hear(&f, "hello");
        http_server_drain(f.server, on_drained, &f);
        hear_close(&f);
        if (f.drained == 0)
            run_loop(&f);
        assert_int_equal(f.drained, 1);
    }
}

/* (The edge may not be freed while the loop runs.) */
static void a_server_may_be_freed_by_its_own_handler(void **state)
{
    struct fixture f;
    int fd;

    (void)state;
    for (int engine = SMALL_TCP; engine <= SMALL_UNIX; engine++) {
        begin(&f, (enum engine)engine);
        f.stop_at_requests = 1;
        say(&f, STR("GET /park HTTP/1.1\r\nHost: h\r\n\r\n"));
        run_loop(&f);
        fd = f.fd;
        watch_free(f.watch);
        client_connect(&f);
        say(&f, STR("GET /free HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"));
        hear_close(&f);
        assert_int_equal(f.in.len, 0);
        assert_int_equal(f.requests, 2);
        assert_int_equal(f.aborts, 0);
        close(fd);
        end(&f);
    }
}

static void a_drain_closes_behind_an_answer_under_way(void **state)
{
    struct fixture f;

    (void)state;
    FOR_EACH_ENGINE (&f) {
        f.stop_at_requests = 1;
        say(&f, STR("GET /huge HTTP/1.1\r\nHost: h\r\n\r\n"));
        run_loop(&f);
        http_server_drain(f.server, on_drained, &f);
        hear(&f, "Content-Length: 12582912\r\n\r\n");
        while (!f.closed)
            run_loop(&f);
        assert_int_equal(f.in.len, 12u << 20);
    }
}

static void on_later(void *arg)
{
    struct fixture *f = arg;

    loop_stop(f->loop);
}

static void time_limits_stand_still_while_the_peers_do(void **state)
{
    struct fixture f;
    struct timer later;

    (void)state;
    begin(&f, SMALL_TCP);
    f.server->limits_us[HTTP_WAIT_HEAD] = MSEC(300); /* looked at once a second */
    timer_init(&later, f.loop, on_later, &f);
    say(&f, STR("GET / HT"));
    timer_start(&later, MSEC(50));
    loop_run(f.loop); /* it has come */
    http_server_pause(f.server, true);
    http_server_pause(f.server, true);
    timer_start(&later, MSEC(1500));
    loop_run(f.loop);
    assert_false(f.closed);
    http_server_pause(f.server, false);
    say(&f, STR("TP/1.1\r\nHost: h\r\n\r\n"));
    hear(&f, "\r\n\r\nhello");
    say(&f, STR("GET / HT"));
    hear(&f, "HTTP/1.1 408 "); /* and go on after that */
    end(&f);
}

static void an_address_in_use_or_malformed_is_one_clear_line(void **state)
{
    const struct http_handler handler = {.on_request = on_request};
    struct http_server *second = NULL;
    struct fixture f;
    struct error err;
    char address[32], line[200];

    (void)state;
    begin(&f, EDGE);
    snprintf(address, sizeof(address), "127.0.0.1:%d", http_server_port(f.server));
    snprintf(line, sizeof(line),
             "address %s is already in use; stop the other program or choose another address with "
             "--listen (HEARTH_LISTEN)",
             address);
    assert_int_equal(http_edge_new(f.loop, address, &handler, &f, &second, &err), -ERR_CONFIG);
    assert_string_equal(err.msg, line);
    assert_int_equal(http_edge_new(f.loop, "192.0.2.1:9000", &handler, &f, &second, &err),
                     -ERR_CONFIG);
    assert_non_null(strstr(err.msg, "not one of this machine's"));
    assert_int_equal(http_edge_new(f.loop, "9000", &handler, &f, &second, &err), -ERR_CONFIG);
    assert_int_equal(http_edge_new(f.loop, "here:9000", &handler, &f, &second, &err), -ERR_CONFIG);
    assert_int_equal(http_edge_new(f.loop, "127.0.0.1:", &handler, &f, &second, &err), -ERR_CONFIG);
    assert_null(second);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_connection_serves_many_requests),
        cmocka_unit_test(connection_close_and_http_1_0_end_the_connection),
        cmocka_unit_test(head_and_body_may_come_in_any_pieces),
        cmocka_unit_test(sandboxes_may_send_a_field_of_a_mebibyte),
        cmocka_unit_test(large_bodies_go_both_ways),
        cmocka_unit_test(a_large_answer_is_whole_before_the_connection_closes),
        cmocka_unit_test(chunked_bodies_are_decoded),
        cmocka_unit_test(a_body_beyond_the_limit_is_413_and_the_client_can_read_it),
        cmocka_unit_test(expect_100_is_answered_at_once),
        cmocka_unit_test(a_parked_request_is_answered_later),
        cmocka_unit_test(a_client_that_leaves_aborts_its_parked_request_once),
        cmocka_unit_test(half_a_request_and_a_close_reach_no_handler_but_as_truncated),
        cmocka_unit_test(malformed_requests_are_refused_by_the_engine),
        cmocka_unit_test(a_dropped_request_closes_without_an_answer),
        cmocka_unit_test(a_server_goes_with_requests_parked_and_answers_under_way),
        cmocka_unit_test(a_drain_finishes_what_is_there_and_takes_no_more),
        cmocka_unit_test(a_server_may_be_freed_by_its_own_handler),
        cmocka_unit_test(a_drain_closes_behind_an_answer_under_way),
        cmocka_unit_test(time_limits_stand_still_while_the_peers_do),
        cmocka_unit_test(an_address_in_use_or_malformed_is_one_clear_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
