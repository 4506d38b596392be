/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/controller_parts.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/model/networks.h"
#include "common/model/runtimes.h"
#include "controller/code/zip_check.h"

#define RUNTIMES_FILE_MAX (1u << 20)
#define NETWORKS_FILE_MAX (1u << 20)
#define SECRET_MAX 4096u
#define REDIS_PATIENCE_US SECONDS(2) /* a restart of Redis costs time, not errors */

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

    return code_store_new(c->loop, dir, on_trashed, c, &c->store, err);
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

static void on_gateways(void *arg)
{
    struct controller *c = arg;

    nodes_set_gateways(c->nodes, permits_gateways(c->permits));
}

static void on_node_dead(const char *id, void *arg)
{
    struct controller *c = arg;

    nodes_dead(c->nodes, id);
}

/* Who leads is found out anew; if it is still this one, with a greater term. */
static void on_deposed(uint64_t term, void *arg)
{
    struct controller *c = arg;

    leadership_heard(c->leadership, term);
}

static void make_permits(struct controller *c)
{
    const struct controller_config *config = c->config;
    const struct permits_options options = {
        .loop = c->loop,
        .redis = c->redis,
        .peers = c->peers,
        .account = config->account_id,
        .account_limit = config->account_concurrency,
        .gateway_grace_us = config->gateway_grace_us,
        .node_fence_us = config->node_fence_us,
        .peer_timeout_us = config->peer_timeout_us,
        .retry_us = config->retry_us ? config->retry_us : SECONDS(1),
        .on_gateways = on_gateways,
        .on_node_dead = on_node_dead,
        .on_deposed = on_deposed,
        .arg = c};

    c->permits = permits_new(&options);
}

int controller_parts_make(struct controller *c, const struct controller_events *events,
                          struct error *err)
{
    uint64_t retry_us = c->config->retry_us;
    struct redis_options redis = {.url = c->config->redis_url,
                                  .command_timeout_us = c->config->redis_timeout_us,
                                  .patience_us = REDIS_PATIENCE_US,
                                  .on_state = events->on_redis,
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
    if (r == 0)
        r = redis_votes_new(c->loop, c->config->redis_url, c->redis, &c->votes, err);
    if (r < 0)
        return r;
    c->registry = registry_new(c->loop, c->redis, &c->key);
    c->gc = code_gc_new(c->loop, c->registry, retry_us ? retry_us : SECONDS(10));
    c->peers = peers_new(c->loop, events->on_peer_gone, c);
    c->nodes = nodes_new(c->loop, c->redis, c->peers, c->config->node_fence_us,
                         c->config->peer_timeout_us);
    make_permits(c);
    changes.registry = c->registry;
    changes.peers = c->peers;
    changes.gc = c->gc;
    changes.runtimes = c->runtimes;
    changes.on_over = events->on_change_over;
    changes.arg = c;
    c->changes = fn_changes_new(&changes);
    provisioner.redis = c->redis;
    provisioner.peers = c->peers;
    provisioner.permits = c->permits;
    c->provisioner = provisioner_new(&provisioner);
    c->scaler = scaler_new(c, c->config->scaling_period_us);
    r = open_store(c, err);
    if (r == 0)
        r = open_s3(c, err);
    if (r == 0)
        r = open_aws(c, err);
    if (r == 0)
        make_async(c);
    return r;
}
