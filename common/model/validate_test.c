/* SPDX-License-Identifier: Apache-2.0 */
#include "common/model/validate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/model/lambda_input.h"
#include "common/model/pattern.h"

#define ONE "1 validation error detected: "
#define TWO "2 validation errors detected: "
#define LAYER_PATTERN                                                                              \
    "(arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:\\d{12}:" \
    "layer:[a-zA-Z0-9-_]+:[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+)"
#define LAYER_RUNTIMES                                                                             \
    "[nodejs20.x, python3.14, provided.al2023, python3.12, python3.13, nodejs24.x, nodejs22.x, "   \
    "java25, python3.10, python3.11, java21, ruby3.3, ruby3.4, ruby3.2, python3.8, python3.9, "    \
    "java17, nodejs16.x, dotnet10, dotnet8, java11, dotnet6, nodejs18.x, provided.al2, java8.al2]"
#define LAYER_ARN "arn:aws:lambda:us-east-1:111111111111:layer:lib"
#define PATH_FN "/2015-03-31/functions"
#define PATH_ESM "/2015-03-31/event-source-mappings"
#define MAPPING(timestamp) "{\"FunctionName\":\"f\",\"StartingPositionTimestamp\":" timestamp "}"
#define CREATE(more)                                                                               \
    "{\"FunctionName\":\"f\",\"Role\":\"arn:aws:iam::111111111111:role/r\",\"Code\":{}" more "}"

/* A request, and what AWS (where recorded) or its rule says about it; message NULL: nothing. */
struct request_case {
    const char *method, *path, *query, *body;
    int code;
    const char *message;
};

static const struct request_case recorded[] = {
    {"POST", "/2021-10-31/functions/f/url", "Qualifier=$LATEST", "{\"AuthType\":\"NONE\"}",
     ERR_VALIDATION,
     ONE "Value '$LATEST' at 'qualifier' failed to satisfy constraint: Member must satisfy regular "
         "expression pattern: ((?!^\\d+$)^[0-9a-zA-Z-_]+$)"},
    {"GET", "/2021-10-31/functions/f/url", "Qualifier=1", "", ERR_VALIDATION,
     ONE "Value '1' at 'qualifier' failed to satisfy constraint: Member must satisfy regular "
         "expression pattern: ((?!^\\d+$)^[0-9a-zA-Z-_]+$)"},
    {"PUT", "/2024-08-31/functions/f/recursion-config", "", "{\"RecursiveLoop\":\"InvalidValue\"}",
     ERR_VALIDATION,
     ONE "Value 'InvalidValue' at 'recursiveLoop' failed to satisfy constraint: Member must "
         "satisfy enum value set: [Terminate, Allow]"},
    {"POST", "/2021-10-31/functions/f/url", "",
     "{\"AuthType\":\"NONE\",\"InvokeMode\":\"UNKNOWN\"}",
     ERR_VALIDATION,
     ONE "Value 'UNKNOWN' at 'invokeMode' failed to satisfy constraint: Member must satisfy enum "
         "value set: [RESPONSE_STREAM, BUFFERED]"},
    {"POST", PATH_FN, "", CREATE(",\"Layers\":[\"" LAYER_ARN "\"]"), ERR_VALIDATION,
     ONE "Value '[" LAYER_ARN "]' at 'layers' failed to satisfy constraint: Member must satisfy "
         "constraint: [Member must have length less than or equal to 2048, Member must have length "
         "greater than or equal to 1, Member must satisfy regular expression "
         "pattern: " LAYER_PATTERN ", Member must not be null]"},
    {"GET", "/2018-10-31/layers", "CompatibleArchitecture=archdoesnotexist", "", ERR_VALIDATION,
     ONE "Value 'archdoesnotexist' at 'compatibleArchitecture' failed to satisfy constraint: "
         "Member must satisfy enum value set: [x86_64, arm64]"},
    {"PUT", "/2019-09-25/functions/f/event-invoke-config", "",
     "{\"DestinationConfig\":{\"OnFailure\":{\"Destination\":\"arn:aws:_-/!lambda:us-east-1:"
     "111111111111:function:f\"}}}",
     ERR_VALIDATION,
     ONE "Value 'arn:aws:_-/!lambda:us-east-1:111111111111:function:f' at "
         "'destinationConfig.onFailure.destination' failed to satisfy constraint: Member must "
         "satisfy regular expression pattern: $|kafka://([^.]([a-zA-Z0-9\\-_.]{0,248}))|"
         "arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\\-])+:((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+"
         "-\\d{1})?:(\\d{12})?:(.*)"},
    {"GET", "/2018-10-31/layers", "find=LayerVersion&Arn=" LAYER_ARN, "", ERR_VALIDATION,
     ONE "Value '" LAYER_ARN "' at 'arn' failed to satisfy constraint: Member must satisfy regular "
         "expression pattern: " LAYER_PATTERN},
    {"POST", "/2017-03-31/tags/arn:aws:something", "", "{\"Tags\":{\"a\":\"b\"}}", ERR_VALIDATION,
     ONE "Value 'arn:aws:something' at 'resource' failed to satisfy constraint: Member must "
         "satisfy regular expression pattern: arn:(aws[a-zA-Z-]*):lambda:(eusc-)?[a-z]{2}"
         "((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:\\d{12}:(function:[a-zA-Z0-9-_]+"
         "(:(\\$LATEST|[a-zA-Z0-9-_]+))?|"
         "layer:([a-zA-Z0-9-_]+)|code-signing-config:csc-[a-z0-9]{17}|event-source-mapping:"
         "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|"
         "capacity-provider:[a-zA-Z0-9-_]+)"},
    {"POST", PATH_FN "/f/policy", "",
     "{\"StatementId\":\"example.com\",\"Action\":\"lambda:InvokeFunction\",\"Principal\":\"x\"}",
     ERR_VALIDATION,
     ONE "Value 'example.com' at 'statementId' failed to satisfy constraint: Member must satisfy "
         "regular expression pattern: ([a-zA-Z0-9-_]+)"},
    {"POST", PATH_FN "/f/policy", "Qualifier=invalid-qualifier-with-%3F-char",
     "{\"StatementId\":\"s\",\"Action\":\"lambda:InvokeFunction\",\"Principal\":\"x\"}",
     ERR_VALIDATION,
     ONE "Value 'invalid-qualifier-with-?-char' at 'qualifier' failed to satisfy constraint: "
         "Member must satisfy regular expression pattern: "
         "\\$(LATEST(\\.PUBLISHED)?)|[a-zA-Z0-9-_$]+"},
    {"DELETE", "/2017-03-31/tags/arn:aws:lambda:us-east-1:111111111111:function:f", "", "",
     ERR_VALIDATION,
     ONE "Value null at 'tagKeys' failed to satisfy constraint: Member must not be null"},
    {"POST", "/2018-10-31/layers/lib/versions", "",
     "{\"Content\":{},"
     "\"CompatibleRuntimes\":[\"invalidruntime\",\"invalidruntime2\",\"nodejs20.x\"],"
     "\"CompatibleArchitectures\":[\"invalidarch\",\"x86_64\"]}",
     ERR_VALIDATION,
     TWO "Value '[invalidruntime, invalidruntime2, nodejs20.x]' at 'compatibleRuntimes' failed to "
         "satisfy constraint: Member must satisfy enum value set: " LAYER_RUNTIMES "; Value "
         "'[invalidarch, x86_64]' at 'compatibleArchitectures' failed to satisfy constraint: "
         "Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], "
         "Member must not be null]"},
};

static const struct request_case by_rule[] = {
    {"POST", PATH_FN, "", CREATE(""), 0, NULL},
    {"POST", PATH_FN, "",
     CREATE(",\"Timeout\":900,\"MemorySize\":10240,\"Publish\":true,\"Environment\":null,"
            "\"Tags\":{\"k\":\"\"},\"Unknown\":[1]"),
     0, NULL},
    {"POST", PATH_FN, "", CREATE(",\"Runtime\":\"nosuchruntime\""), 0, NULL},
    {"POST", PATH_FN, "", "{}", ERR_VALIDATION,
     "3 validation errors detected: Value null at 'functionName' failed to satisfy constraint: "
     "Member must not be null; Value null at 'role' failed to satisfy constraint: Member must not "
     "be null; Value null at 'code' failed to satisfy constraint: Member must not be null"},
    {"POST", PATH_FN, "", CREATE(",\"Timeout\":0"), ERR_VALIDATION,
     ONE "Value '0' at 'timeout' failed to satisfy constraint: Member must have value greater than "
         "or equal to 1"},
    {"POST", PATH_FN, "", CREATE(",\"MemorySize\":100000"), ERR_VALIDATION,
     ONE "Value '100000' at 'memorySize' failed to satisfy constraint: Member must have value less "
         "than or equal to 32768"},
    {"POST", PATH_FN, "", CREATE(",\"Architectures\":[\"x86_64\",\"arm64\"]"), ERR_VALIDATION,
     ONE "Value '[x86_64, arm64]' at 'architectures' failed to satisfy constraint: Member must "
         "have length less than or equal to 1"},
    {"POST", PATH_FN, "", CREATE(",\"KMSKeyArn\":\"arn:a:b:c:d\""), ERR_VALIDATION,
     ONE "Value 'arn:a:b:c:d' at 'kMSKeyArn' failed to satisfy constraint: Member must satisfy "
         "regular expression pattern: (arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()"},
    {"POST", PATH_FN, "", CREATE(",\"Environment\":{\"Variables\":{\"_A\":\"secret\"}}"),
     ERR_VALIDATION,
     ONE "Value at 'environment.variables' failed to satisfy constraint: Map keys must satisfy "
         "constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+, "
         "Member must not be null]"},
    {"POST", PATH_FN "/f/aliases", "",
     "{\"Name\":\"a\",\"FunctionVersion\":\"1\","
     "\"RoutingConfig\":{\"AdditionalVersionWeights\":{\"x\":0.5}}}",
     ERR_VALIDATION,
     ONE "Value '{x=0.5}' at 'routingConfig.additionalVersionWeights' failed to satisfy "
         "constraint: Map keys must satisfy constraint: [Member must have length less than or "
         "equal to 1024, Member must have length greater than or equal to 1, Member must satisfy "
         "regular expression pattern: [0-9]+, Member must not be null]"},
    {"POST", PATH_FN, "",
     CREATE(",\"FileSystemConfigs\":[{\"Arn\":\"nothing\",\"LocalMountPath\":\"/mnt/a\"}]"),
     ERR_VALIDATION,
     ONE "Value 'nothing' at 'fileSystemConfigs.1.member.arn' failed to satisfy constraint: Member "
         "must satisfy regular expression pattern: "},
    {"GET", PATH_FN, "MaxItems=0", "", ERR_VALIDATION,
     ONE "Value '0' at 'maxItems' failed to satisfy constraint: Member must have value greater "
         "than or equal to 1"},
    {"POST", PATH_FN, "", CREATE(",\"Timeout\":\"3\""), ERR_SERIALIZATION,
     "STRING_VALUE cannot be converted to Integer"},
    {"POST", PATH_FN, "", CREATE(",\"Timeout\":3.5"), ERR_SERIALIZATION,
     "NUMBER_VALUE cannot be converted to Integer"},
    {"POST", PATH_FN, "", CREATE(",\"Description\":7"), ERR_SERIALIZATION,
     "NUMBER_VALUE cannot be converted to String"},
    {"POST", PATH_FN, "", CREATE(",\"Publish\":\"yes\""), ERR_SERIALIZATION,
     "STRING_VALUE cannot be converted to Boolean"},
    {"POST", PATH_FN, "", CREATE(",\"Description\":{}"), ERR_SERIALIZATION,
     "Start of structure or map found where not expected"},
    {"POST", PATH_FN, "", CREATE(",\"Layers\":\"x\""), ERR_SERIALIZATION, "Expected list or null"},
    {"POST", PATH_FN, "", CREATE(",\"Environment\":{\"Variables\":{\"AB\":1}}"), ERR_SERIALIZATION,
     "NUMBER_VALUE cannot be converted to String"},
    {"POST", PATH_ESM, "", MAPPING("1600000000.5"), 0, NULL},
    {"POST", PATH_ESM, "", MAPPING("0"), 0, NULL},
    {"POST", PATH_ESM, "", MAPPING("null"), 0, NULL},
    {"POST", PATH_ESM, "", MAPPING("253402300800"), ERR_SERIALIZATION,
     "NUMBER_VALUE cannot be converted to Timestamp"},
    {"POST", PATH_ESM, "", MAPPING("-1e300"), ERR_SERIALIZATION,
     "NUMBER_VALUE cannot be converted to Timestamp"},
    {"POST", PATH_ESM, "", MAPPING("\"garbage\""), ERR_SERIALIZATION,
     "STRING_VALUE cannot be converted to Timestamp"},
    {"GET", "/2025-12-01/functions/f/durable-executions", "StartedAfter=2020-01-01T00:00:00Z", "",
     0, NULL},
};

static int run_case(const struct request_case *c, struct buf *message)
{
    struct lambda_match m;
    struct error err = {0};
    cJSON *input;
    int r;

    assert_int_equal(lambda_op_match(str_of(c->method), str_of(c->path), str_of(c->query), &m), 0);
    r = lambda_input_new(&m, str_of(c->query), str_of(c->body), NULL, NULL, &input, &err);
    assert_int_equal(r, 0);
    r = validate_input(m.op, input, message);
    cJSON_Delete(input);
    return r;
}

static void check_cases(const struct request_case *cases, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++) {
        CLEANUP(buf_done) struct buf message = BUF_INIT(VALIDATE_MESSAGE_MAX);
        CLEANUP(freep) char *text = NULL;
        int r = run_case(&cases[i], &message);

        text = str_dup(buf_str(&message));
        if (!cases[i].message)
            assert_string_equal(text, "");
        else if (strncmp(text, cases[i].message, strlen(cases[i].message)) != 0)
            assert_string_equal(text, cases[i].message);
        assert_int_equal(r, -cases[i].code);
    }
}

static void recorded_refusals_have_awss_words(void **state)
{
    (void)state;
    check_cases(recorded, ARRAY_LEN(recorded));
}

static void other_refusals_follow_the_same_rules(void **state)
{
    (void)state;
    check_cases(by_rule, ARRAY_LEN(by_rule));
}

static void a_recorded_set_of_runtimes_is_told_as_recorded(void **state)
{
    static const struct request_case c = {
        "GET", "/2018-10-31/layers", "CompatibleRuntime=runtimedoesnotexist", "", 0, NULL,
    };
    CLEANUP(buf_done) struct buf message = BUF_INIT(VALIDATE_MESSAGE_MAX);
    CLEANUP(freep) char *text = NULL;

    (void)state;
    assert_int_equal(run_case(&c, &message), -ERR_VALIDATION);
    text = str_dup(buf_str(&message));
    assert_non_null(strstr(text, ONE "Value 'runtimedoesnotexist' at 'compatibleRuntime' failed to "
                                     "satisfy constraint: Member must satisfy enum value set: "
                                     "[ruby3.5, ruby2.6, dotnetcore1.0, python3.7, nodejs8.10, "
                                     "nasa, ruby2.7, python2.7-greengrass,"));
    assert_non_null(strstr(text, "ruby2.5, python3.6, python2.7]"));
}

static void a_message_is_cut_at_the_ceiling_of_its_buf(void **state)
{
    CLEANUP(buf_done) struct buf message = BUF_INIT(60);

    (void)state;
    assert_int_equal(run_case(&recorded[12], &message), -ERR_VALIDATION);
    assert_true(message.len > 50 && message.len <= 60);
}

static void lengths_count_characters_not_bytes(void **state)
{
    /* 64 times e-acute is 128 bytes; a tag key may have 128 characters */
    CLEANUP(buf_done) struct buf body = BUF_INIT(2000);
    CLEANUP(buf_done) struct buf message = BUF_INIT(VALIDATE_MESSAGE_MAX);
    struct request_case c = {
        "POST", "/2017-03-31/tags/arn:aws:lambda:us-east-1:111111111111:function:f", "", NULL, 0,
        NULL,
    };
    CLEANUP(freep) char *text = NULL;
    int i;

    (void)state;
    buf_printf(&body, "{\"Tags\":{\"");
    for (i = 0; i < 128; i++)
        buf_printf(&body, "\xc3\xa9");
    buf_printf(&body, "\":\"v\"}}");
    text = buf_take(&body);
    c.body = text;
    assert_int_equal(run_case(&c, &message), 0);
}

static int teardown(void **state)
{
    (void)state;
    pattern_done();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_refusals_have_awss_words),
        cmocka_unit_test(other_refusals_follow_the_same_rules),
        cmocka_unit_test(a_recorded_set_of_runtimes_is_told_as_recorded),
        cmocka_unit_test(a_message_is_cut_at_the_ceiling_of_its_buf),
        cmocka_unit_test(lengths_count_characters_not_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
