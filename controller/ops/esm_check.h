/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esm_check.h - what an event source mapping may be, by kind of source.
 *
 * Owns:    nothing.
 * Threads: any.
 * Errors:  -ERR_BAD_REQUEST, in AWS's words where they are known.
 * Source:  as esm.h.
 */
#ifndef HEARTH_CONTROLLER_OPS_ESM_CHECK_H
#define HEARTH_CONTROLLER_OPS_ESM_CHECK_H

#include "controller/ops/esm.h"

/** Whether @input says only what @source offers and, when @is_new, all that it needs. */
int esm_check_input(enum esm_source source, const cJSON *input, bool is_new, struct error *err);
/**
 * Whether the values of @mapping go together.
 *
 * @before  what it was, or NULL: what may not change has not
 */
int esm_check_mapping(enum esm_source source, const cJSON *mapping, const cJSON *before,
                      struct error *err);

#endif
