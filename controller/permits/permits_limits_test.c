/* SPDX-License-Identifier: Apache-2.0 */
/* Limits that change while gateways hold permits: reservations, provisioned concurrency, functions that go. */
#include "controller/permits/permits_fixture.h"

#define A "gateway-a.0000000000000001"
#define B "gateway-b.0000000000000002"

/* Two gateways and an invoker, all that a test needs at first. */
static void begin(void)
{
    inv_connect(&invs[0], "node-1", "process-1");
    gw_join(&gws[0], "gateway-a", "0000000000000001");
    gw_join(&gws[1], "gateway-b", "0000000000000002");
}

/* From now on recalls are those of the change. */
static void count_recalls(void)
{
    gws[0].recalls = gws[1].recalls = 0;
}

static int reserve(const char *name, unsigned n)
{
    char path[200], body[100];

    count_recalls();
    snprintf(path, sizeof(path), "/2017-10-31/functions/%s/concurrency", name);
    snprintf(body, sizeof(body), "{\"ReservedConcurrentExecutions\":%u}", n);
    return lambda("PUT", path, "", body);
}

/* ---- reservations ---- */

static void a_lower_limit_is_told_when_gateways_have_given_back_what_is_idle(void **state)
{
    (void)state;
    need_server();
    begin();
    active("one");
    assert_int_equal(reserve("one", 50), 200);
    assert_int_equal(gw_ask(&gws[0], "one", 1, 0, 50, 50), ERR_OK);
    assert_int_equal(got_more(), 50);
    assert_int_equal(gw_ask(&gws[1], "*", 1, 0, 5, 5), ERR_OK);
    gw_states(&gws[0], "one", 2, 20);
    gw_states(&gws[1], "*", 2, 5);
    assert_int_equal(reserve("one", 30), 200);
    assert_int_equal(gws[0].recalls, 1);
    assert_non_null(strstr(gws[0].said, "\"pool\":\"one\",\"drain\":true"));
    assert_int_equal(gws[1].recalls, 1);
    ledger_is(LEASES(A), "l:one", "20");
    assert_int_equal(gw_ask(&gws[1], "one", 1, 0, 50, 1), ERR_OK);
    assert_int_equal(got_more(), 10);
}

static void what_runs_of_a_function_that_becomes_reserved_moves(void **state)
{
    (void)state;
    need_server();
    begin();
    active("one");
    assert_int_equal(gw_ask(&gws[0], "*", 1, 0, 40, 40), ERR_OK);
    snprintf(gws[0].statement, sizeof(gws[0].statement),
             "{\"account\":\"" ACCOUNT "\",\"pool\":\"one\",\"seq\":1,\"held\":15,\"moved\":true},"
             "{\"account\":\"" ACCOUNT "\",\"pool\":\"*\",\"seq\":2,\"held\":3}");
    assert_int_equal(reserve("one", 10), 200);
    assert_non_null(strstr(gws[0].said,
                           "\"moves\":[{\"account\":\"" ACCOUNT "\",\"function\":\"one\"}]"));
    ledger_is(LEASES(A), "l:one", "15");
    ledger_is(LEASES(A), "l:*", "3");
    assert_int_equal(gws[1].recalls, 1); /* it has none, but might have been about to */
    assert_int_equal(gw_ask(&gws[1], "one", 1, 0, 1, 1), ERR_OK);
    assert_int_equal(got_more(), 0); /* fifteen run, ten may */
    assert_true(got_is("dry"));
}

static void a_gateway_that_does_not_give_back_is_given_up_before_the_client_hears(void **state)
{
    (void)state;
    need_server();
    begin();
    active("one");
    assert_int_equal(reserve("one", 50), 200);
    assert_int_equal(gw_ask(&gws[0], "one", 1, 0, 50, 50), ERR_OK);
    gws[0].is_mute = true;
    inv_runs(&invs[0], "one", 12);
    assert_int_equal(reserve("one", 30), 200);
    ledger_is(LEASES(A), "l:one", "");
    ledger_is(RUNS_AT("node-1"), "o:one", "12");
    assert_int_equal(gw_ask(&gws[1], "one", 1, 0, 50, 1), ERR_OK);
    assert_int_equal(got_more(), 18);
}

static unsigned answers;
static int answered; /* with this status */

static void on_one(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    (void)body;
    (void)arg;
    answered = err ? 0 : (int)number_of(ok, "status");
    answers++;
    loop_stop(loop);
}

static void change_limit(unsigned n)
{
    CLEANUP(freep) char *body = str_printf("{\"ReservedConcurrentExecutions\":%u}", n);
    cJSON *args = lambda_args("PUT", "/2017-10-31/functions/one/concurrency", "");

    count_recalls();
    answers = 0;
    rpc_call(gateway, "lambda", args, str_of(body), WAIT_US, on_one, NULL);
    cJSON_Delete(args);
}

static void a_gateway_that_is_away_is_waited_for(void **state)
{
    uint64_t end;

    (void)state;
    need_server();
    begin();
    active("one");
    assert_int_equal(reserve("one", 50), 200);
    assert_int_equal(gw_ask(&gws[0], "one", 1, 0, 50, 50), ERR_OK);
    gw_states(&gws[0], "one", 2, 20);
    gw_die(&gws[0]);
    change_limit(30);
    for (end = now_us() + MSEC(50); now_us() < end;)
        tick();
    assert_int_equal(answers, 0);
    gw_connect(&gws[0], "gateway-a");
    assert_int_equal(gw_try_join(&gws[0]), ERR_OK); /* in time */
    wait_until(&answers, 1);
    assert_int_equal(gws[0].recalls, 1);
    ledger_is(LEASES(A), "l:one", "20");
}

/* It would say that it is of no epoch, be given up, and the change wait until all invokers knew that. */
static void a_gateway_that_is_about_to_join_has_nothing_to_do_with_it(void **state)
{
    cJSON *args = cJSON_CreateObject();
    unsigned before, fences;

    (void)state;
    need_server();
    inv_connect(&invs[0], "node-1", "process-1");
    gw_join(&gws[0], "gateway-a", "0000000000000001");
    active("one");
    gw_connect(&gws[1], "gateway-b");
    become_quiet();
    invs[0].is_mute = true;
    fences = invs[0].fences;
    cJSON_AddStringToObject(args, "gateway", B);
    before = got.count;
    rpc_call(gws[1].link, "permits.join", args, STR_NULL, WAIT_US, on_answer, NULL);
    cJSON_Delete(args);
    wait_until(&invs[0].fences, fences + 1);
    change_limit(50);
    wait_until(&answers, 1);
    assert_int_equal(answered, 200);
    assert_int_equal(gws[0].recalls, 1);
    assert_int_equal(gws[1].recalls, 0);
    assert_int_equal(got.count, before);
    invs[0].is_mute = false;
    inv_answer(&invs[0], peer.held[--peer.held_len]);
    wait_until(&got.count, before + 1);
    assert_int_equal(got.code, ERR_OK);
}

/* Until then a gateway may run on permits of the old epoch: not all invokers refuse them yet. */
static void while_the_ledger_begins_anew_no_limit_is_told(void **state)
{
    uint64_t dead_us;

    (void)state;
    need_server();
    controller_free(c);
    config.node_fence_us = MSEC(500);
    controller_start();
    begin();
    wait_up(gateway);
    active("one");
    assert_int_equal(reserve("one", 50), 200);
    assert_int_equal(gw_ask(&gws[0], "one", 1, 0, 50, 50), ERR_OK);
    inv_connect(&invs[1], "node-2", "process-2");
    dead_us = now_us() + MSEC(500);
    inv_die(&invs[1]);
    invs[0].knows_epoch = gws[0].epoch + 1000;
    gw_die(&gws[1]);
    while (invs[0].epoch <= invs[0].knows_epoch)
        tick();
    change_limit(30);
    while (now_us() < dead_us) {
        assert_int_equal(answers, 0);
        tick();
    }
    wait_until(&answers, 1);
    assert_int_equal(gw_try_join(&gws[0]), ERR_OK);
    assert_int_equal(gw_ask(&gws[0], "one", 1, 0, 50, 50), ERR_OK);
    assert_int_equal(got_more(), 30);
}

static void a_leader_that_is_deposed_tells_no_client_that_its_limit_is_kept(void **state)
{
    (void)state;
    need_server();
    begin();
    active("one");
    assert_int_equal(reserve("one", 50), 200);
    assert_int_equal(gw_ask(&gws[0], "one", 1, 0, 50, 50), ERR_OK);
    gws[0].is_mute = true; /* it may begin fifty still */
    change_limit(30);
    wait_until(&gws[0].recalls, 1);
    WORLD("HSET", PREFIX "permits", "term", "9");
    assert_int_equal(gw_ask(&gws[1], "*", 1, 0, 1, 1), ERR_UNAVAILABLE);
    wait_until(&answers, 1);
    assert_int_equal(answered, 503);
}

/* One that was interrupted may have been written; who asks again is told when all is so. */
static void a_limit_that_is_so_already_is_told_to_gateways_all_the_same(void **state)
{
    (void)state;
    need_server();
    begin();
    active("one");
    assert_int_equal(reserve("one", 50), 200);
    assert_int_equal(gw_ask(&gws[0], "one", 1, 0, 50, 50), ERR_OK);
    gw_states(&gws[0], "one", 2, 20);
    assert_int_equal(reserve("one", 50), 200);
    assert_int_equal(gws[0].recalls, 1);
    ledger_is(LEASES(A), "l:one", "20");
}

static void nothing_is_granted_of_a_function_while_its_limit_changes(void **state)
{
    (void)state;
    need_server();
    begin();
    active("one");
    assert_int_equal(reserve("one", 50), 200);
    assert_int_equal(gw_ask(&gws[0], "one", 1, 0, 20, 20), ERR_OK);
    gws[0].is_mute = true; /* until it is given up, 300 ms later */
    change_limit(60);
    wait_until(&gws[0].recalls, 1);
    assert_int_equal(gw_ask(&gws[1], "one", 1, 0, 5, 1), ERR_OK);
    assert_int_equal(got_more(), 0);
    assert_true(got_is("dry"));
    assert_int_equal(answers, 0);
    assert_int_equal(gw_ask(&gws[1], "*", 1, 0, 5, 1), ERR_OK);
    assert_int_equal(got_more(), 5); /* others are not held back */
    wait_until(&answers, 1);
    assert_int_equal(gw_ask(&gws[1], "one", 2, 0, 60, 1), ERR_OK);
    assert_int_equal(got_more(), 60);
}

static void a_function_that_is_deleted_leaves_no_permits(void **state)
{
    (void)state;
    need_server();
    begin();
    active("one");
    assert_int_equal(reserve("one", 50), 200);
    assert_int_equal(gw_ask(&gws[0], "one", 1, 0, 20, 20), ERR_OK);
    gw_states(&gws[0], "one", 2, 0);
    assert_int_equal(lambda("DELETE", FN "/one", "", ""), 204);
    ledger_is(LEASES(A), "l:one", "");
    assert_int_equal(gw_ask(&gws[0], "*", 1, 0, 1000, 1000), ERR_OK);
    assert_int_equal(got_more(), 1000);
}

/* ---- provisioned concurrency ---- */

static int provisioned(const char *method, const char *body)
{
    return lambda(method, "/2019-09-30/functions/one/provisioned-concurrency", "Qualifier=1", body);
}

static void provisioned_concurrency_is_ready_when_nobody_else_has_its_permits(void **state)
{
    uint64_t end = now_us() + WAIT_US;

    (void)state;
    need_server();
    invoker_connect(); /* it initialises what it is told */
    gw_join(&gws[0], "gateway-a", "0000000000000001");
    active("one");
    assert_int_equal(lambda("POST", FN "/one/versions", "", "{}"), 201);
    assert_int_equal(gw_ask(&gws[0], "*", 1, 0, 1000, 1000), ERR_OK);
    assert_int_equal(got_more(), 1000);
    gw_states(&gws[0], "*", 2, 1000); /* all in use */
    assert_int_equal(provisioned("PUT", "{\"ProvisionedConcurrentExecutions\":3}"), 202);
    assert_non_null(strstr(gws[0].said, "\"drain\":true"));
    do {
        assert_true(now_us() < end);
        assert_int_equal(provisioned("GET", ""), 200);
        expect("Status", "IN_PROGRESS");
    } while (number_of(got.json, "AvailableProvisionedConcurrentExecutions") < 3);
    assert_int_equal(gw_ask(&gws[0], "*", 3, 998, 998, 998), ERR_OK);
    assert_true(got_is("drain"));
    assert_int_equal(gw_ask(&gws[0], "one:1", 1, 0, 3, 3), ERR_OK);
    assert_int_equal(got_more(), 2); /* the account has no more */
    assert_int_equal(gw_ask(&gws[0], "*", 4, 997, 997, 997), ERR_OK);
    do {
        assert_true(now_us() < end);
        assert_int_equal(provisioned("GET", ""), 200);
    } while (strcmp(member("Status"), "READY") != 0);
    assert_int_equal(gw_ask(&gws[0], "one:1", 2, 2, 3, 3), ERR_OK);
    assert_int_equal(got_more(), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PERMITS_TEST(a_lower_limit_is_told_when_gateways_have_given_back_what_is_idle),
        PERMITS_TEST(what_runs_of_a_function_that_becomes_reserved_moves),
        PERMITS_TEST(a_gateway_that_does_not_give_back_is_given_up_before_the_client_hears),
        PERMITS_TEST(a_gateway_that_is_away_is_waited_for),
        PERMITS_TEST(a_gateway_that_is_about_to_join_has_nothing_to_do_with_it),
        PERMITS_TEST(while_the_ledger_begins_anew_no_limit_is_told),
        PERMITS_TEST(a_leader_that_is_deposed_tells_no_client_that_its_limit_is_kept),
        PERMITS_TEST(a_limit_that_is_so_already_is_told_to_gateways_all_the_same),
        PERMITS_TEST(nothing_is_granted_of_a_function_while_its_limit_changes),
        PERMITS_TEST(a_function_that_is_deleted_leaves_no_permits),
        PERMITS_TEST(provisioned_concurrency_is_ready_when_nobody_else_has_its_permits),
    };

    log_begin("permits_limits_test");
    return cmocka_run_group_tests_name("permits_limits", tests, NULL, NULL);
}
