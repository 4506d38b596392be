/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_json_check.c - libFuzzer target: any bytes pass or are refused with a message that is UTF-8;
 * what passes is JSON for another parser too.
 */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "common/proto/json_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What cJSON takes as we do: no escapes (lone surrogates), no long numbers, no deep nesting. */
static bool is_common_ground(const uint8_t *data, size_t size)
{
    size_t i, digits = 0, open = 0;

    for (i = 0; i < size; i++) {
        digits = strchr("0123456789+-.eE", data[i]) && data[i] ? digits + 1 : 0;
        open += data[i] == '[' || data[i] == '{';
        if (data[i] == '\\' || digits > 40 || open > 900)
            return false;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = {.msg = ""};
    const char *end = NULL;
    cJSON *json;

    if (json_check(str_from(data, size), &err) < 0) {
        if (!str_is_utf8(str_of(err.msg)) || !err.msg[0])
            abort();
        return 0;
    }
    if (size == 0 || !is_common_ground(data, size))
        return 0;
    if (data[0] == 0xEF) { /* cJSON passes a byte order mark of longer texts only */
        data += 3;
        size -= 3;
    }
    json = cJSON_ParseWithLengthOpts((const char *)data, size, &end, 0);
    if (!json)
        abort();
    cJSON_Delete(json);
    return 0;
}
