/* SPDX-License-Identifier: Apache-2.0 */
/*
 * code_source.h - the archive that a request names, fetched into the code store: from the request
 * itself or from an S3-compatible store (code_s3.h).
 *
 * Owns:    nothing but the fetches under way.
 * Threads: loop thread only; callbacks never run inside a call and come exactly once.
 * Errors:  AWS's words: ERR_BAD_REQUEST for the archive and for what cannot be fetched, ERR_ACCESS_DENIED
 *          of the store.
 * Source:  Lambda API reference, FunctionCode, LayerVersionContentInput.
 */
#ifndef HEARTH_CONTROLLER_CODE_CODE_SOURCE_H
#define HEARTH_CONTROLLER_CODE_CODE_SOURCE_H

#include <cjson/cJSON.h>

#include "controller/controller.h"

/**
 * Fetches the archive that @code names (Code, Content, or the whole input of UpdateFunctionCode);
 * its text is taken out of @code. The pin is the receiver's: code_store_settle().
 */
void code_source_fetch(struct controller *c, cJSON *code, code_added_fn *done, void *arg);

#endif
