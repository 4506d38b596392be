/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thaw_janitor.h - a janitor that lets frozen sandboxes go on when the invoker is gone: they cannot
 * see their socket close, while they stand still. Then PID 1 ends by itself, and all with it.
 *
 * Owns:    the socket to the process. Threads: one; thaw_janitor_new() at start-up only.
 * Errors:  -ERR_SYSTEM when there is no process (any more); who is not known to it is not to be frozen.
 */
#ifndef HEARTH_INVOKER_THAW_JANITOR_H
#define HEARTH_INVOKER_THAW_JANITOR_H

#include "invoker/cgroup.h"

struct thaw_janitor;

/** @docker_socket: of the engine that pauses, copied; NULL: there is none. */
int thaw_janitor_new(const char *docker_socket, struct thaw_janitor **ret, struct error *err);
/** All it knows goes on now. NULL is fine. */
void thaw_janitor_free(struct thaw_janitor *janitor);

/** @cg may be frozen from now on, until it is removed. */
int thaw_janitor_add_cgroup(struct thaw_janitor *janitor, const struct cgroup *cg);
void thaw_janitor_remove_cgroup(struct thaw_janitor *janitor, const struct cgroup *cg);
/** The container @name may be paused from now on, until it is removed. */
int thaw_janitor_add_container(struct thaw_janitor *janitor, const char *name);
void thaw_janitor_remove_container(struct thaw_janitor *janitor, const char *name);

#endif
