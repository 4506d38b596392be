/* SPDX-License-Identifier: Apache-2.0 */
/* Folders play the cgroups, a socket of the test the engine. */
#include "invoker/thaw_janitor.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "invoker/cgroup_fixture.h"

static bool holds(const struct fixture *f, const char *path, const char *text)
{
    CLEANUP(freep) char *whole = str_printf("%s/%s", f->dir, path);
    CLEANUP(buf_done) struct buf b = BUF_INIT(64);

    assert_int_equal(file_read(whole, &b, NULL), 0);
    return str_is(buf_str(&b), text);
}

static void wait_until_holds(const struct fixture *f, const char *path, const char *text)
{
    uint64_t until = now_us() + SECONDS(10);

    while (!holds(f, path, text) && now_us() < until)
        usleep(1000);
    assert_true(holds(f, path, text));
}

static void test_what_it_knows_goes_on_at_our_end_and_nothing_else(void **state)
{
    struct fixture *f = *state;
    CLEANUP(freep) char *a = str_printf("%s/a", f->dir);
    CLEANUP(freep) char *b = str_printf("%s/b", f->dir);
    CLEANUP(freep) char *c = str_printf("%s/c", f->dir);
    struct cgroup v1 = {.folder = {[CGROUP_FREEZER] = a}}, gone = {.folder = {[CGROUP_FREEZER] = b}};
    struct cgroup v2 = {.folder = {[CGROUP_FREEZER] = c}, .is_v2 = true}, none = {.is_v2 = true};
    struct thaw_janitor *janitor;

    put(f, "a/freezer.state", "");
    put(f, "b/freezer.state", "");
    put(f, "c/cgroup.freeze", "");
    assert_int_equal(thaw_janitor_new(NULL, &janitor, NULL), 0);
    assert_int_equal(thaw_janitor_add_cgroup(janitor, &v1), 0);
    assert_int_equal(thaw_janitor_add_cgroup(janitor, &gone), 0);
    assert_int_equal(thaw_janitor_add_cgroup(janitor, &v2), 0);
    assert_int_equal(thaw_janitor_add_cgroup(janitor, &v2), 0);
    assert_int_equal(thaw_janitor_add_cgroup(janitor, &none), -ERR_SYSTEM);
    thaw_janitor_remove_cgroup(janitor, &gone);
    usleep(20000);
    assert_true(holds(f, "a/freezer.state", ""));
    thaw_janitor_free(janitor);
    wait_until_holds(f, "a/freezer.state", "THAWED");
    wait_until_holds(f, "c/cgroup.freeze", "0");
    usleep(20000);
    assert_true(holds(f, "b/freezer.state", ""));
}

static void test_paused_containers_are_let_go_on_by_the_engine(void **state)
{
    struct fixture *f = *state;
    CLEANUP(freep) char *path = str_printf("%s/docker.sock", f->dir);
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;
    char text[512];
    struct thaw_janitor *janitor;
    ssize_t n;

    snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
    assert_int_equal(bind(listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
    assert_int_equal(listen(listener, 4), 0);
    assert_int_equal(thaw_janitor_new(path, &janitor, NULL), 0);
    assert_int_equal(thaw_janitor_add_container(janitor, "hearth-a"), 0);
    assert_int_equal(thaw_janitor_add_container(janitor, "hearth-b"), 0);
    thaw_janitor_remove_container(janitor, "hearth-a");
    thaw_janitor_free(janitor);
    fd = accept(listener, NULL, NULL);
    n = recv(fd, text, sizeof(text) - 1, 0);
    assert_true(n > 0);
    text[n] = '\0';
    assert_string_equal(text, "POST /containers/hearth-b/unpause HTTP/1.1\r\nHost: docker\r\n"
                              "Content-Length: 0\r\nConnection: close\r\n\r\n");
    close(fd);
    close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_it_knows_goes_on_at_our_end_and_nothing_else,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_paused_containers_are_let_go_on_by_the_engine, setup,
                                        teardown),
    };

    return cmocka_run_group_tests_name("thaw_janitor", tests, NULL, NULL);
}
