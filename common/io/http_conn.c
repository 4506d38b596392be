/* SPDX-License-Identifier: Apache-2.0 */
#include "common/io/http_conn.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"

#define IN_FIRST 4096u /* holds the head and small body of nearly every request */
#define IN_CHUNKED 16384u /* room to read raw chunks into */
#define IN_MAX (256u * 1024u)
#define KEEP_MAX (64u * 1024u) /* larger buffers are given back after the request */
#define BODY_DEFAULT_MAX (6u * 1024u * 1024u)
#define BODY_PACE 4096u /* bytes that a body must grow by within its time limit */
#define SWEEP_US SECONDS(1)
#define UNREAD_MAX (16u * 1024u * 1024u) /* of answers that a client has not read: then it is asked nothing more */
#define TAKE_FREE 16384u /* bytes that a connection may always have more */

static void run(struct http_conn *c);

static void begin_head(struct http_conn *c)
{
    http1_head_init(&c->head);
    if (c->server->head_max)
        c->head.max = c->server->head_max;
}

/* ---- waiting ---- */

static void arm_sweep(struct http_server *server)
{
    if (!timer_is_armed(&server->sweep) && !server->gone && !server->paused_us)
        timer_start(&server->sweep, SWEEP_US);
}

static void set_wait(struct http_conn *c, enum http_wait wait, size_t progress)
{
    struct http_server *server = c->server;

    list_remove(&c->wait_node);
    c->wait = wait;
    if (wait == HTTP_WAIT_NONE || server->limits_us[wait] == 0)
        return;
    c->since_us = loop_now_us(server->loop);
    c->progress = progress;
    list_append(&server->waiting[wait], &c->wait_node);
    arm_sweep(server);
}

/* ---- the end of a request ---- */

static void give_back(struct buf *b)
{
    if (b->cap > KEEP_MAX)
        buf_done(b);
    else
        buf_clear(b);
}

void http_conn_finish(struct http_conn *c)
{
    c->last = true;
    c->state = HTTP_FINISHING;
    buf_clear(&c->in);
    set_wait(c, HTTP_WAIT_FINISH, SIZE_MAX);
    c->server->transport->finish(c);
}

void http_conn_end_request(struct http_conn *c)
{
    size_t used = c->head_len;
    struct buf rest;

    if (c->in_place)
        used += (size_t)c->head.content_length;
    buf_consume(&c->in, used);
    if (c->in.cap > KEEP_MAX && c->in.len <= KEEP_MAX / 2) {
        rest = BUF_INIT(c->in.max);
        buf_append(&rest, c->in.ptr, c->in.len);
        buf_done(&c->in);
        c->in = rest;
    }
    give_back(&c->body);
    begin_head(c);
    c->head_len = 0;
    c->in_place = c->too_large = c->streamed = c->held = false;
    buf_done(&c->trailers);
    c->body_seen = 0;
    c->req = (struct http_req){0};
    c->state = HTTP_HEAD;
    if (c->last)
        http_conn_finish(c);
}

void http_conn_refuse(struct http_conn *c, int status, const char *why)
{
    struct http_header headers[2] = {{STR("Content-Type"), STR("text/plain")}};
    const struct http_handler *handler = &c->server->handler;
    struct buf text = BUF_INIT(256);
    size_t count = 1;

    log_debug("http", "request refused", KV_U64("status", status), KV_STR("why", why));
    c->last = true;
    if (handler->on_refusal)
        headers[count++] = handler->on_refusal(c->server->arg);
    buf_printf(&text, "%s\n", why);
    http_conn_answer(c, status, headers, count, buf_str(&text));
    buf_done(&text);
    if (c->state != HTTP_CLOSED)
        http_conn_end_request(c);
}

static void on_ready(void *arg)
{
    struct http_server *server = arg;
    struct list_node now;
    struct http_conn *c;

    server->ready_deferred = false;
    list_init(&now);
    while ((c = LIST_FIRST(&server->ready, struct http_conn, ready_node))) {
        list_remove(&c->ready_node);
        list_append(&now, &c->ready_node);
    }
    while ((c = LIST_FIRST(&now, struct http_conn, ready_node))) {
        list_remove(&c->ready_node);
        if (c->state != HTTP_CLOSED)
            run(c); /* which may have to wait for the next turn */
    }
    http_server_unref(server);
}

/* It goes on when all others of this turn have had theirs. */
static void go_on_later(struct http_conn *c)
{
    struct http_server *server = c->server;

    list_append(&server->ready, &c->ready_node);
    if (server->ready_deferred)
        return;
    server->ready_deferred = true;
    http_server_ref(server);
    loop_defer(server->loop, on_ready, server);
}

bool http_server_has_turn(struct http_server *server)
{
    uint64_t now;

    if (server->turn_max == 0)
        return true;
    now = loop_now_us(server->loop); /* the same through all of a turn */
    if (server->turn_us != now)
        server->turn_done = 0;
    server->turn_us = now;
    return server->turn_done < server->turn_max;
}

/* Whether there is a next request that waits for the client to read the answers before it. */
static bool is_unread(const struct http_conn *c)
{
    return c->state == HTTP_HEAD && c->in.len > 0 && c->server->transport->queued(c) > UNREAD_MAX;
}

/* What to wait for now, and whether there is room to read. */
static void settle(struct http_conn *c)
{
    char *at;
    bool full;

    switch (c->state) {
    case HTTP_HEAD:
        if (is_unread(c)) {
            if (c->wait != HTTP_WAIT_READER)
                set_wait(c, HTTP_WAIT_READER, SIZE_MAX);
        } else if (c->in.len == 0)
            set_wait(c, HTTP_WAIT_IDLE, SIZE_MAX);
        else if (c->wait != HTTP_WAIT_HEAD) /* the limit is for the whole head */
            set_wait(c, HTTP_WAIT_HEAD, 0);
        break;
    case HTTP_BODY:
        if (c->held)
            set_wait(c, HTTP_WAIT_NONE, 0);
        else if (c->wait != HTTP_WAIT_BODY || c->body_seen >= c->progress + BODY_PACE)
            set_wait(c, HTTP_WAIT_BODY, (size_t)c->body_seen);
        break;
    case HTTP_PARKED:
        if (c->wait != HTTP_WAIT_NONE)
            set_wait(c, HTTP_WAIT_NONE, 0);
        break;
    case HTTP_REPLYING: /* the time begins anew whenever all has been taken: http_conn_drained() */
        if (c->server->transport->queued(c) == 0)
            set_wait(c, HTTP_WAIT_NONE, 0);
        else if (c->wait != HTTP_WAIT_READER)
            set_wait(c, HTTP_WAIT_READER, SIZE_MAX);
        break;
    case HTTP_FINISHING:
        break;
    case HTTP_CLOSED:
        return;
    }
    full = http_conn_space(c, &at) == 0;
    if (full != c->paused) {
        c->paused = full;
        c->server->transport->pause(c, full);
    }
}

void http_conn_go_on(struct http_conn *c)
{
    if (c->state == HTTP_CLOSED || c->running)
        return;
    if (c->state == HTTP_HEAD && c->in.len > 0)
        go_on_later(c);
    else
        settle(c);
}

/* Counted anew each time: only what is large asks, and connections are few where there is a limit. */
bool http_conn_may_take(const struct http_conn *c, size_t more)
{
    const struct http_server *server = c->server;
    const struct http_conn *other;
    struct list_node *node;
    size_t sum = more;

    if (server->bytes_max == 0 || more <= TAKE_FREE)
        return true;
    LIST_FOREACH(&server->conns, node)
    {
        other = CONTAINER_OF(node, struct http_conn, node);
        sum += other->in.cap + other->body.cap + server->transport->queued(other);
    }
    return sum <= server->bytes_max;
}

/* ---- reading ---- */

void http_conn_point_at_head(struct http_conn *c)
{
    c->req.method = http1_str(c->in.ptr, c->head.method);
    c->req.path = http1_str(c->in.ptr, c->head.path);
    c->req.query = http1_str(c->in.ptr, c->head.query);
}

/* The head is there: @len bytes. */
static void begin_request(struct http_conn *c, size_t len)
{
    struct http_server *server = c->server;

    c->head_len = len;
    /* the last moment to move the buffer: from on_head on, others hold pointers into it */
    if (c->head.chunked || c->head.content_length > c->in.cap - len)
        buf_reserve(&c->in, c->head.chunked ? IN_CHUNKED : IN_FIRST / 4);
    http_conn_point_at_head(c);
    c->state = HTTP_BODY;
    c->limit =
        server->handler.on_head ? server->handler.on_head(&c->req, server->arg) : BODY_DEFAULT_MAX;
    if (c->state == HTTP_BODY)
        http_body_begin(c);
}

/* Whether http_conn_space() is about to make more room for the head: not while it is not looked at. */
static bool grows_head(const struct http_conn *c)
{
    return !list_is_linked(&c->ready_node) && c->in.cap - c->in.len < IN_FIRST / 4 && c->in.len < c->head.max;
}

/* One step of the machine; false when it waits for bytes or for the answer. */
static bool step(struct http_conn *c)
{
    int r;

    switch (c->state) {
    case HTTP_HEAD:
        if (c->in.len == 0 || is_unread(c))
            return false;
        r = http1_head_read(&c->head, c->in.ptr, c->in.len);
        c->server->turn_done += r != 0;
        if (r < 0)
            http_conn_refuse(c, c->head.status, c->head.why);
        else if (r > 0)
            begin_request(c, (size_t)r);
        else if (grows_head(c) && !http_conn_may_take(c, c->in.cap))
            http_conn_refuse(c, 503, HTTP_NO_ROOM);
        return r != 0;
    case HTTP_BODY:
        return http_body_step(c);
    case HTTP_PARKED:
    case HTTP_REPLYING:
    case HTTP_FINISHING:
    case HTTP_CLOSED:
        break;
    }
    return false;
}

/* Whether the next request may have come, for which another turn has to be waited for. */
static bool must_wait(const struct http_conn *c)
{
    return c->state == HTTP_HEAD && c->in.len > 0 && !http_server_has_turn(c->server);
}

static void run(struct http_conn *c)
{
    c->running = true;
    while (!must_wait(c) && step(c))
        ;
    c->running = false;
    if (must_wait(c))
        go_on_later(c);
    settle(c);
}

size_t http_conn_space(struct http_conn *c, char **ret)
{
    struct buf *b = &c->in;

    switch (c->state) {
    case HTTP_HEAD:
        if (grows_head(c))
            buf_reserve(b, b->cap ? b->cap : IN_FIRST - 1);
        break;
    case HTTP_BODY:
        if (c->held)
            return 0;
        if (http_body_fills(c)) {
            *ret = c->body.ptr + c->body.len;
            return (size_t)c->head.content_length - c->body.len;
        }
        if (c->streamed) {
            *ret = b->ptr + b->len;
            return b->cap - b->len < HTTP_STREAMED_MAX ? b->cap - b->len : HTTP_STREAMED_MAX;
        }
        break;
    case HTTP_PARKED:
    case HTTP_REPLYING:
        break; /* the next request may come already; it waits here, as far as there is room */
    case HTTP_FINISHING: /* what still comes is dropped */
        b->len = 0;
        if (!b->cap)
            buf_reserve(b, IN_FIRST - 1);
        break;
    case HTTP_CLOSED:
        return 0;
    }
    *ret = b->ptr + b->len;
    return b->cap - b->len;
}

void http_conn_received(struct http_conn *c, size_t n)
{
    switch (c->state) {
    case HTTP_BODY:
        if (http_body_fills(c)) {
            c->body.len += n;
            c->body_seen += n;
            break;
        }
        c->in.len += n;
        break;
    case HTTP_HEAD:
    case HTTP_PARKED:
    case HTTP_REPLYING:
        c->in.len += n;
        break;
    case HTTP_FINISHING:
    case HTTP_CLOSED:
        return;
    }
    if (list_is_linked(&c->ready_node))
        settle(c); /* goes on at the end of the turn; until then it may fill up */
    else if (!c->running)
        run(c);
}

/* ---- begin and end ---- */

static void tell_abort(struct http_conn *c)
{
    if (c->server->handler.on_abort)
        c->server->handler.on_abort(&c->req, c->server->arg);
}

/* Leaves for @state; the handler hears of it when it has a request of this connection. */
static void leave_for(struct http_conn *c, enum http_conn_state state)
{
    enum http_conn_state before = c->state;

    c->state = state; /* first: the handler may call us */
    if (before == HTTP_BODY)
        http_body_truncated(c);
    else if (before == HTTP_PARKED || before == HTTP_REPLYING)
        tell_abort(c);
}

void http_conn_lost(struct http_conn *c)
{
    if (c->state == HTTP_CLOSED)
        return;
    leave_for(c, HTTP_CLOSED);
    c->server->transport->close(c);
}

void http_conn_ended(struct http_conn *c)
{
    if (c->server->transport->queued(c) == 0) {
        http_conn_lost(c);
        return;
    }
    if (c->state == HTTP_FINISHING || c->state == HTTP_CLOSED)
        return;
    leave_for(c, HTTP_FINISHING);
    if (c->state == HTTP_FINISHING) /* else the handler has freed the server */
        http_conn_finish(c);
}

void http_conn_drained(struct http_conn *c)
{
    if (c->state == HTTP_HEAD)
        http_conn_go_on(c); /* with what may have waited for that: is_unread() */
    if (c->state != HTTP_REPLYING)
        return;
    set_wait(c, HTTP_WAIT_NONE, 0);
    if (c->server->handler.on_writable)
        c->server->handler.on_writable(&c->req, c->server->arg);
}

void http_conn_failed(struct http_conn *c)
{
    c->owes_abort = c->state == HTTP_REPLYING;
    c->state = HTTP_CLOSED;
    c->server->transport->close(c);
}

void http_conn_init(struct http_conn *c, struct http_server *server)
{
    c->server = server;
    begin_head(c);
    buf_init(&c->in, IN_MAX + 2 * (size_t)c->head.max); /* it doubles until a head fits */
    buf_init(&c->body, 0);
    buf_init(&c->trailers, HTTP1_TRAILERS_MAX);
    list_init(&c->wait_node);
    list_init(&c->ready_node);
    list_append(&server->conns, &c->node);
    http_server_ref(server);
    settle(c);
}

void http_conn_done(struct http_conn *c)
{
    c->state = HTTP_CLOSED;
    if (c->owes_abort && !c->server->gone)
        tell_abort(c);
    list_remove(&c->node);
    list_remove(&c->wait_node);
    list_remove(&c->ready_node);
    buf_done(&c->in);
    buf_done(&c->body);
    buf_done(&c->trailers);
    http_server_conn_gone(c->server);
    http_server_unref(c->server);
}

/* A time limit has passed. */
static void expire(struct http_conn *c)
{
    const struct http_transport *transport = c->server->transport;
    size_t queued = transport->queued(c);

    /* slow readers are no dead ones: as long as bytes leave, the time begins anew; the system may
     * have taken megabytes that the peer still reads, and asks for no more meanwhile */
    if (queued > 0)
        queued += transport->unacknowledged(c);
    if (queued > 0 && queued < c->progress) {
        set_wait(c, c->wait, queued);
        return;
    }
    if (c->wait == HTTP_WAIT_HEAD || c->wait == HTTP_WAIT_BODY) {
        if (c->state == HTTP_BODY)
            http_body_refuse(c, 408, "the request did not come in time");
        else
            http_conn_refuse(c, 408, "the request did not come in time");
        settle(c);
        return;
    }
    leave_for(c, HTTP_CLOSED);
    c->server->transport->close(c);
}

static void on_sweep(void *arg)
{
    struct http_server *server = arg;
    uint64_t now = loop_now_us(server->loop);
    struct http_conn *c;
    bool any = false;
    int i;

    for (i = 0; i < HTTP_WAIT_MAX; i++) {
        while ((c = LIST_FIRST(&server->waiting[i], struct http_conn, wait_node)) &&
               c->since_us + server->limits_us[i] <= now) {
            list_remove(&c->wait_node);
            expire(c);
        }
        any = any || c;
    }
    if (any)
        arm_sweep(server);
}

void http_server_pause(struct http_server *server, bool on)
{
    uint64_t now = loop_now_us(server->loop);
    struct list_node *node;
    struct http_conn *c;
    bool any = false;
    int i;

    if (on == (server->paused_us != 0))
        return;
    timer_stop(&server->sweep);
    for (i = 0; !on && i < HTTP_WAIT_MAX; i++) {
        LIST_FOREACH(&server->waiting[i], node)
        {
            c = CONTAINER_OF(node, struct http_conn, wait_node);
            c->since_us += now - (c->since_us > server->paused_us ? c->since_us : server->paused_us);
            any = true;
        }
    }
    server->paused_us = on ? now : 0;
    if (any)
        arm_sweep(server);
}

void http_server_init(struct http_server *server, struct loop *loop,
                      const struct http_handler *handler, void *arg,
                      const struct http_transport *transport)
{
    int i;

    server->loop = loop;
    server->handler = *handler;
    server->arg = arg;
    server->transport = transport;
    for (i = 0; i < HTTP_WAIT_MAX; i++)
        list_init(&server->waiting[i]);
    list_init(&server->conns);
    list_init(&server->ready);
    timer_init(&server->sweep, loop, on_sweep, server);
    buf_init(&server->head, 1u << 20);
    server->users = 1;
    server->date_s = -1;
}
