/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/join_token.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/id.h"

#define PREFIX "hearth-join-1"
#define EXPIRES_MAX (1ull << 40) /* far beyond any date */

static bool is_join_role(struct str role)
{
    return str_is(role, "invoker") || str_is(role, "gateway");
}

static void sign(const unsigned char key[SHA256_BYTES], struct str text, char ret[SHA256_HEX_MAX])
{
    unsigned char digest[SHA256_BYTES];

    hmac_sha256(str_from(key, SHA256_BYTES), text, digest);
    hex_encode(digest, sizeof(digest), ret);
}

int join_token_make(const unsigned char key[SHA256_BYTES], const char *ca, const char *role,
                    uint64_t expires_s, char ret[JOIN_TOKEN_MAX], struct error *err)
{
    char nonce[JOIN_NONCE_HEX + 1], signature[SHA256_HEX_MAX];
    int len;

    if (!is_join_role(str_of(role)))
        return error_set(err, ERR_BAD_REQUEST, "%s joins with no token: the roles are invoker and gateway",
                         role);
    if (expires_s == 0 || expires_s > EXPIRES_MAX)
        return error_set(err, ERR_BAD_REQUEST, "a token cannot be good for so long");
    token_make(JOIN_NONCE_HEX / 2, nonce);
    len = snprintf(ret, JOIN_TOKEN_MAX, PREFIX ".%s.%llu.%s.%s", role, (unsigned long long)expires_s,
                   nonce, ca);
    sign(key, str_from(ret, (size_t)len), signature);
    snprintf(ret + len, JOIN_TOKEN_MAX - (size_t)len, ".%s", signature);
    return 0;
}

/* Takes the next part, which must be @len lower-case hex digits. */
static bool take_hex(struct str *rest, size_t len, struct str *ret)
{
    size_t i;

    if (!str_split(rest, '.', ret) || ret->len != len)
        return false;
    for (i = 0; i < len; i++)
        if (!((ret->ptr[i] >= '0' && ret->ptr[i] <= '9') || (ret->ptr[i] >= 'a' && ret->ptr[i] <= 'f')))
            return false;
    return true;
}

int join_token_parse(struct str text, struct join_token *ret, struct error *err)
{
    struct str rest = text, prefix, role, expires, nonce, ca, signature;
    struct join_token token = {0};

    if (text.len >= JOIN_TOKEN_MAX || !str_split(&rest, '.', &prefix) || !str_is(prefix, PREFIX) ||
        !str_split(&rest, '.', &role) || !is_join_role(role) || !str_split(&rest, '.', &expires) ||
        str_parse_u64(expires, &token.expires_s) < 0 || token.expires_s > EXPIRES_MAX ||
        !take_hex(&rest, JOIN_NONCE_HEX, &nonce) || !take_hex(&rest, CERT_PRINT_MAX - 1, &ca) ||
        !take_hex(&rest, SHA256_HEX_MAX - 1, &signature) || rest.ptr)
        return error_set(err, ERR_BAD_REQUEST,
                         "this is no join token: `hearth token create`, where a controller is, makes one");
    memcpy(token.role, role.ptr, role.len);
    memcpy(token.ca, ca.ptr, ca.len);
    memcpy(token.signature, signature.ptr, signature.len);
    token.is_signed = str_sub(text, 0, (size_t)(signature.ptr - text.ptr) - 1);
    *ret = token;
    return 0;
}

int join_token_check(struct str text, const unsigned char key[SHA256_BYTES], const char *ca,
                     const char *role, uint64_t now_s, struct error *err)
{
    char good[SHA256_HEX_MAX], until[CLOCK_ISO_MAX], now[CLOCK_ISO_MAX];
    struct join_token token;
    int r = join_token_parse(text, &token, err);

    if (r < 0)
        return r;
    sign(key, token.is_signed, good);
    if (strcmp(token.ca, ca) != 0 || CRYPTO_memcmp(good, token.signature, SHA256_HEX_MAX) != 0)
        return error_set(err, ERR_ACCESS_DENIED,
                         "the join token is of another cluster, or was changed: make one with `hearth "
                         "token create` where a controller of this cluster is");
    if (now_s >= token.expires_s) {
        clock_format_iso(token.expires_s * 1000, until);
        clock_format_iso(now_s * 1000, now);
        return error_set(err, ERR_ACCESS_DENIED,
                         "the join token expired at %s (the controller's clock says %s): make a new one "
                         "with `hearth token create`",
                         until, now);
    }
    if (strcmp(token.role, role) != 0)
        return error_set(err, ERR_ACCESS_DENIED,
                         "the join token is for the role %s, not for %s: make one with `hearth token "
                         "create --role %s`",
                         token.role, role, strcmp(role, "gateway") == 0 ? "gateway" : "invoker");
    return 0;
}
