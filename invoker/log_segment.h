/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_segment.h - the files in which log records lie, as readers see them: a row of segments, each
 * a run of bytes that only grows, and a position that counts bytes through all of them.
 *
 * A segment is <folder>/<first seq, 20 digits>.log with one record a line; beside it, .idx holds
 * its runs (log_batch.h). A view is the row of segments at one moment: what it covers is written
 * and never changes, though retention may remove whole segments under it.
 *
 * Owns:    a view is shared by reference; its count belongs to the loop thread.
 * Threads: everything but ref and unref: any, and blocking.
 * Errors:  -ERR_SYSTEM.
 */
#ifndef HEARTH_INVOKER_LOG_SEGMENT_H
#define HEARTH_INVOKER_LOG_SEGMENT_H

#include "common/base/error.h"
#include "invoker/log_batch.h"

struct log_segment {
    uint64_t first_seq; /* its name; no record in it is older */
    uint64_t base; /* position of its first byte */
    uint64_t size; /* bytes written */
    uint64_t last_ms; /* when it was last written, Unix time */
};

struct log_view {
    unsigned refs;
    char *folder;
    size_t len;
    struct log_segment items[]; /* oldest first; items[i + 1].base is where items[i] ends */
};

struct log_view *log_view_new(const char *folder, const struct log_segment *items, size_t len);
struct log_view *log_view_ref(struct log_view *view);
void log_view_unref(struct log_view *view);
/** The position behind the last byte. */
uint64_t log_view_end(const struct log_view *view);
/** The position of the first byte that is still there. */
uint64_t log_view_start(const struct log_view *view);

enum log_file { LOG_FILE_RECORDS, LOG_FILE_INDEX };
/** The path of one of a segment's files; the caller frees it. */
char *log_segment_path(const char *folder, uint64_t first_seq, enum log_file which);
/** "00000000000000000001.log" to 1; false for other names. */
bool log_segment_parse_name(const char *name, uint64_t *ret);

/**
 * Reads all records of the first @size bytes of @fd: appends their runs to @runs, and stops at the
 * first line that is no record or has no end.
 *
 * @good  bytes of whole records
 * @last  set to the last record's seq and epoch, if there is one
 */
int log_segment_scan(int fd, uint64_t size, struct log_runs *runs, uint64_t *good,
                     uint64_t *last_seq, uint64_t *last_epoch, struct error *err);
/** The runs of @seg, from its index if that is sound, else from its records. */
int log_segment_runs(const struct log_view *view, const struct log_segment *seg,
                     struct log_runs *ret, struct error *err);

/**
 * Appends whole records from position *@pos to @out, at most @max bytes unless the first one is
 * longer, and moves *@pos behind them. None: @out stays as it was.
 */
int log_view_fetch(const struct log_view *view, uint64_t *pos, size_t max, struct buf *out,
                   struct error *err);
/** The position of the first record whose seq is at least @seq; the end when there is none. */
int log_view_seek(const struct log_view *view, uint64_t seq, uint64_t *ret, struct error *err);

#endif
