/* SPDX-License-Identifier: Apache-2.0 */
/*
 * validate.h - checks an operation's input against the API model, in AWS's form and words.
 *
 * All violations are collected, in the model's order: "2 validation errors detected: Value ...".
 *
 * Owns:    nothing.
 * Threads: one (the loop thread): pattern.h.
 * Errors:  -ERR_VALIDATION, -ERR_SERIALIZATION; the text goes to a buf because it may be longer
 *          than a struct error holds.
 * Source:  Lambda API model; recorded AWS answers.
 */
#ifndef HEARTH_MODEL_VALIDATE_H
#define HEARTH_MODEL_VALIDATE_H

#include <cjson/cJSON.h>

#include "common/base/buf.h"
#include "common/model/lambda_ops.h"

/** A ceiling for @ret_message that no legal request's message reaches. */
#define VALIDATE_MESSAGE_MAX 65536

/**
 * Checks @input (lambda_input.h) against the input shape of @op.
 *
 * @ret_message  gets the error's message; cut at its ceiling. Untouched on success.
 *
 * Returns 0, -ERR_SERIALIZATION (a value of the wrong JSON type) or -ERR_VALIDATION.
 */
int validate_input(const struct lambda_op *op, const cJSON *input, struct buf *ret_message);
/** The same of another API whose input has @shape, a structure. */
int validate_shape(const struct lambda_shape *shape, const cJSON *input, struct buf *ret_message);

#endif
