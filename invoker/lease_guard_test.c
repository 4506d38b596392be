/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/lease_guard.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/clock.h"

#define PATIENCE_MS 10000
#define MOMENT_US MSEC(150) /* enough for one that should not die to be killed by mistake */

static struct {
    struct lease_guard *guard;
    pid_t pid[2];
    int pidfd[2];
} w;

static void begin_sandbox(int i)
{
    w.pid[i] = fork();
    if (w.pid[i] == 0) {
        close_range(3, ~0u, 0); /* the guard's socket is ours alone */
        pause();
        _exit(0);
    }
    w.pidfd[i] = pidfd_open(w.pid[i], 0);
    assert_true(w.pidfd[i] >= 0);
    lease_guard_add(w.guard, w.pidfd[i]);
}

static bool dies(int i)
{
    struct pollfd death = {w.pidfd[i], POLLIN, 0};

    return poll(&death, 1, PATIENCE_MS) == 1;
}

static bool lives(int i)
{
    struct pollfd death = {w.pidfd[i], POLLIN, 0};

    return poll(&death, 1, 0) == 0;
}

static uint64_t in_us(uint64_t us)
{
    return clock_now_us(&clock_boot) + us;
}

static int make(void **state)
{
    (void)state;
    return lease_guard_new(&w.guard, NULL);
}

static int end(void **state)
{
    int i;
    (void)state;

    lease_guard_free(w.guard);
    for (i = 0; i < 2; i++) {
        if (w.pid[i] > 0) {
            kill(w.pid[i], SIGKILL);
            waitpid(w.pid[i], NULL, 0);
            close(w.pidfd[i]);
        }
        w.pid[i] = 0;
    }
    return 0;
}

/* We stand still here: nobody but the guard does anything. */
static void all_die_when_the_lease_is_over(void **state)
{
    uint64_t began;
    (void)state;

    begin_sandbox(0);
    begin_sandbox(1);
    began = now_us();
    lease_guard_set(w.guard, in_us(MSEC(100)));
    assert_true(dies(0));
    assert_true(dies(1));
    assert_in_range(now_us() - began, MSEC(100), SECONDS(5));
}

static void nobody_dies_while_it_is_put_off(void **state)
{
    int i;
    (void)state;

    begin_sandbox(0);
    for (i = 0; i < 6; i++) {
        lease_guard_set(w.guard, in_us(SECONDS(2)));
        usleep(MSEC(50));
    }
    lease_guard_set(w.guard, in_us(MSEC(100))); /* and a shorter one holds */
    assert_true(lives(0));
    assert_true(dies(0));
}

static void nobody_dies_without_a_lease(void **state)
{
    (void)state;
    begin_sandbox(0);
    usleep(MOMENT_US);
    assert_true(lives(0));
    lease_guard_set(w.guard, in_us(MSEC(50)));
    lease_guard_set(w.guard, 0);
    usleep(MOMENT_US);
    assert_true(lives(0));
    lease_guard_set(w.guard, in_us(MSEC(50))); /* there is one again */
    assert_true(dies(0));
}

static void one_that_comes_too_late_dies_too(void **state)
{
    (void)state;
    begin_sandbox(0);
    lease_guard_set(w.guard, in_us(MSEC(20)));
    assert_true(dies(0));
    begin_sandbox(1);
    assert_true(dies(1));
    lease_guard_set(w.guard, in_us(SECONDS(60)));
    waitpid(w.pid[0], NULL, 0);
    close(w.pidfd[0]);
    begin_sandbox(0);
    usleep(MOMENT_US);
    assert_true(lives(0));
}

static void it_does_nothing_when_we_are_gone(void **state)
{
    (void)state;
    begin_sandbox(0);
    lease_guard_set(w.guard, in_us(MSEC(100)));
    lease_guard_free(w.guard);
    w.guard = NULL;
    usleep(2 * MOMENT_US);
    assert_true(lives(0));
    lease_guard_add(NULL, w.pidfd[0]);
    lease_guard_set(NULL, 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make, end)
    const struct CMUnitTest tests[] = {
        TEST(all_die_when_the_lease_is_over),   TEST(nobody_dies_while_it_is_put_off), TEST(nobody_dies_without_a_lease),
        TEST(one_that_comes_too_late_dies_too), TEST(it_does_nothing_when_we_are_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
