/* SPDX-License-Identifier: Apache-2.0 */
/*
 * iam_input.h - the input of an IAM operation: a form's flattened names gathered into one JSON
 * object by the shape of the operation's input, and checked in AWS's words.
 *
 * Owns:    the caller owns the JSON.
 * Threads: one (the loop thread): pattern.h.
 * Errors:  -ERR_SERIALIZATION (a number that is none), -ERR_VALIDATION.
 * Source:  AWS query protocol; IAM API model; IAM's own messages about names and paths.
 */
#ifndef HEARTH_PROTO_IAM_INPUT_H
#define HEARTH_PROTO_IAM_INPUT_H

#include <cjson/cJSON.h>

#include "common/model/iam_ops.h"
#include "common/proto/aws_query.h"

/**
 * Reads and checks the input of @id, an operation that is offered. Parameters that it does not know
 * are ignored, as AWS does.
 *
 * @ret_message  gets the error's message, cut at its ceiling; untouched on success
 */
int iam_input_new(enum iam_op_id id, const struct aws_query *query, cJSON **ret,
                  struct buf *ret_message);

#endif
