/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>

#include "cli/terminal.h"
#include "common/base/cleanup.h"

static void control_characters_are_shown_not_obeyed(void **state)
{
    static const struct {
        struct str in;
        const char *out;
    } cases[] = {
        {STR("plain \xc3\xbc\ttab\n"), "plain \xc3\xbc\ttab\n"},
        {STR("[ERROR] no module\rTraceback:\r  line"), "[ERROR] no module\nTraceback:\n  line"},
        {STR("dos\r\nline"), "dos\nline"},
        {STR("\x1b[2Jgone\x07"), "\\x1b[2Jgone\\x07"},
        {STR("a\0b\x7f"), "a\\x00b\\x7f"},
    };
    size_t i, len;
    char *text;
    FILE *to;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        to = open_memstream(&text, &len);
        terminal_write(to, cases[i].in);
        fclose(to);
        assert_string_equal(text, cases[i].out);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(control_characters_are_shown_not_obeyed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
