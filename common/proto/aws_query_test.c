/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/aws_query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/proto/uri_escape.h"

static void expect(struct str s, const char *text)
{
    if (!str_is(s, text))
        fail_msg("%.*s instead of %s", STR_ARG(s), text);
}

static void a_form_is_found_by_its_names(void **state)
{
    struct aws_query q;

    (void)state;
    assert_int_equal(
        aws_query_parse(STR("Action=CreateRole&Version=2010-05-08&RoleName=a%2Bb+c&&Empty=&Bare"
                            "&Tags.member.1.Key=k%C3%BC&Tags.member.1.Value=v%3D%26"
                            "&Tags.member.2.Key=second"),
                        &q, NULL),
        0);
    expect(aws_query_get(&q, "Action"), "CreateRole");
    expect(aws_query_get(&q, "RoleName"), "a+b c");
    expect(aws_query_get(&q, "Empty"), "");
    assert_non_null(aws_query_get(&q, "Empty").ptr);
    assert_non_null(aws_query_get(&q, "Bare").ptr);
    assert_null(aws_query_get(&q, "Ac").ptr);
    assert_null(aws_query_get(&q, "ActionX").ptr);
    expect(aws_query_getf(&q, "Tags.member.%zu.Key", (size_t)1), "k\xc3\xbc");
    expect(aws_query_getf(&q, "Tags.member.%d.Value", 1), "v=&");
    assert_null(aws_query_getf(&q, "Tags.member.%d.Value", 2).ptr);
    assert_int_equal(aws_query_members(&q, "Tags"), 2);
    aws_query_done(&q);
}

static void the_first_of_two_equal_names_counts(void **state)
{
    struct aws_query q;

    (void)state;
    assert_int_equal(aws_query_parse(STR("b=1&a=first&a=second&a=third"), &q, NULL), 0);
    expect(aws_query_get(&q, "a"), "first");
    aws_query_done(&q);
}

static void members_are_counted_without_gaps(void **state)
{
    static const struct {
        const char *form;
        size_t count;
    } cases[] = {
        {"", 0},
        {"L=", 0},
        {"L.member.1=a", 1},
        {"L.member.2=a&L.member.1=b&L.member.3=c", 3},
        {"L.member.1=a&L.member.3=c", 1},
        {"L.member.10=a&L.member.1=b", 1},
        {"L.member.1.Key=a&L.member.2.Value=b", 2},
        {"LL.member.1=a", 0},
        {"L.member.1x=a", 0},
    };
    struct aws_query q;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(aws_query_parse(str_of(cases[i].form), &q, NULL), 0);
        assert_int_equal(aws_query_members(&q, "L"), cases[i].count);
        aws_query_done(&q);
    }
}

static void malformed_forms_are_refused(void **state)
{
    static const char *const cases[] = {"a=%", "a=%4", "a=%zz", "%=a", "a=%00", "a=%ff", "a=b&c=%c3"};
    struct aws_query q;
    struct error err;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(aws_query_parse(str_of(cases[i]), &q, &err), -ERR_BAD_REQUEST);
        assert_string_equal(err.msg, "The query string contains a syntax error.");
    }
}

static void too_many_parameters_are_refused(void **state)
{
    CLEANUP(buf_done) struct buf form = BUF_INIT(1 << 20);
    struct aws_query q;
    unsigned i;

    (void)state;
    for (i = 0; i < AWS_QUERY_PARAMS_MAX; i++)
        buf_printf(&form, "&p%u=%u", i, i);
    assert_int_equal(aws_query_parse(buf_str(&form), &q, NULL), 0);
    expect(aws_query_get(&q, "p1999"), "1999");
    aws_query_done(&q);
    buf_printf(&form, "&more");
    assert_int_equal(aws_query_parse(buf_str(&form), &q, NULL), -ERR_TOO_LARGE);
}

static void xml_holds_only_what_xml_can(void **state)
{
    static const struct {
        struct str text;
        const char *xml;
    } cases[] = {
        {STR("plain \xc3\xbc"), "plain \xc3\xbc"},
        {STR("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;'"},
        {STR("a\r\n\tb"), "a&#xD;\n\tb"},
        {STR("\0\x1f\x7f"), "\xef\xbf\xbd\xef\xbf\xbd\x7f"},
        {STR("\xff\xc3"), "\xef\xbf\xbd\xef\xbf\xbd"},
        {STR("\xef\xbf\xbf"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {STR("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(buf_done) struct buf b = BUF_INIT(1000);

        assert_int_equal(xml_escape(&b, cases[i].text), 0);
        expect(buf_str(&b), cases[i].xml);
    }
}

static void answers_have_awss_frame(void **state)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(4096);

    (void)state;
    aws_query_answer_begin(&b, STS_XMLNS, "GetCallerIdentity");
    xml_text(&b, "Account", STR("000000000000"));
    xml_text_maybe(&b, "Absent", STR_NULL);
    xml_u64(&b, "N", 7);
    xml_bool(&b, "IsTruncated", false);
    assert_int_equal(aws_query_answer_end(&b, "GetCallerIdentity", "id-1"), 0);
    expect(buf_str(&b),
           "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"
           "<GetCallerIdentityResult><Account>000000000000</Account><N>7</N>"
           "<IsTruncated>false</IsTruncated></GetCallerIdentityResult>"
           "<ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata>"
           "</GetCallerIdentityResponse>\n");
    buf_clear(&b);
    assert_int_equal(aws_query_answer_empty(&b, IAM_XMLNS, "DeleteRole", "id-2"), 0);
    expect(buf_str(&b),
           "<DeleteRoleResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">"
           "<ResponseMetadata><RequestId>id-2</RequestId></ResponseMetadata>"
           "</DeleteRoleResponse>\n");
    buf_clear(&b);
    assert_int_equal(aws_query_error(&b, STS_XMLNS, "ValidationError", STR("a < b"), 400, "id-3"), 0);
    expect(buf_str(&b),
           "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>"
           "<Type>Sender</Type><Code>ValidationError</Code><Message>a &lt; b</Message></Error>"
           "<RequestId>id-3</RequestId></ErrorResponse>\n");
}

static void an_answer_that_does_not_fit_fails_at_its_end(void **state)
{
    size_t room;

    (void)state;
    for (room = 0; room < 300; room++) {
        CLEANUP(buf_done) struct buf b = BUF_INIT(room);

        aws_query_answer_begin(&b, "urn:x", "Op");
        xml_text(&b, "Text", STR("something of a hundred bytes or so, to be longer than any tag that "
                                 "follows it and could fit still"));
        if (aws_query_answer_end(&b, "Op", "id") == 0)
            break;
    }
    assert_in_range(room, 200, 299);
}

static void escapes_are_awss(void **state)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(1000);

    (void)state;
    assert_int_equal(uri_escape(&b, STR("a/b c~-._*\xe1\x88\xb4"), false), 0);
    expect(buf_str(&b), "a%2Fb%20c~-._%2A%E1%88%B4");
    buf_clear(&b);
    assert_int_equal(uri_escape(&b, STR("/a:b/%3A"), true), 0);
    expect(buf_str(&b), "/a%3Ab/%253A");
    buf_clear(&b);
    assert_int_equal(uri_unescape(&b, STR("a+%2fb%2B"), false), 0);
    expect(buf_str(&b), "a+/b+");
    assert_int_equal(uri_unescape(&b, STR("%2"), false), -ERR_BAD_REQUEST);
    expect(buf_str(&b), "a+/b+");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_form_is_found_by_its_names),
        cmocka_unit_test(the_first_of_two_equal_names_counts),
        cmocka_unit_test(members_are_counted_without_gaps),
        cmocka_unit_test(malformed_forms_are_refused),
        cmocka_unit_test(too_many_parameters_are_refused),
        cmocka_unit_test(xml_holds_only_what_xml_can),
        cmocka_unit_test(answers_have_awss_frame),
        cmocka_unit_test(an_answer_that_does_not_fit_fails_at_its_end),
        cmocka_unit_test(escapes_are_awss),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
