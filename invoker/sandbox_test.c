/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sandbox without a container: the launcher is a fake whose listener is a Unix socket, and the
 * test itself is the runtime behind it. Everything else is real, and runs on one loop.
 */
#include "invoker/sandbox.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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
    bool running, ended, gone;
    int signo, gos; /* the last signal; how often it was told to go on */
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
    /* the runtime's side */
    int listener, out, runtime; /* out: write end of its standard output */
    struct watch *watch;
    struct buf got; /* what the API answered */
    /* what the sandbox said */
    int created, ready, returning, ending, gone, answers, start_failures;
    int freezes;
    bool frozen;
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

static void on_fake_gone(void *arg)
{
    struct fake_launch *l = arg;

    l->gone = true;
    l->handler->on_gone(&l->base, l->arg);
}

static int fake_start(struct launcher *launcher, const struct launch_options *options,
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

static void fake_run(struct launch *launch)
{
    CONTAINER_OF(launch, struct fake_launch, base)->running = true;
}

static void fake_signal(struct launch *launch, int signo)
{
    CONTAINER_OF(launch, struct fake_launch, base)->signo = signo;
}

static void fake_kill(struct launch *launch)
{
    (void)launch;
}

static void fake_end(struct launch *launch)
{
    struct fake_launch *l = CONTAINER_OF(launch, struct fake_launch, base);

    if (!l->ended)
        loop_defer(w.loop, on_fake_gone, l);
    l->ended = true;
}

static void on_connected(void *arg)
{
    struct fake_launch *l = arg;

    l->handler->on_socket(&l->base, w.dialled, w.dialled_fd, 0, l->arg);
}

static void fake_go(struct launch *launch)
{
    CONTAINER_OF(launch, struct fake_launch, base)->gos++;
    loop_stop(w.loop);
}

/* Inside of a sandbox is outside of one, here. */
static void fake_connect(struct launch *launch, uint32_t token, uint16_t port)
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

static bool fake_freeze(struct launch *launch, bool frozen)
{
    (void)launch;
    w.frozen = frozen;
    if (frozen)
        w.freezes++;
    loop_stop(w.loop);
    return true;
}

static const struct launcher_ops fake_ops = {.name = "fake",
                                             .start = fake_start,
                                             .run = fake_run,
                                             .signal = fake_signal,
                                             .kill = fake_kill,
                                             .end = fake_end,
                                             .freeze = fake_freeze,
                                             .go = fake_go,
                                             .connect = fake_connect};

/* ---- what the sandbox says */

static void on_created(struct sandbox *sb, void *arg)
{
    (void)sb;
    (void)arg;
    w.created++;
    loop_stop(w.loop);
}

static void on_ready(struct sandbox *sb, void *arg)
{
    (void)sb;
    (void)arg;
    w.ready++;
    loop_stop(w.loop);
}

static void on_returning(struct sandbox *sb, void *arg)
{
    (void)sb;
    (void)arg;
    w.returning++;
    loop_stop(w.loop);
}

static void on_start_failed(struct sandbox *sb, const struct sandbox_failure *failure, void *arg)
{
    (void)arg;
    w.start_failures++;
    w.failure = failure->kind;
    if (w.charge)
        sandbox_charge(sb, &w.event, failure);
}

static void on_stream(struct sandbox *sb, const struct sandbox_event *ev, struct str bytes,
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

static void on_answer(struct sandbox *sb, const struct sandbox_event *ev,
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

static void on_ending(struct sandbox *sb, void *arg)
{
    (void)sb;
    (void)arg;
    w.ending++;
}

static void on_gone(struct sandbox *sb, void *arg)
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
                                               .on_answer = on_answer,
                                               .on_ending = on_ending,
                                               .on_gone = on_gone};

/* ---- the world */

static void on_patience_over(void *arg)
{
    (void)arg;
    fail_msg("nothing happens any more");
}

static void run_until(const int *count, int wanted)
{
    timer_start(&w.patience, PATIENCE_US);
    while (*count < wanted)
        loop_run(w.loop);
    timer_stop(&w.patience);
}

static struct sandbox_spec *make_spec(void)
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

static struct image_info *make_image(void)
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

static int world_make(void **state)
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
    w.ver = ready_version_new(w.pool, make_spec(), make_image(), NULL, NULL);
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

static void on_logs_closed(void *arg)
{
    (void)arg;
    w.logs = NULL;
    loop_stop(w.loop);
}

static void runtime_hang_up(void)
{
    if (w.watch)
        watch_free(TAKE(w.watch));
    closep(&w.runtime);
}

static int world_end(void **state)
{
    (void)state;
    if (w.sb) {
        sandbox_stop(w.sb, "end of the test");
        run_until(&w.gone, 1);
    }
    runtime_hang_up();
    closep(&w.out);
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

static void on_bytes(int fd, int events, void *arg)
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

static void runtime_dial(void)
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

static void runtime_says(const char *text)
{
    assert_int_equal(send(w.runtime, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Runs the loop until the API has answered with @part. */
static void runtime_hears(const char *part)
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

static void runtime_posts(const char *path, const char *headers, const char *body)
{
    CLEANUP(freep) char *text = str_printf("POST /2018-06-01/runtime/%s HTTP/1.1\r\nHost: x\r\n"
                                           "%sContent-Length: %zu\r\n\r\n%s",
                                           path, headers, strlen(body), body);

    runtime_says(text);
}

static void runtime_prints(const char *text)
{
    assert_int_equal(write(w.out, text, strlen(text)), strlen(text));
}

/* ---- steps */

static void create(void)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    struct launch_times times = {0};
    struct launch_fds fds = {.memory_usage = -1, .memory_events = -1, .stderr_fd = -1};
    FILE *usage = tmpfile();
    int pipes[2];

    w.sb = sandbox_start(&w.host, w.ver);
    assert_int_equal(pipe(pipes), 0);
    fds.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fds.listener, (struct sockaddr *)&name, sizeof(sa_family_t)), 0);
    assert_int_equal(listen(fds.listener, 8), 0);
    fds.stdout_fd = pipes[0];
    w.out = pipes[1];
    w.listener = fds.listener;
    assert_true(fprintf(usage, "31457280\n") > 0); /* 30 MiB */
    fflush(usage);
    fds.memory_usage = dup(fileno(usage));
    fclose(usage);
    w.launch->handler->on_ready(&w.launch->base, &fds, &times, w.launch->arg);
    assert_int_equal(w.created, 1);
    assert_true(w.launch->running);
}

static void come_up(void)
{
    create();
    runtime_dial();
    runtime_says(NEXT);
    run_until(&w.ready, 1);
}

static void come_up_and_run(void)
{
    come_up();
    assert_int_equal(sandbox_run(w.sb, &w.event), 0);
    runtime_hears("{\"n\":1}");
}

static void main_process_exits(int status, uint64_t oom_kills)
{
    const struct launch_exit how = {status, oom_kills};

    w.launch->handler->on_exited(&w.launch->base, &how, w.launch->arg);
}

static void assert_has(struct buf *b, const char *part)
{
    assert_int_equal(buf_append_char(b, '\0'), 0);
    b->len--;
    if (!strstr(b->ptr, part))
        fail_msg("\"%s\" is not in \"%s\"", part, b->ptr);
}

static void assert_body(const char *expected)
{
    assert_int_equal(buf_append_char(&w.body, '\0'), 0);
    assert_string_equal(w.body.ptr, expected);
}

/* ---- tests */

static void only_moves_of_the_table_are_allowed(void **state)
{
    static const char *const allowed[SANDBOX_STATE_MAX] = {
        /* to: creating, init, idle, busy, stopping, dead */
        [SANDBOX_CREATING] = "010011", [SANDBOX_INIT] = "001010", [SANDBOX_IDLE] = "000110",
        [SANDBOX_BUSY] = "001010",     [SANDBOX_STOPPING] = "000001", [SANDBOX_DEAD] = "000000",
    };
    int from, to;
    (void)state;

    for (from = 0; from < SANDBOX_STATE_MAX; from++)
        for (to = 0; to < SANDBOX_STATE_MAX; to++)
            assert_int_equal(sandbox_may_go((enum sandbox_state)from, (enum sandbox_state)to),
                             allowed[from][to] == '1');
}

static void an_idle_sandbox_is_frozen_until_its_next_event(void **state)
{
    (void)state;
    w.host.freeze_after_us = MSEC(1);
    come_up();
    run_until(&w.freezes, 1);
    assert_true(w.frozen);
    assert_int_equal(sandbox_run(w.sb, &w.event), 0);
    assert_false(w.frozen);
    runtime_hears("Lambda-Runtime-Aws-Request-Id: " ID "\r\n");
    runtime_posts("invocation/" ID "/response", "", "{}");
    run_until(&w.answers, 1);
    runtime_hears("202 Accepted");
    runtime_says(NEXT);
    run_until(&w.freezes, 2);
    sandbox_stop(w.sb, "test");
    assert_false(w.frozen); /* to be able to end */
}

static void event_and_answer_go_through(void **state)
{
    (void)state;
    come_up();
    assert_int_equal(sandbox_state(w.sb), SANDBOX_IDLE);
    assert_int_equal(sandbox_run(w.sb, &w.event), 0);
    runtime_hears("Lambda-Runtime-Aws-Request-Id: " ID "\r\n");
    runtime_prints("hello\nwithout end");
    runtime_posts("invocation/" ID "/response", "", "{\"ok\":1}");
    run_until(&w.answers, 1);
    assert_int_equal(w.outcome, INVOKE_OK);
    assert_body("{\"ok\":1}");
    assert_has(&w.tail,
               "START RequestId: " ID " Version: $LATEST\nhello\nwithout end\nEND RequestId: " ID
               "\nREPORT RequestId: " ID "\tDuration: ");
    assert_has(&w.tail, "\tMax Memory Used: 30 MB\tInit Duration: ");
    assert_int_equal(sandbox_state(w.sb), SANDBOX_BUSY); /* until it asks again */
    runtime_hears("202 Accepted");
    runtime_says(NEXT);
    run_until(&w.ready, 2);
    assert_int_equal(sandbox_run(w.sb, &w.event), 0);
    runtime_hears("{\"n\":1}");
    runtime_posts("invocation/" ID "/error", "Lambda-Runtime-Function-Error-Type: Runtime.Bad\r\n",
                  "{}");
    run_until(&w.answers, 2);
    assert_int_equal(w.outcome, INVOKE_FUNCTION_ERROR);
    assert_body("{}");
    assert_has(&w.tail, "Max Memory Used: 30 MB\tStatus: error\tError Type: Runtime.Bad\n");
}

static void answer_with_another_id_is_nobodys(void **state)
{
    (void)state;
    come_up_and_run();
    runtime_posts("invocation/another/response", "", "1");
    runtime_hears("InvalidRequestID");
    assert_int_equal(w.answers, 0);
    assert_true(sandbox_has_event(w.sb));
}

static void timeout_is_answered_and_ends_the_sandbox(void **state)
{
    (void)state;
    ((struct sandbox_spec *)ready_version_spec(w.ver))->timeout_s = 0; /* at once */
    come_up_and_run();
    run_until(&w.answers, 1);
    assert_int_equal(w.outcome, INVOKE_FUNCTION_ERROR);
    assert_body("{\"errorType\":\"Sandbox.Timedout\",\"errorMessage\":\"RequestId: " ID
                " Error: Task timed out after 0.00 seconds\"}");
    assert_has(&w.tail, "Z " ID " Task timed out after 0.00 seconds\nEND ");
    assert_has(&w.tail, "\tStatus: timeout\n");
    assert_true(w.launch->ended);
    run_until(&w.gone, 1);
    assert_int_equal(w.ending, 1);
}

static void exit_while_running_is_answered(void **state)
{
    (void)state;
    come_up_and_run();
    main_process_exits(3 << 8, 0);
    run_until(&w.answers, 1);
    assert_body("{\"errorType\":\"Runtime.ExitError\",\"errorMessage\":\"RequestId: " ID
                " Error: Runtime exited with error: exit status 3\"}");
    assert_has(&w.tail, "\nRequestId: " ID " Error: Runtime exited with error: exit status 3\n"
                        "Runtime.ExitError\nEND ");
    assert_has(&w.tail, "\tStatus: error\tError Type: Runtime.ExitError\n");
    assert_true(w.launch->ended);
}

static void out_of_memory_is_reported(void **state)
{
    (void)state;
    come_up_and_run();
    main_process_exits(SIGKILL, 1);
    run_until(&w.answers, 1);
    assert_body("{\"errorType\":\"Runtime.ExitError\",\"errorMessage\":\"RequestId: " ID
                " Error: Runtime exited with error: signal: killed\"}");
    assert_has(&w.tail, "\tStatus: error\tError Type: Runtime.OutOfMemory\n");
}

static void answer_in_one_breath_with_the_exit_counts(void **state)
{
    (void)state;
    come_up_and_run();
    runtime_posts("invocation/" ID "/response", "", "7");
    main_process_exits(0, 0); /* the news of it come first */
    run_until(&w.answers, 1);
    assert_int_equal(w.outcome, INVOKE_OK);
    assert_body("7");
    run_until(&w.gone, 1);
    assert_int_equal(w.answers, 1);
}

static void death_while_idle_ends_it_at_once(void **state)
{
    struct error err;
    (void)state;

    come_up();
    error_set(&err, ERR_CLOSED, "PID 1 is gone");
    w.launch->handler->on_failed(&w.launch->base, LAUNCH_FAILED_DIED, &err, w.launch->arg);
    assert_int_equal(w.ending, 1);
    run_until(&w.gone, 1);
}

static void lost_connection_makes_it_unready_until_it_asks_again(void **state)
{
    (void)state;
    come_up();
    runtime_hang_up();
    run_until(&w.returning, 1);
    assert_int_equal(sandbox_state(w.sb), SANDBOX_BUSY);
    runtime_dial();
    runtime_says(NEXT);
    run_until(&w.ready, 2);
    assert_int_equal(sandbox_run(w.sb, &w.event), 0);
    runtime_hears("{\"n\":1}");
}

static void init_error_of_the_runtime_is_the_answer(void **state)
{
    (void)state;
    w.charge = true;
    create();
    runtime_dial();
    runtime_prints("[ERROR] Runtime.ImportModuleError: no module\nwithout end");
    runtime_posts("init/error", "Lambda-Runtime-Function-Error-Type: Runtime.ImportModuleError\r\n",
                  "{\"errorMessage\":\"no module\"}");
    run_until(&w.answers, 1);
    assert_int_equal(w.failure, SANDBOX_FAILED_FUNCTION);
    assert_int_equal(w.outcome, INVOKE_FUNCTION_ERROR);
    assert_body("{\"errorMessage\":\"no module\"}");
    assert_has(&w.tail, "START RequestId: " ID " Version: $LATEST\n"
                        "[ERROR] Runtime.ImportModuleError: no module\nwithout end\n"
                        "END RequestId: " ID);
    assert_has(&w.tail, "\tStatus: error\tError Type: Runtime.ImportModuleError\n");
    run_until(&w.gone, 1);
}

static void exit_during_init_is_answered(void **state)
{
    (void)state;
    w.charge = true;
    create();
    runtime_prints("bye\n");
    main_process_exits(0, 0);
    run_until(&w.answers, 1);
    assert_body("{\"errorType\":\"Runtime.ExitError\",\"errorMessage\":\"RequestId: " ID
                " Error: Runtime exited without providing a reason\"}");
    assert_has(&w.tail, "$LATEST\nbye\nRequestId: " ID " Error: Runtime exited without");
    run_until(&w.gone, 1);
}

static void program_that_cannot_run_is_an_invalid_entry_point(void **state)
{
    struct error err;
    (void)state;

    w.charge = true;
    create();
    error_set_errno(&err, ERR_BAD_REQUEST, ENOENT, "fork/exec prog");
    w.launch->handler->on_failed(&w.launch->base, LAUNCH_FAILED_ENTRYPOINT, &err, w.launch->arg);
    assert_int_equal(w.answers, 1);
    assert_body("{\"errorType\":\"Runtime.InvalidEntrypoint\",\"errorMessage\":\"RequestId: " ID
                " Error: exec: \\\"prog\\\": executable file not found in $PATH\"}");
    run_until(&w.gone, 1);
}

static void init_that_takes_too_long_fails_the_start(void **state)
{
    (void)state;
    w.host.init_limit_us = MSEC(1);
    create();
    run_until(&w.gone, 1);
    assert_int_equal(w.start_failures, 1);
    assert_int_equal(w.failure, SANDBOX_FAILED_INIT_TIMEOUT);
    assert_int_equal(w.ready, 0);
}

static void second_try_has_its_init_within_the_functions_timeout(void **state)
{
    (void)state;
    ready_version_expect_slow(w.ver);
    ((struct sandbox_spec *)ready_version_spec(w.ver))->timeout_s = 1;
    w.host.init_limit_us = 1; /* would fail at once */
    come_up();
    assert_int_equal(w.start_failures, 0);
    assert_false(ready_version_take_slow(w.ver));
}

static void start_that_the_launcher_refuses_fails_later(void **state)
{
    (void)state;
    w.refuse_start = true;
    w.sb = sandbox_start(&w.host, w.ver);
    assert_int_equal(w.start_failures, 0);
    run_until(&w.gone, 1);
    assert_int_equal(w.start_failures, 1);
    assert_int_equal(w.failure, SANDBOX_FAILED_NODE);
}

static void stop_answers_what_runs(void **state)
{
    (void)state;
    come_up_and_run();
    sandbox_stop(w.sb, "test");
    assert_int_equal(w.answers, 1);
    assert_int_equal(w.outcome, INVOKE_REFUSED);
    sandbox_stop(w.sb, "test");
    run_until(&w.gone, 1);
    assert_int_equal(w.ending, 1);
}

/* ---- extensions: each call on a connection of its own */

struct call {
    int fd;
    struct watch *watch;
    struct buf got;
};

static void on_call_bytes(int fd, int events, void *arg)
{
    struct call *c = arg;
    char bytes[4096];
    ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
    (void)events;

    if (n > 0)
        assert_int_equal(buf_append(&c->got, bytes, (size_t)n), 0);
    else
        watch_set(c->watch, 0);
    loop_stop(w.loop);
}

static void call_begin(struct call *c, const char *request)
{
    struct sockaddr_un name;
    socklen_t len = sizeof(name);

    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(getsockname(w.listener, (struct sockaddr *)&name, &len), 0);
    assert_int_equal(connect(c->fd, (struct sockaddr *)&name, len), 0);
    c->watch = watch_new(w.loop, c->fd, on_call_bytes, c);
    watch_set(c->watch, WATCH_READ);
    buf_init(&c->got, 65536);
    assert_int_equal(send(c->fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
}

static void call_hears(struct call *c, const char *part)
{
    timer_start(&w.patience, PATIENCE_US);
    for (;;) {
        assert_int_equal(buf_append_char(&c->got, '\0'), 0);
        c->got.len--;
        if (strstr(c->got.ptr, part))
            break;
        loop_run(w.loop);
    }
    timer_stop(&w.patience);
}

static void call_end(struct call *c)
{
    watch_free(TAKE(c->watch));
    closep(&c->fd);
    buf_done(&c->got);
}

static void extension_registers(const char *name, const char *events, char *ret_id)
{
    CLEANUP(freep) char *request =
        str_printf("POST /2020-01-01/extension/register HTTP/1.1\r\nHost: x\r\n"
                   "Lambda-Extension-Name: %s\r\nContent-Length: %zu\r\n\r\n%s",
                   name, strlen(events), events);
    struct call c;
    const char *at;

    call_begin(&c, request);
    call_hears(&c, "\r\n\r\n");
    at = strstr(c.got.ptr, "Lambda-Extension-Identifier: ");
    assert_non_null(at);
    memcpy(ret_id, at + 29, UUID_LEN);
    ret_id[UUID_LEN] = '\0';
    call_end(&c);
}

static void extension_asks(struct call *c, const char *id)
{
    CLEANUP(freep) char *request =
        str_printf("GET /2020-01-01/extension/event/next HTTP/1.1\r\nHost: x\r\n"
                   "Lambda-Extension-Identifier: %s\r\n\r\n",
                   id);

    call_begin(c, request);
}

static void launcher_finds(const char *name)
{
    const struct init_extensions found = {.found = 1, .len = 1, .names = {name}};

    w.launch->handler->on_extensions(&w.launch->base, &found, -1, w.launch->arg);
}

static void extension_exits(const char *name, int status)
{
    struct init_extension news = {INIT_EXTENSION_EXITED, status, ""};

    snprintf(news.name, sizeof(news.name), "%s", name);
    w.launch->handler->on_extension(&w.launch->base, &news, w.launch->arg);
}

/* With the external extension "x", which wants all events; @next is its first event/next. */
static void come_up_with_extension(char *id, struct call *next)
{
    create();
    launcher_finds("x");
    assert_int_equal(w.launch->gos, 1);
    extension_registers("x", "{\"events\":[\"INVOKE\",\"SHUTDOWN\"]}", id);
    run_until(&w.launch->gos, 2); /* the runtime after it */
    runtime_dial();
    runtime_says(NEXT);
    extension_asks(next, id);
    run_until(&w.ready, 1);
}

static void on_count(void *arg)
{
    ++*(int *)arg;
    loop_stop(w.loop);
}

static void turn_over(void)
{
    int turns = 0;

    loop_defer(w.loop, on_count, &turns);
    run_until(&turns, 1);
}

static void init_waits_for_runtime_and_extensions(void **state)
{
    char id[UUID_MAX];
    struct call next;
    int i;
    (void)state;

    create();
    launcher_finds("x");
    extension_registers("x", "{\"events\":[]}", id);
    runtime_dial();
    runtime_says(NEXT);
    for (i = 0; i < 10; i++)
        turn_over();
    assert_int_equal(w.ready, 0);
    assert_int_equal(sandbox_state(w.sb), SANDBOX_INIT);
    extension_asks(&next, id);
    run_until(&w.ready, 1);
    assert_int_equal(sandbox_run(w.sb, &w.event), 0); /* which it did not register for */
    runtime_hears("{\"n\":1}");
    assert_int_equal(next.got.len, 0);
    runtime_posts("invocation/" ID "/response", "", "1");
    runtime_says(NEXT);
    run_until(&w.ready, 2); /* it waits as before */
    call_end(&next);
}

static void invocation_is_over_when_its_extensions_ask_again(void **state)
{
    char id[UUID_MAX];
    struct call next, again;
    int i;
    (void)state;

    come_up_with_extension(id, &next);
    assert_int_equal(sandbox_run(w.sb, &w.event), 0);
    call_hears(&next, "{\"eventType\":\"INVOKE\",\"deadlineMs\":");
    call_hears(&next, ",\"requestId\":\"" ID "\",\"invokedFunctionArn\":\"arn:x\",\"tracing\":{");
    assert_non_null(strstr(next.got.ptr, "Lambda-Extension-Event-Identifier: "));
    runtime_hears("{\"n\":1}");
    runtime_posts("invocation/" ID "/response", "", "1");
    run_until(&w.answers, 1); /* the caller does not wait for it */
    runtime_says(NEXT);
    for (i = 0; i < 10; i++)
        turn_over();
    assert_int_equal(w.ready, 1);
    assert_int_equal(sandbox_state(w.sb), SANDBOX_BUSY);
    extension_asks(&again, id);
    run_until(&w.ready, 2);
    call_end(&next);
    call_end(&again);
}

static void extension_that_goes_away_makes_it_unready(void **state)
{
    char id[UUID_MAX];
    struct call next;
    (void)state;

    come_up_with_extension(id, &next);
    call_end(&next);
    run_until(&w.returning, 1);
    assert_int_equal(sandbox_state(w.sb), SANDBOX_BUSY);
    extension_asks(&next, id);
    run_until(&w.ready, 2);
    call_end(&next);
}

static void stop_gives_runtime_and_extensions_their_time(void **state)
{
    char id[UUID_MAX];
    struct call next;
    (void)state;

    come_up_with_extension(id, &next);
    sandbox_stop(w.sb, "test");
    assert_int_equal(w.ending, 1); /* takes nothing any more */
    assert_int_equal(w.launch->signo, SIGTERM);
    assert_false(w.launch->ended);
    main_process_exits(0, 0);
    call_hears(&next, "{\"eventType\":\"SHUTDOWN\",\"shutdownReason\":\"SPINDOWN\",\"deadlineMs\":");
    assert_false(w.launch->ended);
    extension_exits("x", 0);
    assert_true(w.launch->ended);
    run_until(&w.gone, 1);
    call_end(&next);
}

static void stop_does_not_wait_for_ever(void **state)
{
    uint64_t began = now_us(), took;
    char id[UUID_MAX];
    struct call next;
    (void)state;

    come_up_with_extension(id, &next);
    sandbox_stop(w.sb, "test"); /* neither runtime nor extension cares */
    call_hears(&next, "SHUTDOWN");
    assert_int_equal(w.launch->signo, SIGKILL);
    took = now_us() - began;
    assert_true(took >= MSEC(300) && took < MSEC(1900));
    run_until(&w.gone, 1);
    took = now_us() - began;
    assert_true(took >= MSEC(2000) && took < MSEC(4000));
    call_end(&next);
}

static void crash_of_an_extension_is_the_answer(void **state)
{
    char id[UUID_MAX];
    struct call next;
    (void)state;

    come_up_with_extension(id, &next);
    assert_int_equal(sandbox_run(w.sb, &w.event), 0);
    extension_exits("x", 3 << 8);
    assert_int_equal(w.answers, 1);
    assert_body("{\"errorType\":\"Extension.Crash\",\"errorMessage\":\"RequestId: " ID
                " Error: exit code 3\"}");
    assert_has(&w.tail, "\nEXTENSION\tName: x\tState: Exited\tEvents: [INVOKE,SHUTDOWN]\tError "
                        "Type: Extension.Crash\nRequestId: " ID " Error: exit code 3\n"
                        "Extension.Crash\nEND ");
    main_process_exits(0, 0);
    run_until(&w.gone, 1);
    call_end(&next);
}

static void host_waits_for_shutdowns(void **state)
{
    static int stopped;
    char id[UUID_MAX];
    struct call next;
    (void)state;

    stopped = 0;
    come_up_with_extension(id, &next);
    sandbox_host_stop(&w.host, "test", on_count, &stopped);
    turn_over();
    assert_int_equal(stopped, 0);
    main_process_exits(0, 0);
    extension_exits("x", 0);
    run_until(&stopped, 1);
    run_until(&w.gone, 1);
    call_end(&next);
    sandbox_host_stop(&w.host, "test", on_count, &stopped);
    run_until(&stopped, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_make, world_end)

/* ---- streamed answers */

#define STREAMS                                                                                    \
    "POST /2018-06-01/runtime/invocation/" ID "/response HTTP/1.1\r\nHost: x\r\n"                  \
    "Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n\r\n"

static void begin_stream(bool wanted)
{
    w.event.want_stream = wanted;
    come_up_and_run();
    runtime_says(STREAMS);
}

static void a_streamed_answer_is_handed_on_while_it_comes(void **state)
{
    (void)state;
    begin_stream(true);
    run_until(&w.pieces, 1); /* the begin */
    runtime_says("5\r\nfirst\r\n");
    run_until(&w.pieces, 2);
    assert_true(str_is(buf_str(&w.streamed), "first"));
    runtime_says("2\r\n, \r\n6\r\nsecond\r\n");
    run_until(&w.pieces, 3);
    assert_int_equal(w.answers, 0);
    runtime_says("0\r\n\r\n");
    runtime_hears("202 Accepted");
    assert_int_equal(w.answers, 1);
    assert_int_equal(w.outcome, INVOKE_OK);
    assert_int_equal(w.body.len, 0);
    assert_true(str_is(buf_str(&w.streamed), "first, second"));
    runtime_says(NEXT);
    run_until(&w.ready, 2);
}

static void a_held_answer_waits_in_the_runtimes_socket(void **state)
{
    int i;

    (void)state;
    w.hold = true;
    begin_stream(true);
    run_until(&w.pieces, 1);
    runtime_says("5\r\nfirst\r\n");
    for (i = 0; i < 50; i++) {
        loop_defer(w.loop, (loop_fn *)loop_stop, w.loop);
        loop_run(w.loop);
    }
    assert_int_equal(w.pieces, 1);
    w.hold = false;
    sandbox_hold(w.sb, false);
    run_until(&w.pieces, 2);
    runtime_says("0\r\n\r\n");
    runtime_hears("202 Accepted");
}

static void a_streamed_answer_that_nobody_asked_for_is_gathered(void **state)
{
    (void)state;
    begin_stream(false);
    runtime_says("5\r\nfirst\r\n8\r\n, second\r\n0\r\n\r\n");
    run_until(&w.answers, 1);
    assert_int_equal(w.outcome, INVOKE_OK);
    assert_true(str_is(buf_str(&w.body), "first, second"));
    assert_int_equal(w.pieces, 0);
}

static void trailers_tell_of_an_error(void **state)
{
    bool wanted;

    (void)state;
    for (wanted = false;; wanted = true) {
        begin_stream(wanted);
        runtime_says("4\r\nhalf\r\n0\r\nLambda-Runtime-Function-Error-Type: Function.X\r\n"
                     "Lambda-Runtime-Function-Error-Body: e30=\r\n\r\n");
        run_until(&w.answers, 1);
        assert_int_equal(w.outcome, INVOKE_FUNCTION_ERROR);
        assert_true(str_is(buf_str(&w.body), "{}"));
        assert_string_equal(w.error_type, "Function.X");
        if (wanted)
            return;
        assert_int_equal(world_end(state), 0);
        assert_int_equal(world_make(state), 0);
    }
}

static void a_stream_beyond_its_limit_is_refused(void **state)
{
    char text[1100];
    int n = snprintf(text, sizeof(text), "3e9\r\n%01001d\r\n", 0);

    (void)state;
    assert_in_range(n, 1000, sizeof(text));
    begin_stream(true);
    runtime_says(text);
    runtime_hears("413 ");
    assert_int_equal(w.answers, 1);
    assert_int_equal(w.outcome, INVOKE_FUNCTION_ERROR);
    assert_string_equal(w.error_type, "Function.ResponseSizeTooLarge");
    runtime_dial(); /* it goes on, on another connection */
    runtime_says(NEXT);
    run_until(&w.ready, 2);
}

static void a_stream_that_breaks_off_is_a_truncated_response(void **state)
{
    (void)state;
    begin_stream(true);
    runtime_says("5\r\nhal");
    run_until(&w.pieces, 2);
    runtime_hang_up();
    run_until(&w.answers, 1);
    assert_int_equal(w.outcome, INVOKE_FUNCTION_ERROR);
    assert_string_equal(w.error_type, "Runtime.TruncatedResponse");
    runtime_dial();
    runtime_says(NEXT);
    run_until(&w.ready, 2);
}

static void a_stop_ends_a_stream(void **state)
{
    (void)state;
    begin_stream(true);
    runtime_says("5\r\nhal");
    run_until(&w.pieces, 2);
    sandbox_stop(w.sb, "of the test");
    assert_int_equal(w.answers, 1);
    assert_int_equal(w.outcome, INVOKE_REFUSED);
    runtime_says("lo\r\n"); /* to nobody */
    run_until(&w.gone, 1);
    assert_int_equal(w.answers, 1);
    assert_int_equal(w.pieces, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_moves_of_the_table_are_allowed),
        TEST(an_idle_sandbox_is_frozen_until_its_next_event),
        TEST(event_and_answer_go_through),
        TEST(answer_with_another_id_is_nobodys),
        TEST(timeout_is_answered_and_ends_the_sandbox),
        TEST(exit_while_running_is_answered),
        TEST(out_of_memory_is_reported),
        TEST(answer_in_one_breath_with_the_exit_counts),
        TEST(death_while_idle_ends_it_at_once),
        TEST(lost_connection_makes_it_unready_until_it_asks_again),
        TEST(init_error_of_the_runtime_is_the_answer),
        TEST(exit_during_init_is_answered),
        TEST(program_that_cannot_run_is_an_invalid_entry_point),
        TEST(init_that_takes_too_long_fails_the_start),
        TEST(second_try_has_its_init_within_the_functions_timeout),
        TEST(start_that_the_launcher_refuses_fails_later),
        TEST(stop_answers_what_runs),
        TEST(a_streamed_answer_is_handed_on_while_it_comes),
        TEST(a_held_answer_waits_in_the_runtimes_socket),
        TEST(a_streamed_answer_that_nobody_asked_for_is_gathered),
        TEST(trailers_tell_of_an_error),
        TEST(a_stream_beyond_its_limit_is_refused),
        TEST(a_stream_that_breaks_off_is_a_truncated_response),
        TEST(a_stop_ends_a_stream),
        TEST(init_waits_for_runtime_and_extensions),
        TEST(invocation_is_over_when_its_extensions_ask_again),
        TEST(extension_that_goes_away_makes_it_unready),
        TEST(stop_gives_runtime_and_extensions_their_time),
        TEST(stop_does_not_wait_for_ever),
        TEST(crash_of_an_extension_is_the_answer),
        TEST(host_waits_for_shutdowns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
