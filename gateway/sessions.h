/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sessions.h - temporary credentials without a store: all that a session is stands in its token,
 * sealed with a key that follows from the credential it was issued to. So every gateway with that
 * credential accepts it, until it expires or the credential goes.
 *
 * A token: `<access key id of the credential>.<sealed text>`; "-" where signatures are not checked.
 *
 * Owns:    nothing.
 * Threads: any.
 * Errors:  -ERR_UNKNOWN_CLIENT: no token of ours. Expiry is for the caller to check.
 */
#ifndef HEARTH_GATEWAY_SESSIONS_H
#define HEARTH_GATEWAY_SESSIONS_H

#include "common/base/buf.h"
#include "common/proto/principal_id.h"
#include "gateway/credentials.h"

#define SESSION_SECRET_MAX 41
#define SESSION_TOKEN_MAX 4096 /* bytes of a token */
#define SESSION_NO_CREDENTIAL "-"

struct session {
    char access_key[ACCESS_KEY_ID_MAX];
    char secret[SESSION_SECRET_MAX];
    char arn[CALLER_ARN_MAX];
    char user_id[CALLER_ID_MAX];
    uint64_t expires_s; /* Unix time */
};

/**
 * Makes credentials for @session, whose arn, user_id and expires_s are given: fills the rest and
 * appends the token to @token.
 *
 * @key     of the credential @parent (an access key id)
 */
void session_issue(const struct seal_key *key, struct str parent, struct session *session,
                   struct buf *token);
/** The access key id in front of a token; a NULL ptr: it is none of ours. */
struct str session_parent(struct str token);
int session_open(const struct seal_key *key, struct str token, struct session *ret,
                 struct error *err);

#endif
