/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger_fixture.h - for tests: what the controller answers one gateway about permits, out of limits that the
 * test sets.
 *
 * Threads: one.
 */
#ifndef HEARTH_GATEWAY_LEDGER_FIXTURE_H
#define HEARTH_GATEWAY_LEDGER_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/io/rpc.h"

struct fake_pool {
    char name[64];
    uint64_t limit, lease, seq;
};

struct fake_ledger {
    uint64_t limit; /* of pools that a test sets none for */
    uint64_t epoch;
    struct fake_pool pools[8];
    int pools_len;
    char gateway[96]; /* that joined last */
    int joins, asks;
    enum error_code join_with, ask_with; /* they fail with it; ERR_OK: they do not */
};

static inline const char *text_of(const cJSON *json, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));

    return text ? text : "-";
}

static inline uint64_t number_of(const cJSON *json, const char *name)
{
    const cJSON *m = cJSON_GetObjectItemCaseSensitive(json, name);

    assert_true(cJSON_IsNumber(m));
    return (uint64_t)m->valuedouble;
}

static inline struct fake_pool *fake_pool(struct fake_ledger *l, const char *name)
{
    struct fake_pool *pool;
    int i;

    for (i = 0; i < l->pools_len; i++)
        if (strcmp(l->pools[i].name, name) == 0)
            return &l->pools[i];
    assert_in_range(l->pools_len, 0, 7);
    pool = &l->pools[l->pools_len++];
    *pool = (struct fake_pool){.limit = l->limit};
    snprintf(pool->name, sizeof(pool->name), "%s", name);
    return pool;
}

static inline void fake_ledger_refuse(struct rpc_request *req, enum error_code code)
{
    struct error err;

    error_set(&err, code, "as the test has it");
    rpc_fail(req, &err);
}

/* permits.join: another incarnation has nothing. */
static inline void fake_ledger_join(struct fake_ledger *l, struct rpc_request *req, const cJSON *args)
{
    cJSON *ok = cJSON_CreateObject();
    int i;

    l->joins++;
    if (strcmp(l->gateway, text_of(args, "gateway")) != 0)
        for (i = 0; i < l->pools_len; i++)
            l->pools[i].lease = 0;
    snprintf(l->gateway, sizeof(l->gateway), "%s", text_of(args, "gateway"));
    cJSON_AddNumberToObject(ok, "epoch", (double)l->epoch);
    if (l->join_with != ERR_OK)
        fake_ledger_refuse(req, l->join_with);
    else
        rpc_reply(req, ok, STR_NULL);
    cJSON_Delete(ok);
}

/* A question about one pool: what the ledger's script does, for one gateway. */
static inline cJSON *fake_pool_answer(struct fake_ledger *l, const cJSON *q)
{
    uint64_t seq = number_of(q, "seq"), held = number_of(q, "held"), want = number_of(q, "want");
    struct fake_pool *pool = fake_pool(l, text_of(q, "pool"));
    cJSON *json = cJSON_CreateObject();

    assert_true(seq > pool->seq && want >= held && number_of(q, "need") <= want);
    pool->seq = seq;
    pool->lease = want <= pool->limit ? want : held > pool->limit ? held : pool->limit;
    cJSON_AddStringToObject(json, "account", text_of(q, "account"));
    cJSON_AddStringToObject(json, "pool", pool->name);
    cJSON_AddNumberToObject(json, "seq", (double)seq);
    cJSON_AddNumberToObject(json, "more", (double)(pool->lease - held));
    cJSON_AddBoolToObject(json, "drain", pool->lease > pool->limit);
    cJSON_AddBoolToObject(json, "dry", pool->lease < number_of(q, "need"));
    return json;
}

/* permits.ask */
static inline void fake_ledger_ask(struct fake_ledger *l, struct rpc_request *req, const cJSON *args)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(args, "pools"), *q;
    cJSON *ok = cJSON_CreateObject(), *pools = cJSON_AddArrayToObject(ok, "pools");

    l->asks++;
    if (l->ask_with != ERR_OK) {
        fake_ledger_refuse(req, l->ask_with);
    } else if (number_of(args, "epoch") != l->epoch ||
               strcmp(l->gateway, text_of(args, "gateway")) != 0) {
        fake_ledger_refuse(req, ERR_STALE);
    } else {
        cJSON_ArrayForEach (q, list)
            cJSON_AddItemToArray(pools, fake_pool_answer(l, q));
        rpc_reply(req, ok, STR_NULL);
    }
    cJSON_Delete(ok);
}

#endif
