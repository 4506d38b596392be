/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Idle permits that others need are asked back from the gateways that have leases where room is short:
 * of the same pool, or, when it was the function's or the account's total that refused, of all its pools.
 * There is one such recall at a time for each; questions that come meanwhile wait for it. Where it was
 * not enough there is none for a moment: a crowd that is throttled does not keep the gateways busy.
 */
#include <stdlib.h>
#include <string.h>

#include "controller/permits/permits_internal.h"

#define RECALL_TIMEOUT_US MSEC(500) /* a gateway answers out of its memory */
#define DRY_US MSEC(20)
#define SCOPES_MAX 4096u /* before those that say nothing any more are removed */

/* Where room is short. */
struct recall_scope {
    struct permits *p;
    enum ledger_bound bound;
    char *account, *name; /* of the pool or function; "" for the account */
    unsigned waiting; /* gateways that have not answered; 0: no recall is under way */
    uint64_t dry_until_us;
    struct list_node waiters;
};

/* A question to one gateway, until what it said is written down. */
struct recall {
    struct list_node node; /* in permits.recalls while it is not written */
    struct permits *p;
    char *gateway;
    uint64_t epoch;
    struct permit_items items;
    states_done_fn *done;
    void *arg;
};

/* ---- one gateway ---- */

void recalls_add_pool(cJSON *pools, const char *account, const char *pool, bool drain)
{
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "account", account);
    cJSON_AddStringToObject(json, "pool", pool);
    if (drain)
        cJSON_AddTrueToObject(json, "drain");
    cJSON_AddItemToArray(pools, json);
}

static void recall_end(struct recall *recall, const struct error *err)
{
    list_remove(&recall->node);
    recall->done(err, recall->arg);
    permit_items_done(&recall->items);
    free(recall->gateway);
    free(recall);
}

static bool counts(const struct recall *recall)
{
    const struct permits *p = recall->p;
    const struct gateway_known *g = gateways_find(p, str_of(recall->gateway));

    return p->state != PERMITS_OFF && recall->epoch == p->epoch && g &&
           g->state != GATEWAY_LEAVING;
}

static void on_stated(const struct error *err, void *arg)
{
    struct recall *recall = arg;

    if (err && err->code != ERR_BAD_REQUEST && counts(recall)) {
        list_append(&recall->p->recalls, &recall->node);
        permits_later(recall->p, recall->p->o.retry_us);
        return;
    }
    if (err && err->code == ERR_BAD_REQUEST)
        log_error("permits", "the ledger does not take what a gateway says",
                  KV_STR("gateway", recall->gateway), KV_ERR(err));
    recall_end(recall, NULL);
}

/* A gateway that is gone, or whose epoch is over, has no leases to write down. */
static void state(struct recall *recall)
{
    if (!counts(recall) || states_send(recall->p, recall->gateway, &recall->items, NULL, false,
                                       on_stated, recall) == 0)
        recall_end(recall, NULL);
}

static void on_recalled(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    struct recall *recall = arg;
    struct permits *p = recall->p;
    struct error own;

    (void)body;
    if (!err && permit_statements_parse(ok, &recall->items, &own) < 0)
        err = &own;
    if (err && err->code == ERR_STALE && counts(recall))
        gateways_give_up(p, gateways_find(p, str_of(recall->gateway)),
                         "it has taken another incarnation");
    if (err)
        recall_end(recall, err);
    else if (p->state == PERMITS_OPEN || !counts(recall))
        state(recall);
    else
        list_append(&p->recalls, &recall->node);
}

void recalls_send(struct permits *p, struct gateway_known *g, cJSON *pools, cJSON *moves,
                  uint64_t timeout_us, states_done_fn *done, void *arg)
{
    struct peer *peer = g->peer ? peers_find(p->o.peers, g->peer) : NULL;
    struct recall *recall = xcalloc(sizeof(*recall));
    cJSON *args = cJSON_CreateObject();

    *recall = (struct recall){.p = p, .epoch = p->epoch, .done = done, .arg = arg};
    list_init(&recall->node);
    recall->gateway = str_dup(str_of(g->id));
    cJSON_AddStringToObject(args, "gateway", g->id);
    cJSON_AddNumberToObject(args, "epoch", (double)p->epoch);
    cJSON_AddItemToObject(args, "pools", pools);
    if (moves)
        cJSON_AddItemToObject(args, "moves", moves);
    peers_ask(p->o.peers, peer, "permits.recall", args, timeout_us, on_recalled, recall);
    cJSON_Delete(args);
}

void recalls_proceed(struct permits *p)
{
    struct list_node all;
    struct recall *recall;

    list_init(&all); /* those that fail again are appended to p->recalls, not here */
    while ((recall = LIST_FIRST(&p->recalls, struct recall, node))) {
        list_remove(&recall->node);
        list_append(&all, &recall->node);
    }
    while ((recall = LIST_FIRST(&all, struct recall, node))) {
        list_remove(&recall->node);
        if (p->state == PERMITS_OPEN || !counts(recall))
            state(recall);
        else
            list_append(&p->recalls, &recall->node);
    }
}

/* ---- where room is short ---- */

static char *scope_key(enum ledger_bound bound, const char *account, struct str name)
{
    return str_printf("%s\n%d%.*s", account, (int)bound, STR_ARG(name));
}

static struct str scope_name(const struct permit_item *item, enum ledger_bound bound)
{
    if (bound == LEDGER_POOL)
        return str_of(item->pool);
    return bound == LEDGER_FUNCTION ? permit_pool_function(str_of(item->pool)) : STR("");
}

static void scope_free(struct recall_scope *scope)
{
    free(scope->account);
    free(scope->name);
    free(scope);
}

/* Removes the first that says nothing any more; false: there is none. */
static bool remove_one(struct permits *p, uint64_t now_us)
{
    struct recall_scope *scope = NULL;
    struct str key;
    size_t at = 0;

    while (map_next(&p->scopes, &at, &key, (void **)&scope)) {
        if (scope->waiting > 0 || scope->dry_until_us > now_us)
            continue;
        scope_free(map_remove(&p->scopes, key));
        return true;
    }
    return false;
}

static struct recall_scope *scope_of(struct permits *p, const struct permit_item *item)
{
    struct str name = scope_name(item, item->answer.bound);
    CLEANUP(freep) char *key = scope_key(item->answer.bound, item->account, name);
    struct recall_scope *scope = map_get(&p->scopes, str_of(key));

    if (scope)
        return scope;
    if (p->scopes.len >= SCOPES_MAX)
        remove_one(p, loop_now_us(p->o.loop));
    scope = xcalloc(sizeof(*scope));
    scope->p = p;
    scope->bound = item->answer.bound;
    scope->account = str_dup(str_of(item->account));
    scope->name = str_dup(name);
    list_init(&scope->waiters);
    map_put(&p->scopes, str_of(key), scope);
    return scope;
}

static bool is_in(const struct gateway_lease *lease, const struct recall_scope *scope)
{
    if (strcmp(lease->account, scope->account) != 0)
        return false;
    if (scope->bound == LEDGER_POOL)
        return strcmp(lease->pool, scope->name) == 0;
    return scope->bound == LEDGER_ACCOUNT ||
           str_is(permit_pool_function(str_of(lease->pool)), scope->name);
}

static void on_one(const struct error *err, void *arg)
{
    struct recall_scope *scope = arg;

    if (err)
        log_debug("permits", "a gateway gives nothing back", KV_ERR(err));
    if (--scope->waiting == 0)
        asks_wake_all(&scope->waiters);
}

/* What @g may have idle there, as permits.recall names it; NULL: nothing. @but: a pool that it is short of. */
static cJSON *pools_of(const struct gateway_known *g, const struct recall_scope *scope,
                       const char *but)
{
    cJSON *pools = cJSON_CreateArray();
    struct gateway_lease *lease = NULL;
    struct str key;
    size_t at = 0;

    while (map_next(&g->leases, &at, &key, (void **)&lease) &&
           cJSON_GetArraySize(pools) < (int)PERMIT_POOLS_MAX)
        if (is_in(lease, scope) && !(but && strcmp(lease->pool, but) == 0))
            recalls_add_pool(pools, lease->account, lease->pool, false);
    if (cJSON_GetArraySize(pools) > 0)
        return pools;
    cJSON_Delete(pools);
    return NULL;
}

bool recalls_begin(struct permits *p, struct permit_ask *ask, const struct permit_item *item)
{
    struct recall_scope *scope = scope_of(p, item);
    struct list_node *n;

    if (scope->waiting == 0 && loop_now_us(p->o.loop) < scope->dry_until_us)
        return false;
    if (scope->waiting > 0) {
        asks_wait(&scope->waiters, ask);
        return true;
    }
    LIST_FOREACH(&p->gateways, n) {
        struct gateway_known *g = CONTAINER_OF(n, struct gateway_known, node);
        bool is_own = strcmp(g->id, asks_gateway(ask)) == 0;
        cJSON *pools = g->state == GATEWAY_JOINED && peers_find(p->o.peers, g->peer)
                           ? pools_of(g, scope, is_own ? item->pool : NULL)
                           : NULL;

        if (!pools)
            continue;
        scope->waiting++;
        recalls_send(p, g, pools, NULL, RECALL_TIMEOUT_US, on_one, scope);
    }
    if (scope->waiting == 0)
        return false;
    asks_wait(&scope->waiters, ask);
    return true;
}

bool recalls_are_under_way(const struct permits *p, const struct permit_item *item)
{
    static const enum ledger_bound bounds[] = {LEDGER_POOL, LEDGER_FUNCTION, LEDGER_ACCOUNT};
    const struct recall_scope *scope;
    size_t i;

    for (i = 0; i < sizeof(bounds) / sizeof(bounds[0]) && p->scopes.len > 0; i++) {
        CLEANUP(freep) char *key = scope_key(bounds[i], item->account, scope_name(item, bounds[i]));

        scope = map_get(&p->scopes, str_of(key));
        if (scope && scope->waiting > 0)
            return true;
    }
    return false;
}

void recalls_dry(struct permits *p, const struct permit_item *item)
{
    scope_of(p, item)->dry_until_us = loop_now_us(p->o.loop) + DRY_US;
}

void recalls_give_up(struct permits *p)
{
    struct recall_scope *scope = NULL;
    struct str key;
    size_t at;

    for (at = 0; map_next(&p->scopes, &at, &key, (void **)&scope);)
        asks_wake_all(&scope->waiters);
}

void recalls_free(struct permits *p)
{
    struct recall_scope *scope = NULL;
    struct str key;
    size_t at;

    for (at = 0; map_next(&p->scopes, &at, &key, (void **)&scope);)
        scope_free(scope);
    map_done(&p->scopes);
}
