/* SPDX-License-Identifier: Apache-2.0 */
/* Invocations that meet changes, full nodes, lost nodes, or none. */
#include "gateway/gateway_fixture.h"

static void a_stale_route_is_resolved_again_until_it_serves(void **state)
{
    struct answer a;
    struct fixture f;

    (void)state;
    begin(&f, 1);
    invoke(&f, &a, STR("{}"));
    expect(&a, 200, "{}");
    f.generation = 2;
    f.nodes[0].behaviour = REFUSE;
    f.nodes[0].refuse_with = ERR_STALE;
    f.nodes[0].refusals = 3;
    invoke(&f, &a, STR("{}"));
    expect(&a, 200, "{}");
    assert_int_equal(f.nodes[0].asked, 5);
    assert_int_equal(f.nodes[0].generation, 2);
    assert_int_equal(f.resolves, 4);
    end(&f);
}

static void a_change_without_end_ends_with_the_wait(void **state)
{
    struct answer a;
    struct fixture f;

    (void)state;
    begin_with(&f, 1, "20ms", 1000);
    f.nodes[0].behaviour = REFUSE;
    f.nodes[0].refuse_with = ERR_STALE;
    invoke(&f, &a, STR("{}"));
    expect_part(&a, 503, "The function was being changed for as long as");
    assert_in_range(f.nodes[0].asked, 1, 8); /* with growing pauses */
    end(&f);
}

static void a_dropped_route_is_not_used_again(void **state)
{
    struct answer a;
    struct fixture f;

    (void)state;
    begin(&f, 1);
    invoke(&f, &a, STR("{}"));
    expect(&a, 200, "{}");
    f.generation = 2;
    drop_routes(&f, "{\"account\":\"000000000000\",\"name\":\"hello\"}");
    invoke(&f, &a, STR("{}"));
    expect(&a, 200, "{}");
    assert_int_equal(f.nodes[0].generation, 2);
    end(&f);
}

static void a_full_node_gives_way_to_another(void **state)
{
    struct answer a;
    struct fixture f;
    int i;

    (void)state;
    begin_with(&f, 2, "200ms", 1000);
    f.nodes[0].behaviour = REFUSE;
    f.nodes[0].refuse_with = ERR_THROTTLED;
    for (i = 0; i < 3; i++) {
        invoke(&f, &a, STR("{}"));
        expect(&a, 200, "{}");
    }
    assert_int_equal(f.nodes[1].asked, 3);
    assert_in_range(f.nodes[0].asked, 0, 1); /* the one that has its sandbox is asked first */
    f.nodes[1].behaviour = REFUSE;
    f.nodes[1].refuse_with = ERR_THROTTLED;
    invoke(&f, &a, STR("{}"));
    expect(&a, 429,
           "{\"Reason\":\"ConcurrentInvocationLimitExceeded\",\"Type\":\"User\",\"message\":\"Rate "
           "Exceeded. (the node has no room)\"}");
    assert_in_range(f.nodes[0].asked, 1, 10); /* both again and again, for the whole wait */
    assert_in_range(f.nodes[1].asked, 5, 14);
    end(&f);
}

static void a_node_lost_while_it_runs_is_an_error_and_no_second_run(void **state)
{
    struct answer a;
    struct fixture f;

    (void)state;
    begin(&f, 2);
    f.nodes[0].behaviour = f.nodes[1].behaviour = KEEP;
    ask(&f, &a, "POST", PATH "hello/invocations", NULL, STR("{}"));
    run_until(&f, has_kept);
    node_die(&f, 0);
    hear(&f, &a);
    expect_part(&a, 500, "was lost before it answered");
    assert_int_equal(f.nodes[1].asked, 0);
    f.nodes[1].behaviour = ECHO;
    invoke(&f, &a, STR("{}"));
    expect(&a, 200, "{}");
    end(&f);
}

static void a_node_that_drains_finishes_what_it_has_and_gets_nothing_new(void **state)
{
    struct answer a, b;
    struct fixture f;

    (void)state;
    begin(&f, 2);
    node_tells(&f, 1, "{\"memory_mib\":1000,\"free_mib\":500,\"idle_mib\":0,\"versions\":[]}");
    node_tells(&f, 0, "{\"memory_mib\":1000,\"free_mib\":900,\"idle_mib\":0,\"versions\":[]}");
    f.nodes[0].behaviour = KEEP;
    ask(&f, &a, "POST", PATH "hello/invocations", NULL, STR("{}"));
    run_until(&f, has_kept);
    node_tells(&f, 0,
               "{\"memory_mib\":1000,\"free_mib\":900,\"idle_mib\":0,\"draining\":true,\"versions\":["
               "{\"account\":\"000000000000\",\"name\":\"hello\",\"version\":\"$LATEST\",\"generation\":1,"
               "\"idle\":1,\"kept\":0}]}");
    invoke(&f, &b, STR("{}"));
    expect(&b, 200, "{}");
    assert_int_equal(f.nodes[0].asked, 1);
    assert_int_equal(f.nodes[1].asked, 1);
    node_answer(&f.nodes[0], f.nodes[0].kept, STR("late"));
    forget_kept(&f.nodes[0]);
    hear(&f, &a);
    expect(&a, 200, "late");
    f.draining = 2; /* the other one, by the controller's list */
    f.wanted_acks = f.acks + 1;
    send_nodes(&f);
    run_until(&f, has_wanted_acks);
    f.nodes[0].behaviour = ECHO;
    ask(&f, &a, "POST", PATH "hello/invocations", NULL, STR("{}"));
    node_tells(&f, 0, "{\"memory_mib\":1000,\"free_mib\":900,\"idle_mib\":0,\"versions\":[]}");
    hear(&f, &a); /* it waited until one could be asked again */
    expect(&a, 200, "{}");
    assert_int_equal(f.nodes[0].asked, 2);
    assert_int_equal(f.nodes[1].asked, 1);
    ask(&f, &a, "GET", "/_hearth/health", NULL, STR_NULL);
    hear(&f, &a);
    expect_part(&a, 200, "{\"id\":\"n1\",\"link\":\"up\",\"in_flight\":0,\"memory_mib\":1000,"
                         "\"free_mib\":500,\"draining\":true}");
    end(&f);
}

static void warm_goes_before_empty_by_the_nodes_own_word(void **state)
{
    struct answer a;
    struct fixture f;

    (void)state;
    begin(&f, 2);
    node_tells(&f, 0, "{\"memory_mib\":1000,\"free_mib\":1000,\"idle_mib\":0,\"versions\":[]}");
    node_tells(&f, 1,
               "{\"memory_mib\":1000,\"free_mib\":0,\"idle_mib\":128,\"versions\":["
               "{\"account\":\"000000000000\",\"name\":\"hello\",\"version\":\"$LATEST\",\"generation\":1,"
               "\"idle\":1,\"kept\":0}]}");
    invoke(&f, &a, STR("{}"));
    expect(&a, 200, "{}");
    assert_int_equal(f.nodes[1].asked, 1);
    assert_int_equal(f.nodes[1].flags & INVOKE_ROOM_ONLY, INVOKE_ROOM_ONLY); /* it may be an old word */
    node_die(&f, 0);
    end(&f);
}

static void the_only_node_may_queue_it(void **state)
{
    struct answer a;
    struct fixture f;

    (void)state;
    begin_with(&f, 1, "30s", 1000);
    node_tells(&f, 0, "{\"memory_mib\":128,\"free_mib\":0,\"idle_mib\":0,\"versions\":[]}");
    invoke(&f, &a, STR("{}"));
    expect(&a, 200, "{}");
    assert_int_equal(f.nodes[0].flags & INVOKE_ROOM_ONLY, 0);
    assert_in_range(f.nodes[0].wait_ms, 29000, 30000);
    f.nodes[0].behaviour = REFUSE;
    f.nodes[0].refuse_with = ERR_THROTTLED;
    node_tells(&f, 0, "{\"memory_mib\":64,\"free_mib\":0,\"idle_mib\":0,\"versions\":[]}");
    drop_routes(&f, "{\"account\":\"000000000000\",\"name\":\"hello\"}");
    node_tells(&f, 0, "{\"memory_mib\":64,\"free_mib\":0,\"idle_mib\":0,\"all\":true,\"versions\":[]}");
    invoke(&f, &a, STR("{}")); /* larger than any node: nobody waits for that */
    expect_part(&a, 429, "Rate Exceeded. (the node has no room)");
    end(&f);
}

static void an_invocation_waits_for_a_node_to_come(void **state)
{
    struct answer a;
    struct fixture f;

    (void)state;
    begin(&f, 0);
    ask(&f, &a, "POST", PATH "hello/invocations", NULL, STR("{}"));
    f.node_count = 1;
    node_start(&f, 0);
    send_nodes(&f);
    hear(&f, &a);
    expect(&a, 200, "{}");
    end(&f);
}

static void the_wait_for_a_node_ends_with_a_reason(void **state)
{
    struct answer a;
    struct fixture f;

    (void)state;
    begin_with(&f, 0, "10ms", 1000);
    invoke(&f, &a, STR("{}"));
    expect_part(&a, 503, "No node has registered");
    ask(&f, &a, "GET", "/_hearth/health", NULL, STR_NULL);
    hear(&f, &a);
    expect_part(&a, 503, "{\"status\":\"starting\"");
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stale_route_is_resolved_again_until_it_serves),
        cmocka_unit_test(a_change_without_end_ends_with_the_wait),
        cmocka_unit_test(a_dropped_route_is_not_used_again),
        cmocka_unit_test(a_full_node_gives_way_to_another),
        cmocka_unit_test(a_node_lost_while_it_runs_is_an_error_and_no_second_run),
        cmocka_unit_test(a_node_that_drains_finishes_what_it_has_and_gets_nothing_new),
        cmocka_unit_test(warm_goes_before_empty_by_the_nodes_own_word),
        cmocka_unit_test(the_only_node_may_queue_it),
        cmocka_unit_test(an_invocation_waits_for_a_node_to_come),
        cmocka_unit_test(the_wait_for_a_node_ends_with_a_reason),
    };

    log_init("invoke_retry_test", LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
