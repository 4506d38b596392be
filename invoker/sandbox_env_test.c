/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/sandbox_env.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/str.h"
#include "invoker/launcher.h"

static char *none[] = {NULL};
static char *image_entry[] = {"/lambda-entrypoint.sh", NULL};
static char *image_command[] = {"app.handler", NULL};
static char *image_env[] = {
    "PATH=/image/bin", "LANG=C", "A=image", "B=image", "AWS_LAMBDA_RUNTIME_API=evil",
    "nonsense",        NULL};
static struct env_var function_env[] = {{"B", "function"}, {"TZ", "CET"}, {"AWS_REGION", "mars"}};

static struct image_info image_make(void)
{
    return (struct image_info){.reference = "r@sha256:1",
                               .entry_point = image_entry,
                               .command = image_command,
                               .env = image_env,
                               .working_directory = "/srv"};
}

static struct sandbox_spec spec_make(void)
{
    return (struct sandbox_spec){.region = "us-east-1",
                                 .name = "hello",
                                 .version = "$LATEST",
                                 .memory_mib = 128,
                                 .log_group = "/aws/lambda/hello",
                                 .env = function_env,
                                 .env_len = ARRAY_LEN(function_env)};
}

/* The value of @name, NULL when unset; fails when it is there twice. */
static const char *value(const struct sandbox_env *env, const char *name)
{
    const char *found = NULL;
    size_t len = strlen(name);

    for (char **v = env->env; *v; v++) {
        if (strncmp(*v, name, len) != 0 || (*v)[len] != '=')
            continue;
        assert_null(found);
        found = *v + len + 1;
    }
    return found;
}

static void test_reserved_beats_function_beats_image_beats_defaults(void **state)
{
    struct sandbox_spec spec = spec_make();
    struct image_info image = image_make();
    struct sandbox_env *env;

    (void)state;
    assert_int_equal(sandbox_env_new(&spec, &image, NULL, "2026/11/23/[$LATEST]00", INIT_ON_DEMAND, &env, NULL), 0);
    assert_string_equal(value(env, "AWS_LAMBDA_RUNTIME_API"), "127.0.0.1:9001");
    assert_string_equal(value(env, "AWS_REGION"), "us-east-1");
    assert_string_equal(value(env, "B"), "function");
    assert_string_equal(value(env, "TZ"), "CET");
    assert_string_equal(value(env, "A"), "image");
    assert_string_equal(value(env, "PATH"), "/image/bin");
    assert_string_equal(value(env, "LANG"), "C");
    assert_string_equal(value(env, "LAMBDA_TASK_ROOT"), "/var/task");
    assert_non_null(strstr(value(env, "LD_LIBRARY_PATH"), "/opt/lib"));
    assert_string_equal(value(env, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"), "128");
    assert_string_equal(value(env, "AWS_LAMBDA_LOG_STREAM_NAME"), "2026/11/23/[$LATEST]00");
    assert_string_equal(value(env, "AWS_LAMBDA_INITIALIZATION_TYPE"), "on-demand");
    assert_string_equal(value(env, "AWS_XRAY_DAEMON_ADDRESS"), "127.0.0.1:2000");
    assert_string_equal(value(env, "_AWS_XRAY_DAEMON_ADDRESS"), "127.0.0.1");
    assert_string_equal(value(env, "_AWS_XRAY_DAEMON_PORT"), "2000");
    assert_null(value(env, "AWS_ACCESS_KEY_ID"));
    assert_string_equal(value(env, "AWS_EXECUTION_ENV"), "AWS_Lambda_Image");
    assert_null(value(env, "_HANDLER"));
    assert_null(value(env, "nonsense"));
    sandbox_env_free(env);
}

static void the_roles_credentials_are_nobody_elses_to_set(void **state)
{
    static char key[] = "ASIAX", secret[] = "s", token[] = "~.t";
    static struct env_var own[] = {{"AWS_ACCESS_KEY_ID", "mine"}};
    struct role_credentials credentials = {key, secret, token, 1};
    struct sandbox_spec spec = spec_make();
    struct image_info image = image_make();
    struct sandbox_env *env;

    (void)state;
    spec.credentials = &credentials;
    spec.env = own;
    spec.env_len = 1;
    assert_int_equal(sandbox_env_new(&spec, &image, NULL, "s", INIT_ON_DEMAND, &env, NULL), 0);
    assert_string_equal(value(env, "AWS_ACCESS_KEY_ID"), "ASIAX");
    assert_string_equal(value(env, "AWS_SECRET_ACCESS_KEY"), "s");
    assert_string_equal(value(env, "AWS_SESSION_TOKEN"), "~.t");
    sandbox_env_free(env);
}

static void the_clients_are_told_of_json_logs(void **state)
{
    struct sandbox_spec spec = spec_make();
    struct image_info image = image_make();
    struct sandbox_env *env;

    (void)state;
    assert_int_equal(sandbox_env_new(&spec, &image, NULL, "s", INIT_ON_DEMAND, &env, NULL), 0);
    assert_null(value(env, "AWS_LAMBDA_LOG_FORMAT")); /* as AWS's recorded environments */
    assert_null(value(env, "AWS_LAMBDA_LOG_LEVEL"));
    sandbox_env_free(env);
    spec.log_json = true;
    spec.application_log_level = FN_LOG_WARN;
    spec.system_log_level = FN_LOG_DEBUG;
    assert_int_equal(sandbox_env_new(&spec, &image, NULL, "s", INIT_ON_DEMAND, &env, NULL), 0);
    assert_string_equal(value(env, "AWS_LAMBDA_LOG_FORMAT"), "JSON");
    assert_string_equal(value(env, "AWS_LAMBDA_LOG_LEVEL"), "WARN");
    sandbox_env_free(env);
}

static void test_image_functions_run_the_image_or_its_overrides(void **state)
{
    static char *other_entry[] = {"/bin/x", "-v", NULL}, *other_command[] = {"other.handler", NULL};
    struct sandbox_spec spec = spec_make();
    struct image_info image = image_make();
    struct sandbox_env *env;

    (void)state;
    assert_int_equal(sandbox_env_new(&spec, &image, NULL, "s", INIT_ON_DEMAND, &env, NULL), 0);
    assert_string_equal(env->argv[0], "/lambda-entrypoint.sh");
    assert_string_equal(env->argv[1], "app.handler");
    assert_null(env->argv[2]);
    assert_string_equal(env->cwd, "/srv");
    sandbox_env_free(env);
    spec.entry_point = other_entry;
    spec.command = other_command;
    spec.working_directory = "/elsewhere";
    assert_int_equal(sandbox_env_new(&spec, &image, NULL, "s", INIT_ON_DEMAND, &env, NULL), 0);
    assert_string_equal(env->argv[0], "/bin/x");
    assert_string_equal(env->argv[1], "-v");
    assert_string_equal(env->argv[2], "other.handler");
    assert_null(env->argv[3]);
    assert_string_equal(env->cwd, "/elsewhere");
    assert_string_equal(value(env, "PWD"), "/elsewhere");
    sandbox_env_free(env);
}

static void test_zip_functions_run_the_runtimes_entry_point_with_the_handler(void **state)
{
    struct sandbox_spec spec = spec_make();
    struct image_info image = image_make();
    struct sandbox_env *env;

    (void)state;
    spec.code_sha256 = "00";
    spec.runtime = "python3.13";
    spec.handler = "main.run";
    assert_int_equal(sandbox_env_new(&spec, &image, NULL, "s", INIT_ON_DEMAND, &env, NULL), 0);
    assert_string_equal(env->argv[0], "/lambda-entrypoint.sh");
    assert_string_equal(env->argv[1], "main.run");
    assert_null(env->argv[2]);
    assert_string_equal(env->cwd, "/var/task");
    assert_string_equal(value(env, "_HANDLER"), "main.run");
    assert_string_equal(value(env, "AWS_EXECUTION_ENV"), "AWS_Lambda_python3.13");
    assert_string_equal(value(env, "AWS_LAMBDA_FUNCTION_VERSION"), "$LATEST");
    sandbox_env_free(env);
    spec.version = "12";
    spec.runtime = "provided.al2023";
    assert_int_equal(sandbox_env_new(&spec, &image, "/opt/bootstrap", "s", INIT_ON_DEMAND, &env, NULL), 0);
    assert_string_equal(env->argv[0], "/opt/bootstrap");
    assert_null(env->argv[1]);
    assert_string_equal(env->cwd, "/var/task");
    assert_null(value(env, "PWD"));
    assert_string_equal(value(env, "_HANDLER"), "main.run");
    assert_null(value(env, "AWS_EXECUTION_ENV"));
    assert_string_equal(value(env, "AWS_LAMBDA_FUNCTION_VERSION"), "12");
    sandbox_env_free(env);
}

static void test_layers_are_on_the_paths_unless_image_or_function_say_otherwise(void **state)
{
    struct sandbox_spec spec = spec_make();
    struct image_info image = image_make();
    struct sandbox_env *env;

    (void)state;
    image.env = none;
    spec.code_sha256 = "00";
    assert_int_equal(sandbox_env_new(&spec, &image, NULL, "s", INIT_ON_DEMAND, &env, NULL), 0);
    assert_string_equal(value(env, "PATH"), "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin");
    assert_non_null(strstr(value(env, "LD_LIBRARY_PATH"), ":/var/task/lib:/opt/lib"));
    sandbox_env_free(env);
}

static void test_nothing_to_run_and_too_much_are_refused(void **state)
{
    struct sandbox_spec spec = spec_make();
    struct image_info image = image_make();
    struct sandbox_env *env = NULL;
    static char big[300 * 1024];
    struct env_var large = {"BIG", big};

    (void)state;
    image.entry_point = image.command = none;
    image.working_directory = "";
    assert_int_equal(sandbox_env_new(&spec, &image, NULL, "s", INIT_ON_DEMAND, &env, NULL), -ERR_BAD_REQUEST);
    image.command = image_command;
    assert_int_equal(sandbox_env_new(&spec, &image, NULL, "s", INIT_ON_DEMAND, &env, NULL), 0);
    assert_string_equal(env->argv[0], "app.handler");
    assert_string_equal(env->cwd, "/");
    sandbox_env_free(env);
    memset(big, 'x', sizeof(big) - 1);
    spec.env = &large;
    spec.env_len = 1;
    env = NULL;
    assert_int_equal(sandbox_env_new(&spec, &image, NULL, "s", INIT_ON_DEMAND, &env, NULL), -ERR_TOO_LARGE);
    assert_null(env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reserved_beats_function_beats_image_beats_defaults),
        cmocka_unit_test(the_roles_credentials_are_nobody_elses_to_set),
        cmocka_unit_test(the_clients_are_told_of_json_logs),
        cmocka_unit_test(test_image_functions_run_the_image_or_its_overrides),
        cmocka_unit_test(test_zip_functions_run_the_runtimes_entry_point_with_the_handler),
        cmocka_unit_test(test_layers_are_on_the_paths_unless_image_or_function_say_otherwise),
        cmocka_unit_test(test_nothing_to_run_and_too_much_are_refused),
    };

    return cmocka_run_group_tests_name("sandbox_env", tests, NULL, NULL);
}
