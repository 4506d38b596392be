/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/link_frame.h"

#include <string.h>

#include "common/proto/big_endian.h"

/* A head that came in pieces leaves its memory for the next one, if it is not more than this. */
#define KEEP_HEAD_BYTES (64u * 1024u)

enum { AT_LENGTH = 0, AT_STREAM = 4, AT_HEAD_LEN = 8, AT_TYPE = 12, AT_FLAGS, AT_KIND, AT_ZERO };

/* What a frame of each type may carry. */
static const struct {
    bool known;
    bool on_stream; /* stream is not 0 */
    bool has_kind; /* kind is not 0 */
    bool may_carry; /* data and END are legal */
    uint32_t head_min, head_max;
} rules[] = {
    [LINK_FRAME_HELLO] = {true, false, false, false, 1, LINK_FRAME_HELLO_MAX},
    [LINK_FRAME_OPEN] = {true, true, true, true, 0, LINK_FRAME_HEAD_MAX},
    [LINK_FRAME_ANSWER] = {true, true, false, true, 0, LINK_FRAME_HEAD_MAX},
    [LINK_FRAME_DATA] = {true, true, false, true, 0, 0},
    [LINK_FRAME_WINDOW] = {true, true, false, false, 4, 4},
    [LINK_FRAME_RESET] = {true, true, false, false, 1, LINK_FRAME_CODE_MAX},
    [LINK_FRAME_PING] = {true, false, false, false, 0, 0},
    [LINK_FRAME_PONG] = {true, false, false, false, 0, 0},
};

void link_frame_write(const struct link_frame *frame, char ret[LINK_FRAME_HEADER])
{
    be32_put(ret + AT_LENGTH, frame->head_len + frame->data_len);
    be32_put(ret + AT_STREAM, frame->stream);
    be32_put(ret + AT_HEAD_LEN, frame->head_len);
    ret[AT_TYPE] = (char)frame->type;
    ret[AT_FLAGS] = (char)frame->flags;
    ret[AT_KIND] = (char)frame->kind;
    ret[AT_ZERO] = 0;
}

int link_frame_read(const char bytes[LINK_FRAME_HEADER], struct link_frame *ret,
                    struct error *err)
{
    uint32_t length = be32_get(bytes + AT_LENGTH);
    uint32_t stream = be32_get(bytes + AT_STREAM);
    uint32_t head_len = be32_get(bytes + AT_HEAD_LEN);
    uint8_t type = (uint8_t)bytes[AT_TYPE];
    uint8_t flags = (uint8_t)bytes[AT_FLAGS];
    uint8_t kind = (uint8_t)bytes[AT_KIND];
    uint32_t data_len;

    if (type >= ARRAY_LEN(rules) || !rules[type].known)
        return error_set(err, ERR_PROTOCOL, "frame of unknown type %u", type);
    if (head_len > length || head_len < rules[type].head_min || head_len > rules[type].head_max)
        return error_set(err, ERR_PROTOCOL, "frame type %u with a head of %u bytes", type,
                         head_len);
    data_len = length - head_len;
    if (data_len > (rules[type].may_carry ? LINK_FRAME_DATA_MAX : 0))
        return error_set(err, ERR_PROTOCOL, "frame type %u with %u bytes of data", type, data_len);
    if ((flags & ~LINK_FRAME_END) || (flags && !rules[type].may_carry) || bytes[AT_ZERO] != 0)
        return error_set(err, ERR_PROTOCOL, "frame type %u with flags %#x", type, flags);
    if ((stream != 0) != rules[type].on_stream || (kind != 0) != rules[type].has_kind)
        return error_set(err, ERR_PROTOCOL, "frame type %u on stream %u of kind %u", type, stream,
                         kind);
    if (type == LINK_FRAME_DATA && data_len == 0 && !flags)
        return error_set(err, ERR_PROTOCOL, "frame that says nothing");
    *ret = (struct link_frame){(enum link_frame_type)type, flags, kind, stream, head_len, data_len};
    return 0;
}

void link_parser_init(struct link_parser *p)
{
    *p = (struct link_parser){.head = BUF_INIT(LINK_FRAME_HEAD_MAX)};
}

void link_parser_done(struct link_parser *p)
{
    buf_done(&p->head);
}

/* The first @n bytes of *@bytes, which is that much shorter then. */
static struct str take(struct str *bytes, size_t n)
{
    struct str taken = {bytes->ptr, n};

    bytes->ptr += n;
    bytes->len -= n;
    return taken;
}

static size_t at_most(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* 1: the header is in p->frame; 0: it is not complete. */
static int parse_header(struct link_parser *p, struct str *bytes, struct error *err)
{
    const char *header = p->header;
    struct str piece;
    int r;

    if (p->header_len == 0 && bytes->len >= LINK_FRAME_HEADER) {
        header = take(bytes, LINK_FRAME_HEADER).ptr;
    } else {
        piece = take(bytes, at_most(bytes->len, LINK_FRAME_HEADER - p->header_len));
        if (piece.len)
            memcpy(p->header + p->header_len, piece.ptr, piece.len);
        p->header_len += (uint32_t)piece.len;
        if (p->header_len < LINK_FRAME_HEADER)
            return 0;
    }
    r = link_frame_read(header, &p->frame, err);
    if (r < 0)
        return r;
    p->header_len = 0;
    p->data_left = p->frame.data_len;
    if (p->head.cap > KEEP_HEAD_BYTES)
        buf_done(&p->head);
    else
        buf_clear(&p->head);
    p->state = LINK_PARSE_HEAD;
    return 1;
}

/* 1: *@ret is the whole head; 0: it is not complete. */
static int parse_head(struct link_parser *p, struct str *bytes, struct str *ret)
{
    size_t want = p->frame.head_len - p->head.len;
    int r;

    if (p->head.len == 0 && bytes->len >= want) {
        *ret = take(bytes, want);
    } else {
        r = buf_append_str(&p->head, take(bytes, at_most(bytes->len, want)));
        if (r < 0)
            return r; /* cannot be: its ceiling was checked with the header */
        if (p->head.len < p->frame.head_len)
            return 0;
        *ret = buf_str(&p->head);
    }
    p->state = LINK_PARSE_DATA;
    return 1;
}

int link_parser_next(struct link_parser *p, struct str *bytes, struct link_part *ret,
                     struct error *err)
{
    struct link_part part = {.frame = &p->frame};
    int r;

    if (p->state == LINK_PARSE_HEADER) {
        r = parse_header(p, bytes, err);
        if (r <= 0)
            return r;
    }
    if (p->state == LINK_PARSE_HEAD) {
        r = parse_head(p, bytes, &part.head);
        if (r <= 0)
            return r;
        part.first = true;
    }
    part.data = take(bytes, at_most(bytes->len, p->data_left));
    if (!part.first && part.data.len == 0)
        return 0;
    p->data_left -= (uint32_t)part.data.len;
    if (p->data_left == 0) {
        part.last = true;
        p->state = LINK_PARSE_HEADER;
    }
    *ret = part;
    return 1;
}
