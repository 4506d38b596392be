/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/log_shipper.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"

#define WINDOW 32768u /* records under way at most; a power of two */
#define FETCH_BYTES (64u * 1024u) /* then other users of the loop have their turn */
#define PAUSE_US MSEC(500)

enum state { FLOWING, SETTLING, PAUSING };

enum entry_state { ENTRY_SENT, ENTRY_ARRIVED, ENTRY_FAILED };

struct entry {
    uint64_t seq;
    uint64_t end; /* position behind the record */
    enum entry_state state;
};

/* A read of the spool on a worker thread. */
struct fetch {
    struct log_shipper *shipper;
    struct log_view *view;
    uint64_t pos;
    struct buf lines;
    int r;
    struct error err;
};

struct log_shipper {
    struct loop *loop;
    const struct kafka_options *kafka;
    struct kafka_producer *producer; /* NULL while a broken one is replaced */
    loop_fn *on_progress;
    void *arg;
    struct log_view *view;
    enum state state;
    struct timer pause;
    /* the window: entries [head, tail) by ever-growing number, which is Kafka's token too */
    struct entry *entries;
    uint64_t head, tail, next; /* next: number of the record that is handed over next */
    size_t under_way;
    uint64_t shipped_pos, shipped_seq; /* behind the last one before head */
    /* the spool, as far as it was read */
    uint64_t fetch_pos;
    bool fetching, fetch_is_stale;
    struct buf lines;
    size_t lines_at;
    uint64_t lines_pos; /* position of lines.ptr[lines_at] */
    struct buf key;
    bool pump_is_due, progress_is_due, is_freed;
    struct log_shipper_counters counters;
};

static void pump(struct log_shipper *s);

static struct entry *entry_at(struct log_shipper *s, uint64_t number)
{
    return &s->entries[number & (WINDOW - 1)];
}

/* ---- what came back ---- */

static void shipper_destroy(struct log_shipper *s)
{
    log_view_unref(s->view);
    buf_done(&s->lines);
    buf_done(&s->key);
    free(s->entries);
    free(s);
}

static void on_deferred(void *arg)
{
    struct log_shipper *s = arg;
    bool progress = s->progress_is_due;

    s->pump_is_due = s->progress_is_due = false;
    if (s->is_freed) {
        if (!s->fetching)
            shipper_destroy(s);
        return;
    }
    pump(s);
    if (progress)
        s->on_progress(s->arg);
}

static void pump_soon(struct log_shipper *s)
{
    if (!s->pump_is_due)
        loop_defer(s->loop, on_deferred, s);
    s->pump_is_due = true;
}

static void pause_begin(struct log_shipper *s)
{
    s->state = PAUSING;
    timer_start(&s->pause, PAUSE_US);
}

/* A failure: from here on only what is under way counts, and then all goes again from head. */
static void settle(struct log_shipper *s, const struct error *why)
{
    if (s->state == FLOWING) {
        log_warn("logs", "Kafka did not take function logs, sending them again", KV_ERR(why),
                 KV_STR("topic", s->kafka->topic));
        s->state = SETTLING;
    }
    if (s->state == SETTLING && s->under_way == 0)
        pause_begin(s);
}

static void window_advance(struct log_shipper *s)
{
    const struct entry *e;

    while (s->head < s->next && (e = entry_at(s, s->head))->state == ENTRY_ARRIVED) {
        s->shipped_pos = e->end;
        if (e->seq >= s->shipped_seq) /* a damaged record's seq is a guess */
            s->shipped_seq = e->seq + 1;
        s->head++;
        s->progress_is_due = true;
    }
}

static void refused(struct log_shipper *s, struct entry *e, const struct error *why)
{
    log_error("logs", "Kafka refuses a line of a function for good; it stays in the segments",
              KV_U64("seq", e->seq), KV_ERR(why), KV_STR("topic", s->kafka->topic));
    s->counters.undeliverable++;
    e->state = ENTRY_ARRIVED;
}

static void on_outcome(uint64_t token, enum kafka_outcome outcome, const struct error *why,
                       void *arg)
{
    struct log_shipper *s = arg;
    struct entry *e = entry_at(s, token);

    s->under_way--;
    switch (outcome) {
    case KAFKA_DELIVERED:
        e->state = ENTRY_ARRIVED;
        s->counters.shipped++;
        break;
    case KAFKA_REFUSED:
        refused(s, e, why);
        break;
    case KAFKA_FAILED:
        e->state = ENTRY_FAILED;
        break;
    }
    window_advance(s);
    if (outcome == KAFKA_FAILED || s->state == SETTLING)
        settle(s, why);
    pump_soon(s);
}

static void on_state(bool up, const struct error *why, void *arg)
{
    const struct log_shipper *s = arg;

    if (up)
        log_info("logs", "Kafka takes function logs", KV_STR("brokers", s->kafka->brokers),
                 KV_STR("topic", s->kafka->topic));
    else
        log_warn("logs", "Kafka cannot be reached; function logs wait in the spool",
                 KV_STR("brokers", s->kafka->brokers), KV_ERR(why));
}

static void on_fatal(const struct error *why, void *arg)
{
    struct log_shipper *s = arg;
    uint64_t i;

    log_error("logs", "the Kafka producer is broken, making a new one; lines may come twice",
              KV_ERR(why));
    kafka_producer_free(s->producer);
    s->producer = NULL;
    for (i = s->head; i < s->tail; i++)
        if (entry_at(s, i)->state == ENTRY_SENT)
            entry_at(s, i)->state = ENTRY_FAILED;
    s->under_way = 0;
    pause_begin(s);
}

static const struct kafka_ops kafka_ops = {
    .on_outcome = on_outcome,
    .on_state = on_state,
    .on_fatal = on_fatal,
};

/* The pause is over: everything from head on is read again, what has arrived is passed over. */
static void on_pause_over(void *arg)
{
    struct log_shipper *s = arg;
    struct error err;

    if (!s->producer &&
        kafka_producer_new(s->loop, s->kafka, &kafka_ops, s, &s->producer, &err) < 0) {
        log_error("logs", "no Kafka producer, trying again", KV_ERR(&err));
        pause_begin(s);
        return;
    }
    s->next = s->head;
    s->fetch_pos = s->shipped_pos;
    s->fetch_is_stale = s->fetching;
    buf_clear(&s->lines);
    s->lines_at = 0;
    s->state = FLOWING;
    pump_soon(s);
}

/* ---- what goes out ---- */

/* The entry for the line that is handed over next, which ends at @end. */
static struct entry *entry_next(struct log_shipper *s, uint64_t seq, uint64_t end)
{
    struct entry *e = entry_at(s, s->next);

    if (s->next < s->tail) {
        s->counters.resent += e->state == ENTRY_FAILED;
    } else {
        *e = (struct entry){.seq = seq, .end = end, .state = ENTRY_FAILED};
        s->tail++;
    }
    return e;
}

/* Hands one line over; false when it must wait. */
static bool send_line(struct log_shipper *s, struct str json, uint64_t end)
{
    struct log_record rec;
    struct error why;
    struct entry *e;
    int r;

    if (s->next == s->tail && s->tail - s->head == WINDOW)
        return false;
    if (s->next < s->tail && entry_at(s, s->next)->state == ENTRY_ARRIVED) {
        s->next++;
        return true;
    }
    if (log_record_read(json, &rec) < 0) {
        e = entry_next(s, s->shipped_seq, end);
        s->next++;
        error_set(&why, ERR_PROTOCOL, "the segment is damaged here");
        refused(s, e, &why);
        window_advance(s);
        return true;
    }
    buf_clear(&s->key);
    buf_append_str(&s->key, rec.origin.account);
    buf_append_char(&s->key, ':');
    buf_append_str(&s->key, rec.origin.function);
    r = kafka_produce(s->producer, buf_str(&s->key), json, s->next, &why);
    if (r == -ERR_THROTTLED && s->under_way > 0)
        return false;
    e = entry_next(s, rec.line.seq, end);
    s->next++;
    if (r == 0) {
        e->state = ENTRY_SENT;
        s->under_way++;
    } else if (r == -ERR_TOO_LARGE || r == -ERR_PROTOCOL) {
        refused(s, e, &why);
        window_advance(s);
    } else {
        e->state = ENTRY_FAILED;
        settle(s, &why);
    }
    return true;
}

static void on_fetch_work(void *arg)
{
    struct fetch *f = arg;

    f->r = log_view_fetch(f->view, &f->pos, FETCH_BYTES, &f->lines, &f->err);
}

static void on_fetch_done(void *arg)
{
    struct fetch *f = arg;
    struct log_shipper *s = f->shipper;

    s->fetching = false;
    log_view_unref(f->view);
    if (s->is_freed) {
        if (!s->pump_is_due)
            shipper_destroy(s);
    } else if (s->fetch_is_stale) {
        s->fetch_is_stale = false;
        pump_soon(s);
    } else if (f->r < 0) {
        log_error("logs", "the log spool cannot be read, trying again", KV_ERR(&f->err));
        s->state = s->state == FLOWING ? SETTLING : s->state;
        if (s->state == SETTLING && s->under_way == 0)
            pause_begin(s);
    } else {
        struct buf old = s->lines;

        s->lines = f->lines;
        f->lines = old;
        s->lines_at = 0;
        s->fetch_pos = f->pos;
        s->lines_pos = f->pos - s->lines.len;
        pump_soon(s);
    }
    buf_done(&f->lines);
    free(f);
}

static void fetch_start(struct log_shipper *s)
{
    struct fetch *f = calloc(1, sizeof(*f));

    if (!f)
        abort();
    f->shipper = s;
    f->view = log_view_ref(s->view);
    f->pos = s->fetch_pos;
    f->lines = BUF_INIT(2 * LOG_RECORD_MAX);
    s->fetching = true;
    loop_work(s->loop, on_fetch_work, on_fetch_done, f);
}

static void pump(struct log_shipper *s)
{
    struct str lines = buf_str(&s->lines);
    size_t end;

    while (s->state == FLOWING && s->lines_at < lines.len) {
        end = str_find(lines, '\n', s->lines_at) + 1;
        if (!send_line(s, str_sub(lines, s->lines_at, end - 1),
                       s->lines_pos + end - s->lines_at))
            return; /* an outcome calls again */
        s->lines_pos += end - s->lines_at;
        s->lines_at = end;
    }
    if (s->state == FLOWING && !s->fetching && s->fetch_pos < log_view_end(s->view))
        fetch_start(s);
}

/* ---- life ---- */

int log_shipper_new(struct loop *loop, const struct kafka_options *kafka, struct log_view *view,
                    uint64_t seq, loop_fn *on_progress, void *arg, struct log_shipper **ret,
                    struct error *err)
{
    struct log_shipper *s = calloc(1, sizeof(*s));
    int r;

    if (!s)
        abort();
    s->loop = loop;
    s->kafka = kafka;
    s->on_progress = on_progress;
    s->arg = arg;
    s->lines = BUF_INIT(2 * LOG_RECORD_MAX);
    s->key = BUF_INIT(2 * LOG_RECORD_MAX);
    s->shipped_seq = seq;
    s->view = log_view_ref(view);
    s->entries = calloc(WINDOW, sizeof(*s->entries));
    if (!s->entries)
        abort();
    timer_init(&s->pause, loop, on_pause_over, s);
    r = log_view_seek(view, seq, &s->shipped_pos, err);
    s->fetch_pos = s->shipped_pos;
    if (r == 0)
        r = kafka_producer_new(loop, kafka, &kafka_ops, s, &s->producer, err);
    if (r < 0) {
        shipper_destroy(s);
        return r;
    }
    pump_soon(s);
    *ret = s;
    return 0;
}

void log_shipper_free(struct log_shipper *s)
{
    if (!s)
        return;
    timer_stop(&s->pause);
    kafka_producer_free(s->producer);
    s->producer = NULL;
    s->is_freed = true;
    if (!s->fetching && !s->pump_is_due)
        pump_soon(s); /* on_deferred() destroys: we may be inside on_progress() */
}

void log_shipper_feed(struct log_shipper *s, struct log_view *view)
{
    log_view_unref(s->view);
    s->view = log_view_ref(view);
    pump_soon(s);
}

uint64_t log_shipper_seq(const struct log_shipper *s)
{
    return s->shipped_seq;
}

uint64_t log_shipper_left(const struct log_shipper *s)
{
    return log_view_end(s->view) - s->shipped_pos;
}

void log_shipper_counters_get(const struct log_shipper *s, struct log_shipper_counters *ret)
{
    *ret = s->counters;
}
