/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_policy.h - what a sandbox may reach: the network of its subnets and the rules of its security
 * groups. The operator's file of networks and the sandbox spec have the same members.
 *
 * Owns:    its strings and lists; net_policy_free().
 * Threads: any; immutable after it is made.
 * Errors:  -ERR_BAD_REQUEST names the member that is wrong; members that are not known are refused.
 * Source:  Lambda API reference, VpcConfig; EC2 API reference, IpPermission.
 */
#ifndef HEARTH_MODEL_NET_POLICY_H
#define HEARTH_MODEL_NET_POLICY_H

#include <cjson/cJSON.h>

#include "common/base/cidr.h"
#include "common/base/error.h"

#define NET_LIST_MAX 64u /* ranges of a network, rules of a security group */

/** Connections that are allowed. */
struct net_rule {
    struct cidr to;
    uint8_t protocol; /* IPPROTO_TCP, IPPROTO_UDP; 0: both */
    uint16_t port_from, port_to; /* 1..65535 when all */
};

struct net_rules {
    struct net_rule *list;
    size_t len;
};

/** Where packets can go at all. */
struct net_reach {
    bool internet; /* all public addresses */
    struct cidr *allow; /* and these, private or not */
    size_t allow_len;
};

/** Of one function: allowed is what the network reaches and a rule names. */
struct net_policy {
    char *network; /* its name, for logs */
    struct net_reach reach;
    struct net_rules egress;
};

/** "10.0.0.0/8", "10.0.0.5:443", "10.0.0.0/8:443-445": a rule for TCP and UDP. */
int net_rule_parse(struct str text, struct net_rule *ret);
/** [{"cidr", "protocol": "tcp"|"udp"|"all", "ports": 443|"443-445"}, ...]; both optional: all. */
int net_rules_from_json(const cJSON *json, struct net_rules *ret, struct error *err);
void net_rules_done(struct net_rules *rules);
/** {"internet": bool, "allow": ["10.0.0.0/8", ...]}; both optional. Other members are not looked at. */
int net_reach_from_json(const cJSON *json, struct net_reach *ret, struct error *err);
void net_reach_done(struct net_reach *reach);

/** {"network", "internet", "allow", "egress"}, as the sandbox spec has it. */
cJSON *net_policy_to_json(const struct net_policy *policy);
int net_policy_from_json(const cJSON *json, struct net_policy **ret, struct error *err);
/** NULL gives NULL. */
struct net_policy *net_policy_copy(const struct net_policy *policy);
/** NULL is fine. */
void net_policy_free(struct net_policy *policy);
/** -ERR_BAD_REQUEST when @json has a member that is not in @names (NULL-terminated). */
int net_check_members(const cJSON *json, const char *const *names, struct error *err);

#endif
