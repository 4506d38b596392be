/* SPDX-License-Identifier: Apache-2.0 */
/* The engine is a script of answers. */
#include "invoker/docker_pause.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/log.h"
#include "common/io/http_script.h"

#define ANSWER(status, body) "HTTP/1.1 " status "\r\nConnection: close\r\n\r\n" body "\n"
#define VERSION ANSWER("200 OK", "{\"ApiVersion\":\"1.41\",\"MinAPIVersion\":\"1.12\"}")
#define DONE "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
#define FAILS ANSWER("500 Internal Server Error", "{\"message\":\"no freezer\"}")

struct fixture {
    struct loop *loop;
    struct http_client *http;
    struct docker *docker;
    struct http_script script;
    struct launcher_base launcher;
    struct launch_base launch;
    struct docker_pause pause;
    struct error err;
    int over;
};

static void on_thawed(struct launch *launch, const struct error *err, void *arg)
{
    struct fixture *f = arg;

    assert_ptr_equal(launch, &f->launch.base);
    f->over++;
    f->err = err ? *err : (struct error){0};
    loop_stop(f->loop);
}

static const struct launch_handler handler = {.on_thawed = on_thawed};

static void begin(struct fixture *f, const char *const *answers)
{
    log_least = LOG_ERROR;
    *f = (struct fixture){.loop = loop_new()};
    http_script_start(&f->script, answers);
    f->http = http_client_new(f->loop);
    f->docker = docker_new(
        &(struct docker_options){.loop = f->loop, .http = f->http, .socket = f->script.path});
    f->launcher.loop = f->loop;
    f->launch = (struct launch_base){.launcher = &f->launcher,
                                     .handler = &handler,
                                     .arg = f,
                                     .stage = LAUNCH_RUNNING};
    docker_pause_init(&f->pause, &(struct docker_pause_options){
                                     .docker = f->docker, .container = "x", .launch = &f->launch});
}

static void end(struct fixture *f)
{
    docker_pause_done(&f->pause);
    docker_free(f->docker);
    http_client_free(f->http);
    http_script_stop(&f->script);
    loop_free(f->loop);
}

/* As if the time had passed. */
static void begin_pause(struct fixture *f)
{
    assert_true(docker_pause_begin(&f->pause));
    assert_false(docker_pause_is_on(&f->pause)); /* later */
    assert_true(timer_is_armed(&f->pause.timer));
    timer_start(&f->pause.timer, 0);
}

static void on_turn(void *arg)
{
    loop_stop(arg);
}

static void run_until_it_stands(struct fixture *f)
{
    while (!f->pause.stands) {
        loop_defer(f->loop, on_turn, f->loop);
        loop_run(f->loop);
    }
}

static void it_is_paused_and_goes_on(void **state)
{
    static const char *const answers[] = {VERSION, DONE, DONE, NULL};
    struct fixture f;

    (void)state;
    begin(&f, answers);
    begin_pause(&f);
    run_until_it_stands(&f);
    assert_non_null(strstr(f.script.seen[1], "/containers/x/pause "));
    assert_int_equal(docker_pause_end(&f.pause), 1);
    loop_run(f.loop);
    assert_non_null(strstr(f.script.seen[2], "/containers/x/unpause "));
    assert_int_equal(f.over, 1);
    assert_int_equal(f.err.code, 0);
    assert_int_equal(docker_pause_end(&f.pause), 0);
    end(&f);
}

static void whoever_comes_soon_does_not_wait(void **state)
{
    static const char *const answers[] = {NULL};
    struct fixture f;

    (void)state;
    begin(&f, answers);
    assert_true(docker_pause_begin(&f.pause));
    assert_int_equal(docker_pause_end(&f.pause), 0);
    assert_false(timer_is_armed(&f.pause.timer));
    end(&f);
}

static void whoever_comes_while_it_is_being_paused_waits_for_both(void **state)
{
    static const char *const answers[] = {VERSION, DONE, DONE, NULL};
    struct fixture f;

    (void)state;
    begin(&f, answers);
    begin_pause(&f);
    while (!docker_pause_is_on(&f.pause)) {
        loop_defer(f.loop, on_turn, f.loop);
        loop_run(f.loop);
    }
    assert_false(f.pause.stands);
    assert_int_equal(docker_pause_end(&f.pause), 1);
    loop_run(f.loop);
    assert_int_equal(f.over, 1);
    assert_int_equal(f.err.code, 0);
    assert_false(f.pause.stands);
    assert_non_null(strstr(f.script.seen[2], "/containers/x/unpause "));
    end(&f);
}

static void failures_are_told(void **state)
{
    static const char *const answers[] = {VERSION, FAILS, DONE, FAILS, NULL};
    struct fixture f;

    (void)state;
    begin(&f, answers);
    begin_pause(&f);
    while (!f.launcher.freeze_failure_told) {
        loop_defer(f.loop, on_turn, f.loop);
        loop_run(f.loop);
    }
    assert_int_equal(docker_pause_end(&f.pause), 0); /* it goes on all the same */
    begin_pause(&f);
    run_until_it_stands(&f);
    assert_int_equal(docker_pause_end(&f.pause), 1);
    loop_run(f.loop);
    assert_int_equal(f.over, 1);
    assert_non_null(strstr(f.err.msg, "no freezer"));
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_paused_and_goes_on),
        cmocka_unit_test(whoever_comes_soon_does_not_wait),
        cmocka_unit_test(whoever_comes_while_it_is_being_paused_waits_for_both),
        cmocka_unit_test(failures_are_told),
    };

    return cmocka_run_group_tests_name("docker_pause", tests, NULL, NULL);
}
