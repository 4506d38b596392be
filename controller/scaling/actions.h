/* SPDX-License-Identifier: Apache-2.0 */
/*
 * actions.h - when the scheduled actions of a target are due, by their documents (scaling_store.h).
 *
 * What was due while no controller led is made up for once: the latest time of each action counts,
 * earlier ones of the same action are left out.
 *
 * Owns:    nothing.
 * Threads: loop thread only.
 */
#ifndef HEARTH_CONTROLLER_SCALING_ACTIONS_H
#define HEARTH_CONTROLLER_SCALING_ACTIONS_H

#include <cjson/cJSON.h>

#include "controller/scaling/zones.h"

/** When @action is due next, behind @after; false: never again, or what it says cannot be read. */
bool action_next(struct zones *zones, const cJSON *action, int64_t after, int64_t *ret);
/** Whether @action was due, up to @now, since it was last (or was written); the latest time into @ret. */
bool action_is_due(struct zones *zones, const cJSON *action, int64_t now, int64_t *ret);
/** Of @actions the one that was due first by these times, or NULL. */
const cJSON *actions_due(struct zones *zones, const cJSON *actions, int64_t now, int64_t *ret);
/** When one of @actions is due next, @now or later; false: never. */
bool actions_next(struct zones *zones, const cJSON *actions, int64_t now, int64_t *ret);

#endif
