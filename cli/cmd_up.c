/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hearth up - the single-machine form: checks what can be checked, then supervises a private
 * redis-server (unless a Redis is given), the controller, the invoker and the gateway.
 *
 * Stops in the order gateway, invoker, controller, redis, so that what is in flight can finish.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/child.h"
#include "cli/commands.h"
#include "cli/terminal.h"
#include "cli/preflight.h"
#include "cli/up_config.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/io/http_client.h"
#include "common/io/loop.h"

enum role { ROLE_REDIS, ROLE_CONTROLLER, ROLE_INVOKER, ROLE_GATEWAY, ROLE_MAX };

static const char *const role_names[ROLE_MAX] = {"redis", "controller", "invoker", "gateway"};

struct up {
    struct up_config config;
    struct loop *loop;
    struct http_client *http;
    struct child *children[ROLE_MAX]; /* NULL: not ours to run */
    struct timer probe;
    bool stopping;
    int status; /* what `hearth up` ends with */
    int stop_next; /* role to stop next, downwards */
    uint64_t started_us;
    uint64_t stopping_us; /* when the stop was asked for */
};

#define PROBE_EVERY_US MSEC(25)
#define SAME_WISH_US MSEC(500) /* signals this close are one wish: see on_stop_signal */

/* ---- starting ---- */

static void start_redis(struct up *up)
{
    CLEANUP(freep) char *dir = str_printf("%s/redis", up->config.data_dir);
    CLEANUP(freep) char *socket = str_printf("%s/redis.sock", up->config.run_dir);
    const char *argv[] = {"redis-server", "--port", "0", "--unixsocket", socket, "--unixsocketperm", "600",
                          "--dir", dir, "--appendonly", "yes", "--appendfsync", "always", "--save", "",
                          "--maxmemory-policy", "noeviction", "--daemonize", "no", "--loglevel", "warning",
                          NULL};

    up->children[ROLE_REDIS] = child_new(up->loop, role_names[ROLE_REDIS], argv, NULL);
    child_set_quiet(up->children[ROLE_REDIS]); /* it says at every start how it starts */
    child_start(up->children[ROLE_REDIS]);
}

static void start_daemon(struct up *up, enum role role, const char *const *env)
{
    CLEANUP(freep) char *path = str_printf("%s/hearth-%s", up->config.bin_dir, role_names[role]);
    const char *argv[] = {path, NULL};

    up->children[role] = child_new(up->loop, role_names[role], argv, env);
    child_start(up->children[role]);
}

static void start_all(struct up *up)
{
    const struct up_config *c = &up->config;
    CLEANUP(freep) char *redis = c->redis_url[0]
                                     ? str_printf("HEARTH_REDIS_URL=%s", c->redis_url)
                                     : str_printf("HEARTH_REDIS_URL=unix:%s/redis.sock", c->run_dir);
    CLEANUP(freep) char *controller = str_printf("HEARTH_CONTROLLER=unix:%s/controller.sock", c->run_dir);
    CLEANUP(freep) char *invoker = str_printf("HEARTH_INVOKER_LISTEN=unix:%s/invoker.sock", c->run_dir);
    CLEANUP(freep) char *data = str_printf("HEARTH_DATA_DIR=%s", c->data_dir);
    CLEANUP(freep) char *run = str_printf("HEARTH_RUN_DIR=%s", c->run_dir);
    CLEANUP(freep) char *listen = str_printf("HEARTH_LISTEN=%s", c->listen);
    CLEANUP(freep) char *docker = str_printf("HEARTH_DOCKER_SOCKET=%s", c->docker_socket);
    CLEANUP(freep) char *store = str_printf("HEARTH_IMAGE_STORE=%s", c->image_store);
    CLEANUP(freep) char *containerd = str_printf("HEARTH_CONTAINERD_SOCKET=%s", c->containerd_socket);
    CLEANUP(freep) char *init = str_printf("HEARTH_INIT_PATH=%s/hearth-init", c->bin_dir);
    CLEANUP(freep) char *runtimes = str_printf("HEARTH_RUNTIMES=%s", c->runtimes);
    CLEANUP(freep) char *account = str_printf("HEARTH_ACCOUNT_ID=%s", c->account_id);
    CLEANUP(freep) char *region = str_printf("HEARTH_REGION=%s", c->region);
    CLEANUP(freep) char *level = str_printf("HEARTH_LOG_LEVEL=%s", c->log_level);
    CLEANUP(freep) char *kafka = str_printf("HEARTH_KAFKA_BROKERS=%s", c->kafka_brokers);
    CLEANUP(freep) char *credentials = str_printf("HEARTH_CREDENTIALS_FILE=%s", c->credentials_file);
    const char *env[] = {redis, controller, invoker, data, run, listen, docker, store, containerd, init, runtimes,
                         account, region, level, kafka, credentials, NULL};

    if (!c->redis_url[0])
        start_redis(up);
    start_daemon(up, ROLE_CONTROLLER, env);
    start_daemon(up, ROLE_INVOKER, env);
    start_daemon(up, ROLE_GATEWAY, env);
}

/* ---- readiness ---- */

static void on_health(int status, struct str body, const struct error *err, void *arg)
{
    struct up *up = arg;

    if (up->stopping)
        return;
    (void)body;
    if (err || status != 200) {
        timer_start(&up->probe, PROBE_EVERY_US);
        return;
    }
    fprintf(stderr, "%-10s | ready in %.2f s: http://%s\n", "hearth",
            (double)(now_us() - up->started_us) / 1e6, up->config.listen);
}

static void on_probe(void *arg)
{
    struct up *up = arg;
    CLEANUP(freep) char *url = str_printf("http://%s/_hearth/health", up->config.listen);
    struct http_call_options options = {
        .method = "GET", .url = url, .timeout_us = SECONDS(2), .body_max = 65536};

    http_call(up->http, &options, on_health, up);
}

/* ---- stopping ---- */

static void stop_next(struct up *up);

static void on_child_stopped(struct child *child, void *arg)
{
    (void)child;
    stop_next(arg);
}

static void stop_next(struct up *up)
{
    while (up->stop_next >= 0 && !up->children[up->stop_next])
        up->stop_next--;
    if (up->stop_next < 0) {
        loop_stop(up->loop);
        return;
    }
    child_stop(up->children[up->stop_next--], up->config.stop_grace_us, on_child_stopped, up);
}

static void stop_all(struct up *up)
{
    up->stopping = true;
    up->stopping_us = now_us();
    timer_stop(&up->probe);
    up->stop_next = ROLE_MAX - 1;
    stop_next(up);
}

static void on_stop_signal(void *arg)
{
    struct up *up = arg;
    int i;

    /* A terminal's Ctrl-C reaches us, and the script around us that then sends its own signal. */
    if (up->stopping && now_us() - up->stopping_us < SAME_WISH_US)
        return;
    if (up->stopping) { /* asked twice: no more patience */
        up->config.stop_grace_us = 0;
        for (i = 0; i < ROLE_MAX; i++)
            if (up->children[i])
                child_kill(up->children[i]);
        return;
    }
    fprintf(stderr, "%-10s | stopping: what runs may take up to %.0f s to finish (once more: at once)\n",
            "hearth", (double)up->config.stop_grace_us / 1e6);
    stop_all(up);
}

static void on_child_signal(void *arg)
{
    struct up *up = arg;
    int i;

    for (i = 0; i < ROLE_MAX; i++) {
        if (!up->children[i])
            continue;
        child_reap(up->children[i]);
        if (child_is_hopeless(up->children[i]) && !up->stopping) {
            fprintf(stderr, "%-10s | the settings of %s are wrong, see above\n", "hearth", role_names[i]);
            up->status = EXIT_USAGE;
            stop_all(up);
        }
    }
}

static int prepare_folders(const struct up_config *c, struct error *err)
{
    CLEANUP(freep) char *redis = str_printf("%s/redis", c->data_dir);
    int r = dir_make(c->data_dir, 0700, err);

    if (r == 0)
        r = dir_make(redis, 0700, err);
    return r == 0 ? dir_make(c->run_dir, 0700, err) : r;
}

static void run(struct up *up)
{
    int i;

    up->loop = loop_new();
    up->http = http_client_new(up->loop);
    timer_init(&up->probe, up->loop, on_probe, up);
    loop_on_signal(up->loop, SIGINT, on_stop_signal, up);
    loop_on_signal(up->loop, SIGTERM, on_stop_signal, up);
    loop_on_signal(up->loop, SIGHUP, on_stop_signal, up);
    loop_on_signal(up->loop, SIGCHLD, on_child_signal, up);
    start_all(up);
    timer_start(&up->probe, PROBE_EVERY_US);
    loop_run(up->loop);
    for (i = 0; i < ROLE_MAX; i++)
        child_free(up->children[i]);
    http_client_free(up->http);
    loop_free(up->loop);
}

int cmd_up(int argc, char **argv)
{
    struct up up = {0};
    struct error err;
    int r;

    signal(SIGPIPE, SIG_IGN);
    up.started_us = now_us();
    r = up_config_load(&up.config, argc, argv);
    if (r != EXIT_FINE || !up.config.listen) {
        up_config_done(&up.config);
        return r;
    }
    if (prepare_folders(&up.config, &err) < 0)
        r = complain(EXIT_FAILED, "run as root, or choose folders of your own with --data-dir and --run-dir",
                     "%s", err.msg);
    else
        r = preflight(&up.config);
    if (r == EXIT_FINE) {
        run(&up);
        r = up.status;
    }
    up_config_done(&up.config);
    return r;
}
