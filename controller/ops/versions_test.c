/* SPDX-License-Identifier: Apache-2.0 */
/* Versions and aliases: numbered, not made twice, deleted; a function that goes takes all along. */
#include "controller/world_fixture.h"

static char zip[2000], other_zip[2000];

static void begin(void)
{
    need_server();
    invoker_connect();
    zip_base64("one", zip, sizeof(zip));
    zip_base64("two", other_zip, sizeof(other_zip));
}

static void active_zip(const char *name, const char *more)
{
    assert_int_equal(create_zip(name, zip, more), 201);
    wait_for(name, "State", "Active");
    world_settle();
}

static int update_code(const char *name, const char *archive, const char *more)
{
    CLEANUP(freep) char *body = str_printf("{\"ZipFile\":\"%s\"%s}", archive, more);

    return on_fn("PUT", name, "/code", "", body);
}

static int publish(const char *name)
{
    return on_fn("POST", name, "/versions", "", "{}");
}

/* How many rows ListVersionsByFunction has: $LATEST counts. */
static int count_versions(const char *name)
{
    assert_int_equal(on_fn("GET", name, "/versions", "", ""), 200);
    return cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(got.json, "Versions"));
}

static int create_alias(const char *name, const char *alias, const char *version)
{
    CLEANUP(freep)
    char *body = str_printf("{\"Name\":\"%s\",\"FunctionVersion\":\"%s\"}", alias, version);

    return on_fn("POST", name, "/aliases", "", body);
}

static void publishing_what_did_not_change_gives_the_version_there_is(void **state)
{
    (void)state;
    begin();
    active_zip("f", "");
    assert_int_equal(publish("f"), 201);
    expect("Version", "1");
    assert_int_equal(publish("f"), 201);
    expect("Version", "1");
    assert_int_equal(count_versions("f"), 2);
    assert_int_equal(update_code("f", other_zip, ""), 200);
    wait_for("f", "LastUpdateStatus", "Successful");
    assert_int_equal(publish("f"), 201);
    expect("Version", "2");
    assert_int_equal(on_fn("DELETE", "f", "", "Qualifier=2", ""), 204);
    assert_int_equal(publish("f"), 201); /* numbers are not given again */
    expect("Version", "3");
    world_check("after all");
}

static void an_update_can_publish(void **state)
{
    (void)state;
    begin();
    active_zip("f", ",\"Publish\":true");
    assert_int_equal(count_versions("f"), 2);
    assert_int_equal(update_code("f", other_zip, ",\"Publish\":true"), 200);
    expect("Version", "2");
    world_check("under way");
    wait_for("f", "LastUpdateStatus", "Successful");
    assert_int_equal(on_fn("GET", "f", "/configuration", "Qualifier=2", ""), 200);
    expect("State", "Active");
    assert_int_equal(publish("f"), 201);
    expect("Version", "2");
    world_check("after all");
}

static void an_update_that_fails_leaves_its_version_failed(void **state)
{
    struct error err;

    (void)state;
    begin();
    active_zip("f", ",\"Publish\":true");
    peer.prepare = HOLD;
    assert_int_equal(update_code("f", other_zip, ",\"Publish\":true"), 200);
    wait_until(&peer.held_len, 1);
    error_set(&err, ERR_BAD_REQUEST, "InvalidImage: broken");
    rpc_fail(peer.held[--peer.held_len], &err);
    wait_for("f", "LastUpdateStatus", "Failed");
    world_check("after the failure");
    assert_int_equal(on_fn("GET", "f", "/configuration", "Qualifier=2", ""), 200);
    expect("State", "Failed");
    assert_int_equal(on_fn("GET", "f", "/configuration", "Qualifier=1", ""), 200);
    expect("State", "Active");
    assert_int_equal(on_fn("DELETE", "f", "", "Qualifier=2", ""), 204);
    world_check("after the deletion");
    peer.prepare = ANSWER;
    assert_int_equal(update_code("f", other_zip, ",\"Publish\":true"), 200);
    expect("Version", "3");
    wait_for("f", "LastUpdateStatus", "Successful");
    world_check("after all");
}

static void a_version_that_is_deleted_while_it_is_published_stays_deleted(void **state)
{
    (void)state;
    begin();
    active_zip("f", "");
    peer.prepare = HOLD;
    assert_int_equal(update_code("f", other_zip, ",\"Publish\":true"), 200);
    expect("Version", "1");
    wait_until(&peer.held_len, 1);
    assert_int_equal(on_fn("DELETE", "f", "", "Qualifier=1", ""), 204);
    world_check("deleted");
    release_images();
    wait_for("f", "LastUpdateStatus", "Successful");
    world_check("after the change");
    assert_int_equal(count_versions("f"), 1);
    assert_int_equal(on_fn("GET", "f", "/configuration", "Qualifier=1", ""), 404);
}

static void a_version_that_an_alias_leads_to_cannot_be_deleted(void **state)
{
    (void)state;
    begin();
    active_zip("f", ",\"Publish\":true");
    assert_int_equal(create_alias("f", "live", "1"), 201);
    assert_int_equal(create_alias("f", "none", "2"), 404);
    on_fn("DELETE", "f", "", "Qualifier=1", "");
    expect_error(409, "ResourceConflictException",
                 "Unable to delete version because the following aliases reference it: [live]");
    assert_int_equal(update_code("f", other_zip, ",\"Publish\":true"), 200);
    wait_for("f", "LastUpdateStatus", "Successful");
    assert_int_equal(on_fn("PUT", "f", "/aliases/live", "",
                           "{\"FunctionVersion\":\"2\",\"RoutingConfig\":"
                           "{\"AdditionalVersionWeights\":{\"1\":0.5}}}"),
                     200);
    assert_int_equal(on_fn("DELETE", "f", "", "Qualifier=1", ""), 409); /* a weight counts */
    assert_int_equal(on_fn("DELETE", "f", "", "Qualifier=2", ""), 409);
    assert_int_equal(
        on_fn("PUT", "f", "/aliases/live", "", "{\"RoutingConfig\":{\"AdditionalVersionWeights\":{}}}"),
        200);
    assert_int_equal(on_fn("DELETE", "f", "", "Qualifier=1", ""), 204);
    assert_int_equal(on_fn("DELETE", "f", "", "Qualifier=1", ""), 204); /* gone already */
    world_check("after all");
}

static void a_function_with_nothing_reserved_for_it_can_be_deleted(void **state)
{
    (void)state;
    begin();
    active_zip("f", "");
    assert_int_equal(lambda("PUT", "/2017-10-31/functions/f/concurrency", "",
                            "{\"ReservedConcurrentExecutions\":0}"),
                     200);
    assert_int_equal(on_fn("DELETE", "f", "", "", ""), 204);
    world_check("after all");
}

static void a_function_that_is_deleted_leaves_nothing(void **state)
{
    char one[SHA256_HEX_MAX], two[SHA256_HEX_MAX];

    (void)state;
    begin();
    zip_sha256(zip, one);
    zip_sha256(other_zip, two);
    active_zip("f", ",\"Publish\":true,\"Tags\":{\"a\":\"b\"}");
    assert_int_equal(update_code("f", other_zip, ",\"Publish\":true"), 200);
    wait_for("f", "LastUpdateStatus", "Successful");
    assert_int_equal(create_alias("f", "live", "1"), 201);
    assert_true(archive_exists(one)); /* version 1 has it */
    assert_true(archive_exists(two));
    peer.prepare = HOLD;
    assert_int_equal(update_code("f", zip, ",\"Publish\":true"), 200); /* … and amid a change */
    world_check("before");
    assert_int_equal(on_fn("DELETE", "f", "", "", ""), 204);
    world_check_gone("f");
    assert_int_equal(world_number("GET", PREFIX "code_bytes"), 0);
    assert_int_equal(world_number("SCARD", PREFIX "changes"), 0);
    assert_string_equal(WORLD("KEYS", PREFIX "code:*"), "");
    assert_string_equal(WORLD("KEYS", PREFIX "fns"), "");
    archive_wait_gone(one);
    archive_wait_gone(two);
    world_check("after all");
    world_check_archives();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(publishing_what_did_not_change_gives_the_version_there_is),
        WORLD_TEST(an_update_can_publish),
        WORLD_TEST(an_update_that_fails_leaves_its_version_failed),
        WORLD_TEST(a_version_that_is_deleted_while_it_is_published_stays_deleted),
        WORLD_TEST(a_version_that_an_alias_leads_to_cannot_be_deleted),
        WORLD_TEST(a_function_with_nothing_reserved_for_it_can_be_deleted),
        WORLD_TEST(a_function_that_is_deleted_leaves_nothing),
    };

    log_begin("versions_test");
    return cmocka_run_group_tests_name("versions", tests, NULL, NULL);
}
