/* SPDX-License-Identifier: Apache-2.0 */
/*
 * invoker_impl.h - inside invoker.c and invoker_parts.c: the parts of an invoker, what makes them, and
 * what they say to one another.
 *
 * Owns:    all parts; invoker_free() frees them, half built too.
 * Threads: loop thread only.
 * Errors:  -ERR_CONFIG, -ERR_SYSTEM, -ERR_IN_USE by invoker_make_parts().
 */
#ifndef HEARTH_INVOKER_INVOKER_IMPL_H
#define HEARTH_INVOKER_INVOKER_IMPL_H

#include "invoker/controller_link.h"
#include "invoker/gateway_link.h"
#include "invoker/invocation.h"
#include "invoker/invoker.h"
#include "invoker/launcher_choice.h"
#include "invoker/node_state.h"
#include "invoker/role_renewal.h"
#include "invoker/scaling_rate.h"

struct invoker {
    struct loop *loop;
    const struct invoker_config *config;
    char *node_id;
    char *dir; /* our part of the data folder */

    struct http_client *http;
    struct docker *docker; /* NULL: images are containerd's */
    struct image_store *images;
    struct network *network; /* NULL: sandboxes have none */
    struct launcher *launcher;
    struct logs *logs;
    struct link_address address; /* where gateways reach us */
    struct node_identity *identity;
    struct controller_link *controller;
    struct code_cache *codes;
    struct scaling_rates *rates;
    struct pool *pool;
    struct spec_cache *specs;
    struct provisions *provisions;
    struct role_renewal *renewal;
    struct invocations *invocations;
    struct node_state *state;
    struct gateway_links *gateways;
    struct permit_link *permits;
    struct lease_guard *guard;
    struct sandbox_host host;

    struct timer idle; /* until the pool has one to end for its age */
    struct timer rate; /* until a function may begin another sandbox */
    struct timer drain; /* invocations may run until then */
    struct timer end; /* sandboxes should be removed by then */
    bool stopping, ending_sandboxes;
};

/** What pool and sandboxes tell: the struct invoker is their argument. */
extern const struct pool_ops invoker_pool_ops;
extern const struct sandbox_ops invoker_sandbox_ops;
/** No controller was heard for so long that nothing may run any more; @arg: the struct invoker. */
void invoker_on_lease_over(void *arg);
/** So many nodes share a function's scaling rate. */
void invoker_on_nodes(uint32_t count, void *arg);

/** Makes everything but the timers, and begins to listen and to connect. */
int invoker_make_parts(struct invoker *inv, struct error *err);
/** What sandboxes may have together. */
uint64_t invoker_memory_mib(const struct invoker_config *config);

#endif
