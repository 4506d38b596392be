/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/code/code_url.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "common/proto/digest.h"

static void hmac(const void *key, size_t key_len, const char *text, unsigned char *ret)
{
    unsigned len = 0;

    if (!HMAC(EVP_sha256(), key, (int)key_len, (const unsigned char *)text, strlen(text), ret,
              &len) ||
        len != SHA256_BYTES)
        abort();
}

static void sign(const struct seal_key *key, const char *sha256, uint64_t expires_s,
                 char ret[SHA256_HEX_MAX])
{
    CLEANUP(freep) char *text = str_printf("%s\n%" PRIu64, sha256, expires_s);
    unsigned char own[SHA256_BYTES], digest[SHA256_BYTES];

    hmac(key->bytes, sizeof(key->bytes), "hearth code url", own); /* never the sealing key itself */
    hmac(own, sizeof(own), text, digest);
    hex_encode(digest, sizeof(digest), ret);
    explicit_bzero(own, sizeof(own));
}

char *code_url_new(const struct seal_key *key, const char *endpoint, const char *sha256,
                   uint64_t now_s)
{
    uint64_t expires_s = now_s + CODE_URL_S;
    char signature[SHA256_HEX_MAX];

    sign(key, sha256, expires_s, signature);
    return str_printf("%s/_hearth/v1/code/%s.zip?expires=%" PRIu64 "&signature=%s", endpoint,
                      sha256, expires_s, signature);
}

int code_url_check(const struct seal_key *key, struct str sha256, uint64_t expires_s,
                   struct str signature, uint64_t now_s, struct error *err)
{
    CLEANUP(freep) char *of = str_dup(sha256);
    char good[SHA256_HEX_MAX];

    sign(key, of, expires_s, good);
    if (signature.len != sizeof(good) - 1 ||
        CRYPTO_memcmp(signature.ptr, good, sizeof(good) - 1) != 0)
        return error_set(err, ERR_ACCESS_DENIED, "the signature is not ours");
    if (now_s > expires_s)
        return error_set(err, ERR_ACCESS_DENIED, "the link has expired");
    return 0;
}
