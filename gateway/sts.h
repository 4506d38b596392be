/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sts.h - the Security Token Service: who am I, and temporary credentials.
 *
 * Offered: GetCallerIdentity, GetSessionToken, AssumeRole (of any role of the account: roles are
 * not looked up and their trust policies not asked yet). AssumeRoleWithWebIdentity is refused:
 * there is no identity provider to verify tokens with. What would narrow a session (policies) or
 * needs MFA is refused, never ignored; tags and external ids are checked and have no effect yet.
 *
 * Owns:    nothing. Each call ends its request.
 * Threads: loop thread only.
 * Errors:  all go to the client, as AWS's.
 * Source:  AWS STS API reference, version 2011-06-15.
 */
#ifndef HEARTH_GATEWAY_STS_H
#define HEARTH_GATEWAY_STS_H

#include "common/proto/aws_query.h"
#include "gateway/auth.h"

#define STS_VERSION "2011-06-15"

/** Serves @req, whose form is @query; checks its signature where the operation wants one. */
void sts_serve(struct auth *auth, const char *account, struct http_req *req,
               const struct aws_query *query, const char *request_id);

#endif
