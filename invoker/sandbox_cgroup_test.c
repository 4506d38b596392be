/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/sandbox_cgroup.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/error.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_only_a_container_s_own_group_is_found(void **state)
{
    static const struct {
        const char *text, *cpu, *pids;
        bool is_v2;
    } cases[] = {
        {"9:pids:/docker/" ID "\n3:cpu,cpuacct:/docker/" ID "\n0::/docker/" ID "\n",
         "/cg/cpu/docker/" ID, "/cg/pids/docker/" ID, false},
        {"0::/\n9:pids:/docker/" ID "\n3:cpu:/docker/" ID "\n", "/cg/cpu/docker/" ID,
         "/cg/pids/docker/" ID, false},
        {"0::/docker/" ID "\n", "/cg/docker/" ID, "/cg/docker/" ID, true},
        {"0::/system.slice/docker-" ID ".scope\n", NULL, "/cg/system.slice/docker-" ID ".scope",
         true},
        {"0::/../" ID "\n", NULL, NULL, false},
        {"0::/user.slice\n9:pids:/\n3:cpu:/docker\n", NULL, NULL, false},
        {"0::/docker/0123\n", NULL, NULL, false},
        {"0::/" ID "/init\n", NULL, NULL, false},
        {"", NULL, NULL, false},
        {"nonsense\n:\n::\n", NULL, NULL, false},
    };
    struct sandbox_cgroup cg;
    size_t i;
    int r;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        r = sandbox_cgroup_parse(&cg, str_of(cases[i].text), "/cg");
        assert_int_equal(r, cases[i].pids ? 0 : -ERR_UNAVAILABLE);
        assert_int_equal(cg.pids != NULL, cases[i].pids != NULL);
        assert_int_equal(cg.cpu != NULL, cases[i].cpu != NULL);
        if (cg.pids)
            assert_string_equal(cg.pids, cases[i].pids);
        if (cg.cpu)
            assert_string_equal(cg.cpu, cases[i].cpu);
        if (cg.pids)
            assert_int_equal(cg.is_v2, cases[i].is_v2);
        sandbox_cgroup_done(&cg);
    }
    assert_int_equal(sandbox_cgroup_find(&cg, getpid()), -ERR_UNAVAILABLE);
    assert_int_equal(sandbox_cgroup_find(&cg, 0), -ERR_UNAVAILABLE);
}

static void put(const char *folder, const char *name, const char *text)
{
    CLEANUP(freep) char *path = str_printf("%s/%s", folder, name);
    FILE *f = fopen(path, "we");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void expect(const char *folder, const char *name, const char *text)
{
    CLEANUP(freep) char *path = str_printf("%s/%s", folder, name);
    char found[64] = "";
    FILE *f = fopen(path, "re");

    assert_non_null(f);
    assert_non_null(fgets(found, sizeof(found), f));
    fclose(f);
    assert_memory_equal(found, text, strlen(text));
}

static void test_limits_and_the_end_are_written(void **state)
{
    char folder[] = "/tmp/hearth-cgroup-XXXXXX", command[64], procs[32];
    struct sandbox_cgroup cg = {.cpu = mkdtemp(folder), .pids = folder, .is_v2 = true};
    int status;
    pid_t pid;

    (void)state;
    assert_int_equal(sandbox_cgroup_limit_cpu(&cg, 20000), -ERR_UNAVAILABLE); /* it is gone */
    put(folder, "cpu.max", "");
    assert_int_equal(sandbox_cgroup_limit_cpu(&cg, 1447), 0);
    expect(folder, "cpu.max", "1447 20000");
    put(folder, "cgroup.kill", "");
    assert_int_equal(sandbox_cgroup_kill(&cg), 0);
    expect(folder, "cgroup.kill", "1");
    expect(folder, "cpu.max", "max");

    cg.is_v2 = false;
    put(folder, "cpu.cfs_period_us", "");
    put(folder, "cpu.cfs_quota_us", "");
    assert_int_equal(sandbox_cgroup_limit_cpu(&cg, 40000), 0);
    expect(folder, "cpu.cfs_period_us", "20000");
    expect(folder, "cpu.cfs_quota_us", "40000");
    pid = fork();
    if (pid == 0)
        for (;;)
            pause();
    snprintf(procs, sizeof(procs), "0\n1\n%d\n", (int)pid);
    put(folder, "cgroup.procs", procs);
    put(folder, "pids.max", "");
    assert_int_equal(sandbox_cgroup_kill(&cg), 0);
    expect(folder, "pids.max", "1");
    expect(folder, "cpu.cfs_quota_us", "-1");
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    snprintf(command, sizeof(command), "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

static void test_cpu_time_follows_memory(void **state)
{
    (void)state;
    assert_int_equal(sandbox_cgroup_quota(1769), 20000);
    assert_int_equal(sandbox_cgroup_quota(3538), 40000);
    assert_int_equal(sandbox_cgroup_quota(128), 1447);
    assert_int_equal(sandbox_cgroup_quota(10240), 115771);
    assert_int_equal(sandbox_cgroup_quota(1), 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_a_container_s_own_group_is_found),
        cmocka_unit_test(test_limits_and_the_end_are_written),
        cmocka_unit_test(test_cpu_time_follows_memory),
    };

    return cmocka_run_group_tests_name("sandbox_cgroup", tests, NULL, NULL);
}
