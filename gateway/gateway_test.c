/* SPDX-License-Identifier: Apache-2.0 */
/* The gateway as a whole: management, health, limits of bodies, stopping. */
#include "gateway/gateway_fixture.h"

static void large_payloads_pass_both_ways(void **state)
{
    struct buf big = BUF_INIT(8u << 20);
    struct answer a;
    struct fixture f;

    (void)state;
    begin(&f, 1);
    buf_append_char(&big, '"');
    while (big.len < 6291455)
        buf_append_char(&big, 'x');
    buf_append_char(&big, '"');
    invoke(&f, &a, buf_str(&big));
    assert_int_equal(a.status, 200);
    assert_true(str_eq(buf_str(&a.body), buf_str(&big)));
    buf_done(&a.body);
    big.ptr[big.len - 1] = 'x';
    buf_append_char(&big, '"');
    invoke(&f, &a, buf_str(&big));
    expect(&a, 413,
           "{\"Type\":\"User\",\"message\":\"Request must be smaller than 6291456 bytes for the "
           "InvokeFunction operation\"}");
    buf_done(&big);
    end(&f);
}

static void known_functions_run_while_the_controller_is_away(void **state)
{
    struct answer a;
    struct fixture f;

    (void)state;
    begin_with(&f, 1, "10ms", 1000);
    invoke(&f, &a, STR("{}"));
    expect(&a, 200, "{}");
    ask(&f, &a, "GET", "/_hearth/health", NULL, STR_NULL);
    hear(&f, &a);
    expect_part(&a, 200, "\"status\":\"ok\"");
    link_server_free(f.controller);
    f.controller = NULL;
    invoke(&f, &a, STR("{}"));
    expect(&a, 200, "{}");
    ask(&f, &a, "POST", PATH "other/invocations", NULL, STR("{}"));
    hear(&f, &a);
    expect_part(&a, 503, "The controller cannot be reached");
    ask(&f, &a, "GET", PATH "hello", NULL, STR_NULL);
    hear(&f, &a);
    expect_part(&a, 503, "The controller cannot be reached");
    ask(&f, &a, "GET", "/_hearth/health", NULL, STR_NULL);
    hear(&f, &a);
    expect_part(&a, 200, "\"status\":\"degraded\"");
    controller_start(&f);
    f.acks = 0;
    run_until(&f, node_links_are_up);
    invoke(&f, &a, STR("{}"));
    expect(&a, 200, "{}");
    assert_int_equal(f.resolves, 2); /* all was forgotten when it came back */
    end(&f);
}

static void management_calls_go_to_the_controller(void **state)
{
    struct answer a;
    struct fixture f;

    (void)state;
    begin(&f, 0);
    ask(&f, &a, "POST", "/2015-03-31/functions", NULL, STR("{\"FunctionName\":\"x\"}"));
    hear(&f, &a);
    expect(&a, 201, "{\"FunctionName\":\"x\"}");
    ask(&f, &a, "GET", PATH "a%3Ab/configuration?Qualifier=1%20", NULL, STR_NULL);
    hear(&f, &a);
    expect(&a, 201, "");
    assert_string_equal(f.lambda_path, PATH "a:b/configuration?Qualifier=1%20");
    assert_string_equal(f.lambda_service, "lambda - -");
    assert_int_equal(f.lambda_calls, 2);
    end(&f);
}

#define FORM "Content-Type: application/x-www-form-urlencoded"
#define SCOPE(service)                                                                             \
    "Authorization: AWS4-HMAC-SHA256 Credential=AKID/20150830/us-east-1/" service "/aws4_request"

/* The services at "/": by the signature's scope, else by the version; forms in body or query. */
static void each_service_at_the_root_gets_its_own(void **state)
{
    static const char *const iam[] = {FORM, SCOPE("iam"), NULL}, *const form[] = {FORM, NULL};
    static const char *const sts[] = {FORM, SCOPE("sts"), NULL}, *const sqs[] = {FORM, SCOPE("sqs"), NULL};
    static const char *const s3[] = {SCOPE("s3"), NULL};
    static const char *const logs[] = {"X-Amz-Target: Logs_20140328.DescribeLogGroups",
                                       "Content-Type: application/x-amz-json-1.1", NULL};
    static const char *const scaling[] = {"X-Amz-Target: AnyScaleFrontendService.DescribeScalableTargets",
                                          "Content-Type: application/x-amz-json-1.1", NULL};
    static const struct {
        const char *method, *path, *const *headers, *body;
        int status;
        const char *said;
    } cases[] = {
        {"POST", "/", iam, "Action=ListRoles&Version=2010-05-08", 201, "Action=ListRoles"},
        {"POST", "/", form, "Action=GetRole&Version=2010-05-08", 201, "Action=GetRole"},
        {"POST", "/", sts, "Action=GetCallerIdentity&Version=2011-06-15", 200, "<UserId>AKID</UserId>"},
        {"GET", "/?Action=GetCallerIdentity&Version=2011-06-15", NULL, NULL, 200,
         "<Arn>arn:aws:iam::000000000000:root</Arn><UserId>000000000000</UserId>"},
        {"POST", "/", sts, "Action=Nothing&Version=2011-06-15", 400, "<Code>InvalidAction</Code>"},
        {"POST", "/", sts, "Action=GetCallerIdentity", 400, "Hearth offers GetCallerIdentity"},
        {"POST", "/", sts, "Version=2011-06-15", 400, "<Code>MissingAction</Code>"},
        {"POST", "/", sts, "Action=%", 404, "<Code>MalformedQueryString</Code>"},
        {"POST", "/", sqs, "Action=ListQueues&Version=2012-11-05", 400,
         "<Code>InvalidAction</Code><Message>Could not find operation ListQueues for version "
         "2012-11-05. Hearth offers Lambda, Application Auto Scaling, STS"},
        {"POST", "/", scaling, "{\"ServiceNamespace\":\"lambda\"}", 201, "{\"ServiceNamespace\":\"lambda\"}"},
        {"POST", "/", logs, "{}", 400, "\"__type\":\"UnknownOperationException\""},
        {"GET", "/", NULL, NULL, 404, "GET / is no operation of Hearth"},
        {"GET", "/", s3, NULL, 400, "<Code>InvalidAction</Code><Message>GET / is no operation"},
        {"GET", "/bucket", s3, NULL, 400, "<Message>GET /bucket is no operation of Hearth"},
    };
    struct answer a;
    struct fixture f;
    size_t i;

    (void)state;
    begin(&f, 0);
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        ask(&f, &a, cases[i].method, cases[i].path, cases[i].headers, str_of(cases[i].body));
        hear(&f, &a);
        expect_part(&a, cases[i].status, cases[i].said);
        if (i == 0)
            assert_string_equal(
                f.lambda_service,
                "iam application/x-www-form-urlencoded arn:aws:iam::000000000000:root");
    }
    assert_string_equal(f.lambda_service, "autoscaling DescribeScalableTargets");
    assert_int_equal(f.lambda_calls, 3);
    end(&f);
}

static void a_stop_lets_what_runs_finish(void **state)
{
    struct answer a;
    struct fixture f;

    (void)state;
    begin(&f, 1);
    f.nodes[0].behaviour = KEEP;
    ask(&f, &a, "POST", PATH "hello/invocations", NULL, STR("{}"));
    run_until(&f, has_kept);
    gateway_stop(f.gw);
    f.nodes[0].behaviour = ECHO;
    node_answer(&f.nodes[0], f.nodes[0].kept, STR("late"));
    loop_run(f.loop); /* ends by the gateway */
    if (!a.done)
        hear(&f, &a);
    expect(&a, 200, "late");
    end(&f);
}

static void a_stop_answers_what_does_not_finish(void **state)
{
    struct answer a;
    struct fixture f;

    (void)state;
    begin(&f, 1);
    f.nodes[0].behaviour = KEEP;
    ask(&f, &a, "POST", PATH "hello/invocations", NULL, STR("{}"));
    run_until(&f, has_kept);
    f.config.drain_us = MSEC(1);
    gateway_stop(f.gw);
    loop_run(f.loop); /* ends by the gateway */
    if (!a.done)
        hear(&f, &a);
    expect_part(&a, 503, "Hearth is stopping; the invocation may have run.");
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(large_payloads_pass_both_ways),
        cmocka_unit_test(known_functions_run_while_the_controller_is_away),
        cmocka_unit_test(management_calls_go_to_the_controller),
        cmocka_unit_test(each_service_at_the_root_gets_its_own),
        cmocka_unit_test(a_stop_lets_what_runs_finish),
        cmocka_unit_test(a_stop_answers_what_does_not_finish),
    };

    log_init("gateway_test", LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
