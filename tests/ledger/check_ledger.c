/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_ledger - `make check-ledger`: a million random steps through controller/permits/ledger.h on a real Redis, every
 * answer compared with the model's (model.h) and every so often all of the ledger; then the same, until it is found,
 * with scripts that lack one guard.
 *
 * check_ledger [--steps N] [--seed S] [--no-mutants]
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "controller/permits/ledger_lua.h"
#include "controller/redis_fixture.h"
#include "controller/store/docs.h"
#include "controller/store/fn_view.h"
#include "tests/ledger/mutants.h"
#include "tests/ledger/play.h"

#define STEPS 1000000u
#define READ_EVERY 97u /* a look at all of the ledger is worth some fifty steps */
#define CONFUSION 150u
#define MUTANT_STEPS 200000u
#define MUTANT_READ_EVERY 16u
#define MUTANT_CONFUSION 24u
#define SHOWN 40u /* last steps of a failure */
#define ANSWER_US SECONDS(60)

static struct {
    struct redis_fixture server;
    struct loop *loop;
    struct redis *redis;
    struct ledger *ledger;
    struct play play;
    char *world; /* the text of tests/world.lua */
    uint64_t answered;
    bool failed, late;
    uint64_t failed_at;
    char why[256];
} check;

/* ---- what is wrong ---- */

static void wrong(const struct step *s, const char *fmt, ...) PRINTF_FORMAT(2, 3);
static void wrong(const struct step *s, const char *fmt, ...)
{
    va_list args;

    if (check.failed)
        return; /* what follows follows from it */
    check.failed = true;
    check.failed_at = s->number;
    va_start(args, fmt);
    vsnprintf(check.why, sizeof(check.why), fmt, args);
    va_end(args);
}

static void show_failure(uint64_t seed)
{
    uint64_t i = check.failed_at >= SHOWN ? check.failed_at - SHOWN + 1 : 0;

    printf("FAILED at step %" PRIu64 " of seed %" PRIu64 ": %s\nthe last steps, and what must be answered:\n",
           check.failed_at, seed, check.why);
    for (; i <= check.failed_at; i++)
        step_print(stdout, &check.play.steps[i % STEPS_KEPT]);
}

/* ---- answers ---- */

static bool code_is_right(const struct step *s, const struct error *err)
{
    enum error_code code = err ? err->code : ERR_OK;

    if (code != s->code)
        wrong(s, "it is answered by %s: %.150s", error_code_name(code), err ? err->msg : "");
    return code == s->code;
}

static void answered(void)
{
    check.answered++;
    loop_stop(check.loop);
}

static void on_done(const struct error *err, void *arg)
{
    code_is_right(arg, err);
    answered();
}

static void on_state(const struct ledger_answer *answers, size_t len, const struct error *err,
                     void *arg)
{
    const struct step *s = arg;
    size_t i;

    if (code_is_right(s, err) && !err) {
        for (i = 0; i < s->len && i < len; i++)
            if (answers[i].old != s->answers[i].old || answers[i].more != s->answers[i].more ||
                answers[i].lease != s->answers[i].lease || answers[i].drain != s->answers[i].drain ||
                answers[i].bound != s->answers[i].bound)
                wrong(s, "question %zu is answered by old %d, more %" PRIu64 ", lease %" PRIu64 ", bound %d, drain %d",
                     i + 1, answers[i].old, answers[i].more, answers[i].lease, answers[i].bound,
                     answers[i].drain);
        if (len != s->len)
            wrong(s, "%zu answers", len);
    }
    answered();
}

static void on_ready(bool ready, const struct error *err, void *arg)
{
    const struct step *s = arg;

    if (code_is_right(s, err) && ready != s->ready)
        wrong(s, "it says %d", ready);
    answered();
}

/* ---- all of the ledger ---- */

/* The number behind a name; one that is none of ours is wrong, and taken for the first. */
static int number_of(struct str text, void (*name)(int, char *), int count, const struct step *s)
{
    static int last; /* what is asked for comes in runs */
    char is[NAME_BYTES];
    int i;

    for (i = 0; i < count; i++) {
        name((last + i) % count, is);
        if (str_is(text, is))
            return last = (last + i) % count;
    }
    wrong(s, "it has a \"%.*s\"", (int)(text.len < 100 ? text.len : 100), text.ptr);
    return 0;
}

static int pool_of(struct str text, const struct step *s)
{
    return number_of(text, name_pool, POOLS, s);
}

/* Whether its sums are those of its own leases and orphans, whatever the model says. */
static bool adds_up(const struct ledger_view *view, const struct step *s)
{
    uint64_t sums[POOLS] = {0}, total = 0;
    size_t i, j;

    for (i = 0; i < view->leases_len; i++)
        sums[pool_of(view->leases[i].pool, s)] += view->leases[i].count;
    for (i = 0; i < view->nodes_len; i++)
        for (j = 0; j < view->nodes[i].len; j++)
            sums[pool_of(view->nodes[i].counts[j].pool, s)] +=
                view->nodes[i].counts[j].count;
    for (i = 0; i < view->pools_len; i++) {
        int pool = pool_of(view->pools[i].pool, s);

        if (view->pools[i].count == 0 || view->pools[i].count != sums[pool])
            return false;
        sums[pool] = 0;
        total += view->pools[i].count;
    }
    for (i = 0; i < POOLS; i++)
        if (sums[i])
            return false;
    return total == view->total;
}

static bool leases_are(const struct ledger_view *view, const struct model *m, const struct step *s)
{
    size_t i, joined = 0, numbered = 0;
    int g, pool;

    for (g = 0; g < GATEWAYS; g++) {
        joined += m->gateways[g].is == GATEWAY_JOINED;
        for (pool = 0; pool < POOLS; pool++)
            numbered += m->gateways[g].seq[pool] > 0;
    }
    for (i = 0; i < view->gateways_len; i++) {
        g = number_of(view->gateways[i], name_gateway, GATEWAYS, s);
        if (m->gateways[g].is != GATEWAY_JOINED)
            return false;
    }
    for (i = 0; i < view->leases_len; i++) {
        const struct ledger_lease *lease = &view->leases[i];

        g = number_of(lease->gateway, name_gateway, GATEWAYS, s);
        pool = pool_of(lease->pool, s);
        if (m->gateways[g].lease[pool] != lease->count || m->gateways[g].seq[pool] != lease->seq)
            return false;
    }
    return view->gateways_len == joined && view->leases_len == numbered;
}

static bool nodes_are(const struct ledger_view *view, const struct model *m, const struct step *s)
{
    size_t i, j, known = 0, pools;
    int node, pool;

    for (node = 0; node < NODES; node++)
        known += m->nodes[node].is_known;
    for (i = 0; i < view->nodes_len; i++) {
        const struct ledger_orphans *is = &view->nodes[i];

        node = number_of(is->node, name_node, NODES, s);
        if (!m->nodes[node].is_known || m->nodes[node].seq != is->seq ||
            m->nodes[node].process != number_of(is->incarnation, name_process, PROCESSES, s))
            return false;
        for (pool = 0, pools = 0; pool < POOLS; pool++)
            pools += m->nodes[node].orphans[pool] > 0;
        for (j = 0; j < is->len; j++)
            if (m->nodes[node].orphans[pool_of(is->counts[j].pool, s)] !=
                is->counts[j].count)
                return false;
        if (pools != is->len)
            return false;
    }
    return view->nodes_len == known;
}

static bool pools_are(const struct ledger_view *view, const struct model *m, const struct step *s)
{
    size_t i;

    for (i = 0; i < view->pools_len; i++)
        if (view->pools[i].count !=
            model_pool_total(m, pool_of(view->pools[i].pool, s)))
            return false;
    return view->total == model_total(m);
}

static void on_read(const struct ledger_view *view, const struct error *err, void *arg)
{
    const struct step *s = arg;
    const struct model *m = s->state;
    uint64_t run = 0;

    if (code_is_right(s, err) && view) {
        str_parse_u64(view->run, &run);
        if (view->term != m->term || view->epoch != m->epoch || run != m->run)
            wrong(s, "it is of term %" PRIu64 ", epoch %" PRIu64 ", run %" PRIu64, view->term,
                 view->epoch, run);
        if (!leases_are(view, m, s))
            wrong(s, "its leases are not the model's");
        if (!nodes_are(view, m, s))
            wrong(s, "its orphans are not the model's");
        if (!adds_up(view, s))
            wrong(s, "its sums are not those of its leases and orphans");
        if (!pools_are(view, m, s))
            wrong(s, "its sums are not the model's");
    }
    answered();
}

/* Of a registry that has no functions' own documents only this part is whole. */
static void on_world(const struct redis_value *value, const struct error *err, void *arg)
{
    const struct step *s = arg;
    size_t i;

    if (err)
        wrong(s, "tests/world.lua: %.200s", err->msg);
    for (i = 0; !err && i < value->len; i++)
        if (str_starts(value->items[i].str, STR("permits")))
            wrong(s, "tests/world.lua: %.*s", STR_ARG(value->items[i].str));
    answered();
}

/* ---- steps ---- */

static void send_state(struct step *s, const struct ledger_at *at, struct str gateway)
{
    struct ledger_question questions[QUESTIONS_MAX];
    char names[QUESTIONS_MAX][NAME_BYTES];
    size_t i;

    for (i = 0; i < s->len; i++) {
        const struct model_question *q = &s->questions[i];

        name_pool(q->pool, names[i]);
        questions[i] = (struct ledger_question){str_of(names[i]), q->seq, q->held, q->want, q->moved, q->again};
    }
    ledger_state(check.ledger, at, gateway, questions, s->len, on_state, s);
}

/* Sends all nodes of @s, by ledger_open() or the only one by ledger_set_orphans(). */
static void send_nodes(struct step *s, const struct ledger_at *at)
{
    struct ledger_count counts[NODES][POOLS];
    struct ledger_orphans nodes[NODES];
    char pools[POOLS][NAME_BYTES], ids[NODES][NAME_BYTES], processes[NODES][NAME_BYTES], run[24];
    size_t i;
    int pool;

    for (pool = 0; pool < POOLS; pool++)
        name_pool(pool, pools[pool]);
    for (i = 0; i < s->len; i++) {
        name_node(s->nodes[i].node, ids[i]);
        name_process(s->nodes[i].process, processes[i]);
        nodes[i] = (struct ledger_orphans){str_of(ids[i]), str_of(processes[i]), s->nodes[i].seq, counts[i], 0};
        for (pool = 0; pool < POOLS; pool++)
            if (s->nodes[i].counts[pool])
                counts[i][nodes[i].len++] = (struct ledger_count){str_of(pools[pool]), s->nodes[i].counts[pool]};
    }
    snprintf(run, sizeof(run), "%" PRIu64, s->run);
    if (s->kind == STEP_OPEN)
        ledger_open(check.ledger, at, str_of(run), nodes, s->len, on_done, s);
    else
        ledger_set_orphans(check.ledger, at, &nodes[0], on_done, s);
}

static void send_registry(struct step *s, struct str account)
{
    struct docs_commit *commit = docs_commit_new(check.redis, account);
    const struct registry_step *r = &s->registry;

    docs_expect_counter(commit, FN_RESERVED_KEY, r->reserved);
    docs_expect_counter(commit, FN_PROVISIONED_KEY, r->provisioned);
    if (r->text[0])
        docs_set(commit, r->key, str_of(r->field), str_of(r->text));
    else
        docs_unset(commit, r->key, str_of(r->field));
    if (r->reserved_by)
        docs_count(commit, FN_RESERVED_KEY, r->reserved_by);
    if (r->provisioned_by)
        docs_count(commit, FN_PROVISIONED_KEY, r->provisioned_by);
    docs_commit_run(commit, on_done, s);
}

static void send_world(struct step *s, const char *account)
{
    CLEANUP(freep) char *prefix = str_printf("hearth:{%s}:", account);
    struct str words[] = {STR("EVAL"), str_of(check.world), STR("0"), str_of(prefix)};

    redis_command(check.redis, words, ARRAY_LEN(words), on_world, s);
}

static void step_send(struct step *s)
{
    char account[NAME_BYTES], gateway[NAME_BYTES], version[NAME_BYTES];
    struct ledger_at at = {.account_limit = s->at.limit, .term = s->at.term, .epoch = s->at.epoch};

    name_account(s->account, account);
    name_gateway(s->gateway, gateway);
    snprintf(version, sizeof(version), "%d", s->version);
    at.account = str_of(account);
    switch (s->kind) {
    case STEP_STATE:
        send_state(s, &at, str_of(gateway));
        break;
    case STEP_JOIN:
        ledger_join(check.ledger, &at, str_of(gateway), on_done, s);
        break;
    case STEP_GIVE_UP:
        ledger_give_up(check.ledger, &at, str_of(gateway), on_done, s);
        break;
    case STEP_ORPHANS:
    case STEP_OPEN:
        send_nodes(s, &at);
        break;
    case STEP_READ:
        ledger_read(check.ledger, &at, on_read, s);
        break;
    case STEP_READY:
        ledger_class_ready(check.ledger, &at, str_of(name_fn(s->fn)), str_of(version), on_ready, s);
        break;
    case STEP_REGISTRY:
        send_registry(s, at.account);
        break;
    case STEP_WORLD:
    case STEP_KINDS:
        send_world(s, account);
        break;
    }
}

static void on_late(void *arg)
{
    (void)arg;
    check.late = true;
    loop_stop(check.loop);
}

static void wait_for(uint64_t answers)
{
    struct timer guard;

    timer_init(&guard, check.loop, on_late, NULL);
    timer_start(&guard, ANSWER_US);
    while (check.answered < answers && !check.late)
        loop_run(check.loop);
    timer_stop(&guard);
    if (check.late) {
        printf("check-ledger: Redis does not answer\n");
        exit(1);
    }
}

/* Until something is wrong, or @steps are over. */
static void play(uint64_t seed, uint64_t steps, unsigned read_every, unsigned confusion)
{
    uint64_t i;

    play_init(&check.play, seed, read_every, confusion);
    check.failed = false;
    check.answered = 0;
    for (i = 0; i < steps && !check.failed; i++) {
        step_send(play_next(&check.play));
        if ((i + 1) % (FLIGHT_MAX / 2) == 0 && i + 1 > FLIGHT_MAX / 2)
            wait_for(i + 1 - FLIGHT_MAX / 2);
    }
    wait_for(i);
}

/* ---- Redis ---- */

static char *reply_text;

static void on_reply(const struct redis_value *value, const struct error *err, void *arg)
{
    (void)arg;
    free(reply_text);
    reply_text = err ? NULL : str_dup(value->str);
    answered();
}

/* One command; its answer if that is a text. */
static const char *command(const struct str *words, size_t len)
{
    check.answered = 0;
    redis_command(check.redis, words, len, on_reply, NULL);
    wait_for(1);
    return reply_text;
}

/*
 * An empty Redis that knows all scripts: one that it does not know is sent a second time as a whole, behind what was
 * sent after it, and the order of steps would not be the model's.
 */
static void make_ready(void)
{
    static struct redis_script *const scripts[] = {
        &lua_ledger_state, &lua_ledger_join, &lua_ledger_give_up, &lua_ledger_orphans,
        &lua_ledger_open, &lua_ledger_read, &lua_ledger_ready};
    struct step change = {.registry = {.key = "fn:f:settings", .field = "tags", .text = "{}"}};
    struct str words[] = {STR("FLUSHALL")};
    size_t i;

    for (i = 0; i < ARRAY_LEN(scripts); i++) {
        struct str load[] = {STR("SCRIPT"), STR("LOAD"), str_of(scripts[i]->source)};

        command(load, ARRAY_LEN(load));
    }
    check.answered = 0;
    send_registry(&change, STR("000000000000"));
    wait_for(1);
    command(words, ARRAY_LEN(words));
}

static bool begin(const char *world)
{
    struct redis_options options = {.command_timeout_us = ANSWER_US, .patience_us = ANSWER_US};
    CLEANUP(buf_done) struct buf text = BUF_INIT(1 << 20);

    if (!fixture_is_possible()) {
        printf("check-ledger: there is no " FIXTURE_SERVER ": scripts/setup.sh test installs it\n");
        return false;
    }
    if (file_read(world, &text, NULL) < 0) {
        printf("check-ledger: cannot read %s: run it from the repository's folder\n", world);
        return false;
    }
    check.world = buf_take(&text);
    if (!fixture_new(&check.server) || !fixture_start_in_memory(&check.server))
        return false;
    options.url = check.server.url;
    check.loop = loop_new();
    check.ledger = NULL;
    if (redis_new(check.loop, &options, &check.redis, NULL) < 0)
        return false;
    check.ledger = ledger_new(check.loop, check.redis);
    return true;
}

static void end(void)
{
    redis_free(check.redis);
    ledger_free(check.ledger);
    loop_free(check.loop);
    fixture_done(&check.server);
    free(check.world);
    free(reply_text);
}

/* ---- what is shown ---- */

/* Whether each of the things that the play is for did happen. */
static bool everything_happened(const struct play_counts *c)
{
    const uint64_t must[] = {
        c->grants, c->partial, c->drains, c->old, c->moved, c->again, c->ready, c->unready,
        c->bounds[LEDGER_ENOUGH], c->bounds[LEDGER_POOL], c->bounds[LEDGER_FUNCTION], c->bounds[LEDGER_ACCOUNT],
        c->codes[ERR_CONFLICT], c->codes[ERR_STALE], c->codes[ERR_NOT_FOUND], c->codes[ERR_PRECONDITION]};
    bool all = true;
    size_t i;

    for (i = 0; i < STEP_KINDS; i++)
        all = all && c->kinds[i] > 0;
    for (i = 0; i < ARRAY_LEN(must); i++)
        all = all && must[i] > 0;
    printf("  states %" PRIu64 ": granted %" PRIu64 ", in part %" PRIu64 ", old %" PRIu64 ", drain %" PRIu64
           ", moved %" PRIu64 ", more when asked again %" PRIu64 "\n",
           c->kinds[STEP_STATE], c->grants, c->partial, c->old, c->drains, c->moved, c->again);
    printf("  bounded by pool %" PRIu64 ", function %" PRIu64 ", account %" PRIu64 "; refused: deposed %" PRIu64
           ", closed %" PRIu64 ", not joined %" PRIu64 ", given up %" PRIu64 "\n",
           c->bounds[LEDGER_POOL], c->bounds[LEDGER_FUNCTION], c->bounds[LEDGER_ACCOUNT],
           c->codes[ERR_CONFLICT], c->codes[ERR_STALE], c->codes[ERR_NOT_FOUND],
           c->codes[ERR_PRECONDITION]);
    printf("  limits changed %" PRIu64 " times, opened %" PRIu64 ", given up %" PRIu64 ", orphans %" PRIu64
           ", looked at as a whole %" PRIu64 "; classes ready %" PRIu64 ", not ready %" PRIu64 "\n",
           c->kinds[STEP_REGISTRY], c->kinds[STEP_OPEN], c->kinds[STEP_GIVE_UP], c->kinds[STEP_ORPHANS],
           c->kinds[STEP_READ] + c->kinds[STEP_WORLD], c->ready, c->unready);
    return all;
}

/* No command that has to do with time was ever given, so clocks may jump as they like. */
static bool time_was_no_part(void)
{
    static const char *const timely[] = {"cmdstat_time:", "cmdstat_expire", "cmdstat_pexpire", "cmdstat_setex",
                                         "cmdstat_psetex", "cmdstat_getex"};
    struct str words[] = {STR("INFO"), STR("commandstats")};
    const char *stats = command(words, ARRAY_LEN(words));
    size_t i;

    if (!stats || !strstr(stats, "cmdstat_hmget:"))
        return false;
    for (i = 0; i < ARRAY_LEN(timely); i++)
        if (strstr(stats, timely[i]))
            return false;
    return true;
}

static bool check_play(uint64_t seed, uint64_t steps)
{
    uint64_t began = now_us();

    make_ready();
    play(seed, steps, READ_EVERY, CONFUSION);
    if (check.failed) {
        show_failure(seed);
        return false;
    }
    printf("check-ledger: %" PRIu64 " steps of seed %" PRIu64 " in %" PRIu64 " s\n", steps, seed,
           (now_us() - began) / SECONDS(1));
    if (!everything_happened(&check.play.counts) && steps >= STEPS / 10) {
        printf("FAILED: something that the play is for never happened\n");
        return false;
    }
    if (!time_was_no_part()) {
        printf("FAILED: a command that has to do with time was given\n");
        return false;
    }
    play_done(&check.play);
    return true;
}

/* Their seeds are always the same: what is found once is always found. */
static size_t check_mutants(void)
{
    uint64_t most = 0, began = now_us();
    size_t i, missed = 0;

    for (i = 0; i < mutants_len; i++) {
        const char *name = mutant_begin(i);

        if (!name) {
            printf("FAILED: mutant %zu does not fit the script any more\n", i + 1);
            missed++;
            continue;
        }
        make_ready();
        play(i, MUTANT_STEPS, MUTANT_READ_EVERY, MUTANT_CONFUSION);
        mutant_end();
        if (!check.failed) {
            printf("FAILED: \"%s\" was not found in %u steps of seed %zu\n", name, MUTANT_STEPS, i);
            missed++;
        } else {
            printf("  %-44s found at step %6" PRIu64 ": %s\n", name, check.failed_at, check.why);
            most = check.failed_at > most ? check.failed_at : most;
        }
        play_done(&check.play);
    }
    printf("check-ledger: %zu of %zu scripts without a guard were found, the last one at step %" PRIu64 ", in %" PRIu64
           " s\n",
           mutants_len - missed, mutants_len, most, (now_us() - began) / SECONDS(1));
    return missed;
}

static void tally(size_t passed, size_t failed)
{
    const char *path = getenv("HEARTH_TALLY");
    FILE *to = path ? fopen(path, "ae") : NULL;

    if (!to)
        return;
    fprintf(to, "%zu %zu 0 the ledger of permits\n", passed, failed);
    fclose(to);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"steps", required_argument, NULL, 'n'},
                                            {"seed", required_argument, NULL, 's'},
                                            {"no-mutants", no_argument, NULL, 'm'},
                                            {NULL, 0, NULL, 0}};
    uint64_t seed = wall_ms(), steps = STEPS;
    size_t failed, all = 1;
    bool with_mutants = true;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
        if (option == 'n' && str_parse_u64(str_of(optarg), &steps) == 0)
            continue;
        if (option == 's' && str_parse_u64(str_of(optarg), &seed) == 0)
            continue;
        if (option == 'm') {
            with_mutants = false;
            continue;
        }
        fprintf(stderr, "usage: check_ledger [--steps N] [--seed S] [--no-mutants]\n");
        return 2;
    }
    if (!begin("tests/world.lua"))
        return 1;
    printf("check-ledger: seed %" PRIu64 "\n", seed);
    failed = !check_play(seed, steps);
    if (!failed && with_mutants) {
        all += mutants_len;
        failed = check_mutants();
    }
    end();
    tally(all - failed, failed);
    return failed > 0;
}
