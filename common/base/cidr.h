/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cidr.h - ranges of IPv4 addresses, as "10.0.0.0/8" writes them.
 *
 * Owns:    nothing; a struct cidr is copied freely.
 * Threads: any.
 * Errors:  -ERR_BAD_REQUEST for text that is no range.
 * Source:  RFC 4632 §3.1; RFC 6890 for cidr_special.
 */
#ifndef HEARTH_BASE_CIDR_H
#define HEARTH_BASE_CIDR_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/str.h"

#define CIDR_TEXT_MAX 19 /* with the NUL */

struct cidr {
    uint32_t addr; /* in the machine's byte order */
    uint8_t bits; /* 0..32 */
};

/** "a.b.c.d/n", or "a.b.c.d" for one address. Bits behind the prefix must be 0. */
int cidr_parse(struct str text, struct cidr *ret);
/** "a.b.c.d/n", or "a.b.c.d" for one address, into @ret. */
void cidr_format(struct cidr cidr, char ret[CIDR_TEXT_MAX]);
bool cidr_overlaps(struct cidr a, struct cidr b);
/** Whether all of @inner is in @outer. */
bool cidr_holds(struct cidr outer, struct cidr inner);

/**
 * Ranges that are not the public internet: private, shared, link-local with the clouds' metadata,
 * loopback, documentation, benchmarks, multicast, reserved; and what a cloud's metadata has elsewhere.
 */
extern const struct cidr cidr_special[];
extern const unsigned cidr_special_len;

#endif
