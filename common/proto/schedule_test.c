/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/file.h"

#define DAY 86400LL

static int64_t utc(int year, int month, int day, int hour, int minute)
{
    return civil_days(year, month, day) * DAY + hour * 3600 + minute * 60;
}

static struct tz *zone(const char *name)
{
    CLEANUP(buf_done) struct buf file = BUF_INIT(TZ_FILE_MAX);
    CLEANUP(freep) char *path = str_printf("/usr/share/zoneinfo/%s", name);
    struct tz *tz = NULL;

    if (file_read(path, &file, NULL) < 0 || tz_parse(buf_str(&file), &tz, NULL) < 0)
        print_message("skipped: there is no zone %s\n", name);
    return tz;
}

static struct schedule parsed(const char *text)
{
    struct schedule s;
    struct error err;

    if (schedule_parse(str_of(text), &s, &err) < 0)
        fail_msg("%s: %s", text, err.msg);
    return s;
}

static void expect_next(const char *text, const struct tz *tz, int64_t after, int64_t wanted)
{
    struct schedule s = parsed(text);
    struct schedule_span span = {.created = after};
    int64_t at = -1;

    if (!schedule_next(&s, tz, &span, after, &at))
        at = -1;
    if (at != wanted)
        fail_msg("%s behind %lld: %lld, not %lld", text, (long long)after, (long long)at, (long long)wanted);
}

static void expressions_are_due_when_aws_says(void **state)
{
    int64_t from = utc(2026, 11, 27, 10, 0); /* a Friday */

    (void)state;
    expect_next("at(2026-11-27T10:00:03)", NULL, from, from + 3);
    expect_next("at(2026-11-27T10:00:00)", NULL, from, -1);
    expect_next("rate(5 minutes)", NULL, from, from + 300);
    expect_next("rate(1 day)", NULL, from, from + DAY);
    expect_next("cron(0 9 * * ? *)", NULL, from, utc(2026, 11, 28, 9, 0));
    expect_next("cron(0/15 10 * * ? *)", NULL, from, utc(2026, 11, 27, 10, 15));
    expect_next("cron(15 12 ? * MON-FRI *)", NULL, from, utc(2026, 11, 27, 12, 15));
    expect_next("cron(0 8 ? * 2-6 *)", NULL, from, utc(2026, 11, 30, 8, 0));
    expect_next("cron(0 8 ? * FRI-MON *)", NULL, from, utc(2026, 11, 28, 8, 0));
    expect_next("cron(30 6 1,15 * ? *)", NULL, from, utc(2026, 12, 1, 6, 30));
    expect_next("cron(0 0 L * ? *)", NULL, from, utc(2026, 11, 30, 0, 0));
    expect_next("cron(0 0 L 2 ? *)", NULL, from, utc(2027, 2, 28, 0, 0));
    expect_next("cron(0 0 L 2 ? 2028)", NULL, from, utc(2028, 2, 29, 0, 0));
    expect_next("cron(0 0 LW 1 ? *)", NULL, from, utc(2027, 1, 29, 0, 0)); /* the 31st is a Sunday */
    expect_next("cron(0 0 15W 5 ? *)", NULL, from, utc(2027, 5, 14, 0, 0)); /* a Saturday */
    expect_next("cron(0 0 1W 5 ? *)", NULL, from, utc(2027, 5, 3, 0, 0));
    expect_next("cron(0 0 31W 10 ? *)", NULL, from, utc(2027, 10, 29, 0, 0)); /* a Sunday */
    expect_next("cron(0 0 ? * 6#3 *)", NULL, from, utc(2026, 12, 18, 0, 0));
    expect_next("cron(0 0 ? * 6L *)", NULL, from, utc(2026, 12, 25, 0, 0));
    expect_next("cron(0 0 ? * FRIL *)", NULL, from, utc(2026, 12, 25, 0, 0));
    expect_next("cron(0 0 ? * L *)", NULL, from, utc(2026, 11, 28, 0, 0));
    expect_next("cron(0 0 ? * SUN#5 *)", NULL, from, utc(2026, 11, 29, 0, 0));
    expect_next("cron(0 0 29 2 ? *)", NULL, from, utc(2028, 2, 29, 0, 0));
    expect_next("cron(0 0 30 FEB ? *)", NULL, from, -1);
    expect_next("cron(* * * * ? 2030-2040/5)", NULL, from, utc(2030, 1, 1, 0, 0));
    expect_next("cron(0 22-2/2 * * ? *)", NULL, from, utc(2026, 11, 27, 22, 0));
    expect_next("cron(0 0 1 1 ? 2199)", NULL, from, utc(2199, 1, 1, 0, 0));
    expect_next("  cron(  0   9 * * ? * ) ", NULL, from, utc(2026, 11, 28, 9, 0));
}

static void expressions_that_are_none_are_refused(void **state)
{
    static const char *const bad[] = {
        "", "at", "at()", "now()", "rate()", "rate(0 minutes)", "rate(5)", "rate(5 weeks)", "rate(-1 minutes)",
        "rate(1 minute x)", "rate(99999999999 days)", "at(2026-13-01T00:00:00)", "at(2026-02-29T00:00:00)",
        "at(2026-01-01 00:00:00)", "at(2026-01-01T24:00:00)", "at(1969-01-01T00:00:00)", "cron(* * * * *)",
        "cron(* * * * ? * *)", "cron(60 * * * ? *)", "cron(* 24 * * ? *)", "cron(* * 0 * ? *)", "cron(* * 32 * ? *)",
        "cron(* * * 13 ? *)", "cron(* * ? * 8 *)", "cron(* * ? * 0 *)", "cron(* * * * * *)", "cron(* * ? * ? *)",
        "cron(* * * * ? 1969)", "cron(* * * * ? 2200)", "cron(* * * * ? 2040-2030)", "cron(*/0 * * * ? *)",
        "cron(1,,2 * * * ? *)", "cron(- * * * ? *)", "cron(a * * * ? *)", "cron(* * 1W,2 * ? *)", "cron(* * ? * 6#6 *)",
        "cron(* * ? * #1 *)", "cron(* * ? * 9L *)", "cron(* * 32W * ? *)", "cron(? * * * ? *)", "cron(0 9 * * ? *",
        "cron(99999999999999999999 9 * * ? *)", "cron(1/60 * * * ? *)", "CRON(0 9 * * ? *)",
    };
    struct schedule s;
    struct error err;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(bad); i++)
        if (schedule_parse(str_of(bad[i]), &s, &err) != -ERR_VALIDATION)
            fail_msg("%s was accepted", bad[i]);
}

static void start_and_end_bound_what_is_due(void **state)
{
    int64_t now = utc(2026, 11, 27, 10, 0), at;
    struct schedule_span span = {.created = now, .has_start = true, .start = now + 1000, .has_end = true,
                                 .end = now + 1700};
    struct schedule rate = parsed("rate(10 minutes)"), cron = parsed("cron(* * * * ? *)");

    (void)state;
    assert_true(schedule_next(&rate, NULL, &span, now, &at));
    assert_int_equal(at, now + 1000); /* the start is its first time */
    assert_true(schedule_next(&rate, NULL, &span, at, &at));
    assert_int_equal(at, now + 1600);
    assert_false(schedule_next(&rate, NULL, &span, at, &at));
    assert_true(schedule_next(&cron, NULL, &span, now, &at));
    assert_int_equal(at, now + 1020);
    assert_true(schedule_latest(&cron, NULL, &span, now, now + 100000, &at));
    assert_int_equal(at, now + 1680);
    assert_false(schedule_latest(&cron, NULL, &span, now, now + 1019, &at));
}

static void the_latest_time_is_the_one_before_the_next(void **state)
{
    static const char *const texts[] = {"cron(* * * 1 ? *)", "cron(0 9 ? * MON *)", "rate(7 minutes)",
                                        "cron(30 2 29 2 ? *)", "at(2026-05-05T05:05:05)"};
    int64_t after = utc(2024, 1, 1, 0, 0), until = utc(2026, 11, 27, 10, 0), latest, next;
    struct schedule_span span = {.created = after};
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(texts); i++) {
        struct schedule s = parsed(texts[i]);

        assert_true(schedule_latest(&s, NULL, &span, after, until, &latest));
        assert_true(latest > after && latest <= until);
        assert_true(!schedule_next(&s, NULL, &span, latest, &next) || next > until);
        assert_true(schedule_next(&s, NULL, &span, latest - 1, &next) && next == latest);
    }
}

static void clocks_that_are_put_forward_skip_and_back_repeat_nothing(void **state)
{
    struct tz *tz = zone("Europe/Berlin");

    (void)state;
    if (!tz)
        skip();
    /* 28 March 2027, 02:00 becomes 03:00 */
    expect_next("cron(30 2 * * ? *)", tz, utc(2027, 3, 27, 12, 0), utc(2027, 3, 29, 0, 30));
    expect_next("cron(0 3 * * ? *)", tz, utc(2027, 3, 27, 12, 0), utc(2027, 3, 28, 1, 0));
    expect_next("at(2027-03-28T02:30:00)", tz, utc(2027, 3, 27, 12, 0), utc(2027, 3, 28, 1, 30));
    /* 31 October 2027, 03:00 becomes 02:00 */
    expect_next("cron(30 2 * * ? *)", tz, utc(2027, 10, 30, 12, 0), utc(2027, 10, 31, 0, 30));
    expect_next("cron(30 2 * * ? *)", tz, utc(2027, 10, 31, 0, 30), utc(2027, 11, 1, 1, 30));
    expect_next("at(2027-10-31T02:30:00)", tz, utc(2027, 10, 30, 12, 0), utc(2027, 10, 31, 0, 30));
    expect_next("cron(0 12 * * ? *)", tz, utc(2027, 10, 30, 12, 0), utc(2027, 10, 31, 11, 0));
    tz_free(tz);
}

/* ---- against a reference that looks at each minute ---- */

static bool in_list(const char *list, int value)
{
    int from, to, step, used;

    for (;;) {
        if (sscanf(list, "%d-%d/%d%n", &from, &to, &step, &used) == 3 && value >= from && value <= to &&
            (value - from) % step == 0)
            return true;
        list = strchr(list, ',');
        if (!list)
            return false;
        list++;
    }
}

static bool slow_matches(const char *const fields[5], int64_t shown)
{
    int64_t days = shown / DAY, year;
    int month, day;

    civil_date(days, &year, &month, &day);
    return in_list(fields[0], (int)(shown % 3600 / 60)) && in_list(fields[1], (int)(shown % DAY / 3600)) &&
           (!fields[2] || in_list(fields[2], day)) && in_list(fields[3], month) &&
           (!fields[4] || in_list(fields[4], civil_weekday(days) + 1));
}

/* A minute counts once, when the clocks show it for the first time. */
static int64_t slow_next(const char *const fields[5], const struct tz *tz, int64_t after, int64_t end)
{
    int64_t at = after - after % 60 + 60, before;

    for (; at < end; at += 60) {
        int64_t shown = at + tz_offset(tz, at);
        bool is_first = true;

        for (before = at - 600; before >= at - 3 * 3600; before -= 600)
            is_first = is_first && before + tz_offset(tz, before) < shown;
        for (before = at - 1800; is_first && before >= at - 7200; before -= 1800)
            is_first = before + tz_offset(tz, before) != shown;
        if (is_first && slow_matches(fields, shown))
            return at;
    }
    return -1;
}

static uint32_t seed = 20261127;

static int pick(int from, int to)
{
    seed = seed * 1664525u + 1013904223u;
    return from + (int)((seed >> 8) % (uint32_t)(to - from + 1));
}

static void make_field(char *ret, size_t size, int min, int max)
{
    int n = pick(1, 3), i, from, to;

    ret[0] = '\0';
    for (i = 0; i < n; i++) {
        from = pick(min, max);
        to = pick(from, max);
        snprintf(ret + strlen(ret), size - strlen(ret), "%s%d-%d/%d", i ? "," : "", from, to,
                 pick(1, max - min));
    }
}

static void next_times_are_those_of_a_reference(void **state)
{
    static const char *const names[] = {"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe",
                                        "Africa/Casablanca", "Asia/Kathmandu"};
    char minutes[64], hours[64], days[64], months[64], weekdays[64], text[512];
    size_t z;
    int i;

    (void)state;
    for (z = 0; z < ARRAY_LEN(names); z++) {
        struct tz *tz = zone(names[z]);

        for (i = 0; tz && i < 25; i++) {
            bool by_weekday = pick(0, 1);
            const char *fields[5] = {minutes, hours, by_weekday ? NULL : days, months, by_weekday ? weekdays : NULL};
            int64_t after = utc(2027, 1, 1, 0, 0) + (int64_t)pick(0, 365 * 24 * 60) * 60 + pick(0, 59), end = after + 8 * DAY;
            struct schedule_span span = {.created = after};
            struct schedule s;
            int64_t at, slow;

            make_field(minutes, sizeof(minutes), 0, 59);
            make_field(hours, sizeof(hours), 0, 23);
            make_field(days, sizeof(days), 1, 31);
            make_field(months, sizeof(months), 1, 12);
            make_field(weekdays, sizeof(weekdays), 1, 7);
            snprintf(text, sizeof(text), "cron(%s %s %s %s %s *)", minutes, hours, by_weekday ? "?" : days, months,
                     by_weekday ? weekdays : "?");
            s = parsed(text);
            slow = slow_next(fields, tz, after, end);
            if (!schedule_next(&s, tz, &span, after, &at) || at >= end)
                at = -1;
            if (at != slow)
                fail_msg("%s in %s behind %lld: %lld, the reference says %lld", text, names[z], (long long)after,
                         (long long)at, (long long)slow);
        }
        tz_free(tz);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expressions_are_due_when_aws_says),
        cmocka_unit_test(expressions_that_are_none_are_refused),
        cmocka_unit_test(start_and_end_bound_what_is_due),
        cmocka_unit_test(the_latest_time_is_the_one_before_the_next),
        cmocka_unit_test(clocks_that_are_put_forward_skip_and_back_repeat_nothing),
        cmocka_unit_test(next_times_are_those_of_a_reference),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
