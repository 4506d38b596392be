/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/async/async_queue.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "controller/async/async_queue_lua.h"

#define WORDS_MAX (5u + 2u * ASYNC_RENEW_MAX)
#define NUMBER_MAX 24
#define ITEM_FIELDS 13u

struct async_queue {
    struct redis *redis;
    char *owner;
    char lease[NUMBER_MAX], queue_max[NUMBER_MAX], bytes_max[NUMBER_MAX];
};

/* The arguments of a script while they are collected; all are borrowed but for the numbers. */
struct words {
    struct str list[WORDS_MAX];
    size_t len;
    char *prefix;
    char *queues[ASYNC_RENEW_MAX]; /* names made here */
    size_t queues_len;
    char numbers[4][NUMBER_MAX];
    size_t numbers_len;
};

static void words_add(struct words *w, struct str s)
{
    w->list[w->len++] = s.ptr ? s : STR("");
}

static void words_add_number(struct words *w, uint64_t n)
{
    char *text = w->numbers[w->numbers_len++];

    snprintf(text, NUMBER_MAX, "%" PRIu64, n);
    words_add(w, str_of(text));
}

static void words_add_queue(struct words *w, enum async_kind kind, struct str function)
{
    char *name = str_printf("%s%.*s", kind == ASYNC_MESSAGE ? "@" : "", STR_ARG(function));

    w->queues[w->queues_len++] = name;
    words_add(w, str_of(name));
}

static void words_add_item(struct words *w, const struct async_item *item)
{
    words_add(w, item->id);
    words_add_queue(w, item->kind, item->function);
    words_add(w, item->kind == ASYNC_EVENT ? item->function : STR(""));
    words_add(w, item->kind == ASYNC_EVENT ? STR("event") : STR("message"));
    words_add(w, item->qualifier);
    words_add(w, item->doc);
    words_add(w, item->payload);
}

static void words_begin(struct words *w, const struct async_queue *q, struct str account)
{
    w->len = w->queues_len = w->numbers_len = 0;
    w->prefix = str_printf("hearth:{%.*s}:", STR_ARG(account));
    words_add(w, str_of(w->prefix));
    words_add(w, str_of(q->queue_max));
    words_add(w, str_of(q->owner));
    words_add(w, str_of(q->lease));
    words_add(w, str_of(q->bytes_max));
}

/* Runs @script with them; they are copied. */
static void words_run(struct words *w, const struct async_queue *q, struct redis_script *script,
                      redis_done_fn *done, void *arg)
{
    redis_eval(q->redis, script, NULL, 0, w->list, w->len, done, arg);
    while (w->queues_len)
        free(w->queues[--w->queues_len]);
    free(w->prefix);
}

/* ---- answers ---- */

struct asking {
    async_done_fn *done;
    async_taken_fn *taken;
    async_finished_fn *finished;
    void *arg;
};

static struct asking *asking_new(void *arg)
{
    struct asking *asking = calloc(1, sizeof(*asking));

    if (!asking)
        abort();
    asking->arg = arg;
    return asking;
}

static bool says(const struct redis_value *value, size_t i, const char *word)
{
    return value->type == REDIS_ARRAY && i < value->len && str_is(value->items[i].str, word);
}

/* What the script said in its first word, as an error; NULL: fine. */
static const struct error *answer_error(const struct redis_value *value, const struct error *err,
                                        struct error *own)
{
    if (err)
        return err;
    if (says(value, 0, "ok"))
        return NULL;
    if (says(value, 0, "gone"))
        error_set(own, ERR_STALE, "it is another's by now, or its function was deleted");
    else if (says(value, 0, "missing"))
        error_set(own, ERR_NOT_FOUND, "no such function");
    else if (says(value, 0, "full"))
        error_set(own, ERR_THROTTLED,
                  "The account's queue of asynchronous invocations is full (HEARTH_ASYNC_QUEUE_MAX).");
    else
        error_set(own, ERR_PROTOCOL, "the queue's script answers nonsense");
    return own;
}

static void on_done(const struct redis_value *value, const struct error *err, void *arg)
{
    struct asking *asking = arg;
    struct error own;

    asking->done(answer_error(value, err, &own), asking->arg);
    free(asking);
}

static void on_finished(const struct redis_value *value, const struct error *err, void *arg)
{
    struct asking *asking = arg;
    unsigned missing = 0;
    struct error own;
    size_t i;

    err = answer_error(value, err, &own);
    for (i = 0; !err && i < ASYNC_FOLLOWERS_MAX; i++)
        if (says(value, i + 1, "missing"))
            missing |= 1u << i;
    asking->finished(missing, err, asking->arg);
    free(asking);
}

static bool read_item(const struct redis_value *value, struct async_taken *ret)
{
    const struct redis_value *f = value->items;

    if (value->type != REDIS_ARRAY || value->len != ITEM_FIELDS)
        return false;
    *ret = (struct async_taken){
        .kind = str_is(f[2].str, "message") ? ASYNC_MESSAGE : ASYNC_EVENT,
        .id = f[0].str,
        .function = f[1].str,
        .qualifier = f[3].str,
        .doc = f[4].str,
        .payload = f[5].str,
        .age_ms = f[6].integer > 0 ? (uint64_t)f[6].integer : 0,
        .tries = (uint64_t)f[7].integer,
        .waits = (uint64_t)f[8].integer,
        .context = f[9].str,
        .answer = f[10].str,
        .config = f[11].str,
        .reserved = f[12].integer,
    };
    if (ret->kind == ASYNC_MESSAGE)
        ret->function = str_sub(ret->function, 1, ret->function.len); /* without its '@' */
    return true;
}

static void on_taken(const struct redis_value *value, const struct error *err, void *arg)
{
    struct asking *asking = arg;
    struct async_taken *items = NULL;
    const struct redis_value *list;
    struct error own;
    size_t len = 0, i;

    if (!err && (value->type != REDIS_ARRAY || value->len != 2)) {
        error_set(&own, ERR_PROTOCOL, "the queue's script answers nonsense");
        err = &own;
    }
    if (err) {
        asking->taken(NULL, 0, UINT64_MAX, err, asking->arg);
        free(asking);
        return;
    }
    list = &value->items[1];
    items = calloc(list->len ? list->len : 1, sizeof(*items));
    if (!items)
        abort();
    for (i = 0; i < list->len; i++)
        if (read_item(&list->items[i], &items[len]))
            len++;
    asking->taken(items, len,
                  value->items[0].integer < 0 ? UINT64_MAX : (uint64_t)value->items[0].integer,
                  NULL, asking->arg);
    free(items);
    free(asking);
}

/* ---- questions ---- */

void async_queue_put(struct async_queue *q, struct str account, const struct async_item *item,
                     async_done_fn *done, void *arg)
{
    struct asking *asking = asking_new(arg);
    struct words w;

    asking->done = done;
    words_begin(&w, q, account);
    words_add_item(&w, item);
    words_run(&w, q, &lua_async_put, on_done, asking);
}

void async_queue_take(struct async_queue *q, struct str account, size_t count, size_t bytes,
                      async_taken_fn *done, void *arg)
{
    struct asking *asking = asking_new(arg);
    struct words w;

    asking->taken = done;
    words_begin(&w, q, account);
    words_add_number(&w, count);
    words_add_number(&w, bytes);
    words_run(&w, q, &lua_async_take, on_taken, asking);
}

void async_queue_renew(struct async_queue *q, struct str account, const struct async_held *items,
                       size_t len, async_done_fn *done, void *arg)
{
    struct asking *asking = asking_new(arg);
    struct words w;
    size_t i;

    asking->done = done;
    words_begin(&w, q, account);
    for (i = 0; i < len && i < ASYNC_RENEW_MAX; i++) {
        words_add(&w, items[i].id);
        words_add_queue(&w, items[i].kind, items[i].function);
    }
    words_run(&w, q, &lua_async_renew, on_done, asking);
}

static void words_add_held(struct words *w, const struct async_held *item)
{
    words_add(w, item->id);
    words_add_queue(w, item->kind, item->function);
}

void async_queue_retry(struct async_queue *q, const struct async_held *item,
                       const struct async_retry *retry, async_done_fn *done, void *arg)
{
    struct asking *asking = asking_new(arg);
    struct words w;

    asking->done = done;
    words_begin(&w, q, item->account);
    words_add_held(&w, item);
    words_add_number(&w, retry->delay_ms);
    words_add_number(&w, retry->tries);
    words_add_number(&w, retry->waits);
    words_add(&w, retry->context.ptr ? STR("1") : STR("0"));
    words_add(&w, retry->context);
    words_add(&w, retry->answer);
    words_run(&w, q, &lua_async_retry, on_done, asking);
}

void async_queue_finish(struct async_queue *q, const struct async_held *item, const char *count,
                        const struct async_item *followers, size_t len, async_finished_fn *done,
                        void *arg)
{
    struct asking *asking = asking_new(arg);
    struct words w;
    size_t i;

    asking->finished = done;
    words_begin(&w, q, item->account);
    words_add_held(&w, item);
    words_add(&w, str_of(count));
    for (i = 0; i < len && i < ASYNC_FOLLOWERS_MAX; i++)
        words_add_item(&w, &followers[i]);
    words_run(&w, q, &lua_async_finish, on_finished, asking);
}

struct async_queue *async_queue_new(const struct async_queue_options *options)
{
    struct async_queue *q = calloc(1, sizeof(*q));

    if (!q)
        abort();
    q->redis = options->redis;
    q->owner = str_dup(str_of(options->owner));
    snprintf(q->lease, sizeof(q->lease), "%" PRIu64, options->lease_ms);
    snprintf(q->queue_max, sizeof(q->queue_max), "%" PRIu64, options->queue_max);
    snprintf(q->bytes_max, sizeof(q->bytes_max), "%" PRIu64, options->bytes_max);
    return q;
}

void async_queue_free(struct async_queue *q)
{
    if (!q)
        return;
    free(q->owner);
    free(q);
}
