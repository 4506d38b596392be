/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/alloc.h"
#include "common/base/hash.h"
#include "gateway/placement_impl.h"

#define TABLE_MIN 1024
#define KEY_MAX 320u /* of a version's key: 32 + 1 + 170 + 1 + 64, see links.md */

/* Neither account nor name has '/' or ':' in it. STR_NULL when it is longer than any can be. */
static struct str make_key(char *buf, const struct place_key *key)
{
    const struct str parts[] = {key->account, STR("/"), key->name, STR(":"), key->version};
    size_t len = 0, i;

    for (i = 0; i < ARRAY_LEN(parts); i++) {
        if (parts[i].len > KEY_MAX - len)
            return STR_NULL;
        memcpy(buf + len, parts[i].ptr, parts[i].len);
        len += parts[i].len;
    }
    return str_from(buf, len);
}

static struct place_version **slot_of(struct place_versions *versions, uint32_t hash)
{
    return &versions->table[hash & (versions->size - 1)];
}

static void put(struct place_versions *versions, struct place_version *v)
{
    struct place_version **slot = slot_of(versions, v->hash);

    v->chain = *slot;
    *slot = v;
}

static void grow(struct place_versions *versions)
{
    struct place_version **old = versions->table, *v, *chain;
    size_t size = versions->size, i;

    versions->size = size ? size * 2 : TABLE_MIN;
    versions->table = xcalloc(versions->size * sizeof(struct place_version *));
    for (i = 0; i < size; i++) {
        for (v = old[i]; v; v = chain) {
            chain = v->chain;
            put(versions, v);
        }
    }
    free(old);
}

static struct place_version *find(struct place_versions *versions, struct str key, uint32_t hash)
{
    struct place_version *v = *slot_of(versions, hash);

    while (v && (v->hash != hash || !str_eq(str_from(v->key, v->key_len), key)))
        v = v->chain;
    return v;
}

static struct place_version *add(struct place_versions *versions, struct str key, uint32_t hash)
{
    struct place_version *v = xcalloc(sizeof(*v) + key.len);

    if (versions->len >= versions->size)
        grow(versions);
    v->serial = ++versions->serials;
    v->hash = hash;
    v->key_len = (uint16_t)key.len;
    memcpy(v->key, key.ptr, key.len);
    put(versions, v);
    versions->len++;
    return v;
}

struct place_version *place_version_get(struct placement *p, const struct place_key *key, bool make)
{
    char buf[KEY_MAX];
    struct str text = make_key(buf, key);
    struct place_version *v;
    uint32_t hash;

    if (!text.ptr)
        return NULL;
    hash = (uint32_t)hash_bytes(p->versions.seed, text);
    v = find(&p->versions, text, hash);
    if (v && key->generation > v->generation)
        place_version_renew(p, v, key->generation);
    if (v || !make)
        return v;
    v = add(&p->versions, text, hash);
    v->generation = key->generation;
    return v;
}

void place_version_free(struct placement *p, struct place_version *v)
{
    struct place_version **link = slot_of(&p->versions, v->hash);

    assert(v->stands == 0);
    while (*link != v)
        link = &(*link)->chain;
    *link = v->chain;
    p->versions.len--;
    free(v);
}

void place_versions_init(struct placement *p)
{
    p->versions.seed = random_next(&p->random);
    grow(&p->versions);
}

void place_versions_done(struct placement *p)
{
    assert(p->versions.len == 0);
    free(p->versions.table);
}
