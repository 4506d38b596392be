/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_reader.h - finds the records of one function in a view of the segments.
 *
 * The index of each segment says which runs may match; only those are read. A segment that
 * retention removes meanwhile is as if it had gone before.
 *
 * Owns:    nothing.
 * Threads: any; blocking, for worker threads.
 * Errors:  -ERR_SYSTEM when a segment cannot be read.
 */
#ifndef HEARTH_INVOKER_LOG_READER_H
#define HEARTH_INVOKER_LOG_READER_H

#include "invoker/log_segment.h"

#define LOG_READ_BYTES_MAX (16u * 1024u * 1024u)

struct log_query {
    struct str account, function;
    struct str request_id; /* empty: any */
    uint64_t since_ms; /* 0: any */
    uint32_t limit; /* at least 1 */
};

/**
 * Appends the matching records to @out, in the order in which they were written: with since_ms the
 * first `limit` ones, else the last. At most LOG_READ_BYTES_MAX; @more: there are others.
 */
int log_query_run(const struct log_view *view, const struct log_query *query, struct buf *out,
                  bool *more, struct error *err);

#endif
