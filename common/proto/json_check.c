/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scanner is a loop over tokens with the positions of the open brackets as its only memory.
 * json_complaint.h makes the messages; nothing there runs for a payload that is fine.
 */
#include "common/proto/json_check.h"

#include <endian.h>
#include <string.h>

#include "common/proto/json_complaint.h"

/* ---- eight bytes at a time */

#define EACH(byte) (0x0101010101010101ull * (byte))

/* The first byte in memory is the lowest of the value, whatever the machine's byte order. */
static uint64_t load8(const unsigned char *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    return le64toh(v);
}

/* Bits set in the bytes of @v that are zero; those above the lowest one set may be wrong. */
static uint64_t zero_bytes(uint64_t v)
{
    return (v - EACH(0x01)) & ~v & EACH(0x80);
}

/* Not 0 when one of the 8 bytes ends a plain run: quote, backslash, control or non-ASCII. */
static uint64_t special_bytes(uint64_t v)
{
    uint64_t control = (v - EACH(0x20)) & ~v & EACH(0x80);

    return zero_bytes(v ^ EACH('"')) | zero_bytes(v ^ EACH('\\')) | control | (v & EACH(0x80));
}

static size_t skip_plain(const struct json_scan *s, size_t at)
{
    uint64_t special;
    unsigned char c;

    for (; s->len - at >= 8; at += 8) {
        special = special_bytes(load8(s->ptr + at));
        if (special) /* its lowest bit is right, see zero_bytes() */
            return at + (size_t)(__builtin_ctzll(special) / 8);
    }
    for (; at < s->len; at++) {
        c = s->ptr[at];
        if (c < 0x20 || c >= 0x80 || c == '"' || c == '\\')
            break;
    }
    return at;
}

static inline size_t skip_space(const struct json_scan *s, size_t at)
{
    if (at < s->len && s->ptr[at] > ' ')
        return at;
    while (at < s->len) {
        if (s->ptr[at] == ' ') {
            while (s->len - at >= 8 && load8(s->ptr + at) == EACH(' '))
                at += 8;
            while (at < s->len && s->ptr[at] == ' ')
                at++;
        } else if (s->ptr[at] == '\n' || s->ptr[at] == '\r' || s->ptr[at] == '\t') {
            at++;
        } else {
            break;
        }
    }
    return at;
}

/* ---- strings */

/* The length of the UTF-8 sequence at @at (not ASCII), or a complaint. */
static int utf8_length(const struct json_scan *s, size_t at, enum json_place place)
{
    unsigned char c = s->ptr[at], low = 0x80, high = 0xBF;
    int i, len = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;

    if (c < 0xC2 || c > 0xF4)
        return json_complain_utf8_start(s, at);
    /* the second byte of some: no overlong forms, no surrogates, nothing beyond U+10FFFF */
    if (c == 0xE0)
        low = 0xA0;
    else if (c == 0xED)
        high = 0x9F;
    else if (c == 0xF0)
        low = 0x90;
    else if (c == 0xF4)
        high = 0x8F;
    for (i = 1; i < len; i++) {
        if (at + (size_t)i >= s->len)
            return json_complain_string_end(s, place);
        c = s->ptr[at + (size_t)i];
        if (c < low || c > high)
            return json_complain_utf8_middle(s, at + (size_t)i);
        low = 0x80;
        high = 0xBF;
    }
    return len;
}

static bool is_more(const struct json_scan *s, size_t at)
{
    return (s->ptr[at] & 0xC0) == 0x80;
}

/* Passes the characters beyond ASCII at *@at, which mostly come in runs. */
static int scan_utf8(const struct json_scan *s, size_t *at, enum json_place place)
{
    size_t p = *at;
    unsigned char c;
    int r;

    while (p < s->len && (c = s->ptr[p]) >= 0x80) {
        if (s->len - p >= 3 && c > 0xE0 && c < 0xED && is_more(s, p + 1) && is_more(s, p + 2)) {
            p += 3;
            continue;
        }
        r = utf8_length(s, p, place);
        if (r < 0)
            return r;
        p += (size_t)r;
    }
    *at = p;
    return 0;
}

static bool is_hex(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Passes the escape whose backslash is before *@at. */
static int scan_escape(const struct json_scan *s, size_t *at)
{
    int i;

    if (*at >= s->len)
        return json_complain_escape_end(s);
    switch (s->ptr[(*at)++]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return 0;
    case 'u':
        for (i = 0; i < 4; i++, (*at)++) {
            if (*at >= s->len)
                return json_complain_escape_end(s);
            if (!is_hex(s->ptr[*at]))
                return json_complain_hex_digit(s, *at);
        }
        return 0;
    default:
        return json_complain_escape(s, *at - 1);
    }
}

/* Passes a string whose opening quote is before *@at. */
static int scan_string(const struct json_scan *s, size_t *at, enum json_place place)
{
    int r;

    if (place == JSON_IN_NAME && *at == s->len)
        return json_complain_string_end(s, JSON_BEFORE_NAME);
    for (;;) {
        *at = skip_plain(s, *at);
        if (*at == s->len)
            return json_complain_string_end(s, place);
        switch (s->ptr[*at]) {
        case '"':
            (*at)++;
            return 0;
        case '\\':
            (*at)++;
            r = scan_escape(s, at);
            break;
        default:
            if (s->ptr[*at] < 0x20)
                return json_complain_unquoted(s, *at, place);
            r = scan_utf8(s, at, place);
            break;
        }
        if (r < 0)
            return r;
    }
}

/* ---- numbers and literals */

static bool is_digit(const struct json_scan *s, size_t at)
{
    return at < s->len && s->ptr[at] >= '0' && s->ptr[at] <= '9';
}

static size_t skip_digits(const struct json_scan *s, size_t at)
{
    while (is_digit(s, at))
        at++;
    return at;
}

/* Passes the number at *@at. */
static int scan_number(const struct json_scan *s, size_t *at)
{
    size_t p = *at;

    if (s->ptr[p] == '-' && !is_digit(s, ++p))
        return json_complain_minus(s, p);
    if (s->ptr[p] == '0' && is_digit(s, p + 1))
        return json_complain_leading_zero(s, p + 1);
    p = skip_digits(s, p);
    if (p < s->len && s->ptr[p] == '.') {
        if (!is_digit(s, p + 1)) /* at the end Jackson blames the point */
            return json_complain_number(s, p + 1 < s->len ? p + 1 : p,
                                        "Decimal point not followed by a digit");
        p = skip_digits(s, p + 1);
    }
    if (p < s->len && (s->ptr[p] | 0x20) == 'e') {
        p++;
        if (p < s->len && (s->ptr[p] == '+' || s->ptr[p] == '-'))
            p++;
        if (!is_digit(s, p))
            return json_complain_number(s, p, "Exponent indicator not followed by a digit");
        p = skip_digits(s, p);
    }
    if (s->depth == 0 && p < s->len && s->ptr[p] != ' ' && s->ptr[p] != '\t' &&
        s->ptr[p] != '\n' && s->ptr[p] != '\r')
        return json_complain_root_space(s, p);
    *at = p;
    return 0;
}

/* Passes the literal @word at *@at. */
static int scan_literal(const struct json_scan *s, size_t *at, const char *word)
{
    size_t i, len = strlen(word);

    for (i = 1; i < len; i++)
        if (*at + i >= s->len || s->ptr[*at + i] != (unsigned char)word[i])
            return json_complain_token(s, *at, i);
    if (json_token_goes_on(s, *at + len))
        return json_complain_token(s, *at, len);
    *at += len;
    return 0;
}

/* ---- structure */

static int scan_open(struct json_scan *s, size_t at)
{
    if (s->depth == JSON_CHECK_DEPTH)
        return json_complain_depth(s);
    s->open_at[s->depth++] = (uint32_t)at;
    return 0;
}

static bool in_object(const struct json_scan *s)
{
    return s->depth > 0 && s->ptr[s->open_at[s->depth - 1]] == '{';
}

/* Passes a member's name and colon at *@at, up to its value. */
static int scan_name(const struct json_scan *s, size_t *at)
{
    int r;

    if (s->ptr[*at] != '"')
        return json_complain_name(s, *at);
    (*at)++;
    r = scan_string(s, at, JSON_IN_NAME);
    if (r < 0)
        return r;
    *at = skip_space(s, *at);
    if (*at == s->len)
        return json_complain_between(s);
    if (s->ptr[*at] != ':')
        return json_complain_colon(s, *at);
    *at = skip_space(s, *at + 1);
    return *at == s->len ? json_complain_between(s) : 0;
}

/* Passes a scalar, or the bracket that opens a container, at *@at; *@ret_opened tells which. */
static int scan_value(struct json_scan *s, size_t *at, bool *ret_opened)
{
    int r;

    *ret_opened = false;
    switch (s->ptr[*at]) {
    case '{':
    case '[':
        r = scan_open(s, (*at)++);
        *ret_opened = true;
        return r;
    case '"':
        (*at)++;
        return scan_string(s, at, JSON_IN_STRING);
    case 't':
        return scan_literal(s, at, "true");
    case 'f':
        return scan_literal(s, at, "false");
    case 'n':
        return scan_literal(s, at, "null");
    case '-':
    case '0' ... '9':
        return scan_number(s, at);
    default:
        return json_complain_value(s, *at);
    }
}

/*
 * Behind a value or an opening bracket: passes closing brackets, then the comma (unless a container
 * has just been opened) and, in an object, the next name. *@ret_done: the root value is complete.
 */
static int scan_between(struct json_scan *s, size_t *at, bool opened, bool *ret_done)
{
    for (;; opened = false) {
        *at = skip_space(s, *at);
        *ret_done = s->depth == 0;
        if (*ret_done)
            return 0;
        if (*at == s->len)
            return json_complain_unclosed(s);
        if (s->ptr[*at] != '}' && s->ptr[*at] != ']')
            break;
        if ((s->ptr[*at] == '}') != in_object(s))
            return json_complain_close(s, *at);
        s->depth--;
        (*at)++;
    }
    if (!opened) {
        if (s->ptr[*at] != ',')
            return json_complain_comma(s, *at);
        *at = skip_space(s, *at + 1);
        if (*at == s->len)
            return json_complain_between(s);
    }
    return in_object(s) ? scan_name(s, at) : 0;
}

/* Behind the root value only white space may stand. */
static int scan_trailing(struct json_scan *s, size_t at)
{
    size_t after = at;
    bool opened;
    int r;

    if (at == s->len)
        return 0;
    if (s->ptr[at] == '}' || s->ptr[at] == ']')
        return json_complain_close(s, at);
    r = scan_value(s, &after, &opened);
    return r < 0 ? r : json_complain_trailing(s, at);
}

int json_check(struct str text, struct error *err)
{
    struct json_scan s;
    bool opened, done = false;
    size_t at = 0;
    int r;

    if (text.len == 0)
        return 0;
    s.ptr = (const unsigned char *)text.ptr;
    s.len = text.len;
    s.depth = 0;
    s.err = err;
    if (text.len >= UINT32_MAX)
        return json_complain_length(&s);
    if (text.len >= 3 && memcmp(text.ptr, "\xef\xbb\xbf", 3) == 0)
        at = 3; /* a byte order mark */
    at = skip_space(&s, at);
    if (at == s.len)
        return json_complain_empty(&s);
    if (s.ptr[at] == '}' || s.ptr[at] == ']')
        return json_complain_close(&s, at);
    while (!done) {
        r = scan_value(&s, &at, &opened);
        if (r == 0)
            r = scan_between(&s, &at, opened, &done);
        if (r < 0)
            return r;
    }
    return scan_trailing(&s, at);
}
