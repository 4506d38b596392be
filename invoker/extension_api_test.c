/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/extension_api.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define REGISTER "/2020-01-01/extension/register"
#define NEXT "/2020-01-01/extension/event/next"
#define INIT_ERROR "/2020-01-01/extension/init/error"
#define EXIT_ERROR "/2020-01-01/extension/exit/error"
#define TELEMETRY "/2022-07-01/telemetry"
#define LOGS "/2020-08-15/logs"
#define INVOKE "{\"events\":[\"INVOKE\"]}"
#define SUBSCRIPTION                                                                               \
    "{\"schemaVersion\":\"2022-07-01\",\"types\":[\"platform\"],"                                  \
    "\"destination\":{\"protocol\":\"HTTP\",\"URI\":\"http://sandbox.localdomain:80\"}}"
#define MOVE(from, to)                                                                             \
    "State transition from " from " to " to                                                        \
    " failed for extension x. Error: State transition is not allowed"

static char name[] = "f", version[] = "$LATEST", handler[] = "a.b", account[] = "000000000000";
static const struct sandbox_spec spec = {
    .name = name, .version = version, .handler = handler, .account = account};
static struct extension_api api;
static struct extension_answer answer;

static int setup(void **state)
{
    (void)state;
    extension_api_init(&api, &spec);
    buf_init(&answer.body, EXTENSION_ANSWER_MAX);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    buf_done(&answer.body);
    return 0;
}

/* One request; @req has everything but method and path. */
static enum extension_event ask(const char *method, const char *path, struct extension_request req)
{
    req.method = str_of(method);
    req.path = str_of(path);
    return extension_api_request(&api, &req, &answer);
}

static enum extension_event do_register(const char *who, const char *body)
{
    return ask("POST", REGISTER,
               (struct extension_request){.name = str_of(who), .body = str_of(body)});
}

/* As the extension in place @at. */
static enum extension_event as(size_t at, const char *method, const char *path)
{
    return ask(method, path,
               (struct extension_request){.identifier = str_of(api.list[at].id),
                                          .error_type = STR("Extension.Boom"),
                                          .body = STR(SUBSCRIPTION)});
}

static void assert_denied(int status, const char *type, const char *message)
{
    CLEANUP(freep) char *expected =
        str_printf("{\"errorMessage\":\"%s\",\"errorType\":\"%s\"}\n", message, type);

    assert_int_equal(answer.status, status);
    assert_int_equal(buf_append_char(&answer.body, '\0'), 0);
    assert_string_equal(answer.body.ptr, expected);
    assert_string_equal(answer.content_type, "application/json");
}

static void registering_answers_with_the_function_and_an_identifier(void **state)
{
    (void)state;
    assert_int_equal(do_register("x", INVOKE), EXTENSION_EVENT_REGISTERED);
    assert_int_equal(answer.status, 200);
    assert_true(str_is(buf_str(&answer.body), "{\"functionName\":\"f\",\"functionVersion\":\"$LATEST\","
                                              "\"handler\":\"a.b\"}\n"));
    assert_true(uuid_is_valid(str_of(answer.identifier)));
    assert_false(api.list[0].is_external);
    assert_int_equal(ask("POST", REGISTER,
                         (struct extension_request){.name = STR("y"),
                                                    .accept_feature = STR("other, accountId"),
                                                    .body = STR("{}")}),
                     EXTENSION_EVENT_REGISTERED);
    assert_true(str_ends(buf_str(&answer.body), STR(",\"accountId\":\"000000000000\"}\n")));
}

static void wrong_registrations_have_awss_words(void **state)
{
    static const struct {
        const char *who, *body, *type, *message;
    } rows[] = {
        {"", INVOKE, "Extension.InvalidExtensionName", "Empty extension name"},
        {"x", "{", "InvalidRequestFormat", "unexpected end of JSON input"},
        {"x", "{\"events\":[\"STOP\"]}", "Extension.InvalidEventType",
         "STOP: ErrorInvalidEventType"},
        {"x", "{\"events\":[\"INVOKE\",\"SHUTDOWN\"]}", "Extension.InvalidEventType",
         "SHUTDOWN: ShutdownEventNotSupportedForInternalExtension"},
    };
    size_t i;
    (void)state;

    for (i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(do_register(rows[i].who, rows[i].body), EXTENSION_EVENT_NONE);
        assert_denied(403, rows[i].type, rows[i].message);
        assert_int_equal(api.len, 0);
    }
    do_register("x", INVOKE);
    assert_int_equal(do_register("x", INVOKE), EXTENSION_EVENT_NONE);
    assert_denied(403, "Extension.InvalidExtensionState", MOVE("Registered", "Registered"));
    api.registration_closed = true;
    assert_int_equal(do_register("y", INVOKE), EXTENSION_EVENT_NONE);
    assert_denied(403, "Extension.RegistrationClosed", "Extension registration closed already");
}

static void there_are_ten_at_most(void **state)
{
    char who[16];
    int i;
    (void)state;

    for (i = 0; i < 10; i++) {
        snprintf(who, sizeof(who), "x%d", i);
        assert_int_equal(do_register(who, INVOKE), EXTENSION_EVENT_REGISTERED);
    }
    assert_int_equal(do_register("x10", INVOKE), EXTENSION_EVENT_NONE);
    assert_denied(403, "Extension.TooManyExtensions", "Extension limit (10) reached");
    assert_int_equal(extension_api_add(&api, "x11"), -ERR_TOO_LARGE);
}

static void external_ones_are_known_by_their_files_name(void **state)
{
    (void)state;
    assert_int_equal(extension_api_add(&api, "x"), 0);
    assert_true(extension_api_has_external(&api));
    assert_false(extension_api_is_registered(&api));
    assert_int_equal(do_register("x", "{\"events\":[\"SHUTDOWN\"]}"), EXTENSION_EVENT_REGISTERED);
    assert_int_equal(api.len, 1);
    assert_true(extension_api_is_registered(&api));
    assert_false(extension_api_is_ready(&api));
    assert_ptr_equal(extension_api_find(&api, "x"), &api.list[0]);
    do_register("inside", INVOKE);
    assert_null(extension_api_find(&api, "inside"));
}

static void calls_need_a_known_identifier(void **state)
{
    const char *unknown = "11111111-1111-1111-1111-111111111111";
    (void)state;

    do_register("x", INVOKE);
    assert_int_equal(ask("GET", NEXT, (struct extension_request){0}), EXTENSION_EVENT_NONE);
    assert_denied(403, "Extension.MissingExtensionIdentifier",
                  "Missing Lambda-Extension-Identifier header");
    ask("GET", NEXT, (struct extension_request){.identifier = STR("zzz")});
    assert_denied(403, "Extension.InvalidExtensionIdentifier",
                  "Invalid Lambda-Extension-Identifier");
    ask("PUT", TELEMETRY, (struct extension_request){.identifier = str_of(unknown)});
    assert_denied(403, "Extension.UnknownExtensionIdentifier",
                  "Unknown extension 11111111-1111-1111-1111-111111111111");
}

static void next_goes_round_and_errors_end_it(void **state)
{
    (void)state;
    do_register("x", INVOKE);
    assert_int_equal(as(0, "GET", NEXT), EXTENSION_EVENT_NEXT);
    assert_true(extension_api_is_ready(&api));
    extension_api_given(&api.list[0]);
    assert_false(extension_api_is_ready(&api));
    assert_int_equal(as(0, "GET", NEXT), EXTENSION_EVENT_NEXT);
    assert_int_equal(as(0, "POST", INIT_ERROR), EXTENSION_EVENT_NONE);
    assert_denied(403, "Extension.InvalidExtensionState", MOVE("Ready", "InitError"));
    assert_int_equal(as(0, "POST", EXIT_ERROR), EXTENSION_EVENT_EXIT_FAILED);
    assert_int_equal(answer.status, 202);
    assert_true(str_is(buf_str(&answer.body), "{\"status\":\"OK\"}\n"));
    assert_string_equal(api.list[0].error_type, "Extension.Boom");
    assert_int_equal(as(0, "GET", NEXT), EXTENSION_EVENT_NONE);
    assert_denied(403, "Extension.InvalidExtensionState", MOVE("ExitError", "Ready"));
}

static void errors_need_their_type(void **state)
{
    (void)state;
    do_register("x", INVOKE);
    ask("POST", INIT_ERROR, (struct extension_request){.identifier = str_of(api.list[0].id)});
    assert_denied(403, "Extension.MissingHeader", "Lambda-Extension-Function-Error-Type not found");
    assert_int_equal(as(0, "POST", INIT_ERROR), EXTENSION_EVENT_INIT_FAILED);
    assert_int_equal(as(0, "POST", INIT_ERROR), EXTENSION_EVENT_NONE);
    assert_denied(403, "Extension.InvalidExtensionState", MOVE("InitError", "InitError"));
}

static void subscriptions_are_taken_during_init_by_one_api(void **state)
{
    (void)state;
    do_register("x", INVOKE);
    assert_int_equal(as(0, "PUT", LOGS), EXTENSION_EVENT_NONE);
    assert_denied(400, "Logs.ValidationError", "schemaVersion is not supported");
    assert_int_equal(as(0, "PUT", TELEMETRY "/"), EXTENSION_EVENT_SUBSCRIBED);
    assert_int_equal(answer.status, 200);
    assert_true(str_is(buf_str(&answer.body), "\"OK\""));
    assert_int_equal(answer.subscription.port, 80);
    ask("PUT", LOGS,
        (struct extension_request){
            .identifier = str_of(api.list[0].id),
            .body = STR("{\"types\":[\"platform\"],\"destination\":{\"protocol\":\"TCP\","
                        "\"port\":80}}")});
    assert_denied(400, "Logs.ValidationError", "the extension has subscribed by the other API");
    api.subscription_closed = true;
    as(0, "PUT", TELEMETRY);
    assert_denied(403, "Telemetry.SubscriptionClosed",
                  "Telemetry API subscription is closed already");
    as(0, "PUT", LOGS);
    assert_denied(403, "Logs.SubscriptionClosed", "Logs API subscription is closed already");
}

static void other_paths_and_methods_are_not_taken(void **state)
{
    (void)state;
    assert_true(extension_api_has_path(STR(NEXT)));
    assert_false(extension_api_has_path(STR("/2020-01-01/extension/other")));
    assert_false(extension_api_has_path(STR("/2018-06-01/runtime/invocation/next")));
    assert_int_equal(ask("GET", REGISTER, (struct extension_request){0}), EXTENSION_EVENT_NONE);
    assert_int_equal(answer.status, 405);
    assert_string_equal(answer.allow, "POST");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(registering_answers_with_the_function_and_an_identifier),
        TEST(wrong_registrations_have_awss_words),
        TEST(there_are_ten_at_most),
        TEST(external_ones_are_known_by_their_files_name),
        TEST(calls_need_a_known_identifier),
        TEST(next_goes_round_and_errors_end_it),
        TEST(errors_need_their_type),
        TEST(subscriptions_are_taken_during_init_by_one_api),
        TEST(other_paths_and_methods_are_not_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
