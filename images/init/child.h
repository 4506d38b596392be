/* SPDX-License-Identifier: Apache-2.0 */
/*
 * child.h - starts the function's main process.
 *
 * Owns:    nothing. Threads: one.
 * Errors:  what goes wrong after the fork comes through the report pipe.
 * Source:  limits seen inside Lambda's execution environments.
 */
#ifndef HEARTH_INIT_CHILD_H
#define HEARTH_INIT_CHILD_H

#include <signal.h>

#include "common/proto/init_wire.h"

/* What the child writes when it cannot become the function; nothing at all means it did. */
struct child_report {
    int32_t stage; /* enum init_stage */
    int32_t sys_errno;
};

/**
 * Forks and executes.
 *
 * @stdout_fd, @stderr_fd  become 1 and 2 of the child; the caller closes its own
 * @mask                   the signal mask the child begins with
 * @ret_report             read end: EOF once the program runs, else one struct child_report
 *
 * Returns the pid, or -1 with errno.
 */
pid_t child_start(const struct init_start *start, int stdout_fd, int stderr_fd,
                  const sigset_t *mask, int *ret_report);

#endif
