/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/credentials.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "common/base/file.h"

#define ACCOUNT "000000000000"
#define KEYS "aws_access_key_id = AKIDALICE\naws_secret_access_key=0123456789abcdef/+=\n"

static void a_file_names_who_may_ask(void **state)
{
    struct credentials *all;
    const struct credential *c;

    (void)state;
    assert_int_equal(credentials_parse(STR("# who may use it\n\n[alice]\n" KEYS
                                           "[boss]\r\naws_secret_access_key = fedcba9876543210\r\n"
                                           "aws_access_key_id = AKIDBOSS\r\n"
                                           "aws_account_id = 000000000000\r\n"
                                           "principal_arn = arn:aws:iam::000000000000:root\r\n"
                                           "; [nobody]\n"
                                           "[other]\naws_access_key_id = AKIDX\n"
                                           "aws_secret_access_key = fedcba9876543210\n"
                                           "principal_arn = arn:aws:iam::000000000000:user/a/b\n"),
                                       "f", ACCOUNT, &all, NULL),
                     0);
    assert_int_equal(credentials_len(all), 3);
    c = credentials_find(all, STR("AKIDALICE"));
    assert_non_null(c);
    assert_string_equal(c->secret, "0123456789abcdef/+=");
    assert_string_equal(c->caller.arn, "arn:aws:iam::000000000000:user/alice");
    assert_int_equal(strlen(c->caller.user_id), 21);
    assert_memory_equal(c->caller.user_id, "AIDA", 4);
    assert_false(c->caller.is_session);
    c = credentials_find(all, STR("AKIDBOSS"));
    assert_string_equal(c->caller.arn, "arn:aws:iam::000000000000:root");
    assert_string_equal(c->caller.user_id, ACCOUNT);
    assert_string_equal(credentials_find(all, STR("AKIDX"))->caller.arn,
                        "arn:aws:iam::000000000000:user/a/b");
    assert_null(credentials_find(all, STR("AKIDY")));
    credentials_free(all);
}

static void mistakes_are_told_with_their_line(void **state)
{
    static const struct {
        const char *text, *said;
    } cases[] = {
        {"", "it holds no credentials"},
        {"# nothing\n", "it holds no credentials"},
        {KEYS, "line 1: it stands before the first [name]"},
        {"[a\n", "line 1: a section's name stands in brackets"},
        {"[a]\nhello\n", "line 2: neither [name] nor name = value"},
        {"[a]\nregion = us-east-1\n", "line 2: an unknown setting"},
        {"[a]\naws_session_token = x\n", "line 2: an unknown setting"},
        {"[a]\n" KEYS "aws_access_key_id = B\n", "line 4: the section has this setting twice"},
        {"[a]\naws_access_key_id = AKID\n[b]\n", "line 1: the section has no aws_secret_access_key"},
        {"[a]\naws_secret_access_key = x\n", "line 1: the section has no aws_access_key_id"},
        {"\n[a]\n" KEYS "[b]\n" KEYS, "line 5: aws_access_key_id is given twice"},
        {"[a]\naws_access_key_id = A/B\naws_secret_access_key = 0123456789abcdef\n", "3 to 128"},
        {"[a]\naws_access_key_id = ASIAB\naws_secret_access_key = 0123456789abcdef\n", "ASIA"},
        {"[a]\naws_access_key_id = AKID\naws_secret_access_key = short\n", "16 to 128"},
        {"[a]\n" KEYS "aws_account_id = 111111111111\n", "line 1: aws_account_id is not the account"},
        {"[a]\n" KEYS "principal_arn = arn:aws:iam::111111111111:root\n", "principal_arn is not"},
        {"[a]\n" KEYS "principal_arn = arn:aws:iam::000000000000:role/x\n", "principal_arn is not"},
        {"[a]\n" KEYS "principal_arn = arn:aws:iam::000000000000:user/\n", "principal_arn is not"},
        {"[a b]\n" KEYS, "the section's name is no name of a user"},
    };
    struct credentials *all;
    struct error err;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(
            credentials_parse(str_of(cases[i].text), "the-file", ACCOUNT, &all, &err), -ERR_CONFIG);
        if (!strstr(err.msg, cases[i].said) || !strstr(err.msg, "credentials file the-file"))
            fail_msg("%s instead of %s", err.msg, cases[i].said);
        assert_null(strstr(err.msg, "0123456789abcdef"));
    }
}

static void a_file_that_others_may_read_is_refused(void **state)
{
    char dir[] = "/tmp/hcred-XXXXXX";
    CLEANUP(freep) char *path = NULL;
    struct credentials *all;
    struct error err;

    (void)state;
    assert_non_null(mkdtemp(dir));
    path = str_printf("%s/credentials", dir);
    assert_int_equal(credentials_load(path, ACCOUNT, &all, &err), -ERR_CONFIG);
    assert_int_equal(file_write_atomic(path, STR("[a]\n" KEYS), 0644, &err), 0);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(credentials_load(path, ACCOUNT, &all, &err), -ERR_CONFIG);
    assert_non_null(strstr(err.msg, "others may read or write it (mode 0644); chmod 600 it"));
    assert_int_equal(chmod(path, 0440), 0);
    assert_int_equal(credentials_load(path, ACCOUNT, &all, &err), 0);
    credentials_free(all);
    assert_int_equal(dir_remove(dir, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_names_who_may_ask),
        cmocka_unit_test(mistakes_are_told_with_their_line),
        cmocka_unit_test(a_file_that_others_may_read_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
