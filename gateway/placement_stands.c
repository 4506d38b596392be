/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/alloc.h"
#include "gateway/placement_impl.h"

#define STANDS_MAX 262144 /* about 40 MB */
#define VERSIONS_MAX 65536 /* that nodes may tell of; those that are invoked come on top */
#define TABLE_MIN 1024
#define EVICT_LOOK 8 /* stands looked at to find one that nothing runs on */
#define KEY_MAX 320u /* of a version's key: 32 + 1 + 170 + 1 + 64, see links.md */

/* Whether stream @a was opened before @b or is @b; ids wrap. */
static bool is_up_to(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) <= 0;
}

/* ---- the table ---- */

static size_t slot_of(const struct placement *p, const struct place_version *version,
                      const struct place_node *node)
{
    uint64_t h = version->serial * 0x9e3779b97f4a7c15u ^ node->serial * 0xc2b2ae3d27d4eb4fu;

    return (size_t)((h ^ h >> 29) * 0xbf58476d1ce4e5b9u >> 32) & (p->table_size - 1);
}

static void table_put(struct placement *p, struct place_stand *stand)
{
    struct place_stand **slot = &p->table[slot_of(p, stand->version, stand->node)];

    stand->chain = *slot;
    *slot = stand;
}

static void table_remove(struct placement *p, struct place_stand *stand)
{
    struct place_stand **at = &p->table[slot_of(p, stand->version, stand->node)];

    while (*at != stand)
        at = &(*at)->chain;
    *at = stand->chain;
}

static void table_grow(struct placement *p)
{
    struct place_stand **old = p->table, *stand, *chain;
    size_t size = p->table_size, i;

    p->table_size = size ? size * 2 : TABLE_MIN;
    p->table = xcalloc(p->table_size * sizeof(struct place_stand *));
    for (i = 0; i < size; i++) {
        for (stand = old[i]; stand; stand = chain) {
            chain = stand->chain;
            table_put(p, stand);
        }
    }
    free(old);
}

struct place_stand *place_stand_find(const struct placement *p, const struct place_version *version,
                                     const struct place_node *node)
{
    struct place_stand *stand = p->table[slot_of(p, version, node)];

    while (stand && (stand->version != version || stand->node != node))
        stand = stand->chain;
    return stand;
}

/* ---- versions ---- */

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

/* To the list where it belongs, in front. */
static void stand_list(struct place_stand *stand)
{
    struct place_version *v = stand->version;

    list_remove(&stand->of_version);
    list_prepend(stand->kept ? &v->warm_kept : stand->idle ? &v->warm : &v->known,
                 &stand->of_version);
}

/* The code has changed: what is idle of it is of no use; its image is mostly the same. */
static void version_renew(struct place_version *v, uint64_t generation)
{
    struct list_node *const lists[] = {&v->warm_kept, &v->warm};
    struct place_stand *stand;
    size_t i;

    v->generation = generation;
    for (i = 0; i < ARRAY_LEN(lists); i++) {
        while ((stand = LIST_FIRST(lists[i], struct place_stand, of_version))) {
            stand->idle = stand->kept = 0;
            stand_list(stand);
        }
    }
}

struct place_version *place_version_get(struct placement *p, const struct place_key *key, bool make)
{
    char buf[KEY_MAX];
    struct str text = make_key(buf, key);
    struct place_version *v = text.ptr ? map_get(&p->versions, text) : NULL;

    if (v && key->generation > v->generation)
        version_renew(v, key->generation);
    if (v || !make || !text.ptr)
        return v;
    v = xcalloc(sizeof(*v));
    v->key = str_dup(text);
    v->serial = ++p->next_version;
    v->generation = key->generation;
    list_init(&v->warm_kept);
    list_init(&v->warm);
    list_init(&v->known);
    map_put(&p->versions, text, v);
    return v;
}

static void version_forget_unused(struct placement *p, struct place_version *v)
{
    if (v->stands > 0)
        return;
    map_remove(&p->versions, str_of(v->key));
    free(v->key);
    free(v);
}

/* ---- stands ---- */

/* It is believed in no longer; what runs there has it until it ends. */
static void stand_forget(struct placement *p, struct place_stand *stand)
{
    struct place_version *v = stand->version;

    table_remove(p, stand);
    list_remove(&stand->of_version);
    list_remove(&stand->of_node);
    list_remove(&stand->use);
    stand->version = NULL;
    p->stands_len--;
    v->stands--;
    version_forget_unused(p, v);
    if (stand->running == 0)
        free(stand);
}

/* The one that was of use last the longest ago goes, of those that nothing runs on. */
static void make_room(struct placement *p, const struct place_version *but)
{
    struct list_node *n = p->use.prev, *before;
    struct place_stand *stand;
    int looks;

    for (looks = 0; looks < EVICT_LOOK && n != &p->use; looks++, n = before) {
        before = n->prev;
        stand = CONTAINER_OF(n, struct place_stand, use);
        if (stand->running == 0 && stand->version != but) {
            stand_forget(p, stand);
            return;
        }
    }
}

static struct place_stand *stand_get(struct placement *p, struct place_version *v,
                                     struct place_node *node)
{
    struct place_stand *stand = place_stand_find(p, v, node);

    if (stand)
        return stand;
    if (p->stands_len >= p->stands_max)
        make_room(p, v);
    if (p->stands_len >= p->table_size)
        table_grow(p);
    stand = xcalloc(sizeof(*stand));
    stand->version = v;
    stand->node = node;
    list_init(&stand->of_version);
    list_prepend(&v->known, &stand->of_version);
    list_append(&node->stands, &stand->of_node);
    list_prepend(&p->use, &stand->use);
    table_put(p, stand);
    p->stands_len++;
    v->stands++;
    return stand;
}

void place_stands_forget(struct place_node *node)
{
    struct place_stand *stand;

    while ((stand = LIST_FIRST(&node->stands, struct place_stand, of_node)))
        stand_forget(node->placement, stand);
}

void place_stands_init(struct placement *p)
{
    map_init(&p->versions, NULL);
    list_init(&p->use);
    p->stands_max = p->options.stands_max ? p->options.stands_max : STANDS_MAX;
    table_grow(p);
}

void place_stands_done(struct placement *p)
{
    assert(p->stands_len == 0 && p->versions.len == 0);
    map_done(&p->versions);
    free(p->table);
}

/* ---- memory that is on its way ---- */

static void charge(struct place_node *node, struct place_run *run, uint32_t mib)
{
    struct place_charge *last;

    run->charged_mib = mib;
    node->charged_mib += mib;
    if (!node->has_told)
        return; /* it is given back when the invocation ends */
    if (node->charges_len == PLACE_CHARGES_MAX) { /* heard of a little later than it could be */
        last = &node->charges[(node->charges_at + node->charges_len - 1) % PLACE_CHARGES_MAX];
        last->stream = run->stream;
        last->mib += mib;
        return;
    }
    last = &node->charges[(node->charges_at + node->charges_len++) % PLACE_CHARGES_MAX];
    *last = (struct place_charge){run->stream, mib};
}

/* Nothing was begun for it; unless the node's word has it in by now. */
static void uncharge(struct place_node *node, struct place_run *run)
{
    struct place_charge *c;
    uint32_t i;

    for (i = 0; i < node->charges_len; i++) {
        c = &node->charges[(node->charges_at + i) % PLACE_CHARGES_MAX];
        if (c->stream != run->stream && i + 1 < PLACE_CHARGES_MAX) /* the last of all has several */
            continue;
        if (c->mib >= run->charged_mib) {
            c->mib -= run->charged_mib;
            node->charged_mib -= run->charged_mib;
        }
        return;
    }
}

static void hear_charges(struct place_node *node, uint32_t received)
{
    struct place_charge *c;

    while (node->charges_len > 0) {
        c = &node->charges[node->charges_at];
        if (!is_up_to(c->stream, received))
            return;
        node->charged_mib -= c->mib;
        node->charges_at = (node->charges_at + 1) % PLACE_CHARGES_MAX;
        node->charges_len--;
    }
}

/* ---- own invocations ---- */

void placement_begin(struct place_node *node, const struct place_ask *ask, uint32_t stream,
                     struct place_run *ret)
{
    struct placement *p = node->placement;
    struct place_version *v = place_version_get(p, &ask->key, true);
    struct place_stand *stand;

    *ret = (struct place_run){.node = node,
                              .stream = stream,
                              .life = node->life,
                              .generation = ask->key.generation};
    node->in_flight++;
    if (!v)
        return; /* a key that no node will take */
    ret->stand = stand = stand_get(p, v, node);
    stand->running++;
    stand->has_sent = true;
    stand->last_stream = stream;
    list_remove(&stand->use);
    list_prepend(&p->use, &stand->use);
    if (stand->idle > 0) {
        ret->took_idle = true;
        ret->took_kept = stand->kept > 0;
        stand->idle--;
        stand->kept -= ret->took_kept;
    } else {
        charge(node, ret, ask->memory_mib);
        place_node_update(node);
    }
    stand_list(stand);
}

static void stand_end(struct place_run *run, enum place_end how)
{
    struct place_stand *stand = run->stand;

    stand->running--;
    if (!stand->version) {
        if (stand->running == 0)
            free(stand);
        return;
    }
    if (how == PLACE_RAN && run->generation == stand->version->generation) {
        stand->idle++;
        stand->kept += run->took_kept;
    } else if (how == PLACE_REFUSED) {
        stand->idle = stand->kept = 0;
    }
    stand_list(stand);
}

void placement_end(struct place_run *run, enum place_end how)
{
    struct place_node *node = run->node;

    if (!node)
        return;
    node->in_flight--;
    if (run->stand)
        stand_end(run, how);
    if (run->charged_mib && run->life == node->life) {
        if (!node->has_told)
            node->charged_mib -= run->charged_mib;
        else if (how == PLACE_REFUSED)
            uncharge(node, run);
        place_node_update(node);
    }
    *run = (struct place_run){0};
}

/* ---- a node's word ---- */

void placement_told(struct place_node *node, const struct place_told *told)
{
    bool is_resized = !node->has_told || node->memory_mib != told->memory_mib;

    if (!node->has_told)
        node->charged_mib = 0; /* those were not noted one by one: it is a guess too many at most */
    node->has_told = true;
    node->memory_mib = told->memory_mib;
    if (is_resized)
        place_node_resized(node);
    node->free_mib = told->free_mib;
    node->idle_mib = told->idle_mib;
    node->full_mib = 0; /* what it said before is older */
    if (told->has_received)
        hear_charges(node, told->received);
    place_node_update(node);
}

/* Something was sent to @stand that is not in the node's word yet. */
static bool is_behind(const struct place_stand *stand, const struct place_told *told)
{
    return stand->has_sent && (!told->has_received || !is_up_to(stand->last_stream, told->received));
}

void placement_told_all(struct place_node *node, const struct place_told *told)
{
    struct list_node *n;

    LIST_FOREACH (&node->stands, n) {
        struct place_stand *stand = CONTAINER_OF(n, struct place_stand, of_node);

        if (stand->idle == 0 || is_behind(stand, told))
            continue;
        stand->idle = stand->kept = 0;
        stand_list(stand);
    }
}

void placement_told_version(struct place_node *node, const struct place_told *told,
                            const struct place_key *key, uint32_t idle, uint32_t kept)
{
    struct placement *p = node->placement;
    struct place_version *v;
    struct place_stand *stand;

    if (!node->is_up)
        return;
    v = place_version_get(p, key, p->versions.len < VERSIONS_MAX);
    if (!v || key->generation < v->generation)
        return;
    stand = stand_get(p, v, node);
    if (is_behind(stand, told) && idle > stand->idle)
        return; /* what was sent takes of them */
    stand->idle = idle;
    stand->kept = kept < idle ? kept : idle;
    stand_list(stand);
}
