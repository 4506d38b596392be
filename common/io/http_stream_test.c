/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies and answers that are streamed, the same for both engines, by a raw client in the loop. */
#include "common/io/http_server.h"

#include "common/io/http_test_ends.h"

#define CHUNKED "Transfer-Encoding: chunked\r\n\r\n"

static void fill(struct fixture *f, size_t bytes)
{
    buf_reserve(&f->out, bytes);
    memset(f->out.ptr + f->out.len, 'b', bytes);
    f->out.len += bytes;
}

static void a_body_is_handed_on_while_it_comes(void **state)
{
    struct fixture f;

    (void)state;
    FOR_EACH_ENGINE (&f) {
        f.hold = true; /* stops the loop at each piece */
        say(&f, STR("POST /streamed HTTP/1.1\r\nHost: h\r\n" CHUNKED "5\r\nfirst\r\n"));
        run_loop(&f);
        assert_true(str_is(buf_str(&f.body), "first"));
        assert_int_equal(f.requests, 0);
        http_body_hold(f.taking, false);
        say(&f, STR("3\r\n, s\r\n"));
        run_loop(&f);
        f.hold = false;
        http_body_hold(f.taking, false);
        say(&f, STR("5\r\necond\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"));
        hear(&f, "Content-Length: 13\r\n\r\nfirst, second");
        hear(&f, "hello"); /* the one behind it */
        assert_int_equal(f.requests, 2);
    }
}

static void a_body_of_known_length_is_streamed_too(void **state)
{
    struct fixture f;

    (void)state;
    FOR_EACH_ENGINE (&f) {
        say(&f, STR("POST /streamed HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"));
        hear(&f, "Content-Length: 0\r\n\r\n");
        say(&f, STR("POST /streamed HTTP/1.1\r\nHost: h\r\nContent-Length: 3000000\r\n\r\n"));
        fill(&f, 3000000);
        say(&f, STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
        hear(&f, "HTTP/1.1 200 OK");
        assert_int_equal(f.body_bytes, 3000000); /* beyond BODY_LIMIT, which is not meant */
        assert_true(f.piece_max <= 65536);
        hear(&f, "\r\n\r\nhello");
    }
}

static void trailers_are_there_at_the_end(void **state)
{
    struct fixture f;

    (void)state;
    FOR_EACH_ENGINE (&f) {
        say(&f, STR("POST /streamed HTTP/1.1\r\nHost: h\r\nTrailer: X-End\r\n" CHUNKED
                    "1\r\na\r\n0\r\nOther: x\r\nX-END:  all is well \r\nX-End: second\r\n\r\n"));
        hear(&f, "Content-Length: 11\r\n\r\nall is well");
        say(&f, STR("POST /streamed HTTP/1.1\r\nHost: h\r\n" CHUNKED "1\r\nb\r\n0\r\n\r\n"));
        hear(&f, "\r\n\r\nb"); /* those of the last request are forgotten */
    }
}

static void a_held_body_stops_the_client(void **state)
{
    struct fixture f;
    size_t before;

    (void)state;
    FOR_EACH_ENGINE (&f) {
        f.hold = true;
        say(&f, STR("POST /streamed HTTP/1.1\r\nHost: h\r\nContent-Length: 33554432\r\n\r\n"));
        fill(&f, 32u << 20);
        run_loop(&f);
        before = f.body_bytes;
        turn_loop(&f);
        assert_int_equal(f.body_bytes, before);
        assert_true(f.out.len > 16u << 20); /* it stays with the client */
        f.hold = false;
        http_body_hold(f.taking, false);
        hear(&f, "HTTP/1.1 200 OK");
        assert_int_equal(f.body_bytes, 32u << 20);
        assert_true(f.piece_max <= 65536);
    }
}

static void a_body_that_breaks_off_is_truncated(void **state)
{
    static const struct str halves[] = {
        STR("POST /streamed HTTP/1.1\r\nHost: h\r\n" CHUNKED "5\r\nhal"),
        STR("POST /streamed HTTP/1.1\r\nHost: h\r\n" CHUNKED "5\r\nwhole\r\n0\r\nX-End: no"),
        STR("POST /streamed HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf"),
    };
    struct fixture f;
    size_t i;

    (void)state;
    FOR_EACH_ENGINE (&f) {
        for (i = 0; i < ARRAY_LEN(halves); i++) {
            say(&f, halves[i]);
            turn_loop(&f);
            assert_non_null(f.taking);
            f.stop_at_truncated = f.truncated + 1;
            client_leave(&f);
            run_loop(&f);
            assert_int_equal(f.truncated, (int)i + 1);
            client_connect(&f);
        }
        say(&f, STR("POST /streamed HTTP/1.1\r\nHost: h\r\n" CHUNKED "5\r\nwhole\r\nnonsense\r\n"));
        hear(&f, "HTTP/1.1 400 ");
        hear_close(&f);
        assert_int_equal(f.truncated, (int)i + 1);
        assert_int_equal(f.requests, 0);
        assert_int_equal(f.aborts, 0);
    }
}

static void a_body_may_be_refused_or_dropped_before_its_end(void **state)
{
    struct fixture f;

    (void)state;
    FOR_EACH_ENGINE (&f) {
        say(&f, STR("POST /streamed/refused HTTP/1.1\r\nHost: h\r\n" CHUNKED "5\r\nbegin\r\n"));
        hear(&f, "HTTP/1.1 413 ");
        hear(&f, "Connection: close\r\n\r\nno more of this");
        hear_close(&f);
        client_leave(&f);
        client_connect(&f);
        say(&f, STR("POST /streamed/dropped HTTP/1.1\r\nHost: h\r\n" CHUNKED "5\r\nbegin\r\n"));
        hear_close(&f);
        assert_int_equal(f.in.len, 0);
        assert_int_equal(f.requests, 0);
        assert_int_equal(f.truncated, 0);
        assert_int_equal(f.aborts, 0);
    }
}

/* Begins a streamed answer for @ask and hears its head. */
static void begin_answer(struct fixture *f, struct str ask, const char *framing)
{
    f->stop_at_requests = f->requests + 1;
    say(f, ask);
    run_loop(f);
    assert_non_null(f->parked);
    hear(f, "HTTP/1.1 200 OK\r\n");
    hear(f, framing);
}

static void an_answer_is_sent_as_it_is_made(void **state)
{
    struct fixture f;

    (void)state;
    FOR_EACH_ENGINE (&f) {
        begin_answer(&f,
                     STR("GET /begin HTTP/1.1\r\nHost: h\r\n\r\n"
                         "GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
                     "Transfer-Encoding: chunked\r\n\r\n");
        http_reply_write(f.parked, STR("first"));
        hear(&f, "5\r\nfirst\r\n");
        http_reply_write(f.parked, STR("")); /* which would be the end */
        http_reply_write(f.parked, STR("and the second one"));
        hear(&f, "12\r\nand the second one\r\n");
        assert_int_equal(f.requests, 1);
        http_reply_end(TAKE(f.parked));
        hear(&f, "0\r\n\r\n");
        hear(&f, "\r\n\r\nhello"); /* the one behind it */
        assert_int_equal(f.aborts, 0);
        assert_int_equal(f.writable, 0); /* nothing has waited */
    }
}

static void answers_without_chunks_end_with_the_connection(void **state)
{
    struct fixture f;

    (void)state;
    FOR_EACH_ENGINE (&f) {
        begin_answer(&f, STR("GET /begin HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
                     "Connection: close\r\n\r\n");
        http_reply_write(f.parked, STR("plain"));
        hear(&f, "plain");
        http_reply_end(TAKE(f.parked));
        hear_close(&f);
        assert_int_equal(f.in.len, 0);
        client_leave(&f);
        client_connect(&f);
        begin_answer(&f, STR("HEAD /begin HTTP/1.1\r\nHost: h\r\n\r\n"), "chunked\r\n\r\n");
        http_reply_write(f.parked, STR("not for HEAD"));
        http_reply_end(TAKE(f.parked));
        say(&f, STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
        hear(&f, "HTTP/1.1 200 OK");
        assert_int_equal(f.aborts, 0);
    }
}

static void a_slow_reader_is_waited_for(void **state)
{
    static char piece[64 << 10];
    struct fixture f;
    size_t sent, got;
    int round;

    (void)state;
    memset(piece, 'p', sizeof(piece));
    FOR_EACH_ENGINE (&f) {
        begin_answer(&f, STR("GET /begin HTTP/1.1\r\nHost: h\r\n\r\n"), "chunked\r\n\r\n");
        for (round = 0, sent = got = 0; round < 3; round++) {
            watch_set(f.watch, 0);
            while (http_reply_queued(f.parked) == 0) { /* until the system takes no more */
                http_reply_write(f.parked, str_from(piece, sizeof(piece)));
                sent += sizeof(piece);
                assert_true(sent < 256u << 20);
            }
            turn_loop(&f);
            assert_int_equal(f.writable, round); /* not before the client reads */
            watch_set(f.watch, WATCH_READ);
            while (f.writable == round)
                run_loop(&f);
            assert_int_equal(http_reply_queued(f.parked), 0);
            got += f.in.len;
            buf_clear(&f.in);
        }
        http_reply_end(TAKE(f.parked));
        hear(&f, "\r\n0\r\n\r\n");
        assert_true(got <= sent / sizeof(piece) * (sizeof(piece) + 9));
        say(&f, STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
        hear(&f, "hello");
    }
}

static void a_client_that_leaves_aborts_its_streamed_answer_once(void **state)
{
    static char piece[64 << 10];
    struct fixture f;
    int round;

    (void)state;
    FOR_EACH_ENGINE (&f) {
        for (round = 0; round < 3; round++) { /* silent; with bytes that wait; by a reset */
            f.stop_at_aborts = round + 1;
            begin_answer(&f, STR("GET /begin HTTP/1.1\r\nHost: h\r\n\r\n"), "chunked\r\n\r\n");
            watch_set(f.watch, 0);
            while (round == 1 && http_reply_queued(f.parked) == 0)
                http_reply_write(f.parked, str_from(piece, sizeof(piece)));
            if (round == 2)
                client_reset(&f);
            else
                client_leave(&f);
            if (f.aborts <= round)
                run_loop(&f);
            assert_int_equal(f.aborts, round + 1);
            assert_null(f.parked);
            client_connect(&f);
        }
    }
}

/* The client is gone, and a write is the first to find out: said later, not inside the write. */
static void a_write_that_fails_aborts_from_the_loop(void **state)
{
    static char piece[64 << 10];
    struct fixture f;
    struct http_req *req;
    int i;

    (void)state;
    FOR_EACH_ENGINE (&f) {
        begin_answer(&f, STR("GET /begin HTTP/1.1\r\nHost: h\r\n\r\n"), "chunked\r\n\r\n");
        req = f.parked;
        client_reset(&f);
        for (i = 0; i < 10; i++) {
            http_reply_write(req, str_from(piece, sizeof(piece)));
            assert_int_equal(f.aborts, 0);
        }
        turn_loop(&f);
        assert_int_equal(f.aborts, 1);
        client_connect(&f);
        /* … nor at all when the answer has ended by then */
        begin_answer(&f, STR("GET /begin HTTP/1.1\r\nHost: h\r\n\r\n"), "chunked\r\n\r\n");
        client_reset(&f);
        for (i = 0; i < 10; i++)
            http_reply_write(f.parked, str_from(piece, sizeof(piece)));
        http_reply_end(TAKE(f.parked));
        turn_loop(&f);
        assert_int_equal(f.aborts, 1);
        client_connect(&f);
    }
}

static void a_streamed_answer_may_be_dropped(void **state)
{
    struct fixture f;

    (void)state;
    FOR_EACH_ENGINE (&f) {
        begin_answer(&f, STR("GET /begin HTTP/1.1\r\nHost: h\r\n\r\n"), "chunked\r\n\r\n");
        http_reply_write(f.parked, STR("half"));
        http_drop(TAKE(f.parked));
        hear_close(&f);
        assert_null(memmem(f.in.ptr, f.in.len, "0\r\n\r\n", 5)); /* not taken for whole */
        assert_int_equal(f.aborts, 0);
    }
}

static void on_drained(void *arg)
{
    struct fixture *f = arg;

    f->drained++;
}

static void a_drain_waits_for_streamed_answers(void **state)
{
    struct fixture f;

    (void)state;
    FOR_EACH_ENGINE (&f) {
        begin_answer(&f, STR("GET /begin HTTP/1.1\r\nHost: h\r\n\r\n"), "chunked\r\n\r\n");
        http_server_drain(f.server, on_drained, &f);
        turn_loop(&f);
        assert_int_equal(f.drained, 0);
        http_reply_write(f.parked, STR("still"));
        hear(&f, "5\r\nstill\r\n");
        http_reply_end(TAKE(f.parked));
        hear(&f, "0\r\n\r\n");
        hear_close(&f);
    }
}

static void a_server_goes_while_both_halves_are_streamed(void **state)
{
    struct fixture f;

    (void)state;
    FOR_EACH_ENGINE (&f) {
        if (f.engine == EDGE) {
            begin_answer(&f, STR("GET /begin HTTP/1.1\r\nHost: h\r\n\r\n"), "chunked\r\n\r\n");
            http_reply_write(f.parked, STR("half"));
            continue; /* end() frees the server */
        }
        say(&f, STR("POST /streamed HTTP/1.1\r\nHost: h\r\n" CHUNKED "5\r\nhal"));
        turn_loop(&f);
        assert_non_null(f.taking);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_is_handed_on_while_it_comes),
        cmocka_unit_test(a_body_of_known_length_is_streamed_too),
        cmocka_unit_test(trailers_are_there_at_the_end),
        cmocka_unit_test(a_held_body_stops_the_client),
        cmocka_unit_test(a_body_that_breaks_off_is_truncated),
        cmocka_unit_test(a_body_may_be_refused_or_dropped_before_its_end),
        cmocka_unit_test(an_answer_is_sent_as_it_is_made),
        cmocka_unit_test(answers_without_chunks_end_with_the_connection),
        cmocka_unit_test(a_slow_reader_is_waited_for),
        cmocka_unit_test(a_client_that_leaves_aborts_its_streamed_answer_once),
        cmocka_unit_test(a_write_that_fails_aborts_from_the_loop),
        cmocka_unit_test(a_streamed_answer_may_be_dropped),
        cmocka_unit_test(a_drain_waits_for_streamed_answers),
        cmocka_unit_test(a_server_goes_while_both_halves_are_streamed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
