/* SPDX-License-Identifier: Apache-2.0 */
/* One item of the queue, from the moment it is taken until it is put back or finished. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/model/lambda_input.h"
#include "controller/async/async_internal.h"
#include "controller/store/fn_view.h"

#define RUN_TIMEOUT_US MINUTES(40) /* beyond the longest that a gateway takes; links tell of losses */
#define PAUSE_US SECONDS(1) /* after Redis has failed */
#define NO_GATEWAY_MS 200u
#define AGE_DEFAULT_S 21600u
#define RETRIES_DEFAULT 2u
#define ANSWER_MAX (2u * 1024u * 1024u)
#define CONTEXT_MAX 1024u
#define DOUBLINGS_MAX 20u

/* ---- life ---- */

static struct str of(const struct buf *b)
{
    return b->ptr ? buf_str(b) : STR("");
}

void async_work_free(struct work *w)
{
    struct async *async = w->async;
    size_t i;

    timer_stop(&w->again);
    list_remove(&w->node);
    async->works_len--;
    async->payload_bytes -= w->payload.len;
    free(w->id);
    free(w->function);
    free(w->qualifier);
    cJSON_Delete(w->doc);
    cJSON_Delete(w->config);
    buf_done(&w->payload);
    buf_done(&w->context);
    buf_done(&w->answer);
    buf_done(&w->record);
    for (i = 0; i < ASYNC_FOLLOWERS_MAX; i++)
        free(w->follower_docs[i]);
    free(w->destination);
    free(w->dead_letter);
    free(w);
}

static uint64_t age_ms(const struct work *w)
{
    return w->age_ms + (loop_now_us(w->async->loop) - w->taken_us) / 1000;
}

static uint64_t number_of(const cJSON *config, const char *name, uint64_t otherwise)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(config, name);

    return cJSON_IsNumber(value) && value->valuedouble >= 0 ? (uint64_t)value->valuedouble
                                                            : otherwise;
}

static uint64_t age_max_ms(const struct work *w, const cJSON *config)
{
    if (w->kind == ASYNC_MESSAGE)
        return w->async->options.delivery_age_us / 1000;
    return number_of(config, "MaximumEventAgeInSeconds", AGE_DEFAULT_S) * 1000;
}

static struct async_held held(const struct work *w)
{
    return (struct async_held){str_of(w->account->name), str_of(w->id), str_of(w->function),
                               w->kind};
}

static void on_again(void *arg)
{
    struct work *w = arg;

    w->step(w);
}

/* Redis has not taken the step: once more, later. True: @err was nothing of the kind. */
static bool settled(struct work *w, const struct error *err, void (*step)(struct work *w))
{
    if (!err || err->code == ERR_STALE || err->code == ERR_NOT_FOUND)
        return true;
    log_debug("async", "Redis does not take a step, trying again", KV_STR("request_id", w->id),
              KV_ERR(err));
    w->step = step;
    timer_start(&w->again, PAUSE_US);
    return false;
}

/* ---- back into the queue ---- */

static void put_back(struct work *w);

static void on_put_back(const struct error *err, void *arg)
{
    struct work *w = arg;

    if (w->async->stopped || !settled(w, err, put_back))
        return;
    log_debug("async", err ? "was another's" : "put back", KV_STR("request_id", w->id),
              KV_U64("ms", w->retry.delay_ms));
    if (!err)
        async_wake(w->async, w->account, w->retry.delay_ms);
    async_work_free(w);
}

static void put_back(struct work *w)
{
    const struct async_held item = held(w);

    async_queue_retry(w->async->queue, &item, &w->retry, on_put_back, w);
}

/* Nothing that the function did: it waits 1 s, 2 s, ... 5 min, at most until it is too old. */
static void back_off(struct work *w, const struct error *why)
{
    const struct async_options *o = &w->async->options;
    uint64_t doublings = w->waits < DOUBLINGS_MAX ? w->waits : DOUBLINGS_MAX;
    uint64_t delay = o->backoff_us << doublings, age = age_ms(w), most = age_max_ms(w, w->config);

    if (delay > o->backoff_max_us)
        delay = o->backoff_max_us;
    delay /= 1000;
    if (age + delay > most)
        delay = most > age ? most - age : 0;
    log_debug("async", "waits", KV_STR("request_id", w->id), KV_U64("ms", delay), KV_ERR(why));
    w->retry = (struct async_retry){.delay_ms = delay, .tries = w->tries, .waits = w->waits + 1};
    put_back(w);
}

/* ---- the end ---- */

static void finish(struct work *w);

static void log_end(const struct work *w, unsigned missing)
{
    if (w->kind == ASYNC_EVENT && w->condition != ASYNC_SUCCESS)
        log_warn("async", "an event ended without success",
                 KV_STR("account", w->account->name), KV_STR("function", w->function),
                 KV_STR("qualifier", w->qualifier), KV_STR("request_id", w->id),
                 KV_STR("condition", async_condition_name(w->condition)),
                 KV_U64("attempts", w->tries),
                 KV_STR("destination", w->destination ? w->destination : ""),
                 KV_STR("dead_letter", w->dead_letter ? w->dead_letter : ""));
    if (missing)
        log_error("async", "a record is lost: its destination is not there any more",
                  KV_STR("function", w->function), KV_STR("request_id", w->id),
                  KV_STR("destination", w->destination ? w->destination : ""));
}

static void on_finished(unsigned missing, const struct error *err, void *arg)
{
    struct async_account *account;
    struct work *w = arg;
    struct async *async = w->async;

    if (async->stopped || !settled(w, err, finish))
        return;
    if (!err)
        log_end(w, missing);
    log_debug("async", err ? "was another's" : "ended", KV_STR("request_id", w->id), KV_STR("as", w->count));
    account = w->account;
    async_work_free(w);
    async_wake(async, account, 0); /* there is room, and perhaps something that follows */
}

static void finish(struct work *w)
{
    const struct async_held item = held(w);

    async_queue_finish(w->async->queue, &item, w->count, w->followers, w->followers_len,
                       on_finished, w);
}

/* Its function, or its qualifier, was deleted: nobody is told, as on AWS. */
static void drop(struct work *w)
{
    const struct async_held item = held(w);

    log_warn("async", "an event is dropped: its function or qualifier was deleted",
             KV_STR("function", w->function), KV_STR("qualifier", w->qualifier),
             KV_STR("request_id", w->id));
    w->condition = ASYNC_SUCCESS; /* logged already */
    w->count = "dropped";
    async_queue_finish(w->async->queue, &item, w->count, NULL, 0, on_finished, w);
}

static struct async_item *add_follower(struct work *w)
{
    size_t i = w->followers_len++;

    uuid_make(w->follower_ids[i]);
    w->followers[i] = (struct async_item){.id = str_of(w->follower_ids[i])};
    return &w->followers[i];
}

static void set_doc(struct work *w, struct async_item *item, cJSON *doc)
{
    size_t i = (size_t)(item - w->followers);

    w->follower_docs[i] = cJSON_PrintUnformatted(doc);
    item->doc = str_of(w->follower_docs[i]);
    cJSON_Delete(doc);
}

static void add_message(struct work *w, struct async_message *message)
{
    struct async_item *item = add_follower(w);

    message->is_success = w->condition == ASYNC_SUCCESS;
    message->function = str_of(w->function);
    message->request_id = str_of(w->id);
    message->trace_id = cjson_str(w->doc, "trace_id");
    item->kind = ASYNC_MESSAGE;
    item->function = str_of(w->function);
    item->payload = message->body;
    set_doc(w, item, async_message_doc(message));
}

/* The record goes on as an event of our function @fn. */
static void add_event(struct work *w, const struct fn_name *fn)
{
    struct async_item *item = add_follower(w);
    CLEANUP(freep) char *trace = str_dup(cjson_str(w->doc, "trace_id"));
    cJSON *doc = cJSON_CreateObject();

    cJSON_AddStringToObject(doc, "trace_id", trace);
    item->kind = ASYNC_EVENT;
    item->function = fn->name;
    item->qualifier = fn->qualifier.ptr ? fn->qualifier : STR("");
    item->payload = of(&w->record);
    set_doc(w, item, doc);
}

static struct str destination_of(const struct work *w, const cJSON *config)
{
    const char *side = w->condition == ASYNC_SUCCESS ? "OnSuccess" : "OnFailure";

    return cjson_str(cJSON_GetObjectItemCaseSensitive(
                         cJSON_GetObjectItemCaseSensitive(config, "DestinationConfig"), side),
                     "Destination");
}

static void add_destination(struct work *w, struct str target, struct str arn)
{
    const struct fn_home home = {str_of(w->account->name), w->async->options.region};
    struct async_message message = {.target = target, .function_arn = arn};
    struct fn_name fn;
    struct async_end end = {
        .condition = w->condition,
        .request_id = str_of(w->id),
        .function_arn = arn,
        .count = w->tries,
        .payload = of(&w->payload),
        .context = of(&w->context),
        .answer = w->answer_known ? of(&w->answer) : STR_NULL,
        .now_ms = wall_ms(),
    };

    w->record = BUF_INIT(ASYNC_RECORD_MAX);
    if (async_record_write(&w->record, &end) < 0)
        return; /* cannot be: all parts have limits far below */
    w->destination = str_dup(target);
    message.body = of(&w->record);
    if (str_find(target, ':', 0) < target.len &&
        fn_name_resolve(str_of(w->destination), FN_NAME_NAMESPACED, STR_NULL, &home, &fn, NULL) == 0)
        add_event(w, &fn);
    else
        add_message(w, &message);
}

static void add_dead_letter(struct work *w, struct str target, struct str arn)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(ASYNC_ERROR_MESSAGE_MAX + 16);
    struct async_message message = {.target = target,
                                    .is_dead_letter = true,
                                    .function_arn = arn,
                                    .body = of(&w->payload),
                                    .error_code = STR("200")};

    async_error_message(&text, of(&w->answer));
    message.error_message = of(&text);
    if (w->context.len == 0) { /* the function was never run */
        message.error_code = STR("429");
        message.error_message = w->condition == ASYNC_ZERO_RESERVED
                                    ? STR("Rate Exceeded.")
                                    : STR("The event was not run before its maximum age.");
    }
    w->dead_letter = str_dup(target);
    add_message(w, &message);
}

/* The version that ran, or would have run, is the one whose dead letter queue counts. */
static const char *dead_letter_of(const struct work *w, const struct fn_view *view)
{
    const struct fn_version *ver = view->version;

    if (view->second && strcmp(view->second->version, w->executed_version) == 0)
        ver = view->second;
    if (!ver)
        ver = fn_record_running(view->rec) ? fn_record_running(view->rec) : view->rec->ver;
    return ver->dead_letter_arn;
}

static void end_event(struct work *w, const struct fn_view *view, const cJSON *config)
{
    struct str qualifier = w->qualifier[0] ? str_of(w->qualifier) : STR(FN_LATEST);
    CLEANUP(freep)
    char *arn = fn_arn_new(w->async->options.region, str_of(w->account->name),
                           str_of(w->function), qualifier);
    struct str target = destination_of(w, config);
    const char *letter = dead_letter_of(w, view);

    w->count = w->condition == ASYNC_SUCCESS ? "succeeded" : "failed";
    if (target.len)
        add_destination(w, target, str_of(arn));
    if (w->condition != ASYNC_SUCCESS && letter && letter[0])
        add_dead_letter(w, str_of(letter), str_of(arn));
    finish(w);
}

/* ---- what follows from an answer ---- */

/* The function has failed: a retry, unless there were enough or it would come too late. */
static bool retries(struct work *w, const cJSON *config)
{
    uint64_t wait = w->async->options.retry_wait_us / 1000 * (w->tries > 1 ? 2 : 1);

    if (w->tries > number_of(config, "MaximumRetryAttempts", RETRIES_DEFAULT)) {
        w->condition = ASYNC_RETRIES_EXHAUSTED;
        return false;
    }
    if (age_ms(w) + wait > age_max_ms(w, config)) {
        w->condition = ASYNC_AGE_EXCEEDED;
        return false;
    }
    w->retry = (struct async_retry){.delay_ms = wait,
                                    .tries = w->tries,
                                    .waits = 0,
                                    .context = of(&w->context),
                                    .answer = of(&w->answer)};
    put_back(w);
    return true;
}

static void look_up(struct work *w);

static void on_view(struct fn_view *view, const struct error *err, void *arg)
{
    struct work *w = arg;
    const cJSON *config;

    if (!w->async->stopped && settled(w, err, look_up)) {
        if (err) {
            drop(w);
        } else {
            config = fn_view_doc(view, FN_EVENT_CONFIGS,
                                 w->qualifier[0] ? str_of(w->qualifier) : STR(FN_LATEST));
            if (!w->failed || !retries(w, config))
                end_event(w, view, config);
        }
    }
    fn_view_free(view);
}

/* The settings as they are now: where it ends is not decided by those at its beginning. */
static void look_up(struct work *w)
{
    const struct async_options *o = &w->async->options;

    fn_view_get(o->redis, o->key, str_of(w->account->name), str_of(w->function),
                str_of(w->qualifier), FN_WANT(FN_EVENT_CONFIGS), on_view, w);
}

static void end_with(struct work *w, enum async_condition condition)
{
    w->condition = condition;
    look_up(w);
}

/* ---- running ---- */

static void on_ran(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    struct work *w = arg;
    struct str version = cjson_str(ok, "executed_version");

    if (w->async->stopped)
        return;
    if (err && err->code == ERR_NOT_FOUND) {
        drop(w);
        return;
    }
    if (err) {
        back_off(w, err);
        return;
    }
    w->tries++;
    w->failed = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(ok, "function_error"));
    w->answer_known = !cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(ok, "too_large"));
    snprintf(w->executed_version, sizeof(w->executed_version), "%.*s", STR_ARG(version));
    buf_clear(&w->context);
    buf_clear(&w->answer);
    async_context_write(&w->context, version, w->failed);
    buf_append_str(&w->answer, body);
    w->condition = ASYNC_SUCCESS; /* unless it has failed: see retries() */
    look_up(w);
}

/* The gateways take turns. */
static struct peer *next_gateway(struct async *async)
{
    struct peer *peer = NULL, *first = NULL;

    while ((peer = peers_next(async->options.peers, peer))) {
        if (peer->role != PEER_GATEWAY)
            continue;
        if (!first)
            first = peer;
        if (peer->number > async->last_gateway)
            break;
    }
    peer = peer ? peer : first;
    async->last_gateway = peer ? peer->number : 0;
    return peer;
}

static void run(struct work *w)
{
    struct peer *gateway = next_gateway(w->async);
    CLEANUP(freep) char *trace = str_dup(cjson_str(w->doc, "trace_id"));
    cJSON *args;

    if (!gateway) {
        w->retry = (struct async_retry){
            .delay_ms = NO_GATEWAY_MS, .tries = w->tries, .waits = w->waits};
        put_back(w);
        return;
    }
    args = cJSON_CreateObject();
    cJSON_AddStringToObject(args, "account", w->account->name);
    cJSON_AddStringToObject(args, "name", w->function);
    cJSON_AddStringToObject(args, "qualifier", w->qualifier);
    cJSON_AddStringToObject(args, "request_id", w->id);
    cJSON_AddStringToObject(args, "trace_id", trace);
    peers_ask_with(w->async->options.peers, gateway, "async.run", args, of(&w->payload),
                   RUN_TIMEOUT_US, on_ran, w);
    cJSON_Delete(args);
}

/* ---- sending ---- */

static void on_sent(const struct error *err, void *arg)
{
    struct work *w = arg;

    if (w->async->stopped)
        return;
    if (err && w->waits == 0)
        log_warn("async", "a message is not taken, trying again",
                 KV_STR("function", w->function), KV_S("request_id", cjson_str(w->doc, "request_id")),
                 KV_S("to", cjson_str(w->doc, "target")), KV_ERR(err));
    if (err) {
        back_off(w, err);
        return;
    }
    w->count = "delivered";
    finish(w);
}

static void send(struct work *w)
{
    struct async_message message;
    struct error err;

    if (age_ms(w) >= age_max_ms(w, NULL)) {
        log_error("async",
                  "a message is lost: its destination did not take it for as long as it is tried",
                  KV_STR("function", w->function),
                  KV_S("request_id", cjson_str(w->doc, "request_id")),
                  KV_S("to", cjson_str(w->doc, "target")), KV_U64("attempts", w->waits));
        w->count = "lost";
        finish(w);
        return;
    }
    async_message_read(w->doc, &message);
    message.body = of(&w->payload);
    if (async_message_send(&w->async->options.clients, &message, on_sent, w, &err) < 0)
        on_sent(&err, w);
}

/* ---- the beginning ---- */

static struct work *work_new(struct async *async, struct async_account *account,
                             const struct async_taken *item)
{
    struct work *w = calloc(1, sizeof(*w));

    if (!w)
        abort();
    w->async = async;
    w->account = account;
    w->kind = item->kind;
    w->id = str_dup(item->id);
    w->function = str_dup(item->function);
    w->qualifier = str_dup(item->qualifier);
    w->doc = cJSON_ParseWithLength(item->doc.ptr, item->doc.len);
    w->config = item->config.len ? cJSON_ParseWithLength(item->config.ptr, item->config.len) : NULL;
    w->payload = BUF_INIT(item->payload.len);
    buf_append_str(&w->payload, item->payload);
    w->taken_us = loop_now_us(async->loop);
    w->age_ms = item->age_ms;
    w->tries = item->tries;
    w->waits = item->waits;
    w->reserved = item->reserved;
    w->context = BUF_INIT(CONTEXT_MAX);
    w->answer = BUF_INIT(ANSWER_MAX);
    buf_append_str(&w->context, item->context);
    buf_append_str(&w->answer, item->answer);
    w->answer_known = item->answer.len > 0;
    timer_init(&w->again, async->loop, on_again, w);
    list_append(&async->works, &w->node);
    async->works_len++;
    async->payload_bytes += w->payload.len;
    return w;
}

void async_work_start(struct async *async, struct async_account *account,
                      const struct async_taken *item)
{
    struct work *w = work_new(async, account, item);

    log_debug("async", "taken", KV_STR("request_id", w->id), KV_STR("function", w->function),
              KV_STR("kind", w->kind == ASYNC_MESSAGE ? "message" : "event"),
              KV_S("about", cjson_str(w->doc, "request_id")), KV_U64("tries", w->tries), KV_U64("waits", w->waits));
    if (w->kind == ASYNC_MESSAGE)
        send(w);
    else if (w->reserved == 0)
        end_with(w, ASYNC_ZERO_RESERVED);
    else if (age_ms(w) >= age_max_ms(w, w->config))
        end_with(w, ASYNC_AGE_EXCEEDED);
    else
        run(w);
}
