/* SPDX-License-Identifier: Apache-2.0 */
/*
 * drop.h - a blank sandbox's PID 1 becomes as powerless as the function that it will start.
 *
 * Owns:    nothing. Threads: one.
 * Errors:  -1 with errno; @ret_what names the step. The caller must end the sandbox then.
 * Source:  capabilities(7), seccomp(2); docs/internals/native.md.
 */
#ifndef HEARTH_INIT_DROP_H
#define HEARTH_INIT_DROP_H

#include <sys/types.h>

/**
 * Gives up user 0, all groups and every capability in every set, refuses new privileges for ever
 * and loads the system call filter; then looks whether it is all true. Not to be undone.
 */
int drop_privileges(uid_t uid, gid_t gid, const char **ret_what);

#endif
