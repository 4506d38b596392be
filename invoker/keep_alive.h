/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keep_alive.h - for how long a function's sandbox is kept when nothing runs in it: a decision from
 * what its pauses have been, without any I/O.
 *
 * The fixed policy keeps a sandbox for one and the same time. The histogram policy counts how long the
 * pauses of each function were, in minutes up to four hours, and takes each minute of the present one by
 * itself: with the pauses that lasted as long, how probable is it that the function is called in
 * the next minute? It is worth being warm then when the cold start that this saves, times what one
 * is worth, outweighs the minute's memory. So a sandbox is kept, ended, and made again ahead of the
 * call, as the function's habits say: one that is called every 15 minutes is cold for 13 of them.
 *
 * Each pause counts a little for the minutes beside it, too, and a function of which little is known
 * is taken for one with many short pauses and few long ones.
 *
 * Owns:    itself, by references.
 * Threads: one at a time.
 * Errors:  none; aborts when memory is gone.
 * Source:  Shahrad et al., "Serverless in the Wild", USENIX ATC 2020, for counting pauses by function
 *          and making sandboxes ahead; the rule for each minute is our own. bench/README.md has figures.
 */
#ifndef HEARTH_INVOKER_KEEP_ALIVE_H
#define HEARTH_INVOKER_KEEP_ALIVE_H

#include <stdbool.h>
#include <stdint.h>

#define KEEP_ALIVE_MINUTES 240u

/* The pauses of one function. */
struct keep_alive;

/** Of a function that nothing is known of. */
struct keep_alive *keep_alive_new(void);
struct keep_alive *keep_alive_ref(struct keep_alive *ka);
/** NULL is fine. */
void keep_alive_unref(struct keep_alive *ka);

/** A pause of @minutes (rounded down) is over. Cheap: what follows from it is worked out when asked. */
void keep_alive_learn(struct keep_alive *ka, uint64_t minutes);

/**
 * Whether a sandbox should be there in minute @minute of a pause.
 *
 * @worth  of a cold start that is avoided, in minutes of an idle sandbox
 */
bool keep_alive_is_warm(struct keep_alive *ka, uint64_t minute, uint32_t worth);
/** The first minute after @minute in which that is another, or UINT64_MAX. */
uint64_t keep_alive_next_change(struct keep_alive *ka, uint64_t minute, uint32_t worth);

#endif
