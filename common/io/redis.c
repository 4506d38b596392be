/* SPDX-License-Identifier: Apache-2.0 */
#include "common/io/redis.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <netdb.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/io/redis_reply.h"
#include "common/io/redis_url.h"

#define BACKOFF_LEAST_US MSEC(50)
#define BACKOFF_MOST_US SECONDS(2)
#define ARGS_MAX 256u

/*
 *   WAITING ──► RESOLVING ──► CONNECTING ──► UP          RESOLVING only for host names
 *      ▲            │              │          │
 *      └────────────┴──────────────┴──────────┘          every failure waits out the back-off
 *
 * CONNECTING lasts until the answer to the last of AUTH, SELECT and PING is there: a server that
 * still loads its data, or refuses our password, is not up.
 */
enum phase { WAITING, RESOLVING, CONNECTING, UP, FREED };

enum told { TOLD_NOTHING, TOLD_DOWN, TOLD_UP };

struct resolve;

struct redis {
    struct loop *loop;
    struct redis_address address;
    char *text; /* of the address, for messages */
    uint64_t command_timeout_us, patience_us;
    void (*on_state)(bool up, const struct error *why, void *arg);
    void *arg;

    enum phase phase;
    enum told told;
    enum error_code told_code; /* of the last reason told */
    struct error why; /* why it is not up */
    redisAsyncContext *ac; /* NULL unless CONNECTING or UP */
    struct resolve *resolve; /* NULL unless RESOLVING */
    struct timer timer; /* back-off, or the end of CONNECTING */
    uint64_t backoff_us;
    unsigned attempt; /* picks among the addresses of a name */
    struct list_node calls; /* sent, oldest first */
    struct timer deadline; /* of the oldest call */
    struct list_node waiting; /* calls that wait for the connection */
    struct timer patience; /* armed: calls may wait */
};

/* hiredis' view of the loop; freed by its clean-up hook. */
struct conn {
    redisAsyncContext *ac;
    struct watch *watch;
    int events;
    bool busy, gone;
};

struct redis_call {
    struct list_node node;
    redis_done_fn *done;
    void *arg;
    uint64_t due_us;
    struct redis_script *script; /* to send whole on NOSCRIPT; else NULL */
    struct str *argv; /* of a script, or while waiting: one block of entries and their bytes */
    size_t argc;
};

static void connect_now(void *arg);
static void send_waiting(struct redis *r);

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

static void fail_calls(struct redis *r, const struct error *err)
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

/* ---- state ---- */

static void tell(struct redis *r, bool up, const struct error *why)
{
    enum told now = up ? TOLD_UP : TOLD_DOWN;

    if (r->told == now && (up || r->told_code == why->code))
        return;
    r->told = now;
    r->told_code = up ? ERR_OK : why->code;
    if (r->on_state)
        r->on_state(up, up ? NULL : why, r->arg);
}

/* The socket is gone or must go. hiredis' callbacks find no data in the context from now on. */
static void forget_context(struct redis *r, bool free_it)
{
    redisAsyncContext *ac = r->ac;

    r->ac = NULL;
    if (!ac)
        return;
    ac->data = NULL;
    if (free_it)
        redisAsyncFree(ac);
}

static void go_down(struct redis *r, const struct error *why)
{
    struct error lost;

    if (r->phase == FREED)
        return;
    if (r->phase == UP && r->patience_us)
        timer_start(&r->patience, r->patience_us);
    log_debug("redis", "connection lost", KV_STR("address", r->text), KV_ERR(why));
    r->phase = WAITING;
    r->why = *why;
    timer_start(&r->timer, r->backoff_us);
    r->backoff_us = r->backoff_us * 2 > BACKOFF_MOST_US ? BACKOFF_MOST_US : r->backoff_us * 2;
    error_set(&lost, ERR_UNAVAILABLE, "%s", why->msg);
    tell(r, false, why);
    fail_calls(r, &lost);
}

static void on_lost(struct redis *r)
{
    struct error err;

    error_set(&err, ERR_UNAVAILABLE, "Redis at %s: %s", r->text,
              r->ac->errstr && r->ac->errstr[0] ? r->ac->errstr : "the connection was closed");
    forget_context(r, false);
    go_down(r, &err);
}

/* ---- hiredis' hooks ---- */

static void conn_set(struct conn *conn, int events)
{
    if (conn->gone || events == conn->events)
        return;
    conn->events = events;
    watch_set(conn->watch, events);
}

static void hook_add_read(void *data)
{
    struct conn *conn = data;

    conn_set(conn, conn->events | WATCH_READ);
}

static void hook_del_read(void *data)
{
    struct conn *conn = data;

    conn_set(conn, conn->events & ~WATCH_READ);
}

static void hook_add_write(void *data)
{
    struct conn *conn = data;

    conn_set(conn, conn->events | WATCH_WRITE);
}

static void hook_del_write(void *data)
{
    struct conn *conn = data;

    conn_set(conn, conn->events & ~WATCH_WRITE);
}

static void hook_cleanup(void *data)
{
    struct conn *conn = data;

    watch_free(conn->watch);
    conn->gone = true;
    if (!conn->busy)
        free(conn);
}

static void on_io(int fd, int events, void *arg)
{
    struct conn *conn = arg;

    (void)fd;
    conn->busy = true; /* the context may die inside either call, and takes its hooks along */
    if (events & WATCH_READ)
        redisAsyncHandleRead(conn->ac);
    if ((events & WATCH_WRITE) && !conn->gone)
        redisAsyncHandleWrite(conn->ac);
    conn->busy = false;
    if (conn->gone)
        free(conn);
}

/* ---- connecting ---- */

static void on_hello(redisAsyncContext *ac, void *reply, void *step)
{
    struct redis *r = ac->data;
    const redisReply *answer = reply;
    struct error err;

    if (!r)
        return;
    if (!answer) {
        on_lost(r);
        return;
    }
    if (answer->type == REDIS_REPLY_ERROR) {
        redis_reply_error(answer, &err);
        error_wrap(&err, 0, "Redis at %s: %s", r->text, (const char *)step);
        forget_context(r, true);
        go_down(r, &err);
        return;
    }
    if (strcmp(step, "PING") != 0)
        return;
    timer_stop(&r->timer);
    r->phase = UP;
    r->backoff_us = BACKOFF_LEAST_US;
    send_waiting(r);
    tell(r, true, NULL);
}

static void say_hello(struct redis *r)
{
    const struct redis_address *a = &r->address;

    if (a->password && a->user)
        redisAsyncCommand(r->ac, on_hello, "AUTH", "AUTH %s %s", a->user, a->password);
    else if (a->password)
        redisAsyncCommand(r->ac, on_hello, "AUTH", "AUTH %s", a->password);
    if (a->db)
        redisAsyncCommand(r->ac, on_hello, "SELECT", "SELECT %u", (unsigned)a->db);
    redisAsyncCommand(r->ac, on_hello, "PING", "PING");
}

static void on_connect(const redisAsyncContext *ac, int status)
{
    struct redis *r = ac->data;

    if (!r)
        return;
    if (status == REDIS_OK)
        say_hello(r);
    else
        on_lost(r); /* hiredis frees the context when we return */
}

static void on_disconnect(const redisAsyncContext *ac, int status)
{
    (void)status;
    if (ac->data)
        on_lost(ac->data);
}

static void use_context(struct redis *r, redisAsyncContext *ac)
{
    struct conn *conn;
    struct error err;

    if (!ac)
        abort();
    if (ac->err) {
        error_set(&err, ERR_UNAVAILABLE, "Redis at %s: %s", r->text, ac->errstr);
        redisAsyncFree(ac);
        go_down(r, &err);
        return;
    }
    fcntl(ac->c.fd, F_SETFD, FD_CLOEXEC); /* hiredis does not */
    conn = calloc(1, sizeof(*conn));
    if (!conn)
        abort();
    conn->ac = ac;
    conn->watch = watch_new(r->loop, ac->c.fd, on_io, conn);
    ac->ev.data = conn;
    ac->ev.addRead = hook_add_read;
    ac->ev.delRead = hook_del_read;
    ac->ev.addWrite = hook_add_write;
    ac->ev.delWrite = hook_del_write;
    ac->ev.cleanup = hook_cleanup;
    ac->data = r;
    r->ac = ac;
    r->phase = CONNECTING;
    redisAsyncSetConnectCallback(ac, on_connect);
    redisAsyncSetDisconnectCallback(ac, on_disconnect);
    timer_start(&r->timer, r->command_timeout_us);
}

/* ---- names, looked up on a worker thread ---- */

struct resolve {
    struct redis *r; /* NULL when it was freed meanwhile */
    char *host;
    unsigned attempt;
    int gai; /* outcome of getaddrinfo() */
    char number[INET6_ADDRSTRLEN];
};

static void resolve_work(void *arg)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL, *at;
    struct resolve *res = arg;
    unsigned count = 0, pick;

    res->gai = getaddrinfo(res->host, NULL, &hints, &list);
    if (res->gai != 0)
        return;
    for (at = list; at; at = at->ai_next)
        count++;
    pick = res->attempt % count;
    for (at = list; pick > 0; at = at->ai_next)
        pick--;
    res->gai = getnameinfo(at->ai_addr, at->ai_addrlen, res->number, sizeof(res->number), NULL, 0,
                           NI_NUMERICHOST);
    freeaddrinfo(list);
}

static void on_resolved(void *arg)
{
    struct resolve *res = arg;
    struct redis *r = res->r;
    struct error err;

    if (r) {
        r->resolve = NULL;
        if (res->gai == 0) {
            use_context(r, redisAsyncConnect(res->number, r->address.port));
        } else {
            error_set(&err, ERR_UNAVAILABLE, "Redis at %s: %s", r->text, gai_strerror(res->gai));
            go_down(r, &err);
        }
    }
    free(res->host);
    free(res);
}

static bool is_number(const char *host)
{
    unsigned char bytes[16];

    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

static void connect_begin(struct redis *r)
{
    struct resolve *res;

    if (r->address.unix_path) {
        use_context(r, redisAsyncConnectUnix(r->address.unix_path));
        return;
    }
    if (is_number(r->address.host)) {
        use_context(r, redisAsyncConnect(r->address.host, r->address.port));
        return;
    }
    res = calloc(1, sizeof(*res));
    if (!res)
        abort();
    res->r = r;
    res->host = str_dup(str_of(r->address.host));
    res->attempt = r->attempt++;
    r->resolve = res;
    r->phase = RESOLVING;
    loop_work(r->loop, resolve_work, on_resolved, res);
}

/* The timer: the back-off is over, or connecting took too long. */
static void connect_now(void *arg)
{
    struct redis *r = arg;
    struct error err;

    if (r->phase == CONNECTING) {
        error_set(&err, ERR_UNAVAILABLE, "Redis at %s: no answer to the log-in within %llu ms",
                  r->text, (unsigned long long)(r->command_timeout_us / 1000));
        forget_context(r, true);
        go_down(r, &err);
    } else if (r->phase == WAITING) {
        connect_begin(r);
    }
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
    forget_context(r, true);
    list_init(&late);
    while (call && call->due_us <= now) {
        list_remove(&call->node);
        list_append(&late, &call->node);
        call = LIST_FIRST(&r->calls, struct redis_call, node);
    }
    go_down(r, &why);
    fail_list(&late, &err);
}

static void on_reply(redisAsyncContext *ac, void *reply, void *privdata);

static void call_send(struct redis *r, struct redis_call *call, const struct str *argv, size_t argc)
{
    const char *ptrs[ARGS_MAX];
    size_t lens[ARGS_MAX], i;

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
    struct redis_value value;
    struct error err;

    if (!r)
        return; /* the call has ended with the connection */
    if (!answer) {
        on_lost(r);
        return;
    }
    if (answer->type != REDIS_REPLY_ERROR) {
        redis_value_from(answer, &value);
        call_finish(call, &value, NULL);
        redis_value_done(&value);
        return;
    }
    if (call->script && redis_reply_is_noscript(answer)) {
        call->argv[0] = STR("EVAL");
        call->argv[1] = str_of(call->script->source);
        call->script = NULL;
        list_remove(&call->node);
        call_send(r, call, call->argv, call->argc);
        return;
    }
    redis_reply_error(answer, &err);
    call_finish(call, NULL, &err);
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
    if (argc == 0 || argc > ARGS_MAX) {
        call_refuse(r, call, ERR_INTERNAL, "a Redis command has 1 to 256 words");
    } else if (r->phase == UP) {
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

static void send_waiting(struct redis *r)
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

static void script_hash(struct redis_script *script)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    if (script->sha1[0])
        return;
    if (EVP_Digest(script->source, strlen(script->source), digest, &len, EVP_sha1(), NULL) != 1 ||
        len != 20)
        abort();
    hex_encode(digest, len, script->sha1);
}

void redis_eval(struct redis *r, struct redis_script *script, const struct str *keys,
                size_t key_count, const struct str *args, size_t arg_count, redis_done_fn *done,
                void *arg)
{
    size_t argc = 3 + key_count + arg_count;
    struct redis_call *call = call_new(done, arg);
    struct str words[ARGS_MAX];
    char count[24];

    if (argc > ARGS_MAX) {
        call_submit(r, call, NULL, argc); /* refused by its number of words */
        return;
    }
    script_hash(script);
    snprintf(count, sizeof(count), "%zu", key_count);
    words[0] = STR("EVALSHA");
    words[1] = str_of(script->sha1);
    words[2] = str_of(count);
    if (key_count)
        memcpy(&words[3], keys, key_count * sizeof(*keys));
    if (arg_count)
        memcpy(&words[3 + key_count], args, arg_count * sizeof(*args));
    call->script = script;
    call->argv = copy_words(words, argc);
    call->argc = argc;
    call_submit(r, call, call->argv, argc);
}

bool redis_is_up(const struct redis *r)
{
    return r->phase == UP;
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
    r->on_state = options->on_state;
    r->arg = options->arg;
    r->phase = WAITING;
    r->backoff_us = BACKOFF_LEAST_US;
    error_set(&r->why, ERR_UNAVAILABLE, "Redis at %s: not connected yet", r->text);
    list_init(&r->calls);
    list_init(&r->waiting);
    timer_init(&r->timer, loop, connect_now, r);
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

    if (!r || r->phase == FREED)
        return;
    r->phase = FREED;
    error_set(&r->why, ERR_UNAVAILABLE, "Redis at %s: the connection was given up", r->text);
    error_set(&err, ERR_CLOSED, "%s", r->why.msg);
    timer_stop(&r->timer);
    timer_stop(&r->patience);
    if (r->resolve)
        r->resolve->r = NULL;
    forget_context(r, true);
    fail_calls(r, &err);
    fail_list(&r->waiting, &err);
    free(r->text);
    r->text = NULL;
    redis_address_done(&r->address);
    loop_defer(r->loop, free, r); /* one of our callbacks may be the caller */
}
