/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_source.c - one sandbox's pipes and invocations. See logs.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/base/log.h"
#include "common/proto/log_line_level.h"
#include "invoker/log_core.h"
#include "invoker/log_lines.h"
#include "invoker/log_tail.h"

#define ORIGIN_MAX 8192u
#define PIPE_DEFAULT_BYTES 65536 /* pipe(7) */
#define PIPES 3
#define REST_MIN_US MSEC(5) /* not a timer for every line */

_Static_assert(LOG_TAIL_MAX == LOGS_TAIL_MAX, "one tail");

struct log_pipe {
    struct log_source *src;
    enum log_record_stream stream;
    int fd; /* -1: none, or at its end */
    size_t capacity; /* bytes that can wait in it */
    struct watch *watch;
    struct log_lines lines;
    bool goes_on; /* the last piece is not the end of its line */
    bool left_out; /* which is not logged */
};

struct log_source {
    struct logs *logs;
    struct list_node node;
    struct buf origin; /* what all records share, as JSON */
    uint64_t function_hash, request_hash;
    struct buf request_id;
    struct log_tail *tail; /* NULL: not wanted */
    struct log_tail *init_tail; /* printed before the first invocation; NULL: nothing */
    bool in_init; /* no invocation has begun */
    enum fn_log_level least;
    uint64_t line_ms; /* time of the lines that are framed now */
    int64_t may_read; /* bytes, at the rate of one source; a second's worth at most */
    uint64_t may_read_us; /* when that was so */
    struct timer rest; /* armed: it has read more, and is not read until it may again */
    log_source_line_fn *line_fn; /* NULL: nobody listens */
    void *line_arg;
    struct log_pipe pipes[PIPES]; /* standard output, standard error, extensions */
};

void logs_stream_name(const char *function, const char *version, char ret[LOGS_STREAM_NAME_MAX])
{
    char date[CLOCK_ISO_MAX], token[33];

    clock_format_date(wall_ms(), date);
    token_make(16, token);
    snprintf(ret, LOGS_STREAM_NAME_MAX, "%s/%.64s[%.40s]%s", date, function ? function : "",
             version, token);
}

/* ---- framing ---- */

static void frame(struct log_source *src, enum log_record_stream stream, struct str text,
                  bool continues)
{
    struct log_line line = {
        .time_ms = src->line_ms,
        .request_id = buf_str(&src->request_id),
        .stream = stream,
        .continues = continues,
        .message = text,
    };

    if (logs_add_line(src->logs, buf_str(&src->origin), src->function_hash, src->request_hash,
                      &line))
        return;
    /* Control bytes grow sixfold when they are escaped: two pieces, then. */
    frame(src, stream, str_sub(text, 0, text.len / 2), true);
    frame(src, stream, str_sub(text, text.len / 2, text.len), continues);
}

static struct log_tail *tail_new(void)
{
    struct log_tail *tail = malloc(sizeof(*tail));

    if (!tail)
        abort();
    log_tail_clear(tail);
    return tail;
}

static void tail_add_line(struct log_tail *tail, struct str text, bool continues)
{
    log_tail_add(tail, text);
    if (!continues)
        log_tail_add(tail, STR("\n"));
}

static void frame_with_tail(struct log_source *src, enum log_record_stream stream, struct str text,
                            bool continues)
{
    frame(src, stream, text, continues);
    if (src->tail)
        tail_add_line(src->tail, text, continues);
}

/* Whether the function's log level leaves this out; of a line in pieces, the first decides. */
static bool is_left_out(struct log_pipe *pipe, struct str text, bool continues)
{
    struct log_source *src = pipe->src;
    int level;

    if (src->least == FN_LOG_TRACE || pipe->stream == LOG_RECORD_EXTENSION)
        return false;
    if (!pipe->goes_on) {
        level = log_line_level(text, !continues);
        pipe->left_out = level >= 0 && level < (int)src->least;
        src->logs->counters.filtered += pipe->left_out;
    }
    pipe->goes_on = continues;
    return pipe->left_out;
}

static void on_line(struct str text, bool continues, void *arg)
{
    struct log_pipe *pipe = arg;
    struct log_source *src = pipe->src;

    if (src->line_fn)
        src->line_fn(text, pipe->stream == LOG_RECORD_EXTENSION, src->line_arg);
    if (is_left_out(pipe, text, continues))
        return;
    frame_with_tail(src, pipe->stream, text, continues);
    if (!src->in_init)
        return;
    if (!src->init_tail)
        src->init_tail = tail_new();
    tail_add_line(src->init_tail, text, continues);
}

/* ---- pipes ---- */

static void set_reading(struct log_source *src)
{
    bool reading = !src->logs->is_blocked && !timer_is_armed(&src->rest);
    size_t i;

    for (i = 0; i < PIPES; i++)
        if (src->pipes[i].watch)
            watch_set(src->pipes[i].watch, reading ? WATCH_READ : 0);
}

static void on_rested(void *arg)
{
    set_reading(arg);
}

/* Who prints faster than at the rate waits: the disk, Kafka and what is kept are there for all. */
static void charge(struct log_source *src, size_t bytes)
{
    const int64_t rate = (int64_t)src->logs->rate_bytes;
    uint64_t now;

    if (rate == 0)
        return;
    src->may_read -= (int64_t)bytes;
    if (src->may_read >= 0 || timer_is_armed(&src->rest))
        return;
    now = now_us();
    src->may_read += (int64_t)((double)rate * (double)(now - src->may_read_us) / 1e6);
    src->may_read = src->may_read < rate ? src->may_read : rate;
    src->may_read_us = now;
    if (src->may_read >= 0)
        return;
    timer_start(&src->rest, (uint64_t)((double)-src->may_read * 1e6 / (double)rate) + REST_MIN_US);
    set_reading(src);
}

static void pipe_close(struct log_pipe *pipe)
{
    watch_free(pipe->watch);
    pipe->watch = NULL;
    closep(&pipe->fd);
    log_lines_flush(&pipe->lines);
}

/* One read; false when the pipe is empty now or at its end. */
static bool pipe_read(struct log_pipe *pipe, size_t *ret_bytes)
{
    struct logs *logs = pipe->src->logs;
    ssize_t n;

    do
        n = read(pipe->fd, logs->read_buffer, sizeof(logs->read_buffer));
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN)
        return false;
    if (n <= 0) {
        pipe_close(pipe);
        return false;
    }
    logs->counters.bytes_read += (uint64_t)n;
    *ret_bytes += (size_t)n;
    charge(pipe->src, (size_t)n);
    log_lines_feed(&pipe->lines, str_from(logs->read_buffer, (size_t)n));
    return (size_t)n == sizeof(logs->read_buffer); /* a short read has emptied the pipe */
}

static void on_readable(int fd, int events, void *arg)
{
    struct log_pipe *pipe = arg;
    size_t bytes = 0;

    (void)fd;
    (void)events;
    pipe->src->line_ms = wall_ms();
    pipe_read(pipe, &bytes); /* one: others have their turn, we are called again */
}

static void pipe_init(struct log_pipe *pipe, struct log_source *src, enum log_record_stream stream,
                      int fd)
{
    int capacity, flags;

    *pipe = (struct log_pipe){.src = src, .stream = stream, .fd = fd};
    log_lines_init(&pipe->lines, on_line, pipe);
    if (fd < 0)
        return;
    capacity = fcntl(fd, F_GETPIPE_SZ);
    pipe->capacity = capacity > 0 ? (size_t)capacity : PIPE_DEFAULT_BYTES;
    flags = fcntl(fd, F_GETFL);
    if (flags >= 0)
        fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    pipe->watch = watch_new(src->logs->loop, fd, on_readable, pipe);
    set_reading(src);
}

void log_source_set_reading(struct list_node *node)
{
    set_reading(CONTAINER_OF(node, struct log_source, node));
}

/* Unfinished lines of the function become lines; extensions do not end with an invocation. */
static void flush_lines(struct log_source *src)
{
    log_lines_flush(&src->pipes[0].lines);
    log_lines_flush(&src->pipes[1].lines);
}

/*
 * What was written before now is at most what the pipe can hold; a writer that never stops does not
 * keep us longer. One poll(2) for all is the usual cost: most of the time nothing is there.
 */
void log_source_drain(struct log_source *src)
{
    struct pollfd polls[PIPES];
    size_t i, bytes;
    bool any = false;

    for (i = 0; i < PIPES; i++) {
        polls[i] = (struct pollfd){.fd = src->pipes[i].fd, .events = POLLIN};
        any = any || src->pipes[i].fd >= 0;
    }
    if (!any)
        return;
    if (poll(polls, PIPES, 0) > 0) {
        src->line_ms = wall_ms();
        for (i = 0; i < PIPES; i++) {
            bytes = 0;
            while (polls[i].revents && bytes < src->pipes[i].capacity &&
                   pipe_read(&src->pipes[i], &bytes))
                ;
        }
    }
    flush_lines(src);
}

/* ---- invocations ---- */

static void set_request_id(struct log_source *src, struct str request_id)
{
    CLEANUP(buf_done) struct buf escaped = BUF_INIT(8 * ORIGIN_MAX);

    buf_clear(&src->request_id);
    if (buf_append_str(&src->request_id, request_id) < 0)
        buf_append_str(&src->request_id, str_sub(request_id, 0, src->request_id.max));
    buf_append_json(&escaped, buf_str(&src->request_id));
    src->request_hash = log_hash_request(buf_str(&escaped));
}

int log_source_begin(struct log_source *src, struct str request_id, bool want_tail)
{
    if (logs_is_full(src->logs))
        return -ERR_UNAVAILABLE;
    log_source_drain(src);
    src->in_init = false;
    set_request_id(src, request_id);
    if (want_tail && !src->tail)
        src->tail = tail_new();
    return 0;
}

void log_source_tail_add_init(struct log_source *src)
{
    if (src->tail && src->init_tail)
        log_tail_add(src->tail, log_tail_str(src->init_tail));
}

void log_source_platform(struct log_source *src, struct str text)
{
    src->line_ms = wall_ms();
    frame_with_tail(src, LOG_RECORD_PLATFORM, text, false);
}

struct str log_source_tail(struct log_source *src)
{
    return src->tail ? log_tail_str(src->tail) : STR("");
}

void log_source_end(struct log_source *src)
{
    src->line_ms = wall_ms();
    flush_lines(src);
    free(TAKE(src->tail));
    free(TAKE(src->init_tail));
}

/* ---- life ---- */

static void origin_make(struct log_source *src, const struct log_identity *id)
{
    const struct log_origin origin = {
        .node = str_of(src->logs->node),
        .epoch = src->logs->epoch,
        .account = str_of(id->account),
        .region = str_of(id->region),
        .function = str_of(id->function),
        .version = str_of(id->version),
        .log_group = str_of(id->log_group),
        .log_stream = str_of(id->log_stream),
        .sandbox = str_of(id->sandbox),
    };
    CLEANUP(buf_done) struct buf account = BUF_INIT(ORIGIN_MAX);
    CLEANUP(buf_done) struct buf function = BUF_INIT(ORIGIN_MAX);

    if (log_origin_write(&src->origin, &origin) < 0 ||
        buf_append_json(&account, origin.account) < 0 ||
        buf_append_json(&function, origin.function) < 0)
        abort(); /* names are checked long before and are never so long */
    src->function_hash = log_hash_function(buf_str(&account), buf_str(&function));
}

struct log_source *log_source_new(struct logs *logs, const struct log_identity *identity,
                                  int stdout_fd, int stderr_fd)
{
    struct log_source *src = calloc(1, sizeof(*src));

    if (!src)
        abort();
    src->logs = logs;
    src->in_init = true;
    src->may_read = (int64_t)logs->rate_bytes;
    src->may_read_us = now_us();
    timer_init(&src->rest, logs->loop, on_rested, src);
    src->least = identity->least;
    src->origin = BUF_INIT(ORIGIN_MAX);
    src->request_id = BUF_INIT(1024);
    origin_make(src, identity);
    set_request_id(src, STR(""));
    list_append(&logs->sources, &src->node);
    pipe_init(&src->pipes[0], src, LOG_RECORD_STDOUT, stdout_fd);
    pipe_init(&src->pipes[1], src, LOG_RECORD_STDERR, stderr_fd);
    pipe_init(&src->pipes[2], src, LOG_RECORD_EXTENSION, -1);
    return src;
}

static void pipe_replace(struct log_pipe *pipe, int fd)
{
    struct log_source *src = pipe->src;

    pipe_close(pipe);
    log_lines_done(&pipe->lines);
    pipe_init(pipe, src, pipe->stream, fd);
}

void log_source_set_pipes(struct log_source *src, int stdout_fd, int stderr_fd)
{
    log_source_drain(src);
    pipe_replace(&src->pipes[0], stdout_fd);
    pipe_replace(&src->pipes[1], stderr_fd);
}

void log_source_add_extensions(struct log_source *src, int fd)
{
    pipe_replace(&src->pipes[2], fd);
}

void log_source_on_line(struct log_source *src, log_source_line_fn *fn, void *arg)
{
    src->line_fn = fn;
    src->line_arg = arg;
}

void log_source_free(struct log_source *src)
{
    size_t i;

    if (!src)
        return;
    log_source_drain(src);
    for (i = 0; i < PIPES; i++) {
        pipe_close(&src->pipes[i]);
        log_lines_done(&src->pipes[i].lines);
    }
    timer_stop(&src->rest);
    list_remove(&src->node);
    buf_done(&src->origin);
    buf_done(&src->request_id);
    free(src->tail);
    free(src->init_tail);
    free(src);
}
