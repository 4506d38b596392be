/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/admission.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/map.h"

/* A bucket of one second's worth, as the time when it will be full again. */
struct rate {
    uint64_t full_at_us;
};

struct account {
    uint64_t limit; /* of those who wait */
    uint64_t waiting;
    uint64_t unreserved; /* limit of what functions without a reservation run together */
    uint64_t in_use; /* by those */
    struct rate rate; /* of those */
};

struct fn_lease {
    struct admission *admission;
    struct account *account;
    char *key;
    uint64_t refs;
    uint64_t in_use; /* permits out */
    uint64_t plain_in_use; /* those of them for versions with nothing provisioned */
    bool is_reserved;
    uint64_t reserved, set_aside;
    struct rate rate; /* while something is reserved */
};

struct admission {
    uint64_t account_limit, rate_factor;
    struct map accounts; /* account -> struct account */
    struct map functions; /* "account/name" -> struct fn_lease */
};

static void on_fn_lease_free(void *value)
{
    struct fn_lease *fn = value;

    free(fn->key);
    free(fn);
}

struct admission *admission_new(uint64_t account_limit, uint64_t rate_factor)
{
    struct admission *a = calloc(1, sizeof(*a));

    if (!a)
        abort();
    a->account_limit = account_limit;
    a->rate_factor = rate_factor;
    map_init(&a->accounts, free);
    map_init(&a->functions, on_fn_lease_free);
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
    account = calloc(1, sizeof(*account));
    if (!account)
        abort();
    account->limit = account->unreserved = a->account_limit;
    map_put(&a->accounts, id, account);
    return account;
}

void admission_set_unreserved(struct admission *a, struct str account, uint64_t unreserved)
{
    account_of(a, account)->unreserved = unreserved;
}

/* ---- functions ---- */

struct fn_lease *admission_fn(struct admission *a, struct str account, struct str name)
{
    CLEANUP(freep) char *key = str_printf("%.*s/%.*s", STR_ARG(account), STR_ARG(name));
    struct fn_lease *fn = map_get(&a->functions, str_of(key));

    if (fn)
        return fn_lease_ref(fn);
    fn = calloc(1, sizeof(*fn));
    if (!fn)
        abort();
    fn->admission = a;
    fn->account = account_of(a, account);
    map_put(&a->functions, str_of(key), fn);
    fn->key = TAKE(key);
    return fn_lease_ref(fn);
}

static void forget_if_unused(struct fn_lease *fn)
{
    if (fn->refs > 0 || fn->in_use > 0)
        return;
    map_remove(&fn->admission->functions, str_of(fn->key));
    on_fn_lease_free(fn);
}

struct fn_lease *fn_lease_ref(struct fn_lease *fn)
{
    if (fn)
        fn->refs++;
    return fn;
}

void fn_lease_unref(struct fn_lease *fn)
{
    if (!fn)
        return;
    assert(fn->refs > 0);
    fn->refs--;
    forget_if_unused(fn);
}

void fn_lease_set_limits(struct fn_lease *fn, const struct fn_limits *limits)
{
    if (limits->has_unreserved)
        fn->account->unreserved = limits->unreserved;
    /* what runs moves with its function from one account of them to the other */
    if (limits->has_reserved && !fn->is_reserved)
        fn->account->in_use -= fn->in_use;
    else if (!limits->has_reserved && fn->is_reserved)
        fn->account->in_use += fn->in_use;
    fn->is_reserved = limits->has_reserved;
    fn->reserved = limits->reserved;
    fn->set_aside = limits->set_aside;
}

static bool is_full(const struct fn_lease *fn, bool is_provisioned)
{
    uint64_t left = fn->reserved > fn->set_aside ? fn->reserved - fn->set_aside : 0;

    return fn->in_use >= fn->reserved || (!is_provisioned && fn->plain_in_use >= left);
}

int fn_lease_take(struct fn_lease *fn, bool is_provisioned, const char **ret_reason)
{
    struct account *account = fn->account;

    if (fn->is_reserved && is_full(fn, is_provisioned)) {
        *ret_reason = ADMISSION_FUNCTION;
        return -ERR_THROTTLED;
    }
    if (!fn->is_reserved && account->in_use >= account->unreserved) {
        *ret_reason = ADMISSION_ACCOUNT;
        return -ERR_THROTTLED;
    }
    if (!fn->is_reserved)
        account->in_use++;
    fn->in_use++;
    fn->plain_in_use += !is_provisioned;
    return 0;
}

void fn_lease_return(struct fn_lease *fn, bool is_provisioned)
{
    if (!fn)
        return;
    assert(fn->in_use > 0);
    fn->in_use--;
    fn->plain_in_use -= !is_provisioned;
    if (!fn->is_reserved)
        fn->account->in_use--;
    forget_if_unused(fn);
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

int fn_lease_pace(struct fn_lease *fn, uint64_t now_us, const char **ret_reason)
{
    uint64_t limit = fn->is_reserved ? fn->reserved : fn->account->unreserved;
    struct rate *rate = fn->is_reserved ? &fn->rate : &fn->account->rate;
    uint64_t per_s = limit * fn->admission->rate_factor;

    if (per_s == 0 || rate_take(rate, per_s, now_us)) /* nothing may run: that is another reason */
        return 0;
    *ret_reason = fn->is_reserved ? ADMISSION_FUNCTION_RATE : ADMISSION_ACCOUNT_RATE;
    return -ERR_THROTTLED;
}

/* ---- those who wait ---- */

int admission_wait(struct admission *a, struct str account, struct account **ret)
{
    struct account *of = account_of(a, account);

    if (of->waiting >= of->limit)
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
