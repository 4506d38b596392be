/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup.h - the control group of one sandbox, whoever made it: limited, frozen, killed. Written to
 * directly, also where an engine has made it, as the engine's own ways take too long.
 *
 * Owns:    the paths. Borrows: nothing. Threads: one at a time.
 * Errors:  -ERR_UNAVAILABLE when the group cannot be told or used from here (a host without root, an
 *          invoker in a container of its own): an engine has to be asked then.
 * Source:  cgroups(7); Linux admin-guide/cgroup-v1/ (freezer-subsystem.rst), cgroup-v2.rst; proc(5).
 */
#ifndef HEARTH_INVOKER_CGROUP_H
#define HEARTH_INVOKER_CGROUP_H

#include <stdint.h>
#include <sys/types.h>

#include "invoker/cgroup_fs.h"

/** Its folder by controller, all the same in version 2; NULL: not there, or not ours to use. */
struct cgroup {
    char *folder[CGROUP_CONTROLLERS];
    bool is_v2;
};

struct cgroup_limits {
    uint64_t memory_bytes; /* without swap */
    uint32_t cpu_shares; /* version 1's unit: 1024 for one CPU */
};

/** The group at @path ("/a/b") of every hierarchy. */
void cgroup_at(const struct cgroup_fs *fs, const char *path, struct cgroup *ret);
/** The group of @pid. Only one of a container's own counts: with its id as the folder's name. */
int cgroup_of_container(const struct cgroup_fs *fs, pid_t pid, struct cgroup *ret);
/** As cgroup_of_container(), from the text of /proc/PID/cgroup. */
int cgroup_parse(const struct cgroup_fs *fs, struct str text, struct cgroup *ret);
/** Harmless twice, and on a zeroed one. */
void cgroup_done(struct cgroup *cg);

int cgroup_limit(const struct cgroup *cg, const struct cgroup_limits *limits, struct error *err);
/** At most @quota_us of CPU time in each SANDBOX_CPU_PERIOD_US; 0: as much as there is. */
int cgroup_limit_cpu(const struct cgroup *cg, uint32_t quota_us);
/** Stops all processes, soon, or lets them go on, at once. */
int cgroup_freeze(const struct cgroup *cg, bool frozen, struct error *err);
#define CGROUP_LOOK_MAX 64
/**
 * Whether somebody has told one of its processes, frozen, to end (SIGKILL, SIGTERM): nothing else
 * tells, as of version 1 it dies of neither before it goes on, of version 2 not of the second. Some
 * 10 us for each process; the first CGROUP_LOOK_MAX.
 */
bool cgroup_is_dying(const struct cgroup *cg);
/**
 * SIGKILL to every process in it, PID 1 too, frozen or not, without a limit of CPU time on their way
 * out. No new process can come meanwhile.
 */
int cgroup_kill(const struct cgroup *cg);

#endif
