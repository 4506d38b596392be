/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/report.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/clock.h"

#define ID STR("8f507cfc-4a29-4a2b-9b53-1c0c4b2a3d11")

static void assert_text(struct buf *b, const char *expected)
{
    assert_int_equal(buf_append_char(b, '\0'), 0);
    assert_string_equal(b->ptr, expected);
    buf_clear(b);
}

static void report_of_a_cold_start_has_the_text_of_aws(void **state)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(REPORT_LINE_MAX);
    struct report rep = {.request_id = ID,
                         .duration_us = 1234,
                         .memory_mib = 128,
                         .memory_used = 29 * 1048576u + 1,
                         .init_us = 90120};
    (void)state;

    assert_int_equal(report_line(&b, &rep), 0);
    assert_text(&b, "REPORT RequestId: 8f507cfc-4a29-4a2b-9b53-1c0c4b2a3d11\tDuration: 1.23 ms\t"
                    "Billed Duration: 92 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\t"
                    "Init Duration: 90.12 ms\t");
}

static void report_of_a_warm_invocation_has_no_init_duration(void **state)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(REPORT_LINE_MAX);
    struct report rep = {
        .request_id = STR("r"), .duration_us = 2000, .memory_mib = 512, .memory_used = 1048576};
    (void)state;

    assert_int_equal(report_line(&b, &rep), 0);
    assert_text(&b, "REPORT RequestId: r\tDuration: 2.00 ms\tBilled Duration: 2 ms\t"
                    "Memory Size: 512 MB\tMax Memory Used: 1 MB\t");
}

static void billed_duration_is_rounded_up_and_never_nothing(void **state)
{
    static const struct {
        uint64_t us;
        const char *part;
        uint64_t init_us;
    } cases[] = {
        {0, "Duration: 0.00 ms\tBilled Duration: 1 ms", 0},
        {999, "Duration: 1.00 ms\tBilled Duration: 1 ms", 0},
        {1000, "Duration: 1.00 ms\tBilled Duration: 1 ms", 0},
        {1001, "Duration: 1.00 ms\tBilled Duration: 2 ms", 0},
        {899999996, "Duration: 900000.00 ms\tBilled Duration: 900000 ms", 0},
        {250060, "Duration: 250.06 ms\tBilled Duration: 351 ms", 100770}, /* with its init phase */
    };
    size_t i;
    (void)state;

    for (i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(buf_done) struct buf b = BUF_INIT(REPORT_LINE_MAX);
        struct report rep = {.request_id = STR("r"), .duration_us = cases[i].us,
                             .init_us = cases[i].init_us};

        assert_int_equal(report_line(&b, &rep), 0);
        assert_int_equal(buf_append_char(&b, '\0'), 0);
        assert_non_null(strstr(b.ptr, cases[i].part));
    }
}

static void report_tells_a_failure_at_its_end(void **state)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(REPORT_LINE_MAX);
    struct report rep = {
        .request_id = STR("r"), .duration_us = SECONDS(3), .status = REPORT_TIMEOUT};
    (void)state;

    assert_int_equal(report_line(&b, &rep), 0);
    assert_text(&b, "REPORT RequestId: r\tDuration: 3000.00 ms\tBilled Duration: 3000 ms\t"
                    "Memory Size: 0 MB\tMax Memory Used: 0 MB\tStatus: timeout");
    rep.status = REPORT_ERROR;
    rep.error_type = "Runtime.OutOfMemory";
    assert_int_equal(report_line(&b, &rep), 0);
    assert_text(&b, "REPORT RequestId: r\tDuration: 3000.00 ms\tBilled Duration: 3000 ms\t"
                    "Memory Size: 0 MB\tMax Memory Used: 0 MB\t"
                    "Status: error\tError Type: Runtime.OutOfMemory");
}

static void other_lines_have_the_text_of_aws(void **state)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(REPORT_LINE_MAX);
    (void)state;

    assert_int_equal(report_start(&b, STR("r"), "$LATEST"), 0);
    assert_text(&b, "START RequestId: r Version: $LATEST");
    assert_int_equal(report_end(&b, STR("r")), 0);
    assert_text(&b, "END RequestId: r");
    assert_int_equal(report_timed_out(&b, 0, STR("r"), 3), 0);
    assert_text(&b, "1970-01-01T00:00:00.000Z r Task timed out after 3.00 seconds");
    assert_int_equal(report_init(&b, 10008000, "init", REPORT_TIMEOUT, NULL), 0);
    assert_text(&b, "INIT_REPORT Init Duration: 10008.00 ms\tPhase: init\tStatus: timeout");
}

static void platform_errors_name_the_type_first_and_escape_the_text(void **state)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(REPORT_LINE_MAX);
    (void)state;

    assert_int_equal(report_error_json(&b, "Sandbox.Timedout", STR("r"),
                                       "Task timed out after 1.00 seconds"),
                     0);
    assert_text(&b, "{\"errorType\":\"Sandbox.Timedout\",\"errorMessage\":"
                    "\"RequestId: r Error: Task timed out after 1.00 seconds\"}");
    assert_int_equal(report_error_json(&b, "Runtime.InvalidEntrypoint", STR("r"), "exec: \"x\""),
                     0);
    assert_text(&b, "{\"errorType\":\"Runtime.InvalidEntrypoint\",\"errorMessage\":"
                    "\"RequestId: r Error: exec: \\\"x\\\"\"}");
}

static void exit_is_told_by_status_or_signal(void **state)
{
    static const struct {
        int status;
        const char *text;
    } cases[] = {
        {0, "Runtime exited without providing a reason"},
        {3 << 8, "Runtime exited with error: exit status 3"},
        {SIGKILL, "Runtime exited with error: signal: killed"},
        {SIGSEGV | 0x80, "Runtime exited with error: signal: segmentation fault (core dumped)"},
        {40, "Runtime exited with error: signal: signal 40"},
    };
    CLEANUP(buf_done) struct buf b = BUF_INIT(REPORT_LINE_MAX);
    size_t i;
    (void)state;

    for (i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(report_exit_text(&b, cases[i].status), 0);
        assert_text(&b, cases[i].text);
    }
}

static void program_that_cannot_run_is_told_as_aws_does(void **state)
{
    static const struct {
        const char *program;
        int sys_errno;
        const char *text;
    } cases[] = {
        {"x", ENOENT, "exec: \"x\": executable file not found in $PATH"},
        {"/x", ENOENT, "fork/exec /x: no such file or directory"},
        {"/x", EACCES, "fork/exec /x: permission denied"},
        {"/x", ENOEXEC, "fork/exec /x: exec format error"},
    };
    CLEANUP(buf_done) struct buf b = BUF_INIT(REPORT_LINE_MAX);
    size_t i;
    (void)state;

    for (i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(report_exec_text(&b, cases[i].program, cases[i].sys_errno), 0);
        assert_text(&b, cases[i].text);
    }
    assert_int_equal(report_no_bootstrap_text(&b), 0);
    assert_text(&b, "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]");
    assert_int_equal(report_chdir_text(&b, "/x", ENOENT), 0);
    assert_text(&b, "chdir /x: no such file or directory");
}

static void error_types_of_foreign_form_become_unknown(void **state)
{
    static const struct {
        const char *header, *type;
    } cases[] = {
        {"Runtime.ImportModuleError", "Runtime.ImportModuleError"},
        {"Function.Bad", "Function.Bad"},
        {"Function.bad", "Function.Unknown"},
        {"ValueError", "Runtime.Unknown"},
        {"Runtime.X\tStatus: fine", "Runtime.Unknown"},
        {"", "Runtime.Unknown"},
    };
    char type[64];
    size_t i;
    (void)state;

    for (i = 0; i < ARRAY_LEN(cases); i++) {
        report_error_type(str_of(cases[i].header), type, sizeof(type));
        assert_string_equal(type, cases[i].type);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(report_of_a_cold_start_has_the_text_of_aws),
        cmocka_unit_test(report_of_a_warm_invocation_has_no_init_duration),
        cmocka_unit_test(billed_duration_is_rounded_up_and_never_nothing),
        cmocka_unit_test(report_tells_a_failure_at_its_end),
        cmocka_unit_test(other_lines_have_the_text_of_aws),
        cmocka_unit_test(platform_errors_name_the_type_first_and_escape_the_text),
        cmocka_unit_test(exit_is_told_by_status_or_signal),
        cmocka_unit_test(program_that_cannot_run_is_told_as_aws_does),
        cmocka_unit_test(error_types_of_foreign_form_become_unknown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
