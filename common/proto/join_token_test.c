/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "common/proto/join_token.h"

#define NOW 1800000000u

static const unsigned char key[SHA256_BYTES] = "the key of this cluster", other[SHA256_BYTES] = "another";
static const char ca[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

static void make(char text[JOIN_TOKEN_MAX], const char *role)
{
    assert_int_equal(join_token_make(key, ca, role, NOW + 60, text, NULL), 0);
}

static void a_token_is_good_for_its_role_until_it_expires(void **state)
{
    char text[JOIN_TOKEN_MAX];
    struct error err;

    (void)state;
    make(text, "invoker");
    assert_int_equal(join_token_check(str_of(text), key, ca, "invoker", NOW + 59, &err), 0);
    assert_int_equal(join_token_check(str_of(text), key, ca, "invoker", NOW + 60, &err),
                     -ERR_ACCESS_DENIED);
    assert_non_null(strstr(err.msg, "expired at 2027-01-15T08:01:00"));
    assert_int_equal(join_token_check(str_of(text), key, ca, "gateway", NOW, &err),
                     -ERR_ACCESS_DENIED);
    assert_non_null(strstr(err.msg, "--role gateway"));
}

static void tokens_of_others_are_told_apart(void **state)
{
    static const char other_ca[] = "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";
    char text[JOIN_TOKEN_MAX];
    struct error err;

    (void)state;
    make(text, "gateway");
    assert_int_equal(join_token_check(str_of(text), key, other_ca, "gateway", NOW, &err),
                     -ERR_ACCESS_DENIED);
    assert_non_null(strstr(err.msg, "another cluster"));
    assert_int_equal(join_token_check(str_of(text), other, ca, "gateway", NOW, &err),
                     -ERR_ACCESS_DENIED);
}

static void a_token_with_any_byte_changed_is_none_of_ours(void **state)
{
    char text[JOIN_TOKEN_MAX];
    size_t i, len;
    char kept;

    (void)state;
    make(text, "invoker");
    len = strlen(text);
    for (i = 0; i < len; i++) {
        kept = text[i];
        text[i] = kept == '1' ? '2' : '1';
        assert_true(join_token_check(str_of(text), key, ca, "invoker", NOW, NULL) < 0);
        text[i] = kept;
        assert_true(join_token_check(str_from(text, i), key, ca, "invoker", NOW, NULL) < 0);
    }
    text[len] = '0';
    assert_int_equal(join_token_check(str_from(text, len + 1), key, ca, "invoker", NOW, NULL),
                     -ERR_BAD_REQUEST);
}

static void the_parts_can_be_read_without_the_key(void **state)
{
    char text[JOIN_TOKEN_MAX];
    struct join_token token;

    (void)state;
    make(text, "invoker");
    assert_int_equal(join_token_parse(str_of(text), &token, NULL), 0);
    assert_string_equal(token.role, "invoker");
    assert_string_equal(token.ca, ca);
    assert_int_equal(token.expires_s, NOW + 60);
    assert_int_equal(token.is_signed.len + 1 + 64, strlen(text));
}

static void other_roles_and_times_have_no_tokens(void **state)
{
    char text[JOIN_TOKEN_MAX];

    (void)state;
    assert_int_equal(join_token_make(key, ca, "controller", NOW, text, NULL), -ERR_BAD_REQUEST);
    assert_int_equal(join_token_make(key, ca, "joiner", NOW, text, NULL), -ERR_BAD_REQUEST);
    assert_int_equal(join_token_make(key, ca, "invoker", UINT64_MAX, text, NULL), -ERR_BAD_REQUEST);
    assert_int_equal(join_token_make(key, ca, "invoker", 0, text, NULL), -ERR_BAD_REQUEST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_good_for_its_role_until_it_expires),
        cmocka_unit_test(tokens_of_others_are_told_apart),
        cmocka_unit_test(a_token_with_any_byte_changed_is_none_of_ours),
        cmocka_unit_test(the_parts_can_be_read_without_the_key),
        cmocka_unit_test(other_roles_and_times_have_no_tokens),
    };

    return cmocka_run_group_tests_name("join_token", tests, NULL, NULL);
}
