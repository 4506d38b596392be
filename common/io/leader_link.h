/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leader_link.h - links to all controllers of a list, of which one leads: who it is, and the link to it.
 *
 * A controller that leads says so by `leader.is` with its term, a number that grows with each leader.
 * The greatest term heard counts, for as long as this program lives: a smaller one is answered STALE
 * with the greatest ("term 7"), and so is the same one of another controller. When another one leads,
 * the link to the one before is cut, so that what it was asked ends; it is connected again, and does not
 * count until it leads. A controller that does not speak of leading (an older one) leads with term 0
 * while its link is up.
 *
 * Owns:    the links.
 * Threads: loop thread only; no callback runs inside a call.
 * Errors:  -ERR_CONFIG for a list that is none.
 * Wire:    docs/internals/links.md, leader.is.
 */
#ifndef HEARTH_IO_LEADER_LINK_H
#define HEARTH_IO_LEADER_LINK_H

#include "common/io/link.h"

#define LEADER_LINK_MAX 16 /* controllers in a list */

struct leader_link;

/* As link_ops, of the leader alone. */
struct leader_link_ops {
    /* A controller leads now; asked again when another one does, and when its link was down. */
    void (*on_up)(struct link *link, const struct link_hello *peer, void *arg);
    void (*on_stream)(struct link *link, struct link_stream *s, enum link_kind kind,
                      struct str head, void *arg);
    /* It leads no more, or its link is down. */
    void (*on_down)(const struct error *why, void *arg);
};

/** Connects to each of @addresses, link_connect()'s with commas between. @ops stay. */
int leader_link_new(struct loop *loop, const char *addresses, const struct link_hello *me,
                    const struct leader_link_ops *ops, void *arg, struct leader_link **ret,
                    struct error *err);
/** As link_free() of each link. NULL is fine. */
void leader_link_free(struct leader_link *ll);
/** The leader's link; one that is down while nobody leads. Good for this turn of the loop only. */
struct link *leader_link_get(const struct leader_link *ll);
/** Whether somebody leads. */
bool leader_link_is_up(const struct leader_link *ll);

#endif
