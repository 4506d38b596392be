/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/process_death.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/clock.h"

static struct {
    struct loop *loop;
    struct process_death death;
    struct timer patience;
    pid_t pid;
    int told;
} w;

static void on_dead(void *arg)
{
    assert_ptr_equal(arg, &w);
    w.told++;
    loop_stop(w.loop);
}

static void on_patience(void *arg)
{
    (void)arg;
    loop_stop(w.loop);
}

static void run(uint64_t us)
{
    timer_start(&w.patience, us);
    loop_run(w.loop);
    timer_stop(&w.patience);
}

static int make(void **state)
{
    (void)state;
    w.told = 0;
    w.loop = loop_new();
    timer_init(&w.patience, w.loop, on_patience, NULL);
    process_death_init(&w.death, w.loop, on_dead, &w);
    w.pid = fork();
    if (w.pid == 0) {
        pause();
        _exit(0);
    }
    process_death_note(&w.death, w.pid);
    return 0;
}

static int end(void **state)
{
    (void)state;
    process_death_done(&w.death);
    kill(w.pid, SIGKILL);
    waitpid(w.pid, NULL, 0);
    loop_free(w.loop);
    return 0;
}

static void it_is_told_once(void **state)
{
    (void)state;
    process_death_watch(&w.death);
    process_death_watch(&w.death);
    kill(w.pid, SIGKILL);
    run(SECONDS(10));
    assert_int_equal(w.told, 1);
    process_death_watch(&w.death);
    run(MSEC(5));
    assert_int_equal(w.told, 1);
}

static void nobody_is_told_who_did_not_ask(void **state)
{
    (void)state;
    kill(w.pid, SIGKILL);
    run(MSEC(5));
    assert_int_equal(w.told, 0);
    process_death_watch(&w.death); /* it is dead already */
    run(SECONDS(10));
    assert_int_equal(w.told, 1);
}

static void what_is_not_seen_is_not_told(void **state)
{
    (void)state;
    process_death_note(&w.death, 0);
    process_death_watch(&w.death);
    kill(w.pid, SIGKILL);
    run(MSEC(5));
    assert_int_equal(w.told, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_told_once, make, end),
        cmocka_unit_test_setup_teardown(nobody_is_told_who_did_not_ask, make, end),
        cmocka_unit_test_setup_teardown(what_is_not_seen_is_not_told, make, end),
    };

    return cmocka_run_group_tests_name("process_death", tests, NULL, NULL);
}
