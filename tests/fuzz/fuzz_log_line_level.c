/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_log_line_level.c - libFuzzer target: any line has a level or none; what is a JSON object for
 * our strict parser has one, and a beginning is judged as the whole, once it has told all.
 */
#include <stdlib.h>
#include <string.h>

#include "common/proto/json_check.h"
#include "common/proto/log_line_level.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* of their own size, so that a byte too far is seen */
    char *copy = malloc(size ? size : 1);
    struct str line = str_from(copy, size), shown = str_trim(line);
    int level, begun;

    if (!copy)
        abort();
    if (size)
        memcpy(copy, data, size);
    level = log_line_level(line, true);
    begun = log_line_level(line, false);
    if (level < -1 || level > FN_LOG_FATAL || (level >= 0 && begun != level))
        abort();
    if (size && !memchr(data, '\n', size) && shown.len && shown.ptr[0] == '{' &&
        json_check(line, NULL) == 0 && level < 0)
        abort();
    free(copy);
    return 0;
}
