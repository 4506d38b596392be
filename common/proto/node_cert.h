/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node_cert.h - keys and certificates of the programs of a cluster: who is at the other end of a link
 * over TCP.
 *
 * A certificate's one name is the URI hearth://<role>/<id>, the id with percent escapes; who a peer is
 * comes from there and nowhere else. Keys are P-256.
 *
 * Owns:    what the readers return is the caller's: EVP_PKEY_free(), certs_free().
 * Threads: any.
 * Errors:  -ERR_PROTOCOL: the text is not what it should be.
 * Source:  RFC 5280; RFC 2986 for requests.
 */
#ifndef HEARTH_PROTO_NODE_CERT_H
#define HEARTH_PROTO_NODE_CERT_H

#include <openssl/types.h>
#include <openssl/x509.h>

#include "common/base/buf.h"
#include "common/base/error.h"

#define NODE_ROLE_MAX 16 /* with the NUL */
#define NODE_ID_MAX 64
#define CERT_PRINT_MAX 65 /* 64 hex digits and a NUL */
#define CERT_PEM_MAX (256u * 1024u) /* of a file or an answer with keys and certificates */
#define CERT_BACKDATE_S 3600u /* a certificate is valid from so long before it was issued on */

/* Who a certificate is for. */
struct node_name {
    char role[NODE_ROLE_MAX];
    char id[NODE_ID_MAX];
};

/** A fresh key; aborts when the library cannot. */
EVP_PKEY *node_key_make(void);
/** Appends @key as PEM: a secret, so wipe @b in the end (seal_wipe_buf()). */
int node_key_write(EVP_PKEY *key, struct buf *b);
/** The first private key in @pem. */
int node_key_read(struct str pem, EVP_PKEY **ret, struct error *err);
/** Appends a request for a certificate of @key as PEM; it proves that the key is there. */
int node_request_write(EVP_PKEY *key, struct buf *b);
/** The public key of a request, whose signature it has checked; nothing else of it counts. */
int node_request_read(struct str pem, EVP_PKEY **ret, struct error *err);

/** All certificates in @pem, at least one; what else is in it is passed over. */
int certs_read(struct str pem, STACK_OF(X509) **ret, struct error *err);
void certs_free(STACK_OF(X509) *certs);
/** Appends @cert as PEM. */
int cert_write(X509 *cert, struct buf *b);
/** SHA-256 of the public key of @cert, as hex. */
void cert_print(const X509 *cert, char ret[CERT_PRINT_MAX]);
/** The name in @cert; -ERR_PROTOCOL when it has none, several, or another kind. */
int cert_name(const X509 *cert, struct node_name *ret, struct error *err);
/**
 * Whether a program that calls itself @says may be the node @id: by that name, or with '.' and up to 16
 * hex digits behind it, by which a program tells its starts apart.
 */
bool node_id_is(const char *id, const char *says);
/** "hearth://role/id" into @b. */
int node_name_write(struct buf *b, const struct node_name *name);
/** From when and until when @cert is valid, Unix seconds. */
void cert_times(const X509 *cert, int64_t *ret_from, int64_t *ret_until);

/** For CLEANUP. */
void key_freep(EVP_PKEY **key);
void certs_freep(STACK_OF(X509) **certs);

#endif
