/* SPDX-License-Identifier: Apache-2.0 */
/*
 * placement_impl.h - inside placement: placement.c chooses among nodes, placement_stands.c knows what is
 * believed of versions at nodes, placement_versions.c the versions by name.
 */
#ifndef HEARTH_GATEWAY_PLACEMENT_IMPL_H
#define HEARTH_GATEWAY_PLACEMENT_IMPL_H

#include "common/base/random.h"
#include "gateway/placement.h"

#define PLACE_ASSUMED_MIB 16384 /* of a node that has not said its memory */

/* One version of a function, while some node is known to have it. Most are one or two cache lines. */
struct place_version {
    struct place_version *chain; /* in the table */
    uint64_t generation; /* the newest heard of; idle sandboxes are of this one */
    uint32_t warm_kept, warm; /* rings of stands with idle sandboxes, last used first */
    uint32_t known; /* ring of all stands; the next one to look at first */
    uint32_t stands; /* how many */
    uint32_t serial;
    uint32_t hash;
    uint16_t key_len;
    char key[]; /* "<account>/<name>:<version>" */
};

struct place_versions {
    struct place_version **table; /* chains by hash of the key */
    size_t size; /* a power of two */
    size_t len;
    uint64_t seed;
    uint32_t serials;
};

/* One version at one node: half a cache line. Stands are known by their place in the array, 0 is none. */
struct place_stand {
    struct place_version *version; /* NULL: forgotten while something runs there, or a free place */
    struct place_node *node;
    uint32_t idle, kept; /* idle sandboxes; those of them that are provisioned */
    uint32_t last_stream; /* of the last invocation sent */
    uint32_t running : 30; /* this gateway's invocations */
    bool has_sent : 1;
    bool was_used : 1; /* again, since the last look for one to forget */
};

/* A member of a ring: one that is alone is linked to itself. The ring's owner knows its first one. */
struct place_link {
    uint32_t prev, next;
};

/* Arrays of one length, by stand: what a warm start needs, then what only others do. */
struct place_stands {
    struct place_stand *list;
    struct place_link *warm; /* rings of a version */
    struct place_link *of_version, *of_node;
    uint32_t *chain; /* the next one in the table's slot, or free place */
    uint32_t *table; /* first ones of chains, by version and node */
    uint32_t cap; /* of each of them; a power of two */
    uint32_t end; /* places below it have been used */
    uint32_t free; /* first of those that are so no more */
    uint32_t hand; /* where to look next for one to forget */
    size_t len, max; /* remembered */
};

struct placement {
    struct placement_options options;
    struct random random;
    struct place_node **usable;
    size_t usable_len, usable_cap;
    struct place_node *largest; /* of the usable ones */
    struct place_index by_free, by_room;
    struct list_node full; /* nodes, soonest over first */

    struct place_versions versions;
    struct place_stands stands;
};

/* ---- placement.c */

/* What is believed of @node's memory has changed. */
void place_node_update(struct place_node *node);
/* It has said how much memory it has. */
void place_node_resized(struct place_node *node);

/* ---- placement_stands.c */

void place_stands_init(struct placement *p);
void place_stands_done(struct placement *p);
/* The code of @v has changed: what is idle of it is of no use; its image is mostly the same. */
void place_version_renew(struct placement *p, struct place_version *v, uint64_t generation);
/* 0: nothing is known of @version at @node. */
uint32_t place_stand_find(const struct placement *p, const struct place_version *version,
                          const struct place_node *node);
/* All that is known of @node. */
void place_stands_forget(struct place_node *node);

/* ---- placement_versions.c */

void place_versions_init(struct placement *p);
void place_versions_done(struct placement *p);
/* The version, a new one when @make; NULL when nothing is known of it. Idle sandboxes are only those of
 * the newest generation heard of. */
struct place_version *place_version_get(struct placement *p, const struct place_key *key, bool make);
/* @v, which has no stands. */
void place_version_free(struct placement *p, struct place_version *v);

#endif
