/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http1.h - HTTP/1.1 messages, strictly: request heads read in place as the bytes come in, chunked
 * bodies, response heads written.
 *
 * What two programs could read in two ways is refused: bare LF, folded lines, blanks before a
 * colon, Transfer-Encoding beside Content-Length, any coding but chunked, differing lengths.
 *
 * Owns:    nothing. A head keeps offsets into the caller's bytes, so these may be moved between
 *          calls.
 * Threads: any.
 * Errors:  -ERR_PROTOCOL; the HTTP status to answer with and a few words of why stay in the struct.
 * Source:  RFC 9112, RFC 9110 sections 5.5, 5.6.2, 7.2, 10.1.1.
 */
#ifndef HEARTH_PROTO_HTTP1_H
#define HEARTH_PROTO_HTTP1_H

#include "common/base/buf.h"
#include "common/base/error.h"

#define HTTP1_HEAD_MAX 16384u /* bytes of a request head, the empty line included */
#define HTTP1_FIELDS_MAX 64u
#define HTTP1_TRAILERS_MAX 65536u /* bytes of a trailer section */

/** A run of bytes in the head. */
struct http1_span {
    uint16_t at, len;
};

struct http1_field {
    struct http1_span name; /* made lower case in place */
    struct http1_span value; /* without blanks around it */
};

struct http1_head {
    struct http1_span method; /* "GET" */
    struct http1_span path; /* as sent, without the query; "*" for OPTIONS * */
    struct http1_span query; /* behind '?' */
    struct http1_field fields[HTTP1_FIELDS_MAX];
    uint16_t field_count;
    uint8_t minor; /* 0 or 1 */
    bool keep_alive; /* the client would go on with this connection */
    bool chunked;
    bool has_length;
    bool expects_continue;
    uint64_t content_length; /* 0 when there is none */
    int status; /* after -ERR_PROTOCOL: what to answer with, 400 .. 505 */
    const char *why; /* static */
    /* where reading stands */
    uint16_t line_at, seen;
    bool has_request_line, has_host, close, keep;
};

/** Gets ready for a new message. */
void http1_head_init(struct http1_head *h);
/**
 * Reads on. @bytes starts where the message starts, each time, and holds @len bytes by now; names
 * of fields in it are made lower case.
 *
 * Returns the length of the whole head when it is there, 0 when more bytes are needed.
 */
int http1_head_read(struct http1_head *h, char *bytes, size_t len);
/** The bytes of @span in the head that starts at @bytes. */
struct str http1_str(const char *bytes, struct http1_span span);
/** The value of the first field @name (lower case); a NULL ptr when there is none. */
struct str http1_head_get(const struct http1_head *h, const char *bytes, struct str name);

/* A chunked body. Zeroed it is ready to begin. */
struct http1_chunked {
    uint64_t left; /* of this chunk */
    uint32_t line; /* bytes of this size or trailer line */
    uint32_t trailer_bytes;
    uint8_t state;
    uint8_t digits;
    const char *why;
};

/**
 * Decodes in place: from the *@len raw bytes at @bytes, payload is moved to their front and *@len
 * becomes its length; *@used is how many raw bytes were read (all, unless the body ends before).
 *
 * @trailers  gets the trailer section's lines ("name: value\r\n"); NULL: they are skipped
 *
 * Returns 1 when the body has ended, 0 when more is needed, -ERR_PROTOCOL (the payload in front of
 * what is wrong is there).
 */
int http1_chunked_read(struct http1_chunked *c, char *bytes, size_t *len, size_t *used,
                       struct buf *trailers);

/* Response heads: a status line, fields, an empty line. */
/** The usual words for @status, "OK"; "" for codes without. */
const char *http1_reason(int status);
int http1_write_status(struct buf *b, int status);
/** -ERR_PROTOCOL (nothing appended) for a name or value that would break the message. */
int http1_write_field(struct buf *b, struct str name, struct str value);
int http1_write_length(struct buf *b, uint64_t length);

#endif
