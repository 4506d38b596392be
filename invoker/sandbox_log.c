/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/sandbox_log.h"

#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"

#define LINE_MAX_BYTES 131072u /* what a peer gave, escaped, and more; most lines have 300 */
#define TEXT_MAX_BYTES 4096u
#define JSON_SCHEMA TELEMETRY_2025_01_29 /* of the lines */

void sandbox_log_init(struct sandbox_log *log, const char *init_type)
{
    *log = (struct sandbox_log){.init_type = init_type, .memory_usage = -1, .memory_events = -1};
    buf_init(&log->line, LINE_MAX_BYTES);
}

/* The line in scratch, if writing it there went well. */
static void put_line(struct sandbox_log *log, int r)
{
    if (r == 0)
        log_source_platform(log->source, buf_str(&log->line));
    buf_clear(&log->line);
}

static bool is_text(const struct sandbox_log *log)
{
    return !log->spec->log_json;
}

static bool is_a_line(const struct sandbox_log *log, const struct telemetry_event *ev)
{
    return log->spec->log_json && telemetry_event_type(ev->kind) == TELEMETRY_PLATFORM &&
           telemetry_event_is_in(ev->kind, JSON_SCHEMA) &&
           telemetry_event_level(ev) >= log->spec->system_log_level;
}

/* Tells those who have subscribed, and the log in JSON; what all events have is set here. */
static void tell(struct sandbox_log *log, struct telemetry_event ev)
{
    bool line, wanted = telemetry_is_wanted(log->telemetry);

    ev.spec = log->spec;
    ev.phase = log->phase;
    ev.init_type = log->init_type;
    line = is_a_line(log, &ev);
    if (!line && !wanted)
        return;
    ev.time_ms = wall_ms();
    if (line)
        put_line(log, telemetry_event_write(&log->line, &ev, JSON_SCHEMA));
    if (wanted)
        telemetry_emit(log->telemetry, &ev);
}

static void on_line(struct str text, bool is_extension, void *arg)
{
    struct sandbox_log *log = arg;

    tell(log, (struct telemetry_event){
                  .kind = is_extension ? TELEMETRY_EXTENSION_LINE : TELEMETRY_LINE, .text = text});
}

void sandbox_log_open(struct sandbox_log *log, struct logs *logs, const struct sandbox_spec *spec,
                      const char *sandbox_id, const char *log_stream, const struct launch_fds *fds,
                      struct telemetry *telemetry)
{
    const struct log_identity identity = {.account = spec->account,
                                          .region = spec->region,
                                          .function = spec->name,
                                          .version = spec->version,
                                          .log_group = spec->log_group,
                                          .log_stream = log_stream,
                                          .sandbox = sandbox_id,
                                          .least = spec->application_log_level};

    log->spec = spec;
    log->telemetry = telemetry;
    log->log_stream = log_stream;
    log->phase = "init";
    log->memory_usage = fds->memory_usage;
    log->memory_events = fds->memory_events;
    log->source = log_source_new(logs, &identity, fds->stdout_fd, fds->stderr_fd);
    if (is_text(log) && spec->runtime) /* an image's has no version that we know: no line */
        put_line(log, report_init_start(&log->line, spec->runtime));
    log_source_on_line(log->source, on_line, log);
    tell(log, (struct telemetry_event){.kind = TELEMETRY_INIT_START, .log_stream = log_stream});
}

void sandbox_log_reopen(struct sandbox_log *log, int stdout_fd, int stderr_fd,
                        struct telemetry *telemetry)
{
    log->telemetry = telemetry;
    log->phase = "invoke";
    log_source_set_pipes(log->source, stdout_fd, stderr_fd);
    tell(log, (struct telemetry_event){.kind = TELEMETRY_INIT_START, .log_stream = log->log_stream});
}

void sandbox_log_add_extensions(struct sandbox_log *log, int fd)
{
    log_source_add_extensions(log->source, fd);
}

void sandbox_log_close(struct sandbox_log *log)
{
    log_source_free(TAKE(log->source));
    closep(&log->memory_usage);
    closep(&log->memory_events);
    buf_done(&log->line);
}

bool sandbox_log_is_open(const struct sandbox_log *log)
{
    return log->source != NULL;
}

/* pread() of a small file of the cgroup. */
static struct str read_measure(int fd, char *text, size_t size)
{
    ssize_t n = fd >= 0 ? pread(fd, text, size, 0) : -1;

    return str_from(text, n > 0 ? (size_t)n : 0);
}

static uint64_t memory_used(const struct sandbox_log *log)
{
    char text[32];
    uint64_t bytes;

    if (str_parse_u64(str_trim(read_measure(log->memory_usage, text, sizeof(text))), &bytes) < 0)
        return 0;
    return bytes;
}

bool sandbox_log_has_oom_kills(const struct sandbox_log *log)
{
    char text[512];
    struct str rest = read_measure(log->memory_events, text, sizeof(text)), line;
    const struct str key = STR("oom_kill ");
    uint64_t kills;

    while (str_split(&rest, '\n', &line))
        if (str_starts(line, key))
            return str_parse_u64(str_trim(str_sub(line, key.len, line.len)), &kills) == 0 &&
                   kills > 0;
    return false;
}

void sandbox_log_extension(struct sandbox_log *log, const struct extension *ext,
                           const char *error_type)
{
    const char *state = extension_state_name(ext->state);

    if (is_text(log))
        put_line(log, report_extension(&log->line, ext->name, state, ext->events, error_type));
    tell(log, (struct telemetry_event){.kind = TELEMETRY_EXTENSION_STATE,
                                       .name = ext->name,
                                       .state = state,
                                       .bits = ext->events,
                                       .error_type = error_type});
}

void sandbox_log_subscription(struct sandbox_log *log, const char *name,
                              const struct telemetry_subscription *sub)
{
    bool is_logs = telemetry_schema_is_logs(sub->schema);

    if (is_text(log))
        put_line(log, report_subscription(&log->line, name, is_logs, sub->types));
    tell(log, (struct telemetry_event){.kind = TELEMETRY_SUBSCRIBED,
                                       .name = name,
                                       .bits = sub->types,
                                       .is_logs = is_logs});
}

static void tell_init(struct sandbox_log *log, uint64_t init_us, enum report_status status,
                      const char *error_type)
{
    struct telemetry_event ev = {.kind = TELEMETRY_INIT_RUNTIME_DONE,
                                 .status = status,
                                 .error_type = error_type,
                                 .duration_us = init_us};

    tell(log, ev);
    ev.kind = TELEMETRY_INIT_REPORT;
    tell(log, ev);
}

void sandbox_log_init_done(struct sandbox_log *log, uint64_t init_us)
{
    log_source_drain(log->source);
    tell_init(log, init_us, REPORT_OK, NULL);
}

void sandbox_log_init_report(struct sandbox_log *log, uint64_t init_us, enum report_status status,
                             const char *error_type)
{
    log_source_drain(log->source);
    if (is_text(log))
        put_line(log, report_init(&log->line, init_us, log->phase, status, error_type));
    tell_init(log, init_us, status, error_type);
}

int sandbox_log_begin(struct sandbox_log *log, struct str request_id, struct str trace_id,
                      bool want_tail)
{
    int r = log_source_begin(log->source, request_id, want_tail);

    if (r < 0)
        return r;
    if (is_text(log))
        put_line(log, report_start(&log->line, request_id, log->spec->version));
    tell(log, (struct telemetry_event){
                  .kind = TELEMETRY_START, .request_id = request_id, .trace_id = trace_id});
    return 0;
}

void sandbox_log_tail_add_init(struct sandbox_log *log)
{
    log_source_tail_add_init(log->source);
}

/* The last events of an invocation. */
static void tell_end(struct sandbox_log *log, const struct report *rep,
                     const struct sandbox_log_ending *ending)
{
    struct telemetry_event ev = {.kind = TELEMETRY_RUNTIME_DONE,
                                 .request_id = rep->request_id,
                                 .trace_id = ending->trace_id,
                                 .status = rep->status,
                                 .is_failure = ending->platform_text != NULL,
                                 .error_type = rep->error_type,
                                 .duration_us = rep->duration_us,
                                 .produced_bytes = ending->produced_bytes,
                                 .memory_used = rep->memory_used,
                                 .init_us = rep->init_us};

    tell(log, ev);
    ev.kind = TELEMETRY_END;
    tell(log, ev);
    ev.kind = TELEMETRY_REPORT;
    tell(log, ev);
}

/* Lines for an error that we found, not the runtime. */
static void put_fault(struct sandbox_log *log, struct str request_id,
                      const struct sandbox_log_ending *ending)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(TEXT_MAX_BYTES);
    int r;

    if (ending->status == REPORT_TIMEOUT)
        r = report_timed_out(&text, wall_ms(), request_id, log->spec->timeout_s);
    else
        r = report_error_message(&text, request_id, ending->platform_text);
    if (r == 0)
        tell(log, (struct telemetry_event){.kind = TELEMETRY_FAULT, .text = buf_str(&text)});
    if (!is_text(log))
        return;
    if (r == 0)
        log_source_platform(log->source, buf_str(&text));
    if (ending->status != REPORT_TIMEOUT)
        log_source_platform(log->source, str_of(ending->platform_type));
}

struct str sandbox_log_end(struct sandbox_log *log, struct str request_id,
                           const struct sandbox_log_ending *ending)
{
    const struct report rep = {.request_id = request_id,
                               .duration_us = ending->duration_us,
                               .memory_mib = log->spec->memory_mib,
                               .memory_used = memory_used(log),
                               .init_us = ending->init_us,
                               .status = ending->status,
                               .error_type = ending->error_type};

    log_source_drain(log->source);
    if (ending->status == REPORT_TIMEOUT || ending->platform_text)
        put_fault(log, request_id, ending);
    if (is_text(log)) {
        put_line(log, report_end(&log->line, request_id));
        put_line(log, report_line(&log->line, &rep));
    }
    tell_end(log, &rep, ending);
    return log_source_tail(log->source);
}

void sandbox_log_over(struct sandbox_log *log)
{
    log_source_end(log->source);
}
