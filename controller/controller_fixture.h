/* SPDX-License-Identifier: Apache-2.0 */
/*
 * controller_fixture.h - a whole controller in a test, with a real Redis and real links; the invoker
 * and the gateway at their ends do as the test says.
 *
 * Owns:    everything it starts; teardown() ends it.
 * Threads: one. Included once, by tests only.
 */
#ifndef HEARTH_CONTROLLER_CONTROLLER_FIXTURE_H
#define HEARTH_CONTROLLER_CONTROLLER_FIXTURE_H

#include "controller/peers_fixture.h"

#define ROLE "\"Role\":\"arn:aws:iam::000000000000:role/r\""
#define FN "/2015-03-31/functions"

/* ---- asking the controller ---- */

static inline void on_answer(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    const cJSON *headers = cJSON_GetObjectItemCaseSensitive(ok, "headers");

    (void)arg;
    got.count++;
    cJSON_Delete(got.json);
    cJSON_Delete(got.ok);
    got.code = err ? err->code : ERR_OK;
    got.status = err ? 0 : (int)cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(ok, "status"));
    snprintf(got.error_type, sizeof(got.error_type), "%.*s",
             STR_ARG(cjson_str(headers, "x-amzn-ErrorType")));
    got.json = cJSON_ParseWithLength(body.ptr ? body.ptr : "", body.len);
    got.ok = ok ? cJSON_Duplicate(ok, 1) : NULL;
    buf_clear(&got.body);
    buf_append_str(&got.body, body);
    loop_stop(loop);
}

static inline void ask(struct link *link, const char *method, cJSON *args, struct str body)
{
    uint64_t end = now_us() + WAIT_US;
    unsigned before;

    do { /* not now until the controller leads, which it does when it has found Redis */
        before = got.count;
        rpc_call(link, method, args, body, WAIT_US, on_answer, NULL);
        wait_until(&got.count, before + 1);
    } while (!peer.saw_redis && (got.status == 503 || got.code == ERR_UNAVAILABLE) && now_us() < end);
    cJSON_Delete(args);
    peer.saw_redis |= got.status >= 200 && got.status < 500;
}

/* What the gateway tells of a call of the API; the caller deletes it. */
static inline cJSON *lambda_args(const char *method, const char *path, const char *query)
{
    cJSON *args = cJSON_CreateObject();

    cJSON_AddStringToObject(args, "method", method);
    cJSON_AddStringToObject(args, "path", path);
    cJSON_AddStringToObject(args, "query", query);
    cJSON_AddStringToObject(args, "account", "000000000000");
    cJSON_AddStringToObject(args, "request_id", "request-1");
    cJSON_AddStringToObject(args, "endpoint", "http://127.0.0.1:9000");
    return args;
}

static inline int lambda(const char *method, const char *path, const char *query, const char *body)
{
    ask(gateway, "lambda", lambda_args(method, path, query), str_of(body));
    return got.status;
}

static inline const char *member(const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(got.json, name));

    return text ? text : "";
}

static inline void expect(const char *name, const char *value)
{
    assert_string_equal(member(name), value);
}

static inline void expect_error(int status, const char *type, const char *message)
{
    const char *text = member("message")[0] ? member("message") : member("Message");

    assert_string_equal(text, message);
    assert_int_equal(got.status, status);
    assert_string_equal(got.error_type, type);
}

static inline int create_image(const char *name)
{
    char body[600];

    snprintf(body, sizeof(body),
             "{\"FunctionName\":\"%s\",\"PackageType\":\"Image\"," ROLE
             ",\"Code\":{\"ImageUri\":\"127.0.0.1:5000/%s:1\"},"
             "\"Environment\":{\"Variables\":{\"SECRET\":\"s3cr3t\"}}}",
             name, name);
    return lambda("POST", FN, "", body);
}

static inline void configuration(const char *name)
{
    char path[200];

    snprintf(path, sizeof(path), FN "/%s/configuration", name);
    assert_int_equal(lambda("GET", path, "", ""), 200);
}

/* Asks until @field of @name's configuration is @value. */
static inline void wait_for(const char *name, const char *field, const char *value)
{
    uint64_t end = now_us() + WAIT_US;

    do {
        configuration(name);
        assert_true(now_us() < end);
    } while (strcmp(member(field), value) != 0);
}

static inline void active(const char *name)
{
    assert_int_equal(create_image(name), 201);
    wait_for(name, "State", "Active");
}

static inline void fn_call(struct link *link, const char *method, const char *name,
                           uint64_t generation)
{
    cJSON *args = cJSON_CreateObject();

    cJSON_AddStringToObject(args, "account", "000000000000");
    cJSON_AddStringToObject(args, "name", name);
    cJSON_AddStringToObject(args, "qualifier", "");
    cJSON_AddStringToObject(args, "version", "$LATEST");
    cJSON_AddNumberToObject(args, "generation", (double)generation);
    ask(link, method, args, STR_NULL);
}

static inline uint64_t route(const char *name, const char *state)
{
    const cJSON *target;

    fn_call(gateway, "route.resolve", name, 0);
    assert_int_equal(got.code, ERR_OK);
    target = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(got.ok, "targets"), 0);
    assert_true(str_is(cjson_str(target, "state"), state));
    return (uint64_t)cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(target, "generation"));
}

/* Whether the specification that came has the environment in clear. */
static inline bool spec_has_secret(void)
{
    CLEANUP(freep) char *text = cJSON_PrintUnformatted(got.ok);

    return strstr(text, "s3cr3t") != NULL;
}

/* ---- set-up ---- */

static inline void on_look(void *arg)
{
    (void)arg;
    loop_stop(loop);
}

/* It leads when this returns, if Redis is there. */
static inline void controller_start(void)
{
    uint64_t end = now_us() + WAIT_US;
    struct timer look;
    struct error err;

    timer_init(&look, loop, on_look, NULL);

    if (controller_new(loop, &config, &c, &err) < 0)
        fail_msg("%s", err.msg);
    while (server.pid > 0 && !c->term && now_us() < end) {
        timer_start(&look, MSEC(1));
        loop_run(loop);
    }
    timer_stop(&look);
    assert_true(server.pid <= 0 || c->term);
}

static inline int setup(void **state)
{
    static const char runtimes[] =
        "{\"runtimes\":{\"python3.13\":{\"image\":\"hearth/python:3.13\","
        "\"architectures\":[\"x86_64\",\"arm64\"]}}}";
    CLEANUP(freep) char *path = NULL;

    (void)state;
    if (!fixture_is_possible())
        return 0;
    if (!fixture_new(&server) || !fixture_start(&server))
        return -1;
    memset(&peer, 0, sizeof(peer));
    memset(&got, 0, sizeof(got));
    got.body = BUF_INIT(RPC_BODY_MAX);
    peer.has_entry_point = true;
    snprintf(peer.digest, sizeof(peer.digest), DIGEST);
    path = str_printf("%s/runtimes.json", server.dir);
    if (file_write_atomic(path, str_of(runtimes), 0600, NULL) < 0)
        return -1;
    config = (struct controller_config){
        .listen = str_printf("unix:%s/controller.sock", server.dir),
        .redis_url = str_dup(str_of(server.url)),
        .data_dir = str_printf("%s/data", server.dir),
        .key_file = str_dup(STR("")),
        .tls_ca_cert = str_dup(STR("")),
        .tls_ca_key = str_dup(STR("")),
        .runtimes = TAKE(path),
        .networks = str_dup(STR("")),
        .account_id = str_dup(STR("000000000000")),
        .region = str_dup(STR("us-east-1")),
        .architecture = str_dup(STR("x86_64")),
        .url_domain = str_dup(STR("localhost")),
        .signing_profiles = str_printf("%s/profiles", server.dir),
        .log_level = str_dup(STR("error")),
        .account_concurrency = 1000,
        .code_storage_max = 80530636800,
        .redis_timeout_us = SECONDS(5),
        .prepare_timeout_us = SECONDS(60),
        .resolve_timeout_us = MSEC(300),
        .peer_timeout_us = MSEC(300),
        .node_grace_us = SECONDS(10),
        .node_fence_us = SECONDS(10),
        .gateway_grace_us = MSEC(300),
        .scaling_period_us = MSEC(30),
        .retry_us = MSEC(50),
        .lease_us = MSEC(600),
        .async_in_flight = 100,
        .async_function_max = 50,
        .async_queue_max = 1 << 20,
        .async_lease_us = SECONDS(2),
        .async_retry_wait_us = MSEC(40),
        .async_backoff_us = MSEC(20),
        .async_backoff_max_us = MSEC(100),
        .async_delivery_age_us = SECONDS(2),
    };
    loop = loop_new();
    controller_start();
    gateway_connect();
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    if (!fixture_is_possible())
        return 0;
    release();
    link_free(gateway);
    link_free(invoker);
    gateway = invoker = NULL;
    controller_free(c);
    c = NULL;
    loop_free(loop);
    cJSON_Delete(got.json);
    cJSON_Delete(got.ok);
    buf_done(&got.body);
    config_done(&controller_program, &config);
    fixture_done(&server);
    return 0;
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

/* The log is silent unless HEARTH_LOG_LEVEL says otherwise. */
static inline void log_begin(const char *name)
{
    const char *level = getenv("HEARTH_LOG_LEVEL");

    log_init(name, level ? (enum log_level)log_level_parse(str_of(level)) : LOG_ERROR);
}

#endif
