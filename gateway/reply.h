/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reply.h - answers: JSON with a request id for the Lambda API and services that are called by
 * X-Amz-Target, XML for the query protocol (STS, IAM); errors as AWS writes them.
 *
 * Owns:    nothing. Each call ends its request.
 * Threads: loop thread only.
 * Source:  aws_error.h, aws_query.h.
 */
#ifndef HEARTH_GATEWAY_REPLY_H
#define HEARTH_GATEWAY_REPLY_H

#include "common/base/error.h"
#include "common/io/http_server.h"

/** Status @status with JSON @body. */
void reply_json(struct http_req *req, const char *request_id, int status, struct str body);
/** The AWS error for @code; @reason as for aws_error_body(), NULL for most. */
void reply_error(struct http_req *req, const char *request_id, enum error_code code,
                 struct str message, const char *reason);
/** The same for a struct error. */
void reply_error_of(struct http_req *req, const char *request_id, const struct error *err);

/** The JSON protocol's error for @err: services that are called by X-Amz-Target. */
void reply_target_error_of(struct http_req *req, const char *request_id, const struct error *err);

/** Status @status with XML @body. */
void reply_xml(struct http_req *req, const char *request_id, int status, struct str body);
/** The query protocol's error for @err; @xmlns of the service, e.g. STS_XMLNS. */
void reply_query_error_of(struct http_req *req, const char *request_id, const char *xmlns,
                          const struct error *err);
/** The same with a code of the service's own, e.g. "InvalidIdentityToken". */
void reply_query_error(struct http_req *req, const char *request_id, const char *xmlns,
                       const char *code, int status, struct str message);

#endif
