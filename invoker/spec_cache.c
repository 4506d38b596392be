/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/spec_cache.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/map.h"
#include "invoker/keep_alive.h"
#include "invoker/scaling_rate.h"

#define KEY_MAX 320u /* "<account>/<name>:<version>": 32 + 1 + 170 + 1 + 64, see invocation.c */

/*
 * FETCHING (specification) → IMAGE → CODE → LAYERS → READY; a failure or retirement takes the entry
 * away. An entry that was retired while it waits for an answer lives on, outside of all lists,
 * until it comes.
 */
enum entry_state { ENTRY_FETCHING, ENTRY_IMAGE, ENTRY_CODE, ENTRY_LAYERS, ENTRY_READY };

/* One generation of one version. */
struct entry {
    struct spec_cache *cache;
    struct version_known *version; /* NULL: retired */
    enum entry_state state;
    uint64_t generation;
    struct sandbox_spec *spec; /* until READY, as the next two */
    struct image_info *image;
    struct code *code;
    struct ready_version *ver; /* READY */
    struct list_node waits;
    struct list_node of_version;
    struct list_node use; /* in cache.ready, least recently found first, or cache.pending */
};

/* One version of one function, whatever its generation. */
struct version_known {
    char *account, *name, *version;
    uint64_t newest;
    struct keep_alive *habits; /* of all its generations; NULL: none was ready yet */
    struct list_node entries;
    struct list_node of_fn;
};

/* One function: what ends together when it is deleted. */
struct fn_known {
    struct list_node versions;
};

struct spec_cache {
    struct spec_cache_options options;
    struct map versions; /* "<account>/<name>:<version>" to struct version_known */
    struct map fns; /* "<account>/<name>" to struct fn_known */
    struct list_node ready;
    struct list_node pending;
    uint32_t ready_count;
};

/* ---- functions and versions */

/*
 * Neither account nor name has '/' or ':' in it; no version: the function's own key. STR_NULL when
 * it is longer than any can be.
 */
static struct str make_key(char *buf, struct str account, struct str name, struct str version)
{
    const struct str parts[] = {account, STR("/"), name, STR(":"), version};
    size_t len = 0, count = version.ptr ? ARRAY_LEN(parts) : 3, i;

    for (i = 0; i < count; i++) {
        if (parts[i].len > KEY_MAX - len)
            return STR_NULL;
        memcpy(buf + len, parts[i].ptr, parts[i].len);
        len += parts[i].len;
    }
    return str_from(buf, len);
}

static struct version_known *version_find(const struct spec_cache *cache,
                                          const struct spec_key *key)
{
    char buf[KEY_MAX];
    struct str text = make_key(buf, key->account, key->name, key->version);

    return text.ptr ? map_get(&cache->versions, text) : NULL;
}

static struct fn_known *fn_get(struct spec_cache *cache, struct str account, struct str name)
{
    char buf[KEY_MAX];
    struct str text = make_key(buf, account, name, STR_NULL);
    struct fn_known *fn = map_get(&cache->fns, text);

    if (fn)
        return fn;
    fn = calloc(1, sizeof(*fn));
    if (!fn)
        abort();
    list_init(&fn->versions);
    map_put(&cache->fns, text, fn);
    return fn;
}

/* Known from here on, if it was not before. */
static struct version_known *version_get(struct spec_cache *cache, const struct spec_key *key)
{
    char buf[KEY_MAX];
    struct str text = make_key(buf, key->account, key->name, key->version);
    struct version_known *version;

    assert(text.ptr); /* callers check lengths */
    version = map_get(&cache->versions, text);
    if (version)
        return version;
    version = calloc(1, sizeof(*version));
    if (!version)
        abort();
    version->account = str_dup(key->account);
    version->name = str_dup(key->name);
    version->version = str_dup(key->version);
    list_init(&version->entries);
    list_append(&fn_get(cache, key->account, key->name)->versions, &version->of_fn);
    map_put(&cache->versions, text, version);
    return version;
}

static void version_free(struct version_known *version)
{
    list_remove(&version->of_fn);
    free(version->account);
    free(version->name);
    free(version->version);
    keep_alive_unref(version->habits);
    free(version);
}

/* ---- entries */

static struct entry *entry_new(struct spec_cache *cache, struct version_known *version,
                               uint64_t generation)
{
    struct entry *e = calloc(1, sizeof(*e));

    if (!e)
        abort();
    e->cache = cache;
    e->version = version;
    e->generation = generation;
    list_init(&e->waits);
    list_append(&version->entries, &e->of_version);
    list_append(&cache->pending, &e->use);
    return e;
}

static void entry_free(struct entry *e)
{
    list_remove(&e->of_version);
    list_remove(&e->use);
    sandbox_spec_free(e->spec);
    image_info_free(e->image);
    code_unref(e->code);
    ready_version_unref(e->ver);
    free(e);
}

static struct entry *entry_find(const struct version_known *version, uint64_t generation)
{
    struct list_node *node;
    struct entry *e;

    LIST_FOREACH(&version->entries, node)
    {
        e = CONTAINER_OF(node, struct entry, of_version);
        if (e->generation == generation)
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
    list_remove(&e->of_version); /* whoever asks again starts anew */
    entry_tell(e, NULL, err);
    entry_free(e);
}

/* The answer that @e waited for is here: whether it still matters; if not, @e is gone. */
static bool entry_goes_on(struct entry *e, const struct error *err)
{
    struct error stale;

    if (!err && e->version)
        return true;
    if (!err) {
        error_set(&stale, ERR_STALE, "the version was changed meanwhile");
        err = &stale;
    }
    entry_fail(e, err);
    return false;
}

/* Ends what the cache knows of @e. Ready ones go; others when their answer comes. */
static void entry_retire(struct entry *e)
{
    struct ready_version *ver = e->ver;

    list_remove(&e->of_version);
    e->version = NULL;
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

static void entry_ready(struct entry *e, struct code *layers)
{
    struct spec_cache *cache = e->cache;
    CLEANUP(ready_version_unrefp) struct ready_version *ver = NULL;
    struct scaling_rate *rate;

    if (!e->version->habits)
        e->version->habits = keep_alive_new();
    e->ver = ready_version_new(cache->options.pool, e->version->habits, TAKE(e->spec), TAKE(e->image), TAKE(e->code),
                               layers);
    if (cache->options.rates) {
        rate = scaling_rate_get(cache->options.rates, str_of(e->version->account), str_of(e->version->name));
        pool_version_limit(ready_version_pool(e->ver), rate);
        scaling_rate_unref(rate);
    }
    e->state = ENTRY_READY;
    list_remove(&e->use);
    list_append(&cache->ready, &e->use);
    cache->ready_count++;
    ver = ready_version_ref(e->ver); /* those that are told may retire it */
    entry_tell(e, ver, NULL);
    trim(cache);
}

static void on_layers(struct code *layers, const struct error *err, void *arg)
{
    struct entry *e = arg;

    if (entry_goes_on(e, err))
        entry_ready(e, layers);
    else if (!err)
        code_unref(layers);
}

static void on_code(struct code *code, const struct error *err, void *arg)
{
    struct entry *e = arg;
    const char *hashes[SANDBOX_LAYERS_MAX];
    size_t i;

    if (!entry_goes_on(e, err)) {
        if (!err)
            code_unref(code);
        return;
    }
    e->code = code;
    if (!e->spec->layers_len) {
        entry_ready(e, NULL);
        return;
    }
    for (i = 0; i < e->spec->layers_len; i++)
        hashes[i] = e->spec->layers[i].sha256;
    e->state = ENTRY_LAYERS;
    code_get_layers(e->cache->options.codes, hashes, e->spec->layers_len, on_layers, e);
}

static void on_image(const struct image_info *info, const struct error *err, void *arg)
{
    struct entry *e = arg;

    if (!entry_goes_on(e, err))
        return;
    e->image = image_info_copy(info);
    if (!e->spec->code_sha256) { /* an image has its own /opt */
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

/* Nothing of generations before @generation may run any more; @version stays. */
static void version_retire_before(struct version_known *version, uint64_t generation)
{
    struct list_node *node, *after;
    struct entry *e;

    version->newest = generation;
    LIST_FOREACH_SAFE(&version->entries, node, after)
    {
        e = CONTAINER_OF(node, struct entry, of_version);
        if (e->generation < generation)
            entry_retire(e);
    }
}

/* One made later under the same name counts anew. */
static void version_forget(struct spec_cache *cache, struct version_known *version)
{
    char buf[KEY_MAX];

    version_retire_before(version, UINT64_MAX);
    map_remove(&cache->versions, make_key(buf, str_of(version->account), str_of(version->name),
                                          str_of(version->version)));
    version_free(version);
}

static void fn_drop_if_empty(struct spec_cache *cache, const struct spec_key *key)
{
    char buf[KEY_MAX];
    struct str text = make_key(buf, key->account, key->name, STR_NULL);
    struct fn_known *fn = map_get(&cache->fns, text);

    if (list_is_empty(&fn->versions))
        free(map_remove(&cache->fns, text));
}

void spec_cache_retire(struct spec_cache *cache, const struct spec_key *key)
{
    char buf[KEY_MAX];
    struct version_known *version;

    if (!make_key(buf, key->account, key->name, key->version).ptr)
        return;
    if (key->generation) {
        version = version_get(cache, key); /* remembered even when nothing of it is here */
        if (key->generation > version->newest)
            version_retire_before(version, key->generation);
        return;
    }
    version = version_find(cache, key);
    if (!version)
        return;
    version_forget(cache, version);
    fn_drop_if_empty(cache, key);
}

void spec_cache_retire_all(struct spec_cache *cache, struct str account, struct str name)
{
    char buf[KEY_MAX];
    struct str text = make_key(buf, account, name, STR_NULL);
    struct fn_known *fn = text.ptr ? map_remove(&cache->fns, text) : NULL;
    struct version_known *version;

    if (!fn)
        return;
    while ((version = LIST_FIRST(&fn->versions, struct version_known, of_fn)))
        version_forget(cache, version);
    free(fn);
}

/* ---- asking */

static void mark_used(struct entry *e)
{
    list_remove(&e->use);
    list_append(&e->cache->ready, &e->use);
}

int spec_cache_find(struct spec_cache *cache, const struct spec_key *key, struct ready_version **ret)
{
    struct version_known *version = version_find(cache, key);
    struct entry *e;

    if (!version)
        return -ERR_NOT_FOUND;
    if (key->generation < version->newest)
        return -ERR_STALE;
    if (key->generation > version->newest)
        version_retire_before(version, key->generation);
    e = entry_find(version, key->generation);
    if (!e || e->state != ENTRY_READY || ready_version_is_image_lost(e->ver))
        return -ERR_NOT_FOUND;
    mark_used(e);
    *ret = e->ver;
    return 0;
}

void spec_cache_get(struct spec_cache *cache, const struct spec_key *key, struct spec_wait *w)
{
    struct version_known *version = version_get(cache, key);
    struct entry *e;

    if (key->generation > version->newest)
        version_retire_before(version, key->generation);
    e = entry_find(version, key->generation);
    if (e && e->state == ENTRY_READY) { /* its image is lost: all is made ready anew */
        entry_retire(e);
        e = NULL;
    }
    if (!e) {
        e = entry_new(cache, version, key->generation);
        cache->options.fetch(key, on_spec, e, cache->options.arg);
    }
    list_append(&e->waits, &w->node);
}

void spec_cache_cancel(struct spec_wait *w)
{
    list_remove(&w->node);
}

void spec_cache_renew(struct spec_cache *cache, const struct spec_key *key,
                      struct role_credentials *credentials)
{
    struct version_known *version = version_find(cache, key);
    struct entry *e = version ? entry_find(version, key->generation) : NULL;

    if (e && e->state == ENTRY_READY)
        ready_version_renew(e->ver, credentials);
    else
        role_credentials_free(credentials);
}

void spec_cache_each(struct spec_cache *cache, spec_each_fn *fn, void *arg)
{
    struct list_node *lists[] = {&cache->ready, &cache->pending}, *node;
    struct entry *e;
    size_t i;

    for (i = 0; i < ARRAY_LEN(lists); i++) {
        LIST_FOREACH(lists[i], node)
        {
            e = CONTAINER_OF(node, struct entry, use);
            if (e->version)
                fn(&(struct spec_key){.account = str_of(e->version->account),
                                      .name = str_of(e->version->name),
                                      .version = str_of(e->version->version),
                                      .generation = e->generation},
                   e->ver, arg);
        }
    }
}

/* ---- life */

struct spec_cache *spec_cache_new(const struct spec_cache_options *options)
{
    struct spec_cache *cache = calloc(1, sizeof(*cache));

    if (!cache)
        abort();
    cache->options = *options;
    map_init(&cache->versions, NULL);
    map_init(&cache->fns, free);
    list_init(&cache->ready);
    list_init(&cache->pending);
    return cache;
}

void spec_cache_free(struct spec_cache *cache)
{
    struct list_node *lists[] = {&cache->ready, &cache->pending}, *node, *after;
    struct entry *e;
    size_t i, at = 0;
    void *version;

    for (i = 0; i < ARRAY_LEN(lists); i++) {
        LIST_FOREACH_SAFE(lists[i], node, after)
        {
            e = CONTAINER_OF(node, struct entry, use);
            list_remove(&e->waits);
            entry_free(e);
        }
    }
    while (map_next(&cache->versions, &at, NULL, &version))
        version_free(version);
    map_done(&cache->versions);
    map_done(&cache->fns);
    free(cache);
}
