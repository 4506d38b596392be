/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_spool.h - the writing side of the segments: appending batches, cutting off what a crash tore,
 * retention, and the numbers that survive a restart (epoch, next seq, what Kafka has).
 *
 * The folder holds lock, epoch, shipped, and per segment .log and .idx (log_segment.h). A batch is
 * written at the end that was reached before, so that a failed write is simply repeated.
 *
 * Owns:    the folder (locked against a second process) and the newest segment's descriptors.
 * Threads: one at a time, and blocking: start-up, then worker threads.
 * Errors:  -ERR_SYSTEM; a failed append or removal leaves the spool as it was.
 */
#ifndef HEARTH_INVOKER_LOG_SPOOL_H
#define HEARTH_INVOKER_LOG_SPOOL_H

#include "invoker/log_segment.h"

struct log_spool;

struct log_spool_options {
    const char *folder;
    uint64_t segment_bytes; /* 4 KiB .. 1 GiB */
    uint64_t retention_ms;
    uint64_t retention_bytes;
    bool sync; /* fdatasync after each batch */
};

/**
 * Opens or creates the spool: takes the lock, cuts the newest segment behind its last whole record,
 * rebuilds its index, raises the epoch. -ERR_IN_USE when another process has the folder.
 */
int log_spool_open(const struct log_spool_options *options, struct log_spool **ret,
                   struct error *err);
void log_spool_free(struct log_spool *spool);

/** This writer's epoch: greater than that of any record in the folder. */
uint64_t log_spool_epoch(const struct log_spool *spool);
/** The first seq that was never used. */
uint64_t log_spool_next_seq(const struct log_spool *spool);
/** All records before this seq were shipped; 0 when nothing ever was. */
uint64_t log_spool_shipped(const struct log_spool *spool);
/** Bytes that the cut at opening removed. */
uint64_t log_spool_torn_bytes(const struct log_spool *spool);
/** What is there now; the caller's, log_view_unref(). */
struct log_view *log_spool_view(const struct log_spool *spool);

/** Writes @batch; its seqs follow what was written before. @now_ms: Unix time. */
int log_spool_append(struct log_spool *spool, const struct log_batch *batch, uint64_t now_ms,
                     struct error *err);
/**
 * Removes the oldest segments that are too old or too many, but none with a record whose seq is
 * @keep_seq or later, and never what was written last.
 */
int log_spool_retain(struct log_spool *spool, uint64_t now_ms, uint64_t keep_seq,
                     struct error *err);
/** Remembers that all records before @seq were shipped. */
int log_spool_save_shipped(struct log_spool *spool, uint64_t seq, struct error *err);

#endif
