/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peers_fixture.h - an invoker and a gateway for the tests of a whole controller: real links, at whose
 * ends they do as the test says.
 *
 * Owns:    nothing that its user does not end: controller_fixture.h.
 * Threads: one. Included once, by tests only.
 */
#ifndef HEARTH_CONTROLLER_PEERS_FIXTURE_H
#define HEARTH_CONTROLLER_PEERS_FIXTURE_H

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
    unsigned draining_nodes, lists; /* of the list of nodes; how many lists came */
    double unreserved; /* that came last with a drop; NaN: none did */
    char image[256]; /* asked for last */
    char digest[80];
    bool has_entry_point;
    uint64_t retired;
    unsigned provisions_told;
    bool fails_to_provision, is_slow_to_provision;
    unsigned usages; /* how often it was asked what is in use */
    double used; /* of each version; less than 0: it does not say */
    bool registered;
    double term; /* of the controller, as it said last */
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

static inline void on_tick(void *arg)
{
    (void)arg;
    loop_stop(loop);
}

/* Until no peer is asked anything: one that does not answer, because the test does other things, is cut. */
static inline void become_quiet(void)
{
    uint64_t end = now_us() + WAIT_US;
    unsigned quiet = 0;
    struct timer tick;
    struct peer *p;

    timer_init(&tick, loop, on_tick, NULL);
    while (quiet < 3 && now_us() < end) {
        timer_start(&tick, MSEC(2));
        while (timer_is_armed(&tick))
            loop_run(loop);
        quiet++;
        for (p = peers_next(c->peers, NULL); p; p = peers_next(c->peers, p))
            if (!list_is_empty(&p->asks))
                quiet = 0;
    }
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
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(args, "nodes"), *item;

    (void)body;
    (void)arg;
    peer.nodes = (unsigned)cJSON_GetArraySize(list);
    peer.draining_nodes = 0;
    cJSON_ArrayForEach(item, list)
        peer.draining_nodes += cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(item, "draining"));
    peer.lists++;
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
        cJSON_AddNumberToObject(
            item, "ready", peer.fails_to_provision || peer.is_slow_to_provision ? 0 : count);
        cJSON_AddBoolToObject(item, "failed", peer.fails_to_provision);
    }
    rpc_call(rpc_request_link(rpc), "node.provisioned", has, STR_NULL, SECONDS(10),
             on_provisions_told, NULL);
    rpc_reply(rpc, NULL, STR_NULL);
    cJSON_Delete(has);
}

static inline void serve_usage(struct rpc_request *rpc, const cJSON *args, struct str body,
                               void *arg)
{
    const cJSON *versions = cJSON_GetObjectItemCaseSensitive(args, "versions"), *item;
    cJSON *ok = cJSON_CreateObject(), *used = cJSON_AddArrayToObject(ok, "used");

    (void)body;
    (void)arg;
    peer.usages++;
    cJSON_ArrayForEach(item, versions)
        if (peer.used >= 0)
            cJSON_AddItemToArray(used, cJSON_CreateNumber(peer.used));
    rpc_reply(rpc, ok, STR_NULL);
    cJSON_Delete(ok);
    loop_stop(loop);
}

static inline void serve_leader(struct rpc_request *rpc, const cJSON *args, struct str body,
                                void *arg);

/* It may run for whomever it is told, and runs nothing on nobody's lease. */
static inline void serve_fence(struct rpc_request *rpc, const cJSON *args, struct str body,
                               void *arg)
{
    cJSON *ok = cJSON_CreateObject();

    (void)args;
    (void)body;
    (void)arg;
    cJSON_AddStringToObject(ok, "incarnation", "process-1");
    cJSON_AddNumberToObject(ok, "seq", 1);
    cJSON_AddArrayToObject(ok, "orphans");
    rpc_reply(rpc, ok, STR_NULL);
    cJSON_Delete(ok);
}

static const struct rpc_method peer_methods[] = {
    {"leader.is", serve_leader},
    {"permits.fence", serve_fence},
    {"async.run", serve_run},
    {"usage.get", serve_usage},
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

static inline void node_register(struct link *link)
{
    cJSON *args = cJSON_CreateObject();

    cJSON_AddStringToObject(args, "id", peer.second ? "node-2" : "node-1");
    cJSON_AddStringToObject(args, "address", "unix:/nowhere/invoker.sock");
    cJSON_AddNumberToObject(args, "memory_mib", 1024);
    cJSON_AddStringToObject(args, "architecture", "x86_64");
    cJSON_AddStringToObject(args, "incarnation", "process-1");
    rpc_call(link, "node.register", args, STR_NULL, SECONDS(10), on_registered, NULL);
    cJSON_Delete(args);
}

static inline void serve_leader(struct rpc_request *rpc, const cJSON *args, struct str body,
                                void *arg)
{
    struct link *link = rpc_request_link(rpc);

    (void)body;
    peer.term = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(args, "term"));
    rpc_reply(rpc, NULL, STR_NULL);
    if (arg && peer.term > 0) /* the invoker */
        node_register(link);
    loop_stop(loop);
}

static inline void peer_up(struct link *link, const struct link_hello *hello, void *arg)
{
    (void)link;
    (void)hello;
    (void)arg;
    loop_stop(loop);
}

static inline void peer_stream(struct link *link, struct link_stream *s, enum link_kind kind,
                               struct str head, void *arg)
{
    (void)link;
    (void)kind;
    rpc_serve(loop, s, head, peer_methods, arg);
}

static inline void peer_down(struct link *link, const struct error *why, void *arg)
{
    (void)link;
    (void)why;
    (void)arg;
    loop_stop(loop);
}

static const struct link_ops peer_ops = {
    .on_up = peer_up, .on_stream = peer_stream, .on_down = peer_down};

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
    become_quiet();
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

#endif
