/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link_test_pki.h - for tests of what is proved over TCP: a CA without files, and what it gives to
 * nodes.
 *
 * Owns: what pki_new() made until pki_done().
 */
#ifndef HEARTH_IO_LINK_TEST_PKI_H
#define HEARTH_IO_LINK_TEST_PKI_H

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/io/link_tls.h"
#include "common/proto/cert_authority.h"

#pragma GCC diagnostic ignored "-Wunused-function" /* each test uses some of it */

/* Checked by hand: it serves benchmarks too, which have no cmocka. */
static void pki_must(bool good)
{
    if (!good)
        abort();
}

/* A CA of its own. */
static void pki_new(struct cert_authority *ca)
{
    char dir[] = "/tmp/link-pki-XXXXXX", cert[64], key[64];

    pki_must(mkdtemp(dir) != NULL);
    snprintf(cert, sizeof(cert), "%s/ca.pem", dir);
    snprintf(key, sizeof(key), "%s/ca.key", dir);
    pki_must(cert_authority_load_or_make(cert, key, ca, NULL) == 0);
    pki_must(dir_remove(dir, NULL) == 0);
}

/* Gives @tls a certificate of @ca, issued @ago_s seconds ago and good for @lifetime_s. */
static void pki_certify_at(const struct cert_authority *ca, struct link_tls *tls, const char *role,
                           const char *id, int64_t ago_s, uint64_t lifetime_s)
{
    int64_t now_s = (int64_t)(wall_ms() / 1000) - ago_s;
    CLEANUP(key_freep) EVP_PKEY *key = node_key_make();
    struct node_name name = {{0}, {0}};
    X509 *cert;

    snprintf(name.role, sizeof(name.role), "%s", role);
    snprintf(name.id, sizeof(name.id), "%s", id);
    pki_must(cert_authority_issue(ca, key, &name, now_s, lifetime_s, &cert, NULL) == 0);
    pki_must(link_tls_set(tls, key, cert, ca->certs, NULL) == 0);
    X509_free(cert);
}

static struct link_tls *pki_node(const struct cert_authority *ca, const char *role, const char *id)
{
    struct link_tls *tls = link_tls_new();

    pki_certify_at(ca, tls, role, id, 0, 3600);
    return tls;
}

#endif
