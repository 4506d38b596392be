/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nodes.h - the invokers that this gateway reaches: a link to each, as the controller lists them.
 * Which one gets an invocation is placement.h's to say; what nodes tell of themselves (node.state) and
 * what is sent to them goes there.
 *
 * A node that leaves the list, or drains, gets no new invocation; its link stays until the last one it
 * has is done. One that owes an answer for more than a second is passed over while there are others.
 *
 * Owns:    nodes and their links. A struct node is good while it is in the list or node_begin()
 *          holds it.
 * Threads: loop thread only.
 * Errors:  a node that cannot be reached is tried again and again; that it is down is logged once.
 */
#ifndef HEARTH_GATEWAY_NODES_H
#define HEARTH_GATEWAY_NODES_H

#include <cjson/cJSON.h>

#include "common/base/buf.h"
#include "common/io/link.h"
#include "gateway/placement.h"

struct nodes;
struct node;

/** @on_up: a node can be asked now; those who wait may try again. */
struct nodes *nodes_new(struct loop *loop, const struct link_hello *me, loop_fn *on_up, void *arg);
/** Closes all links; streams on them end without callbacks. */
void nodes_free(struct nodes *nodes);
/**
 * The list from now on: [{"id":…,"address":…,"draining":…}]. -ERR_BAD_REQUEST changes nothing; after -ERR_CONFIG
 * (an address that is none) the other nodes are in use.
 */
int nodes_set(struct nodes *nodes, const cJSON *list, struct error *err);

/** The node for one more invocation, as placement_choose() has it. */
struct node *nodes_choose(struct nodes *nodes, const struct place_ask *ask, enum place_how *ret_how);
/** How many nodes can be asked. */
size_t nodes_usable(const struct nodes *nodes);
/** Each node of the list: starts with NULL, ends with NULL. The list must not change meanwhile. */
struct node *nodes_next(struct nodes *nodes, struct node *after);
uint64_t node_serial(const struct node *node);
const char *node_id(const struct node *node);
struct link *node_link(struct node *node);
/** It is asked something: node_end() must follow, after which @node may be gone. */
void node_begin(struct node *node);
void node_end(struct node *node);
/** The same for an invocation, which was sent by @stream. */
void node_run_begin(struct node *node, const struct place_ask *ask, const struct link_stream *stream,
                    struct place_run *ret);
void node_run_end(struct node *node, struct place_run *run, enum place_end how);
/** @node had no room for what it was asked for. */
void node_full(struct node *node, const struct place_ask *ask);

size_t nodes_len(const struct nodes *nodes);
size_t nodes_up(const struct nodes *nodes);
/** Appends the list for the health page, as JSON. */
void nodes_describe(const struct nodes *nodes, struct buf *b);

#endif
