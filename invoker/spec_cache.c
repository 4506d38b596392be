/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/spec_cache.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/map.h"

#define FN_KEY_MAX 256u /* "<account>/<name>": 12 + 1 + 64 in practice */

/*
 * FETCHING (specification) → IMAGE → CODE → READY; a failure or retirement takes the entry away. An
 * entry that was retired while it waits for an answer lives on, outside of all lists, until it
 * comes.
 */
enum entry_state { ENTRY_FETCHING, ENTRY_IMAGE, ENTRY_CODE, ENTRY_READY };

struct entry {
    struct spec_cache *cache;
    struct fn_known *fn; /* NULL: retired */
    enum entry_state state;
    char *version;
    uint64_t generation;
    struct sandbox_spec *spec; /* until READY */
    struct image_info *image; /* until READY */
    struct ready_version *ver; /* READY */
    struct list_node waits;
    struct list_node of_fn;
    struct list_node use; /* in cache.ready, least recently found first, or cache.pending */
};

/* One function. */
struct fn_known {
    char *key;
    uint64_t newest;
    struct list_node entries;
};

struct spec_cache {
    struct spec_cache_options options;
    struct map fns; /* "<account>/<name>" to struct fn_known */
    struct list_node ready;
    struct list_node pending;
    uint32_t ready_count;
};

/* ---- functions */

static struct str fn_key(char *buf, struct str account, struct str name)
{
    size_t len = account.len + 1 + name.len;

    if (len > FN_KEY_MAX)
        return STR_NULL;
    memcpy(buf, account.ptr, account.len);
    buf[account.len] = '/';
    memcpy(buf + account.len + 1, name.ptr, name.len);
    return str_from(buf, len);
}

static struct fn_known *fn_get(struct spec_cache *cache, struct str key)
{
    struct fn_known *fn = map_get(&cache->fns, key);

    if (fn)
        return fn;
    fn = calloc(1, sizeof(*fn));
    if (!fn)
        abort();
    fn->key = str_dup(key);
    list_init(&fn->entries);
    map_put(&cache->fns, key, fn);
    return fn;
}

static void fn_free(struct fn_known *fn)
{
    free(fn->key);
    free(fn);
}

/* ---- entries */

static struct entry *entry_new(struct spec_cache *cache, struct fn_known *fn,
                               const struct spec_key *key)
{
    struct entry *e = calloc(1, sizeof(*e));

    if (!e)
        abort();
    e->cache = cache;
    e->fn = fn;
    e->version = str_dup(key->version);
    e->generation = key->generation;
    list_init(&e->waits);
    list_append(&fn->entries, &e->of_fn);
    list_append(&cache->pending, &e->use);
    return e;
}

static void entry_free(struct entry *e)
{
    list_remove(&e->of_fn);
    list_remove(&e->use);
    sandbox_spec_free(e->spec);
    image_info_free(e->image);
    ready_version_unref(e->ver);
    free(e->version);
    free(e);
}

static struct entry *entry_find(const struct fn_known *fn, struct str version, uint64_t generation)
{
    struct list_node *node;
    struct entry *e;

    LIST_FOREACH(&fn->entries, node)
    {
        e = CONTAINER_OF(node, struct entry, of_fn);
        if (e->generation == generation && str_is(version, e->version))
            return e;
    }
    return NULL;
}

/* Tells all that wait for @e; they may ask for it again at once. */
static void entry_tell(struct entry *e, struct ready_version *ver, const struct error *err)
{
    struct list_node waits;
    struct spec_wait *w;

    list_init(&waits);
    if (!list_is_empty(&e->waits))
        list_insert_between(&waits, e->waits.prev, e->waits.next);
    list_init(&e->waits);
    while ((w = LIST_FIRST(&waits, struct spec_wait, node))) {
        list_remove(&w->node);
        w->done(w, ver, err);
    }
}

static void entry_fail(struct entry *e, const struct error *err)
{
    list_remove(&e->of_fn); /* whoever asks again starts anew */
    entry_tell(e, NULL, err);
    entry_free(e);
}

/* The answer that @e waited for is here: whether it still matters; if not, @e is gone. */
static bool entry_goes_on(struct entry *e, const struct error *err)
{
    struct error stale;

    if (!err && e->fn)
        return true;
    if (!err) {
        error_set(&stale, ERR_STALE, "the function was changed meanwhile");
        err = &stale;
    }
    entry_fail(e, err);
    return false;
}

/* Ends what the cache knows of @e. Ready ones go; others when their answer comes. */
static void entry_retire(struct entry *e)
{
    struct ready_version *ver = e->ver;

    list_remove(&e->of_fn);
    e->fn = NULL;
    if (e->state != ENTRY_READY)
        return;
    e->cache->ready_count--;
    pool_version_retire(ready_version_pool(ver));
    entry_free(e);
}

/* ---- making one ready: each step is asked for by the one before */

static void trim(struct spec_cache *cache)
{
    struct list_node *node, *after;
    struct entry *e;

    LIST_FOREACH_SAFE(&cache->ready, node, after)
    {
        if (cache->ready_count <= cache->options.max)
            return;
        e = CONTAINER_OF(node, struct entry, use);
        if (ready_version_refs(e->ver) > 1)
            continue;
        cache->ready_count--;
        entry_free(e);
    }
}

static void entry_ready(struct entry *e, struct code *code)
{
    struct spec_cache *cache = e->cache;
    CLEANUP(ready_version_unrefp) struct ready_version *ver = NULL;

    e->ver = ready_version_new(cache->options.pool, TAKE(e->spec), TAKE(e->image), code);
    e->state = ENTRY_READY;
    list_remove(&e->use);
    list_append(&cache->ready, &e->use);
    cache->ready_count++;
    ver = ready_version_ref(e->ver); /* those that are told may retire it */
    entry_tell(e, ver, NULL);
    trim(cache);
}

static void on_code(struct code *code, const struct error *err, void *arg)
{
    struct entry *e = arg;

    if (entry_goes_on(e, err))
        entry_ready(e, code);
    else if (!err)
        code_unref(code);
}

static void on_image(const struct image_info *info, const struct error *err, void *arg)
{
    struct entry *e = arg;

    if (!entry_goes_on(e, err))
        return;
    e->image = image_info_copy(info);
    if (!e->spec->code_sha256) {
        entry_ready(e, NULL);
        return;
    }
    e->state = ENTRY_CODE;
    code_get(e->cache->options.codes, e->spec->code_sha256, on_code, e);
}

static void on_spec(struct sandbox_spec *spec, const struct error *err, void *arg)
{
    struct entry *e = arg;

    if (!entry_goes_on(e, err)) {
        if (!err)
            sandbox_spec_free(spec);
        return;
    }
    e->spec = spec;
    e->state = ENTRY_IMAGE;
    image_prepare(e->cache->options.images, spec->image, on_image, e);
}

/* ---- generations */

/* Nothing of generations before @generation may run any more; @fn stays. */
static void fn_retire_before(struct fn_known *fn, uint64_t generation)
{
    struct list_node *node, *after;
    struct entry *e;

    fn->newest = generation;
    LIST_FOREACH_SAFE(&fn->entries, node, after)
    {
        e = CONTAINER_OF(node, struct entry, of_fn);
        if (e->generation < generation)
            entry_retire(e);
    }
}

void spec_cache_retire(struct spec_cache *cache, struct str account, struct str name,
                       uint64_t generation)
{
    char buf[FN_KEY_MAX];
    struct str key = fn_key(buf, account, name);
    struct fn_known *fn;

    if (!key.ptr)
        return;
    if (generation) {
        fn = fn_get(cache, key); /* remembered even when nothing of it is here */
        if (generation > fn->newest)
            fn_retire_before(fn, generation);
        return;
    }
    fn = map_remove(&cache->fns, key);
    if (!fn)
        return;
    fn_retire_before(fn, UINT64_MAX);
    fn_free(fn); /* a function of that name made later may count from one again */
}

/* ---- asking */

static void mark_used(struct entry *e)
{
    list_remove(&e->use);
    list_append(&e->cache->ready, &e->use);
}

int spec_cache_find(struct spec_cache *cache, const struct spec_key *key, struct ready_version **ret)
{
    char buf[FN_KEY_MAX];
    struct str fkey = fn_key(buf, key->account, key->name);
    struct fn_known *fn = fkey.ptr ? map_get(&cache->fns, fkey) : NULL;
    struct entry *e;

    if (!fn)
        return -ERR_NOT_FOUND;
    if (key->generation < fn->newest)
        return -ERR_STALE;
    if (key->generation > fn->newest)
        fn_retire_before(fn, key->generation);
    e = entry_find(fn, key->version, key->generation);
    if (!e || e->state != ENTRY_READY || ready_version_is_image_lost(e->ver))
        return -ERR_NOT_FOUND;
    mark_used(e);
    *ret = e->ver;
    return 0;
}

void spec_cache_get(struct spec_cache *cache, const struct spec_key *key, struct spec_wait *w)
{
    char buf[FN_KEY_MAX];
    struct str fkey = fn_key(buf, key->account, key->name);
    struct fn_known *fn;
    struct entry *e;

    assert(fkey.ptr); /* callers check lengths */
    fn = fn_get(cache, fkey);
    if (key->generation > fn->newest)
        fn_retire_before(fn, key->generation);
    e = entry_find(fn, key->version, key->generation);
    if (e && e->state == ENTRY_READY) { /* its image is lost: all is made ready anew */
        entry_retire(e);
        e = NULL;
    }
    if (!e) {
        e = entry_new(cache, fn, key);
        cache->options.fetch(key, on_spec, e, cache->options.arg);
    }
    list_append(&e->waits, &w->node);
}

void spec_cache_cancel(struct spec_wait *w)
{
    list_remove(&w->node);
}

void spec_cache_each(struct spec_cache *cache,
                     void (*fn)(const struct sandbox_spec *spec, void *arg), void *arg)
{
    struct list_node *node;

    LIST_FOREACH(&cache->ready, node)
        fn(ready_version_spec(CONTAINER_OF(node, struct entry, use)->ver), arg);
}

/* ---- life */

struct spec_cache *spec_cache_new(const struct spec_cache_options *options)
{
    struct spec_cache *cache = calloc(1, sizeof(*cache));

    if (!cache)
        abort();
    cache->options = *options;
    map_init(&cache->fns, NULL);
    list_init(&cache->ready);
    list_init(&cache->pending);
    return cache;
}

void spec_cache_free(struct spec_cache *cache)
{
    struct list_node *lists[] = {&cache->ready, &cache->pending}, *node, *after;
    struct entry *e;
    size_t i, at = 0;
    void *fn;

    for (i = 0; i < ARRAY_LEN(lists); i++) {
        LIST_FOREACH_SAFE(lists[i], node, after)
        {
            e = CONTAINER_OF(node, struct entry, use);
            list_remove(&e->waits);
            entry_free(e);
        }
    }
    while (map_next(&cache->fns, &at, NULL, &fn))
        fn_free(fn);
    map_done(&cache->fns);
    free(cache);
}
