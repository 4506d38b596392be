/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/sigv4_sign.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define HEADERS_MAX 64
#define TEXT_MAX 65536 /* bytes; is_small() sees to it that it is enough */

/* Proxies and clients add or change these. */
static bool changes_on_the_way(struct str name)
{
    static const char *const names[] = {"authorization",     "connection",   "content-length",
                                        "expect",            "user-agent",   "accept-encoding",
                                        "transfer-encoding", "x-amzn-trace-id"};
    size_t i;

    for (i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq_nocase(name, str_of(names[i])))
            return true;
    return false;
}

static int by_name(const void *a, const void *b)
{
    const struct str *p = a, *q = b;
    size_t n = p->len < q->len ? p->len : q->len;
    int r = n ? memcmp(p->ptr, q->ptr, n) : 0;

    return r ? r : p->len < q->len ? -1 : p->len > q->len;
}

/* Appends "a;b;c": the names of @headers in lower case, sorted, each once. */
static struct str append_names(struct buf *b, const struct sigv4_header *headers, size_t count)
{
    CLEANUP(buf_done) struct buf lower = BUF_INIT(TEXT_MAX);
    struct str names[HEADERS_MAX];
    size_t i, k, n = 0, start = b->len;
    char c;

    buf_reserve(&lower, TEXT_MAX);
    for (i = 0; i < count; i++) {
        if (changes_on_the_way(headers[i].name))
            continue;
        names[n] = str_from(lower.ptr + lower.len, headers[i].name.len);
        for (k = 0; k < headers[i].name.len; k++) {
            c = headers[i].name.ptr[k];
            buf_append_char(&lower, c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c);
        }
        n++;
    }
    qsort(names, n, sizeof(names[0]), by_name);
    for (i = 0; i < n; i++) {
        if (i > 0 && str_eq(names[i], names[i - 1]))
            continue;
        if (b->len > start)
            buf_append_char(b, ';');
        buf_append_str(b, names[i]);
    }
    return str_from(b->ptr + start, b->len - start);
}

/* Whether all that is to be kept fits well. */
static bool is_small(const struct sigv4_request *req, const struct sigv4_credentials *credentials,
                     struct str region, struct str service)
{
    size_t bytes = credentials->access_key.len + credentials->token.len + region.len + service.len;
    size_t i;

    if (req->header_count + 3 > HEADERS_MAX)
        return false;
    for (i = 0; i < req->header_count; i++)
        bytes += req->headers[i].name.len;
    return bytes < TEXT_MAX / 4;
}

static int put_signature(const struct sigv4_request *req, struct sigv4_auth *auth, struct str secret,
                         char ret[SHA256_HEX_MAX], struct error *err)
{
    unsigned char key[SHA256_BYTES];
    struct sigv4_space space;
    int r;

    sigv4_space_init(&space);
    r = sigv4_canonical(req, auth, auth->payload, &space, err);
    if (r == 0) {
        sigv4_signing_key(secret, &auth->scope, key);
        sigv4_signature(auth, key, &space, ret);
        explicit_bzero(key, sizeof(key));
    }
    sigv4_space_done(&space);
    return r;
}

static struct str keep(struct buf *b, struct str s)
{
    size_t start = b->len;

    buf_append_str(b, s);
    return str_from(b->ptr + start, b->len - start);
}

int sigv4_sign(const struct sigv4_request *req, const struct sigv4_credentials *credentials,
               struct str region, struct str service, uint64_t now_s, struct sigv4_signed *ret,
               struct error *err)
{
    struct sigv4_header headers[HEADERS_MAX];
    struct sigv4_request whole = *req;
    struct sigv4_signed s = {.count = 0};
    struct sigv4_auth auth;
    struct buf text = BUF_INIT(TEXT_MAX);
    char hex[SHA256_HEX_MAX], signature[SHA256_HEX_MAX];
    size_t start;
    int r;

    if (!is_small(req, credentials, region, service))
        return error_set(err, ERR_HALF_SIGNED, "too much to sign in the headers");
    buf_reserve(&text, TEXT_MAX); /* never moves */
    memset(&auth, 0, offsetof(struct sigv4_auth, space));
    sigv4_format_time(now_s, auth.time);
    sha256_hex(req->body, hex);
    auth.payload = keep(&text, str_of(hex));
    s.headers[s.count++] = (struct sigv4_header){STR("x-amz-content-sha256"), auth.payload};
    s.headers[s.count++] =
        (struct sigv4_header){STR("x-amz-date"), keep(&text, str_of(auth.time))};
    if (credentials->token.ptr)
        s.headers[s.count++] = (struct sigv4_header){STR("x-amz-security-token"),
                                                     keep(&text, credentials->token)};
    if (req->header_count)
        memcpy(headers, req->headers, req->header_count * sizeof(headers[0]));
    memcpy(headers + req->header_count, s.headers, s.count * sizeof(headers[0]));
    whole.headers = headers;
    whole.header_count = req->header_count + s.count;
    auth.signed_headers = append_names(&text, headers, whole.header_count);
    auth.scope = (struct sigv4_scope){credentials->access_key, str_from(auth.time, 8), region, service};
    r = put_signature(&whole, &auth, credentials->secret, signature, err);
    start = text.len;
    if (r == 0)
        buf_printf(&text,
                   "AWS4-HMAC-SHA256 Credential=%.*s/%.8s/%.*s/%.*s/aws4_request, "
                   "SignedHeaders=%.*s, Signature=%s",
                   STR_ARG(credentials->access_key), auth.time, STR_ARG(region), STR_ARG(service),
                   STR_ARG(auth.signed_headers), signature);
    s.text = text.ptr;
    s.text_len = text.len;
    if (r < 0) {
        sigv4_signed_done(&s);
        return r;
    }
    s.headers[s.count++] = (struct sigv4_header){
        STR("authorization"), str_from(text.ptr + start, text.len - start)};
    *ret = s;
    return 0;
}

void sigv4_signed_done(struct sigv4_signed *s)
{
    if (s->text)
        explicit_bzero(s->text, s->text_len);
    free(s->text);
    *s = (struct sigv4_signed){.count = 0};
}
