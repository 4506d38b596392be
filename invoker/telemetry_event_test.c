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
#define TRACING ",\"tracing\":{\"type\":\"X-Amzn-Trace-Id\",\"value\":\"Root=1\"}"

static char fn_name[] = "f", version[] = "$LATEST", runtime[] = "python3.13";
static const struct sandbox_spec spec = {
    .name = fn_name, .version = version, .runtime = runtime, .memory_mib = 128};

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
        {{.kind = TELEMETRY_INIT_START, .phase = "init"},
         HEAD("platform.initStart") INIT
         ",\"functionName\":\"f\",\"functionVersion\":\"$LATEST\",\"runtimeVersion\":"
         "\"python3.13\"}}",
         NULL},
        {{.kind = TELEMETRY_INIT_RUNTIME_DONE, .phase = "init"},
         HEAD("platform.initRuntimeDone") INIT ",\"status\":\"success\"}}",
         NULL},
        {{.kind = TELEMETRY_INIT_REPORT,
          .phase = "init",
          .status = REPORT_ERROR,
          .error_type = "Extension.Crash",
          .duration_us = 125330},
         HEAD("platform.initReport") INIT ",\"status\":\"error\",\"errorType\":\"Extension.Crash\","
                                          "\"metrics\":{\"durationMs\":125.33}}}",
         NULL},
        {{.kind = TELEMETRY_START, .request_id = STR("i"), .trace_id = STR("Root=1")},
         HEAD("platform.start") "{\"requestId\":\"i\",\"version\":\"$LATEST\"" TRACING "}}",
         HEAD("platform.start") "{\"requestId\":\"i\",\"version\":\"$LATEST\"}}"},
        {{.kind = TELEMETRY_RUNTIME_DONE,
          .request_id = STR("i"),
          .trace_id = STR("Root=1"),
          .duration_us = 140000,
          .produced_bytes = 16},
         HEAD("platform.runtimeDone") "{\"requestId\":\"i\",\"status\":\"success\"" TRACING
                                      ",\"metrics\":{\"durationMs\":140.00,\"producedBytes\":16}}}",
         HEAD("platform.runtimeDone") "{\"requestId\":\"i\",\"status\":\"success\"}}"},
        {{.kind = TELEMETRY_RUNTIME_DONE,
          .request_id = STR("i"),
          .status = REPORT_ERROR,
          .is_failure = true,
          .error_type = "Runtime.ExitError"},
         HEAD("platform.runtimeDone") "{\"requestId\":\"i\",\"status\":\"failure\",\"errorType\":"
                                      "\"Runtime.ExitError\",\"metrics\":{\"durationMs\":0.00,"
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
         HEAD("platform.report") "{\"requestId\":\"i\",\"status\":\"timeout\",\"metrics\":"
                                 "{\"durationMs\":693.92,\"billedDurationMs\":1092,"
                                 "\"memorySizeMB\":128,\"maxMemoryUsedMB\":31,"
                                 "\"initDurationMs\":397.68}}}",
         HEAD("platform.report") "{\"requestId\":\"i\",\"metrics\":{\"durationMs\":693.92,"
                                 "\"billedDurationMs\":1092,\"memorySizeMB\":128,"
                                 "\"maxMemoryUsedMB\":31,\"initDurationMs\":397.68}}}"},
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
            struct telemetry_event ev = rows[i].ev;

            expected = k == 0 ? rows[i].telemetry : rows[i].logs;
            assert_int_equal(telemetry_event_is_in(ev.kind, schemas[k]), expected != NULL);
            if (!expected)
                continue;
            ev.time_ms = TIME_MS;
            ev.spec = &spec;
            assert_int_equal(telemetry_event_write(&b, &ev, schemas[k]), 0);
            assert_int_equal(buf_append_char(&b, '\0'), 0);
            assert_string_equal(b.ptr, expected);
        }
    }
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
        cmocka_unit_test(the_first_logs_schema_has_no_runtime_done),
        cmocka_unit_test(drops_are_told_with_their_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
