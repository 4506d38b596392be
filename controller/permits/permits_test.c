/* SPDX-License-Identifier: Apache-2.0 */
/* The permit service in a whole controller: gateways, invokers, Redis, each at its worst. */
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

/* ---- joining and asking ---- */

static void a_gateway_that_has_joined_gets_permits(void **state)
{
    (void)state;
    need_server();
    begin();
    assert_int_equal((unsigned)invs[0].fence_ms, 10000);
    assert_non_null(strstr(invs[0].said, "\"" A "\",\"" B "\""));
    assert_int_equal(gw_ask(&gws[0], "*", 1, 0, 12, 10), ERR_OK);
    assert_int_equal(got_more(), 12);
    assert_false(got_is("dry") || got_is("drain"));
    ledger_is(LEASES(A), "l:*", "12");
    assert_int_equal(gw_ask(&gws[0], "*", 2, 4, 4, 4), ERR_OK);
    assert_int_equal(got_more(), 0);
    ledger_is(LEASES(A), "l:*", "4");
}

static void gateways_hear_how_many_they_are(void **state)
{
    uint64_t end = now_us() + WAIT_US;

    (void)state;
    need_server();
    begin();
    while (gws[0].gateways != 2 || gws[1].gateways != 2) {
        assert_true(now_us() < end);
        tick();
    }
    gw_die(&gws[1]);
    while (gws[0].gateways != 1) {
        assert_true(now_us() < end);
        tick();
    }
}

static void questions_that_make_no_sense_are_refused(void **state)
{
    static const char *const wrong[] = {
        "{\"account\":\"" ACCOUNT "\",\"pool\":\"*\",\"seq\":1,\"held\":5,\"want\":4,\"need\":4}",
        "{\"account\":\"" ACCOUNT "\",\"pool\":\"\",\"seq\":1,\"held\":5,\"want\":5,\"need\":5}",
        "{\"pool\":\"*\",\"seq\":1,\"held\":5,\"want\":5,\"need\":5}",
        "{\"account\":\"" ACCOUNT "\",\"pool\":\"*\",\"seq\":-1,\"held\":5,\"want\":5,\"need\":5}",
        "7",
    };
    size_t i;

    (void)state;
    need_server();
    begin();
    for (i = 0; i < ARRAY_LEN(wrong); i++) {
        ask(gws[0].link, "permits.ask", gw_args(&gws[0], wrong[i]), STR_NULL);
        assert_int_equal(got.code, ERR_BAD_REQUEST);
    }
    gws[0].epoch++;
    assert_int_equal(gw_ask(&gws[0], "*", 1, 0, 1, 1), ERR_STALE);
    gws[0].epoch--;
    snprintf(gws[2].id, sizeof(gws[2].id), "nobody.1");
    gws[2].link = gws[0].link;
    gws[2].epoch = gws[0].epoch;
    assert_int_equal(gw_ask(&gws[2], "*", 1, 0, 1, 1), ERR_STALE);
    gws[2].link = NULL;
}

/* ---- recall ---- */

static void what_is_idle_elsewhere_is_recalled_before_anybody_is_throttled(void **state)
{
    (void)state;
    need_server();
    begin();
    assert_int_equal(gw_ask(&gws[0], "*", 1, 0, 1000, 900), ERR_OK);
    assert_int_equal(got_more(), 1000);
    gw_states(&gws[0], "*", 2, 700);
    assert_int_equal(gw_ask(&gws[1], "*", 1, 0, 300, 10), ERR_OK);
    assert_int_equal(gws[0].recalls, 1);
    assert_non_null(strstr(gws[0].said, "{\"account\":\"" ACCOUNT "\",\"pool\":\"*\"}"));
    assert_int_equal(got_more(), 300);
    assert_false(got_is("dry"));
    ledger_is(LEASES(A), "l:*", "700");
    ledger_is(LEASES(B), "l:*", "300");
    ledger_is("permits", "total", "1000");
}

static struct {
    unsigned count, more;
    bool is_dry;
} rivals;

static void on_rival(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    const cJSON *pool = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(ok, "pools"), 0);

    (void)body;
    (void)arg;
    assert_null(err);
    rivals.count++;
    rivals.more += (unsigned)number_of(pool, "more");
    rivals.is_dry |= cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(pool, "dry"));
    loop_stop(loop);
}

/* One recall serves both; neither gets one to spare while the other waits. */
static void what_came_back_is_for_all_who_wait(void **state)
{
    CLEANUP(freep) char *text = str_printf(POOL_FORMAT, "*", 1u, 0u, 2u, 1u);
    cJSON *args;
    int i;

    (void)state;
    need_server();
    begin();
    gw_join(&gws[2], "gateway-c", "0000000000000003");
    assert_int_equal(gw_ask(&gws[0], "*", 1, 0, 1000, 1000), ERR_OK);
    gw_states(&gws[0], "*", 2, 998);
    memset(&rivals, 0, sizeof(rivals));
    for (i = 1; i <= 2; i++) {
        args = gw_args(&gws[i], text);
        rpc_call(gws[i].link, "permits.ask", args, STR_NULL, WAIT_US, on_rival, NULL);
        cJSON_Delete(args);
    }
    wait_until(&rivals.count, 2);
    assert_int_equal(rivals.more, 2);
    assert_false(rivals.is_dry);
    assert_int_equal(gws[0].recalls, 1);
    ledger_is("permits", "total", "1000");
}

/* It asks when some of it is back and the rest is still being asked for. */
static void who_comes_while_others_are_short_gets_none_to_spare(void **state)
{
    CLEANUP(freep) char *text = str_printf(POOL_FORMAT, "*", 1u, 0u, 2u, 1u);
    cJSON *args;

    (void)state;
    need_server();
    begin();
    gw_join(&gws[2], "gateway-c", "0000000000000003");
    assert_int_equal(gw_ask(&gws[0], "*", 1, 0, 999, 999), ERR_OK);
    assert_int_equal(gw_ask(&gws[1], "*", 1, 0, 1, 1), ERR_OK);
    gw_states(&gws[0], "*", 2, 997);
    gws[1].is_mute = true;
    memset(&rivals, 0, sizeof(rivals));
    args = gw_args(&gws[2], text);
    rpc_call(gws[2].link, "permits.ask", args, STR_NULL, WAIT_US, on_rival, NULL);
    cJSON_Delete(args);
    ledger_becomes(LEASES(A), "l:*", "997");
    assert_int_equal(rivals.count, 0);
    assert_int_equal(gw_ask(&gws[0], "*", 3, 997, 999, 998), ERR_OK);
    assert_int_equal(got_more(), 1);
    wait_until(&rivals.count, 1);
    assert_int_equal(rivals.more, 1);
    assert_false(rivals.is_dry);
}

static void a_pool_that_cannot_be_is_dry_and_in_nobodys_way(void **state)
{
    CLEANUP(freep) char *none = str_printf(POOL_FORMAT, "one:$LATEST", 1u, 0u, 2u, 1u);
    CLEANUP(freep) char *star = str_printf(POOL_FORMAT, "*", 1u, 0u, 2u, 1u);
    CLEANUP(freep) char *both = str_printf("%s,%s", star, none);

    (void)state;
    need_server();
    begin();
    ask(gws[0].link, "permits.ask", gw_args(&gws[0], both), STR_NULL);
    assert_int_equal(got.code, ERR_OK);
    assert_int_equal(got_more(), 2);
    assert_false(got_is("dry"));
    assert_true(cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(got_pool()->next, "dry")));
}

static void where_nothing_is_idle_it_is_dry_and_not_asked_again_at_once(void **state)
{
    uint64_t end;

    (void)state;
    need_server();
    begin();
    assert_int_equal(gw_ask(&gws[0], "*", 1, 0, 1000, 1000), ERR_OK);
    gw_states(&gws[0], "*", 2, 1000);
    assert_int_equal(gw_ask(&gws[1], "*", 1, 0, 2, 1), ERR_OK);
    assert_int_equal(got_more(), 0);
    assert_true(got_is("dry"));
    assert_int_equal(gws[0].recalls, 1);
    gw_states(&gws[0], "*", 3, 990);
    end = now_us() + MSEC(20);
    assert_int_equal(gw_ask(&gws[1], "*", 2, 0, 2, 1), ERR_OK);
    if (now_us() < end) { /* a slow machine may have taken longer */
        assert_true(got_is("dry"));
        assert_int_equal(gws[0].recalls, 1);
    }
    end = now_us() + MSEC(40);
    while (now_us() < end)
        tick();
    assert_int_equal(gw_ask(&gws[1], "*", 3, 0, 2, 1), ERR_OK);
    assert_int_equal(got_more(), 2);
    assert_int_equal(gws[0].recalls, 2);
}

static void part_of_what_is_wanted_is_better_than_nothing(void **state)
{
    (void)state;
    need_server();
    begin();
    assert_int_equal(gw_ask(&gws[0], "*", 1, 0, 995, 995), ERR_OK);
    gw_states(&gws[0], "*", 2, 995);
    assert_int_equal(gw_ask(&gws[1], "*", 1, 0, 20, 3), ERR_OK);
    assert_int_equal(got_more(), 5);
    assert_false(got_is("dry"));
    assert_int_equal(gws[0].recalls, 0); /* what is needed is there */
    assert_int_equal(gw_ask(&gws[1], "*", 2, 5, 20, 10), ERR_OK);
    assert_int_equal(got_more(), 0);
    assert_true(got_is("dry"));
    assert_int_equal(gws[0].recalls, 1);
}

static void a_gateway_that_does_not_answer_keeps_what_it_has(void **state)
{
    (void)state;
    need_server();
    begin();
    assert_int_equal(gw_ask(&gws[0], "*", 1, 0, 1000, 1), ERR_OK);
    gws[0].is_mute = true;
    assert_int_equal(gw_ask(&gws[1], "*", 1, 0, 2, 1), ERR_OK);
    assert_true(got_is("dry"));
    ledger_is(LEASES(A), "l:*", "1000");
}

/* ---- gateways that are given up ---- */

static void a_gateway_that_dies_leaves_what_runs_as_orphans(void **state)
{
    (void)state;
    need_server();
    begin();
    assert_int_equal(gw_ask(&gws[0], "*", 1, 0, 1000, 1000), ERR_OK);
    inv_runs(&invs[0], "*", 7); /* as it will say when it is fenced */
    gw_die(&gws[0]);
    ledger_becomes(RUNS_AT("node-1"), "o:*", "7");
    ledger_becomes(LEASES(A), "l:*", "");
    assert_null(strstr(invs[0].said, A));
    assert_non_null(strstr(invs[0].said, B));
    assert_int_equal(gw_ask(&gws[1], "*", 1, 0, 1000, 1), ERR_OK);
    assert_int_equal(got_more(), 993);
    inv_runs(&invs[0], "*", 0);
    inv_tells(&invs[0]);
    ledger_becomes(RUNS_AT("node-1"), "o:*", "");
    assert_int_equal(gw_ask(&gws[1], "*", 2, 993, 1000, 1000), ERR_OK);
    assert_int_equal(got_more(), 7);
}

static void an_incarnation_that_was_given_up_does_not_come_back(void **state)
{
    (void)state;
    need_server();
    begin();
    gw_die(&gws[0]);
    ledger_becomes("permits", "g:" A, "0");
    gw_connect(&gws[0], "gateway-a");
    invs[0].ever_said = A; /* it still holds what others have been granted since */
    assert_int_equal(gw_try_join(&gws[0]), ERR_STALE);
    assert_false(invs[0].has_said);
    snprintf(gws[0].id, sizeof(gws[0].id), "gateway-a.3");
    assert_int_equal(gw_try_join(&gws[0]), ERR_OK);
}

static void a_gateway_that_comes_back_in_time_keeps_its_permits(void **state)
{
    (void)state;
    need_server();
    begin();
    assert_int_equal(gw_ask(&gws[0], "*", 1, 0, 10, 10), ERR_OK);
    gw_die(&gws[0]);
    gw_connect(&gws[0], "gateway-a");
    assert_int_equal(gw_try_join(&gws[0]), ERR_OK);
    ledger_is(LEASES(A), "l:*", "10");
    assert_int_equal(gw_ask(&gws[0], "*", 2, 10, 12, 10), ERR_OK);
    assert_int_equal(got_more(), 2);
}

static void a_gateway_that_starts_anew_need_not_wait_for_its_dead_self(void **state)
{
    uint64_t begun;

    (void)state;
    need_server();
    begin();
    assert_int_equal(gw_ask(&gws[0], "*", 1, 0, 10, 10), ERR_OK);
    gw_die(&gws[0]);
    begun = now_us();
    gw_join(&gws[0], "gateway-a", "4");
    ledger_becomes(LEASES(A), "l:*", "");
    assert_true(now_us() - begun < MSEC(290));
}

static void an_invoker_that_does_not_answer_keeps_the_leases_counted(void **state)
{
    (void)state;
    need_server();
    begin();
    inv_connect(&invs[1], "node-2", "process-2");
    assert_int_equal(gw_ask(&gws[0], "*", 1, 0, 1000, 1000), ERR_OK);
    inv_die(&invs[1]); /* it runs on, for all that anybody knows */
    gw_die(&gws[0]);
    while (strstr(invs[0].said, A))
        tick();
    assert_int_equal(gw_ask(&gws[1], "*", 1, 0, 1, 1), ERR_OK);
    assert_true(got_is("dry"));
    ledger_is(LEASES(A), "l:*", "1000");
    inv_runs(&invs[1], "*", 3);
    inv_connect(&invs[1], "node-2", "process-2");
    ledger_becomes(LEASES(A), "l:*", "");
    ledger_becomes(RUNS_AT("node-2"), "o:*", "3");
    assert_int_equal(gw_ask(&gws[1], "*", 2, 0, 1000, 1), ERR_OK);
    assert_int_equal(got_more(), 997);
}

static void a_new_process_of_a_node_means_that_the_old_one_is_over(void **state)
{
    (void)state;
    need_server();
    begin();
    inv_runs(&invs[0], "*", 5);
    inv_tells(&invs[0]);
    ledger_becomes(RUNS_AT("node-1"), "o:*", "5");
    inv_die(&invs[0]);
    invs[0].seq = 0;
    inv_runs(&invs[0], "*", 0);
    inv_connect(&invs[0], "node-1", "process-9");
    ledger_becomes(RUNS_AT("node-1"), "o:*", "");
}

/* ---- Redis ---- */

static void redis_forget(void)
{
    CLEANUP(freep) char *files = str_printf("%s/appendonlydir", server.dir);

    fixture_stop(&server);
    world_done();
    dir_remove(files, NULL);
    assert_true(fixture_start(&server));
}

static void a_redis_that_was_away_and_is_the_same_goes_on(void **state)
{
    uint64_t epoch, end = now_us() + WAIT_US;

    (void)state;
    need_server();
    begin();
    epoch = gws[0].epoch;
    assert_int_equal(gw_ask(&gws[0], "*", 1, 0, 10, 10), ERR_OK);
    WORLD("CLIENT", "KILL", "TYPE", "normal");
    do {
        assert_true(now_us() < end);
    } while (gw_ask(&gws[0], "*", 2, 10, 20, 20) == ERR_UNAVAILABLE);
    assert_int_equal(got.code, ERR_OK);
    assert_int_equal(got_more(), 10);
    assert_int_equal(gws[0].epoch, epoch);
}

static void a_redis_that_lost_data_begins_a_new_epoch_with_what_runs(void **state)
{
    uint64_t old, end = now_us() + WAIT_US;

    (void)state;
    need_server();
    begin();
    old = gws[0].epoch;
    assert_int_equal(gw_ask(&gws[0], "*", 1, 0, 1000, 1000), ERR_OK);
    inv_runs(&invs[0], "*", 400);
    redis_forget();
    do {
        assert_true(now_us() < end);
    } while (gw_ask(&gws[0], "*", 2, 1000, 1000, 1000) == ERR_UNAVAILABLE);
    assert_int_equal(got.code, ERR_STALE);
    assert_int_equal(gw_try_join(&gws[0]), ERR_OK);
    assert_true(gws[0].epoch > old);
    assert_true(invs[0].epoch == gws[0].epoch);
    ledger_is(RUNS_AT("node-1"), "o:*", "400");
    assert_int_equal(gw_ask(&gws[0], "*", 1, 0, 1000, 1), ERR_OK);
    assert_int_equal(got_more(), 600);
}

/* Also where nothing was lost: nobody can know that. */
static void a_redis_that_started_anew_is_another_one(void **state)
{
    uint64_t old, end = now_us() + WAIT_US;

    (void)state;
    need_server();
    begin();
    old = gws[0].epoch;
    fixture_stop(&server);
    world_done();
    assert_true(fixture_start(&server));
    do {
        assert_true(now_us() < end);
    } while (gw_ask(&gws[0], "*", 1, 0, 1, 1) == ERR_UNAVAILABLE);
    assert_int_equal(got.code, ERR_STALE);
    assert_int_equal(gw_try_join(&gws[0]), ERR_OK);
    assert_true(gws[0].epoch > old);
}

static void recovery_waits_for_a_silent_invoker_until_it_is_surely_dead(void **state)
{
    uint64_t begun, old;

    (void)state;
    need_server();
    controller_free(c);
    config.node_fence_us = MSEC(1000);
    controller_start();
    begin();
    old = gws[0].epoch;
    begun = now_us();
    inv_connect(&invs[1], "node-2", "process-2");
    inv_die(&invs[1]);
    redis_forget();
    do { /* it may be answered before it is seen that Redis has gone */
        assert_true(now_us() - begun < WAIT_US);
        assert_int_equal(gw_try_join(&gws[0]), ERR_OK);
    } while (gws[0].epoch == old);
    assert_true(now_us() - begun >= MSEC(1000));
    assert_string_equal(WORLD("HGET", "hearth:nodes", "node-2"), "");
}

static void an_invoker_that_knows_a_newer_epoch_makes_the_leader_take_a_greater_one(void **state)
{
    (void)state;
    need_server();
    invs[0].knows_epoch = (1ull << 53) - (1ull << 30);
    begin();
    assert_true(gws[0].epoch > invs[0].knows_epoch);
}

static void a_ledger_that_is_gone_is_opened_anew(void **state)
{
    uint64_t old, end = now_us() + WAIT_US;

    (void)state;
    need_server();
    begin();
    old = gws[0].epoch;
    WORLD("DEL", PREFIX "permits");
    do {
        assert_true(now_us() < end);
    } while (gw_ask(&gws[0], "*", 1, 0, 1, 1) == ERR_UNAVAILABLE);
    assert_int_equal(got.code, ERR_STALE);
    assert_int_equal(gw_try_join(&gws[0]), ERR_OK);
    assert_true(gws[0].epoch > old);
}

/* It has not led here, or Redis would say so: this one leads on with a term that nobody has had. */
static void a_newer_term_in_the_ledger_stops_the_leader_until_its_own_is_greater(void **state)
{
    uint64_t end = now_us() + WAIT_US;

    (void)state;
    need_server();
    begin();
    WORLD("HSET", PREFIX "permits", "term", "5");
    assert_int_equal(gw_ask(&gws[0], "*", 1, 0, 1, 1), ERR_UNAVAILABLE);
    ledger_is(LEASES(A), "l:*", "");
    while (c->term < 5) {
        assert_true(now_us() < end);
        tick();
    }
    end = now_us() + MSEC(400); /* longer than the grace: their links are there */
    while (now_us() < end)
        tick();
    assert_int_equal(gw_ask(&gws[0], "*", 1, 0, 1, 1), ERR_OK);
    assert_int_equal(got_more(), 1);
}

/* ---- another leader ---- */

static void a_controller_that_starts_takes_over_what_was_granted(void **state)
{
    uint64_t epoch;

    (void)state;
    need_server();
    begin();
    epoch = gws[0].epoch;
    assert_int_equal(gw_ask(&gws[0], "*", 1, 0, 900, 900), ERR_OK);
    assert_int_equal(gw_ask(&gws[1], "*", 1, 0, 50, 50), ERR_OK);
    inv_runs(&invs[0], "*", 20);
    inv_tells(&invs[0]);
    ledger_becomes(RUNS_AT("node-1"), "o:*", "20");
    controller_free(c);
    gw_die(&gws[1]);
    inv_die(&invs[0]);
    config.gateway_grace_us = SECONDS(2); /* links are tried again after up to half of that */
    controller_start();
    wait_up(gws[0].link);
    assert_int_equal(gw_try_join(&gws[0]), ERR_OK);
    assert_int_equal(gws[0].epoch, epoch);
    inv_connect(&invs[0], "node-1", "process-1");
    assert_int_equal(gw_ask(&gws[0], "*", 2, 900, 1000, 900), ERR_OK);
    assert_int_equal(got_more(), 30);
    ledger_becomes(LEASES(B), "l:*", ""); /* it has not joined the new one */
    inv_runs(&invs[0], "*", 0);
    inv_tells(&invs[0]);
    ledger_becomes(RUNS_AT("node-1"), "o:*", "");
    ledger_is(LEASES(A), "l:*", "930");
}

/* ---- nodes ---- */

static void a_node_that_is_surely_dead_leaves_the_list_and_its_orphans(void **state)
{
    uint64_t begun;

    (void)state;
    need_server();
    controller_free(c);
    config.node_fence_us = MSEC(500);
    controller_start();
    begin();
    inv_runs(&invs[0], "*", 5);
    inv_tells(&invs[0]);
    ledger_becomes(RUNS_AT("node-1"), "o:*", "5");
    begun = now_us();
    ask(invs[0].link, "node.alive", NULL, STR_NULL);
    assert_int_equal(number_of(got.ok, "nodes"), 1);
    assert_int_equal(number_of(got.ok, "fence_ms"), 500);
    inv_die(&invs[0]);
    ledger_becomes(RUNS_AT("node-1"), "o:*", "");
    assert_true(now_us() - begun >= MSEC(540));
    while (WORLD("HGET", "hearth:nodes", "node-1")[0])
        tick();
}

static void a_node_that_leaves_is_dead_at_once(void **state)
{
    (void)state;
    need_server();
    begin();
    inv_runs(&invs[0], "*", 5);
    inv_tells(&invs[0]);
    ledger_becomes(RUNS_AT("node-1"), "o:*", "5");
    ask(invs[0].link, "node.drain", NULL, STR_NULL);
    ask(invs[0].link, "node.leave", NULL, STR_NULL);
    ledger_becomes(RUNS_AT("node-1"), "o:*", "");
    gw_die(&gws[0]); /* nobody waits for that node */
    ledger_becomes("permits", "g:" A, "0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PERMITS_TEST(a_gateway_that_has_joined_gets_permits),
        PERMITS_TEST(gateways_hear_how_many_they_are),
        PERMITS_TEST(questions_that_make_no_sense_are_refused),
        PERMITS_TEST(what_is_idle_elsewhere_is_recalled_before_anybody_is_throttled),
        PERMITS_TEST(what_came_back_is_for_all_who_wait),
        PERMITS_TEST(who_comes_while_others_are_short_gets_none_to_spare),
        PERMITS_TEST(a_pool_that_cannot_be_is_dry_and_in_nobodys_way),
        PERMITS_TEST(where_nothing_is_idle_it_is_dry_and_not_asked_again_at_once),
        PERMITS_TEST(part_of_what_is_wanted_is_better_than_nothing),
        PERMITS_TEST(a_gateway_that_does_not_answer_keeps_what_it_has),
        PERMITS_TEST(a_gateway_that_dies_leaves_what_runs_as_orphans),
        PERMITS_TEST(an_incarnation_that_was_given_up_does_not_come_back),
        PERMITS_TEST(a_gateway_that_comes_back_in_time_keeps_its_permits),
        PERMITS_TEST(a_gateway_that_starts_anew_need_not_wait_for_its_dead_self),
        PERMITS_TEST(an_invoker_that_does_not_answer_keeps_the_leases_counted),
        PERMITS_TEST(a_new_process_of_a_node_means_that_the_old_one_is_over),
        PERMITS_TEST(a_redis_that_was_away_and_is_the_same_goes_on),
        PERMITS_TEST(a_redis_that_lost_data_begins_a_new_epoch_with_what_runs),
        PERMITS_TEST(a_redis_that_started_anew_is_another_one),
        PERMITS_TEST(recovery_waits_for_a_silent_invoker_until_it_is_surely_dead),
        PERMITS_TEST(an_invoker_that_knows_a_newer_epoch_makes_the_leader_take_a_greater_one),
        PERMITS_TEST(a_ledger_that_is_gone_is_opened_anew),
        PERMITS_TEST(a_newer_term_in_the_ledger_stops_the_leader_until_its_own_is_greater),
        PERMITS_TEST(a_controller_that_starts_takes_over_what_was_granted),
        PERMITS_TEST(a_node_that_leaves_is_dead_at_once),
        PERMITS_TEST(a_node_that_is_surely_dead_leaves_the_list_and_its_orphans),
    };

    log_begin("permits_test");
    return cmocka_run_group_tests_name("permits", tests, NULL, NULL);
}
