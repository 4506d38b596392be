/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uplink.h - the way out of this node for all its sandboxes: a namespace of ours that routes and
 * filters (the router), one link between it and the node, and the node's own part: addresses
 * translated, packets forwarded.
 *
 * The router's namespace has no name and the node's table belongs to our socket: both go when we
 * are gone, and the link with them. What has a life of its own (a forwarding flag, exceptions in
 * another firewall) the janitor takes back.
 *
 * Owns:    all of that. Threads: any, one at a time.
 * Errors:  -ERR_UNSUPPORTED, -ERR_SYSTEM: why this node cannot do it.
 * Source:  docs/internals/network.md.
 */
#ifndef HEARTH_INVOKER_NET_UPLINK_H
#define HEARTH_INVOKER_NET_UPLINK_H

#include <sys/types.h>

#include "invoker/net/nft.h"
#include "invoker/net/rtnl.h"
#include "invoker/net/rules.h"

struct uplink;

/**
 * Makes it; blocking, for start-up. @setup has what is configured and must outlive the uplink; link,
 * range, router and uplink in it are filled in. @range: all bits 0: a free one is chosen.
 */
int uplink_new(const char *node, struct net_setup *setup, struct uplink **ret, struct error *err);
/** NULL is fine. */
void uplink_free(struct uplink *up);

/**
 * Sends a packet out and looks whether it would leave. When another firewall keeps it, exceptions are
 * made where iptables has that firewall's rules. Blocking, some milliseconds.
 *
 * Returns 0; -ERR_UNSUPPORTED: there is no way to the internet, or packets are still kept.
 */
int uplink_check(struct uplink *up, struct error *err);

/** The router's links and routes, and its packet filter (table "hearth"). */
struct rtnl *uplink_router(struct uplink *up);
struct nft *uplink_filter(struct uplink *up);
/** Greatest packet on the way out. */
uint32_t uplink_mtu(const struct uplink *up);
/** Whether a namespace (stat of its descriptor) is the node's. */
ino_t uplink_node_inode(const struct uplink *up);

#endif
