/* SPDX-License-Identifier: Apache-2.0 */
/* A launcher with nothing of its own: the test plays PID 1, the other end of a socket pair. */
#include "invoker/launch_base.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "common/base/clock.h"

struct plain_launch {
    struct launch_base base;
    struct timer gone;
};

static struct world {
    struct loop *loop;
    struct launcher_base launcher;
    struct plain_launch *l; /* the last one */
    struct timer patience, gone_by;
    int init; /* PID 1's end */
    int ends, frees, ready, exits, failures, gone, stops, limits, pauses;
    uint32_t quota_us;
    bool busy; /* something else than launches is left */
    bool ends_in_failure; /* the receiver of on_failed ends the launch there */
    enum launch_failure failure;
    struct error err;
    struct launch_exit exit;
    struct launch_fds fds;
} w;

/* ---- the launcher */

static void on_gone_due(void *arg)
{
    struct plain_launch *l = arg;

    launch_base_gone(&l->base);
}

static void plain_hello(struct launch_base *l, const struct launch_fds *fds)
{
    launch_base_ready(l, "box", fds);
}

static void plain_end(struct launch_base *base)
{
    w.ends++;
    init_link_free(TAKE(base->link));
    timer_start(&CONTAINER_OF(base, struct plain_launch, base)->gone, 0);
}

static void plain_free(struct launch_base *base)
{
    struct plain_launch *l = CONTAINER_OF(base, struct plain_launch, base);

    w.frees++;
    launch_base_done(base);
    init_link_free(base->link);
    timer_stop(&l->gone);
    free(l);
}

static void plain_limit_cpu(struct launch_base *l, uint32_t quota_us)
{
    (void)l;
    w.quota_us = quota_us;
    w.limits++;
}

static bool plain_pause(struct launch_base *l)
{
    (void)l;
    return ++w.pauses;
}

static int plain_unpause(struct launch_base *l)
{
    (void)l;
    w.pauses--;
    return 1;
}

static bool plain_is_empty(const struct launcher_base *launcher)
{
    assert_ptr_equal(launcher, &w.launcher);
    return !w.busy;
}

static int plain_start(struct launcher *launcher, const struct launch_options *o,
                       struct launch **ret, struct error *err)
{
    struct plain_launch *l = calloc(1, sizeof(*l));
    int pair[2], r = launch_base_init(&l->base, &w.launcher, o, err);

    assert_ptr_equal(launcher, &w.launcher.base);
    if (r < 0) {
        free(l);
        return r;
    }
    timer_init(&l->gone, w.loop, on_gone_due, l);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    fcntl(pair[0], F_SETFL, O_NONBLOCK);
    closep(&w.init);
    w.init = pair[1];
    l->base.link =
        init_link_new_connected(w.loop, pair[0], &launch_base_link_handler, &l->base);
    w.l = l;
    *ret = &l->base.base;
    return 0;
}

static const struct launcher_ops table = {.name = "plain",
                                          .start = plain_start,
                                          LAUNCH_BASE_TABLE,
                                          .stop = launcher_base_stop};
static const struct launch_base_ops ops = {.hello = plain_hello,
                                           .end = plain_end,
                                           .free = plain_free,
                                           .limit_cpu = plain_limit_cpu,
                                           .pause = plain_pause,
                                           .unpause = plain_unpause,
                                           .is_empty = plain_is_empty};

/* ---- the receiver */

static void on_ready(struct launch *launch, const struct launch_fds *fds,
                     const struct launch_times *times, void *arg)
{
    assert_ptr_equal(launch, &w.l->base.base);
    assert_ptr_equal(arg, &w);
    assert_true(times->total_us < SECONDS(10));
    w.fds = *fds;
    w.ready++;
    loop_stop(w.loop);
}

static void on_exited(struct launch *launch, const struct launch_exit *how, void *arg)
{
    (void)launch;
    (void)arg;
    w.exit = *how;
    w.exits++;
    loop_stop(w.loop);
}

static void on_failed(struct launch *launch, enum launch_failure failure, const struct error *err,
                      void *arg)
{
    (void)arg;
    w.failure = failure;
    w.err = *err;
    w.failures++;
    if (w.ends_in_failure)
        launch_end(launch);
    loop_stop(w.loop);
}

static void on_gone(struct launch *launch, void *arg)
{
    (void)launch;
    (void)arg;
    w.gone++;
    loop_stop(w.loop);
}

static const struct launch_handler handler = {
    .on_ready = on_ready, .on_exited = on_exited, .on_failed = on_failed, .on_gone = on_gone};

/* ---- the world */

static void on_patience_over(void *arg)
{
    (void)arg;
    fail_msg("nothing happens any more");
}

static void on_gone_by(void *arg)
{
    (void)arg;
    loop_stop(w.loop);
}

static void run(void)
{
    timer_start(&w.patience, SECONDS(10));
    loop_run(w.loop);
    timer_stop(&w.patience);
}

static void close_fds(void)
{
    closep(&w.fds.listener);
    closep(&w.fds.stdout_fd);
    closep(&w.fds.stderr_fd);
}

static int world_make(void **state)
{
    (void)state;
    log_least = LOG_ERROR;
    w = (struct world){.init = -1, .fds = {-1, -1, -1, -1, -1}, .loop = loop_new()};
    timer_init(&w.patience, w.loop, on_patience_over, NULL);
    timer_init(&w.gone_by, w.loop, on_gone_by, NULL);
    launcher_base_init(&w.launcher, w.loop, NULL, &table, &ops);
    return 0;
}

static int world_end(void **state)
{
    (void)state;
    launcher_base_done(&w.launcher);
    closep(&w.init);
    close_fds();
    loop_free(w.loop);
    return 0;
}

static int start(const char *id, struct error *err)
{
    static char name[] = "f", program[] = "prog", cwd[] = "/somewhere";
    static char *nothing[] = {NULL}, *entry[] = {program, NULL};
    const struct sandbox_spec spec = {
        .region = name, .name = name, .version = name, .memory_mib = 128, .log_group = name};
    const struct image_info image = {.reference = name,
                                     .entry_point = entry,
                                     .command = nothing,
                                     .env = nothing,
                                     .volumes = nothing,
                                     .working_directory = cwd};
    const struct launch_options options = {.sandbox_id = id,
                                           .spec = &spec,
                                           .image = &image,
                                           .log_stream = "s",
                                           .handler = &handler,
                                           .arg = &w};
    struct launch *launch;

    return launch_start(&w.launcher.base, &options, &launch, err);
}

static void say(const void *frame, ssize_t len)
{
    assert_true(len > 0);
    assert_int_equal(write(w.init, frame, (size_t)len), len);
}

static void say_hello(void)
{
    const struct init_hello m = {INIT_WIRE_VERSION, 0};
    uint8_t frame[16];
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC), fds[3] = {null, null, null};
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(fds))];
    } control = {0};
    struct iovec iov = {frame, (size_t)init_hello_write(frame, sizeof(frame), &m)};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.bytes,
                         .msg_controllen = sizeof(control.bytes)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(fds));
    memcpy(CMSG_DATA(c), fds, sizeof(fds));
    assert_true(sendmsg(w.init, &msg, 0) > 0);
    close(null);
    run();
}

static void say_failure(uint8_t stage, int errnum, const char *text)
{
    struct init_failure m = {.stage = stage, .sys_errno = errnum};
    uint8_t frame[INIT_TEXT_MAX + 32];

    snprintf(m.text, sizeof(m.text), "%s", text);
    say(frame, init_failure_write(frame, sizeof(frame), &m));
    run();
}

static void say_exited(int status)
{
    const struct init_exited m = {2, status, 1};
    uint8_t frame[32];

    say(frame, init_exited_write(frame, sizeof(frame), &m));
}

/* The type of the next frame that PID 1 gets; 0: there is none. */
static int next_frame(void)
{
    static uint8_t in[4096];
    struct init_frame frame;
    ssize_t n = recv(w.init, in, sizeof(in), MSG_DONTWAIT | MSG_PEEK);

    if (n <= 0 || init_frame_parse(in, (size_t)n, &frame) != 1)
        return 0;
    assert_int_equal(recv(w.init, in, frame.total, 0), frame.total);
    return (int)frame.type;
}

/* ---- */

static void ids_are_new_and_of_our_form(void **state)
{
    static const char *const wrong[] = {"", "-a", "A", "a/b", "a.b",
                                        "123456789012345678901234567890123"};
    struct error err;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(wrong); i++)
        assert_int_equal(start(wrong[i], &err), -ERR_BAD_REQUEST);
    assert_int_equal(start("12345678901234567890123456789-ab", &err), 0);
    assert_int_equal(start("a", &err), 0);
    assert_int_equal(start("a", &err), -ERR_BAD_REQUEST);
    assert_string_equal(err.msg, "a is no id for a new sandbox");
}

static void pid_1_hears_of_what_is_asked_in_its_time_only(void **state)
{
    struct launch *launch;

    (void)state;
    assert_int_equal(start("a", NULL), 0);
    launch = &w.l->base.base;
    launch_run(launch);
    launch_signal(launch, 15);
    say_hello();
    assert_int_equal(w.ready, 1);
    launch_kill(launch);
    launch_restart(launch);
    launch_go(launch);
    launch_connect(launch, 1, 80);
    assert_int_equal(next_frame(), 0);
    launch_run(launch);
    launch_run(launch);
    launch_signal(launch, 15);
    launch_go(launch);
    launch_connect(launch, 1, 80);
    launch_kill(launch);
    launch_restart(launch);
    assert_int_equal(next_frame(), INIT_START);
    assert_int_equal(next_frame(), INIT_SIGNAL);
    assert_int_equal(next_frame(), INIT_GO);
    assert_int_equal(next_frame(), INIT_CONNECT);
    assert_int_equal(next_frame(), INIT_KILL);
    assert_int_equal(next_frame(), INIT_RESTART);
    assert_int_equal(next_frame(), 0);
    launch_end(launch);
    launch_signal(launch, 15); /* there is no link any more */
    launch_end(launch);
    run();
    assert_int_equal(w.ends, 1);
    assert_int_equal(w.gone, 1);
    assert_int_equal(w.frees, 1);
    assert_int_equal(w.failures, 0);
}

static void failures_of_the_function_say_what_they_were_about(void **state)
{
    static const struct {
        enum init_stage stage;
        enum launch_failure failure;
        const char *text;
    } rows[] = {
        {INIT_STAGE_EXEC, LAUNCH_FAILED_ENTRYPOINT, "fork/exec prog"},
        {INIT_STAGE_CHDIR, LAUNCH_FAILED_WORKDIR, "chdir /somewhere"},
        {INIT_STAGE_FORK, LAUNCH_FAILED_ENGINE, "hearth-init, step 5: fork"},
    };
    char id[2] = "a";
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(rows); i++, id[0]++) {
        assert_int_equal(start(id, NULL), 0);
        say_hello();
        launch_run(&w.l->base.base);
        say_failure((uint8_t)rows[i].stage, ENOENT, "fork");
        assert_int_equal(w.failure, rows[i].failure);
        assert_int_equal(w.err.sys_errno, ENOENT);
        assert_memory_equal(w.err.msg, rows[i].text, strlen(rows[i].text));
        run();
        assert_int_equal(w.gone, (int)i + 1);
        close_fds();
    }
    assert_int_equal(w.failures, (int)ARRAY_LEN(rows));
}

static void the_environment_is_wiped_once_the_function_runs(void **state)
{
    uint8_t frame[32];

    (void)state;
    assert_int_equal(start("a", NULL), 0);
    say_hello();
    launch_run(&w.l->base.base);
    assert_non_null(w.l->base.env);
    say(frame, init_started_write(frame, sizeof(frame), &(struct init_started){2}));
    say_exited(0x100);
    run();
    assert_null(w.l->base.env);
}

static void the_cpu_is_limited_once_by_whoever_can(void **state)
{
    char folder[] = "/tmp/hearth-launch-XXXXXX", text[16] = "", *path;
    struct cgroup cg = {.is_v2 = true};
    int fd;

    (void)state;
    assert_int_equal(start("a", NULL), 0);
    say_hello();
    launch_settled(&w.l->base.base); /* nothing runs yet */
    assert_int_equal(start("b", NULL), 0);
    close_fds();
    say_hello();
    launch_run(&w.l->base.base);
    launch_settled(&w.l->base.base);
    launch_settled(&w.l->base.base);
    assert_int_equal(w.limits, 1);
    assert_int_equal(w.quota_us, 1447); /* of 20000, for 128 MiB */

    assert_int_equal(start("c", NULL), 0);
    close_fds();
    say_hello();
    launch_run(&w.l->base.base);
    w.l->base.cgroup = &cg;
    cg.folder[CGROUP_CPU] = mkdtemp(folder);
    path = str_printf("%s/cpu.max", folder);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    launch_settled(&w.l->base.base);
    assert_int_equal(w.limits, 1);
    assert_true(read(fd, text, sizeof(text) - 1) > 0);
    assert_string_equal(text, "1447 20000");
    close(fd);
    unlink(path);
    assert_int_equal(rmdir(folder), 0);
    free(path);
    w.l->base.cgroup = NULL;
}

static void it_is_frozen_by_its_cgroup_or_else_by_an_engine(void **state)
{
    char folder[] = "/tmp/hearth-launch-XXXXXX", text[16] = "", *path;
    struct cgroup cg = {.is_v2 = true};
    struct launch *launch;
    int fd;

    (void)state;
    assert_int_equal(start("a", NULL), 0);
    launch = &w.l->base.base;
    say_hello();
    assert_false(launch_freeze(launch)); /* nothing runs yet */
    launch_run(launch);
    assert_true(launch_freeze(launch));
    assert_int_equal(w.pauses, 1);
    assert_int_equal(launch_thaw(launch), 1);
    assert_int_equal(w.pauses, 0);

    w.l->base.cgroup = &cg;
    cg.folder[CGROUP_FREEZER] = mkdtemp(folder);
    path = str_printf("%s/cgroup.freeze", folder);
    assert_true(launch_freeze(launch)); /* it has no freezer */
    assert_int_equal(w.pauses, 1);
    w.pauses = 0;
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(thaw_janitor_new(NULL, &w.launcher.janitor, NULL), 0);
    assert_true(launch_freeze(launch));
    assert_int_equal(w.pauses, 0);
    assert_true(read(fd, text, sizeof(text)) > 0);
    assert_string_equal(text, "1");
    assert_int_equal(launch_thaw(launch), 0);
    assert_int_equal(pread(fd, text, sizeof(text), 0), 1);
    assert_string_equal(text, "0");
    assert_true(launch_freeze(launch));
    unlink(path);
    assert_int_equal(launch_thaw(launch), -ERR_CLOSED); /* it cannot be let go on */
    close(fd);
    assert_int_equal(rmdir(folder), 0);
    free(path);
    launch_end(launch);
    run();
    thaw_janitor_free(w.launcher.janitor);
    w.launcher.janitor = NULL;
}

static void an_exit_is_told_once_and_is_no_failure(void **state)
{
    (void)state;
    assert_int_equal(start("a", NULL), 0);
    say_hello();
    launch_run(&w.l->base.base);
    say_exited(9);
    run();
    say_exited(0);
    closep(&w.init);
    run();
    assert_int_equal(w.exits, 1);
    assert_int_equal(w.exit.status, 9);
    assert_true(w.exit.oom_kills == 1);
    assert_int_equal(w.failures, 0);
    assert_int_equal(w.gone, 1);
}

static void a_death_is_told_once_also_to_one_who_ends_it_then(void **state)
{
    (void)state;
    w.ends_in_failure = true;
    assert_int_equal(start("a", NULL), 0);
    say_hello();
    closep(&w.init);
    run();
    assert_int_equal(w.failure, LAUNCH_FAILED_DIED);
    run();
    assert_int_equal(w.failures, 1);
    assert_int_equal(w.ends, 1);
    assert_int_equal(w.gone, 1);
}

static void on_stopped(void *arg)
{
    assert_ptr_equal(arg, &w);
    w.stops++;
    loop_stop(w.loop);
}

static void a_stop_ends_all_and_waits_for_what_else_there_is(void **state)
{
    (void)state;
    assert_int_equal(start("a", NULL), 0);
    assert_int_equal(start("b", NULL), 0);
    w.busy = true;
    launcher_stop(&w.launcher.base, on_stopped, &w);
    while (w.gone < 2)
        run();
    assert_int_equal(w.ends, 2);
    timer_start(&w.gone_by, MSEC(5));
    run();
    assert_int_equal(w.stops, 0); /* nothing but what keeps it busy could have come in between */
    w.busy = false;
    launcher_base_look(&w.launcher);
    while (w.stops == 0)
        run();
    assert_int_equal(w.stops, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_make, world_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ids_are_new_and_of_our_form),
        TEST(pid_1_hears_of_what_is_asked_in_its_time_only),
        TEST(failures_of_the_function_say_what_they_were_about),
        TEST(the_environment_is_wiped_once_the_function_runs),
        TEST(the_cpu_is_limited_once_by_whoever_can),
        TEST(it_is_frozen_by_its_cgroup_or_else_by_an_engine),
        TEST(an_exit_is_told_once_and_is_no_failure),
        TEST(a_death_is_told_once_also_to_one_who_ends_it_then),
        TEST(a_stop_ends_all_and_waits_for_what_else_there_is),
    };

    return cmocka_run_group_tests_name("launch_base", tests, NULL, NULL);
}
