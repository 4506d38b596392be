/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A question of a gateway about pools, from the call to its answer:
 *
 *   HELD ──► TAKEN ──► (answered)
 *              └──► RECALLING ──► AGAIN ──► (answered)
 *
 * HELD       a limit of one of its functions is about to change: waits for that, not long
 * TAKEN      the ledgers have it
 * RECALLING  it has fewer than it needs: others are asked for what is idle there
 * AGAIN      the ledgers have it once more; what is short now is dry
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/model/lambda_input.h"
#include "controller/permits/permits_internal.h"

enum ask_state { ASK_HELD, ASK_TAKEN, ASK_RECALLING, ASK_AGAIN };

struct permit_ask {
    struct permits *p;
    struct rpc_request *rpc;
    char *gateway;
    uint64_t round; /* of the service when it came */
    enum ask_state state;
    struct permit_items items;
    unsigned waiting; /* changes or recalls */
    bool has_rivals; /* others wait for the same recall */
};

/* ---- waiting ---- */

void asks_wait(struct list_node *waiters, struct permit_ask *ask)
{
    struct ask_waiter *waiter = xcalloc(sizeof(*waiter));

    waiter->ask = ask;
    list_append(waiters, &waiter->node);
}

void asks_wake_all(struct list_node *waiters)
{
    bool are_rivals = !list_is_empty(waiters) && waiters->next != waiters->prev;
    struct ask_waiter *waiter;

    while ((waiter = LIST_FIRST(waiters, struct ask_waiter, node))) {
        struct permit_ask *ask = waiter->ask;

        list_remove(&waiter->node);
        free(waiter);
        ask->has_rivals = ask->has_rivals || are_rivals;
        asks_wake(ask);
    }
}

const char *asks_gateway(const struct permit_ask *ask)
{
    return ask->gateway;
}

/* ---- answering ---- */

static void ask_free(struct permit_ask *ask)
{
    permit_items_done(&ask->items);
    free(ask->gateway);
    free(ask);
}

static void ask_fail(struct permit_ask *ask, enum error_code code, const char *text)
{
    permits_refuse(ask->rpc, code, text);
    ask_free(ask);
}

static void ask_reply(struct permit_ask *ask)
{
    cJSON *ok = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(ok, "pools"), *json;
    size_t i;

    for (i = 0; i < ask->items.len; i++) {
        const struct permit_item *item = &ask->items.all[i];

        json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "account", item->account);
        cJSON_AddStringToObject(json, "pool", item->pool);
        cJSON_AddNumberToObject(json, "seq", (double)item->seq);
        cJSON_AddNumberToObject(json, "more", (double)item->answer.more);
        cJSON_AddBoolToObject(json, "drain", item->answer.drain);
        cJSON_AddBoolToObject(json, "dry", item->dry);
        cJSON_AddItemToArray(list, json);
    }
    rpc_reply(ask->rpc, ok, STR_NULL);
    cJSON_Delete(ok);
    ask_free(ask);
}

/* ---- states ---- */

static bool is_short(const struct permit_item *item)
{
    return !item->answer.old && item->need > item->held + item->answer.more;
}

static bool is_some(const struct permit_item *item)
{
    return !item->is_none;
}

static bool may_get_more(const struct permit_item *item)
{
    return item->is_short;
}

/* What is short now is dry, and who asks soon need not try. */
static void settle(struct permit_ask *ask)
{
    size_t i;

    for (i = 0; i < ask->items.len; i++) {
        struct permit_item *item = &ask->items.all[i];

        if (!is_short(item))
            continue;
        item->dry = true;
        if (item->is_short)
            recalls_dry(ask->p, item);
    }
    ask_reply(ask);
}

/* Others are asked for what this one is short of. */
static void recall(struct permit_ask *ask)
{
    size_t i;

    ask->state = ASK_RECALLING;
    ask->waiting = 1;
    for (i = 0; i < ask->items.len; i++) {
        struct permit_item *item = &ask->items.all[i];

        if (is_short(item) && is_some(item) && !limit_change_holds(ask->p, item) &&
            recalls_begin(ask->p, ask, item)) {
            item->is_short = true;
            ask->waiting++;
        }
    }
    if (ask->waiting == 1)
        settle(ask);
    else
        ask->waiting--;
}

static void on_taken(const struct error *err, void *arg)
{
    struct permit_ask *ask = arg;

    if (err && err->code == ERR_BAD_REQUEST)
        ask_fail(ask, err->code, err->msg);
    else if (err && err->code == ERR_PRECONDITION)
        ask_fail(ask, ERR_STALE, "this incarnation of the gateway was given up");
    else if (err || ask->round != ask->p->round)
        ask_fail(ask, ERR_UNAVAILABLE, "the ledger of permits is not there: try again");
    else if (ask->state == ASK_TAKEN)
        recall(ask);
    else
        settle(ask);
}

static bool is_open(struct permits *p, const struct permit_items *items)
{
    bool all = true;
    size_t i;

    for (i = 0; i < items->len; i++)
        if (!permits_account_add(p, str_of(items->all[i].account))->is_open)
            all = false;
    return all;
}

/* As many as it must have, and none to spare. */
static uint64_t least_of(const struct permit_item *item)
{
    return item->need > item->held ? item->need : item->held;
}

/* What comes back is for those who wait, before anybody has one to spare. */
static void take(struct permit_ask *ask)
{
    size_t i;

    ask->state = ASK_TAKEN;
    for (i = 0; i < ask->items.len; i++)
        if (recalls_are_under_way(ask->p, &ask->items.all[i]))
            ask->items.all[i].most = least_of(&ask->items.all[i]);
    if (!is_open(ask->p, &ask->items))
        ask_fail(ask, ERR_UNAVAILABLE, "the account's ledger of permits is being opened");
    else if (states_send(ask->p, ask->gateway, &ask->items, is_some, false, on_taken, ask) == 0)
        settle(ask); /* about nothing */
}

static void take_again(struct permit_ask *ask)
{
    size_t i;

    ask->state = ASK_AGAIN;
    for (i = 0; i < ask->items.len; i++)
        ask->items.all[i].most = ask->has_rivals ? least_of(&ask->items.all[i]) : ask->items.all[i].want;
    states_send(ask->p, ask->gateway, &ask->items, may_get_more, true, on_taken, ask);
}

void asks_wake(struct permit_ask *ask)
{
    if (--ask->waiting > 0)
        return;
    if (ask->round != ask->p->round)
        ask_fail(ask, ERR_UNAVAILABLE, "the ledger of permits is not there: try again");
    else if (ask->state == ASK_HELD)
        take(ask);
    else
        take_again(ask);
}

void asks_serve(struct permits *p, struct rpc_request *rpc, const cJSON *args)
{
    struct permit_items items;
    struct permit_ask *ask;
    struct error err;
    size_t i;

    if (permit_items_parse(args, &items, &err) < 0) {
        rpc_fail(rpc, &err);
        return;
    }
    ask = xcalloc(sizeof(*ask));
    *ask = (struct permit_ask){.p = p, .rpc = rpc, .round = p->round, .items = items};
    ask->gateway = str_dup(cjson_str(args, "gateway"));
    for (i = 0; i < ask->items.len; i++) {
        struct permit_item *item = &ask->items.all[i];

        item->is_none = !ledger_is_pool(str_of(item->pool));
        if (item->is_none) /* one must not stand in the way of the others */
            log_warn("permits", "a gateway asks for a pool that cannot be", KV_STR("pool", item->pool));
        else if (item->want > item->held && limit_change_wait(p, ask, item))
            ask->waiting++;
    }
    if (ask->waiting == 0)
        take(ask);
}
