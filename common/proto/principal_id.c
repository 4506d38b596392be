/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/principal_id.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/proto/digest.h"

#define PREFIX_LEN 4

static void spell(const char *prefix, const unsigned char *bytes, size_t len, char *ret)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    size_t i;

    memcpy(ret, prefix, PREFIX_LEN);
    for (i = 0; i < len; i++)
        ret[PREFIX_LEN + i] = letters[bytes[i] & 31];
    ret[PREFIX_LEN + len] = '\0';
}

void principal_id_of(const char *prefix, struct str arn, char ret[PRINCIPAL_ID_MAX])
{
    unsigned char digest[SHA256_BYTES];

    sha256_of(arn, digest);
    spell(prefix, digest, PRINCIPAL_ID_MAX - 1 - PREFIX_LEN, ret);
}

void access_key_id_make(const char *prefix, char ret[ACCESS_KEY_ID_MAX])
{
    unsigned char bytes[ACCESS_KEY_ID_MAX];

    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        abort();
    spell(prefix, bytes, ACCESS_KEY_ID_MAX - 1 - PREFIX_LEN, ret);
}
