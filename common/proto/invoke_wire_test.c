/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "common/proto/invoke_wire.h"

#define assert_str(s, literal) assert_true(str_is((s), literal))

static const struct invoke_head question = {
    .flags = INVOKE_LOG_TAIL,
    .generation = 0x0102030405060708u,
    .epoch = 9,
    .wait_ms = 2500,
    .request_id = {"req", 3},
    .account = {"000000000000", 12},
    .name = {"hello", 5},
    .version = {"$LATEST", 7},
    .invoked_arn = {"arn:x", 5},
    .trace_id = {"Root=1", 6},
    .client_context = {"{}", 2},
    .payload_bytes = 258,
    .gateway = {"gw.1f", 5},
    .pool = {"*", 1},
};

#define BEHIND_STRS (4u + 7u + 3u) /* bytes of what older programs do not say */
#define BEHIND_LENGTH (7u + 3u)

static void a_question_reads_back_as_it_was_written(void **state)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(4096);
    struct invoke_head head;

    (void)state;
    assert_int_equal(invoke_head_write(&b, &question), 0);
    assert_int_equal(invoke_head_read(buf_str(&b), &head), 0);
    assert_int_equal(head.flags, INVOKE_LOG_TAIL);
    assert_true(head.generation == question.generation);
    assert_int_equal(head.epoch, 9);
    assert_int_equal(head.wait_ms, 2500);
    assert_str(head.request_id, "req");
    assert_str(head.account, "000000000000");
    assert_str(head.name, "hello");
    assert_str(head.version, "$LATEST");
    assert_str(head.invoked_arn, "arn:x");
    assert_str(head.trace_id, "Root=1");
    assert_str(head.client_context, "{}");
    assert_str(head.cognito_identity, "");
    assert_int_equal(head.payload_bytes, 258);
    assert_str(head.gateway, "gw.1f");
    assert_str(head.pool, "*");
}

static void the_bytes_of_a_question_are_as_documented(void **state)
{
    static const char want[] = "\0\0\0\1"
                               "\1\2\3\4\5\6\7\10"
                               "\0\0\0\0\0\0\0\11"
                               "\0\0\11\304"
                               "\0\3req"
                               "\0\14"
                               "000000000000"
                               "\0\5hello"
                               "\0\7$LATEST"
                               "\0\5arn:x"
                               "\0\6Root=1"
                               "\0\2{}"
                               "\0\0"
                               "\0\0\1\2"
                               "\0\5gw.1f"
                               "\0\1*";
    CLEANUP(buf_done) struct buf b = BUF_INIT(4096);

    (void)state;
    assert_int_equal(invoke_head_write(&b, &question), 0);
    assert_int_equal(b.len, sizeof(want) - 1);
    assert_memory_equal(b.ptr, want, b.len);
}

static void a_question_cut_within_a_field_is_refused_and_one_that_goes_on_is_not(void **state)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(4096);
    struct invoke_head head;
    size_t len;
    char *cut;

    (void)state;
    assert_int_equal(invoke_head_write(&b, &question), 0);
    for (len = 0; len < b.len; len++) {
        if (len == b.len - BEHIND_STRS || len == b.len - BEHIND_LENGTH)
            continue; /* heads of older programs */
        cut = str_dup(str_from(b.ptr, len)); /* a copy, so that a read beyond it is seen */
        assert_int_equal(invoke_head_read(str_from(cut, len), &head), -ERR_PROTOCOL);
        free(cut);
    }
    assert_int_equal(buf_append(&b, "\0\3new", 5), 0);
    assert_int_equal(invoke_head_read(buf_str(&b), &head), 0);
    assert_int_equal(head.payload_bytes, 258);
    assert_str(head.pool, "*");
}

static void what_older_programs_do_not_say_is_not_missed(void **state)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(4096);
    struct invoke_head head;

    (void)state;
    assert_int_equal(invoke_head_write(&b, &question), 0);
    assert_int_equal(invoke_head_read(str_from(b.ptr, b.len - BEHIND_LENGTH), &head), 0);
    assert_int_equal(head.payload_bytes, 258);
    assert_str(head.gateway, "");
    assert_str(head.pool, "");
    assert_int_equal(invoke_head_read(str_from(b.ptr, b.len - BEHIND_STRS), &head), 0);
    assert_int_equal(head.payload_bytes, 0);
    assert_str(head.client_context, "{}");
}

static void a_question_that_does_not_fit_leaves_the_buffer_as_it_was(void **state)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(40);
    CLEANUP(buf_done) struct buf roomy = BUF_INIT(1 << 20);
    static char big[70000];
    struct invoke_head head = question;

    (void)state;
    assert_int_equal(buf_append(&b, "abc", 3), 0);
    assert_int_equal(invoke_head_write(&b, &question), -ERR_TOO_LARGE);
    assert_str(buf_str(&b), "abc");
    head.client_context = str_from(big, sizeof(big)); /* beyond what its length can say */
    assert_int_equal(invoke_head_write(&roomy, &head), -ERR_TOO_LARGE);
    head = question;
    head.pool = str_from(big, sizeof(big));
    assert_int_equal(invoke_head_write(&roomy, &head), -ERR_TOO_LARGE);
    assert_int_equal(roomy.len, 0);
}

static void results_read_back_as_they_were_written(void **state)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(4096);
    const struct result_head ok = {.outcome = INVOKE_FUNCTION_ERROR,
                                   .executed_version = {"7", 1},
                                   .log_tail = {"a\0b", 3},
                                   .body_bytes = 70000};
    const struct result_head no = {
        .outcome = INVOKE_REFUSED, .refused = ERR_STALE, .message = {"older", 5}};
    struct result_head head;

    (void)state;
    assert_int_equal(result_head_write(&b, &ok), 0);
    assert_int_equal(result_head_read(buf_str(&b), &head), 0);
    assert_int_equal(head.outcome, INVOKE_FUNCTION_ERROR);
    assert_int_equal(head.refused, ERR_OK);
    assert_str(head.executed_version, "7");
    assert_int_equal(head.log_tail.len, 3);
    assert_int_equal(head.body_bytes, 70000);
    buf_clear(&b);
    assert_int_equal(result_head_write(&b, &no), 0);
    assert_int_equal(result_head_read(buf_str(&b), &head), 0);
    assert_int_equal(head.outcome, INVOKE_REFUSED);
    assert_int_equal(head.refused, ERR_STALE);
    assert_str(head.message, "older");
}

static void results_that_make_no_sense_are_refused(void **state)
{
    static const struct {
        struct str bytes;
        int r;
    } cases[] = {
        {{"", 0}, -ERR_PROTOCOL},
        {{"\0\0\0\0\0\0\0\0", 8}, -ERR_PROTOCOL}, /* cut */
        {{"\0\0\0\0\0\0\0\0\0", 9}, 0},
        {{"\3\0\0\0\0\0\0\0\0", 9}, 0}, /* streaming */
        {{"\4\0\0\0\0\0\0\0\0", 9}, -ERR_PROTOCOL}, /* unknown outcome */
        {{"\2\0\0\0\0\0\0\0\0", 9}, -ERR_PROTOCOL}, /* refused, no reason */
        {{"\0\0\5STALE\0\0\0\0\0\0", 14}, -ERR_PROTOCOL}, /* a reason, not refused */
        {{"\2\0\2OK\0\0\0\0\0\0", 11}, -ERR_PROTOCOL}, /* refused because all is well */
        {{"\2\0\3NEW\0\0\0\0\0\0", 12}, 0}, /* a code of a later version */
        {{"\0\377\377\0\0\0\0\0\0", 9}, -ERR_PROTOCOL},
    };
    struct result_head head;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++)
        if (result_head_read(cases[i].bytes, &head) != cases[i].r)
            fail_msg("case %zu", i);
    assert_int_equal(result_head_read(cases[8].bytes, &head), 0);
    assert_int_equal(head.refused, ERR_INTERNAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_reads_back_as_it_was_written),
        cmocka_unit_test(the_bytes_of_a_question_are_as_documented),
        cmocka_unit_test(a_question_cut_within_a_field_is_refused_and_one_that_goes_on_is_not),
        cmocka_unit_test(what_older_programs_do_not_say_is_not_missed),
        cmocka_unit_test(a_question_that_does_not_fit_leaves_the_buffer_as_it_was),
        cmocka_unit_test(results_read_back_as_they_were_written),
        cmocka_unit_test(results_that_make_no_sense_are_refused),
    };

    return cmocka_run_group_tests_name("invoke_wire", tests, NULL, NULL);
}
