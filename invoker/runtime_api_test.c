/* SPDX-License-Identifier: Apache-2.0 */
/* Each scenario repeats one recording of AWS's Runtime Interface Emulator, runtime side. */
#include "invoker/runtime_api.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"

#define ID "8f507cfc-4a29-4a2b-9b53-1c0c4b2a3d11"
#define NEXT "/2018-06-01/runtime/invocation/next"
#define RESPONSE "/2018-06-01/runtime/invocation/" ID "/response"
#define FAILURE "/2018-06-01/runtime/invocation/" ID "/error"
#define INIT_ERROR "/2018-06-01/runtime/init/error"
#define OK_BODY "{\"status\":\"OK\"}\n"
#define MOVE(from, to)                                                                             \
    "{\"errorMessage\":\"State transition from " from " to " to                                    \
    " failed for runtime. Error: State transition is not allowed\","                               \
    "\"errorType\":\"InvalidStateTransition\"}\n"

struct step {
    const char *method, *path, *mode;
    bool too_large;
    enum runtime_event event;
    int status; /* 0: no answer here */
    const char *body;
};

/* Plays @steps; each RUNTIME_NEXT is given the event ID at once. */
static void play(const struct step *steps, size_t len)
{
    struct runtime_api api;
    struct runtime_answer got;
    size_t i;

    runtime_api_init(&api);
    for (i = 0; i < len; i++) {
        struct runtime_request req = {.method = str_of(steps[i].method),
                                      .path = str_of(steps[i].path),
                                      .response_mode = str_of(steps[i].mode),
                                      .is_too_large = steps[i].too_large};

        memset(&got, 0, sizeof(got));
        assert_int_equal(runtime_api_request(&api, &req, &got), steps[i].event);
        assert_int_equal(got.status, steps[i].status);
        if (steps[i].event == RUNTIME_NEXT)
            runtime_api_give(&api, STR(ID));
        if (steps[i].status == 0)
            continue;
        assert_int_equal(got.body_len, strlen(steps[i].body));
        assert_string_equal(got.body, steps[i].body);
        if (got.status < 404)
            assert_string_equal(got.content_type, "application/json");
    }
}

#define PLAY(...)                                                                                  \
    do {                                                                                           \
        static const struct step steps_[] = {__VA_ARGS__};                                         \
        play(steps_, ARRAY_LEN(steps_));                                                           \
    } while (0)

#define GET_NEXT {"GET", NEXT, "", false, RUNTIME_NEXT, 0, NULL}
#define POST_RESPONSE {"POST", RESPONSE, "", false, RUNTIME_ANSWERED, 202, OK_BODY}
#define POST_ERROR {"POST", FAILURE, "", false, RUNTIME_FAILED, 202, OK_BODY}

static void next_and_response_go_round(void **state)
{
    (void)state;
    PLAY(GET_NEXT, POST_RESPONSE, GET_NEXT, POST_ERROR, GET_NEXT);
}

static void next_while_running_repeats_the_event(void **state)
{
    (void)state;
    PLAY(GET_NEXT, {"GET", NEXT, "", false, RUNTIME_REPEAT, 0, NULL}, POST_RESPONSE);
}

static void second_answer_is_refused(void **state)
{
    (void)state;
    PLAY(GET_NEXT, POST_RESPONSE,
         {"POST", RESPONSE, "", false, RUNTIME_DENIED, 403,
          MOVE("RuntimeResponseSentState", "InvocationResponse")},
         {"POST", FAILURE, "", false, RUNTIME_DENIED, 403,
          MOVE("RuntimeResponseSentState", "InvocationErrorResponse")});
    PLAY(GET_NEXT, POST_ERROR,
         {"POST", RESPONSE, "", false, RUNTIME_DENIED, 403,
          MOVE("RuntimeResponseSentState", "InvocationResponse")},
         {"POST", FAILURE, "", false, RUNTIME_DENIED, 403,
          MOVE("RuntimeResponseSentState", "InvocationErrorResponse")});
}

static void answer_counts_only_for_the_running_id(void **state)
{
#define WRONG                                                                                      \
    "/2018-06-01/runtime/invocation/00000000-0000-0000-0000-000000000000/response", "", false,     \
        RUNTIME_DENIED, 400,                                                                       \
        "{\"errorMessage\":\"Invalid request ID\",\"errorType\":\"InvalidRequestID\"}\n"
    (void)state;
    PLAY({"POST", WRONG}, GET_NEXT, {"POST", WRONG}, POST_RESPONSE);
}

static void late_answer_while_waiting_is_refused(void **state)
{
    struct runtime_request next = {.method = STR("GET"), .path = STR(NEXT)};
    struct runtime_request late = {.method = STR("POST"), .path = STR(RESPONSE)};
    struct runtime_answer got;
    struct runtime_api api;
    (void)state;

    runtime_api_init(&api);
    assert_int_equal(runtime_api_request(&api, &next, &got), RUNTIME_NEXT);
    runtime_api_give(&api, STR(ID));
    assert_int_equal(runtime_api_request(&api, &late, &got), RUNTIME_ANSWERED);
    assert_int_equal(runtime_api_request(&api, &next, &got), RUNTIME_NEXT);
    assert_int_equal(runtime_api_request(&api, &late, &got), RUNTIME_DENIED);
    assert_int_equal(got.status, 400);
}

static void init_error_ends_the_conversation(void **state)
{
    (void)state;
    PLAY({"POST", INIT_ERROR, "", false, RUNTIME_INIT_FAILED, 202, OK_BODY},
         {"POST", INIT_ERROR, "", false, RUNTIME_DENIED, 403, MOVE("InitError", "InitError")},
         {"GET", NEXT, "", false, RUNTIME_DENIED, 403, MOVE("InitError", "Ready")});
}

static void init_error_after_next_is_refused(void **state)
{
    (void)state;
    PLAY(GET_NEXT,
         {"POST", INIT_ERROR, "", false, RUNTIME_DENIED, 403, MOVE("Running", "InitError")},
         POST_RESPONSE);
}

static void too_large_response_ends_the_invocation(void **state)
{
    (void)state;
    PLAY(GET_NEXT,
         {"POST", RESPONSE, "", true, RUNTIME_ANSWER_TOO_LARGE, 413,
          "{\"errorMessage\":\"Exceeded maximum allowed payload size (6291556 bytes).\","
          "\"errorType\":\"RequestEntityTooLarge\"}\n"},
         GET_NEXT);
}

static void unknown_response_mode_spoils_the_runtime(void **state)
{
    (void)state;
    PLAY(GET_NEXT,
         {"POST", RESPONSE, "foo", false, RUNTIME_ANSWER_UNKNOWN_MODE, 400,
          "{\"errorMessage\":\"Invalid function response mode\","
          "\"errorType\":\"InvalidFunctionResponseMode\"}\n"},
         {"POST", RESPONSE, "", false, RUNTIME_DENIED, 403,
          MOVE("InvocationResponse", "InvocationResponse")});
    PLAY(GET_NEXT, {"POST", RESPONSE, "streaming", false, RUNTIME_ANSWERED, 202, OK_BODY});
}

static void only_a_streamed_response_to_the_running_invocation_begins(void **state)
{
    static const struct {
        const char *method, *path, *mode;
        bool begins;
    } cases[] = {
        {"POST", RESPONSE, "streaming", true},
        {"POST", RESPONSE, "Streaming", true},
        {"POST", RESPONSE, "", false},
        {"POST", RESPONSE, "foo", false},
        {"GET", RESPONSE, "streaming", false},
        {"POST", FAILURE, "streaming", false},
        {"POST", "/2018-06-01/runtime/invocation/other/response", "streaming", false},
        {"POST", INIT_ERROR, "streaming", false},
    };
    struct runtime_request next = {.method = STR("GET"), .path = STR(NEXT)};
    struct runtime_request req;
    struct runtime_answer got;
    struct runtime_api api;
    size_t i;
    (void)state;

    for (i = 0; i < ARRAY_LEN(cases); i++) {
        req = (struct runtime_request){.method = str_of(cases[i].method),
                                       .path = str_of(cases[i].path),
                                       .response_mode = str_of(cases[i].mode)};
        runtime_api_init(&api);
        assert_false(runtime_api_begin_stream(&api, &req));
        assert_int_equal(runtime_api_request(&api, &next, &got), RUNTIME_NEXT);
        assert_false(runtime_api_begin_stream(&api, &req));
        runtime_api_give(&api, STR(ID));
        if (runtime_api_begin_stream(&api, &req) != cases[i].begins)
            fail_msg("case %zu", i);
        assert_int_equal(api.state, cases[i].begins ? RUNTIME_RESPONSE : RUNTIME_RUNNING);
    }
}

static void nothing_else_is_allowed_while_a_response_is_streamed(void **state)
{
    static const enum runtime_event ends[] = {RUNTIME_ANSWERED, RUNTIME_ANSWER_TOO_LARGE,
                                              RUNTIME_ANSWER_TRUNCATED};
    static const int statuses[] = {202, 413, 400};
    struct runtime_request next = {.method = STR("GET"), .path = STR(NEXT)};
    struct runtime_request more = {
        .method = STR("POST"), .path = STR(RESPONSE), .response_mode = STR("streaming")};
    struct runtime_request failure = {.method = STR("POST"), .path = STR(FAILURE)};
    struct runtime_answer got;
    struct runtime_api api;
    size_t i;
    (void)state;

    for (i = 0; i < ARRAY_LEN(ends); i++) {
        runtime_api_init(&api);
        (void)runtime_api_request(&api, &next, &got);
        runtime_api_give(&api, STR(ID));
        assert_true(runtime_api_begin_stream(&api, &more));
        assert_false(runtime_api_begin_stream(&api, &more));
        assert_int_equal(runtime_api_request(&api, &next, &got), RUNTIME_DENIED);
        assert_int_equal(got.status, 403);
        assert_int_equal(runtime_api_request(&api, &more, &got), RUNTIME_DENIED);
        assert_string_equal(got.body, MOVE("InvocationResponse", "InvocationResponse"));
        assert_int_equal(runtime_api_request(&api, &failure, &got), RUNTIME_DENIED);
        assert_string_equal(got.body, MOVE("InvocationResponse", "InvocationErrorResponse"));
        runtime_api_end_stream(&api, ends[i], &got);
        assert_int_equal(got.status, statuses[i]);
        assert_int_equal(runtime_api_request(&api, &more, &got), RUNTIME_DENIED);
        assert_int_equal(runtime_api_request(&api, &next, &got), RUNTIME_NEXT);
    }
}

static void a_response_that_breaks_off_ends_the_invocation(void **state)
{
    struct runtime_request next = {.method = STR("GET"), .path = STR(NEXT)};
    struct runtime_request half = {
        .method = STR("POST"), .path = STR(RESPONSE), .is_truncated = true};
    struct runtime_answer got;
    struct runtime_api api;
    (void)state;

    runtime_api_init(&api);
    (void)runtime_api_request(&api, &next, &got);
    runtime_api_give(&api, STR(ID));
    assert_int_equal(runtime_api_request(&api, &half, &got), RUNTIME_ANSWER_TRUNCATED);
    assert_int_equal(got.status, 400);
    assert_non_null(strstr(got.body, "TruncatedHTTPRequest"));
    assert_int_equal(runtime_api_request(&api, &half, &got), RUNTIME_DENIED); /* it is over */
    half.path = STR(INIT_ERROR);
    runtime_api_init(&api);
    assert_int_equal(runtime_api_request(&api, &half, &got), RUNTIME_DENIED);
    assert_int_equal(api.state, RUNTIME_STARTED);
}

static void unknown_paths_and_wrong_methods_are_told_apart(void **state)
{
    static const struct {
        const char *method, *path;
        int status;
        const char *allow;
    } cases[] = {
        {"GET", RESPONSE, 405, "POST"},
        {"POST", NEXT, 405, "GET"},
        {"GET", "/2018-06-01/runtime/restore/next", 404, NULL},
        {"POST", "/2018-06-01/runtime/restore/error", 404, NULL},
        {"GET", "/", 404, NULL},
        {"GET", "/2018-06-01/runtime/invocation/", 404, NULL},
        {"POST", "/2018-06-01/runtime/invocation//response", 404, NULL},
        {"POST", RESPONSE "/more", 404, NULL},
        {"GET", "/2018-06-01/runtime/invocation/nextt", 404, NULL},
    };
    struct runtime_answer got;
    struct runtime_api api;
    size_t i;
    (void)state;

    runtime_api_init(&api);
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        struct runtime_request req = {.method = str_of(cases[i].method),
                                      .path = str_of(cases[i].path)};

        assert_int_equal(runtime_api_request(&api, &req, &got), RUNTIME_DENIED);
        assert_int_equal(got.status, cases[i].status);
        if (cases[i].allow) {
            assert_string_equal(got.allow, cases[i].allow);
            assert_null(got.content_type);
            assert_int_equal(got.body_len, 0);
        } else {
            assert_string_equal(got.body, "404 page not found\n");
            assert_string_equal(got.content_type, "text/plain; charset=utf-8");
            assert_true(got.no_sniff);
        }
    }
}

static void ping_is_answered(void **state)
{
    struct runtime_request req = {.method = STR("GET"), .path = STR("/2018-06-01/ping")};
    struct runtime_answer got;
    struct runtime_api api;
    (void)state;

    runtime_api_init(&api);
    assert_int_equal(runtime_api_request(&api, &req, &got), RUNTIME_DENIED);
    assert_int_equal(got.status, 200);
    assert_string_equal(got.body, "pong");
}

static void runtime_may_ask_again_after_it_lost_its_connection(void **state)
{
    struct runtime_request next = {.method = STR("GET"), .path = STR(NEXT)};
    struct runtime_answer got;
    struct runtime_api api;
    (void)state;

    runtime_api_init(&api);
    assert_int_equal(runtime_api_request(&api, &next, &got), RUNTIME_NEXT);
    runtime_api_next_lost(&api);
    assert_int_equal(api.state, RUNTIME_STARTED);
    assert_int_equal(runtime_api_request(&api, &next, &got), RUNTIME_NEXT);
    runtime_api_give(&api, STR(ID));
    runtime_api_next_lost(&api);
    assert_int_equal(api.state, RUNTIME_RUNNING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(next_and_response_go_round),
        cmocka_unit_test(next_while_running_repeats_the_event),
        cmocka_unit_test(second_answer_is_refused),
        cmocka_unit_test(answer_counts_only_for_the_running_id),
        cmocka_unit_test(late_answer_while_waiting_is_refused),
        cmocka_unit_test(init_error_ends_the_conversation),
        cmocka_unit_test(init_error_after_next_is_refused),
        cmocka_unit_test(too_large_response_ends_the_invocation),
        cmocka_unit_test(unknown_response_mode_spoils_the_runtime),
        cmocka_unit_test(only_a_streamed_response_to_the_running_invocation_begins),
        cmocka_unit_test(nothing_else_is_allowed_while_a_response_is_streamed),
        cmocka_unit_test(a_response_that_breaks_off_ends_the_invocation),
        cmocka_unit_test(unknown_paths_and_wrong_methods_are_told_apart),
        cmocka_unit_test(ping_is_answered),
        cmocka_unit_test(runtime_may_ask_again_after_it_lost_its_connection),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
