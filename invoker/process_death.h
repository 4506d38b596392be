/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process_death.h - tells when a process that is not our child is dead: a container's PID 1, with which all
 * of its processes are (pid_namespaces(7): the kernel kills and reaps them before it is).
 *
 * Owns:    a descriptor of the process. Threads: loop thread only; no callback inside a call.
 * Errors:  a process that cannot be seen from here is not told of.
 * Source:  pidfd_open(2).
 */
#ifndef HEARTH_INVOKER_PROCESS_DEATH_H
#define HEARTH_INVOKER_PROCESS_DEATH_H

#include <sys/types.h>

#include "common/io/loop.h"

/* The caller's; opaque but for its size. */
struct process_death {
    struct loop *loop;
    int pidfd; /* -1: none */
    struct watch *watch; /* once it is waited for */
    loop_fn *dead;
    void *arg;
};

void process_death_init(struct process_death *d, struct loop *loop, loop_fn *dead, void *arg);
/** This is the process, which lives now; 0: it is not seen from here. */
void process_death_note(struct process_death *d, pid_t pid);
/** Of that process, borrowed; -1: none. */
int process_death_pidfd(const struct process_death *d);
/** dead() is called when it is, once; soon, when it is already. Harmless twice, and without a process. */
void process_death_watch(struct process_death *d);
/** Nobody is told any more. Harmless twice, and on a zeroed one. */
void process_death_done(struct process_death *d);

#endif
