/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/schedule.h"

#include <string.h>

#include "common/base/cleanup.h"

#define DAY 86400
#define RATE_MAX 100000000u

static const char *const month_names[] = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                          "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
static const char *const weekday_names[] = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};

/* One field of a cron expression while it is read. */
struct field {
    const char *name;
    int min, max;
    const char *const *names; /* of its numbers from min on; NULL: none */
    uint64_t bits[4]; /* bit 0 is @min */
};

/* ---- numbers and names ---- */

static bool read_value(const struct field *f, struct str text, int *ret)
{
    uint64_t n;
    int i;

    for (i = 0; f->names && i <= f->max - f->min; i++) {
        if (str_eq_nocase(text, str_of(f->names[i]))) {
            *ret = f->min + i;
            return true;
        }
    }
    if (text.len > 4 || str_parse_u64(text, &n) < 0 || n < (uint64_t)f->min || n > (uint64_t)f->max)
        return false;
    *ret = (int)n;
    return true;
}

static void set_bit(struct field *f, int value)
{
    int at = value - f->min;

    f->bits[at / 64] |= 1ull << (at % 64);
}

/* "5", "1-5", "FRI-MON", "*", each with "/2" or without */
static bool read_part(struct field *f, struct str part)
{
    size_t slash = str_find(part, '/', 0), dash;
    struct str range = str_sub(part, 0, slash);
    int from = f->min, to = f->max, at, count;
    bool wraps = f->max < SCHEDULE_YEAR_MIN; /* years do not */
    uint64_t step = 1;

    if (slash < part.len && (str_parse_u64(str_sub(part, slash + 1, part.len), &step) < 0 || step == 0 ||
                             step > (uint64_t)(f->max - f->min)))
        return false;
    dash = str_find(range, '-', 0);
    if (!str_is(range, "*")) {
        if (!read_value(f, str_sub(range, 0, dash), &from))
            return false;
        to = slash < part.len ? f->max : from; /* 5/10: from 5 on */
        if (dash < range.len && !read_value(f, str_sub(range, dash + 1, range.len), &to))
            return false;
    }
    if (to < from && !wraps)
        return false;
    count = to >= from ? to - from : f->max - from + 1 + to - f->min;
    for (at = 0; at <= count; at += (int)step)
        set_bit(f, f->min + (from - f->min + at) % (f->max - f->min + 1));
    return true;
}

static int read_field(struct field *f, struct str text, struct error *err)
{
    struct str rest = text, part;

    while (str_split(&rest, ',', &part))
        if (!read_part(f, part))
            return error_set(err, ERR_VALIDATION, "the field %s of the cron expression cannot be %.*s",
                             f->name, STR_ARG(str_sub(text, 0, 64)));
    return 0;
}

/* ---- the two day fields ---- */

static int read_days(struct str text, struct schedule_cron *cron, struct error *err)
{
    struct field f = {.name = "day-of-month", .min = 1, .max = 31};
    int r;

    if (str_is(text, "?")) {
        cron->any_day = true;
        return 0;
    }
    cron->is_last_day = str_is(text, "L") || str_is(text, "LW");
    cron->is_weekday = text.len > 1 && str_ends(text, STR("W"));
    if (cron->is_last_day)
        return 0;
    if (cron->is_weekday && read_value(&f, str_sub(text, 0, text.len - 1), &cron->near_day))
        return 0;
    r = read_field(&f, text, err);
    cron->days = (uint32_t)f.bits[0] << 1;
    return r;
}

static int read_weekdays(struct str text, struct schedule_cron *cron, struct error *err)
{
    struct field f = {.name = "day-of-week", .min = 1, .max = 7, .names = weekday_names};
    size_t hash = str_find(text, '#', 0);
    uint64_t nth;
    int r;

    if (str_is(text, "?")) {
        cron->any_weekday = true;
        return 0;
    }
    if (str_is(text, "L")) /* of the week */
        text = STR("7");
    if (hash < text.len && read_value(&f, str_sub(text, 0, hash), &cron->nth_weekday) &&
        str_parse_u64(str_sub(text, hash + 1, text.len), &nth) == 0 && nth >= 1 && nth <= 5) {
        cron->nth = (int)nth;
        return 0;
    }
    if (text.len > 1 && str_ends(text, STR("L")) &&
        read_value(&f, str_sub(text, 0, text.len - 1), &cron->last_weekday))
        return 0;
    r = read_field(&f, text, err);
    cron->weekdays = (uint32_t)f.bits[0] << 1;
    return r;
}

/* ---- the three forms ---- */

/* Cuts the next word; false: there is none. */
static bool take_word(struct str *rest, struct str *ret)
{
    size_t end = 0;

    *rest = str_trim(*rest);
    while (end < rest->len && rest->ptr[end] != ' ' && rest->ptr[end] != '\t')
        end++;
    *ret = str_sub(*rest, 0, end);
    *rest = str_sub(*rest, end, rest->len);
    return ret->len > 0;
}

static int parse_cron(struct str inside, struct schedule_cron *cron, struct error *err)
{
    struct field minutes = {.name = "minutes", .min = 0, .max = 59};
    struct field hours = {.name = "hours", .min = 0, .max = 23};
    struct field months = {.name = "month", .min = 1, .max = 12, .names = month_names};
    struct field years = {.name = "year", .min = SCHEDULE_YEAR_MIN, .max = SCHEDULE_YEAR_MAX};
    struct str words[7];
    size_t n = 0;
    int r;

    while (n < ARRAY_LEN(words) && take_word(&inside, &words[n]))
        n++;
    if (n != 6)
        return error_set(err, ERR_VALIDATION,
                         "a cron expression has six fields: minutes, hours, day-of-month, month, "
                         "day-of-week, year");
    r = read_field(&minutes, words[0], err);
    if (r == 0)
        r = read_field(&hours, words[1], err);
    if (r == 0)
        r = read_days(words[2], cron, err);
    if (r == 0)
        r = read_field(&months, words[3], err);
    if (r == 0)
        r = read_weekdays(words[4], cron, err);
    if (r == 0)
        r = read_field(&years, words[5], err);
    if (r < 0)
        return r;
    if (cron->any_day == cron->any_weekday)
        return error_set(err, ERR_VALIDATION,
                         "one of day-of-month and day-of-week of a cron expression must be ?, the "
                         "other must not");
    cron->minutes = minutes.bits[0];
    cron->hours = (uint32_t)hours.bits[0];
    cron->months = (uint32_t)months.bits[0] << 1;
    memcpy(cron->years, years.bits, sizeof(cron->years));
    return 0;
}

static int parse_rate(struct str inside, int64_t *ret, struct error *err)
{
    static const struct {
        const char *one, *many;
        int64_t seconds;
    } units[] = {{"minute", "minutes", 60}, {"hour", "hours", 3600}, {"day", "days", DAY}};
    struct str number, unit, rest = inside, more;
    uint64_t n;
    size_t i;

    if (!take_word(&rest, &number) || !take_word(&rest, &unit) || take_word(&rest, &more) ||
        str_parse_u64(number, &n) < 0 || n == 0 || n > RATE_MAX)
        return error_set(err, ERR_VALIDATION, "a rate expression is a number from 1 on and a unit");
    for (i = 0; i < ARRAY_LEN(units); i++) {
        if (str_is(unit, units[i].one) || str_is(unit, units[i].many)) {
            *ret = (int64_t)n * units[i].seconds;
            return 0;
        }
    }
    return error_set(err, ERR_VALIDATION,
                     "the unit of a rate expression is minute, minutes, hour, hours, day or days");
}

/* The digits at @at of @text as a number; false: others are there. */
static bool digits(struct str text, size_t at, size_t len, int *ret)
{
    uint64_t n;

    if (str_parse_u64(str_sub(text, at, at + len), &n) < 0)
        return false;
    *ret = (int)n;
    return true;
}

static int parse_at(struct str t, int64_t *ret, struct error *err)
{
    static const char form[] = "yyyy-mm-ddThh:mm:ss";
    int year, month, day, h, m, s;

    if (t.len != sizeof(form) - 1 || t.ptr[4] != '-' || t.ptr[7] != '-' || t.ptr[10] != 'T' ||
        t.ptr[13] != ':' || t.ptr[16] != ':' || !digits(t, 0, 4, &year) || !digits(t, 5, 2, &month) ||
        !digits(t, 8, 2, &day) || !digits(t, 11, 2, &h) || !digits(t, 14, 2, &m) ||
        !digits(t, 17, 2, &s) || year < SCHEDULE_YEAR_MIN || year > SCHEDULE_YEAR_MAX || month < 1 ||
        month > 12 || day < 1 || day > civil_month_days(year, month) || h > 23 || m > 59 || s > 59)
        return error_set(err, ERR_VALIDATION, "an at expression is a date and time, at(%s)", form);
    *ret = civil_days(year, month, day) * DAY + (h * 60 + m) * 60 + s;
    return 0;
}

int schedule_parse(struct str text, struct schedule *ret, struct error *err)
{
    struct str t = str_trim(text), inside;
    size_t open = str_find(t, '(', 0);
    struct schedule s = {.kind = SCHEDULE_AT};
    int r;

    if (text.len > SCHEDULE_TEXT_MAX || open >= t.len || !str_ends(t, STR(")")))
        return error_set(err, ERR_VALIDATION, "a schedule is at(...), rate(...) or cron(...)");
    inside = str_trim(str_sub(t, open + 1, t.len - 1));
    t = str_sub(t, 0, open);
    if (str_is(t, "at")) {
        r = parse_at(inside, &s.at_local, err);
    } else if (str_is(t, "rate")) {
        s.kind = SCHEDULE_RATE;
        r = parse_rate(inside, &s.rate_s, err);
    } else if (str_is(t, "cron")) {
        s.kind = SCHEDULE_CRON;
        r = parse_cron(inside, &s.cron, err);
    } else {
        r = error_set(err, ERR_VALIDATION, "a schedule is at(...), rate(...) or cron(...)");
    }
    if (r == 0)
        *ret = s;
    return r;
}

/* ---- when cron is due ---- */

static bool has_bit(uint64_t bits, int at)
{
    return bits >> at & 1;
}

static bool is_cron_day(const struct schedule_cron *c, int64_t year, int month, int day)
{
    int length = civil_month_days(year, month);
    int weekday = civil_weekday(civil_days(year, month, day)) + 1, near;

    if (c->any_day) {
        if (c->nth)
            return weekday == c->nth_weekday && (day - 1) / 7 + 1 == c->nth;
        if (c->last_weekday)
            return weekday == c->last_weekday && day + 7 > length;
        return has_bit(c->weekdays, weekday);
    }
    if (!c->is_weekday)
        return c->is_last_day ? day == length : has_bit(c->days, day);
    near = c->is_last_day ? length : c->near_day;
    if (near > length)
        return false;
    switch (civil_weekday(civil_days(year, month, near))) {
    case 6: /* Saturday: the day before, but never in another month */
        near += near > 1 ? -1 : 2;
        break;
    case 0:
        near += near < length ? 1 : -2;
        break;
    default:
        break;
    }
    return day == near;
}

/* The first time of the day @days behind @after; what is two hours and more before it is not looked at. */
static bool cron_on_day(const struct schedule_cron *c, const struct tz *tz, int64_t days,
                        int64_t after, int64_t *ret)
{
    int64_t local, at, shown = after + tz_offset(tz, after);
    int hour, minute;

    for (hour = 0; hour < 24; hour++) {
        local = days * DAY + hour * 3600;
        if (!has_bit(c->hours, hour) || local + 3600 + DAY < shown)
            continue;
        for (minute = 0; minute < 60; minute++) {
            if (has_bit(c->minutes, minute) && tz_when(tz, local + minute * 60, &at) && at > after) {
                *ret = at;
                return true;
            }
        }
    }
    return false;
}

static bool cron_next(const struct schedule_cron *c, const struct tz *tz, int64_t after,
                      int64_t *ret)
{
    int64_t shown = after + tz_offset(tz, after), days, year;
    int month, day;

    days = shown / DAY - (shown % DAY < 0) - 1; /* clocks may have been put back over midnight */
    civil_date(days, &year, &month, &day);
    for (; year <= SCHEDULE_YEAR_MAX; month++, day = 1) {
        if (month > 12) {
            month = 1;
            year++;
        }
        if (year < SCHEDULE_YEAR_MIN || year > SCHEDULE_YEAR_MAX || !has_bit(c->months, month) ||
            !has_bit(c->years[(year - SCHEDULE_YEAR_MIN) / 64], (int)(year - SCHEDULE_YEAR_MIN) % 64))
            continue;
        for (; day <= civil_month_days(year, month); day++)
            if (is_cron_day(c, year, month, day) &&
                cron_on_day(c, tz, civil_days(year, month, day), after, ret))
                return true;
    }
    return false;
}

/* ---- all forms ---- */

static int64_t rate_next(int64_t rate, const struct schedule_span *span, int64_t after)
{
    int64_t first = span->has_start ? span->start : span->created + rate;

    return after < first ? first : first + ((after - first) / rate + 1) * rate;
}

bool schedule_next(const struct schedule *s, const struct tz *tz, const struct schedule_span *span,
                   int64_t after, int64_t *ret)
{
    int64_t at = 0;
    bool is_there = true;

    if (span->has_start && after < span->start - 1)
        after = span->start - 1;
    switch (s->kind) {
    case SCHEDULE_AT:
        (void)tz_when(tz, s->at_local, &at);
        is_there = at > after;
        break;
    case SCHEDULE_RATE:
        at = rate_next(s->rate_s, span, after);
        break;
    case SCHEDULE_CRON:
        is_there = cron_next(&s->cron, tz, after, &at);
        break;
    }
    if (!is_there || (span->has_end && at > span->end))
        return false;
    *ret = at;
    return true;
}

bool schedule_latest(const struct schedule *s, const struct tz *tz,
                     const struct schedule_span *span, int64_t after, int64_t until,
                     int64_t *ret)
{
    int64_t at, later, middle, end = until; /* nothing is due behind @end */

    if (!schedule_next(s, tz, span, after, &at) || at > until)
        return false;
    for (;;) {
        middle = at + (end - at) / 2;
        if (schedule_next(s, tz, span, middle, &later) && later <= until)
            at = later;
        else if (middle == at)
            break;
        else
            end = middle;
    }
    *ret = at;
    return true;
}
