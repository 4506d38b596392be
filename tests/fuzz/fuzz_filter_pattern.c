/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_filter_pattern.c - libFuzzer target: any bytes are a filter pattern or refused; a pattern is
 * one with blanks around it, too, and none when it is cut.
 */
#include <stdlib.h>
#include <string.h>

#include "common/model/filter_pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct str text = str_trim(str_from(data, size));
    char padded[FILTER_PATTERN_MAX];

    if (filter_pattern_check(text, NULL) < 0)
        return 0;
    if (filter_pattern_check(str_sub(text, 0, text.len - 1), NULL) == 0)
        abort();
    if (text.len + 2 > sizeof(padded))
        return 0;
    memset(padded, ' ', sizeof(padded));
    memcpy(padded + 1, text.ptr, text.len);
    if (filter_pattern_check(str_from(padded, text.len + 2), NULL) < 0)
        abort();
    return 0;
}
