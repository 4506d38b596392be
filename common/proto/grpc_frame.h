/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grpc_frame.h - gRPC's part of an exchange over HTTP/2: messages behind five bytes each, and the
 * status in the trailers.
 *
 * Owns:    nothing. Threads: any.
 * Errors:  -ERR_PROTOCOL; -ERR_TOO_LARGE at a buf's ceiling.
 * Source:  grpc/doc/PROTOCOL-HTTP2.md, statuscodes.md.
 */
#ifndef HEARTH_PROTO_GRPC_FRAME_H
#define HEARTH_PROTO_GRPC_FRAME_H

#include "common/base/buf.h"
#include "common/base/error.h"

/** Appends @message, not compressed. */
int grpc_frame_put(struct buf *b, struct str message);
/** Takes the next message off *@rest: 1, or 0 at the end, or -ERR_PROTOCOL (cut off, compressed). */
int grpc_frame_next(struct str *rest, struct str *ret);
/**
 * The trailers' words: 0 for "0", else -ERR_* with the message, which is percent-encoded and may be
 * a null str. A status that is no number is -ERR_PROTOCOL.
 */
int grpc_status_check(struct str status, struct str message, struct error *err);

#endif
