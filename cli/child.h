/* SPDX-License-Identifier: Apache-2.0 */
/*
 * child.h - one supervised process: started, its output prefixed, started again with back-off
 * when it dies, stopped on request.
 *
 *      waiting (back-off) ──► running ──► waiting …
 *            └── child_stop ──► stopping ──► stopped
 *
 * The process gets SIGTERM by the kernel when we die (PR_SET_PDEATHSIG), so that nothing outlives
 * a killed supervisor, and has a session of its own, so that Ctrl-C reaches only us.
 *
 * A program that ends with status 2 says that its settings are wrong; it is not started again.
 *
 * Owns:    the process, its output pipe, copies of argv and env.
 * Borrows: the loop.
 * Threads: loop thread only.
 */
#ifndef HEARTH_CLI_CHILD_H
#define HEARTH_CLI_CHILD_H

#include "common/io/loop.h"

struct child;

/** Called once when a stopped child is gone. */
typedef void child_stopped_fn(struct child *child, void *arg);

/**
 * Describes a process; child_start() begins it.
 *
 * @name  prefix of its lines
 * @argv  NULL-terminated, copied; argv[0] is a path
 * @env   NULL-terminated NAME=value pairs put over our own environment, copied
 */
struct child *child_new(struct loop *loop, const char *name, const char *const *argv,
                        const char *const *env);
void child_start(struct child *child);
/** Its lines are not shown as they come; when it dies unasked, the last of them are. */
void child_set_quiet(struct child *child);
/** SIGTERM, SIGKILL after @grace_us; @on_stopped runs once it is gone (also if it never ran). */
void child_stop(struct child *child, uint64_t grace_us, child_stopped_fn *on_stopped, void *arg);
/** SIGKILL at once, to a child that is stopping. */
void child_kill(struct child *child);
/** Reaps what has died; call on SIGCHLD for each child. */
void child_reap(struct child *child);
/** Whether it ended by itself because its settings are wrong: starting it again is useless. */
bool child_is_hopeless(const struct child *child);
/** Frees a child that is not running. */
void child_free(struct child *child);

#endif
