/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fn_unoffered.h - settings of functions that Hearth does not offer and so does not accept; those
 * that say nothing pass, since clients send them.
 *
 * Owns:    nothing.
 * Threads: any.
 * Errors:  -ERR_UNSUPPORTED; the message names the member.
 * Source:  Lambda API reference, CreateFunction, UpdateFunctionConfiguration, UpdateFunctionCode.
 */
#ifndef HEARTH_MODEL_FN_UNOFFERED_H
#define HEARTH_MODEL_FN_UNOFFERED_H

#include <cjson/cJSON.h>

#include "common/base/error.h"

/** Whether @value says anything: not absent, null, false, empty, nor made of such values alone. */
bool fn_is_set(const cJSON *value);
/** Checks the members of a request (CreateFunction, UpdateFunctionConfiguration and -Code). */
int fn_check_offered(const cJSON *input, struct error *err);

#endif
