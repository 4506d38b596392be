/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.h - the words of Lambda about an invocation: START, END, REPORT and INIT_* lines, and the
 * JSON of an error that the platform (not the function) found.
 *
 * Pure text; no line ends with a newline (the log module frames lines).
 *
 * Owns:    nothing; text is appended to the caller's buf.
 * Threads: any.
 * Errors:  -ERR_TOO_LARGE when the buf is at its ceiling.
 * Source:  Lambda developer guide, "Lambda log formats"; recordings of AWS.
 */
#ifndef HEARTH_INVOKER_REPORT_H
#define HEARTH_INVOKER_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"

#define REPORT_LINE_MAX 1024u /* ceiling of a buf that holds one of these lines */

enum report_status { REPORT_OK, REPORT_TIMEOUT, REPORT_ERROR };

struct report {
    struct str request_id;
    uint64_t duration_us;
    uint32_t memory_mib;
    uint64_t memory_used; /* greatest, bytes; shown in MB, rounded up */
    uint64_t init_us; /* 0: not a cold start, not shown */
    enum report_status status;
    const char *error_type; /* REPORT_ERROR only, e.g. "Runtime.ExitError" */
};

/**
 * What an invocation costs: its own time and that of the init phase before it, which Lambda bills
 * for every kind of function (since 2025-08). Rounded up together, at least 1.
 */
uint64_t report_billed_ms(uint64_t duration_us, uint64_t init_us);
/** "START RequestId: <id> Version: <version>" */
int report_start(struct buf *b, struct str request_id, const char *version);
/** "END RequestId: <id>" */
int report_end(struct buf *b, struct str request_id);
/** "REPORT RequestId: <id>\tDuration: … ms\t…", with the tab that AWS leaves at the end. */
int report_line(struct buf *b, const struct report *rep);
/** "INIT_START Runtime Version: <runtime>" */
int report_init_start(struct buf *b, const char *runtime);
/** "INIT_REPORT Init Duration: … ms\tPhase: <phase>\tStatus: …"; @phase "init" or "invoke". */
int report_init(struct buf *b, uint64_t init_us, const char *phase, enum report_status status,
                const char *error_type);
/**
 * "EXTENSION\tName: <name>\tState: <state>\tEvents: [INVOKE,SHUTDOWN]", with "\tError Type: …" unless
 * @error_type is NULL. @events are EXTENSION_* bits.
 */
int report_extension(struct buf *b, const char *name, const char *state, unsigned events,
                     const char *error_type);
/** "TELEMETRY\tName: <name>\tState: Subscribed\tTypes: [Platform,Function]"; LOGS for that API. */
int report_subscription(struct buf *b, const char *name, bool is_logs, unsigned types);
/** "<ISO time> <id> Task timed out after 3.00 seconds" */
int report_timed_out(struct buf *b, uint64_t wall_ms_now, struct str request_id,
                     uint32_t timeout_s);

/** "RequestId: <id> Error: <text>": errorMessage of what the platform found. */
int report_error_message(struct buf *b, struct str request_id, const char *text);
/** {"errorType":…,"errorMessage":"RequestId: <id> Error: <text>"}, members in the order of AWS. */
int report_error_json(struct buf *b, const char *error_type, struct str request_id,
                      const char *text);
/** {"errorMessage":<text>,"errorType":…}: about an answer of the runtime; without a request id. */
int report_plain_error_json(struct buf *b, const char *error_type, const char *text);

/**
 * How a runtime ended, as errorMessage has it: "Runtime exited without providing a reason",
 * "Runtime exited with error: exit status 3", "Runtime exited with error: signal: killed".
 *
 * @status  as wait(2) gives it
 */
int report_exit_text(struct buf *b, int status);
/** How an extension ended: "exit code 1", "signal: killed". */
int report_extension_exit_text(struct buf *b, int status);
/**
 * Why @program could not be run: "exec: \"x\": executable file not found in $PATH" or
 * "fork/exec /x: permission denied".
 */
int report_exec_text(struct buf *b, const char *program, int sys_errno);
/** No bootstrap anywhere: "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]" */
int report_no_bootstrap_text(struct buf *b);
/** "chdir /x: no such file or directory" */
int report_chdir_text(struct buf *b, const char *folder, int sys_errno);

/**
 * The error type that a runtime gave in a header, if its form is one that AWS keeps:
 * "Runtime.X…" or "Function.X…"; else "Function.Unknown" or "Runtime.Unknown". Into @ret (a
 * NUL-terminated copy, cut at @size).
 */
void report_error_type(struct str header, char *ret, size_t size);

#endif
