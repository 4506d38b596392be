/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/protobuf.h"

#define NUMBER_MAX ((1u << 29) - 1)

enum wire_type { WIRE_VARINT, WIRE_64, WIRE_BYTES, WIRE_GROUP, WIRE_GROUP_END, WIRE_32 };

static int bad(void)
{
    return -ERR_PROTOCOL;
}

/* Seven bits a byte, the least first; at most ten bytes. */
static int take_varint(struct str *rest, uint64_t *ret)
{
    uint64_t value = 0;
    unsigned shift;
    size_t i;

    for (i = 0, shift = 0; i < rest->len && shift < 64; i++, shift += 7) {
        const unsigned char c = (unsigned char)rest->ptr[i];

        if (shift == 63 && c > 1)
            return bad();
        value |= (uint64_t)(c & 0x7f) << shift;
        if (c < 0x80) {
            *rest = str_sub(*rest, i + 1, rest->len);
            *ret = value;
            return 0;
        }
    }
    return bad();
}

static int take_fixed(struct str *rest, size_t len, uint64_t *ret)
{
    uint64_t value = 0;
    size_t i;

    if (rest->len < len)
        return bad();
    for (i = len; i-- > 0;)
        value = value << 8 | (unsigned char)rest->ptr[i];
    *rest = str_sub(*rest, len, rest->len);
    *ret = value;
    return 0;
}

int protobuf_next(struct str *rest, struct protobuf_field *ret)
{
    struct protobuf_field f = {0};
    uint64_t key, len;
    int r;

    if (rest->len == 0)
        return 0;
    if (take_varint(rest, &key) < 0 || key >> 3 == 0 || key >> 3 > NUMBER_MAX)
        return bad();
    f.number = (uint32_t)(key >> 3);
    switch (key & 7) {
    case WIRE_VARINT:
        r = take_varint(rest, &f.value);
        break;
    case WIRE_64:
        r = take_fixed(rest, 8, &f.value);
        break;
    case WIRE_32:
        r = take_fixed(rest, 4, &f.value);
        break;
    case WIRE_BYTES:
        if (take_varint(rest, &len) < 0 || len > rest->len)
            return bad();
        f.is_bytes = true;
        f.bytes = str_sub(*rest, 0, len);
        *rest = str_sub(*rest, len, rest->len);
        r = 0;
        break;
    default:
        r = bad();
    }
    if (r < 0)
        return r;
    *ret = f;
    return 1;
}

struct str protobuf_find(struct str message, uint32_t number)
{
    struct str found = STR_NULL;
    struct protobuf_field f;
    int r;

    while ((r = protobuf_next(&message, &f)) > 0)
        if (f.number == number && f.is_bytes)
            found = f.bytes;
    return r < 0 ? STR_NULL : found;
}

static int put_varint(struct buf *b, uint64_t value)
{
    int r = 0;

    for (; r == 0 && value >= 0x80; value >>= 7)
        r = buf_append_char(b, (char)(value | 0x80));
    return r < 0 ? r : buf_append_char(b, (char)value);
}

int protobuf_put(struct buf *b, uint32_t number, struct str bytes)
{
    int r;

    if (bytes.len == 0)
        return 0;
    r = put_varint(b, (uint64_t)number << 3 | WIRE_BYTES);
    if (r == 0)
        r = put_varint(b, bytes.len);
    return r == 0 ? buf_append_str(b, bytes) : r;
}

int protobuf_put_entry(struct buf *b, uint32_t number, struct str key, struct str value)
{
    CLEANUP(buf_done) struct buf entry = BUF_INIT(b->max);
    int r = protobuf_put(&entry, 1, key);

    if (r == 0)
        r = protobuf_put(&entry, 2, value);
    return r == 0 ? protobuf_put(b, number, buf_str(&entry)) : r;
}
