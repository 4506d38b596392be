/* SPDX-License-Identifier: Apache-2.0 */
/* Event source mappings: what each source offers, states, pairs, pages; what is refused. */
#include "controller/controller_fixture.h"
#include "controller/store/docs.h"

#define ESM "/2015-03-31/event-source-mappings"
#define ARN "arn:aws:lambda:us-east-1:000000000000:function:"
#define QUEUE "arn:aws:sqs:us-east-1:000000000000:orders"
#define FIFO "arn:aws:sqs:us-east-1:000000000000:orders.fifo"
#define STREAM "arn:aws:kinesis:us-east-1:000000000000:stream/clicks"
#define TABLE "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2026-01-01T00:00:00.000"
#define MSK "arn:aws:kafka:us-east-1:000000000000:cluster/c/6b1f1c0e-1"
#define BROKER "arn:aws:mq:us-east-1:000000000000:broker:b:b-1"
#define DOCDB "arn:aws:rds:us-east-1:000000000000:cluster:d"
#define SECRET "arn:aws:secretsmanager:us-east-1:000000000000:secret:s"
#define ACCESS "\"SourceAccessConfigurations\":[{\"Type\":\"BASIC_AUTH\",\"URI\":\"" SECRET "\"}]"
#define KAFKA(servers)                                                                             \
    "\"SelfManagedEventSource\":{\"Endpoints\":{\"KAFKA_BOOTSTRAP_SERVERS\":[" servers "]}}"
#define INVALID "InvalidParameterValueException"
#define GONE "The resource you requested does not exist."

static char uuid[64];

static const cJSON *field(const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(got.json, name);
}

static int create(const char *name, const char *rest)
{
    CLEANUP(freep) char *body = str_printf("{\"FunctionName\":\"%s\"%s%s}", name,
                                           rest[0] ? "," : "", rest);

    lambda("POST", ESM, "", body);
    snprintf(uuid, sizeof(uuid), "%s", member("UUID"));
    return got.status;
}

static int with(const char *method, const char *body)
{
    CLEANUP(freep) char *path = str_printf(ESM "/%s", uuid);

    return lambda(method, path, "", body);
}

/* Asks until the mapping's state is @state. */
static void wait_state(const char *state)
{
    uint64_t end = now_us() + WAIT_US;

    do {
        assert_int_equal(with("GET", ""), 200);
        assert_true(now_us() < end);
    } while (strcmp(member("State"), state) != 0);
}

static void function(const char *name)
{
    CLEANUP(freep) char *versions = str_printf(FN "/%s/versions", name);
    CLEANUP(freep) char *aliases = str_printf(FN "/%s/aliases", name);

    if (!peer.registered)
        invoker_connect();
    active(name);
    assert_int_equal(lambda("POST", versions, "", "{}"), 201);
    assert_int_equal(
        lambda("POST", aliases, "", "{\"Name\":\"live\",\"FunctionVersion\":\"1\"}"), 201);
}

/* The names and values that an answer has, without what differs from one to the next. */
static void expect_shape(const char *expected)
{
    static const char *const moving[] = {"UUID", "EventSourceMappingArn", "LastModified",
                                         "EventSourceArn", "FunctionArn"};
    cJSON *copy = cJSON_Duplicate(got.json, 1), *wanted = cJSON_Parse(expected);
    size_t i;

    for (i = 0; i < ARRAY_LEN(moving); i++)
        cJSON_DeleteItemFromObjectCaseSensitive(copy, moving[i]);
    if (!cJSON_Compare(copy, wanted, true)) {
        CLEANUP(freep) char *is = cJSON_PrintUnformatted(copy);

        fail_msg("%s is not %s", is, expected);
    }
    cJSON_Delete(copy);
    cJSON_Delete(wanted);
}

static void each_source_has_its_defaults(void **state)
{
#define CREATING(reason) "\"State\":\"Creating\",\"StateTransitionReason\":\"" reason "\""
#define STREAM_DEFAULTS                                                                            \
    "{\"BatchSize\":100,\"BisectBatchOnFunctionError\":false,\"DestinationConfig\":"               \
    "{\"OnFailure\":{}},\"FunctionResponseTypes\":[],\"LastProcessingResult\":"                    \
    "\"No records processed\",\"MaximumBatchingWindowInSeconds\":0,"                               \
    "\"MaximumRecordAgeInSeconds\":-1,\"MaximumRetryAttempts\":-1,\"ParallelizationFactor\":1,"    \
    "\"StartingPosition\":\"LATEST\",\"TumblingWindowInSeconds\":0," CREATING("User action") "}"
    static const struct {
        const char *request, *answer;
    } cases[] = {
        {"\"EventSourceArn\":\"" QUEUE "\"",
         "{\"BatchSize\":10,\"FunctionResponseTypes\":[],\"MaximumBatchingWindowInSeconds\":0,"
         CREATING("USER_INITIATED") "}"},
        {"\"EventSourceArn\":\"" STREAM "\",\"StartingPosition\":\"LATEST\"", STREAM_DEFAULTS},
        {"\"EventSourceArn\":\"" TABLE "\",\"StartingPosition\":\"LATEST\"", STREAM_DEFAULTS},
        {"\"EventSourceArn\":\"" BROKER "\",\"Queues\":[\"q\"]," ACCESS,
         "{\"BatchSize\":100,\"LastProcessingResult\":\"No records processed\",\"Queues\":[\"q\"],"
         ACCESS "," CREATING("USER_INITIATED") "}"},
        {"\"EventSourceArn\":\"" DOCDB "\"," ACCESS
         ",\"DocumentDBEventSourceConfig\":{\"DatabaseName\":\"d\"}",
         "{\"BatchSize\":100,\"LastProcessingResult\":\"No records processed\","
         "\"StartingPosition\":\"TRIM_HORIZON\",\"DocumentDBEventSourceConfig\":"
         "{\"DatabaseName\":\"d\",\"FullDocument\":\"Default\"}," ACCESS ","
         CREATING("USER_INITIATED") "}"},
        {"\"EventSourceArn\":\"" MSK "\",\"Topics\":[\"topic\"],"
         "\"AmazonManagedKafkaEventSourceConfig\":{\"ConsumerGroupId\":\"g\"}",
         "{\"BatchSize\":100,\"LastProcessingResult\":\"No records processed\","
         "\"StartingPosition\":\"TRIM_HORIZON\",\"Topics\":[\"topic\"],"
         "\"AmazonManagedKafkaEventSourceConfig\":{\"ConsumerGroupId\":\"g\"},"
         CREATING("USER_INITIATED") "}"},
    };
    size_t i;

    (void)state;
    need_server();
    function("f");
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(create("f", cases[i].request), 202);
        expect_shape(cases[i].answer);
        expect("FunctionArn", ARN "f");
    }
    assert_int_equal(create("f", KAFKA("\"kafka:1000\"") ",\"Topics\":[\"topic\"]," ACCESS), 202);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(
                            field("SelfManagedKafkaEventSourceConfig"), "ConsumerGroupId")),
                        uuid);
}

static void a_mapping_goes_through_its_states(void **state)
{
    (void)state;
    need_server();
    function("f");
    assert_int_equal(create("f", "\"EventSourceArn\":\"" QUEUE "\",\"Enabled\":false"), 202);
    expect("State", "Disabled");
    assert_int_equal(with("PUT", "{\"Enabled\":true}"), 202);
    expect("State", "Enabling");
    wait_state("Enabled");
    assert_int_equal(with("PUT", "{\"BatchSize\":5}"), 202);
    expect("State", "Updating");
    assert_int_equal(with("PUT", "{\"Enabled\":false}"), 202);
    expect("State", "Disabling");
    wait_state("Disabled");
    assert_int_equal(field("BatchSize")->valueint, 5);
    assert_int_equal(with("DELETE", ""), 202);
    expect("State", "Deleting");
    assert_int_equal(with("GET", ""), 404);
    expect_error(404, "ResourceNotFoundException", GONE);
    assert_int_equal(with("PUT", "{}"), 404);
    assert_int_equal(with("DELETE", ""), 404);
}

static void a_function_is_named_in_many_ways(void **state)
{
    static const struct {
        const char *name, *arn;
    } cases[] = {
        {"f", ARN "f"},
        {"000000000000:function:f:$LATEST", ARN "f:$LATEST"},
        {"function:f:1", ARN "f:1"},
        {"f:live", ARN "f:live"},
        {ARN "f", ARN "f"},
        {ARN "f:1", ARN "f:1"},
        {ARN "f:live", ARN "f:live"},
    };
    size_t i;

    (void)state;
    need_server();
    function("f");
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(create(cases[i].name, "\"EventSourceArn\":\"" QUEUE "\""), 202);
        expect("FunctionArn", cases[i].arn);
        assert_int_equal(with("DELETE", ""), 202);
    }
    assert_int_equal(create("f:2", "\"EventSourceArn\":\"" QUEUE "\""), 400);
    expect_error(400, INVALID, "Function does not exist");
    assert_int_equal(create("f:other", "\"EventSourceArn\":\"" QUEUE "\""), 400);
}

static void what_a_source_does_not_offer_is_refused(void **state)
{
#define UNSUPPORTED(name) "Unsupported " name " parameter for given event source mapping type."
#define WINDOW                                                                                     \
    "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater "     \
    "than 10"
    static const struct {
        const char *request, *message;
    } cases[] = {
        {"", "Unrecognized event source."},
        {"\"EventSourceArn\":\"arn:aws:dynamodb:us-east-1:000000000000:table/t\"",
         "Unrecognized event source."},
        {"\"EventSourceArn\":\"arn:aws:s3:::bucket\"", "Unrecognized event source."},
        {"\"EventSourceArn\":\"" QUEUE "\"", "Function does not exist"},
        {"\"EventSourceArn\":\"" QUEUE "\",\"DestinationConfig\":{\"OnFailure\":{\"Destination\":"
         "\"" QUEUE "\"}}", UNSUPPORTED("DestinationConfig")},
        {"\"EventSourceArn\":\"" STREAM "\",\"StartingPosition\":\"LATEST\",\"DestinationConfig\":"
         "{\"OnSuccess\":{\"Destination\":\"" QUEUE "\"}}", UNSUPPORTED("DestinationConfig")},
        {"\"EventSourceArn\":\"" QUEUE "\",\"ParallelizationFactor\":2",
         UNSUPPORTED("ParallelizationFactor")},
        {"\"EventSourceArn\":\"" STREAM "\",\"StartingPosition\":\"LATEST\",\"ScalingConfig\":"
         "{\"MaximumConcurrency\":2}", UNSUPPORTED("ScalingConfig")},
        {"\"EventSourceArn\":\"" QUEUE "\",\"StartingPosition\":\"LATEST\"",
         "Unsupported starting position for arn type: " QUEUE},
        {"\"EventSourceArn\":\"" STREAM "\"",
         "1 validation error detected: Value null at 'startingPosition' failed to satisfy "
         "constraint: Member must not be null."},
        {"\"EventSourceArn\":\"" TABLE "\",\"StartingPosition\":\"AT_TIMESTAMP\"",
         "Unsupported starting position for arn type: " TABLE},
        {"\"EventSourceArn\":\"" QUEUE "\",\"BatchSize\":11", WINDOW},
        {"\"EventSourceArn\":\"" FIFO "\",\"MaximumBatchingWindowInSeconds\":1",
         "Batching window is not supported for FIFO queues."},
        {"\"EventSourceArn\":\"" QUEUE "\",\"FilterCriteria\":{\"Filters\":[{\"Pattern\":\"x\"}]}",
         "Invalid filter pattern definition."},
        {KAFKA("\"k:1\""), "Required 'sourceAccessConfigurations' parameter is missing."},
        {KAFKA("\"k:1\"") "," ACCESS, "Required 'topics' parameter is missing."},
    };
    size_t i;

    (void)state;
    need_server();
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        create("no", cases[i].request);
        expect_error(400, INVALID, cases[i].message);
    }
    function("f");
    assert_int_equal(create("f", "\"EventSourceArn\":\"" QUEUE "\""), 202);
    assert_int_equal(with("PUT", "{\"BatchSize\":11}"), 400);
    expect_error(400, INVALID, WINDOW);
    assert_int_equal(with("PUT", "{\"FunctionName\":\"no\"}"), 400);
    expect_error(400, INVALID, "Function does not exist");
}

static void one_source_serves_a_function_once(void **state)
{
    char first[64], message[600];

    (void)state;
    need_server();
    function("f");
    function("g");
    assert_int_equal(create("f", "\"EventSourceArn\":\"" QUEUE "\""), 202);
    snprintf(first, sizeof(first), "%s", uuid);
    assert_int_equal(create("f", "\"EventSourceArn\":\"" QUEUE "\""), 409);
    snprintf(message, sizeof(message),
             "The event source arn (\" " QUEUE " \") and function (\" f \") provided mapping "
             "already exists. Please update or delete the existing mapping with UUID %s", first);
    expect_error(409, "ResourceConflictException", message);
    assert_int_equal(create("g", "\"EventSourceArn\":\"" QUEUE "\""), 202);
    assert_int_equal(with("PUT", "{\"FunctionName\":\"f\"}"), 409);
    assert_int_equal(with("PUT", "{\"FunctionName\":\"g:live\"}"), 202);
    expect("FunctionArn", ARN "g:live");
    assert_int_equal(create("g", "\"EventSourceArn\":\"" QUEUE "\""), 202);

    assert_int_equal(create("f", KAFKA("\"kafka:1000\"") ",\"Topics\":[\"topic\"]," ACCESS), 202);
    snprintf(first, sizeof(first), "%s", uuid);
    assert_int_equal(create("f", KAFKA("\"kafka:1000\"") ",\"Topics\":[\"other\"]," ACCESS), 202);
    assert_int_equal(
        create("f", KAFKA("\"kafka:1000\",\"kafka:2000\"") ",\"Topics\":[\"topic\"]," ACCESS), 409);
    snprintf(message, sizeof(message),
             "An event source mapping with event source (\"kafka:1000,kafka:2000\"), function "
             "(\"" ARN "f\"), topics (\"topic\") already exists. Please update or delete the "
             "existing mapping with UUID %s", first);
    expect_error(409, "ResourceConflictException", message);
}

static void what_is_empty_takes_a_setting_away(void **state)
{
    (void)state;
    need_server();
    function("f");
    assert_int_equal(create("f", "\"EventSourceArn\":\"" QUEUE "\",\"ScalingConfig\":"
                                 "{\"MaximumConcurrency\":5},\"FilterCriteria\":{\"Filters\":["
                                 "{\"Pattern\":\"{\\\"body\\\":[1]}\"}]}"),
                     202);
    assert_non_null(field("ScalingConfig"));
    assert_non_null(field("FilterCriteria"));
    assert_int_equal(with("PUT", "{\"ScalingConfig\":{},\"FilterCriteria\":{\"Filters\":[]}}"),
                     202);
    assert_null(field("ScalingConfig"));
    assert_null(field("FilterCriteria"));

    assert_int_equal(create("f", KAFKA("\"k:1\"") ",\"Topics\":[\"topic\"]," ACCESS
                                 ",\"SelfManagedKafkaEventSourceConfig\":{\"ConsumerGroupId\":"
                                 "\"g\"}"),
                     202);
    assert_int_equal(
        with("PUT", "{\"SelfManagedKafkaEventSourceConfig\":{\"ConsumerGroupId\":\"h\"}}"), 400);
    assert_int_equal(with("PUT", "{\"BatchSize\":7}"), 202);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(
                            field("SelfManagedKafkaEventSourceConfig"), "ConsumerGroupId")),
                        "g");
}

static void mappings_are_listed_by_function_and_source(void **state)
{
    CLEANUP(freep) char *marker = NULL;
    unsigned i;

    (void)state;
    need_server();
    function("f");
    function("g");
    for (i = 0; i < 5; i++) {
        CLEANUP(freep)
        char *source = str_printf("\"EventSourceArn\":\"" QUEUE "%u\"", i);

        assert_int_equal(create(i < 3 ? "f" : "g", source), 202);
    }
    lambda("GET", ESM, "FunctionName=f", "");
    assert_int_equal(cJSON_GetArraySize(field("EventSourceMappings")), 3);
    assert_null(field("NextMarker"));
    lambda("GET", ESM, "EventSourceArn=" QUEUE "4", "");
    assert_int_equal(cJSON_GetArraySize(field("EventSourceMappings")), 1);
    lambda("GET", ESM, "FunctionName=nobody", "");
    assert_int_equal(got.status, 200);
    assert_int_equal(cJSON_GetArraySize(field("EventSourceMappings")), 0);
    lambda("GET", ESM, "MaxItems=3", "");
    assert_int_equal(cJSON_GetArraySize(field("EventSourceMappings")), 3);
    marker = str_printf("Marker=%s", member("NextMarker"));
    lambda("GET", ESM, marker, "");
    assert_int_equal(cJSON_GetArraySize(field("EventSourceMappings")), 2);
    assert_null(field("NextMarker"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(each_source_has_its_defaults),
        LIVE(a_mapping_goes_through_its_states),
        LIVE(a_function_is_named_in_many_ways),
        LIVE(what_a_source_does_not_offer_is_refused),
        LIVE(one_source_serves_a_function_once),
        LIVE(what_is_empty_takes_a_setting_away),
        LIVE(mappings_are_listed_by_function_and_source),
    };

    log_begin("esm_test");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
