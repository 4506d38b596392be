/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox_bench - one launcher alone: from launch_start() to the first GET /next of the C runtime,
 * many at once, many alive, frozen and thawed.
 *
 *   sandbox_bench docker|native SOCKET RUN_DIR HEARTH_INIT IMAGE CODE_DIR
 *
 * Takes commands on standard input, one a line, and answers each with lines of its own and `done`:
 *
 *   rounds N   N sandboxes, one after the other, each ended before the next: a line
 *              `round QUEUED CREATE START READY NEXT GONE` each, microseconds; the first three are
 *              launch_times, READY and NEXT since launch_start(), GONE since launch_end()
 *   add N      N sandboxes one after the other, which stay: `added ALIVE NEXT` each
 *   burst N    N sandboxes at once, which stay: `burst N MICROSECONDS` with the last one's /next
 *   answer N   N sandboxes answer an event each: `answer MICROSECONDS` each
 *   thaw N     the same, each frozen before: `thaw FREEZE THAW ANSWER` each; the event is sent when
 *              the thaw has returned, ANSWER is since the thaw began
 *   end        ends all that are alive: `ended N MICROSECONDS`
 *
 * HEARTH_EGRESS is the invoker's setting: what sandboxes with and without a network cost.
 * `add`, `answer` and `thaw` need sandboxes that stay; the end of standard input ends all.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/list.h"
#include "common/base/log.h"
#include "invoker/image_store_docker.h"
#include "invoker/launcher_docker.h"
#include "invoker/launcher_native.h"

#define ROUND_REST_US MSEC(300) /* between rounds: pools fill up, the machine comes to rest */
#define STEP_REST_US MSEC(40)
#define EVENT                                                                                      \
    "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: bench-1\r\nContent-Length: 2\r\n\r\n{}"
#define TAKEN "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"

struct run {
    struct launch *launch;
    struct launch_fds fds;
    struct watch *listener, *connection;
    struct list_node node; /* in alive, from /next until launch_end() */
    int fd; /* of the connection */
    bool answers; /* it has an event */
    struct launch_times times;
    uint64_t began_us, ready_us, next_us, ended_us;
    uint64_t event_us, freeze_us, thaw_us;
};

enum command { NONE, ROUNDS, ADD, BURST, ANSWER, THAW, END };

static struct loop *loop;
static struct launcher *launcher;
static struct image_info *image;
static char *code_dir;
static struct watch *commands;
static enum command command;
static long left, given; /* of this command: still to do, asked for */
static long started; /* ever */
static uint64_t command_us;
static struct list_node alive; /* of struct run, the oldest first */
static long alive_len;
static struct timer rest;
static bool ending;

static void step(void *arg);

static void fatal(const char *what)
{
    fprintf(stderr, "sandbox_bench: %s\n", what);
    exit(1);
}

static void command_done(void)
{
    command = NONE;
    printf("done\n");
    fflush(stdout);
    watch_set(commands, WATCH_READ);
}

/* One of this command's is over. */
static void one_done(uint64_t rest_us)
{
    if (--left > 0)
        timer_start(&rest, rest_us);
    else
        command_done();
}

static void run_end(struct run *r)
{
    if (!list_is_empty(&r->node)) {
        list_remove(&r->node);
        alive_len--;
    }
    watch_set(r->connection, 0);
    r->ended_us = now_us();
    launch_end(r->launch);
}

/* ---- the runtime's requests */

static void first_next(struct run *r)
{
    r->next_us = now_us();
    launch_settled(r->launch);
    list_append(&alive, &r->node);
    alive_len++;
    if (command == ROUNDS) {
        run_end(r);
    } else if (command == ADD) {
        printf("added %ld %llu\n", alive_len, (unsigned long long)(r->next_us - r->began_us));
        one_done(STEP_REST_US);
    } else if (--left == 0) {
        printf("burst %ld %llu\n", given, (unsigned long long)(now_us() - command_us));
        command_done();
    }
}

static void answered(struct run *r)
{
    unsigned long long took = now_us() - r->event_us;

    if (command == ANSWER)
        printf("answer %llu\n", took);
    else
        printf("thaw %llu %llu %llu\n", (unsigned long long)r->freeze_us,
               (unsigned long long)r->thaw_us, took);
    if (write(r->fd, TAKEN, strlen(TAKEN)) < 0)
        fatal("no answer could be taken");
}

static void on_request(int fd, int events, void *arg)
{
    struct run *r = arg;
    char text[4096];
    ssize_t n = read(fd, text, sizeof(text) - 1);

    (void)events;
    if (n <= 0)
        fatal("the runtime closed its connection");
    if (memmem(text, (size_t)n, "/response", 9)) {
        answered(r);
        return;
    }
    if (!memmem(text, (size_t)n, "/invocation/next", 16))
        fatal("no /next");
    if (!r->next_us)
        first_next(r);
    else if (r->answers) {
        r->answers = false;
        one_done(STEP_REST_US);
    }
}

static void send_event(struct run *r)
{
    if (write(r->fd, EVENT, strlen(EVENT)) < 0)
        fatal("no event could be sent");
}

static void give_event(struct run *r)
{
    list_remove(&r->node); /* the next one is another's */
    list_append(&alive, &r->node);
    r->answers = true;
    if (command == THAW) {
        uint64_t began = now_us();

        if (!launch_freeze(r->launch))
            fatal("not frozen");
        r->freeze_us = now_us() - began;
        r->event_us = now_us();
        if (launch_thaw(r->launch) != 0) /* Docker's pause takes its time: not measured here */
            fatal("not thawed");
        r->thaw_us = now_us() - r->event_us;
    } else {
        r->event_us = now_us();
    }
    send_event(r);
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

/* ---- the launcher's news */

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
    fatal(err->msg);
}

static void on_gone(struct launch *launch, void *arg)
{
    struct run *r = arg;

    (void)launch;
    if (command == ROUNDS)
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
    if (command == ROUNDS) {
        one_done(ROUND_REST_US);
    } else if (command == END && --left == 0) {
        printf("ended %ld %llu\n", given, (unsigned long long)(now_us() - command_us));
        command_done();
    }
}

static const struct launch_handler handler = {.on_ready = on_ready,
                                              .on_exited = on_exited,
                                              .on_failed = on_failed,
                                              .on_gone = on_gone};

static void start_one(void)
{
    static char *entry_point[] = {(char *)"/var/task/bootstrap", NULL}, *no_command[] = {NULL};
    const struct sandbox_spec spec = {.account = (char *)"000000000000",
                                      .region = (char *)"us-east-1",
                                      .name = (char *)"bench",
                                      .version = (char *)"$LATEST",
                                      .memory_mib = 1769,
                                      .ephemeral_mib = 512,
                                      .entry_point = entry_point,
                                      .command = no_command,
                                      .log_group = (char *)"/aws/lambda/bench"};
    struct run *r = calloc(1, sizeof(*r));
    char id[32];
    struct launch_options o = {.sandbox_id = id,
                               .spec = &spec,
                               .image = image,
                               .code_dir = code_dir,
                               .log_stream = "stream",
                               .init_type = INIT_ON_DEMAND,
                               .handler = &handler,
                               .arg = r};
    struct error err;

    if (!r)
        abort();
    snprintf(id, sizeof(id), "bench-%d-%ld", (int)getpid(), ++started);
    r->fd = -1;
    r->fds = (struct launch_fds){-1, -1, -1, -1, -1};
    list_init(&r->node);
    r->began_us = now_us();
    if (launch_start(launcher, &o, &r->launch, &err) < 0)
        fatal(err.msg);
}

/* ---- commands */

static void on_stopped(void *arg)
{
    (void)arg;
    loop_stop(loop);
}

/* What is begun one after the other: the next one. */
static void step(void *arg)
{
    (void)arg;
    if (command == ROUNDS || command == ADD)
        start_one();
    else
        give_event(LIST_FIRST(&alive, struct run, node));
}

static enum command command_of(const char *word)
{
    static const char *const words[] = {"", "rounds", "add", "burst", "answer", "thaw", "end"};
    int i;

    for (i = ROUNDS; i <= END; i++)
        if (strcmp(word, words[i]) == 0)
            return (enum command)i;
    fatal("unknown command");
    return NONE;
}

static void begin(enum command what, long n)
{
    struct run *r;

    command = what;
    left = given = what == END ? alive_len : n;
    command_us = now_us();
    if (left <= 0 || ((what == ANSWER || what == THAW) && !alive_len)) {
        command_done();
    } else if (what == BURST) {
        while (n-- > 0)
            start_one();
    } else if (what == END) {
        while ((r = LIST_FIRST(&alive, struct run, node)))
            run_end(r);
    } else {
        step(NULL);
    }
}

static void on_command(int fd, int events, void *arg)
{
    char line[64], word[32] = "";
    ssize_t n = read(fd, line, sizeof(line) - 1); /* one at a time: each waits for its `done` */
    long count = 0;

    (void)events;
    (void)arg;
    watch_set(commands, 0);
    if (n <= 0) {
        if (!ending)
            launcher_stop(launcher, on_stopped, NULL);
        ending = true;
        return;
    }
    line[n] = '\0';
    if (sscanf(line, "%31s %ld", word, &count) < 1)
        fatal("no command");
    begin(command_of(word), count);
}

static void on_image(const struct image_info *info, const struct error *err, void *arg)
{
    (void)arg;
    if (err)
        fatal(err->msg);
    image = image_info_copy(info);
    watch_set(commands, WATCH_READ);
}

int main(int argc, char **argv)
{
    char node[32]; /* others may run beside us */
    struct launcher_docker_options on_docker = {.node = node};
    struct launcher_native_options native = {.node = node, .blanks_max = 32};
    CLEANUP(freep) char *scratch = argc == 7 ? str_printf("%s.scratch", argv[3]) : NULL;
    const char *egress = getenv("HEARTH_EGRESS");
    struct network_options options = {.node = node, .egress = egress ? egress : "auto", .range = "auto",
                                      .allow = "", .deny = "", .dns = ""};
    struct network *network;
    struct http_client *http;
    struct docker *docker;
    struct image_store *images;
    struct error err;
    int r;

    if (argc != 7)
        return 2;
    snprintf(node, sizeof(node), "bench-%d", (int)getpid());
    native.scratch_dir = scratch;
    log_init("sandbox_bench", LOG_WARN);
    setvbuf(stdout, NULL, _IOLBF, 0);
    list_init(&alive);
    loop = loop_new();
    http = http_client_new(loop);
    docker = docker_new(&(struct docker_options){.loop = loop, .http = http, .socket = argv[2]});
    images = image_store_docker_new(loop, docker);
    on_docker.loop = native.loop = options.loop = loop;
    if (network_new(&options, &network, &err) < 0)
        fatal(err.msg);
    on_docker.network = native.network = network;
    on_docker.docker = docker;
    on_docker.run_dir = native.dir = argv[3];
    on_docker.init_path = native.init_path = argv[4];
    code_dir = argv[6];
    timer_init(&rest, loop, step, NULL);
    commands = watch_new(loop, STDIN_FILENO, on_command, NULL);
    r = strcmp(argv[1], "native") == 0 ? launcher_native_new(&native, &launcher, &err)
                                       : launcher_docker_new(&on_docker, &launcher, &err);
    if (r < 0)
        fatal(err.msg);
    image_prepare(images, argv[5], on_image, NULL);
    loop_run(loop);
    watch_free(commands);
    launcher_free(launcher);
    network_free(network);
    image_store_free(images);
    image_info_free(image);
    docker_free(docker);
    http_client_free(http);
    loop_free(loop);
    return 0;
}
