/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger_view.h - reads what the ledger's read script answers.
 *
 * Owns:    the arrays of the view; its texts are the answer's.
 * Threads: any.
 */
#ifndef HEARTH_CONTROLLER_PERMITS_LEDGER_VIEW_H
#define HEARTH_CONTROLLER_PERMITS_LEDGER_VIEW_H

#include "controller/permits/ledger.h"

/** @all: the ledger's hash; @gateways, @nodes: name, hash, …; *@ret for ledger_view_done(). */
void ledger_view_from(const struct redis_value *all, const struct redis_value *gateways,
                      const struct redis_value *nodes, struct ledger_view *ret);
void ledger_view_done(struct ledger_view *view);

#endif
