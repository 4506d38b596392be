/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/uri_escape.h"

static bool is_unreserved(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

int uri_escape(struct buf *b, struct str text, bool keep_slash)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t i, need = 0;
    unsigned char c;
    char *to;

    for (i = 0; i < text.len; i++) {
        c = (unsigned char)text.ptr[i];
        need += is_unreserved(c) || (keep_slash && c == '/') ? 1 : 3;
    }
    if (buf_reserve(b, need) < 0)
        return -ERR_TOO_LARGE;
    to = b->ptr + b->len;
    for (i = 0; i < text.len; i++) {
        c = (unsigned char)text.ptr[i];
        if (is_unreserved(c) || (keep_slash && c == '/')) {
            *to++ = (char)c;
            continue;
        }
        *to++ = '%';
        *to++ = digits[c >> 4];
        *to++ = digits[c & 15];
    }
    b->len += need;
    return 0;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int uri_unescape(struct buf *b, struct str text, bool plus_is_blank)
{
    size_t start = b->len, i;
    int high, low;
    char c;

    if (buf_reserve(b, text.len) < 0)
        return -ERR_TOO_LARGE;
    for (i = 0; i < text.len; i++) {
        c = text.ptr[i];
        if (c == '%') {
            high = i + 2 < text.len ? hex_value(text.ptr[i + 1]) : -1;
            low = i + 2 < text.len ? hex_value(text.ptr[i + 2]) : -1;
            if (high < 0 || low < 0) {
                b->len = start;
                return -ERR_BAD_REQUEST;
            }
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus_is_blank) {
            c = ' ';
        }
        b->ptr[b->len++] = c;
    }
    return 0;
}
