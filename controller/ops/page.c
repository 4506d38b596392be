/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/ops/page.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/base64.h"
#include "common/model/lambda_input.h"

uint32_t page_limit(const cJSON *input, uint32_t max)
{
    const cJSON *items = cJSON_GetObjectItemCaseSensitive(input, "MaxItems");

    return cJSON_IsNumber(items) && items->valuedouble >= 1 && items->valuedouble < max
               ? (uint32_t)items->valuedouble
               : max;
}

int page_marker(const cJSON *input, struct buf *ret, struct error *err)
{
    struct str marker = cjson_str(input, "Marker");

    if (marker.len == 0 || (base64_decode(ret, marker) == 0 && ret->len > 0))
        return 0;
    return error_set(err, ERR_BAD_REQUEST, "The Marker is not one of an earlier answer.");
}

void page_add_marker(cJSON *json, struct str last)
{
    CLEANUP(buf_done) struct buf marker = BUF_INIT(PAGE_MARKER_MAX * 2);
    CLEANUP(freep) char *text = NULL;

    base64_encode(&marker, last);
    text = buf_take(&marker);
    cJSON_AddStringToObject(json, "NextMarker", text);
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const cJSON *const *)a)->string, (*(const cJSON *const *)b)->string);
}

int page_add_items(cJSON *json, const char *name, const cJSON *all, const cJSON *input,
                   bool (*keep)(const cJSON *item, const void *arg), const void *arg,
                   struct error *err)
{
    CLEANUP(buf_done) struct buf after = BUF_INIT(PAGE_MARKER_MAX);
    uint32_t limit = page_limit(input, PAGE_MAX), count = 0;
    size_t len = (size_t)cJSON_GetArraySize(all), n = 0, i;
    CLEANUP(freep) const cJSON **items = calloc(len + 1, sizeof(*items));
    CLEANUP(freep) char *from = NULL;
    const cJSON *item;
    cJSON *list;
    int r;

    if (!items)
        abort();
    r = page_marker(input, &after, err);
    if (r < 0)
        return r;
    from = buf_take(&after);
    cJSON_ArrayForEach(item, all)
    {
        if (strcmp(item->string, from) > 0 && (!keep || keep(item, arg)))
            items[n++] = item;
    }
    qsort(items, n, sizeof(*items), by_name);
    list = cJSON_AddArrayToObject(json, name);
    for (i = 0; i < n && count < limit; i++, count++)
        cJSON_AddItemToArray(list, cJSON_Duplicate(items[i], 1));
    if (i < n)
        page_add_marker(json, str_of(items[i - 1]->string));
    return 0;
}
