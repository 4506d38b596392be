/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/ledger/play.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- names ---- */

static const char *const fn_names[FNS] = {"f", "f-1", "fn_2"}; /* one begins like another */
static const char *const alias_names[ALIASES] = {"live", "1b"};

const char *name_fn(int fn)
{
    return fn_names[fn];
}

void name_account(int account, char *ret)
{
    snprintf(ret, NAME_BYTES, "00000000000%d", account);
}

void name_pool(int pool, char *ret)
{
    if (pool == 0)
        snprintf(ret, NAME_BYTES, "*");
    else if (model_version_of(pool) == 0)
        snprintf(ret, NAME_BYTES, "%s", fn_names[model_fn_of(pool)]);
    else
        snprintf(ret, NAME_BYTES, "%s:%d", fn_names[model_fn_of(pool)], model_version_of(pool));
}

void name_gateway(int gateway, char *ret)
{
    snprintf(ret, NAME_BYTES, "gateway.%d", gateway);
}

void name_node(int node, char *ret)
{
    snprintf(ret, NAME_BYTES, "node %d", node);
}

void name_process(int process, char *ret)
{
    snprintf(ret, NAME_BYTES, "process-%d", process);
}

/* ---- chance ---- */

static uint64_t below(struct play *p, uint64_t n)
{
    return random_next(&p->random) % n;
}

static bool chance(struct play *p, unsigned percent)
{
    return below(p, 100) < percent;
}

/* ---- steps ---- */

static struct step *step_new(struct play *p, enum step_kind kind, int account)
{
    struct play_account *a = &p->accounts[account];
    struct step *s = &p->steps[p->made % STEPS_KEPT];

    free(s->state);
    memset(s, 0, sizeof(*s));
    s->kind = kind;
    s->number = p->made++;
    s->account = account;
    s->at = (struct model_at){a->limit, a->model.term ? a->model.term : 1, a->model.epoch};
    return s;
}

/* Now and then who speaks is the leader no more, or only just, or speaks of another epoch. */
static void confuse(struct play *p, struct step *s)
{
    switch (below(p, p->confusion)) {
    case 0:
        s->at.term++;
        break;
    case 1:
        s->at.term -= s->at.term > 1;
        break;
    case 2:
        s->at.epoch++;
        break;
    case 3:
        s->at.epoch -= s->at.epoch > 0;
        break;
    default:
        break;
    }
}

static int any_gateway(struct play *p, const struct play_account *a)
{
    int g = (int)below(p, GATEWAYS), i;

    for (i = 0; i < GATEWAYS && !chance(p, 2); i++)
        if (a->model.gateways[(g + i) % GATEWAYS].is == GATEWAY_JOINED)
            return (g + i) % GATEWAYS;
    return g;
}

static int any_process(struct play *p, const struct play_account *a, int node)
{
    return chance(p, 80) ? a->model.nodes[node].process : (int)below(p, PROCESSES);
}

/* Small mostly, so that several share a limit; sometimes all of it and more. */
static uint64_t some_more(struct play *p)
{
    return chance(p, 45) ? 0 : chance(p, 90) ? 1 + below(p, 6) : 1 + below(p, 100);
}

/* ---- what gateways say ---- */

/* A gateway's honest question: it counts less before it says so. */
static void honest(struct play *p, struct gateway_side *g, struct model_question *q)
{
    if (chance(p, 60))
        g->held[q->pool] = below(p, g->held[q->pool] + 1);
    q->seq = ++g->seq[q->pool];
    q->held = g->held[q->pool];
    q->want = q->held + some_more(p);
}

/* What no gateway of ours says; the ledger must know what it does all the same. */
static void wild(struct play *p, struct gateway_side *g, struct model_question *q)
{
    q->seq = 1 + below(p, g->seq[q->pool] + 3);
    q->held = below(p, 8);
    q->want = q->held + some_more(p);
    q->moved = chance(p, 10);
    g->seq[q->pool] = q->seq > g->seq[q->pool] ? q->seq : g->seq[q->pool];
}

static void again(struct play *p, struct gateway_side *g, struct model_question *q)
{
    int pool = q->pool;

    *q = g->newest[pool];
    q->pool = pool;
    q->moved = false;
    q->again = true;
    if (q->seq == 0 || chance(p, 10))
        q->seq = 1 + below(p, g->seq[pool] + 2);
    if (chance(p, 10))
        q->want += below(p, 5);
}

static void make_questions(struct play *p, struct step *s, struct gateway_side *g)
{
    bool taken[POOLS] = {false};
    size_t i;

    s->len = chance(p, 60) ? 1 : 1 + below(p, QUESTIONS_MAX);
    for (i = 0; i < s->len; i++) {
        struct model_question *q = &s->questions[i];

        do
            q->pool = (int)below(p, chance(p, 50) ? 1 + PER_FN : POOLS);
        while (taken[q->pool]);
        taken[q->pool] = true;
        if (chance(p, 85))
            honest(p, g, q);
        else if (chance(p, 50))
            wild(p, g, q);
        else
            again(p, g, q);
    }
}

/* A function has become reserved, or is reserved no more: some of it runs in another pool from now on. */
static void make_move(struct play *p, struct step *s, struct gateway_side *g)
{
    int plain = model_class((int)below(p, FNS), 0);
    int from = chance(p, 70) ? 0 : plain, to = from == 0 ? plain : 0, first = chance(p, 50);
    uint64_t moved = below(p, g->held[from] + 1);

    g->held[from] -= moved;
    g->held[to] += moved;
    s->len = 2;
    s->questions[first] = (struct model_question){
        .pool = from, .seq = ++g->seq[from], .held = g->held[from], .want = g->held[from]};
    s->questions[!first] = (struct model_question){
        .pool = to, .seq = ++g->seq[to], .held = g->held[to], .moved = true};
    s->questions[!first].want = g->held[to] + (chance(p, 50) ? 0 : some_more(p));
}

static void remember(struct play *p, struct play_account *a, const struct step *s)
{
    if (a->past_len < PAST_MAX)
        a->past[a->past_len++] = *s;
    else
        a->past[below(p, PAST_MAX)] = *s;
}

static void take_state(struct play *p, struct play_account *a, struct step *s)
{
    struct gateway_side *g = &a->gateways[s->gateway];
    size_t i;

    s->code = model_state(&a->model, &s->at, s->gateway, s->questions, s->len, s->answers);
    for (i = 0; i < s->len && s->code == ERR_OK; i++) {
        const struct model_question *q = &s->questions[i];
        const struct ledger_answer *answer = &s->answers[i];

        p->counts.old += answer->old;
        if (answer->old)
            continue;
        p->counts.bounds[answer->bound]++;
        p->counts.grants += answer->more > 0;
        p->counts.partial += answer->more > 0 && answer->bound != LEDGER_ENOUGH;
        p->counts.drains += answer->drain;
        p->counts.moved += q->moved && q->held > 0;
        p->counts.again += q->again && answer->more > 0;
        /* the gateway counts more when the answer to its newest question is here */
        if (q->seq == g->seq[q->pool])
            g->held[q->pool] = q->held + answer->more;
    }
}

static void make_state(struct play *p, struct play_account *a, int account)
{
    struct step *s = step_new(p, STEP_STATE, account);
    struct gateway_side *g;
    size_t i;

    s->gateway = any_gateway(p, a);
    g = &a->gateways[s->gateway];
    confuse(p, s);
    if (chance(p, 5))
        make_move(p, s, g);
    else
        make_questions(p, s, g);
    for (i = 0; i < s->len; i++)
        if (!s->questions[i].again)
            g->newest[s->questions[i].pool] = s->questions[i];
    remember(p, a, s);
    take_state(p, a, s);
}

/* ---- what leaders say ---- */

static void make_gateway_step(struct play *p, struct play_account *a, int account,
                              enum step_kind kind)
{
    struct step *s = step_new(p, kind, account);

    s->gateway = kind == STEP_JOIN ? (int)below(p, GATEWAYS) : any_gateway(p, a);
    confuse(p, s);
    if (kind == STEP_JOIN) {
        s->code = model_join(&a->model, &s->at, s->gateway);
    } else {
        s->code = model_give_up(&a->model, &s->at, s->gateway);
        if (s->code == ERR_OK)
            memset(a->gateways[s->gateway].held, 0, sizeof(a->gateways[s->gateway].held));
    }
    remember(p, a, s);
}

static void make_orphans(struct play *p, struct play_account *a, struct model_orphans *o, int node)
{
    int pool;

    o->node = node;
    o->process = any_process(p, a, node);
    o->seq = ++a->node_seq[node][o->process];
    for (pool = 0; pool < POOLS; pool++)
        o->counts[pool] = chance(p, 15) ? below(p, 4) : 0;
}

static void make_orphans_step(struct play *p, struct play_account *a, int account)
{
    struct step *s = step_new(p, STEP_ORPHANS, account);

    s->len = 1;
    make_orphans(p, a, &s->nodes[0], (int)below(p, NODES));
    confuse(p, s);
    s->code = model_set_orphans(&a->model, &s->at, &s->nodes[0]);
    remember(p, a, s);
}

static void take_open(struct play_account *a, struct step *s)
{
    uint64_t before = a->model.epoch;

    s->code = model_open(&a->model, &s->at, s->run, s->nodes, s->len);
    if (a->model.epoch != before)
        memset(a->gateways, 0, sizeof(a->gateways)); /* all begin anew */
}

static void make_open(struct play *p, struct play_account *a, int account)
{
    struct step *s = step_new(p, STEP_OPEN, account);
    int node;

    confuse(p, s);
    if (chance(p, 90))
        s->at.epoch = a->model.epoch + 1 + below(p, 3);
    else
        s->at.epoch = 1 + below(p, a->model.epoch + 1);
    s->run = below(p, 1000);
    for (node = 0; node < NODES; node++)
        if (chance(p, 60))
            make_orphans(p, a, &s->nodes[s->len++], node);
    remember(p, a, s);
    take_open(a, s);
}

/* A message that was sent before: late, or twice, in its own words or from a leader of today. */
static void make_late(struct play *p, struct play_account *a, int account)
{
    const struct step *old;
    struct model_at now;
    struct step *s;

    if (a->past_len == 0) {
        make_open(p, a, account);
        return;
    }
    old = &a->past[below(p, a->past_len)];
    s = step_new(p, old->kind, account);
    now = s->at;
    s->at = chance(p, 50) ? old->at : now;
    s->gateway = old->gateway;
    s->run = old->run;
    s->len = old->len;
    memcpy(s->questions, old->questions, sizeof(s->questions));
    memcpy(s->nodes, old->nodes, sizeof(s->nodes));
    switch (s->kind) {
    case STEP_STATE:
        take_state(p, a, s);
        break;
    case STEP_JOIN:
        s->code = model_join(&a->model, &s->at, s->gateway);
        break;
    case STEP_ORPHANS:
        s->code = model_set_orphans(&a->model, &s->at, &s->nodes[0]);
        break;
    case STEP_OPEN:
        take_open(a, s);
        break;
    case STEP_GIVE_UP:
    case STEP_READ:
    case STEP_READY:
    case STEP_REGISTRY:
    case STEP_WORLD:
    case STEP_KINDS:
        s->code = model_give_up(&a->model, &s->at, s->gateway);
        if (s->code == ERR_OK)
            memset(a->gateways[s->gateway].held, 0, sizeof(a->gateways[s->gateway].held));
    }
}

static void make_read(struct play *p, struct play_account *a, int account)
{
    struct step *s = step_new(p, STEP_READ, account);

    confuse(p, s);
    if (chance(p, 90))
        s->at.term = 0;
    s->code = model_read(&a->model, &s->at);
    s->state = malloc(sizeof(*s->state));
    if (!s->state)
        abort();
    *s->state = a->model;
}

static void make_ready(struct play *p, struct play_account *a, int account)
{
    struct step *s = step_new(p, STEP_READY, account);

    s->fn = (int)below(p, FNS);
    s->version = 1 + (int)below(p, VERSIONS);
    confuse(p, s);
    s->code = model_ready(&a->model, &s->at, s->fn, s->version, &s->ready);
    if (s->code == ERR_OK)
        p->counts.ready += s->ready, p->counts.unready += !s->ready;
}

/* ---- limits ---- */

static int64_t provisioned_of(const struct model_fn *fn)
{
    int64_t sum = 0;
    int q;

    for (q = 0; q < QUALIFIERS; q++)
        sum += fn->provisioned[q] > 0 ? fn->provisioned[q] : 0;
    return sum;
}

static void counters_of(const struct model *m, int64_t *reserved, int64_t *provisioned)
{
    int f;

    *reserved = *provisioned = 0;
    for (f = 0; f < FNS; f++) {
        if (m->fns[f].reserved >= 0)
            *reserved += m->fns[f].reserved;
        else
            *provisioned += provisioned_of(&m->fns[f]);
    }
}

static void set_reserved(struct play *p, struct model_fn *fn, struct registry_step *r)
{
    int64_t least = chance(p, 90) ? provisioned_of(fn) : 0;

    fn->reserved = chance(p, 70) ? least + (int64_t)below(p, 13) : -1;
    snprintf(r->field, sizeof(r->field), "reserved");
    if (fn->reserved >= 0)
        snprintf(r->text, sizeof(r->text), "%" PRId64, fn->reserved);
}

static void set_alias(struct play *p, struct model_fn *fn, int alias, struct registry_step *r)
{
    fn->leads_to[alias] = chance(p, 85) ? 1 + (int)below(p, VERSIONS) : 0;
    snprintf(r->field, sizeof(r->field), "%s", alias_names[alias]);
    if (fn->leads_to[alias])
        snprintf(r->text, sizeof(r->text),
                 "{\"Name\":\"%s\",\"FunctionVersion\":\"%d\",\"RevisionId\":\"x\"}",
                 alias_names[alias], fn->leads_to[alias]);
}

static void set_provisioned(struct play *p, struct model_fn *fn, int q, struct registry_step *r)
{
    int64_t most = 7;

    fn->provisioned[q] = -1;
    if (fn->reserved >= 0 && chance(p, 90))
        most = fn->reserved - provisioned_of(fn) + 1;
    if (most > 0 && chance(p, 70))
        fn->provisioned[q] = (int64_t)below(p, (uint64_t)(most < 7 ? most : 7));
    if (q < VERSIONS)
        snprintf(r->field, sizeof(r->field), "%d", q + 1);
    else
        snprintf(r->field, sizeof(r->field), "%s", alias_names[q - VERSIONS]);
    if (fn->provisioned[q] >= 0)
        snprintf(r->text, sizeof(r->text),
                 "{\"requested\":%" PRId64 ",\"modified\":\"2026-01-31T12:00:00+0000\"}",
                 fn->provisioned[q]);
}

static void make_registry(struct play *p, struct play_account *a, int account)
{
    struct step *s = step_new(p, STEP_REGISTRY, account);
    struct registry_step *r = &s->registry;
    struct model_fn *fn;
    const char *kind;

    s->fn = (int)below(p, FNS);
    fn = &a->model.fns[s->fn];
    counters_of(&a->model, &r->reserved, &r->provisioned);
    switch (below(p, 5)) {
    case 0:
    case 1:
        kind = "settings";
        set_reserved(p, fn, r);
        break;
    case 2:
        kind = "aliases";
        set_alias(p, fn, (int)below(p, ALIASES), r);
        break;
    default:
        kind = "provisioned";
        set_provisioned(p, fn, (int)below(p, QUALIFIERS), r);
        break;
    }
    snprintf(r->key, sizeof(r->key), "fn:%s:%s", fn_names[s->fn], kind);
    counters_of(&a->model, &r->reserved_by, &r->provisioned_by);
    r->reserved_by -= r->reserved;
    r->provisioned_by -= r->provisioned;
}

/* ---- the play ---- */

/* The next number of splitmix64, by which xoshiro's authors want it seeded. */
static uint64_t spread(uint64_t *seed)
{
    uint64_t z = *seed += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

void play_init(struct play *p, uint64_t seed, unsigned read_every, unsigned confusion)
{
    int a;

    memset(p, 0, sizeof(*p));
    p->read_every = read_every;
    p->confusion = confusion;
    for (a = 0; a < 4; a++)
        p->random.s[a] = spread(&seed);
    for (a = 0; a < ACCOUNTS; a++) {
        model_init(&p->accounts[a].model);
        p->accounts[a].limit = 20;
    }
}

void play_done(struct play *p)
{
    int i;

    for (i = 0; i < STEPS_KEPT; i++)
        free(p->steps[i].state);
}

struct step *play_next(struct play *p)
{
    int account = (int)below(p, ACCOUNTS);
    struct play_account *a = &p->accounts[account];
    uint64_t kind = below(p, 1000);
    struct step *s;

    if (below(p, 200) == 0)
        a->limit = 3 + below(p, 90);
    if (p->made % (p->read_every * 16) == p->read_every * 8)
        step_new(p, STEP_WORLD, account);
    else if (p->made % p->read_every == 0)
        make_read(p, a, account);
    else if (kind < 2 || a->model.epoch == 0)
        make_open(p, a, account);
    else if (kind < 10)
        make_gateway_step(p, a, account, STEP_GIVE_UP);
    else if (kind < 40)
        make_gateway_step(p, a, account, STEP_JOIN);
    else if (kind < 100)
        make_orphans_step(p, a, account);
    else if (kind < 220)
        make_late(p, a, account);
    else if (kind < 270)
        make_registry(p, a, account);
    else if (kind < 310)
        make_ready(p, a, account);
    else
        make_state(p, a, account);
    s = &p->steps[(p->made - 1) % STEPS_KEPT];
    p->counts.kinds[s->kind]++;
    p->counts.codes[s->code]++;
    return s;
}

/* ---- how a step is shown ---- */

static void questions_print(FILE *to, const struct step *s)
{
    char name[NAME_BYTES];
    size_t i;

    name_gateway(s->gateway, name);
    fprintf(to, " %s", name);
    for (i = 0; i < s->len; i++) {
        const struct model_question *q = &s->questions[i];
        const struct ledger_answer *answer = &s->answers[i];

        name_pool(q->pool, name);
        fprintf(to, "; %s #%" PRIu64 " holds %" PRIu64 " wants %" PRIu64 "%s%s", name, q->seq, q->held,
                q->want, q->moved ? " moved" : "", q->again ? " again" : "");
        if (s->code == ERR_OK && answer->old)
            fprintf(to, " -> old");
        else if (s->code == ERR_OK)
            fprintf(to, " -> %" PRIu64 " more, lease %" PRIu64 ", bound %d%s", answer->more,
                    answer->lease, answer->bound, answer->drain ? ", drain" : "");
    }
}

static void nodes_print(FILE *to, const struct step *s)
{
    char name[NAME_BYTES];
    size_t i;
    int pool;

    for (i = 0; i < s->len; i++) {
        fprintf(to, "; node %d process %d #%" PRIu64, s->nodes[i].node, s->nodes[i].process,
                s->nodes[i].seq);
        for (pool = 0; pool < POOLS; pool++) {
            name_pool(pool, name);
            if (s->nodes[i].counts[pool])
                fprintf(to, " %s=%" PRIu64, name, s->nodes[i].counts[pool]);
        }
    }
}

void step_print(FILE *to, const struct step *s)
{
    static const char *const kinds[STEP_KINDS] = {
        [STEP_STATE] = "state", [STEP_JOIN] = "join", [STEP_GIVE_UP] = "give up",
        [STEP_ORPHANS] = "orphans", [STEP_OPEN] = "open", [STEP_READ] = "read",
        [STEP_READY] = "ready", [STEP_REGISTRY] = "registry", [STEP_WORLD] = "world"};
    char name[NAME_BYTES];

    fprintf(to, "%8" PRIu64 " account %d, %s (limit %" PRIu64 ", term %" PRIu64 ", epoch %" PRIu64 ")",
            s->number, s->account, kinds[s->kind], s->at.limit, s->at.term, s->at.epoch);
    if (s->kind == STEP_STATE)
        questions_print(to, s);
    if (s->kind == STEP_ORPHANS || s->kind == STEP_OPEN)
        nodes_print(to, s);
    if (s->kind == STEP_JOIN || s->kind == STEP_GIVE_UP) {
        name_gateway(s->gateway, name);
        fprintf(to, " %s", name);
    }
    if (s->kind == STEP_READY)
        fprintf(to, " %s:%d -> %d", fn_names[s->fn], s->version, s->ready);
    if (s->kind == STEP_REGISTRY)
        fprintf(to, " %s %s = %s; reserved %+" PRId64 ", provisioned %+" PRId64, s->registry.key,
                s->registry.field, s->registry.text[0] ? s->registry.text : "(gone)",
                s->registry.reserved_by, s->registry.provisioned_by);
    fprintf(to, " -> %s\n", error_code_name(s->code));
}
