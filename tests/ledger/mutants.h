/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mutants.h - the ledger's scripts, each with one guard removed: every one must be found.
 *
 * Owns:    the changed text of one script at a time.
 * Threads: one.
 */
#ifndef HEARTH_TESTS_LEDGER_MUTANTS_H
#define HEARTH_TESTS_LEDGER_MUTANTS_H

#include <stdbool.h>
#include <stddef.h>

extern const size_t mutants_len;
/** Puts mutant @i in place of the script; its name, or NULL: what it replaces is not there (once). */
const char *mutant_begin(size_t i);
/** The script is as it was. */
void mutant_end(void);

#endif
