/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event_stream.h - AWS's event stream encoding (application/vnd.amazon.eventstream): messages with
 * headers and a payload, each guarded by two checksums.
 *
 *   u32 length of all | u32 length of the headers | u32 CRC of these 8 bytes
 *   headers: u8 length, name, u8 type, value by its type
 *   payload
 *   u32 CRC of all before                                    (big endian; CRC-32 of IEEE 802.3)
 *
 * Owns:    nothing; a read message borrows from the bytes.
 * Threads: any.
 * Errors:  writer: -ERR_TOO_LARGE, the buf is as it was. Reader: -ERR_PROTOCOL.
 * Source:  AWS documentation, "Event stream encoding"; the limits are those of the SDKs.
 */
#ifndef HEARTH_PROTO_EVENT_STREAM_H
#define HEARTH_PROTO_EVENT_STREAM_H

#include "common/base/buf.h"
#include "common/base/error.h"

#define EVENT_STREAM_TYPE "application/vnd.amazon.eventstream"
#define EVENT_OVERHEAD 16u /* bytes of a message without headers and payload */
#define EVENT_HEADERS_MAX (128u * 1024u) /* bytes */
#define EVENT_PAYLOAD_MAX (24u * 1024u * 1024u) /* bytes */

/**
 * Appends an event message: `:event-type`, `:content-type`, `:message-type` "event", @payload.
 *
 * @event_type    "PayloadChunk"; 1..255 bytes
 * @content_type  "application/json"; 1..255 bytes
 */
int event_stream_append(struct buf *b, struct str event_type, struct str content_type,
                        struct str payload);

struct event_message {
    struct str headers; /* well formed */
    struct str payload;
    size_t size; /* bytes of the whole message */
};

/**
 * Reads the first message of @bytes: 1 and *@ret, 0 when more bytes are needed, -ERR_PROTOCOL for
 * what is no message (no more can be read behind it).
 */
int event_stream_read(struct str bytes, struct event_message *ret, struct error *err);
/** The value of the header @name when it is a string, or STR_NULL. */
struct str event_message_header(const struct event_message *message, const char *name);

#endif
