/* SPDX-License-Identifier: Apache-2.0 */
#include "common/model/pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/error.h"
#include "common/model/fn_name.h"
#include "common/model/lambda_ops.h"

static void a_pattern_matches_the_whole_text(void **state)
{
    (void)state;
    assert_int_equal(pattern_match("[0-9]+", STR("12")), 1);
    assert_int_equal(pattern_match("[0-9]+", STR("12a")), 0);
    assert_int_equal(pattern_match("[0-9]+", STR("12\n")), 0);
    assert_int_equal(pattern_match("(|[a-z]+)", STR("")), 1);
    assert_int_equal(pattern_match("a|ab", STR("ab")), 1);
    assert_int_equal(pattern_match("(?!^[0-9]+$)([a-zA-Z0-9-_]+)", STR("123")), 0);
    assert_int_equal(pattern_match("(?!^[0-9]+$)([a-zA-Z0-9-_]+)", STR("v123")), 1);
    assert_int_equal(pattern_match("[\\p{L}]*", STR("\xc3\xa9")), 1);
    assert_int_equal(pattern_match("(", STR("")), -ERR_INTERNAL);
}

static void all_patterns_of_the_shape_compile(const struct lambda_shape *shape)
{
    size_t i;

    if (shape->pattern)
        assert_int_not_equal(pattern_match(shape->pattern, STR("?")), -ERR_INTERNAL);
    if (shape->recorded_pattern)
        assert_int_not_equal(pattern_match(shape->recorded_pattern, STR("?")), -ERR_INTERNAL);
    if (shape->key)
        all_patterns_of_the_shape_compile(shape->key);
    if (shape->item)
        all_patterns_of_the_shape_compile(shape->item);
    for (i = 0; i < shape->members_len; i++)
        all_patterns_of_the_shape_compile(shape->members[i].shape);
}

static void every_pattern_of_the_model_compiles(void **state)
{
    enum lambda_op_id id;

    (void)state;
    for (id = 0; id < LAMBDA_OP_MAX; id++)
        if (lambda_input_shape(id))
            all_patterns_of_the_shape_compile(lambda_input_shape(id));
}

static void runaway_backtracking_is_given_up(void **state)
{
    char text[40];

    (void)state;
    memset(text, 'a', sizeof(text));
    text[sizeof(text) - 1] = '!';
    assert_int_equal(pattern_match("(a+)+", str_from(text, sizeof(text))), -ERR_TOO_LARGE);
}

/* The hand-written reader of names on the invoke path against the model's own pattern. */
static void names_are_read_as_their_pattern_says(void **state)
{
    static const char *const tokens[] = {
        "arn:", "aws", "aws-cn", ":lambda:", "lambda", "us-east-1", "us-gov-west-1", "us-iso-1",
        "eusc-de-east-1", ":", "000000000000", "00000000000", "function", "name", "na.me",
        "$LATEST", "$LATEST.PUBLISHED", "-", "_", "7", "A", "$",
    };
    const enum lambda_op_id ops[] = {
        [FN_NAME_PLAIN] = LAMBDA_OP_CreateFunction,
        [FN_NAME_NAMESPACED] = LAMBDA_OP_Invoke,
    };
    uint32_t seed = 1;
    int i, n, kind, by_pattern, by_hand, matched = 0;

    (void)state;
    for (i = 0; i < 200000; i++) {
        struct buf text = BUF_INIT(200);
        struct fn_name name;

        for (n = (int)(seed >> 29) + 1; n > 0; n--) {
            seed = seed * 1664525u + 1013904223u;
            buf_append_str(&text, str_of(tokens[(seed >> 16) % ARRAY_LEN(tokens)]));
        }
        for (kind = FN_NAME_PLAIN; kind <= FN_NAME_NAMESPACED && text.len <= FN_NAME_MAX; kind++) {
            const struct lambda_shape *shape =
                lambda_shape_member(lambda_input_shape(ops[kind]), STR("FunctionName"))->shape;

            by_pattern = pattern_match(shape->pattern, buf_str(&text));
            by_hand = fn_name_parse(buf_str(&text), (enum fn_name_kind)kind, &name, NULL);
            if (by_pattern != (by_hand == 0))
                fail_msg("'%.*s': pattern %d, by hand %d", STR_ARG(buf_str(&text)), by_pattern,
                         by_hand);
            matched += by_pattern;
        }
        buf_done(&text);
    }
    assert_true(matched > 1000);
}

static int teardown(void **state)
{
    (void)state;
    pattern_done();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pattern_matches_the_whole_text),
        cmocka_unit_test(every_pattern_of_the_model_compiles),
        cmocka_unit_test(runaway_backtracking_is_given_up),
        cmocka_unit_test(names_are_read_as_their_pattern_says),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
