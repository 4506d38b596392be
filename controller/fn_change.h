/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fn_change.h - leads a change of a function from "in progress" to its end: prepared on an invoker,
 * current in the registry, known to every peer, told to the client.
 *
 * The order is docs/internals/links.md's: whoever sees Active or Successful never reaches old code.
 * What is written in the registry is all there is: a controller that starts, or finds Redis again,
 * takes up every change that it does not lead yet (fn_changes_resume()).
 *
 * Owns:    the changes under way.
 * Borrows: registry, peers, code_gc, runtimes; they outlive it.
 * Threads: loop thread only.
 * Errors:  end in the function's state and reasons; Redis away: waited for.
 */
#ifndef HEARTH_CONTROLLER_FN_CHANGE_H
#define HEARTH_CONTROLLER_FN_CHANGE_H

#include "controller/code/code_gc.h"
#include "controller/peers.h"
#include "controller/store/registry.h"

struct fn_changes;

struct fn_changes_options {
    struct loop *loop;
    struct registry *registry;
    struct peers *peers;
    struct code_gc *gc;
    const struct runtimes *runtimes;
    uint64_t prepare_timeout_us; /* for an invoker to be there and ready */
    uint64_t peer_timeout_us; /* for a peer to give up the old version */
    uint64_t retry_us; /* of a step that Redis, or an invoker for its own reasons, did not take */
    /* A change has ended, one way or the other. */
    void (*on_over)(struct str account, struct str name, void *arg);
    void *arg;
};

struct fn_changes *fn_changes_new(const struct fn_changes_options *options);
void fn_changes_free(struct fn_changes *changes);

/**
 * Leads the change that the registry has just taken.
 *
 * @rec  given away; rec->ver->generation is the registry's
 */
void fn_changes_lead(struct fn_changes *changes, struct fn_record *rec);
/** Takes up all changes in the registry that are not led here. */
void fn_changes_resume(struct fn_changes *changes);
/** The function was deleted: its change is over. */
void fn_changes_stop(struct fn_changes *changes, struct str account, struct str name);
/** An invoker has come: changes that wait for one ask it. */
void fn_changes_invoker_here(struct fn_changes *changes, struct peer *peer);

#endif
