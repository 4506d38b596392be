/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/async/async.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/model/lambda_input.h"
#include "controller/async/async_internal.h"

#define ACCOUNTS_KEY "hearth:accounts"
#define TAKE_MAX 32u /* items in one answer of Redis */
#define BYTES_MAX (64u * 1024u * 1024u) /* of the payloads under way */
#define PAUSE_US SECONDS(1) /* after Redis has failed */
#define SWEEP_US SECONDS(10) /* for what another controller put and never took */

/* ---- accounts ---- */

static struct async_account *find_account(struct async *async, struct str name)
{
    struct async_account *account;
    struct list_node *n;

    LIST_FOREACH(&async->accounts, n) {
        account = CONTAINER_OF(n, struct async_account, node);
        if (str_eq(str_of(account->name), name))
            return account;
    }
    account = calloc(1, sizeof(*account));
    if (!account)
        abort();
    account->name = str_dup(name);
    list_append(&async->accounts, &account->node);
    return account;
}

static void kick(struct async *async)
{
    if (!async->stopped)
        timer_start(&async->pump, 0);
}

void async_wake(struct async *async, struct async_account *account, uint64_t delay_ms)
{
    uint64_t due = loop_now_us(async->loop) + MSEC(delay_ms);

    if (due < account->due_us)
        account->due_us = due;
    kick(async);
}

/* ---- taking ---- */

static bool has_gateway(struct async *async)
{
    struct peer *peer = NULL;

    while ((peer = peers_next(async->options.peers, peer)))
        if (peer->role == PEER_GATEWAY)
            return true;
    return false;
}

static bool has_room(const struct async *async)
{
    return async->works_len + async->asked < async->options.in_flight && async->payload_bytes < BYTES_MAX;
}

struct taking {
    struct async *async;
    struct async_account *account;
    size_t count; /* that may come */
};

/* One whose lease has passed by while Redis was away: it is still ours, and under way. */
static bool have(const struct async *async, struct str id)
{
    struct list_node *n;

    LIST_FOREACH(&async->works, n)
        if (str_eq(str_of(CONTAINER_OF(n, struct work, node)->id), id))
            return true;
    return false;
}

static void on_taken(const struct async_taken *items, size_t len, uint64_t next_ms,
                     const struct error *err, void *arg)
{
    struct taking *taking = arg;
    struct async_account *account = taking->account;
    struct async *async = taking->async;
    uint64_t now = loop_now_us(async->loop);
    size_t i;

    async->asked -= taking->count;
    free(taking);
    account->taking = false;
    if (async->stopped)
        return;
    if (err) {
        log_debug("async", "the queue cannot be read", KV_ERR(err));
        async_wake(async, account, PAUSE_US / 1000);
        return;
    }
    for (i = 0; i < len; i++)
        if (!have(async, items[i].id))
            async_work_start(async, account, &items[i]);
    if (next_ms != UINT64_MAX && now + MSEC(next_ms) < account->due_us)
        account->due_us = now + MSEC(next_ms);
    kick(async);
}

static void take(struct async *async, struct async_account *account)
{
    struct taking *taking = calloc(1, sizeof(*taking));
    size_t room = async->options.in_flight - async->works_len - async->asked;

    if (!taking)
        abort();
    *taking = (struct taking){async, account, room < TAKE_MAX ? room : TAKE_MAX};
    async->asked += taking->count;
    account->taking = true;
    account->due_us = UINT64_MAX; /* what is put meanwhile sets it again */
    async_queue_take(async->queue, str_of(account->name), taking->count,
                     BYTES_MAX - async->payload_bytes, on_taken, taking);
}

/* Takes for the accounts that are due, one after the other each time. */
static void on_pump(void *arg)
{
    struct async *async = arg;
    uint64_t now = loop_now_us(async->loop), next = UINT64_MAX;
    struct list_node *n, *after;
    struct list_node later;

    if (!has_gateway(async) || !redis_is_up(async->options.redis))
        return; /* its coming wakes us */
    list_init(&later);
    LIST_FOREACH_SAFE(&async->accounts, n, after) {
        struct async_account *account = CONTAINER_OF(n, struct async_account, node);

        if (account->taking)
            continue;
        if (account->due_us > now) {
            next = account->due_us < next ? account->due_us : next;
        } else if (has_room(async)) {
            take(async, account);
            list_remove(n);
            list_append(&later, n);
        }
    }
    while (!list_is_empty(&later)) {
        n = later.next;
        list_remove(n);
        list_append(&async->accounts, n);
    }
    if (next != UINT64_MAX)
        timer_start(&async->pump, next - now);
}

/* ---- leases ---- */

static void on_renewed(const struct error *err, void *arg)
{
    (void)arg;
    if (err)
        log_debug("async", "leases are not renewed", KV_ERR(err));
}

static void renew_account(struct async *async, const struct async_account *account)
{
    struct async_held held[ASYNC_RENEW_MAX];
    struct list_node *n;
    size_t len = 0;

    LIST_FOREACH(&async->works, n) {
        const struct work *w = CONTAINER_OF(n, struct work, node);

        if (w->account != account)
            continue;
        held[len++] = (struct async_held){str_of(account->name), str_of(w->id),
                                          str_of(w->function), w->kind};
        if (len == ASYNC_RENEW_MAX) {
            async_queue_renew(async->queue, str_of(account->name), held, len, on_renewed, NULL);
            len = 0;
        }
    }
    if (len)
        async_queue_renew(async->queue, str_of(account->name), held, len, on_renewed, NULL);
}

static void on_renew(void *arg)
{
    struct async *async = arg;
    struct list_node *n;

    timer_start(&async->renew, async->options.lease_us / 3);
    if (async->works_len == 0)
        return;
    LIST_FOREACH(&async->accounts, n)
        renew_account(async, CONTAINER_OF(n, struct async_account, node));
}

/* ---- what others left ---- */

static void on_accounts(const struct redis_value *value, const struct error *err, void *arg)
{
    struct async *async = arg;
    size_t i;

    if (err || async->stopped)
        return;
    for (i = 0; i < value->len; i++)
        async_wake(async, find_account(async, value->items[i].str), 0);
}

static void on_sweep(void *arg)
{
    struct str words[] = {STR("SMEMBERS"), STR(ACCOUNTS_KEY)};
    struct async *async = arg;

    timer_start(&async->sweep, SWEEP_US);
    if (redis_is_up(async->options.redis))
        redis_command(async->options.redis, words, ARRAY_LEN(words), on_accounts, async);
}

void async_redis_here(struct async *async)
{
    on_renew(async); /* before anything is taken: ours shall stay ours */
    on_sweep(async);
}

void async_gateway_here(struct async *async)
{
    kick(async);
}

/* ---- putting ---- */

struct enqueue {
    struct async *async;
    struct rpc_request *rpc;
    char *account;
};

static void on_put(const struct error *err, void *arg)
{
    struct enqueue *enqueue = arg;
    struct async *async = enqueue->async;

    if (err)
        rpc_fail(enqueue->rpc, err);
    else
        rpc_reply(enqueue->rpc, NULL, STR_NULL);
    if (!err && !async->stopped)
        async_wake(async, find_account(async, str_of(enqueue->account)), 0);
    free(enqueue->account);
    free(enqueue);
}

void async_enqueue(struct async *async, struct rpc_request *rpc, const cJSON *args,
                   struct str body)
{
    struct str account = cjson_str(args, "account");
    struct async_item item = {.kind = ASYNC_EVENT,
                              .id = cjson_str(args, "request_id"),
                              .function = cjson_str(args, "name"),
                              .qualifier = cjson_str(args, "qualifier"),
                              .payload = body};
    cJSON *doc = cJSON_CreateObject();
    CLEANUP(freep) char *text = NULL, *trace = NULL;
    struct enqueue *enqueue;
    struct error err;

    if (account.len == 0 || item.function.len == 0 || !uuid_is_valid(item.id)) {
        error_set(&err, ERR_BAD_REQUEST, "account, name and a request's id are needed");
        rpc_fail(rpc, &err);
        cJSON_Delete(doc);
        return;
    }
    enqueue = calloc(1, sizeof(*enqueue));
    if (!enqueue)
        abort();
    *enqueue = (struct enqueue){async, rpc, str_dup(account)};
    trace = str_dup(cjson_str(args, "trace_id"));
    cJSON_AddStringToObject(doc, "trace_id", trace);
    text = cJSON_PrintUnformatted(doc);
    item.doc = str_of(text);
    async_queue_put(async->queue, account, &item, on_put, enqueue);
    cJSON_Delete(doc);
}

/* ---- life ---- */

struct async *async_new(const struct async_options *options)
{
    struct async *async = calloc(1, sizeof(*async));
    struct async_queue_options queue = {.redis = options->redis,
                                        .lease_ms = options->lease_us / 1000,
                                        .queue_max = options->function_max,
                                        .bytes_max = options->queue_max};
    char owner[33];

    if (!async)
        abort();
    token_make(16, owner);
    queue.owner = owner;
    async->options = *options;
    async->loop = options->loop;
    async->queue = async_queue_new(&queue);
    list_init(&async->accounts);
    list_init(&async->works);
    timer_init(&async->pump, async->loop, on_pump, async);
    timer_init(&async->renew, async->loop, on_renew, async);
    timer_init(&async->sweep, async->loop, on_sweep, async);
    return async;
}

void async_stop(struct async *async)
{
    struct list_node *n;

    if (!async)
        return;
    async->stopped = true;
    timer_stop(&async->pump);
    timer_stop(&async->renew);
    timer_stop(&async->sweep);
    LIST_FOREACH(&async->works, n)
        timer_stop(&CONTAINER_OF(n, struct work, node)->again);
}

void async_free(struct async *async)
{
    struct async_account *account;
    struct work *work;

    if (!async)
        return;
    while ((work = LIST_FIRST(&async->works, struct work, node)))
        async_work_free(work);
    while ((account = LIST_FIRST(&async->accounts, struct async_account, node))) {
        list_remove(&account->node);
        free(account->name);
        free(account);
    }
    async_queue_free(async->queue);
    free(async);
}
