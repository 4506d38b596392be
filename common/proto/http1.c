/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/http1.h"

#include <string.h>

/* The lower-case form of each character that may stand in a token (RFC 9110 5.6.2), else 0. */
static const char token_lower[256] = {
    ['!'] = '!', ['#'] = '#', ['$'] = '$', ['%'] = '%', ['&'] = '&', ['\''] = '\'', ['*'] = '*',
    ['+'] = '+', ['-'] = '-', ['.'] = '.', ['^'] = '^', ['_'] = '_', ['`'] = '`',   ['|'] = '|',
    ['~'] = '~', ['0'] = '0', ['1'] = '1', ['2'] = '2', ['3'] = '3', ['4'] = '4',   ['5'] = '5',
    ['6'] = '6', ['7'] = '7', ['8'] = '8', ['9'] = '9', ['a'] = 'a', ['b'] = 'b',   ['c'] = 'c',
    ['d'] = 'd', ['e'] = 'e', ['f'] = 'f', ['g'] = 'g', ['h'] = 'h', ['i'] = 'i',   ['j'] = 'j',
    ['k'] = 'k', ['l'] = 'l', ['m'] = 'm', ['n'] = 'n', ['o'] = 'o', ['p'] = 'p',   ['q'] = 'q',
    ['r'] = 'r', ['s'] = 's', ['t'] = 't', ['u'] = 'u', ['v'] = 'v', ['w'] = 'w',   ['x'] = 'x',
    ['y'] = 'y', ['z'] = 'z', ['A'] = 'a', ['B'] = 'b', ['C'] = 'c', ['D'] = 'd',   ['E'] = 'e',
    ['F'] = 'f', ['G'] = 'g', ['H'] = 'h', ['I'] = 'i', ['J'] = 'j', ['K'] = 'k',   ['L'] = 'l',
    ['M'] = 'm', ['N'] = 'n', ['O'] = 'o', ['P'] = 'p', ['Q'] = 'q', ['R'] = 'r',   ['S'] = 's',
    ['T'] = 't', ['U'] = 'u', ['V'] = 'v', ['W'] = 'w', ['X'] = 'x', ['Y'] = 'y',   ['Z'] = 'z',
};

static bool is_token(struct str s)
{
    size_t i;

    for (i = 0; i < s.len; i++)
        if (!token_lower[(unsigned char)s.ptr[i]])
            return false;
    return s.len > 0;
}

/* Visible characters, blanks, tabs and obs-text (RFC 9110 5.5). */
static bool is_field_value(struct str s)
{
    unsigned char c;
    size_t i;

    for (i = 0; i < s.len; i++) {
        c = (unsigned char)s.ptr[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

static struct str trim_blanks(struct str s)
{
    while (s.len && (s.ptr[0] == ' ' || s.ptr[0] == '\t')) {
        s.ptr++;
        s.len--;
    }
    while (s.len && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
        s.len--;
    return s;
}

static int refuse(struct http1_head *h, int status, const char *why)
{
    h->status = status;
    h->why = why;
    return -ERR_PROTOCOL;
}

static struct http1_span span_of(const char *bytes, struct str s)
{
    return (struct http1_span){(uint16_t)(s.ptr - bytes), (uint16_t)s.len};
}

struct str http1_str(const char *bytes, struct http1_span span)
{
    return (struct str){bytes + span.at, span.len};
}

void http1_head_init(struct http1_head *h)
{
    /* fields are left as they are: field_count says which count */
    h->method = h->path = h->query = (struct http1_span){0, 0};
    h->field_count = 0;
    h->minor = 0;
    h->keep_alive = h->chunked = h->has_length = h->expects_continue = false;
    h->content_length = 0;
    h->status = 0;
    h->why = NULL;
    h->line_at = h->seen = 0;
    h->has_request_line = h->has_host = h->close = h->keep = false;
}

/* origin-form, absolute-form of http(s), or "*" with OPTIONS (RFC 9112 3.2). */
static int read_target(struct http1_head *h, const char *bytes, struct str target)
{
    size_t i, start = 0, mark;

    if (target.len == 0)
        return refuse(h, 400, "no request target");
    for (i = 0; i < target.len; i++)
        if ((unsigned char)target.ptr[i] <= 0x20 || (unsigned char)target.ptr[i] >= 0x7f ||
            target.ptr[i] == '#')
            return refuse(h, 400, "illegal character in the request target");
    if (str_is(target, "*") && str_is(http1_str(bytes, h->method), "OPTIONS")) {
        h->path = span_of(bytes, target);
        return 0;
    }
    if (target.ptr[0] != '/') {
        if (str_eq_nocase(str_sub(target, 0, 7), STR("http://")))
            start = 7;
        else if (str_eq_nocase(str_sub(target, 0, 8), STR("https://")))
            start = 8;
        else
            return refuse(h, 400, "the request target is not a path");
        start = str_find(target, '/', start);
        if (start == target.len || str_find(target, '?', 0) < start)
            return refuse(h, 400, "the request target has no path");
    }
    mark = str_find(target, '?', start);
    h->path = span_of(bytes, str_sub(target, start, mark));
    h->query = span_of(bytes, str_sub(target, mark + 1, target.len));
    return 0;
}

static int read_request_line(struct http1_head *h, const char *bytes, struct str line)
{
    size_t one = str_find(line, ' ', 0), two = str_find(line, ' ', one + 1);
    struct str method = str_sub(line, 0, one), version = str_sub(line, two + 1, line.len);
    int r;

    if (!is_token(method))
        return refuse(h, 400, "malformed request line");
    h->method = span_of(bytes, method);
    if (version.len != 8 || !str_starts(version, STR("HTTP/")) || version.ptr[6] != '.' ||
        version.ptr[5] < '0' || version.ptr[5] > '9' || version.ptr[7] < '0' ||
        version.ptr[7] > '9')
        return refuse(h, 400, "malformed request line");
    if (version.ptr[5] != '1' || version.ptr[7] > '1')
        return refuse(h, 505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
    h->minor = (uint8_t)(version.ptr[7] - '0');
    r = read_target(h, bytes, str_sub(line, one + 1, two));
    h->has_request_line = true;
    return r;
}

static int read_connection(struct http1_head *h, struct str value)
{
    struct str item;

    while (str_split(&value, ',', &item)) {
        item = trim_blanks(item);
        if (str_eq_nocase(item, STR("close")))
            h->close = true;
        else if (str_eq_nocase(item, STR("keep-alive")))
            h->keep = true;
    }
    return 0;
}

static int read_length(struct http1_head *h, struct str value)
{
    uint64_t n;

    /* a list of equal lengths is legal to refuse (RFC 9112 6.3), and nobody honest sends one */
    if (str_parse_u64(value, &n) < 0)
        return refuse(h, 400, "malformed Content-Length");
    if (h->has_length && h->content_length != n)
        return refuse(h, 400, "two Content-Length fields that differ");
    h->has_length = true;
    h->content_length = n;
    return 0;
}

static int read_host(struct http1_head *h, struct str value)
{
    size_t i;

    if (h->has_host)
        return refuse(h, 400, "more than one Host field");
    for (i = 0; i < value.len; i++)
        if ((unsigned char)value.ptr[i] <= 0x20 || (unsigned char)value.ptr[i] >= 0x7f ||
            strchr("/?#@,\\", value.ptr[i]))
            return refuse(h, 400, "malformed Host");
    h->has_host = true;
    return 0;
}

/* The few fields that decide how the message is framed; told apart by length first. */
static int note_field(struct http1_head *h, struct str name, struct str value)
{
    switch (name.len) {
    case 4:
        return str_is(name, "host") ? read_host(h, value) : 0;
    case 6:
        if (!str_is(name, "expect"))
            return 0;
        if (!str_eq_nocase(value, STR("100-continue")))
            return refuse(h, 417, "no expectation but 100-continue can be met");
        h->expects_continue = true;
        return 0;
    case 10:
        return str_is(name, "connection") ? read_connection(h, value) : 0;
    case 14:
        return str_is(name, "content-length") ? read_length(h, value) : 0;
    case 17:
        if (!str_is(name, "transfer-encoding"))
            return 0;
        if (h->chunked)
            return refuse(h, 400, "Transfer-Encoding twice");
        if (!str_eq_nocase(value, STR("chunked")))
            return refuse(h, 501, "no transfer coding but chunked is understood");
        h->chunked = true;
        return 0;
    default:
        return 0;
    }
}

static int read_field(struct http1_head *h, char *bytes, struct str line)
{
    struct http1_field *f;
    struct str value;
    size_t i;
    char c;

    if (h->field_count == HTTP1_FIELDS_MAX)
        return refuse(h, 431, "too many header fields");
    f = &h->fields[h->field_count];
    f->name.at = (uint16_t)(line.ptr - bytes);
    for (i = 0; i < line.len && line.ptr[i] != ':'; i++) {
        c = token_lower[(unsigned char)line.ptr[i]];
        if (!c) /* this catches folded lines and a blank before the colon too */
            return refuse(h, 400, "illegal character in a field name");
        bytes[f->name.at + i] = c;
    }
    if (i == 0 || i == line.len)
        return refuse(h, 400, "a header line without name or colon");
    f->name.len = (uint16_t)i;
    value = trim_blanks(str_sub(line, i + 1, line.len));
    if (!is_field_value(value))
        return refuse(h, 400, "illegal character in a field value");
    f->value = span_of(bytes, value);
    h->field_count++;
    return note_field(h, http1_str(bytes, f->name), value);
}

/* All lines are there: what they say together. */
static int finish_head(struct http1_head *h)
{
    if (h->minor == 1 && !h->has_host)
        return refuse(h, 400, "no Host field");
    if (h->chunked && h->has_length)
        return refuse(h, 400, "Transfer-Encoding and Content-Length together");
    if (h->chunked && h->minor == 0)
        return refuse(h, 400, "Transfer-Encoding in HTTP/1.0");
    if (h->minor == 0)
        h->expects_continue = false;
    h->keep_alive = !h->close && (h->minor == 1 || h->keep);
    return 0;
}

int http1_head_read(struct http1_head *h, char *bytes, size_t len)
{
    size_t limit = len < HTTP1_HEAD_MAX ? len : HTTP1_HEAD_MAX, end;
    const char *lf;
    struct str line;
    int r;

    while ((lf = memchr(bytes + h->seen, '\n', limit - h->seen))) {
        end = (size_t)(lf - bytes);
        if (end == h->line_at || bytes[end - 1] != '\r')
            return refuse(h, 400, "a line that does not end in CR LF");
        line = str_from(bytes + h->line_at, end - 1 - h->line_at);
        if (line.len == 0 && h->has_request_line) {
            r = finish_head(h);
            return r < 0 ? r : (int)end + 1;
        }
        /* empty lines in front of a request are skipped (RFC 9112 2.2), within the head's limit */
        r = 0;
        if (h->has_request_line)
            r = read_field(h, bytes, line);
        else if (line.len > 0)
            r = read_request_line(h, bytes, line);
        if (r < 0)
            return r;
        h->line_at = h->seen = (uint16_t)(end + 1);
        if (h->seen == limit)
            break;
    }
    h->seen = (uint16_t)limit;
    if (limit == HTTP1_HEAD_MAX)
        return h->has_request_line ? refuse(h, 431, "the request head is too long")
                                   : refuse(h, 414, "the request target is too long");
    return 0;
}

struct str http1_head_get(const struct http1_head *h, const char *bytes, struct str name)
{
    size_t i;

    for (i = 0; i < h->field_count; i++)
        if (h->fields[i].name.len == name.len &&
            memcmp(bytes + h->fields[i].name.at, name.ptr, name.len) == 0)
            return http1_str(bytes, h->fields[i].value);
    return STR_NULL;
}

/* ---- chunked bodies (RFC 9112 7.1) ---- */

enum chunked_state {
    CHUNKED_SIZE,
    CHUNKED_EXTENSION,
    CHUNKED_SIZE_LF,
    CHUNKED_DATA,
    CHUNKED_DATA_CR,
    CHUNKED_DATA_LF,
    CHUNKED_TRAILER, /* at the start of a line */
    CHUNKED_TRAILER_NAME,
    CHUNKED_TRAILER_VALUE,
    CHUNKED_TRAILER_LF,
    CHUNKED_LAST_LF,
    CHUNKED_DONE,
};

#define CHUNK_DIGITS_MAX 15 /* fits 64 bits with room */
#define CHUNK_LINE_MAX 256

static int broken(struct http1_chunked *c, const char *why)
{
    c->why = why;
    return -ERR_PROTOCOL;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One byte of a size line. */
static int read_size_line(struct http1_chunked *c, char ch)
{
    int v = hex_value(ch);

    if (++c->line > CHUNK_LINE_MAX)
        return broken(c, "a chunk's size line is too long");
    if (c->state == CHUNKED_SIZE && v >= 0) {
        if (++c->digits > CHUNK_DIGITS_MAX)
            return broken(c, "a chunk's size is too large");
        c->left = c->left << 4 | (uint64_t)v;
        return 0;
    }
    if (c->digits == 0)
        return broken(c, "a chunk without a size");
    if (ch == '\r')
        c->state = CHUNKED_SIZE_LF;
    else if (c->state == CHUNKED_SIZE && ch == ';')
        c->state = CHUNKED_EXTENSION;
    else if (c->state == CHUNKED_SIZE || ((unsigned char)ch < 0x20 && ch != '\t') || ch == 0x7f)
        return broken(c, "illegal character in a chunk's size line");
    return 0;
}

/* One byte of the trailer section; kept as "name: value\r\n" with the name in lower case. */
static int read_trailer(struct http1_chunked *c, char ch, struct buf *trailers)
{
    char keep = ch;

    if (++c->trailer_bytes > HTTP1_TRAILERS_MAX)
        return broken(c, "the trailer section is too long");
    switch (c->state) {
    case CHUNKED_TRAILER:
        if (ch == '\r') {
            c->state = CHUNKED_LAST_LF;
            return 0;
        }
        c->state = CHUNKED_TRAILER_NAME;
        c->line = 0;
        /* fall through */
    case CHUNKED_TRAILER_NAME:
        if (ch == ':' && c->line > 0) {
            c->state = CHUNKED_TRAILER_VALUE;
            break;
        }
        keep = token_lower[(unsigned char)ch];
        if (!keep)
            return broken(c, "illegal character in a trailer's name");
        c->line++;
        break;
    case CHUNKED_TRAILER_VALUE:
        if (ch == '\r')
            c->state = CHUNKED_TRAILER_LF;
        else if (((unsigned char)ch < 0x20 && ch != '\t') || ch == 0x7f)
            return broken(c, "illegal character in a trailer");
        break;
    default: /* CHUNKED_TRAILER_LF */
        if (ch != '\n')
            return broken(c, "a trailer line that does not end in CR LF");
        c->state = CHUNKED_TRAILER;
        break;
    }
    if (trailers && buf_append_char(trailers, keep) < 0)
        return broken(c, "the trailer section is too long");
    return 0;
}

/* One byte that is not payload. */
static int read_chunk_byte(struct http1_chunked *c, char ch, struct buf *trailers)
{
    switch (c->state) {
    case CHUNKED_SIZE:
    case CHUNKED_EXTENSION:
        return read_size_line(c, ch);
    case CHUNKED_SIZE_LF:
        if (ch != '\n')
            return broken(c, "a chunk's size line that does not end in CR LF");
        c->state = c->left ? CHUNKED_DATA : CHUNKED_TRAILER;
        return 0;
    case CHUNKED_DATA_CR:
        if (ch != '\r')
            return broken(c, "a chunk is longer than its size");
        c->state = CHUNKED_DATA_LF;
        return 0;
    case CHUNKED_DATA_LF:
        if (ch != '\n')
            return broken(c, "a chunk that does not end in CR LF");
        c->state = CHUNKED_SIZE;
        c->digits = 0;
        c->line = 0;
        return 0;
    case CHUNKED_LAST_LF:
        if (ch != '\n')
            return broken(c, "a chunked body that does not end in CR LF");
        c->state = CHUNKED_DONE;
        return 0;
    default:
        return read_trailer(c, ch, trailers);
    }
}

int http1_chunked_read(struct http1_chunked *c, char *bytes, size_t *len, size_t *used,
                       struct buf *trailers)
{
    size_t at = 0, payload = 0, n;
    int r = 0;

    while (r == 0 && at < *len && c->state != CHUNKED_DONE) {
        if (c->state == CHUNKED_DATA) {
            n = *len - at < c->left ? *len - at : (size_t)c->left;
            memmove(bytes + payload, bytes + at, n);
            payload += n;
            at += n;
            c->left -= n;
            if (c->left == 0)
                c->state = CHUNKED_DATA_CR;
            continue;
        }
        r = read_chunk_byte(c, bytes[at++], trailers);
    }
    *len = payload;
    *used = at;
    return r < 0 ? r : c->state == CHUNKED_DONE;
}

/* ---- response heads ---- */

const char *http1_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        {100, "Continue"},
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {402, "Payment Required"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {417, "Expectation Failed"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
    };
    size_t i;

    for (i = 0; i < ARRAY_LEN(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "";
}

int http1_write_status(struct buf *b, int status)
{
    char line[] = "HTTP/1.1 200 ";

    if (status == 200) /* nearly all of them */
        return buf_append(b, "HTTP/1.1 200 OK\r\n", 17);
    if (status < 100 || status > 999)
        return -ERR_PROTOCOL;
    line[9] = (char)('0' + status / 100);
    line[10] = (char)('0' + status / 10 % 10);
    line[11] = (char)('0' + status % 10);
    if (buf_append(b, line, 13) < 0 || buf_append_str(b, str_of(http1_reason(status))) < 0)
        return -ERR_TOO_LARGE;
    return buf_append(b, "\r\n", 2);
}

int http1_write_field(struct buf *b, struct str name, struct str value)
{
    char *to;
    int r;

    if (!is_token(name) || !is_field_value(value))
        return -ERR_PROTOCOL;
    r = buf_reserve(b, name.len + value.len + 4);
    if (r < 0)
        return r;
    to = b->ptr + b->len;
    memcpy(to, name.ptr, name.len);
    to += name.len;
    *to++ = ':';
    *to++ = ' ';
    if (value.len)
        memcpy(to, value.ptr, value.len);
    to += value.len;
    *to++ = '\r';
    *to++ = '\n';
    b->len = (size_t)(to - b->ptr);
    return 0;
}

int http1_write_length(struct buf *b, uint64_t length)
{
    char digits[20];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + length % 10);
        length /= 10;
    } while (length);
    return http1_write_field(b, STR("Content-Length"), str_from(digits + at, sizeof(digits) - at));
}
