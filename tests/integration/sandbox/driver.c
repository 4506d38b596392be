/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox-driver - the launcher alone, led by tests/integration/test_sandboxes.py: commands come as
 * lines on standard input, events go as JSON lines to standard output.
 *
 *   sandbox-driver SOCKET RUN_DIR HEARTH_INIT NODE IMAGE docker|native
 *
 *   start ID FOLDER ARGUMENT...   entry point is ARGUMENT...; FOLDER is its working folder
 *   end ID | kill ID | signal ID NUMBER | stop
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/map.h"
#include "invoker/image_store_docker.h"
#include "invoker/launcher_docker.h"
#include "invoker/launcher_native.h"

#define ARGS_MAX 16

struct sandbox {
    struct launch *launch;
    char *id;
    struct launch_fds fds;
    struct watch *listener, *out[2]; /* of the log pipes */
};

static struct loop *loop;
static struct launcher *launcher;
static struct image_info *image;
static struct map sandboxes; /* by id */
static struct buf input = {.max = 65536};

static void say(const struct sandbox *sb, const char *event, const char *members)
{
    printf("{\"event\":\"%s\",\"id\":\"%s\",\"at_us\":%llu%s}\n", event, sb->id,
           (unsigned long long)now_us(), members);
    fflush(stdout);
}

static void on_output(int fd, int events, void *arg)
{
    struct sandbox *sb = arg;
    int stream = fd == sb->fds.stdout_fd ? 1 : 2;
    CLEANUP(buf_done) struct buf members = BUF_INIT(1 << 20);
    char text[16384];
    ssize_t n = read(fd, text, sizeof(text));

    (void)events;
    if (n < 0)
        return;
    buf_printf(&members, ",\"stream\":%d,\"text\":\"", stream);
    buf_append_json(&members, str_from(text, (size_t)n));
    buf_append_char(&members, '"');
    buf_append_char(&members, '\0');
    say(sb, n ? "output" : "eof", members.ptr);
    if (n == 0)
        watch_free(TAKE(sb->out[stream - 1]));
}

static void on_connection(int fd, int events, void *arg)
{
    int connection = accept(fd, NULL, NULL);

    (void)events;
    if (connection < 0)
        return;
    say(arg, "connected", "");
    close(connection);
}

static struct watch *watch_read(int fd, watch_fn *fn, struct sandbox *sb)
{
    struct watch *w = watch_new(loop, fd, fn, sb);

    watch_set(w, WATCH_READ);
    return w;
}

static void on_ready(struct launch *launch, const struct launch_fds *fds,
                     const struct launch_times *times, void *arg)
{
    struct sandbox *sb = arg;
    CLEANUP(freep)
    char *members =
        str_printf(",\"create_us\":%llu,\"start_us\":%llu,\"total_us\":%llu,\"memory\":%s",
                   (unsigned long long)times->create_us, (unsigned long long)times->start_us,
                   (unsigned long long)times->total_us,
                   fds->memory_usage >= 0 && fds->memory_events >= 0 ? "true" : "false");

    sb->fds = *fds;
    sb->listener = watch_read(fds->listener, on_connection, sb);
    sb->out[0] = watch_read(fds->stdout_fd, on_output, sb);
    sb->out[1] = watch_read(fds->stderr_fd, on_output, sb);
    say(sb, "ready", members);
    launch_run(launch);
}

static void on_exited(struct launch *launch, const struct launch_exit *how, void *arg)
{
    CLEANUP(freep)
    char *members = str_printf(",\"status\":%d,\"oom_kills\":%llu", how->status,
                               (unsigned long long)how->oom_kills);

    (void)launch;
    say(arg, "exited", members);
}

static void on_failed(struct launch *launch, enum launch_failure failure, const struct error *err,
                      void *arg)
{
    CLEANUP(freep)
    char *members = str_printf(",\"failure\":%d,\"errno\":%d", (int)failure, err->sys_errno);

    (void)launch;
    say(arg, "failed", members);
}

static void sandbox_free(void *arg)
{
    struct sandbox *sb = arg;

    watch_free(sb->listener);
    watch_free(sb->out[0]);
    watch_free(sb->out[1]);
    closep(&sb->fds.listener);
    closep(&sb->fds.stdout_fd);
    closep(&sb->fds.stderr_fd);
    closep(&sb->fds.memory_usage);
    closep(&sb->fds.memory_events);
    free(sb->id);
    free(sb);
}

static void on_gone(struct launch *launch, void *arg)
{
    struct sandbox *sb = arg;

    (void)launch;
    say(sb, "gone", "");
    sandbox_free(map_remove(&sandboxes, str_of(sb->id)));
}

/* The probes have no extensions. */
static void on_extensions(struct launch *launch, const struct init_extensions *found, int log_fd,
                          void *arg)
{
    (void)launch;
    (void)found;
    (void)arg;
    close(log_fd);
}

static void on_extension(struct launch *launch, const struct init_extension *news, void *arg)
{
    (void)launch;
    (void)news;
    (void)arg;
}

static void on_socket(struct launch *launch, uint32_t token, int fd, int sys_errno, void *arg)
{
    (void)launch;
    (void)token;
    (void)sys_errno;
    (void)arg;
    closep(&fd);
}

/* They are never frozen, and never begun anew. */
static const struct launch_handler handler = {.on_ready = on_ready,
                                              .on_exited = on_exited,
                                              .on_failed = on_failed,
                                              .on_gone = on_gone,
                                              .on_extensions = on_extensions,
                                              .on_extension = on_extension,
                                              .on_socket = on_socket};

static void start(const char *id, char **args)
{
    static struct env_var env[] = {{(char *)"SECRET", (char *)"do-not-show"}};
    struct sandbox *sb = calloc(1, sizeof(*sb));
    static char *no_command[] = {NULL};
    const struct sandbox_spec spec = {
        .account = (char *)"000000000000",
        .region = (char *)"us-east-1",
        .name = (char *)"probe",
        .version = (char *)"$LATEST",
        .memory_mib = 128,
        .ephemeral_mib = 300, /* more than its memory */
        .env = env,
        .env_len = 1,
        .entry_point = args + 1,
        .command = no_command,
        .working_directory = args[0],
        .log_group = (char *)"/aws/lambda/probe",
    };
    const struct launch_options o = {.sandbox_id = id,
                                     .spec = &spec,
                                     .image = image,
                                     .log_stream = "stream",
                                     .init_type = INIT_ON_DEMAND,
                                     .handler = &handler,
                                     .arg = sb};
    struct error err;

    sb->id = str_dup(str_of(id));
    sb->fds = (struct launch_fds){-1, -1, -1, -1, -1};
    if (launch_start(launcher, &o, &sb->launch, &err) < 0) {
        say(sb, "refused", "");
        sandbox_free(sb);
        return;
    }
    map_put(&sandboxes, str_of(id), sb);
}

static void on_stopped(void *arg)
{
    (void)arg;
    loop_stop(loop);
}

static void command(char *line)
{
    char *words[ARGS_MAX + 1] = {NULL}, *save = NULL;
    struct sandbox *sb;
    size_t n = 0;

    for (char *w = strtok_r(line, " ", &save); w && n < ARGS_MAX; w = strtok_r(NULL, " ", &save))
        words[n++] = w;
    sb = n > 1 ? map_get(&sandboxes, str_of(words[1])) : NULL;
    if (n > 3 && strcmp(words[0], "start") == 0)
        start(words[1], words + 2);
    else if (n == 1 && strcmp(words[0], "stop") == 0)
        launcher_stop(launcher, on_stopped, NULL);
    else if (sb && strcmp(words[0], "end") == 0)
        launch_end(sb->launch);
    else if (sb && strcmp(words[0], "kill") == 0)
        launch_kill(sb->launch);
    else if (sb && n > 2 && strcmp(words[0], "signal") == 0)
        launch_signal(sb->launch, (int)strtol(words[2], NULL, 10));
}

static void on_input(int fd, int events, void *arg)
{
    struct watch **watch = arg;
    ssize_t n;
    size_t nl;

    (void)events;
    buf_reserve(&input, 4096);
    n = read(fd, input.ptr + input.len, 4096);
    if (n <= 0) {
        watch_free(TAKE(*watch));
        launcher_stop(launcher, on_stopped, NULL);
        return;
    }
    input.len += (size_t)n;
    while ((nl = str_find(buf_str(&input), '\n', 0)) < input.len) {
        input.ptr[nl] = '\0';
        command(input.ptr);
        buf_consume(&input, nl + 1);
    }
}

static void on_image(const struct image_info *info, const struct error *err, void *arg)
{
    struct watch **watch = arg;

    if (err) {
        fprintf(stderr, "sandbox-driver: %s\n", err->msg);
        loop_stop(loop);
        return;
    }
    image = image_info_copy(info);
    *watch = watch_new(loop, 0, on_input, watch);
    watch_set(*watch, WATCH_READ);
}

static int make_launcher(struct docker *docker, char **argv, struct error *err)
{
    const struct launcher_docker_options on_docker = {.loop = loop,
                                                      .docker = docker,
                                                      .run_dir = argv[2],
                                                      .init_path = argv[3],
                                                      .node = argv[4]};
    CLEANUP(freep) char *scratch = str_printf("%s.scratch", argv[2]);
    const struct launcher_native_options native = {.loop = loop,
                                                   .dir = argv[2],
                                                   .scratch_dir = scratch,
                                                   .init_path = argv[3],
                                                   .node = argv[4],
                                                   .blanks_max = 4};

    return strcmp(argv[6], "native") == 0 ? launcher_native_new(&native, &launcher, err)
                                          : launcher_docker_new(&on_docker, &launcher, err);
}

int main(int argc, char **argv)
{
    struct watch *stdin_watch = NULL;
    struct image_store *images;
    struct http_client *http;
    struct docker *docker;
    struct error err;
    int r;

    if (argc != 7)
        return 2;
    log_init("sandbox-driver", LOG_INFO);
    loop = loop_new();
    http = http_client_new(loop);
    docker = docker_new(&(struct docker_options){.loop = loop, .http = http, .socket = argv[1]});
    images = image_store_docker_new(loop, docker);
    map_init(&sandboxes, sandbox_free);
    r = make_launcher(docker, argv, &err);
    if (r < 0) {
        fprintf(stderr, "sandbox-driver: %s\n", err.msg);
    } else {
        image_prepare(images, argv[5], on_image, &stdin_watch);
        loop_run(loop);
    }
    watch_free(stdin_watch);
    launcher_free(launcher);
    map_done(&sandboxes);
    image_store_free(images);
    image_info_free(image);
    docker_free(docker);
    http_client_free(http);
    loop_free(loop);
    buf_done(&input);
    return r < 0 ? 1 : 0;
}
