/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/clock.h"

#include <stdio.h>
#include <time.h>

static uint64_t system_now_us(const struct clock *clock)
{
    struct timespec ts;

    (void)clock;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u;
}

static uint64_t boot_now_us(const struct clock *clock)
{
    struct timespec ts;

    (void)clock;
    clock_gettime(CLOCK_BOOTTIME, &ts);
    return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u;
}

const struct clock clock_system = {.now_us = system_now_us};
const struct clock clock_boot = {.now_us = boot_now_us};

uint64_t clock_now_us(const struct clock *clock)
{
    return clock->now_us(clock);
}

uint64_t now_us(void)
{
    return system_now_us(&clock_system);
}

uint64_t wall_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    return (uint64_t)ts.tv_sec * 1000u + (uint64_t)ts.tv_nsec / 1000000u;
}

static void format(uint64_t ms, const char *fmt, const char *zone, char *ret)
{
    time_t s = (time_t)(ms / 1000);
    struct tm tm;
    size_t n;

    gmtime_r(&s, &tm);
    n = strftime(ret, CLOCK_ISO_MAX, fmt, &tm);
    if (zone)
        snprintf(ret + n, CLOCK_ISO_MAX - n, ".%03u%s", (unsigned)(ms % 1000), zone);
}

void clock_format_iso(uint64_t ms, char *ret)
{
    format(ms, "%Y-%m-%dT%H:%M:%S", "Z", ret);
}

void clock_format_lambda(uint64_t ms, char *ret)
{
    format(ms, "%Y-%m-%dT%H:%M:%S", "+0000", ret);
}

void clock_format_date(uint64_t ms, char *ret)
{
    format(ms, "%Y/%m/%d", NULL, ret);
}
