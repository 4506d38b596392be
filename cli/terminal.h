/* SPDX-License-Identifier: Apache-2.0 */
/*
 * terminal.h - what functions wrote, shown to a person: it must neither garble the terminal nor
 * command it.
 *
 * Threads: one.
 */
#ifndef HEARTH_CLI_TERMINAL_H
#define HEARTH_CLI_TERMINAL_H

#include <stdio.h>

#include "common/base/str.h"

/** Writes @text: a carriage return becomes a line break, other control characters \xNN. */
void terminal_write(FILE *to, struct str text);

#endif
