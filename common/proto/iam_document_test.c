/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/iam_document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define STATEMENT(text) "{\"Version\":\"2012-10-17\",\"Statement\":[{" text "}]}"
#define RIGHT "\"Effect\":\"Allow\",\"Action\":\"s3:Get*\",\"Resource\":\"*\""
#define TRUST "\"Effect\":\"Allow\",\"Action\":\"sts:AssumeRole\""
#define LAMBDA "\"Principal\":{\"Service\":\"lambda.amazonaws.com\"}"
#define SYNTAX "Syntax errors in policy."

struct doc_case {
    const char *text;
    const char *message; /* NULL: it is fine */
};

static void check(const struct doc_case *cases, size_t len, enum iam_document_kind kind)
{
    struct error err;
    size_t i;
    int r;

    for (i = 0; i < len; i++) {
        err = (struct error){0};
        r = iam_document_check(str_of(cases[i].text), kind, &err);
        if (cases[i].message) {
            assert_string_equal(err.msg, cases[i].message);
            assert_int_equal(r, -ERR_BAD_REQUEST);
        } else {
            assert_string_equal(err.msg, "");
            assert_int_equal(r, 0);
        }
    }
}

static void identity_policies_are_taken_or_refused_in_awss_words(void **state)
{
    static const struct doc_case cases[] = {
        {STATEMENT(RIGHT), NULL},
        {"{\"Statement\":{" RIGHT "}}", NULL},
        {STATEMENT("\"Sid\":\"A1\"," RIGHT ",\"Condition\":{\"Bool\":{\"a:b\":[true,\"x\"]}}"),
         NULL},
        {STATEMENT("\"Effect\":\"Deny\",\"NotAction\":[\"iam:*\",\"*\"],"
                   "\"NotResource\":[\"arn:aws:s3:::x/*\"]"),
         NULL},
        {"", SYNTAX},
        {"[]", SYNTAX},
        {"{", SYNTAX},
        {"{}", SYNTAX},
        {STATEMENT(RIGHT) "x", SYNTAX},
        {"{\"Version\":\"2012-10-18\",\"Statement\":[{" RIGHT "}]}", SYNTAX},
        {"{\"Statement\":[]}", SYNTAX},
        {"{\"Statement\":[1]}", SYNTAX},
        {"{\"Statements\":[{" RIGHT "}]}", SYNTAX},
        {STATEMENT(RIGHT ",\"Other\":1"), SYNTAX},
        {STATEMENT(RIGHT ",\"NotResource\":\"*\""), SYNTAX},
        {STATEMENT(RIGHT ",\"Condition\":{\"Bool\":{\"a:b\":{}}}"), SYNTAX},
        {STATEMENT("\"Effect\":\"allow\",\"Action\":\"s3:*\",\"Resource\":\"*\""), SYNTAX},
        {STATEMENT("\"Effect\":\"Allow\",\"Action\":[],\"Resource\":\"*\""), SYNTAX},
        {STATEMENT(RIGHT "," LAMBDA), "Policy document should not specify a principal."},
        {STATEMENT("\"Effect\":\"Allow\",\"Resource\":\"*\""),
         "Policy statement must contain actions."},
        {STATEMENT("\"Effect\":\"Allow\",\"Action\":\"s3:*\""),
         "Policy statement must contain resources."},
        {STATEMENT("\"Effect\":\"Allow\",\"Action\":\"get\",\"Resource\":\"*\""),
         "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."},
        {STATEMENT("\"Effect\":\"Allow\",\"Action\":\"a:b:c\",\"Resource\":\"*\""),
         "Actions/Condition can contain only one colon."},
        {STATEMENT("\"Effect\":\"Allow\",\"Action\":\"s 3:x\",\"Resource\":\"*\""),
         "Vendor s 3 is not valid"},
        {STATEMENT("\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"bucket\""),
         "Resource bucket must be in ARN format or \"*\"."},
        {STATEMENT("\"Sid\":\"a b\"," RIGHT),
         "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular "
         "expression [0-9A-Za-z]*"},
        {"{\"Statement\":[{\"Sid\":\"a\"," RIGHT "},{\"Sid\":\"a\"," RIGHT "}]}",
         "Statement IDs (SID) in a single policy must be unique."},
    };

    (void)state;
    check(cases, ARRAY_LEN(cases), IAM_IDENTITY_POLICY);
}

static void trust_policies_are_taken_or_refused_in_awss_words(void **state)
{
    static const struct doc_case cases[] = {
        {STATEMENT(TRUST "," LAMBDA), NULL},
        {STATEMENT(TRUST ",\"Principal\":\"*\""), NULL},
        {STATEMENT(TRUST ",\"Principal\":{\"AWS\":[\"123456789012\",\"*\","
                         "\"arn:aws:iam::123456789012:root\"]}"),
         NULL},
        {STATEMENT(TRUST ",\"Principal\":{\"Federated\":\"accounts.google.com\"}"), NULL},
        {"{,}", "This policy contains invalid Json"},
        {"\"x\"", "This policy contains invalid Json"},
        {STATEMENT(TRUST), "Missing required field Principal"},
        {STATEMENT(TRUST "," LAMBDA ",\"Resource\":\"*\""), "Has prohibited field Resource"},
        {STATEMENT("\"Action\":\"sts:AssumeRole\"," LAMBDA), "Missing required field Effect"},
        {STATEMENT("\"Effect\":\"Allow\"," LAMBDA), "Missing required field Action"},
        {STATEMENT("\"Effect\":\"Allow\",\"Action\":\"s3:*\"," LAMBDA),
         "AssumeRole policy may only specify STS AssumeRole actions."},
        {STATEMENT(TRUST ",\"Principal\":{\"AWS\":\"me\"}"),
         "Invalid principal in policy: \"AWS\":\"me\""},
        {STATEMENT(TRUST ",\"Principal\":{\"Service\":\"lambda\"}"),
         "Invalid principal in policy: \"SERVICE\":\"lambda\""},
        {STATEMENT(TRUST ",\"Principal\":{\"Other\":\"x\"}"), "Invalid principal in policy."},
    };

    (void)state;
    check(cases, ARRAY_LEN(cases), IAM_TRUST_POLICY);
}

static void white_space_is_not_counted(void **state)
{
    (void)state;
    assert_int_equal(iam_document_size(STR("{ \"a\":\n\t\"\xc3\xa4 b\" }")), 10);
    assert_int_equal(iam_document_size(STR("")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identity_policies_are_taken_or_refused_in_awss_words),
        cmocka_unit_test(trust_policies_are_taken_or_refused_in_awss_words),
        cmocka_unit_test(white_space_is_not_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
