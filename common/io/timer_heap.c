/* SPDX-License-Identifier: Apache-2.0 */
#include "common/io/timer_heap.h"

#include <stdlib.h>

static void put(struct timer_heap *h, size_t i, struct timer *t)
{
    h->items[i] = t;
    t->at = i + 1;
}

static void sift_up(struct timer_heap *h, size_t i, struct timer *t)
{
    size_t parent;

    while (i > 0) {
        parent = (i - 1) / 2;
        if (h->items[parent]->due_us <= t->due_us)
            break;
        put(h, i, h->items[parent]);
        i = parent;
    }
    put(h, i, t);
}

static void sift_down(struct timer_heap *h, size_t i, struct timer *t)
{
    size_t child;

    while ((child = 2 * i + 1) < h->len) {
        if (child + 1 < h->len && h->items[child + 1]->due_us < h->items[child]->due_us)
            child++;
        if (t->due_us <= h->items[child]->due_us)
            break;
        put(h, i, h->items[child]);
        i = child;
    }
    put(h, i, t);
}

void timer_heap_push(struct timer_heap *h, struct timer *t)
{
    if (h->len == h->cap) {
        h->cap = h->cap ? 2 * h->cap : 64;
        h->items = reallocarray(h->items, h->cap, sizeof(*h->items));
        if (!h->items)
            abort();
    }
    sift_up(h, h->len++, t);
}

void timer_heap_remove(struct timer_heap *h, struct timer *t)
{
    size_t i = t->at - 1;
    struct timer *last = h->items[--h->len];

    t->at = 0;
    if (last == t)
        return;
    /* the last one takes the hole; it may belong above or below it */
    if (i > 0 && last->due_us < h->items[(i - 1) / 2]->due_us)
        sift_up(h, i, last);
    else
        sift_down(h, i, last);
}

struct timer *timer_heap_first(const struct timer_heap *h)
{
    return h->len ? h->items[0] : NULL;
}

void timer_heap_done(struct timer_heap *h)
{
    size_t i;

    for (i = 0; i < h->len; i++)
        h->items[i]->at = 0;
    free(h->items);
    *h = (struct timer_heap){0};
}
