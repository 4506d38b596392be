/* SPDX-License-Identifier: Apache-2.0 */
#include "common/model/filter_pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void check(const char *const *texts, size_t len, int expected)
{
    struct error err;
    size_t i;

    for (i = 0; i < len; i++)
        if (filter_pattern_check(str_of(texts[i]), &err) != expected)
            fail_msg("%s", texts[i]);
}

static void what_the_guide_shows_is_a_pattern(void **state)
{
    static const char *const texts[] = {
        "{\"body\":{\"my-key\":[\"my-value\"]}}",
        "{\"body\":[{\"prefix\":\"a\"},{\"suffix\":{\"equals-ignore-case\":\".PNG\"}}]}",
        "{\"a\":[1,true,null,\"x\"],\"b\":[{\"exists\":false}]}",
        "{\"a\":[{\"numeric\":[\">\",100]}]}",
        "{\"a\":[{\"numeric\":[\">=\",100,\"<\",200]}]}",
        "{\"a\":[{\"numeric\":[\"=\",5]}]}",
        "{\"a\":[{\"anything-but\":[\"x\",\"y\"]}],\"b\":[{\"anything-but\":{\"prefix\":\"i\"}}]}",
        "{\"a\":[{\"equals-ignore-case\":\"X\"},{\"wildcard\":\"a*b\"}]}",
        "{\"a\":[{\"cidr\":\"10.0.0.0/24\"},{\"cidr\":\"::1/128\"}]}",
        "{\"$or\":[{\"a\":[1]},{\"b\":{\"c\":[2]}}]} ",
    };

    (void)state;
    check(texts, sizeof(texts) / sizeof(*texts), 0);
}

static void anything_else_is_none(void **state)
{
    static const char *const texts[] = {
        "",
        "null",
        "simple text",
        "\"simple text\"",
        "[]",
        "{}",
        "{\"eventSource\":\"aws:sqs\"}",
        "{\"eventSource\":[]}",
        "{\"a\":{}}",
        "{\"a\":[{}]}",
        "{\"a\":[{\"unknown\":1}]}",
        "{\"a\":[{\"exists\":\"yes\"}]}",
        "{\"a\":[{\"exists\":true,\"prefix\":\"x\"}]}",
        "{\"a\":[[1]]}",
        "{\"a\":[{\"numeric\":[\">\"]}]}",
        "{\"a\":[{\"numeric\":[\"~\",1]}]}",
        "{\"a\":[{\"numeric\":[\"<\",1,\">\",2]}]}",
        "{\"a\":[{\"numeric\":[\">\",5,\"<\",2]}]}",
        "{\"a\":[{\"numeric\":[\">\",1,\"<\",2,\"<\",3]}]}",
        "{\"a\":[{\"wildcard\":\"a**b\"}]}",
        "{\"a\":[{\"cidr\":\"10.0.0.0\"}]}",
        "{\"a\":[{\"anything-but\":[]}]}",
        "{\"$or\":[{\"a\":[1]}]}",
        "{\"a\":[1]} {\"b\":[2]}",
    };

    (void)state;
    check(texts, sizeof(texts) / sizeof(*texts), -ERR_BAD_REQUEST);
}

static void depth_and_length_have_ceilings(void **state)
{
    char text[FILTER_PATTERN_MAX + 2];
    size_t i;

    (void)state;
    for (i = 0; i < 100; i++)
        memcpy(text + i * 5, "{\"a\":", 5);
    memcpy(text + 500, "[1]", 3);
    memset(text + 503, '}', 100);
    assert_int_equal(filter_pattern_check(str_from(text, 603), NULL), -ERR_BAD_REQUEST);
    memset(text, ' ', sizeof(text));
    memcpy(text, "{\"a\":[1]}", 9);
    assert_int_equal(filter_pattern_check(str_from(text, FILTER_PATTERN_MAX), NULL), 0);
    assert_int_equal(filter_pattern_check(str_from(text, FILTER_PATTERN_MAX + 1), NULL),
                     -ERR_BAD_REQUEST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_guide_shows_is_a_pattern),
        cmocka_unit_test(anything_else_is_none),
        cmocka_unit_test(depth_and_length_have_ceilings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
