/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cert_authority.h - the CA of a cluster: what its controllers sign the certificates of nodes with, and
 * whose key join tokens are made from.
 *
 * Its certificates are a file of PEM: the first one is the key's, further ones are trusted too (to
 * change the CA without a break). The key is a file of PEM that nobody else may read.
 *
 * Owns:    key and certificates; cert_authority_done().
 * Threads: any, one at a time. Loading blocks: start-up and command line only.
 * Errors:  -ERR_CONFIG: a file that does not serve; -ERR_NOT_FOUND; -ERR_SYSTEM.
 */
#ifndef HEARTH_PROTO_CERT_AUTHORITY_H
#define HEARTH_PROTO_CERT_AUTHORITY_H

#include "common/proto/digest.h"
#include "common/proto/node_cert.h"

struct cert_authority {
    EVP_PKEY *key;
    STACK_OF(X509) *certs; /* the first is of the key */
    char print[CERT_PRINT_MAX]; /* of its public key: what join tokens name it by */
    unsigned char token_key[SHA256_BYTES]; /* made of the key: what join tokens are signed with */
};

/** Paths of the CA's files in a controller's data folder; the caller frees them. */
char *cert_authority_cert_path(const char *data_dir);
char *cert_authority_key_path(const char *data_dir);
/** Reads both files. -ERR_NOT_FOUND when one is absent. */
int cert_authority_load(const char *cert_path, const char *key_path, struct cert_authority *ret,
                        struct error *err);
/** The same, and makes what is absent: a key, mode 0600, and its certificate for 20 years. */
int cert_authority_load_or_make(const char *cert_path, const char *key_path,
                                struct cert_authority *ret, struct error *err);
void cert_authority_done(struct cert_authority *ca);

/**
 * A certificate of @key for @name, valid from CERT_BACKDATE_S before @now_s (clocks differ) to
 * @lifetime_s behind it, Unix seconds.
 *
 * @ret  owned by the caller, X509_free()
 */
int cert_authority_issue(const struct cert_authority *ca, EVP_PKEY *key, const struct node_name *name,
                         int64_t now_s, uint64_t lifetime_s, X509 **ret, struct error *err);
/** Appends all certificates of the CA as PEM. */
int cert_authority_write_certs(const struct cert_authority *ca, struct buf *b);

#endif
