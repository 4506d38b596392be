/* SPDX-License-Identifier: Apache-2.0 */
/*
 * network.h - the network of this node's sandboxes: each has a link of its own to the router
 * (uplink.h), and through it what its function may reach.
 *
 *   network_attach() ── network_restrict() (functions with a VpcConfig) ── network_detach()
 *
 * Owns:    the uplink; which addresses are whose; the rules of functions with a VpcConfig.
 * Threads: network_new() and network_free() on the loop's; all else on any, workers above all: the
 *          kernel may take some milliseconds for a link.
 * Errors:  -ERR_UNSUPPORTED, -ERR_CONFIG, -ERR_SYSTEM.
 * Source:  docs/internals/network.md.
 */
#ifndef HEARTH_INVOKER_NET_NETWORK_H
#define HEARTH_INVOKER_NET_NETWORK_H

#include "common/base/error.h"
#include "common/io/loop.h"
#include "common/model/net_policy.h"

struct network;
struct network_port; /* one sandbox's */

/* As the settings of the same names; checked by net/settings.h. */
struct network_options {
    struct loop *loop;
    const char *node; /* id of this node */
    const char *egress; /* "auto": where the node can do it; "on": else fail; "off" */
    const char *range, *allow, *deny, *dns;
};

/**
 * Makes it; blocking, for start-up. With "off", and with "auto" where this node cannot do it (which is
 * logged), there is none: *@ret is NULL, and sandboxes have their loopback only.
 */
int network_new(const struct network_options *options, struct network **ret, struct error *err);
struct network *network_ref(struct network *network);
void network_unref(struct network *network);
/** For who has made it. It goes with its last reference, ports' ones included; the node's and the router's rules with it. NULL is fine. */
void network_free(struct network *network);
/**
 * What sandboxes have in their resolv.conf, NULL-terminated; @network may be NULL. strv_free(). Where
 * names cannot be looked up it is 127.0.0.1, where nobody answers.
 */
char **network_name_servers(const struct network *network);

/** Gives the sandbox whose process @pidfd is a link. It has none of its own yet. */
int network_attach(struct network *network, int pidfd, struct network_port **ret, struct error *err);
/** Before its function runs: it may reach what @policy says and nothing else. Once. */
int network_restrict(struct network_port *port, const struct net_policy *policy, struct error *err);
struct network_port *network_port_ref(struct network_port *port);
/**
 * Gives a reference back; with the last one its sandbox is dead, and the kernel removes the link with
 * its namespace. NULL is fine. Never blocks.
 */
void network_detach(struct network_port *port);

#endif
