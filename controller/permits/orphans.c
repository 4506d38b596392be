/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What invokers tell of runs on nobody's lease gets into the ledgers: of each account that has some, or had
 * some when they were last written. One message of a node is written at a time, the newest.
 *
 * A node that is surely dead runs nothing: that is written, too, and then the node is forgotten.
 */
#include <stdlib.h>
#include <string.h>

#include "controller/permits/permits_internal.h"

/* One message of a node on its way into the ledgers. */
struct writing {
    struct permits *p;
    uint64_t round;
    char *node, *incarnation;
    struct permit_orphans orphans; /* as they are written */
    unsigned waiting;
    bool has_failed;
};

void orphans_take(struct permits *p, struct node_life *node, struct permit_orphans *orphans)
{
    if (orphans->seq > node->orphans.seq) {
        node->is_written = false;
        permits_soon(p);
    }
    /* one that is known may be known by its number only: from the ledger of an earlier leader */
    if (orphans->seq >= node->orphans.seq) {
        permit_orphans_done(&node->orphans);
        node->orphans = *orphans;
        *orphans = (struct permit_orphans){0};
    }
    permit_orphans_done(orphans);
}

bool orphans_are_written(const struct permits *p)
{
    const struct list_node *n;

    LIST_FOREACH(&p->nodes.all, n) {
        const struct node_life *node = CONTAINER_OF(n, struct node_life, node);

        if (node->written.seq < node->told_seq)
            return false;
    }
    return true;
}

static void writing_end(struct writing *w)
{
    struct permits *p = w->p;
    struct node_life *node = node_lives_find(&p->nodes, str_of(w->node));
    bool counts = w->round == p->round && node && strcmp(node->incarnation, w->incarnation) == 0,
         has_failed;

    if (node)
        node->is_writing = false;
    if (counts && !w->has_failed) {
        permit_orphans_done(&node->written);
        node->written = w->orphans;
        w->orphans = (struct permit_orphans){0};
        node->is_written = node->orphans.seq == node->written.seq;
    }
    has_failed = w->has_failed;
    permit_orphans_done(&w->orphans);
    free(w->node);
    free(w->incarnation);
    free(w);
    if (!(counts && has_failed) && p->state != PERMITS_OFF)
        permits_soon(p); /* what another incarnation has told meanwhile is to be written, too */
}

static void on_written(const struct error *err, void *arg)
{
    struct writing *w = arg;

    if (err) {
        w->has_failed = true;
        if (w->round == w->p->round)
            permits_ledger_failed(w->p, err);
    }
    if (--w->waiting == 0)
        writing_end(w);
}

static bool concerns(const struct node_life *node, const struct permit_orphans *orphans,
                     const char *account)
{
    return permit_orphans_has(&node->written, account) || permit_orphans_has(orphans, account);
}

/* Whether the ledgers of all accounts in @orphans are open; those that are not will be. */
static bool are_open(struct permits *p, const struct permit_orphans *orphans)
{
    bool all = true;
    size_t i;

    for (i = 0; i < orphans->len; i++)
        if (!permits_account_add(p, str_of(orphans->all[i].account))->is_open)
            all = false;
    return all;
}

/* @orphans: given away. */
static void write_down(struct permits *p, struct node_life *node, struct permit_orphans orphans)
{
    struct writing *w = xcalloc(sizeof(*w));
    struct ledger_orphans told = {.seq = orphans.seq};
    struct ledger_count *counts;
    struct list_node *n;

    *w = (struct writing){.p = p, .round = p->round, .orphans = orphans, .waiting = 1};
    w->node = str_dup(str_of(node->id));
    w->incarnation = str_dup(str_of(node->incarnation));
    told.node = str_of(w->node);
    told.incarnation = str_of(w->incarnation);
    node->is_writing = true;
    LIST_FOREACH(&p->accounts, n) {
        struct permit_account *account = CONTAINER_OF(n, struct permit_account, node);
        struct ledger_at at = permits_at(p, account->name);

        if (!account->is_open || !concerns(node, &w->orphans, account->name))
            continue;
        counts = permit_orphans_of(&w->orphans, account->name, &told.len);
        told.counts = counts;
        w->waiting++;
        ledger_set_orphans(p->ledger, &at, &told, on_written, w);
        free(counts);
    }
    if (--w->waiting == 0) /* nothing was there, nothing is: the ledgers need not hear of it */
        writing_end(w);
}

/* False: it goes on when what was written is answered, or when there is a ledger. */
static bool bury(struct permits *p, struct node_life *node)
{
    struct permit_orphans none = {.seq = node->orphans.seq + 1};

    if (node->written.len > 0) {
        if (p->state == PERMITS_OPEN && !node->is_writing)
            write_down(p, node, none);
        if (p->state == PERMITS_OPEN || p->state == PERMITS_OPENING)
            return false;
    }
    return !node->is_writing && p->state >= PERMITS_FENCING;
}

void orphans_proceed(struct permits *p)
{
    uint64_t now = loop_now_us(p->o.loop);
    struct list_node *n, *after;

    LIST_FOREACH_SAFE(&p->nodes.all, n, after) {
        struct node_life *node = CONTAINER_OF(n, struct node_life, node);

        if (node_life_is_dead(&p->nodes, node, now)) {
            if (!bury(p, node))
                continue;
            if (!node->has_left)
                log_warn("permits",
                         "a node was not heard of for so long that it runs nothing any more",
                         KV_STR("node", node->id));
            p->o.on_node_dead(node->id, p->o.arg);
            node_life_remove(node);
            permits_soon(p);
        } else if (p->state == PERMITS_OPEN && !node->is_written && !node->is_writing &&
                   are_open(p, &node->orphans)) {
            write_down(p, node, permit_orphans_copy(&node->orphans));
        }
    }
}
