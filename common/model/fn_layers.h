/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fn_layers.h - the layers that a request names, before anybody has looked them up.
 *
 * Whoever applies a request reads their ARNs here, finds each layer version, and gives what was
 * found, in the same order, to fn_apply.h.
 *
 * Owns:    nothing.
 * Threads: any.
 * Errors:  -ERR_BAD_REQUEST with AWS's words.
 * Source:  Lambda API reference, CreateFunction; recorded AWS answers.
 */
#ifndef HEARTH_MODEL_FN_LAYERS_H
#define HEARTH_MODEL_FN_LAYERS_H

#include <cjson/cJSON.h>

#include "common/base/error.h"
#include "common/model/fn.h"

#define FN_LAYERS_MAX 5
#define FN_UNZIPPED_BYTES_MAX 262144000 /* of code and layers together */

/**
 * The ARNs that @input names: at most five, all of @region, no layer twice.
 *
 * @ret  NULL when the request does not speak of layers; else a NULL-terminated list in the order
 *       of merging, empty when they are to be removed; the caller's: strv_free()
 */
int fn_layer_arns(const cJSON *input, struct str region, char ***ret, struct error *err);
/** The error for a layer version that is not there (or was deleted). */
int fn_layer_missing(const char *arn, struct error *err);
/** Whether the code of @ver (when its size is known) and its layers are not too large together. */
int fn_check_unzipped(const struct fn_version *ver, struct error *err);

#endif
