/* SPDX-License-Identifier: Apache-2.0 */
/* The environment of a function: which names are free, and how much it may hold. */
#include <stdlib.h>
#include <string.h>

#include "common/model/fn_apply_parts.h"
#include "common/model/record.h"

#define ENV_BYTES_MAX 4096 /* developer guide, "Lambda quotas" */

/* Names that Lambda sets itself (developer guide, "Reserved environment variables"). */
static const char *const reserved_env[] = {
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
};

static bool is_reserved(const char *name)
{
    size_t i;

    for (i = 0; i < ARRAY_LEN(reserved_env); i++)
        if (strcmp(reserved_env[i], name) == 0)
            return true;
    return false;
}

static int check_env_names(const cJSON *vars, struct error *err)
{
    CLEANUP(buf_done) struct buf names = BUF_INIT(ERROR_MSG_MAX / 2);
    const cJSON *var;

    cJSON_ArrayForEach(var, vars)
    {
        if (is_reserved(var->string))
            buf_printf(&names, "%s%s", names.len > 0 ? ", " : "", var->string);
    }
    if (names.len == 0)
        return 0;
    return error_set(err, ERR_BAD_REQUEST,
                     "Lambda was unable to configure your environment variables because the "
                     "environment variables you have provided contains reserved keys that are "
                     "currently not supported for modification. Reserved keys used in this "
                     "request: %.*s",
                     STR_ARG(buf_str(&names)));
}

/* AWS measures the variables as JSON and tells them whole: the message is for the client alone. */
static int check_env_size(const cJSON *vars, struct buf *message, struct error *err)
{
    static const char words[] = "Lambda was unable to configure your environment variables because "
                                "the environment variables you have provided exceeded the 4KB "
                                "limit. String measured: ";
    char *text = cJSON_PrintUnformatted(vars);
    size_t len;

    if (!text)
        abort();
    len = strlen(text);
    if (len > ENV_BYTES_MAX && message)
        buf_printf(message, "%s%s", words, text);
    explicit_bzero(text, len);
    cJSON_free(text);
    if (len <= ENV_BYTES_MAX)
        return 0;
    return error_set(err, ERR_BAD_REQUEST, "%s%zu bytes", words, len);
}

int fn_apply_environment(const cJSON *input, struct buf *message, struct fn_version *ver,
                         struct error *err)
{
    const cJSON *environment = fn_member(input, "Environment");
    const cJSON *vars = fn_member(environment, "Variables");
    struct env_var *env = NULL;
    size_t len = 0;
    int r = 0;

    if (!environment)
        return 0;
    if (vars)
        r = check_env_names(vars, err);
    if (r == 0 && vars)
        r = check_env_size(vars, message, err);
    if (r == 0 && vars)
        r = env_from_json(vars, &env, &len, err);
    if (r < 0)
        return r;
    env_free(ver->env, ver->env_len);
    ver->env = env;
    ver->env_len = len;
    ver->has_env = true;
    return 0;
}
