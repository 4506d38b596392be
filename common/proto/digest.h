/* SPDX-License-Identifier: Apache-2.0 */
/*
 * digest.h - SHA-256, at once or piece by piece, and HMAC with it.
 *
 * Owns:    a struct sha256 owns its library context; sha256_done().
 * Threads: one at a time.
 * Errors:  none: the library cannot fail on memory input; if it does, we abort.
 * Source:  FIPS 180-4, RFC 2104.
 */
#ifndef HEARTH_PROTO_DIGEST_H
#define HEARTH_PROTO_DIGEST_H

#include "common/base/buf.h"

#define SHA256_BYTES 32
#define SHA256_HEX_MAX (2 * SHA256_BYTES + 1) /* with the NUL */

struct sha256 {
    void *ctx;
};

void sha256_init(struct sha256 *h);
void sha256_update(struct sha256 *h, const void *ptr, size_t len);
/** Writes the digest and starts over; the context is still to be freed by sha256_done(). */
void sha256_final(struct sha256 *h, unsigned char ret[SHA256_BYTES]);
void sha256_done(struct sha256 *h);

/** The digest of @s. */
void sha256_of(struct str s, unsigned char ret[SHA256_BYTES]);
/** The digest of @s as lower-case hex with a NUL. */
void sha256_hex(struct str s, char ret[SHA256_HEX_MAX]);
/** Appends the base64 of @digest: AWS's CodeSha256 of a zip archive. */
int sha256_base64(struct buf *b, const unsigned char digest[SHA256_BYTES]);
/** HMAC-SHA256 of @s under @key; @ret may be @key's memory. */
void hmac_sha256(struct str key, struct str s, unsigned char ret[SHA256_BYTES]);

#endif
