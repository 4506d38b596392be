/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/image_ref.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_references_are_taken_apart(void **state)
{
    static const struct {
        const char *text, *host, *repository, *name, *tag, *digest;
    } rows[] = {
        {"hello", "", "hello", "hello", "", ""},
        {"hello:1", "", "hello", "hello", "1", ""},
        {"hearth/python:3.11", "", "hearth/python", "hearth/python", "3.11", ""},
        {"127.0.0.1:5000/hello:1", "127.0.0.1:5000", "hello", "127.0.0.1:5000/hello", "1", ""},
        {"localhost/a/b", "localhost", "a/b", "localhost/a/b", "", ""},
        {"[::1]:5000/a", "[::1]:5000", "a", "[::1]:5000/a", "", ""},
        {"public.ecr.aws/lambda/python:3.13", "public.ecr.aws", "lambda/python",
         "public.ecr.aws/lambda/python", "3.13", ""},
        {"r.example/a__b/c---d.e@sha256:" HEX64, "r.example", "a__b/c---d.e",
         "r.example/a__b/c---d.e", "", "sha256:" HEX64},
        {"r.example:443/a:t@sha256:" HEX64, "r.example:443", "a", "r.example:443/a", "t",
         "sha256:" HEX64},
        {"sha256:" HEX64, "", "", "", "", "sha256:" HEX64},
    };
    struct image_ref r;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(image_ref_parse(str_of(rows[i].text), &r, NULL), 0);
        assert_true(str_is(r.host, rows[i].host));
        assert_true(str_is(r.repository, rows[i].repository));
        assert_true(str_is(r.name, rows[i].name));
        assert_true(str_is(r.tag, rows[i].tag));
        assert_true(str_is(r.digest, rows[i].digest));
    }
}

static void test_a_full_name_has_what_docker_leaves_out(void **state)
{
    static const char *const rows[][2] = {
        {"python:3.13", "docker.io/library/python"},
        {"docker.io/python", "docker.io/library/python"},
        {"hearth/python", "docker.io/hearth/python"},
        {"docker.io/a/b@sha256:" HEX64, "docker.io/a/b"},
        {"r.example/a:1", "r.example/a"},
        {"localhost:5000/a", "localhost:5000/a"},
    };
    struct image_ref r;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(freep) char *name = NULL;

        assert_int_equal(image_ref_parse(str_of(rows[i][0]), &r, NULL), 0);
        name = image_ref_full_name(&r);
        assert_string_equal(name, rows[i][1]);
    }
}

static void test_what_is_no_reference_is_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "/",
        "a/",
        "/a",
        "a//b",
        "A",
        "a:",
        "a@",
        "a@sha256:12",
        "a b",
        "a?x=y",
        "../a",
        "a/../b",
        "a/.",
        "a..b",
        "a___b",
        "-a",
        "a-",
        "a/-b",
        "r.example/",
        "r.example:0/a",
        "r.example:70000/a",
        "r.example:x/a",
        "a:.t",
        "a:b:c",
        "a%2f",
        "[::1/a",
        "r_x.example/a",
        "a@sha256:" HEX64 "0",
        "a\n",
    };
    struct image_ref r;
    struct error err;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(rows); i++)
        if (image_ref_parse(str_of(rows[i]), &r, &err) != -ERR_BAD_REQUEST)
            fail_msg("accepted: %s", rows[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_references_are_taken_apart),
        cmocka_unit_test(test_a_full_name_has_what_docker_leaves_out),
        cmocka_unit_test(test_what_is_no_reference_is_refused),
    };

    return cmocka_run_group_tests_name("image_ref", tests, NULL, NULL);
}
