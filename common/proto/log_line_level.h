/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_line_level.h - the level that a line of a function says of itself, when the function's log
 * format is JSON:
 *
 *   {"level": "debug", "msg": "my debug log", "timestamp": "2024-11-02T16:51:31.587199Z"}
 *
 * One pass over bytes that nobody has checked, without allocation and recursion. Members count at
 * the top of the object, with their names in letters of any size and without escapes; of several
 * with one name the last.
 *
 * Threads: any.
 * Source:  Lambda developer guide, "Log-level filtering"; RFC 3339, section 5.6.
 */
#ifndef HEARTH_PROTO_LOG_LINE_LEVEL_H
#define HEARTH_PROTO_LOG_LINE_LEVEL_H

#include "common/model/fn_log_level.h"

/**
 * The level of @line: that of its member `level`; INFO when this is missing or none of Lambda's, or
 * when no member `timestamp`, `time` or `@timestamp` is a time of RFC 3339. -1 for a line that is no
 * JSON object: it has no level.
 *
 * @is_whole  false: @line is the beginning of one that goes on, and what it has so far decides
 */
int log_line_level(struct str line, bool is_whole);

#endif
