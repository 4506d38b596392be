/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/engine_layers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/str.h"
#include "common/io/http_script.h"

static char *answer_of(const char *json)
{
    return str_printf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                      strlen(json), json);
}

static int check(const char *info, struct error *err)
{
    CLEANUP(freep) char *version = answer_of("{\"ApiVersion\":\"1.52\",\"MinAPIVersion\":\"1.44\"}");
    CLEANUP(freep) char *answer = answer_of(info);
    const char *const answers[] = {version, answer, NULL};
    struct http_script script;
    int r;

    http_script_start(&script, answers);
    r = engine_layers_check(script.path, err);
    http_script_stop(&script);
    return r;
}

static void folders_must_be_told_and_seen(void **state)
{
    struct error err = {.msg = ""};

    (void)state;
    assert_int_equal(check("{\"Driver\":\"overlay2\",\"DockerRootDir\":\"/tmp\"}", &err), 0);
    assert_int_equal(check("{\"Driver\":\"overlayfs\",\"DockerRootDir\":\"/tmp\"}", &err), -ERR_UNSUPPORTED);
    assert_non_null(strstr(err.msg, "keeps images by \"overlayfs\""));
    assert_non_null(strstr(err.msg, "\"containerd-snapshotter\": false)"));
    assert_int_equal(check("{\"Driver\":\"overlay2\",\"DockerRootDir\":\"/nowhere\"}", &err), -ERR_UNSUPPORTED);
    assert_non_null(strstr(err.msg, "/nowhere is not to be seen from here"));
}

static void an_engine_that_is_away_is_not_judged(void **state)
{
    struct error err;

    (void)state;
    assert_int_equal(engine_layers_check("/nowhere/docker.sock", &err), 0);
    assert_int_equal(check("[]", &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folders_must_be_told_and_seen),
        cmocka_unit_test(an_engine_that_is_away_is_not_judged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
