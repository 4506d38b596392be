/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ops_esm.h - the keys of event source mappings (docs.h), and what keeps two of them from serving
 * the same records to the same function.
 *
 * Owns:    nothing.
 * Threads: loop thread only.
 * Keys:    docs/internals/redis.md.
 */
#ifndef HEARTH_CONTROLLER_OPS_OPS_ESM_H
#define HEARTH_CONTROLLER_OPS_OPS_ESM_H

#include "common/base/buf.h"
#include "controller/ops/esm.h"

#define ESM_KEY "esm" /* hash: UUID → document */
#define ESM_NAMES_KEY "esms" /* sorted set of UUIDs */
#define ESM_PAIRS_KEY "esm_pairs" /* hash: source and function → UUID */
#define ESM_TAGS_KEY "tags:esm" /* hash: ARN → {tag: value} */

#define ESM_PAIRS_MAX 10u /* servers of a Kafka cluster */

/* The fields of ESM_PAIRS_KEY that a mapping occupies. */
struct esm_pairs {
    char *fields[ESM_PAIRS_MAX];
    size_t len;
};

void esm_pairs_init(struct esm_pairs *pairs, enum esm_source source, const cJSON *mapping);
void esm_pairs_done(struct esm_pairs *pairs);
bool esm_pairs_has(const struct esm_pairs *pairs, const char *field);
/** -ERR_CONFLICT: mapping @uuid occupies what @mapping, of the function @name, wants. */
int esm_pairs_conflict(enum esm_source source, const cJSON *mapping, struct str name,
                       struct str uuid, struct error *err);

#endif
