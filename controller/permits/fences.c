/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every invoker is told, in one message, the epoch and the gateways that it may run for; each change of
 * either is a list with a greater number. It answers what runs at it on nobody's lease. A node has one
 * such question at a time; when it has answered and there is a newer list it is asked again.
 */
#include <stdlib.h>
#include <string.h>

#include "common/model/lambda_input.h"
#include "controller/permits/permits_internal.h"

/* A question to one node. */
struct fence {
    struct permits *p;
    uint64_t peer, epoch, number, term;
};

uint64_t fences_change(struct permits *p)
{
    permits_soon(p);
    return ++p->number;
}

static bool may_run(const struct permits *p, const struct node_life *node)
{
    return !node_life_is_dead(&p->nodes, node, loop_now_us(p->o.loop));
}

bool fences_are_told(const struct permits *p, uint64_t number)
{
    const struct list_node *n;

    LIST_FOREACH(&p->nodes.all, n) {
        const struct node_life *node = CONTAINER_OF(n, struct node_life, node);

        if (node->told < number && may_run(p, node))
            return false;
    }
    return true;
}

bool fences_are_told_here(const struct permits *p, uint64_t number)
{
    const struct list_node *n;

    LIST_FOREACH(&p->nodes.all, n) {
        const struct node_life *node = CONTAINER_OF(n, struct node_life, node);

        if (node->peer && !node->has_left && !node->again_us && node->told < number)
            return false;
    }
    return true;
}

static struct node_life *node_of(const struct permits *p, uint64_t peer)
{
    const struct list_node *n;

    LIST_FOREACH(&p->nodes.all, n) {
        struct node_life *node = CONTAINER_OF(n, struct node_life, node);

        if (node->peer == peer)
            return node;
    }
    return NULL;
}

/* What an invoker knows that we do not: "<word> <number> …" in its refusal; 0: it says no such thing. */
static uint64_t named(const struct error *err, const char *word)
{
    struct str rest = str_of(err->msg), first, number;
    uint64_t value = 0;

    if (err->code != ERR_STALE || !str_split(&rest, ' ', &first) || !str_is(first, word) ||
        !str_split(&rest, ' ', &number))
        return 0;
    while (number.len && (number.ptr[number.len - 1] < '0' || number.ptr[number.len - 1] > '9'))
        number.len--; /* "epoch 17: …" */
    return str_parse_u64(number, &value) == 0 && value <= PERMIT_NUMBER_MAX ? value : 0;
}

static void refused(struct permits *p, struct node_life *node, const struct fence *fence,
                    const struct error *err)
{
    uint64_t term = named(err, "term"), epoch = named(err, "epoch");
    struct peer *peer = peers_find(p->o.peers, fence->peer);

    if (term > fence->term) {
        permits_deposed(p, term);
    } else if (epoch >= fence->epoch && epoch > 0) {
        recovery_raise(p, epoch);
    } else if (err->code == ERR_TIMEOUT && peer) {
        peers_cut(p->o.peers, peer, err); /* it connects again, and is asked then */
    } else if (err->code == ERR_NO_OPERATION) {
        node->told = fence->number; /* a version older: what it runs is not counted */
    } else if (err->code != ERR_CLOSED) {
        log_warn("permits", "a node does not take the list of gateways; trying again",
                 KV_STR("node", node->id), KV_ERR(err));
        node->again_us = loop_now_us(p->o.loop) + p->o.retry_us;
        permits_later(p, p->o.retry_us);
    }
}

static void on_fenced(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    struct fence *fence = arg;
    struct permits *p = fence->p;
    struct node_life *node = node_of(p, fence->peer);
    struct permit_orphans orphans;
    struct error own;

    (void)body;
    if (node && p->state != PERMITS_OFF) {
        node->is_asked = false;
        if (!err && !str_is(cjson_str(ok, "incarnation"), node->incarnation)) {
            error_set(&own, ERR_BAD_REQUEST, "the answer is another incarnation's");
            err = &own;
        }
        if (!err && permit_orphans_parse(ok, &orphans, &own) < 0)
            err = &own;
        if (err) {
            refused(p, node, fence, err);
        } else {
            node_lives_heard(&p->nodes, fence->peer, now_us());
            node->told_seq = orphans.seq;
            orphans_take(p, node, &orphans);
            if (fence->epoch == p->epoch && fence->term == p->term)
                node->told = fence->number;
        }
        if (p->state != PERMITS_OFF)
            permits_soon(p);
    }
    free(fence);
}

static cJSON *list_new(const struct permits *p)
{
    cJSON *args = cJSON_CreateObject(), *list;
    const struct list_node *n;

    cJSON_AddNumberToObject(args, "term", (double)p->term);
    cJSON_AddNumberToObject(args, "epoch", (double)p->epoch);
    cJSON_AddNumberToObject(args, "number", (double)p->number);
    list = cJSON_AddArrayToObject(args, "gateways");
    LIST_FOREACH(&p->gateways, n) {
        const struct gateway_known *g = CONTAINER_OF(n, struct gateway_known, node);

        if (g->state != GATEWAY_LEAVING && g->is_listed)
            cJSON_AddItemToArray(list, cJSON_CreateString(g->id));
    }
    return args;
}

void fences_proceed(struct permits *p)
{
    struct list_node *n, *after;
    struct fence *fence;
    struct peer *peer;
    cJSON *args = NULL;

    if (p->epoch == 0)
        return;
    LIST_FOREACH_SAFE(&p->nodes.all, n, after) {
        struct node_life *node = CONTAINER_OF(n, struct node_life, node);

        if (node->is_asked || node->has_left || node->told >= p->number ||
            node->again_us > loop_now_us(p->o.loop))
            continue;
        peer = node->peer ? peers_find(p->o.peers, node->peer) : NULL;
        if (!peer)
            continue;
        if (!args)
            args = list_new(p);
        fence = xcalloc(sizeof(*fence));
        *fence = (struct fence){.p = p,
                                .peer = node->peer,
                                .epoch = p->epoch,
                                .number = p->number,
                                .term = p->term};
        node->is_asked = true;
        node->again_us = 0;
        peers_ask(p->o.peers, peer, "permits.fence", args, p->o.peer_timeout_us, on_fenced, fence);
    }
    cJSON_Delete(args);
}
