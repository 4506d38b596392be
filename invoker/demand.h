/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demand.h - how many of what takes long to make are kept ready: as many as were taken in the
 * busiest ten seconds of the last minute, between a floor and a ceiling.
 *
 * Owns:    nothing. Threads: one. Errors: none.
 */
#ifndef HEARTH_INVOKER_DEMAND_H
#define HEARTH_INVOKER_DEMAND_H

#include <stdint.h>

#define DEMAND_WINDOWS 6
#define DEMAND_WINDOW_US 10000000u

struct demand {
    uint32_t taken[DEMAND_WINDOWS];
    uint64_t window; /* the one that taken[window % WINDOWS] counts; time / length */
};

/** One was taken at @now_us, monotonic. */
void demand_take(struct demand *d, uint64_t now_us);
/** How many to keep at @now_us. */
uint32_t demand_wanted(struct demand *d, uint64_t now_us, uint32_t least,
                             uint32_t most);

#endif
