/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/error.h"

struct str str_of(const char *s)
{
    return (struct str){s, s ? strlen(s) : 0};
}

struct str str_from(const void *ptr, size_t len)
{
    return (struct str){ptr, len};
}

bool str_is(struct str s, const char *literal)
{
    return str_eq(s, str_of(literal));
}

bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool str_eq_nocase(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || strncasecmp(a.ptr, b.ptr, a.len) == 0);
}

bool str_starts(struct str s, struct str prefix)
{
    return s.len >= prefix.len && str_eq(str_from(s.ptr, prefix.len), prefix);
}

bool str_ends(struct str s, struct str suffix)
{
    return s.len >= suffix.len && str_eq(str_sub(s, s.len - suffix.len, s.len), suffix);
}

struct str str_sub(struct str s, size_t from, size_t to)
{
    if (to > s.len)
        to = s.len;
    if (from > to)
        from = to;
    return (struct str){s.ptr ? s.ptr + from : NULL, to - from};
}

size_t str_find(struct str s, char c, size_t from)
{
    const char *p;

    if (from >= s.len)
        return s.len;
    p = memchr(s.ptr + from, c, s.len - from);
    return p ? (size_t)(p - s.ptr) : s.len;
}

bool str_split(struct str *rest, char sep, struct str *ret)
{
    size_t at;

    if (!rest->ptr)
        return false;
    at = str_find(*rest, sep, 0);
    *ret = str_sub(*rest, 0, at);
    *rest = at < rest->len ? str_sub(*rest, at + 1, rest->len) : STR_NULL;
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
    while (s.len && is_blank(s.ptr[0]))
        s = str_sub(s, 1, s.len);
    while (s.len && is_blank(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

int str_parse_u64(struct str s, uint64_t *ret)
{
    uint64_t v = 0;
    size_t i;

    if (s.len == 0)
        return -ERR_BAD_REQUEST;
    for (i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return -ERR_BAD_REQUEST;
        if (__builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, (uint64_t)(s.ptr[i] - '0'), &v))
            return -ERR_BAD_REQUEST;
    }
    *ret = v;
    return 0;
}

char *str_dup(struct str s)
{
    char *copy = malloc(s.len + 1);

    if (!copy)
        abort();
    if (s.len)
        memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return copy;
}

char *str_printf(const char *fmt, ...)
{
    va_list ap;
    char *ret = NULL;

    va_start(ap, fmt);
    if (vasprintf(&ret, fmt, ap) < 0)
        abort();
    va_end(ap);
    return ret;
}

/* Length of the well-formed sequence that starts at @p, or 0. */
static size_t utf8_sequence(const unsigned char *p, size_t left)
{
    unsigned char lo = 0x80, hi = 0xbf;
    size_t n, i;

    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xc2 && p[0] <= 0xdf)
        n = 2;
    else if ((p[0] & 0xf0) == 0xe0)
        n = 3;
    else if (p[0] >= 0xf0 && p[0] <= 0xf4)
        n = 4;
    else
        return 0;
    if (p[0] == 0xe0)
        lo = 0xa0; /* overlong */
    if (p[0] == 0xed)
        hi = 0x9f; /* surrogates */
    if (p[0] == 0xf0)
        lo = 0x90; /* overlong */
    if (p[0] == 0xf4)
        hi = 0x8f; /* beyond U+10FFFF */
    if (left < n || p[1] < lo || p[1] > hi)
        return 0;
    for (i = 2; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

bool str_is_utf8(struct str s)
{
    const unsigned char *p = (const unsigned char *)s.ptr;
    size_t at = 0, n;

    while (at < s.len) {
        n = utf8_sequence(p + at, s.len - at);
        if (n == 0)
            return false;
        at += n;
    }
    return true;
}

void hex_encode(const void *bytes, size_t len, char *ret)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *p = bytes;
    size_t i;

    for (i = 0; i < len; i++) {
        ret[2 * i] = digits[p[i] >> 4];
        ret[2 * i + 1] = digits[p[i] & 15];
    }
    ret[2 * len] = '\0';
}
