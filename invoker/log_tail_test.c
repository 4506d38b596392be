/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/base/buf.h"
#include "invoker/log_tail.h"

static void a_short_tail_is_everything(void **state)
{
    struct log_tail t;

    (void)state;
    log_tail_clear(&t);
    assert_int_equal(log_tail_str(&t).len, 0);
    log_tail_add(&t, STR("START\n"));
    log_tail_add(&t, STR(""));
    log_tail_add(&t, STR("END\n"));
    assert_true(str_is(log_tail_str(&t), "START\nEND\n"));
    log_tail_clear(&t);
    assert_int_equal(log_tail_str(&t).len, 0);
}

/* Compares with the plain rule: all bytes, then the last 4096 of them. */
static void a_long_tail_is_its_last_bytes(void **state)
{
    static const size_t sizes[] = {1, 100, 4095, 4096, 4097, 10000, 37};
    CLEANUP(buf_done) struct buf all = BUF_INIT(1u << 20);
    CLEANUP(buf_done) struct buf piece = BUF_INIT(1u << 20);
    struct log_tail t;
    struct str want;
    size_t i, j;

    (void)state;
    log_tail_clear(&t);
    for (i = 0; i < 60; i++) {
        buf_clear(&piece);
        for (j = 0; j < sizes[i % 7]; j++)
            buf_append_char(&piece, (char)('a' + (i + j) % 26));
        log_tail_add(&t, buf_str(&piece));
        buf_append_str(&all, buf_str(&piece));
        want = buf_str(&all);
        if (want.len > LOG_TAIL_MAX)
            want = str_sub(want, want.len - LOG_TAIL_MAX, want.len);
        assert_true(str_eq(log_tail_str(&t), want));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_short_tail_is_everything),
        cmocka_unit_test(a_long_tail_is_its_last_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
