/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scaling_store.h - scalable targets in Redis: one document for each, with its policies and scheduled
 * actions, and the activities of each.
 *
 * A change reads the document, lets a function decide what becomes of it, and commits; when somebody
 * else was faster all is done again. What was written is told to the scaler (scaler.h).
 *
 * Owns:    nothing beyond a call.
 * Threads: loop thread only; callbacks never run inside a call and come exactly once.
 * Errors:  those of docs.h; ERR_STALE: others were faster too often.
 * Keys:    docs/internals/redis.md.
 */
#ifndef HEARTH_CONTROLLER_SCALING_SCALING_STORE_H
#define HEARTH_CONTROLLER_SCALING_SCALING_STORE_H

#include "controller/controller.h"
#include "controller/store/docs.h"

#define SCALING_NAMES "scaling:names" /* resource ids */
#define SCALING_TARGETS "scaling:targets" /* resource id → JSON */
#define SCALING_ACTIVITIES "scaling:activities" /* resource id → JSON array, the newest first */
#define SCALING_IDS "scaling:ids" /* id in a target's ARN → JSON text, its resource id */

#define SCALING_ACTIVITIES_MAX 100 /* kept of each target */

/*
 * A target: "id", "min", "max", "created" (Unix time), "suspended" {"in", "out", "scheduled"}, "tags"
 * {key: value}, "policies" {name: policy}, "actions" {name: action}, the last three in order of
 * their names; "adjust" (optional): its capacity is still to be brought between "min" and "max".
 * A policy: "name", "guid", "created", "target", "in_cooldown", "out_cooldown" (optional), "no_in"
 * (optional).
 * An action: "name", "guid", "created", "modified", "last" (when it was due last; optional),
 * "schedule", "timezone", "start", "end", "min", "max" (all of them optional but "schedule").
 * An activity: "id", "description", "cause", "started", "ended" (optional), "status", "message",
 * "capacity" (that it sets; optional).
 */

/**
 * Decides what becomes of a target.
 *
 * @doc  NULL: it is not registered. May be changed, made, or deleted and set to NULL
 *
 * Returns 1 to write, 0 to leave all as it is, or less than 0: nothing is written either.
 */
typedef int scaling_decide_fn(cJSON **doc, void *arg);
/** @result: of the decision that counted; @err: what Redis said, or NULL. */
typedef void scaling_changed_fn(int result, const struct error *err, void *arg);

void scaling_change(struct controller *c, struct str account, struct str resource,
                    scaling_decide_fn *decide, scaling_changed_fn *done, void *arg);

/**
 * Writes @activity (borrowed): a new one, or the one of the same "id" anew. Only for a target that is
 * registered; best effort: an activity is a record of what has been done.
 */
void scaling_record(struct controller *c, struct str account, struct str resource,
                    const cJSON *activity);

/** Puts @item under @name into @list, in order of names; what was there is replaced. */
void scaling_put_sorted(cJSON *list, const char *name, cJSON *item);
/** The scaler will bring the capacity of the target @doc between its bounds. */
void scaling_wants_adjusting(cJSON *doc);
/** The member @name of @doc as a number, or @otherwise. */
double scaling_number(const cJSON *doc, const char *name, double otherwise);
/** The object @name of @doc, made when it is missing. */
cJSON *scaling_object(cJSON *doc, const char *name);
/** Unix time, seconds with a fraction of milliseconds. */
double scaling_now(void);

#endif
