/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules.h - the packet filter's rules as nftables reads them: for the router's namespace, for the
 * node's own, and for functions with a VpcConfig. Pure.
 *
 * Owns:    nothing. Threads: any. Errors: none; the text's size is bounded by its parts.
 * Source:  nft(8); docs/internals/network.md says what each rule is for.
 */
#ifndef HEARTH_INVOKER_NET_RULES_H
#define HEARTH_INVOKER_NET_RULES_H

#include "common/base/buf.h"
#include "common/model/net_policy.h"

#define NET_DNS_MAX 3
/* What sandboxes ask for names: 169.254.78.1 as on Lambda, and the two behind it. */
#define NET_DNS_FIRST 0xa9fe4e01u
/* Where the test of the way out is sent: documentation's, and dropped before it leaves the node. */
#define NET_PROBE_TO 0xc6336401u

struct net_setup {
    const char *link; /* the node's end of the link to the router */
    struct cidr range; /* all of ours */
    uint32_t router; /* the router's own address */
    const struct net_rule *allow; /* beside the internet */
    size_t allow_len;
    const struct cidr *deny; /* of the internet */
    size_t deny_len;
    uint32_t dns[NET_DNS_MAX];
    size_t dns_len;
    const char *uplink; /* forwards only because of us; NULL: none does */
};

/** The name of our table in the node's namespace is the link's; in the router's it is "hearth". */
void net_rules_router(const struct net_setup *setup, struct buf *to);
void net_rules_node(const struct net_setup *setup, struct buf *to);

/** Chains p<id> and r<id> of the router's table, for all functions with that policy. */
void net_rules_policy(const struct net_policy *policy, unsigned id, struct buf *to);
void net_rules_drop_policy(unsigned id, struct buf *to);
/** From now on the policy holds for what comes from @address. */
void net_rules_bind(uint32_t address, unsigned id, struct buf *to);
void net_rules_unbind(uint32_t address, struct buf *to);

#endif
