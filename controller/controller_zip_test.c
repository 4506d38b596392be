/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of archives: kept as long as they are used, served, refused. */
#include "controller/code/code_url.h"
#include "controller/controller_fixture.h"
#include "controller/zip_fixture.h"

static int create_zip(const char *name, const char *zip)
{
    CLEANUP(freep)
    char *body = str_printf(
        "{\"FunctionName\":\"%s\",\"Runtime\":\"python3.13\",\"Handler\":\"app.h\"," ROLE
        ",\"Code\":{\"ZipFile\":\"%s\"}}",
        name, zip);

    return lambda("POST", FN, "", body);
}

/* The hash that the specification of @name has. */
static void archive_of(const char *name, char ret[80])
{
    fn_call(invoker, "version.get", name, route(name, "Active"));
    assert_int_equal(got.code, ERR_OK);
    snprintf(ret, 80, "%.*s", STR_ARG(cjson_str(got.ok, "code_sha256")));
    assert_int_equal(strlen(ret), 64);
}

static void an_archive_lives_as_long_as_a_function_uses_it(void **state)
{
    char zip[2000], other[2000], sha256[80];
    struct buf bytes = BUF_INIT(4096);
    cJSON *args;

    (void)state;
    need_server();
    zip_base64("one", zip, sizeof(zip));
    zip_base64("two", other, sizeof(other));
    invoker_connect();
    assert_int_equal(create_zip("a", zip), 201);
    expect("PackageType", "Zip");
    assert_int_equal(create_zip("b", zip), 201);
    wait_for("a", "State", "Active");
    wait_for("b", "State", "Active");
    assert_int_equal(peer.codes, 2);
    archive_of("a", sha256);
    assert_true(archive_exists(sha256));
    args = cJSON_CreateObject();
    cJSON_AddStringToObject(args, "sha256", sha256);
    ask(invoker, "code.get", args, STR_NULL);
    base64_decode(&bytes, str_of(zip));
    assert_true(str_eq(buf_str(&bytes), buf_str(&got.body)));
    buf_done(&bytes);

    assert_int_equal(lambda("DELETE", FN "/a", "", ""), 204);
    assert_int_equal(create_zip("c", other), 201);
    assert_true(archive_exists(sha256)); /* b has it */
    {
        CLEANUP(freep) char *body = str_printf("{\"ZipFile\":\"%s\"}", other);

        assert_int_equal(lambda("PUT", FN "/b/code", "", body), 200);
    }
    assert_true(archive_exists(sha256)); /* it serves until the update is through */
    wait_for("b", "LastUpdateStatus", "Successful");
    archive_wait_gone(sha256);
    archive_of("b", sha256);
    assert_int_equal(lambda("DELETE", FN "/b", "", ""), 204);
    wait_for("c", "State", "Active");
    assert_true(archive_exists(sha256));
    assert_int_equal(lambda("DELETE", FN "/c", "", ""), 204);
    archive_wait_gone(sha256);
}

static void a_failed_update_gives_its_archive_back(void **state)
{
    char zip[2000], other[2000], old[80], sha256[80];

    (void)state;
    need_server();
    zip_base64("one", zip, sizeof(zip));
    zip_base64("two", other, sizeof(other));
    invoker_connect();
    assert_int_equal(create_zip("z", zip), 201);
    wait_for("z", "State", "Active");
    archive_of("z", old);
    peer.prepare = HOLD;
    {
        CLEANUP(freep) char *body = str_printf("{\"ZipFile\":\"%s\"}", other);
        struct error err;

        assert_int_equal(lambda("PUT", FN "/z/code", "", body), 200);
        wait_until(&peer.held_len, 1);
        error_set(&err, ERR_BAD_REQUEST, "InvalidImage: broken");
        rpc_fail(peer.held[--peer.held_len], &err);
    }
    wait_for("z", "LastUpdateStatus", "Failed");
    expect("LastUpdateStatusReasonCode", "InvalidRuntime");
    archive_of("z", sha256);
    assert_string_equal(sha256, old);
    assert_true(archive_exists(old));
}

static unsigned total_code_size(void)
{
    assert_int_equal(lambda("GET", "/2016-08-19/account-settings", "", ""), 200);
    return (unsigned)cJSON_GetNumberValue(cJSON_GetObjectItem(
        cJSON_GetObjectItem(got.json, "AccountUsage"), "TotalCodeSize"));
}

static void an_account_has_room_for_so_much_code(void **state)
{
    char zip[2000], other[2000];
    unsigned one;

    (void)state;
    need_server();
    zip_base64("one", zip, sizeof(zip));
    zip_base64("a longer one", other, sizeof(other));
    invoker_connect();
    assert_int_equal(create_zip("a", zip), 201);
    wait_for("a", "State", "Active");
    one = total_code_size();
    config.code_storage_max = one * 2;
    assert_int_equal(lambda("POST", FN "/a/versions", "", "{}"), 201);
    assert_int_equal(total_code_size(), 2 * one);
    assert_int_equal(create_zip("b", zip), 400);
    expect_error(400, "CodeStorageExceededException", "Code storage limit exceeded.");
    assert_int_equal(lambda("GET", FN "/b", "", ""), 404);
    {
        CLEANUP(freep) char *body = str_printf("{\"ZipFile\":\"%s\"}", other);

        assert_int_equal(lambda("PUT", FN "/a/code", "", body), 400);
        assert_string_equal(got.error_type, "CodeStorageExceededException");
    }
    /* what takes no more room goes on */
    assert_int_equal(lambda("PUT", FN "/a/configuration", "", "{\"Timeout\":9}"), 200);
    wait_for("a", "LastUpdateStatus", "Successful");
    assert_int_equal(total_code_size(), 2 * one);
    assert_int_equal(lambda("POST", FN "/a/versions", "", "{}"), 400);
    assert_int_equal(lambda("DELETE", FN "/a", "Qualifier=1", ""), 204);
    assert_int_equal(create_zip("b", zip), 201);
}

static void archives_that_are_none_are_refused(void **state)
{
    (void)state;
    need_server();
    create_zip("bad", "bm8gemlwIGF0IGFsbC4gbm8gemlwIGF0IGFsbA==");
    expect_error(
        400, "InvalidParameterValueException",
        "Could not unzip uploaded file. Please check your file, then try to upload again.");
    create_zip("empty", "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==");
    expect_error(400, "InvalidParameterValueException", "Uploaded file must be a non-empty zip");
    assert_int_equal(lambda("GET", FN "/bad", "", ""), 404);
}

static unsigned archives_kept(void)
{
    CLEANUP(freep)
    char *script = str_printf("find %s/code -name '*.zip' | wc -l", config.data_dir);
    FILE *p = popen(script, "r");
    unsigned n = 0;

    assert_non_null(p);
    assert_int_equal(fscanf(p, "%u", &n), 1);
    pclose(p);
    return n;
}

static void expect_over_the_limit(void)
{
    expect_error(400, "CodeStorageExceededException", "Code storage limit exceeded.");
}

static void an_account_has_no_more_code_than_its_limit(void **state)
{
    char zip[2000], other[2000], longer[2000];
    uint64_t end = now_us() + WAIT_US;

    (void)state;
    need_server();
    zip_base64("one", zip, sizeof(zip));
    zip_base64("two", other, sizeof(other));
    zip_base64("three", longer, sizeof(longer));
    CLEANUP(freep) char *update = str_printf("{\"ZipFile\":\"%s\"}", other);
    CLEANUP(freep) char *grow = str_printf("{\"ZipFile\":\"%s\"}", longer);
    CLEANUP(freep) char *dry = str_printf("{\"ZipFile\":\"%s\",\"DryRun\":true}", longer);
    CLEANUP(freep) char *layer = str_printf("{\"Content\":{\"ZipFile\":\"%s\"}}", other);

    invoker_connect();
    assert_int_equal(create_zip("a", zip), 201);
    config.code_storage_max = (uint64_t)cJSON_GetNumberValue(
        cJSON_GetObjectItemCaseSensitive(got.json, "CodeSize"));
    wait_for("a", "State", "Active");
    create_zip("b", other);
    expect_over_the_limit();
    create_zip("b", zip); /* each function counts, also of the same archive */
    expect_over_the_limit();
    lambda("POST", "/2018-10-31/layers/l/versions", "", layer);
    expect_over_the_limit();
    lambda("PUT", FN "/a/code", "", grow);
    expect_over_the_limit();
    lambda("PUT", FN "/a/code", "", dry);
    expect_over_the_limit();
    assert_int_equal(lambda("PUT", FN "/a/code", "", update), 200); /* in place of the old one */
    wait_for("a", "LastUpdateStatus", "Successful");
    while (archives_kept() != 1) { /* what was refused has gone, and what was replaced */
        assert_true(now_us() < end);
        lambda("GET", FN, "", "");
    }
    assert_int_equal(lambda("DELETE", FN "/a", "", ""), 204);
    assert_int_equal(lambda("POST", "/2018-10-31/layers/l/versions", "", layer), 201);
    create_zip("b", zip);
    expect_over_the_limit();
    assert_int_equal(lambda("DELETE", "/2018-10-31/layers/l/versions/1", "", ""), 204);
    assert_int_equal(create_zip("b", zip), 201);
}

static void code_in_a_store_needs_a_store(void **state)
{
    static const char why[] =
        "S3Bucket: this Hearth has no object store to fetch code from. Set HEARTH_S3_ENDPOINT, or "
        "send the archive itself as ZipFile.";

    (void)state;
    need_server();
    lambda("POST", FN, "",
           "{\"FunctionName\":\"s\",\"Runtime\":\"python3.13\",\"Handler\":\"app.h\"," ROLE
           ",\"Code\":{\"S3Bucket\":\"bucket\",\"S3Key\":\"key\"}}");
    expect_error(400, "InvalidParameterValueException", why);
    lambda("POST", "/2018-10-31/layers/l/versions", "",
           "{\"Content\":{\"S3Bucket\":\"bucket\",\"S3Key\":\"key\"}}");
    expect_error(400, "InvalidParameterValueException", why);
}

static void the_link_of_get_function_downloads_the_archive(void **state)
{
    char zip[2000], sha256[80];
    const char *location, *at;
    cJSON *args;

    (void)state;
    need_server();
    zip_base64("one", zip, sizeof(zip));
    invoker_connect();
    assert_int_equal(create_zip("z", zip), 201);
    wait_for("z", "State", "Active");
    archive_of("z", sha256);
    assert_int_equal(lambda("GET", FN "/z", "", ""), 200);
    location = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(
        cJSON_GetObjectItemCaseSensitive(got.json, "Code"), "Location"));
    assert_non_null(location);
    assert_true(str_starts(str_of(location), STR("http://127.0.0.1:9000/_hearth/v1/code/")));
    args = cJSON_CreateObject();
    cJSON_AddStringToObject(args, "sha256", sha256);
    at = strstr(location, "expires=");
    cJSON_AddNumberToObject(args, "expires", (double)strtoull(at + 8, NULL, 10));
    at = strstr(location, "signature=");
    cJSON_AddStringToObject(args, "signature", at + 10);
    ask(gateway, "code.download", cJSON_Duplicate(args, 1), STR_NULL);
    assert_int_equal(got.code, ERR_OK);
    assert_true(got.body.len > 0);
    cJSON_ReplaceItemInObject(args, "expires", cJSON_CreateNumber(4000000000.0));
    ask(gateway, "code.download", args, STR_NULL);
    assert_int_equal(got.code, ERR_ACCESS_DENIED);
}

static void a_link_is_good_for_ten_minutes_and_for_one_archive(void **state)
{
    static const unsigned char bytes[SEAL_KEY_BYTES] = {7};
    struct str sha256 = STR(DIGEST), signature, other;
    struct seal_key key;
    struct error err;
    char *url;

    (void)state;
    seal_key_init(&key, bytes);
    url = code_url_new(&key, "http://h", DIGEST, 1000);
    signature = str_of(strstr(url, "signature=") + 10);
    assert_non_null(strstr(url, "expires=1600&"));
    assert_int_equal(code_url_check(&key, sha256, 1600, signature, 1600, &err), 0);
    assert_int_equal(code_url_check(&key, sha256, 1600, signature, 1601, &err), -ERR_ACCESS_DENIED);
    assert_int_equal(code_url_check(&key, sha256, 1700, signature, 1000, &err), -ERR_ACCESS_DENIED);
    other = str_sub(sha256, 1, sha256.len);
    assert_int_equal(code_url_check(&key, other, 1600, signature, 1000, &err), -ERR_ACCESS_DENIED);
    other = str_sub(signature, 0, 10);
    assert_int_equal(code_url_check(&key, sha256, 1600, other, 1000, &err), -ERR_ACCESS_DENIED);
    free(url);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(an_archive_lives_as_long_as_a_function_uses_it),
        LIVE(a_failed_update_gives_its_archive_back),
        LIVE(an_account_has_room_for_so_much_code),
        LIVE(archives_that_are_none_are_refused),
        LIVE(an_account_has_no_more_code_than_its_limit),
        LIVE(code_in_a_store_needs_a_store),
        LIVE(the_link_of_get_function_downloads_the_archive),
        cmocka_unit_test(a_link_is_good_for_ten_minutes_and_for_one_archive),
    };

    log_begin("controller_zip_test");
    return cmocka_run_group_tests_name("controller_zip", tests, NULL, NULL);
}
