/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/placement.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/alloc.h"
#include "gateway/placement_impl.h"

#define WARM_LOOK 8 /* stands with idle sandboxes looked at: the first ones may be passed over */
#define LOCAL_LOOK 8 /* of those that have run the version … */
#define LOCAL_MAX 4 /* … so many are weighed */
#define DRAWS 4 /* by lot, among all */
#define TOP_DRAWS 2 /* by lot, among those of a class with the most memory free */
#define TOP_CLASSES 2
#define WHOLE 1024 /* a node's memory, as a score */
#define LOCAL_BONUS (WHOLE / 4) /* of a node that has the version's image and code */
#define CANDIDATES_MAX 32

struct candidate {
    struct place_node *node;
    bool is_local;
};

struct candidates {
    struct candidate list[CANDIDATES_MAX];
    size_t len;
};

/* ---- memory ---- */

static int64_t memory_of(const struct place_node *node)
{
    return node->has_told ? (int64_t)node->memory_mib : PLACE_ASSUMED_MIB;
}

static int64_t less_full(const struct place_node *node, int64_t mib)
{
    return node->full_mib && mib >= node->full_mib ? (int64_t)node->full_mib - 1 : mib;
}

static int64_t free_of(const struct place_node *node)
{
    int64_t told = node->has_told ? node->free_mib : PLACE_ASSUMED_MIB;

    return less_full(node, told - node->charged_mib);
}

static int64_t room_of(const struct place_node *node)
{
    int64_t told = node->has_told ? node->free_mib + node->idle_mib : PLACE_ASSUMED_MIB;

    return less_full(node, told - node->charged_mib);
}

/* ---- nodes ---- */

/* All are looked at only when the largest one goes, or says that it is smaller. */
static void find_largest(struct placement *p)
{
    size_t i;

    p->largest = NULL;
    for (i = 0; i < p->usable_len; i++)
        if (!p->largest || memory_of(p->usable[i]) > memory_of(p->largest))
            p->largest = p->usable[i];
}

void place_node_resized(struct place_node *node)
{
    struct placement *p = node->placement;

    if (!node->is_up)
        return;
    if (p->largest == node)
        find_largest(p);
    else if (memory_of(node) > memory_of(p->largest))
        p->largest = node;
}

void place_node_update(struct place_node *node)
{
    struct placement *p = node->placement;

    if (!node->is_up)
        return;
    place_index_set(&p->by_free, &node->by_free, free_of(node));
    place_index_set(&p->by_room, &node->by_room, room_of(node));
}

void placement_add(struct placement *p, struct place_node *node, uint64_t serial)
{
    node->placement = p;
    node->serial = serial;
    list_init(&node->full);
}

void placement_up(struct place_node *node)
{
    struct placement *p = node->placement;

    if (node->is_up)
        return;
    node->is_up = true;
    node->life++;
    node->has_told = false;
    node->charged_mib = 0;
    node->charges_len = 0;
    node->full_mib = 0;
    if (p->usable_len == p->usable_cap) {
        p->usable_cap = p->usable_cap ? p->usable_cap * 2 : 16;
        p->usable = realloc(p->usable, p->usable_cap * sizeof(struct place_node *));
        if (!p->usable)
            abort();
    }
    node->at = p->usable_len;
    p->usable[p->usable_len++] = node;
    if (!p->largest || memory_of(node) > memory_of(p->largest))
        p->largest = node;
    place_node_update(node);
}

void placement_down(struct place_node *node)
{
    struct placement *p = node->placement;

    if (!node->is_up)
        return;
    node->is_up = false;
    place_index_remove(&p->by_free, &node->by_free);
    place_index_remove(&p->by_room, &node->by_room);
    p->usable[node->at] = p->usable[--p->usable_len];
    p->usable[node->at]->at = node->at;
    list_remove(&node->full);
    place_stands_forget(node);
    if (p->largest == node)
        find_largest(p);
}

size_t placement_usable(const struct placement *p)
{
    return p->usable_len;
}

void placement_full(struct place_node *node, const struct place_ask *ask)
{
    struct placement *p = node->placement;

    if (!node->is_up)
        return;
    if (node->full_mib == 0 || ask->memory_mib < node->full_mib)
        node->full_mib = ask->memory_mib;
    node->full_until_us = ask->now_us + PLACE_FULL_US;
    list_remove(&node->full);
    list_append(&p->full, &node->full);
    place_node_update(node);
}

/* Those that had no room a while ago may have by now. */
static void forget_full(struct placement *p, uint64_t now_us)
{
    struct place_node *node;

    while ((node = LIST_FIRST(&p->full, struct place_node, full)) && node->full_until_us <= now_us) {
        list_remove(&node->full);
        node->full_mib = 0;
        place_node_update(node);
    }
}

/* ---- choosing ---- */

static bool is_passed_over(const struct placement *p, const struct place_node *node,
                           const struct place_ask *ask, bool may_be_silent)
{
    size_t i;

    for (i = 0; i < ask->tried_len; i++)
        if (ask->tried[i] == node->serial)
            return true;
    return !may_be_silent && p->options.is_silent && p->options.is_silent(node, ask->now_us);
}

static struct place_node *choose_warm(const struct placement *p, const struct place_version *v,
                                      const struct place_ask *ask, bool may_be_silent)
{
    const uint32_t firsts[] = {v->warm_kept, v->warm};
    struct place_node *node;
    uint32_t at;
    size_t i;
    int looks;

    for (i = 0; i < ARRAY_LEN(firsts); i++) {
        at = firsts[i];
        for (looks = 0; looks < WARM_LOOK && at; looks++) {
            node = p->stands.list[at].node;
            if (!is_passed_over(p, node, ask, may_be_silent))
                return node;
            at = p->stands.warm[at].next;
            if (at == firsts[i])
                break;
        }
    }
    return NULL;
}

static void add(struct candidates *c, struct place_node *node, bool is_local)
{
    if (c->len < CANDIDATES_MAX)
        c->list[c->len++] = (struct candidate){node, is_local};
}

static size_t draw(struct placement *p, size_t len)
{
    return (size_t)((random_next(&p->random) >> 32) * len >> 32);
}

/* Nodes that have run the version. Next time it begins with the first that has room, or behind them all. */
static void add_local(struct candidates *c, const struct placement *p, struct place_version *v,
                      int64_t mib)
{
    uint32_t at = v->known, first = 0;
    struct place_node *node;
    size_t looks, found = 0;

    for (looks = 0; looks < LOCAL_LOOK && looks < v->stands && found < LOCAL_MAX; looks++) {
        node = p->stands.list[at].node;
        add(c, node, true);
        if (room_of(node) >= mib && found++ == 0)
            first = at;
        at = p->stands.of_version[at].next;
    }
    v->known = found ? first : at;
}

static void add_top(struct candidates *c, struct placement *p, const struct place_index *index,
                    size_t offset, int64_t mib)
{
    const struct place_class *class;
    uint32_t below = PLACE_CLASSES;
    size_t i, k;

    for (i = 0; i < TOP_CLASSES; i++) {
        class = place_index_top(index, below, mib, &below);
        if (!class)
            return;
        for (k = 0; k < TOP_DRAWS && k < class->len; k++)
            add(c, (void *)((char *)class->spots[draw(p, class->len)] - offset), false);
    }
}

static void find_candidates(struct candidates *c, struct placement *p, struct place_version *v,
                            int64_t mib)
{
    size_t i;

    if (p->usable_len <= PLACE_FEW) {
        for (i = 0; i < p->usable_len; i++)
            add(c, p->usable[i], v && place_stand_find(p, v, p->usable[i]));
        return;
    }
    if (v)
        add_local(c, p, v, mib);
    for (i = 0; i < DRAWS; i++)
        add(c, p->usable[draw(p, p->usable_len)], false);
    add_top(c, p, &p->by_free, offsetof(struct place_node, by_free), mib);
}

/* The best with @how, or NULL. */
static struct place_node *best_of(const struct candidates *c, const struct placement *p,
                                  const struct place_ask *ask, enum place_how how,
                                  bool may_be_silent)
{
    struct place_node *best = NULL, *node;
    int64_t best_score = 0, score, mib;
    size_t i;

    for (i = 0; i < c->len; i++) {
        node = c->list[i].node;
        mib = how == PLACE_COLD ? free_of(node) : room_of(node);
        if ((how == PLACE_QUEUE ? memory_of(node) : mib) < (int64_t)ask->memory_mib)
            continue;
        score = mib * WHOLE / (memory_of(node) ? memory_of(node) : 1) +
                (c->list[i].is_local ? LOCAL_BONUS : 0);
        if ((!best || score > best_score) && !is_passed_over(p, node, ask, may_be_silent)) {
            best = node;
            best_score = score;
        }
    }
    return best;
}

static struct place_node *choose_cold(struct placement *p, struct place_version *v,
                                      const struct place_ask *ask, bool may_be_silent,
                                      enum place_how *ret_how)
{
    struct candidates c = {.len = 0};
    struct place_node *node;

    find_candidates(&c, p, v, ask->memory_mib);
    *ret_how = PLACE_COLD;
    node = best_of(&c, p, ask, PLACE_COLD, may_be_silent);
    if (node)
        return node;
    if (p->usable_len > PLACE_FEW)
        add_top(&c, p, &p->by_room, offsetof(struct place_node, by_room), ask->memory_mib);
    *ret_how = PLACE_ROOM;
    node = best_of(&c, p, ask, PLACE_ROOM, may_be_silent);
    if (node)
        return node;
    *ret_how = PLACE_QUEUE;
    add(&c, p->largest, false); /* it is large enough when any is */
    return best_of(&c, p, ask, PLACE_QUEUE, may_be_silent);
}

static struct place_node *choose(struct placement *p, struct place_version *v,
                                 const struct place_ask *ask, bool may_be_silent,
                                 enum place_how *ret_how)
{
    struct place_node *node = NULL;

    *ret_how = PLACE_WARM;
    if (v && ask->key.generation == v->generation)
        node = choose_warm(p, v, ask, may_be_silent);
    return node ? node : choose_cold(p, v, ask, may_be_silent, ret_how);
}

struct place_node *placement_choose(struct placement *p, const struct place_ask *ask,
                                    enum place_how *ret_how)
{
    struct place_version *v = place_version_get(p, &ask->key, false);
    struct place_node *node;

    assert(ask->tried_len <= PLACE_TRIED_MAX);
    forget_full(p, ask->now_us);
    *ret_how = PLACE_NOWHERE;
    if (p->usable_len == 0)
        return NULL;
    if (memory_of(p->largest) < (int64_t)ask->memory_mib &&
        !is_passed_over(p, p->largest, ask, true)) {
        *ret_how = PLACE_TOO_LARGE;
        return p->largest;
    }
    node = choose(p, v, ask, false, ret_how);
    if (!node && p->options.is_silent)
        node = choose(p, v, ask, true, ret_how);
    if (!node)
        *ret_how = PLACE_NOWHERE;
    return node;
}

/* ---- life ---- */

struct placement *placement_new(const struct placement_options *options)
{
    struct placement *p = xcalloc(sizeof(*p));

    p->options = *options;
    random_init(&p->random);
    if (options->seed)
        p->random = (struct random){{options->seed, 1, 2, 3}};
    list_init(&p->full);
    place_versions_init(p);
    place_stands_init(p);
    return p;
}

void placement_free(struct placement *p)
{
    if (!p)
        return;
    assert(p->usable_len == 0);
    place_stands_done(p);
    place_versions_done(p);
    place_index_done(&p->by_free);
    place_index_done(&p->by_room);
    free(p->usable);
    free(p);
}
