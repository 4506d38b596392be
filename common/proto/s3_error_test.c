/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/s3_error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/buf.h"

static void code_and_message_are_read(void **state)
{
    static const struct {
        const char *xml, *code, *message, *region;
    } cases[] = {
        {"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchKey</Code><Message>The "
         "specified key does not exist.</Message><Key>a&amp;b</Key><RequestId>1</RequestId></Error>",
         "NoSuchKey", "The specified key does not exist.", ""},
        {"<Error xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\n  <Code>SlowDown</Code>\n</Error>\n",
         "SlowDown", "", ""},
        {"<Error><Code>A.B</Code><Message/></Error>", "A.B", "", ""},
        {"<Error><Code>X</Code><Message>&lt;a&gt; &quot;&apos;&#x41;&#66;&#xe9;&#x1F525;</Message></Error>",
         "X", "<a> \"'AB\xc3\xa9\xf0\x9f\x94\xa5", ""},
        {"<Error><Code>X</Code><Message>a\nb&#9;c&#1;d</Message></Error>", "X", "a b c d", ""},
        {"\xef\xbb\xbf<Error ><Deep><Code>No</Code><Er/></Deep ><Code>Yes</Code><Region>eu-west-1</Region></Error>",
         "Yes", "", "eu-west-1"},
    };
    struct s3_error e;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(s3_error_parse(str_of(cases[i].xml), &e, NULL), 0);
        assert_string_equal(e.code, cases[i].code);
        assert_string_equal(e.message, cases[i].message);
        assert_string_equal(e.region, cases[i].region);
    }
}

static void all_else_is_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "<html><Code>NoSuchKey</Code></html>",
        "<Error/>",
        "<Error></Error>",
        "<Error><Message>no code</Message></Error>",
        "<Error><Code></Code></Error>",
        "<Error><Code>a b</Code></Error>",
        "<Error><Code>A</Code><Code>B</Code></Error>",
        "<Error><Code>A<B/></Code></Error>",
        "<Error><Code>A</Code>",
        "<Error><Code>A</Code></Err>",
        "<Error><Code>A</Kode></Error>",
        "<Error><Code>A</Code></Error>more",
        "<Error><Code>A</Code></Error><Error/>",
        "<Error><Code>A&unknown;</Code></Error>",
        "<Error><Code>A</Code><Message>&#0;</Message></Error>",
        "<Error><Code>A</Code><Message>&#xd800;</Message></Error>",
        "<Error><Code>A</Code><Message>&#x110000;</Message></Error>",
        "<Error><Code>A</Code><Message>&#99999999999;</Message></Error>",
        "<Error><Code>A</Code><Message>&amp",
        "<Error><Code>A</Code><!-- a comment --></Error>",
        "<Error><Code><![CDATA[A]]></Code></Error>",
        "<!DOCTYPE Error [<!ENTITY a \"b\">]><Error><Code>A</Code></Error>",
        "<?xml version=\"1.0\"",
        "<Error a=b><Code>A</Code></Error>",
        "<Error a=\"<\"><Code>A</Code></Error>",
        "<Error><Code>A</Code><Message>\xff</Message></Error>",
        "<Error><Code>A</Code><1><2><3><4><5><6><7><8/></7></6></5></4></3></2></1></Error>",
    };
    struct s3_error e;
    struct error err;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        err.code = ERR_OK;
        assert_int_equal(s3_error_parse(str_of(cases[i]), &e, &err), -ERR_PROTOCOL);
        assert_int_equal(err.code, ERR_PROTOCOL);
    }
}

static void long_texts_are_cut_and_long_bodies_refused(void **state)
{
    struct buf b = BUF_INIT(1u << 20);
    struct s3_error e;
    size_t i;

    (void)state;
    buf_append_str(&b, STR("<Error><Code>A</Code><Message>x"));
    for (i = 0; i < 600; i++)
        buf_append_str(&b, STR("\xc3\xa9"));
    buf_append_str(&b, STR("</Message></Error>"));
    assert_int_equal(s3_error_parse(buf_str(&b), &e, NULL), 0);
    assert_true(strlen(e.message) >= sizeof(e.message) - 2);
    assert_true(str_is_utf8(str_of(e.message)));
    while (b.len <= S3_ERROR_BYTES_MAX)
        buf_append_char(&b, ' ');
    assert_int_equal(s3_error_parse(buf_str(&b), &e, NULL), -ERR_PROTOCOL);
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(code_and_message_are_read),
        cmocka_unit_test(all_else_is_refused),
        cmocka_unit_test(long_texts_are_cut_and_long_bodies_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
