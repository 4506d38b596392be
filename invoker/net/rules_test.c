/* SPDX-License-Identifier: Apache-2.0 */
/* What is written; that it does what it says, tests/integration/test_network.py shows with packets. */
#include "invoker/net/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *router(const struct net_setup *setup)
{
    struct buf text = BUF_INIT(1u << 20);

    net_rules_router(setup, &text);
    (void)buf_append_char(&text, '\0');
    return buf_take(&text);
}

static char *node(const struct net_setup *setup)
{
    struct buf text = BUF_INIT(1u << 20);

    net_rules_node(setup, &text);
    (void)buf_append_char(&text, '\0');
    return buf_take(&text);
}

static struct net_setup setup_make(void)
{
    return (struct net_setup){.link = "hth1", .range = {0x64400000, 20}, .router = 0x64400002};
}

static void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("lacks %s: %s", part, text);
}

static void test_all_is_refused_but_the_internet(void **state)
{
    struct net_setup setup = setup_make();
    CLEANUP(freep) char *ours = router(&setup);
    CLEANUP(freep) char *theirs = node(&setup);
    char range[CIDR_TEXT_MAX];
    unsigned i;
    (void)state;

    for (i = 0; i < cidr_special_len; i++) {
        cidr_format(cidr_special[i], range);
        assert_has(ours, range);
    }
    assert_has(ours, "policy drop\n    meta nfproto != ipv4 drop\n    ip hdrlength > 5 drop\n");
    assert_has(ours, "oifname != \"out\" jump refuse\n    meta l4proto != { tcp, udp } drop\n");
    assert_has(ours, "    ip saddr vmap @own\n    goto internet\n");
    assert_null(strstr(ours, "dnat ip to"));
    assert_has(theirs, "table inet hth1 {\n  flags owner\n");
    assert_has(theirs, "    ip saddr != 100.64.0.0/20 drop\n    fib daddr type != unicast drop\n");
    assert_has(theirs, "    iifname != \"hth1\" return\n    drop\n");
    assert_null(strstr(theirs, "ct status & dnat"));
}

static void test_what_is_configured_is_let_through(void **state)
{
    struct net_setup setup = setup_make();
    struct net_rule allow[2];
    const struct cidr deny = {0x34000000, 8};
    CLEANUP(freep) char *ours = NULL;
    CLEANUP(freep) char *theirs = NULL;
    (void)state;

    assert_int_equal(net_rule_parse(STR("10.0.0.5:443"), &allow[0]), 0);
    assert_int_equal(net_rule_parse(STR("10.7.0.0/16"), &allow[1]), 0);
    setup.allow = allow;
    setup.allow_len = 2;
    setup.deny = &deny;
    setup.deny_len = 1;
    setup.dns[0] = 0x0a000035;
    setup.dns_len = 1;
    setup.uplink = "eth7";
    ours = router(&setup);
    theirs = node(&setup);
    assert_has(ours, ", 52.0.0.0/8 }");
    assert_has(ours, "ip daddr 169.254.78.1 udp dport 53 dnat ip to 10.0.0.53\n");
    assert_has(ours, "    ip daddr 10.0.0.5 meta l4proto { tcp, udp } th dport 443-443 accept\n"
                     "    ip daddr 10.7.0.0/16 meta l4proto { tcp, udp } accept\n"
                     "    goto internet\n");
    /* a single address may be the node's own, a range does not mean them */
    assert_has(theirs, "    ip daddr 10.0.0.5 meta l4proto { tcp, udp } th dport 443-443 return\n"
                       "    fib daddr type != unicast drop\n");
    assert_has(theirs, "iifname \"eth7\" ct state new ct status & dnat == 0 drop\n");
}

static void test_a_functions_own_rules(void **state)
{
    struct cidr office = {0x0a140000, 16};
    struct net_rule rules[2];
    struct net_policy policy = {(char *)"office", {false, &office, 1}, {rules, 2}};
    struct buf text = BUF_INIT(1u << 16);
    (void)state;

    assert_int_equal(net_rule_parse(STR("10.20.1.0/24:5432"), &rules[0]), 0);
    assert_int_equal(net_rule_parse(STR("0.0.0.0/0"), &rules[1]), 0);
    rules[0].protocol = 6;
    net_rules_policy(&policy, 7, &text);
    net_rules_bind(0x64400009, 7, &text);
    net_rules_unbind(0x64400009, &text);
    net_rules_drop_policy(7, &text);
    (void)buf_append_char(&text, '\0');
    assert_string_equal(
        text.ptr,
        "add chain inet hearth r7\nadd chain inet hearth p7\n"
        "add rule inet hearth r7 ip daddr 10.20.0.0/16 accept\n"
        "add rule inet hearth r7 goto refuse\n"
        "add rule inet hearth p7 ip daddr 10.20.1.0/24 meta l4proto 6 th dport 5432-5432 goto r7\n"
        "add rule inet hearth p7 meta l4proto { tcp, udp } goto r7\n"
        "add rule inet hearth p7 goto refuse\n"
        "add element inet hearth own { 100.64.0.9 : goto p7 }\n"
        "delete element inet hearth own { 100.64.0.9 }\n"
        "flush chain inet hearth p7\ndelete chain inet hearth p7\n"
        "flush chain inet hearth r7\ndelete chain inet hearth r7\n");
    buf_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_is_refused_but_the_internet),
        cmocka_unit_test(test_what_is_configured_is_let_through),
        cmocka_unit_test(test_a_functions_own_rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
