/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.h - time: monotonic microseconds inside, wall-clock milliseconds at the edges.
 *
 * Code whose rules depend on time takes a `const struct clock *`, so that tests can set it.
 *
 * Threads: any.
 */
#ifndef HEARTH_BASE_CLOCK_H
#define HEARTH_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define MSEC(n) ((uint64_t)(n) * 1000u)
#define SECONDS(n) ((uint64_t)(n) * 1000000u)
#define MINUTES(n) SECONDS((uint64_t)(n) * 60u)

struct clock {
    uint64_t (*now_us)(const struct clock *clock); /* monotonic, microseconds */
};

/** The machine's clocks. */
extern const struct clock clock_system;
/** As clock_system, and it goes on while the machine sleeps. */
extern const struct clock clock_boot;

/** Monotonic microseconds of @clock. */
uint64_t clock_now_us(const struct clock *clock);
/** Monotonic microseconds of the machine. */
uint64_t now_us(void);
/** Unix time, milliseconds. */
uint64_t wall_ms(void);

#define CLOCK_ISO_MAX 32
/** "2026-01-31T12:00:00.123Z" of Unix time @ms into @ret (CLOCK_ISO_MAX bytes). */
void clock_format_iso(uint64_t ms, char *ret);
/** Lambda's LastModified form, "2026-01-31T12:00:00.123+0000". */
void clock_format_lambda(uint64_t ms, char *ret);
/** "2026/01/31", as in a log stream's name. */
void clock_format_date(uint64_t ms, char *ret);

#endif
