/* SPDX-License-Identifier: Apache-2.0 */
#include "common/io/kafka.h"

#include <errno.h>
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/log.h"

#define EVENTS_A_TURN 64 /* then others have their turn; one event may carry many records' ends */
#define LIBRARY_LOG_LINES_A_MINUTE 5

struct kafka_producer {
    struct loop *loop;
    rd_kafka_t *rk;
    rd_kafka_topic_t *topic;
    rd_kafka_queue_t *queue;
    int wake_fd; /* librdkafka writes here when its queue is no longer empty */
    struct watch *watch;
    const struct kafka_ops *ops;
    void *arg;
    bool up, said_down, is_fatal, is_freed;
    unsigned depth; /* inside one of our callbacks: freeing must wait */
    uint64_t log_since_us; /* LIBRARY_LOG_LINES_A_MINUTE counts from here */
    unsigned log_lines;
};

/* ---- settings ---- */

static int conf_set(rd_kafka_conf_t *conf, const char *key, const char *value, struct error *err)
{
    char why[256];

    /* The value may be a password: librdkafka's words are used only where they cannot quote it. */
    switch (rd_kafka_conf_set(conf, key, value, why, sizeof(why))) {
    case RD_KAFKA_CONF_OK:
        return 0;
    case RD_KAFKA_CONF_UNKNOWN:
        return error_set(err, ERR_CONFIG, "Kafka setting %s: librdkafka does not know it", key);
    case RD_KAFKA_CONF_INVALID:
        break;
    }
    return error_set(err, ERR_CONFIG, "Kafka setting %s: librdkafka refuses its value", key);
}

static int conf_set_u64(rd_kafka_conf_t *conf, const char *key, uint64_t value, struct error *err)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRIu64, value);
    return conf_set(conf, key, text, err);
}

static int conf_set_line(rd_kafka_conf_t *conf, struct str line, struct error *err)
{
    CLEANUP(freep) char *key = NULL;
    CLEANUP(freep) char *value = NULL;
    size_t at;
    int r;

    line = str_trim(line);
    if (line.len == 0 || line.ptr[0] == '#')
        return 0;
    at = str_find(line, '=', 0);
    if (at == line.len)
        return error_set(err, ERR_CONFIG, "Kafka settings are key=value lines");
    key = str_dup(str_trim(str_sub(line, 0, at)));
    value = str_dup(str_trim(str_sub(line, at + 1, line.len)));
    r = conf_set(conf, key, value, err);
    explicit_bzero(value, strlen(value));
    return r;
}

/* What no further setting may change: without these a line could be lost, doubled or disordered. */
static int conf_set_promises(rd_kafka_conf_t *conf, struct error *err)
{
    static const char *const promises[][2] = {
        {"enable.idempotence", "true"}, /* implies acks=all and endless retries */
        {"message.timeout.ms", "0"},
        {"partitioner", "murmur2_random"}, /* as Kafka's own clients place keys */
    };
    size_t i;
    int r = 0;

    for (i = 0; r == 0 && i < ARRAY_LEN(promises); i++)
        r = conf_set(conf, promises[i][0], promises[i][1], err);
    return r;
}

static int conf_make(const struct kafka_options *o, rd_kafka_conf_t **ret, struct error *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    struct str rest = str_of(o->properties), line;
    uint64_t kbytes = o->queue_bytes / 1024;
    int r = conf_set(conf, "bootstrap.servers", o->brokers, err);

    if (r == 0)
        r = conf_set(conf, "client.id", o->client_id, err);
    if (r == 0)
        r = conf_set_u64(conf, "linger.ms", o->linger_ms, err);
    if (r == 0)
        r = conf_set_u64(conf, "queue.buffering.max.kbytes", kbytes < 1024 ? 1024 : kbytes, err);
    if (r == 0)
        r = conf_set(conf, "compression.codec", "lz4", err);
    if (r == 0)
        r = conf_set(conf, "reconnect.backoff.max.ms", "1000", err);
    while (r == 0 && str_split(&rest, '\n', &line))
        r = conf_set_line(conf, line, err);
    if (r == 0)
        r = conf_set_promises(conf, err);
    if (r == 0)
        r = conf_set(conf, "log.queue", "true", err);
    if (r < 0) {
        rd_kafka_conf_destroy(conf);
        return r;
    }
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG);
    *ret = conf;
    return 0;
}

/* ---- events ---- */

static enum error_code error_code_of(rd_kafka_resp_err_t code)
{
    /* far too many codes to list: an if chain, not a switch */
    if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ||
        code == RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE)
        return ERR_TOO_LARGE;
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL)
        return ERR_THROTTLED;
    if (code == RD_KAFKA_RESP_ERR_INVALID_MSG || code == RD_KAFKA_RESP_ERR_INVALID_RECORD ||
        code == RD_KAFKA_RESP_ERR__INVALID_ARG)
        return ERR_PROTOCOL;
    if (code == RD_KAFKA_RESP_ERR__FATAL || code == RD_KAFKA_RESP_ERR__PURGE_QUEUE ||
        code == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT || code == RD_KAFKA_RESP_ERR__DESTROY)
        return ERR_CLOSED;
    return ERR_UNAVAILABLE;
}

static void set_state(struct kafka_producer *p, bool up, const struct error *why)
{
    if (up == p->up && (up || p->said_down))
        return;
    p->up = up;
    p->said_down = !up;
    p->ops->on_state(up, why, p->arg);
}

static void on_reports(struct kafka_producer *p, rd_kafka_event_t *event)
{
    const rd_kafka_message_t *m;
    struct error why;
    enum kafka_outcome outcome;

    while (!p->is_freed && (m = rd_kafka_event_message_next(event))) {
        outcome = KAFKA_DELIVERED;
        if (m->err) {
            error_set(&why, error_code_of(m->err), "%s", rd_kafka_err2str(m->err));
            outcome = why.code == ERR_TOO_LARGE || why.code == ERR_PROTOCOL ? KAFKA_REFUSED
                                                                            : KAFKA_FAILED;
        } else {
            set_state(p, true, NULL);
        }
        p->ops->on_outcome((uint64_t)(uintptr_t)m->_private, outcome, m->err ? &why : NULL, p->arg);
    }
}

static void on_error_event(struct kafka_producer *p, rd_kafka_event_t *event)
{
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);
    char text[512];
    struct error why;

    /* The event of a fatal error may carry its own code or the general one; this call knows. */
    if (rd_kafka_fatal_error(p->rk, text, sizeof(text)) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        error_set(&why, ERR_CLOSED, "%s", text);
        if (!p->is_fatal)
            p->ops->on_fatal(&why, p->arg);
        p->is_fatal = true;
        return;
    }
    error_set(&why, error_code_of(code), "%s", rd_kafka_event_error_string(event));
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        set_state(p, false, &why);
    else
        log_debug("kafka", "trouble", KV_ERR(&why));
}

/* librdkafka's own lines, e.g. of each refused connection: some of them help, thousands do not. */
static void on_log_event(struct kafka_producer *p, rd_kafka_event_t *event)
{
    const char *facility, *text;
    uint64_t now = loop_now_us(p->loop);
    int level;

    if (rd_kafka_event_log(event, &facility, &text, &level) < 0)
        return;
    if (now - p->log_since_us > MINUTES(1)) {
        p->log_since_us = now;
        p->log_lines = 0;
    }
    if (level <= 4 && p->log_lines++ < LIBRARY_LOG_LINES_A_MINUTE)
        log_warn("kafka", "library", KV_STR("facility", facility), KV_STR("text", text));
    else
        log_debug("kafka", "library", KV_STR("facility", facility), KV_STR("text", text));
}

static void on_event(struct kafka_producer *p, rd_kafka_event_t *event)
{
    switch (rd_kafka_event_type(event)) {
    case RD_KAFKA_EVENT_DR:
        on_reports(p, event);
        break;
    case RD_KAFKA_EVENT_ERROR:
        on_error_event(p, event);
        break;
    case RD_KAFKA_EVENT_LOG:
        on_log_event(p, event);
        break;
    default:
        break;
    }
}

static void wake_again(struct kafka_producer *p)
{
    const uint64_t one = 1;
    ssize_t n = write(p->wake_fd, &one, sizeof(one));

    (void)n; /* fails only when it is readable anyway */
}

static void producer_close(struct kafka_producer *p);

static void on_readable(int fd, int events, void *arg)
{
    struct kafka_producer *p = arg;
    rd_kafka_event_t *event = NULL;
    uint64_t count;
    ssize_t n = read(fd, &count, sizeof(count));
    int i;

    (void)n;
    (void)events;
    p->depth++;
    for (i = 0; i < EVENTS_A_TURN && !p->is_freed; i++) {
        event = rd_kafka_queue_poll(p->queue, 0);
        if (!event)
            break;
        on_event(p, event);
        rd_kafka_event_destroy(event);
    }
    p->depth--;
    if (p->is_freed)
        producer_close(p);
    else if (event)
        wake_again(p); /* librdkafka wakes us only when an empty queue gets something */
}

/* ---- life ---- */

int kafka_producer_new(struct loop *loop, const struct kafka_options *options,
                       const struct kafka_ops *ops, void *arg, struct kafka_producer **ret,
                       struct error *err)
{
    const uint64_t one = 1;
    struct kafka_producer *p;
    rd_kafka_conf_t *conf;
    char why[512];
    int r = conf_make(options, &conf, err);

    if (r < 0)
        return r;
    p = calloc(1, sizeof(*p));
    if (!p)
        abort();
    *p = (struct kafka_producer){.loop = loop, .ops = ops, .arg = arg};
    p->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (p->wake_fd < 0) {
        rd_kafka_conf_destroy(conf);
        free(p);
        return error_set_errno(err, ERR_SYSTEM, errno, "creating an event descriptor");
    }
    p->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    if (!p->rk) {
        rd_kafka_conf_destroy(conf);
        close(p->wake_fd);
        free(p);
        return error_set(err, ERR_CONFIG, "Kafka settings: %s", why);
    }
    p->topic = rd_kafka_topic_new(p->rk, options->topic, NULL);
    p->queue = rd_kafka_queue_get_main(p->rk);
    rd_kafka_set_log_queue(p->rk, NULL);
    rd_kafka_queue_io_event_enable(p->queue, p->wake_fd, &one, sizeof(one));
    p->watch = watch_new(loop, p->wake_fd, on_readable, p);
    watch_set(p->watch, WATCH_READ);
    wake_again(p); /* for what came before the descriptor was known */
    *ret = p;
    return 0;
}

static void destroy_work(void *arg)
{
    struct kafka_producer *p = arg;

    /* waits for librdkafka's threads */
    rd_kafka_purge(p->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_queue_destroy(p->queue);
    rd_kafka_topic_destroy(p->topic);
    rd_kafka_destroy(p->rk);
}

static void destroy_done(void *arg)
{
    struct kafka_producer *p = arg;

    close(p->wake_fd);
    free(p);
}

static void producer_close(struct kafka_producer *p)
{
    rd_kafka_queue_io_event_enable(p->queue, -1, NULL, 0);
    watch_free(p->watch);
    loop_work(p->loop, destroy_work, destroy_done, p);
}

void kafka_producer_free(struct kafka_producer *p)
{
    if (!p || p->is_freed)
        return;
    p->is_freed = true;
    if (p->depth == 0)
        producer_close(p);
}

int kafka_produce(struct kafka_producer *p, struct str key, struct str value, uint64_t token,
                  struct error *err)
{
    rd_kafka_resp_err_t code;

    if (rd_kafka_produce(p->topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, (void *)value.ptr,
                         value.len, key.ptr, key.len, (void *)(uintptr_t)token) == 0)
        return 0;
    code = rd_kafka_last_error();
    return error_set(err, error_code_of(code), "%s", rd_kafka_err2str(code));
}
