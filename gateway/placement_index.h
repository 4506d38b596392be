/* SPDX-License-Identifier: Apache-2.0 */
/*
 * placement_index.h - nodes by how many MiB they have of something: in classes, each a quarter of a
 * doubling wide, so that one with much is found without looking at all of them.
 *
 * Owns:    the classes' arrays; the nodes are the user's.
 * Threads: one at a time.
 * Errors:  none; aborts when memory is gone.
 */
#ifndef HEARTH_GATEWAY_PLACEMENT_INDEX_H
#define HEARTH_GATEWAY_PLACEMENT_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLACE_CLASSES 64 /* bits of a word that says which are not empty */

/** Embedded in what is indexed; zeroed: it is in no index. */
struct place_spot {
    bool is_in;
    uint32_t class; /* which, and where in its array */
    uint32_t at;
};

struct place_class {
    struct place_spot **spots;
    uint32_t len, cap;
};

struct place_index {
    struct place_class classes[PLACE_CLASSES];
    uint64_t used; /* bit c: class c is not empty */
};

/** Frees the arrays of *@index, whose members know nothing of that. */
void place_index_done(struct place_index *index);
/** @spot has @mib now. */
void place_index_set(struct place_index *index, struct place_spot *spot, int64_t mib);
/** Harmless when @spot is in no index. */
void place_index_remove(struct place_index *index, struct place_spot *spot);
/**
 * The highest class below @below (PLACE_CLASSES: the highest of all) that is not empty and may have
 * members with @mib; NULL when there is none. *@ret_class is for the next call's @below.
 */
const struct place_class *place_index_top(const struct place_index *index, uint32_t below,
                                          int64_t mib, uint32_t *ret_class);

#endif
