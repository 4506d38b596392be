/* SPDX-License-Identifier: Apache-2.0 */
/*
 * result_stream.h - the data of a result whose head says INVOKE_STREAMING: the function's answer in
 * records as it is made, and how it ended behind them.
 *
 *   u32 length > 0, so many bytes of the answer      any number of them
 *   u32 0, a result_end (invoke_wire.h)              up to the end of the stream
 *
 * The reader hands on what has come, in place, whatever the pieces; only the end is copied.
 *
 * Owns:    a reader its copy of the end.
 * Threads: any, one at a time.
 * Errors:  -ERR_PROTOCOL for bytes behind the end and an end that makes no sense.
 * Wire:    big-endian; docs/internals/links.md.
 */
#ifndef HEARTH_PROTO_RESULT_STREAM_H
#define HEARTH_PROTO_RESULT_STREAM_H

#include "common/proto/invoke_wire.h"

/** Appends a record; @bytes are not empty. */
int result_stream_write(struct buf *b, struct str bytes);
/** Appends the end. */
int result_stream_write_end(struct buf *b, const struct result_end *end);

struct result_stream {
    uint32_t left; /* bytes of the record that are still to come */
    uint8_t prefix_len; /* bytes of its length that have come … */
    char prefix[4]; /* … and these */
    bool at_end;
    struct buf end;
};

/** Ready to read; result_stream_done() frees. */
void result_stream_init(struct result_stream *s);
void result_stream_done(struct result_stream *s);
/** As after init; the memory is kept. */
void result_stream_clear(struct result_stream *s);
/**
 * Reads on in *@bytes, and moves it behind what was read.
 *
 * Returns 1: *@ret is the next piece of the answer, borrowed from *@bytes; 0: all is read;
 * -ERR_TOO_LARGE: the end is larger than any.
 */
int result_stream_read(struct result_stream *s, struct str *bytes, struct str *ret);
/** The stream has ended: how, borrowed from @s. -ERR_PROTOCOL when it broke off. */
int result_stream_read_end(const struct result_stream *s, struct result_end *ret);

#endif
