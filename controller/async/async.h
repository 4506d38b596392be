/* SPDX-License-Identifier: Apache-2.0 */
/*
 * async.h - asynchronous invocations: takes events off the queue when they are due, has gateways run
 * them, and sees each to its end: success, retries, destinations, dead letter queues.
 *
 * Owns:    what it has taken and not finished yet, at most so many at once.
 * Borrows: redis, key, peers, clients; they outlive it.
 * Threads: loop thread only.
 * Errors:  whatever fails is tried again; what ends without success is logged, once.
 * Source:  Lambda developer guide, "Asynchronous invocation"; recorded answers; docs/internals/async.md.
 */
#ifndef HEARTH_CONTROLLER_ASYNC_ASYNC_H
#define HEARTH_CONTROLLER_ASYNC_ASYNC_H

#include "common/model/fn_name.h"
#include "common/proto/seal.h"
#include "controller/async/async_message.h"
#include "controller/peers.h"

struct async;

struct async_options {
    struct loop *loop;
    struct redis *redis;
    const struct seal_key *key;
    struct peers *peers;
    struct async_clients clients;
    struct str region;
    uint64_t in_flight, function_max, queue_max;
    uint64_t lease_us, retry_wait_us, backoff_us, backoff_max_us, delivery_age_us;
};

/** @options are copied, with the texts in it borrowed. */
struct async *async_new(const struct async_options *options);
/** Begins nothing new, and heeds no answers any more: what it has is taken up by others. */
void async_stop(struct async *async);
/** After async_stop(), redis_free() and peers_free(). */
void async_free(struct async *async);

/** Redis is there (again). */
void async_redis_here(struct async *async);
/** A gateway is there. */
void async_gateway_here(struct async *async);
/** `async.enqueue`: answered when the event is kept for good. */
void async_enqueue(struct async *async, struct rpc_request *rpc, const cJSON *args,
                   struct str body);

#endif
