/* SPDX-License-Identifier: Apache-2.0 */
/*
 * auth.h - who asks, and is it true: checks each request's signature against the configured
 * credentials and the sessions issued to them. Without credentials nothing is checked, and every
 * caller is the account's root.
 *
 * The keys that signatures are checked with are kept (for a day, region and service), and sessions
 * that were opened once, so that a request costs two digests and a MAC.
 *
 * Owns:    the credentials, the kept keys.
 * Threads: loop thread only.
 * Errors:  AWS's: -ERR_NO_TOKEN, -ERR_HALF_SIGNED, -ERR_UNKNOWN_CLIENT, -ERR_BAD_SIGNATURE,
 *          -ERR_EXPIRED_TOKEN; -ERR_UNAVAILABLE before auth_set_function_key().
 * Source:  docs/internals/auth.md.
 */
#ifndef HEARTH_GATEWAY_AUTH_H
#define HEARTH_GATEWAY_AUTH_H

#include "common/io/http_server.h"
#include "common/proto/sigv4.h"
#include "gateway/credentials.h"

enum auth_service { AUTH_LAMBDA, AUTH_SCALING, AUTH_STS, AUTH_IAM, AUTH_SERVICES };

struct auth;

/**
 * @path     the credentials file; "" when signatures are not checked. Read here (blocking).
 * @account, @region  borrowed, outlive it
 */
int auth_new(const char *path, const char *account, const char *region, struct auth **ret,
             struct error *err);
void auth_free(struct auth *auth);
/**
 * The key that seals sessions of functions' roles, copied; NULL: the controller has none, and gives
 * no such sessions. Until one of both is said they are refused with -ERR_UNAVAILABLE.
 */
void auth_set_function_key(struct auth *auth, const struct seal_key *key);
/** For tests: Unix time in milliseconds comes from @now_ms. */
void auth_set_clock(struct auth *auth, uint64_t (*now_ms)(void));

/**
 * Checks that @req is signed for @service; a body in signed chunks is decoded.
 *
 * @ret  optional; good until the next call. Without credentials: who the request says it is
 */
int auth_check(struct auth *auth, struct http_req *req, enum auth_service service,
               const struct caller **ret, struct error *err);
/**
 * What can be said when only the head is there: fails for a request that cannot pass, because it
 * is not signed or with a key that nobody has.
 */
int auth_check_head(struct auth *auth, const struct http_req *req, struct error *err);
/** The service that the request was signed for, as text ("lambda"); empty when it is not signed. */
struct str auth_service_of(struct auth *auth, const struct http_req *req);
/** Issues temporary credentials to @by; see session_issue(). */
void auth_issue(struct auth *auth, const struct caller *by, struct session *session,
                struct buf *token);
/** Unix time, seconds, by the clock that signatures are checked with. */
uint64_t auth_now_s(const struct auth *auth);

#endif
