/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/tz.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/proto/big_endian.h"

#define HEAD_BYTES 44u
#define TIMES_MAX 2000u /* zic's own bounds */
#define TYPES_MAX 256u
#define DAY 86400
#define OFFSET_MAX (26 * 3600)

/* When a rule begins in a year, POSIX's forms Jn, n and Mm.w.d. */
struct rule {
    char form; /* 'J', 'N' or 'M' */
    int day, month, week; /* 'M': day of the week */
    int32_t time_s; /* on the clocks that are right before it */
};

struct tz {
    size_t times_len, types_len;
    int64_t *times; /* ascending */
    uint8_t *types; /* of each time: which offset holds from then on */
    int32_t offsets[TYPES_MAX];
    bool has_rule; /* for all that is behind the last time */
    bool has_dst;
    int32_t std_offset, dst_offset;
    struct rule dst_begins, dst_ends;
};

/* ---- the calendar ---- */

int64_t civil_days(int64_t year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void civil_date(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t of_era = z - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;

    *ret_day = (int)(of_year - (153 * month + 2) / 5 + 1);
    *ret_month = (int)(month < 10 ? month + 3 : month - 9);
    *ret_year = year + era * 400 + (*ret_month <= 2);
}

int civil_month_days(int64_t year, int month)
{
    return (int)(civil_days(month == 12 ? year + 1 : year, month == 12 ? 1 : month + 1, 1) -
                 civil_days(year, month, 1));
}

int civil_weekday(int64_t days)
{
    int64_t w = (days + 4) % 7; /* 1970-01-01 was a Thursday */

    return (int)(w < 0 ? w + 7 : w);
}

static int64_t year_at(int64_t local)
{
    int64_t days = local / DAY - (local % DAY < 0), year;
    int month, day;

    civil_date(days, &year, &month, &day);
    return year;
}

/* ---- the text behind the tables: "CET-1CEST,M3.5.0,M10.5.0/3" ---- */

static bool take_char(struct str *s, char c)
{
    if (s->len == 0 || s->ptr[0] != c)
        return false;
    *s = str_sub(*s, 1, s->len);
    return true;
}

static bool take_number(struct str *s, int max, int *ret)
{
    size_t n = 0;
    int value = 0;

    while (n < s->len && n < 4 && s->ptr[n] >= '0' && s->ptr[n] <= '9')
        value = value * 10 + (s->ptr[n++] - '0');
    *s = str_sub(*s, n, s->len);
    *ret = value;
    return n > 0 && value <= max;
}

static bool take_name(struct str *s)
{
    bool is_quoted = take_char(s, '<');
    size_t n = 0;

    if (is_quoted) {
        n = str_find(*s, '>', 0);
        if (n >= s->len)
            return false;
        *s = str_sub(*s, n + 1, s->len);
        return true;
    }
    while (n < s->len && ((s->ptr[n] >= 'A' && s->ptr[n] <= 'Z') || (s->ptr[n] >= 'a' && s->ptr[n] <= 'z')))
        n++;
    *s = str_sub(*s, n, s->len);
    return n >= 3;
}

/* [+|-]hh[:mm[:ss]] */
static bool take_time(struct str *s, int hours_max, int32_t *ret)
{
    bool is_negative = take_char(s, '-');
    int h, m = 0, sec = 0;

    if (!is_negative)
        (void)take_char(s, '+');
    if (!take_number(s, hours_max, &h))
        return false;
    if (take_char(s, ':')) {
        if (!take_number(s, 59, &m))
            return false;
        if (take_char(s, ':') && !take_number(s, 59, &sec))
            return false;
    }
    *ret = (h * 60 + m) * 60 + sec;
    if (is_negative)
        *ret = -*ret;
    return true;
}

static bool take_rule(struct str *s, struct rule *ret)
{
    *ret = (struct rule){.form = 'N', .time_s = 2 * 3600};
    if (!take_char(s, ','))
        return false;
    if (take_char(s, 'M')) {
        ret->form = 'M';
        if (!take_number(s, 12, &ret->month) || ret->month < 1 || !take_char(s, '.') ||
            !take_number(s, 5, &ret->week) || ret->week < 1 || !take_char(s, '.') ||
            !take_number(s, 6, &ret->day))
            return false;
    } else {
        if (take_char(s, 'J'))
            ret->form = 'J';
        if (!take_number(s, 365, &ret->day) || (ret->form == 'J' && ret->day < 1))
            return false;
    }
    return !take_char(s, '/') || take_time(s, 167, &ret->time_s);
}

static bool parse_rule(struct str s, struct tz *tz)
{
    int32_t west;

    if (!take_name(&s) || !take_time(&s, 25, &west))
        return false;
    tz->std_offset = -west;
    tz->has_rule = true;
    if (s.len == 0)
        return true;
    tz->has_dst = true;
    tz->dst_offset = tz->std_offset + 3600;
    if (!take_name(&s))
        return false;
    if (s.len > 0 && s.ptr[0] != ',') {
        if (!take_time(&s, 25, &west))
            return false;
        tz->dst_offset = -west;
    }
    return take_rule(&s, &tz->dst_begins) && take_rule(&s, &tz->dst_ends) && s.len == 0;
}

/* Seconds of the clocks from 1970 on, when @rule begins in @year. */
static int64_t rule_local(const struct rule *rule, int64_t year)
{
    int64_t first, day;
    bool is_leap = civil_month_days(year, 2) == 29;
    int at;

    switch (rule->form) {
    case 'J': /* 1..365, 29 February is never counted */
        day = civil_days(year, 1, 1) + rule->day - 1 + (is_leap && rule->day >= 60);
        break;
    case 'M':
        first = civil_days(year, rule->month, 1);
        at = (rule->day - civil_weekday(first) + 7) % 7 + (rule->week - 1) * 7;
        while (at >= civil_month_days(year, rule->month))
            at -= 7;
        day = first + at;
        break;
    default:
        day = civil_days(year, 1, 1) + rule->day;
    }
    return day * DAY + rule->time_s;
}

static int32_t rule_offset(const struct tz *tz, int64_t at)
{
    int64_t year = year_at(at + tz->std_offset), begins, ends;
    bool is_dst;

    if (!tz->has_dst)
        return tz->std_offset;
    begins = rule_local(&tz->dst_begins, year) - tz->std_offset;
    ends = rule_local(&tz->dst_ends, year) - tz->dst_offset;
    is_dst = begins < ends ? at >= begins && at < ends : at >= begins || at < ends;
    return is_dst ? tz->dst_offset : tz->std_offset;
}

/* ---- the file ---- */

struct counts {
    uint32_t isut, isstd, leap, time, type, chars;
};

static bool read_head(struct str s, struct counts *ret)
{
    if (s.len < HEAD_BYTES || memcmp(s.ptr, "TZif", 4) != 0 || s.ptr[4] < '2')
        return false;
    *ret = (struct counts){be32_get(s.ptr + 20), be32_get(s.ptr + 24), be32_get(s.ptr + 28),
                           be32_get(s.ptr + 32), be32_get(s.ptr + 36), be32_get(s.ptr + 40)};
    return ret->isut <= TYPES_MAX && ret->isstd <= TYPES_MAX && ret->leap <= TIMES_MAX &&
           ret->time <= TIMES_MAX && ret->type <= TYPES_MAX && ret->chars <= TIMES_MAX;
}

static size_t block_bytes(const struct counts *n, size_t time_bytes)
{
    return n->time * (time_bytes + 1) + n->type * 6u + n->chars + n->leap * (time_bytes + 4) + n->isstd +
           n->isut;
}

static bool read_block(struct str s, const struct counts *n, struct tz *tz)
{
    const char *types = s.ptr + n->time * 8u, *infos = types + n->time;
    size_t i;

    if (n->type == 0)
        return false;
    tz->times_len = n->time;
    tz->types_len = n->type;
    tz->times = calloc(n->time + 1u, sizeof(*tz->times));
    tz->types = calloc(n->time + 1u, 1);
    if (!tz->times || !tz->types)
        abort();
    for (i = 0; i < n->time; i++) {
        tz->times[i] = (int64_t)be64_get(s.ptr + i * 8);
        tz->types[i] = (uint8_t)types[i];
        if (tz->types[i] >= n->type || (i > 0 && tz->times[i] <= tz->times[i - 1]))
            return false;
    }
    for (i = 0; i < n->type; i++) {
        tz->offsets[i] = (int32_t)be32_get(infos + i * 6);
        if (tz->offsets[i] < -OFFSET_MAX || tz->offsets[i] > OFFSET_MAX)
            return false;
    }
    return true;
}

static bool parse(struct str file, struct tz *tz)
{
    struct counts n;
    struct str rest = file;

    if (file.len > TZ_FILE_MAX || !read_head(rest, &n)) /* the first block is for 32 bits */
        return false;
    rest = str_sub(rest, HEAD_BYTES + block_bytes(&n, 4), rest.len);
    if (!read_head(rest, &n) || rest.len < HEAD_BYTES + block_bytes(&n, 8))
        return false;
    if (!read_block(str_sub(rest, HEAD_BYTES, rest.len), &n, tz))
        return false;
    rest = str_sub(rest, HEAD_BYTES + block_bytes(&n, 8), rest.len);
    if (!take_char(&rest, '\n') || str_find(rest, '\n', 0) >= rest.len)
        return false;
    rest = str_sub(rest, 0, str_find(rest, '\n', 0));
    return rest.len == 0 || parse_rule(rest, tz);
}

int tz_parse(struct str file, struct tz **ret, struct error *err)
{
    struct tz *tz = calloc(1, sizeof(*tz));

    if (!tz)
        abort();
    if (!parse(file, tz)) {
        tz_free(tz);
        return error_set(err, ERR_BAD_REQUEST, "it is no file of a time zone (TZif, version 2 or later)");
    }
    *ret = tz;
    return 0;
}

void tz_free(struct tz *tz)
{
    if (!tz)
        return;
    free(tz->times);
    free(tz->types);
    free(tz);
}

bool tz_name_is_valid(struct str name)
{
    char before = '/';
    size_t i;

    for (i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool is_other = (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '_' || c == '/';

        if (!is_letter && (!is_other || (before == '/' && c == '/')))
            return false;
        before = c;
    }
    return name.len > 0 && name.len <= 64 && before != '/';
}

/* ---- what clocks show ---- */

int32_t tz_offset(const struct tz *tz, int64_t at)
{
    size_t low = 0, high;

    if (!tz)
        return 0;
    high = tz->times_len;
    if (tz->has_rule && (high == 0 || at >= tz->times[high - 1]))
        return rule_offset(tz, at);
    while (low < high) { /* the first time behind @at */
        size_t middle = (low + high) / 2;

        if (tz->times[middle] <= at)
            low = middle + 1;
        else
            high = middle;
    }
    return tz->offsets[low > 0 ? tz->types[low - 1] : 0];
}

bool tz_when(const struct tz *tz, int64_t local, int64_t *ret)
{
    /* one of the two offsets around it is right, unless the clocks never show it */
    int64_t early = local - tz_offset(tz, local - DAY - 3600);
    int64_t late = local - tz_offset(tz, local + DAY + 3600);
    int64_t first = early < late ? early : late, second = early < late ? late : early;

    if (first + tz_offset(tz, first) == local) {
        *ret = first;
        return true;
    }
    if (second + tz_offset(tz, second) == local) {
        *ret = second;
        return true;
    }
    *ret = early; /* by the clocks as they were */
    return false;
}
