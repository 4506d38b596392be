/* SPDX-License-Identifier: Apache-2.0 */
/* The canonical request: one spelling for all the ways in which a request can be written. */
#include <string.h>

#include "common/proto/sigv4.h"
#include "common/proto/uri_escape.h"

#define CANONICAL_MAX (512u * 1024u) /* bytes; a request head of 16 KiB makes at most some 150 */
#define PAIRS_ON_STACK 64

void sigv4_space_init(struct sigv4_space *space)
{
    buf_init(&space->canonical, CANONICAL_MAX);
    buf_init(&space->query, CANONICAL_MAX);
}

void sigv4_space_done(struct sigv4_space *space)
{
    buf_done(&space->canonical);
    buf_done(&space->query);
}

/* ---- the path ---- */

/* Cuts the last segment off what was written from @start on. */
static void pop_segment(struct buf *b, size_t start)
{
    while (b->len > start && b->ptr[b->len - 1] != '/')
        b->len--;
    if (b->len > start)
        b->len--;
}

/* Dot segments resolved, runs of slashes made one, what was sent escaped once more. */
static int append_path(struct buf *b, struct str path)
{
    bool ends_in_slash = path.len > 0 && path.ptr[path.len - 1] == '/';
    size_t start = b->len;
    struct str segment;
    int r = 0;

    while (r == 0 && str_split(&path, '/', &segment)) {
        if (segment.len == 0 || str_is(segment, "."))
            continue;
        if (str_is(segment, "..")) {
            pop_segment(b, start);
            continue;
        }
        r = buf_append_char(b, '/');
        if (r == 0)
            r = uri_escape(b, segment, false);
    }
    if (r == 0 && (b->len == start || ends_in_slash))
        r = buf_append_char(b, '/');
    return r;
}

/* S3's keys are any bytes: nothing is resolved, and the path is escaped once. */
static int append_s3_path(struct buf *b, struct str path, struct buf *scratch)
{
    int r;

    buf_clear(scratch);
    r = uri_unescape(scratch, path, false);
    if (r == 0)
        r = uri_escape(b, path.len ? buf_str(scratch) : STR("/"), true);
    return r;
}

/* ---- the query ---- */

struct pair {
    struct str name, value; /* escaped, in space->query */
};

static int compare_text(struct str a, struct str b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int r = n ? memcmp(a.ptr, b.ptr, n) : 0;

    if (r)
        return r;
    return a.len < b.len ? -1 : a.len > b.len;
}

static int by_name_and_value(const void *a, const void *b)
{
    const struct pair *p = a, *q = b;
    int r = compare_text(p->name, q->name);

    return r ? r : compare_text(p->value, q->value);
}

/*
 * Appends @text in the one spelling of escapes, by way of the end of @b, which has room. '+' is a
 * blank, as for those who read the query afterwards: nobody may swap the two in a signed URL.
 */
static int respell(struct buf *b, struct str text, struct str *ret)
{
    size_t start = b->len, plain_len;

    if (str_find(text, '%', 0) == text.len && str_find(text, '+', 0) == text.len) {
        if (uri_escape(b, text, false) < 0)
            return -ERR_TOO_LARGE;
        *ret = str_from(b->ptr + start, b->len - start);
        return 0;
    }
    if (uri_unescape(b, text, true) < 0)
        return -ERR_BAD_REQUEST;
    plain_len = b->len - start;
    if (uri_escape(b, str_from(b->ptr + start, plain_len), false) < 0)
        return -ERR_TOO_LARGE;
    *ret = str_from(b->ptr + start + plain_len, b->len - start - plain_len);
    return 0;
}

static int read_pairs(struct str query, bool presigned, struct buf *text, struct pair *pairs,
                      size_t *count)
{
    struct str part;
    size_t eq;
    int r;

    while (str_split(&query, '&', &part)) {
        eq = str_find(part, '=', 0);
        if (part.len == 0 || (presigned && str_is(str_sub(part, 0, eq), "X-Amz-Signature")))
            continue;
        r = respell(text, str_sub(part, 0, eq), &pairs[*count].name);
        if (r == 0)
            r = respell(text, str_sub(part, eq + 1, part.len), &pairs[*count].value);
        if (r < 0)
            return r;
        ++*count;
    }
    return 0;
}

static size_t count_pairs(struct str query)
{
    size_t n = 1, i;

    for (i = 0; i < query.len; i++)
        n += query.ptr[i] == '&';
    return n;
}

static int append_query(struct buf *b, struct str query, bool presigned, struct buf *text)
{
    struct pair few[PAIRS_ON_STACK], *pairs = few;
    size_t most = query.len ? count_pairs(query) : 0, count = 0, i;
    CLEANUP(freep) struct pair *many = NULL;
    int r;

    if (most == 0)
        return 0;
    if (most > PAIRS_ON_STACK) {
        pairs = many = calloc(most, sizeof(*many));
        if (!many)
            abort();
    }
    buf_clear(text);
    /* decoded and escaped again: with this it never moves */
    if (buf_reserve(text, 4 * query.len + 1) < 0)
        return -ERR_TOO_LARGE;
    r = read_pairs(query, presigned, text, pairs, &count);
    if (r < 0)
        return r;
    if (count > 1)
        qsort(pairs, count, sizeof(*pairs), by_name_and_value);
    for (i = 0; i < count && r == 0; i++) {
        if (i > 0)
            r = buf_append_char(b, '&');
        if (r == 0)
            r = buf_append_str(b, pairs[i].name);
        if (r == 0)
            r = buf_append_char(b, '=');
        if (r == 0)
            r = buf_append_str(b, pairs[i].value);
    }
    return r;
}

/* ---- the headers ---- */

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Runs of blanks become one, those at the ends go; a folded line's break is such a run. */
static int append_value(struct buf *b, struct str value)
{
    size_t i, from;
    int r = 0;

    value = str_trim(value);
    for (i = 0; i < value.len && r == 0;) {
        for (from = i; i < value.len && !is_blank(value.ptr[i]); i++)
            ;
        r = buf_append(b, value.ptr + from, i - from);
        if (i == value.len || r < 0)
            break;
        while (i < value.len && is_blank(value.ptr[i]))
            i++;
        r = buf_append_char(b, ' ');
    }
    return r;
}

/* `name:value,value\n` of all headers @name in the order in which they came. */
static int append_header(struct buf *b, const struct sigv4_request *req, struct str name)
{
    bool first = true;
    size_t i;
    int r;

    r = buf_append_str(b, name);
    if (r == 0)
        r = buf_append_char(b, ':');
    for (i = 0; i < req->header_count && r == 0; i++) {
        if (req->headers[i].name.len != name.len || !str_eq_nocase(req->headers[i].name, name))
            continue;
        if (!first)
            r = buf_append_char(b, ',');
        first = false;
        if (r == 0)
            r = append_value(b, req->headers[i].value);
    }
    return r == 0 ? buf_append_char(b, '\n') : r;
}

static int append_headers(struct buf *b, const struct sigv4_request *req, struct str names)
{
    struct str rest = names, name;
    int r = 0;

    while (r == 0 && str_split(&rest, ';', &name))
        r = append_header(b, req, name);
    if (r == 0)
        r = buf_append_char(b, '\n');
    if (r == 0)
        r = buf_append_str(b, names);
    return r;
}

/* ---- the whole ---- */

static int write_canonical(const struct sigv4_request *req, const struct sigv4_auth *auth,
                           struct str payload, struct sigv4_space *space)
{
    struct buf *b = &space->canonical;
    int r;

    buf_clear(b);
    r = buf_append_str(b, req->method);
    if (r == 0)
        r = buf_append_char(b, '\n');
    if (r == 0)
        r = str_is(auth->scope.service, "s3") ? append_s3_path(b, req->path, &space->query)
                                              : append_path(b, req->path);
    if (r == 0)
        r = buf_append_char(b, '\n');
    if (r == 0)
        r = append_query(b, req->query, auth->in_query, &space->query);
    if (r == 0)
        r = buf_append_char(b, '\n');
    if (r == 0)
        r = append_headers(b, req, auth->signed_headers);
    if (r == 0)
        r = buf_append_char(b, '\n');
    return r == 0 ? buf_append_str(b, payload) : r;
}

int sigv4_canonical(const struct sigv4_request *req, const struct sigv4_auth *auth,
                    struct str payload, struct sigv4_space *space, struct error *err)
{
    int r = write_canonical(req, auth, payload, space);

    if (r == -ERR_BAD_REQUEST)
        return error_set(err, ERR_HALF_SIGNED, "The URL holds malformed escapes.");
    return r < 0 ? error_set(err, ERR_HALF_SIGNED, "The signed request is too large.") : 0;
}
