/* SPDX-License-Identifier: Apache-2.0 */
/* Folders play the hierarchies: what is written and removed is what counts. */
#include "invoker/cgroup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/file.h"

struct fixture {
    char dir[64];
};

static void put(const struct fixture *f, const char *path, const char *text)
{
    CLEANUP(freep) char *whole = str_printf("%s/%s", f->dir, path);
    CLEANUP(freep) char *folder = str_dup(str_of(whole));

    *strrchr(folder, '/') = '\0';
    assert_int_equal(dir_make(folder, 0755, NULL), 0);
    assert_int_equal(file_write_atomic(whole, str_of(text), 0644, NULL), 0);
}

static void assert_holds(const struct fixture *f, const char *path, const char *text)
{
    CLEANUP(freep) char *whole = str_printf("%s/%s", f->dir, path);
    CLEANUP(buf_done) struct buf b = BUF_INIT(4096);

    assert_int_equal(file_read(whole, &b, NULL), 0);
    b.ptr[b.len < strlen(text) ? b.len : strlen(text)] = '\0'; /* no truncation: as the kernel's */
    assert_string_equal(b.ptr, text);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    snprintf(f->dir, sizeof(f->dir), "/tmp/hearth-cgroup-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(dir_remove(f->dir, NULL), 0);
    free(f);
    return 0;
}

static int open_tree(const struct fixture *f, struct cgroups **ret, struct error *err)
{
    CLEANUP(freep) char *mountinfo = str_printf("%s/mountinfo", f->dir);
    const struct cgroups_options o = {mountinfo, "n1", "0123abcd"};

    return cgroups_new(&o, ret, err);
}

static void make_v1(const struct fixture *f)
{
    CLEANUP(freep)
    char *text = str_printf("25 1 0:20 / / rw - ext4 /dev/vda rw\n"
                            "30 25 0:25 / %s/memory rw shared:9 - cgroup cgroup rw,memory\n"
                            "31 25 0:26 / %s/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
                            "32 25 0:27 / %s/pids rw - cgroup cgroup rw,pids\n"
                            "33 25 0:28 / %s/freezer rw - cgroup cgroup rw,freezer\n"
                            "34 25 0:29 / %s/unified rw - cgroup2 cgroup2 rw\n",
                            f->dir, f->dir, f->dir, f->dir, f->dir);

    put(f, "mountinfo", text);
    put(f, "unified/cgroup.controllers", "hugetlb\n");
}

static void test_version_1_beside_an_empty_version_2(void **state)
{
    struct fixture *f = *state;
    const struct cgroup_limits limits = {128u << 20, 74};
    struct cgroups *cg;
    CLEANUP(freep) char *unused = str_printf("%s/unified", f->dir);

    make_v1(f);
    assert_int_equal(open_tree(f, &cg, NULL), 0);
    assert_string_equal(cgroups_parent(cg), "/hearth-n1.0123abcd");
    assert_string_equal(cgroups_unused_mount(cg), unused);
    put(f, "memory/hearth-n1.0123abcd/a/memory.limit_in_bytes", "");
    put(f, "memory/hearth-n1.0123abcd/a/memory.memsw.limit_in_bytes", "");
    put(f, "cpu/hearth-n1.0123abcd/a/cpu.shares", "");
    put(f, "freezer/hearth-n1.0123abcd/a/freezer.state", "");
    assert_int_equal(cgroup_limit(cg, "a", &limits, NULL), 0);
    assert_holds(f, "memory/hearth-n1.0123abcd/a/memory.limit_in_bytes", "134217728");
    assert_holds(f, "memory/hearth-n1.0123abcd/a/memory.memsw.limit_in_bytes", "134217728");
    assert_holds(f, "cpu/hearth-n1.0123abcd/a/cpu.shares", "74");
    assert_int_equal(cgroup_freeze(cg, "a", true, NULL), 0);
    assert_holds(f, "freezer/hearth-n1.0123abcd/a/freezer.state", "FROZEN");
    assert_int_equal(cgroup_limit(cg, "b", &limits, NULL), -ERR_SYSTEM);
    cgroups_free(cg);
}

static void test_version_2_alone(void **state)
{
    struct fixture *f = *state;
    const struct cgroup_limits limits = {1u << 30, 1024};
    CLEANUP(freep)
    char *text = str_printf("34 25 0:29 / %s/u\\040x rw - cgroup2 cgroup2 rw\n", f->dir);
    struct cgroups *cg;

    put(f, "mountinfo", text);
    put(f, "u x/cgroup.controllers", "cpuset cpu io memory pids\n");
    put(f, "u x/hearth-n1.0123abcd/a/memory.max", "");
    put(f, "u x/hearth-n1.0123abcd/a/cpu.weight", "");
    put(f, "u x/hearth-n1.0123abcd/a/cgroup.freeze", "");
    assert_int_equal(open_tree(f, &cg, NULL), 0);
    assert_null(cgroups_unused_mount(cg));
    /* a kernel without accounting for swap */
    assert_int_equal(cgroup_limit(cg, "a", &limits, NULL), 0);
    assert_holds(f, "u x/hearth-n1.0123abcd/a/memory.max", "1073741824");
    assert_holds(f, "u x/hearth-n1.0123abcd/a/cpu.weight", "39");
    assert_int_equal(cgroup_freeze(cg, "a", true, NULL), 0);
    assert_holds(f, "u x/hearth-n1.0123abcd/a/cgroup.freeze", "1");
    cgroups_free(cg);
}

static void test_missing_controllers_are_told(void **state)
{
    struct fixture *f = *state;
    struct cgroups *cg;
    struct error err;

    put(f, "mountinfo", "30 25 0:25 / /x rw - cgroup cgroup rw,memory\n");
    assert_int_equal(open_tree(f, &cg, &err), -ERR_UNSUPPORTED);
}

static bool there(const struct fixture *f, const char *path)
{
    CLEANUP(freep) char *whole = str_printf("%s/%s", f->dir, path);

    return access(whole, F_OK) == 0;
}

static void make_folder(const struct fixture *f, const char *path)
{
    CLEANUP(freep) char *whole = str_printf("%s/%s", f->dir, path);

    assert_int_equal(dir_make(whole, 0755, NULL), 0);
}

static void test_a_sweep_takes_the_earlier_lives_of_this_node_only(void **state)
{
    static const char *const gone[] = {"memory/hearth-n1.00000001/a", "pids/hearth-n1.00000002"};
    static const char *const stay[] = {"memory/hearth-n1.0123abcd/a", "memory/hearth-n1.x.00000001",
                                       "memory/hearth-n11.00000001", "memory/hearth-n1.0000000g",
                                       "memory/other"};
    struct fixture *f = *state;
    struct cgroups *cg;
    size_t i;

    make_v1(f);
    for (i = 0; i < ARRAY_LEN(gone); i++)
        make_folder(f, gone[i]);
    for (i = 0; i < ARRAY_LEN(stay); i++)
        make_folder(f, stay[i]);
    assert_int_equal(open_tree(f, &cg, NULL), 0);
    assert_int_equal(cgroups_sweep(cg, true, NULL), 0);
    for (i = 0; i < ARRAY_LEN(gone); i++)
        assert_false(there(f, gone[i]));
    for (i = 0; i < ARRAY_LEN(stay); i++)
        assert_true(there(f, stay[i]));
    assert_int_equal(cgroups_sweep(cg, false, NULL), 0);
    assert_false(there(f, stay[0]));
    assert_true(there(f, stay[1]));
    cgroups_free(cg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_version_1_beside_an_empty_version_2, setup, teardown),
        cmocka_unit_test_setup_teardown(test_version_2_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_missing_controllers_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_sweep_takes_the_earlier_lives_of_this_node_only,
                                        setup, teardown),
    };

    return cmocka_run_group_tests_name("cgroup", tests, NULL, NULL);
}
