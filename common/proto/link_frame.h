/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link_frame.h - the frames of a link: their 16-byte header, and a parser that takes bytes as they
 * come.
 *
 * A frame is a header, a head (bytes with a meaning of their own, complete before anyone sees
 * them) and data (bytes of a stream, handed on as they arrive). Lengths that a peer sends are
 * checked against the ceilings below before anything is done; memory grows with the bytes that
 * came, never with a length.
 *
 * Owns:    a parser owns the part of a head that came in an earlier read.
 * Threads: one at a time.
 * Errors:  -ERR_PROTOCOL; the parser is then good for link_parser_done() only.
 * Wire:    docs/internals/links.md, "Frames".
 */
#ifndef HEARTH_PROTO_LINK_FRAME_H
#define HEARTH_PROTO_LINK_FRAME_H

#include "common/base/buf.h"
#include "common/base/error.h"

#define LINK_FRAME_HEADER 16u
#define LINK_FRAME_HEAD_MAX (1024u * 1024u)
#define LINK_FRAME_DATA_MAX (64u * 1024u)
#define LINK_FRAME_HELLO_MAX 4096u
#define LINK_FRAME_CODE_MAX 64u

enum link_frame_type {
    LINK_FRAME_HELLO = 1, /* head: JSON; the first frame each way */
    LINK_FRAME_OPEN = 2, /* a new stream: its head, first data */
    LINK_FRAME_ANSWER = 3, /* the accepting side's head, first data */
    LINK_FRAME_DATA = 4,
    LINK_FRAME_WINDOW = 5, /* head: u32, bytes of credit */
    LINK_FRAME_RESET = 6, /* head: name of an error code */
    LINK_FRAME_PING = 7,
    LINK_FRAME_PONG = 8,
};

enum { LINK_FRAME_END = 1 }; /* flag: the sender's last bytes of this stream */

struct link_frame {
    enum link_frame_type type;
    uint8_t flags;
    uint8_t kind; /* OPEN: what the stream is for; else 0 */
    uint32_t stream; /* 0: the link itself */
    uint32_t head_len;
    uint32_t data_len;
};

/** Writes the header of @frame; it must be a legal one. */
void link_frame_write(const struct link_frame *frame, char ret[LINK_FRAME_HEADER]);
/** Reads a header; -ERR_PROTOCOL when it breaks any rule of its type. */
int link_frame_read(const char bytes[LINK_FRAME_HEADER], struct link_frame *ret,
                    struct error *err);

struct link_parser {
    struct link_frame frame; /* the current one */
    enum { LINK_PARSE_HEADER, LINK_PARSE_HEAD, LINK_PARSE_DATA } state;
    uint32_t data_left;
    uint32_t header_len;
    char header[LINK_FRAME_HEADER]; /* the part of it that came in an earlier read */
    struct buf head; /* as header */
};

/* What link_parser_next() found: a frame's beginning, a piece of its data, or both. */
struct link_part {
    const struct link_frame *frame;
    bool first; /* the frame begins here; @head is complete */
    bool last; /* nothing of the frame is left */
    struct str head; /* empty unless @first */
    struct str data;
};

void link_parser_init(struct link_parser *p);
void link_parser_done(struct link_parser *p);
/**
 * Takes the next part out of *@bytes, which shrinks.
 *
 * @ret  borrows from @bytes and @p until the next call
 *
 * Returns 1 with *@ret set; 0 when all bytes are used and more are needed; -ERR_PROTOCOL.
 */
int link_parser_next(struct link_parser *p, struct str *bytes, struct link_part *ret,
                     struct error *err);

#endif
