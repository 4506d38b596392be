/* SPDX-License-Identifier: Apache-2.0 */
/*
 * controller_parts.h - makes the parts of a controller from its settings, in their order.
 *
 * Owns:    nothing; the parts are the struct controller's, controller_free() ends them.
 * Threads: start-up only; blocking.
 * Errors:  -ERR_CONFIG, -ERR_SYSTEM: what has been made by then stays for controller_free().
 */
#ifndef HEARTH_CONTROLLER_CONTROLLER_PARTS_H
#define HEARTH_CONTROLLER_CONTROLLER_PARTS_H

#include "controller/controller.h"

/* What the parts tell the controller. */
struct controller_events {
    void (*on_redis)(bool up, const struct error *why, void *arg);
    void (*on_peer_gone)(struct peer *peer, void *arg);
    void (*on_change_over)(struct str account, struct str name, void *arg);
};

/** Fills @c, the @arg of @events; nobody is listened to yet, and nothing begins by itself. */
int controller_parts_make(struct controller *c, const struct controller_events *events,
                          struct error *err);

#endif
