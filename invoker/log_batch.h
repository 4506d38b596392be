/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_batch.h - records in memory that go to a segment in one write, with the index of their runs.
 *
 * A run is a row of records of one function and one request, next to each other. The runs of a
 * segment tile it without a gap, so that an index can be checked, and readers look only at the runs
 * whose hashes match.
 *
 * Owns:    its bytes and runs.
 * Threads: one at a time.
 * Errors:  none; what may wait in memory is bounded by logs.c.
 */
#ifndef HEARTH_INVOKER_LOG_BATCH_H
#define HEARTH_INVOKER_LOG_BATCH_H

#include "common/base/buf.h"
#include "common/proto/log_record.h"

/** A longer row is split into several runs: a reader takes a run into memory as a whole. */
#define LOG_RUN_BYTES (256u * 1024u)

/** One entry of an index file, in the machine's byte order. */
struct log_run {
    uint64_t function_hash;
    uint64_t request_hash;
    uint64_t last_ms; /* newest record of the run, Unix time */
    uint32_t offset; /* of its first byte: in the batch, on disk in the segment */
    uint32_t len;
};

struct log_runs {
    struct log_run *items;
    size_t len, cap;
};

struct log_batch {
    struct buf bytes;
    struct log_runs runs;
    uint64_t first_seq, last_seq; /* good when there are bytes */
};

void log_batch_init(struct log_batch *b);
void log_batch_done(struct log_batch *b);
/** Empties it; keeps memory for the next time, unless that is a lot. */
void log_batch_clear(struct log_batch *b);
/** Adds the record of @line; false, and nothing added, when its JSON exceeds LOG_RECORD_MAX. */
bool log_batch_add(struct log_batch *b, struct str origin, uint64_t function_hash,
                   uint64_t request_hash, const struct log_line *line);

/** Adds @len bytes at @offset to the last run, or begins a new one. */
void log_runs_add(struct log_runs *runs, uint64_t function_hash, uint64_t request_hash,
                  uint64_t time_ms, uint64_t offset, size_t len);
void log_runs_done(struct log_runs *runs);

/** Hashes of index entries (FNV-1a, 64 bits); both take texts as they stand in a record. */
uint64_t log_hash_function(struct str account, struct str function);
uint64_t log_hash_request(struct str request_id);

#endif
