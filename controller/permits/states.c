/* SPDX-License-Identifier: Apache-2.0 */
/* What a gateway says of its pools on the way into the ledgers: one script for each account. */
#include <stdlib.h>
#include <string.h>

#include "controller/permits/permits_internal.h"

struct states {
    struct permits *p;
    uint64_t epoch;
    char *gateway;
    struct permit_items *items;
    unsigned waiting;
    bool has_failed;
    struct error err; /* the first */
    states_done_fn *done;
    void *arg;
};

/* The items of one script. */
struct chunk {
    struct states *states;
    size_t at[LEDGER_POOLS_MAX];
    size_t len;
};

/* Errors that are about this gateway alone. */
static void consider_gateway(struct states *states, const struct error *err)
{
    struct gateway_known *g = gateways_find(states->p, str_of(states->gateway));

    if (g && err->code == ERR_NOT_FOUND)
        gateways_rejoin(states->p, g);
    else if (g && err->code == ERR_PRECONDITION)
        gateways_give_up(states->p, g, "an earlier leader has given it up");
}

static void take_answers(const struct chunk *chunk, const struct ledger_answer *answers)
{
    struct states *states = chunk->states;
    struct gateway_known *g = gateways_find(states->p, str_of(states->gateway));
    struct permit_item *item;
    size_t i;

    for (i = 0; i < chunk->len; i++) {
        item = &states->items->all[chunk->at[i]];
        item->answer = answers[i];
        if (g && !answers[i].old && states->epoch == states->p->epoch)
            gateways_set_lease(g, str_of(item->account), str_of(item->pool), answers[i].lease);
    }
}

static void on_state(const struct ledger_answer *answers, size_t len, const struct error *err,
                     void *arg)
{
    struct chunk *chunk = arg;
    struct states *states = chunk->states;

    (void)len;
    if (err && !states->has_failed) {
        states->has_failed = true;
        states->err = *err;
    }
    if (err && (err->code == ERR_NOT_FOUND || err->code == ERR_PRECONDITION))
        consider_gateway(states, err);
    else if (err && err->code != ERR_BAD_REQUEST && states->epoch == states->p->epoch)
        permits_ledger_failed(states->p, err);
    if (!err)
        take_answers(chunk, answers);
    free(chunk);
    if (--states->waiting > 0)
        return;
    states->done(states->has_failed ? &states->err : NULL, states->arg);
    free(states->gateway);
    free(states);
}

static void send_chunk(struct chunk *chunk, bool again)
{
    const struct states *states = chunk->states;
    const struct permit_item *all = states->items->all;
    struct ledger_at at = permits_at(states->p, all[chunk->at[0]].account);
    struct ledger_question questions[LEDGER_POOLS_MAX];
    size_t i;

    for (i = 0; i < chunk->len; i++) {
        const struct permit_item *item = &all[chunk->at[i]];

        questions[i] = (struct ledger_question){
            .pool = str_of(item->pool),
            .seq = item->seq,
            .held = item->held,
            .want = limit_change_holds(states->p, item) ? item->held : item->most,
            .moved = item->moved,
            .again = again};
    }
    ledger_state(states->p->ledger, &at, str_of(states->gateway), questions, chunk->len, on_state,
                 chunk);
}

unsigned states_send(struct permits *p, const char *gateway, struct permit_items *items,
                     bool (*picks)(const struct permit_item *item), bool again,
                     states_done_fn *done, void *arg)
{
    struct states *states = xcalloc(sizeof(*states));
    struct chunk *chunk = NULL;
    size_t i;

    *states = (struct states){
        .p = p, .epoch = p->epoch, .items = items, .done = done, .arg = arg};
    states->gateway = str_dup(str_of(gateway));
    for (i = 0; i < items->len; i++) {
        if (picks && !picks(&items->all[i]))
            continue;
        if (chunk && (chunk->len == LEDGER_POOLS_MAX ||
                      strcmp(items->all[chunk->at[0]].account, items->all[i].account) != 0)) {
            send_chunk(chunk, again);
            chunk = NULL;
        }
        if (!chunk) {
            chunk = xcalloc(sizeof(*chunk));
            chunk->states = states;
            states->waiting++;
        }
        chunk->at[chunk->len++] = i;
    }
    if (chunk) {
        send_chunk(chunk, again);
        return states->waiting;
    }
    free(states->gateway);
    free(states);
    return 0;
}
