/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/ops/esm_check.h"

#include <stdio.h>
#include <string.h>

#include "common/model/filter_pattern.h"
#include "common/model/lambda_input.h"

#define FILTERS_MAX 10 /* Lambda quotas: five, ten on request */
#define FIFO_BATCH_MAX 10
#define RECORD_AGE_MIN_S 60

static const cJSON *get(const cJSON *json, const char *name)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(json, name);

    return value && !cJSON_IsNull(value) ? value : NULL;
}

static double number(const cJSON *json, const char *name, double otherwise)
{
    const cJSON *value = get(json, name);

    return cJSON_IsNumber(value) ? value->valuedouble : otherwise;
}

/* ---- what a request says ---- */

/* Lists and objects that are empty ask for nothing. */
static int check_offered(enum esm_source source, const cJSON *input, struct error *err)
{
    const cJSON *value;

    cJSON_ArrayForEach(value, input)
    {
        if ((esm_parameter_sources(value->string) & ESM_IS(source)) || esm_is_nothing(value))
            continue;
        if (strcmp(value->string, "StartingPosition") == 0)
            return error_set(err, ERR_BAD_REQUEST,
                             "Unsupported starting position for arn type: %.*s",
                             STR_ARG(str_sub(cjson_str(input, "EventSourceArn"), 0, 512)));
        return error_set(err, ERR_BAD_REQUEST,
                         "Unsupported %s parameter for given event source mapping type.",
                         value->string);
    }
    return 0;
}

static int check_destination(enum esm_source source, const cJSON *input, struct error *err)
{
    const cJSON *config = get(input, "DestinationConfig");
    struct str to = cjson_str(get(config, "OnFailure"), "Destination"), service = to;
    bool kafka = str_starts(to, STR("kafka://"));

    if (!esm_is_nothing(get(config, "OnSuccess")) || (kafka && !(ESM_ANY_KAFKA & ESM_IS(source))))
        return error_set(
            err, ERR_BAD_REQUEST,
            "Unsupported DestinationConfig parameter for given event source mapping type.");
    if (to.len == 0 || kafka)
        return 0;
    service = str_sub(to, str_find(to, ':', str_find(to, ':', 0) + 1) + 1, to.len);
    service = str_sub(service, 0, str_find(service, ':', 0));
    if (str_is(service, "sqs") || str_is(service, "sns") || str_is(service, "s3"))
        return 0;
    return error_set(err, ERR_BAD_REQUEST,
                     "The provided destination config DestinationConfig(onSuccess=null, "
                     "onFailure=OnFailure(destination=%.*s)) is invalid.",
                     STR_ARG(to));
}

static int check_filters(const cJSON *input, struct error *err)
{
    const cJSON *filters = get(get(input, "FilterCriteria"), "Filters"), *filter;
    int r = 0;

    if (cJSON_GetArraySize(filters) > FILTERS_MAX)
        return error_set(err, ERR_BAD_REQUEST,
                         "FilterCriteria cannot have more than %d filters.", FILTERS_MAX);
    cJSON_ArrayForEach(filter, filters)
    {
        r = filter_pattern_check(cjson_str(filter, "Pattern"), err);
        if (r < 0)
            break;
    }
    return r;
}

static int check_access(enum esm_source source, const cJSON *input, struct error *err)
{
    static const struct {
        const char *type;
        unsigned sources;
    } types[] = {
        {"BASIC_AUTH", ESM_IS(ESM_MQ) | ESM_IS(ESM_KAFKA) | ESM_IS(ESM_DOCUMENTDB)},
        {"VIRTUAL_HOST", ESM_IS(ESM_MQ)},
        {"VPC_SUBNET", ESM_IS(ESM_KAFKA)},
        {"VPC_SECURITY_GROUP", ESM_IS(ESM_KAFKA)},
    };
    const cJSON *item;
    size_t i;

    cJSON_ArrayForEach(item, get(input, "SourceAccessConfigurations"))
    {
        struct str type = cjson_str(item, "Type");
        unsigned sources = ESM_ANY_KAFKA; /* all others: ways to log in to Kafka */

        for (i = 0; i < ARRAY_LEN(types); i++)
            if (str_is(type, types[i].type))
                sources = types[i].sources;
        if (!(sources & ESM_IS(source)))
            return error_set(err, ERR_BAD_REQUEST,
                             "Unsupported SourceAccessConfiguration type %.*s for given event "
                             "source mapping type.",
                             STR_ARG(type));
    }
    return 0;
}

static int check_required(enum esm_source source, const cJSON *input, struct error *err)
{
    static const struct {
        const char *name, *shown;
        unsigned sources;
    } required[] = {
        {"SourceAccessConfigurations", "sourceAccessConfigurations",
         ESM_IS(ESM_KAFKA) | ESM_IS(ESM_MQ) | ESM_IS(ESM_DOCUMENTDB)},
        {"Topics", "topics", ESM_ANY_KAFKA},
        {"Queues", "queues", ESM_IS(ESM_MQ)},
        {"DocumentDBEventSourceConfig", "documentDBEventSourceConfig", ESM_IS(ESM_DOCUMENTDB)},
    };
    const cJSON *servers;
    size_t i;

    for (i = 0; i < ARRAY_LEN(required); i++)
        if ((required[i].sources & ESM_IS(source)) && !get(input, required[i].name))
            return error_set(err, ERR_BAD_REQUEST, "Required '%s' parameter is missing.",
                             required[i].shown);
    if ((ESM_STREAMS & ESM_IS(source)) && !get(input, "StartingPosition"))
        return error_set(err, ERR_BAD_REQUEST,
                         "1 validation error detected: Value null at 'startingPosition' failed to "
                         "satisfy constraint: Member must not be null.");
    servers = get(get(get(input, "SelfManagedEventSource"), "Endpoints"),
                  "KAFKA_BOOTSTRAP_SERVERS");
    if (source == ESM_KAFKA && cJSON_GetArraySize(servers) == 0)
        return error_set(err, ERR_BAD_REQUEST,
                         "Required 'KAFKA_BOOTSTRAP_SERVERS' endpoints are missing.");
    if (source == ESM_DOCUMENTDB &&
        !cjson_str(get(input, "DocumentDBEventSourceConfig"), "DatabaseName").ptr)
        return error_set(err, ERR_BAD_REQUEST, "Required 'databaseName' parameter is missing.");
    return 0;
}

int esm_check_input(enum esm_source source, const cJSON *input, bool is_new, struct error *err)
{
    int r = check_offered(source, input, err);

    if (r == 0)
        r = check_destination(source, input, err);
    if (r == 0 && is_new)
        r = check_required(source, input, err);
    if (r == 0)
        r = check_access(source, input, err);
    return r < 0 ? r : check_filters(input, err);
}

/* ---- what a mapping is ---- */

static int check_batch(enum esm_source source, const cJSON *mapping, struct error *err)
{
    double size = number(mapping, "BatchSize", 1);
    double window = number(mapping, "MaximumBatchingWindowInSeconds", 0);

    if (source == ESM_SQS_FIFO && window > 0)
        return error_set(err, ERR_BAD_REQUEST,
                         "Batching window is not supported for FIFO queues.");
    if (source == ESM_SQS_FIFO && size > FIFO_BATCH_MAX)
        return error_set(err, ERR_BAD_REQUEST,
                         "Batch size must be less than or equal to %d for FIFO queues.",
                         FIFO_BATCH_MAX);
    if (source == ESM_SQS && size > 10 && window < 1)
        return error_set(err, ERR_BAD_REQUEST,
                         "Maximum batch window in seconds must be greater than 0 if maximum batch "
                         "size is greater than 10");
    return 0;
}

static int check_start(enum esm_source source, const cJSON *mapping, struct error *err)
{
    bool at = str_is(cjson_str(mapping, "StartingPosition"), "AT_TIMESTAMP");
    bool timestamp = get(mapping, "StartingPositionTimestamp") != NULL;

    if (at && source == ESM_DYNAMODB)
        return error_set(err, ERR_BAD_REQUEST, "Unsupported starting position for arn type: %.*s",
                         STR_ARG(str_sub(cjson_str(mapping, "EventSourceArn"), 0, 512)));
    if (at == timestamp)
        return 0;
    return error_set(err, ERR_BAD_REQUEST,
                     at ? "StartingPositionTimestamp is required when StartingPosition is "
                          "AT_TIMESTAMP."
                        : "StartingPositionTimestamp is only valid when StartingPosition is "
                          "AT_TIMESTAMP.");
}

static int check_pollers(enum esm_source source, const cJSON *mapping, struct error *err)
{
    const cJSON *config = get(mapping, "ProvisionedPollerConfig");
    double min = number(config, "MinimumPollers", 1), max = number(config, "MaximumPollers", 1);

    if (!config)
        return 0;
    if (get(mapping, "ScalingConfig"))
        return error_set(err, ERR_BAD_REQUEST,
                         "ScalingConfig and ProvisionedPollerConfig cannot be used together.");
    if (min > max)
        return error_set(err, ERR_BAD_REQUEST,
                         "MinimumPollers must be less than or equal to MaximumPollers.");
    if ((ESM_ANY_SQS & ESM_IS(source)) && min < 2)
        return error_set(err, ERR_BAD_REQUEST, "MinimumPollers must be at least 2 for SQS queues.");
    return 0;
}

/* The group of consumers is chosen once. */
static int check_group(enum esm_source source, const cJSON *mapping, const cJSON *before,
                       struct error *err)
{
    const char *name = source == ESM_MSK ? "AmazonManagedKafkaEventSourceConfig"
                                         : "SelfManagedKafkaEventSourceConfig";

    if (!(ESM_ANY_KAFKA & ESM_IS(source)))
        return 0;
    if (str_is(cjson_str(get(mapping, name), "ConsumptionMode"), "Queue"))
        return error_set(err, ERR_BAD_REQUEST,
                         "Hearth does not offer the ConsumptionMode Queue yet.");
    if (before && !str_eq(cjson_str(get(before, name), "ConsumerGroupId"),
                          cjson_str(get(mapping, name), "ConsumerGroupId")))
        return error_set(err, ERR_BAD_REQUEST,
                         "ConsumerGroupId of an event source mapping cannot be changed.");
    return 0;
}

int esm_check_mapping(enum esm_source source, const cJSON *mapping, const cJSON *before,
                      struct error *err)
{
    double age = number(mapping, "MaximumRecordAgeInSeconds", -1);
    int r = check_batch(source, mapping, err);

    if (r == 0)
        r = check_start(source, mapping, err);
    if (r == 0 && age != -1 && age < RECORD_AGE_MIN_S)
        r = error_set(err, ERR_BAD_REQUEST,
                      "MaximumRecordAgeInSeconds must be -1 or at least %d.", RECORD_AGE_MIN_S);
    if (r == 0)
        r = check_pollers(source, mapping, err);
    return r < 0 ? r : check_group(source, mapping, before, err);
}
