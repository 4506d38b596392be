/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_schedule.c - libFuzzer target: any text is a schedule or refused; what is due next is later than
 * what was asked for, the one after it is later still, and nothing is due in between.
 */
#include <stdlib.h>

#include "common/proto/schedule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const int64_t after = 1795000000 + (size ? data[size - 1] * 86400 : 0);
    const struct schedule_span span = {.created = after - 12345};
    struct schedule s;
    int64_t first, second, latest;

    if (schedule_parse(str_from(data, size), &s, NULL) < 0)
        return 0;
    if (!schedule_next(&s, NULL, &span, after, &first))
        return 0;
    if (first <= after)
        abort();
    if (schedule_next(&s, NULL, &span, first - 1, &second) && second != first)
        abort();
    if (schedule_latest(&s, NULL, &span, after, first, &latest) && latest != first)
        abort();
    if (schedule_latest(&s, NULL, &span, after, first - 1, &latest))
        abort();
    if (schedule_next(&s, NULL, &span, first, &second) && second <= first)
        abort();
    return 0;
}
