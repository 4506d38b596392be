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

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "common/base/log.h"
#include "common/model/lambda_input.h"
#include "controller/controller.h"
#include "controller/redis_fixture.h"

#define WAIT_US SECONDS(20)
#define ROLE "\"Role\":\"arn:aws:iam::000000000000:role/r\""
#define FN "/2015-03-31/functions"
#define DIGEST "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static struct redis_fixture server;
static struct loop *loop;
static struct controller_config config;
static struct controller *c;
static struct link *gateway, *invoker;
static bool late;

/* The invoker's and the gateway's behaviour, and what they were asked. */
static struct {
    enum { ANSWER, HOLD, REFUSE, UNABLE } prepare;
    enum { TELL, KEEP, ABSENT, ABSENT_ONCE, DENIED, AWAY } resolve;
    bool second; /* who connects now is another one than the first */
    unsigned resolves;
    bool hold_retire, mute_drop;
    struct rpc_request *held[16];
    unsigned held_len;
    unsigned images, codes, retires, drops, nodes;
    double unreserved; /* that came last with a drop; NaN: none did */
    char image[256]; /* asked for last */
    char digest[80];
    bool has_entry_point;
    uint64_t retired;
    unsigned provisions_told;
    bool fails_to_provision;
    bool registered;
    bool saw_redis; /* the controller has answered with it behind */
    /* async.run, of the gateway */
    enum { SUCCEED, FAIL, FAIL_ONCE, THROTTLE, THROTTLE_ONCE, FORGET, KEEP_RUNNING } run;
    unsigned runs;
    char run_id[UUID_MAX], run_name[80], run_qualifier[80]; /* of the last one */
    bool same_id; /* all since runs was 0 had one id */
    char run_payload[4096];
} peer;

/* The answer that came last. */
static struct {
    unsigned count;
    int status;
    char error_type[64];
    cJSON *json;
    cJSON *ok;
    struct buf body;
    enum error_code code;
} got;

/* ---- waiting ---- */

static inline void on_late(void *arg)
{
    (void)arg;
    late = true;
    loop_stop(loop);
}

static inline void wait_until(const unsigned *what, unsigned least)
{
    struct timer guard;

    late = false;
    timer_init(&guard, loop, on_late, NULL);
    timer_start(&guard, WAIT_US);
    while (*what < least && !late)
        loop_run(loop);
    timer_stop(&guard);
    assert_false(late);
}

/* ---- the invoker and the gateway ---- */

static inline void hold(struct rpc_request *rpc)
{
    assert_true(peer.held_len < ARRAY_LEN(peer.held));
    peer.held[peer.held_len++] = rpc;
}

static inline void answer_image(struct rpc_request *rpc)
{
    cJSON *ok = cJSON_CreateObject();
    char text[400];

    snprintf(text, sizeof(text), "sha256:%s", peer.digest);
    cJSON_AddStringToObject(ok, "digest", text);
    snprintf(text, sizeof(text), "%s@sha256:%s", peer.image, peer.digest);
    cJSON_AddStringToObject(ok, "reference", text);
    cJSON_AddNumberToObject(ok, "size", 1000);
    cJSON_AddStringToObject(ok, "architecture", "amd64");
    cJSON_AddBoolToObject(ok, "has_entry_point", peer.has_entry_point);
    rpc_reply(rpc, ok, STR_NULL);
    cJSON_Delete(ok);
}

static inline void serve_image(struct rpc_request *rpc, const cJSON *args, struct str body,
                               void *arg)
{
    struct error err;

    (void)body;
    (void)arg;
    peer.images++;
    snprintf(peer.image, sizeof(peer.image), "%.*s", STR_ARG(cjson_str(args, "image")));
    if (peer.prepare == HOLD) {
        hold(rpc);
    } else if (peer.prepare == REFUSE) {
        error_set(&err, ERR_BAD_REQUEST, "ImageAccessDenied: no such image %s", peer.image);
        rpc_fail(rpc, &err);
    } else if (peer.prepare == UNABLE) {
        error_set(&err, ERR_UNAVAILABLE, "InternalError: the engine is away");
        rpc_fail(rpc, &err);
    } else {
        answer_image(rpc);
    }
    loop_stop(loop);
}

static inline void serve_resolve(struct rpc_request *rpc, const cJSON *args, struct str body,
                                 void *arg)
{
    CLEANUP(freep) char *image = str_dup(cjson_str(args, "image"));
    CLEANUP(freep) char *digest = str_printf("sha256:%s", peer.digest);
    CLEANUP(freep)
    char *reference = str_printf("%.*s@%s", (int)(strrchr(image, ':') - image), image, digest);
    cJSON *ok = cJSON_CreateObject();
    struct error err;

    (void)body;
    (void)arg;
    peer.resolves++;
    cJSON_AddStringToObject(ok, "digest", digest);
    cJSON_AddStringToObject(ok, "reference", reference);
    if (peer.resolve == KEEP) {
        hold(rpc);
    } else if (peer.resolve == TELL) {
        rpc_reply(rpc, ok, STR_NULL);
    } else {
        if (peer.resolve == ABSENT || peer.resolve == ABSENT_ONCE)
            error_set(&err, ERR_BAD_REQUEST, "InvalidImage: Source image %s does not exist.",
                      image);
        else if (peer.resolve == DENIED)
            error_set(&err, ERR_BAD_REQUEST, "ImageAccessDenied: no access to %s", image);
        else
            error_set(&err, ERR_UNAVAILABLE, "InternalError: the engine is away");
        rpc_fail(rpc, &err);
    }
    if (peer.resolve == ABSENT_ONCE)
        peer.resolve = TELL;
    cJSON_Delete(ok);
    loop_stop(loop);
}

static inline void serve_code(struct rpc_request *rpc, const cJSON *args, struct str body,
                              void *arg)
{
    (void)args;
    (void)body;
    (void)arg;
    peer.codes++;
    rpc_reply(rpc, NULL, STR_NULL);
    loop_stop(loop);
}

static inline void serve_retire(struct rpc_request *rpc, const cJSON *args, struct str body,
                                void *arg)
{
    (void)body;
    (void)arg;
    peer.retires++;
    peer.retired = (uint64_t)cJSON_GetNumberValue(
        cJSON_GetObjectItemCaseSensitive(args, "generation"));
    if (peer.hold_retire)
        hold(rpc);
    else
        rpc_reply(rpc, NULL, STR_NULL);
    loop_stop(loop);
}

static inline void serve_drop(struct rpc_request *rpc, const cJSON *args, struct str body,
                              void *arg)
{
    (void)body;
    (void)arg;
    peer.unreserved = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(args, "unreserved"));
    peer.drops++;
    if (peer.mute_drop)
        hold(rpc);
    else
        rpc_reply(rpc, NULL, STR_NULL);
    loop_stop(loop);
}

static inline void serve_nodes(struct rpc_request *rpc, const cJSON *args, struct str body,
                               void *arg)
{
    (void)body;
    (void)arg;
    peer.nodes = (unsigned)cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(args, "nodes"));
    rpc_reply(rpc, NULL, STR_NULL);
    loop_stop(loop);
}

static inline void serve_run(struct rpc_request *rpc, const cJSON *args, struct str body, void *arg)
{
    struct str id = cjson_str(args, "request_id");
    cJSON *ok = cJSON_CreateObject();
    struct error err;
    bool fails = peer.run == FAIL || peer.run == FAIL_ONCE;

    (void)arg;
    peer.same_id = peer.runs == 0 || (peer.same_id && str_eq(id, str_of(peer.run_id)));
    peer.runs++;
    snprintf(peer.run_id, sizeof(peer.run_id), "%.*s", STR_ARG(id));
    snprintf(peer.run_name, sizeof(peer.run_name), "%.*s", STR_ARG(cjson_str(args, "name")));
    snprintf(peer.run_qualifier, sizeof(peer.run_qualifier), "%.*s",
             STR_ARG(cjson_str(args, "qualifier")));
    snprintf(peer.run_payload, sizeof(peer.run_payload), "%.*s", STR_ARG(body));
    cJSON_AddBoolToObject(ok, "function_error", fails);
    cJSON_AddStringToObject(ok, "executed_version", "$LATEST");
    if (peer.run == KEEP_RUNNING) {
        hold(rpc);
    } else if (peer.run == THROTTLE || peer.run == THROTTLE_ONCE) {
        error_set(&err, ERR_THROTTLED, "Rate Exceeded.");
        rpc_fail(rpc, &err);
    } else if (peer.run == FORGET) {
        error_set(&err, ERR_NOT_FOUND, "no such function");
        rpc_fail(rpc, &err);
    } else {
        rpc_reply(rpc, ok, fails ? STR("{\"errorMessage\":\"broken\"}") : STR("\"fine\""));
    }
    if (peer.run == FAIL_ONCE || peer.run == THROTTLE_ONCE)
        peer.run = SUCCEED;
    cJSON_Delete(ok);
    loop_stop(loop);
}

static inline void on_provisions_told(const cJSON *ok, struct str body, const struct error *err,
                                      void *arg)
{
    (void)ok;
    (void)body;
    (void)arg;
    assert_null(err);
    peer.provisions_told++;
    loop_stop(loop);
}

/* What it is to keep initialised is, at once; or cannot be. */
static inline void serve_provision(struct rpc_request *rpc, const cJSON *args, struct str body,
                                   void *arg)
{
    cJSON *has = cJSON_Duplicate(args, true), *item;
    int count;

    (void)body;
    (void)arg;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(has, "versions"))
    {
        count = (int)cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(item, "count"));
        cJSON_AddNumberToObject(item, "begun", count);
        cJSON_AddNumberToObject(item, "ready", peer.fails_to_provision ? 0 : count);
        cJSON_AddBoolToObject(item, "failed", peer.fails_to_provision);
    }
    rpc_call(rpc_request_link(rpc), "node.provisioned", has, STR_NULL, SECONDS(10),
             on_provisions_told, NULL);
    rpc_reply(rpc, NULL, STR_NULL);
    cJSON_Delete(has);
}

static const struct rpc_method peer_methods[] = {
    {"async.run", serve_run},
    {"image.resolve", serve_resolve},
    {"image.prepare", serve_image}, {"code.prepare", serve_code}, {"version.retire", serve_retire},
    {"route.drop", serve_drop},     {"nodes.set", serve_nodes},   {"node.provision", serve_provision},
    {NULL, NULL}};

static inline void on_registered(const cJSON *ok, struct str body, const struct error *err,
                                 void *arg)
{
    (void)ok;
    (void)body;
    (void)arg;
    peer.registered = !err;
    loop_stop(loop);
}

static inline void peer_up(struct link *link, const struct link_hello *hello, void *arg)
{
    cJSON *args;

    (void)hello;
    if (arg) { /* the invoker */
        args = cJSON_CreateObject();
        cJSON_AddStringToObject(args, "id", peer.second ? "node-2" : "node-1");
        cJSON_AddStringToObject(args, "address", "unix:/nowhere/invoker.sock");
        cJSON_AddNumberToObject(args, "memory_mib", 1024);
        cJSON_AddStringToObject(args, "architecture", "x86_64");
        rpc_call(link, "node.register", args, STR_NULL, SECONDS(10), on_registered, NULL);
        cJSON_Delete(args);
    }
    loop_stop(loop);
}

static inline void peer_stream(struct link *link, struct link_stream *s, enum link_kind kind,
                               struct str head, void *arg)
{
    (void)link;
    (void)kind;
    (void)arg;
    rpc_serve(loop, s, head, peer_methods, NULL);
}

static inline void peer_down(struct link *link, const struct error *why, void *arg)
{
    (void)link;
    (void)why;
    (void)arg;
    loop_stop(loop);
}

static const struct link_ops peer_ops = {peer_up, peer_stream, peer_down};

static inline struct link *connect_peer(const char *role, bool is_invoker)
{
    struct link_hello me = {.role = ""};
    struct link *link = NULL;

    snprintf(me.role, sizeof(me.role), "%s", role);
    snprintf(me.id, sizeof(me.id), "%s-%d", role, peer.second ? 2 : 1);
    assert_int_equal(
        link_connect(loop, config.listen, &me, &peer_ops, is_invoker ? &peer : NULL, &link, NULL),
        0);
    return link;
}

static inline void invoker_connect(void)
{
    struct timer guard;

    peer.registered = false;
    invoker = connect_peer("invoker", true);
    late = false;
    timer_init(&guard, loop, on_late, NULL);
    timer_start(&guard, WAIT_US);
    while (!peer.registered && !late)
        loop_run(loop);
    timer_stop(&guard);
    assert_false(late);
}

static inline void gateway_connect(void)
{
    struct timer guard;

    gateway = connect_peer("gateway", false);
    late = false;
    timer_init(&guard, loop, on_late, NULL);
    timer_start(&guard, WAIT_US);
    while (!link_is_up(gateway) && !late)
        loop_run(loop);
    timer_stop(&guard);
    assert_false(late);
}

static inline void release(void)
{
    while (peer.held_len)
        rpc_reply(peer.held[--peer.held_len], NULL, STR_NULL);
}

static inline void release_images(void)
{
    peer.prepare = ANSWER;
    while (peer.held_len)
        answer_image(peer.held[--peer.held_len]);
}

/* ---- asking the controller ---- */

static inline void on_answer(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    const cJSON *headers = cJSON_GetObjectItemCaseSensitive(ok, "headers");

    (void)arg;
    got.count++;
    cJSON_Delete(got.json);
    cJSON_Delete(got.ok);
    got.code = err ? err->code : ERR_OK;
    got.status = (int)cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(ok, "status"));
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

    do { /* 503 until the controller has found Redis */
        before = got.count;
        rpc_call(link, method, args, body, WAIT_US, on_answer, NULL);
        wait_until(&got.count, before + 1);
    } while (!peer.saw_redis && got.status == 503 && now_us() < end);
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

static inline void controller_start(void)
{
    struct error err;

    if (controller_new(loop, &config, &c, &err) < 0)
        fail_msg("%s", err.msg);
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
        .retry_us = MSEC(50),
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
