/* SPDX-License-Identifier: Apache-2.0 */
/*
 * permits_fixture.h - gateways and invokers for tests of the permit service in a whole controller: real
 * links, a real Redis; at the ends of the links they hold permits and run things as the test says.
 *
 * Owns:    the links it makes; permits_teardown() ends them.
 * Threads: one. Included once, by tests only.
 */
#ifndef HEARTH_CONTROLLER_PERMITS_PERMITS_FIXTURE_H
#define HEARTH_CONTROLLER_PERMITS_PERMITS_FIXTURE_H

#include "controller/world_fixture.h"

#define ACCOUNT "000000000000"

/* A gateway: what it is asked is answered out of its fields. */
static struct gw {
    struct link *link;
    char id[80]; /* its incarnation */
    uint64_t epoch;
    unsigned recalls;
    bool is_mute;
    char said[2000]; /* the arguments of the last recall */
    char statement[2000]; /* the list `pools` of its answer */
    unsigned gateways; /* as nodes.set says */
} gws[3];

/* An invoker. */
static struct inv {
    struct link *link;
    const char *id;
    char incarnation[40];
    uint64_t knows_epoch; /* it refuses older ones */
    uint64_t seq;
    char orphans[1000]; /* the list */
    unsigned fences;
    char said[2000]; /* the arguments of the last fence */
    const char *ever_said; /* what is looked for in each of them; NULL: nothing */
    bool has_said; /* it was there */
    uint64_t epoch; /* in them */
    double fence_ms;
    bool is_mute;
} invs[2];

static inline uint64_t number_of(const cJSON *json, const char *name)
{
    return (uint64_t)cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(json, name));
}

static inline void keep_args(char *to, size_t room, const cJSON *args)
{
    CLEANUP(freep) char *text = cJSON_PrintUnformatted(args);

    snprintf(to, room, "%s", text);
}

/* ---- gateways ---- */

static inline void gw_serve_recall(struct rpc_request *rpc, const cJSON *args, struct str body,
                                   void *arg)
{
    struct gw *gw = arg;
    CLEANUP(freep) char *text = str_printf("{\"pools\":[%s]}", gw->statement);
    cJSON *ok = cJSON_Parse(text);

    (void)body;
    gw->recalls++;
    keep_args(gw->said, sizeof(gw->said), args);
    assert_non_null(ok);
    if (gw->is_mute)
        hold(rpc);
    else
        rpc_reply(rpc, ok, STR_NULL);
    cJSON_Delete(ok);
    loop_stop(loop);
}

static inline void gw_serve_nodes(struct rpc_request *rpc, const cJSON *args, struct str body,
                                  void *arg)
{
    struct gw *gw = arg;

    (void)body;
    gw->gateways = (unsigned)number_of(args, "gateways");
    rpc_reply(rpc, NULL, STR_NULL);
    loop_stop(loop);
}

static inline void gw_serve_drop(struct rpc_request *rpc, const cJSON *args, struct str body,
                                 void *arg)
{
    (void)args;
    (void)body;
    (void)arg;
    rpc_reply(rpc, NULL, STR_NULL);
}

static const struct rpc_method gw_methods[] = {{"permits.recall", gw_serve_recall},
                                               {"nodes.set", gw_serve_nodes},
                                               {"route.drop", gw_serve_drop},
                                               {NULL, NULL}};

static inline void gw_stream(struct link *link, struct link_stream *s, enum link_kind kind,
                             struct str head, void *arg)
{
    (void)link;
    (void)kind;
    rpc_serve(loop, s, head, gw_methods, arg);
}

static inline void on_link_up(struct link *link, const struct link_hello *hello, void *arg)
{
    (void)link;
    (void)hello;
    (void)arg;
    loop_stop(loop);
}

static const struct link_ops gw_ops = {
    .on_up = on_link_up, .on_stream = gw_stream, .on_down = peer_down};

static inline void wait_up(struct link *link)
{
    uint64_t end = now_us() + WAIT_US;

    while (!link_is_up(link)) {
        assert_true(now_us() < end);
        loop_run(loop);
    }
}

/* A link of gateway @gw, whose id in the setting is @name. */
static inline void gw_connect(struct gw *gw, const char *name)
{
    struct link_hello me = {.role = "gateway"};

    snprintf(me.id, sizeof(me.id), "%s", name);
    assert_int_equal(link_connect(loop, config.listen, &me, &gw_ops, gw, &gw->link, NULL), 0);
    wait_up(gw->link);
}

/* Its link goes, as if it had been killed. */
static inline void gw_die(struct gw *gw)
{
    link_free(TAKE(gw->link));
}

/* Joins until it is let in, or refused for good. */
static inline enum error_code gw_try_join(struct gw *gw)
{
    uint64_t end = now_us() + WAIT_US;
    cJSON *args;

    do {
        args = cJSON_CreateObject();
        cJSON_AddStringToObject(args, "gateway", gw->id);
        ask(gw->link, "permits.join", args, STR_NULL);
        assert_true(now_us() < end);
    } while (got.code == ERR_UNAVAILABLE || got.code == ERR_CLOSED);
    gw->epoch = got.code ? 0 : number_of(got.ok, "epoch");
    return got.code;
}

static inline void gw_join(struct gw *gw, const char *name, const char *token)
{
    gw_connect(gw, name);
    snprintf(gw->id, sizeof(gw->id), "%s.%s", name, token);
    assert_int_equal(gw_try_join(gw), ERR_OK);
    assert_true(gw->epoch > 0);
    peer.saw_redis = true; /* from here on "not now" is an answer to look at */
}

static inline cJSON *gw_args(const struct gw *gw, const char *pools)
{
    CLEANUP(freep)
    char *text = str_printf("{\"gateway\":\"%s\",\"epoch\":%llu,\"pools\":[%s]}", gw->id,
                            (unsigned long long)gw->epoch, pools);
    cJSON *args = cJSON_Parse(text);

    assert_non_null(args);
    return args;
}

/* {"account", "pool", …} of a question. */
#define POOL_FORMAT                                                                                \
    "{\"account\":\"" ACCOUNT "\",\"pool\":\"%s\",\"seq\":%u,\"held\":%u,\"want\":%u,\"need\":%u}"

/* Asks for @pool; the answer's only pool is where got_more() and got_is() look. */
static inline enum error_code gw_ask(struct gw *gw, const char *pool, unsigned seq, unsigned held,
                                     unsigned want, unsigned need)
{
    CLEANUP(freep) char *text = str_printf(POOL_FORMAT, pool, seq, held, want, need);

    ask(gw->link, "permits.ask", gw_args(gw, text), STR_NULL);
    return got.code;
}

static inline const cJSON *got_pool(void)
{
    const cJSON *pool = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(got.ok, "pools"), 0);

    assert_non_null(pool);
    return pool;
}

static inline unsigned got_more(void)
{
    return (unsigned)number_of(got_pool(), "more");
}

static inline bool got_is(const char *what)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(got_pool(), what));
}

/* What it answers to the next recall: it holds @held of @pool from number @seq on. */
static inline void gw_states(struct gw *gw, const char *pool, unsigned seq, unsigned held)
{
    snprintf(gw->statement, sizeof(gw->statement),
             "{\"account\":\"" ACCOUNT "\",\"pool\":\"%s\",\"seq\":%u,\"held\":%u}", pool, seq,
             held);
}

/* ---- invokers ---- */

static inline void inv_answer(struct inv *inv, struct rpc_request *rpc)
{
    CLEANUP(freep)
    char *text = str_printf("{\"incarnation\":\"%s\",\"seq\":%llu,\"orphans\":[%s]}",
                            inv->incarnation, (unsigned long long)inv->seq, inv->orphans);
    cJSON *ok = cJSON_Parse(text);

    assert_non_null(ok);
    rpc_reply(rpc, ok, STR_NULL);
    cJSON_Delete(ok);
}

static inline void inv_serve_fence(struct rpc_request *rpc, const cJSON *args, struct str body,
                                   void *arg)
{
    struct inv *inv = arg;
    struct error err;

    (void)body;
    inv->fences++;
    inv->epoch = number_of(args, "epoch");
    keep_args(inv->said, sizeof(inv->said), args);
    inv->has_said = inv->has_said || (inv->ever_said && strstr(inv->said, inv->ever_said));
    if (number_of(args, "epoch") < inv->knows_epoch) {
        error_set(&err, ERR_STALE, "epoch %llu", (unsigned long long)inv->knows_epoch);
        rpc_fail(rpc, &err);
    } else if (inv->is_mute) {
        hold(rpc);
    } else {
        inv_answer(inv, rpc);
    }
    loop_stop(loop);
}

static const struct rpc_method inv_methods[] = {{"permits.fence", inv_serve_fence},
                                                {"version.retire", gw_serve_drop},
                                                {"node.provision", gw_serve_drop},
                                                {"image.prepare", serve_image},
                                                {"image.resolve", serve_resolve},
                                                {NULL, NULL}};

static inline void inv_stream(struct link *link, struct link_stream *s, enum link_kind kind,
                              struct str head, void *arg)
{
    (void)link;
    (void)kind;
    rpc_serve(loop, s, head, inv_methods, arg);
}

static const struct link_ops inv_ops = {
    .on_up = on_link_up, .on_stream = inv_stream, .on_down = peer_down};

/* A link of node @id, whose process is @incarnation. */
static inline void inv_connect(struct inv *inv, const char *id, const char *incarnation)
{
    struct link_hello me = {.role = "invoker"};
    cJSON *args = cJSON_CreateObject();

    snprintf(me.id, sizeof(me.id), "%s", id);
    snprintf(inv->incarnation, sizeof(inv->incarnation), "%s", incarnation);
    inv->id = id;
    inv->seq = inv->seq ? inv->seq : 1;
    assert_int_equal(link_connect(loop, config.listen, &me, &inv_ops, inv, &inv->link, NULL), 0);
    wait_up(inv->link);
    cJSON_AddStringToObject(args, "id", id);
    cJSON_AddStringToObject(args, "address", "unix:/nowhere/invoker.sock");
    cJSON_AddNumberToObject(args, "memory_mib", 1024);
    cJSON_AddStringToObject(args, "architecture", "x86_64");
    cJSON_AddStringToObject(args, "incarnation", incarnation);
    ask(inv->link, "node.register", args, STR_NULL);
    assert_int_equal(got.code, ERR_OK);
    inv->fence_ms = (double)number_of(got.ok, "fence_ms");
}

static inline void inv_die(struct inv *inv)
{
    link_free(TAKE(inv->link));
}

/* It runs @count of @pool on nobody's lease from now on; 0: nothing. */
static inline void inv_runs(struct inv *inv, const char *pool, unsigned count)
{
    inv->seq++;
    inv->orphans[0] = '\0';
    if (count)
        snprintf(inv->orphans, sizeof(inv->orphans),
                 "{\"account\":\"" ACCOUNT "\",\"pool\":\"%s\",\"count\":%u}", pool, count);
}

/* And says so by itself. */
static inline void inv_tells(struct inv *inv)
{
    CLEANUP(freep)
    char *text = str_printf("{\"incarnation\":\"%s\",\"seq\":%llu,\"orphans\":[%s]}",
                            inv->incarnation, (unsigned long long)inv->seq, inv->orphans);

    ask(inv->link, "permits.orphans", cJSON_Parse(text), STR_NULL);
    assert_int_equal(got.code, ERR_OK);
}

/* ---- the ledger ---- */

/* Runs the loop for one look at the world. */
static inline void tick(void)
{
    struct timer timer;

    timer_init(&timer, loop, on_tick, NULL);
    timer_start(&timer, MSEC(2));
    loop_run(loop);
    timer_stop(&timer);
}

/* Waits until @field of the account's hash @key is @value ("" when it is not there). */
static inline void ledger_becomes(const char *key, const char *field, const char *value)
{
    CLEANUP(freep) char *whole = str_printf(PREFIX "%s", key);
    uint64_t end = now_us() + WAIT_US;

    while (strcmp(WORLD("HGET", whole, field), value) != 0) {
        if (now_us() > end)
            fail_msg("%s %s is \"%s\", not \"%s\"", key, field, WORLD("HGET", whole, field), value);
        tick();
    }
}

static inline void ledger_is(const char *key, const char *field, const char *value)
{
    CLEANUP(freep) char *whole = str_printf(PREFIX "%s", key);

    assert_string_equal(WORLD("HGET", whole, field), value);
}

#define LEASES(gw_id) "permits_gateway:" gw_id
#define RUNS_AT(node) "permits_node:" node

/* ---- life ---- */

static inline int permits_setup(void **state)
{
    memset(gws, 0, sizeof(gws));
    memset(invs, 0, sizeof(invs));
    return setup(state);
}

static inline int permits_teardown(void **state)
{
    size_t i;

    for (i = 0; i < ARRAY_LEN(gws); i++)
        link_free(TAKE(gws[i].link));
    for (i = 0; i < ARRAY_LEN(invs); i++)
        link_free(TAKE(invs[i].link));
    return world_teardown(state);
}

#define PERMITS_TEST(test) cmocka_unit_test_setup_teardown(test, permits_setup, permits_teardown)

#endif
