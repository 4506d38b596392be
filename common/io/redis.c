/* SPDX-License-Identifier: Apache-2.0 */
#include "common/io/redis.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "common/io/redis_internal.h"
#include "common/io/redis_reply.h"

#define ARGS_MAX 1024u
#define GUARD_ARGS 2u /* one key and one argument more, which the script does not see */

static const char guard_source[] =
    "if redis.call('GET', table.remove(KEYS)) ~= table.remove(ARGV) then "
    "return redis.error_reply('DEPOSED another controller leads, or none') end\n";

struct redis_call {
    struct list_node node;
    redis_done_fn *done;
    void *arg;
    uint64_t due_us;
    struct redis_script *script; /* to send whole on NOSCRIPT; else NULL */
    bool guarded; /* the script */
    struct str *argv; /* of a script, or while waiting: one block of entries and their bytes */
    size_t argc;
#ifdef HEARTH_FAULT_POINTS
    bool lost; /* its answer is */
    bool faultless; /* a free script: no fault is meant for it */
#endif
};

/* ---- faults that a test asks for ---- */

#ifdef HEARTH_FAULT_POINTS
static struct {
    enum redis_fault kind;
    unsigned left; /* commands until then; 0: it is not armed, or has happened */
} fault;

void redis_fault_arm(enum redis_fault kind, unsigned n)
{
    fault.kind = kind;
    fault.left = n;
}

bool redis_fault_is_armed(void)
{
    return fault.left > 0;
}

/* Whether the command that is about to be sent is the one. */
static bool fault_is_now(enum redis_fault kind)
{
    return fault.left > 0 && fault.kind == kind && --fault.left == 0;
}
#endif

/* ---- calls ---- */

static void call_finish(struct redis_call *call, const struct redis_value *value,
                        const struct error *err)
{
    list_remove(&call->node);
    call->done(value, err, call->arg);
    free(call->argv);
    free(call);
}

struct late_failure {
    redis_done_fn *done;
    void *arg;
    struct error err;
};

static void on_late_failure(void *arg)
{
    struct late_failure *f = arg;

    f->done(NULL, &f->err, f->arg);
    free(f);
}

static void fail_later(struct redis *r, redis_done_fn *done, void *arg, const struct error *err)
{
    struct late_failure *f = calloc(1, sizeof(*f));

    if (!f)
        abort();
    f->done = done;
    f->arg = arg;
    f->err = *err;
    loop_defer(r->loop, on_late_failure, f);
}

/* Callbacks may ask again or free the struct redis: both leave the list to us. */
static void fail_list(struct list_node *calls, const struct error *err)
{
    struct redis_call *call;

    while ((call = LIST_FIRST(calls, struct redis_call, node)))
        call_finish(call, NULL, err);
}

void redis_calls_fail(struct redis *r, const struct error *err)
{
    timer_stop(&r->deadline);
    fail_list(&r->calls, err);
}

static void on_patience_over(void *arg)
{
    struct redis *r = arg;
    struct error err;

    error_set(&err, ERR_UNAVAILABLE, "%s", r->why.msg);
    fail_list(&r->waiting, &err);
}

/* ---- commands ---- */

static void on_deadline(void *arg)
{
    struct redis *r = arg;
    struct redis_call *call = LIST_FIRST(&r->calls, struct redis_call, node);
    uint64_t now = loop_now_us(r->loop);
    struct list_node late;
    struct error err, why;

    if (!call)
        return;
    if (call->due_us > now) {
        timer_start(&r->deadline, call->due_us - now);
        return;
    }
    /* Redis answers in order: who keeps the oldest call waiting keeps all. A new connection also
     * gets rid of a peer that is gone without a word, and of answers that come too late. */
    error_set(&err, ERR_TIMEOUT, "Redis at %s: no answer within %llu ms", r->text,
              (unsigned long long)(r->command_timeout_us / 1000));
    why = err;
    why.code = ERR_UNAVAILABLE;
    redis_conn_forget(r, true);
    list_init(&late);
    while (call && call->due_us <= now) {
        list_remove(&call->node);
        list_append(&late, &call->node);
        call = LIST_FIRST(&r->calls, struct redis_call, node);
    }
    redis_conn_down(r, &why);
    fail_list(&late, &err);
}

static void on_reply(redisAsyncContext *ac, void *reply, void *privdata);

#ifdef HEARTH_FAULT_POINTS
/* The answer that says that it was done does not come: the connection ends with it. */
static void lose_answer(struct redis *r)
{
    struct error err;

    error_set(&err, ERR_UNAVAILABLE, "Redis at %s: a fault that was asked for", r->text);
    redis_conn_forget(r, true);
    redis_conn_down(r, &err);
}

static bool call_is_refused(struct redis *r, struct redis_call *call)
{
    struct error err;

    if (call->faultless)
        return false;
    call->lost = call->lost || fault_is_now(REDIS_FAULT_LOSE);
    if (!fault_is_now(REDIS_FAULT_REFUSE))
        return false;
    error_set(&err, ERR_UNAVAILABLE, "Redis at %s: a fault that was asked for", r->text);
    fail_later(r, call->done, call->arg, &err);
    free(call->argv);
    free(call);
    return true;
}
#endif

static void call_send(struct redis *r, struct redis_call *call, const struct str *argv, size_t argc)
{
    const char *ptrs[ARGS_MAX + GUARD_ARGS];
    size_t lens[ARGS_MAX + GUARD_ARGS], i;

#ifdef HEARTH_FAULT_POINTS
    if (call_is_refused(r, call))
        return;
#endif
    for (i = 0; i < argc; i++) {
        ptrs[i] = argv[i].ptr ? argv[i].ptr : "";
        lens[i] = argv[i].len;
    }
    call->due_us = loop_now_us(r->loop) + r->command_timeout_us;
    list_append(&r->calls, &call->node);
    if (!timer_is_armed(&r->deadline))
        timer_start(&r->deadline, r->command_timeout_us);
    /* Fails only while the context is going down; then its end finds the call in the list. */
    redisAsyncCommandArgv(r->ac, on_reply, call, (int)argc, ptrs, lens);
}

static void on_reply(redisAsyncContext *ac, void *reply, void *privdata)
{
    struct redis *r = ac->data;
    struct redis_call *call = privdata;
    const redisReply *answer = reply;
    CLEANUP(freep) char *source = NULL;
    struct redis_value value;
    struct error err;

    if (!r)
        return; /* the call has ended with the connection */
    if (!answer) {
        redis_conn_lost(r);
        return;
    }
#ifdef HEARTH_FAULT_POINTS
    if (call->lost && !(call->script && redis_reply_is_noscript(answer))) {
        lose_answer(r);
        return;
    }
#endif
    if (answer->type != REDIS_REPLY_ERROR) {
        redis_value_from(answer, &value);
        call_finish(call, &value, NULL);
        redis_value_done(&value);
        return;
    }
    if (call->script && redis_reply_is_noscript(answer)) {
        call->argv[0] = STR("EVAL");
        source = str_printf("%s%s", call->guarded ? guard_source : "", call->script->source);
        call->argv[1] = str_of(source);
        call->script = NULL;
        list_remove(&call->node);
        call_send(r, call, call->argv, call->argc);
        return;
    }
    redis_reply_error(answer, &err);
    call_finish(call, NULL, &err);
    if (redis_reply_is_away(answer) && r->ac == ac) { /* our callback may have ended the connection */
        error_wrap(&err, 0, "Redis at %s", r->text);
        redis_conn_forget(r, true);
        redis_conn_down(r, &err);
    }
}

static struct redis_call *call_new(redis_done_fn *done, void *arg)
{
    struct redis_call *call = calloc(1, sizeof(*call));

    if (!call)
        abort();
    list_init(&call->node);
    call->done = done;
    call->arg = arg;
    return call;
}

static void call_refuse(struct redis *r, struct redis_call *call, enum error_code code,
                        const char *text)
{
    struct error err;

    error_set(&err, code, "%s", text);
    fail_later(r, call->done, call->arg, &err);
    free(call->argv);
    free(call);
}

/* One block: the entries, then the bytes that they point to. */
static struct str *copy_words(const struct str *words, size_t count)
{
    size_t size = count * sizeof(*words), i;
    struct str *ret;
    char *to;

    for (i = 0; i < count; i++)
        size += words[i].len;
    ret = malloc(size);
    if (!ret)
        abort();
    to = (char *)(ret + count);
    for (i = 0; i < count; i++) {
        if (words[i].len)
            memcpy(to, words[i].ptr, words[i].len);
        ret[i] = str_from(to, words[i].len);
        to += words[i].len;
    }
    return ret;
}

/* Sends @call now, or when there is a connection, or not at all. */
static void call_submit(struct redis *r, struct redis_call *call, const struct str *argv,
                        size_t argc)
{
    if (argc == 0 || argc > ARGS_MAX + (call->guarded ? GUARD_ARGS : 0)) {
        call_refuse(r, call, ERR_INTERNAL, "a Redis command has 1 to 1024 words");
    } else if (r->phase == REDIS_UP) {
        call_send(r, call, argv, argc);
    } else if (timer_is_armed(&r->patience)) {
        if (!call->argv)
            call->argv = copy_words(argv, argc);
        call->argc = argc;
        list_append(&r->waiting, &call->node);
    } else {
        call_refuse(r, call, ERR_UNAVAILABLE, r->why.msg);
    }
}

void redis_calls_send_waiting(struct redis *r)
{
    struct redis_call *call;

    timer_stop(&r->patience);
    while ((call = LIST_FIRST(&r->waiting, struct redis_call, node))) {
        list_remove(&call->node);
        call_send(r, call, call->argv, call->argc);
    }
}

void redis_command(struct redis *r, const struct str *argv, size_t argc, redis_done_fn *done,
                   void *arg)
{
    call_submit(r, call_new(done, arg), argv, argc);
}

static void source_hash(const char *before, const char *source, char ret[41])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    CLEANUP(freep) char *text = NULL;
    unsigned len = 0;

    if (ret[0])
        return;
    text = str_printf("%s%s", before, source);
    if (EVP_Digest(text, strlen(text), digest, &len, EVP_sha1(), NULL) != 1 || len != 20)
        abort();
    hex_encode(digest, len, ret);
}

/* EVALSHA, the hash, the number of keys, keys, arguments; the guard's behind each. */
void redis_eval(struct redis *r, struct redis_script *script, const struct str *keys,
                size_t key_count, const struct str *args, size_t arg_count, redis_done_fn *done,
                void *arg)
{
    struct redis_call *call = call_new(done, arg);
    struct str words[ARGS_MAX + GUARD_ARGS];
    size_t argc = 0;
    char count[24];

    if (3 + key_count + arg_count > ARGS_MAX) {
        call_submit(r, call, NULL, 0); /* refused by its number of words */
        return;
    }
    call->script = script;
    call->guarded = r->guard_key && !script->is_free;
#ifdef HEARTH_FAULT_POINTS
    call->faultless = script->is_free;
#endif
    source_hash("", script->source, script->sha1);
    source_hash(guard_source, script->source, script->guarded_sha1);
    snprintf(count, sizeof(count), "%zu", key_count + call->guarded);
    words[argc++] = STR("EVALSHA");
    words[argc++] = str_of(call->guarded ? script->guarded_sha1 : script->sha1);
    words[argc++] = str_of(count);
    if (key_count)
        memcpy(&words[argc], keys, key_count * sizeof(*keys));
    argc += key_count;
    if (call->guarded)
        words[argc++] = str_of(r->guard_key);
    if (arg_count)
        memcpy(&words[argc], args, arg_count * sizeof(*args));
    argc += arg_count;
    if (call->guarded)
        words[argc++] = str_of(r->guard_value);
    call->argv = copy_words(words, argc);
    call->argc = argc;
    call_submit(r, call, call->argv, argc);
}

void redis_guard_set(struct redis *r, const char *key, const char *value)
{
    free(r->guard_key);
    free(r->guard_value);
    r->guard_key = key ? str_dup(str_of(key)) : NULL;
    r->guard_value = key ? str_dup(str_of(value)) : NULL;
}

bool redis_is_up(const struct redis *r)
{
    return r->phase == REDIS_UP;
}

bool redis_is_at(const struct redis *r, struct str host, uint16_t port)
{
    return redis_is_up(r) && r->host && str_is(host, r->host) && r->port == port;
}

bool redis_has_sentinels(const struct redis *r)
{
    return r->address.sentinels_len > 0;
}

void redis_reconnect(struct redis *r, const struct error *why)
{
    if (!redis_is_up(r))
        return;
    redis_conn_forget(r, true);
    redis_conn_down(r, why);
}

int redis_new(struct loop *loop, const struct redis_options *options, struct redis **ret,
              struct error *err)
{
    struct redis_address address;
    struct redis *r;
    int res;

    res = redis_url_parse(str_of(options->url), &address, err);
    if (res < 0)
        return res;
    r = calloc(1, sizeof(*r));
    if (!r)
        abort();
    r->loop = loop;
    r->address = address;
    r->text = redis_address_text(&address);
    r->command_timeout_us = options->command_timeout_us;
    r->patience_us = options->patience_us;
    r->is_sentinel = options->is_sentinel;
    r->on_state = options->on_state;
    r->arg = options->arg;
    r->phase = REDIS_WAITING;
    r->backoff_us = REDIS_BACKOFF_LEAST_US;
    error_set(&r->why, ERR_UNAVAILABLE, "Redis at %s: not connected yet", r->text);
    list_init(&r->calls);
    list_init(&r->waiting);
    timer_init(&r->timer, loop, redis_conn_timer, r);
    timer_init(&r->deadline, loop, on_deadline, r);
    timer_init(&r->patience, loop, on_patience_over, r);
    timer_start(&r->timer, 0);
    if (r->patience_us)
        timer_start(&r->patience, r->patience_us);
    *ret = r;
    return 0;
}

void redis_free(struct redis *r)
{
    struct error err;

    if (!r || r->phase == REDIS_FREED)
        return;
    r->phase = REDIS_FREED;
    error_set(&r->why, ERR_UNAVAILABLE, "Redis at %s: the connection was given up", r->text);
    error_set(&err, ERR_CLOSED, "%s", r->why.msg);
    timer_stop(&r->timer);
    timer_stop(&r->patience);
    if (r->resolve)
        redis_resolve_abandon(r->resolve);
    redis_conn_forget(r, true);
    redis_calls_fail(r, &err);
    fail_list(&r->waiting, &err);
    redis_guard_set(r, NULL, NULL);
    free(r->host);
    r->host = NULL;
    free(r->text);
    r->text = NULL;
    redis_address_done(&r->address);
    loop_defer(r->loop, free, r); /* one of our callbacks may be the caller */
}
