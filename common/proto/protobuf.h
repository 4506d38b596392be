/* SPDX-License-Identifier: Apache-2.0 */
/*
 * protobuf.h - the wire format of Protocol Buffers, field by field: as much as the few messages of
 * containerd need, which are in containerd_wire.h.
 *
 * Written here and not taken from protobuf-c: see docs/internals/containerd.md.
 *
 * Owns:    nothing; what is read points into the message.
 * Threads: any.
 * Errors:  -ERR_PROTOCOL for bytes that are no message; -ERR_TOO_LARGE at a buf's ceiling.
 * Source:  protobuf.dev, "Encoding"; groups (deprecated, in no proto3 message) are refused.
 */
#ifndef HEARTH_PROTO_PROTOBUF_H
#define HEARTH_PROTO_PROTOBUF_H

#include "common/base/buf.h"
#include "common/base/error.h"

struct protobuf_field {
    uint32_t number; /* from 1 */
    bool is_bytes; /* length-delimited: string, bytes or a message */
    uint64_t value; /* of the others */
    struct str bytes;
};

/** Takes the next field off *@rest: 1, or 0 at the end, or -ERR_PROTOCOL. */
int protobuf_next(struct str *rest, struct protobuf_field *ret);
/** The last field @number of @message as bytes; empty when there is none, or @message is none. */
struct str protobuf_find(struct str message, uint32_t number);

/** Appends a string, bytes or a message; nothing when @bytes is empty, as proto3 has it. */
int protobuf_put(struct buf *b, uint32_t number, struct str bytes);
/** Appends an entry of a map<string, string>. */
int protobuf_put_entry(struct buf *b, uint32_t number, struct str key, struct str value);

#endif
