/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/authorization.h"

#include <string.h>

static const char *const functions_may[] = {
    "sts:GetCallerIdentity",
    "lambda:Invoke",
    "lambda:InvokeAsync",
    "lambda:InvokeWithResponseStream",
};

int authorization_action(const struct caller *caller, struct str action, struct str resource,
                         struct error *err)
{
    size_t i;

    if (!caller->is_function)
        return 0;
    for (i = 0; i < ARRAY_LEN(functions_may); i++)
        if (str_is(action, functions_may[i]))
            return 0;
    return error_set(err, ERR_ACCESS_DENIED,
                     "User: %s is not authorized to perform: %.*s on resource: %.*s because no "
                     "identity-based policy allows the %.*s action",
                     caller->arn, STR_ARG(action), STR_ARG(resource), STR_ARG(action));
}

/* The function that the path names, by its ARN; "*" when it names none. */
static char *resource_of(const struct lambda_match *match, const char *account, const char *region)
{
    struct str name = lambda_match_label(match, "FunctionName");

    if (!name.len)
        return str_dup(STR("*"));
    if (str_starts(name, STR("arn:")))
        return str_dup(str_sub(name, 0, 200));
    return str_printf("arn:aws:lambda:%s:%s:function:%.*s", region, account,
                      STR_ARG(str_sub(name, 0, 140)));
}

int authorization_route(const struct caller *caller, const struct routes_match *match,
                        const char *account, const char *region, struct error *err)
{
    CLEANUP(freep) char *action = NULL;
    CLEANUP(freep) char *resource = NULL;

    if (!caller->is_function)
        return 0;
    if (match->service != SERVICE_INVOKE && match->service != SERVICE_MANAGE)
        return authorization_action(caller, STR("hearth:GetLogs"),
                                    match->name.len ? match->name : STR("*"), err);
    action = str_printf("lambda:%s", match->lambda.op->name);
    resource = resource_of(&match->lambda, account, region);
    return authorization_action(caller, str_of(action), str_of(resource), err);
}
