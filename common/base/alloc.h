/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alloc.h - small fixed allocations, which end the program when there is no memory.
 *
 * What a peer's bytes size has a ceiling and an error instead (buf.h).
 *
 * Owns:    the caller owns what he gets, for free().
 * Threads: any.
 * Errors:  abort().
 */
#ifndef HEARTH_BASE_ALLOC_H
#define HEARTH_BASE_ALLOC_H

#include <stdlib.h>

/** @size bytes, all zero. */
static inline void *xcalloc(size_t size)
{
    void *p = calloc(1, size);

    if (!p)
        abort();
    return p;
}

#endif
