/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docker_sweep.h - removes what earlier lives of this node's invoker left. Most of its containers are
 * gone by themselves, because their PID 1 ended with the invoker's socket; what stays is what was
 * created but never started.
 *
 * Owns:    its requests. Borrows: loop, docker.
 * Threads: loop thread only.
 * Errors:  logged, and tried again until nothing is left.
 */
#ifndef HEARTH_INVOKER_DOCKER_SWEEP_H
#define HEARTH_INVOKER_DOCKER_SWEEP_H

#include "common/io/docker.h"

struct docker_sweep;

/** Begins at once: every container with label LABEL_NODE=@node, but those with LABEL_LIFE=@life. */
struct docker_sweep *docker_sweep_new(struct loop *loop, struct docker *docker, const char *node,
                                      const char *life);
/** @done comes, once, when none of them is there any more. */
void docker_sweep_when_done(struct docker_sweep *sweep, loop_fn *done, void *arg);
/** NULL is fine. */
void docker_sweep_free(struct docker_sweep *sweep);

/**
 * Makes @path or, if it is there, removes the run folders of sandboxes in it. Blocking. -ERR_CONFIG
 * when sockets below it would have too long a name; -ERR_SYSTEM.
 */
int docker_sweep_run_dir(const char *path, struct error *err);

#endif
