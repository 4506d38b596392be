/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup_life.h - the cgroups of native sandboxes: those of one life of an invoker, and what earlier
 * lives left.
 *
 * All of a life are children of one cgroup, "/hearth-<node>.<life>", so that what an earlier life
 * left is found by its name. The OCI runtime makes the children.
 *
 * Owns:    its strings, the file systems found. Threads: immutable after it is made; any.
 * Errors:  -ERR_SYSTEM with the file; -ERR_CONFLICT while a cgroup still has processes.
 */
#ifndef HEARTH_INVOKER_CGROUP_LIFE_H
#define HEARTH_INVOKER_CGROUP_LIFE_H

#include "invoker/cgroup.h"

struct cgroup_life;

struct cgroup_life_options {
    const char *mountinfo; /* NULL: /proc/self/mountinfo */
    const char *node; /* id of this node */
    const char *life; /* 8 hexadecimal digits */
};

/** -ERR_UNSUPPORTED when a controller that we need has no hierarchy; -ERR_SYSTEM. */
int cgroup_life_new(const struct cgroup_life_options *options, struct cgroup_life **ret,
                    struct error *err);
void cgroup_life_free(struct cgroup_life *life);

/** Whether a cgroup can be made and removed everywhere: 0, or -ERR_SYSTEM and why not. */
int cgroup_life_check(const struct cgroup_life *life, struct error *err);
/** "/hearth-<node>.<life>": what the OCI runtime calls the parent. */
const char *cgroup_life_parent(const struct cgroup_life *life);
/** See cgroup_fs_unused_mount(). */
const char *cgroup_life_unused_mount(const struct cgroup_life *life);

/** The child @name, whether it is there or not. */
void cgroup_life_child(const struct cgroup_life *life, const char *name, struct cgroup *ret);
/** Removes @name from every hierarchy; absent: fine. -ERR_CONFLICT: processes are left. */
int cgroup_life_remove(const struct cgroup_life *life, const char *name, struct error *err);

/**
 * Kills all that is in the cgroups of this life (@earlier: of this node's earlier lives, not of
 * this one), and removes them. -ERR_CONFLICT when some are not empty yet: call again. Blocking,
 * but short.
 */
int cgroup_life_sweep(const struct cgroup_life *life, bool earlier, struct error *err);

#endif
