/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timer_heap.h - the armed timers of a loop: a binary heap of pointers, the earliest first; each
 * timer knows its place, so that stopping one needs no search.
 *
 * Owns:    the array; the timers are their users'.
 * Threads: one at a time.
 * Errors:  none; aborts when memory is gone.
 */
#ifndef HEARTH_IO_TIMER_HEAP_H
#define HEARTH_IO_TIMER_HEAP_H

#include "common/io/loop.h"

struct timer_heap {
    struct timer **items;
    size_t len, cap;
};

/** Puts @t in; its due_us is set and it is in no heap. */
void timer_heap_push(struct timer_heap *h, struct timer *t);
/** Takes @t out; it is in @h. */
void timer_heap_remove(struct timer_heap *h, struct timer *t);
/** The timer that is due first, or NULL. */
struct timer *timer_heap_first(const struct timer_heap *h);
/** Disarms all timers and frees the array. */
void timer_heap_done(struct timer_heap *h);

#endif
