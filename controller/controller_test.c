/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of images: created, changed, refused, deleted, resumed; Redis and peers that fail. */
#include "controller/controller_fixture.h"

#include "common/base/base64.h"
#include "common/base/clock.h"
#include "common/proto/sessions.h"

static void an_image_function_becomes_active_once_every_peer_knows(void **state)
{
    uint64_t generation;

    (void)state;
    need_server();
    invoker_connect();
    assert_int_equal(create_image("hello"), 201);
    expect("State", "Pending");
    expect("StateReasonCode", "Creating");
    expect("FunctionArn", "arn:aws:lambda:us-east-1:000000000000:function:hello");
    assert_null(cJSON_GetObjectItemCaseSensitive(got.json, "LastUpdateStatus"));
    wait_for("hello", "State", "Active");
    expect("LastUpdateStatus", "Successful");
    expect("CodeSha256", DIGEST);
    assert_string_equal(peer.image, "127.0.0.1:5000/hello@sha256:" DIGEST);
    assert_int_equal(peer.images, 1);
    assert_int_equal(peer.retires, 1);
    assert_int_equal(peer.drops, 1);

    assert_int_equal(lambda("GET", FN "/hello", "", ""), 200);
    assert_true(
        str_is(cjson_str(cJSON_GetObjectItemCaseSensitive(got.json, "Code"), "ResolvedImageUri"),
               "127.0.0.1:5000/hello@sha256:" DIGEST));
    generation = route("hello", "Active");
    assert_int_equal(generation, peer.retired);
    fn_call(invoker, "version.get", "hello", generation);
    assert_int_equal(got.code, ERR_OK);
    assert_true(spec_has_secret());
    fn_call(invoker, "version.get", "hello", generation + 1);
    assert_int_equal(got.code, ERR_STALE);
    fn_call(invoker, "version.get", "nobody", 1);
    assert_int_equal(got.code, ERR_NOT_FOUND);
    fn_call(gateway, "route.resolve", "nobody", 0);
    assert_int_equal(got.code, ERR_NOT_FOUND);
}

/* The key of functions' sessions, as a gateway is told it. */
static void function_key(struct seal_key *ret)
{
    CLEANUP(buf_done) struct buf bytes = BUF_INIT(2 * SEAL_KEY_BYTES);

    ask(gateway, "function.key", cJSON_CreateObject(), STR_NULL);
    assert_int_equal(got.code, ERR_OK);
    assert_int_equal(base64_decode(&bytes, cjson_str(got.ok, "key")), 0);
    assert_int_equal(bytes.len, SEAL_KEY_BYTES);
    seal_key_init(ret, (const unsigned char *)bytes.ptr);
}

static void an_invoker_gets_credentials_of_the_functions_role(void **state)
{
    uint64_t generation, now_s = wall_ms() / 1000;
    const cJSON *credentials;
    struct session session;
    struct seal_key key;

    (void)state;
    need_server();
    invoker_connect();
    active("worker");
    generation = route("worker", "Active");
    function_key(&key);
    fn_call(invoker, "version.get", "worker", generation);
    credentials = cJSON_GetObjectItemCaseSensitive(got.ok, "credentials");
    assert_int_equal(session_open(&key, cjson_str(credentials, "token"), &session, NULL), 0);
    assert_string_equal(session.arn, "arn:aws:sts::000000000000:assumed-role/r/worker");
    assert_true(str_is(cjson_str(credentials, "access_key"), session.access_key));
    assert_true(str_is(cjson_str(credentials, "secret"), session.secret));
    assert_in_range(session.expires_s, now_s + 43200, now_s + 43200 + 30);
    assert_true(cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(credentials, "expires")) ==
                (double)session.expires_s);
    ask(invoker, "function.key", cJSON_CreateObject(), STR_NULL);
    assert_int_equal(got.code, ERR_ACCESS_DENIED);
}

static void without_an_invoker_a_function_waits_for_one(void **state)
{
    (void)state;
    need_server();
    assert_int_equal(create_image("patient"), 201);
    configuration("patient");
    expect("State", "Pending");
    route("patient", "Pending");
    fn_call(gateway, "version.get", "patient", 1);
    assert_int_equal(got.code, ERR_STALE);
    invoker_connect();
    wait_for("patient", "State", "Active");
}

static void the_old_version_serves_until_the_new_one_is_ready(void **state)
{
    uint64_t before, after;

    (void)state;
    need_server();
    invoker_connect();
    active("steady");
    before = route("steady", "Active");
    peer.prepare = HOLD;
    snprintf(peer.digest, sizeof(peer.digest), "bbbb" DIGEST);
    peer.digest[64] = '\0';
    assert_int_equal(
        lambda("PUT", FN "/steady/code", "", "{\"ImageUri\":\"127.0.0.1:5000/steady:2\"}"), 200);
    expect("LastUpdateStatus", "InProgress");
    expect("LastUpdateStatusReasonCode", "Creating");
    expect("State", "Active");
    wait_until(&peer.images, 2);
    assert_int_equal(route("steady", "Active"), before);
    fn_call(invoker, "version.get", "steady", before);
    assert_int_equal(got.code, ERR_OK);
    fn_call(invoker, "version.get", "steady", before + 1);
    assert_int_equal(got.code, ERR_STALE);

    assert_int_equal(lambda("PUT", FN "/steady/configuration", "", "{\"MemorySize\":256}"), 409);
    expect_error(409, "ResourceConflictException",
                 "The operation cannot be performed at this time. An update is in progress for "
                 "resource: arn:aws:lambda:us-east-1:000000000000:function:steady");

    peer.hold_retire = true;
    release_images();
    wait_until(&peer.retires, 2);
    after = route("steady", "Active");
    assert_true(after > before);
    configuration("steady"); /* a peer has not let go yet */
    expect("LastUpdateStatus", "InProgress");
    release();
    wait_for("steady", "LastUpdateStatus", "Successful");
    assert_int_equal(peer.retired, after);
    assert_true(strncmp(member("CodeSha256"), "bbbb", 4) == 0);
}

static void a_peer_that_does_not_let_go_is_cut_off(void **state)
{
    (void)state;
    need_server();
    invoker_connect();
    peer.mute_drop = true;
    assert_int_equal(create_image("mute"), 201);
    wait_until(&peer.drops, 1);
    while (link_is_up(gateway)) /* 300 ms, see peer_timeout */
        loop_run(loop);
    peer.mute_drop = false;
    while (!link_is_up(gateway)) /* it connects again by itself */
        loop_run(loop);
    wait_for("mute", "State", "Active");
}

static void a_refused_image_fails_the_function(void **state)
{
    (void)state;
    need_server();
    invoker_connect();
    peer.prepare = REFUSE;
    assert_int_equal(create_image("absent"), 201);
    wait_for("absent", "State", "Failed");
    expect("StateReasonCode", "ImageAccessDenied");
    expect("StateReason", "no such image 127.0.0.1:5000/absent@sha256:" DIGEST);
    expect("LastUpdateStatus", "Failed");
    route("absent", "Failed");
    fn_call(invoker, "version.get", "absent", 1);
    assert_int_equal(got.code, ERR_STALE);

    peer.prepare = ANSWER; /* it can be mended by an update */
    assert_int_equal(
        lambda("PUT", FN "/absent/code", "", "{\"ImageUri\":\"127.0.0.1:5000/there:1\"}"), 200);
    wait_for("absent", "State", "Active");
    expect("StateReasonCode", "");
    expect("LastUpdateStatus", "Successful");
}

static void a_refused_update_keeps_the_old_version_running(void **state)
{
    uint64_t before;

    (void)state;
    need_server();
    invoker_connect();
    active("sturdy");
    before = route("sturdy", "Active");
    peer.prepare = REFUSE;
    assert_int_equal(
        lambda("PUT", FN "/sturdy/code", "", "{\"ImageUri\":\"127.0.0.1:5000/bad:1\"}"), 200);
    wait_for("sturdy", "LastUpdateStatus", "Failed");
    expect("State", "Active");
    expect("LastUpdateStatusReasonCode", "ImageAccessDenied");
    expect("LastUpdateStatusReason", "no such image 127.0.0.1:5000/bad@sha256:" DIGEST);
    expect("CodeSha256", DIGEST);
    assert_int_equal(route("sturdy", "Active"), before);
    fn_call(invoker, "version.get", "sturdy", before);
    assert_int_equal(got.code, ERR_OK);
    assert_int_equal(lambda("GET", FN "/sturdy", "", ""), 200);
    assert_true(str_is(cjson_str(cJSON_GetObjectItemCaseSensitive(got.json, "Code"), "ImageUri"),
                       "127.0.0.1:5000/sturdy:1"));
}

static void an_image_without_entry_point_fails_unless_the_function_gives_one(void **state)
{
    (void)state;
    need_server();
    invoker_connect();
    peer.has_entry_point = false;
    assert_int_equal(create_image("empty"), 201);
    wait_for("empty", "State", "Failed");
    expect("StateReasonCode", "InvalidImage");
    assert_int_equal(lambda("PUT", FN "/empty/configuration", "",
                            "{\"ImageConfig\":{\"EntryPoint\":[\"/app\"]}}"),
                     200);
    wait_for("empty", "State", "Active");
}

static void an_invoker_that_cannot_now_is_asked_again(void **state)
{
    (void)state;
    need_server();
    invoker_connect();
    peer.prepare = UNABLE;
    assert_int_equal(create_image("later"), 201);
    wait_until(&peer.images, 2);
    configuration("later");
    expect("State", "Pending");
    peer.prepare = ANSWER;
    wait_for("later", "State", "Active");
}

static void errors_are_worded_as_at_aws(void **state)
{
    (void)state;
    need_server();
    invoker_connect();
    active("one");
    assert_int_equal(create_image("one"), 409);
    expect_error(409, "ResourceConflictException", "Function already exist: one");
    lambda("GET", FN "/nobody", "", "");
    expect_error(404, "ResourceNotFoundException",
                 "Function not found: arn:aws:lambda:us-east-1:000000000000:function:nobody");
    lambda("GET", FN "/one/configuration", "Qualifier=7", "");
    expect_error(404, "ResourceNotFoundException",
                 "Function not found: arn:aws:lambda:us-east-1:000000000000:function:one:7");
    lambda("DELETE", FN "/nobody", "", "");
    expect_error(404, "ResourceNotFoundException",
                 "Function not found: arn:aws:lambda:us-east-1:000000000000:function:nobody");
    lambda("PUT", FN "/one/code", "", "{\"ImageUri\":\"x:1\",\"RevisionId\":\"nonsense\"}");
    expect_error(412, "PreconditionFailedException",
                 "The Revision Id provided does not match the latest Revision Id. Call the "
                 "GetFunction/GetAlias API to retrieve the latest Revision Id");
    lambda("PUT", FN "/one/code", "", "{\"ZipFile\":\"UEsDBA==\"}");
    expect_error(400, "InvalidParameterValueException",
                 "Please provide ImageUri when updating a function with packageType Image.");
    lambda("GET", FN "/one/policy", "", "");
    expect_error(404, "ResourceNotFoundException", "The resource you requested does not exist.");
    lambda("GET", "/2025-11-30/functions/one/function-scaling-config", "Qualifier=1", "");
    expect_error(400, "InvalidParameterValueException",
                 "Hearth does not offer the operation GetFunctionScalingConfig yet.");
    lambda("GET", "/nothing", "", "");
    assert_int_equal(got.status, 404);
    lambda("POST", FN, "", "{not json");
    assert_string_equal(got.error_type, "SerializationException");
    lambda("GET", FN "/one", "Qualifier=$LATEST", "");
    assert_int_equal(got.status, 200);
    assert_true(str_is(
        cjson_str(cJSON_GetObjectItemCaseSensitive(got.json, "Configuration"), "FunctionArn"),
        "arn:aws:lambda:us-east-1:000000000000:function:one:$LATEST"));
}

static void a_dry_run_changes_nothing(void **state)
{
    (void)state;
    need_server();
    invoker_connect();
    active("dry");
    assert_int_equal(lambda("PUT", FN "/dry/code", "",
                            "{\"ImageUri\":\"127.0.0.1:5000/dry:2\",\"DryRun\":true}"),
                     200);
    expect("LastUpdateStatus", "Successful");
    configuration("dry");
    expect("LastUpdateStatus", "Successful");
    expect("CodeSha256", DIGEST);
    assert_int_equal(peer.images, 1);
}

static void functions_are_listed_by_pages_in_order(void **state)
{
    char name[16], query[200];
    cJSON *list;
    unsigned seen = 0, i;

    (void)state;
    need_server();
    for (i = 0; i < 7; i++) {
        snprintf(name, sizeof(name), "fn-%u", (i * 3) % 7);
        assert_int_equal(create_image(name), 201);
    }
    snprintf(query, sizeof(query), "MaxItems=3");
    for (;;) {
        assert_int_equal(lambda("GET", FN, query, ""), 200);
        list = cJSON_GetObjectItemCaseSensitive(got.json, "Functions");
        for (i = 0; i < (unsigned)cJSON_GetArraySize(list); i++) {
            snprintf(name, sizeof(name), "fn-%u", seen++);
            assert_true(str_is(cjson_str(cJSON_GetArrayItem(list, (int)i), "FunctionName"), name));
        }
        if (!member("NextMarker")[0])
            break;
        snprintf(query, sizeof(query), "MaxItems=3&Marker=%s", member("NextMarker"));
    }
    assert_int_equal(seen, 7);
    assert_int_equal(lambda("GET", FN, "FunctionVersion=ALL", ""), 200);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(got.json, "Functions")),
                     7);
}

static void a_deleted_function_is_gone_everywhere_before_the_answer(void **state)
{
    uint64_t before;

    (void)state;
    need_server();
    invoker_connect();
    active("short");
    before = route("short", "Active");
    peer.hold_retire = true;
    peer.retires = peer.drops = 0;
    {
        cJSON *args = cJSON_CreateObject();
        unsigned count = got.count;

        cJSON_AddStringToObject(args, "method", "DELETE");
        cJSON_AddStringToObject(args, "path", FN "/short");
        cJSON_AddStringToObject(args, "query", "");
        cJSON_AddStringToObject(args, "account", "000000000000");
        rpc_call(gateway, "lambda", args, STR_NULL, WAIT_US, on_answer, NULL);
        cJSON_Delete(args);
        wait_until(&peer.retires, 1);
        assert_int_equal(peer.retired, 0);
        assert_int_equal(got.count, count);
        peer.hold_retire = false;
        release();
        wait_until(&got.count, count + 1);
    }
    assert_int_equal(got.status, 204);
    assert_int_equal(got.body.len, 0);
    assert_int_equal(peer.drops, 1);
    assert_int_equal(lambda("GET", FN "/short", "", ""), 404);
    active("short"); /* the generation never goes back */
    assert_true(route("short", "Active") > before);
}

static void deleting_ends_a_change_under_way(void **state)
{
    (void)state;
    need_server();
    invoker_connect();
    peer.prepare = HOLD;
    assert_int_equal(create_image("doomed"), 201);
    wait_until(&peer.images, 1);
    assert_int_equal(lambda("DELETE", FN "/doomed", "", ""), 204);
    release_images();
    assert_int_equal(lambda("GET", FN "/doomed", "", ""), 404);
    active("doomed");
}

static void a_controller_that_restarts_takes_up_what_was_under_way(void **state)
{
    (void)state;
    need_server();
    invoker_connect();
    active("updated");
    peer.prepare = HOLD;
    assert_int_equal(create_image("created"), 201);
    assert_int_equal(lambda("PUT", FN "/updated/configuration", "", "{\"Timeout\":9}"), 200);
    wait_until(&peer.images, 3);
    controller_free(c);
    peer.prepare = ANSWER;
    release();
    peer.registered = false;
    controller_start();
    while (!link_is_up(gateway) || !peer.registered)
        loop_run(loop);
    wait_for("created", "State", "Active");
    wait_for("updated", "LastUpdateStatus", "Successful");
    assert_int_equal(
        (int)cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(got.json, "Timeout")), 9);
}

static void redis_away_is_answered_and_survived(void **state)
{
    (void)state;
    need_server();
    invoker_connect();
    active("durable");
    fixture_stop(&server);
    do /* the connection's end may not have been seen yet */
        lambda("GET", FN "/durable", "", "");
    while (got.status == 200);
    expect_error(503, "ServiceException",
                 "The function registry cannot be reached at the moment. Please try again.");
    assert_int_equal(create_image("other"), 503);
    peer.drops = 0;
    assert_int_equal(lambda("DELETE", FN "/durable", "", ""), 503);
    wait_until(&peer.drops, 1); /* it may have been done */
    fn_call(gateway, "route.resolve", "durable", 0);
    assert_int_equal(got.code, ERR_UNAVAILABLE);
    assert_true(fixture_start(&server));
    do /* until the back-off is over */
        lambda("GET", FN "/durable", "", "");
    while (got.status != 200);
    route("durable", "Active");
    active("other");
}

static void gateways_are_told_the_nodes(void **state)
{
    (void)state;
    need_server();
    invoker_connect();
    wait_until(&peer.nodes, 1);
    lambda("GET", FN, "", ""); /* Redis answers in order: after two questions, the script ... */
    lambda("GET", FN, "", ""); /* ... that was sent whole when it was not known has run */
    controller_free(c); /* the list outlives the controller, as the node may not be back in time */
    link_free(invoker);
    invoker = NULL;
    peer.nodes = 0;
    controller_start();
    wait_until(&peer.nodes, 1);
}

static void on_node_told(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    (void)ok;
    (void)body;
    (void)arg;
    assert_null(err);
    loop_stop(loop);
}

static void node_says(const char *method)
{
    peer.lists = 0;
    rpc_call(invoker, method, NULL, STR_NULL, SECONDS(5), on_node_told, NULL);
    wait_until(&peer.lists, 1);
}

static void a_node_that_drains_gets_nothing_new_and_leaves(void **state)
{
    (void)state;
    need_server();
    invoker_connect();
    wait_until(&peer.nodes, 1);
    assert_int_equal(peer.draining_nodes, 0);
    node_says("node.drain");
    assert_int_equal(peer.nodes, 1); /* what runs there goes on */
    assert_int_equal(peer.draining_nodes, 1);
    create_image("late");
    configuration("late");
    expect("State", "Pending");
    assert_int_equal(peer.images, 0);
    node_says("node.leave");
    assert_int_equal(peer.nodes, 0);
    link_free(invoker);
    peer.lists = 0;
    invoker_connect(); /* begun anew */
    wait_until(&peer.lists, 1);
    assert_int_equal(peer.nodes, 1);
    assert_int_equal(peer.draining_nodes, 0);
    wait_for("late", "State", "Active");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(an_image_function_becomes_active_once_every_peer_knows),
        LIVE(an_invoker_gets_credentials_of_the_functions_role),
        LIVE(without_an_invoker_a_function_waits_for_one),
        LIVE(the_old_version_serves_until_the_new_one_is_ready),
        LIVE(a_peer_that_does_not_let_go_is_cut_off),
        LIVE(a_refused_image_fails_the_function),
        LIVE(a_refused_update_keeps_the_old_version_running),
        LIVE(an_image_without_entry_point_fails_unless_the_function_gives_one),
        LIVE(an_invoker_that_cannot_now_is_asked_again),
        LIVE(errors_are_worded_as_at_aws),
        LIVE(a_dry_run_changes_nothing),
        LIVE(functions_are_listed_by_pages_in_order),
        LIVE(a_deleted_function_is_gone_everywhere_before_the_answer),
        LIVE(deleting_ends_a_change_under_way),
        LIVE(a_controller_that_restarts_takes_up_what_was_under_way),
        LIVE(redis_away_is_answered_and_survived),
        LIVE(gateways_are_told_the_nodes),
        LIVE(a_node_that_drains_gets_nothing_new_and_leaves),
    };

    log_begin("controller_test");
    return cmocka_run_group_tests_name("controller", tests, NULL, NULL);
}
