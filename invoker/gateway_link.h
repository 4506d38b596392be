/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gateway_link.h - the links of gateways: what they ask of this node, and that each has one.
 *
 * A gateway that comes back over a new link asks which of its runs still run (runs.alive), and counts
 * those that do not as over. So what it sent over the one before must not arrive later: an older link of the
 * same gateway is cut before the new one is served.
 *
 * Owns:    the listening socket and its links. Borrows: the parts, which outlive it.
 * Threads: loop thread only.
 * Errors:  gateway_links_new() as link_listen(); what a gateway asks wrongly is answered so.
 * Wire:    docs/internals/links.md.
 */
#ifndef HEARTH_INVOKER_GATEWAY_LINK_H
#define HEARTH_INVOKER_GATEWAY_LINK_H

#include "invoker/invocation.h"
#include "invoker/logs.h"
#include "invoker/node_state.h"

struct gateway_links;

struct gateway_links_options {
    struct loop *loop;
    const char *listen; /* addresses, with commas */
    const char *node; /* id of this node */
    struct link_tls *tls; /* proves it over TCP; outlives the links */
    struct invocations *invocations;
    struct node_state *state; /* told of what comes and goes */
    struct logs *logs;
};

int gateway_links_new(const struct gateway_links_options *options, struct gateway_links **ret,
                      struct error *err);
/** Closes all. NULL is fine. */
void gateway_links_free(struct gateway_links *gl);

#endif
