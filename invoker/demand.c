/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/demand.h"

#include <string.h>

/* Forgets the windows that have passed since it was last asked. */
static void advance(struct demand *d, uint64_t now_us)
{
    uint64_t window = now_us / DEMAND_WINDOW_US;

    if (window >= d->window + DEMAND_WINDOWS) {
        memset(d->taken, 0, sizeof(d->taken));
        d->window = window;
    }
    while (d->window < window)
        d->taken[++d->window % DEMAND_WINDOWS] = 0;
}

void demand_take(struct demand *d, uint64_t now_us)
{
    advance(d, now_us);
    d->taken[d->window % DEMAND_WINDOWS]++;
}

uint32_t demand_wanted(struct demand *d, uint64_t now_us, uint32_t least,
                             uint32_t most)
{
    uint32_t wanted = least;
    int i;

    advance(d, now_us);
    for (i = 0; i < DEMAND_WINDOWS; i++)
        wanted = d->taken[i] > wanted ? d->taken[i] : wanted;
    return wanted < most ? wanted : most;
}
