/* SPDX-License-Identifier: Apache-2.0 */
/* Without an engine, as that is what the tests on an engine cannot show; see test_sandboxes.py. */
#include "invoker/launcher_docker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"

struct world {
    char dir[32];
    char *socket;
    struct loop *loop;
    struct http_client *http;
    struct docker *docker;
    struct launcher *launcher;
    struct launch *launch;
    struct timer patience;
    int failed, gone, gone_wanted;
    uint64_t failed_us[4];
    struct error err;
};

static struct world w;

static void on_patience_over(void *arg)
{
    (void)arg;
    fail_msg("nothing happens any more");
}

static int world_make(void **state)
{
    struct launcher_docker_options options = {.node = "n", .init_path = "/bin/sh"};
    (void)state;

    log_least = LOG_ERROR;
    w = (struct world){.dir = "/tmp/launcher-XXXXXX"};
    assert_non_null(mkdtemp(w.dir));
    w.socket = str_printf("%s/docker.sock", w.dir);
    w.loop = loop_new();
    w.http = http_client_new(w.loop);
    w.docker =
        docker_new(&(struct docker_options){.loop = w.loop, .http = w.http, .socket = w.socket});
    timer_init(&w.patience, w.loop, on_patience_over, NULL);
    options.loop = w.loop;
    options.docker = w.docker;
    options.docker_socket = w.socket;
    options.run_dir = w.dir;
    assert_int_equal(launcher_docker_new(&options, &w.launcher, NULL), 0);
    return 0;
}

static int world_end(void **state)
{
    (void)state;
    launcher_free(w.launcher);
    docker_free(w.docker);
    http_client_free(w.http);
    loop_free(w.loop);
    free(w.socket);
    assert_int_equal(dir_remove(w.dir, NULL), 0);
    return 0;
}

static void on_failed(struct launch *launch, enum launch_failure failure, const struct error *err,
                      void *arg)
{
    (void)launch;
    (void)arg;
    assert_int_equal(failure, LAUNCH_FAILED_ENGINE);
    w.err = *err;
    w.failed_us[w.failed++] = now_us();
}

static void on_gone(struct launch *launch, void *arg)
{
    (void)launch;
    (void)arg;
    if (++w.gone == w.gone_wanted)
        loop_stop(w.loop);
}

static const struct launch_handler handler = {.on_failed = on_failed, .on_gone = on_gone};

static void start(const char *id)
{
    static char region[] = "r", name[] = "f", version[] = "1", group[] = "g", program[] = "prog";
    static char *nothing[] = {NULL}, *entry[] = {program, NULL};
    const struct sandbox_spec spec = {
        .region = region, .name = name, .version = version, .memory_mib = 128, .log_group = group};
    const struct image_info image = {.reference = name,
                                     .entry_point = entry,
                                     .command = nothing,
                                     .env = nothing,
                                     .volumes = nothing,
                                     .working_directory = name};
    const struct launch_options options = {.sandbox_id = id,
                                           .spec = &spec,
                                           .image = &image,
                                           .log_stream = "s",
                                           .handler = &handler};

    assert_int_equal(launch_start(w.launcher, &options, &w.launch, NULL), 0);
}

static void run_until_gone(int wanted)
{
    w.gone_wanted = wanted;
    timer_start(&w.patience, SECONDS(10));
    loop_run(w.loop);
    timer_stop(&w.patience);
}

static void without_an_engine_a_start_fails_with_advice_and_leaves_nothing_to_remove(void **state)
{
    CLEANUP(freep) char *text =
        str_printf("the Docker engine at %s does not answer; is it running?", w.socket);
    (void)state;

    start("a");
    run_until_gone(1);
    assert_int_equal(w.failed, 1);
    assert_int_equal(w.err.code, ERR_UNAVAILABLE);
    assert_string_equal(w.err.msg, text);
}

static void starts_without_an_engine_wait_longer_each_time(void **state)
{
    (void)state;
    start("a");
    run_until_gone(1);
    start("b");
    run_until_gone(2);
    start("c");
    run_until_gone(3);
    assert_true(w.failed_us[1] - w.failed_us[0] >= MSEC(195));
    assert_true(w.failed_us[2] - w.failed_us[1] >= MSEC(395));
}

static void those_that_wait_fail_together(void **state)
{
    (void)state;
    start("a");
    run_until_gone(1);
    start("b");
    start("c");
    start("d");
    run_until_gone(4);
    assert_true(w.failed_us[3] - w.failed_us[1] < MSEC(195));
}

static void one_that_waits_may_be_ended(void **state)
{
    (void)state;
    start("a");
    run_until_gone(1);
    start("b");
    launch_end(w.launch);
    run_until_gone(2);
    assert_int_equal(w.failed, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_make, world_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_an_engine_a_start_fails_with_advice_and_leaves_nothing_to_remove),
        TEST(starts_without_an_engine_wait_longer_each_time),
        TEST(those_that_wait_fail_together),
        TEST(one_that_waits_may_be_ended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
