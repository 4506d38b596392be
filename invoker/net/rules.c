/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/net/rules.h"

#include <netinet/in.h>
#include "common/base/cleanup.h"

/* Connections of one sandbox at a time, TIME_WAIT included: it cannot fill the node's table of them. */
#define CONNECTIONS_MAX 2048

static const char *text_of(struct cidr cidr, char text[CIDR_TEXT_MAX])
{
    cidr_format(cidr, text);
    return text;
}

static struct cidr host(uint32_t address)
{
    return (struct cidr){address, 32};
}

/* "ip daddr 10.0.0.0/8 tcp dport 443": what a rule matches. */
static void add_match(const struct net_rule *rule, struct buf *to)
{
    char text[CIDR_TEXT_MAX];

    if (rule->to.bits)
        (void)buf_printf(to, "ip daddr %s ", text_of(rule->to, text));
    if (rule->protocol)
        (void)buf_printf(to, "meta l4proto %u ", rule->protocol);
    else
        (void)buf_printf(to, "meta l4proto { tcp, udp } ");
    if (rule->port_from > 1 || rule->port_to < 65535)
        (void)buf_printf(to, "th dport %u-%u ", rule->port_from, rule->port_to);
}

static void add_denied(const struct net_setup *s, struct buf *to)
{
    char text[CIDR_TEXT_MAX];
    size_t i;

    (void)buf_printf(to, "  set denied {\n    type ipv4_addr\n    flags interval\n    auto-merge\n"
                         "    elements = { ");
    for (i = 0; i < cidr_special_len; i++)
        (void)buf_printf(to, "%s%s", i ? ", " : "", text_of(cidr_special[i], text));
    for (i = 0; i < s->deny_len; i++)
        (void)buf_printf(to, ", %s", text_of(s->deny[i], text));
    (void)buf_printf(to, " }\n  }\n");
}

/* ---- the router's */

static void add_dns(const struct net_setup *s, struct buf *to)
{
    static const char *const protocols[] = {"tcp", "udp"};
    char from[CIDR_TEXT_MAX], server[CIDR_TEXT_MAX];
    size_t i, p;

    (void)buf_printf(to, "  chain names {\n    type nat hook prerouting priority dstnat\n");
    for (i = 0; i < s->dns_len; i++)
        for (p = 0; p < ARRAY_LEN(protocols); p++)
            (void)buf_printf(to, "    iifname != \"out\" ip daddr %s %s dport 53 dnat ip to %s\n",
                             text_of(host(NET_DNS_FIRST + (uint32_t)i), from), protocols[p],
                             text_of(host(s->dns[i]), server));
    (void)buf_printf(to, "  }\n");
}

void net_rules_router(const struct net_setup *s, struct buf *to)
{
    size_t i;

    (void)buf_printf(to, "table inet hearth {\n"
                         "  map own {\n    type ipv4_addr : verdict\n  }\n"
                         "  set connections {\n    type ipv4_addr\n    flags dynamic\n"
                         "    size 65536\n  }\n");
    add_denied(s, to);
    add_dns(s, to);
    (void)buf_printf(to, "  chain refuse {\n    reject with icmpx admin-prohibited\n  }\n"
                         "  chain internet {\n"
                         "    tcp dport 25 jump refuse\n"
                         "    ip daddr @denied jump refuse\n"
                         "    accept\n  }\n"
                         "  chain forward {\n    type filter hook forward priority filter\n"
                         "    policy drop\n"
                         "    meta nfproto != ipv4 drop\n"
                         "    ip hdrlength > 5 drop\n" /* options: source routes above all */
                         "    iifname \"out\" ct state established,related accept\n"
                         "    iifname \"out\" drop\n"
                         "    oifname != \"out\" jump refuse\n"
                         "    meta l4proto != { tcp, udp } drop\n"
                         "    ct state new add @connections { ip saddr ct count over %u } drop\n"
                         "    ct status dnat accept\n"
                         "    ip saddr vmap @own\n",
                     CONNECTIONS_MAX);
    for (i = 0; i < s->allow_len; i++) {
        (void)buf_printf(to, "    ");
        add_match(&s->allow[i], to);
        (void)buf_printf(to, "accept\n");
    }
    (void)buf_printf(to, "    goto internet\n  }\n"
                         "  chain input {\n    type filter hook input priority filter\n"
                         "    policy drop\n  }\n}\n");
}

/* ---- a function's own */

void net_rules_policy(const struct net_policy *policy, unsigned id, struct buf *to)
{
    char text[CIDR_TEXT_MAX];
    size_t i;

    (void)buf_printf(to, "add chain inet hearth r%u\nadd chain inet hearth p%u\n", id, id);
    for (i = 0; i < policy->reach.allow_len; i++)
        (void)buf_printf(to, "add rule inet hearth r%u ip daddr %s accept\n", id,
                         text_of(policy->reach.allow[i], text));
    (void)buf_printf(to, "add rule inet hearth r%u goto %s\n", id,
                     policy->reach.internet ? "internet" : "refuse");
    for (i = 0; i < policy->egress.len; i++) {
        (void)buf_printf(to, "add rule inet hearth p%u ", id);
        add_match(&policy->egress.list[i], to);
        (void)buf_printf(to, "goto r%u\n", id);
    }
    (void)buf_printf(to, "add rule inet hearth p%u goto refuse\n", id);
}

void net_rules_drop_policy(unsigned id, struct buf *to)
{
    (void)buf_printf(to,
                     "flush chain inet hearth p%u\ndelete chain inet hearth p%u\n"
                     "flush chain inet hearth r%u\ndelete chain inet hearth r%u\n",
                     id, id, id, id);
}

void net_rules_bind(uint32_t address, unsigned id, struct buf *to)
{
    char text[CIDR_TEXT_MAX];

    (void)buf_printf(to, "add element inet hearth own { %s : goto p%u }\n",
                     text_of(host(address), text), id);
}

void net_rules_unbind(uint32_t address, struct buf *to)
{
    char text[CIDR_TEXT_MAX];

    (void)buf_printf(to, "delete element inet hearth own { %s }\n", text_of(host(address), text));
}

/* ---- the node's */

/* Name servers and what the operator allows may be the node's own addresses. A whole range is not
 * meant to name them: only a single address does. */
static void add_exceptions(const struct net_setup *s, struct buf *to)
{
    char text[CIDR_TEXT_MAX];
    size_t i;

    for (i = 0; i < s->dns_len; i++)
        (void)buf_printf(to, "    ip daddr %s meta l4proto { tcp, udp } th dport 53 return\n",
                         text_of(host(s->dns[i]), text));
    for (i = 0; i < s->allow_len; i++) {
        if (s->allow[i].to.bits < 32)
            continue;
        (void)buf_printf(to, "    ");
        add_match(&s->allow[i], to);
        (void)buf_printf(to, "return\n");
    }
}

static void add_forward(const struct net_setup *s, struct buf *to)
{
    char text[CIDR_TEXT_MAX];
    size_t i;

    (void)buf_printf(to,
                     "  chain forward {\n    type filter hook forward priority filter - 5\n"
                     "    iifname \"%s\" oifname \"%s\" drop\n"
                     "    oifname \"%s\" ct state != { established, related } drop\n",
                     s->link, s->link, s->link);
    for (i = 0; i < s->allow_len; i++)
        (void)buf_printf(to, "    iifname \"%s\" ct status dnat ct original ip daddr %s return\n",
                         s->link, text_of(s->allow[i].to, text));
    for (i = 0; i < s->dns_len; i++)
        (void)buf_printf(to, "    iifname \"%s\" ct status dnat ct original ip daddr %s return\n",
                         s->link, text_of(host(s->dns[i]), text));
    (void)buf_printf(to, "    iifname \"%s\" ct status dnat drop\n", s->link);
    if (s->uplink)
        (void)buf_printf(to, "    iifname \"%s\" ct state new ct status & dnat == 0 drop\n",
                         s->uplink);
    (void)buf_printf(to, "  }\n");
}

void net_rules_node(const struct net_setup *s, struct buf *to)
{
    char range[CIDR_TEXT_MAX], router[CIDR_TEXT_MAX], probe[CIDR_TEXT_MAX];

    text_of(s->range, range);
    (void)buf_printf(to,
                     "table inet %s {\n  flags owner\n  counter probe { }\n"
                     "  chain raw {\n    type filter hook prerouting priority raw - 10\n"
                     "    iifname != \"%s\" return\n"
                     "    meta nfproto != ipv4 drop\n"
                     "    ip saddr != %s drop\n",
                     s->link, s->link, range);
    add_exceptions(s, to);
    (void)buf_printf(to, "    fib daddr type != unicast drop\n  }\n"
                         "  chain input {\n    type filter hook input priority filter - 5\n"
                         "    iifname != \"%s\" return\n",
                     s->link);
    add_exceptions(s, to);
    (void)buf_printf(to, "    drop\n  }\n");
    add_forward(s, to);
    (void)buf_printf(to,
                     "  chain probe {\n    type filter hook postrouting priority mangle\n"
                     "    ip saddr %s ip daddr %s counter name probe drop\n  }\n"
                     "  chain nat {\n    type nat hook postrouting priority srcnat\n"
                     "    ip saddr %s oifname != \"%s\" masquerade\n  }\n}\n",
                     text_of(host(s->router), router), text_of(host(NET_PROBE_TO), probe), range,
                     s->link);
}
