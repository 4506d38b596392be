/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/net/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_what_can_be_set(void **state)
{
    static const struct {
        const char *(*check)(struct str text);
        const char *text;
        bool good;
    } rows[] = {
        {net_check_egress, "auto", true},
        {net_check_egress, "on", true},
        {net_check_egress, "yes", false},
        {net_check_range, "auto", true},
        {net_check_range, "10.99.0.0/20", true},
        {net_check_range, "10.0.0.0/8", false}, /* more than one node needs */
        {net_check_range, "10.99.0.0/25", false},
        {net_check_range, "10.99.1.0/20", false},
        {net_check_range, "127.0.0.0/16", false},
        {net_check_range, "239.1.0.0/16", false},
        {net_check_allow, "", true},
        {net_check_allow, "10.0.0.0/8, 10.1.2.3:443,10.1.2.4:1-9", true},
        {net_check_allow, "10.0.0.0/8:", false},
        {net_check_allow, "10.0.0.0/8:0", false},
        {net_check_allow, "10.0.0.0/8:65536", false},
        {net_check_allow, "127.0.0.1:9000", false},
        {net_check_allow, "224.0.0.0/8", false},
        {net_check_allow, "10.0.0.1,", false},
        {net_check_deny, "", true},
        {net_check_deny, "52.0.0.0/8,5.6.7.8", true},
        {net_check_deny, "5.6.7.8:80", false},
        {net_check_dns, "", true},
        {net_check_dns, "10.0.0.53,10.0.1.53,8.8.8.8", true},
        {net_check_dns, "1.1.1.1,1.1.1.2,1.1.1.3,1.1.1.4", false},
        {net_check_dns, "127.0.0.53", false},
        {net_check_dns, "10.0.0.0/24", false},
        {net_check_dns, "dns.example", false},
    };
    size_t i;
    (void)state;

    for (i = 0; i < ARRAY_LEN(rows); i++)
        if ((rows[i].check(str_of(rows[i].text)) == NULL) != rows[i].good)
            fail_msg("%s", rows[i].text);
}

static void test_name_servers_of_the_node(void **state)
{
    static const struct {
        const char *text;
        uint32_t servers[NET_DNS_MAX];
        size_t len;
        bool loopback;
    } rows[] = {
        {"", {0}, 0, false},
        {"nameserver 127.0.0.53\noptions edns0\n", {0}, 0, true},
        {"# nameserver 1.1.1.1\nnameserver\t10.0.0.2 \nnameserver fe80::1\nnameservers 9.9.9.9\n"
         "search x\nnameserver 8.8.8.8",
         {0x0a000002, 0x08080808},
         2,
         false},
        {"nameserver 1.0.0.1\nnameserver 1.0.0.2\nnameserver 1.0.0.3\nnameserver 1.0.0.4\n",
         {0x01000001, 0x01000002, 0x01000003},
         3,
         false},
        {"nameserver 127.0.0.1\nnameserver 10.0.0.2\n", {0x0a000002}, 1, true},
    };
    uint32_t servers[NET_DNS_MAX];
    bool loopback;
    size_t i, len;
    (void)state;

    for (i = 0; i < ARRAY_LEN(rows); i++) {
        net_read_resolv_conf(str_of(rows[i].text), servers, &len, &loopback);
        assert_int_equal(len, rows[i].len);
        assert_int_equal(loopback, rows[i].loopback);
        assert_memory_equal(servers, rows[i].servers, len * sizeof(*servers));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_can_be_set),
        cmocka_unit_test(test_name_servers_of_the_node),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
