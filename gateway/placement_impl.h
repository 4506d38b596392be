/* SPDX-License-Identifier: Apache-2.0 */
/*
 * placement_impl.h - inside placement: placement.c chooses among nodes, placement_stands.c knows what is
 * believed of versions at nodes.
 */
#ifndef HEARTH_GATEWAY_PLACEMENT_IMPL_H
#define HEARTH_GATEWAY_PLACEMENT_IMPL_H

#include "common/base/map.h"
#include "common/base/random.h"
#include "gateway/placement.h"

#define PLACE_ASSUMED_MIB 16384 /* of a node that has not said its memory */

/* One version of a function, while some node is known to have it. */
struct place_version {
    char *key; /* "<account>/<name>:<version>" */
    uint64_t serial;
    uint64_t generation; /* the newest heard of; idle sandboxes are of this one */
    struct list_node warm_kept, warm; /* stands with idle sandboxes, last used first */
    struct list_node known; /* the others */
    size_t stands;
};

struct place_stand {
    struct place_version *version; /* NULL: forgotten while something runs there */
    struct place_node *node;
    struct place_stand *chain; /* in the table */
    struct list_node of_version; /* in one of its three lists */
    struct list_node of_node;
    struct list_node use; /* in placement->use, last used first */
    uint32_t idle, kept; /* idle sandboxes; those of them that are provisioned */
    uint32_t running; /* this gateway's invocations */
    uint32_t last_stream; /* of the last one sent */
    bool has_sent;
};

struct placement {
    struct placement_options options;
    struct random random;
    struct place_node **usable;
    size_t usable_len, usable_cap;
    struct place_node *largest; /* of the usable ones */
    struct place_index by_free, by_room;
    struct list_node full; /* nodes, soonest over first */

    struct map versions; /* by key */
    struct place_stand **table; /* chains by version and node */
    size_t table_size, stands_len, stands_max;
    struct list_node use;
    uint64_t next_version;
};

/* ---- placement.c */

/* What is believed of @node's memory has changed. */
void place_node_update(struct place_node *node);
/* It has said how much memory it has. */
void place_node_resized(struct place_node *node);

/* ---- placement_stands.c */

void place_stands_init(struct placement *p);
void place_stands_done(struct placement *p);
/* The version, a new one when @make; NULL when nothing is known of it. Idle sandboxes are only those of
 * the newest generation heard of. */
struct place_version *place_version_get(struct placement *p, const struct place_key *key, bool make);
struct place_stand *place_stand_find(const struct placement *p, const struct place_version *version,
                                     const struct place_node *node);
/* All that is known of @node. */
void place_stands_forget(struct place_node *node);

#endif
