/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/async/async_record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ARN "arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST"
#define HEAD(condition, count)                                                                     \
    "{\"version\":\"1.0\",\"timestamp\":\"2026-01-31T12:00:00.123Z\",\"requestContext\":{"         \
    "\"requestId\":\"id-1\",\"functionArn\":\"" ARN "\",\"condition\":\"" condition                \
    "\",\"approximateInvokeCount\":" count "},\"requestPayload\":{\"a\": 1}"
#define CONTEXT "{\"statusCode\":200,\"executedVersion\":\"$LATEST\"}"
#define FAILED_CONTEXT                                                                             \
    "{\"statusCode\":200,\"executedVersion\":\"7\",\"functionError\":\"Unhandled\"}"

static struct async_end end_of(enum async_condition condition, uint64_t count, const char *context,
                               const char *answer)
{
    return (struct async_end){.condition = condition,
                              .request_id = STR("id-1"),
                              .function_arn = STR(ARN),
                              .count = count,
                              .payload = STR("{\"a\": 1}"),
                              .context = str_of(context),
                              .answer = answer ? str_of(answer) : STR_NULL,
                              .now_ms = 1769860800123};
}

static void records_are_as_recorded(void **state)
{
    static const struct {
        enum async_condition condition;
        uint64_t count;
        const char *context, *answer, *record;
    } cases[] = {
        {ASYNC_SUCCESS, 1, CONTEXT, "{\"hello\": \"world\"}",
         HEAD("Success", "1") ",\"responseContext\":" CONTEXT
                              ",\"responsePayload\":{\"hello\": \"world\"}}"},
        {ASYNC_RETRIES_EXHAUSTED, 3, FAILED_CONTEXT, "{\"errorMessage\":\"x\"}",
         HEAD("RetriesExhausted", "3") ",\"responseContext\":" FAILED_CONTEXT
                                       ",\"responsePayload\":{\"errorMessage\":\"x\"}}"},
        {ASYNC_AGE_EXCEEDED, 1, FAILED_CONTEXT, "1",
         HEAD("EventAgeExceeded", "1") ",\"responseContext\":" FAILED_CONTEXT
                                       ",\"responsePayload\":1}"},
        {ASYNC_ZERO_RESERVED, 0, "", NULL, HEAD("ZeroReservedConcurrency", "0") "}"},
        /* what a function may answer as well */
        {ASYNC_SUCCESS, 1, CONTEXT, "", HEAD("Success", "1") ",\"responseContext\":" CONTEXT
                                                             ",\"responsePayload\":null}"},
        {ASYNC_SUCCESS, 1, CONTEXT, "no \"JSON\"",
         HEAD("Success", "1") ",\"responseContext\":" CONTEXT
                              ",\"responsePayload\":\"no \\\"JSON\\\"\"}"},
        {ASYNC_SUCCESS, 1, CONTEXT, NULL, HEAD("Success", "1") ",\"responseContext\":" CONTEXT "}"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(buf_done) struct buf b = BUF_INIT(ASYNC_RECORD_MAX);
        struct async_end end = end_of(cases[i].condition, cases[i].count, cases[i].context,
                                      cases[i].answer);

        assert_int_equal(async_record_write(&b, &end), 0);
        buf_append_char(&b, '\0');
        assert_string_equal(b.ptr, cases[i].record);
    }
}

static void a_context_says_what_ran_and_how(void **state)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(1024);

    (void)state;
    assert_int_equal(async_context_write(&b, STR("$LATEST"), false), 0);
    assert_true(str_is(buf_str(&b), CONTEXT));
    buf_clear(&b);
    assert_int_equal(async_context_write(&b, STR("7"), true), 0);
    assert_true(str_is(buf_str(&b), FAILED_CONTEXT));
}

static void an_answer_that_makes_the_record_too_large_is_left_out(void **state)
{
    CLEANUP(buf_done) struct buf big = BUF_INIT(2 * ASYNC_SMALL_RECORD);
    CLEANUP(buf_done) struct buf b = BUF_INIT(ASYNC_RECORD_MAX);
    struct async_end end = end_of(ASYNC_SUCCESS, 1, CONTEXT, NULL);

    (void)state;
    buf_append_char(&big, '"');
    while (big.len < ASYNC_SMALL_RECORD - 100)
        buf_append_char(&big, 'x');
    buf_append_char(&big, '"');
    end.answer = buf_str(&big);
    assert_int_equal(async_record_write(&b, &end), 0);
    assert_true(str_is(buf_str(&b), HEAD("Success", "1") ",\"responseContext\":" CONTEXT "}"));
}

static void a_dead_letter_has_the_error_s_message(void **state)
{
    static const struct {
        const char *answer, *message;
    } cases[] = {
        {"{\"errorMessage\":\"Test exception\",\"errorType\":\"Exception\"}", "Test exception"},
        {"{\"errorType\":\"Exception\"}", "{\"errorType\":\"Exception\"}"},
        {"broken", "broken"},
        {"{\"errorMessage\":\"a\\u0001b\\nc\"}", "a b\nc"},
        {"", ""},
    };
    CLEANUP(buf_done) struct buf b = BUF_INIT(4096), long_one = BUF_INIT(4096);
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        buf_clear(&b);
        assert_int_equal(async_error_message(&b, str_of(cases[i].answer)), 0);
        assert_int_equal(b.len, strlen(cases[i].message));
        if (b.len)
            assert_memory_equal(b.ptr, cases[i].message, b.len);
    }
    buf_append_str(&long_one, STR("x"));
    while (long_one.len < 3000)
        buf_append_str(&long_one, STR("\xc3\xa9"));
    buf_clear(&b);
    assert_int_equal(async_error_message(&b, buf_str(&long_one)), 0);
    assert_int_equal(b.len, ASYNC_ERROR_MESSAGE_MAX - 1); /* between two characters */
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_as_recorded),
        cmocka_unit_test(a_context_says_what_ran_and_how),
        cmocka_unit_test(an_answer_that_makes_the_record_too_large_is_left_out),
        cmocka_unit_test(a_dead_letter_has_the_error_s_message),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
