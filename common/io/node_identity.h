/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node_identity.h - the certificate of a gateway or an invoker: read from its folder, got with a join
 * token, renewed over the link to the controller before it expires.
 *
 *   <dir>/node.pem    key, certificate, the CA's certificates; mode 0600
 *
 * A node whose controllers are behind Unix sockets needs no token: it asks over that link, for the
 * nodes that are behind TCP. Until there is a certificate, links over TCP wait.
 *
 * Owns:    its struct link_tls, which the program's links use: freed after all of them.
 * Borrows: the link given to node_identity_link().
 * Threads: loop thread only; the file is written on a worker.
 * Errors:  node_identity_new() says what is missing at the start; what fails later is logged, and
 *          tried again.
 * Wire:    docs/internals/links.md, node.join and node.certificate.
 */
#ifndef HEARTH_IO_NODE_IDENTITY_H
#define HEARTH_IO_NODE_IDENTITY_H

#include "common/io/link.h"
#include "common/io/link_tls.h"

struct node_identity;

struct node_identity_options {
    struct loop *loop;
    const char *role; /* "gateway" or "invoker" */
    const char *id;
    const char *dir; /* made when a certificate is kept there */
    const char *controllers; /* addresses, with commas */
    const char *token; /* "": none; a secret */
    const char *token_file; /* "": none; read again at each try */
};

/** Copies what @options has. Blocking: start-up only. -ERR_CONFIG, -ERR_SYSTEM. */
int node_identity_new(const struct node_identity_options *options, struct node_identity **ret,
                      struct error *err);
/** After the links that use it. NULL is fine. */
void node_identity_free(struct node_identity *identity);
/** For struct link_hello. */
struct link_tls *node_identity_tls(const struct node_identity *identity);
/** The link to the controller is up; NULL: down. A question under way is forgotten. */
void node_identity_link(struct node_identity *identity, struct link *link);

#endif
