/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/report.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/wait.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/proto/extension_register.h"
#include "common/proto/telemetry_subscription.h"

#define MIB 1048576u

/* Milliseconds with two digits behind the point; without floating point, as it is often called. */
static int append_ms(struct buf *b, const char *label, uint64_t us)
{
    uint64_t hundredths = (us + 5) / 10;

    return buf_printf(b, "%s: %" PRIu64 ".%02" PRIu64 " ms\t", label, hundredths / 100,
                      hundredths % 100);
}

uint64_t report_billed_ms(uint64_t duration_us, uint64_t init_us)
{
    uint64_t ms = (duration_us + init_us + 999) / 1000;

    return ms ? ms : 1;
}

int report_start(struct buf *b, struct str request_id, const char *version)
{
    return buf_printf(b, "START RequestId: %.*s Version: %s", STR_ARG(request_id), version);
}

int report_end(struct buf *b, struct str request_id)
{
    return buf_printf(b, "END RequestId: %.*s", STR_ARG(request_id));
}

static int append_status(struct buf *b, enum report_status status, const char *error_type)
{
    switch (status) {
    case REPORT_OK:
        return 0;
    case REPORT_TIMEOUT:
        return buf_printf(b, "Status: timeout");
    case REPORT_ERROR:
        return buf_printf(b, "Status: error\tError Type: %s", error_type);
    }
    return 0;
}

int report_line(struct buf *b, const struct report *rep)
{
    int r;

    r = buf_printf(b, "REPORT RequestId: %.*s\t", STR_ARG(rep->request_id));
    if (r == 0)
        r = append_ms(b, "Duration", rep->duration_us);
    if (r == 0)
        r = buf_printf(b,
                       "Billed Duration: %" PRIu64 " ms\tMemory Size: %" PRIu32
                       " MB\tMax Memory Used: %" PRIu64 " MB\t",
                       report_billed_ms(rep->duration_us, rep->init_us), rep->memory_mib,
                       (rep->memory_used + MIB - 1) / MIB);
    if (r == 0 && rep->init_us)
        r = append_ms(b, "Init Duration", rep->init_us);
    return r == 0 ? append_status(b, rep->status, rep->error_type) : r;
}

int report_init_start(struct buf *b, const char *runtime)
{
    return buf_printf(b, "INIT_START Runtime Version: %s", runtime);
}

int report_init(struct buf *b, uint64_t init_us, const char *phase, enum report_status status,
                const char *error_type)
{
    int r;

    r = buf_printf(b, "INIT_REPORT ");
    if (r == 0)
        r = append_ms(b, "Init Duration", init_us);
    if (r == 0)
        r = buf_printf(b, "Phase: %s\t", phase);
    return r == 0 ? append_status(b, status, error_type) : r;
}

int report_extension(struct buf *b, const char *name, const char *state, unsigned events,
                     const char *error_type)
{
    const char *invoke = events & EXTENSION_INVOKE ? "INVOKE" : "";
    const char *shutdown = events & EXTENSION_SHUTDOWN ? "SHUTDOWN" : "";
    int r;

    r = buf_printf(b, "EXTENSION\tName: %s\tState: %s\tEvents: [%s%s%s]", name, state, invoke,
                   invoke[0] && shutdown[0] ? "," : "", shutdown);
    return r == 0 && error_type ? buf_printf(b, "\tError Type: %s", error_type) : r;
}

int report_subscription(struct buf *b, const char *name, bool is_logs, unsigned types)
{
    static const struct {
        unsigned type;
        const char *name;
    } names[] = {{TELEMETRY_PLATFORM, "Platform"},
                 {TELEMETRY_FUNCTION, "Function"},
                 {TELEMETRY_EXTENSION, "Extension"}};
    const char *comma = "";
    size_t i;
    int r;

    r = buf_printf(b, "%s\tName: %s\tState: Subscribed\tTypes: [", is_logs ? "LOGS" : "TELEMETRY",
                   name);
    for (i = 0; r == 0 && i < ARRAY_LEN(names); i++) {
        if (!(types & names[i].type))
            continue;
        r = buf_printf(b, "%s%s", comma, names[i].name);
        comma = ",";
    }
    return r == 0 ? buf_append_char(b, ']') : r;
}

int report_timed_out(struct buf *b, uint64_t wall_ms_now, struct str request_id, uint32_t timeout_s)
{
    char iso[CLOCK_ISO_MAX];

    clock_format_iso(wall_ms_now, iso);
    return buf_printf(b, "%s %.*s Task timed out after %" PRIu32 ".00 seconds", iso,
                      STR_ARG(request_id), timeout_s);
}

int report_error_message(struct buf *b, struct str request_id, const char *text)
{
    return buf_printf(b, "RequestId: %.*s Error: %s", STR_ARG(request_id), text);
}

int report_plain_error_json(struct buf *b, const char *error_type, const char *text)
{
    int r;

    r = buf_printf(b, "{\"errorMessage\":\"");
    if (r == 0)
        r = buf_append_json(b, str_of(text));
    return r == 0 ? buf_printf(b, "\",\"errorType\":\"%s\"}", error_type) : r;
}

int report_error_json(struct buf *b, const char *error_type, struct str request_id,
                      const char *text)
{
    CLEANUP(buf_done) struct buf message = BUF_INIT(64u * 1024u);
    int r;

    r = report_error_message(&message, request_id, text);
    if (r == 0)
        r = buf_printf(b, "{\"errorType\":\"%s\",\"errorMessage\":\"", error_type);
    if (r == 0)
        r = buf_append_json(b, buf_str(&message));
    return r == 0 ? buf_printf(b, "\"}") : r;
}

/* The texts are those of the Go library, in which AWS's supervisor is written. */
static const char *const signal_texts[] = {
    [SIGHUP] = "hangup",
    [SIGINT] = "interrupt",
    [SIGQUIT] = "quit",
    [SIGILL] = "illegal instruction",
    [SIGTRAP] = "trace/breakpoint trap",
    [SIGABRT] = "aborted",
    [SIGBUS] = "bus error",
    [SIGFPE] = "floating point exception",
    [SIGKILL] = "killed",
    [SIGUSR1] = "user defined signal 1",
    [SIGSEGV] = "segmentation fault",
    [SIGUSR2] = "user defined signal 2",
    [SIGPIPE] = "broken pipe",
    [SIGALRM] = "alarm clock",
    [SIGTERM] = "terminated",
};

static int append_signal(struct buf *b, int status)
{
    size_t sig = (size_t)WTERMSIG(status);

    if (sig < ARRAY_LEN(signal_texts) && signal_texts[sig])
        return buf_printf(b, "signal: %s%s", signal_texts[sig],
                          WCOREDUMP(status) ? " (core dumped)" : "");
    return buf_printf(b, "signal: signal %zu", sig);
}

int report_extension_exit_text(struct buf *b, int status)
{
    if (WIFSIGNALED(status))
        return append_signal(b, status);
    return buf_printf(b, "exit code %d", WEXITSTATUS(status));
}

int report_exit_text(struct buf *b, int status)
{
    int r;

    if (WIFSIGNALED(status)) {
        r = buf_printf(b, "Runtime exited with error: ");
        return r == 0 ? append_signal(b, status) : r;
    }
    if (WEXITSTATUS(status) == 0)
        return buf_printf(b, "Runtime exited without providing a reason");
    return buf_printf(b, "Runtime exited with error: exit status %d", WEXITSTATUS(status));
}

/* As Go spells it: the C library's text, but for a small first letter. */
static int append_failed_call(struct buf *b, const char *call, const char *path, int sys_errno)
{
    char buf[128];
    const char *text = strerror_r(sys_errno, buf, sizeof(buf)); /* GNU's: may or may not use buf */

    return buf_printf(b, "%s %s: %c%s", call, path, tolower((unsigned char)text[0]),
                      text[0] ? text + 1 : "");
}

int report_exec_text(struct buf *b, const char *program, int sys_errno)
{
    if (sys_errno == ENOENT && !strchr(program, '/'))
        return buf_printf(b, "exec: \"%s\": executable file not found in $PATH", program);
    return append_failed_call(b, "fork/exec", program, sys_errno);
}

int report_no_bootstrap_text(struct buf *b)
{
    return buf_append_str(b, STR("Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"));
}

int report_chdir_text(struct buf *b, const char *folder, int sys_errno)
{
    return append_failed_call(b, "chdir", folder, sys_errno);
}

void report_error_type(struct str header, char *ret, size_t size)
{
    size_t prefix = 0, i;

    if (str_starts(header, STR("Runtime.")))
        prefix = 8;
    else if (str_starts(header, STR("Function.")))
        prefix = 9;
    if (prefix && header.len > prefix && isupper((unsigned char)header.ptr[prefix])) {
        for (i = prefix; i < header.len; i++)
            if (!isalnum((unsigned char)header.ptr[i]) && header.ptr[i] != '.')
                break;
        if (i == header.len) {
            snprintf(ret, size, "%.*s", STR_ARG(header));
            return;
        }
    }
    snprintf(ret, size, "%s", prefix == 9 ? "Function.Unknown" : "Runtime.Unknown");
}
