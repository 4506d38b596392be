/* SPDX-License-Identifier: Apache-2.0 */
/*
 * big_endian.h - numbers as our own wires have them: most significant byte first, unaligned.
 *
 * Threads: any. Errors: none; the caller has checked the room.
 */
#ifndef HEARTH_PROTO_BIG_ENDIAN_H
#define HEARTH_PROTO_BIG_ENDIAN_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t be16_get(const void *from)
{
    uint16_t v;

    memcpy(&v, from, sizeof(v));
    return be16toh(v);
}

static inline uint32_t be32_get(const void *from)
{
    uint32_t v;

    memcpy(&v, from, sizeof(v));
    return be32toh(v);
}

static inline uint64_t be64_get(const void *from)
{
    uint64_t v;

    memcpy(&v, from, sizeof(v));
    return be64toh(v);
}

static inline void be16_put(void *to, uint16_t v)
{
    v = htobe16(v);
    memcpy(to, &v, sizeof(v));
}

static inline void be32_put(void *to, uint32_t v)
{
    v = htobe32(v);
    memcpy(to, &v, sizeof(v));
}

static inline void be64_put(void *to, uint64_t v)
{
    v = htobe64(v);
    memcpy(to, &v, sizeof(v));
}

#endif
