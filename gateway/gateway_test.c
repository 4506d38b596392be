/* SPDX-License-Identifier: Apache-2.0 */
/* The whole gateway between a client, a controller and nodes that do as they are told. */
#include "gateway/gateway.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/io/http_client.h"
#include "common/io/rpc.h"
#include "common/proto/invoke_wire.h"

#define PATIENCE_US SECONDS(20)
#define PATH "/2015-03-31/functions/"

enum behaviour { ECHO, FUNCTION_ERROR, KEEP, REFUSE };

struct fixture;

struct fake_node {
    struct fixture *f;
    struct link_server *server;
    struct link *link;
    char address[64];
    enum behaviour behaviour;
    enum error_code refuse_with;
    int asked, resets;
    int refusals; /* that REFUSE has left before it serves; below 0: no end */
    uint64_t generation; /* of the last question */
    char arn[128], trace[256], context[64], account[16];
    uint32_t flags, wait_ms;
    struct link_stream *kept;
    struct run *kept_run;
};

struct run {
    struct fake_node *node;
    struct buf data;
};

struct answer {
    struct fixture *f;
    struct http_call *call;
    bool done;
    int status;
    struct buf body;
    struct error err;
};

struct fixture {
    struct loop *loop;
    struct timer patience;
    struct http_client *client;
    struct gateway *gw;
    struct gateway_config config;
    char controller_address[64], dir[32];
    struct link_server *controller;
    struct link *to_gateway; /* the controller's end of the gateway's link */
    struct fake_node nodes[2];
    int node_count; /* at most two */
    int resolves, lambda_calls, acks;
    uint64_t generation;
    const char *state; /* of all functions; NULL: there are none */
    char lambda_path[128];
    bool (*until)(struct fixture *f);
    struct answer *waits_for;
};

/* ---- turns of the loop */

static void poke(struct fixture *f)
{
    if (f->until && f->until(f))
        loop_stop(f->loop);
}

static void on_patience(void *arg)
{
    (void)arg;
    fail_msg("nothing happened for too long");
}

static void run_until(struct fixture *f, bool (*until)(struct fixture *f))
{
    if (until(f))
        return;
    f->until = until;
    timer_start(&f->patience, PATIENCE_US);
    loop_run(f->loop);
    timer_stop(&f->patience);
    f->until = NULL;
}

/* ---- a node */

static void on_run_data(struct link_stream *s, struct str bytes, void *arg)
{
    struct run *run = arg;

    buf_append_str(&run->data, bytes);
    link_stream_consumed(s, bytes.len);
}

static void run_free(struct run *run)
{
    buf_done(&run->data);
    free(run);
}

static void forget_kept(struct fake_node *n)
{
    if (n->kept_run)
        run_free(n->kept_run);
    n->kept_run = NULL;
}

static void node_answer(struct fake_node *n, struct link_stream *s, struct str data)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(8192);
    struct result_head head = {.outcome = n->behaviour == FUNCTION_ERROR ? INVOKE_FUNCTION_ERROR
                                                                         : INVOKE_OK,
                               .executed_version = STR("$LATEST")};

    if (n->behaviour == REFUSE && n->refusals != 0) {
        n->refusals--;
        head = (struct result_head){.outcome = INVOKE_REFUSED,
                                    .refused = n->refuse_with,
                                    .message = STR("the node has no room")};
        data.len = 0;
    }
    if (n->flags & INVOKE_LOG_TAIL)
        head.log_tail = STR("START\nEND\n");
    result_head_write(&b, &head);
    link_stream_answer(s, buf_str(&b), data, true);
}

static void on_run_end(struct link_stream *s, void *arg)
{
    struct run *run = arg;
    struct fake_node *n = run->node;

    n->asked++;
    if (n->behaviour == KEEP) {
        n->kept = s;
        n->kept_run = run;
        poke(n->f);
        return;
    }
    node_answer(n, s, buf_str(&run->data));
    poke(n->f);
    run_free(run);
}

static void on_run_reset(struct link_stream *s, const struct error *why, void *arg)
{
    struct run *run = arg;
    struct fake_node *n = run->node;

    (void)s;
    (void)why;
    n->resets++;
    n->kept = NULL;
    n->kept_run = NULL;
    poke(n->f);
    run_free(run);
}

static const struct link_stream_ops run_ops = {
    .on_data = on_run_data, .on_end = on_run_end, .on_reset = on_run_reset};

static void copy(char *to, size_t size, struct str s)
{
    snprintf(to, size, "%.*s", STR_ARG(s));
}

static void on_node_stream(struct link *link, struct link_stream *s, enum link_kind kind,
                           struct str head, void *arg)
{
    struct fake_node *n = arg;
    struct run *run = calloc(1, sizeof(*run));
    struct invoke_head h;

    n->link = link;
    assert_int_equal(kind, LINK_INVOKE);
    assert_int_equal(invoke_head_read(head, &h), 0);
    n->generation = h.generation;
    n->flags = h.flags;
    n->wait_ms = h.wait_ms;
    copy(n->arn, sizeof(n->arn), h.invoked_arn);
    copy(n->trace, sizeof(n->trace), h.trace_id);
    copy(n->context, sizeof(n->context), h.client_context);
    copy(n->account, sizeof(n->account), h.account);
    run->node = n;
    buf_init(&run->data, 8u << 20);
    link_stream_accept(s, &run_ops, run);
}

static void on_any_up(struct link *link, const struct link_hello *peer, void *arg)
{
    struct fake_node *n = arg;

    (void)peer;
    n->link = link;
    poke(n->f);
}

static void on_any_down(struct link *link, const struct error *why, void *arg)
{
    (void)link;
    (void)why;
    (void)arg;
}

static const struct link_ops node_ops = {
    .on_up = on_any_up, .on_stream = on_node_stream, .on_down = on_any_down};

static void node_start(struct fixture *f, int which)
{
    const struct link_hello me = {"invoker", "node"};
    struct fake_node *n = &f->nodes[which];
    struct error err;

    n->f = f;
    n->refusals = -1;
    snprintf(n->address, sizeof(n->address), "unix:%s/node%d", f->dir, which);
    if (link_listen(f->loop, n->address, &me, &node_ops, n, &n->server, &err) < 0)
        fail_msg("%s", err.msg);
}

static void node_die(struct fixture *f, int which)
{
    forget_kept(&f->nodes[which]);
    link_server_free(f->nodes[which].server);
    f->nodes[which].server = NULL;
    f->nodes[which].link = NULL;
}

/* ---- the controller */

static void handle_resolve(struct rpc_request *req, const cJSON *args, struct str body, void *arg)
{
    struct fixture *f = arg;
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(args, "name"));
    cJSON *ok;
    struct error err;

    (void)body;
    f->resolves++;
    if (!f->state) {
        error_set(&err, ERR_NOT_FOUND, "no such function");
        rpc_fail(req, &err);
        return;
    }
    ok = cJSON_CreateObject();
    cJSON_AddStringToObject(ok, "arn", "arn:aws:lambda:us-east-1:000000000000:function:hello");
    assert_string_equal(name, "hello");
    cJSON_AddStringToObject(ok, "version", "$LATEST");
    cJSON_AddStringToObject(ok, "state", f->state);
    cJSON_AddNumberToObject(ok, "generation", (double)f->generation);
    cJSON_AddNumberToObject(ok, "timeout_s", 3);
    rpc_reply(req, ok, STR_NULL);
    cJSON_Delete(ok);
}

static void handle_lambda(struct rpc_request *req, const cJSON *args, struct str body, void *arg)
{
    struct fixture *f = arg;
    cJSON *ok = cJSON_Parse("{\"status\":201,\"headers\":{\"Content-Type\":\"application/json\"}}");

    f->lambda_calls++;
    snprintf(f->lambda_path, sizeof(f->lambda_path), "%s?%s",
             cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(args, "path")),
             cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(args, "query")));
    rpc_reply(req, ok, body);
    cJSON_Delete(ok);
}

static const struct rpc_method controller_methods[] = {
    {"route.resolve", handle_resolve}, {"lambda", handle_lambda}, {NULL, NULL}};

static void on_set(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    struct fixture *f = arg;

    (void)ok;
    (void)body;
    assert_null(err);
    f->acks++;
    poke(f);
}

static void send_nodes(struct fixture *f)
{
    cJSON *args = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(args, "nodes"), *item;
    char id[16];
    int i;

    for (i = 0; i < f->node_count; i++) {
        item = cJSON_CreateObject();
        snprintf(id, sizeof(id), "n%d", i);
        cJSON_AddStringToObject(item, "id", id);
        cJSON_AddStringToObject(item, "address", f->nodes[i].address);
        cJSON_AddItemToArray(list, item);
    }
    rpc_call(f->to_gateway, "nodes.set", args, STR_NULL, SECONDS(5), on_set, f);
    cJSON_Delete(args);
}

static void on_controller_up(struct link *link, const struct link_hello *peer, void *arg)
{
    struct fixture *f = arg;

    assert_string_equal(peer->role, "gateway");
    f->to_gateway = link;
    send_nodes(f);
}

static void on_controller_stream(struct link *link, struct link_stream *s, enum link_kind kind,
                                 struct str head, void *arg)
{
    struct fixture *f = arg;

    (void)link;
    assert_int_equal(kind, LINK_CALL);
    rpc_serve(f->loop, s, head, controller_methods, f);
}

static const struct link_ops controller_ops = {
    .on_up = on_controller_up, .on_stream = on_controller_stream, .on_down = on_any_down};

static void controller_start(struct fixture *f)
{
    const struct link_hello me = {"controller", "c"};
    struct error err;

    if (link_listen(f->loop, f->controller_address, &me, &controller_ops, f, &f->controller, &err) <
        0)
        fail_msg("%s", err.msg);
}

/* ---- a client */

static void on_answer(int status, struct str body, const struct error *err, void *arg)
{
    struct answer *a = arg;

    a->done = true;
    a->call = NULL;
    a->status = status;
    if (err)
        a->err = *err;
    else
        buf_append_str(&a->body, body);
    poke(a->f);
}

static void ask(struct fixture *f, struct answer *a, const char *method, const char *path,
                const char *const *headers, struct str body)
{
    CLEANUP(freep) char *url = str_printf("http://127.0.0.1:%d%s", gateway_port(f->gw), path);
    struct http_call_options options = {.method = method,
                                        .url = url,
                                        .headers = headers,
                                        .body = body,
                                        .timeout_us = SECONDS(15),
                                        .body_max = 16u << 20};

    *a = (struct answer){.f = f};
    buf_init(&a->body, 16u << 20);
    a->call = http_call(f->client, &options, on_answer, a);
}

static bool is_answered(struct fixture *f)
{
    return f->waits_for->done;
}

static void hear(struct fixture *f, struct answer *a)
{
    f->waits_for = a;
    run_until(f, is_answered);
    assert_int_equal(a->err.code, 0);
}

static void expect(struct answer *a, int status, const char *body)
{
    if (a->status != status || !str_is(buf_str(&a->body), body))
        fail_msg("%d %.*s", a->status, STR_ARG(buf_str(&a->body)));
    buf_done(&a->body);
}

static void expect_part(struct answer *a, int status, const char *part)
{
    buf_append_char(&a->body, '\0');
    if (a->status != status || !strstr(a->body.ptr, part))
        fail_msg("%d %s", a->status, a->body.ptr);
    buf_done(&a->body);
}

static void invoke(struct fixture *f, struct answer *a, struct str body)
{
    ask(f, a, "POST", PATH "hello/invocations", NULL, body);
    hear(f, a);
}

/* ---- begin and end */

static bool node_links_are_up(struct fixture *f)
{
    int i;

    for (i = 0; i < f->node_count; i++)
        if (!f->nodes[i].link)
            return false;
    return f->acks > 0;
}

static void begin_with(struct fixture *f, int nodes, const char *wait, const char *concurrency)
{
    CLEANUP(buf_done) struct buf problems = BUF_INIT(4096);
    char *argv[] = {"gateway",
                    "--listen",
                    "127.0.0.1:0",
                    "--controller",
                    f->controller_address,
                    "--invoke-wait",
                    (char *)(uintptr_t)wait,
                    "--account-concurrency",
                    (char *)(uintptr_t)concurrency};
    struct error err;
    int i;

    *f = (struct fixture){
        .loop = loop_new(), .generation = 1, .state = "Active", .node_count = nodes};
    snprintf(f->dir, sizeof(f->dir), "/tmp/hgw-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->controller_address, sizeof(f->controller_address), "unix:%s/c", f->dir);
    timer_init(&f->patience, f->loop, on_patience, f);
    f->client = http_client_new(f->loop);
    for (i = 0; i < nodes; i++)
        node_start(f, i);
    controller_start(f);
    assert_int_equal(
        config_load(&gateway_config_program, ARRAY_LEN(argv), argv, &f->config, &problems),
        CONFIG_RUN);
    if (gateway_new(f->loop, &f->config, &f->gw, &err) < 0)
        fail_msg("%s", err.msg);
    run_until(f, node_links_are_up);
}

static void begin(struct fixture *f, int nodes)
{
    begin_with(f, nodes, "60s", "1000");
}

static void end(struct fixture *f)
{
    int i;

    http_client_free(f->client);
    gateway_free(f->gw);
    for (i = 0; i < f->node_count; i++) {
        if (f->nodes[i].server)
            node_die(f, i);
    }
    link_server_free(f->controller);
    loop_free(f->loop);
    config_done(&gateway_config_program, &f->config);
    rmdir(f->dir);
}

/* ---- what must hold */

static void an_invocation_goes_to_a_node_and_back(void **state)
{
    static const char *const headers[] = {
        "X-Amz-Log-Type: Tail", "X-Amz-Client-Context: eyJhIjoxfQ==",
        "X-Amzn-Trace-Id: Root=1-5759e988-bd862e3fe1be46a994272793", NULL};
    struct answer a;
    struct fixture f;

    (void)state;
    begin(&f, 1);
    invoke(&f, &a, STR("{\"n\":1}"));
    expect(&a, 200, "{\"n\":1}");
    assert_string_equal(f.nodes[0].arn, "arn:aws:lambda:us-east-1:000000000000:function:hello");
    assert_string_equal(f.nodes[0].account, "000000000000");
    assert_int_equal(f.nodes[0].generation, 1);
    assert_int_equal(f.nodes[0].flags, 0);
    assert_in_range(f.nodes[0].wait_ms, 50000, 60000);
    invoke(&f, &a, STR_NULL);
    expect(&a, 200, "{}");
    assert_int_equal(f.resolves, 1); /* once for both */
    ask(&f, &a, "POST",
        PATH "arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Ahello/"
             "invocations?Qualifier=live",
        headers, STR("1"));
    hear(&f, &a);
    expect(&a, 200, "1");
    assert_string_equal(f.nodes[0].arn,
                        "arn:aws:lambda:us-east-1:000000000000:function:hello:live");
    assert_string_equal(f.nodes[0].context, "{\"a\":1}");
    assert_string_equal(f.nodes[0].trace, "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0");
    assert_int_equal(f.nodes[0].flags, INVOKE_LOG_TAIL);
    end(&f);
}

static void large_payloads_pass_both_ways(void **state)
{
    struct buf big = BUF_INIT(8u << 20);
    struct answer a;
    struct fixture f;

    (void)state;
    begin(&f, 1);
    buf_append_char(&big, '"');
    while (big.len < 6291455)
        buf_append_char(&big, 'x');
    buf_append_char(&big, '"');
    invoke(&f, &a, buf_str(&big));
    assert_int_equal(a.status, 200);
    assert_true(str_eq(buf_str(&a.body), buf_str(&big)));
    buf_done(&a.body);
    big.ptr[big.len - 1] = 'x';
    buf_append_char(&big, '"');
    invoke(&f, &a, buf_str(&big));
    expect(&a, 413,
           "{\"Type\":\"User\",\"message\":\"Request must be smaller than 6291456 bytes for the "
           "InvokeFunction operation\"}");
    buf_done(&big);
    end(&f);
}

static void errors_are_aws_errors(void **state)
{
    static const char *const event[] = {"X-Amz-Invocation-Type: Event", NULL};
    static const char *const dry[] = {"X-Amz-Invocation-Type: DryRun", NULL};
    static const char *const types[] = {"X-Amz-Invocation-Type: Foo", NULL};
    static const char *const logs[] = {"X-Amz-Log-Type: Foo", NULL};
    struct answer a;
    struct fixture f;

    (void)state;
    begin(&f, 1);
    invoke(&f, &a, STR("n\x87"));
    expect_part(&a, 400,
                "Could not parse request body into json: Could not parse payload into json: ");
    ask(&f, &a, "POST", PATH "hello/invocations", event, STR("{}"));
    hear(&f, &a);
    expect_part(&a, 400, "InvocationType Event is not offered yet");
    ask(&f, &a, "POST", PATH "hello/invocations", types, STR("{}"));
    hear(&f, &a);
    expect(&a, 400,
           "{\"message\":\"1 validation error detected: Value 'Foo' at 'invocationType' failed to "
           "satisfy constraint: Member must satisfy enum value set: [Event, RequestResponse, "
           "DryRun]\"}");
    ask(&f, &a, "POST", PATH "hello/invocations", logs, STR("{}"));
    hear(&f, &a);
    expect(&a, 400,
           "{\"message\":\"1 validation error detected: Value 'Foo' at 'logType' failed to satisfy "
           "constraint: Member must satisfy enum value set: [None, Tail]\"}");
    ask(&f, &a, "GET", "/what", NULL, STR_NULL);
    hear(&f, &a);
    expect_part(&a, 404, "GET /what is no operation of Hearth");
    ask(&f, &a, "GET", "/%", NULL, STR_NULL);
    hear(&f, &a);
    expect_part(&a, 400, "malformed escapes");
    f.nodes[0].behaviour = FUNCTION_ERROR;
    invoke(&f, &a, STR("{\"errorMessage\":\"x\"}"));
    expect(&a, 200, "{\"errorMessage\":\"x\"}");
    ask(&f, &a, "POST", PATH "hello/invocations", dry, STR_NULL);
    hear(&f, &a);
    expect(&a, 204, "");
    assert_int_equal(f.nodes[0].asked, 1);
    end(&f);
}

static void functions_that_are_not_active_are_not_invoked(void **state)
{
    struct answer a;
    struct fixture f;

    (void)state;
    begin(&f, 1);
    f.state = NULL;
    invoke(&f, &a, STR("{}"));
    expect_part(&a, 404,
                "Function not found: arn:aws:lambda:us-east-1:000000000000:function:hello:$LATEST");
    f.state = "Pending";
    invoke(&f, &a, STR("{}"));
    expect_part(&a, 409,
                "The operation cannot be performed at this time. The function is currently in the "
                "following state: Pending");
    f.state = "Failed";
    invoke(&f, &a, STR("{}"));
    expect_part(&a, 409, "state: Failed");
    f.state = "Active";
    invoke(&f, &a, STR("{}"));
    expect(&a, 200, "{}");
    assert_int_equal(f.nodes[0].asked, 1);
    end(&f);
}

static bool has_kept(struct fixture *f)
{
    return f->nodes[0].kept != NULL;
}

static bool was_reset(struct fixture *f)
{
    return f->nodes[0].resets > 0;
}

static void a_stale_route_is_resolved_again_until_it_serves(void **state)
{
    struct answer a;
    struct fixture f;

    (void)state;
    begin(&f, 1);
    invoke(&f, &a, STR("{}"));
    expect(&a, 200, "{}");
    f.generation = 2;
    f.nodes[0].behaviour = REFUSE;
    f.nodes[0].refuse_with = ERR_STALE;
    f.nodes[0].refusals = 3;
    invoke(&f, &a, STR("{}"));
    expect(&a, 200, "{}");
    assert_int_equal(f.nodes[0].asked, 5);
    assert_int_equal(f.nodes[0].generation, 2);
    assert_int_equal(f.resolves, 4);
    end(&f);
}

static void a_change_without_end_ends_with_the_wait(void **state)
{
    struct answer a;
    struct fixture f;

    (void)state;
    begin_with(&f, 1, "20ms", "1000");
    f.nodes[0].behaviour = REFUSE;
    f.nodes[0].refuse_with = ERR_STALE;
    invoke(&f, &a, STR("{}"));
    expect_part(&a, 503, "The function was being changed for as long as");
    assert_in_range(f.nodes[0].asked, 1, 8); /* with growing pauses */
    end(&f);
}

static bool has_acks(struct fixture *f)
{
    return f->acks == 2;
}

static void a_dropped_route_is_not_used_again(void **state)
{
    cJSON *args = cJSON_Parse("{\"account\":\"000000000000\",\"name\":\"hello\"}");
    struct answer a;
    struct fixture f;

    (void)state;
    begin(&f, 1);
    invoke(&f, &a, STR("{}"));
    expect(&a, 200, "{}");
    f.generation = 2;
    rpc_call(f.to_gateway, "route.drop", args, STR_NULL, SECONDS(5), on_set, &f);
    run_until(&f, has_acks);
    invoke(&f, &a, STR("{}"));
    expect(&a, 200, "{}");
    assert_int_equal(f.nodes[0].generation, 2);
    cJSON_Delete(args);
    end(&f);
}

static void a_full_node_gives_way_to_another(void **state)
{
    struct answer a;
    struct fixture f;
    int i;

    (void)state;
    begin(&f, 2);
    f.nodes[0].behaviour = REFUSE;
    f.nodes[0].refuse_with = ERR_THROTTLED;
    for (i = 0; i < 3; i++) {
        invoke(&f, &a, STR("{}"));
        expect(&a, 200, "{}");
    }
    assert_int_equal(f.nodes[1].asked, 3);
    assert_in_range(f.nodes[0].asked, 0, 1); /* the one that served last is asked first */
    f.nodes[1].behaviour = REFUSE;
    f.nodes[1].refuse_with = ERR_THROTTLED;
    invoke(&f, &a, STR("{}"));
    expect(&a, 429,
           "{\"Reason\":\"ConcurrentInvocationLimitExceeded\",\"Type\":\"User\",\"message\":\"Rate "
           "Exceeded. (the node has no room)\"}");
    end(&f);
}

static void a_node_lost_while_it_runs_is_an_error_and_no_second_run(void **state)
{
    struct answer a;
    struct fixture f;

    (void)state;
    begin(&f, 2);
    f.nodes[0].behaviour = f.nodes[1].behaviour = KEEP;
    ask(&f, &a, "POST", PATH "hello/invocations", NULL, STR("{}"));
    run_until(&f, has_kept);
    node_die(&f, 0);
    hear(&f, &a);
    expect_part(&a, 500, "was lost before it answered");
    assert_int_equal(f.nodes[1].asked, 0);
    f.nodes[1].behaviour = ECHO;
    invoke(&f, &a, STR("{}"));
    expect(&a, 200, "{}");
    end(&f);
}

static void an_invocation_waits_for_a_node_to_come(void **state)
{
    struct answer a;
    struct fixture f;

    (void)state;
    begin(&f, 0);
    ask(&f, &a, "POST", PATH "hello/invocations", NULL, STR("{}"));
    f.node_count = 1;
    node_start(&f, 0);
    send_nodes(&f);
    hear(&f, &a);
    expect(&a, 200, "{}");
    end(&f);
}

static void the_wait_for_a_node_ends_with_a_reason(void **state)
{
    struct answer a;
    struct fixture f;

    (void)state;
    begin_with(&f, 0, "10ms", "1000");
    invoke(&f, &a, STR("{}"));
    expect_part(&a, 503, "No node has registered");
    ask(&f, &a, "GET", "/_hearth/health", NULL, STR_NULL);
    hear(&f, &a);
    expect_part(&a, 503, "{\"status\":\"starting\"");
    end(&f);
}

static void known_functions_run_while_the_controller_is_away(void **state)
{
    struct answer a;
    struct fixture f;

    (void)state;
    begin_with(&f, 1, "10ms", "1000");
    invoke(&f, &a, STR("{}"));
    expect(&a, 200, "{}");
    ask(&f, &a, "GET", "/_hearth/health", NULL, STR_NULL);
    hear(&f, &a);
    expect_part(&a, 200, "\"status\":\"ok\"");
    link_server_free(f.controller);
    f.controller = NULL;
    invoke(&f, &a, STR("{}"));
    expect(&a, 200, "{}");
    ask(&f, &a, "POST", PATH "other/invocations", NULL, STR("{}"));
    hear(&f, &a);
    expect_part(&a, 503, "The controller cannot be reached");
    ask(&f, &a, "GET", PATH "hello", NULL, STR_NULL);
    hear(&f, &a);
    expect_part(&a, 503, "The controller cannot be reached");
    ask(&f, &a, "GET", "/_hearth/health", NULL, STR_NULL);
    hear(&f, &a);
    expect_part(&a, 200, "\"status\":\"degraded\"");
    controller_start(&f);
    f.acks = 0;
    run_until(&f, node_links_are_up);
    invoke(&f, &a, STR("{}"));
    expect(&a, 200, "{}");
    assert_int_equal(f.resolves, 2); /* all was forgotten when it came back */
    end(&f);
}

static void beyond_the_account_limit_is_429(void **state)
{
    struct answer a, b;
    struct fixture f;

    (void)state;
    begin_with(&f, 1, "60s", "1");
    f.nodes[0].behaviour = KEEP;
    ask(&f, &a, "POST", PATH "hello/invocations", NULL, STR("{}"));
    run_until(&f, has_kept);
    invoke(&f, &b, STR("{}"));
    expect(&b, 429,
           "{\"Reason\":\"ConcurrentInvocationLimitExceeded\",\"Type\":\"User\",\"message\":\"Rate "
           "Exceeded.\"}");
    http_call_cancel(a.call);
    buf_done(&a.body);
    run_until(&f, was_reset);
    f.nodes[0].behaviour = ECHO;
    invoke(&f, &b, STR("{}"));
    expect(&b, 200, "{}"); /* the one that left does not count */
    end(&f);
}

static void management_calls_go_to_the_controller(void **state)
{
    struct answer a;
    struct fixture f;

    (void)state;
    begin(&f, 0);
    ask(&f, &a, "POST", "/2015-03-31/functions", NULL, STR("{\"FunctionName\":\"x\"}"));
    hear(&f, &a);
    expect(&a, 201, "{\"FunctionName\":\"x\"}");
    ask(&f, &a, "GET", PATH "a%3Ab/configuration?Qualifier=1%20", NULL, STR_NULL);
    hear(&f, &a);
    expect(&a, 201, "");
    assert_string_equal(f.lambda_path, PATH "a:b/configuration?Qualifier=1%20");
    assert_int_equal(f.lambda_calls, 2);
    end(&f);
}

static void a_stop_lets_what_runs_finish(void **state)
{
    struct answer a;
    struct fixture f;

    (void)state;
    begin(&f, 1);
    f.nodes[0].behaviour = KEEP;
    ask(&f, &a, "POST", PATH "hello/invocations", NULL, STR("{}"));
    run_until(&f, has_kept);
    gateway_stop(f.gw);
    f.nodes[0].behaviour = ECHO;
    node_answer(&f.nodes[0], f.nodes[0].kept, STR("late"));
    loop_run(f.loop); /* ends by the gateway */
    if (!a.done)
        hear(&f, &a);
    expect(&a, 200, "late");
    end(&f);
}

static void a_stop_answers_what_does_not_finish(void **state)
{
    struct answer a;
    struct fixture f;

    (void)state;
    begin(&f, 1);
    f.nodes[0].behaviour = KEEP;
    ask(&f, &a, "POST", PATH "hello/invocations", NULL, STR("{}"));
    run_until(&f, has_kept);
    f.config.drain_us = MSEC(1);
    gateway_stop(f.gw);
    loop_run(f.loop); /* ends by the gateway */
    if (!a.done)
        hear(&f, &a);
    expect_part(&a, 503, "Hearth is stopping; the invocation may have run.");
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_invocation_goes_to_a_node_and_back),
        cmocka_unit_test(large_payloads_pass_both_ways),
        cmocka_unit_test(errors_are_aws_errors),
        cmocka_unit_test(functions_that_are_not_active_are_not_invoked),
        cmocka_unit_test(a_stale_route_is_resolved_again_until_it_serves),
        cmocka_unit_test(a_change_without_end_ends_with_the_wait),
        cmocka_unit_test(a_dropped_route_is_not_used_again),
        cmocka_unit_test(a_full_node_gives_way_to_another),
        cmocka_unit_test(a_node_lost_while_it_runs_is_an_error_and_no_second_run),
        cmocka_unit_test(an_invocation_waits_for_a_node_to_come),
        cmocka_unit_test(the_wait_for_a_node_ends_with_a_reason),
        cmocka_unit_test(known_functions_run_while_the_controller_is_away),
        cmocka_unit_test(beyond_the_account_limit_is_429),
        cmocka_unit_test(management_calls_go_to_the_controller),
        cmocka_unit_test(a_stop_lets_what_runs_finish),
        cmocka_unit_test(a_stop_answers_what_does_not_finish),
    };

    log_init("gateway_test", LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
