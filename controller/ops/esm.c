/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/ops/esm.h"

#include <string.h>

#include "common/model/lambda_input.h"

#define KAFKA_POLLERS_MIN 1
#define SQS_POLLERS_MIN 2
#define POLLERS_MAX 200

/* ---- sources ---- */

/* "sqs" and "queue" of "arn:aws:sqs:eu-west-1:000000000000:queue" */
static void split_arn(struct str arn, struct str *service, struct str *resource)
{
    struct str rest = arn, part;
    unsigned i;

    *service = *resource = STR_NULL;
    for (i = 0; i < 5 && str_split(&rest, ':', &part); i++)
        if (i == 2)
            *service = part;
    if (i == 5 && rest.ptr)
        *resource = rest;
}

static bool contains(struct str s, const char *what)
{
    return s.len > 0 && memmem(s.ptr, s.len, what, strlen(what)) != NULL;
}

int esm_source_of(const cJSON *json, enum esm_source *ret, struct error *err)
{
    static const struct {
        const char *service, *begins, *has;
        enum esm_source source;
    } sources[] = {
        {"kinesis", "stream/", "", ESM_KINESIS},
        {"dynamodb", "table/", "/stream/", ESM_DYNAMODB},
        {"kafka", "cluster/", "", ESM_MSK},
        {"mq", "broker:", "", ESM_MQ},
        {"rds", "cluster:", "", ESM_DOCUMENTDB},
        {"sqs", "", "", ESM_SQS},
    };
    struct str service, resource;
    size_t i;

    split_arn(cjson_str(json, "EventSourceArn"), &service, &resource);
    if (!cjson_str(json, "EventSourceArn").ptr &&
        cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(json, "SelfManagedEventSource"))) {
        *ret = ESM_KAFKA;
        return 0;
    }
    for (i = 0; i < ARRAY_LEN(sources); i++) {
        if (!str_is(service, sources[i].service) || resource.len == 0 ||
            !str_starts(resource, str_of(sources[i].begins)) ||
            (sources[i].has[0] && !contains(resource, sources[i].has)))
            continue;
        *ret = sources[i].source;
        if (*ret == ESM_SQS && str_ends(resource, STR(".fifo")))
            *ret = ESM_SQS_FIFO;
        return 0;
    }
    return error_set(err, ERR_BAD_REQUEST, "Unrecognized event source.");
}

/* What a mapping may have, by source; what it has when nothing was said (NULL: it is not there). */
static const struct parameter {
    const char *name;
    unsigned sources;
    const char *otherwise;
    unsigned otherwise_sources;
} parameters[] = {
    {"BatchSize", ESM_ALL, "100", ESM_ALL & ~ESM_ANY_SQS},
    {"BatchSize", ESM_ALL, "10", ESM_ANY_SQS},
    {"MaximumBatchingWindowInSeconds", ESM_ALL, "0", ESM_ANY_SQS | ESM_STREAMS},
    {"ParallelizationFactor", ESM_STREAMS, "1", ESM_STREAMS},
    {"StartingPosition", ESM_STREAMS | ESM_ANY_KAFKA | ESM_IS(ESM_DOCUMENTDB), "\"TRIM_HORIZON\"",
     ESM_ANY_KAFKA | ESM_IS(ESM_DOCUMENTDB)},
    {"StartingPositionTimestamp", ESM_STREAMS | ESM_ANY_KAFKA | ESM_IS(ESM_DOCUMENTDB), NULL, 0},
    {"DestinationConfig", ESM_STREAMS | ESM_ANY_KAFKA, "{\"OnFailure\":{}}", ESM_STREAMS},
    {"MaximumRecordAgeInSeconds", ESM_STREAMS | ESM_ANY_KAFKA, "-1", ESM_STREAMS},
    {"BisectBatchOnFunctionError", ESM_STREAMS | ESM_ANY_KAFKA, "false", ESM_STREAMS},
    {"MaximumRetryAttempts", ESM_STREAMS | ESM_ANY_KAFKA, "-1", ESM_STREAMS},
    {"TumblingWindowInSeconds", ESM_STREAMS, "0", ESM_STREAMS},
    {"FunctionResponseTypes", ESM_ANY_SQS | ESM_STREAMS | ESM_ANY_KAFKA, "[]",
     ESM_ANY_SQS | ESM_STREAMS},
    {"FilterCriteria", ESM_ALL, NULL, 0},
    {"KMSKeyArn", ESM_ALL, NULL, 0},
    {"MetricsConfig", ESM_ALL, NULL, 0},
    {"LoggingConfig", ESM_ANY_KAFKA, NULL, 0},
    {"ScalingConfig", ESM_ANY_SQS, NULL, 0},
    {"ProvisionedPollerConfig", ESM_ANY_SQS | ESM_ANY_KAFKA, NULL, 0},
    {"Topics", ESM_ANY_KAFKA, NULL, 0},
    {"Queues", ESM_IS(ESM_MQ), NULL, 0},
    {"SourceAccessConfigurations", ESM_ANY_KAFKA | ESM_IS(ESM_MQ) | ESM_IS(ESM_DOCUMENTDB), NULL,
     0},
    {"SelfManagedEventSource", ESM_IS(ESM_KAFKA), NULL, 0},
    {"AmazonManagedKafkaEventSourceConfig", ESM_IS(ESM_MSK), NULL, 0},
    {"SelfManagedKafkaEventSourceConfig", ESM_IS(ESM_KAFKA), NULL, 0},
    {"DocumentDBEventSourceConfig", ESM_IS(ESM_DOCUMENTDB), NULL, 0},
    {"EventSourceArn", ESM_ALL & ~ESM_IS(ESM_KAFKA), NULL, 0},
};

unsigned esm_parameter_sources(const char *name)
{
    size_t i;

    for (i = 0; i < ARRAY_LEN(parameters); i++)
        if (strcmp(parameters[i].name, name) == 0)
            return parameters[i].sources;
    return ESM_ALL;
}

bool esm_is_nothing(const cJSON *value)
{
    const cJSON *member;

    if (!value || cJSON_IsNull(value))
        return true;
    if (cJSON_IsString(value))
        return value->valuestring[0] == '\0';
    if (cJSON_IsArray(value))
        return !value->child;
    if (!cJSON_IsObject(value))
        return false;
    cJSON_ArrayForEach(member, value)
    {
        if (!esm_is_nothing(member))
            return false;
    }
    return true;
}

/* ---- documents ---- */

cJSON *esm_mapping(const cJSON *esm)
{
    return cJSON_GetObjectItemCaseSensitive(esm, "Mapping");
}

static void put(cJSON *json, const char *name, cJSON *value)
{
    cJSON_DeleteItemFromObjectCaseSensitive(json, name);
    if (value)
        cJSON_AddItemToObject(json, name, value);
}

static void put_str(cJSON *json, const char *name, struct str value)
{
    CLEANUP(freep) char *text = str_dup(value);

    put(json, name, cJSON_CreateString(text));
}

/* The group of consumers stays; it is the mapping's own unless another was named. */
static void default_group(cJSON *mapping, const char *name, struct str before)
{
    const cJSON *config = cJSON_GetObjectItemCaseSensitive(mapping, name);
    cJSON *own = config ? cJSON_Duplicate(config, 1) : cJSON_CreateObject();

    if (!cjson_str(own, "ConsumerGroupId").ptr)
        put_str(own, "ConsumerGroupId", before.ptr ? before : cjson_str(mapping, "UUID"));
    put(mapping, name, own);
}

cJSON *esm_new(enum esm_source source, struct str uuid, struct str arn)
{
    cJSON *esm = cJSON_CreateObject(), *mapping = cJSON_AddObjectToObject(esm, "Mapping");
    size_t i;

    put_str(mapping, "UUID", uuid);
    put_str(mapping, "EventSourceMappingArn", arn);
    for (i = 0; i < ARRAY_LEN(parameters); i++)
        if (parameters[i].otherwise_sources & ESM_IS(source))
            put(mapping, parameters[i].name, cJSON_Parse(parameters[i].otherwise));
    cJSON_AddStringToObject(mapping, "StateTransitionReason",
                            ESM_STREAMS & ESM_IS(source) ? "User action" : "USER_INITIATED");
    if (!(ESM_ANY_SQS & ESM_IS(source)))
        cJSON_AddStringToObject(mapping, "LastProcessingResult", "No records processed");
    return esm;
}

/* What is shown when @value was given as @name; NULL: nothing is. */
static cJSON *shown(const char *name, const cJSON *value, enum esm_source source)
{
    static const char *const optional[] = {"FilterCriteria", "KMSKeyArn", "ScalingConfig",
                                           "MetricsConfig", "LoggingConfig",
                                           "ProvisionedPollerConfig"};
    size_t i;

    if (strcmp(name, "DestinationConfig") == 0 && esm_is_nothing(value))
        return ESM_STREAMS & ESM_IS(source) ? cJSON_Parse("{\"OnFailure\":{}}") : NULL;
    for (i = 0; i < ARRAY_LEN(optional); i++)
        if (strcmp(name, optional[i]) == 0 && esm_is_nothing(value))
            return NULL;
    return cJSON_Duplicate(value, 1);
}

/* A number of pollers that was not named. */
static void default_pollers(cJSON *mapping, enum esm_source source)
{
    cJSON *config = cJSON_GetObjectItemCaseSensitive(mapping, "ProvisionedPollerConfig");
    double least = ESM_ANY_SQS & ESM_IS(source) ? SQS_POLLERS_MIN : KAFKA_POLLERS_MIN;
    double most = POLLERS_MAX;
    const cJSON *min, *max;

    if (!config)
        return;
    min = cJSON_GetObjectItemCaseSensitive(config, "MinimumPollers");
    max = cJSON_GetObjectItemCaseSensitive(config, "MaximumPollers");
    if (!cJSON_IsNumber(min))
        put(config, "MinimumPollers",
            cJSON_CreateNumber(cJSON_IsNumber(max) && max->valuedouble < least ? max->valuedouble
                                                                               : least));
    else if (min->valuedouble > most)
        most = min->valuedouble;
    if (!cJSON_IsNumber(max))
        put(config, "MaximumPollers", cJSON_CreateNumber(most));
}

void esm_apply(cJSON *esm, enum esm_source source, const cJSON *input, struct str function_arn)
{
    const char *kafka = source == ESM_MSK     ? "AmazonManagedKafkaEventSourceConfig"
                        : source == ESM_KAFKA ? "SelfManagedKafkaEventSourceConfig"
                                              : NULL;
    cJSON *mapping = esm_mapping(esm);
    CLEANUP(freep) char *group = NULL;
    size_t i;

    if (kafka && cJSON_GetObjectItemCaseSensitive(mapping, kafka))
        group = str_dup(
            cjson_str(cJSON_GetObjectItemCaseSensitive(mapping, kafka), "ConsumerGroupId"));
    if (function_arn.len)
        put_str(mapping, "FunctionArn", function_arn);
    for (i = 0; i < ARRAY_LEN(parameters); i++) {
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(input, parameters[i].name);

        if (value && !cJSON_IsNull(value) && (parameters[i].sources & ESM_IS(source)))
            put(mapping, parameters[i].name, shown(parameters[i].name, value, source));
    }
    if (kafka)
        default_group(mapping, kafka, str_of(group));
    if (source == ESM_DOCUMENTDB &&
        !cjson_str(cJSON_GetObjectItemCaseSensitive(mapping, "DocumentDBEventSourceConfig"),
                   "FullDocument").ptr)
        put(cJSON_GetObjectItemCaseSensitive(mapping, "DocumentDBEventSourceConfig"),
            "FullDocument", cJSON_CreateString("Default"));
    default_pollers(mapping, source);
}

/* ---- states ---- */

void esm_begin_transition(cJSON *esm, const cJSON *input, bool is_new, uint64_t now_ms)
{
    const cJSON *said = cJSON_GetObjectItemCaseSensitive(input, "Enabled");
    bool was = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(esm, "Enabled"));
    bool is = cJSON_IsBool(said) ? cJSON_IsTrue(said) : is_new || was;
    const char *transition = "Updating";
    uint64_t until_ms = now_ms + ESM_TRANSITION_MS;

    if (is_new) {
        transition = "Creating";
        if (!is) /* nothing begins to run: there is nothing to wait for */
            until_ms = now_ms;
    } else if (is != was) {
        transition = is ? "Enabling" : "Disabling";
    }
    put(esm, "Enabled", cJSON_CreateBool(is));
    put(esm, "Transition", cJSON_CreateString(transition));
    put(esm, "Until", cJSON_CreateNumber((double)until_ms));
    put(esm_mapping(esm), "LastModified", cJSON_CreateNumber((double)now_ms / 1000.0));
}

cJSON *esm_to_aws(const cJSON *esm, uint64_t now_ms, const char *state)
{
    cJSON *json = cJSON_Duplicate(esm_mapping(esm), 1);
    double until_ms =
        cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(esm, "Until"));

    if (!state && (double)now_ms < until_ms)
        state = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(esm, "Transition"));
    if (!state)
        state = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(esm, "Enabled")) ? "Enabled"
                                                                               : "Disabled";
    cJSON_AddStringToObject(json, "State", state);
    return json;
}
