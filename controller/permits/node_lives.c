/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/permits/node_lives.h"

#include <stdlib.h>

#include "common/base/alloc.h"

void node_lives_init(struct node_lives *lives, uint64_t fence_us)
{
    list_init(&lives->all);
    lives->fence_us = fence_us;
}

void node_life_remove(struct node_life *node)
{
    list_remove(&node->node);
    permit_orphans_done(&node->orphans);
    permit_orphans_done(&node->written);
    free(node->id);
    free(node->incarnation);
    free(node);
}

void node_lives_done(struct node_lives *lives)
{
    struct node_life *node;

    while ((node = LIST_FIRST(&lives->all, struct node_life, node)))
        node_life_remove(node);
}

struct node_life *node_lives_find(const struct node_lives *lives, struct str id)
{
    const struct list_node *n;

    LIST_FOREACH(&lives->all, n) {
        struct node_life *node = CONTAINER_OF(n, struct node_life, node);

        if (str_is(id, node->id))
            return node;
    }
    return NULL;
}

static struct node_life *find_peer(const struct node_lives *lives, uint64_t peer)
{
    const struct list_node *n;

    LIST_FOREACH(&lives->all, n) {
        struct node_life *node = CONTAINER_OF(n, struct node_life, node);

        if (node->peer == peer)
            return node;
    }
    return NULL;
}

static struct node_life *add(struct node_lives *lives, struct str id, uint64_t now_us)
{
    struct node_life *node = xcalloc(sizeof(*node));

    node->id = str_dup(id);
    node->incarnation = str_dup(STR(""));
    node->heard_us = now_us;
    node->is_written = true;
    list_append(&lives->all, &node->node);
    return node;
}

struct node_life *node_lives_here(struct node_lives *lives, struct str id, struct str incarnation,
                                  uint64_t peer, uint64_t now_us)
{
    struct node_life *node = node_lives_find(lives, id);

    if (!node)
        node = add(lives, id, now_us);
    if (!str_is(incarnation, node->incarnation)) {
        permit_orphans_done(&node->orphans); /* they have ended; it tells its own */
        node->written.seq = node->told_seq = 0;
        node->is_written = true;
        free(node->incarnation);
        node->incarnation = str_dup(incarnation);
    }
    node->told = 0; /* what it was told over another link may not have come */
    node->is_asked = false;
    node->again_us = 0;
    node->has_left = false;
    node->peer = peer;
    node->heard_us = now_us;
    return node;
}

struct node_life *node_lives_listed(struct node_lives *lives, struct str id, uint64_t now_us)
{
    struct node_life *node = node_lives_find(lives, id);

    return node ? node : add(lives, id, now_us);
}

struct node_life *node_lives_heard(struct node_lives *lives, uint64_t peer, uint64_t now_us)
{
    struct node_life *node = find_peer(lives, peer);

    if (node)
        node->heard_us = now_us;
    return node;
}

void node_lives_lost(struct node_lives *lives, uint64_t peer)
{
    struct node_life *node = find_peer(lives, peer);

    if (node)
        node->peer = 0;
}

void node_lives_left(struct node_lives *lives, uint64_t peer)
{
    struct node_life *node = find_peer(lives, peer);

    if (node)
        node->has_left = true;
}

void node_lives_anew(struct node_lives *lives, uint64_t now_us)
{
    struct list_node *n;

    LIST_FOREACH(&lives->all, n) {
        struct node_life *node = CONTAINER_OF(n, struct node_life, node);

        node->heard_us = now_us;
        node->told = 0;
    }
}

static uint64_t dead_at_us(const struct node_lives *lives, const struct node_life *node)
{
    return node->heard_us + lives->fence_us + lives->fence_us / 10;
}

bool node_life_is_dead(const struct node_lives *lives, const struct node_life *node,
                       uint64_t now_us)
{
    return node->has_left || (!node->peer && now_us >= dead_at_us(lives, node));
}

uint64_t node_lives_next_us(const struct node_lives *lives, uint64_t now_us)
{
    uint64_t least = UINT64_MAX, at;
    const struct list_node *n;

    LIST_FOREACH(&lives->all, n) {
        const struct node_life *node = CONTAINER_OF(n, struct node_life, node);

        at = dead_at_us(lives, node);
        if (!node->peer && at > now_us && at - now_us < least)
            least = at - now_us;
    }
    return least;
}

unsigned node_lives_count(const struct node_lives *lives)
{
    const struct list_node *n;
    unsigned count = 0;

    LIST_FOREACH(&lives->all, n)
        count += CONTAINER_OF(n, struct node_life, node)->peer != 0;
    return count;
}
