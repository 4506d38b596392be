/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/auth_challenge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void the_registries_ways_are_read(void **state)
{
    static const struct {
        const char *value;
        bool bearer;
        const char *realm, *service, *scope;
    } rows[] = {
        {"Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\","
         "scope=\"repository:library/python:pull\"",
         true, "https://auth.docker.io/token", "registry.docker.io",
         "repository:library/python:pull"},
        {"bearer scope = a , realm=\"http://[::1]:5001/\\\"x\", error=\"insufficient_scope\"", true,
         "http://[::1]:5001/\"x", "", "a"},
        {"Basic realm=\"Registry Realm\"", false, "Registry Realm", "", ""},
        {"  BASIC", false, "", "", ""},
        {"Basic realm=", false, "", "", ""}, /* its realm is of no use to us */
    };
    struct auth_challenge c;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(auth_challenge_parse(str_of(rows[i].value), &c, NULL), 0);
        assert_int_equal(c.bearer, rows[i].bearer);
        assert_string_equal(c.realm, rows[i].realm);
        assert_string_equal(c.service, rows[i].service);
        assert_string_equal(c.scope, rows[i].scope);
    }
}

static void all_else_is_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "Negotiate abc",
        "Bearer",
        "Bearer realm=\"\"",
        "Bearer realm=\"ftp://x\"",
        "Bearer realm=\"/etc/passwd\"",
        "Bearer realm=\"file:///x\"",
        "Bearer realm=\"https://x",
        "Bearer realm=\"https://x\\",
        "Bearer realm=\"https://x\r\n\"",
        "Bearer realm",
        "Bearer =x",
        "Bearer realm=\"https://x\" ; service=y",
    };
    char many[3000] = "Bearer realm=\"https://";
    struct auth_challenge c;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(auth_challenge_parse(str_of(rows[i]), &c, NULL), -ERR_PROTOCOL);
    memset(many + strlen(many), 'x', AUTH_CHALLENGE_MAX);
    many[strlen(many)] = '"';
    assert_int_equal(auth_challenge_parse(str_of(many), &c, NULL), -ERR_PROTOCOL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_registries_ways_are_read),
        cmocka_unit_test(all_else_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
