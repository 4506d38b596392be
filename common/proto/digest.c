/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "common/base/base64.h"

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

void sha256_of(struct str s, unsigned char ret[SHA256_BYTES])
{
    must(EVP_Digest(s.ptr ? s.ptr : "", s.len, ret, NULL, EVP_sha256(), NULL));
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
