/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole controller with a real Redis and real links; the invoker and the gateway at their ends
 * do as each test says.
 */
#include "controller/controller.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "common/base/base64.h"
#include "common/base/log.h"
#include "common/model/lambda_input.h"
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
    bool hold_retire, mute_drop;
    struct rpc_request *held[16];
    unsigned held_len;
    unsigned images, codes, retires, drops, nodes;
    char image[256]; /* asked for last */
    char digest[80];
    bool has_entry_point;
    uint64_t retired;
    bool registered;
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

static void on_late(void *arg)
{
    (void)arg;
    late = true;
    loop_stop(loop);
}

static void wait_until(const unsigned *what, unsigned least)
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

static void hold(struct rpc_request *rpc)
{
    assert_true(peer.held_len < ARRAY_LEN(peer.held));
    peer.held[peer.held_len++] = rpc;
}

static void answer_image(struct rpc_request *rpc)
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

static void serve_image(struct rpc_request *rpc, const cJSON *args, struct str body, void *arg)
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

static void serve_code(struct rpc_request *rpc, const cJSON *args, struct str body, void *arg)
{
    (void)args;
    (void)body;
    (void)arg;
    peer.codes++;
    rpc_reply(rpc, NULL, STR_NULL);
    loop_stop(loop);
}

static void serve_retire(struct rpc_request *rpc, const cJSON *args, struct str body, void *arg)
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

static void serve_drop(struct rpc_request *rpc, const cJSON *args, struct str body, void *arg)
{
    (void)args;
    (void)body;
    (void)arg;
    peer.drops++;
    if (peer.mute_drop)
        hold(rpc);
    else
        rpc_reply(rpc, NULL, STR_NULL);
    loop_stop(loop);
}

static void serve_nodes(struct rpc_request *rpc, const cJSON *args, struct str body, void *arg)
{
    (void)body;
    (void)arg;
    peer.nodes = (unsigned)cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(args, "nodes"));
    rpc_reply(rpc, NULL, STR_NULL);
    loop_stop(loop);
}

static const struct rpc_method peer_methods[] = {
    {"image.prepare", serve_image}, {"code.prepare", serve_code}, {"version.retire", serve_retire},
    {"route.drop", serve_drop},     {"nodes.set", serve_nodes},   {NULL, NULL}};

static void on_registered(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    (void)ok;
    (void)body;
    (void)arg;
    peer.registered = !err;
    loop_stop(loop);
}

static void peer_up(struct link *link, const struct link_hello *hello, void *arg)
{
    cJSON *args;

    (void)hello;
    if (arg) { /* the invoker */
        args = cJSON_CreateObject();
        cJSON_AddStringToObject(args, "id", "node-1");
        cJSON_AddStringToObject(args, "address", "unix:/nowhere/invoker.sock");
        cJSON_AddNumberToObject(args, "memory_mib", 1024);
        cJSON_AddStringToObject(args, "architecture", "x86_64");
        rpc_call(link, "node.register", args, STR_NULL, SECONDS(10), on_registered, NULL);
        cJSON_Delete(args);
    }
    loop_stop(loop);
}

static void peer_stream(struct link *link, struct link_stream *s, enum link_kind kind,
                        struct str head, void *arg)
{
    (void)link;
    (void)kind;
    (void)arg;
    rpc_serve(loop, s, head, peer_methods, NULL);
}

static void peer_down(struct link *link, const struct error *why, void *arg)
{
    (void)link;
    (void)why;
    (void)arg;
    loop_stop(loop);
}

static const struct link_ops peer_ops = {peer_up, peer_stream, peer_down};

static struct link *connect_peer(const char *role, bool is_invoker)
{
    struct link_hello me = {.role = ""};
    struct link *link = NULL;

    snprintf(me.role, sizeof(me.role), "%s", role);
    snprintf(me.id, sizeof(me.id), "%s-1", role);
    assert_int_equal(
        link_connect(loop, config.listen, &me, &peer_ops, is_invoker ? &peer : NULL, &link, NULL),
        0);
    return link;
}

static void invoker_connect(void)
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

static void gateway_connect(void)
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

static void release(void)
{
    while (peer.held_len)
        rpc_reply(peer.held[--peer.held_len], NULL, STR_NULL);
}

static void release_images(void)
{
    peer.prepare = ANSWER;
    while (peer.held_len)
        answer_image(peer.held[--peer.held_len]);
}

/* ---- asking the controller ---- */

static void on_answer(const cJSON *ok, struct str body, const struct error *err, void *arg)
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

static void ask(struct link *link, const char *method, cJSON *args, struct str body)
{
    unsigned before = got.count;

    rpc_call(link, method, args, body, WAIT_US, on_answer, NULL);
    cJSON_Delete(args);
    wait_until(&got.count, before + 1);
}

static int lambda(const char *method, const char *path, const char *query, const char *body)
{
    cJSON *args = cJSON_CreateObject();

    cJSON_AddStringToObject(args, "method", method);
    cJSON_AddStringToObject(args, "path", path);
    cJSON_AddStringToObject(args, "query", query);
    cJSON_AddStringToObject(args, "account", "000000000000");
    cJSON_AddStringToObject(args, "request_id", "request-1");
    cJSON_AddStringToObject(args, "endpoint", "http://127.0.0.1:9000");
    ask(gateway, "lambda", args, str_of(body));
    return got.status;
}

static const char *member(const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(got.json, name));

    return text ? text : "";
}

static void expect(const char *name, const char *value)
{
    assert_string_equal(member(name), value);
}

static void expect_error(int status, const char *type, const char *message)
{
    const char *text = member("message")[0] ? member("message") : member("Message");

    assert_string_equal(text, message);
    assert_int_equal(got.status, status);
    assert_string_equal(got.error_type, type);
}

static int create_image(const char *name)
{
    char body[600];

    snprintf(body, sizeof(body),
             "{\"FunctionName\":\"%s\",\"PackageType\":\"Image\"," ROLE
             ",\"Code\":{\"ImageUri\":\"127.0.0.1:5000/%s:1\"},"
             "\"Environment\":{\"Variables\":{\"SECRET\":\"s3cr3t\"}}}",
             name, name);
    return lambda("POST", FN, "", body);
}

static void configuration(const char *name)
{
    char path[200];

    snprintf(path, sizeof(path), FN "/%s/configuration", name);
    assert_int_equal(lambda("GET", path, "", ""), 200);
}

/* Asks until @field of @name's configuration is @value. */
static void wait_for(const char *name, const char *field, const char *value)
{
    uint64_t end = now_us() + WAIT_US;

    do {
        configuration(name);
        assert_true(now_us() < end);
    } while (strcmp(member(field), value) != 0);
}

static void active(const char *name)
{
    assert_int_equal(create_image(name), 201);
    wait_for(name, "State", "Active");
}

static void fn_call(struct link *link, const char *method, const char *name, uint64_t generation)
{
    cJSON *args = cJSON_CreateObject();

    cJSON_AddStringToObject(args, "account", "000000000000");
    cJSON_AddStringToObject(args, "name", name);
    cJSON_AddStringToObject(args, "qualifier", "");
    cJSON_AddStringToObject(args, "version", "$LATEST");
    cJSON_AddNumberToObject(args, "generation", (double)generation);
    ask(link, method, args, STR_NULL);
}

static uint64_t route(const char *name, const char *state)
{
    fn_call(gateway, "route.resolve", name, 0);
    assert_int_equal(got.code, ERR_OK);
    assert_true(str_is(cjson_str(got.ok, "state"), state));
    return (uint64_t)cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(got.ok, "generation"));
}

/* Whether the specification that came has the environment in clear. */
static bool spec_has_secret(void)
{
    CLEANUP(freep) char *text = cJSON_PrintUnformatted(got.ok);

    return strstr(text, "s3cr3t") != NULL;
}

/* ---- set-up ---- */

static void controller_start(void)
{
    struct error err;

    if (controller_new(loop, &config, &c, &err) < 0)
        fail_msg("%s", err.msg);
}

static int setup(void **state)
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
        .account_id = str_dup(STR("000000000000")),
        .region = str_dup(STR("us-east-1")),
        .architecture = str_dup(STR("x86_64")),
        .log_level = str_dup(STR("error")),
        .redis_timeout_us = SECONDS(5),
        .prepare_timeout_us = SECONDS(60),
        .peer_timeout_us = MSEC(300),
        .node_grace_us = SECONDS(10),
    };
    loop = loop_new();
    controller_start();
    gateway_connect();
    return 0;
}

static int teardown(void **state)
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

static void need_server(void)
{
    if (fixture_is_possible())
        return;
    print_message("skipped: there is no " FIXTURE_SERVER "\n");
    skip();
}

/* ---- tests ---- */

static void an_image_function_becomes_active_once_every_peer_knows(void **state)
{
    uint64_t generation;

    (void)state;
    need_server();
    invoker_connect();
    assert_int_equal(create_image("hello"), 201);
    expect("State", "Pending");
    expect("StateReasonCode", "Creating");
    expect("FunctionArn", "arn:aws:lambda:us-east-1:000000000000:function:hello");
    assert_null(cJSON_GetObjectItemCaseSensitive(got.json, "LastUpdateStatus"));
    wait_for("hello", "State", "Active");
    expect("LastUpdateStatus", "Successful");
    expect("CodeSha256", DIGEST);
    assert_string_equal(peer.image, "127.0.0.1:5000/hello:1");
    assert_int_equal(peer.images, 1);
    assert_int_equal(peer.retires, 1);
    assert_int_equal(peer.drops, 1);

    assert_int_equal(lambda("GET", FN "/hello", "", ""), 200);
    assert_true(
        str_is(cjson_str(cJSON_GetObjectItemCaseSensitive(got.json, "Code"), "ResolvedImageUri"),
               "127.0.0.1:5000/hello:1@sha256:" DIGEST));
    generation = route("hello", "Active");
    assert_int_equal(generation, peer.retired);
    fn_call(invoker, "version.get", "hello", generation);
    assert_int_equal(got.code, ERR_OK);
    assert_true(spec_has_secret());
    fn_call(invoker, "version.get", "hello", generation + 1);
    assert_int_equal(got.code, ERR_STALE);
    fn_call(invoker, "version.get", "nobody", 1);
    assert_int_equal(got.code, ERR_NOT_FOUND);
    fn_call(gateway, "route.resolve", "nobody", 0);
    assert_int_equal(got.code, ERR_NOT_FOUND);
}

static void without_an_invoker_a_function_waits_for_one(void **state)
{
    (void)state;
    need_server();
    assert_int_equal(create_image("patient"), 201);
    configuration("patient");
    expect("State", "Pending");
    route("patient", "Pending");
    fn_call(gateway, "version.get", "patient", 1);
    assert_int_equal(got.code, ERR_STALE);
    invoker_connect();
    wait_for("patient", "State", "Active");
}

static void the_old_version_serves_until_the_new_one_is_ready(void **state)
{
    uint64_t before, after;

    (void)state;
    need_server();
    invoker_connect();
    active("steady");
    before = route("steady", "Active");
    peer.prepare = HOLD;
    snprintf(peer.digest, sizeof(peer.digest), "bbbb" DIGEST);
    peer.digest[64] = '\0';
    assert_int_equal(
        lambda("PUT", FN "/steady/code", "", "{\"ImageUri\":\"127.0.0.1:5000/steady:2\"}"), 200);
    expect("LastUpdateStatus", "InProgress");
    expect("LastUpdateStatusReasonCode", "Creating");
    expect("State", "Active");
    wait_until(&peer.images, 2);
    assert_int_equal(route("steady", "Active"), before);
    fn_call(invoker, "version.get", "steady", before);
    assert_int_equal(got.code, ERR_OK);
    fn_call(invoker, "version.get", "steady", before + 1);
    assert_int_equal(got.code, ERR_STALE);

    assert_int_equal(lambda("PUT", FN "/steady/configuration", "", "{\"MemorySize\":256}"), 409);
    expect_error(409, "ResourceConflictException",
                 "The operation cannot be performed at this time. An update is in progress for "
                 "resource: arn:aws:lambda:us-east-1:000000000000:function:steady");

    peer.hold_retire = true;
    release_images();
    wait_until(&peer.retires, 2);
    after = route("steady", "Active");
    assert_true(after > before);
    configuration("steady"); /* a peer has not let go yet */
    expect("LastUpdateStatus", "InProgress");
    release();
    wait_for("steady", "LastUpdateStatus", "Successful");
    assert_int_equal(peer.retired, after);
    assert_true(strncmp(member("CodeSha256"), "bbbb", 4) == 0);
}

static void a_peer_that_does_not_let_go_is_cut_off(void **state)
{
    (void)state;
    need_server();
    invoker_connect();
    peer.mute_drop = true;
    assert_int_equal(create_image("mute"), 201);
    wait_until(&peer.drops, 1);
    while (link_is_up(gateway)) /* 300 ms, see peer_timeout */
        loop_run(loop);
    peer.mute_drop = false;
    while (!link_is_up(gateway)) /* it connects again by itself */
        loop_run(loop);
    wait_for("mute", "State", "Active");
}

static void a_refused_image_fails_the_function(void **state)
{
    (void)state;
    need_server();
    invoker_connect();
    peer.prepare = REFUSE;
    assert_int_equal(create_image("absent"), 201);
    wait_for("absent", "State", "Failed");
    expect("StateReasonCode", "ImageAccessDenied");
    expect("StateReason", "no such image 127.0.0.1:5000/absent:1");
    expect("LastUpdateStatus", "Failed");
    route("absent", "Failed");
    assert_true(str_is(cjson_str(got.ok, "state_reason_code"), "ImageAccessDenied"));
    fn_call(invoker, "version.get", "absent", 1);
    assert_int_equal(got.code, ERR_STALE);

    peer.prepare = ANSWER; /* it can be mended by an update */
    assert_int_equal(
        lambda("PUT", FN "/absent/code", "", "{\"ImageUri\":\"127.0.0.1:5000/there:1\"}"), 200);
    wait_for("absent", "State", "Active");
    expect("StateReasonCode", "");
    expect("LastUpdateStatus", "Successful");
}

static void a_refused_update_keeps_the_old_version_running(void **state)
{
    uint64_t before;

    (void)state;
    need_server();
    invoker_connect();
    active("sturdy");
    before = route("sturdy", "Active");
    peer.prepare = REFUSE;
    assert_int_equal(
        lambda("PUT", FN "/sturdy/code", "", "{\"ImageUri\":\"127.0.0.1:5000/bad:1\"}"), 200);
    wait_for("sturdy", "LastUpdateStatus", "Failed");
    expect("State", "Active");
    expect("LastUpdateStatusReasonCode", "ImageAccessDenied");
    expect("LastUpdateStatusReason", "no such image 127.0.0.1:5000/bad:1");
    expect("CodeSha256", DIGEST);
    assert_int_equal(route("sturdy", "Active"), before);
    fn_call(invoker, "version.get", "sturdy", before);
    assert_int_equal(got.code, ERR_OK);
    assert_int_equal(lambda("GET", FN "/sturdy", "", ""), 200);
    assert_true(str_is(cjson_str(cJSON_GetObjectItemCaseSensitive(got.json, "Code"), "ImageUri"),
                       "127.0.0.1:5000/sturdy:1"));
}

static void an_image_without_entry_point_fails_unless_the_function_gives_one(void **state)
{
    (void)state;
    need_server();
    invoker_connect();
    peer.has_entry_point = false;
    assert_int_equal(create_image("empty"), 201);
    wait_for("empty", "State", "Failed");
    expect("StateReasonCode", "InvalidImage");
    assert_int_equal(lambda("PUT", FN "/empty/configuration", "",
                            "{\"ImageConfig\":{\"EntryPoint\":[\"/app\"]}}"),
                     200);
    wait_for("empty", "State", "Active");
}

static void an_invoker_that_cannot_now_is_asked_again(void **state)
{
    (void)state;
    need_server();
    invoker_connect();
    peer.prepare = UNABLE;
    assert_int_equal(create_image("later"), 201);
    wait_until(&peer.images, 2);
    configuration("later");
    expect("State", "Pending");
    peer.prepare = ANSWER;
    wait_for("later", "State", "Active");
}

static void errors_are_worded_as_at_aws(void **state)
{
    (void)state;
    need_server();
    invoker_connect();
    active("one");
    assert_int_equal(create_image("one"), 409);
    expect_error(409, "ResourceConflictException", "Function already exist: one");
    lambda("GET", FN "/nobody", "", "");
    expect_error(404, "ResourceNotFoundException",
                 "Function not found: arn:aws:lambda:us-east-1:000000000000:function:nobody");
    lambda("GET", FN "/one/configuration", "Qualifier=7", "");
    expect_error(404, "ResourceNotFoundException",
                 "Function not found: arn:aws:lambda:us-east-1:000000000000:function:one:7");
    lambda("DELETE", FN "/nobody", "", "");
    expect_error(404, "ResourceNotFoundException",
                 "Function not found: arn:aws:lambda:us-east-1:000000000000:function:nobody");
    lambda("PUT", FN "/one/code", "", "{\"ImageUri\":\"x:1\",\"RevisionId\":\"nonsense\"}");
    expect_error(412, "PreconditionFailedException",
                 "The Revision Id provided does not match the latest Revision Id. Call the "
                 "GetFunction/GetAlias API to retrieve the latest Revision Id");
    lambda("PUT", FN "/one/code", "", "{\"ZipFile\":\"UEsDBA==\"}");
    expect_error(400, "InvalidParameterValueException",
                 "Please provide ImageUri when updating a function with packageType Image.");
    lambda("GET", "/2015-03-31/functions/one/policy", "", "");
    expect_error(400, "InvalidParameterValueException",
                 "Hearth does not offer the operation GetPolicy yet.");
    lambda("GET", "/nothing", "", "");
    assert_int_equal(got.status, 404);
    lambda("POST", FN, "", "{not json");
    assert_string_equal(got.error_type, "SerializationException");
    lambda("GET", FN "/one", "Qualifier=$LATEST", "");
    assert_int_equal(got.status, 200);
    assert_true(str_is(
        cjson_str(cJSON_GetObjectItemCaseSensitive(got.json, "Configuration"), "FunctionArn"),
        "arn:aws:lambda:us-east-1:000000000000:function:one:$LATEST"));
}

static void a_dry_run_changes_nothing(void **state)
{
    (void)state;
    need_server();
    invoker_connect();
    active("dry");
    assert_int_equal(lambda("PUT", FN "/dry/code", "",
                            "{\"ImageUri\":\"127.0.0.1:5000/dry:2\",\"DryRun\":true}"),
                     200);
    expect("LastUpdateStatus", "Successful");
    configuration("dry");
    expect("LastUpdateStatus", "Successful");
    expect("CodeSha256", DIGEST);
    assert_int_equal(peer.images, 1);
}

static void functions_are_listed_by_pages_in_order(void **state)
{
    char name[16], query[200];
    cJSON *list;
    unsigned seen = 0, i;

    (void)state;
    need_server();
    for (i = 0; i < 7; i++) {
        snprintf(name, sizeof(name), "fn-%u", (i * 3) % 7);
        assert_int_equal(create_image(name), 201);
    }
    snprintf(query, sizeof(query), "MaxItems=3");
    for (;;) {
        assert_int_equal(lambda("GET", FN, query, ""), 200);
        list = cJSON_GetObjectItemCaseSensitive(got.json, "Functions");
        for (i = 0; i < (unsigned)cJSON_GetArraySize(list); i++) {
            snprintf(name, sizeof(name), "fn-%u", seen++);
            assert_true(str_is(cjson_str(cJSON_GetArrayItem(list, (int)i), "FunctionName"), name));
        }
        if (!member("NextMarker")[0])
            break;
        snprintf(query, sizeof(query), "MaxItems=3&Marker=%s", member("NextMarker"));
    }
    assert_int_equal(seen, 7);
    assert_int_equal(lambda("GET", FN, "FunctionVersion=ALL", ""), 200);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(got.json, "Functions")),
                     7);
}

static void a_deleted_function_is_gone_everywhere_before_the_answer(void **state)
{
    uint64_t before;

    (void)state;
    need_server();
    invoker_connect();
    active("short");
    before = route("short", "Active");
    peer.hold_retire = true;
    peer.retires = peer.drops = 0;
    {
        cJSON *args = cJSON_CreateObject();
        unsigned count = got.count;

        cJSON_AddStringToObject(args, "method", "DELETE");
        cJSON_AddStringToObject(args, "path", FN "/short");
        cJSON_AddStringToObject(args, "query", "");
        cJSON_AddStringToObject(args, "account", "000000000000");
        rpc_call(gateway, "lambda", args, STR_NULL, WAIT_US, on_answer, NULL);
        cJSON_Delete(args);
        wait_until(&peer.retires, 1);
        assert_int_equal(peer.retired, 0);
        assert_int_equal(got.count, count);
        peer.hold_retire = false;
        release();
        wait_until(&got.count, count + 1);
    }
    assert_int_equal(got.status, 204);
    assert_int_equal(got.body.len, 0);
    assert_int_equal(peer.drops, 1);
    assert_int_equal(lambda("GET", FN "/short", "", ""), 404);
    active("short"); /* the generation never goes back */
    assert_true(route("short", "Active") > before);
}

static void deleting_ends_a_change_under_way(void **state)
{
    (void)state;
    need_server();
    invoker_connect();
    peer.prepare = HOLD;
    assert_int_equal(create_image("doomed"), 201);
    wait_until(&peer.images, 1);
    assert_int_equal(lambda("DELETE", FN "/doomed", "", ""), 204);
    release_images();
    assert_int_equal(lambda("GET", FN "/doomed", "", ""), 404);
    active("doomed");
}

static void a_controller_that_restarts_takes_up_what_was_under_way(void **state)
{
    (void)state;
    need_server();
    invoker_connect();
    active("updated");
    peer.prepare = HOLD;
    assert_int_equal(create_image("created"), 201);
    assert_int_equal(lambda("PUT", FN "/updated/configuration", "", "{\"Timeout\":9}"), 200);
    wait_until(&peer.images, 3);
    controller_free(c);
    peer.prepare = ANSWER;
    release();
    peer.registered = false;
    controller_start();
    while (!link_is_up(gateway) || !peer.registered)
        loop_run(loop);
    wait_for("created", "State", "Active");
    wait_for("updated", "LastUpdateStatus", "Successful");
    assert_int_equal(
        (int)cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(got.json, "Timeout")), 9);
}

static void redis_away_is_answered_and_survived(void **state)
{
    (void)state;
    need_server();
    invoker_connect();
    active("durable");
    fixture_stop(&server);
    do /* the connection's end may not have been seen yet */
        lambda("GET", FN "/durable", "", "");
    while (got.status == 200);
    expect_error(503, "ServiceException",
                 "The function registry cannot be reached at the moment. Please try again.");
    assert_int_equal(create_image("other"), 503);
    fn_call(gateway, "route.resolve", "durable", 0);
    assert_int_equal(got.code, ERR_UNAVAILABLE);
    assert_true(fixture_start(&server));
    do /* until the back-off is over */
        lambda("GET", FN "/durable", "", "");
    while (got.status != 200);
    route("durable", "Active");
    active("other");
}

static void gateways_are_told_the_nodes(void **state)
{
    (void)state;
    need_server();
    invoker_connect();
    wait_until(&peer.nodes, 1);
    controller_free(c); /* the list outlives the controller, as the node may not be back in time */
    link_free(invoker);
    invoker = NULL;
    peer.nodes = 0;
    controller_start();
    wait_until(&peer.nodes, 1);
}

/* ---- zip ---- */

/* A stored archive with one file; base64. @text makes its content. */
static void zip_base64(const char *text, char *ret, size_t size)
{
    CLEANUP(freep)
    char *script = str_printf(
        "python3 -c \"import zipfile,io,base64,sys;b=io.BytesIO();z=zipfile.ZipFile(b,'w');"
        "z.writestr(zipfile.ZipInfo('app.py'),sys.argv[1]);z.close();"
        "sys.stdout.write(base64.b64encode(b.getvalue()).decode())\" '%s'",
        text);
    FILE *p = popen(script, "r");
    size_t n;

    assert_non_null(p);
    n = fread(ret, 1, size - 1, p);
    ret[n] = '\0';
    assert_int_equal(pclose(p), 0);
}

static int create_zip(const char *name, const char *zip)
{
    CLEANUP(freep)
    char *body = str_printf(
        "{\"FunctionName\":\"%s\",\"Runtime\":\"python3.13\",\"Handler\":\"app.h\"," ROLE
        ",\"Code\":{\"ZipFile\":\"%s\"}}",
        name, zip);

    return lambda("POST", FN, "", body);
}

static bool archive_exists(const char *sha256)
{
    CLEANUP(freep) char *path = str_printf("%s/code/%.2s/%s.zip", config.data_dir, sha256, sha256);
    struct stat st;

    return stat(path, &st) == 0;
}

/* The hash that the specification of @name has. */
static void archive_of(const char *name, char ret[80])
{
    fn_call(invoker, "version.get", name, route(name, "Active"));
    assert_int_equal(got.code, ERR_OK);
    snprintf(ret, 80, "%.*s", STR_ARG(cjson_str(got.ok, "code_sha256")));
    assert_int_equal(strlen(ret), 64);
}

static void wait_gone(const char *sha256)
{
    uint64_t end = now_us() + WAIT_US;

    while (archive_exists(sha256)) {
        assert_true(now_us() < end);
        lambda("GET", FN, "", "");
    }
}

static void an_archive_lives_as_long_as_a_function_uses_it(void **state)
{
    char zip[2000], other[2000], sha256[80];
    struct buf bytes = BUF_INIT(4096);
    cJSON *args;

    (void)state;
    need_server();
    zip_base64("one", zip, sizeof(zip));
    zip_base64("two", other, sizeof(other));
    invoker_connect();
    assert_int_equal(create_zip("a", zip), 201);
    expect("PackageType", "Zip");
    assert_int_equal(create_zip("b", zip), 201);
    wait_for("a", "State", "Active");
    wait_for("b", "State", "Active");
    assert_int_equal(peer.codes, 2);
    archive_of("a", sha256);
    assert_true(archive_exists(sha256));
    args = cJSON_CreateObject();
    cJSON_AddStringToObject(args, "sha256", sha256);
    ask(invoker, "code.get", args, STR_NULL);
    base64_decode(&bytes, str_of(zip));
    assert_true(str_eq(buf_str(&bytes), buf_str(&got.body)));
    buf_done(&bytes);

    assert_int_equal(lambda("DELETE", FN "/a", "", ""), 204);
    assert_int_equal(create_zip("c", other), 201);
    assert_true(archive_exists(sha256)); /* b has it */
    {
        CLEANUP(freep) char *body = str_printf("{\"ZipFile\":\"%s\"}", other);

        assert_int_equal(lambda("PUT", FN "/b/code", "", body), 200);
    }
    assert_true(archive_exists(sha256)); /* it serves until the update is through */
    wait_for("b", "LastUpdateStatus", "Successful");
    wait_gone(sha256);
    archive_of("b", sha256);
    assert_int_equal(lambda("DELETE", FN "/b", "", ""), 204);
    wait_for("c", "State", "Active");
    assert_true(archive_exists(sha256));
    assert_int_equal(lambda("DELETE", FN "/c", "", ""), 204);
    wait_gone(sha256);
}

static void a_failed_update_gives_its_archive_back(void **state)
{
    char zip[2000], other[2000], old[80], sha256[80];

    (void)state;
    need_server();
    zip_base64("one", zip, sizeof(zip));
    zip_base64("two", other, sizeof(other));
    invoker_connect();
    assert_int_equal(create_zip("z", zip), 201);
    wait_for("z", "State", "Active");
    archive_of("z", old);
    peer.prepare = HOLD;
    {
        CLEANUP(freep) char *body = str_printf("{\"ZipFile\":\"%s\"}", other);
        struct error err;

        assert_int_equal(lambda("PUT", FN "/z/code", "", body), 200);
        wait_until(&peer.held_len, 1);
        error_set(&err, ERR_BAD_REQUEST, "InvalidImage: broken");
        rpc_fail(peer.held[--peer.held_len], &err);
    }
    wait_for("z", "LastUpdateStatus", "Failed");
    expect("LastUpdateStatusReasonCode", "InvalidRuntime");
    archive_of("z", sha256);
    assert_string_equal(sha256, old);
    assert_true(archive_exists(old));
}

static void archives_that_are_none_are_refused(void **state)
{
    (void)state;
    need_server();
    create_zip("bad", "bm8gemlwIGF0IGFsbC4gbm8gemlwIGF0IGFsbA==");
    expect_error(
        400, "InvalidParameterValueException",
        "Could not unzip uploaded file. Please check your file, then try to upload again.");
    create_zip("empty", "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==");
    expect_error(400, "InvalidParameterValueException", "Uploaded file must be a non-empty zip");
    assert_int_equal(lambda("GET", FN "/bad", "", ""), 404);
}

static void the_link_of_get_function_downloads_the_archive(void **state)
{
    char zip[2000], sha256[80];
    const char *location, *at;
    cJSON *args;

    (void)state;
    need_server();
    zip_base64("one", zip, sizeof(zip));
    invoker_connect();
    assert_int_equal(create_zip("z", zip), 201);
    wait_for("z", "State", "Active");
    archive_of("z", sha256);
    assert_int_equal(lambda("GET", FN "/z", "", ""), 200);
    location = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(
        cJSON_GetObjectItemCaseSensitive(got.json, "Code"), "Location"));
    assert_non_null(location);
    assert_true(str_starts(str_of(location), STR("http://127.0.0.1:9000/_hearth/v1/code/")));
    args = cJSON_CreateObject();
    cJSON_AddStringToObject(args, "sha256", sha256);
    at = strstr(location, "expires=");
    cJSON_AddNumberToObject(args, "expires", (double)strtoull(at + 8, NULL, 10));
    at = strstr(location, "signature=");
    cJSON_AddStringToObject(args, "signature", at + 10);
    ask(gateway, "code.download", cJSON_Duplicate(args, 1), STR_NULL);
    assert_int_equal(got.code, ERR_OK);
    assert_true(got.body.len > 0);
    cJSON_ReplaceItemInObject(args, "expires", cJSON_CreateNumber(4000000000.0));
    ask(gateway, "code.download", args, STR_NULL);
    assert_int_equal(got.code, ERR_ACCESS_DENIED);
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(an_image_function_becomes_active_once_every_peer_knows),
        LIVE(without_an_invoker_a_function_waits_for_one),
        LIVE(the_old_version_serves_until_the_new_one_is_ready),
        LIVE(a_peer_that_does_not_let_go_is_cut_off),
        LIVE(a_refused_image_fails_the_function),
        LIVE(a_refused_update_keeps_the_old_version_running),
        LIVE(an_image_without_entry_point_fails_unless_the_function_gives_one),
        LIVE(an_invoker_that_cannot_now_is_asked_again),
        LIVE(errors_are_worded_as_at_aws),
        LIVE(a_dry_run_changes_nothing),
        LIVE(functions_are_listed_by_pages_in_order),
        LIVE(a_deleted_function_is_gone_everywhere_before_the_answer),
        LIVE(deleting_ends_a_change_under_way),
        LIVE(a_controller_that_restarts_takes_up_what_was_under_way),
        LIVE(redis_away_is_answered_and_survived),
        LIVE(gateways_are_told_the_nodes),
        LIVE(an_archive_lives_as_long_as_a_function_uses_it),
        LIVE(a_failed_update_gives_its_archive_back),
        LIVE(archives_that_are_none_are_refused),
        LIVE(the_link_of_get_function_downloads_the_archive),
    };
    const char *level = getenv("HEARTH_LOG_LEVEL");

    log_init("controller_test", level ? (enum log_level)log_level_parse(str_of(level)) : LOG_ERROR);
    return cmocka_run_group_tests_name("controller", tests, NULL, NULL);
}
