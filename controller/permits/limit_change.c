/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A limit changes (docs/internals/permits.md): from before it is written until every gateway has given up
 * what it must, nothing is granted of the function's own pools. So what moves to a reserved function's pool is
 * counted there before anybody else gets permits of it, and the client hears of a lower limit when nothing
 * new begins beyond it.
 *
 * Asked are the gateways with leases of the function's pools or the shared one; when something is reserved, all,
 * as each may have been about to take a permit of the shared pool by an old route. One that does not answer is
 * cut off and given up; one that is away and has leases is asked when it is back, or given up: the change waits,
 * as it does while the ledger is not open.
 */
#include <stdlib.h>
#include <string.h>

#include "controller/permits/permits_internal.h"

#define PATIENCE_US MSEC(250) /* of questions about the function's pools */

struct limit_change {
    struct list_node node;
    struct permits *p;
    char *account, *function;
    bool is_written;
    bool is_reserved;
    bool has_parts; /* listed when the ledger is open: who may hold permits is not known before */
    uint64_t begun_us;
    permits_change_fn *done;
    void *arg;
    struct list_node parts;
    struct list_node waiters; /* questions */
    struct timer patience;
};

/* What one gateway has to do for a change. */
struct part {
    struct list_node node;
    struct permits *p;
    char *gateway;
    bool is_asked;
    bool is_done;
    bool is_forgotten; /* the change has ended; the answer is still to come */
};

/* ---- holding back ---- */

static struct limit_change *find(const struct permits *p, const char *account, struct str function)
{
    const struct list_node *n;

    LIST_FOREACH(&p->changes, n) {
        struct limit_change *change = CONTAINER_OF(n, struct limit_change, node);

        if (str_is(function, change->function) && strcmp(account, change->account) == 0)
            return change;
    }
    return NULL;
}

bool limit_change_holds(const struct permits *p, const struct permit_item *item)
{
    return find(p, item->account, permit_pool_function(str_of(item->pool))) != NULL;
}

bool limit_change_wait(struct permits *p, struct permit_ask *ask, const struct permit_item *item)
{
    struct limit_change *change =
        find(p, item->account, permit_pool_function(str_of(item->pool)));

    if (!change || loop_now_us(p->o.loop) >= change->begun_us + PATIENCE_US)
        return false;
    asks_wait(&change->waiters, ask);
    return true;
}

static void on_patience_over(void *arg)
{
    struct limit_change *change = arg;

    asks_wake_all(&change->waiters);
}

/* ---- life ---- */

struct limit_change *permits_change_begin(struct permits *p, struct str account,
                                          struct str function)
{
    struct limit_change *change = xcalloc(sizeof(*change));

    change->p = p;
    change->account = str_dup(account);
    change->function = str_dup(function);
    change->begun_us = loop_now_us(p->o.loop);
    list_init(&change->parts);
    list_init(&change->waiters);
    timer_init(&change->patience, p->o.loop, on_patience_over, change);
    timer_start(&change->patience, PATIENCE_US);
    list_append(&p->changes, &change->node);
    return change;
}

static void part_free(struct part *part)
{
    free(part->gateway);
    free(part);
}

static void change_free(struct limit_change *change)
{
    struct part *part;

    while ((part = LIST_FIRST(&change->parts, struct part, node))) {
        list_remove(&part->node);
        part->is_forgotten = true;
        if (!part->is_asked)
            part_free(part);
    }
    list_remove(&change->node);
    timer_stop(&change->patience);
    asks_wake_all(&change->waiters);
    free(change->account);
    free(change->function);
    free(change);
}

void permits_change_drop(struct limit_change *change)
{
    if (change)
        change_free(change);
}

/* ---- telling ---- */

static bool concerns(const struct limit_change *change, const struct gateway_lease *lease)
{
    return strcmp(lease->account, change->account) == 0 &&
           (strcmp(lease->pool, "*") == 0 ||
            str_is(permit_pool_function(str_of(lease->pool)), change->function));
}

/* Of all that @g has, what the change concerns. */
static cJSON *pools_of(const struct limit_change *change, const struct gateway_known *g)
{
    cJSON *pools = cJSON_CreateArray();
    struct gateway_lease *lease = NULL;
    struct str key;
    size_t at = 0;

    while (map_next(&g->leases, &at, &key, (void **)&lease))
        if (concerns(change, lease))
            recalls_add_pool(pools, lease->account, lease->pool, true);
    return pools;
}

static void on_recalled(const struct error *err, void *arg)
{
    struct part *part = arg;
    struct permits *p = part->p;
    struct gateway_known *g;
    struct peer *peer;

    if (part->is_forgotten) {
        part_free(part);
        return;
    }
    part->is_asked = false;
    part->is_done = !err;
    g = gateways_find(p, str_of(part->gateway));
    if (err && g && err->code != ERR_CLOSED && err->code != ERR_UNAVAILABLE) {
        peer = peers_find(p->o.peers, g->peer);
        gateways_give_up(p, g, "it does not give back what a limit that changes asks for");
        if (peer && err->code != ERR_STALE) /* that: it has taken another incarnation */
            peers_cut(p->o.peers, peer, err);
    }
    permits_soon(p);
}

static void ask(struct limit_change *change, struct part *part, struct gateway_known *g)
{
    cJSON *pools, *moves = NULL, *move;
    bool is_here = peers_find(change->p->o.peers, g->peer) != NULL;

    if (!g->has_joined) { /* it has nothing; it does not even know that it is about to join this epoch */
        part->is_done = true;
        return;
    }
    pools = pools_of(change, g);
    if (!is_here || (cJSON_GetArraySize(pools) == 0 && !change->is_reserved)) {
        part->is_done = cJSON_GetArraySize(pools) == 0; /* it looks routes up anew when it is back */
        cJSON_Delete(pools);
        return;
    }
    if (change->is_reserved) {
        moves = cJSON_CreateArray();
        move = cJSON_CreateObject();
        cJSON_AddStringToObject(move, "account", change->account);
        cJSON_AddStringToObject(move, "function", change->function);
        cJSON_AddItemToArray(moves, move);
    }
    part->is_asked = true;
    recalls_send(change->p, g, pools, moves, change->p->o.peer_timeout_us, on_recalled, part);
}

/* Whether the gateway has nothing to do with the change any more. */
static bool part_proceed(struct limit_change *change, struct part *part)
{
    struct gateway_known *g = gateways_find(change->p, str_of(part->gateway));

    if (!g || part->is_done)
        return true;
    if (g->state != GATEWAY_LEAVING && !part->is_asked)
        ask(change, part, g);
    return part->is_done;
}

static void list_parts(struct limit_change *change)
{
    struct permits *p = change->p;
    struct list_node *n;
    struct part *part;

    change->has_parts = true;
    LIST_FOREACH(&p->gateways, n) {
        part = xcalloc(sizeof(*part));
        part->p = p;
        part->gateway = str_dup(str_of(CONTAINER_OF(n, struct gateway_known, node)->id));
        list_append(&change->parts, &part->node);
    }
}

static bool change_proceed(struct limit_change *change)
{
    struct list_node *n, *after;

    if (!change->has_parts)
        list_parts(change);
    LIST_FOREACH_SAFE(&change->parts, n, after) {
        struct part *part = CONTAINER_OF(n, struct part, node);

        if (!part_proceed(change, part))
            continue;
        list_remove(&part->node);
        part->is_forgotten = true;
        if (!part->is_asked)
            part_free(part);
    }
    return list_is_empty(&change->parts);
}

static void change_end(struct limit_change *change, bool is_so)
{
    permits_change_fn *done = change->done;
    void *arg = change->arg;

    change_free(change);
    done(is_so, arg);
}

void limit_change_proceed(struct permits *p)
{
    struct list_node *n, *after;

    /* else gateways may hold what nobody here knows of, or what invokers do not refuse yet */
    if (p->state != PERMITS_OPEN)
        return;
    LIST_FOREACH_SAFE(&p->changes, n, after) {
        struct limit_change *change = CONTAINER_OF(n, struct limit_change, node);

        if (change->is_written && change_proceed(change))
            change_end(change, true);
    }
}

void limit_change_end_all(struct permits *p)
{
    struct list_node *n, *after;

    LIST_FOREACH_SAFE(&p->changes, n, after) {
        struct limit_change *change = CONTAINER_OF(n, struct limit_change, node);

        if (change->is_written)
            change_end(change, false);
    }
}

void permits_change_tell(struct limit_change *change, bool is_reserved, permits_change_fn *done,
                         void *arg)
{
    change->is_written = true;
    change->is_reserved = is_reserved;
    change->done = done;
    change->arg = arg;
    permits_soon(change->p);
}
