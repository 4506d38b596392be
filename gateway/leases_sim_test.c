/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several gateways' leases against a small ledger, with messages that are late, lost, doubled or out of
 * order, recalls, changes of limits, gateways that are given up, epochs that end. Virtual time; the
 * seed is printed: LEASES_SEED=… repeats a run, LEASES_STEPS=… makes it longer.
 *
 * Always: what runs is never more than the account may run, what starts in a pool never more than the
 * limit that was acknowledged last. At the end, when all has come to rest: nothing is left anywhere, and all
 * of the limit can be had.
 */
#include "gateway/leases_sim.h"

#define STEPS 200000u

/* ---- gateways ---- */

static struct message *post(struct sim *sim)
{
    struct message *m;

    if (sim->messages_len == MESSAGES_MAX) /* the oldest one is lost */
        memmove(sim->messages, sim->messages + 1, --sim->messages_len * sizeof(*sim->messages));
    m = &sim->messages[sim->messages_len++];
    memset(m, 0, sizeof(*m));
    return m;
}

static void on_wake(void *arg)
{
    ((struct member *)arg)->woken = true;
}

static struct message *send_to_ledger(struct member *g, enum message_kind kind, uint64_t number,
                                      uint64_t epoch, const char *incarnation)
{
    struct message *m = post(g->sim);

    m->kind = kind;
    m->gateway = g->at;
    m->number = number;
    m->epoch = epoch;
    snprintf(m->incarnation, sizeof(m->incarnation), "%s", incarnation);
    return m;
}

static void on_join(const char *incarnation, uint64_t number, void *arg)
{
    send_to_ledger(arg, MSG_JOIN, number, 0, incarnation);
}

static void put_questions(struct message *m, const struct lease_question *questions, size_t len)
{
    size_t i;

    assert_in_range(len, 1, POOLS);
    memcpy(m->questions, questions, len * sizeof(*questions));
    for (i = 0; i < len; i++) /* their strings are borrowed */
        m->questions[i].pool = pool_at(questions[i].pool) == 0 ? STR("*") : STR("f");
    m->len = len;
}

static void on_ask(const char *incarnation, uint64_t epoch, uint64_t number,
                   const struct lease_question *questions, size_t len, void *arg)
{
    put_questions(send_to_ledger(arg, MSG_ASK, number, epoch, incarnation), questions, len);
}

static const struct leases_ops ops = {on_wake, on_join, on_ask};

static void turn(struct member *g)
{
    do {
        g->woken = false;
        g->next_us = leases_turn(g->l, g->sim->now_us);
    } while (g->woken);
}

static void send_run(struct run *run)
{
    run->state = RUN_ON_ITS_WAY;
    run->permit.is_sent = true;
    run->epoch = leases_epoch(run->gateway->l);
    snprintf(run->incarnation, sizeof(run->incarnation), "%s", leases_incarnation(run->gateway->l));
    run->is_before = false;
    run->is_orphan = false;
}

static void on_permit(struct permit_wait *w)
{
    struct run *run = CONTAINER_OF(w, struct run, wait);

    if (permit_is_held(&run->permit))
        send_run(run);
    else
        run->state = RUN_FREE; /* throttled, or void: the client is told */
}

static void begin_run(struct member *g)
{
    struct sim *sim = g->sim;
    struct str function;
    struct run *run = NULL;
    size_t i;
    int r, pool;

    for (i = 0; i < RUNS && !run; i++)
        if (g->runs[i].state == RUN_FREE)
            run = &g->runs[i];
    if (!run)
        return;
    memset(run, 0, sizeof(*run));
    run->gateway = g;
    run->function = (int)below(sim, 2);
    function = run->function ? STR("f") : STR("x");
    pool = run->function && sim->limit[1] > 0 ? 1 : 0;
    r = lease_take(g->pools[pool], function, sim->now_us, &run->permit);
    if (r == 0) {
        send_run(run);
    } else if (r == -ERR_NOT_READY) {
        run->state = RUN_WAITS;
        run->wait = (struct permit_wait){
            .permit = &run->permit, .function = function, .fn = on_permit};
        lease_wait(g->pools[pool], &run->wait);
    } else {
        sim->refusals++;
    }
}

/* Of those that are in @state, one. */
static struct run *pick_run(struct sim *sim, enum run_state state)
{
    size_t from = below(sim, GATEWAYS * RUNS), i, at;

    for (i = 0; i < GATEWAYS * RUNS; i++) {
        at = (from + i) % (GATEWAYS * RUNS);
        if (sim->members[at / RUNS].runs[at % RUNS].state == state)
            return &sim->members[at / RUNS].runs[at % RUNS];
    }
    return NULL;
}

/* ---- steps ---- */

/* A dispatch arrives at an invoker. */
static void arrive(struct sim *sim, struct run *run)
{
    const struct row *row;
    size_t i;
    bool known = false;

    if (run->epoch < sim->epoch) {
        run->state = RUN_FREE;
        leases_fenced(run->gateway->l, run->epoch, sim->now_us);
        permit_return(&run->permit);
        return;
    }
    for (i = 0; i < sim->rows_len; i++) {
        row = &sim->rows[i];
        known = known || (strcmp(row->incarnation, run->incarnation) == 0 && row->joined && !row->gone);
    }
    if (!known) { /* UNAVAILABLE; it is not tried again here */
        run->state = RUN_FREE;
        permit_return(&run->permit);
        return;
    }
    assert_true(permit_is_held(&run->permit));
    run->pool = pool_at(lease_pool_name(run->permit.pool));
    if (running_in(sim, run->pool) >= sim->promised[run->pool] && !run->is_before)
        fail_msg("one more than %d starts in pool %d", (int)sim->promised[run->pool], run->pool);
    run->state = RUN_RUNS;
    sim->starts++;
    check_running(sim);
}

static void end_run(struct sim *sim, struct run *run)
{
    run->state = RUN_FREE;
    if (run->is_orphan)
        sim->orphans[run->pool]--;
    permit_return(&run->permit);
}

static void serve_join(struct sim *sim, const struct message *m)
{
    struct member *g = &sim->members[m->gateway];
    struct row *row = row_of(sim, m->incarnation);
    struct error err = {.code = ERR_STALE};
    size_t i, len;

    if (!row->gone) { /* what it was before is given up */
        len = strcspn(m->incarnation, ".");
        for (i = 0; i < sim->rows_len; i++)
            if (&sim->rows[i] != row && strncmp(sim->rows[i].incarnation, m->incarnation, len + 1) == 0)
                give_up(sim, &sim->rows[i]);
        row->joined = true;
    }
    if (chance(sim, 5))
        err.code = ERR_UNAVAILABLE;
    if (row->gone || err.code == ERR_UNAVAILABLE)
        leases_joined(g->l, m->number, 0, &err, sim->now_us);
    else
        leases_joined(g->l, m->number, sim->epoch, NULL, sim->now_us);
}

static void serve_ask(struct sim *sim, const struct message *m)
{
    struct row *row = row_of(sim, m->incarnation);
    struct message *reply;
    struct lease_answer answers[POOLS];
    size_t len = 0;
    bool is_stale = row->gone || !row->joined || m->epoch != sim->epoch;

    if (!is_stale)
        len = ledger_state(sim, row, m->questions, m->len, answers);
    if (m->kind == MSG_STATEMENT)
        return;
    reply = post(sim);
    reply->kind = MSG_ANSWER;
    reply->gateway = m->gateway;
    reply->number = m->number;
    reply->failed = is_stale;
    reply->err.code = ERR_STALE;
    memcpy(reply->answers, answers, len * sizeof(*answers));
    reply->len = len;
}

/* Any message arrives: once, or once more later; or never, and the asker's patience ends. */
static void deliver(struct sim *sim)
{
    size_t at = sim->is_quiet || below(sim, 2) ? 0 : below(sim, sim->messages_len);
    struct message m = sim->messages[at];
    struct member *g = &sim->members[m.gateway];
    struct error lost = {.code = ERR_TIMEOUT};
    bool is_lost = chance(sim, 8);

    if (!chance(sim, 8)) {
        sim->messages_len--;
        memmove(&sim->messages[at], &sim->messages[at + 1],
                (sim->messages_len - at) * sizeof(struct message));
    }
    if (is_lost && m.kind == MSG_JOIN) {
        leases_joined(g->l, m.number, 0, &lost, sim->now_us);
    } else if (is_lost && m.kind == MSG_STATEMENT) {
        give_up(sim, row_of(sim, m.incarnation)); /* as one that does not answer a recall */
    } else if (is_lost) {
        leases_failed(g->l, m.number, &lost, sim->now_us);
    } else if (m.kind == MSG_JOIN) {
        serve_join(sim, &m);
    } else if (m.kind != MSG_ANSWER) {
        serve_ask(sim, &m);
    } else if (m.failed) {
        leases_failed(g->l, m.number, &m.err, sim->now_us);
    } else {
        for (at = 0; at < m.len; at++)
            sim->dry += m.answers[at].dry;
        leases_answered(g->l, m.number, m.answers, m.len, sim->now_us);
    }
}

static ssize_t recall(struct sim *sim, struct member *g, const struct lease_recall *recalls, size_t len,
                      const struct lease_move *moves, size_t moves_len, struct lease_question *told)
{
    ssize_t n = leases_recall(g->l, str_of(leases_incarnation(g->l)), sim->epoch, recalls, len, moves,
                              moves_len, sim->now_us, told, NULL);
    struct run *run;
    size_t i;

    /* a run is counted where its permit is now */
    for (i = 0; n >= 0 && i < RUNS; i++) {
        run = &g->runs[i];
        if (run->state == RUN_RUNS && !run->is_orphan && permit_is_held(&run->permit))
            run->pool = pool_at(lease_pool_name(run->permit.pool));
    }
    return n;
}

/* Idle permits of one pool, for others. */
static void recall_one(struct sim *sim)
{
    struct member *g = &sim->members[below(sim, GATEWAYS)];
    struct lease_recall one = {ACCOUNT, below(sim, 2) ? STR("*") : STR("f"), false};
    struct lease_question told[3];
    ssize_t n = recall(sim, g, &one, 1, NULL, 0, told);

    if (n > 0)
        put_questions(send_to_ledger(g, MSG_STATEMENT, 0, sim->epoch, leases_incarnation(g->l)),
                      told, (size_t)n);
}

/* "f" is reserved, or not any more: all answer, or are given up; then it is acknowledged. */
static void change_limit(struct sim *sim)
{
    const struct lease_recall both[] = {{ACCOUNT, STR("*"), true}, {ACCOUNT, STR("f"), true}};
    const struct lease_move move = {ACCOUNT, STR("f")};
    uint64_t reserved = below(sim, 2) ? below(sim, ALL) : 0;
    bool moves = sim->limit[1] == 0 && reserved > 0;
    struct lease_question told[4];
    struct lease_answer answers[POOLS];
    struct member *g;
    size_t i, j;
    ssize_t n;

    sim->limit[0] = ALL - reserved;
    sim->limit[1] = reserved;
    for (i = 0; i < GATEWAYS; i++) {
        g = &sim->members[i];
        n = chance(sim, 10) ? -1 : recall(sim, g, both, 2, &move, moves, told);
        if (n > 0 && !row_of(sim, leases_incarnation(g->l))->gone)
            ledger_state(sim, row_of(sim, leases_incarnation(g->l)), told, (size_t)n, answers);
        else
            give_up(sim, row_of(sim, leases_incarnation(g->l)));
        for (j = 0; j < RUNS; j++)
            g->runs[j].is_before = g->runs[j].state == RUN_ON_ITS_WAY;
    }
    sim->promised[0] = sim->limit[0];
    sim->promised[1] = sim->limit[1];
}

static void step(struct sim *sim)
{
    struct member *g = &sim->members[below(sim, GATEWAYS)];
    struct run *run = NULL;
    size_t i;

    switch (below(sim, 8)) {
    case 0:
    case 1:
        if (!sim->is_quiet)
            begin_run(g);
        break;
    case 2:
    case 3:
        if ((run = pick_run(sim, RUN_ON_ITS_WAY)))
            arrive(sim, run);
        break;
    case 4:
        if ((run = pick_run(sim, RUN_RUNS)))
            end_run(sim, run);
        break;
    case 5:
    case 6:
        if (sim->messages_len > 0)
            deliver(sim);
        break;
    default:
        sim->now_us += below(sim, 2) ? below(sim, MSEC(5)) : 0;
        if (chance(sim, 100))
            sim->now_us += below(sim, SECONDS(15));
    }
    if (chance(sim, 40))
        recall_one(sim);
    if (chance(sim, 400))
        change_limit(sim);
    if (chance(sim, 1500))
        recover(sim);
    if (chance(sim, 1500) && sim->rows_len > 0)
        give_up(sim, &sim->rows[below(sim, sim->rows_len)]);
    if (chance(sim, 100)) { /* its link comes and goes */
        g->is_up = !g->is_up;
        leases_link(g->l, g->is_up);
    }
    if ((run = pick_run(sim, RUN_WAITS)) && chance(sim, 50)) {
        permit_wait_cancel(&run->wait); /* its client leaves */
        permit_return(&run->permit);
        run->state = RUN_FREE;
    }
    for (i = 0; i < GATEWAYS; i++)
        if (sim->members[i].woken || sim->now_us >= sim->members[i].next_us)
            turn(&sim->members[i]);
    check_running(sim);
}

/* ---- the end ---- */

static void rest(struct sim *sim)
{
    struct member *g;
    size_t i;

    sim->is_quiet = true;
    for (i = 0; i < GATEWAYS; i++) {
        g = &sim->members[i];
        if (!g->is_up)
            leases_link(g->l, g->is_up = true);
    }
    for (i = 0; i < 20000; i++)
        step(sim);
    for (i = 0; i < 10; i++) {
        sim->now_us += LEASE_IDLE_US;
        while (sim->messages_len > 0)
            deliver(sim);
        for (g = sim->members; g < sim->members + GATEWAYS; g++)
            turn(g);
    }
    while (sim->messages_len > 0)
        deliver(sim);
}

static void expect_nothing_left(struct sim *sim)
{
    struct buf b = BUF_INIT(4096);
    size_t i;
    int pool;

    for (i = 0; i < RUNS * GATEWAYS; i++)
        assert_int_equal(sim->members[i / RUNS].runs[i % RUNS].state, RUN_FREE);
    for (pool = 0; pool < POOLS; pool++)
        assert_int_equal(pool_total(sim, pool), 0);
    for (i = 0; i < GATEWAYS; i++) {
        buf_clear(&b);
        leases_describe(sim->members[i].l, &b);
        assert_true(str_is(buf_str(&b), "[]"));
    }
    buf_done(&b);
}

/* One gateway can have all that there is. */
static void expect_all_to_be_had(struct sim *sim)
{
    struct member *g = &sim->members[below(sim, GATEWAYS)];
    uint64_t got = 0;
    size_t i;

    sim->limit[0] = sim->promised[0] = ALL;
    sim->limit[1] = sim->promised[1] = 0;
    for (i = 0; i < ALL; i++)
        begin_run(g);
    for (i = 0; i < 1000; i++) {
        turn(g);
        if (sim->messages_len > 0)
            deliver(sim);
        sim->now_us += MSEC(1);
    }
    for (i = 0; i < RUNS; i++) {
        got += permit_is_held(&g->runs[i].permit);
        permit_return(&g->runs[i].permit);
    }
    assert_int_equal(got, ALL);
}

static void what_runs_is_never_more_than_the_limits_whatever_happens(void **state)
{
    const char *seed = getenv("LEASES_SEED"), *steps = getenv("LEASES_STEPS");
    unsigned long n = steps ? strtoul(steps, NULL, 10) : STEPS, i;
    struct sim *sim = xcalloc(sizeof(*sim));
    struct member *g;
    uint64_t s;
    char id[8];

    (void)state;
    random_init(&sim->random);
    s = seed ? strtoull(seed, NULL, 10) : random_next(&sim->random);
    printf("LEASES_SEED=%llu\n", (unsigned long long)s);
    for (i = 0; i < 4; i++)
        sim->random.s[i] = s + i + 1;
    sim->rows = xcalloc(KNOWN_MAX * sizeof(*sim->rows));
    sim->now_us = SECONDS(1000);
    sim->epoch = 1;
    sim->limit[0] = sim->promised[0] = ALL;
    for (i = 0; i < GATEWAYS; i++) {
        g = &sim->members[i];
        g->sim = sim;
        g->at = (int)i;
        snprintf(id, sizeof(id), "g%lu", i);
        g->l = leases_new(id, &ops, g);
        g->pools[0] = leases_pool(g->l, ACCOUNT, STR("*"));
        g->pools[1] = leases_pool(g->l, ACCOUNT, STR("f"));
        leases_link(g->l, g->is_up = true);
    }
    for (i = 0; i < n; i++)
        step(sim);
    rest(sim);
    expect_nothing_left(sim);
    expect_all_to_be_had(sim);
    printf("%lu steps, %llu invocations began, %llu questions found too few, %llu invocations were "
           "refused at once\n",
           n, (unsigned long long)sim->starts, (unsigned long long)sim->dry,
           (unsigned long long)sim->refusals);
    assert_true(sim->starts > n / 100); /* it is no idle simulation */
    for (i = 0; i < GATEWAYS; i++) {
        g = &sim->members[i];
        lease_pool_unref(g->pools[0]);
        lease_pool_unref(g->pools[1]);
        leases_free(g->l);
    }
    free(sim->rows);
    free(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_runs_is_never_more_than_the_limits_whatever_happens),
    };

    return cmocka_run_group_tests_name("leases_sim", tests, NULL, NULL);
}
