/* SPDX-License-Identifier: Apache-2.0 */
/* An idle sandbox stands still; what is done to it meanwhile. */
#include "invoker/sandbox_fixture.h"

#include <fcntl.h>

static void come_up_and_freeze(void)
{
    w.host.freeze_after_us = MSEC(1);
    come_up();
    run_until(&w.freezes, 1);
    assert_true(w.frozen);
}

static void on_turn(void *arg)
{
    (void)arg;
    loop_stop(w.loop);
}

static void wait_a_while(uint64_t us)
{
    uint64_t until = now_us() + us;

    while (now_us() < until) {
        loop_defer(w.loop, on_turn, NULL);
        loop_run(w.loop);
        usleep(1000);
    }
}

static void answer_event(void)
{
    runtime_hears("Lambda-Runtime-Aws-Request-Id: " ID "\r\n");
    runtime_posts("invocation/" ID "/response", "", "{}");
    run_until(&w.answers, 1);
    runtime_hears("202 Accepted");
    runtime_says(NEXT);
}

static void an_idle_sandbox_is_frozen_until_its_next_event(void **state)
{
    (void)state;
    come_up_and_freeze();
    assert_int_equal(sandbox_run(w.sb, &w.event), 0);
    assert_false(w.frozen);
    answer_event();
    run_until(&w.freezes, 2);
    sandbox_stop(w.sb, "test");
    assert_false(w.frozen); /* to be able to end */
}

static void whoever_comes_in_time_does_not_find_it_frozen(void **state)
{
    (void)state;
    w.host.freeze_after_us = MSEC(50);
    come_up();
    assert_int_equal(sandbox_run(w.sb, &w.event), 0);
    wait_a_while(MSEC(80));
    assert_int_equal(w.freezes, 0); /* a busy one */
    answer_event();
    run_until(&w.ready, 2);
    wait_a_while(MSEC(20));
    assert_int_equal(w.freezes, 0);
    run_until(&w.freezes, 1);
}

static void an_event_waits_until_the_engine_has_let_it_go_on(void **state)
{
    (void)state;
    come_up_and_freeze();
    w.thaw_result = 1;
    assert_int_equal(sandbox_run(w.sb, &w.event), 0);
    assert_int_equal(sandbox_state(w.sb), SANDBOX_BUSY);
    wait_a_while(MSEC(20));
    assert_int_equal(w.got.len, 0);
    assert_false(sandbox_has_event(w.sb));
    launcher_thaws(NULL);
    assert_true(sandbox_has_event(w.sb));
    answer_event();
    run_until(&w.ready, 2);
    launcher_thaws(NULL); /* of no effect when nothing waits for it */
    assert_int_equal(w.not_run, 0);
}

static void an_event_is_not_given_to_one_that_cannot_go_on(void **state)
{
    const struct error err = {.code = ERR_CONFLICT, .msg = "no"};
    (void)state;

    come_up_and_freeze();
    w.thaw_result = 1;
    assert_int_equal(sandbox_run(w.sb, &w.event), 0);
    launcher_thaws(&err);
    assert_int_equal(w.not_run, 1);
    assert_int_equal(w.ending, 1);
    run_until(&w.gone, 1);
    assert_int_equal(w.answers, 0);
}

static void an_event_is_not_given_to_one_that_was_killed(void **state)
{
    (void)state;
    come_up_and_freeze();
    w.thaw_result = -ERR_CLOSED;
    assert_int_equal(sandbox_run(w.sb, &w.event), 0);
    assert_int_equal(w.not_run, 1);
    assert_int_equal(w.ending, 1);
    run_until(&w.gone, 1);
    assert_int_equal(w.answers, 0);
}

static void an_event_is_not_given_to_one_that_dies_while_it_is_let_go_on(void **state)
{
    (void)state;
    come_up_and_freeze();
    w.thaw_result = 1;
    assert_int_equal(sandbox_run(w.sb, &w.event), 0);
    runtime_hang_up();
    wait_a_while(MSEC(10));
    launcher_thaws(NULL);
    assert_int_equal(w.not_run, 1);
    run_until(&w.gone, 1);
    assert_int_equal(w.answers, 0);
}

static void one_whose_runtime_is_gone_goes_on_to_tell(void **state)
{
    (void)state;
    come_up_and_freeze();
    runtime_hang_up();
    run_until(&w.returning, 1);
    assert_false(w.frozen);
    assert_int_equal(sandbox_state(w.sb), SANDBOX_BUSY);
}

/* ---- telemetry */

static int listener, peer;

static void subscribe(void)
{
    static const char events[] = "{\"events\":[]}";
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(addr);
    CLEANUP(freep) char *body = NULL;
    CLEANUP(freep) char *request = NULL;
    char id[64];
    const char *at;

    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
    assert_int_equal(listen(listener, 4), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&addr, &len), 0);
    request = str_printf("POST /2020-01-01/extension/register HTTP/1.1\r\nHost: x\r\n"
                         "Lambda-Extension-Name: x\r\nContent-Length: %zu\r\n\r\n%s",
                         strlen(events), events);
    runtime_says(request);
    while (!w.got.ptr || !memmem(w.got.ptr, w.got.len, "\r\n\r\n{", 5))
        loop_run(w.loop);
    at = memmem(w.got.ptr, w.got.len, "Lambda-Extension-Identifier: ", 29);
    assert_non_null(at);
    snprintf(id, sizeof(id), "%.36s", at + 29);
    buf_clear(&w.got);
    body = str_printf("{\"schemaVersion\":\"2022-07-01\",\"types\":[\"platform\"],"
                      "\"buffering\":{\"maxItems\":1000,\"maxBytes\":262144,\"timeoutMs\":30000},"
                      "\"destination\":{\"protocol\":\"HTTP\",\"URI\":\"http://sandbox:%d\"}}",
                      ntohs(addr.sin_port));
    free(TAKE(request));
    request = str_printf("PUT /2022-07-01/telemetry HTTP/1.1\r\nHost: x\r\n"
                         "Lambda-Extension-Identifier: %s\r\nContent-Length: %zu\r\n\r\n%s",
                         id, strlen(body), body);
    runtime_says(request);
    runtime_hears("\"OK\"");
    free(TAKE(request));
    request = str_printf("GET /2020-01-01/extension/event/next HTTP/1.1\r\nHost: x\r\n"
                         "Lambda-Extension-Identifier: %s\r\n\r\n",
                         id);
    runtime_says(request);
}

static int dial_again(void)
{
    int first = w.runtime;

    watch_free(TAKE(w.watch));
    w.runtime = -1;
    runtime_dial();
    return first;
}

static void it_is_frozen_once_telemetry_is_delivered(void **state)
{
    static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    char bytes[8192];
    int extension;
    ssize_t n;
    (void)state;

    w.host.freeze_after_us = MSEC(1);
    create();
    runtime_dial();
    subscribe();
    extension = dial_again(); /* its request stays parked there */
    runtime_says(NEXT);
    run_until(&w.ready, 1);
    for (peer = -1; peer < 0; peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC))
        wait_a_while(MSEC(2));
    wait_a_while(MSEC(30));
    n = recv(peer, bytes, sizeof(bytes) - 1, 0);
    assert_true(n > 0);
    bytes[n] = '\0';
    assert_non_null(strstr(bytes, "platform.initReport")); /* long before the batch's own time */
    assert_int_equal(w.freezes, 0);
    assert_int_equal(send(peer, ok, sizeof(ok) - 1, MSG_NOSIGNAL), sizeof(ok) - 1);
    run_until(&w.freezes, 1);
    closep(&peer);
    closep(&listener); /* whoever takes nothing does not keep it awake */
    assert_int_equal(sandbox_run(w.sb, &w.event), 0);
    answer_event();
    run_until(&w.freezes, 2);
    closep(&extension);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_idle_sandbox_is_frozen_until_its_next_event),
        TEST(whoever_comes_in_time_does_not_find_it_frozen),
        TEST(an_event_waits_until_the_engine_has_let_it_go_on),
        TEST(an_event_is_not_given_to_one_that_cannot_go_on),
        TEST(an_event_is_not_given_to_one_that_was_killed),
        TEST(an_event_is_not_given_to_one_that_dies_while_it_is_let_go_on),
        TEST(one_whose_runtime_is_gone_goes_on_to_tell),
        TEST(it_is_frozen_once_telemetry_is_delivered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
