/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/iam_input.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/model/pattern.h"

#define TRUST "AssumeRolePolicyDocument=%7B%7D"

static struct buf message;

/* The input as JSON, or NULL and the message. */
static char *read_form(enum iam_op_id id, const char *form, int *ret)
{
    struct aws_query query;
    cJSON *input = NULL;
    char *text = NULL;

    buf_clear(&message);
    assert_int_equal(aws_query_parse(str_of(form), &query, NULL), 0);
    *ret = iam_input_new(id, &query, &input, &message);
    if (*ret == 0)
        text = cJSON_PrintUnformatted(input);
    cJSON_Delete(input);
    aws_query_done(&query);
    return text;
}

static void a_form_becomes_an_object_of_the_operations_members(void **state)
{
    static const struct {
        enum iam_op_id id;
        const char *form, *json;
    } cases[] = {
        {IAM_OP_GetRole, "Action=GetRole&RoleName=r&Other=1", "{\"RoleName\":\"r\"}"},
        {IAM_OP_CreateRole,
         "RoleName=r&" TRUST "&MaxSessionDuration=3600&Tags.member.1.Key=a&"
         "Tags.member.1.Value=&Tags.member.2.Key=b&Tags.member.2.Value=c+d",
         "{\"RoleName\":\"r\",\"AssumeRolePolicyDocument\":\"{}\",\"MaxSessionDuration\":3600,"
         "\"Tags\":[{\"Key\":\"a\",\"Value\":\"\"},{\"Key\":\"b\",\"Value\":\"c d\"}]}"},
        {IAM_OP_TagRole, "RoleName=r&Tags=", "{\"RoleName\":\"r\",\"Tags\":[]}"},
        {IAM_OP_UntagRole, "RoleName=r&TagKeys.member.1=a&TagKeys.member.2=b",
         "{\"RoleName\":\"r\",\"TagKeys\":[\"a\",\"b\"]}"},
        {IAM_OP_ListPolicies, "OnlyAttached=true&Scope=Local",
         "{\"Scope\":\"Local\",\"OnlyAttached\":true}"},
        {IAM_OP_GetUser, "", "{}"},
    };
    size_t i;
    int r;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        char *text = read_form(cases[i].id, cases[i].form, &r);

        assert_int_equal(r, 0);
        assert_string_equal(text, cases[i].json);
        free(text);
    }
}

static void wrong_input_is_refused_in_awss_words(void **state)
{
    static const char long_name[] =
        "RoleName=0123456789012345678901234567890123456789012345678901234567890123456789";
    static const struct {
        enum iam_op_id id;
        const char *form;
        int r;
        const char *message;
    } cases[] = {
        {IAM_OP_GetRole, "", -ERR_VALIDATION,
         "1 validation error detected: Value null at 'roleName' failed to satisfy constraint: "
         "Member must not be null"},
        {IAM_OP_GetRole, long_name, -ERR_VALIDATION,
         "1 validation error detected: Value at 'roleName' failed to satisfy constraint: "
         "Member must have length less than or equal to 64"},
        {IAM_OP_GetRole, "RoleName=a%2Fb", -ERR_VALIDATION,
         "The specified value for roleName is invalid. It must contain only alphanumeric "
         "characters and/or the following: +=,.@_-"},
        {IAM_OP_CreateRole, "RoleName=r&Path=x&" TRUST, -ERR_VALIDATION,
         "The specified value for path is invalid. It must begin and end with / and contain only "
         "alphanumeric characters and/or / characters."},
        {IAM_OP_CreateRole, "RoleName=r&AssumeRolePolicyDocument=%E2%82%AC", -ERR_VALIDATION,
         "The specified value for assumeRolePolicyDocument is invalid. It must contain only "
         "printable ASCII characters."},
        {IAM_OP_CreateRole, "RoleName=r&MaxSessionDuration=60", -ERR_VALIDATION,
         "2 validation errors detected: Value null at 'assumeRolePolicyDocument' failed to "
         "satisfy constraint: Member must not be null; Value '60' at 'maxSessionDuration' failed "
         "to satisfy constraint: Member must have value greater than or equal to 3600"},
        {IAM_OP_CreateRole, "RoleName=r&MaxSessionDuration=1h&" TRUST, -ERR_SERIALIZATION,
         "STRING_VALUE cannot be converted to Integer"},
        {IAM_OP_ListPolicies, "OnlyAttached=maybe", -ERR_SERIALIZATION,
         "STRING_VALUE cannot be converted to Boolean"},
        {IAM_OP_ListPolicies, "Scope=Mine", -ERR_VALIDATION,
         "1 validation error detected: Value 'Mine' at 'scope' failed to satisfy constraint: "
         "Member must satisfy enum value set: [All, AWS, Local]"},
        {IAM_OP_TagRole, "RoleName=r&Tags.member.1.Key=a", -ERR_VALIDATION,
         "1 validation error detected: Value null at 'tags.1.member.value' failed to satisfy "
         "constraint: Member must not be null"},
        {IAM_OP_UpdateRoleDescription, "RoleName=r&Description=%C2%80", -ERR_VALIDATION,
         "1 validation error detected: Value at 'description' failed to satisfy constraint: "
         "Member must satisfy regular expression pattern: "
         "[\\u0009\\u000A\\u000D\\u0020-\\u007E\\u00A1-\\u00FF]*"},
    };
    size_t i;
    int r;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        char *text = read_form(cases[i].id, cases[i].form, &r);

        assert_null(text);
        buf_append_char(&message, '\0');
        assert_string_equal(message.ptr, cases[i].message);
        assert_int_equal(r, cases[i].r);
    }
}

static void only_operations_of_the_model_have_names(void **state)
{
    (void)state;
    assert_int_equal(iam_op_by_name(STR("CreateRole"))->id, IAM_OP_CreateRole);
    assert_true(iam_op_by_name(STR("CreateRole"))->has_result);
    assert_false(iam_op_by_name(STR("DeleteRole"))->has_result);
    assert_false(iam_op_by_name(STR("CreateUser"))->offered);
    assert_null(iam_op_by_name(STR("createRole")));
    assert_null(iam_op_by_name(STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_form_becomes_an_object_of_the_operations_members),
        cmocka_unit_test(wrong_input_is_refused_in_awss_words),
        cmocka_unit_test(only_operations_of_the_model_have_names),
    };
    int r;

    message = BUF_INIT(65536);
    r = cmocka_run_group_tests(tests, NULL, NULL);
    buf_done(&message);
    pattern_done();
    return r;
}
