/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fn_log_level.h - levels of function logs: LoggingConfig's ApplicationLogLevel and SystemLogLevel,
 * and what a line of a function says of itself. (Those of our own log are in common/base/log.h.)
 *
 * Owns:    nothing.
 * Threads: any.
 * Source:  Lambda developer guide, "Log-level filtering".
 */
#ifndef HEARTH_MODEL_FN_LOG_LEVEL_H
#define HEARTH_MODEL_FN_LOG_LEVEL_H

#include "common/base/str.h"

/** From the most detail to the least; a system log knows DEBUG, INFO and WARN alone. */
enum fn_log_level {
    FN_LOG_TRACE,
    FN_LOG_DEBUG,
    FN_LOG_INFO,
    FN_LOG_WARN,
    FN_LOG_ERROR,
    FN_LOG_FATAL,
};

/** "INFO" */
const char *fn_log_level_name(enum fn_log_level level);
/**
 * The level of that name, or -1. Letters may be small, as loggers write them; WARNING and CRITICAL
 * are Python's words for WARN and FATAL.
 */
int fn_log_level_find(struct str name);

#endif
