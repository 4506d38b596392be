/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/seccomp_profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"

/* The rules that name @call, and the last of them. */
static int rules_of(const cJSON *profile, const char *call, const cJSON **ret)
{
    const cJSON *rule, *name;
    int n = 0;

    cJSON_ArrayForEach(rule, cJSON_GetObjectItem(profile, "syscalls"))
        cJSON_ArrayForEach(name, cJSON_GetObjectItem(rule, "names")) {
            if (strcmp(name->valuestring, call) == 0) {
                *ret = rule;
                n++;
            }
        }
    return n;
}

static void test_what_is_not_listed_is_refused(void **state)
{
    static const char *const never[] = {
        "mount", "umount2", "pivot_root", "chroot", "unshare", "setns", "bpf", "perf_event_open",
        "userfaultfd", "keyctl", "add_key", "request_key", "open_by_handle_at", "name_to_handle_at",
        "kexec_load", "init_module", "finit_module", "delete_module", "reboot", "swapon", "acct",
        "syslog", "settimeofday", "clock_settime", "iopl", "ioperm", "pidfd_getfd", "kcmp",
        "fsopen", "open_tree", "move_mount", "mount_setattr", "fanotify_init", "quotactl",
        "sethostname", "modify_ldt", "vhangup"};
    cJSON *profile = seccomp_profile();
    const cJSON *rule;
    size_t i;

    (void)state;
    assert_string_equal(cJSON_GetObjectItem(profile, "defaultAction")->valuestring,
                        "SCMP_ACT_ERRNO");
    for (i = 0; i < ARRAY_LEN(never); i++)
        if (rules_of(profile, never[i], &rule) != 0)
            fail_msg("%s is listed", never[i]);
    cJSON_Delete(profile);
}

static void test_some_calls_are_allowed_for_some_arguments_only(void **state)
{
    static const struct {
        const char *call, *op;
        int rules;
    } cases[] = {
        {"clone", "SCMP_CMP_MASKED_EQ", 1},
        {"prlimit64", "SCMP_CMP_EQ", 1},
        {"socket", "SCMP_CMP_EQ", 4},
        {"personality", "SCMP_CMP_EQ", 6},
    };
    cJSON *profile = seccomp_profile();
    const cJSON *rule = NULL, *arg;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(rules_of(profile, cases[i].call, &rule), cases[i].rules);
        arg = cJSON_GetArrayItem(cJSON_GetObjectItem(rule, "args"), 0);
        assert_string_equal(cJSON_GetObjectItem(arg, "op")->valuestring, cases[i].op);
    }
    rules_of(profile, "clone", &rule);
    arg = cJSON_GetArrayItem(cJSON_GetObjectItem(rule, "args"), 0);
    assert_int_equal((int64_t)cJSON_GetObjectItem(arg, "value")->valuedouble, 0x7e020000);
    cJSON_Delete(profile);
}

static void test_calls_with_an_older_form_are_said_to_be_absent(void **state)
{
    cJSON *profile = seccomp_profile();
    const cJSON *rule = NULL;

    (void)state;
    assert_int_equal(rules_of(profile, "clone3", &rule), 1);
    assert_int_equal(cJSON_GetObjectItem(rule, "errnoRet")->valueint, 38);
    assert_int_equal(rules_of(profile, "io_uring_setup", &rule), 1);
    assert_string_equal(cJSON_GetObjectItem(rule, "action")->valuestring, "SCMP_ACT_ERRNO");
    cJSON_Delete(profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_not_listed_is_refused),
        cmocka_unit_test(test_some_calls_are_allowed_for_some_arguments_only),
        cmocka_unit_test(test_calls_with_an_older_form_are_said_to_be_absent),
    };

    return cmocka_run_group_tests_name("seccomp_profile", tests, NULL, NULL);
}
