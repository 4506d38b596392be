/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_lines.h - cuts what a pipe delivers into lines.
 *
 * A line ends at its newline or at a flush; an unfinished one is held. A line longer than
 * LOG_LINES_MAX comes in pieces, all but the last marked as continued; no piece ends inside a UTF-8
 * sequence.
 *
 * Owns:    the held bytes.
 * Threads: one at a time.
 * Errors:  none.
 */
#ifndef HEARTH_INVOKER_LOG_LINES_H
#define HEARTH_INVOKER_LOG_LINES_H

#include "common/base/buf.h"

#define LOG_LINES_MAX (256u * 1024u)

/** One line or piece, no newline; @text is borrowed. @continues: the next call goes on with it. */
typedef void log_lines_fn(struct str text, bool continues, void *arg);

struct log_lines {
    struct buf held; /* at most LOG_LINES_MAX bytes without a newline */
    log_lines_fn *on_line;
    void *arg;
};

void log_lines_init(struct log_lines *l, log_lines_fn *on_line, void *arg);
void log_lines_done(struct log_lines *l);
/** Takes @bytes; calls on_line for each line that is complete. */
void log_lines_feed(struct log_lines *l, struct str bytes);
/** Makes a line of what is held, if there is any. */
void log_lines_flush(struct log_lines *l);

#endif
