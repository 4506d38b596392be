/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/permits/permits.h"

#include <stdlib.h>
#include <string.h>

#include "common/model/lambda_input.h"
#include "controller/permits/permits_internal.h"

static const char *const state_names[PERMITS_STATE_MAX] = {
    [PERMITS_OFF] = "OFF",         [PERMITS_AWAY] = "AWAY",       [PERMITS_CHECKING] = "CHECKING",
    [PERMITS_FENCING] = "FENCING", [PERMITS_OPENING] = "OPENING", [PERMITS_OPEN] = "OPEN"};

void permits_set_state(struct permits *p, enum permits_state state)
{
    struct list_node *n;

    log_debug("permits", "moves", KV_STR("from", state_names[p->state]),
              KV_STR("to", state_names[state]), KV_U64("epoch", p->epoch));
    p->state = state;
    p->round++;
    p->waiting = 0;
    p->has_failed = false;
    LIST_FOREACH(&p->gateways, n) /* what is under way is done again, if it is still to be done */
        CONTAINER_OF(n, struct gateway_known, node)->is_writing = false;
    if (state != PERMITS_OPEN)
        recalls_give_up(p);
    permits_soon(p);
}

/* ---- one after the other ---- */

void permits_soon(struct permits *p)
{
    timer_start(&p->proceed, 0);
}

void permits_later(struct permits *p, uint64_t after_us)
{
    uint64_t due_us = loop_now_us(p->o.loop) + after_us;

    if (!timer_is_armed(&p->look) || p->look.due_us > due_us)
        timer_start(&p->look, after_us);
}

static void on_proceed(void *arg)
{
    struct permits *p = arg;
    uint64_t next_us;

    if (p->state == PERMITS_OFF) {
        limit_change_end_all(p); /* there are no gateways to ask */
        return;
    }
    recovery_proceed(p);
    fences_proceed(p);
    orphans_proceed(p);
    gateways_proceed(p);
    recalls_proceed(p);
    limit_change_proceed(p);
    next_us = node_lives_next_us(&p->nodes, loop_now_us(p->o.loop));
    if (next_us != UINT64_MAX)
        permits_later(p, next_us);
    if (permits_gateways(p) != p->gateways_told) {
        p->gateways_told = permits_gateways(p);
        p->o.on_gateways(p->o.arg);
    }
}

/* ---- what they share ---- */

void permits_refuse(struct rpc_request *rpc, enum error_code code, const char *text)
{
    struct error err;

    error_set(&err, code, "%s", text);
    rpc_fail(rpc, &err);
}

void permits_deposed(struct permits *p, uint64_t term)
{
    if (p->state == PERMITS_OFF)
        return;
    log_warn("permits", "another controller has led; this one grants no permits for now",
             KV_U64("term", p->term));
    permits_stop(p);
    p->o.on_deposed(term, p->o.arg);
}

void permits_ledger_failed(struct permits *p, const struct error *err)
{
    if (p->state == PERMITS_OFF)
        return;
    if (err->code == ERR_CONFLICT)
        permits_deposed(p, p->term);
    else if (err->code == ERR_STALE)
        recovery_check(p);
    else if (err->code != ERR_UNAVAILABLE && err->code != ERR_TIMEOUT && err->code != ERR_CLOSED)
        log_error("permits", "Redis does not take a step of the ledger; trying until it does",
                  KV_ERR(err));
    if (p->state != PERMITS_OFF)
        permits_later(p, p->o.retry_us);
}

struct ledger_at permits_at(const struct permits *p, const char *account)
{
    return (struct ledger_at){.account = str_of(account),
                              .account_limit = p->o.account_limit,
                              .term = p->term,
                              .epoch = p->epoch};
}

struct permit_account *permits_account(struct permits *p, struct str name)
{
    struct list_node *n;

    LIST_FOREACH(&p->accounts, n) {
        struct permit_account *account = CONTAINER_OF(n, struct permit_account, node);

        if (str_is(name, account->name))
            return account;
    }
    return NULL;
}

struct permit_account *permits_account_add(struct permits *p, struct str name)
{
    struct permit_account *account = permits_account(p, name);

    if (account)
        return account;
    account = xcalloc(sizeof(*account));
    account->name = str_dup(name);
    list_append(&p->accounts, &account->node);
    permits_soon(p);
    return account;
}

/* ---- what comes from outside ---- */

void permits_start(struct permits *p, uint64_t term)
{
    if (p->state == PERMITS_OFF || term != p->term) {
        permits_stop(p);
        p->term = term;
        if (p->number < wall_ms() * 1000) /* also where an earlier leader had the same term */
            p->number = wall_ms() * 1000;
        node_lives_anew(&p->nodes, now_us());
    }
    recovery_check(p);
}

void permits_stop(struct permits *p)
{
    if (!p || p->state == PERMITS_OFF)
        return;
    permits_set_state(p, PERMITS_OFF);
    timer_stop(&p->proceed);
    timer_stop(&p->look);
    p->opened = p->epoch = 0;
    gateways_refuse_joins(p, ERR_UNAVAILABLE, "this controller does not lead");
    gateways_forget(p);
    recalls_proceed(p); /* none of them counts any more */
    limit_change_end_all(p);
}

void permits_redis_away(struct permits *p)
{
    if (p->state != PERMITS_OFF)
        permits_set_state(p, PERMITS_AWAY);
}

int permits_node_here(struct permits *p, const struct peer *peer, struct str incarnation,
                      struct error *err)
{
    if (!incarnation.ptr)
        incarnation = STR("older"); /* by a version: it knows no permits.fence either */
    if (!permit_name_is_valid(incarnation))
        return error_set(err, ERR_BAD_REQUEST, "a node registers with a token as its incarnation");
    node_lives_here(&p->nodes, str_of(peer->id), incarnation, peer->number,
                    now_us());
    if (p->state != PERMITS_OFF)
        permits_soon(p);
    return 0;
}

void permits_node_left(struct permits *p, const struct peer *peer)
{
    node_lives_left(&p->nodes, peer->number);
    if (p->state != PERMITS_OFF)
        permits_soon(p);
}

void permits_peer_lost(struct permits *p, const struct peer *peer)
{
    if (peer->role == PEER_INVOKER)
        node_lives_lost(&p->nodes, peer->number);
    else
        gateways_lost(p, peer->number);
    if (p->state != PERMITS_OFF)
        permits_soon(p);
}

unsigned permits_gateways(const struct permits *p)
{
    const struct list_node *n;
    unsigned count = 0;

    LIST_FOREACH(&p->gateways, n)
        count += CONTAINER_OF(n, struct gateway_known, node)->state != GATEWAY_LEAVING;
    return count;
}

void permits_serve_join(struct permits *p, struct rpc_request *rpc, const cJSON *args)
{
    const struct peer *peer = peers_by_link(p->o.peers, rpc_request_link(rpc));
    struct str id = cjson_str(args, "gateway");

    if (!peer || peer->role != PEER_GATEWAY || !permit_name_is_valid(id))
        permits_refuse(rpc, ERR_BAD_REQUEST, "a gateway joins with its incarnation");
    else if (p->state != PERMITS_OPEN)
        permits_refuse(rpc, ERR_UNAVAILABLE, "the ledger of permits is not open: try again");
    else
        gateways_join(p, rpc, peer, id);
}

void permits_serve_ask(struct permits *p, struct rpc_request *rpc, const cJSON *args)
{
    const struct peer *peer = peers_by_link(p->o.peers, rpc_request_link(rpc));
    struct gateway_known *g = gateways_find(p, cjson_str(args, "gateway"));
    struct error err;
    uint64_t epoch;

    if (!peer || peer->role != PEER_GATEWAY) {
        permits_refuse(rpc, ERR_BAD_REQUEST, "a gateway asks for permits");
    } else if (permit_number(args, "epoch", &epoch, &err) < 0) {
        rpc_fail(rpc, &err);
    } else if (p->state != PERMITS_OPEN) {
        permits_refuse(rpc, ERR_UNAVAILABLE, "the ledger of permits is not open: try again");
    } else if (epoch != p->epoch || !g || g->state == GATEWAY_LEAVING) {
        permits_refuse(rpc, ERR_STALE,
                       "the epoch is over, or this incarnation of the gateway has not joined");
    } else if (g->state == GATEWAY_JOINING) {
        permits_refuse(rpc, ERR_UNAVAILABLE, "the gateway is joining: try again");
    } else {
        gateways_heard(p, g, peer);
        asks_serve(p, rpc, args);
    }
}

void permits_serve_orphans(struct permits *p, struct rpc_request *rpc, const cJSON *args)
{
    const struct peer *peer = peers_by_link(p->o.peers, rpc_request_link(rpc));
    struct node_life *node =
        peer ? node_lives_heard(&p->nodes, peer->number, now_us()) : NULL;
    struct permit_orphans orphans;
    struct error err;

    if (!node || !str_is(cjson_str(args, "incarnation"), node->incarnation)) {
        permits_refuse(rpc, ERR_BAD_REQUEST, "a registered node tells what runs at it");
    } else if (permit_orphans_parse(args, &orphans, &err) < 0) {
        rpc_fail(rpc, &err);
    } else {
        orphans_take(p, node, &orphans);
        rpc_reply(rpc, NULL, STR_NULL);
    }
}

void permits_serve_alive(struct permits *p, struct rpc_request *rpc, cJSON *terms)
{
    const struct peer *peer = peers_by_link(p->o.peers, rpc_request_link(rpc));

    if (!peer || !node_lives_heard(&p->nodes, peer->number, now_us())) {
        permits_refuse(rpc, ERR_BAD_REQUEST, "a node registers before it says that it is alive");
        return;
    }
    cJSON_AddNumberToObject(terms, "nodes", node_lives_count(&p->nodes));
    rpc_reply(rpc, terms, STR_NULL);
}

/* ---- provisioned classes ---- */

struct class_question {
    struct permits *p;
    permits_ready_fn *done;
    void *arg;
};

static void on_class(bool ready, const struct error *err, void *arg)
{
    struct class_question *question = arg;

    if (err)
        permits_ledger_failed(question->p, err);
    question->done(!err && ready, question->arg);
    free(question);
}

bool permits_class_ready(struct permits *p, struct str account, struct str function,
                         struct str version, permits_ready_fn *done, void *arg)
{
    struct permit_account *known;
    struct class_question *question;
    struct ledger_at at;

    if (p->state != PERMITS_OPEN)
        return false;
    known = permits_account_add(p, account);
    if (!known->is_open)
        return false;
    question = xcalloc(sizeof(*question));
    *question = (struct class_question){.p = p, .done = done, .arg = arg};
    at = permits_at(p, known->name);
    ledger_class_ready(p->ledger, &at, function, version, on_class, question);
    return true;
}

/* ---- life ---- */

struct permits *permits_new(const struct permits_options *options)
{
    struct permits *p = xcalloc(sizeof(*p));

    p->o = *options;
    p->ledger = ledger_new(options->loop, options->redis);
    list_init(&p->accounts);
    list_init(&p->gateways);
    list_init(&p->changes);
    list_init(&p->recalls);
    node_lives_init(&p->nodes, options->node_fence_us);
    map_init(&p->scopes, NULL);
    timer_init(&p->proceed, options->loop, on_proceed, p);
    timer_init(&p->look, options->loop, on_proceed, p);
    return p;
}

void permits_free(struct permits *p)
{
    struct permit_account *account;

    if (!p)
        return;
    permits_stop(p);
    limit_change_end_all(p);
    timer_stop(&p->proceed);
    timer_stop(&p->look);
    recalls_free(p);
    node_lives_done(&p->nodes);
    while ((account = LIST_FIRST(&p->accounts, struct permit_account, node))) {
        list_remove(&account->node);
        free(account->name);
        free(account);
    }
    ledger_free(p->ledger);
    free(p);
}
