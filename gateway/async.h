/* SPDX-License-Identifier: Apache-2.0 */
/*
 * async.h - inside invoke.c: asynchronous invocations. The gateway gives an event to the controller,
 * which keeps it, and later runs it when the controller says so; in between it knows nothing of it.
 *
 * Owns:    the questions `async.enqueue` under way, in invokes->enqueues; each outlives an invocation
 *          whose client leaves.
 * Threads: loop thread only.
 * Errors:  async_enqueue() answers the client: 202 only when the controller has the event for good,
 *          503 when that is not known. async_read(): -ERR_BAD_REQUEST.
 * Source:  docs/internals/links.md, methods `async.enqueue` and `async.run`; async.md.
 */
#ifndef HEARTH_GATEWAY_ASYNC_H
#define HEARTH_GATEWAY_ASYNC_H

#include "common/io/rpc.h"
#include "gateway/invocation.h"

struct enqueue;

/** Gives @inv's event to the controller; its client is answered, and @inv released, by that. */
void async_enqueue(struct invocation *inv);
/** @inv is released: what the controller says is of no interest any more. */
void async_leave(struct invocation *inv);
/** Ends all questions without their answers: the link to the controller is freed next. */
void async_end(struct invokes *invokes);

/** What `async.run` asks for, into @inv (just taken); @body is borrowed until the answer. */
int async_read(struct invocation *inv, const cJSON *args, struct str body, struct error *err);
/** Tells the controller how its event ended; @inv->rpc is done with. */
void async_succeed(struct invocation *inv);
void async_fail(struct invocation *inv, const struct error *err);

#endif
