/* SPDX-License-Identifier: Apache-2.0 */
/* Operations that are one step: done again when others write, whole or not at all, answered when true. */
#include "controller/world_fixture.h"

#define ALIASES FN "/f/aliases"

static char zip[2000];

static void begin(void)
{
    need_server();
    invoker_connect();
    zip_base64("one", zip, sizeof(zip));
    assert_int_equal(create_zip("f", zip, ",\"Publish\":true"), 201);
    wait_for("f", "State", "Active");
    world_settle();
}

static void ask_later(const char *method, const char *path, const char *body)
{
    cJSON *args = lambda_args(method, path, "");

    rpc_call(gateway, "lambda", args, str_of(body), WAIT_US, on_answer, NULL);
    cJSON_Delete(args);
}

static void writers_at_the_same_time_all_come_through(void **state)
{
    unsigned before, i;

    (void)state;
    begin();
    before = got.count;
    for (i = 0; i < 20; i++) { /* all of them read before the first of them writes */
        CLEANUP(freep)
        char *body = str_printf("{\"Name\":\"a%u\",\"FunctionVersion\":\"1\"}", i);

        ask_later("POST", ALIASES, body);
    }
    wait_until(&got.count, before + 20);
    assert_int_equal(got.status, 201);
    assert_int_equal(world_number("HLEN", PREFIX "fn:f:aliases"), 20);
    world_check("after all");
}

static void of_writers_with_the_same_revision_one_wins(void **state)
{
    CLEANUP(freep) char *body = NULL;
    unsigned before, i;
    long seq;

    (void)state;
    begin();
    assert_int_equal(
        lambda("POST", ALIASES, "", "{\"Name\":\"a\",\"FunctionVersion\":\"1\"}"), 201);
    body = str_printf("{\"FunctionVersion\":\"$LATEST\",\"RevisionId\":\"%s\"}",
                      member("RevisionId"));
    seq = strtol(WORLD("HGET", PREFIX "fn:f", "seq"), NULL, 10);
    before = got.count;
    for (i = 0; i < 2; i++)
        ask_later("PUT", ALIASES "/a", body);
    wait_until(&got.count, before + 2);
    assert_int_equal(got.status, 412); /* the second */
    assert_int_equal(strtol(WORLD("HGET", PREFIX "fn:f", "seq"), NULL, 10), seq + 1);
    lambda("GET", ALIASES "/a", "", "");
    expect("FunctionVersion", "$LATEST");
}

static void a_step_that_fails_writes_nothing(void **state)
{
    CLEANUP(freep) char *seq = NULL;
    size_t i;
    static const struct {
        const char *method, *path, *body;
        int status;
    } cases[] = {
        {"POST", ALIASES, "{\"Name\":\"a\",\"FunctionVersion\":\"9\"}", 404},
        {"POST", ALIASES, "{\"Name\":\"taken\",\"FunctionVersion\":\"1\"}", 409},
        {"PUT", ALIASES "/taken", "{\"Description\":\"x\",\"FunctionVersion\":\"9\"}", 404},
        {"PUT", ALIASES "/taken", "{\"Description\":\"x\",\"RevisionId\":\"no\"}", 412},
        {"PUT", ALIASES "/none", "{\"Description\":\"x\"}", 404},
        {"POST", FN "/f/versions", "{\"CodeSha256\":\"no\"}", 400},
        {"DELETE", ALIASES "/none", "", 204}, /* gone already: nothing to write */
        {"GET", ALIASES "/taken", "", 200},
    };

    (void)state;
    begin();
    assert_int_equal(
        lambda("POST", ALIASES, "", "{\"Name\":\"taken\",\"FunctionVersion\":\"1\"}"), 201);
    seq = str_dup(str_of(WORLD("HGET", PREFIX "fn:f", "seq")));
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        unsigned drops = peer.drops;

        lambda(cases[i].method, cases[i].path, "", cases[i].body);
        assert_int_equal(got.status, cases[i].status);
        assert_string_equal(WORLD("HGET", PREFIX "fn:f", "seq"), seq);
        assert_int_equal(peer.drops, drops); /* and nobody is told */
    }
    lambda("GET", ALIASES "/taken", "", "");
    expect("Description", "");
    lambda("GET", FN "/nobody/aliases/a", "", "");
    assert_int_equal(got.status, 404);
}

static void routes_are_dropped_before_the_answer(void **state)
{
    unsigned drops, before;

    (void)state;
    begin();
    drops = peer.drops;
    peer.mute_drop = true;
    before = got.count;
    ask_later("POST", ALIASES, "{\"Name\":\"a\",\"FunctionVersion\":\"1\"}");
    wait_until(&peer.drops, drops + 1);
    assert_int_equal(got.count, before); /* it is written, and nobody has been told yes */
    assert_int_equal(world_number("HLEN", PREFIX "fn:f:aliases"), 1);
    release();
    wait_until(&got.count, before + 1);
    assert_int_equal(got.status, 201);
}

static void a_version_is_retired_before_its_deletion_is_answered(void **state)
{
    unsigned retires, before;

    (void)state;
    begin();
    retires = peer.retires;
    peer.hold_retire = true;
    before = got.count;
    {
        cJSON *args = cJSON_CreateObject();

        cJSON_AddStringToObject(args, "method", "DELETE");
        cJSON_AddStringToObject(args, "path", FN "/f");
        cJSON_AddStringToObject(args, "query", "Qualifier=1");
        cJSON_AddStringToObject(args, "account", "000000000000");
        rpc_call(gateway, "lambda", args, STR_NULL, WAIT_US, on_answer, NULL);
        cJSON_Delete(args);
    }
    wait_until(&peer.retires, retires + 1);
    assert_int_equal(got.count, before);
    assert_int_equal(peer.retired, 0); /* no generation of $LATEST is meant */
    assert_int_equal(world_number("HLEN", PREFIX "fn:f:versions"), 0);
    release();
    wait_until(&got.count, before + 1);
    assert_int_equal(got.status, 204);
    world_check("after all");
}

static void a_peer_that_does_not_let_go_is_cut_off_and_the_answer_comes(void **state)
{
    (void)state;
    begin();
    peer.hold_retire = true;
    lambda("DELETE", FN "/f", "Qualifier=1", "");
    assert_int_equal(got.status, 204);
    assert_true(peer.held_len > 0);
}

static void without_redis_the_client_is_told_to_try_again(void **state)
{
    (void)state;
    begin();
    fixture_stop(&server);
    lambda("POST", ALIASES, "", "{\"Name\":\"a\",\"FunctionVersion\":\"1\"}");
    assert_int_equal(got.status, 503);
    assert_string_equal(got.error_type, "ServiceException");
    assert_true(fixture_start(&server));
    do
        lambda("POST", ALIASES, "", "{\"Name\":\"a\",\"FunctionVersion\":\"1\"}");
    while (got.status == 503);
    assert_int_equal(got.status, 201);
    world_done(); /* its connection went, too */
    world_check("after all");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(writers_at_the_same_time_all_come_through),
        WORLD_TEST(of_writers_with_the_same_revision_one_wins),
        WORLD_TEST(a_step_that_fails_writes_nothing),
        WORLD_TEST(routes_are_dropped_before_the_answer),
        WORLD_TEST(a_version_is_retired_before_its_deletion_is_answered),
        WORLD_TEST(a_peer_that_does_not_let_go_is_cut_off_and_the_answer_comes),
        WORLD_TEST(without_redis_the_client_is_told_to_try_again),
    };

    log_begin("fn_op_test");
    return cmocka_run_group_tests_name("fn_op", tests, NULL, NULL);
}
