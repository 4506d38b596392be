/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kernel_counts.h - what the kernel counts by user, or for the whole machine, and not by sandbox. All
 * sandboxes of a node have the same user: the 128 inotify instances that a user may have would be those
 * of all functions together, and one function could take them all; the machine's asynchronous I/O as
 * well. All of it lies in memory that counts as the sandbox's, so memory may be what ends it.
 *
 * Owns:    nothing: what is raised stays so when we end.
 * Threads: one.
 * Source:  inotify(7), epoll(7), "/proc interfaces"; Documentation/admin-guide/sysctl/fs.rst.
 */
#ifndef HEARTH_INVOKER_KERNEL_COUNTS_H
#define HEARTH_INVOKER_KERNEL_COUNTS_H

#include <stddef.h>

/**
 * Raises each below @proc_sys ("/proc/sys") that is lower than it should be. What cannot be raised (no
 * root, a container's read-only /proc) is said in the log. Returns how many are as they should be.
 */
size_t kernel_counts_raise(const char *proc_sys);

#endif
