/* SPDX-License-Identifier: Apache-2.0 */
/*
 * authorization.h - what a caller may do once it is known who it is. Policies are not judged yet:
 * keys of the credentials file, and sessions that go back to one, may do everything; a session that a
 * function got for its role may ask who it is and invoke functions, nothing else.
 *
 * Owns:    nothing.
 * Threads: loop thread only.
 * Errors:  -ERR_ACCESS_DENIED in AWS's words.
 * Source:  docs/internals/auth.md; IAM user guide, "Troubleshooting access denied error messages".
 */
#ifndef HEARTH_GATEWAY_AUTHORIZATION_H
#define HEARTH_GATEWAY_AUTHORIZATION_H

#include "gateway/credentials.h"
#include "gateway/routes.h"

/** @action of a query service, "iam:GetUser"; all on @resource, an ARN or "*". */
int authorization_action(const struct caller *caller, struct str action, struct str resource,
                         struct error *err);
/** What @match says: an operation of the Lambda API in @region of @account, or a path of Hearth. */
int authorization_route(const struct caller *caller, const struct routes_match *match,
                        const char *account, const char *region, struct error *err);

#endif
