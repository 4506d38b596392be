/* SPDX-License-Identifier: Apache-2.0 */
/*
 * invocation.h - one request from a gateway, from the opening of its stream to its single answer:
 *
 *   RECEIVING (payload) → LOOKING (version) → WAITING (sandbox) → RUNNING → answered
 *
 * A gateway that goes away is not waited for: from LOOKING on, the invocation runs to its end, as
 * on Lambda, and its answer is dropped.
 *
 * A streamed answer (result_stream.h) goes out as it comes, when the gateway has asked for that.
 *
 * Owns:    the struct, its copy of head and payload, a reference of its version.
 * It is counted in the fence from the arrival of its head until it is answered, whoever waits for that.
 *
 * Borrows: loop, spec cache and fence; the stream is the link's.
 * Threads: loop thread only.
 * Errors:  what cannot run is answered INVOKE_REFUSED; malformed heads reset the stream.
 * Source:  docs/internals/links.md; common/proto/invoke_wire.h.
 */
#ifndef HEARTH_INVOKER_INVOCATION_H
#define HEARTH_INVOKER_INVOCATION_H

#include "common/io/link.h"
#include "invoker/fence.h"
#include "invoker/sandbox.h"
#include "invoker/spec_cache.h"

struct invocation;
struct invocations; /* all of a node */

struct invocations *invocations_new(struct loop *loop, struct spec_cache *specs, struct fence *fence);
/** None may run or wait in the pool any more. NULL is fine. */
void invocations_free(struct invocations *all);
/** How many are not answered yet. */
size_t invocations_count(const struct invocations *all);
/**
 * Whether one that came by @link is not in the pool yet (its version is being made ready); the id of the
 * first such stream goes to *@ret.
 */
bool invocations_oldest_unplaced(const struct invocations *all, const struct link *link, uint32_t *ret);
/** The head of the one after that of @head, NULL: the first; NULL at the end. Of all that are not answered yet. */
const struct invoke_head *invocations_next(const struct invocations *all,
                                           const struct invoke_head *head);
/** A gateway opened a LINK_INVOKE stream. */
void invocations_accept(struct invocations *all, struct link_stream *s, struct str head);
/** Refuses new ones from now on; calls @done, from the loop, when the last one has ended. */
void invocations_drain(struct invocations *all, loop_fn *done, void *arg);
/** Their sandboxes are not there any more, though some may run: those are never answered. */
void invocations_leave(struct invocations *all);
/** Refuses those that have no sandbox yet; @message, good for ever, says why. */
void invocations_refuse_waiting(struct invocations *all, const char *message);

/* ---- what pool and sandbox say about one */

/** It got a sandbox. */
void invocation_run(struct pool_wait *w, struct sandbox *sb);
/** Its version was retired while it waited: looks for the version anew, once more. */
void invocation_look_again(struct pool_wait *w);
/**
 * A start that it waited for failed: it pays, or tries again where Lambda does (once, after an init
 * phase that took too long or an image that was lost).
 */
void invocation_start_failed(struct pool_wait *w, struct sandbox *sb,
                             const struct sandbox_failure *failure);
/**
 * @sb streams its answer to @ev: the next bytes, none at the begin. What the gateway does not take
 * holds the sandbox.
 */
void invocation_stream(struct sandbox *sb, const struct sandbox_event *ev, struct str bytes);
/** @ev was not given to its sandbox after all: another one is found for it. */
void invocation_not_run(const struct sandbox_event *ev);
/** Its sandbox has answered @ev. */
void invocation_answer(const struct sandbox_event *ev, const struct sandbox_result *result);

#endif
