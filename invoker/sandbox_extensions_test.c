/* SPDX-License-Identifier: Apache-2.0 */
/* Extensions of a sandbox: when it is ready, and how it ends with them. */
#include "invoker/sandbox_fixture.h"

/* ---- extensions: each call on a connection of its own */

struct call {
    int fd;
    struct watch *watch;
    struct buf got;
};

static void on_call_bytes(int fd, int events, void *arg)
{
    struct call *c = arg;
    char bytes[4096];
    ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
    (void)events;

    if (n > 0)
        assert_int_equal(buf_append(&c->got, bytes, (size_t)n), 0);
    else
        watch_set(c->watch, 0);
    loop_stop(w.loop);
}

static void call_begin(struct call *c, const char *request)
{
    struct sockaddr_un name;
    socklen_t len = sizeof(name);

    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(getsockname(w.listener, (struct sockaddr *)&name, &len), 0);
    assert_int_equal(connect(c->fd, (struct sockaddr *)&name, len), 0);
    c->watch = watch_new(w.loop, c->fd, on_call_bytes, c);
    watch_set(c->watch, WATCH_READ);
    buf_init(&c->got, 65536);
    assert_int_equal(send(c->fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
}

static void call_hears(struct call *c, const char *part)
{
    timer_start(&w.patience, PATIENCE_US);
    for (;;) {
        assert_int_equal(buf_append_char(&c->got, '\0'), 0);
        c->got.len--;
        if (strstr(c->got.ptr, part))
            break;
        loop_run(w.loop);
    }
    timer_stop(&w.patience);
}

static void call_end(struct call *c)
{
    watch_free(TAKE(c->watch));
    closep(&c->fd);
    buf_done(&c->got);
}

static void extension_registers(const char *name, const char *events, char *ret_id)
{
    CLEANUP(freep) char *request =
        str_printf("POST /2020-01-01/extension/register HTTP/1.1\r\nHost: x\r\n"
                   "Lambda-Extension-Name: %s\r\nContent-Length: %zu\r\n\r\n%s",
                   name, strlen(events), events);
    struct call c;
    const char *at;

    call_begin(&c, request);
    call_hears(&c, "\r\n\r\n");
    at = strstr(c.got.ptr, "Lambda-Extension-Identifier: ");
    assert_non_null(at);
    memcpy(ret_id, at + 29, UUID_LEN);
    ret_id[UUID_LEN] = '\0';
    call_end(&c);
}

static void extension_asks(struct call *c, const char *id)
{
    CLEANUP(freep) char *request =
        str_printf("GET /2020-01-01/extension/event/next HTTP/1.1\r\nHost: x\r\n"
                   "Lambda-Extension-Identifier: %s\r\n\r\n",
                   id);

    call_begin(c, request);
}

static void launcher_finds(const char *name)
{
    const struct init_extensions found = {.found = 1, .len = 1, .names = {name}};

    w.launch->handler->on_extensions(&w.launch->base, &found, -1, w.launch->arg);
}

static void extension_exits(const char *name, int status)
{
    struct init_extension news = {INIT_EXTENSION_EXITED, status, ""};

    snprintf(news.name, sizeof(news.name), "%s", name);
    w.launch->handler->on_extension(&w.launch->base, &news, w.launch->arg);
}

/* With the external extension "x", which wants all events; @next is its first event/next. */
static void come_up_with_extension(char *id, struct call *next)
{
    create();
    launcher_finds("x");
    assert_int_equal(w.launch->gos, 1);
    extension_registers("x", "{\"events\":[\"INVOKE\",\"SHUTDOWN\"]}", id);
    run_until(&w.launch->gos, 2); /* the runtime after it */
    runtime_dial();
    runtime_says(NEXT);
    extension_asks(next, id);
    run_until(&w.ready, 1);
}

static void on_count(void *arg)
{
    ++*(int *)arg;
    loop_stop(w.loop);
}

static void turn_over(void)
{
    int turns = 0;

    loop_defer(w.loop, on_count, &turns);
    run_until(&turns, 1);
}

static void init_waits_for_runtime_and_extensions(void **state)
{
    char id[UUID_MAX];
    struct call next;
    int i;
    (void)state;

    create();
    launcher_finds("x");
    extension_registers("x", "{\"events\":[]}", id);
    runtime_dial();
    runtime_says(NEXT);
    for (i = 0; i < 10; i++)
        turn_over();
    assert_int_equal(w.ready, 0);
    assert_int_equal(sandbox_state(w.sb), SANDBOX_INIT);
    extension_asks(&next, id);
    run_until(&w.ready, 1);
    assert_int_equal(sandbox_run(w.sb, &w.event), 0); /* which it did not register for */
    runtime_hears("{\"n\":1}");
    assert_int_equal(next.got.len, 0);
    runtime_posts("invocation/" ID "/response", "", "1");
    runtime_says(NEXT);
    run_until(&w.ready, 2); /* it waits as before */
    call_end(&next);
}

static void invocation_is_over_when_its_extensions_ask_again(void **state)
{
    char id[UUID_MAX];
    struct call next, again;
    int i;
    (void)state;

    come_up_with_extension(id, &next);
    assert_int_equal(sandbox_run(w.sb, &w.event), 0);
    call_hears(&next, "{\"eventType\":\"INVOKE\",\"deadlineMs\":");
    call_hears(&next, ",\"requestId\":\"" ID "\",\"invokedFunctionArn\":\"arn:x\",\"tracing\":{");
    assert_non_null(strstr(next.got.ptr, "Lambda-Extension-Event-Identifier: "));
    runtime_hears("{\"n\":1}");
    runtime_posts("invocation/" ID "/response", "", "1");
    run_until(&w.answers, 1); /* the caller does not wait for it */
    runtime_says(NEXT);
    for (i = 0; i < 10; i++)
        turn_over();
    assert_int_equal(w.ready, 1);
    assert_int_equal(sandbox_state(w.sb), SANDBOX_BUSY);
    extension_asks(&again, id);
    run_until(&w.ready, 2);
    call_end(&next);
    call_end(&again);
}

static void extension_that_goes_away_makes_it_unready(void **state)
{
    char id[UUID_MAX];
    struct call next;
    (void)state;

    come_up_with_extension(id, &next);
    call_end(&next);
    run_until(&w.returning, 1);
    assert_int_equal(sandbox_state(w.sb), SANDBOX_BUSY);
    extension_asks(&next, id);
    run_until(&w.ready, 2);
    call_end(&next);
}

static void stop_gives_runtime_and_extensions_their_time(void **state)
{
    char id[UUID_MAX];
    struct call next;
    (void)state;

    come_up_with_extension(id, &next);
    sandbox_stop(w.sb, "test");
    assert_int_equal(w.ending, 1); /* takes nothing any more */
    assert_int_equal(w.launch->signo, SIGTERM);
    assert_false(w.launch->ended);
    main_process_exits(0, 0);
    call_hears(&next, "{\"eventType\":\"SHUTDOWN\",\"shutdownReason\":\"SPINDOWN\",\"deadlineMs\":");
    assert_false(w.launch->ended);
    extension_exits("x", 0);
    assert_true(w.launch->ended);
    run_until(&w.gone, 1);
    call_end(&next);
}

static void stop_does_not_wait_for_ever(void **state)
{
    uint64_t began = now_us(), took;
    char id[UUID_MAX];
    struct call next;
    (void)state;

    come_up_with_extension(id, &next);
    sandbox_stop(w.sb, "test"); /* neither runtime nor extension cares */
    call_hears(&next, "SHUTDOWN");
    assert_int_equal(w.launch->signo, SIGKILL);
    took = now_us() - began;
    assert_true(took >= MSEC(300) && took < MSEC(1900));
    run_until(&w.gone, 1);
    took = now_us() - began;
    assert_true(took >= MSEC(2000) && took < MSEC(4000));
    call_end(&next);
}

static void crash_of_an_extension_is_the_answer(void **state)
{
    char id[UUID_MAX];
    struct call next;
    (void)state;

    come_up_with_extension(id, &next);
    assert_int_equal(sandbox_run(w.sb, &w.event), 0);
    extension_exits("x", 3 << 8);
    assert_int_equal(w.answers, 0); /* the runtime has its time to end */
    main_process_exits(0, 0);
    run_until(&w.answers, 1);
    assert_body("{\"errorType\":\"Extension.Crash\",\"errorMessage\":\"RequestId: " ID
                " Error: exit code 3\"}");
    assert_has(&w.tail, "\nEXTENSION\tName: x\tState: Exited\tEvents: [INVOKE,SHUTDOWN]\tError "
                        "Type: Extension.Crash\nRequestId: " ID " Error: exit code 3\n"
                        "Extension.Crash\nEND ");
    run_until(&w.gone, 1);
    call_end(&next);
}

static void host_waits_for_shutdowns(void **state)
{
    static int stopped;
    char id[UUID_MAX];
    struct call next;
    (void)state;

    stopped = 0;
    come_up_with_extension(id, &next);
    sandbox_host_stop(&w.host, "test", on_count, &stopped);
    turn_over();
    assert_int_equal(stopped, 0);
    main_process_exits(0, 0);
    extension_exits("x", 0);
    run_until(&stopped, 1);
    run_until(&w.gone, 1);
    call_end(&next);
    sandbox_host_stop(&w.host, "test", on_count, &stopped);
    run_until(&stopped, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(init_waits_for_runtime_and_extensions),
        TEST(invocation_is_over_when_its_extensions_ask_again),
        TEST(extension_that_goes_away_makes_it_unready),
        TEST(stop_gives_runtime_and_extensions_their_time),
        TEST(stop_does_not_wait_for_ever),
        TEST(crash_of_an_extension_is_the_answer),
        TEST(host_waits_for_shutdowns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
