/* SPDX-License-Identifier: Apache-2.0 */
/* A service that answers as the test says: on a Unix socket, its requests kept. */
#include "controller/async_message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/io/http_script.h"
#include "common/proto/sigv4.h"

#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define OK(body) "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" body
#define REFUSED(body) "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n" body
#define FN_ARN "arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST"
#define QUEUE "arn:aws:sqs:eu-west-3:000000000000:q"

struct fixture {
    struct loop *loop;
    struct http_script server;
    struct async_clients clients;
    bool done;
    struct error err;
};

static void begin(struct fixture *f, const char *const *answers)
{
    struct aws_client_options options;

    *f = (struct fixture){.loop = loop_new()};
    http_script_start(&f->server, answers);
    options = (struct aws_client_options){.loop = f->loop,
                                          .endpoint = "http://{service}.{region}.example:9000/",
                                          .access_key = "AKIDEXAMPLE",
                                          .secret = STR(SECRET),
                                          .timeout_us = SECONDS(20),
                                          .unix_socket = f->server.path};
    f->clients.aws = aws_client_new(&options);
    f->clients.s3 = aws_client_new(&options);
    f->clients.s3_region = STR("eu-central-1");
}

static void end(struct fixture *f)
{
    aws_client_free(f->clients.aws);
    aws_client_free(f->clients.s3);
    http_script_stop(&f->server);
    loop_free(f->loop);
}

static void on_sent(const struct error *err, void *arg)
{
    struct fixture *f = arg;

    assert_false(f->done);
    f->done = true;
    if (err)
        f->err = *err;
    loop_stop(f->loop);
}

static const struct async_message record = {.target = STR(QUEUE),
                                            .body = STR("{\"a\":\"x & y\"}"),
                                            .is_success = true,
                                            .function = STR("f"),
                                            .function_arn = STR(FN_ARN),
                                            .request_id = STR("id-1"),
                                            .trace_id = STR("Root=1-2-3;Sampled=0")};

static const struct async_message letter = {.target = STR(QUEUE),
                                            .body = STR("{\"a\":1}"),
                                            .is_dead_letter = true,
                                            .function = STR("f"),
                                            .function_arn = STR(FN_ARN),
                                            .request_id = STR("id-1"),
                                            .error_code = STR("200"),
                                            .error_message = STR("broken & bad")};

static void send_to(struct fixture *f, const struct async_message *message, const char *target)
{
    struct async_message m = *message;
    struct error err;

    f->done = false;
    f->err.code = ERR_OK;
    m.target = str_of(target);
    if (async_message_send(&f->clients, &m, on_sent, f, &err) < 0)
        fail_msg("%s", err.msg);
    assert_false(f->done);
    loop_run(f->loop);
}

/* Verifies the signature of a request as it came, cuts it up; its body. */
static struct str check_signature(char *text, const char *method, const char *service,
                                  const char *region)
{
    static struct sigv4_header headers[20];
    struct sigv4_request req = {.method = str_of(method), .query = STR(""), .headers = headers};
    char *line, *next, *sep, *body = strstr(text, "\r\n\r\n") + 4;
    unsigned char key[SHA256_BYTES];
    struct sigv4_space space;
    struct sigv4_auth auth;
    struct error err;

    body[-2] = '\0';
    next = strstr(text, "\r\n");
    *next = '\0';
    assert_int_equal(strncmp(text, method, strlen(method)), 0);
    *strstr(text, " HTTP/1.1") = '\0';
    req.path = str_of(strchr(text, '/'));
    for (line = next + 2; *line; line = next + 2) {
        next = strstr(line, "\r\n");
        *next = '\0';
        sep = strchr(line, ':');
        *sep = '\0';
        headers[req.header_count++] =
            (struct sigv4_header){str_of(line), str_trim(str_of(sep + 1))};
    }
    req.body = str_of(body);
    sigv4_space_init(&space);
    assert_int_equal(sigv4_read(&req, &auth, NULL), 0);
    assert_true(str_is(auth.scope.service, service));
    assert_true(str_is(auth.scope.region, region));
    sigv4_signing_key(STR(SECRET), &auth.scope, key);
    if (sigv4_verify(&req, &auth, key, &space, &err) < 0)
        fail_msg("%s", err.msg);
    sigv4_space_done(&space);
    return req.body;
}

static void each_service_is_asked_in_its_own_way(void **state)
{
    static const char *const answers[] = {OK("{}"), OK("{}"), OK("<x/>"), OK("<x/>"),
                                          OK("{\"Entries\":[{\"EventId\":\"1\"}]}"), OK(""), NULL};
    static const struct {
        const struct async_message *message;
        const char *target, *method, *service, *region, *head, *body;
    } cases[] = {
        {&record, QUEUE, "POST", "sqs", "eu-west-3", "x-amz-target: AmazonSQS.SendMessage\r\n",
         "{\"QueueUrl\":\"http://sqs.eu-west-3.example:9000/000000000000/q\","
         "\"MessageBody\":\"{\\\"a\\\":\\\"x & y\\\"}\",\"MessageSystemAttributes\":{"
         "\"AWSTraceHeader\":{\"DataType\":\"String\",\"StringValue\":\"Root=1-2-3;Sampled=0\"}}}"},
        {&letter, QUEUE, "POST", "sqs", "eu-west-3", "host: sqs.eu-west-3.example:9000\r\n",
         "{\"QueueUrl\":\"http://sqs.eu-west-3.example:9000/000000000000/q\","
         "\"MessageBody\":\"{\\\"a\\\":1}\",\"MessageAttributes\":{"
         "\"RequestID\":{\"DataType\":\"String\",\"StringValue\":\"id-1\"},"
         "\"ErrorCode\":{\"DataType\":\"Number\",\"StringValue\":\"200\"},"
         "\"ErrorMessage\":{\"DataType\":\"String\",\"StringValue\":\"broken & bad\"}}}"},
        {&record, "arn:aws:sns:us-east-1:000000000000:t", "POST", "sns", "us-east-1",
         "content-type: application/x-www-form-urlencoded",
         "Action=Publish&Version=2010-03-31&TopicArn=arn%3Aaws%3Asns%3Aus-east-1%3A000000000000%3At"
         "&Message=%7B%22a%22%3A%22x%20%26%20y%22%7D"},
        {&letter, "arn:aws:sns:us-east-1:000000000000:t", "POST", "sns", "us-east-1", "",
         "Action=Publish&Version=2010-03-31&TopicArn=arn%3Aaws%3Asns%3Aus-east-1%3A000000000000%3At"
         "&Message=%7B%22a%22%3A1%7D"
         "&MessageAttributes.entry.1.Name=RequestID&MessageAttributes.entry.1.Value.DataType=String"
         "&MessageAttributes.entry.1.Value.StringValue=id-1"
         "&MessageAttributes.entry.2.Name=ErrorCode&MessageAttributes.entry.2.Value.DataType=Number"
         "&MessageAttributes.entry.2.Value.StringValue=200"
         "&MessageAttributes.entry.3.Name=ErrorMessage"
         "&MessageAttributes.entry.3.Value.DataType=String"
         "&MessageAttributes.entry.3.Value.StringValue=broken%20%26%20bad"},
        {&record, "arn:aws:events:us-east-1:000000000000:event-bus/b", "POST", "events", "us-east-1",
         "x-amz-target: AWSEvents.PutEvents\r\n",
         "{\"Entries\":[{\"Source\":\"lambda\",\"DetailType\":\"Lambda Function Invocation Result - "
         "Success\",\"Detail\":\"{\\\"a\\\":\\\"x & y\\\"}\",\"Resources\":["
         "\"arn:aws:events:us-east-1:000000000000:event-bus/b\",\"" FN_ARN "\"],\"EventBusName\":"
         "\"arn:aws:events:us-east-1:000000000000:event-bus/b\",\"TraceHeader\":"
         "\"Root=1-2-3;Sampled=0\"}]}"},
        {&record, "arn:aws:s3:::bucket", "PUT", "s3", "eu-central-1",
         "PUT /bucket/aws/lambda/async/f/2", "{\"a\":\"x & y\"}"},
    };
    struct fixture f;
    size_t i;

    (void)state;
    begin(&f, answers);
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        send_to(&f, cases[i].message, cases[i].target);
        if (f.err.code != ERR_OK)
            fail_msg("%s", f.err.msg);
        assert_non_null(strcasestr(f.server.seen[i], cases[i].head));
        assert_true(str_is(check_signature(f.server.seen[i], cases[i].method, cases[i].service,
                                           cases[i].region),
                           cases[i].body));
    }
    end(&f);
}

static void a_refusal_is_told_by_its_code(void **state)
{
    static const struct {
        const char *target, *answer, *message;
    } cases[] = {
        {QUEUE, REFUSED("{\"__type\":\"com.amazonaws.sqs#QueueDoesNotExist\",\"message\":\"secret\"}"),
         "sqs answers 400 QueueDoesNotExist"},
        {"arn:aws:sns:us-east-1:000000000000:t",
         REFUSED("<ErrorResponse><Error><Type>Sender</Type><Code>NotFound</Code></Error></ErrorResponse>"),
         "sns answers 400 NotFound"},
        {QUEUE, "HTTP/1.1 302 Found\r\nLocation: http://other/\r\nConnection: close\r\n\r\n",
         "sqs answers 302"},
        {"arn:aws:events:us-east-1:000000000000:event-bus/b",
         OK("{\"FailedEntryCount\":1,\"Entries\":[{\"ErrorCode\":\"NotAuthorized\"}]}"),
         "events does not take it: NotAuthorized"},
    };
    struct fixture f;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        const char *const answers[] = {cases[i].answer, NULL};

        begin(&f, answers);
        send_to(&f, &record, cases[i].target);
        assert_int_equal(f.err.code, ERR_BAD_REQUEST);
        assert_string_equal(f.err.msg, cases[i].message);
        end(&f);
    }
}

static void what_cannot_be_sent_is_told_at_once(void **state)
{
    static const char *const answers[] = {NULL};
    struct async_message m = record;
    struct async_clients none;
    struct fixture f;
    struct error err;

    (void)state;
    begin(&f, answers);
    none = (struct async_clients){.s3 = f.clients.s3};
    assert_int_equal(async_message_send(&none, &m, on_sent, &f, &err), -ERR_UNAVAILABLE);
    assert_string_equal(err.msg, "no endpoint is configured: set HEARTH_AWS_ENDPOINT");
    none = (struct async_clients){.aws = f.clients.aws};
    m.target = STR("arn:aws:s3:::bucket");
    assert_int_equal(async_message_send(&none, &m, on_sent, &f, &err), -ERR_UNAVAILABLE);
    assert_string_equal(err.msg, "no endpoint is configured: set HEARTH_S3_ENDPOINT");
    m.target = STR("nonsense");
    assert_int_equal(async_message_send(&f.clients, &m, on_sent, &f, &err), -ERR_BAD_REQUEST);
    assert_false(f.done);
    end(&f);
}

/* More than may be on their way at once, and then the end. */
static unsigned closed;

static void on_closed(const struct error *err, void *arg)
{
    (void)arg;
    assert_int_equal(err->code, ERR_CLOSED);
    closed++;
}

static void calls_under_way_end_with_the_client(void **state)
{
    static const char *const answers[] = {NULL};
    struct fixture f;
    size_t i;

    (void)state;
    closed = 0;
    begin(&f, answers);
    for (i = 0; i < AWS_CALLS_AT_ONCE + 3; i++)
        assert_int_equal(async_message_send(&f.clients, &record, on_closed, &f, NULL), 0);
    end(&f);
    assert_int_equal(closed, AWS_CALLS_AT_ONCE + 3);
}

static void a_message_survives_the_queue(void **state)
{
    cJSON *doc = async_message_doc(&letter);
    struct async_message m;

    (void)state;
    async_message_read(doc, &m);
    assert_true(str_eq(m.target, letter.target) && str_eq(m.function_arn, letter.function_arn));
    assert_true(str_eq(m.request_id, letter.request_id) && str_eq(m.function, letter.function));
    assert_true(str_eq(m.error_message, letter.error_message) && str_is(m.error_code, "200"));
    assert_true(m.is_dead_letter && !m.is_success && !m.trace_id.len);
    cJSON_Delete(doc);
}

static void endpoints_are_checked(void **state)
{
    static const char *const good[] = {"", "http://127.0.0.1:4566", "https://sqs.example/",
                                       "https://{service}.{region}.amazonaws.com", "http://[::1]:1"};
    static const char *const bad[] = {"sqs.example", "http://", "http://a/b", "http://u@a",
                                      "http://{other}.x", "http://a:", "http://a?b", "http://{service"};
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(good); i++)
        assert_null(aws_client_check_endpoint(str_of(good[i])));
    for (i = 0; i < ARRAY_LEN(bad); i++)
        assert_non_null(aws_client_check_endpoint(str_of(bad[i])));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_service_is_asked_in_its_own_way),
        cmocka_unit_test(a_refusal_is_told_by_its_code),
        cmocka_unit_test(what_cannot_be_sent_is_told_at_once),
        cmocka_unit_test(calls_under_way_end_with_the_client),
        cmocka_unit_test(a_message_survives_the_queue),
        cmocka_unit_test(endpoints_are_checked),
    };

    log_init("async-message-test", LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
