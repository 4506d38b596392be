/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_permit_wire.c - libFuzzer target: JSON is taken for a gateway's question, its statements, and an
 * invoker's orphans; what is taken keeps the rules that the ledger relies on.
 */
#include <stdlib.h>

#include "controller/permits/permit_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_items(const struct permit_items *items)
{
    size_t i;

    for (i = 0; i < items->len; i++) {
        const struct permit_item *item = &items->all[i];

        if (item->seq == 0 || item->held > item->want || item->need > item->want ||
            item->want > LEDGER_COUNT_MAX || item->seq > PERMIT_NUMBER_MAX ||
            !permit_name_is_valid(str_of(item->pool)) ||
            permit_pool_function(str_of(item->pool)).len > PERMIT_NAME_MAX)
            abort();
    }
}

static void check_orphans(const struct permit_orphans *orphans)
{
    struct permit_orphans copy = permit_orphans_copy(orphans);
    struct ledger_count *counts;
    size_t i, len;

    for (i = 0; i < orphans->len; i++) {
        counts = permit_orphans_of(&copy, orphans->all[i].account, &len);
        if (len == 0 || !permit_orphans_has(&copy, orphans->all[i].account))
            abort();
        free(counts);
    }
    permit_orphans_done(&copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cJSON *json = cJSON_ParseWithLength((const char *)data, size);
    struct permit_orphans orphans;
    struct permit_items items;
    struct error err;

    if (!json)
        return 0;
    if (permit_items_parse(json, &items, &err) == 0) {
        check_items(&items);
        permit_items_done(&items);
    }
    if (permit_statements_parse(json, &items, &err) == 0) {
        check_items(&items);
        permit_items_done(&items);
    }
    if (permit_orphans_parse(json, &orphans, &err) == 0) {
        check_orphans(&orphans);
        permit_orphans_done(&orphans);
    }
    cJSON_Delete(json);
    return 0;
}
