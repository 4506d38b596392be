/* SPDX-License-Identifier: Apache-2.0 */
/*
 * permit_link.h - the leases' way to the leading controller: joins and questions go there
 * (`permits.join`, `permits.ask`), recalls come from there (`permits.recall`). All that a turn of the loop has to ask
 * is one question.
 *
 * Owns:    the leases, and what is under way.
 * Borrows: the link to the controller; it is freed before this.
 * Threads: loop thread only.
 * Errors:  what the controller or the link say goes to the leases; answers that are malformed, too.
 * Wire:    docs/internals/links.md, permits.*.
 */
#ifndef HEARTH_GATEWAY_PERMIT_LINK_H
#define HEARTH_GATEWAY_PERMIT_LINK_H

#include "common/io/leader_link.h"
#include "common/io/rpc.h"
#include "gateway/leases.h"

struct permit_link;

/** @id: this gateway's in HELLO: the leader finds its link by it. */
struct permit_link *permit_link_new(struct loop *loop, struct leader_link *controller, const char *id);
/** NULL is fine. */
void permit_link_free(struct permit_link *pl);
/** Good as long as @pl is. */
struct leases *permit_link_leases(struct permit_link *pl);
/** A controller leads now, perhaps another one; or none does. */
void permit_link_set_up(struct permit_link *pl, bool is_up);
/** Answers `permits.recall`. */
void permit_link_recall(struct permit_link *pl, struct rpc_request *req, const cJSON *args);

#endif
