/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/s3_error.h"

#include <stdint.h>
#include <string.h>

/* What is left to read, and how deep in it we are. */
struct reader {
    struct str rest;
    unsigned depth;
};

static void skip(struct reader *r, size_t n)
{
    r->rest = str_sub(r->rest, n, r->rest.len);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_blanks(struct reader *r)
{
    while (r->rest.len && is_blank(r->rest.ptr[0]))
        skip(r, 1);
}

static bool take(struct reader *r, struct str text)
{
    if (!str_starts(r->rest, text))
        return false;
    skip(r, text.len);
    return true;
}

/* Letters, digits and a little more: enough for every name that stores use. */
static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == ':';
}

static struct str take_name(struct reader *r)
{
    struct str name;
    size_t n = 0;

    while (n < r->rest.len && is_name_char(r->rest.ptr[n]))
        n++;
    name = str_sub(r->rest, 0, n);
    skip(r, n);
    return name;
}

/* ---- text ---- */

/* Appends as much as fits of @bytes, one character or several; whole ones only. */
static void put(char *to, size_t size, struct str bytes)
{
    size_t len = strlen(to);

    if (len + bytes.len >= size)
        return;
    memcpy(to + len, bytes.ptr, bytes.len);
    to[len + bytes.len] = '\0';
}

static size_t utf8_write(uint32_t c, char ret[4])
{
    if (c < 0x80) {
        ret[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        ret[0] = (char)(0xc0 | c >> 6);
        ret[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        ret[0] = (char)(0xe0 | c >> 12);
        ret[1] = (char)(0x80 | (c >> 6 & 0x3f));
        ret[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    ret[0] = (char)(0xf0 | c >> 18);
    ret[1] = (char)(0x80 | (c >> 12 & 0x3f));
    ret[2] = (char)(0x80 | (c >> 6 & 0x3f));
    ret[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

/* The number in "#65" or "#x41"; 0: none that may stand for a character. */
static uint32_t number_of(struct str ref)
{
    unsigned base = 10, digit;
    uint32_t n = 0;
    size_t i = 1;
    char c;

    if (ref.len > 1 && ref.ptr[1] == 'x') {
        base = 16;
        i = 2;
    }
    if (i == ref.len || ref.len > 9)
        return 0;
    for (; i < ref.len; i++) {
        c = ref.ptr[i];
        if (c >= '0' && c <= '9')
            digit = (unsigned)(c - '0');
        else if (base == 16 && ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')))
            digit = (unsigned)((c | 0x20) - 'a' + 10);
        else
            return 0;
        n = n * base + digit;
    }
    return n > 0x10ffff || (n >= 0xd800 && n <= 0xdfff) ? 0 : n;
}

/* Reads "&…;"; false: none that XML knows. */
static bool take_entity(struct reader *r, char *to, size_t size)
{
    static const struct {
        const char *name;
        char is;
    } known[] = {{"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}};
    size_t end = str_find(str_sub(r->rest, 0, 12), ';', 0), i;
    struct str ref = str_sub(r->rest, 1, end);
    uint32_t c = 0;
    char bytes[4];

    if (end >= 12 || end >= r->rest.len)
        return false;
    for (i = 0; i < ARRAY_LEN(known); i++)
        if (str_is(ref, known[i].name))
            c = (unsigned char)known[i].is;
    if (c == 0 && ref.len && ref.ptr[0] == '#')
        c = number_of(ref);
    if (c == 0)
        return false;
    skip(r, end + 1);
    if (to)
        put(to, size, str_from(bytes, utf8_write(c < 0x20 || c == 0x7f ? ' ' : c, bytes)));
    return true;
}

static size_t char_bytes(struct str s)
{
    size_t n = 1;

    while (n < s.len && ((unsigned char)s.ptr[n] & 0xc0) == 0x80)
        n++;
    return n;
}

/* Text up to the next tag; @to NULL: skipped. Control characters become blanks. */
static bool take_text(struct reader *r, char *to, size_t size)
{
    struct str one;

    while (r->rest.len && r->rest.ptr[0] != '<') {
        if (r->rest.ptr[0] == '&') {
            if (!take_entity(r, to, size))
                return false;
            continue;
        }
        one = str_sub(r->rest, 0, char_bytes(r->rest));
        if ((unsigned char)one.ptr[0] < 0x20 || one.ptr[0] == 0x7f)
            one = STR(" ");
        if (to)
            put(to, size, one);
        skip(r, one.len);
    }
    return r->rest.len > 0;
}

/* ---- elements ---- */

/* The rest of a start tag behind its name; *@empty: it was <name/>. */
static bool end_tag(struct reader *r, bool *empty)
{
    struct str name;
    size_t end;

    for (;;) {
        skip_blanks(r);
        *empty = take(r, STR("/>"));
        if (*empty || take(r, STR(">")))
            return true;
        name = take_name(r);
        if (name.len == 0 || !take(r, STR("=\"")))
            return false;
        end = str_find(r->rest, '"', 0);
        if (end == r->rest.len || str_find(str_sub(r->rest, 0, end), '<', 0) != end)
            return false;
        skip(r, end + 1);
    }
}

static bool take_end(struct reader *r, struct str name)
{
    if (!take(r, STR("</")) || !str_starts(r->rest, name))
        return false;
    skip(r, name.len);
    skip_blanks(r);
    return take(r, STR(">"));
}

/* Where the text of the child @name of <Error> goes; NULL: nowhere. */
static char *place(struct s3_error *e, struct str name, size_t *size)
{
    const struct {
        const char *name;
        char *at;
        size_t size;
    } places[] = {{"Code", e->code, sizeof(e->code)},
                  {"Message", e->message, sizeof(e->message)},
                  {"Region", e->region, sizeof(e->region)},
                  {"Endpoint", e->endpoint, sizeof(e->endpoint)}};
    size_t i;

    for (i = 0; i < ARRAY_LEN(places); i++)
        if (str_is(name, places[i].name)) {
            *size = places[i].size;
            return places[i].at;
        }
    return NULL;
}

/* An element with all in it; one that we want has only text. */
static bool take_element(struct reader *r, struct s3_error *e)
{
    bool empty, wanted, good = true;
    struct str name;
    size_t size = 0;
    char *to;

    if (r->depth >= S3_ERROR_DEPTH_MAX || !take(r, STR("<")))
        return false;
    name = take_name(r);
    if (name.len == 0 || !end_tag(r, &empty))
        return false;
    if (r->depth == 0 && (!str_is(name, "Error") || empty))
        return false;
    if (empty)
        return true;
    to = r->depth == 1 ? place(e, name, &size) : NULL;
    wanted = to != NULL;
    if (wanted && to[0])
        return false; /* twice */
    r->depth++;
    while (good && (good = take_text(r, to, size)) && !str_starts(r->rest, STR("</")))
        good = !wanted && take_element(r, e);
    r->depth--;
    return good && take_end(r, name);
}

static bool code_is_good(const char *code)
{
    for (; *code; code++)
        if (!is_name_char(*code) || *code == ':')
            return false;
    return true;
}

int s3_error_parse(struct str xml, struct s3_error *ret, struct error *err)
{
    static const char *const wrong = "not the XML of an S3 error";
    struct reader r = {.rest = xml};
    struct s3_error e = {.code = ""};
    size_t end;

    if (xml.len > S3_ERROR_BYTES_MAX || !str_is_utf8(xml))
        return error_set(err, ERR_PROTOCOL, "%s", wrong);
    take(&r, STR("\xef\xbb\xbf"));
    if (take(&r, STR("<?xml "))) {
        end = str_find(r.rest, '>', 0);
        if (end == r.rest.len || end == 0 || r.rest.ptr[end - 1] != '?')
            return error_set(err, ERR_PROTOCOL, "%s", wrong);
        skip(&r, end + 1);
    }
    skip_blanks(&r);
    if (!take_element(&r, &e))
        return error_set(err, ERR_PROTOCOL, "%s", wrong);
    skip_blanks(&r);
    if (r.rest.len || !e.code[0] || !code_is_good(e.code))
        return error_set(err, ERR_PROTOCOL, "%s", wrong);
    *ret = e;
    return 0;
}
