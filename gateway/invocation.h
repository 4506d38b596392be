/* SPDX-License-Identifier: Apache-2.0 */
/*
 * invocation.h - inside invoke.c: one invocation, from its request to its answer. This part makes and
 * ends them; what happens in between is invoke.c's.
 *
 * Owns:    an invocation holds its permit, its place among those who wait, and its node until it is
 *          released; it is used again then. One whose client has left while it ran is abandoned: it
 *          keeps permit and stream until its node says that it is over.
 * Threads: loop thread only.
 * Errors:  each invocation_fail… answers the client, or the controller that asked, and releases the
 *          invocation.
 */
#ifndef HEARTH_GATEWAY_INVOCATION_H
#define HEARTH_GATEWAY_INVOCATION_H

#include "common/base/id.h"
#include "common/base/random.h"
#include "common/io/rpc.h"
#include "common/proto/invoke_wire.h"
#include "common/proto/result_stream.h"
#include "gateway/invoke.h"
#include "gateway/invoke_request.h"
#include "gateway/pending.h"

enum invoke_state {
    INVOKE_IDLE,
    INVOKE_ROUTING,
    INVOKE_PERMIT, /* waits for one */
    INVOKE_PARKED,
    INVOKE_RUNNING,
    INVOKE_QUEUEING,
};

struct invocation {
    struct pending pending; /* first: http_user() */
    struct invokes *invokes;
    struct list_node node; /* in invokes->active, ->parked, ->abandoned or ->spare */
    enum invoke_state state;
    struct http_req *req; /* NULL for one that the controller asks for, then @rpc is set, or abandoned */
    struct rpc_request *rpc;
    struct enqueue *enqueue; /* its event is on its way to the controller; else NULL */
    struct invoke_request ask;
    struct account *waits_at; /* counted as one that waits for its route or permit */
    bool is_paced; /* its place in the rate is taken */
    bool is_abandoned;
    struct permit permit; /* kept from one node to the next */
    struct permit_wait permit_wait;
    uint64_t epoch; /* of the permit when the node was asked */
    char version[FN_QUALIFIER_MAX + 1]; /* chosen for it; kept while routes have it. "": not yet */
    struct route_wait wait;
    struct timer timer;
    uint64_t deadline_us; /* until when it may wait to run */
    char request_id[UUID_MAX];
    /* the node that it is at */
    struct node *at;
    struct place_run run; /* there */
    enum place_how how; /* it was chosen */
    struct link_stream *stream;
    uint64_t tried[PLACE_TRIED_MAX]; /* nodes that cannot take it now, by serial */
    size_t tried_len;
    uint32_t memory_mib; /* of its sandbox */
    uint64_t queued_until_us; /* the node was to keep it for so long */
    uint64_t generation; /* that the node was asked for */
    uint64_t stale_pause_us; /* before the next try, when it is refused as STALE */
    struct error refused; /* why it waits, or what the last node said */
    /* the result so far */
    bool has_head;
    enum invoke_outcome outcome;
    char executed_version[FN_QUALIFIER_MAX + 1];
    struct buf arn; /* as invoked */
    struct buf log; /* base64 */
    struct buf result;
    /* a streamed one: invoke_stream.h */
    bool streaming; /* the client's answer has begun */
    struct result_stream result_stream;
    size_t unconsumed; /* bytes of the link that wait for the client */
};

struct invokes {
    struct invoke_parts parts;
    struct list_node active; /* routing, waiting for a permit, running */
    struct list_node parked;
    struct list_node abandoned;
    struct list_node spare;
    struct list_node enqueues; /* async.h */
    size_t spare_len;
    size_t in_flight; /* without the abandoned ones */
    struct random random; /* for the choice between versions */
    struct buf head; /* scratch: the question's head */
    struct buf events; /* scratch: of a streamed answer */
};

/** One that is empty; callbacks and timer are the caller's to set. */
struct invocation *invocation_take(struct invokes *invokes);
/** Nothing is owed any more: gives all back. */
void invocation_release(struct invocation *inv);
/** Frees one that was released. */
void invocation_free(struct invocation *inv);
/** Lets go of its node, when it is at one. */
void invocation_leave_node(struct invocation *inv, enum place_end how);
/** Cuts @version to what @ret may hold: a qualifier's length. */
void invocation_set_version(char *ret, struct str version);
/** Its node does not say any more whether it runs: so its permit is lost (lost_runs.h). */
void invocation_lose(struct invocation *inv);
/** It runs on, but nobody wants to know. */
void invocation_abandon(struct invocation *inv);
/** It has route and permit: it waits for none any more. */
void invocation_stop_waiting(struct invocation *inv);

void invocation_fail(struct invocation *inv, const struct error *err);
void invocation_fail_with(struct invocation *inv, enum error_code code, const char *fmt, ...)
    PRINTF_FORMAT(3, 4);
/** Answers, and has it run on. */
void invocation_fail_and_abandon(struct invocation *inv, const struct error *err);
void invocation_fail_not_found(struct invocation *inv);
void invocation_fail_throttled(struct invocation *inv, const char *reason);
/** Answers with the result, or with that of a dry run. */
void invocation_succeed(struct invocation *inv);

#endif
