/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nodes.h - which hosts run an invoker and where gateways reach it; tells the gateways.
 *
 * A node whose link is lost stays on the list until it is surely dead: gateways have links of their own to
 * it, and what is not on the list runs nothing for them any more. A controller that restarts must not
 * take away what works, so the list is kept in Redis, too.
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

/** @fence_us: after which an invoker that hears no controller ends what it runs. */
struct nodes *nodes_new(struct loop *loop, struct redis *redis, struct peers *peers,
                        uint64_t fence_us, uint64_t peer_timeout_us);
void nodes_free(struct nodes *nodes);
/** Redis is there: learns the list that an earlier controller left, writes what it knows itself. */
void nodes_sync(struct nodes *nodes);
/** The invoker of node @id is here; gateways reach it at @address. */
void nodes_here(struct nodes *nodes, const char *id, const char *address);
/** It takes nothing new from now on; gateways are told, and go on with what runs there. */
void nodes_drain(struct nodes *nodes, const char *id);
/** Nothing runs there any more: it is taken off the list. */
void nodes_leave(struct nodes *nodes, const char *id);
/** Nothing that it ran can run any more (permits.h). */
void nodes_dead(struct nodes *nodes, const char *id);
/** Sends the list to all gateways soon: one has come. */
void nodes_tell(struct nodes *nodes);
/** So many gateways share the permits now: they are told with the list. */
void nodes_set_gateways(struct nodes *nodes, unsigned count);

#endif
