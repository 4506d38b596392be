/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/sessions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ROLE "arn:aws:iam::000000000000:role/team/deploy"

static struct seal_key key_of(unsigned char byte)
{
    unsigned char bytes[SEAL_KEY_BYTES];
    struct seal_key key;

    memset(bytes, byte, sizeof(bytes));
    seal_key_init(&key, bytes);
    return key;
}

static void issue(const struct seal_key *key, struct session *session, struct buf *token)
{
    session_name_role(session, STR("000000000000"), STR(ROLE), STR("deploy"), STR("hello"));
    session->expires_s = 1000;
    session_issue(key, STR(SESSION_OF_FUNCTION), session, token);
}

static void what_was_issued_opens_with_its_key_alone(void **state)
{
    CLEANUP(buf_done) struct buf token = BUF_INIT(SESSION_TOKEN_MAX);
    struct seal_key key = key_of(1), other = key_of(2);
    struct session issued, opened;
    size_t i;
    (void)state;

    issue(&key, &issued, &token);
    assert_string_equal(issued.arn, "arn:aws:sts::000000000000:assumed-role/deploy/hello");
    assert_int_equal(strncmp(issued.user_id, "AROA", 4), 0);
    assert_string_equal(issued.user_id + 21, ":hello");
    assert_true(str_is(session_parent(buf_str(&token)), SESSION_OF_FUNCTION));
    assert_int_equal(session_open(&key, buf_str(&token), &opened, NULL), 0);
    assert_string_equal(opened.access_key, issued.access_key);
    assert_string_equal(opened.secret, issued.secret);
    assert_string_equal(opened.arn, issued.arn);
    assert_string_equal(opened.user_id, issued.user_id);
    assert_int_equal(opened.expires_s, 1000);
    assert_int_equal(session_open(&other, buf_str(&token), &opened, NULL), -ERR_UNKNOWN_CLIENT);
    for (i = 0; i < token.len; i++) {
        token.ptr[i] ^= 1;
        assert_int_equal(session_open(&key, buf_str(&token), &opened, NULL), -ERR_UNKNOWN_CLIENT);
        token.ptr[i] ^= 1;
    }
    assert_int_equal(session_open(&key, str_sub(buf_str(&token), 0, token.len - 1), &opened, NULL),
                     -ERR_UNKNOWN_CLIENT);
    assert_int_equal(session_open(&key, STR_NULL, &opened, NULL), -ERR_UNKNOWN_CLIENT);
}

static void each_session_has_keys_of_its_own(void **state)
{
    CLEANUP(buf_done) struct buf a = BUF_INIT(SESSION_TOKEN_MAX);
    CLEANUP(buf_done) struct buf b = BUF_INIT(SESSION_TOKEN_MAX);
    struct seal_key key = key_of(1);
    struct session one, two;
    (void)state;

    issue(&key, &one, &a);
    issue(&key, &two, &b);
    assert_string_not_equal(one.access_key, two.access_key);
    assert_string_not_equal(one.secret, two.secret);
    assert_string_equal(one.user_id, two.user_id);
}

static void the_key_of_functions_follows_from_the_controllers_and_is_another(void **state)
{
    struct seal_key controller = key_of(1), one, again;
    (void)state;

    session_function_key(&controller, &one);
    session_function_key(&controller, &again);
    assert_memory_equal(one.bytes, again.bytes, SEAL_KEY_BYTES);
    assert_memory_not_equal(one.bytes, controller.bytes, SEAL_KEY_BYTES);
    assert_string_not_equal(one.id, controller.id);
}

static void a_role_is_named_by_the_last_part_of_its_arn(void **state)
{
    static const struct {
        const char *arn, *name;
    } cases[] = {
        {ROLE, "deploy"},
        {"arn:aws:iam::123456789012:role/r", "r"},
        {"arn:aws:iam::123456789012:role/", NULL},
        {"arn:aws:iam::123456789012:role", NULL},
        {"arn:aws:iam::123456789012:user/r", NULL},
        {"arn:aws:iam::12345:role/r", NULL},
        {"arn:aws:sts::123456789012:role/r", NULL},
        {"r", NULL},
        {"arn:aws:iam::123456789012:role/"
         "0123456789012345678901234567890123456789012345678901234567890123X", NULL},
    };
    struct str account, name;
    size_t i;
    (void)state;

    for (i = 0; i < ARRAY_LEN(cases); i++) {
        name = session_role_name(str_of(cases[i].arn), &account);
        if (cases[i].name ? !str_is(name, cases[i].name) : name.ptr != NULL)
            fail_msg("%s: %.*s", cases[i].arn, STR_ARG(name));
    }
    session_role_name(STR(ROLE), &account);
    assert_true(str_is(account, "000000000000"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_issued_opens_with_its_key_alone),
        cmocka_unit_test(each_session_has_keys_of_its_own),
        cmocka_unit_test(the_key_of_functions_follows_from_the_controllers_and_is_another),
        cmocka_unit_test(a_role_is_named_by_the_last_part_of_its_arn),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
