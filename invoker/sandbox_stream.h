/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox_stream.h - inside sandbox.c: a streamed response, counted against its limit, and gathered
 * when the caller wants one answer; and what its trailers say of an error.
 *
 * Owns:    what was gathered.
 * Threads: loop thread only.
 * Errors:  -ERR_TOO_LARGE beyond the limit.
 * Source:  Lambda developer guide, "Building a custom runtime", response streaming.
 */
#ifndef HEARTH_INVOKER_SANDBOX_STREAM_H
#define HEARTH_INVOKER_SANDBOX_STREAM_H

#include "common/base/buf.h"
#include "common/base/error.h"

struct sandbox_stream {
    uint64_t bytes; /* so far */
    uint64_t limit;
    bool gathers;
    struct buf gathered;
};

/** Nothing has come; NULL memory. */
void sandbox_stream_init(struct sandbox_stream *st);
/** A new one begins. @gathers: all of it is kept, which @limit bounds. */
void sandbox_stream_begin(struct sandbox_stream *st, uint64_t limit, bool gathers);
/** The next bytes. */
int sandbox_stream_take(struct sandbox_stream *st, struct str bytes);
/** Forgets what was gathered. */
void sandbox_stream_over(struct sandbox_stream *st);
/**
 * Appends the JSON of an error told in trailers: @error is base64 of it; when it is none, a JSON with
 * @error_type is made.
 */
void sandbox_stream_error(struct buf *b, const char *error_type, struct str error);

#endif
