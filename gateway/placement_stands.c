/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/alloc.h"
#include "gateway/placement_impl.h"

#define STANDS_MAX 262144 /* about 16 MB */
#define VERSIONS_MAX 65536 /* that nodes may tell of; those that are invoked come on top */
#define STANDS_MIN 1024
#define CACHE_LINE 64
#define FORGET_LOOK 64 /* stands looked at to find one to forget */

/* Whether stream @a was opened before @b or is @b; ids wrap. */
static bool is_up_to(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) <= 0;
}

/* ---- rings ---- */

/* In front of all others of the ring that begins with *@first. */
static void ring_push(struct place_link *links, uint32_t *first, uint32_t at)
{
    uint32_t next = *first ? *first : at, prev = *first ? links[next].prev : at;

    links[at] = (struct place_link){prev, next};
    links[prev].next = at;
    links[next].prev = at;
    *first = at;
}

static void ring_remove(struct place_link *links, uint32_t *first, uint32_t at)
{
    struct place_link link = links[at];

    links[link.prev].next = link.next;
    links[link.next].prev = link.prev;
    if (*first == at)
        *first = link.next == at ? 0 : link.next;
}

/* ---- the arrays ---- */

static uint32_t *slot_of(const struct placement *p, const struct place_version *version,
                         const struct place_node *node)
{
    uint64_t h = version->serial * 0x9e3779b97f4a7c15u ^ node->serial * 0xc2b2ae3d27d4eb4fu;

    return &p->stands.table[(h ^ h >> 29) * 0xbf58476d1ce4e5b9u >> 32 & (p->stands.cap - 1)];
}

static void table_put(struct placement *p, uint32_t at)
{
    uint32_t *slot = slot_of(p, p->stands.list[at].version, p->stands.list[at].node);

    p->stands.chain[at] = *slot;
    *slot = at;
}

static void table_remove(struct placement *p, uint32_t at)
{
    uint32_t *link = slot_of(p, p->stands.list[at].version, p->stands.list[at].node);

    while (*link != at)
        link = &p->stands.chain[*link];
    *link = p->stands.chain[at];
}

uint32_t place_stand_find(const struct placement *p, const struct place_version *version,
                          const struct place_node *node)
{
    uint32_t at = *slot_of(p, version, node);

    while (at && (p->stands.list[at].version != version || p->stands.list[at].node != node))
        at = p->stands.chain[at];
    return at;
}

/* An array of @len members of @size bytes in place of @old, whose first @keep it has. */
static void *array_grow(void *old, size_t size, uint32_t keep, uint32_t len)
{
    void *new = aligned_alloc(CACHE_LINE, size * len);

    if (!new)
        abort();
    if (keep > 0)
        memcpy(new, old, size * keep);
    free(old);
    return new;
}

static void stands_grow(struct placement *p)
{
    struct place_stands *s = &p->stands;
    uint32_t at, keep = s->cap, len = keep ? keep * 2 : STANDS_MIN;

    s->list = array_grow(s->list, sizeof(*s->list), keep, len);
    s->warm = array_grow(s->warm, sizeof(*s->warm), keep, len);
    s->of_version = array_grow(s->of_version, sizeof(*s->of_version), keep, len);
    s->of_node = array_grow(s->of_node, sizeof(*s->of_node), keep, len);
    s->chain = array_grow(s->chain, sizeof(*s->chain), keep, len);
    s->table = array_grow(s->table, sizeof(*s->table), 0, len);
    memset(s->table, 0, sizeof(*s->table) * len);
    s->cap = len;
    for (at = 1; at < s->end; at++)
        if (s->list[at].version)
            table_put(p, at);
}

/* A place for a stand. */
static uint32_t stand_take(struct placement *p)
{
    struct place_stands *s = &p->stands;
    uint32_t at = s->free;

    if (at) {
        s->free = s->chain[at];
        return at;
    }
    if (s->end == s->cap)
        stands_grow(p);
    return s->end++;
}

static void stand_free(struct placement *p, uint32_t at)
{
    p->stands.chain[at] = p->stands.free;
    p->stands.free = at;
}

/* ---- what is idle ---- */

/* The ring of stands like @stand; NULL: it has nothing idle. */
static uint32_t *warm_ring(const struct place_stand *stand)
{
    struct place_version *v = stand->version;

    return stand->kept ? &v->warm_kept : stand->idle ? &v->warm : NULL;
}

/* What is idle there, from now on; in front of others like it. */
static void stand_set_idle(struct placement *p, uint32_t at, uint32_t idle, uint32_t kept)
{
    struct place_stand *stand = &p->stands.list[at];
    uint32_t *was = warm_ring(stand), *is;

    stand->idle = idle;
    stand->kept = kept;
    is = warm_ring(stand);
    if (was == is && (!is || *is == at))
        return;
    if (was)
        ring_remove(p->stands.warm, was, at);
    if (is)
        ring_push(p->stands.warm, is, at);
}

void place_version_renew(struct placement *p, struct place_version *v, uint64_t generation)
{
    v->generation = generation;
    while (v->warm_kept)
        stand_set_idle(p, v->warm_kept, 0, 0);
    while (v->warm)
        stand_set_idle(p, v->warm, 0, 0);
}

/* ---- stands ---- */

/* It is believed in no longer; what runs there has it until it ends. */
static void stand_forget(struct placement *p, uint32_t at)
{
    struct place_stand *stand = &p->stands.list[at];
    struct place_version *v = stand->version;

    stand_set_idle(p, at, 0, 0);
    table_remove(p, at);
    ring_remove(p->stands.of_version, &v->known, at);
    ring_remove(p->stands.of_node, &stand->node->stands, at);
    stand->version = NULL;
    p->stands.len--;
    v->stands--;
    if (v->stands == 0)
        place_version_free(p, v);
    if (stand->running == 0)
        stand_free(p, at);
}

/* One goes that has not been used since it was looked at last, of those that nothing runs on. */
static void make_room(struct placement *p, const struct place_version *but)
{
    struct place_stands *s = &p->stands;
    struct place_stand *stand;
    int looks;

    for (looks = 0; looks < FORGET_LOOK; looks++) {
        s->hand = s->hand + 1 < s->end ? s->hand + 1 : 1;
        stand = &s->list[s->hand];
        if (!stand->version || stand->version == but || stand->running > 0)
            continue;
        if (!stand->was_used) {
            stand_forget(p, s->hand);
            return;
        }
        stand->was_used = false;
    }
}

static uint32_t stand_get(struct placement *p, struct place_version *v, struct place_node *node)
{
    uint32_t at = place_stand_find(p, v, node);

    if (at)
        return at;
    if (p->stands.len >= p->stands.max)
        make_room(p, v);
    at = stand_take(p);
    p->stands.list[at] = (struct place_stand){.version = v, .node = node};
    ring_push(p->stands.of_version, &v->known, at);
    ring_push(p->stands.of_node, &node->stands, at);
    table_put(p, at);
    p->stands.len++;
    v->stands++;
    return at;
}

/* The stand of an invocation: it goes where something is idle, most often. */
static uint32_t stand_for_run(struct placement *p, struct place_version *v, struct place_node *node)
{
    uint32_t first = v->warm_kept ? v->warm_kept : v->warm;

    return first && p->stands.list[first].node == node ? first : stand_get(p, v, node);
}

void place_stands_forget(struct place_node *node)
{
    while (node->stands)
        stand_forget(node->placement, node->stands);
}

void place_stands_init(struct placement *p)
{
    p->stands.max = p->options.stands_max ? p->options.stands_max : STANDS_MAX;
    p->stands.end = 1; /* 0 is none */
    stands_grow(p);
}

void place_stands_done(struct placement *p)
{
    struct place_stands *s = &p->stands;

    assert(s->len == 0);
    free(s->list);
    free(s->warm);
    free(s->of_version);
    free(s->of_node);
    free(s->chain);
    free(s->table);
}

/* ---- memory that is on its way ---- */

static void charge(struct place_node *node, struct place_run *run, uint32_t mib)
{
    struct place_charge *last;

    run->charged_mib = mib;
    run->life = node->life;
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

void placement_begin(struct placement *p, struct place_node *node, const struct place_ask *ask,
                     uint32_t stream, struct place_run *ret)
{
    struct place_version *v = place_version_get(p, &ask->key, true);
    struct place_stand *stand;

    *ret = (struct place_run){.version = v, .stream = stream, .generation = ask->key.generation};
    if (!v)
        return; /* a key that no node will take */
    ret->stand = stand_for_run(p, v, node);
    stand = &p->stands.list[ret->stand];
    stand->running++;
    stand->was_used = stand->has_sent;
    stand->has_sent = true;
    stand->last_stream = stream;
    if (stand->idle > 0) {
        ret->took_idle = true;
        ret->took_kept = stand->kept > 0;
        stand_set_idle(p, ret->stand, stand->idle - 1, stand->kept - ret->took_kept);
    } else {
        charge(node, ret, ask->memory_mib);
        place_node_update(node);
    }
}

static void stand_end(struct placement *p, struct place_run *run, enum place_end how)
{
    struct place_stand *stand = &p->stands.list[run->stand];

    stand->running--;
    if (!stand->version) {
        if (stand->running == 0)
            stand_free(p, run->stand);
        return;
    }
    if (how == PLACE_RAN && run->generation == run->version->generation)
        stand_set_idle(p, run->stand, stand->idle + 1, stand->kept + run->took_kept);
    else if (how == PLACE_REFUSED)
        stand_set_idle(p, run->stand, 0, 0);
}

void placement_end(struct placement *p, struct place_run *run, enum place_end how)
{
    struct place_node *node;

    if (!run->stand)
        return;
    node = p->stands.list[run->stand].node;
    stand_end(p, run, how);
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
    struct placement *p = node->placement;
    uint32_t at = node->stands;

    if (!at)
        return;
    do {
        if (!is_behind(&p->stands.list[at], told))
            stand_set_idle(p, at, 0, 0);
        at = p->stands.of_node[at].next;
    } while (at != node->stands);
}

void placement_told_version(struct place_node *node, const struct place_told *told,
                            const struct place_key *key, uint32_t idle, uint32_t kept)
{
    struct placement *p = node->placement;
    struct place_version *v;
    uint32_t at;

    if (!node->is_up)
        return;
    v = place_version_get(p, key, p->versions.len < VERSIONS_MAX);
    if (!v || key->generation < v->generation)
        return;
    at = stand_get(p, v, node);
    if (is_behind(&p->stands.list[at], told) && idle > p->stands.list[at].idle)
        return; /* what was sent takes of them */
    stand_set_idle(p, at, idle, kept < idle ? kept : idle);
}
