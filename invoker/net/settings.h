/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settings.h - the settings of the sandboxes' network as they are written, and the node's own name
 * servers. Pure but for reading resolv.conf.
 *
 * Owns:    what a parser returns is the caller's to free. Threads: any.
 * Errors:  -ERR_BAD_REQUEST for text that the net_check_*() of the same name complain about.
 */
#ifndef HEARTH_INVOKER_NET_SETTINGS_H
#define HEARTH_INVOKER_NET_SETTINGS_H

#include "common/model/net_policy.h"
#include "invoker/net/rules.h"

/** Checks for a config_item: a static message about what is wrong, or NULL. */
const char *net_check_egress(struct str text);
const char *net_check_range(struct str text);
const char *net_check_allow(struct str text);
const char *net_check_deny(struct str text);
const char *net_check_dns(struct str text);

/** "10.0.0.0/8,10.1.2.3:443"; empty: none. */
int net_parse_allow(struct str text, struct net_rules *ret);
/** "1.2.3.0/24,5.6.7.8"; empty: none. */
int net_parse_deny(struct str text, struct cidr **ret, size_t *ret_len);
/** "10.0.0.53,10.0.1.53", at most NET_DNS_MAX. */
int net_parse_dns(struct str text, uint32_t ret[NET_DNS_MAX], size_t *ret_len);

/**
 * The node's name servers out of the text of a resolv.conf; those on the node's loopback cannot be
 * reached from elsewhere and are left out: then *@ret_loopback is true.
 */
void net_read_resolv_conf(struct str text, uint32_t ret[NET_DNS_MAX], size_t *ret_len,
                          bool *ret_loopback);
/** The same from the node's files: what systemd-resolved asks in the place of its own address. */
void net_find_dns(uint32_t ret[NET_DNS_MAX], size_t *ret_len);

#endif
