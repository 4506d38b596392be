/* SPDX-License-Identifier: Apache-2.0 */
/*
 * role_sessions.h - the credentials that a function has of its role: a session
 * arn:aws:sts::ACCOUNT:assumed-role/ROLE/FUNCTION, good for 12 hours, nothing of it stored.
 *
 * Owns:    nothing.
 * Threads: loop thread only.
 * Errors:  none.
 * Source:  docs/internals/auth.md, "Sessions of functions"; Lambda developer guide, "Execution
 *          role".
 */
#ifndef HEARTH_CONTROLLER_ROLE_SESSIONS_H
#define HEARTH_CONTROLLER_ROLE_SESSIONS_H

#include "common/model/role_credentials.h"
#include "common/proto/sessions.h"

#define ROLE_SESSION_LIFE_S 43200u

/**
 * Credentials of @role_arn for the function @name, from @now_s (Unix time) on.
 *
 * @key  the controller's
 * Returns what is the caller's, NULL when @role_arn is no role.
 */
struct role_credentials *role_session_new(const struct seal_key *key, struct str role_arn,
                                          struct str name, uint64_t now_s);

#endif
