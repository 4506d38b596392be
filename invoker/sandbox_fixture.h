/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox_fixture.h - a sandbox without a container, for tests: the launcher is a fake whose
 * listener is a Unix socket, and the test itself is the runtime behind it. Everything else is real,
 * and runs on one loop.
 *
 * Owns:    all that it makes; world_end() gives it back.
 * Threads: one. Included once by each test, by tests only.
 */
#ifndef HEARTH_INVOKER_SANDBOX_FIXTURE_H
#define HEARTH_INVOKER_SANDBOX_FIXTURE_H

#include "invoker/sandbox.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/id.h"
#include "common/base/log.h"

#define ID "8f507cfc-4a29-4a2b-9b53-1c0c4b2a3d11"
#define NEXT "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n"
#define PATIENCE_US SECONDS(10)

struct fake_launch {
    struct launch base;
    const struct launch_handler *handler;
    void *arg;
    bool running, ended, dead, gone;
    int signo, gos; /* the last signal; how often it was told to go on */
    int restarts; /* how often it was asked for another try */
};

struct world {
    char dir[32];
    struct loop *loop;
    struct logs *logs;
    struct pool *pool;
    struct ready_version *ver;
    struct sandbox_host host;
    struct launcher launcher;
    struct fake_launch *launch;
    struct sandbox *sb;
    struct sandbox_event event;
    struct timer patience;
    bool refuse_start;
    bool lingers; /* its processes go on when it is ended, until processes_die() */
    /* the runtime's side */
    int listener, out, runtime; /* listener: only for its name; out: write end of its standard output */
    struct watch *watch;
    struct buf got; /* what the API answered */
    /* what the sandbox said */
    int created, ready, returning, ending, gone, answers, start_failures;
    int freezes, not_run;
    bool frozen;
    int thaw_result; /* of launch_thaw() */
    enum sandbox_failure_kind failure;
    bool charge;
    enum invoke_outcome outcome;
    struct buf body, tail;
    int pieces; /* of a streamed answer, its begin among them */
    struct buf streamed;
    char error_type[64];
    bool hold;
    /* the last connection that telemetry asked for */
    uint32_t dialled;
    int dialled_fd;
};

static struct world w;

/* ---- the fake launcher */

static inline void on_fake_gone(void *arg)
{
    struct fake_launch *l = arg;

    l->gone = true;
    if (!l->dead)
        l->handler->on_dead(&l->base, l->arg);
    l->handler->on_gone(&l->base, l->arg);
}

/* Those of an ended one that lingers; what it leaves is not removed yet. */
static inline void processes_die(void)
{
    assert_true(w.launch->ended);
    w.launch->dead = true;
    w.launch->handler->on_dead(&w.launch->base, w.launch->arg);
}

static inline void all_is_removed(void)
{
    loop_defer(w.loop, on_fake_gone, w.launch);
}

static inline int fake_start(struct launcher *launcher, const struct launch_options *options,
                      struct launch **ret, struct error *err)
{
    if (w.refuse_start)
        return error_set(err, ERR_SYSTEM, "no folder");
    w.launch = calloc(1, sizeof(*w.launch));
    w.launch->base.launcher = launcher;
    w.launch->handler = options->handler;
    w.launch->arg = options->arg;
    *ret = &w.launch->base;
    return 0;
}

static inline void fake_run(struct launch *launch)
{
    CONTAINER_OF(launch, struct fake_launch, base)->running = true;
}

static inline void fake_signal(struct launch *launch, int signo)
{
    CONTAINER_OF(launch, struct fake_launch, base)->signo = signo;
}

static inline void fake_kill(struct launch *launch)
{
    (void)launch;
}

static inline void fake_end(struct launch *launch)
{
    struct fake_launch *l = CONTAINER_OF(launch, struct fake_launch, base);

    if (!l->ended && !w.lingers)
        loop_defer(w.loop, on_fake_gone, l);
    l->ended = true;
}

static inline void on_connected(void *arg)
{
    struct fake_launch *l = arg;

    l->handler->on_socket(&l->base, w.dialled, w.dialled_fd, 0, l->arg);
}

static inline void fake_go(struct launch *launch)
{
    CONTAINER_OF(launch, struct fake_launch, base)->gos++;
    loop_stop(w.loop);
}

static inline void fake_restart(struct launch *launch)
{
    CONTAINER_OF(launch, struct fake_launch, base)->restarts++;
    loop_stop(w.loop);
}

/* Inside of a sandbox is outside of one, here. */
static inline void fake_connect(struct launch *launch, uint32_t token, uint16_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    w.dialled = token;
    w.dialled_fd = fd;
    connect(fd, (struct sockaddr *)&to, sizeof(to));
    loop_defer(w.loop, on_connected, CONTAINER_OF(launch, struct fake_launch, base));
}

static inline bool fake_freeze(struct launch *launch)
{
    (void)launch;
    w.frozen = true;
    w.freezes++;
    loop_stop(w.loop);
    return true;
}

static inline int fake_thaw(struct launch *launch)
{
    (void)launch;
    w.frozen = false;
    return w.thaw_result;
}

static inline void launcher_thaws(const struct error *err)
{
    w.launch->handler->on_thawed(&w.launch->base, err, w.launch->arg);
}

static const struct launcher_ops fake_ops = {.name = "fake",
                                             .start = fake_start,
                                             .run = fake_run,
                                             .signal = fake_signal,
                                             .kill = fake_kill,
                                             .end = fake_end,
                                             .freeze = fake_freeze,
                                             .thaw = fake_thaw,
                                             .go = fake_go,
                                             .restart = fake_restart,
                                             .connect = fake_connect};

/* ---- what the sandbox says */

static inline void on_created(struct sandbox *sb, void *arg)
{
    (void)sb;
    (void)arg;
    w.created++;
    loop_stop(w.loop);
}

static inline void on_ready(struct sandbox *sb, void *arg)
{
    (void)sb;
    (void)arg;
    w.ready++;
    loop_stop(w.loop);
}

static inline void on_returning(struct sandbox *sb, void *arg)
{
    (void)sb;
    (void)arg;
    w.returning++;
    loop_stop(w.loop);
}

static inline void on_start_failed(struct sandbox *sb, const struct sandbox_failure *failure,
                                   void *arg)
{
    (void)arg;
    w.start_failures++;
    w.failure = failure->kind;
    if (w.charge)
        sandbox_charge(sb, &w.event, failure);
}

static inline void on_stream(struct sandbox *sb, const struct sandbox_event *ev, struct str bytes,
                      void *arg)
{
    (void)arg;
    assert_ptr_equal(ev, &w.event);
    w.pieces++;
    assert_int_equal(buf_append_str(&w.streamed, bytes), 0);
    if (w.hold)
        sandbox_hold(sb, true);
    loop_stop(w.loop);
}

static inline void on_answer(struct sandbox *sb, const struct sandbox_event *ev,
                      const struct sandbox_result *result, void *arg)
{
    (void)sb;
    (void)arg;
    assert_ptr_equal(ev, &w.event);
    w.answers++;
    w.outcome = result->outcome;
    snprintf(w.error_type, sizeof(w.error_type), "%.*s", STR_ARG(result->error_type));
    buf_clear(&w.body);
    buf_clear(&w.tail);
    assert_int_equal(buf_append_str(&w.body, result->body), 0);
    assert_int_equal(buf_append_str(&w.tail, result->log_tail), 0);
    loop_stop(w.loop);
}

static inline void on_not_run(struct sandbox *sb, const struct sandbox_event *ev, void *arg)
{
    (void)sb;
    (void)arg;
    assert_ptr_equal(ev, &w.event);
    w.not_run++;
}

static inline void on_ending(struct sandbox *sb, void *arg)
{
    (void)sb;
    (void)arg;
    w.ending++;
    loop_stop(w.loop);
}

static inline void on_gone(struct sandbox *sb, void *arg)
{
    (void)arg;
    pool_version_retire(ready_version_pool(sandbox_version(sb)));
    w.gone++;
    w.sb = NULL;
    loop_stop(w.loop);
}

static const struct sandbox_ops sandbox_ops = {.on_created = on_created,
                                               .on_ready = on_ready,
                                               .on_returning = on_returning,
                                               .on_start_failed = on_start_failed,
                                               .on_stream = on_stream,
                                               .on_not_run = on_not_run,
                                               .on_answer = on_answer,
                                               .on_ending = on_ending,
                                               .on_gone = on_gone};

/* ---- the world */

static inline void on_patience_over(void *arg)
{
    (void)arg;
    fail_msg("nothing happens any more");
}

static inline void run_until(const int *count, int wanted)
{
    timer_start(&w.patience, PATIENCE_US);
    while (*count < wanted)
        loop_run(w.loop);
    timer_stop(&w.patience);
}

static inline struct sandbox_spec *make_spec(void)
{
    struct sandbox_spec *spec = calloc(1, sizeof(*spec));

    spec->account = strdup("000000000000");
    spec->region = strdup("us-east-1");
    spec->name = strdup("f");
    spec->version = strdup("$LATEST");
    spec->arn = strdup("arn:aws:lambda:us-east-1:000000000000:function:f");
    spec->image = strdup("x");
    spec->log_group = strdup("/aws/lambda/f");
    spec->memory_mib = 128;
    spec->timeout_s = 3;
    return spec;
}

static inline struct image_info *make_image(void)
{
    static char *nothing[] = {NULL};
    char program[] = "prog", *entry[] = {program, NULL}, name[] = "x", empty[] = "";
    const struct image_info info = {.reference = name,
                                    .digest = name,
                                    .architecture = name,
                                    .entry_point = entry,
                                    .command = nothing,
                                    .env = nothing,
                                    .working_directory = empty};

    return image_info_copy(&info);
}

static inline int world_make(void **state)
{
    const struct pool_options pool = {.clock = &clock_system, .memory_mib = 1024, .parallel = 4};
    struct logs_options logs = {.folder = w.dir, .node = "n"};
    struct error err;
    (void)state;

    memset(&w, 0, sizeof(w));
    log_init("test", LOG_ERROR);
    snprintf(w.dir, sizeof(w.dir), "/tmp/sandbox-test-XXXXXX");
    assert_non_null(mkdtemp(w.dir));
    w.loop = loop_new();
    assert_int_equal(logs_new(w.loop, &logs, &w.logs, &err), 0);
    w.pool = pool_new(&pool);
    w.ver = ready_version_new(w.pool, NULL, make_spec(), make_image(), NULL, NULL);
    w.launcher.ops = &fake_ops;
    w.host = (struct sandbox_host){.loop = w.loop,
                                   .launcher = &w.launcher,
                                   .logs = w.logs,
                                   .create_limit_us = SECONDS(60),
                                   .init_limit_us = SECONDS(10),
                                   .stream_limit = 1000,
                                   .ops = &sandbox_ops};
    sandbox_host_init(&w.host);
    timer_init(&w.patience, w.loop, on_patience_over, NULL);
    w.listener = w.out = w.runtime = -1;
    buf_init(&w.got, 1u << 20);
    buf_init(&w.body, 1u << 20);
    buf_init(&w.tail, 1u << 20);
    buf_init(&w.streamed, 1u << 20);
    w.event = (struct sandbox_event){.data = {.request_id = STR(ID),
                                              .invoked_arn = STR("arn:x"),
                                              .payload = STR("{\"n\":1}")},
                                     .want_tail = true};
    return 0;
}

static inline void on_logs_closed(void *arg)
{
    (void)arg;
    w.logs = NULL;
    loop_stop(w.loop);
}

static inline void runtime_hang_up(void)
{
    if (w.watch)
        watch_free(TAKE(w.watch));
    closep(&w.runtime);
}

static inline int world_end(void **state)
{
    (void)state;
    if (w.sb) {
        sandbox_stop(w.sb, "end of the test");
        run_until(&w.gone, 1);
    }
    runtime_hang_up();
    closep(&w.out);
    closep(&w.listener);
    timer_stop(&w.patience);
    ready_version_unref(w.ver);
    pool_free(w.pool);
    logs_close(w.logs, SECONDS(5), on_logs_closed, NULL);
    while (w.logs)
        loop_run(w.loop);
    loop_free(w.loop);
    assert_int_equal(dir_remove(w.dir, NULL), 0);
    free(w.launch);
    buf_done(&w.got);
    buf_done(&w.body);
    buf_done(&w.tail);
    buf_done(&w.streamed);
    return 0;
}

/* ---- the runtime */

static inline void on_bytes(int fd, int events, void *arg)
{
    char bytes[4096];
    ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
    (void)events;
    (void)arg;

    if (n > 0)
        assert_int_equal(buf_append(&w.got, bytes, (size_t)n), 0);
    else
        watch_set(w.watch, 0);
    loop_stop(w.loop);
}

static inline void runtime_dial(void)
{
    struct sockaddr_un name;
    socklen_t len = sizeof(name);

    runtime_hang_up();
    w.runtime = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(getsockname(w.listener, (struct sockaddr *)&name, &len), 0);
    assert_int_equal(connect(w.runtime, (struct sockaddr *)&name, len), 0);
    w.watch = watch_new(w.loop, w.runtime, on_bytes, NULL);
    watch_set(w.watch, WATCH_READ);
}

static inline void runtime_says(const char *text)
{
    assert_int_equal(send(w.runtime, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Runs the loop until the API has answered with @part. */
static inline void runtime_hears(const char *part)
{
    timer_start(&w.patience, PATIENCE_US);
    for (;;) {
        assert_int_equal(buf_append_char(&w.got, '\0'), 0);
        w.got.len--;
        if (strstr(w.got.ptr, part))
            break;
        loop_run(w.loop);
    }
    timer_stop(&w.patience);
    buf_clear(&w.got);
}

static inline void runtime_posts(const char *path, const char *headers, const char *body)
{
    CLEANUP(freep) char *text = str_printf("POST /2018-06-01/runtime/%s HTTP/1.1\r\nHost: x\r\n"
                                           "%sContent-Length: %zu\r\n\r\n%s",
                                           path, headers, strlen(body), body);

    runtime_says(text);
}

static inline void runtime_prints(const char *text)
{
    assert_int_equal(write(w.out, text, strlen(text)), strlen(text));
}

/* ---- steps */

static inline void create(void)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    struct launch_times times = {0};
    struct launch_fds fds = {.memory_usage = -1, .memory_events = -1, .stderr_fd = -1};
    FILE *usage = tmpfile();
    int pipes[2];

    w.sb = sandbox_start(&w.host, w.ver, false);
    assert_int_equal(pipe(pipes), 0);
    fds.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fds.listener, (struct sockaddr *)&name, sizeof(sa_family_t)), 0);
    assert_int_equal(listen(fds.listener, 8), 0);
    fds.stdout_fd = pipes[0];
    w.out = pipes[1];
    w.listener = dup(fds.listener);
    assert_true(fprintf(usage, "31457280\n") > 0); /* 30 MiB */
    fflush(usage);
    fds.memory_usage = dup(fileno(usage));
    fclose(usage);
    w.launch->handler->on_ready(&w.launch->base, &fds, &times, w.launch->arg);
    assert_int_equal(w.created, 1);
    assert_true(w.launch->running);
}

static inline void come_up(void)
{
    create();
    runtime_dial();
    runtime_says(NEXT);
    run_until(&w.ready, 1);
}

static inline void come_up_and_run(void)
{
    come_up();
    assert_int_equal(sandbox_run(w.sb, &w.event), 0);
    runtime_hears("{\"n\":1}");
}

static inline void main_process_exits(int status, uint64_t oom_kills)
{
    const struct launch_exit how = {status, oom_kills};

    w.launch->handler->on_exited(&w.launch->base, &how, w.launch->arg);
}

/* Waits until another try of init is asked for, and plays the launcher's part of it. */
static inline void restart(void)
{
    int pipes[2];

    run_until(&w.launch->restarts, 1);
    assert_int_equal(sandbox_state(w.sb), SANDBOX_INIT);
    assert_int_equal(w.start_failures, 0);
    assert_int_equal(pipe(pipes), 0);
    closep(&w.out);
    w.out = pipes[1];
    w.launch->handler->on_restarted(&w.launch->base, pipes[0], -1, w.launch->arg);
}

static inline void assert_has(struct buf *b, const char *part)
{
    assert_int_equal(buf_append_char(b, '\0'), 0);
    b->len--;
    if (!strstr(b->ptr, part))
        fail_msg("\"%s\" is not in \"%s\"", part, b->ptr);
}

static inline void assert_body(const char *expected)
{
    assert_int_equal(buf_append_char(&w.body, '\0'), 0);
    assert_string_equal(w.body.ptr, expected);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_make, world_end)

#endif
