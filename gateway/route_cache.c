/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/route_cache.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/map.h"

#define KEY_MAX 1024

/* A function with what is known of its qualifiers: few, so a list. */
struct fn_routes {
    struct list_node node; /* in cache->recent, latest first */
    struct list_node entries;
    char *key;
};

struct entry {
    struct list_node node; /* in fn->entries */
    char *qualifier;
    struct route route;
};

/* A question under way. It stands beside the routes, so that a drop can turn it stale. */
struct route_lookup {
    struct list_node node; /* in cache->lookups */
    struct route_cache *cache;
    char *account, *name, *qualifier;
    struct list_node waits;
    bool stale; /* dropped meanwhile: the answer is worth nothing */
};

struct route_cache {
    struct route_resolver resolver;
    struct admission *admission;
    struct map functions; /* "account/name" -> struct fn_routes */
    struct list_node recent;
    struct list_node lookups;
    size_t len, max;
    char key[KEY_MAX];
};

/* ---- known routes ---- */

static struct str fn_key(struct route_cache *cache, struct str account, struct str name)
{
    size_t len = account.len + 1 + name.len;

    if (len > sizeof(cache->key)) /* longer than any legal name: never found, never kept */
        return STR_NULL;
    memcpy(cache->key, account.ptr, account.len);
    cache->key[account.len] = '/';
    memcpy(cache->key + account.len + 1, name.ptr, name.len);
    return str_from(cache->key, len);
}

static struct entry *entry_find(const struct fn_routes *fn, struct str qualifier)
{
    struct list_node *n;
    struct entry *e;

    LIST_FOREACH (&fn->entries, n) {
        e = CONTAINER_OF(n, struct entry, node);
        if (str_eq(str_of(e->qualifier), qualifier))
            return e;
    }
    return NULL;
}

static void fn_forget(struct route_cache *cache, struct fn_routes *fn)
{
    struct entry *e;

    while ((e = LIST_FIRST(&fn->entries, struct entry, node))) {
        list_remove(&e->node);
        route_done(&e->route);
        free(e->qualifier);
        free(e);
        cache->len--;
    }
    list_remove(&fn->node);
    map_remove(&cache->functions, str_of(fn->key));
    free(fn->key);
    free(fn);
}

/* Keeps @route (takes what it holds); the function used longest ago goes when there are too many. */
static void keep(struct route_cache *cache, const struct route_lookup *l, struct route *route)
{
    struct str key = fn_key(cache, str_of(l->account), str_of(l->name));
    struct fn_routes *fn, *oldest;
    struct entry *e;

    if (!key.ptr) {
        route_done(route);
        return;
    }
    fn = map_get(&cache->functions, key);
    if (!fn) {
        fn = calloc(1, sizeof(*fn));
        if (!fn)
            abort();
        fn->key = str_dup(key);
        list_init(&fn->entries);
        list_prepend(&cache->recent, &fn->node);
        map_put(&cache->functions, key, fn);
    }
    e = entry_find(fn, str_of(l->qualifier));
    if (e) {
        route_done(&e->route);
    } else {
        e = calloc(1, sizeof(*e));
        if (!e)
            abort();
        e->qualifier = str_dup(str_of(l->qualifier));
        list_append(&fn->entries, &e->node);
        cache->len++;
    }
    e->route = *route;
    memset(route, 0, sizeof(*route));
    while (cache->len > cache->max) {
        oldest = CONTAINER_OF(cache->recent.prev, struct fn_routes, node);
        if (oldest == fn)
            break; /* a single function may exceed the ceiling for a moment */
        fn_forget(cache, oldest);
    }
}

struct route *route_cache_find(struct route_cache *cache, const struct route_key *key)
{
    struct str k = fn_key(cache, key->account, key->name);
    struct fn_routes *fn = k.ptr ? map_get(&cache->functions, k) : NULL;
    struct entry *e = fn ? entry_find(fn, key->qualifier) : NULL;

    if (!e)
        return NULL;
    if (cache->recent.next != &fn->node) {
        list_remove(&fn->node);
        list_prepend(&cache->recent, &fn->node);
    }
    return &e->route;
}

size_t route_cache_len(const struct route_cache *cache)
{
    return cache->len;
}

/* ---- questions ---- */

static void lookup_free(struct route_lookup *l)
{
    struct route_wait *w;

    while ((w = LIST_FIRST(&l->waits, struct route_wait, node)))
        list_remove(&w->node);
    list_remove(&l->node);
    free(l->account);
    free(l->name);
    free(l->qualifier);
    free(l);
}

static void ask(struct route_lookup *l)
{
    struct route_key key = {str_of(l->account), str_of(l->name), str_of(l->qualifier)};

    l->stale = false;
    l->cache->resolver.resolve(l, &key, l->cache->resolver.arg);
}

void route_cache_wait(struct route_cache *cache, const struct route_key *key, struct route_wait *w)
{
    struct route_lookup *l = NULL;
    struct list_node *n;

    LIST_FOREACH (&cache->lookups, n) {
        l = CONTAINER_OF(n, struct route_lookup, node);
        if (str_eq(str_of(l->name), key->name) && str_eq(str_of(l->qualifier), key->qualifier) &&
            str_eq(str_of(l->account), key->account)) {
            list_append(&l->waits, &w->node);
            return;
        }
    }
    l = calloc(1, sizeof(*l));
    if (!l)
        abort();
    l->cache = cache;
    l->account = str_dup(key->account);
    l->name = str_dup(key->name);
    l->qualifier = str_dup(key->qualifier);
    list_init(&l->waits);
    list_append(&l->waits, &w->node);
    list_append(&cache->lookups, &l->node);
    ask(l);
}

void route_wait_cancel(struct route_wait *w)
{
    if (w->node.next)
        list_remove(&w->node);
}

/* What is provisioned for a version is a pool of its own. */
static void take_pools(struct route *route)
{
    size_t i;

    for (i = 0; i < route->targets_len; i++)
        if (route->targets[i].is_provisioned)
            route->targets[i].pool =
                fn_admission_class(route->admission, str_of(route->targets[i].version));
}

void route_lookup_answer(struct route_lookup *l, struct route *route, const struct error *err)
{
    struct route_cache *cache = l->cache;
    struct list_node waits;
    struct route_wait *w;
    struct route answer = {0};

    if (route) {
        answer = *route;
        memset(route, 0, sizeof(*route));
    }
    if (l->stale && !list_is_empty(&l->waits)) {
        route_done(&answer);
        ask(l);
        return;
    }
    /* those who wait may ask again at once: that is a new question */
    list_init(&waits);
    while ((w = LIST_FIRST(&l->waits, struct route_wait, node))) {
        list_remove(&w->node);
        list_append(&waits, &w->node);
    }
    list_remove(&l->node);
    if (route && !l->stale) {
        answer.admission = admission_fn(cache->admission, str_of(l->account), str_of(l->name));
        fn_admission_set_limits(answer.admission, &answer.limits);
        take_pools(&answer);
    }
    if (route && !l->stale && route_is_active(&answer)) {
        struct route kept;

        route_copy(&answer, &kept);
        keep(cache, l, &kept);
    }
    while ((w = LIST_FIRST(&waits, struct route_wait, node))) {
        list_remove(&w->node);
        w->fn(w, route ? &answer : NULL, err);
    }
    route_done(&answer);
    lookup_free(l);
}

/* ---- forgetting ---- */

void route_cache_drop(struct route_cache *cache, struct str account, struct str name)
{
    struct str key = fn_key(cache, account, name);
    struct fn_routes *fn = key.ptr ? map_get(&cache->functions, key) : NULL;
    struct route_lookup *l;
    struct list_node *n;

    if (fn)
        fn_forget(cache, fn);
    LIST_FOREACH (&cache->lookups, n) {
        l = CONTAINER_OF(n, struct route_lookup, node);
        if (str_eq(str_of(l->name), name) && str_eq(str_of(l->account), account))
            l->stale = true;
    }
}

void route_cache_flush(struct route_cache *cache)
{
    struct fn_routes *fn;
    struct list_node *n;

    while ((fn = LIST_FIRST(&cache->recent, struct fn_routes, node)))
        fn_forget(cache, fn);
    LIST_FOREACH (&cache->lookups, n)
        CONTAINER_OF(n, struct route_lookup, node)->stale = true;
}

struct route_cache *route_cache_new(const struct route_resolver *resolver,
                                    struct admission *admission, size_t max)
{
    struct route_cache *cache = calloc(1, sizeof(*cache));

    if (!cache)
        abort();
    cache->resolver = *resolver;
    cache->admission = admission;
    cache->max = max;
    map_init(&cache->functions, NULL);
    list_init(&cache->recent);
    list_init(&cache->lookups);
    return cache;
}

void route_cache_free(struct route_cache *cache)
{
    struct route_lookup *l;

    if (!cache)
        return;
    route_cache_flush(cache);
    while ((l = LIST_FIRST(&cache->lookups, struct route_lookup, node)))
        lookup_free(l);
    map_done(&cache->functions);
    free(cache);
}
