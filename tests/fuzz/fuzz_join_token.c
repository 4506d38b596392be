/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_join_token.c - libFuzzer target: any bytes are a join token or refused; one that is read has its
 * parts in the text, and only one that was made here is believed.
 */
#include <stdlib.h>
#include <string.h>

#include "common/proto/join_token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned char key[SHA256_BYTES] = "a key that no input can know";
    static const char ca[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    char made[JOIN_TOKEN_MAX];
    struct join_token token;
    size_t at, len;

    if (join_token_check(str_from(data, size), key, ca, "invoker", 1, NULL) == 0)
        abort();
    if (join_token_parse(str_from(data, size), &token, NULL) == 0) {
        if (size >= JOIN_TOKEN_MAX || token.is_signed.ptr != (const char *)data ||
            token.is_signed.len + 1 + strlen(token.signature) != size || strlen(token.ca) != 64 ||
            (strcmp(token.role, "invoker") != 0 && strcmp(token.role, "gateway") != 0))
            abort();
    }
    /* a good one with the input somewhere in it */
    if (join_token_make(key, ca, "invoker", 1000, made, NULL) < 0)
        abort();
    len = strlen(made);
    at = size ? data[0] % len : 0;
    if (size < 2 || size - 1 > len - at || memcmp(made + at, data + 1, size - 1) == 0)
        return 0;
    memcpy(made + at, data + 1, size - 1);
    if (join_token_check(str_from(made, len), key, ca, "invoker", 1, NULL) == 0)
        abort();
    return 0;
}
