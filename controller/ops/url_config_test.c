/* SPDX-License-Identifier: Apache-2.0 */
/* Function URLs: made, shown, changed, listed and taken away; what is refused. */
#include "controller/controller_fixture.h"
#include "controller/store/docs.h"

#define URL "/2021-10-31/functions/"
#define ARN "arn:aws:lambda:us-east-1:000000000000:function:"
#define GONE "The resource you requested does not exist."

static const cJSON *field(const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(got.json, name);
}

/* A function with version 1 and the alias "live". */
static void function(const char *name)
{
    CLEANUP(freep) char *versions = str_printf(FN "/%s/versions", name);
    CLEANUP(freep) char *aliases = str_printf(FN "/%s/aliases", name);

    invoker_connect();
    active(name);
    assert_int_equal(lambda("POST", versions, "", "{}"), 201);
    assert_int_equal(
        lambda("POST", aliases, "", "{\"Name\":\"live\",\"FunctionVersion\":\"1\"}"), 201);
}

static unsigned counted;

static void on_counted(const struct redis_value *values, size_t len, const struct error *err,
                       void *arg)
{
    assert_null(err);
    assert_int_equal(len, 1);
    *(size_t *)arg = values[0].len / 2;
    counted++;
    loop_stop(loop);
}

/* How many URLs the index knows. */
static size_t indexed(void)
{
    struct docs_read *read = docs_read_new(c->redis, STR("000000000000"));
    unsigned before = counted;
    size_t n = 0;

    docs_read_hash(read, "urls");
    docs_read_run(read, on_counted, &n);
    wait_until(&counted, before + 1);
    return n;
}

static void a_url_lives_from_creation_to_deletion(void **state)
{
    char url[200];

    (void)state;
    need_server();
    function("web");
    assert_int_equal(lambda("POST", URL "web/url", "", "{\"AuthType\":\"NONE\"}"), 201);
    expect("AuthType", "NONE");
    expect("FunctionArn", ARN "web");
    assert_null(field("InvokeMode"));
    assert_null(field("LastModifiedTime"));
    snprintf(url, sizeof(url), "%s", member("FunctionUrl"));
    assert_int_equal(strspn(url + 7, "0123456789abcdefghijklmnopqrstuvwxyz"), 32);
    assert_string_equal(url + 39, ".lambda-url.us-east-1.localhost:9000/");

    assert_int_equal(lambda("POST", URL "web/url", "", "{\"AuthType\":\"NONE\"}"), 409);
    expect_error(409, "ResourceConflictException",
                 "Failed to create function url config for [functionArn = " ARN
                 "web]. Error message:  FunctionUrlConfig exists for this Lambda function");
    assert_int_equal(lambda("GET", URL "web/url", "", ""), 200);
    expect("InvokeMode", "BUFFERED");
    expect("FunctionUrl", url);
    assert_non_null(field("LastModifiedTime"));

    assert_int_equal(lambda("PUT", URL "web/url", "",
                            "{\"AuthType\":\"AWS_IAM\",\"Cors\":{\"AllowOrigins\":[\"*\"]}}"),
                     200);
    expect("AuthType", "AWS_IAM");
    expect("FunctionUrl", url);
    assert_null(field("InvokeMode"));
    assert_non_null(field("Cors"));
    assert_int_equal(
        lambda("PUT", URL "web/url", "", "{\"InvokeMode\":\"RESPONSE_STREAM\",\"Cors\":{}}"), 200);
    expect("InvokeMode", "RESPONSE_STREAM");
    assert_null(field("Cors"));
    assert_int_equal(indexed(), 1);
    assert_int_equal(lambda("DELETE", URL "web/url", "", ""), 204);
    assert_int_equal(lambda("GET", URL "web/url", "", ""), 404);
    expect_error(404, "ResourceNotFoundException", GONE);
    assert_int_equal(indexed(), 0);
}

static void an_alias_has_a_url_of_its_own(void **state)
{
    (void)state;
    need_server();
    function("web");
    assert_int_equal(lambda("POST", URL "web/url", "", "{\"AuthType\":\"NONE\"}"), 201);
    assert_int_equal(
        lambda("POST", URL "web/url", "Qualifier=live", "{\"AuthType\":\"AWS_IAM\"}"), 201);
    expect("FunctionArn", ARN "web:live");
    assert_int_equal(lambda("GET", URL "web:live/url", "", ""), 200);
    expect("AuthType", "AWS_IAM");

    assert_int_equal(lambda("GET", URL "web/urls", "MaxItems=1", ""), 200);
    assert_int_equal(cJSON_GetArraySize(field("FunctionUrlConfigs")), 1);
    assert_non_null(field("NextMarker"));
    assert_int_equal(lambda("GET", URL "web/urls", "", ""), 200);
    assert_int_equal(cJSON_GetArraySize(field("FunctionUrlConfigs")), 2);
    assert_null(field("NextMarker"));

    assert_int_equal(indexed(), 2);
    assert_int_equal(lambda("DELETE", FN "/web/aliases/live", "", ""), 204);
    assert_int_equal(indexed(), 1);
    assert_int_equal(lambda("DELETE", FN "/web", "", ""), 204);
    assert_int_equal(indexed(), 0);
}

static void what_is_not_there_is_refused_in_the_operations_words(void **state)
{
    static const struct {
        const char *method, *path, *query;
        int status;
        const char *type, *message;
    } cases[] = {
        {"POST", URL "no/url", "", 404, "ResourceNotFoundException", "Function does not exist"},
        {"GET", URL "no/url", "", 404, "ResourceNotFoundException", GONE},
        {"PUT", URL "no/url", "", 404, "ResourceNotFoundException", "Function does not exist"},
        {"DELETE", URL "no/url", "", 404, "ResourceNotFoundException", GONE},
        {"GET", URL "no/urls", "", 404, "ResourceNotFoundException", "Function does not exist"},
        {"POST", URL "web/url", "Qualifier=no", 404, "ResourceNotFoundException",
         "Function does not exist"},
        {"GET", URL "web/url", "Qualifier=no", 404, "ResourceNotFoundException", GONE},
        {"PUT", URL "web/url", "Qualifier=no", 404, "ResourceNotFoundException",
         "Function does not exist"},
        {"DELETE", URL "web/url", "Qualifier=no", 404, "ResourceNotFoundException", GONE},
        {"PUT", URL "web/url", "", 404, "ResourceNotFoundException", GONE},
        {"GET", URL ARN "web:live/url", "Qualifier=other", 400, "InvalidParameterValueException",
         "The derived qualifier from the function name does not match the specified qualifier."},
        {"GET", URL "web/url", "Qualifier=1", 400, "ValidationException",
         "1 validation error detected: Value '1' at 'qualifier' failed to satisfy constraint: "
         "Member must satisfy regular expression pattern: ((?!^\\d+$)^[0-9a-zA-Z-_]+$)"},
        {"GET", URL "web/url", "Qualifier=$LATEST", 400, "ValidationException",
         "1 validation error detected: Value '$LATEST' at 'qualifier' failed to satisfy constraint: "
         "Member must satisfy regular expression pattern: ((?!^\\d+$)^[0-9a-zA-Z-_]+$)"},
    };
    size_t i;

    (void)state;
    need_server();
    function("web");
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        const char *body = cases[i].method[0] == 'P' ? "{\"AuthType\":\"NONE\"}" : "";

        lambda(cases[i].method, cases[i].path, cases[i].query, body);
        expect_error(cases[i].status, cases[i].type, cases[i].message);
    }
    lambda("POST", URL "web/url", "",
           "{\"AuthType\":\"NONE\",\"Cors\":{\"AllowMethods\":[\"BREW\"]}}");
    assert_int_equal(got.status, 400);
}

static void the_domain_is_a_setting(void **state)
{
    static const struct {
        const char *domain, *scheme, *end;
    } cases[] = {
        {"fn.example.com", "http://", ".lambda-url.us-east-1.fn.example.com:9000/"},
        {"fn.example.com:8080", "http://", ".lambda-url.us-east-1.fn.example.com:8080/"},
        {"https://fn.example.com", "https://", ".lambda-url.us-east-1.fn.example.com/"},
    };
    size_t i;

    (void)state;
    need_server();
    function("web");
    assert_int_equal(lambda("POST", URL "web/url", "", "{\"AuthType\":\"NONE\"}"), 201);
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        free(config.url_domain);
        config.url_domain = str_dup(str_of(cases[i].domain));
        assert_int_equal(lambda("GET", URL "web/url", "", ""), 200);
        assert_true(str_starts(str_of(member("FunctionUrl")), str_of(cases[i].scheme)));
        assert_true(str_ends(str_of(member("FunctionUrl")), str_of(cases[i].end)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(a_url_lives_from_creation_to_deletion),
        LIVE(an_alias_has_a_url_of_its_own),
        LIVE(what_is_not_there_is_refused_in_the_operations_words),
        LIVE(the_domain_is_a_setting),
    };

    log_begin("url_config_test");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
