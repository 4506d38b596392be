/* SPDX-License-Identifier: Apache-2.0 */
/* The making of an invoker's parts, in the order in which they need one another. */
#include "invoker/invoker_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/id.h"
#include "common/base/log.h"
#include "common/io/docker.h"
#include "common/io/node_identity.h"
#include "invoker/advertise.h"
#include "invoker/image_store_containerd.h"
#include "invoker/image_store_docker.h"
#include "invoker/kernel_counts.h"

#define VERSIONS_MAX 4096u /* specifications kept */
#define MIB 1048576u

/* The configured name, or one that this data folder keeps. */
static int find_node_id(struct invoker *inv, struct error *err)
{
    CLEANUP(freep) char *path = str_printf("%s/node-id", inv->dir);
    CLEANUP(buf_done) struct buf text = BUF_INIT(64);
    char token[17];
    int r;

    if (inv->config->node_id[0]) {
        inv->node_id = str_dup(str_of(inv->config->node_id));
        return 0;
    }
    r = file_read(path, &text, err);
    if (r == -ERR_NOT_FOUND) {
        token_make(8, token);
        (void)buf_printf(&text, "node-%s\n", token);
        r = file_write_atomic(path, buf_str(&text), 0600, err);
    }
    if (r < 0)
        return error_wrap(err, r, "the node's id");
    inv->node_id = str_dup(str_trim(buf_str(&text)));
    return 0;
}

uint64_t invoker_memory_mib(const struct invoker_config *config)
{
    uint64_t machine = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);

    return (config->node_memory ? config->node_memory : machine / 10 * 8) / MIB;
}

static uint32_t start_parallel(const struct invoker_config *config)
{
    return config->start_parallel ? (uint32_t)config->start_parallel
                                  : 2 * (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
}

static void make_images(struct invoker *inv)
{
    const struct invoker_config *config = inv->config;
    const struct docker_options engine = {.loop = inv->loop,
                                          .http = inv->http = http_client_new(inv->loop),
                                          .socket = config->docker_socket,
                                          .auth_file = config->docker_config};
    const struct image_store_containerd_options containerd = {
        .loop = inv->loop,
        .http = inv->http,
        .socket = config->containerd_socket,
        .snapshotter = config->containerd_snapshotter,
        .auth_file = config->docker_config,
        .node = inv->node_id};

    if (strcmp(config->image_store, "containerd") == 0) {
        inv->images = image_store_containerd_new(&containerd);
        return;
    }
    inv->docker = docker_new(&engine);
    inv->images = image_store_docker_new(inv->loop, inv->docker);
}

static int make_engine(struct invoker *inv, struct error *err)
{
    const struct invoker_config *config = inv->config;
    CLEANUP(freep) char *run_dir = str_printf("%s/sb", config->run_dir);
    CLEANUP(freep) char *native_dir = str_printf("%s/native", config->run_dir);
    CLEANUP(freep) char *scratch_dir = str_printf("%s/scratch", inv->dir);
    const struct network_options network = {.loop = inv->loop,
                                            .node = inv->node_id,
                                            .egress = config->egress,
                                            .range = config->egress_range,
                                            .allow = config->egress_allow,
                                            .deny = config->egress_deny,
                                            .dns = config->egress_dns};
    struct launcher_docker_options launcher = {.loop = inv->loop,
                                               .docker_socket = config->docker_socket,
                                               .node = inv->node_id,
                                               .run_dir = run_dir,
                                               .init_path = config->init_path,
                                               .freezes = config->freeze_after_us > 0,
                                               .starts_max = start_parallel(config)};
    struct launcher_native_options native = {
        .loop = inv->loop,
        .node = inv->node_id,
        .dir = native_dir,
        .scratch_dir = strcmp(config->tmp, "memory") == 0 ? NULL : scratch_dir,
        .init_path = config->init_path,
        .program = *config->oci_runtime ? config->oci_runtime : NULL,
        .starts_max = start_parallel(config),
        .blanks_max = (uint32_t)config->blank_sandboxes};
    int r;

    make_images(inv);
    (void)kernel_counts_raise("/proc/sys"); /* else they are as they were, and the log says so */
    launcher.docker = inv->docker;
    native.docker_socket = inv->docker ? config->docker_socket : NULL;
    r = dir_make(config->run_dir, 0700, err);
    if (r == 0)
        r = network_new(&network, &inv->network, err);
    if (r == 0)
        r = lease_guard_new(&inv->guard, err);
    launcher.network = native.network = inv->network;
    launcher.guard = native.guard = inv->guard;
    return r == 0 ? launcher_choose(config->launcher, &launcher, &native, &inv->launcher, err) : r;
}

static int make_logs(struct invoker *inv, struct error *err)
{
    const struct invoker_config *config = inv->config;
    CLEANUP(freep) char *folder = str_printf("%s/logs", inv->dir);
    CLEANUP(buf_done) struct buf properties = BUF_INIT(1u << 20);
    CLEANUP(freep) char *properties_text = NULL;
    struct logs_options options = {.folder = folder,
                                   .node = inv->node_id,
                                   .retention_s = config->log_retention_us / SECONDS(1),
                                   .retention_bytes = config->log_retention_bytes,
                                   .spool_bytes = config->log_spool_bytes,
                                   .rate_bytes = config->log_rate_bytes,
                                   .kafka_brokers = config->kafka_brokers,
                                   .kafka_topic = config->kafka_topic};
    int r;

    if (strcmp(config->log_sync, "auto") != 0)
        options.sync = strcmp(config->log_sync, "on") == 0 ? LOGS_SYNC_ON : LOGS_SYNC_OFF;
    if (config->kafka_properties[0]) {
        r = file_read(config->kafka_properties, &properties, err);
        if (r < 0)
            return error_wrap(err, r, "kafka_properties");
        options.kafka_properties = properties_text = buf_take(&properties);
    }
    r = logs_new(inv->loop, &options, &inv->logs, err);
    if (properties_text) /* passwords, perhaps */
        explicit_bzero(properties_text, strlen(properties_text));
    return r;
}

static int make_permits(struct invoker *inv, struct error *err)
{
    CLEANUP(freep) char *file = str_printf("%s/epoch", inv->dir);
    const struct permit_link_options options = {.loop = inv->loop,
                                                .file = file,
                                                .has_rivals = strchr(inv->config->controller, ',') != NULL,
                                                .lapsed = invoker_on_lease_over,
                                                .guard = inv->guard,
                                                .nodes = invoker_on_nodes,
                                                .arg = inv};

    return permit_link_new(&options, &inv->permits, err);
}

static int make_functions(struct invoker *inv, struct error *err)
{
    const struct invoker_config *config = inv->config;
    CLEANUP(freep) char *code_dir = str_printf("%s/code", inv->dir);
    const struct controller_link_options controller = {.loop = inv->loop,
                                                       .controller = config->controller,
                                                       .node = inv->node_id,
                                                       .address = inv->address,
                                                       .identity = inv->identity,
                                                       .memory_mib = invoker_memory_mib(config)};
    struct code_cache_options codes = {.dir = code_dir,
                                       .size_max = config->code_cache_bytes,
                                       .fetch = controller_link_fetch_code};
    const struct pool_options pool = {.clock = &clock_system,
                                      .memory_mib = controller.memory_mib,
                                      .idle_ttl_us = config->idle_ttl_us,
                                      .cold_start_worth = strcmp(config->keep_alive, "histogram") == 0
                                                              ? (uint32_t)config->cold_start_worth
                                                              : 0,
                                      .parallel = start_parallel(config),
                                      .ops = &invoker_pool_ops,
                                      .arg = inv};
    struct spec_cache_options specs = {.fetch = controller_link_fetch_spec, .max = VERSIONS_MAX};
    int r;

    inv->controller = controller_link_new(&controller);
    codes.fetch_arg = inv->controller;
    r = code_cache_new(inv->loop, &codes, &inv->codes, err);
    if (r < 0)
        return r;
    inv->rates = scaling_rates_new(&clock_system, config->scaling_rate);
    inv->pool = pool_new(&pool);
    specs.rates = inv->rates;
    specs.pool = inv->pool;
    specs.images = inv->images;
    specs.codes = inv->codes;
    specs.arg = inv->controller;
    inv->specs = spec_cache_new(&specs);
    inv->provisions = provisions_new(inv->loop, inv->specs, controller_link_tell_provisions,
                                     inv->controller);
    inv->invocations = invocations_new(inv->loop, inv->specs, permit_link_fence(inv->permits));
    inv->state = node_state_new(&(struct node_state_options){.loop = inv->loop,
                                                             .pool = inv->pool,
                                                             .specs = inv->specs,
                                                             .invocations = inv->invocations});
    inv->host = (struct sandbox_host){.loop = inv->loop,
                                      .launcher = inv->launcher,
                                      .logs = inv->logs,
                                      .create_limit_us = config->create_limit_us,
                                      .init_limit_us = config->init_limit_us,
                                      .freeze_after_us = config->freeze_after_us,
                                      .stream_limit = config->stream_limit,
                                      .ops = &invoker_sandbox_ops,
                                      .arg = inv};
    sandbox_host_init(&inv->host);
    inv->renewal = role_renewal_new(&(struct role_renewal_options){.loop = inv->loop,
                                                                   .specs = inv->specs,
                                                                   .host = &inv->host,
                                                                   .ask = controller_link_check,
                                                                   .arg = inv->controller,
                                                                   .now_ms = wall_ms});
    return 0;
}

static void on_swept(void *arg)
{
    struct invoker *inv = arg;

    controller_link_may_register(inv->controller);
}

/* Who this node is towards other machines, and where they reach it. */
static int open_identity(struct invoker *inv, struct error *err)
{
    const struct invoker_config *config = inv->config;
    CLEANUP(freep) char *dir = str_printf("%s/tls", inv->dir);
    const struct node_identity_options options = {.loop = inv->loop,
                                                  .role = "invoker",
                                                  .id = inv->node_id,
                                                  .dir = dir,
                                                  .controllers = config->controller,
                                                  .token = config->join_token,
                                                  .token_file = config->join_token_file};
    int r = advertise_choose(config->advertise, config->listen, config->controller, &inv->address, err);

    return r == 0 ? node_identity_new(&options, &inv->identity, err) : r;
}

/* Gateways first: a node that registers must be reachable. */
static int open_links(struct invoker *inv, struct error *err)
{
    const struct controller_link_parts parts = {
        .images = inv->images, .codes = inv->codes, .specs = inv->specs,
        .provisions = inv->provisions, .permits = inv->permits};
    const struct gateway_links_options gateways = {.loop = inv->loop,
                                                   .listen = inv->config->listen,
                                                   .node = inv->node_id,
                                                   .tls = node_identity_tls(inv->identity),
                                                   .invocations = inv->invocations,
                                                   .state = inv->state,
                                                   .logs = inv->logs};
    int r = gateway_links_new(&gateways, &inv->gateways, err);

    if (r == 0)
        r = controller_link_start(inv->controller, &parts, err);
    if (r == 0)
        launcher_when_swept(inv->launcher, on_swept, inv);
    return r;
}

int invoker_make_parts(struct invoker *inv, struct error *err)
{
    int r;

    inv->dir = str_printf("%s/invoker", inv->config->data_dir);
    r = dir_make(inv->dir, 0700, err);
    if (r == 0)
        r = find_node_id(inv, err);
    if (r == 0)
        r = make_logs(inv, err); /* first: its lock tells a second invoker */
    if (r == 0)
        r = open_identity(inv, err);
    if (r == 0)
        r = make_engine(inv, err);
    if (r == 0)
        r = make_permits(inv, err);
    if (r == 0)
        r = make_functions(inv, err);
    return r == 0 ? open_links(inv, err) : r;
}
