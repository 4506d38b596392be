/* SPDX-License-Identifier: Apache-2.0 */
/*
 * route_cache.h - the routes that the controller has resolved, kept until it takes them back.
 *
 * Only routes whose targets are all active are kept. Concurrent look-ups of one function and qualifier share
 * one question. An answer to a question that was asked before a drop is thrown away and asked
 * again: so when route_cache_drop() returns, no invocation can learn the old route any more. The
 * limits that come with a route apply to its function, whatever qualifier was asked for.
 *
 * Owns:    its routes. A route that was handed out is borrowed for that moment: look it up again
 *          later.
 * Threads: loop thread only; callbacks never run inside a call that asked.
 * Errors:  the resolver's, passed on to each who waits.
 */
#ifndef HEARTH_GATEWAY_ROUTE_CACHE_H
#define HEARTH_GATEWAY_ROUTE_CACHE_H

#include "common/base/error.h"
#include "common/base/list.h"
#include "common/base/str.h"
#include "gateway/route.h"

struct route_cache;
struct route_lookup;

struct route_key {
    struct str account, name;
    struct str qualifier; /* "" = none */
};

/* How a route is found; the answer comes by route_lookup_answer(): once, never inside the call. */
struct route_resolver {
    void (*resolve)(struct route_lookup *lookup, const struct route_key *key, void *arg);
    void *arg;
};

/* One who waits for a route; storage is the caller's, zeroed. */
struct route_wait {
    struct list_node node;
    /* Exactly one of @route and @err is set; both borrowed for the call. */
    void (*fn)(struct route_wait *w, struct route *route, const struct error *err);
};

/** @admission: has the functions' counters; borrowed, outlives it. @max: how many routes are kept. */
struct route_cache *route_cache_new(const struct route_resolver *resolver,
                                    struct admission *admission, size_t max);
/** Nobody who waits is called any more; the resolver must not answer any more. */
void route_cache_free(struct route_cache *cache);
/** The route when it is known, good until control goes back to the loop; else NULL. */
struct route *route_cache_find(struct route_cache *cache, const struct route_key *key);
/** Asks for the route (or joins those who ask); @w->fn is called once, later. */
void route_cache_wait(struct route_cache *cache, const struct route_key *key, struct route_wait *w);
/** Takes @w out; harmless when it does not wait. */
void route_wait_cancel(struct route_wait *w);
/** Forgets all qualifiers of a function. */
void route_cache_drop(struct route_cache *cache, struct str account, struct str name);
/** Forgets everything. */
void route_cache_flush(struct route_cache *cache);
size_t route_cache_len(const struct route_cache *cache);

/** The resolver's answer: @route (what it holds becomes the cache's) or @err. */
void route_lookup_answer(struct route_lookup *lookup, struct route *route, const struct error *err);

#endif
