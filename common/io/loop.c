/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A turn of libuv's loop: timers, idle, prepare, wait for descriptors and call their users, check,
 * closed handles (newer versions run timers last). Deferred calls run in check, which is the end of
 * the turn, and again in prepare, just before the wait, for those that timers and closed handles
 * asked for. Both handles are the first of the loop, hence the last of their kind to run.
 */
#include "common/io/loop.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <uv.h>

#include "common/base/alloc.h"
#include "common/base/clock.h"
#include "common/io/timer_heap.h"

struct call {
    loop_fn *fn;
    void *arg;
};

/* Calls that wait; two arrays that change roles, so that a steady loop allocates nothing. */
struct call_queue {
    struct call *items, *spare;
    size_t len, cap, spare_cap;
};

struct loop {
    uv_loop_t uv;
    uv_timer_t wake; /* for the earliest of our timers */
    uv_prepare_t before_wait;
    uv_check_t after_wait;
    uv_idle_t no_wait; /* active: the loop does not block */
    uv_async_t posted_wake;
    bool running, closing;
    uint64_t now; /* 0: not read yet in this turn */
    struct timer_heap timers;
    uint64_t wake_ms; /* what wake is armed for, in uv_now()'s time; 0: not armed */
    struct call_queue deferred;
    pthread_mutex_t posted_lock; /* guards posted */
    struct call_queue posted;
    struct list_node signals;
};

struct watch {
    uv_poll_t poll;
    watch_fn *fn;
    void *arg;
    int fd;
    int events; /* WATCH_* */
};

struct signal_watch {
    uv_signal_t uv;
    loop_fn *fn;
    void *arg;
    struct list_node node;
};

struct job {
    uv_work_t uv;
    loop_fn *work, *done;
    void *arg;
};

/* For calls of libuv that fail only when memory or descriptors are gone at start, or by our bug. */
static void must(int r)
{
    if (r < 0)
        abort();
}

/* ---- calls that wait */

static void queue_add(struct call_queue *q, loop_fn *fn, void *arg)
{
    if (q->len == q->cap) {
        q->cap = q->cap ? 2 * q->cap : 32;
        q->items = reallocarray(q->items, q->cap, sizeof(*q->items));
        if (!q->items)
            abort();
    }
    q->items[q->len++] = (struct call){fn, arg};
}

/* Hands out what waits; new calls go to the other array. It comes back by queue_give_back(). */
static struct call *queue_take(struct call_queue *q, size_t *ret_len, size_t *ret_cap)
{
    struct call *taken = q->items;

    *ret_len = q->len;
    *ret_cap = q->cap;
    q->items = q->spare;
    q->cap = q->spare_cap;
    q->len = 0;
    q->spare = NULL;
    q->spare_cap = 0;
    return taken;
}

static void queue_give_back(struct call_queue *q, struct call *taken, size_t cap)
{
    free(q->spare); /* not empty only when a call ran the queue itself, which loop_free() may */
    q->spare = taken;
    q->spare_cap = cap;
}

static void queue_done(struct call_queue *q)
{
    free(q->items);
    free(q->spare);
    *q = (struct call_queue){0};
}

/* Runs those that wait now; those that they ask for wait for the next time. */
static bool run_deferred(struct loop *loop)
{
    struct call *calls;
    size_t len, cap, i;

    if (loop->deferred.len == 0)
        return false;
    calls = queue_take(&loop->deferred, &len, &cap);
    for (i = 0; i < len; i++)
        calls[i].fn(calls[i].arg);
    queue_give_back(&loop->deferred, calls, cap);
    return true;
}

static bool run_posted(struct loop *loop)
{
    struct call *calls;
    size_t len, cap, i;

    pthread_mutex_lock(&loop->posted_lock);
    calls = queue_take(&loop->posted, &len, &cap);
    pthread_mutex_unlock(&loop->posted_lock);
    for (i = 0; i < len; i++)
        calls[i].fn(calls[i].arg);
    pthread_mutex_lock(&loop->posted_lock);
    queue_give_back(&loop->posted, calls, cap);
    pthread_mutex_unlock(&loop->posted_lock);
    return len > 0;
}

static void on_no_wait(uv_idle_t *idle)
{
    (void)idle;
}

static void on_before_wait(uv_prepare_t *prepare)
{
    struct loop *loop = prepare->data;

    run_deferred(loop);
    if (loop->deferred.len > 0)
        uv_idle_start(&loop->no_wait, on_no_wait);
    else
        uv_idle_stop(&loop->no_wait);
    loop->now = 0;
}

static void on_after_wait(uv_check_t *check)
{
    run_deferred(check->data);
}

static void on_posted(uv_async_t *async)
{
    run_posted(async->data);
}

void loop_defer(struct loop *loop, loop_fn *fn, void *arg)
{
    queue_add(&loop->deferred, fn, arg);
}

void loop_post(struct loop *loop, loop_fn *fn, void *arg)
{
    pthread_mutex_lock(&loop->posted_lock);
    queue_add(&loop->posted, fn, arg);
    /* under the lock: the call cannot run, and end the loop, before we are through with it */
    uv_async_send(&loop->posted_wake);
    pthread_mutex_unlock(&loop->posted_lock);
}

static void on_job_work(uv_work_t *work)
{
    struct job *job = CONTAINER_OF(work, struct job, uv);

    job->work(job->arg);
}

static void on_job_done(uv_work_t *work, int status)
{
    struct job *job = CONTAINER_OF(work, struct job, uv);

    (void)status; /* we never cancel */
    job->done(job->arg);
    free(job);
}

void loop_work(struct loop *loop, loop_fn *work, loop_fn *done, void *arg)
{
    struct job *job = xcalloc(sizeof(*job));

    job->work = work;
    job->done = done;
    job->arg = arg;
    must(uv_queue_work(&loop->uv, &job->uv, on_job_work, on_job_done));
}

/* ---- timers */

static void on_wake(uv_timer_t *timer);

/* Arms wake for the first timer, unless it will come earlier anyway: then it finds nothing due and
 * arms itself again, which is cheaper than following each timer that is started and stopped.
 * @at_once: the first one is due now, and need not wait for libuv's next millisecond. */
static void arm_wake(struct loop *loop, bool at_once)
{
    struct timer *first = timer_heap_first(&loop->timers);
    uint64_t due_ms, uv_ms = uv_now(&loop->uv);

    if (!first || loop->closing)
        return;
    due_ms = first->due_us / 1000 + (first->due_us % 1000 != 0); /* libuv's unit; never early */
    if (at_once)
        due_ms = uv_ms;
    if (loop->wake_ms != 0 && loop->wake_ms <= due_ms)
        return;
    loop->wake_ms = due_ms;
    must(uv_timer_start(&loop->wake, on_wake, due_ms > uv_ms ? due_ms - uv_ms : 0, 0));
}

static void on_wake(uv_timer_t *timer)
{
    struct loop *loop = timer->data;
    uint64_t now = now_us();
    struct timer *first;

    loop->now = now;
    loop->wake_ms = 1; /* before all others: timers started meanwhile are looked at below */
    while ((first = timer_heap_first(&loop->timers)) && first->due_us <= now) {
        timer_heap_remove(&loop->timers, first);
        first->fn(first->arg);
    }
    loop->wake_ms = 0;
    arm_wake(loop, false); /* those of 0 that callbacks started wait, or other work would never come */
}

void timer_init(struct timer *t, struct loop *loop, loop_fn *fn, void *arg)
{
    *t = (struct timer){.loop = loop, .fn = fn, .arg = arg};
}

void timer_start(struct timer *t, uint64_t after_us)
{
    struct loop *loop = t->loop;

    timer_stop(t);
    /* not loop_now_us(): after a long turn the timer would fire early */
    if (__builtin_add_overflow(now_us(), after_us, &t->due_us))
        t->due_us = UINT64_MAX;
    timer_heap_push(&loop->timers, t);
    arm_wake(loop, after_us == 0);
}

void timer_stop(struct timer *t)
{
    if (t->at)
        timer_heap_remove(&t->loop->timers, t);
}

bool timer_is_armed(const struct timer *t)
{
    return t->at != 0;
}

/* ---- descriptors */

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct watch *w = CONTAINER_OF(poll, struct watch, poll);
    int got = 0;

    if (status < 0) {
        /* libuv has stopped watching; to be level-triggered means to go on, and the user finds
         * the error when it reads or writes */
        got = w->events;
        w->events = 0;
        watch_set(w, got);
    } else {
        got = ((events & UV_READABLE) ? WATCH_READ : 0) |
              ((events & UV_WRITABLE) ? WATCH_WRITE : 0);
    }
    w->fn(w->fd, got, w->arg);
}

struct watch *watch_new(struct loop *loop, int fd, watch_fn *fn, void *arg)
{
    struct watch *w = xcalloc(sizeof(*w));

    w->fn = fn;
    w->arg = arg;
    w->fd = fd;
    must(uv_poll_init(&loop->uv, &w->poll, fd));
    return w;
}

void watch_set(struct watch *w, int events)
{
    if (events == w->events)
        return;
    w->events = events;
    if (events == 0)
        must(uv_poll_stop(&w->poll));
    else
        must(uv_poll_start(&w->poll,
                           ((events & WATCH_READ) ? UV_READABLE : 0) |
                               ((events & WATCH_WRITE) ? UV_WRITABLE : 0),
                           on_poll));
}

static void on_watch_closed(uv_handle_t *handle)
{
    free(CONTAINER_OF((uv_poll_t *)handle, struct watch, poll));
}

void watch_free(struct watch *w)
{
    if (!w)
        return;
    uv_close((uv_handle_t *)&w->poll, on_watch_closed);
}

/* ---- signals */

static void on_signal(uv_signal_t *uv, int signum)
{
    struct signal_watch *s = CONTAINER_OF(uv, struct signal_watch, uv);

    (void)signum;
    s->fn(s->arg);
}

static void on_signal_closed(uv_handle_t *handle)
{
    free(CONTAINER_OF((uv_signal_t *)handle, struct signal_watch, uv));
}

void loop_on_signal(struct loop *loop, int signum, loop_fn *fn, void *arg)
{
    struct signal_watch *s = xcalloc(sizeof(*s));

    s->fn = fn;
    s->arg = arg;
    must(uv_signal_init(&loop->uv, &s->uv));
    must(uv_signal_start(&s->uv, on_signal, signum));
    list_append(&loop->signals, &s->node);
}

/* ---- the loop itself */

struct loop *loop_new(void)
{
    struct loop *loop = xcalloc(sizeof(*loop));

    /* A peer that is gone is an errno, not the end of the process; libuv writes without
     * MSG_NOSIGNAL. Children that libuv starts get the default back. */
    signal(SIGPIPE, SIG_IGN);
    must(uv_loop_init(&loop->uv));
    must(uv_prepare_init(&loop->uv, &loop->before_wait));
    must(uv_check_init(&loop->uv, &loop->after_wait));
    must(uv_idle_init(&loop->uv, &loop->no_wait));
    must(uv_timer_init(&loop->uv, &loop->wake));
    must(uv_async_init(&loop->uv, &loop->posted_wake, on_posted));
    loop->before_wait.data = loop->after_wait.data = loop;
    loop->wake.data = loop->posted_wake.data = loop;
    must(uv_prepare_start(&loop->before_wait, on_before_wait));
    must(uv_check_start(&loop->after_wait, on_after_wait));
    pthread_mutex_init(&loop->posted_lock, NULL);
    list_init(&loop->signals);
    return loop;
}

void loop_run(struct loop *loop)
{
    loop->running = true;
    uv_run(&loop->uv, UV_RUN_DEFAULT); /* posted_wake keeps it alive: ends by loop_stop() only */
    loop->running = false;
}

void loop_stop(struct loop *loop)
{
    uv_stop(&loop->uv);
}

void *loop_uv(struct loop *loop)
{
    return &loop->uv;
}

uint64_t loop_now_us(struct loop *loop)
{
    if (!loop->running)
        return now_us();
    if (loop->now == 0)
        loop->now = now_us();
    return loop->now;
}

static void close_left_over(uv_handle_t *handle, void *arg)
{
    (void)arg;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

void loop_free(struct loop *loop)
{
    struct list_node *n, *after;
    struct signal_watch *s;

    if (!loop)
        return;
    /* deferred calls first: they may be what closes a handle or frees an object */
    while (run_deferred(loop) || run_posted(loop))
        ;
    loop->closing = true;
    LIST_FOREACH_SAFE(&loop->signals, n, after) {
        s = CONTAINER_OF(n, struct signal_watch, node);
        list_remove(n);
        uv_close((uv_handle_t *)&s->uv, on_signal_closed);
    }
    uv_walk(&loop->uv, close_left_over, NULL);
    do {
        uv_run(&loop->uv, UV_RUN_DEFAULT); /* until all is closed and all work is done, or a
                                            * loop_stop() that came too late is used up */
    } while (run_deferred(loop) || run_posted(loop) || uv_loop_alive(&loop->uv));
    if (uv_loop_close(&loop->uv) != 0)
        abort(); /* a deferred call opened something new */
    timer_heap_done(&loop->timers);
    queue_done(&loop->deferred);
    queue_done(&loop->posted);
    pthread_mutex_destroy(&loop->posted_lock);
    free(loop);
}
