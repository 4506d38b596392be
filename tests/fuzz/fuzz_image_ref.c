/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_image_ref.c - libFuzzer target: any bytes are an image reference or refused; its parts lie
 * in the text, add up to it, and hold nothing that could change a URL's path.
 */
#include <stdlib.h>
#include <string.h>

#include "common/proto/image_ref.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct str text = str_from(data, size);
    struct image_ref r;
    size_t sum, i;

    if (image_ref_parse(text, &r, NULL) < 0)
        return 0;
    sum = r.name.len + (r.tag.len ? r.tag.len + 1 : 0);
    sum += r.digest.len + (r.digest.len && r.name.len ? 1 : 0);
    if (sum != size || r.host.len + r.repository.len > r.name.len)
        abort();
    for (i = 0; i < size; i++)
        if (data[i] <= ' ' || data[i] > '~' || strchr("?#%\\\"'", data[i]))
            abort();
    for (i = 0; i + 1 < r.name.len; i++)
        if (r.name.ptr[i] == '.' && r.name.ptr[i + 1] == '.')
            abort();
    return 0;
}
