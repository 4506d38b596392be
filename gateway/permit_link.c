/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/permit_link.h"

#include <stdlib.h>

#include "common/base/alloc.h"
#include "common/base/log.h"
#include "common/model/lambda_input.h"

#define JOIN_TIMEOUT_US SECONDS(10) /* all invokers are told before it is answered */
#define ASK_TIMEOUT_US SECONDS(5) /* others may be asked to give some back */
#define RECALL_MAX 1000 /* pools of one recall */

struct permit_link {
    struct loop *loop;
    struct leader_link *controller;
    struct leases *leases;
    struct timer timer; /* the next turn of the leases */
    struct list_node calls;
};

/* A join or a question under way. */
struct call {
    struct list_node node; /* in calls */
    struct permit_link *pl;
    uint64_t number;
};

static struct call *call_new(struct permit_link *pl, uint64_t number)
{
    struct call *call = xcalloc(sizeof(*call));

    call->pl = pl;
    call->number = number;
    list_append(&pl->calls, &call->node);
    return call;
}

static uint64_t call_end(struct call *call)
{
    uint64_t number = call->number;

    list_remove(&call->node);
    free(call);
    return number;
}

static void add_str(cJSON *to, const char *name, struct str s)
{
    CLEANUP(freep) char *text = str_dup(s);

    cJSON_AddStringToObject(to, name, text);
}

static uint64_t now_of(const struct permit_link *pl)
{
    return loop_now_us(pl->loop);
}

/* ---- joining ---- */

static void on_joined(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    struct permit_link *pl = ((struct call *)arg)->pl;
    uint64_t number = call_end(arg), epoch = 0;
    struct error bad;

    (void)body;
    if (!err && (!cjson_get_u64(ok, "epoch", &epoch) || epoch == 0)) {
        error_set(&bad, ERR_PROTOCOL, "the controller's answer to permits.join is malformed");
        err = &bad;
    }
    if (err)
        log_debug("permits", "not joined, trying again", KV_ERR(err));
    else
        log_info("permits", "joined", KV_STR("gateway", leases_incarnation(pl->leases)),
                 KV_U64("epoch", epoch));
    leases_joined(pl->leases, number, epoch, err, now_of(pl));
}

static void send_join(const char *incarnation, uint64_t number, void *arg)
{
    struct permit_link *pl = arg;
    cJSON *args = cJSON_CreateObject();

    cJSON_AddStringToObject(args, "gateway", incarnation);
    rpc_call(leader_link_get(pl->controller), "permits.join", args, STR_NULL, JOIN_TIMEOUT_US,
             on_joined, call_new(pl, number));
    cJSON_Delete(args);
}

/* ---- asking ---- */

static bool read_answer(const cJSON *json, struct lease_answer *ret)
{
    *ret = (struct lease_answer){
        .account = cjson_str(json, "account"),
        .pool = cjson_str(json, "pool"),
        .drain = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "drain")),
        .dry = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "dry"))};
    return ret->account.len > 0 && ret->pool.len > 0 && cjson_get_u64(json, "seq", &ret->seq) &&
           cjson_get_u64(json, "more", &ret->more);
}

static void on_answered(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(ok, "pools"), *item;
    struct permit_link *pl = ((struct call *)arg)->pl;
    struct lease_answer answers[LEASE_BATCH_MAX];
    uint64_t number = call_end(arg);
    size_t len = 0;

    (void)body;
    if (err) {
        log_debug("permits", "a question failed", KV_ERR(err));
        leases_failed(pl->leases, number, err, now_of(pl));
        return;
    }
    cJSON_ArrayForEach (item, list) {
        if (len < LEASE_BATCH_MAX && read_answer(item, &answers[len]))
            len++;
    }
    leases_answered(pl->leases, number, answers, len, now_of(pl));
}

static void add_state(cJSON *list, const struct lease_question *q, bool asks)
{
    cJSON *json = cJSON_CreateObject();

    add_str(json, "account", q->account);
    add_str(json, "pool", q->pool);
    cJSON_AddNumberToObject(json, "seq", (double)q->seq);
    cJSON_AddNumberToObject(json, "held", (double)q->held);
    if (asks) {
        cJSON_AddNumberToObject(json, "want", (double)q->want);
        cJSON_AddNumberToObject(json, "need", (double)q->need);
    }
    if (q->moved)
        cJSON_AddTrueToObject(json, "moved");
    cJSON_AddItemToArray(list, json);
}

static void send_ask(const char *incarnation, uint64_t epoch, uint64_t number,
                     const struct lease_question *questions, size_t len, void *arg)
{
    struct permit_link *pl = arg;
    cJSON *args = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(args, "pools");
    size_t i;

    cJSON_AddStringToObject(args, "gateway", incarnation);
    cJSON_AddNumberToObject(args, "epoch", (double)epoch);
    for (i = 0; i < len; i++)
        add_state(list, &questions[i], true);
    rpc_call(leader_link_get(pl->controller), "permits.ask", args, STR_NULL, ASK_TIMEOUT_US,
             on_answered, call_new(pl, number));
    cJSON_Delete(args);
}

/* ---- recalls ---- */

/* What a recall says; strings borrowed from its JSON. */
struct recall_args {
    uint64_t epoch;
    struct lease_recall *pools;
    struct lease_move *moves;
    size_t pools_len, moves_len;
};

static void recall_args_done(struct recall_args *args)
{
    free(args->pools);
    free(args->moves);
}

static int read_pools(const cJSON *list, struct recall_args *ret)
{
    const cJSON *item;
    struct lease_recall *one;

    if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) > RECALL_MAX)
        return -ERR_BAD_REQUEST;
    ret->pools = xcalloc(((size_t)cJSON_GetArraySize(list) + 1) * sizeof(*ret->pools));
    cJSON_ArrayForEach (item, list) {
        one = &ret->pools[ret->pools_len++];
        one->account = cjson_str(item, "account");
        one->pool = cjson_str(item, "pool");
        one->drain = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(item, "drain"));
        if (one->account.len == 0 || one->pool.len == 0)
            return -ERR_BAD_REQUEST;
    }
    return 0;
}

static int read_moves(const cJSON *list, struct recall_args *ret)
{
    const cJSON *item;
    struct lease_move *one;

    if (!list)
        return 0;
    if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) > RECALL_MAX)
        return -ERR_BAD_REQUEST;
    ret->moves = xcalloc(((size_t)cJSON_GetArraySize(list) + 1) * sizeof(*ret->moves));
    cJSON_ArrayForEach (item, list) {
        one = &ret->moves[ret->moves_len++];
        one->account = cjson_str(item, "account");
        one->function = cjson_str(item, "function");
        if (one->account.len == 0 || one->function.len == 0)
            return -ERR_BAD_REQUEST;
    }
    return 0;
}

static int read_recall(const cJSON *json, struct recall_args *ret, struct error *err)
{
    if (!cjson_get_u64(json, "epoch", &ret->epoch) ||
        read_pools(cJSON_GetObjectItemCaseSensitive(json, "pools"), ret) < 0 ||
        read_moves(cJSON_GetObjectItemCaseSensitive(json, "moves"), ret) < 0)
        return error_set(err, ERR_BAD_REQUEST,
                         "permits.recall has gateway, epoch, up to %d pools and moves", RECALL_MAX);
    return 0;
}

void permit_link_recall(struct permit_link *pl, struct rpc_request *req, const cJSON *json)
{
    CLEANUP(recall_args_done) struct recall_args args = {0};
    CLEANUP(freep) struct lease_question *told = NULL;
    cJSON *ok, *list;
    struct error err;
    ssize_t len, i;

    len = read_recall(json, &args, &err);
    if (len == 0) {
        told = xcalloc((args.pools_len + 2 * args.moves_len + 1) * sizeof(*told));
        len = leases_recall(pl->leases, cjson_str(json, "gateway"), args.epoch, args.pools,
                            args.pools_len, args.moves, args.moves_len, now_of(pl), told, &err);
    }
    if (len < 0) {
        rpc_fail(req, &err);
        return;
    }
    ok = cJSON_CreateObject();
    list = cJSON_AddArrayToObject(ok, "pools");
    for (i = 0; i < len; i++)
        add_state(list, &told[i], false);
    rpc_reply(req, ok, STR_NULL);
    cJSON_Delete(ok);
}

/* ---- turns ---- */

static void wake(void *arg)
{
    struct permit_link *pl = arg;

    timer_start(&pl->timer, 0);
}

static void on_turn(void *arg)
{
    struct permit_link *pl = arg;
    uint64_t now = now_of(pl), next = leases_turn(pl->leases, now);

    if (next != UINT64_MAX && !timer_is_armed(&pl->timer))
        timer_start(&pl->timer, next > now ? next - now : 0);
}

static const struct leases_ops ops = {.wake = wake, .join = send_join, .ask = send_ask};

void permit_link_set_up(struct permit_link *pl, bool is_up)
{
    leases_link(pl->leases, is_up);
}

struct leases *permit_link_leases(struct permit_link *pl)
{
    return pl->leases;
}

struct permit_link *permit_link_new(struct loop *loop, struct leader_link *controller, const char *id)
{
    struct permit_link *pl = xcalloc(sizeof(*pl));

    pl->loop = loop;
    pl->controller = controller;
    list_init(&pl->calls);
    timer_init(&pl->timer, loop, on_turn, pl);
    pl->leases = leases_new(id, &ops, pl);
    return pl;
}

void permit_link_free(struct permit_link *pl)
{
    struct call *call;

    if (!pl)
        return;
    while ((call = LIST_FIRST(&pl->calls, struct call, node)))
        call_end(call);
    leases_free(pl->leases);
    timer_stop(&pl->timer);
    free(pl);
}
