/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/event_stream.h"

#include <zlib.h>

#include "common/proto/big_endian.h"

#define PRELUDE 12u /* two lengths and their CRC */
#define CRC 4u
#define VALUE_MAX 255u /* of a header that we write */

/* How the value of a header is written. */
enum value_type {
    VALUE_TRUE = 0,
    VALUE_FALSE = 1,
    VALUE_BYTE = 2,
    VALUE_SHORT = 3,
    VALUE_INTEGER = 4,
    VALUE_LONG = 5,
    VALUE_BYTES = 6,
    VALUE_STRING = 7,
    VALUE_TIMESTAMP = 8,
    VALUE_UUID = 9,
};

static uint32_t crc_of(const char *from, size_t len)
{
    return (uint32_t)crc32_z(0, (const unsigned char *)from, len);
}

/* ---- writing ---- */

static size_t header_size(struct str name, struct str value)
{
    return 1 + name.len + 1 + 2 + value.len;
}

static char *put_header(char *at, struct str name, struct str value)
{
    *at++ = (char)name.len;
    memcpy(at, name.ptr, name.len);
    at += name.len;
    *at++ = VALUE_STRING;
    be16_put(at, (uint16_t)value.len);
    memcpy(at + 2, value.ptr, value.len);
    return at + 2 + value.len;
}

int event_stream_append(struct buf *b, struct str event_type, struct str content_type,
                        struct str payload)
{
    const struct {
        struct str name, value;
    } headers[] = {
        {STR(":event-type"), event_type},
        {STR(":content-type"), content_type},
        {STR(":message-type"), STR("event")},
    };
    size_t headers_len = 0, total, i;
    char *start, *at;
    int r;

    for (i = 0; i < ARRAY_LEN(headers); i++) {
        if (headers[i].value.len == 0 || headers[i].value.len > VALUE_MAX)
            return -ERR_TOO_LARGE;
        headers_len += header_size(headers[i].name, headers[i].value);
    }
    if (payload.len > EVENT_PAYLOAD_MAX)
        return -ERR_TOO_LARGE;
    total = EVENT_OVERHEAD + headers_len + payload.len;
    r = buf_reserve(b, total);
    if (r < 0)
        return r;
    start = b->ptr + b->len;
    be32_put(start, (uint32_t)total);
    be32_put(start + 4, (uint32_t)headers_len);
    be32_put(start + 8, crc_of(start, 8));
    at = start + PRELUDE;
    for (i = 0; i < ARRAY_LEN(headers); i++)
        at = put_header(at, headers[i].name, headers[i].value);
    if (payload.len > 0)
        memcpy(at, payload.ptr, payload.len);
    be32_put(at + payload.len, crc_of(start, total - CRC));
    b->len += total;
    return 0;
}

/* ---- reading ---- */

/* Bytes of the value that begins @rest, its length field included; SIZE_MAX when it is none. */
static size_t value_size(enum value_type type, struct str rest)
{
    switch (type) {
    case VALUE_TRUE:
    case VALUE_FALSE:
        return 0;
    case VALUE_BYTE:
        return 1;
    case VALUE_SHORT:
        return 2;
    case VALUE_INTEGER:
        return 4;
    case VALUE_LONG:
    case VALUE_TIMESTAMP:
        return 8;
    case VALUE_UUID:
        return 16;
    case VALUE_BYTES:
    case VALUE_STRING:
        return rest.len < 2 ? SIZE_MAX : 2 + (size_t)be16_get(rest.ptr);
    }
    return SIZE_MAX;
}

/* Cuts the first header off @rest; false when it is malformed. @value is empty for other types than
 * strings and bytes. */
static bool cut_header(struct str *rest, struct str *name, enum value_type *type, struct str *value)
{
    size_t name_len = (unsigned char)rest->ptr[0], size;
    struct str after;

    if (name_len == 0 || rest->len < 1 + name_len + 1)
        return false;
    *name = str_sub(*rest, 1, 1 + name_len);
    *type = (enum value_type)(unsigned char)rest->ptr[1 + name_len];
    after = str_sub(*rest, 1 + name_len + 1, rest->len);
    size = value_size(*type, after);
    if (size > after.len)
        return false;
    *value = *type == VALUE_STRING || *type == VALUE_BYTES ? str_sub(after, 2, size) : STR("");
    *rest = str_sub(after, size, after.len);
    return true;
}

static bool headers_are_good(struct str headers)
{
    struct str name, value;
    enum value_type type;

    while (headers.len > 0)
        if (!cut_header(&headers, &name, &type, &value))
            return false;
    return true;
}

int event_stream_read(struct str bytes, struct event_message *ret, struct error *err)
{
    size_t total, headers_len;

    if (bytes.len < PRELUDE)
        return 0;
    total = be32_get(bytes.ptr);
    headers_len = be32_get(bytes.ptr + 4);
    if (be32_get(bytes.ptr + 8) != crc_of(bytes.ptr, 8))
        return error_set(err, ERR_PROTOCOL, "the checksum of a message's lengths is wrong");
    if (total < EVENT_OVERHEAD || headers_len > total - EVENT_OVERHEAD ||
        headers_len > EVENT_HEADERS_MAX || total - EVENT_OVERHEAD - headers_len > EVENT_PAYLOAD_MAX)
        return error_set(err, ERR_PROTOCOL, "a message of %zu bytes with %zu of headers", total,
                         headers_len);
    if (bytes.len < total)
        return 0;
    if (be32_get(bytes.ptr + total - CRC) != crc_of(bytes.ptr, total - CRC))
        return error_set(err, ERR_PROTOCOL, "the checksum of a message is wrong");
    if (!headers_are_good(str_sub(bytes, PRELUDE, PRELUDE + headers_len)))
        return error_set(err, ERR_PROTOCOL, "a message's headers are malformed");
    ret->headers = str_sub(bytes, PRELUDE, PRELUDE + headers_len);
    ret->payload = str_sub(bytes, PRELUDE + headers_len, total - CRC);
    ret->size = total;
    return 1;
}

struct str event_message_header(const struct event_message *message, const char *wanted)
{
    struct str rest = message->headers, name, value;
    enum value_type type;

    while (rest.len > 0 && cut_header(&rest, &name, &type, &value))
        if (type == VALUE_STRING && str_is(name, wanted))
            return value;
    return STR_NULL;
}
