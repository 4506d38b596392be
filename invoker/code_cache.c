/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Below <dir>: <hash>/ is the unpacked archive, layers-<hash>/ the tree of a list of layers, under
 * the hash of their hashes; <either>.size its bytes in decimal (written first, so a folder without
 * it was never finished), get-* archives being fetched, new-* folders being filled, old-* folders
 * being removed. Everything but get-*, new-* and old-* goes by that name, its key. boot_id holds the machine's boot id: nothing is fsynced,
 * so after a crash of the machine all of it is dropped.
 */
#include "invoker/code_cache.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/alloc.h"
#include "common/base/file.h"
#include "common/base/id.h"
#include "common/base/log.h"
#include "common/base/map.h"
#include "common/proto/digest.h"
#include "invoker/code_unpack.h"
#include "invoker/tree_merge.h"

#define LAYERS_PREFIX "layers-"
#define KEY_MAX (sizeof(LAYERS_PREFIX) + CODE_SHA256_LEN)

struct code_cache {
    struct loop *loop;
    char *dir;
    uint64_t size, size_max; /* bytes kept and allowed */
    code_fetch_fn *fetch;
    void *fetch_arg;
    struct map codes; /* by key: struct code */
    struct map fetches; /* by key: struct code_fetch */
    struct list_node idle; /* codes that nobody uses, least recently used first */
    struct list_node used;
    unsigned busy; /* calls that come back to us later; the last one frees a dead cache */
    bool dead;
};

struct code {
    struct code_cache *cache; /* NULL once that is gone */
    char key[KEY_MAX];
    char *dir;
    uint64_t size;
    unsigned users;
    struct list_node node;
};

/* One archive of a fetch. */
struct piece {
    char sha256[CODE_SHA256_LEN + 1];
    char *archive, *unpacked; /* get-*, new-* */
};

struct code_fetch {
    struct code_cache *cache;
    char key[KEY_MAX];
    struct piece pieces[CODE_LAYERS_MAX]; /* merged in this order, into the first */
    size_t len, at; /* the one that is fetched now */
    char *dir, *size_file; /* the names in the end */
    struct list_node waiters;
    uint64_t size;
    int r;
    struct error err;
};

struct waiter {
    code_done_fn *done;
    void *arg;
    struct list_node node;
};

/* An answer that is known at once, on its way to the end of the turn. */
struct hit {
    struct code_cache *cache;
    struct code *code; /* NULL: the hash was none */
    code_done_fn *done;
    void *arg;
};

struct removal {
    struct code_cache *cache;
    char *path;
};

/* One of the calls that keep a dead cache in memory has come back. */
static void cache_unbusy(struct code_cache *cache)
{
    if (--cache->busy > 0 || !cache->dead)
        return;
    map_done(&cache->codes);
    map_done(&cache->fetches);
    free(cache->dir);
    free(cache);
}

/* ---- removing */

static void removal_work(void *arg)
{
    struct removal *removal = arg;
    struct error err;

    if (dir_remove(removal->path, &err) < 0)
        log_warn("code", "old code not removed", KV_ERR(&err));
}

static void removal_done(void *arg)
{
    struct removal *removal = arg;

    cache_unbusy(removal->cache);
    free(removal->path);
    free(removal);
}

static void code_free(struct code *code)
{
    list_remove(&code->node);
    free(code->dir);
    free(code);
}

/* Out of sight at once, off the disk in the background. */
static void code_remove(struct code *code)
{
    struct code_cache *cache = code->cache;
    CLEANUP(freep) char *size_file = str_printf("%s.size", code->dir);
    struct removal *removal = xcalloc(sizeof(*removal));
    char token[17];

    log_info("code", "removed", KV_STR("code", code->key), KV_U64("bytes", code->size));
    token_make(8, token);
    removal->cache = cache;
    removal->path = str_printf("%s/old-%s", cache->dir, token);
    unlink(size_file);
    if (rename(code->dir, removal->path) < 0)
        log_warn("code", "old code not renamed", KV_STR("dir", code->dir), KV_I64("errno", errno));
    cache->size -= code->size;
    map_remove(&cache->codes, str_of(code->key));
    code_free(code);
    cache->busy++;
    loop_work(cache->loop, removal_work, removal_done, removal);
}

static void cache_shrink(struct code_cache *cache)
{
    struct code *code;

    while (cache->size > cache->size_max &&
           (code = LIST_FIRST(&cache->idle, struct code, node)) != NULL)
        code_remove(code);
}

static struct code *code_add(struct code_cache *cache, const char *key, uint64_t size)
{
    struct code *code = xcalloc(sizeof(*code));

    code->cache = cache;
    snprintf(code->key, sizeof(code->key), "%s", key);
    code->dir = str_printf("%s/%s", cache->dir, key);
    code->size = size;
    cache->size += size;
    list_append(&cache->idle, &code->node);
    map_put(&cache->codes, str_of(key), code);
    return code;
}

/* ---- fetching and unpacking */

static int check_hash(const struct piece *piece, struct error *err)
{
    CLEANUP(closep) int fd = open(piece->archive, O_RDONLY | O_CLOEXEC);
    unsigned char digest[SHA256_BYTES];
    char hex[SHA256_HEX_MAX], chunk[65536];
    struct sha256 h;
    ssize_t n;

    if (fd < 0)
        return error_set_errno(err, ERR_SYSTEM, errno, "opening %s", piece->archive);
    sha256_init(&h);
    while ((n = read(fd, chunk, sizeof(chunk))) > 0)
        sha256_update(&h, chunk, (size_t)n);
    sha256_final(&h, digest);
    sha256_done(&h);
    if (n < 0)
        return error_set_errno(err, ERR_SYSTEM, errno, "reading %s", piece->archive);
    hex_encode(digest, sizeof(digest), hex);
    if (strcmp(hex, piece->sha256) != 0)
        return error_set(err, ERR_SYSTEM, "the archive fetched for %s has hash %s",
                         piece->sha256, hex);
    return 0;
}

/* Unpacks piece @i and lays it over those before it. */
static int unpack_piece(struct code_fetch *fetch, size_t i)
{
    struct piece *piece = &fetch->pieces[i];
    uint64_t bytes;
    int r = check_hash(piece, &fetch->err);

    if (r == 0)
        r = dir_make(piece->unpacked, 0755, &fetch->err);
    if (r == 0)
        r = code_unpack(piece->archive, piece->unpacked, CODE_UNPACKED_MAX, &bytes, &fetch->err);
    if (r < 0)
        return r;
    fetch->size += bytes;
    if (fetch->size > CODE_UNPACKED_MAX)
        return error_set(&fetch->err, ERR_INVALID_ZIP,
                         "Unzipped size of all layers must be smaller than %u bytes",
                         CODE_UNPACKED_MAX);
    return i == 0 ? 0 : tree_merge(piece->unpacked, fetch->pieces[0].unpacked, &fetch->err);
}

static int unpack(struct code_fetch *fetch)
{
    CLEANUP(closep) int fd = -1;
    char text[24];
    size_t i;
    int r = 0;

    for (i = 0; i < fetch->len && r == 0; i++)
        r = unpack_piece(fetch, i);
    if (r < 0)
        return r;
    snprintf(text, sizeof(text), "%llu", (unsigned long long)fetch->size);
    fd = open(fetch->size_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) ||
        rename(fetch->pieces[0].unpacked, fetch->dir) < 0)
        return error_set_errno(&fetch->err, ERR_SYSTEM, errno, "keeping %s", fetch->dir);
    return 0;
}

static void remove_archives(struct code_fetch *fetch)
{
    size_t i;

    for (i = 0; i < fetch->len; i++)
        unlink(fetch->pieces[i].archive);
}

static void unpack_work(void *arg)
{
    struct code_fetch *fetch = arg;
    size_t i;

    fetch->r = unpack(fetch);
    remove_archives(fetch);
    for (i = 0; i < fetch->len; i++) /* what is done has another name by now */
        dir_remove(fetch->pieces[i].unpacked, NULL);
}

static void fetch_free(struct code_fetch *fetch)
{
    struct code_cache *cache = fetch->cache;
    struct waiter *w;
    size_t i;

    /* a callback may have begun another fetch of the same key */
    if (!cache->dead && map_get(&cache->fetches, str_of(fetch->key)) == fetch)
        map_remove(&cache->fetches, str_of(fetch->key));
    while ((w = LIST_FIRST(&fetch->waiters, struct waiter, node))) {
        list_remove(&w->node);
        free(w);
    }
    for (i = 0; i < fetch->len; i++) {
        free(fetch->pieces[i].archive);
        free(fetch->pieces[i].unpacked);
    }
    free(fetch->dir);
    free(fetch->size_file);
    free(fetch);
    cache_unbusy(cache);
}

/* Tells all who wait. Callbacks may ask for the same key again, or free the cache. */
static void fetch_end(struct code_fetch *fetch)
{
    struct code_cache *cache = fetch->cache;
    struct code *code = NULL;
    struct waiter *w;

    if (cache->dead) {
        fetch_free(fetch);
        return;
    }
    map_remove(&cache->fetches, str_of(fetch->key));
    if (fetch->r < 0) {
        log_warn("code", "not unpacked", KV_STR("code", fetch->key), KV_ERR(&fetch->err));
        if (fetch->err.code == ERR_INVALID_ZIP) {
            error_wrap(&fetch->err, 0, "InvalidZipFileException");
            fetch->err.code = ERR_BAD_REQUEST;
        }
    } else {
        log_info("code", "unpacked", KV_STR("code", fetch->key), KV_U64("bytes", fetch->size));
        code = code_ref(code_add(cache, fetch->key, fetch->size));
        cache_shrink(cache);
    }
    while (!cache->dead && (w = LIST_FIRST(&fetch->waiters, struct waiter, node))) {
        list_remove(&w->node);
        w->done(code ? code_ref(code) : NULL, code ? NULL : &fetch->err, w->arg);
        free(w);
    }
    code_unref(code);
    fetch_free(fetch);
}

static void unpack_done(void *arg)
{
    fetch_end(arg);
}

/* Calls the user's fetch function at the end of the turn: it may answer at once. */
static void fetch_next(void *arg)
{
    struct code_fetch *fetch = arg;
    const struct piece *piece = &fetch->pieces[fetch->at];

    if (fetch->cache->dead) {
        remove_archives(fetch);
        fetch_free(fetch);
    } else {
        fetch->cache->fetch(fetch, piece->sha256, piece->archive, fetch->cache->fetch_arg);
    }
}

void code_fetched(struct code_fetch *fetch, const struct error *err)
{
    struct code_cache *cache = fetch->cache;

    if (err) {
        fetch->r = -(int)err->code;
        fetch->err = *err;
        remove_archives(fetch);
        fetch_end(fetch);
    } else if (cache->dead) {
        remove_archives(fetch);
        fetch_free(fetch);
    } else if (++fetch->at < fetch->len) {
        loop_defer(cache->loop, fetch_next, fetch);
    } else {
        loop_work(cache->loop, unpack_work, unpack_done, fetch);
    }
}

static struct code_fetch *fetch_new(struct code_cache *cache, const char *key,
                                    const char *const *sha256s, size_t len)
{
    struct code_fetch *fetch = xcalloc(sizeof(*fetch));
    struct piece *piece;
    char token[17];
    size_t i;

    fetch->cache = cache;
    snprintf(fetch->key, sizeof(fetch->key), "%s", key);
    fetch->len = len;
    for (i = 0; i < len; i++) {
        piece = &fetch->pieces[i];
        token_make(8, token);
        snprintf(piece->sha256, sizeof(piece->sha256), "%s", sha256s[i]);
        piece->archive = str_printf("%s/get-%s", cache->dir, token);
        piece->unpacked = str_printf("%s/new-%s", cache->dir, token);
    }
    fetch->dir = str_printf("%s/%s", cache->dir, key);
    fetch->size_file = str_printf("%s.size", fetch->dir);
    list_init(&fetch->waiters);
    map_put(&cache->fetches, str_of(key), fetch);
    cache->busy++;
    loop_defer(cache->loop, fetch_next, fetch);
    return fetch;
}

/* ---- asking */

static bool hash_is_valid(const char *s)
{
    return strlen(s) == CODE_SHA256_LEN && strspn(s, "0123456789abcdef") == CODE_SHA256_LEN;
}

static void hit_deliver(void *arg)
{
    struct hit *hit = arg;
    struct error err;

    if (hit->cache->dead) {
        code_unref(hit->code);
    } else if (hit->code) {
        hit->done(hit->code, NULL, hit->arg);
    } else {
        error_set(&err, ERR_BAD_REQUEST, "InternalError: not the hash of an archive");
        hit->done(NULL, &err, hit->arg);
    }
    cache_unbusy(hit->cache);
    free(hit);
}

/* What is kept under @key, or will be once @sha256s are unpacked over one another. */
static void get(struct code_cache *cache, const char *key, const char *const *sha256s, size_t len,
                code_done_fn *done, void *arg)
{
    struct code *code = NULL;
    struct code_fetch *fetch;
    struct waiter *w;
    struct hit *hit;
    size_t i = 0;

    while (i < len && hash_is_valid(sha256s[i]))
        i++;
    if (i == len)
        code = map_get(&cache->codes, str_of(key));
    if (code || i < len) {
        hit = xcalloc(sizeof(*hit));
        *hit = (struct hit){cache, code ? code_ref(code) : NULL, done, arg};
        cache->busy++;
        loop_defer(cache->loop, hit_deliver, hit);
        return;
    }
    fetch = map_get(&cache->fetches, str_of(key));
    if (!fetch)
        fetch = fetch_new(cache, key, sha256s, len);
    w = xcalloc(sizeof(*w));
    w->done = done;
    w->arg = arg;
    list_append(&fetch->waiters, &w->node);
}

void code_get(struct code_cache *cache, const char *sha256, code_done_fn *done, void *arg)
{
    get(cache, sha256, &sha256, 1, done, arg);
}

void code_get_layers(struct code_cache *cache, const char *const *sha256s, size_t len,
                     code_done_fn *done, void *arg)
{
    CLEANUP(buf_done) struct buf list = BUF_INIT(CODE_LAYERS_MAX * 256u);
    char key[KEY_MAX] = LAYERS_PREFIX;
    size_t i;

    assert(len >= 1 && len <= CODE_LAYERS_MAX);
    if (len == 1) {
        code_get(cache, sha256s[0], done, arg);
        return;
    }
    for (i = 0; i < len; i++)
        (void)buf_printf(&list, "%.*s\n", CODE_SHA256_LEN + 1, sha256s[i]);
    sha256_hex(buf_str(&list), key + strlen(LAYERS_PREFIX));
    get(cache, key, sha256s, len, done, arg);
}

/* ---- using */

const char *code_dir(const struct code *code)
{
    return code->dir;
}

uint64_t code_size(const struct code *code)
{
    return code->size;
}

struct code *code_ref(struct code *code)
{
    if (code->users++ == 0 && code->cache) {
        list_remove(&code->node);
        list_append(&code->cache->used, &code->node);
    }
    return code;
}

void code_unref(struct code *code)
{
    if (!code || --code->users > 0)
        return;
    if (!code->cache) {
        code_free(code);
        return;
    }
    list_remove(&code->node);
    list_append(&code->cache->idle, &code->node);
    cache_shrink(code->cache);
}

/* ---- start and end */

/* What was unpacked before this boot of the machine may not have reached the disk. */
static int check_boot(const char *dir, bool *ret_same, struct error *err)
{
    CLEANUP(freep) char *path = str_printf("%s/boot_id", dir);
    CLEANUP(buf_done) struct buf now = BUF_INIT(256), then = BUF_INIT(256);
    int r = file_read("/proc/sys/kernel/random/boot_id", &now, err);

    if (r < 0)
        return r;
    *ret_same = file_read(path, &then, NULL) == 0 && str_eq(buf_str(&now), buf_str(&then));
    return *ret_same ? 0 : file_write_atomic(path, buf_str(&now), 0644, err);
}

static bool key_is_valid(const char *name)
{
    size_t skip = strncmp(name, LAYERS_PREFIX, strlen(LAYERS_PREFIX)) == 0 ? strlen(LAYERS_PREFIX)
                                                                           : 0;

    return hash_is_valid(name + skip);
}

/* Takes over one finished folder; everything else of ours is left over from a crash and goes. */
static int adopt_or_remove(struct code_cache *cache, const char *name, bool same_boot,
                           struct error *err)
{
    CLEANUP(freep) char *path = str_printf("%s/%s", cache->dir, name);
    CLEANUP(freep) char *size_file = str_printf("%s.size", path);
    CLEANUP(buf_done) struct buf text = BUF_INIT(32);
    uint64_t size;

    if (key_is_valid(name)) {
        if (same_boot && file_read(size_file, &text, NULL) == 0 &&
            str_parse_u64(buf_str(&text), &size) == 0) {
            code_add(cache, name, size);
            return 0;
        }
        unlink(size_file);
        return dir_remove(path, err);
    }
    if (strncmp(name, "new-", 4) == 0 || strncmp(name, "old-", 4) == 0)
        return dir_remove(path, err);
    if (strncmp(name, "get-", 4) == 0)
        unlink(path);
    return 0;
}

static int cache_scan(struct code_cache *cache, struct error *err)
{
    struct dirent *e;
    bool same_boot;
    DIR *dir;
    int r = dir_make(cache->dir, 0755, err);

    if (r == 0)
        r = check_boot(cache->dir, &same_boot, err);
    if (r < 0)
        return r;
    dir = opendir(cache->dir);
    if (!dir)
        return error_set_errno(err, ERR_SYSTEM, errno, "reading %s", cache->dir);
    while (r == 0 && (e = readdir(dir)))
        r = adopt_or_remove(cache, e->d_name, same_boot, err);
    closedir(dir);
    return r;
}

int code_cache_new(struct loop *loop, const struct code_cache_options *options,
                   struct code_cache **ret, struct error *err)
{
    struct code_cache *cache = xcalloc(sizeof(*cache));
    int r;

    cache->loop = loop;
    cache->dir = str_dup(str_of(options->dir));
    cache->size_max = options->size_max;
    cache->fetch = options->fetch;
    cache->fetch_arg = options->fetch_arg;
    map_init(&cache->codes, NULL);
    map_init(&cache->fetches, NULL);
    list_init(&cache->idle);
    list_init(&cache->used);
    r = cache_scan(cache, err);
    if (r < 0) {
        code_cache_free(cache);
        return r;
    }
    cache_shrink(cache);
    *ret = cache;
    return 0;
}

void code_cache_free(struct code_cache *cache)
{
    struct code *code;

    if (!cache)
        return;
    cache->dead = true;
    while ((code = LIST_FIRST(&cache->idle, struct code, node)))
        code_free(code);
    while ((code = LIST_FIRST(&cache->used, struct code, node))) {
        list_remove(&code->node); /* its last user frees it */
        code->cache = NULL;
    }
    cache->busy++;
    cache_unbusy(cache);
}
