/* SPDX-License-Identifier: Apache-2.0 */
/*
 * invocation_impl.h - inside invocation.c and invocation_answer.c: one invocation, and all of a node.
 *
 * Owns:    as invocation.h says.
 * Threads: loop thread only.
 * Errors:  none.
 */
#ifndef HEARTH_INVOKER_INVOCATION_IMPL_H
#define HEARTH_INVOKER_INVOCATION_IMPL_H

#include "invoker/invocation.h"

enum invocation_state {
    INVOCATION_RECEIVING,
    INVOCATION_LOOKING, /* for its version */
    INVOCATION_WAITING, /* in the pool */
    INVOCATION_RUNNING,
    INVOCATION_OVER, /* a spare */
};

struct invocation {
    struct invocations *all;
    enum invocation_state state;
    struct link_stream *stream; /* NULL: the gateway has gone */
    struct buf head_bytes; /* what head points into */
    struct buf payload;
    struct invoke_head head;
    struct fence_run run;
    struct error *not_admitted; /* it will be refused once all of it is here; NULL: it is not */
    bool too_large;
    bool second_try; /* the image was not there: it has been prepared again */
    uint64_t arrived_us;
    struct timer wait_over;
    struct spec_wait spec_wait;
    struct pool_wait pool_wait;
    struct ready_version *ver;
    struct sandbox_event event;
    struct sandbox *streams; /* its answer; NULL: it does not, or the gateway has gone */
    bool held; /* the gateway takes no more of it now */
    struct list_node node; /* in all->active or all->spare */
};

struct invocations {
    struct loop *loop;
    struct spec_cache *specs;
    struct fence *fence;
    struct list_node active, spare;
    size_t active_count, spare_count;
    struct buf head; /* scratch: the head of an answer */
    struct buf record; /* scratch: a record of a streamed one */
    bool draining;
    loop_fn *on_drained;
    void *drain_arg;
};

/** It has been answered, or never will be: it may be another one when this returns. */
void invocation_over(struct invocation *inv);
/** Answers that it was not run, and why; then it is over. */
void invocation_refuse(struct invocation *inv, enum error_code code, const char *message);
/** Its sandbox need not wait any more for a gateway that took no more of a streamed answer. */
void invocation_release(struct invocation *inv);
struct invocation *invocation_of_event(const struct sandbox_event *ev);

#endif
