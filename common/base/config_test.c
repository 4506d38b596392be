/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "common/base/clock.h"
#include "common/base/config.h"
#include "common/base/error.h"
#include "common/base/file.h"

struct settings {
    char *name;
    uint64_t count, bytes, wait_us;
    bool on;
};

static const char *check_name(struct str s)
{
    return str_is(s, "bad") || s.len == 0 || str_is(s, "too long and bad") ? "is a bad name" : NULL;
}

static const struct config_item items[] = {
    {"name", "T_NAME", CFG_STRING, offsetof(struct settings, name), "n", 1, 10, "a name", check_name},
    {"count", "T_COUNT", CFG_U64, offsetof(struct settings, count), "5", 1, 100, "a count", NULL},
    {"some_bytes", "T_BYTES", CFG_BYTES, offsetof(struct settings, bytes), "1M", 1, 1u << 30, "bytes", NULL},
    {"wait", "T_WAIT", CFG_USEC, offsetof(struct settings, wait_us), "3s", 1000, MINUTES(15), "a wait", NULL},
    {"on", "T_ON", CFG_BOOL, offsetof(struct settings, on), "no", 0, 1, "a switch", NULL},
};
static const struct config_program prog = {"tester", "tests", items, ARRAY_LEN(items)};

static int load(struct settings *s, struct buf *problems, int argc, const char **argv)
{
    return config_load(&prog, argc, (char **)argv, s, problems);
}

static void later_sources_win_over_earlier_ones(void **state)
{
    const char *path = "/tmp/hearth-config-test";
    const char *argv[] = {"tester", "--config", path, "--some-bytes=2K", "--on", "yes"};
    CLEANUP(buf_done) struct buf problems = BUF_INIT(4096);
    struct settings s = {0};

    (void)state;
    file_write_atomic(path, STR("# comment\nname = file\ncount = 7\nwait= 250ms\nsome_bytes = 1G\n"), 0600,
                      NULL);
    setenv("T_COUNT", "9", 1);
    assert_int_equal(load(&s, &problems, 6, argv), CONFIG_RUN);
    assert_string_equal(s.name, "file");
    assert_int_equal(s.count, 9);
    assert_int_equal(s.bytes, 2048);
    assert_int_equal(s.wait_us, 250000);
    assert_true(s.on);
    config_done(&prog, &s);
    unsetenv("T_COUNT");
    unlink(path);
}

static void all_mistakes_are_told_together(void **state)
{
    const char *argv[] = {"tester", "--count", "101", "--wait", "soon", "--nonsense", "1", "--name", "bad", "--on"};
    CLEANUP(buf_done) struct buf problems = BUF_INIT(4096);
    struct settings s = {0};

    (void)state;
    assert_int_equal(load(&s, &problems, 10, argv), -ERR_CONFIG);
    buf_append_char(&problems, '\0');
    assert_non_null(strstr(problems.ptr, "count = \"101\" (from flag) is out of range; legal: 1 to 100"));
    assert_non_null(strstr(problems.ptr, "wait = \"soon\" (from flag) is not a time"));
    assert_non_null(strstr(problems.ptr, "--nonsense is no flag"));
    assert_non_null(strstr(problems.ptr, "name = \"bad\" (from flag) is a bad name"));
    assert_non_null(strstr(problems.ptr, "--on needs a value"));
    config_done(&prog, &s);
}

static void what_is_legal_is_said_before_how_long_it_may_be(void **state)
{
    static const struct {
        const char *name, *told;
    } rows[] = {
        {"", "name = \"\" (from T_NAME) is a bad name\n"},
        {"too long and bad", "name = \"too long and bad\" (from T_NAME) is a bad name\n"},
        {"only too long",
         "name = \"only too long\" (from T_NAME) is too short or too long; legal: 1 to 10 bytes\n"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(rows); i++) {
        const char *argv[] = {"tester"};
        CLEANUP(buf_done) struct buf problems = BUF_INIT(4096);
        struct settings s = {0};

        setenv("T_NAME", rows[i].name, 1);
        assert_int_equal(load(&s, &problems, 1, argv), -ERR_CONFIG);
        buf_append_char(&problems, '\0');
        assert_string_equal(problems.ptr, rows[i].told);
        config_done(&prog, &s);
    }
    unsetenv("T_NAME");
}

static void a_secret_is_never_shown(void **state)
{
    static const struct config_item secret = {
        "token", "T_TOKEN", CFG_SECRET, 0, "", 0, 4, "the token", NULL};
    static const struct config_program keeper = {"keeper", "keeps", &secret, 1};
    char *argv[] = {"keeper", "--token", "swordfish"};
    CLEANUP(buf_done) struct buf problems = BUF_INIT(4096);
    char *token = NULL;

    (void)state;
    assert_int_equal(config_load(&keeper, 3, argv, &token, &problems), -ERR_CONFIG);
    buf_append_char(&problems, '\0');
    assert_non_null(strstr(problems.ptr, "token = \"...\" (from flag) is too short or too long"));
    assert_null(strstr(problems.ptr, "swordfish"));
    assert_null(config_set(&secret, STR("fish"), &token));
    assert_string_equal(token, "fish");
    config_done(&keeper, &token);
    assert_null(token);
}

static void units_are_read_exactly(void **state)
{
    static const struct {
        const char *text;
        uint64_t us;
    } good[] = {{"1ms", 1000}, {"1500us", 1500}, {"2s", 2000000}, {"5m", 300000000}};
    static const char *const bad[] = {"", "5", "s", "1.5s", "-1s", "5 s", "16m", "999us", "99999999999999999999s"};
    struct settings s = {0};
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(good); i++) {
        assert_null(config_set(&items[3], str_of(good[i].text), &s));
        assert_int_equal(s.wait_us, good[i].us);
    }
    for (i = 0; i < ARRAY_LEN(bad); i++)
        assert_non_null(config_set(&items[3], str_of(bad[i]), &s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(later_sources_win_over_earlier_ones),
        cmocka_unit_test(all_mistakes_are_told_together),
        cmocka_unit_test(what_is_legal_is_said_before_how_long_it_may_be),
        cmocka_unit_test(a_secret_is_never_shown),
        cmocka_unit_test(units_are_read_exactly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
