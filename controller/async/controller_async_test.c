/* SPDX-License-Identifier: Apache-2.0 */
/* Asynchronous invocations: from the gateway's question to the end of each event. */
#include "controller/controller_fixture.h"

#define EVENTS "/2019-09-25/functions/f/event-invoke-config"
#define ARN "arn:aws:lambda:us-east-1:000000000000:function:"
#define QUEUE "arn:aws:sqs:us-east-1:000000000000:q"
#define PREFIX "hearth:{000000000000}:"

/* ---- looking into Redis ---- */

static int64_t number;

static void on_number(const struct redis_value *value, const struct error *err, void *arg)
{
    unsigned *answered = arg;

    assert_null(err);
    number = value->integer;
    if (value->type == REDIS_STRING)
        number = strtoll(value->str.ptr, NULL, 10);
    else if (value->type == REDIS_NIL)
        number = 0;
    (*answered)++;
    loop_stop(loop);
}

static int64_t ask_redis(const char *command, const char *key, const char *field)
{
    struct str words[] = {str_of(command), str_of(key), str_of(field)};
    unsigned answered = 0;

    redis_command(c->redis, words, field ? 3 : 2, on_number, &answered);
    wait_until(&answered, 1);
    return number;
}

static int64_t counted(const char *what)
{
    return ask_redis("HGET", PREFIX "async:counts", what);
}

/* Turns of the loop until @what has been counted so often. */
static void wait_counted(const char *what, int64_t times)
{
    uint64_t end = now_us() + WAIT_US;

    while (counted(what) < times)
        assert_true(now_us() < end);
}

static void nothing_is_left(void)
{
    assert_int_equal(ask_redis("ZCARD", PREFIX "async:queues", NULL), 0);
    assert_int_equal(ask_redis("GET", PREFIX "async:bytes", NULL), 0);
}

/* ---- steps ---- */

static void enqueue_to(const char *name, const char *qualifier, const char *payload)
{
    cJSON *args = cJSON_CreateObject();
    char id[UUID_MAX];

    uuid_make(id);
    cJSON_AddStringToObject(args, "account", "000000000000");
    cJSON_AddStringToObject(args, "name", name);
    cJSON_AddStringToObject(args, "qualifier", qualifier);
    cJSON_AddStringToObject(args, "request_id", id);
    cJSON_AddStringToObject(args, "trace_id", "Root=1-2-3;Sampled=0");
    ask(gateway, "async.enqueue", args, str_of(payload));
}

static void enqueue(const char *payload)
{
    enqueue_to("f", "", payload);
    assert_int_equal(got.code, ERR_OK);
}

static void begin(void)
{
    need_server();
    invoker_connect();
    active("f");
}

static void configure(const char *body)
{
    assert_int_equal(lambda("PUT", EVENTS, "", body), 200);
}

static void reserve(const char *number_text)
{
    char body[80];

    snprintf(body, sizeof(body), "{\"ReservedConcurrentExecutions\":%s}", number_text);
    assert_int_equal(lambda("PUT", "/2017-10-31/functions/f/concurrency", "", body), 200);
}

/* ---- tests ---- */

static void an_event_is_run_once_and_forgotten(void **state)
{
    (void)state;
    begin();
    enqueue_to("f", "$LATEST", "{\"n\":1}");
    assert_int_equal(got.code, ERR_OK);
    wait_counted("succeeded", 1);
    assert_int_equal(peer.runs, 1);
    assert_string_equal(peer.run_payload, "{\"n\":1}");
    assert_string_equal(peer.run_name, "f");
    assert_string_equal(peer.run_qualifier, "$LATEST");
    nothing_is_left();
}

static void an_event_for_no_function_is_refused(void **state)
{
    (void)state;
    begin();
    enqueue_to("other", "", "{}");
    assert_int_equal(got.code, ERR_NOT_FOUND);
    nothing_is_left();
}

static void a_failure_is_tried_twice_more_with_the_same_id(void **state)
{
    (void)state;
    begin();
    peer.run = FAIL;
    enqueue("{}");
    wait_counted("failed", 1);
    assert_int_equal(peer.runs, 3);
    assert_true(peer.same_id);
    nothing_is_left();
    peer.runs = 0;
    peer.run = FAIL_ONCE;
    enqueue("{}");
    wait_counted("succeeded", 1);
    assert_int_equal(peer.runs, 2);
}

static void the_number_of_retries_is_configured(void **state)
{
    (void)state;
    begin();
    peer.run = FAIL;
    configure("{\"MaximumRetryAttempts\":0}");
    enqueue("{}");
    wait_counted("failed", 1);
    assert_int_equal(peer.runs, 1);
    nothing_is_left();
}

static void a_function_is_a_destination(void **state)
{
    static const char end[] = "\"requestPayload\":{\"n\":1},\"responseContext\":{\"statusCode\":200,"
                              "\"executedVersion\":\"$LATEST\",\"functionError\":\"Unhandled\"},"
                              "\"responsePayload\":{\"errorMessage\":\"broken\"}}";
    char id[UUID_MAX];

    (void)state;
    begin();
    active("other");
    configure("{\"MaximumRetryAttempts\":0,\"DestinationConfig\":{\"OnFailure\":{\"Destination\":\"" ARN
              "other\"}}}");
    peer.run = FAIL_ONCE;
    enqueue("{\"n\":1}");
    wait_until(&peer.runs, 1);
    snprintf(id, sizeof(id), "%s", peer.run_id);
    wait_counted("succeeded", 1);
    assert_int_equal(peer.runs, 2);
    assert_string_equal(peer.run_name, "other");
    assert_string_not_equal(peer.run_id, id);
    assert_non_null(strstr(peer.run_payload, id));
    assert_non_null(strstr(peer.run_payload, "\"condition\":\"RetriesExhausted\",\"approximateInvokeCount\":1"));
    assert_string_equal(strstr(peer.run_payload, "\"requestPayload\""), end);
    assert_int_equal(counted("failed"), 1);
    nothing_is_left();
}

static void a_throttled_event_waits_and_does_not_count_as_tried(void **state)
{
    (void)state;
    begin();
    configure("{\"MaximumRetryAttempts\":0}");
    peer.run = THROTTLE;
    enqueue("{}");
    wait_until(&peer.runs, 4);
    peer.run = SUCCEED;
    wait_counted("succeeded", 1);
    assert_true(peer.same_id);
    nothing_is_left();
}

static void a_retry_that_would_come_too_late_ends_it(void **state)
{
    (void)state;
    begin();
    active("other");
    controller_free(c);
    config.async_retry_wait_us = MINUTES(2);
    controller_start();
    link_free(gateway);
    gateway_connect();
    configure("{\"MaximumEventAgeInSeconds\":60,\"DestinationConfig\":{\"OnFailure\":{"
              "\"Destination\":\"" ARN "other\"}}}");
    peer.run = FAIL_ONCE;
    enqueue("{}");
    wait_counted("succeeded", 1);
    assert_non_null(strstr(peer.run_payload, "\"condition\":\"EventAgeExceeded\",\"approximateInvokeCount\":1"));
}

static void nothing_reserved_means_the_destination_at_once(void **state)
{
    (void)state;
    begin();
    active("other");
    configure("{\"DestinationConfig\":{\"OnFailure\":{\"Destination\":\"" ARN "other\"}}}");
    reserve("0");
    enqueue("{\"n\":1}");
    wait_counted("succeeded", 1);
    assert_int_equal(peer.runs, 1);
    assert_string_equal(peer.run_name, "other");
    assert_string_equal(strstr(peer.run_payload, "\"condition\""),
                        "\"condition\":\"ZeroReservedConcurrency\",\"approximateInvokeCount\":0},"
                        "\"requestPayload\":{\"n\":1}}");
    assert_int_equal(lambda("DELETE", FN "/f", "", ""), 204);
}

static void no_more_are_under_way_than_are_reserved(void **state)
{
    unsigned i;

    (void)state;
    begin();
    reserve("2");
    peer.run = KEEP_RUNNING;
    for (i = 0; i < 6; i++)
        enqueue("{}");
    wait_until(&peer.runs, 2);
    assert_int_equal(counted("received"), 6); /* some turns of the loop */
    assert_int_equal(peer.runs, 2);
    peer.run = SUCCEED;
    release();
    wait_counted("succeeded", 6);
    assert_int_equal(peer.runs, 6);
    nothing_is_left();
}

static void events_of_a_controller_that_dies_are_taken_up(void **state)
{
    (void)state;
    begin();
    peer.run = KEEP_RUNNING;
    enqueue("{}");
    wait_until(&peer.runs, 1);
    controller_free(c);
    release();
    peer.run = SUCCEED;
    controller_start();
    link_free(gateway);
    gateway_connect();
    wait_counted("succeeded", 1); /* when the lease of two seconds is over */
    assert_int_equal(peer.runs, 2);
    assert_true(peer.same_id);
    nothing_is_left();
}

static void a_gateway_that_goes_costs_a_pause(void **state)
{
    (void)state;
    begin();
    peer.run = KEEP_RUNNING;
    enqueue("{}");
    wait_until(&peer.runs, 1);
    link_free(gateway);
    release();
    peer.run = SUCCEED;
    gateway_connect();
    wait_counted("succeeded", 1);
    assert_int_equal(peer.runs, 2);
    assert_true(peer.same_id);
}

static void an_end_is_written_when_redis_is_back(void **state)
{
    (void)state;
    begin();
    peer.run = KEEP_RUNNING;
    enqueue("{}");
    wait_until(&peer.runs, 1);
    fixture_stop(&server);
    release();
    assert_true(fixture_start(&server));
    wait_for("f", "State", "Active"); /* 503 until it is there */
    wait_counted("succeeded", 1);
    assert_int_equal(peer.runs, 1);
    nothing_is_left();
}

static void a_deleted_function_s_events_end(void **state)
{
    unsigned i;

    (void)state;
    begin();
    reserve("1");
    peer.run = KEEP_RUNNING;
    for (i = 0; i < 5; i++)
        enqueue("{}");
    wait_until(&peer.runs, 1);
    assert_int_equal(lambda("DELETE", FN "/f", "", ""), 204);
    peer.run = SUCCEED;
    release();
    active("f"); /* another one of the same name gets none of them */
    enqueue("{\"new\":1}");
    wait_counted("dropped", 5);
    wait_counted("succeeded", 1);
    assert_int_equal(peer.runs, 2);
    nothing_is_left();
}

static void an_event_whose_qualifier_is_gone_is_dropped(void **state)
{
    (void)state;
    begin();
    peer.run = FORGET;
    enqueue_to("f", "7", "{}");
    wait_counted("dropped", 1);
    nothing_is_left();
}

static void a_full_queue_refuses(void **state)
{
    CLEANUP(buf_done) struct buf big = BUF_INIT(1u << 20);

    (void)state;
    begin();
    reserve("1");
    peer.run = KEEP_RUNNING;
    buf_append_char(&big, '"');
    while (big.len < 700000)
        buf_append_char(&big, 'x');
    buf_append(&big, "\"\0", 2);
    enqueue(big.ptr);
    enqueue_to("f", "", big.ptr);
    assert_int_equal(got.code, ERR_THROTTLED);
    wait_until(&peer.runs, 1);
    release();
    wait_counted("succeeded", 1);
    enqueue(big.ptr);
}

/* No endpoint is configured: it is tried for async_delivery_age, then lost, and counted. */
static void a_message_that_cannot_be_sent_is_lost_in_the_end(void **state)
{
    (void)state;
    begin();
    configure("{\"DestinationConfig\":{\"OnSuccess\":{\"Destination\":\"" QUEUE "\"}}}");
    enqueue("{}");
    wait_counted("succeeded", 1);
    assert_int_equal(counted("lost"), 0);
    wait_counted("lost", 1);
    nothing_is_left();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(an_event_is_run_once_and_forgotten),
        LIVE(an_event_for_no_function_is_refused),
        LIVE(a_failure_is_tried_twice_more_with_the_same_id),
        LIVE(the_number_of_retries_is_configured),
        LIVE(a_function_is_a_destination),
        LIVE(a_throttled_event_waits_and_does_not_count_as_tried),
        LIVE(a_retry_that_would_come_too_late_ends_it),
        LIVE(nothing_reserved_means_the_destination_at_once),
        LIVE(no_more_are_under_way_than_are_reserved),
        LIVE(events_of_a_controller_that_dies_are_taken_up),
        LIVE(a_gateway_that_goes_costs_a_pause),
        LIVE(an_end_is_written_when_redis_is_back),
        LIVE(a_deleted_function_s_events_end),
        LIVE(an_event_whose_qualifier_is_gone_is_dropped),
        LIVE(a_full_queue_refuses),
        LIVE(a_message_that_cannot_be_sent_is_lost_in_the_end),
    };

    log_begin("controller-async-test");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
