/* SPDX-License-Identifier: Apache-2.0 */
/*
 * invoke_result.h - inside invoke.c: what the node answers, from the head of its answer to the end; what is refused goes
 * back to invoke.c.
 *
 * Owns:    nothing; the invocation holds what has come.
 * Threads: loop thread only.
 * Errors:  go to the client. A stream that breaks off, or makes no sense, leaves its permit to lost_runs.h.
 */
#ifndef HEARTH_GATEWAY_INVOKE_RESULT_H
#define HEARTH_GATEWAY_INVOKE_RESULT_H

#include "gateway/invocation.h"

/* Of an invocation's stream; the argument is the invocation. */
extern const struct link_stream_ops invoke_result_ops;

/** Not run: another node, or the route or the permit anew, or the reason to the client. */
void invoke_refused(struct invocation *inv);

#endif
