/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/io/loop.h"
#include "common/io/timer_heap.h"

/* What happened, one letter an event. */
static struct {
    struct loop *loop;
    char seen[64];
    size_t len;
} t;

static void note(char c)
{
    assert_true(t.len < sizeof(t.seen) - 1);
    t.seen[t.len++] = c;
}

static int set_up(void **state)
{
    (void)state;
    memset(&t, 0, sizeof(t));
    t.loop = loop_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    loop_free(t.loop);
    return 0;
}

static void on_note(void *arg)
{
    note(*(const char *)arg);
}

static void on_stop(void *arg)
{
    (void)arg;
    loop_stop(t.loop);
}

static void timers_fire_in_the_order_of_their_deadlines(void **state)
{
    struct timer a, b, c, end;

    (void)state;
    timer_init(&a, t.loop, on_note, "a");
    timer_init(&b, t.loop, on_note, "b");
    timer_init(&c, t.loop, on_note, "c");
    timer_init(&end, t.loop, on_stop, NULL);
    timer_start(&end, MSEC(9));
    timer_start(&c, MSEC(6));
    timer_start(&a, 0);
    timer_start(&b, MSEC(3));
    loop_run(t.loop);
    assert_string_equal(t.seen, "abc");
    assert_false(timer_is_armed(&a));
}

static void a_timer_is_never_early(void **state)
{
    struct timer end;
    uint64_t start = now_us();

    (void)state;
    timer_init(&end, t.loop, on_stop, NULL);
    timer_start(&end, 2500);
    loop_run(t.loop);
    assert_true(now_us() - start >= 2500);
}

/* Each call of the HTTP client begins with one. */
static void a_timer_of_nothing_does_not_wait_for_the_next_millisecond(void **state)
{
    struct timer end;
    uint64_t took = 0, began;
    int i;

    (void)state;
    timer_init(&end, t.loop, on_stop, NULL);
    for (i = 0; i < 200; i++) {
        usleep(137); /* at any part of a millisecond */
        began = now_us();
        timer_start(&end, 0);
        loop_run(t.loop);
        took += now_us() - began < 200;
    }
    assert_in_range(took, 150, 200); /* a busy machine may take its time now and then */
}

static struct timer victim;

static void on_stop_victim(void *arg)
{
    (void)arg;
    note('s');
    timer_stop(&victim);
}

static void a_timer_stopped_by_another_one_that_is_due_too_does_not_fire(void **state)
{
    struct timer killer, end;

    (void)state;
    timer_init(&victim, t.loop, on_note, "v");
    timer_init(&killer, t.loop, on_stop_victim, NULL);
    timer_init(&end, t.loop, on_stop, NULL);
    timer_start(&killer, 1);
    timer_start(&victim, 2);
    timer_start(&end, MSEC(2));
    loop_run(t.loop);
    assert_string_equal(t.seen, "s");
    timer_stop(&victim); /* harmless twice */
}

static struct timer again;

static void on_again(void *arg)
{
    int *left = arg;

    note('r');
    assert_false(timer_is_armed(&again));
    if (--*left > 0)
        timer_start(&again, 0);
    else
        loop_stop(t.loop);
}

static void a_timer_may_arm_itself_again(void **state)
{
    int left = 3;

    (void)state;
    timer_init(&again, t.loop, on_again, &left);
    timer_start(&again, MSEC(1));
    timer_start(&again, 0); /* re-arming replaces the deadline */
    loop_run(t.loop);
    assert_string_equal(t.seen, "rrr");
}

static void an_earlier_timer_armed_later_wakes_the_loop(void **state)
{
    struct timer late, end;
    uint64_t start = now_us();

    (void)state;
    timer_init(&late, t.loop, on_note, "l");
    timer_init(&end, t.loop, on_stop, NULL);
    timer_start(&late, SECONDS(100));
    timer_start(&end, MSEC(1));
    loop_run(t.loop);
    assert_true(now_us() - start < SECONDS(50));
    timer_stop(&late);
}

static void the_heap_gives_timers_sorted_whatever_is_removed(void **state)
{
    struct timer_heap heap = {0};
    struct timer timers[200] = {0};
    struct timer *first;
    uint64_t last = 0, rnd = 1;
    size_t i, len = ARRAY_LEN(timers);

    (void)state;
    for (i = 0; i < ARRAY_LEN(timers); i++) {
        rnd = rnd * 6364136223846793005u + 1442695040888963407u;
        timers[i].due_us = rnd >> 56; /* few values: many are equal */
        timer_heap_push(&heap, &timers[i]);
    }
    for (i = 0; i < ARRAY_LEN(timers); i += 3, len--)
        timer_heap_remove(&heap, &timers[i]);
    for (; (first = timer_heap_first(&heap)); len--) {
        assert_true(first->due_us >= last);
        last = first->due_us;
        timer_heap_remove(&heap, first);
    }
    assert_int_equal(len, 0);
    timer_heap_done(&heap);
}

static void on_defer_two(void *arg)
{
    (void)arg;
    loop_defer(t.loop, on_note, "d");
    loop_defer(t.loop, on_stop, NULL);
    note('c'); /* the deferred call has not run inside */
}

static void a_deferred_call_runs_after_the_caller_and_does_not_wait(void **state)
{
    struct timer now, far;

    (void)state;
    timer_init(&now, t.loop, on_defer_two, NULL);
    timer_init(&far, t.loop, on_note, "f"); /* the loop would block until then */
    timer_start(&far, SECONDS(100));
    timer_start(&now, 0);
    loop_run(t.loop);
    assert_string_equal(t.seen, "cd");
    timer_stop(&far);
}

static void on_chain(void *arg)
{
    int *left = arg;

    note('x');
    if (--*left > 0)
        loop_defer(t.loop, on_chain, left);
    else
        loop_stop(t.loop);
}

static void a_deferred_call_may_defer_again_without_the_loop_blocking(void **state)
{
    int left = 5;

    (void)state;
    loop_defer(t.loop, on_chain, &left); /* nothing else could wake the loop */
    loop_run(t.loop);
    assert_string_equal(t.seen, "xxxxx");
}

static void deferred_calls_run_when_the_loop_is_freed(void **state)
{
    struct loop *loop = loop_new();

    (void)state;
    loop_defer(loop, on_note, "q");
    loop_post(loop, on_note, "p");
    loop_free(loop);
    assert_string_equal(t.seen, "qp");
}

enum { POSTERS = 4, POSTS = 500 };
static int posted_sum; /* written on the loop's thread only */

static void on_posted_one(void *arg)
{
    posted_sum++;
    if (posted_sum == POSTERS * POSTS)
        loop_stop(arg);
}

static void *post_many(void *arg)
{
    int i;

    for (i = 0; i < POSTS; i++)
        loop_post(arg, on_posted_one, arg);
    return NULL;
}

static void posts_from_many_threads_all_arrive(void **state)
{
    pthread_t threads[POSTERS];
    size_t i;

    (void)state;
    posted_sum = 0;
    for (i = 0; i < POSTERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, post_many, t.loop), 0);
    loop_run(t.loop);
    for (i = 0; i < POSTERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(posted_sum, POSTERS * POSTS);
}

struct sum_job {
    int in, out;
    pthread_t worker;
};

static void on_sum_work(void *arg)
{
    struct sum_job *job = arg;

    job->out = job->in + 1;
    job->worker = pthread_self();
}

static void on_sum_done(void *arg)
{
    (void)arg;
    loop_stop(t.loop);
}

static void work_runs_on_another_thread_and_ends_on_the_loop(void **state)
{
    struct sum_job job = {.in = 41};

    (void)state;
    loop_work(t.loop, on_sum_work, on_sum_done, &job);
    loop_run(t.loop);
    assert_int_equal(job.out, 42);
    assert_false(pthread_equal(job.worker, pthread_self()));
}

static int pipe_fds[2];
static struct watch *watch;

static void on_readable(int fd, int events, void *arg)
{
    char c;

    (void)arg;
    assert_int_equal(events, WATCH_READ);
    assert_int_equal(read(fd, &c, 1), 1);
    note(c);
    if (c == '2') {
        watch_free(watch); /* in its own callback */
        loop_stop(t.loop);
    }
}

static void a_watch_is_level_triggered_and_can_be_freed_inside(void **state)
{
    (void)state;
    assert_int_equal(pipe(pipe_fds), 0);
    watch = watch_new(t.loop, pipe_fds[0], on_readable, NULL);
    watch_set(watch, WATCH_READ);
    assert_int_equal(write(pipe_fds[1], "12", 2), 2);
    loop_run(t.loop);
    assert_string_equal(t.seen, "12");
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}

static void on_broken_pipe(int fd, int events, void *arg)
{
    (void)arg;
    assert_int_equal(events, WATCH_WRITE);
    assert_int_equal(write(fd, "x", 1), -1); /* and no SIGPIPE */
    note('e');
    if (t.len == 2) {
        watch_free(watch);
        loop_stop(t.loop);
    }
}

static void a_watch_tells_of_an_error_as_often_as_it_is_there(void **state)
{
    (void)state;
    assert_int_equal(pipe(pipe_fds), 0);
    close(pipe_fds[0]);
    watch = watch_new(t.loop, pipe_fds[1], on_broken_pipe, NULL);
    watch_set(watch, WATCH_WRITE);
    loop_run(t.loop);
    assert_string_equal(t.seen, "ee");
    close(pipe_fds[1]);
}

static void on_usr1(void *arg)
{
    note(*(const char *)arg);
    loop_stop(t.loop);
}

static void a_signal_calls_back_on_the_loop(void **state)
{
    (void)state;
    loop_on_signal(t.loop, SIGUSR1, on_usr1, "u");
    raise(SIGUSR1);
    loop_run(t.loop);
    raise(SIGUSR1);
    loop_run(t.loop);
    assert_string_equal(t.seen, "uu");
}

static void on_clock(void *arg)
{
    uint64_t *at = arg;

    *at = loop_now_us(t.loop);
    assert_int_equal(loop_now_us(t.loop), *at);
    assert_true(now_us() >= *at);
}

static void the_loops_clock_stands_still_within_a_turn_and_moves_between(void **state)
{
    struct timer a, b, end;
    uint64_t at_a = 0, at_b = 0, start = loop_now_us(t.loop);

    (void)state;
    timer_init(&a, t.loop, on_clock, &at_a);
    timer_init(&b, t.loop, on_clock, &at_b);
    timer_init(&end, t.loop, on_stop, NULL);
    timer_start(&a, 0);
    timer_start(&b, MSEC(3));
    timer_start(&end, MSEC(5));
    loop_run(t.loop);
    assert_true(at_a >= start);
    assert_true(at_b >= start + MSEC(3));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(timers_fire_in_the_order_of_their_deadlines),
        TEST(a_timer_is_never_early),
        TEST(a_timer_of_nothing_does_not_wait_for_the_next_millisecond),
        TEST(a_timer_stopped_by_another_one_that_is_due_too_does_not_fire),
        TEST(a_timer_may_arm_itself_again),
        TEST(an_earlier_timer_armed_later_wakes_the_loop),
        TEST(the_heap_gives_timers_sorted_whatever_is_removed),
        TEST(a_deferred_call_runs_after_the_caller_and_does_not_wait),
        TEST(a_deferred_call_may_defer_again_without_the_loop_blocking),
        TEST(deferred_calls_run_when_the_loop_is_freed),
        TEST(posts_from_many_threads_all_arrive),
        TEST(work_runs_on_another_thread_and_ends_on_the_loop),
        TEST(a_watch_is_level_triggered_and_can_be_freed_inside),
        TEST(a_watch_tells_of_an_error_as_often_as_it_is_there),
        TEST(a_signal_calls_back_on_the_loop),
        TEST(the_loops_clock_stands_still_within_a_turn_and_moves_between),
    };

    return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
