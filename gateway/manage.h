/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manage.h - the Lambda API but Invoke, IAM, Application Auto Scaling: passed on to the controller,
 * its answer passed back.
 *
 * Owns:    the calls under way.
 * Threads: loop thread only.
 * Errors:  all go to the client, as AWS's.
 * Source:  docs/internals/links.md, method `lambda`.
 */
#ifndef HEARTH_GATEWAY_MANAGE_H
#define HEARTH_GATEWAY_MANAGE_H

#include "common/io/http_server.h"
#include "common/io/leader_link.h"

struct manage;

/** @controller, @account: borrowed, outlive it. */
struct manage *manage_new(struct leader_link *controller, const char *account);
/** Forgets all calls, without answers. After link_free() of the controller's, which ends their
 * callbacks. */
void manage_free(struct manage *manage);
/** Serves @req; @path is decoded. */
void manage_serve(struct manage *manage, struct http_req *req, struct str path,
                  const char *request_id);
/** Serves @req, a request to IAM that @caller_arn makes. */
void manage_serve_iam(struct manage *manage, struct http_req *req, const char *caller_arn,
                      const char *request_id);
/** Serves @req, a request for @operation of Application Auto Scaling ("TagResource"). */
void manage_serve_scaling(struct manage *manage, struct http_req *req, struct str operation,
                          const char *request_id);
size_t manage_in_flight(const struct manage *manage);

#endif
