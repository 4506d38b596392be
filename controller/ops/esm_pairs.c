/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "common/model/lambda_input.h"
#include "controller/ops/ops_esm.h"

static const cJSON *servers_of(const cJSON *mapping)
{
    return cJSON_GetObjectItemCaseSensitive(
        cJSON_GetObjectItemCaseSensitive(
            cJSON_GetObjectItemCaseSensitive(mapping, "SelfManagedEventSource"), "Endpoints"),
        "KAFKA_BOOTSTRAP_SERVERS");
}

/* The topic or queue that is read, or empty. */
static struct str part_of(const cJSON *mapping)
{
    const cJSON *parts = cJSON_GetObjectItemCaseSensitive(mapping, "Topics");

    if (!parts)
        parts = cJSON_GetObjectItemCaseSensitive(mapping, "Queues");
    return str_of(cJSON_GetStringValue(cJSON_GetArrayItem(parts, 0)));
}

static void add(struct esm_pairs *pairs, struct str source, const cJSON *mapping)
{
    struct str part = part_of(mapping), arn = cjson_str(mapping, "FunctionArn");

    if (pairs->len < ESM_PAIRS_MAX)
        pairs->fields[pairs->len++] =
            str_printf("%.*s\n%.*s\n%.*s", STR_ARG(source), STR_ARG(part), STR_ARG(arn));
}

void esm_pairs_init(struct esm_pairs *pairs, enum esm_source source, const cJSON *mapping)
{
    const cJSON *item;

    memset(pairs, 0, sizeof(*pairs));
    if (source != ESM_KAFKA) {
        add(pairs, cjson_str(mapping, "EventSourceArn"), mapping);
        return;
    }
    cJSON_ArrayForEach(item, servers_of(mapping))
    {
        add(pairs, str_of(cJSON_GetStringValue(item)), mapping);
    }
}

void esm_pairs_done(struct esm_pairs *pairs)
{
    while (pairs->len)
        free(pairs->fields[--pairs->len]);
}

bool esm_pairs_has(const struct esm_pairs *pairs, const char *field)
{
    size_t i;

    for (i = 0; i < pairs->len; i++)
        if (strcmp(pairs->fields[i], field) == 0)
            return true;
    return false;
}

static int kafka_conflict(const cJSON *mapping, struct str sources, struct str uuid,
                          struct error *err)
{
    struct str topic = part_of(mapping), arn = cjson_str(mapping, "FunctionArn");

    return error_set(err, ERR_CONFLICT,
                     "An event source mapping with event source (\"%.*s\"), function (\"%.*s\"), "
                     "topics (\"%.*s\") already exists. Please update or delete the existing "
                     "mapping with UUID %.*s",
                     STR_ARG(str_sub(sources, 0, 256)), STR_ARG(arn), STR_ARG(topic),
                     STR_ARG(uuid));
}

int esm_pairs_conflict(enum esm_source source, const cJSON *mapping, struct str name,
                       struct str uuid, struct error *err)
{
    CLEANUP(buf_done) struct buf sources = BUF_INIT(4096);
    struct str arn = cjson_str(mapping, "EventSourceArn");
    const cJSON *item;

    if (source == ESM_MSK)
        return kafka_conflict(mapping, arn, uuid, err);
    if (source != ESM_KAFKA)
        return error_set(err, ERR_CONFLICT,
                         "The event source arn (\" %.*s \") and function (\" %.*s \") provided "
                         "mapping already exists. Please update or delete the existing mapping "
                         "with UUID %.*s",
                         STR_ARG(str_sub(arn, 0, 512)), STR_ARG(name), STR_ARG(uuid));
    cJSON_ArrayForEach(item, servers_of(mapping))
    {
        buf_printf(&sources, "%s%s", sources.len ? "," : "", cJSON_GetStringValue(item));
    }
    return kafka_conflict(mapping, buf_str(&sources), uuid, err);
}
