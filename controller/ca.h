/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ca.h - the controller's part in who is let in over TCP: the cluster's CA, the controller's own
 * certificate, and those of gateways and invokers (node.join, node.certificate).
 *
 * Owns:    the CA's key in memory, the struct link_tls of the controller's listener.
 * Threads: loop thread only.
 * Errors:  ca_new(): -ERR_CONFIG, -ERR_SYSTEM. Refused nodes are answered, and logged.
 */
#ifndef HEARTH_CONTROLLER_CA_H
#define HEARTH_CONTROLLER_CA_H

#include "common/io/link_tls.h"
#include "common/io/rpc.h"

struct ca;

struct ca_options {
    struct loop *loop;
    const char *data_dir; /* has ca/, which is made when no files are given */
    const char *cert_file, *key_file; /* of the CA; both "": in the data folder */
    const char *id; /* of this controller, in its greeting */
    uint64_t lifetime_us; /* of the certificates that are issued */
};

/** Blocking: start-up only. */
int ca_new(const struct ca_options *options, struct ca **ret, struct error *err);
/** After the listener. NULL is fine. */
void ca_free(struct ca *ca);
struct link_tls *ca_tls(const struct ca *ca);
/** Serves `node.join`, of a peer that has no certificate. */
void ca_join(struct ca *ca, struct rpc_request *rpc, const cJSON *args);
/** Serves `node.certificate`, of a peer whose link says who it is. @ca NULL: there is none. */
void ca_renew(struct ca *ca, struct rpc_request *rpc, const cJSON *args);

#endif
