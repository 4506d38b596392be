/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/fence.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/alloc.h"
#include "common/base/map.h"

#define KEY_MAX (FENCE_GATEWAY_MAX + FENCE_ACCOUNT_MAX + FENCE_POOL_MAX + 2u)
/* Counts of nothing are kept: the next invocation finds its own without an allocation. */
#define EMPTY_COUNTS_MAX 4096u

/* What runs of one pool for one gateway; with gateway "": on nobody's lease. */
struct fence_count {
    struct str gateway, account, pool; /* parts of key */
    uint32_t count;
    struct list_node runs;
    size_t key_len;
    char key[]; /* in fence.counts: the three, a NUL between them */
};

struct fence {
    struct fence_options options;
    enum fence_state state;
    uint64_t term, number, epoch;
    struct map allowed; /* gateways; the values mean nothing */
    struct map counts; /* struct fence_count */
    size_t empty_counts;
    uint64_t orphans_seq;
    uint64_t lease_end_us; /* 0: none */
    uint64_t link_end_us; /* of the lease as far as it was given over this link; 0: not at all */
    uint64_t epoch_end_us; /* as far as it was given by leaders whose epoch is in force */
    bool is_heard; /* over this link */
    bool needs_lease; /* one was over, and there is no other since */
};

static bool is_orphans(const struct fence_count *c)
{
    return c->gateway.len == 0;
}

static void orphans_changed(struct fence *f)
{
    f->orphans_seq++;
    if (f->options.orphans_changed)
        f->options.orphans_changed(f->options.arg);
}

/* ---- counts */

static struct str make_key(char *buf, struct str gateway, struct str account, struct str pool)
{
    const struct str parts[] = {gateway, account, pool};
    size_t len = 0, i;

    for (i = 0; i < ARRAY_LEN(parts); i++) {
        if (i > 0)
            buf[len++] = '\0';
        if (parts[i].len)
            memcpy(buf + len, parts[i].ptr, parts[i].len);
        len += parts[i].len;
    }
    return str_from(buf, len);
}

static struct fence_count *count_get(struct fence *f, struct str gateway, struct str account,
                                     struct str pool)
{
    char buf[KEY_MAX];
    struct str key = make_key(buf, gateway, account, pool);
    struct fence_count *c = map_get(&f->counts, key);

    if (c)
        return c;
    c = xcalloc(sizeof(*c) + key.len);
    memcpy(c->key, key.ptr, key.len);
    c->key_len = key.len;
    c->gateway = str_from(c->key, gateway.len);
    c->account = str_from(c->key + gateway.len + 1, account.len);
    c->pool = str_from(c->key + gateway.len + 1 + account.len + 1, pool.len);
    list_init(&c->runs);
    map_put(&f->counts, str_from(c->key, c->key_len), c);
    f->empty_counts++;
    return c;
}

static void count_drop(struct fence *f, struct fence_count *c)
{
    assert(c->count == 0);
    f->empty_counts--;
    free(map_remove(&f->counts, str_from(c->key, c->key_len)));
}

/* Any count of nothing, that of a gateway which is not allowed or all of them; NULL: there is none. */
static struct fence_count *find_empty(const struct fence *f)
{
    struct str key;
    size_t at = 0;
    void *value;

    while (map_next(&f->counts, &at, &key, &value))
        if (((struct fence_count *)value)->count == 0)
            return value;
    return NULL;
}

static void drop_empty(struct fence *f)
{
    struct fence_count *c;

    while ((c = find_empty(f)))
        count_drop(f, c);
}

static void run_add(struct fence *f, struct fence_count *c, struct fence_run *run)
{
    f->empty_counts -= c->count == 0;
    c->count++;
    run->of = c;
    list_append(&c->runs, &run->node);
}

static void run_remove(struct fence *f, struct fence_run *run)
{
    struct fence_count *c = TAKE(run->of);

    list_remove(&run->node);
    c->count--;
    f->empty_counts += c->count == 0;
}

/* ---- orphans */

/* A count of a gateway that is told to have none here: of @all, or of those that are not allowed. */
static struct fence_count *find_to_orphan(const struct fence *f, bool all)
{
    struct fence_count *c;
    struct str key;
    size_t at = 0;
    void *value;

    while (map_next(&f->counts, &at, &key, &value)) {
        c = value;
        if (!is_orphans(c) && (all || !map_get(&f->allowed, c->gateway)))
            return c;
    }
    return NULL;
}

/* What runs of those gateways is on nobody's lease any more. */
static void make_orphans(struct fence *f, bool all)
{
    struct fence_count *c, *orphans;
    struct fence_run *run;
    bool changed = false;

    while ((c = find_to_orphan(f, all))) {
        if (c->count > 0) {
            orphans = count_get(f, STR(""), c->account, c->pool);
            while ((run = LIST_FIRST(&c->runs, struct fence_run, node))) {
                run_remove(f, run);
                run_add(f, orphans, run);
            }
            changed = true;
        }
        count_drop(f, c);
    }
    if (changed)
        orphans_changed(f);
}

uint64_t fence_orphans_seq(const struct fence *f)
{
    return f->orphans_seq;
}

bool fence_orphans_next(const struct fence *f, size_t *at, struct fence_orphans *ret)
{
    const struct fence_count *c;
    struct str key;
    void *value;

    while (map_next(&f->counts, at, &key, &value)) {
        c = value;
        if (is_orphans(c) && c->count > 0) {
            *ret = (struct fence_orphans){c->account, c->pool, c->count};
            return true;
        }
    }
    return false;
}

uint32_t fence_runs(const struct fence *f, struct str gateway)
{
    const struct fence_count *c;
    uint32_t count = 0;
    struct str key;
    size_t at = 0;
    void *value;

    while (map_next(&f->counts, &at, &key, &value)) {
        c = value;
        if (str_eq(c->gateway, gateway))
            count += c->count;
    }
    return count;
}

/* ---- runs */

static bool lease_is_over(const struct fence *f)
{
    return f->lease_end_us && clock_now_us(f->options.clock) >= f->lease_end_us;
}

/* There is a lease, by which what runs goes on, but it is of another epoch's leader. */
static bool lease_is_anothers(const struct fence *f)
{
    return f->state == FENCE_IN_FORCE && f->lease_end_us && clock_now_us(f->options.clock) >= f->epoch_end_us;
}

bool fence_is_shut(const struct fence *f)
{
    return f->state == FENCE_LAPSED || f->needs_lease || lease_is_over(f) || lease_is_anothers(f);
}

static int check(const struct fence *f, const struct fence_claim *claim, struct error *err)
{
    if (fence_is_shut(f))
        return error_set(err, ERR_UNAVAILABLE, "the node has not reached its controller for too long");
    if (claim->gateway.len == 0 || f->state == FENCE_ABSENT)
        return 0;
    if (f->state == FENCE_UNHEARD)
        return error_set(err, ERR_UNAVAILABLE, "the node has not heard its controller yet");
    if (claim->epoch < f->epoch)
        return error_set(err, ERR_FENCED, "the permit is of epoch %" PRIu64 ", this is %" PRIu64,
                         claim->epoch, f->epoch);
    if (claim->epoch > f->epoch)
        return error_set(err, ERR_UNAVAILABLE, "the node has not heard of epoch %" PRIu64 " yet",
                         claim->epoch);
    if (!map_get(&f->allowed, claim->gateway))
        return error_set(err, ERR_UNAVAILABLE, "the node has not heard of gateway %.*s",
                         STR_ARG(claim->gateway));
    return 0;
}

int fence_admit(struct fence *f, struct fence_run *run, const struct fence_claim *claim,
                struct error *err)
{
    bool is_older = claim->gateway.len == 0;
    int r = check(f, claim, err);

    if (r < 0)
        return r;
    if (f->empty_counts > EMPTY_COUNTS_MAX)
        drop_empty(f);
    run_add(f, count_get(f, claim->gateway, claim->account, is_older ? STR(FENCE_COMMON_POOL) : claim->pool),
            run);
    if (is_older)
        orphans_changed(f);
    return 0;
}

void fence_over(struct fence *f, struct fence_run *run)
{
    bool was_orphan = run->of && is_orphans(run->of);

    if (!run->of)
        return;
    run_remove(f, run);
    if (was_orphan)
        orphans_changed(f);
}

/* ---- the leader */

static int check_news(const struct fence *f, const struct fence_news *news, struct error *err)
{
    if (news->term < f->term)
        return error_set(err, ERR_STALE, "term %" PRIu64, f->term);
    if (news->term == f->term && news->number < f->number)
        return error_set(err, ERR_STALE, "number %" PRIu64 " is older than %" PRIu64, news->number, f->number);
    if (news->epoch < f->epoch)
        return error_set(err, ERR_STALE, "epoch %" PRIu64, f->epoch);
    return 0;
}

int fence_hear(struct fence *f, const struct fence_news *news, struct error *err)
{
    bool is_new_epoch = news->epoch > f->epoch;
    int r = check_news(f, news, err);
    size_t i;

    if (r < 0)
        return r;
    f->term = news->term;
    f->number = news->number;
    f->epoch = news->epoch;
    f->state = FENCE_IN_FORCE;
    f->is_heard = true;
    if (is_new_epoch || f->link_end_us > f->epoch_end_us)
        f->epoch_end_us = f->link_end_us;
    map_done(&f->allowed);
    map_init(&f->allowed, NULL);
    for (i = 0; i < news->len; i++)
        map_put(&f->allowed, news->gateways[i], f);
    make_orphans(f, is_new_epoch);
    return 0;
}

void fence_relinked(struct fence *f)
{
    f->number = 0;
    f->is_heard = false;
    f->link_end_us = 0;
}

void fence_set_absent(struct fence *f)
{
    f->state = FENCE_ABSENT;
    f->lease_end_us = 0;
    f->needs_lease = false;
}

void fence_renew(struct fence *f, uint64_t sent_us, uint64_t fence_us)
{
    uint64_t end_us = sent_us + fence_us;

    if (lease_is_over(f) || end_us <= clock_now_us(f->options.clock))
        return; /* it was answered too late; what was over is seen to first */
    f->needs_lease = false;
    if (end_us > f->lease_end_us)
        f->lease_end_us = end_us;
    if (end_us > f->link_end_us)
        f->link_end_us = end_us;
    if (f->is_heard && end_us > f->epoch_end_us)
        f->epoch_end_us = end_us;
}

bool fence_look(struct fence *f)
{
    if (!lease_is_over(f))
        return false;
    f->state = FENCE_LAPSED;
    f->lease_end_us = 0;
    f->needs_lease = true;
    return true;
}

uint64_t fence_lease_end_us(const struct fence *f)
{
    return f->lease_end_us;
}

enum fence_state fence_state(const struct fence *f)
{
    return f->state;
}

uint64_t fence_term(const struct fence *f)
{
    return f->term;
}

uint64_t fence_epoch(const struct fence *f)
{
    return f->epoch;
}

/* ---- life */

struct fence *fence_new(const struct fence_options *options)
{
    struct fence *f = xcalloc(sizeof(*f));

    f->options = *options;
    f->term = options->term;
    f->epoch = options->epoch;
    f->orphans_seq = 1;
    map_init(&f->allowed, NULL);
    map_init(&f->counts, NULL);
    return f;
}

void fence_free(struct fence *f)
{
    if (!f)
        return;
    drop_empty(f);
    assert(f->counts.len == 0);
    map_done(&f->allowed);
    map_done(&f->counts);
    free(f);
}
