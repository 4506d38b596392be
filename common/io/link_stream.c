/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/io/link_internal.h"
#include "common/proto/big_endian.h"

#define FIRST_TABLE_SIZE 64u

/* Under the address sanitizer streams are freed, so that a pointer kept too long is found. */
#if defined(__SANITIZE_ADDRESS__)
#define REUSE_STREAMS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define REUSE_STREAMS 0
#endif
#endif
#ifndef REUSE_STREAMS
#define REUSE_STREAMS 1
#endif

static size_t at_most(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* ---- the queue: bytes that wait for credit or for the socket */

static void queue_append(struct link_queue *q, struct str data)
{
    size_t cap;
    char *fresh;

    if (q->at + q->len + data.len > q->cap) {
        /* what is left moves to a new place; the sender has decided how much that may be */
        cap = q->len + data.len;
        if (cap < 2 * q->len)
            cap = 2 * q->len;
        fresh = malloc(cap);
        if (!fresh)
            abort();
        if (q->len)
            memcpy(fresh, q->ptr + q->at, q->len);
        free(q->ptr);
        q->ptr = fresh;
        q->at = 0;
        q->cap = cap;
    }
    memcpy(q->ptr + q->at + q->len, data.ptr, data.len);
    q->len += data.len;
}

static void queue_done(struct link_queue *q)
{
    free(q->ptr);
    *q = (struct link_queue){0};
}

static void queue_consume(struct link_queue *q, size_t n)
{
    q->at += n;
    q->len -= n;
    if (q->len == 0)
        queue_done(q);
}

/* ---- the table: chains by id; ids are given in order, so chains are short without a hash */

static struct link_stream **slot(const struct link *link, uint32_t id)
{
    return &link->table[id & (link->table_size - 1)];
}

struct link_stream *link_stream_find(const struct link *link, uint32_t id)
{
    struct link_stream *s = *slot(link, id);

    while (s && s->id != id)
        s = s->chain;
    return s;
}

static void make_table(struct link *link, size_t size)
{
    link->table = calloc(size, sizeof(struct link_stream *));
    if (!link->table)
        abort();
    link->table_size = size;
}

static void table_add(struct link *link, struct link_stream *s)
{
    struct link_stream **at, **old = link->table;
    struct list_node *n;
    struct link_stream *other;

    if (link->stream_count >= link->table_size) {
        make_table(link, 2 * link->table_size);
        free(old);
        LIST_FOREACH(&link->streams, n) {
            other = CONTAINER_OF(n, struct link_stream, node);
            at = slot(link, other->id);
            other->chain = *at;
            *at = other;
        }
    }
    at = slot(link, s->id);
    s->chain = *at;
    *at = s;
    list_append(&link->streams, &s->node);
    link->stream_count++;
}

static void table_remove(struct link *link, struct link_stream *s)
{
    struct link_stream **at = slot(link, s->id);

    while (*at != s)
        at = &(*at)->chain;
    *at = s->chain;
    list_remove(&s->node);
    link->stream_count--;
}

/* ---- birth and death */

void link_streams_init(struct link *link, bool odd)
{
    make_table(link, FIRST_TABLE_SIZE);
    link->next_id = odd ? 1 : 2;
    list_init(&link->streams);
    list_init(&link->ready);
    list_init(&link->drained);
    list_init(&link->dead);
    list_init(&link->spare);
}

static void free_list(struct list_node *list)
{
    struct list_node *n, *after;

    LIST_FOREACH_SAFE(list, n, after)
        free(CONTAINER_OF(n, struct link_stream, node));
    list_init(list);
}

void link_streams_done(struct link *link)
{
    free_list(&link->dead);
    free_list(&link->spare);
    free(link->table);
}

static struct link_stream *stream_new(struct link *link, uint32_t id, bool ours)
{
    struct link_stream *s = LIST_FIRST(&link->spare, struct link_stream, node);

    if (s) {
        list_remove(&s->node);
        link->spare_count--;
    } else {
        s = malloc(sizeof(*s));
        if (!s)
            abort();
    }
    *s = (struct link_stream){
        .link = link,
        .id = id,
        .ours = ours,
        .credit = LINK_WINDOW,
        .window = LINK_WINDOW,
    };
    list_init(&s->ready);
    list_init(&s->drained);
    table_add(link, s);
    return s;
}

static void bury(struct link *link, struct link_stream *s)
{
    if (REUSE_STREAMS && link->spare_count < LINK_SPARE_STREAMS) {
        list_prepend(&link->spare, &s->node); /* the warmest first */
        link->spare_count++;
    } else {
        free(s);
    }
}

void link_bury_dead(struct link *link)
{
    struct link_stream *s;

    while ((s = LIST_FIRST(&link->dead, struct link_stream, node))) {
        list_remove(&s->node);
        bury(link, s);
    }
}

void link_stream_drop(struct link_stream *s)
{
    struct link *link = s->link;

    table_remove(link, s);
    if (!s->ours)
        link->peer_stream_count--;
    list_remove(&s->ready);
    list_remove(&s->drained);
    queue_done(&s->queue);
    s->gone = true;
    if (link->calling > 0)
        list_append(&link->dead, &s->node);
    else
        bury(link, s);
}

void link_streams_drop_all(struct link *link)
{
    struct link_stream *s;

    while ((s = LIST_FIRST(&link->streams, struct link_stream, node)))
        link_stream_drop(s);
}

void link_streams_reset_all(struct link *link, const struct error *why)
{
    struct link_stream *s;

    while (link->state == LINK_BROKEN &&
           (s = LIST_FIRST(&link->streams, struct link_stream, node))) {
        link_stream_drop(s);
        if (s->ops)
            s->ops->on_reset(s, why, s->arg);
    }
}

/* A joiner comes to ask one question. */
static size_t streams_max(const struct link *link)
{
    return link->server && strcmp(link->peer.role, LINK_JOINER) == 0 ? 1 : LINK_PEER_STREAMS_MAX;
}

struct link_stream *link_stream_add_peers(struct link *link, uint32_t id)
{
    struct link_stream *s = stream_new(link, id, false);

    link->peer_stream_count++;
    if (link->peer_stream_count <= streams_max(link))
        return s;
    link_stream_reset(s, ERR_THROTTLED);
    return NULL;
}

void link_stream_detach(struct link_stream *s)
{
    if (s->end_sent)
        link_stream_drop(s);
    else
        s->ops = NULL;
}

/* ---- sending */

static bool can_send(const struct link_stream *s)
{
    return s->queue.len > 0 && s->credit > 0;
}

static void mark_ready(struct link_stream *s)
{
    if (can_send(s) && !list_is_linked(&s->ready))
        list_append(&s->link->ready, &s->ready);
}

/*
 * Sends @data behind a frame of type @type that carries @head: as much as credit and socket take
 * now, in frames that leave room for other streams between them; the rest is queued.
 */
static void put(struct link_stream *s, struct link_frame frame, struct str head, struct str data,
                bool end)
{
    struct link *link = s->link;
    size_t n;

    assert(!s->end_asked);
    s->end_asked = end;
    frame.stream = s->id;
    frame.head_len = (uint32_t)head.len;
    for (;;) {
        n = 0;
        if (s->queue.len == 0 && !link->writing)
            n = at_most(data.len, at_most(s->credit, LINK_FRAME_DATA_MAX));
        if (end && s->queue.len == 0 && n == data.len) {
            frame.flags = LINK_FRAME_END;
            s->end_sent = true;
        } else if (frame.type == LINK_FRAME_DATA && n == 0) {
            break;
        }
        frame.data_len = (uint32_t)n;
        link_transmit(link, &frame, head, str_from(data.ptr, n));
        s->credit -= (uint32_t)n;
        if (n > 0)
            data = str_from(data.ptr + n, data.len - n);
        if (s->end_sent)
            return;
        frame = (struct link_frame){.type = LINK_FRAME_DATA, .stream = s->id};
        head = STR_NULL;
    }
    if (data.len > 0) {
        queue_append(&s->queue, data);
        s->wants_drain = true;
        mark_ready(s);
    }
}

static void send_from_queue(struct link_stream *s)
{
    struct link_frame frame = {.type = LINK_FRAME_DATA, .stream = s->id};
    size_t n = at_most(s->queue.len, at_most(s->credit, LINK_FRAME_DATA_MAX));

    if (s->end_asked && n == s->queue.len) {
        frame.flags = LINK_FRAME_END;
        s->end_sent = true;
    }
    frame.data_len = (uint32_t)n;
    link_transmit(s->link, &frame, STR_NULL, str_from(s->queue.ptr + s->queue.at, n));
    s->credit -= (uint32_t)n;
    queue_consume(&s->queue, n);
    if (s->end_sent && !s->ops) {
        link_stream_drop(s);
        return;
    }
    if (s->wants_drain && s->queue.len <= LINK_LOW_WATER && !list_is_linked(&s->drained))
        list_append(&s->link->drained, &s->drained);
    mark_ready(s);
}

void link_pump(struct link *link)
{
    struct link_stream *s;

    while (link->state == LINK_UP && !link->writing &&
           (s = LIST_FIRST(&link->ready, struct link_stream, ready))) {
        list_remove(&s->ready);
        send_from_queue(s);
    }
}

void link_tell_drained(struct link *link)
{
    struct link_stream *s;

    while (link->state == LINK_UP &&
           (s = LIST_FIRST(&link->drained, struct link_stream, drained))) {
        list_remove(&s->drained);
        s->wants_drain = s->queue.len > LINK_LOW_WATER; /* another callback may have sent more */
        if (!s->wants_drain && s->ops && s->ops->on_drain)
            s->ops->on_drain(s, s->arg);
    }
}

int link_stream_take_credit(struct link_stream *s, uint32_t bytes, struct error *err)
{
    if (bytes == 0 || bytes > LINK_WINDOW - s->credit)
        return error_set(err, ERR_PROTOCOL, "stream %u: a credit of %u bytes", s->id, bytes);
    s->credit += bytes;
    mark_ready(s); /* the reader of frames pumps when it has read all */
    return 0;
}

/* ---- public */

static uint32_t take_id(struct link *link)
{
    uint32_t id;

    do {
        id = link->next_id;
        link->next_id = id > UINT32_MAX - 2 ? 2 - (id & 1) : id + 2;
    } while (link_stream_find(link, id));
    return id;
}

struct link_stream *link_open(struct link *link, enum link_kind kind, struct str head,
                              struct str data, bool end, const struct link_stream_ops *ops,
                              void *arg)
{
    const struct link_frame frame = {.type = LINK_FRAME_OPEN, .kind = (uint8_t)kind};
    struct link_stream *s;

    if (link->state != LINK_UP || head.len > LINK_HEAD_MAX)
        return NULL;
    s = stream_new(link, take_id(link), true);
    s->ops = ops;
    s->arg = arg;
    put(s, frame, head, data, end);
    return s;
}

void link_stream_accept(struct link_stream *s, const struct link_stream_ops *ops, void *arg)
{
    s->accepted = true;
    s->ops = ops;
    s->arg = arg;
}

/* The user has sent the last of it: when the peer had ended before, the stream is over. */
static void after_put(struct link_stream *s)
{
    if (s->end_asked && s->peer_ended)
        link_stream_detach(s);
}

void link_stream_answer(struct link_stream *s, struct str head, struct str data, bool end)
{
    const struct link_frame frame = {.type = LINK_FRAME_ANSWER};

    if (s->gone)
        return;
    assert(!s->ours && !s->answered && head.len <= LINK_HEAD_MAX);
    s->answered = true;
    put(s, frame, head, data, end);
    after_put(s);
}

void link_stream_send(struct link_stream *s, struct str data, bool end)
{
    const struct link_frame frame = {.type = LINK_FRAME_DATA};

    if (s->gone)
        return;
    put(s, frame, STR_NULL, data, end);
    after_put(s);
}

size_t link_stream_queued(const struct link_stream *s)
{
    return s->queue.len;
}

void link_stream_consumed(struct link_stream *s, size_t n)
{
    const struct link_frame frame = {
        .type = LINK_FRAME_WINDOW, .stream = s->id, .head_len = sizeof(uint32_t)};
    char head[sizeof(uint32_t)];

    if (s->gone || s->peer_ended)
        return;
    assert(n <= LINK_WINDOW - s->window - s->consumed); /* no more than was received */
    s->consumed += (uint32_t)n;
    /* told by halves of the window: the peer never stands still, and few frames say it */
    if (s->consumed < LINK_WINDOW / 2)
        return;
    be32_put(head, s->consumed);
    s->window += s->consumed;
    s->consumed = 0;
    link_transmit(s->link, &frame, str_from(head, sizeof(head)), STR_NULL);
}

void link_stream_reset(struct link_stream *s, enum error_code code)
{
    struct str name = str_of(error_code_name(code));
    struct link_frame frame = {
        .type = LINK_FRAME_RESET, .stream = s->id, .head_len = (uint32_t)name.len};
    struct link *link = s->link;

    if (s->gone)
        return;
    link_stream_drop(s);
    link_transmit(link, &frame, name, STR_NULL);
}

struct link *link_stream_link(const struct link_stream *s)
{
    return s->link;
}

uint32_t link_stream_id(const struct link_stream *s)
{
    return s->id;
}
