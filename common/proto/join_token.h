/* SPDX-License-Identifier: Apache-2.0 */
/*
 * join_token.h - the line of text that lets a new node into a cluster.
 *
 *   hearth-join-1.<role>.<expires, Unix seconds>.<random>.<CA>.<signature>
 *
 * CA is the SHA-256 of the CA's public key: by it the node knows the controller before it sends the
 * token. The signature is HMAC-SHA256 of all before it, with a key made of the CA's key: so nothing is
 * kept of a token, every controller of the cluster knows it, and it is good until it expires, more
 * than once.
 *
 * Owns:    nothing. A token is a secret; it never reaches a log.
 * Threads: any.
 * Errors:  -ERR_BAD_REQUEST: no token; -ERR_ACCESS_DENIED: a token, but not for this cluster or time.
 */
#ifndef HEARTH_PROTO_JOIN_TOKEN_H
#define HEARTH_PROTO_JOIN_TOKEN_H

#include "common/proto/digest.h"
#include "common/proto/node_cert.h"

#define JOIN_TOKEN_MAX 320 /* with the NUL */
#define JOIN_NONCE_HEX 32

struct join_token {
    char role[NODE_ROLE_MAX];
    uint64_t expires_s; /* Unix time */
    char ca[CERT_PRINT_MAX];
    struct str is_signed; /* the bytes that the signature is of; in the parsed text */
    char signature[SHA256_HEX_MAX];
};

/** Writes a token for nodes of @role ("invoker" or "gateway") into @ret. */
int join_token_make(const unsigned char key[SHA256_BYTES], const char *ca, const char *role,
                    uint64_t expires_s, char ret[JOIN_TOKEN_MAX], struct error *err);
/** Reads the parts of a token; whether it is genuine is not looked at. */
int join_token_parse(struct str text, struct join_token *ret, struct error *err);
/** Whether @text is a token of the CA with @key and @ca, for @role, now (Unix seconds). */
int join_token_check(struct str text, const unsigned char key[SHA256_BYTES], const char *ca,
                     const char *role, uint64_t now_s, struct error *err);

#endif
