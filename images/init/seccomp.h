/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp.h - the system calls that a function in a native sandbox may make: those that programs
 * need, and none that reaches for the kernel's own affairs (mounts, namespaces, modules, clocks,
 * keys, BPF, io_uring, userfaultfd, tracing of the machine).
 *
 * Owns:    nothing. Threads: one; the filter is the caller's and its children's, for ever.
 * Errors:  -1 with errno.
 * Source:  seccomp(2), syscalls(2); docs/internals/native.md.
 */
#ifndef HEARTH_INIT_SECCOMP_H
#define HEARTH_INIT_SECCOMP_H

#include <linux/filter.h>
#include <stddef.h>

#define SECCOMP_PROGRAM_MAX 1024

/** Writes the program into @ret (SECCOMP_PROGRAM_MAX instructions); its length. */
size_t seccomp_build(struct sock_filter *ret);
/** Loads it. Needs no_new_privs. */
int seccomp_load(void);

#endif
