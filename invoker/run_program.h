/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_program.h - runs a program of the host to its end, with nothing of ours but what it is given.
 *
 * Owns:    nothing. Threads: worker threads; it blocks.
 * Errors:  -ERR_SYSTEM: it could not be started, ended with another status than 0 or took too long
 *          (it is killed then).
 */
#ifndef HEARTH_INVOKER_RUN_PROGRAM_H
#define HEARTH_INVOKER_RUN_PROGRAM_H

#include "common/base/error.h"

struct run_program {
    const char *const *argv; /* argv[0] is its path; NULL-terminated */
    int fd; /* becomes its descriptor 3; -1: none */
    const char *hidden; /* a mount that it shall not see; NULL: none */
    int limit_ms;
};

int run_program(const struct run_program *p, struct error *err);

#endif
