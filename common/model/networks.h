/* SPDX-License-Identifier: Apache-2.0 */
/*
 * networks.h - what the ids of a VpcConfig mean here: the operator's file of networks.
 *
 *   {"networks": {"office": {"vpc": "vpc-0a1b2c3d4e5f60001", "internet": false, "allow": ["10.20.0.0/16"]}},
 *    "subnets": {"subnet-0a1b2c3d4e5f60001": "office"},
 *    "security_groups": {"sg-0a1b2c3d4e5f60001": {"egress": [{"cidr": "10.20.1.0/24", "protocol": "tcp",
 *                                                             "ports": 5432}]}}}
 *
 * A network says where packets can go at all, groups which connections are allowed: as route tables
 * and security groups do on AWS. What a function reaches is what both say.
 *
 * Owns:    its strings. Immutable once made. Threads: any.
 * Errors:  networks_parse(): -ERR_CONFIG names the entry that is wrong. Look-ups: -ERR_BAD_REQUEST with
 *          AWS's words.
 * Source:  Lambda API reference, VpcConfig; EC2 API reference, error codes.
 */
#ifndef HEARTH_MODEL_NETWORKS_H
#define HEARTH_MODEL_NETWORKS_H

#include "common/base/str.h"
#include "common/model/net_policy.h"

struct networks;

int networks_parse(struct str text, struct networks **ret, struct error *err);
/** NULL is fine. */
void networks_free(struct networks *networks);

/**
 * Whether all ids are known and belong together: subnets of one network, groups of its VPC.
 *
 * @networks    NULL: there is no file, and no id is known
 * @subnets     NULL-terminated, not empty; @groups likewise
 * @ret_vpc     of the network; borrowed
 */
int networks_check(const struct networks *networks, char *const *subnets, char *const *groups,
                   const char **ret_vpc, struct error *err);
/** The same, and what a function with these ids may reach: net_policy_free(). */
int networks_policy(const struct networks *networks, char *const *subnets, char *const *groups,
                    struct net_policy **ret, struct error *err);

#endif
