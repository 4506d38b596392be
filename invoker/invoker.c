/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/invoker_impl.h"

#include <stdlib.h>

#include "common/base/log.h"
#include "common/io/docker.h"
#include "common/io/node_identity.h"

#define END_LIMIT_US SECONDS(7) /* for extensions (2 s) and for the engine, at the end */
#define KAFKA_WAIT_US SECONDS(2) /* for Kafka to take the last lines at the end */

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

const struct pool_ops invoker_pool_ops = {.start = on_pool_start,
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

const struct sandbox_ops invoker_sandbox_ops = {
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

void invoker_on_lease_over(void *arg)
{
    struct invoker *inv = arg;

    invocations_refuse_waiting(inv->invocations, "the node has not reached its controller for too long");
    sandbox_host_kill_runs(&inv->host, "no controller was reached for too long");
}

/* Each has its share of a function's scaling rate. */
void invoker_on_nodes(uint32_t count, void *arg)
{
    struct invoker *inv = arg;

    scaling_rates_share(inv->rates, count);
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
    r = invoker_make_parts(inv, err);
    if (r < 0) {
        invoker_free(inv);
        return r;
    }
    log_info("invoker", "started", KV_STR("node", inv->node_id), KV_STR("listen", config->listen),
             KV_U64("memory_mib", invoker_memory_mib(config)));
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
    lease_guard_free(inv->guard);
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
