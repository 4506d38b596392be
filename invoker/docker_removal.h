/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docker_removal.h - the removal of one container, asked for again and again until the engine says
 * that there is no such container.
 *
 * Owns:    its request and its timer. Borrows: all of its options.
 * Threads: loop thread only; callbacks never run inside the call that asked for them.
 * Errors:  told once in the log, then tried again (50 ms, doubling to 30 s).
 */
#ifndef HEARTH_INVOKER_DOCKER_REMOVAL_H
#define HEARTH_INVOKER_DOCKER_REMOVAL_H

#include "common/io/docker.h"
#include "invoker/docker_outage.h"

struct docker_removal_options {
    struct docker *docker;
    struct docker_outage *outage; /* begun when the engine is away */
    const char *container, *sandbox; /* names; the second for the log */
    void (*engine_answers)(void *engine_arg); /* it said yes or no: it is there */
    void *engine_arg;
    void (*removed)(void *arg); /* there is no such container; the last call */
    void *arg;
};

/* The caller's; opaque but for its size. */
struct docker_removal {
    struct docker_removal_options o;
    struct docker_call *call;
    struct timer timer;
    uint64_t retry_us;
    bool told;
};

void docker_removal_init(struct docker_removal *r, struct loop *loop,
                         const struct docker_removal_options *options);
/** Asks after @after_us: a container that removes itself is given time for it. */
void docker_removal_start(struct docker_removal *r, uint64_t after_us);
/** The engine is back: what was put off for long is tried soon. Harmless when nothing was. */
void docker_removal_hurry(struct docker_removal *r);
/** No callback comes any more. Harmless twice. */
void docker_removal_stop(struct docker_removal *r);

#endif
