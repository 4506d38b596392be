/* SPDX-License-Identifier: Apache-2.0 */
/* What a sandbox leaves in the log of a function whose log format is JSON, in each system level. */
#include "invoker/sandbox_fixture.h"

#define RECORD(type) "\"type\":\"platform." type "\",\"record\":{"
#define OF_ID "\"requestId\":\"" ID "\""

/* Before the sandbox starts. */
static void set_levels(enum fn_log_level application, enum fn_log_level system)
{
    struct sandbox_spec *spec = (struct sandbox_spec *)ready_version_spec(w.ver);

    spec->log_json = true;
    spec->application_log_level = application;
    spec->system_log_level = system;
}

static void on_lines(struct str lines, bool more, const struct error *err, void *arg)
{
    (void)more;
    (void)arg;
    assert_null(err);
    buf_clear(&w.body);
    buf_append_str(&w.body, lines);
    w.pieces++;
    loop_stop(w.loop);
}

/* All the lines of the function so far, in their quotes, in w.body. */
static void read_log(void)
{
    const struct logs_filter filter = {.account = STR("000000000000"), .function = STR("f")};

    logs_read(w.logs, &filter, on_lines, NULL);
    run_until(&w.pieces, 1);
}

static size_t lines_of(struct str text)
{
    size_t n = 0, i;

    for (i = 0; i < text.len; i++)
        n += text.ptr[i] == '\n';
    return n;
}

static void answer(void)
{
    runtime_posts("invocation/" ID "/response", "", "{\"ok\":1}");
    run_until(&w.answers, 1);
}

static void an_invocation_has_a_start_and_a_report(void **state)
{
    (void)state;
    set_levels(FN_LOG_INFO, FN_LOG_INFO);
    come_up_and_run();
    runtime_prints("plain\n");
    answer();
    assert_has(&w.tail, "Z\"," RECORD("start") OF_ID ",\"functionArn\":\"arn:aws:lambda:us-east-1:"
                        "000000000000:function:f\",\"version\":\"$LATEST\"}}\nplain\n{\"time\":\"");
    assert_has(&w.tail, RECORD("report") OF_ID ",\"metrics\":{\"durationMs\":");
    assert_has(&w.tail, ",\"memorySizeMB\":128,\"maxMemoryUsedMB\":30,\"initDurationMs\":");
    assert_has(&w.tail, "},\"status\":\"success\"}}\n");
    assert_int_equal(lines_of(buf_str(&w.tail)), 3);
    assert_null(strstr(w.tail.ptr, "REPORT"));
    read_log();
    assert_int_equal(lines_of(buf_str(&w.body)), 3); /* an image's initStart is DEBUG */
    assert_has(&w.body, "\"stream\":\"platform\",\"message\":\"{\\\"time\\\":\\\"");
}

static void debug_tells_of_all_that_went_well(void **state)
{
    (void)state;
    set_levels(FN_LOG_INFO, FN_LOG_DEBUG);
    come_up_and_run();
    answer();
    assert_has(&w.tail, RECORD("runtimeDone") OF_ID ",\"status\":\"success\",\"metrics\":{"
                                                    "\"durationMs\":");
    assert_has(&w.tail, ",\"producedBytes\":8}}}\n");
    assert_int_equal(lines_of(buf_str(&w.tail)), 3);
    read_log();
    assert_int_equal(lines_of(buf_str(&w.body)), 6);
    assert_has(&w.body, "platform.initStart");
    assert_has(&w.body, "platform.initRuntimeDone");
    assert_has(&w.body, "platform.initReport");
}

static void warn_tells_of_failures_alone(void **state)
{
    (void)state;
    set_levels(FN_LOG_INFO, FN_LOG_WARN);
    come_up_and_run();
    answer();
    assert_int_equal(w.tail.len, 0);
    runtime_hears("202 Accepted");
    runtime_says(NEXT);
    run_until(&w.ready, 2);
    assert_int_equal(sandbox_run(w.sb, &w.event), 0);
    runtime_hears("{\"n\":1}");
    runtime_posts("invocation/" ID "/error", "Lambda-Runtime-Function-Error-Type: Runtime.Bad\r\n",
                  "{}");
    run_until(&w.answers, 2);
    assert_has(&w.tail, RECORD("runtimeDone") OF_ID ",\"status\":\"error\",\"errorType\":"
                                                    "\"Runtime.Bad\",\"metrics\":{");
    assert_has(&w.tail, RECORD("report") OF_ID ",\"metrics\":{");
    assert_has(&w.tail, "},\"status\":\"error\",\"errorType\":\"Runtime.Bad\"}}\n");
    assert_int_equal(lines_of(buf_str(&w.tail)), 2);
}

static void a_timeout_is_a_status(void **state)
{
    (void)state;
    set_levels(FN_LOG_INFO, FN_LOG_INFO);
    ((struct sandbox_spec *)ready_version_spec(w.ver))->timeout_s = 0; /* at once */
    come_up_and_run();
    run_until(&w.answers, 1);
    assert_has(&w.tail, "\"type\":\"platform.fault\",\"record\":\"");
    assert_has(&w.tail, ",\"producedBytes\":0}}}\n"); /* the text of the answer is ours */
    assert_has(&w.tail, "Z " ID " Task timed out after 0.00 seconds\"}\n");
    assert_has(&w.tail, RECORD("runtimeDone") OF_ID ",\"status\":\"timeout\",\"metrics\":{");
    assert_has(&w.tail, "},\"status\":\"timeout\"}}\n");
    assert_int_equal(lines_of(buf_str(&w.tail)), 4);
}

static void an_exit_is_a_failure_with_its_type(void **state)
{
    (void)state;
    set_levels(FN_LOG_INFO, FN_LOG_INFO);
    come_up_and_run();
    main_process_exits(3 << 8, 0);
    run_until(&w.answers, 1);
    assert_has(&w.tail, "\"type\":\"platform.fault\",\"record\":\"RequestId: " ID
                        " Error: Runtime exited with error: exit status 3\"}\n");
    assert_has(&w.tail, RECORD("runtimeDone") OF_ID ",\"status\":\"failure\",\"errorType\":"
                                                    "\"Runtime.ExitError\",");
    assert_has(&w.tail, ",\"producedBytes\":0}}}\n");
    assert_has(&w.tail, ",\"errorType\":\"Runtime.ExitError\"}}\n");
    assert_int_equal(lines_of(buf_str(&w.tail)), 4);
}

static void an_init_that_fails_is_reported(void **state)
{
    (void)state;
    set_levels(FN_LOG_INFO, FN_LOG_WARN);
    w.charge = true;
    create();
    main_process_exits(1 << 8, 0);
    run_until(&w.answers, 1);
    assert_has(&w.tail, RECORD("report") OF_ID);
    read_log();
    assert_has(&w.body, "platform.initRuntimeDone");
    assert_has(&w.body, "platform.initReport");
    assert_null(strstr(w.body.ptr, "INIT_REPORT"));
    assert_null(strstr(w.body.ptr, "platform.start"));
}

static void the_second_init_has_the_same_instance(void **state)
{
    const char *first, *second, *key = "\\\"instanceId\\\":\\\"";

    (void)state;
    set_levels(FN_LOG_INFO, FN_LOG_DEBUG);
    w.charge = true;
    create();
    main_process_exits(1 << 8, 0);
    restart();
    read_log();
    assert_int_equal(buf_append_char(&w.body, '\0'), 0);
    first = strstr(w.body.ptr, key);
    assert_non_null(first);
    second = strstr(first + 1, key);
    assert_non_null(second);
    assert_non_null(strstr(w.body.ptr, "\\\"phase\\\":\\\"invoke\\\""));
    assert_memory_equal(first, second, strcspn(first, ","));
    assert_true(strcspn(first, ",") > strlen(key) + 32);
    sandbox_stop(w.sb, "over");
    run_until(&w.gone, 1);
}

static void lines_below_the_functions_level_are_left_out(void **state)
{
    (void)state;
    set_levels(FN_LOG_WARN, FN_LOG_WARN);
    come_up_and_run();
    runtime_prints("{\"level\":\"INFO\",\"timestamp\":\"2026-11-26T20:00:00Z\",\"message\":\"no\"}\n"
                   "{\"level\":\"ERROR\",\"timestamp\":\"2026-11-26T20:00:00Z\"}\n"
                   "plain\n{\"message\":\"no level\"}\n");
    answer();
    assert_has(&w.tail, "{\"level\":\"ERROR\",\"timestamp\":\"2026-11-26T20:00:00Z\"}\nplain\n");
    assert_int_equal(lines_of(buf_str(&w.tail)), 2);
    read_log();
    assert_int_equal(lines_of(buf_str(&w.body)), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_invocation_has_a_start_and_a_report),
        TEST(debug_tells_of_all_that_went_well),
        TEST(warn_tells_of_failures_alone),
        TEST(a_timeout_is_a_status),
        TEST(an_exit_is_a_failure_with_its_type),
        TEST(an_init_that_fails_is_reported),
        TEST(the_second_init_has_the_same_instance),
        TEST(lines_below_the_functions_level_are_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
