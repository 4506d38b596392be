/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gateway_fixture.h - for tests: the whole gateway between a client, a controller and nodes that do
 * as they are told.
 *
 * Threads: one; a test is begin(), steps, end().
 */
#ifndef HEARTH_GATEWAY_GATEWAY_FIXTURE_H
#define HEARTH_GATEWAY_GATEWAY_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/io/http_client.h"
#include "common/io/rpc.h"
#include "common/proto/invoke_wire.h"
#include "gateway/gateway.h"
#include "gateway/ledger_fixture.h"

#define PATIENCE_US SECONDS(20)
#define PATH "/2015-03-31/functions/"
#define FUNCTION_ARN "arn:aws:lambda:us-east-1:000000000000:function:hello"
#define TARGET(version, generation, state, weight)                                                 \
    "{\"version\":\"" version "\",\"generation\":" generation ",\"state\":\"" state              \
    "\",\"timeout_s\":3,\"weight\":" weight "}"

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
    char arn[128], trace[256], context[64], account[16], version[16];
    int asked_of[10]; /* by version, of those of one digit */
    uint32_t flags, wait_ms;
    uint64_t epoch;
    char gateway[96], pool[64]; /* of the last question's permit */
    int alive_asked; /* runs.alive */
    bool still_runs; /* all that it asks about */
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
    char process[64]; /* what the gateway calls itself there */
    struct fake_node nodes[2];
    int node_count; /* at most two */
    int nodes_left; /* so many, the first, are in the controller's list no more */
    int resolves, lambda_calls, acks, wanted_acks;
    int draining; /* the node that the controller's list says so of; 0: none, 1: the first */
    uint64_t generation;
    const char *state; /* of all functions; NULL: there are none */
    const char *targets; /* JSON of route.resolve's targets; NULL: $LATEST alone */
    const char *limits; /* more members of that answer, ',' first; NULL: none */
    char qualifier[32]; /* that was asked for last */
    struct fake_ledger ledger;
    char recalled[512]; /* what the last permits.recall or usage.get was answered */
    int enqueues;
    enum error_code enqueue_with; /* async.enqueue fails with it; ERR_OK: it is kept */
    bool keep_enqueue; /* it is not answered */
    struct rpc_request *kept_enqueue;
    char event[512]; /* "account name qualifier request_id trace_id payload" of the last one */
    char lambda_path[128];
    char lambda_service[160]; /* "iam text/x arn:…": service, content type and caller of the call; or operation */
    bool (*until)(struct fixture *f);
    struct answer *waits_for;
};

/* ---- turns of the loop */

static inline void poke(struct fixture *f)
{
    if (f->until && f->until(f))
        loop_stop(f->loop);
}

static inline void on_patience(void *arg)
{
    (void)arg;
    fail_msg("nothing happened for too long");
}

static inline void run_until(struct fixture *f, bool (*until)(struct fixture *f))
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

static inline void on_run_data(struct link_stream *s, struct str bytes, void *arg)
{
    struct run *run = arg;

    buf_append_str(&run->data, bytes);
    link_stream_consumed(s, bytes.len);
}

static inline void run_free(struct run *run)
{
    buf_done(&run->data);
    free(run);
}

static inline void forget_kept(struct fake_node *n)
{
    if (n->kept_run)
        run_free(n->kept_run);
    n->kept_run = NULL;
}

static inline void node_answer(struct fake_node *n, struct link_stream *s, struct str data)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(8192);
    struct result_head head = {.outcome = n->behaviour == FUNCTION_ERROR ? INVOKE_FUNCTION_ERROR
                                                                         : INVOKE_OK,
                               .executed_version = str_of(n->version)};

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

static inline void on_run_end(struct link_stream *s, void *arg)
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

static inline void on_run_reset(struct link_stream *s, const struct error *why, void *arg)
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

static inline void copy(char *to, size_t size, struct str s)
{
    snprintf(to, size, "%.*s", STR_ARG(s));
}

static inline void handle_ping(struct rpc_request *req, const cJSON *args, struct str body, void *arg)
{
    (void)args;
    (void)body;
    (void)arg;
    rpc_reply(req, NULL, STR_NULL);
}

/* runs.alive: all that it asks about still runs, or nothing. */
static inline void handle_alive(struct rpc_request *req, const cJSON *args, struct str body, void *arg)
{
    const cJSON *asked = cJSON_GetObjectItemCaseSensitive(args, "requests");
    struct fake_node *n = arg;
    cJSON *ok = cJSON_CreateObject();

    (void)body;
    assert_non_null(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(args, "gateway")));
    n->alive_asked++;
    cJSON_AddItemToObject(ok, "requests",
                          n->still_runs ? cJSON_Duplicate(asked, true) : cJSON_CreateArray());
    rpc_reply(req, ok, STR_NULL);
    cJSON_Delete(ok);
    poke(n->f);
}

static const struct rpc_method node_methods[] = {
    {"node.ping", handle_ping}, {"runs.alive", handle_alive}, {NULL, NULL}};

static inline void on_node_stream(struct link *link, struct link_stream *s, enum link_kind kind,
                           struct str head, void *arg)
{
    struct fake_node *n = arg;
    struct invoke_head h;
    struct run *run;

    n->link = link;
    if (kind == LINK_CALL) {
        rpc_serve(n->f->loop, s, head, node_methods, n);
        return;
    }
    run = calloc(1, sizeof(*run));
    assert_int_equal(kind, LINK_INVOKE);
    assert_int_equal(invoke_head_read(head, &h), 0);
    n->generation = h.generation;
    n->flags = h.flags;
    n->wait_ms = h.wait_ms;
    copy(n->arn, sizeof(n->arn), h.invoked_arn);
    copy(n->trace, sizeof(n->trace), h.trace_id);
    copy(n->context, sizeof(n->context), h.client_context);
    copy(n->account, sizeof(n->account), h.account);
    copy(n->version, sizeof(n->version), h.version);
    n->epoch = h.epoch;
    copy(n->gateway, sizeof(n->gateway), h.gateway);
    copy(n->pool, sizeof(n->pool), h.pool);
    if (n->version[0] >= '0' && n->version[0] <= '9')
        n->asked_of[n->version[0] - '0']++;
    run->node = n;
    buf_init(&run->data, 8u << 20);
    link_stream_accept(s, &run_ops, run);
}

static inline void on_any_up(struct link *link, const struct link_hello *peer, void *arg)
{
    struct fake_node *n = arg;

    (void)peer;
    n->link = link;
    poke(n->f);
}

static inline void on_any_down(struct link *link, const struct error *why, void *arg)
{
    (void)link;
    (void)why;
    (void)arg;
}

static const struct link_ops node_ops = {
    .on_up = on_any_up, .on_stream = on_node_stream, .on_down = on_any_down};

static inline void node_start(struct fixture *f, int which)
{
    const struct link_hello me = {.role = "invoker", .id = "node"};
    struct fake_node *n = &f->nodes[which];
    struct error err;

    n->f = f;
    n->refusals = -1;
    snprintf(n->address, sizeof(n->address), "unix:%s/node%d", f->dir, which);
    if (link_listen(f->loop, n->address, &me, &node_ops, n, &n->server, &err) < 0)
        fail_msg("%s", err.msg);
}

static inline void node_die(struct fixture *f, int which)
{
    forget_kept(&f->nodes[which]);
    link_server_free(f->nodes[which].server);
    f->nodes[which].server = NULL;
    f->nodes[which].link = NULL;
}

/* ---- the controller */

static inline void handle_resolve(struct rpc_request *req, const cJSON *args, struct str body, void *arg)
{
    struct fixture *f = arg;
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(args, "name"));
    CLEANUP(freep) char *latest = NULL, *text = NULL;
    cJSON *ok;
    struct error err;

    (void)body;
    f->resolves++;
    if (!f->state) {
        error_set(&err, ERR_NOT_FOUND, "no such function");
        rpc_fail(req, &err);
        return;
    }
    assert_string_equal(name, "hello");
    copy(f->qualifier, sizeof(f->qualifier),
         str_of(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(args, "qualifier"))));
    latest = str_printf("[{\"version\":\"$LATEST\",\"state\":\"%s\",\"generation\":%d,"
                        "\"timeout_s\":3,\"weight\":1}]",
                        f->state, (int)f->generation);
    text = str_printf("{\"arn\":\"" FUNCTION_ARN "\",\"targets\":%s%s}",
                      f->targets ? f->targets : latest, f->limits ? f->limits : "");
    ok = cJSON_Parse(text);
    assert_non_null(ok);
    rpc_reply(req, ok, STR_NULL);
    cJSON_Delete(ok);
}

static inline void handle_lambda(struct rpc_request *req, const cJSON *args, struct str body, void *arg)
{
    struct fixture *f = arg;
    cJSON *ok = cJSON_Parse("{\"status\":201,\"headers\":{\"Content-Type\":\"application/json\"}}");

    f->lambda_calls++;
    snprintf(f->lambda_path, sizeof(f->lambda_path), "%s?%s",
             text_of(args, "path"), text_of(args, "query"));
    if (cJSON_HasObjectItem(args, "operation"))
        snprintf(f->lambda_service, sizeof(f->lambda_service), "%s %s", text_of(args, "service"),
                 text_of(args, "operation"));
    else
        snprintf(f->lambda_service, sizeof(f->lambda_service), "%s %s %s", text_of(args, "service"),
                 text_of(args, "content_type"), text_of(args, "caller_arn"));
    rpc_reply(req, ok, body);
    cJSON_Delete(ok);
}

static inline void handle_enqueue(struct rpc_request *req, const cJSON *args, struct str body, void *arg)
{
    struct fixture *f = arg;
    struct error err;

    f->enqueues++;
    snprintf(f->event, sizeof(f->event), "%s %s %s %s %s %.*s", text_of(args, "account"),
             text_of(args, "name"), text_of(args, "qualifier"), text_of(args, "request_id"),
             text_of(args, "trace_id"), STR_ARG(body));
    error_set(&err, f->enqueue_with, "not kept");
    if (f->keep_enqueue)
        f->kept_enqueue = req;
    else if (f->enqueue_with != ERR_OK)
        rpc_fail(req, &err);
    else
        rpc_reply(req, NULL, STR_NULL);
    poke(f);
}

/* ---- permits */

static inline void handle_join(struct rpc_request *req, const cJSON *args, struct str body, void *arg)
{
    struct fixture *f = arg;

    (void)body;
    fake_ledger_join(&f->ledger, req, args);
    poke(f);
}

static inline void handle_ask(struct rpc_request *req, const cJSON *args, struct str body, void *arg)
{
    struct fixture *f = arg;

    (void)body;
    fake_ledger_ask(&f->ledger, req, args);
    poke(f);
}

static const struct rpc_method controller_methods[] = {
    {"permits.join", handle_join},
    {"permits.ask", handle_ask},
    {"async.enqueue", handle_enqueue},
    {"route.resolve", handle_resolve}, {"lambda", handle_lambda}, {NULL, NULL}};

static inline void on_set(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    struct fixture *f = arg;

    (void)ok;
    (void)body;
    assert_null(err);
    f->acks++;
    poke(f);
}

static inline bool has_wanted_acks(struct fixture *f)
{
    return f->acks >= f->wanted_acks;
}

static inline void send_nodes(struct fixture *f)
{
    cJSON *args = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(args, "nodes"), *item;
    char id[16];
    int i;

    for (i = f->nodes_left; i < f->node_count; i++) {
        item = cJSON_CreateObject();
        snprintf(id, sizeof(id), "n%d", i);
        cJSON_AddStringToObject(item, "id", id);
        cJSON_AddStringToObject(item, "address", f->nodes[i].address);
        if (f->draining == i + 1)
            cJSON_AddTrueToObject(item, "draining");
        cJSON_AddItemToArray(list, item);
    }
    rpc_call(f->to_gateway, "nodes.set", args, STR_NULL, SECONDS(5), on_set, f);
    cJSON_Delete(args);
}

static inline void on_controller_up(struct link *link, const struct link_hello *peer, void *arg)
{
    struct fixture *f = arg;

    assert_string_equal(peer->role, "gateway");
    snprintf(f->process, sizeof(f->process), "%s", peer->id);
    f->to_gateway = link;
    send_nodes(f);
}

static inline void on_controller_stream(struct link *link, struct link_stream *s, enum link_kind kind,
                                 struct str head, void *arg)
{
    struct fixture *f = arg;

    (void)link;
    assert_int_equal(kind, LINK_CALL);
    rpc_serve(f->loop, s, head, controller_methods, f);
}

static const struct link_ops controller_ops = {
    .on_up = on_controller_up, .on_stream = on_controller_stream, .on_down = on_any_down};

static inline void controller_start(struct fixture *f)
{
    const struct link_hello me = {.role = "controller", .id = "c"};
    struct error err;

    if (link_listen(f->loop, f->controller_address, &me, &controller_ops, f, &f->controller, &err) <
        0)
        fail_msg("%s", err.msg);
}

/* ---- a client */

static inline void on_answer(int status, struct str body, const struct error *err, void *arg)
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

static inline void ask(struct fixture *f, struct answer *a, const char *method, const char *path,
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

static inline bool is_answered(struct fixture *f)
{
    return f->waits_for->done;
}

static inline void hear(struct fixture *f, struct answer *a)
{
    f->waits_for = a;
    run_until(f, is_answered);
    assert_int_equal(a->err.code, 0);
}

static inline void expect(struct answer *a, int status, const char *body)
{
    if (a->status != status || !str_is(buf_str(&a->body), body))
        fail_msg("%d %.*s", a->status, STR_ARG(buf_str(&a->body)));
    buf_done(&a->body);
}

static inline void expect_part(struct answer *a, int status, const char *part)
{
    buf_append_char(&a->body, '\0');
    if (a->status != status || !strstr(a->body.ptr, part))
        fail_msg("%d %s", a->status, a->body.ptr);
    buf_done(&a->body);
}

static inline void invoke(struct fixture *f, struct answer *a, struct str body)
{
    ask(f, a, "POST", PATH "hello/invocations", NULL, body);
    hear(f, a);
}

/* Node @which says @text of itself, JSON, and is heard. */
static inline void node_tells(struct fixture *f, int which, const char *text)
{
    int before = f->acks;
    cJSON *args = cJSON_Parse(text);

    assert_non_null(args);
    rpc_call(f->nodes[which].link, "node.state", args, STR_NULL, SECONDS(5), on_set, f);
    f->wanted_acks = before + 1;
    run_until(f, has_wanted_acks);
    cJSON_Delete(args);
}

/* ---- begin and end */

static inline bool node_links_are_up(struct fixture *f)
{
    int i;

    for (i = 0; i < f->node_count; i++)
        if (!f->nodes[i].link)
            return false;
    return f->acks > 0;
}

static inline void begin_with(struct fixture *f, int nodes, const char *wait, uint64_t concurrency)
{
    CLEANUP(buf_done) struct buf problems = BUF_INIT(4096);
    char *argv[] = {"gateway",
                    "--listen",
                    "127.0.0.1:0",
                    "--controller",
                    f->controller_address,
                    "--invoke-wait",
                    (char *)(uintptr_t)wait};
    struct error err;
    int i;

    *f = (struct fixture){
        .loop = loop_new(),
        .generation = 1,
        .state = "Active",
        .node_count = nodes,
        .ledger = {.limit = concurrency, .epoch = 7},
    };
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

static inline void begin(struct fixture *f, int nodes)
{
    begin_with(f, nodes, "60s", 1000);
}

static inline void end(struct fixture *f)
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

/* ---- what tests wait for */

static inline bool has_kept(struct fixture *f)
{
    return f->nodes[0].kept != NULL;
}

static inline bool was_acknowledged(struct fixture *f)
{
    return f->acks == 2; /* the first one is for the nodes */
}

static inline void on_recalled(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    CLEANUP(freep) char *text = err ? NULL : cJSON_PrintUnformatted(ok);
    struct fixture *f = arg;

    (void)body;
    snprintf(f->recalled, sizeof(f->recalled), "%s", err ? error_code_name(err->code) : text);
    poke(f);
}

static inline bool was_recalled(struct fixture *f)
{
    return f->recalled[0] != '\0';
}

/* What `usage.get` with @args (JSON) is answered, in f->recalled. */
static inline void ask_usage(struct fixture *f, const char *text)
{
    cJSON *args = cJSON_Parse(text);

    f->recalled[0] = '\0';
    rpc_call(f->to_gateway, "usage.get", args, STR_NULL, SECONDS(5), on_recalled, f);
    run_until(f, was_recalled);
    cJSON_Delete(args);
}

/* The controller wants idle permits back. @pools, @moves: JSON; what was answered is in f->recalled. */
static inline void recall(struct fixture *f, const char *pools, const char *moves)
{
    CLEANUP(freep) char *text =
        str_printf("{\"gateway\":\"%s\",\"epoch\":%d,\"pools\":%s,\"moves\":%s}", f->ledger.gateway,
                   (int)f->ledger.epoch, pools, moves);
    cJSON *args = cJSON_Parse(text);

    f->recalled[0] = '\0';
    rpc_call(f->to_gateway, "permits.recall", args, STR_NULL, SECONDS(5), on_recalled, f);
    run_until(f, was_recalled);
    cJSON_Delete(args);
}

/* The run that a node has kept ends. */
static inline void answer_kept(struct fake_node *n)
{
    struct run *run = TAKE(n->kept_run);

    n->behaviour = ECHO;
    node_answer(n, TAKE(n->kept), buf_str(&run->data));
    run_free(run);
}

/* The controller takes the routes of "hello" back. @args: JSON. */
static inline void drop_routes(struct fixture *f, const char *text)
{
    cJSON *args = cJSON_Parse(text);

    f->acks = 1;
    rpc_call(f->to_gateway, "route.drop", args, STR_NULL, SECONDS(5), on_set, f);
    run_until(f, was_acknowledged);
    cJSON_Delete(args);
}

#endif
