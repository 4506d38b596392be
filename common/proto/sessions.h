/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sessions.h - temporary credentials without a store: all that a session is stands in its token,
 * sealed with a key that follows from the credential it was issued to. So every gateway with that
 * credential accepts it, until it expires or the credential goes. Those of functions' roles are the
 * controller's, sealed with a key that follows from its own; it tells that one to the gateways.
 *
 * A token: `<access key id of the credential>.<sealed text>`; "-" where signatures are not checked,
 * "~" for a function's role.
 *
 * Owns:    nothing.
 * Threads: any.
 * Errors:  -ERR_UNKNOWN_CLIENT: no token of ours. Expiry is for the caller to check.
 */
#ifndef HEARTH_PROTO_SESSIONS_H
#define HEARTH_PROTO_SESSIONS_H

#include "common/base/buf.h"
#include "common/proto/principal_id.h"
#include "common/proto/seal.h"

#define SESSION_SECRET_MAX 41
#define SESSION_TOKEN_MAX 4096 /* bytes of a token */
#define SESSION_NO_CREDENTIAL "-"
#define SESSION_OF_FUNCTION "~"
#define CALLER_ARN_MAX 640 /* a user's path may have 512 characters */
#define CALLER_ID_MAX 96

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
/** -ERR_UNKNOWN_CLIENT: changed, sealed with another key, or no token at all. */
int session_open(const struct seal_key *key, struct str token, struct session *ret,
                 struct error *err);

/**
 * The role's name out of its ARN, arn:aws:iam::ACCOUNT:role/path/NAME, the account to @ret_account;
 * a NULL ptr: it is none.
 */
struct str session_role_name(struct str role_arn, struct str *ret_account);
/** Who @session is when @role_arn, whose name is @role, is assumed under @name: arn and user_id. */
void session_name_role(struct session *session, struct str account, struct str role_arn,
                       struct str role, struct str name);
/** The key that seals sessions of functions' roles, out of the controller's; seal_key_wipe(). */
void session_function_key(const struct seal_key *controller_key, struct seal_key *ret);

#endif
