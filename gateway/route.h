/* SPDX-License-Identifier: Apache-2.0 */
/*
 * route.h - where a call of a function leads, as the controller resolved it: the versions that it
 * may get, each with its share, and what limits the function.
 *
 * Owns:    what a struct route holds, references to the function's admission and pools included.
 * Threads: loop thread only.
 * Errors:  route_read(): -ERR_INTERNAL for an answer that is malformed.
 * Source:  docs/internals/links.md, method `route.resolve`.
 */
#ifndef HEARTH_GATEWAY_ROUTE_H
#define HEARTH_GATEWAY_ROUTE_H

#include <cjson/cJSON.h>

#include "common/base/error.h"
#include "gateway/admission.h"

#define ROUTE_TARGETS_MAX 2 /* AWS lets an alias have one version more */

struct route_target {
    char *version; /* "$LATEST" or a number */
    char *state; /* "Active", "Pending", "Failed", "Inactive" */
    uint64_t generation;
    uint64_t timeout_s;
    uint32_t memory_mib; /* of one sandbox */
    bool is_provisioned; /* concurrency is provisioned for it */
    struct lease_pool *pool; /* of that; set by route_cache.h. NULL: it has only the function's */
    double weight; /* its share of the invocations; the first one has what the others leave */
};

struct route {
    char *arn; /* unqualified */
    struct route_target targets[ROUTE_TARGETS_MAX];
    size_t targets_len; /* at least one */
    struct fn_limits limits;
    struct fn_admission *admission; /* the function's, of all its qualifiers; set by route_cache.h */
};

/** Reads an answer to route.resolve; *@ret is for route_done(). */
int route_read(const cJSON *ok, struct route *ret, struct error *err);
/** *@ret is another one of the same, for route_done(). */
void route_copy(const struct route *route, struct route *ret);
/** Frees what @route holds, not @route. */
void route_done(struct route *route);
bool route_target_is_active(const struct route_target *target);
/** Whether all its targets are. */
bool route_is_active(const struct route *route);
/** The target that is @version, or NULL. */
struct route_target *route_find_target(struct route *route, const char *version);
/** The target whose share @unit falls into: 0 <= @unit < 1. */
struct route_target *route_choose(struct route *route, double unit);

#endif
