/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tz.h - a zone of the IANA time zone database: what its clocks show at a moment, and when they show
 * something. Read from the bytes of its compiled file (TZif), so nothing here depends on the
 * process's own TZ.
 *
 * Owns:    a struct tz is the caller's.
 * Threads: any.
 * Errors:  -ERR_BAD_REQUEST: no file of this kind, or one that contradicts itself.
 * Source:  RFC 9636 (TZif); POSIX.1-2017 8.3, TZ, for what comes behind the last transition.
 */
#ifndef HEARTH_PROTO_TZ_H
#define HEARTH_PROTO_TZ_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/base/str.h"

#define TZ_FILE_MAX 65536u /* far above the largest zone */

struct tz;

/** Reads a zone from @file, at most TZ_FILE_MAX bytes of version 2 or later. */
int tz_parse(struct str file, struct tz **ret, struct error *err);
void tz_free(struct tz *tz);
/** Whether @name can be a zone's, and so a path below the folder of the database: "Europe/Paris". */
bool tz_name_is_valid(struct str name);

/** Seconds that the zone's clocks are ahead of UTC at Unix time @at; @tz NULL: UTC. */
int32_t tz_offset(const struct tz *tz, int64_t at);
/**
 * When the zone's clocks show @local (seconds from 1970-01-01 00:00 on them) for the first time.
 * False: never, it is skipped when they are put forward; *@ret is then the same number of seconds
 * behind that moment.
 */
bool tz_when(const struct tz *tz, int64_t local, int64_t *ret);

/* ---- the calendar, proleptic Gregorian ---- */

/** Days from 1970-01-01 to @day (1..31) of @month (1..12) of @year. */
int64_t civil_days(int64_t year, int month, int day);
/** The date @days after 1970-01-01. */
void civil_date(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day);
int civil_month_days(int64_t year, int month);
/** 0 = Sunday */
int civil_weekday(int64_t days);

#endif
