/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link_tls.h - what a program proves itself with on links over TCP, and whom it believes: its key and
 * certificate, and the certificates of the cluster's CA. TLS 1.3, both sides show a certificate.
 *
 * A link to tcp:// waits until there is a certificate, and a listener closes what comes before. A new
 * certificate serves links that are made from then on; those that are up stay as they are.
 *
 * Owns:    its keys and certificates. Outlives the links and listeners that it was given to.
 * Threads: loop thread only.
 * Errors:  -ERR_CONFIG: what was given does not fit together.
 * Source:  RFC 8446.
 */
#ifndef HEARTH_IO_LINK_TLS_H
#define HEARTH_IO_LINK_TLS_H

#include <openssl/types.h>
#include <openssl/x509.h>
#include <stdbool.h>

#include "common/base/error.h"
#include "common/proto/node_cert.h"

struct link_tls;

/** Has no certificate yet. */
struct link_tls *link_tls_new(void);
/**
 * For a node that has none and is to get one: it shows no certificate, and believes a controller whose
 * CA's public key has the SHA-256 @ca_print (hex). It only connects.
 */
struct link_tls *link_tls_new_joiner(const char *ca_print);
void link_tls_free(struct link_tls *tls);
/** From now on it is @cert with @key; @authorities sign the peers' certificates. All are copied. */
int link_tls_set(struct link_tls *tls, EVP_PKEY *key, X509 *cert, STACK_OF(X509) *authorities,
                 struct error *err);
/** Whether it can be used. */
bool link_tls_is_ready(const struct link_tls *tls);

#endif
