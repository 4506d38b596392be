/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/invoker.h"

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
#include "invoker/controller_link.h"
#include "invoker/gateway_link.h"
#include "invoker/image_store_containerd.h"
#include "invoker/image_store_docker.h"
#include "invoker/invocation.h"
#include "invoker/launcher_choice.h"
#include "invoker/node_state.h"
#include "invoker/role_renewal.h"
#include "invoker/scaling_rate.h"

#define VERSIONS_MAX 4096u /* specifications kept */
#define END_LIMIT_US SECONDS(7) /* for extensions (2 s) and for the engine, at the end */
#define KAFKA_WAIT_US SECONDS(2) /* for Kafka to take the last lines at the end */
#define MIB 1048576u

struct invoker {
    struct loop *loop;
    const struct invoker_config *config;
    char *node_id;
    char *dir; /* our part of the data folder */

    struct http_client *http;
    struct docker *docker; /* NULL: images are containerd's */
    struct image_store *images;
    struct network *network; /* NULL: sandboxes have none */
    struct launcher *launcher;
    struct logs *logs;
    struct link_address address; /* where gateways reach us */
    struct node_identity *identity;
    struct controller_link *controller;
    struct code_cache *codes;
    struct scaling_rates *rates;
    struct pool *pool;
    struct spec_cache *specs;
    struct provisions *provisions;
    struct role_renewal *renewal;
    struct invocations *invocations;
    struct node_state *state;
    struct gateway_links *gateways;
    struct permit_link *permits;
    struct sandbox_host host;

    struct timer idle; /* until the pool has one to end for its age */
    struct timer rate; /* until a function may begin another sandbox */
    struct timer drain; /* invocations may run until then */
    struct timer end; /* sandboxes should be removed by then */
    bool stopping, ending_sandboxes;
};

/* ---- between pool, sandboxes and invocations */

static struct pool_sandbox *on_pool_start(void *user, bool kept, void *arg)
{
    struct invoker *inv = arg;

    return sandbox_pool(sandbox_start(&inv->host, user, kept));
}

static void on_pool_run(struct pool_sandbox *ps, struct pool_wait *w, void *arg)
{
    (void)arg;
    invocation_run(w, sandbox_of_pool(ps));
}

static void on_pool_end(struct pool_sandbox *ps, enum pool_end why, void *arg)
{
    static const char *const causes[] = {
        [POOL_END_EVICTED] = "its memory is wanted",
        [POOL_END_EXPIRED] = "idle for long",
        [POOL_END_RETIRED] = "its version was replaced",
        [POOL_END_OUTDATED] = "its role's credentials end soon",
    };
    (void)arg;

    sandbox_stop(sandbox_of_pool(ps), causes[why]);
}

static void on_pool_refuse(struct pool_wait *w, enum error_code code, void *arg)
{
    (void)code;
    (void)arg;
    invocation_look_again(w);
}

static void on_pool_kept_changed(void *user, void *arg)
{
    struct invoker *inv = arg;

    if (inv->state)
        node_state_hurry(inv->state);
    provisions_changed(inv->provisions, user);
}

static void on_pool_changed(void *arg)
{
    struct invoker *inv = arg;

    if (inv->state)
        node_state_changed(inv->state);
}

static void on_pool_start_later(uint64_t at_us, void *arg)
{
    struct invoker *inv = arg;
    uint64_t now = now_us();

    timer_start(&inv->rate, at_us > now ? at_us - now : 0);
}

static void on_rate_timer(void *arg)
{
    struct invoker *inv = arg;

    pool_start_due(inv->pool);
}

static const struct pool_ops pool_ops = {.start = on_pool_start,
                                         .run = on_pool_run,
                                         .end = on_pool_end,
                                         .refuse = on_pool_refuse,
                                         .kept_changed = on_pool_kept_changed,
                                         .changed = on_pool_changed,
                                         .start_later = on_pool_start_later};

static void on_sandbox_created(struct sandbox *sb, void *arg)
{
    (void)arg;
    pool_created(sandbox_pool(sb));
}

/* How long the pool may be left alone: its policy looks at minutes. */
static uint64_t idle_look_us(const struct invoker_config *config)
{
    bool is_fixed = strcmp(config->keep_alive, "histogram") != 0 || config->idle_ttl_us < MINUTES(1);

    return is_fixed ? config->idle_ttl_us : MINUTES(1);
}

static void on_idle_timer(void *arg)
{
    struct invoker *inv = arg;
    uint64_t next = pool_expire(inv->pool), now = now_us(), wait = next > now ? next - now : 0;

    if (next)
        timer_start(&inv->idle, wait < idle_look_us(inv->config) ? wait : idle_look_us(inv->config));
}

static void on_sandbox_ready(struct sandbox *sb, void *arg)
{
    struct invoker *inv = arg;

    pool_ready(sandbox_pool(sb));
    if (!timer_is_armed(&inv->idle) && !inv->stopping) /* too early for some: armed again then */
        timer_start(&inv->idle, idle_look_us(inv->config));
}

static void on_sandbox_returning(struct sandbox *sb, void *arg)
{
    (void)arg;
    pool_returning(sandbox_pool(sb));
}

static void on_sandbox_start_failed(struct sandbox *sb, const struct sandbox_failure *failure,
                                    void *arg)
{
    struct pool_wait *w;
    (void)arg;

    if (failure->kind == SANDBOX_FAILED_NO_IMAGE)
        ready_version_set_image_lost(sandbox_version(sb));
    w = pool_start_failed(sandbox_pool(sb));
    if (w)
        invocation_start_failed(w, sb, failure);
}

static void on_sandbox_stream(struct sandbox *sb, const struct sandbox_event *ev, struct str bytes,
                              void *arg)
{
    (void)arg;
    invocation_stream(sb, ev, bytes);
}

static void on_sandbox_not_run(struct sandbox *sb, const struct sandbox_event *ev, void *arg)
{
    (void)sb;
    (void)arg;
    invocation_not_run(ev);
}

static void on_sandbox_answer(struct sandbox *sb, const struct sandbox_event *ev,
                              const struct sandbox_result *result, void *arg)
{
    (void)sb;
    (void)arg;
    invocation_answer(ev, result);
}

static void on_sandbox_ending(struct sandbox *sb, void *arg)
{
    (void)arg;
    pool_ending(sandbox_pool(sb));
}

static void on_sandbox_gone(struct sandbox *sb, void *arg)
{
    (void)arg;
    pool_gone(sandbox_pool(sb));
}

static const struct sandbox_ops sandbox_ops = {
    .on_created = on_sandbox_created,
    .on_ready = on_sandbox_ready,
    .on_returning = on_sandbox_returning,
    .on_start_failed = on_sandbox_start_failed,
    .on_stream = on_sandbox_stream,
    .on_not_run = on_sandbox_not_run,
    .on_answer = on_sandbox_answer,
    .on_ending = on_sandbox_ending,
    .on_gone = on_sandbox_gone,
};

/* ---- permits */

static void on_lease_over(void *arg)
{
    struct invoker *inv = arg;

    invocations_refuse_waiting(inv->invocations, "the node has not reached its controller for too long");
    sandbox_host_kill_runs(&inv->host, "no controller was reached for too long");
}

/* Each has its share of a function's scaling rate. */
static void on_nodes(uint32_t count, void *arg)
{
    struct invoker *inv = arg;

    scaling_rates_share(inv->rates, count);
}

/* ---- making the parts */

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

static uint64_t node_memory_mib(const struct invoker_config *config)
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
    launcher.docker = inv->docker;
    r = dir_make(config->run_dir, 0700, err);
    if (r == 0)
        r = network_new(&network, &inv->network, err);
    launcher.network = native.network = inv->network;
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
                                                .lapsed = on_lease_over,
                                                .nodes = on_nodes,
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
                                                       .memory_mib = node_memory_mib(config)};
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
                                      .ops = &pool_ops,
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
                                      .ops = &sandbox_ops,
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

static int make_parts(struct invoker *inv, struct error *err)
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

/* ---- the end: invocations, sandboxes, images, logs */

static void on_logs_closed(void *arg)
{
    struct invoker *inv = arg;

    inv->logs = NULL;
    log_info("invoker", "stopped");
    loop_stop(inv->loop);
}

static void on_images_given_back(void *arg)
{
    struct invoker *inv = arg;

    logs_close(inv->logs, KAFKA_WAIT_US, on_logs_closed, inv);
}

static void on_sandboxes_gone(void *arg)
{
    struct invoker *inv = arg;

    timer_stop(&inv->end);
    image_store_stop(inv->images, on_images_given_back, inv);
}

/* So the node need not be remembered. */
static void on_launcher_stopped(void *arg)
{
    struct invoker *inv = arg;

    controller_link_leave(inv->controller);
    on_sandboxes_gone(inv);
}

/* They end all the same: their PID 1 sees us go, and the next start removes what is left. */
static void on_end_limit(void *arg)
{
    struct invoker *inv = arg;

    log_error("invoker", "the engine did not remove all sandboxes in time");
    launcher_free(TAKE(inv->launcher));
    sandbox_host_done(&inv->host);
    invocations_leave(inv->invocations);
    on_sandboxes_gone(inv);
}

/* Their extensions have had their time, too. */
static void on_sandboxes_stopped(void *arg)
{
    struct invoker *inv = arg;

    if (inv->launcher)
        launcher_stop(inv->launcher, on_launcher_stopped, inv);
}

static void end_sandboxes(void *arg)
{
    struct invoker *inv = arg;

    if (inv->ending_sandboxes)
        return;
    inv->ending_sandboxes = true;
    log_info("invoker", "ending sandboxes",
             KV_U64("invocations_cut", invocations_count(inv->invocations)));
    timer_stop(&inv->drain);
    timer_start(&inv->end, END_LIMIT_US);
    invocations_refuse_waiting(inv->invocations, "the node is shutting down");
    sandbox_host_stop(&inv->host, "the node is shutting down", on_sandboxes_stopped, inv);
}

void invoker_stop(struct invoker *inv)
{
    if (inv->stopping) {
        end_sandboxes(inv);
        return;
    }
    inv->stopping = true;
    timer_stop(&inv->idle); /* nothing is begun ahead any more */
    provisions_set(inv->provisions, NULL, 0); /* what ends now is not begun again */
    node_state_drain(inv->state);
    controller_link_drain(inv->controller);
    log_info("invoker", "stopping", KV_U64("invocations", invocations_count(inv->invocations)));
    timer_start(&inv->drain, inv->config->drain_limit_us);
    invocations_drain(inv->invocations, end_sandboxes, inv);
}

/* ---- life */

int invoker_new(struct loop *loop, const struct invoker_config *config, struct invoker **ret,
                struct error *err)
{
    struct invoker *inv = calloc(1, sizeof(*inv));
    int r;

    if (!inv)
        abort();
    inv->loop = loop;
    inv->config = config;
    timer_init(&inv->idle, loop, on_idle_timer, inv);
    timer_init(&inv->rate, loop, on_rate_timer, inv);
    timer_init(&inv->drain, loop, end_sandboxes, inv);
    timer_init(&inv->end, loop, on_end_limit, inv);
    r = make_parts(inv, err);
    if (r < 0) {
        invoker_free(inv);
        return r;
    }
    log_info("invoker", "started", KV_STR("node", inv->node_id), KV_STR("listen", config->listen),
             KV_U64("memory_mib", node_memory_mib(config)));
    *ret = inv;
    return 0;
}

void invoker_free(struct invoker *inv)
{
    if (!inv)
        return;
    timer_stop(&inv->idle);
    timer_stop(&inv->rate);
    timer_stop(&inv->drain);
    timer_stop(&inv->end);
    gateway_links_free(inv->gateways);
    node_state_free(TAKE(inv->state));
    invocations_free(inv->invocations);
    role_renewal_free(inv->renewal);
    provisions_free(inv->provisions);
    if (inv->specs)
        spec_cache_free(inv->specs);
    pool_free(inv->pool);
    scaling_rates_free(inv->rates);
    code_cache_free(inv->codes);
    controller_link_free(inv->controller);
    permit_link_free(inv->permits);
    node_identity_free(inv->identity);
    launcher_free(inv->launcher);
    network_free(inv->network);
    image_store_free(inv->images);
    docker_free(inv->docker);
    if (inv->http)
        http_client_free(inv->http);
    if (inv->logs) { /* the start failed: nothing but the logs was begun */
        logs_close(inv->logs, 0, on_logs_closed, inv);
        loop_run(inv->loop);
    }
    free(inv->node_id);
    free(inv->dir);
    free(inv);
}
