/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zones.h - time zones by their names, from the system's database (package tzdata).
 *
 * Owns:    each zone that was asked for, until zones_free(): there are some 600 names.
 * Threads: loop thread only. The first use of a zone reads one small local file.
 * Errors:  -ERR_VALIDATION: there is no zone of this name, or no database.
 */
#ifndef HEARTH_CONTROLLER_SCALING_ZONES_H
#define HEARTH_CONTROLLER_SCALING_ZONES_H

#include "common/proto/tz.h"

struct zones;

struct zones *zones_new(void);
void zones_free(struct zones *zones);
/** The zone @name, borrowed; NULL for UTC, which needs no database, and for an empty name. */
int zones_get(struct zones *zones, struct str name, const struct tz **ret, struct error *err);

#endif
