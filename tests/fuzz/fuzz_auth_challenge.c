/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_auth_challenge.c - libFuzzer target: any bytes are a registry's challenge or refused; what
 * is read is printable and, of a bearer, an address of http.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/proto/auth_challenge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *text)
{
    if (strlen(text) >= AUTH_CHALLENGE_MAX)
        abort();
    for (; *text; text++)
        if (*text < ' ' || *text > '~')
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct auth_challenge c;

    if (auth_challenge_parse(str_from(data, size), &c, NULL) < 0)
        return 0;
    if (c.bearer && strncmp(c.realm, "http", 4) != 0)
        abort();
    check(c.realm);
    check(c.service);
    check(c.scope);
    return 0;
}
