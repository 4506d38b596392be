/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/cgroup_life.h"

#include "invoker/cgroup_fixture.h"

static int open_tree(const struct fixture *f, struct cgroup_life **ret, struct error *err)
{
    const struct cgroup_life_options o = {f->mountinfo, "n1", "0123abcd"};

    return cgroup_life_new(&o, ret, err);
}

static void test_version_1_beside_an_empty_version_2(void **state)
{
    struct fixture *f = *state;
    struct cgroup_life *life;
    struct cgroup cg;
    CLEANUP(freep) char *unused = str_printf("%s/unified", f->dir);
    CLEANUP(freep) char *cpu = str_printf("%s/cpu/hearth-n1.0123abcd/a", f->dir);
    CLEANUP(freep) char *freezer = str_printf("%s/freezer/hearth-n1.0123abcd/a", f->dir);

    make_v1(f);
    assert_int_equal(open_tree(f, &life, NULL), 0);
    assert_string_equal(cgroup_life_parent(life), "/hearth-n1.0123abcd");
    assert_string_equal(cgroup_life_unused_mount(life), unused);
    cgroup_life_child(life, "a", &cg);
    assert_false(cg.is_v2);
    assert_string_equal(cg.folder[CGROUP_CPU], cpu);
    assert_string_equal(cg.folder[CGROUP_FREEZER], freezer);
    cgroup_done(&cg);
    cgroup_life_free(life);
}

static void test_version_2_alone(void **state)
{
    struct fixture *f = *state;
    CLEANUP(freep) char *folder = str_printf("%s/u x/hearth-n1.0123abcd/a", f->dir);
    enum cgroup_controller i;
    struct cgroup_life *life;
    struct cgroup cg;

    make_v2(f);
    assert_int_equal(open_tree(f, &life, NULL), 0);
    assert_null(cgroup_life_unused_mount(life));
    cgroup_life_child(life, "a", &cg);
    assert_true(cg.is_v2);
    for (i = 0; i < CGROUP_CONTROLLERS; i++)
        assert_string_equal(cg.folder[i], folder);
    cgroup_done(&cg);
    cgroup_life_free(life);
}

static void test_missing_controllers_are_told(void **state)
{
    struct fixture *f = *state;
    struct cgroup_life *life;
    struct error err;

    put(f, "mountinfo", "30 25 0:25 / /x rw - cgroup cgroup rw,memory\n");
    assert_int_equal(open_tree(f, &life, &err), -ERR_UNSUPPORTED);
}

static void test_a_child_is_removed_from_every_hierarchy(void **state)
{
    struct fixture *f = *state;
    struct cgroup_life *life;

    make_v1(f);
    make_folder(f, "memory/hearth-n1.0123abcd/a");
    make_folder(f, "freezer/hearth-n1.0123abcd/a");
    make_folder(f, "freezer/hearth-n1.0123abcd/b");
    assert_int_equal(open_tree(f, &life, NULL), 0);
    assert_int_equal(cgroup_life_remove(life, "a", NULL), 0);
    assert_false(there(f, "memory/hearth-n1.0123abcd/a"));
    assert_false(there(f, "freezer/hearth-n1.0123abcd/a"));
    assert_true(there(f, "freezer/hearth-n1.0123abcd/b"));
    put(f, "freezer/hearth-n1.0123abcd/b/file", ""); /* it cannot be removed */
    assert_int_equal(cgroup_life_remove(life, "b", NULL), -ERR_SYSTEM);
    cgroup_life_free(life);
}

static void test_a_sweep_takes_the_earlier_lives_of_this_node_only(void **state)
{
    static const char *const gone[] = {"memory/hearth-n1.00000001/a", "pids/hearth-n1.00000002"};
    static const char *const stay[] = {"memory/hearth-n1.0123abcd/a", "memory/hearth-n1.x.00000001",
                                       "memory/hearth-n11.00000001", "memory/hearth-n1.0000000g",
                                       "memory/other"};
    struct fixture *f = *state;
    struct cgroup_life *life;
    size_t i;

    make_v1(f);
    for (i = 0; i < ARRAY_LEN(gone); i++)
        make_folder(f, gone[i]);
    for (i = 0; i < ARRAY_LEN(stay); i++)
        make_folder(f, stay[i]);
    assert_int_equal(open_tree(f, &life, NULL), 0);
    assert_int_equal(cgroup_life_sweep(life, true, NULL), 0);
    for (i = 0; i < ARRAY_LEN(gone); i++)
        assert_false(there(f, gone[i]));
    for (i = 0; i < ARRAY_LEN(stay); i++)
        assert_true(there(f, stay[i]));
    assert_int_equal(cgroup_life_sweep(life, false, NULL), 0);
    assert_false(there(f, stay[0]));
    assert_true(there(f, stay[1]));
    cgroup_life_free(life);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_version_1_beside_an_empty_version_2, setup, teardown),
        cmocka_unit_test_setup_teardown(test_version_2_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_missing_controllers_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_child_is_removed_from_every_hierarchy, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_sweep_takes_the_earlier_lives_of_this_node_only,
                                        setup, teardown),
    };

    return cmocka_run_group_tests_name("cgroup_life", tests, NULL, NULL);
}
