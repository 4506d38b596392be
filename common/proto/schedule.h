/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schedule.h - AWS's schedule expressions: at(2026-01-31T12:00:00), rate(5 minutes) and
 * cron(minutes hours day-of-month month day-of-week year), and when they are due.
 *
 * cron has AWS's forms in each field: lists, ranges, steps, names; ? in one of the two day fields; L
 * (last day; last Friday as 6L), W (15W: the weekday next to the 15th; LW), # (6#3: third Friday).
 * at and cron mean the clocks of a zone. A time of theirs that clocks skip when they are put
 * forward is left out by cron, and by at is as long after the jump; one that they show twice counts
 * the first time.
 *
 * Owns:    nothing.
 * Threads: any.
 * Errors:  -ERR_VALIDATION, saying what is wrong.
 * Source:  Application Auto Scaling user guide, "Schedule recurring scaling actions using cron
 *          expressions"; EventBridge Scheduler user guide, "Schedule types" (daylight saving).
 */
#ifndef HEARTH_PROTO_SCHEDULE_H
#define HEARTH_PROTO_SCHEDULE_H

#include "common/proto/tz.h"

#define SCHEDULE_YEAR_MIN 1970
#define SCHEDULE_YEAR_MAX 2199
#define SCHEDULE_TEXT_MAX 512u /* bytes of an expression */

enum schedule_kind { SCHEDULE_AT, SCHEDULE_RATE, SCHEDULE_CRON };

/* Sets of numbers are bits: bit 5 of @minutes is minute 5. */
struct schedule_cron {
    uint64_t minutes;
    uint32_t hours, days, months, weekdays; /* from 0, 1, 1, 1 = Sunday */
    uint64_t years[4]; /* from SCHEDULE_YEAR_MIN */
    bool any_day, any_weekday; /* ? */
    bool is_last_day, is_weekday; /* L; W, with @is_last_day or @near_day */
    int near_day; /* of 15W; 0: none */
    int last_weekday; /* of 6L, 1 = Sunday; 0: none */
    int nth, nth_weekday; /* of 6#3: 3 and 6; 0: none */
};

struct schedule {
    enum schedule_kind kind;
    int64_t at_local; /* seconds of the clocks since 1970 */
    int64_t rate_s; /* > 0 */
    struct schedule_cron cron;
};

/* Unix times. A rate counts from @start, which is its first time, else from @created. */
struct schedule_span {
    int64_t created;
    bool has_start, has_end;
    int64_t start, end; /* nothing is due before or behind */
};

int schedule_parse(struct str text, struct schedule *ret, struct error *err);
/** The first time that is due later than @after; false: there is none. @tz NULL: UTC. */
bool schedule_next(const struct schedule *s, const struct tz *tz, const struct schedule_span *span,
                   int64_t after, int64_t *ret);
/** The last time that was due later than @after, up to @until; false: there was none. */
bool schedule_latest(const struct schedule *s, const struct tz *tz,
                     const struct schedule_span *span, int64_t after, int64_t until,
                     int64_t *ret);

#endif
