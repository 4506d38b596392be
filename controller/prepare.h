/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prepare.h - makes one invoker ready for a version: its image, and for zip functions its code.
 *
 * Owns:    a request under way.
 * Borrows: peers; they outlive it.
 * Threads: loop thread only; the callback never runs inside the call.
 * Errors:  ERR_BAD_REQUEST "<StateReasonCode>: <text>" when the version is to blame: no invoker
 *          will do better. Any other code: this invoker, now.
 */
#ifndef HEARTH_CONTROLLER_PREPARE_H
#define HEARTH_CONTROLLER_PREPARE_H

#include "common/model/fn.h"
#include "controller/peers.h"

/* What the invoker found; for zip functions about the runtime's image. */
struct prepared {
    const char *reference; /* to run, by digest where there is one */
    const char *digest; /* "sha256:…" */
    const char *fallback; /* the runtime's other image, when that is what was found; else NULL */
};

/** Exactly once. @err NULL: @found is borrowed for the call. @peer_number: who was asked. */
typedef void prepare_done_fn(uint64_t peer_number, const struct prepared *found,
                             const struct error *err, void *arg);

/** Asks @peer within @timeout_us; @ver is copied as needed. */
void prepare_on(struct peers *peers, struct peer *peer, const struct fn_version *ver,
                const struct runtimes *rts, uint64_t timeout_us, prepare_done_fn *done, void *arg);

/** Splits "<StateReasonCode>: <text>"; a message without a code gets "InternalError". */
void prepare_reason(const struct error *err, char *ret_code, size_t size, const char **ret_text);

#endif
