/* SPDX-License-Identifier: Apache-2.0 */
/*
 * random.h - random numbers for choices: fast and well spread, not secret. Secrets and ids come from
 * id.h.
 *
 * Owns:    nothing; the state is the caller's.
 * Threads: one for each state.
 * Errors:  none; random_init() aborts without a random source.
 * Source:  xoshiro256++ 1.0, Blackman and Vigna.
 */
#ifndef HEARTH_BASE_RANDOM_H
#define HEARTH_BASE_RANDOM_H

#include <stdint.h>

struct random {
    uint64_t s[4]; /* any but all zero */
};

/** Begins somewhere that nobody can foresee; the only system call. */
void random_init(struct random *r);
/** The next 64 bits. */
uint64_t random_next(struct random *r);
/** The next number from 0 up to but without 1, each multiple of 2^-53 as likely as another. */
double random_unit(struct random *r);

#endif
