/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory.h - the files in which the kernel counts a sandbox's memory, cgroup v1 and v2.
 *
 * Owns:    nothing; descriptors are the caller's.
 * Threads: one.
 * Errors:  a file that cannot be found or read gives -1: a sandbox works without.
 * Source:  Linux cgroup-v1/memory.rst, cgroup-v2.rst; cgroups(7), "/proc/[pid]/cgroup".
 */
#ifndef HEARTH_INIT_MEMORY_H
#define HEARTH_INIT_MEMORY_H

#include <stddef.h>
#include <stdint.h>

struct memory_files {
    int usage; /* decimal bytes: the peak, or the present use where the kernel keeps no peak */
    int events; /* has a line "oom_kill N" */
};

/** Opens the files of our own cgroup, close-on-exec. */
void memory_open(struct memory_files *ret);
/** The count after "oom_kill " in @events, 0 when there is none. */
uint64_t memory_oom_kills(int events);

#endif
