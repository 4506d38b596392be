/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_code_signature.c - libFuzzer target: any bytes are an archive whose signature is looked for;
 * without a profile none is good, and a manifest's lines are in order.
 */
#include <stdlib.h>
#include <string.h>

#include "controller/code/code_signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_lines(struct str manifest)
{
    struct str line, before = STR_NULL;

    while (manifest.len && str_split(&manifest, '\n', &line)) {
        struct str path = str_sub(line, 70, line.len);
        size_t least = path.len < before.len ? path.len : before.len;

        if (line.len < 70)
            abort();
        if (before.ptr && memcmp(before.ptr, path.ptr, least) > 0)
            abort();
        before = path;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct str zip = str_from(data, size);
    struct buf manifest = BUF_INIT(1u << 20), signature = BUF_INIT(CODE_SIGNATURE_MAX);

    if (code_manifest(zip, &manifest, &signature, NULL) == 0)
        check_lines(buf_str(&manifest));
    if (code_signature_check(zip, "", NULL, NULL, NULL) == 0)
        abort();
    buf_done(&manifest);
    buf_done(&signature);
    return 0;
}
