/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/aws_query.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/proto/uri_escape.h"

#define NAME_MAX_BYTES 256

/* ---- the form ---- */

static int compare_text(struct str a, struct str b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int r = n ? memcmp(a.ptr, b.ptr, n) : 0;

    if (r)
        return r;
    return a.len < b.len ? -1 : a.len > b.len;
}

/* All names lie in one piece of memory in the order in which they were given. */
static int by_name(const void *a, const void *b)
{
    const struct aws_query_param *p = a, *q = b;
    int r = compare_text(p->name, q->name);

    return r ? r : p->name.ptr < q->name.ptr ? -1 : p->name.ptr > q->name.ptr;
}

static size_t count_pairs(struct str form)
{
    struct str pair;
    size_t n = 0;

    while (str_split(&form, '&', &pair))
        n += pair.len > 0;
    return n;
}

static int decode(struct buf *b, struct str text, struct str *ret)
{
    size_t start = b->len;

    if (uri_unescape(b, text, true) < 0)
        return -ERR_BAD_REQUEST;
    *ret = str_from(b->ptr + start, b->len - start);
    return str_find(*ret, '\0', 0) == ret->len && str_is_utf8(*ret) ? 0 : -ERR_BAD_REQUEST;
}

void aws_query_done(struct aws_query *q)
{
    size_t i;

    for (i = 0; i < q->len; i++) {
        explicit_bzero((char *)(uintptr_t)q->params[i].name.ptr, q->params[i].name.len);
        explicit_bzero((char *)(uintptr_t)q->params[i].value.ptr, q->params[i].value.len);
    }
    free(q->text);
    free(q->params);
    *q = (struct aws_query){0};
}

int aws_query_parse(struct str form, struct aws_query *ret, struct error *err)
{
    size_t pairs = count_pairs(form), eq;
    struct aws_query q = {0};
    struct buf text = BUF_INIT(SIZE_MAX / 2);
    struct str pair;

    if (pairs > AWS_QUERY_PARAMS_MAX)
        return error_set(err, ERR_TOO_LARGE, "More than %u parameters.", AWS_QUERY_PARAMS_MAX);
    buf_reserve(&text, form.len + 1); /* never moves from here on */
    q.text = text.ptr;
    q.params = calloc(pairs + 1, sizeof(*q.params));
    if (!q.params)
        abort();
    while (str_split(&form, '&', &pair)) {
        if (pair.len == 0)
            continue;
        eq = str_find(pair, '=', 0);
        if (decode(&text, str_sub(pair, 0, eq), &q.params[q.len].name) < 0 ||
            decode(&text, str_sub(pair, eq + 1, pair.len), &q.params[q.len].value) < 0) {
            aws_query_done(&q);
            return error_set(err, ERR_BAD_REQUEST, "The query string contains a syntax error.");
        }
        q.len++;
    }
    qsort(q.params, q.len, sizeof(*q.params), by_name);
    *ret = q;
    return 0;
}

/* The first parameter whose name is not before @name. */
static size_t lower_bound(const struct aws_query *q, struct str name)
{
    size_t low = 0, high = q->len, mid;

    while (low < high) {
        mid = (low + high) / 2;
        if (compare_text(q->params[mid].name, name) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static struct str get(const struct aws_query *q, struct str name)
{
    size_t at = lower_bound(q, name);

    return at < q->len && str_eq(q->params[at].name, name) ? q->params[at].value : STR_NULL;
}

struct str aws_query_get(const struct aws_query *q, const char *name)
{
    return get(q, str_of(name));
}

struct str aws_query_getf(const struct aws_query *q, const char *fmt, ...)
{
    char name[NAME_MAX_BYTES];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(name, sizeof(name), fmt, ap);
    va_end(ap);
    return n > 0 && (size_t)n < sizeof(name) ? get(q, str_from(name, (size_t)n)) : STR_NULL;
}

static bool has_below(const struct aws_query *q, struct str prefix)
{
    size_t at = lower_bound(q, prefix);

    return at < q->len && str_starts(q->params[at].name, prefix);
}

size_t aws_query_members(const struct aws_query *q, const char *name)
{
    char prefix[NAME_MAX_BYTES];
    size_t n = 0;
    int len;

    for (;;) {
        len = snprintf(prefix, sizeof(prefix), "%s.member.%zu.", name, n + 1);
        if (len < 0 || (size_t)len >= sizeof(prefix))
            return n;
        if (!has_below(q, str_from(prefix, (size_t)len)) &&
            !get(q, str_from(prefix, (size_t)len - 1)).ptr)
            return n;
        n++;
    }
}

/* ---- XML ---- */

/* What did not fit must not be followed by what does: the buf takes nothing more. */
static int sticky(struct buf *b, int r)
{
    if (r < 0)
        b->max = b->len;
    return r;
}

/* Bytes of the UTF-8 character at @s, 0 when it is none that XML can hold. */
static size_t char_len(struct str s)
{
    unsigned char c = (unsigned char)s.ptr[0];
    size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    struct str one = str_sub(s, 0, n);

    if (n == 1)
        return c >= 0x20 || c == '\t' || c == '\n' || c == '\r';
    if (one.len < n || !str_is_utf8(one))
        return 0;
    /* U+FFFE and U+FFFF are no characters of XML */
    return n == 3 && memcmp(one.ptr, "\xef\xbf", 2) == 0 && (one.ptr[2] & 0xfe) == 0xbe ? 0 : n;
}

static struct str escape_of(unsigned char c)
{
    switch (c) {
    case '&':
        return STR("&amp;");
    case '<':
        return STR("&lt;");
    case '>':
        return STR("&gt;");
    case '"':
        return STR("&quot;");
    case '\r':
        return STR("&#xD;"); /* a parser would make it a line feed */
    default:
        return STR_NULL;
    }
}

int xml_escape(struct buf *b, struct str text)
{
    size_t start = b->len, n;
    struct str escape;
    int r = 0;

    while (text.len > 0 && r == 0) {
        n = char_len(text);
        escape = escape_of((unsigned char)text.ptr[0]);
        if (n == 0)
            r = buf_append(b, "\xef\xbf\xbd", 3);
        else if (escape.ptr)
            r = buf_append_str(b, escape);
        else
            r = buf_append(b, text.ptr, n);
        text = str_sub(text, n ? n : 1, text.len);
    }
    if (r < 0)
        b->len = start;
    return sticky(b, r);
}

int xml_open(struct buf *b, const char *name)
{
    return sticky(b, buf_printf(b, "<%s>", name));
}

int xml_close(struct buf *b, const char *name)
{
    return sticky(b, buf_printf(b, "</%s>", name));
}

int xml_text(struct buf *b, const char *name, struct str text)
{
    int r = xml_open(b, name);

    if (r == 0)
        r = xml_escape(b, text);
    return r == 0 ? xml_close(b, name) : r;
}

int xml_text_maybe(struct buf *b, const char *name, struct str text)
{
    return text.ptr ? xml_text(b, name, text) : 0;
}

int xml_u64(struct buf *b, const char *name, uint64_t value)
{
    return sticky(b, buf_printf(b, "<%s>%" PRIu64 "</%s>", name, value, name));
}

int xml_bool(struct buf *b, const char *name, bool value)
{
    return xml_text(b, name, value ? STR("true") : STR("false"));
}

int aws_query_answer_begin(struct buf *b, const char *xmlns, const char *op)
{
    return sticky(b, buf_printf(b, "<%sResponse xmlns=\"%s\"><%sResult>", op, xmlns, op));
}

static int append_metadata(struct buf *b, const char *op, const char *request_id)
{
    return sticky(b, buf_printf(b,
                                "<ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata>"
                                "</%sResponse>\n",
                                request_id, op));
}

int aws_query_answer_end(struct buf *b, const char *op, const char *request_id)
{
    int r = sticky(b, buf_printf(b, "</%sResult>", op));

    return r == 0 ? append_metadata(b, op, request_id) : r;
}

int aws_query_answer_empty(struct buf *b, const char *xmlns, const char *op,
                           const char *request_id)
{
    int r = sticky(b, buf_printf(b, "<%sResponse xmlns=\"%s\">", op, xmlns));

    return r == 0 ? append_metadata(b, op, request_id) : r;
}

int aws_query_error(struct buf *b, const char *xmlns, const char *code, struct str message,
                    int http_status, const char *request_id)
{
    size_t start = b->len;
    int r = buf_printf(b, "<ErrorResponse xmlns=\"%s\"><Error><Type>%s</Type><Code>%s</Code>",
                       xmlns, http_status < 500 ? "Sender" : "Receiver", code);

    if (r == 0)
        r = xml_text(b, "Message", message);
    if (r == 0)
        r = buf_printf(b, "</Error><RequestId>%s</RequestId></ErrorResponse>\n", request_id);
    if (r < 0)
        b->len = start;
    return r;
}
