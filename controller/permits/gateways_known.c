/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Incarnations of gateways, each on its way through three states:
 *
 *   JOINING   written to the ledgers, which know who was given up; then on the list that invokers are told:
 *             JOINED when those that are here have answered it
 *   JOINED    may ask; away for longer than the grace: given up
 *   LEAVING   off the list; gone when every invoker that may run something has answered that and what
 *             they told is written down: what ran on its leases are orphans then, and the leases end
 */
#include <stdlib.h>
#include <string.h>

#include "controller/permits/permits_internal.h"

#define GIVEN_UP "this incarnation of the gateway was given up: take a new one"

/* A question of a gateway that waits until it has joined. */
struct join {
    struct list_node node;
    struct rpc_request *rpc;
};

/* A step of a gateway on its way into the ledger of one account. */
struct step {
    struct permits *p;
    uint64_t round;
    enum gateway_state state; /* of the gateway: what is written */
    char *gateway;
};

/* ---- the list ---- */

struct gateway_known *gateways_find(const struct permits *p, struct str id)
{
    const struct list_node *n;

    LIST_FOREACH(&p->gateways, n) {
        struct gateway_known *g = CONTAINER_OF(n, struct gateway_known, node);

        if (str_is(id, g->id))
            return g;
    }
    return NULL;
}

static void lease_free(void *value)
{
    struct gateway_lease *lease = value;

    free(lease->account);
    free(lease->pool);
    free(lease);
}

static struct gateway_known *add(struct permits *p, struct str id, enum gateway_state state)
{
    struct gateway_known *g = xcalloc(sizeof(*g));

    g->id = str_dup(id);
    g->state = state;
    g->is_listed = g->is_in_ledgers = g->has_joined = state == GATEWAY_JOINED;
    g->lost_us = loop_now_us(p->o.loop);
    map_init(&g->leases, lease_free);
    list_init(&g->joins);
    list_append(&p->gateways, &g->node);
    return g;
}

/* Its process, as that says it in HELLO: "<process>" of "<process>.<token>" */
static struct str process_of(const char *id)
{
    const char *dot = strrchr(id, '.');

    return dot ? str_from(id, (size_t)(dot - id)) : str_of(id);
}

/* Its link may be there already, and nobody tells it that another leader has taken over. */
static uint64_t find_link(const struct permits *p, const struct gateway_known *g)
{
    const struct peer *peer = NULL;

    while ((peer = peers_next(p->o.peers, peer)))
        if (peer->role == PEER_GATEWAY && str_is(process_of(g->id), peer->id))
            return peer->number;
    return 0;
}

struct gateway_known *gateways_add_known(struct permits *p, struct str id)
{
    struct gateway_known *g = gateways_find(p, id);

    if (!g) {
        g = add(p, id, GATEWAY_JOINED);
        g->peer = find_link(p, g);
    }
    return g;
}

static void answer_joins(struct permits *p, struct gateway_known *g, const struct error *err)
{
    cJSON *ok = cJSON_CreateObject();
    struct join *join;

    cJSON_AddNumberToObject(ok, "epoch", (double)p->epoch);
    while ((join = LIST_FIRST(&g->joins, struct join, node))) {
        list_remove(&join->node);
        if (err)
            rpc_fail(join->rpc, err);
        else
            rpc_reply(join->rpc, ok, STR_NULL);
        free(join);
    }
    cJSON_Delete(ok);
}

static void refuse_given_up(struct permits *p, struct gateway_known *g)
{
    struct error err;

    error_set(&err, ERR_STALE, "%s", GIVEN_UP);
    answer_joins(p, g, &err);
}

static void forget(struct permits *p, struct gateway_known *g)
{
    refuse_given_up(p, g);
    list_remove(&g->node);
    map_done(&g->leases);
    free(g->id);
    free(g);
}

void gateways_refuse_joins(struct permits *p, enum error_code code, const char *text)
{
    struct list_node *n;
    struct error err;

    error_set(&err, code, "%s", text);
    LIST_FOREACH(&p->gateways, n)
        answer_joins(p, CONTAINER_OF(n, struct gateway_known, node), &err);
}

void gateways_forget(struct permits *p)
{
    struct gateway_known *g;

    while ((g = LIST_FIRST(&p->gateways, struct gateway_known, node)))
        forget(p, g);
}

void gateways_set_lease(struct gateway_known *g, struct str account, struct str pool,
                        uint64_t count)
{
    CLEANUP(freep) char *key = str_printf("%.*s\n%.*s", STR_ARG(account), STR_ARG(pool));
    struct gateway_lease *lease = map_get(&g->leases, str_of(key));

    if (count == 0) {
        if (lease)
            lease_free(map_remove(&g->leases, str_of(key)));
        return;
    }
    if (!lease) {
        lease = xcalloc(sizeof(*lease));
        lease->account = str_dup(account);
        lease->pool = str_dup(pool);
        map_put(&g->leases, str_of(key), lease);
    }
    lease->count = count;
}

/* ---- into the ledgers ---- */

static void on_step(const struct error *err, void *arg)
{
    struct step *step = arg;
    struct permits *p = step->p;
    struct gateway_known *g = gateways_find(p, str_of(step->gateway));
    bool counts = g && step->round == p->round && step->state == g->state;

    free(step->gateway);
    free(step);
    if (!counts)
        return;
    if (err && err->code == ERR_PRECONDITION) {
        gateways_give_up(p, g, "an earlier leader has given it up");
        return;
    }
    if (err) {
        g->has_failed = true;
        permits_ledger_failed(p, err);
        if (p->state == PERMITS_OFF)
            return; /* @g is gone */
    }
    if (g->waiting == 0 || --g->waiting > 0)
        return;
    g->is_writing = false;
    if (g->has_failed)
        return; /* tried again soon */
    if (g->state == GATEWAY_JOINING) {
        g->is_in_ledgers = true;
        if (!g->is_listed)
            g->number = fences_change(p);
        g->is_listed = true;
    } else if (g->state == GATEWAY_LEAVING) {
        log_info("permits", "the leases of a gateway are over", KV_STR("gateway", g->id));
        forget(p, g);
    }
    permits_soon(p);
}

/* One script for each account. */
static void write_down(struct permits *p, struct gateway_known *g)
{
    struct list_node *n;
    struct step *step;

    g->is_writing = true;
    g->has_failed = false;
    g->waiting = 0;
    LIST_FOREACH(&p->accounts, n) {
        struct permit_account *account = CONTAINER_OF(n, struct permit_account, node);
        struct ledger_at at = permits_at(p, account->name);

        if (!account->is_open)
            continue;
        step = xcalloc(sizeof(*step));
        *step = (struct step){.p = p, .round = p->round, .state = g->state};
        step->gateway = str_dup(str_of(g->id));
        g->waiting++;
        if (g->state == GATEWAY_LEAVING)
            ledger_give_up(p->ledger, &at, str_of(g->id), on_step, step);
        else
            ledger_join(p->ledger, &at, str_of(g->id), on_step, step);
    }
    /* at least one: OPEN means that the leader's own account is */
}

/* ---- coming and going ---- */

void gateways_give_up(struct permits *p, struct gateway_known *g, const char *why)
{
    if (g->state == GATEWAY_LEAVING)
        return;
    log_warn("permits", "a gateway is given up; what it runs goes on, it gets no more",
             KV_STR("gateway", g->id), KV_STR("why", why));
    g->state = GATEWAY_LEAVING;
    g->waiting = 0; /* answers about its joining mean nothing any more */
    g->is_writing = false;
    g->number = fences_change(p);
    refuse_given_up(p, g);
}

void gateways_rejoin(struct permits *p, struct gateway_known *g)
{
    if (g->state == GATEWAY_JOINED)
        g->state = GATEWAY_JOINING;
    g->is_in_ledgers = false;
    permits_soon(p);
}

/* An earlier incarnation of the same gateway, which is away or spoke over the same link, is dead. */
static void leave_namesakes(struct permits *p, const struct gateway_known *g)
{
    struct list_node *n;

    LIST_FOREACH(&p->gateways, n) {
        struct gateway_known *other = CONTAINER_OF(n, struct gateway_known, node);

        if (other != g && str_eq(process_of(other->id), process_of(g->id)) &&
            (!other->peer || other->peer == g->peer))
            gateways_give_up(p, other, "another incarnation of it has joined");
    }
}

void gateways_heard(struct permits *p, struct gateway_known *g, const struct peer *peer)
{
    g->peer = peer->number;
    leave_namesakes(p, g);
}

void gateways_join(struct permits *p, struct rpc_request *rpc, const struct peer *peer,
                   struct str id)
{
    struct gateway_known *g = gateways_find(p, id);
    struct join *join;

    if (g && g->state == GATEWAY_LEAVING) {
        permits_refuse(rpc, ERR_STALE, GIVEN_UP);
        return;
    }
    if (!g)
        g = add(p, id, GATEWAY_JOINING);
    gateways_heard(p, g, peer);
    join = xcalloc(sizeof(*join));
    join->rpc = rpc;
    list_append(&g->joins, &join->node);
    permits_soon(p);
}

void gateways_lost(struct permits *p, uint64_t peer)
{
    struct list_node *n;

    LIST_FOREACH(&p->gateways, n) {
        struct gateway_known *g = CONTAINER_OF(n, struct gateway_known, node);

        if (g->peer != peer)
            continue;
        g->peer = 0;
        g->lost_us = loop_now_us(p->o.loop);
    }
}

/* Gives up those that stay away; looks again when the next one is due. */
static void look_for_lost(struct permits *p, struct gateway_known *g)
{
    uint64_t now = loop_now_us(p->o.loop), due = g->lost_us + p->o.gateway_grace_us;

    if (g->peer || g->state == GATEWAY_LEAVING)
        return;
    if (due <= now)
        gateways_give_up(p, g, "it stays away");
    else
        permits_later(p, due - now);
}

/* The ledgers know it: nothing is missing but the invokers' answers. */
static void join_if_told(struct permits *p, struct gateway_known *g)
{
    if (!fences_are_told_here(p, g->number))
        return;
    g->state = GATEWAY_JOINED;
    g->has_joined = true;
    log_info("permits", "a gateway has joined", KV_STR("gateway", g->id));
    answer_joins(p, g, NULL);
}

void gateways_proceed(struct permits *p)
{
    struct list_node *n, *after;

    LIST_FOREACH_SAFE(&p->gateways, n, after) {
        struct gateway_known *g = CONTAINER_OF(n, struct gateway_known, node);

        look_for_lost(p, g);
        if (p->state != PERMITS_OPEN || g->is_writing)
            continue;
        if (g->state == GATEWAY_JOINED)
            answer_joins(p, g, NULL);
        else if (g->state == GATEWAY_JOINING && g->is_in_ledgers)
            join_if_told(p, g);
        else if (g->state == GATEWAY_JOINING ||
                 (fences_are_told(p, g->number) && orphans_are_written(p)))
            write_down(p, g);
    }
}
