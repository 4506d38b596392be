/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/id.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* getrandom() in blocks: one system call for every 64 ids. */
static unsigned char pool[1024];
static size_t pool_left;

static void random_bytes(unsigned char *ret, size_t len)
{
    if (pool_left < len) {
        if (getrandom(pool, sizeof(pool), 0) != (ssize_t)sizeof(pool))
            abort();
        pool_left = sizeof(pool);
    }
    pool_left -= len;
    memcpy(ret, pool + pool_left, len);
    explicit_bzero(pool + pool_left, len);
}

void uuid_make(char *ret)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char b[16];
    int i, at = 0;

    random_bytes(b, sizeof(b));
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    for (i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            ret[at++] = '-';
        ret[at++] = digits[b[i] >> 4];
        ret[at++] = digits[b[i] & 15];
    }
    ret[at] = '\0';
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool uuid_is_valid(struct str s)
{
    size_t i;

    if (s.len != UUID_LEN)
        return false;
    for (i = 0; i < UUID_LEN; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (s.ptr[i] != '-')
                return false;
        } else if (!is_hex(s.ptr[i])) {
            return false;
        }
    }
    return true;
}

void token_make(size_t bytes, char *ret)
{
    unsigned char b[64];

    if (bytes > sizeof(b))
        bytes = sizeof(b);
    random_bytes(b, bytes);
    hex_encode(b, bytes, ret);
    explicit_bzero(b, sizeof(b));
}
