/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/log.h"
#include "common/io/redis_internal.h"
#include "common/io/redis_reply.h"

#define SENTINEL_LIMIT_US SECONDS(1) /* for a sentinel to be there and answer; the next one may know */

/* hiredis' view of the loop; freed by its clean-up hook. */
struct conn {
    redisAsyncContext *ac;
    struct watch *watch;
    int events;
    bool busy, gone;
};

/* ---- state ---- */

static void tell(struct redis *r, bool up, const struct error *why)
{
    enum redis_told now = up ? REDIS_TOLD_UP : REDIS_TOLD_DOWN;

    if (r->told == now && (up || r->told_code == why->code))
        return;
    r->told = now;
    r->told_code = up ? ERR_OK : why->code;
    if (r->on_state)
        r->on_state(up, up ? NULL : why, r->arg);
}

/* The socket is gone or must go. hiredis' callbacks find no data in the context from now on. */
void redis_conn_forget(struct redis *r, bool free_it)
{
    redisAsyncContext *ac = r->ac;

    r->ac = NULL;
    if (!ac)
        return;
    ac->data = NULL;
    if (free_it)
        redisAsyncFree(ac);
}

void redis_conn_down(struct redis *r, const struct error *why)
{
    uint64_t most_us = r->address.master ? REDIS_BACKOFF_SENTINEL_US : REDIS_BACKOFF_MOST_US;
    struct error lost;

    if (r->phase == REDIS_FREED)
        return;
    if (r->asks_sentinel) {
        redis_sentinel_failed(r, why);
        return;
    }
    if (r->phase == REDIS_UP && r->patience_us)
        timer_start(&r->patience, r->patience_us);
    log_debug("redis", "connection lost", KV_STR("address", r->text), KV_ERR(why));
    r->phase = REDIS_WAITING;
    r->why = *why;
    timer_start(&r->timer, r->backoff_us);
    r->backoff_us = r->backoff_us * 2 > most_us ? most_us : r->backoff_us * 2;
    error_set(&lost, ERR_UNAVAILABLE, "%s", why->msg);
    tell(r, false, why);
    redis_calls_fail(r, &lost);
}

void redis_conn_lost(struct redis *r)
{
    struct error err;

    error_set(&err, ERR_UNAVAILABLE, "Redis at %s: %s", r->text,
              r->ac->errstr && r->ac->errstr[0] ? r->ac->errstr : "the connection was closed");
    redis_conn_forget(r, false);
    redis_conn_down(r, &err);
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

static bool is_master(const redisReply *answer)
{
    return answer->type == REDIS_REPLY_ARRAY && answer->elements > 0 &&
           answer->element[0]->type == REDIS_REPLY_STRING &&
           str_is(str_from(answer->element[0]->str, (size_t)answer->element[0]->len), "master");
}

static void on_hello(redisAsyncContext *ac, void *reply, void *step)
{
    struct redis *r = ac->data;
    const redisReply *answer = reply;
    struct error err;

    if (!r)
        return;
    if (!answer) {
        redis_conn_lost(r);
        return;
    }
    if (strcmp(step, "ROLE") == 0 && answer->type == REDIS_REPLY_ERROR && !r->address.master)
        return; /* something between us and Redis, or the rights, do not know it */
    if (strcmp(step, "ROLE") == 0 && answer->type != REDIS_REPLY_ERROR && !is_master(answer)) {
        error_set(&err, ERR_UNAVAILABLE, "Redis at %s: is a replica", r->text);
        redis_conn_forget(r, true);
        redis_conn_down(r, &err);
        return;
    }
    if (answer->type == REDIS_REPLY_ERROR) {
        redis_reply_error(answer, &err);
        error_wrap(&err, 0, "Redis at %s: %s", r->text, (const char *)step);
        redis_conn_forget(r, true);
        redis_conn_down(r, &err);
        return;
    }
    if (strcmp(step, "PING") != 0)
        return;
    timer_stop(&r->timer);
    r->phase = REDIS_UP;
    r->backoff_us = REDIS_BACKOFF_LEAST_US;
    redis_calls_send_waiting(r);
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
    if (!r->is_sentinel)
        redisAsyncCommand(r->ac, on_hello, "ROLE", "ROLE");
    redisAsyncCommand(r->ac, on_hello, "PING", "PING");
}

static void on_connect(const redisAsyncContext *ac, int status)
{
    struct redis *r = ac->data;

    if (!r)
        return;
    if (status == REDIS_OK && r->asks_sentinel)
        redis_sentinel_ask(r);
    else if (status == REDIS_OK)
        say_hello(r);
    else
        redis_conn_lost(r); /* hiredis frees the context when we return */
}

static void on_disconnect(const redisAsyncContext *ac, int status)
{
    (void)status;
    if (ac->data)
        redis_conn_lost(ac->data);
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
        redis_conn_down(r, &err);
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
    r->phase = REDIS_CONNECTING;
    redisAsyncSetConnectCallback(ac, on_connect);
    redisAsyncSetDisconnectCallback(ac, on_disconnect);
    timer_start(&r->timer, r->asks_sentinel && r->command_timeout_us > SENTINEL_LIMIT_US
                               ? SENTINEL_LIMIT_US
                               : r->command_timeout_us);
}

/* ---- names, looked up on a worker thread ---- */

struct redis_resolve {
    struct redis *r; /* NULL when it was freed meanwhile */
    char *host;
    unsigned attempt;
    int gai; /* outcome of getaddrinfo() */
    char number[INET6_ADDRSTRLEN];
};

static void resolve_work(void *arg)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL, *at;
    struct redis_resolve *res = arg;
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
    struct redis_resolve *res = arg;
    struct redis *r = res->r;
    struct error err;

    if (r) {
        r->resolve = NULL;
        if (res->gai == 0) {
            use_context(r, redisAsyncConnect(res->number, r->port));
        } else {
            error_set(&err, ERR_UNAVAILABLE, "Redis at %s: %s", r->text, gai_strerror(res->gai));
            redis_conn_down(r, &err);
        }
    }
    free(res->host);
    free(res);
}

void redis_resolve_abandon(struct redis_resolve *res)
{
    res->r = NULL;
}

static bool is_number(const char *host)
{
    unsigned char bytes[16];

    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

void redis_conn_to(struct redis *r, const char *host, uint16_t port)
{
    char *text = redis_host_text(host, port), *copy = str_dup(str_of(host));
    struct redis_resolve *res;

    free(r->text);
    free(r->host);
    r->text = text;
    r->host = copy;
    r->port = port;
    if (is_number(r->host)) {
        use_context(r, redisAsyncConnect(r->host, r->port));
        return;
    }
    res = calloc(1, sizeof(*res));
    if (!res)
        abort();
    res->r = r;
    res->host = str_dup(str_of(r->host));
    res->attempt = r->attempt++;
    r->resolve = res;
    r->phase = REDIS_RESOLVING;
    loop_work(r->loop, resolve_work, on_resolved, res);
}

static void connect_begin(struct redis *r)
{
    if (r->address.unix_path)
        use_context(r, redisAsyncConnectUnix(r->address.unix_path));
    else if (r->address.master)
        redis_sentinel_begin(r);
    else
        redis_conn_to(r, r->address.host, r->address.port);
}

/* The timer: the back-off is over, or connecting took too long. */
void redis_conn_timer(void *arg)
{
    struct redis *r = arg;
    struct error err;

    if (r->phase == REDIS_CONNECTING) {
        error_set(&err, ERR_UNAVAILABLE, "Redis at %s: no answer to the log-in in time", r->text);
        redis_conn_forget(r, true);
        redis_conn_down(r, &err);
    } else if (r->phase == REDIS_WAITING) {
        connect_begin(r);
    }
}
