/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/nodes.h"

#include <stdlib.h>

#include "common/base/alloc.h"
#include "common/base/log.h"
#include "common/io/rpc.h"
#include "gateway/node_state.h"

#define PING_AFTER_US MSEC(250) /* a node is asked whether it is there when it has said nothing since */
#define PING_LIMIT_US SECONDS(30) /* the link is found dead before */
#define SILENT_US SECONDS(1) /* one that owes the answer for so long is passed over */

struct node {
    struct list_node list; /* in nodes->current or nodes->leaving */
    struct nodes *nodes;
    struct place_node place;
    char *id;
    char *address;
    struct link *link;
    uint64_t busy; /* questions and invocations */
    uint64_t in_flight; /* invocations */
    uint64_t heard_us; /* when it said something last */
    uint64_t sent_us; /* when the first invocation was sent for which it is watched */
    uint64_t asked_us; /* when it was asked whether it is there; 0: it owes no answer */
    struct list_node watched; /* in nodes->watched */
    bool leaving;
    bool is_draining; /* by its own word */
    bool drains_by_list; /* by the controller's */
};

struct nodes {
    struct loop *loop;
    struct link_hello me;
    loop_fn *on_up;
    void *arg;
    struct list_node current, leaving;
    struct placement *placement;
    struct timer tell; /* on_up, at the end of the turn */
    struct list_node watched; /* that something was sent to, the longest ago first */
    struct timer watch; /* for the first one */
    uint64_t next_serial;
};

static void node_free(struct node *node)
{
    list_remove(&node->list);
    list_remove(&node->watched);
    placement_down(&node->place);
    link_free(node->link);
    free(node->id);
    free(node->address);
    free(node);
}

/* ---- whether it can be asked ---- */

static struct node *of_place(const struct place_node *place)
{
    return CONTAINER_OF((struct place_node *)(uintptr_t)place, struct node, place);
}

static void look(struct node *node)
{
    bool was_up = node->place.is_up;

    if (!link_is_up(node->link) || node->leaving || node->is_draining || node->drains_by_list) {
        placement_down(&node->place);
        return;
    }
    placement_up(&node->place);
    if (!was_up)
        timer_start(&node->nodes->tell, 0);
}

static void on_tell(void *arg)
{
    struct nodes *nodes = arg;

    nodes->on_up(nodes->arg);
}

static bool is_silent(const struct place_node *place, uint64_t now_us)
{
    const struct node *node = of_place(place);

    return (node->asked_us && now_us > node->asked_us + SILENT_US) || link_is_silent(node->link);
}

static void on_pong(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    struct node *node = arg;
    (void)ok;
    (void)body;
    (void)err; /* one that does not know the question is there all the same */

    node->asked_us = 0;
    node->heard_us = loop_now_us(node->nodes->loop);
}

/* Something was sent to @node: does it answer at all? */
static void watch(struct node *node)
{
    struct nodes *nodes = node->nodes;

    if (list_is_linked(&node->watched))
        return;
    node->sent_us = loop_now_us(nodes->loop);
    list_append(&nodes->watched, &node->watched);
    if (!timer_is_armed(&nodes->watch))
        timer_start(&nodes->watch, PING_AFTER_US);
}

static void on_watch(void *arg)
{
    struct nodes *nodes = arg;
    uint64_t now = loop_now_us(nodes->loop);
    struct node *node;

    while ((node = LIST_FIRST(&nodes->watched, struct node, watched))) {
        if (node->sent_us + PING_AFTER_US > now) {
            timer_start(&nodes->watch, node->sent_us + PING_AFTER_US - now);
            return;
        }
        list_remove(&node->watched);
        if (node->heard_us > node->sent_us || node->asked_us || !link_is_up(node->link))
            continue;
        node->asked_us = now;
        rpc_call(node->link, "node.ping", NULL, STR_NULL, PING_LIMIT_US, on_pong, node);
    }
}

/* ---- its link ---- */

static void on_link_up(struct link *link, const struct link_hello *peer, void *arg)
{
    struct node *node = arg;

    (void)link;
    (void)peer;
    log_info("nodes", "up", KV_STR("node", node->id), KV_STR("address", node->address));
    node->is_draining = false; /* it may be another process; it says so itself, at once */
    node->heard_us = loop_now_us(node->nodes->loop);
    look(node);
}

static void on_link_down(struct link *link, const struct error *why, void *arg)
{
    struct node *node = arg;

    (void)link;
    log_warn("nodes", "down, trying again", KV_STR("node", node->id),
             KV_STR("address", node->address), KV_ERR(why));
    look(node);
}

static void handle_node_state(struct rpc_request *req, const cJSON *args, struct str body, void *arg)
{
    struct node *node = arg;
    bool is_draining;
    struct error err;

    (void)body;
    if (node_state_read(&node->place, args, &is_draining, &err) < 0) {
        log_warn("nodes", "a node's word makes no sense", KV_STR("node", node->id), KV_ERR(&err));
        rpc_fail(req, &err);
        return;
    }
    if (is_draining && !node->is_draining)
        log_info("nodes", "drains: it gets no new invocation", KV_STR("node", node->id));
    node->heard_us = loop_now_us(node->nodes->loop);
    node->is_draining = is_draining;
    look(node);
    rpc_reply(req, NULL, STR_NULL);
}

static const struct rpc_method methods[] = {{"node.state", handle_node_state}, {NULL, NULL}};

static void on_link_stream(struct link *link, struct link_stream *s, enum link_kind kind,
                           struct str head, void *arg)
{
    struct node *node = arg;

    (void)link;
    if (kind == LINK_CALL)
        rpc_serve(node->nodes->loop, s, head, methods, node);
}

static const struct link_ops node_link_ops = {
    .on_up = on_link_up,
    .on_stream = on_link_stream,
    .on_down = on_link_down,
    .peers = "invoker"};

struct nodes *nodes_new(struct loop *loop, const struct link_hello *me, loop_fn *on_up, void *arg)
{
    const struct placement_options placement = {.is_silent = is_silent};
    struct nodes *nodes = xcalloc(sizeof(*nodes));

    nodes->loop = loop;
    nodes->me = *me;
    nodes->on_up = on_up;
    nodes->arg = arg;
    nodes->placement = placement_new(&placement);
    list_init(&nodes->current);
    list_init(&nodes->leaving);
    list_init(&nodes->watched);
    timer_init(&nodes->watch, loop, on_watch, nodes);
    timer_init(&nodes->tell, loop, on_tell, nodes);
    nodes->next_serial = 1;
    return nodes;
}

void nodes_free(struct nodes *nodes)
{
    struct node *node;

    if (!nodes)
        return;
    timer_stop(&nodes->tell);
    timer_stop(&nodes->watch);
    while ((node = LIST_FIRST(&nodes->current, struct node, list)))
        node_free(node);
    while ((node = LIST_FIRST(&nodes->leaving, struct node, list)))
        node_free(node);
    placement_free(nodes->placement);
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

static int node_add(struct nodes *nodes, struct str id, struct str address, struct node **ret,
                    struct error *err)
{
    struct node *node = xcalloc(sizeof(*node));
    int r;

    node->nodes = nodes;
    list_init(&node->watched);
    placement_add(nodes->placement, &node->place, nodes->next_serial++);
    node->id = str_dup(id);
    node->address = str_dup(address);
    list_append(&nodes->current, &node->list);
    r = link_connect(nodes->loop, node->address, &nodes->me, &node_link_ops, node, &node->link,
                     err);
    if (r < 0)
        node_free(node);
    else
        *ret = node;
    return r;
}

/* Takes @node off the list; it goes when nothing runs on it any more. */
static void node_leave(struct node *node)
{
    node->leaving = true;
    look(node);
    list_remove(&node->list);
    list_append(&node->nodes->leaving, &node->list);
    log_info("nodes", "leaves the list", KV_STR("node", node->id), KV_U64("busy", node->busy));
    if (node->busy == 0)
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
        node = node_find(nodes, member(item, "id"), member(item, "address"));
        bad = node ? 0 : node_add(nodes, member(item, "id"), member(item, "address"), &node, err);
        r = bad < 0 ? bad : r;
        if (bad < 0)
            continue;
        node->drains_by_list = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(item, "draining"));
        look(node);
    }
    return r;
}

/* ---- choosing ---- */

struct node *nodes_choose(struct nodes *nodes, const struct place_ask *ask, enum place_how *ret_how)
{
    struct place_node *place = placement_choose(nodes->placement, ask, ret_how);

    return place ? of_place(place) : NULL;
}

size_t nodes_usable(const struct nodes *nodes)
{
    return placement_usable(nodes->placement);
}

struct node *nodes_next(struct nodes *nodes, struct node *after)
{
    struct list_node *n = after ? after->list.next : nodes->current.next;

    return n == &nodes->current ? NULL : CONTAINER_OF(n, struct node, list);
}

uint64_t node_serial(const struct node *node)
{
    return node->place.serial;
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
    node->busy++;
}

void node_end(struct node *node)
{
    node->busy--;
    if (node->leaving && node->busy == 0)
        node_free(node); /* inside a callback of its link too: link_free() allows that */
}

void node_run_begin(struct node *node, const struct place_ask *ask, const struct link_stream *stream,
                    struct place_run *ret)
{
    node_begin(node);
    node->in_flight++;
    placement_begin(node->nodes->placement, &node->place, ask, link_stream_id(stream), ret);
    watch(node);
}

void node_run_end(struct node *node, struct place_run *run, enum place_end how)
{
    if (how != PLACE_LOST)
        node->heard_us = loop_now_us(node->nodes->loop);
    node->in_flight--;
    placement_end(node->nodes->placement, run, how);
    node_end(node);
}

void node_full(struct node *node, const struct place_ask *ask)
{
    placement_full(&node->place, ask);
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
        buf_printf(b, "\",\"link\":\"%s\",\"in_flight\":%llu", link_is_up(node->link) ? "up" : "down",
                   (unsigned long long)node->in_flight);
        if (node->place.has_told)
            buf_printf(b, ",\"memory_mib\":%llu,\"free_mib\":%lld",
                       (unsigned long long)node->place.memory_mib, (long long)node->place.free_mib);
        buf_printf(b, ",\"draining\":%s}",
                   node->is_draining || node->drains_by_list ? "true" : "false");
    }
    buf_append_char(b, ']');
}
