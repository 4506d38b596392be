/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seal.h - secrets at rest: AES-256-GCM with a random 96-bit nonce, bound to the account and
 * function they belong to.
 *
 * Sealed text: "v1.<key id>.<base64 of nonce, ciphertext, tag>". The key id tells which key a
 * text needs; it is derived from the key and gives nothing of it away.
 *
 * Owns:    nothing; seal_key_wipe() before a key goes out of use.
 * Threads: any.
 * Errors:  -ERR_PROTOCOL: not a sealed text; -ERR_CONFIG: made with another key, or a bad key file;
 *          -ERR_ACCESS_DENIED: changed, or bound to something else; -ERR_TOO_LARGE; -ERR_SYSTEM.
 * Source:  NIST SP 800-38D.
 */
#ifndef HEARTH_PROTO_SEAL_H
#define HEARTH_PROTO_SEAL_H

#include "common/base/buf.h"
#include "common/base/error.h"

#define SEAL_KEY_BYTES 32
#define SEAL_KEY_ID_MAX 17 /* 16 hex digits and a NUL */

struct seal_key {
    unsigned char bytes[SEAL_KEY_BYTES];
    char id[SEAL_KEY_ID_MAX];
};

/** Makes a key of the 32 bytes @bytes. */
void seal_key_init(struct seal_key *key, const unsigned char bytes[SEAL_KEY_BYTES]);
/**
 * Reads the key file @path (32 raw bytes); creates it with random bytes, mode 0600, when it is
 * absent. Blocking. -ERR_CONFIG when it has another size or others may read it.
 */
int seal_key_load(const char *path, struct seal_key *ret, struct error *err);
void seal_key_wipe(struct seal_key *key);

/** Appends the sealed form of @plain to @ret. */
int seal_text(const struct seal_key *key, struct str account, struct str function, struct str plain,
              struct buf *ret, struct error *err);
/** Appends what was sealed to @ret; the caller wipes it (seal_wipe_buf()). */
int unseal_text(const struct seal_key *key, struct str account, struct str function,
                struct str sealed, struct buf *ret, struct error *err);
/** Zeroes the whole memory of @b, then frees it. */
void seal_wipe_buf(struct buf *b);

#endif
