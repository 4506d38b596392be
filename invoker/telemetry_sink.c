/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/telemetry_sink.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "invoker/telemetry_event.h"

#define RETRY_MIN_US MSEC(50)
#define RETRY_MAX_US SECONDS(2)
#define ANSWER_LIMIT_US SECONDS(10) /* for one attempt; a frozen sandbox is not in a hurry */
#define HEAD_MAX 1024u
#define IN_MAX 4096u

enum delivery {
    IDLE, /* nothing under way */
    ASKED, /* for a connection */
    SENDING,
    ANSWERING, /* HTTP: the subscriber's answer is awaited */
    PAUSING, /* the attempt went wrong */
};

struct telemetry_sink {
    struct loop *loop;
    struct telemetry_subscription sub;
    const struct telemetry_sink_ops *ops;
    void *arg;
    struct buf items; /* gathered: JSON, joined by ',' or ended by '\n' each */
    size_t count;
    struct timer gather; /* since the first of them */
    uint64_t dropped_records, dropped_bytes;
    enum delivery state;
    bool held;
    struct buf out; /* the batch under way, whole */
    size_t sent;
    uint64_t pause_us;
    struct timer limit; /* of the attempt, or the pause */
    int fd;
    struct watch *watch;
    char in[IN_MAX]; /* of the answer */
    size_t in_len;
};

static void deliver(struct telemetry_sink *sink);
static void on_limit(void *arg);

static void on_gathered(void *arg)
{
    telemetry_sink_flush(arg);
}

struct telemetry_sink *telemetry_sink_new(struct loop *loop,
                                          const struct telemetry_subscription *sub,
                                          const struct telemetry_sink_ops *ops, void *arg)
{
    struct telemetry_sink *sink = calloc(1, sizeof(*sink));

    if (!sink)
        abort();
    sink->loop = loop;
    sink->sub = *sub;
    sink->ops = ops;
    sink->arg = arg;
    sink->fd = -1;
    sink->pause_us = RETRY_MIN_US;
    buf_init(&sink->items, 2 * (size_t)sub->max_bytes);
    buf_init(&sink->out, 2 * (size_t)sub->max_bytes + HEAD_MAX);
    timer_init(&sink->gather, loop, on_gathered, sink);
    timer_init(&sink->limit, loop, on_limit, sink);
    return sink;
}

static void hang_up(struct telemetry_sink *sink)
{
    watch_free(TAKE(sink->watch));
    closep(&sink->fd);
    sink->in_len = 0;
}

void telemetry_sink_free(struct telemetry_sink *sink)
{
    if (!sink)
        return;
    hang_up(sink);
    timer_stop(&sink->gather);
    timer_stop(&sink->limit);
    buf_done(&sink->items);
    buf_done(&sink->out);
    free(sink);
}

const struct telemetry_subscription *telemetry_sink_subscription(const struct telemetry_sink *sink)
{
    return &sink->sub;
}

bool telemetry_sink_is_empty(const struct telemetry_sink *sink)
{
    return sink->count == 0 && sink->state == IDLE;
}

/* ---- gathering */

static bool is_full(const struct telemetry_sink *sink)
{
    return sink->count >= sink->sub.max_items || sink->items.len >= sink->sub.max_bytes;
}

static int append(struct telemetry_sink *sink, struct str json)
{
    size_t before = sink->items.len;
    int r = 0;

    if (!sink->sub.is_tcp && sink->count)
        r = buf_append_char(&sink->items, ',');
    if (r == 0)
        r = buf_append_str(&sink->items, json);
    if (r == 0 && sink->sub.is_tcp)
        r = buf_append_char(&sink->items, '\n');
    if (r < 0) {
        sink->items.len = before;
        return r;
    }
    if (sink->count++ == 0)
        timer_start(&sink->gather, MSEC(sink->sub.timeout_ms));
    return 0;
}

/* There is room again: first the news of what is missing. */
static void tell_dropped(struct telemetry_sink *sink)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(1024);

    if (!sink->dropped_records)
        return;
    if (telemetry_event_dropped(&b, wall_ms(), sink->dropped_records, sink->dropped_bytes) < 0 ||
        append(sink, buf_str(&b)) < 0)
        return;
    sink->dropped_records = sink->dropped_bytes = 0;
}

void telemetry_sink_add(struct telemetry_sink *sink, struct str json)
{
    if (is_full(sink)) /* and the batch before is still under way */
        goto drop;
    tell_dropped(sink);
    if (append(sink, json) < 0)
        goto drop;
    if (is_full(sink))
        deliver(sink);
    return;
drop:
    sink->dropped_records++;
    sink->dropped_bytes += json.len;
}

void telemetry_sink_flush(struct telemetry_sink *sink)
{
    timer_stop(&sink->gather);
    deliver(sink);
}

/* ---- delivering */

static void ask(struct telemetry_sink *sink)
{
    sink->state = ASKED;
    sink->sent = 0;
    timer_start(&sink->limit, ANSWER_LIMIT_US);
    sink->ops->connect(sink->sub.port, sink->arg);
}

static int make_batch(struct telemetry_sink *sink)
{
    if (sink->sub.is_tcp)
        return buf_append_str(&sink->out, buf_str(&sink->items));
    if (buf_printf(&sink->out,
                   "%s %s HTTP/1.1\r\nHost: sandbox.localdomain:%u\r\n"
                   "Content-Type: application/json\r\nContent-Length: %zu\r\n"
                   "Connection: close\r\n\r\n[",
                   sink->sub.is_put ? "PUT" : "POST", sink->sub.path, sink->sub.port,
                   sink->items.len + 2) < 0 ||
        buf_append_str(&sink->out, buf_str(&sink->items)) < 0)
        return -1;
    return buf_append_char(&sink->out, ']');
}

/* Makes a batch of what is gathered, unless one is under way. */
static void deliver(struct telemetry_sink *sink)
{
    if (sink->held || sink->state != IDLE || sink->count == 0)
        return;
    buf_clear(&sink->out);
    if (make_batch(sink) < 0)
        abort(); /* the ceilings are made for it */
    timer_stop(&sink->gather);
    buf_clear(&sink->items);
    sink->count = 0;
    tell_dropped(sink);
    if (sink->fd < 0) {
        ask(sink);
        return;
    }
    sink->state = SENDING; /* TCP: the connection of the batch before */
    sink->sent = 0;
    timer_start(&sink->limit, ANSWER_LIMIT_US);
    watch_set(sink->watch, WATCH_READ | WATCH_WRITE);
}

static void deliver_what_is_due(struct telemetry_sink *sink)
{
    if (is_full(sink) || (sink->count && !timer_is_armed(&sink->gather)))
        deliver(sink);
}

static void delivered(struct telemetry_sink *sink)
{
    if (!sink->sub.is_tcp)
        hang_up(sink);
    timer_stop(&sink->limit);
    sink->state = IDLE;
    sink->pause_us = RETRY_MIN_US;
    buf_done(&sink->out);
    deliver_what_is_due(sink);
    sink->ops->settled(sink->arg);
}

static void failed(struct telemetry_sink *sink)
{
    hang_up(sink);
    sink->state = PAUSING;
    timer_start(&sink->limit, sink->pause_us);
    sink->pause_us = sink->pause_us * 2 < RETRY_MAX_US ? sink->pause_us * 2 : RETRY_MAX_US;
    sink->ops->settled(sink->arg);
}

bool telemetry_sink_is_delivering(const struct telemetry_sink *sink)
{
    return sink->state != IDLE && sink->state != PAUSING;
}

void telemetry_sink_hold(struct telemetry_sink *sink, bool on)
{
    sink->held = on;
    if (on)
        return;
    if (sink->state == PAUSING && !timer_is_armed(&sink->limit))
        ask(sink);
    else
        deliver_what_is_due(sink);
}

/* ---- the answer */

/* The status, once its line is there; 0 before, -1 when it is none. */
static int status_of(struct str answer)
{
    uint64_t status;

    if (str_find(answer, '\n', 0) == answer.len)
        return 0;
    if (!str_starts(answer, STR("HTTP/1.")) ||
        str_parse_u64(str_sub(answer, 9, 12), &status) < 0)
        return -1;
    return (int)status;
}

/* The answer is whole as far as its head tells; without a length it ends with the connection. */
static bool is_whole(struct str answer)
{
    const struct str name = STR("content-length:");
    struct str rest = answer, line;
    uint64_t length = UINT64_MAX;

    while (str_split(&rest, '\n', &line)) {
        line = str_trim(line);
        if (line.len == 0)
            return rest.ptr && length <= rest.len;
        if (str_eq_nocase(str_sub(line, 0, name.len), name) &&
            str_parse_u64(str_trim(str_sub(line, name.len, line.len)), &length) < 0)
            length = UINT64_MAX;
    }
    return false;
}

static void on_answer(struct telemetry_sink *sink, bool at_end)
{
    struct str answer = str_from(sink->in, sink->in_len);
    int status = status_of(answer);

    if (!at_end && !is_whole(answer) && sink->in_len < sizeof(sink->in) && status >= 0)
        return;
    if (status >= 200 && status < 300)
        delivered(sink);
    else
        failed(sink);
}

/* ---- the socket */

static void on_limit(void *arg)
{
    struct telemetry_sink *sink = arg;

    if (sink->state == PAUSING && sink->held)
        return; /* later */
    if (sink->state == PAUSING)
        ask(sink);
    else if (sink->state == ANSWERING)
        on_answer(sink, true); /* its status counts, if it had come so far */
    else
        failed(sink);
}

static void read_some(struct telemetry_sink *sink)
{
    char rest[IN_MAX];
    bool keeps = sink->state == ANSWERING && sink->in_len < sizeof(sink->in);
    char *to = keeps ? sink->in + sink->in_len : rest;
    ssize_t n = recv(sink->fd, to, keeps ? sizeof(sink->in) - sink->in_len : sizeof(rest),
                     MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0) {
        sink->in_len += keeps ? (size_t)n : 0;
        if (sink->state == ANSWERING)
            on_answer(sink, false);
    } else if (sink->state == ANSWERING) {
        on_answer(sink, true);
    } else if (sink->state == SENDING) {
        failed(sink);
    } else {
        hang_up(sink);
    }
}

static void write_some(struct telemetry_sink *sink)
{
    ssize_t n;

    n = send(sink->fd, sink->out.ptr + sink->sent, sink->out.len - sink->sent,
             MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n < 0) { /* not connected, after all */
        failed(sink);
        return;
    }
    sink->sent += (size_t)n;
    if (sink->sent < sink->out.len)
        return;
    watch_set(sink->watch, WATCH_READ);
    if (sink->sub.is_tcp) /* nobody says whether it was read: sent is delivered */
        delivered(sink);
    else
        sink->state = ANSWERING;
}

static void on_socket(int fd, int events, void *arg)
{
    struct telemetry_sink *sink = arg;

    (void)fd;
    if ((events & WATCH_WRITE) && sink->state == SENDING)
        write_some(sink);
    if ((events & WATCH_READ) && sink->watch)
        read_some(sink);
}

void telemetry_sink_socket(struct telemetry_sink *sink, int fd)
{
    if (sink->state != ASKED) {
        closep(&fd);
        return;
    }
    if (fd < 0) {
        failed(sink);
        return;
    }
    sink->fd = fd;
    sink->state = SENDING;
    sink->watch = watch_new(sink->loop, fd, on_socket, sink);
    watch_set(sink->watch, WATCH_READ | WATCH_WRITE);
}
