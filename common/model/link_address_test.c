/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "common/model/link_address.h"

static void addresses_are_read_and_written_back(void **state)
{
    static const struct {
        const char *text, *host, *path;
        unsigned port;
        bool is_any;
    } cases[] = {
        {"unix:/run/hearth/controller.sock", "", "/run/hearth/controller.sock", 0, false},
        {"tcp://10.0.0.1:7400", "10.0.0.1", "", 7400, false},
        {"tcp://controller.example.org:1", "controller.example.org", "", 1, false},
        {"tcp://[2001:db8::1]:65535", "2001:db8::1", "", 65535, false},
        {"tcp://[::ffff:10.0.0.1]:80", "::ffff:10.0.0.1", "", 80, false},
        {"tcp://0.0.0.0:7400", "0.0.0.0", "", 7400, true},
        {"tcp://[::]:7400", "::", "", 7400, true},
    };
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(buf_done) struct buf text = BUF_INIT(512);
        struct link_address a;

        assert_int_equal(link_address_parse(str_of(cases[i].text), &a, NULL), 0);
        assert_int_equal(a.is_tcp, cases[i].host[0] != '\0');
        assert_string_equal(a.host, cases[i].host);
        assert_string_equal(a.path, cases[i].path);
        assert_int_equal(a.port, cases[i].port);
        assert_int_equal(link_address_is_any(&a), cases[i].is_any);
        assert_int_equal(link_address_write(&text, &a), 0);
        assert_true(str_is(buf_str(&text), cases[i].text));
    }
}

static void what_is_no_address_is_refused_by_name(void **state)
{
    static const char *const bad[] = {"",
                                      "unix:",
                                      "/tmp/x",
                                      "http://x:1",
                                      "tcp:10.0.0.1:1",
                                      "tcp://10.0.0.1",
                                      "tcp://:7400",
                                      "tcp://host:",
                                      "tcp://host:65536",
                                      "tcp://host:-1",
                                      "tcp://host:7400/x",
                                      "tcp://ho st:7400",
                                      "tcp://user@host:7400",
                                      "tcp://2001:db8::1:7400",
                                      "tcp://[2001:db8::1:7400",
                                      "tcp://[host]:7400",
                                      "tcp://[fe80::1%eth0]:7400",
                                      "tcp://[]:7400",
                                      "tcp://[::1]7400"};
    struct link_address a;
    struct error err;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(link_address_parse(str_of(bad[i]), &a, &err), -ERR_CONFIG);
        assert_non_null(strstr(err.msg, bad[i]));
    }
}

static void lengths_have_their_limits(void **state)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(1024);
    struct link_address a;
    size_t i;

    (void)state;
    buf_append_str(&text, STR("unix:/"));
    for (i = 0; i < LINK_PATH_MAX - 2; i++)
        buf_append_char(&text, 'x');
    assert_int_equal(link_address_parse(buf_str(&text), &a, NULL), 0);
    buf_append_char(&text, 'x');
    assert_int_equal(link_address_parse(buf_str(&text), &a, NULL), -ERR_CONFIG);
    buf_clear(&text);
    buf_append_str(&text, STR("tcp://"));
    for (i = 0; i < LINK_HOST_MAX; i++)
        buf_append_char(&text, 'x');
    buf_append_str(&text, STR(":1"));
    assert_int_equal(link_address_parse(buf_str(&text), &a, NULL), -ERR_CONFIG);
}

static void lists_are_cut_at_commas(void **state)
{
    struct str list = STR("unix:/a, tcp://b:1"), one;

    (void)state;
    assert_true(link_addresses_have_tcp(list));
    assert_false(link_addresses_have_tcp(STR("unix:/tcp://")));
    assert_true(link_addresses_next(&list, &one));
    assert_true(str_is(one, "unix:/a"));
    assert_true(link_addresses_next(&list, &one));
    assert_true(str_is(one, "tcp://b:1"));
    assert_false(link_addresses_next(&list, &one));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read_and_written_back),
        cmocka_unit_test(what_is_no_address_is_refused_by_name),
        cmocka_unit_test(lengths_have_their_limits),
        cmocka_unit_test(lists_are_cut_at_commas),
    };

    return cmocka_run_group_tests_name("link_address", tests, NULL, NULL);
}
