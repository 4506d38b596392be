/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/controller.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/model/lambda_input.h"
#include "common/model/networks.h"
#include "controller/serve.h"
#include "controller/code/zip_check.h"

#define RUNTIMES_FILE_MAX (1u << 20)
#define NETWORKS_FILE_MAX (1u << 20)
#define SECRET_MAX 4096u
#define REDIS_PATIENCE_US SECONDS(2) /* a restart of Redis costs time, not errors */

/* ---- peers ---- */

static void serve_node_register(struct rpc_request *rpc, const cJSON *args, struct str body,
                                void *arg);

static void serve_node_provisioned(struct rpc_request *rpc, const cJSON *args, struct str body,
                                   void *arg);

static const struct rpc_method methods[] = {
    {"lambda", serve_lambda},
    {"route.resolve", serve_route_resolve},
    {"node.register", serve_node_register},
    {"node.provisioned", serve_node_provisioned},
    {"version.get", serve_version_get},
    {"function.key", serve_function_key},
    {"code.get", serve_code_get},
    {"code.download", serve_code_download},
    {"async.enqueue", serve_async_enqueue},
    {NULL, NULL},
};

/* A peer that is cut off, or whose link is down. */
static void on_peer_gone(struct peer *peer, void *arg)
{
    struct controller *c = arg;

    if (peer->role != PEER_INVOKER || !peer->registered)
        return;
    nodes_lost(c->nodes, peer->id);
    provisioner_node_lost(c->provisioner, peer);
}

static void on_up(struct link *link, const struct link_hello *hello, void *arg)
{
    bool gateway = strcmp(hello->role, "gateway") == 0;
    struct controller *c = arg;

    log_info("peers", "connected", KV_STR("role", hello->role), KV_STR("peer", hello->id));
    peers_add(c->peers, link, gateway ? PEER_GATEWAY : PEER_INVOKER, hello->id);
    if (gateway) {
        nodes_tell(c->nodes);
        async_gateway_here(c->async);
    }
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

    (void)link;
    if (kind == LINK_CALL)
        rpc_serve(c->loop, s, head, methods, c); /* others are reset by the link */
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
    .on_up = on_up, .on_stream = on_stream, .on_down = on_down};

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

static void serve_node_register(struct rpc_request *rpc, const cJSON *args, struct str body,
                                void *arg)
{
    struct str id = cjson_str(args, "id"), address = cjson_str(args, "address");
    double memory =
        cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(args, "memory_mib"));
    struct controller *c = arg;
    struct peer *peer = peers_by_link(c->peers, rpc_request_link(rpc));
    struct error err;

    (void)body;
    if (!peer || peer->role != PEER_INVOKER || id.len == 0 || id.len >= sizeof(peer->id) ||
        !str_starts(address, STR("unix:/"))) {
        error_set(&err, ERR_BAD_REQUEST, "a node registers with its id and a unix:/ address");
        rpc_fail(rpc, &err);
        return;
    }
    memcpy(peer->id, id.ptr, id.len);
    peer->id[id.len] = '\0';
    cut_namesake(c, peer);
    if (!peer->registered)
        log_info("nodes", "registered", KV_STR("node", peer->id), KV_S("address", address),
                 KV_S("architecture", cjson_str(args, "architecture")));
    peer->registered = true;
    {
        CLEANUP(freep) char *at = str_dup(address);

        nodes_here(c->nodes, peer->id, at);
    }
    rpc_reply(rpc, NULL, STR_NULL);
    fn_changes_invoker_here(c->changes, peer);
    provisioner_node_here(c->provisioner, peer, memory > 0 ? (uint64_t)memory : 0);
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

/* ---- Redis ---- */

static void on_redis(bool up, const struct error *why, void *arg)
{
    struct controller *c = arg;

    if (!up) {
        log_warn("redis", "away; requests are answered 503 and it is tried again until it is there",
                 KV_ERR(why));
        return;
    }
    log_info("redis", "connected");
    nodes_sync(c->nodes);
    fn_changes_resume(c->changes);
    code_gc_sweep(c->gc); /* an answer that was lost may have told of archives */
    async_redis_here(c->async);
    provisioner_redis_here(c->provisioner);
}

/* ---- life ---- */

static int read_runtimes(struct controller *c, struct error *err)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(RUNTIMES_FILE_MAX);
    int r;

    r = file_read(c->config->runtimes, &text, err);
    if (r == 0)
        r = runtimes_parse(buf_str(&text), &c->runtimes, err);
    return error_wrap(err, r, "runtimes file %s", c->config->runtimes);
}

static int read_networks(struct controller *c, struct error *err)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(NETWORKS_FILE_MAX);
    int r = file_read(c->config->networks, &text, err);

    if (r == 0)
        r = networks_parse(buf_str(&text), &c->networks, err);
    if (r == 0)
        return 0;
    if (err)
        err->code = ERR_CONFIG; /* another start would not help, missing as it is */
    return error_wrap(err, -ERR_CONFIG, "networks file %s", c->config->networks);
}

static int read_key(struct controller *c, struct error *err)
{
    CLEANUP(freep) char *own = str_printf("%s/key", c->config->data_dir);
    const char *path = c->config->key_file[0] ? c->config->key_file : own;
    int r;

    r = dir_make(c->config->data_dir, 0700, err);
    return r < 0 ? r : seal_key_load(path, &c->key, err);
}

static void on_trashed(const char *sha256, void *arg)
{
    struct controller *c = arg;

    code_gc_consider(c->gc, sha256, true);
}

static int open_store(struct controller *c, struct error *err)
{
    CLEANUP(freep) char *dir = str_printf("%s/code", c->config->data_dir);
    int r;

    r = code_store_new(c->loop, dir, on_trashed, c, &c->store, err);
    if (r == 0)
        code_gc_start(c->gc, c->store);
    return r;
}

/* An access key as the settings have it; @name begins their names: "s3", "aws". */
struct access_key {
    const char *name, *id, *secret, *secret_file;
};

/* The secret of an access key: a line of a file, or the setting. */
static int read_secret(const struct access_key *key, struct buf *ret, struct error *err)
{
    int r;

    buf_reserve(ret, SECRET_MAX); /* so that it never moves, and can be wiped */
    if (!key->id[0])
        return 0;
    if (key->secret_file[0] && key->secret[0])
        return error_set(err, ERR_CONFIG,
                         "%s_secret_file and %s_secret_access_key are both set: leave one out",
                         key->name, key->name);
    if (key->secret_file[0])
        r = error_wrap(err, file_read(key->secret_file, ret, err), "%s_secret_file", key->name);
    else
        r = buf_append_str(ret, str_of(key->secret));
    if (r == 0 && str_trim(buf_str(ret)).len == 0)
        return error_set(err, ERR_CONFIG,
                         "the access key of %s_access_key_id has no secret: set %s_secret_file",
                         key->name, key->name);
    return r;
}

static int open_s3(struct controller *c, struct error *err)
{
    CLEANUP(buf_done) struct buf secret = BUF_INIT(SECRET_MAX);
    const struct controller_config *config = c->config;
    const struct access_key key = {"s3", config->s3_access_key_id, config->s3_secret_access_key,
                                   config->s3_secret_file};
    struct aws_client_options put = {.loop = c->loop,
                                     .endpoint = config->s3_endpoint,
                                     .access_key = config->s3_access_key_id,
                                     .timeout_us = config->s3_timeout_us};
    struct code_s3_options options = {.loop = c->loop,
                                      .endpoint = config->s3_endpoint,
                                      .region = config->region,
                                      .access_key = config->s3_access_key_id,
                                      .timeout_us = config->s3_timeout_us,
                                      .bytes_max = ZIP_BYTES_MAX};
    int r;

    if (!config->s3_endpoint || !config->s3_endpoint[0])
        return 0;
    r = read_secret(&key, &secret, err);
    if (r == 0) {
        if (config->s3_region[0])
            options.region = config->s3_region;
        options.secret = str_trim(buf_str(&secret));
        c->s3 = code_s3_new(&options);
        put.secret = options.secret;
        c->s3_put = aws_client_new(&put);
    }
    explicit_bzero(secret.ptr, secret.cap);
    return r;
}

static int open_aws(struct controller *c, struct error *err)
{
    CLEANUP(buf_done) struct buf secret = BUF_INIT(SECRET_MAX);
    const struct controller_config *config = c->config;
    const struct access_key key = {"aws", config->aws_access_key_id,
                                   config->aws_secret_access_key, config->aws_secret_file};
    struct aws_client_options options = {.loop = c->loop,
                                         .endpoint = config->aws_endpoint,
                                         .access_key = config->aws_access_key_id,
                                         .timeout_us = config->aws_timeout_us};
    int r;

    if (!config->aws_endpoint || !config->aws_endpoint[0])
        return 0;
    r = read_secret(&key, &secret, err);
    if (r == 0) {
        options.secret = str_trim(buf_str(&secret));
        c->aws = aws_client_new(&options);
    }
    explicit_bzero(secret.ptr, secret.cap);
    return r;
}

static void make_async(struct controller *c)
{
    const struct controller_config *config = c->config;
    struct async_options options = {.loop = c->loop,
                                    .redis = c->redis,
                                    .key = &c->key,
                                    .peers = c->peers,
                                    .clients = {.aws = c->aws, .s3 = c->s3_put},
                                    .region = str_of(config->region),
                                    .in_flight = config->async_in_flight,
                                    .function_max = config->async_function_max,
                                    .queue_max = config->async_queue_max,
                                    .lease_us = config->async_lease_us,
                                    .retry_wait_us = config->async_retry_wait_us,
                                    .backoff_us = config->async_backoff_us,
                                    .backoff_max_us = config->async_backoff_max_us,
                                    .delivery_age_us = config->async_delivery_age_us};

    if (c->s3_put) /* buckets' ARNs name no region */
        options.clients.s3_region =
            config->s3_region[0] ? str_of(config->s3_region) : str_of(config->region);
    c->async = async_new(&options);
}

static int listen_for_peers(struct controller *c, struct error *err)
{
    struct link_hello me = {.role = "controller"};

    token_make(8, me.id);
    return link_listen(c->loop, c->config->listen, &me, &link_ops, c, &c->server, err);
}

static int start(struct controller *c, struct error *err)
{
    uint64_t retry_us = c->config->retry_us;
    struct redis_options redis = {.url = c->config->redis_url,
                                  .command_timeout_us = c->config->redis_timeout_us,
                                  .patience_us = REDIS_PATIENCE_US,
                                  .on_state = on_redis,
                                  .arg = c};
    struct fn_changes_options changes = {.loop = c->loop,
                                         .prepare_timeout_us = c->config->prepare_timeout_us,
                                         .peer_timeout_us = c->config->peer_timeout_us,
                                         .retry_us = retry_us ? retry_us : SECONDS(1)};
    struct provisioner_options provisioner = {.loop = c->loop,
                                              .key = &c->key,
                                              .grace_us = c->config->node_grace_us,
                                              .peer_timeout_us = c->config->peer_timeout_us,
                                              .retry_us = retry_us ? retry_us : SECONDS(1)};
    int r;

    r = read_runtimes(c, err);
    if (r == 0 && c->config->networks[0])
        r = read_networks(c, err);
    if (r == 0)
        r = read_key(c, err);
    if (r == 0)
        r = redis_new(c->loop, &redis, &c->redis, err);
    if (r < 0)
        return r;
    c->registry = registry_new(c->loop, c->redis, &c->key);
    c->gc = code_gc_new(c->loop, c->registry, retry_us ? retry_us : SECONDS(10));
    c->peers = peers_new(c->loop, on_peer_gone, c);
    c->nodes = nodes_new(c->loop, c->redis, c->peers, c->config->node_grace_us,
                         c->config->peer_timeout_us);
    changes.registry = c->registry;
    changes.peers = c->peers;
    changes.gc = c->gc;
    changes.runtimes = c->runtimes;
    changes.on_over = on_change_over;
    changes.arg = c;
    c->changes = fn_changes_new(&changes);
    provisioner.redis = c->redis;
    provisioner.peers = c->peers;
    c->provisioner = provisioner_new(&provisioner);
    r = open_store(c, err);
    if (r == 0)
        r = open_s3(c, err);
    if (r == 0)
        r = open_aws(c, err);
    if (r < 0)
        return r;
    make_async(c);
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
    code_s3_free(c->s3); /* as do requests of Redis, those that fetch code end */
    redis_free(c->redis); /* requests under way end, by way of all that is still there */
    if (c->peers)
        peers_free(c->peers);
    aws_client_free(c->aws);
    aws_client_free(c->s3_put);
    async_free(c->async);
    link_server_free(c->server);
    nodes_free(c->nodes);
    provisioner_free(c->provisioner);
    code_gc_free(c->gc);
    code_store_free(c->store);
    registry_free(c->registry);
    runtimes_free(c->runtimes);
    networks_free(c->networks);
    seal_key_wipe(&c->key);
    controller_unref(c);
}
