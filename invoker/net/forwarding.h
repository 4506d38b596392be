/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forwarding.h - what the node must let through for its sandboxes: the kernel's forwarding flag, and
 * other firewalls' forward chains. Both outlive us, so a janitor takes them back.
 *
 * Owns:    the janitor. Threads: any, one at a time; forwarding_start() at start-up.
 * Errors:  -ERR_SYSTEM.
 */
#ifndef HEARTH_INVOKER_NET_FORWARDING_H
#define HEARTH_INVOKER_NET_FORWARDING_H

#include <net/if.h>
#include <stdbool.h>

#include "common/base/error.h"

#define FORWARDING_LINK "hth" /* what names of invokers' links begin with */

struct forwarding {
    char link[IF_NAMESIZE]; /* ours */
    char uplink[IF_NAMESIZE]; /* "": forwards by itself, or there is none */
    char *iptables; /* the program; NULL: there is none */
    int janitor;
};

/**
 * Turns forwarding on for @link, and for @uplink ("": none) where it is off. Of several invokers on
 * one node the last one turns it off again.
 */
int forwarding_start(struct forwarding *f, const char *link, const char *uplink, struct error *err);
/** Turns it on again where another one's end has turned it off. */
void forwarding_keep(const struct forwarding *f);
/** All is taken back, soon. */
void forwarding_stop(struct forwarding *f);
/** Makes the exceptions for our link in iptables' forward chain. Blocking. -ERR_SYSTEM. */
int forwarding_let_through(struct forwarding *f, struct error *err);

#endif
