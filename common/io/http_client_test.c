/* SPDX-License-Identifier: Apache-2.0 */
#include "common/io/http_client.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/io/http_script.h"

struct fixture {
    struct loop *loop;
    struct http_client *client;
    struct http_script server;
    int done;
    int expect; /* loop ends after so many callbacks */
    int status;
    char body[256];
    struct error err;
    bool failed;
    struct buf chunks;
    int chunk_count;
    struct http_call *victim;
};

static void begin(struct fixture *f, const char *const *answers)
{
    *f = (struct fixture){.loop = loop_new(), .expect = 1, .chunks = BUF_INIT(1 << 20)};
    f->client = http_client_new(f->loop);
    http_script_start(&f->server, answers);
}

static void end(struct fixture *f)
{
    http_client_free(f->client);
    http_script_stop(&f->server);
    loop_free(f->loop);
    buf_done(&f->chunks);
}

static void on_done(int status, struct str body, const struct error *err, void *arg)
{
    struct fixture *f = arg;

    f->status = status;
    snprintf(f->body, sizeof(f->body), "%.*s", STR_ARG(body));
    f->failed = err != NULL;
    if (err)
        f->err = *err;
    if (++f->done == f->expect)
        loop_stop(f->loop);
}

static struct http_call_options get(struct fixture *f)
{
    return (struct http_call_options){.method = "GET",
                                      .url = "http://engine/v1/thing",
                                      .unix_socket = f->server.path,
                                      .timeout_us = SECONDS(20),
                                      .body_max = 100};
}

static void test_answers_come_with_status_and_body(void **state)
{
    static const char *const answers[] = {"HTTP/1.1 404 Nope\r\nContent-Length: 4\r\n\r\nnope",
                                          NULL};
    struct http_call_options o;
    struct fixture f;

    (void)state;
    begin(&f, answers);
    o = get(&f);
    http_call(f.client, &o, on_done, &f);
    assert_int_equal(f.done, 0);
    loop_run(f.loop);
    assert_false(f.failed);
    assert_int_equal(f.status, 404);
    assert_string_equal(f.body, "nope");
    assert_non_null(strstr(f.server.seen[0], "GET /v1/thing HTTP/1.1\r\n"));
    end(&f);
}

static void test_a_body_and_headers_are_sent_as_given(void **state)
{
    static const char *const answers[] = {"HTTP/1.1 201 Made\r\nContent-Length: 0\r\n\r\n",
                                          "HTTP/1.1 204 Gone\r\n\r\n", NULL};
    static const char *const headers[] = {"Content-Type: application/json", "X-A: b", NULL};
    struct http_call_options o;
    struct fixture f;

    (void)state;
    begin(&f, answers);
    o = get(&f);
    o.method = "POST";
    o.headers = headers;
    o.body = STR("{\"a\":1}");
    http_call(f.client, &o, on_done, &f);
    loop_run(f.loop);
    assert_int_equal(f.status, 201);
    assert_non_null(strstr(f.server.seen[0], "POST /v1/thing"));
    assert_non_null(strstr(f.server.seen[0], "Content-Type: application/json\r\n"));
    assert_non_null(strstr(f.server.seen[0], "X-A: b\r\n"));
    assert_non_null(strstr(f.server.seen[0], "\r\n\r\n{\"a\":1}"));
    assert_null(strstr(f.server.seen[0], "Expect"));
    o = get(&f);
    o.method = "DELETE";
    f.expect = 2;
    http_call(f.client, &o, on_done, &f);
    loop_run(f.loop);
    assert_int_equal(f.status, 204);
    assert_non_null(strstr(f.server.seen[1], "DELETE /v1/thing"));
    end(&f);
}

static void test_an_answer_beyond_the_ceiling_fails(void **state)
{
    static const char *const answers[] = {"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n12345678",
                                          NULL};
    struct http_call_options o;
    struct fixture f;

    (void)state;
    begin(&f, answers);
    o = get(&f);
    o.body_max = 7;
    http_call(f.client, &o, on_done, &f);
    loop_run(f.loop);
    assert_true(f.failed);
    assert_int_equal(f.err.code, ERR_TOO_LARGE);
    end(&f);
}

static void test_no_server_a_silent_one_and_nonsense_are_told_apart(void **state)
{
    static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\nX-Hang: 1\r\nContent-Length: 9\r\n\r\n", "",
        "SMTP ready\r\nConnection: close\r\n\r\n", NULL};
    static const enum error_code codes[] = {ERR_TIMEOUT, ERR_UNAVAILABLE, ERR_PROTOCOL};
    struct http_call_options o;
    struct fixture f;
    size_t i;

    (void)state;
    begin(&f, answers);
    for (i = 0; i < ARRAY_LEN(codes); i++) {
        o = get(&f);
        if (i == 0)
            o.timeout_us = MSEC(50);
        f.expect = f.done + 1;
        http_call(f.client, &o, on_done, &f);
        loop_run(f.loop);
        assert_true(f.failed);
        assert_int_equal(f.err.code, codes[i]);
    }
    o = get(&f);
    o.unix_socket = "/tmp/hearth-nobody-is-here";
    f.expect = f.done + 1;
    http_call(f.client, &o, on_done, &f);
    loop_run(f.loop);
    assert_int_equal(f.err.code, ERR_UNAVAILABLE);
    assert_int_equal(f.err.sys_errno, ECONNREFUSED);
    end(&f);
}

/* Starts another call from inside the callback of a chunk, and cancels a third. */
static void on_chunk(struct str chunk, void *arg)
{
    struct fixture *f = arg;
    struct http_call_options o = get(f);

    buf_append_str(&f->chunks, chunk);
    if (f->chunk_count++ == 0) {
        http_call(f->client, &o, on_done, f);
        http_call_cancel(TAKE(f->victim));
    }
}

static void test_chunks_are_delivered_and_may_start_and_cancel_calls(void **state)
{
    static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi", NULL};
    struct http_call_options o;
    struct fixture f;

    (void)state;
    begin(&f, answers);
    o = get(&f);
    o.on_chunk = on_chunk;
    o.timeout_us = 0;
    f.expect = 2;
    http_call(f.client, &o, on_done, &f);
    o = get(&f);
    o.unix_socket = f.server.silent_path;
    o.timeout_us = 0;
    f.victim = http_call(f.client, &o, on_done, &f);
    loop_run(f.loop);
    assert_false(f.failed);
    assert_int_equal(f.chunks.len, 7);
    assert_memory_equal(f.chunks.ptr, "abcdefg", 7);
    assert_int_equal(f.done, 2);
    end(&f);
}

static void test_freeing_the_client_drops_what_runs(void **state)
{
    static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\nX-Hang: 1\r\nContent-Length: 9\r\n\r\nab", NULL};
    struct http_call_options o;
    struct fixture f;

    (void)state;
    begin(&f, answers);
    o = get(&f);
    o.on_chunk = on_chunk;
    o.unix_socket = f.server.path;
    f.chunk_count = 1;
    http_call(f.client, &o, on_done, &f);
    o.on_chunk = NULL;
    o.unix_socket = "/tmp/hearth-nobody-is-here";
    http_call(f.client, &o, on_done, &f);
    loop_run(f.loop); /* ends with the second one's failure */
    assert_int_equal(f.done, 1);
    end(&f);
    assert_int_equal(f.done, 1);
}

static void on_head(int status, struct str body, const struct error *err, void *arg)
{
    struct fixture *f = arg;

    assert_true(str_is(http_call_header(f->victim, "x-Digest"), "b"));
    assert_true(str_is(http_call_header(f->victim, "WWW-Authenticate"), "Basic realm=\"a: b\""));
    assert_null(http_call_header(f->victim, "X").ptr);
    assert_null(http_call_header(f->victim, "X-Digest: b").ptr);
    on_done(status, body, err, arg);
}

static void test_fields_of_the_head_can_be_kept(void **state)
{
    static const char *const answers[] = {"HTTP/1.1 401 No\r\nX-Digest: a\r\nContent-Length: 0\r\n"
                                          "www-authenticate:Basic realm=\"a: b\" \r\nX-DIGEST:  b\r\n\r\n",
                                          NULL};
    struct http_call_options o;
    struct fixture f;

    (void)state;
    begin(&f, answers);
    o = get(&f);
    o.method = "HEAD";
    o.keep_head = true;
    f.victim = http_call(f.client, &o, on_head, &f);
    loop_run(f.loop);
    assert_int_equal(f.status, 401);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_come_with_status_and_body),
        cmocka_unit_test(test_a_body_and_headers_are_sent_as_given),
        cmocka_unit_test(test_fields_of_the_head_can_be_kept),
        cmocka_unit_test(test_an_answer_beyond_the_ceiling_fails),
        cmocka_unit_test(test_no_server_a_silent_one_and_nonsense_are_told_apart),
        cmocka_unit_test(test_chunks_are_delivered_and_may_start_and_cancel_calls),
        cmocka_unit_test(test_freeing_the_client_drops_what_runs),
    };

    return cmocka_run_group_tests_name("http_client", tests, NULL, NULL);
}
