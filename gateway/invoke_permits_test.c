/* SPDX-License-Identifier: Apache-2.0 */
/* Invocations and their permits: had, waited for, void, recalled, lost with a node. */
#include "gateway/gateway_fixture.h"

#include "gateway/admission.h"

#define STAR "[{\"account\":\"000000000000\",\"pool\":\"*\"}]"
#define RESERVED ",\"reserved\":1,\"unreserved\":0"
#define DROP "{\"account\":\"000000000000\",\"name\":\"hello\"}"

static void start(struct fixture *f, struct answer *a)
{
    ask(f, a, "POST", PATH "hello/invocations", NULL, STR("{}"));
}

static void keep_one(struct fixture *f, struct answer *a)
{
    f->nodes[0].behaviour = KEEP;
    start(f, a);
    run_until(f, has_kept);
}

static bool has_asked_twice(struct fixture *f)
{
    return f->ledger.asks >= 2;
}

static bool has_permits(struct fixture *f)
{
    return fake_pool(&f->ledger, "*")->lease > 0;
}

static void an_invocation_waits_for_the_join_and_for_the_ledger(void **state)
{
    struct answer a;
    struct fixture f;

    (void)state;
    begin(&f, 1);
    f.ledger.ask_with = ERR_UNAVAILABLE;
    start(&f, &a);
    run_until(&f, has_asked_twice);
    f.ledger.ask_with = ERR_OK;
    hear(&f, &a);
    expect(&a, 200, "{}");
    assert_true(str_starts(str_of(f.ledger.gateway), str_of(f.process))); /* the leader finds its link by that */
    assert_int_equal(f.ledger.gateway[strlen(f.process)], '.');
    end(&f);
}

static void the_wait_for_a_permit_ends_with_a_reason(void **state)
{
    struct answer a;
    struct fixture f;

    (void)state;
    begin_with(&f, 1, "30ms", 1000);
    f.ledger.ask_with = ERR_UNAVAILABLE;
    invoke(&f, &a, STR("{}"));
    expect_part(&a, 503,
                "There was no permit to run for as long as the invocation might wait: as the test "
                "has it. It was not run; try again.");
    assert_int_equal(f.nodes[0].asked, 0);
    end(&f);
}

static void a_gateway_that_was_given_up_joins_as_somebody_else(void **state)
{
    char before[96];
    struct answer a, b;
    struct fixture f;

    (void)state;
    begin(&f, 1);
    keep_one(&f, &a);
    recall(&f, STAR, "[]"); /* there is none to spare now */
    snprintf(before, sizeof(before), "%s", f.ledger.gateway);
    snprintf(f.ledger.gateway, sizeof(f.ledger.gateway), "another");
    recall(&f, STAR, "[]");
    assert_string_equal(f.recalled, "STALE");
    f.nodes[0].behaviour = ECHO;
    invoke(&f, &b, STR("{}")); /* its question is STALE, too */
    expect(&b, 200, "{}");
    assert_int_equal(f.ledger.joins, 2);
    assert_string_not_equal(f.ledger.gateway, before);
    assert_string_equal(f.nodes[0].gateway, f.ledger.gateway);
    answer_kept(&f.nodes[0]); /* whose permit is void */
    hear(&f, &a);
    expect(&a, 200, "{}");
    end(&f);
}

static void a_fenced_permit_is_void_and_a_new_one_waited_for(void **state)
{
    struct answer a;
    struct fixture f;

    (void)state;
    begin(&f, 1);
    invoke(&f, &a, STR("{}"));
    expect(&a, 200, "{}");
    f.ledger.epoch = 8; /* recovered; nobody has told the gateway */
    f.nodes[0].behaviour = REFUSE;
    f.nodes[0].refuse_with = ERR_FENCED;
    f.nodes[0].refusals = 1;
    invoke(&f, &a, STR("{\"n\":1}"));
    expect(&a, 200, "{\"n\":1}");
    assert_int_equal(f.nodes[0].epoch, 8);
    assert_int_equal(f.nodes[0].asked, 3);
    assert_int_equal(f.ledger.joins, 2);
    end(&f);
}

static void fenced_without_end_ends_with_the_wait(void **state)
{
    struct answer a;
    struct fixture f;

    (void)state;
    begin_with(&f, 1, "250ms", 1000);
    f.nodes[0].behaviour = REFUSE;
    f.nodes[0].refuse_with = ERR_FENCED;
    invoke(&f, &a, STR("{}"));
    expect_part(&a, 503, "not run");
    assert_in_range(f.ledger.joins, 2, 5); /* with pauses */
    end(&f);
}

static void idle_permits_are_given_back_when_others_want_them(void **state)
{
    struct answer a;
    struct fixture f;

    (void)state;
    begin(&f, 1);
    keep_one(&f, &a);
    assert_int_equal(fake_pool(&f.ledger, "*")->lease, 2);
    recall(&f, STAR, "[]");
    assert_non_null(strstr(f.recalled, "\"pool\":\"*\",\"seq\":2,\"held\":1"));
    assert_null(strstr(f.recalled, "want"));
    fake_pool(&f.ledger, "*")->seq = 2;
    fake_pool(&f.ledger, "*")->lease = 1;
    recall(&f, "{}", "[]");
    assert_string_equal(f.recalled, "BAD_REQUEST");
    answer_kept(&f.nodes[0]);
    hear(&f, &a);
    expect(&a, 200, "{}");
    end(&f);
}

static void what_runs_is_counted_where_the_function_is_reserved(void **state)
{
    struct answer a, b;
    struct fixture f;

    (void)state;
    begin(&f, 1);
    keep_one(&f, &a);
    f.limits = RESERVED;
    fake_pool(&f.ledger, "hello")->limit = 1;
    drop_routes(&f, DROP);
    recall(&f, STAR, "[{\"account\":\"000000000000\",\"function\":\"hello\"}]");
    assert_non_null(strstr(f.recalled, "\"pool\":\"*\",\"seq\":2,\"held\":0}"));
    assert_non_null(strstr(f.recalled, "\"pool\":\"hello\",\"seq\":3,\"held\":1,\"moved\":true}"));
    fake_pool(&f.ledger, "*")->lease = 0;
    fake_pool(&f.ledger, "hello")->lease = 1;
    invoke(&f, &b, STR("{}")); /* there is one, and it runs */
    expect_part(&b, 429, ADMISSION_FUNCTION);
    answer_kept(&f.nodes[0]);
    hear(&f, &a);
    expect(&a, 200, "{}");
    do
        invoke(&f, &b, STR("{}"));
    while (b.status == 429 && (buf_done(&b.body), true));
    expect(&b, 200, "{}");
    assert_string_equal(f.nodes[0].pool, "hello");
    end(&f);
}

static void who_gets_no_permit_takes_no_place_in_the_rate(void **state)
{
    struct answer a, b;
    struct fixture f;
    int i;

    (void)state;
    begin(&f, 1);
    f.limits = RESERVED;
    fake_pool(&f.ledger, "hello")->limit = 1;
    keep_one(&f, &a);
    for (i = 0; i < 30; i++) { /* three times what may begin in a second */
        invoke(&f, &b, STR("{}"));
        expect_part(&b, 429, ADMISSION_FUNCTION);
    }
    answer_kept(&f.nodes[0]);
    hear(&f, &a);
    expect(&a, 200, "{}");
    end(&f);
}

static void an_invocation_keeps_its_permit_from_node_to_node(void **state)
{
    struct answer a;
    struct fixture f;

    (void)state;
    begin_with(&f, 2, "60s", 1);
    f.nodes[0].behaviour = f.nodes[1].behaviour = REFUSE;
    f.nodes[0].refuse_with = f.nodes[1].refuse_with = ERR_UNAVAILABLE;
    f.nodes[0].refusals = f.nodes[1].refusals = 1;
    invoke(&f, &a, STR("{}"));
    expect(&a, 200, "{}");
    assert_int_equal(f.nodes[0].asked + f.nodes[1].asked, 3);
    assert_int_equal(f.ledger.asks, 1);
    end(&f);
}

static void one_whose_limits_change_while_it_waits_takes_another_permit(void **state)
{
    struct answer a;
    struct fixture f;

    (void)state;
    begin(&f, 0);
    start(&f, &a); /* it has a permit, and waits for a node */
    run_until(&f, has_permits);
    f.limits = RESERVED;
    fake_pool(&f.ledger, "hello")->limit = 1;
    drop_routes(&f, DROP);
    f.node_count = 1;
    node_start(&f, 0);
    send_nodes(&f);
    hear(&f, &a);
    expect(&a, 200, "{}");
    assert_string_equal(f.nodes[0].pool, "hello");
    end(&f);
}

static bool was_asked_for_lost(struct fixture *f)
{
    return f->nodes[0].alive_asked >= 2;
}

/* Until the one permit that there is has been given back: others are served. */
static void expect_served_again(struct fixture *f)
{
    struct answer a;

    do
        invoke(f, &a, STR("{}"));
    while (a.status == 429 && (buf_done(&a.body), true));
    expect(&a, 200, "{}");
}

static void a_lost_node_keeps_its_permits_until_it_says_that_they_ended(void **state)
{
    struct answer a;
    struct fixture f;

    (void)state;
    begin_with(&f, 1, "60s", 1);
    keep_one(&f, &a);
    node_die(&f, 0);
    hear(&f, &a);
    expect_part(&a, 500, "was lost before it answered");
    invoke(&f, &a, STR("{}"));
    expect_part(&a, 429, ADMISSION_ACCOUNT); /* for all that is known, it runs */
    f.nodes[0].still_runs = true;
    f.nodes[0].behaviour = ECHO;
    node_start(&f, 0);
    run_until(&f, was_asked_for_lost);
    invoke(&f, &a, STR("{}"));
    expect_part(&a, 429, ADMISSION_ACCOUNT);
    ask(&f, &a, "GET", "/_hearth/health", NULL, STR_NULL);
    hear(&f, &a);
    expect_part(&a, 200, "\"pool\":\"*\",\"held\":1,\"used\":1,\"waiting\":0}],\"lost_runs\":1}");
    f.nodes[0].still_runs = false;
    expect_served_again(&f);
    end(&f);
}

static void a_node_that_left_the_list_has_ended_everything(void **state)
{
    struct answer a;
    struct fixture f;

    (void)state;
    begin_with(&f, 1, "60s", 1);
    keep_one(&f, &a);
    node_die(&f, 0);
    hear(&f, &a);
    expect_part(&a, 500, "was lost before it answered");
    invoke(&f, &a, STR("{}"));
    expect_part(&a, 429, ADMISSION_ACCOUNT);
    f.node_count = 2;
    f.nodes_left = 1;
    node_start(&f, 1);
    send_nodes(&f);
    expect_served_again(&f);
    end(&f);
}

static bool was_asked_for_lost_elsewhere(struct fixture *f)
{
    return f->nodes[1].alive_asked >= 2;
}

/* The way from it to its controller is another one: the same process, which runs on. */
static void a_node_with_another_address_is_asked_there(void **state)
{
    struct answer a;
    struct fixture f;

    (void)state;
    begin_with(&f, 1, "60s", 1);
    keep_one(&f, &a);
    node_die(&f, 0);
    hear(&f, &a);
    expect_part(&a, 500, "was lost before it answered");
    f.nodes[1].still_runs = true;
    node_start(&f, 1);
    snprintf(f.nodes[0].address, sizeof(f.nodes[0].address), "%s", f.nodes[1].address);
    send_nodes(&f);
    run_until(&f, was_asked_for_lost_elsewhere);
    invoke(&f, &a, STR("{}"));
    expect_part(&a, 429, ADMISSION_ACCOUNT);
    f.nodes[1].still_runs = false;
    expect_served_again(&f);
    f.node_count = 2; /* both end */
    end(&f);
}

static void a_client_that_leaves_leaves_the_run_and_its_permit(void **state)
{
    struct answer a, b;
    struct fixture f;

    (void)state;
    begin_with(&f, 1, "60s", 1);
    keep_one(&f, &a);
    http_call_cancel(a.call);
    buf_done(&a.body);
    invoke(&f, &b, STR("{}"));
    expect_part(&b, 429, ADMISSION_ACCOUNT);
    assert_int_equal(f.nodes[0].resets, 0);
    answer_kept(&f.nodes[0]);
    expect_served_again(&f);
    /* one that had not begun is not run at all */
    keep_one(&f, &a);
    http_call_cancel(a.call);
    buf_done(&a.body);
    f.nodes[0].behaviour = REFUSE;
    f.nodes[0].refuse_with = ERR_UNAVAILABLE;
    f.nodes[0].refusals = 1;
    node_answer(&f.nodes[0], TAKE(f.nodes[0].kept), STR_NULL);
    forget_kept(&f.nodes[0]);
    f.nodes[0].behaviour = ECHO;
    expect_served_again(&f);
    end(&f);
}

static void a_client_that_leaves_while_it_waits_for_a_permit_waits_no_more(void **state)
{
    struct answer a;
    struct fixture f;

    (void)state;
    begin_with(&f, 1, "60s", 1);
    f.ledger.ask_with = ERR_UNAVAILABLE;
    start(&f, &a);
    run_until(&f, has_asked_twice);
    http_call_cancel(a.call);
    buf_done(&a.body);
    f.ledger.ask_with = ERR_OK;
    expect_served_again(&f);
    assert_int_equal(f.nodes[0].asked, 1);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_invocation_waits_for_the_join_and_for_the_ledger),
        cmocka_unit_test(the_wait_for_a_permit_ends_with_a_reason),
        cmocka_unit_test(a_gateway_that_was_given_up_joins_as_somebody_else),
        cmocka_unit_test(a_fenced_permit_is_void_and_a_new_one_waited_for),
        cmocka_unit_test(fenced_without_end_ends_with_the_wait),
        cmocka_unit_test(idle_permits_are_given_back_when_others_want_them),
        cmocka_unit_test(what_runs_is_counted_where_the_function_is_reserved),
        cmocka_unit_test(who_gets_no_permit_takes_no_place_in_the_rate),
        cmocka_unit_test(an_invocation_keeps_its_permit_from_node_to_node),
        cmocka_unit_test(one_whose_limits_change_while_it_waits_takes_another_permit),
        cmocka_unit_test(a_lost_node_keeps_its_permits_until_it_says_that_they_ended),
        cmocka_unit_test(a_node_that_left_the_list_has_ended_everything),
        cmocka_unit_test(a_node_with_another_address_is_asked_there),
        cmocka_unit_test(a_client_that_leaves_leaves_the_run_and_its_permit),
        cmocka_unit_test(a_client_that_leaves_while_it_waits_for_a_permit_waits_no_more),
    };

    log_init("invoke_permits_test", LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
