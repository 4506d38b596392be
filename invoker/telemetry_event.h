/* SPDX-License-Identifier: Apache-2.0 */
/*
 * telemetry_event.h - the events of the Telemetry API and the older Logs API as JSON on one line:
 * {"time": …, "type": …, "record": …}; the function's log has those of the platform, too, when its
 * format is JSON.
 *
 * Owns:    nothing; everything in an event is borrowed for the call.
 * Threads: any.
 * Errors:  -ERR_TOO_LARGE when the buf is at its ceiling.
 * Source:  Lambda developer guide, "Lambda Telemetry API Event schema reference", "Using the Lambda
 *          Logs API" and "Log-level filtering"; members, their order and the form of numbers as in
 *          logs of AWS.
 */
#ifndef HEARTH_INVOKER_TELEMETRY_EVENT_H
#define HEARTH_INVOKER_TELEMETRY_EVENT_H

#include "common/base/buf.h"
#include "common/model/sandbox_spec.h"
#include "common/proto/telemetry_subscription.h"
#include "invoker/report.h"

enum telemetry_kind {
    TELEMETRY_LINE, /* of the function */
    TELEMETRY_EXTENSION_LINE,
    TELEMETRY_INIT_START,
    TELEMETRY_INIT_RUNTIME_DONE,
    TELEMETRY_INIT_REPORT,
    TELEMETRY_START,
    TELEMETRY_RUNTIME_DONE,
    TELEMETRY_END, /* Logs API only */
    TELEMETRY_REPORT,
    TELEMETRY_EXTENSION_STATE,
    TELEMETRY_SUBSCRIBED, /* by the API of its schema */
    TELEMETRY_FAULT,
    TELEMETRY_KIND_MAX,
};

/** Which members count depends on the kind. */
struct telemetry_event {
    enum telemetry_kind kind;
    uint64_t time_ms; /* Unix time */
    const struct sandbox_spec *spec;
    struct str text; /* a line, a fault */
    const char *log_stream; /* INIT_START */
    struct str request_id, trace_id;
    const char *phase; /* of an init: "init" or "invoke" */
    const char *init_type; /* of an init: "on-demand" or "provisioned-concurrency" */
    enum report_status status;
    bool is_failure; /* with REPORT_ERROR: the runtime failed, it did not report an error */
    const char *error_type; /* with REPORT_ERROR */
    uint64_t duration_us, init_us, memory_used, produced_bytes;
    const char *name; /* of an extension */
    const char *state; /* of an extension */
    unsigned bits; /* EXTENSION_* events, or TELEMETRY_* types */
    bool is_logs; /* SUBSCRIBED: by the Logs API */
};

/** TELEMETRY_PLATFORM, TELEMETRY_FUNCTION or TELEMETRY_EXTENSION. */
unsigned telemetry_event_type(enum telemetry_kind kind);
/** Whether @schema has such an event. */
bool telemetry_event_is_in(enum telemetry_kind kind, enum telemetry_schema schema);
/** Of an event of the platform, for SystemLogLevel. */
enum fn_log_level telemetry_event_level(const struct telemetry_event *ev);
/**
 * A line of a function whose log format is JSON is a JSON object in the record, from the schema
 * 2022-12-13 on, if it is one; else a string.
 */
int telemetry_event_write(struct buf *b, const struct telemetry_event *ev,
                          enum telemetry_schema schema);
/** platform.logsDropped, the same in all schemas. */
int telemetry_event_dropped(struct buf *b, uint64_t time_ms, uint64_t records, uint64_t bytes);

#endif
