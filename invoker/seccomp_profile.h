/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_profile.h - the system calls that a sandbox may make; whatever is not listed is refused.
 * Stricter than the engines' own profiles where a function has no use for what they allow: sockets
 * of other families than Unix, IP and netlink (a vsock leads past every network namespace to the
 * hypervisor), io_uring, userfaultfd, key rings, handles of files, calls of the 32-bit ABI.
 *
 * Owns:    nothing. Threads: any. Errors: none.
 * Source:  docs/internals/sandboxes.md; the "linux.seccomp" object of the OCI runtime specification,
 *          which Docker's profiles are too.
 */
#ifndef HEARTH_INVOKER_SECCOMP_PROFILE_H
#define HEARTH_INVOKER_SECCOMP_PROFILE_H

#include <cjson/cJSON.h>

/** The caller deletes it. */
cJSON *seccomp_profile(void);

#endif
