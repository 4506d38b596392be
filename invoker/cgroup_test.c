/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/cgroup.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "invoker/cgroup_fixture.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct cgroup_fs *open_fs(const struct fixture *f)
{
    struct cgroup_fs *fs;

    assert_int_equal(cgroup_fs_new(f->mountinfo, &fs, NULL), 0);
    return fs;
}

/* @rest (NULL: none at all) in @mount. */
static void assert_folder(const struct fixture *f, const char *folder, const char *mount,
                          const char *rest)
{
    CLEANUP(freep) char *whole = str_printf("%s/%s%s", f->dir, mount, rest ? rest : "");

    if (rest)
        assert_string_equal(folder, whole);
    else
        assert_null(folder);
}

static void test_only_a_container_s_own_group_is_found_in_version_1(void **state)
{
    static const struct {
        const char *text, *cpu, *pids, *freezer;
    } cases[] = {
        {"9:pids:/docker/" ID "\n3:cpu,cpuacct:/docker/" ID "\n0::/docker/" ID "\n",
         "/docker/" ID, "/docker/" ID, NULL},
        {"0::/\n9:pids:/docker/" ID "\n3:cpu:/docker/" ID "\n6:freezer:/docker/" ID "\n",
         "/docker/" ID, "/docker/" ID, "/docker/" ID},
        {"9:pids:/system.slice/docker-" ID ".scope\n3:cpu:/system.slice/docker-" ID
         ".scope\n6:freezer:/system.slice/docker-" ID ".scope\n",
         NULL, "/system.slice/docker-" ID ".scope", "/system.slice/docker-" ID ".scope"},
        {"0::/docker/" ID "\n", NULL, NULL, NULL},
        {"9:pids:/../" ID "\n", NULL, NULL, NULL},
        {"0::/user.slice\n9:pids:/\n3:cpu:/docker\n", NULL, NULL, NULL},
        {"9:pids:/docker/0123\n", NULL, NULL, NULL},
        {"9:pids:/" ID "/init\n", NULL, NULL, NULL},
        {"", NULL, NULL, NULL},
        {"nonsense\n:\n::\n", NULL, NULL, NULL},
    };
    struct fixture *f = *state;
    struct cgroup_fs *fs;
    struct cgroup cg;
    size_t i;

    make_v1(f);
    fs = open_fs(f);
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(cgroup_parse(fs, str_of(cases[i].text), &cg),
                         cases[i].pids ? 0 : -ERR_UNAVAILABLE);
        assert_false(cg.is_v2);
        assert_folder(f, cg.folder[CGROUP_CPU], "cpu", cases[i].cpu);
        assert_folder(f, cg.folder[CGROUP_PIDS], "pids", cases[i].pids);
        assert_folder(f, cg.folder[CGROUP_FREEZER], "freezer", cases[i].freezer);
        cgroup_done(&cg);
    }
    assert_int_equal(cgroup_of_container(fs, getpid(), &cg), -ERR_UNAVAILABLE);
    assert_int_equal(cgroup_of_container(fs, 0, &cg), -ERR_UNAVAILABLE);
    assert_int_equal(cgroup_of_container(NULL, getpid(), &cg), -ERR_UNAVAILABLE);
    cgroup_fs_free(fs);
}

static void test_only_a_container_s_own_group_is_found_in_version_2(void **state)
{
    static const struct {
        const char *text, *cpu, *pids;
    } cases[] = {
        {"0::/docker/" ID "\n", "/docker/" ID, "/docker/" ID},
        {"0::/system.slice/docker-" ID ".scope\n", NULL, "/system.slice/docker-" ID ".scope"},
        {"0::/../" ID "\n", NULL, NULL},
        {"0::/docker/" ID "/init\n", NULL, NULL},
        {"9:pids:/docker/" ID "\n", NULL, NULL},
    };
    struct fixture *f = *state;
    struct cgroup_fs *fs;
    struct cgroup cg;
    size_t i;

    make_v2(f);
    fs = open_fs(f);
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(cgroup_parse(fs, str_of(cases[i].text), &cg),
                         cases[i].pids ? 0 : -ERR_UNAVAILABLE);
        assert_folder(f, cg.folder[CGROUP_CPU], "u x", cases[i].cpu);
        assert_folder(f, cg.folder[CGROUP_PIDS], "u x", cases[i].pids);
        assert_folder(f, cg.folder[CGROUP_FREEZER], "u x", cases[i].pids);
        cgroup_done(&cg);
    }
    cgroup_fs_free(fs);
}

static void test_limits_and_the_freezer_of_version_1(void **state)
{
    const struct cgroup_limits limits = {128u << 20, 74};
    struct fixture *f = *state;
    struct cgroup_fs *fs;
    struct cgroup cg;

    make_v1(f);
    fs = open_fs(f);
    cgroup_at(fs, "/a", &cg);
    assert_int_equal(cgroup_limit(&cg, &limits, NULL), -ERR_UNAVAILABLE); /* it is not there */
    assert_int_equal(cgroup_limit_cpu(&cg, 20000), -ERR_UNAVAILABLE);
    assert_int_equal(cgroup_freeze(&cg, true, NULL), -ERR_UNAVAILABLE);
    put(f, "memory/a/memory.limit_in_bytes", "");
    put(f, "memory/a/memory.memsw.limit_in_bytes", "");
    put(f, "cpu/a/cpu.shares", "");
    put(f, "cpu/a/cpu.cfs_period_us", "");
    put(f, "cpu/a/cpu.cfs_quota_us", "");
    put(f, "freezer/a/freezer.state", "");
    assert_int_equal(cgroup_limit(&cg, &limits, NULL), 0);
    assert_holds(f, "memory/a/memory.limit_in_bytes", "134217728");
    assert_holds(f, "memory/a/memory.memsw.limit_in_bytes", "134217728");
    assert_holds(f, "cpu/a/cpu.shares", "74");
    assert_int_equal(cgroup_limit_cpu(&cg, 40000), 0);
    assert_holds(f, "cpu/a/cpu.cfs_period_us", "20000");
    assert_holds(f, "cpu/a/cpu.cfs_quota_us", "40000");
    assert_int_equal(cgroup_freeze(&cg, true, NULL), 0);
    assert_holds(f, "freezer/a/freezer.state", "FROZEN");
    assert_int_equal(cgroup_freeze(&cg, false, NULL), 0);
    assert_holds(f, "freezer/a/freezer.state", "THAWED");
    cgroup_done(&cg);
    cgroup_fs_free(fs);
}

static void test_limits_and_the_freezer_of_version_2(void **state)
{
    const struct cgroup_limits limits = {1u << 30, 1024};
    struct fixture *f = *state;
    struct cgroup_fs *fs;
    struct cgroup cg;

    make_v2(f);
    fs = open_fs(f);
    cgroup_at(fs, "/a", &cg);
    put(f, "u x/a/memory.max", "");
    put(f, "u x/a/cpu.weight", "");
    put(f, "u x/a/cpu.max", "");
    put(f, "u x/a/cgroup.freeze", "");
    /* a kernel without accounting for swap */
    assert_int_equal(cgroup_limit(&cg, &limits, NULL), 0);
    assert_holds(f, "u x/a/memory.max", "1073741824");
    assert_holds(f, "u x/a/cpu.weight", "39");
    assert_int_equal(cgroup_limit_cpu(&cg, 1447), 0);
    assert_holds(f, "u x/a/cpu.max", "1447 20000");
    assert_int_equal(cgroup_freeze(&cg, true, NULL), 0);
    assert_holds(f, "u x/a/cgroup.freeze", "1");
    put(f, "u x/a/cgroup.kill", "");
    assert_int_equal(cgroup_kill(&cg), 0);
    assert_holds(f, "u x/a/cgroup.kill", "1");
    assert_holds(f, "u x/a/cpu.max", "max");
    cgroup_done(&cg);
    cgroup_fs_free(fs);
}

static void on_nothing(int signo)
{
    (void)signo;
}

static pid_t start_sleeper(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        signal(SIGUSR1, on_nothing);
        for (;;)
            pause();
    }
    return pid;
}

static void assert_killed(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void test_version_1_kills_one_by_one_without_limits(void **state)
{
    struct fixture *f = *state;
    struct cgroup_fs *fs;
    struct cgroup cg;
    char procs[32];
    pid_t pid;

    make_v1(f);
    fs = open_fs(f);
    cgroup_at(fs, "/a", &cg);
    assert_int_equal(cgroup_kill(&cg), -ERR_UNAVAILABLE);
    pid = start_sleeper();
    snprintf(procs, sizeof(procs), "0\n1\n%d\n", (int)pid);
    put(f, "pids/a/cgroup.procs", procs);
    put(f, "pids/a/pids.max", "");
    put(f, "cpu/a/cpu.cfs_quota_us", "");
    put(f, "freezer/a/freezer.state", "");
    assert_int_equal(cgroup_kill(&cg), 0);
    assert_holds(f, "pids/a/pids.max", "1");
    assert_holds(f, "cpu/a/cpu.cfs_quota_us", "-1");
    assert_holds(f, "freezer/a/freezer.state", "THAWED");
    assert_killed(pid);
    cgroup_done(&cg);
    cgroup_fs_free(fs);
}

/* ---- on the host's own freezer */

static bool is_frozen(const struct cgroup *cg)
{
    CLEANUP(freep) char *path = str_printf("%s/freezer.state", cg->folder[CGROUP_FREEZER]);
    CLEANUP(buf_done) struct buf b = BUF_INIT(64);

    assert_int_equal(file_read(path, &b, NULL), 0);
    return str_is(str_trim(buf_str(&b)), "FROZEN");
}

static void test_a_kill_of_a_frozen_process_is_seen_before_it_dies(void **state)
{
    CLEANUP(freep) char *name = str_printf("/hearth-unit-%d", (int)getpid());
    CLEANUP(freep) char *procs = NULL;
    uint64_t until = now_us() + SECONDS(10);
    struct cgroup_fs *fs;
    struct cgroup cg;
    FILE *file;
    pid_t pid;
    (void)state;

    assert_int_equal(cgroup_fs_new(NULL, &fs, NULL), 0);
    cgroup_at(fs, name, &cg);
    if (cg.is_v2 || !cg.folder[CGROUP_FREEZER] || mkdir(cg.folder[CGROUP_FREEZER], 0755) < 0) {
        cgroup_done(&cg);
        cgroup_fs_free(fs);
        skip(); /* no freezer of version 1 here, or not root: version 2 needs nobody to look */
    }
    pid = start_sleeper();
    procs = str_printf("%s/cgroup.procs", cg.folder[CGROUP_FREEZER]);
    file = fopen(procs, "we");
    assert_non_null(file);
    fprintf(file, "%d", (int)pid);
    assert_int_equal(fclose(file), 0);
    assert_false(cgroup_is_dying(&cg));
    assert_int_equal(cgroup_freeze(&cg, true, NULL), 0);
    while (!is_frozen(&cg) && now_us() < until)
        usleep(1000);
    assert_true(is_frozen(&cg));
    assert_false(cgroup_is_dying(&cg));
    assert_int_equal(kill(pid, SIGUSR1), 0);
    assert_false(cgroup_is_dying(&cg)); /* which may mean anything */
    assert_int_equal(kill(pid, SIGTERM), 0);
    assert_true(cgroup_is_dying(&cg));
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_true(cgroup_is_dying(&cg));
    assert_int_equal(waitpid(pid, NULL, WNOHANG), 0); /* it is there all the same */
    assert_int_equal(cgroup_freeze(&cg, false, NULL), 0);
    assert_killed(pid);
    while (rmdir(cg.folder[CGROUP_FREEZER]) < 0 && now_us() < until)
        usleep(1000);
    cgroup_done(&cg);
    cgroup_fs_free(fs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_only_a_container_s_own_group_is_found_in_version_1,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_only_a_container_s_own_group_is_found_in_version_2,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_limits_and_the_freezer_of_version_1, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limits_and_the_freezer_of_version_2, setup, teardown),
        cmocka_unit_test_setup_teardown(test_version_1_kills_one_by_one_without_limits, setup,
                                        teardown),
        cmocka_unit_test(test_a_kill_of_a_frozen_process_is_seen_before_it_dies),
    };

    return cmocka_run_group_tests_name("cgroup", tests, NULL, NULL);
}
