/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve.h - what an image reference is now: the invokers are asked, as they are the ones that
 * reach registries and engines.
 *
 * Owns:    a question under way.
 * Borrows: peers; they outlive it.
 * Threads: loop thread only; the callback never runs inside the call, but inside peers_free().
 * Errors:  in AWS's words, for the client: ERR_BAD_REQUEST, ERR_ACCESS_DENIED. All invokers refuse
 *          it then. ERR_UNAVAILABLE: nobody can tell now; ERR_CLOSED: the controller ends.
 */
#ifndef HEARTH_CONTROLLER_RESOLVE_H
#define HEARTH_CONTROLLER_RESOLVE_H

#include "controller/peers.h"

/** Exactly once. @err NULL: @reference (to run, by digest) and @digest are borrowed for the call. */
typedef void resolve_done_fn(struct str reference, struct str digest, const struct error *err,
                             void *arg);

/** Asks every registered invoker within @timeout_us; the first that knows it ends the wait. */
void resolve_image(struct peers *peers, const char *image, uint64_t timeout_us,
                   resolve_done_fn *done, void *arg);

#endif
