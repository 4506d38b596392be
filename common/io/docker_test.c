/* SPDX-License-Identifier: Apache-2.0 */
/* The engine is a script of answers; the real one is met by the integration tests. */
#include "common/io/docker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/base64.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/io/http_script.h"

#define JSON_ANSWER(status, body) "HTTP/1.1 " status "\r\nConnection: close\r\n\r\n" body "\n"
#define VERSION JSON_ANSWER("200 OK", "{\"ApiVersion\":\"1.43\",\"MinAPIVersion\":\"1.12\"}")

struct fixture {
    struct loop *loop;
    struct http_client *http;
    struct docker *docker;
    struct http_script script;
    int done, expect;
    struct error err;
    char text[256]; /* of the answer */
    char events[256];
};

static void begin_with_auth(struct fixture *f, const char *const *answers, const char *auth_file)
{
    log_least = LOG_ERROR;
    *f = (struct fixture){.loop = loop_new(), .expect = 1};
    http_script_start(&f->script, answers);
    f->http = http_client_new(f->loop);
    f->docker = docker_new(&(struct docker_options){
        .loop = f->loop, .http = f->http, .socket = f->script.path, .auth_file = auth_file});
}

static void begin(struct fixture *f, const char *const *answers)
{
    begin_with_auth(f, answers, NULL);
}

static void end(struct fixture *f)
{
    docker_free(f->docker);
    http_client_free(f->http);
    http_script_stop(&f->script);
    loop_free(f->loop);
}

static void on_done(const struct error *err, void *arg)
{
    struct fixture *f = arg;

    f->err = err ? *err : (struct error){0};
    if (++f->done == f->expect)
        loop_stop(f->loop);
}

static void on_json(const cJSON *answer, const struct error *err, void *arg)
{
    struct fixture *f = arg;
    const char *id = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer, "Id"));

    snprintf(f->text, sizeof(f->text), "%s", id ? id : "");
    on_done(err, arg);
}

static void test_the_version_is_agreed_once_and_used_in_paths(void **state)
{
    static const char *const answers[] = {VERSION, JSON_ANSWER("200 OK", "{\"Id\":\"sha256:1\"}"),
                                          "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
                                          NULL};
    struct fixture f;

    (void)state;
    begin(&f, answers);
    docker_image_inspect(f.docker, "127.0.0.1:5000/a b@x", on_json, &f);
    loop_run(f.loop);
    assert_int_equal(f.err.code, ERR_OK);
    assert_string_equal(f.text, "sha256:1");
    f.expect = 2;
    docker_container_remove(f.docker, "c1", on_done, &f);
    loop_run(f.loop);
    assert_int_equal(f.err.code, ERR_OK);
    assert_non_null(strstr(f.script.seen[0], "GET /version HTTP/1.1\r\n"));
    assert_non_null(strstr(f.script.seen[1], "GET /v1.41/images/127.0.0.1:5000/a%20b@x/json "));
    assert_non_null(strstr(f.script.seen[2], "DELETE /v1.41/containers/c1?force=1&v=1 "));
    end(&f);
}

static void test_cpu_time_is_limited_by_an_update(void **state)
{
    static const char *const answers[] = {
        VERSION,
        JSON_ANSWER("200 OK", "{\"Warnings\":null}"), NULL};
    struct fixture f;

    (void)state;
    begin(&f, answers);
    docker_container_limit_cpu(f.docker, "c1", 1447, 20000, on_done, &f);
    loop_run(f.loop);
    assert_int_equal(f.err.code, ERR_OK);
    assert_non_null(strstr(f.script.seen[1], "POST /v1.41/containers/c1/update HTTP/1.1\r\n"));
    assert_non_null(strstr(f.script.seen[1], "{\"CpuQuota\":1447,\"CpuPeriod\":20000}"));
    end(&f);
}

static void test_an_engine_that_dropped_1_41_is_asked_for_its_least(void **state)
{
    static const char *const answers[] = {
        JSON_ANSWER("200 OK", "{\"ApiVersion\":\"1.52\",\"MinAPIVersion\":\"1.44\"}"),
        "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", NULL};
    struct fixture f;

    (void)state;
    begin(&f, answers);
    docker_container_start(f.docker, "c", on_done, &f);
    loop_run(f.loop);
    assert_int_equal(f.err.code, ERR_OK);
    assert_non_null(strstr(f.script.seen[1], "POST /v1.44/containers/c/start "));
    end(&f);
}

static void test_an_engine_too_old_or_absent_fails_every_waiting_call(void **state)
{
    static const char *const answers[] = {
        JSON_ANSWER("200 OK", "{\"ApiVersion\":\"1.40\",\"MinAPIVersion\":\"1.12\"}"), NULL};
    struct fixture f;

    (void)state;
    begin(&f, answers);
    f.expect = 2;
    docker_container_start(f.docker, "c", on_done, &f);
    docker_container_start(f.docker, "d", on_done, &f);
    loop_run(f.loop);
    assert_int_equal(f.err.code, ERR_UNSUPPORTED);
    docker_free(f.docker);
    f.docker = docker_new(&(struct docker_options){
        .loop = f.loop, .http = f.http, .socket = "unix:///tmp/hearth-no-engine-here"});
    f.expect = 3;
    docker_container_start(f.docker, "c", on_done, &f);
    loop_run(f.loop);
    assert_int_equal(f.err.code, ERR_UNAVAILABLE);
    assert_non_null(strstr(f.err.msg, "/tmp/hearth-no-engine-here"));
    end(&f);
}

static void test_the_engines_message_and_kind_are_kept(void **state)
{
    static const char *const answers[] = {
        VERSION,
        JSON_ANSWER("404 Not Found", "{\"message\":\"No such container: c\"}"),
        JSON_ANSWER("409 Conflict", "{\"message\":\"removal is in progress\"}"),
        JSON_ANSWER("304 Not Modified", ""),
        JSON_ANSWER("500 Oh", "what"),
        JSON_ANSWER("200 OK", "{\"Id\":"),
        NULL};
    static const struct {
        enum error_code code;
        const char *text;
    } rows[] = {{ERR_NOT_FOUND, "No such container: c"},
                {ERR_CONFLICT, "removal is in progress"},
                {ERR_CONFLICT, "304"},
                {ERR_INTERNAL, "500"},
                {ERR_PROTOCOL, "not JSON"}};
    struct fixture f;
    size_t i;

    (void)state;
    begin(&f, answers);
    for (i = 0; i < ARRAY_LEN(rows); i++) {
        f.expect = f.done + 1;
        docker_container_inspect(f.docker, "c", on_json, &f);
        loop_run(f.loop);
        assert_int_equal(f.err.code, rows[i].code);
        assert_non_null(strstr(f.err.msg, rows[i].text));
    }
    end(&f);
}

static void test_a_pull_fails_by_its_stream_and_by_its_status(void **state)
{
    static const char *const answers[] = {
        VERSION,
        JSON_ANSWER("200 OK", "{\"status\":\"Pulling\"}\n{\"errorDetail\":{},\"error\":\"manifest "
                              "for r.example/a:1 not found: manifest unknown\"}"),
        JSON_ANSWER("404 Not Found", "{\"message\":\"pull access denied for a, repository does not "
                                     "exist or may require 'docker login'\"}"),
        JSON_ANSWER("500 Oh",
                    "{\"message\":\"Get https://r.example/v2/: dial tcp: lookup r.example: "
                    "no such host\"}"),
        JSON_ANSWER("200 OK", "{\"status\":\"Pulling\",\"id\":\"1\"}\n{\"status\":\"Digest: x\"}"),
        NULL};
    static const enum error_code codes[] = {ERR_NOT_FOUND, ERR_ACCESS_DENIED, ERR_UNAVAILABLE,
                                            ERR_OK};
    struct fixture f;
    size_t i;

    (void)state;
    begin(&f, answers);
    for (i = 0; i < ARRAY_LEN(codes); i++) {
        f.expect = f.done + 1;
        docker_image_pull(f.docker, "r.example/a:1", "linux/amd64", on_done, &f);
        loop_run(f.loop);
        assert_int_equal(f.err.code, codes[i]);
    }
    assert_non_null(strstr(f.script.seen[1], "POST /v1.41/images/create?fromImage=r.example%2Fa"
                                             "&tag=1&platform=linux%2Famd64 "));
    assert_null(strstr(f.script.seen[1], "X-Registry-Auth"));
    end(&f);
}

static void test_a_registry_is_asked_what_a_tag_is(void **state)
{
    static const char *const answers[] = {
        VERSION, JSON_ANSWER("200 OK", "{\"Descriptor\":{\"digest\":\"sha256:1\"}}"),
        JSON_ANSWER("404 Not Found", "{\"message\":\"manifest unknown: manifest unknown\"}"),
        JSON_ANSWER("500 Oh", "{\"message\":\"Head https://r: no basic auth credentials\"}"),
        JSON_ANSWER("401 No", "{\"message\":\"unauthorized: authentication required\"}"),
        JSON_ANSWER("500 Oh", "{\"message\":\"Get https://r: connect: connection refused\"}"),
        JSON_ANSWER("400 No", "{\"message\":\"invalid reference format\"}"),
        "HTTP/1.1 200 OK\r\nX-Hang: 1\r\n\r\n", NULL};
    static const enum error_code codes[] = {ERR_OK,          ERR_NOT_FOUND,   ERR_ACCESS_DENIED,
                                            ERR_ACCESS_DENIED, ERR_UNAVAILABLE, ERR_BAD_REQUEST};
    struct docker_call *call;
    struct fixture f;
    size_t i;

    (void)state;
    begin(&f, answers);
    for (i = 0; i < ARRAY_LEN(codes); i++) {
        f.expect = f.done + 1;
        docker_distribution_inspect(f.docker, "r.example:5000/a/b:1", on_json, &f);
        loop_run(f.loop);
        assert_int_equal(f.err.code, codes[i]);
    }
    assert_non_null(
        strstr(f.script.seen[1], "GET /v1.41/distribution/r.example:5000/a/b:1/json "));
    call = docker_distribution_inspect(f.docker, "a", on_json, &f);
    docker_call_cancel(call); /* what hangs on it goes with it */
    end(&f);
}

static void test_credentials_go_to_their_own_registry_only(void **state)
{
    static const char *const answers[] = {VERSION, JSON_ANSWER("200 OK", "{}"),
                                          JSON_ANSWER("200 OK", "{}"),
                                          JSON_ANSWER("200 OK", "{}"), NULL};
    CLEANUP(buf_done) struct buf plain = BUF_INIT(4096);
    char path[] = "/tmp/hearth-auth-XXXXXX";
    struct fixture f;
    char *at, *line_end;

    (void)state;
    close(mkstemp(path));
    assert_int_equal(file_write_atomic(path,
                                       STR("{\"auths\":{\"https://r.example:5000\":{\"auth\":"
                                           "\"bWU6c2U6Y3JldA==\"}}}"),
                                       0600, NULL),
                     0);
    begin_with_auth(&f, answers, path);
    docker_image_pull(f.docker, "r.example:5000/a", NULL, on_done, &f);
    loop_run(f.loop);
    f.expect = 2;
    docker_image_pull(f.docker, "other.example/a", NULL, on_done, &f);
    loop_run(f.loop);
    at = strstr(f.script.seen[1], "X-Registry-Auth: ");
    assert_non_null(at);
    at += strlen("X-Registry-Auth: ");
    line_end = strchr(at, '\r');
    assert_int_equal(base64_decode(&plain, str_from(at, (size_t)(line_end - at))), 0);
    buf_append_char(&plain, '\0');
    assert_string_equal(plain.ptr, "{\"username\":\"me\",\"password\":\"se:cret\","
                                   "\"serveraddress\":\"r.example:5000\"}");
    assert_null(strstr(f.script.seen[2], "X-Registry-Auth"));
    f.expect = 3; /* a question has the same ones as a pull */
    docker_distribution_inspect(f.docker, "r.example:5000/a:1", on_json, &f);
    loop_run(f.loop);
    assert_non_null(strstr(f.script.seen[3], "X-Registry-Auth: "));
    unlink(path);
    end(&f);
}

static void on_event(const char *action, const char *id, const cJSON *attributes, void *arg)
{
    struct fixture *f = arg;
    size_t len = strlen(f->events);
    const char *code =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(attributes, "exitCode"));

    snprintf(f->events + len, sizeof(f->events) - len, "%s %s %s;", action, id, code ? code : "-");
    if (++f->done == f->expect)
        loop_stop(f->loop);
}

static void test_events_go_on_after_the_stream_broke(void **state)
{
    static const char *const answers[] = {
        VERSION,
        JSON_ANSWER("200 OK",
                    "{\"Action\":\"die\",\"Actor\":{\"ID\":\"c1\",\"Attributes\":{\"exitCode\""
                    ":\"137\"}},\"timeNano\":1700000000123456789}\n{\"half"),
        "HTTP/1.1 200 OK\r\nX-Hang: 1\r\n\r\n{\"Action\":\"destroy\",\"Actor\":{\"ID\":\"c1\"}}\n",
        NULL};
    struct docker_events *events;
    struct fixture f;

    (void)state;
    begin(&f, answers);
    log_least = LOG_ERROR;
    f.expect = 2;
    events = docker_events_new(f.docker, "hearth.node=n", on_event, &f);
    loop_run(f.loop);
    assert_string_equal(f.events, "die c1 137;destroy c1 -;");
    assert_non_null(strstr(f.script.seen[1], "hearth.node%3Dn"));
    assert_non_null(strstr(f.script.seen[2], "since=1700000000.123"));
    docker_events_free(events);
    end(&f);
}

static void test_cancelled_calls_and_a_freed_client_stay_silent(void **state)
{
    static const char *const answers[] = {VERSION, "HTTP/1.1 200 OK\r\nX-Hang: 1\r\n\r\n{\"", NULL};
    struct docker_call *call;
    struct fixture f;

    (void)state;
    begin(&f, answers);
    call = docker_container_start(f.docker, "c", on_done, &f);
    docker_image_pull(f.docker, "a", NULL, on_done, &f);
    docker_call_cancel(call);
    docker_events_new(f.docker, "a=b", on_event, &f);
    end(&f);
    assert_int_equal(f.done, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_version_is_agreed_once_and_used_in_paths),
        cmocka_unit_test(test_cpu_time_is_limited_by_an_update),
        cmocka_unit_test(test_an_engine_that_dropped_1_41_is_asked_for_its_least),
        cmocka_unit_test(test_an_engine_too_old_or_absent_fails_every_waiting_call),
        cmocka_unit_test(test_the_engines_message_and_kind_are_kept),
        cmocka_unit_test(test_a_registry_is_asked_what_a_tag_is),
        cmocka_unit_test(test_a_pull_fails_by_its_stream_and_by_its_status),
        cmocka_unit_test(test_credentials_go_to_their_own_registry_only),
        cmocka_unit_test(test_events_go_on_after_the_stream_broke),
        cmocka_unit_test(test_cancelled_calls_and_a_freed_client_stay_silent),
    };

    return cmocka_run_group_tests_name("docker", tests, NULL, NULL);
}
