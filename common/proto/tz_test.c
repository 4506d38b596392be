/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/tz.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "common/base/file.h"

#define FOLDER "/usr/share/zoneinfo/"
#define YEAR (365 * 86400LL)

static const char *const zones[] = {
    "UTC", "Europe/Berlin", "Europe/Dublin", "America/New_York", "America/Sao_Paulo", "Australia/Sydney",
    "Australia/Lord_Howe", "Asia/Kathmandu", "Asia/Gaza", "Africa/Casablanca", "America/Nuuk", "Pacific/Apia",
    "Etc/GMT+9",
};

static bool zone(const char *name, struct buf *file)
{
    CLEANUP(freep) char *path = str_printf(FOLDER "%s", name);

    buf_clear(file);
    return file_read(path, file, NULL) == 0;
}

static void offsets_are_those_of_libc(void **state)
{
    CLEANUP(buf_done) struct buf file = BUF_INIT(TZ_FILE_MAX);
    struct error err;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(zones); i++) {
        struct tz *tz = NULL;
        time_t at;

        if (!zone(zones[i], &file)) {
            print_message("skipped: there is no " FOLDER "%s\n", zones[i]);
            continue;
        }
        if (tz_parse(buf_str(&file), &tz, &err) < 0)
            fail_msg("%s: %s", zones[i], err.msg);
        setenv("TZ", zones[i], 1);
        tzset();
        /* 1975 to 2090, past the tables of most files */
        for (at = 5 * YEAR; at < 120 * YEAR; at += 1800 * 7 + 1) {
            struct tm tm;

            localtime_r(&at, &tm);
            if (tm.tm_gmtoff != tz_offset(tz, at))
                fail_msg("%s at %lld: %ld, not %d", zones[i], (long long)at, tm.tm_gmtoff, tz_offset(tz, at));
        }
        tz_free(tz);
    }
    unsetenv("TZ");
}

static void berlin(struct tz **ret)
{
    CLEANUP(buf_done) struct buf file = BUF_INIT(TZ_FILE_MAX);

    *ret = NULL;
    if (!zone("Europe/Berlin", &file))
        skip();
    assert_int_equal(tz_parse(buf_str(&file), ret, NULL), 0);
}

static void times_that_clocks_show_twice_or_never_are_told(void **state)
{
    int64_t gap = civil_days(2027, 3, 28) * 86400 + 2 * 3600 + 1800; /* 02:30 is skipped */
    int64_t twice = civil_days(2027, 10, 31) * 86400 + 2 * 3600 + 1800;
    int64_t at;
    struct tz *tz;

    (void)state;
    berlin(&tz);
    assert_false(tz_when(tz, gap, &at));
    assert_int_equal(at, gap - 3600); /* 03:30 of summer time */
    assert_true(tz_when(tz, twice, &at));
    assert_int_equal(at, twice - 7200); /* summer time still */
    assert_true(tz_when(tz, gap + 3600, &at));
    assert_int_equal(at, gap + 3600 - 7200);
    assert_true(tz_when(NULL, gap, &at));
    assert_int_equal(at, gap);
    tz_free(tz);
}

static void files_that_are_cut_or_changed_are_refused_or_safe(void **state)
{
    CLEANUP(buf_done) struct buf file = BUF_INIT(TZ_FILE_MAX);
    struct tz *tz = NULL;
    size_t len;

    (void)state;
    if (!zone("Europe/Berlin", &file))
        skip();
    for (len = 0; len < file.len; len++)
        assert_int_equal(tz_parse(str_from(file.ptr, len), &tz, NULL), -ERR_BAD_REQUEST);
    for (len = 0; len < file.len; len++) {
        file.ptr[len] ^= (char)0x81;
        if (tz_parse(buf_str(&file), &tz, NULL) == 0) {
            int64_t at;

            (void)tz_offset(tz, 5000000000);
            (void)tz_when(tz, 1700000000, &at);
            tz_free(tz);
        }
        file.ptr[len] ^= (char)0x81;
    }
}

static void dates_go_there_and_back(void **state)
{
    int64_t days, year;
    int month, day;

    (void)state;
    for (days = -800000; days < 800000; days += 13) {
        civil_date(days, &year, &month, &day);
        assert_int_equal(civil_days(year, month, day), days);
        assert_in_range(day, 1, civil_month_days(year, month));
    }
    assert_int_equal(civil_days(2000, 3, 1), 11017);
    assert_int_equal(civil_weekday(civil_days(2026, 11, 27)), 5);
    assert_int_equal(civil_weekday(-4), 0);
}

static void names_are_paths_below_the_folder(void **state)
{
    static const char *const good[] = {"UTC", "Europe/Paris", "Etc/GMT+9", "America/Argentina/Buenos_Aires"};
    static const char *const bad[] = {"", "/etc/passwd", "../x", "Europe/../x", "Europe/", "a//b", "a b", "a.b"};
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(good); i++)
        assert_true(tz_name_is_valid(str_of(good[i])));
    for (i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(tz_name_is_valid(str_of(bad[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offsets_are_those_of_libc),
        cmocka_unit_test(times_that_clocks_show_twice_or_never_are_told),
        cmocka_unit_test(files_that_are_cut_or_changed_are_refused_or_safe),
        cmocka_unit_test(dates_go_there_and_back),
        cmocka_unit_test(names_are_paths_below_the_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
