/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scaling_rate.h - how fast a function may grow on this node: so many execution environments in 10 s, over all
 * its versions. A bucket for each function: full it has what may be begun at once, and it fills continuously.
 *
 * The rate is the function's in the whole cluster; a node has its share of it, one of as many as there are nodes.
 * A share below one in 10 s is one at once, and then the rate.
 *
 * Owns:    the buckets, each with its last reference. Borrows: the clock.
 * Threads: loop thread only. Errors: none.
 * Source:  Lambda developer guide, "Understanding Lambda function scaling", "Concurrency scaling rate": 1,000 environments every 10
 *          seconds for each function, refilled continuously.
 */
#ifndef HEARTH_INVOKER_SCALING_RATE_H
#define HEARTH_INVOKER_SCALING_RATE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/clock.h"
#include "common/base/str.h"

struct scaling_rates; /* of a node */
struct scaling_rate; /* of a function */

/** @per_10s: the function's in the cluster; 0: it is unlimited. */
struct scaling_rates *scaling_rates_new(const struct clock *clock, uint64_t per_10s);
/** Every reference was given back before. NULL is fine. */
void scaling_rates_free(struct scaling_rates *rates);
/** So many nodes share each function's rate from now on; 0 is 1. What was begun lately goes on to count, up to a whole share. */
void scaling_rates_share(struct scaling_rates *rates, uint32_t nodes);

/** A reference to the function's bucket, full when nobody had one; NULL: it is unlimited. */
struct scaling_rate *scaling_rate_get(struct scaling_rates *rates, struct str account, struct str name);
/** Another one of the same. NULL is fine. */
struct scaling_rate *scaling_rate_ref(struct scaling_rate *rate);
/** NULL is fine. */
void scaling_rate_unref(struct scaling_rate *rate);

/** When one more may be begun (monotonic): now or earlier, that it may be now. @rate NULL: 0. */
uint64_t scaling_rate_due_us(struct scaling_rate *rate);
/** One is begun; it was due. NULL is fine. */
void scaling_rate_take(struct scaling_rate *rate);

#endif
