/* SPDX-License-Identifier: Apache-2.0 */
/* Streamed answers of a sandbox. */
#include "invoker/sandbox_fixture.h"

/* ---- streamed answers */

#define STREAMS                                                                                    \
    "POST /2018-06-01/runtime/invocation/" ID "/response HTTP/1.1\r\nHost: x\r\n"                  \
    "Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n\r\n"

static void begin_stream(bool wanted)
{
    w.event.data.wants_stream = wanted;
    come_up_and_run();
    runtime_says(STREAMS);
}

static void a_streamed_answer_is_handed_on_while_it_comes(void **state)
{
    (void)state;
    begin_stream(true);
    run_until(&w.pieces, 1); /* the begin */
    runtime_says("5\r\nfirst\r\n");
    run_until(&w.pieces, 2);
    assert_true(str_is(buf_str(&w.streamed), "first"));
    runtime_says("2\r\n, \r\n6\r\nsecond\r\n");
    run_until(&w.pieces, 3);
    assert_int_equal(w.answers, 0);
    runtime_says("0\r\n\r\n");
    runtime_hears("202 Accepted");
    assert_int_equal(w.answers, 1);
    assert_int_equal(w.outcome, INVOKE_OK);
    assert_int_equal(w.body.len, 0);
    assert_true(str_is(buf_str(&w.streamed), "first, second"));
    runtime_says(NEXT);
    run_until(&w.ready, 2);
}

#define NAMES_NO_MODE                                                                              \
    "POST /2018-06-01/runtime/invocation/" ID "/response HTTP/1.1\r\nHost: x\r\n"                  \
    "Transfer-Encoding: chunked\r\n"                                                               \
    "Trailer: Lambda-Runtime-Function-Error-Body,Lambda-Runtime-Function-Error-Type\r\n\r\n"

/* As AWS's client for Go does it. */
static void a_chunked_answer_without_a_mode_is_a_stream_when_one_is_wanted(void **state)
{
    (void)state;
    w.event.data.wants_stream = true;
    come_up_and_run();
    runtime_says(NAMES_NO_MODE "5\r\nfirst\r\n");
    run_until(&w.pieces, 2);
    assert_true(str_is(buf_str(&w.streamed), "first"));
    runtime_says("0\r\n\r\n");
    runtime_hears("202 Accepted");
    assert_int_equal(w.outcome, INVOKE_OK);
    assert_int_equal(w.body.len, 0);
}

static void a_gathered_answer_that_breaks_on_its_way_is_an_error(void **state)
{
    (void)state;
    come_up_and_run();
    runtime_says(NAMES_NO_MODE "5\r\nfirst\r\n0\r\n"
                               "Lambda-Runtime-Function-Error-Type: errorString\r\n"
                               "Lambda-Runtime-Function-Error-Body: eyJhIjoxfQ==\r\n\r\n");
    runtime_hears("202 Accepted");
    assert_int_equal(w.pieces, 0);
    assert_int_equal(w.outcome, INVOKE_FUNCTION_ERROR);
    assert_body("{\"a\":1}");
}

static void a_held_answer_waits_in_the_runtimes_socket(void **state)
{
    int i;

    (void)state;
    w.hold = true;
    begin_stream(true);
    run_until(&w.pieces, 1);
    runtime_says("5\r\nfirst\r\n");
    for (i = 0; i < 50; i++) {
        loop_defer(w.loop, (loop_fn *)loop_stop, w.loop);
        loop_run(w.loop);
    }
    assert_int_equal(w.pieces, 1);
    w.hold = false;
    sandbox_hold(w.sb, false);
    run_until(&w.pieces, 2);
    runtime_says("0\r\n\r\n");
    runtime_hears("202 Accepted");
}

static void a_streamed_answer_that_nobody_asked_for_is_gathered(void **state)
{
    (void)state;
    begin_stream(false);
    runtime_says("5\r\nfirst\r\n8\r\n, second\r\n0\r\n\r\n");
    run_until(&w.answers, 1);
    assert_int_equal(w.outcome, INVOKE_OK);
    assert_true(str_is(buf_str(&w.body), "first, second"));
    assert_int_equal(w.pieces, 0);
}

static void trailers_tell_of_an_error(void **state)
{
    bool wanted;

    (void)state;
    for (wanted = false;; wanted = true) {
        begin_stream(wanted);
        runtime_says("4\r\nhalf\r\n0\r\nLambda-Runtime-Function-Error-Type: Function.X\r\n"
                     "Lambda-Runtime-Function-Error-Body: e30=\r\n\r\n");
        run_until(&w.answers, 1);
        assert_int_equal(w.outcome, INVOKE_FUNCTION_ERROR);
        assert_true(str_is(buf_str(&w.body), "{}"));
        assert_string_equal(w.error_type, "Function.X");
        if (wanted)
            return;
        assert_int_equal(world_end(state), 0);
        assert_int_equal(world_make(state), 0);
    }
}

static void a_stream_beyond_its_limit_is_refused(void **state)
{
    char text[1100];
    int n = snprintf(text, sizeof(text), "3e9\r\n%01001d\r\n", 0);

    (void)state;
    assert_in_range(n, 1000, sizeof(text));
    begin_stream(true);
    runtime_says(text);
    runtime_hears("413 ");
    assert_int_equal(w.answers, 0); /* its function may run still */
    runtime_dial(); /* it goes on, on another connection */
    runtime_says(NEXT);
    run_until(&w.ready, 2);
    assert_int_equal(w.answers, 1);
    assert_int_equal(w.outcome, INVOKE_FUNCTION_ERROR);
    assert_string_equal(w.error_type, "Function.ResponseSizeTooLarge");
}

static void a_stream_that_breaks_off_is_a_truncated_response(void **state)
{
    (void)state;
    begin_stream(true);
    runtime_says("5\r\nhal");
    run_until(&w.pieces, 2);
    runtime_hang_up();
    run_until(&w.returning, 1);
    assert_int_equal(w.answers, 0);
    runtime_dial();
    runtime_says(NEXT);
    run_until(&w.ready, 2);
    assert_int_equal(w.answers, 1);
    assert_int_equal(w.outcome, INVOKE_FUNCTION_ERROR);
    assert_string_equal(w.error_type, "Runtime.TruncatedResponse");
}

static void a_stop_ends_a_stream(void **state)
{
    (void)state;
    begin_stream(true);
    runtime_says("5\r\nhal");
    run_until(&w.pieces, 2);
    sandbox_stop(w.sb, "of the test");
    assert_int_equal(w.answers, 0);
    runtime_says("lo\r\n"); /* to nobody */
    run_until(&w.answers, 1);
    assert_int_equal(w.outcome, INVOKE_REFUSED);
    run_until(&w.gone, 1);
    assert_int_equal(w.answers, 1);
    assert_int_equal(w.pieces, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_streamed_answer_is_handed_on_while_it_comes),
        TEST(a_chunked_answer_without_a_mode_is_a_stream_when_one_is_wanted),
        TEST(a_gathered_answer_that_breaks_on_its_way_is_an_error),
        TEST(a_held_answer_waits_in_the_runtimes_socket),
        TEST(a_streamed_answer_that_nobody_asked_for_is_gathered),
        TEST(trailers_tell_of_an_error),
        TEST(a_stream_beyond_its_limit_is_refused),
        TEST(a_stream_that_breaks_off_is_a_truncated_response),
        TEST(a_stop_ends_a_stream),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
