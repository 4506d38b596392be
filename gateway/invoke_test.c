/* SPDX-License-Identifier: Apache-2.0 */
/* Invocations: what a client asks for and gets. */
#include "gateway/gateway_fixture.h"

#include "common/proto/event_stream.h"

#define STREAM "/2021-11-15/functions/hello/response-streaming-invocations"

static void an_invocation_goes_to_a_node_and_back(void **state)
{
    static const char *const headers[] = {
        "X-Amz-Log-Type: Tail", "X-Amz-Client-Context: eyJhIjoxfQ==",
        "X-Amzn-Trace-Id: Root=1-5759e988-bd862e3fe1be46a994272793", NULL};
    struct answer a;
    struct fixture f;

    (void)state;
    begin(&f, 1);
    invoke(&f, &a, STR("{\"n\":1}"));
    expect(&a, 200, "{\"n\":1}");
    assert_string_equal(f.nodes[0].arn, "arn:aws:lambda:us-east-1:000000000000:function:hello");
    assert_string_equal(f.nodes[0].account, "000000000000");
    assert_int_equal(f.nodes[0].generation, 1);
    assert_int_equal(f.nodes[0].epoch, 7);
    assert_string_equal(f.nodes[0].gateway, f.ledger.gateway);
    assert_string_equal(f.nodes[0].pool, "*");
    assert_int_equal(f.nodes[0].flags, 0);
    assert_in_range(f.nodes[0].wait_ms, 50000, 60000);
    invoke(&f, &a, STR_NULL);
    expect(&a, 200, "{}");
    assert_int_equal(f.resolves, 1); /* once for both */
    assert_int_equal(f.ledger.asks, 1); /* the same permit */
    ask(&f, &a, "POST",
        PATH "arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Ahello/"
             "invocations?Qualifier=live",
        headers, STR("1"));
    hear(&f, &a);
    expect(&a, 200, "1");
    assert_string_equal(f.nodes[0].arn,
                        "arn:aws:lambda:us-east-1:000000000000:function:hello:live");
    assert_string_equal(f.nodes[0].context, "{\"a\":1}");
    assert_memory_equal(f.nodes[0].trace, "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=", 48);
    assert_int_equal(f.nodes[0].flags, INVOKE_LOG_TAIL);
    end(&f);
}

static void errors_are_aws_errors(void **state)
{
    static const char *const dry[] = {"X-Amz-Invocation-Type: DryRun", NULL};
    static const char *const types[] = {"X-Amz-Invocation-Type: Foo", NULL};
    static const char *const logs[] = {"X-Amz-Log-Type: Foo", NULL};
    struct answer a;
    struct fixture f;

    (void)state;
    begin(&f, 1);
    invoke(&f, &a, STR("n\x87"));
    expect_part(&a, 400,
                "Could not parse request body into json: Could not parse payload into json: ");
    ask(&f, &a, "POST", PATH "hello/invocations", types, STR("{}"));
    hear(&f, &a);
    expect(&a, 400,
           "{\"message\":\"1 validation error detected: Value 'Foo' at 'invocationType' failed to "
           "satisfy constraint: Member must satisfy enum value set: [Event, RequestResponse, "
           "DryRun]\"}");
    ask(&f, &a, "POST", PATH "hello/invocations", logs, STR("{}"));
    hear(&f, &a);
    expect(&a, 400,
           "{\"message\":\"1 validation error detected: Value 'Foo' at 'logType' failed to satisfy "
           "constraint: Member must satisfy enum value set: [None, Tail]\"}");
    ask(&f, &a, "GET", "/what", NULL, STR_NULL);
    hear(&f, &a);
    expect_part(&a, 404, "GET /what is no operation of Hearth");
    ask(&f, &a, "GET", "/%", NULL, STR_NULL);
    hear(&f, &a);
    expect_part(&a, 400, "malformed escapes");
    f.nodes[0].behaviour = FUNCTION_ERROR;
    invoke(&f, &a, STR("{\"errorMessage\":\"x\"}"));
    expect(&a, 200, "{\"errorMessage\":\"x\"}");
    ask(&f, &a, "POST", PATH "hello/invocations", dry, STR_NULL);
    hear(&f, &a);
    expect(&a, 204, "");
    assert_int_equal(f.nodes[0].asked, 1);
    end(&f);
}

static void functions_that_are_not_active_are_not_invoked(void **state)
{
    struct answer a;
    struct fixture f;

    (void)state;
    begin(&f, 1);
    f.state = NULL;
    invoke(&f, &a, STR("{}"));
    expect_part(&a, 404,
                "Function not found: arn:aws:lambda:us-east-1:000000000000:function:hello:$LATEST");
    f.state = "Pending";
    invoke(&f, &a, STR("{}"));
    expect_part(&a, 409,
                "The operation cannot be performed at this time. The function is currently in the "
                "following state: Pending");
    f.state = "Failed";
    invoke(&f, &a, STR("{}"));
    expect_part(&a, 409, "state: Failed");
    f.state = "Active";
    invoke(&f, &a, STR("{}"));
    expect(&a, 200, "{}");
    assert_int_equal(f.nodes[0].asked, 1);
    end(&f);
}

static void beyond_the_account_limit_is_429(void **state)
{
    struct answer a, b;
    struct fixture f;

    (void)state;
    begin_with(&f, 1, "60s", 1);
    f.nodes[0].behaviour = KEEP;
    ask(&f, &a, "POST", PATH "hello/invocations", NULL, STR("{}"));
    run_until(&f, has_kept);
    invoke(&f, &b, STR("{}"));
    expect(&b, 429,
           "{\"Reason\":\"ConcurrentInvocationLimitExceeded\",\"Type\":\"User\",\"message\":\"Rate "
           "Exceeded.\"}");
    answer_kept(&f.nodes[0]);
    hear(&f, &a);
    expect(&a, 200, "{}");
    invoke(&f, &b, STR("{}"));
    expect(&b, 200, "{}");
    end(&f);
}

/* Takes the first event off @rest. */
static struct str next_event(struct str *rest, const char *type, const char *content_type)
{
    struct event_message m;

    assert_int_equal(event_stream_read(*rest, &m, NULL), 1);
    assert_true(str_is(event_message_header(&m, ":message-type"), "event"));
    assert_true(str_is(event_message_header(&m, ":event-type"), type));
    assert_true(str_is(event_message_header(&m, ":content-type"), content_type));
    *rest = str_sub(*rest, m.size, rest->len);
    return m.payload;
}

static struct str next_chunk(struct str *rest)
{
    return next_event(rest, "PayloadChunk", "application/octet-stream");
}

static struct str last_event(struct str *rest)
{
    struct str payload = next_event(rest, "InvokeComplete", "application/json");

    assert_int_equal(rest->len, 0);
    return payload;
}

static void a_stream_is_chunks_and_a_completion(void **state)
{
    static const char *const tail[] = {"X-Amz-Log-Type: Tail", NULL};
    struct buf big = BUF_INIT(1u << 20), whole = BUF_INIT(1u << 20);
    struct answer a;
    struct fixture f;
    struct str rest, chunk;

    (void)state;
    begin(&f, 1);
    ask(&f, &a, "POST", STREAM "?Qualifier=live", tail, STR("{\"n\":1}"));
    hear(&f, &a);
    assert_int_equal(a.status, 200);
    rest = buf_str(&a.body);
    assert_true(str_is(next_chunk(&rest), "{\"n\":1}"));
    assert_true(str_is(last_event(&rest), "{\"LogResult\":\"U1RBUlQKRU5ECg==\"}"));
    buf_done(&a.body);
    assert_string_equal(f.nodes[0].arn, FUNCTION_ARN ":live");

    buf_append_char(&big, '"');
    while (big.len < 200000)
        buf_append_char(&big, (char)('a' + big.len % 26));
    buf_append_char(&big, '"');
    ask(&f, &a, "POST", STREAM, NULL, buf_str(&big));
    hear(&f, &a);
    rest = buf_str(&a.body);
    while (whole.len < big.len) {
        chunk = next_chunk(&rest);
        assert_in_range(chunk.len, 1, 65536);
        buf_append_str(&whole, chunk);
    }
    assert_true(str_eq(buf_str(&whole), buf_str(&big)));
    assert_true(str_is(last_event(&rest), "{}"));
    buf_done(&a.body);
    buf_done(&whole);
    buf_done(&big);
    end(&f);
}

static void a_stream_tells_a_function_error_at_its_end(void **state)
{
    static const char *const dry[] = {"X-Amz-Invocation-Type: DryRun", NULL};
    struct answer a;
    struct fixture f;
    struct str rest;

    (void)state;
    begin(&f, 1);
    f.nodes[0].behaviour = FUNCTION_ERROR;
    ask(&f, &a, "POST", STREAM, NULL, STR("{\"errorMessage\":\"x\"}"));
    hear(&f, &a);
    assert_int_equal(a.status, 200);
    rest = buf_str(&a.body);
    assert_true(str_is(next_chunk(&rest), "{\"errorMessage\":\"x\"}"));
    assert_true(str_is(last_event(&rest), "{\"ErrorCode\":\"Unhandled\",\"ErrorDetails\":"
                                          "\"{\\\"errorMessage\\\":\\\"x\\\"}\"}"));
    buf_done(&a.body);
    ask(&f, &a, "POST", STREAM, NULL, STR("{"));
    hear(&f, &a);
    expect_part(&a, 400, "Could not parse request body into json");
    ask(&f, &a, "POST", STREAM, dry, STR_NULL);
    hear(&f, &a);
    expect(&a, 204, "");
    f.state = "Failed";
    drop_routes(&f, "{\"account\":\"000000000000\",\"name\":\"hello\"}");
    ask(&f, &a, "POST", STREAM, NULL, STR("{}"));
    hear(&f, &a);
    expect_part(&a, 409, "state: Failed");
    assert_int_equal(f.nodes[0].asked, 1);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_invocation_goes_to_a_node_and_back),
        cmocka_unit_test(errors_are_aws_errors),
        cmocka_unit_test(functions_that_are_not_active_are_not_invoked),
        cmocka_unit_test(beyond_the_account_limit_is_429),
        cmocka_unit_test(a_stream_is_chunks_and_a_completion),
        cmocka_unit_test(a_stream_tells_a_function_error_at_its_end),
    };

    log_init("invoke_test", LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
