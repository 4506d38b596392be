/* SPDX-License-Identifier: Apache-2.0 */
/*
 * controller.h - the parts of the controller, put together: the one place that knows all. It stands by
 * until it leads (lead.h).
 *
 * Owns:    all parts below.
 * Borrows: the loop and the configuration; they outlive it.
 * Threads: loop thread only.
 * Errors:  -ERR_CONFIG (another try would not help), -ERR_SYSTEM at start; afterwards it keeps running.
 */
#ifndef HEARTH_CONTROLLER_CONTROLLER_H
#define HEARTH_CONTROLLER_CONTROLLER_H

#include "common/io/redis_votes.h"
#include "controller/async/async.h"
#include "controller/ca.h"
#include "controller/code/code_gc.h"
#include "controller/code/code_s3.h"
#include "controller/code/code_store.h"
#include "controller/controller_config.h"
#include "controller/fn_change.h"
#include "controller/leadership.h"
#include "controller/nodes.h"
#include "controller/peers.h"
#include "controller/permits/permits.h"
#include "controller/provisioner.h"
#include "controller/scaling/scaler.h"
#include "controller/store/registry.h"

struct controller {
    struct loop *loop;
    const struct controller_config *config;
    struct runtimes *runtimes;
    struct networks *networks; /* NULL: no file of them */
    struct seal_key key;
    struct redis *redis;
    struct redis_votes *votes; /* NULL: there are no sentinels */
    struct registry *registry;
    struct code_store *store;
    struct code_gc *gc;
    struct code_s3 *s3; /* NULL: no object store is configured */
    struct peers *peers;
    struct nodes *nodes;
    struct fn_changes *changes;
    struct provisioner *provisioner;
    struct permits *permits;
    struct scaler *scaler;
    struct aws_client *aws; /* NULL: no AWS-compatible services are configured */
    struct aws_client *s3_put; /* the object store as a destination; NULL: as s3 */
    struct async *async;
    struct ca *ca; /* NULL: no links to other machines */
    struct link_server *server;
    struct leadership *leadership;
    char seat[20], id[40]; /* lead.c */
    uint64_t term; /* that it leads with; 0: it stands by */
    enum error_code over; /* why it must end; ERR_OK: it need not */
    bool stopping;
    bool closing; /* its parts are gone, or will be in this call */
    unsigned refs; /* of the memory: the owner's, and each piece of work on a worker */
};

/** Starts everything and listens; Redis may come later. Blocking: start-up only. */
int controller_new(struct loop *loop, const struct controller_config *config,
                   struct controller **ret, struct error *err);
/** Lets another one lead; loop_stop() when that is done. */
void controller_stop(struct controller *c);
/** Why it has stopped the loop by itself: another one leads (ERR_STALE), or ERR_CONFIG; ERR_OK: it has not. */
enum error_code controller_is_over(const struct controller *c);
/** Ends in the reverse order. */
void controller_free(struct controller *c);
/** Gives back a reference; the last one frees the memory. */
void controller_unref(struct controller *c);

#endif
