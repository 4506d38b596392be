/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a signature out of the Authorization header or the query. */
#include <stddef.h>
#include <string.h>
#include <time.h>

#include "common/proto/sigv4.h"
#include "common/proto/uri_escape.h"

#define ALGORITHM "AWS4-HMAC-SHA256"
#define TERMINATOR "aws4_request"
#define SIGNATURE_LEN 64

struct str sigv4_header(const struct sigv4_request *req, const char *name)
{
    struct str wanted = str_of(name);
    size_t i;

    for (i = 0; i < req->header_count; i++)
        if (req->headers[i].name.len == wanted.len && str_eq_nocase(req->headers[i].name, wanted))
            return req->headers[i].value;
    return STR_NULL;
}

/* ---- times ---- */

static bool read_digits(struct str s, size_t at, size_t n, int *ret)
{
    int value = 0;
    size_t i;

    if (at + n > s.len)
        return false;
    for (i = at; i < at + n; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        value = value * 10 + (s.ptr[i] - '0');
    }
    *ret = value;
    return true;
}

/* Unix time of a date that exists. */
static bool to_unix(struct tm *tm, uint64_t *ret)
{
    struct tm given = *tm;
    time_t s = timegm(tm);

    if (s < 0 || tm->tm_mday != given.tm_mday || tm->tm_mon != given.tm_mon ||
        tm->tm_hour != given.tm_hour || tm->tm_min != given.tm_min || tm->tm_sec != given.tm_sec)
        return false;
    *ret = (uint64_t)s;
    return true;
}

/* "20150830T123600Z" */
static bool read_iso(struct str s, uint64_t *ret)
{
    struct tm tm = {0};

    if (s.len != SIGV4_TIME_MAX - 1 || s.ptr[8] != 'T' || s.ptr[15] != 'Z' ||
        !read_digits(s, 0, 4, &tm.tm_year) || !read_digits(s, 4, 2, &tm.tm_mon) ||
        !read_digits(s, 6, 2, &tm.tm_mday) || !read_digits(s, 9, 2, &tm.tm_hour) ||
        !read_digits(s, 11, 2, &tm.tm_min) || !read_digits(s, 13, 2, &tm.tm_sec))
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    return to_unix(&tm, ret);
}

/* "Sun, 30 Aug 2015 12:36:00 GMT", RFC 9110 section 5.6.7 */
static bool read_http_date(struct str s, uint64_t *ret)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct tm tm = {0};
    int i;

    if (s.len != 29 || !str_ends(s, STR(" GMT")) || s.ptr[3] != ',' ||
        !read_digits(s, 5, 2, &tm.tm_mday) || !read_digits(s, 12, 4, &tm.tm_year) ||
        !read_digits(s, 17, 2, &tm.tm_hour) || !read_digits(s, 20, 2, &tm.tm_min) ||
        !read_digits(s, 23, 2, &tm.tm_sec))
        return false;
    for (i = 0; i < 12 && memcmp(months + 3 * i, s.ptr + 8, 3) != 0; i++)
        ;
    tm.tm_mon = i;
    tm.tm_year -= 1900;
    return i < 12 && to_unix(&tm, ret);
}

void sigv4_format_time(uint64_t s, char ret[SIGV4_TIME_MAX])
{
    time_t t = (time_t)s;
    struct tm tm;

    gmtime_r(&t, &tm);
    strftime(ret, SIGV4_TIME_MAX, "%Y%m%dT%H%M%SZ", &tm);
}

static bool read_time(struct str text, struct sigv4_auth *auth)
{
    if (read_iso(text, &auth->time_s)) {
        memcpy(auth->time, text.ptr, SIGV4_TIME_MAX - 1);
        auth->time[SIGV4_TIME_MAX - 1] = '\0';
        return true;
    }
    if (!read_http_date(text, &auth->time_s))
        return false;
    sigv4_format_time(auth->time_s, auth->time);
    return true;
}

int sigv4_check_time(const struct sigv4_auth *auth, uint64_t now_s, struct error *err)
{
    uint64_t life = auth->has_expires ? auth->expires_s : SIGV4_SKEW_S;
    char now[SIGV4_TIME_MAX], limit[SIGV4_TIME_MAX];

    if (auth->time_s <= now_s + SIGV4_SKEW_S && now_s <= auth->time_s + life)
        return 0;
    sigv4_format_time(now_s, now);
    if (auth->time_s > now_s + SIGV4_SKEW_S) {
        sigv4_format_time(now_s + SIGV4_SKEW_S, limit);
        return error_set(err, ERR_BAD_SIGNATURE,
                         "Signature not yet current: %s is still later than %s (%s + %u min.)",
                         auth->time, limit, now, SIGV4_SKEW_S / 60);
    }
    sigv4_format_time(now_s - life, limit);
    return error_set(err, ERR_BAD_SIGNATURE,
                     "Signature expired: %s is now earlier than %s (%s - %u %s.)", auth->time, limit,
                     now, (unsigned)(life % 60 ? life : life / 60), life % 60 ? "sec" : "min");
}

/* ---- the scope ---- */

static bool read_scope(struct str credential, struct sigv4_scope *ret)
{
    struct str terminator;

    return str_split(&credential, '/', &ret->access_key) &&
           str_split(&credential, '/', &ret->date) && str_split(&credential, '/', &ret->region) &&
           str_split(&credential, '/', &ret->service) &&
           str_split(&credential, '/', &terminator) && !credential.ptr &&
           str_is(terminator, TERMINATOR) && ret->access_key.len && ret->region.len &&
           ret->service.len;
}

static int scope_of(struct str credential, struct sigv4_auth *auth, struct error *err)
{
    if (!read_scope(credential, &auth->scope))
        return error_set(err, ERR_HALF_SIGNED,
                         "Credential must have exactly 5 slash-delimited elements, e.g. "
                         "keyid/date/region/service/" TERMINATOR ".");
    if (!str_eq(auth->scope.date, str_from(auth->time, 8)))
        return error_set(err, ERR_BAD_SIGNATURE,
                         "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of "
                         "date from HTTP: '%.*s' != '%.8s', from '%s'.",
                         STR_ARG(str_sub(auth->scope.date, 0, 32)), auth->time, auth->time);
    return 0;
}

/* Names in lower case, `host` among them. */
static int check_signed_headers(struct str names, struct error *err)
{
    struct str name;
    bool host = false;
    size_t i;

    for (i = 0; i < names.len; i++)
        if (names.ptr[i] <= ' ' || (names.ptr[i] >= 'A' && names.ptr[i] <= 'Z') ||
            names.ptr[i] == ':' || (unsigned char)names.ptr[i] >= 0x7f)
            return error_set(err, ERR_HALF_SIGNED,
                             "SignedHeaders must be names of headers in lower case.");
    while (str_split(&names, ';', &name))
        host = host || str_is(name, "host");
    if (!host)
        return error_set(err, ERR_BAD_SIGNATURE,
                         "'Host' must be a 'SignedHeader' in the AWS Authorization.");
    return 0;
}

static int check_signature(struct str signature, struct error *err)
{
    size_t i;

    for (i = 0; i < signature.len; i++)
        if ((signature.ptr[i] < '0' || signature.ptr[i] > '9') &&
            (signature.ptr[i] < 'a' || signature.ptr[i] > 'f'))
            break;
    if (signature.len != SIGNATURE_LEN || i < SIGNATURE_LEN)
        return error_set(err, ERR_BAD_SIGNATURE,
                         "The request signature we calculated does not match the signature you "
                         "provided. Check your AWS Secret Access Key and signing method. Consult "
                         "the service documentation for details.");
    return 0;
}

static int check(struct sigv4_auth *auth, struct str credential, struct error *err)
{
    int r = scope_of(credential, auth, err);

    if (r == 0)
        r = check_signed_headers(auth->signed_headers, err);
    return r == 0 ? check_signature(auth->signature, err) : r;
}

/* ---- the header form ---- */

struct fields {
    struct str credential, signed_headers, signature;
};

/* AWS shows what it got as a digest: an Authorization header may hold a secret of another kind. */
static void add_digest(struct buf *b, struct str authorization)
{
    unsigned char digest[SHA256_BYTES];

    sha256_of(authorization, digest);
    sha256_base64(b, digest);
    buf_append_char(b, '\0');
}

static int read_fields(struct str list, struct fields *ret, struct error *err)
{
    CLEANUP(buf_done) struct buf digest = BUF_INIT(64);
    struct str part, name, value;
    size_t eq;

    while (str_split(&list, ',', &part)) {
        part = str_trim(part);
        eq = str_find(part, '=', 0);
        if (part.len == 0)
            continue;
        if (eq == part.len) {
            add_digest(&digest, part);
            return error_set(err, ERR_HALF_SIGNED,
                             "Invalid key=value pair (missing equal-sign) in Authorization header "
                             "(hashed with SHA-256 and encoded with Base64): '%s'.",
                             digest.ptr);
        }
        name = str_sub(part, 0, eq);
        value = str_sub(part, eq + 1, part.len);
        if (str_is(name, "Credential"))
            ret->credential = value;
        else if (str_is(name, "SignedHeaders"))
            ret->signed_headers = value;
        else if (str_is(name, "Signature"))
            ret->signature = value;
    }
    return 0;
}

static const char *lacks(struct str s, const char *sentence)
{
    return s.len ? "" : sentence;
}

static int read_header_form(const struct sigv4_request *req, struct str authorization,
                            struct sigv4_auth *auth, struct error *err)
{
    CLEANUP(buf_done) struct buf digest = BUF_INIT(64);
    struct str date = sigv4_header(req, "x-amz-date");
    struct fields f = {STR_NULL, STR_NULL, STR_NULL};
    size_t blank = str_find(authorization, ' ', 0);
    int r;

    if (!str_is(str_sub(authorization, 0, blank), ALGORITHM))
        return error_set(err, ERR_HALF_SIGNED,
                         "Unsupported AWS 'algorithm' in the Authorization header: Hearth takes "
                         ALGORITHM ".");
    r = read_fields(str_sub(authorization, blank, authorization.len), &f, err);
    if (r < 0)
        return r;
    if (!date.ptr)
        date = sigv4_header(req, "date");
    if (!f.credential.len || !f.signature.len || !f.signed_headers.len || !date.len) {
        add_digest(&digest, authorization);
        return error_set(
            err, ERR_HALF_SIGNED,
            "%s%s%s%s(Hashed with SHA-256 and encoded with Base64) Authorization=%s",
            lacks(f.credential, "Authorization header requires 'Credential' parameter. "),
            lacks(f.signature, "Authorization header requires 'Signature' parameter. "),
            lacks(f.signed_headers, "Authorization header requires 'SignedHeaders' parameter. "),
            lacks(date, "Authorization header requires existence of either a 'X-Amz-Date' or a "
                        "'Date' header. "),
            digest.ptr);
    }
    if (!read_time(date, auth))
        return error_set(err, ERR_HALF_SIGNED,
                         "Date must be in ISO-8601 'basic format'. Got '%.*s'. See "
                         "http://en.wikipedia.org/wiki/ISO_8601",
                         STR_ARG(str_sub(date, 0, 64)));
    auth->signed_headers = f.signed_headers;
    auth->signature = f.signature;
    auth->token = sigv4_header(req, "x-amz-security-token");
    auth->payload = sigv4_header(req, "x-amz-content-sha256");
    return check(auth, f.credential, err);
}

/* ---- the query form ---- */

enum query_value { ALGORITHM_V, CREDENTIAL_V, SIGNATURE_V, SIGNED_HEADERS_V, DATE_V, EXPIRES_V,
                   TOKEN_V, PAYLOAD_V, QUERY_VALUES };

static const char *const query_names[QUERY_VALUES] = {
    [ALGORITHM_V] = "X-Amz-Algorithm",
    [CREDENTIAL_V] = "X-Amz-Credential",
    [SIGNATURE_V] = "X-Amz-Signature",
    [SIGNED_HEADERS_V] = "X-Amz-SignedHeaders",
    [DATE_V] = "X-Amz-Date",
    [EXPIRES_V] = "X-Amz-Expires",
    [TOKEN_V] = "X-Amz-Security-Token",
    [PAYLOAD_V] = "X-Amz-Content-Sha256",
};

/* Decodes the values that have to do with signing; a NULL ptr: absent. false: they are too long
 * or malformed. */
static bool query_values(struct str query, char *space, struct str values[QUERY_VALUES])
{
    struct buf b = {space, 0, SIGV4_QUERY_VALUES_MAX, SIGV4_QUERY_VALUES_MAX};
    struct str pair, name;
    size_t eq, start;
    int i;

    memset(values, 0, sizeof(*values) * QUERY_VALUES);
    while (str_split(&query, '&', &pair)) {
        if (!str_starts(pair, STR("X-Amz-")))
            continue;
        eq = str_find(pair, '=', 0);
        name = str_sub(pair, 0, eq);
        for (i = 0; i < QUERY_VALUES && !str_is(name, query_names[i]); i++)
            ;
        if (i == QUERY_VALUES || values[i].ptr)
            continue;
        start = b.len;
        /* a decoded text is never longer: the buf does not grow */
        if (pair.len - eq > SIGV4_QUERY_VALUES_MAX - b.len ||
            uri_unescape(&b, str_sub(pair, eq + 1, pair.len), false) < 0)
            return false;
        values[i] = str_from(b.ptr + start, b.len - start);
    }
    return true;
}

static bool looks_presigned(struct str query)
{
    struct str pair;

    while (str_split(&query, '&', &pair))
        if (str_starts(pair, STR("X-Amz-Algorithm=")) ||
            str_starts(pair, STR("X-Amz-Credential=")) || str_starts(pair, STR("X-Amz-Signature=")))
            return true;
    return false;
}

static int read_expires(struct str text, struct sigv4_auth *auth, struct error *err)
{
    auth->has_expires = text.ptr != NULL;
    if (!auth->has_expires)
        return 0;
    if (str_parse_u64(text, &auth->expires_s) < 0)
        return error_set(err, ERR_HALF_SIGNED, "X-Amz-Expires should be a number");
    if (auth->expires_s > SIGV4_EXPIRES_MAX_S)
        return error_set(err, ERR_HALF_SIGNED,
                         "X-Amz-Expires must be less than a week (in seconds); that is, the given "
                         "X-Amz-Expires must be less than %u seconds",
                         SIGV4_EXPIRES_MAX_S);
    return 0;
}

static int read_query_form(const struct sigv4_request *req, struct sigv4_auth *auth,
                           struct error *err)
{
    struct str v[QUERY_VALUES];
    char missing[512] = "";
    size_t n = 0;
    int i, r;

    if (!query_values(req->query, auth->space, v))
        return error_set(err, ERR_HALF_SIGNED,
                         "The AWS query-string parameters are malformed or too long.");
    for (i = ALGORITHM_V; i <= DATE_V; i++)
        if (!v[i].len && n < sizeof(missing))
            n += (size_t)snprintf(missing + n, sizeof(missing) - n,
                                  "AWS query-string parameters must include '%s'. ",
                                  query_names[i]);
    if (n)
        return error_set(err, ERR_HALF_SIGNED, "%sRe-examine the query-string parameters.",
                         missing);
    if (!str_is(v[ALGORITHM_V], ALGORITHM))
        return error_set(err, ERR_HALF_SIGNED,
                         "Unsupported AWS 'algorithm': '%.*s'. Hearth takes " ALGORITHM ".",
                         STR_ARG(str_sub(v[ALGORITHM_V], 0, 32)));
    if (!read_time(v[DATE_V], auth))
        return error_set(err, ERR_HALF_SIGNED,
                         "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
    r = read_expires(v[EXPIRES_V], auth, err);
    if (r < 0)
        return r;
    auth->in_query = true;
    auth->signed_headers = v[SIGNED_HEADERS_V];
    auth->signature = v[SIGNATURE_V];
    auth->token = v[TOKEN_V];
    auth->payload = v[PAYLOAD_V].ptr ? v[PAYLOAD_V] : sigv4_header(req, "x-amz-content-sha256");
    return check(auth, v[CREDENTIAL_V], err);
}

/* ---- the whole ---- */

int sigv4_read(const struct sigv4_request *req, struct sigv4_auth *ret, struct error *err)
{
    struct str authorization = sigv4_header(req, "authorization");
    bool presigned = looks_presigned(req->query);

    memset(ret, 0, offsetof(struct sigv4_auth, space));
    if (authorization.ptr && presigned)
        return error_set(err, ERR_HALF_SIGNED,
                         "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter "
                         "or the Authorization header should be specified");
    if (authorization.ptr)
        return read_header_form(req, authorization, ret, err);
    if (presigned)
        return read_query_form(req, ret, err);
    return error_set(err, ERR_NO_TOKEN, "Missing Authentication Token");
}

bool sigv4_read_scope(const struct sigv4_request *req, char space[SIGV4_QUERY_VALUES_MAX],
                      struct sigv4_scope *ret)
{
    static const struct str word = STR("Credential=");
    struct str authorization = sigv4_header(req, "authorization"), v[QUERY_VALUES], part;

    if (authorization.ptr) {
        while (str_split(&authorization, ',', &part)) {
            part = str_trim(part);
            if (str_starts(part, STR(ALGORITHM " ")))
                part = str_trim(str_sub(part, strlen(ALGORITHM), part.len));
            if (str_starts(part, word))
                return read_scope(str_sub(part, word.len, part.len), ret);
        }
        return false;
    }
    return looks_presigned(req->query) && query_values(req->query, space, v) &&
           read_scope(v[CREDENTIAL_V], ret);
}
