/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/extension_register.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"

static void events_are_read(void **state)
{
    static const struct {
        const char *body;
        unsigned events;
        const char *unknown;
    } rows[] = {
        {"{\"events\":[\"INVOKE\",\"SHUTDOWN\"]}", EXTENSION_INVOKE | EXTENSION_SHUTDOWN, ""},
        {"{\"events\":[\"SHUTDOWN\"]}", EXTENSION_SHUTDOWN, ""},
        {"{\"events\":[]}", 0, ""},
        {"{}", 0, ""},
        {"{\"events\":null}", 0, ""},
        {" {\"Events\":[\"INVOKE\"]} \n", EXTENSION_INVOKE, ""},
        {"{\"events\":[\"INVOKE\",\"invoke\",\"x\"]}", EXTENSION_INVOKE, "invoke"},
        {"{\"events\":[\"\"]}", 0, " "},
    };
    struct extension_register got;
    size_t i;
    (void)state;

    for (i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(extension_register_parse(str_of(rows[i].body), &got, NULL), 0);
        assert_int_equal(got.events, rows[i].events);
        assert_string_equal(got.unknown, rows[i].unknown);
    }
}

static void mistakes_have_gos_words(void **state)
{
    static const char *const rows[][2] = {
        {"", "unexpected end of JSON input"},
        {"{", "unexpected end of JSON input"},
        {"{\"events\":[\"INVOKE\"", "unexpected end of JSON input"},
        {"x", "invalid character 'x' looking for beginning of value"},
        {"\xff", "invalid character '\\xff' looking for beginning of value"},
        {"{} x", "invalid character 'x' after top-level value"},
        {"[]", "json: cannot unmarshal array into Go value of type model.RegisterRequest"},
        {"{\"events\":\"INVOKE\"}", "json: cannot unmarshal string into Go struct field "
                                    "RegisterRequest.events of type []core.Event"},
        {"{\"events\":[1]}", "json: cannot unmarshal number into Go struct field "
                             "RegisterRequest.events of type core.Event"},
    };
    struct extension_register got;
    struct error err;
    size_t i;
    (void)state;

    for (i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(extension_register_parse(str_of(rows[i][0]), &got, &err),
                         -ERR_BAD_REQUEST);
        assert_string_equal(err.msg, rows[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_read),
        cmocka_unit_test(mistakes_have_gos_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
