/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox_bench - one launcher alone: from launch_start() to the first GET /next of the C runtime.
 *
 *   sandbox_bench docker|native SOCKET RUN_DIR HEARTH_INIT IMAGE CODE_DIR ROUNDS BURST HOLD_MS
 *
 * ROUNDS sandboxes one after the other, then BURST at once, which stay for HOLD_MS. One line each:
 * `round QUEUED CREATE START READY NEXT GONE` (microseconds; the last three since launch_start(),
 * GONE since launch_end()), and `burst N MICROSECONDS` until the last one's first /next.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "invoker/image_store_docker.h"
#include "invoker/launcher_docker.h"
#include "invoker/launcher_native.h"

#define REST_US MSEC(300) /* between rounds: pools fill up, the machine comes to rest */

struct run {
    struct launch *launch;
    struct launch_fds fds;
    struct watch *listener, *connection;
    int fd; /* of the connection */
    struct launch_times times;
    uint64_t began_us, ready_us, next_us, ended_us;
};

static struct loop *loop;
static struct launcher *launcher;
static struct image_info *image;
static char *code_dir;
static long rounds, burst, hold_ms;
static long started, left; /* of this step */
static bool in_burst;
static uint64_t burst_us;
static struct timer rest;

static void next_step(void *arg);

static void on_request(int fd, int events, void *arg)
{
    struct run *r = arg;
    char text[4096];
    ssize_t n = read(fd, text, sizeof(text) - 1);

    (void)events;
    if (n <= 0 || !memmem(text, (size_t)n, "/invocation/next", 16)) {
        fprintf(stderr, "sandbox_bench: no /next\n");
        exit(1);
    }
    watch_set(r->connection, 0);
    r->next_us = now_us();
    if (!in_burst) {
        r->ended_us = now_us();
        launch_end(r->launch);
    } else if (--left == 0) {
        printf("burst %ld %llu\n", burst, (unsigned long long)(now_us() - burst_us));
        fflush(stdout);
        timer_start(&rest, MSEC((uint64_t)hold_ms));
    }
}

static void on_connection(int fd, int events, void *arg)
{
    struct run *r = arg;

    (void)events;
    r->fd = accept(fd, NULL, NULL);
    if (r->fd < 0)
        return;
    watch_set(r->listener, 0);
    r->connection = watch_new(loop, r->fd, on_request, r);
    watch_set(r->connection, WATCH_READ);
}

static void on_ready(struct launch *launch, const struct launch_fds *fds,
                     const struct launch_times *times, void *arg)
{
    struct run *r = arg;

    r->ready_us = now_us();
    r->fds = *fds;
    r->times = *times;
    r->listener = watch_new(loop, fds->listener, on_connection, r);
    watch_set(r->listener, WATCH_READ);
    launch_run(launch);
}

static void on_exited(struct launch *launch, const struct launch_exit *how, void *arg)
{
    (void)launch;
    (void)arg;
    fprintf(stderr, "sandbox_bench: the runtime ended with %d\n", how->status);
    exit(1);
}

static void on_failed(struct launch *launch, enum launch_failure failure, const struct error *err,
                      void *arg)
{
    (void)launch;
    (void)failure;
    (void)arg;
    fprintf(stderr, "sandbox_bench: %s\n", err->msg);
    exit(1);
}

static void on_gone(struct launch *launch, void *arg)
{
    struct run *r = arg;

    (void)launch;
    if (!in_burst)
        printf("round %llu %llu %llu %llu %llu %llu\n", (unsigned long long)r->times.queued_us,
               (unsigned long long)r->times.create_us, (unsigned long long)r->times.start_us,
               (unsigned long long)(r->ready_us - r->began_us),
               (unsigned long long)(r->next_us - r->began_us),
               (unsigned long long)(now_us() - r->ended_us));
    watch_free(r->listener);
    watch_free(r->connection);
    closep(&r->fd);
    closep(&r->fds.listener);
    closep(&r->fds.stdout_fd);
    closep(&r->fds.stderr_fd);
    closep(&r->fds.memory_usage);
    closep(&r->fds.memory_events);
    free(r);
    if (!in_burst)
        timer_start(&rest, REST_US);
}

static const struct launch_handler handler = {.on_ready = on_ready,
                                              .on_exited = on_exited,
                                              .on_failed = on_failed,
                                              .on_gone = on_gone};

static void start_one(void)
{
    static char *entry_point[] = {(char *)"/var/task/bootstrap", NULL}, *command[] = {NULL};
    const struct sandbox_spec spec = {.account = (char *)"000000000000",
                                      .region = (char *)"us-east-1",
                                      .name = (char *)"bench",
                                      .version = (char *)"$LATEST",
                                      .memory_mib = 1769,
                                      .ephemeral_mib = 512,
                                      .entry_point = entry_point,
                                      .command = command,
                                      .log_group = (char *)"/aws/lambda/bench"};
    struct run *r = calloc(1, sizeof(*r));
    char id[32];
    struct launch_options o = {.sandbox_id = id,
                               .spec = &spec,
                               .image = image,
                               .code_dir = code_dir,
                               .log_stream = "stream",
                               .handler = &handler,
                               .arg = r};
    struct error err;

    if (!r)
        abort();
    snprintf(id, sizeof(id), "bench-%d-%ld", (int)getpid(), ++started);
    r->fd = -1;
    r->fds = (struct launch_fds){-1, -1, -1, -1, -1};
    r->began_us = now_us();
    if (launch_start(launcher, &o, &r->launch, &err) < 0) {
        fprintf(stderr, "sandbox_bench: %s\n", err.msg);
        exit(1);
    }
}

static void on_stopped(void *arg)
{
    (void)arg;
    loop_stop(loop);
}

static void next_step(void *arg)
{
    long i;

    (void)arg;
    if (started < rounds) {
        start_one();
    } else if (!in_burst && burst > 0) {
        in_burst = true;
        left = burst;
        burst_us = now_us();
        for (i = 0; i < burst; i++)
            start_one();
    } else {
        launcher_stop(launcher, on_stopped, NULL);
    }
}

static void on_image(const struct image_info *info, const struct error *err, void *arg)
{
    (void)arg;
    if (err) {
        fprintf(stderr, "sandbox_bench: %s\n", err->msg);
        exit(1);
    }
    image = image_info_copy(info);
    timer_start(&rest, SECONDS(1)); /* a pool fills up */
}

int main(int argc, char **argv)
{
    struct launcher_docker_options on_docker = {.node = "bench"};
    struct launcher_native_options native = {.node = "bench", .blanks_max = 32};
    CLEANUP(freep) char *scratch = argc == 10 ? str_printf("%s.scratch", argv[3]) : NULL;
    struct http_client *http;
    struct docker *docker;
    struct image_store *images;
    struct error err;
    int r;

    if (argc != 10)
        return 2;
    native.scratch_dir = scratch;
    log_init("sandbox_bench", LOG_WARN);
    loop = loop_new();
    http = http_client_new(loop);
    docker = docker_new(&(struct docker_options){.loop = loop, .http = http, .socket = argv[2]});
    images = image_store_docker_new(loop, docker);
    on_docker.loop = native.loop = loop;
    on_docker.docker = docker;
    on_docker.run_dir = native.dir = argv[3];
    on_docker.init_path = native.init_path = argv[4];
    code_dir = argv[6];
    rounds = strtol(argv[7], NULL, 10);
    burst = strtol(argv[8], NULL, 10);
    hold_ms = strtol(argv[9], NULL, 10);
    timer_init(&rest, loop, next_step, NULL);
    r = strcmp(argv[1], "native") == 0 ? launcher_native_new(&native, &launcher, &err)
                                       : launcher_docker_new(&on_docker, &launcher, &err);
    if (r < 0) {
        fprintf(stderr, "sandbox_bench: %s\n", err.msg);
        return 1;
    }
    image_prepare(images, argv[5], on_image, NULL);
    loop_run(loop);
    launcher_free(launcher);
    image_store_free(images);
    image_info_free(image);
    docker_free(docker);
    http_client_free(http);
    loop_free(loop);
    return 0;
}
