/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop.h - the one event loop of a program: timers, descriptors, deferred calls, worker threads,
 * signals. A thin layer over libuv; libuv itself is seen only inside common/io.
 *
 * Rules: a callback never runs inside the call that asked for it. Nothing blocks. An object
 * released inside its own callback is freed with loop_defer().
 *
 * Owns:    the uv_loop_t and what hangs on it.
 * Threads: all calls from the loop's thread, but loop_post().
 */
#ifndef HEARTH_IO_LOOP_H
#define HEARTH_IO_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/base/list.h"

struct loop;
typedef void loop_fn(void *arg);

struct loop *loop_new(void);
/** Frees @loop; everything that hangs on it must be closed or closing (closing is completed here). */
void loop_free(struct loop *loop);
/** Runs until loop_stop(). */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);
/** The uv_loop_t *, for the modules of common/io only. */
void *loop_uv(struct loop *loop);
/** Monotonic microseconds, read once a turn: cheap, may lag by the length of the turn. */
uint64_t loop_now_us(struct loop *loop);

/** Calls @fn(@arg) once at the end of this turn of the loop, before it may block. */
void loop_defer(struct loop *loop, loop_fn *fn, void *arg);
/** Calls @fn(@arg) soon on the loop's thread; from any thread. */
void loop_post(struct loop *loop, loop_fn *fn, void *arg);
/** Runs @work(@arg) on a worker thread, then @done(@arg) on the loop's. For unzip, hashing, files. */
void loop_work(struct loop *loop, loop_fn *work, loop_fn *done, void *arg);

/* Timers: storage is the caller's (zero it, or timer_init); stopping is immediate and complete. */
struct timer {
    struct loop *loop;
    loop_fn *fn;
    void *arg;
    uint64_t due_us;
    size_t at; /* 1 + place in the loop's heap; 0 = not armed */
};

void timer_init(struct timer *t, struct loop *loop, loop_fn *fn, void *arg);
/** Arms (or re-arms) @t to fire once, @after_us from now. */
void timer_start(struct timer *t, uint64_t after_us);
/** Disarms @t; harmless when it is not armed. */
void timer_stop(struct timer *t);
bool timer_is_armed(const struct timer *t);

/* Descriptors. The watch does not own @fd; watch_free() before closing it. */
struct watch;
enum { WATCH_READ = 1, WATCH_WRITE = 2 };
typedef void watch_fn(int fd, int events, void *arg);
struct watch *watch_new(struct loop *loop, int fd, watch_fn *fn, void *arg);
/** Waits for @events (0: none) from now on. Level-triggered. */
void watch_set(struct watch *w, int events);
void watch_free(struct watch *w);

/** Calls @fn(@arg) whenever the process gets @signum, until loop_free(). */
void loop_on_signal(struct loop *loop, int signum, loop_fn *fn, void *arg);

#endif
