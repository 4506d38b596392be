/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/provisioner_plan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void plan_init(struct plan *plan)
{
    list_init(&plan->nodes);
    list_init(&plan->versions);
}

void plan_done(struct plan *plan)
{
    struct plan_version *v;
    struct plan_node *node;

    while ((v = LIST_FIRST(&plan->versions, struct plan_version, node)))
        plan_version_remove(v);
    while ((node = LIST_FIRST(&plan->nodes, struct plan_node, node)))
        plan_node_remove(plan, node);
}

char *plan_key(struct str account, struct str name, struct str version, uint64_t generation)
{
    return str_printf("%.*s/%.*s:%.*s#%" PRIu64, STR_ARG(account), STR_ARG(name), STR_ARG(version),
                      generation);
}

/* ---- nodes ---- */

struct plan_node *plan_node_find(const struct plan *plan, struct str id)
{
    const struct list_node *n;

    LIST_FOREACH(&plan->nodes, n) {
        struct plan_node *node = CONTAINER_OF(n, struct plan_node, node);

        if (str_is(id, node->id))
            return node;
    }
    return NULL;
}

struct plan_node *plan_node_add(struct plan *plan, struct str id)
{
    struct plan_node *node = calloc(1, sizeof(*node));

    if (!node)
        abort();
    node->id = str_dup(id);
    map_init(&node->has, free);
    list_append(&plan->nodes, &node->node);
    return node;
}

static void share_remove(struct plan_share *share)
{
    list_remove(&share->node);
    free(share);
}

static struct plan_share *share_on(const struct plan_version *v, const struct plan_node *node)
{
    const struct list_node *n;

    LIST_FOREACH(&v->shares, n) {
        struct plan_share *share = CONTAINER_OF(n, struct plan_share, node);

        if (share->on == node)
            return share;
    }
    return NULL;
}

void plan_node_remove(struct plan *plan, struct plan_node *node)
{
    struct plan_share *share;
    struct list_node *n;

    LIST_FOREACH(&plan->versions, n) {
        share = share_on(CONTAINER_OF(n, struct plan_version, node), node);
        if (share)
            share_remove(share);
    }
    list_remove(&node->node);
    map_done(&node->has);
    free(node->told);
    free(node->id);
    free(node);
}

void plan_node_set(struct plan_node *node, const char *key, const struct node_has *has)
{
    struct node_has *own = malloc(sizeof(*own));

    if (!own)
        abort();
    *own = *has;
    map_put(&node->has, str_of(key), own);
}

/* ---- versions ---- */

struct plan_version *plan_version_find(const struct plan *plan, const char *key)
{
    const struct list_node *n;

    LIST_FOREACH(&plan->versions, n) {
        struct plan_version *v = CONTAINER_OF(n, struct plan_version, node);

        if (strcmp(v->key, key) == 0)
            return v;
    }
    return NULL;
}

struct plan_version *plan_version_add(struct plan *plan, struct str account, struct str name,
                                      struct str version, uint64_t generation)
{
    struct plan_version *v = calloc(1, sizeof(*v));

    if (!v)
        abort();
    v->account = str_dup(account);
    v->name = str_dup(name);
    v->version = str_dup(version);
    v->generation = generation;
    v->key = plan_key(account, name, version, generation);
    list_init(&v->shares);
    list_append(&plan->versions, &v->node);
    return v;
}

void plan_version_remove(struct plan_version *v)
{
    struct plan_share *share;

    while ((share = LIST_FIRST(&v->shares, struct plan_share, node)))
        share_remove(share);
    list_remove(&v->node);
    free(v->account);
    free(v->name);
    free(v->version);
    free(v->qualifier);
    free(v->key);
    free(v);
}

/* ---- spreading ---- */

/* May be below zero: more is planned than there is room for. */
static int64_t room_of(const struct plan_node *node)
{
    return (int64_t)node->memory_mib - (int64_t)node->planned_mib;
}

static bool has_unplanned(const struct plan_node *node, const struct plan_version *v)
{
    const struct node_has *has = map_get(&node->has, str_of(v->key));
    const struct plan_share *share = share_on(v, node);

    return has && has->begun > (share ? share->count : 0);
}

/* As room_of(), when all that may give way has done so. */
static int64_t room_later(const struct plan_node *node)
{
    return room_of(node) + (int64_t)node->leaving_mib;
}

static bool is_better(const struct plan_node *a, const struct plan_node *b,
                      const struct plan_version *v)
{
    bool has_a = has_unplanned(a, v), has_b = has_unplanned(b, v);
    bool fits_a = room_of(a) >= v->memory_mib, fits_b = room_of(b) >= v->memory_mib;

    if (has_a != has_b)
        return has_a;
    if (fits_a || fits_b)
        return room_of(a) > room_of(b);
    return room_later(a) > room_later(b);
}

static bool add_one(struct plan *plan, struct plan_version *v)
{
    struct plan_node *best = NULL, *node;
    struct plan_share *share;
    struct list_node *n;

    LIST_FOREACH(&plan->nodes, n) {
        node = CONTAINER_OF(n, struct plan_node, node);
        if (node->is_here && (!best || is_better(node, best, v)))
            best = node;
    }
    if (!best)
        return false;
    share = share_on(v, best);
    if (!share) {
        share = calloc(1, sizeof(*share));
        if (!share)
            abort();
        share->on = best;
        list_append(&v->shares, &share->node);
    }
    share->count++;
    best->planned_mib += v->memory_mib;
    return true;
}

static void share_take_one(struct plan_version *v, struct plan_share *share)
{
    share->on->planned_mib -= v->memory_mib;
    if (v->is_leaving)
        share->on->leaving_mib -= v->memory_mib;
    if (--share->count == 0)
        share_remove(share);
}

static void take_one(struct plan_version *v)
{
    struct plan_share *worst = NULL, *share;
    struct list_node *n;

    LIST_FOREACH(&v->shares, n) {
        share = CONTAINER_OF(n, struct plan_share, node);
        if (!worst || room_of(share->on) < room_of(worst->on))
            worst = share;
    }
    share_take_one(v, worst);
}

static uint64_t planned_of(const struct plan_version *v)
{
    const struct list_node *n;
    uint64_t sum = 0;

    LIST_FOREACH(&v->shares, n)
        sum += CONTAINER_OF(n, struct plan_share, node)->count;
    return sum;
}

static void count_memory(struct plan *plan)
{
    struct list_node *n, *m;

    LIST_FOREACH(&plan->nodes, n)
        CONTAINER_OF(n, struct plan_node, node)->planned_mib =
            CONTAINER_OF(n, struct plan_node, node)->leaving_mib = 0;
    LIST_FOREACH(&plan->versions, n) {
        struct plan_version *v = CONTAINER_OF(n, struct plan_version, node);

        LIST_FOREACH(&v->shares, m) {
            struct plan_share *share = CONTAINER_OF(m, struct plan_share, node);

            share->on->planned_mib += (uint64_t)share->count * v->memory_mib;
            if (v->is_leaving)
                share->on->leaving_mib += (uint64_t)share->count * v->memory_mib;
        }
    }
}

static bool lacks_room(const struct plan_version *v)
{
    const struct list_node *n;

    LIST_FOREACH(&v->shares, n)
        if (room_of(CONTAINER_OF(n, struct plan_share, node)->on) < 0)
            return true;
    return false;
}

struct plan_version *plan_heir(const struct plan *plan, const struct plan_version *v)
{
    const struct list_node *n;

    LIST_FOREACH(&plan->versions, n) {
        struct plan_version *other = CONTAINER_OF(n, struct plan_version, node);

        if (!other->is_leaving && strcmp(other->account, v->account) == 0 &&
            strcmp(other->name, v->name) == 0 && strcmp(other->qualifier, v->qualifier) == 0)
            return other;
    }
    return NULL;
}

/* One of @v's less on a node where the heir lacks room; false: there is none. */
static bool make_room(struct plan_version *v, const struct plan_version *heir)
{
    struct list_node *n;

    LIST_FOREACH(&v->shares, n) {
        struct plan_share *share = CONTAINER_OF(n, struct plan_share, node);

        if (room_of(share->on) >= 0 || !share_on(heir, share->on))
            continue;
        share_take_one(v, share);
        v->count--; /* for good: else the next plan would have it again */
        return true;
    }
    return false;
}

void plan_spread(struct plan *plan)
{
    struct list_node *n;

    count_memory(plan);
    LIST_FOREACH(&plan->versions, n) {
        struct plan_version *v = CONTAINER_OF(n, struct plan_version, node);
        uint64_t planned = planned_of(v);

        if (v->is_leaving && planned < v->count)
            v->count = (uint32_t)planned;
        for (; planned > v->count; planned--)
            take_one(v);
        for (; planned < v->count && add_one(plan, v); planned++)
            ;
    }
    LIST_FOREACH(&plan->versions, n) {
        struct plan_version *v = CONTAINER_OF(n, struct plan_version, node);
        const struct plan_version *heir = v->is_leaving ? plan_heir(plan, v) : NULL;

        while (heir && make_room(v, heir))
            ;
    }
    LIST_FOREACH(&plan->versions, n) {
        struct plan_version *v = CONTAINER_OF(n, struct plan_version, node);

        v->lacks_room = lacks_room(v);
    }
}
