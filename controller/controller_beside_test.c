/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept beside a function: its policies, tags, event configurations and settings. */
#include "controller/controller_fixture.h"
#include "controller/store/docs.h"

#define EVENTS "/2019-09-25/functions"
#define TAGS "/2017-03-31/tags"
#define ARN_OF(rest) "arn:aws:lambda:us-east-1:000000000000:" rest
#define ESM_ID "01234567-89ab-cdef-0123-456789abcdef"

static char revision[64];

static void call(const char *method, const char *name, const char *what, const char *query,
                 const char *body, int status)
{
    char path[200];

    snprintf(path, sizeof(path), FN "/%s%s", name, what);
    assert_int_equal(lambda(method, path, query, body), status);
}

static int permit(const char *name, const char *query, const char *sid, const char *more)
{
    char path[200], body[600];

    snprintf(path, sizeof(path), FN "/%s/policy", name);
    snprintf(body, sizeof(body),
             "{\"StatementId\":\"%s\",\"Action\":\"lambda:InvokeFunction\"%s}", sid, more);
    return lambda("POST", path, query, body);
}

#define S3 ",\"Principal\":\"s3.amazonaws.com\""

/* Keeps the RevisionId of the function's configuration or policy. */
static const char *revision_of(const char *what)
{
    call("GET", "one", what, "", "", 200);
    snprintf(revision, sizeof(revision), "%s", member("RevisionId"));
    return revision;
}

static void two_versions_of_one(void)
{
    invoker_connect();
    active("one");
    call("POST", "one", "/versions", "", "{}", 201);
    call("POST", "one", "/aliases", "", "{\"Name\":\"live\",\"FunctionVersion\":\"1\"}", 201);
}

/* ---- policies ---- */

static void a_change_of_a_policy_is_a_new_revision_of_both(void **state)
{
    char function[64], policy[64], more[200];

    (void)state;
    need_server();
    two_versions_of_one();
    snprintf(function, sizeof(function), "%s", revision_of("/configuration"));
    snprintf(more, sizeof(more), S3 ",\"RevisionId\":\"%s\"", function);
    assert_int_equal(permit("one", "", "a", more), 201);
    assert_string_not_equal(revision_of("/configuration"), function);
    snprintf(policy, sizeof(policy), "%s", revision_of("/policy"));
    assert_string_not_equal(policy, function);

    /* the first one is of the past; that of the policy is good */
    assert_int_equal(permit("one", "", "b", more), 412);
    expect_error(412, "PreconditionFailedException",
                 "The Revision Id provided does not match the latest Revision Id. Call the "
                 "GetPolicy API to retrieve the latest Revision Id");
    call("POST", "one", "/versions", "", "{}", 201);
    assert_string_equal(revision_of("/policy"), policy);
    snprintf(more, sizeof(more), S3 ",\"RevisionId\":\"%s\"", policy);
    assert_int_equal(permit("one", "", "b", more), 201);
    call("DELETE", "one", "/policy/a", "RevisionId=nonsense", "", 412);
    call("DELETE", "one", "/policy/a", "", "", 204);
    call("DELETE", "one", "/policy/a", "", "", 404);
    expect_error(404, "ResourceNotFoundException",
                 "Statement a is not found in resource policy.");
    call("DELETE", "one", "/policy/b", "", "", 204);
    call("GET", "one", "/policy", "", "", 404);
}

static void versions_and_aliases_have_policies_of_their_own(void **state)
{
    char before[64];

    (void)state;
    need_server();
    two_versions_of_one();
    call("GET", "one", "/aliases/live", "", "", 200);
    snprintf(before, sizeof(before), "%s", member("RevisionId"));
    assert_int_equal(permit("one", "Qualifier=live", "a", S3), 201);
    call("GET", "one", "/aliases/live", "", "", 200);
    assert_string_not_equal(member("RevisionId"), before);
    expect("FunctionVersion", "1");
    call("GET", "one", "/configuration", "Qualifier=1", "", 200);
    snprintf(before, sizeof(before), "%s", member("RevisionId"));
    assert_int_equal(permit("one:1", "", "a", S3), 201);
    assert_non_null(strstr(member("Statement"), "\"Resource\":\"" ARN_OF("function:one:1") "\""));
    call("GET", "one", "/configuration", "Qualifier=1", "", 200);
    assert_string_not_equal(member("RevisionId"), before);
    expect("State", "Active");
    call("GET", "one", "/policy", "", "", 404);
    call("GET", "one", "/policy", "Qualifier=$LATEST", "", 404);

    /* an alias that comes again does not find the old one's */
    call("DELETE", "one", "/aliases/live", "", "", 204);
    call("POST", "one", "/aliases", "", "{\"Name\":\"live\",\"FunctionVersion\":\"1\"}", 201);
    call("GET", "one", "/policy", "Qualifier=live", "", 404);
}

static const struct {
    const char *input, *statement; /* NULL: the principal is refused */
} statements[] = {
    {"\"Principal\":\"*\",\"PrincipalOrgID\":\"o-0123456789\"",
     "\"Principal\":\"*\",\"Action\":\"lambda:InvokeFunction\",\"Resource\":\"" ARN_OF(
         "function:one") "\",\"Condition\":{\"StringEquals\":{\"aws:PrincipalOrgID\":"
                         "\"o-0123456789\"}}}"},
    {"\"Principal\":\"111122223333\"", "{\"AWS\":\"arn:aws:iam::111122223333:root\"}"},
    {"\"Principal\":\"arn:aws:iam::111122223333:role/a/b\"",
     "{\"AWS\":\"arn:aws:iam::111122223333:role/a/b\"}"},
    {"\"Principal\":\"AROAABCDEFGHIJKLMNOPQ\"", "{\"AWS\":\"AROAABCDEFGHIJKLMNOPQ\"}"},
    {"\"Principal\":\"alexa-appkit.amazon.com\",\"EventSourceToken\":\"t\"",
     "\"Condition\":{\"StringEquals\":{\"lambda:EventSourceToken\":\"t\"}}}"},
    {"\"Principal\":\"s3.amazonaws.com\",\"SourceAccount\":\"111122223333\","
     "\"SourceArn\":\"arn:aws:s3:::b\"",
     "\"Condition\":{\"StringEquals\":{\"AWS:SourceAccount\":\"111122223333\"},"
     "\"ArnLike\":{\"AWS:SourceArn\":\"arn:aws:s3:::b\"}}}"},
    {"\"Principal\":\"*\",\"InvokedViaFunctionUrl\":true",
     "\"Condition\":{\"Bool\":{\"lambda:InvokedViaFunctionUrl\":\"true\"}}}"},
    {"\"Principal\":\"s3.amazonaws.com.example.org\"", NULL},
    {"\"Principal\":\".amazonaws.com\"", NULL},
    {"\"Principal\":\"amazonaws.com\"", NULL},
    {"\"Principal\":\"1111222233334\"", NULL},
    {"\"Principal\":\"arn:aws:s3:::bucket\"", NULL},
    {"\"Principal\":\"arn:aws:iam::111122223333:group/g\"", NULL},
};

static void statements_say_who_and_on_which_condition(void **state)
{
    char more[400], sid[16];
    size_t i;

    (void)state;
    need_server();
    invoker_connect();
    active("one");
    for (i = 0; i < ARRAY_LEN(statements); i++) {
        snprintf(more, sizeof(more), ",%s", statements[i].input);
        snprintf(sid, sizeof(sid), "s%zu", i);
        permit("one", "", sid, more);
        if (!statements[i].statement) {
            expect_error(400, "InvalidParameterValueException",
                         "The provided principal was invalid. Please check the principal and try "
                         "again.");
            continue;
        }
        assert_int_equal(got.status, 201);
        if (!strstr(member("Statement"), statements[i].statement))
            fail_msg("%s\nhas not\n%s", member("Statement"), statements[i].statement);
    }
    assert_int_equal(permit("one", "", "url", S3 ",\"FunctionUrlAuthType\":\"NONE\""), 400);
}

static void a_policy_has_twenty_kilobytes(void **state)
{
    char sid[120];
    unsigned i;

    (void)state;
    need_server();
    invoker_connect();
    active("one");
    for (i = 0; i < 200; i++) {
        snprintf(sid, sizeof(sid), "%0100u", i);
        if (permit("one", "", sid, S3) != 201)
            break;
    }
    assert_int_equal(got.status, 400);
    assert_string_equal(got.error_type, "PolicyLengthExceededException");
    call("GET", "one", "/policy", "", "", 200);
    assert_in_range(strlen(member("Policy")), 20480 - 300, 20480);
}

/* ---- tags ---- */

static cJSON *tags_of(const char *arn)
{
    char path[300];

    snprintf(path, sizeof(path), TAGS "/%s", arn);
    assert_int_equal(lambda("GET", path, "", ""), 200);
    return cJSON_GetObjectItemCaseSensitive(got.json, "Tags");
}

static void tags_are_added_replaced_and_taken_away(void **state)
{
    static const char path[] = TAGS "/" ARN_OF("function:one");

    (void)state;
    need_server();
    invoker_connect();
    active("one");
    assert_int_equal(lambda("POST", path, "", "{\"Tags\":{\"a\":\"1\",\"b\":\"2\"}}"), 204);
    assert_int_equal(lambda("POST", path, "", "{\"Tags\":{\"b\":\"3\",\"B\":\"4\"}}"), 204);
    assert_int_equal(lambda("DELETE", path, "tagKeys=a&tagKeys=none", ""), 204);
    assert_int_equal(cJSON_GetArraySize(tags_of(ARN_OF("function:one"))), 2);
    assert_true(str_is(cjson_str(tags_of(ARN_OF("function:one")), "b"), "3"));
    assert_int_equal(lambda("DELETE", path, "tagKeys=B&tagKeys=b", ""), 204);
    call("GET", "one", "", "", "", 200);
    assert_null(cJSON_GetObjectItemCaseSensitive(got.json, "Tags"));
    assert_int_equal(lambda("POST", path, "", "{\"Tags\":{}}"), 400);
    assert_int_equal(lambda("GET", TAGS "/" ARN_OF("function:one:1"), "", ""), 400);
}

static void on_committed(const struct error *err, void *arg)
{
    (void)arg;
    assert_null(err);
    got.count++;
    loop_stop(loop);
}

static void set_doc(const char *key, const char *id, bool is_there)
{
    struct docs_commit *commit = docs_commit_new(c->redis, STR("000000000000"));
    unsigned before = got.count;

    if (is_there)
        docs_set(commit, key, str_of(id), STR("{}"));
    else
        docs_unset(commit, key, str_of(id));
    docs_commit_run(commit, on_committed, NULL);
    wait_until(&got.count, before + 1);
}

static void a_hundred_thousand_tags_are_refused_at_once(void **state)
{
    CLEANUP(buf_done) struct buf body = BUF_INIT(4u << 20);
    uint64_t before;
    unsigned i;

    (void)state;
    need_server();
    invoker_connect();
    assert_int_equal(create_image("one"), 201);
    buf_printf(&body, "{\"Tags\":{\"0\":\"\"");
    for (i = 1; i < 100000; i++)
        buf_printf(&body, ",\"%u\":\"\"", i);
    buf_printf(&body, "}}%c", '\0');
    before = now_us();
    assert_int_equal(lambda("POST", TAGS "/" ARN_OF("function:one"), "", body.ptr), 400);
    assert_true(now_us() - before < SECONDS(5));
}

static void other_resources_have_tags_while_they_are_there(void **state)
{
    static const char arn[] = ARN_OF("event-source-mapping:" ESM_ID);
    char path[300], body[2000] = "{\"Tags\":{";
    size_t len = strlen(body);
    unsigned i;

    (void)state;
    need_server();
    snprintf(path, sizeof(path), TAGS "/%s", arn);
    assert_int_equal(lambda("POST", path, "", "{\"Tags\":{\"a\":\"1\"}}"), 404);
    set_doc("esm", ESM_ID, true);
    assert_int_equal(cJSON_GetArraySize(tags_of(arn)), 0);
    assert_int_equal(lambda("POST", path, "", "{\"Tags\":{\"a\":\"1\"}}"), 204);
    for (i = 0; i < 50; i++)
        len += (size_t)snprintf(body + len, sizeof(body) - len, "%s\"k%u\":\"v\"", i ? "," : "", i);
    snprintf(body + len, sizeof(body) - len, "}}");
    assert_int_equal(lambda("POST", path, "", body), 400);
    expect_error(400, "InvalidParameterValueException", "Number of tags exceeds resource tag limit.");
    assert_true(str_is(cjson_str(tags_of(arn), "a"), "1"));
    assert_int_equal(lambda("DELETE", path, "tagKeys=a", ""), 204);
    assert_int_equal(cJSON_GetArraySize(tags_of(arn)), 0);
    set_doc("esm", ESM_ID, false);
    assert_int_equal(lambda("GET", path, "", ""), 404);
}

/* ---- event invoke configurations ---- */

static int send_to(const char *method, const char *query, const char *side, const char *arn)
{
    char body[400];

    snprintf(body, sizeof(body), "{\"DestinationConfig\":{\"%s\":{\"Destination\":\"%s\"}}}", side,
             arn);
    return lambda(method, EVENTS "/one/event-invoke-config", query, body);
}

static const struct {
    const char *side, *arn;
    int status;
} destinations[] = {
    {"OnSuccess", "arn:aws:sqs:us-east-1:000000000000:q", 200},
    {"OnSuccess", "arn:aws:sns:eu-west-1:111122223333:t", 200},
    {"OnSuccess", "arn:aws:events:us-east-1:000000000000:event-bus/default", 200},
    {"OnFailure", "arn:aws:s3:::bucket", 200},
    {"OnSuccess", "arn:aws:s3:::bucket", 400},
    {"OnFailure", "arn:aws:kinesis:us-east-1:000000000000:stream/s", 400},
    {"OnFailure", "kafka://topic", 400},
    {"OnFailure", ARN_OF("function:two"), 200},
    {"OnFailure", ARN_OF("function:two:$LATEST"), 200},
    {"OnFailure", ARN_OF("function:two:1"), 200},
    {"OnFailure", ARN_OF("function:two:2"), 400},
    {"OnFailure", ARN_OF("function:two:live"), 400},
    {"OnFailure", ARN_OF("function:three"), 400},
    {"OnFailure", ARN_OF("function:one"), 400},
    {"OnFailure", ARN_OF("function:one:1"), 400},
    {"OnFailure", "arn:aws:lambda:eu-west-1:000000000000:function:two", 400},
};

static void destinations_are_there(void **state)
{
    size_t i;

    (void)state;
    need_server();
    invoker_connect();
    active("one");
    active("two");
    call("POST", "two", "/versions", "", "{}", 201);
    for (i = 0; i < ARRAY_LEN(destinations); i++) {
        int status = send_to("PUT", "", destinations[i].side, destinations[i].arn);

        if (status != destinations[i].status)
            fail_msg("%s %s: %d %s", destinations[i].side, destinations[i].arn, status,
                     member("message"));
    }
    send_to("PUT", "", "OnSuccess", "arn:aws:s3:::b");
    expect_error(400, "InvalidParameterValueException",
                 "The provided destination config DestinationConfig(onSuccess=OnSuccess("
                 "destination=arn:aws:s3:::b), onFailure=null) is invalid.");
}

static void an_update_leaves_what_it_does_not_name(void **state)
{
    static const char path[] = EVENTS "/one/event-invoke-config";
    const cJSON *sides;

    (void)state;
    need_server();
    two_versions_of_one();
    assert_int_equal(lambda("POST", path, "", "{\"MaximumRetryAttempts\":1}"), 404);
    assert_int_equal(send_to("PUT", "", "OnFailure", "arn:aws:s3:::b"), 200);
    assert_int_equal(lambda("POST", path, "", "{\"MaximumRetryAttempts\":1}"), 200);
    assert_int_equal(lambda("POST", path, "", "{\"MaximumEventAgeInSeconds\":60}"), 200);
    sides = cJSON_GetObjectItemCaseSensitive(got.json, "DestinationConfig");
    assert_true(str_is(cjson_str(cJSON_GetObjectItem(sides, "OnFailure"), "Destination"),
                       "arn:aws:s3:::b"));
    assert_int_equal(cJSON_GetNumberValue(cJSON_GetObjectItem(got.json, "MaximumRetryAttempts")),
                     1);
    assert_int_equal(lambda("POST", path, "", "{}"), 400);

    /* it goes with its alias */
    assert_int_equal(lambda("PUT", path, "Qualifier=live", "{\"MaximumRetryAttempts\":0}"), 200);
    call("DELETE", "one", "/aliases/live", "", "", 204);
    assert_int_equal(lambda("GET", EVENTS "/one/event-invoke-config/list", "", ""), 200);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(got.json, "FunctionEventInvokeConfigs")),
                     1);
}

static void configurations_are_listed_by_pages(void **state)
{
    static const char path[] = EVENTS "/one/event-invoke-config";
    static const char list[] = EVENTS "/one/event-invoke-config/list";
    char query[200];

    (void)state;
    need_server();
    two_versions_of_one();
    assert_int_equal(lambda("PUT", path, "", "{\"MaximumRetryAttempts\":0}"), 200);
    assert_int_equal(lambda("PUT", path, "Qualifier=1", "{\"MaximumRetryAttempts\":1}"), 200);
    assert_int_equal(lambda("PUT", path, "Qualifier=live", "{\"MaximumRetryAttempts\":2}"), 200);
    assert_int_equal(lambda("GET", list, "MaxItems=2", ""), 200);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(got.json, "FunctionEventInvokeConfigs")),
                     2);
    snprintf(query, sizeof(query), "MaxItems=2&Marker=%s", member("NextMarker"));
    assert_int_equal(lambda("GET", list, query, ""), 200);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(got.json, "FunctionEventInvokeConfigs")),
                     1);
    assert_string_equal(member("NextMarker"), "");
    assert_int_equal(lambda("GET", EVENTS "/nobody/event-invoke-config/list", "", ""), 404);
}

/* ---- other settings ---- */

static void recursion_is_ended_unless_it_is_allowed(void **state)
{
    static const char path[] = "/2024-08-31/functions/one/recursion-config";

    (void)state;
    need_server();
    invoker_connect();
    active("one");
    assert_int_equal(lambda("GET", path, "", ""), 200);
    expect("RecursiveLoop", "Terminate");
    assert_int_equal(lambda("PUT", path, "", "{\"RecursiveLoop\":\"Allow\"}"), 200);
    assert_int_equal(lambda("GET", path, "", ""), 200);
    expect("RecursiveLoop", "Allow");
}

static void images_have_no_runtime_to_manage(void **state)
{
    static const char path[] = "/2021-07-20/functions/one/runtime-management-config";

    (void)state;
    need_server();
    two_versions_of_one();
    assert_int_equal(lambda("GET", path, "", ""), 200);
    expect("UpdateRuntimeOn", "Auto");
    expect("FunctionArn", ARN_OF("function:one"));
    assert_int_equal(lambda("PUT", path, "", "{\"UpdateRuntimeOn\":\"FunctionUpdate\"}"), 400);
    assert_int_equal(lambda("GET", path, "Qualifier=live", ""), 400);
    assert_int_equal(lambda("GET", path, "Qualifier=7", ""), 404);
}

static void a_function_of_the_same_name_begins_anew(void **state)
{
    (void)state;
    need_server();
    invoker_connect();
    active("one");
    assert_int_equal(permit("one", "", "a", S3), 201);
    assert_int_equal(send_to("PUT", "", "OnFailure", "arn:aws:s3:::b"), 200);
    assert_int_equal(
        lambda("POST", TAGS "/" ARN_OF("function:one"), "", "{\"Tags\":{\"a\":\"1\"}}"), 204);
    assert_int_equal(lambda("PUT", "/2024-08-31/functions/one/recursion-config", "",
                            "{\"RecursiveLoop\":\"Allow\"}"),
                     200);
    call("DELETE", "one", "", "", "", 204);
    active("one");
    call("GET", "one", "/policy", "", "", 404);
    assert_int_equal(lambda("GET", EVENTS "/one/event-invoke-config", "", ""), 404);
    assert_int_equal(cJSON_GetArraySize(tags_of(ARN_OF("function:one"))), 0);
    assert_int_equal(lambda("GET", "/2024-08-31/functions/one/recursion-config", "", ""), 200);
    expect("RecursiveLoop", "Terminate");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(a_change_of_a_policy_is_a_new_revision_of_both),
        LIVE(versions_and_aliases_have_policies_of_their_own),
        LIVE(statements_say_who_and_on_which_condition),
        LIVE(a_policy_has_twenty_kilobytes),
        LIVE(tags_are_added_replaced_and_taken_away),
        LIVE(other_resources_have_tags_while_they_are_there),
        LIVE(a_hundred_thousand_tags_are_refused_at_once),
        LIVE(destinations_are_there),
        LIVE(an_update_leaves_what_it_does_not_name),
        LIVE(configurations_are_listed_by_pages),
        LIVE(recursion_is_ended_unless_it_is_allowed),
        LIVE(images_have_no_runtime_to_manage),
        LIVE(a_function_of_the_same_name_begins_anew),
    };

    log_begin("controller_beside_test");
    return cmocka_run_group_tests_name("controller_beside", tests, NULL, NULL);
}
