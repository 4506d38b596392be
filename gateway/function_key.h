/* SPDX-License-Identifier: Apache-2.0 */
/*
 * function_key.h - learns from the controller the key that seals sessions of functions' roles, each
 * time the link comes up, so that a gateway that was just started accepts the tokens that functions
 * have already. A controller of the version before does not offer it, and gives functions none.
 *
 * Owns:    the question under way.
 * Borrows: loop, link, auth; they outlive it.
 * Threads: loop thread only.
 * Errors:  are logged, and it is asked again after 1 s. The key is never logged.
 * Source:  docs/internals/auth.md, "Sessions of functions".
 */
#ifndef HEARTH_GATEWAY_FUNCTION_KEY_H
#define HEARTH_GATEWAY_FUNCTION_KEY_H

#include "common/io/leader_link.h"
#include "common/io/rpc.h"
#include "gateway/auth.h"

struct function_key;

struct function_key *function_key_new(struct loop *loop, struct leader_link *controller, struct auth *auth);
/** After link_free(): the answer may not come any more. NULL is fine. */
void function_key_free(struct function_key *fk);
/** The link is up: asks. */
void function_key_ask(struct function_key *fk);

#endif
