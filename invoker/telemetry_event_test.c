/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/telemetry_event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/proto/extension_register.h"

#define TIME_MS 1665532800064u
#define HEAD(type) "{\"time\":\"2022-10-12T00:00:00.064Z\",\"type\":\"" type "\",\"record\":"
#define INIT "{\"initializationType\":\"on-demand\",\"phase\":\"init\""
#define TRACING ",\"tracing\":{\"type\":\"X-Amzn-Trace-Id\",\"value\":\"" TRACE "1\"}"

#define ARN "arn:aws:lambda:us-east-1:000000000000:function:f"
#define TRACE "Root=1-62e900b2-710d76f009d6e7785905449a;Parent=0efbd19962d95b05;Sampled="

static char fn_name[] = "f", version[] = "$LATEST", runtime[] = "python3.13", arn[] = ARN;
static struct sandbox_spec spec = {
    .name = fn_name, .version = version, .arn = arn, .runtime = runtime, .memory_mib = 128};

static void write_to(struct buf *b, const struct telemetry_event *ev, enum telemetry_schema schema)
{
    struct telemetry_event copy = *ev;

    copy.time_ms = TIME_MS;
    copy.spec = &spec;
    assert_int_equal(telemetry_event_write(b, &copy, schema), 0);
    assert_int_equal(buf_append_char(b, '\0'), 0);
}

static void events_have_the_documented_form(void **state)
{
    static const struct {
        struct telemetry_event ev;
        const char *telemetry, *logs; /* NULL: that API has none */
    } rows[] = {
        {{.kind = TELEMETRY_LINE, .text = STR("a \"b\"\t\xff")},
         HEAD("function") "\"a \\\"b\\\"\\t\xef\xbf\xbd\"}",
         HEAD("function") "\"a \\\"b\\\"\\t\xef\xbf\xbd\"}"},
        {{.kind = TELEMETRY_EXTENSION_LINE, .text = STR("x")},
         HEAD("extension") "\"x\"}",
         HEAD("extension") "\"x\"}"},
        {{.kind = TELEMETRY_INIT_START, .phase = "init", .init_type = "on-demand", .log_stream = "2026/10/08/[$LATEST]22be"},
         HEAD("platform.initStart") INIT
         ",\"runtimeVersion\":\"python3.13\",\"functionName\":\"f\",\"functionVersion\":"
         "\"$LATEST\",\"instanceId\":\"2026/10/08/f[$LATEST]22be\","
         "\"instanceMaxMemory\":134217728}}",
         NULL},
        {{.kind = TELEMETRY_INIT_RUNTIME_DONE, .phase = "init", .init_type = "on-demand"},
         HEAD("platform.initRuntimeDone") INIT ",\"status\":\"success\"}}",
         NULL},
        {{.kind = TELEMETRY_INIT_REPORT,
          .phase = "init", .init_type = "on-demand",
          .status = REPORT_ERROR,
          .error_type = "Extension.Crash",
          .duration_us = 125330},
         HEAD("platform.initReport") INIT ",\"status\":\"error\",\"errorType\":\"Extension.Crash\","
                                          "\"metrics\":{\"durationMs\":125.33}}}",
         NULL},
        {{.kind = TELEMETRY_START, .request_id = STR("i"), .trace_id = STR(TRACE "1")},
         HEAD("platform.start") "{\"requestId\":\"i\",\"functionArn\":\"" ARN
                                "\",\"version\":\"$LATEST\"" TRACING "}}",
         HEAD("platform.start") "{\"requestId\":\"i\",\"version\":\"$LATEST\"}}"},
        {{.kind = TELEMETRY_RUNTIME_DONE,
          .request_id = STR("i"),
          .trace_id = STR(TRACE "1"),
          .duration_us = 140000,
          .produced_bytes = 16},
         HEAD("platform.runtimeDone") "{\"requestId\":\"i\",\"status\":\"success\"" TRACING
                                      ",\"metrics\":{\"durationMs\":140.0,\"producedBytes\":16}}}",
         HEAD("platform.runtimeDone") "{\"requestId\":\"i\",\"status\":\"success\"}}"},
        {{.kind = TELEMETRY_RUNTIME_DONE,
          .request_id = STR("i"),
          .status = REPORT_ERROR,
          .is_failure = true,
          .error_type = "Runtime.ExitError"},
         HEAD("platform.runtimeDone") "{\"requestId\":\"i\",\"status\":\"failure\",\"errorType\":"
                                      "\"Runtime.ExitError\",\"metrics\":{\"durationMs\":0.0,"
                                      "\"producedBytes\":0}}}",
         HEAD("platform.runtimeDone") "{\"requestId\":\"i\",\"status\":\"failure\",\"errorType\":"
                                      "\"Runtime.ExitError\"}}"},
        {{.kind = TELEMETRY_END, .request_id = STR("i")},
         NULL,
         HEAD("platform.end") "{\"requestId\":\"i\"}}"},
        {{.kind = TELEMETRY_REPORT,
          .request_id = STR("i"),
          .status = REPORT_TIMEOUT,
          .duration_us = 693921,
          .init_us = 397680,
          .memory_used = 31457281},
         HEAD("platform.report") "{\"requestId\":\"i\",\"metrics\":{\"durationMs\":693.921,"
                                 "\"billedDurationMs\":1092,\"memorySizeMB\":128,"
                                 "\"maxMemoryUsedMB\":31,\"initDurationMs\":397.68},"
                                 "\"status\":\"timeout\"}}",
         HEAD("platform.report") "{\"requestId\":\"i\",\"metrics\":{\"durationMs\":693.921,"
                                 "\"billedDurationMs\":1092,\"memorySizeMB\":128,"
                                 "\"maxMemoryUsedMB\":31,\"initDurationMs\":397.68}}}"},
        {{.kind = TELEMETRY_REPORT,
          .request_id = STR("i"),
          .status = REPORT_ERROR,
          .is_failure = true,
          .error_type = "Runtime.ExitError",
          .duration_us = 5000000},
         HEAD("platform.report") "{\"requestId\":\"i\",\"metrics\":{\"durationMs\":5000.0,"
                                 "\"billedDurationMs\":5000,\"memorySizeMB\":128,"
                                 "\"maxMemoryUsedMB\":0},\"status\":\"error\",\"errorType\":"
                                 "\"Runtime.ExitError\"}}",
         HEAD("platform.report") "{\"requestId\":\"i\",\"metrics\":{\"durationMs\":5000.0,"
                                 "\"billedDurationMs\":5000,\"memorySizeMB\":128,"
                                 "\"maxMemoryUsedMB\":0}}}"},
        {{.kind = TELEMETRY_EXTENSION_STATE,
          .name = "x",
          .state = "Ready",
          .bits = EXTENSION_INVOKE | EXTENSION_SHUTDOWN},
         HEAD("platform.extension") "{\"name\":\"x\",\"state\":\"Ready\",\"events\":[\"INVOKE\","
                                    "\"SHUTDOWN\"]}}",
         HEAD("platform.extension") "{\"name\":\"x\",\"state\":\"Ready\",\"events\":[\"INVOKE\","
                                    "\"SHUTDOWN\"]}}"},
        {{.kind = TELEMETRY_SUBSCRIBED,
          .name = "x",
          .bits = TELEMETRY_PLATFORM | TELEMETRY_EXTENSION},
         HEAD("platform.telemetrySubscription") "{\"name\":\"x\",\"state\":\"Subscribed\","
                                                "\"types\":[\"platform\",\"extension\"]}}",
         HEAD("platform.telemetrySubscription") "{\"name\":\"x\",\"state\":\"Subscribed\","
                                                "\"types\":[\"platform\",\"extension\"]}}"},
        {{.kind = TELEMETRY_FAULT, .text = STR("RequestId: i Error: x")},
         HEAD("platform.fault") "\"RequestId: i Error: x\"}",
         HEAD("platform.fault") "\"RequestId: i Error: x\"}"},
    };
    static const enum telemetry_schema schemas[] = {TELEMETRY_2022_12_13,
                                                    TELEMETRY_LOGS_2021_03_18};
    const char *expected;
    size_t i, k;
    (void)state;

    for (i = 0; i < ARRAY_LEN(rows); i++) {
        for (k = 0; k < ARRAY_LEN(schemas); k++) {
            CLEANUP(buf_done) struct buf b = BUF_INIT(4096);

            expected = k == 0 ? rows[i].telemetry : rows[i].logs;
            assert_int_equal(telemetry_event_is_in(rows[i].ev.kind, schemas[k]), expected != NULL);
            if (!expected)
                continue;
            write_to(&b, &rows[i].ev, schemas[k]);
            assert_string_equal(b.ptr, expected);
        }
    }
}

static void only_what_is_traced_has_a_trace(void **state)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(4096);
    (void)state;

    write_to(&b,
             &(struct telemetry_event){
                 .kind = TELEMETRY_START, .request_id = STR("i"), .trace_id = STR(TRACE "0")},
             TELEMETRY_2025_01_29);
    assert_string_equal(b.ptr, HEAD("platform.start") "{\"requestId\":\"i\",\"functionArn\":\"" ARN
                                                      "\",\"version\":\"$LATEST\"}}");
}

static void a_json_line_is_an_object_where_the_format_is_json(void **state)
{
    static const struct {
        const char *text;
        bool log_json;
        enum telemetry_schema schema;
        const char *record;
    } rows[] = {
        {"{\"level\":\"INFO\"}", true, TELEMETRY_2022_12_13, "{\"level\":\"INFO\"}"},
        {" {\"a\":[1]} ", true, TELEMETRY_2025_01_29, " {\"a\":[1]} "},
        {"{\"a\":1}", false, TELEMETRY_2025_01_29, "\"{\\\"a\\\":1}\""},
        {"{\"a\":1}", true, TELEMETRY_2022_07_01, "\"{\\\"a\\\":1}\""},
        {"{\"a\":1}", true, TELEMETRY_LOGS_2021_03_18, "\"{\\\"a\\\":1}\""},
        {"[1]", true, TELEMETRY_2025_01_29, "\"[1]\""},
        {"{\"a\":1", true, TELEMETRY_2025_01_29, "\"{\\\"a\\\":1\""},
        {"{\"a\":1},\"x\":{}", true, TELEMETRY_2025_01_29, "\"{\\\"a\\\":1},\\\"x\\\":{}\""},
        {"", true, TELEMETRY_2025_01_29, "\"\""},
    };
    CLEANUP(buf_done) struct buf b = BUF_INIT(4096);
    char expected[256];
    size_t i;
    (void)state;

    for (i = 0; i < ARRAY_LEN(rows); i++) {
        spec.log_json = rows[i].log_json;
        buf_clear(&b);
        write_to(&b, &(struct telemetry_event){.kind = TELEMETRY_LINE, .text = str_of(rows[i].text)},
                 rows[i].schema);
        snprintf(expected, sizeof(expected), HEAD("function") "%s}", rows[i].record);
        assert_string_equal(b.ptr, expected);
    }
    spec.log_json = false;
}

/* AWS's table, "System log level event mapping", row by row. */
static void events_have_the_documented_level(void **state)
{
    static const struct {
        struct telemetry_event ev;
        enum fn_log_level level;
    } rows[] = {
        {{.kind = TELEMETRY_INIT_START}, FN_LOG_INFO},
        {{.kind = TELEMETRY_INIT_RUNTIME_DONE}, FN_LOG_DEBUG},
        {{.kind = TELEMETRY_INIT_RUNTIME_DONE, .status = REPORT_ERROR}, FN_LOG_WARN},
        {{.kind = TELEMETRY_INIT_REPORT}, FN_LOG_DEBUG},
        {{.kind = TELEMETRY_INIT_REPORT, .status = REPORT_TIMEOUT}, FN_LOG_WARN},
        {{.kind = TELEMETRY_START}, FN_LOG_INFO},
        {{.kind = TELEMETRY_RUNTIME_DONE}, FN_LOG_DEBUG},
        {{.kind = TELEMETRY_RUNTIME_DONE, .status = REPORT_ERROR}, FN_LOG_WARN},
        {{.kind = TELEMETRY_REPORT}, FN_LOG_INFO},
        {{.kind = TELEMETRY_REPORT, .status = REPORT_TIMEOUT}, FN_LOG_WARN},
        {{.kind = TELEMETRY_EXTENSION_STATE}, FN_LOG_INFO},
        {{.kind = TELEMETRY_EXTENSION_STATE, .error_type = "Extension.Crash"}, FN_LOG_WARN},
        {{.kind = TELEMETRY_SUBSCRIBED}, FN_LOG_INFO},
        {{.kind = TELEMETRY_FAULT}, FN_LOG_WARN},
    };
    struct telemetry_event ev;
    size_t i;
    (void)state;

    for (i = 0; i < ARRAY_LEN(rows); i++) {
        ev = rows[i].ev;
        ev.spec = &spec;
        assert_int_equal(telemetry_event_level(&ev), rows[i].level);
    }
    spec.runtime = NULL; /* of an image */
    ev = (struct telemetry_event){.kind = TELEMETRY_INIT_START, .spec = &spec};
    assert_int_equal(telemetry_event_level(&ev), FN_LOG_DEBUG);
    spec.runtime = runtime;
}

static void the_first_logs_schema_has_no_runtime_done(void **state)
{
    (void)state;
    assert_false(telemetry_event_is_in(TELEMETRY_RUNTIME_DONE, TELEMETRY_LOGS_2020_08_15));
    assert_true(telemetry_event_is_in(TELEMETRY_REPORT, TELEMETRY_LOGS_2020_08_15));
}

static void drops_are_told_with_their_number(void **state)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(1024);
    (void)state;

    assert_int_equal(telemetry_event_dropped(&b, TIME_MS, 123, 12345), 0);
    assert_true(str_is(buf_str(&b),
                       HEAD("platform.logsDropped") "{\"reason\":\"Consumer seems to have fallen "
                                                    "behind as it has not acknowledged receipt of "
                                                    "logs.\",\"droppedRecords\":123,"
                                                    "\"droppedBytes\":12345}}"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_have_the_documented_form),
        cmocka_unit_test(only_what_is_traced_has_a_trace),
        cmocka_unit_test(a_json_line_is_an_object_where_the_format_is_json),
        cmocka_unit_test(events_have_the_documented_level),
        cmocka_unit_test(the_first_logs_schema_has_no_runtime_done),
        cmocka_unit_test(drops_are_told_with_their_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
