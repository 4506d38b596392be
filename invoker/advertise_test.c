/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "invoker/advertise.h"

static void the_settings_say_it_or_the_listener_does(void **state)
{
    static const struct {
        const char *advertise, *listen, *controllers, *expected; /* NULL: refused */
    } cases[] = {
        {"", "unix:/run/i.sock", "unix:/run/c.sock", "unix:/run/i.sock"},
        {"", "unix:/run/i.sock,tcp://10.0.0.2:7401", "unix:/run/c.sock", "tcp://10.0.0.2:7401"},
        {"", "tcp://10.0.0.2:7401,tcp://10.0.0.3:7401", "tcp://c:7400", "tcp://10.0.0.2:7401"},
        {"", "tcp://0.0.0.0:7401", "tcp://c:7400,tcp://d:7400", "tcp://0.0.0.0:7401"},
        {"", "tcp://[::]:7401", "tcp://c:7400", "tcp://[::]:7401"},
        {"", "tcp://0.0.0.0:7401", "unix:/run/c.sock", NULL},
        {"", "tcp://0.0.0.0:7401", "tcp://c:7400,unix:/run/c.sock", NULL},
        {"tcp://node-1:9", "tcp://0.0.0.0:7401", "unix:/run/c.sock", "tcp://node-1:9"},
        {"unix:/run/i.sock", "unix:/run/i.sock,tcp://0.0.0.0:7401", "tcp://c:1", "unix:/run/i.sock"},
        {"tcp://0.0.0.0:7401", "tcp://0.0.0.0:7401", "tcp://c:7400", NULL},
    };
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(buf_done) struct buf text = BUF_INIT(512);
        struct link_address a;
        struct error err;
        int r = advertise_choose(cases[i].advertise, cases[i].listen, cases[i].controllers, &a, &err);

        if (!cases[i].expected) {
            assert_int_equal(r, -ERR_CONFIG);
            assert_non_null(strstr(err.msg, "HEARTH_ADVERTISE"));
            continue;
        }
        assert_int_equal(r, 0);
        assert_int_equal(link_address_write(&text, &a), 0);
        assert_true(str_is(buf_str(&text), cases[i].expected));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_settings_say_it_or_the_listener_does),
    };

    return cmocka_run_group_tests_name("advertise", tests, NULL, NULL);
}
