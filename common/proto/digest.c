/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/digest.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/base64.h"

#define SHA256_BLOCK_BYTES 64

static void must(int ok)
{
    if (ok != 1)
        abort();
}

/* Looked up once: the library would search its providers for each digest, which costs more than a
 * short message's digest itself. */
static EVP_MD *fetched;

static void fetch(void)
{
    fetched = EVP_MD_fetch(NULL, "SHA256", NULL);
    must(fetched != NULL);
}

static const EVP_MD *sha256_md(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    must(pthread_once(&once, fetch) == 0);
    return fetched;
}

void sha256_init(struct sha256 *h)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    if (!ctx)
        abort();
    must(EVP_DigestInit_ex(ctx, sha256_md(), NULL));
    h->ctx = ctx;
}

void sha256_update(struct sha256 *h, const void *ptr, size_t len)
{
    must(EVP_DigestUpdate(h->ctx, ptr, len));
}

void sha256_final(struct sha256 *h, unsigned char ret[SHA256_BYTES])
{
    must(EVP_DigestFinal_ex(h->ctx, ret, NULL));
    must(EVP_DigestInit_ex(h->ctx, sha256_md(), NULL));
}

void sha256_done(struct sha256 *h)
{
    EVP_MD_CTX_free(h->ctx);
    h->ctx = NULL;
}

void sha256_of(struct str s, unsigned char ret[SHA256_BYTES])
{
    must(EVP_Digest(s.ptr ? s.ptr : "", s.len, ret, NULL, sha256_md(), NULL));
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
    struct sha256 h;
    size_t i;

    if (key.len > sizeof(pad))
        sha256_of(key, pad);
    else if (key.len > 0)
        memcpy(pad, key.ptr, key.len);
    for (i = 0; i < sizeof(pad); i++)
        pad[i] ^= 0x36;
    sha256_init(&h);
    sha256_update(&h, pad, sizeof(pad));
    sha256_update(&h, s.ptr ? s.ptr : "", s.len);
    sha256_final(&h, ret);
    for (i = 0; i < sizeof(pad); i++)
        pad[i] ^= 0x36 ^ 0x5c;
    sha256_update(&h, pad, sizeof(pad));
    sha256_update(&h, ret, SHA256_BYTES);
    sha256_final(&h, ret);
    sha256_done(&h);
    explicit_bzero(pad, sizeof(pad));
}
