/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/random.h"

#include <stdlib.h>
#include <sys/random.h>

void random_init(struct random *r)
{
    if (getrandom(r->s, sizeof(r->s), 0) != (ssize_t)sizeof(r->s))
        abort();
    r->s[0] |= 1; /* never all zero */
}

static uint64_t rotate(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

uint64_t random_next(struct random *r)
{
    uint64_t *s = r->s, ret = rotate(s[0] + s[3], 23) + s[0], shifted = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate(s[3], 45);
    return ret;
}

double random_unit(struct random *r)
{
    return (double)(random_next(r) >> 11) * 0x1.0p-53;
}
