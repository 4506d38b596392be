/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/log_record.h"

#include <string.h>

#include "common/base/error.h"

static const char *const stream_names[] = {
    [LOG_RECORD_STDOUT] = "stdout",
    [LOG_RECORD_STDERR] = "stderr",
    [LOG_RECORD_PLATFORM] = "platform",
    [LOG_RECORD_EXTENSION] = "extension",
};

/* ---- writing; one line of a function is one call, so no printf here ---- */

static int append_u64(struct buf *b, uint64_t n)
{
    char digits[20];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n);
    return buf_append(b, digits + at, sizeof(digits) - at);
}

static int append_number(struct buf *b, struct str key, uint64_t n)
{
    int r = buf_append_str(b, key);

    return r < 0 ? r : append_u64(b, n);
}

/* @key with its quotes, colon and the value's opening quote. */
static int append_text(struct buf *b, struct str key, struct str text)
{
    int r = buf_append_str(b, key);

    if (r == 0)
        r = buf_append_json(b, text);
    return r < 0 ? r : buf_append_char(b, '"');
}

int log_origin_write(struct buf *b, const struct log_origin *origin)
{
    size_t mark = b->len;
    int r = append_text(b, STR("\"node\":\""), origin->node);

    if (r == 0)
        r = append_number(b, STR(",\"epoch\":"), origin->epoch);
    if (r == 0)
        r = append_text(b, STR(",\"account\":\""), origin->account);
    if (r == 0)
        r = append_text(b, STR(",\"region\":\""), origin->region);
    if (r == 0)
        r = append_text(b, STR(",\"function\":\""), origin->function);
    if (r == 0)
        r = append_text(b, STR(",\"version\":\""), origin->version);
    if (r == 0)
        r = append_text(b, STR(",\"log_group\":\""), origin->log_group);
    if (r == 0)
        r = append_text(b, STR(",\"log_stream\":\""), origin->log_stream);
    if (r == 0)
        r = append_text(b, STR(",\"sandbox\":\""), origin->sandbox);
    if (r < 0)
        b->len = mark;
    return r;
}

int log_record_write(struct buf *b, struct str origin, const struct log_line *line)
{
    size_t mark = b->len;
    int r = append_number(b, STR("{\"time\":"), line->time_ms);

    if (r == 0)
        r = append_number(b, STR(",\"seq\":"), line->seq);
    if (r == 0)
        r = buf_append_char(b, ',');
    if (r == 0)
        r = buf_append_str(b, origin);
    if (r == 0)
        r = append_text(b, STR(",\"request_id\":\""), line->request_id);
    if (r == 0)
        r = append_text(b, STR(",\"stream\":\""), str_of(stream_names[line->stream]));
    if (r == 0 && line->continues)
        r = buf_append_str(b, STR(",\"continues\":true"));
    if (r == 0)
        r = append_text(b, STR(",\"message\":\""), line->message);
    if (r == 0)
        r = buf_append_str(b, STR("}\n"));
    if (r < 0)
        b->len = mark;
    return r;
}

const char *log_record_stream_name(enum log_record_stream stream)
{
    return stream_names[stream];
}

/* ---- reading ---- */

struct scan {
    const char *at, *end;
};

static bool take(struct scan *s, char c)
{
    if (s->at == s->end || *s->at != c)
        return false;
    s->at++;
    return true;
}

static bool is_hex4(const char *p)
{
    int i;

    for (i = 0; i < 4; i++)
        if (!((p[i] >= '0' && p[i] <= '9') || ((p[i] | 0x20) >= 'a' && (p[i] | 0x20) <= 'f')))
            return false;
    return true;
}

/* A string with its quotes; @ret is what stands between them. */
static bool scan_string(struct scan *s, struct str *ret)
{
    const char *start;

    if (!take(s, '"'))
        return false;
    for (start = s->at; s->at < s->end; s->at++) {
        if (*s->at == '"') {
            *ret = str_from(start, (size_t)(s->at++ - start));
            return true;
        }
        if ((unsigned char)*s->at < 0x20)
            return false;
        if (*s->at != '\\')
            continue;
        if (++s->at == s->end || !*s->at || !strchr("\"\\/bfnrtu", *s->at))
            return false;
        if (*s->at == 'u') {
            if (s->end - s->at < 5 || !is_hex4(s->at + 1))
                return false;
            s->at += 4;
        }
    }
    return false;
}

static bool scan_u64(struct scan *s, uint64_t *ret)
{
    const char *start = s->at;

    while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
        s->at++;
    if (s->at - start > 1 && *start == '0')
        return false;
    return str_parse_u64(str_from(start, (size_t)(s->at - start)), ret) == 0;
}

static bool scan_word(struct scan *s, struct str word)
{
    if ((size_t)(s->end - s->at) < word.len || memcmp(s->at, word.ptr, word.len) != 0)
        return false;
    s->at += word.len;
    return true;
}

static bool scan_bool(struct scan *s, bool *ret)
{
    *ret = scan_word(s, STR("true"));
    return *ret || scan_word(s, STR("false"));
}

static bool scan_stream(struct scan *s, enum log_record_stream *ret)
{
    struct str name;
    size_t i;

    if (!scan_string(s, &name))
        return false;
    for (i = 0; i < ARRAY_LEN(stream_names); i++) {
        if (str_is(name, stream_names[i])) {
            *ret = (enum log_record_stream)i;
            return true;
        }
    }
    return false;
}

/* A value of a member that a later version may have added: string, number, true, false, null. */
static bool scan_unknown(struct scan *s)
{
    struct str text;
    uint64_t number;
    bool truth;

    if (s->at == s->end)
        return false;
    if (*s->at == '"')
        return scan_string(s, &text);
    if (*s->at >= '0' && *s->at <= '9')
        return scan_u64(s, &number);
    return scan_bool(s, &truth) || scan_word(s, STR("null"));
}

/* The members, in the order in which they are written. */
enum member {
    M_TIME,
    M_SEQ,
    M_NODE,
    M_EPOCH,
    M_ACCOUNT,
    M_REGION,
    M_FUNCTION,
    M_VERSION,
    M_LOG_GROUP,
    M_LOG_STREAM,
    M_SANDBOX,
    M_REQUEST_ID,
    M_STREAM,
    M_CONTINUES,
    M_MESSAGE,
    M_MAX,
};

static const char *const member_names[M_MAX] = {
    "time",    "seq",       "node",       "epoch",   "account",
    "region",  "function",  "version",    "log_group", "log_stream",
    "sandbox", "request_id", "stream",    "continues", "message",
};

/* @guess is tried first: records come in the order we write them. */
static enum member member_find(struct str name, unsigned guess)
{
    unsigned i;

    if (guess < M_MAX && str_is(name, member_names[guess]))
        return (enum member)guess;
    for (i = 0; i < M_MAX; i++)
        if (str_is(name, member_names[i]))
            break;
    return (enum member)i;
}

static bool scan_value(struct scan *s, enum member m, struct log_record *rec)
{
    switch (m) {
    case M_TIME:
        return scan_u64(s, &rec->line.time_ms);
    case M_SEQ:
        return scan_u64(s, &rec->line.seq);
    case M_NODE:
        return scan_string(s, &rec->origin.node);
    case M_EPOCH:
        return scan_u64(s, &rec->origin.epoch);
    case M_ACCOUNT:
        return scan_string(s, &rec->origin.account);
    case M_REGION:
        return scan_string(s, &rec->origin.region);
    case M_FUNCTION:
        return scan_string(s, &rec->origin.function);
    case M_VERSION:
        return scan_string(s, &rec->origin.version);
    case M_LOG_GROUP:
        return scan_string(s, &rec->origin.log_group);
    case M_LOG_STREAM:
        return scan_string(s, &rec->origin.log_stream);
    case M_SANDBOX:
        return scan_string(s, &rec->origin.sandbox);
    case M_REQUEST_ID:
        return scan_string(s, &rec->line.request_id);
    case M_STREAM:
        return scan_stream(s, &rec->line.stream);
    case M_CONTINUES:
        return scan_bool(s, &rec->line.continues);
    case M_MESSAGE:
        return scan_string(s, &rec->line.message);
    case M_MAX:
        return scan_unknown(s);
    }
    return false;
}

int log_record_read(struct str json, struct log_record *ret)
{
    const unsigned needed = ((1u << M_MAX) - 1) & ~(1u << M_CONTINUES);
    struct scan s = {json.ptr, json.ptr + json.len};
    struct log_record rec = {0};
    unsigned seen = 0, guess = 0;
    struct str name;
    enum member m;

    if (!take(&s, '{'))
        return -ERR_PROTOCOL;
    do {
        if (!scan_string(&s, &name) || !take(&s, ':'))
            return -ERR_PROTOCOL;
        m = member_find(name, guess);
        if (m == M_MESSAGE && guess == M_CONTINUES)
            guess++;
        guess++;
        if (m < M_MAX && (seen & (1u << m)))
            return -ERR_PROTOCOL;
        if (!scan_value(&s, m, &rec))
            return -ERR_PROTOCOL;
        seen |= m < M_MAX ? 1u << m : 0;
    } while (take(&s, ','));
    if (!take(&s, '}') || s.at != s.end || (seen & needed) != needed)
        return -ERR_PROTOCOL;
    *ret = rec;
    return 0;
}

/* ---- unescaping ---- */

static unsigned hex4(const char *p)
{
    unsigned n = 0;
    int i;

    for (i = 0; i < 4; i++)
        n = n * 16 + (unsigned)(p[i] <= '9' ? p[i] - '0' : (p[i] | 0x20) - 'a' + 10);
    return n;
}

static int append_utf8(struct buf *b, unsigned c)
{
    char out[4];

    if (c < 0x80)
        return buf_append_char(b, (char)c);
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3f));
        return buf_append(b, out, 2);
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3f));
        out[2] = (char)(0x80 | (c & 0x3f));
        return buf_append(b, out, 3);
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3f));
    out[2] = (char)(0x80 | (c >> 6 & 0x3f));
    out[3] = (char)(0x80 | (c & 0x3f));
    return buf_append(b, out, 4);
}

/* One "\u…" (@p is behind the u, @left bytes), or two that make a pair; *@used: bytes taken. */
static int append_code_point(struct buf *b, const char *p, size_t left, size_t *used)
{
    unsigned high, low;

    *used = 4;
    if (left < 4 || !is_hex4(p))
        return -ERR_PROTOCOL;
    high = hex4(p);
    if (high < 0xd800 || high > 0xdfff)
        return append_utf8(b, high);
    if (high < 0xdc00 && left >= 10 && p[4] == '\\' && p[5] == 'u' && is_hex4(p + 6)) {
        low = hex4(p + 6);
        if (low >= 0xdc00 && low <= 0xdfff) {
            *used = 10;
            return append_utf8(b, 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
        }
    }
    return append_utf8(b, 0xfffd); /* half a pair means nothing */
}

int log_record_unescape(struct buf *b, struct str text)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    size_t at = 0, next, used, mark = b->len;
    const char *hit;
    int r;

    while (at < text.len) {
        next = str_find(text, '\\', at);
        r = buf_append(b, text.ptr + at, next - at);
        at = next;
        if (r == 0 && at < text.len) {
            if (++at == text.len)
                r = -ERR_PROTOCOL;
            else if (text.ptr[at] == 'u') {
                at++;
                r = append_code_point(b, text.ptr + at, text.len - at, &used);
                at += used;
            } else {
                hit = memchr(from, text.ptr[at++], sizeof(from) - 1);
                r = hit ? buf_append_char(b, to[hit - from]) : -ERR_PROTOCOL;
            }
        }
        if (r < 0) {
            b->len = mark;
            return r;
        }
    }
    return 0;
}
