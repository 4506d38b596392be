/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hash.h - the hash of our tables: keys are short names and ids, which may come from peers, so each table
 * has a seed of its own.
 *
 * Owns:    nothing.
 * Threads: any.
 * Errors:  none.
 * Source:  FNV-1a, Fowler, Noll and Vo, over a random start, then a finaliser.
 */
#ifndef HEARTH_BASE_HASH_H
#define HEARTH_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/str.h"

static inline uint64_t hash_bytes(uint64_t seed, struct str key)
{
    uint64_t h = seed ^ 14695981039346656037u;
    size_t i;

    for (i = 0; i < key.len; i++)
        h = (h ^ (unsigned char)key.ptr[i]) * 1099511628211u;
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93u;
    return h ^ (h >> 32);
}

#endif
