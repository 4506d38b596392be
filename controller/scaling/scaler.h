/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scaler.h - what a leader does for scalable targets: runs scheduled actions when they are due, brings
 * capacities between their bounds, follows the targets of policies.
 *
 *   a change of a target, a time that is due ──► scaled_step(): one piece of work at a time
 *   each period ──► scaler_round.c: what is in use of each tracked target ──► tracking.h ──► a new capacity
 *
 * A capacity is changed as a client would, by PutProvisionedConcurrencyConfig; 0 by
 * DeleteProvisionedConcurrencyConfig. Each change is a scaling activity: InProgress until the
 * provisioned concurrency is there, or Failed with the reason.
 *
 * Owns:    a copy of each target's document, in memory; read when Redis is there, then told by each
 *          change (scaling_store.h). What alarms have seen and cooldowns are in memory only.
 * Borrows: the controller, which outlives it.
 * Threads: loop thread only.
 * Errors:  Redis away: tried again. What Lambda refuses becomes a Failed activity.
 * Source:  docs/internals/scaling.md.
 */
#ifndef HEARTH_CONTROLLER_SCALING_SCALER_H
#define HEARTH_CONTROLLER_SCALING_SCALER_H

#include <cjson/cJSON.h>

#include "common/base/str.h"
#include "controller/scaling/zones.h"

struct controller;
struct scaler;

/** @period_us: between two datapoints of a metric. */
struct scaler *scaler_new(struct controller *c, uint64_t period_us);
/** Begins nothing any more; before Redis and peers end. NULL is fine. */
void scaler_stop(struct scaler *s);
/** After Redis and peers have ended what was asked. NULL is fine. */
void scaler_free(struct scaler *s);
/** This controller leads, and Redis is there (again): reads all targets. */
void scaler_redis_here(struct scaler *s);
/** The target is as @doc says (borrowed), or is registered no more (NULL). */
void scaler_put(struct scaler *s, struct str account, struct str resource, const cJSON *doc);
struct zones *scaler_zones(struct scaler *s);

#endif
