/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/nodes.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"

#define NODES_KEY "hearth:nodes"

struct node {
    struct list_node node;
    char *id;
    char *address;
    bool draining;
};

struct nodes {
    struct loop *loop;
    struct redis *redis;
    struct peers *peers;
    uint64_t fence_us, peer_timeout_us;
    unsigned gateways; /* that have joined */
    struct list_node all;
    bool synced; /* the list of an earlier controller is known */
    uint64_t begin_us; /* when it was first to be learnt */
    struct timer tell; /* gateways, at the end of the turn */
};

static struct node *find(struct nodes *nodes, struct str id)
{
    struct list_node *n;
    struct node *node;

    LIST_FOREACH(&nodes->all, n) {
        node = CONTAINER_OF(n, struct node, node);
        if (str_eq(str_of(node->id), id))
            return node;
    }
    return NULL;
}

static void remove_node(struct node *node)
{
    list_remove(&node->node);
    free(node->id);
    free(node->address);
    free(node);
}

static struct node *add(struct nodes *nodes, struct str id, struct str address)
{
    struct node *node = calloc(1, sizeof(*node));

    if (!node)
        abort();
    node->id = str_dup(id);
    node->address = str_dup(address);
    list_append(&nodes->all, &node->node);
    return node;
}

static void on_written(const struct redis_value *value, const struct error *err, void *arg)
{
    (void)value;
    (void)arg;
    if (err)
        log_debug("nodes", "the list of nodes is not written", KV_ERR(err));
}

/* Scripts, so that the list is the leader's alone: redis_guard_set(). */
static struct redis_script lua_write = {
    .name = "node_write", .source = "return redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])"};
static struct redis_script lua_unwrite = {
    .name = "node_unwrite", .source = "return redis.call('HDEL', KEYS[1], ARGV[1])"};

static void write_node(struct nodes *nodes, const struct node *node)
{
    struct str key = STR(NODES_KEY), args[] = {str_of(node->id), str_of(node->address)};

    redis_eval(nodes->redis, &lua_write, &key, 1, args, ARRAY_LEN(args), on_written, NULL);
}

static void unwrite_node(struct nodes *nodes, const struct node *node)
{
    struct str key = STR(NODES_KEY), id = str_of(node->id);

    redis_eval(nodes->redis, &lua_unwrite, &key, 1, &id, 1, on_written, NULL);
}

/* ---- telling ---- */

static void on_told(void *arg)
{
    (void)arg;
}

static void on_tell(void *arg)
{
    struct nodes *nodes = arg;
    uint64_t known_us = nodes->fence_us + nodes->fence_us / 10;
    cJSON *args, *list, *item;
    struct list_node *n;

    /* A list that lacks what an earlier controller knew would cut off nodes that work; after that
     * time they have ended. */
    if (!nodes->synced && loop_now_us(nodes->loop) < nodes->begin_us + known_us) {
        timer_start(&nodes->tell, known_us);
        return;
    }
    args = cJSON_CreateObject();
    cJSON_AddNumberToObject(args, "gateways", nodes->gateways);
    list = cJSON_AddArrayToObject(args, "nodes");
    LIST_FOREACH(&nodes->all, n) {
        struct node *node = CONTAINER_OF(n, struct node, node);

        item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "id", node->id);
        cJSON_AddStringToObject(item, "address", node->address);
        if (node->draining)
            cJSON_AddTrueToObject(item, "draining");
        cJSON_AddItemToArray(list, item);
    }
    peers_ask_all(nodes->peers, PEER_GATEWAY, "nodes.set", args, nodes->peer_timeout_us, on_told,
                  NULL);
    cJSON_Delete(args);
}

void nodes_tell(struct nodes *nodes)
{
    timer_start(&nodes->tell, 0);
}

void nodes_set_gateways(struct nodes *nodes, unsigned count)
{
    nodes->gateways = count;
    nodes_tell(nodes);
}

/* ---- coming and going ---- */

void nodes_dead(struct nodes *nodes, const char *id)
{
    struct node *node = find(nodes, str_of(id));

    if (!node)
        return;
    log_warn("nodes", "a node stayed away; gateways are told to forget it", KV_STR("node", id));
    unwrite_node(nodes, node);
    remove_node(node);
    nodes_tell(nodes);
}

void nodes_here(struct nodes *nodes, const char *id, const char *address)
{
    struct node *node = find(nodes, str_of(id));

    if (node && strcmp(node->address, address) == 0) {
        if (node->draining)
            nodes_tell(nodes);
        node->draining = false;
        return;
    }
    if (node)
        remove_node(node);
    node = add(nodes, str_of(id), str_of(address));
    write_node(nodes, node);
    nodes_tell(nodes);
}

void nodes_drain(struct nodes *nodes, const char *id)
{
    struct node *node = find(nodes, str_of(id));

    if (!node || node->draining)
        return;
    log_info("nodes", "drains; it gets nothing new", KV_STR("node", id));
    node->draining = true;
    nodes_tell(nodes);
}

void nodes_leave(struct nodes *nodes, const char *id)
{
    struct node *node = find(nodes, str_of(id));

    if (!node)
        return;
    log_info("nodes", "left", KV_STR("node", id));
    unwrite_node(nodes, node);
    remove_node(node);
    nodes_tell(nodes);
}

static void on_read(const struct redis_value *value, const struct error *err, void *arg)
{
    struct nodes *nodes = arg;
    size_t i;

    if (err)
        return; /* Redis has gone again: the next nodes_sync() does it */
    for (i = 0; i + 1 < value->len && !nodes->synced; i += 2) {
        if (!find(nodes, value->items[i].str))
            add(nodes, value->items[i].str, value->items[i + 1].str);
    }
    nodes->synced = true;
    nodes_tell(nodes);
}

void nodes_sync(struct nodes *nodes)
{
    struct str words[] = {STR("HGETALL"), STR(NODES_KEY)};
    struct list_node *n;

    if (!nodes->begin_us)
        nodes->begin_us = loop_now_us(nodes->loop);
    LIST_FOREACH(&nodes->all, n)
        write_node(nodes, CONTAINER_OF(n, struct node, node));
    if (!nodes->synced)
        redis_command(nodes->redis, words, ARRAY_LEN(words), on_read, nodes);
}

struct nodes *nodes_new(struct loop *loop, struct redis *redis, struct peers *peers,
                        uint64_t fence_us, uint64_t peer_timeout_us)
{
    struct nodes *nodes = calloc(1, sizeof(*nodes));

    if (!nodes)
        abort();
    nodes->loop = loop;
    nodes->redis = redis;
    nodes->peers = peers;
    nodes->fence_us = fence_us;
    nodes->peer_timeout_us = peer_timeout_us;
    list_init(&nodes->all);
    timer_init(&nodes->tell, loop, on_tell, nodes);
    return nodes;
}

void nodes_free(struct nodes *nodes)
{
    struct node *node;

    if (!nodes)
        return;
    timer_stop(&nodes->tell);
    while ((node = LIST_FIRST(&nodes->all, struct node, node)))
        remove_node(node);
    free(nodes);
}
