/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox_log.h - what one sandbox leaves in the function's log: the framing lines around each
 * invocation and its init phase, and the measures that REPORT tells. The same is told to those who
 * have subscribed to the sandbox's telemetry; with LogFormat JSON, the lines are these very events,
 * those that are not below SystemLogLevel.
 *
 * Owns:    the log source and the memory files. Borrows: the specification and the telemetry, which
 *          outlive it.
 * Threads: loop thread only.
 * Errors:  sandbox_log_begin() alone may refuse.
 * Source:  Lambda developer guide, "Configuring JSON and plain text log formats" and "Log-level
 *          filtering".
 */
#ifndef HEARTH_INVOKER_SANDBOX_LOG_H
#define HEARTH_INVOKER_SANDBOX_LOG_H

#include "common/model/sandbox_spec.h"
#include "invoker/launcher.h"
#include "invoker/logs.h"
#include "invoker/extension_api.h"
#include "invoker/report.h"
#include "invoker/telemetry.h"

struct sandbox_log {
    struct log_source *source; /* NULL: not open */
    const struct sandbox_spec *spec;
    struct telemetry *telemetry;
    const char *init_type;
    const char *log_stream; /* the sandbox's */
    const char *phase; /* of the init: "init", or "invoke" for a suppressed one */
    int memory_usage, memory_events; /* -1: unknown */
    struct buf line; /* scratch */
};

/** How an invocation ended, for its last lines. */
struct sandbox_log_ending {
    enum report_status status;
    const char *error_type; /* in REPORT; NULL with REPORT_OK */
    /* of an error that we found, which gets lines of its own: type and text; or NULL */
    const char *platform_type;
    const char *platform_text;
    uint64_t duration_us;
    uint64_t init_us; /* 0: it was not the first */
    struct str trace_id;
    uint64_t produced_bytes; /* what the runtime answered, not what we say in its place */
};

/** An empty one, of a sandbox made for @init_type (launcher.h); sandbox_log_close() is fine at once. */
void sandbox_log_init(struct sandbox_log *log, const char *init_type);
/**
 * Takes the pipes and memory files of @fds over; writes INIT_START where Lambda does. @log_stream
 * must live as long.
 */
void sandbox_log_open(struct sandbox_log *log, struct logs *logs, const struct sandbox_spec *spec,
                      const char *sandbox_id, const char *log_stream, const struct launch_fds *fds,
                      struct telemetry *telemetry);
/**
 * The init phase begins anew, as a part of an invocation: other pipes and subscribers, the same log
 * stream.
 */
void sandbox_log_reopen(struct sandbox_log *log, int stdout_fd, int stderr_fd,
                        struct telemetry *telemetry);
/** What the sandbox's extensions print; @fd is taken over. */
void sandbox_log_add_extensions(struct sandbox_log *log, int fd);
void sandbox_log_close(struct sandbox_log *log);
bool sandbox_log_is_open(const struct sandbox_log *log);

/** The EXTENSION line of @ext, as it stands; @error_type NULL: nothing went wrong. */
void sandbox_log_extension(struct sandbox_log *log, const struct extension *ext,
                           const char *error_type);
/** The TELEMETRY or LOGS line of a subscription. */
void sandbox_log_subscription(struct sandbox_log *log, const char *name,
                              const struct telemetry_subscription *sub);
/** The init phase is over, and went well; telemetry alone tells it. */
void sandbox_log_init_done(struct sandbox_log *log, uint64_t init_us);
/** INIT_REPORT, for an init phase that failed. */
void sandbox_log_init_report(struct sandbox_log *log, uint64_t init_us, enum report_status status,
                             const char *error_type);
/** Lines carry @request_id from here on; START. -ERR_UNAVAILABLE: see log_source_begin(). */
int sandbox_log_begin(struct sandbox_log *log, struct str request_id, struct str trace_id,
                      bool want_tail);
/** After sandbox_log_begin(), when init failed: its output stands in the tail, too. */
void sandbox_log_tail_add_init(struct sandbox_log *log);
/** All that was printed before, END, REPORT. Returns the tail (see log_source_tail()). */
struct str sandbox_log_end(struct sandbox_log *log, struct str request_id,
                           const struct sandbox_log_ending *ending);
/** The answer with the tail is out. */
void sandbox_log_over(struct sandbox_log *log);
/** Whether the kernel killed one of its processes for memory. */
bool sandbox_log_has_oom_kills(const struct sandbox_log *log);

#endif
