/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nodes.h - which hosts run an invoker and where gateways reach it; tells the gateways.
 *
 * A node whose link is lost stays on the list for a grace: gateways have links of their own to it,
 * and a controller that restarts must not take away what works. So the list is kept in Redis, too.
 *
 * Owns:    the list.
 * Borrows: redis and peers; they outlive it.
 * Threads: loop thread only.
 * Errors:  none; what Redis did not take is written again with the next change.
 */
#ifndef HEARTH_CONTROLLER_NODES_H
#define HEARTH_CONTROLLER_NODES_H

#include "common/io/redis.h"
#include "controller/peers.h"

struct nodes;

struct nodes *nodes_new(struct loop *loop, struct redis *redis, struct peers *peers,
                        uint64_t grace_us, uint64_t peer_timeout_us);
void nodes_free(struct nodes *nodes);
/** Redis is there: learns the list that an earlier controller left, writes what it knows itself. */
void nodes_sync(struct nodes *nodes);
/** The invoker of node @id is here; gateways reach it at @address. */
void nodes_here(struct nodes *nodes, const char *id, const char *address);
/** Its link is lost. */
void nodes_lost(struct nodes *nodes, const char *id);
/** It takes nothing new from now on; gateways are told, and go on with what runs there. */
void nodes_drain(struct nodes *nodes, const char *id);
/** Nothing runs there any more: it is taken off the list. */
void nodes_leave(struct nodes *nodes, const char *id);
/** Sends the list to all gateways soon: one has come. */
void nodes_tell(struct nodes *nodes);

#endif
