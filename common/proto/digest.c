/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/digest.h"

/*
 * Whole texts are digested by the library's low-level functions: looking for a provider, which the
 * others do each time, costs a short text more than its digest, and every signed request has three
 * of them. They are marked as deprecated, and stay for all of OpenSSL 3.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/base64.h"

#define SHA256_BLOCK_BYTES 64

static void must(int ok)
{
    if (ok != 1)
        abort();
}

void sha256_init(struct sha256 *h)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    if (!ctx)
        abort();
    must(EVP_DigestInit_ex(ctx, EVP_sha256(), NULL));
    h->ctx = ctx;
}

void sha256_update(struct sha256 *h, const void *ptr, size_t len)
{
    must(EVP_DigestUpdate(h->ctx, ptr, len));
}

void sha256_final(struct sha256 *h, unsigned char ret[SHA256_BYTES])
{
    must(EVP_DigestFinal_ex(h->ctx, ret, NULL));
    must(EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL));
}

void sha256_done(struct sha256 *h)
{
    EVP_MD_CTX_free(h->ctx);
    h->ctx = NULL;
}

/* The digest of @block (a whole one, or NULL) and @s behind it; @ret may be @s's memory. */
static void digest_two(const unsigned char *block, struct str s, unsigned char ret[SHA256_BYTES])
{
    SHA256_CTX ctx;

    must(SHA256_Init(&ctx));
    if (block)
        must(SHA256_Update(&ctx, block, SHA256_BLOCK_BYTES));
    must(SHA256_Update(&ctx, s.ptr ? s.ptr : "", s.len));
    must(SHA256_Final(ret, &ctx));
    explicit_bzero(&ctx, sizeof(ctx));
}

void sha256_of(struct str s, unsigned char ret[SHA256_BYTES])
{
    digest_two(NULL, s, ret);
}

void sha256_hex(struct str s, char ret[SHA256_HEX_MAX])
{
    unsigned char digest[SHA256_BYTES];

    sha256_of(s, digest);
    hex_encode(digest, sizeof(digest), ret);
}

int sha256_base64(struct buf *b, const unsigned char digest[SHA256_BYTES])
{
    return base64_encode(b, str_from(digest, SHA256_BYTES));
}

void hmac_sha256(struct str key, struct str s, unsigned char ret[SHA256_BYTES])
{
    unsigned char pad[SHA256_BLOCK_BYTES] = {0};
    size_t i;

    if (key.len > sizeof(pad))
        sha256_of(key, pad);
    else if (key.len > 0)
        memcpy(pad, key.ptr, key.len);
    for (i = 0; i < sizeof(pad); i++)
        pad[i] ^= 0x36;
    digest_two(pad, s, ret);
    for (i = 0; i < sizeof(pad); i++)
        pad[i] ^= 0x36 ^ 0x5c;
    digest_two(pad, str_from(ret, SHA256_BYTES), ret);
    explicit_bzero(pad, sizeof(pad));
}
