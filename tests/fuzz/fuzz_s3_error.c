/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_s3_error.c - libFuzzer target: any bytes are the XML of an S3 error or refused; what is read
 * is text that may be shown.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/proto/s3_error.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *text)
{
    if (!str_is_utf8(str_of(text)))
        abort();
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct s3_error e;

    if (s3_error_parse(str_from(data, size), &e, NULL) < 0)
        return 0;
    if (!e.code[0])
        abort();
    check(e.code);
    check(e.message);
    check(e.region);
    check(e.endpoint);
    return 0;
}
