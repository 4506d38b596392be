/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/nodes.h"

#include <stdlib.h>

#include "common/base/log.h"

/* So many invocations more than the least busy node may one have before its warm sandboxes are
 * passed by. */
#define WARM_SLACK 8

struct node {
    struct list_node list; /* in nodes->current or nodes->leaving */
    struct nodes *nodes;
    uint64_t serial;
    char *id;
    char *address;
    struct link *link;
    uint64_t in_flight;
    bool leaving;
};

struct nodes {
    struct loop *loop;
    struct link_hello me;
    loop_fn *on_up;
    void *arg;
    struct list_node current, leaving;
    uint64_t next_serial;
};

static void node_free(struct node *node)
{
    list_remove(&node->list);
    link_free(node->link);
    free(node->id);
    free(node->address);
    free(node);
}

static void on_link_up(struct link *link, const struct link_hello *peer, void *arg)
{
    struct node *node = arg;

    (void)link;
    (void)peer;
    log_info("nodes", "up", KV_STR("node", node->id), KV_STR("address", node->address));
    if (!node->leaving)
        node->nodes->on_up(node->nodes->arg);
}

static void on_link_down(struct link *link, const struct error *why, void *arg)
{
    struct node *node = arg;

    (void)link;
    log_warn("nodes", "down, trying again", KV_STR("node", node->id),
             KV_STR("address", node->address), KV_ERR(why));
}

/* Invokers ask nothing of gateways. */
static void on_link_stream(struct link *link, struct link_stream *s, enum link_kind kind,
                           struct str head, void *arg)
{
    (void)link;
    (void)s;
    (void)kind;
    (void)head;
    (void)arg;
}

static const struct link_ops node_link_ops = {
    .on_up = on_link_up, .on_stream = on_link_stream, .on_down = on_link_down};

struct nodes *nodes_new(struct loop *loop, const struct link_hello *me, loop_fn *on_up, void *arg)
{
    struct nodes *nodes = calloc(1, sizeof(*nodes));

    if (!nodes)
        abort();
    nodes->loop = loop;
    nodes->me = *me;
    nodes->on_up = on_up;
    nodes->arg = arg;
    list_init(&nodes->current);
    list_init(&nodes->leaving);
    nodes->next_serial = 1;
    return nodes;
}

void nodes_free(struct nodes *nodes)
{
    struct node *node;

    if (!nodes)
        return;
    while ((node = LIST_FIRST(&nodes->current, struct node, list)))
        node_free(node);
    while ((node = LIST_FIRST(&nodes->leaving, struct node, list)))
        node_free(node);
    free(nodes);
}

/* ---- the list ---- */

static struct str member(const cJSON *item, const char *name)
{
    const cJSON *m = cJSON_GetObjectItemCaseSensitive(item, name);

    return cJSON_IsString(m) ? str_of(m->valuestring) : STR_NULL;
}

static struct node *node_find(struct nodes *nodes, struct str id, struct str address)
{
    struct list_node *n;
    struct node *node;

    LIST_FOREACH (&nodes->current, n) {
        node = CONTAINER_OF(n, struct node, list);
        if (str_eq(str_of(node->id), id) && str_eq(str_of(node->address), address))
            return node;
    }
    return NULL;
}

static bool is_listed(const struct node *node, const cJSON *list)
{
    const cJSON *item;

    cJSON_ArrayForEach (item, list) {
        if (str_eq(member(item, "id"), str_of(node->id)) &&
            str_eq(member(item, "address"), str_of(node->address)))
            return true;
    }
    return false;
}

static int node_add(struct nodes *nodes, struct str id, struct str address, struct error *err)
{
    struct node *node = calloc(1, sizeof(*node));
    int r;

    if (!node)
        abort();
    node->nodes = nodes;
    node->serial = nodes->next_serial++;
    node->id = str_dup(id);
    node->address = str_dup(address);
    list_append(&nodes->current, &node->list);
    r = link_connect(nodes->loop, node->address, &nodes->me, &node_link_ops, node, &node->link,
                     err);
    if (r < 0)
        node_free(node);
    return r;
}

/* Takes @node off the list; it goes when nothing runs on it any more. */
static void node_leave(struct node *node)
{
    node->leaving = true;
    list_remove(&node->list);
    list_append(&node->nodes->leaving, &node->list);
    log_info("nodes", "leaves the list", KV_STR("node", node->id),
             KV_U64("in_flight", node->in_flight));
    if (node->in_flight == 0)
        node_free(node);
}

int nodes_set(struct nodes *nodes, const cJSON *list, struct error *err)
{
    struct list_node *n, *after;
    struct node *node;
    const cJSON *item;
    int r = 0, bad;

    if (!cJSON_IsArray(list))
        return error_set(err, ERR_BAD_REQUEST, "nodes is not a list");
    cJSON_ArrayForEach (item, list) {
        if (member(item, "id").len == 0 || member(item, "address").len == 0)
            return error_set(err, ERR_BAD_REQUEST, "a node without id or address");
    }
    LIST_FOREACH_SAFE (&nodes->current, n, after) {
        node = CONTAINER_OF(n, struct node, list);
        if (!is_listed(node, list))
            node_leave(node);
    }
    cJSON_ArrayForEach (item, list) {
        if (node_find(nodes, member(item, "id"), member(item, "address")))
            continue;
        bad = node_add(nodes, member(item, "id"), member(item, "address"), err);
        r = bad < 0 ? bad : r;
    }
    return r;
}

/* ---- choosing ---- */

static bool is_one_of(uint64_t serial, const uint64_t *list, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++)
        if (list[i] == serial)
            return true;
    return false;
}

struct node *nodes_choose(struct nodes *nodes, uint64_t last, const uint64_t *tried,
                          size_t tried_len)
{
    struct node *node, *least = NULL, *warm = NULL;
    struct list_node *n;

    LIST_FOREACH (&nodes->current, n) {
        node = CONTAINER_OF(n, struct node, list);
        if (!link_is_up(node->link) || is_one_of(node->serial, tried, tried_len))
            continue;
        if (!least || node->in_flight < least->in_flight)
            least = node;
        if (node->serial == last)
            warm = node;
    }
    return warm && warm->in_flight <= least->in_flight + WARM_SLACK ? warm : least;
}

struct node *nodes_next(struct nodes *nodes, struct node *after)
{
    struct list_node *n = after ? after->list.next : nodes->current.next;

    return n == &nodes->current ? NULL : CONTAINER_OF(n, struct node, list);
}

uint64_t node_serial(const struct node *node)
{
    return node->serial;
}

const char *node_id(const struct node *node)
{
    return node->id;
}

struct link *node_link(struct node *node)
{
    return node->link;
}

void node_begin(struct node *node)
{
    node->in_flight++;
}

void node_end(struct node *node)
{
    node->in_flight--;
    if (node->leaving && node->in_flight == 0)
        node_free(node); /* inside a callback of its link too: link_free() allows that */
}

size_t nodes_len(const struct nodes *nodes)
{
    struct list_node *n;
    size_t len = 0;

    LIST_FOREACH (&nodes->current, n)
        len++;
    return len;
}

size_t nodes_up(const struct nodes *nodes)
{
    struct list_node *n;
    size_t up = 0;

    LIST_FOREACH (&nodes->current, n)
        up += link_is_up(CONTAINER_OF(n, struct node, list)->link);
    return up;
}

void nodes_describe(const struct nodes *nodes, struct buf *b)
{
    const struct node *node;
    struct list_node *n;

    buf_append_char(b, '[');
    LIST_FOREACH (&nodes->current, n) {
        node = CONTAINER_OF(n, struct node, list);
        buf_append_str(b, n == nodes->current.next ? STR("{\"id\":\"") : STR(",{\"id\":\""));
        buf_append_json(b, str_of(node->id));
        buf_printf(b, "\",\"link\":\"%s\",\"in_flight\":%llu}",
                   link_is_up(node->link) ? "up" : "down", (unsigned long long)node->in_flight);
    }
    buf_append_char(b, ']');
}
