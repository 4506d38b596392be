/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lead.h - what a controller does when it begins to lead, while it leads, and when that is over; the
 * one place between leadership.h (who leads) and the parts (what a leader does).
 *
 * A controller that stands by has links to all peers and answers their calls UNAVAILABLE; nothing of it
 * begins by itself.
 *
 * Owns:    c->leadership.
 * Threads: loop thread only.
 */
#ifndef HEARTH_CONTROLLER_LEAD_H
#define HEARTH_CONTROLLER_LEAD_H

#include "controller/controller.h"

/** Stands by; @c's parts are there. */
void lead_start(struct controller *c);
/** Redis is there (again), or away for @why. */
void lead_redis(struct controller *c, bool up, const struct error *why);
/** The link of @peer is up: it is told whether we lead. */
void lead_peer_here(struct controller *c, struct peer *peer);
/** Leads no more: another one may at once. loop_stop() when that is done, or called again. */
void lead_stop(struct controller *c);

#endif
