/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_tail.h - the last LOG_TAIL_MAX bytes of the lines of one invocation.
 *
 * Owns:    its bytes; a log_tail has no memory elsewhere.
 * Threads: one at a time.
 * Errors:  none.
 * Source:  Lambda API reference, Invoke: LogType, LogResult.
 */
#ifndef HEARTH_INVOKER_LOG_TAIL_H
#define HEARTH_INVOKER_LOG_TAIL_H

#include "common/base/str.h"

#define LOG_TAIL_MAX 4096

struct log_tail {
    size_t len;
    char bytes[2 * LOG_TAIL_MAX]; /* so that the tail is always in one piece */
};

void log_tail_clear(struct log_tail *t);
/** Adds @text; a line's newline is the caller's. */
void log_tail_add(struct log_tail *t, struct str text);
/** Borrowed until the next change. */
struct str log_tail_str(const struct log_tail *t);

#endif
