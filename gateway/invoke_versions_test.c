/* SPDX-License-Identifier: Apache-2.0 */
/* Invocations of versions and aliases, and the limits that a function's versions share. */
#include "gateway/gateway_fixture.h"

#define DROP "{\"account\":\"000000000000\",\"name\":\"hello\"}"
#define RESERVED_BODY                                                                              \
    "{\"Reason\":\"ReservedFunctionConcurrentInvocationLimitExceeded\",\"Type\":\"User\","         \
    "\"message\":\"Rate Exceeded.\"}"
#define ACCOUNT_BODY                                                                               \
    "{\"Reason\":\"ConcurrentInvocationLimitExceeded\",\"Type\":\"User\",\"message\":\"Rate "       \
    "Exceeded.\"}"

static void call(struct fixture *f, struct answer *a, const char *target)
{
    CLEANUP(freep) char *path = str_printf(PATH "%s", target);

    ask(f, a, "POST", path, NULL, STR("{}"));
    hear(f, a);
}

static void the_arn_has_the_qualifier_as_it_was_given(void **state)
{
    static const struct {
        const char *target, *qualifier, *arn;
    } cases[] = {
        {"hello/invocations", "", FUNCTION_ARN},
        {"hello/invocations?Qualifier=%24LATEST", "$LATEST", FUNCTION_ARN ":$LATEST"},
        {"hello:live/invocations", "live", FUNCTION_ARN ":live"},
        {"hello:3/invocations?Qualifier=3", "3", FUNCTION_ARN ":3"},
        {"000000000000:function:hello:live/invocations", "live", FUNCTION_ARN ":live"},
        {"arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Ahello%3A7/invocations", "7",
         FUNCTION_ARN ":7"},
    };
    struct answer a;
    struct fixture f;
    size_t i;

    (void)state;
    begin(&f, 1);
    f.targets = "[" TARGET("3", "5", "Active", "1") "]";
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        drop_routes(&f, DROP);
        call(&f, &a, cases[i].target);
        expect(&a, 200, "{}");
        assert_string_equal(f.qualifier, cases[i].qualifier);
        assert_string_equal(f.nodes[0].arn, cases[i].arn);
        assert_string_equal(f.nodes[0].version, "3");
        assert_int_equal(f.nodes[0].generation, 5);
    }
    end(&f);
}

static void what_is_not_there_is_named_with_its_qualifier(void **state)
{
    struct answer a;
    struct fixture f;

    (void)state;
    begin(&f, 0);
    f.state = NULL;
    call(&f, &a, "hello:nothing/invocations");
    expect(&a, 404,
           "{\"Message\":\"Function not found: " FUNCTION_ARN ":nothing\",\"Type\":\"User\"}");
    call(&f, &a, "hello/invocations?Qualifier=9");
    expect(&a, 404, "{\"Message\":\"Function not found: " FUNCTION_ARN ":9\",\"Type\":\"User\"}");
    call(&f, &a, "hello/invocations");
    expect(&a, 404,
           "{\"Message\":\"Function not found: " FUNCTION_ARN ":$LATEST\",\"Type\":\"User\"}");
    call(&f, &a, "hello:1/invocations?Qualifier=2");
    expect_part(&a, 400,
                "The derived qualifier from the function name does not match the specified "
                "qualifier.");
    end(&f);
}

static void an_alias_shares_its_invocations_out_by_weight(void **state)
{
    enum { CALLS = 400 };
    struct answer a;
    struct fixture f;
    int i;

    (void)state;
    begin(&f, 1);
    f.targets = "[" TARGET("1", "1", "Active", "0.75") "," TARGET("2", "4", "Active", "0.25") "]";
    for (i = 0; i < CALLS; i++) {
        call(&f, &a, "hello:live/invocations");
        expect(&a, 200, "{}");
        assert_int_equal(f.nodes[0].generation, f.nodes[0].version[0] == '1' ? 1 : 4);
    }
    assert_int_equal(f.nodes[0].asked_of[1] + f.nodes[0].asked_of[2], CALLS);
    assert_in_range(f.nodes[0].asked_of[2], CALLS / 4 - 50, CALLS / 4 + 50); /* over 5 sigma */
    assert_int_equal(f.resolves, 1);
    end(&f);
}

static void each_target_has_its_own_state(void **state)
{
    struct answer a;
    struct fixture f;

    (void)state;
    begin(&f, 1);
    f.targets = "[" TARGET("1", "1", "Active", "0") "," TARGET("2", "1", "Pending", "1") "]";
    call(&f, &a, "hello:live/invocations");
    expect_part(&a, 409, "currently in the following state: Pending");
    f.targets = "[" TARGET("1", "1", "Active", "1") "," TARGET("2", "1", "Pending", "0") "]";
    call(&f, &a, "hello:live/invocations");
    expect(&a, 200, "{}");
    call(&f, &a, "hello:live/invocations");
    expect(&a, 200, "{}");
    assert_int_equal(f.resolves, 4); /* not kept while one of them may change; once more after a wait */
    end(&f);
}

static void retries_stay_with_the_version_while_the_route_has_it(void **state)
{
    struct answer a;
    struct fixture f;

    (void)state;
    begin(&f, 1);
    f.nodes[0].behaviour = REFUSE;
    f.nodes[0].refuse_with = ERR_STALE;
    f.nodes[0].refusals = 12;
    f.targets = "[" TARGET("1", "1", "Active", "0.5") "," TARGET("2", "1", "Active", "0.5") "]";
    call(&f, &a, "hello:live/invocations");
    expect(&a, 200, "{}");
    assert_int_equal(f.nodes[0].asked, 13);
    assert_int_equal(f.nodes[0].asked_of[f.nodes[0].version[0] - '0'], 13);
    end(&f);
}

static void a_version_that_the_route_lost_gives_way(void **state)
{
    struct answer a;
    struct fixture f;

    (void)state;
    begin(&f, 1);
    f.targets = "[" TARGET("1", "1", "Active", "1") "]";
    call(&f, &a, "hello:live/invocations");
    expect(&a, 200, "{}");
    f.targets = "[" TARGET("2", "1", "Active", "1") "]"; /* the drop is still on its way */
    f.nodes[0].behaviour = REFUSE;
    f.nodes[0].refuse_with = ERR_STALE;
    f.nodes[0].refusals = 1;
    call(&f, &a, "hello:live/invocations");
    expect(&a, 200, "{}");
    assert_int_equal(f.nodes[0].asked_of[1], 2);
    assert_int_equal(f.nodes[0].asked_of[2], 1);
    end(&f);
}

static void a_reservation_counts_over_all_qualifiers(void **state)
{
    struct answer a, b;
    struct fixture f;

    (void)state;
    begin(&f, 1);
    fake_pool(&f.ledger, "hello")->limit = 1;
    f.limits = ",\"reserved\":1,\"unreserved\":0";
    f.nodes[0].behaviour = KEEP;
    ask(&f, &a, "POST", PATH "hello/invocations", NULL, STR("{}"));
    run_until(&f, has_kept);
    call(&f, &b, "hello:live/invocations");
    expect(&b, 429, RESERVED_BODY);
    drop_routes(&f, DROP);
    call(&f, &b, "hello/invocations"); /* a new route forgets nobody who runs */
    expect(&b, 429, RESERVED_BODY);
    assert_string_equal(f.nodes[0].pool, "hello");
    answer_kept(&f.nodes[0]);
    hear(&f, &a);
    expect(&a, 200, "{}");
    call(&f, &b, "hello:live/invocations");
    expect(&b, 200, "{}");
    end(&f);
}

static void a_reservation_of_nothing_throttles_always(void **state)
{
    static const char *const dry[] = {"X-Amz-Invocation-Type: DryRun", NULL};
    struct answer a;
    struct fixture f;

    (void)state;
    begin(&f, 1);
    f.limits = ",\"reserved\":0,\"unreserved\":1000";
    call(&f, &a, "hello/invocations");
    expect(&a, 429, RESERVED_BODY);
    call(&f, &a, "hello/invocations");
    expect(&a, 429, RESERVED_BODY);
    ask(&f, &a, "POST", PATH "hello/invocations", dry, STR("{}"));
    hear(&f, &a);
    expect(&a, 204, "");
    assert_int_equal(f.nodes[0].asked, 0);
    end(&f);
}

#define USED "{\"account\":\"000000000000\",\"name\":\"hello\",\"version\":\""

static void a_provisioned_version_has_permits_of_its_own(void **state)
{
    static const char targets[] =
        "[{\"version\":\"3\",\"generation\":1,\"state\":\"Active\",\"timeout_s\":3,\"weight\":1,"
        "\"provisioned\":true}]";
    struct answer a, b;
    struct fixture f;

    (void)state;
    begin(&f, 1);
    f.targets = targets;
    fake_pool(&f.ledger, "hello:3")->limit = 1;
    f.nodes[0].behaviour = KEEP;
    ask(&f, &a, "POST", PATH "hello:3/invocations", NULL, STR("{}"));
    run_until(&f, has_kept);
    assert_string_equal(f.nodes[0].pool, "hello:3");
    answer_kept(&f.nodes[0]);
    hear(&f, &a);
    expect(&a, 200, "{}");
    f.nodes[0].behaviour = KEEP;
    ask(&f, &a, "POST", PATH "hello:3/invocations", NULL, STR("{}"));
    run_until(&f, has_kept);
    f.nodes[0].behaviour = ECHO;
    call(&f, &b, "hello:3/invocations"); /* the second one at once spills over */
    expect(&b, 200, "{}");
    assert_string_equal(f.nodes[0].pool, "*");
    /* target tracking goes by the first one: the other did not run on what is provisioned */
    ask_usage(&f, "{\"versions\":[" USED "2\"}," USED "3\"}]}");
    assert_string_equal(f.recalled, "{\"used\":[0,1]}");
    answer_kept(&f.nodes[0]);
    hear(&f, &a);
    expect(&a, 200, "{}");
    ask_usage(&f, "{\"versions\":[" USED "3\"}]}"); /* it ran when that was asked last */
    assert_string_equal(f.recalled, "{\"used\":[1]}");
    ask_usage(&f, "{\"versions\":[" USED "3\"}]}");
    assert_string_equal(f.recalled, "{\"used\":[0]}");
    ask_usage(&f, "{\"versions\":[{\"name\":\"hello\"}]}");
    assert_string_equal(f.recalled, "BAD_REQUEST");
    ask_usage(&f, "{}");
    assert_string_equal(f.recalled, "BAD_REQUEST");
    call(&f, &b, "hello:3/invocations");
    expect(&b, 200, "{}");
    assert_string_equal(f.nodes[0].pool, "hello:3");
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_arn_has_the_qualifier_as_it_was_given),
        cmocka_unit_test(what_is_not_there_is_named_with_its_qualifier),
        cmocka_unit_test(an_alias_shares_its_invocations_out_by_weight),
        cmocka_unit_test(each_target_has_its_own_state),
        cmocka_unit_test(retries_stay_with_the_version_while_the_route_has_it),
        cmocka_unit_test(a_version_that_the_route_lost_gives_way),
        cmocka_unit_test(a_reservation_counts_over_all_qualifiers),
        cmocka_unit_test(a_reservation_of_nothing_throttles_always),
        cmocka_unit_test(a_provisioned_version_has_permits_of_its_own),
    };

    log_init("invoke_versions_test", LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
