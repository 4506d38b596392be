/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/cidr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/base/cleanup.h"

static struct cidr parsed(const char *text)
{
    struct cidr c;

    assert_int_equal(cidr_parse(str_of(text), &c), 0);
    return c;
}

static void test_text_and_back(void **state)
{
    static const char *const same[] = {"0.0.0.0/0",      "10.0.0.0/8", "192.168.4.0/22",
                                       "255.255.255.255", "8.8.8.8",    "128.0.0.0/1"};
    char text[CIDR_TEXT_MAX];
    size_t i;
    (void)state;

    for (i = 0; i < ARRAY_LEN(same); i++) {
        cidr_format(parsed(same[i]), text);
        assert_string_equal(text, same[i]);
    }
    cidr_format(parsed("8.8.8.8/32"), text);
    assert_string_equal(text, "8.8.8.8");
}

static void test_what_is_no_range(void **state)
{
    static const char *const wrong[] = {"",          "10",        "10.0.0.0/",   "10.0.0.0/33",
                                        "10.0.0.1/8", "1.2.3.4.5", "1.2.3.256",   "a.b.c.d",
                                        "::1/128",   "1.2.3.4 ",  "1.2.3.4/-1",  "1.2.3.4/8/8",
                                        "1.2.3",     "01.2.3.4x", "10.0.0.0/ 8", "1.1.1.1111111111111111"};
    struct cidr c;
    size_t i;
    (void)state;

    for (i = 0; i < ARRAY_LEN(wrong); i++)
        if (cidr_parse(str_of(wrong[i]), &c) == 0)
            fail_msg("taken: %s", wrong[i]);
}

static void test_overlap(void **state)
{
    (void)state;
    assert_true(cidr_overlaps(parsed("10.0.0.0/8"), parsed("10.1.2.0/24")));
    assert_true(cidr_overlaps(parsed("10.1.2.0/24"), parsed("10.0.0.0/8")));
    assert_true(cidr_overlaps(parsed("0.0.0.0/0"), parsed("8.8.8.8")));
    assert_false(cidr_overlaps(parsed("10.0.0.0/9"), parsed("10.128.0.0/9")));
    assert_true(cidr_holds(parsed("10.0.0.0/8"), parsed("10.1.2.0/24")));
    assert_false(cidr_holds(parsed("10.1.2.0/24"), parsed("10.0.0.0/8")));
}

static void test_special_ranges(void **state)
{
    static const struct {
        const char *address;
        bool special;
    } rows[] = {
        {"169.254.169.254", true}, {"10.255.255.255", true}, {"172.31.0.1", true},
        {"172.32.0.1", false},     {"100.127.0.1", true},    {"100.128.0.1", false},
        {"168.63.129.16", true},   {"192.0.0.192", true},    {"224.0.0.251", true},
        {"255.255.255.255", true}, {"8.8.8.8", false},       {"127.0.0.53", true},
        {"0.0.0.0", true},         {"192.167.1.1", false},   {"198.19.255.255", true},
    };
    size_t i, j;
    (void)state;

    for (i = 0; i < ARRAY_LEN(rows); i++) {
        bool special = false;

        for (j = 0; j < cidr_special_len; j++)
            special = special || cidr_holds(cidr_special[j], parsed(rows[i].address));
        if (special != rows[i].special)
            fail_msg("%s", rows[i].address);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_and_back),
        cmocka_unit_test(test_what_is_no_range),
        cmocka_unit_test(test_overlap),
        cmocka_unit_test(test_special_ranges),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
