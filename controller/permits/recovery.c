/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate: what is between a new connection to Redis and an open ledger.
 *
 *   AWAY ──► CHECKING ──────────────────────► OPEN      the ledgers are as they were left
 *                └──► FENCING ──► OPENING ─────┘         another Redis, no ledger, or one that lost writes
 *
 * CHECKING  INFO, the list of nodes, accounts, and what each account's ledger says; nothing is written
 * FENCING   every invoker that may run something is raised to an epoch never used before
 * OPENING   what they told is written down with the epoch; then the ledgers are open
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/random.h"
#include "controller/permits/permits_internal.h"

#define NODES_KEY "hearth:nodes"
#define ACCOUNTS_KEY "hearth:accounts"

/* An answer that is waited for: of the state in which it was asked, or it does not count. */
struct question {
    struct permits *p;
    uint64_t round;
    char *account;
};

static struct question *question_new(struct permits *p, const char *account)
{
    struct question *question = xcalloc(sizeof(*question));

    *question = (struct question){.p = p, .round = p->round};
    question->account = account ? str_dup(str_of(account)) : NULL;
    return question;
}

/* Whether the answer counts. */
static bool question_end(struct question *question)
{
    bool counts = question->round == question->p->round;

    free(question->account);
    free(question);
    return counts;
}

/* ---- pure ---- */

uint64_t recovery_epoch(uint64_t unix_s, uint64_t random, uint64_t heard)
{
    uint64_t epoch = (unix_s << 20) | (random & ((1u << 20) - 1));

    return epoch > heard ? epoch : heard + 1 + (random & ((1u << 20) - 1));
}

/* The value behind "<name>:" at the beginning of a line. */
static struct str info_value(struct str info, const char *name)
{
    struct str line, key;

    while (str_split(&info, '\n', &line)) {
        line = str_trim(line);
        if (str_split(&line, ':', &key) && str_is(key, name))
            return line;
    }
    return STR_NULL;
}

int recovery_run(struct str info, char *ret, size_t room, struct error *err)
{
    struct str run = info_value(info, "run_id"), replication = info_value(info, "master_replid");

    if (!str_is(info_value(info, "role"), "master"))
        return error_set(err, ERR_UNAVAILABLE, "Redis is a replica; permits need the primary");
    if (run.len == 0 || run.len + replication.len + 2 > room)
        return error_set(err, ERR_UNAVAILABLE, "Redis does not say which run of it this is");
    snprintf(ret, room, "%.*s/%.*s", STR_ARG(run), STR_ARG(replication));
    return 0;
}

bool recovery_may_split(struct str info)
{
    uint64_t replicas = 0;

    (void)str_parse_u64(info_value(info, "connected_slaves"), &replicas);
    return replicas > 0 && !info_value(info, "min_slaves_good_slaves").ptr;
}

/* ---- FENCING, OPENING ---- */

static void recover(struct permits *p)
{
    struct random random;
    struct list_node *n;

    random_init(&random);
    if (p->epoch > p->epoch_heard)
        p->epoch_heard = p->epoch;
    p->epoch = recovery_epoch(wall_ms() / 1000, random_next(&random), p->epoch_heard);
    p->epoch_heard = p->epoch;
    p->opened = 0;
    gateways_refuse_joins(p, ERR_UNAVAILABLE, "the ledger of permits begins anew: try again");
    gateways_forget(p);
    LIST_FOREACH(&p->accounts, n)
        CONTAINER_OF(n, struct permit_account, node)->is_open = false;
    fences_change(p);
    permits_set_state(p, PERMITS_FENCING);
    log_warn("permits",
             "the ledger of permits may have lost writes, or there is none; it begins anew when all "
             "invokers have said what they run",
             KV_U64("epoch", p->epoch), KV_STR("redis", p->run));
}

static void open_done(struct permits *p)
{
    p->opened = p->epoch;
    permits_set_state(p, PERMITS_OPEN);
    log_info("permits", "the ledger of permits is open", KV_U64("epoch", p->epoch),
             KV_STR("redis", p->run));
}

static void on_opened(const struct error *err, void *arg)
{
    struct question *question = arg;
    struct permits *p = question->p;
    struct permit_account *account = permits_account(p, str_of(question->account));

    account->is_opening = false;
    if (!question_end(question))
        return;
    account->is_open = !err;
    p->has_failed = p->has_failed || err;
    if (err) {
        permits_ledger_failed(p, err);
    } else if (p->state == PERMITS_OPENING && --p->waiting == 0) {
        if (!p->has_failed)
            open_done(p);
    }
}

/* What the ledger of @account gets is what each node has told so far. */
static void open_account(struct permits *p, struct permit_account *account)
{
    struct ledger_at at = permits_at(p, account->name);
    struct ledger_orphans *nodes;
    size_t len = 0, i;
    struct list_node *n;

    LIST_FOREACH(&p->nodes.all, n)
        len++;
    nodes = xcalloc((len + 1) * sizeof(*nodes));
    len = 0;
    LIST_FOREACH(&p->nodes.all, n) {
        struct node_life *node = CONTAINER_OF(n, struct node_life, node);

        if (node->orphans.seq == 0)
            continue;
        nodes[len].node = str_of(node->id);
        nodes[len].incarnation = str_of(node->incarnation);
        nodes[len].seq = node->orphans.seq;
        nodes[len].counts = permit_orphans_of(&node->orphans, account->name, &nodes[len].len);
        len++;
    }
    account->is_opening = true;
    ledger_open(p->ledger, &at, str_of(p->run), nodes, len, on_opened,
                question_new(p, account->name));
    for (i = 0; i < len; i++)
        free((void *)nodes[i].counts);
    free(nodes);
}

static void open_all(struct permits *p)
{
    struct list_node *n;
    size_t i;

    permits_set_state(p, PERMITS_OPENING);
    LIST_FOREACH(&p->nodes.all, n) {
        struct node_life *node = CONTAINER_OF(n, struct node_life, node);

        for (i = 0; i < node->orphans.len; i++)
            permits_account_add(p, str_of(node->orphans.all[i].account));
        permit_orphans_done(&node->written);
        node->written = permit_orphans_copy(&node->orphans);
        node->is_written = true; /* with what follows */
    }
    LIST_FOREACH(&p->accounts, n)
        p->waiting++;
    LIST_FOREACH(&p->accounts, n)
        open_account(p, CONTAINER_OF(n, struct permit_account, node));
}

void recovery_open_accounts(struct permits *p)
{
    struct list_node *n;

    LIST_FOREACH(&p->accounts, n) {
        struct permit_account *account = CONTAINER_OF(n, struct permit_account, node);

        if (!account->is_open && !account->is_opening)
            open_account(p, account);
    }
}

void recovery_proceed(struct permits *p)
{
    if (p->state == PERMITS_FENCING && fences_are_told(p, p->number))
        open_all(p);
    else if (p->state == PERMITS_OPEN)
        recovery_open_accounts(p);
    else if (p->state == PERMITS_CHECKING && p->has_failed && p->waiting == 0)
        recovery_check(p);
    else if (p->state == PERMITS_OPENING && p->has_failed)
        recovery_check(p);
}

/* ---- CHECKING ---- */

/* An earlier leader's, or our own from before the connection was lost: goes on where that was. */
static void resume(struct permits *p)
{
    p->epoch = p->found;
    open_done(p);
}

static void checked(struct permits *p)
{
    if (--p->waiting > 0)
        return;
    if (p->has_failed)
        permits_later(p, p->o.retry_us);
    else if (p->found && !p->misfits && p->found >= p->epoch_heard)
        resume(p);
    else
        recover(p);
}

/* What an earlier leader has written is taken over. */
static void take_over(struct permits *p, const char *account, const struct ledger_view *view)
{
    uint64_t now = now_us();
    struct gateway_known *g;
    struct node_life *node;
    size_t i, j;

    for (i = 0; i < view->gateways_len; i++)
        gateways_add_known(p, view->gateways[i]);
    for (i = 0; i < view->leases_len; i++)
        if ((g = gateways_find(p, view->leases[i].gateway)))
            gateways_set_lease(g, str_of(account), view->leases[i].pool, view->leases[i].count);
    for (i = 0; i < view->nodes_len; i++) {
        const struct ledger_orphans *told = &view->nodes[i];

        node = node_lives_listed(&p->nodes, told->node, now);
        if (!node->incarnation[0]) {
            free(node->incarnation);
            node->incarnation = str_dup(told->incarnation);
        }
        if (str_is(told->incarnation, node->incarnation) && told->seq > node->orphans.seq)
            node->orphans.seq = node->written.seq = told->seq;
        for (j = 0; j < told->len; j++)
            permit_orphans_add(&node->written, str_of(account), told->counts[j].pool,
                               told->counts[j].count);
    }
}

static void on_view(const struct ledger_view *view, const struct error *err, void *arg)
{
    struct question *question = arg;
    struct permits *p = question->p;
    struct permit_account *account = permits_account(p, str_of(question->account));

    if (!question_end(question))
        return;
    if (err) {
        p->has_failed = true;
        if (err->code == ERR_CONFLICT)
            permits_deposed(p, p->term);
        else
            checked(p);
        return;
    }
    if (view->epoch > p->epoch_heard)
        p->epoch_heard = view->epoch;
    if (view->epoch == 0 && !account->is_open && strcmp(account->name, p->o.account) != 0) {
        checked(p); /* an account that nobody has asked for yet */
        return;
    }
    if (p->found == 0)
        p->found = view->epoch;
    if (view->epoch == 0 || view->epoch != p->found || !str_is(view->run, p->run))
        p->misfits = true;
    else if (!p->opened)
        take_over(p, account->name, view);
    account->is_open = view->epoch != 0;
    checked(p);
}

static void read_ledgers(struct permits *p)
{
    struct list_node *n;

    if (p->has_failed) {
        permits_later(p, p->o.retry_us);
        return;
    }
    p->found = p->opened;
    p->misfits = false;
    LIST_FOREACH(&p->accounts, n)
        p->waiting++;
    LIST_FOREACH(&p->accounts, n) {
        struct permit_account *account = CONTAINER_OF(n, struct permit_account, node);
        struct ledger_at at = permits_at(p, account->name);

        ledger_read(p->ledger, &at, on_view, question_new(p, account->name));
    }
}

/* One of the three answers before the ledgers. False: it does not count, or is an error. */
static bool take_answer(struct question *question, const struct error *err, struct permits **ret)
{
    struct permits *p = *ret = question->p;

    if (!question_end(question))
        return false;
    p->waiting--;
    p->has_failed = p->has_failed || err;
    if (err)
        log_debug("permits", "Redis cannot be checked", KV_ERR(err));
    if (err && p->waiting == 0)
        permits_later(p, p->o.retry_us);
    return !err;
}

static void on_info(const struct redis_value *value, const struct error *err, void *arg)
{
    struct permits *p;
    struct error why;

    if (!take_answer(arg, err, &p))
        return;
    if (recovery_run(value->str, p->run, sizeof(p->run), &why) < 0) {
        log_error("permits", "no permits are granted", KV_ERR(&why));
        p->has_failed = true;
    } else if (recovery_may_split(value->str) && !redis_has_sentinels(p->o.redis) &&
               strcmp(p->run, p->warned_run) != 0) {
        log_warn("permits",
                 "this Redis has replicas and takes writes without them (min-replicas-to-write is 0): where there are "
                 "several controllers, and a partition leaves one of them with it after a fail-over, limits hold on each "
                 "side by itself",
                 KV_STR("redis", p->run));
        memcpy(p->warned_run, p->run, sizeof(p->run));
    }
}

static void on_nodes(const struct redis_value *value, const struct error *err, void *arg)
{
    struct permits *p;
    size_t i;

    if (!take_answer(arg, err, &p))
        return;
    for (i = 0; i + 1 < value->len; i += 2)
        node_lives_listed(&p->nodes, value->items[i].str, now_us());
}

/* The last of the three. */
static void on_accounts(const struct redis_value *value, const struct error *err, void *arg)
{
    struct permits *p;
    size_t i;

    if (!take_answer(arg, err, &p))
        return;
    for (i = 0; i < value->len; i++)
        permits_account_add(p, value->items[i].str);
    read_ledgers(p);
}

void recovery_check(struct permits *p)
{
    struct str info[] = {STR("INFO")}, nodes[] = {STR("HGETALL"), STR(NODES_KEY)},
               accounts[] = {STR("SMEMBERS"), STR(ACCOUNTS_KEY)};

    permits_set_state(p, PERMITS_CHECKING);
    if (!redis_is_up(p->o.redis)) { /* what is asked now would be sent unchecked later */
        permits_set_state(p, PERMITS_AWAY);
        return;
    }
    permits_account_add(p, str_of(p->o.account));
    p->waiting = 3;
    redis_command(p->o.redis, info, ARRAY_LEN(info), on_info, question_new(p, NULL));
    redis_command(p->o.redis, nodes, ARRAY_LEN(nodes), on_nodes, question_new(p, NULL));
    redis_command(p->o.redis, accounts, ARRAY_LEN(accounts), on_accounts, question_new(p, NULL));
}

void recovery_raise(struct permits *p, uint64_t heard)
{
    if (heard > p->epoch_heard)
        p->epoch_heard = heard;
    if (p->state >= PERMITS_FENCING)
        recover(p);
    else
        p->epoch = 0; /* that of the next check, if it is high enough */
}
