/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/map.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/base/hash.h"

struct map_entry {
    char *key; /* NULL and value NULL: never used; NULL and value set: tombstone */
    size_t key_len;
    uint64_t hash;
    void *value;
};

static char tombstone;

void map_init(struct map *m, void (*value_free)(void *value))
{
    memset(m, 0, sizeof(*m));
    m->value_free = value_free;
    if (getrandom(&m->seed, sizeof(m->seed), 0) != (ssize_t)sizeof(m->seed))
        abort();
}

void map_done(struct map *m)
{
    size_t i;

    for (i = 0; i < m->cap; i++) {
        if (!m->entries[i].key)
            continue;
        free(m->entries[i].key);
        if (m->value_free)
            m->value_free(m->entries[i].value);
    }
    free(m->entries);
    m->entries = NULL;
    m->len = m->used = m->cap = 0;
}

/* The entry of @key, or the free one where it would go (NULL only while there is no table). */
static struct map_entry *find(const struct map *m, struct str key, uint64_t hash)
{
    struct map_entry *e, *hole = NULL;
    size_t i;

    if (m->cap == 0)
        return NULL;
    for (i = hash & (m->cap - 1);; i = (i + 1) & (m->cap - 1)) {
        e = &m->entries[i];
        if (!e->key && !e->value)
            return hole ? hole : e;
        if (!e->key) {
            if (!hole)
                hole = e;
        } else if (e->hash == hash && str_eq(str_from(e->key, e->key_len), key)) {
            return e;
        }
    }
}

static void grow(struct map *m)
{
    struct map old = *m;
    struct map_entry *e;
    size_t i;

    m->cap = old.len * 2 < 16 ? 16 : old.cap;
    while (m->cap < old.len * 3)
        m->cap *= 2;
    m->entries = calloc(m->cap, sizeof(*m->entries));
    if (!m->entries)
        abort();
    m->used = m->len;
    for (i = 0; i < old.cap; i++) {
        if (!old.entries[i].key)
            continue;
        e = find(m, str_from(old.entries[i].key, old.entries[i].key_len), old.entries[i].hash);
        *e = old.entries[i];
    }
    free(old.entries);
}

void *map_get(const struct map *m, struct str key)
{
    struct map_entry *e = find(m, key, hash_bytes(m->seed, key));

    return e && e->key ? e->value : NULL;
}

void map_put(struct map *m, struct str key, void *value)
{
    uint64_t hash = hash_bytes(m->seed, key);
    struct map_entry *e;

    if (m->cap == 0 || (m->used + 1) * 4 > m->cap * 3)
        grow(m);
    e = find(m, key, hash);
    if (e->key) {
        if (m->value_free && e->value != value)
            m->value_free(e->value);
        e->value = value;
        return;
    }
    if (!e->value)
        m->used++;
    m->len++;
    *e = (struct map_entry){str_dup(key), key.len, hash, value};
}

void *map_remove(struct map *m, struct str key)
{
    struct map_entry *e = find(m, key, hash_bytes(m->seed, key));
    void *value;

    if (!e || !e->key)
        return NULL;
    value = e->value;
    free(e->key);
    e->key = NULL;
    e->value = &tombstone;
    m->len--;
    return value;
}

bool map_next(const struct map *m, size_t *at, struct str *key, void **value)
{
    const struct map_entry *e;

    while (*at < m->cap) {
        e = &m->entries[(*at)++];
        if (!e->key)
            continue;
        if (key)
            *key = str_from(e->key, e->key_len);
        *value = e->value;
        return true;
    }
    return false;
}
