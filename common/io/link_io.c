/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames in and out. The first frame of a turn goes out at once, by one writev without a copy, so
 * that a lone message never waits. Small ones that follow in the same turn are collected and go
 * together at its end: under load that saves most of the system calls, here and at the peer.
 */
#include <stdlib.h>
#include <string.h>

#include "common/io/link_internal.h"
#include "common/proto/big_endian.h"

#define KEEP_OUT_BYTES (256u * 1024u) /* a buffer that grew beyond this is given back */

/* ---- out */

static void break_errno(struct link *link, int sys_errno, const char *doing)
{
    struct error why;

    if (sys_errno == -UV_EOF)
        error_set(&why, ERR_CLOSED, "the peer has closed the link");
    else
        error_set_errno(&why, ERR_CLOSED, sys_errno, "%s the link", doing);
    link_break(link, &why);
}

static void enqueue(struct link *link, const void *ptr, size_t len)
{
    struct error why;

    if (buf_append(&link->out, ptr, len) == 0)
        return;
    error_set(&why, ERR_TOO_LARGE, "the peer does not read");
    link_break(link, &why);
}

static void on_written(uv_write_t *req, int status);

/* The socket is full: libuv waits for it with all of @from but the first @done bytes. */
static void write_rest(struct link *link, struct buf *from, size_t done)
{
    struct buf empty = link->inflight;
    uv_buf_t rest;
    int r;

    link->inflight = *from;
    *from = empty;
    link->writing = true;
    rest = uv_buf_init(link->inflight.ptr + done, (unsigned)(link->inflight.len - done));
    r = uv_write(&link->write, &link->stream, &rest, 1, on_written);
    if (r < 0) {
        link->writing = false;
        break_errno(link, -r, "writing to");
    }
}

static void forget(struct buf *b)
{
    if (b->cap > KEEP_OUT_BYTES)
        buf_done(b);
    else
        buf_clear(b);
}

/* Hands the socket what it takes of the records that TLS has made; the rest waits for it. */
static void write_records(struct link *link)
{
    struct buf *records = link_session_out(link->session);
    uv_buf_t all = uv_buf_init(records->ptr, (unsigned)records->len);
    int r;

    if (records->len == 0 || link->writing)
        return;
    r = uv_try_write(&link->stream, &all, 1);
    if (r < 0 && r != UV_EAGAIN)
        break_errno(link, -r, "writing to");
    else if (r >= 0 && (size_t)r == records->len)
        forget(records);
    else
        write_rest(link, records, r < 0 ? 0 : (size_t)r);
}

/* Writes out and then @bufs (of which the first place is free for out) as TLS records. */
static void write_sealed(struct link *link, uv_buf_t *bufs, unsigned count)
{
    struct error err;
    int r;

    bufs[0] = uv_buf_init(link->out.ptr, (unsigned)link->out.len);
    r = link_session_seal(link->session, bufs, count, &err);
    forget(&link->out);
    if (r < 0)
        link_break(link, &err);
    else
        write_records(link);
}

/* Writes out and then @bufs (of which the first place is free for out); keeps what is left over. */
static void write_plain(struct link *link, uv_buf_t *bufs, unsigned count)
{
    size_t done, n;
    unsigned i;
    int r;

    bufs[0] = uv_buf_init(link->out.ptr, (unsigned)link->out.len);
    i = link->out.len > 0 ? 0 : 1;
    r = uv_try_write(&link->stream, bufs + i, count - i);
    if (r < 0 && r != UV_EAGAIN) {
        break_errno(link, -r, "writing to");
        return;
    }
    done = r < 0 ? 0 : (size_t)r;
    if (done < link->out.len) {
        buf_consume(&link->out, done);
        done = 0;
    } else {
        done -= link->out.len;
        forget(&link->out);
    }
    for (i = 1; i < count; i++) {
        n = bufs[i].len < done ? bufs[i].len : done;
        done -= n;
        if (n < bufs[i].len)
            enqueue(link, bufs[i].base + n, bufs[i].len - n);
    }
    if (link->out.len > 0)
        write_rest(link, &link->out, 0);
}

static void write_now(struct link *link, uv_buf_t *bufs, unsigned count)
{
    if (link->session)
        write_sealed(link, bufs, count);
    else
        write_plain(link, bufs, count);
}

void link_flush(struct link *link)
{
    uv_buf_t bufs[1];

    if (link->writing)
        return;
    if (link->session)
        write_records(link); /* what TLS has to say by itself */
    if (link->out.len > 0 && !link->writing)
        write_now(link, bufs, 1);
}

static bool may_write(const struct link *link)
{
    return link->state == LINK_UP || link->state == LINK_GREETING;
}

/* Bytes may still go out and come in. */
static bool is_open(const struct link *link)
{
    return may_write(link) || link->state == LINK_SECURING;
}

static void on_written(uv_write_t *req, int status)
{
    struct link *link = req->data;

    link->writing = false;
    forget(&link->inflight);
    if (!is_open(link))
        return;
    if (status < 0) {
        break_errno(link, -status, "writing to");
        return;
    }
    link_enter(link);
    link_flush(link);
    link_pump(link);
    link_tell_drained(link);
    link_leave(link);
}

static void on_turn_end(void *arg)
{
    struct link *link = arg;

    link->turn_end_planned = false;
    link->writes_in_turn = 0;
    if (may_write(link))
        link_flush(link);
    link_unref(link);
}

void link_transmit(struct link *link, const struct link_frame *frame, struct str head,
                   struct str data)
{
    size_t size = LINK_FRAME_HEADER + head.len + data.len;
    char header[LINK_FRAME_HEADER];
    uv_buf_t bufs[4];

    if (!may_write(link))
        return;
    link_frame_write(frame, header);
    if (link->writing || (link->writes_in_turn > 0 && size <= LINK_SMALL_FRAME &&
                          link->out.len + size <= LINK_SMALL_TOTAL)) {
        enqueue(link, header, sizeof(header));
        enqueue(link, head.ptr, head.len);
        enqueue(link, data.ptr, data.len);
        return;
    }
    if (!link->turn_end_planned) {
        link->turn_end_planned = true;
        link->refs++;
        loop_defer(link->loop, on_turn_end, link);
    }
    link->writes_in_turn++;
    bufs[1] = uv_buf_init(header, sizeof(header));
    bufs[2] = uv_buf_init((char *)head.ptr, (unsigned)head.len);
    bufs[3] = uv_buf_init((char *)data.ptr, (unsigned)data.len);
    write_now(link, bufs, 4);
}

/* ---- in */

static bool is_good(const struct link *link, const struct link_stream *s)
{
    return link->state == LINK_UP && !s->gone;
}

/* The data of OPEN, ANSWER and DATA, and the end of the peer's side. */
static int take_data(struct link *link, struct link_stream *s, const struct link_part *part,
                     struct error *err)
{
    if (s->peer_ended)
        return error_set(err, ERR_PROTOCOL, "stream %u: data after the end", s->id);
    if (part->data.len > s->window)
        return error_set(err, ERR_PROTOCOL, "stream %u: data beyond the credit", s->id);
    s->window -= (uint32_t)part->data.len;
    if (part->data.len > 0)
        s->ops->on_data(s, part->data, s->arg);
    if (!part->last || !(part->frame->flags & LINK_FRAME_END) || !is_good(link, s))
        return 0;
    s->peer_ended = true;
    s->ops->on_end(s, s->arg);
    if (is_good(link, s) && s->end_asked)
        link_stream_detach(s);
    return 0;
}

static int take_open(struct link *link, const struct link_part *part, struct error *err)
{
    const struct link_frame *frame = part->frame;
    struct link_stream *s;

    if ((frame->stream & 1) == (link->next_id & 1) || link_stream_find(link, frame->stream))
        return error_set(err, ERR_PROTOCOL, "stream %u cannot be opened", frame->stream);
    s = link_stream_add_peers(link, frame->stream);
    if (!s)
        return 0; /* refused */
    if (frame->kind == LINK_CALL || frame->kind == LINK_INVOKE)
        link->ops->on_stream(link, s, (enum link_kind)frame->kind, part->head, link->arg);
    if (!is_good(link, s))
        return 0;
    if (!s->accepted) {
        link_stream_reset(s, ERR_UNSUPPORTED);
        return 0;
    }
    return take_data(link, s, part, err);
}

static int take_answer(struct link *link, struct link_stream *s, const struct link_part *part,
                       struct error *err)
{
    if (!s->ours || s->answered)
        return error_set(err, ERR_PROTOCOL, "stream %u: an answer to nothing", s->id);
    s->answered = true;
    if (s->peer_ended)
        return error_set(err, ERR_PROTOCOL, "stream %u: an answer after the end", s->id);
    if (s->ops->on_head)
        s->ops->on_head(s, part->head, s->arg);
    return is_good(link, s) ? take_data(link, s, part, err) : 0;
}

static void take_reset(struct link_stream *s, struct str code)
{
    const struct link_stream_ops *ops = s->ops;
    void *arg = s->arg;
    struct error why;

    error_set(&why, error_code_from_name(code.ptr, code.len), "reset by the peer (%.*s)",
              STR_ARG(code));
    link_stream_drop(s); /* first, so that calls on it in the callback do nothing */
    if (ops)
        ops->on_reset(s, &why, arg);
}

/* A frame of a stream. One that we do not know has ended or was reset by us, and what the peer
 * sent before it learned of that is dropped here. */
static int take_stream_frame(struct link *link, const struct link_part *part, struct error *err)
{
    struct link_stream *s = link_stream_find(link, part->frame->stream);

    if (!s)
        return 0;
    if (part->first && part->frame->type == LINK_FRAME_WINDOW)
        return link_stream_take_credit(s, be32_get(part->head.ptr), err);
    if (part->first && part->frame->type == LINK_FRAME_RESET) {
        take_reset(s, part->head);
        return 0;
    }
    if (part->first && part->frame->type == LINK_FRAME_ANSWER)
        return take_answer(link, s, part, err);
    return take_data(link, s, part, err);
}

static int take_part(struct link *link, const struct link_part *part, struct error *err)
{
    const struct link_frame pong = {.type = LINK_FRAME_PONG};

    if ((link->state == LINK_GREETING) != (part->frame->type == LINK_FRAME_HELLO))
        return error_set(err, ERR_PROTOCOL, "frame type %d instead of a greeting, or after it",
                         part->frame->type);
    switch (part->frame->type) {
    case LINK_FRAME_HELLO:
        return link_take_hello(link, part->head, err);
    case LINK_FRAME_OPEN:
        return part->first ? take_open(link, part, err) : take_stream_frame(link, part, err);
    case LINK_FRAME_ANSWER:
    case LINK_FRAME_DATA:
    case LINK_FRAME_WINDOW:
    case LINK_FRAME_RESET:
        return take_stream_frame(link, part, err);
    case LINK_FRAME_PING:
        link_transmit(link, &pong, STR_NULL, STR_NULL);
        return 0;
    case LINK_FRAME_PONG:
        return 0;
    }
    return error_set(err, ERR_PROTOCOL, "frame of unknown type %d", part->frame->type);
}

/* Bytes of frames. */
static void take_bytes(struct link *link, struct str bytes)
{
    struct link_part part;
    struct error err;
    int r = 0;

    while (may_write(link) && (r = link_parser_next(&link->parser, &bytes, &part, &err)) > 0) {
        r = take_part(link, &part, &err);
        if (r < 0)
            break;
    }
    if (r < 0)
        link_break(link, &err);
}

void link_secure(struct link *link)
{
    struct error err;
    int r = link_session_shake(link->session, &err);

    if (r == 0)
        r = link_take_certificate(link, &err);
    write_records(link); /* when it failed, too: they tell the peer why */
    if (r < 0)
        link_break(link, &err);
    else if (r == 0 && link->state == LINK_SECURING)
        link_greet(link);
}

/* Bytes of TLS records. */
static void take_records(struct link *link, struct str bytes)
{
    char plain[LINK_RECORD_BYTES];
    struct error err;
    int n = 0;

    link_session_feed(link->session, bytes);
    if (link->state == LINK_SECURING)
        link_secure(link);
    while (may_write(link) && (n = link_session_open(link->session, plain, sizeof(plain), &err)) > 0)
        take_bytes(link, str_from(plain, (size_t)n));
    if (n < 0)
        link_break(link, &err);
    if (may_write(link))
        write_records(link); /* what TLS has to say by itself */
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    struct link *link = stream->data;

    if (len == 0 || !is_open(link))
        return;
    if (len < 0) {
        break_errno(link, (int)-len, "reading from");
        return;
    }
    link->heard = true;
    link_enter(link);
    if (link->session)
        take_records(link, str_from(buf->base, (size_t)len));
    else
        take_bytes(link, str_from(buf->base, (size_t)len));
    link_pump(link);
    link_tell_drained(link);
    link_leave(link);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
    struct link *link = handle->data;

    (void)suggested;
    *ret = uv_buf_init(link->read_buf, sizeof(link->read_buf));
}

void link_read_start(struct link *link)
{
    if (uv_read_start(&link->stream, on_alloc, on_read) < 0)
        abort();
}
