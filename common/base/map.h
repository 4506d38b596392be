/* SPDX-License-Identifier: Apache-2.0 */
/*
 * map.h - a hash map from bytes to pointers (open addressing, linear probing).
 *
 * Owns:    copies of its keys. Values are borrowed, unless the map is given a free function.
 * Threads: one at a time.
 * Errors:  none; aborts when memory is gone. Keys may come from peers: the hash is seeded.
 */
#ifndef HEARTH_BASE_MAP_H
#define HEARTH_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/str.h"

struct map_entry;

struct map {
    struct map_entry *entries;
    size_t len; /* live entries */
    size_t used; /* live entries and tombstones */
    size_t cap; /* power of two, or 0 */
    uint64_t seed;
    void (*value_free)(void *value); /* optional */
};

void map_init(struct map *m, void (*value_free)(void *value));
void map_done(struct map *m);
/** The value under @key or NULL. */
void *map_get(const struct map *m, struct str key);
/** Sets @key to @value (not NULL); a previous value is freed by value_free. */
void map_put(struct map *m, struct str key, void *value);
/** Removes @key and returns its value unfreed (the caller's now), or NULL. */
void *map_remove(struct map *m, struct str key);
/** Iterates: start with *@at = 0; false at the end. The map must not change meanwhile. */
bool map_next(const struct map *m, size_t *at, struct str *key, void **value);

#endif
