/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/keep_alive.h"

#include <math.h>
#include <stdlib.h>

#define PAUSE 8u /* tenths of a pause that its own minute gets … */
#define BESIDE 1u /* … and each beside it */
#define HABIT 0.9 /* how fast long pauses become rare among functions in general */

struct keep_alive {
    unsigned refs;
    uint16_t pauses[KEEP_ALIVE_MINUTES + 1]; /* tenths of pauses, by whole minutes; the last: longer */
    uint8_t warm[KEEP_ALIVE_MINUTES / 8 + 1]; /* bit i: warm in minute i of a pause */
    bool is_planned; /* @warm holds */
};

struct keep_alive *keep_alive_new(void)
{
    struct keep_alive *ka = calloc(1, sizeof(*ka));

    if (!ka)
        abort();
    ka->refs = 1;
    return ka;
}

struct keep_alive *keep_alive_ref(struct keep_alive *ka)
{
    ka->refs++;
    return ka;
}

void keep_alive_unref(struct keep_alive *ka)
{
    if (ka && --ka->refs == 0)
        free(ka);
}

/* What is believed of a function without a history: tenths of one pause, over all minutes. */
static const double *prior(void)
{
    static double share[KEEP_ALIVE_MINUTES + 1];
    double sum = 0;
    unsigned i;

    if (share[0] > 0)
        return share;
    for (i = 0; i < KEEP_ALIVE_MINUTES; i++)
        sum += share[i] = pow(1.0 / ((i + 1.0) * (i + 2.0)), HABIT);
    /* all that are longer: the integral of x^(-2 HABIT) */
    sum += share[i] = pow(KEEP_ALIVE_MINUTES, 1 - 2 * HABIT) / (2 * HABIT - 1);
    for (i = 0; i <= KEEP_ALIVE_MINUTES; i++)
        share[i] *= (PAUSE + 2 * BESIDE) / sum;
    return share;
}

static void add(struct keep_alive *ka, unsigned minute, uint16_t tenths)
{
    unsigned i;

    if (ka->pauses[minute] > UINT16_MAX - tenths) /* habits change: what is old counts less */
        for (i = 0; i <= KEEP_ALIVE_MINUTES; i++)
            ka->pauses[i] /= 2;
    ka->pauses[minute] = (uint16_t)(ka->pauses[minute] + tenths);
}

void keep_alive_learn(struct keep_alive *ka, uint64_t minutes)
{
    unsigned minute = (unsigned)minutes;

    if (minutes < KEEP_ALIVE_MINUTES) {
        add(ka, minute, PAUSE);
        add(ka, minute > 0 ? minute - 1 : 0, BESIDE);
        add(ka, minute + 1, BESIDE);
    } else {
        add(ka, KEEP_ALIVE_MINUTES, PAUSE + 2 * BESIDE);
    }
    ka->is_planned = false;
}

/* Each minute by itself: the share of pauses that end in it, among those that last that long. */
static void plan(struct keep_alive *ka, uint32_t worth)
{
    const double *before = prior();
    double here, left = 0;
    unsigned i;

    for (i = 0; i <= KEEP_ALIVE_MINUTES; i++)
        left += ka->pauses[i] + before[i];
    for (i = 0; i < sizeof(ka->warm); i++)
        ka->warm[i] = 0;
    for (i = 0; i < KEEP_ALIVE_MINUTES; i++) {
        here = ka->pauses[i] + before[i];
        if (here * worth > left)
            ka->warm[i / 8] = (uint8_t)(ka->warm[i / 8] | 1u << i % 8);
        left -= here;
    }
    ka->is_planned = true;
}

bool keep_alive_is_warm(struct keep_alive *ka, uint64_t minute, uint32_t worth)
{
    if (!ka->is_planned)
        plan(ka, worth);
    return minute < KEEP_ALIVE_MINUTES && (ka->warm[minute / 8] >> minute % 8 & 1);
}

uint64_t keep_alive_next_change(struct keep_alive *ka, uint64_t minute, uint32_t worth)
{
    bool now = keep_alive_is_warm(ka, minute, worth);

    while (++minute <= KEEP_ALIVE_MINUTES)
        if (keep_alive_is_warm(ka, minute, worth) != now)
            return minute;
    return UINT64_MAX;
}
