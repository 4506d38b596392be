/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/buf.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"

#define RETURNED_BYTES (256 * 1024) /* smaller ones are reused too often */

void buf_init(struct buf *b, size_t max)
{
    *b = BUF_INIT(max);
}

void buf_done(struct buf *b)
{
    free(b->ptr);
    b->ptr = NULL;
    b->len = b->cap = 0;
}

void buf_clear(struct buf *b)
{
    b->len = 0;
}

struct str buf_str(const struct buf *b)
{
    return (struct str){b->ptr ? b->ptr : "", b->len};
}

int buf_reserve(struct buf *b, size_t more)
{
    size_t need, cap;
    char *p;

    if (__builtin_add_overflow(b->len, more, &need) || need > b->max)
        return -ERR_TOO_LARGE;
    if (need < b->cap) /* strictly: one byte stays for buf_take()'s NUL */
        return 0;
    cap = b->cap ? b->cap : 64;
    while (cap <= need)
        cap *= 2;
    p = realloc(b->ptr, cap);
    if (!p)
        abort();
    b->ptr = p;
    b->cap = cap;
    return 0;
}

int buf_append(struct buf *b, const void *ptr, size_t len)
{
    int r = buf_reserve(b, len);

    if (r < 0)
        return r;
    if (len)
        memcpy(b->ptr + b->len, ptr, len);
    b->len += len;
    return 0;
}

int buf_append_str(struct buf *b, struct str s)
{
    return buf_append(b, s.ptr, s.len);
}

int buf_append_char(struct buf *b, char c)
{
    return buf_append(b, &c, 1);
}

int buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    int n, r;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0)
        return -ERR_SYSTEM;
    r = buf_reserve(b, (size_t)n);
    if (r < 0)
        return r;
    va_start(ap, fmt);
    vsnprintf(b->ptr + b->len, (size_t)n + 1, fmt, ap); /* the NUL fits: cap > len + n */
    va_end(ap);
    b->len += (size_t)n;
    return 0;
}

/* No printf: a function may print binary by the megabyte, and the loop must not stand still. */
static int append_json_control(struct buf *b, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    const char escaped[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};

    switch (c) {
    case '"':
        return buf_append(b, "\\\"", 2);
    case '\\':
        return buf_append(b, "\\\\", 2);
    case '\n':
        return buf_append(b, "\\n", 2);
    case '\r':
        return buf_append(b, "\\r", 2);
    case '\t':
        return buf_append(b, "\\t", 2);
    default:
        return buf_append(b, escaped, sizeof(escaped));
    }
}

/* How many bytes a UTF-8 sequence has that begins with @c; 0: none does. */
static size_t utf8_length(unsigned char c)
{
    return c < 0xc2 || c > 0xf4 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

int buf_append_json(struct buf *b, struct str s)
{
    size_t at = 0, start = 0, n;
    unsigned char c;
    int r;

    while (at < s.len) {
        c = (unsigned char)s.ptr[at];
        if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
            at++;
            continue;
        }
        n = utf8_length(c);
        if (n && at + n <= s.len && str_is_utf8(str_from(s.ptr + at, n))) {
            at += n;
            continue;
        }
        r = buf_append(b, s.ptr + start, at - start);
        if (r == 0)
            r = c < 0x80 ? append_json_control(b, c) : buf_append(b, "\xef\xbf\xbd", 3);
        if (r < 0)
            return r;
        start = ++at;
    }
    return buf_append(b, s.ptr + start, at - start);
}

void buf_consume(struct buf *b, size_t n)
{
    if (n >= b->len) {
        b->len = 0;
        return;
    }
    memmove(b->ptr, b->ptr + n, b->len - n);
    b->len -= n;
}

char *buf_take(struct buf *b)
{
    char *ret;

    if (!b->ptr)
        return str_dup(STR(""));
    b->ptr[b->len] = '\0';
    ret = b->ptr;
    b->ptr = NULL;
    b->len = b->cap = 0;
    return ret;
}

void buf_return_large(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, RETURNED_BYTES);
}
