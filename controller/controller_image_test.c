/* SPDX-License-Identifier: Apache-2.0 */
/* What a function's image is, is known before the client is answered, and stays so. */
#include "controller/controller_fixture.h"

#define OTHER "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define ECR_DENIED                                                                                 \
    "Lambda does not have permission to access the ECR image. Check the ECR permissions."

static void expect_image(const char *name, const char *resolved)
{
    char path[200];

    snprintf(path, sizeof(path), FN "/%s", name);
    assert_int_equal(lambda("GET", path, "", ""), 200);
    assert_true(
        str_is(cjson_str(cJSON_GetObjectItemCaseSensitive(got.json, "Code"), "ResolvedImageUri"),
               resolved));
}

static int update(const char *name, const char *more)
{
    char path[200], body[300];

    snprintf(path, sizeof(path), FN "/%s/code", name);
    snprintf(body, sizeof(body), "{\"ImageUri\":\"127.0.0.1:5000/%s:1\"%s}", name, more);
    return lambda("PUT", path, "", body);
}

static void the_digest_is_in_the_answers_of_create_and_update(void **state)
{
    (void)state;
    need_server();
    invoker_connect();
    assert_int_equal(create_image("told"), 201);
    expect("CodeSha256", DIGEST);
    expect("State", "Pending");
    wait_for("told", "State", "Active");
    assert_int_equal(peer.resolves, 1);

    snprintf(peer.digest, sizeof(peer.digest), OTHER);
    assert_int_equal(update("told", ",\"DryRun\":true"), 200);
    expect("CodeSha256", OTHER);
    configuration("told");
    expect("CodeSha256", DIGEST);

    assert_int_equal(update("told", ",\"Publish\":true"), 200);
    expect("CodeSha256", OTHER);
    expect("Version", "1");
    wait_for("told", "LastUpdateStatus", "Successful");
    expect("CodeSha256", OTHER);
    assert_int_equal(peer.resolves, 3);
    assert_int_equal(lambda("GET", FN "/told/configuration", "Qualifier=1", ""), 200);
    expect("CodeSha256", OTHER);
}

static void a_tag_that_moves_changes_nothing_until_the_code_is_updated(void **state)
{
    (void)state;
    need_server();
    invoker_connect();
    peer.prepare = HOLD;
    assert_int_equal(create_image("moving"), 201);
    wait_until(&peer.images, 1);
    snprintf(peer.digest, sizeof(peer.digest), OTHER);
    release_images(); /* what is prepared is by digest; the answer's digest does not count */
    wait_for("moving", "State", "Active");
    expect("CodeSha256", DIGEST);
    expect_image("moving", "127.0.0.1:5000/moving@sha256:" DIGEST);
    assert_string_equal(peer.image, "127.0.0.1:5000/moving@sha256:" DIGEST);

    assert_int_equal(lambda("PUT", FN "/moving/configuration", "", "{\"Timeout\":9}"), 200);
    expect("CodeSha256", DIGEST);
    wait_for("moving", "LastUpdateStatus", "Successful");
    expect_image("moving", "127.0.0.1:5000/moving@sha256:" DIGEST);
    assert_int_equal(peer.resolves, 1);

    assert_int_equal(update("moving", ""), 200);
    expect("CodeSha256", OTHER);
    wait_for("moving", "LastUpdateStatus", "Successful");
    expect_image("moving", "127.0.0.1:5000/moving@sha256:" OTHER);
}

static void an_image_that_is_refused_never_becomes_a_function(void **state)
{
    (void)state;
    need_server();
    invoker_connect();
    peer.resolve = ABSENT;
    assert_int_equal(create_image("never"), 400);
    expect_error(400, "InvalidParameterValueException",
                 "Source image 127.0.0.1:5000/never:1 does not exist.");
    peer.resolve = DENIED;
    assert_int_equal(create_image("never"), 403);
    expect_error(403, "AccessDeniedException", ECR_DENIED);
    assert_int_equal(lambda("GET", FN "/never", "", ""), 404);
    assert_int_equal(peer.images, 0);
    peer.resolve = TELL;
    active("never");

    peer.resolve = ABSENT;
    assert_int_equal(update("never", ""), 400);
    assert_int_equal(update("never", ",\"DryRun\":true"), 400);
    configuration("never");
    expect("LastUpdateStatus", "Successful");
    expect("CodeSha256", DIGEST);
    assert_int_equal(peer.images, 1);
}

static void whoever_cannot_tell_now_is_not_waited_for(void **state)
{
    (void)state;
    need_server();
    invoker_connect();
    peer.resolve = AWAY;
    assert_int_equal(create_image("away"), 201);
    expect("CodeSha256", "");
    wait_for("away", "State", "Active");
    expect("CodeSha256", DIGEST); /* found by the change */
    expect_image("away", "127.0.0.1:5000/away:1@sha256:" DIGEST);

    peer.resolve = KEEP; /* until HEARTH_RESOLVE_TIMEOUT */
    assert_int_equal(update("away", ""), 200);
    expect("CodeSha256", "");
    wait_for("away", "LastUpdateStatus", "Successful");
    expect("CodeSha256", DIGEST);
}

static void one_invoker_that_knows_the_image_is_enough(void **state)
{
    struct link *second;

    (void)state;
    need_server();
    invoker_connect();
    second = TAKE(invoker);
    peer.second = true;
    invoker_connect();
    peer.resolve = ABSENT_ONCE; /* of whoever is asked first */
    assert_int_equal(create_image("both"), 201);
    expect("CodeSha256", DIGEST);
    wait_until(&peer.resolves, 2);
    peer.resolve = ABSENT; /* of all */
    assert_int_equal(create_image("neither"), 400);
    assert_int_equal(peer.resolves, 4);
    link_free(second);
}

static void a_controller_that_ends_leaves_the_question(void **state)
{
    cJSON *args = cJSON_CreateObject();

    (void)state;
    need_server();
    invoker_connect();
    config.resolve_timeout_us = SECONDS(50);
    peer.resolve = KEEP;
    cJSON_AddStringToObject(args, "method", "POST");
    cJSON_AddStringToObject(args, "path", FN);
    cJSON_AddStringToObject(args, "query", "");
    cJSON_AddStringToObject(args, "account", "000000000000");
    cJSON_AddStringToObject(args, "request_id", "request-1");
    rpc_call(gateway, "lambda", args,
             STR("{\"FunctionName\":\"left\",\"PackageType\":\"Image\"," ROLE
                 ",\"Code\":{\"ImageUri\":\"127.0.0.1:5000/left:1\"}}"),
             WAIT_US, on_answer, NULL);
    cJSON_Delete(args);
    wait_until(&peer.resolves, 1);
    controller_free(TAKE(c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(the_digest_is_in_the_answers_of_create_and_update),
        LIVE(a_tag_that_moves_changes_nothing_until_the_code_is_updated),
        LIVE(an_image_that_is_refused_never_becomes_a_function),
        LIVE(whoever_cannot_tell_now_is_not_waited_for),
        LIVE(one_invoker_that_knows_the_image_is_enough),
        LIVE(a_controller_that_ends_leaves_the_question),
    };

    log_begin("controller_image_test");
    return cmocka_run_group_tests_name("controller_image", tests, NULL, NULL);
}
