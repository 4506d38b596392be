/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup_fs.h - the cgroup file systems of this host: version 1 (one hierarchy for each controller)
 * or version 2 (one for all), and where each is mounted. Groups are in cgroup.h, those that native
 * sandboxes have in cgroup_life.h.
 *
 * Owns:    its strings. Threads: immutable after it is made; any.
 * Errors:  -ERR_SYSTEM when the mounts cannot be read; what is not mounted is just not there.
 * Source:  Linux admin-guide/cgroup-v1/, cgroup-v2.rst; proc(5) "mountinfo".
 */
#ifndef HEARTH_INVOKER_CGROUP_FS_H
#define HEARTH_INVOKER_CGROUP_FS_H

#include <stdbool.h>

#include "common/base/error.h"
#include "common/base/str.h"

/** Those that we use. */
enum cgroup_controller {
    CGROUP_MEMORY,
    CGROUP_CPU,
    CGROUP_PIDS,
    CGROUP_FREEZER,
    CGROUP_CONTROLLERS,
};

struct cgroup_fs;

/** @mountinfo: NULL for /proc/self/mountinfo. Version 2 counts when it has all that we need. */
int cgroup_fs_new(const char *mountinfo, struct cgroup_fs **ret, struct error *err);
void cgroup_fs_free(struct cgroup_fs *fs);

bool cgroup_fs_is_v2(const struct cgroup_fs *fs);
/** Where the hierarchy with @controller is mounted; NULL: nowhere. */
const char *cgroup_fs_mount(const struct cgroup_fs *fs, enum cgroup_controller controller);
/** Every hierarchy once, also those without a controller of ours; NULL behind the last one. */
const char *cgroup_fs_hierarchy(const struct cgroup_fs *fs, size_t i);
/**
 * Where version 2 is mounted beside the version 1 that is used, or NULL: an OCI runtime that sees
 * both may refuse the mix, or makes cgroups in both.
 */
const char *cgroup_fs_unused_mount(const struct cgroup_fs *fs);
/** The controller of that name as the kernel has it, or CGROUP_CONTROLLERS. */
enum cgroup_controller cgroup_controller_of(struct str name);

#endif
