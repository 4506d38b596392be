/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/permits/permit_wire.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/alloc.h"
#include "common/model/lambda_input.h"

/* ---- names and numbers ---- */

bool permit_name_is_valid(struct str name)
{
    size_t i;

    for (i = 0; i < name.len; i++)
        if (name.ptr[i] <= ' ' || name.ptr[i] > '~')
            return false;
    return name.len > 0 && name.len <= PERMIT_NAME_MAX;
}

int permit_number(const cJSON *json, const char *name, uint64_t *ret, struct error *err)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);
    double value = cJSON_GetNumberValue(item);

    if (!cJSON_IsNumber(item) || !(value >= 0) || value > (double)PERMIT_NUMBER_MAX ||
        (double)(uint64_t)value != value)
        return error_set(err, ERR_BAD_REQUEST, "%s is not a whole number from 0 to 2^53 - 1", name);
    *ret = (uint64_t)value;
    return 0;
}

static int parse_name(const cJSON *json, const char *name, char **ret, struct error *err)
{
    struct str text = cjson_str(json, name);

    if (!permit_name_is_valid(text))
        return error_set(err, ERR_BAD_REQUEST, "%s is not a name of 1 to %u bytes", name,
                         PERMIT_NAME_MAX);
    *ret = str_dup(text);
    return 0;
}

struct str permit_pool_function(struct str pool)
{
    return str_is(pool, "*") ? STR("") : str_sub(pool, 0, str_find(pool, ':', 0));
}

/* ---- pools ---- */

static int compare_items(const void *a, const void *b)
{
    const struct permit_item *one = a, *two = b;
    int order = strcmp(one->account, two->account);

    return order ? order : strcmp(one->pool, two->pool);
}

/* A statement, or with @asks a question. */
static int parse_item(const cJSON *json, bool asks, struct permit_item *item, struct error *err)
{
    int r = parse_name(json, "account", &item->account, err);

    if (r == 0)
        r = parse_name(json, "pool", &item->pool, err);
    if (r == 0)
        r = permit_number(json, "seq", &item->seq, err);
    if (r == 0)
        r = permit_number(json, "held", &item->held, err);
    item->want = item->need = item->held;
    item->moved = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "moved"));
    if (r == 0 && asks)
        r = permit_number(json, "want", &item->want, err);
    if (r == 0 && asks)
        r = permit_number(json, "need", &item->need, err);
    item->most = item->want;
    if (r < 0)
        return r;
    if (item->want < item->held || item->need > item->want || item->seq == 0 ||
        item->want > LEDGER_COUNT_MAX)
        return error_set(err, ERR_BAD_REQUEST,
                         "a question about a pool has seq > 0, held <= want <= %u, need <= want",
                         LEDGER_COUNT_MAX);
    return 0;
}

static int parse_items(const cJSON *json, bool asks, struct permit_items *ret, struct error *err)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, "pools"), *one;
    struct permit_items items = {0};
    int len = cJSON_GetArraySize(list), r = 0;
    size_t i;

    if (!cJSON_IsArray(list) || len > (int)PERMIT_POOLS_MAX)
        return error_set(err, ERR_BAD_REQUEST, "pools is not a list of up to %u pools",
                         PERMIT_POOLS_MAX);
    items.all = xcalloc(((size_t)len + 1) * sizeof(*items.all));
    cJSON_ArrayForEach(one, list)
    {
        if (r == 0)
            r = parse_item(one, asks, &items.all[items.len++], err);
    }
    if (r == 0)
        qsort(items.all, items.len, sizeof(*items.all), compare_items);
    for (i = 1; r == 0 && i < items.len; i++)
        if (compare_items(&items.all[i - 1], &items.all[i]) == 0)
            r = error_set(err, ERR_BAD_REQUEST, "a pool comes twice: %s", items.all[i].pool);
    if (r < 0) {
        permit_items_done(&items);
        return r;
    }
    *ret = items;
    return 0;
}

int permit_items_parse(const cJSON *args, struct permit_items *ret, struct error *err)
{
    return parse_items(args, true, ret, err);
}

int permit_statements_parse(const cJSON *ok, struct permit_items *ret, struct error *err)
{
    return parse_items(ok, false, ret, err);
}

void permit_items_done(struct permit_items *items)
{
    size_t i;

    for (i = 0; i < items->len; i++) {
        free(items->all[i].account);
        free(items->all[i].pool);
    }
    free(items->all);
    *items = (struct permit_items){0};
}

/* ---- orphans ---- */

void permit_orphans_add(struct permit_orphans *orphans, struct str account, struct str pool,
                        uint64_t count)
{
    struct permit_count *grown;
    size_t i;

    for (i = 0; i < orphans->len; i++)
        if (str_is(account, orphans->all[i].account) && str_is(pool, orphans->all[i].pool)) {
            orphans->all[i].count += count;
            return;
        }
    grown = realloc(orphans->all, (orphans->len + 1) * sizeof(*orphans->all));
    if (!grown)
        abort();
    orphans->all = grown;
    orphans->all[orphans->len++] =
        (struct permit_count){.account = str_dup(account), .pool = str_dup(pool), .count = count};
}

int permit_orphans_parse(const cJSON *json, struct permit_orphans *ret, struct error *err)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, "orphans"), *one;
    struct permit_orphans orphans = {0};
    uint64_t count;
    int r = permit_number(json, "seq", &orphans.seq, err);

    if (r == 0 && (orphans.seq == 0 || !cJSON_IsArray(list)))
        r = error_set(err, ERR_BAD_REQUEST, "orphans are told with seq > 0 and a list");
    cJSON_ArrayForEach(one, list)
    {
        struct str account = cjson_str(one, "account"), pool = cjson_str(one, "pool");

        if (r == 0)
            r = permit_number(one, "count", &count, err);
        if (r == 0 && (!permit_name_is_valid(account) || !permit_name_is_valid(pool) ||
                       count > LEDGER_COUNT_MAX))
            r = error_set(err, ERR_BAD_REQUEST, "orphans have account, pool and count");
        if (r == 0 && count > 0)
            permit_orphans_add(&orphans, account, pool, count);
    }
    if (r < 0) {
        permit_orphans_done(&orphans);
        return r;
    }
    *ret = orphans;
    return 0;
}

void permit_orphans_done(struct permit_orphans *orphans)
{
    size_t i;

    for (i = 0; i < orphans->len; i++) {
        free(orphans->all[i].account);
        free(orphans->all[i].pool);
    }
    free(orphans->all);
    *orphans = (struct permit_orphans){0};
}

struct permit_orphans permit_orphans_copy(const struct permit_orphans *orphans)
{
    struct permit_orphans copy = {.seq = orphans->seq};
    size_t i;

    for (i = 0; i < orphans->len; i++)
        permit_orphans_add(&copy, str_of(orphans->all[i].account), str_of(orphans->all[i].pool),
                           orphans->all[i].count);
    return copy;
}

bool permit_orphans_has(const struct permit_orphans *orphans, const char *account)
{
    size_t i;

    for (i = 0; i < orphans->len; i++)
        if (strcmp(orphans->all[i].account, account) == 0)
            return true;
    return false;
}

struct ledger_count *permit_orphans_of(const struct permit_orphans *orphans, const char *account,
                                       size_t *ret_len)
{
    struct ledger_count *counts = xcalloc((orphans->len + 1) * sizeof(*counts));
    size_t i, len = 0;

    for (i = 0; i < orphans->len; i++)
        if (strcmp(orphans->all[i].account, account) == 0)
            counts[len++] = (struct ledger_count){.pool = str_of(orphans->all[i].pool),
                                                  .count = orphans->all[i].count};
    *ret_len = len;
    return counts;
}
