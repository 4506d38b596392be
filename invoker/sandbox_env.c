/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/sandbox_env.h"

#include <stdlib.h>
#include <string.h>

#include "common/proto/init_wire.h"

#define RUNTIME_API "127.0.0.1:9001" /* as hearth-init binds it */
#define XRAY_HOST "127.0.0.1" /* nobody listens there: segments are lost, as without tracing */
#define XRAY_PORT "2000"
#define TASK_ROOT "/var/task"

/* What Lambda sets and a function or an image may change. */
static const char *const defaults[][2] = {
    {"LANG", "en_US.UTF-8"},
    {"TZ", ":UTC"},
    {"PATH", "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin"},
    {"LD_LIBRARY_PATH", "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:"
                        "/var/task/lib:/opt/lib"},
    {"LAMBDA_TASK_ROOT", TASK_ROOT},
    {"LAMBDA_RUNTIME_DIR", "/var/runtime"},
    {"AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR"},
    {"AWS_XRAY_DAEMON_ADDRESS", XRAY_HOST ":" XRAY_PORT},
    {"_AWS_XRAY_DAEMON_ADDRESS", XRAY_HOST},
    {"_AWS_XRAY_DAEMON_PORT", XRAY_PORT},
};

struct env_list {
    char **vars;
    size_t len, cap;
};

static void *must(void *p)
{
    if (!p)
        abort();
    return p;
}

static void wipe(char *s)
{
    explicit_bzero(s, strlen(s));
    free(s);
}

/* Sets @name to @value, in the place of an earlier one. */
static void set(struct env_list *env, struct str name, const char *value)
{
    char *var = str_printf("%.*s=%s", STR_ARG(name), value);
    size_t i;

    for (i = 0; i < env->len; i++) {
        if (strncmp(env->vars[i], var, name.len + 1) == 0) {
            wipe(env->vars[i]);
            env->vars[i] = var;
            return;
        }
    }
    if (env->len + 1 >= env->cap) {
        env->cap = env->cap ? 2 * env->cap : 64;
        env->vars = must(reallocarray(env->vars, env->cap, sizeof(*env->vars)));
    }
    env->vars[env->len++] = var;
    env->vars[env->len] = NULL;
}

static void set_of(struct env_list *env, const char *name, const char *value)
{
    if (value)
        set(env, str_of(name), value);
}

static void set_image(struct env_list *env, const struct image_info *image)
{
    char *const *var;
    size_t eq;

    for (var = image->env; *var; var++) {
        eq = str_find(str_of(*var), '=', 0);
        if (eq > 0 && (*var)[eq] == '=')
            set(env, str_from(*var, eq), *var + eq + 1);
    }
}

/* @pwd NULL: unset, as Lambda leaves it for a bootstrap. */
static void set_reserved(struct env_list *env, const struct sandbox_spec *spec,
                         const char *log_stream, const char *init_type, const char *pwd)
{
    CLEANUP(freep) char *memory = str_printf("%u", spec->memory_mib);
    CLEANUP(freep) char *execution = NULL;

    set_of(env, "AWS_REGION", spec->region);
    set_of(env, "AWS_DEFAULT_REGION", spec->region);
    if (spec->credentials) {
        set_of(env, "AWS_ACCESS_KEY_ID", spec->credentials->access_key);
        set_of(env, "AWS_SECRET_ACCESS_KEY", spec->credentials->secret);
        set_of(env, "AWS_SESSION_TOKEN", spec->credentials->token);
    }
    set_of(env, "AWS_LAMBDA_FUNCTION_NAME", spec->name);
    set_of(env, "AWS_LAMBDA_FUNCTION_VERSION", spec->version);
    set_of(env, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", memory);
    set_of(env, "AWS_LAMBDA_INITIALIZATION_TYPE", init_type);
    set_of(env, "AWS_LAMBDA_LOG_GROUP_NAME", spec->log_group);
    set_of(env, "AWS_LAMBDA_LOG_STREAM_NAME", log_stream);
    if (spec->log_json) { /* AWS's clients then write JSON, and leave out what is below */
        set_of(env, "AWS_LAMBDA_LOG_FORMAT", "JSON");
        set_of(env, "AWS_LAMBDA_LOG_LEVEL", fn_log_level_name(spec->application_log_level));
    }
    set_of(env, "AWS_LAMBDA_RUNTIME_API", RUNTIME_API);
    set_of(env, "PWD", pwd);
    set_of(env, "_HANDLER", spec->handler);
    if (!spec->runtime || !str_starts(str_of(spec->runtime), STR("provided"))) {
        execution = str_printf("AWS_Lambda_%s", spec->runtime ? spec->runtime : "Image");
        set_of(env, "AWS_EXECUTION_ENV", execution);
    }
}

static char **build_env(const struct sandbox_spec *spec, const struct image_info *image,
                        const char *log_stream, const char *init_type, const char *pwd)
{
    struct env_list env = {0};
    size_t i;

    for (i = 0; i < ARRAY_LEN(defaults); i++)
        set_of(&env, defaults[i][0], defaults[i][1]);
    set_image(&env, image);
    for (i = 0; i < spec->env_len; i++)
        set_of(&env, spec->env[i].name, spec->env[i].value);
    set_reserved(&env, spec, log_stream, init_type, pwd);
    return env.vars;
}

static char *build_cwd(const struct sandbox_spec *spec, const struct image_info *image)
{
    const char *dir = spec->working_directory && spec->working_directory[0]
                          ? spec->working_directory
                          : image->working_directory;

    if (spec->code_sha256)
        dir = TASK_ROOT;
    return str_printf("%s%s", dir[0] == '/' ? "" : "/", dir);
}

static size_t count(char *const *strings)
{
    size_t n = 0;

    while (strings && strings[n])
        n++;
    return n;
}

/* An image's own words or those of ImageConfig, each by itself; for zip functions the entry point
 * of the runtime's image and the handler, or a bootstrap, which has no arguments. */
static char **build_argv(const struct sandbox_spec *spec, const struct image_info *image,
                         const char *bootstrap)
{
    char *const none[] = {NULL};
    char *const own[] = {(char *)bootstrap, NULL};
    char *handler[] = {spec->handler, NULL};
    char *const *entry = spec->entry_point ? spec->entry_point : image->entry_point;
    char *const *command = spec->command ? spec->command : image->command;
    size_t n, m, i;
    char **argv;

    if (spec->code_sha256) {
        entry = image->entry_point;
        command = handler;
    }
    if (bootstrap) {
        entry = own;
        command = none;
    }
    n = count(entry);
    m = count(command);
    argv = must(calloc(n + m + 1, sizeof(*argv)));
    for (i = 0; i < n; i++)
        argv[i] = str_dup(str_of(entry[i]));
    for (i = 0; i < m; i++)
        argv[n + i] = str_dup(str_of(command[i]));
    return argv;
}

int sandbox_env_new(const struct sandbox_spec *spec, const struct image_info *image,
                    const char *bootstrap, const char *log_stream, const char *init_type,
                    struct sandbox_env **ret, struct error *err)
{
    struct sandbox_env *env = must(calloc(1, sizeof(*env)));
    struct init_start start;
    int r = 0;

    env->argv = build_argv(spec, image, bootstrap);
    env->cwd = build_cwd(spec, image);
    env->env = build_env(spec, image, log_stream, init_type, bootstrap ? NULL : env->cwd);
    start = (struct init_start){env->cwd, (const char *const *)env->argv,
                                (const char *const *)env->env};
    if (!env->argv[0] || !env->argv[0][0])
        r = error_set(err, ERR_BAD_REQUEST,
                      "neither the image nor its configuration has an entry "
                      "point or a command");
    else if (init_start_size(&start) < 0)
        r = error_set(err, ERR_TOO_LARGE, "arguments and environment exceed %u bytes",
                      INIT_FRAME_MAX);
    if (r < 0) {
        sandbox_env_free(env);
        return r;
    }
    *ret = env;
    return 0;
}

void sandbox_env_free(struct sandbox_env *env)
{
    char **s;

    if (!env)
        return;
    for (s = env->argv; *s; s++)
        free(*s);
    free(env->argv);
    for (s = env->env; *s; s++)
        wipe(*s);
    free(env->env);
    free(env->cwd);
    free(env);
}
