/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/permits/ledger_view.h"

#include <stdlib.h>

#include "common/base/map.h"

static void *array_new(size_t len, size_t size)
{
    void *list = calloc(len ? len : 1, size);

    if (!list)
        abort();
    return list;
}

static uint64_t number(struct str text)
{
    uint64_t n = 0;

    str_parse_u64(text, &n);
    return n;
}

/* The name behind "<kind>:" of a field; ptr NULL for another kind. */
static struct str name_of(struct str field, char kind)
{
    if (field.len < 2 || field.ptr[0] != kind || field.ptr[1] != ':')
        return STR_NULL;
    return str_sub(field, 2, field.len);
}

/* How many fields of a hash (a flat array) are of @kind. */
static size_t count_of(const struct redis_value *hash, char kind)
{
    size_t i, n = 0;

    for (i = 0; i + 1 < hash->len; i += 2)
        n += name_of(hash->items[i].str, kind).ptr != NULL;
    return n;
}

/* The fields of @kind as pools with counts, into @list; how many. */
static size_t counts_from(const struct redis_value *hash, char kind, struct ledger_count *list)
{
    size_t i, n = 0;

    for (i = 0; i + 1 < hash->len; i += 2) {
        struct str pool = name_of(hash->items[i].str, kind);

        if (pool.ptr)
            list[n++] = (struct ledger_count){pool, number(hash->items[i + 1].str)};
    }
    return n;
}

/* Every lease has a number; what has come to 0 has nothing else. */
static size_t leases_from(struct str gateway, const struct redis_value *hash,
                          struct ledger_lease *list)
{
    struct map by_pool;
    size_t i, n = 0;

    map_init(&by_pool, NULL);
    for (i = 0; i + 1 < hash->len; i += 2) {
        struct str pool = name_of(hash->items[i].str, 's');

        if (!pool.ptr)
            continue;
        list[n] = (struct ledger_lease){
            .gateway = gateway, .pool = pool, .seq = number(hash->items[i + 1].str)};
        map_put(&by_pool, pool, &list[n++]);
    }
    for (i = 0; i + 1 < hash->len; i += 2) {
        struct str pool = name_of(hash->items[i].str, 'l');
        struct ledger_lease *lease = pool.ptr ? map_get(&by_pool, pool) : NULL;

        if (lease)
            lease->count = number(hash->items[i + 1].str);
    }
    map_done(&by_pool);
    return n;
}

static void gateways_from(const struct redis_value *gateways, struct ledger_view *ret)
{
    struct str *names = array_new(gateways->len / 2, sizeof(*names));
    struct ledger_lease *leases;
    size_t i, len = 0;

    for (i = 0; i + 1 < gateways->len; i += 2)
        len += count_of(&gateways->items[i + 1], 's');
    leases = array_new(len, sizeof(*leases));
    for (i = 0; i + 1 < gateways->len; i += 2) {
        struct str gateway = gateways->items[i].str;

        names[ret->gateways_len++] = gateway;
        ret->leases_len += leases_from(gateway, &gateways->items[i + 1], leases + ret->leases_len);
    }
    ret->gateways = names;
    ret->leases = leases;
}

static struct ledger_orphans node_from(struct str id, const struct redis_value *hash)
{
    struct ledger_count *counts = array_new(count_of(hash, 'o'), sizeof(*counts));
    struct ledger_orphans node = {.node = id, .counts = counts};
    size_t i;

    node.len = counts_from(hash, 'o', counts);
    for (i = 0; i + 1 < hash->len; i += 2) {
        if (str_is(hash->items[i].str, "incarnation"))
            node.incarnation = hash->items[i + 1].str;
        else if (str_is(hash->items[i].str, "seq"))
            node.seq = number(hash->items[i + 1].str);
    }
    return node;
}

void ledger_view_from(const struct redis_value *all, const struct redis_value *gateways,
                      const struct redis_value *nodes, struct ledger_view *ret)
{
    struct ledger_orphans *told = array_new(nodes->len / 2, sizeof(*told));
    struct ledger_count *pools = array_new(count_of(all, 'p'), sizeof(*pools));
    size_t i;

    *ret = (struct ledger_view){.nodes = told, .pools = pools};
    for (i = 0; i + 1 < all->len; i += 2) {
        struct str field = all->items[i].str, value = all->items[i + 1].str;

        if (str_is(field, "term"))
            ret->term = number(value);
        else if (str_is(field, "epoch"))
            ret->epoch = number(value);
        else if (str_is(field, "total"))
            ret->total = number(value);
        else if (str_is(field, "run"))
            ret->run = value;
    }
    ret->pools_len = counts_from(all, 'p', pools);
    gateways_from(gateways, ret);
    for (i = 0; i + 1 < nodes->len; i += 2)
        told[ret->nodes_len++] = node_from(nodes->items[i].str, &nodes->items[i + 1]);
}

/* What is lent as const was made here. */
static void array_free(const void *list)
{
    free((void *)(uintptr_t)list);
}

void ledger_view_done(struct ledger_view *view)
{
    size_t i;

    for (i = 0; i < view->nodes_len; i++)
        array_free(view->nodes[i].counts);
    array_free(view->nodes);
    array_free(view->pools);
    array_free(view->leases);
    array_free(view->gateways);
}
