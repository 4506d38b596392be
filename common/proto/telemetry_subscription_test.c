/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/telemetry_subscription.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define V "\"schemaVersion\":\"2022-07-01\""
#define T "\"types\":[\"platform\"]"
#define D "\"destination\":{\"protocol\":\"HTTP\",\"URI\":\"http://sandbox.localdomain:80\"}"

static void what_is_asked_is_read(void **state)
{
    const struct str body = STR(
        "{\"schemaVersion\":\"2025-01-29\",\"types\":[\"function\",\"extension\"],"
        "\"buffering\":{\"maxItems\":1000,\"maxBytes\":1048576,\"timeoutMs\":25},"
        "\"destination\":{\"protocol\":\"HTTP\",\"method\":\"PUT\",\"encoding\":\"JSON\","
        "\"URI\":\"http://SANDBOX.localdomain:65535/a/b?c=d\"}}");
    struct telemetry_subscription sub;
    (void)state;

    assert_int_equal(telemetry_subscription_parse(TELEMETRY_API, body, &sub, NULL), 0);
    assert_int_equal(sub.schema, TELEMETRY_2025_01_29);
    assert_int_equal(sub.types, TELEMETRY_FUNCTION | TELEMETRY_EXTENSION);
    assert_false(sub.is_tcp);
    assert_true(sub.is_put);
    assert_int_equal(sub.port, 65535);
    assert_string_equal(sub.path, "/a/b?c=d");
    assert_int_equal(sub.max_items, 1000);
    assert_int_equal(sub.max_bytes, 1048576);
    assert_int_equal(sub.timeout_ms, 25);
}

static void what_is_not_said_has_lambdas_defaults(void **state)
{
    const struct str body = STR("{" T ",\"destination\":{\"protocol\":\"TCP\",\"port\":8080}}");
    struct telemetry_subscription sub;
    (void)state;

    assert_int_equal(telemetry_subscription_parse(TELEMETRY_LOGS_API, body, &sub, NULL), 0);
    assert_int_equal(sub.schema, TELEMETRY_LOGS_2020_08_15);
    assert_true(sub.is_tcp);
    assert_int_equal(sub.port, 8080);
    assert_int_equal(sub.max_items, 10000);
    assert_int_equal(sub.max_bytes, 262144);
    assert_int_equal(sub.timeout_ms, 1000);
    assert_true(telemetry_schema_is_logs(sub.schema));
}

static void all_mistakes_are_told_at_once(void **state)
{
    static const struct {
        enum telemetry_api api;
        const char *body, *message;
    } rows[] = {
        {TELEMETRY_API, "", "request body is not a JSON object"},
        {TELEMETRY_API, "[]", "request body is not a JSON object"},
        {TELEMETRY_API, "{\"a\":", "request body is not a JSON object"},
        {TELEMETRY_API, "{}",
         "destination is not provided; schemaVersion is not provided; types should not be empty"},
        {TELEMETRY_API,
         "{" V ",\"types\":[],\"destination\":{\"protocol\":\"HTTP\","
         "\"URI\":\"http://sandbox.localdomain\"}}",
         "URI port is not provided; types should not be empty"},
        {TELEMETRY_API, "{\"schemaVersion\":\"2021-03-18\"," T "," D "}",
         "schemaVersion is not supported"},
        {TELEMETRY_LOGS_API, "{" V "," T "," D "}", "schemaVersion is not supported"},
        {TELEMETRY_API, "{" V ",\"types\":[\"platform\",\"x\"]," D "}",
         "types should be platform, function or extension"},
        {TELEMETRY_API, "{" V ",\"types\":\"platform\"," D "}",
         "types should be platform, function or extension"},
        {TELEMETRY_API, "{" V "," T ",\"destination\":{\"protocol\":\"UDP\"}}",
         "protocol should be HTTP or TCP"},
        {TELEMETRY_API,
         "{" V "," T ",\"destination\":{\"protocol\":\"HTTP\",\"URI\":\"https://sandbox:80\"}}",
         "URI scheme should be http"},
        {TELEMETRY_API,
         "{" V "," T ",\"destination\":{\"protocol\":\"HTTP\",\"URI\":\"http://10.0.0.1:80\"}}",
         "URI host should be sandbox.localdomain"},
        {TELEMETRY_API,
         "{" V "," T ",\"destination\":{\"protocol\":\"HTTP\",\"URI\":\"http://sandbox:65536\"}}",
         "URI port is invalid"},
        {TELEMETRY_API,
         "{" V "," T ",\"destination\":{\"protocol\":\"HTTP\",\"URI\":\"http://sandbox:9001/\"}}",
         "port 9001 is reserved"},
        {TELEMETRY_API,
         "{" V "," T
         ",\"destination\":{\"protocol\":\"HTTP\",\"URI\":\"http://sandbox:1/a\\r\\nb\"}}",
         "URI path is invalid"},
        {TELEMETRY_API, "{" V "," T ",\"destination\":{\"protocol\":\"TCP\",\"port\":0}}",
         "port is invalid"},
        {TELEMETRY_API, "{" V "," T ",\"destination\":{\"protocol\":\"TCP\"}}",
         "port is not provided"},
        {TELEMETRY_API, "{" V "," T "," D ",\"buffering\":{\"maxItems\":999}}",
         "maxItems should be between 1000 and 10000"},
        {TELEMETRY_API, "{" V "," T "," D ",\"buffering\":{\"maxBytes\":\"1\",\"timeoutMs\":24}}",
         "maxBytes should be between 262144 and 1048576; timeoutMs should be between 25 and "
         "30000"},
    };
    struct telemetry_subscription sub;
    struct error err;
    size_t i;
    (void)state;

    for (i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(
            telemetry_subscription_parse(rows[i].api, str_of(rows[i].body), &sub, &err),
            -ERR_BAD_REQUEST);
        assert_string_equal(err.msg, rows[i].message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_asked_is_read),
        cmocka_unit_test(what_is_not_said_has_lambdas_defaults),
        cmocka_unit_test(all_mistakes_are_told_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
