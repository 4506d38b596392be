/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blank_demand.h - how many blank sandboxes are kept ready: as many as were taken in the busiest
 * ten seconds of the last minute, between a floor and a ceiling.
 *
 * Owns:    nothing. Threads: one. Errors: none.
 */
#ifndef HEARTH_INVOKER_BLANK_DEMAND_H
#define HEARTH_INVOKER_BLANK_DEMAND_H

#include <stdint.h>

#define BLANK_DEMAND_WINDOWS 6
#define BLANK_DEMAND_WINDOW_US 10000000u

struct blank_demand {
    uint32_t taken[BLANK_DEMAND_WINDOWS];
    uint64_t window; /* the one that taken[window % WINDOWS] counts; time / length */
};

/** One was taken at @now_us, monotonic. */
void blank_demand_take(struct blank_demand *d, uint64_t now_us);
/** How many to keep at @now_us. */
uint32_t blank_demand_wanted(struct blank_demand *d, uint64_t now_us, uint32_t least,
                             uint32_t most);

#endif
