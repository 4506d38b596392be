/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node_state.h - tells the gateways what this node has: memory, idle sandboxes by version, that it
 * drains. They place invocations by it.
 *
 * A new link is told all of it, then what has changed, 50 ms after the change: a sandbox that runs and
 * is idle again meanwhile is no news. Changes that do not matter for where invocations go wait for a
 * second. Draining is told at once. A gateway that has not answered yet is told all of it when it has.
 *
 * Owns:    what it knows of each link.
 * Borrows: loop, pool, spec cache, invocations and links; they outlive it, or the link is said to be
 *          down.
 * Threads: loop thread only.
 * Errors:  a gateway that does not understand knows less, no more.
 * Source:  docs/internals/links.md, method `node.state`.
 */
#ifndef HEARTH_INVOKER_NODE_STATE_H
#define HEARTH_INVOKER_NODE_STATE_H

#include "common/io/link.h"
#include "invoker/invocation.h"
#include "invoker/spec_cache.h"

struct node_state;

struct node_state_options {
    struct loop *loop;
    struct pool *pool;
    struct spec_cache *specs;
    const struct invocations *invocations;
};

struct node_state *node_state_new(const struct node_state_options *options);
/** NULL is fine. */
void node_state_free(struct node_state *ns);
/** A gateway's link is up; it is told soon. */
void node_state_link_up(struct node_state *ns, struct link *link);
void node_state_link_down(struct node_state *ns, struct link *link);
/** An invocation has come by @s. */
void node_state_received(struct node_state *ns, const struct link_stream *s);
/** pool_ops.changed. */
void node_state_changed(struct node_state *ns);
/**
 * What is known by now is told before anybody else is told anything by this node: provisioned sandboxes are
 * ready, say, and the first invocation must find them.
 */
void node_state_hurry(struct node_state *ns);
/** Nothing new is taken from now on. */
void node_state_drain(struct node_state *ns);

#endif
