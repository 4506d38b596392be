/* SPDX-License-Identifier: Apache-2.0 */
#include "common/model/runtimes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void a_table_is_read_in_its_order(void **state)
{
    struct runtimes *rts = NULL;

    (void)state;
    assert_int_equal(
        runtimes_parse(STR("{\"runtimes\":{\"b\":{\"image\":\"i/b\",\"fallback\":\"j/b\",\"x\":1},"
                           "\"a\":{\"image\":\"i/a\",\"architectures\":[\"arm64\"],"
                           "\"snap_start\":true},"
                           "\"old\":{\"deprecated\":true}}}\n"),
                       &rts, NULL),
        0);
    assert_int_equal(rts->len, 3);
    assert_string_equal(rts->items[0].name, "b");
    assert_string_equal(rts->items[0].fallback, "j/b");
    assert_true(rts->items[0].x86_64 && rts->items[0].arm64);
    assert_true(!rts->items[1].x86_64 && rts->items[1].arm64);
    assert_true(!rts->items[0].snap_start && rts->items[1].snap_start);
    assert_string_equal(rts->items[2].image, "");
    assert_ptr_equal(runtimes_find(rts, STR("a")), &rts->items[1]);
    assert_null(runtimes_find(rts, STR("c")));
    runtimes_free(rts);
}

static void only_known_current_runtimes_pass(void **state)
{
    struct runtimes *rts = NULL;
    struct error err;

    (void)state;
    assert_int_equal(runtimes_parse(STR("{\"runtimes\":{\"b\":{\"image\":\"i\"},"
                                        "\"a\":{\"image\":\"i\"},"
                                        "\"java8\":{\"deprecated\":true}}}"),
                                    &rts, NULL),
                     0);
    assert_int_equal(runtimes_check(rts, STR("a"), &err), 0);
    assert_int_equal(runtimes_check(rts, STR("java8"), &err), -ERR_BAD_REQUEST);
    assert_string_equal(err.msg,
                        "The runtime parameter of java8 is no longer supported for creating or "
                        "updating AWS Lambda functions. We recommend you use a supported runtime "
                        "while creating or updating functions.");
    assert_int_equal(runtimes_check(rts, STR("x"), &err), -ERR_BAD_REQUEST);
    assert_string_equal(
        err.msg,
        "Value x at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: "
        "[nodejs20.x, python3.14, provided.al2023, python3.12, python3.13, nodejs24.x, nodejs22.x, "
        "java25, python3.10, python3.11, java21, ruby3.3, ruby3.4, ruby3.2, python3.8, python3.9, "
        "java17, nodejs16.x, dotnet10, dotnet8, java11, dotnet6, nodejs18.x, provided.al2, "
        "java8.al2] or be a valid ARN");
    runtimes_free(rts);
}

static void a_wrong_file_is_refused_with_its_entry(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "the runtimes file is not JSON"},
        {"{} x", "the runtimes file is not JSON"},
        {"[]", "the runtimes file has no object \"runtimes\""},
        {"{\"runtimes\":{\"a\":1}}", "runtime a: not an object"},
        {"{\"runtimes\":{\"a\":{}}}", "runtime a: image is missing"},
        {"{\"runtimes\":{\"a\":{\"image\":1}}}", "runtime a: image and fallback are strings"},
        {"{\"runtimes\":{\"a\":{\"image\":\"i\",\"deprecated\":1}}}",
         "runtime a: deprecated is true or false"},
        {"{\"runtimes\":{\"a\":{\"image\":\"i\",\"snap_start\":0}}}",
         "runtime a: snap_start is true or false"},
        {"{\"runtimes\":{\"a\":{\"image\":\"i\",\"architectures\":{}}}}",
         "runtime a: architectures is not a list"},
        {"{\"runtimes\":{\"a\":{\"image\":\"i\",\"architectures\":[\"mips\"]}}}",
         "runtime a: architectures are x86_64 and arm64, nothing else"},
    };
    struct runtimes *rts = NULL;
    struct error err;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(runtimes_parse(str_of(cases[i].text), &rts, &err), -ERR_CONFIG);
        assert_string_equal(err.msg, cases[i].message);
    }
    assert_null(rts);
    runtimes_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_is_read_in_its_order),
        cmocka_unit_test(only_known_current_runtimes_pass),
        cmocka_unit_test(a_wrong_file_is_refused_with_its_entry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
