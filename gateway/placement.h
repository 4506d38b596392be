/* SPDX-License-Identifier: Apache-2.0 */
/*
 * placement.h - which node gets the next invocation, by what this gateway knows or believes. No I/O.
 *
 *   1. warm: a node with an idle sandbox of the version; provisioned ones first, then the last used;
 *   2. cold: a node with free memory for one more sandbox, by the share of its memory that is free;
 *      one that has run the version (it has image and code) counts as if a quarter more were free;
 *   3. the same, with the memory of idle sandboxes counted, which the node would end for it;
 *   4. all are full, as far as known: the one to queue at, by the same measure.
 *
 * What is known comes from the nodes' own word (node.state) and from this gateway's own invocations,
 * which count at once: a sandbox that is used is idle no more, one that has to be begun takes its memory
 * from the decision on, until the node's word has it in. Several gateways share the nodes, so all of it
 * may be old: a wrong belief costs a refusal or a cold start, never an error.
 *
 * A decision takes as many steps for ten nodes as for ten thousand: the idle sandboxes of a version stand
 * in a stack, nodes in classes of free memory; else a few are drawn by lot, of which the best is taken (up
 * to PLACE_FEW nodes all are looked at). No list is gone through to its end. What is then left to grow is
 * the memory that the steps are spread over, so what a decision looks at is small and stands together.
 *
 * Owns:    what is believed. struct place_node is embedded in its owner's struct, struct place_run in
 *          the invocation's.
 * Threads: one at a time.
 * Errors:  none; aborts when memory is gone.
 * Source:  docs/internals/gateway.md, "Placement"; "power of d choices": Mitzenmacher 2001.
 */
#ifndef HEARTH_GATEWAY_PLACEMENT_H
#define HEARTH_GATEWAY_PLACEMENT_H

#include "common/base/clock.h"
#include "common/base/list.h"
#include "common/base/str.h"
#include "gateway/placement_index.h"

#define PLACE_TRIED_MAX 8 /* nodes that one invocation remembers to have refused it */
#define PLACE_FEW 8 /* so many nodes are all looked at */
#define PLACE_CHARGES_MAX 32
#define PLACE_FULL_US MSEC(100) /* a node that had no room is believed to have none for so long */

struct placement;
struct place_version;

/* Memory of sandboxes that this gateway had begun at a node, and that its word may not have in yet. */
struct place_charge {
    uint32_t stream; /* of the invocation, or the last of several */
    uint32_t mib;
};

/** Embedded; all members are placement's. */
struct place_node {
    /* what a cold start looks at; a warm one looks at nothing here, unless nodes are passed over */
    uint64_t serial;
    uint64_t memory_mib;
    int64_t free_mib; /* below zero: more is waited for than there is */
    int64_t idle_mib; /* of sandboxes that would be ended for others */
    int64_t charged_mib;
    uint32_t full_mib; /* it had no room for this; 0: it is not known to be full */
    bool is_up; /* it can be asked */
    bool has_told; /* its memory */
    uint32_t life; /* how often it has come up */
    struct placement *placement;
    uint32_t stands; /* a ring */
    size_t at; /* among the usable ones */
    struct place_spot by_free, by_room;
    uint64_t full_until_us;
    struct list_node full; /* in placement->full */
    uint32_t charges_at, charges_len;
    struct place_charge charges[PLACE_CHARGES_MAX]; /* a ring, oldest first */
};

struct place_key {
    struct str account, name, version;
    uint64_t generation;
};

/** For what a node is looked for. */
struct place_ask {
    struct place_key key; /* borrowed for the call */
    uint32_t memory_mib; /* of one sandbox */
    uint64_t now_us;
    const uint64_t *tried; /* serials of nodes that are passed over */
    size_t tried_len; /* at most PLACE_TRIED_MAX */
};

enum place_how {
    PLACE_WARM,
    PLACE_COLD, /* there is memory free */
    PLACE_ROOM, /* idle sandboxes of others would make room */
    PLACE_QUEUE, /* no node has room, as far as known */
    PLACE_TOO_LARGE, /* no node is large enough for one such sandbox; this one is the largest */
    PLACE_NOWHERE, /* no node can be asked */
};

/** One invocation at a node; embedded, all members are placement's. */
struct place_run {
    struct place_version *version; /* as long as the stand is known to be of it */
    uint64_t generation;
    uint32_t stand; /* the version at the node; 0: it is at none */
    uint32_t stream;
    uint32_t life; /* the node's, when memory is charged */
    uint32_t charged_mib : 30;
    bool took_idle : 1;
    bool took_kept : 1;
};

enum place_end {
    PLACE_RAN, /* its sandbox is idle now */
    PLACE_REFUSED, /* nothing ran */
    PLACE_LOST, /* nobody knows */
};

struct placement_options {
    /* Whether @node does not answer just now: it is passed over while others do. May be NULL. */
    bool (*is_silent)(const struct place_node *node, uint64_t now_us);
    size_t stands_max; /* 0: as many as make sense */
    uint64_t seed; /* of its lots; 0: random */
};

struct placement *placement_new(const struct placement_options *options);
/** Nodes are gone, no invocation is at one. NULL is fine. */
void placement_free(struct placement *p);

/** @node, zeroed, is known from now on; it cannot be asked yet. @serial: never given twice. */
void placement_add(struct placement *p, struct place_node *node, uint64_t serial);
/** @node can be asked from now on; what it has it says itself, soon. Harmless twice. */
void placement_up(struct place_node *node);
/**
 * @node is down, draining or off the list: it is not asked any more, and what was believed of it is
 * forgotten. Harmless twice.
 */
void placement_down(struct place_node *node);
/** How many nodes can be asked. */
size_t placement_usable(const struct placement *p);

/** The node for one more invocation, or NULL with PLACE_NOWHERE. */
struct place_node *placement_choose(struct placement *p, const struct place_ask *ask,
                                    enum place_how *ret_how);
/** It goes to @node by @stream, ids of which grow: placement_end() must follow. */
void placement_begin(struct placement *p, struct place_node *node, const struct place_ask *ask,
                     uint32_t stream, struct place_run *ret);
/** Harmless twice. */
void placement_end(struct placement *p, struct place_run *run, enum place_end how);
/** @node had no room for a sandbox of @ask. */
void placement_full(struct place_node *node, const struct place_ask *ask);

/* ---- a node's own word */

struct place_told {
    uint64_t memory_mib;
    int64_t free_mib, idle_mib;
    uint32_t received; /* invocations up to that stream are in it */
    bool has_received;
};
void placement_told(struct place_node *node, const struct place_told *told);
/** What is said of versions next is all that there is. */
void placement_told_all(struct place_node *node, const struct place_told *told);
/** It has @idle idle sandboxes of @key, @kept of them provisioned. */
void placement_told_version(struct place_node *node, const struct place_told *told,
                            const struct place_key *key, uint32_t idle, uint32_t kept);

#endif
