/* SPDX-License-Identifier: Apache-2.0 */
/*
 * play.h - random steps against the ledger: two accounts, gateways that ask, repeat themselves and die, nodes that
 * tell what runs, leaders that are deposed, limits that change. The model takes each step when it is
 * made up; the ledger's answer is compared when it comes.
 *
 * Owns:    struct play is the caller's; steps are kept in a ring, so that the last ones can be shown.
 * Threads: one.
 */
#ifndef HEARTH_TESTS_LEDGER_PLAY_H
#define HEARTH_TESTS_LEDGER_PLAY_H

#include <stdio.h>

#include "common/base/random.h"
#include "tests/ledger/model.h"

enum {
    ACCOUNTS = 2,
    STEPS_KEPT = 1024,
    FLIGHT_MAX = 256, /* sent and not answered yet */
    PAST_MAX = 256, /* messages that may come again */
};

enum step_kind {
    STEP_STATE,
    STEP_JOIN,
    STEP_GIVE_UP,
    STEP_ORPHANS,
    STEP_OPEN,
    STEP_READ,
    STEP_READY,
    STEP_REGISTRY, /* a limit changes */
    STEP_WORLD, /* tests/world.lua looks */
    STEP_KINDS,
};

/* A change of one document of the registry, with the counters that go with it. */
struct registry_step {
    char key[64], field[16], text[96]; /* text "": the field goes */
    int64_t reserved, provisioned; /* the account's counters before … */
    int64_t reserved_by, provisioned_by; /* … and what is added */
};

struct step {
    enum step_kind kind;
    uint64_t number;
    int account;
    struct model_at at;
    int gateway, fn, version;
    uint64_t run;
    size_t len; /* questions, or nodes */
    struct model_question questions[QUESTIONS_MAX];
    struct model_orphans nodes[NODES];
    struct registry_step registry;
    /* what must be answered */
    enum error_code code;
    struct ledger_answer answers[QUESTIONS_MAX];
    bool ready;
    struct model *state; /* STEP_READ */
};

/* What a gateway knows of itself. */
struct gateway_side {
    uint64_t held[POOLS], seq[POOLS];
    struct model_question newest[POOLS];
};

struct play_account {
    struct model model;
    uint64_t limit;
    struct gateway_side gateways[GATEWAYS];
    uint64_t node_seq[NODES][PROCESSES];
    struct step past[PAST_MAX]; /* states, orphans and opens of before */
    size_t past_len;
};

/* How often what happened: a play in which something never happens proves nothing about it. */
struct play_counts {
    uint64_t kinds[STEP_KINDS], codes[ERROR_CODE_MAX], bounds[LEDGER_ACCOUNT + 1];
    uint64_t grants, partial, drains, old, moved, again, ready, unready;
};

struct play {
    struct random random;
    struct play_account accounts[ACCOUNTS];
    struct step steps[STEPS_KEPT];
    uint64_t made;
    unsigned read_every; /* steps between two looks at all of it */
    unsigned confusion; /* four of so many steps have a term or an epoch that is not the newest */
    struct play_counts counts;
};

void play_init(struct play *p, uint64_t seed, unsigned read_every, unsigned confusion);
void play_done(struct play *p);
/** Makes up the next step; the model has taken it. */
struct step *play_next(struct play *p);
/** One line of what the step was and what must be answered. */
void step_print(FILE *to, const struct step *s);

/** Names of what the model has numbers for; into @ret, of NAME_BYTES. */
enum { NAME_BYTES = 40 };
void name_account(int account, char *ret);
void name_pool(int pool, char *ret);
void name_gateway(int gateway, char *ret);
void name_node(int node, char *ret);
void name_process(int process, char *ret);
const char *name_fn(int fn);

#endif
