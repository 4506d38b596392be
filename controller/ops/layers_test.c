/* SPDX-License-Identifier: Apache-2.0 */
/* Layer versions: names, numbers that are not given again, archives that stay as long as they are used. */
#include "controller/ops/layers.h"
#include "controller/world_fixture.h"

#define LAYERS "/2018-10-31/layers"
#define ARN "arn:aws:lambda:us-east-1:000000000000:layer:"

static char zip[2000], other_zip[2000];

static void begin(void)
{
    need_server();
    invoker_connect();
    zip_base64("one", zip, sizeof(zip));
    zip_base64("two", other_zip, sizeof(other_zip));
}

static int publish(const char *layer, const char *archive)
{
    CLEANUP(freep) char *path = str_printf(LAYERS "/%s/versions", layer);
    CLEANUP(freep) char *body = str_printf("{\"Content\":{\"ZipFile\":\"%s\"}}", archive);

    return lambda("POST", path, "", body);
}

static double published(const char *layer, const char *archive)
{
    assert_int_equal(publish(layer, archive), 201);
    return cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(got.json, "Version"));
}

static int on_version(const char *method, const char *layer, unsigned version)
{
    CLEANUP(freep) char *path = str_printf(LAYERS "/%s/versions/%u", layer, version);

    return lambda(method, path, "", "");
}

static void names_and_arns_are_read(void **state)
{
    static const struct {
        const char *text, *name;
        unsigned version;
        int r;
    } cases[] = {
        {"utils", "utils", 0, 0},
        {ARN "utils", "utils", 0, 0},
        {ARN "utils:7", "utils", 7, 0},
        {ARN "utils:x", "", 0, -ERR_NOT_FOUND},
        {"arn:aws:lambda:us-east-2:000000000000:layer:utils", "", 0, -ERR_NOT_FOUND},
        {"arn:aws:lambda:us-east-1:111111111111:layer:utils", "", 0, -ERR_NOT_FOUND},
        {"arn:aws:lambda:us-east-1:000000000000:function:utils", "", 0, -ERR_NOT_FOUND},
        {"arn:aws", "", 0, -ERR_NOT_FOUND},
    };
    const struct fn_home home = {STR("000000000000"), STR("us-east-1")};
    CLEANUP(freep) char *arn = layer_arn(&home, STR("utils"), 0);
    CLEANUP(freep) char *version_arn = layer_arn(&home, STR("utils"), 3);
    struct layer_name name;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(layer_name_parse(str_of(cases[i].text), &home, &name, NULL), cases[i].r);
        if (cases[i].r < 0)
            continue;
        assert_true(str_is(name.name, cases[i].name));
        assert_int_equal(name.version, cases[i].version);
    }
    assert_string_equal(arn, ARN "utils");
    assert_string_equal(version_arn, ARN "utils:3");
}

static void numbers_are_never_given_again(void **state)
{
    (void)state;
    begin();
    assert_true(published("l", zip) == 1);
    assert_true(published("l", zip) == 2); /* the same archive, another version */
    assert_true(published("other", zip) == 1);
    assert_int_equal(on_version("DELETE", "l", 2), 204);
    assert_int_equal(on_version("DELETE", "l", 2), 204);
    assert_int_equal(on_version("GET", "l", 2), 404);
    assert_true(published("l", zip) == 3);
    assert_int_equal(on_version("DELETE", "l", 1), 204);
    assert_int_equal(on_version("DELETE", "l", 3), 204);
    assert_true(published("l", zip) == 4);
    world_check("after all");
}

static void publishers_at_the_same_time_get_different_numbers(void **state)
{
    unsigned before, i;
    double next;

    (void)state;
    begin();
    before = got.count;
    for (i = 0; i < 8; i++) {
        CLEANUP(freep) char *body = str_printf("{\"Content\":{\"ZipFile\":\"%s\"}}", zip);
        cJSON *args = cJSON_CreateObject();

        cJSON_AddStringToObject(args, "method", "POST");
        cJSON_AddStringToObject(args, "path", LAYERS "/l/versions");
        cJSON_AddStringToObject(args, "query", "");
        cJSON_AddStringToObject(args, "account", "000000000000");
        cJSON_AddStringToObject(args, "request_id", "r");
        cJSON_AddStringToObject(args, "endpoint", "");
        rpc_call(gateway, "lambda", args, str_of(body), WAIT_US, on_answer, NULL);
        cJSON_Delete(args);
    }
    wait_until(&got.count, before + 8);
    assert_int_equal(world_number("HLEN", PREFIX "layer:l"), 8);
    next = published("l", zip);
    assert_true(next == 9);
    world_check("after all");
}

static void a_deleted_version_stays_with_the_functions_that_have_it(void **state)
{
    char sha256[SHA256_HEX_MAX];

    (void)state;
    begin();
    zip_sha256(other_zip, sha256);
    published("l", other_zip);
    assert_int_equal(create_zip("f", zip, ",\"Layers\":[\"" ARN "l:1\"]"), 201);
    wait_for("f", "State", "Active");
    assert_int_equal(on_version("DELETE", "l", 1), 204);
    world_settle();
    world_check("deleted");
    assert_true(archive_exists(sha256));
    assert_int_equal(on_fn("PUT", "f", "/configuration", "", "{\"MemorySize\":256}"), 200);
    wait_for("f", "LastUpdateStatus", "Successful"); /* it keeps what it has */
    assert_int_equal(on_fn("POST", "f", "/versions", "", "{}"), 201);
    create_zip("g", zip, ",\"Layers\":[\"" ARN "l:1\"]");
    expect_error(400, "InvalidParameterValueException",
                 "Layer version " ARN "l:1 does not exist.");
    on_fn("PUT", "f", "/configuration", "", "{\"Layers\":[\"" ARN "l:1\",\"" ARN "l:2\"]}");
    assert_int_equal(got.status, 400);
    assert_int_equal(on_fn("PUT", "f", "/configuration", "", "{\"Layers\":[]}"), 200);
    wait_for("f", "LastUpdateStatus", "Successful");
    world_settle();
    assert_true(archive_exists(sha256)); /* version 1 has it */
    assert_int_equal(on_fn("DELETE", "f", "", "Qualifier=1", ""), 204);
    archive_wait_gone(sha256);
    world_check("after all");
    world_check_archives();
}

static void an_archive_is_kept_by_layer_function_and_version(void **state)
{
    char sha256[SHA256_HEX_MAX];
    unsigned i;

    (void)state;
    begin();
    zip_sha256(zip, sha256);
    published("l", zip);
    published("l", zip);
    assert_int_equal(create_zip("f", zip, ",\"Publish\":true"), 201); /* its code as well */
    wait_for("f", "State", "Active");
    world_settle();
    for (i = 0; i < 4; i++) { /* one after the other lets go */
        world_check("on the way");
        assert_true(archive_exists(sha256));
        if (i == 0)
            assert_int_equal(on_version("DELETE", "l", 1), 204);
        else if (i == 1)
            assert_int_equal(on_fn("DELETE", "f", "", "Qualifier=1", ""), 204);
        else if (i == 2)
            assert_int_equal(on_fn("DELETE", "f", "", "", ""), 204);
        else
            assert_int_equal(on_version("DELETE", "l", 2), 204);
        world_check_archives();
    }
    assert_false(archive_exists(sha256));
    assert_int_equal(world_number("GET", PREFIX "code_bytes"), 0);
}

static void what_a_died_controller_left_is_removed_by_the_next(void **state)
{
    CLEANUP(freep) char *folder = NULL, *orphan = NULL;

    (void)state;
    begin();
    published("l", zip); /* so that the registry is one that was in use */
    folder = str_printf("%s/code/aa", config.data_dir);
    orphan = str_printf("%s/" DIGEST ".zip", folder);
    dir_make(folder, 0700, NULL);
    assert_int_equal(file_write_atomic(orphan, STR("x"), 0600, NULL), 0);
    link_free(gateway);
    link_free(invoker);
    invoker = NULL;
    controller_free(c);
    controller_start();
    gateway_connect();
    archive_wait_gone(DIGEST);
    world_check_archives();
}

static void an_empty_registry_removes_no_archive(void **state)
{
    CLEANUP(freep) char *folder = NULL, *orphan = NULL;
    unsigned i;

    (void)state;
    need_server();
    folder = str_printf("%s/code/aa", config.data_dir);
    orphan = str_printf("%s/" DIGEST ".zip", folder);
    dir_make(folder, 0700, NULL);
    assert_int_equal(file_write_atomic(orphan, STR("x"), 0600, NULL), 0);
    link_free(gateway);
    controller_free(c);
    controller_start();
    gateway_connect();
    for (i = 0; i < 50; i++)
        lambda("GET", FN, "", "");
    assert_true(archive_exists(DIGEST)); /* another Redis may be to blame */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_arns_are_read),
        WORLD_TEST(numbers_are_never_given_again),
        WORLD_TEST(publishers_at_the_same_time_get_different_numbers),
        WORLD_TEST(a_deleted_version_stays_with_the_functions_that_have_it),
        WORLD_TEST(an_archive_is_kept_by_layer_function_and_version),
        WORLD_TEST(what_a_died_controller_left_is_removed_by_the_next),
        WORLD_TEST(an_empty_registry_removes_no_archive),
    };

    log_begin("layers_test");
    return cmocka_run_group_tests_name("layers", tests, NULL, NULL);
}
