/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lease_guard.h - a child process that ends all sandboxes when the node's lease is over and the invoker has not done it, because it
 * stands still: stopped by a signal or a debugger, waiting for a disk that hangs. Its sandboxes are processes of their own and would
 * run on, while the leader takes the node for dead.
 *
 * It knows PID 1 of each sandbox, with which the kernel ends the others, and the lease's end, in memory that both share. Nobody has to
 * say that a sandbox is gone. What is frozen dies when it is thawed; nothing of it runs until then. kill -9 of the invoker ends it:
 * sandboxes see that themselves.
 *
 * Owns:    the process and its descriptors; it ends by itself, soon after us or lease_guard_free().
 * Threads: loop thread only; made at start-up, as it forks.
 * Errors:  lease_guard_new() -ERR_SYSTEM; later ones are logged.
 * Source:  docs/internals/permits.md; pidfd_send_signal(2), timerfd_create(2).
 */
#ifndef HEARTH_INVOKER_LEASE_GUARD_H
#define HEARTH_INVOKER_LEASE_GUARD_H

#include <stdint.h>

#include "common/base/error.h"

struct lease_guard;

int lease_guard_new(struct lease_guard **ret, struct error *err);
/** NULL is fine. */
void lease_guard_free(struct lease_guard *guard);

/** PID 1 of a sandbox that may run something from now on; @pidfd is borrowed. Without a guard, or with -1, nothing happens. */
void lease_guard_add(struct lease_guard *guard, int pidfd);
/** When all sandboxes are ended, microseconds of CLOCK_BOOTTIME, put off as often as it is said; 0: never. */
void lease_guard_set(struct lease_guard *guard, uint64_t end_us);

#endif
