/* SPDX-License-Identifier: Apache-2.0 */
/*
 * provisioner_plan.h - which node keeps how many sandboxes of which version: the plan by itself,
 * without anybody who is asked or told.
 *
 * Owns:    all that it holds.
 * Threads: one at a time.
 * Errors:  none; what fits nowhere is given to the node with the most room all the same, whose
 *          memory tells then.
 */
#ifndef HEARTH_CONTROLLER_PROVISIONER_PLAN_H
#define HEARTH_CONTROLLER_PROVISIONER_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/list.h"
#include "common/base/map.h"

/* What a node has of a version, by its own word. */
struct node_has {
    uint32_t begun, ready;
    bool has_failed;
};

struct plan_node {
    struct list_node node;
    char *id;
    uint64_t memory_mib;
    uint64_t planned_mib; /* plan_spread()'s */
    uint64_t leaving_mib; /* the part of that which gives way */
    bool is_here;
    uint64_t lost_us;
    struct map has; /* a version's key to struct node_has */
    uint64_t peer; /* the planner's user's: who it is now … */
    char *told; /* … and the list it was given; NULL: none, or it did not take it */
};

/* So many of a version on a node. */
struct plan_share {
    struct list_node node;
    struct plan_node *on;
    uint32_t count;
};

struct plan_version {
    struct list_node node;
    char *account, *name, *version;
    char *qualifier; /* that it is provisioned for: the version itself or an alias */
    bool is_leaving; /* the alias has moved on, but its new version is not ready yet */
    uint64_t generation;
    uint32_t memory_mib;
    uint32_t count;
    char *key; /* plan_key() */
    struct list_node shares;
    bool lacks_room; /* a node of its shares has more planned than it has memory */
    bool marked; /* for whoever goes through them */
    bool has_class; /* so many permits as are provisioned can be had, whatever else runs */
    uint64_t class_number; /* of what was provisioned when that was asked */
    bool class_is_asked;
};

struct plan {
    struct list_node nodes;
    struct list_node versions;
};

void plan_init(struct plan *plan);
void plan_done(struct plan *plan);

/** "<account>/<name>:<version>#<generation>"; the caller's. */
char *plan_key(struct str account, struct str name, struct str version, uint64_t generation);

struct plan_node *plan_node_find(const struct plan *plan, struct str id);
struct plan_node *plan_node_add(struct plan *plan, struct str id);
/** What was on it is to be spread again. */
void plan_node_remove(struct plan *plan, struct plan_node *node);
void plan_node_set(struct plan_node *node, const char *key, const struct node_has *has);

struct plan_version *plan_version_find(const struct plan *plan, const char *key);
struct plan_version *plan_version_add(struct plan *plan, struct str account, struct str name,
                                      struct str version, uint64_t generation);
void plan_version_remove(struct plan_version *v);

/** The version that what @v is provisioned for names now; NULL: none. */
struct plan_version *plan_heir(const struct plan *plan, const struct plan_version *v);

/**
 * Gives every version as many sandboxes as it wants. Shares stay where they are; what is missing
 * goes to a node that has it already, else to the one with the most room; what is too much leaves
 * the node with the least. Nodes that are away get nothing new. What an alias has left gets nothing new either, and
 * gives way where there is not memory enough for both: it would else keep for ever what its heir waits for.
 */
void plan_spread(struct plan *plan);

#endif
