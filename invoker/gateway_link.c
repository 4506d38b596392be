/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/gateway_link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/alloc.h"
#include "common/base/log.h"
#include "common/base/map.h"
#include "common/io/rpc.h"

struct gateway_links {
    struct gateway_links_options options;
    struct link_server *server;
    struct list_node links; /* that are up */
};

/* One of them. */
struct gateway_link {
    struct gateway_links *all;
    struct link *link;
    struct list_node node;
    char id[sizeof(((struct link_hello *)NULL)->id)];
};

/* ---- runs.alive */

static void bad_args(struct rpc_request *req)
{
    struct error err;

    error_set(&err, ERR_PROTOCOL, "runs.alive: an argument is missing or of the wrong kind");
    rpc_fail(req, &err);
}

/* The requests of @gateway that are not answered yet, by their ids; the values mean nothing. */
static void find_runs(struct gateway_links *gl, struct str gateway, struct map *ret)
{
    const struct invoke_head *head = NULL;

    map_init(ret, NULL);
    while ((head = invocations_next(gl->options.invocations, head)))
        if (str_eq(head->gateway, gateway))
            map_put(ret, head->request_id, gl);
}

static void on_runs_alive(struct rpc_request *req, const cJSON *args, struct str body, void *arg)
{
    const char *gateway = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(args, "gateway"));
    const cJSON *asked = cJSON_GetObjectItemCaseSensitive(args, "requests"), *one;
    struct gateway_links *gl = arg;
    cJSON *ok, *list;
    struct map runs;
    (void)body;

    if (!gateway || !cJSON_IsArray(asked)) {
        bad_args(req);
        return;
    }
    ok = cJSON_CreateObject();
    list = cJSON_AddArrayToObject(ok, "requests");
    find_runs(gl, str_of(gateway), &runs);
    cJSON_ArrayForEach(one, asked)
        if (cJSON_IsString(one) && map_get(&runs, str_of(one->valuestring)))
            cJSON_AddItemToArray(list, cJSON_CreateString(one->valuestring));
    map_done(&runs);
    rpc_reply(req, ok, STR_NULL);
    cJSON_Delete(ok);
}

static void on_logs_read(struct rpc_request *req, const cJSON *args, struct str body, void *arg)
{
    struct gateway_links *gl = arg;

    logs_rpc_read(req, args, body, gl->options.logs);
}

static void on_ping(struct rpc_request *req, const cJSON *args, struct str body, void *arg)
{
    (void)args;
    (void)body;
    (void)arg;
    rpc_reply(req, NULL, STR_NULL);
}

static const struct rpc_method methods[] = {{"logs.read", on_logs_read},
                                            {"node.ping", on_ping},
                                            {"runs.alive", on_runs_alive},
                                            {NULL, NULL}};

/* ---- the links */

static void cut_older(struct gateway_links *gl, const struct link_hello *peer)
{
    struct gateway_link *g;
    struct list_node *node;
    struct error err;

    error_set(&err, ERR_CLOSED, "its gateway has a newer link");
    LIST_FOREACH(&gl->links, node)
    {
        g = CONTAINER_OF(node, struct gateway_link, node);
        if (strcmp(g->id, peer->id) == 0)
            link_cut(g->link, &err);
    }
}

static void on_up(struct link *link, const struct link_hello *peer, void *arg)
{
    struct gateway_links *gl = arg;
    struct gateway_link *g = xcalloc(sizeof(*g));

    log_info("invoker", "link up", KV_STR("role", peer->role), KV_STR("peer", peer->id));
    cut_older(gl, peer);
    g->all = gl;
    g->link = link;
    snprintf(g->id, sizeof(g->id), "%s", peer->id);
    list_append(&gl->links, &g->node);
    link_set_user(link, g);
    if (strcmp(peer->role, "gateway") == 0)
        node_state_link_up(gl->options.state, link);
}

static void on_stream(struct link *link, struct link_stream *s, enum link_kind kind,
                      struct str head, void *arg)
{
    struct gateway_links *gl = arg;
    (void)link;

    if (kind == LINK_INVOKE) {
        node_state_received(gl->options.state, s);
        invocations_accept(gl->options.invocations, s, head);
        return;
    }
    rpc_serve(gl->options.loop, s, head, methods, gl);
}

static void on_down(struct link *link, const struct error *why, void *arg)
{
    struct gateway_link *g = link_user(link);
    (void)arg;

    node_state_link_down(g->all->options.state, link);
    log_info("invoker", "link down", KV_STR("peer", g->id), KV_ERR(why));
    list_remove(&g->node);
    free(g);
}

static const struct link_ops ops = {
    .on_up = on_up, .on_stream = on_stream, .on_down = on_down, .peers = "gateway"};

int gateway_links_new(const struct gateway_links_options *options, struct gateway_links **ret,
                      struct error *err)
{
    struct gateway_links *gl = xcalloc(sizeof(*gl));
    struct link_hello me = {.role = "invoker", .tls = options->tls};
    int r;

    gl->options = *options;
    list_init(&gl->links);
    snprintf(me.id, sizeof(me.id), "%s", options->node);
    r = link_listen(options->loop, options->listen, &me, &ops, gl, &gl->server, err);
    if (r < 0) {
        free(gl);
        return r;
    }
    *ret = gl;
    return 0;
}

void gateway_links_free(struct gateway_links *gl)
{
    struct list_node *node, *after;

    if (!gl)
        return;
    link_server_free(gl->server);
    LIST_FOREACH_SAFE(&gl->links, node, after)
        free(CONTAINER_OF(node, struct gateway_link, node));
    free(gl);
}
