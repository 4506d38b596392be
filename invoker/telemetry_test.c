/* SPDX-License-Identifier: Apache-2.0 */
/* What was before a subscription comes in the form that its schema asks for. */
#include "invoker/telemetry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"

#define PATIENCE_US SECONDS(10)
#define LINE "{\"level\":\"INFO\"}"
#define AS_OBJECT "\"type\":\"function\",\"record\":" LINE "}\n"
#define AS_STRING "\"type\":\"function\",\"record\":\"{\\\"level\\\":\\\"INFO\\\"}\"}\n"

static char fn_name[] = "f", version[] = "$LATEST", arn[] = "arn:f";
static const struct sandbox_spec spec = {
    .name = fn_name, .version = version, .arn = arn, .memory_mib = 128, .log_json = true};

static struct {
    struct loop *loop;
    struct telemetry *t;
    int peer; /* the subscriber's end */
    struct timer patience;
    char text[8192];
    size_t len;
} w;

static void on_dialled(void *arg)
{
    int pair[2];
    (void)arg;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
    w.peer = pair[1];
    telemetry_socket(w.t, 0, pair[0]);
    loop_stop(w.loop);
}

static void on_dial(uint32_t token, uint16_t port, void *arg)
{
    assert_int_equal(token, 0);
    assert_int_equal(port, 4243);
    loop_defer(w.loop, on_dialled, arg);
}

static void on_settled(void *arg)
{
    (void)arg;
}

static const struct telemetry_ops ops = {on_dial, on_settled};

static void on_patience_over(void *arg)
{
    (void)arg;
    fail_msg("the subscriber has heard \"%s\"", w.text);
}

static int setup(void **state)
{
    (void)state;
    memset(&w, 0, sizeof(w));
    w.peer = -1;
    w.loop = loop_new();
    w.t = telemetry_new(w.loop, &ops, NULL);
    timer_init(&w.patience, w.loop, on_patience_over, NULL);
    timer_start(&w.patience, PATIENCE_US);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    telemetry_free(w.t);
    timer_stop(&w.patience);
    closep(&w.peer);
    loop_free(w.loop);
    return 0;
}

static void emit(struct telemetry_event ev)
{
    ev.time_ms = 1665532800064u;
    ev.spec = &spec;
    ev.phase = "init";
    ev.log_stream = "2026/10/08/[$LATEST]22be";
    telemetry_emit(w.t, &ev);
}

static void on_heard(int fd, int events, void *arg)
{
    ssize_t n = read(fd, w.text + w.len, sizeof(w.text) - 1 - w.len);
    (void)events;
    (void)arg;

    w.len += n > 0 ? (size_t)n : 0;
    loop_stop(w.loop);
}

/* Subscribes now, and waits for @lines of events. */
static void subscribe(enum telemetry_schema schema, size_t lines)
{
    const struct telemetry_subscription sub = {.schema = schema,
                                               .types = TELEMETRY_PLATFORM | TELEMETRY_FUNCTION,
                                               .is_tcp = true,
                                               .port = 4243,
                                               .max_items = 1000,
                                               .max_bytes = 262144,
                                               .timeout_ms = 25};
    struct watch *watch;
    size_t seen = 0, i;

    assert_true(telemetry_subscribe(w.t, "x", &sub));
    telemetry_flush(w.t);
    while (w.peer < 0)
        loop_run(w.loop);
    watch = watch_new(w.loop, w.peer, on_heard, NULL);
    watch_set(watch, WATCH_READ);
    while (seen < lines) {
        loop_run(w.loop);
        for (seen = i = 0; i < w.len; i++)
            seen += w.text[i] == '\n';
    }
    watch_free(watch);
}

static void before_it(void)
{
    emit((struct telemetry_event){.kind = TELEMETRY_INIT_START});
    emit((struct telemetry_event){.kind = TELEMETRY_LINE, .text = STR(LINE)});
}

static void later_schemas_get_json_lines_as_objects(void **state)
{
    (void)state;
    before_it();
    subscribe(TELEMETRY_2022_12_13, 2);
    assert_non_null(strstr(w.text, "\"type\":\"platform.initStart\""));
    assert_non_null(strstr(w.text, AS_OBJECT));
}

static void the_first_schema_gets_strings(void **state)
{
    (void)state;
    before_it();
    subscribe(TELEMETRY_2022_07_01, 2);
    assert_non_null(strstr(w.text, "\"type\":\"platform.initStart\""));
    assert_non_null(strstr(w.text, AS_STRING));
}

static void the_logs_api_has_strings_and_no_init(void **state)
{
    (void)state;
    before_it();
    subscribe(TELEMETRY_LOGS_2021_03_18, 1);
    assert_null(strstr(w.text, "platform.initStart"));
    assert_non_null(strstr(w.text, AS_STRING));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(later_schemas_get_json_lines_as_objects),
        TEST(the_first_schema_gets_strings),
        TEST(the_logs_api_has_strings_and_no_init),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
