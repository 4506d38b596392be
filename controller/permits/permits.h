/* SPDX-License-Identifier: Apache-2.0 */
/*
 * permits.h - the leading controller's part of the permit protocol: gateways join, ask for leases and are
 * given up; invokers are told whom they may run for, and tell what runs on nobody's lease; limits change.
 *
 * What is granted stands in the ledger (ledger.h), which is read when a leader begins and whenever the
 * connection to Redis is new; all else here is memory.
 *
 * Owns:    itself and the ledger's client.
 * Borrows: loop, redis, peers; they outlive it.
 * Threads: loop thread only; callbacks never run inside a call.
 * Errors:  while it does not lead, Redis is away or a recovery is under way, gateways get UNAVAILABLE and
 *          ask again.
 * Protocol: docs/internals/permits.md; calls: docs/internals/links.md.
 */
#ifndef HEARTH_CONTROLLER_PERMITS_PERMITS_H
#define HEARTH_CONTROLLER_PERMITS_PERMITS_H

#include "common/io/redis.h"
#include "controller/peers.h"

struct permits;

struct permits_options {
    struct loop *loop;
    struct redis *redis;
    struct peers *peers;
    const char *account; /* that is there even without functions; kept */
    uint64_t account_limit; /* permits of an account together */
    uint64_t gateway_grace_us; /* how long a gateway may be away */
    uint64_t node_fence_us; /* after which an invoker that hears nobody ends what it runs */
    uint64_t peer_timeout_us;
    uint64_t retry_us;
    /* Another number of gateways has joined. */
    void (*on_gateways)(void *arg);
    /* Nothing that node @id ran can run any more, and it has not registered since. */
    void (*on_node_dead)(const char *id, void *arg);
    /* A leader with @term or a greater one has been here: this one has stopped. */
    void (*on_deposed)(uint64_t term, void *arg);
    void *arg;
};

struct permits *permits_new(const struct permits_options *options);
/** After Redis and peers have ended what was asked. NULL is fine. */
void permits_free(struct permits *p);

/** Leads, with @term, greater than that of every leader before; again with the same: Redis is there. */
void permits_start(struct permits *p, uint64_t term);
/** Leads no more: what waits is answered, limit changes under way end. NULL is fine. */
void permits_stop(struct permits *p);
void permits_redis_away(struct permits *p);

/** An invoker has registered. -ERR_BAD_REQUEST: @incarnation is none. */
int permits_node_here(struct permits *p, const struct peer *peer, struct str incarnation,
                      struct error *err);
/** An invoker says that nothing runs at it any more; it takes nothing either. */
void permits_node_left(struct permits *p, const struct peer *peer);
/** The link of a gateway or an invoker is lost. */
void permits_peer_lost(struct permits *p, const struct peer *peer);
/** How many gateways have joined. */
unsigned permits_gateways(const struct permits *p);

/* Calls of peers; each answers @rpc, now or later. */
void permits_serve_join(struct permits *p, struct rpc_request *rpc, const cJSON *args);
void permits_serve_ask(struct permits *p, struct rpc_request *rpc, const cJSON *args);
void permits_serve_orphans(struct permits *p, struct rpc_request *rpc, const cJSON *args);
/** @terms: what the node is told of its lease, to which the number of nodes is added. */
void permits_serve_alive(struct permits *p, struct rpc_request *rpc, cJSON *terms);

/**
 * A limit of @function is about to change: nothing of its own pools is granted until the change is over.
 * Before it is written, as the ledger obeys it from then on.
 */
struct limit_change;
struct limit_change *permits_change_begin(struct permits *p, struct str account,
                                          struct str function);
/** It was not written. NULL is fine. */
void permits_change_drop(struct limit_change *change);
/** @is_so: false when this controller leads no more: nobody knows whether gateways keep to it. */
typedef void permits_change_fn(bool is_so, void *arg);
/**
 * It was written: gateways give up what is idle of the function's pools and of those that it shares, and what
 * is in use as it ends; @is_reserved: what runs of it on the shared pool is counted in its own from now on.
 * @done when all have said so or were given up, or this controller leads no more.
 */
void permits_change_tell(struct limit_change *change, bool is_reserved, permits_change_fn *done,
                         void *arg);

/** Told once; false also when Redis has not answered. */
typedef void permits_ready_fn(bool ready, void *arg);
/**
 * Whether the provisioned class of a version could take all of its limit now. Returns false when there is no
 * ledger to ask: then @done is not called.
 */
bool permits_class_ready(struct permits *p, struct str account, struct str function,
                         struct str version, permits_ready_fn *done, void *arg);

#endif
