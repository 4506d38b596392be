/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/controller.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/model/lambda_input.h"
#include "common/model/link_address.h"
#include "common/model/networks.h"
#include "controller/controller_parts.h"
#include "controller/lead.h"
#include "controller/serve.h"

/* ---- peers ---- */

static void serve_node_register(struct rpc_request *rpc, const cJSON *args, struct str body,
                                void *arg);

static void serve_node_drain(struct rpc_request *rpc, const cJSON *args, struct str body, void *arg);
static void serve_node_leave(struct rpc_request *rpc, const cJSON *args, struct str body, void *arg);
static void serve_node_provisioned(struct rpc_request *rpc, const cJSON *args, struct str body,
                                   void *arg);

/* Of a node's lease: how long it is, and since when it is not certain that this controller leads. */
static cJSON *lease_terms(const struct controller *c)
{
    uint64_t age_us = leadership_age_us(c->leadership), fence_us = c->config->node_fence_us;
    uint64_t votes_us = redis_votes_age_us(c->votes); /* what says that we lead may itself have been replaced */
    cJSON *terms = cJSON_CreateObject();

    age_us = votes_us > age_us ? votes_us : age_us;
    cJSON_AddNumberToObject(terms, "fence_ms", (double)(fence_us / 1000));
    cJSON_AddNumberToObject(terms, "leads_ms", (double)((age_us < fence_us ? age_us : fence_us) / 1000 + 1));
    return terms;
}

static void serve_node_alive(struct rpc_request *rpc, const cJSON *args, struct str body, void *arg)
{
    struct controller *c = arg;
    cJSON *terms = lease_terms(c);

    (void)args;
    (void)body;
    permits_serve_alive(c->permits, rpc, terms);
    cJSON_Delete(terms);
}

static void serve_permits_join(struct rpc_request *rpc, const cJSON *args, struct str body,
                               void *arg)
{
    struct controller *c = arg;

    (void)body;
    permits_serve_join(c->permits, rpc, args);
}

static void serve_permits_ask(struct rpc_request *rpc, const cJSON *args, struct str body,
                              void *arg)
{
    struct controller *c = arg;

    (void)body;
    permits_serve_ask(c->permits, rpc, args);
}

static void serve_permits_orphans(struct rpc_request *rpc, const cJSON *args, struct str body,
                                  void *arg)
{
    struct controller *c = arg;

    (void)body;
    permits_serve_orphans(c->permits, rpc, args);
}

static void serve_node_certificate(struct rpc_request *rpc, const cJSON *args, struct str body,
                                   void *arg);

static const struct rpc_method methods[] = {
    {"lambda", serve_lambda},
    {"route.resolve", serve_route_resolve},
    {"node.register", serve_node_register},
    {"node.drain", serve_node_drain},
    {"node.leave", serve_node_leave},
    {"node.provisioned", serve_node_provisioned},
    {"node.alive", serve_node_alive},
    {"permits.join", serve_permits_join},
    {"permits.ask", serve_permits_ask},
    {"permits.orphans", serve_permits_orphans},
    {"node.certificate", serve_node_certificate},
    {"version.get", serve_version_get},
    {"function.key", serve_function_key},
    {"code.get", serve_code_get},
    {"code.download", serve_code_download},
    {"async.enqueue", serve_async_enqueue},
    {NULL, NULL},
};

static void serve_node_join(struct rpc_request *rpc, const cJSON *args, struct str body, void *arg)
{
    struct controller *c = arg;

    (void)body;
    ca_join(c->ca, rpc, args);
}

/* All that a node without a certificate may ask; only a listener with a CA lets one in. */
static const struct rpc_method joiner_methods[] = {{"node.join", serve_node_join}, {NULL, NULL}};

static bool is_joiner(const struct link *link)
{
    return strcmp(link_peer(link)->role, LINK_JOINER) == 0;
}

/* A peer that is cut off, or whose link is down. */
static void on_peer_gone(struct peer *peer, void *arg)
{
    struct controller *c = arg;

    permits_peer_lost(c->permits, peer);
    if (peer->role == PEER_INVOKER && peer->registered)
        provisioner_node_lost(c->provisioner, peer);
}

static void on_up(struct link *link, const struct link_hello *hello, void *arg)
{
    bool gateway = strcmp(hello->role, "gateway") == 0;
    struct controller *c = arg;

    if (is_joiner(link))
        return; /* no peer: nothing is told to it, and nothing asked */
    log_info("peers", "connected", KV_STR("role", hello->role), KV_STR("peer", hello->id));
    lead_peer_here(
        c, peers_add(c->peers, link, gateway ? PEER_GATEWAY : PEER_INVOKER, hello->id));
}

void serve_async_enqueue(struct rpc_request *rpc, const cJSON *args, struct str body, void *arg)
{
    struct controller *c = arg;

    async_enqueue(c->async, rpc, args, body);
}

static void on_stream(struct link *link, struct link_stream *s, enum link_kind kind,
                      struct str head, void *arg)
{
    struct controller *c = arg;
    struct error err;

    if (kind != LINK_CALL)
        return; /* reset by the link */
    if (is_joiner(link)) { /* lets it in, whoever leads */
        rpc_serve(c->loop, s, head, joiner_methods, c);
        return;
    }
    if (c->term) {
        rpc_serve(c->loop, s, head, methods, c);
        return;
    }
    error_set(&err, ERR_UNAVAILABLE, "this controller is not the leader");
    rpc_refuse(s, &err);
}

static void on_down(struct link *link, const struct error *why, void *arg)
{
    struct controller *c = arg;
    struct peer *peer = peers_by_link(c->peers, link);

    if (!peer)
        return;
    log_info("peers", "gone", KV_STR("peer", peer->id), KV_ERR(why));
    on_peer_gone(peer, c);
    peers_remove(c->peers, peer);
}

static const struct link_ops link_ops = {
    .on_up = on_up, .on_stream = on_stream, .on_down = on_down, .peers = "gateway invoker"};
static const struct link_ops tcp_link_ops = {.on_up = on_up,
                                             .on_stream = on_stream,
                                             .on_down = on_down,
                                             .peers = "gateway invoker " LINK_JOINER};

/* An invoker that was restarted may be here before its old link is found dead. */
static void cut_namesake(struct controller *c, const struct peer *peer)
{
    struct peer *other = NULL, *found = NULL;
    struct error why;

    while ((other = peers_next(c->peers, other)))
        if (other != peer && other->role == PEER_INVOKER && strcmp(other->id, peer->id) == 0)
            found = other;
    if (!found)
        return;
    error_set(&why, ERR_CLOSED, "the same node has connected again");
    peers_cut(c->peers, found, &why);
}

/* It ends: nothing new goes there, what it kept initialised is begun elsewhere. */
static void drain(struct controller *c, struct peer *peer)
{
    peer->draining = true;
    nodes_drain(c->nodes, peer->id);
    provisioner_node_drains(c->provisioner, peer);
}

/* Over TCP a node is who its certificate says. */
static bool may_be(const struct peer *peer, struct str id)
{
    const char *proved = link_proved_id(peer->link);

    if (proved)
        return str_is(id, proved);
    return id.len > 0 && id.len < sizeof(peer->id);
}

/* Whether gateways can reach it by @address. */
static bool is_node_address(struct str address)
{
    struct link_address at;

    if (link_address_parse(address, &at, NULL) < 0)
        return false;
    return at.is_tcp ? at.port > 0 && !link_address_is_any(&at) : at.path[0] == '/';
}

static void serve_node_certificate(struct rpc_request *rpc, const cJSON *args, struct str body,
                                   void *arg)
{
    struct controller *c = arg;

    (void)body;
    ca_renew(c->ca, rpc, args);
}

static void serve_node_register(struct rpc_request *rpc, const cJSON *args, struct str body,
                                void *arg)
{
    struct str id = cjson_str(args, "id"), address = cjson_str(args, "address");
    double memory =
        cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(args, "memory_mib"));
    struct controller *c = arg;
    struct peer *peer = peers_by_link(c->peers, rpc_request_link(rpc));
    struct error err;
    cJSON *terms;

    (void)body;
    if (!peer || peer->role != PEER_INVOKER || !may_be(peer, id) || !is_node_address(address)) {
        error_set(&err, ERR_BAD_REQUEST,
                  "a node registers with its own id and an address, unix:/path or tcp://host:port");
        rpc_fail(rpc, &err);
        return;
    }
    memcpy(peer->id, id.ptr, id.len);
    peer->id[id.len] = '\0';
    cut_namesake(c, peer);
    if (permits_node_here(c->permits, peer, cjson_str(args, "incarnation"), &err) < 0) {
        rpc_fail(rpc, &err);
        return;
    }
    if (!peer->registered)
        log_info("nodes", "registered", KV_STR("node", peer->id), KV_S("address", address),
                 KV_S("architecture", cjson_str(args, "architecture")));
    peer->registered = true;
    {
        CLEANUP(freep) char *at = str_dup(address);

        nodes_here(c->nodes, peer->id, at);
    }
    peer->draining = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(args, "draining"));
    terms = lease_terms(c);
    rpc_reply(rpc, terms, STR_NULL);
    cJSON_Delete(terms);
    if (peer->draining) {
        drain(c, peer);
        return;
    }
    fn_changes_invoker_here(c->changes, peer);
    provisioner_node_here(c->provisioner, peer, memory > 0 ? (uint64_t)memory : 0);
}

static void serve_node_drain(struct rpc_request *rpc, const cJSON *args, struct str body, void *arg)
{
    struct controller *c = arg;
    struct peer *peer = peers_by_link(c->peers, rpc_request_link(rpc));

    (void)args;
    (void)body;
    if (peer && peer->registered)
        drain(c, peer);
    rpc_reply(rpc, NULL, STR_NULL);
}

static void serve_node_leave(struct rpc_request *rpc, const cJSON *args, struct str body, void *arg)
{
    struct controller *c = arg;
    struct peer *peer = peers_by_link(c->peers, rpc_request_link(rpc));

    (void)args;
    (void)body;
    if (peer && peer->registered && peer->draining) {
        peer->registered = false; /* that its link goes is no loss */
        nodes_leave(c->nodes, peer->id);
        permits_node_left(c->permits, peer);
    }
    rpc_reply(rpc, NULL, STR_NULL);
}

static void serve_node_provisioned(struct rpc_request *rpc, const cJSON *args, struct str body,
                                   void *arg)
{
    struct controller *c = arg;
    struct peer *peer = peers_by_link(c->peers, rpc_request_link(rpc));
    struct error err;

    (void)body;
    if (provisioner_told(c->provisioner, peer, args, &err) < 0)
        rpc_fail(rpc, &err);
    else
        rpc_reply(rpc, NULL, STR_NULL);
}

static void on_change_over(struct str account, struct str name, void *arg)
{
    struct controller *c = arg;

    provisioner_look(c->provisioner, account, name);
}

static void on_redis(bool up, const struct error *why, void *arg)
{
    lead_redis(arg, up, why);
}

/* ---- life ---- */

/* The CA, where there are links to other machines. */
static int open_ca(struct controller *c, const char *id, struct error *err)
{
    const struct controller_config *config = c->config;
    const struct ca_options options = {.loop = c->loop,
                                       .data_dir = config->data_dir,
                                       .cert_file = config->tls_ca_cert,
                                       .key_file = config->tls_ca_key,
                                       .id = id,
                                       .lifetime_us = config->tls_cert_lifetime_us};

    if (!link_addresses_have_tcp(str_of(config->listen)) && !config->tls_ca_cert[0] &&
        !config->tls_ca_key[0])
        return 0;
    return ca_new(&options, &c->ca, err);
}

static int listen_for_peers(struct controller *c, struct error *err)
{
    struct link_hello me = {.role = "controller", .says_leader = true};
    int r;

    snprintf(me.id, sizeof(me.id), "%s", c->id);
    r = open_ca(c, me.id, err);
    if (r < 0)
        return r;
    me.tls = c->ca ? ca_tls(c->ca) : NULL;
    return link_listen(c->loop, c->config->listen, &me, c->ca ? &tcp_link_ops : &link_ops, c, &c->server,
                       err);
}

static int start(struct controller *c, struct error *err)
{
    static const struct controller_events events = {on_redis, on_peer_gone, on_change_over};
    int r = controller_parts_make(c, &events, err);

    if (r < 0)
        return r;
    lead_start(c);
    return listen_for_peers(c, err);
}

int controller_new(struct loop *loop, const struct controller_config *config,
                   struct controller **ret, struct error *err)
{
    struct controller *c = calloc(1, sizeof(*c));
    int r;

    if (!c)
        abort();
    c->loop = loop;
    c->config = config;
    c->refs = 1;
    r = start(c, err);
    if (r < 0) {
        controller_free(c);
        return r;
    }
    *ret = c;
    return 0;
}

void controller_stop(struct controller *c)
{
    lead_stop(c);
}

enum error_code controller_is_over(const struct controller *c)
{
    return c->over;
}

void controller_unref(struct controller *c)
{
    if (--c->refs == 0)
        free(c);
}

void controller_free(struct controller *c)
{
    if (!c)
        return;
    c->closing = true;
    fn_changes_free(c->changes); /* leads nothing any more */
    async_stop(c->async); /* nor does this */
    permits_stop(c->permits);
    scaler_stop(c->scaler);
    code_s3_free(c->s3); /* as do requests of Redis, those that fetch code end */
    redis_votes_free(c->votes);
    redis_free(c->redis); /* requests under way end, by way of all that is still there */
    leadership_free(c->leadership);
    if (c->peers)
        peers_free(c->peers);
    aws_client_free(c->aws);
    aws_client_free(c->s3_put);
    async_free(c->async);
    link_server_free(c->server);
    ca_free(c->ca);
    nodes_free(c->nodes);
    scaler_free(c->scaler);
    provisioner_free(c->provisioner);
    permits_free(c->permits);
    code_gc_free(c->gc);
    code_store_free(c->store);
    registry_free(c->registry);
    runtimes_free(c->runtimes);
    networks_free(c->networks);
    seal_key_wipe(&c->key);
    controller_unref(c);
}
