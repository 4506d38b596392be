/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/admission.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/alloc.h"
#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/map.h"

/* A bucket of one second's worth, as the time when it will be full again. */
struct rate {
    uint64_t full_at_us;
};

struct account {
    struct lease_pool *shared; /* of functions without a reservation */
    uint64_t waiting;
    uint64_t unreserved; /* limit of what those functions run together; 0: not heard yet, or nothing */
    struct rate rate; /* of those */
};

struct fn_admission {
    struct admission *admission;
    struct account *account;
    char *key; /* "account/name" */
    struct str account_id, name; /* parts of it */
    uint64_t refs;
    struct lease_pool *reserved_pool; /* while something is reserved; else NULL */
    uint64_t reserved;
    struct rate rate; /* while something is reserved */
};

struct admission {
    struct leases *leases;
    uint64_t rate_factor, gateways;
    struct map accounts; /* account -> struct account */
    struct map functions; /* "account/name" -> struct fn_admission */
};

static void on_account_free(void *value)
{
    struct account *account = value;

    lease_pool_unref(account->shared);
    free(account);
}

static void on_fn_free(void *value)
{
    struct fn_admission *fn = value;

    lease_pool_unref(fn->reserved_pool);
    free(fn->key);
    free(fn);
}

struct admission *admission_new(struct leases *leases, uint64_t rate_factor)
{
    struct admission *a = xcalloc(sizeof(*a));

    a->leases = leases;
    a->rate_factor = rate_factor;
    a->gateways = 1;
    map_init(&a->accounts, on_account_free);
    map_init(&a->functions, on_fn_free);
    return a;
}

void admission_free(struct admission *a)
{
    if (!a)
        return;
    map_done(&a->functions);
    map_done(&a->accounts);
    free(a);
}

static struct account *account_of(struct admission *a, struct str id)
{
    struct account *account = map_get(&a->accounts, id);

    if (account)
        return account;
    account = xcalloc(sizeof(*account));
    account->shared = leases_pool(a->leases, id, STR("*"));
    map_put(&a->accounts, id, account);
    return account;
}

void admission_set_unreserved(struct admission *a, struct str account, uint64_t unreserved)
{
    account_of(a, account)->unreserved = unreserved;
}

void admission_set_gateways(struct admission *a, uint64_t gateways)
{
    a->gateways = gateways > 0 ? gateways : 1;
}

/* ---- functions ---- */

struct fn_admission *admission_fn(struct admission *a, struct str account, struct str name)
{
    CLEANUP(freep) char *key = str_printf("%.*s/%.*s", STR_ARG(account), STR_ARG(name));
    struct fn_admission *fn = map_get(&a->functions, str_of(key));

    if (fn)
        return fn_admission_ref(fn);
    fn = xcalloc(sizeof(*fn));
    fn->admission = a;
    fn->account = account_of(a, account);
    fn->account_id = str_from(key, account.len);
    fn->name = str_from(key + account.len + 1, name.len);
    map_put(&a->functions, str_of(key), fn);
    fn->key = TAKE(key);
    return fn_admission_ref(fn);
}

struct fn_admission *fn_admission_ref(struct fn_admission *fn)
{
    if (fn)
        fn->refs++;
    return fn;
}

void fn_admission_unref(struct fn_admission *fn)
{
    if (!fn)
        return;
    assert(fn->refs > 0);
    if (--fn->refs > 0)
        return;
    map_remove(&fn->admission->functions, str_of(fn->key));
    on_fn_free(fn);
}

void fn_admission_set_limits(struct fn_admission *fn, const struct fn_limits *limits)
{
    if (limits->has_unreserved)
        fn->account->unreserved = limits->unreserved;
    if (limits->has_reserved && !fn->reserved_pool)
        fn->reserved_pool = leases_pool(fn->admission->leases, fn->account_id, fn->name);
    else if (!limits->has_reserved)
        lease_pool_unref(TAKE(fn->reserved_pool));
    fn->reserved = limits->reserved;
}

struct lease_pool *fn_admission_class(struct fn_admission *fn, struct str version)
{
    CLEANUP(freep) char *name = str_printf("%.*s:%.*s", STR_ARG(fn->name), STR_ARG(version));

    return leases_pool(fn->admission->leases, fn->account_id, str_of(name));
}

static struct lease_pool *plain_pool(const struct fn_admission *fn)
{
    return fn->reserved_pool ? fn->reserved_pool : fn->account->shared;
}

/* Whom the pool has refused by a question of its own is throttled, however long the answer took. */
static int take_from(struct lease_pool *pool, uint64_t now_us, struct permit_wait *w)
{
    int r = lease_take(pool, w->function, now_us, w->permit);

    if (r == 0)
        w->dry_len = 0;
    return r == -ERR_NOT_READY && permit_wait_was_refused(w, pool) ? -ERR_THROTTLED : r;
}

int fn_admission_take(struct fn_admission *fn, struct lease_pool *class, uint64_t now_us,
                      struct permit_wait *w, const char **ret_reason)
{
    struct lease_pool *pool = class ? class : plain_pool(fn);
    int r = -ERR_THROTTLED;

    if (!fn->reserved_pool || fn->reserved > 0)
        r = take_from(pool, now_us, w);
    if (r == -ERR_THROTTLED && class && (!fn->reserved_pool || fn->reserved > 0)) {
        pool = plain_pool(fn); /* spills over */
        r = take_from(pool, now_us, w);
    }
    if (r == -ERR_NOT_READY)
        lease_wait(pool, w);
    else if (r == -ERR_THROTTLED)
        *ret_reason = fn->reserved_pool ? ADMISSION_FUNCTION : ADMISSION_ACCOUNT;
    return r;
}

bool fn_admission_fits(const struct fn_admission *fn, const struct lease_pool *class,
                       const struct permit *permit)
{
    return permit->pool == plain_pool(fn) || (class && permit->pool == class);
}

/* ---- how fast ---- */

/* Takes one from a bucket that is filled with @per_s a second. */
static bool rate_take(struct rate *rate, uint64_t per_s, uint64_t now_us)
{
    uint64_t full_at_us = rate->full_at_us > now_us ? rate->full_at_us : now_us;

    full_at_us += (SECONDS(1) + per_s / 2) / per_s;
    if (full_at_us > now_us + SECONDS(1))
        return false;
    rate->full_at_us = full_at_us;
    return true;
}

/*
 * This gateway's part of what may begin a second: an equal one, rounded up, so never nothing where
 * something may run; or, where that is more, what belongs to the permits that it holds. They are where the
 * work is: clients that all come to one gateway have all of it.
 */
static uint64_t share_of(const struct admission *a, uint64_t limit, uint64_t held)
{
    uint64_t equal = (limit * a->rate_factor + a->gateways - 1) / a->gateways;
    uint64_t own = (held < limit ? held : limit) * a->rate_factor;

    return own > equal ? own : equal;
}

/* Its permits here, those of the class that @permit is of included. */
static uint64_t held_of(const struct fn_admission *fn, const struct permit *permit)
{
    const struct lease_pool *plain = plain_pool(fn);
    uint64_t held = lease_pool_held(plain);

    return permit->pool && permit->pool != plain ? held + lease_pool_held(permit->pool) : held;
}

int fn_admission_pace(struct fn_admission *fn, const struct permit *permit, uint64_t now_us,
                      const char **ret_reason)
{
    bool is_reserved = fn->reserved_pool != NULL;
    uint64_t limit = is_reserved ? fn->reserved : fn->account->unreserved;
    struct rate *rate = is_reserved ? &fn->rate : &fn->account->rate;
    uint64_t per_s = share_of(fn->admission, limit, held_of(fn, permit));

    if (per_s == 0 || rate_take(rate, per_s, now_us)) /* nothing may run: that is another reason */
        return 0;
    *ret_reason = is_reserved ? ADMISSION_FUNCTION_RATE : ADMISSION_ACCOUNT_RATE;
    return -ERR_THROTTLED;
}

/* ---- those who wait ---- */

int admission_wait(struct admission *a, struct str account, struct account **ret)
{
    struct account *of = account_of(a, account);

    if (of->waiting >= ADMISSION_WAITING_MAX)
        return -ERR_THROTTLED;
    of->waiting++;
    *ret = of;
    return 0;
}

void admission_waited(struct account *account)
{
    if (!account)
        return;
    assert(account->waiting > 0);
    account->waiting--;
}
