/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/sandbox_log.h"

#include <unistd.h>

#include "common/base/clock.h"

#define LINE_MAX_BYTES 4096u

void sandbox_log_init(struct sandbox_log *log)
{
    *log = (struct sandbox_log){.memory_usage = -1, .memory_events = -1};
    buf_init(&log->line, LINE_MAX_BYTES);
}

/* The line in scratch, if writing it there went well. */
static void put_line(struct sandbox_log *log, int r)
{
    if (r == 0)
        log_source_platform(log->source, buf_str(&log->line));
    buf_clear(&log->line);
}

void sandbox_log_open(struct sandbox_log *log, struct logs *logs, const struct sandbox_spec *spec,
                      const char *sandbox_id, const char *log_stream, const struct launch_fds *fds)
{
    const struct log_identity identity = {.account = spec->account,
                                          .region = spec->region,
                                          .function = spec->name,
                                          .version = spec->version,
                                          .log_group = spec->log_group,
                                          .log_stream = log_stream,
                                          .sandbox = sandbox_id};

    log->spec = spec;
    log->memory_usage = fds->memory_usage;
    log->memory_events = fds->memory_events;
    log->source = log_source_new(logs, &identity, fds->stdout_fd, fds->stderr_fd);
    if (spec->runtime) /* an image's runtime has no version that we know: no line, as on Lambda */
        put_line(log, report_init_start(&log->line, spec->runtime));
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

void sandbox_log_init_report(struct sandbox_log *log, uint64_t init_us, const char *phase,
                             enum report_status status, const char *error_type)
{
    log_source_drain(log->source);
    put_line(log, report_init(&log->line, init_us, phase, status, error_type));
}

int sandbox_log_begin(struct sandbox_log *log, struct str request_id, bool want_tail)
{
    int r = log_source_begin(log->source, request_id, want_tail);

    if (r == 0)
        put_line(log, report_start(&log->line, request_id, log->spec->version));
    return r;
}

void sandbox_log_tail_add_init(struct sandbox_log *log)
{
    log_source_tail_add_init(log->source);
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
    if (ending->status == REPORT_TIMEOUT) {
        put_line(log, report_timed_out(&log->line, wall_ms(), request_id, log->spec->timeout_s));
    } else if (ending->platform_text) {
        put_line(log, report_error_message(&log->line, request_id, ending->platform_text));
        log_source_platform(log->source, str_of(ending->platform_type));
    }
    put_line(log, report_end(&log->line, request_id));
    put_line(log, report_line(&log->line, &rep));
    return log_source_tail(log->source);
}

void sandbox_log_over(struct sandbox_log *log)
{
    log_source_end(log->source);
}
