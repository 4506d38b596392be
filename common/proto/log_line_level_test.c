/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/log_line_level.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/cleanup.h"

#define T "\"timestamp\":\"2024-11-02T16:51:31.587199Z\""

static void a_line_says_its_level(void **state)
{
    static const struct {
        struct str line;
        int level;
    } rows[] = {
        /* AWS's example; what AWS's Python and Node.js clients write */
        {STR("{\"level\": \"debug\", \"msg\": \"my debug log\", "
             "\"timestamp\": \"2024-11-02T16:51:31.587199Z\"}"),
         FN_LOG_DEBUG},
        {STR("{\"timestamp\": \"2024-06-18T02:07:06Z\", \"level\": \"WARNING\", \"message\": {\"a\""
             ": [1, {}]}, \"logger\": \"root\"}"),
         FN_LOG_WARN},
        {STR("{\"timestamp\":\"2024-06-18T02:07:06.123Z\",\"level\":\"FATAL\",\"requestId\":\"i\"}"),
         FN_LOG_FATAL},
        /* other names and forms of the time */
        {STR(" {\"time\":\"2024-11-02t16:51:31+01:00\",\"LEVEL\":\"Trace\"} \r"), FN_LOG_TRACE},
        {STR("{\"@timestamp\":\"2024-11-02 16:51:60.5-00:30\",\"level\":\"ERROR\"}"), FN_LOG_ERROR},
        /* no level, or none of Lambda's, or no time: INFO */
        {STR("{}"), FN_LOG_INFO},
        {STR("{" T "}"), FN_LOG_INFO},
        {STR("{" T ",\"level\":\"NOTICE\"}"), FN_LOG_INFO},
        {STR("{" T ",\"level\":50}"), FN_LOG_INFO},
        {STR("{" T ",\"level\":{\"level\":\"ERROR\"}}"), FN_LOG_INFO},
        {STR("{" T ",\"a\":{\"level\":\"ERROR\"}}"), FN_LOG_INFO},
        {STR("{\"level\":\"ERROR\"}"), FN_LOG_INFO},
        {STR("{\"level\":\"ERROR\",\"time\":1718676426000}"), FN_LOG_INFO},
        {STR("{\"level\":\"ERROR\",\"time\":\"2024-11-02T16:51:31\"}"), FN_LOG_INFO},
        {STR("{\"level\":\"ERROR\",\"time\":\"2024-13-02T16:51:31Z\"}"), FN_LOG_INFO},
        {STR("{\"level\":\"ERROR\",\"time\":\"2024-11-02T16:51:31.Z\"}"), FN_LOG_INFO},
        {STR("{\"level\":\"ERROR\",\"time\":\"2024-11-02T16:51:31+0100\"}"), FN_LOG_INFO},
        {STR("{\"level\":\"ERROR\",\"time\":\"\"}"), FN_LOG_INFO},
        /* brackets and marks in strings; the last of two */
        {STR("{\"a\":\"}\\\"\\\\\",\"b\":[\"]\",{}],\"c\":-1.5e+3,\"d\":null,\"level\":\"WARN\"," T
             "}"),
         FN_LOG_WARN},
        {STR("{\"level\":\"WARN\"," T ",\"level\":\"DEBUG\"}"), FN_LOG_DEBUG},
        /* no JSON object */
        {STR(""), -1},
        {STR("   "), -1},
        {STR("hello {\"level\":\"DEBUG\"}"), -1},
        {STR("[\"level\",\"ERROR\"]"), -1},
        {STR("\"level\""), -1},
        {STR("{\"level\":\"DEBUG\"," T), -1},
        {STR("{\"level\":\"DEBUG\"," T "} and more"), -1},
        {STR("{\"level\":\"DEBUG\"," T ",}"), -1},
        {STR("{\"level\" \"DEBUG\"," T "}"), -1},
        {STR("{\"level\":}"), -1},
        {STR("{level:\"DEBUG\"," T "}"), -1},
        {STR("{'level': 'DEBUG'}"), -1},
        {STR("{\"level\":\"DE\tBUG\"," T "}"), -1},
        {STR("{\"a\":\"\\"), -1},
        {STR("{\"a\":1"), -1},
        {STR("{\"a\":\0}"), -1},
    };
    size_t i;
    (void)state;

    for (i = 0; i < ARRAY_LEN(rows); i++)
        if (log_line_level(rows[i].line, true) != rows[i].level)
            fail_msg("%.*s", STR_ARG(rows[i].line));
}

static void the_beginning_of_a_long_line_decides(void **state)
{
    (void)state;
    assert_int_equal(log_line_level(STR("{\"level\":\"DEBUG\"," T ",\"text\":\"aaa"), false),
                     FN_LOG_DEBUG);
    assert_int_equal(log_line_level(STR("{\"text\":\"aaa"), false), FN_LOG_INFO);
    assert_int_equal(log_line_level(STR("{\"n\":[1,2"), false), FN_LOG_INFO);
    assert_int_equal(log_line_level(STR("aaa"), false), -1);
    assert_int_equal(log_line_level(STR("{\"a\" b"), false), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_says_its_level),
        cmocka_unit_test(the_beginning_of_a_long_line_decides),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
