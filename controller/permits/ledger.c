/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/permits/ledger.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/alloc.h"
#include "common/base/buf.h"
#include "common/model/fn_name.h"
#include "controller/permits/ledger_lua.h"
#include "controller/permits/ledger_view.h"

#define QUESTION_WORDS 5u
#define ANSWER_NUMBERS 4u
#define WORDS_MAX (5u + QUESTION_WORDS * LEDGER_POOLS_MAX)
#define NUMBERS_MAX (3u + 3u * LEDGER_POOLS_MAX)
#define NUMBER_MAX 24u
#define EXACT_MAX (UINT64_C(1) << 53) /* Lua's numbers are exact below it */
#define LISTS_MAX ((size_t)64 * 1024 * 1024)
#define NAME_MAX_BYTES 256u

struct ledger {
    struct loop *loop;
    struct redis *redis;
};

/* One call under way. */
struct call {
    union {
        ledger_state_fn *state;
        ledger_done_fn *done;
        ledger_read_fn *read;
        ledger_ready_fn *ready;
    } done;
    void *arg;
    size_t len; /* questions */
};

static struct call *call_new(size_t len, void *arg)
{
    struct call *call = xcalloc(sizeof(*call));

    call->len = len;
    call->arg = arg;
    return call;
}

/* ---- what is asked ---- */

/* The arguments of a script while they are collected; texts are borrowed. */
struct words {
    struct str list[WORDS_MAX];
    size_t len;
    char *prefix;
    char numbers[NUMBERS_MAX][NUMBER_MAX];
    size_t numbers_len;
};

static void words_add(struct words *w, struct str s)
{
    w->list[w->len++] = s;
}

static void words_add_number(struct words *w, uint64_t n)
{
    char *text = w->numbers[w->numbers_len++];

    snprintf(text, NUMBER_MAX, "%" PRIu64, n);
    words_add(w, str_of(text));
}

static void words_begin(struct words *w, const struct ledger_at *at)
{
    w->len = w->numbers_len = 0;
    w->prefix = str_printf("hearth:{%.*s}:", STR_ARG(at->account));
    words_add(w, str_of(w->prefix));
    words_add_number(w, at->term);
    words_add_number(w, at->epoch);
    words_add_number(w, at->account_limit);
}

static void words_run(struct words *w, const struct ledger *ledger, struct redis_script *script,
                      redis_done_fn *done, struct call *call)
{
    redis_eval(ledger->redis, script, NULL, 0, w->list, w->len, done, call);
    free(w->prefix);
}

/* ---- what may be asked ---- */

static int check_at(const struct ledger_at *at, struct error *err)
{
    if (at->term < EXACT_MAX && at->epoch < EXACT_MAX && at->account_limit <= LEDGER_COUNT_MAX)
        return 0;
    return error_set(err, ERR_BAD_REQUEST, "a term, an epoch or an account's limit is too large");
}

/* Ids are lines of a list. */
static int check_id(struct str id, const char *what, struct error *err)
{
    if (id.len > 0 && id.len <= NAME_MAX_BYTES && str_find(id, '\n', 0) == id.len)
        return 0;
    return error_set(err, ERR_BAD_REQUEST, "the id of a %s has 1 to %u bytes and no line's end",
                     what, NAME_MAX_BYTES);
}

/* "*", a function's name, or that, a colon and a version's number. */
bool ledger_is_pool(struct str pool)
{
    size_t at, end = str_find(pool, ':', 0);

    if (str_is(pool, "*"))
        return true;
    if (end == 0 || end > FN_NAME_MAX)
        return false;
    for (at = 0; at < end; at++)
        if (!isalnum((unsigned char)pool.ptr[at]) && pool.ptr[at] != '-' && pool.ptr[at] != '_')
            return false;
    return end == pool.len || fn_version_number_is_valid(str_sub(pool, end + 1, pool.len));
}

static int check_pool(struct str pool, struct error *err)
{
    if (ledger_is_pool(pool))
        return 0;
    return error_set(err, ERR_BAD_REQUEST, "\"%.*s\" is no pool of permits",
                     (int)(pool.len < NAME_MAX_BYTES ? pool.len : NAME_MAX_BYTES), pool.ptr);
}

static int check_question(const struct ledger_question *q, struct error *err)
{
    int r = check_pool(q->pool, err);

    if (r < 0)
        return r;
    if (q->seq == 0 || q->seq >= EXACT_MAX)
        return error_set(err, ERR_BAD_REQUEST, "a question's number is 1 to 2^53");
    if (q->want < q->held || q->want > LEDGER_COUNT_MAX)
        return error_set(err, ERR_BAD_REQUEST,
                         "who holds %" PRIu64 " permits cannot want to hold %" PRIu64, q->held,
                         q->want);
    if (q->moved && q->again)
        return error_set(err, ERR_BAD_REQUEST, "what has moved is told once");
    return 0;
}

static int check_orphans(const struct ledger_orphans *o, struct error *err)
{
    int r = check_id(o->node, "node", err);
    size_t i;

    if (r == 0)
        r = check_id(o->incarnation, "node's process", err);
    if (r == 0 && o->seq >= EXACT_MAX)
        r = error_set(err, ERR_BAD_REQUEST, "a message's number is below 2^53");
    for (i = 0; i < o->len && r == 0; i++) {
        r = check_pool(o->counts[i].pool, err);
        if (r == 0 && o->counts[i].count > LEDGER_COUNT_MAX)
            r = error_set(err, ERR_BAD_REQUEST, "%" PRIu64 " orphans are too many",
                          o->counts[i].count);
    }
    return r;
}

/* ---- answers ---- */

static const struct redis_value *item(const struct redis_value *value, size_t i)
{
    static const struct redis_value nil = {.type = REDIS_NIL};

    return value->type == REDIS_ARRAY && i < value->len ? &value->items[i] : &nil;
}

/* What the script said in its first word, as an error; NULL: fine. */
static const struct error *answer_error(const struct redis_value *value, const struct error *err,
                                        struct error *own)
{
    struct str word;

    if (err)
        return err;
    word = item(value, 0)->str;
    if (str_is(word, "ok"))
        return NULL;
    if (str_is(word, "deposed"))
        error_set(own, ERR_CONFLICT, "a newer controller leads");
    else if (str_is(word, "closed"))
        error_set(own, ERR_STALE, "the ledger of permits is closed, or of another epoch");
    else if (str_is(word, "newer"))
        error_set(own, ERR_STALE, "the ledger of permits has a newer epoch");
    else if (str_is(word, "unknown"))
        error_set(own, ERR_NOT_FOUND, "the gateway has not joined");
    else if (str_is(word, "given up"))
        error_set(own, ERR_PRECONDITION, "the gateway was given up");
    else
        error_set(own, ERR_PROTOCOL, "the ledger's script answers nonsense");
    return own;
}

static void on_done(const struct redis_value *value, const struct error *err, void *arg)
{
    struct call *call = arg;
    struct error own;

    call->done.done(answer_error(value, err, &own), call->arg);
    free(call);
}

static void on_ready(const struct redis_value *value, const struct error *err, void *arg)
{
    struct call *call = arg;
    struct error own;

    err = answer_error(value, err, &own);
    call->done.ready(!err && item(value, 1)->integer == 1, err, call->arg);
    free(call);
}

static void read_answer(const struct redis_value *value, size_t at, struct ledger_answer *ret)
{
    int64_t bound = item(value, at)->integer;

    ret->old = bound < 0;
    ret->bound = ret->old ? LEDGER_ENOUGH : (enum ledger_bound)bound;
    ret->more = (uint64_t)item(value, at + 1)->integer;
    ret->lease = (uint64_t)item(value, at + 2)->integer;
    ret->drain = item(value, at + 3)->integer == 1;
}

static void on_state(const struct redis_value *value, const struct error *err, void *arg)
{
    struct ledger_answer answers[LEDGER_POOLS_MAX];
    struct call *call = arg;
    struct error own;
    size_t i;

    err = answer_error(value, err, &own);
    if (!err && value->len != 1 + ANSWER_NUMBERS * call->len) {
        error_set(&own, ERR_PROTOCOL, "the ledger's script answers nonsense");
        err = &own;
    }
    for (i = 0; i < call->len && !err; i++)
        read_answer(value, 1 + ANSWER_NUMBERS * i, &answers[i]);
    call->done.state(err ? NULL : answers, err ? 0 : call->len, err, call->arg);
    free(call);
}

static void on_read(const struct redis_value *value, const struct error *err, void *arg)
{
    struct ledger_view view;
    struct call *call = arg;
    struct error own;

    err = answer_error(value, err, &own);
    if (err) {
        call->done.read(NULL, err, call->arg);
    } else {
        ledger_view_from(item(value, 1), item(value, 2), item(value, 3), &view);
        call->done.read(&view, NULL, call->arg);
        ledger_view_done(&view);
    }
    free(call);
}

/* A call that is refused without Redis. */
struct refusal {
    redis_done_fn *done;
    struct call *call;
    struct error err;
};

static void on_refusal(void *arg)
{
    struct refusal *refusal = arg;

    refusal->done(NULL, &refusal->err, refusal->call);
    free(refusal);
}

static void refuse(struct ledger *ledger, redis_done_fn *done, struct call *call,
                   const struct error *err)
{
    struct refusal *refusal = xcalloc(sizeof(*refusal));

    *refusal = (struct refusal){done, call, *err};
    loop_defer(ledger->loop, on_refusal, refusal);
}

/* ---- what gateways hold ---- */

/* Whether the pool of question @i is one of an earlier question. */
static bool is_asked_before(const struct ledger_question *questions, size_t i)
{
    size_t at;

    for (at = 0; at < i; at++)
        if (str_eq(questions[at].pool, questions[i].pool))
            return true;
    return false;
}

static int check_state(const struct ledger_at *at, struct str gateway,
                       const struct ledger_question *questions, size_t len, struct error *err)
{
    int r = check_at(at, err);
    size_t i;

    if (len == 0 || len > LEDGER_POOLS_MAX)
        return error_set(err, ERR_BAD_REQUEST, "1 to %u pools are asked for at a time",
                         LEDGER_POOLS_MAX);
    if (r == 0)
        r = check_id(gateway, "gateway", err);
    for (i = 0; i < len && r == 0; i++) {
        r = check_question(&questions[i], err);
        if (r == 0 && is_asked_before(questions, i))
            r = error_set(err, ERR_BAD_REQUEST, "one pool is asked for twice");
    }
    return r;
}

void ledger_state(struct ledger *ledger, const struct ledger_at *at, struct str gateway,
                  const struct ledger_question *questions, size_t len, ledger_state_fn *done,
                  void *arg)
{
    struct call *call = call_new(len, arg);
    struct error err;
    struct words w;
    size_t i;

    call->done.state = done;
    if (check_state(at, gateway, questions, len, &err) < 0) {
        refuse(ledger, on_state, call, &err);
        return;
    }
    words_begin(&w, at);
    words_add(&w, gateway);
    for (i = 0; i < len; i++) {
        const struct ledger_question *q = &questions[i];

        words_add(&w, q->pool);
        words_add_number(&w, q->seq);
        words_add_number(&w, q->held);
        words_add_number(&w, q->want);
        words_add(&w, q->moved ? STR("moved") : q->again ? STR("again") : STR(""));
    }
    words_run(&w, ledger, &lua_ledger_state, on_state, call);
}

static void run_gateway(struct ledger *ledger, struct redis_script *script,
                        const struct ledger_at *at, struct str gateway, ledger_done_fn *done,
                        void *arg)
{
    struct call *call = call_new(0, arg);
    struct error err;
    struct words w;

    call->done.done = done;
    if (check_at(at, &err) < 0 || check_id(gateway, "gateway", &err) < 0) {
        refuse(ledger, on_done, call, &err);
        return;
    }
    words_begin(&w, at);
    words_add(&w, gateway);
    words_run(&w, ledger, script, on_done, call);
}

void ledger_join(struct ledger *ledger, const struct ledger_at *at, struct str gateway,
                 ledger_done_fn *done, void *arg)
{
    run_gateway(ledger, &lua_ledger_join, at, gateway, done, arg);
}

void ledger_give_up(struct ledger *ledger, const struct ledger_at *at, struct str gateway,
                    ledger_done_fn *done, void *arg)
{
    run_gateway(ledger, &lua_ledger_give_up, at, gateway, done, arg);
}

/* ---- what runs on nobody's lease ---- */

static int add_counts(struct buf *b, const struct ledger_orphans *o)
{
    size_t i;
    int r = 0;

    for (i = 0; i < o->len && r == 0; i++)
        r = buf_printf(b, "%.*s\n%" PRIu64 "\n", STR_ARG(o->counts[i].pool), o->counts[i].count);
    return r;
}

static int list_too_long(struct error *err)
{
    return error_set(err, ERR_TOO_LARGE, "a list of what runs is too long");
}

void ledger_set_orphans(struct ledger *ledger, const struct ledger_at *at,
                        const struct ledger_orphans *orphans, ledger_done_fn *done, void *arg)
{
    CLEANUP(buf_done) struct buf list = BUF_INIT(LISTS_MAX);
    struct call *call = call_new(0, arg);
    struct error err;
    struct words w;

    call->done.done = done;
    if (check_at(at, &err) < 0 || check_orphans(orphans, &err) < 0 ||
        (add_counts(&list, orphans) < 0 && list_too_long(&err) < 0)) {
        refuse(ledger, on_done, call, &err);
        return;
    }
    words_begin(&w, at);
    words_add(&w, orphans->node);
    words_add(&w, orphans->incarnation);
    words_add_number(&w, orphans->seq);
    words_add(&w, list.len ? buf_str(&list) : STR(""));
    words_run(&w, ledger, &lua_ledger_orphans, on_done, call);
}

/* ---- the ledger as a whole ---- */

static int add_node(struct buf *b, const struct ledger_orphans *o, struct error *err)
{
    int r = check_orphans(o, err);

    if (r < 0)
        return r;
    r = buf_printf(b, "%.*s\n%.*s\n%" PRIu64 "\n%zu\n", STR_ARG(o->node), STR_ARG(o->incarnation),
                   o->seq, o->len);
    return r < 0 || add_counts(b, o) < 0 ? list_too_long(err) : 0;
}

void ledger_open(struct ledger *ledger, const struct ledger_at *at, struct str run,
                 const struct ledger_orphans *nodes, size_t len, ledger_done_fn *done, void *arg)
{
    CLEANUP(buf_done) struct buf list = BUF_INIT(LISTS_MAX);
    struct call *call = call_new(0, arg);
    struct error err;
    struct words w;
    size_t i;
    int r = check_at(at, &err);

    call->done.done = done;
    for (i = 0; i < len && r == 0; i++)
        r = add_node(&list, &nodes[i], &err);
    if (r < 0) {
        refuse(ledger, on_done, call, &err);
        return;
    }
    words_begin(&w, at);
    words_add(&w, run);
    words_add(&w, list.len ? buf_str(&list) : STR(""));
    words_run(&w, ledger, &lua_ledger_open, on_done, call);
}

void ledger_read(struct ledger *ledger, const struct ledger_at *at, ledger_read_fn *done, void *arg)
{
    struct call *call = call_new(0, arg);
    struct error err;
    struct words w;

    call->done.read = done;
    if (check_at(at, &err) < 0) {
        refuse(ledger, on_read, call, &err);
        return;
    }
    words_begin(&w, at);
    words_run(&w, ledger, &lua_ledger_read, on_read, call);
}

void ledger_class_ready(struct ledger *ledger, const struct ledger_at *at, struct str function,
                        struct str version, ledger_ready_fn *done, void *arg)
{
    CLEANUP(freep) char *pool = str_printf("%.*s:%.*s", STR_ARG(function), STR_ARG(version));
    struct call *call = call_new(0, arg);
    struct error err;
    struct words w;

    call->done.ready = done;
    if (check_at(at, &err) < 0 || check_pool(str_of(pool), &err) < 0) {
        refuse(ledger, on_ready, call, &err);
        return;
    }
    words_begin(&w, at);
    words_add(&w, function);
    words_add(&w, version);
    words_run(&w, ledger, &lua_ledger_ready, on_ready, call);
}

struct ledger *ledger_new(struct loop *loop, struct redis *redis)
{
    struct ledger *ledger = xcalloc(sizeof(*ledger));

    ledger->loop = loop;
    ledger->redis = redis;
    return ledger;
}

void ledger_free(struct ledger *ledger)
{
    free(ledger);
}
