/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filter_pattern.h - the patterns of FilterCriteria: which events an event source mapping lets
 * through. Here: whether a text is a pattern.
 *
 * A pattern is a JSON object as the event is: at the ends are arrays of what may stand there:
 * strings, numbers, true, false, null, or one of the comparisons {"prefix": …}, {"suffix": …},
 * {"equals-ignore-case": …}, {"wildcard": …}, {"anything-but": …}, {"numeric": […]}, {"cidr": …},
 * {"exists": …}. "$or" is an array of patterns.
 *
 * Owns:    nothing.
 * Threads: any.
 * Errors:  -ERR_BAD_REQUEST with AWS's message.
 * Source:  Lambda developer guide, "Filter rule syntax"; EventBridge user guide, "Event patterns".
 */
#ifndef HEARTH_MODEL_FILTER_PATTERN_H
#define HEARTH_MODEL_FILTER_PATTERN_H

#include "common/base/error.h"
#include "common/base/str.h"

#define FILTER_PATTERN_MAX 4096u /* bytes; the API's ceiling */

/** Whether @text is a pattern. */
int filter_pattern_check(struct str text, struct error *err);

#endif
