/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redis_votes.h - whether the sentinels still name the Redis that a client is connected to.
 *
 * A primary that is parted from the others does not know that one of its replicas has taken its place, and
 * answers whoever is on its side. Most of the sentinels know: it takes most of them to promote another one. So
 * all that are in the URL are asked, every second. When most of them name another server than the client's, that
 * connects anew.
 *
 * Owns:    a connection to each sentinel.
 * Borrows: loop, the client; they outlive it.
 * Threads: loop thread only.
 * Errors:  a sentinel that does not answer names nobody.
 * Source:  docs/internals/redis.md, "Sentinel".
 */
#ifndef HEARTH_IO_REDIS_VOTES_H
#define HEARTH_IO_REDIS_VOTES_H

#include "common/io/redis.h"

struct redis_votes;

/** @url: the client's. *@ret is NULL when there are no sentinels in it. -ERR_CONFIG. */
int redis_votes_new(struct loop *loop, const char *url, struct redis *client, struct redis_votes **ret,
                    struct error *err);
/** NULL is fine. */
void redis_votes_free(struct redis_votes *votes);
/**
 * How long ago, us, most sentinels were asked that named the client's server; UINT64_MAX: they have not. On a clock that
 * goes on while the machine sleeps. 0 without sentinels (NULL): nobody names another one.
 */
uint64_t redis_votes_age_us(const struct redis_votes *votes);

#endif
