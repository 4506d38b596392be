/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws_error.h - an error as the Lambda API sends it: status, x-amzn-ErrorType, JSON body.
 *
 * Status and type come from error.h's table (error_http_status(), error_exception()); the body is
 * made here: {"Type":"User","message":"..."}; exceptions of the framework in front of Lambda
 * (ValidationException, AccessDeniedException, ...) have no Type, as recorded.
 *
 * Threads: any.
 * Source:  recorded AWS answers; Lambda API model (which key carries the message).
 */
#ifndef HEARTH_PROTO_AWS_ERROR_H
#define HEARTH_PROTO_AWS_ERROR_H

#include "common/base/buf.h"
#include "common/base/error.h"

#define AWS_ERROR_TYPE_HEADER "x-amzn-ErrorType"

/**
 * Appends the body.
 *
 * @message  empty stands for null, as AWS has it for AccessDeniedException
 * @reason   "Reason" of a TooManyRequestsException and the like; NULL: none
 *
 * Returns 0 or -ERR_TOO_LARGE.
 */
int aws_error_body(struct buf *b, enum error_code code, struct str message, const char *reason);
/** The same for a struct error. */
int aws_error_body_of(struct buf *b, const struct error *err, const char *reason);

#endif
