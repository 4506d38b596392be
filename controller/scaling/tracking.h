/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tracking.h - target tracking: what a policy makes of the datapoints of one scalable target.
 *
 * As AWS's two alarms: three datapoints in a row above the target scale out, fifteen below nine tenths of it
 * scale in. Out: by the newest, as many times the capacity as the utilisation is of the target. In: so
 * that the most that was in use in those fifteen would be the target. An alarm that goes on scales
 * again with each datapoint, but for the cooldowns.
 *
 * Owns:    nothing; a struct tracking is the caller's, all zero at first.
 * Threads: any. Time is given with each call, monotonic microseconds.
 * Source:  Application Auto Scaling user guide, "How target tracking scaling works", "Define cooldown
 *          periods"; Lambda developer guide, "Managing provisioned concurrency with Application Auto Scaling".
 */
#ifndef HEARTH_CONTROLLER_SCALING_TRACKING_H
#define HEARTH_CONTROLLER_SCALING_TRACKING_H

#include <stdbool.h>
#include <stdint.h>

#define TRACKING_OUT_POINTS 3u
#define TRACKING_IN_POINTS 15u
#define TRACKING_IN_SHARE 0.9 /* of the target */

struct tracking_point {
    double used, utilisation;
};

struct tracking {
    struct tracking_point points[TRACKING_IN_POINTS]; /* the newest is first */
    unsigned len;
    uint64_t out_until_us, in_until_us; /* cooldowns; 0: none */
    uint64_t out_from; /* the capacity before the scale-out that cools down */
};

struct tracking_policy {
    double target; /* > 0 */
    uint64_t out_cooldown_us, in_cooldown_us;
    bool no_in; /* it never scales in */
};

/* How things are. */
struct tracking_state {
    uint64_t capacity; /* that is asked for now */
    bool is_ready; /* all of it is there */
    uint64_t min, max;
    bool in_suspended, out_suspended;
};

/** There is no datapoint: alarms begin anew. */
void tracking_gap(struct tracking *t);
/** A datapoint: at most @used at once, of @allocated (> 0). */
void tracking_push(struct tracking *t, uint64_t used, uint64_t allocated);
/** What the capacity should be now; state->capacity: as it is. */
uint64_t tracking_desired(const struct tracking *t, const struct tracking_policy *policy,
                          const struct tracking_state *state, uint64_t now_us);
/** The capacity goes from @from to @to: cooldowns begin. */
void tracking_scaled(struct tracking *t, const struct tracking_policy *policy, uint64_t from,
                     uint64_t to, uint64_t now_us);

#endif
