/* SPDX-License-Identifier: Apache-2.0 */
#include "common/model/fn_log_level.h"

#include "common/base/cleanup.h"

static const char *const names[] = {
    [FN_LOG_TRACE] = "TRACE", [FN_LOG_DEBUG] = "DEBUG", [FN_LOG_INFO] = "INFO",
    [FN_LOG_WARN] = "WARN",   [FN_LOG_ERROR] = "ERROR", [FN_LOG_FATAL] = "FATAL",
};

const char *fn_log_level_name(enum fn_log_level level)
{
    return names[level];
}

int fn_log_level_find(struct str name)
{
    size_t i;

    for (i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq_nocase(name, str_of(names[i])))
            return (int)i;
    if (str_eq_nocase(name, STR("WARNING")))
        return FN_LOG_WARN;
    return str_eq_nocase(name, STR("CRITICAL")) ? FN_LOG_FATAL : -1;
}
