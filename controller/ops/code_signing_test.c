/* SPDX-License-Identifier: Apache-2.0 */
/* Code signing configurations and the functions that name them. */
#include "controller/ops/code_signing.h"
#include "controller/code/code_verify.h"
#include "controller/controller_fixture.h"

#define CSC "/2020-04-22/code-signing-configs"
#define OF_FN "/2020-06-30/functions/"
#define PROFILE "arn:aws:signer:us-east-1:000000000000:/signing-profiles/test"
#define PUBLISHERS "\"AllowedPublishers\":{\"SigningProfileVersionArns\":[\"" PROFILE "\"]}"
#define NOBODY "arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-0123456789abcdef0"

static char arn[128];

static const cJSON *config_json(void)
{
    return cJSON_GetObjectItemCaseSensitive(got.json, "CodeSigningConfig");
}

static void create(const char *rest)
{
    CLEANUP(freep) char *body = str_printf("{" PUBLISHERS "%s}", rest);

    assert_int_equal(lambda("POST", CSC, "", body), 201);
    snprintf(arn, sizeof(arn), "%.*s", STR_ARG(cjson_str(config_json(), "CodeSigningConfigArn")));
}

static int with(const char *method, const char *tail, const char *body)
{
    CLEANUP(freep) char *path = str_printf(CSC "/%s%s", arn, tail);

    return lambda(method, path, "", body);
}

static int put_on(const char *name, const char *config_arn)
{
    CLEANUP(freep) char *path = str_printf(OF_FN "%s/code-signing-config", name);
    CLEANUP(freep) char *body = str_printf("{\"CodeSigningConfigArn\":\"%s\"}", config_arn);

    return lambda("PUT", path, "", body);
}

static int count(const char *name)
{
    return cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(got.json, name));
}

static void a_configuration_lives_from_creation_to_deletion(void **state)
{
    struct str id;

    (void)state;
    need_server();
    create(",\"Description\":\"d\","
           "\"CodeSigningPolicies\":{\"UntrustedArtifactOnDeployment\":\"Enforce\"}");
    id = cjson_str(config_json(), "CodeSigningConfigId");
    assert_int_equal(id.len, 21);
    assert_true(str_eq(code_signing_id(str_of(arn)), id));
    assert_true(code_signing_is_enforced(config_json()));
    assert_int_equal(cJSON_GetArraySize(code_signing_profiles(config_json())), 1);
    assert_int_equal(
        with("PUT", "", "{\"CodeSigningPolicies\":{\"UntrustedArtifactOnDeployment\":\"Warn\"}}"),
        200);
    assert_false(code_signing_is_enforced(config_json()));
    assert_int_equal(with("GET", "", ""), 200);
    assert_true(str_is(cjson_str(config_json(), "Description"), "d"));
    assert_false(code_signing_is_enforced(config_json()));
    assert_int_equal(with("GET", "/functions", ""), 200);
    assert_int_equal(count("FunctionArns"), 0);
    assert_int_equal(with("DELETE", "", ""), 204);
    assert_int_equal(with("GET", "", ""), 404);
}

static void configurations_are_listed_in_pages(void **state)
{
    CLEANUP(freep) char *marker = NULL;

    (void)state;
    need_server();
    create("");
    create("");
    create("");
    assert_int_equal(lambda("GET", CSC, "MaxItems=2", ""), 200);
    assert_int_equal(count("CodeSigningConfigs"), 2);
    marker = str_printf("Marker=%s", member("NextMarker"));
    assert_int_equal(lambda("GET", CSC, marker, ""), 200);
    assert_int_equal(count("CodeSigningConfigs"), 1);
    expect("NextMarker", "");
}

static void functions_name_a_configuration(void **state)
{
    char first[128];

    (void)state;
    need_server();
    invoker_connect();
    active("f");
    active("g");
    create("");
    snprintf(first, sizeof(first), "%s", arn);
    create("");
    assert_int_equal(lambda("GET", OF_FN "f/code-signing-config", "", ""), 200);
    expect("CodeSigningConfigArn", "");
    assert_int_equal(put_on("f", first), 200);
    expect("CodeSigningConfigArn", first);
    expect("FunctionName", "f");
    assert_int_equal(put_on("g", arn), 200);
    assert_int_equal(put_on("f", arn), 200);
    assert_int_equal(lambda("GET", OF_FN "f/code-signing-config", "", ""), 200);
    expect("CodeSigningConfigArn", arn);
    assert_int_equal(with("GET", "/functions", ""), 200);
    assert_int_equal(count("FunctionArns"), 2);
    assert_int_equal(with("DELETE", "", ""), 409);
    assert_int_equal(lambda("DELETE", OF_FN "f/code-signing-config", "", ""), 204);
    assert_int_equal(lambda("DELETE", OF_FN "f/code-signing-config", "", ""), 204);
    assert_int_equal(lambda("DELETE", FN "/g", "", ""), 204);
    assert_int_equal(with("GET", "/functions", ""), 200);
    assert_int_equal(count("FunctionArns"), 0);
    assert_int_equal(with("DELETE", "", ""), 204);
}

static void what_is_not_there_is_refused(void **state)
{
    (void)state;
    need_server();
    invoker_connect();
    active("f");
    create("");
    snprintf(arn, sizeof(arn), "%s", NOBODY);
    assert_int_equal(with("GET", "", ""), 404);
    expect_error(404, "ResourceNotFoundException",
                 "The Lambda code signing configuration " NOBODY " can not be found.");
    assert_int_equal(with("PUT", "", "{}"), 404);
    assert_int_equal(with("DELETE", "", ""), 404);
    assert_int_equal(with("GET", "/functions", ""), 404);
    assert_int_equal(put_on("f", NOBODY), 404);
    expect_error(404, "CodeSigningConfigNotFoundException",
                 "The code signing configuration cannot be found. Check that the provided "
                 "configuration is not deleted: " NOBODY ".");
    create("");
    assert_int_equal(put_on("no", arn), 404);
    expect_error(404, "ResourceNotFoundException",
                 "Function not found: arn:aws:lambda:us-east-1:000000000000:function:no");
}

/* ---- archives ---- */

/* zip of "a.py" with "x" in it, as base64: it has no signature */
#define UNSIGNED                                                                                   \
    "UEsDBBQAAAAAAAAAIQCDFtyMAQAAAAEAAAAEAAAAYS5weXhQSwECFAMUAAAAAAAAACEAgxbcjAEAAAAB" \
    "AAAABAAAAAAAAAAAAAAAgAEAAAAAYS5weVBLBQYAAAAAAQABADIAAAAjAAAAAAA="

static struct {
    unsigned count;
    enum error_code code;
    struct code_pin pin;
} did;

static void on_added(const struct code_pin *pin, const struct error *err, void *arg)
{
    (void)arg;
    assert_null(err);
    did.pin = *pin;
    did.count++;
    loop_stop(loop);
}

static void on_verified(const struct error *err, void *arg)
{
    (void)arg;
    did.code = err ? err->code : ERR_OK;
    did.count++;
    loop_stop(loop);
}

static enum error_code verify(const char *config_arn)
{
    unsigned before = did.count;

    code_verify(c, STR("000000000000"), str_of(config_arn), &did.pin, STR("f"), on_verified,
                NULL);
    wait_until(&did.count, before + 1);
    return did.code;
}

static void what_is_not_signed_is_refused_or_logged(void **state)
{
    unsigned before = did.count;

    (void)state;
    need_server();
    code_store_add(c->store, str_dup(STR(UNSIGNED)), on_added, NULL);
    wait_until(&did.count, before + 1);
    create("");
    assert_int_equal(verify(arn), ERR_OK);
    create(",\"CodeSigningPolicies\":{\"UntrustedArtifactOnDeployment\":\"Enforce\"}");
    assert_int_equal(verify(arn), ERR_CODE_UNVERIFIED);
    assert_int_equal(verify(NOBODY), ERR_NO_CODE_SIGNING);
}

static int create_zip(const char *name, const char *config_arn)
{
    CLEANUP(freep)
    char *body = str_printf("{\"FunctionName\":\"%s\",\"Runtime\":\"python3.13\"," ROLE
                            ",\"Handler\":\"a.b\",\"Code\":{\"ZipFile\":\"%s\"},"
                            "\"CodeSigningConfigArn\":\"%s\"}",
                            name, UNSIGNED, config_arn);

    return lambda("POST", FN, "", body);
}

static void archives_are_held_against_the_configuration(void **state)
{
    char lenient[128];

    (void)state;
    need_server();
    invoker_connect();
    create("");
    snprintf(lenient, sizeof(lenient), "%s", arn);
    create(",\"CodeSigningPolicies\":{\"UntrustedArtifactOnDeployment\":\"Enforce\"}");
    assert_int_equal(create_zip("f", NOBODY), 404);
    assert_string_equal(got.error_type, "CodeSigningConfigNotFoundException");
    assert_int_equal(create_zip("f", arn), 400);
    assert_string_equal(got.error_type, "CodeVerificationFailedException");
    assert_int_equal(create_zip("f", lenient), 201);
    wait_for("f", "State", "Active");
    assert_int_equal(lambda("GET", OF_FN "f/code-signing-config", "", ""), 200);
    expect("CodeSigningConfigArn", lenient);

    assert_int_equal(lambda("PUT", FN "/f/code", "", "{\"ZipFile\":\"" UNSIGNED "\"}"), 200);
    wait_for("f", "LastUpdateStatus", "Successful");
    assert_int_equal(put_on("f", arn), 200);
    assert_int_equal(lambda("PUT", FN "/f/code", "", "{\"ZipFile\":\"" UNSIGNED "\"}"), 400);
    assert_string_equal(got.error_type, "CodeVerificationFailedException");
    assert_int_equal(with("GET", "/functions", ""), 200);
    assert_int_equal(count("FunctionArns"), 1);
    assert_int_equal(lambda("DELETE", FN "/f", "", ""), 204);
    assert_int_equal(with("GET", "/functions", ""), 200);
    assert_int_equal(count("FunctionArns"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(a_configuration_lives_from_creation_to_deletion),
        LIVE(configurations_are_listed_in_pages),
        LIVE(functions_name_a_configuration),
        LIVE(what_is_not_there_is_refused),
        LIVE(what_is_not_signed_is_refused_or_logged),
        LIVE(archives_are_held_against_the_configuration),
    };

    log_begin("code_signing_test");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
