/* SPDX-License-Identifier: Apache-2.0 */
/* Questions and answers over a link whose two ends are in this loop. */
#include "common/io/link_test_ends.h"

#include "common/io/rpc.h"

/* What came of one question. */
struct outcome {
    int calls;
    char *ok; /* JSON */
    struct buf body;
    struct error err; /* code ERR_OK when there was none */
};

static struct {
    struct rpc_request *later; /* kept by the handler of "later" */
    int handled;
    bool serving_junk;
    struct outcome outcome;
} r;

static void on_done(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    struct outcome *out = arg;

    assert_false(t.inside);
    out->calls++;
    if (err) {
        assert_null(ok);
        out->err = *err;
        return;
    }
    out->ok = cJSON_PrintUnformatted(ok);
    out->body = BUF_INIT(RPC_BODY_MAX);
    assert_int_equal(buf_append_str(&out->body, body), 0);
}

static void outcome_clear(struct outcome *out)
{
    free(out->ok);
    buf_done(&out->body);
    memset(out, 0, sizeof(*out));
}

/* ---- the serving side */

static void handle_echo(struct rpc_request *req, const cJSON *args, struct str body, void *arg)
{
    (void)arg;
    r.handled++;
    assert_ptr_equal(rpc_request_link(req), t.accepted);
    rpc_reply(req, args, body);
}

static void handle_nothing(struct rpc_request *req, const cJSON *args, struct str body, void *arg)
{
    (void)args;
    (void)body;
    (void)arg;
    rpc_reply(req, NULL, STR_NULL);
}

static void handle_fail(struct rpc_request *req, const cJSON *args, struct str body, void *arg)
{
    struct error err;

    (void)args;
    (void)body;
    (void)arg;
    error_set(&err, ERR_NOT_FOUND, "Function not found: \"hello\"\n");
    rpc_fail(req, &err);
}

static void handle_later(struct rpc_request *req, const cJSON *args, struct str body, void *arg)
{
    (void)args;
    (void)body;
    assert_ptr_equal(arg, &r);
    r.later = req;
}

static const struct rpc_method methods[] = {
    {"echo", handle_echo},
    {"nothing", handle_nothing},
    {"fail", handle_fail},
    {"later", handle_later},
    {NULL, NULL},
};

static void on_rpc_stream(struct link *link, struct link_stream *s, enum link_kind kind,
                          struct str head, void *arg)
{
    static const struct str junk[] = {STR("{}"), STR("{\"ok\":1}"), STR("["),
                                      STR("{\"error\":{\"code\":\"OK\",\"message\":\"x\"}}"),
                                      STR("{\"error\":{\"code\":\"X\"}}"), STR("{\"ok\":{}} ,")};

    (void)link;
    (void)arg;
    assert_int_equal(kind, LINK_CALL);
    if (!r.serving_junk) {
        rpc_serve(t.loop, s, head, methods, &r);
        return;
    }
    link_stream_accept(s, &echo_ops, NULL);
    link_stream_answer(s, junk[r.handled++ % (int)ARRAY_LEN(junk)], STR_NULL, false);
}

static const struct link_ops rpc_server_ops = {
    .on_up = on_server_up, .on_stream = on_rpc_stream, .on_down = on_server_down};

static int set_up_rpc(void **state)
{
    set_up_unlinked(state);
    memset(&r, 0, sizeof(r));
    assert_int_equal(link_listen(t.loop, t.address, &server_hello, &rpc_server_ops, NULL,
                                 &t.server, NULL),
                     0);
    assert_int_equal(link_connect(t.loop, t.address, &client_hello, &client_ops, NULL, &t.client,
                                  NULL),
                     0);
    WAIT_FOR(t.ups == 1 && t.server_ups == 1);
    return 0;
}

static int tear_down_rpc(void **state)
{
    outcome_clear(&r.outcome);
    return tear_down(state);
}

static void call(const char *method, const char *args_json, struct str body, uint64_t timeout_us)
{
    cJSON *args = args_json ? cJSON_Parse(args_json) : NULL;

    outcome_clear(&r.outcome);
    t.inside = true;
    rpc_call(t.client, method, args, body, timeout_us, on_done, &r.outcome);
    t.inside = false;
    cJSON_Delete(args);
}

/* ---- tests */

static void a_question_gets_the_handlers_answer(void **state)
{
    (void)state;
    call("echo", "{\"a\":[1,\"\\u00e9\"]}", STR("bytes"), SECONDS(10));
    WAIT_FOR(r.outcome.calls);
    assert_string_equal(r.outcome.ok, "{\"a\":[1,\"\xc3\xa9\"]}");
    assert_true(str_is(buf_str(&r.outcome.body), "bytes"));
    call("nothing", NULL, STR_NULL, SECONDS(10));
    WAIT_FOR(r.outcome.calls);
    assert_string_equal(r.outcome.ok, "{}");
    assert_int_equal(r.outcome.body.len, 0);
    assert_int_equal(t.client->stream_count, 0);
}

static void a_big_body_goes_both_ways(void **state)
{
    enum { LEN = 20 * 1024 * 1024 };
    CLEANUP(freep) char *bytes = make_bytes(LEN, 1);

    (void)state;
    call("echo", "{}", str_from(bytes, LEN), SECONDS(60));
    WAIT_FOR(r.outcome.calls);
    assert_int_equal(r.outcome.body.len, LEN);
    assert_memory_equal(r.outcome.body.ptr, bytes, LEN);
}

static void a_handlers_error_comes_in_its_own_words(void **state)
{
    (void)state;
    call("fail", NULL, STR_NULL, SECONDS(10));
    WAIT_FOR(r.outcome.calls);
    assert_int_equal(r.outcome.err.code, ERR_NOT_FOUND);
    assert_string_equal(r.outcome.err.msg, "Function not found: \"hello\"\n");
}

static void an_unknown_method_is_refused_without_its_body(void **state)
{
    enum { LEN = 4 * 1024 * 1024 };
    CLEANUP(freep) char *bytes = make_bytes(LEN, 2);

    (void)state;
    call("no \"such\"", NULL, str_from(bytes, LEN), SECONDS(10));
    WAIT_FOR(r.outcome.calls);
    assert_int_equal(r.outcome.err.code, ERR_NO_OPERATION);
    assert_string_equal(r.outcome.err.msg, "unknown method no \"such\"");
    settle();
    assert_int_equal(t.client->stream_count + t.accepted->stream_count, 0);
    assert_true(link_is_up(t.client));
}

static void a_question_that_makes_no_sense_is_refused(void **state)
{
    static const struct str heads[] = {STR(""), STR("{}"), STR("{\"method\":7,\"args\":{}}"),
                                       STR("{\"method\":\"echo\",\"args\":[]}"),
                                       STR("{\"method\":\"echo\"}"),
                                       STR("{\"method\":\"echo\",\"args\":{}}x")};
    struct talk talk;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(heads); i++) {
        talk_init(&talk);
        talk.s = link_open(t.client, LINK_CALL, heads[i], STR("b"), true, &talk_ops, &talk);
        WAIT_FOR(talk.ended);
        assert_true(str_starts(buf_str(&talk.head), STR("{\"error\":{\"code\":\"PROTOCOL\"")));
        talk_done(&talk);
    }
    assert_int_equal(r.handled, 0);
}

static void an_answer_that_makes_no_sense_is_an_error(void **state)
{
    int i;

    (void)state;
    r.serving_junk = true;
    for (i = 0; i < 6; i++) {
        call("echo", NULL, STR_NULL, SECONDS(10));
        WAIT_FOR(r.outcome.calls);
        if (i == 3)
            assert_int_equal(r.outcome.err.code, ERR_INTERNAL); /* an error that says OK */
        else
            assert_int_equal(r.outcome.err.code, ERR_PROTOCOL);
        settle();
        assert_int_equal(r.outcome.calls, 1);
    }
}

static void no_answer_in_time_is_a_timeout_and_a_late_one_is_dropped(void **state)
{
    (void)state;
    call("later", NULL, STR_NULL, MSEC(5));
    WAIT_FOR(r.outcome.calls);
    assert_int_equal(r.outcome.err.code, ERR_TIMEOUT);
    assert_string_equal(r.outcome.err.msg, "later: no answer within 5 ms");
    settle();
    assert_non_null(r.later);
    assert_ptr_equal(rpc_request_link(r.later), t.accepted); /* only the asker has gone */
    rpc_reply(r.later, NULL, STR("too late"));
    settle();
    assert_int_equal(r.outcome.calls, 1);
    assert_true(link_is_up(t.client));
}

static void a_reply_after_its_link_has_gone_is_harmless(void **state)
{
    struct error err;

    (void)state;
    call("later", NULL, STR_NULL, SECONDS(10));
    WAIT_FOR(r.later);
    link_free(t.client);
    t.client = NULL;
    WAIT_FOR(t.server_downs == 1);
    assert_null(rpc_request_link(r.later));
    error_set(&err, ERR_INTERNAL, "never mind");
    rpc_fail(r.later, &err);
    assert_int_equal(r.outcome.calls, 0); /* link_free() forgets what was asked */
}

static void a_reply_after_the_server_was_freed_is_harmless(void **state)
{
    (void)state;
    call("later", NULL, STR_NULL, SECONDS(10));
    WAIT_FOR(r.later);
    link_server_free(t.server);
    t.server = NULL;
    assert_null(rpc_request_link(r.later));
    rpc_reply(r.later, NULL, STR_NULL);
    WAIT_FOR(r.outcome.calls);
    assert_int_equal(r.outcome.err.code, ERR_CLOSED);
}

static void a_link_that_is_down_answers_by_callback(void **state)
{
    (void)state;
    link_server_free(t.server);
    t.server = NULL;
    WAIT_FOR(t.downs == 1);
    call("echo", NULL, STR_NULL, SECONDS(10));
    assert_int_equal(r.outcome.calls, 0);
    WAIT_FOR(r.outcome.calls);
    assert_int_equal(r.outcome.err.code, ERR_UNAVAILABLE);
    call("echo", NULL, STR_NULL, SECONDS(10));
    link_free(t.client); /* before the callback could come */
    t.client = NULL;
    settle();
    assert_int_equal(r.outcome.calls, 0);
}

static void a_question_that_is_too_large_is_not_sent(void **state)
{
    cJSON *args = cJSON_CreateObject();
    char *big = malloc(LINK_HEAD_MAX + 1);

    (void)state;
    memset(big, 'x', LINK_HEAD_MAX);
    big[LINK_HEAD_MAX] = '\0';
    cJSON_AddStringToObject(args, "a", big);
    rpc_call(t.client, "echo", args, STR_NULL, SECONDS(10), on_done, &r.outcome);
    WAIT_FOR(r.outcome.calls);
    assert_int_equal(r.outcome.err.code, ERR_TOO_LARGE);
    cJSON_Delete(args);
    free(big);
}

static void a_hundred_questions_get_each_its_own_answer(void **state)
{
    enum { COUNT = 100 };
    static struct outcome outs[COUNT];
    char text[32];
    size_t i, done;

    (void)state;
    memset(outs, 0, sizeof(outs));
    for (i = 0; i < COUNT; i++) {
        snprintf(text, sizeof(text), "body %zu", i);
        rpc_call(t.client, "echo", NULL, str_of(text), SECONDS(10), on_done, &outs[i]);
    }
    do {
        uv_run(loop_uv(t.loop), UV_RUN_ONCE);
        for (i = 0, done = 0; i < COUNT; i++)
            done += (size_t)outs[i].calls;
    } while (done < COUNT);
    for (i = 0; i < COUNT; i++) {
        snprintf(text, sizeof(text), "body %zu", i);
        assert_true(str_is(buf_str(&outs[i].body), text));
        outcome_clear(&outs[i]);
    }
}

#define TEST_RPC(fn) cmocka_unit_test_setup_teardown(fn, set_up_rpc, tear_down_rpc)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_RPC(a_question_gets_the_handlers_answer),
        TEST_RPC(a_big_body_goes_both_ways),
        TEST_RPC(a_handlers_error_comes_in_its_own_words),
        TEST_RPC(an_unknown_method_is_refused_without_its_body),
        TEST_RPC(a_question_that_makes_no_sense_is_refused),
        TEST_RPC(an_answer_that_makes_no_sense_is_an_error),
        TEST_RPC(no_answer_in_time_is_a_timeout_and_a_late_one_is_dropped),
        TEST_RPC(a_reply_after_its_link_has_gone_is_harmless),
        TEST_RPC(a_reply_after_the_server_was_freed_is_harmless),
        TEST_RPC(a_link_that_is_down_answers_by_callback),
        TEST_RPC(a_question_that_is_too_large_is_not_sent),
        TEST_RPC(a_hundred_questions_get_each_its_own_answer),
    };

    return RUN_OVER_BOTH("rpc", tests);
}
