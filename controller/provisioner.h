/* SPDX-License-Identifier: Apache-2.0 */
/*
 * provisioner.h - provisioned concurrency becomes sandboxes: how many of each version every node is to
 * keep initialised, and what the nodes say of it.
 *
 * What is wanted stands in the registry (FN_PROVISIONED) and is read again whenever something of a
 * function changes that may count. It is spread over the nodes by free memory; a node keeps its share
 * as long as it is wanted and the node is there, and for a grace after its link is lost. Each node
 * is told its whole list when that changes, and says what has become of it (docs/internals/links.md,
 * node.provision and node.provisioned).
 *
 * Owns:    the plan and the nodes' words, both in memory only: a controller that starts reads the one
 *          and is told the other.
 * Borrows: redis, the sealing key, peers, permits; they outlive it.
 * Threads: loop thread only.
 * Errors:  what Redis or a node did not take is tried again.
 * Source:  Lambda developer guide, "Configuring provisioned concurrency".
 */
#ifndef HEARTH_CONTROLLER_PROVISIONER_H
#define HEARTH_CONTROLLER_PROVISIONER_H

#include "common/io/redis.h"
#include "common/model/fn.h"
#include "common/proto/seal.h"
#include "controller/peers.h"
#include "controller/permits/permits.h"

struct provisioner;

struct provisioner_options {
    struct loop *loop;
    struct redis *redis;
    const struct seal_key *key;
    struct peers *peers;
    struct permits *permits;
    uint64_t grace_us; /* how long a node that is away keeps its share */
    uint64_t peer_timeout_us;
    uint64_t retry_us;
};

struct provisioner *provisioner_new(const struct provisioner_options *options);
/** After Redis and peers have ended what was asked. NULL is fine. */
void provisioner_free(struct provisioner *p);

/** Redis is there: reads all that is wanted. Before that no node is told anything. */
void provisioner_redis_here(struct provisioner *p);
/** Something of the function has changed: what is provisioned, an alias, a version; or it is gone. */
void provisioner_look(struct provisioner *p, struct str account, struct str name);
/** The invoker has registered, with room for @memory_mib. */
void provisioner_node_here(struct provisioner *p, const struct peer *peer, uint64_t memory_mib);
/** It drains: what it has is begun elsewhere at once. */
void provisioner_node_drains(struct provisioner *p, const struct peer *peer);
/** Its link is lost. */
void provisioner_node_lost(struct provisioner *p, const struct peer *peer);
/** `node.provisioned`: what @peer has. -ERR_BAD_REQUEST. */
int provisioner_told(struct provisioner *p, const struct peer *peer, const cJSON *args,
                     struct error *err);

/** What all nodes have of what is provisioned for one qualifier. */
struct provisioner_counts {
    uint64_t ready;
    bool has_class; /* nobody else can have the permits of those that are provisioned */
    uint64_t leaving; /* ready ones of a version that its alias has left: until these are */
    bool has_failed; /* on some node, the last time it was tried */
    bool lacks_room; /* more is provisioned than the nodes have memory for */
};
/** @version: that @qualifier names now. */
void provisioner_counts_get(const struct provisioner *p, struct str account, struct str name,
                            struct str qualifier, struct str version,
                            struct provisioner_counts *ret);

#endif
