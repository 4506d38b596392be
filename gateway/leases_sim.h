/* SPDX-License-Identifier: Apache-2.0 */
/* leases_sim.h - the world of leases_sim_test.c: who is in it, its ledger, and what its invokers run. */
#ifndef HEARTH_GATEWAY_LEASES_SIM_H
#define HEARTH_GATEWAY_LEASES_SIM_H

#include "gateway/leases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/alloc.h"
#include "common/base/random.h"

#define ACCOUNT STR("000000000000")
#define GATEWAYS 4
#define POOLS 2 /* "*", and "f", which may be reserved */
#define ALL 10u /* that the account may run */
#define RUNS 64 /* of each gateway: waiting, on their way or running */
#define KNOWN_MAX 4096 /* incarnations of a test */
#define MESSAGES_MAX 512

enum run_state { RUN_FREE, RUN_WAITS, RUN_ON_ITS_WAY, RUN_RUNS };

struct sim;
struct member;

/* An invocation, at its gateway and at the invoker at once. */
struct run {
    struct member *gateway;
    struct permit permit;
    struct permit_wait wait;
    enum run_state state;
    int function; /* 1: "f" */
    /* as the invoker sees it */
    uint64_t epoch;
    char incarnation[LEASE_INCARNATION_MAX];
    int pool; /* it is counted in */
    bool is_before; /* it was sent before the last change of a limit was acknowledged */
    bool is_orphan;
};

/* What the ledger knows of an incarnation. */
struct row {
    char incarnation[LEASE_INCARNATION_MAX];
    bool joined, gone;
    uint64_t lease[POOLS], seq[POOLS];
};

enum message_kind { MSG_JOIN, MSG_ASK, MSG_ANSWER, MSG_STATEMENT };

struct message {
    enum message_kind kind;
    int gateway;
    uint64_t number, epoch;
    char incarnation[LEASE_INCARNATION_MAX];
    struct lease_question questions[POOLS];
    struct lease_answer answers[POOLS];
    size_t len;
    bool failed;
    struct error err;
};

struct member {
    struct sim *sim;
    int at;
    struct leases *l;
    struct lease_pool *pools[POOLS];
    bool woken, is_up;
    uint64_t next_us;
    struct run runs[RUNS];
};

struct sim {
    struct random random;
    uint64_t now_us;
    struct member members[GATEWAYS];
    struct message messages[MESSAGES_MAX];
    size_t messages_len;
    /* the ledger */
    uint64_t epoch, limit[POOLS], orphans[POOLS];
    struct row *rows;
    size_t rows_len;
    uint64_t promised[POOLS]; /* as acknowledged */
    bool is_quiet; /* nothing is lost or begun any more */
    uint64_t starts, refusals, dry;
};

static uint64_t below(struct sim *sim, uint64_t n)
{
    return random_next(&sim->random) % n;
}

static bool chance(struct sim *sim, uint64_t one_in)
{
    return !sim->is_quiet && below(sim, one_in) == 0;
}

static int pool_at(struct str name)
{
    return str_is(name, "*") ? 0 : 1;
}

/* ---- the ledger ---- */

static struct row *row_of(struct sim *sim, const char *incarnation)
{
    size_t i;

    for (i = sim->rows_len; i-- > 0;)
        if (strcmp(sim->rows[i].incarnation, incarnation) == 0)
            return &sim->rows[i];
    assert_true(sim->rows_len < KNOWN_MAX);
    sim->rows[sim->rows_len] = (struct row){0};
    snprintf(sim->rows[sim->rows_len].incarnation, LEASE_INCARNATION_MAX, "%s", incarnation);
    return &sim->rows[sim->rows_len++];
}

static uint64_t pool_total(const struct sim *sim, int pool)
{
    uint64_t sum = sim->orphans[pool];
    size_t i;

    for (i = 0; i < sim->rows_len; i++)
        sum += sim->rows[i].lease[pool];
    return sum;
}

static uint64_t room(const struct sim *sim, int pool)
{
    uint64_t total = pool_total(sim, 0) + pool_total(sim, 1), mine = pool_total(sim, pool);
    uint64_t of_pool = mine < sim->limit[pool] ? sim->limit[pool] - mine : 0;
    uint64_t of_all = total < ALL ? ALL - total : 0;

    return of_pool < of_all ? of_pool : of_all;
}

/* The script: first less, of all, then more. */
static size_t ledger_state(struct sim *sim, struct row *row, const struct lease_question *questions,
                           size_t len, struct lease_answer *answers)
{
    size_t i, told = 0;
    uint64_t more;
    bool is_new[POOLS] = {false};
    int pool;

    for (i = 0; i < len; i++) {
        pool = pool_at(questions[i].pool);
        is_new[i] = questions[i].seq > row->seq[pool];
        if (!is_new[i])
            continue;
        row->seq[pool] = questions[i].seq;
        if (questions[i].held < row->lease[pool] || questions[i].moved)
            row->lease[pool] = questions[i].held;
    }
    for (i = 0; i < len; i++) {
        const struct lease_question *q = &questions[i];

        if (!is_new[i])
            continue;
        pool = pool_at(q->pool);
        if (q->want > row->lease[pool]) {
            more = room(sim, pool);
            if (more > q->want - row->lease[pool])
                more = q->want - row->lease[pool];
            row->lease[pool] += more;
        }
        answers[told] = (struct lease_answer){
            .account = ACCOUNT,
            .pool = pool == 0 ? STR("*") : STR("f"),
            .seq = q->seq,
            .more = row->lease[pool] > q->held ? row->lease[pool] - q->held : 0,
            .drain = pool_total(sim, pool) > sim->limit[pool],
            .dry = row->lease[pool] < q->need};
        told++;
    }
    return told;
}

/* ---- invokers ---- */

static void check_running(struct sim *sim)
{
    unsigned running = 0;
    size_t g, i;

    for (g = 0; g < GATEWAYS; g++)
        for (i = 0; i < RUNS; i++)
            running += sim->members[g].runs[i].state == RUN_RUNS;
    if (running > ALL)
        fail_msg("%u run", running);
}

static unsigned running_in(const struct sim *sim, int pool)
{
    unsigned running = 0;
    size_t g, i;

    for (g = 0; g < GATEWAYS; g++)
        for (i = 0; i < RUNS; i++)
            running += sim->members[g].runs[i].state == RUN_RUNS &&
                       sim->members[g].runs[i].pool == pool;
    return running;
}

/* What runs of @incarnation (NULL: of all) is nobody's from now on. */
static void make_orphans(struct sim *sim, const char *incarnation)
{
    struct run *run;
    size_t g, i;

    for (g = 0; g < GATEWAYS; g++) {
        for (i = 0; i < RUNS; i++) {
            run = &sim->members[g].runs[i];
            if (run->state != RUN_RUNS || run->is_orphan ||
                (incarnation && strcmp(run->incarnation, incarnation) != 0))
                continue;
            run->is_orphan = true;
            sim->orphans[run->pool]++;
        }
    }
}

static void give_up(struct sim *sim, struct row *row)
{
    if (row->gone)
        return;
    row->gone = true; /* refused at every invoker from now on */
    make_orphans(sim, row->incarnation);
    memset(row->lease, 0, sizeof(row->lease));
}

/* The ledger may have lost writes: a new epoch, nobody has anything. */
static void recover(struct sim *sim)
{
    sim->epoch += 1 + below(sim, 3);
    make_orphans(sim, NULL);
    sim->rows_len = 0;
}

#endif
