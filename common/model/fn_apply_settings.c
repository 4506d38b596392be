/* SPDX-License-Identifier: Apache-2.0 */
/* Settings of a function that stand alone: dead letters, tracing, key, SnapStart, log format. */
#include <stdlib.h>
#include <string.h>

#include "common/model/fn_apply_parts.h"
#include "common/model/lambda_input.h"

#define LOG_LEVEL_DEFAULT "INFO"

/* Whether @arn is one of @service: its third part. */
static bool is_arn_of(struct str arn, const char *service)
{
    struct str part = STR_NULL;
    int i;

    for (i = 0; i < 3; i++)
        if (!str_split(&arn, ':', &part))
            return false;
    return str_is(part, service);
}

/* An empty TargetArn takes the target away; without one the configuration stays as it is: recorded. */
static int apply_dead_letter(const cJSON *input, struct fn_version *ver, struct error *err)
{
    const cJSON *config = fn_member(input, "DeadLetterConfig");
    struct str arn = cjson_str(config, "TargetArn");

    if (!arn.ptr)
        return 0;
    if (arn.len > 0 && !is_arn_of(arn, "sqs") && !is_arn_of(arn, "sns"))
        return error_set(err, ERR_BAD_REQUEST,
                         "Invalid dead letter queue ARN: %.*s is neither an Amazon SQS queue nor "
                         "an Amazon SNS topic.",
                         STR_ARG(str_sub(arn, 0, 256)));
    fn_set_str(&ver->dead_letter_arn, arn.len > 0 ? arn : STR_NULL);
    return 0;
}

static int apply_snap_start(const cJSON *input, const struct fn_defaults *defaults,
                            struct fn_version *ver, struct error *err)
{
    struct str apply_on = cjson_str(fn_member(input, "SnapStart"), "ApplyOn");
    const struct runtime *rt;

    if (apply_on.ptr)
        ver->snap_start = str_is(apply_on, "PublishedVersions");
    rt = ver->runtime ? runtimes_find(defaults->runtimes, str_of(ver->runtime)) : NULL;
    if (ver->snap_start && rt && !rt->snap_start)
        return error_set(err, ERR_BAD_REQUEST,
                         "%s is not supported for SnapStart enabled functions.", rt->name);
    return 0;
}

/* Sets a log level: the one that was asked for, else the one there is, else AWS's default. */
static void apply_log_level(struct str asked, char **level)
{
    if (asked.ptr)
        fn_set_str(level, asked);
    else if (!*level)
        fn_set_str(level, STR(LOG_LEVEL_DEFAULT));
}

static int apply_logging(const cJSON *input, struct fn_version *ver, struct error *err)
{
    const cJSON *config = fn_member(input, "LoggingConfig");
    struct str format = cjson_str(config, "LogFormat"), group = cjson_str(config, "LogGroup");
    struct str application = cjson_str(config, "ApplicationLogLevel");
    struct str system = cjson_str(config, "SystemLogLevel");

    if (format.ptr)
        ver->log_json = str_is(format, "JSON");
    if (!ver->log_json && (application.ptr || system.ptr))
        return error_set(err, ERR_BAD_REQUEST,
                         "LogLevel is not supported when LogFormat is set to \"Text\". Remove "
                         "LogLevel from your request or change the LogFormat to \"Json\" and try "
                         "again.");
    if (group.ptr)
        fn_set_str(&ver->log_group, group);
    if (ver->log_json) {
        apply_log_level(application, &ver->application_log_level);
        apply_log_level(system, &ver->system_log_level);
    } else {
        fn_set_str(&ver->application_log_level, STR_NULL);
        fn_set_str(&ver->system_log_level, STR_NULL);
    }
    return 0;
}

int fn_apply_settings(const cJSON *input, const struct fn_defaults *defaults,
                      struct fn_version *ver, struct error *err)
{
    struct str tracing = cjson_str(fn_member(input, "TracingConfig"), "Mode");
    struct str key = cjson_str(input, "KMSKeyArn");
    int r;

    r = apply_dead_letter(input, ver, err);
    if (r == 0)
        r = apply_snap_start(input, defaults, ver, err);
    if (r == 0)
        r = apply_logging(input, ver, err);
    if (r < 0)
        return r;
    if (tracing.ptr)
        ver->tracing_active = str_is(tracing, "Active");
    if (key.ptr)
        fn_set_str(&ver->kms_key_arn, key.len > 0 ? key : STR_NULL);
    return 0;
}
