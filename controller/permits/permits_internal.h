/* SPDX-License-Identifier: Apache-2.0 */
/*
 * permits_internal.h - the permit service as its own files see it:
 *
 *   permits.c         life, accounts, calls that go to one of the others
 *   recovery.c        from a new connection to Redis to an open ledger
 *   fences.c          invokers are told whom they may run for
 *   orphans.c         what they tell of runs on nobody's lease, written down
 *   gateways_known.c  joining, being away, being given up
 *   states.c          what gateways say of pools, taken to the ledgers
 *   permit_asks.c     questions about pools
 *   recalls.c         idle permits that others need
 *   limit_change.c    limits that change
 *
 * They work by reconciling: an event changes what is known and calls permits_soon(); then each file's
 * _proceed() looks at all that is known and does what can be done next. So nothing depends on the
 * order of answers, and what failed is tried again by the same way.
 *
 * Threads: loop thread only.
 */
#ifndef HEARTH_CONTROLLER_PERMITS_PERMITS_INTERNAL_H
#define HEARTH_CONTROLLER_PERMITS_PERMITS_INTERNAL_H

#include "common/base/alloc.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/map.h"
#include "controller/permits/node_lives.h"
#include "controller/permits/permits.h"

enum permits_state {
    PERMITS_OFF, /* does not lead */
    PERMITS_AWAY, /* Redis is */
    PERMITS_CHECKING, /* which Redis it is, what the ledgers say */
    PERMITS_FENCING, /* recovery: the invokers are raised to the new epoch */
    PERMITS_OPENING, /* recovery: what they told is written, ledgers opened */
    PERMITS_OPEN,
    PERMITS_STATE_MAX,
};

struct permits {
    struct permits_options o;
    struct ledger *ledger;
    enum permits_state state;
    uint64_t round; /* grows with every change of state: answers of an earlier one do not count */
    uint64_t term;
    uint64_t epoch; /* of the ledgers; 0: none was found or made yet */
    uint64_t epoch_heard; /* the greatest that anybody has named */
    uint64_t opened; /* the epoch that this leader has opened or taken over */
    char run[128]; /* of the Redis behind the connection */
    char warned_run[128]; /* the user was told that it may have another one beside it */
    uint64_t found; /* CHECKING: the epoch of the ledgers; 0: none is known yet */
    bool misfits; /* CHECKING: one of them is of another epoch or Redis */
    unsigned waiting; /* answers, in states that wait for several */
    bool has_failed; /* one of them was an error, or does not fit */
    struct list_node accounts; /* struct permit_account */

    struct node_lives nodes;
    uint64_t number; /* of the list of gateways, as invokers are told */

    struct list_node gateways; /* struct gateway_known */
    unsigned gateways_told; /* how many on_gateways() was called with */

    struct map scopes; /* struct recall_scope: recalls under way, pools found dry */
    struct list_node recalls; /* struct recall: answered, not written down yet */
    struct list_node changes; /* struct limit_change */

    struct timer proceed; /* at the end of the turn */
    struct timer look; /* when time alone changes something */
};

/* An account and its ledger. */
struct permit_account {
    struct list_node node;
    char *name;
    bool is_open; /* in this epoch */
    bool is_opening;
};

enum gateway_state { GATEWAY_JOINING, GATEWAY_JOINED, GATEWAY_LEAVING };

/* An incarnation of a gateway that may hold leases. */
struct gateway_known {
    struct list_node node;
    char *id;
    enum gateway_state state;
    uint64_t peer; /* number of its link; 0: it is away */
    uint64_t lost_us; /* since then */
    uint64_t number; /* of the list that it came or went with */
    bool has_joined; /* once: it may have been granted something */
    bool is_in_ledgers; /* JOINING: they have taken it */
    bool is_listed; /* invokers are told of it; never before the ledgers have taken it: it may have been given up */
    bool is_writing; /* to the ledgers: that it joins or is given up */
    bool has_failed; /* something of that */
    unsigned waiting; /* answers of ledgers */
    struct map leases; /* "account\npool" -> struct gateway_lease: as the ledger has them */
    struct list_node joins; /* its questions that wait */
};

struct gateway_lease {
    char *account, *pool;
    uint64_t count;
};

/* ---- permits.c ---- */

/** All _proceed() functions, at the end of this turn. */
void permits_soon(struct permits *p);
/** The same at @after_us from now at the latest. */
void permits_later(struct permits *p, uint64_t after_us);
void permits_set_state(struct permits *p, enum permits_state state);
/** A leader with @term, or with a greater one than ours, has been here. */
void permits_deposed(struct permits *p, uint64_t term);
/** What an error of the ledger means for all: another term, another epoch; or nothing. */
void permits_ledger_failed(struct permits *p, const struct error *err);
struct ledger_at permits_at(const struct permits *p, const char *account);
struct permit_account *permits_account(struct permits *p, struct str name);
/** Remembers the account; one that is new is opened soon. */
struct permit_account *permits_account_add(struct permits *p, struct str name);
void permits_refuse(struct rpc_request *rpc, enum error_code code, const char *text);

/* ---- recovery.c ---- */

/** Looks which Redis it is and what the ledgers say: the connection is new, or one was found closed. */
void recovery_check(struct permits *p);
/** An invoker knows epoch @heard: another one, greater than that, is needed. */
void recovery_raise(struct permits *p, uint64_t heard);
void recovery_proceed(struct permits *p);
/** Opens ledgers of accounts that came later. */
void recovery_open_accounts(struct permits *p);
/** A number never used before, and greater than @heard. @random: its lowest 20 bits count. */
uint64_t recovery_epoch(uint64_t unix_s, uint64_t random, uint64_t heard);
/** The Redis behind an answer of INFO, "<run id>/<replication id>"; -ERR_UNAVAILABLE: it is no primary. */
int recovery_run(struct str info, char *ret, size_t room, struct error *err);
/** Whether that Redis would go on by itself while one of its replicas is the primary of others: then a leader on its
 * side holds on to its place, and to the leases of invokers that the other side takes for dead. */
bool recovery_may_split(struct str info);

/* ---- fences.c ---- */

/** Another list of gateways is told from now on; its number. */
uint64_t fences_change(struct permits *p);
/** Whether every node that may run something has answered list @number or a newer one. */
bool fences_are_told(const struct permits *p, uint64_t number);
/** The same of those that have a link now. */
bool fences_are_told_here(const struct permits *p, uint64_t number);
void fences_proceed(struct permits *p);

/* ---- orphans.c ---- */

/** The node has told of itself (given away); an older message than that before does not count. */
void orphans_take(struct permits *p, struct node_life *node, struct permit_orphans *orphans);
/** Whether what each node told with its answer to a list is in the ledger. */
bool orphans_are_written(const struct permits *p);
void orphans_proceed(struct permits *p);

/* ---- gateways_known.c ---- */

struct gateway_known *gateways_find(const struct permits *p, struct str id);
/** One that a ledger knows: an earlier leader's. */
struct gateway_known *gateways_add_known(struct permits *p, struct str id);
/** It has joined or asks over this link. */
void gateways_heard(struct permits *p, struct gateway_known *g, const struct peer *peer);
/** Ends its right to run anything; gone when that is written down. */
void gateways_give_up(struct permits *p, struct gateway_known *g, const char *why);
/** A ledger does not know it, as that was opened later: it joins again. */
void gateways_rejoin(struct permits *p, struct gateway_known *g);
/** All are forgotten: the epoch they were of is over. */
void gateways_forget(struct permits *p);
void gateways_join(struct permits *p, struct rpc_request *rpc, const struct peer *peer,
                   struct str id);
/** A link is lost. */
void gateways_lost(struct permits *p, uint64_t peer);
void gateways_proceed(struct permits *p);
void gateways_set_lease(struct gateway_known *g, struct str account, struct str pool,
                        uint64_t count);
/** Ends what waits to join with @code. */
void gateways_refuse_joins(struct permits *p, enum error_code code, const char *text);

/* ---- states.c ---- */

typedef void states_done_fn(const struct error *err, void *arg);
/**
 * Takes the items that @picks (NULL: all) to the ledgers, one script for each account, and keeps the
 * answers in them; they must stay until @done, which gets the first error. Returns how many scripts
 * there are: with 0 there was nothing to take, and @done is not called.
 */
unsigned states_send(struct permits *p, const char *gateway, struct permit_items *items,
                     bool (*picks)(const struct permit_item *item), bool again,
                     states_done_fn *done, void *arg);

/* ---- permit_asks.c ---- */

struct permit_ask;

void asks_serve(struct permits *p, struct rpc_request *rpc, const cJSON *args);
/** One of the things that the question waits for is over. */
void asks_wake(struct permit_ask *ask);
/** The gateway that asks. */
const char *asks_gateway(const struct permit_ask *ask);

/* Questions that wait for the same thing. */
struct ask_waiter {
    struct list_node node;
    struct permit_ask *ask;
};
void asks_wait(struct list_node *waiters, struct permit_ask *ask);
/** Wakes all; the list is empty then. */
void asks_wake_all(struct list_node *waiters);

/* ---- recalls.c ---- */

/**
 * @ask is short of what @item is: asks others for what is idle there, or waits for the recall under
 * way; asks_wake() comes later. False: there is nothing to be had.
 */
bool recalls_begin(struct permits *p, struct permit_ask *ask, const struct permit_item *item);
/** Whether somebody waits for what others give back of the item's pool, function or account. */
bool recalls_are_under_way(const struct permits *p, const struct permit_item *item);
/** It was short even after that: not recalled again for a while. */
void recalls_dry(struct permits *p, const struct permit_item *item);
/**
 * Asks @g to give up what is idle of @pools and to move @moves (given away both; @moves may be NULL); what it
 * says is written down, until Redis takes it or the epoch is over. @done then; @err: it did not answer.
 */
void recalls_send(struct permits *p, struct gateway_known *g, cJSON *pools, cJSON *moves,
                  uint64_t timeout_us, states_done_fn *done, void *arg);
/** An item of @pools. */
void recalls_add_pool(cJSON *pools, const char *account, const char *pool, bool drain);
void recalls_proceed(struct permits *p);
/** The ledger is not open any more: questions wait for no recall. */
void recalls_give_up(struct permits *p);
/** The service ends: frees what is kept of pools that were dry. */
void recalls_free(struct permits *p);

/* ---- limit_change.c ---- */

/** Whether pools of the item's function are held back now. */
bool limit_change_holds(const struct permits *p, const struct permit_item *item);
/** @ask waits until the change of the item's function is over. False: none is under way, or for too long. */
bool limit_change_wait(struct permits *p, struct permit_ask *ask, const struct permit_item *item);
void limit_change_proceed(struct permits *p);
/** Ends them all: nobody leads them any more. */
void limit_change_end_all(struct permits *p);

#endif
