/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup.h - the cgroups of native sandboxes: found, limited, frozen, emptied, removed. Version 1
 * (one hierarchy for each controller) and version 2 (one for all).
 *
 * All sandboxes of one life of an invoker are children of one cgroup, "/hearth-<node>.<life>", so
 * that what an earlier life left is found by its name. The OCI runtime makes the children.
 *
 * Owns:    its strings. Threads: immutable after it is made; any.
 * Errors:  -ERR_SYSTEM with the file; -ERR_CONFLICT while a cgroup still has processes.
 * Source:  Linux admin-guide/cgroup-v1/, cgroup-v2.rst; proc(5) "mountinfo".
 */
#ifndef HEARTH_INVOKER_CGROUP_H
#define HEARTH_INVOKER_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"

struct cgroups;

struct cgroups_options {
    const char *mountinfo; /* NULL: /proc/self/mountinfo */
    const char *node; /* id of this node */
    const char *life; /* 8 hexadecimal digits */
};

struct cgroup_limits {
    uint64_t memory_bytes; /* without swap */
    uint32_t cpu_shares; /* version 1's unit: 1024 for one CPU */
};

/**
 * Finds the hierarchies. -ERR_UNSUPPORTED when a controller that we need has none (memory, pids,
 * cpu), -ERR_SYSTEM.
 */
int cgroups_new(const struct cgroups_options *options, struct cgroups **ret, struct error *err);
void cgroups_free(struct cgroups *cg);

/** Whether a cgroup can be made and removed everywhere: 0, or -ERR_SYSTEM and why not. */
int cgroups_check(const struct cgroups *cg, struct error *err);
/** "/hearth-<node>.<life>": what the OCI runtime calls the parent. */
const char *cgroups_parent(const struct cgroups *cg);
/**
 * Where version 2 is mounted beside the version 1 that is used, or NULL: an OCI runtime that sees
 * both may refuse the mix, or makes cgroups in both.
 */
const char *cgroups_unused_mount(const struct cgroups *cg);

/** Sets the limits of @name, a child of ours that exists. */
int cgroup_limit(const struct cgroups *cg, const char *name, const struct cgroup_limits *limits,
                 struct error *err);
/** Stops or continues all processes of @name; takes effect soon, not at once. */
int cgroup_freeze(const struct cgroups *cg, const char *name, bool frozen, struct error *err);
/** Removes @name from every hierarchy; absent: fine. -ERR_CONFLICT: processes are left. */
int cgroup_remove(const struct cgroups *cg, const char *name, struct error *err);

/**
 * Kills all that is in the cgroups of this life (@earlier: of this node's earlier lives, not of
 * this one), and removes them. -ERR_CONFLICT when some are not empty yet: call again. Blocking,
 * but short.
 */
int cgroups_sweep(const struct cgroups *cg, bool earlier, struct error *err);

#endif
