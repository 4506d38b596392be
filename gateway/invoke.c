/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/invoke.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "gateway/async.h"
#include "gateway/invocation.h"
#include "gateway/invoke_reply.h"
#include "gateway/invoke_result.h"
#include "gateway/invoke_stream.h"

#define HEAD_MAX 16384u
#define HEADER_NAME_MAX 64 /* of those that the API's model names */
#define RETRY_US                                                                                   \
    MSEC(500) /* when nobody tells us that trying again makes sense: a node shuts down, say */
#define STALE_PAUSE_MIN_US MSEC(1) /* doubled at each refusal */
#define STALE_PAUSE_MAX_US MSEC(50)
#define QUEUE_US MSEC(500) /* at a node without room, while there are others that may get some */
#define START_US SECONDS(2) /* the same at one with room, whose starts have to wait for others */
#define NO_ROOM_PAUSE_US MSEC(50) /* no node has room, and none queues it */
#define RUN_SLACK_US SECONDS(60) /* beyond the function's own time limit, which the invoker keeps */

static void advance(struct invocation *inv);

/* ---- waiting ---- */

static void move_to(struct invocation *inv, enum invoke_state state)
{
    struct invokes *invokes = inv->invokes;

    inv->state = state;
    list_remove(&inv->node);
    list_append(state == INVOKE_PARKED ? &invokes->parked : &invokes->active, &inv->node);
}

/* Arms the timer for the rest of the time that it may wait to run. */
static void arm_deadline(struct invocation *inv)
{
    uint64_t now = loop_now_us(inv->invokes->parts.loop);

    if (timer_is_armed(&inv->timer))
        return;
    timer_start(&inv->timer, inv->deadline_us > now ? inv->deadline_us - now : 0);
}

/* No node: waits for one to come up. @inv->refused says so if none does. */
static void park(struct invocation *inv)
{
    move_to(inv, INVOKE_PARKED);
    arm_deadline(inv);
}

/* All nodes may be asked again after @pause_us. */
static void park_for(struct invocation *inv, uint64_t pause_us)
{
    uint64_t now = loop_now_us(inv->invokes->parts.loop);

    inv->tried_len = 0;
    move_to(inv, INVOKE_PARKED);
    timer_stop(&inv->timer);
    timer_start(&inv->timer, now + pause_us < inv->deadline_us ? pause_us
                             : inv->deadline_us > now          ? inv->deadline_us - now
                                                               : 0);
}

/* All nodes have refused, or the controller cannot tell the route: asks them all again soon. */
static void park_shortly(struct invocation *inv)
{
    park_for(inv, RETRY_US);
}

/* The whole wait was in vain, or it fits nowhere. */
static void fail_for_room(struct invocation *inv)
{
    struct error why = inv->refused;

    invocation_fail_with(inv, ERR_THROTTLED, "Rate Exceeded. (%s)", why.msg);
}

static void on_timer(void *arg)
{
    struct invocation *inv = arg;

    if (inv->state == INVOKE_RUNNING && inv->streaming && invoke_stream_waits(inv)) {
        timer_start(&inv->timer, RUN_SLACK_US); /* a slow client: the HTTP engine knows how slow */
        return;
    }
    if (inv->state == INVOKE_RUNNING) {
        log_error("invoke", "no answer from the node", KV_STR("request_id", inv->request_id),
                  KV_STR("node", node_id(inv->at)));
        link_stream_reset(inv->stream, ERR_TIMEOUT);
        invocation_lose(inv);
        invocation_fail_with(inv, ERR_INTERNAL, "The node did not answer in time; the function may have run.");
        return;
    }
    if (inv->state == INVOKE_PARKED && loop_now_us(inv->invokes->parts.loop) < inv->deadline_us) {
        advance(inv);
        return;
    }
    if (inv->state == INVOKE_PERMIT)
        error_set(&inv->refused, ERR_UNAVAILABLE,
                  "There was no permit to run for as long as the invocation might wait: %s. It was "
                  "not run; try again.",
                  leases_why(inv->invokes->parts.leases));
    if (inv->refused.code == ERR_OK)
        error_set(&inv->refused, ERR_UNAVAILABLE,
                  "The controller did not say in time where the function runs; is "
                  "hearth-controller busy?");
    if (inv->refused.code == ERR_THROTTLED)
        fail_for_room(inv);
    else
        invocation_fail(inv, &inv->refused);
}

static void on_client_gone(struct pending *p)
{
    struct invocation *inv = CONTAINER_OF(p, struct invocation, pending);

    if (inv->stream)
        invocation_abandon(inv); /* it runs to its end, as AWS has it, and its permit with it */
    else
        invocation_release(inv);
}

/* ---- refused ---- */

static struct route_key route_key_of(const struct invocation *inv)
{
    const struct fn_name *fn = &inv->ask.fn;

    return (struct route_key){fn->account, fn->name,
                              fn->qualifier.ptr ? fn->qualifier : STR("")};
}

/*
 * The code has changed: the route anew, at once, then with growing pauses as long as changes follow
 * each other. Only the route that was refused is dropped: with a newer one, or a question for one
 * under way, another invocation was faster, and dropping those too would keep many from ever
 * getting one.
 */
static void on_stale(struct invocation *inv)
{
    const struct fn_name *fn = &inv->ask.fn;
    struct route_cache *routes = inv->invokes->parts.routes;
    struct route_key key = route_key_of(inv);
    struct route *route = route_cache_find(routes, &key);
    const struct route_target *target = route ? route_find_target(route, inv->version) : NULL;
    uint64_t pause = inv->stale_pause_us;

    if (target && target->generation <= inv->generation)
        route_cache_drop(routes, fn->account, fn->name);
    error_set(&inv->refused, ERR_UNAVAILABLE,
              "The function was being changed for as long as the invocation might wait; it was not "
              "run. Try again.");
    inv->stale_pause_us = pause == 0                      ? STALE_PAUSE_MIN_US
                          : pause < STALE_PAUSE_MAX_US / 2 ? pause * 2
                                                           : STALE_PAUSE_MAX_US;
    park_for(inv, pause);
}

/* The epoch of its permit is over: nothing of it counts any more, a new one is waited for. */
static void on_fenced(struct invocation *inv)
{
    uint64_t now = loop_now_us(inv->invokes->parts.loop);

    leases_fenced(inv->invokes->parts.leases, inv->epoch, now);
    inv->tried_len = 0;
    error_set(&inv->refused, ERR_UNAVAILABLE,
              "Hearth was recovering for as long as the invocation might wait; it was not run. Try "
              "again.");
    if (now < inv->deadline_us)
        advance(inv);
    else
        invocation_fail(inv, &inv->refused);
}

/* The node that was asked has no room: another one, as long as it may wait. */
static void on_no_room(struct invocation *inv)
{
    uint64_t now = loop_now_us(inv->invokes->parts.loop);

    if (inv->how == PLACE_TOO_LARGE || now >= inv->deadline_us)
        fail_for_room(inv);
    else if (inv->how == PLACE_QUEUE)
        park_for(inv, now < inv->queued_until_us ? NO_ROOM_PAUSE_US : 0);
    else
        advance(inv);
}

/*
 * Its node cannot run it, and others are not asked. That something was not found there, an image say, does not
 * mean that there is no such function: only a route tells that, and the controller drops its event then.
 */
static void fail_by_node(struct invocation *inv)
{
    if (inv->rpc && inv->refused.code == ERR_NOT_FOUND)
        inv->refused.code = ERR_UNAVAILABLE;
    invocation_fail(inv, &inv->refused);
}

/* What its node said is remembered: of the node when it is full, else for this invocation. */
static void note_refusal(struct invocation *inv)
{
    const struct place_ask ask = {.memory_mib = inv->memory_mib,
                                  .now_us = loop_now_us(inv->invokes->parts.loop)};

    if (inv->refused.code == ERR_THROTTLED)
        node_full(inv->at, &ask);
    else if (inv->refused.code == ERR_UNAVAILABLE)
        inv->tried[inv->tried_len++] = node_serial(inv->at);
    invocation_leave_node(inv, PLACE_REFUSED);
}

void invoke_refused(struct invocation *inv)
{
    enum error_code code = inv->refused.code;

    note_refusal(inv);
    permit_refused(&inv->permit);
    inv->has_head = false;
    buf_clear(&inv->result);
    timer_stop(&inv->timer); /* it guarded the run */
    if (code == ERR_FENCED && inv->is_abandoned)
        leases_fenced(inv->invokes->parts.leases, inv->epoch,
                      loop_now_us(inv->invokes->parts.loop));
    if (inv->is_abandoned)
        invocation_release(inv);
    else if (code == ERR_FENCED)
        on_fenced(inv);
    else if (code == ERR_STALE)
        on_stale(inv);
    else if (code == ERR_THROTTLED)
        on_no_room(inv);
    else if (code == ERR_UNAVAILABLE)
        advance(inv);
    else
        fail_by_node(inv);
}

/* ---- to a node ---- */

/* How long it may wait at the node: all the time it has where there is no other one. */
static uint64_t wait_there(const struct invocation *inv, bool has_others)
{
    uint64_t now = loop_now_us(inv->invokes->parts.loop);
    uint64_t left = inv->deadline_us > now ? inv->deadline_us - now : 0;
    uint64_t most = inv->how == PLACE_QUEUE ? QUEUE_US : START_US;

    return has_others && most < left ? most : left;
}

static int write_head(struct invocation *inv, const struct route *route,
                      const struct route_target *target)
{
    struct invokes *invokes = inv->invokes;
    bool has_others = nodes_usable(invokes->parts.nodes) > 1;
    uint64_t wait_us = wait_there(inv, has_others);
    struct invoke_head head = {
        .flags = (inv->ask.wants_log_tail ? INVOKE_LOG_TAIL : 0u) |
                 (inv->ask.kind == INVOKE_STREAM ? INVOKE_ACCEPT_STREAM : 0u) |
                 (has_others && inv->how != PLACE_QUEUE ? INVOKE_ROOM_ONLY : 0u),
        .generation = target->generation,
        .epoch = inv->epoch,
        .wait_ms = (uint32_t)(wait_us / 1000),
        .request_id = str_from(inv->request_id, UUID_LEN),
        .account = inv->ask.fn.account,
        .name = inv->ask.fn.name,
        .version = str_of(target->version),
        .trace_id = buf_str(&inv->ask.trace_id),
        .client_context = buf_str(&inv->ask.client_context),
        .payload_bytes = (uint32_t)inv->ask.payload.len,
        .gateway = str_of(leases_incarnation(invokes->parts.leases)),
        .pool = lease_pool_name(inv->permit.pool),
    };

    /* unqualified for an unqualified call, else with the qualifier that was given */
    buf_clear(&inv->arn);
    buf_append_str(&inv->arn, str_of(route->arn));
    if (inv->ask.fn.qualifier.len) {
        buf_append_char(&inv->arn, ':');
        buf_append_str(&inv->arn, inv->ask.fn.qualifier);
    }
    head.invoked_arn = buf_str(&inv->arn);
    inv->queued_until_us = loop_now_us(invokes->parts.loop) + wait_us;
    buf_clear(&invokes->head);
    return invoke_head_write(&invokes->head, &head);
}

/* No node left to ask: all again soon, or wait for one to come up. */
static void no_node(struct invocation *inv)
{
    struct nodes *nodes = inv->invokes->parts.nodes;

    if (inv->tried_len > 0) {
        park_shortly(inv);
        return;
    }
    error_set(&inv->refused, ERR_UNAVAILABLE,
              nodes_len(nodes) ? "No node is connected (%zu known); is hearth-invoker running?"
                               : "No node has registered (%zu known); start hearth-invoker.",
              nodes_len(nodes));
    park(inv);
}

/* Sends it to a node, or has it wait for one. */
static void send_to_node(struct invocation *inv, struct route *route, struct route_target *target)
{
    struct invokes *invokes = inv->invokes;
    const struct place_ask ask = {
        .key = {inv->ask.fn.account, inv->ask.fn.name, str_of(target->version), target->generation},
        .memory_mib = target->memory_mib,
        .now_us = loop_now_us(invokes->parts.loop),
        .tried = inv->tried,
        .tried_len = inv->tried_len};
    struct node *node = NULL;

    if (inv->tried_len < PLACE_TRIED_MAX)
        node = nodes_choose(invokes->parts.nodes, &ask, &inv->how);
    if (!node) {
        no_node(inv);
        return;
    }
    inv->epoch = leases_epoch(invokes->parts.leases);
    if (write_head(inv, route, target) < 0) {
        invocation_fail_with(inv, ERR_INTERNAL, "The request's headers are too long to be passed on.");
        return;
    }
    inv->stream = link_open(node_link(node), LINK_INVOKE, buf_str(&invokes->head), inv->ask.payload,
                            true, &invoke_result_ops, inv);
    if (!inv->stream) {
        no_node(inv); /* its link has broken in this very turn */
        return;
    }
    inv->permit.is_sent = true;
    inv->at = node;
    inv->generation = target->generation;
    inv->memory_mib = target->memory_mib;
    node_run_begin(node, &ask, inv->stream, &inv->run);
    move_to(inv, INVOKE_RUNNING);
    timer_stop(&inv->timer);
    timer_start(&inv->timer, invokes->parts.wait_us + SECONDS(target->timeout_s) + RUN_SLACK_US);
}

/* Its target in @route: the one it was given before, or else one by the weights. */
static struct route_target *target_of(struct invocation *inv, struct route *route)
{
    struct route_target *target = NULL;

    if (inv->version[0])
        target = route_find_target(route, inv->version);
    if (!target && route->targets_len == 1)
        target = &route->targets[0];
    else if (!target)
        target = route_choose(route, random_unit(&inv->invokes->random));
    invocation_set_version(inv->version, str_of(target->version));
    invocation_set_version(inv->executed_version, str_of(target->version));
    return target;
}

/* It got a permit, or there is none in the pool: with the route anew, which may lead elsewhere by now. */
static void on_permit(struct permit_wait *w)
{
    advance(CONTAINER_OF(w, struct invocation, permit_wait));
}

/* No more of them wait than may. */
static bool may_wait(struct invocation *inv)
{
    return inv->waits_at || admission_wait(inv->invokes->parts.admission, inv->ask.fn.account,
                                           &inv->waits_at) == 0;
}

/* Takes a permit, waits for one, or tells its client why there is none. */
static bool take_permit(struct invocation *inv, struct route *route, struct route_target *target)
{
    const char *reason = NULL;
    int r;

    inv->permit_wait.function = inv->ask.fn.name;
    r = fn_admission_take(route->admission, target->pool, loop_now_us(inv->invokes->parts.loop), &inv->permit_wait,
                          &reason);
    if (r == 0)
        return true;
    if (r == -ERR_NOT_READY && !may_wait(inv)) {
        permit_wait_cancel(&inv->permit_wait);
        reason = ADMISSION_ACCOUNT;
        r = -ERR_THROTTLED;
    }
    if (r == -ERR_THROTTLED) {
        invocation_fail_throttled(inv, reason);
        return false;
    }
    move_to(inv, INVOKE_PERMIT);
    arm_deadline(inv);
    return false;
}

/*
 * Whether it may run now: it has a permit, and its place in the rate, which those that get no permit do not
 * take from others. Events are not paced: they are the controller's, which has them run as fast as the
 * function does.
 */
static bool has_permit(struct invocation *inv, struct route *route, struct route_target *target)
{
    const char *reason;

    if (permit_is_held(&inv->permit) && !fn_admission_fits(route->admission, target->pool, &inv->permit))
        permit_return(&inv->permit); /* the function's limits have changed */
    if (!permit_is_held(&inv->permit) && !take_permit(inv, route, target))
        return false;
    if (!inv->is_paced && !inv->rpc &&
        fn_admission_pace(route->admission, &inv->permit, loop_now_us(inv->invokes->parts.loop),
                          &reason) < 0) {
        invocation_fail_throttled(inv, reason); /* and gives the permit back */
        return false;
    }
    inv->is_paced = true;
    return true;
}

static void dispatch(struct invocation *inv, struct route *route)
{
    struct route_target *target = target_of(inv, route);

    if (!route_target_is_active(target)) {
        invocation_fail_with(
            inv, ERR_CONFLICT,
            "The operation cannot be performed at this time. The function is currently in the "
            "following state: %s",
            target->state);
        return;
    }
    if (inv->ask.kind == INVOKE_DRY_RUN) {
        invocation_succeed(inv);
        return;
    }
    if (inv->ask.kind == INVOKE_EVENT) {
        timer_stop(&inv->timer);
        invocation_stop_waiting(inv);
        move_to(inv, INVOKE_QUEUEING);
        async_enqueue(inv);
        return;
    }
    if (!has_permit(inv, route, target))
        return;
    invocation_stop_waiting(inv);
    send_to_node(inv, route, target);
}

/* ---- the route ---- */

static void on_route(struct route_wait *w, struct route *route, const struct error *err)
{
    struct invocation *inv = CONTAINER_OF(w, struct invocation, wait);

    if (route) {
        dispatch(inv, route);
    } else if (err->code == ERR_NOT_FOUND) {
        invocation_fail_not_found(inv);
    } else if (err->code == ERR_UNAVAILABLE || err->code == ERR_CLOSED ||
               err->code == ERR_TIMEOUT) {
        error_set(&inv->refused, ERR_UNAVAILABLE,
                  "The controller cannot be reached (%s); is hearth-controller running?", err->msg);
        park_shortly(inv);
    } else {
        invocation_fail(inv, err);
    }
}

/* Looks the route up, each time anew: one held over a wait might be old by now. */
static void advance(struct invocation *inv)
{
    struct route_key key = route_key_of(inv);
    struct route *route = route_cache_find(inv->invokes->parts.routes, &key);

    if (route) {
        dispatch(inv, route);
        return;
    }
    if (!permit_is_held(&inv->permit) && !may_wait(inv)) {
        invocation_fail_throttled(inv, ADMISSION_ACCOUNT);
        return;
    }
    move_to(inv, INVOKE_ROUTING);
    arm_deadline(inv);
    route_cache_wait(inv->invokes->parts.routes, &key, &inv->wait);
}

/* ---- public ---- */

/* A lambda_header_fn takes names in any case, the HTTP engine in lower case. */
static struct str header_of(void *arg, const char *name)
{
    char lower[HEADER_NAME_MAX];
    size_t i;

    for (i = 0; name[i] && i < sizeof(lower) - 1; i++)
        lower[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] - 'A' + 'a') : name[i];
    lower[i] = '\0';
    return http_header(arg, lower);
}

static struct invocation *begin(struct invokes *invokes)
{
    struct invocation *inv = invocation_take(invokes);

    inv->pending.on_client_gone = on_client_gone;
    inv->pending.on_writable = invoke_stream_on_writable;
    inv->wait.fn = on_route;
    inv->permit_wait.fn = on_permit;
    inv->permit_wait.permit = &inv->permit;
    timer_init(&inv->timer, invokes->parts.loop, on_timer, inv);
    inv->deadline_us = loop_now_us(invokes->parts.loop) + invokes->parts.wait_us;
    return inv;
}

void invokes_serve(struct invokes *invokes, struct http_req *req, const struct lambda_match *match,
                   const char *request_id)
{
    struct invoke_source source = {match, http_query(req),     http_body(req), header_of,
                                   req,   &invokes->parts.home};
    struct invocation *inv = begin(invokes);
    struct error err;

    inv->req = req;
    http_set_user(req, &inv->pending);
    memcpy(inv->request_id, request_id, UUID_MAX);
    if (invoke_request_read(&inv->ask, &source, &err) < 0) {
        invocation_fail(inv, &err);
        return;
    }
    advance(inv);
}

void invokes_run_event(struct invokes *invokes, struct rpc_request *rpc, const cJSON *args,
                       struct str body)
{
    struct invocation *inv = begin(invokes);
    struct error err;

    inv->rpc = rpc;
    if (async_read(inv, args, body, &err) < 0)
        invocation_fail(inv, &err);
    else
        advance(inv);
}

void invokes_kick(struct invokes *invokes)
{
    struct list_node again;
    struct invocation *inv;

    list_init(&again);
    while ((inv = LIST_FIRST(&invokes->parked, struct invocation, node))) {
        list_remove(&inv->node);
        list_append(&again, &inv->node);
    }
    while ((inv = LIST_FIRST(&again, struct invocation, node))) {
        inv->refused.code = ERR_OK;
        timer_stop(&inv->timer); /* a short pause's end is not the end of the wait */
        advance(inv);
    }
}

void invokes_give_up(struct invokes *invokes)
{
    struct invocation *inv;
    struct error err;

    while ((inv = LIST_FIRST(&invokes->active, struct invocation, node)) ||
           (inv = LIST_FIRST(&invokes->parked, struct invocation, node))) {
        bool runs = inv->state == INVOKE_RUNNING;

        error_set(&err, ERR_UNAVAILABLE, "Hearth is stopping; the invocation %s.",
                  runs                            ? "may have run"
                  : inv->state == INVOKE_QUEUEING ? "may not have been queued"
                                                  : "was not run");
        if (runs)
            invocation_fail_and_abandon(inv, &err);
        else
            invocation_fail(inv, &err);
    }
}

size_t invokes_in_flight(const struct invokes *invokes)
{
    return invokes->in_flight;
}

struct invokes *invokes_new(const struct invoke_parts *parts)
{
    struct invokes *invokes = calloc(1, sizeof(*invokes));

    if (!invokes)
        abort();
    invokes->parts = *parts;
    list_init(&invokes->active);
    list_init(&invokes->parked);
    list_init(&invokes->abandoned);
    list_init(&invokes->spare);
    list_init(&invokes->enqueues);
    buf_init(&invokes->head, HEAD_MAX);
    buf_init(&invokes->events, INVOKE_EVENTS_MAX);
    random_init(&invokes->random);
    return invokes;
}

void invokes_free(struct invokes *invokes)
{
    struct invocation *inv;
    struct error err;

    if (!invokes)
        return;
    error_set(&err, ERR_CLOSED, "the gateway ends");
    while ((inv = LIST_FIRST(&invokes->active, struct invocation, node)) ||
           (inv = LIST_FIRST(&invokes->parked, struct invocation, node)) ||
           (inv = LIST_FIRST(&invokes->abandoned, struct invocation, node))) {
        if (inv->rpc)
            async_fail(inv, &err);
        if (inv->stream)
            link_stream_reset(inv->stream, ERR_CLOSED);
        invocation_release(inv);
    }
    async_end(invokes);
    while ((inv = LIST_FIRST(&invokes->spare, struct invocation, node))) {
        list_remove(&inv->node);
        invocation_free(inv);
    }
    buf_done(&invokes->head);
    buf_done(&invokes->events);
    free(invokes);
}
