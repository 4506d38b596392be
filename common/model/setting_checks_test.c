/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/model/setting_checks.h"

static void each_check_takes_what_is_legal_and_nothing_else(void **state)
{
    static const struct {
        const char *(*check)(struct str text);
        const char *text;
        bool legal;
    } cases[] = {
        {setting_check_account, "000000000000", true},
        {setting_check_account, "123456789012", true},
        {setting_check_account, "12345678901", false},
        {setting_check_account, "1234567890123", false},
        {setting_check_account, "12345678901x", false},
        {setting_check_region, "us-east-1", true},
        {setting_check_region, "US-EAST-1", false},
        {setting_check_region, "us east", false},
        {setting_check_log_level, "warn", true},
        {setting_check_log_level, "WARN", false},
        {setting_check_log_level, "", false},
        {setting_check_image_store, "docker", true},
        {setting_check_image_store, "containerd", true},
        {setting_check_image_store, "auto", false},
        {setting_check_link_addresses, "unix:/run/x.sock", true},
        {setting_check_link_addresses, "unix:", false},
        {setting_check_link_addresses, "unix:x.sock", false},
        {setting_check_link_addresses, "tcp:127.0.0.1:1", false},
        {setting_check_link_addresses, "tcp://127.0.0.1:7400", true},
        {setting_check_link_addresses, "tcp://127.0.0.1:0", false},
        {setting_check_link_addresses, "", false},
        {setting_check_link_addresses, "unix:/a", true},
        {setting_check_link_addresses, "unix:/a, unix:/b,unix:/c", true},
        {setting_check_link_addresses, "unix:/a,", false},
        {setting_check_link_addresses, "unix:/a;unix:/b,b", false},
    };
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(cases[i].check(str_of(cases[i].text)) == NULL, cases[i].legal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_check_takes_what_is_legal_and_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
