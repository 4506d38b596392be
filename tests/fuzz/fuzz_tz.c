/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_tz.c - libFuzzer target: any bytes are a file of a time zone or refused; offsets stay in their
 * bounds, and a time that clocks show is one at which they show it.
 */
#include <stdlib.h>

#include "common/proto/tz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tz *tz;
    int64_t at, when;

    if (tz_parse(str_from(data, size), &tz, NULL) < 0)
        return 0;
    for (at = -2000000000; at < 7000000000; at += 40000003) {
        int32_t offset = tz_offset(tz, at);

        if (offset < -26 * 3600 || offset > 26 * 3600)
            abort();
        if (tz_when(tz, at, &when) && when + tz_offset(tz, when) != at)
            abort();
    }
    tz_free(tz);
    return 0;
}
