/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/telemetry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/proto/init_wire.h"
#include "invoker/telemetry_sink.h"

#define SUBSCRIBERS_MAX INIT_EXTENSIONS_MAX
#define BACKLOG_MAX (256u * 1024u) /* bytes of JSON of one kind of schema */
#define EVENT_MAX (2u * 1024u * 1024u) /* the longest line, escaped */

/* The forms of an event that differ, by a schema that has it. */
static const enum telemetry_schema forms[] = {TELEMETRY_2025_01_29, TELEMETRY_2022_07_01,
                                              TELEMETRY_LOGS_2021_03_18};
#define FORMS ARRAY_LEN(forms)

/* Kept for later subscribers, in each form. */
struct kept {
    unsigned type;
    struct str json[FORMS]; /* in one allocation behind the struct; empty: that API has none */
    struct kept *next;
};

struct subscriber {
    struct telemetry *all;
    char name[INIT_NAME_MAX];
    struct telemetry_sink *sink; /* NULL: a free place */
};

struct telemetry {
    struct loop *loop;
    const struct telemetry_ops *ops;
    void *arg;
    struct subscriber list[SUBSCRIBERS_MAX];
    size_t len;
    bool closed;
    struct kept *backlog, **backlog_end;
    size_t backlog_bytes;
    struct buf line; /* scratch */
};

struct telemetry *telemetry_new(struct loop *loop, const struct telemetry_ops *ops, void *arg)
{
    struct telemetry *t = calloc(1, sizeof(*t));

    if (!t)
        abort();
    t->loop = loop;
    t->ops = ops;
    t->arg = arg;
    t->backlog_end = &t->backlog;
    buf_init(&t->line, EVENT_MAX);
    return t;
}

static void drop_backlog(struct telemetry *t)
{
    struct kept *next;

    for (; t->backlog; t->backlog = next) {
        next = t->backlog->next;
        free(t->backlog);
    }
    t->backlog_end = &t->backlog;
    t->backlog_bytes = 0;
}

void telemetry_free(struct telemetry *t)
{
    size_t i;

    if (!t)
        return;
    for (i = 0; i < t->len; i++)
        telemetry_sink_free(t->list[i].sink);
    drop_backlog(t);
    buf_done(&t->line);
    free(t);
}

bool telemetry_is_wanted(const struct telemetry *t)
{
    return t && (!t->closed || t->len);
}

/* ---- events */

/* The event in scratch; empty when @schema has none of its kind. */
static struct str write_event(struct telemetry *t, const struct telemetry_event *ev,
                              enum telemetry_schema schema)
{
    buf_clear(&t->line);
    if (!telemetry_event_is_in(ev->kind, schema) || telemetry_event_write(&t->line, ev, schema) < 0)
        buf_clear(&t->line);
    return buf_str(&t->line);
}

/* Forms that are equal are kept once. */
static void keep(struct telemetry *t, const struct telemetry_event *ev)
{
    CLEANUP(buf_done) struct buf all = BUF_INIT(FORMS * EVENT_MAX);
    size_t begin[FORMS], len[FORMS], i;
    struct str json;
    struct kept *k;

    for (i = 0; i < FORMS; i++) {
        json = write_event(t, ev, forms[i]);
        begin[i] = all.len;
        len[i] = json.len;
        if (i > 0 && str_eq(json, str_sub(buf_str(&all), begin[i - 1], all.len)))
            begin[i] = begin[i - 1];
        else if (buf_append_str(&all, json) < 0)
            return;
    }
    if (t->backlog_bytes + all.len > 2 * BACKLOG_MAX)
        return; /* nobody has subscribed to it yet */
    k = malloc(sizeof(*k) + all.len);
    if (!k)
        abort();
    *k = (struct kept){.type = telemetry_event_type(ev->kind)};
    if (all.len)
        memcpy(k + 1, all.ptr, all.len);
    for (i = 0; i < FORMS; i++)
        k->json[i] = str_from((char *)(k + 1) + begin[i], len[i]);
    t->backlog_bytes += all.len;
    *t->backlog_end = k;
    t->backlog_end = &k->next;
}

/* Which of the forms is @schema's. */
static size_t form_of(enum telemetry_schema schema)
{
    if (telemetry_schema_is_logs(schema))
        return 2;
    return schema == TELEMETRY_2022_07_01 ? 1 : 0;
}

void telemetry_emit(struct telemetry *t, const struct telemetry_event *ev)
{
    const struct telemetry_subscription *sub;
    struct str json;
    size_t i;

    if (!telemetry_is_wanted(t))
        return;
    for (i = 0; i < t->len; i++) {
        sub = telemetry_sink_subscription(t->list[i].sink);
        if (!(sub->types & telemetry_event_type(ev->kind)))
            continue;
        json = write_event(t, ev, sub->schema);
        if (json.len)
            telemetry_sink_add(t->list[i].sink, json);
    }
    if (!t->closed)
        keep(t, ev);
}

/* ---- subscribers */

static void on_connect(uint16_t port, void *arg)
{
    struct subscriber *s = arg;

    s->all->ops->dial((uint32_t)(s - s->all->list), port, s->all->arg);
}

static void on_settled(void *arg)
{
    struct subscriber *s = arg;

    s->all->ops->settled(s->all->arg);
}

static const struct telemetry_sink_ops sink_ops = {on_connect, on_settled};

static bool is_same(const struct telemetry_subscription *a, const struct telemetry_subscription *b)
{
    return a->schema == b->schema && a->types == b->types && a->is_tcp == b->is_tcp &&
           a->is_put == b->is_put && a->port == b->port && strcmp(a->path, b->path) == 0 &&
           a->max_items == b->max_items && a->max_bytes == b->max_bytes &&
           a->timeout_ms == b->timeout_ms;
}

static struct subscriber *find_place(struct telemetry *t, const char *name)
{
    size_t i;

    for (i = 0; i < t->len; i++)
        if (strcmp(t->list[i].name, name) == 0)
            return &t->list[i];
    if (t->len == SUBSCRIBERS_MAX)
        return NULL;
    return &t->list[t->len++];
}

bool telemetry_subscribe(struct telemetry *t, const char *name,
                         const struct telemetry_subscription *sub)
{
    struct subscriber *s = find_place(t, name);
    const struct kept *k;
    struct str json;

    if (!s)
        return false;
    if (s->sink && is_same(telemetry_sink_subscription(s->sink), sub))
        return true;
    telemetry_sink_free(s->sink);
    s->all = t;
    snprintf(s->name, sizeof(s->name), "%s", name);
    s->sink = telemetry_sink_new(t->loop, sub, &sink_ops, s);
    for (k = t->backlog; k; k = k->next) {
        json = k->json[form_of(sub->schema)];
        if ((sub->types & k->type) && json.len)
            telemetry_sink_add(s->sink, json);
    }
    return true;
}

void telemetry_close(struct telemetry *t)
{
    t->closed = true;
    drop_backlog(t);
    buf_done(&t->line);
}

void telemetry_socket(struct telemetry *t, uint32_t token, int fd)
{
    if (token < t->len)
        telemetry_sink_socket(t->list[token].sink, fd);
    else
        closep(&fd);
}

void telemetry_flush(struct telemetry *t)
{
    size_t i;

    for (i = 0; i < t->len; i++)
        telemetry_sink_flush(t->list[i].sink);
}

bool telemetry_is_delivering(const struct telemetry *t)
{
    size_t i;

    for (i = 0; i < t->len; i++)
        if (telemetry_sink_is_delivering(t->list[i].sink))
            return true;
    return false;
}

void telemetry_hold(struct telemetry *t, bool on)
{
    size_t i;

    for (i = 0; i < t->len; i++)
        telemetry_sink_hold(t->list[i].sink, on);
}
