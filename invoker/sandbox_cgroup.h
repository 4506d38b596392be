/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox_cgroup.h - the control group that an engine has put a sandbox into, used directly: for
 * limits that change while it lives and for its end, where the engine's own ways take too long.
 *
 * Owns:    the paths. Threads: one at a time.
 * Errors:  -ERR_UNAVAILABLE when the group cannot be told or used from here (a host without root, an
 *          invoker in a container of its own): the engine has to be asked then.
 * Source:  cgroups(7); the kernel's cgroup-v1 and cgroup-v2 documents.
 */
#ifndef HEARTH_INVOKER_SANDBOX_CGROUP_H
#define HEARTH_INVOKER_SANDBOX_CGROUP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/str.h"

#define CPU_PERIOD_US 20000u /* Lambda's own */

struct sandbox_cgroup {
    char *cpu, *pids; /* folders; the same one on cgroup v2; NULL: not usable */
    bool is_v2;
};

/** The group of @pid. Only one of a container's own counts: with its id as the folder's name. */
int sandbox_cgroup_find(struct sandbox_cgroup *ret, pid_t pid);
/** As sandbox_cgroup_find(), from the text of /proc/PID/cgroup, with the file system at @root. */
int sandbox_cgroup_parse(struct sandbox_cgroup *ret, struct str text, const char *root);
void sandbox_cgroup_done(struct sandbox_cgroup *cgroup);

/** CPU time in each period for @memory_mib: 1,769 MiB are one CPU. */
uint32_t sandbox_cgroup_quota(uint32_t memory_mib);
/** At most @quota_us of CPU time in each CPU_PERIOD_US; 0: as much as there is. */
int sandbox_cgroup_limit_cpu(const struct sandbox_cgroup *cgroup, uint32_t quota_us);
/**
 * SIGKILL to every process in it, PID 1 too, without a limit of CPU time on their way out. No new
 * process can come meanwhile.
 */
int sandbox_cgroup_kill(const struct sandbox_cgroup *cgroup);

#endif
