/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/scaling_rate.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/alloc.h"
#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/map.h"

#define WINDOW_US SECONDS(10)

/*
 * A bucket is kept as the time at which it will be full: each start moves that on by what it takes to fill one in
 * again. One may be begun while the time is no further away than it takes to fill the bucket less one.
 */
struct scaling_rate {
    struct scaling_rates *rates;
    char *key; /* "<account>/<name>" */
    uint64_t full_us;
    unsigned refs;
};

struct scaling_rates {
    const struct clock *clock;
    uint64_t per_10s;
    uint32_t nodes;
    struct map all; /* struct scaling_rate by key */
};

/* Until one more is in the bucket. */
static uint64_t one_us(const struct scaling_rates *rates)
{
    uint64_t us = WINDOW_US * rates->nodes / rates->per_10s;

    return us ? us : 1;
}

/* Until a bucket without any is full: 10 s, or longer where its share in them is less than one. */
static uint64_t whole_us(const struct scaling_rates *rates)
{
    return one_us(rates) > WINDOW_US ? one_us(rates) : WINDOW_US;
}

struct scaling_rates *scaling_rates_new(const struct clock *clock, uint64_t per_10s)
{
    struct scaling_rates *rates = xcalloc(sizeof(*rates));

    rates->clock = clock;
    rates->per_10s = per_10s;
    rates->nodes = 1;
    map_init(&rates->all, NULL);
    return rates;
}

void scaling_rates_free(struct scaling_rates *rates)
{
    if (!rates)
        return;
    assert(rates->all.len == 0);
    map_done(&rates->all);
    free(rates);
}

void scaling_rates_share(struct scaling_rates *rates, uint32_t nodes)
{
    uint64_t before_us, now, us;
    struct scaling_rate *rate;
    struct str key;
    size_t at = 0;
    void *value;

    nodes = nodes ? nodes : 1;
    if (rates->per_10s == 0 || nodes == rates->nodes)
        return;
    now = clock_now_us(rates->clock);
    before_us = one_us(rates);
    rates->nodes = nodes;
    while (map_next(&rates->all, &at, &key, &value)) { /* what was begun counts as many as before */
        rate = value;
        us = rate->full_us > now ? (rate->full_us - now) / before_us * one_us(rates) : 0;
        rate->full_us = now + (us < whole_us(rates) ? us : whole_us(rates));
    }
}

struct scaling_rate *scaling_rate_get(struct scaling_rates *rates, struct str account, struct str name)
{
    CLEANUP(freep) char *key = NULL;
    struct scaling_rate *rate;

    if (rates->per_10s == 0)
        return NULL;
    key = str_printf("%.*s/%.*s", STR_ARG(account), STR_ARG(name));
    rate = map_get(&rates->all, str_of(key));
    if (rate)
        return scaling_rate_ref(rate);
    rate = xcalloc(sizeof(*rate));
    rate->rates = rates;
    rate->refs = 1;
    rate->key = TAKE(key);
    map_put(&rates->all, str_of(rate->key), rate);
    return rate;
}

struct scaling_rate *scaling_rate_ref(struct scaling_rate *rate)
{
    if (rate)
        rate->refs++;
    return rate;
}

void scaling_rate_unref(struct scaling_rate *rate)
{
    if (!rate || --rate->refs)
        return;
    map_remove(&rate->rates->all, str_of(rate->key));
    free(rate->key);
    free(rate);
}

uint64_t scaling_rate_due_us(struct scaling_rate *rate)
{
    uint64_t most_us;

    if (!rate)
        return 0;
    most_us = whole_us(rate->rates) - one_us(rate->rates);
    return rate->full_us > most_us ? rate->full_us - most_us : 0;
}

void scaling_rate_take(struct scaling_rate *rate)
{
    uint64_t now;

    if (!rate)
        return;
    now = clock_now_us(rate->rates->clock);
    if (rate->full_us < now)
        rate->full_us = now;
    rate->full_us += one_us(rate->rates);
}
