/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/json_complaint.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "Could not parse request body into json: Could not parse payload into json: "
#define SOURCE "[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); "
#define LITERALS "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
#define TEXT_MAX 640
#define TOKEN_CHARS_MAX 256 /* as Jackson cuts a token in a message */
#define TOKEN_BYTES_MAX 400

/* ---- where */

struct place {
    size_t line, column; /* from 1 */
};

/* The place of the byte at @at in the line in which the byte at @line_of is. */
static struct place place_of(const struct json_scan *s, size_t line_of, size_t at)
{
    size_t i, line = 1, start = 0;

    for (i = 0; i < line_of && i < s->len; i++) {
        bool crlf = s->ptr[i] == '\r' && i + 1 < s->len && s->ptr[i + 1] == '\n';

        if (s->ptr[i] == '\n' || (s->ptr[i] == '\r' && !crlf)) {
            line++;
            start = i + 1;
        }
    }
    return (struct place){line, at - start + 1};
}

static int say(const struct json_scan *s, size_t line_of, size_t at, const char *fmt, ...)
    PRINTF_FORMAT(4, 5);

static int say(const struct json_scan *s, size_t line_of, size_t at, const char *fmt, ...)
{
    struct place place = place_of(s, line_of, at);
    char text[TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return error_set(s->err, ERR_BAD_CONTENT, PREFIX "%s\n at " SOURCE "line: %zu, column: %zu]",
                     text, place.line, place.column);
}

/* ---- characters, as Java sees them */

/* Writes @c (a Java char) as UTF-8; lone surrogates cannot be written and become '?'. */
static size_t put_char(char *to, unsigned c)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        to[0] = (char)(0xC0 | c >> 6);
        to[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c >= 0xD800 && c <= 0xDFFF) {
        to[0] = '?';
        return 1;
    }
    to[0] = (char)(0xE0 | c >> 12);
    to[1] = (char)(0x80 | (c >> 6 & 0x3F));
    to[2] = (char)(0x80 | (c & 0x3F));
    return 3;
}

struct char_text {
    char text[48];
};

/* "'x' (code 120)" */
static struct char_text describe(unsigned c)
{
    struct char_text ret;
    char utf8[4] = "";

    utf8[put_char(utf8, c)] = '\0';
    if (c < 0x20 || (c >= 0x7F && c < 0xA0))
        snprintf(ret.text, sizeof(ret.text), "(CTRL-CHAR, code %u)", c);
    else if (c > 0xFF)
        snprintf(ret.text, sizeof(ret.text), "'%s' (code %u / 0x%x)", utf8, c, c);
    else
        snprintf(ret.text, sizeof(ret.text), "'%s' (code %u)", utf8, c);
    return ret;
}

static bool is_letter(unsigned c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == 0xAA || c == 0xB5 ||
           c == 0xBA || (c >= 0xC0 && c <= 0xFF && c != 0xD7 && c != 0xF7);
}

/* Character.isJavaIdentifierStart() of a Latin-1 character. */
static bool is_identifier_start(unsigned c)
{
    return is_letter(c) || c == '_' || c == '$' || (c >= 0xA2 && c <= 0xA5);
}

/*
 * Character.isJavaIdentifierPart(): exact for Latin-1; beyond it everything but the blocks of
 * punctuation and symbols, which is where a token ends in practice.
 */
static bool is_identifier_part(unsigned c)
{
    if (c > 0xFF)
        return !(c >= 0x2000 && c <= 0x206F) && !(c >= 0x2190 && c <= 0x2BFF) &&
               !(c >= 0x3000 && c <= 0x3004);
    return is_identifier_start(c) || (c >= '0' && c <= '9') || c <= 0x08 ||
           (c >= 0x0E && c <= 0x1B) || (c >= 0x7F && c <= 0x9F) || c == 0xAD;
}

/*
 * Decodes the character at *@at as Jackson does for messages (16 bits are kept) and passes it;
 * negative when it is not UTF-8: the complaint is made.
 */
static int decode(const struct json_scan *s, size_t line_of, size_t *at)
{
    unsigned c = s->ptr[(*at)++], more;

    if (c < 0x80)
        return (int)c;
    if (c < 0xC0 || c >= 0xF8)
        return say(s, line_of, *at, "Invalid UTF-8 start byte 0x%x", c);
    more = c < 0xE0 ? 1 : c < 0xF0 ? 2 : 3;
    c &= 0x3Fu >> more;
    for (; more > 0; more--) {
        if (*at == s->len)
            return say(s, line_of, *at, "Unexpected end-of-input in a value");
        if ((s->ptr[*at] & 0xC0) != 0x80)
            return say(s, line_of, *at + 1, "Invalid UTF-8 middle byte 0x%x", s->ptr[*at]);
        c = c << 6 | (s->ptr[(*at)++] & 0x3F);
    }
    return (int)(c & 0xFFFF);
}

/* "Unexpected character ('x' (code 120)): <what>", told with the place of the byte at @at. */
static int unexpected(const struct json_scan *s, size_t at, const char *what)
{
    return say(s, at, at, "Unexpected character (%s): %s", describe(s->ptr[at]).text, what);
}

/* Between tokens: control characters and comments have words of their own; 0: it is neither. */
static int not_a_separator(const struct json_scan *s, size_t at)
{
    if (s->ptr[at] < 0x20)
        return say(s, at, at,
                   "Illegal character (%s): only regular white space (\\r, \\n, \\t) is allowed "
                   "between tokens",
                   describe(s->ptr[at]).text);
    if (s->ptr[at] == '/')
        return unexpected(s, at,
                          "maybe a (non-standard) comment? (not recognized as one since Feature "
                          "'ALLOW_COMMENTS' not enabled for parser)");
    return 0;
}

/* ---- tokens */

int json_complain_token(const struct json_scan *s, size_t at, size_t good)
{
    char token[TOKEN_BYTES_MAX];
    size_t len = 0, chars = 0, p = at;
    const char *more = "";
    int c;

    for (; chars < good; chars++, p++) /* a first byte beyond ASCII is taken for Latin-1 */
        len += put_char(token + len, s->ptr[p]);
    while (p < s->len) {
        c = decode(s, at, &p);
        if (c < 0)
            return c;
        if (!is_identifier_part((unsigned)c))
            break;
        len += put_char(token + len, (unsigned)c);
        if (++chars >= TOKEN_CHARS_MAX || len + 4 > sizeof(token)) {
            more = "...";
            break;
        }
    }
    return say(s, at, p, "Unrecognized token '%.*s%s': was expecting " LITERALS, (int)len, token,
               more);
}

/* Whether an identifier may go on with the character at @at; what is not UTF-8 counts as one. */
static bool is_part_at(const struct json_scan *s, size_t at)
{
    struct json_scan quiet = {.ptr = s->ptr, .len = s->len};
    int c = decode(&quiet, at, &at);

    return c < 0 || is_identifier_part((unsigned)c);
}

bool json_token_goes_on(const struct json_scan *s, size_t at)
{
    return at < s->len && s->ptr[at] >= '0' && s->ptr[at] != ']' && s->ptr[at] != '}' &&
           is_part_at(s, at);
}

/* "NaN" and "Infinity" are told apart from other tokens. */
static int non_standard(const struct json_scan *s, size_t at, const char *word)
{
    size_t i, len = strlen(word);

    for (i = 1; i < len; i++)
        if (at + i >= s->len || s->ptr[at + i] != (unsigned char)word[i])
            return json_complain_token(s, at, i);
    if (json_token_goes_on(s, at + len))
        return json_complain_token(s, at, len);
    return say(s, at, at + len,
               "Non-standard token '%s': enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to "
               "allow",
               word);
}

static bool in_array(const struct json_scan *s)
{
    return s->depth > 0 && s->ptr[s->open_at[s->depth - 1]] == '[';
}

int json_complain_value(const struct json_scan *s, size_t at)
{
    int r = not_a_separator(s, at);

    if (r < 0)
        return r;
    switch (s->ptr[at]) {
    case ',':
    case '}':
        return unexpected(s, at, "expected a value");
    case ']':
        if (in_array(s))
            return unexpected(s, at, "expected a value");
        break;
    case 'N':
        return non_standard(s, at, "NaN");
    case 'I':
        return non_standard(s, at, "Infinity");
    case '+':
        if (at + 1 == s->len)
            return say(s, at, at + 1, "Unexpected end-of-input in a Number value");
        return say(s, at, at + 1,
                   "Unexpected character ('+' (code 43)) in numeric value: JSON spec does not "
                   "allow numbers to have plus signs: enable "
                   "`JsonReadFeature.ALLOW_LEADING_PLUS_SIGN_FOR_NUMBERS` to allow");
    default:
        break;
    }
    if (is_identifier_start(s->ptr[at]))
        return json_complain_token(s, at, 1);
    return unexpected(s, at, "expected a valid value " LITERALS);
}

int json_complain_name(const struct json_scan *s, size_t at)
{
    size_t after = at;
    int c = not_a_separator(s, at);

    if (c == 0)
        c = decode(s, at, &after);
    if (c < 0)
        return c;
    return say(s, at, after - 1,
               "Unexpected character (%s): was expecting double-quote to start field name",
               describe((unsigned)c).text);
}

int json_complain_colon(const struct json_scan *s, size_t at)
{
    int r = not_a_separator(s, at);

    return r < 0 ? r : unexpected(s, at, "was expecting a colon to separate field name and value");
}

static const char *kind(const struct json_scan *s)
{
    return s->depth == 0 ? "root" : in_array(s) ? "Array" : "Object";
}

int json_complain_comma(const struct json_scan *s, size_t at)
{
    int r = not_a_separator(s, at);

    if (r < 0)
        return r;
    return say(s, at, at,
               "Unexpected character (%s): was expecting comma to separate %s entries",
               describe(s->ptr[at]).text, kind(s));
}

/* Where the innermost container was opened; the root is opened before the first column. */
static struct place opened_at(const struct json_scan *s)
{
    size_t at;

    if (s->depth == 0)
        return (struct place){1, 0};
    at = s->open_at[s->depth - 1];
    return place_of(s, at, at);
}

int json_complain_close(const struct json_scan *s, size_t at)
{
    struct place open = opened_at(s);
    char c = (char)s->ptr[at];

    return say(s, at, at + 1,
               "Unexpected close marker '%c': expected '%c' (for %s starting at " SOURCE
               "line: %zu, column: %zu])",
               c, c == ']' ? '}' : ']', kind(s), open.line, open.column);
}

int json_complain_root_space(const struct json_scan *s, size_t at)
{
    return unexpected(s, at, "Expected space separating root-level values");
}

int json_complain_trailing(const struct json_scan *s, size_t at)
{
    const char *type = "VALUE_NUMBER_INT";

    switch (s->ptr[at]) {
    case '{':
        type = "START_OBJECT";
        break;
    case '[':
        type = "START_ARRAY";
        break;
    case '"':
        type = "VALUE_STRING";
        break;
    case 't':
        type = "VALUE_TRUE";
        break;
    case 'f':
        type = "VALUE_FALSE";
        break;
    case 'n':
        type = "VALUE_NULL";
        break;
    default:
        break;
    }
    return say(s, at, at,
               "Trailing token (of type %s) found after value: not allowed as per "
               "`DeserializationFeature.FAIL_ON_TRAILING_TOKENS`",
               type);
}

/* ---- numbers */

int json_complain_number(const struct json_scan *s, size_t at, const char *what)
{
    if (at == s->len)
        return say(s, at, at, "Unexpected end-of-input in a Number value");
    return say(s, at, at, "Unexpected character (%s) in numeric value: %s",
               describe(s->ptr[at]).text, what);
}

int json_complain_minus(const struct json_scan *s, size_t at)
{
    return json_complain_number(s, at,
                                "expected digit (0-9) to follow minus sign, for valid numeric "
                                "value");
}

int json_complain_leading_zero(const struct json_scan *s, size_t at)
{
    return say(s, at, at, "Invalid numeric value: Leading zeroes not allowed");
}

/* ---- strings */

int json_complain_utf8_start(const struct json_scan *s, size_t at)
{
    return say(s, at, at + 1, "Invalid UTF-8 start byte 0x%x", s->ptr[at]);
}

int json_complain_utf8_middle(const struct json_scan *s, size_t at)
{
    return say(s, at, at + 1, "Invalid UTF-8 middle byte 0x%x", s->ptr[at]);
}

int json_complain_unquoted(const struct json_scan *s, size_t at, enum json_place place)
{
    return say(s, at, at,
               "Illegal unquoted character (%s): has to be escaped using backslash to be included "
               "in %s",
               describe(s->ptr[at]).text, place == JSON_IN_STRING ? "string value" : "name");
}

int json_complain_escape(const struct json_scan *s, size_t at)
{
    size_t after = at;
    int c = decode(s, at, &after);

    if (c < 0)
        return c;
    return say(s, at, after, "Unrecognized character escape %s", describe((unsigned)c).text);
}

int json_complain_hex_digit(const struct json_scan *s, size_t at)
{
    return unexpected(s, at, "expected a hex-digit for character escape sequence");
}

int json_complain_escape_end(const struct json_scan *s)
{
    return say(s, s->len, s->len, "Unexpected end-of-input in character escape sequence");
}

int json_complain_string_end(const struct json_scan *s, enum json_place place)
{
    static const char *const where[] = {
        [JSON_IN_STRING] = " in VALUE_STRING",
        [JSON_IN_NAME] = " in field name",
        [JSON_BEFORE_NAME] = ": was expecting closing '\"' for name",
    };

    return say(s, s->len, s->len, "Unexpected end-of-input%s", where[place]);
}

/* ---- the end */

int json_complain_between(const struct json_scan *s)
{
    return say(s, s->len, s->len, "Unexpected end-of-input within/between %s entries", kind(s));
}

int json_complain_unclosed(const struct json_scan *s)
{
    struct place open = opened_at(s);

    return say(s, s->len, s->len,
               "Unexpected end-of-input: expected close marker for %s (start marker at " SOURCE
               "line: %zu, column: %zu])",
               kind(s), open.line, open.column);
}

int json_complain_empty(const struct json_scan *s)
{
    return say(s, s->len, s->len, "No content to map due to end-of-input");
}

int json_complain_depth(const struct json_scan *s)
{
    return error_set(s->err, ERR_BAD_CONTENT,
                     PREFIX "Document nesting depth (%d) exceeds the maximum allowed (%d, from "
                            "`StreamReadConstraints.getMaxNestingDepth()`)",
                     JSON_CHECK_DEPTH + 1, JSON_CHECK_DEPTH);
}

int json_complain_length(const struct json_scan *s)
{
    return error_set(s->err, ERR_BAD_CONTENT, PREFIX "the payload is too long");
}
