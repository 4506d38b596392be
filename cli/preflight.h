/* SPDX-License-Identifier: Apache-2.0 */
/*
 * preflight.h - what `hearth up` checks before it starts anything: one clear line for a port in
 * use, a missing right, a full disk, a dead Docker engine, a missing program.
 *
 * Threads: start-up only; blocking.
 */
#ifndef HEARTH_CLI_PREFLIGHT_H
#define HEARTH_CLI_PREFLIGHT_H

#include "cli/up_config.h"

/** EXIT_FINE, or another exit status after it has said what is wrong and what to do. */
int preflight(const struct up_config *config);

#endif
