/* SPDX-License-Identifier: Apache-2.0 */
/* Keys, signatures, and whether one is right. */
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "common/proto/sigv4.h"

#define SECRET_MAX 256 /* bytes; AWS's have 40 */
#define UNSIGNED "UNSIGNED-PAYLOAD"
#define CHUNKED "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
#define CHUNKED_TRAILER "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
#define CHUNKED_UNSIGNED "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
#define MISMATCH                                                                                   \
    "The request signature we calculated does not match the signature you provided. Check your "   \
    "AWS Secret Access Key and signing method. Consult the service documentation for details."

void sigv4_signing_key(struct str secret, const struct sigv4_scope *scope,
                       unsigned char ret[SHA256_BYTES])
{
    char first[4 + SECRET_MAX] = "AWS4";
    size_t len = secret.len < SECRET_MAX ? secret.len : SECRET_MAX;

    if (len)
        memcpy(first + 4, secret.ptr, len);
    hmac_sha256(str_from(first, 4 + len), scope->date, ret);
    hmac_sha256(str_from(ret, SHA256_BYTES), scope->region, ret);
    hmac_sha256(str_from(ret, SHA256_BYTES), scope->service, ret);
    hmac_sha256(str_from(ret, SHA256_BYTES), STR("aws4_request"), ret);
    explicit_bzero(first, sizeof(first));
}

bool sigv4_is_chunked(const struct sigv4_auth *auth)
{
    return str_is(auth->payload, CHUNKED) || str_is(auth->payload, CHUNKED_TRAILER) ||
           str_is(auth->payload, CHUNKED_UNSIGNED);
}

int sigv4_payload(const struct sigv4_request *req, const struct sigv4_auth *auth,
                  char hex[SHA256_HEX_MAX], struct str *ret, struct error *err)
{
    struct str said = auth->payload;

    if (!said.ptr && auth->in_query && str_is(auth->scope.service, "s3"))
        said = STR(UNSIGNED);
    if (said.ptr && (str_is(said, UNSIGNED) || sigv4_is_chunked(auth))) {
        *ret = said;
        return 0;
    }
    sha256_hex(req->body, hex);
    *ret = str_from(hex, SHA256_HEX_MAX - 1);
    if (said.ptr && !str_eq(said, *ret))
        return error_set(err, ERR_BAD_SIGNATURE,
                         "The provided 'x-amz-content-sha256' header does not match what was "
                         "computed.");
    return 0;
}

void sigv4_signature(const struct sigv4_auth *auth, const unsigned char key[SHA256_BYTES],
                     const struct sigv4_space *space, char ret[SHA256_HEX_MAX])
{
    const struct sigv4_scope *scope = &auth->scope;
    unsigned char digest[SHA256_BYTES];
    char hex[SHA256_HEX_MAX], text[1024];
    int n;

    sha256_hex(buf_str(&space->canonical), hex);
    n = snprintf(text, sizeof(text), "AWS4-HMAC-SHA256\n%s\n%.*s/%.*s/%.*s/aws4_request\n%s",
                 auth->time, STR_ARG(str_sub(scope->date, 0, 64)),
                 STR_ARG(str_sub(scope->region, 0, 256)), STR_ARG(str_sub(scope->service, 0, 256)),
                 hex);
    hmac_sha256(str_from(key, SHA256_BYTES), str_from(text, (size_t)n), digest);
    hex_encode(digest, sizeof(digest), ret);
}

int sigv4_verify(const struct sigv4_request *req, const struct sigv4_auth *auth,
                 const unsigned char key[SHA256_BYTES], struct sigv4_space *space,
                 struct error *err)
{
    char hex[SHA256_HEX_MAX], signature[SHA256_HEX_MAX];
    struct str payload;
    int r;

    r = sigv4_payload(req, auth, hex, &payload, err);
    if (r == 0)
        r = sigv4_canonical(req, auth, payload, space, err);
    if (r < 0)
        return r;
    sigv4_signature(auth, key, space, signature);
    if (auth->signature.len != SHA256_HEX_MAX - 1 ||
        CRYPTO_memcmp(auth->signature.ptr, signature, SHA256_HEX_MAX - 1) != 0)
        return error_set(err, ERR_BAD_SIGNATURE, MISMATCH);
    return 0;
}
