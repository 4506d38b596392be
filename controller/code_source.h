/* SPDX-License-Identifier: Apache-2.0 */
/*
 * code_source.h - the archive that a request names, fetched into the code store: from the request
 * itself or from an S3-compatible store (code_s3.h).
 *
 * Owns:    nothing but the fetches under way.
 * Threads: loop thread only; callbacks never run inside a call and come exactly once.
 * Errors:  AWS's words: ERR_BAD_REQUEST for the archive and for what cannot be fetched, ERR_ACCESS_DENIED
 *          of the store, ERR_CODE_STORAGE when the account would have too much.
 * Source:  Lambda API reference, FunctionCode, LayerVersionContentInput.
 */
#ifndef HEARTH_CONTROLLER_CODE_SOURCE_H
#define HEARTH_CONTROLLER_CODE_SOURCE_H

#include <cjson/cJSON.h>

#include "controller/controller.h"

/* Whose the archive will be. */
struct code_source_owner {
    struct str account;
    uint64_t replaced_bytes; /* of the archive that goes when this one comes */
};

/**
 * Fetches the archive that @code names (Code, Content, or the whole input of UpdateFunctionCode);
 * its text is taken out of @code. The pin is the receiver's: code_store_settle().
 *
 * The account's limit is looked at when the archive is here; of several that come at the same moment
 * each is seen alone.
 */
void code_source_fetch(struct controller *c, const struct code_source_owner *owner, cJSON *code,
                       code_added_fn *done, void *arg);

#endif
