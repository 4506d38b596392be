/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/result_stream.h"

#include <string.h>

#include "common/proto/big_endian.h"

#define PREFIX sizeof(uint32_t)

static int write_prefix(struct buf *b, uint32_t len)
{
    char prefix[PREFIX];

    be32_put(prefix, len);
    return buf_append(b, prefix, sizeof(prefix));
}

int result_stream_write(struct buf *b, struct str bytes)
{
    int r = bytes.len > UINT32_MAX ? -ERR_TOO_LARGE : buf_reserve(b, PREFIX + bytes.len);

    if (r < 0)
        return r;
    (void)write_prefix(b, (uint32_t)bytes.len); /* there is room */
    return buf_append_str(b, bytes);
}

int result_stream_write_end(struct buf *b, const struct result_end *end)
{
    int r = write_prefix(b, 0);

    return r < 0 ? r : result_end_write(b, end);
}

void result_stream_init(struct result_stream *s)
{
    *s = (struct result_stream){0};
    buf_init(&s->end, RESULT_END_MAX);
}

void result_stream_done(struct result_stream *s)
{
    buf_done(&s->end);
}

void result_stream_clear(struct result_stream *s)
{
    s->left = 0;
    s->prefix_len = 0;
    s->at_end = false;
    buf_clear(&s->end);
}

static struct str cut(struct str *bytes, size_t n)
{
    struct str part = str_sub(*bytes, 0, n);

    *bytes = str_sub(*bytes, part.len, bytes->len);
    return part;
}

/* A length, which may come in pieces; false while it is not whole. */
static bool read_prefix(struct result_stream *s, struct str *bytes)
{
    struct str part = cut(bytes, PREFIX - s->prefix_len);

    memcpy(s->prefix + s->prefix_len, part.ptr, part.len);
    s->prefix_len = (uint8_t)(s->prefix_len + part.len);
    if (s->prefix_len < PREFIX)
        return false;
    s->prefix_len = 0;
    s->left = be32_get(s->prefix);
    s->at_end = s->left == 0;
    return true;
}

int result_stream_read(struct result_stream *s, struct str *bytes, struct str *ret)
{
    while (bytes->len > 0) {
        if (s->at_end)
            return buf_append_str(&s->end, cut(bytes, bytes->len));
        if (s->left > 0) {
            *ret = cut(bytes, s->left);
            s->left -= (uint32_t)ret->len;
            return 1;
        }
        if (!read_prefix(s, bytes))
            return 0;
    }
    return 0;
}

int result_stream_read_end(const struct result_stream *s, struct result_end *ret)
{
    return s->at_end ? result_end_read(buf_str(&s->end), ret) : -ERR_PROTOCOL;
}
