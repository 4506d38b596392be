/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/json_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/buf.h"

#define PREFIX "Could not parse request body into json: Could not parse payload into json: "
#define SOURCE "[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); "
#define VALUE "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"

static void what_is_json_passes(void **state)
{
    static const struct str good[] = {
        STR(""), STR("{}"), STR("[]"), STR(" \r\n\t{ } \n"), STR("null"), STR("true"),
        STR("false"), STR("\"\""), STR("0"), STR("-0"), STR("-12.5e+10 "), STR("1E5"),
        STR("0.1"), STR("[1,2,[3,{\"a\":[]}],\"x\"]"), STR("{\"a\":1,\"b\":{\"c\":null},\"a\":2}"),
        STR("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00fF\\ud800\""), STR("\"0123456789abcdef0123456789\""),
        STR("\"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \xed\x9f\xbf \xee\x80\x80\""),
        STR("\xef\xbb\xbf{}"), STR("[true,false,null,true]"), STR("\"\x7f\""),
        STR("[\n        1,\n        2\n]"),
    };
    struct error err;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(good); i++)
        if (json_check(good[i], &err) != 0)
            fail_msg("%.*s: %s", STR_ARG(good[i]), err.msg);
}

struct bad_case {
    struct str text;
    const char *message;
    int line, column;
};

static const struct bad_case bad[] = {
    /* recorded */
    {STR("n\x87r\x9e\xe9\xb5\xd7I\xee\x9bmt"), "Invalid UTF-8 start byte 0x87", 1, 3},
    {STR("\x99\xeb,j\x07\xa1zYh"),
     "Unexpected character ((CTRL-CHAR, code 153)): expected a valid value " VALUE, 1, 1},
    /* values */
    {STR("abc"), "Unrecognized token 'abc': was expecting " VALUE, 1, 4},
    {STR("abc def"), "Unrecognized token 'abc': was expecting " VALUE, 1, 5},
    {STR("\n x1\n"), "Unrecognized token 'x1': was expecting " VALUE, 2, 5},
    {STR("nul"), "Unrecognized token 'nul': was expecting " VALUE, 1, 4},
    {STR("nulL"), "Unrecognized token 'nulL': was expecting " VALUE, 1, 5},
    {STR("truex,"), "Unrecognized token 'truex': was expecting " VALUE, 1, 7},
    {STR("[true\xc3\xa9]"), "Unrecognized token 'true\xc3\xa9': was expecting " VALUE, 1, 9},
    {STR("\xc3\xa9"), "Invalid UTF-8 start byte 0xa9", 1, 3},
    {STR("'a'"), "Unexpected character (''' (code 39)): expected a valid value " VALUE, 1, 1},
    {STR("{\"a\":#}"), "Unexpected character ('#' (code 35)): expected a valid value " VALUE, 1, 6},
    {STR("\xa9"), "Unexpected character ('\xc2\xa9' (code 169)): expected a valid value " VALUE, 1,
     1},
    {STR("{\"a\":}"), "Unexpected character ('}' (code 125)): expected a value", 1, 6},
    {STR("[1,]"), "Unexpected character (']' (code 93)): expected a value", 1, 4},
    {STR("[,1]"), "Unexpected character (',' (code 44)): expected a value", 1, 2},
    {STR("{\"a\":]}"), "Unexpected character (']' (code 93)): expected a valid value " VALUE, 1, 6},
    {STR("NaN"),
     "Non-standard token 'NaN': enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow", 1, 4},
    {STR("Nan"), "Unrecognized token 'Nan': was expecting " VALUE, 1, 4},
    {STR(".5"), "Unexpected character ('.' (code 46)): expected a valid value " VALUE, 1, 1},
    {STR("+1"),
     "Unexpected character ('+' (code 43)) in numeric value: JSON spec does not allow numbers to "
     "have plus signs: enable `JsonReadFeature.ALLOW_LEADING_PLUS_SIGN_FOR_NUMBERS` to allow",
     1, 2},
    /* between tokens */
    {STR("[1 2]"),
     "Unexpected character ('2' (code 50)): was expecting comma to separate Array entries", 1, 4},
    {STR("{\"a\":1;}"),
     "Unexpected character (';' (code 59)): was expecting comma to separate Object entries", 1, 7},
    {STR("{\"a\" 1}"),
     "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value",
     1, 6},
    {STR("{a:1}"),
     "Unexpected character ('a' (code 97)): was expecting double-quote to start field name", 1, 2},
    {STR("{\"a\":1,}"),
     "Unexpected character ('}' (code 125)): was expecting double-quote to start field name", 1, 8},
    {STR("{\xe2\x82\xac:1}"),
     "Unexpected character ('\xe2\x82\xac' (code 8364 / 0x20ac)): was expecting double-quote to "
     "start field name",
     1, 4},
    {STR("[\0]"),
     "Illegal character ((CTRL-CHAR, code 0)): only regular white space (\\r, \\n, \\t) is allowed "
     "between tokens",
     1, 2},
    {STR("// x\n{}"),
     "Unexpected character ('/' (code 47)): maybe a (non-standard) comment? (not recognized as one "
     "since Feature 'ALLOW_COMMENTS' not enabled for parser)",
     1, 1},
    {STR("[1}"),
     "Unexpected close marker '}': expected ']' (for Array starting at " SOURCE
     "line: 1, column: 1])",
     1, 4},
    {STR("{\r\n\"a\":{]"),
     "Unexpected close marker ']': expected '}' (for Object starting at " SOURCE
     "line: 2, column: 5])",
     2, 7},
    {STR("]"),
     "Unexpected close marker ']': expected '}' (for root starting at " SOURCE
     "line: 1, column: 0])",
     1, 2},
    /* numbers */
    {STR("01"), "Invalid numeric value: Leading zeroes not allowed", 1, 2},
    {STR("-x"),
     "Unexpected character ('x' (code 120)) in numeric value: expected digit (0-9) to follow minus "
     "sign, for valid numeric value",
     1, 2},
    {STR("-"), "Unexpected end-of-input in a Number value", 1, 2},
    {STR("1.x"),
     "Unexpected character ('x' (code 120)) in numeric value: Decimal point not followed by a "
     "digit",
     1, 3},
    {STR("1."),
     "Unexpected character ('.' (code 46)) in numeric value: Decimal point not followed by a digit",
     1, 2},
    {STR("[1e,2]"),
     "Unexpected character (',' (code 44)) in numeric value: Exponent indicator not followed by a "
     "digit",
     1, 4},
    {STR("1a"), "Unexpected character ('a' (code 97)): Expected space separating root-level values",
     1, 2},
    /* strings */
    {STR("\"a\nb\""),
     "Illegal unquoted character ((CTRL-CHAR, code 10)): has to be escaped using backslash to be "
     "included in string value",
     1, 3},
    {STR("{\"a\tb\":1}"),
     "Illegal unquoted character ((CTRL-CHAR, code 9)): has to be escaped using backslash to be "
     "included in name",
     1, 4},
    {STR("\"\\x\""), "Unrecognized character escape 'x' (code 120)", 1, 4},
    {STR("\"\\u00g0\""),
     "Unexpected character ('g' (code 103)): expected a hex-digit for character escape sequence", 1,
     6},
    {STR("\"\\u00"), "Unexpected end-of-input in character escape sequence", 1, 6},
    {STR("\"\x80\""), "Invalid UTF-8 start byte 0x80", 1, 3},
    {STR("\"\xc0\x80\""), "Invalid UTF-8 start byte 0xc0", 1, 3},
    {STR("\"\xc3(\""), "Invalid UTF-8 middle byte 0x28", 1, 4},
    {STR("\"\xed\xa0\x80\""), "Invalid UTF-8 middle byte 0xa0", 1, 4},
    {STR("\"\xf4\x90\x80\x80\""), "Invalid UTF-8 middle byte 0x90", 1, 4},
    {STR("\"\xf5\x80\x80\x80\""), "Invalid UTF-8 start byte 0xf5", 1, 3},
    /* the end */
    {STR("{"),
     "Unexpected end-of-input: expected close marker for Object (start marker at " SOURCE
     "line: 1, column: 1])",
     1, 2},
    {STR("[[],"), "Unexpected end-of-input within/between Array entries", 1, 5},
    {STR("{\"a\""), "Unexpected end-of-input within/between Object entries", 1, 5},
    {STR("{\"a\":"), "Unexpected end-of-input within/between Object entries", 1, 6},
    {STR("{\""), "Unexpected end-of-input: was expecting closing '\"' for name", 1, 3},
    {STR("{\"ab"), "Unexpected end-of-input in field name", 1, 5},
    {STR("\"ab"), "Unexpected end-of-input in VALUE_STRING", 1, 4},
    {STR("\"\xe2\x82"), "Unexpected end-of-input in VALUE_STRING", 1, 4},
    {STR(" \n "), "No content to map due to end-of-input", 2, 2},
    {STR("{} []"),
     "Trailing token (of type START_ARRAY) found after value: not allowed as per "
     "`DeserializationFeature.FAIL_ON_TRAILING_TOKENS`",
     1, 4},
    {STR("{}x"), "Unrecognized token 'x': was expecting " VALUE, 1, 4},
};

static void what_is_not_json_is_refused_in_the_parsers_words(void **state)
{
    char expected[ERROR_MSG_MAX];
    struct error err;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(bad); i++) {
        err.msg[0] = '\0';
        assert_int_equal(json_check(bad[i].text, &err), -ERR_BAD_CONTENT);
        snprintf(expected, sizeof(expected), PREFIX "%s\n at " SOURCE "line: %d, column: %d]",
                 bad[i].message, bad[i].line, bad[i].column);
        assert_string_equal(err.msg, expected);
        assert_int_equal(json_check(bad[i].text, NULL), -ERR_BAD_CONTENT);
    }
}

/* @depth arrays in one another, not closed. */
static struct str nested(char *text, size_t depth)
{
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    return str_from(text, 2 * depth);
}

static void nesting_ends_at_a_thousand(void **state)
{
    char text[2 * JSON_CHECK_DEPTH + 2];
    struct error err;

    (void)state;
    assert_int_equal(json_check(nested(text, JSON_CHECK_DEPTH), &err), 0);
    assert_int_equal(json_check(nested(text, JSON_CHECK_DEPTH + 1), &err), -ERR_BAD_CONTENT);
    assert_string_equal(err.msg, PREFIX "Document nesting depth (1001) exceeds the maximum allowed "
                                        "(1000, from "
                                        "`StreamReadConstraints.getMaxNestingDepth()`)");
}

static void a_long_token_is_cut_in_the_message(void **state)
{
    char text[5000];
    struct error err;

    (void)state;
    memset(text, 'x', sizeof(text));
    assert_int_equal(json_check(str_from(text, sizeof(text)), &err), -ERR_BAD_CONTENT);
    assert_non_null(strstr(err.msg, "xxx...': was expecting"));
    assert_non_null(strstr(err.msg, "line: 1, column: 257]"));
}

/* Every cut and every single wrong byte of a payload, at all alignments of the 8-byte steps. */
static void no_damage_goes_unseen(void **state)
{
    static const char good[] = "{\"name\":\"0123456789 abcdefghij\",\"list\":[1,-2.5e3,true,null],"
                               "\"t\":\"caf\xc3\xa9 \\u00e9\"}";
    char text[sizeof(good) + 8];
    size_t len = sizeof(good) - 1, shift, i;

    (void)state;
    for (shift = 0; shift < 8; shift++) {
        memcpy(text + shift, good, len);
        assert_int_equal(json_check(str_from(text + shift, len), NULL), 0);
        for (i = 1; i < len; i++) {
            char was = text[shift + i];

            assert_true(json_check(str_from(text + shift, i), NULL) < 0);
            text[shift + i] = '\x01';
            assert_true(json_check(str_from(text + shift, len), NULL) < 0);
            text[shift + i] = '\xff';
            assert_true(json_check(str_from(text + shift, len), NULL) < 0);
            text[shift + i] = was;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_json_passes),
        cmocka_unit_test(what_is_not_json_is_refused_in_the_parsers_words),
        cmocka_unit_test(nesting_ends_at_a_thousand),
        cmocka_unit_test(a_long_token_is_cut_in_the_message),
        cmocka_unit_test(no_damage_goes_unseen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
