/* SPDX-License-Identifier: Apache-2.0 */
#include "common/io/redis_votes.h"

#include <stdlib.h>

#include "common/base/alloc.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/io/redis_url.h"

#define ASK_US SECONDS(1)
#define DOUBT_US (3 * ASK_US) /* then somebody is told */
#define OTHER_US (2 * ASK_US) /* one that was just promoted is not known to all sentinels at once */

struct vote {
    struct redis_votes *votes;
    struct redis *sentinel;
    uint64_t asked_us; /* 0: no question is under way */
    uint64_t named_us; /* when it was asked last that it named our server; 0: it names another one, or nobody */
    uint64_t other_us; /* since when it names another one; 0: it does not */
};

struct redis_votes {
    struct redis *client;
    struct redis_address address;
    struct timer timer;
    uint64_t begun_us;
    bool is_doubted;
    struct vote all[REDIS_SENTINELS_MAX];
    size_t len;
};

static uint64_t boot_us(void)
{
    return clock_now_us(&clock_boot);
}

static size_t majority_of(const struct redis_votes *v)
{
    return v->len / 2 + 1;
}

/* ---- answers ---- */

/* Most know of another one: the connection leads to one that has been replaced. */
static void follow(struct redis_votes *v)
{
    uint64_t before_us = boot_us() - OTHER_US;
    struct error err;
    size_t others = 0, i;

    for (i = 0; i < v->len; i++)
        others += v->all[i].other_us && v->all[i].other_us <= before_us;
    if (others < majority_of(v) || !redis_is_up(v->client))
        return;
    for (i = 0; i < v->len; i++)
        v->all[i].other_us = 0;
    error_set(&err, ERR_UNAVAILABLE, "most sentinels name another master than the Redis we are connected to");
    redis_reconnect(v->client, &err);
}

static void on_master(const struct redis_value *value, const struct error *err, void *arg)
{
    struct vote *vote = arg;
    uint64_t asked_us = vote->asked_us, port = 0;
    bool is_ours;

    vote->asked_us = 0;
    if (err || value->type != REDIS_ARRAY || value->len != 2 ||
        str_parse_u64(value->items[1].str, &port) < 0) {
        vote->other_us = 0;
        return;
    }
    is_ours = redis_is_at(vote->votes->client, value->items[0].str, (uint16_t)port);
    vote->named_us = is_ours ? asked_us : 0;
    if (is_ours || !redis_is_up(vote->votes->client))
        vote->other_us = 0;
    else if (!vote->other_us)
        vote->other_us = asked_us;
    follow(vote->votes);
}

/* ---- questions ---- */

static void consider(struct redis_votes *v)
{
    uint64_t since_us = redis_votes_age_us(v), up_us = boot_us() - v->begun_us;
    bool is_doubted = since_us > DOUBT_US && up_us > DOUBT_US;

    if (is_doubted == v->is_doubted)
        return;
    v->is_doubted = is_doubted;
    if (is_doubted)
        log_warn("redis", "most sentinels do not name the Redis that we are connected to: where there are several controllers, "
                          "what runs is ended if that lasts",
                 KV_STR("master", v->address.master));
    else
        log_info("redis", "most sentinels name the Redis that we are connected to", KV_STR("master", v->address.master));
}

static void look(void *arg)
{
    struct redis_votes *v = arg;
    const struct str words[] = {STR("SENTINEL"), STR("get-master-addr-by-name"), str_of(v->address.master)};
    size_t i;

    for (i = 0; i < v->len; i++) {
        struct vote *vote = &v->all[i];

        if (vote->asked_us || !redis_is_up(vote->sentinel))
            continue;
        vote->asked_us = boot_us();
        redis_command(vote->sentinel, words, ARRAY_LEN(words), on_master, vote);
    }
    consider(v);
    timer_start(&v->timer, ASK_US);
}

/* Whoever is up is asked at once. */
static void on_sentinel(bool up, const struct error *why, void *arg)
{
    struct vote *vote = arg;

    (void)why;
    if (up && !vote->asked_us)
        timer_start(&vote->votes->timer, 0);
}

/* ---- what is so ---- */

static int compare(const void *a, const void *b)
{
    uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;

    return one < other ? 1 : one > other ? -1 : 0;
}

uint64_t redis_votes_age_us(const struct redis_votes *v)
{
    uint64_t named[REDIS_SENTINELS_MAX], at;
    size_t i;

    if (!v)
        return 0;
    for (i = 0; i < v->len; i++)
        named[i] = v->all[i].named_us;
    qsort(named, v->len, sizeof(named[0]), compare); /* the newest first */
    at = named[majority_of(v) - 1];
    return at ? boot_us() - at : UINT64_MAX;
}

/* ---- life ---- */

static int vote_begin(struct redis_votes *v, struct loop *loop, const struct redis_host *host, struct error *err)
{
    CLEANUP(freep) char *where = redis_host_text(host->host, host->port);
    CLEANUP(freep) char *url = str_printf("redis://%s", where);
    struct vote *vote = &v->all[v->len];
    const struct redis_options options = {
        .url = url, .command_timeout_us = ASK_US, .is_sentinel = true, .on_state = on_sentinel, .arg = vote};
    int r = redis_new(loop, &options, &vote->sentinel, err);

    vote->votes = v;
    v->len += r == 0;
    return r;
}

int redis_votes_new(struct loop *loop, const char *url, struct redis *client, struct redis_votes **ret,
                    struct error *err)
{
    struct redis_votes *v = xcalloc(sizeof(*v));
    size_t i;
    int r;

    v->client = client;
    v->begun_us = boot_us();
    timer_init(&v->timer, loop, look, v);
    r = redis_url_parse(str_of(url), &v->address, err);
    if (r < 0) {
        free(v);
        return r;
    }
    for (i = 0; i < v->address.sentinels_len && r == 0; i++)
        r = vote_begin(v, loop, &v->address.sentinels[i], err);
    if (r < 0 || v->len == 0) {
        redis_votes_free(v);
        v = NULL;
    } else {
        timer_start(&v->timer, 0);
    }
    if (r == 0)
        *ret = v;
    return r;
}

void redis_votes_free(struct redis_votes *v)
{
    size_t i;

    if (!v)
        return;
    timer_stop(&v->timer);
    for (i = 0; i < v->len; i++)
        redis_free(v->all[i].sentinel);
    timer_stop(&v->timer); /* what ended may have begun it again */
    redis_address_done(&v->address);
    free(v);
}
