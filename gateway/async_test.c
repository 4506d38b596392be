/* SPDX-License-Identifier: Apache-2.0 */
/* Asynchronous invocations: to the controller, and from it. */
#include "gateway/gateway_fixture.h"

#define ASYNC "/2014-11-13/functions/hello/invoke-async/"

static const char *const event[] = {"X-Amz-Invocation-Type: Event", NULL};

static void events_are_checked_before_they_are_kept(void **state)
{
    static const struct {
        const char *path;
        const char *const *headers;
        size_t max;
        const char *too_large, *body;
    } cases[] = {
        {PATH "hello/invocations", event, 1048576,
         "{\"Type\":\"User\",\"message\":\"Request must be smaller than 1048576 bytes for the "
         "InvokeFunction operation\"}", ""},
        {ASYNC, NULL, 262144,
         "{\"Type\":\"User\",\"message\":\"Request must be smaller than 262144 bytes for the "
         "InvokeAsync operation\"}", "{\"Status\":202}"},
    };
    CLEANUP(freep) char *big = malloc(1048577);
    struct answer a;
    struct fixture f;
    size_t i;

    (void)state;
    assert_non_null(big);
    memset(big, '1', 1048577);
    begin(&f, 1);
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        f.state = NULL;
        drop_routes(&f, "{\"account\":\"000000000000\",\"name\":\"hello\"}");
        ask(&f, &a, "POST", cases[i].path, cases[i].headers, STR("{"));
        hear(&f, &a);
        expect_part(&a, 400, "Could not parse request body into json");
        ask(&f, &a, "POST", cases[i].path, cases[i].headers, str_from(big, cases[i].max));
        hear(&f, &a);
        expect_part(&a, 404, "Function not found: " FUNCTION_ARN ":$LATEST");
        ask(&f, &a, "POST", cases[i].path, cases[i].headers, str_from(big, cases[i].max + 1));
        hear(&f, &a);
        expect(&a, 413, cases[i].too_large);
        f.state = "Pending";
        ask(&f, &a, "POST", cases[i].path, cases[i].headers, STR("{}"));
        hear(&f, &a);
        expect_part(&a, 409, "following state: Pending");
        assert_int_equal(f.enqueues, i);
        f.state = "Active";
        ask(&f, &a, "POST", cases[i].path, cases[i].headers, STR("{\"n\":1}"));
        hear(&f, &a);
        expect(&a, 202, cases[i].body);
        assert_int_equal(f.enqueues, i + 1);
        assert_int_equal(strncmp(f.event, "000000000000 hello  ", 20), 0);
        assert_non_null(strstr(f.event, "Root=1-"));
        assert_non_null(strstr(f.event, " {\"n\":1}"));
    }
    assert_int_equal(f.nodes[0].asked, 0);
    end(&f);
}

static void an_event_that_is_not_kept_is_not_accepted(void **state)
{
    static const struct {
        enum error_code code;
        int status;
        const char *part;
    } cases[] = {
        {ERR_UNAVAILABLE, 503, "The event was not queued: not kept"},
        {ERR_INTERNAL, 503, "The event was not queued: not kept"},
        {ERR_TIMEOUT, 503, "The event may not have been queued"},
        {ERR_THROTTLED, 429, "not kept"},
        {ERR_NOT_FOUND, 404, "Function not found: " FUNCTION_ARN ":live"},
    };
    struct answer a;
    struct fixture f;
    size_t i;

    (void)state;
    begin(&f, 1);
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        f.enqueue_with = cases[i].code;
        ask(&f, &a, "POST", PATH "hello/invocations?Qualifier=live", event, STR("{}"));
        hear(&f, &a);
        expect_part(&a, cases[i].status, cases[i].part);
        assert_int_equal(strncmp(f.event, "000000000000 hello live ", 24), 0);
    }
    link_server_free(f.controller); /* its routes are known */
    f.controller = NULL;
    ask(&f, &a, "POST", PATH "hello/invocations?Qualifier=live", event, STR("{}"));
    hear(&f, &a);
    expect_part(&a, 503, "queued");
    assert_int_equal(f.nodes[0].asked, 0);
    end(&f);
}

static bool has_event(struct fixture *f)
{
    return f->kept_enqueue != NULL;
}

static void a_client_that_leaves_meanwhile_does_no_harm(void **state)
{
    struct answer a, b;
    struct fixture f;

    (void)state;
    begin(&f, 1);
    f.keep_enqueue = true;
    ask(&f, &a, "POST", PATH "hello/invocations", event, STR("{}"));
    run_until(&f, has_event);
    http_call_cancel(a.call);
    buf_done(&a.body);
    invoke(&f, &b, STR("1")); /* some turns of the loop */
    expect(&b, 200, "1");
    rpc_reply(f.kept_enqueue, NULL, STR_NULL);
    invoke(&f, &b, STR("2"));
    expect(&b, 200, "2");
    f.kept_enqueue = NULL;
    ask(&f, &a, "POST", PATH "hello/invocations", event, STR("{}"));
    run_until(&f, has_event); /* and one that is under way when the gateway ends */
    http_call_cancel(a.call);
    buf_done(&a.body);
    end(&f);
    rpc_reply(f.kept_enqueue, NULL, STR_NULL); /* to nobody */
}

/* ---- from the controller ---- */

static struct {
    bool done;
    enum error_code code;
    char text[512]; /* "function_error executed_version too_large body" */
} ran;

static void on_ran(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    struct fixture *f = arg;

    ran.done = true;
    ran.code = err ? err->code : ERR_OK;
    snprintf(ran.text, sizeof(ran.text), "%d %s %d %.*s",
             cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(ok, "function_error")),
             text_of(ok, "executed_version"),
             cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(ok, "too_large")),
             body.len < 100 ? (int)body.len : 100, body.ptr ? body.ptr : "");
    poke(f);
}

static bool has_run(struct fixture *f)
{
    (void)f;
    return ran.done;
}

static void run_event(struct fixture *f, const char *qualifier, struct str payload)
{
    cJSON *args = cJSON_CreateObject();

    cJSON_AddStringToObject(args, "account", "000000000000");
    cJSON_AddStringToObject(args, "name", "hello");
    cJSON_AddStringToObject(args, "qualifier", qualifier);
    cJSON_AddStringToObject(args, "request_id", "5f0a4b0e-0000-4000-8000-000000000001");
    cJSON_AddStringToObject(args, "trace_id", "Root=1-2-3;Sampled=0");
    ran.done = false;
    rpc_call(f->to_gateway, "async.run", args, payload, SECONDS(15), on_ran, f);
    cJSON_Delete(args);
}

static void expect_ran(struct fixture *f, enum error_code code, const char *text)
{
    run_until(f, has_run);
    assert_int_equal(ran.code, code);
    if (code == ERR_OK)
        assert_string_equal(ran.text, text);
}

static void the_controller_s_events_are_run_as_others_are(void **state)
{
    CLEANUP(buf_done) struct buf big = BUF_INIT(2u << 20);
    struct answer a;
    struct fixture f;

    (void)state;
    begin_with(&f, 1, "60s", 1);
    run_event(&f, "live", STR("{\"n\":1}"));
    expect_ran(&f, ERR_OK, "0 $LATEST 0 {\"n\":1}");
    assert_string_equal(f.nodes[0].arn, FUNCTION_ARN ":live");
    assert_string_equal(f.nodes[0].trace, "Root=1-2-3;Sampled=0");
    f.nodes[0].behaviour = FUNCTION_ERROR;
    run_event(&f, "", STR("{\"errorMessage\":1}"));
    expect_ran(&f, ERR_OK, "1 $LATEST 0 {\"errorMessage\":1}");
    assert_string_equal(f.nodes[0].arn, FUNCTION_ARN);
    f.nodes[0].behaviour = ECHO;
    while (big.len < (1u << 20) + 1)
        buf_append_char(&big, '1');
    run_event(&f, "", buf_str(&big));
    expect_ran(&f, ERR_OK, "0 $LATEST 1 ");

    f.nodes[0].behaviour = KEEP; /* the account's only permit */
    ask(&f, &a, "POST", PATH "hello/invocations", NULL, STR("{}"));
    run_until(&f, has_kept);
    run_event(&f, "", STR("{}"));
    expect_ran(&f, ERR_THROTTLED, "");
    answer_kept(&f.nodes[0]);
    hear(&f, &a);
    expect(&a, 200, "{}");

    f.state = NULL;
    drop_routes(&f, "{\"account\":\"000000000000\",\"name\":\"hello\"}");
    run_event(&f, "", STR("{}"));
    expect_ran(&f, ERR_NOT_FOUND, "");
    f.state = "Pending";
    run_event(&f, "", STR("{}"));
    expect_ran(&f, ERR_CONFLICT, "");
    end(&f);
}

/* The controller drops events of functions that are not there. */
static void what_a_node_does_not_find_is_another_matter_than_a_function_that_is_not_there(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, 1);
    f.nodes[0].behaviour = REFUSE;
    f.nodes[0].refuse_with = ERR_NOT_FOUND;
    f.nodes[0].refusals = 1;
    run_event(&f, "", STR("{}"));
    expect_ran(&f, ERR_UNAVAILABLE, "");
    run_event(&f, "", STR("{}"));
    expect_ran(&f, ERR_OK, "0 $LATEST 0 {}");
    end(&f);
}

static void an_event_goes_on_when_the_controller_is_lost(void **state)
{
    struct answer a;
    struct fixture f;

    (void)state;
    begin(&f, 1);
    f.nodes[0].behaviour = KEEP;
    run_event(&f, "", STR("{}"));
    run_until(&f, has_kept);
    link_server_free(f.controller);
    f.controller = NULL;
    f.nodes[0].behaviour = ECHO;
    invoke(&f, &a, STR("1"));
    expect(&a, 200, "1");
    assert_int_equal(f.nodes[0].resets, 0);
    run_free(f.nodes[0].kept_run);
    f.nodes[0].kept_run = NULL;
    node_answer(&f.nodes[0], f.nodes[0].kept, STR("{}"));
    invoke(&f, &a, STR("2"));
    expect(&a, 200, "2");
    end(&f);
}

static void a_stop_lets_events_finish_and_takes_no_new_ones(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, 1);
    f.nodes[0].behaviour = KEEP;
    run_event(&f, "", STR("{}"));
    run_until(&f, has_kept);
    ran.done = false;
    gateway_stop(f.gw);
    run_event(&f, "", STR("{}"));
    expect_ran(&f, ERR_UNAVAILABLE, "");
    ran.done = false;
    f.nodes[0].behaviour = ECHO;
    node_answer(&f.nodes[0], f.nodes[0].kept, STR("late"));
    forget_kept(&f.nodes[0]);
    loop_run(f.loop); /* ends by the gateway */
    run_until(&f, has_run);
    assert_string_equal(ran.text, "0 $LATEST 0 late");
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_checked_before_they_are_kept),
        cmocka_unit_test(an_event_that_is_not_kept_is_not_accepted),
        cmocka_unit_test(a_client_that_leaves_meanwhile_does_no_harm),
        cmocka_unit_test(the_controller_s_events_are_run_as_others_are),
        cmocka_unit_test(what_a_node_does_not_find_is_another_matter_than_a_function_that_is_not_there),
        cmocka_unit_test(an_event_goes_on_when_the_controller_is_lost),
        cmocka_unit_test(a_stop_lets_events_finish_and_takes_no_new_ones),
    };

    log_init("async_test", LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
