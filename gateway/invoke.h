/* SPDX-License-Identifier: Apache-2.0 */
/*
 * invoke.h - invocations: from the HTTP request to a node and back. The hot path.
 *
 *            +-------------------------------------------------+ STALE, FENCED, node full: again
 *            v                                                 |
 *   read -> route -> target -> permit -> node -> running -> answered --> done
 *            |  ^                |  ^     |  ^       |
 *            v  |                v  |     v  |       +-> abandoned (its client has left) -> answered
 *            parked            waiting    parked
 *
 *   parked: a controller or a node comes up, or the wait is over. A run that its node does not tell the
 *   end of leaves its permit to lost_runs.h.
 *
 * Owns:    its invocations, which are used again; the request stays the HTTP engine's until
 *          answered.
 * Borrows: the parts it is given; they outlive it.
 * Threads: loop thread only.
 * Errors:  all go to the client, as AWS's.
 * Source:  Lambda API reference, Invoke, InvokeWithResponseStream, InvokeAsync;
 *          docs/internals/gateway.md.
 */
#ifndef HEARTH_GATEWAY_INVOKE_H
#define HEARTH_GATEWAY_INVOKE_H

#include "common/io/http_server.h"
#include "common/io/leader_link.h"
#include "common/io/rpc.h"
#include "common/model/fn_name.h"
#include "common/model/lambda_ops.h"
#include "gateway/admission.h"
#include "gateway/lost_runs.h"
#include "gateway/nodes.h"
#include "gateway/route_cache.h"

struct invokes;

struct invoke_parts {
    struct loop *loop;
    struct route_cache *routes;
    struct nodes *nodes;
    struct admission *admission;
    struct leases *leases;
    struct lost_runs *lost;
    struct leader_link *controller; /* keeps asynchronous invocations */
    struct fn_home home;
    uint64_t wait_us; /* how long an invocation may wait before it runs */
};

struct invokes *invokes_new(const struct invoke_parts *parts);
/** Gives up all that is under way, without answers. */
void invokes_free(struct invokes *invokes);
/** Serves @req; @match is borrowed for the call. */
void invokes_serve(struct invokes *invokes, struct http_req *req, const struct lambda_match *match,
                   const char *request_id);
/** Runs the event that the controller's `async.run` is about, and answers @rpc. */
void invokes_run_event(struct invokes *invokes, struct rpc_request *rpc, const cJSON *args,
                       struct str body);
/** The controller or a node has come up: who waits may try again. */
void invokes_kick(struct invokes *invokes);
/** Answers all that is under way with 503: the gateway stops. */
void invokes_give_up(struct invokes *invokes);
/** Invocations under way. */
size_t invokes_in_flight(const struct invokes *invokes);

#endif
