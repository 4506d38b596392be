/* SPDX-License-Identifier: Apache-2.0 */
/*
 * terminal.h - what a person reads: complaints, and what functions wrote, which must neither garble the
 * terminal nor command it.
 *
 * Threads: one.
 */
#ifndef HEARTH_CLI_TERMINAL_H
#define HEARTH_CLI_TERMINAL_H

#include <stdio.h>

#include "common/base/str.h"

/** Writes @text: a carriage return becomes a line break, other control characters \xNN. */
void terminal_write(FILE *to, struct str text);

/** Prints "error: …" and, when given, "hint: …" to standard error; returns @status. */
int complain(int status, const char *hint, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
