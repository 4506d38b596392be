/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spec_cache.h - the versions that this node knows, ready to run: specification fetched, image
 * present, code and layers unpacked. And per version ($LATEST is one) the newest generation it has
 * heard of, which fences older ones. Versions of one function never end one another.
 *
 * Callers that ask for one version at the same time share one fetch. Nothing that failed is kept.
 *
 * Owns:    a reference of each version it keeps.
 * Borrows: pool, image store, code cache, the source of specifications; they outlive it.
 * Threads: loop thread only.
 * Errors:  those of the source, the image store and the code cache; ERR_STALE.
 * Source:  docs/internals/links.md, "Order of a change".
 */
#ifndef HEARTH_INVOKER_SPEC_CACHE_H
#define HEARTH_INVOKER_SPEC_CACHE_H

#include "common/base/list.h"
#include "common/base/str.h"
#include "invoker/ready_version.h"

struct spec_cache;

/** Which version; strings borrowed for the call. */
struct spec_key {
    struct str account, name, version;
    uint64_t generation;
};

/** @spec is the receiver's when @err is NULL. */
typedef void spec_fetched_fn(struct sandbox_spec *spec, const struct error *err, void *arg);

struct spec_cache_options {
    struct pool *pool;
    struct image_store *images;
    struct code_cache *codes; /* of code and of layers */
    /* Asks for @key; @done comes once, later, with a deadline of its own. */
    void (*fetch)(const struct spec_key *key, spec_fetched_fn *done, void *done_arg, void *arg);
    void *arg;
    struct scaling_rates *rates; /* NULL: functions grow as fast as they can */
    uint32_t max; /* versions kept; those in use may exceed it */
};

/** Embedded in whoever waits for a version. */
struct spec_wait {
    struct list_node node;
    /* Exactly once unless cancelled. @err NULL: @ver is borrowed (ready_version_ref() keeps it). */
    void (*done)(struct spec_wait *w, struct ready_version *ver, const struct error *err);
};

struct spec_cache *spec_cache_new(const struct spec_cache_options *options);
/**
 * Waits are forgotten. No answer of the source, the image store or the code cache may come
 * afterwards: they end in the same turn.
 */
void spec_cache_free(struct spec_cache *cache);

/**
 * The version of @key when it is ready. Hearing of a newer generation of that version retires older
 * ones.
 *
 * Returns 0 and sets *@ret (borrowed); -ERR_STALE for an older generation; -ERR_NOT_FOUND when it
 * is not ready: spec_cache_get() then.
 */
int spec_cache_find(struct spec_cache *cache, const struct spec_key *key, struct ready_version **ret);
/** Makes the version of @key ready; w->done tells, never before this returns. */
void spec_cache_get(struct spec_cache *cache, const struct spec_key *key, struct spec_wait *w);
/** @w waits no longer. Harmless when it does not wait. */
void spec_cache_cancel(struct spec_wait *w);
/**
 * Generations of the version of @key older than its generation are over; generation 0: all are, the
 * version was deleted and is forgotten. When this returns, none of their sandboxes can take another
 * invocation.
 */
void spec_cache_retire(struct spec_cache *cache, const struct spec_key *key);
/** The same for all versions of a function: it was deleted. */
void spec_cache_retire_all(struct spec_cache *cache, struct str account, struct str name);
/** One that is ready (@ver NULL: being made so); all borrowed for the call. */
typedef void spec_each_fn(const struct spec_key *key, const struct ready_version *ver, void *arg);
/**
 * Calls @fn for each version and generation, e.g. to ask whether it is still current. No change
 * inside.
 */
void spec_cache_each(struct spec_cache *cache, spec_each_fn *fn, void *arg);
/** New credentials of the version of @key, taken over; wiped when it is not ready here any more. */
void spec_cache_renew(struct spec_cache *cache, const struct spec_key *key,
                      struct role_credentials *credentials);

#endif
