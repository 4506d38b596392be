/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/ledger/model.h"

#include <assert.h>
#include <string.h>

void model_init(struct model *m)
{
    int f, q;

    memset(m, 0, sizeof(*m));
    for (f = 0; f < FNS; f++) {
        m->fns[f].reserved = -1;
        for (q = 0; q < QUALIFIERS; q++)
            m->fns[f].provisioned[q] = -1;
    }
}

/* ---- sums ---- */

uint64_t model_pool_total(const struct model *m, int pool)
{
    uint64_t sum = 0;
    int i;

    for (i = 0; i < GATEWAYS; i++)
        sum += m->gateways[i].lease[pool];
    for (i = 0; i < NODES; i++)
        sum += m->nodes[i].orphans[pool];
    return sum;
}

uint64_t model_fn_total(const struct model *m, int fn)
{
    uint64_t sum = 0;
    int pool;

    for (pool = 0; pool < POOLS; pool++)
        if (model_fn_of(pool) == fn)
            sum += model_pool_total(m, pool);
    return sum;
}

uint64_t model_total(const struct model *m)
{
    uint64_t sum = 0;
    int pool;

    for (pool = 0; pool < POOLS; pool++)
        sum += model_pool_total(m, pool);
    return sum;
}

/* ---- limits ---- */

int model_fn_of(int pool)
{
    return pool == 0 ? -1 : (pool - 1) / PER_FN;
}

int model_version_of(int pool)
{
    return pool == 0 ? 0 : (pool - 1) % PER_FN;
}

int model_class(int fn, int version)
{
    return 1 + fn * PER_FN + version;
}

static int64_t provisioned_of(const struct model_fn *fn)
{
    int64_t sum = 0;
    int q;

    for (q = 0; q < QUALIFIERS; q++)
        if (fn->provisioned[q] > 0)
            sum += fn->provisioned[q];
    return sum;
}

static int64_t class_limit(const struct model_fn *fn, int version)
{
    int64_t sum = 0;
    int q;

    for (q = 0; q < QUALIFIERS; q++) {
        int leads_to = q < VERSIONS ? q + 1 : fn->leads_to[q - VERSIONS];

        if (leads_to == version && fn->provisioned[q] > 0)
            sum += fn->provisioned[q];
    }
    return sum;
}

static int64_t not_below_0(int64_t n)
{
    return n > 0 ? n : 0;
}

int64_t model_limit(const struct model *m, uint64_t account_limit, int pool)
{
    const struct model_fn *fn;
    int64_t left = (int64_t)account_limit;
    int f;

    if (pool == 0) {
        for (f = 0; f < FNS; f++)
            left -= m->fns[f].reserved >= 0 ? m->fns[f].reserved : provisioned_of(&m->fns[f]);
        return not_below_0(left);
    }
    fn = &m->fns[model_fn_of(pool)];
    if (model_version_of(pool))
        return class_limit(fn, model_version_of(pool));
    return fn->reserved >= 0 ? not_below_0(fn->reserved - provisioned_of(fn)) : 0;
}

/* What is free below each of the three limits. */
struct rooms {
    int64_t pool, function, account;
};

static struct rooms rooms_of(const struct model *m, uint64_t account_limit, int pool)
{
    struct rooms room = {
        .pool = model_limit(m, account_limit, pool) - (int64_t)model_pool_total(m, pool),
        .function = INT64_MAX,
        .account = (int64_t)account_limit - (int64_t)model_total(m),
    };
    int fn = model_fn_of(pool);

    if (fn >= 0 && m->fns[fn].reserved >= 0)
        room.function = m->fns[fn].reserved - (int64_t)model_fn_total(m, fn);
    return room;
}

/* ---- steps ---- */

static enum error_code enter(struct model *m, const struct model_at *at)
{
    if (at->term < m->term)
        return ERR_CONFLICT;
    m->term = at->term;
    return ERR_OK;
}

static enum error_code enter_epoch(struct model *m, const struct model_at *at)
{
    enum error_code code = enter(m, at);

    return code == ERR_OK && m->epoch != at->epoch ? ERR_STALE : code;
}

static void grant(struct model *m, uint64_t account_limit, int gateway, int pool, uint64_t want,
                  struct ledger_answer *answer)
{
    struct rooms room = rooms_of(m, account_limit, pool);
    uint64_t *lease = &m->gateways[gateway].lease[pool];
    int64_t by = (int64_t)want - (int64_t)*lease;

    if (by <= 0)
        return;
    /* what leaves the least room is what bounds it, the narrower one of two alike */
    if (room.pool < by && room.pool <= room.function && room.pool <= room.account)
        answer->bound = LEDGER_POOL;
    else if (room.function < by && room.function <= room.account)
        answer->bound = LEDGER_FUNCTION;
    else if (room.account < by)
        answer->bound = LEDGER_ACCOUNT;
    by = by < room.pool ? by : room.pool;
    by = by < room.function ? by : room.function;
    by = by < room.account ? by : room.account;
    if (by <= 0)
        return;
    *lease += (uint64_t)by;
    room = rooms_of(m, account_limit, pool);
    assert(room.pool >= 0 && room.function >= 0 && room.account >= 0);
}

enum error_code model_state(struct model *m, const struct model_at *at, int gateway,
                            const struct model_question *questions, size_t len,
                            struct ledger_answer *answers)
{
    enum error_code code = enter_epoch(m, at);
    size_t i;

    memset(answers, 0, len * sizeof(*answers));
    if (code != ERR_OK)
        return code;
    if (m->gateways[gateway].is != GATEWAY_JOINED)
        return m->gateways[gateway].is == GATEWAY_UNKNOWN ? ERR_NOT_FOUND : ERR_PRECONDITION;
    for (i = 0; i < len; i++) {
        const struct model_question *q = &questions[i];
        uint64_t *lease = &m->gateways[gateway].lease[q->pool];
        uint64_t *seq = &m->gateways[gateway].seq[q->pool];

        answers[i].old = q->again ? q->seq != *seq : q->seq <= *seq;
        if (answers[i].old || q->again)
            continue;
        *seq = q->seq;
        if (q->held < *lease || q->moved)
            *lease = q->held;
    }
    for (i = 0; i < len; i++)
        if (!answers[i].old)
            grant(m, at->limit, gateway, questions[i].pool, questions[i].want, &answers[i]);
    for (i = 0; i < len; i++) {
        uint64_t lease = m->gateways[gateway].lease[questions[i].pool];
        struct rooms room = rooms_of(m, at->limit, questions[i].pool);

        if (answers[i].old)
            continue;
        answers[i].lease = lease;
        answers[i].more = lease > questions[i].held ? lease - questions[i].held : 0;
        answers[i].drain = room.pool < 0 || room.function < 0 || room.account < 0;
    }
    return ERR_OK;
}

enum error_code model_join(struct model *m, const struct model_at *at, int gateway)
{
    enum error_code code = enter_epoch(m, at);

    if (code != ERR_OK)
        return code;
    if (m->gateways[gateway].is == GATEWAY_GIVEN_UP)
        return ERR_PRECONDITION;
    m->gateways[gateway].is = GATEWAY_JOINED;
    return ERR_OK;
}

enum error_code model_give_up(struct model *m, const struct model_at *at, int gateway)
{
    enum error_code code = enter_epoch(m, at);

    if (code != ERR_OK)
        return code;
    memset(&m->gateways[gateway], 0, sizeof(m->gateways[gateway]));
    m->gateways[gateway].is = GATEWAY_GIVEN_UP;
    return ERR_OK;
}

static void set_node(struct model *m, const struct model_orphans *o)
{
    m->nodes[o->node].is_known = true;
    m->nodes[o->node].process = o->process;
    m->nodes[o->node].seq = o->seq;
    memcpy(m->nodes[o->node].orphans, o->counts, sizeof(o->counts));
}

enum error_code model_set_orphans(struct model *m, const struct model_at *at,
                                  const struct model_orphans *o)
{
    enum error_code code = enter_epoch(m, at);

    if (code != ERR_OK || m->nodes[o->node].was[o->process])
        return code;
    if (m->nodes[o->node].is_known) {
        if (m->nodes[o->node].process != o->process)
            m->nodes[o->node].was[m->nodes[o->node].process] = true;
        else if (o->seq <= m->nodes[o->node].seq)
            return ERR_OK;
    }
    set_node(m, o);
    return ERR_OK;
}

enum error_code model_open(struct model *m, const struct model_at *at, uint64_t run,
                           const struct model_orphans *nodes, size_t len)
{
    enum error_code code = enter(m, at);
    size_t i;

    if (code != ERR_OK || m->epoch == at->epoch)
        return code;
    if (m->epoch > at->epoch)
        return ERR_STALE;
    memset(m->gateways, 0, sizeof(m->gateways));
    memset(m->nodes, 0, sizeof(m->nodes));
    m->epoch = at->epoch;
    m->run = run;
    for (i = 0; i < len; i++)
        set_node(m, &nodes[i]);
    return ERR_OK;
}

enum error_code model_read(struct model *m, const struct model_at *at)
{
    return at->term == 0 ? ERR_OK : enter(m, at);
}

enum error_code model_ready(struct model *m, const struct model_at *at, int fn, int version,
                            bool *ret)
{
    enum error_code code = enter_epoch(m, at);
    int own = model_class(fn, version), pool;
    int64_t needs = not_below_0(model_limit(m, at->limit, own) - (int64_t)model_pool_total(m, own));

    *ret = false;
    if (code != ERR_OK)
        return code;
    *ret = (int64_t)model_total(m) + needs <= (int64_t)at->limit;
    for (pool = 0; pool < POOLS; pool++)
        if (pool == 0 || (model_fn_of(pool) == fn && pool != own))
            *ret = *ret && (int64_t)model_pool_total(m, pool) <= model_limit(m, at->limit, pool);
    return ERR_OK;
}
