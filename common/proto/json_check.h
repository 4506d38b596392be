/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_check.h - is this payload JSON? One pass, no allocation, and AWS's words when it is not.
 *
 * RFC 8259 as Lambda's parser takes it: strict syntax and UTF-8, any value at the top, nesting
 * up to JSON_CHECK_DEPTH. Line and column count as Lambda's parser counts (columns in bytes).
 *
 * Threads: any.
 * Errors:  -ERR_BAD_CONTENT (InvalidRequestContentException).
 * Source:  RFC 8259, RFC 3629; recorded AWS answers.
 */
#ifndef HEARTH_PROTO_JSON_CHECK_H
#define HEARTH_PROTO_JSON_CHECK_H

#include "common/base/error.h"
#include "common/base/str.h"

#define JSON_CHECK_DEPTH 1000

/** Whether @s is one JSON value; an empty payload passes (the function's event is then {}). */
int json_check(struct str s, struct error *err);

#endif
