/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/sigv4_chunks.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#define SIZE_DIGITS_MAX 8 /* a chunk below 4 GiB */
#define TRAILER_MAX 8192
#define HEX_LEN (SHA256_HEX_MAX - 1)

struct reader {
    const struct sigv4_auth *auth;
    const unsigned char *key;
    bool is_signed, has_trailer;
    char previous[SHA256_HEX_MAX]; /* signature */
    struct str rest; /* not read yet */
    struct error *err;
};

static int malformed(struct reader *r)
{
    return error_set(r->err, ERR_HALF_SIGNED,
                     "The body is not made of chunks as its x-amz-content-sha256 says.");
}

/* Cuts the line up to CR LF off the front. */
static bool take_line(struct reader *r, struct str *ret)
{
    size_t end = str_find(r->rest, '\r', 0);

    if (end + 1 >= r->rest.len || r->rest.ptr[end + 1] != '\n')
        return false;
    *ret = str_sub(r->rest, 0, end);
    r->rest = str_sub(r->rest, end + 2, r->rest.len);
    return true;
}

static bool read_size(struct str hex, size_t *ret)
{
    size_t i, value = 0;
    const char *digit;
    static const char digits[] = "0123456789abcdef";

    if (hex.len == 0 || hex.len > SIZE_DIGITS_MAX)
        return false;
    for (i = 0; i < hex.len; i++) {
        digit = hex.ptr[i] ? strchr(digits, hex.ptr[i] | (hex.ptr[i] >= 'A' ? 0x20 : 0)) : NULL;
        if (!digit)
            return false;
        value = value << 4 | (size_t)(digit - digits);
    }
    *ret = value;
    return true;
}

/* What is signed: kind, time, scope, the signature before, digests. Checks @signature, which is
 * the next one's "before". */
static int check(struct reader *r, const char *kind, const char *digests, struct str signature)
{
    const struct sigv4_scope *scope = &r->auth->scope;
    unsigned char digest[SHA256_BYTES];
    char text[1024], expected[SHA256_HEX_MAX];
    int n;

    n = snprintf(text, sizeof(text), "%s\n%s\n%.*s/%.*s/%.*s/aws4_request\n%s\n%s", kind,
                 r->auth->time, STR_ARG(str_sub(scope->date, 0, 64)),
                 STR_ARG(str_sub(scope->region, 0, 256)), STR_ARG(str_sub(scope->service, 0, 256)),
                 r->previous, digests);
    hmac_sha256(str_from(r->key, SHA256_BYTES), str_from(text, (size_t)n), digest);
    hex_encode(digest, sizeof(digest), expected);
    if (signature.len != HEX_LEN || CRYPTO_memcmp(signature.ptr, expected, HEX_LEN) != 0)
        return error_set(r->err, ERR_BAD_SIGNATURE,
                         "The signature of a chunk of the body does not match.");
    memcpy(r->previous, expected, sizeof(expected));
    return 0;
}

static int check_chunk(struct reader *r, struct str data, struct str signature)
{
    char digests[2 * SHA256_HEX_MAX];

    if (!r->is_signed)
        return 0;
    sha256_hex(STR(""), digests);
    digests[HEX_LEN] = '\n';
    sha256_hex(data, digests + SHA256_HEX_MAX);
    return check(r, "AWS4-HMAC-SHA256-PAYLOAD", digests, signature);
}

/* The line in front of a chunk. */
static int read_chunk_line(struct reader *r, size_t *size, struct str *signature)
{
    static const struct str word = STR("chunk-signature=");
    struct str line, hex;

    if (!take_line(r, &line) || !str_split(&line, ';', &hex) || !read_size(hex, size))
        return malformed(r);
    if (!r->is_signed)
        return line.ptr ? malformed(r) : 0;
    if (!str_starts(line, word))
        return malformed(r);
    *signature = str_sub(line, word.len, line.len);
    return 0;
}

static int read_trailer(struct reader *r)
{
    CLEANUP(buf_done) struct buf canonical = BUF_INIT(TRAILER_MAX);
    static const struct str word = STR("x-amz-trailer-signature");
    char hex[SHA256_HEX_MAX];
    struct str line, name, value, signature = STR_NULL;
    size_t colon;

    for (;;) {
        if (!take_line(r, &line))
            return malformed(r);
        if (line.len == 0)
            break;
        colon = str_find(line, ':', 0);
        name = str_trim(str_sub(line, 0, colon));
        value = str_trim(str_sub(line, colon + 1, line.len));
        if (colon == line.len || signature.ptr)
            return malformed(r);
        if (r->is_signed && str_eq_nocase(name, word))
            signature = value;
        else if (buf_printf(&canonical, "%.*s:%.*s\n", STR_ARG(name), STR_ARG(value)) < 0)
            return malformed(r);
    }
    if (!r->is_signed)
        return 0;
    sha256_hex(buf_str(&canonical), hex);
    return check(r, "AWS4-HMAC-SHA256-TRAILER", hex, signature);
}

int sigv4_chunks_decode(const struct sigv4_auth *auth, const unsigned char key[SHA256_BYTES],
                        char *body, size_t *len, struct error *err)
{
    struct reader r = {.auth = auth, .key = key, .rest = str_from(body, *len), .err = err};
    struct str data, signature = STR_NULL, line;
    size_t size = 0, out = 0;
    int failed;

    r.is_signed = !str_starts(auth->payload, STR("STREAMING-UNSIGNED-"));
    r.has_trailer = str_ends(auth->payload, STR("-TRAILER"));
    snprintf(r.previous, sizeof(r.previous), "%.*s", STR_ARG(str_sub(auth->signature, 0, HEX_LEN)));
    do {
        failed = read_chunk_line(&r, &size, &signature);
        if (failed < 0)
            return failed;
        if (size > r.rest.len)
            return malformed(&r);
        data = str_sub(r.rest, 0, size);
        failed = check_chunk(&r, data, signature);
        if (failed < 0)
            return failed;
        r.rest = str_sub(r.rest, size, r.rest.len);
        if (size > 0 && (!take_line(&r, &line) || line.len > 0))
            return malformed(&r);
        memmove(body + out, data.ptr, size);
        out += size;
    } while (size > 0);
    if (r.has_trailer)
        failed = read_trailer(&r);
    else if (!take_line(&r, &line) || line.len > 0)
        return malformed(&r);
    if (failed == 0 && r.rest.len > 0)
        return malformed(&r);
    *len = out;
    return failed;
}
