/* SPDX-License-Identifier: Apache-2.0 */
#include "common/model/fn_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define ARN "arn:aws:lambda:us-east-1:000000000000:function:"
#define TEXT_64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define PATTERN                                                                                    \
    "(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?"    \
    "(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?"

static const struct fn_home home = {{"000000000000", 12}, {"us-east-1", 9}};

struct name_case {
    const char *text;
    const char *region, *account, *name, *qualifier; /* name NULL: refused */
};

static const struct name_case names[] = {
    {"hello", NULL, NULL, "hello", NULL},
    {"hello:v1", NULL, NULL, "hello", "v1"},
    {"hello:$LATEST", NULL, NULL, "hello", "$LATEST"},
    {"function:hello", NULL, NULL, "hello", NULL},
    {"function", NULL, NULL, "function", NULL},
    {"function:function:function", NULL, NULL, "function", "function"},
    {"000000000000:function:hello", NULL, "000000000000", "hello", NULL},
    {"000000000000:function:hello:7", NULL, "000000000000", "hello", "7"},
    {"000000000000:hello", NULL, "000000000000", "hello", NULL},
    {"000000000000", NULL, NULL, "000000000000", NULL},
    {"00000000000:hello", NULL, NULL, "00000000000", "hello"},
    {"us-east-1:000000000000:function:hello", "us-east-1", "000000000000", "hello", NULL},
    {ARN "hello", "us-east-1", "000000000000", "hello", NULL},
    {ARN "hello:prod", "us-east-1", "000000000000", "hello", "prod"},
    {ARN "hello:$LATEST", "us-east-1", "000000000000", "hello", "$LATEST"},
    {"arn:aws-us-gov:lambda:us-gov-west-1:000000000000:function:f", "us-gov-west-1",
     "000000000000", "f", NULL},
    {"arn:aws-iso-b:lambda:us-isob-east-1:000000000000:function:f", "us-isob-east-1",
     "000000000000", "f", NULL},
    {"arn:aws-eusc:lambda:eusc-de-east-1:000000000000:function:f", "eusc-de-east-1",
     "000000000000", "f", NULL},
    {"us-gov-1:f", "us-gov-1", NULL, "f", NULL},
    {"arn::lambda:f", NULL, NULL, "f", NULL},
    {"arn:f", NULL, NULL, "arn", "f"},
    {"us-east-12:f", NULL, NULL, "us-east-12", "f"},
    {"US-EAST-1:f", NULL, NULL, "US-EAST-1", "f"},
    {"invalid:function:name", NULL, NULL, NULL, NULL},
    {"", NULL, NULL, NULL, NULL},
    {":", NULL, NULL, NULL, NULL},
    {"hello:", NULL, NULL, NULL, NULL},
    {"function:", NULL, NULL, NULL, NULL},
    {"hello world", NULL, NULL, NULL, NULL},
    {"hello/there", NULL, NULL, NULL, NULL},
    {"hello.there", NULL, NULL, NULL, NULL},
    {"hello:$latest", NULL, NULL, NULL, NULL},
    {"hello:a:b", NULL, NULL, NULL, NULL},
    {"arn:aws:s3:::bucket", NULL, NULL, NULL, NULL},
    {"arn:gcp:lambda:us-east-1:000000000000:function:f", NULL, NULL, NULL, NULL},
    {"h\xc3\xa9llo", NULL, NULL, NULL, NULL},
};

static void assert_part(struct str got, const char *expected)
{
    assert_true(!got.ptr == !expected);
    if (expected)
        assert_true(str_is(got, expected));
}

static void a_name_is_split_as_the_pattern_says(void **state)
{
    struct fn_name n;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(names); i++) {
        const struct name_case *c = &names[i];
        int r = fn_name_parse(str_of(c->text), FN_NAME_PLAIN, &n, NULL);

        assert_int_equal(r, c->name ? 0 : -ERR_VALIDATION);
        if (!c->name)
            continue;
        assert_part(n.region, c->region);
        assert_part(n.account, c->account);
        assert_part(n.name, c->name);
        assert_part(n.qualifier, c->qualifier);
    }
}

static void namespaced_names_have_dots_and_latest_published(void **state)
{
    struct fn_name n;

    (void)state;
    assert_int_equal(
        fn_name_parse(STR("my.fn:$LATEST.PUBLISHED"), FN_NAME_NAMESPACED, &n, NULL), 0);
    assert_part(n.name, "my.fn");
    assert_part(n.qualifier, "$LATEST.PUBLISHED");
    assert_int_equal(fn_name_parse(STR("f:$LATEST.PUBLISHED"), FN_NAME_PLAIN, &n, NULL),
                     -ERR_VALIDATION);
}

static void a_wrong_name_is_refused_in_awss_words(void **state)
{
    struct error err;
    struct fn_name n;

    (void)state;
    assert_int_equal(fn_name_parse(STR("invalid:function:name"), FN_NAME_PLAIN, &n, &err),
                     -ERR_VALIDATION);
    assert_string_equal(err.msg, "1 validation error detected: Value 'invalid:function:name' at "
                                 "'functionName' failed to satisfy constraint: Member must satisfy "
                                 "regular expression pattern: " PATTERN);
}

static void a_new_function_has_no_more_than_64_characters(void **state)
{
    struct error err;
    struct fn_name n;

    (void)state;
    assert_int_equal(fn_name_parse(STR(TEXT_64), FN_NAME_PLAIN, &n, NULL), 0);
    assert_int_equal(fn_name_check_new(&n, NULL), 0);
    assert_int_equal(fn_name_parse(STR(TEXT_64 "a"), FN_NAME_PLAIN, &n, NULL), 0);
    assert_int_equal(fn_name_check_new(&n, &err), -ERR_BAD_REQUEST);
    assert_string_equal(err.msg, "1 validation error detected: Value '" TEXT_64 "a' at "
                                 "'functionName' failed to satisfy constraint: Member must have "
                                 "length less than or equal to 64");
}

static void a_long_arn_is_a_validation_error(void **state)
{
    struct error err;
    struct fn_name n;

    (void)state;
    assert_int_equal(fn_name_parse(STR(ARN TEXT_64 TEXT_64), FN_NAME_PLAIN, &n, &err),
                     -ERR_VALIDATION);
    assert_non_null(strstr(err.msg, "Member must have length less than or equal to 140"));
    assert_int_equal(fn_name_parse(STR(ARN TEXT_64), FN_NAME_PLAIN, &n, NULL), 0);
}

static void a_huge_name_still_gives_the_whole_reason(void **state)
{
    char text[8000];
    struct error err;
    struct fn_name n;

    (void)state;
    memset(text, '/', sizeof(text));
    assert_int_equal(fn_name_parse(str_from(text, sizeof(text)), FN_NAME_NAMESPACED, &n, &err),
                     -ERR_VALIDATION);
    assert_true(str_starts(str_of(err.msg), STR("2 validation errors detected: Value '////")));
    assert_non_null(strstr(err.msg, "PUBLISHED)?|[a-zA-Z0-9-_]+))?; Value '////"));
    assert_true(str_ends(str_of(err.msg), STR("have length less than or equal to 256")));
}

static void names_are_resolved_against_where_we_are(void **state)
{
    struct error err;
    struct fn_name n;

    (void)state;
    assert_int_equal(fn_name_resolve(STR("f"), FN_NAME_PLAIN, STR("v"), &home, &n, &err), 0);
    assert_part(n.region, "us-east-1");
    assert_part(n.account, "000000000000");
    assert_part(n.qualifier, "v");
    assert_int_equal(fn_name_resolve(STR(ARN "f:v"), FN_NAME_PLAIN, STR("v"), &home, &n, &err), 0);
    assert_part(n.qualifier, "v");
    assert_int_equal(fn_name_resolve(STR("f"), FN_NAME_PLAIN, STR_NULL, &home, &n, &err), 0);
    assert_null(n.qualifier.ptr);

    assert_int_equal(fn_name_resolve(STR("f:w"), FN_NAME_PLAIN, STR("v"), &home, &n, &err),
                     -ERR_BAD_REQUEST);
    assert_string_equal(err.msg, "The derived qualifier from the function name does not match the "
                                 "specified qualifier.");
    assert_int_equal(fn_name_resolve(STR("arn:aws:lambda:ap-southeast-1:000000000000:function:f"),
                                     FN_NAME_PLAIN, STR_NULL, &home, &n, &err),
                     -ERR_NOT_FOUND);
    assert_string_equal(err.msg, "Functions from 'ap-southeast-1' are not reachable in this region "
                                 "('us-east-1')");
    assert_int_equal(fn_name_resolve(STR("111111111111:f"), FN_NAME_PLAIN, STR_NULL, &home, &n,
                                     &err),
                     -ERR_ACCESS_DENIED);
    assert_string_equal(err.msg, "");
}

static void qualifiers_are_checked(void **state)
{
    (void)state;
    assert_true(fn_qualifier_is_valid(STR("$LATEST")));
    assert_true(fn_qualifier_is_valid(STR("12")));
    assert_true(fn_qualifier_is_valid(STR("valid-with-$-but-doesnotexist")));
    assert_false(fn_qualifier_is_valid(STR("")));
    assert_false(fn_qualifier_is_valid(STR("invalid-qualifier-with-?-char")));
    assert_false(fn_qualifier_is_valid(STR(TEXT_64 TEXT_64 "a")));
}

static void arns_are_written(void **state)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(200);
    CLEANUP(freep) char *arn = NULL;

    (void)state;
    arn = fn_arn_new(STR("us-east-1"), STR("000000000000"), STR("f"), STR("v"));
    assert_string_equal(arn, ARN "f:v");
    assert_int_equal(fn_arn_append(&b, STR("cn-north-1"), STR("000000000000"), STR("f"), STR_NULL),
                     0);
    assert_true(str_is(buf_str(&b), "arn:aws-cn:lambda:cn-north-1:000000000000:function:f"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_split_as_the_pattern_says),
        cmocka_unit_test(namespaced_names_have_dots_and_latest_published),
        cmocka_unit_test(a_wrong_name_is_refused_in_awss_words),
        cmocka_unit_test(a_new_function_has_no_more_than_64_characters),
        cmocka_unit_test(a_long_arn_is_a_validation_error),
        cmocka_unit_test(a_huge_name_still_gives_the_whole_reason),
        cmocka_unit_test(names_are_resolved_against_where_we_are),
        cmocka_unit_test(qualifiers_are_checked),
        cmocka_unit_test(arns_are_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
