/* SPDX-License-Identifier: Apache-2.0 */
/* Reserved and provisioned concurrency: what functions hold of their account, also in a race. */
#include "controller/controller_fixture.h"

#define RESERVED "/2017-10-31/functions"
#define PROVISIONED "/2019-09-30/functions"
#define BELOW_LEAST                                                                                \
    "Specified ReservedConcurrentExecutions for function decreases account's "                     \
    "UnreservedConcurrentExecution below its minimum value of [100]."

static int reserve(const char *name, unsigned n)
{
    char path[200], body[100];

    snprintf(path, sizeof(path), RESERVED "/%s/concurrency", name);
    snprintf(body, sizeof(body), "{\"ReservedConcurrentExecutions\":%u}", n);
    return lambda("PUT", path, "", body);
}

static int unreserve(const char *name)
{
    char path[200];

    snprintf(path, sizeof(path), RESERVED "/%s/concurrency", name);
    return lambda("DELETE", path, "", "");
}

/* On what is provisioned for @name's @qualifier; @n: for PUT. */
static int provisioned(const char *method, const char *name, const char *qualifier, unsigned n)
{
    char path[200], query[100], body[100];

    snprintf(path, sizeof(path), PROVISIONED "/%s/provisioned-concurrency", name);
    snprintf(query, sizeof(query), "Qualifier=%s", qualifier);
    snprintf(body, sizeof(body), "{\"ProvisionedConcurrentExecutions\":%u}", n);
    return lambda(method, path, query, strcmp(method, "PUT") == 0 ? body : "");
}

static void call(const char *method, const char *name, const char *what, const char *body,
                 int status)
{
    char path[200];

    snprintf(path, sizeof(path), FN "/%s%s", name, what);
    assert_int_equal(lambda(method, path, "", body), status);
}

static void publish(const char *name)
{
    call("POST", name, "/versions", "{}", 201);
}

static void name_version(const char *name, const char *alias, const char *version)
{
    char body[200];

    snprintf(body, sizeof(body), "{\"Name\":\"%s\",\"FunctionVersion\":\"%s\"}", alias, version);
    call("POST", name, "/aliases", body, 201);
}

static double unreserved(void)
{
    assert_int_equal(lambda("GET", "/2016-08-19/account-settings", "", ""), 200);
    return cJSON_GetNumberValue(
        cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(got.json, "AccountLimit"),
                                         "UnreservedConcurrentExecutions"));
}

static double number(const char *member_name)
{
    return cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(got.json, member_name));
}

static void ask_route(const char *name, const char *qualifier)
{
    cJSON *args = cJSON_CreateObject();

    cJSON_AddStringToObject(args, "account", "000000000000");
    cJSON_AddStringToObject(args, "name", name);
    cJSON_AddStringToObject(args, "qualifier", qualifier);
    ask(gateway, "route.resolve", args, STR_NULL);
    assert_int_equal(got.code, ERR_OK);
}

/* ---- several clients at once ---- */

static unsigned answers, successes;

static void on_one(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    (void)body;
    (void)err;
    (void)arg;
    answers++;
    successes += cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(ok, "status")) < 300;
    loop_stop(loop);
}

/* Asks without waiting for the answer. */
static void send_call(const char *method, const char *path, const char *body)
{
    cJSON *args = lambda_args(method, path, "");

    rpc_call(gateway, "lambda", args, str_of(body), WAIT_US, on_one, NULL);
    cJSON_Delete(args);
}

static void two_functions_cannot_take_the_same_share(void **state)
{
    (void)state;
    need_server();
    invoker_connect();
    active("one");
    active("two");
    answers = successes = 0;
    send_call("PUT", RESERVED "/one/concurrency", "{\"ReservedConcurrentExecutions\":500}");
    send_call("PUT", RESERVED "/two/concurrency", "{\"ReservedConcurrentExecutions\":500}");
    wait_until(&answers, 2);
    assert_int_equal(successes, 1);
    assert_int_equal(unreserved(), 500);
}

static void all_who_write_one_function_at_once_are_served(void **state)
{
    char body[200];
    unsigned i;

    (void)state;
    need_server();
    invoker_connect();
    active("one");
    answers = successes = 0;
    for (i = 0; i < 12; i++) {
        snprintf(body, sizeof(body),
                 "{\"StatementId\":\"s%u\",\"Action\":\"lambda:InvokeFunction\","
                 "\"Principal\":\"s3.amazonaws.com\"}",
                 i);
        send_call("POST", FN "/one/policy", body);
    }
    wait_until(&answers, 12);
    assert_int_equal(successes, 12);
    call("GET", "one", "/policy", "", 200);
    for (i = 0; i < 12; i++) {
        snprintf(body, sizeof(body), "\"Sid\":\"s%u\"", i);
        assert_non_null(strstr(member("Policy"), body));
    }
}

/* ---- reserved ---- */

static void a_hundred_stay_for_functions_without_a_reservation(void **state)
{
    (void)state;
    need_server();
    invoker_connect();
    active("one");
    assert_int_equal(reserve("one", 901), 400);
    expect_error(400, "InvalidParameterValueException", BELOW_LEAST);
    assert_null(cJSON_GetObjectItemCaseSensitive(got.json, "Type"));
    assert_int_equal(reserve("one", 900), 200);
    assert_int_equal(reserve("one", 900), 200);
    assert_int_equal(unreserved(), 100);
    assert_int_equal(reserve("one", 10), 200);
    assert_int_equal(unreserved(), 990);
    assert_int_equal(unreserve("one"), 204);
    assert_int_equal(unreserve("one"), 204);
    assert_int_equal(unreserved(), 1000);
}

static void gateways_hear_of_a_reservation_before_the_client(void **state)
{
    (void)state;
    need_server();
    invoker_connect();
    active("one");
    peer.drops = 0;
    assert_int_equal(reserve("one", 30), 200);
    assert_int_equal(peer.drops, 1);
    assert_int_equal(peer.unreserved, 970);
    fn_call(gateway, "route.resolve", "one", 0);
    assert_int_equal(cJSON_GetNumberValue(cJSON_GetObjectItem(got.ok, "reserved")), 30);
    assert_int_equal(cJSON_GetNumberValue(cJSON_GetObjectItem(got.ok, "unreserved")), 970);
    call("GET", "one", "", "", 200);
    assert_non_null(cJSON_GetObjectItem(got.json, "Concurrency"));
}

/* What is reserved belongs to the function, not to its versions. */
static void get_function_shows_what_is_reserved_without_a_qualifier_only(void **state)
{
    (void)state;
    need_server();
    invoker_connect();
    active("one");
    publish("one");
    assert_int_equal(reserve("one", 5), 200);
    call("GET", "one", "", "", 200);
    assert_non_null(cJSON_GetObjectItem(got.json, "Concurrency"));
    assert_int_equal(lambda("GET", FN "/one", "Qualifier=1", ""), 200);
    assert_null(cJSON_GetObjectItem(got.json, "Concurrency"));
    assert_int_equal(lambda("GET", FN "/one:$LATEST", "", ""), 200);
    assert_null(cJSON_GetObjectItem(got.json, "Concurrency"));
}

static void routes_say_what_is_set_aside(void **state)
{
    const cJSON *target;

    (void)state;
    need_server();
    invoker_connect();
    active("one");
    publish("one");
    peer.drops = 0;
    assert_int_equal(provisioned("PUT", "one", "1", 2), 202);
    assert_int_equal(peer.drops, 1);
    fn_call(gateway, "route.resolve", "one", 0);
    assert_null(cJSON_GetObjectItem(got.ok, "set_aside")); /* nothing is reserved */
    assert_int_equal(reserve("one", 5), 200);
    fn_call(gateway, "route.resolve", "one", 0);
    target = cJSON_GetArrayItem(cJSON_GetObjectItem(got.ok, "targets"), 0);
    assert_int_equal(cJSON_GetNumberValue(cJSON_GetObjectItem(got.ok, "set_aside")), 2);
    assert_null(cJSON_GetObjectItem(target, "provisioned"));
    ask_route("one", "1");
    target = cJSON_GetArrayItem(cJSON_GetObjectItem(got.ok, "targets"), 0);
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(target, "provisioned")));
}

static void a_reservation_belongs_to_the_whole_function(void **state)
{
    (void)state;
    need_server();
    invoker_connect();
    active("one");
    assert_int_equal(reserve("one:live", 1), 400);
    expect_error(400, "InvalidParameterValueException",
                 "This operation is permitted on Lambda functions only. Aliases and versions do "
                 "not support this operation. Please specify either a function name or an "
                 "unqualified function ARN.");
    assert_int_equal(reserve("nobody", 1), 404);
    assert_int_equal(unreserve("nobody"), 404);
}

/* ---- provisioned ---- */

static void what_is_provisioned_counts_where_nothing_is_reserved(void **state)
{
    (void)state;
    need_server();
    invoker_connect();
    active("one");
    active("two");
    publish("one");
    assert_int_equal(provisioned("PUT", "one", "1", 300), 202);
    assert_int_equal(unreserved(), 1000); /* it is not reserved */
    assert_int_equal(reserve("two", 601), 400);
    assert_int_equal(reserve("two", 600), 200);
    assert_int_equal(provisioned("PUT", "one", "1", 301), 400);
    expect_error(400, "InvalidParameterValueException",
                 "Specified ConcurrentExecutions for function decreases account's "
                 "UnreservedConcurrentExecution below its minimum value of [100].");
    assert_int_equal(provisioned("PUT", "one", "1", 401), 400);
    expect_error(400, "InvalidParameterValueException",
                 "Specified ConcurrentExecutions for function is greater than account's "
                 "unreserved concurrency [400].");

    /* a reservation takes it in, and gives it back */
    assert_int_equal(reserve("one", 299), 400);
    expect_error(400, "InvalidParameterValueException",
                 " ReservedConcurrentExecutions  299 should not be lower than function's total "
                 "provisioned concurrency [300].");
    assert_int_equal(reserve("one", 300), 200);
    assert_int_equal(unreserved(), 100);
    assert_int_equal(provisioned("PUT", "one", "1", 301), 400);
    expect_error(400, "InvalidParameterValueException",
                 "Requested Provisioned Concurrency should not be greater than the "
                 "reservedConcurrentExecution for function");
    assert_int_equal(unreserve("one"), 204);
    assert_int_equal(reserve("two", 601), 400);
    assert_int_equal(provisioned("DELETE", "one", "1", 0), 204);
    assert_int_equal(reserve("two", 900), 200);
}

static void a_function_that_goes_gives_its_share_back(void **state)
{
    (void)state;
    need_server();
    invoker_connect();
    active("one");
    active("two");
    active("three");
    assert_int_equal(reserve("one", 400), 200);
    publish("two");
    assert_int_equal(provisioned("PUT", "two", "1", 300), 202);
    publish("three");
    assert_int_equal(provisioned("PUT", "three", "1", 50), 202);
    assert_int_equal(reserve("three", 60), 200);
    call("DELETE", "one", "", "", 204);
    assert_int_equal(peer.unreserved, 940);
    call("DELETE", "two", "", "", 204);
    call("DELETE", "three", "", "", 204);
    assert_int_equal(unreserved(), 1000);
    active("four");
    assert_int_equal(reserve("four", 900), 200);
}

static void it_goes_with_its_version_or_alias(void **state)
{
    (void)state;
    need_server();
    invoker_connect();
    active("one");
    active("two");
    publish("one");
    assert_int_equal(provisioned("PUT", "one", "1", 200), 202);
    assert_int_equal(lambda("DELETE", FN "/one", "Qualifier=1", ""), 204);
    assert_int_equal(provisioned("GET", "one", "1", 0), 404);
    assert_int_equal(reserve("two", 900), 200);
    assert_int_equal(unreserve("two"), 204);

    call("PUT", "one", "/configuration", "{\"Description\":\"next\"}", 200);
    wait_for("one", "LastUpdateStatus", "Successful");
    publish("one");
    name_version("one", "live", "2");
    assert_int_equal(provisioned("PUT", "one", "live", 200), 202);
    call("DELETE", "one", "/aliases/live", "", 204);
    assert_int_equal(lambda("GET", PROVISIONED "/one/provisioned-concurrency", "List=ALL", ""), 200);
    assert_int_equal(
        cJSON_GetArraySize(cJSON_GetObjectItem(got.json, "ProvisionedConcurrencyConfigs")), 0);
    assert_int_equal(reserve("two", 900), 200);
}

static void a_version_is_provided_for_once(void **state)
{
    (void)state;
    need_server();
    invoker_connect();
    active("one");
    publish("one");
    name_version("one", "live", "1");
    name_version("one", "next", "1");
    name_version("one", "edge", "$LATEST");
    assert_int_equal(provisioned("PUT", "one", "live", 2), 202);
    assert_int_equal(provisioned("PUT", "one", "live", 3), 202);
    assert_int_equal(provisioned("PUT", "one", "1", 1), 409);
    expect_error(409, "ResourceConflictException",
                 "Version is pointed by a Provisioned Concurrency alias");
    assert_int_equal(provisioned("PUT", "one", "next", 1), 409);
    expect_error(409, "ResourceConflictException",
                 "Alias can't be used for Provisioned Concurrency configuration on an already "
                 "Provisioned version");
    assert_int_equal(provisioned("PUT", "one", "edge", 1), 400);
    assert_int_equal(provisioned("PUT", "one", "$LATEST", 1), 400);
    expect_error(400, "InvalidParameterValueException",
                 "Provisioned Concurrency Configs cannot be applied to unpublished function "
                 "versions.");
    call("PUT", "one", "/aliases/live", "{\"FunctionVersion\":\"$LATEST\"}", 400);
    expect_error(400, "InvalidParameterValueException",
                 "Provisioned Concurrency Configs cannot be applied to unpublished function "
                 "versions.");
    call("PUT", "one", "/configuration", "{\"Description\":\"next\"}", 200);
    wait_for("one", "LastUpdateStatus", "Successful");
    publish("one");
    call("PUT", "one", "/aliases/live",
         "{\"RoutingConfig\":{\"AdditionalVersionWeights\":{\"2\":0.5}}}", 400);
    expect_error(400, "InvalidParameterValueException",
                 "Alias with weights can not be used with Provisioned Concurrency");
    assert_int_equal(provisioned("PUT", "one", "2", 1), 202);
    call("PUT", "one", "/aliases/live", "{\"FunctionVersion\":\"2\"}", 409);
    expect_error(409, "ResourceConflictException",
                 "Alias can't be used for Provisioned Concurrency configuration on an already "
                 "Provisioned version");
    call("PUT", "one", "/aliases/live", "{\"FunctionVersion\":\"1\",\"Description\":\"as it was\"}", 200);
    assert_int_equal(provisioned("GET", "one", "1", 0), 404);
    expect_error(404, "ProvisionedConcurrencyConfigNotFoundException",
                 "No Provisioned Concurrency Config found for this function");
    assert_int_equal(provisioned("GET", "one", "nobody", 0), 404);
    expect_error(404, "ResourceNotFoundException",
                 "Cannot find alias arn: arn:aws:lambda:us-east-1:000000000000:function:one:nobody");
}

static void expect_status_soon(const char *qualifier, const char *status)
{
    uint64_t end = now_us() + WAIT_US;

    do {
        assert_int_equal(provisioned("GET", "one", qualifier, 0), 200);
        assert_true(now_us() < end);
    } while (strcmp(member("Status"), status) != 0);
}

static void it_is_ready_when_an_invoker_has_initialised_it(void **state)
{
    (void)state;
    need_server();
    invoker_connect();
    active("one");
    publish("one");
    assert_int_equal(provisioned("PUT", "one", "1", 2), 202);
    expect("Status", "IN_PROGRESS");
    assert_int_equal(number("AllocatedProvisionedConcurrentExecutions"), 0);
    expect_status_soon("1", "READY");
    assert_int_equal(number("AvailableProvisionedConcurrentExecutions"), 2);
    link_free(invoker);
    invoker = NULL;
    expect_status_soon("1", "IN_PROGRESS");
    assert_int_equal(number("AvailableProvisionedConcurrentExecutions"), 0);
}

/* The fixture's node has 1024 MiB. */
static void more_than_the_nodes_have_memory_for_is_told(void **state)
{
    (void)state;
    need_server();
    peer.fails_to_provision = false;
    invoker_connect();
    active("one");
    publish("one");
    peer.is_slow_to_provision = true;
    assert_int_equal(provisioned("PUT", "one", "1", 100), 202);
    expect_status_soon("1", "FAILED");
    expect("StatusReason", "The nodes do not have the memory for it.");
    assert_int_equal(provisioned("PUT", "one", "1", 1), 202);
    expect_status_soon("1", "IN_PROGRESS");
}

static void an_init_that_fails_is_told(void **state)
{
    (void)state;
    need_server();
    peer.fails_to_provision = true;
    invoker_connect();
    active("one");
    publish("one");
    assert_int_equal(provisioned("PUT", "one", "1", 2), 202);
    expect_status_soon("1", "FAILED");
    expect("StatusReason", "FUNCTION_ERROR_INIT_FAILURE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(two_functions_cannot_take_the_same_share),
        LIVE(all_who_write_one_function_at_once_are_served),
        LIVE(a_hundred_stay_for_functions_without_a_reservation),
        LIVE(gateways_hear_of_a_reservation_before_the_client),
        LIVE(get_function_shows_what_is_reserved_without_a_qualifier_only),
        LIVE(routes_say_what_is_set_aside),
        LIVE(a_reservation_belongs_to_the_whole_function),
        LIVE(what_is_provisioned_counts_where_nothing_is_reserved),
        LIVE(a_function_that_goes_gives_its_share_back),
        LIVE(it_goes_with_its_version_or_alias),
        LIVE(a_version_is_provided_for_once),
        LIVE(it_is_ready_when_an_invoker_has_initialised_it),
        LIVE(an_init_that_fails_is_told),
        LIVE(more_than_the_nodes_have_memory_for_is_told),
    };

    log_begin("controller_concurrency_test");
    return cmocka_run_group_tests_name("controller_concurrency", tests, NULL, NULL);
}
