/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/scaling/tracking.h"

#include <math.h>
#include <string.h>

#define ROUNDING 1e-9 /* 3 / 0.3 is ten, not a little more */

void tracking_gap(struct tracking *t)
{
    t->len = 0;
}

void tracking_push(struct tracking *t, uint64_t used, uint64_t allocated)
{
    memmove(&t->points[1], &t->points[0], (TRACKING_IN_POINTS - 1) * sizeof(t->points[0]));
    t->points[0] = (struct tracking_point){(double)used, (double)used / (double)allocated};
    if (t->len < TRACKING_IN_POINTS)
        t->len++;
}

static bool is_above(const struct tracking *t, double target)
{
    unsigned i;

    for (i = 0; i < TRACKING_OUT_POINTS; i++)
        if (i >= t->len || t->points[i].utilisation <= target + ROUNDING)
            return false;
    return true;
}

/* The most that was in use is *@ret. */
static bool is_below(const struct tracking *t, double target, double *ret)
{
    unsigned i;

    *ret = 0;
    for (i = 0; i < TRACKING_IN_POINTS; i++) {
        if (i >= t->len || t->points[i].utilisation >= target * TRACKING_IN_SHARE - ROUNDING)
            return false;
        *ret = fmax(*ret, t->points[i].used);
    }
    return true;
}

static uint64_t whole(double capacity)
{
    return (uint64_t)ceil(fmin(capacity, 1e9) - ROUNDING);
}

static uint64_t between(const struct tracking_state *state, uint64_t capacity)
{
    if (capacity > state->max)
        capacity = state->max;
    return capacity < state->min ? state->min : capacity;
}

uint64_t tracking_desired(const struct tracking *t, const struct tracking_policy *policy,
                          const struct tracking_state *state, uint64_t now_us)
{
    uint64_t from = state->capacity, to;
    double most;

    if (is_above(t, policy->target)) {
        /* while it cools down what was added counts as a part of what is added now */
        if (now_us < t->out_until_us && t->out_from < from)
            from = t->out_from;
        to = between(state, whole((double)from * t->points[0].utilisation / policy->target));
        if (to > state->capacity && state->is_ready && !state->out_suspended)
            return to;
    } else if (is_below(t, policy->target, &most) && !policy->no_in && !state->in_suspended &&
               now_us >= t->in_until_us) {
        to = between(state, whole(most / policy->target));
        if (to < state->capacity)
            return to;
    }
    return state->capacity;
}

void tracking_scaled(struct tracking *t, const struct tracking_policy *policy, uint64_t from,
                     uint64_t to, uint64_t now_us)
{
    if (to > from) {
        if (now_us >= t->out_until_us)
            t->out_from = from;
        t->out_until_us = now_us + policy->out_cooldown_us;
        t->in_until_us = 0; /* it scales in again by what is seen from now on */
    } else {
        t->in_until_us = now_us + policy->in_cooldown_us;
    }
}
