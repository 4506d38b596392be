/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/base64.h"

#include "common/base/error.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int base64_encode(struct buf *b, struct str s)
{
    const unsigned char *p = (const unsigned char *)s.ptr;
    size_t i, left;
    uint32_t v;
    char *to;
    int r;

    r = buf_reserve(b, (s.len + 2) / 3 * 4);
    if (r < 0)
        return r;
    to = b->ptr + b->len;
    for (i = 0; i < s.len; i += 3) {
        left = s.len - i;
        v = (uint32_t)p[i] << 16;
        if (left > 1)
            v |= (uint32_t)p[i + 1] << 8;
        if (left > 2)
            v |= p[i + 2];
        *to++ = alphabet[v >> 18];
        *to++ = alphabet[(v >> 12) & 63];
        *to++ = left > 1 ? alphabet[(v >> 6) & 63] : '=';
        *to++ = left > 2 ? alphabet[v & 63] : '=';
    }
    b->len += (s.len + 2) / 3 * 4;
    return 0;
}

/* The six bits of @c, or -1. */
static int sextet(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

int base64_decode(struct buf *b, struct str s)
{
    size_t start = b->len, i, pad = 0;
    uint32_t v;
    int j, six, r;

    if (s.len % 4)
        return -ERR_BAD_REQUEST;
    r = buf_reserve(b, s.len / 4 * 3);
    if (r < 0)
        return r;
    for (i = 0; i < s.len; i += 4) {
        v = 0;
        for (j = 0; j < 4; j++) {
            six = sextet(s.ptr[i + (size_t)j]);
            if (six < 0 && s.ptr[i + (size_t)j] == '=' && i + 4 == s.len && j >= 2) {
                pad++;
                six = 0;
            } else if (pad) {
                six = -1; /* data behind padding */
            }
            if (six < 0) {
                b->len = start;
                return -ERR_BAD_REQUEST;
            }
            v = v << 6 | (uint32_t)six;
        }
        if (pad && v & (pad == 1 ? 0xffu : 0xffffu)) { /* bits that the padding says are none */
            b->len = start;
            return -ERR_BAD_REQUEST;
        }
        b->ptr[b->len++] = (char)(v >> 16);
        b->ptr[b->len++] = (char)(v >> 8);
        b->ptr[b->len++] = (char)v;
    }
    b->len -= pad;
    return 0;
}
