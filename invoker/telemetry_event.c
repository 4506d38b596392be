/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/telemetry_event.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/proto/extension_register.h"
#include "common/proto/json_check.h"

#define MIB 1048576u

/* Everything here is bounded (a line: 256 KiB, which escaping makes six times as long at most), and
 * the callers' bufs are larger than all of it. */
static void put(struct buf *b, const char *text)
{
    (void)buf_append_str(b, str_of(text));
}

static void put_string(struct buf *b, const char *name, struct str value)
{
    put(b, name);
    (void)buf_append_json(b, value);
    put(b, "\"");
}

/* "140.0", "1233.96", "463.512" */
static void put_ms(struct buf *b, const char *name, uint64_t us)
{
    unsigned fraction = (unsigned)(us % 1000), digits = 3;

    for (; digits > 1 && fraction % 10 == 0; digits--)
        fraction /= 10;
    (void)buf_printf(b, "%s%" PRIu64 ".%0*u", name, us / 1000, (int)digits, fraction);
}

static void put_status(struct buf *b, const struct telemetry_event *ev)
{
    static const char *const names[] = {
        [REPORT_OK] = "success", [REPORT_TIMEOUT] = "timeout", [REPORT_ERROR] = "error"};
    /* the report has the word of REPORT in text, which knows no failure */
    bool is_failure = ev->status == REPORT_ERROR && ev->is_failure && ev->kind != TELEMETRY_REPORT;
    const char *name = is_failure ? "failure" : names[ev->status];

    put_string(b, ",\"status\":\"", str_of(name));
    if (ev->status == REPORT_ERROR && ev->error_type)
        put_string(b, ",\"errorType\":\"", str_of(ev->error_type));
}

/* Of an invocation that is traced, as on Lambda. */
static void put_tracing(struct buf *b, const struct telemetry_event *ev)
{
    if (!ev->trace_id.len || !memmem(ev->trace_id.ptr, ev->trace_id.len, "Sampled=1", 9))
        return;
    put_string(b, ",\"tracing\":{\"type\":\"X-Amzn-Trace-Id\",\"value\":\"", ev->trace_id);
    put(b, "}");
}

/* ---- records */

static void write_text(struct buf *b, const struct telemetry_event *ev,
                       enum telemetry_schema schema)
{
    (void)schema;
    put_string(b, "\"", ev->text);
}

static void write_line(struct buf *b, const struct telemetry_event *ev,
                       enum telemetry_schema schema)
{
    struct str shown = str_trim(ev->text);

    if (ev->spec->log_json && schema >= TELEMETRY_2022_12_13 && str_starts(shown, STR("{")) &&
        json_check(ev->text, NULL) == 0)
        (void)buf_append_str(b, ev->text);
    else
        write_text(b, ev, schema);
}

/* The log stream's name, with the function's: "2026/10/08/name[$LATEST]22be53a8…". */
static void put_instance(struct buf *b, const struct telemetry_event *ev)
{
    struct str stream = str_of(ev->log_stream);
    size_t bracket = str_find(stream, '[', 0), slash = bracket;

    while (slash > 0 && stream.ptr[slash - 1] != '/')
        slash--;
    put(b, ",\"instanceId\":\"");
    (void)buf_append_json(b, str_sub(stream, 0, slash));
    (void)buf_append_json(b, str_of(ev->spec->name));
    (void)buf_append_json(b, str_sub(stream, bracket, stream.len));
    put(b, "\"");
}

/* What the records of an init phase begin with. */
static void put_init(struct buf *b, const struct telemetry_event *ev)
{
    put_string(b, "{\"initializationType\":\"", str_of(ev->init_type));
    put_string(b, ",\"phase\":\"", str_of(ev->phase));
}

static void write_init_start(struct buf *b, const struct telemetry_event *ev,
                             enum telemetry_schema schema)
{
    (void)schema;
    put_init(b, ev);
    if (ev->spec->runtime)
        put_string(b, ",\"runtimeVersion\":\"", str_of(ev->spec->runtime));
    put_string(b, ",\"functionName\":\"", str_of(ev->spec->name));
    put_string(b, ",\"functionVersion\":\"", str_of(ev->spec->version));
    put_instance(b, ev);
    (void)buf_printf(b, ",\"instanceMaxMemory\":%" PRIu64 "}",
                     (uint64_t)ev->spec->memory_mib * MIB);
}

static void write_init_runtime_done(struct buf *b, const struct telemetry_event *ev,
                                    enum telemetry_schema schema)
{
    (void)schema;
    put_init(b, ev);
    put_status(b, ev);
    put(b, "}");
}

static void write_init_report(struct buf *b, const struct telemetry_event *ev,
                              enum telemetry_schema schema)
{
    (void)schema;
    put_init(b, ev);
    put_status(b, ev);
    put_ms(b, ",\"metrics\":{\"durationMs\":", ev->duration_us);
    put(b, "}}");
}

static void write_start(struct buf *b, const struct telemetry_event *ev,
                        enum telemetry_schema schema)
{
    bool logs = telemetry_schema_is_logs(schema);

    put_string(b, "{\"requestId\":\"", ev->request_id);
    if (!logs)
        put_string(b, ",\"functionArn\":\"", str_of(ev->spec->arn));
    put_string(b, ",\"version\":\"", str_of(ev->spec->version));
    if (!logs)
        put_tracing(b, ev);
    put(b, "}");
}

static void write_runtime_done(struct buf *b, const struct telemetry_event *ev,
                               enum telemetry_schema schema)
{
    put_string(b, "{\"requestId\":\"", ev->request_id);
    put_status(b, ev);
    if (!telemetry_schema_is_logs(schema)) {
        put_tracing(b, ev);
        put_ms(b, ",\"metrics\":{\"durationMs\":", ev->duration_us);
        (void)buf_printf(b, ",\"producedBytes\":%" PRIu64 "}", ev->produced_bytes);
    }
    put(b, "}");
}

static void write_end(struct buf *b, const struct telemetry_event *ev,
                      enum telemetry_schema schema)
{
    (void)schema;
    put_string(b, "{\"requestId\":\"", ev->request_id);
    put(b, "}");
}

static void write_report(struct buf *b, const struct telemetry_event *ev,
                         enum telemetry_schema schema)
{
    put_string(b, "{\"requestId\":\"", ev->request_id);
    put_ms(b, ",\"metrics\":{\"durationMs\":", ev->duration_us);
    (void)buf_printf(b,
                     ",\"billedDurationMs\":%" PRIu64 ",\"memorySizeMB\":%" PRIu32
                     ",\"maxMemoryUsedMB\":%" PRIu64,
                     report_billed_ms(ev->duration_us, ev->init_us), ev->spec->memory_mib,
                     (ev->memory_used + MIB - 1) / MIB);
    if (ev->init_us)
        put_ms(b, ",\"initDurationMs\":", ev->init_us);
    put(b, "}");
    if (!telemetry_schema_is_logs(schema)) {
        put_tracing(b, ev);
        put_status(b, ev);
    }
    put(b, "}");
}

static void put_list(struct buf *b, const char *before, unsigned bits,
                     const char *(*name_of)(unsigned bit))
{
    unsigned bit;
    const char *comma = "";

    put(b, before);
    for (bit = 1; bit <= bits; bit <<= 1) {
        if (!(bits & bit))
            continue;
        put(b, comma);
        put_string(b, "\"", str_of(name_of(bit)));
        comma = ",";
    }
    put(b, "]");
}

static const char *event_name(unsigned bit)
{
    return bit == EXTENSION_INVOKE ? "INVOKE" : "SHUTDOWN";
}

static void write_extension_state(struct buf *b, const struct telemetry_event *ev,
                                  enum telemetry_schema schema)
{
    put_string(b, "{\"name\":\"", str_of(ev->name));
    put_string(b, ",\"state\":\"", str_of(ev->state));
    put_list(b, ",\"events\":[", ev->bits, event_name);
    if (!telemetry_schema_is_logs(schema) && ev->error_type)
        put_string(b, ",\"errorType\":\"", str_of(ev->error_type));
    put(b, "}");
}

static void write_subscribed(struct buf *b, const struct telemetry_event *ev,
                             enum telemetry_schema schema)
{
    (void)schema;
    put_string(b, "{\"name\":\"", str_of(ev->name));
    put_list(b, ",\"state\":\"Subscribed\",\"types\":[", ev->bits, telemetry_type_name);
    put(b, "}");
}

/* ---- the envelope */

#define IN_LOGS 0x01u
#define IN_LOGS_2021 0x02u
#define IN_TELEMETRY 0x04u
#define IN_ALL (IN_LOGS | IN_LOGS_2021 | IN_TELEMETRY)

/* @level: where all is well; else it is WARN. */
static const struct {
    const char *name;
    unsigned type, in;
    enum fn_log_level level;
    void (*write)(struct buf *b, const struct telemetry_event *ev, enum telemetry_schema schema);
} kinds[TELEMETRY_KIND_MAX] = {
    [TELEMETRY_LINE] = {"function", TELEMETRY_FUNCTION, IN_ALL, 0, write_line},
    [TELEMETRY_EXTENSION_LINE] = {"extension", TELEMETRY_EXTENSION, IN_ALL, 0, write_line},
    [TELEMETRY_INIT_START] = {"platform.initStart", TELEMETRY_PLATFORM, IN_TELEMETRY, FN_LOG_INFO,
                              write_init_start},
    [TELEMETRY_INIT_RUNTIME_DONE] = {"platform.initRuntimeDone", TELEMETRY_PLATFORM, IN_TELEMETRY,
                                     FN_LOG_DEBUG, write_init_runtime_done},
    [TELEMETRY_INIT_REPORT] = {"platform.initReport", TELEMETRY_PLATFORM, IN_TELEMETRY,
                               FN_LOG_DEBUG, write_init_report},
    [TELEMETRY_START] = {"platform.start", TELEMETRY_PLATFORM, IN_ALL, FN_LOG_INFO, write_start},
    [TELEMETRY_RUNTIME_DONE] = {"platform.runtimeDone", TELEMETRY_PLATFORM,
                                IN_LOGS_2021 | IN_TELEMETRY, FN_LOG_DEBUG, write_runtime_done},
    [TELEMETRY_END] = {"platform.end", TELEMETRY_PLATFORM, IN_LOGS | IN_LOGS_2021, FN_LOG_INFO,
                       write_end},
    [TELEMETRY_REPORT] = {"platform.report", TELEMETRY_PLATFORM, IN_ALL, FN_LOG_INFO, write_report},
    [TELEMETRY_EXTENSION_STATE] = {"platform.extension", TELEMETRY_PLATFORM, IN_ALL, FN_LOG_INFO,
                                   write_extension_state},
    [TELEMETRY_SUBSCRIBED] = {NULL, TELEMETRY_PLATFORM, IN_ALL, FN_LOG_INFO, write_subscribed},
    [TELEMETRY_FAULT] = {"platform.fault", TELEMETRY_PLATFORM, IN_ALL, FN_LOG_WARN, write_text},
};

unsigned telemetry_event_type(enum telemetry_kind kind)
{
    return kinds[kind].type;
}

bool telemetry_event_is_in(enum telemetry_kind kind, enum telemetry_schema schema)
{
    static const unsigned in[] = {
        [TELEMETRY_LOGS_2020_08_15] = IN_LOGS,      [TELEMETRY_LOGS_2021_03_18] = IN_LOGS_2021,
        [TELEMETRY_2022_07_01] = IN_TELEMETRY,      [TELEMETRY_2022_12_13] = IN_TELEMETRY,
        [TELEMETRY_2025_01_29] = IN_TELEMETRY,
    };

    return kinds[kind].in & in[schema];
}

/* AWS's table, "System log level event mapping"; faults are not in it. */
enum fn_log_level telemetry_event_level(const struct telemetry_event *ev)
{
    if (ev->status != REPORT_OK || ev->error_type)
        return FN_LOG_WARN;
    if (ev->kind == TELEMETRY_INIT_START && !ev->spec->runtime)
        return FN_LOG_DEBUG;
    return kinds[ev->kind].level;
}

static int begin(struct buf *b, uint64_t time_ms, const char *name)
{
    char iso[CLOCK_ISO_MAX];

    clock_format_iso(time_ms, iso);
    return buf_printf(b, "{\"time\":\"%s\",\"type\":\"%s\",\"record\":", iso, name);
}

int telemetry_event_write(struct buf *b, const struct telemetry_event *ev,
                          enum telemetry_schema schema)
{
    const char *name = kinds[ev->kind].name;
    int r;

    if (!name)
        name = ev->is_logs ? "platform.logsSubscription" : "platform.telemetrySubscription";
    r = begin(b, ev->time_ms, name);
    if (r < 0)
        return r;
    kinds[ev->kind].write(b, ev, schema);
    return buf_append_char(b, '}');
}

int telemetry_event_dropped(struct buf *b, uint64_t time_ms, uint64_t records, uint64_t bytes)
{
    int r = begin(b, time_ms, "platform.logsDropped");

    if (r < 0)
        return r;
    return buf_printf(b,
                      "{\"reason\":\"Consumer seems to have fallen behind as it has not "
                      "acknowledged receipt of logs.\",\"droppedRecords\":%" PRIu64
                      ",\"droppedBytes\":%" PRIu64 "}}",
                      records, bytes);
}
